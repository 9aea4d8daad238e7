//! Decide: one whole roll call after every change, in order, away from the threads that do I/O.
//!
//! The decision itself is the engine's; here stands only when it is made and what it is made of.

use std::sync::Arc;
use std::time::Duration;

use rollcall_engine::leaving;
use rollcall_engine::memory::Memory;
use rollcall_engine::rollcall::roll_call;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::act::{Act, Mailbox};
use crate::clock::Clock;
use crate::health::Health;
use crate::leave::leave;
use crate::metrics::Metrics;
use crate::notify::Post;
use crate::observe::Board;
use crate::settings::Settings;
use crate::status::{Known, Telling, Writes, diff};
use crate::watch::{DesiredState, Stores};

/// How often the first lists are looked for at the begin.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What is remembered in this term; `None` while we do not lead, or do not know yet. With the readings and desired state
/// of any moment it makes a recording: what a pass at that moment would be made of.
pub type Remembered = watch::Sender<Option<Arc<Memory>>>;

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
    /// What is to be told to people.
    pub post: Arc<Post>,
    /// For recordings, and for pollers to hold their lists against.
    pub remembered: Arc<Remembered>,
}

impl Decide {
    /// Makes passes until told to stop: at once, after every change, and each tick.
    ///
    /// # Errors
    /// When a pass panics: then nothing that follows could be trusted.
    pub async fn run(
        self: &Arc<Self>,
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
            let (this, act, before) = (Arc::clone(self), Arc::clone(act), Arc::clone(&memory.borrow()));
            let (writes, after) = tokio::task::spawn_blocking(move || this.pass(before, &act)).await?;
            self.remembered.send_replace(Some(Arc::clone(&after)));
            memory.send_if_modified(|known| {
                let is_news = !Arc::ptr_eq(known, &after);
                *known = after;
                is_news
            });
            wanted.put(writes);
            self.health.passed();
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = self.stores.changed.heard() => {}
                () = self.clock.sleep(self.settings.tick) => {}
                () = self.end_of_grace() => {}
            }
        }
    }

    /// The decision and what must be written for it to be seen. The roll call itself is dropped at once: at 20,000
    /// hosts it is the biggest value we ever hold. Memory that says the same stays the same value.
    #[tracing::instrument(name = "pass", skip_all)]
    fn pass(&self, before: Arc<Memory>, act: &Act) -> (Writes, Arc<Memory>) {
        let begun = Instant::now();
        let judged = self.desired.judged(&self.stores, self.settings.library_namespace.as_deref());
        // Before the snapshot: an answer that comes in between is told a moment later, not taken for awaited.
        let awaited = self.board.awaited(&judged.fleet, self.settings.first_answer_grace);
        let (snapshot, now) = (self.board.snapshot(), self.clock.now());
        let (roll, after) = roll_call(&judged.fleet, &snapshot, &before, now);
        let pass =
            leaving::Pass { fleet: &judged.fleet, snapshot: &snapshot, memory: &after, roll: &roll, now };
        let retirements = leave(pass, &self.stores, &self.post);
        drop(snapshot);
        let after = if after == *before { before } else { Arc::new(after) };
        self.metrics.passed(&roll, begun.elapsed());
        let delivered = self.post.last();
        let telling = Telling {
            delivered: &delivered,
            roll: &roll,
            judged: &judged,
            obstacles: &self.board.obstacles(),
            awaited: &awaited,
            now,
            tells_progress: act.take_progress_turn(),
        };
        let written = act.written();
        let known = Known { stores: &self.stores, written: &written, is_resting: &|key| act.is_resting(key) };
        let writes = Writes { retirements, ..diff(&telling, &known) };
        tracing::debug!(
            hosts = roll.hosts.len(),
            findings = roll.findings.len(),
            took_ms = begun.elapsed().as_millis(),
            object_writes = writes.objects.len(),
            host_writes = writes.hosts.len() + writes.later,
            "roll called"
        );
        (writes, after)
    }

    /// What waited for a source that does not answer is told without it once its grace has passed.
    async fn end_of_grace(&self) {
        match self.board.next_end_of_grace(self.settings.first_answer_grace) {
            Some(end) => tokio::time::sleep_until(end).await,
            None => std::future::pending().await,
        }
    }
}
