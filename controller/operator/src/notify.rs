//! Notify: the outbox of one term, and the task that empties it.
//!
//! Whoever decides puts messages in and asks where they stand, and never waits; one slow receiver keeps nobody else waiting.
//! What was accepted is written down by whoever put it, so nothing need outlive the term: a restart may send a message again,
//! under the id it had. Only the leader sends.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
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
use rollcall_engine::notice::{Message, NoticeId, Origin};
use tokio::time::{MissedTickBehavior, interval};
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
    /// Which object it is, and its generation, when a channel was last looked at.
    seen: BTreeMap<ObjectKey, (String, Option<i64>)>,
    /// What the Secrets of a channel held when it was last spoken to, as a hash of this process.
    secrets: BTreeMap<ObjectKey, u64>,
    /// Marks of which somebody may have read what was taken back before it was accepted.
    heard: BTreeSet<Origin>,
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

    /// Takes back what has not been accepted: it is not true any more, and must not come late.
    pub fn withdraw(&self, channel: &ObjectKey, id: &NoticeId) {
        let mut inner = self.inner.lock();
        if inner.outbox.withdraw(channel, id) {
            inner.heard.insert(id.origin.clone());
        }
    }

    /// May somebody have read news of this mark although no channel accepted it?
    pub fn may_have_been_heard(&self, origin: &Origin) -> bool {
        self.inner.lock().heard.contains(origin)
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

impl Inner {
    fn reopen(&mut self, channel: &ObjectKey, now: Timestamp) {
        self.outbox.reopen(channel, now);
        self.last.remove(channel);
    }
}

/// What the Secrets of a channel hold, told apart from what they held before; it leaves this process nowhere.
fn hash(channel: &Channel, secrets: &Secrets) -> u64 {
    let mut hash = DefaultHasher::new();
    for needed in channel.secrets() {
        for key in needed.keys {
            secrets.get(needed.name, key).hash(&mut hash);
        }
    }
    hash.finish()
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
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.look_at_channels(post);
            while under_way.len() < AT_ONCE && term.is_live() {
                let Some(delivery) = post.inner.lock().outbox.next(self.clock.now()) else { break };
                under_way.push(Box::pin(async move {
                    let outcome = self.deliver(post, &delivery).await;
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
                _ = looks.tick() => self.look_at_secrets(post).await,
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

    /// A channel that was changed, or made anew, is tried anew; what it had refused may be put again. One that is gone is forgotten.
    fn look_at_channels(&self, post: &Post) {
        let channels = self.stores.channels.entries();
        let mut inner = post.inner.lock();
        for (key, entry) in &channels {
            let now = (entry.uid.clone(), entry.generation);
            let before = inner.seen.insert(key.clone(), now.clone());
            if before.is_some_and(|before| before != now) {
                inner.reopen(key, self.clock.now());
            }
        }
        let exists = |key: &ObjectKey| channels.iter().any(|(of, _)| of == key);
        inner.seen.retain(|key, _| exists(key));
        inner.secrets.retain(|key, _| exists(key));
        inner.last.retain(|key, _| exists(key));
        inner.outbox.forget(exists, |_| true);
    }

    /// What a receiver refused is most often mended in a Secret, which nobody watches: the Secrets of channels that refused are read
    /// again now and then.
    async fn look_at_secrets(&self, post: &Post) {
        let library = self.settings.library_namespace.as_deref();
        let judged = self.desired.judged(&self.stores, library);
        let refused = post.last().into_iter().filter(|(_, last)| matches!(last, Last::Refused(_)));
        for (key, _) in refused {
            let Some(channel) = judged.fleet.channel(&key) else { continue };
            let Ok(secrets) = self.secrets(channel).await else { continue };
            let mut inner = post.inner.lock();
            if inner.secrets.get(&key).is_some_and(|before| *before != hash(channel, &secrets)) {
                inner.reopen(&key, self.clock.now());
                drop(inner);
                self.stores.changed.ring();
            }
        }
    }

    async fn deliver(&self, post: &Post, delivery: &Delivery) -> Outcome {
        let library = self.settings.library_namespace.as_deref();
        let judged = self.desired.judged(&self.stores, library);
        let Some(channel) = judged.fleet.channel(delivery.channel()).cloned() else {
            let why = "the NotificationChannel cannot be understood; see its condition Ready";
            return Outcome::TryAgain { why: why.to_owned(), wait: None };
        };
        match self.secrets(&channel).await {
            Ok(secrets) => {
                post.inner.lock().secrets.insert(channel.key.clone(), hash(&channel, &secrets));
                self.sources.deliver(&channel, &secrets, delivery.message()).await
            }
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
