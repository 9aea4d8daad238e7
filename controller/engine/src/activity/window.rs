//! Days, and the days that are asked for. All of them are UTC's, as CloudWatch's are at a period of 86,400 seconds.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::limits::ACTIVITY_SETTLES;

const SECONDS: i64 = 86_400;

/// No window has more days: the source keeps its hourly points for this long (`GetMetricData`, "retains metric data").
pub const MAX_DAYS: u16 = 455;

/// One day of UTC, midnight to midnight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Date", into = "Date")]
pub struct Day(i32);

impl Day {
    /// Before all others.
    pub const BEGINNING: Self = Self(i32::MIN);
    /// How long a day is: the source has no leap seconds.
    pub const LENGTH: SignedDuration = SignedDuration::from_secs(SECONDS);

    /// The day that a moment is in.
    #[must_use]
    pub fn of(moment: Timestamp) -> Self {
        // The calendar of a Timestamp has fewer than four million days.
        Self(i32::try_from(moment.as_second().div_euclid(SECONDS)).unwrap_or_default())
    }

    /// Its midnight, when it begins.
    #[must_use]
    pub fn begin(self) -> Timestamp {
        Timestamp::from_second(i64::from(self.0) * SECONDS).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }

    /// The day so many days later, or earlier.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Days from `other` to this one; less than none when that is later.
    #[must_use]
    pub fn days_since(self, other: Self) -> i32 {
        self.0.saturating_sub(other.0)
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        Self::of(date.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |midnight| midnight.timestamp()))
    }
}

impl From<Day> for Date {
    fn from(day: Day) -> Self {
        day.begin().to_zoned(TimeZone::UTC).date()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Date::from(*self))
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Some days in a row: at least one, at most [`MAX_DAYS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Window {
    first: Day,
    days: u16,
}

#[derive(Serialize, Deserialize)]
struct Written {
    first: Day,
    days: u16,
}

impl Window {
    /// The last `days` days that are whole at `now`, brought into range. A day is whole once it has been over for
    /// [`ACTIVITY_SETTLES`]: its last points come late.
    #[must_use]
    pub fn whole_days(now: Timestamp, days: u16) -> Self {
        let days = days.clamp(1, MAX_DAYS);
        let settled = now.checked_sub(ACTIVITY_SETTLES).unwrap_or(Timestamp::MIN);
        Self { first: Day::of(settled).plus(-i32::from(days)), days }
    }

    /// Its first day.
    #[must_use]
    pub fn first(&self) -> Day {
        self.first
    }

    /// Its last day.
    #[must_use]
    pub fn last(&self) -> Day {
        self.first.plus(i32::from(self.days) - 1)
    }

    /// How many days it has.
    #[must_use]
    pub fn days(&self) -> u16 {
        self.days
    }

    /// Is the day one of them?
    #[must_use]
    pub fn holds(&self, day: Day) -> bool {
        self.first <= day && day <= self.last()
    }

    /// All its days, the first one first.
    pub fn iter(&self) -> impl Iterator<Item = Day> + use<> {
        let first = self.first;
        (0..self.days).map(move |n| first.plus(i32::from(n)))
    }

    /// When it begins, and when it has ended.
    #[must_use]
    pub fn span(&self) -> (Timestamp, Timestamp) {
        (self.first.begin(), self.last().plus(1).begin())
    }
}

impl TryFrom<Written> for Window {
    type Error = String;
    fn try_from(Written { first, days }: Written) -> Result<Self, String> {
        if (1..=MAX_DAYS).contains(&days) {
            return Ok(Self { first, days });
        }
        Err(format!("a window of {days} days: expected 1 to {MAX_DAYS}"))
    }
}

impl From<Window> for Written {
    fn from(Window { first, days }: Window) -> Self {
        Self { first, days }
    }
}
