//! Hosts come: they settle, they are ready or not, and only who came while Rollcall was watching is new.

use rollcall_crds::v1alpha1::HostState;
use rollcall_engine::inventory::PowerState;
use rollcall_engine::memory::Happening;

use crate::world::*;

/// A fleet that Rollcall has known for a while, and a host that was launched this minute without an agent.
fn a_new_host() -> World {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.pass();
    world.minutes(60).add("jp1-app-9");
    let now = world.now;
    world.machine("jp1-app-9").launch_time = now;
    world.agents.remove("jp1-app-9");
    world
}

#[test]
fn a_new_host_settles_without_a_word_and_is_then_one_finding_not_four() {
    let mut world = a_new_host();
    let id = world.id("jp1-app-9");
    let roll = world.pass();
    expect(&roll, &[]);
    assert_eq!(host(&roll, &id).state, HostState::Settling);
    assert_eq!(host(&roll, &id).settles_at, Some("2026-11-23T11:00:00Z".parse().unwrap()));
    assert_eq!(rows(&roll, &id), "registered Settling connectivity Settling disk Settling ntp Settling");
    let new: Vec<_> =
        roll.environments.values().flat_map(|e| &e.new_changes).map(|c| (&c.host, &c.what)).collect();
    assert_eq!(new, [(&id, &Happening::Joined)]);
    assert_eq!(roll.environments.values().next().unwrap().compliant, Some(true));

    let roll = world.minutes(61).pass();
    expect(
        &roll,
        &[
            "RC0110 1 jp1-app-9 not ready in time: expected to be in order 60 minutes after its launch, found: RC0101 expected a registration in Mackerel, found none",
        ],
    );
    assert_eq!(host(&roll, &id).state, HostState::Active);
    assert_eq!(rows(&roll, &id), "registered Missing connectivity Missing disk Missing ntp Missing");
    assert_eq!(roll.findings[0].since, "2026-11-23T11:00:00Z".parse().unwrap());

    expect(&world.hours(24).pass(), &["RC0101 1 jp1-app-9 not in Mackerel"]);
}

#[test]
fn a_new_host_that_lacks_one_check_names_it() {
    let mut world = a_new_host();
    world.register("jp1-app-9", "M9");
    world.agent("jp1-app-9").checks = Some(Vec::new());
    world.monitors[0].muted = true;
    world.minutes(61);
    let roll = world.pass();
    assert_eq!(
        findings(&roll).into_iter().filter(|line| line.contains("jp1-app-9")).collect::<Vec<_>>(),
        [
            "RC0110 jp1-app-9: expected to be in order 60 minutes after its launch, found: RC0104 monitor \"disk%\" covers it and is muted, RC0102 expected check \"check-ntp\" in Mackerel, found none"
        ]
    );
}

#[test]
fn once_in_order_its_settling_is_over_for_this_launch() {
    let mut world = a_new_host();
    world.register("jp1-app-9", "M9");
    let id = world.id("jp1-app-9");
    let roll = world.minutes(10).pass();
    assert_eq!(host(&roll, &id).state, HostState::Active);
    world.agent("jp1-app-9").checks = Some(Vec::new());
    expect(&world.minutes(1).pass(), &["RC0102 1 \"check-ntp\" on 2 of 3 linux hosts"]);
    // Started anew, it may be incomplete again.
    let now = world.now;
    world.machine("jp1-app-9").launch_time = now;
    let roll = world.minutes(1).pass();
    assert_eq!(host(&roll, &id).state, HostState::Settling);
    expect(&roll, &[]);
}

#[test]
fn what_is_unknown_makes_a_host_neither_ready_nor_late() {
    let mut world = a_new_host();
    world.register("jp1-app-9", "M9");
    world.agent("jp1-app-9").checks = None;
    let id = world.id("jp1-app-9");
    let roll = world.minutes(10).pass();
    assert_eq!(host(&roll, &id).state, HostState::Settling);
    assert_eq!(rows(&roll, &id), "registered ✔ connectivity ✔ disk ✔ ntp ?NotYetRead");
    let roll = world.minutes(60).pass();
    expect(&roll, &[]);
    assert_eq!(host(&roll, &id).state, HostState::Active);
}

#[test]
fn a_legacy_fleet_is_not_new() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.agents.clear();
    let roll = world.pass();
    expect(&roll, &["RC0101 2 jp1-app-1 and 1 more not in Mackerel"]);
    assert!(roll.environments.values().all(|environment| environment.new_changes.is_empty()));
}

#[test]
fn a_host_that_the_first_look_missed_was_there_all_the_same() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.agents.remove("jp1-app-2");
    world.ec2.insert(PLACE.into(), Answer::Empty);
    world.pass();
    world.ec2.clear();
    let roll = world.minutes(5).pass();
    expect(&roll, &["RC0101 1 jp1-app-2 not in Mackerel"]);
    assert!(
        roll.environments.values().all(|environment| environment.new_changes.is_empty()),
        "nobody joined"
    );
}

#[test]
fn an_instance_that_aws_is_still_starting_settles() {
    let mut world = a_new_host();
    world.machine("jp1-app-9").state = PowerState::Pending;
    let roll = world.hours(3).pass();
    assert_eq!(host(&roll, &world.id("jp1-app-9")).state, HostState::Settling);
    expect(&roll, &[]);
}

#[test]
fn an_accepted_lack_keeps_no_host_from_being_ready() {
    let mut world = a_new_host();
    world.register("jp1-app-9", "M9");
    world.agent("jp1-app-9").checks = Some(Vec::new());
    world.apply(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: Exemption
metadata: {name: no-ntp, namespace: backlog}
spec: {type: Accepted, match: {code: RC0102, check: ntp}, hosts: [i-0003], reason: "clock from the hypervisor", approver: sre, expires: "2027-03-31"}
"#,
    );
    let roll = world.minutes(5).pass();
    assert_eq!(host(&roll, &world.id("jp1-app-9")).state, HostState::Active);
    assert_eq!(rows(&roll, &world.id("jp1-app-9")), "registered ✔ connectivity ✔ disk ✔ ntp Exempt");
}

#[test]
fn roles_change_and_the_change_is_told_once() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.pass();
    world.machine("jp1-app-1").tags =
        [("Name", "jp1-app-1"), ("Env", "jp1"), ("Role", "batch")].into_iter().collect();
    let roll = world.minutes(5).pass();
    let new = &roll.environments.values().next().unwrap().new_changes;
    let Happening::RolesChanged { from, to } = &new[0].what else { panic!("{new:?}") };
    let names =
        |roles: &[rollcall_engine::ids::RoleName]| roles.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        (names(from), names(to)),
        (vec!["app".into(), "linux".into()], vec!["batch".into(), "linux".into()])
    );
    assert!(world.minutes(5).pass().environments.values().all(|e| e.new_changes.is_empty()));
}

#[test]
fn a_host_that_comes_back_bigger_is_told_once() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.pass();
    world.machine("jp1-app-1").state = rollcall_engine::inventory::PowerState::Stopped;
    world.minutes(5).pass();
    let machine = world.machine("jp1-app-1");
    machine.state = rollcall_engine::inventory::PowerState::Running;
    machine.instance_type = "m5.4xlarge".into();
    let roll = world.minutes(5).pass();
    let new = &roll.environments.values().next().unwrap().new_changes;
    let resized = Happening::Resized { from: "m5.large".into(), to: "m5.4xlarge".into() };
    assert_eq!(new.iter().map(|change| &change.what).collect::<Vec<_>>(), [&resized]);
    // A reading without it says nothing about its size.
    world.ec2.insert(PLACE.into(), Answer::Cut(vec!["jp1-app-1".into()]));
    world.minutes(5).pass();
    world.ec2.clear();
    assert!(world.minutes(5).pass().environments.values().all(|e| e.new_changes.is_empty()));
}
