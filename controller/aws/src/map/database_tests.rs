//! Stories of single DB instances: what decisions use is kept, and what is odd is never taken for well.

use super::*;
use aws_sdk_rds::types::{DbSubnetGroup, Tag};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use rollcall_engine::inventory::{DatabaseStatus, EngineKind, Transition, Trouble};

#[test]
fn everything_that_decisions_use_is_kept() {
    let endpoint = Endpoint::builder().address("shop-1.x.eu-west-1.rds.amazonaws.com").port(3306);
    let parameters = DbParameterGroupStatus::builder().db_parameter_group_name("tuned");
    let options = OptionGroupMembership::builder().option_group_name("default:mysql-8-0").status("in-sync");
    let subnets = DbSubnetGroup::builder().db_subnet_group_name("private").vpc_id("vpc-1");
    let seen = DbInstance::builder()
        .dbi_resource_id("db-ABC123")
        .db_instance_identifier("shop-1")
        .engine("mysql")
        .engine_version("8.0.40")
        .db_instance_class("db.r6g.large")
        .db_instance_status("stopped")
        .instance_create_time(DateTime::from_secs(1_772_000_000))
        .automatic_restart_time(DateTime::from_secs(1_773_000_000))
        .endpoint(endpoint.build())
        .availability_zone("eu-west-1a")
        .multi_az(true)
        .db_subnet_group(subnets.build())
        .db_parameter_groups(parameters.parameter_apply_status("pending-reboot").build())
        .option_group_memberships(options.build())
        .vpc_security_groups(VpcSecurityGroupMembership::builder().vpc_security_group_id("sg-1").build())
        .read_replica_source_db_instance_identifier("arn:aws:rds:us-east-1:1:db:shop-0")
        .read_replica_db_instance_identifiers("shop-2")
        .read_replica_db_cluster_identifiers("shop-aurora")
        .db_cluster_identifier("")
        .deletion_protection(false)
        .tag_list(Tag::builder().key("Name").value("shop").build())
        .build();
    let expected = Database {
        id: "db-abc123".into(),
        name: "shop-1".to_owned(),
        engine: "mysql".into(),
        engine_version: "8.0.40".to_owned(),
        class: "db.r6g.large".to_owned(),
        status: DatabaseStatus::Stopped,
        created: Some(Timestamp::from_second(1_772_000_000).unwrap()),
        restarts: Some(Timestamp::from_second(1_773_000_000).unwrap()),
        tags: [("Name", "shop")].into_iter().collect(),
        endpoint: Some(DatabaseEndpoint {
            address: "shop-1.x.eu-west-1.rds.amazonaws.com".to_owned(),
            port: 3306,
        }),
        zone: Some("eu-west-1a".to_owned()),
        multi_az: Some(true),
        vpc: Some("vpc-1".to_owned()),
        subnet_group: Some("private".to_owned()),
        security_groups: vec!["sg-1".to_owned()],
        parameter_groups: vec![GroupMembership {
            name: "tuned".to_owned(),
            status: ApplyStatus::PendingReboot,
        }],
        option_groups: vec![GroupMembership {
            name: "default:mysql-8-0".to_owned(),
            status: ApplyStatus::InSync,
        }],
        cluster: None,
        replica_of: Some("arn:aws:rds:us-east-1:1:db:shop-0".to_owned()),
        replicas: vec!["shop-2".to_owned(), "shop-aurora".to_owned()],
        deletion_protection: false,
    };
    assert_eq!(database(seen), Some(expected));
}

#[test]
fn an_odd_database_is_kept_protected_and_never_taken_for_well() {
    let bare = database(DbInstance::builder().dbi_resource_id("db-A").build()).unwrap();
    assert_eq!(bare.status, DatabaseStatus::Unknown("".into()));
    assert_eq!(bare.engine.kind(), EngineKind::Unknown);
    assert!(bare.deletion_protection && bare.status.exists());
    assert_eq!((bare.multi_az, bare.created, bare.endpoint), (None, None, None));

    let odd = DbInstance::builder()
        .dbi_resource_id("db-B")
        .db_instance_status("Available ")
        .instance_create_time(DateTime::from_secs(i64::MAX / 2))
        .endpoint(Endpoint::builder().address("x").port(-1).build())
        .db_parameter_groups(DbParameterGroupStatus::builder().db_parameter_group_name("g").build())
        .db_parameter_groups(DbParameterGroupStatus::builder().parameter_apply_status("in-sync").build())
        .engine_version("9".repeat(10_000))
        .tag_list(Tag::builder().value("no key").build())
        .build();
    let odd = database(odd).unwrap();
    assert_eq!(odd.status, DatabaseStatus::Unknown("Available ".into()));
    assert_eq!((odd.created, odd.endpoint), (None, None));
    let groups = [GroupMembership { name: "g".to_owned(), status: ApplyStatus::Unknown("".into()) }];
    assert_eq!(odd.parameter_groups, groups, "a group that says nothing is not in sync");
    assert_eq!((odd.engine_version.len(), odd.tags.iter().count()), (64, 0));
}

#[test]
fn who_has_no_id_cannot_be_told_apart() {
    for id in [None, Some(""), Some("db-"), Some("shop-1"), Some("db-A B")] {
        let seen = DbInstance::builder().db_instance_identifier("shop-1");
        assert_eq!(database(seen.set_dbi_resource_id(id.map(str::to_owned)).build()), None, "{id:?}");
    }
}

#[test]
fn statuses_mean_what_rds_says() {
    for (word, status) in [
        ("available", DatabaseStatus::Available),
        ("rebooting", DatabaseStatus::InTransition(Transition::Rebooting)),
        ("storage-full", DatabaseStatus::Failed(Trouble::StorageFull)),
        ("paused-in-2031", DatabaseStatus::Unknown("paused-in-2031".into())),
    ] {
        let seen = DbInstance::builder().dbi_resource_id("db-A").db_instance_status(word).build();
        assert_eq!(database(seen).unwrap().status, status);
    }
}

#[test]
fn hostile_tags_are_data() {
    let hostile = format!("\u{1b}[31m環境\u{202e}\0{}", "x".repeat(10_000));
    let tag = Tag::builder().key("Name").value(&hostile).build();
    let seen = database(DbInstance::builder().dbi_resource_id("db-A").tag_list(tag).build()).unwrap();
    assert_eq!(seen.tags.get("Name"), Some(hostile.as_str()));
}
