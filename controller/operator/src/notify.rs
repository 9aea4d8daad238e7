//! Notify: the outbox of one term, and the task that empties it.
//!
//! Whoever decides puts messages in and asks where they stand, and never waits; one slow receiver keeps nobody else waiting.
//! What was accepted is written down by whoever put it, so nothing need outlive the term: a restart may send a message again,
//! under the id it had. Only the leader sends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use kube::Client;
use parking_lot::Mutex;
use rollcall_engine::fleet::{Channel, Kind};
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::notice::outbox::{Delivery, Jitter, Outbox, Outcome, Standing};
use rollcall_engine::notice::{Message, NoticeId};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::lease::Term;
use crate::observe::Board;
use crate::observe::secrets::{Wanted, read};
use crate::settings::Settings;
use crate::sources::{Secrets, Sources};
use crate::trigger::Trigger;
use crate::watch::{DesiredState, Stores};

/// So many receivers are spoken to at once.
const AT_ONCE: usize = 8;

/// The outbox is looked into at least this often: a channel may have been changed.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What became of the last delivery to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Last {
    /// It was accepted.
    Accepted,
    /// It was not, and is tried again.
    Failed(String),
    /// It was refused, and is not tried again before the channel is changed.
    Refused(String),
}

/// The outbox of one term.
#[derive(Default)]
pub struct Post {
    inner: Mutex<Inner>,
    put: Trigger,
}

#[derive(Default)]
struct Inner {
    outbox: Outbox,
    last: BTreeMap<ObjectKey, Last>,
    /// The generation of each channel with which it was last spoken to.
    generations: BTreeMap<ObjectKey, Option<i64>>,
}

impl Post {
    /// Puts a message in, and says where it stands. Putting it again is how one asks.
    pub fn put(&self, channel: &ObjectKey, message: Message, now: Timestamp) -> Standing {
        let standing = self.inner.lock().outbox.put(channel, message, now);
        if matches!(standing, Standing::Waiting { .. }) {
            self.put.ring();
        }
        standing
    }

    /// When a channel accepted a message, if it did.
    pub fn accepted(&self, channel: &ObjectKey, id: &NoticeId) -> Option<Timestamp> {
        match self.inner.lock().outbox.standing(channel, id)? {
            Standing::Accepted(acceptance) => Some(acceptance.at()),
            _ => None,
        }
    }

    /// What became of the last delivery to each channel that had one.
    pub fn last(&self) -> BTreeMap<ObjectKey, Last> {
        self.inner.lock().last.clone()
    }

    fn told(&self, delivery: &Delivery, outcome: Outcome, now: Timestamp) {
        let last = match &outcome {
            Outcome::Accepted { .. } => Last::Accepted,
            Outcome::TryAgain { why, .. } => Last::Failed(why.clone()),
            Outcome::Refused { why } | Outcome::Gone { why } => Last::Refused(why.clone()),
        };
        let mut inner = self.inner.lock();
        inner.last.insert(delivery.channel().clone(), last);
        inner.outbox.told(delivery, outcome, now, Jitter(fastrand::u32(..)));
    }
}

/// What the task needs.
pub struct Sender {
    /// For Secrets.
    pub client: Client,
    /// Names and namespaces.
    pub settings: Arc<Settings>,
    /// World time.
    pub clock: Clock,
    /// Who speaks to receivers.
    pub sources: Arc<dyn Sources>,
    /// What the API server says.
    pub stores: Arc<Stores>,
    /// Desired state, parsed.
    pub desired: Arc<DesiredState>,
    /// Where it is told what keeps a channel from being spoken to.
    pub board: Arc<Board>,
}

impl Sender {
    /// Sends what is put in, until told to stop or the lease is lost. What is under way then is given up: the next leader sends it
    /// again, under the same id.
    pub async fn run(&self, post: &Post, term: &Term, stop: &CancellationToken) {
        let mut under_way: FuturesUnordered<BoxFuture<'_, (Delivery, Outcome)>> = FuturesUnordered::new();
        loop {
            self.look_at_channels(post);
            while under_way.len() < AT_ONCE && term.is_live() {
                let Some(delivery) = post.inner.lock().outbox.next(self.clock.now()) else { break };
                under_way.push(Box::pin(async move {
                    let outcome = self.deliver(&delivery).await;
                    (delivery, outcome)
                }));
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = term.ended() => return,
                Some((delivery, outcome)) = under_way.next(), if !under_way.is_empty() => {
                    post.told(&delivery, outcome, self.clock.now());
                    self.stores.changed.ring();
                }
                () = post.put.heard() => {}
                () = self.clock.sleep(self.pause(post)) => {}
            }
        }
    }

    fn pause(&self, post: &Post) -> Duration {
        let now = self.clock.now();
        let wakes = post.inner.lock().outbox.wakes_at(now);
        let until = wakes.map(|at| at.duration_since(now));
        let until = until.and_then(|until| Duration::try_from(until).ok());
        until.map_or(LOOK_EVERY, |until| until.clamp(Duration::from_millis(200), LOOK_EVERY))
    }

    /// A channel that was changed is tried anew; what it had refused may be put again. One that is gone is forgotten.
    fn look_at_channels(&self, post: &Post) {
        let channels = self.stores.channels.entries();
        let mut inner = post.inner.lock();
        let now = self.clock.now();
        for (key, entry) in &channels {
            let before = inner.generations.insert(key.clone(), entry.generation);
            if before.is_some_and(|before| before != entry.generation) {
                inner.outbox.reopen(key, now);
                inner.last.remove(key);
            }
        }
        let exists = |key: &ObjectKey| channels.iter().any(|(of, _)| of == key);
        inner.generations.retain(|key, _| exists(key));
        inner.last.retain(|key, _| exists(key));
        inner.outbox.forget(exists, |_| true);
    }

    async fn deliver(&self, delivery: &Delivery) -> Outcome {
        let library = self.settings.library_namespace.as_deref();
        let judged = self.desired.judged(&self.stores, library);
        let Some(channel) = judged.fleet.channel(delivery.channel()).cloned() else {
            let why = "the NotificationChannel cannot be understood; see its condition Ready";
            return Outcome::TryAgain { why: why.to_owned(), wait: None };
        };
        match self.secrets(&channel).await {
            Ok(secrets) => self.sources.deliver(&channel, &secrets, delivery.message()).await,
            Err(why) => Outcome::TryAgain { why, wait: None },
        }
    }

    /// The Secrets of a channel, read for this one use.
    async fn secrets(&self, channel: &Channel) -> Result<Secrets, String> {
        let mut secrets = BTreeMap::new();
        for needed in channel.secrets() {
            let wanted = Wanted {
                kind: Kind::NotificationChannel,
                object: &channel.key,
                field: needed.field,
                namespace: &channel.key.namespace,
                name: needed.name,
                keys: &needed.keys,
            };
            match read(&self.client, &self.settings, &wanted).await {
                Ok(secret) => drop(secrets.insert(needed.name.to_owned(), secret)),
                Err(none) => {
                    self.board.set_obstacle(Kind::NotificationChannel, &channel.key, none.problem.as_ref());
                    return Err(none.failure.message);
                }
            }
        }
        self.board.set_obstacle(Kind::NotificationChannel, &channel.key, None);
        Ok(secrets.into_iter().collect())
    }
}
