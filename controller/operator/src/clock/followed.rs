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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::extract::State;
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::{Value, json};
    use tokio::net::TcpListener;

    use super::*;

    /// World time at a moment of ours, and its rate from then on.
    type World = Arc<Mutex<Sample>>;

    fn sample(world: &str, rate: f64) -> Sample {
        Sample { world: world.parse().unwrap(), rate, machine: Instant::now() }
    }

    async fn tell(State(world): State<World>) -> Json<Value> {
        let world = *world.lock();
        Json(json!({"now": extrapolate(&world, Instant::now()), "rate": world.rate}))
    }

    async fn serve(first: Sample) -> (World, String) {
        // The binary does it in its first lines; whichever test is first does it here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let world: World = Arc::new(Mutex::new(first));
        let router = Router::new().route("/_world/clock", get(tell)).with_state(Arc::clone(&world));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (world, base)
    }

    #[tokio::test]
    async fn it_runs_at_the_worlds_rate_jumps_with_it_and_never_goes_back() {
        let (world, base) = serve(sample("2026-11-23T10:00:00Z", 3_600.0)).await;
        let clock = FollowedClock::follow(&base).await.unwrap();
        let begun = Instant::now();
        clock.sleep(Duration::from_hours(1)).await;
        assert!(begun.elapsed() < Duration::from_mins(1), "an hour of that world is a second of ours");

        *world.lock() = sample("2026-12-01T00:00:00Z", 0.0);
        // However long, the jump ends it.
        clock.sleep(Duration::from_hours(1)).await;
        let jumped = clock.now();
        assert_eq!(jumped.to_string(), "2026-12-01T00:00:00Z");
        *world.lock() = sample("2026-11-01T00:00:00Z", 0.0);
        tokio::time::sleep(ASK_EVERY * 3).await;
        assert_eq!(clock.now(), jumped);
    }

    #[tokio::test]
    async fn without_a_first_answer_there_is_no_clock() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let error = FollowedClock::follow(&base).await.err().unwrap();
        assert!(format!("{error:#}").starts_with(&format!("world clock {base}/_world/clock")), "{error:#}");
    }
}
