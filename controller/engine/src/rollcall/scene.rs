//! The scene before hosts are judged: who is there, whose they are, what they play and where they are registered.
//! And how one host of it is shown and remembered.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use rollcall_crds::v1alpha1::HostState;

use super::claims::Claimed;
use super::hosts::Outcome;
use super::join::Joins;
use super::listed::{Life, Listed};
use super::phrases::Phrases;
use super::places::PlaceView;
use super::population::{HostView, Population};
use super::registries::{Registered, SystemView};
use super::roles::{Class, Roles};
use super::standing::newest_first;
use super::{ClusterPart, HostRoll, Pass, Row};
use crate::ids::{HostId, ObjectKey, Place, RegistrationId, RoleName};
use crate::inventory::MemberRole;
use crate::limits::ABSENCE_APART;
use crate::memory::{HostMemory, Memory};
use crate::text::{clean, clean_shared};

/// AWS allows 256 characters in a tag; nothing longer is remembered.
const MAX_REMEMBERED_NAME: usize = 256;

/// Everything that is settled before hosts are judged.
pub(super) struct Scene<'p, 'a> {
    pub(super) pass: &'p Pass<'a>,
    pub(super) places: &'p [PlaceView<'a>],
    pub(super) population: &'p Population<'a>,
    pub(super) claims: &'p [Claimed],
    pub(super) roles: &'p Roles<'a>,
    pub(super) systems: &'p [SystemView<'a>],
    pub(super) joins: &'p Joins,
}

impl<'p, 'a> Scene<'p, 'a> {
    /// The class of a host, with its number.
    pub(super) fn class(&self, host: usize) -> Option<(usize, &Class<'a>)> {
        let number = self.roles.of_host.get(host).copied().flatten()?;
        Some((number, self.roles.classes.get(number)?))
    }

    /// The registrations of a host in a system, the live one first.
    pub(super) fn registrations(&self, host: usize, system: usize) -> Vec<&'p Registered<'a>> {
        let Some(view) = self.systems.get(system) else { return Vec::new() };
        let mine = self.joins.of_host.get(host).into_iter().flatten().filter(|(of, _)| *of == system);
        let mut registrations: Vec<&Registered<'a>> =
            mine.filter_map(|(_, registration)| view.registered.get(*registration)).collect();
        if registrations.len() > 1 {
            newest_first(&mut registrations);
        }
        registrations
    }

    /// Did it come while Rollcall was watching? A host launched before the first look at its place was there, even if that look
    /// did not show it.
    pub(super) fn joined(&self, host: &HostView<'a>) -> bool {
        if let Some(memory) = host.memory {
            return memory.joined;
        }
        let since = self.places.get(host.place).and_then(|place| place.since(host.id));
        host.listed.zip(since).is_some_and(|(listed, since)| listed.came_after(since))
    }

    /// Since when a stopped host has been stopped: AWS's own word, or when we first saw it so.
    pub(super) fn stopped_since(&self, host: &HostView<'a>) -> Option<Timestamp> {
        let Some(listed) = host.listed else { return host.memory?.stopped_since };
        if listed.life() != Life::Stopped {
            return None;
        }
        let remembered = host.memory.and_then(|memory| memory.stopped_since);
        let told = listed.told_at();
        Some(told.or(remembered).unwrap_or_else(|| self.listed_at(host)))
    }

    /// Since when a database has been seen under its name; of an instance, whose metrics bear its id, nobody asks.
    pub(super) fn named_since(&self, host: &HostView<'a>) -> Option<Timestamp> {
        if !host.id.is_database() {
            return None;
        }
        let is_same = |memory: &&HostMemory| memory.name.as_deref() == host.name();
        let known = host.memory.filter(is_same).and_then(|memory| memory.named_since);
        known.or_else(|| host.listed.map(|_| self.listed_at(host)))
    }

    /// When the listing was begun that shows a host, or does not.
    pub(super) fn listed_at(&self, host: &HostView<'_>) -> Timestamp {
        let place = self.places.get(host.place);
        place.and_then(|place| place.listing(host.id).at).unwrap_or(self.pass.now)
    }

    /// The host as a roll call shows it.
    pub(super) fn roll(
        &self,
        number: usize,
        host: &HostView<'a>,
        memory: &HostMemory,
        outcome: &Outcome,
    ) -> HostRoll {
        let class = self.class(number).map(|(_, class)| class);
        HostRoll {
            place: self.place_of(host.place),
            name: memory.name.as_ref().map(clean_shared),
            environment: self.environment(number, class),
            claimed_by: match self.claims.get(number) {
                Some(Claimed::Contested(by)) => by.iter().filter_map(|n| self.environment_key(*n)).collect(),
                _ => BTreeSet::new(),
            },
            duties: class.map(|class| Arc::clone(&class.duties)).unwrap_or_default(),
            traits: class.map(|class| Arc::clone(&class.traits)).unwrap_or_default(),
            state: outcome.state,
            settles_at: outcome.settles_at,
            seen: host.seen,
            launch_time: host.listed.and_then(Listed::launched),
            instance_type: memory.instance_type.clone().filter(|_| host.listed.is_some()),
            cluster: host.listed.and_then(cluster_part),
            registrations: self.all_registrations(number),
            rows: Arc::clone(&outcome.rows),
            used: outcome.usage.is.clone(),
        }
    }

    /// What to remember of the host.
    pub(super) fn remember(
        &self,
        number: usize,
        host: &HostView<'a>,
        outcome: &Outcome,
        phrases: &mut Phrases,
    ) -> HostMemory {
        let class = self.class(number).map(|(_, class)| class);
        HostMemory {
            name: remembered_name(host),
            instance_type: match host.listed {
                Some(listed) => Some(phrases.share(&*clean(listed.size()))),
                None => host.memory.and_then(|memory| memory.instance_type.clone()),
            },
            endpoint: remembered(host.endpoint(), host.memory.and_then(|memory| memory.endpoint.as_ref())),
            environment: match self.claims.get(number) {
                Some(Claimed::By(by)) => self.environment_key(*by),
                Some(Claimed::Nobody) => None,
                _ => host.memory.and_then(|memory| memory.environment.clone()),
            },
            roles: match (class, host.memory) {
                (Some(class), _) => Arc::clone(&class.names),
                (None, Some(memory)) => Arc::clone(&memory.roles),
                (None, None) => Arc::from([]),
            },
            first_seen: host.memory.map_or_else(|| self.listed_at(host), |memory| memory.first_seen),
            joined: self.joined(host),
            ready_for_launch: outcome.ready_for_launch,
            absent_since: host.absent_since,
            stopped_since: self.stopped_since(host),
            named_since: self.named_since(host),
            used: outcome.usage.memory.clone(),
            spared_on: outcome.usage.spared_on,
            findings: outcome.sinces.clone(),
        }
    }

    /// Hosts that were proved gone just now: still shown.
    pub(super) fn going(&self) -> impl Iterator<Item = (HostId, HostRoll)> {
        let nothing: Arc<[RoleName]> = Arc::from([]);
        let rows: Arc<[Row]> = Arc::from([]);
        self.population.tombs.iter().filter(|tomb| !self.is_confirmed(tomb.gone_since)).map(move |tomb| {
            let roll = HostRoll {
                place: self.place_of(tomb.place),
                name: tomb.name.as_deref().map(clean),
                environment: tomb.environment.clone(),
                claimed_by: BTreeSet::new(),
                duties: Arc::clone(&nothing),
                traits: Arc::clone(&nothing),
                state: HostState::Gone,
                settles_at: None,
                seen: false,
                launch_time: None,
                instance_type: None,
                cluster: None,
                registrations: Vec::new(),
                rows: Arc::clone(&rows),
                used: None,
            };
            (tomb.id.clone(), roll)
        })
    }

    /// Hosts with a tombstone that have been gone for so long that nobody need see them.
    pub(super) fn gone(&self, memory: &Memory) -> BTreeSet<HostId> {
        let stones = memory.places.values().flat_map(|place| &place.tombstones);
        stones.filter(|(_, stone)| self.is_confirmed(stone.gone_since)).map(|(id, _)| id.clone()).collect()
    }

    fn is_confirmed(&self, gone_since: Timestamp) -> bool {
        self.pass.now.duration_since(gone_since) >= ABSENCE_APART
    }

    fn place_of(&self, number: usize) -> Place {
        let place = self.places.get(number).map(|view| view.place.clone());
        place.unwrap_or_else(|| Place { account: "".into(), region: "".into() })
    }

    fn environment_key(&self, number: usize) -> Option<ObjectKey> {
        self.pass.fleet.environments.get(number).map(|environment| environment.key.clone())
    }

    fn environment(&self, number: usize, class: Option<&Class<'_>>) -> Option<ObjectKey> {
        match (class, self.claims.get(number)) {
            (Some(class), _) => Some(class.environment.key.clone()),
            (None, Some(Claimed::Doubted(key))) => key.clone(),
            _ => None,
        }
    }

    fn all_registrations(&self, host: usize) -> Vec<(ObjectKey, RegistrationId)> {
        let mut systems: Vec<usize> =
            self.joins.of_host.get(host).into_iter().flatten().map(|(system, _)| *system).collect();
        systems.dedup();
        let mut all = Vec::with_capacity(systems.len());
        for system in systems {
            let Some(view) = self.systems.get(system) else { continue };
            let registrations = self.registrations(host, system).into_iter();
            all.extend(registrations.map(|one| (view.system.key.clone(), one.registration.id.clone())));
        }
        all
    }
}

/// The part that a database has in its cluster, as it is shown.
fn cluster_part(listed: Listed<'_>) -> Option<ClusterPart> {
    let writes = match listed.part().map(|(_, part)| part) {
        Some(MemberRole::Writer) => Some(true),
        Some(MemberRole::Reader) => Some(false),
        Some(MemberRole::Alone | MemberRole::Unknown) | None => None,
    };
    Some(ClusterPart { name: clean(listed.cluster_name()?), writes })
}

/// The name to remember.
fn remembered_name(host: &HostView<'_>) -> Option<Arc<str>> {
    remembered(host.name(), host.memory.and_then(|memory| memory.name.as_ref()))
}

/// A text to remember: the stored copy while it is the same.
fn remembered(name: Option<&str>, known: Option<&Arc<str>>) -> Option<Arc<str>> {
    let name = name?;
    let cut =
        name.char_indices().nth(MAX_REMEMBERED_NAME).map_or(name, |(end, _)| name.get(..end).unwrap_or(name));
    match known {
        Some(known) if **known == *cut => Some(Arc::clone(known)),
        _ => Some(Arc::from(cut)),
    }
}
