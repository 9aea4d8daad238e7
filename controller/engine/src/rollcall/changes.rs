//! What happened: who joined, who left, who took whose place, whose roles changed, who took over whose writes. Derived from what was remembered
//! and what is seen, once each.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Pass;
use super::listed::Listed;
use super::population::{HostView, Population, Tomb};
use super::scene::Scene;
use super::writers::Takeover;
use crate::ids::{HostId, ObjectKey};
use crate::limits::REPLACEMENT_OVERLAP;
use crate::memory::{Change, Happening, HostMemory};
use crate::text::clean;

/// New changes, by environment.
pub(super) type Changes = BTreeMap<ObjectKey, Vec<Change>>;

/// Pairs the gone with those who took their name: in the same environment, come while Rollcall was watching and not long
/// before the old one left, and the only one of that name. Several of one name are a group, not a replacement.
pub(super) fn pair(
    pass: &Pass<'_>,
    population: &Population<'_>,
    claims: &[super::claims::Claimed],
) -> BTreeMap<HostId, HostId> {
    let wanted = population.tombs.iter().filter(|tomb| tomb.replaced_by.is_none());
    let mut heirs: BTreeMap<(&ObjectKey, &str), Option<&HostView<'_>>> = wanted
        .clone()
        .filter_map(|tomb| Some(((tomb.environment.as_ref()?, tomb.name.as_deref()?), None)))
        .collect();
    if heirs.is_empty() {
        return BTreeMap::new();
    }
    let mut rivals = std::collections::BTreeSet::new();
    for (host, claimed) in population.hosts.iter().zip(claims) {
        let (super::claims::Claimed::By(by), Some(name), true) = (claimed, host.name(), host.seen) else {
            continue;
        };
        let Some(environment) = pass.fleet.environments.get(*by) else { continue };
        let heir = heirs.get_mut(&(&environment.key, name));
        if heir.is_some_and(|heir| heir.replace(host).is_some()) {
            rivals.insert((environment.key.clone(), name));
        }
    }
    let mut pairs = BTreeMap::new();
    for tomb in wanted {
        let Some(key) = tomb.environment.as_ref().zip(tomb.name.as_deref()) else { continue };
        let heir = heirs.get(&key).copied().flatten();
        let is_heir =
            |heir: &&HostView<'_>| !rivals.contains(&(key.0.clone(), key.1)) && came_in_time(heir, tomb);
        if let Some(heir) = heir.filter(is_heir) {
            pairs.insert(tomb.id.clone(), heir.id.clone());
        }
    }
    pairs
}

fn came_in_time(heir: &HostView<'_>, tomb: &Tomb<'_>) -> bool {
    let launched = heir.listed.and_then(Listed::launched);
    let joined = heir.memory.is_none_or(|memory| memory.joined);
    let came = heir.memory.map(|memory| memory.first_seen).or(launched);
    joined && came.is_some_and(|came| tomb.gone_since.duration_since(came) <= REPLACEMENT_OVERLAP)
}

/// Everything that happened between the memory and this pass. `heirs` were found by [`pair`] in this pass, `takeovers`
/// by [`super::writers::look`].
pub(super) fn happened(
    scene: &Scene<'_, '_>,
    memories: &[HostMemory],
    heirs: &BTreeMap<HostId, HostId>,
    takeovers: &[Takeover],
) -> Changes {
    let mut changes = Changes::new();
    for (number, (host, now)) in scene.population.hosts.iter().zip(memories).enumerate() {
        let Some((_, class)) = scene.class(number) else { continue };
        let key = &class.environment.key;
        let at = scene.listed_at(host);
        let mut add =
            |what| changes.entry(key.clone()).or_default().push(change(at, host.id, now.name.as_ref(), what));
        let old = host.memory.filter(|memory| memory.environment.is_some());
        let sizes = old.and_then(|old| old.instance_type.as_ref()).zip(now.instance_type.as_ref());
        if let Some((from, to)) = sizes.filter(|(from, to)| from != to) {
            add(Happening::Resized { from: Arc::clone(from), to: Arc::clone(to) });
        }
        match old {
            None if now.joined => add(Happening::Joined),
            Some(old)
                if old.environment.as_ref() == Some(key)
                    && old.roles != now.roles
                    && !class.environment.book.doubted =>
            {
                add(Happening::RolesChanged { from: Arc::clone(&old.roles), to: Arc::clone(&now.roles) });
            }
            _ => {}
        }
    }
    for tomb in &scene.population.tombs {
        let heir = heirs.get(tomb.id);
        let what = match (heir, tomb.is_new) {
            (Some(heir), _) => Happening::ReplacedBy(heir.clone()),
            (None, true) => Happening::Left,
            (None, false) => continue,
        };
        if let Some(key) = &tomb.environment {
            let listing = scene.places.get(tomb.place).map(|place| place.listing(tomb.id));
            let at = listing.and_then(|listing| listing.at).unwrap_or(scene.pass.now);
            changes.entry(key.clone()).or_default().push(change(at, tomb.id, tomb.name.as_ref(), what));
        }
    }
    for Takeover { host: number, cluster, from } in takeovers {
        let Some((host, now)) = scene.population.hosts.get(*number).zip(memories.get(*number)) else {
            continue;
        };
        let Some((_, class)) = scene.class(*number) else { continue };
        let what = Happening::BecameWriter { cluster: Arc::clone(cluster), from: from.clone() };
        let change = change(scene.listed_at(host), host.id, now.name.as_ref(), what);
        changes.entry(class.environment.key.clone()).or_default().push(change);
    }
    changes
}

fn change(at: Timestamp, host: &HostId, name: Option<&Arc<str>>, what: Happening) -> Change {
    Change { at, host: host.clone(), name: name.map(|name| clean(name)), what }
}
