//! The queue of one channel.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::pace::{self, Jitter, LONGEST_PAUSE};
use super::{Acceptance, LOST_AFTER, MAX_SETTLED, MAX_WAITING, Outcome, Standing, reason};
use crate::notice::{Kind, Message, NoticeId};

/// What waits, and how the rest ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Queue {
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    waiting: VecDeque<Entry>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    settled: BTreeMap<NoticeId, Settled>,
    /// What is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    under_way: Option<UnderWay>,
    /// Failures in a row, whichever message it was.
    #[serde(skip_serializing_if = "is_zero")]
    failures: u32,
    /// The channel is left alone until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet_until: Option<Timestamp>,
    /// Why nothing goes here any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    gone: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    message: Message,
    /// When it was put, and after an attempt when it may be tried again.
    ready: Timestamp,
    #[serde(default, skip_serializing_if = "is_zero")]
    attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct UnderWay {
    id: NoticeId,
    since: Timestamp,
}

/// How a message ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Settled {
    Accepted(Acceptance),
    Refused { at: Timestamp, why: String },
    Expired { at: Timestamp },
    Dropped { at: Timestamp },
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde calls it
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Has this moment come? One that is further away than anything we wait for was written by a clock that was wrong.
fn has_come(moment: Timestamp, now: Timestamp) -> bool {
    moment <= now || moment.duration_since(now) > LONGEST_PAUSE
}

impl Settled {
    fn at(&self) -> Timestamp {
        match self {
            Self::Accepted(Acceptance { at, .. })
            | Self::Refused { at, .. }
            | Self::Expired { at }
            | Self::Dropped { at } => *at,
        }
    }

    fn standing(&self) -> Standing {
        match self {
            Self::Accepted(acceptance) => Standing::Accepted(*acceptance),
            Self::Refused { at, why } => Standing::Refused { at: *at, why: why.clone() },
            Self::Expired { at } => Standing::Expired { at: *at },
            Self::Dropped { at } => Standing::Dropped { at: *at },
        }
    }
}

impl Queue {
    pub(super) fn put(&mut self, message: Message, now: Timestamp) -> Standing {
        if let Some(entry) = self.waiting.iter_mut().find(|entry| entry.message.id() == message.id()) {
            // What is written again in the same words changes nothing that would have to be remembered.
            if !entry.message.says_the_same_as(&message) {
                entry.message = message;
            }
            return entry.standing();
        }
        if let Some(settled) = self.settled.get(message.id()) {
            return settled.standing();
        }
        if self.gone.is_some() {
            return Standing::ChannelGone;
        }
        if self.waiting.len() >= MAX_WAITING && !self.make_room(now) {
            return Standing::NoRoom;
        }
        let entry = Entry { message, ready: now, attempts: 0, last: None };
        let standing = entry.standing();
        self.waiting.push_back(entry);
        standing
    }

    /// Drops the oldest digest that is not under way. A notice is never dropped.
    fn make_room(&mut self, now: Timestamp) -> bool {
        let digest =
            |entry: &Entry| entry.message.id().kind == Kind::Digest && !self.is_under_way(entry.message.id());
        let Some(place) = self.waiting.iter().position(digest) else { return false };
        if let Some(entry) = self.waiting.remove(place) {
            self.settle(entry.message.id().clone(), Settled::Dropped { at: now });
        }
        true
    }

    pub(super) fn standing(&self, id: &NoticeId) -> Option<Standing> {
        let waiting = self.waiting.iter().find(|entry| entry.message.id() == id).map(Entry::standing);
        waiting.or_else(|| self.settled.get(id).map(Settled::standing))
    }

    /// Settles what is of no use any more. What is under way may still be accepted.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let under_way = self.under_way.as_ref().filter(|way| !lost(way, now)).map(|way| way.id.clone());
        let over = |entry: &&Entry| entry.message.until().is_some_and(|until| until <= now);
        let ids = self.waiting.iter().filter(over).map(|entry| entry.message.id().clone());
        let ids: Vec<NoticeId> = ids.filter(|id| under_way.as_ref() != Some(id)).collect();
        for id in ids {
            self.remove(&id);
            self.settle(id, Settled::Expired { at: now });
        }
    }

    /// Since when something could be sent; `None` while nothing can.
    pub(super) fn ready_since(&self, now: Timestamp) -> Option<Timestamp> {
        let busy = self.under_way.as_ref().is_some_and(|way| !lost(way, now));
        let quiet = self.quiet_until.is_some_and(|until| !has_come(until, now));
        if busy || quiet || self.gone.is_some() {
            return None;
        }
        self.ready(now).map(|entry| entry.ready.max(self.quiet_until.unwrap_or(entry.ready)))
    }

    /// The message whose time has come first.
    fn ready(&self, now: Timestamp) -> Option<&Entry> {
        self.waiting.iter().filter(|entry| has_come(entry.ready, now)).min_by_key(|entry| entry.ready)
    }

    pub(super) fn take(&mut self, now: Timestamp) -> Option<(Message, u32)> {
        let id = self.ready(now)?.message.id().clone();
        let entry = self.waiting.iter_mut().find(|entry| *entry.message.id() == id)?;
        entry.attempts = entry.attempts.saturating_add(1);
        let taken = (entry.message.clone(), entry.attempts);
        self.under_way = Some(UnderWay { id, since: now });
        Some(taken)
    }

    pub(super) fn wakes_at(&self, now: Timestamp) -> Option<Timestamp> {
        if self.gone.is_some() {
            return None;
        }
        let first = self.waiting.iter().map(|e| if has_come(e.ready, now) { now } else { e.ready }).min()?;
        let lost = self.under_way.as_ref().and_then(|way| way.since.checked_add(LOST_AFTER).ok());
        let at = [Some(first), self.quiet_until, lost]
            .into_iter()
            .flatten()
            .filter(|at| !has_come(*at, now))
            .max();
        Some(at.unwrap_or(now))
    }

    pub(super) fn told(&mut self, id: &NoticeId, outcome: Outcome, now: Timestamp, jitter: Jitter) {
        if self.is_under_way(id) {
            self.under_way = None;
        } else if !matches!(outcome, Outcome::Accepted { .. }) {
            return;
        }
        let Some(place) = self.waiting.iter().position(|entry| entry.message.id() == id) else { return };
        match outcome {
            Outcome::Accepted { status } => {
                self.waiting.remove(place);
                self.settle(id.clone(), Settled::Accepted(Acceptance { at: now, status }));
                (self.failures, self.quiet_until) = (0, None);
            }
            Outcome::Refused { why } => {
                self.waiting.remove(place);
                self.settle(id.clone(), Settled::Refused { at: now, why: reason(&why) });
            }
            Outcome::Gone { why } => {
                let why = reason(&why);
                for entry in std::mem::take(&mut self.waiting) {
                    let refused = Settled::Refused { at: now, why: why.clone() };
                    self.settle(entry.message.id().clone(), refused);
                }
                self.gone = Some(why);
            }
            Outcome::TryAgain { why, wait } => self.failed(place, &why, wait, now, jitter),
        }
    }

    /// This one waits for its own number of failures, and the whole channel for how often it has failed in a row: a message that it
    /// cannot stomach goes behind the others, and a channel that is down is not asked by each of its messages.
    fn failed(
        &mut self,
        place: usize,
        why: &str,
        wait: Option<SignedDuration>,
        now: Timestamp,
        jitter: Jitter,
    ) {
        self.failures = self.failures.saturating_add(1);
        let after = |pause| now.checked_add(pause).unwrap_or(Timestamp::MAX);
        self.quiet_until = Some(after(pace::pause(self.failures, wait, jitter)));
        if let Some(entry) = self.waiting.get_mut(place) {
            entry.last = Some(reason(why));
            entry.ready = after(pace::pause(entry.attempts, wait, jitter));
        }
    }

    pub(super) fn withdraw(&mut self, id: &NoticeId) -> bool {
        let tried = self.waiting.iter().any(|entry| entry.message.id() == id && entry.attempts > 0);
        self.remove(id);
        tried || matches!(self.settled.get(id), Some(Settled::Accepted(_)))
    }

    pub(super) fn reopen(&mut self, now: Timestamp) {
        (self.gone, self.failures, self.quiet_until) = (None, 0, None);
        self.settled.retain(|_, settled| !matches!(settled, Settled::Refused { .. }));
        self.waiting.iter_mut().for_each(|entry| entry.ready = entry.ready.min(now));
    }

    pub(super) fn forget(&mut self, is_asked_for: &impl Fn(&NoticeId) -> bool) {
        self.settled.retain(|id, _| is_asked_for(id));
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn gone(&self) -> Option<&str> {
        self.gone.as_deref()
    }

    fn is_under_way(&self, id: &NoticeId) -> bool {
        self.under_way.as_ref().is_some_and(|way| way.id == *id)
    }

    fn remove(&mut self, id: &NoticeId) {
        self.waiting.retain(|entry| entry.message.id() != id);
    }

    /// Remembers how a message ended. Where there are too many, digests are forgotten first, then what ended first.
    fn settle(&mut self, id: NoticeId, how: Settled) {
        self.settled.insert(id, how);
        while self.settled.len() > MAX_SETTLED {
            let of =
                |(id, settled): (&NoticeId, &Settled)| (id.kind != Kind::Digest, settled.at(), id.clone());
            let Some((.., first)) = self.settled.iter().map(of).min() else { return };
            self.settled.remove(&first);
        }
    }
}

fn lost(way: &UnderWay, now: Timestamp) -> bool {
    // A clock that was set back would make it wait for ever.
    now < way.since || now.duration_since(way.since) >= LOST_AFTER
}

impl Entry {
    fn standing(&self) -> Standing {
        Standing::Waiting { attempts: self.attempts, last: self.last.clone() }
    }
}
