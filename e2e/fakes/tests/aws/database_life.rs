//! Databases change in world time: each step is seen, and none is skipped.

use jiff::SignedDuration;
use rollcall_fakes::aws::ground::db::{
    AUTOMATIC_RESTART, ApplyMethod, ApplyStatus, ClusterLaunch, DbChange, DbInstance, DbLaunch, DbStatus,
    OptionStatus, Scope,
};

use crate::client::{Play, noon};

async fn play_with(launch: DbLaunch) -> Play {
    let play = Play::start().await;
    play.tokyo.launch_db(&launch).unwrap();
    play.pass_minutes(10);
    play
}

/// What a reader is told of one field of one database.
async fn told(play: &Play, name: &str, field: &str) -> Option<String> {
    let answer = play.client.rds("DescribeDBInstances", &[("DBInstanceIdentifier", name)]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.one(field)
}

async fn status(play: &Play, name: &str) -> String {
    told(play, name, "DBInstanceStatus").await.unwrap()
}

#[tokio::test]
async fn a_database_is_created_and_has_an_endpoint_when_it_is_there() {
    let play = Play::start().await;
    play.tokyo.launch_db(&DbLaunch::of("orders", "mysql")).unwrap();
    assert_eq!(status(&play, "orders").await, "creating");
    assert_eq!(told(&play, "orders", "Endpoint").await, None);
    play.pass_minutes(6);
    assert_eq!(status(&play, "orders").await, "available");
    assert!(told(&play, "orders", "Endpoint").await.is_some());
}

#[tokio::test]
async fn a_stopped_database_starts_by_itself_after_seven_days() {
    let play = play_with(DbLaunch::of("orders", "mysql")).await;
    play.tokyo.stop_db("orders").unwrap();
    assert_eq!(status(&play, "orders").await, "stopping");
    play.pass_minutes(4);
    assert_eq!(status(&play, "orders").await, "stopped");
    assert_eq!(told(&play, "orders", "AutomaticRestartTime").await.unwrap(), "2026-03-09T12:10:00.000Z");
    play.pass(AUTOMATIC_RESTART - SignedDuration::from_mins(5));
    assert_eq!(status(&play, "orders").await, "stopped");
    play.pass_minutes(2);
    assert_eq!(status(&play, "orders").await, "starting");
    assert_eq!(told(&play, "orders", "AutomaticRestartTime").await, None);
    play.pass_minutes(6);
    assert_eq!(status(&play, "orders").await, "available");
}

#[tokio::test]
async fn who_starts_a_database_spares_it_the_seven_days() {
    let play = play_with(DbLaunch::of("orders", "mysql")).await;
    play.tokyo.stop_db("orders").unwrap();
    play.pass_minutes(5);
    play.tokyo.start_db("orders").unwrap();
    play.pass_minutes(6);
    play.tokyo.stop_db("orders").unwrap();
    play.pass(SignedDuration::from_hours(7 * 24 - 1));
    assert_eq!(status(&play, "orders").await, "stopped", "the first seven days no longer count");
}

#[tokio::test]
async fn changes_show_as_pending_until_they_are_made() {
    let play = play_with(DbLaunch::of("orders", "mysql").class("db.t4g.small")).await;
    let bigger = DbChange { class: Some("db.r6g.large".into()), multi_az: Some(true), ..DbChange::default() };
    play.tokyo.modify_db("orders", bigger, false).unwrap();
    play.pass(SignedDuration::from_hours(24));
    assert_eq!(told(&play, "orders", "DBInstanceClass").await.unwrap(), "db.t4g.small");
    let pending = told(&play, "orders", "PendingModifiedValues").await.unwrap();
    assert_eq!(pending, "<DBInstanceClass>db.r6g.large</DBInstanceClass><MultiAZ>true</MultiAZ>");

    play.tokyo.maintain_db("orders").unwrap();
    assert_eq!(status(&play, "orders").await, "modifying");
    play.pass_minutes(5);
    let after = play.tokyo.db("orders").unwrap();
    assert_eq!((after.settings.class.as_str(), after.status), ("db.r6g.large", DbStatus::Available));
    assert_eq!(after.secondary_zone.as_deref(), Some("ap-northeast-1b"));
    assert_eq!(told(&play, "orders", "PendingModifiedValues").await.unwrap(), "");

    let newer = DbChange { engine_version: Some("8.0.42".into()), ..DbChange::default() };
    play.tokyo.modify_db("orders", newer, true).unwrap();
    assert_eq!(status(&play, "orders").await, "upgrading");
    play.pass_minutes(20);
    assert_eq!(told(&play, "orders", "EngineVersion").await.unwrap(), "8.0.42");
}

#[tokio::test]
async fn a_restart_with_failover_swaps_the_zones() {
    let play = play_with(DbLaunch::of("orders", "mysql").multi_az()).await;
    play.tokyo.reboot_db("orders", true).unwrap();
    assert_eq!(status(&play, "orders").await, "rebooting");
    play.pass_minutes(2);
    let after = play.tokyo.db("orders").unwrap();
    assert_eq!(
        (after.zone.as_str(), after.secondary_zone.as_deref()),
        ("ap-northeast-1b", Some("ap-northeast-1a"))
    );
    play.tokyo.reboot_db("orders", false).unwrap();
    play.pass_minutes(2);
    let after = play.tokyo.db("orders").unwrap();
    assert_eq!(
        (after.zone.as_str(), after.secondary_zone.as_deref()),
        ("ap-northeast-1b", Some("ap-northeast-1a"))
    );
}

#[tokio::test]
async fn parameters_wait_for_a_restart_or_are_applied_for_a_moment() {
    let play = Play::start().await;
    play.tokyo.create_parameter_group(Scope::Instance, "orders", "mysql8.0").unwrap();
    play.tokyo.launch_db(&DbLaunch::of("orders", "mysql").parameter_group("orders")).unwrap();
    play.tokyo.launch_db(&DbLaunch::of("ledger", "mysql")).unwrap();
    play.pass_minutes(10);
    let set =
        |parameter, method| play.tokyo.set_parameter(Scope::Instance, "orders", parameter, method).unwrap();
    set(("slow_query_log", "1"), ApplyMethod::Immediate);
    assert_eq!(told(&play, "orders", "ParameterApplyStatus").await.unwrap(), "applying");
    play.pass_minutes(1);
    assert_eq!(told(&play, "orders", "ParameterApplyStatus").await.unwrap(), "in-sync");

    set(("performance_schema", "1"), ApplyMethod::PendingReboot);
    set(("slow_query_log", "0"), ApplyMethod::Immediate);
    play.pass_minutes(60);
    assert_eq!(play.tokyo.db("ledger").unwrap().parameters, ApplyStatus::InSync, "it is in another group");
    assert_eq!(told(&play, "orders", "ParameterApplyStatus").await.unwrap(), "pending-reboot");
    play.tokyo.reboot_db("orders", false).unwrap();
    play.pass_minutes(2);
    assert_eq!(told(&play, "orders", "ParameterApplyStatus").await.unwrap(), "in-sync");
}

#[tokio::test]
async fn a_failover_moves_the_writer_after_a_while() {
    let play = Play::start().await;
    let launch = ClusterLaunch::of("shop", "aurora-mysql").members(&["shop-a", "shop-b", "shop-c"]);
    play.tokyo.launch_cluster(&launch).unwrap();
    play.pass_minutes(10);
    play.tokyo.change_db("shop-c", |i| i.settings.promotion_tier = 0).unwrap();
    play.tokyo.fail_over("shop", None).unwrap();
    let during = play.client.rds("DescribeDBClusters", &[]).await;
    assert_eq!(during.one("Status").unwrap(), "failing-over");
    assert_eq!(during.all("IsClusterWriter"), ["true", "false", "false"], "not yet");
    play.pass_minutes(1);
    let after = play.client.rds("DescribeDBClusters", &[]).await;
    assert_eq!(after.one("Status").unwrap(), "available");
    assert_eq!(after.all("IsClusterWriter"), ["false", "false", "true"], "the lowest tier");
    assert_eq!(play.tokyo.writer("shop").as_deref(), Some("shop-c"));

    play.tokyo.fail_over("shop", Some("shop-b")).unwrap();
    play.pass_minutes(1);
    assert_eq!(play.tokyo.writer("shop").as_deref(), Some("shop-b"));
    assert!(play.tokyo.fail_over("shop", Some("nobody")).is_err());
}

#[tokio::test]
async fn a_cluster_stops_starts_and_goes_with_its_members() {
    let play = Play::start().await;
    play.tokyo.launch_cluster(&ClusterLaunch::of("shop", "docdb").members(&["shop-a", "shop-b"])).unwrap();
    play.pass_minutes(10);
    let all = |play: &Play| {
        let members = play.tokyo.dbs().into_iter().map(|i| i.status);
        members.chain(play.tokyo.cluster("shop").map(|c| c.status)).collect::<Vec<_>>()
    };
    play.tokyo.stop_cluster("shop").unwrap();
    play.pass_minutes(5);
    assert_eq!(all(&play), [DbStatus::Stopped; 3]);
    assert!(play.tokyo.cluster("shop").unwrap().restarts.is_some());
    play.tokyo.start_cluster("shop").unwrap();
    play.pass_minutes(6);
    assert_eq!(all(&play), [DbStatus::Available; 3]);
    play.tokyo.delete_cluster("shop").unwrap();
    assert_eq!(all(&play), [DbStatus::Deleting; 3]);
    play.pass_minutes(5);
    assert_eq!(all(&play), []);
}

#[tokio::test]
async fn a_deleted_database_leaves_cluster_replica_and_name_behind() {
    let play = Play::start().await;
    play.tokyo
        .launch_cluster(&ClusterLaunch::of("shop", "aurora-mysql").members(&["shop-a", "shop-b"]))
        .unwrap();
    let first = play.tokyo.launch_db(&DbLaunch::of("orders", "mysql")).unwrap();
    play.tokyo.launch_db(&DbLaunch::of("replica", "mysql").replica_of("orders")).unwrap();
    play.pass_minutes(10);
    play.tokyo.delete_db("shop-a").unwrap();
    play.tokyo.delete_db("orders").unwrap();
    assert_eq!(status(&play, "orders").await, "deleting");
    assert_eq!(play.tokyo.writer("shop").as_deref(), Some("shop-a"), "it goes when it is gone");
    play.tokyo.stop_cluster("shop").unwrap();
    play.pass_minutes(4);
    assert_eq!(play.tokyo.writer("shop").as_deref(), Some("shop-b"));
    assert_eq!(play.tokyo.cluster("shop").unwrap().members.len(), 1, "whatever else happened meanwhile");
    assert_eq!(play.tokyo.db("replica").unwrap().replica_of, None);
    let again = play.tokyo.launch_db(&DbLaunch::of("orders", "mysql")).unwrap();
    assert_ne!(first, again, "the same name is another database");
}

#[tokio::test]
async fn groups_that_cannot_be_applied_say_so() {
    let play = play_with(DbLaunch::of("orders", "mysql")).await;
    let fail = |i: &mut DbInstance| {
        (i.parameters, i.options) = (ApplyStatus::FailedToApply, OptionStatus::PendingMaintenanceApply);
    };
    play.tokyo.change_db("orders", fail).unwrap();
    assert_eq!(told(&play, "orders", "ParameterApplyStatus").await.unwrap(), "failed-to-apply");
    let options = told(&play, "orders", "OptionGroupMembership").await.unwrap();
    assert!(options.contains("<Status>pending-maintenance-apply</Status>"), "{options}");
}

#[tokio::test]
async fn what_befalls_a_database_stays_and_the_past_stays_the_past() {
    let play = Play::start().await;
    let old = noon() - SignedDuration::from_hours(24 * 400);
    play.tokyo.launch_db(&DbLaunch::of("orders", "mysql").created_at(old)).unwrap();
    assert_eq!(status(&play, "orders").await, "available", "made long ago");
    play.tokyo.befall_db("orders", DbStatus::StorageFull).unwrap();
    play.pass(SignedDuration::from_hours(48));
    assert_eq!(status(&play, "orders").await, "storage-full");
}
