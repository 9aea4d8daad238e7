//! What is too much: ghosts, strangers, ambiguous and double registrations, checks and monitors that nobody requires.
//!
//! A ghost is only what was a host once, is proved gone for a day, and is not in any inventory while all of them can be read.
//! A stranger is reported and never acted on. While any inventory is blind, what matches nothing is unknown.

use std::collections::BTreeMap;

use rollcall_crds::v1alpha1::Severity;

use super::coverage::Rater;
use super::found::{Found, Owner};
use super::host_findings::{Note, host_name};
use super::join::{Bond, Joined, bond};
use super::monitors::{Verdicts, concerns};
use super::phrases::Phrases;
use super::places::PlaceView;
use super::plan::{LookAt, Wanted};
use super::reasons::Reasons;
use super::registries::{Registered, SystemView};
use super::remedy;
use super::scene::Scene;
use super::standing::{Pulse, pulse};
use super::vouched::Vouched;
use super::{Pass, Stranger};
use crate::finding::{Code, Excuse, Finding, Subject};
use crate::fleet::JoinRule;
use crate::ids::{HostId, ObjectKey};
use crate::limits::{GHOST_AFTER, MAX_EXAMPLES};
use crate::registry::{Monitor, Registration, Watches};
use crate::text::{argument, clean, count, few};

/// What was found too much in one system.
#[derive(Debug, Default)]
pub(super) struct Excess {
    pub(super) joined: u32,
    pub(super) ghosts: u32,
    /// Ghosts by number of the environment they once belonged to.
    pub(super) ghosts_of: BTreeMap<usize, u32>,
    pub(super) strangers: Vec<Stranger>,
    pub(super) duplicates: u32,
}

/// Looks for excess in every system that somebody uses. Findings go to `found`.
pub(super) fn look(
    scene: &Scene<'_, '_>,
    rater: &Rater<'_, '_>,
    vouched: &[Vouched],
    phrases: &mut Phrases,
    found: &mut Vec<Found>,
) -> Vec<Excess> {
    let mut all = Vec::new();
    let sees = Sight {
        instances: scene.places.iter().all(|place| place.instances.proof.is_some()),
        databases: scene.places.iter().all(PlaceView::proves_databases),
    };
    for (number, system) in scene.systems.iter().enumerate() {
        let (Some(wanted), Some(vouched)) = (rater.plans.wanted.get(number), vouched.get(number)) else {
            continue;
        };
        let excess = Excess::default();
        let mut search = Search { scene, number, system, sees, wanted, vouched, phrases, found, excess };
        if system.is_used {
            search.registrations();
            search.monitors(rater);
        }
        all.push(search.excess);
    }
    checks(scene, rater, phrases, found);
    all
}

/// Which inventories prove absence, all places together.
#[derive(Clone, Copy, Debug)]
struct Sight {
    instances: bool,
    databases: bool,
}

impl Sight {
    /// May it be said that a registration speaks of nobody who is there? What it names binds it to one kind of host.
    fn proves_nobody(self, registration: &Registration, rules: &[JoinRule]) -> bool {
        match bond(registration, rules) {
            Some(Bond::Instance(_)) => self.instances,
            Some(Bond::Endpoint(_)) => self.databases,
            None => self.instances && self.databases,
        }
    }
}

/// The search in one system.
struct Search<'s, 'p, 'a> {
    scene: &'s Scene<'p, 'a>,
    number: usize,
    system: &'s SystemView<'a>,
    /// What the inventories prove.
    sees: Sight,
    wanted: &'s Wanted<'a>,
    vouched: &'s Vouched,
    phrases: &'s mut Phrases,
    found: &'s mut Vec<Found>,
    excess: Excess,
}

impl<'a> Search<'_, '_, 'a> {
    fn registrations(&mut self) {
        let joined = self.scene.joins.of_system.get(self.number).map_or(&[][..], |joined| joined);
        let is_whole = self.system.hosts.proof.is_some();
        let rules = self.system.system.join.as_deref().unwrap_or_default();
        for (one, joined) in self.system.registered.iter().zip(joined) {
            let is_proof = || is_whole && self.sees.proves_nobody(one.registration, rules);
            match joined {
                Joined::Host(_) => self.excess.joined += 1,
                Joined::Gone(tomb) if is_proof() => self.gone(one, *tomb),
                Joined::Ambiguous(hosts) if is_whole => {
                    self.ambiguous(one.registration, hosts);
                }
                Joined::Nothing if self.wanted.hosted.contains(&*one.registration.name) => {}
                Joined::Nothing if self.vouched.is_gone(&one.registration.id) => {
                    self.nowhere(one.registration);
                }
                // Vouched for, and given the day that a host has to come back.
                Joined::Nothing if self.vouched.unseen.contains_key(&one.registration.id) => {}
                Joined::Nothing if is_proof() => self.excess.strangers.push(stranger(one.registration)),
                Joined::Gone(_) | Joined::Ambiguous(_) | Joined::Nothing => {}
            }
        }
        self.excess.strangers.sort();
        self.strangers();
        self.duplicates();
    }

    /// A registration of a host that is proved gone. One that still sends metrics is somebody else's voice: a
    /// live host with a copied id file, which retiring would silence.
    fn gone(&mut self, one: &Registered<'a>, tomb: usize) {
        let registration = one.registration;
        let Some(tomb) = self.scene.population.tombs.get(tomb) else { return };
        if self.scene.pass.now.duration_since(tomb.gone_since) < GHOST_AFTER {
            return;
        }
        let last = one.last_metric;
        if self.system.last_metric.proof.is_none() && !self.system.last_metric.is_unsupported() {
            return;
        }
        let environments = &self.scene.pass.fleet.environments;
        let environment =
            tomb.environment.as_ref().and_then(|key| environments.iter().position(|e| e.key == *key));
        let environment = environment
            .filter(|number| environments.get(*number).is_some_and(|e| e.systems.contains(&self.number)));
        self.excess.ghosts += 1;
        if let Some(number) = environment {
            *self.excess.ghosts_of.entry(number).or_default() += 1;
        }
        let mut message = format!(
            "its host {} is gone since {}",
            clean(tomb.id.as_str()),
            tomb.gone_since.strftime("%Y-%m-%d")
        );
        if let Some(heir) = &tomb.replaced_by {
            message.push_str(", replaced by ");
            message.push_str(&clean(heir.as_str()));
        }
        let id = argument(registration.id.as_str());
        let product = self.system.system.endpoint.product();
        let fix = if last
            .is_some_and(|last| self.scene.pass.now.duration_since(last) <= self.system.system.silence)
        {
            message.push_str("; metrics still arrive: another host speaks in its name");
            remedy::part(product, &id)
        } else {
            remedy::retire(product, &id)
        };
        let note = Note::new(Code::Ghost, Severity::Warning, message, fix);
        let key = environment.and_then(|number| environments.get(number)).map(|e| e.key.clone());
        let subject = Subject::Registration(registration.id.clone());
        let finding = self.finding(subject, &registration.name, key, note);
        self.add(registration.id.as_str(), Some(tomb.id.clone()), finding);
    }

    /// A registration of an instance that none of the accounts has in which it must be.
    fn nowhere(&mut self, registration: &'a Registration) {
        self.excess.ghosts += 1;
        let names: Vec<String> = self.system.system.only_accounts.iter().map(ToString::to_string).collect();
        let since = self.vouched.unseen.get(&registration.id);
        let since = since.map(|since| since.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
        let message = format!(
            "its instance has been in none of the accounts of spec.onlyAccounts ({}) since {since}",
            few(&names, names.len(), MAX_EXAMPLES)
        );
        let id = argument(registration.id.as_str());
        let fix = remedy::retire(self.system.system.endpoint.product(), &id);
        let note = Note::new(Code::Ghost, Severity::Warning, message, fix);
        let subject = Subject::Registration(registration.id.clone());
        let finding = self.finding(subject, &registration.name, None, note);
        self.add(registration.id.as_str(), None, finding);
    }

    fn ambiguous(&mut self, registration: &'a Registration, hosts: &[usize]) {
        let hosts: Vec<_> = hosts.iter().filter_map(|host| self.scene.population.hosts.get(*host)).collect();
        if hosts.iter().any(|host| !host.seen) {
            return;
        }
        let names: Vec<String> =
            hosts.iter().map(|host| format!("{} ({})", host_name(host), clean(host.id.as_str()))).collect();
        let message = format!("expected to match one host, found {}", few(&names, names.len(), MAX_EXAMPLES));
        let fix = "give each host its own name or address, or put a stricter rule first in spec.join of the MonitoringSystem";
        let subject = Subject::Registration(registration.id.clone());
        let note = Note::new(Code::Ambiguous, Severity::Warning, message, fix);
        let finding = self.finding(subject, &registration.name, None, note);
        self.add(registration.id.as_str(), None, finding);
    }

    /// One finding for all of them: they are good to know, and nobody's duty.
    fn strangers(&mut self) {
        let all = self.excess.strangers.len();
        if all == 0 {
            return;
        }
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for stranger in &self.excess.strangers {
            *kinds.entry(&stranger.kind).or_default() += 1;
        }
        let mut kinds: Vec<(usize, &str)> = kinds.into_iter().map(|(kind, many)| (many, kind)).collect();
        kinds.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let kinds: Vec<String> = kinds.iter().map(|(many, kind)| format!("{many} {kind}")).collect();
        let message = format!(
            "{} of no host we know: {}",
            count(all, "registration"),
            few(&kinds, kinds.len(), MAX_EXAMPLES)
        );
        let fix = format!(
            "nothing where they are meant to be there (load balancers, offices, other accounts); else: {}",
            remedy::retire(self.system.system.endpoint.product(), "ID")
        );
        let note = Note::new(Code::Stranger, Severity::Info, message, fix);
        let key = self.system.system.key.clone();
        let finding = self.finding(Subject::Itself, &key.name, None, note);
        self.add("", None, finding);
    }

    /// Counts the registrations beyond the first of a host; hosts say it themselves.
    fn duplicates(&mut self) {
        for joined in &self.scene.joins.of_host {
            let mine = joined.iter().filter(|(system, _)| *system == self.number).count();
            self.excess.duplicates += u32::try_from(mine.saturating_sub(1)).unwrap_or(u32::MAX);
        }
    }

    /// Monitors on hosts that no check asks for. Judged only where every requirement is understood, and only monitors
    /// that cover a host of ours: the organisation may have others.
    fn monitors(&mut self, rater: &Rater<'_, 'a>) {
        let users = self.scene.pass.fleet.environments.iter().filter(|e| e.systems.contains(&self.number));
        let is_doubted = self.scene.pass.fleet.has_left_out || users.clone().any(|e| e.requirements_doubted);
        let Some(verdicts) = rater.verdicts.get(self.number) else { return };
        if is_doubted || self.system.hosts.proof.is_none() || self.system.monitors.proof.is_none() {
            return;
        }
        for monitor in self.system.monitors.seen().into_iter().flatten() {
            if let Some(note) = unrequired_monitor(monitor, self.wanted, verdicts) {
                let name = if monitor.name.trim().is_empty() { "connectivity" } else { &monitor.name };
                let finding = self.finding(Subject::Monitor(monitor.id.clone()), name, None, note);
                self.add(&monitor.id, None, finding);
            }
        }
    }

    fn finding(
        &mut self,
        subject: Subject,
        name: &str,
        environment: Option<ObjectKey>,
        note: Note,
    ) -> Finding {
        let note = note.of_system(&self.system.system.key);
        bare(self.scene.pass, self.phrases, subject, name, environment, note)
    }

    fn add(&mut self, key: &str, host: Option<HostId>, finding: Finding) {
        let namespace = finding.environment.as_ref().unwrap_or(&self.system.system.key).namespace.clone();
        self.found.push(Found {
            owner: Owner::System(self.number),
            key: key.to_owned(),
            namespace,
            host,
            finding,
        });
    }
}

/// A finding that is not about one host.
pub(super) fn bare(
    pass: &Pass<'_>,
    phrases: &mut Phrases,
    subject: Subject,
    name: &str,
    environment: Option<ObjectKey>,
    note: Note,
) -> Finding {
    Finding {
        code: note.code,
        severity: note.severity,
        subject,
        subject_name: clean(name),
        environment,
        account: None,
        check: note.check,
        system: note.system,
        role: note.role,
        message: phrases.share(note.message),
        fix: phrases.share(note.fix),
        since: pass.now,
        excuse: Excuse::None,
    }
}

fn stranger(registration: &Registration) -> Stranger {
    let kind = registration.provider.as_deref().map_or_else(|| "unknown".into(), clean);
    Stranger {
        id: registration.id.clone(),
        name: clean(&registration.name).to_string(),
        kind: kind.to_string(),
    }
}

fn unrequired_monitor(monitor: &Monitor, wanted: &Wanted<'_>, verdicts: &Verdicts<'_>) -> Option<Note> {
    if wanted.monitors.iter().any(|look| concerns(monitor, look.at)) {
        return None;
    }
    let is_ours = match monitor.watches {
        Watches::Other(_) => false,
        // It belongs to no host. Who asks for some of them asks for all; who asks for none may not have come to them yet.
        Watches::External { .. } => wanted.monitors.iter().any(|look| matches!(look.at, LookAt::External(_))),
        Watches::HostMetric { .. } | Watches::Connectivity => {
            verdicts.roles().any(|roles| monitor.covers(roles))
        }
    };
    if !is_ours {
        return None;
    }
    let fix = "write a RequiredCheck that asks for it, or delete the monitor: mkr monitors pull; edit; mkr monitors diff; mkr monitors push";
    Some(Note::new(Code::Unrequired, Severity::Info, "a monitor that no RequiredCheck asks for", fix))
}

/// Checks that run on hosts of an environment and that none of its required checks asks for.
fn checks(scene: &Scene<'_, '_>, rater: &Rater<'_, '_>, phrases: &mut Phrases, found: &mut Vec<Found>) {
    for ((number, system, name), hosts) in unrequired_checks(scene, rater) {
        let environment = scene.pass.fleet.environments.get(number);
        let (Some(environment), Some(view)) = (environment, scene.systems.get(system)) else { continue };
        let many = usize::try_from(hosts).unwrap_or(usize::MAX);
        let message = format!("runs on {}, and no RequiredCheck asks for it", count(many, "host"));
        let fix = remedy::drop_check(view.system.endpoint.product(), &clean(name));
        let note = Note::new(Code::Unrequired, Severity::Info, message, fix).of_system(&view.system.key);
        let subject = Subject::Check(name.into());
        let finding = bare(scene.pass, phrases, subject, name, Some(environment.key.clone()), note);
        let key = format!("{} {name}", view.system.key);
        let namespace = environment.key.namespace.clone();
        found.push(Found { owner: Owner::Environment(number), key, namespace, host: None, finding });
    }
}

/// Hosts by environment, system and name of such a check. While a requirement of an environment cannot be
/// understood, it may be the one that asks.
fn unrequired_checks<'r>(
    scene: &Scene<'_, '_>,
    rater: &'r Rater<'_, '_>,
) -> BTreeMap<(usize, usize, &'r str), u32> {
    let mut unrequired = BTreeMap::new();
    for ((environment, system, list), hosts) in &rater.running {
        let is_understood =
            scene.pass.fleet.environments.get(*environment).is_some_and(|e| !e.requirements_doubted);
        let (Some(book), Some(wanted)) = (rater.names.get(*system), rater.plans.wanted.get(*system)) else {
            continue;
        };
        let asked = wanted.asked.get(environment);
        let is_asked = |number: &u32| asked.is_some_and(|asked| asked.contains(number));
        for number in book.numbers(*list).filter(|number| is_understood && !is_asked(number)) {
            *unrequired.entry((*environment, *system, book.name(number))).or_default() += hosts;
        }
    }
    unrequired
}

/// A host is registered more than once in a system. `registrations` begins with the live one.
pub(super) fn duplicate(
    pass: &Pass<'_>,
    system: &SystemView<'_>,
    registrations: &[&Registered<'_>],
    reasons: &mut Reasons,
) -> Note {
    let product = system.system.endpoint.product();
    let is_alive = |one: &Registered<'_>, reasons: &mut Reasons| {
        one.last_metric.is_some() && pulse(pass, system, one, reasons) == Pulse::Alive
    };
    let ids: Vec<String> = registrations.iter().map(|one| argument(one.registration.id.as_str())).collect();
    let all = few(&ids, ids.len(), MAX_EXAMPLES);
    let message = format!("expected one registration in {}, found {}: {all}", product.as_str(), ids.len());
    let alive = registrations.iter().filter(|one| is_alive(one, reasons)).count();
    let (live, others) = ids.split_first().map_or(("", &[][..]), |(live, others)| (live.as_str(), others));
    let others = others.join(" ");
    let (message, fix) = match (system.last_metric.proof, alive) {
        (Some(_), 1) => (format!("{message}; only {live} sends metrics"), remedy::retire(product, &others)),
        (Some(_), 0) => (format!("{message}; none sends metrics"), remedy::retire(product, &others)),
        (Some(_), _) => (
            format!("{message}; several send metrics: another host may speak in its name"),
            remedy::part(product, &others),
        ),
        (None, _) if system.last_metric.is_unsupported() => {
            (message, format!("leave the one that is meant; {}", remedy::retire(product, "the others")))
        }
        (None, _) => (
            message,
            "once metrics can be read again, retire those that send none: mkr hosts -v shows them".to_owned(),
        ),
    };
    Note::new(Code::Duplicate, Severity::Warning, message, fix).of_system(&system.system.key)
}
