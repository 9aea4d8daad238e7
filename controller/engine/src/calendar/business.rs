//! Business days: how long a notice runs before anything may follow from it.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Holidays, local};

/// No notice runs for more business days; one that is asked for more is never due.
pub const MAX_BUSINESS_DAYS: u32 = 1_000;

/// Monday to Friday, without holidays, by the clocks of one zone.
#[derive(Clone, Debug, PartialEq)]
pub struct BusinessDays {
    zone: TimeZone,
    holidays: Holidays,
}

impl BusinessDays {
    /// Those of this zone.
    #[must_use]
    pub fn new(zone: TimeZone, holidays: Holidays) -> Self {
        Self { zone, holidays }
    }

    /// The moment at which so many whole business days have passed since `from`.
    ///
    /// From a business day it is the same time on the wall, so many business days later. Any other day does not count at all: from
    /// it, it runs as from 00:00 of the next business day. So it always falls on a business day.
    ///
    /// | from | days | is over |
    /// |---|---|---|
    /// | Monday 09:00 | 1 | Tuesday 09:00 |
    /// | Friday 18:00 | 3 | Wednesday 18:00 |
    /// | Friday 18:00, Monday a holiday | 3 | Thursday 18:00 |
    /// | Saturday 10:00, or Sunday 23:00 | 3 | Thursday 00:00: Monday, Tuesday and Wednesday have passed |
    /// | Saturday 10:00 | 0 | Monday 00:00 |
    ///
    /// It is never less than that many times 24 hours, so where clocks were set forward on a business day it is over by the hour
    /// that was skipped later, and if that is past the midnight of a Friday, on Monday. A time that comes twice is over when it comes for the second time, one that is skipped when clocks
    /// jump over it, and from within an hour that is repeated it runs as from that hour's end.
    ///
    /// `None` means never: more than [`MAX_BUSINESS_DAYS`], or after the end of the calendar.
    #[must_use]
    pub fn after(&self, from: Timestamp, days: u32) -> Option<Timestamp> {
        if days > MAX_BUSINESS_DAYS {
            return None;
        }
        let read = local::reading(&self.zone, from)?;
        let (first, time, begun) = if self.holds(read.date()) {
            (read.date(), read.time(), from)
        } else {
            let first = self.next(read.date())?;
            (first, Time::midnight(), self.begin(first)?)
        };
        let last = (0..days).try_fold(first, |day, _| self.next(day))?;
        let on_the_wall = local::last(&self.zone, last.to_datetime(time))?;
        let elapsed = begun.checked_add(SignedDuration::from_hours(24 * i64::from(days))).ok()?;
        let over = on_the_wall.max(elapsed);
        let shown = self.zone.to_datetime(over).date();
        if self.holds(shown) { Some(over) } else { self.begin(self.next(shown)?) }
    }

    /// Is it a business day?
    #[must_use]
    pub fn holds(&self, day: Date) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        !weekend && !self.holidays.contains(day) && local::has(&self.zone, day)
    }

    /// When a day begins.
    fn begin(&self, day: Date) -> Option<Timestamp> {
        local::first(&self.zone, day.to_datetime(Time::midnight()))
    }

    /// The first one after this day.
    fn next(&self, day: Date) -> Option<Date> {
        let later = std::iter::successors(day.tomorrow().ok(), |day| day.tomorrow().ok());
        later.take(super::MAX_HOLIDAYS * 2).find(|day| self.holds(*day))
    }
}
