//! How hosts and objects are selected. An empty selector selects nothing and is refused: a forgotten
//! line must never mean "everything" (Google's Diskerase wiped a CDN that way; SRE book, chapter 7).

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Selects hosts: a host is selected when ANY term matches it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostSelector {
    /// Terms, joined by OR. At least one is required: an empty selector would select nothing.
    #[schemars(length(min = 1, max = 32), extend("x-kubernetes-list-type" = "atomic"))]
    pub any_of: Vec<HostTerm>,
}

/// One term of a host selector: ALL fields given here must match the host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = kube::core::Rule::new("has(self.matchTags) || has(self.namePattern) || has(self.vpcIDs)")
    .message("a selector term must name matchTags, namePattern or vpcIDs: an empty term selects nothing"))]
pub struct HostTerm {
    /// Tags the host must carry: every key listed, with one of the values listed for it.
    /// Keys and values are compared exactly, upper and lower case included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minProperties" = 1, "maxProperties" = 20))]
    pub match_tags: Option<BTreeMap<String, TagValues>>,
    /// A regular expression (RE2 syntax) that must be found in the host's name (the Name tag of an instance, the identifier of a database), for example `-app-[0-9]+$`.
    /// Anchor it: `app` alone also matches `mapper-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    #[x_kube(validation = kube::core::Rule::new("''.matches(self) || !''.matches(self)").message("namePattern is not a regular expression (RE2 syntax)"))]
    pub name_pattern: Option<String>,
    /// VPC ids; the host must be in one of them.
    #[serde(default, rename = "vpcIDs", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20), inner(length(max = 32), regex(pattern = "^vpc-[0-9a-f]+$")), extend("x-kubernetes-list-type" = "set"))]
    pub vpc_ids: Option<Vec<String>>,
}

/// Values accepted for one tag key; one of them must be equal to the host's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TagValues(
    #[schemars(length(min = 1, max = 50), inner(length(max = 256)), extend("x-kubernetes-list-type" = "set"))]
    pub Vec<String>,
);

/// Selects Kubernetes objects by their labels: every label listed must be equal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelSelector {
    /// Labels the object must carry, all of them. At least one: an empty selector selects nothing and is refused.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 20))]
    pub match_labels: BTreeMap<String, LabelValue>,
}

/// The value of one label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct LabelValue(#[schemars(length(max = 63))] pub String);
