//! What may be asked of the world, one at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::gate::Permit;
use super::ledger::Ledger;
use crate::ids::{HostId, Mark, ObjectKey};

/// How often the lease changed hands before this term (`leaseTransitions`): never twice the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Epoch(pub u64);

/// Which try of an act this is; another one is another act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Occurrence(pub u32);

/// What is done to a host that cannot be undone by doing nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Act {
    /// The first stop. A database's takes the backup with it.
    Stop,
    /// The stop of a database that RDS started again by itself after seven days.
    Restop,
    /// The end of a host that stayed in one stop for the cool-off.
    Terminate,
    /// The end of an Aurora reader, which cannot be stopped alone; its data stay in the cluster.
    DeleteReader,
}

impl Act {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Stop, Self::Restop, Self::Terminate, Self::DeleteReader];

    /// Does it end the host?
    #[must_use]
    pub fn ends(self) -> bool {
        matches!(self, Self::Terminate | Self::DeleteReader)
    }

    /// Does it take a host from use, so that window and budget count? A re-stop does not.
    #[must_use]
    pub fn is_new(self) -> bool {
        self != Self::Restop
    }
}

/// The one thing in the world that was marked. EC2 never uses an id again; RDS acts by name, so a database is pinned by
/// `DbiResourceId` and the time of its creation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incarnation {
    /// Instance id, or `DbiResourceId` in lower case.
    pub host: HostId,
    /// When a database was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
}

/// What is about to be done, written before it is done. AWS refuses everything under it after `deadline`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Whose.
    pub mark: Mark,
    /// To what.
    pub incarnation: Incarnation,
    /// What.
    pub act: Act,
    /// Which try.
    pub occurrence: Occurrence,
    /// In whose term.
    pub epoch: Epoch,
    /// When it was decided.
    pub written: Timestamp,
    /// `DateLessThan aws:CurrentTime` of the session policy; never "now + 60" of whoever calls.
    pub deadline: Timestamp,
}

/// What the owner's channel is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Notice {
    /// Evidence, date, how to keep and to undo, and what undo cannot restore.
    Proposed,
    /// An act comes in a quarter of an hour.
    Soon(Act),
    /// Which resource to remove from the code that made it.
    HandOver,
}

/// An act with the permit that it needs. There is no other way to one.
#[derive(Debug)]
pub struct Order {
    /// The last gate's word, used up by the call.
    pub permit: Permit,
    /// The name by which RDS acts, as it was just read.
    pub name: Option<Arc<str>>,
}

/// One external request. All but [`Request::Act`] can be taken back.
#[derive(Debug)]
pub enum Request {
    /// Puts the tag `rollcall.dev/mark`.
    TagMark,
    /// Puts the tag `rollcall.dev/stopped`, the record of who stopped it, which outlives everything in Kubernetes.
    TagStopped,
    /// Takes our tags of this mark off.
    Untag,
    /// Tells the owner's channel.
    Notify(Notice),
    /// Takes it out of these target groups.
    Drain(BTreeSet<Arc<str>>),
    /// Puts it back into them.
    Register(BTreeSet<Arc<str>>),
    /// Silences it in one monitoring system.
    Silence(ObjectKey),
    /// Lets it be heard again.
    Unsilence(ObjectKey),
    /// Writes the audit record of what is to be done.
    Record(Act, Occurrence),
    /// Replaces the account's ledger, only if it is still the one that was read.
    WriteLedger {
        /// What was read.
        replaces: Arc<Ledger>,
        /// What takes its place.
        ledger: Ledger,
    },
    /// Saves type, groups, addresses, profile, user data hash and volumes.
    SaveLaunchRecord,
    /// Takes a snapshot of one volume, named after the mark, unless one of that name is there.
    Snapshot(Arc<str>),
    /// Starts the host. Always allowed.
    Start,
    /// Retires its registration in one monitoring system, metadata saved first.
    RetireRegistration(ObjectKey),
    /// The act.
    Act(Order),
}

impl Request {
    /// Its kind, for traces and audit.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::TagMark => "TagMark",
            Self::TagStopped => "TagStopped",
            Self::Untag => "Untag",
            Self::Notify(_) => "Notify",
            Self::Drain(_) => "Drain",
            Self::Register(_) => "Register",
            Self::Silence(_) => "Silence",
            Self::Unsilence(_) => "Unsilence",
            Self::Record(..) => "Record",
            Self::WriteLedger { .. } => "WriteLedger",
            Self::SaveLaunchRecord => "SaveLaunchRecord",
            Self::Snapshot(_) => "Snapshot",
            Self::Start => "Start",
            Self::RetireRegistration(_) => "RetireRegistration",
            Self::Act(_) => "Act",
        }
    }
}
