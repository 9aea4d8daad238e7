//! `NotificationChannel`: where notices about hosts go, in which language, and how their sender is proved.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretKey;

/// Where people are told of hosts that look unused. An Environment names its channels in `spec.notifications`. A notice counts
/// as told once one of them has accepted it; without that no time of an owner begins to run.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "rollcall.dev",
    version = "v1alpha1",
    kind = "NotificationChannel",
    plural = "notificationchannels",
    shortname = "rcnotify",
    category = "rollcall",
    namespaced,
    status = "NotificationChannelStatus",
    derive = "PartialEq",
    doc = "Where people are told of hosts that look unused: a signed webhook, and the language in which it is written to.",
    printcolumn(name = "Language", type_ = "string", json_path = ".spec.language"),
    printcolumn(
        name = "Delivering",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Delivering")].status"#
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
        json_path = r#".status.conditions[?(@.type=="Delivering")].message"#
    )
)]
#[serde(rename_all = "camelCase")]
pub struct NotificationChannelSpec {
    /// A receiver of webhooks, signed as https://www.standardwebhooks.com says.
    pub webhook: Webhook,
    /// The language of what is sent: `English` (default) or `Japanese`.
    #[serde(default)]
    pub language: MessageLanguage,
}

/// A receiver of signed webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// The Secret of this namespace, and the key in it, that holds the receiver's URL: whoever knows it may write there. https,
    /// without user or password in it; where it leads must be allowed as for a MonitoringSystem.
    pub url_secret: SecretKey,
    /// The Secret and key that hold the signing secret: `whsec_` and 24 to 64 bytes in base64. Several may stand there, separated by
    /// spaces, while one replaces the other: each signs.
    pub signing_secret: SecretKey,
}

/// A language in which people are written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MessageLanguage {
    /// English.
    #[default]
    English,
    /// Japanese.
    Japanese,
}

/// What became of what was sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotificationChannelStatus {
    /// The generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Conditions `Ready`, and `Delivering`: whether the last notice was accepted. It is Unknown until there was one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}
