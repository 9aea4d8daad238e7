//! What a Nagios tells, as the engine's registry: hosts are registrations, services are checks.
//!
//! Nothing is judged here but whether a result is late. What Nagios has no notion of (services with roles, monitors
//! on metrics, metrics) is not supported, and never an empty list.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rollcall_engine::ids::RegistrationId;
use rollcall_engine::reading::Reading;
use rollcall_engine::registry::{
    Check as CheckOf, Checks, Product, Program as ProgramOf, Recipients as RecipientsOf, Registration,
    RegistrationStatus, Registry, Run, named_instance,
};

use super::source::NagiosSource;
use super::told::{Check, Contact, Host, Notified, Program, Recipients, Service, Told};
use crate::{Depth, RegistrySource};

#[async_trait]
impl RegistrySource for NagiosSource {
    /// Nothing is to be explained: every read holds its lists against Nagios' own counts, and one of no hosts is refused.
    fn remember(&mut self, _: std::collections::BTreeSet<RegistrationId>) {}

    async fn read(&mut self, now: Timestamp, _: Depth) -> Registry {
        registry(self.told(now).await, now)
    }
}

/// The registry of what was told at `now`.
#[must_use]
pub fn registry(told: Told, now: Timestamp) -> Registry {
    let switches = Switches::of(told.program.seen.as_ref());
    let mut hearers =
        Hearers::new(&told.contacts.seen, told.contacts.complete(now, SignedDuration::MAX).is_some());
    let downtimes: BTreeMap<RegistrationId, Quiet> =
        told.hosts.seen.iter().map(|host| (host.name.clone(), Quiet::of(&host.check))).collect();
    let (hosts_at, services_at) = (told.hosts.at().unwrap_or(now), told.services.at().unwrap_or(now));
    Registry {
        product: Product::Nagios,
        organization: None,
        program: Some(map(told.program, |program| {
            program.map(|program| switches_of(&program)).unwrap_or_default()
        })),
        notifications: None,
        hosts: map(told.hosts, |hosts| {
            hosts.into_iter().map(|host| registration(host, &switches.hosts, hosts_at)).collect()
        }),
        services: none("services with roles", now),
        monitors: none("monitors on metrics", now),
        checks: Checks::Listed(map(told.services, |services| {
            let mut checks: BTreeMap<RegistrationId, Vec<CheckOf>> = BTreeMap::new();
            for Service { host, name, check } in services {
                let mut run = run(&check, &switches.services, services_at);
                run.heard_by = hearers.of(&check.recipients);
                // Nagios notifies nobody of a service whose host is in a downtime.
                let of_host = downtimes.get(&host).copied().unwrap_or_default();
                (run.in_downtime, run.downtime_until) = Quiet::of(&check).or(of_host).told();
                checks.entry(host).or_default().push(CheckOf { name, run });
            }
            checks.values_mut().for_each(Vec::shrink_to_fit);
            checks
        })),
        last_metric: none("metrics", now),
    }
}

/// A listing that Nagios does not have.
fn none<T: Default>(what: &str, now: Timestamp) -> Reading<T> {
    Reading::failed(format!("{what} of nagios"), now, Product::Nagios.has_no(what))
}

fn map<A, B>(reading: Reading<A>, to: impl FnOnce(A) -> B) -> Reading<B> {
    let Reading { source, request_ids, extent, seen } = reading;
    Reading { source, request_ids, extent, seen: to(seen) }
}

fn registration(host: Host, switches: &Switch, at: Timestamp) -> Registration {
    let run = run(&host.check, switches, at);
    // A host that is checked on demand is never late; one that is reported from outside without a threshold may be.
    let on_demand = both(host.check.active, switches.active) == Some(true);
    let run = Run { is_late: run.is_late.or_else(|| on_demand.then_some(false)), ..run };
    let mut variables = host.variables;
    variables.retain(|_, value| named_instance(value).is_some());
    Registration {
        name: host.name.to_string(),
        id: host.name,
        custom_identifier: None,
        instance_id: None,
        provider: None,
        status: RegistrationStatus::Working,
        run: Some(Box::new(run)),
        variables,
        roles: Vec::new(),
        addresses: host.address.and_then(|address| address.parse().ok()).into_iter().collect(),
        created_at: None,
    }
}

fn run<S>(check: &Check<S>, switch: &Switch, at: Timestamp) -> Run {
    Run {
        is_run: any(both(check.active, switch.active), both(check.passive, switch.passive)),
        is_late: check.is_stale(at),
        notifies: check.notifications,
        in_downtime: check.in_downtime,
        downtime_until: check.downtime_until,
        heard_by: None,
    }
}

/// The switches of the whole program.
fn switches_of(program: &Program) -> ProgramOf {
    ProgramOf {
        notifies: program.notifications,
        checks_hosts: any(program.active_host_checks, program.passive_host_checks),
        checks_services: any(program.active_service_checks, program.passive_service_checks),
    }
}

/// Who of the recipients of services may be notified. Each set is worked out once.
struct Hearers<'c> {
    /// `None`: contacts could not be read.
    contacts: Option<BTreeMap<&'c str, &'c Contact>>,
    known: HashMap<Arc<Recipients>, Option<RecipientsOf>>,
}

impl<'c> Hearers<'c> {
    fn new(contacts: &'c [Contact], is_whole: bool) -> Self {
        let by_name = || contacts.iter().map(|contact| (&*contact.name, contact)).collect();
        Self { contacts: is_whole.then(by_name), known: HashMap::new() }
    }

    /// Contacts that are not known to be switched off, and the groups that were named, while anybody of them is there.
    fn of(&mut self, recipients: &Arc<Recipients>) -> Option<RecipientsOf> {
        let Self { contacts, known } = self;
        let contacts = contacts.as_ref()?;
        let heard = known.entry(Arc::clone(recipients)).or_insert_with(|| {
            let is_off =
                |notified: Notified| notified.configured == Some(false) || notified.now == Some(false);
            let awake = recipients
                .contacts
                .iter()
                .filter(|name| contacts.get(&***name).is_some_and(|contact| !is_off(contact.of_services)));
            let mut names: Vec<Arc<str>> = awake.cloned().collect();
            // Which contact is of which group is not told: with one of them switched off, nobody knows of the groups.
            if names.len() < recipients.contacts.len() && !recipients.groups.is_empty() {
                return None;
            }
            if !names.is_empty() {
                names.extend(recipients.groups.iter().cloned());
            }
            names.sort();
            names.dedup();
            Some(names.into())
        });
        heard.clone()
    }
}

/// Whether somebody wants no notifications for a while, and until when.
#[derive(Clone, Copy, Default)]
struct Quiet {
    in_downtime: Option<bool>,
    until: Option<Timestamp>,
}

impl Quiet {
    fn of<S>(check: &Check<S>) -> Self {
        Self { in_downtime: check.in_downtime, until: check.downtime_until }
    }

    /// One of the two is enough; until when is known only when it is of each that there is.
    fn or(self, other: Self) -> Self {
        let in_downtime = any(self.in_downtime, other.in_downtime);
        let begun = [self, other].into_iter().filter(|quiet| quiet.in_downtime == Some(true));
        let until = begun.map(|quiet| quiet.until).reduce(|a, b| Some(a?.max(b?)));
        Self { in_downtime, until: until.flatten() }
    }

    fn told(self) -> (Option<bool>, Option<Timestamp>) {
        (self.in_downtime, self.until)
    }
}

/// The switches of the whole program that decide with those of one check.
struct Switches {
    hosts: Switch,
    services: Switch,
}

struct Switch {
    active: Option<bool>,
    passive: Option<bool>,
}

impl Switches {
    fn of(program: Option<&Program>) -> Self {
        let of = |told: fn(&Program) -> Option<bool>| program.and_then(told);
        Self {
            hosts: Switch { active: of(|p| p.active_host_checks), passive: of(|p| p.passive_host_checks) },
            services: Switch {
                active: of(|p| p.active_service_checks),
                passive: of(|p| p.passive_service_checks),
            },
        }
    }
}

/// Both switches must be on; one that is known to be off is enough to know.
pub(super) fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// One way that is open is enough; that there is none is known only when both are known to be closed.
fn any(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    both(one.map(|open| !open), other.map(|open| !open)).map(|closed| !closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_downtime_of_the_host_is_one_of_its_services_and_the_later_end_counts() {
        let at = |seconds| Timestamp::from_second(seconds).ok();
        let quiet = |in_downtime, until| Quiet { in_downtime, until };
        let cases = [
            (quiet(Some(false), None), quiet(Some(true), at(9)), (Some(true), at(9))),
            (quiet(Some(true), at(5)), quiet(Some(true), at(9)), (Some(true), at(9))),
            (quiet(Some(true), at(5)), quiet(Some(false), None), (Some(true), at(5))),
            (quiet(Some(true), at(5)), quiet(Some(true), None), (Some(true), None)),
            (quiet(Some(false), None), Quiet::default(), (None, None)),
            (quiet(Some(false), None), quiet(Some(false), None), (Some(false), None)),
        ];
        for (service, host, expected) in cases {
            assert_eq!(service.or(host).told(), expected);
        }
    }

    #[test]
    fn what_is_known_of_one_switch_may_be_enough() {
        let (on, off, dark) = (Some(true), Some(false), None);
        assert_eq!([both(on, on), both(off, dark), both(dark, off), both(on, dark)], [on, off, off, dark]);
        assert_eq!([any(on, dark), any(off, on), any(off, off), any(off, dark)], [on, on, off, dark]);
    }
}
