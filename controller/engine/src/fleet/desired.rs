//! The raw input of a pass: custom resources and namespaces as people wrote them. Part of every recording.

use std::collections::BTreeMap;
use std::fmt;

use rollcall_crds::manifest::{Found, Object};
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
    /// `RetirementPolicy` objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<api::RetirementPolicy>,
    /// `Retirement` objects, as they stand: Rollcall writes them, and goes on from what it has written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retirements: Vec<api::Retirement>,
    /// `NotificationChannel` objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<api::NotificationChannel>,
    /// Objects that could not even be read as their kind, as their reader describes them. They are part of
    /// the input because what they would have said is not known: nothing is unclaimed or unrequired meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Problem>,
    /// Labels of the namespaces that hold them: grants select by label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// The namespace whose roles, checks and systems every namespace sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
}

impl Desired {
    /// What manifests hold, each kind in their order; no library is named in them.
    #[must_use]
    pub fn of(objects: impl IntoIterator<Item = Found>) -> Self {
        let mut desired = Self::default();
        for found in objects {
            match found.object {
                Object::CloudAccount(object) => desired.accounts.push(*object),
                Object::Environment(object) => desired.environments.push(*object),
                Object::HostRole(object) => desired.roles.push(*object),
                Object::RequiredCheck(object) => desired.checks.push(*object),
                Object::MonitoringSystem(object) => desired.systems.push(*object),
                Object::Exemption(object) => desired.exemptions.push(*object),
                Object::RetirementPolicy(object) => desired.policies.push(*object),
                Object::Retirement(object) => desired.retirements.push(*object),
                Object::NotificationChannel(object) => desired.channels.push(*object),
                // Rollcall writes Hosts itself; what people keep of them says nothing about what they want.
                Object::Host(_) => {}
                Object::Namespace { name, labels } => {
                    desired.namespaces.insert(name, labels);
                }
            }
        }
        desired
    }
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
    /// `RetirementPolicy`
    RetirementPolicy,
    /// `Retirement`; of it people write only their decision.
    Retirement,
    /// `NotificationChannel`
    NotificationChannel,
}

impl Kind {
    /// The kind as manifests spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CloudAccount => "CloudAccount",
            Self::Environment => "Environment",
            Self::HostRole => "HostRole",
            Self::RequiredCheck => "RequiredCheck",
            Self::MonitoringSystem => "MonitoringSystem",
            Self::Exemption => "Exemption",
            Self::RetirementPolicy => "RetirementPolicy",
            Self::Retirement => "Retirement",
            Self::NotificationChannel => "NotificationChannel",
        }
    }
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

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind.as_str())?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        write!(f, "{}: {}: {}", self.name, self.reason, self.message)
    }
}
