//! `Environment`: which hosts belong together, what they are called and where they must be watched.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HostSelector, NAME, REGION, Severity};

/// One environment of a team: the hosts it consists of, the parameters its checks use, how roles are
/// found, how many hosts of a role are wanted, and the monitoring systems every host must be known to.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "rollcall.dev",
    version = "v1alpha1",
    kind = "Environment",
    plural = "environments",
    shortname = "rcenv",
    category = "rollcall",
    namespaced,
    status = "EnvironmentStatus",
    derive = "PartialEq",
    doc = "One environment of a team: which hosts it consists of, how their roles are found, and where they must be watched.",
    printcolumn(name = "Hosts", type_ = "string", json_path = ".status.summary.hosts"),
    printcolumn(name = "Covered", type_ = "string", json_path = ".status.summary.covered"),
    printcolumn(name = "Missing", type_ = "string", json_path = ".status.summary.missing"),
    printcolumn(name = "Unknown", type_ = "string", json_path = ".status.summary.unknown"),
    printcolumn(name = "Baseline", type_ = "string", json_path = ".status.summary.baseline"),
    printcolumn(name = "Ghosts", type_ = "string", json_path = ".status.summary.ghosts"),
    printcolumn(name = "Unused", type_ = "string", json_path = ".status.summary.unused"),
    printcolumn(name = "Sources", type_ = "string", json_path = ".status.summary.sources"),
    printcolumn(
        name = "Compliant",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Compliant")].status"#
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        priority = 1,
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        priority = 1,
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.parameters) || self.parameters.all(k, k.matches('^[a-zA-Z][a-zA-Z0-9]{0,62}$'))")
    .message("parameters: a name starts with a letter and holds only letters and digits, at most 63").field_path(".parameters"))]
pub struct EnvironmentSpec {
    /// Accounts whose hosts may belong to this environment; each must grant this namespace its hosts.
    #[schemars(length(min = 1, max = 50))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["name".into()]))]
    pub accounts: Vec<EnvironmentAccount>,
    /// Which of their hosts are this environment. Required, and an empty one is refused.
    pub selector: HostSelector,
    /// Values that RequiredChecks use as `${env.NAME}`, for example `fqdn: jp1.example.com`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 50))]
    pub parameters: BTreeMap<String, ParameterValue>,
    /// Who answers for this environment. Without an owner there is one upkeep finding (RC0603).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// IANA time zone in which times are shown, for example `Asia/Tokyo`. Default `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9_+/-]+$"))]
    pub time_zone: Option<String>,
    /// Minutes a new host may take until everything about it is in order; until then it is Settling and
    /// makes no finding. Default 60.
    #[serde(default = "default_settle_minutes")]
    #[schemars(range(min = 0, max = 1440))]
    pub settle_minutes: i32,
    /// How hosts get their roles, and how many of a role are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<RoleSource>,
    /// Monitoring systems that watch this environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["system".into()]))]
    pub monitoring: Vec<EnvironmentMonitoring>,
    /// How lean the environment is kept: whether unused hosts are pointed at, and by which rule. Without it nobody looks
    /// at what hosts do, and CloudWatch is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lean: Option<Lean>,
    /// Names of NotificationChannels, in this namespace or in the library, through which the people of this environment are told
    /// of hosts that look unused (`lean.enforcement: Notify`). Once one of them has accepted a notice, its time begins to run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), inner(length(min = 1, max = 253), regex(pattern = NAME)), extend("x-kubernetes-list-type" = "set"))]
    pub notifications: Vec<String>,
}

fn default_settle_minutes() -> i32 {
    60
}

/// One account of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentAccount {
    /// Name of the CloudAccount.
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub name: String,
    /// Regions of it; without them, all that the CloudAccount lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40), inner(length(max = 32), regex(pattern = REGION)), extend("x-kubernetes-list-type" = "set"))]
    pub regions: Option<Vec<String>>,
}

/// The value of one parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ParameterValue(#[schemars(length(max = 256))] pub String);

/// Who answers for something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// A team or a person, as people call them.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
}

/// Where role names come from. HostRole selectors add to what the tag says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleSource {
    /// A tag that lists role names. A name without a HostRole is one upkeep finding, not a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_tag: Option<RoleTag>,
    /// How many running hosts of a role this environment should have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["role".into()]))]
    pub counts: Vec<RoleCount>,
}

/// A tag that lists role names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleTag {
    /// Tag key, for example `Role`.
    #[schemars(length(min = 1, max = 128))]
    pub key: String,
    /// What separates several names in one value, for example `/`. Without it the value is one name.
    /// White space around names is ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8))]
    pub separator: Option<String>,
}

/// Wanted numbers of one role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.max) || self.min <= self.max").message("counts: min must not exceed max").field_path(".min"))]
pub struct RoleCount {
    /// Name of the HostRole.
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub role: String,
    /// Fewer running hosts than this is a finding (RC0404).
    #[schemars(range(min = 0, max = 100_000))]
    pub min: i32,
    /// More running hosts than this is a finding (RC0405). Without it there is no upper wish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100_000))]
    pub max: Option<i32>,
}

/// How lean an environment is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lean {
    /// `Flag`: a host that looks unused is a finding (RC0401), and no more. `Notify`: a Retirement is written for it as well, its
    /// owner is told through `spec.notifications`, and has the time of the RetirementPolicy to decide; nothing is stopped.
    /// `Retire`: as `Notify`, and once that time is over the host waits for the approvals that the RetirementPolicy asks for. That
    /// is where it ends today: this version of Rollcall stops nothing, and the condition `RetirementAllowed` says why.
    pub enforcement: LeanEnforcement,
    /// Only hosts that play one of these roles are judged; without it, all of the environment.
    /// Hosts of a role with `idle: Expected` never are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50), inner(length(min = 1, max = 253), regex(pattern = NAME)), extend("x-kubernetes-list-type" = "set"))]
    pub roles: Option<Vec<String>>,
    /// Name of the RetirementPolicy that says what is unused, in this namespace or in the library. Without it: AWS's own
    /// thresholds over 35 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub policy: Option<String>,
}

/// What is done about unused hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LeanEnforcement {
    /// They are findings.
    Flag,
    /// Their owners are told, too.
    Notify,
    /// They wait to be stopped, once their owners were told and people approve.
    Retire,
}

/// One monitoring system of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentMonitoring {
    /// Name of the MonitoringSystem, in this namespace or in the library.
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub system: String,
    /// The Mackerel service under which this environment's roles are expected (`service:role`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 63), regex(pattern = "^[A-Za-z0-9][A-Za-z0-9_-]+$"))]
    pub service: Option<String>,
    /// `All`: every running host must be registered here (RC0101). `AsChecksRequire`: only what checks ask for.
    pub hosts: RegistrationDemand,
}

/// Which hosts must be registered in a monitoring system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RegistrationDemand {
    /// Every running host.
    All,
    /// Only hosts for which a check needs it.
    AsChecksRequire,
}

/// What the last pass saw of an environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentStatus {
    /// The generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Conditions `Ready`, `InventoryFresh`, `RegistrationsFresh` and `Compliant` (Critical findings only).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The columns of `kubectl get rcenv`; `-` where a source is blind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<EnvironmentSummary>,
    /// The team's ledger: one row per required check that applies here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["check".into()]))]
    pub checks: Vec<EnvironmentCheck>,
    /// Hosts by role, for wanted counts and growth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["role".into()]))]
    pub roles: Vec<EnvironmentRole>,
    /// The biggest causes of findings, biggest first. All of them: `rollcall plan`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), extend("x-kubernetes-list-type" = "atomic"))]
    pub causes: Vec<CauseStatus>,
}

/// The columns of an environment: `-` is "not known now", never zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentSummary {
    /// Hosts that this environment claims and that exist.
    #[schemars(length(max = 32))]
    pub hosts: String,
    /// Rows that are covered, of the rows that are required: `398/414`.
    #[schemars(length(max = 32))]
    pub covered: String,
    /// Rows that are missing, silent, muted or weak.
    #[schemars(length(max = 32))]
    pub missing: String,
    /// Rows that nobody can judge now.
    #[schemars(length(max = 32))]
    pub unknown: String,
    /// Rows frozen by a Baseline exemption.
    #[schemars(length(max = 32))]
    pub baseline: String,
    /// Registrations of hosts of this environment that are proved gone.
    #[schemars(length(max = 32))]
    pub ghosts: String,
    /// Hosts that look unused and that nobody keeps; `-` while that is not known, or nobody asks (`spec.lean`).
    #[serde(default)]
    #[schemars(length(max = 32))]
    pub unused: String,
    /// `Fresh`, or the first source that is not, with its reason: `mackerel:Denied`.
    #[schemars(length(max = 128))]
    pub sources: String,
}

/// One row of an environment's ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentCheck {
    /// Name of the RequiredCheck, or `registered in SYSTEM`.
    #[schemars(length(max = 320))]
    pub check: String,
    /// Hosts to which it applies now.
    pub applies: i32,
    /// Hosts on which it is covered.
    pub covered: i32,
    /// Hosts on which it is missing, silent, muted or weak. Absent while a source is blind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<i32>,
    /// Hosts on which it cannot be judged now.
    pub unknown: i32,
    /// Hosts that are settling, exempt or in the baseline.
    pub excused: i32,
}

/// Hosts of one role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentRole {
    /// Name of the role.
    #[schemars(length(max = 253))]
    pub role: String,
    /// Running hosts that play it.
    pub hosts: i32,
}

/// Findings with one common cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CauseStatus {
    /// Stable code; `rollcall explain RC0102` says more.
    #[schemars(length(max = 8))]
    pub code: String,
    /// How bad it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// How many findings it stands for.
    pub findings: i32,
    /// The cause in one sentence.
    #[schemars(length(max = 512))]
    pub message: String,
    /// What to do about it.
    #[schemars(length(max = 512))]
    pub fix: String,
}
