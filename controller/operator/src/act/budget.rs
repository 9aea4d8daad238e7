//! How fast we write: one bucket for everything, so that 20,000 first writes are minutes and not a storm.

use std::num::NonZeroU32;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// The write budget of this replica.
pub struct Budget(DefaultDirectRateLimiter);

impl Budget {
    /// So many writes a second; a quarter of a second's worth may come at once.
    #[must_use]
    pub fn per_second(writes: u32) -> Self {
        let rate = NonZeroU32::new(writes).unwrap_or(NonZeroU32::MIN);
        let burst = NonZeroU32::new(writes / 4).unwrap_or(NonZeroU32::MIN);
        Self(RateLimiter::direct(Quota::per_second(rate).allow_burst(burst)))
    }

    /// Returns when one more write may begin. Nothing is spent when the call is given up.
    pub async fn spend(&self) {
        self.0.until_ready().await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[tokio::test]
    async fn forty_writes_at_a_hundred_a_second_take_their_time() {
        let budget = Budget::per_second(100);
        let begun = Instant::now();
        for _ in 0..40 {
            budget.spend().await;
        }
        // 25 at once, 15 at ten milliseconds each; only the lower bound can be promised.
        assert!(begun.elapsed() >= Duration::from_millis(140), "{:?}", begun.elapsed());
    }
}
