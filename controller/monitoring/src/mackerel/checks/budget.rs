//! How many calls may be spent on checks now: a little every minute, in world time.

use jiff::Timestamp;

/// What is not spent is carried over for so many minutes, and no longer.
const CARRIED_MINUTES: i64 = 10;

/// An allowance that grows with time.
#[derive(Debug)]
pub(super) struct Budget {
    per_minute: i64,
    /// Sixtieths of a call, so that any pace is counted without rounding.
    sixtieths: i64,
    paid_until: Option<Timestamp>,
}

impl Budget {
    /// So many calls a minute; the first minute is there at once.
    pub(super) fn per_minute(calls: u32) -> Self {
        Self { per_minute: calls.into(), sixtieths: i64::from(calls) * 60, paid_until: None }
    }

    /// Pays in what has grown since the last time. A clock that went back pays nothing, and starts anew from there.
    pub(super) fn refill(&mut self, now: Timestamp) {
        let seconds = self.paid_until.map_or(0, |then| now.duration_since(then).as_secs()).max(0);
        let most = self.per_minute * 60 * CARRIED_MINUTES;
        self.sixtieths = self.sixtieths.saturating_add(seconds.saturating_mul(self.per_minute)).min(most);
        self.paid_until = Some(now);
    }

    /// Calls that may be made now.
    pub(super) fn calls(&self) -> i64 {
        self.sixtieths / 60
    }

    /// Takes one call, if there is one.
    pub(super) fn spend(&mut self) -> bool {
        let affordable = self.sixtieths >= 60;
        if affordable {
            self.sixtieths -= 60;
        }
        affordable
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn noon() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    proptest! {
        #[test]
        fn over_any_time_no_more_is_spent_than_was_allowed(per_minute in 0_u32..200, steps in prop::collection::vec(-100_i64..2_000, 0..40)) {
            let mut budget = Budget::per_minute(per_minute);
            let (mut now, mut spent, mut forward) = (noon(), 0, 0);
            for step in steps {
                now += SignedDuration::from_secs(step);
                forward += step.max(0);
                budget.refill(now);
                while budget.spend() {
                    spent += 1;
                }
            }
            prop_assert!(spent <= i64::from(per_minute) * (60 + forward) / 60);
        }
    }

    #[test]
    fn a_long_pause_carries_ten_minutes_and_no_more() {
        let mut budget = Budget::per_minute(60);
        budget.refill(noon());
        assert_eq!(budget.calls(), 60);
        budget.refill(noon() + SignedDuration::from_hours(48));
        assert_eq!(budget.calls(), 600);
    }
}
