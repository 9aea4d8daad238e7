//! `MonitoringSystem`: one place where hosts are registered and watched, and how its names join to hosts.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{NAME, SecretName};

/// One monitoring system: how to reach it and how what it calls a host joins to a host.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "rollcall.dev",
    version = "v1alpha1",
    kind = "MonitoringSystem",
    plural = "monitoringsystems",
    shortname = "rcmon",
    category = "rollcall",
    namespaced,
    status = "MonitoringSystemStatus",
    derive = "PartialEq",
    doc = "One monitoring system: how to reach it and how what it calls a host joins to a host.",
    printcolumn(name = "Registered", type_ = "string", json_path = ".status.summary.registered"),
    printcolumn(name = "Joined", type_ = "string", json_path = ".status.summary.joined"),
    printcolumn(name = "Ghosts", type_ = "string", json_path = ".status.summary.ghosts"),
    printcolumn(name = "Strangers", type_ = "string", json_path = ".status.summary.strangers"),
    printcolumn(name = "Duplicates", type_ = "string", json_path = ".status.summary.duplicates"),
    printcolumn(
        name = "Registrations",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="RegistrationsFresh")].reason"#
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
        json_path = r#".status.conditions[?(@.type=="RegistrationsFresh")].message"#
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.mackerel) != has(self.nagios)").message("name one system: mackerel or nagios").field_path(".mackerel"))]
pub struct MonitoringSystemSpec {
    /// A Mackerel organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mackerel: Option<MackerelSystem>,
    /// A Nagios 4, read by its JSON CGIs or from its files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nagios: Option<NagiosSystem>,
    /// Certificates (PEM) of the authorities to trust besides those of the system, in this namespace: for a server
    /// whose certificate your own authority signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret: Option<SecretKey>,
    /// How registrations join to hosts: the first rule that gives exactly one host wins; a rule that gives
    /// several is ambiguous and the registration is unknown. Default for Mackerel: `CustomIdentifier`, then
    /// `InstanceID`; for Nagios: `CustomVariable` `_INSTANCE_ID`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8), extend("x-kubernetes-list-type" = "atomic"))]
    pub join: Option<Vec<JoinRule>>,
    /// CloudAccounts to which every instance that is registered here belongs, with the regions that they name: your word for
    /// it. Without it, a registration of an instance that Rollcall never saw is a stranger, for it may be another
    /// account's. With it, it is a ghost (RC0201) once complete readings of all these accounts have not shown the instance
    /// for a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50), inner(length(min = 1, max = 253), regex(pattern = NAME)), extend("x-kubernetes-list-type" = "set"))]
    pub only_accounts: Option<Vec<String>>,
    /// Minutes without any metric after which a registered host is Silent (RC0103). Default 30.
    #[serde(default = "default_silent_minutes")]
    #[schemars(range(min = 5, max = 1440))]
    pub silent_minutes: i32,
}

fn default_silent_minutes() -> i32 {
    30
}

/// A Mackerel organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!has(self.apiURL) || !self.apiURL.contains('@')").message("apiURL must not hold a user or a password").field_path(".apiURL"))]
pub struct MackerelSystem {
    /// Base address of the API. Default `https://api.mackerelio.com`; `http` and private addresses only where
    /// the platform admin allows them.
    #[serde(default, rename = "apiURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), regex(pattern = r"^https?://[^/?#\s]+/?$"))]
    pub api_url: Option<String>,
    /// The API key, in this namespace. Reading is enough.
    pub api_key_secret: SecretKey,
    /// Name of the organisation that the key must open (`mkr org` prints it). Default: the one it opened first; a key that
    /// opens another one later is not believed until that one is named here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9._-]+$"))]
    pub organization: Option<String>,
}

/// A Nagios 4: hosts and services as its JSON CGIs tell them, or its files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.statusURL) != has(self.files)").message("name one way to read it: statusURL or files").field_path(".statusURL"))]
#[x_kube(validation = Rule::new("has(self.basicAuthSecret) == has(self.statusURL)").message("basicAuthSecret belongs to statusURL, which needs it; files need none").field_path(".basicAuthSecret"))]
#[x_kube(validation = Rule::new("!has(self.statusURL) || !self.statusURL.contains('@')").message("statusURL must not hold a user or a password").field_path(".statusURL"))]
pub struct NagiosSystem {
    /// Address of the folder with `statusjson.cgi` and `objectjson.cgi`, as in
    /// `https://nagios.example.com/nagios/cgi-bin/`; `http` and private addresses only where the platform admin
    /// allows them.
    #[serde(default, rename = "statusURL", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256), regex(pattern = r"^https?://[^?#\s]+$"))]
    pub status_url: Option<String>,
    /// The login (basic authentication), in this namespace: a Secret of type `kubernetes.io/basic-auth`, with the keys
    /// `username` and `password`. The user must be named in `authorized_for_all_hosts` and
    /// `authorized_for_all_services` of `cgi.cfg`, and be none of Nagios' contacts: to others the CGIs show a part
    /// as if it were all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_auth_secret: Option<SecretName>,
    /// The files that it writes, instead of its CGIs: for a Nagios of many thousand hosts, and for an Icinga 2 with its
    /// compatibility writers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<NagiosFiles>,
    /// Seconds of one unit of time in its configuration: `interval_length` in `nagios.cfg`. Default 60.
    #[serde(default = "default_interval_length")]
    #[schemars(range(min = 1, max = 3600))]
    pub interval_length_seconds: i32,
}

fn default_interval_length() -> i32 {
    60
}

/// Where the two files of one Nagios lie for whoever reads them: below the folder that the platform admin allows
/// (`--nagios-files` of the operator).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NagiosFiles {
    /// Its configuration as it understood it: `object_cache_file` in `nagios.cfg`, often `/var/cache/nagios4/objects.cache`.
    #[schemars(length(min = 2, max = 256), regex(pattern = PATH))]
    pub object_cache_file: String,
    /// What it last saw: `status_file` in `nagios.cfg`, often `/var/cache/nagios4/status.dat`.
    #[schemars(length(min = 2, max = 256), regex(pattern = PATH))]
    pub status_file: String,
}

/// An absolute path.
const PATH: &str = r"^/[^\s]+$";

/// A key of a Secret in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKey {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub name: String,
    /// Key in its data.
    #[schemars(length(min = 1, max = 253), regex(pattern = "^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

/// One way to tell which host a registration speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("(self.by == 'Name') == has(self.pattern)").message("join: pattern belongs to by: Name, and only there").field_path(".pattern"))]
#[x_kube(validation = Rule::new("(self.by == 'CustomVariable') == has(self.variable)").message("join: variable belongs to by: CustomVariable, and only there").field_path(".variable"))]
#[x_kube(validation = Rule::new("!has(self.pattern) || self.pattern.contains('(?<name>') || self.pattern.contains('(?P<name>')")
    .message("join: pattern needs a group called name, for example ^(?<name>[a-z0-9-]+)[.]internal$").field_path(".pattern"))]
pub struct JoinRule {
    /// What is compared. `CustomIdentifier`: Mackerel's custom identifier against the instance id, or a database's endpoint.
    /// `InstanceID`: the id that the agent reports about itself. `Name`: the registered name, taken apart by
    /// `pattern`, against the host's name. `Address`: any registered address against the host's.
    /// `CustomVariable`: the custom variable `variable` of a Nagios host against the instance id.
    pub by: JoinBy,
    /// For `CustomVariable`: its name as in the configuration, `_INSTANCE_ID`; upper and lower case ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), regex(pattern = "^_[A-Za-z0-9_]+$"))]
    pub variable: Option<String>,
    /// For `Name`: a regular expression (RE2 syntax) on the registered name; its group `name` must equal the host's name: the Name tag of an instance, the identifier of a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    #[x_kube(validation = Rule::new("''.matches(self) || !''.matches(self)").message("join: pattern is not a regular expression (RE2 syntax)"))]
    pub pattern: Option<String>,
}

/// What a join rule compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum JoinBy {
    /// Mackerel's custom identifier, `i-0abc.ec2.amazonaws.com` or a database's endpoint, upper and lower case ignored.
    CustomIdentifier,
    /// The instance id that the agent reports about itself.
    InstanceID,
    /// The registered name, taken apart by `pattern`, against the host's name.
    Name,
    /// Any registered address against the host's addresses in the same account.
    Address,
    /// A custom variable of a Nagios host against the instance id.
    CustomVariable,
}

/// What the last reading of a monitoring system said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonitoringSystemStatus {
    /// The generation that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Conditions `Ready` and `RegistrationsFresh`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// The columns of `kubectl get rcmon`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<MonitoringSystemSummary>,
    /// Some registrations that join to no host Rollcall knows: other accounts, offices, load balancers.
    /// They are reported and never acted on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = kube::core::ListMerge::Map(vec!["id".into()]))]
    pub strangers: Vec<StrangerStatus>,
}

/// Counts of a monitoring system: `-` is "not known now", never zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonitoringSystemSummary {
    /// Hosts registered.
    #[schemars(length(max = 32))]
    pub registered: String,
    /// Registrations that join to one host.
    #[schemars(length(max = 32))]
    pub joined: String,
    /// Registrations of hosts that are proved gone.
    #[schemars(length(max = 32))]
    pub ghosts: String,
    /// Registrations that join to nothing Rollcall knows.
    #[schemars(length(max = 32))]
    pub strangers: String,
    /// Registrations beyond the first of one host.
    #[schemars(length(max = 32))]
    pub duplicates: String,
}

/// A registration that joins to no host Rollcall knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StrangerStatus {
    /// Its id in the monitoring system.
    #[schemars(length(max = 128))]
    pub id: String,
    /// Its name there.
    #[schemars(length(max = 256))]
    pub name: String,
    /// What it seems to be: `elb`, `rds`, `unknown`.
    #[schemars(length(max = 32))]
    pub kind: String,
}
