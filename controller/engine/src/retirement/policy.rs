//! What a team decides about retirement (`RetirementPolicy`), as a value. Each default has its reason.

use std::sync::Arc;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The hash of the rule that says what idle means. Another rule is other evidence.
pub type PolicyHash = Arc<str>;

/// How a retirement ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FinalAct {
    /// The host stays stopped.
    Stop,
    /// The host stays stopped, and its owner is told which resource to remove (Terraform would recreate it).
    HandOver,
    /// The host is terminated after the cool-off.
    Terminate,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// The rule's hash.
    pub hash: PolicyHash,
    /// The least time between the accepted notice and the first act. Business days make it longer, never shorter.
    pub grace: SignedDuration,
    /// How long a stopped host waits, in the same stop, before it ends.
    pub cool_off: SignedDuration,
    /// How long before an act its owner's channel hears of it.
    pub notice: SignedDuration,
    /// How long the rule must have run before it may act.
    pub probation: SignedDuration,
    /// How many people must approve.
    pub approvals: usize,
    /// How long an approval counts from when it was first seen.
    pub approval_expiry: SignedDuration,
    /// How many hosts of a duty, environment and zone always stay.
    pub keep_last: usize,
    /// How it ends.
    pub final_act: FinalAct,
}

impl Default for Policy {
    /// Grace of five days at least, two weeks of cool-off, a month of probation, 15 minutes' notice, two people, approvals
    /// for 30 days, the last two stay, and a stop is all (safety.md).
    fn default() -> Self {
        let days = |n: i64| SignedDuration::from_hours(24 * n);
        Self {
            hash: Arc::from(""),
            grace: days(5),
            cool_off: days(14),
            notice: SignedDuration::from_mins(15),
            probation: days(30),
            approvals: 2,
            approval_expiry: days(30),
            keep_last: 2,
            final_act: FinalAct::Stop,
        }
    }
}
