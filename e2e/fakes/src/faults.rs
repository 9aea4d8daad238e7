//! Injected faults, as data: which calls, from when, how often, and what goes wrong.
//!
//! A fault changes what a client is told, never the ground truth. Order does not matter: all rules that
//! match strike together; of those that replace the answer the oldest wins.

mod rule;
mod strike;

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{delete, get},
};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

pub use self::{
    rule::{Fault, Pace, Rule},
    strike::{Instead, Strike},
};
use crate::{bucket::TokenBucket, calls::Call};

/// How many rules may stand at once.
pub const MAX_RULES: usize = 1_000;

/// The rules in force. Clones share them.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Mutex<Book>>);

#[derive(Debug)]
struct Book {
    started: Instant,
    next: u64,
    rules: BTreeMap<u64, Standing>,
}

/// A rule with what it has done so far.
#[derive(Debug)]
struct Standing {
    rule: Rule,
    seen: u64,
    struck: u64,
    buckets: BTreeMap<Call, TokenBucket>,
}

/// A rule in force, as listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// Its number, for [`Faults::remove`].
    pub id: u64,
    /// How many calls it has struck.
    pub struck: u64,
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
}

/// Why a rule was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_RULES} fault rules stand already: remove some (DELETE /_world/faults/ID)")]
pub struct TooManyRules;

impl Default for Faults {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Book { started: Instant::now(), next: 1, rules: BTreeMap::new() })))
    }
}

impl Faults {
    /// Puts a rule in force and answers its number.
    ///
    /// # Errors
    /// [`TooManyRules`] when [`MAX_RULES`] stand.
    pub fn add(&self, rule: Rule) -> Result<u64, TooManyRules> {
        let mut book = self.0.lock();
        if book.rules.len() >= MAX_RULES {
            return Err(TooManyRules);
        }
        let id = book.next;
        book.next += 1;
        book.rules.insert(id, Standing { rule, seen: 0, struck: 0, buckets: BTreeMap::new() });
        Ok(id)
    }

    /// Takes a rule out of force; false when there is none of that number.
    #[must_use]
    pub fn remove(&self, id: u64) -> bool {
        self.0.lock().rules.remove(&id).is_some()
    }

    /// Takes all rules out of force.
    pub fn clear(&self) {
        self.0.lock().rules.clear();
    }

    /// The rules in force, oldest first, with how often each has struck.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        let listed = |(id, s): (&u64, &Standing)| Listed { id: *id, struck: s.struck, rule: s.rule.clone() };
        self.0.lock().rules.iter().map(listed).collect()
    }

    /// What strikes this call at world time `now`; counts against each rule's `after` and `times`.
    pub fn strike(&self, call: &Call, now: Timestamp) -> Strike {
        let mut book = self.0.lock();
        let machine = book.started.elapsed().as_secs_f64();
        Strike::of(book.rules.values_mut().filter_map(|s| s.strike(call, now, machine)).collect())
    }

    /// `GET`, `POST` (a [`Rule`]; answers `{"id"}`) and `DELETE /_world/faults`, and `DELETE /_world/faults/{id}`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/_world/faults", get(list).post(add).delete(clear))
            .route("/_world/faults/{id}", delete(remove))
            .with_state(self.clone())
    }
}

impl Standing {
    fn strike(&mut self, call: &Call, now: Timestamp, machine: f64) -> Option<Fault> {
        if !self.rule.covers(call, now) {
            return None;
        }
        self.seen += 1;
        let waits = self.seen <= self.rule.after;
        let spent = self.rule.times.is_some_and(|times| self.struck >= times);
        if waits || spent || self.lets_pass(call, now, machine) {
            return None;
        }
        self.struck += 1;
        Some(self.rule.fault.clone())
    }

    /// A throttle lets a call pass while its bucket has tokens; each account, region and operation has its own.
    fn lets_pass(&mut self, call: &Call, now: Timestamp, machine: f64) -> bool {
        let Fault::Throttle { burst, refill_per_second, pace } = self.rule.fault else {
            return false;
        };
        let seconds = match pace {
            Pace::Machine => machine,
            Pace::World => now.as_duration().as_secs_f64(),
        };
        let full = || TokenBucket::full(burst, refill_per_second, seconds);
        self.buckets.entry(call.clone()).or_insert_with(full).take(1.0, seconds)
    }
}

#[derive(Serialize)]
struct Added {
    id: u64,
}

async fn list(State(faults): State<Faults>) -> Json<Vec<Listed>> {
    Json(faults.list())
}

async fn add(
    State(faults): State<Faults>,
    Json(rule): Json<Rule>,
) -> Result<(StatusCode, Json<Added>), (StatusCode, String)> {
    let id = faults.add(rule).map_err(|e| (StatusCode::CONFLICT, format!("{e}\n")))?;
    Ok((StatusCode::CREATED, Json(Added { id })))
}

async fn clear(State(faults): State<Faults>) {
    faults.clear();
}

async fn remove(State(faults): State<Faults>, Path(id): Path<u64>) -> Result<(), (StatusCode, String)> {
    let gone = || (StatusCode::NOT_FOUND, format!("no fault rule {id} stands\n"));
    faults.remove(id).then_some(()).ok_or_else(gone)
}

#[cfg(test)]
mod tests;
