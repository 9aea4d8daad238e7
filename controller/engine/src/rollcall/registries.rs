//! What each monitoring system's listings let us say: what was seen, and whether being not seen proves anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::in_step::InStep;
use super::names::Told;
use super::reasons::{NOT_JUDGED, Reasons};
use super::{Pass, Reason};
use crate::fleet::System;
use crate::ids::{CheckName, RegistrationId};
use crate::limits::{CHECK_PROOF_MAX_AGE, METRIC_MAX_AGE, REGISTRY_MAX_AGE};
use crate::memory::SystemMemory;
use crate::reading::{Extent, Failure, FailureKind, Reading};
use crate::registry::{Check, Checks, Monitor, Notifications, Program, Registration, Registry};
use crate::text::clean;

/// One monitoring system as this pass sees it.
#[derive(Debug)]
pub(super) struct SystemView<'a> {
    pub(super) system: &'a System,
    pub(super) memory: &'a SystemMemory,
    pub(super) registry: Option<&'a Registry>,
    /// At least one environment needs it.
    pub(super) is_used: bool,
    pub(super) hosts: Sight<'a, Vec<Registration>>,
    pub(super) monitors: Sight<'a, Vec<Monitor>>,
    pub(super) last_metric: Sight<'a, BTreeMap<RegistrationId, Timestamp>>,
    /// The switches of the whole program, where the product has such a notion.
    pub(super) switches: Option<Sight<'a, Program>>,
    /// Whom alerts reach, where that is a listing of its own.
    pub(super) notifications: Option<Sight<'a, Notifications>>,
    /// Checks of all hosts, where one listing tells them.
    pub(super) services: Option<Sight<'a, BTreeMap<RegistrationId, Vec<Check>>>>,
    /// Registrations that were seen, in the order of the listing.
    pub(super) registered: Vec<Registered<'a>>,
}

/// One registration that was seen, with all that is known under its id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registered<'a> {
    pub(super) registration: &'a Registration,
    /// When it last sent a metric, as far as was seen.
    pub(super) last_metric: Option<Timestamp>,
    /// What was read of its checks, if they were ever asked for.
    pub(super) checks: Option<&'a Reading<Vec<CheckName>>>,
    /// The checks that were last proved to run.
    pub(super) held: Option<&'a Arc<[CheckName]>>,
}

/// What one listing lets us say.
#[derive(Debug)]
pub(super) struct Sight<'a, T> {
    /// What was seen, at any extent.
    seen: Option<&'a T>,
    /// When it was seen, if it ever was.
    pub(super) at: Option<Timestamp>,
    /// It was seen recently enough to be so now.
    pub(super) is_fresh: bool,
    /// When the listing was begun, if what it lacks is not there.
    pub(super) proof: Option<Timestamp>,
    /// Why it proves nothing.
    pub(super) blind: Option<(Failure, Reason)>,
}

/// What is known about the checks of one registration.
#[derive(Clone, Copy, Debug)]
pub(super) enum Names<'a> {
    /// All of them.
    All(Told<'a>),
    /// These; whether there are others is unknown, and why.
    AtLeast(Told<'a>, Reason),
}

/// Nothing is told of a program.
static UNTOLD: Program = Program { notifies: None, checks_hosts: None, checks_services: None };

/// None is told.
const NONE: Told<'static> = Told::Names(&[]);

/// Memory of a system that has none yet.
static NEW: SystemMemory = SystemMemory {
    organization: None,
    since: None,
    registrations: BTreeMap::new(),
    checks: BTreeMap::new(),
    findings: BTreeMap::new(),
    unseen: BTreeMap::new(),
    unused_since: None,
};

/// Looks at every system of the fleet, by number.
pub(super) fn look<'a>(pass: &Pass<'a>, reasons: &mut Reasons) -> Vec<SystemView<'a>> {
    let used = pass.fleet.used_systems();
    let systems = pass.fleet.systems.iter();
    systems.map(|system| look_at(pass, system, used.contains(&system.key), reasons)).collect()
}

fn look_at<'a>(pass: &Pass<'a>, system: &'a System, is_used: bool, reasons: &mut Reasons) -> SystemView<'a> {
    let registry = pass.snapshot.registries.get(&system.key).map(|registry| &**registry);
    // The object spoke of another product when this was read.
    let registry = registry.filter(|registry| registry.product == system.endpoint.product());
    let memory = pass.memory.systems.get(&system.key).unwrap_or(&NEW);
    let not_ours = registry.and_then(|registry| not_ours(pass.now, system, memory, registry));
    let mut look = Look { now: pass.now, system, reasons, not_ours };
    let mut hosts = look.at(registry.map(|r| &r.hosts), REGISTRY_MAX_AGE);
    if let Err(fault) = &system.join {
        let failure = Failure::new(FailureKind::Misconfigured, format!("{}: {fault}", system.key));
        hosts.proof = None;
        hosts.blind = Some((failure.clone(), look.reasons.number(&failure)));
    }
    let monitors = look.at(registry.map(|r| &r.monitors), REGISTRY_MAX_AGE);
    let last_metric = look.at(registry.map(|r| &r.last_metric), METRIC_MAX_AGE);
    let services = registry.and_then(|registry| match &registry.checks {
        Checks::Listed(reading) => Some(look.at(Some(reading), REGISTRY_MAX_AGE)),
        Checks::ByHost(_) => None,
    });
    let notifications = registry.and_then(|registry| registry.notifications.as_ref());
    let notifications = notifications.map(|reading| look.at(Some(reading), REGISTRY_MAX_AGE));
    let switches = registry.and_then(|registry| registry.program.as_ref());
    let switches = switches.map(|reading| look.at(Some(reading), REGISTRY_MAX_AGE));
    let registered = registered(&hosts, &last_metric, registry, memory);
    SystemView {
        system,
        memory,
        registry,
        is_used,
        hosts,
        monitors,
        last_metric,
        switches,
        notifications,
        services,
        registered,
    }
}

/// Sets beside each registration what stands under its id elsewhere.
fn registered<'a>(
    hosts: &Sight<'a, Vec<Registration>>,
    last_metric: &Sight<'a, BTreeMap<RegistrationId, Timestamp>>,
    registry: Option<&'a Registry>,
    memory: &'a SystemMemory,
) -> Vec<Registered<'a>> {
    let seen = hosts.seen().into_iter().flatten();
    let mut registered: Vec<Registered<'_>> = seen
        .map(|registration| Registered { registration, last_metric: None, checks: None, held: None })
        .collect();
    let mut by_id: Vec<&mut Registered<'_>> = registered.iter_mut().collect();
    by_id.sort_by(|a, b| a.registration.id.cmp(&b.registration.id));
    let mut metrics = InStep::new(last_metric.seen().into_iter().flatten());
    let mut checks = InStep::new(registry.into_iter().flat_map(|registry| registry.checks.by_host()));
    let mut held = InStep::new(&memory.checks);
    for one in by_id {
        let id = &one.registration.id;
        one.last_metric = metrics.get(id).copied();
        one.checks = checks.get(id);
        one.held = held.get(id);
    }
    registered
}

/// Why nothing that a registry shows may be believed: it is another organisation's, or nobody knows whose. A key that
/// was mixed up opens a well-formed registry in which none of our hosts is.
fn not_ours(now: Timestamp, system: &System, memory: &SystemMemory, registry: &Registry) -> Option<Failure> {
    let reading = registry.organization.as_ref()?;
    let Some(found) = reading.complete(now, REGISTRY_MAX_AGE) else {
        return reading.blindness(now, REGISTRY_MAX_AGE);
    };
    let (found, named) = (found.all().as_str(), system.endpoint.organization());
    let expected = named.or(memory.organization.as_deref()).filter(|expected| *expected != found)?;
    let next = if named.is_some() {
        "put a key of that organisation into the Secret, or correct the field".to_owned()
    } else {
        format!(
            "put the right key into the Secret, or, if the change is meant, set the field to {}",
            clean(found)
        )
    };
    let message = format!(
        "{}: spec.mackerel.organization: expected a key of organisation {}, found one of {}; {next}",
        system.key,
        clean(expected),
        clean(found)
    );
    Some(Failure::new(FailureKind::WrongAccount, message))
}

/// How one system's listings are looked at.
struct Look<'l> {
    now: Timestamp,
    system: &'l System,
    reasons: &'l mut Reasons,
    /// Nothing of it may be believed.
    not_ours: Option<Failure>,
}

impl Look<'_> {
    fn at<'a, T>(&mut self, reading: Option<&'a Reading<T>>, max_age: SignedDuration) -> Sight<'a, T> {
        if let Some(failure) = &self.not_ours {
            let blind = Some((failure.clone(), self.reasons.number(failure)));
            return Sight { seen: None, at: None, is_fresh: false, proof: None, blind };
        }
        let Some(reading) = reading else {
            let failure = Failure::new(FailureKind::NotYetRead, format!("{}: not read yet", self.system.key));
            let reason = self.reasons.number(&failure);
            return Sight {
                seen: None,
                at: None,
                is_fresh: false,
                proof: None,
                blind: Some((failure, reason)),
            };
        };
        let blind = reading.blindness(self.now, max_age);
        Sight {
            seen: Some(&reading.seen),
            at: reading.at(),
            is_fresh: reading.at().is_some_and(|at| self.now.duration_since(at) <= max_age),
            proof: reading.complete(self.now, max_age).map(|complete| complete.at()),
            blind: blind.map(|failure| {
                let reason = self.reasons.number(&failure);
                (failure, reason)
            }),
        }
    }
}

impl<'a, T> Sight<'a, T> {
    /// What was seen, at any extent and age. Nothing may be concluded from what is not in it.
    pub(super) fn seen(&self) -> Option<&'a T> {
        self.seen
    }

    /// Why what was not seen is unknown. Only for sights without proof.
    pub(super) fn reason(&self) -> Reason {
        self.blind.as_ref().map_or(NOT_JUDGED, |(_, reason)| *reason)
    }

    /// The source does not have this listing at all.
    pub(super) fn is_unsupported(&self) -> bool {
        self.blind.as_ref().is_some_and(|(failure, _)| failure.kind == FailureKind::NotSupported)
    }
}

impl<'a> SystemView<'a> {
    /// The switches of the whole program, all untold while nobody knows; none where the product has no such notion.
    pub(super) fn program(&self) -> Option<&'a Program> {
        let sight = self.switches.as_ref()?;
        Some(sight.seen().filter(|_| sight.is_fresh).unwrap_or(&UNTOLD))
    }

    /// The organisation to hold a later key to.
    pub(super) fn organization(&self) -> Option<Arc<str>> {
        let proved =
            self.registry.filter(|_| self.hosts.proof.is_some()).and_then(|r| r.organization.as_ref());
        match (proved, &self.memory.organization) {
            (Some(found), Some(held)) if *found.seen == **held => Some(Arc::clone(held)),
            (Some(found), _) => Some(Arc::from(found.seen.as_str())),
            (None, held) => held.clone(),
        }
    }

    /// The checks of a registration.
    pub(super) fn check_names(
        &self,
        one: &Registered<'a>,
        now: Timestamp,
        reasons: &mut Reasons,
    ) -> Names<'a> {
        match &self.services {
            Some(services) => self.listed(services, &one.registration.id, reasons),
            None => self.asked(one, now, reasons),
        }
    }

    /// The checks of a registration in one listing of all. What is on it and fresh is so; what is not on it is not there
    /// only when it is whole, and not from before the host was listed.
    fn listed(
        &self,
        services: &Sight<'a, BTreeMap<RegistrationId, Vec<Check>>>,
        registration: &RegistrationId,
        reasons: &mut Reasons,
    ) -> Names<'a> {
        let fresh = services.at.filter(|_| services.is_fresh);
        let told = match (fresh, services.seen().and_then(|all| all.get(registration))) {
            (Some(at), Some(checks)) => Told::Checks(checks, at),
            (Some(at), None) if self.hosts.at.is_some_and(|hosts_at| at < hosts_at) => {
                let message = format!("{}: services were read before the host was", self.system.key);
                return Names::AtLeast(NONE, reasons.number(&Failure::new(FailureKind::Stale, message)));
            }
            _ => NONE,
        };
        match &services.blind {
            None => Names::All(told),
            Some((_, reason)) => Names::AtLeast(told, *reason),
        }
    }

    /// The names of a registration's checks where hosts are asked one by one. A proof is believed for a day. After a
    /// restart it is held as it was last made until the first reading is there, or fails for a day: else a fleet whose
    /// hosts are asked one by one would be told anew at every restart. Whoever hands over the memory of a longer pause
    /// forgets its proofs first ([`Memory::forget_proofs`](crate::memory::Memory::forget_proofs)).
    fn asked(&self, one: &Registered<'a>, now: Timestamp, reasons: &mut Reasons) -> Names<'a> {
        let held = |reason| match one.held {
            Some(names) => Names::All(Told::Names(names)),
            None => Names::AtLeast(NONE, reason),
        };
        let Some(reading) = one.checks else {
            let failure = Failure::new(
                FailureKind::NotYetRead,
                format!("{}: checks of this host not read yet", self.system.key),
            );
            return held(reasons.number(&failure));
        };
        if let Some(complete) = reading.complete(now, CHECK_PROOF_MAX_AGE) {
            return Names::All(Told::Names(complete.all()));
        }
        let failure = reading.blindness(now, CHECK_PROOF_MAX_AGE);
        let reason = failure.map_or(NOT_JUDGED, |failure| reasons.number(&failure));
        let is_recent = |at: Timestamp| now.duration_since(at) <= CHECK_PROOF_MAX_AGE;
        match &reading.extent {
            Extent::Partial { at, .. } if is_recent(*at) => {
                Names::AtLeast(Told::Names(&reading.seen), reason)
            }
            Extent::Failed { since, why } if is_recent(*since) && why.kind != FailureKind::NotSupported => {
                held(reason)
            }
            _ => Names::AtLeast(NONE, reason),
        }
    }
}
