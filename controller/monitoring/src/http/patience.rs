//! How often we ask, how long we wait, and when we give up.
//!
//! Waiting is machine time. A server that asks to be left alone is left alone, but never for longer than
//! [`MAX_QUIET`]: a header must not be able to blind us for a year.

use std::num::NonZeroU32;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use jiff::Timestamp;

/// The longest that a `Retry-After` keeps us from asking again.
pub const MAX_QUIET: Duration = Duration::from_mins(10);

/// A token bucket for calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Calls gained per second.
    pub per_second: NonZeroU32,
    /// Calls at once.
    pub burst: NonZeroU32,
}

impl Default for Pace {
    /// 5 a second, 10 at once: Mackerel documents no limit for reads, so this is courtesy.
    fn default() -> Self {
        let of = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self { per_second: of(5), burst: of(10) }
    }
}

/// How long one call is worth our while, all attempts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Attempts, the first one included.
    pub attempts: usize,
    /// The pause before the second attempt; it doubles, with jitter.
    pub first_pause: Duration,
    /// No attempt begins later than this after the first.
    pub total: Duration,
    /// One attempt, from its first byte to its last.
    pub attempt: Duration,
    /// Until the connection stands.
    pub connect: Duration,
}

impl Default for Patience {
    /// 4 attempts within a minute, each up to 30 s as Mackerel's own client has it.
    fn default() -> Self {
        Self {
            attempts: 4,
            first_pause: Duration::from_millis(500),
            total: Duration::from_mins(1),
            attempt: Duration::from_secs(30),
            connect: Duration::from_secs(10),
        }
    }
}

impl Patience {
    /// The pauses between attempts: doubling, with jitter, at most 20 s.
    pub(super) fn pauses(&self) -> ExponentialBackoff {
        ExponentialBuilder::default()
            .with_min_delay(self.first_pause)
            .with_max_delay(Duration::from_secs(20))
            .with_max_times(self.attempts.saturating_sub(1))
            .with_jitter()
            .build()
    }
}

/// `Retry-After`: seconds, or a date; at most [`MAX_QUIET`], so that no sum with it is beyond what a duration can hold.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let asked = if let Ok(seconds) = value.parse() {
        Duration::from_secs(seconds)
    } else {
        let until = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
        Duration::try_from(until.duration_since(now)).unwrap_or_default()
    };
    Some(asked.min(MAX_QUIET))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_never_negative_and_bounded() {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        for (value, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Mon, 23 Nov 2026 12:00:30 GMT", Some(30)),
            ("Mon, 23 Nov 2026 11:00:00 GMT", Some(0)),
            ("18446744073709551615", Some(600)),
            ("Wed, 01 Dec 2100 00:00:00 GMT", Some(600)),
            ("soon", None),
            ("-3", None),
            ("1e9", None),
        ] {
            assert_eq!(retry_after(value, now), expected.map(Duration::from_secs), "{value:?}");
        }
    }

    #[test]
    fn pauses_grow_with_jitter_and_end() {
        let pauses: Vec<_> = Patience::default().pauses().collect();
        assert_eq!(pauses.len(), 3);
        for (n, pause) in (0..).zip(&pauses) {
            let least = Duration::from_millis(500 << n);
            assert!((least..=least * 2).contains(pause), "pause {n} is {pause:?}");
        }
    }
}
