//! Allow windows: an act may happen only inside one, and without any it may never happen.

use std::fmt;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Holidays, MAX_WINDOWS, Refused, local};

/// Times on the wall, on some days of the week.
///
/// It belongs to the day on which it begins. When `to` is not after `from` it ends on the next day: 22:00 to 02:00, or 22:00 to
/// 00:00 for "until midnight".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// One bit for each day, Monday the lowest.
    days: u8,
    from: Time,
    to: Time,
}

impl Window {
    /// From `from` up to `to`, which is not part of it, on each of these days.
    ///
    /// # Errors
    /// When it has no day, or the two times are the same.
    pub fn new(days: impl IntoIterator<Item = Weekday>, from: Time, to: Time) -> Result<Self, Refused> {
        let days = days.into_iter().fold(0, |days, day| days | bit(day));
        if days == 0 {
            return Err(Refused::NoWeekday);
        }
        if from == to {
            return Err(Refused::NoLength(from));
        }
        Ok(Self { days, from, to })
    }

    /// Does one begin on this day of the week?
    #[must_use]
    pub fn begins_on(self, day: Date) -> bool {
        self.days & bit(day.weekday()) != 0
    }

    /// When it begins, by the clock.
    #[must_use]
    pub fn from(self) -> Time {
        self.from
    }

    /// When it ends, by the clock: on the same day, or on the next one.
    #[must_use]
    pub fn to(self) -> Time {
        self.to
    }

    /// Does it end on the day after the one on which it begins?
    #[must_use]
    pub fn crosses_midnight(self) -> bool {
        self.to < self.from
    }
}

impl Default for Window {
    /// Monday to Thursday, 10:00 to 16:00: people are there, and will be on the day after.
    fn default() -> Self {
        let days = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday];
        let days = days.into_iter().fold(0, |days, day| days | bit(day));
        Self { days, from: Time::constant(10, 0, 0, 0), to: Time::constant(16, 0, 0, 0) }
    }
}

fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}

/// When acts may happen in one place.
///
/// One opening is what a window makes of one day. Of the moments that it could mean it takes the fewer:
/// - It is closed on holidays and on their eves. A window that would begin on such a day does not open, and one that runs into
///   such a day ends at its midnight.
/// - Clocks set forward: what is skipped is not open, and the end stays where it is written. 01:30 to 03:30 lasts one hour
///   when 02:00 is followed by 03:00, and 02:15 to 02:45 does not open on that day.
/// - Clocks set back: it opens once, at the second of two beginnings, and closes at the first of two ends, or once it has been
///   open for as long as is written. Where 01:00 to 02:00 comes twice, 00:30 to 01:30 ends at the first 01:30; 01:30 to 02:30
///   begins at the second 01:30; 01:15 to 01:45 opens in the second hour only; and 00:30 to 03:00 closes two and a half hours
///   after it has opened, when clocks show 02:00.
/// - A day that the zone skips has no window.
#[derive(Clone, Debug, PartialEq)]
pub struct Windows {
    zone: TimeZone,
    allowed: Vec<Window>,
    holidays: Holidays,
}

/// From `begin` up to `end`, which is not part of it.
struct Opening {
    begin: Timestamp,
    end: Timestamp,
}

impl Opening {
    fn holds(&self, moment: Timestamp) -> bool {
        self.begin <= moment && moment < self.end
    }
}

impl Windows {
    /// A stretch that is open for longer than this is told to close at least this far ahead.
    const FORESIGHT: SignedDuration = SignedDuration::from_hours(14 * 24);

    /// These windows, on the clocks of `zone`. With none of them it is never open.
    ///
    /// # Errors
    /// When there are more than [`MAX_WINDOWS`].
    pub fn new(zone: TimeZone, windows: Vec<Window>, holidays: Holidays) -> Result<Self, Refused> {
        if windows.len() > MAX_WINDOWS {
            return Err(Refused::TooManyWindows(windows.len()));
        }
        Ok(Self { zone, allowed: windows, holidays })
    }

    /// The default window alone.
    #[must_use]
    pub fn default_in(zone: TimeZone) -> Self {
        Self { zone, allowed: vec![Window::default()], holidays: Holidays::default() }
    }

    /// The same, closed on these days and on their eves.
    #[must_use]
    pub fn with_holidays(self, holidays: Holidays) -> Self {
        Self { holidays, ..self }
    }

    /// May an act happen now?
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.end_at(now).is_some()
    }

    /// When an act may happen next: now, if it is open. `None` means never: the search ends only where nothing can come any
    /// more, or with the calendar.
    #[must_use]
    pub fn next_opening(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_open(now) {
            return Some(now);
        }
        // Each window comes every week. A holiday closes two days, so it can take two of these weeks away; the weeks that clocks
        // or skipped days take away are a few in a lifetime.
        let weeks = self.holidays.len().saturating_mul(2).saturating_add(8);
        let days = self.zone.to_datetime(now).date().series(jiff::Span::new().days(1));
        days.take(weeks.saturating_mul(7)).find_map(|day| {
            self.openings(day).map(|opening| opening.begin).filter(|begin| *begin > now).min()
        })
    }

    /// When it closes, if it is open. Windows that follow one another without a pause are one. Further away than two weeks
    /// it is told to close in two weeks: never later than it does.
    #[must_use]
    pub fn closes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let mut end = self.end_at(now)?;
        while end.duration_since(now) < Self::FORESIGHT {
            match self.end_at(end) {
                Some(later) => end = later,
                None => break,
            }
        }
        Some(end)
    }

    /// Why no act may happen, or `None` when it is open.
    #[must_use]
    pub fn why_closed(&self, now: Timestamp) -> Option<Closed> {
        if self.is_open(now) {
            return None;
        }
        if self.allowed.is_empty() {
            return Some(Closed::NoWindow);
        }
        let shown = self.zone.to_datetime(now);
        let (today, time) = (shown.date(), shown.time());
        let began_yesterday: Vec<&Window> = today.yesterday().map_or_else(
            |_| Vec::new(),
            |day| self.allowed.iter().filter(|w| w.begins_on(day) && w.crosses_midnight()).collect(),
        );
        let of_yesterday =
            || today.yesterday().ok().filter(|_| began_yesterday.iter().any(|window| time < window.to));
        let closed = self.closed_day(today).or_else(|| self.closed_day(of_yesterday()?));
        let some_today = self.allowed.iter().any(|window| window.begins_on(today));
        Some(closed.unwrap_or(if some_today || !began_yesterday.is_empty() {
            Closed::Hour(time)
        } else {
            Closed::Weekday(today.weekday())
        }))
    }

    /// Why nothing may happen on this day whatever the hour.
    fn closed_day(&self, day: Date) -> Option<Closed> {
        if self.holidays.contains(day) {
            return Some(Closed::Holiday(day));
        }
        self.holidays.eve_of(day).map(Closed::Eve)
    }

    /// The end of the opening that holds this moment; of several the latest.
    fn end_at(&self, moment: Timestamp) -> Option<Timestamp> {
        let today = self.zone.to_datetime(moment).date();
        let days = [today.yesterday().ok(), Some(today)];
        let openings = days.into_iter().flatten().flat_map(|day| self.openings(day));
        openings.filter(|opening| opening.holds(moment)).map(|opening| opening.end).max()
    }

    /// All that begin on this day.
    fn openings(&self, day: Date) -> impl Iterator<Item = Opening> {
        let begins = move |window: &&Window| window.begins_on(day) && self.closed_day(day).is_none();
        self.allowed.iter().filter(begins).filter_map(move |window| self.opening(*window, day))
    }

    /// What this window makes of a day on which it begins.
    fn opening(&self, window: Window, day: Date) -> Option<Opening> {
        let next = day.tomorrow().ok()?;
        let from = day.to_datetime(window.from);
        let to = if window.crosses_midnight() { next } else { day }.to_datetime(window.to);
        if !local::has(&self.zone, day) {
            return None;
        }
        let begin = local::last(&self.zone, from)?;
        let ends = [local::first(&self.zone, to)?, local::last(&self.zone, to)?];
        let written = begin.checked_add(to.duration_since(from)).ok()?;
        let mut end = ends.into_iter().find(|end| *end > begin)?.min(written);
        if window.crosses_midnight() && self.closed_day(next).is_some() {
            end = end.min(local::first(&self.zone, next.to_datetime(Time::midnight()))?);
        }
        (begin < end).then_some(Opening { begin, end })
    }
}

/// Why no act may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// There is no window at all.
    NoWindow,
    /// None on this day of the week.
    Weekday(Weekday),
    /// None at this time of the day, which has some.
    Hour(Time),
    /// This day, today or the one on which the window began, is a holiday.
    Holiday(Date),
    /// This holiday comes on the day after.
    Eve(Date),
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWindow => f.write_str("there is no window, so nothing is ever done"),
            Self::Weekday(day) => write!(f, "no window on a {}", name(*day)),
            Self::Hour(time) => write!(f, "no window at {}", time.strftime("%H:%M")),
            Self::Holiday(day) => write!(f, "{day} is a holiday"),
            Self::Eve(day) => write!(f, "the day before a holiday, {day}"),
        }
    }
}

fn name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}
