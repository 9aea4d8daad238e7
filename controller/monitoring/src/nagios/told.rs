//! What a system of hosts with services says, whichever way it was read: neutral, without HTTP and without files.
//!
//! `None` always means "not told, or not understood"; it never means "no". Names, states and times are the system's own;
//! nothing is judged here but whether a result is late.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use rollcall_engine::ids::{CheckName, RegistrationId};
use rollcall_engine::reading::Reading;
use serde::{Deserialize, Serialize};

/// All listings of one system, each a reading of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// The program that watches. `None` only when the reading failed; a program that is told here was running.
    pub program: Reading<Option<Program>>,
    /// Hosts, by name.
    pub hosts: Reading<Vec<Host>>,
    /// Services, by host and name.
    pub services: Reading<Vec<Service>>,
    /// Downtimes, begun or planned; several of the same thing and time are told as one.
    pub downtimes: Reading<Vec<Downtime>>,
    /// People and machines that can be notified, by name.
    pub contacts: Reading<Vec<Contact>>,
}

/// The program that watches, and its global switches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Program {
    /// Its version, in its own words.
    pub version: Option<String>,
    /// Since when it has been running with this configuration.
    pub started: Option<Timestamp>,
    /// When it last wrote down its status.
    pub updated: Timestamp,
    /// Whether anybody is notified of anything at all.
    pub notifications: Option<bool>,
    /// Whether hosts are checked actively at all.
    pub active_host_checks: Option<bool>,
    /// Whether services are checked actively at all.
    pub active_service_checks: Option<bool>,
    /// Whether results for hosts from outside are taken at all.
    pub passive_host_checks: Option<bool>,
    /// Whether results for services from outside are taken at all.
    pub passive_service_checks: Option<bool>,
}

/// One host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Host {
    /// Its name there, which is its id.
    pub name: RegistrationId,
    /// What people call it.
    pub alias: Option<String>,
    /// Its address as configured: an IP address or a DNS name.
    pub address: Option<String>,
    /// Its custom variables by upper-case name without the leading underscore: `INSTANCE_ID`. Empty ones are left out.
    pub variables: BTreeMap<String, String>,
    /// How it is watched.
    pub check: Check<HostState>,
}

/// One service of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// The host's name.
    pub host: RegistrationId,
    /// Its own name: Nagios' `service_description`.
    pub name: CheckName,
    /// How it is watched.
    pub check: Check<ServiceState>,
}

/// How a host or a service is watched, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Check<S> {
    /// The command's name. Never its arguments, which may hold passwords.
    pub command: Option<Arc<str>>,
    /// What is believed of it at present.
    pub state: Option<S>,
    /// When the last result came, active or passive; none when there has been none.
    pub last_check: Option<Timestamp>,
    /// By when the next result should have come at the latest. None when nothing says so: results from outside without a
    /// threshold, or no checks at all.
    pub due: Option<Timestamp>,
    /// Whether it is checked actively.
    pub active: Option<bool>,
    /// Whether results from outside are taken.
    pub passive: Option<bool>,
    /// Whether problems of it notify anybody.
    pub notifications: Option<bool>,
    /// Whether somebody has acknowledged its present problem.
    pub acknowledged: Option<bool>,
    /// Whether it is in a downtime now.
    pub in_downtime: Option<bool>,
    /// When the last of its present downtimes ends, if that is known.
    pub downtime_until: Option<Timestamp>,
    /// Who is notified.
    pub recipients: Arc<Recipients>,
}

impl<S> Check<S> {
    /// Whether a result is overdue at `now`. `None`: nothing says when one should have come.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> Option<bool> {
        self.due.map(|due| due < now)
    }
}

/// What is believed of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HostState {
    /// No result has ever come: nothing is known.
    Pending,
    /// It answers.
    Up,
    /// It does not.
    Down,
    /// What it is reached through does not.
    Unreachable,
}

/// What is believed of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ServiceState {
    /// No result has ever come: nothing is known.
    Pending,
    /// In order.
    Ok,
    /// Not quite.
    Warning,
    /// Not in order.
    Critical,
    /// The check itself could not tell.
    Unknown,
}

/// Who is notified.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipients {
    /// Contacts, named directly or through a group.
    pub contacts: BTreeSet<Arc<str>>,
    /// Groups of contacts.
    pub groups: BTreeSet<Arc<str>>,
}

/// One downtime.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Downtime {
    /// Of this host.
    pub host: RegistrationId,
    /// Of this service of it; none: of the host, which does not cover its services.
    pub service: Option<CheckName>,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends. A flexible one that has not begun yet ends some time before this.
    pub until: Timestamp,
    /// Whether it is in effect.
    pub in_effect: Option<bool>,
}

/// Somebody who can be notified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// The name.
    pub name: Arc<str>,
    /// Of problems of hosts.
    pub of_hosts: Notified,
    /// Of problems of services.
    pub of_services: Notified,
}

/// Whether a contact is notified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notified {
    /// By the configuration.
    pub configured: Option<bool>,
    /// Now: people switch contacts off at run time. The JSON CGIs do not tell, so it is none there.
    pub now: Option<bool>,
}
