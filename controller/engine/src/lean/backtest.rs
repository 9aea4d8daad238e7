//! What a rule would have said on each day that is known, and whether it would have been wrong.

use super::rule::Rule;
use super::verdict::{Host, Sign, Use, judge, loud};
use crate::activity::{Activity, Day};

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
    let told = activity.of(host.id);
    let tests = rule.tests(host.id.is_database());
    let busy_later = window.iter().filter(|day| *day > on).find_map(|day| loud(tests, &told, day));
    Some(Flagged { on, busy_later })
}
