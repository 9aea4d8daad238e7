//! World time: what decisions and the pace of polls go by. Leases and timeouts go by the machine's own clock.
//!
//! No decision may read the time from anywhere else; that is what lets a fake world run faster than ours.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

#[cfg(feature = "test-clock")]
mod followed;
#[cfg(feature = "test-clock")]
pub use followed::FollowedClock;

/// The one clock of all decisions.
#[async_trait]
pub trait WorldClock: Send + Sync + 'static {
    /// World time, never going back.
    fn now(&self) -> Timestamp;
    /// Returns when so much world time has passed.
    async fn sleep(&self, span: Duration);
}

/// A shared clock.
pub type Clock = Arc<dyn WorldClock>;

/// World time is the machine's time: every real installation.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachineClock;

#[async_trait]
impl WorldClock for MachineClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}
