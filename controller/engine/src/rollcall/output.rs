//! What a roll call says. Rows are kept per host as compact values; sentences exist only for findings.
//!
//! A fleet of 20,000 hosts × 50 checks has a million rows, and all of this must fit beside the readings in
//! 128 MiB (docs/targets.md): so a row is six bytes, and whatever hosts have in common is shared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use rollcall_crds::v1alpha1::HostState;
use serde::{Deserialize, Serialize};

use super::Probation;
use crate::finding::{Cause, Finding, Subject};
use crate::fleet::{Hold, StopsNone};
use crate::ids::{AccountName, HostId, ObjectKey, Place, RegistrationId, RoleName};
use crate::lean::{Doubt, Use};
use crate::reading::{Failure, FailureKind};

/// Everything one pass decided. The order of every list is stable: the same input gives the same bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RollCall {
    /// Every host that exists, or that was there when last we could see.
    pub hosts: BTreeMap<HostId, HostRoll>,
    /// Per environment.
    #[serde(default)]
    pub environments: BTreeMap<ObjectKey, EnvironmentRoll>,
    /// Per cloud account.
    #[serde(default)]
    pub accounts: BTreeMap<AccountName, AccountRoll>,
    /// Per monitoring system.
    #[serde(default)]
    pub systems: BTreeMap<ObjectKey, SystemRoll>,
    /// Per required check, over all environments that see it.
    #[serde(default)]
    pub checks: BTreeMap<ObjectKey, CheckRoll>,
    /// Per role: hosts that play it, over all environments that see it.
    #[serde(default)]
    pub roles: BTreeMap<ObjectKey, RoleRoll>,
    /// Per policy: hosts that are judged by it, over all environments that name it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub policies: BTreeMap<ObjectKey, LeanRoll>,
    /// Per exemption.
    #[serde(default)]
    pub exemptions: BTreeMap<ObjectKey, ExemptionRoll>,
    /// All findings, excused ones included; ordered by code, environment, subject.
    pub findings: Vec<Finding>,
    /// The same, grouped by cause over the whole fleet, biggest open first.
    pub causes: Vec<Cause>,
    /// Hosts whose instance is proved gone, by two complete readings or by AWS's own word, for some minutes:
    /// their `Host` objects may go; their tombstones stay.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub gone: BTreeSet<HostId>,
    /// Why rows are unknown; [`Coverage::Unknown`] points in here. Each reason stands here once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Failure>,
}

/// What [`RollCall::reason`] says of a reason that this roll call does not hold.
static NO_REASON: Failure = Failure { kind: FailureKind::NotYetRead, message: String::new() };

impl RollCall {
    /// The rows of one of its hosts: what is required and how it stands, in the order of the ledger.
    pub fn rows<'a>(&'a self, host: &'a HostRoll) -> impl Iterator<Item = (&'a Requirement, Coverage)> {
        let ledger = host.environment.as_ref().and_then(|key| self.environments.get(key));
        let ledger = ledger.map_or(&[][..], |environment| &environment.ledger);
        host.rows
            .iter()
            .filter_map(move |row| Some((&ledger.get(usize::from(row.requirement))?.0, row.coverage)))
    }

    /// Why a row is unknown.
    #[must_use]
    pub fn reason(&self, reason: Reason) -> &Failure {
        self.reasons.get(usize::from(reason.0)).unwrap_or(&NO_REASON)
    }

    /// The findings about each host, excused ones included, worst first within a host.
    #[must_use]
    pub fn findings_by_host(&self) -> BTreeMap<&HostId, Vec<&Finding>> {
        let mut by_host: BTreeMap<&HostId, Vec<&Finding>> = BTreeMap::new();
        for finding in &self.findings {
            if let Subject::Host(host) = &finding.subject {
                by_host.entry(host).or_default().push(finding);
            }
        }
        for findings in by_host.values_mut() {
            findings.sort_by_key(|f| (!f.excuse.is_none(), f.severity, f.code));
        }
        by_host
    }
}

/// One host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostRoll {
    /// Where it is.
    pub place: Place,
    /// Its Name tag, or the identifier of a database, freed of control characters and cut to 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// The environment that claims it; none when unclaimed, or contested. When it is not among
    /// [`RollCall::environments`], that environment is malformed just now: the host is not judged, and what
    /// was last said about it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<ObjectKey>,
    /// When contested: all environments that claim it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub claimed_by: BTreeSet<ObjectKey>,
    /// Roles of type Duty, sorted.
    pub duties: Arc<[RoleName]>,
    /// Roles of type Trait, sorted.
    pub traits: Arc<[RoleName]>,
    /// Where it stands.
    pub state: HostState,
    /// While Settling: when that ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles_at: Option<Timestamp>,
    /// Seen in this very reading; else known only from memory, and every row is unknown.
    pub seen: bool,
    /// Last start; of a database, which does not tell that, when it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch_time: Option<Timestamp>,
    /// Instance type or class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<Arc<str>>,
    /// Of a database that is a member of a cluster: its part there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterPart>,
    /// Its registrations: by system, and within a system the one that posts metrics first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub registrations: Vec<(ObjectKey, RegistrationId)>,
    /// Its rows, in the order of the environment's ledger; [`RollCall::rows`] reads them.
    pub rows: Arc<[Row]>,
    /// Is it used? None where no environment asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Use>,
}

/// The part of a database in its cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterPart {
    /// The cluster's name, freed of control characters and cut to 64.
    pub name: Arc<str>,
    /// Does it take the writes? `None` while nobody can tell: the cluster is not told of, or fails over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<bool>,
}

impl HostRoll {
    /// Its rows, counted.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for row in self.rows.iter() {
            tally.add(row.coverage);
        }
        tally
    }
}

/// One row of the ledger: one host against one requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What is required: the index into its environment's [`EnvironmentRoll::ledger`].
    pub requirement: u16,
    /// How it stands.
    pub coverage: Coverage,
}

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Requirement {
    /// To be registered in this system, because the environment says `hosts: All`.
    Registered(ObjectKey),
    /// This `RequiredCheck`.
    Check(ObjectKey),
}

impl fmt::Display for Requirement {
    /// As its line in a ledger is called.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered(system) => write!(f, "registered in {}", system.name),
            Self::Check(check) => f.write_str(&check.name),
        }
    }
}

/// How a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Coverage {
    /// Really watched.
    Covered,
    /// Proved to be absent.
    Missing,
    /// Registered, but no data.
    Silent,
    /// Muted, or switched off by the registration's status.
    Muted,
    /// There, but out of scope or too lax.
    Weak,
    /// Proved to be otherwise than a check asserts.
    Failed,
    /// Not in order yet, and the host may still settle.
    Settling,
    /// Not in order, and an Exemption of type Accepted excuses it; its finding says which.
    Exempt,
    /// Not in order, and an Exemption of type Baseline excuses it; its finding says which.
    Baseline,
    /// Nobody can judge it now; [`RollCall::reason`] says why.
    Unknown(Reason),
}

/// Why a row is unknown: an index into [`RollCall::reasons`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(pub u16);

/// Counts of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Rows required (settling ones included).
    pub required: u32,
    /// Covered.
    pub covered: u32,
    /// Missing, Silent, Muted, Weak or Failed and not excused.
    pub missing: u32,
    /// Settling.
    pub settling: u32,
    /// Excused by an accepted exemption.
    pub exempt: u32,
    /// Excused by the baseline.
    pub baseline: u32,
    /// Not judged.
    pub unknown: u32,
}

impl Tally {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            required: self.required + other.required,
            covered: self.covered + other.covered,
            missing: self.missing + other.missing,
            settling: self.settling + other.settling,
            exempt: self.exempt + other.exempt,
            baseline: self.baseline + other.baseline,
            unknown: self.unknown + other.unknown,
        }
    }

    /// Counts one row.
    pub fn add(&mut self, coverage: Coverage) {
        self.required += 1;
        match coverage {
            Coverage::Covered => self.covered += 1,
            Coverage::Missing | Coverage::Silent | Coverage::Muted | Coverage::Weak | Coverage::Failed => {
                self.missing += 1;
            }
            Coverage::Settling => self.settling += 1,
            Coverage::Exempt => self.exempt += 1,
            Coverage::Baseline => self.baseline += 1,
            Coverage::Unknown(_) => self.unknown += 1,
        }
    }
}

/// One environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentRoll {
    /// Hosts that exist and are claimed here (contested ones not).
    pub hosts: u32,
    /// The same hosts by state.
    pub states: BTreeMap<HostState, u32>,
    /// All rows.
    pub tally: Tally,
    /// Rows by requirement, in ledger order.
    pub ledger: Vec<(Requirement, Tally)>,
    /// Running hosts by role.
    pub roles: BTreeMap<RoleName, u32>,
    /// Registrations of hosts once of this environment that are proved gone.
    pub ghosts: u32,
    /// Contested hosts.
    pub contested: u32,
    /// Findings of this environment by cause, biggest open first.
    pub causes: Vec<Cause>,
    /// Why EC2's inventory is not complete now; empty when it is.
    pub inventory_blind: Vec<(Place, Failure)>,
    /// Why RDS's inventory is not complete now; empty when it is.
    #[serde(default)]
    pub databases_blind: Vec<(Place, Failure)>,
    /// Why a registry it needs is not complete now; empty when it is.
    pub registry_blind: Vec<(ObjectKey, Failure)>,
    /// Every source it needs has been readable at least once.
    pub sources_once_read: bool,
    /// Who is used, where the environment asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lean: Option<LeanRoll>,
    /// Why none of its hosts is stopped, where it asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stops_none: Option<StopsNone>,
    /// What else holds them, and would if this version stopped any; nothing in it changes from day to day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
    /// Open Critical findings: none, some, or not known while blind.
    pub compliant: Option<bool>,
    /// What happened lately (new in this pass).
    pub new_changes: Vec<crate::memory::Change>,
}

impl EnvironmentRoll {
    /// Missing rows of one requirement of its ledger; `None` while they are not known. While a registry is blind, exactly
    /// the rows that need it are unknown.
    #[must_use]
    pub fn missing(&self, of_requirement: &Tally) -> Option<u32> {
        (self.sees_hosts() && of_requirement.unknown == 0).then_some(of_requirement.missing)
    }

    /// Is every host known that may be this environment's?
    #[must_use]
    pub fn sees_hosts(&self) -> bool {
        self.inventory_blind.is_empty() && self.databases_blind.is_empty()
    }

    /// What is blind in the inventories and why, each by the name it goes by: a place alone is EC2's.
    pub fn blind_inventories(&self) -> impl Iterator<Item = (String, &Failure)> {
        blind_inventories(&self.inventory_blind, &self.databases_blind)
    }
}

/// Running hosts by whether they are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeanRoll {
    /// All that are judged.
    pub hosts: u32,
    /// Those that look unused, kept ones among them.
    pub idle: u32,
    /// Those of them that nobody keeps.
    pub unused: u32,
    /// Those of which nobody can say, unread ones among them.
    pub unknown: u32,
    /// Those whose activity could not be read, or has not been yet.
    pub unread: u32,
    /// How the rule has done so far, once it has judged somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probation: Option<Probation>,
}

impl LeanRoll {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            hosts: self.hosts + other.hosts,
            idle: self.idle + other.idle,
            unused: self.unused + other.unused,
            unknown: self.unknown + other.unknown,
            unread: self.unread + other.unread,
            probation: match (self.probation, other.probation) {
                (Some(one), Some(other)) => Some(one.plus(other)),
                (one, other) => one.or(other),
            },
        }
    }

    /// Counts one host.
    pub(crate) fn add(&mut self, used: &Use, is_kept: bool) {
        self.hosts += 1;
        match used {
            Use::Active(_) => {}
            Use::Idle(_) => {
                self.idle += 1;
                self.unused += u32::from(!is_kept);
            }
            Use::Unknown(doubt) => {
                self.unknown += 1;
                self.unread += u32::from(matches!(doubt, Doubt::NotRead(..)));
            }
        }
    }
}

/// One cloud account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountRoll {
    /// Hosts that exist.
    pub hosts: u32,
    /// Hosts that no environment claims.
    pub unclaimed: u32,
    /// Why EC2's inventory is not complete now, by region.
    pub blind: Vec<(Place, Failure)>,
    /// Why RDS's inventory is not complete now, by region.
    #[serde(default)]
    pub databases_blind: Vec<(Place, Failure)>,
    /// Every region has been readable at least once; databases, where they may be.
    pub once_read: bool,
    /// Why none of its hosts is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stops_none: Option<StopsNone>,
}

impl AccountRoll {
    /// Is every host of the account known?
    #[must_use]
    pub fn sees_hosts(&self) -> bool {
        self.blind.is_empty() && self.databases_blind.is_empty()
    }

    /// What is blind and why, each by the name it goes by: a place alone is EC2's.
    pub fn blind_inventories(&self) -> impl Iterator<Item = (String, &Failure)> {
        blind_inventories(&self.blind, &self.databases_blind)
    }
}

/// What fails for one reason in both services of a place is one thing.
fn blind_inventories<'b>(
    instances: &'b [(Place, Failure)],
    databases: &'b [(Place, Failure)],
) -> impl Iterator<Item = (String, &'b Failure)> {
    let is_told = |(place, why): &&(Place, Failure)| {
        instances.iter().any(|(blind, of)| blind == place && of.kind == why.kind)
    };
    let databases = databases.iter().filter(move |blind| !is_told(blind));
    let instances = instances.iter().map(|(place, why)| (place.to_string(), why));
    instances.chain(databases.map(|(place, why)| (format!("RDS {place}"), why)))
}

/// One monitoring system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SystemRoll {
    /// Registered hosts.
    pub registered: u32,
    /// Registrations that join to one host.
    pub joined: u32,
    /// Registrations of hosts that are proved gone.
    pub ghosts: u32,
    /// Registrations that match nothing Rollcall knows: id, name, kind.
    pub strangers: Vec<Stranger>,
    /// Registrations beyond the first of one host.
    pub duplicates: u32,
    /// Why a listing of it is not complete now: listing and failure.
    pub blind: Vec<(String, Failure)>,
    /// An inventory is blind: `ghosts`, `strangers` and `joined` are only what could be judged.
    pub inventory_blind: bool,
    /// Its hosts have been readable at least once.
    pub once_read: bool,
}

/// A registration that matches no host Rollcall knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stranger {
    /// Its id there.
    pub id: RegistrationId,
    /// Its name there.
    pub name: String,
    /// What it seems to be: `elb`, `rds`, `unknown`.
    pub kind: String,
}

/// One required check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckRoll {
    /// Rows over all environments that see it.
    pub tally: Tally,
    /// A source that it needs is blind somewhere: `missing` is not known.
    pub blind: bool,
    /// Day of the next review (`2027-03-01`), if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_due: Option<jiff::civil::Date>,
    /// That day has passed.
    pub overdue: bool,
}

/// One role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleRoll {
    /// Existing hosts that play it.
    pub hosts: u32,
    /// An inventory that it needs is blind: `hosts` is only what we saw.
    pub blind: bool,
}

/// One exemption.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExemptionRoll {
    /// Findings it covers now.
    pub remaining: u32,
    /// Hosts of a baseline whose finding went away once.
    pub healed: BTreeSet<HostId>,
    /// Its end has passed.
    pub expired: bool,
}
