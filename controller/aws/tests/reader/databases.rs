//! Databases and clusters as they are, and as they change.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use rollcall_aws::{AccountSettings, Limits};
use rollcall_engine::inventory::{
    Asked, Database, DatabaseCluster, DatabaseStatus, EngineKind, Inventory, MemberRole, Transition,
};
use rollcall_engine::reading::MAX_REQUEST_IDS;
use rollcall_fakes::aws::ground::db::{
    ApplyMethod, ApplyStatus, ClusterLaunch, DbCluster, DbInstance, DbLaunch, DbStatus, Scope,
};

use crate::world::{World, complete, database_ids, now, reader, region};

/// What the world holds of every kind: databases of their own with a replica, a cluster, and the two other services.
fn furnish(world: &World) {
    let truth = world.truth();
    let created = "2026-01-01T00:00:00Z".parse().unwrap();
    let launch = |name, engine| DbLaunch::of(name, engine).created_at(created).tag("environment", "prod");
    let cluster =
        |name, engine| ClusterLaunch::of(name, engine).created_at(created).tag("environment", "prod");
    truth.create_parameter_group(Scope::Instance, "tuned", "mysql8.0").unwrap();
    let mut orders = launch("orders", "mysql").multi_az().parameter_group("tuned");
    orders.settings.protected = true;
    truth.launch_db(&orders).unwrap();
    truth.launch_db(&launch("orders-replica", "mysql").replica_of("orders")).unwrap();
    truth.launch_db(&launch("ledger", "oracle-se2").class("db.m6i.large")).unwrap();
    let shop = cluster("shop", "aurora-mysql").members(&["shop-1", "shop-2"]);
    truth.launch_cluster(&ClusterLaunch { protected: true, ..shop }).unwrap();
    truth.launch_cluster(&cluster("graph", "neptune").members(&["graph-1"])).unwrap();
    truth.launch_cluster(&cluster("papers", "docdb").members(&["papers-1"])).unwrap();
}

async fn read(world: &World) -> Inventory {
    world.reader().await.read_place(&region(), None, &Asked::default(), now()).await
}

fn named<'a>(inventory: &'a Inventory, name: &str) -> &'a Database {
    inventory.databases.seen.iter().find(|d| d.name == name).unwrap()
}

#[tokio::test]
async fn the_reading_is_the_truth_of_every_engine() {
    let world = World::new().await;
    furnish(&world);
    let truth = world.truth();
    truth
        .set_parameter(Scope::Instance, "tuned", ("max_connections", "9"), ApplyMethod::PendingReboot)
        .unwrap();
    truth.stop_db("ledger").unwrap();
    world.aws.stage().clock.advance(SignedDuration::from_mins(10));
    truth.launch_db(&DbLaunch::of("young", "postgres")).unwrap();

    let inventory = read(&world).await;
    complete(&inventory.databases);
    complete(&inventory.clusters);
    assert_eq!(inventory.databases.source, "rds databases 123456789012/ap-northeast-1");
    assert_eq!(inventory.clusters.source, "rds clusters 123456789012/ap-northeast-1");
    let seen: BTreeMap<&str, &Database> =
        inventory.databases.seen.iter().map(|d| (d.name.as_str(), d)).collect();
    let databases = truth.dbs();
    assert_eq!((databases.len(), seen.len(), inventory.databases.seen.len()), (8, 8, 8));
    for database in &databases {
        agrees(seen[database.name.as_str()], database, &databases);
    }
    let clusters = truth.clusters();
    assert_eq!((clusters.len(), inventory.clusters.seen.len()), (3, 3));
    for cluster in &clusters {
        let seen = inventory.clusters.seen.iter().find(|c| c.name == cluster.name).unwrap();
        cluster_agrees(seen, cluster, &databases);
    }
    assert_eq!(named(&inventory, "orders").parameter_groups[0].status.as_str(), "pending-reboot");
    assert_eq!(named(&inventory, "ledger").status, DatabaseStatus::Stopped);
    assert!(named(&inventory, "ledger").restarts.is_some());
    let young = named(&inventory, "young");
    assert_eq!((&young.status, &young.endpoint, young.created), (&DatabaseStatus::Creating, &None, None));
}

/// The present name of what the truth knows by an id that stays.
fn name_of<'a>(id: &str, all: &'a [DbInstance]) -> &'a str {
    &all.iter().find(|other| other.resource_id == id).unwrap().name
}

fn agrees(seen: &Database, truth: &DbInstance, all: &[DbInstance]) {
    let settings = &truth.settings;
    assert_eq!(seen.id.as_str(), truth.resource_id.to_lowercase());
    assert_eq!((seen.engine.as_str(), &seen.engine_version), (truth.engine.as_str(), &truth.engine_version));
    assert_eq!((&seen.class, seen.status.as_str()), (&settings.class, truth.status.name()));
    let is_there = truth.status != DbStatus::Creating;
    assert_eq!(seen.created, is_there.then_some(truth.created));
    assert_eq!(seen.endpoint.as_ref().map(|e| e.port), is_there.then_some(truth.port));
    let named = |endpoint: &str| endpoint.starts_with(&format!("{}.", truth.name));
    assert!(seen.endpoint.as_ref().is_none_or(|e| named(&e.address)), "{:?}", seen.endpoint);
    let tags: Vec<(&str, &str)> = settings.tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(seen.tags.iter().collect::<Vec<_>>(), tags);
    assert_eq!((seen.zone.as_ref(), seen.multi_az), (Some(&truth.zone), Some(settings.multi_az)));
    assert_eq!(seen.subnet_group.as_ref(), Some(&truth.subnet_group));
    assert!(seen.vpc.as_ref().is_some_and(|vpc| vpc.starts_with("vpc-")), "{:?}", seen.vpc);
    assert_eq!(seen.security_groups, settings.groups);
    let group = |(name, status): (&str, &str)| (name.to_owned(), status.to_owned());
    let groups = |of: &[rollcall_engine::inventory::GroupMembership]| -> Vec<(String, String)> {
        of.iter().map(|g| group((&g.name, g.status.as_str()))).collect()
    };
    assert_eq!(groups(&seen.parameter_groups), [group((&truth.parameter_group, truth.parameters.name()))]);
    let options = truth.option_group.iter().map(|name| group((name, truth.options.name())));
    assert_eq!(groups(&seen.option_groups), options.collect::<Vec<_>>());
    assert_eq!(seen.deletion_protection, settings.protected);
    assert_eq!(seen.restarts, truth.restarts);
    assert_eq!(seen.replica_of.as_deref(), truth.replica_of.as_deref().map(|id| name_of(id, all)));
    let replicas = all.iter().filter(|other| other.replica_of.as_ref() == Some(&truth.resource_id));
    assert_eq!(seen.replicas, replicas.map(|other| other.name.clone()).collect::<Vec<_>>());
    assert_eq!(seen.cluster.is_some(), truth.cluster.is_some());
}

fn cluster_agrees(seen: &DatabaseCluster, truth: &DbCluster, all: &[DbInstance]) {
    assert_eq!(seen.id.as_str(), truth.resource_id);
    assert_eq!((seen.engine.as_str(), &seen.engine_version), (truth.engine.as_str(), &truth.engine_version));
    assert_eq!((seen.status.as_str(), seen.port), (truth.status.name(), Some(truth.port)));
    let tags: Vec<(&str, &str)> = truth.tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(seen.tags.iter().collect::<Vec<_>>(), tags);
    assert_eq!(seen.parameter_group.as_ref(), Some(&truth.parameter_group));
    assert_eq!((&seen.security_groups, seen.deletion_protection), (&truth.groups, truth.protected));
    for (endpoint, part) in [(&seen.endpoint, "cluster-"), (&seen.reader_endpoint, "cluster-ro-")] {
        let begins = format!("{}.{part}", truth.name);
        assert!(endpoint.as_ref().is_some_and(|e| e.starts_with(&begins)), "{endpoint:?}");
    }
    let members =
        truth.members.iter().map(|m| (name_of(&m.instance, all), Some(m.writer), m.parameters.name()));
    let told = seen.members.iter().map(|m| (m.name.as_str(), m.writer, m.parameters.as_str()));
    assert_eq!(told.collect::<Vec<_>>(), members.collect::<Vec<_>>());
}

#[tokio::test]
async fn neptune_and_documentdb_are_told_apart_and_leave_the_reading_complete() {
    let world = World::new().await;
    furnish(&world);
    let inventory = read(&world).await;
    complete(&inventory.databases);
    let (hosts, others): (Vec<&Database>, Vec<&Database>) =
        inventory.databases.seen.iter().partition(|d| d.engine.is_rds());
    assert_eq!(hosts.len(), 5);
    let mut others: Vec<_> = others.iter().map(|d| (d.name.as_str(), d.engine.kind())).collect();
    others.sort();
    assert_eq!(others, [("graph-1", EngineKind::Neptune), ("papers-1", EngineKind::DocumentDb)]);
    let clusters = inventory.clusters.seen.iter().filter(|c| c.engine.is_rds());
    assert_eq!(clusters.map(|c| c.name.as_str()).collect::<Vec<_>>(), ["shop"]);
}

#[tokio::test]
async fn a_hundred_databases_are_two_calls_and_more_are_paged() {
    let world = World::new().await;
    let asked = || (world.asked("DescribeDBInstances"), world.asked("DescribeDBClusters"));
    let settings = || AccountSettings { limits: Limits::default(), ..world.settings() };
    world.databases(100);
    world.aws.enforce_rates(true);
    let inventory = reader(settings()).await.read_place(&region(), None, &Asked::default(), now()).await;
    assert_eq!((inventory.databases.seen.len(), asked()), (100, (1, 1)));

    for n in 100..250 {
        world.truth().launch_db(&DbLaunch::of(&format!("db-{n}"), "mysql")).unwrap();
    }
    let inventory = reader(settings()).await.read_place(&region(), None, &Asked::default(), now()).await;
    complete(&inventory.databases);
    assert_eq!((inventory.databases.seen.len(), asked()), (250, (4, 2)));
}

#[tokio::test]
async fn pages_come_in_any_order_and_each_leads_on() {
    let world = World::new().await;
    let fleet = world.databases(123);
    for n in 0..23 {
        world.truth().launch_cluster(&ClusterLaunch::of(&format!("cluster-{n}"), "aurora-mysql")).unwrap();
    }
    let inventory = read(&world).await;
    complete(&inventory.databases);
    complete(&inventory.clusters);
    assert_eq!(database_ids(&inventory.databases), fleet);
    assert_eq!(inventory.databases.request_ids.len(), MAX_REQUEST_IDS);
    assert_eq!(inventory.clusters.seen.len(), 23);
    assert_eq!(world.asked("DescribeDBInstances"), 7, "123 databases in pages of 20");
}

#[tokio::test]
async fn a_writer_that_moves_keeps_its_id_and_loses_its_part() {
    let world = World::new().await;
    furnish(&world);
    let ids = |inventory: &Inventory| database_ids(&inventory.databases);
    let roles = |inventory: &Inventory| ["shop-1", "shop-2"].map(|n| inventory.role_of(named(inventory, n)));
    let status = |inventory: &Inventory| {
        inventory.clusters.seen.iter().find(|c| c.name == "shop").unwrap().status.clone()
    };
    let before = read(&world).await;
    assert_eq!(roles(&before), [MemberRole::Writer, MemberRole::Reader]);
    assert_eq!(before.role_of(named(&before, "orders")), MemberRole::Alone);

    world.truth().fail_over("shop", None).unwrap();
    let during = read(&world).await;
    assert_eq!(status(&during), DatabaseStatus::InTransition(Transition::FailingOver));
    world.aws.stage().clock.advance(SignedDuration::from_mins(1));
    let after = read(&world).await;
    assert_eq!(roles(&after), [MemberRole::Reader, MemberRole::Writer]);
    assert_eq!(status(&after), DatabaseStatus::Available);
    assert_eq!((ids(&during), ids(&after)), (ids(&before), ids(&before)));
}

#[tokio::test]
async fn a_database_with_a_new_name_is_the_same_database() {
    let world = World::new().await;
    furnish(&world);
    let id = named(&read(&world).await, "shop-2").id.clone();
    world.truth().rename_db("shop-2", "shop-spare").unwrap();
    let during = read(&world).await;
    assert_eq!(named(&during, "shop-2").status, DatabaseStatus::InTransition(Transition::Renaming));
    world.aws.stage().clock.advance(SignedDuration::from_mins(5));
    let after = read(&world).await;
    let renamed = named(&after, "shop-spare");
    assert_eq!((&renamed.id, after.role_of(renamed)), (&id, MemberRole::Reader));
}

#[tokio::test]
async fn every_status_comes_through_as_what_it_means() {
    let world = World::new().await;
    world.databases(1);
    let account = world.reader().await;
    let mut up = Vec::new();
    for status in STATUSES {
        world.truth().befall_db("db-000", status).unwrap();
        let reading = account.read_databases(&region(), now()).await;
        complete(&reading);
        let seen = &reading.seen[0].status;
        assert_eq!(seen.as_str(), status.name());
        assert!(!matches!(seen, DatabaseStatus::Unknown(_)), "{seen:?}");
        up.extend((*seen == DatabaseStatus::Available).then_some(status));
    }
    assert_eq!(up, [DbStatus::Available]);
}

const STATUSES: [DbStatus; 23] = [
    DbStatus::Available,
    DbStatus::BackingUp,
    DbStatus::Creating,
    DbStatus::Deleting,
    DbStatus::Failed,
    DbStatus::FailingOver,
    DbStatus::InaccessibleEncryptionCredentials,
    DbStatus::IncompatibleNetwork,
    DbStatus::IncompatibleOptionGroup,
    DbStatus::IncompatibleParameters,
    DbStatus::IncompatibleRestore,
    DbStatus::Maintenance,
    DbStatus::Modifying,
    DbStatus::Rebooting,
    DbStatus::Renaming,
    DbStatus::ResettingMasterCredentials,
    DbStatus::RestoreError,
    DbStatus::Starting,
    DbStatus::Stopped,
    DbStatus::Stopping,
    DbStatus::StorageFull,
    DbStatus::StorageOptimization,
    DbStatus::Upgrading,
];

#[tokio::test]
async fn parameters_that_failed_or_wait_do_not_read_as_in_force() {
    let world = World::new().await;
    world.databases(1);
    let account = world.reader().await;
    for status in
        [ApplyStatus::InSync, ApplyStatus::Applying, ApplyStatus::PendingReboot, ApplyStatus::FailedToApply]
    {
        world.truth().change_db("db-000", |db| db.parameters = status).unwrap();
        let reading = account.read_databases(&region(), now()).await;
        let seen = &reading.seen[0].parameter_groups[0].status;
        assert_eq!(seen.as_str(), status.name());
        let in_sync = *seen == rollcall_engine::inventory::ApplyStatus::InSync;
        assert_eq!(in_sync, status == ApplyStatus::InSync);
    }
}

#[tokio::test]
async fn hostile_tags_come_through_and_hide_nobody() {
    let world = World::new().await;
    let fleet = world.databases(3);
    let long = "x".repeat(10_000);
    let markup = "</Value></Tag></TagList></DBInstance>]]><!-- &amp; -->";
    world
        .truth()
        .change_db("db-001", |db| {
            for (key, value) in
                [("long", long.as_str()), ("markup", markup), ("unicode", "環境\u{202e}☃\u{1b}[31m")]
            {
                db.settings.tags.insert(key.to_owned(), value.to_owned());
            }
        })
        .unwrap();
    let reading = world.reader().await.read_databases(&region(), now()).await;
    complete(&reading);
    assert_eq!(database_ids(&reading), fleet);
    let tags = &reading.seen.iter().find(|d| d.name == "db-001").unwrap().tags;
    assert_eq!((tags.get("long"), tags.get("markup")), (Some(long.as_str()), Some(markup)));
    // XML cannot carry the escape character; all else is as it was set.
    assert_eq!(tags.get("unicode"), Some("環境\u{202e}☃\u{fffd}[31m"));
}
