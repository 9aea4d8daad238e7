//! What a rule would have said on each day that is known, and whether it would have been wrong.

use super::rule::Rule;
use super::verdict::{Host, Sign, Use, judge, loud};
use crate::activity::{Activity, Day};
use crate::ids::HostId;

/// A host that a rule would have called idle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flagged {
    /// The last of the quiet days that the rule asks for: on the morning after it the host would have been pointed at.
    pub on: Day,
    /// The first sign of use after that: the rule would have been wrong about it.
    pub busy_later: Option<Sign>,
}

/// Tries a rule on all days of a reading, as if it had been asked on each morning. None when it would never have called the
/// host idle.
#[must_use]
pub fn backtest(rule: &Rule, host: Host<'_>, activity: &Activity) -> Option<Flagged> {
    let window = activity.window;
    let begin = window.first().plus(i32::from(rule.days()) - 1);
    let mut asked = window.iter().filter(|day| *day >= begin);
    let on = asked.find(|day| matches!(judge(rule, host, activity, *day), Use::Idle(_)))?;
    Some(Flagged { on, busy_later: used_after(rule, host.id, activity, on) })
}

/// The first sign of use after a day.
#[must_use]
pub fn used_after(rule: &Rule, host: &HostId, activity: &Activity, on: Day) -> Option<Sign> {
    let (told, tests) = (activity.of(host), rule.tests(host.is_database()));
    activity.window.iter().filter(|day| *day > on).find_map(|day| loud(tests, &told, day))
}
