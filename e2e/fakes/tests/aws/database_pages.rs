//! Pages of databases, and what faults and limits do to them.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;
use rollcall_fakes::{
    aws::{
        Habits,
        ground::db::{ApplyMethod, ClusterLaunch, DbLaunch, Scope},
    },
    faults::{Fault, Pace, Rule},
};

use crate::client::Play;

fn on_listing(fault: Fault) -> Rule {
    Rule::new("rds", "DescribeDBInstances", fault)
}

async fn with(databases: usize) -> (Play, BTreeSet<String>) {
    let play = Play::start().await;
    let names: BTreeSet<String> = (0..databases).map(|n| format!("db-{n:03}")).collect();
    for name in &names {
        play.tokyo.launch_db(&DbLaunch::of(name, "mysql")).unwrap();
    }
    play.pass_minutes(10);
    (play, names)
}

async fn struck(databases: usize, rule: Rule) -> (Play, BTreeSet<String>) {
    let (play, names) = with(databases).await;
    play.aws.stage().faults.add(rule).unwrap();
    (play, names)
}

#[tokio::test]
async fn a_page_is_a_hundred_unless_said_otherwise() {
    let (play, names) = with(105).await;
    let sizes = |pages: &[Vec<String>]| pages.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(sizes(&play.client.db_pages(None).await), [100, 5]);
    let pages = play.client.db_pages(Some(50)).await;
    assert_eq!(sizes(&pages), [50, 50, 5]);
    assert_eq!(pages.concat().into_iter().collect::<BTreeSet<_>>(), names);
}

#[tokio::test]
async fn a_marker_belongs_to_its_request() {
    let (play, _) = with(25).await;
    let first = play.client.rds("DescribeDBInstances", &[("MaxRecords", "20")]).await;
    let marker = first.one("Marker").unwrap();
    let filtered = [
        ("Marker", marker.as_str()),
        ("Filters.Filter.1.Name", "engine"),
        ("Filters.Filter.1.Values.Value.1", "mysql"),
    ];
    for (client, action, params) in [
        (&play.client, "DescribeDBInstances", &filtered[..]),
        (&play.client, "DescribeDBClusters", &filtered[..1]),
        (&play.client.in_region("eu-west-1"), "DescribeDBInstances", &filtered[..1]),
    ] {
        assert_eq!(client.rds(action, params).await.code(), "InvalidParameterValue", "{action} {params:?}");
    }
}

#[tokio::test]
async fn every_listing_is_paged() {
    let (play, names) = with(21).await;
    for name in &names {
        play.tokyo.create_parameter_group(Scope::Instance, name, "mysql8.0").unwrap();
        play.tokyo.create_parameter_group(Scope::Cluster, name, "aurora-mysql8.0").unwrap();
        play.tokyo.set_parameter(Scope::Instance, "db-000", (name, "1"), ApplyMethod::PendingReboot).unwrap();
        play.tokyo.launch_cluster(&ClusterLaunch::of(name, "neptune")).unwrap();
        play.tokyo.snapshot_db(name, &format!("of-{name}"), false).unwrap();
    }
    for (action, params, item) in [
        ("DescribeDBClusters", &[][..], "DBClusterIdentifier"),
        ("DescribeDBParameterGroups", &[], "DBParameterGroupName"),
        ("DescribeDBClusterParameterGroups", &[], "DBClusterParameterGroupName"),
        ("DescribeDBParameters", &[("DBParameterGroupName", "db-000"), ("Source", "user")], "ParameterName"),
        ("DescribeDBSnapshots", &[], "DBSnapshotIdentifier"),
    ] {
        let play = &play;
        let page = |marker: Option<String>| async move {
            let mut params = params.to_vec();
            params.push(("MaxRecords", "20"));
            params.extend(marker.as_deref().map(|m| ("Marker", m)));
            let answer = play.client.rds(action, &params).await;
            (answer.all(item), answer.one("Marker"))
        };
        let (first, marker) = page(None).await;
        assert!(first.len() == 20 && marker.is_some(), "{action}");
        let (last, end) = page(marker).await;
        assert!(!last.is_empty() && end.is_none(), "{action}: {last:?}");
        assert!(last.iter().all(|name| !first.contains(name)), "{action}");
    }
}

#[tokio::test]
async fn refusals_come_in_rds_s_words_and_pass() {
    for (fault, status, code) in [
        (Fault::Throttle { burst: 0.0, refill_per_second: 0.0, pace: Pace::World }, 400, "Throttling"),
        (Fault::Denied, 403, "AccessDenied"),
        (Fault::Status { status: 500, body: None }, 500, "InternalFailure"),
        (Fault::Status { status: 503, body: None }, 503, "ServiceUnavailable"),
    ] {
        let (play, names) = struck(3, on_listing(fault).times(1)).await;
        let answer = play.client.rds("DescribeDBInstances", &[]).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
        assert!(answer.one("RequestId").is_some());
        assert_eq!(play.client.db_pages(None).await.concat().len(), names.len(), "then it is over");
    }
}

#[tokio::test]
async fn a_repeated_page_comes_twice_and_a_page_repeated_for_ever_has_no_end() {
    let (play, names) = struck(60, on_listing(Fault::RepeatPage).after(1).times(1)).await;
    let pages = play.client.db_pages(Some(20)).await;
    assert_eq!(pages.len(), 4);
    assert_eq!(pages[1], pages[2]);
    assert_eq!(pages.concat().into_iter().collect::<BTreeSet<_>>(), names);

    play.aws.stage().faults.add(on_listing(Fault::RepeatPage)).unwrap();
    let first = play.client.rds("DescribeDBInstances", &[("MaxRecords", "20")]).await;
    let marker = first.one("Marker").unwrap();
    let again = play.client.rds("DescribeDBInstances", &[("MaxRecords", "20"), ("Marker", &marker)]).await;
    assert_eq!(again.all("DbiResourceId"), first.all("DbiResourceId"));
    assert_eq!(again.one("Marker").unwrap(), marker);
}

#[tokio::test]
async fn pages_are_lost_emptied_and_cut() {
    let (play, names) = struck(60, on_listing(Fault::SkipPage).times(1)).await;
    assert_eq!(play.client.db_pages(Some(20)).await.concat().len(), names.len() - 20);
    play.aws.stage().faults.clear();
    play.aws.stage().faults.add(on_listing(Fault::EmptyAnswer)).unwrap();
    assert_eq!(play.client.db_pages(Some(20)).await, [Vec::<String>::new()], "it looks complete");
    play.aws.stage().faults.clear();
    play.aws.stage().faults.add(on_listing(Fault::CutConnection { after_bytes: 5_000 }).times(1)).unwrap();
    assert!(play.client.call("rds", "DescribeDBInstances", &[]).await.is_err(), "an error, not a short list");
    assert_eq!(play.tokyo.dbs().len(), names.len(), "the truth is untouched");
}

#[tokio::test]
async fn a_stale_read_tells_the_world_as_it_was() {
    let play = Play::start().await;
    play.tokyo
        .launch_cluster(&ClusterLaunch::of("shop", "aurora-mysql").members(&["shop-a", "shop-b"]))
        .unwrap();
    play.pass_minutes(10);
    play.tokyo.fail_over("shop", None).unwrap();
    play.tokyo.rename_db("shop-a", "shop-old").unwrap();
    play.pass(SignedDuration::from_secs(70));
    play.aws.stage().faults.add(Rule::new("rds", "*", Fault::StaleRead { seconds: 60 })).unwrap();
    let stale = play.client.rds("DescribeDBClusters", &[]).await;
    assert_eq!(stale.all("DBInstanceIdentifier"), ["shop-a", "shop-b"]);
    assert_eq!(stale.all("IsClusterWriter"), ["true", "false"]);
    play.pass_minutes(2);
    let later = play.client.rds("DescribeDBClusters", &[]).await;
    assert_eq!(later.all("DBInstanceIdentifier"), ["shop-old", "shop-b"]);
    assert_eq!(later.all("IsClusterWriter"), ["false", "true"]);
}

#[tokio::test]
async fn a_call_for_each_database_is_throttled_and_a_page_is_not() {
    let (play, names) = with(60).await;
    play.aws.enforce_rates(true);
    assert_eq!(play.client.db_pages(Some(20)).await.concat().len(), 60);
    let calls = |n: usize| names.iter().cycle().take(n);
    let mut refused = None;
    for name in calls(10_000) {
        let answer = play.client.rds("DescribeDBInstances", &[("DBInstanceIdentifier", name)]).await;
        if answer.status != 200 {
            refused = Some(answer.code());
            break;
        }
    }
    assert_eq!(refused.as_deref(), Some("Throttling"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// For any number of databases and page size, with short pages or not: the pages are the databases, each once.
    #[test]
    fn pages_are_the_databases(databases in 0..70_usize, size in 20..60_usize, short_pages in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (play, names) = with(databases).await;
            play.aws.set_habits(Habits { unstable_order: true, short_pages });
            let told = play.client.db_pages(Some(size)).await.concat();
            assert_eq!(told.len(), names.len());
            assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), names);
        });
    }
}
