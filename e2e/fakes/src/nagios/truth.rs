//! The ground truth of one installation: what is configured, and what people switched at run time.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    check::ServiceState,
    objects::{Contact, Downtime, Host, Program, Refusal, Service},
};

/// Longest name of a host or service that is taken.
const MAX_NAME: usize = 255;
/// What no name may hold (`illegal_object_name_chars`).
const ILLEGAL: &str = "`~!$%^&*|'\"<>?,()=";

/// Everything that is true of an installation at one time. Times are epoch seconds.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    pub(super) now: i64,
    pub(super) started: i64,
    /// Switches of the program; see [`Truth::stop_running_services`].
    pub program: Program,
    pub(super) hosts: BTreeMap<String, Host>,
    pub(super) contacts: BTreeMap<String, Contact>,
    pub(super) groups: BTreeMap<String, BTreeSet<String>>,
    /// By number, in the order in which they were entered.
    pub(super) downtimes: Vec<Downtime>,
}

impl Truth {
    pub(super) fn started_at(now: i64) -> Self {
        let mut truth = Self { now, started: now, ..Self::default() };
        truth.add_contact("oncall", Contact { of_hosts: true, of_services: true }, &["admins"]);
        truth
    }

    /// All hosts, by name.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.values()
    }

    /// The host of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn host(&self, name: &str) -> Result<&Host, Refusal> {
        self.hosts.get(name).ok_or_else(|| Refusal(format!("The host '{name}' could not be found.")))
    }

    fn host_mut(&mut self, name: &str) -> Result<&mut Host, Refusal> {
        self.hosts.get_mut(name).ok_or_else(|| Refusal(format!("The host '{name}' could not be found.")))
    }

    fn service_mut(&mut self, host: &str, service: &str) -> Result<&mut Service, Refusal> {
        let none = || Refusal(format!("The service '{service}' on host '{host}' could not be found."));
        self.host_mut(host)?.services.get_mut(service).ok_or_else(none)
    }

    /// Configures a host with its services; what Nagios runs by itself runs from now on.
    ///
    /// # Errors
    /// When a host of that name is there, or a name is none that Nagios takes.
    pub fn add_host(&mut self, mut host: Host) -> Result<(), Refusal> {
        for name in host.services.keys().chain([&host.name]) {
            named(name)?;
        }
        if self.hosts.contains_key(&host.name) {
            return Err(Refusal(format!("Error: Duplicate definition found for host '{}'", host.name)));
        }
        host.check.begin(self.now);
        host.services.values_mut().for_each(|service| service.check.begin(self.now));
        self.hosts.insert(host.name.clone(), host);
        Ok(())
    }

    /// Takes a host out of the configuration, with its services and downtimes.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove_host(&mut self, name: &str) -> Result<Host, Refusal> {
        self.host(name)?;
        self.downtimes.retain(|downtime| downtime.host != name);
        self.hosts.remove(name).ok_or_else(|| Refusal(format!("The host '{name}' could not be found.")))
    }

    /// Configures one more service of a host, in force from now on.
    ///
    /// # Errors
    /// As [`Truth::add_host`].
    pub fn add_service(&mut self, host: &str, mut service: Service) -> Result<(), Refusal> {
        named(&service.description)?;
        let now = self.now;
        let services = &mut self.host_mut(host)?.services;
        if services.contains_key(&service.description) {
            let name = &service.description;
            return Err(Refusal(format!(
                "Error: Duplicate definition found for service '{name}' on '{host}'"
            )));
        }
        service.check.begin(now);
        services.insert(service.description.clone(), service);
        Ok(())
    }

    /// Takes a service out of the configuration.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove_service(&mut self, host: &str, service: &str) -> Result<(), Refusal> {
        self.service_mut(host, service)?;
        self.host_mut(host)?.services.remove(service);
        self.downtimes.retain(|one| one.host != host || one.service.as_deref() != Some(service));
        Ok(())
    }

    /// Somebody who can be notified, in these groups.
    pub fn add_contact(&mut self, name: &str, contact: Contact, groups: &[&str]) {
        self.contacts.insert(name.to_owned(), contact);
        for group in groups {
            self.groups.entry((*group).to_owned()).or_default().insert(name.to_owned());
        }
    }

    /// Takes a contact away, out of all groups too.
    pub fn remove_contact(&mut self, name: &str) {
        self.contacts.remove(name);
        for members in self.groups.values_mut() {
            members.remove(name);
        }
    }

    /// A service turns to this state; every result says so from now on.
    ///
    /// # Errors
    /// When there is no such service, as all below.
    pub fn service_turns(&mut self, host: &str, service: &str, state: ServiceState) -> Result<(), Refusal> {
        self.service_mut(host, service)?.check.state = state;
        Ok(())
    }

    /// Somebody reports a service every so many seconds from now on; 0: once.
    ///
    /// # Errors
    /// As [`Truth::service_turns`].
    pub fn is_reported(&mut self, host: &str, service: &str, every: i64) -> Result<(), Refusal> {
        let now = self.now;
        self.service_mut(host, service)?.check.reports(now, every);
        Ok(())
    }

    /// No result of a service comes any more: its reporter died, or the queue of checks has lost it.
    ///
    /// # Errors
    /// As [`Truth::service_turns`].
    pub fn falls_silent(&mut self, host: &str, service: &str) -> Result<(), Refusal> {
        let now = self.now;
        self.service_mut(host, service)?.check.ends(now);
        Ok(())
    }

    /// `ENABLE_SVC_CHECK` and its opposite.
    ///
    /// # Errors
    /// As [`Truth::service_turns`].
    pub fn check_service(&mut self, host: &str, service: &str, active: bool) -> Result<(), Refusal> {
        let now = self.now;
        self.service_mut(host, service)?.check.switch(active, now);
        Ok(())
    }

    /// `ENABLE_SVC_NOTIFICATIONS` and its opposite.
    ///
    /// # Errors
    /// As [`Truth::service_turns`].
    pub fn notify_of_service(&mut self, host: &str, service: &str, on: bool) -> Result<(), Refusal> {
        self.service_mut(host, service)?.check.notifications = on;
        Ok(())
    }

    /// `ENABLE_HOST_NOTIFICATIONS` and its opposite; those of its services stay as they are.
    ///
    /// # Errors
    /// When there is no such host.
    pub fn notify_of_host(&mut self, host: &str, on: bool) -> Result<(), Refusal> {
        self.host_mut(host)?.check.notifications = on;
        Ok(())
    }

    /// `STOP_EXECUTING_SVC_CHECKS`: no service is checked any more, whatever its own switch says.
    pub fn stop_running_services(&mut self) {
        let now = self.now;
        self.program.active_service_checks = false;
        let services = self.hosts.values_mut().flat_map(|host| host.services.values_mut());
        services.filter(|service| service.check.active).for_each(|service| service.check.ends(now));
    }

    /// A downtime of a host, or of a service of it, from now on for so many seconds.
    ///
    /// # Errors
    /// When there is no such host or service.
    pub fn downtime(&mut self, host: &str, service: Option<&str>, seconds: i64) -> Result<(), Refusal> {
        match service {
            Some(service) => self.service_mut(host, service).map(|_| ())?,
            None => self.host(host).map(|_| ())?,
        }
        let (entered, from) = (self.now, self.now);
        let (host, service) = (host.to_owned(), service.map(str::to_owned));
        self.downtimes.push(Downtime { host, service, entered, from, until: from.saturating_add(seconds) });
        Ok(())
    }

    /// A restart, or a reload: it has been running since now.
    pub fn restart(&mut self) {
        self.started = self.now;
    }

    /// Who is notified of a host or service with these contacts and groups; members of groups are told too.
    pub(super) fn recipients(&self, contacts: &[String], groups: &[String]) -> BTreeSet<String> {
        let members = groups.iter().filter_map(|group| self.groups.get(group)).flatten();
        contacts.iter().chain(members).cloned().collect()
    }
}

/// A name that Nagios takes.
fn named(name: &str) -> Result<(), Refusal> {
    let is_taken = |c: char| c.is_control() || ILLEGAL.contains(c) || c == ';';
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(is_taken) {
        return Err(Refusal(format!("Error: The name {name:?} contains one or more illegal characters.")));
    }
    Ok(())
}
