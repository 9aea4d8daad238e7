//! The raw input of a pass: custom resources and namespaces as people wrote them. Part of every recording.

use std::collections::BTreeMap;

use rollcall_crds::v1alpha1 as api;
use serde::{Deserialize, Serialize};

/// All custom resources that describe the fleet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Desired {
    /// `CloudAccount` objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<api::CloudAccount>,
    /// `Environment` objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<api::Environment>,
    /// `HostRole` objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<api::HostRole>,
    /// `RequiredCheck` objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<api::RequiredCheck>,
    /// `MonitoringSystem` objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub systems: Vec<api::MonitoringSystem>,
    /// `Exemption` objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exemptions: Vec<api::Exemption>,
    /// Labels of the namespaces that hold them: grants select by label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// The namespace whose roles, checks and systems every namespace sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
}

/// Kinds that people write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// `CloudAccount`
    CloudAccount,
    /// `Environment`
    Environment,
    /// `HostRole`
    HostRole,
    /// `RequiredCheck`
    RequiredCheck,
    /// `MonitoringSystem`
    MonitoringSystem,
    /// `Exemption`
    Exemption,
}

/// Something wrong in an object that only its author can put right: becomes `Ready=False` on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Kind of the object.
    pub kind: Kind,
    /// Its namespace; empty for a `CloudAccount`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Condition reason, CamelCase: `ReferenceNotFound`, `NotGranted`, `IncludeCycle`, `BadPattern`.
    pub reason: String,
    /// Field, expected, found, next step.
    pub message: String,
}
