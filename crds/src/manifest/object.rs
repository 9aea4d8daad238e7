//! What a file may hold: our kinds as typed objects, namespaces for their labels, and others' objects by name.

use std::collections::BTreeMap;

use super::problem::{ObjectName, Place};
use crate::v1alpha1::{
    CloudAccount, Environment, Exemption, Host, HostRole, MonitoringSystem, NotificationChannel,
    RequiredCheck, Retirement, RetirementPolicy,
};

/// An object that Rollcall reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    /// An AWS account.
    CloudAccount(Box<CloudAccount>),
    /// An environment.
    Environment(Box<Environment>),
    /// A role.
    HostRole(Box<HostRole>),
    /// A required check.
    RequiredCheck(Box<RequiredCheck>),
    /// A monitoring system.
    MonitoringSystem(Box<MonitoringSystem>),
    /// An exemption.
    Exemption(Box<Exemption>),
    /// A policy.
    RetirementPolicy(Box<RetirementPolicy>),
    /// One host's way out.
    Retirement(Box<Retirement>),
    /// Where notices go.
    NotificationChannel(Box<NotificationChannel>),
    /// A host, as `kubectl get -o yaml` prints it.
    Host(Box<Host>),
    /// A namespace: grants select namespaces by their labels.
    Namespace {
        /// Its name.
        name: String,
        /// Its labels, with `kubernetes.io/metadata.name`, which every namespace of a cluster has.
        labels: BTreeMap<String, String>,
    },
}

/// An object and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Where it stands.
    pub place: Place,
    /// Which it is.
    pub name: ObjectName,
    /// What it says.
    pub object: Object,
}

/// An object of somebody else's kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where it stands.
    pub place: Place,
    /// What it is: `v1 ConfigMap prices`.
    pub what: String,
}
