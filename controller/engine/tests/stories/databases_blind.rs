//! What must not be said of databases, and what may be said of everybody else, while RDS or EC2 cannot be read.

use jiff::SignedDuration;
use rollcall_crds::v1alpha1::HostState;
use rollcall_engine::memory::Happening;
use rollcall_engine::reading::FailureKind;

use crate::blindness::expect_no_claim_of_absence;
use crate::databases::{DATABASES, changes, rows_of, team};
use crate::world::*;

#[test]
fn a_cluster_that_cannot_be_seen_may_be_failing_over() {
    let mut world = team();
    world.agents.remove("jp1-db-2");
    world.agents.remove("jp1-db-1");
    for (answer, kind) in [
        (Answer::Fails(FailureKind::Denied), "Denied"),
        (Answer::Old(SignedDuration::from_mins(20)), "Stale"),
        (Answer::Cut(vec!["shop".into()]), "Unreachable"),
        (Answer::NotYet, "NotYetRead"),
        (Answer::Empty, "NotYetRead"),
    ] {
        world.rds = [("clusters", answer.clone())].into();
        let roll = world.minutes(1).pass();
        assert_eq!(about(&roll, "RC0101"), ["jp1-db-1"], "{answer:?}");
        assert_eq!(rows_of(&roll, &world, "jp1-db-2"), format!("registered ?{kind} cpu ?{kind}"));
        assert_eq!(changes(&roll), []);
        let is_told = !about(&roll, "RC0501").is_empty();
        assert_eq!(is_told, kind != "NotYetRead", "{answer:?}");
    }
    world.rds = [("clusters", Answer::Fails(FailureKind::Denied))].into();
    assert!(fix(&world.pass(), "RC0501").contains("rds:DescribeDBClusters"));
    // Nobody misses clusters where no database is in one.
    world.databases.values_mut().for_each(|database| database.cluster = None);
    assert_eq!(about(&world.pass(), "RC0501"), Vec::<String>::new());
}

#[test]
fn an_account_without_the_right_to_read_rds_says_so_and_judges_its_instances() {
    let mut world = team();
    world.agents.remove("jp1-app-2");
    world.agents.remove("jp1-db-1");
    world.rds = ["databases", "clusters"].map(|one| (one, Answer::Fails(FailureKind::Denied))).into();
    let roll = world.pass();
    expect(&roll, &["RC0101 1 jp1-app-2 not in Mackerel", "RC0501 1 the source says no"]);
    assert!(fix(&roll, "RC0501").contains("allow the observing role rds:DescribeDBInstances"));
    assert_eq!(rows(&roll, &world.id("jp1-app-1")), "registered ✔ connectivity ✔ disk ✔ ntp ✔");
    assert_eq!(rows_of(&roll, &world, "jp1-db-1"), "registered ?Denied cpu ?Denied");
    assert!(roll.gone.is_empty());
    let jp1 = roll.environments.values().next().unwrap();
    assert_eq!((jp1.inventory_blind.len(), jp1.databases_blind.len(), jp1.sees_hosts()), (0, 1, false));
    let told: Vec<String> = jp1.blind_inventories().map(|(source, _)| source).collect();
    assert_eq!(told, ["RDS 123456789012/ap-northeast-1"]);
    assert!(jp1.sources_once_read);

    // The same for one that never had the right: it may have databases, and is ready all the same.
    world.memory = rollcall_engine::memory::Memory::default();
    let roll = world.pass();
    assert_eq!(roll.hosts.len(), 2);
    assert!(roll.environments.values().all(|jp1| jp1.sources_once_read && jp1.compliant != Some(true)));
    assert!(roll.accounts.values().all(|account| account.blind.is_empty() && !account.sees_hosts()));
}

#[test]
fn one_reason_for_all_listings_of_a_place_is_one_finding() {
    let mut world = team();
    world.ec2.insert(PLACE.into(), Answer::Fails(FailureKind::Denied));
    world.rds = ["databases", "clusters"].map(|one| (one, Answer::Fails(FailureKind::Denied))).into();
    let roll = world.pass();
    expect(&roll, &["RC0501 1 the source says no"]);
    assert!(fix(&roll, "RC0501").contains("ec2:DescribeInstances"));
    let jp1 = roll.environments.values().next().unwrap();
    assert_eq!(jp1.blind_inventories().map(|(source, _)| source).collect::<Vec<_>>(), [PLACE]);
}

#[test]
fn databases_of_which_no_listing_tells_are_unproved_and_instances_are_not() {
    for answer in [
        Answer::Fails(FailureKind::TimedOut),
        Answer::Cut(vec!["jp1-db-1".into(), "jp1-db-2".into()]),
        Answer::Old(SignedDuration::from_mins(20)),
        Answer::NotYet,
        Answer::Empty,
    ] {
        let mut world = team();
        for name in ["jp1-db-4", "jp1-db-5"] {
            world.add_database(name);
        }
        world.pass();
        world.rds = [("databases", answer.clone())].into();
        for _ in 0..3 {
            let roll = world.minutes(18).pass();
            expect_no_claim_of_absence(&roll);
            assert_eq!(roll.hosts.len(), 7, "{answer:?}");
            assert_eq!(rows(&roll, &world.id("jp1-app-1")), "registered ✔ connectivity ✔ disk ✔ ntp ✔");
            let unknown = rows_of(&roll, &world, "jp1-db-1");
            assert!(unknown.starts_with("registered ?"), "{answer:?}: {unknown}");
        }
        world.rds.clear();
        let roll = world.minutes(1).pass();
        expect(&roll, &[]);
        assert_eq!(changes(&roll), []);
    }
}

#[test]
fn instances_that_cannot_be_read_blind_no_database() {
    let mut world = team();
    world.agents.remove("jp1-db-1");
    world.ec2.insert(PLACE.into(), Answer::Fails(FailureKind::TimedOut));
    let roll = world.pass();
    assert_eq!(about(&roll, "RC0101"), ["jp1-db-1"]);
    assert!(rows(&roll, &world.id("jp1-app-1")).starts_with("registered ?TimedOut"));
}

#[test]
fn a_deleted_database_leaves_a_ghost_a_day_later_and_none_while_databases_are_not_known() {
    let mut world = team();
    world.database("jp1-db-1").status = "deleting".into();
    world.agent("jp1-db-1").sends = Err(None);
    let roll = world.pass();
    expect(&roll, &[]);
    assert_eq!(host(&roll, &"db-0003".into()).state, HostState::Gone);
    assert_eq!(changes(&roll), [("db-0003".to_owned(), Happening::Left)]);
    world.databases.remove("jp1-db-1");
    expect(&world.hours(20).pass(), &[]);
    world.hours(5);
    for listing in [Answer::Fails(FailureKind::Denied), Answer::Cut(Vec::new()), Answer::NotYet] {
        let mut world = world.clone();
        world.rds = [("databases", listing)].into();
        let roll = world.pass();
        assert_eq!(registrations(&roll, "RC0201"), Vec::<String>::new());
        assert_eq!(about(&roll, "RC0202"), Vec::<String>::new());
    }
    // That instances cannot be read does not matter: no instance has an endpoint of RDS.
    let mut blind = world.clone();
    blind.ec2.insert(PLACE.into(), Answer::Cut(Vec::new()));
    assert_eq!(registrations(&blind.pass(), "RC0201"), ["D3"]);
    let roll = world.pass();
    expect(&roll, &["RC0201 1 1 ghost in Mackerel: jp1-db-1"]);
    assert_eq!(fix(&roll, "RC0201"), "mkr retire D3");
}

#[test]
fn what_may_be_a_database_is_no_stranger_while_databases_are_not_known() {
    let mut world = team();
    world.stranger("elsewhere", Some("rds"));
    let theirs = "theirs.xyz.us-west-2.rds.amazonaws.com".to_owned();
    world.agent("elsewhere").registration.custom_identifier = Some(theirs);
    world.stranger("alb-1", Some("alb"));
    world.stranger("other", Some("ec2"));
    world.agent("other").registration.custom_identifier = Some("i-0dead.ec2.amazonaws.com".into());
    let all = ["RC0202 1 3 registrations of no host we know: 1 alb, 1 ec2, 1 rds"];
    expect(&world.pass(), &all);
    world.rds = [("databases", Answer::Cut(Vec::new()))].into();
    let roll = world.pass();
    // One that names an instance is no database.
    assert_eq!(about(&roll, "RC0202"), ["mackerel"]);
    let mackerel = roll.systems.values().next().unwrap();
    assert_eq!((mackerel.strangers.len(), mackerel.strangers[0].kind.as_str()), (1, "ec2"));
    assert!(mackerel.inventory_blind);
}

#[test]
fn a_database_that_vanishes_is_gone_after_two_complete_listings() {
    let mut world = team();
    world.databases.remove("jp1-db-1");
    let roll = world.pass();
    assert_eq!(rows(&roll, &"db-0003".into()), "registered ?NotYetRead cpu ?NotYetRead");
    assert_eq!(changes(&world.minutes(11).pass()), [("db-0003".to_owned(), Happening::Left)]);
}

#[test]
fn far_too_many_databases_that_vanish_at_once_are_not_believed_gone() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.apply(DATABASES);
    world.monitors.push(metric("m-cpu", "custom.rds.cpu.used", Some(80.0), None));
    for number in 1..=5 {
        world.add_database(&format!("jp1-db-{number}"));
    }
    world.pass();
    let databases = std::mem::take(&mut world.databases);
    for _ in 0..5 {
        let roll = world.minutes(10).pass();
        expect_no_claim_of_absence(&roll);
        let what = &about(&roll, "RC0501");
        assert_eq!(what, &[PLACE]);
        assert!(
            findings(&roll)[0].contains("rds databases 123456789012/ap-northeast-1: 5 of 5 hosts vanished")
        );
        assert!(roll.environments.values().all(|jp1| jp1.inventory_blind.is_empty()), "EC2 is as it was");
    }
    world.databases = databases;
    expect(&world.minutes(1).pass(), &[]);
    assert_eq!(world.memory.places[&place(PLACE)].databases.fallen_since, None);
}

#[test]
fn the_last_database_that_vanishes_is_not_believed_gone_for_an_hour() {
    let mut world = team();
    for name in ["jp1-db-2", "jp1-db-3"] {
        world.database(name).status = "deleting".into();
    }
    world.pass();
    world.databases.clear();
    for _ in 0..6 {
        let roll = world.minutes(10).pass();
        assert!(findings(&roll)[0].contains("1 of 1 hosts vanished"));
        assert!(!roll.gone.contains(&"db-0003".into()) && changes(&roll).is_empty());
    }
    world.minutes(10).pass();
    assert_eq!(changes(&world.minutes(11).pass()), [("db-0003".to_owned(), Happening::Left)]);
    assert_eq!(world.memory.places[&place(PLACE)].databases.fallen_since, None);
}

#[test]
fn a_recording_from_before_databases_were_read_is_judged_without_them() {
    let mut world = team();
    world.databases.clear();
    world.memory = rollcall_engine::memory::Memory::default();
    let mut snapshot = serde_json::to_value(world.snapshot()).unwrap();
    for inventory in snapshot["inventories"].as_object_mut().unwrap().values_mut() {
        inventory
            .as_object_mut()
            .unwrap()
            .retain(|listing, _| listing != "databases" && listing != "clusters");
    }
    let snapshot = serde_json::from_value(snapshot).unwrap();
    let (fleet, _) = world.fleet();
    let (roll, _) = rollcall_engine::rollcall::roll_call(&fleet, &snapshot, &world.memory, world.now);
    expect(&roll, &["RC0202 1 3 registrations of no host we know: 3 rds"]);
    let jp1 = roll.environments.values().next().unwrap();
    assert!(jp1.sees_hosts() && jp1.sources_once_read && jp1.compliant == Some(true));
}
