//! What a fresh listing of registrations that is not whole may say: what it shows is so, and nothing else follows.

use jiff::SignedDuration;
use rollcall_crds::v1alpha1::HostState;
use rollcall_engine::registry::RegistrationStatus;
use rollcall_engine::rollcall::{RollCall, roll_call};

use crate::blindness::{expect_no_claim_of_absence, ten};
use crate::world::*;

/// Mackerel's list of hosts, without these.
fn without(world: &mut World, names: &[&str]) {
    let gone = names.iter().map(|name| (*name).to_owned()).collect();
    world.mackerel.insert("hosts", Answer::Cut(gone));
}

#[test]
fn a_page_of_registrations_is_cut_and_who_was_seen_is_still_covered() {
    let mut world = ten();
    world.agent("jp1-app-2").checks = Some(Vec::new());
    expect(&world.pass(), &["RC0102 1 \"check-ntp\" on 9 of 10 linux hosts"]);
    without(&mut world, &["jp1-app-1"]);
    let roll = world.minutes(5).pass();
    expect(&roll, &["RC0502 1 Mackerel: hosts: mackerel hosts: page 2 missing: connection reset"]);
    for (name, expected) in [
        ("jp1-app-3", "registered ✔ connectivity ✔ disk ✔ ntp ✔"),
        ("jp1-app-2", "registered ✔ connectivity ✔ disk ✔ ntp ?Unreachable"),
        ("jp1-app-1", "registered ?Unreachable connectivity ?Unreachable disk ?Unreachable ntp ?Unreachable"),
    ] {
        assert_eq!(rows(&roll, &world.id(name)), expected, "{name}");
    }
    let jp1 = roll.environments.values().next().unwrap();
    assert_eq!((jp1.tally.covered, jp1.tally.unknown, jp1.compliant), (35, 5, None));
    // What is not said is not taken back.
    world.mackerel.clear();
    assert_eq!(world.minutes(5).pass().findings[0].since, MONDAY.parse().unwrap());
}

#[test]
fn one_odd_registration_on_the_first_morning_blinds_nobody_else() {
    let mut world = ten();
    world.mackerel.insert("hosts", Answer::Garbled(vec!["jp1-app-1".into()]));
    for _ in 0..2 {
        let roll = world.minutes(5).pass();
        let jp1 = roll.environments.values().next().unwrap();
        assert_eq!((jp1.tally.covered, jp1.tally.unknown, jp1.sources_once_read), (36, 4, false));
        assert!(rows(&roll, &world.id("jp1-app-1")).starts_with("registered ?Unreachable"));
        expect_no_claim_of_absence(&roll);
    }
}

#[test]
fn a_list_of_registrations_that_is_cut_and_old_is_not_now() {
    let mut world = ten();
    world.pass();
    without(&mut world, &["jp1-app-1"]);
    let (fleet, _) = world.fleet();
    let snapshot = world.snapshot();
    let later = world.now + SignedDuration::from_mins(15);
    let (roll, _) = roll_call(&fleet, &snapshot, &world.memory, later);
    assert!(rows(&roll, &world.id("jp1-app-3")).starts_with("registered ?"));
}

#[test]
fn what_cannot_be_read_of_a_registration_is_not_taken_for_none() {
    // Of a name that another host bears, with an identifier that cannot be read: it says nothing of that other host.
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.apply(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: MonitoringSystem
metadata: {name: mackerel, namespace: backlog}
spec: {mackerel: {apiKeySecret: {name: mackerel, key: api-key}}, join: [{by: CustomIdentifier}, {by: Name, pattern: "^(?<name>.+)$"}]}
"#,
    );
    world.agents.remove("jp1-app-1");
    world.agent("jp1-app-2").registration.name = "jp1-app-1".into();
    world.mackerel.insert("hosts", Answer::Garbled(vec!["jp1-app-1".into()]));
    let roll = world.pass();
    assert!(rows(&roll, &world.id("jp1-app-1")).starts_with("registered ?Unreachable"));
    // A monitor that leaves out a role covers nobody whose roles may not have been read.
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.monitors[0].excludes = world.agent("jp1-app-1").registration.roles.clone();
    world.mackerel.insert("hosts", Answer::Garbled(vec!["M1".into()]));
    assert!(rows(&world.pass(), &world.id("jp1-app-1")).contains("disk ?Unreachable"));
}

#[test]
fn the_live_registration_of_a_host_may_be_on_the_page_that_is_missing() {
    // It is known that there are two, and only one is seen: nobody can tell which is the live one.
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.register("jp1-app-1", "NEW");
    world.agent("jp1-app-1#NEW").checks = Some(Vec::new());
    let (id, minute) = (world.id("jp1-app-1"), SignedDuration::from_mins(1));
    world.agent("jp1-app-1").sends = Err(Some(world.now - 3 * minute));
    let mut unknown_twin = world.clone();
    assert!(rows(&world.pass(), &id).ends_with("ntp Missing"));
    without(&mut world, &["NEW"]);
    let roll = world.minutes(1).pass();
    assert_eq!(
        rows(&roll, &id),
        "registered ?Unreachable connectivity ?Unreachable disk ?Unreachable ntp ?Unreachable"
    );
    assert_eq!(rows(&roll, &world.id("jp1-app-2")), "registered ✔ connectivity ✔ disk ✔ ntp ✔");
    // The other one is listed, and it cannot be read whose it is.
    world.agent("jp1-app-1#NEW").registration.name = "garbled".into();
    world.mackerel.insert("hosts", Answer::Garbled(vec!["garbled".into()]));
    assert!(rows(&world.minutes(1).pass(), &id).starts_with("registered ?Unreachable"));
    // Both are seen, and metrics tell which one is the live one.
    without(&mut world, &["jp1-app-2"]);
    world.agent("jp1-app-1").sends = Ok(());
    world.agent("jp1-app-1#NEW").sends = Err(None);
    assert_eq!(rows(&world.pass(), &id), "registered ✔ connectivity ✔ disk ✔ ntp ✔");
    // Nobody ever knew that there are two. The one that is seen runs the check and is heard: as long as it is, the host
    // is watched by it, and no longer.
    without(&mut unknown_twin, &["NEW"]);
    assert_eq!(rows(&unknown_twin.minutes(1).pass(), &id), "registered ✔ connectivity ✔ disk ✔ ntp ✔");
    assert_eq!(
        rows(&unknown_twin.minutes(30).pass(), &id),
        "registered ?Unreachable connectivity ?Unreachable disk ?Unreachable ntp ?Unreachable"
    );
}

#[test]
fn a_registration_that_was_never_heard_proves_nothing_while_others_are_hidden() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    // Too new to be called silent.
    world.agent("jp1-app-1").registration.created_at = Some(MONDAY.parse().unwrap());
    world.agent("jp1-app-1").sends = Err(None);
    assert!(rows(&world.pass(), &world.id("jp1-app-1")).starts_with("registered ✔"));
    without(&mut world, &["jp1-app-2"]);
    assert!(rows(&world.pass(), &world.id("jp1-app-1")).starts_with("registered ?Unreachable"));
}

#[test]
fn what_was_seen_in_part_is_neither_wrong_nor_too_much() {
    let mut world = ten();
    world.agent("jp1-app-2").registration.status = RegistrationStatus::Poweroff;
    world.agent("jp1-app-3").registration.roles[0].role = Some("batch".into());
    world.agent("jp1-app-4").checks = Some(vec!["check-ntp".into(), "check-own".into()]);
    world.register("jp1-app-5", "A-OLD");
    world.machine("jp1-app-6").state = rollcall_engine::inventory::PowerState::Stopped;
    world.monitors.push(metric("m-load", "loadavg5", Some(8.0), None));
    world.stranger("office", None);
    let codes = |roll: &RollCall| -> Vec<String> {
        let codes: std::collections::BTreeSet<String> =
            roll.findings.iter().map(|finding| finding.code.to_string()).collect();
        codes.into_iter().collect()
    };
    let whole = world.pass();
    assert_eq!(codes(&whole), ["RC0106", "RC0107", "RC0108", "RC0202", "RC0203", "RC0204"]);
    without(&mut world, &["jp1-app-1"]);
    assert_eq!(codes(&world.minutes(5).pass()), ["RC0502"]);
    // Nor is any of it over.
    world.mackerel.clear();
    let again = world.minutes(5).pass();
    assert_eq!(again.findings, whole.findings, "since when each stands");
}

#[test]
fn nobody_is_ready_and_nothing_is_healed_by_what_was_seen_in_part() {
    let mut world = ten();
    world.apply(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: Exemption
metadata: {name: frozen, namespace: backlog}
spec: {type: Baseline, match: {code: RC0106}, hosts: [i-0003], reason: r, approver: a, expires: "2027-03-31"}
"#,
    );
    world.agent("jp1-app-3").registration.roles[0].role = Some("batch".into());
    world.minutes(1).pass();
    world.machine("jp1-app-2").launch_time = world.now;
    without(&mut world, &["jp1-app-1"]);
    let roll = world.minutes(5).pass();
    for name in ["jp1-app-2", "jp1-app-3"] {
        assert_eq!(rows(&roll, &world.id(name)), "registered ✔ connectivity ✔ disk ✔ ntp ✔");
    }
    assert!(roll.exemptions.values().all(|exemption| exemption.healed.is_empty()));
    assert_eq!(host(&roll, &world.id("jp1-app-2")).state, HostState::Settling);
    world.mackerel.clear();
    let roll = world.minutes(1).pass();
    assert_eq!(host(&roll, &world.id("jp1-app-2")).state, HostState::Active);
}
