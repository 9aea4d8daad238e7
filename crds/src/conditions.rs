//! Status conditions with the semantics of apimachinery's `SetStatusCondition`, and kstatus on top.
//!
//! `lastTransitionTime` moves only when `status` flips, so an unchanged world writes nothing.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// This generation was reconciled and every source it needs has been readable at least once.
/// Findings never make it False: one bad host must not block a GitOps wave.
pub const READY: &str = "Ready";
/// The inventory this object depends on was read completely and recently.
pub const INVENTORY_FRESH: &str = "InventoryFresh";
/// The registrations this object depends on were read completely and recently.
pub const REGISTRATIONS_FRESH: &str = "RegistrationsFresh";
/// No open Critical finding; Unknown while a source is blind.
pub const COMPLIANT: &str = "Compliant";
/// The last notice that was sent to a channel was accepted; Unknown until there was one.
pub const DELIVERING: &str = "Delivering";
/// Hosts may be stopped: of an account, or those of an Environment that asks for it.
pub const RETIREMENT_ALLOWED: &str = "RetirementAllowed";
/// Enough approvals of a Retirement count.
pub const APPROVED: &str = "Approved";
/// kstatus: work is in progress. Written only when True.
pub const RECONCILING: &str = "Reconciling";
/// kstatus: cannot proceed without a person. Written only when True.
pub const STALLED: &str = "Stalled";

/// The three values of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// `"True"`
    True,
    /// `"False"`
    False,
    /// `"Unknown"`
    Unknown,
}

impl Truth {
    /// The wire spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Truth::True => "True",
            Truth::False => "False",
            Truth::Unknown => "Unknown",
        }
    }
}

/// Sets one condition. `lastTransitionTime` becomes `now` only when the status flips or the condition
/// is new; reason, message and `observedGeneration` follow silently. Messages are cut at 1,024 bytes.
pub fn set(
    conditions: &mut Vec<Condition>,
    type_: &str,
    status: Truth,
    reason: &str,
    message: &str,
    observed_generation: Option<i64>,
    now: Timestamp,
) {
    let message = cut(message, 1024);
    if let Some(found) = conditions.iter_mut().find(|c| c.type_ == type_) {
        if found.status != status.as_str() {
            status.as_str().clone_into(&mut found.status);
            found.last_transition_time = Time(now);
        }
        reason.clone_into(&mut found.reason);
        found.message = message;
        found.observed_generation = observed_generation;
        return;
    }
    conditions.push(Condition {
        type_: type_.to_owned(),
        status: status.as_str().to_owned(),
        reason: reason.to_owned(),
        message,
        observed_generation,
        last_transition_time: Time(now),
    });
    conditions.sort_by(|a, b| a.type_.cmp(&b.type_));
}

/// Removes an abnormal-true condition ([`RECONCILING`], [`STALLED`]) once it no longer holds.
pub fn clear(conditions: &mut Vec<Condition>, type_: &str) {
    conditions.retain(|c| c.type_ != type_);
}

/// Cuts at a character boundary so that at most `bytes` remain, ending in `…` when something was lost.
#[must_use]
pub fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let mut end = bytes.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_transition_time_moves_only_when_the_status_flips() {
        let mut c = vec![];
        set(&mut c, READY, Truth::False, "NoGrant", "a", Some(1), at(10));
        set(&mut c, READY, Truth::False, "BadSelector", "b", Some(2), at(20));
        assert_eq!(c[0].last_transition_time, Time(at(10)));
        assert_eq!((c[0].reason.as_str(), c[0].observed_generation), ("BadSelector", Some(2)));
        set(&mut c, READY, Truth::True, "Reconciled", "", Some(2), at(30));
        assert_eq!(c[0].last_transition_time, Time(at(30)));
    }

    #[test]
    fn a_long_message_is_cut_at_a_character_boundary() {
        let mut c = vec![];
        set(&mut c, READY, Truth::False, "X", &"役".repeat(1000), None, at(0));
        assert!(c[0].message.len() <= 1024 && c[0].message.ends_with('…'));
    }
}
