//! Decide: one whole roll call after every change, in order, away from the threads that do I/O.
//!
//! The decision itself is the engine's; here stands only when it is made and what it is made of.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use rollcall_engine::fleet::Problem;
use rollcall_engine::memory::Memory;
use rollcall_engine::rollcall::roll_call;
use rollcall_engine::snapshot::Snapshot;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::act::{Act, Mailbox};
use crate::clock::Clock;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::observe::{Awaited, Board};
use crate::settings::Settings;
use crate::status::{Known, Telling, Writes, diff};
use crate::watch::{DesiredState, Judged, Stores};

/// How often the first lists are looked for at the begin.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What the last pass was made of: a recording, before it is cut to whoever asks for it.
#[derive(Clone, Debug)]
pub struct LastPass {
    /// World time of the pass.
    pub now: Timestamp,
    /// Desired state.
    pub judged: Arc<Judged>,
    /// All readings.
    pub snapshot: Snapshot,
    /// Memory before the pass.
    pub memory: Arc<Memory>,
}

/// Where the last pass is kept for the recording endpoint.
pub type Recorded = Mutex<Option<Arc<LastPass>>>;

/// Everything that decisions are made of, and where they go.
pub struct Decide {
    /// Intervals.
    pub settings: Arc<Settings>,
    /// World time.
    pub clock: Clock,
    /// What the API server says.
    pub stores: Arc<Stores>,
    /// Desired state, parsed.
    pub desired: Arc<DesiredState>,
    /// Readings.
    pub board: Arc<Board>,
    /// Tells of good passes.
    pub health: Arc<Health>,
    /// Counts passes.
    pub metrics: Arc<Metrics>,
    /// Keeps the last pass.
    pub recorded: Arc<Recorded>,
}

/// What one pass is made of.
struct Input {
    now: Timestamp,
    judged: Arc<Judged>,
    snapshot: Snapshot,
    memory: Arc<Memory>,
    awaited: Awaited,
    obstacles: Vec<Problem>,
}

impl Decide {
    /// Makes passes until told to stop: at once, after every change, and each tick.
    ///
    /// # Errors
    /// When a pass panics: then nothing that follows could be trusted.
    pub async fn run(
        &self,
        memory: &watch::Sender<Arc<Memory>>,
        act: &Arc<Act>,
        wanted: &Mailbox<Writes>,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        while !self.stores.are_listed() {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        loop {
            let writes = self.pass(memory, act).await?;
            wanted.put(writes);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = self.stores.changed.heard() => {}
                () = self.clock.sleep(self.settings.tick) => {}
                () = self.end_of_grace() => {}
            }
        }
    }

    async fn pass(&self, memory: &watch::Sender<Arc<Memory>>, act: &Arc<Act>) -> anyhow::Result<Writes> {
        let input = self.input(Arc::clone(&memory.borrow()));
        let last = LastPass {
            now: input.now,
            judged: Arc::clone(&input.judged),
            snapshot: input.snapshot.clone(),
            memory: Arc::clone(&input.memory),
        };
        let (stores, metrics, act) = (Arc::clone(&self.stores), Arc::clone(&self.metrics), Arc::clone(act));
        let (writes, after) =
            tokio::task::spawn_blocking(move || judge(&input, &stores, &metrics, &act)).await?;
        if after != *last.memory {
            memory.send_replace(Arc::new(after));
        }
        *self.recorded.lock() = Some(Arc::new(last));
        self.health.passed();
        Ok(writes)
    }

    fn input(&self, memory: Arc<Memory>) -> Input {
        let judged = self.desired.judged(&self.stores, self.settings.library_namespace.as_deref());
        // Before the snapshot: an answer that comes in between is then told a moment later, not taken for awaited.
        let awaited = self.board.awaited(&judged.fleet, self.settings.first_answer_grace);
        Input {
            now: self.clock.now(),
            judged,
            snapshot: self.board.snapshot(),
            memory,
            awaited,
            obstacles: self.board.obstacles(),
        }
    }

    /// What waited for a source that does not answer is told without it once its grace has passed.
    async fn end_of_grace(&self) {
        match self.board.next_end_of_grace(self.settings.first_answer_grace) {
            Some(end) => tokio::time::sleep_until(end).await,
            None => std::future::pending().await,
        }
    }
}

/// The decision and what must be written for it to be seen. The roll call itself is dropped at once: at 20,000 hosts
/// it is the biggest value we ever hold.
#[tracing::instrument(name = "pass", skip_all)]
fn judge(input: &Input, stores: &Stores, metrics: &Metrics, act: &Act) -> (Writes, Memory) {
    let begun = Instant::now();
    let (roll, after) = roll_call(&input.judged.fleet, &input.snapshot, &input.memory, input.now);
    metrics.passed(&roll, begun.elapsed());
    let telling = Telling {
        roll: &roll,
        judged: &input.judged,
        obstacles: &input.obstacles,
        awaited: &input.awaited,
        now: input.now,
        tells_progress: act.take_progress_turn(),
    };
    let written = act.written();
    let known = Known { stores, written: &written, is_resting: &|key| act.is_resting(key) };
    let writes = diff(&telling, &known);
    let (objects, hosts) = (writes.objects.len(), writes.hosts.len() + writes.later);
    let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(
        hosts = roll.hosts.len(),
        findings = roll.findings.len(),
        took,
        objects,
        host_writes = hosts,
        "roll called"
    );
    (writes, after)
}
