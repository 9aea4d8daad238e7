//! The reader against moto, a fake AWS that is not ours: the independent check of our idea of the API.
//!
//! It runs in the virtual environment that `e2e/conformance/run.sh` makes. Without it, it says so and passes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing test speaks by panicking"
)]

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use jiff::Timestamp;
use rollcall_aws::{Account, AccountSettings, AssumeRole, Connections, Identity, Limits, StaticKeys};
use rollcall_engine::activity::{Activity, ActivityMetric, Series, Subject, Told, Wanted, Window};
use rollcall_engine::ids::HostId;
use rollcall_engine::inventory::{
    Address, Asked, Database, DatabaseCluster, GroupMembership, Instance, Inventory, MemberRole,
    ParameterAnswer, ParameterGroupName, ParameterScope, Peer, Ports, Rule, SecurityGroup, SubnetGroup, Tags,
    Volume,
};
use rollcall_engine::limits::ACTIVITY_DAYS;
use rollcall_engine::reading::{Extent, FailureKind};
use serde_json::{Value, json};

const REGION: &str = "eu-west-1";
/// Where moto puts whoever has any static key.
const HOME: &str = "123456789012";
const ACCOUNT: &str = "210987654321";

/// The newest complete virtual environment of the conformance suite.
fn environment() -> Option<PathBuf> {
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = var("ROLLCALL_CACHE").or_else(|| {
        Some(var("XDG_CACHE_HOME").or_else(|| Some(var("HOME")?.join(".cache")))?.join("rollcall"))
    })?;
    let complete = |entry: &fs::DirEntry| {
        let named = entry.file_name().to_string_lossy().starts_with("venv-");
        named && entry.path().join(".complete").exists() && has_cbor(&entry.path())
    };
    let found = fs::read_dir(cache).ok()?.flatten().filter(complete);
    found.max_by_key(|entry| entry.metadata().and_then(|m| m.modified()).ok()).map(|entry| entry.path())
}

/// An older one lacks what the bridge of CBOR needs.
fn has_cbor(environment: &Path) -> bool {
    let versions = fs::read_dir(environment.join("lib")).into_iter().flatten().flatten();
    versions.map(|python| python.path().join("site-packages/cbor2")).any(|package| package.exists())
}

/// A moto server; it ends with this value.
struct Moto {
    server: Child,
    url: String,
}

impl Moto {
    fn start(environment: &Path) -> Self {
        let mut server = Command::new(environment.join("bin/python"))
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto/server.py"))
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(server.stderr.take().unwrap());
        let (found, url) = mpsc::channel();
        // Reads to the end, so that the server never waits for somebody to listen.
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("http://127.0.0.1:") {
                    let port: String = address.chars().take_while(char::is_ascii_digit).collect();
                    let _ = found.send(format!("http://127.0.0.1:{port}"));
                }
            }
        });
        let url = url.recv_timeout(Duration::from_mins(1));
        let moto = Self { server, url: url.clone().unwrap_or_default() };
        url.expect("moto names its URL within a minute");
        moto
    }

    /// Makes the fleet, and answers what boto3 sees of it.
    fn seed(&self, environment: &Path) -> Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto/seed.py");
        let mut python = Command::new(environment.join("bin/python"));
        let output = python.arg(script).args([&self.url, REGION, ACCOUNT]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn settings(&self, account: &str, assume: bool) -> AccountSettings {
        let role_arn = format!("arn:aws:iam::{ACCOUNT}:role/rollcall-observe");
        AccountSettings {
            account: account.into(),
            regions: vec![REGION.into()],
            identity: Identity::Static(StaticKeys::new("test", "test", None)),
            assume: assume.then(|| AssumeRole { role_arn, external_id: Some("x".to_owned()) }),
            endpoint_url: Some(self.url.clone()),
            limits: Limits { page_size: 5, database_page_size: 20, ..Limits::default() },
        }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn tags(tags: &Tags) -> Value {
    tags.iter().map(|(k, v)| (k.to_owned(), json!(v))).collect::<serde_json::Map<_, _>>().into()
}

fn instance(seen: &Instance) -> Value {
    json!({
        "id": seen.id, "state": seen.state, "launched": seen.launch_time.as_second(), "zone": seen.zone,
        "address": seen.addresses.first().map(IpAddr::to_string).unwrap_or_default(), "tags": tags(&seen.tags),
        "subnet": seen.subnet, "groups": seen.security_groups.iter().map(|g| json!([g.id, g.name])).collect::<Vec<_>>(),
    })
}

fn volume(seen: &Volume) -> Value {
    let on: Vec<&HostId> = seen.attached_to().collect();
    json!({"id": seen.id, "size": seen.size_gib, "on": on})
}

fn address(seen: &Address) -> Value {
    json!({"id": seen.id, "ip": seen.ip, "on": seen.attached_to})
}

fn database(seen: &Database) -> Value {
    let endpoint = seen.endpoint.as_ref().unwrap();
    let groups =
        |all: &[GroupMembership]| all.iter().map(|g| json!([g.name, g.status.as_str()])).collect::<Vec<_>>();
    json!({
        "id": seen.id, "name": seen.name, "engine": seen.engine.as_str(), "version": seen.engine_version,
        "class": seen.class, "status": seen.status.as_str(), "created": seen.created.unwrap().as_second(),
        "address": endpoint.address, "port": endpoint.port, "zone": seen.zone, "multiAz": seen.multi_az,
        "protected": seen.deletion_protection, "groups": groups(&seen.parameter_groups),
        "options": groups(&seen.option_groups), "security": seen.security_groups, "cluster": seen.cluster,
        "replicates": seen.replica_of, "replicas": seen.replicas, "tags": tags(&seen.tags),
    })
}

fn cluster(seen: &DatabaseCluster) -> Value {
    let writers: serde_json::Map<_, _> =
        seen.members.iter().map(|m| (m.name.clone(), json!(m.writer))).collect();
    json!({
        "id": seen.id, "name": seen.name, "engine": seen.engine.as_str(), "status": seen.status.as_str(),
        "writers": writers, "endpoint": seen.endpoint, "reader": seen.reader_endpoint, "port": seen.port,
        "group": seen.parameter_group, "protected": seen.deletion_protection, "tags": tags(&seen.tags),
    })
}

fn security_group(seen: &SecurityGroup) -> Value {
    assert_eq!(seen.unread_rules, 0, "{}", seen.name);
    let rules = |all: &[Rule]| all.iter().map(rule).collect::<Vec<_>>();
    json!({
        "id": seen.id, "name": seen.name, "vpc": seen.vpc, "tags": tags(&seen.tags), "in": rules(&seen.inbound),
        "out": rules(&seen.outbound),
    })
}

fn rule(seen: &Rule) -> Value {
    let (from, to) = match seen.ports {
        Ports::Range { from, to } => (Some(from), Some(to)),
        Ports::All | Ports::Icmp { .. } => (None, None),
    };
    let peer = |peer: &Peer| match peer {
        Peer::Cidr(block) => block.to_string(),
        Peer::PrefixList(id) | Peer::Group(id) => id.clone(),
    };
    json!([seen.protocol.as_str(), from, to, seen.peers.iter().map(peer).collect::<Vec<_>>()])
}

fn subnet_group(seen: &SubnetGroup) -> Value {
    json!({"id": seen.name, "vpc": seen.vpc, "status": seen.status, "subnets": seen.subnets})
}

/// As one text, in order of ids.
fn sorted(list: impl IntoIterator<Item = Value>) -> String {
    let mut list: Vec<Value> = list.into_iter().collect();
    list.sort_by_key(|entry| entry["id"].as_str().unwrap_or_default().to_owned());
    list.iter_mut().for_each(Value::sort_all_objects);
    serde_json::to_string_pretty(&list).unwrap()
}

fn told(truth: &Value, list: &str) -> String {
    sorted(truth[list].as_array().unwrap().clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reader_sees_in_moto_what_boto3_sees() {
    let Some(environment) = environment() else {
        // Not by print!, which a passing test swallows.
        let notice =
            "SKIPPED (1): the reader against moto: no virtual environment. Run e2e/conformance/run.sh once.";
        writeln!(io::stderr(), "{notice}").unwrap();
        return;
    };
    let moto = Moto::start(&environment);
    let truth = moto.seed(&environment);
    let now: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
    let connections = Connections::default();

    let account = Account::new(moto.settings(ACCOUNT, true), &connections).await.unwrap();
    let orders = ParameterGroupName::of_instance("orders");
    let asked = Asked {
        security_groups: true,
        subnet_groups: true,
        parameters: [
            (orders.clone(), ["slow_query_log".to_owned()].into()),
            (ParameterGroupName::of_cluster("nobody"), ["time_zone".to_owned()].into()),
        ]
        .into(),
        protections: truth["instances"].as_array().unwrap()[3..5].iter().map(id).collect(),
        ..Asked::default()
    };
    let inventory = account.read_place(&REGION.into(), None, &asked, now).await;
    let ec2 = [&inventory.instances.extent, &inventory.volumes.extent, &inventory.addresses.extent];
    for extent in ec2.into_iter().chain([&inventory.databases.extent, &inventory.clusters.extent]) {
        assert_eq!(*extent, Extent::Complete { at: now });
    }
    assert_eq!(sorted(inventory.instances.seen.iter().map(instance)), told(&truth, "instances"));
    assert_eq!(sorted(inventory.volumes.seen.iter().map(volume)), told(&truth, "volumes"));
    assert_eq!(sorted(inventory.addresses.seen.iter().map(address)), told(&truth, "addresses"));
    let managed: Vec<&str> =
        inventory.instances.seen.iter().filter_map(|i| i.managed_by.as_deref()).collect();
    assert_eq!(managed, ["autoscaling:web"]);
    let calls = account.calls();
    let pages = |operation| calls.iter().find(|c| c.operation == operation).map(|c| c.count);
    assert_eq!(pages("DescribeInstances"), Some(3), "12 launches in pages of 5");
    assert_eq!(pages("DescribeDBInstances"), Some(2), "29 databases in pages of 20");
    the_databases_are_told_too(&inventory, &truth);
    so_is_what_assertions_ask(&inventory, &truth, now);

    let instances = inventory.instances.seen.iter().map(Subject::of_instance);
    let databases = inventory.databases.seen.iter().filter_map(Subject::of_database);
    let subjects: Vec<Subject> = instances.chain(databases).collect();
    let window = Window::whole_days(now, ACTIVITY_DAYS);
    let metrics = ActivityMetric::ALL.into();
    let activity = account.read_activity(&REGION.into(), &[Wanted { subjects, metrics }], window, now).await;
    assert_eq!(activity.hosts.extent, Extent::Complete { at: now });
    and_what_hosts_did(&activity, &inventory, &truth);

    let mistaken = Account::new(moto.settings(ACCOUNT, false), &connections).await.unwrap();
    let reading = mistaken.read_instances(&REGION.into(), now).await;
    let Extent::Failed { why, .. } = &reading.extent else { panic!("{:?}", reading.extent) };
    assert_eq!(why.kind, FailureKind::WrongAccount, "without the role we are in {HOME}: {}", why.message);
}

fn the_databases_are_told_too(inventory: &Inventory, truth: &Value) {
    assert_eq!(sorted(inventory.databases.seen.iter().map(database)), told(truth, "databases"));
    assert_eq!(sorted(inventory.clusters.seen.iter().map(cluster)), told(truth, "clusters"));
    let named = |name: &str| inventory.databases.seen.iter().find(|d| d.name == name).unwrap();
    let roles = ["shop-0", "shop-1", "orders-00"].map(|name| inventory.role_of(named(name)));
    assert_eq!(roles, [MemberRole::Writer, MemberRole::Reader, MemberRole::Alone]);
    let rds = inventory.databases.seen.iter().filter(|d| d.engine.is_rds()).count();
    assert_eq!((rds, inventory.databases.seen.len()), (27, 29));
}

fn id(told: &Value) -> HostId {
    told["id"].as_str().unwrap().into()
}

/// Read in CBOR, through the bridge beside the seed, and by boto3 in JSON.
fn and_what_hosts_did(activity: &Activity, inventory: &Inventory, truth: &Value) {
    let mut values = 0;
    for (name, metric) in [("CPUUtilization", ActivityMetric::Cpu), ("NetworkIn", ActivityMetric::NetworkIn)]
    {
        for (host, told) in truth["activity"][name].as_object().unwrap() {
            let Some(Series::Days(days)) = activity.hosts.seen[&HostId::new(host)].series(metric) else {
                panic!("{name} of {host} was not read");
            };
            let read: Vec<(String, f32)> = days.iter().map(|(day, value)| (day.to_string(), value)).collect();
            values += read.len();
            assert_eq!(read.len(), told.as_object().unwrap().len(), "{name} of {host}");
            for (day, value) in read {
                let off = (f64::from(value) - told[&day].as_f64().unwrap()).abs();
                assert!(off < 1e-3, "{name} of {host} on {day}: {value}");
            }
        }
    }
    assert_eq!(values, 2 * (90 + 21 + 1), "as many as were put");
    let orders = inventory.databases.seen.iter().find(|d| d.name == "orders-00").unwrap();
    let connections = |day| activity.told(&orders.id, ActivityMetric::Connections, day);
    // moto makes its databases today, and what was before a database is not its own.
    assert_eq!(connections(activity.window.last()), Told::NoData);
}

fn so_is_what_assertions_ask(inventory: &Inventory, truth: &Value, now: Timestamp) {
    let groups = &inventory.security_groups;
    assert_eq!(
        (&groups.extent, &inventory.subnet_groups.extent),
        (&Extent::Complete { at: now }, &Extent::Complete { at: now })
    );
    assert_eq!(sorted(groups.seen.iter().map(security_group)), told(truth, "securityGroups"));
    assert_eq!(sorted(inventory.subnet_groups.seen.iter().map(subnet_group)), told(truth, "subnetGroups"));
    let of = |group: &ParameterGroupName| {
        assert_eq!(inventory.parameters[group].extent, Extent::Complete { at: now }, "{group}");
        &inventory.parameters[group].seen
    };
    let answer = of(&ParameterGroupName::of_instance("orders")).answer("slow_query_log");
    let ParameterAnswer::Value(value) = answer else { panic!("{answer:?}") };
    assert_eq!(value.value.as_deref(), Some("1"));
    assert_eq!(of(&ParameterGroupName::of_cluster("nobody")).scope, ParameterScope::NoSuchGroup);
    for (host, protection) in &inventory.protections {
        assert_eq!(protection.extent, Extent::Complete { at: now });
        assert_eq!(protection.seen, Some(truth["protected"] == host.as_str()), "{host}");
    }
    assert_eq!(inventory.protections.len(), 2);
}
