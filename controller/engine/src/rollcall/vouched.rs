//! Registrations of instances that Rollcall never saw, where somebody's word (`onlyAccounts`) says in which accounts they
//! must be.
//!
//! Without that word such an instance may be in an account that nobody reads, and its registration is a stranger. With it,
//! the same proof is asked for as of a host that was seen: complete readings of all these accounts, for a day. One that
//! sends metrics lives somewhere, whatever the word says.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::join::{Bond, Joined, bond};
use super::places::PlaceView;
use super::registries::SystemView;
use super::scene::Scene;
use super::standing::is_heard;
use crate::ids::RegistrationId;
use crate::limits::GHOST_AFTER;

/// What is known of such registrations in one system.
#[derive(Debug, Default)]
pub(super) struct Vouched {
    /// Since when all accounts have been read without their instances; to be remembered.
    pub(super) unseen: BTreeMap<RegistrationId, Timestamp>,
    /// When the oldest of the readings that prove it was begun; none while one of them does not.
    proved: Option<Timestamp>,
    /// Since when all of these accounts have been read: an account that was added yesterday has proved one day.
    read_since: Option<Timestamp>,
}

impl Vouched {
    /// Has the instance been nowhere for long enough?
    pub(super) fn is_gone(&self, registration: &RegistrationId) -> bool {
        let since = self
            .unseen
            .get(registration)
            .map(|since| self.read_since.map_or(*since, |read| read.max(*since)));
        since.zip(self.proved).is_some_and(|(since, proved)| proved.duration_since(since) >= GHOST_AFTER)
    }
}

/// Looks at every system, by number.
pub(super) fn look(scene: &Scene<'_, '_>) -> Vec<Vouched> {
    scene.systems.iter().enumerate().map(|(number, system)| look_at(scene, number, system)).collect()
}

fn look_at(scene: &Scene<'_, '_>, number: usize, system: &SystemView<'_>) -> Vouched {
    if system.system.only_accounts.is_empty() {
        return Vouched::default();
    }
    let Some((oldest, newest)) = proof(scene, system).filter(|_| system.is_used) else {
        // Nobody can tell now: what was known stands, and the time goes on.
        return Vouched { unseen: system.memory.unseen.clone(), ..Vouched::default() };
    };
    let joined = scene.joins.of_system.get(number).map_or(&[][..], |joined| joined);
    let rules = system.system.join.as_deref().unwrap_or_default();
    let nowhere = system.registered.iter().zip(joined).filter(|(one, joined)| {
        let names_an_instance = || matches!(bond(one.registration, rules), Some(Bond::Instance(_)));
        **joined == Joined::Nothing && names_an_instance() && !is_heard(scene.pass, system, one)
    });
    let since = |id: &RegistrationId| system.memory.unseen.get(id).copied().unwrap_or(newest);
    let unseen = nowhere.map(|(one, _)| (one.registration.id.clone(), since(&one.registration.id)));
    let accounts = &system.system.only_accounts;
    let places = scene.places.iter().filter(|place| accounts.contains(&place.account.name));
    let read_since = places.filter_map(|place| place.memory.since.or(place.instances.proof)).max();
    Vouched { unseen: unseen.collect(), proved: Some(oldest), read_since }
}

/// When the oldest and the newest of the readings were begun that prove absence, if all do.
fn proof(scene: &Scene<'_, '_>, system: &SystemView<'_>) -> Option<(Timestamp, Timestamp)> {
    let is_told = system.last_metric.proof.is_some() || system.last_metric.is_unsupported();
    system.hosts.proof.filter(|_| is_told)?;
    let mut proofs: Vec<Timestamp> = Vec::new();
    for account in &system.system.only_accounts {
        let places: Vec<&PlaceView<'_>> =
            scene.places.iter().filter(|place| place.account.name == *account).collect();
        // An account without a place was read nowhere.
        if places.is_empty() {
            return None;
        }
        for place in places {
            proofs.push(place.instances.proof?);
        }
    }
    proofs.iter().copied().min().zip(proofs.iter().copied().max())
}
