//! `Host`: one EC2 instance or one database of RDS as Rollcall sees it. A projection: never an identity, never a lock.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ACCOUNT_ID, REGION, Severity};

/// One host as Rollcall sees it. Written by Rollcall only; deleting it deletes nothing but this view.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "rollcall.dev",
    version = "v1alpha1",
    kind = "Host",
    plural = "hosts",
    shortname = "rchost",
    category = "rollcall",
    namespaced,
    status = "HostStatus",
    derive = "PartialEq",
    doc = "One host as Rollcall sees it: who it is, whether it is watched as required, and what is wrong. Written by Rollcall only; deleting it stops or deletes nothing.",
    selectable = ".spec.service",
    selectable = ".status.environment",
    selectable = ".status.state",
    printcolumn(name = "Host", type_ = "string", json_path = ".status.name"),
    printcolumn(name = "Env", type_ = "string", json_path = ".status.environment"),
    printcolumn(name = "Duty", type_ = "string", json_path = ".status.summary.duty"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Checks", type_ = "string", json_path = ".status.summary.checks"),
    printcolumn(name = "Top-Finding", type_ = "string", json_path = ".status.summary.topFinding"),
    printcolumn(name = "Up", type_ = "date", json_path = ".status.launchTime"),
    printcolumn(name = "Traits", type_ = "string", priority = 1, json_path = ".status.traits"),
    printcolumn(name = "Region", type_ = "string", priority = 1, json_path = ".spec.region"),
    printcolumn(name = "Type", type_ = "string", priority = 1, json_path = ".status.instanceType")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self == oldSelf").message("a Host's identity is immutable: another instance is another Host"))]
pub struct HostSpec {
    /// `aws:///REGION/ID`: the id of an instance, or the DbiResourceId of a database in lower case.
    #[serde(rename = "providerID")]
    #[schemars(length(max = 128), regex(pattern = "^aws:///[a-z0-9-]+/[A-Za-z0-9-]+$"))]
    pub provider_id: String,
    /// The AWS service that runs it.
    pub service: HostService,
    /// The AWS account it is in.
    #[serde(rename = "accountID")]
    #[schemars(length(max = 12), regex(pattern = ACCOUNT_ID))]
    pub account_id: String,
    /// The AWS region it is in.
    #[schemars(length(max = 32), regex(pattern = REGION))]
    pub region: String,
}

/// The AWS service that runs a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum HostService {
    /// An EC2 instance.
    EC2,
    /// A DB instance of RDS, of its own or a member of an Aurora cluster.
    RDS,
}

/// What the last pass saw of a host. Written only when its meaning changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostStatus {
    /// The environment that claims it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub environment: Option<String>,
    /// Its Name tag, or the identifier of a database: as people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub name: Option<String>,
    /// Why it exists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(max = 253)), extend("x-kubernetes-list-type" = "set"))]
    pub duties: Vec<String>,
    /// How it is built.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(max = 253)), extend("x-kubernetes-list-type" = "set"))]
    pub traits: Vec<String>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<HostState>,
    /// When it was last started; of a database, which does not tell that, when it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch_time: Option<Time>,
    /// Its instance type or class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub instance_type: Option<String>,
    /// Of a database that is a member of a cluster: which one, and its part there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<HostCluster>,
    /// How many checks it must have and how many are covered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<HostChecks>,
    /// The columns of `kubectl get rchost`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<HostSummary>,
    /// What is wrong, worst first. All of it: `rollcall plan`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub findings: Vec<HostFinding>,
}

/// Where a host stands. A host that is not running is not judged for coverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum HostState {
    /// New: it may still be incomplete.
    Settling,
    /// It runs and is judged.
    Active,
    /// It is stopped.
    Stopped,
    /// It runs, and looks unused (RC0401); nobody keeps it.
    Unused,
    /// Two environments claim it; neither may do anything about it.
    Contested,
    /// No environment claims it.
    Unclaimed,
    /// Proved gone; this object will go too.
    Gone,
}

/// The part of a database in its cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostCluster {
    /// The cluster, by the identifier it has now.
    #[schemars(length(max = 64))]
    pub name: String,
    /// Who it is there; not said while nobody can tell, as during a failover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<ClusterRole>,
}

/// Who a database is in its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ClusterRole {
    /// It takes the writes.
    Writer,
    /// It only reads, and may become the writer at any time.
    Reader,
}

/// Rows of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostChecks {
    /// Rows required.
    pub required: i32,
    /// Rows covered.
    pub covered: i32,
    /// Rows that nobody can judge now.
    pub unknown: i32,
}

/// The columns of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostSummary {
    /// Its duties, joined.
    #[schemars(length(max = 256))]
    pub duty: String,
    /// `12/14`, with `?2` behind it where two cannot be judged.
    #[schemars(length(max = 32))]
    pub checks: String,
    /// The worst finding in a few words, or what it is waiting for.
    #[schemars(length(max = 256))]
    pub top_finding: String,
}

/// One finding of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostFinding {
    /// Stable code; `rollcall explain RC0102` says more.
    #[schemars(length(max = 8))]
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// The RequiredCheck it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub check: Option<String>,
    /// The MonitoringSystem it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub system: Option<String>,
    /// What was expected and what was found.
    #[schemars(length(max = 512))]
    pub message: String,
    /// Since when.
    pub since: Time,
}
