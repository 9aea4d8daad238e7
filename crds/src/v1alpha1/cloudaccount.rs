//! `CloudAccount`: one AWS account, written by the platform admin. It says where hosts may be seen and
//! which namespaces may claim which of them. No grant, no claim.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ACCOUNT_ID, HostSelector, LabelSelector, LeanEnforcement, NAME, NAMESPACE, REGION};

/// One AWS account whose hosts Rollcall may see. The account id is proved by STS before anything is
/// believed; which namespaces may claim which hosts is said by `grants`.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "rollcall.dev",
    version = "v1alpha1",
    kind = "CloudAccount",
    plural = "cloudaccounts",
    shortname = "rcacct",
    category = "rollcall",
    status = "CloudAccountStatus",
    derive = "PartialEq",
    doc = "One AWS account whose hosts Rollcall may see: its id, regions, how to read it, and which namespaces may claim which hosts.",
    printcolumn(name = "Account", type_ = "string", json_path = ".spec.accountID"),
    printcolumn(name = "Hosts", type_ = "string", json_path = ".status.summary.hosts"),
    printcolumn(name = "Unclaimed", type_ = "string", json_path = ".status.summary.unclaimed"),
    printcolumn(
        name = "Inventory",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="InventoryFresh")].reason"#
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        priority = 1,
        json_path = r#".status.conditions[?(@.type=="InventoryFresh")].message"#
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.observe) || !has(self.observe.roleARN) || self.observe.roleARN.contains(':iam::' + self.accountID + ':role/')")
    .message("observe.roleARN belongs to another account than accountID").field_path(".observe.roleARN"))]
#[x_kube(validation = Rule::new("!has(self.retire) || self.retire.roleARN.contains(':iam::' + self.accountID + ':role/')")
    .message("retire.roleARN belongs to another account than accountID").field_path(".retire.roleARN"))]
#[x_kube(validation = Rule::new("!has(self.retire) || !has(self.observe) || !has(self.observe.roleARN) || self.retire.roleARN != self.observe.roleARN")
    .message("retire.roleARN and observe.roleARN are one role: whoever reads must not be able to stop anything").field_path(".retire.roleARN"))]
pub struct CloudAccountSpec {
    /// The twelve digits of the AWS account. STS must answer with this very id, else nothing that was read counts.
    /// Immutable: another account is another object.
    #[serde(rename = "accountID")]
    #[schemars(length(max = 12), regex(pattern = ACCOUNT_ID))]
    #[x_kube(validation = Rule::new("self == oldSelf").message("accountID is immutable: create another CloudAccount"))]
    pub account_id: String,
    /// AWS regions to read, for example `ap-northeast-1`. A region that is not listed does not exist for Rollcall.
    #[schemars(length(min = 1, max = 40), inner(length(max = 32), regex(pattern = REGION)), extend("x-kubernetes-list-type" = "set"))]
    pub regions: Vec<String>,
    /// The identity that reads. Without it the operator's ambient credentials are used (instance profile, IRSA, Pod Identity).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observe: Option<ObserveIdentity>,
    /// The identity that may stop hosts of this account. Without it nothing in this account can ever be stopped. This version of
    /// Rollcall never uses it; what would speak against using it stands in the condition `RetirementAllowed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retire: Option<RetireIdentity>,
    /// Which namespaces may claim which hosts of this account. Empty: nobody may, every host is unclaimed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), extend("x-kubernetes-list-type" = "atomic"))]
    pub grants: Vec<Grant>,
    /// Namespace for the Host objects of hosts that no Environment claims. Without it they are only counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = NAMESPACE))]
    pub unclaimed_namespace: Option<String>,
}

/// How the account is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.externalID) || has(self.roleARN)").message("externalID is used only together with roleARN").field_path(".externalID"))]
pub struct ObserveIdentity {
    /// Role to assume for reading, for example `arn:aws:iam::123456789012:role/rollcall-observe`.
    #[serde(default, rename = "roleARN", skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 256),
        regex(pattern = "^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$")
    )]
    pub role_arn: Option<String>,
    /// External id that the role's trust policy asks for.
    #[serde(default, rename = "externalID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 1224))]
    pub external_id: Option<String>,
    /// Secret in the operator's namespace with the keys `aws_access_key_id`, `aws_secret_access_key` and, if temporary,
    /// `aws_session_token`. With `roleARN` these credentials assume the role; without it they are used as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretName>,
}

/// Who may stop hosts of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetireIdentity {
    /// Role to assume for it, another one than that which reads: `arn:aws:iam::123456789012:role/rollcall-retire`.
    #[serde(rename = "roleARN")]
    #[schemars(
        length(max = 256),
        regex(pattern = "^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$")
    )]
    pub role_arn: String,
}

/// The name of a Secret whose namespace is fixed by the kind that refers to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretName {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub name: String,
}

/// One permission to claim: Environments in these namespaces may claim these hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// Labels of the namespaces that may claim. The label `kubernetes.io/metadata.name` names one namespace.
    pub namespace_selector: LabelSelector,
    /// Hosts they may claim; without it, any host of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_selector: Option<HostSelector>,
    /// How far Environments may go with them, whatever they ask for: `Flag`, `Notify` (default) or `Retire`. Of several grants
    /// that admit a host the furthest counts.
    #[serde(default = "default_enforcement")]
    pub max_enforcement: LeanEnforcement,
}

fn default_enforcement() -> LeanEnforcement {
    LeanEnforcement::Notify
}

/// What Rollcall saw of the account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloudAccountStatus {
    /// The generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Conditions `Ready`, `InventoryFresh` and `RetirementAllowed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The same counts as text, `-` where they are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<CloudAccountSummary>,
}

/// Counts as people read them: `-` is "not known now", never zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloudAccountSummary {
    /// Hosts that exist.
    #[schemars(length(max = 32))]
    pub hosts: String,
    /// Hosts that no Environment claims.
    #[schemars(length(max = 32))]
    pub unclaimed: String,
}
