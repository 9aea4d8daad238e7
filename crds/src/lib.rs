//! What people write: the custom resources of `rollcall.dev`, their rules and their generated YAML.
//!
//! Doc comments on fields become `kubectl explain` and the reference pages: they are the user's manual.
//! This crate must never hold a client, a clock or a decision; the engine parses these types once
//! and never passes them on.

pub mod conditions;
pub mod manifest;
mod schema;
pub mod v1alpha1;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::core::CustomResourceExt as _;

/// The API group of every Rollcall kind.
pub const GROUP: &str = "rollcall.dev";

/// All CRDs as they are installed, in the order people meet them; `crds/yaml` and the chart are generated from
/// this list. Not quite what `Kind::crd()` derives: here the house rules are settled too.
#[must_use]
pub fn all_crds() -> Vec<CustomResourceDefinition> {
    let derived = vec![
        v1alpha1::CloudAccount::crd(),
        v1alpha1::Environment::crd(),
        v1alpha1::HostRole::crd(),
        v1alpha1::RequiredCheck::crd(),
        v1alpha1::MonitoringSystem::crd(),
        v1alpha1::Exemption::crd(),
        v1alpha1::RetirementPolicy::crd(),
        v1alpha1::Retirement::crd(),
        v1alpha1::NotificationChannel::crd(),
        v1alpha1::Host::crd(),
    ];
    derived.into_iter().map(schema::settle).collect()
}
