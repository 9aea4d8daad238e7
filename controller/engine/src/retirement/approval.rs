//! Whose approval counts.
//!
//! Admission has no clock and its policy can be removed and put back, so an entry counts only when the same admission
//! policy, by uid and generation, was in force at the look before the entry was first seen and at the look that saw it:
//! uids and generations are never used again, so it was in force in between.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::policy::Policy;
use crate::ids::User;

/// The admission policy with its binding, as it is in force.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Admission {
    /// Uid of the `ValidatingAdmissionPolicy` and of its binding, joined.
    pub uid: Arc<str>,
    /// The sum of their generations.
    pub generation: i64,
}

/// When an entry of `spec.approvals` was first seen, and under what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenApproval {
    /// Who.
    pub user: User,
    /// When the operator first saw it.
    pub seen_at: Timestamp,
    /// What was in force all the while in which it came. `None`: that is not known, and it never counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<Admission>,
}

/// What is seen now: entries that went are forgotten, new ones stamped.
pub(super) fn stamp(
    entries: &BTreeSet<User>,
    seen: &[SeenApproval],
    last: Option<&Admission>,
    current: Option<&Admission>,
    now: Timestamp,
) -> Vec<SeenApproval> {
    let under = current.filter(|current| last == Some(*current));
    let stamped = entries.iter().map(|user| {
        seen.iter().find(|one| one.user == *user).cloned().unwrap_or_else(|| SeenApproval {
            user: user.clone(),
            seen_at: now,
            under: under.cloned(),
        })
    });
    stamped.collect()
}

/// How many count at `now`.
pub(super) fn counting(
    entries: &BTreeSet<User>,
    seen: &[SeenApproval],
    policy: &Policy,
    current: &Admission,
    now: Timestamp,
) -> usize {
    let counts = |one: &&SeenApproval| {
        entries.contains(&one.user)
            && one.under.as_ref() == Some(current)
            && now.duration_since(one.seen_at) < policy.approval_expiry
    };
    seen.iter().filter(counts).count()
}
