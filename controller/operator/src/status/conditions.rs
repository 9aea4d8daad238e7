//! Builds the conditions of one object from those it has: an unchanged verdict keeps its transition time, so that an
//! unchanged world compares equal.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use rollcall_crds::conditions::{self, READY, RECONCILING, STALLED, Truth};
use rollcall_engine::fleet::{Hold, Problem, StopsNone};
use rollcall_engine::reading::{Failure, FailureKind};

/// All types we write; whatever else stands on an object is somebody else's.
const OURS: [&str; 8] = [
    READY,
    conditions::INVENTORY_FRESH,
    conditions::REGISTRATIONS_FRESH,
    conditions::COMPLIANT,
    conditions::DELIVERING,
    conditions::RETIREMENT_ALLOWED,
    RECONCILING,
    STALLED,
];

/// The conditions that are ours among these.
#[must_use]
pub fn ours(conditions: &[Condition]) -> Vec<Condition> {
    conditions.iter().filter(|c| OURS.contains(&c.type_.as_str())).cloned().collect()
}

/// Conditions under construction.
pub struct Conditions {
    list: Vec<Condition>,
    generation: Option<i64>,
    now: Timestamp,
}

impl Conditions {
    /// Begins with those that the object has.
    #[must_use]
    pub fn begin(before: &[Condition], generation: Option<i64>, now: Timestamp) -> Self {
        Self { list: ours(before), generation, now }
    }

    /// Sets one.
    pub fn set(&mut self, type_: &str, verdict: &Verdict) {
        let Verdict { truth, reason, message } = verdict;
        conditions::set(&mut self.list, type_, *truth, reason, message, self.generation, self.now);
    }

    /// Sets one that stands on the object only while it is true.
    pub fn set_while(&mut self, type_: &str, verdict: Option<&Verdict>) {
        match verdict {
            Some(verdict) => self.set(type_, verdict),
            None => conditions::clear(&mut self.list, type_),
        }
    }

    /// `Ready`, and `Stalled` with it when only a person can help.
    pub fn ready(&mut self, problems: &[&Problem], otherwise: impl FnOnce() -> Verdict) {
        let Some(first) = problems.first() else {
            self.set(READY, &otherwise());
            return self.set_while(STALLED, None);
        };
        let message = more(&first.message, problems.len());
        self.set(READY, &Verdict::new(Truth::False, &first.reason, &message));
        self.set(STALLED, &Verdict::new(Truth::True, &first.reason, &message));
    }

    /// The finished list.
    #[must_use]
    pub fn finish(self) -> Vec<Condition> {
        self.list
    }
}

/// What a condition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    truth: Truth,
    reason: String,
    message: String,
}

impl Verdict {
    /// `RetirementAllowed`: why nothing is stopped, and what else would hold it.
    #[must_use]
    pub fn stops_none(why: StopsNone, holds: &[Hold]) -> Self {
        Self::new(Truth::False, why.as_str(), &why.with(holds))
    }

    /// `reason` is CamelCase, `message` for people.
    #[must_use]
    pub fn new(truth: Truth, reason: &str, message: &str) -> Self {
        Self { truth, reason: reason.to_owned(), message: message.to_owned() }
    }

    /// Ready, and nothing to add.
    #[must_use]
    pub fn reconciled() -> Self {
        Self::new(Truth::True, "Reconciled", "")
    }

    /// Whether sources are read completely and recently: `True` when none is blind.
    #[must_use]
    pub fn fresh<'a>(blind: impl IntoIterator<Item = (String, &'a Failure)>) -> Self {
        let blind: Vec<_> = blind.into_iter().collect();
        let Some((source, why)) = blind.first() else {
            return Self::new(Truth::True, "Fresh", "");
        };
        // What was never read is not known to be stale.
        let truth = if why.kind == FailureKind::NotYetRead { Truth::Unknown } else { Truth::False };
        Self::new(truth, why.kind.as_str(), &more(&format!("{source}: {}", why.message), blind.len()))
    }

    /// `Ready` of what depends on sources: once each has been readable, later trouble is told elsewhere.
    #[must_use]
    pub fn once_read<'a>(once_read: bool, blind: impl IntoIterator<Item = (String, &'a Failure)>) -> Self {
        if once_read {
            return Self::reconciled();
        }
        match Self::fresh(blind) {
            Self { truth: Truth::True, .. } => {
                Self::new(Truth::Unknown, FailureKind::NotYetRead.as_str(), "not every source was read yet")
            }
            blind => blind,
        }
    }
}

fn more(message: &str, all: usize) -> String {
    match all.saturating_sub(1) {
        0 => message.to_owned(),
        others => format!("{message} (and {others} more)"),
    }
}
