//! Stories of AWS's words and of recordings: nothing is lost, nothing unknown reads as well.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::reading::{Extent, FailureKind};

fn database(name: &str, cluster: Option<&str>) -> Database {
    serde_json::from_value(json!({
        "id": format!("db-{name}"), "name": name, "engine": "aurora-mysql", "engineVersion": "8.0", "class": "db.r6g.large",
        "status": "available", "cluster": cluster, "deletionProtection": false,
    }))
    .unwrap()
}

fn cluster(members: &[(&str, Option<bool>)]) -> DatabaseCluster {
    let members = members.iter().map(|(name, writer)| ClusterMember {
        name: (*name).to_owned(),
        writer: *writer,
        parameters: "in-sync".into(),
    });
    DatabaseCluster { members: members.collect(), ..serde_json::from_value(json!({
        "id": "cluster-1", "name": "shop", "engine": "aurora-mysql", "engineVersion": "8.0", "status": "available",
        "deletionProtection": true,
    })).unwrap() }
}

fn now() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

fn unread() -> Inventory {
    Inventory::not_yet("123456789012/eu-west-1".to_owned().try_into().unwrap(), now())
}

#[test]
fn a_recording_from_before_databases_knows_nothing_of_them() {
    let mut old: Value = serde_json::to_value(unread()).unwrap();
    for listing in ["databases", "clusters"] {
        assert!(old.as_object_mut().unwrap().remove(listing).is_some());
    }
    let read: Inventory = serde_json::from_value(old).unwrap();
    for extent in [&read.databases.extent, &read.clusters.extent] {
        let Extent::Failed { why, .. } = extent else { panic!("{extent:?}") };
        assert_eq!(why.kind, FailureKind::NotYetRead);
    }
    let long = jiff::SignedDuration::MAX;
    assert!(read.databases.complete(Timestamp::UNIX_EPOCH, long).is_none(), "it proves no absence");
}

#[test]
fn databases_survive_a_recording() {
    let mut inventory = unread();
    let database = Database {
        endpoint: Some(DatabaseEndpoint { address: "shop-1.x.rds.amazonaws.com".to_owned(), port: 3306 }),
        parameter_groups: vec![GroupMembership { name: "g".to_owned(), status: "pending-reboot".into() }],
        created: Some(now()),
        tags: [("Name", "shop")].into_iter().collect(),
        ..database("shop-1", Some("shop"))
    };
    inventory.databases = Reading::complete_at("rds databases", now(), vec![database]);
    inventory.clusters = Reading::complete_at(
        "rds clusters",
        now(),
        vec![cluster(&[("shop-1", Some(true)), ("shop-2", None)])],
    );
    let json = serde_json::to_string(&inventory).unwrap();
    assert_eq!(serde_json::from_str::<Inventory>(&json).unwrap(), inventory);
}

#[test]
fn a_member_has_the_part_that_its_cluster_tells() {
    let mut inventory = unread();
    let (alone, writer, reader) =
        (database("alone", None), database("shop-1", Some("shop")), database("shop-2", Some("shop")));
    assert_eq!(inventory.role_of(&alone), MemberRole::Alone);
    assert_eq!(inventory.role_of(&writer), MemberRole::Unknown, "clusters are not read");
    let members = [("shop-1", Some(true)), ("shop-2", Some(false)), ("shop-3", None)];
    inventory.clusters = Reading::complete_at("c", now(), vec![cluster(&members)]);
    assert_eq!(inventory.role_of(&writer), MemberRole::Writer);
    assert_eq!(inventory.role_of(&reader), MemberRole::Reader);
    for strange in [
        database("shop-3", Some("shop")),
        database("shop-4", Some("shop")),
        database("shop-1", Some("other")),
    ] {
        assert_eq!(inventory.role_of(&strange), MemberRole::Unknown, "{}", strange.name);
    }
}

#[test]
fn engines_are_known_by_their_words() {
    for (word, kind) in [
        ("aurora", EngineKind::AuroraMysql),
        ("aurora-mysql", EngineKind::AuroraMysql),
        ("aurora-postgresql", EngineKind::AuroraPostgresql),
        ("mysql", EngineKind::Mysql),
        ("mariadb", EngineKind::Mariadb),
        ("postgres", EngineKind::Postgres),
        ("oracle-se2-cdb", EngineKind::Oracle),
        ("custom-oracle-ee", EngineKind::Oracle),
        ("sqlserver-web", EngineKind::SqlServer),
        ("custom-sqlserver-se", EngineKind::SqlServer),
        ("db2-ae", EngineKind::Db2),
        ("neptune", EngineKind::Neptune),
        ("docdb", EngineKind::DocumentDb),
        ("duckdb", EngineKind::Unknown),
        ("oracle", EngineKind::Unknown),
        ("", EngineKind::Unknown),
    ] {
        let engine = Engine::from(word);
        assert_eq!((engine.kind(), engine.as_str()), (kind, word));
        assert_eq!(engine.is_rds(), !["neptune", "docdb"].contains(&word), "{word}");
        assert_eq!(engine.is_rds_custom(), word.starts_with("custom-"), "{word}");
    }
}

#[test]
fn each_known_status_means_one_thing() {
    let transitions = Transition::ALL.iter().map(|t| (t.as_str(), DatabaseStatus::InTransition(*t)));
    let troubles = Trouble::ALL.iter().map(|t| (t.as_str(), DatabaseStatus::Failed(*t)));
    for (word, status) in transitions.chain(troubles) {
        assert_eq!(DatabaseStatus::from(word), status, "no word has two meanings");
        assert!(status.exists(), "{word}");
    }
    assert!(!DatabaseStatus::from("deleting").exists());
    assert!(DatabaseStatus::from("vanishing-in-2031").exists(), "a word we do not know is not an end");
}

proptest! {
    /// Whatever AWS says is kept, and only its own word for it reads as well.
    #[test]
    fn words_are_kept_and_none_reads_as_well_but_its_own(word in word()) {
        let status = DatabaseStatus::from(word.as_str());
        prop_assert_eq!(status.as_str(), &word);
        prop_assert_eq!(status == DatabaseStatus::Available, word == "available");
        let applied = ApplyStatus::from(word.as_str());
        prop_assert_eq!(applied.as_str(), &word);
        prop_assert_eq!(applied == ApplyStatus::InSync, word == "in-sync");
        let (engine, json) = (Engine::from(word.as_str()), serde_json::to_string(&Engine::from(word.as_str())).unwrap());
        prop_assert_eq!(serde_json::from_str::<Engine>(&json).unwrap(), engine);
    }
}

/// Words of AWS's, words like them, and anything.
fn word() -> impl Strategy<Value = String> {
    let known: Vec<&str> = ["available", "stopped", "creating", "deleting"]
        .into_iter()
        .chain(Transition::ALL.iter().map(|t| t.as_str()))
        .chain(Trouble::ALL.iter().map(|t| t.as_str()))
        .chain([
            "in-sync",
            "applying",
            "removing",
            "pending-reboot",
            "pending-database-upgrade",
            "pending-apply",
        ])
        .chain([
            "pending-removal",
            "pending-maintenance-apply",
            "pending-maintenance-removal",
            "failed-to-apply",
        ])
        .collect();
    prop_oneof![
        prop::sample::select(known).prop_map(str::to_owned),
        "[Aa]vailable[ -]?[a-z]{0,4}",
        "in-sync.?",
        any::<String>(),
    ]
}
