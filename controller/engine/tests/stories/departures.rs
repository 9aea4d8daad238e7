//! Hosts go: when they are proved gone, what they leave behind, and who takes their place.

use rollcall_crds::v1alpha1::HostState;
use rollcall_engine::inventory::PowerState;
use rollcall_engine::memory::Happening;
use rollcall_engine::reading::FailureKind;

use crate::world::*;

/// Four hosts that Rollcall knows, of which the last was terminated a moment ago; its registration stays.
fn one_left() -> World {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2", "jp1-app-3", "jp1-app-4"]);
    world.pass();
    world.minutes(5);
    world.machine("jp1-app-4").state = PowerState::Terminated;
    world.agent("jp1-app-4").sends = Err(Some(world.now));
    world
}

#[test]
fn a_terminated_host_leaves_a_ghost_a_day_later() {
    let mut world = one_left();
    let id = world.id("jp1-app-4");
    let roll = world.pass();
    expect(&roll, &[]);
    assert_eq!(host(&roll, &id).state, HostState::Gone);
    let jp1 = roll.environments.values().next().unwrap();
    assert_eq!((jp1.hosts, jp1.new_changes[0].what.clone()), (3, Happening::Left));

    let roll = world.minutes(15).pass();
    assert!(roll.gone.contains(&id) && !roll.hosts.contains_key(&id));

    // EC2 forgets it after an hour; Rollcall does not.
    world.machines.remove("jp1-app-4");
    expect(&world.hours(20).pass(), &[]);
    let roll = world.hours(4).pass();
    expect(&roll, &["RC0201 1 1 ghost in Mackerel: jp1-app-4"]);
    assert_eq!(fix(&roll, "RC0201"), "mkr retire M4");
    assert_eq!(findings(&roll), ["RC0201 jp1-app-4: its host i-0004 is gone since 2026-11-23"]);
    assert_eq!(roll.environments.values().next().unwrap().ghosts, 1);
}

#[test]
fn six_ghosts_are_one_line_and_one_command() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2", "jp1-app-3", "jp1-app-4"]);
    world.pass();
    for name in ["jp1-app-2", "jp1-app-3", "jp1-app-4"] {
        world.machine(name).state = PowerState::Terminated;
        world.agent(name).sends = Err(None);
    }
    world.minutes(5).pass();
    let roll = world.hours(25).pass();
    expect(&roll, &["RC0201 3 3 ghosts in Mackerel: jp1-app-2, jp1-app-3, jp1-app-4"]);
    assert_eq!(fix(&roll, "RC0201"), "mkr retire M2 M3 M4");
}

#[test]
fn a_ghost_that_still_speaks_is_somebody_elses_voice() {
    let mut world = one_left();
    world.agent("jp1-app-4").sends = Ok(());
    world.pass();
    let roll = world.hours(25).pass();
    assert_eq!(
        findings(&roll),
        [
            "RC0201 jp1-app-4: its host i-0004 is gone since 2026-11-23; metrics still arrive: another host speaks in its name"
        ]
    );
    assert!(
        fix(&roll, "RC0201")
            .starts_with("on the host that speaks in its name: rm /var/lib/mackerel-agent/id")
    );
}

#[test]
fn no_ghost_while_an_inventory_or_the_registry_cannot_be_read() {
    let mut world = one_left();
    world.pass();
    world.hours(25);
    for blind in [
        |w: &mut World| drop(w.ec2.insert(PLACE.into(), Answer::Cut(vec![]))),
        |w: &mut World| drop(w.ec2.insert(PLACE.into(), Answer::Fails(FailureKind::Throttled))),
        |w: &mut World| drop(w.mackerel.insert("hosts", Answer::Cut(vec![]))),
        |w: &mut World| drop(w.mackerel.insert("metrics", Answer::Fails(FailureKind::TimedOut))),
    ] {
        let mut world = world.clone();
        blind(&mut world);
        assert_eq!(about(&world.pass(), "RC0201"), Vec::<String>::new());
    }
    assert_eq!(about(&world.pass(), "RC0201"), ["jp1-app-4"]);
}

#[test]
fn absence_takes_two_complete_readings_some_minutes_apart() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2", "jp1-app-3", "jp1-app-4"]);
    world.pass();
    let id = world.id("jp1-app-4");
    let machine = world.machines.remove("jp1-app-4").unwrap();
    let roll = world.minutes(5).pass();
    let missing = host(&roll, &id);
    assert_eq!((missing.state, missing.seen), (HostState::Active, false));
    assert_eq!(
        rows(&roll, &id),
        "registered ?NotYetRead connectivity ?NotYetRead disk ?NotYetRead ntp ?NotYetRead"
    );
    // A reading that is not complete proves nothing, however often it comes.
    world.ec2.insert(PLACE.into(), Answer::Cut(vec![]));
    world.minutes(30).pass();
    assert!(world.memory.places[&place(PLACE)].tombstones.is_empty());
    // It was EC2 that lied: the host is back, and nothing happened.
    let mut back = world.clone();
    back.ec2.clear();
    back.machines.insert("jp1-app-4".into(), machine);
    let roll = back.minutes(1).pass();
    expect(&roll, &[]);
    assert_eq!(back.memory.places[&place(PLACE)].hosts[&id].absent_since, None);
    // It is really gone: the second complete reading says so, since the first.
    world.ec2.clear();
    let roll = world.minutes(1).pass();
    assert!(roll.gone.contains(&id));
    assert_eq!(
        world.memory.places[&place(PLACE)].tombstones[&id].gone_since,
        "2026-11-23T09:04:30Z".parse().unwrap()
    );
}

#[test]
fn two_readings_of_one_minute_are_one() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2", "jp1-app-3", "jp1-app-4"]);
    world.pass();
    world.machines.remove("jp1-app-4");
    for _ in 0..9 {
        assert!(world.minutes(1).pass().gone.is_empty());
    }
    assert!(world.minutes(1).pass().gone.is_empty(), "nine minutes since the first that lacked it");
    assert_eq!(world.minutes(1).pass().gone.len(), 1);
}

#[test]
fn a_replacement_under_the_same_name_is_paired_with_its_predecessor() {
    let mut world = one_left();
    world.pass();
    let old = world.id("jp1-app-4");
    let mut successor = world.machines["jp1-app-4"].clone();
    successor.instance.id = "i-0bee".into();
    successor.instance.state = PowerState::Running;
    successor.instance.launch_time = world.now;
    world.machines.insert("successor".into(), successor);
    world.register("successor", "M5");
    let roll = world.minutes(5).pass();
    let news: Vec<_> = roll
        .environments
        .values()
        .flat_map(|e| &e.new_changes)
        .map(|c| (c.host.clone(), c.what.clone()))
        .collect();
    assert_eq!(news, [("i-0bee".into(), Happening::Joined), (old, Happening::ReplacedBy("i-0bee".into()))]);
    assert_eq!(
        findings(&world.hours(25).pass())[0],
        "RC0201 jp1-app-4: its host i-0004 is gone since 2026-11-23, replaced by i-0bee"
    );
}

#[test]
fn a_group_of_one_name_replaces_nobody() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2", "jp1-app-3"]);
    for name in ["jp1-app-1", "jp1-app-2", "jp1-app-3"] {
        world.machine(name).tags =
            [("Name", "jp1-app"), ("Env", "jp1"), ("Role", "app")].into_iter().collect();
    }
    world.pass();
    world.machine("jp1-app-3").state = PowerState::ShuttingDown;
    let roll = world.minutes(5).pass();
    assert_eq!(roll.environments.values().next().unwrap().new_changes[0].what, Happening::Left);
}

#[test]
fn tombstones_stay_for_thirty_days_or_as_long_as_a_registration_stands() {
    let mut world = one_left();
    let stones = |world: &World| world.memory.places[&place(PLACE)].tombstones.len();
    world.pass();
    world.machines.remove("jp1-app-4");
    world.hours(31 * 24).pass();
    assert_eq!(stones(&world), 1, "its registration stands");
    world.mackerel.insert("hosts", Answer::Cut(vec!["jp1-app-4".into()]));
    world.minutes(1).pass();
    assert_eq!(stones(&world), 1, "nobody can see whether it stands");
    world.mackerel.clear();
    world.agents.remove("jp1-app-4");
    world.minutes(1).pass();
    assert_eq!(stones(&world), 0);
}

#[test]
fn what_happened_is_remembered_for_a_week_and_growth_by_the_week() {
    let mut world = one_left();
    world.pass();
    let changes = |world: &World| world.memory.environments.values().next().unwrap().changes.len();
    assert_eq!(changes(&world), 1);
    world.hours(6 * 24).pass();
    assert_eq!(changes(&world), 1);
    world.hours(2 * 24).pass();
    assert_eq!(changes(&world), 0);
    let weeks = &world.memory.environments.values().next().unwrap().weekly_hosts;
    assert_eq!(
        weeks.iter().map(|(week, hosts)| (week.as_str(), *hosts)).collect::<Vec<_>>(),
        [("2026-W48", 3), ("2026-W49", 3)]
    );
}

#[test]
fn an_account_deleted_by_mistake_comes_back_with_its_past() {
    let mut world = one_left();
    world.pass();
    let kept = world.desired.accounts.clone();
    world.desired.accounts.clear();
    let roll = world.hours(1).pass_despite_problems();
    assert!(roll.hosts.is_empty() && roll.causes.is_empty());
    world.desired.accounts = kept;
    let roll = world.hours(24).pass();
    expect(&roll, &["RC0201 1 1 ghost in Mackerel: jp1-app-4"]);
    assert!(
        roll.environments.values().all(|environment| environment.new_changes.is_empty()),
        "nobody joined"
    );
}
