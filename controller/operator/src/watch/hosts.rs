//! What the API server holds as Host objects: key and hash of each, never the objects. At 20,000 hosts the objects
//! would be most of our memory.
//!
//! The hash is of the meaning: two statuses that say the same have the same hash, whatever times they carry.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use kube::core::DynamicObject;
use parking_lot::RwLock;
use rollcall_crds::v1alpha1::{HostSpec, HostStatus};
use rollcall_engine::ids::{ObjectKey, Place};

use super::store::{Change, key_of, version_of};

/// All Host objects of the cluster, in short.
#[derive(Default)]
pub struct HostIndex {
    inner: RwLock<Inner>,
}

#[derive(Default)]
struct Inner {
    listed: bool,
    known: BTreeMap<ObjectKey, KnownHost>,
    relisting: Option<BTreeMap<ObjectKey, KnownHost>>,
    shared: Shared,
}

/// Values that thousands of hosts have in common, held once.
#[derive(Default)]
struct Shared {
    places: BTreeSet<Arc<Place>>,
    texts: BTreeSet<Arc<str>>,
}

/// One Host object, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHost {
    /// The API server's count of writes; also the precondition of a delete.
    pub resource_version: u64,
    /// Hash of what its spec says.
    pub identity: u64,
    /// Hash of what its status says; `None` when it has none yet.
    pub meaning: Option<u64>,
    /// Where the host is, if its spec can be read.
    pub place: Option<Arc<Place>>,
    /// The environment its status names.
    pub environment: Option<Arc<str>>,
}

impl HostIndex {
    /// Has the first complete list come?
    pub fn is_listed(&self) -> bool {
        self.inner.read().listed
    }

    /// All known Host objects, by key. A copy (keys and texts are shared): whoever compares 20,000 statuses with them
    /// must not hold up the watch meanwhile.
    pub fn all(&self) -> BTreeMap<ObjectKey, KnownHost> {
        self.inner.read().known.clone()
    }

    /// One Host object.
    pub fn get(&self, key: &ObjectKey) -> Option<KnownHost> {
        self.inner.read().known.get(key).cloned()
    }

    /// A list begins.
    pub fn begin(&self) {
        self.inner.write().relisting = Some(BTreeMap::new());
    }

    /// The list brought this object.
    pub fn listed(&self, raw: &DynamicObject) {
        let mut inner = self.inner.write();
        let (key, host) = (inner.shared.key(raw), inner.shared.abridge(raw));
        if let Some(list) = inner.relisting.as_mut() {
            list.insert(key, host);
        }
    }

    /// The list is complete.
    pub fn complete(&self) -> Change {
        let mut inner = self.inner.write();
        let Some(list) = inner.relisting.take() else { return Change::Nothing };
        let same = inner.listed && inner.known == list;
        inner.known = list;
        inner.listed = true;
        if same { Change::Nothing } else { Change::Meaning }
    }

    /// An object was made or changed by whoever. Only another meaning than the known one is a change.
    pub fn apply(&self, raw: &DynamicObject) -> Change {
        let mut inner = self.inner.write();
        let (key, host) = (inner.shared.key(raw), inner.shared.abridge(raw));
        let change = match inner.known.get(&key) {
            Some(known) if known.resource_version >= host.resource_version => return Change::Nothing,
            Some(known) if (known.identity, known.meaning) == (host.identity, host.meaning) => {
                Change::Nothing
            }
            _ => Change::Meaning,
        };
        inner.known.insert(key, host);
        change
    }

    /// Our own write was answered: the API server now says what we meant, whatever else others may have added to it.
    pub fn wrote(&self, raw: &DynamicObject, meaning: Option<u64>) {
        let mut inner = self.inner.write();
        let key = inner.shared.key(raw);
        let mut host = inner.shared.abridge(raw);
        host.meaning = meaning.or(host.meaning);
        if inner.known.get(&key).is_none_or(|known| known.resource_version <= host.resource_version) {
            inner.known.insert(key, host);
        }
    }

    /// An object was deleted.
    pub fn delete(&self, key: &ObjectKey) -> Change {
        match self.inner.write().known.remove(key) {
            Some(_) => Change::Meaning,
            None => Change::Nothing,
        }
    }

    /// As [`Self::delete`], of a watch event.
    pub fn deleted(&self, raw: &DynamicObject) -> Change {
        self.delete(&key_of(&raw.metadata))
    }
}

impl Shared {
    fn key(&mut self, raw: &DynamicObject) -> ObjectKey {
        let key = key_of(&raw.metadata);
        ObjectKey { namespace: self.text(&key.namespace), ..key }
    }

    fn abridge(&mut self, raw: &DynamicObject) -> KnownHost {
        let spec: Option<HostSpec> = field(raw, "spec");
        let status: Option<HostStatus> = field(raw, "status");
        KnownHost {
            resource_version: version_of(&raw.metadata),
            identity: spec.as_ref().map_or(0, identity),
            meaning: status.as_ref().map(meaning),
            place: spec.map(|spec| self.place(spec)),
            environment: status.and_then(|status| status.environment).map(|name| self.text(&name)),
        }
    }

    fn place(&mut self, spec: HostSpec) -> Arc<Place> {
        let place = Place { account: spec.account_id.into(), region: spec.region.into() };
        if let Some(known) = self.places.get(&place) {
            return Arc::clone(known);
        }
        let place = Arc::new(place);
        self.places.insert(Arc::clone(&place));
        place
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = Arc::from(text);
        self.texts.insert(Arc::clone(&text));
        text
    }
}

fn field<T: serde::de::DeserializeOwned>(raw: &DynamicObject, name: &str) -> Option<T> {
    raw.data.get(name).and_then(|value| T::deserialize(value).ok())
}

/// Hash of a Host's spec.
#[must_use]
pub fn identity(spec: &HostSpec) -> u64 {
    let mut hash = DefaultHasher::new();
    (&spec.provider_id, spec.service, &spec.account_id, &spec.region).hash(&mut hash);
    hash.finish()
}

/// Hash of what a Host's status says. `since` of a finding is left out: it alone is no reason to write.
#[must_use]
pub fn meaning(status: &HostStatus) -> u64 {
    // Taken apart in full, so that a new field cannot be forgotten here.
    let HostStatus {
        environment,
        name,
        duties,
        traits,
        state,
        launch_time,
        instance_type,
        cluster,
        checks,
        summary,
        findings,
    } = status;
    let mut hash = DefaultHasher::new();
    (environment, name, duties, traits, state, instance_type).hash(&mut hash);
    launch_time.as_ref().map(|time| time.0.as_second()).hash(&mut hash);
    cluster.as_ref().map(|c| (&c.name, c.role)).hash(&mut hash);
    checks.as_ref().map(|c| (c.required, c.covered, c.unknown)).hash(&mut hash);
    summary.as_ref().map(|s| (&s.duty, &s.checks, &s.top_finding)).hash(&mut hash);
    for finding in findings {
        (&finding.code, finding.severity, &finding.check, &finding.system, &finding.message).hash(&mut hash);
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn host(version: u64, covered: i32, since: &str) -> DynamicObject {
        serde_json::from_value(json!({
            "apiVersion": "rollcall.dev/v1alpha1", "kind": "Host",
            "metadata": {"namespace": "team", "name": "i-0a", "resourceVersion": version.to_string()},
            "spec": {"providerID": "aws:///ap-northeast-1/i-0a", "service": "EC2", "accountID": "123456789012", "region": "ap-northeast-1"},
            "status": {"environment": "jp1", "state": "Active", "checks": {"required": 2, "covered": covered, "unknown": 0},
                "findings": [{"code": "RC0102", "severity": "Warning", "message": "m", "since": since}]},
        }))
        .unwrap()
    }

    #[test]
    fn times_alone_are_no_change_and_a_manual_edit_is_one() {
        let index = HostIndex::default();
        index.begin();
        index.listed(&host(1, 1, "2026-01-01T00:00:00Z"));
        assert_eq!(index.complete(), Change::Meaning);
        assert_eq!(index.apply(&host(2, 1, "2026-06-01T00:00:00Z")), Change::Nothing);
        assert_eq!(index.apply(&host(3, 2, "2026-06-01T00:00:00Z")), Change::Meaning);
        assert_eq!(index.deleted(&host(3, 2, "2026-06-01T00:00:00Z")), Change::Meaning);
    }

    #[test]
    fn the_echo_of_our_own_write_is_no_change_although_somebody_added_to_it() {
        let index = HostIndex::default();
        index.wrote(&host(5, 1, "2026-01-01T00:00:00Z"), Some(42));
        assert_eq!(index.apply(&host(5, 1, "2026-01-01T00:00:00Z")), Change::Nothing);
        assert_eq!(index.all().values().next().unwrap().meaning, Some(42));
    }
}
