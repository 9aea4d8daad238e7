//! A token bucket, as AWS describes its own: it holds up to `burst` tokens, starts full, refills evenly.
//!
//! It reads no clock: the caller says what time it is, machine or world, in seconds since any fixed point.

/// One bucket. Tokens are fractional inside and whole when taken.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenBucket {
    burst: f64,
    refill_per_second: f64,
    tokens: f64,
    filled_at: f64,
}

impl TokenBucket {
    /// A full bucket of `burst` tokens at time `now` (seconds) that gains `refill_per_second`.
    #[must_use]
    pub fn full(burst: f64, refill_per_second: f64, now: f64) -> Self {
        Self { burst, refill_per_second, tokens: burst, filled_at: now }
    }

    /// Takes `tokens` if the bucket holds them at `now`; else takes nothing and says false.
    /// A `now` before the last one refills nothing.
    pub fn take(&mut self, tokens: f64, now: f64) -> bool {
        let passed = (now - self.filled_at).max(0.0);
        self.tokens = (self.tokens + passed * self.refill_per_second).min(self.burst);
        self.filled_at = self.filled_at.max(now);
        let enough = self.tokens >= tokens;
        if enough {
            self.tokens -= tokens;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_burst_empties_it_and_time_refills_it() {
        let mut bucket = TokenBucket::full(3.0, 2.0, 0.0);
        assert!((0..3).all(|_| bucket.take(1.0, 0.0)));
        assert!(!bucket.take(1.0, 0.4));
        assert!(bucket.take(1.0, 0.5));
        assert!(!bucket.take(4.0, 1000.0), "never more than its burst");
    }

    proptest! {
        /// Whatever the arrival times, no more is granted than burst + refill x time.
        #[test]
        fn grants_are_bounded(gaps in prop::collection::vec(0.0..2.0_f64, 1..200)) {
            let (mut now, mut granted) = (0.0, 0.0);
            let mut bucket = TokenBucket::full(5.0, 2.0, now);
            for gap in gaps {
                now += gap;
                if bucket.take(1.0, now) {
                    granted += 1.0;
                }
                prop_assert!(granted <= 5.0 + 2.0 * now + 1e-6);
            }
        }
    }
}
