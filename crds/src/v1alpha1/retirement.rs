//! `Retirement`: one host's way out. Written by Rollcall; people read it, and say when it must end here.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ACCOUNT_ID, DAY, NAME};

/// One host's way out. Rollcall writes one for each unused host of an Environment with `lean.enforcement: Notify`, tells the
/// owner, and waits for as long as the RetirementPolicy says; any sign of use, and whoever keeps the host, ends it. Nothing
/// is stopped or deleted because of it. Deleting it touches no host either: it is written anew while the reasons stand.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "rollcall.dev",
    version = "v1alpha1",
    kind = "Retirement",
    plural = "retirements",
    shortname = "rcretire",
    category = "rollcall",
    namespaced,
    status = "RetirementStatus",
    derive = "PartialEq",
    doc = "One host's way out: why it looks unused, who was told, until when its owner may decide, and how it ended. Written by Rollcall only; people set decision: Cancel.",
    selectable = ".spec.environment",
    selectable = ".status.state",
    printcolumn(name = "Host", type_ = "string", json_path = ".status.name"),
    printcolumn(name = "Env", type_ = "string", json_path = ".spec.environment"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Due", type_ = "string", json_path = ".status.due"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.message"),
    printcolumn(name = "Since", type_ = "date", priority = 1, json_path = ".status.since"),
    printcolumn(name = "Duty", type_ = "string", priority = 1, json_path = ".spec.duty")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("self.hostName == oldSelf.hostName && self.providerID == oldSelf.providerID && self.accountID == oldSelf.accountID && self.environment == oldSelf.environment && self.duty == oldSelf.duty && self.policyHash == oldSelf.policyHash && self.path == oldSelf.path && self.approvalsNeeded == oldSelf.approvalsNeeded && has(self.created) == has(oldSelf.created) && (!has(self.created) || self.created == oldSelf.created)")
    .message("only decision may be changed: another host, or another reason, is another Retirement"))]
pub struct RetirementSpec {
    /// The host: the id of an instance, or the DbiResourceId of a database in lower case. Its Host object has the same name.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[a-z0-9-]+$"))]
    pub host_name: String,
    /// `aws:///REGION/ID` of the host.
    #[serde(rename = "providerID")]
    #[schemars(length(max = 128), regex(pattern = "^aws:///[a-z0-9-]+/[A-Za-z0-9-]+$"))]
    pub provider_id: String,
    /// The AWS account it is in.
    #[serde(rename = "accountID")]
    #[schemars(length(max = 12), regex(pattern = ACCOUNT_ID))]
    pub account_id: String,
    /// When a database was made, RFC 3339: another one under the same id is another host. Instances never use an id again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 20, max = 40))]
    pub created: Option<String>,
    /// The Environment that claims it, in this namespace.
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub environment: String,
    /// Why it exists: the first of its duties.
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub duty: String,
    /// The rule by which it was found, as a hash: under another rule this one ends, and the host is judged anew.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[0-9a-f]+$"))]
    pub policy_hash: String,
    /// What was found.
    pub path: RetirementPath,
    /// People who must approve it before its host may be stopped; 0 where its Environment asks for no more than telling owners.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10))]
    pub approvals_needed: i32,
    /// `Proceed` (default), or `Cancel`: somebody decided that it ends here. The host is proposed again when its reasons still
    /// stand and nobody keeps it: to keep it for a while, write an Exemption (RC0401).
    #[serde(default)]
    pub decision: RetirementDecision,
}

/// What was found of a host, and so which way it would go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RetirementPath {
    /// It runs, and does nothing.
    Stop,
    /// Somebody stopped it long ago.
    LongStopped,
    /// A reader of an Aurora cluster that nobody asks.
    Reader,
}

/// Whether it goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RetirementDecision {
    /// It goes on.
    #[default]
    Proceed,
    /// It ends here, and what was done is taken back.
    Cancel,
}

/// Where a Retirement stands. Replaced as a whole by Rollcall, with the version that it had read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetirementStatus {
    /// The generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Condition `Notified`: a channel of the Environment has accepted the notice; where approvals are needed, `Approved`: enough
    /// of them count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The host as people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub name: Option<String>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RetirementState>,
    /// Since when it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Until when its owner may decide; counted in business days from when the notice was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Time>,
    /// In one sentence: what it waits for, or why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub message: Option<String>,
    /// Why it ended: the name of the guard that spoke against it, such as `Keep` or `Idle`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub reason: Option<String>,
    /// What was seen of the host when it was proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<RetirementEvidence>,
    /// What tells one run of the host from another, and whether it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<RetirementSeen>,
}

/// Where a Retirement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RetirementState {
    /// Evidence is recorded; nobody has been told yet.
    Proposed,
    /// Its owner was told, and decides.
    Waiting,
    /// What was done is taken back.
    Undoing,
    /// Everything is as it was.
    Cancelled,
}

/// What was seen of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetirementEvidence {
    /// The first day that was looked at (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), regex(pattern = DAY))]
    pub first_day: Option<String>,
    /// The last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), regex(pattern = DAY))]
    pub last_day: Option<String>,
    /// The first day of its idleness, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), regex(pattern = DAY))]
    pub idle_since: Option<String>,
    /// Since when it has been stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_since: Option<Time>,
    /// Each signal of the rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["signal".into()]))]
    pub signals: Vec<RetirementSignal>,
}

/// One signal over all the days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetirementSignal {
    /// What was measured, and how much of it is quiet: `CPU below 5 %`.
    #[schemars(length(max = 64))]
    pub signal: String,
    /// The most of it on any day, in the same unit, or why there is none.
    #[schemars(length(max = 64))]
    pub most: String,
    /// The latest day on which it was so much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10), regex(pattern = DAY))]
    pub day: Option<String>,
}

/// What Rollcall must not forget of a host on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetirementSeen {
    /// The start of the host that was running when it was proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Time>,
    /// When it was first read to be stopped, of one that somebody stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Time>,
    /// Since when complete readings lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<Time>,
}
