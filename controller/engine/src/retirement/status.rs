//! One host's way out as values: what stands in a `Retirement` object.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::approval::{Admission, SeenApproval};
use super::guard::Guard;
use super::ledger::Entry;
use super::order::{Act, Incarnation, Intent, Notice, Occurrence};
use super::policy::{FinalAct, PolicyHash};
use crate::ids::{AccountId, Mark, ObjectKey, RoleName, User};

/// One host's way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retirement {
    /// Its uid.
    pub mark: Mark,
    /// What is asked for.
    pub spec: Spec,
    /// Where it stands.
    pub status: Status,
}

/// What is asked for: immutable, but for people's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// Which host, and no other.
    pub incarnation: Incarnation,
    /// Its account.
    pub account: AccountId,
    /// The environment that claimed it.
    pub environment: ObjectKey,
    /// Its duty.
    pub duty: RoleName,
    /// The rule by which it was proposed.
    pub policy_hash: PolicyHash,
    /// How it goes.
    pub path: Path,
    /// How it ends.
    pub final_act: FinalAct,
    /// How many people must approve; the policy may ask for more.
    pub approvals_needed: usize,
    /// Who does. Each writes only their own name.
    #[serde(default)]
    pub approvals: BTreeSet<User>,
    /// Does somebody want it to end here?
    pub decision: Decision,
}

/// Which way a host goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Path {
    /// It runs idle: it is stopped.
    Stop,
    /// Somebody stopped it long ago: there is nothing to stop.
    LongStopped,
    /// A reader of an Aurora cluster: it is deleted, after idleness for grace and cool-off together.
    Reader,
}

/// `spec.decision`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// Go on.
    Proceed,
    /// Undo whatever was done.
    Cancel,
}

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// Evidence is recorded; the owner has not been told yet.
    Proposed,
    /// The owner was told, and has time.
    Waiting,
    /// It is drained, silenced and stopped.
    Stopping,
    /// It is stopped, and everybody can see what is missing.
    CoolingOff,
    /// It is backed up and ended.
    Terminating,
    /// It is over.
    Retired(Ending),
    /// What was done is taken back.
    Undoing(Reason),
    /// Everything is as it was.
    Cancelled(Reason),
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Ending {
    /// It stays stopped.
    Stopped,
    /// It stays stopped, and its owner removes it.
    HandedOver,
    /// It is gone.
    Terminated,
}

/// Why it was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reason {
    /// A guard that cancels said so.
    Refused(Guard),
    /// It hung between two guards for too long.
    Stalled,
}

impl State {
    /// Is there nothing more to do?
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Retired(_) | Self::Cancelled(_))
    }

    /// Does it take one of the slots of its environment?
    #[must_use]
    pub fn is_in_flight(self) -> bool {
        matches!(self, Self::Stopping | Self::Terminating | Self::Undoing(_))
    }

    /// Its word, without reasons.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Proposed => "Proposed",
            Self::Waiting => "Waiting",
            Self::Stopping => "Stopping",
            Self::CoolingOff => "CoolingOff",
            Self::Terminating => "Terminating",
            Self::Retired(_) => "Retired",
            Self::Undoing(_) => "Undoing",
            Self::Cancelled(_) => "Cancelled",
        }
    }
}

/// The stop in which a host must stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    /// When it was first read to be stopped: the cool-off counts from here.
    pub at: Timestamp,
    /// What tells this stop from another one: see [`super::HostView::run`].
    pub run: Option<Timestamp>,
    /// Who stopped it.
    pub by: StoppedBy,
}

/// Who stopped a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoppedBy {
    /// We did.
    Rollcall,
    /// Somebody did, before.
    Somebody,
}

/// An act that was read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Done {
    /// What.
    pub act: Act,
    /// Which try.
    pub occurrence: Occurrence,
    /// When it was read back.
    pub at: Timestamp,
}

/// Progress inside the states, each with the time at which it was known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Conditions {
    /// Its tag was read back.
    pub marked: Option<Timestamp>,
    /// The owner's channel accepted the notice.
    pub notified: Option<Timestamp>,
    /// The last notice that an act comes soon, or that it is handed over.
    pub told: Option<(Notice, Timestamp)>,
    /// The target groups it was taken out of.
    pub drained: BTreeSet<Arc<str>>,
    /// Systems in which we silenced it, or were about to.
    pub silenced: BTreeSet<ObjectKey>,
    /// All its backups were read back.
    pub backed_up: Option<Timestamp>,
    /// Its registrations were read to be gone.
    pub deregistered: Option<Timestamp>,
}

/// Where it stands, with what must not be forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The state.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// When the grace ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The start of the host that was running when it was marked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Timestamp>,
    /// Progress.
    #[serde(default)]
    pub conditions: Conditions,
    /// Who approved, as first seen.
    #[serde(default)]
    pub approvals: Vec<SeenApproval>,
    /// What was in force when its approvals were last looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admission: Option<Admission>,
    /// What is about to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// The next try of an act.
    #[serde(default)]
    pub occurrence: Occurrence,
    /// What was done, per mark and never per name.
    #[serde(default)]
    pub done: Vec<Done>,
    /// May a stop of ours have taken effect?
    #[serde(default)]
    pub tried: bool,
    /// The stop it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// Since when complete looks lack the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<Timestamp>,
}

impl Status {
    /// The first one.
    #[must_use]
    pub fn proposed(now: Timestamp) -> Self {
        Self {
            state: State::Proposed,
            since: now,
            due: None,
            run: None,
            conditions: Conditions::default(),
            approvals: Vec::new(),
            admission: None,
            intent: None,
            occurrence: Occurrence::default(),
            done: Vec::new(),
            tried: false,
            stop: None,
            absent: None,
        }
    }

    /// The same in another state.
    #[must_use]
    pub(super) fn into_state(mut self, state: State, now: Timestamp) -> Self {
        self.state = state;
        self.since = now;
        self
    }

    /// Was it done?
    #[must_use]
    pub fn has_done(&self, act: Act) -> bool {
        self.done.iter().any(|done| done.act == act)
    }
}

impl Retirement {
    /// The act that comes next on its way, if one does.
    #[must_use]
    pub fn next_act(&self) -> Option<Act> {
        let ends = self.spec.final_act == FinalAct::Terminate;
        match (self.status.state, self.spec.path) {
            (State::Proposed | State::Waiting, Path::Stop) | (State::Stopping, _) => Some(Act::Stop),
            (State::Proposed | State::Waiting | State::Terminating, Path::Reader) => Some(Act::DeleteReader),
            (State::Terminating, _) => Some(Act::Terminate),
            (State::CoolingOff, _) | (State::Proposed | State::Waiting, Path::LongStopped) if ends => {
                Some(Act::Terminate)
            }
            _ => None,
        }
    }

    /// What its next try of this act would reserve.
    #[must_use]
    pub fn entry(&self, act: Act, now: Timestamp) -> Entry {
        Entry {
            mark: self.mark.clone(),
            environment: self.spec.environment.clone(),
            duty: self.spec.duty.clone(),
            act,
            occurrence: self.status.occurrence,
            from: now,
            until: now,
        }
    }

    /// From when on idleness must be proved before this act: since the mark, or since RDS started it again.
    #[must_use]
    pub fn idle_from(&self, act: Act) -> Option<Timestamp> {
        match act {
            Act::Restop => self.status.stop.as_ref().and_then(|stop| stop.run),
            _ => self.status.conditions.marked,
        }
    }
}
