//! `RequiredCheck`: what each host, or the environment itself, must have, and why. One row of the coverage ledger.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Assertion, DAY, HostService, IS_A_DAY, LabelSelector, NAME, Owner};

/// Thresholds stay where JSON numbers are exact in every client.
const THRESHOLD: i64 = 1_000_000_000_000_000;

/// Something every host of certain roles, or each environment itself, must have, and why. It is covered when one of
/// `watched.by` really watches it.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "rollcall.dev",
    version = "v1alpha1",
    kind = "RequiredCheck",
    plural = "requiredchecks",
    shortname = "rccheck",
    category = "rollcall",
    namespaced,
    status = "RequiredCheckStatus",
    derive = "PartialEq",
    doc = "Something every host of certain roles, or each environment itself, must have, and why: one row of the coverage ledger.",
    printcolumn(name = "Severity", type_ = "string", json_path = ".spec.severity"),
    printcolumn(name = "Applies", type_ = "string", json_path = ".status.summary.applies"),
    printcolumn(name = "Covered", type_ = "string", json_path = ".status.summary.covered"),
    printcolumn(name = "Missing", type_ = "string", json_path = ".status.summary.missing"),
    printcolumn(name = "Unknown", type_ = "string", json_path = ".status.summary.unknown"),
    printcolumn(name = "Review-Due", type_ = "string", json_path = ".status.summary.reviewDue"),
    printcolumn(name = "Why", type_ = "string", priority = 1, json_path = ".spec.why"),
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
#[x_kube(validation = Rule::new("(has(self.subject) && self.subject == 'Environment') || (has(self.appliesTo) && (has(self.appliesTo.roles) || has(self.appliesTo.services)))")
    .message("appliesTo: name roles or services; without them the check would apply to no host").field_path(".appliesTo"))]
#[x_kube(validation = Rule::new("!has(self.subject) || self.subject != 'Environment' || !has(self.appliesTo) || !(has(self.appliesTo.roles) || has(self.appliesTo.services) || has(self.appliesTo.exceptRoles))")
    .message("appliesTo: a check of the environment takes environments alone; roles and services belong to hosts").field_path(".appliesTo"))]
#[x_kube(validation = Rule::new("has(self.watched) != has(self.assertion)").message("name one of watched and assertion").field_path(".watched"))]
#[x_kube(validation = Rule::new("!has(self.assertion) || (has(self.subject) && self.subject == 'Environment') != (has(self.assertion.ec2) || has(self.assertion.rds))")
    .message("assertion: ec2 and rds are about hosts; the others about an environment (subject: Environment)").field_path(".assertion"))]
#[x_kube(validation = Rule::new("!has(self.watched) || self.watched.by.all(way, (has(self.subject) && self.subject == 'Environment') == (has(way.external) || has(way.service)))")
    .message("watched.by: external and service watch an environment (subject: Environment); check, hostMetric and connectivity watch a host").field_path(".watched.by"))]
pub struct RequiredCheckSpec {
    /// What must have it. `Host`: each host that `appliesTo` means. `Environment`: each environment once, for what is
    /// watched from outside and belongs to no single host, such as its login page. Default `Host`.
    #[serde(default, skip_serializing_if = "CheckSubject::is_host")]
    pub subject: CheckSubject,
    /// Which hosts, or which environments, must have it.
    #[serde(default, skip_serializing_if = "AppliesTo::is_everywhere")]
    pub applies_to: AppliesTo,
    /// Why it is required: what happened, or would happen, without it. The next reader decides by this
    /// sentence whether the check may go.
    #[schemars(length(min = 1, max = 1024))]
    pub why: String,
    /// How bad it is when it is not covered. Only Critical makes an environment non-compliant. Default Warning.
    #[serde(default)]
    pub severity: Severity,
    /// Who answers for this check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// How to put it right, shown with the finding, for example "Ansible role linux + check-ntpoffset".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub fix: Option<String>,
    /// When somebody must ask again whether this check is still needed. Overdue is a finding (RC0601).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// The day from which it is enforced, `YYYY-MM-DD`, as the environment's time zone counts days. Until then it is only
    /// counted: its column fills, and nothing is flagged. For a check that a fleet has to grow into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), regex(pattern = DAY))]
    #[x_kube(validation = Rule::new(IS_A_DAY).message("enforceFrom: no such day in the calendar; expected one such as 2026-12-01"))]
    pub enforce_from: Option<String>,
    /// What counts as watching.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<Watched>,
    /// What must be true of AWS itself, instead of what must be watched. Unknown while what it is about is in transition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<Assertion>,
}

impl RequiredCheckSpec {
    /// The ways to watch; none of a check that asserts.
    #[must_use]
    pub fn ways(&self) -> &[WatchedBy] {
        self.watched.as_ref().map_or(&[], |watched| &watched.by)
    }
}

/// What a check is about.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum CheckSubject {
    /// Each host that it applies to: one row per host.
    #[default]
    Host,
    /// Each environment that it applies to: one row per environment.
    Environment,
}

impl CheckSubject {
    /// Is it about hosts?
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub fn is_host(&self) -> bool {
        *self == Self::Host
    }
}

/// How bad a finding is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Severity {
    /// Makes the environment non-compliant.
    Critical,
    /// Should be put right.
    #[default]
    Warning,
    /// Good to know.
    Info,
}

/// Which hosts a check is required on: in matching environments, hosts of any of `services` with any of `roles` and none
/// of `exceptRoles`. A check of the environment itself takes `environments` alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.exceptRoles) || !has(self.roles) || !self.roles.exists(r, r in self.exceptRoles)")
    .message("appliesTo: a role stands in both roles and exceptRoles").field_path(".exceptRoles"))]
pub struct AppliesTo {
    /// Labels of the environments; without it, all environments that see this check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<LabelSelector>,
    /// Services of AWS that run the hosts: `EC2` or `RDS`. Without it, both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2), extend("x-kubernetes-list-type" = "set"))]
    pub services: Option<Vec<HostService>>,
    /// Roles; a host with any of them must have the check. Without it, every host of `services`. An empty list would
    /// apply to nobody and is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50), inner(length(min = 1, max = 253), regex(pattern = NAME)), extend("x-kubernetes-list-type" = "set"))]
    pub roles: Option<Vec<String>>,
    /// Hosts with any of these roles are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50), inner(length(min = 1, max = 253), regex(pattern = NAME)), extend("x-kubernetes-list-type" = "set"))]
    pub except_roles: Option<Vec<String>>,
}

impl AppliesTo {
    /// Is nothing said, so that a check of the environment applies to all of them?
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        *self == Self::default()
    }
}

/// When a check must be looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// Days between reviews.
    #[schemars(range(min = 1, max = 3650))]
    pub every_days: i32,
    /// Day of the last review, `YYYY-MM-DD`.
    #[schemars(length(max = 10), regex(pattern = DAY))]
    #[x_kube(validation = Rule::new(IS_A_DAY).message("last: no such day in the calendar; expected one such as 2026-09-01"))]
    pub last: String,
}

/// What counts as watching: any one of these, or several systems at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.atLeast) || self.atLeast <= self.by.size()").message("watched: atLeast is more than the ways in by").field_path(".atLeast"))]
pub struct Watched {
    /// In how many different systems it must be watched: 2 for what may not depend on one of them. Default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 5))]
    pub at_least: i32,
    /// Alternatives; the row is covered when `atLeast` different systems among them watch the host or environment.
    #[schemars(length(min = 1, max = 10), extend("x-kubernetes-list-type" = "atomic"))]
    pub by: Vec<WatchedBy>,
}

fn one() -> i32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(number: &i32) -> bool {
    *number == 1
}

/// One way to watch a host or an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.check), has(self.hostMetric), has(self.connectivity), has(self.external), has(self.service)].exists_one(x, x)")
    .message("watched.by: name exactly one of check, hostMetric, connectivity, external, service"))]
pub struct WatchedBy {
    /// Name of the MonitoringSystem, in this namespace or in the library.
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub system: String,
    /// A check that runs for the host, known by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<NamedCheck>,
    /// A monitor on a metric of the host, with a threshold that is not too lax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_metric: Option<HostMetric>,
    /// Alerts when the host no longer answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connectivity: Option<Connectivity>,
    /// A monitor that looks at the environment from outside, known by what it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalMonitor>,
    /// A check of something that is no host of ours, such as a web site that is a host in Nagios.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<HostedService>,
    /// Whom its alerts must reach: any one of these. Names of notification channels in Mackerel, of contacts or contact
    /// groups in Nagios. Without it nobody asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20), inner(length(min = 1, max = 256)), extend("x-kubernetes-list-type" = "set"))]
    pub notifies: Option<Vec<String>>,
}

/// A check known by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamedCheck {
    /// Name of the check in the monitoring system, for example `check-disk`. May hold `${env.NAME}`.
    #[schemars(length(min = 1, max = 256))]
    pub name: String,
}

/// A monitor on a metric of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(has(self.thresholdAtMost) && has(self.thresholdAtLeast))")
    .message("hostMetric: name thresholdAtMost or thresholdAtLeast, not both"))]
pub struct HostMetric {
    /// Name of the metric, for example `disk%`. May hold `${env.NAME}`.
    #[schemars(length(min = 1, max = 256))]
    pub metric: String,
    /// The monitor must alert above a value not greater than this: `disk% > 100` watches nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -THRESHOLD, max = THRESHOLD))]
    pub threshold_at_most: Option<i64>,
    /// The monitor must alert below a value not less than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -THRESHOLD, max = THRESHOLD))]
    pub threshold_at_least: Option<i64>,
}

/// Alerts when the host no longer answers. It has no fields yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Connectivity {}

/// A monitor that looks from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExternalMonitor {
    /// What it asks for, for example `https://${env.fqdn}/`: the same scheme, host, port, path and query. May hold `${env.NAME}`.
    #[schemars(length(min = 1, max = 1024))]
    pub url: String,
}

/// A check of a host of the monitoring system that need be no host of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostedService {
    /// Name of the host there, for example `${env.fqdn}`. May hold `${env.NAME}`.
    #[schemars(length(min = 1, max = 256))]
    pub host: String,
    /// Name of the service on it, for example `app-http`. May hold `${env.NAME}`.
    #[schemars(length(min = 1, max = 256))]
    pub description: String,
}

/// What the last pass saw of a check, over all environments that see it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequiredCheckStatus {
    /// The generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Condition `Ready`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The row of the coverage ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<RequiredCheckSummary>,
}

/// The row of the coverage ledger: `-` is "not known now", never zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequiredCheckSummary {
    /// Hosts, or environments, it applies to.
    #[schemars(length(max = 32))]
    pub applies: String,
    /// Those on which it is covered.
    #[schemars(length(max = 32))]
    pub covered: String,
    /// Those on which it is missing, silent, muted or weak.
    #[schemars(length(max = 32))]
    pub missing: String,
    /// Those on which nobody can judge it now.
    #[schemars(length(max = 32))]
    pub unknown: String,
    /// Day of the next review, with `overdue` behind it when it has passed.
    #[schemars(length(max = 32))]
    pub review_due: String,
}
