//! `HostRole`: a small role that composes. A host plays many; checks follow roles.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HostSelector, NAME};

/// A role that hosts play. A Duty says why a host exists (app, batch); a Trait says how it is built
/// (linux, jvm). A host has the roles its tag lists, those whose selector matches it, and all they include.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "rollcall.dev",
    version = "v1alpha1",
    kind = "HostRole",
    plural = "hostroles",
    shortname = "rcrole",
    category = "rollcall",
    namespaced,
    status = "HostRoleStatus",
    derive = "PartialEq",
    doc = "A role that hosts play: who plays it, what it includes, and what it is called in the monitoring systems.",
    validation = Rule::new("!has(self.spec.includes) || !(self.metadata.name in self.spec.includes)").message("includes: a role must not include itself").field_path(".spec.includes"),
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "Hosts", type_ = "string", json_path = ".status.summary.hosts"),
    printcolumn(name = "Includes", type_ = "string", json_path = ".spec.includes"),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Message", type_ = "string", priority = 1, json_path = r#".status.conditions[?(@.type=="Ready")].message"#)
)]
#[serde(rename_all = "camelCase")]
pub struct HostRoleSpec {
    /// `Duty`: why a host exists (counted, shown in columns). `Trait`: how it is built.
    #[serde(rename = "type")]
    pub type_: RoleType,
    /// Hosts that play this role because of what they are. Without it only the environment's role tag and
    /// other roles' `includes` give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<HostSelector>,
    /// Roles that everybody who plays this one plays too, in this namespace or the library. Cycles are refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 253), regex(pattern = NAME)), extend("x-kubernetes-list-type" = "set"))]
    pub includes: Vec<String>,
    /// What the role is called in Mackerel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mackerel: Option<MackerelRole>,
    /// May hosts of this role be idle? `Unexpected` (default): one that is looks unused. `Expected`: they wait for their
    /// hour (standbys, replicas, bastions, licence servers, disaster recovery), and are never pointed at. One such role is
    /// enough.
    #[serde(default, skip_serializing_if = "IdleExpectation::is_default")]
    pub idle: IdleExpectation,
    /// May unused hosts of this duty be retired? `Never` (default): they are pointed at, and no Retirement is written for them.
    /// `Allowed`: it may be, where the Environment asks for it. Any `Never` that is written down wins, a host needs one duty that
    /// says `Allowed`; a role that says nothing does not stand in the way of another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retirement: Option<RetirementConsent>,
}

/// Whether hosts of a role may be retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RetirementConsent {
    /// They may be.
    Allowed,
    /// They never are.
    Never,
}

/// Whether hosts of a role may be idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum IdleExpectation {
    /// An idle one looks unused.
    #[default]
    Unexpected,
    /// They are idle by design.
    Expected,
}

/// Why a host exists, or how it is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum RoleType {
    /// Why a host exists: app, batch, db.
    Duty,
    /// How a host is built: linux, jvm.
    Trait,
}

/// What a role is called in Mackerel. The service comes from the Environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.roles) || has(self.statuses)").message("mackerel: name roles or statuses"))]
pub struct MackerelRole {
    /// Role names under the Environment's service, for example `app`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20), inner(length(min = 2, max = 63), regex(pattern = "^[A-Za-z0-9][A-Za-z0-9_-]+$")), extend("x-kubernetes-list-type" = "set"))]
    pub roles: Option<Vec<String>>,
    /// `AtLeast` (default): the host must have these roles and may have more. `Exact`: no others under that service.
    #[serde(default, rename = "match")]
    pub match_: RoleMatch,
    /// Mackerel statuses that a running host of this role may have. Default `working` and `standby`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4), extend("x-kubernetes-list-type" = "set"))]
    pub statuses: Option<Vec<MackerelStatus>>,
}

/// How strictly roles are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RoleMatch {
    /// More roles than these are fine.
    #[default]
    AtLeast,
    /// Any other role under the environment's service is a finding.
    Exact,
}

/// The four statuses of a host in Mackerel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MackerelStatus {
    /// Watched, and alerts notify.
    Working,
    /// Watched, and alerts do not notify.
    Standby,
    /// Not watched for now.
    Maintenance,
    /// Not watched: switched off.
    Poweroff,
}

impl IdleExpectation {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it asks about")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What the last pass saw of a role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostRoleStatus {
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
    pub summary: Option<HostRoleSummary>,
}

/// Counts of a role: `-` is "not known now", never zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostRoleSummary {
    /// Hosts that play it, over all environments that see it.
    #[schemars(length(max = 32))]
    pub hosts: String,
}
