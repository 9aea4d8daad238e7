//! The digest of a week: what one pass knows of it, and what it leaves open. What nobody could read is never a number.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;
use rollcall_crds::v1alpha1::RetirementState;
use rollcall_engine::fleet::Fleet;
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::inventory::PowerState;
use rollcall_engine::leaving::{Departure, Pass};
use rollcall_engine::memory::Memory;
use rollcall_engine::notice::{Blindness, Digest, Language, Origin};
use rollcall_engine::reading::FailureKind;
use rollcall_engine::rollcall::roll_call;
use rollcall_engine::snapshot::Snapshot;
use rollcall_engine::week::{Asked, digest};

use crate::fleets::{fleet, hidden, hidden_by_ec2, looked_at};
use crate::lives::Life;
use crate::world::*;

/// The team's world on the Sunday before the week of most stories. `lean`: what its environment says of unused hosts.
fn sunday(hosts: &[&str], lean: &str) -> World {
    let mut world = World::with_hosts(hosts);
    let environment = TEAM.split("---").find(|document| document.contains("kind: Environment")).unwrap();
    world.apply(&format!("{}\n{lean}\n", environment.trim_end()));
    world.now = "2026-11-15T09:00:00Z".parse().unwrap();
    world
}

const FLAG: &str = "  lean: {enforcement: Flag}";

fn of(fleet: &Fleet, snapshot: &Snapshot, memory: &Memory, world: &World) -> (Digest, Memory) {
    let (roll, memory) = roll_call(fleet, snapshot, memory, world.now);
    let pass = Pass { fleet, snapshot, memory: &memory, roll: &roll, now: world.now };
    let origin = Origin::new("week").unwrap();
    let digest =
        digest(pass, Asked { origin: &origin, environments: None, on: "--on fleet.json", departures: None });
    (digest, memory)
}

/// The digest of this moment.
fn told(world: &World) -> Digest {
    let (fleet, _) = world.fleet();
    of(&fleet, &world.snapshot(), &world.memory, world).0
}

fn text(digest: &Digest, world: &World) -> Vec<String> {
    digest.message(Language::En, world.now).text().lines().map(str::to_owned).collect()
}

#[test]
fn a_week_in_a_few_lines() {
    let mut world =
        sunday(&["jp1-app-1", "jp1-app-2", "jp1-app-3", "jp1-app-4", "jp1-batch-1", "jp1-batch-2"], FLAG);
    world.lives.of.insert("jp1-batch-1".into(), Life { is_quiet: true, ..Life::default() });
    world.machine("jp1-batch-2").state = PowerState::Stopped;
    world.machine("jp1-batch-2").state_reason = Some("User initiated (2026-10-01 00:00:00 GMT)".into());
    world.apply(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: Exemption
metadata: {name: soon, namespace: backlog}
spec: {type: Accepted, match: {code: RC0606}, reason: r, approver: a, expires: "2026-11-25"}
---
apiVersion: rollcall.dev/v1alpha1
kind: Exemption
metadata: {name: later, namespace: backlog}
spec: {type: Accepted, match: {code: RC0606}, reason: r, approver: a, expires: "2027-11-25"}
"#,
    );
    world.desired.checks[1].spec.review =
        serde_json::from_value(serde_json::json!({"last": "2025-01-01", "everyDays": 365})).unwrap();
    world.pass();
    // On Tuesday one leaves and one comes.
    world.hours(48).pass();
    world.machine("jp1-app-4").state = PowerState::ShuttingDown;
    world.add("jp1-app-9");
    let now = world.now;
    world.machine("jp1-app-9").launch_time = now;
    world.minutes(20).pass();
    world.machines.remove("jp1-app-4");
    world.hours(4 * 24).pass();
    let digest = told(&world);
    assert_eq!(
        text(&digest, &world),
        [
            "Week 47, backlog: 6 hosts, 2 unused",
            "6 hosts (+1 −1, year -)   unused 2   blind now: none",
            "DECIDE   jp1-batch-1 idle 96 d                 rollcall keep jp1-batch-1 --until 2027-02-19 --reason WHY --approver WHO --on fleet.json",
            "DECIDE   jp1-batch-2 stopped 51 d              rollcall keep jp1-batch-2 --until 2027-02-19 --reason WHY --approver WHO --on fleet.json",
            "CLEAN    1 ghost, 0 muted > 7 d, 0 unrequired  rollcall plan --on fleet.json",
            "REVIEW   1 of 3 due                            rollcall plan --on fleet.json",
            "EXPIRES  1 exemption",
        ]
    );
}

/// How a retirement of this host stands, since Tuesday.
fn departure(world: &World, host: &str, state: RetirementState) -> Departure {
    Departure {
        key: ObjectKey::new("backlog", format!("{}-1", world.id(host))),
        host: world.id(host),
        name: Some(host.to_owned()),
        environment: ObjectKey::new("backlog", "jp1"),
        state,
        since: Some("2026-11-17T01:00:00Z".parse().unwrap()),
        due: None,
        needs_approval: false,
        reason: None,
        message: None,
    }
}

/// The digest's lines on hosts that are on their way, or were.
fn told_of(world: &World, departures: Option<&[Departure]>) -> Vec<String> {
    let (fleet, _) = world.fleet();
    let (roll, memory) = roll_call(&fleet, &world.snapshot(), &world.memory, world.now);
    let snapshot = world.snapshot();
    let pass = Pass { fleet: &fleet, snapshot: &snapshot, memory: &memory, roll: &roll, now: world.now };
    let origin = Origin::new("week").unwrap();
    let digest = digest(pass, Asked { origin: &origin, environments: None, on: "", departures });
    let is_asked = |line: &String| line.starts_with("DECIDE") || line.starts_with("CANCELLED");
    let lines = text(&digest, world).into_iter().filter(is_asked);
    lines.map(|line| line.split("rollcall").next().unwrap().trim_end().to_owned()).collect()
}

/// A day is told as it is where the host's people are: 17:00 in London is already the next day in Tokyo.
#[test]
fn until_when_its_owner_decides_who_is_not_told_yet_and_who_stays() {
    let mut world = sunday(&["jp1-batch-1", "jp1-batch-2", "jp1-batch-3", "jp1-app-1"], FLAG);
    world.desired.environments[0].spec.time_zone = Some("Asia/Tokyo".into());
    for host in ["jp1-batch-1", "jp1-batch-2", "jp1-batch-3"] {
        world.lives.of.insert(host.into(), Life { is_quiet: true, ..Life::default() });
    }
    world.pass();
    world.hours(4 * 24).pass();
    let due = |day: &str| Some(day.parse().unwrap());
    let mut waiting = departure(&world, "jp1-batch-1", RetirementState::Waiting);
    waiting.due = due("2026-11-24T17:00:00Z");
    let untold = departure(&world, "jp1-batch-2", RetirementState::Proposed);
    let mut approval = departure(&world, "jp1-batch-3", RetirementState::Waiting);
    (approval.due, approval.needs_approval) = (due("2026-11-18T01:00:00Z"), true);
    let mut kept = departure(&world, "jp1-app-1", RetirementState::Cancelled);
    kept.reason = Some("Decision".into());
    let mut long_ago = kept.clone();
    long_ago.since = due("2026-11-10T01:00:00Z");
    let mut elsewhere = kept.clone();
    elsewhere.environment = ObjectKey::new("other", "jp1");
    let all = [waiting, untold, approval, kept, long_ago, elsewhere];
    assert_eq!(
        told_of(&world, Some(&all)),
        [
            "DECIDE     jp1-batch-1 idle 94 d, by Wed 2026-11-25",
            "DECIDE     jp1-batch-2 idle 94 d, owner not told yet",
            "DECIDE     jp1-batch-3 idle 94 d, awaits approval",
            "CANCELLED  jp1-app-1 Tue 2026-11-17: somebody said so",
        ]
    );
    let nobody_knows = told_of(&world, None);
    assert_eq!(nobody_knows.len(), 3);
    assert!(nobody_knows.iter().all(|line| line.ends_with(" idle 94 d")), "{nobody_knows:?}");
}

#[test]
fn growth_is_told_once_a_year_of_weeks_is_remembered() {
    let mut world = sunday(&["jp1-app-1", "jp1-app-2", "jp1-app-3"], FLAG);
    world.pass();
    let environment = world.memory.environments.values_mut().next().unwrap();
    environment.weekly_hosts.insert("2025-W46".into(), 2);
    environment.weekly_hosts.insert("2026-W45".into(), 4);
    let digest = told(&world);
    assert_eq!((digest.hosts.week_ago, digest.hosts.year_ago), (Some(4), Some(2)));
    assert!(text(&digest, &world)[1].starts_with("3 hosts (−1, year +50 %)"), "{:?}", text(&digest, &world));
}

/// Before memory begins anything may have happened.
#[test]
fn what_happened_before_anybody_looked_is_not_told_as_nothing() {
    let mut world = sunday(&["jp1-app-1"], FLAG);
    world.hours(72);
    let first = told(&world);
    assert_eq!((first.hosts.now, first.hosts.joined, first.hosts.left), (Some(1), None, None));
    world.pass();
    world.hours(7 * 24).pass();
    let later = told(&world);
    assert_eq!((later.hosts.joined, later.hosts.left), (Some(0), Some(0)));
}

#[test]
fn whom_nobody_asks_about_may_be_unused_and_so_may_who_is_not_read() {
    let mut world = sunday(&["jp1-batch-1"], "");
    world.pass();
    let nobody_asks = told(&world);
    assert!(!nobody_asks.unused.is_all && text(&nobody_asks, &world)[0].ends_with("- unused"));

    let mut world = sunday(&["jp1-batch-1", "jp1-batch-2"], FLAG);
    world.lives.of.insert("jp1-batch-1".into(), Life { is_quiet: true, ..Life::default() });
    let hidden = [(rollcall_engine::activity::ActivityMetric::Cpu, FailureKind::Throttled)].into();
    world.lives.of.insert("jp1-batch-2".into(), Life { is_quiet: true, hidden, ..Life::default() });
    world.pass();
    let half_read = told(&world);
    assert_eq!(half_read.unused.known.len(), 1);
    assert!(text(&half_read, &world)[1].contains("unused ≥ 1   "), "{:?}", text(&half_read, &world));
    let since = text(&half_read, &world)[1].clone();
    assert!(
        since.ends_with("blind now: CloudWatch 123456789012/ap-northeast-1 since Sun 2026-11-15"),
        "{since}"
    );
}

#[test]
fn frozen_debt_keeps_nobody_and_of_whom_nobody_can_say_may_be_unused() {
    let mut world = sunday(&["jp1-batch-1", "jp1-batch-2"], FLAG);
    world.lives.of.insert("jp1-batch-1".into(), Life { is_quiet: true, ..Life::default() });
    let host = world.id("jp1-batch-1");
    world.apply(&format!(
        "
apiVersion: rollcall.dev/v1alpha1
kind: Exemption
metadata: {{name: debt, namespace: backlog}}
spec: {{type: Baseline, match: {{code: RC0401}}, hosts: [{host}], reason: r, approver: a, expires: \"2027-03-31\"}}
"
    ));
    world.pass();
    let frozen = told(&world);
    assert_eq!((frozen.unused.known.len(), frozen.unused.is_all), (1, true));
    let gaps = vec![crate::lives::day("2026-11-05")];
    world.lives.of.insert("jp1-batch-2".into(), Life { is_quiet: true, gaps, ..Life::default() });
    world.pass();
    let open = told(&world);
    assert_eq!(
        (open.unused.known.len(), open.unused.is_all),
        (1, false),
        "a day of the other one is not told"
    );
}

/// Who was there before, and so whose registration is a ghost, only memory tells.
#[test]
fn on_the_first_day_nobody_knows_of_ghosts() {
    let mut world = sunday(&["jp1-app-1"], FLAG);
    assert_eq!(told(&world).excess.ghosts, None);
    world.pass();
    world.hours(25).pass();
    assert_eq!(told(&world).excess.ghosts, Some(0));
}

#[test]
fn while_sources_are_blind_their_numbers_are_dashes() {
    let mut world = sunday(&["jp1-app-1", "jp1-batch-1"], FLAG);
    world.lives.of.insert("jp1-batch-1".into(), Life { is_quiet: true, ..Life::default() });
    world.pass();
    world.ec2.insert(PLACE.into(), Answer::Fails(FailureKind::Denied));
    world.mackerel.insert("hosts", Answer::Fails(FailureKind::Unreachable));
    world.hours(24 * 8).pass();
    world.minutes(20);
    let digest = told(&world);
    assert_eq!((digest.hosts.now, digest.hosts.joined), (None, None));
    let excess = &digest.excess;
    assert_eq!((excess.ghosts, excess.muted, excess.unrequired), (None, None, None));
    let Blindness::Now(blind) = &digest.blind else { panic!("{:?}", digest.blind) };
    let blind: Vec<_> = blind.iter().map(|one| (&*one.source, one.since.unwrap().to_string())).collect();
    let since = "2026-11-23".to_owned();
    assert_eq!(blind, [(PLACE, since.clone()), ("mackerel", since)]);
    // What stands in objects is known all the same.
    assert_eq!((digest.reviews.due, digest.expiring), (Some(0), Some(0)));
}

#[test]
fn only_the_environments_that_are_asked_for_are_told() {
    let mut world = sunday(&["jp1-app-1", "jp1-app-2"], FLAG);
    let jp2 = TEAM.split("---").find(|document| document.contains("kind: Environment")).unwrap();
    world.apply(&jp2.replace("jp1", "jp2"));
    world.machine("jp1-app-2").tags =
        [("Name", "jp2-app-2"), ("Env", "jp2"), ("Role", "app")].into_iter().collect();
    world.pass();
    let (fleet, _) = world.fleet();
    let snapshot = world.snapshot();
    let (roll, memory) = roll_call(&fleet, &snapshot, &world.memory, world.now);
    let pass = Pass { fleet: &fleet, snapshot: &snapshot, memory: &memory, roll: &roll, now: world.now };
    let origin = Origin::new("week").unwrap();
    let asked =
        |environments| digest(pass, Asked { origin: &origin, environments, on: "", departures: None });
    let jp2 = BTreeSet::from([ObjectKey::new("backlog", "jp2")]);
    assert_eq!((&*asked(None).scope, asked(None).hosts.now), ("backlog", Some(2)));
    assert_eq!((&*asked(Some(&jp2)).scope, asked(Some(&jp2)).hosts.now), ("jp2", Some(1)));
}

/// A host of an environment that cannot be understood is in none of the others.
#[test]
fn an_environment_that_is_left_out_is_not_counted_as_nobody() {
    let mut world = sunday(&["jp1-app-1"], FLAG);
    let jp2 = TEAM.split("---").find(|document| document.contains("kind: Environment")).unwrap();
    world.apply(&jp2.replace("jp1", "jp2"));
    let broken = world.desired.environments.iter_mut().find(|e| e.metadata.name.as_deref() == Some("jp2"));
    broken.unwrap().spec.selector.any_of[0].name_pattern = Some("(".to_owned());
    world.pass_despite_problems();
    let digest = told(&world);
    assert_eq!((digest.hosts.now, digest.reviews.due, digest.unused.is_all), (None, None, false));
}

/// The numbers of a digest that are of now, `None` where one is not known. What was counted in weeks that are over is
/// remembered as it was last proved.
fn numbers(digest: &Digest) -> [Option<u32>; 9] {
    let Digest { hosts, unused, excess, reviews, expiring, .. } = digest;
    let unused = unused.is_all.then(|| u32::try_from(unused.known.len()).unwrap());
    [
        hosts.now,
        hosts.joined,
        hosts.left,
        unused,
        excess.ghosts,
        excess.muted,
        excess.unrequired,
        reviews.due,
        *expiring,
    ]
}

fn asking(mut world: World) -> World {
    let lean = serde_json::from_value(serde_json::json!({"enforcement": "Flag"})).unwrap();
    world.desired.environments[0].spec.lean = Some(lean);
    world
}

proptest! {
    #![proptest_config(crate::laws::settings())]

    #[test]
    fn the_order_of_hosts_does_not_matter(fleet in fleet(), seen in any::<bool>()) {
        let mut world = asking(looked_at(&fleet, seen));
        world.minutes(5);
        let (fleet, _) = world.fleet();
        let snapshot = world.snapshot();
        let straight = of(&fleet, &snapshot, &world.memory, &world).0;
        let turned = of(&fleet, &crate::laws::turned(&snapshot), &world.memory, &world).0;
        prop_assert_eq!(straight, turned);
    }

    /// Who sees less knows fewer numbers, and no other ones.
    #[test]
    fn hiding_a_source_never_makes_a_number(
        fleet in fleet(),
        ec2 in hidden_by_ec2(),
        answers in prop::array::uniform4(hidden()),
        databases in hidden_by_ec2(),
        activity in prop_oneof![Just(None), Just(Some(FailureKind::Denied))],
        days in 0_i64..10,
        seen in any::<bool>(),
    ) {
        let mut seeing = asking(looked_at(&fleet, seen));
        let mut blinded = seeing.clone();
        let is_lie = |answer: &Answer| *answer == Answer::Empty;
        let lies = is_lie(&ec2) || is_lie(&databases);
        blinded.ec2.insert(PLACE.into(), ec2);
        blinded.rds = [("databases", databases)].into();
        let [hosts, monitors, metrics, checks] = answers;
        blinded.mackerel =
            [("hosts", hosts), ("monitors", monitors), ("metrics", metrics), ("checks", checks)].into();
        blinded.lives.fails = activity;
        for wait in [SignedDuration::from_mins(30), SignedDuration::from_hours(24 * days), SignedDuration::from_mins(5)] {
            let truth = told(seeing.wait(wait));
            let view = told(blinded.wait(wait));
            seeing.pass();
            blinded.pass();
            for (number, (truth, view)) in numbers(&truth).into_iter().zip(numbers(&view)).enumerate() {
                // A source that lies is found out by other means, if at all.
                prop_assert!(view.is_none() || view == truth || lies, "number {number}: {view:?} for {truth:?}");
            }
            let known: BTreeSet<_> = truth.unused.known.iter().map(|one| &one.name).collect();
            prop_assert!(view.unused.known.iter().all(|one| known.contains(&one.name)), "unused only to the blind");
        }
    }
}
