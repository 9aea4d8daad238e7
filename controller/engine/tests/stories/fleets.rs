//! Fleets that nobody wrote down, for laws: how their hosts deviate from order, and what sources may hide of them.

use jiff::SignedDuration;
use proptest::prelude::*;
use rollcall_engine::inventory::{Address, Attachment, AttachmentState, PowerState, Volume, VolumeState};
use rollcall_engine::reading::FailureKind;
use rollcall_engine::registry::{Monitor, OfService, RegistrationStatus, Scope, Url, Watches};

use crate::world::*;

/// How one host of a random fleet deviates from being in order.
#[derive(Clone, Debug)]
pub struct Deviation {
    state: PowerState,
    role: &'static str,
    in_environment: bool,
    /// Minutes since its launch.
    age: i64,
    /// The second one is as good as one can be; if there are three, the third runs no check.
    registrations: u8,
    status: RegistrationStatus,
    mackerel_role: &'static str,
    checks: Option<Vec<&'static str>>,
    /// It sends metrics all the time; else minutes since the last one, if there ever was one.
    sends: Result<(), Option<i64>>,
    by_name: bool,
    /// It is registered under the name of the first host.
    borrows_name: bool,
}

/// How hosts deviate.
pub fn deviation() -> impl Strategy<Value = Deviation> {
    use PowerState::{Pending, Running, ShuttingDown, Stopped, Terminated, Unknown};
    use RegistrationStatus::{Maintenance, Poweroff, Standby, Working};
    let state = prop_oneof![6 => Just(Running), 1 => Just(Pending), 1 => Just(Stopped), 1 => Just(ShuttingDown), 1 => Just(Terminated), 1 => Just(Unknown)];
    let role = prop_oneof![4 => Just("app"), 1 => Just("batch"), 1 => Just(""), 1 => Just("nobody"), 1 => Just("linux")];
    let age = prop_oneof![Just(35_i64), Just(125), Just(3_005), Just(90_005)];
    let status = prop_oneof![4 => Just(Working), 1 => Just(Standby), 1 => Just(Maintenance), 1 => Just(Poweroff), 1 => Just(RegistrationStatus::Unknown)];
    let checks = prop_oneof![
        4 => Just(Some(vec!["check-ntp"])), 1 => Just(Some(vec![])), 1 => Just(None), 1 => Just(Some(vec!["check-ntp", "check-own"]))
    ];
    let sends = prop_oneof![
        6 => Just(Ok(())), 1 => Just(Err(Some(1))), 1 => Just(Err(None)), 1 => Just(Err(Some(500)))
    ];
    let registrations = prop_oneof![1 => Just(0_u8), 5 => Just(1), 1 => Just(2), 1 => Just(3)];
    let rest = (
        registrations,
        status,
        prop_oneof![4 => Just("app"), 1 => Just("batch")],
        checks,
        sends,
        any::<bool>(),
        prop::bool::weighted(0.2),
    );
    (state, role, prop::bool::weighted(0.9), age, rest).prop_map(
        |(state, role, in_environment, age, rest)| Deviation {
            state,
            role,
            in_environment,
            age,
            registrations: rest.0,
            status: rest.1,
            mackerel_role: rest.2,
            checks: rest.3,
            sends: rest.4,
            by_name: rest.5,
            borrows_name: rest.6,
        },
    )
}

/// How one database of a random fleet deviates from being in order.
#[derive(Clone, Debug)]
pub struct DatabaseDeviation {
    status: &'static str,
    role: &'static str,
    in_environment: bool,
    age: i64,
    is_listed: bool,
    /// It has another name, and another endpoint with it.
    is_renamed: bool,
    /// It is registered, and under the endpoint that it has now.
    registered: Option<bool>,
    /// As of a host.
    sends: Result<(), Option<i64>>,
}

fn database_deviation() -> impl Strategy<Value = DatabaseDeviation> {
    let status = prop_oneof![
        8 => Just("available"), 1 => Just("creating"), 1 => Just("modifying"), 1 => Just("rebooting"), 1 => Just("stopped"),
        1 => Just("deleting"), 1 => Just("storage-optimization"), 1 => Just("storage-full"), 1 => Just("dancing")
    ];
    let role = prop_oneof![4 => Just("app"), 1 => Just(""), 1 => Just("nobody"), 1 => Just("linux")];
    let age = prop_oneof![Just(35_i64), Just(125), Just(3_005), Just(90_005)];
    let registered = prop_oneof![1 => Just(None), 1 => Just(Some(false)), 4 => Just(Some(true))];
    let sends = prop_oneof![6 => Just(Ok(())), 1 => Just(Err(None)), 1 => Just(Err(Some(500)))];
    let rare = prop::bool::weighted(0.15);
    (status, role, prop::bool::weighted(0.9), age, rare, rare, registered, sends).prop_map(
        |(status, role, in_environment, age, vanished, is_renamed, registered, sends)| DatabaseDeviation {
            status,
            role,
            in_environment,
            age,
            is_listed: !vanished,
            is_renamed,
            registered,
            sends,
        },
    )
}

/// A random fleet: six hosts, a database of its own, and a cluster of two.
#[derive(Clone, Debug)]
pub struct RandomFleet {
    hosts: Vec<Deviation>,
    databases: Vec<DatabaseDeviation>,
    cluster: &'static str,
    /// The other member writes now.
    has_failed_over: bool,
}

/// Fleets.
pub fn fleet() -> impl Strategy<Value = RandomFleet> {
    let cluster = prop_oneof![
        4 => Just("available"), 1 => Just("failing-over"), 1 => Just("modifying"), 1 => Just("backing-up"), 1 => Just("odd")
    ];
    let (hosts, databases) =
        (prop::collection::vec(deviation(), 6), prop::collection::vec(database_deviation(), 3));
    (hosts, databases, cluster, any::<bool>()).prop_map(|(hosts, databases, cluster, has_failed_over)| {
        RandomFleet { hosts, databases, cluster, has_failed_over }
    })
}

/// What a source may hide or fail to say.
pub fn hidden() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Answer::Whole),
        1 => Just(Answer::NotYet),
        1 => Just(Answer::Old(SignedDuration::from_mins(20))),
        1 => prop_oneof![Just(FailureKind::Denied), Just(FailureKind::NotSupported), Just(FailureKind::Throttled)].prop_map(Answer::Fails),
        3 => names().prop_map(Answer::Cut),
        2 => names().prop_map(Answer::Garbled),
    ]
}

/// Some hosts, registrations and monitors.
fn names() -> impl Strategy<Value = Vec<String>> {
    let hosts = (1..=6).map(|host| format!("jp1-app-{host}"));
    let all: Vec<String> = hosts
        .chain(
            ["M1", "M2", "m-disk", "m-conn", "m-login", "jp1-app-7", "jp1-app-8", "jp1-app-9", "shop"]
                .map(str::to_owned),
        )
        .collect();
    prop::sample::subsequence(all, 0..6)
}

/// Registrations of which a listing shows only some, or some only in part.
pub fn part() -> impl Strategy<Value = Answer> {
    let all: Vec<String> = (1..=6)
        .flat_map(|host| {
            ["jp1-app-", "M", "SECOND-jp1-app-", "THIRD-jp1-app-"].map(|of| format!("{of}{host}"))
        })
        .collect();
    (prop::sample::subsequence(all, 0..9), any::<bool>())
        .prop_map(|(some, is_cut)| if is_cut { Answer::Cut(some) } else { Answer::Garbled(some) })
}

/// What EC2 may hide.
pub fn hidden_by_ec2() -> impl Strategy<Value = Answer> {
    prop_oneof![5 => hidden(), 1 => Just(Answer::Empty)]
}

/// A fleet of six that Rollcall has known in order for a day, deviating since then.
pub fn world(fleet: &RandomFleet) -> World {
    let names = ["jp1-app-1", "jp1-app-2", "jp1-app-3", "jp1-app-4", "jp1-app-5", "jp1-app-6"];
    let databases = ["jp1-app-7", "jp1-app-8", "jp1-app-9"];
    let mut world = World::with_hosts(&names);
    for name in databases {
        world.add_database(name);
    }
    world.cluster("shop", &databases[1..]);
    world.apply(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: MonitoringSystem
metadata: {name: mackerel, namespace: backlog}
spec:
  mackerel: {apiKeySecret: {name: mackerel, key: api-key}}
  join: [{by: CustomIdentifier}, {by: Name, pattern: "^(?<name>jp1-app-[1-4])$"}]
  onlyAccounts: [prod]
"#,
    );
    add_things(&mut world);
    world.apply(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: Exemption
metadata: {name: frozen, namespace: backlog}
spec:
  {type: Baseline, match: {code: RC0102}, hosts: [i-0001, i-0002, i-0003], reason: r, approver: a, expires: "2027-03-31"}
"#,
    );
    world.desired.environments[0].spec.roles.as_mut().unwrap().counts =
        serde_json::from_value(serde_json::json!([{"role": "app", "min": 3, "max": 5}])).unwrap();
    let mut unasked = metric("m-load", "loadavg5", Some(8.0), None);
    unasked.scopes = vec![Scope { service: "Backlog".into(), role: Some("batch".into()) }];
    world.monitors.push(unasked);
    world.monitors[0].excludes = vec![Scope { service: "Backlog".into(), role: Some("batch".into()) }];
    for name in names {
        world.agent(name).checks = Some(Vec::new());
    }
    world.pass();
    world.hours(26);
    for (name, deviation) in names.iter().zip(&fleet.hosts) {
        deviate(&mut world, name, deviation);
    }
    let cluster = world.clusters.get_mut("shop").unwrap();
    cluster.status = fleet.cluster.into();
    for member in &mut cluster.members {
        member.writer = member.writer.map(|writes| writes != fleet.has_failed_over);
    }
    for (name, deviation) in databases.iter().zip(&fleet.databases) {
        deviate_database(&mut world, name, deviation);
    }
    world
}

/// What checks of the environment and assertions look at, some of it as it must be and some not.
fn add_things(world: &mut World) {
    world.apply(THINGS);
    let first = world.id("jp1-app-1");
    world.things.addresses.push(Address {
        id: "eipalloc-1".to_owned(),
        ip: "203.0.113.7".parse().unwrap(),
        attached_to: Some(first.clone()),
        network_interface: None,
        tags: [("Name", "jp1-eip")].into_iter().collect(),
    });
    world.things.volumes.push(Volume {
        id: "vol-1".to_owned(),
        state: VolumeState::InUse,
        attachments: vec![Attachment { host: world.id("jp1-app-2"), state: AttachmentState::Attached }],
        size_gib: 8,
        tags: [("Name", "jp1-data")].into_iter().collect(),
    });
    world.monitors.push(Monitor {
        watches: Watches::External {
            url: Url::parse("https://jp1.example.com/").unwrap(),
            service: OfService::None,
        },
        ..metric("m-login", "", None, None)
    });
    // An instance that nobody ever saw, in an account that is vouched for.
    world.stranger("leaving", Some("ec2"));
    let leaving = world.agents.get_mut("leaving").unwrap();
    leaving.registration.custom_identifier = Some("i-0dead.ec2.amazonaws.com".to_owned());
    leaving.sends = Err(None);
}

const THINGS: &str = r#"
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: login, namespace: backlog}
spec:
  subject: Environment
  why: w
  severity: Critical
  watched: {by: [{system: mackerel, external: {url: "https://jp1.example.com/"}}]}
---
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: old-login, namespace: backlog}
spec:
  subject: Environment
  why: w
  watched: {by: [{system: mackerel, external: {url: "https://old.example.com/"}}]}
---
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: eip, namespace: backlog}
spec:
  subject: Environment
  why: w
  assertion: {address: {name: jp1-eip, attachedTo: {role: app}}}
---
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: data, namespace: backlog}
spec:
  subject: Environment
  why: w
  assertion: {volume: {name: jp1-data, attachedTo: {host: jp1-app-1}}}
---
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: web, namespace: backlog}
spec:
  subject: Environment
  why: w
  assertion: {securityGroup: {name: web, vpc: vpc-1}}
---
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: writer, namespace: backlog}
spec:
  subject: Environment
  why: w
  assertion: {cluster: {name: shop, writer: jp1-app-8}}
---
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: built, namespace: backlog}
spec:
  appliesTo: {services: [EC2]}
  why: w
  assertion: {ec2: {tags: {Role: app}}}
---
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: class, namespace: backlog}
spec:
  appliesTo: {services: [RDS]}
  why: w
  severity: Critical
  assertion: {rds: {classes: ["db.r7g.*"]}}
"#;

/// Such a fleet, looked at just now or not since a day and more: the shell hands over no proof of checks then.
pub fn looked_at(fleet: &RandomFleet, just_now: bool) -> World {
    let mut world = world(fleet);
    if just_now {
        world.pass();
    } else {
        world.memory.forget_proofs();
    }
    world
}

fn deviate_database(world: &mut World, name: &str, deviation: &DatabaseDeviation) {
    let now = world.now;
    let created = now - SignedDuration::from_mins(deviation.age);
    let database = world.database(name);
    let env = if deviation.in_environment { "jp1" } else { "other" };
    database.status = deviation.status.into();
    database.tags = [("Env", env), ("Role", deviation.role)].into_iter().collect();
    database.created = Some(created).filter(|_| deviation.status != "creating");
    let agent = world.agents.get_mut(name).unwrap();
    agent.sends =
        deviation.sends.map_err(|last| last.map(|minutes| now - SignedDuration::from_mins(minutes)));
    if deviation.is_renamed {
        let database = world.databases.get_mut(name).unwrap();
        database.name = format!("{name}-new");
        database.endpoint = Some(endpoint(&database.name));
        for member in world.clusters.values_mut().flat_map(|cluster| &mut cluster.members) {
            if member.name == name {
                member.name = format!("{name}-new");
            }
        }
        if deviation.registered == Some(true) {
            agent.registration.custom_identifier = Some(endpoint(&format!("{name}-new")).address);
        }
    }
    if deviation.registered.is_none() {
        world.agents.remove(name);
    }
    if !deviation.is_listed {
        world.databases.remove(name);
    }
}

fn deviate(world: &mut World, name: &str, deviation: &Deviation) {
    let now = world.now;
    let env = if deviation.in_environment { "jp1" } else { "other" };
    let machine = world.machine(name);
    machine.state = deviation.state;
    machine.tags = [("Name", name), ("Env", env), ("Role", deviation.role)].into_iter().collect();
    machine.launch_time = now - SignedDuration::from_mins(deviation.age);
    if deviation.registrations == 0 {
        world.agents.remove(name);
        return;
    }
    let agent = world.agent(name);
    agent.registration.status = deviation.status;
    agent.registration.roles =
        vec![Scope { service: "Backlog".into(), role: Some(deviation.mackerel_role.into()) }];
    agent.checks =
        deviation.checks.as_ref().map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    agent.sends =
        deviation.sends.map_err(|last| last.map(|minutes| now - SignedDuration::from_mins(minutes)));
    if deviation.by_name {
        agent.registration.custom_identifier = None;
    }
    if deviation.borrows_name {
        agent.registration.name = "jp1-app-1".into();
    }
    if deviation.registrations >= 2 {
        world.register(name, &format!("SECOND-{name}"));
    }
    if deviation.registrations == 3 {
        world.register(name, &format!("THIRD-{name}"));
        world.agent(&format!("{name}#THIRD-{name}")).checks = Some(Vec::new());
    }
}
