//! "Something changed": many may say it, one loop hears it. Level-triggered, so nothing about the change is said.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

/// After a change, more are awaited until it has been quiet for this long…
const QUIET: Duration = Duration::from_millis(200);

/// …but never for longer than this: a world that never rests must still be judged.
const LATEST: Duration = Duration::from_secs(1);

/// A bell with one listener.
#[derive(Debug, Default)]
pub struct Trigger(Notify);

impl Trigger {
    /// Says that something changed.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Returns when something has changed and the rest of a burst has come.
    pub async fn heard(&self) {
        self.0.notified().await;
        let latest = Instant::now() + LATEST;
        while let Ok(Ok(())) = timeout_at(latest, timeout(QUIET, self.0.notified())).await {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // In real time: what is promised are lower bounds, and an upper one with much room.
    #[tokio::test]
    async fn a_burst_is_heard_once_and_a_storm_within_a_second_or_so() {
        let trigger = Trigger::default();
        trigger.ring();
        let begun = Instant::now();
        trigger.heard().await;
        assert!(begun.elapsed() >= QUIET);

        let begun = Instant::now();
        tokio::select! {
            () = trigger.heard() => {}
            () = async { loop { trigger.ring(); tokio::time::sleep(Duration::from_millis(20)).await } } => {}
        }
        assert!(begun.elapsed() >= LATEST && begun.elapsed() < LATEST * 10, "{:?}", begun.elapsed());
    }
}
