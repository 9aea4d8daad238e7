//! Polls one monitoring system. Objects that reach the same one with the same key share its reader and its readings,
//! so that fifty teams in one Mackerel organisation cost one poll.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rollcall_engine::fleet::{Kind, Problem, System};
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::reading::{Extent, Failure, FailureKind};
use rollcall_engine::registry::{Checks, Product, Registry};
use tokio::sync::watch;
use tracing::Instrument as _;

use super::board::{RegistryHearing, unread};
use super::secrets::{NoSecret, Wanted};
use super::{Observer, patience, secrets, tell};
use crate::sources::{Fingerprint, Proofs, RegistryReader, Secrets};

/// Readers by what makes them the same source. Each lives as long as one object uses it.
#[derive(Default)]
pub(super) struct Pool {
    shared: Mutex<Shared>,
}

#[derive(Default)]
struct Shared {
    sources: BTreeMap<Fingerprint, Arc<Source>>,
    users: BTreeMap<ObjectKey, Fingerprint>,
}

/// One system behind one or many objects.
struct Source {
    state: tokio::sync::Mutex<State>,
}

struct State {
    reader: Box<dyn RegistryReader>,
    last: Option<Last>,
    hearing: RegistryHearing,
}

struct Last {
    begun: Timestamp,
    proofs: Proofs,
    registry: Arc<Registry>,
}

/// What the board says of a system that nobody has asked yet.
pub(super) fn not_yet(product: Product, key: &ObjectKey, now: Timestamp) -> Registry {
    unread(None, product, &key.to_string(), now, &Failure::new(FailureKind::NotYetRead, "not read yet"))
}

/// Polls until ended.
pub(super) async fn poll(
    observer: Arc<Observer>,
    key: ObjectKey,
    mut systems: watch::Receiver<Arc<System>>,
    pool: Arc<Pool>,
) {
    let mut hearing = RegistryHearing::default();
    loop {
        let system = Arc::clone(&systems.borrow_and_update());
        let span = tracing::info_span!("poll", source = %key);
        let proofs = if observer.is_leader() { Proofs::Renew } else { Proofs::Spare };
        let registry = match source(&observer, &system, &pool).instrument(span.clone()).await {
            Ok(source) => {
                observer.board.set_obstacle(Kind::MonitoringSystem, &key, None);
                source.read(&observer, &system, proofs).instrument(span).await
            }
            Err(none) => {
                observer.board.set_obstacle(Kind::MonitoringSystem, &key, none.problem.as_ref());
                unreadable(&observer, &system, &none.failure, &mut hearing)
            }
        };
        // When a term has begun meanwhile, what was read without its memory is no answer to it.
        if proofs == Proofs::Spare && observer.is_leader() {
            continue;
        }
        observer.board.put_system(&key, registry);
        observer.until_due(observer.settings.registry_interval, &mut systems).await;
    }
}

/// The shared source of this object, made if nobody uses it yet.
async fn source(observer: &Observer, system: &System, pool: &Pool) -> Result<Arc<Source>, NoSecret> {
    let mut secrets = Vec::new();
    for needed in system.secrets() {
        let wanted = Wanted {
            kind: Kind::MonitoringSystem,
            object: &system.key,
            field: needed.field,
            namespace: &system.key.namespace,
            name: needed.name,
            keys: &needed.keys,
        };
        let secret = secrets::read(&observer.client, &observer.settings, &wanted).await?;
        secrets.push((needed.name.to_owned(), secret));
    }
    let secrets: Secrets = secrets.into_iter().collect();
    let fingerprint = observer.sources.fingerprint(system, &secrets);
    if let Some(source) = pool.join(&system.key, &fingerprint) {
        return Ok(source);
    }
    let reader = observer.sources.registry(system, &secrets).await.map_err(|failure| NoSecret {
        problem: (failure.kind == FailureKind::Misconfigured).then(|| Problem {
            kind: Kind::MonitoringSystem,
            namespace: system.key.namespace.to_string(),
            name: system.key.name.to_string(),
            reason: failure.kind.as_str().to_owned(),
            message: failure.message.clone(),
        }),
        failure,
    })?;
    Ok(pool.share(&system.key, fingerprint, reader))
}

impl Pool {
    /// The object uses this source from now on, if somebody has made it.
    fn join(&self, user: &ObjectKey, fingerprint: &Fingerprint) -> Option<Arc<Source>> {
        let mut shared = self.shared.lock();
        let source = Arc::clone(shared.sources.get(fingerprint)?);
        shared.users.insert(user.clone(), fingerprint.clone());
        shared.drop_unused();
        Some(source)
    }

    fn share(
        &self,
        user: &ObjectKey,
        fingerprint: Fingerprint,
        reader: Box<dyn RegistryReader>,
    ) -> Arc<Source> {
        let mut shared = self.shared.lock();
        // Another object may have made it while we did; then ours is dropped.
        let source =
            shared.sources.entry(fingerprint.clone()).or_insert_with(|| Arc::new(Source::new(reader)));
        let source = Arc::clone(source);
        shared.users.insert(user.clone(), fingerprint);
        shared.drop_unused();
        source
    }

    /// The object is no longer polled.
    pub(super) fn leave(&self, user: &ObjectKey) {
        let mut shared = self.shared.lock();
        shared.users.remove(user);
        shared.drop_unused();
    }
}

impl Shared {
    fn drop_unused(&mut self) {
        let Self { sources, users } = self;
        sources.retain(|fingerprint, _| users.values().any(|used| used == fingerprint));
    }
}

impl Source {
    fn new(reader: Box<dyn RegistryReader>) -> Self {
        Self {
            state: tokio::sync::Mutex::new(State { reader, last: None, hearing: RegistryHearing::default() }),
        }
    }

    /// The newest registry: the one that another object's poll has just brought, or one read now.
    async fn read(&self, observer: &Observer, system: &System, proofs: Proofs) -> Arc<Registry> {
        let settings = &observer.settings;
        let mut state = self.state.lock().await;
        if proofs == Proofs::Renew && state.last.as_ref().is_none_or(|last| last.proofs == Proofs::Spare) {
            state.last = None;
            state.reader.remember(observer.known_registrations(&system.key));
        }
        let now = observer.clock.now();
        let young = SignedDuration::try_from(settings.registry_interval / 2).unwrap_or(SignedDuration::ZERO);
        if let Some(last) = &state.last
            && now.duration_since(last.begun) < young
        {
            return Arc::clone(&last.registry);
        }
        let known = state.last.as_ref().map(|last| Arc::clone(&last.registry));
        let read = tokio::time::timeout(settings.source_timeout, state.reader.read(now, proofs)).await;
        let new = read.unwrap_or_else(|_| {
            let why = format!("no end within {} s", settings.source_timeout.as_secs());
            let why = Failure::new(FailureKind::TimedOut, why);
            unread(known.as_deref(), system.endpoint.product(), &system.key.to_string(), now, &why)
        });
        observer.metrics.polled("registrations", &new.hosts.extent);
        tell_all(&new);
        let patience = patience(settings.registry_interval);
        let settled = match known {
            Some(known) => state.hearing.hear(&known, new, patience, observer.clock.now()),
            None => new,
        };
        let registry = Arc::new(settled);
        state.last = Some(Last { begun: now, proofs, registry: Arc::clone(&registry) });
        registry
    }
}

/// Says in the log how a reading went; of one without hosts only that, for the rest has the same trouble.
fn tell_all(registry: &Registry) {
    tell(&registry.hosts.source, &registry.hosts.extent);
    if matches!(registry.hosts.extent, Extent::Failed { .. }) {
        return;
    }
    tell(&registry.services.source, &registry.services.extent);
    tell(&registry.monitors.source, &registry.monitors.extent);
    tell(&registry.last_metric.source, &registry.last_metric.extent);
    if let Some(notifications) = &registry.notifications {
        tell(&notifications.source, &notifications.extent);
    }
    if let Checks::Listed(checks) = &registry.checks {
        tell(&checks.source, &checks.extent);
    }
}

/// The object's own trouble: no Secret, no reader. What was known of the system is held as for any passing trouble.
fn unreadable(
    observer: &Observer,
    system: &System,
    why: &Failure,
    hearing: &mut RegistryHearing,
) -> Arc<Registry> {
    let now = observer.clock.now();
    tracing::warn!(source = %system.key, kind = why.kind.as_str(), why = %why.message, "cannot be read");
    let known = observer.board.system(&system.key);
    let new = unread(known.as_deref(), system.endpoint.product(), &system.key.to_string(), now, why);
    Arc::new(match known {
        Some(known) => hearing.hear(&known, new, patience(observer.settings.registry_interval), now),
        None => new,
    })
}
