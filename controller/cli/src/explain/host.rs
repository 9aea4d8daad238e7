//! One host: who it is, whose, how it stands in each monitoring system, and every row with what decided it.

use std::fmt::Write as _;

use jiff::Timestamp;
use rollcall_engine::finding::{Excuse, Finding};
use rollcall_engine::ids::{HostId, ObjectKey, RegistrationId};
use rollcall_engine::leaving::Departure;
use rollcall_engine::registry::Product;
use rollcall_engine::rollcall::{ClusterPart, Coverage, HostRoll, Requirement};
use rollcall_engine::text::clean;

use super::usage;
use crate::input::Decided;
use crate::terminal;

/// Columns of a row's name.
pub(super) const NAME: usize = 26;

/// The whole text, ending with a newline.
pub fn render(decided: &Decided, id: &HostId, host: &HostRoll) -> String {
    let now = decided.recording.now;
    let mut out = String::new();
    let size = host.instance_type.as_deref().unwrap_or("size unknown");
    let up = host
        .launch_time
        .map(|at| format!(", up {}", terminal::age(now.duration_since(at))))
        .unwrap_or_default();
    let _ = writeln!(
        out,
        "{} ({id})   {:?}   {}   {size}{up}",
        host.name.as_deref().unwrap_or("-"),
        host.state,
        host.place
    );
    if let Some(at) = host.settles_at {
        line(&mut out, "settles", &format!("until {at:.0}"));
    }
    if !host.seen {
        line(&mut out, "seen", "not in the last reading: what is said here is from memory");
    }
    if let Some(part) = &host.cluster {
        line(&mut out, "cluster", &cluster(part));
    }
    line(&mut out, "claimed by", &claim(host));
    line(&mut out, "duties", &list(&host.duties));
    line(&mut out, "traits", &list(&host.traits));
    for (system, registration) in &host.registrations {
        line(&mut out, &system.name, &stands(decided, system, registration, now));
    }
    if let Some(used) = &host.used {
        usage::write(&mut out, decided, id, host, used);
    }
    if let Some(departure) = departure(decided, id) {
        line(&mut out, "retirement", &way_out(departure));
    }
    let tally = host.tally();
    let _ = writeln!(
        out,
        "\n{} of {} required rows covered, {} missing, {} unknown",
        tally.covered, tally.required, tally.missing, tally.unknown
    );
    let findings = decided.roll.findings_by_host().remove(id).unwrap_or_default();
    for (requirement, coverage) in decided.roll.rows(host) {
        row(&mut out, decided, requirement, coverage, &findings);
    }
    out.push('\n');
    for finding in &findings {
        about(&mut out, finding);
    }
    if findings.is_empty() {
        out.push_str("No finding.\n");
    }
    out
}

pub(super) fn line(out: &mut String, name: &str, text: &str) {
    let first = format!("  {name:<NAME$}");
    terminal::wrap(out, &first, &" ".repeat(NAME + 2), text, terminal::width());
}

/// The latest retirement of the host, where that was recorded: one that stands, or how the last one ended.
fn departure<'a>(decided: &'a Decided, id: &HostId) -> Option<&'a Departure> {
    let all = decided.recording.departures.iter().flatten();
    all.filter(|one| one.host == *id).max_by_key(|one| (!one.is_over(), one.since))
}

/// Its name, where it stands, since when, until when its owner decides, and what it says of itself.
fn way_out(departure: &Departure) -> String {
    let minute =
        |at: Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC").to_string();
    let since = departure.since.map(|at| format!(" since {}", minute(at))).unwrap_or_default();
    let due = departure.due.filter(|_| !departure.is_over());
    let due = due.map(|at| format!(", due {}", minute(at))).unwrap_or_default();
    let says = departure.message.as_deref().map(|says| format!(": {}", clean(says))).unwrap_or_default();
    format!("{} {:?}{since}{due}{says}", departure.key, departure.state)
}

fn list(names: &[impl ToString]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn cluster(part: &ClusterPart) -> String {
    let role = match part.writes {
        Some(true) => "writer",
        Some(false) => "reader",
        None => "nobody can tell now whether it writes",
    };
    format!("{}, {role}", part.name)
}

fn claim(host: &HostRoll) -> String {
    match &host.environment {
        Some(environment) => environment.to_string(),
        None if host.claimed_by.is_empty() => "nobody".to_owned(),
        None => format!("contested: {}", list(&host.claimed_by.iter().collect::<Vec<_>>())),
    }
}

/// Status and last metric of a registration, as they were read.
fn stands(decided: &Decided, system: &ObjectKey, id: &RegistrationId, now: Timestamp) -> String {
    let Some(registry) = decided.recording.snapshot.registries.get(system) else { return id.to_string() };
    if registry.product == Product::Nagios {
        return id.to_string();
    }
    let status =
        registry.hosts.seen.iter().find(|host| host.id == *id).map_or("unknown", |host| host.status.as_str());
    let last = registry.last_metric.seen.get(id);
    let last = last.map_or_else(
        || "no metric seen".to_owned(),
        |at| format!("last metric {} ago", terminal::age(now.duration_since(*at))),
    );
    format!("{id} {status}, {last}")
}

fn row(
    out: &mut String,
    decided: &Decided,
    requirement: &Requirement,
    coverage: Coverage,
    findings: &[&Finding],
) {
    let name = requirement.to_string();
    let (sign, what) = match coverage {
        Coverage::Covered => ('✔', String::new()),
        Coverage::Unknown(reason) => ('?', decided.roll.reason(reason).message.clone()),
        Coverage::Settling => ('…', "settling".to_owned()),
        Coverage::Exempt | Coverage::Baseline => ('~', format!("{coverage:?}").to_lowercase()),
        Coverage::Missing | Coverage::Silent | Coverage::Muted | Coverage::Weak | Coverage::Failed => {
            ('✗', format!("{coverage:?}").to_lowercase() + &code_of(requirement, findings))
        }
    };
    let first = format!("  {sign} {name:<width$}", width = NAME - 2);
    terminal::wrap(out, &first, &" ".repeat(NAME + 2), &what, terminal::width());
}

/// The finding of the row itself, where it has one of its own.
fn code_of(requirement: &Requirement, findings: &[&Finding]) -> String {
    let Requirement::Check(check) = requirement else { return String::new() };
    let own = findings.iter().find(|finding| finding.check.as_ref() == Some(check));
    own.map(|finding| format!(" {}", finding.code)).unwrap_or_default()
}

fn about(out: &mut String, finding: &Finding) {
    let excuse = match &finding.excuse {
        Excuse::None => String::new(),
        Excuse::Exempt(by) => format!(" (exempt by {by})"),
        Excuse::Baseline(by) => format!(" (baseline {by})"),
    };
    let check = finding.check.as_ref().map(|key| format!("{}: ", key.name)).unwrap_or_default();
    let since = finding.since.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%d");
    let since = format!(" since {since}");
    // Some messages tell it themselves.
    let since = if finding.message.contains(&since) { "" } else { &since };
    let text = format!("{check}{}{since}{excuse}", finding.message);
    terminal::wrap(out, &format!("{} ", finding.code), "       ", &text, terminal::width());
    terminal::wrap(out, "       fix: ", "            ", &finding.fix, terminal::width());
}
