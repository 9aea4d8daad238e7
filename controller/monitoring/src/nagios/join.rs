//! Configuration and status joined: one value, whichever way they were read.
//!
//! What is in one half and not in the other is a gap: the halves come from two files, and a reload between them, or a file
//! that was cut where a block ends, looks like nothing else.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rollcall_engine::ids::{CheckName, RegistrationId};
use rollcall_engine::reading::{Extent, Failure, FailureKind, Gap, Reading};

use super::due::due;
use super::record::{Definition, Gathered, Status, Terms};
use super::registry::both;
use super::told::{Check, Downtime, Host, Service, Told};
use crate::mackerel::listing::Listing;

/// Everything failed for one reason.
pub(super) fn failed(source: &str, since: Timestamp, why: &Failure) -> Told {
    let of = |listing: &str| format!("{listing} of {source}");
    Told {
        program: Reading::failed(of("program"), since, why.clone()),
        hosts: Reading::failed(of("hosts"), since, why.clone()),
        services: Reading::failed(of("services"), since, why.clone()),
        downtimes: Reading::failed(of("downtimes"), since, why.clone()),
        contacts: Reading::failed(of("contacts"), since, why.clone()),
    }
}

/// What was gathered, as it is told. Nothing is newer than the status is.
pub(super) fn told(source: &str, now: Timestamp, terms: &Terms, gathered: Gathered) -> Told {
    let Gathered { program, objects, statuses, nobody } = gathered;
    let at = program.updated.min(now);
    let of = |listing: &str| format!("{listing} of {source}");
    let downtimes = statuses.downtimes.map(|downtimes| downtimes.into_iter().collect::<Vec<_>>());
    let until = until(&downtimes.seen);
    let joined = Joined { terms, started: program.started, until: &until };
    let of_hosts = (program.active_host_checks, program.passive_host_checks);
    let of_services = (program.active_service_checks, program.passive_service_checks);

    let hosts = halves("hosts", objects.hosts, statuses.hosts, |name, host, status| {
        let check = joined.check(&host.definition, status, of_hosts, &(name.clone(), None));
        Host { name, alias: host.alias, address: host.address, variables: host.variables, check }
    });
    let services =
        halves("services", objects.services, statuses.services, |(host, name), definition, status| {
            let of = (host, Some(name));
            let check = joined.check(&definition, status, of_services, &of);
            let (host, name) = (of.0, of.1.unwrap_or_else(|| CheckName::new("")));
            Service { host, name, check }
        });
    let contacts = objects.contacts.map(|contacts| contacts.into_values().collect());
    let mut told = Told {
        program: Reading::complete_at(of("program"), at, Some(program)),
        hosts: hosts.reading(of("hosts"), at),
        services: services.reading(of("services"), at),
        downtimes: downtimes.reading(of("downtimes"), at),
        contacts: contacts.reading(of("contacts"), at),
    };
    if let Some(why) = nobody {
        believe_no_emptiness(&mut told, at, &why);
    }
    told
}

/// A list of no hosts that is whole by all other signs is not believed, nor are the services then.
fn believe_no_emptiness(told: &mut Told, at: Timestamp, why: &Failure) {
    if told.hosts.seen.is_empty() && matches!(told.hosts.extent, Extent::Complete { .. }) {
        told.hosts = Reading::failed(told.hosts.source.clone(), at, why.clone());
        told.services = Reading::failed(told.services.source.clone(), at, why.clone());
    }
}

/// A host, or a service of it.
type Of = (RegistrationId, Option<CheckName>);

/// When the last of the downtimes in effect ends.
fn until(downtimes: &[Downtime]) -> BTreeMap<Of, Timestamp> {
    let mut until = BTreeMap::new();
    for downtime in downtimes.iter().filter(|d| d.in_effect == Some(true)) {
        let of = (downtime.host.clone(), downtime.service.clone());
        let last = until.entry(of).or_insert(downtime.until);
        *last = downtime.until.max(*last);
    }
    until
}

struct Joined<'a> {
    terms: &'a Terms,
    started: Option<Timestamp>,
    until: &'a BTreeMap<Of, Timestamp>,
}

impl Joined<'_> {
    /// `program`: whether checks are run, and results taken, at all.
    fn check<S: Clone>(
        &self,
        definition: &Definition,
        status: Option<Status<S>>,
        program: (Option<bool>, Option<bool>),
        of: &Of,
    ) -> Check<S> {
        let status = status.unwrap_or_default();
        let (active, passive) = (both(status.active, program.0), both(status.passive, program.1));
        let in_force = Status { active, passive, ..status.clone() };
        let due = due(definition, &in_force, self.terms, self.started);
        let downtime_until =
            status.in_downtime.filter(|in_it| *in_it).and_then(|_| self.until.get(of).copied());
        Check {
            command: definition.command.clone(),
            state: status.state,
            last_check: status.last_check,
            due,
            active: status.active,
            passive: status.passive,
            notifications: status.notifications,
            acknowledged: status.acknowledged,
            in_downtime: status.in_downtime,
            downtime_until,
            recipients: definition.recipients.clone(),
        }
    }
}

/// One list of two halves, in the order of its keys. What has no status keeps its place, with everything unknown.
fn halves<K: Ord + Clone + std::fmt::Debug, D, S, T>(
    what: &'static str,
    definitions: Listing<BTreeMap<K, D>>,
    statuses: Listing<BTreeMap<K, Status<S>>>,
    mut join: impl FnMut(K, D, Option<Status<S>>) -> T,
) -> Listing<Vec<T>> {
    let Listing { seen, elements, odd, mut gaps, cut } = definitions;
    let mut found = statuses.seen;
    let mut without: Vec<K> = vec![];
    let mut joined = Vec::with_capacity(seen.len());
    for (key, definition) in seen {
        let status = found.remove(&key);
        if status.is_none() {
            without.push(key.clone());
        }
        joined.push(join(key, definition, status));
    }
    if let Some(why) = statuses.cut {
        gaps.push(Gap {
            what: format!("the status of {what} that follow the first {}", statuses.elements),
            why,
        });
    } else {
        gaps.extend(unlike(what, "a status", "configuration", &without));
    }
    if cut.is_none() {
        gaps.extend(unlike(what, "a configuration", "status", &found.into_keys().collect::<Vec<_>>()));
    }
    gaps.extend(statuses.gaps);
    gaps.extend(statuses.odd.gaps());
    Listing { seen: joined, elements, odd, gaps, cut }
}

/// The halves do not belong together.
fn unlike<K: std::fmt::Debug>(what: &str, other: &str, half: &str, lone: &[K]) -> Option<Gap> {
    let (first, times) = (lone.first()?, lone.len());
    let first: String = format!("{first:?}").chars().take(128).collect();
    let message = format!(
        "expected {other} for all {what} of the {half}, found none for {times}, the first being {first}; after a reload \
         the next poll heals this"
    );
    Some(Gap {
        what: format!("{other} for {times} {what}"),
        why: Failure::new(FailureKind::Malformed, message),
    })
}
