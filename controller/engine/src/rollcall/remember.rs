//! The memory of the next pass. Nothing in it changes while the world stands still, and nothing is forgotten
//! because somebody could not look.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::changes::Changes;
use super::exemptions::Exemptions;
use super::found::{Owner, Remembered};
use super::hosts::Judged;
use super::join::Joined;
use super::names::NameBook;
use super::places::{Listing, PlaceView};
use super::population::Tomb;
use super::registries::{Registered, SystemView};
use super::scene::Scene;
use super::vouched::Vouched;
use super::writers::Writers;
use crate::fleet::Environment;
use crate::ids::{CheckName, HostId, ObjectKey, RegistrationId};
use crate::limits::{
    CHANGES_KEPT, CHECK_PROOF_MAX_AGE, MAX_TOMBSTONES, TOMBSTONE_KEPT, UNUSED_KEPT, WEEKS_KEPT,
};
use crate::memory::{
    DatabasesMemory, EnvironmentMemory, HostMemory, MAX_CHANGES, Memory, PlaceMemory, RuleRun, SystemMemory,
    Tombstone,
};
use crate::reading::{Extent, FailureKind, Reading};

/// What this pass adds to what was known.
pub(super) struct News<'p> {
    pub(super) times: Remembered,
    pub(super) changes: &'p Changes,
    pub(super) writers: Writers,
    pub(super) vouched: Vec<Vouched>,
    /// By number of the environment.
    pub(super) runs: Vec<Option<RuleRun>>,
}

/// Makes the memory of the next pass. Takes the hosts' memories out of `judged`.
pub(super) fn remember<'a>(
    scene: &Scene<'_, 'a>,
    judged: &mut Judged,
    exemptions: &Exemptions<'_>,
    news: News<'_>,
    names: &mut [NameBook<'a>],
) -> Memory {
    let News { mut times, changes, mut writers, mut vouched, mut runs } = news;
    let mut memory = Memory { healed: healed(scene, exemptions), ..Memory::default() };
    let mut hosts = by_place(scene, std::mem::take(&mut judged.memories));
    let registered = registered_tombs(scene);
    for (number, place) in scene.places.iter().enumerate() {
        let hosts: BTreeMap<HostId, HostMemory> =
            hosts.get_mut(number).map(std::mem::take).unwrap_or_default().into_iter().collect();
        let (instances_fallen_since, databases_fallen_since) = fallen_since(place, &hosts);
        let of_place = PlaceMemory {
            since: place.memory.since.or(place.instances.proof),
            fallen_since: instances_fallen_since,
            databases: DatabasesMemory {
                since: place.memory.databases.since.or(place.databases.proof),
                fallen_since: databases_fallen_since,
                writers: writers.get_mut(number).map(std::mem::take).unwrap_or_default(),
            },
            hosts,
            tombstones: tombstones(scene, number, registered.as_ref()),
            findings: times.remove(&Owner::Place(number)).unwrap_or_default(),
            unused_since: None,
        };
        memory.places.insert(place.place.clone(), of_place);
    }
    for (number, system) in scene.systems.iter().enumerate() {
        let findings = times.remove(&Owner::System(number)).unwrap_or_default();
        let of_system = if system.is_used {
            system_memory(scene, number, system, names.get_mut(number))
        } else {
            system.memory.clone()
        };
        let unseen = vouched.get_mut(number).map(|vouched| std::mem::take(&mut vouched.unseen));
        let unseen = unseen.unwrap_or_default();
        memory.systems.insert(
            system.system.key.clone(),
            SystemMemory { findings, unseen, unused_since: None, ..of_system },
        );
    }
    for (number, environment) in scene.pass.fleet.environments.iter().enumerate() {
        let findings = times.remove(&Owner::Environment(number)).unwrap_or_default();
        let hosts = judged.tallies.environments.get(number).map_or(0, |tally| tally.hosts);
        let of_environment = environment_memory(scene, environment, hosts, changes);
        let rule_run = runs.get_mut(number).and_then(Option::take);
        memory
            .environments
            .insert(environment.key.clone(), EnvironmentMemory { findings, rule_run, ..of_environment });
    }
    keep_unused(scene, changes, &mut memory);
    memory
}

/// Since when EC2's listing has lost too many, and since when RDS's. Once those who vanished are proved gone one by one,
/// the fall is over.
fn fallen_since(
    place: &PlaceView<'_>,
    hosts: &BTreeMap<HostId, HostMemory>,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let since = |listing: &Listing, is_one: fn(&HostId) -> bool| {
        listing
            .fallen_since
            .filter(|since| listing.proof.is_none() || place.fall(hosts, Some(*since), is_one).is_doubtful())
    };
    (since(&place.instances, |id| !id.is_database()), since(&place.databases, HostId::is_database))
}

/// Hosts by number of their place, still by id.
fn by_place(scene: &Scene<'_, '_>, memories: Vec<HostMemory>) -> Vec<Vec<(HostId, HostMemory)>> {
    let mut by_place = vec![Vec::new(); scene.places.len()];
    for (view, memory) in scene.population.hosts.iter().zip(memories) {
        if let Some(list) = by_place.get_mut(view.place) {
            list.push((view.id.clone(), memory));
        }
    }
    by_place
}

/// Tombstones stay for their time, or as long as a registration stands; those gone longest go first when there
/// are too many.
fn tombstones(
    scene: &Scene<'_, '_>,
    place: usize,
    registered: Option<&HashSet<usize>>,
) -> BTreeMap<HostId, Tombstone> {
    let is_registered = |number: usize| registered.is_none_or(|registered| registered.contains(&number));
    let is_recent = |tomb: &Tomb<'_>| scene.pass.now.duration_since(tomb.gone_since) < TOMBSTONE_KEPT;
    let here = scene.population.tombs.iter().enumerate().filter(|(_, tomb)| tomb.place == place);
    let mut kept: Vec<&Tomb<'_>> = here
        .filter(|(number, tomb)| is_recent(tomb) || is_registered(*number))
        .map(|(_, tomb)| tomb)
        .collect();
    if kept.len() > MAX_TOMBSTONES {
        kept.sort_by_key(|tomb| std::cmp::Reverse(tomb.gone_since));
        kept.truncate(MAX_TOMBSTONES);
    }
    kept.into_iter().map(|tomb| (tomb.id.clone(), tomb.stone())).collect()
}

/// Numbers of tombs that a registration still speaks of; `None` while a system cannot be asked.
fn registered_tombs(scene: &Scene<'_, '_>) -> Option<HashSet<usize>> {
    let mut systems = scene.systems.iter().filter(|system| system.is_used);
    if systems.any(|system| system.hosts.proof.is_none()) {
        return None;
    }
    let gone = scene.joins.of_system.iter().flatten().filter_map(|joined| match joined {
        Joined::Gone(tomb) => Some(*tomb),
        _ => None,
    });
    Some(gone.collect())
}

fn system_memory<'a>(
    scene: &Scene<'_, 'a>,
    number: usize,
    system: &SystemView<'a>,
    mut names: Option<&mut NameBook<'a>>,
) -> SystemMemory {
    let joined = scene.joins.of_system.get(number).map_or(&[][..], |joined| joined);
    let is_proof = system.hosts.proof.is_some();
    let mut found: Vec<(&HostId, &RegistrationId)> = Vec::new();
    let mut checks = Vec::new();
    for (one, joined) in system.registered.iter().zip(joined) {
        let registration = &one.registration.id;
        let id = match joined {
            Joined::Host(host) => scene.population.hosts.get(*host).map(|host| host.id),
            Joined::Gone(tomb) => scene.population.tombs.get(*tomb).map(|tomb| tomb.id),
            Joined::Ambiguous(_) | Joined::Nothing => None,
        };
        let Some(id) = id else { continue };
        found.push((id, registration));
        if let Some(list) = held(one, scene.pass.now, names.as_deref_mut()) {
            checks.push((registration.clone(), list));
        }
    }
    let mut registrations = by_host(found);
    let mut checks: BTreeMap<RegistrationId, Arc<[CheckName]>> = checks.into_iter().collect();
    if !is_proof {
        // What could not be read stays as it was last proved.
        for (id, names) in &system.memory.checks {
            checks.entry(id.clone()).or_insert_with(|| Arc::clone(names));
        }
        registrations.clone_from(&system.memory.registrations);
        for ids in registrations.values_mut() {
            ids.sort();
        }
    }
    SystemMemory {
        organization: system.organization(),
        since: system.memory.since.or(system.hosts.proof),
        registrations,
        checks,
        findings: BTreeMap::new(),
        unseen: BTreeMap::new(),
        unused_since: None,
    }
}

/// The registrations of each host, sorted.
fn by_host(mut registrations: Vec<(&HostId, &RegistrationId)>) -> BTreeMap<HostId, Vec<RegistrationId>> {
    registrations.sort();
    let of_one = registrations.chunk_by(|a, b| a.0 == b.0);
    of_one
        .filter_map(|mine| {
            let ids = mine.iter().map(|(_, registration)| (*registration).clone()).collect();
            mine.first().map(|(host, _)| ((*host).clone(), ids))
        })
        .collect()
}

/// The check names to hold for a registration. Those that were not read are held on, but never past a day of failing.
fn held<'a>(
    one: &Registered<'a>,
    now: Timestamp,
    names: Option<&mut NameBook<'a>>,
) -> Option<Arc<[CheckName]>> {
    let old = one.held;
    let Some(reading) = one.checks else { return old.cloned() };
    if let Some(complete) = reading.complete(now, CHECK_PROOF_MAX_AGE) {
        return names.map(|names| names.shared(complete.all(), old));
    }
    may_hold(reading, now).then(|| old.cloned()).flatten()
}

fn may_hold(reading: &Reading<Vec<CheckName>>, now: Timestamp) -> bool {
    match &reading.extent {
        Extent::Complete { at } | Extent::Partial { at, .. } => {
            now.duration_since(*at) <= CHECK_PROOF_MAX_AGE
        }
        Extent::Failed { since, why } => {
            why.kind != FailureKind::NotSupported && now.duration_since(*since) <= CHECK_PROOF_MAX_AGE
        }
    }
}

fn environment_memory(
    scene: &Scene<'_, '_>,
    environment: &Environment,
    hosts: u32,
    changes: &Changes,
) -> EnvironmentMemory {
    let old = scene.pass.memory.environments.get(&environment.key);
    let mut weekly_hosts = old.map(|old| old.weekly_hosts.clone()).unwrap_or_default();
    let proved = |place| scene.places.iter().any(|view| view.place == place && view.proves_all());
    if environment.places().all(proved) {
        weekly_hosts.insert(week(scene.pass.now), i32::try_from(hosts).unwrap_or(i32::MAX));
    }
    while weekly_hosts.len() > WEEKS_KEPT {
        weekly_hosts.pop_first();
    }
    let old_changes = old.map_or(&[][..], |old| &old.changes);
    let new = changes.get(&environment.key).map_or(&[][..], |new| new);
    EnvironmentMemory {
        changes: kept(old_changes, new, scene.pass.now),
        weekly_hosts,
        findings: BTreeMap::new(),
        rule_run: None,
        unused_since: None,
    }
}

/// `2026-W47`, in UTC.
fn week(now: Timestamp) -> String {
    let week = now.to_zoned(TimeZone::UTC).date().iso_week_date();
    format!("{}-W{:02}", week.year(), week.week())
}

/// Changes of the last days, oldest first.
fn kept(
    old: &[crate::memory::Change],
    new: &[crate::memory::Change],
    now: Timestamp,
) -> Vec<crate::memory::Change> {
    let all = old.iter().chain(new).filter(|change| now.duration_since(change.at) < CHANGES_KEPT);
    let mut all: Vec<_> = all.cloned().collect();
    all.drain(..all.len().saturating_sub(MAX_CHANGES));
    all
}

/// What left the desired state is kept for a while: an object deleted by mistake comes back with its past. An
/// environment that is only malformed just now goes on remembering who left it.
fn keep_unused(scene: &Scene<'_, '_>, changes: &Changes, memory: &mut Memory) {
    let now = scene.pass.now;
    let since = |old: Option<Timestamp>| old.unwrap_or(now);
    let is_kept = |since: Timestamp| now.duration_since(since) < UNUSED_KEPT;
    for (place, old) in &scene.pass.memory.places {
        let unused_since = since(old.unused_since);
        if !memory.places.contains_key(place) && is_kept(unused_since) {
            memory
                .places
                .insert(place.clone(), PlaceMemory { unused_since: Some(unused_since), ..old.clone() });
        }
    }
    for (key, old) in &scene.pass.memory.systems {
        let unused_since = since(old.unused_since);
        if !memory.systems.contains_key(key) && is_kept(unused_since) {
            memory
                .systems
                .insert(key.clone(), SystemMemory { unused_since: Some(unused_since), ..old.clone() });
        }
    }
    for (key, old) in &scene.pass.memory.environments {
        let unused_since = since(old.unused_since);
        if !memory.environments.contains_key(key) && is_kept(unused_since) {
            let changes = kept(&old.changes, changes.get(key).map_or(&[], |new| new), now);
            let kept = EnvironmentMemory { unused_since: Some(unused_since), changes, ..old.clone() };
            memory.environments.insert(key.clone(), kept);
        }
    }
}

/// Healed hosts, for as long as their exemption or one of them exists.
fn healed(scene: &Scene<'_, '_>, exemptions: &Exemptions<'_>) -> BTreeMap<ObjectKey, BTreeSet<HostId>> {
    let mut healed: BTreeMap<ObjectKey, BTreeSet<HostId>> = exemptions
        .rolls
        .iter()
        .filter(|(_, roll)| !roll.healed.is_empty())
        .map(|(key, roll)| (key.clone(), roll.healed.clone()))
        .collect();
    let is_known = |id: &HostId| {
        scene.population.hosts.binary_search_by(|host| host.id.cmp(id)).is_ok()
            || scene.population.tombs.binary_search_by(|tomb| tomb.id.cmp(id)).is_ok()
    };
    for (key, hosts) in &scene.pass.memory.healed {
        if !healed.contains_key(key) && hosts.iter().any(is_known) {
            healed.insert(key.clone(), hosts.clone());
        }
    }
    healed
}
