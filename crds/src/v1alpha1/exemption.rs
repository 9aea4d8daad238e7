//! `Exemption`: findings accepted for a while. Reason, approver and end are mandatory.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DAY, IS_A_DAY, NAME};

/// Findings that somebody accepts for a while. `Accepted` is a decision; `Baseline` freezes what was
/// found on the first morning: it has its own column, is never "compliant", and only shrinks.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "rollcall.dev",
    version = "v1alpha1",
    kind = "Exemption",
    plural = "exemptions",
    shortname = "rcexempt",
    category = "rollcall",
    namespaced,
    status = "ExemptionStatus",
    derive = "PartialEq",
    doc = "Findings that somebody accepts for a while: which, why, who said so, and until when.",
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "Code", type_ = "string", json_path = ".spec.match.code"),
    printcolumn(name = "Check", type_ = "string", json_path = ".spec.match.check"),
    printcolumn(name = "Remaining", type_ = "integer", json_path = ".status.remaining"),
    printcolumn(name = "Expires", type_ = "string", json_path = ".spec.expires"),
    printcolumn(name = "Reason", type_ = "string", priority = 1, json_path = ".spec.reason"),
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
#[x_kube(validation = Rule::new("self.type != 'Baseline' || has(self.hosts)").message("a Baseline must list its hosts").field_path(".hosts"))]
pub struct ExemptionSpec {
    /// `Accepted`: somebody decided that this is fine for now. `Baseline`: frozen debt, it only shrinks.
    #[serde(rename = "type")]
    pub type_: ExemptionType,
    /// Which findings.
    #[serde(rename = "match")]
    pub match_: FindingMatch,
    /// Host ids (`i-0abc`); without them, every host that the match fits. Required for a Baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2000), inner(length(min = 1, max = 64), regex(pattern = "^[a-z0-9-]+$")), extend("x-kubernetes-list-type" = "set"))]
    pub hosts: Option<Vec<String>>,
    /// Why this is accepted.
    #[schemars(length(min = 1, max = 1024))]
    pub reason: String,
    /// Who accepted it.
    #[schemars(length(min = 1, max = 128))]
    pub approver: String,
    /// Last day of validity, `YYYY-MM-DD` (UTC). Afterwards the findings are back, and the expired exemption is one too (RC0602).
    #[schemars(length(max = 10), regex(pattern = DAY))]
    #[x_kube(validation = Rule::new(IS_A_DAY).message("expires: no such day in the calendar; expected one such as 2027-03-31"))]
    pub expires: String,
}

/// The two kinds of exemption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ExemptionType {
    /// A decision: shown as exempt.
    Accepted,
    /// Frozen debt: own column, never compliant, only shrinks.
    Baseline,
}

/// Which findings an exemption speaks of; all fields given must fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingMatch {
    /// Code of the finding.
    #[schemars(length(max = 6), regex(pattern = "^RC[0-9]{4}$"))]
    pub code: String,
    /// Name of the RequiredCheck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub check: Option<String>,
    /// A role that the host plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub role: Option<String>,
    /// Name of the MonitoringSystem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub system: Option<String>,
}

/// What the exemption still covers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExemptionStatus {
    /// The generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Condition `Ready`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// Findings it covers now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<i32>,
    /// Hosts of a Baseline whose finding went away once: they are never covered again, although the spec still lists them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2000), inner(length(max = 64)), extend("x-kubernetes-list-type" = "set"))]
    pub healed: Vec<String>,
}
