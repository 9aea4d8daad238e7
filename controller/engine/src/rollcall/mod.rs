//! The roll call: who is there, who is watched as required, what is superfluous.
//!
//! [`roll_call`] is the whole decision and reads like its pipeline. Its output is values only; the shell turns
//! them into statuses, the CLI into text, and both say the same.

mod assertions;
mod causes;
mod changes;
mod claims;
mod counts;
mod coverage;
mod environments;
mod excess;
mod exemptions;
mod found;
mod host_findings;
mod hosts;
mod in_step;
mod join;
mod listed;
mod monitors;
mod names;
mod output;
mod phrases;
mod places;
mod plan;
mod population;
mod reach;
mod reasons;
mod registries;
mod remedy;
mod remember;
mod roles;
mod runs;
mod scene;
mod settle;
mod since;
mod sources;
mod stand;
mod standing;
mod summary;
mod tallies;
mod upkeep;
mod usage;
mod verdict;
mod vouched;
mod writers;

pub use output::*;
pub use runs::Probation;

use jiff::Timestamp;

use crate::finding::Finding;
use crate::fleet::Fleet;
use crate::memory::Memory;
use crate::snapshot::Snapshot;

/// The input of one pass.
#[derive(Clone, Copy, Debug)]
struct Pass<'a> {
    fleet: &'a Fleet,
    snapshot: &'a Snapshot,
    memory: &'a Memory,
    now: Timestamp,
}

/// Calls the roll once: what the readings say about the desired state, in the light of what is remembered.
///
/// Returns the roll call and the memory for the next pass. Pure: the same input gives the same output, to the
/// byte, whatever the order of what was read. The memory it returns equals the one it took while the world stands
/// still. Hiding information (a page, a listing, a source, freshness) never adds a finding that claims absence.
#[must_use]
pub fn roll_call(fleet: &Fleet, snapshot: &Snapshot, memory: &Memory, now: Timestamp) -> (RollCall, Memory) {
    let pass = &Pass { fleet, snapshot, memory, now };
    let mut reasons = reasons::Reasons::default();
    let mut phrases = phrases::Phrases::default();

    // Who is there, whose are they, what do they play, where are they registered?
    let places = places::look(pass);
    let mut population = population::count(&places);
    let claims = claims::settle(pass, &places, &population.hosts);
    let heirs = changes::pair(pass, &population, &claims);
    population.inherit(&heirs);
    let roles = roles::resolve(pass, &population.hosts, &claims);
    let systems = registries::look(pass, &mut reasons);
    let joins = join::join(pass, &places, &population, &systems);
    let plans = plan::Plans::new(pass, &mut reasons);
    let scene = scene::Scene {
        pass,
        places: &places,
        population: &population,
        claims: &claims,
        roles: &roles,
        systems: &systems,
        joins: &joins,
    };

    // What is wrong with hosts, and with everything else?
    let mut exemptions = exemptions::Exemptions::new(pass);
    let mut rater = coverage::Rater::new(pass, &systems, &plans, &joins);
    let mut judged = hosts::judge(&scene, &mut rater, &mut exemptions, &mut reasons, &mut phrases);
    let mut found = Vec::new();
    environments::look(
        &scene,
        &mut environments::Books {
            tallies: &mut judged.tallies,
            exemptions: &mut exemptions,
            reasons: &mut reasons,
            phrases: &mut phrases,
            found: &mut found,
        },
    );
    let vouched = vouched::look(&scene);
    let excess = excess::look(&scene, &rater, &vouched, &mut phrases, &mut found);
    counts::look(&scene, &judged.tallies, &mut phrases, &mut found);
    upkeep::look(&scene, &judged.tallies, &exemptions, &mut phrases, &mut found);
    sources::look(&scene, &plans, &judged.tallies, &mut phrases, &mut found);
    let (others, times) = found::file(&scene, &judged.tallies, found, &mut exemptions, &mut phrases);
    judged.findings.extend(others);
    judged.findings.sort_by(Finding::in_order);
    exemptions.heal(pass, |exemption, host| hosts::proves(&scene, &judged, exemption, host));

    // What must be remembered, and how do people see it?
    let (writers, takeovers) = writers::look(&scene);
    let changes = changes::happened(&scene, &judged.memories, &heirs, &takeovers);
    let applied = causes::Applied::new(&scene, &judged);
    let runs = runs::look(&scene, &judged.rolls);
    let news = remember::News { times, changes: &changes, writers, vouched, runs };
    let remembered = remember::remember(&scene, &mut judged, &exemptions, news, &mut rater.names);
    let material = summary::Material {
        scene: &scene,
        tallies: &judged.tallies,
        excess: &excess,
        findings: &judged.findings,
        applied: &applied,
        changes: &changes,
        remembered: &remembered,
    };
    let mut roll_call = RollCall {
        environments: material.environments(),
        accounts: material.accounts(),
        systems: material.systems(),
        checks: material.checks(),
        roles: material.roles(),
        policies: material.policies(),
        causes: causes::group(fleet, judged.findings.iter(), &applied, None),
        exemptions: exemptions.rolls,
        gone: scene.gone(&remembered),
        ..RollCall::default()
    };
    judged.rolls.extend(scene.going());
    roll_call.hosts = judged.rolls.into_iter().collect();
    roll_call.findings = judged.findings;
    roll_call.reasons = reasons.into_list();
    (roll_call, remembered)
}
