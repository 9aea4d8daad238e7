//! Laws over fleets that nobody wrote down: hiding information never makes a claim of absence, the order of what was read
//! does not matter, and no text from outside breaks anything. (That a second look says and remembers the
//! same is checked after every pass of every story.)

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;
use rollcall_crds::v1alpha1::HostState;
use rollcall_engine::fleet::Fleet;
use rollcall_engine::ids::{HostId, RegistrationId};
use rollcall_engine::memory::{Memory, SystemMemory};
use rollcall_engine::reading::{Extent, FailureKind, Reading};
use rollcall_engine::registry::Scope;
use rollcall_engine::rollcall::{Coverage, Requirement, RollCall, roll_call};
use rollcall_engine::snapshot::Snapshot;

use crate::fleets::{fleet, hidden, hidden_by_ec2, looked_at, part, world};
use crate::world::*;

/// Everything that a roll call claims against somebody, but for what it says about its sources.
fn claims(roll: &RollCall) -> BTreeSet<String> {
    let of_sources = ["RC0501", "RC0502", "RC0503", "RC0505", "RC0604"];
    let findings = roll.findings.iter().filter(|f| !of_sources.contains(&f.code.as_str()));
    findings.map(|f| format!("{} {:?} {:?} {:?}", f.code, f.subject, f.environment, f.check)).collect()
}

/// Some rows, by host and requirement.
type Rows = BTreeSet<(HostId, Requirement)>;

fn rows_that(roll: &RollCall, is_one: impl Fn(Coverage) -> bool) -> Rows {
    let mut rows = Rows::new();
    for (id, host) in &roll.hosts {
        let these = roll.rows(host).filter(|(_, coverage)| is_one(*coverage));
        rows.extend(these.map(|(requirement, _)| (id.clone(), requirement.clone())));
    }
    rows
}

/// Rows that claim a lack.
fn lacks(roll: &RollCall) -> Rows {
    rows_that(roll, |coverage| {
        matches!(
            coverage,
            Coverage::Missing | Coverage::Silent | Coverage::Muted | Coverage::Weak | Coverage::Failed
        )
    })
}

/// What is covered some minutes later.
fn covered_and_all(world: &mut World) -> (Rows, RollCall) {
    let roll = world.minutes(20).pass();
    (rows_that(&roll, |coverage| coverage == Coverage::Covered), roll)
}

/// The world in which there is no registration but those that a listing shows wholly.
fn without_hidden(world: &World, hosts: &Answer) -> World {
    let mut world = world.clone();
    if let Answer::Cut(named) | Answer::Garbled(named) = hosts {
        world.agents.retain(|_, agent| !is_named(&agent.registration, named));
    }
    world
}

/// Does the view neither show nor remember a registration that this host has? Then nobody can know of it.
fn is_hidden_anew(id: &HostId, truth: &RollCall, view: &RollCall, remembered: &SystemMemory) -> bool {
    let remembered = remembered.registrations.get(id).into_iter().flatten();
    let known: BTreeSet<&RegistrationId> =
        view.hosts[id].registrations.iter().map(|(_, registration)| registration).chain(remembered).collect();
    let has = truth.hosts.get(id).map_or(&[][..], |host| &host.registrations);
    has.iter().any(|(_, registration)| !known.contains(registration))
}

/// The same readings in another order.
pub fn turned(snapshot: &Snapshot) -> Snapshot {
    let mut snapshot = snapshot.clone();
    for inventory in snapshot.inventories.values_mut() {
        let inventory = std::sync::Arc::make_mut(inventory);
        inventory.instances.seen.reverse();
        inventory.databases.seen.reverse();
        inventory.clusters.seen.reverse();
    }
    for registry in snapshot.registries.values_mut() {
        let registry = std::sync::Arc::make_mut(registry);
        registry.hosts.seen.reverse();
        registry.monitors.seen.reverse();
        registry.checks.by_host_mut().unwrap().values_mut().for_each(|reading| reading.seen.reverse());
    }
    snapshot
}

pub fn settings() -> ProptestConfig {
    let asked = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() {
        return asked;
    }
    // The everyday build has ten seconds for all tests of this crate, and a landing must not hang on the draw: the same
    // fleets each time. `PROPTEST_CASES=20000` looks further, at others each time.
    ProptestConfig { cases: 24, rng_seed: proptest::test_runner::RngSeed::Fixed(20_261_123), ..asked }
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn hiding_information_never_makes_a_claim(
        fleet in fleet(),
        ec2 in hidden_by_ec2(),
        answers in prop::array::uniform4(hidden()),
        rds in prop::array::uniform2(hidden_by_ec2()),
        things in prop::array::uniform3(hidden()),
        seen in any::<bool>(),
    ) {
        let mut world = looked_at(&fleet, seen);
        let [hosts, monitors, metrics, checks] = answers;
        // A system that has no listing of metrics has none to the seeing either: it hides nothing.
        if metrics == Answer::Fails(FailureKind::NotSupported) {
            world.mackerel.insert("metrics", metrics.clone());
        }
        let mut blind = world.clone();
        blind.ec2.insert(PLACE.into(), ec2);
        let [databases, clusters] = rds;
        blind.rds = [("databases", databases), ("clusters", clusters)].into();
        let [addresses, volumes, groups] = things;
        blind.things.says = [("addresses", addresses), ("volumes", volumes), ("security groups", groups)].into();
        blind.mackerel = [("hosts", hosts), ("monitors", monitors), ("metrics", metrics), ("checks", checks)].into();
        // Two looks each: what one look remembers must not make the next one claim more either.
        let (mut seeing, mut blinded) = (world, blind);
        seeing.minutes(30);
        blinded.minutes(30);
        for _ in 0..2 {
            let truth = seeing.minutes(5).pass();
            let view = blinded.minutes(5).pass();
            let more: Vec<_> = claims(&view).difference(&claims(&truth)).cloned().collect();
            prop_assert!(more.is_empty(), "claimed only by the blind: {more:#?}");
            let more: Vec<_> = lacks(&view).difference(&lacks(&truth)).cloned().collect();
            prop_assert!(more.is_empty(), "lacking only to the blind: {more:#?}");
            for id in &view.gone {
                let is_going = truth.hosts.get(id).is_some_and(|host| host.state == HostState::Gone);
                prop_assert!(is_going || truth.gone.contains(id), "{id} is gone only to the blind");
            }
            for (key, exemption) in &view.exemptions {
                prop_assert!(exemption.healed.is_subset(&truth.exemptions[key].healed), "healed only to the blind");
            }
            for (key, environment) in &view.environments {
                let is_true = truth.environments[key].compliant;
                prop_assert!(environment.compliant != Some(true) || is_true == Some(true), "blind is not compliant");
            }
        }
    }

    /// What a listing in part covers, a listing that has no more than this part covers; and so does the whole one, unless
    /// it holds a registration that nobody could know of.
    #[test]
    fn a_part_of_the_registrations_covers_nothing_more(
        fleet in fleet(),
        hosts in part(),
        answers in prop::array::uniform3(hidden()),
        seen in any::<bool>(),
    ) {
        let world = looked_at(&fleet, seen);
        let remembered = world.memory.systems[&world.system].clone();
        let (mut seeing, mut shown, mut blinded) = (world.clone(), without_hidden(&world, &hosts), world);
        let [monitors, metrics, checks] = answers;
        blinded.mackerel = [("hosts", hosts), ("monitors", monitors), ("metrics", metrics), ("checks", checks)].into();
        for _ in 0..2 {
            let truth = covered_and_all(&mut seeing);
            let part = covered_and_all(&mut shown);
            let view = covered_and_all(&mut blinded);
            let more: Vec<_> = view.0.difference(&part.0).cloned().collect();
            prop_assert!(more.is_empty(), "covered by more than was seen: {more:#?}");
            let mut more: Vec<_> = view.0.difference(&truth.0).cloned().collect();
            more.retain(|(id, _)| !is_hidden_anew(id, &truth.1, &view.1, &remembered));
            prop_assert!(more.is_empty(), "covered only to the blind: {more:#?}");
        }
    }

    #[test]
    fn the_order_of_what_was_read_does_not_matter(fleet in fleet()) {
        let mut world = world(&fleet);
        world.minutes(5);
        let snapshot = world.snapshot();
        let (parsed, _) = world.fleet();
        let straight = roll_call(&parsed, &snapshot, &world.memory, world.now);
        world.desired.environments.reverse();
        world.desired.roles.reverse();
        world.desired.checks.reverse();
        let (parsed, _) = world.fleet();
        let turned = roll_call(&parsed, &turned(&snapshot), &world.memory, world.now);
        prop_assert_eq!(serde_json::to_string(&straight).unwrap(), serde_json::to_string(&turned).unwrap());
    }

    #[test]
    fn a_minute_later_nothing_is_remembered_anew(fleet in fleet()) {
        let mut world = world(&fleet);
        world.minutes(5).pass();
        let (fleet, _) = world.fleet();
        let snapshot = world.snapshot();
        let (first, memory) = roll_call(&fleet, &snapshot, &world.memory, world.now);
        let (second, later) = roll_call(&fleet, &snapshot, &memory, world.now + SignedDuration::from_mins(1));
        prop_assert_eq!(&memory, &later);
        prop_assert_eq!(first.findings, second.findings);
    }

    #[test]
    fn hostile_text_breaks_nothing_and_reaches_nobody(text in "\\PC{0,40}|[\\x00-\\x1f\\u{202e}a-z./:;'\"$`(){}-]{0,40}") {
        let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
        world.machine("jp1-app-1").tags =
            [("Name", text.as_str()), ("Env", "jp1"), ("Role", text.as_str())].into_iter().collect();
        world.machine("jp1-app-1").instance_type.clone_from(&text);
        world.machine("jp1-app-1").state_reason = Some(text.clone());
        let agent = world.agent("jp1-app-2");
        agent.registration.name.clone_from(&text);
        agent.registration.id = text.as_str().into();
        agent.registration.custom_identifier = Some(text.clone());
        agent.registration.instance_id = Some(text.clone());
        agent.registration.provider = Some(text.clone());
        agent.registration.roles = vec![Scope { service: text.clone(), role: Some(text.clone()) }];
        agent.checks = Some(vec![text.clone()]);
        world.monitors[0].name.clone_from(&text);
        world.desired.checks[0].spec.watched.as_mut().unwrap().by[0].system.clone_from(&text);
        let roll = world.pass_despite_problems();
        for line in causes(&roll).into_iter().chain(findings(&roll)).chain(roll.causes.iter().map(|c| c.fix.clone())) {
            prop_assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
        }
    }

    #[test]
    fn hostile_resources_are_told_and_never_break(text in "\\PC{0,60}|[$\\{\\}env.()\\[\\]*+?|^a-z0-9-]{0,60}") {
        let mut world = World::with_hosts(&["jp1-app-1"]);
        let desired = &mut world.desired;
        desired.environments[0].spec.selector.any_of[0].name_pattern = Some(text.clone());
        desired.environments[0].spec.time_zone = Some(text.clone());
        desired.roles[0].spec.includes = vec![text.clone(), "app".into()];
        desired.checks[0].spec.watched.as_mut().unwrap().by[0].system.clone_from(&text);
        desired.checks[1].spec.watched.as_mut().unwrap().by[0].check.as_mut().unwrap().name.clone_from(&text);
        desired.accounts[0].spec.account_id.clone_from(&text);
        desired.accounts[0].spec.regions = vec![text.clone()];
        let (fleet, problems) = Fleet::parse(desired);
        prop_assert!(!problems.is_empty());
        let snapshot = world.snapshot();
        let _ = roll_call(&fleet, &snapshot, &Memory::default(), world.now);
    }
}

#[test]
fn a_reading_that_is_not_complete_cannot_be_asked_for_absence() {
    let now = MONDAY.parse().unwrap();
    let whole = Reading::complete_at("x", now, vec![1]);
    let age = SignedDuration::from_mins(15);
    assert!(whole.complete(now + age, age).is_some());
    assert!(whole.complete(now + age + SignedDuration::from_secs(1), age).is_none());
    let cut = Reading { extent: Extent::Partial { at: now, missing: Vec::new() }, ..whole };
    assert!(cut.complete(now, age).is_none());
}
