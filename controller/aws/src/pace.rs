//! Our own rate limit, so that we leave most of an account's quota to its other tools.

use std::num::NonZeroU32;
use std::time::Instant;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;

type Limiter = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, StateInformationMiddleware>;

/// One bucket: a second's worth of calls, refilled evenly.
pub(crate) struct Pace {
    limiter: Limiter,
    clock: MonotonicClock,
    per_second: NonZeroU32,
    left: Mutex<(Instant, u32)>,
}

impl std::fmt::Debug for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pace({}/s)", self.per_second)
    }
}

impl Pace {
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        let clock = MonotonicClock;
        let limiter = RateLimiter::direct_with_clock(Quota::per_second(per_second), clock.clone())
            .with_middleware::<StateInformationMiddleware>();
        Self { limiter, clock, per_second, left: Mutex::new((Instant::now(), per_second.get())) }
    }

    /// Waits for a turn. Dropping the future gives nothing away.
    pub(crate) async fn turn(&self) {
        loop {
            match self.limiter.check() {
                Ok(state) => {
                    *self.left.lock() = (Instant::now(), state.remaining_burst_capacity());
                    return;
                }
                Err(wait) => tokio::time::sleep(wait.wait_time_from(self.clock.now())).await,
            }
        }
    }

    /// Calls that could be made now without waiting.
    pub(crate) fn tokens(&self) -> u32 {
        let (then, left) = *self.left.lock();
        // A bucket holds one second's worth: after a second it is full whatever was left.
        let gained = then.elapsed().as_millis().min(1_000) * u128::from(self.per_second.get()) / 1_000;
        left.saturating_add(u32::try_from(gained).unwrap_or(u32::MAX)).min(self.per_second.get())
    }

    pub(crate) fn per_second(&self) -> u32 {
        self.per_second.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_second_s_worth_goes_at_once_and_the_rest_waits() {
        let pace = Pace::new(NonZeroU32::new(20).unwrap());
        assert_eq!(pace.tokens(), 20);
        let began = Instant::now();
        for _ in 0..20 {
            pace.turn().await;
        }
        assert!(pace.tokens() < 20);
        for _ in 0..4 {
            pace.turn().await;
        }
        assert!(began.elapsed() >= Duration::from_millis(150), "{:?}", began.elapsed());
    }
}
