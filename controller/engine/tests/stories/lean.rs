//! Who looks unused: only whom an environment asks about, only after enough quiet days, and never for want of data.

use std::collections::BTreeMap;

use rollcall_crds::v1alpha1::HostState;
use rollcall_engine::activity::ActivityMetric;
use rollcall_engine::lean::{Doubt, Sign, Signal, Use, Weakness};
use rollcall_engine::reading::FailureKind;
use rollcall_engine::rollcall::roll_call;

use crate::lives::{Life, day};
use crate::world::*;

const POLICY: &str = "
apiVersion: rollcall.dev/v1alpha1
kind: RetirementPolicy
metadata: {name: short, namespace: backlog}
spec: {idle: {windowDays: 14}}
";

fn quiet() -> Life {
    Life { is_quiet: true, ..Life::default() }
}

/// The team's world, with an environment that asks who is unused. `lean`: what it says of that.
fn lean_world(hosts: &[&str], lean: &str) -> World {
    let mut world = World::with_hosts(hosts);
    let with_lean = |document: &&str| document.contains("kind: Environment");
    let environment = TEAM.split("---").find(with_lean).unwrap();
    world.apply(POLICY);
    world.apply(&format!("{}  lean: {lean}\n", environment.trim_end_matches('\n').to_owned() + "\n"));
    world
}

/// It asks who is unused of quiet databases: one that writes, its reader, and one that is replicated.
fn databases_world() -> World {
    let mut world = lean_world(&["jp1-app-1"], "{enforcement: Flag}");
    world.apply("apiVersion: rollcall.dev/v1alpha1\nkind: HostRole\nmetadata: {name: db, namespace: backlog}\nspec: {type: Duty}\n");
    for name in ["jp1-db-1", "jp1-db-2", "jp1-db-3"] {
        world.add_database(name);
        world.lives.of.insert(name.into(), quiet());
    }
    world.cluster("orders", &["jp1-db-1", "jp1-db-2"]);
    world.database("jp1-db-3").replicas = vec!["jp1-db-9".into()];
    world
}

fn used(world: &World, roll: &rollcall_engine::rollcall::RollCall, name: &str) -> Option<Use> {
    roll.hosts[&world.id(name)].used.clone()
}

#[test]
fn a_host_that_has_been_quiet_for_35_days_is_pointed_at_and_nothing_else() {
    let mut world = lean_world(&["jp1-app-1", "jp1-batch-1"], "{enforcement: Flag}");
    world.lives.of.insert("jp1-batch-1".into(), Life { but: vec![day("2026-10-12")], ..quiet() });
    let roll = world.pass();
    let found: Vec<_> =
        roll.findings.iter().map(|f| (f.code.as_str(), &*f.message, f.since.to_string())).collect();
    assert_eq!(
        found,
        [(
            "RC0401",
            "idle since 2026-10-13: CPU below 5 %, network below 5 MB a day, on each of 35 days",
            "2026-10-13T00:00:00Z".to_owned()
        )]
    );
    assert_eq!(roll.hosts[&world.id("jp1-batch-1")].state, HostState::Unused);
    let Some(Use::Active(Sign { signal: Signal::Cpu, .. })) = used(&world, &roll, "jp1-app-1") else {
        panic!("{:?}", used(&world, &roll, "jp1-app-1"))
    };
    let lean = roll.environments.values().next().unwrap().lean.unwrap();
    assert_eq!((lean.hosts, lean.idle, lean.unused, lean.unknown), (2, 1, 1, 0));
    assert_eq!(
        roll.causes[0].message,
        "jp1-batch-1 looks unused: idle since 2026-10-13: CPU below 5 %, network below 5 MB a day, on each of 35 days"
    );
}

#[test]
fn nobody_is_judged_and_nothing_is_asked_where_nobody_says_lean() {
    let mut world = World::with_hosts(&["jp1-batch-1"]);
    world.lives.of.insert("jp1-batch-1".into(), quiet());
    let roll = world.pass();
    assert!(roll.findings.is_empty());
    assert_eq!(used(&world, &roll, "jp1-batch-1"), None);
    let (fleet, _) = world.fleet();
    let snapshot = world.snapshot();
    assert!(
        snapshot
            .inventories
            .values()
            .all(|inventory| fleet.activity_due(inventory, None, None, world.now).is_empty())
    );
}

#[test]
fn only_the_roles_that_are_named_and_never_one_that_may_be_idle() {
    let mut world =
        lean_world(&["jp1-app-1", "jp1-batch-1", "jp1-batch-2"], "{enforcement: Flag, roles: [batch]}");
    world.apply(
        "
apiVersion: rollcall.dev/v1alpha1
kind: HostRole
metadata: {name: standby, namespace: backlog}
spec: {type: Trait, idle: Expected, selector: {anyOf: [{namePattern: batch-2$}]}}
",
    );
    for name in ["jp1-app-1", "jp1-batch-1", "jp1-batch-2"] {
        world.lives.of.insert(name.into(), quiet());
    }
    let roll = world.pass();
    let unused: Vec<_> = roll.findings.iter().map(|f| &*f.subject_name).collect();
    assert_eq!(unused, ["jp1-batch-1"]);
    let (fleet, _) = world.fleet();
    let wanted: Vec<_> = world
        .snapshot()
        .inventories
        .values()
        .flat_map(|inventory| fleet.activity_due(inventory, None, None, world.now))
        .collect();
    assert_eq!(wanted.len(), 1);
    assert_eq!(wanted[0].subjects.len(), 1, "what nobody looks at is not paid for");
}

/// The tag may name a role that is idle by design and that nobody has described yet.
#[test]
fn a_host_whose_tag_names_a_role_that_nobody_describes_is_not_pointed_at() {
    let mut world = lean_world(&["jp1-app-1", "jp1-batch-1"], "{enforcement: Flag}");
    world.lives.of.insert("jp1-batch-1".into(), quiet());
    world.machine("jp1-batch-1").tags = [("Env", "jp1"), ("Role", "batch/hotspare")].into_iter().collect();
    let roll = world.pass();
    assert!(roll.findings.iter().all(|f| f.code.as_str() != "RC0401"), "{:?}", roll.findings);
    assert_eq!(used(&world, &roll, "jp1-batch-1"), Some(Use::Unknown(Doubt::RoleNotDescribed)));
    world.lives.is_not_asked = true;
    let roll = world.minutes(20).pass();
    assert_eq!(
        used(&world, &roll, "jp1-batch-1"),
        Some(Use::Unknown(Doubt::RoleNotDescribed)),
        "nor from memory"
    );
    world.machine("jp1-batch-1").tags = [("Env", "jp1"), ("Role", "batch")].into_iter().collect();
    let roll = world.minutes(20).pass();
    assert!(matches!(used(&world, &roll, "jp1-batch-1"), Some(Use::Idle(_))));
}

#[test]
fn a_throttled_empty_late_or_half_read_source_makes_nobody_unused() {
    let names: Vec<String> = (1..=20).map(|n| format!("jp1-batch-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let lives: Vec<(&str, Life)> = vec![
        (
            "throttled",
            Life { hidden: BTreeMap::from([(ActivityMetric::Cpu, FailureKind::Throttled)]), ..quiet() },
        ),
        ("empty", Life { told_from: Some(day("2027-01-01")), ..quiet() }),
        ("late", Life { gaps: vec![day("2026-11-22")], ..quiet() }),
        (
            "half read",
            Life {
                hidden: BTreeMap::from([(ActivityMetric::NetworkOut, FailureKind::SourceError)]),
                ..quiet()
            },
        ),
    ];
    for (what, life) in lives {
        let mut world = lean_world(&names, "{enforcement: Flag}");
        world.lives.of = names.iter().map(|name| ((*name).to_owned(), life.clone())).collect();
        let roll = world.pass();
        assert!(roll.findings.iter().all(|f| f.code.as_str() != "RC0401"), "{what}");
        let lean = roll.environments.values().next().unwrap().lean.unwrap();
        assert_eq!((lean.idle, lean.unknown), (0, 20), "{what}");
    }
}

#[test]
fn what_was_found_is_held_over_one_day_that_cannot_be_read_and_no_longer() {
    let mut world = lean_world(&["jp1-app-1", "jp1-batch-1"], "{enforcement: Flag}");
    world.lives.of.insert("jp1-batch-1".into(), quiet());
    world.pass();
    world.lives.fails = Some(FailureKind::Denied);
    let roll = world.hours(24).pass();
    let codes: Vec<_> = roll.findings.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["RC0401", "RC0505"], "pointed at still, and told why it is old");
    let Some(Use::Idle(idle)) = used(&world, &roll, "jp1-batch-1") else { panic!("held") };
    assert_eq!(idle.weak, [Weakness::Remembered]);
    let roll = world.hours(24).pass();
    let codes: Vec<_> = roll.findings.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["RC0505"]);
    let doubt = Doubt::NotRead(Signal::Cpu, FailureKind::Denied);
    assert_eq!(used(&world, &roll, "jp1-batch-1"), Some(Use::Unknown(doubt)));
    // Once it can be read again, it is idle since the day on which it was first seen so.
    world.lives.fails = None;
    let roll = world.hours(24).pass();
    assert_eq!(roll.findings[0].since.to_string(), "2026-08-25T00:00:00Z");
}

#[test]
fn a_restart_remembers_who_is_unused_and_buys_nothing_again() {
    let mut world = lean_world(&["jp1-app-1", "jp1-batch-1"], "{enforcement: Flag}");
    world.lives.of.insert("jp1-batch-1".into(), quiet());
    let before = world.pass();
    let memory = world.memory.clone();
    world.lives.is_not_asked = true;
    let after = world.minutes(20).pass();
    assert_eq!(before.findings, after.findings);
    assert_eq!(memory.places, world.memory.places);
    let (fleet, _) = world.fleet();
    let due = |world: &World| {
        let snapshot = world.snapshot();
        let (place, inventory) = snapshot.inventories.iter().next().unwrap();
        let due = fleet.activity_due(inventory, None, world.memory.places.get(place), world.now);
        due.iter().map(|wanted| wanted.subjects.len()).sum::<usize>()
    };
    assert_eq!(due(&world), 0);
    assert_eq!(due(world.hours(24)), 2, "a new day is over");
}

#[test]
fn a_start_ends_it_also_while_nothing_is_here_but_memory() {
    let mut world = lean_world(&["jp1-app-1", "jp1-batch-1"], "{enforcement: Flag}");
    world.lives.of.insert("jp1-batch-1".into(), quiet());
    world.pass();
    world.lives.is_not_asked = true;
    let started = world.now;
    world.machine("jp1-batch-1").launch_time = started;
    let roll = world.minutes(20).pass();
    assert!(roll.findings.is_empty(), "{:?}", roll.findings);
    let doubt = Doubt::TooYoung(day("2026-12-29"));
    assert_eq!(used(&world, &roll, "jp1-batch-1"), Some(Use::Unknown(doubt)));
}

/// Two replicas take turns: the first leads again with the reading of the day before.
#[test]
fn an_older_reading_does_not_take_back_what_a_newer_one_found() {
    let mut world = lean_world(&["jp1-app-1", "jp1-batch-1"], "{enforcement: Flag}");
    world.lives.of.insert("jp1-batch-1".into(), quiet());
    world.pass();
    let (fleet, _) = world.fleet();
    let old = world.snapshot().activities;
    let tomorrow = Life { but: vec![day("2026-11-23")], ..quiet() };
    world.lives.of.insert("jp1-batch-1".into(), tomorrow);
    assert!(matches!(used_after(&mut world, 24), Some(Use::Active(_))));
    let mut snapshot = world.minutes(20).snapshot();
    snapshot.activities = old;
    let (roll, memory) = roll_call(&fleet, &snapshot, &world.memory, world.now);
    assert!(matches!(used(&world, &roll, "jp1-batch-1"), Some(Use::Active(_))));
    assert_eq!(memory, world.memory);
}

fn used_after(world: &mut World, hours: i64) -> Option<Use> {
    let roll = world.hours(hours).pass();
    used(world, &roll, "jp1-batch-1")
}

/// What is asked of a writer says nothing of what its readers serve.
#[test]
fn a_database_that_others_live_on_is_not_judged() {
    let mut world = databases_world();
    let roll = world.pass();
    let unused: Vec<_> = roll.findings.iter().filter(|f| f.code.as_str() == "RC0401").collect();
    assert_eq!(unused.len(), 1, "the reader alone: {unused:?}");
    assert_eq!(&*unused[0].subject_name, "jp1-db-2");
}

/// A standby idles by design. From the day on which it is one no longer it is judged like everybody else, by the days from then on.
#[test]
fn who_was_idle_by_design_is_judged_by_the_days_since() {
    let mut world = lean_world(&["jp1-app-1", "jp1-batch-1"], "{enforcement: Flag}");
    world.apply("apiVersion: rollcall.dev/v1alpha1\nkind: HostRole\nmetadata: {name: standby, namespace: backlog}\nspec: {type: Trait, idle: Expected}\n");
    world.lives.of.insert("jp1-batch-1".into(), quiet());
    let tags = |role| [("Env", "jp1"), ("Role", role)].into_iter().collect();
    world.machine("jp1-batch-1").tags = tags("batch/standby");
    let roll = world.pass();
    assert_eq!(used(&world, &roll, "jp1-batch-1"), None);
    world.machine("jp1-batch-1").tags = tags("batch");
    let roll = world.minutes(20).pass();
    let judged = Doubt::WasSpared(day("2026-12-29"));
    assert_eq!(used(&world, &roll, "jp1-batch-1"), Some(Use::Unknown(judged)));
    // Not a day earlier, whatever is read anew, or remembered.
    assert_eq!(used_after(&mut world, 24 * 35), Some(Use::Unknown(judged)));
    let Some(Use::Idle(idle)) = used_after(&mut world, 24) else {
        panic!("35 quiet days since it is no standby")
    };
    assert_eq!(idle.since, day("2026-11-24"));
    // A sign of use counts at any time.
    let mut busy = lean_world(&["jp1-batch-1"], "{enforcement: Flag}");
    busy.memory = world.memory.clone();
    assert!(matches!(used_after(&mut busy, 24), Some(Use::Active(_))));
}

#[test]
fn a_promoted_replica_is_judged_by_the_days_since() {
    let mut world = databases_world();
    let of = |roll: &rollcall_engine::rollcall::RollCall, name: &str| {
        roll.hosts.values().find(|host| host.name.as_deref() == Some(name)).unwrap().used.clone()
    };
    world.pass();
    world.database("jp1-db-3").replicas = Vec::new();
    let roll = world.minutes(20).pass();
    let judged = Some(Use::Unknown(Doubt::WasSpared(day("2026-12-29"))));
    assert_eq!(of(&roll, "jp1-db-3"), judged);
    // While nobody can tell who writes, nobody is judged, and nobody is taken for one who was spared either.
    let reader = of(&roll, "jp1-db-2");
    assert!(matches!(reader, Some(Use::Idle(_))), "{reader:?}");
    let writers = |world: &mut World, writes: [Option<bool>; 2]| {
        let members = &mut world.clusters.values_mut().next().unwrap().members;
        members.iter_mut().zip(writes).for_each(|(member, writes)| member.writer = writes);
    };
    writers(&mut world, [None, None]);
    let roll = world.minutes(20).pass();
    assert_eq!(of(&roll, "jp1-db-2"), None);
    writers(&mut world, [Some(true), Some(false)]);
    let roll = world.minutes(20).pass();
    let reader = of(&roll, "jp1-db-2");
    assert!(matches!(reader, Some(Use::Idle(_))), "{reader:?}");
    // A failover: the one that wrote until now is a reader from here on.
    writers(&mut world, [Some(false), Some(true)]);
    let roll = world.minutes(20).pass();
    assert_eq!(of(&roll, "jp1-db-1"), judged);
    assert_eq!(of(&roll, "jp1-db-2"), None);
}

#[test]
fn a_start_ends_it_and_an_exemption_keeps_a_host() {
    let mut world = lean_world(&["jp1-app-1", "jp1-batch-1"], "{enforcement: Flag}");
    world.lives.of.insert("jp1-batch-1".into(), quiet());
    world.apply(
        "
apiVersion: rollcall.dev/v1alpha1
kind: Exemption
metadata: {name: keep, namespace: backlog}
spec: {type: Accepted, match: {code: RC0401}, hosts: [i-0002], reason: r, approver: a, expires: \"2026-11-30\"}
",
    );
    let roll = world.pass();
    assert!(!roll.findings[0].excuse.is_none());
    assert_eq!(roll.hosts[&world.id("jp1-batch-1")].state, HostState::Active);
    let roll = world.hours(24 * 8).pass();
    assert_eq!(roll.hosts[&world.id("jp1-batch-1")].state, HostState::Unused, "the exemption has ended");
    let started = world.now;
    world.machine("jp1-batch-1").launch_time = started;
    let roll = world.minutes(90).pass();
    let doubt = Doubt::TooYoung(day("2027-01-06"));
    assert_eq!(used(&world, &roll, "jp1-batch-1"), Some(Use::Unknown(doubt)));
    assert!(roll.findings.iter().all(|f| f.code.as_str() != "RC0401"));
}

#[test]
fn a_policy_of_its_own_points_earlier_and_one_that_is_missing_judges_nobody() {
    let mut world = lean_world(&["jp1-batch-1"], "{enforcement: Flag, policy: short}");
    world.lives.of.insert("jp1-batch-1".into(), Life { but: vec![day("2026-11-01")], ..quiet() });
    let roll = world.pass();
    let Some(Use::Idle(idle)) = used(&world, &roll, "jp1-batch-1") else { panic!("quiet since 2 November") };
    assert_eq!((idle.since, idle.weak), (day("2026-11-02"), vec![Weakness::ShortWindow]));
    let memory = world.memory.clone();
    world.apply(&POLICY.replace("14", "28"));
    world.lives.is_not_asked = true;
    let roll_of_another_rule = world.pass();
    let doubt = Use::Unknown(Doubt::NotRead(Signal::Cpu, FailureKind::NotYetRead));
    assert_eq!(used(&world, &roll_of_another_rule, "jp1-batch-1"), Some(doubt), "14 days say nothing of 28");
    world.lives.is_not_asked = false;
    world.memory = memory;
    let policy = roll.policies.values().next().unwrap();
    assert_eq!((policy.hosts, policy.idle), (1, 1));
    world.desired.policies.clear();
    let (_, problems) = world.fleet();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].message.starts_with("spec.lean.policy: expected the name of a RetirementPolicy"),
        "{}",
        problems[0]
    );
    let roll = world.pass_despite_problems();
    assert!(roll.findings.is_empty() && roll.environments.values().next().unwrap().lean.is_none());
}

#[test]
fn a_database_that_took_a_name_over_is_not_judged_by_another_ones_days() {
    let mut world = lean_world(&["jp1-app-1"], "{enforcement: Flag, policy: strict}");
    world.apply(
        "
apiVersion: rollcall.dev/v1alpha1
kind: RetirementPolicy
metadata: {name: strict, namespace: backlog}
spec: {idle: {databases: {cpuBelowPercent: 5}}}
",
    );
    world.apply("apiVersion: rollcall.dev/v1alpha1\nkind: HostRole\nmetadata: {name: db, namespace: backlog}\nspec: {type: Duty}\n");
    world.add_database("jp1-db-1");
    world.lives.of.insert("jp1-db-1".into(), quiet());
    let weak = |roll: &rollcall_engine::rollcall::RollCall| {
        let of = roll.hosts.iter().find(|(id, _)| id.is_database()).and_then(|(_, host)| host.used.clone());
        let Some(Use::Idle(idle)) = of else { panic!("{of:?}") };
        idle.weak
    };
    assert_eq!(weak(&world.pass()), [Weakness::NameNotProved], "who bore it before we looked?");
    for _ in 0..36 {
        world.hours(24).pass();
    }
    assert_eq!(weak(&world.pass()), []);
    world.database("jp1-db-1").name = "jp1-db-9".into();
    assert_eq!(weak(&world.minutes(20).pass()), [Weakness::NameNotProved]);
    world.database("jp1-db-1").replica_of = Some("jp1-db-0".into());
    let roll = world.minutes(20).pass();
    let of_database = roll.hosts.iter().find(|(id, _)| id.is_database()).unwrap().1;
    assert_eq!(of_database.used, None, "a replica waits for its hour");
}
