//! What is known of a host's use: the verdict of a rule, put so that a gate can ask from when on it holds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::activity::Day;
use crate::lean::{self, Doubt};
use crate::reading::FailureKind;

/// The verdict on one host over one span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Use {
    /// Every metric that it can have was read without a hole, and none shows use.
    #[serde(rename_all = "camelCase")]
    Idle {
        /// From when on.
        since: Timestamp,
        /// Up to the newest datum.
        until: Timestamp,
    },
    /// Something shows use.
    Active,
    /// It cannot be said. Never idle.
    Unknown(FailureKind),
}

impl Use {
    /// A verdict on whole days, the last of which is `until`. What nobody may act on, for the rule or what it saw is too weak, is
    /// not known.
    #[must_use]
    pub fn of(verdict: &lean::Use, until: Day) -> Self {
        match verdict {
            lean::Use::Active(_) => Self::Active,
            lean::Use::Idle(idle) if idle.weak.is_empty() => {
                Self::Idle { since: idle.since.begin(), until: until.plus(1).begin() }
            }
            lean::Use::Idle(_) => Self::Unknown(FailureKind::NotSupported),
            lean::Use::Unknown(Doubt::NotRead(_, why)) => Self::Unknown(*why),
            lean::Use::Unknown(_) => Self::Unknown(FailureKind::NotYetRead),
        }
    }
}
