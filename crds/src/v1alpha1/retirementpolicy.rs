//! `RetirementPolicy`: what "unused" means for a team's hosts.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DAY;

/// What a team calls unused. An Environment names it in `spec.lean.policy`; one that names none is judged by the default
/// rule, which is what stands here where a field is left out. Nothing is ever stopped or deleted because of it: Rollcall
/// points at hosts (RC0401), tells their owners where an Environment asks for that (`lean.enforcement: Notify`), and people
/// decide.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "rollcall.dev",
    version = "v1alpha1",
    kind = "RetirementPolicy",
    plural = "retirementpolicies",
    shortname = "rcpolicy",
    category = "rollcall",
    namespaced,
    status = "RetirementPolicyStatus",
    derive = "PartialEq",
    doc = "What a team calls unused: how many days of which signals must be quiet.",
    printcolumn(name = "Days", type_ = "integer", json_path = ".spec.idle.windowDays"),
    printcolumn(name = "Hosts", type_ = "string", json_path = ".status.summary.hosts"),
    printcolumn(name = "Unused", type_ = "string", json_path = ".status.summary.unused"),
    printcolumn(name = "Unknown", type_ = "string", json_path = ".status.summary.unknown"),
    printcolumn(
        name = "Ready",
        type_ = "string",
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
pub struct RetirementPolicySpec {
    /// When a host is idle: every signal named here is quiet on every day of the window. A day without data, or one that
    /// could not be read, is unknown and never quiet.
    #[serde(default)]
    pub idle: IdleRule,
    /// Business days that an owner has to decide, from when a channel has accepted the notice; whole days in the zone of the
    /// Environment, no weekends, no holidays. Default 5, at least 3.
    #[serde(default = "default_grace")]
    #[schemars(range(min = 3, max = 60))]
    pub grace_business_days: i32,
    /// Days on which nobody is expected to decide anything, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 400), inner(length(max = 10), regex(pattern = DAY)), extend("x-kubernetes-list-type" = "set"))]
    pub holidays: Vec<String>,
    /// So many running hosts of a duty always stay, in each environment and zone: no Retirement is written that would leave fewer.
    /// Default 2.
    #[serde(default = "default_keep_last")]
    #[schemars(range(min = 1, max = 1000))]
    pub keep_last_hosts: i32,
    /// People who must approve a Retirement of an Environment with `lean.enforcement: Retire` before its host may be stopped.
    /// Default 2.
    #[serde(default = "default_approvals")]
    #[schemars(range(min = 1, max = 10))]
    pub approvals_needed: i32,
}

fn default_approvals() -> i32 {
    2
}

/// When a host is idle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdleRule {
    /// Whole days (UTC) that are looked at, up to yesterday. Default 35, so that a month-end job shows; at most the 90 that are read.
    /// A rule with fewer than 35 only points at hosts: it will never be enough to retire one.
    #[serde(default = "default_days")]
    #[schemars(range(min = 7, max = 90))]
    pub window_days: i32,
    /// Of EC2 instances.
    #[serde(default)]
    pub instances: IdleInstances,
    /// Of RDS DB instances.
    #[serde(default)]
    pub databases: IdleDatabases,
}

/// How quiet an EC2 instance must be. The defaults are AWS's own (Compute Optimizer, "Idle resource recommendations").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdleInstances {
    /// The highest sample of its processor stays below this on every day. Default 5.
    #[serde(default = "default_cpu")]
    #[schemars(range(min = 1, max = 100))]
    pub cpu_below_percent: i32,
    /// It receives and sends, together, less than this every day (a megabyte is 1,000,000 bytes). Default 5.
    #[serde(default = "default_network")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub daily_network_below_megabytes: i32,
    /// Its EBS volumes are read and written, together, less often than this every day. Without it nobody asks: logs alone
    /// write tens of thousands of times. Instance types built on Xen tell nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub daily_disk_below_operations: Option<i32>,
}

/// How quiet an RDS DB instance must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdleDatabases {
    /// At no moment it has more connections than this. Default 0.
    #[serde(default)]
    #[schemars(range(min = 0, max = 100_000))]
    pub at_most_connections: i32,
    /// The highest sample of its processor stays below this on every day. Without it nobody asks: backups and maintenance show
    /// there. A rule without it, or above 5, only points at databases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub cpu_below_percent: Option<i32>,
    /// It reads and writes, together, less often than this every day. Without it nobody asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub daily_disk_below_operations: Option<i32>,
}

fn default_grace() -> i32 {
    5
}

fn default_keep_last() -> i32 {
    2
}

fn default_days() -> i32 {
    35
}

fn default_cpu() -> i32 {
    5
}

fn default_network() -> i32 {
    5
}

impl Default for IdleRule {
    fn default() -> Self {
        Self {
            window_days: default_days(),
            instances: IdleInstances::default(),
            databases: IdleDatabases::default(),
        }
    }
}

impl Default for IdleInstances {
    fn default() -> Self {
        Self {
            cpu_below_percent: default_cpu(),
            daily_network_below_megabytes: default_network(),
            daily_disk_below_operations: None,
        }
    }
}

/// What the last pass saw of a policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetirementPolicyStatus {
    /// The generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Condition `Ready`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// Counts as people read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<RetirementPolicySummary>,
}

/// Counts of a policy: `-` is "not known now", never zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetirementPolicySummary {
    /// Running hosts that are judged by it.
    #[schemars(length(max = 32))]
    pub hosts: String,
    /// Those that it calls unused, kept ones among them.
    #[schemars(length(max = 32))]
    pub unused: String,
    /// Those of which nobody can say: too young, without data, or not read.
    #[schemars(length(max = 32))]
    pub unknown: String,
}
