//! Where Host objects are, and when they go.

use rollcall_crds::v1alpha1::{ClusterRole, HostService};
use rollcall_engine::rollcall::{ClusterPart, Coverage, Requirement, Row};

use super::*;

/// `create team/i-0a`, `tell …`, `delete …`, in the order in which they are written.
fn verbs(world: &World) -> Vec<String> {
    let verb = |write: &HostWrite| match write {
        HostWrite::Create { key, .. } => format!("create {key}"),
        HostWrite::Tell { key, .. } => format!("tell {key}"),
        HostWrite::Delete { key, .. } => format!("delete {key}"),
    };
    world.diff().hosts.iter().map(verb).collect()
}

#[test]
fn a_host_lives_with_its_environment_or_with_nobodys() {
    let mut world = World::new();
    world.host("i-0a");
    let unclaimed = world.host("i-0b");
    (unclaimed.environment, unclaimed.state) = (None, HostState::Unclaimed);
    assert_eq!(verbs(&world), ["create nobodys/i-0b", "create team/i-0a"]);
}

#[test]
fn a_contested_host_is_shown_to_each_side_without_the_other() {
    let mut world = World::new();
    let host = world.host("i-0a");
    (host.environment, host.state) = (None, HostState::Contested);
    host.claimed_by = [key("jp1"), ObjectKey::new("rival", "secret-project")].into();
    let writes = world.diff();
    let told: Vec<_> = writes
        .hosts
        .iter()
        .map(|write| match write {
            HostWrite::Create { key, status, .. } => (key.to_string(), status.environment.clone().unwrap()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        told,
        [("rival/i-0a".to_owned(), "secret-project".to_owned()), ("team/i-0a".to_owned(), "jp1".to_owned())]
    );
}

#[test]
fn what_exists_is_told_before_what_is_new_and_what_goes_comes_last() {
    let mut world = World::new();
    world.host("i-new");
    world.host("i-old");
    world.object("team", "i-old");
    world.object("team", "i-gone");
    world.roll.gone.insert("i-gone".into());
    assert_eq!(verbs(&world), ["tell team/i-old", "create team/i-new", "delete team/i-gone"]);
}

#[test]
fn a_host_that_moved_leaves_no_object_behind() {
    let mut world = World::new();
    world.host("i-0a");
    world.object("old-team", "i-0a");
    assert_eq!(verbs(&world), ["create team/i-0a", "delete old-team/i-0a"]);
}

#[test]
fn an_unseen_host_is_not_taken_for_a_moved_one() {
    let mut world = World::new();
    world.host("i-0a").seen = false;
    world.object("old-team", "i-0a");
    assert_eq!(verbs(&world), ["create team/i-0a"]);
}

#[test]
fn what_neither_memory_nor_a_complete_reading_knows_goes_and_a_blind_one_keeps_it() {
    let mut world = World::new();
    world.object("team", "i-forged");
    assert_eq!(verbs(&world), ["delete team/i-forged"]);
    let account = world.roll.accounts.get_mut(&"prod".into()).unwrap();
    account.blind = vec![(place(), failure(FailureKind::Throttled))];
    assert_eq!(verbs(&world), [""; 0]);
}

#[test]
fn a_database_that_cannot_be_read_keeps_its_object_and_an_instance_that_can_does_not() {
    let mut world = World::new();
    world.object("team", "db-0a");
    world.object("team", "i-forged");
    let account = world.roll.accounts.get_mut(&"prod".into()).unwrap();
    account.databases_blind = vec![(place(), failure(FailureKind::Denied))];
    assert_eq!(verbs(&world), ["delete team/i-forged"]);
}

#[test]
fn a_database_is_a_host_of_rds_and_shows_its_part_in_its_cluster() {
    let mut world = World::new();
    world.host("db-0a").cluster = Some(ClusterPart { name: "shop".into(), writes: Some(true) });
    let writes = world.diff();
    let [HostWrite::Create { spec, status, .. }] = writes.hosts.as_slice() else { panic!("{writes:?}") };
    assert_eq!((spec.service, spec.provider_id.as_str()), (HostService::RDS, "aws:///ap-northeast-1/db-0a"));
    let part = status.cluster.as_ref().unwrap();
    assert_eq!((part.name.as_str(), part.role), ("shop", Some(ClusterRole::Writer)));
}

#[test]
fn a_malformed_environment_keeps_its_hosts_as_they_were_told() {
    let mut world = World::new();
    world.host("i-0a");
    world.object("team", "i-0a");
    world.object("team", "i-0b");
    let unclaimed = world.host("i-0b");
    (unclaimed.environment, unclaimed.state) = (None, HostState::Unclaimed);
    let broken = told("Environment", "team", "jp1", json!({"spec": {"accounts": 7}}), json!({}));
    world.stores.environments.delete(&broken);
    world.stores.environments.apply(broken);
    world.roll.environments.clear();
    assert_eq!(verbs(&world), ["create nobodys/i-0b"], "nothing is deleted, nothing told of i-0a");
}

#[test]
fn an_account_that_went_takes_its_hosts_along_and_a_malformed_one_does_not() {
    let mut world = World::new();
    world.object("team", "i-0a");
    let gone = object("CloudAccount", "", "prod", account());
    world.stores.accounts.delete(&gone);
    world.roll.accounts.clear();
    assert_eq!(verbs(&world), ["delete team/i-0a"]);
    world.stores.accounts.apply(told(
        "CloudAccount",
        "",
        "prod",
        json!({"spec": {"accountID": 7}}),
        json!({}),
    ));
    assert_eq!(verbs(&world), [""; 0]);
}

#[test]
fn a_host_object_with_another_identity_is_somebody_elses_work() {
    let mut world = World::new();
    world.host("i-0a");
    let forged = host_object("team", "i-0a", spec("i-0b"), Some(&HostStatus::default()));
    world.stores.hosts.wrote(&forged, None);
    assert_eq!(verbs(&world), ["delete team/i-0a"]);
    let writes = world.diff();
    world.perform(&writes);
    assert_eq!(verbs(&world), ["create team/i-0a"]);
}

#[test]
fn the_columns_of_a_settling_host_say_until_when_and_for_what() {
    let mut world = World::new();
    world.jp1().ledger = vec![
        (Requirement::Registered(key("mackerel")), Tally::default()),
        (Requirement::Check(key("disk")), Tally::default()),
    ];
    let host = world.host("i-0a");
    (host.state, host.settles_at) = (HostState::Settling, Some(at("2026-11-23T17:55:00Z")));
    host.rows = [0, 1].map(|requirement| Row { requirement, coverage: Coverage::Settling }).into();
    let writes = world.diff();
    let HostWrite::Create { status, .. } = &writes.hosts[0] else { panic!("{writes:?}") };
    let summary = status.summary.as_ref().unwrap();
    assert_eq!(summary.checks, "0/2");
    assert_eq!(summary.top_finding, "until 11-24 02:55 JST, not registered in mackerel and 1 more");
}
