//! From times on the wall to moments, where clocks are set forward or back too.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// Changes of a zone that are looked at to find one that is known to be near: some change the name of the time only.
const NEAR: usize = 8;

/// The first moment at which the clocks show this time, or jump over it. Never earlier for a later time.
pub(super) fn first(zone: &TimeZone, time: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(time).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(time).ok(),
        AmbiguousOffset::Gap { after, .. } => jump(zone, time, after),
    }
}

/// The last moment at which the clocks show this time, or the one at which they jump over it. Never earlier for a later time.
pub(super) fn last(zone: &TimeZone, time: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Fold { after, .. } => after.to_timestamp(time).ok(),
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Gap { .. } => first(zone, time),
    }
}

/// The moment at which the clocks jump over this time, to an offset of `after`.
fn jump(zone: &TimeZone, time: DateTime, after: Offset) -> Option<Timestamp> {
    // By the offset that comes only later this is too early: before the jump.
    let before = after.to_timestamp(time).ok()?;
    let beyond =
        |change: &jiff::tz::TimeZoneTransition<'_>| change.offset().to_datetime(change.timestamp()) > time;
    zone.following(before).take(NEAR).find(beyond).map(|change| change.timestamp())
}

/// The latest time that the clocks have shown so far. That is what they show, but while they show again what they have shown
/// already: then it is the last nanosecond before they were set back. So it never falls.
pub(super) fn reading(zone: &TimeZone, now: Timestamp) -> Option<DateTime> {
    let shown = zone.to_datetime(now);
    let AmbiguousOffset::Fold { before, after } = zone.to_ambiguous_timestamp(shown).offset() else {
        return Some(shown);
    };
    if after.to_timestamp(shown).ok()? != now {
        return Some(shown);
    }
    let until = now.checked_add(jiff::SignedDuration::from_nanos(1)).ok()?;
    let set_back = zone
        .preceding(until)
        .take(NEAR)
        .map(|change| before.to_datetime(change.timestamp()))
        .find(|reached| *reached > shown)?;
    set_back.checked_sub(jiff::SignedDuration::from_nanos(1)).ok()
}

/// Does the zone have this day? Some have skipped one.
pub(super) fn has(zone: &TimeZone, day: Date) -> bool {
    first(zone, day.to_datetime(Time::midnight())).is_some_and(|begin| zone.to_datetime(begin).date() == day)
}
