//! What assertions ask of a place beyond its hosts: read with every poll as far as it is due, which is mostly not at all.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rollcall_engine::ids::Place;
use rollcall_engine::inventory::{Asked, Asserted, Inventory};
use rollcall_engine::reading::{Extent, Failure, FailureKind, Reading};

use super::account::put;
use super::board::{Hearing, hold};
use super::{Observer, patience, tell};
use crate::sources::AccountReader;

/// What is made of the answers of each listing. Single groups and instances have no such memory: one that is lost is held
/// while it is young.
#[derive(Default)]
pub(super) struct AssertedHearing {
    security_groups: Hearing,
    subnet_groups: Hearing,
}

/// Reads what is due and puts it on the board.
pub(super) async fn read(
    observer: &Observer,
    place: &Place,
    reader: &dyn AccountReader,
    heard: &mut AssertedHearing,
) {
    let Some(known) = observer.board.place(place) else { return };
    let asked = asked(observer, &known);
    if asked == Asked::default() && is_unread(&known) {
        return;
    }
    let (now, keep) = (observer.clock.now(), observer.settings.slow_inventory_interval);
    let new = reader.asserted(&place.region, &known, &asked, keep, now).await;
    if says_the_same(&known, &new) {
        return;
    }
    count(observer, &known, &new);
    put_asserted(observer, place, new, heard);
}

/// Does any assertion look at something of this place beside its hosts?
pub(super) fn is_asked(observer: &Observer, place: &Place) -> bool {
    observer.board.place(place).is_some_and(|known| asked(observer, &known) != Asked::default())
}

fn asked(observer: &Observer, known: &Inventory) -> Asked {
    let library = observer.settings.library_namespace.as_deref();
    let judged = observer.desired.judged(&observer.stores, library);
    let mut asked = judged.fleet.asked(known);
    if let Some(memory) =
        observer.remembered.borrow().as_ref().and_then(|memory| memory.places.get(&known.place))
    {
        asked.protections.extend(judged.fleet.found_unused(known, memory));
    }
    asked
}

/// Nobody could be asked: all that was read says why.
pub(super) fn unreadable(observer: &Observer, place: &Place, why: &Failure, heard: &mut AssertedHearing) {
    let Some(known) = observer.board.place(place).filter(|known| !is_unread(known)) else { return };
    let now = observer.clock.now();
    let new = Asserted {
        security_groups: failed(&known.security_groups, why, now),
        subnet_groups: failed(&known.subnet_groups, why, now),
        parameters: all_failed(&known.parameters, why, now),
        protections: all_failed(&known.protections, why, now),
    };
    put_asserted(observer, place, new, heard);
}

/// An inventory with what was read for assertions, and nothing else of this one.
pub(super) fn of(known: &Inventory) -> Inventory {
    Inventory {
        security_groups: known.security_groups.clone(),
        subnet_groups: known.subnet_groups.clone(),
        parameters: known.parameters.clone(),
        protections: known.protections.clone(),
        ..Inventory::not_yet(known.place.clone(), Timestamp::UNIX_EPOCH)
    }
}

fn put_asserted(observer: &Observer, place: &Place, new: Asserted, heard: &mut AssertedHearing) {
    let patience = patience(observer.settings.slow_inventory_interval);
    let Asserted { security_groups, subnet_groups, parameters, protections } = new;
    put(observer, place, |known, now| Inventory {
        place: known.place.clone(),
        instances: known.instances.clone(),
        volumes: known.volumes.clone(),
        addresses: known.addresses.clone(),
        databases: known.databases.clone(),
        clusters: known.clusters.clone(),
        security_groups: heard.security_groups.hear(&known.security_groups, security_groups, patience, now),
        subnet_groups: heard.subnet_groups.hear(&known.subnet_groups, subnet_groups, patience, now),
        parameters: held(&known.parameters, parameters, patience, now),
        protections: held(&known.protections, protections, patience, now),
    });
}

fn held<K: Ord, T: Clone>(
    known: &BTreeMap<K, Reading<T>>,
    new: BTreeMap<K, Reading<T>>,
    patience: SignedDuration,
    now: Timestamp,
) -> BTreeMap<K, Reading<T>> {
    let one = |(key, reading): (K, Reading<T>)| {
        let reading = match known.get(&key) {
            Some(known) => hold(known, reading, patience, now),
            None => reading,
        };
        (key, reading)
    };
    new.into_iter().map(one).collect()
}

fn is_unread(inventory: &Inventory) -> bool {
    is_not_yet(&inventory.security_groups.extent)
        && is_not_yet(&inventory.subnet_groups.extent)
        && inventory.parameters.is_empty()
        && inventory.protections.is_empty()
}

fn is_not_yet(extent: &Extent) -> bool {
    matches!(extent, Extent::Failed { why, .. } if why.kind == FailureKind::NotYetRead)
}

/// To the last word and time: a reading that was kept is the very same.
fn says_the_same(known: &Inventory, new: &Asserted) -> bool {
    known.security_groups == new.security_groups
        && known.subnet_groups == new.subnet_groups
        && known.parameters == new.parameters
        && known.protections == new.protections
}

/// Counts and tells what was read anew.
fn count(observer: &Observer, known: &Inventory, new: &Asserted) {
    let told = |listing: &'static str, source: &str, extent: &Extent| {
        observer.metrics.polled(listing, extent);
        tell(source, extent);
    };
    if known.security_groups != new.security_groups {
        told("security groups", &new.security_groups.source, &new.security_groups.extent);
    }
    if known.subnet_groups != new.subnet_groups {
        told("subnet groups", &new.subnet_groups.source, &new.subnet_groups.extent);
    }
    for (group, reading) in &new.parameters {
        if known.parameters.get(group) != Some(reading) && !is_not_yet(&reading.extent) {
            told("parameters", &reading.source, &reading.extent);
        }
    }
    for (host, reading) in &new.protections {
        if known.protections.get(host) != Some(reading) && !is_not_yet(&reading.extent) {
            told("termination protection", &reading.source, &reading.extent);
        }
    }
}

fn failed<T: Default>(known: &Reading<T>, why: &Failure, now: Timestamp) -> Reading<T> {
    Reading::failed(known.source.clone(), now, why.clone())
}

fn all_failed<K: Ord + Clone, T: Default>(
    known: &BTreeMap<K, Reading<T>>,
    why: &Failure,
    now: Timestamp,
) -> BTreeMap<K, Reading<T>> {
    known.iter().map(|(key, reading)| (key.clone(), failed(reading, why, now))).collect()
}
