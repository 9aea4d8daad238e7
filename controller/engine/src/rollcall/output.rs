//! What a roll call says. Rows are kept per host as compact values; sentences exist only for findings.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rollcall_crds::v1alpha1::HostState;
use serde::{Deserialize, Serialize};

use crate::finding::{Cause, Excuse, Finding};
use crate::ids::{AccountName, HostId, ObjectKey, Place, RegistrationId, RoleName};
use crate::reading::Failure;

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
    /// Per exemption.
    #[serde(default)]
    pub exemptions: BTreeMap<ObjectKey, ExemptionRoll>,
    /// All findings, excused ones included; ordered by code, environment, subject.
    pub findings: Vec<Finding>,
    /// The same, grouped by cause over the whole fleet, biggest open first.
    pub causes: Vec<Cause>,
}

/// One host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostRoll {
    /// Where it is.
    pub place: Place,
    /// Its Name tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The environment that claims it; none when unclaimed, or contested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<ObjectKey>,
    /// When contested: all environments that claim it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub claimed_by: BTreeSet<ObjectKey>,
    /// Roles of type Duty.
    pub duties: BTreeSet<RoleName>,
    /// Roles of type Trait.
    pub traits: BTreeSet<RoleName>,
    /// Where it stands.
    pub state: HostState,
    /// While Settling: when that ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settles_at: Option<Timestamp>,
    /// Seen in this very reading; else known only from memory, and every row is unknown.
    pub seen: bool,
    /// Last start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch_time: Option<Timestamp>,
    /// Instance type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
    /// Its registrations, by system.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub registrations: BTreeMap<ObjectKey, Vec<RegistrationId>>,
    /// Its rows, in the order of the environment's ledger.
    pub rows: Vec<Row>,
}

/// One row of the ledger: one host against one requirement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// What is required.
    pub requirement: Requirement,
    /// How it stands.
    pub coverage: Coverage,
}

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Requirement {
    /// To be registered in this system, because the environment says `hosts: All`.
    Registered(ObjectKey),
    /// This RequiredCheck.
    Check(ObjectKey),
}

/// How a row stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Not in order yet, and the host may still settle.
    Settling,
    /// Not in order, and somebody excuses it.
    Excused(Excuse),
    /// Nobody can judge it now.
    Unknown(Failure),
}

/// Counts of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// Rows required (settling ones included).
    pub required: u32,
    /// Covered.
    pub covered: u32,
    /// Missing, Silent, Muted or Weak and not excused.
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

/// One environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentRoll {
    /// Hosts that exist and are claimed here (contested ones not).
    pub hosts: u32,
    /// Hosts by state.
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
    /// Why the inventory is not complete now; empty when it is.
    pub inventory_blind: Vec<(Place, Failure)>,
    /// Why a registry it needs is not complete now; empty when it is.
    pub registry_blind: Vec<(ObjectKey, Failure)>,
    /// Every source it needs has been readable at least once.
    pub sources_once_read: bool,
    /// Open Critical findings: none, some, or not known while blind.
    pub compliant: Option<bool>,
    /// What happened lately (new in this pass).
    pub new_changes: Vec<crate::memory::Change>,
}

/// One cloud account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountRoll {
    /// Hosts that exist.
    pub hosts: u32,
    /// Hosts that no environment claims.
    pub unclaimed: u32,
    /// Why its inventory is not complete now, by region.
    pub blind: Vec<(Place, Failure)>,
    /// Every region has been readable at least once.
    pub once_read: bool,
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
    /// Its hosts have been readable at least once.
    pub once_read: bool,
}

/// A registration that matches no host Rollcall knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
