//! What is told of databases and clusters, and that names may change and ids may not.

use rollcall_fakes::aws::ground::db::{
    ApplyMethod, ClusterLaunch, DbLaunch, DbSettings, DbStatus, OptionGroup, Scope,
};

use crate::client::{ACCOUNT, Play};

#[tokio::test]
async fn a_database_shows_the_fields_that_readers_use() {
    let play = Play::start().await;
    let settings = DbSettings {
        protected: true,
        storage: 200,
        monitoring_interval: 60,
        backup_days: 14,
        iam: true,
        ..DbSettings::default()
    };
    let launch = DbLaunch { settings, zone: Some("c".into()), ..DbLaunch::of("Orders", "postgres") };
    let launch = launch.class("db.r6g.large").multi_az().tag("Name", "orders<1>&環境");
    let id = play.tokyo.launch_db(&launch).unwrap();
    play.pass_minutes(10);
    let answer = play.client.rds("DescribeDBInstances", &[]).await;
    let arn = format!("arn:aws:rds:ap-northeast-1:{ACCOUNT}:db:orders");
    for (field, expected) in [
        ("DBInstanceIdentifier", "orders"),
        ("DbiResourceId", id.as_str()),
        ("DBInstanceArn", &arn),
        ("DBInstanceClass", "db.r6g.large"),
        ("Engine", "postgres"),
        ("EngineVersion", "16.4"),
        ("DBInstanceStatus", "available"),
        ("Port", "5432"),
        ("InstanceCreateTime", "2026-03-02T12:00:00.000Z"),
        ("AvailabilityZone", "ap-northeast-1c"),
        ("SecondaryAvailabilityZone", "ap-northeast-1a"),
        ("MultiAZ", "true"),
        ("AllocatedStorage", "200"),
        ("StorageEncrypted", "true"),
        ("DeletionProtection", "true"),
        ("MonitoringInterval", "60"),
        ("BackupRetentionPeriod", "14"),
        ("IAMDatabaseAuthenticationEnabled", "true"),
        ("PubliclyAccessible", "false"),
        ("DBParameterGroupName", "default.postgres16"),
        ("ParameterApplyStatus", "in-sync"),
        ("OptionGroupName", "default:postgres-16"),
        ("DBSubnetGroupName", "default"),
        ("VpcId", &play.tokyo.vpc()),
        ("VpcSecurityGroupId", &play.tokyo.security_groups()[0].id),
        ("PendingModifiedValues", ""),
    ] {
        assert_eq!(answer.one(field).as_deref(), Some(expected), "{field}");
    }
    assert!(answer.body.contains("<Tag><Key>Name</Key><Value>orders&lt;1&gt;&amp;環境</Value></Tag>"));
    assert_eq!(answer.all("SubnetIdentifier").len(), 3);
    assert!(answer.one("Address").unwrap().ends_with(".ap-northeast-1.rds.amazonaws.com"));
    assert!(answer.one("RequestId").is_some());
}

#[tokio::test]
async fn engines_of_other_services_answer_too_with_endpoints_of_their_own() {
    let play = Play::start().await;
    for (name, engine) in [("shop", "aurora-mysql"), ("graph", "neptune"), ("papers", "docdb")] {
        let member = format!("{name}-a");
        play.tokyo.launch_cluster(&ClusterLaunch::of(name, engine).members(&[&member])).unwrap();
    }
    play.pass_minutes(10);
    let answer = play.client.rds("DescribeDBInstances", &[]).await;
    let mut engines = answer.all("Engine");
    engines.sort();
    assert_eq!(engines, ["aurora-mysql", "docdb", "neptune"]);
    for service in ["rds", "neptune", "docdb"] {
        assert!(answer.body.contains(&format!(".{service}.amazonaws.com</Address>")), "{service}");
    }
    assert_eq!(answer.all("OptionGroupName").len(), 0, "members of clusters have no options");
}

#[tokio::test]
async fn a_cluster_tells_its_members_and_who_writes() {
    let play = Play::start().await;
    let launch =
        ClusterLaunch::of("shop", "aurora-postgresql").members(&["shop-a", "shop-b"]).tag("e", "prod");
    let id = play.tokyo.launch_cluster(&launch).unwrap();
    play.pass_minutes(10);
    let answer = play.client.rds("DescribeDBClusters", &[("DBClusterIdentifier", "SHOP")]).await;
    assert_eq!(answer.all("DBInstanceIdentifier"), ["shop-a", "shop-b"]);
    assert_eq!(answer.all("IsClusterWriter"), ["true", "false"]);
    assert_eq!(answer.one("DbClusterResourceId").unwrap(), id);
    assert_eq!(answer.one("DBClusterParameterGroup").unwrap(), "default.aurora-postgresql16");
    let members = play.client.rds("DescribeDBInstances", &[]).await;
    assert_eq!(members.all("DBClusterIdentifier"), ["shop", "shop"]);
    let mut zones: Vec<String> = play.tokyo.dbs().into_iter().map(|i| i.zone).collect();
    zones.sort();
    assert_eq!(zones, ["ap-northeast-1a", "ap-northeast-1b"], "members take turns over the zones");
}

#[tokio::test]
async fn a_rename_shows_wherever_the_name_stood() {
    let play = Play::start().await;
    play.tokyo.launch_cluster(&ClusterLaunch::of("shop", "aurora-mysql").members(&["shop-a"])).unwrap();
    let id = play.tokyo.launch_db(&DbLaunch::of("orders", "mysql")).unwrap();
    play.tokyo.launch_db(&DbLaunch::of("orders-replica", "mysql").replica_of("orders")).unwrap();
    play.pass_minutes(10);
    play.tokyo.rename_db("orders", "Ledger").unwrap();
    play.tokyo.rename_db("shop-a", "shop-blue").unwrap();
    let renaming = play.client.rds("DescribeDBInstances", &[("DBInstanceIdentifier", "orders")]).await;
    assert_eq!(renaming.one("DBInstanceStatus").unwrap(), "renaming");
    let pending = renaming.one("PendingModifiedValues").unwrap();
    assert_eq!(pending, "<DBInstanceIdentifier>ledger</DBInstanceIdentifier>");

    play.pass_minutes(2);
    let old = play.client.rds("DescribeDBInstances", &[("DBInstanceIdentifier", "orders")]).await;
    assert_eq!((old.status, old.code().as_str()), (404, "DBInstanceNotFound"));
    let new = play.client.rds("DescribeDBInstances", &[("DBInstanceIdentifier", "ledger")]).await;
    assert_eq!(new.one("DbiResourceId").unwrap(), id);
    assert!(new.one("Address").unwrap().starts_with("ledger."));
    let replica = play.client.rds("DescribeDBInstances", &[("DBInstanceIdentifier", "orders-replica")]).await;
    assert_eq!(replica.one("ReadReplicaSourceDBInstanceIdentifier").unwrap(), "ledger");
    let cluster = play.client.rds("DescribeDBClusters", &[]).await;
    assert_eq!(cluster.one("DBInstanceIdentifier").unwrap(), "shop-blue");
    assert!(play.tokyo.rename_db("ledger", "shop-blue").is_err(), "a name is given once");
}

#[tokio::test]
async fn parameters_tell_who_set_them() {
    let play = Play::start().await;
    play.tokyo.create_parameter_group(Scope::Instance, "orders", "mysql8.0").unwrap();
    let set = |parameter, method| play.tokyo.set_parameter(Scope::Instance, "orders", parameter, method);
    set(("long_query_time", "0.5"), ApplyMethod::Immediate).unwrap();
    assert!(set(("performance_schema", "1"), ApplyMethod::Immediate).is_err(), "that needs a restart");
    let ask = |source| play.client.rds("DescribeDBParameters", source);
    let own = ask(&[("DBParameterGroupName", "orders"), ("Source", "user")]).await;
    assert_eq!(
        (own.all("ParameterName"), own.all("ParameterValue")),
        (vec!["long_query_time".into()], vec!["0.5".into()])
    );
    let all = ask(&[("DBParameterGroupName", "orders")]).await;
    assert!(all.all("ParameterName").len() > 10);
    assert_eq!(
        ask(&[("DBParameterGroupName", "orders"), ("Source", "me")]).await.code(),
        "InvalidParameterValue"
    );
}

#[tokio::test]
async fn parameters_are_found_by_name_page_by_page_in_both_kinds_of_groups() {
    let play = Play::start().await;
    for (scope, action, field) in [
        (Scope::Instance, "DescribeDBParameters", "DBParameterGroupName"),
        (Scope::Cluster, "DescribeDBClusterParameters", "DBClusterParameterGroupName"),
    ] {
        play.tokyo.create_parameter_group(scope, "orders", "aurora-mysql8.0").unwrap();
        for n in 0..110 {
            let name = format!("parameter_{n:03}");
            play.tokyo.set_parameter(scope, "orders", (&name, "1"), ApplyMethod::Immediate).unwrap();
        }
        let by_name = [
            (field, "orders"),
            ("Filters.Filter.1.Name", "parameter-name"),
            ("Filters.Filter.1.Values.Value.1", "parameter_042"),
            ("Filters.Filter.1.Values.Value.2", "wait_timeout"),
            ("Filters.Filter.1.Values.Value.3", "nothing"),
        ];
        let mut told = play.client.rds(action, &by_name).await.all("ParameterName");
        told.sort();
        assert_eq!(told, ["parameter_042", "wait_timeout"]);
        let first = play.client.rds(action, &[(field, "orders")]).await;
        let marker = first.one("Marker").unwrap();
        let last = play.client.rds(action, &[(field, "orders"), ("Marker", &marker)]).await;
        assert_eq!((first.all("ParameterName").len(), last.all("ParameterName").len()), (100, 22));
        let other = [by_name.as_slice(), &[("Marker", marker.as_str())]].concat();
        assert_eq!(
            play.client.rds(action, &other).await.code(),
            "InvalidParameterValue",
            "another listing's marker"
        );
        let colour = [(field, "orders"), ("Filters.Filter.1.Name", "colour")];
        assert_eq!(play.client.rds(action, &colour).await.code(), "InvalidParameterValue");
    }
}

#[tokio::test]
async fn snapshots_are_listed_by_database_and_kind() {
    let play = Play::start().await;
    play.tokyo.launch_db(&DbLaunch::of("orders", "mysql")).unwrap();
    play.pass_minutes(10);
    play.tokyo.snapshot_db("orders", "rds:orders-2026-03-02", true).unwrap();
    assert_eq!(play.tokyo.db("orders").unwrap().status, DbStatus::BackingUp);
    play.pass_minutes(10);
    play.tokyo.snapshot_db("orders", "before-2", false).unwrap();
    play.pass_minutes(10);
    assert_eq!(play.tokyo.db("orders").unwrap().status, DbStatus::Available);
    for (params, expected) in [
        (&[("DBInstanceIdentifier", "orders")][..], 2),
        (&[("DBInstanceIdentifier", "orders"), ("SnapshotType", "automated")], 1),
        (&[("DBSnapshotIdentifier", "rds:orders-2026-03-02")], 1),
        (&[("DBInstanceIdentifier", "nobody")], 0),
    ] {
        let answer = play.client.rds("DescribeDBSnapshots", params).await;
        assert_eq!(answer.all("DBSnapshotIdentifier").len(), expected, "{params:?}: {}", answer.body);
    }
}

/// Action, parameters, and the status and code of the refusal.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u16, &'a str);

#[tokio::test]
async fn bad_questions_are_refused_in_rds_s_words() {
    let play = Play::start().await;
    let cases: [Case<'_>; 10] = [
        ("DescribeDBInstances", &[("DBInstanceIdentifier", "x")], 404, "DBInstanceNotFound"),
        ("DescribeDBClusters", &[("DBClusterIdentifier", "x")], 404, "DBClusterNotFoundFault"),
        ("DescribeDBParameters", &[("DBParameterGroupName", "x")], 404, "DBParameterGroupNotFound"),
        ("DescribeOptionGroups", &[("OptionGroupName", "x")], 404, "OptionGroupNotFoundFault"),
        ("DescribeDBSubnetGroups", &[("DBSubnetGroupName", "x")], 404, "DBSubnetGroupNotFoundFault"),
        ("DescribeDBSnapshots", &[("DBSnapshotIdentifier", "x")], 404, "DBSnapshotNotFound"),
        ("DescribeDBInstances", &[("MaxRecords", "19")], 400, "InvalidParameterValue"),
        ("DescribeDBInstances", &[("Marker", "made-up")], 400, "InvalidParameterValue"),
        ("DescribeDBInstances", &[("Filters.Filter.1.Name", "colour")], 400, "InvalidParameterValue"),
        ("LaunchRockets", &[], 400, "InvalidAction"),
    ];
    for (action, params, status, code) in cases {
        let answer = play.client.rds(action, params).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{action} {params:?}");
        assert!(answer.one("Type").unwrap() == "Sender" && answer.one("RequestId").is_some());
    }
}

#[tokio::test]
async fn strangers_and_the_denied_are_refused_in_rds_s_words() {
    let play = Play::start().await;
    let stranger = play.client.with_key("AKIANOBODY", None).rds("DescribeDBInstances", &[]).await;
    assert_eq!((stranger.status, stranger.code().as_str()), (403, "InvalidClientTokenId"));
    let off = play.client.in_region("mars-north-1").rds("DescribeDBInstances", &[]).await;
    assert_eq!((off.status, off.code().as_str()), (403, "InvalidClientTokenId"));
    assert!(play.aws.account(ACCOUNT).deny(&play.client.key, &["rds:DescribeDBC*"]));
    let denied = play.client.rds("DescribeDBClusters", &[]).await;
    assert_eq!((denied.status, denied.code().as_str()), (403, "AccessDenied"));
    assert!(denied.one("Message").unwrap().contains("user/reader"));
    assert_eq!(play.client.rds("DescribeDBInstances", &[]).await.status, 200);
}

#[tokio::test]
async fn groups_are_listed_once_somebody_is_in_them() {
    let play = Play::start().await;
    play.tokyo.launch_cluster(&ClusterLaunch::of("shop", "aurora-mysql").members(&["shop-a"])).unwrap();
    let group = OptionGroup {
        name: "audited".into(),
        description: "with an audit".into(),
        engine: "mysql".into(),
        major_version: "8.0".into(),
        options: vec!["MARIADB_AUDIT_PLUGIN".into()],
    };
    play.tokyo.create_option_group(group).unwrap();
    let orders = DbLaunch { option_group: Some("audited".into()), ..DbLaunch::of("orders", "mysql") };
    play.tokyo.launch_db(&orders).unwrap();
    for (action, field, expected) in [
        (
            "DescribeDBParameterGroups",
            "DBParameterGroupName",
            &["default.aurora-mysql8.0", "default.mysql8.0"][..],
        ),
        ("DescribeDBClusterParameterGroups", "DBClusterParameterGroupName", &["default.aurora-mysql8.0"]),
        ("DescribeOptionGroups", "OptionGroupName", &["audited"]),
        ("DescribeDBSubnetGroups", "DBSubnetGroupName", &["default"]),
    ] {
        let mut told = play.client.rds(action, &[]).await.all(field);
        told.sort();
        assert_eq!(told, expected, "{action}");
    }
}
