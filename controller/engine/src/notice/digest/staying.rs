//! Hosts that were on their way, and stay: who, since which day, and why.

use std::sync::Arc;

use jiff::civil::Date;
use serde::Serialize;

use crate::retirement::Guard;

/// A host whose retirement was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Staying {
    /// Its name, or its id where it has none.
    pub name: Arc<str>,
    /// The day on which it ended.
    pub on: Date,
    /// Why.
    pub why: StaysFor,
}

/// Why a host stays, as far as people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StaysFor {
    /// A person said so.
    Person,
    /// Somebody keeps it.
    Keep,
    /// It is used.
    Use,
    /// Somebody started it.
    Start,
    /// It is protected.
    Protection,
    /// It is gone: somebody else removed it.
    Gone,
    /// Nothing allows it any more, or it was held up for too long.
    NotAllowed,
}

impl StaysFor {
    /// What the reason of a `Retirement` means: the name of a guard.
    #[must_use]
    pub fn of(reason: &str) -> Self {
        match Guard::ALL.iter().find(|guard| guard.name() == reason) {
            Some(Guard::Decision) => Self::Person,
            Some(Guard::Keep) => Self::Keep,
            Some(Guard::Idle) => Self::Use,
            Some(Guard::SameRun | Guard::SameStop) => Self::Start,
            Some(Guard::Protected) => Self::Protection,
            Some(Guard::Present | Guard::Incarnation) => Self::Gone,
            Some(_) | None => Self::NotAllowed,
        }
    }
}
