//! The plan as people read it: causes before hosts, unknown never as 0, and every line that asks for
//! something ends with what to do. Fits the given width; wide characters are counted.

use std::fmt::Write as _;

use rollcall_engine::finding::{Cause, Code, Excuse};
use rollcall_engine::ids::HostId;
use rollcall_engine::reading::Failure;
use rollcall_engine::text::count;
use unicode_width::UnicodeWidthStr as _;

use super::Shown;
use crate::terminal::wrap;

/// The whole text, ending with a newline.
pub fn render(shown: &Shown<'_>, width: usize) -> String {
    let mut out = String::new();
    head(&mut out, shown);
    for problem in &shown.plan.problems {
        let place =
            if problem.namespace.is_empty() { String::new() } else { format!("{}/", problem.namespace) };
        let line = format!("{:?} {place}{}: {}", problem.kind, problem.name, problem.message);
        wrap(&mut out, " ✗ ", "   ", &line, width);
    }
    if !shown.plan.problems.is_empty() {
        out.push('\n');
    }
    for cause in causes(shown) {
        cause_lines(&mut out, shown, cause, width);
    }
    foot(&mut out, shown);
    out
}

fn causes<'a>(shown: &'a Shown<'_>) -> Vec<&'a Cause> {
    let roll = &shown.plan.roll;
    match shown.environment {
        Some(name) => roll
            .environments
            .iter()
            .filter(|(key, _)| &*key.name == name)
            .flat_map(|(_, e)| &e.causes)
            .collect(),
        None => roll.causes.iter().collect(),
    }
}

fn head(out: &mut String, shown: &Shown<'_>) {
    let roll = &shown.plan.roll;
    let environments: Vec<_> = roll
        .environments
        .iter()
        .filter(|(key, _)| shown.environment.is_none_or(|name| &*key.name == name))
        .collect();
    let hosts: u32 = match shown.environment {
        Some(_) => environments.iter().map(|(_, e)| e.hosts).sum(),
        None => u32::try_from(roll.hosts.len()).unwrap_or(u32::MAX),
    };
    let _ = write!(out, "{hosts} hosts{}, {}", kinds(shown), count(environments.len(), "environment"));
    let inventory = roll
        .accounts
        .values()
        .flat_map(|account| account.blind.iter().map(|(place, why)| (place.to_string(), why)));
    let _ = write!(out, "   EC2 {}", source_state(inventory));
    rds(out, shown);
    for (key, system) in &roll.systems {
        let blind = system.blind.iter().map(|(listing, why)| (listing.clone(), why));
        let _ = write!(out, "   {} {}", key.name, source_state(blind));
    }
    out.push('\n');
    let missing: u32 = environments.iter().map(|(_, environment)| environment.tally.missing).sum();
    let unknown: u32 = environments.iter().map(|(_, environment)| environment.tally.unknown).sum();
    let open = findings(shown, Excuse::is_none);
    let exempt = findings(shown, |excuse| matches!(excuse, Excuse::Exempt(_)));
    let baseline = frozen(shown);
    let causes = causes(shown).iter().filter(|cause| cause.open > 0).count();
    let _ = writeln!(
        out,
        "{} from {}   missing {missing}   unknown {unknown}   exempt {exempt}   baseline {baseline}   biggest first\n",
        count(open, "open finding"),
        count(causes, "cause")
    );
}

/// ` (174 EC2, 22 RDS)`, where there are databases among all hosts.
fn kinds(shown: &Shown<'_>) -> String {
    let hosts = &shown.plan.roll.hosts;
    let databases = hosts.keys().filter(|id| id.is_database()).count();
    match (shown.environment, databases) {
        (Some(_), _) | (None, 0) => String::new(),
        (None, databases) => format!(" ({} EC2, {databases} RDS)", hosts.len() - databases),
    }
}

/// How RDS could be read. A fleet without databases, read or not recorded, says nothing of it.
fn rds(out: &mut String, shown: &Shown<'_>) {
    let roll = &shown.plan.roll;
    let blind = || roll.accounts.values().flat_map(|account| &account.databases_blind);
    if blind().next().is_some() || roll.hosts.keys().any(HostId::is_database) {
        let blind = blind().map(|(place, why)| (place.to_string(), why));
        let _ = write!(out, "   RDS {}", source_state(blind));
    }
}

/// Findings of what is shown, by who excuses them.
fn findings(shown: &Shown<'_>, is_asked: impl Fn(&Excuse) -> bool) -> usize {
    shown.plan.roll.findings.iter().filter(|f| shown.shows(f) && is_asked(&f.excuse)).count()
}

/// Findings that a baseline holds.
fn frozen(shown: &Shown<'_>) -> usize {
    findings(shown, |excuse| matches!(excuse, Excuse::Baseline(_)))
}

/// `✔`, or what is blind and why: unknown is never shown as fine.
fn source_state<'a>(blind: impl Iterator<Item = (String, &'a Failure)>) -> String {
    let mut blind: Vec<String> = blind.map(|(what, why)| format!("{what} {}", why.kind.as_str())).collect();
    blind.sort();
    blind.dedup();
    match blind.as_slice() {
        [] => "✔".to_owned(),
        [one] => format!("✗ {one}: its rows are UNKNOWN, not missing"),
        [first, rest @ ..] => {
            format!("✗ {first} and {} more: their rows are UNKNOWN, not missing", rest.len())
        }
    }
}

fn cause_lines(out: &mut String, shown: &Shown<'_>, cause: &Cause, width: usize) {
    if cause.open == 0 {
        return;
    }
    let head = format!(" {} {:>5}  ", cause.code, cause.open);
    wrap(out, &head, &" ".repeat(head.width()), &cause.message, width);
    if shown.all {
        let of_cause = shown.plan.roll.findings.iter().filter(|f| {
            shown.shows(f)
                && f.excuse.is_none()
                && f.code == cause.code
                && f.check.as_ref().map(|k| &*k.name) == cause.check.as_deref()
                && f.system.as_ref().map(|k| &*k.name) == cause.system.as_deref()
                && f.role == cause.role
        });
        for finding in of_cause {
            wrap(
                out,
                "                · ",
                "                  ",
                &format!("{}: {}", finding.subject_name, finding.message),
                width,
            );
        }
    }
    wrap(out, "                fix: ", "                     ", &cause.fix, width);
}

fn foot(out: &mut String, shown: &Shown<'_>) {
    let open = causes(shown).into_iter().filter(|cause| cause.open > 0);
    let (mut ghosts, mut by_hand) = (0, 0);
    for cause in open {
        if cause.code == Code::Ghost {
            ghosts += cause.open;
        } else {
            by_hand += 1;
        }
    }
    let verdict = match (by_hand, ghosts) {
        // What a baseline holds is not new, and not clean either.
        (0, 0) if frozen(shown) > 0 => "0 new.".to_owned(),
        (0, 0) => "Clean.".to_owned(),
        (n, 0) => format!("Plan: {} to fix by hand.", count(n, "cause")),
        (0, g) => format!("Plan: {} for you to remove.", count(g, "ghost")),
        (n, g) => {
            format!("Plan: {} to fix by hand, {} for you to remove.", count(n, "cause"), count(g, "ghost"))
        }
    };
    let frozen = match frozen(shown) {
        0 => String::new(),
        n => format!(" {} frozen in a baseline, which is not compliant.", count(n, "finding")),
    };
    let leaving = leaving(shown);
    let _ = writeln!(out, "\n{verdict}{leaving}{frozen} Rollcall itself will change nothing.");
}

/// How many retirements stand, and for how many of them people must say yes.
fn leaving(shown: &Shown<'_>) -> String {
    let now = shown.plan.now;
    let waits = shown.departures().filter(|one| one.awaits_approval(now)).count();
    let others = shown.departures().count() - waits;
    let parts = [(waits, "awaiting approval"), (others, "under way")];
    let told = parts.iter().filter(|(n, _)| *n > 0);
    let told: Vec<String> = told.map(|(n, what)| format!(" {} {what}.", count(*n, "retirement"))).collect();
    told.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blind_source_is_named_and_never_looks_fine() {
        let why = Failure::new(rollcall_engine::reading::FailureKind::Denied, "403");
        let text = source_state([("hosts".to_owned(), &why)].into_iter());
        assert_eq!(text, "✗ hosts Denied: its rows are UNKNOWN, not missing");
    }
}
