//! What one look cannot know: since when something is absent, who was ever seen, what was last proved.
//!
//! The engine takes the memory of the last pass and returns that of this one. It is kept in shards (one per
//! place, system and environment), and nothing in it changes while the world stands still: no counter, no
//! time of a look. A restart reads it back, so it forgets nothing and writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::activity::Day;
use crate::ids::{CheckName, ClusterId, HostId, ObjectKey, Place, RegistrationId, RoleName};
use crate::lean::{RuleHash, Use};

/// Everything remembered, by shard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// Per account and region.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub places: BTreeMap<Place, PlaceMemory>,
    /// Per monitoring system.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub systems: BTreeMap<ObjectKey, SystemMemory>,
    /// Per environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: BTreeMap<ObjectKey, EnvironmentMemory>,
    /// Per exemption of type Baseline: hosts whose finding went away once.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub healed: BTreeMap<ObjectKey, BTreeSet<HostId>>,
}

impl Memory {
    /// Forgets which checks were proved to run. A proof is held over a restart as if it had just been made, so this is
    /// for whoever reads memory after a pause of unknown length, or of more than a moment.
    pub fn forget_proofs(&mut self) {
        self.systems.values_mut().for_each(|system| system.checks.clear());
    }
}

/// What is remembered of one account and region.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaceMemory {
    /// When the first complete reading was begun: hosts first seen after it have *joined*.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The population: every host last seen to exist.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<HostId, HostMemory>,
    /// Hosts proved gone, kept 30 days or as long as a registration of theirs stands.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tombstones: BTreeMap<HostId, Tombstone>,
    /// Begin of the first complete reading from which far too many hosts had vanished without a word; while
    /// it stands, no reading of this place proves absence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallen_since: Option<Timestamp>,
    /// What is remembered of its listing of databases, as the two fields `since` and `fallen_since` are of EC2's.
    #[serde(default, skip_serializing_if = "DatabasesMemory::is_empty")]
    pub databases: DatabasesMemory,
    /// Since when each finding about the place itself stands.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub findings: BTreeMap<Arc<str>, Timestamp>,
    /// Since when no `CloudAccount` names it any more; forgotten after 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_since: Option<Timestamp>,
}

/// What is remembered of one place's listing of databases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabasesMemory {
    /// When the first complete reading was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Begin of the first complete reading from which far too many had vanished without a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallen_since: Option<Timestamp>,
    /// Who took the writes of each cluster when last that was known, be it that the database is gone since.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub writers: BTreeMap<ClusterId, HostId>,
}

impl DatabasesMemory {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What is remembered of one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostMemory {
    /// Its Name tag, or the identifier of a database, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// Its instance type. Shared by hosts of one size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<Arc<str>>,
    /// Where a database was last seen to listen: what monitoring systems know it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Arc<str>>,
    /// The environment that claimed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<ObjectKey>,
    /// Roles it played, duties and traits, sorted. Shared by hosts that play the same.
    #[serde(default, skip_serializing_if = "<[RoleName]>::is_empty")]
    pub roles: Arc<[RoleName]>,
    /// When Rollcall first saw it.
    pub first_seen: Timestamp,
    /// First seen after the place's first complete reading.
    #[serde(default)]
    pub joined: bool,
    /// The launch for which everything was in order at least once: its settling is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_for_launch: Option<Timestamp>,
    /// Begin of the first complete reading that lacked it, while a second one is awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent_since: Option<Timestamp>,
    /// When it was first seen stopped, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_since: Option<Timestamp>,
    /// Since when a database has been seen under its name, by which its metrics are known; another may have borne it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named_since: Option<Timestamp>,
    /// Whether it is used, where somebody asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<UseMemory>,
    /// The last day on which it was seen to be idle by design: by its roles, or by its part in replication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spared_on: Option<Day>,
    /// Since when each of its findings stands; the key is code, check and system.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub findings: BTreeMap<Arc<str>, Timestamp>,
}

/// Whether a host is used, as far as was found. It moves on with each day that is read, and with nothing else: over a restart
/// it stands for the activity itself, which is not bought again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UseMemory {
    /// The last day that was read.
    pub until: Day,
    /// What was found then.
    pub last: Use,
    /// The rule that found it; under another one it says nothing.
    pub rule: RuleHash,
    /// The latest day that was loud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_until: Option<Day>,
    /// Since when it has been idle, for as long as no day was loud and nobody started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_since: Option<Day>,
}

/// A host that is proved gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tombstone {
    /// Its last Name tag, or the last identifier of a database, as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// Where a database last listened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Arc<str>>,
    /// Its last environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<ObjectKey>,
    /// Begin of the first complete reading that lacked it, or that showed it terminated.
    pub gone_since: Timestamp,
    /// Another host that took its name in the same environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<HostId>,
}

/// What is remembered of one monitoring system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SystemMemory {
    /// The organisation whose registrations these are: a key that opens another one is not believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Arc<str>>,
    /// When the first complete reading of its hosts was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The registrations that were last proved to belong to each host.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub registrations: BTreeMap<HostId, Vec<RegistrationId>>,
    /// The checks that were last proved to run for each registration. Held at most 24 hours past a restart.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<RegistrationId, Arc<[CheckName]>>,
    /// Since when each finding about a registration or monitor stands.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub findings: BTreeMap<Arc<str>, Timestamp>,
    /// Registrations of instances that were never seen, and since when complete readings have not shown them in any of the
    /// accounts in which they must be (`spec.onlyAccounts`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unseen: BTreeMap<RegistrationId, Timestamp>,
    /// Since when the `MonitoringSystem` object is gone; forgotten after 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_since: Option<Timestamp>,
}

/// What is remembered of one environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentMemory {
    /// What joined, left, was resized or changed roles: 7 days, at most [`MAX_CHANGES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Hosts per ISO week (`2026-W47`), the last 53: growth without a time series.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub weekly_hosts: BTreeMap<String, i32>,
    /// Since when each finding about the environment itself stands.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub findings: BTreeMap<Arc<str>, Timestamp>,
    /// How long its rule has run, once it has judged somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_run: Option<RuleRun>,
    /// Since when the Environment object is gone; forgotten after 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_since: Option<Timestamp>,
}

/// How long the rule of an environment has run without acting, and what came of those at whom it pointed. Another rule is
/// another run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleRun {
    /// The rule.
    pub rule: RuleHash,
    /// When it first judged a host of the environment; whole seconds. Later by each day that did not count.
    pub since: Timestamp,
    /// The last day that counted: on it the rule judged somebody who was seen, and metrics could be read of everybody.
    pub judged_on: Day,
    /// Hosts that it has called unused since, on evidence that is good enough to act on; at most [`MAX_POINTED`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pointed: BTreeMap<HostId, Pointed>,
    /// There were more: nobody knows any more what came of them all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overfull: bool,
}

/// What can be said of how long a rule has run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Running {
    /// It has judged nobody yet.
    NotYet,
    /// It has pointed at more hosts than are remembered.
    Overfull,
    /// Yesterday did not count, nor today so far: this is the last day that did.
    Paused(Day),
    /// Since then.
    Since(Timestamp),
}

impl Running {
    /// Of a rule, by the run that is remembered. A run of another rule is none of it.
    #[must_use]
    pub fn of(rule: RuleHash, remembered: Option<&RuleRun>, now: Timestamp) -> Self {
        match remembered.filter(|run| run.rule == rule) {
            None => Self::NotYet,
            Some(run) if run.overfull => Self::Overfull,
            Some(run) if Day::of(now).days_since(run.judged_on) > 1 => Self::Paused(run.judged_on),
            Some(run) => Self::Since(run.since),
        }
    }
}

/// A host at which a rule has pointed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pointed {
    /// When it first did.
    pub at: Timestamp,
    /// The day on which it was used, or started, all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_on: Option<Day>,
}

/// At no more hosts does a rule point: nobody reads a longer list, and a rule that finds more is not one to act by.
pub const MAX_POINTED: usize = 2_000;

/// No environment remembers more changes than this; the oldest go first.
pub const MAX_CHANGES: usize = 2_000;

/// Something that happened to a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// When the reading that showed it was begun.
    pub at: Timestamp,
    /// The host.
    pub host: HostId,
    /// Its name then, freed of control characters and cut to 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// What happened.
    pub what: Happening,
}

/// What can happen to a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Happening {
    /// It was not there before.
    Joined,
    /// It is proved gone.
    Left,
    /// It is proved gone and another host has its name.
    ReplacedBy(HostId),
    /// It came back as another instance type.
    Resized {
        /// Type before.
        from: Arc<str>,
        /// Type now.
        to: Arc<str>,
    },
    /// Its roles changed.
    RolesChanged {
        /// Roles before.
        from: Arc<[RoleName]>,
        /// Roles now.
        to: Arc<[RoleName]>,
    },
    /// It took over the writes of its cluster.
    BecameWriter {
        /// The cluster's name, freed of control characters and cut to 64.
        cluster: Arc<str>,
        /// The database that took them before.
        from: HostId,
    },
}
