//! Databases of RDS are hosts: who is one, and what may be said of one that is being changed. What holds for instances
//! holds for them unless a story says otherwise.

use jiff::SignedDuration;
use rollcall_crds::v1alpha1::HostState;
use rollcall_engine::inventory::{DatabaseStatus, Transition};
use rollcall_engine::memory::Happening;
use rollcall_engine::rollcall::{ClusterPart, RollCall};

use crate::world::*;

/// What the team asks of databases.
pub const DATABASES: &str = r#"
apiVersion: rollcall.dev/v1alpha1
kind: HostRole
metadata: {name: db, namespace: backlog}
spec: {type: Duty, selector: {anyOf: [{namePattern: "-db-[0-9]+$"}]}, mackerel: {roles: [db]}}
---
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: cpu, namespace: backlog}
spec:
  appliesTo: {roles: [db]}
  why: "A query without an index stopped the site in 2019."
  severity: Critical
  watched: {by: [{system: mackerel, hostMetric: {metric: custom.rds.cpu.used, thresholdAtMost: 90}}]}
"#;

/// Two apps, a database of its own, and a cluster of two, all in order and known.
pub fn team() -> World {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.apply(DATABASES);
    world.monitors.push(metric("m-cpu", "custom.rds.cpu.used", Some(80.0), None));
    for name in ["jp1-db-1", "jp1-db-2", "jp1-db-3"] {
        world.add_database(name);
    }
    world.cluster("shop", &["jp1-db-2", "jp1-db-3"]);
    expect(&world.pass(), &[]);
    world.minutes(5);
    world
}

pub fn rows_of(roll: &RollCall, world: &World, name: &str) -> String {
    rows(roll, &world.databases[name].id)
}

pub fn changes(roll: &RollCall) -> Vec<(String, Happening)> {
    let environments = roll.environments.values().flat_map(|environment| &environment.new_changes);
    environments.map(|change| (change.host.to_string(), change.what.clone())).collect()
}

#[test]
fn databases_are_hosts_and_neptune_and_documentdb_are_not() {
    let mut world = team();
    for (name, engine) in [("jp1-db-8", "neptune"), ("jp1-db-9", "docdb")] {
        world.add_database(name);
        world.agents.remove(name);
        world.database(name).engine = engine.into();
    }
    let roll = world.pass();
    expect(&roll, &[]);
    assert_eq!(roll.hosts.len(), 5);
    let one = host(&roll, &"db-0003".into());
    assert_eq!((one.name.as_deref(), one.instance_type.as_deref()), (Some("jp1-db-1"), Some("db.r6g.large")));
    assert_eq!((one.state, one.launch_time), (HostState::Active, world.databases["jp1-db-1"].created));
    assert_eq!(one.duties.iter().map(ToString::to_string).collect::<Vec<_>>(), ["db"]);
    assert_eq!(rows_of(&roll, &world, "jp1-db-1"), "registered ✔ cpu ✔");
    let parts = ["jp1-db-1", "jp1-db-2", "jp1-db-3"].map(|name| {
        host(&roll, &world.databases[name].id).cluster.clone().map(|part| (part.name, part.writes))
    });
    assert_eq!(parts, [None, Some(("shop".into(), Some(true))), Some(("shop".into(), Some(false)))]);
    let jp1 = roll.environments.values().next().unwrap();
    assert_eq!((jp1.hosts, roll.accounts.values().next().unwrap().hosts), (5, 5));
}

#[test]
fn a_fleet_that_was_known_before_its_databases_is_told_of_no_newcomers() {
    let mut world = team();
    world.memory = rollcall_engine::memory::Memory::default();
    let databases = std::mem::take(&mut world.databases);
    world.rds = [("databases", Answer::NotYet), ("clusters", Answer::NotYet)].into();
    world.pass();
    (world.databases, world.rds) = (databases, [].into());
    world.database("jp1-db-1").created = Some(world.now - SignedDuration::from_hours(2));
    let roll = world.hours(1).pass();
    expect(&roll, &[]);
    assert_eq!(changes(&roll), []);
}

#[test]
fn what_a_database_lacks_is_put_right_in_the_integration_and_not_on_it() {
    let mut world = team();
    world.agents.remove("jp1-db-1");
    world.agent("jp1-db-2").sends = Err(None);
    world.agent("jp1-db-3").registration.roles.clear();
    let roll = world.pass();
    expect(
        &roll,
        &[
            "RC0101 1 jp1-db-1 not in Mackerel",
            "RC0103 1 jp1-db-2 sends no data to Mackerel",
            "RC0106 1 jp1-db-3: expected the roles Backlog:db in Mackerel, found none",
        ],
    );
    for code in ["RC0101", "RC0103", "RC0106"] {
        let fix = fix(&roll, code);
        assert!(fix.contains("AWS integration") && !fix.contains("mackerel-agent"), "{fix}");
    }
}

#[test]
fn nothing_is_said_of_a_database_while_it_is_changed_and_what_was_said_stands() {
    let mut world = team();
    world.agents.remove("jp1-db-1");
    let since = world.pass().findings[0].since;
    for transition in Transition::ALL {
        world.database("jp1-db-1").status = DatabaseStatus::InTransition(*transition);
        let roll = world.minutes(5).pass();
        if transition.runs_on() {
            expect(&roll, &["RC0101 1 jp1-db-1 not in Mackerel"]);
            assert_eq!(roll.findings[0].since, since);
        } else {
            expect(&roll, &[]);
            assert_eq!(rows_of(&roll, &world, "jp1-db-1"), "registered ?Unsteady cpu ?Unsteady");
            let one = host(&roll, &"db-0003".into());
            assert_eq!((one.state, one.seen), (HostState::Active, true), "{transition:?}");
            assert_eq!(roll.environments.values().next().unwrap().compliant, None);
        }
        assert_eq!(rows_of(&roll, &world, "jp1-db-2"), "registered ✔ cpu ✔");
    }
    let runs_on: Vec<&str> =
        Transition::ALL.iter().filter(|one| one.runs_on()).map(|one| one.as_str()).collect();
    assert_eq!(
        runs_on,
        [
            "backing-up",
            "configuring-enhanced-monitoring",
            "configuring-log-exports",
            "storage-initialization",
            "storage-optimization"
        ]
    );
    world.database("jp1-db-1").status = DatabaseStatus::Available;
    assert_eq!(world.minutes(5).pass().findings[0].since, since, "old news stays old");
}

#[test]
fn a_database_in_trouble_or_in_a_status_nobody_knows_is_not_judged() {
    let mut world = team();
    world.agents.remove("jp1-db-1");
    for (status, kind) in [("storage-full", "Unsteady"), ("failed", "Unsteady"), ("dancing", "Malformed")] {
        world.database("jp1-db-1").status = status.into();
        let roll = world.pass();
        expect(&roll, &[]);
        assert_eq!(rows_of(&roll, &world, "jp1-db-1"), format!("registered ?{kind} cpu ?{kind}"));
        assert!(roll.reasons.iter().any(|reason| reason.message.contains(status)), "{:?}", roll.reasons);
    }
}

#[test]
fn members_are_not_judged_while_their_cluster_fails_over_and_the_writer_that_moved_is_told_once() {
    let mut world = team();
    world.agents.remove("jp1-db-3");
    let shop = world.clusters.get_mut("shop").unwrap();
    shop.status = "failing-over".into();
    // What a cluster tells of its members in the middle of it may be anything.
    shop.members.iter_mut().for_each(|member| member.writer = Some(member.name == "jp1-db-3"));
    let roll = world.pass();
    expect(&roll, &[]);
    assert_eq!(changes(&roll), []);
    for name in ["jp1-db-2", "jp1-db-3"] {
        assert_eq!(rows_of(&roll, &world, name), "registered ?Unsteady cpu ?Unsteady");
        let unknown = ClusterPart { name: "shop".into(), writes: None };
        assert_eq!(host(&roll, &world.databases[name].id).cluster, Some(unknown));
    }
    assert_eq!(rows_of(&roll, &world, "jp1-db-1"), "registered ✔ cpu ✔", "it is in no cluster");

    world.clusters.get_mut("shop").unwrap().status = "available".into();
    let roll = world.minutes(5).pass();
    expect(&roll, &["RC0101 1 jp1-db-3 not in Mackerel"]);
    let moved = Happening::BecameWriter { cluster: "shop".into(), from: "db-0004".into() };
    assert_eq!(changes(&roll), [("db-0005".to_owned(), moved)]);
    assert_eq!(changes(&world.minutes(5).pass()), []);
}

#[test]
fn a_writer_that_is_deleted_hands_over_to_a_reader() {
    let mut world = team();
    world.database("jp1-db-2").status = "deleting".into();
    world.clusters.get_mut("shop").unwrap().status = "failing-over".into();
    assert_eq!(changes(&world.pass()), [("db-0004".to_owned(), Happening::Left)]);
    world.databases.remove("jp1-db-2");
    world.cluster("shop", &["jp1-db-3"]);
    let roll = world.hours(2).pass();
    let moved = Happening::BecameWriter { cluster: "shop".into(), from: "db-0004".into() };
    assert_eq!(changes(&roll), [("db-0005".to_owned(), moved)]);
}

#[test]
fn a_rename_is_no_departure() {
    let mut world = team();
    world.database("jp1-db-1").status = "renaming".into();
    expect(&world.pass(), &[]);
    let database = world.database("jp1-db-1");
    database.status = "available".into();
    database.name = "jp1-db-9".into();
    database.endpoint = Some(endpoint("jp1-db-9"));
    world.agent("jp1-db-1").registration.custom_identifier = Some(endpoint("jp1-db-9").address);
    let roll = world.minutes(5).pass();
    expect(&roll, &[]);
    assert_eq!(changes(&roll), []);
    assert_eq!(host(&roll, &"db-0003".into()).name.as_deref(), Some("jp1-db-9"));
}

#[test]
fn a_registration_speaks_of_the_database_that_has_the_endpoint_now() {
    let mut world = team();
    world.database("jp1-db-1").status = "deleting".into();
    world.pass();
    // It is made anew from a snapshot under its name, and so under its endpoint.
    world.databases.remove("jp1-db-1");
    world.add_database("jp1-db-1");
    world.database("jp1-db-1").id = "db-0new".into();
    world.database("jp1-db-1").created = Some(world.now);
    world.agents.get_mut("jp1-db-1").unwrap().registration.id = "D3".into();
    let roll = world.hours(26).pass();
    expect(&roll, &[]);
    assert_eq!(rows(&roll, &"db-0new".into()), "registered ✔ cpu ✔");
    let happened = changes(&roll);
    assert_eq!(happened.len(), 2, "{happened:?}");
    assert!(happened.contains(&("db-0003".into(), Happening::ReplacedBy("db-0new".into()))), "{happened:?}");
}

#[test]
fn identifiers_of_databases_are_compared_without_regard_to_case() {
    let mut world = team();
    let address = endpoint("jp1-db-1").address.to_uppercase();
    world.agent("jp1-db-1").registration.custom_identifier = Some(address.clone());
    expect(&world.pass(), &[]);
    world.agent("jp1-db-1").registration.custom_identifier = Some(endpoint("jp1-db-1").address);
    world.database("jp1-db-1").endpoint.as_mut().unwrap().address = address;
    expect(&world.pass(), &[]);
}

#[test]
fn a_new_database_settles_from_the_time_it_was_made() {
    let mut world = team();
    world.add_database("jp1-db-4");
    world.agents.remove("jp1-db-4");
    let database = world.database("jp1-db-4");
    (database.status, database.created, database.endpoint) = ("creating".into(), None, None);
    let id = database.id.clone();
    let roll = world.pass();
    expect(&roll, &[]);
    assert_eq!(changes(&roll), [(id.to_string(), Happening::Joined)]);
    let being_made = host(&roll, &id);
    assert_eq!((being_made.state, being_made.settles_at), (HostState::Settling, None));
    assert_eq!(rows(&roll, &id), "registered ?Unsteady cpu ?Unsteady");
    let created = world.now;
    let database = world.database("jp1-db-4");
    (database.status, database.created) = ("available".into(), Some(created));
    database.endpoint = Some(endpoint("jp1-db-4"));
    let roll = world.minutes(20).pass();
    expect(&roll, &[]);
    assert_eq!(host(&roll, &id).settles_at, Some(created + SignedDuration::from_mins(60)));
    let roll = world.minutes(41).pass();
    assert_eq!(about(&roll, "RC0110"), ["jp1-db-4"]);
    expect(&world.hours(25).pass(), &["RC0101 1 jp1-db-4 not in Mackerel"]);
}

#[test]
fn a_stopped_database_is_stopped_and_one_on_its_way_is_not_judged() {
    let mut world = team();
    for status in ["stopping", "stopped", "starting"] {
        world.database("jp1-db-1").status = status.into();
        let roll = world.pass();
        let is_stopped = status == "stopped";
        assert_eq!(about(&roll, "RC0108").len(), usize::from(is_stopped), "{status}");
        assert_eq!(host(&roll, &"db-0003".into()).state == HostState::Stopped, is_stopped);
    }
}

#[test]
fn nobody_is_missed_while_a_database_may_run() {
    let mut world = team();
    let wanted = serde_json::json!([{"role": "db", "min": 3, "max": 3}]);
    world.desired.environments[0].spec.roles.as_mut().unwrap().counts =
        serde_json::from_value(wanted).unwrap();
    expect(&world.pass(), &[]);
    for status in ["rebooting", "creating", "storage-full", "dancing"] {
        world.database("jp1-db-1").status = status.into();
        expect(&world.pass(), &[]);
    }
    world.database("jp1-db-1").status = "stopped".into();
    let few = "expected at least 3 running hosts, found 2";
    assert!(findings(&world.pass()).iter().any(|line| line.ends_with(few)));
    let mut blind = world.clone();
    blind.rds = [("databases", Answer::Cut(vec!["jp1-db-2".into()]))].into();
    assert_eq!(about(&blind.pass(), "RC0404"), Vec::<String>::new());
    // Too many are too many, whatever else there is.
    world.database("jp1-db-1").status = "available".into();
    world.add_database("jp1-db-4");
    world.rds = [("databases", Answer::Cut(Vec::new()))].into();
    assert_eq!(about(&world.pass(), "RC0405").len(), 1);
}

#[test]
fn a_database_that_nobody_claims_is_tagged_by_rds() {
    let mut world = team();
    world.database("jp1-db-1").tags = [("Env", "other")].into_iter().collect();
    world.database("jp1-db-1").status = "modifying".into();
    let roll = world.pass();
    expect(&roll, &[]);
    assert_eq!(host(&roll, &"db-0003".into()).state, HostState::Unclaimed);
    world.database("jp1-db-1").status = "available".into();
    let roll = world.pass();
    assert_eq!(about(&roll, "RC0403"), ["jp1-db-1"]);
    assert!(fix(&roll, "RC0403").contains("aws rds add-tags-to-resource"), "{}", fix(&roll, "RC0403"));
}

#[test]
fn selectors_select_databases_by_tags_name_and_vpc() {
    for selector in [
        r#"{"matchTags": {"Role": ["db"]}}"#,
        r#"{"namePattern": "^jp1-db-"}"#,
        r#"{"vpcIDs": ["vpc-0db"], "namePattern": "db"}"#,
    ] {
        let mut world = team();
        world.databases.values_mut().for_each(|database| database.vpc = Some("vpc-0db".into()));
        world.desired.environments[0].spec.selector.any_of = vec![serde_json::from_str(selector).unwrap()];
        let roll = world.pass();
        assert_eq!(about(&roll, "RC0403"), ["jp1-app-1", "jp1-app-2"], "{selector}");
    }
}

#[test]
fn a_resize_is_a_change_as_of_an_instance() {
    let mut world = team();
    world.database("jp1-db-1").class = "db.r6g.xlarge".into();
    let resized = Happening::Resized { from: "db.r6g.large".into(), to: "db.r6g.xlarge".into() };
    assert_eq!(changes(&world.pass()), [("db-0003".to_owned(), resized)]);
}

#[test]
fn rds_custom_is_two_hosts_of_which_the_machine_belongs_to_rds() {
    let mut world = team();
    world.add_database("jp1-db-4");
    world.database("jp1-db-4").engine = "custom-sqlserver-ee".into();
    world.add("jp1-app-9");
    world.agents.remove("jp1-app-9");
    let machine = world.machine("jp1-app-9");
    machine.tags = [("Name", "db-0ABC"), ("AWSRDSCustom", "custom-sqlserver")].into_iter().collect();
    machine.managed_by = Some("rds-custom:custom-sqlserver".into());
    let roll = world.pass();
    expect(&roll, &[]);
    assert_eq!(roll.hosts.len(), 7);
    assert_eq!(rows_of(&roll, &world, "jp1-db-4"), "registered ✔ cpu ✔");
}
