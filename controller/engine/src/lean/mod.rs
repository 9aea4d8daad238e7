//! Whether a host is used: a rule, what the host did day by day, and the verdict.
//!
//! [`judge`] has three answers. **Active** needs one loud signal on one day. **Idle** needs every signal of every day of the
//! window, each with a value, each quiet. Everything else is **Unknown**, with its reason: no data is never zero, and what
//! was not read is never quiet. So whatever is hidden can turn Active or Idle only into Unknown.
//!
//! Nothing here acts on a host, and nothing here knows how one would leave. Age is never a reason.

mod backtest;
mod evidence;
mod rule;
mod verdict;

pub use backtest::{Flagged, backtest, used_after};
pub use evidence::{Evidence, SignalSeen, evidence};
pub use rule::{
    BadRule, DatabaseRule, Grade, InstanceRule, MEGABYTE, Rule, RuleHash, Signal, Test, Weakness,
};
pub use verdict::{Doubt, Host, Idle, Sign, Use, judge};

#[cfg(test)]
mod tests;
