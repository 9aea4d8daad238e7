//! The first morning of a legacy fleet: the tree of crds/examples/backlog, 196 hosts in 7 environments, and the mess of six years.
//! It must read as at most fifteen causes, all of them true, not as a finding per host.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use rollcall_engine::ids::HostId;
use rollcall_engine::inventory::{Instance, PowerState};
use rollcall_engine::registry::{
    Channel, Monitor, NotificationGroup, Notifications, OfService, Run, Scope, Url, Watches,
};

use crate::nagios;
use crate::world::*;

/// Duties and how many hosts of each, by environment.
const PLAN: [(&str, &str, &str); 7] = [
    (
        "jp1",
        "123456789012/ap-northeast-1",
        "app 12 batch 4 git 6 webdav 3 search 3 proxy 3 log 2 bastion 1 ci 2",
    ),
    ("jp2", "123456789012/ap-northeast-1", "app 10 batch 3 git 5 webdav 3 search 3 proxy 3 log 2 bastion 1"),
    ("com1", "123456789012/us-west-2", "app 8 batch 3 git 4 webdav 2 search 3 proxy 2 log 2 bastion 1"),
    ("com2", "123456789012/us-west-2", "app 8 batch 3 git 4 webdav 2 search 3 proxy 2 log 2 bastion 1"),
    ("cacoo", "123456789012/us-west-2", "app 10 batch 4 search 3 proxy 3 log 2 bastion 1"),
    (
        "stg",
        "210987654321/ap-northeast-1",
        "app 12 batch 2 git 3 webdav 2 search 3 proxy 2 log 1 bastion 1 ci 2",
    ),
    (
        "dev",
        "210987654321/ap-northeast-1",
        "app 6 batch 3 git 3 webdav 2 search 3 proxy 2 log 1 bastion 1 ci 3",
    ),
];

/// All YAML of the tree.
fn tree() -> String {
    fn read(folder: &Path, all: &mut Vec<String>) {
        let mut entries: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                read(&path, all);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                all.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut all = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds/examples/backlog"), &mut all);
    all.join("\n---\n")
}

/// The checks that a system must run on a host of a duty, after the tree itself.
fn checks_of(world: &World, system: &str, duty: &str, site: &str) -> Vec<String> {
    let is_it = |environment: &&rollcall_crds::v1alpha1::Environment| {
        environment.metadata.name.as_deref() == Some(site)
    };
    let environment = world.desired.environments.iter().find(is_it).unwrap();
    let labels = environment.metadata.labels.clone().unwrap_or_default();
    let mut roles = BTreeSet::from([duty.to_owned()]);
    for role in &world.desired.roles {
        if role.metadata.name.as_deref() == Some(duty) {
            roles.extend(role.spec.includes.iter().cloned());
        }
    }
    let applies = |check: &&rollcall_crds::v1alpha1::RequiredCheck| {
        let to = &check.spec.applies_to;
        let mut wanted = to.environments.iter().flat_map(|selector| &selector.match_labels);
        wanted.all(|(key, value)| labels.get(key) == Some(&value.0))
            && to.roles.iter().flatten().any(|role| roles.contains(role))
            && !to.except_roles.iter().flatten().any(|role| roles.contains(role))
    };
    let ways = world.desired.checks.iter().filter(applies).flat_map(|check| check.spec.ways());
    let ways = ways.filter(|way| way.system == system);
    let names =
        ways.filter_map(|way| way.check.as_ref()).map(|check| check.name.replace("${env.site}", site));
    names.filter(|name| name != "check-disk" && name != "check-ntp").collect()
}

/// The whole fleet in order, but for ntp, which nobody ever rolled out.
fn fleet() -> World {
    let mut world = World::empty(&tree());
    world.desired.library = Some("rollcall-library".to_owned());
    // What is asserted of AWS has stories of its own.
    world.desired.checks.retain(|check| check.spec.assertion.is_none());
    let mut there = Nagios::default();
    for (environment, region, plan) in PLAN {
        let words: Vec<&str> = plan.split(' ').collect();
        for pair in words.chunks(2) {
            let checks = checks_of(&world, "mackerel", pair[0], environment);
            let services = checks_of(&world, "nagios", pair[0], environment);
            for number in 1..=pair[1].parse::<usize>().unwrap() {
                let short = if pair[0] == "webdav" { "dav" } else { pair[0] };
                let name = format!("{environment}-{short}-{number}");
                launch(&mut world, &name, region, &[("Env", environment)]);
                // Half of the fleet bears a Role tag, the other half is known by its name alone.
                if number % 2 == 1 {
                    let tags = [("Name", name.as_str()), ("Env", environment), ("Role", pair[0])];
                    world.machine(&name).tags = tags.into_iter().collect();
                }
                let id = format!("M{}", world.machines.len());
                world.register(&name, &id);
                let agent = world.agent(&name);
                agent.registration.roles =
                    vec![Scope { service: "Backlog".into(), role: Some(pair[0].into()) }];
                agent.checks = Some(checks.clone());
                // The older Nagios watches a part of production from outside.
                if !services.is_empty() && !["stg", "dev"].contains(&environment) {
                    let variables = [("INSTANCE_ID", world.id(&name).to_string())];
                    let variables = variables.each_ref().map(|(key, value)| (*key, value.as_str()));
                    there.hosts.insert(name.clone(), nagios::host(&name, &variables));
                    let all = services.iter().map(|service| nagios::service(service, nagios::runs()));
                    there.services.insert(name, all.collect());
                }
            }
        }
    }
    world.monitors =
        ["cpu%", "memory%", "swap%", "disk%"].map(|name| metric(name, name, Some(80.0), Some(90.0))).into();
    watch_the_sites(&mut world, &mut there);
    world.nagios = Some(there);
    let connectivity = rollcall_engine::registry::Watches::Connectivity;
    world
        .monitors
        .push(rollcall_engine::registry::Monitor { watches: connectivity, ..metric("conn", "", None, None) });
    world
}

/// The login page of each site of production is watched in both systems, and both tell the team.
fn watch_the_sites(world: &mut World, there: &mut Nagios) {
    for (environment, ..) in PLAN.iter().filter(|(environment, ..)| !["stg", "dev"].contains(environment)) {
        let site = format!("{environment}.example.com");
        let url = Url::parse(&format!("https://{site}/")).unwrap();
        world.monitors.push(Monitor {
            watches: Watches::External { url, service: OfService::None },
            ..metric(&site, "", None, None)
        });
        let heard = Run { heard_by: Some([Arc::from("admins")].into()), ..nagios::runs() };
        there.hosts.insert(site.clone(), nagios::host(&site, &[]));
        there.services.insert(site, vec![nagios::service("app-http", heard)]);
    }
    let chat = Channel { id: "chat".to_owned(), name: "sre-chat".to_owned(), carries_alerts: true };
    let default = NotificationGroup {
        id: "default".to_owned(),
        is_default: true,
        channels: vec!["chat".to_owned()],
        ..NotificationGroup::default()
    };
    world.notifications = Some(Notifications { groups: vec![default], channels: vec![chat] });
}

fn launch(world: &mut World, name: &str, region: &str, tags: &[(&str, &str)]) {
    let number = world.machines.len() + 1;
    let tags: BTreeMap<String, String> =
        tags.iter().chain(&[("Name", name)]).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let instance = Instance {
        id: HostId::new(format!("i-{number:04x}")),
        state: PowerState::Running,
        tags: tags.into(),
        launch_time: world.now - SignedDuration::from_hours(24 * 400),
        instance_type: "m5.large".into(),
        zone: None,
        vpc: None,
        subnet: None,
        security_groups: Arc::default(),
        profile: None,
        addresses: Vec::new(),
        managed_by: None,
        state_reason: None,
    };
    world.machines.insert(name.to_owned(), Machine { place: place(region), instance });
}

fn make_a_mess(world: &mut World) {
    for name in ["jp1-app-7", "jp1-app-8", "jp1-app-9"] {
        world.agents.remove(name);
    }
    world.register("jp2-git-2", "A-OLD");
    world.agent("jp2-git-2#A-OLD").sends = Err(None);
    world.agent("com1-batch-2").sends = Err(Some("2026-11-20T00:00:00Z".parse().unwrap()));
    world.monitors[2].muted = true;
    world.monitors[3].excludes = vec![Scope { service: "Backlog".into(), role: Some("search".into()) }];
    for number in 1..=4 {
        world.agent(&format!("cacoo-batch-{number}")).registration.roles =
            vec![Scope { service: "Backlog".into(), role: Some("app".into()) }];
    }
    for number in 1..=5 {
        world.stranger(&format!("backlog-alb-{number}"), Some("alb"));
    }
    for name in ["dev-migration-test", "dev-tanaka"] {
        launch(world, name, PLAN[6].1, &[]);
        world.register(name, &format!("M-{name}"));
        world.agent(name).registration.roles = Vec::new();
        world.agent(name).checks = Some(Vec::new());
    }
    for name in ["poc-elastic", "build-2019", "tmp"] {
        launch(world, name, PLAN[0].1, &[]);
    }
    for name in ["stg-app-5", "stg-app-6"] {
        world.machine(name).state = PowerState::Stopped;
        world.agent(name).sends = Err(None);
    }
    for agent in world.agents.values_mut().filter(|agent| agent.registration.name.contains("-dav-")) {
        agent.checks.as_mut().unwrap().push("check-mailq-old".into());
    }
    let leaving: Vec<String> = (7..=12).map(|number| format!("stg-app-{number}")).collect();
    for name in &leaving {
        world.machine(name).state = PowerState::Terminated;
        world.agent(name).sends = Err(Some(world.now));
    }
}

#[test]
fn six_years_of_mess_read_as_fifteen_lines() {
    let mut world = fleet();
    for agent in world.agents.values_mut().filter(|agent| agent.registration.name.contains("-bastion-")) {
        agent.checks.as_mut().unwrap().retain(|name| name != "check-cron");
    }
    world.pass();
    make_a_mess(&mut world);
    world.minutes(5).pass();
    let roll = world.hours(48).pass();
    expect(
        &roll,
        &[
            "RC0102 179 \"check-ntp\" on 0 of 183 linux hosts",
            "RC0104 172 \"swap%\" muted for 172 of 176 linux hosts",
            "RC0105 21 \"disk%\" or \"check-disk\" does not cover 21 of 183 linux hosts: monitor \"disk%\" exists, but its scopes leave the host out",
            "RC0201 6 6 ghosts in Mackerel: stg-app-7, stg-app-8, stg-app-9 and 3 more",
            "RC0204 6 1 check in Mackerel that no RequiredCheck asks for: check-mailq-old",
            "RC0106 4 cacoo-batch-1 and 3 more: expected the roles Backlog:batch in Mackerel, found Backlog:app",
            "RC0101 3 jp1-app-7 and 2 more not in Mackerel",
            "RC0403 3 3 hosts in account backlog-prod that no environment claims: build-2019, poc-elastic, tmp",
            "RC0601 3 3 required checks overdue for review: app-sessions, login-page, zombies",
            "RC0108 2 stg-app-5 and 1 more stopped, and still watched in Mackerel",
            "RC0606 2 2 hosts without a duty: dev-migration-test, dev-tanaka",
            "RC0103 1 com1-batch-2 sends no data to Mackerel",
            "RC0203 1 jp2-git-2 registered more than once in Mackerel",
            "RC0202 1 5 registrations of no host we know: 5 alb",
            "RC0102 0 [7] \"check-cron\" on 172 of 183 linux hosts",
        ],
    );
    let open = roll.causes.iter().filter(|cause| cause.open > 0).count();
    assert!(open <= 15, "{open} causes to read");
    // One fault is one line: none of these is told twice, whatever else is wrong with the host.
    let silent = &world.id("com1-batch-2");
    assert_eq!(roll.findings_by_host()[silent].len(), 1);
}

#[test]
fn a_source_that_fails_on_that_morning_makes_the_list_shorter_not_longer() {
    let mut world = fleet();
    world.pass();
    make_a_mess(&mut world);
    world.minutes(5).pass();
    world.hours(48);
    let mut seeing = world.clone();
    let all: BTreeSet<String> = findings(&seeing.pass()).into_iter().collect();
    for (listing, answer) in [
        ("hosts", Answer::Cut(vec!["jp1-app-1".into()])),
        ("monitors", Answer::Fails(rollcall_engine::reading::FailureKind::Throttled)),
        ("metrics", Answer::NotYet),
        ("checks", Answer::Old(SignedDuration::from_hours(26))),
    ] {
        let mut blind = world.clone();
        blind.mackerel.insert(listing, answer);
        let said = findings(&blind.pass()).into_iter().filter(|line| !line.starts_with("RC05"));
        let new: Vec<String> = said.filter(|line| !all.contains(line)).collect();
        assert!(new.is_empty(), "{listing}: {new:#?}");
    }
}
