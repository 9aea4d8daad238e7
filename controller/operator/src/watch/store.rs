//! What one watch has brought: objects by key, malformed ones among them, whole lists swapped in at once.
//!
//! A store never decides and never forgets an object because a watch broke: only a complete list, or the API
//! server's own word, removes one.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use kube::core::DynamicObject;
use parking_lot::RwLock;
use rollcall_engine::ids::ObjectKey;

use super::kinds::Watched;

/// Objects of one kind.
pub struct Store<K> {
    inner: RwLock<Inner<K>>,
}

struct Inner<K> {
    /// The first complete list has come.
    listed: bool,
    objects: BTreeMap<ObjectKey, Entry<K>>,
    /// The list under way.
    relisting: Option<BTreeMap<ObjectKey, Entry<K>>>,
    /// Grows with each change that decisions could see.
    version: u64,
}

/// One object, cut to what is used.
#[derive(Clone, Debug)]
pub struct Entry<K> {
    /// The API server's count of writes, as a number.
    pub resource_version: u64,
    /// Which incarnation of the name this is.
    pub uid: String,
    /// Which generation of the spec.
    pub generation: Option<i64>,
    /// The object, or why it is none.
    pub object: Result<Arc<K>, Arc<Malformed>>,
}

/// An object that cannot be read as its kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Malformed {
    /// Field, expected, found.
    pub why: String,
    /// The conditions it has, so that an unchanged verdict is not written again.
    pub conditions: Vec<Condition>,
}

/// What an event changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Nothing that anybody needs to know.
    Nothing,
    /// Only a status: to be looked at with the next pass.
    Status,
    /// Something that decisions see.
    Meaning,
}

impl<K> Default for Store<K> {
    fn default() -> Self {
        let inner = Inner { listed: false, objects: BTreeMap::new(), relisting: None, version: 0 };
        Self { inner: RwLock::new(inner) }
    }
}

impl<K: Watched> Store<K> {
    /// Has the first complete list come?
    pub fn is_listed(&self) -> bool {
        self.inner.read().listed
    }

    /// Grows with each change that decisions could see.
    pub fn version(&self) -> u64 {
        self.inner.read().version
    }

    /// All objects, by key.
    pub fn entries(&self) -> Vec<(ObjectKey, Entry<K>)> {
        self.inner.read().objects.iter().map(|(key, entry)| (key.clone(), entry.clone())).collect()
    }

    /// One object.
    pub fn get(&self, key: &ObjectKey) -> Option<Entry<K>> {
        self.inner.read().objects.get(key).cloned()
    }

    /// A list begins.
    pub fn begin(&self) {
        self.inner.write().relisting = Some(BTreeMap::new());
    }

    /// The list brought this object.
    pub fn listed(&self, raw: DynamicObject) {
        if let (key, Some(list)) = (key_of(&raw.metadata), self.inner.write().relisting.as_mut()) {
            list.insert(key, Entry::parse(raw));
        }
    }

    /// The list is complete: what is not on it is gone.
    pub fn complete(&self) -> Change {
        let mut inner = self.inner.write();
        let Some(list) = inner.relisting.take() else { return Change::Nothing };
        let same = inner.listed && same_meaning(&inner.objects, &list);
        inner.objects = list;
        inner.listed = true;
        inner.version += u64::from(!same);
        if same { Change::Status } else { Change::Meaning }
    }

    /// An object was made or changed, or a write of ours was answered. An older state than the known one is ignored.
    pub fn apply(&self, raw: DynamicObject) -> Change {
        let (key, entry) = (key_of(&raw.metadata), Entry::parse(raw));
        let mut inner = self.inner.write();
        let change = match inner.objects.get(&key) {
            Some(known) if known.uid == entry.uid && known.resource_version >= entry.resource_version => {
                return Change::Nothing;
            }
            Some(known) if known.means_the_same(&entry) => Change::Status,
            _ => Change::Meaning,
        };
        inner.objects.insert(key, entry);
        inner.version += u64::from(change == Change::Meaning);
        change
    }

    /// An object was deleted.
    pub fn delete(&self, raw: &DynamicObject) -> Change {
        let mut inner = self.inner.write();
        if inner.objects.remove(&key_of(&raw.metadata)).is_none() {
            return Change::Nothing;
        }
        inner.version += 1;
        Change::Meaning
    }
}

impl<K: Watched> Entry<K> {
    fn parse(raw: DynamicObject) -> Self {
        let resource_version = version_of(&raw.metadata);
        let uid = raw.metadata.uid.clone().unwrap_or_default();
        let generation = raw.metadata.generation;
        let object = parse(raw).map(Arc::new).map_err(Arc::new);
        Self { resource_version, uid, generation, object }
    }

    fn means_the_same(&self, other: &Self) -> bool {
        self.uid == other.uid
            && self.generation == other.generation
            && match (&self.object, &other.object) {
                (Ok(a), Ok(b)) => a.meta().labels == b.meta().labels,
                (Err(a), Err(b)) => a.why == b.why,
                _ => false,
            }
    }
}

fn same_meaning<K: Watched>(a: &BTreeMap<ObjectKey, Entry<K>>, b: &BTreeMap<ObjectKey, Entry<K>>) -> bool {
    a.len() == b.len()
        && a.iter().all(|(key, entry)| b.get(key).is_some_and(|other| entry.means_the_same(other)))
}

/// Reads the object as its kind, with only that much metadata as anybody uses: who wrote which field, and the
/// copy that `kubectl apply` leaves in an annotation, are half of an object's bytes.
fn parse<K: Watched>(raw: DynamicObject) -> Result<K, Malformed> {
    let metadata = ObjectMeta {
        name: raw.metadata.name,
        namespace: raw.metadata.namespace,
        labels: raw.metadata.labels,
        uid: raw.metadata.uid,
        generation: raw.metadata.generation,
        ..ObjectMeta::default()
    };
    let conditions = raw.data.pointer("/status/conditions").cloned();
    let mut value = raw.data;
    if let (Some(object), Ok(metadata)) = (value.as_object_mut(), serde_json::to_value(metadata)) {
        object.insert("metadata".to_owned(), metadata);
        object.insert("apiVersion".to_owned(), K::api_version(&()).into());
        object.insert("kind".to_owned(), K::kind(&()).into());
    }
    serde_path_to_error::deserialize(value).map_err(|error| Malformed {
        why: format!("{}: {}", error.path(), error.inner()),
        conditions: conditions.and_then(|list| serde_json::from_value(list).ok()).unwrap_or_default(),
    })
}

/// `namespace/name`; a cluster-scoped object has an empty namespace.
pub(super) fn key_of(metadata: &ObjectMeta) -> ObjectKey {
    ObjectKey::new(
        metadata.namespace.as_deref().unwrap_or_default(),
        metadata.name.as_deref().unwrap_or_default(),
    )
}

/// Since Kubernetes 1.35 resource versions may be compared as numbers (KEP 5504); every server we know has always
/// used them so. What is none counts as oldest, so that the next event corrects it.
pub(super) fn version_of(metadata: &ObjectMeta) -> u64 {
    metadata.resource_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use rollcall_crds::v1alpha1::HostRole;
    use serde_json::json;

    use super::*;

    fn role(name: &str, version: u64, generation: i64, spec: &serde_json::Value) -> DynamicObject {
        serde_json::from_value(json!({
            "apiVersion": "rollcall.dev/v1alpha1", "kind": "HostRole",
            "metadata": {"namespace": "team", "name": name, "uid": name, "resourceVersion": version.to_string(),
                         "generation": generation, "annotations": {"kubectl": "a long copy"}},
            "spec": spec,
        }))
        .unwrap()
    }

    fn listed(objects: Vec<DynamicObject>) -> Store<HostRole> {
        let store = Store::default();
        store.begin();
        for object in objects {
            store.listed(object);
        }
        store.complete();
        store
    }

    #[test]
    fn a_malformed_object_is_kept_with_the_field_that_is_wrong_and_hides_no_other() {
        let store = listed(vec![
            role("app", 1, 1, &json!({"type": "Duty"})),
            role("bad", 2, 1, &json!({"type": "Duty", "includes": 7})),
        ]);
        let entries = store.entries();
        assert!(entries[0].1.object.is_ok());
        let why = &entries[1].1.object.as_ref().unwrap_err().why;
        assert!(why.starts_with("spec.includes: invalid type"), "{why}");
    }

    #[test]
    fn only_a_change_of_meaning_counts() {
        let store = listed(vec![role("app", 5, 1, &json!({"type": "Duty"}))]);
        let version = store.version();
        assert_eq!(store.apply(role("app", 5, 1, &json!({"type": "Duty"}))), Change::Nothing, "an echo");
        assert_eq!(store.apply(role("app", 6, 1, &json!({"type": "Duty"}))), Change::Status);
        assert_eq!(store.version(), version);
        assert_eq!(store.apply(role("app", 7, 2, &json!({"type": "Trait"}))), Change::Meaning);
        assert_eq!(
            store.apply(role("app", 6, 1, &json!({"type": "Duty"}))),
            Change::Nothing,
            "older than known"
        );
        assert_eq!(store.version(), version + 1);
    }

    #[test]
    fn a_list_that_breaks_off_removes_nothing() {
        let store = listed(vec![
            role("app", 5, 1, &json!({"type": "Duty"})),
            role("batch", 5, 1, &json!({"type": "Duty"})),
        ]);
        store.begin();
        store.listed(role("app", 5, 1, &json!({"type": "Duty"})));
        store.begin();
        assert_eq!(store.entries().len(), 2);
        store.listed(role("app", 5, 1, &json!({"type": "Duty"})));
        assert_eq!(store.complete(), Change::Meaning);
        assert_eq!(store.entries().len(), 1);
    }
}
