//! Living guards: what is taken out must be missed. For each guard, each condition at AWS and each old hole, the first world
//! that breaks a law without it.

use rollcall_engine::retirement::Guard;

use crate::judge::Law;
use crate::run::run;
use crate::schedule::draw;
use crate::world::{Ablation, Fence, Hole};

/// Everything that can be taken out, with its name.
#[must_use]
pub fn all() -> Vec<(String, Ablation)> {
    let none = Ablation::default();
    let guards = Guard::ALL
        .iter()
        .map(|guard| (format!("guard {}", guard.name()), Ablation { guard: Some(*guard), ..none }));
    let fences =
        Fence::ALL.iter().map(|fence| (format!("fence {fence:?}"), Ablation { fence: Some(*fence), ..none }));
    let holes =
        Hole::ALL.iter().map(|hole| (format!("hole {hole:?}"), Ablation { hole: Some(*hole), ..none }));
    guards.chain(fences).chain(holes).collect()
}

/// The first of these worlds that breaks this very law without it.
#[must_use]
pub fn first_of(law: Law, ablation: Ablation, seeds: std::ops::Range<u64>) -> Option<u64> {
    seeds.into_iter().find(|seed| run(&draw(*seed), ablation, false).breaks(law))
}

/// The first of these worlds that breaks a law without it, and which.
#[must_use]
pub fn first(ablation: Ablation, seeds: std::ops::Range<u64>) -> Option<(u64, Law)> {
    seeds.into_iter().find_map(|seed| {
        let outcome = run(&draw(seed), ablation, false);
        outcome.violations.first().map(|violation| (seed, violation.law))
    })
}
