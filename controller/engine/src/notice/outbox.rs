//! What is still to be sent, and what was accepted: a state machine that sends nothing itself.
//!
//! The shell puts messages in, takes a [`Delivery`] out, tries it, and tells what came of it; between any two of these it may
//! die, and goes on from what was remembered. So a message is sent **at least once**, under one id, and once it was accepted
//! never again. Time and chance are given as values.
//!
//! - **A dead channel blocks no other one**, and a message that one channel cannot stomach blocks no other message of it: each
//!   has its own queue, and in a queue whoever has waited out its pause goes first.
//! - **A queue is bounded.** A digest makes room for whatever is more; a notice about a host is never dropped. Where there is
//!   no room for one it is refused, and whoever put it is told so: without [`Acceptance`] no wait begins, and nothing is done.
//! - What is put again under the same id is not sent twice. While it still waits, the newer words replace the older ones: its dates
//!   are those of today.

mod pace;
mod queue;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Message, NoticeId};
use crate::ids::ObjectKey;

pub use pace::{Jitter, LONGEST_PAUSE};
use queue::Queue;

/// Messages that wait for one channel.
pub const MAX_WAITING: usize = 64;
/// Messages of one channel of which it is remembered how they ended; those that ended first are forgotten first.
pub const MAX_SETTLED: usize = 1_000;
/// A delivery of which nothing was told is tried again after this: the process that had taken it has died.
pub const LOST_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Characters of a reason that are remembered.
const MAX_REASON: usize = 200;

/// All channels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outbox {
    queues: BTreeMap<ObjectKey, Queue>,
}

/// The channel took it: the proof from which a wait may be counted. Only an [`Outbox`] makes one, of what it was told of a
/// delivery that it had given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acceptance {
    at: Timestamp,
    status: u16,
}

impl Acceptance {
    /// When.
    #[must_use]
    pub fn at(self) -> Timestamp {
        self.at
    }

    /// What it answered, a status of HTTP.
    #[must_use]
    pub fn status(self) -> u16 {
        self.status
    }
}

/// Where a message stands with one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// Not accepted yet.
    Waiting {
        /// How often it was tried.
        attempts: u32,
        /// What went wrong last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<String>,
    },
    /// Accepted.
    Accepted(Acceptance),
    /// The channel said no, and would say so again. Somebody must change something, then [`Outbox::reopen`] it.
    Refused {
        /// When.
        at: Timestamp,
        /// What it said.
        why: String,
    },
    /// Of no use any more before it was accepted.
    Expired {
        /// Since when.
        at: Timestamp,
    },
    /// Dropped to make room; only digests are.
    Dropped {
        /// When.
        at: Timestamp,
    },
    /// Never taken in: the queue is full of notices.
    NoRoom,
    /// Never taken in: the channel has said that it is gone for good.
    ChannelGone,
}

/// One thing to send now. Only [`Outbox::next`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    channel: ObjectKey,
    message: Message,
    attempt: u32,
}

impl Delivery {
    /// Where.
    #[must_use]
    pub fn channel(&self) -> &ObjectKey {
        &self.channel
    }

    /// What.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The how manieth attempt, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// What came of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was accepted, with this status.
    Accepted {
        /// Of HTTP: 200 to 299.
        status: u16,
    },
    /// Not now: no answer, or one that asks for patience.
    TryAgain {
        /// What happened, without secrets.
        why: String,
        /// For how long it wants to be left alone.
        wait: Option<SignedDuration>,
    },
    /// It was refused, and would be again.
    Refused {
        /// What it said, without secrets.
        why: String,
    },
    /// The channel is gone for good: HTTP 410.
    Gone {
        /// What it said, without secrets.
        why: String,
    },
}

impl Outbox {
    /// Puts a message into the queue of a channel, and says where it stands there. Putting it again is how one asks: nothing is
    /// sent twice.
    pub fn put(&mut self, channel: &ObjectKey, message: Message, now: Timestamp) -> Standing {
        self.queues.entry(channel.clone()).or_default().put(message, now)
    }

    /// Where a message stands with a channel; `None` if it was never put there, or is forgotten.
    #[must_use]
    pub fn standing(&self, channel: &ObjectKey, id: &NoticeId) -> Option<Standing> {
        self.queues.get(channel)?.standing(id)
    }

    /// The next thing to send. It is under way from now on: nothing else goes to that channel until it is [`Outbox::told`], or for
    /// [`LOST_AFTER`].
    pub fn next(&mut self, now: Timestamp) -> Option<Delivery> {
        self.queues.values_mut().for_each(|queue| queue.expire(now));
        // The channel that has waited longest goes first, so that none is starved by a busy one.
        let ready = self
            .queues
            .iter_mut()
            .filter_map(|(channel, queue)| Some((queue.ready_since(now)?, channel, queue)));
        let (_, channel, queue) = ready.min_by_key(|(since, channel, _)| (*since, *channel))?;
        let (message, attempt) = queue.take(now)?;
        Some(Delivery { channel: channel.clone(), message, attempt })
    }

    /// When [`Outbox::next`] may have something, if nothing else happens; `None` while nothing waits.
    #[must_use]
    pub fn wakes_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.queues.values().filter_map(|queue| queue.wakes_at(now)).min()
    }

    /// What came of a delivery. Of one that was given up for lost, nothing is believed but that it was accepted.
    pub fn told(&mut self, delivery: &Delivery, outcome: Outcome, now: Timestamp, jitter: Jitter) {
        if let Some(queue) = self.queues.get_mut(&delivery.channel) {
            queue.told(delivery.message.id(), outcome, now, jitter);
        }
    }

    /// Takes back what has not been accepted: it is not true any more. Answers whether it may have been read already, because it
    /// was tried; then whoever takes it back owes its readers a word.
    pub fn withdraw(&mut self, channel: &ObjectKey, id: &NoticeId) -> bool {
        self.queues.get_mut(channel).is_some_and(|queue| queue.withdraw(id))
    }

    /// The channel was changed: another address, another secret. What it had refused may be put again, and nothing of its past
    /// keeps anything waiting.
    pub fn reopen(&mut self, channel: &ObjectKey, now: Timestamp) {
        if let Some(queue) = self.queues.get_mut(channel) {
            queue.reopen(now);
        }
    }

    /// Forgets how messages ended that nobody will ask for again, such as those of marks that do not exist any more, and channels
    /// that do not exist.
    pub fn forget(
        &mut self,
        channel_exists: impl Fn(&ObjectKey) -> bool,
        is_asked_for: impl Fn(&NoticeId) -> bool,
    ) {
        self.queues.retain(|channel, _| channel_exists(channel));
        self.queues.values_mut().for_each(|queue| queue.forget(&is_asked_for));
    }

    /// How many messages wait, by channel, and whether it is gone: for metrics and conditions.
    pub fn channels(&self) -> impl Iterator<Item = (&ObjectKey, usize, Option<&str>)> {
        self.queues.iter().map(|(channel, queue)| (channel, queue.len(), queue.gone()))
    }
}

/// A reason, cleaned and short: it comes from a stranger and is remembered.
fn reason(why: &str) -> String {
    let clean: String = why.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_REASON).collect();
    let words: Vec<_> = clean
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| crate::text::clean(word).to_string())
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
