//! One fact that was read live, and whether it is known at all.

use jiff::{SignedDuration, Timestamp};

use crate::reading::{FailureKind, Reading};

/// A fact as it was read. Unknown is not a value: who needs it is held up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact<T> {
    /// It was read, wholly, and is this.
    Known(T),
    /// It could not be read, or only in part, or too long ago.
    Unknown(FailureKind),
}

impl<T> Fact<T> {
    /// What a listing tells, if it is complete and fresh.
    pub fn of<U>(
        reading: &Reading<U>,
        now: Timestamp,
        max_age: SignedDuration,
        look: impl FnOnce(&U) -> T,
    ) -> Self {
        match reading.complete(now, max_age) {
            Some(complete) => Self::Known(look(complete.all())),
            None => Self::Unknown(reading.blindness(now, max_age).map_or(FailureKind::Stale, |why| why.kind)),
        }
    }

    /// The value, if it is known.
    #[must_use]
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Is it known, and so?
    pub fn is(&self, holds: impl FnOnce(&T) -> bool) -> bool {
        self.known().is_some_and(holds)
    }
}
