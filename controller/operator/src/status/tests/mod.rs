//! Stories about what is told, as data: a roll call and what the API server holds go in, writes come out.

mod columns;
mod hosts;
mod stories;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::DynamicObject;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::Event;
use rollcall_crds::v1alpha1::{Host, HostSpec, HostState, HostStatus};
use rollcall_engine::fleet::{Kind, Problem};
use rollcall_engine::ids::{HostId, ObjectKey, Place};
use rollcall_engine::reading::{Failure, FailureKind};
use rollcall_engine::rollcall::{AccountRoll, EnvironmentRoll, HostRoll, RollCall, SystemRoll, Tally};
use serde_json::{Value, json};

use super::{HostWrite, Known, Telling, Writes, diff};
use crate::observe::Awaited;
use crate::watch::{DesiredState, Stores, identity};

pub(super) const NOW: &str = "2026-11-23T10:00:00Z";

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn place() -> Place {
    "123456789012/ap-northeast-1".to_owned().try_into().unwrap()
}

pub(super) fn key(name: &str) -> ObjectKey {
    ObjectKey::new("team", name)
}

pub(super) fn failure(kind: FailureKind) -> Failure {
    Failure::new(kind, format!("it is {}", kind.as_str()))
}

pub(super) fn problem(kind: Kind, namespace: &str, name: &str) -> Problem {
    Problem {
        kind,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        reason: "BadPattern".to_owned(),
        message: "spec.selector: expected a regular expression, found \"(\"".to_owned(),
    }
}

/// One account, one environment `jp1` that watches in `mackerel`, and what a pass over them said.
pub(super) struct World {
    pub stores: Stores,
    pub desired: DesiredState,
    pub roll: RollCall,
    pub obstacles: Vec<Problem>,
    pub awaited: Awaited,
    pub tells_progress: bool,
    written: BTreeMap<(Kind, ObjectKey), (u64, u64)>,
}

impl World {
    /// All sources are fresh, no host is there, and nothing has been told yet.
    pub fn new() -> Self {
        let world = Self {
            stores: Stores::listed(|stores| {
                stores.accounts.listed(object("CloudAccount", "", "prod", account()));
                stores.environments.listed(object("Environment", "team", "jp1", environment()));
                stores.systems.listed(object("MonitoringSystem", "team", "mackerel", system()));
            }),
            desired: DesiredState::default(),
            roll: RollCall::default(),
            obstacles: Vec::new(),
            awaited: Awaited::default(),
            tells_progress: true,
            written: BTreeMap::new(),
        };
        let stores = &world.stores;
        for name in ["team", "nobodys"] {
            stores.namespaces.take(Event::Apply(namespace(name)));
        }
        world.seen()
    }

    /// Everything could be read.
    fn seen(mut self) -> Self {
        let environment =
            EnvironmentRoll { sources_once_read: true, compliant: Some(true), ..EnvironmentRoll::default() };
        self.roll.environments.insert(key("jp1"), environment);
        self.roll.accounts.insert("prod".into(), AccountRoll { once_read: true, ..AccountRoll::default() });
        self.roll.systems.insert(key("mackerel"), SystemRoll { once_read: true, ..SystemRoll::default() });
        self
    }

    pub fn jp1(&mut self) -> &mut EnvironmentRoll {
        self.roll.environments.get_mut(&key("jp1")).unwrap()
    }

    /// The roll call knows this host.
    pub fn host(&mut self, id: &str) -> &mut HostRoll {
        let host = HostRoll {
            place: place(),
            name: Some(Arc::from(format!("jp1-{id}"))),
            environment: Some(key("jp1")),
            claimed_by: [].into(),
            duties: [].into(),
            traits: [].into(),
            state: HostState::Active,
            settles_at: None,
            seen: true,
            launch_time: None,
            instance_type: None,
            cluster: None,
            registrations: Vec::new(),
            rows: [].into(),
            used: None,
        };
        self.roll.hosts.entry(HostId::new(id)).or_insert(host)
    }

    /// The API server holds this Host object.
    pub fn object(&mut self, namespace: &str, id: &str) {
        self.stores.hosts.wrote(&host_object(namespace, id, spec(id), Some(&HostStatus::default())), None);
    }

    pub fn diff(&self) -> Writes {
        let judged = self.desired.judged(&self.stores, None);
        let telling = Telling {
            roll: &self.roll,
            judged: &judged,
            obstacles: &self.obstacles,
            delivered: &BTreeMap::new(),
            awaited: &self.awaited,
            now: at(NOW),
            tells_progress: self.tells_progress,
        };
        diff(&telling, &Known { stores: &self.stores, written: &self.written, is_resting: &|_| false })
    }

    /// Does what the writes say, as the API server would.
    pub fn perform(&mut self, writes: &Writes) {
        for write in &writes.objects {
            let status = json!({"status": write.status});
            let content = match write.kind {
                Kind::CloudAccount => account(),
                Kind::Environment => environment(),
                Kind::MonitoringSystem => system(),
                Kind::RetirementPolicy => json!({"spec": {}}),
                other => panic!("no {other:?} is in this world"),
            };
            let key = &write.key;
            self.stores
                .apply(write.kind, told(write.kind.as_str(), &key.namespace, &key.name, content, status));
        }
        for write in &writes.hosts {
            let key = write.key();
            match write {
                HostWrite::Create { spec, status, .. } => {
                    let object = host_object(&key.namespace, &key.name, spec.clone(), Some(status));
                    self.stores.hosts.wrote(&object, None);
                }
                HostWrite::Tell { status, .. } => {
                    let object = host_object(&key.namespace, &key.name, spec(&key.name), Some(status));
                    self.stores.hosts.wrote(&object, None);
                }
                HostWrite::Delete { .. } => {
                    self.stores.hosts.delete(key);
                }
            }
        }
    }
}

fn spec(id: &str) -> HostSpec {
    super::host::spec(&HostId::new(id), &place())
}

pub(super) fn namespace(name: &str) -> PartialObjectMeta<Namespace> {
    serde_json::from_value(json!({"metadata": {"name": name, "resourceVersion": "1"}})).unwrap()
}

fn account() -> Value {
    json!({"spec": {"accountID": "123456789012", "regions": ["ap-northeast-1"], "unclaimedNamespace": "nobodys",
        "grants": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "team"}}}]}})
}

fn environment() -> Value {
    json!({"spec": {"accounts": [{"name": "prod"}], "selector": {"anyOf": [{"matchTags": {"Env": ["jp1"]}}]},
        "timeZone": "Asia/Tokyo", "monitoring": [{"system": "mackerel", "hosts": "All"}]}})
}

fn system() -> Value {
    json!({"spec": {"mackerel": {"apiKeySecret": {"name": "mackerel", "key": "api-key"}}}})
}

fn object(kind: &str, namespace: &str, name: &str, content: Value) -> DynamicObject {
    told(kind, namespace, name, content, json!({}))
}

/// The API server counts all writes, whatever they write.
fn next_version() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

fn told(kind: &str, namespace: &str, name: &str, content: Value, more: Value) -> DynamicObject {
    let version = next_version().to_string();
    let mut value = json!({
        "apiVersion": "rollcall.dev/v1alpha1", "kind": kind,
        "metadata": {"namespace": namespace, "name": name, "uid": name, "resourceVersion": version, "generation": 1},
    });
    for part in [content, more] {
        value.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    }
    serde_json::from_value(value).unwrap()
}

fn host_object(namespace: &str, id: &str, spec: HostSpec, status: Option<&HostStatus>) -> DynamicObject {
    let mut host = Host::new(id, spec);
    host.metadata.namespace = Some(namespace.to_owned());
    host.metadata.resource_version = Some(next_version().to_string());
    host.status = status.cloned();
    serde_json::from_value(serde_json::to_value(host).unwrap()).unwrap()
}

/// What was written on an object.
pub(super) fn status_of<'a>(writes: &'a Writes, kind: Kind, name: &str) -> &'a Value {
    let found = writes.objects.iter().find(|write| write.kind == kind && *write.key.name == *name);
    &found.unwrap_or_else(|| panic!("nothing written on {kind:?} {name}: {:?}", writes.objects)).status
}

/// `True Fresh`, `False Denied`, … of a condition.
pub(super) fn condition(status: &Value, type_: &str) -> String {
    let conditions = status["conditions"].as_array().unwrap();
    conditions.iter().find(|c| c["type"] == type_).map_or_else(
        || "none".to_owned(),
        |c| format!("{} {}", c["status"].as_str().unwrap(), c["reason"].as_str().unwrap()),
    )
}

pub(super) fn tally(covered: u32, missing: u32, unknown: u32) -> Tally {
    Tally { required: covered + missing + unknown, covered, missing, unknown, ..Tally::default() }
}

#[test]
fn the_hash_of_a_spec_tells_hosts_apart() {
    assert_ne!(identity(&spec("i-0a")), identity(&spec("i-0b")));
}
