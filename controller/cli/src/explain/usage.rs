//! Whether one host is used: the verdict, each signal that was looked at, and what would change the verdict.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rollcall_engine::ids::{HostId, ObjectKey};
use rollcall_engine::lean::{Evidence, Grade, Rule, SignalSeen, Use, evidence};
use rollcall_engine::leaving;
use rollcall_engine::retirement::{Refusal, Why};
use rollcall_engine::rollcall::HostRoll;

use super::host::{NAME, line};
use crate::input::Decided;
use crate::terminal;

/// Adds it to the text on a host.
pub(super) fn write(out: &mut String, decided: &Decided, id: &HostId, host: &HostRoll, used: &Use) {
    let Some((policy, rule)) = host.environment.as_ref().and_then(|key| decided.fleet.rule(key)) else {
        return;
    };
    line(out, "used", &verdict(used));
    let by = policy.map_or_else(|| "the default rule".to_owned(), |key| format!("RetirementPolicy {key}"));
    line(out, "judged by", &format!("{by}: {}", rule.in_words(id.is_database())));
    let Some(activity) = decided.recording.snapshot.activities.get(&host.place) else {
        line(out, "seen", "from memory: what it did is not read again until the next day is over");
        return;
    };
    let seen = evidence(rule, id, activity, activity.window.last());
    let _ = writeln!(out, "\n  from {} to {} (UTC)", seen.first, seen.last);
    for signal in &seen.signals {
        told(out, &seen, signal);
    }
    line(out, "what would change it", &change(used, rule, id));
    if let Some(told) = owner(decided, id) {
        line(out, "its owner", &told);
    }
    if let (Use::Idle(_), Some(environment)) = (used, &host.environment) {
        stop(out, decided, id, environment);
    }
}

/// Why it is not stopped where its environment asks for that, and on which terms it would be.
fn stop(out: &mut String, decided: &Decided, id: &HostId, environment: &ObjectKey) {
    let Some(roll) = decided.roll.environments.get(environment) else { return };
    let Some(why) = roll.stops_none else { return };
    line(out, "is not stopped", &why.with(&roll.holds));
    if let Some(refusals) = leaving::against_a_stop(decided.pass(), id) {
        let unknown = |refusal: &Refusal| if matches!(refusal.why, Why::Unknown(_)) { "?" } else { "" };
        let guards: Vec<String> =
            refusals.iter().map(|refusal| format!("{}{}", refusal.guard.name(), unknown(refusal))).collect();
        line(out, "guards against it", &format!("{} (?: not known)", guards.join(", ")));
    }
    if let Some(outlook) = decided.fleet.outlook(environment, decided.recording.now) {
        line(out, "next window", &outlook.window());
        line(out, "would be stopped", &outlook.budget());
        line(out, "its end would be", &outlook.end(id.is_database()));
    }
}

/// Whether its owner is told, where that is asked for, and what speaks against it: by the guards that the operator asks.
fn owner(decided: &Decided, id: &HostId) -> Option<String> {
    let leaving = leaving::look(decided.pass(), &[], &BTreeSet::new());
    if leaving.proposals.iter().any(|proposal| proposal.spec.incarnation.host == *id) {
        return Some("is told that it looks unused, once: kubectl get rcretire -A".to_owned());
    }
    let blocked = leaving.blocked.iter().find(|blocked| blocked.host == *id)?;
    let against: Vec<String> = blocked.refusals.iter().map(ToString::to_string).collect();
    Some(format!("is not told: {}", against.join("; ")))
}

fn verdict(used: &Use) -> String {
    match used {
        Use::Active(sign) => {
            format!("yes: {} {} on {}", sign.signal.as_str(), sign.signal.told(sign.amount), sign.day)
        }
        Use::Idle(idle) => format!("it looks unused since {}", idle.since),
        Use::Unknown(doubt) => format!("nobody can say: {doubt}"),
    }
}

/// One signal: quiet, loud, or not known.
fn told(out: &mut String, seen: &Evidence, signal: &SignalSeen) {
    let days = seen.last.days_since(seen.first) + 1;
    let is_loud = signal.most.is_some_and(|(_, most)| !signal.test.is_quiet(most));
    let is_whole = i32::from(signal.told) == days;
    let sign = match (is_loud, is_whole || signal.not_applicable) {
        (true, _) => "loud",
        (false, true) => "quiet",
        (false, false) => "?",
    };
    let most = signal
        .most
        .map_or_else(String::new, |(day, most)| format!("most {} on {day}, ", signal.test.signal.told(most)));
    let rest = match (signal.not_applicable, signal.not_read) {
        (true, _) => "such a host cannot have it".to_owned(),
        (false, Some(why)) => format!("not read: {}", why.as_str()),
        (false, None) => format!("told of {} of {days} days", signal.told),
    };
    let first = format!("  {sign:<6}{:<width$} ", signal.test.to_string(), width = NAME - 7);
    terminal::wrap(out, &first, &" ".repeat(NAME + 2), &format!("{most}{rest}"), terminal::width());
}

fn change(used: &Use, rule: &Rule, id: &HostId) -> String {
    match used {
        Use::Active(sign) => {
            let from = sign.day.plus(i32::from(rule.days()) + 1);
            format!("only quiet days from now on: it would look unused from {from}")
        }
        Use::Idle(idle) => {
            let mut text = "one day that reaches a bound, a start, or an Exemption of RC0401".to_owned();
            let weak: Vec<String> = idle.weak.iter().map(ToString::to_string).collect();
            let is_strong = weak.is_empty() && rule.grade(id.is_database()) == Grade::Act;
            if !is_strong {
                let _ = write!(text, "; this only points at it: {}", weak.join(", "));
            }
            text
        }
        Use::Unknown(_) => "what is missing; until then it is not said to be unused".to_owned(),
    }
}
