//! Worlds of everyday testing: none breaks a law, the same seed plays the same world, and what they reach is enough to mean
//! something. `make` plays 20,000; these are the first thousand of them.

use rollcall_engine::retirement::Guard;
use rollcall_simulator::coverage::Coverage;
use rollcall_simulator::run::run;
use rollcall_simulator::schedule::draw;
use rollcall_simulator::world::{Ablation, Fence};

const WORLDS: u64 = 1_000;

/// In how many of a thousand worlds each must be reached, at the least.
const FLOORS: &[(&str, &str, u64)] = &[
    ("act", "Stop", 500),
    ("act", "Restop", 100),
    ("act", "Terminate", 300),
    ("act", "DeleteReader", 50),
    ("state", "Proposed", 800),
    ("state", "Waiting", 800),
    ("state", "Stopping", 500),
    ("state", "CoolingOff", 500),
    ("state", "Terminating", 400),
    ("state", "Retired", 500),
    ("state", "Undoing", 150),
    ("state", "Cancelled", 150),
    ("breaker", "Tripped", 100),
    ("cloud", "RestartedItself", 100),
    ("person", "Late", 10),
    ("person", "Remake", 5),
    ("person", "Forge", 5),
    ("person", "Delete", 10),
    ("person", "Cancel", 5),
    ("person", "Withdraw", 5),
    ("shell", "Conflict", 1),
];

#[test]
fn no_world_breaks_a_law_and_they_reach_far() {
    let mut reached = Coverage::default();
    for seed in 0..WORLDS {
        let outcome = run(&draw(seed), Ablation::default(), false);
        assert_eq!(outcome.violations, [], "rollcall-simulator --seed {seed} --trace");
        reached.add(&outcome.coverage);
    }
    let mut low: Vec<String> = FLOORS
        .iter()
        .filter(|(kind, name, floor)| reached.of(kind, name) < *floor)
        .map(|(kind, name, floor)| format!("{kind} {name}: {} of {floor}", reached.of(kind, name)))
        .collect();
    let faults = ["Blind", "Lag", "Partial", "Lie", "Vanish", "Slow", "Lose", "Mumble", "Pause", "Crash"];
    let faults = faults.into_iter().chain(["SplitBrain", "StaleWatch", "Skew"]);
    low.extend(faults.filter(|fault| reached.of("fault", fault) < 50).map(|fault| format!("fault {fault}")));
    low.extend(
        Guard::ALL
            .iter()
            .map(|guard| guard.name())
            .filter(|guard| reached.of("guard", guard) < 5)
            .map(|guard| format!("guard {guard}: {}", reached.of("guard", guard))),
    );
    low.extend(
        Fence::ALL.iter().map(|fence| format!("{fence:?}")).filter(|fence| reached.of("fence", fence) < 3),
    );
    assert!(low.is_empty(), "not reached often enough: {low:#?}");
}

#[test]
fn a_seed_plays_the_same_world_bit_for_bit() {
    for seed in [0, 7, 53, 4_518, 12_651, u64::MAX] {
        let (first, second) =
            (run(&draw(seed), Ablation::default(), true), run(&draw(seed), Ablation::default(), true));
        assert_eq!(first.hash, second.hash, "seed {seed}");
        assert_eq!(first.lines, second.lines, "seed {seed}");
        let untraced = run(&draw(seed), Ablation::default(), false);
        assert_eq!(untraced.hash, first.hash, "telling changes nothing: seed {seed}");
    }
    assert_ne!(
        run(&draw(0), Ablation::default(), false).hash,
        run(&draw(1), Ablation::default(), false).hash
    );
}
