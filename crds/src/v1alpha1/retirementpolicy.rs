//! `RetirementPolicy`: what "unused" means for a team's hosts, and on which terms they leave.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DAY;

/// What a team calls unused, and on which terms such hosts leave. An Environment names it in `spec.lean.policy`; one that names
/// none is judged by the default rule, which is what stands here where a field is left out. This version of Rollcall stops and
/// deletes nothing because of it: it points at hosts (RC0401), tells their owners where an Environment asks for that
/// (`lean.enforcement: Notify`), and people decide. Windows, budget, cool-off, probation, final act and acknowledgements are
/// checked and shown already, and hold back what a later version may do.
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
    doc = "What a team calls unused, and on which terms such hosts leave: which signals must be quiet for how many days, and what a stop would need.",
    printcolumn(name = "Days", type_ = "integer", json_path = ".spec.idle.windowDays"),
    printcolumn(name = "Hosts", type_ = "string", json_path = ".status.summary.hosts"),
    printcolumn(name = "Unused", type_ = "string", json_path = ".status.summary.unused"),
    printcolumn(name = "Unknown", type_ = "string", json_path = ".status.summary.unknown"),
    printcolumn(name = "Proposed", type_ = "integer", json_path = ".status.probation.proposed"),
    printcolumn(name = "Later-Used", type_ = "integer", json_path = ".status.probation.laterUsed"),
    printcolumn(name = "Runs-Since", type_ = "date", priority = 1, json_path = ".status.probation.runSince"),
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
    /// Days on which nobody is expected to decide anything, `YYYY-MM-DD`. No window opens on them, nor on the day before one.
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
    /// When hosts may be stopped or deleted, by the clocks of the Environment's time zone. Outside of them nothing is begun. Default:
    /// Monday to Thursday, 10:00 to 16:00. An empty list (`[]`) means never; a field with nothing behind it
    /// is one that is left out. On holidays and on the day before one, all are closed.
    #[serde(default = "default_windows")]
    #[schemars(length(max = 50), extend("x-kubernetes-list-type" = "atomic"))]
    pub windows: Vec<RetirementWindow>,
    /// How many hosts may be begun with on one day, per Environment. Without it: 2 percent of its running hosts, one at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<RetirementBudget>,
    /// Days for which a host must stay in the stop that Rollcall made before the final act. A start by anybody ends it. Default 14.
    #[serde(default = "default_cool_off")]
    #[schemars(range(min = 1, max = 365))]
    pub cool_off_days: i32,
    /// How it ends once the cool-off is over: `Stop` (default) leaves the host stopped; `HandOver` does too, and tells its owner
    /// which resource to remove, as Terraform would make it again; `Terminate` deletes it.
    #[serde(default)]
    pub final_act: RetirementFinalAct,
    /// Days for which this very rule (`idle`) must have run in an Environment without acting before any host may be stopped
    /// by it. A rule that is changed begins anew. Default 30, and at least 30: a month-end must be among them.
    #[serde(default = "default_probation")]
    #[schemars(range(min = 30, max = 365))]
    pub probation_days: i32,
    /// What people have looked at and found right: what a rule points at, before it may act for the first time, and each
    /// trip of the breaker, after which everything stands. None counts while Rollcall's admission policy, which vouches for who
    /// wrote it, is not in force; this version of Rollcall has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["user".into(), "of".into()]))]
    pub acknowledgements: Vec<Acknowledgement>,
}

fn default_approvals() -> i32 {
    2
}

fn default_windows() -> Vec<RetirementWindow> {
    let days = vec![DayOfWeek::Monday, DayOfWeek::Tuesday, DayOfWeek::Wednesday, DayOfWeek::Thursday];
    vec![RetirementWindow { days, from: "10:00".to_owned(), to: "16:00".to_owned() }]
}

fn default_cool_off() -> i32 {
    14
}

fn default_probation() -> i32 {
    30
}

/// A time on some days of the week. Where clocks are set forward or back it is open for the shorter of what it could mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.from != self.to")
    .message("a window of a RetirementPolicy: expected two different times in from and to, found the same one twice; a whole day is two windows, 00:00 to 12:00 and 12:00 to 00:00").field_path(".to"))]
pub struct RetirementWindow {
    /// The days on which it begins: `Monday` to `Sunday`.
    #[schemars(length(min = 1, max = 7), extend("x-kubernetes-list-type" = "set"))]
    pub days: Vec<DayOfWeek>,
    /// When it begins, `HH:MM` of 24 hours.
    #[schemars(length(max = 5), regex(pattern = TIME_OF_DAY))]
    pub from: String,
    /// When it ends, `HH:MM`; a time that is not after `from` is on the next day, so `00:00` is midnight.
    #[schemars(length(max = 5), regex(pattern = TIME_OF_DAY))]
    pub to: String,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "days of the week")]
pub enum DayOfWeek {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// How many hosts may be begun with on one day, per Environment; one of both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.perDayHosts) || !has(self.perDayPercent)")
    .message("budget of a RetirementPolicy: expected perDayHosts or perDayPercent, found both; leave one of them out").field_path(".perDayPercent"))]
pub struct RetirementBudget {
    /// So many hosts. 0: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub per_day_hosts: Option<i32>,
    /// So many percent of the Environment's running hosts, rounded down, and one at least. 0: none. At most 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10))]
    pub per_day_percent: Option<i32>,
}

/// How a retirement ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RetirementFinalAct {
    /// The host stays stopped.
    #[default]
    Stop,
    /// The host stays stopped, and its owner is told which resource to remove.
    HandOver,
    /// The host is deleted, with a backup.
    Terminate,
}

/// Somebody has looked at something, and found it right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledgement {
    /// Who, by the name under which the API server knows them.
    #[schemars(length(min = 1, max = 256))]
    pub user: String,
    /// What: the hash of a rule (`status.probation.ruleHash`) for what it points at, or the name of a trip of the breaker
    /// (`idle-1795000000`).
    #[schemars(length(max = 32), regex(pattern = ACKNOWLEDGED))]
    pub of: String,
}

/// The hash of a rule, or the name of a trip of the breaker.
const ACKNOWLEDGED: &str = "^([0-9a-f]{16}|(idle|vanished)-[0-9]{1,12})$";

/// `HH:MM`
const TIME_OF_DAY: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";

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
    /// How long its rule has run in the Environments that name it, and what came of what it pointed at. Absent where none does,
    /// or none has been judged by it yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probation: Option<RetirementPolicyProbation>,
}

/// How a rule has done so far, over all Environments that name it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetirementPolicyProbation {
    /// The rule (`spec.idle`), as a hash; another rule begins anew.
    #[schemars(length(max = 64))]
    pub rule_hash: String,
    /// Since when it runs in the Environment that was the last to take it up.
    pub run_since: Time,
    /// Hosts that it has called unused since, on evidence that is good enough to act on; kept ones among them.
    pub proposed: i32,
    /// Those of them that were used, or started, afterwards: so many it would have been wrong about.
    pub later_used: i32,
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
