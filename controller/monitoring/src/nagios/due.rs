//! By when the next result of a check should have come.
//!
//! `last_check` alone does not tell: when a service that is reported from outside falls silent, Nagios itself runs its
//! command ("no result") and that renews `last_check`; and a check outside its check period rightly waits for days.

use jiff::{SignedDuration, Timestamp};

use super::record::{Definition, Status, Terms};

/// Intervals that an active check may miss: one is latency, two are a busy queue, three are a check that does not run.
const MISSED: i32 = 3;
/// A planned next check is believed no further ahead of the last one: check periods repeat weekly.
const PLANNED_AHEAD: SignedDuration = SignedDuration::from_hours(8 * 24);
/// What Nagios adds to a threshold it works out itself (`additional_freshness_latency`).
const ADDED: SignedDuration = SignedDuration::from_secs(15);

/// By when the next result should have come, if anything says so.
pub(super) fn due<S>(
    definition: &Definition,
    status: &Status<S>,
    terms: &Terms,
    started: Option<Timestamp>,
) -> Option<Timestamp> {
    let interval = definition.interval.and_then(|hundredths| {
        let millis = i64::try_from(terms.interval_length.as_millis()).ok()?;
        hundredths.checked_mul(millis).map(|m| SignedDuration::from_millis(m / 100))
    });
    // Never checked: as if it had been when the program began.
    let last = status.last_check.or(started)?;
    match (status.active?, status.passive) {
        (true, _) if status.scheduled != Some(false) => scheduled(last, interval?, status.next_check),
        (true, _) | (false, None | Some(false)) => None,
        (false, Some(true)) => reported(last, interval, definition, status),
    }
}

fn scheduled(last: Timestamp, interval: SignedDuration, next: Option<Timestamp>) -> Option<Timestamp> {
    if !interval.is_positive() {
        return None;
    }
    let missed = |from: Timestamp, times: i32| {
        interval.checked_mul(times).and_then(|late| from.checked_add(late).ok())
    };
    let by_last = missed(last, MISSED)?;
    let planned = next.map(|next| next.min(last.saturating_add(PLANNED_AHEAD).unwrap_or(next)));
    let by_plan = planned.and_then(|planned| missed(planned, MISSED - 1));
    Some(by_plan.map_or(by_last, |by_plan| by_plan.max(by_last)))
}

fn reported<S>(
    last: Timestamp,
    interval: Option<SignedDuration>,
    definition: &Definition,
    status: &Status<S>,
) -> Option<Timestamp> {
    if definition.freshness != Some(true) {
        return None;
    }
    if status.checked == Some(true) && status.by_active == Some(true) {
        // The last result is Nagios' own "nobody reports": it was overdue then.
        return Some(last);
    }
    let threshold = match definition.threshold? {
        0 => interval?.checked_add(ADDED)?,
        seconds => SignedDuration::from_secs(seconds),
    };
    last.checked_add(threshold).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nagios::told::ServiceState;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_400_000 + seconds).unwrap()
    }

    const HOUR: i64 = 3_600;

    /// Active every 5 minutes, checked at 0, next at 300.
    fn active() -> (Definition, Status<ServiceState>) {
        let definition = Definition { interval: Some(500), freshness: Some(false), ..Definition::default() };
        let status = Status {
            active: Some(true),
            passive: Some(true),
            checked: Some(true),
            scheduled: Some(true),
            by_active: Some(true),
            last_check: Some(at(0)),
            next_check: Some(at(300)),
            ..Status::default()
        };
        (definition, status)
    }

    /// Reported from outside, threshold 40 s, heard at 0.
    fn passive() -> (Definition, Status<ServiceState>) {
        let (definition, status) = active();
        let definition = Definition { freshness: Some(true), threshold: Some(40), ..definition };
        let (active, scheduled, by_active) = (Some(false), Some(false), Some(false));
        (definition, Status { active, scheduled, by_active, next_check: None, ..status })
    }

    /// When it is due, in seconds after 0, after `change`; the program began at -1000.
    fn of(
        (mut definition, mut status): (Definition, Status<ServiceState>),
        change: impl FnOnce(&mut Definition, &mut Status<ServiceState>),
    ) -> Option<i64> {
        change(&mut definition, &mut status);
        let due = due(&definition, &status, &Terms::default(), Some(at(-1_000)));
        due.map(|due| due.as_second() - at(0).as_second())
    }

    #[test]
    fn an_active_check_may_miss_two_intervals_and_wait_for_its_period() {
        assert_eq!(of(active(), |_, _| {}), Some(900));
        let monday = 63 * HOUR;
        assert_eq!(of(active(), |_, s| s.next_check = Some(at(monday))), Some(monday + 600));
        let never = 10_000 * HOUR;
        assert_eq!(of(active(), |_, s| s.next_check = Some(at(never))), Some(8 * 24 * HOUR + 600));
        assert_eq!(of(active(), |_, s| (s.last_check, s.next_check) = (None, None)), Some(-100));
        assert_eq!(of(active(), |_, s| s.scheduled = Some(false)), None, "on demand only");
        assert_eq!(of(active(), |d, _| d.interval = Some(0)), None);
        assert_eq!(of(active(), |d, _| d.interval = None), None);
        assert_eq!(of(active(), |d, _| d.interval = Some(i64::MAX)), None);
        assert_eq!(of(active(), |_, s| s.active = None), None);
    }

    #[test]
    fn a_reported_check_is_due_by_its_threshold() {
        assert_eq!(of(passive(), |_, _| {}), Some(40));
        assert_eq!(of(passive(), |d, _| d.threshold = Some(0)), Some(315), "as Nagios works it out");
        assert_eq!(of(passive(), |_, s| (s.last_check, s.checked) = (None, Some(false))), Some(-960));
        assert_eq!(of(passive(), |d, _| d.freshness = Some(false)), None, "nothing says when");
        assert_eq!(of(passive(), |d, _| d.freshness = None), None);
        assert_eq!(of(passive(), |_, s| s.passive = Some(false)), None, "nobody checks it");
    }

    #[test]
    fn nagios_own_result_of_silence_is_no_report() {
        assert_eq!(of(passive(), |_, s| s.by_active = Some(true)), Some(0));
    }
}
