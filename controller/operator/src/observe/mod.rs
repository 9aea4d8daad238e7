//! Observe: one poller per place and per monitoring system, each at its own pace and with its own end of patience.
//!
//! A source that hangs, lies or refuses must never hold up another one, and never turns into an empty list. Nothing
//! here decides; pollers put readings on the [`Board`], and that is all.

mod account;
mod activity;
mod asserted;
mod board;
mod registry;
pub(crate) mod secrets;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use kube::Client;
use rollcall_engine::fleet::{Account, Fleet, System};
use rollcall_engine::ids::{ObjectKey, Place, RegistrationId};
use rollcall_engine::memory::Memory;
use rollcall_engine::reading::{Extent, FailureKind};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

pub use board::{Awaited, Board, unread};

use crate::clock::Clock;
use crate::lease::jittered;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::sources::Sources;
use crate::watch::{DesiredState, Stores};

/// What all pollers share.
pub struct Observer {
    /// For Secrets.
    pub client: Client,
    /// Intervals and limits.
    pub settings: Arc<Settings>,
    /// Who makes readers.
    pub sources: Arc<dyn Sources>,
    /// World time.
    pub clock: Clock,
    /// Where readings go.
    pub board: Arc<Board>,
    /// Which sources there are.
    pub stores: Arc<Stores>,
    /// Desired state, parsed.
    pub desired: Arc<DesiredState>,
    /// Memory while we lead and know it: a standby polls slowly.
    pub remembered: watch::Receiver<Option<Arc<Memory>>>,
    /// Counts polls.
    pub metrics: Arc<Metrics>,
}

/// Pollers of one kind, by source.
struct Pollers<K, T> {
    running: BTreeMap<K, (watch::Sender<Arc<T>>, AbortHandle)>,
    same: fn(&T, &T) -> bool,
}

/// Keeps one poller per source until dropped.
///
/// # Errors
/// When a poller panics.
pub async fn run(observer: Arc<Observer>) -> anyhow::Result<()> {
    let mut tasks = JoinSet::new();
    let mut places = Pollers { running: BTreeMap::new(), same: account::reads_the_same };
    let mut activities = Pollers { running: BTreeMap::new(), same: account::reads_the_same };
    let mut systems = Pollers {
        running: BTreeMap::new(),
        same: |a: &System, b| a.endpoint == b.endpoint && a.authority == b.authority,
    };
    let readers = account::Readers::default();
    let pool = Arc::new(registry::Pool::default());
    // It goes on hearing while a poller ends: what has rung must not be lost with a future that is dropped.
    let mut heard = std::pin::pin!(observer.stores.sources_changed.heard());
    loop {
        tokio::select! {
            () = &mut heard => heard.set(observer.stores.sources_changed.heard()),
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => {
                // A poller that was ended on purpose is no trouble; one that panicked is the end of us.
                if let Err(error) = ended && error.is_panic() {
                    return Err(error.into());
                }
                continue;
            }
        }
        if !observer.stores.are_listed() {
            continue;
        }
        let judged =
            observer.desired.judged(&observer.stores, observer.settings.library_namespace.as_deref());
        readers.keep_only(&judged.fleet);
        places.keep(
            wanted_places(&judged.fleet),
            |place, accounts| {
                observer.board.begin_place(place, observer.clock.now());
                tasks.spawn(account::poll(Arc::clone(&observer), place.clone(), accounts, readers.clone()))
            },
            |place| observer.board.end_place(place),
        );
        activities.keep(
            wanted_places(&judged.fleet),
            |place, accounts| {
                tasks.spawn(activity::poll(Arc::clone(&observer), place.clone(), accounts, readers.clone()))
            },
            |place| observer.board.end_activity(place),
        );
        systems.keep(
            wanted_systems(&judged.fleet),
            |key, definitions| {
                let product = definitions.borrow().endpoint.product();
                observer
                    .board
                    .begin_system(key, Arc::new(registry::not_yet(product, key, observer.clock.now())));
                tasks.spawn(registry::poll(
                    Arc::clone(&observer),
                    key.clone(),
                    definitions,
                    Arc::clone(&pool),
                ))
            },
            |key| {
                pool.leave(key);
                observer.board.end_system(key);
            },
        );
    }
}

fn wanted_places(fleet: &Fleet) -> BTreeMap<Place, Account> {
    fleet.places().map(|(place, account)| (place, account.clone())).collect()
}

fn wanted_systems(fleet: &Fleet) -> BTreeMap<ObjectKey, System> {
    fleet
        .used_systems()
        .into_iter()
        .filter_map(|key| Some((key.clone(), fleet.system(key)?.clone())))
        .collect()
}

impl<K: Ord + Clone + Hash, T> Pollers<K, T> {
    /// Begins what is new, ends what is no longer wanted, and tells the others what changed for them.
    fn keep(
        &mut self,
        wanted: BTreeMap<K, T>,
        mut begin: impl FnMut(&K, watch::Receiver<Arc<T>>) -> AbortHandle,
        mut end: impl FnMut(&K),
    ) {
        self.running.retain(|key, (_, task)| {
            let stays = wanted.contains_key(key);
            if !stays {
                task.abort();
                end(key);
            }
            stays
        });
        for (key, definition) in wanted {
            if let Some((tell, _)) = self.running.get(&key) {
                tell.send_if_modified(|known| {
                    let same = (self.same)(known, &definition);
                    *known = Arc::new(definition);
                    !same
                });
                continue;
            }
            let (tell, definitions) = watch::channel(Arc::new(definition));
            let task = begin(&key, definitions);
            self.running.insert(key, (tell, task));
        }
    }
}

impl Observer {
    fn is_leader(&self) -> bool {
        self.remembered.borrow().is_some()
    }

    /// Registrations that a system had when somebody last looked.
    fn known_registrations(&self, system: &ObjectKey) -> BTreeSet<RegistrationId> {
        let memory = self.remembered.borrow();
        let known = memory.as_ref().and_then(|memory| memory.systems.get(system));
        known.map(|known| known.registrations.values().flatten().cloned().collect()).unwrap_or_default()
    }

    /// Returns when the next poll is due: the time has come, the definition changed, or we became the leader.
    async fn until_due<T>(&self, interval: Duration, definitions: &mut watch::Receiver<Arc<T>>) {
        let leading = self.is_leader();
        let interval = if leading { interval } else { self.settings.standby_interval };
        let mut remembered = self.remembered.clone();
        tokio::select! {
            () = self.clock.sleep(jittered(interval)) => {}
            // An error means that the poller is being ended.
            _ = definitions.changed() => {}
            _ = remembered.wait_for(Option::is_some), if !leading => {}
        }
    }
}

/// How long a complete reading outlives passing trouble: one lost poll, jitter included, but not a second one.
fn patience(interval: Duration) -> SignedDuration {
    SignedDuration::try_from(interval.mul_f64(1.8)).unwrap_or(SignedDuration::ZERO)
}

/// Says in the log how a reading went.
fn tell(source: &str, extent: &Extent) {
    match extent {
        Extent::Complete { .. } => tracing::debug!(%source, "read completely"),
        Extent::Partial { missing, .. } => {
            let why =
                missing.first().map(|gap| format!("{}: {}", gap.what, gap.why.message)).unwrap_or_default();
            tracing::warn!(%source, %why, "read in part");
        }
        // Nobody has asked for it, or there is no such listing: that is no trouble of the source's.
        Extent::Failed { why, .. }
            if matches!(why.kind, FailureKind::NotYetRead | FailureKind::NotSupported) =>
        {
            tracing::debug!(%source, "not read");
        }
        Extent::Failed { why, .. } => {
            tracing::warn!(%source, kind = why.kind.as_str(), why = %why.message, "cannot be read");
        }
    }
}
