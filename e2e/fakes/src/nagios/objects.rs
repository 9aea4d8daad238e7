//! What a Nagios is configured with: hosts with their services, contacts, downtimes, the program's switches.

use std::collections::BTreeMap;

use super::check::{Check, HostState, ServiceState};

/// Why a change was refused, as `nagios -v` or the log would say it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// A host with its services.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// `host_name`.
    pub name: String,
    /// What people call it; its name when it was not given.
    pub alias: String,
    /// An IP address or a DNS name; its name when it was not given.
    pub address: String,
    /// Custom variables, by upper-case name without the underscore.
    pub variables: BTreeMap<String, String>,
    /// How it is checked.
    pub check: Check<HostState>,
    /// Services by description.
    pub services: BTreeMap<String, Service>,
}

impl Host {
    /// A host of this name that is checked every 5 minutes and is up.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let output = "PING OK - Packet loss = 0%".to_owned();
        Self {
            name: name.to_owned(),
            alias: name.to_owned(),
            address: name.to_owned(),
            variables: BTreeMap::new(),
            check: Check { output, ..Check::active("check-host-alive") },
            services: BTreeMap::new(),
        }
    }

    /// The same at this address.
    #[must_use]
    pub fn at(self, address: &str) -> Self {
        Self { address: address.to_owned(), ..self }
    }

    /// The same with a custom variable, as it is written: `_INSTANCE_ID`.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.trim_start_matches('_').to_uppercase(), value.to_owned());
        self
    }

    /// The same with a service more.
    #[must_use]
    pub fn service(mut self, service: Service) -> Self {
        self.services.insert(service.description.clone(), service);
        self
    }
}

/// A service of a host.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// `service_description`.
    pub description: String,
    /// How it is checked.
    pub check: Check<ServiceState>,
}

impl Service {
    /// A service that Nagios checks every 5 minutes, always well.
    #[must_use]
    pub fn active(description: &str, command: &str) -> Self {
        Self { description: description.to_owned(), check: Check::active(command) }
    }

    /// A service that is reported from outside; see [`Check::reported`].
    #[must_use]
    pub fn reported(description: &str, freshness: Option<i64>) -> Self {
        Self { description: description.to_owned(), check: Check::reported(freshness) }
    }

    /// The same with this check.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Check<ServiceState>)) -> Self {
        change(&mut self.check);
        self
    }
}

/// Somebody who is notified, and may see what he is notified of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Of problems of hosts.
    pub of_hosts: bool,
    /// Of problems of services.
    pub of_services: bool,
}

/// A downtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downtime {
    /// Of this host.
    pub host: String,
    /// Of this service of it; none: of the host, which does not cover its services.
    pub service: Option<String>,
    /// When it was entered, in epoch seconds as the others.
    pub entered: i64,
    /// When it begins.
    pub from: i64,
    /// When it ends.
    pub until: i64,
}

impl Downtime {
    /// Is it in effect at this second?
    #[must_use]
    pub fn covers(&self, at: i64) -> bool {
        (self.from..self.until).contains(&at)
    }
}

/// The switches of the whole program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of Nagios, and all are independent")]
pub struct Program {
    /// Anybody is notified of anything.
    pub notifications: bool,
    /// Hosts are checked.
    pub active_host_checks: bool,
    /// Services are checked.
    pub active_service_checks: bool,
    /// Results of hosts from outside are taken.
    pub passive_host_checks: bool,
    /// Results of services from outside are taken.
    pub passive_service_checks: bool,
}

impl Default for Program {
    fn default() -> Self {
        Self {
            notifications: true,
            active_host_checks: true,
            active_service_checks: true,
            passive_host_checks: true,
            passive_service_checks: true,
        }
    }
}
