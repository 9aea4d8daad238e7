//! Act: performs what the last pass wants written, first what people wrote, then hosts; within one budget, a few at a
//! time, and only while the lease is held.
//!
//! Nothing is decided here, and nothing outside Kubernetes is ever touched.

mod budget;
mod calls;
mod events;
mod mailbox;
mod queue;
mod rest;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use kube::api::DynamicObject;
use parking_lot::Mutex;
use rollcall_engine::fleet::Kind;
use rollcall_engine::ids::ObjectKey;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

pub use budget::Budget;
pub use calls::{Calls, FIELD_MANAGER, HostNow};
pub use events::Events;
pub use mailbox::Mailbox;

use crate::calls::CallError;
use crate::lease::Term;
use crate::metrics::Metrics;
use crate::status::{HostWrite, ObjectWrite, RetirementWrite, Writes, grouped};
use crate::watch::{Change, Stores};
use queue::{Job, Queue};
use rest::Rest;

/// While a wave of first writes is under way, progress is told this often.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// Writes under way when we are told to stop have this long to end.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// Performs writes for one term.
pub struct Act {
    calls: Calls,
    events: Events,
    budget: Arc<Budget>,
    concurrency: usize,
    stores: Arc<Stores>,
    metrics: Arc<Metrics>,
    term: Term,
    said: Mutex<Said>,
}

/// What we have said in this term, and what could not be said.
#[derive(Default)]
struct Said {
    written: BTreeMap<(Kind, ObjectKey), (u64, u64)>,
    objects: Rest<(Kind, ObjectKey)>,
    hosts: Rest<ObjectKey>,
    namespaces: Rest<Arc<str>>,
    progress: Option<Instant>,
}

impl Act {
    /// The hands of one term.
    #[must_use]
    pub fn new(
        calls: Calls,
        events: Events,
        budget: Arc<Budget>,
        concurrency: usize,
        stores: Arc<Stores>,
        metrics: Arc<Metrics>,
        term: Term,
    ) -> Self {
        Self { calls, events, budget, concurrency, stores, metrics, term, said: Mutex::default() }
    }

    /// What we wrote on objects in this term, for the comparison of the next pass.
    #[must_use]
    pub fn written(&self) -> BTreeMap<(Kind, ObjectKey), (u64, u64)> {
        self.said.lock().written.clone()
    }

    /// Is this Host object to be left alone for a while?
    #[must_use]
    pub fn is_resting(&self, key: &ObjectKey) -> bool {
        let said = self.said.lock();
        said.namespaces.is_resting(&key.namespace) || said.hosts.is_resting(key)
    }

    /// Is it time to tell progress again? Asking takes the turn.
    #[must_use]
    pub fn take_progress_turn(&self) -> bool {
        let mut said = self.said.lock();
        let due = said.progress.is_none_or(|last| last.elapsed() >= PROGRESS_EVERY);
        if due {
            said.progress = Some(Instant::now());
        }
        due
    }

    /// Writes what the mailbox brings until told to stop; then ends what is under way and drops the rest.
    pub async fn run(&self, wanted: &Mailbox<Writes>, stop: &CancellationToken) {
        let mut queue = Queue::default();
        let mut under_way: FuturesUnordered<BoxFuture<'_, Job>> = FuturesUnordered::new();
        let mut news: FuturesUnordered<BoxFuture<'_, ()>> = FuturesUnordered::new();
        let mut progress = interval(PROGRESS_EVERY);
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let may_begin = under_way.len() < self.concurrency && !queue.is_empty() && self.term.is_live();
            self.metrics.pending(queue.len() + under_way.len());
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                mut writes = wanted.take() => {
                    tell_progress(&writes);
                    let told = std::mem::take(&mut writes.news);
                    if !told.is_empty() && self.term.is_live() {
                        news.push(Box::pin(async move { self.events.publish(&told, &self.budget).await }));
                    }
                    let said = self.said.lock();
                    queue.replace(writes, |object| said.objects.is_resting(object));
                }
                Some(()) = news.next(), if !news.is_empty() => {}
                Some(job) = under_way.next(), if !under_way.is_empty() => {
                    if queue.done(&job) {
                        self.stores.changed.ring();
                    }
                }
                () = self.budget.spend(), if may_begin => {
                    if let Some(job) = self.next(&mut queue) {
                        under_way.push(Box::pin(self.perform(job)));
                    }
                }
                // Counts move while hosts are written: somebody has to look, or progress would not show.
                _ = progress.tick(), if queue.is_wave() => self.stores.changed.ring(),
                () = until(self.next_try()), if queue.is_empty() => self.stores.changed.ring(),
            }
        }
        let last = timeout(LAST_WRITES, async { while under_way.next().await.is_some() {} });
        if last.await.is_err() {
            tracing::warn!("writes under way were given up at shutdown; the next replica makes them");
        }
    }

    /// The next write that is still needed: a pass that was made while others were written wants some of them again.
    fn next(&self, queue: &mut Queue) -> Option<Job> {
        loop {
            let job = queue.begin()?;
            let is_done = match &job {
                Job::Object(write) => {
                    let said = self.said.lock();
                    let target = (write.kind, write.key.clone());
                    said.written.get(&target).is_some_and(|(version, hash)| {
                        *hash == write.hash
                            && self.stores.resource_version(write.kind, &write.key) == Some(*version)
                    })
                }
                Job::Host(write) => write.is_done(&self.stores.hosts),
                // What was decided on another version is not written: the API server would say no, and so do we.
                Job::Retirement(write) => write.is_late(&self.stores.retirements),
            };
            if !is_done {
                return Some(job);
            }
            if queue.done(&job) {
                self.stores.changed.ring();
            }
        }
    }

    async fn perform(&self, job: Job) -> Job {
        match &job {
            Job::Retirement(write) => self.retirement(write).await,
            Job::Object(write) => self.object(write).await,
            Job::Host(write) => self.host(write).await,
        }
        job
    }

    async fn object(&self, write: &ObjectWrite) {
        let target = (write.kind, write.key.clone());
        match self.calls.object(write).await {
            Ok(object) => {
                self.metrics.wrote(write.kind.as_str(), "Written");
                let version =
                    object.metadata.resource_version.as_deref().and_then(|v| v.parse().ok()).unwrap_or(0);
                {
                    let mut said = self.said.lock();
                    said.objects.worked(&target);
                    said.written.insert(target, (version, write.hash));
                }
                self.take_back(write.kind, object);
                self.events.publish(&write.notices, &self.budget).await;
            }
            // It was deleted meanwhile, or made anew under its name: the watch will say so.
            Err(error) if error.is_not_found() || error.is_conflict() => {
                self.metrics.wrote(write.kind.as_str(), error.kind());
                self.said.lock().objects.failed(&target);
            }
            Err(error) => {
                self.metrics.wrote(write.kind.as_str(), error.kind());
                self.said.lock().objects.failed(&target);
                tracing::warn!(kind = write.kind.as_str(), object = %write.key, %error, "cannot write the status");
            }
        }
    }

    async fn retirement(&self, write: &RetirementWrite) {
        let target = (Kind::Retirement, write.key().clone());
        match self.calls.retirement(write).await {
            Ok(Some(object)) => {
                self.metrics.wrote(Kind::Retirement.as_str(), "Written");
                self.said.lock().objects.worked(&target);
                self.take_back(Kind::Retirement, object);
                if let RetirementWrite::Replace { notices, .. } = write {
                    self.events.publish(notices, &self.budget).await;
                }
                // One step follows the other.
                self.stores.changed.ring();
            }
            Ok(None) => {
                self.metrics.wrote(Kind::Retirement.as_str(), "Written");
                self.said.lock().objects.worked(&target);
            }
            Err(error) => {
                self.metrics.wrote(Kind::Retirement.as_str(), error.kind());
                self.said.lock().objects.failed(&target);
                // Somebody was faster, or it is gone: the watch says so, and it is looked at again.
                if !(error.is_not_found() || error.is_conflict()) {
                    tracing::warn!(object = %write.key(), %error, "cannot write a retirement");
                }
            }
        }
    }

    /// The answer to our write is newer than what the watch has brought: without it the next pass would write again.
    fn take_back(&self, kind: Kind, object: DynamicObject) {
        // Somebody changed the object just before us, and its watch event will be taken for an echo.
        if self.stores.apply(kind, object) == Change::Meaning {
            self.stores.sources_changed.ring();
            self.stores.changed.ring();
        }
    }

    async fn host(&self, write: &HostWrite) {
        let key = write.key();
        match self.calls.host(write).await {
            Ok(now) => {
                self.metrics.wrote("Host", "Written");
                let mut said = self.said.lock();
                said.hosts.worked(key);
                said.namespaces.worked(&key.namespace);
                drop(said);
                match now {
                    HostNow::There(object, meaning) => self.stores.hosts.wrote(&object, meaning),
                    HostNow::Gone => drop(self.stores.hosts.delete(key)),
                }
            }
            Err(error) => {
                self.metrics.wrote("Host", error.kind());
                self.host_failed(key, &error);
            }
        }
    }

    fn host_failed(&self, key: &ObjectKey, error: &CallError) {
        let mut said = self.said.lock();
        // A namespace that is going away, or was never there, refuses all its hosts alike.
        let whole = matches!(error.code(), Some(403 | 404));
        let first = !said.namespaces.is_resting(&key.namespace) && !said.hosts.is_resting(key);
        if whole {
            said.namespaces.failed(&key.namespace);
        } else {
            said.hosts.failed(key);
        }
        drop(said);
        if first {
            tracing::warn!(object = %key, %error, whole_namespace = whole, "cannot write a host; others come first");
        }
    }

    fn next_try(&self) -> Option<Instant> {
        let said = self.said.lock();
        [said.objects.next(), said.hosts.next(), said.namespaces.next()].into_iter().flatten().min()
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

fn tell_progress(writes: &Writes) {
    if writes.tells_progress && writes.progress.is_under_way(&[]) {
        let (written, wanted) = (grouped(writes.progress.written), grouped(writes.progress.wanted));
        tracing::info!("first writes: {written} of {wanted} hosts written");
    }
}
