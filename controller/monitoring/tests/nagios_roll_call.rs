//! From a real Nagios to findings: its hosts join to instances, its services are what checks require, and when it dies
//! nothing is called missing.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[allow(dead_code, reason = "shared with other tests")]
mod nagios_world;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use nagios_world::{World, host, service, unpacked};
use rollcall_engine::fleet::{Desired, Fleet};
use rollcall_engine::ids::{HostId, ObjectKey, Place};
use rollcall_engine::inventory::{Instance, Inventory, PowerState};
use rollcall_engine::memory::Memory;
use rollcall_engine::reading::Reading;
use rollcall_engine::registry::Registry;
use rollcall_engine::rollcall::{Coverage, RollCall, roll_call};
use rollcall_engine::snapshot::Snapshot;
use rollcall_monitoring::nagios::NagiosSource;
use rollcall_monitoring::{Depth, RegistrySource as _};
use serde_json::{Value, json};

/// What the team's three hosts are in Nagios: one in order, one whose service is switched off, one without the service.
fn site() -> String {
    [
        host("web-1", &[("_INSTANCE_ID", "i-0001")]),
        host("web-2", &[("_INSTANCE_ID", "i-0002")]),
        host("web-3", &[("_INSTANCE_ID", "i-0003")]),
        service("web-1", "http", "check_dummy!0", &[]),
        service("web-2", "http", "check_dummy!0", &[]),
        service("web-3", "ping", "check_dummy!0", &[]),
    ]
    .concat()
}

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    let metadata = json!({"name": name, "namespace": "team", "labels": {"team": "team"}});
    json!({"apiVersion": "rollcall.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec})
}

fn fleet() -> Fleet {
    let grants = json!([{"namespaceSelector": {"matchLabels": {"team": "team"}}}]);
    let account = json!({"accountID": "123456789012", "regions": ["ap-northeast-1"], "grants": grants});
    let environment = json!({
        "accounts": [{"name": "prod"}],
        "selector": {"anyOf": [{"matchTags": {"Env": ["prod"]}}]},
        "owner": {"name": "sre"},
        "monitoring": [{"system": "nagios", "hosts": "AsChecksRequire"}],
    });
    let check = json!({
        "appliesTo": {"roles": ["web"]},
        "why": "Customers notice first otherwise.",
        "watched": {"by": [{"system": "nagios", "check": {"name": "http"}}]},
    });
    let nagios = json!({
        "statusURL": "https://nagios.example.com/nagios4/cgi-bin/",
        "basicAuthSecret": {"name": "nagios"},
    });
    let role = json!({"type": "Duty", "selector": {"anyOf": [{"namePattern": "^web-"}]}});
    let desired: Desired = serde_json::from_value(json!({
        "accounts": [object("CloudAccount", "prod", &account)],
        "environments": [object("Environment", "prod", &environment)],
        "roles": [object("HostRole", "web", &role)],
        "checks": [object("RequiredCheck", "http", &check)],
        "systems": [object("MonitoringSystem", "nagios", &json!({"nagios": nagios}))],
        "namespaces": {"team": {"team": "team"}},
    }))
    .unwrap();
    let (fleet, problems) = Fleet::parse(&desired);
    assert_eq!(problems, []);
    fleet
}

fn instance(number: u8) -> Instance {
    let name = format!("web-{number}");
    Instance {
        id: HostId::new(format!("i-000{number}")),
        state: PowerState::Running,
        tags: [("Name", name.as_str()), ("Env", "prod")].into_iter().collect(),
        launch_time: Timestamp::now() - SignedDuration::from_hours(1_000),
        instance_type: "m5.large".into(),
        zone: None,
        vpc: None,
        subnet: None,
        security_groups: Arc::default(),
        profile: None,
        addresses: Vec::new(),
        managed_by: None,
        state_reason: None,
    }
}

/// What the engine says of the three hosts and this registry.
fn called(registry: Registry) -> RollCall {
    let now = Timestamp::now();
    let place = Place { account: "123456789012".into(), region: "ap-northeast-1".into() };
    let instances = Reading::complete_at("instances", now, (1..=3).map(instance).collect());
    let inventory = Inventory { instances, ..Inventory::not_yet(place.clone(), now) };
    let mut snapshot = Snapshot::default();
    snapshot.inventories.insert(place, Arc::new(inventory));
    snapshot.registries.insert(ObjectKey::new("team", "nagios"), Arc::new(registry));
    roll_call(&fleet(), &snapshot, &Memory::default(), now).0
}

fn lines(roll: &RollCall) -> Vec<String> {
    let line = |finding: &rollcall_engine::finding::Finding| {
        format!("{} {}: {}", finding.code, finding.subject_name, finding.message)
    };
    roll.findings.iter().map(line).collect()
}

async fn read(source: &mut NagiosSource) -> Registry {
    source.read(Timestamp::now(), Depth::Hosts).await
}

#[tokio::test]
async fn what_nagios_watches_is_covered_and_nothing_is_missing_once_it_is_dead() {
    let Some(packages) = unpacked() else { return };
    let mut world = World::start(packages, &site()).await;
    world.command("DISABLE_SVC_NOTIFICATIONS;web-2;http");
    world
        .told("the service is switched off and all have run", |told| {
            let services = told.services.seen.iter();
            services.clone().all(|service| service.check.last_check.is_some())
                && services.filter(|service| service.check.notifications == Some(false)).count() == 1
        })
        .await;
    let expected = [
        "RC0102 web-3: expected check \"http\" in Nagios, found none",
        "RC0104 web-2: check \"http\" in Nagios notifies nobody of its problems",
        "RC0204 ping: runs on 1 host, and no RequiredCheck asks for it",
    ];
    for mut source in [world.files(), world.cgi("rollcall")] {
        assert_eq!(lines(&called(read(&mut source).await)), expected);
    }

    let (mut files, mut cgi) = (world.files(), world.cgi("rollcall"));
    world.signal("TERM");
    world.until("Nagios has ended", World::has_ended).await;
    for source in [&mut files, &mut cgi] {
        let roll = called(read(source).await);
        let lines = lines(&roll);
        assert!(lines.len() == 1 && lines[0].starts_with("RC0502 nagios: Nagios: hosts:"), "{lines:#?}");
        let rows = roll.hosts.values().flat_map(|host| host.rows.iter());
        assert!(
            rows.clone().count() == 3 && rows.clone().all(|row| matches!(row.coverage, Coverage::Unknown(_)))
        );
    }
}
