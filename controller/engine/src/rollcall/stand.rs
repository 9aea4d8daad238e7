//! How a single check stands, where a system tells more of it than its name: does it run, do its results come in time,
//! and does anybody hear of its problems?
//!
//! What is not told is unknown. A red check is that system's news, and none of ours.

use jiff::Timestamp;

use super::Reason;
use super::reasons::Reasons;
use crate::ids::ObjectKey;
use crate::limits::DOWNTIME_PASSES;
use crate::reading::{Failure, FailureKind};
use crate::registry::Run;

/// How a check stands; the best first, as of two of the same name the better counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Stand {
    /// It runs, and problems of it notify. Also a check of which nothing but its name is told.
    Runs,
    /// Its downtime lasts for more than a day.
    InDowntime,
    /// Problems of it notify nobody.
    Mute,
    /// Its next result should have come.
    Overdue,
    /// The system does not run it and takes no results from outside.
    Idle,
    /// Nobody can tell.
    Unknown(Reason),
}

impl Stand {
    /// The stand of what was read at `at`, in a system of this name.
    pub(super) fn of(run: &Run, at: Timestamp, system: &ObjectKey, reasons: &mut Reasons) -> Self {
        let mut unknown = |what: &str| {
            Self::Unknown(
                reasons.number(&Failure::new(FailureKind::NotSupported, format!("{system}: {what}"))),
            )
        };
        match (run.is_run, run.is_late, run.notifies, run.in_downtime, run.downtime_until) {
            (Some(false), ..) => Self::Idle,
            (_, Some(true), ..) => Self::Overdue,
            (_, _, Some(false), ..) => Self::Mute,
            (_, _, _, Some(true), Some(until)) if lasts(until, at) => Self::InDowntime,
            (None, ..) => unknown("it is not told whether a check runs"),
            (_, None, ..) => unknown(
                "results of a check come from outside or on demand, and nothing says when one is overdue; set check_freshness \
                 and freshness_threshold",
            ),
            (_, _, None, ..) => unknown("it is not told whether problems of a check notify"),
            (_, _, _, None, _) => unknown("it is not told whether a check is in a downtime"),
            (_, _, _, Some(true), None) => unknown("it is not told when the downtime of a check ends"),
            (Some(true), Some(false), Some(true), Some(_), _) => Self::Runs,
        }
    }
}

impl Stand {
    /// What is wrong with it, for a message that begins with its name.
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::InDowntime => "is in a downtime that lasts for more than a day",
            Self::Mute => "notifies nobody of its problems",
            Self::Overdue => "has had no result in time",
            Self::Idle => "is neither run nor takes results from outside",
            Self::Unknown(_) => "cannot be judged",
        }
    }
}

/// A downtime that is over within a day is maintenance, and no news.
fn lasts(until: Timestamp, at: Timestamp) -> bool {
    until.duration_since(at) > DOWNTIME_PASSES
}
