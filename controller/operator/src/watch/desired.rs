//! Desired state, assembled from the stores and parsed once per change.
//!
//! An object that cannot be read is left out and told as a problem; it disturbs no other.

use std::sync::Arc;

use parking_lot::Mutex;
use rollcall_engine::fleet::{Desired, Fleet, Kind, Problem};
use rollcall_engine::ids::ObjectKey;

use super::Stores;
use super::kinds::Watched;
use super::store::{Malformed, Store};

/// Desired state as people wrote it, and as it is understood.
#[derive(Debug, Default)]
pub struct Judged {
    /// As written: part of every recording.
    pub desired: Desired,
    /// As understood.
    pub fleet: Fleet,
    /// What could not be understood.
    pub problems: Vec<Problem>,
    /// What is understood, and cannot be done here.
    pub obstacles: Vec<Problem>,
}

/// Parses desired state when, and only when, it changed.
#[derive(Default)]
pub struct DesiredState {
    last: Mutex<Option<(Versions, Arc<Judged>)>>,
}

type Versions = [u64; 10];

impl DesiredState {
    /// Desired state as it is now.
    pub fn judged(&self, stores: &Stores, library: Option<&str>) -> Arc<Judged> {
        let now = versions(stores);
        let mut last = self.last.lock();
        if let Some((versions, judged)) = &*last
            && *versions == now
        {
            return Arc::clone(judged);
        }
        let judged = Arc::new(judge(stores, library));
        *last = Some((now, Arc::clone(&judged)));
        judged
    }
}

fn versions(stores: &Stores) -> Versions {
    [
        stores.accounts.version(),
        stores.environments.version(),
        stores.roles.version(),
        stores.checks.version(),
        stores.systems.version(),
        stores.exemptions.version(),
        stores.policies.version(),
        stores.retirements.version(),
        stores.channels.version(),
        stores.namespaces.version(),
    ]
}

fn judge(stores: &Stores, library: Option<&str>) -> Judged {
    let mut unreadable = Vec::new();
    let mut desired = Desired {
        accounts: readable(&stores.accounts, &mut unreadable),
        environments: readable(&stores.environments, &mut unreadable),
        roles: readable(&stores.roles, &mut unreadable),
        checks: readable(&stores.checks, &mut unreadable),
        systems: readable(&stores.systems, &mut unreadable),
        exemptions: readable(&stores.exemptions, &mut unreadable),
        policies: readable(&stores.policies, &mut unreadable),
        // They stand in the desired state as people see them: without what we say of them, like all others.
        retirements: readable(&stores.retirements, &mut unreadable),
        channels: readable(&stores.channels, &mut unreadable),
        namespaces: stores.namespaces.labels(),
        library: library.map(str::to_owned),
        ..Desired::default()
    };
    desired.unreadable = unreadable;
    let (fleet, problems) = Fleet::parse(&desired);
    let obstacles = homeless(&desired, &fleet);
    Judged { desired, fleet, problems, obstacles }
}

/// Accounts whose unclaimed hosts have nowhere to be shown.
fn homeless(desired: &Desired, fleet: &Fleet) -> Vec<Problem> {
    let accounts =
        fleet.accounts().filter_map(|account| Some((account, account.unclaimed_namespace.as_deref()?)));
    let homeless = accounts.filter(|(_, namespace)| !desired.namespaces.contains_key(*namespace));
    homeless
        .map(|(account, namespace)| Problem {
            kind: Kind::CloudAccount,
            namespace: String::new(),
            name: account.name.to_string(),
            reason: "NamespaceNotFound".to_owned(),
            message: format!(
                "spec.unclaimedNamespace: expected a namespace, found none called {namespace:?}; hosts that nobody claims are only counted. Create it: kubectl create namespace {namespace}"
            ),
        })
        .collect()
}

/// The readable objects, without their statuses: those are our own words.
fn readable<K: Watched>(store: &Store<K>, problems: &mut Vec<Problem>) -> Vec<K> {
    let mut objects = Vec::new();
    for (key, entry) in store.entries() {
        match entry.object {
            Ok(object) => {
                let mut object = K::clone(&object);
                *object.status_mut() = None;
                objects.push(object);
            }
            Err(malformed) => problems.push(problem::<K>(&key, &malformed)),
        }
    }
    objects
}

fn problem<K: Watched>(key: &ObjectKey, malformed: &Malformed) -> Problem {
    Problem {
        kind: K::KIND,
        namespace: key.namespace.to_string(),
        name: key.name.to_string(),
        reason: "Malformed".to_owned(),
        message: format!(
            "{}; this version of Rollcall cannot read the object and acts as if it were not there. Write that field as `kubectl explain {}` says.",
            malformed.why,
            K::plural(&()),
        ),
    }
}
