//! A clock that follows the one of a fake world over HTTP, for tests and the demo. A release build refuses it.
//!
//! It must never stop the operator: while the fake world cannot be asked, its time runs on at the last known rate.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::WorldClock;

/// How often the fake world is asked, machine time: how late a jump of its clock is seen.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// An answer that takes longer counts as none.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// However fast the world runs, nobody is woken more often than this, machine time.
const SHORTEST_SLEEP: Duration = Duration::from_millis(200);

/// What the fake world said, and when.
#[derive(Clone, Copy, Debug)]
struct Sample {
    world: Timestamp,
    rate: f64,
    machine: Instant,
}

#[derive(Deserialize)]
struct Answer {
    now: Timestamp,
    rate: f64,
}

/// Follows `GET URL/_world/clock` → `{"now": RFC 3339, "rate": world seconds per machine second}`.
pub struct FollowedClock {
    sample: watch::Receiver<Sample>,
    /// The latest time told to anybody: a corrected sample must not take us back.
    told: Mutex<Timestamp>,
}

impl FollowedClock {
    /// Asks once, then keeps asking until the clock is dropped.
    ///
    /// # Errors
    /// When the first answer does not come: without it there is no time at all.
    pub async fn follow(base: &str) -> anyhow::Result<Self> {
        let url = format!("{}/_world/clock", base.trim_end_matches('/'));
        let client = reqwest::Client::builder().timeout(ANSWER_WITHIN).build()?;
        let first = ask(&client, &url).await.with_context(|| format!("world clock {url}"))?;
        let (tell, sample) = watch::channel(first);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = tell.closed() => return,
                    () = tokio::time::sleep(ASK_EVERY) => {}
                }
                match ask(&client, &url).await {
                    Ok(answer) => drop(tell.send(answer)),
                    Err(error) => {
                        tracing::debug!(%url, %error, "world clock does not answer; its time runs on");
                    }
                }
            }
        });
        Ok(Self { sample, told: Mutex::new(first.world) })
    }
}

async fn ask(client: &reqwest::Client, url: &str) -> anyhow::Result<Sample> {
    let answer: Answer = client.get(url).send().await?.error_for_status()?.json().await?;
    ensure!(answer.rate.is_finite() && answer.rate >= 0.0, "rate: expected 0 or more, found {}", answer.rate);
    Ok(Sample { world: answer.now, rate: answer.rate, machine: Instant::now() })
}

fn extrapolate(sample: &Sample, machine: Instant) -> Timestamp {
    let passed = machine.saturating_duration_since(sample.machine).as_secs_f64() * sample.rate;
    let passed = SignedDuration::try_from_secs_f64(passed).unwrap_or(SignedDuration::ZERO);
    sample.world.checked_add(passed).unwrap_or(sample.world)
}

#[async_trait]
impl WorldClock for FollowedClock {
    fn now(&self) -> Timestamp {
        let now = extrapolate(&self.sample.borrow(), Instant::now());
        let mut told = self.told.lock();
        *told = now.max(*told);
        *told
    }

    async fn sleep(&self, span: Duration) {
        let begun = Instant::now();
        let due = self.now().checked_add(span).unwrap_or(Timestamp::MAX);
        // A world that stands still must not stop the operator: machine time counts too.
        let latest = begun + span.max(SHORTEST_SLEEP);
        tokio::time::sleep(SHORTEST_SLEEP).await;
        let mut samples = self.sample.clone();
        while self.now() < due && Instant::now() < latest {
            tokio::select! {
                () = tokio::time::sleep_until(latest.min(Instant::now() + SHORTEST_SLEEP)) => {}
                _ = samples.changed() => {}
            }
        }
    }
}
