//! What Rollcall must not say when it cannot see: an error is never absence, and recovery needs nobody.

use jiff::SignedDuration;
use rollcall_engine::reading::FailureKind;
use rollcall_engine::rollcall::RollCall;

use crate::world::*;

/// No finding may claim that something is not there.
#[track_caller]
pub fn expect_no_claim_of_absence(roll: &RollCall) {
    let absent = ["RC0101", "RC0102", "RC0103", "RC0201", "RC0202", "RC0404", "RC0403", "RC0606"];
    let claims: Vec<String> =
        findings(roll).into_iter().filter(|line| absent.iter().any(|code| line.starts_with(code))).collect();
    assert!(claims.is_empty(), "{claims:#?}");
    assert!(roll.gone.is_empty(), "{:?}", roll.gone);
}

/// Ten hosts in order.
pub fn ten() -> World {
    World::with_hosts(&[
        "jp1-app-1",
        "jp1-app-2",
        "jp1-app-3",
        "jp1-app-4",
        "jp1-app-5",
        "jp1-app-6",
        "jp1-batch-1",
        "jp1-batch-2",
        "jp1-batch-3",
        "jp1-batch-4",
    ])
}

fn wanting_six_apps() -> World {
    let mut world = ten();
    world.desired.environments[0].spec.roles.as_mut().unwrap().counts =
        serde_json::from_value(serde_json::json!([{"role": "app", "min": 6}])).unwrap();
    world
}

#[test]
fn ec2_answers_an_empty_list() {
    let mut world = wanting_six_apps();
    expect(&world.pass(), &[]);
    world.ec2.insert(PLACE.into(), Answer::Empty);
    for _ in 0..5 {
        let roll = world.minutes(10).pass();
        expect_no_claim_of_absence(&roll);
        expect(
            &roll,
            &[
                "RC0501 1 ec2 instances 123456789012/ap-northeast-1: 10 of 10 hosts vanished at once and none was seen shutting down; not believed unless complete readings still say so an hour after 2026-11-23T09:09:30Z; check region, endpoint and rights",
            ],
        );
        let jp1 = roll.environments.values().next().unwrap();
        assert_eq!((jp1.hosts, jp1.tally.covered, jp1.tally.unknown, jp1.compliant), (10, 0, 40, None));
        assert_eq!(roll.accounts.values().next().unwrap().blind.len(), 1);
    }
    world.ec2.clear();
    expect(&world.minutes(1).pass(), &[]);
    assert_eq!(world.memory.places[&place(PLACE)].fallen_since, None);
}

#[test]
fn ec2_answers_an_empty_list_where_only_one_host_lives() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.desired.environments[0].spec.roles.as_mut().unwrap().counts =
        serde_json::from_value(serde_json::json!([{"role": "app", "min": 1}])).unwrap();
    expect(&world.pass(), &[]);
    world.ec2.insert(PLACE.into(), Answer::Empty);
    for _ in 0..5 {
        let roll = world.minutes(10).pass();
        expect_no_claim_of_absence(&roll);
        assert_eq!(about(&roll, "RC0501"), [PLACE]);
    }
    world.ec2.clear();
    expect(&world.minutes(1).pass(), &[]);
}

#[test]
fn a_newcomer_does_not_make_up_for_the_only_host_that_vanished() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.pass();
    world.add("jp1-app-2");
    let lost = world.machines.remove("jp1-app-1").unwrap().instance.id;
    for minutes in [5, 10, 20, 20] {
        let roll = world.minutes(minutes).pass();
        assert_eq!(about(&roll, "RC0501"), [PLACE]);
        assert!(!roll.gone.contains(&lost) && roll.hosts.contains_key(&lost), "{minutes}");
    }
    world.minutes(20).pass();
    let roll = world.minutes(20).pass();
    assert_eq!(about(&roll, "RC0501"), Vec::<String>::new(), "an hour has passed");
    assert!(roll.gone.contains(&lost) || !roll.hosts.contains_key(&lost));
}

#[test]
fn a_whole_account_really_went_and_nobody_saw_it_going() {
    let mut world = wanting_six_apps();
    world.pass();
    world.machines.clear();
    for _ in 0..6 {
        expect_no_claim_of_absence(&world.minutes(10).pass());
    }
    // An hour of complete readings agrees: the population is believed, and two readings prove each host gone.
    let roll = world.minutes(10).pass();
    assert!(
        causes(&roll).contains(&"RC0404 1 app jp1: expected at least 6 running hosts, found 0".to_owned())
    );
    assert!(roll.gone.is_empty(), "one believed reading does not prove anybody gone");
    let roll = world.minutes(10).pass();
    assert_eq!(roll.gone.len(), 10);
    assert_eq!(roll.hosts.len(), 0);
}

#[test]
fn three_hosts_of_ten_may_go_and_four_may_not() {
    let mut world = ten();
    world.pass();
    for name in ["jp1-app-1", "jp1-app-2", "jp1-app-3"] {
        world.machines.remove(name);
    }
    let roll = world.minutes(5).pass();
    assert!(roll.environments.values().next().unwrap().inventory_blind.is_empty());
    world.machines.remove("jp1-app-4");
    let roll = world.minutes(1).pass();
    assert!(!roll.environments.values().next().unwrap().inventory_blind.is_empty());
    expect_no_claim_of_absence(&roll);
}

#[test]
fn hosts_seen_shutting_down_are_no_fall_however_many() {
    let mut world = ten();
    world.pass();
    for machine in world.machines.values_mut() {
        machine.instance.state = rollcall_engine::inventory::PowerState::Terminated;
    }
    let roll = world.minutes(5).pass();
    assert!(roll.environments.values().next().unwrap().inventory_blind.is_empty());
    assert_eq!(world.memory.places[&place(PLACE)].tombstones.len(), 10);
}

#[test]
fn a_page_is_cut() {
    let mut world = wanting_six_apps();
    world.agents.remove("jp1-app-2");
    world.pass();
    world.ec2.insert(PLACE.into(), Answer::Cut(vec!["jp1-app-1".into(), "jp1-app-2".into()]));
    let roll = world.minutes(5).pass();
    expect(&roll, &["RC0501 1 ec2 instances 123456789012/ap-northeast-1: page 2 missing: connection reset"]);
    // Who was seen is judged as before; who was not is known, and nothing is said of it.
    assert_eq!(rows(&roll, &world.id("jp1-app-3")), "registered ✔ connectivity ✔ disk ✔ ntp ✔");
    assert_eq!(
        rows(&roll, &world.id("jp1-app-2")),
        "registered ?Unreachable connectivity ?Unreachable disk ?Unreachable ntp ?Unreachable"
    );
    assert!(!host(&roll, &world.id("jp1-app-1")).seen);
    // The finding was not taken back: when the page is there again, it stands since it first stood.
    world.ec2.clear();
    let roll = world.minutes(5).pass();
    assert_eq!(roll.findings[0].since, MONDAY.parse().unwrap());
}

#[test]
fn credentials_are_denied() {
    let mut world = ten();
    world.pass();
    world.ec2.insert(PLACE.into(), Answer::Fails(FailureKind::Denied));
    let roll = world.minutes(5).pass();
    expect(&roll, &["RC0501 1 the source says no"]);
    assert!(fix(&roll, "RC0501").contains("ec2:DescribeInstances"));
    assert_eq!(roll.hosts.len(), 10);
}

#[test]
fn an_inventory_of_twenty_minutes_ago_is_not_now() {
    let mut world = ten();
    world.agents.remove("jp1-app-2");
    world.pass();
    world.ec2.insert(PLACE.into(), Answer::Old(SignedDuration::from_mins(20)));
    let roll = world.minutes(20).pass();
    expect_no_claim_of_absence(&roll);
    assert_eq!(about(&roll, "RC0501"), [PLACE]);
    assert!(rows(&roll, &world.id("jp1-app-1")).starts_with("registered ?Stale"));
}

#[test]
fn mackerel_answers_nothing_or_too_long_ago() {
    for answer in
        [Answer::Fails(FailureKind::TimedOut), Answer::Old(SignedDuration::from_mins(16)), Answer::NotYet]
    {
        let mut world = ten();
        world.pass();
        world.mackerel.insert("hosts", answer.clone());
        let roll = world.minutes(20).pass();
        expect_no_claim_of_absence(&roll);
        let jp1 = roll.environments.values().next().unwrap();
        assert_eq!((jp1.tally.missing, jp1.tally.unknown, jp1.compliant), (0, 40, None), "{answer:?}");
        assert_eq!(jp1.registry_blind.len(), 1);
        world.mackerel.clear();
        expect(&world.minutes(1).pass(), &[]);
    }
}

#[test]
fn a_key_of_another_organisation_shows_nothing_that_is_believed() {
    let mut world = ten();
    expect(&world.pass(), &[]);
    let agents = std::mem::take(&mut world.agents);
    world.organization = "another";
    for _ in 0..3 {
        let roll = world.hours(25).pass();
        expect_no_claim_of_absence(&roll);
        expect(
            &roll,
            &[
                "RC0502 1 Mackerel: hosts: backlog/mackerel: spec.mackerel.organization: expected a key of organisation backlog, found one of another; put the right key into the Secret, or, if the change is meant, set the field to another",
            ],
        );
        assert_eq!(
            rows(&roll, &world.id("jp1-app-1")),
            "registered ?WrongAccount connectivity ?WrongAccount disk ?WrongAccount ntp ?WrongAccount"
        );
    }
    // The right key again, and it is as if nothing had been.
    (world.organization, world.agents) = ("backlog", agents);
    expect(&world.minutes(1).pass(), &[]);
}

#[test]
fn a_change_of_organisation_that_is_meant_is_named() {
    let mut world = ten();
    expect(&world.pass(), &[]);
    world.organization = "another";
    let name = |world: &mut World, name: &str| {
        let mackerel = world.desired.systems[0].spec.mackerel.as_mut().unwrap();
        mackerel.organization = Some(name.to_owned());
    };
    name(&mut world, "another");
    expect(&world.minutes(1).pass(), &[]);
    // From then on this one is held to, named or not.
    world.desired.systems[0].spec.mackerel.as_mut().unwrap().organization = None;
    expect(&world.minutes(1).pass(), &[]);
    name(&mut world, "backlog");
    expect(
        &world.minutes(1).pass(),
        &[
            "RC0502 1 Mackerel: hosts: backlog/mackerel: spec.mackerel.organization: expected a key of organisation backlog, found one of another; put a key of that organisation into the Secret, or correct the field",
        ],
    );
}

#[test]
fn while_nobody_knows_whose_registrations_they_are_they_are_nobodys() {
    let mut world = ten();
    expect(&world.pass(), &[]);
    world.mackerel.insert("organization", Answer::Fails(FailureKind::TimedOut));
    world.agents.clear();
    let roll = world.minutes(1).pass();
    expect_no_claim_of_absence(&roll);
    assert!(rows(&roll, &world.id("jp1-app-1")).starts_with("registered ?TimedOut"));
}

#[test]
fn only_the_rules_that_need_a_listing_go_blind_with_it() {
    let mut world = ten();
    let id = world.id("jp1-app-1");
    let mut rows_without = |listing| {
        world.mackerel = [(listing, Answer::Fails(FailureKind::SourceError))].into();
        rows(&world.pass(), &id)
    };
    assert_eq!(rows_without("monitors"), "registered ✔ connectivity ?SourceError disk ?SourceError ntp ✔");
    // Without metrics nobody knows whether it is silent; what its check list says still holds.
    assert_eq!(rows_without("metrics"), "registered ?SourceError connectivity ✔ disk ?SourceError ntp ✔");
    assert_eq!(
        rows_without("checks"),
        "registered ✔ connectivity ✔ disk ✔ ntp ✔",
        "held since it was last proved"
    );
}

#[test]
fn a_check_that_was_never_read_is_unknown_and_one_that_was_is_held_for_a_day() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    let (one, two) = (world.id("jp1-app-1"), world.id("jp1-app-2"));
    world.agent("jp1-app-2").checks = None;
    let roll = world.pass();
    assert!(rows(&roll, &one).ends_with("ntp ✔"));
    assert!(rows(&roll, &two).ends_with("ntp ?NotYetRead"));
    // A restart: nothing has been read yet but the whole-fleet listings.
    world.agent("jp1-app-1").checks = None;
    let roll = world.minutes(1).pass();
    expect(&roll, &[]);
    assert!(rows(&roll, &one).ends_with("ntp ✔"), "presence is held");
    assert!(rows(&roll, &two).ends_with("ntp ?NotYetRead"));
}

#[test]
fn a_restart_says_what_was_said_before_it_and_a_long_pause_forgets_it() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.agent("jp1-app-1").checks = Some(Vec::new());
    let before = world.pass();
    expect(&before, &["RC0102 1 \"check-ntp\" on 0 of 1 linux host"]);
    world.agent("jp1-app-1").checks = None;
    let after = world.minutes(1).pass();
    assert_eq!(after.findings, before.findings, "held until it is asked again");
    // Nobody looked for a week: what the host ran then says nothing.
    world.memory.forget_proofs();
    let roll = world.hours(168).pass();
    expect(&roll, &[]);
    assert!(rows(&roll, &world.id("jp1-app-1")).ends_with("ntp ?NotYetRead"));
}

#[test]
fn a_proof_older_than_a_day_proves_nothing() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.agent("jp1-app-1").checks = Some(Vec::new());
    expect(&world.pass(), &["RC0102 1 \"check-ntp\" on 0 of 1 linux host"]);
    world.mackerel.insert("checks", Answer::Old(SignedDuration::from_hours(25)));
    let roll = world.minutes(1).pass();
    expect(&roll, &[]);
    assert!(rows(&roll, &world.id("jp1-app-1")).ends_with("ntp ?Stale"));
    world.mackerel.clear();
    assert_eq!(world.minutes(1).pass().findings[0].since, MONDAY.parse().unwrap(), "old news stays old");
}

#[test]
fn a_mackerel_that_cannot_tell_names_is_one_finding_and_no_missing_check() {
    let mut world = ten();
    world.mackerel.insert("checks", Answer::Fails(FailureKind::NotSupported));
    let roll = world.pass();
    expect(
        &roll,
        &["RC0503 1 Mackerel here has no listing of names of checks: 1 requirement cannot be verified"],
    );
    assert!(rows(&roll, &world.id("jp1-app-1")).ends_with("ntp ?NotSupported"));
}

#[test]
fn before_anything_was_read_nothing_is_said() {
    let mut world = ten();
    world.ec2.insert(PLACE.into(), Answer::NotYet);
    world.mackerel.insert("hosts", Answer::NotYet);
    let roll = world.pass();
    expect(&roll, &[]);
    let jp1 = roll.environments.values().next().unwrap();
    assert_eq!((jp1.hosts, jp1.sources_once_read, jp1.compliant), (0, false, None));
    world.ec2.clear();
    world.mackerel.clear();
    assert!(world.minutes(1).pass().environments.values().next().unwrap().sources_once_read);
}

#[test]
fn a_monitor_may_stand_on_the_page_that_is_missing() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.monitors[0].muted = true;
    world.monitors.push(metric("m-disk-2", "disk%", Some(90.0), None));
    expect(&world.pass(), &[]);
    world.mackerel.insert("monitors", Answer::Cut(vec!["m-disk-2".into()]));
    let roll = world.pass();
    assert_eq!(rows(&roll, &world.id("jp1-app-1")), "registered ✔ connectivity ✔ disk ?Unreachable ntp ✔");
    assert_eq!(about(&roll, "RC0104"), Vec::<String>::new());
}
