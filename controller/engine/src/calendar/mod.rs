//! When an act may happen ([`Windows`]), and when a notice has run ([`BusinessDays`]), by the clocks on the wall of one place.
//!
//! Pure: the moment is given, the time zone is a value (from the bundled database, so that every machine says the same), and
//! nothing here asks what time it is. Where clocks are set forward or back there is more than one way to read what was
//! written; here it is always the one in which **fewer moments are open and a notice runs longer**. What cannot be told is
//! closed, and never due.
//!
//! How a written time becomes a moment, in short (the rules stand where they are applied):
//! - a time that is skipped stands for the moment at which the clocks jump over it;
//! - of a time that comes twice, a window begins at the second and ends at the first, and a notice is due at the second;
//! - a day that is skipped (Apia, 2011-12-30) has no window and is no business day.

mod business;
mod local;
mod windows;

use std::collections::BTreeSet;

use jiff::civil::{Date, Time};

pub use business::{BusinessDays, MAX_BUSINESS_DAYS};
pub use windows::{Closed, Window, Windows};

/// No calendar has more windows; Karpenter's budgets have the same bound.
pub const MAX_WINDOWS: usize = 50;

/// No calendar has more holidays: a country has some twenty a year, so this is many years of them, or of a company's own.
pub const MAX_HOLIDAYS: usize = 400;

/// What cannot be a calendar. Each says what was expected, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A window that begins on no day.
    #[error("a window: expected at least one day of the week, found none")]
    NoWeekday,
    /// A window that ends when it begins: it could mean never, or all day long.
    #[error(
        "a window: expected two different times, found {0} twice; a whole day is two windows, 00:00 to 12:00 and 12:00 to 00:00"
    )]
    NoLength(Time),
    /// See [`MAX_WINDOWS`].
    #[error("expected at most {MAX_WINDOWS} windows, found {0}")]
    TooManyWindows(usize),
    /// See [`MAX_HOLIDAYS`].
    #[error("expected at most {MAX_HOLIDAYS} holidays, found {0}")]
    TooManyHolidays(usize),
}

/// Days on which nothing is done, and no notice runs. They are days of the calendar, midnight to midnight in whatever zone they
/// are used in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays(BTreeSet<Date>);

impl Holidays {
    /// These days; one that is named twice counts once.
    ///
    /// # Errors
    /// When there are more than [`MAX_HOLIDAYS`].
    pub fn new(days: impl IntoIterator<Item = Date>) -> Result<Self, Refused> {
        let mut all = BTreeSet::new();
        for day in days {
            all.insert(day);
            if all.len() > MAX_HOLIDAYS {
                return Err(Refused::TooManyHolidays(all.len()));
            }
        }
        Ok(Self(all))
    }

    /// Is it one?
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.0.contains(&day)
    }

    /// The holiday of which this is the eve.
    #[must_use]
    pub fn eve_of(&self, day: Date) -> Option<Date> {
        day.tomorrow().ok().filter(|next| self.contains(*next))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
