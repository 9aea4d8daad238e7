//! Writes what changed in memory: each shard at most once a minute, and all of it at shutdown. Compare-and-swap only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, PostParams, Preconditions};
use rollcall_engine::memory::Memory;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::MemoryError;
use super::load::{Loaded, Stored};
use super::maps::{self, Slot};
use super::shard::{self, Encoded, ShardId};
use crate::act::Budget;
use crate::calls::{CallError, bounded};
use crate::metrics::Metrics;

/// A change is written so much later, with all that followed it.
const SETTLE: Duration = Duration::from_secs(2);

/// Keeps memory for one term.
pub struct Keeper {
    api: Api<ConfigMap>,
    owner: String,
    interval: Duration,
    budget: Arc<Budget>,
    metrics: Arc<Metrics>,
    stored: BTreeMap<ShardId, Stored>,
    written: BTreeMap<ShardId, Instant>,
    /// Memory when we last looked at it, and the shards that could not be written then.
    seen: Arc<Memory>,
    behind: BTreeSet<ShardId>,
    /// At shutdown there is no time to keep to the budget.
    hurry: bool,
}

impl Keeper {
    /// Goes on from what was loaded.
    #[must_use]
    pub fn new(
        api: Api<ConfigMap>,
        owner: &str,
        interval: Duration,
        budget: Arc<Budget>,
        metrics: Arc<Metrics>,
        loaded: &Loaded,
    ) -> Self {
        Self {
            api,
            owner: owner.to_owned(),
            interval,
            budget,
            metrics,
            stored: loaded.stored.clone(),
            written: BTreeMap::new(),
            seen: Arc::clone(&loaded.memory),
            behind: BTreeSet::new(),
            hurry: false,
        }
    }

    /// Keeps what it is told until told to stop, then writes the rest.
    ///
    /// # Errors
    /// [`MemoryError::Conflict`] when somebody else wrote: then ours is not the memory to go on from. Other trouble is
    /// logged and tried again.
    pub async fn run(
        &mut self,
        mut memory: watch::Receiver<Arc<Memory>>,
        stop: &CancellationToken,
    ) -> Result<(), MemoryError> {
        let mut due: Option<Instant> = None;
        loop {
            let stopping = tokio::select! {
                () = stop.cancelled() => true,
                Ok(()) = memory.changed() => {
                    // The first passes after a change bring more of it: one write for all of them.
                    due.get_or_insert_with(|| Instant::now() + SETTLE.min(self.interval));
                    continue;
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => false,
            };
            let now = Arc::clone(&memory.borrow_and_update());
            self.hurry = stopping;
            due = self.keep(&now).await?;
            if stopping {
                return Ok(());
            }
        }
    }

    /// Writes the shards that changed and may be written now. Returns when to look again.
    async fn keep(&mut self, memory: &Arc<Memory>) -> Result<Option<Instant>, MemoryError> {
        let known: BTreeSet<ShardId> = self.stored.keys().cloned().collect();
        let seen = std::mem::replace(&mut self.seen, Arc::clone(memory));
        let mut due: Option<Instant> = None;
        for id in shard::ids(memory).union(&known) {
            if !self.behind.contains(id) && shard::is_same(&seen, memory, id) {
                continue;
            }
            let earliest = self.written.get(id).map(|written| *written + self.interval);
            let earliest = match earliest {
                Some(earliest) if !self.hurry && earliest > Instant::now() => earliest,
                _ => match self.keep_shard(memory, id).await {
                    Ok(()) => {
                        self.behind.remove(id);
                        continue;
                    }
                    Err(error @ MemoryError::Conflict { .. }) => return Err(error),
                    Err(error) => {
                        tracing::error!(shard = %id, %error, "cannot keep memory; trying again");
                        Instant::now() + self.interval.min(Duration::from_secs(10))
                    }
                },
            };
            self.behind.insert(id.clone());
            due = Some(due.map_or(earliest, |due| due.min(earliest)));
        }
        self.metrics.remembers(self.stored.len(), self.stored.values().map(|stored| stored.bytes).sum());
        Ok(due)
    }

    async fn spend(&self) {
        if !self.hurry {
            self.budget.spend().await;
        }
    }

    async fn keep_shard(&mut self, memory: &Arc<Memory>, id: &ShardId) -> Result<(), MemoryError> {
        let encoded = {
            let (memory, id) = (Arc::clone(memory), id.clone());
            tokio::task::spawn_blocking(move || shard::encode(&memory, &id)).await
        };
        let encoded = match encoded {
            Ok(Ok(encoded)) => encoded,
            Ok(Err(error)) => return Err(self.unwritable(id, &error)),
            Err(panic) => return Err(self.unwritable(id, &panic)),
        };
        match encoded {
            Some(encoded)
                if self.stored.get(id).is_some_and(|stored| stored.head.digest == encoded.digest) =>
            {
                Ok(())
            }
            Some(encoded) => {
                let parts = self.write(id, &encoded).await?;
                tracing::debug!(shard = %id, bytes = encoded.bytes.len(), parts, "memory kept");
                self.written.insert(id.clone(), Instant::now());
                Ok(())
            }
            None => self.remove(id).await,
        }
    }

    fn unwritable(&self, id: &ShardId, why: &dyn std::fmt::Display) -> MemoryError {
        MemoryError::Unreadable {
            object: maps::head_name(&self.owner, id),
            why: format!("cannot be packed: {why}"),
        }
    }

    /// Writes parts, then the head; then removes the parts that the head no longer names.
    async fn write(&mut self, id: &ShardId, encoded: &Encoded) -> Result<usize, MemoryError> {
        let known = self.stored.get(id).cloned();
        let slot = known.as_ref().map_or(Slot::A, |stored| stored.head.slot.other());
        let (parts, mut head) = maps::maps(&self.owner, id, encoded, slot);
        for part in &parts {
            self.write_part(part).await?;
        }
        head.metadata.resource_version = known.as_ref().map(|stored| stored.resource_version.clone());
        let head = match self.write_head(&head, known.as_ref()).await {
            Err(error) if error.is_conflict() || error.is_not_found() => {
                self.after_conflict(id, &head, known.as_ref()).await?
            }
            written => written.map_err(|source| call(name(&head), source))?,
        };
        let (_, told) = maps::read_head(&head)?;
        let resource_version = head.metadata.resource_version.clone().unwrap_or_default();
        self.stored.insert(id.clone(), Stored { resource_version, head: told, bytes: encoded.bytes.len() });
        self.metrics.wrote("ConfigMap", "Written");
        if let Some(known) = known {
            self.remove_parts(&name(&head), &known).await;
        }
        Ok(parts.len() + 1)
    }

    async fn write_head(&self, head: &ConfigMap, known: Option<&Stored>) -> Result<ConfigMap, CallError> {
        self.spend().await;
        match known {
            Some(_) => bounded(self.api.replace(&name(head), &PostParams::default(), head)).await,
            None => bounded(self.api.create(&PostParams::default(), head)).await,
        }
    }

    /// The head is not as we left it. A person's label, or its deletion, is no other memory; another digest is.
    async fn after_conflict(
        &self,
        id: &ShardId,
        head: &ConfigMap,
        known: Option<&Stored>,
    ) -> Result<ConfigMap, MemoryError> {
        let object = name(head);
        let found =
            bounded(self.api.get_opt(&object)).await.map_err(|source| call(object.clone(), source))?;
        let mut again = head.clone();
        let Some(found) = found else {
            tracing::warn!(shard = %id, "memory was deleted; writing it again");
            again.metadata.resource_version = None;
            return self.write_head(&again, None).await.map_err(|source| call(object, source));
        };
        let (_, told) = maps::read_head(&found)?;
        if known.is_none_or(|known| known.head != told) {
            return Err(MemoryError::Conflict { object });
        }
        again.metadata.resource_version = found.metadata.resource_version;
        self.write_head(&again, known).await.map_err(|source| call(object, source))
    }

    /// A part counts only through a head, so whoever's is there may be replaced.
    async fn write_part(&self, part: &ConfigMap) -> Result<(), MemoryError> {
        self.spend().await;
        let object = name(part);
        let created = bounded(self.api.create(&PostParams::default(), part)).await;
        let written = match created {
            Err(error) if error.is_conflict() => {
                bounded(self.api.replace(&object, &PostParams::default(), part)).await
            }
            created => created,
        };
        self.metrics.wrote("ConfigMap", written.as_ref().map_or_else(CallError::kind, |_| "Written"));
        written.map(drop).map_err(|source| call(object, source))
    }

    async fn remove(&mut self, id: &ShardId) -> Result<(), MemoryError> {
        let Some(known) = self.stored.get(id).cloned() else { return Ok(()) };
        let object = maps::head_name(&self.owner, id);
        let preconditions =
            Preconditions { resource_version: Some(known.resource_version.clone()), uid: None };
        let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        self.spend().await;
        match bounded(self.api.delete(&object, &params)).await {
            Ok(_) => {}
            Err(error) if error.is_not_found() => {}
            Err(error) if error.is_conflict() => return Err(MemoryError::Conflict { object }),
            Err(source) => return Err(call(object, source)),
        }
        self.remove_parts(&object, &known).await;
        self.stored.remove(id);
        Ok(())
    }

    /// Parts that no head names are only litter: a failure is told, and they are overwritten the next time but one.
    async fn remove_parts(&self, head: &str, known: &Stored) {
        for part in 1..known.head.parts {
            let part = maps::part_name(head, known.head.slot, part);
            self.spend().await;
            match bounded(self.api.delete(&part, &DeleteParams::default())).await {
                Err(error) if !error.is_not_found() => {
                    tracing::warn!(%part, %error, "cannot remove an old part of memory");
                }
                _ => {}
            }
        }
    }
}

fn name(map: &ConfigMap) -> String {
    map.metadata.name.clone().unwrap_or_default()
}

fn call(object: String, source: CallError) -> MemoryError {
    MemoryError::Call { object, source }
}
