//! The account's ledger: what was reserved, so that the acts of any window stay within the budget.
//!
//! An act may happen only while its reservation lasts, and a reservation counts until a whole window after its last
//! moment. So two acts in one window are always both counted (a reservation that outlived the window in which it was
//! counted was hole a of the first simulation).

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::order::{Act, Occurrence};
use crate::ids::{Mark, ObjectKey, RoleName};

/// How long a reservation lasts: enough for an intent, its look and its call, with a throttled answer or two between.
const LASTS: SignedDuration = SignedDuration::from_mins(5);

/// Whoever counts and whoever reserved may each be as far from the true time as [`super::SKEW`].
const CLOCKS: SignedDuration = SignedDuration::from_secs(10);

/// What was reserved in one account. Held in one object that is only ever replaced as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    /// When it was made. Nobody knows what was done before: it is full for one window.
    pub since: Timestamp,
    /// What counts, by time of reservation.
    #[serde(default)]
    pub entries: Vec<Entry>,
}

/// One reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Whose.
    pub mark: Mark,
    /// Of which environment.
    pub environment: ObjectKey,
    /// Of which duty.
    pub duty: RoleName,
    /// For what.
    pub act: Act,
    /// Which try of it.
    pub occurrence: Occurrence,
    /// From when on it may be used.
    pub from: Timestamp,
    /// Until when it may be used.
    pub until: Timestamp,
}

/// How many hosts of an environment may be begun with in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Budget {
    /// So many. 0 means 0.
    Hosts(usize),
    /// So many of a hundred of its hosts, rounded down, and one at least. 0 means 0.
    Percent(usize),
}

impl Default for Budget {
    /// `max(1, ⌊2 %⌋)` (safety first: a fault of ours must be small).
    fn default() -> Self {
        Self::Percent(2)
    }
}

impl Budget {
    /// Of an environment with so many hosts; of none there are none.
    #[must_use]
    pub fn of(self, hosts: usize) -> usize {
        match self {
            Self::Hosts(most) => most.min(hosts),
            Self::Percent(0) => 0,
            Self::Percent(percent) => (hosts.saturating_mul(percent) / 100).max(1).min(hosts),
        }
    }
}

impl fmt::Display for Budget {
    /// As people read it: `at most 2 % of its environment's hosts a day, one at least`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hosts(0) | Self::Percent(0) => f.write_str("none of its environment's hosts on any day"),
            Self::Hosts(most) => write!(f, "at most {most} of its environment's hosts a day"),
            Self::Percent(percent) => {
                write!(f, "at most {percent} % of its environment's hosts a day, one at least")
            }
        }
    }
}

/// How many acts a window may hold, at every level. 0 means 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// The window: a day.
    pub window: SignedDuration,
    /// In the whole account, set by its admin.
    pub account: usize,
    /// Per environment; one that is missing has none.
    pub environments: BTreeMap<ObjectKey, usize>,
}

/// Why nothing can be reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// The ledger is younger than a window.
    Young,
    /// The account's acts are used up.
    Account,
    /// The environment's are.
    Environment,
}

impl Limits {
    /// An environment's budget unless somebody sets another: `max(1, ⌊2 %⌋)` of its hosts a day, and none of none.
    #[must_use]
    pub fn of_hosts(hosts: usize) -> usize {
        Budget::default().of(hosts)
    }
}

impl Ledger {
    /// One that nobody wrote in yet.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { since: now, entries: Vec::new() }
    }

    /// Does an entry still count against what is done at `now`?
    fn counts(entry: &Entry, limits: &Limits, now: Timestamp) -> bool {
        now.duration_since(entry.until) <= limits.window.saturating_add(CLOCKS)
    }

    fn is_for(entry: &Entry, mark: &Mark, act: Act, occurrence: Occurrence) -> bool {
        entry.mark == *mark && entry.act == act && entry.occurrence == occurrence
    }

    /// May this be reserved, beside what others hold? `wanted` is not counted twice: the same try renews its own entry.
    ///
    /// # Errors
    /// What is used up.
    pub fn room(&self, wanted: &Entry, limits: &Limits, now: Timestamp) -> Result<(), NoRoom> {
        if now.duration_since(self.since) <= limits.window {
            return Err(NoRoom::Young);
        }
        let others = || {
            self.entries.iter().filter(|entry| {
                Self::counts(entry, limits, now)
                    && !Self::is_for(entry, &wanted.mark, wanted.act, wanted.occurrence)
            })
        };
        if others().count() >= limits.account {
            return Err(NoRoom::Account);
        }
        let own = limits.environments.get(&wanted.environment).copied().unwrap_or(0);
        if others().filter(|entry| entry.environment == wanted.environment).count() >= own {
            return Err(NoRoom::Environment);
        }
        Ok(())
    }

    /// Does one of this duty go, or did one go within the window, that has another mark?
    #[must_use]
    pub fn has_other_of_duty(
        &self,
        mark: &Mark,
        environment: &ObjectKey,
        duty: &RoleName,
        limits: &Limits,
        now: Timestamp,
    ) -> bool {
        self.entries.iter().any(|entry| {
            entry.environment == *environment
                && entry.duty == *duty
                && entry.mark != *mark
                && Self::counts(entry, limits, now)
        })
    }

    /// The ledger with this reserved from `now` on, and without what no longer counts.
    ///
    /// # Errors
    /// What is used up.
    pub fn reserve(&self, mut wanted: Entry, limits: &Limits, now: Timestamp) -> Result<Self, NoRoom> {
        self.room(&wanted, limits, now)?;
        wanted.from = now;
        wanted.until = now.saturating_add(LASTS).unwrap_or(Timestamp::MAX);
        let stays = |entry: &&Entry| {
            Self::counts(entry, limits, now)
                && !Self::is_for(entry, &wanted.mark, wanted.act, wanted.occurrence)
        };
        let mut entries: Vec<Entry> = self.entries.iter().filter(stays).cloned().collect();
        entries.push(wanted);
        Ok(Self { since: self.since, entries })
    }

    /// Counts this as spent, unless an entry of this try does already. For plans alone.
    pub(super) fn spend(&mut self, wanted: Entry) {
        let counted = |entry: &Entry| Self::is_for(entry, &wanted.mark, wanted.act, wanted.occurrence);
        if !self.entries.iter().any(counted) {
            self.entries.push(wanted);
        }
    }

    /// Is this reserved, for all the time from `now` until `deadline`?
    #[must_use]
    pub fn holds(
        &self,
        mark: &Mark,
        act: Act,
        occurrence: Occurrence,
        now: Timestamp,
        deadline: Timestamp,
    ) -> bool {
        self.entries.iter().any(|entry| {
            Self::is_for(entry, mark, act, occurrence) && entry.from <= now && deadline <= entry.until
        })
    }
}
