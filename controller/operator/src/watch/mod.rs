//! Watches: one stream per kind with its own backoff, so that one forbidden or missing kind slows no other.
//!
//! Nothing is decided here. An object that cannot be read is remembered as such and never stops its stream.

mod desired;
mod hosts;
mod kinds;
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ApiResource, DynamicObject};
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, Resource, ResourceExt as _};
use parking_lot::RwLock;
use rollcall_crds::v1alpha1 as api;
use rollcall_engine::fleet::Kind;
use rollcall_engine::ids::ObjectKey;
use tokio::task::JoinSet;

pub use desired::{DesiredState, Judged};
pub use hosts::{HostIndex, KnownHost, identity, meaning};
pub use kinds::{Told, Watched};
pub use store::{Change, Entry, Malformed, Store};

use crate::calls::WATCH_SECONDS;
use crate::trigger::Trigger;

/// Objects a page: a bigger one would be decoded at once, and memory with it.
const PAGE: u32 = 500;

/// Everything that the watches have brought.
#[derive(Default)]
pub struct Stores {
    /// `CloudAccount`s.
    pub accounts: Store<api::CloudAccount>,
    /// `Environment`s.
    pub environments: Store<api::Environment>,
    /// `HostRole`s.
    pub roles: Store<api::HostRole>,
    /// `RequiredCheck`s.
    pub checks: Store<api::RequiredCheck>,
    /// `MonitoringSystem`s.
    pub systems: Store<api::MonitoringSystem>,
    /// `Exemption`s.
    pub exemptions: Store<api::Exemption>,
    /// `RetirementPolicy`s.
    pub policies: Store<api::RetirementPolicy>,
    /// `Retirement`s.
    pub retirements: Store<api::Retirement>,
    /// `NotificationChannel`s.
    pub channels: Store<api::NotificationChannel>,
    /// Labels of all namespaces.
    pub namespaces: Namespaces,
    /// Host objects, in short.
    pub hosts: HostIndex,
    /// Rings when decisions should be made anew.
    pub changed: Trigger,
    /// Rings when sources may have to be polled differently.
    pub sources_changed: Trigger,
}

impl Stores {
    /// An object of this kind was made or changed.
    pub fn apply(&self, kind: Kind, object: DynamicObject) -> Change {
        match kind {
            Kind::CloudAccount => self.accounts.apply(object),
            Kind::Environment => self.environments.apply(object),
            Kind::HostRole => self.roles.apply(object),
            Kind::RequiredCheck => self.checks.apply(object),
            Kind::MonitoringSystem => self.systems.apply(object),
            Kind::Exemption => self.exemptions.apply(object),
            Kind::RetirementPolicy => self.policies.apply(object),
            Kind::Retirement => self.retirements.apply(object),
            Kind::NotificationChannel => self.channels.apply(object),
        }
    }

    /// The newest known state of an object of this kind.
    pub fn resource_version(&self, kind: Kind, key: &ObjectKey) -> Option<u64> {
        match kind {
            Kind::CloudAccount => self.accounts.get(key).map(|entry| entry.resource_version),
            Kind::Environment => self.environments.get(key).map(|entry| entry.resource_version),
            Kind::HostRole => self.roles.get(key).map(|entry| entry.resource_version),
            Kind::RequiredCheck => self.checks.get(key).map(|entry| entry.resource_version),
            Kind::MonitoringSystem => self.systems.get(key).map(|entry| entry.resource_version),
            Kind::Exemption => self.exemptions.get(key).map(|entry| entry.resource_version),
            Kind::RetirementPolicy => self.policies.get(key).map(|entry| entry.resource_version),
            Kind::Retirement => self.retirements.get(key).map(|entry| entry.resource_version),
            Kind::NotificationChannel => self.channels.get(key).map(|entry| entry.resource_version),
        }
    }

    /// Have all first lists come? Until then nothing is decided: what is not listed yet is not absent.
    pub fn are_listed(&self) -> bool {
        self.what_is_awaited().is_empty()
    }

    /// The kinds whose first list has not come yet.
    pub fn what_is_awaited(&self) -> Vec<&'static str> {
        let kinds = [
            ("cloudaccounts", self.accounts.is_listed()),
            ("environments", self.environments.is_listed()),
            ("hostroles", self.roles.is_listed()),
            ("requiredchecks", self.checks.is_listed()),
            ("monitoringsystems", self.systems.is_listed()),
            ("exemptions", self.exemptions.is_listed()),
            ("retirementpolicies", self.policies.is_listed()),
            ("retirements", self.retirements.is_listed()),
            ("notificationchannels", self.channels.is_listed()),
            ("namespaces", self.namespaces.is_listed()),
            ("hosts", self.hosts.is_listed()),
        ];
        kinds.into_iter().filter(|(_, listed)| !listed).map(|(kind, _)| kind).collect()
    }
}

#[cfg(test)]
impl Stores {
    /// Every kind is listed, and `list` is told of each object between the begin and the end of the lists.
    pub(crate) fn listed(list: impl FnOnce(&Self)) -> Self {
        let stores = Self::default();
        stores.accounts.begin();
        stores.environments.begin();
        stores.roles.begin();
        stores.checks.begin();
        stores.systems.begin();
        stores.exemptions.begin();
        stores.policies.begin();
        stores.retirements.begin();
        stores.channels.begin();
        stores.hosts.begin();
        list(&stores);
        stores.accounts.complete();
        stores.environments.complete();
        stores.roles.complete();
        stores.checks.complete();
        stores.systems.complete();
        stores.exemptions.complete();
        stores.policies.complete();
        stores.retirements.complete();
        stores.channels.complete();
        stores.hosts.complete();
        stores.namespaces.take(Event::InitDone);
        stores
    }
}

/// Labels of all namespaces: grants select by them.
#[derive(Default)]
pub struct Namespaces {
    inner: RwLock<Labels>,
}

#[derive(Default)]
struct Labels {
    listed: bool,
    known: BTreeMap<String, BTreeMap<String, String>>,
    relisting: Option<BTreeMap<String, BTreeMap<String, String>>>,
    version: u64,
}

impl Namespaces {
    /// Has the first complete list come?
    pub fn is_listed(&self) -> bool {
        self.inner.read().listed
    }

    /// Grows with each change.
    pub fn version(&self) -> u64 {
        self.inner.read().version
    }

    /// Labels by namespace.
    pub fn labels(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        self.inner.read().known.clone()
    }

    pub(crate) fn take(&self, event: Event<PartialObjectMeta<Namespace>>) -> Change {
        let mut inner = self.inner.write();
        let before = (inner.listed, inner.version);
        match event {
            Event::Init => inner.relisting = Some(BTreeMap::new()),
            Event::InitApply(object) => {
                let (name, labels) = name_and_labels(object);
                inner.relisting.get_or_insert_default().insert(name, labels);
            }
            Event::InitDone => {
                let list = inner.relisting.take().unwrap_or_default();
                inner.version += u64::from(inner.known != list);
                inner.known = list;
                inner.listed = true;
            }
            Event::Apply(object) => {
                let (name, labels) = name_and_labels(object);
                let known = inner.known.insert(name, labels.clone());
                inner.version += u64::from(known != Some(labels));
            }
            Event::Delete(object) => {
                let gone = inner.known.remove(&object.name_any()).is_some();
                inner.version += u64::from(gone);
            }
        }
        if (inner.listed, inner.version) == before { Change::Nothing } else { Change::Meaning }
    }
}

fn name_and_labels(object: PartialObjectMeta<Namespace>) -> (String, BTreeMap<String, String>) {
    (object.metadata.name.unwrap_or_default(), object.metadata.labels.unwrap_or_default())
}

/// Watches everything until dropped.
///
/// # Errors
/// When a stream panics or ends.
pub async fn run(client: Client, stores: Arc<Stores>) -> anyhow::Result<()> {
    let mut streams = JoinSet::new();
    streams.spawn(watch_kind(client.clone(), Arc::clone(&stores), |s| &s.accounts));
    streams.spawn(watch_kind(client.clone(), Arc::clone(&stores), |s| &s.environments));
    streams.spawn(watch_kind(client.clone(), Arc::clone(&stores), |s| &s.roles));
    streams.spawn(watch_kind(client.clone(), Arc::clone(&stores), |s| &s.checks));
    streams.spawn(watch_kind(client.clone(), Arc::clone(&stores), |s| &s.systems));
    streams.spawn(watch_kind(client.clone(), Arc::clone(&stores), |s| &s.exemptions));
    streams.spawn(watch_kind(client.clone(), Arc::clone(&stores), |s| &s.policies));
    streams.spawn(watch_kind(client.clone(), Arc::clone(&stores), |s| &s.retirements));
    streams.spawn(watch_kind(client.clone(), Arc::clone(&stores), |s| &s.channels));
    streams.spawn(watch_namespaces(client.clone(), Arc::clone(&stores)));
    streams.spawn(watch_hosts(client, stores));
    while let Some(ended) = streams.join_next().await {
        ended?;
    }
    anyhow::bail!("the watches ended, which they never should")
}

fn config() -> watcher::Config {
    watcher::Config::default().timeout(WATCH_SECONDS).page_size(PAGE)
}

async fn watch_kind<K: Watched>(client: Client, stores: Arc<Stores>, pick: fn(&Stores) -> &Store<K>) {
    let resource = ApiResource::erase::<K>(&());
    let api: Api<DynamicObject> = Api::all_with(client, &resource);
    let store = pick(&stores);
    let mut events = std::pin::pin!(calm(watcher::watcher(api, config()), &resource.plural));
    while let Some(event) = events.next().await {
        let change = match event {
            Event::Init => {
                store.begin();
                Change::Nothing
            }
            Event::InitApply(object) => {
                store.listed(object);
                Change::Nothing
            }
            Event::InitDone => store.complete(),
            Event::Apply(object) => store.apply(object),
            Event::Delete(object) => store.delete(&object),
        };
        // A status that somebody else changed is put right with the next pass: a tick is soon enough.
        if change == Change::Meaning {
            stores.sources_changed.ring();
            stores.changed.ring();
        }
    }
}

async fn watch_namespaces(client: Client, stores: Arc<Stores>) {
    // Only metadata is asked for: there is nothing else in a namespace that concerns us.
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(client);
    let mut events = std::pin::pin!(calm(watcher::watcher(api, config()), "namespaces"));
    while let Some(event) = events.next().await {
        if stores.namespaces.take(event) == Change::Meaning {
            stores.sources_changed.ring();
            stores.changed.ring();
        }
    }
}

async fn watch_hosts(client: Client, stores: Arc<Stores>) {
    let resource = ApiResource::erase::<api::Host>(&());
    let api: Api<DynamicObject> = Api::all_with(client, &resource);
    let mut events = std::pin::pin!(calm(watcher::watcher(api, config()), &resource.plural));
    while let Some(event) = events.next().await {
        let change = match event {
            Event::Init => {
                stores.hosts.begin();
                Change::Nothing
            }
            Event::InitApply(object) => {
                stores.hosts.listed(&object);
                Change::Nothing
            }
            Event::InitDone => {
                let change = stores.hosts.complete();
                // Pollers wait for all lists too, and nothing else would tell them when this one was the last.
                stores.sources_changed.ring();
                change
            }
            Event::Apply(object) => stores.hosts.apply(&object),
            Event::Delete(object) => stores.hosts.deleted(&object),
        };
        if change == Change::Meaning {
            stores.changed.ring();
        }
    }
}

/// The stream without its errors: each is logged and followed by a pause of its own, growing to 30 s.
fn calm<K: Resource + Clone + Send>(
    events: impl Stream<Item = watcher::Result<Event<K>>> + Send,
    kind: &str,
) -> impl Stream<Item = Event<K>> + Send {
    let kind = kind.to_owned();
    events.default_backoff().filter_map(move |event| {
        let event = event
            .inspect_err(
                |error| tracing::warn!(%kind, error = %chain(error), "watch interrupted; it will be resumed"),
            )
            .ok();
        std::future::ready(event)
    })
}

/// The error with its causes, which name what was really wrong.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// How long a broken watch may go unnoticed, for the documentation and the tests of it.
pub const DEAD_WATCH_NOTICED_WITHIN: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 5);
