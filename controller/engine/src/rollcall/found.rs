//! Findings that are not about one host: each belongs to an owner who remembers since when it stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Requirement;
use super::exemptions::{About, Exemptions};
use super::phrases::Phrases;
use super::registries::SystemView;
use super::scene::Scene;
use super::since::{NOTHING, Sinces};
use super::sources::blind_listings;
use super::tallies::Tallies;
use crate::finding::{Code, Finding};
use crate::fleet::Demand;
use crate::ids::HostId;

/// Who remembers a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// An environment, by number.
    Environment(usize),
    /// A monitoring system, by number.
    System(usize),
    /// A place, by number.
    Place(usize),
    /// Nobody: the finding itself says since when.
    Dated,
}

/// One such finding.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) owner: Owner,
    /// What tells it from the owner's other findings.
    pub(super) key: String,
    /// The namespace in which it can be accepted; empty: nowhere.
    pub(super) namespace: Arc<str>,
    /// The host it is about, if any: one that is gone.
    pub(super) host: Option<HostId>,
    pub(super) finding: Finding,
}

/// Times to remember, by owner.
pub(super) type Remembered = BTreeMap<Owner, BTreeMap<Arc<str>, Timestamp>>;

/// Gives each finding its time and its excuse.
pub(super) fn file(
    scene: &Scene<'_, '_>,
    tallies: &Tallies,
    found: Vec<Found>,
    exemptions: &mut Exemptions<'_>,
    phrases: &mut Phrases,
) -> (Vec<Finding>, Remembered) {
    let mut books: BTreeMap<Owner, Sinces<'_>> = owners(scene);
    let mut findings = Vec::with_capacity(found.len());
    for Found { owner, key, namespace, host, mut finding } in found {
        if let Some(book) = books.get_mut(&owner) {
            finding.since = book.stamp(phrases.share(format!("{} {key}", finding.code)), scene.pass.now);
        }
        // Who had to know earlier has asked already.
        if finding.excuse.is_none() {
            let about = About { namespace: &namespace, host: host.as_ref(), plays: &|_| false };
            exemptions.excuse(&mut finding, about);
        }
        findings.push(finding);
    }
    for (owner, book) in &mut books {
        book.keep(|key| is_unknown(scene, *owner, key) || is_row_unknown(scene, tallies, *owner, key));
    }
    (findings, books.into_iter().map(|(owner, book)| (owner, book.into_memory())).collect())
}

/// Everybody who remembers.
fn owners<'m>(scene: &Scene<'_, 'm>) -> BTreeMap<Owner, Sinces<'m>> {
    let places = scene.places.iter().enumerate().map(|(n, place)| (Owner::Place(n), &place.memory.findings));
    let systems =
        scene.systems.iter().enumerate().map(|(n, system)| (Owner::System(n), &system.memory.findings));
    let environments = scene.pass.fleet.environments.iter().enumerate().map(|(n, environment)| {
        let memory = scene.pass.memory.environments.get(&environment.key);
        (Owner::Environment(n), memory.map_or(&NOTHING, |memory| &memory.findings))
    });
    places.chain(systems).chain(environments).map(|(owner, old)| (owner, Sinces::new(old))).collect()
}

/// Is the key of a row of an environment itself that nobody can judge now, or of a system whose switches are not told?
fn is_row_unknown(scene: &Scene<'_, '_>, tallies: &Tallies, owner: Owner, key: &str) -> bool {
    let Owner::Environment(number) = owner else { return false };
    let environment = scene.pass.fleet.environments.get(number).zip(tallies.environments.get(number));
    let (Some((environment, tally)), Some((code, subject))) = (environment, key.split_once(' ')) else {
        return false;
    };
    if code == Code::SystemOff.as_str() {
        let system = scene.systems.iter().find(|system| system.system.key.to_string() == subject);
        return system.and_then(SystemView::program).is_some_and(|program| program.notifies.is_none());
    }
    let mut rows = environment.ledger.iter().zip(&tally.ledger);
    rows.any(|(entry, tally)| {
        let is_it = matches!(&entry.requirement, Requirement::Check(check) if check.to_string() == subject);
        is_it && matches!(entry.demand, Demand::Environment(_)) && tally.unknown > 0
    })
}

/// Could the subject of an owner's key not be judged? Asked of what was not found.
fn is_unknown(scene: &Scene<'_, '_>, owner: Owner, key: &str) -> bool {
    let a_place_is_blind = scene.places.iter().any(|place| !place.proves_all());
    let is_about_source =
        [Code::RegistryBlind, Code::NotVerifiable].iter().any(|code| key.starts_with(code.as_str()));
    let is_blind = |number: &usize| {
        scene.systems.get(*number).is_some_and(|system| blind_listings(system).next().is_some())
    };
    match owner {
        Owner::System(number) => !is_about_source && (a_place_is_blind || is_blind(&number)),
        Owner::Environment(number) => scene.pass.fleet.environments.get(number).is_some_and(|environment| {
            let is_doubted =
                environment.is_partial || environment.book.doubted || environment.requirements_doubted;
            is_doubted || a_place_is_blind || environment.systems.iter().any(is_blind)
        }),
        Owner::Place(_) | Owner::Dated => false,
    }
}
