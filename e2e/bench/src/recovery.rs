//! From kill -9 to the first correct pass: alone, where the same replica starts again as a killed container does, and
//! with a standby, which takes the lease over when it has run out.
//!
//! It must never take a pass for correct that says anything else of the fleet than the last one before the kill.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use rollcall_bench::figure::{at_most, note, percentile, said};
use rollcall_harness::operator::Operator;
use rollcall_harness::wait::{Look, until};
use rollcall_harness::world::World;

use crate::telling::Telling;

/// From the kill to the first correct pass.
const ALONE_SECONDS: f64 = 5.0;
const STANDBY_SECONDS: f64 = 20.0;
/// After this it is a failure, not a figure.
const GIVEN_UP: Duration = Duration::from_mins(6);

/// Prints the figures of so many kills of each kind.
///
/// # Errors
/// When something does not start, or does not come to say what it said before.
pub async fn measure(world: &World, kills: usize) -> Result<()> {
    let alone = alone(world, kills).await?;
    print("kill -9 to the first correct pass, alone", alone, ALONE_SECONDS);
    let standby = with_standby(world, kills).await?;
    print("kill -9 to the first correct pass, with a standby", standby, STANDBY_SECONDS);
    Ok(())
}

fn print(what: &str, mut times: Vec<Duration>, target: f64) {
    let kills = times.len();
    let median = percentile(&mut times, 0.5).unwrap_or_default();
    note(&format!("{what}, median of {kills}"), said(median.as_secs_f64(), "s"));
    let slowest = percentile(&mut times, 1.0).unwrap_or_default();
    at_most(&format!("{what}, slowest of {kills}"), slowest.as_secs_f64(), target, "s");
}

async fn alone(world: &World, kills: usize) -> Result<Vec<Duration>> {
    let mut operator = world.operator("rollcall-0").await?;
    let mut times = Vec::new();
    for _ in 0..kills {
        world.settled().await?;
        let before = Telling::of(&operator).await?.roll();
        let begun = Instant::now();
        operator.kill()?;
        operator = Operator::launch(&world.setup("rollcall-0")).await?;
        times.push(says_the_same(&operator, &before, begun).await?);
    }
    operator.stop().await?;
    Ok(times)
}

async fn with_standby(world: &World, kills: usize) -> Result<Vec<Duration>> {
    let mut leader = world.operator("rollcall-0").await?;
    let mut times = Vec::new();
    for kill in 1..=kills {
        let standby = world.operator(&format!("rollcall-{kill}")).await?;
        world.settled().await?;
        let before = Telling::of(&leader).await?.roll();
        let begun = Instant::now();
        leader.kill()?;
        times.push(says_the_same(&standby, &before, begun).await?);
        leader = standby;
    }
    leader.stop().await?;
    Ok(times)
}

async fn says_the_same(
    operator: &Operator,
    before: &BTreeMap<String, f64>,
    begun: Instant,
) -> Result<Duration> {
    let what = format!("{} says of the fleet what was said before", operator.name());
    until(what, GIVEN_UP, async || {
        // It does not listen yet in its first moments.
        let now = Telling::of(operator).await.unwrap_or_default().roll();
        let differs = before.iter().find(|(series, value)| now.get(*series) != Some(value));
        Ok(match differs {
            None if now.len() == before.len() => Look::There(begun.elapsed()),
            None => Look::NotYet(format!("{} series, not {}", now.len(), before.len())),
            Some((series, value)) => Look::NotYet(format!("{series}: {:?}, not {value}", now.get(series))),
        })
    })
    .await
}
