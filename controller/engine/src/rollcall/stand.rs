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
use crate::registry::{Program, Run};

/// The system in which a check stands, as far as it decides about all of its checks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stage<'a> {
    pub(super) key: &'a ObjectKey,
    /// When its checks were read.
    pub(super) at: Timestamp,
    /// Whether anybody is notified of anything.
    notifies: Switch,
    /// Whether its checks run at all.
    runs: Switch,
}

/// A switch of a whole program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Switch {
    /// The product has none.
    None,
    On,
    Off,
    Untold,
}

impl Switch {
    fn of(program: Option<&Program>, told: impl Fn(&Program) -> Option<bool>) -> Self {
        match program.map(told) {
            None => Self::None,
            Some(None) => Self::Untold,
            Some(Some(true)) => Self::On,
            Some(Some(false)) => Self::Off,
        }
    }
}

impl<'a> Stage<'a> {
    /// Where hosts themselves are checked.
    pub(super) fn of_hosts(key: &'a ObjectKey, at: Timestamp, program: Option<&Program>) -> Self {
        let runs = Switch::of(program, |program| program.checks_hosts);
        Self { key, at, notifies: Switch::of(program, |program| program.notifies), runs }
    }

    /// Where services are checked.
    pub(super) fn of_services(key: &'a ObjectKey, at: Timestamp, program: Option<&Program>) -> Self {
        let runs = Switch::of(program, |program| program.checks_services);
        Self { key, at, notifies: Switch::of(program, |program| program.notifies), runs }
    }
}

/// How a check stands; the best first, as of two of the same name the better counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Stand {
    /// It runs, and problems of it notify. Also a check of which nothing but its name is told.
    Runs,
    /// Its downtime lasts for more than a day.
    InDowntime,
    /// Problems of it notify nobody.
    Mute,
    /// The whole program is switched off: that is one finding, whatever else is wrong with the check.
    Off,
    /// Its next result should have come.
    Overdue,
    /// The system does not run it and takes no results from outside.
    Idle,
    /// Nobody can tell.
    Unknown(Reason),
}

impl Stand {
    /// The stand of a check on this stage.
    pub(super) fn of(run: &Run, stage: Stage<'_>, reasons: &mut Reasons) -> Self {
        let mut unknown = |what: &str| {
            let message = format!("{}: {what}", stage.key);
            Self::Unknown(reasons.number(&Failure::new(FailureKind::NotSupported, message)))
        };
        if stage.notifies == Switch::Off || stage.runs == Switch::Off {
            return Self::Off;
        }
        // Where nobody knows of the whole program, a check that is known to be mute is mute all the same.
        let notifies = run.notifies.filter(|notifies| !notifies || stage.notifies != Switch::Untold);
        match (run.is_run, run.is_late, notifies, run.in_downtime, run.downtime_until) {
            (Some(false), ..) => Self::Idle,
            (_, Some(true), ..) => Self::Overdue,
            (_, _, Some(false), ..) => Self::Mute,
            (_, _, _, Some(true), Some(until)) if lasts(until, stage.at) => Self::InDowntime,
            (None, ..) => unknown("it is not told whether a check runs"),
            (_, None, ..) => unknown(
                "results of a check come from outside or on demand, and nothing says when one is overdue; set check_freshness \
                 and freshness_threshold",
            ),
            (_, _, None, ..) => unknown("it is not told whether problems of a check notify anybody"),
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
            Self::Off => "stands in a system that is switched off as a whole",
            Self::Idle => "is neither run nor takes results from outside",
            Self::Unknown(_) => "cannot be judged",
        }
    }
}

/// A downtime that is over within a day is maintenance, and no news.
fn lasts(until: Timestamp, at: Timestamp) -> bool {
    until.duration_since(at) > DOWNTIME_PASSES
}
