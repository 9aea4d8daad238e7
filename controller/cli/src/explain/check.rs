//! One required check: why it is there, what it asks for, and how it stands in each environment, with the hosts that lack it.

use std::fmt::Write as _;

use rollcall_crds::v1alpha1 as api;
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::rollcall::{Coverage, Requirement};

use crate::input::Decided;
use crate::terminal;

/// Columns of a line's name.
const NAME: usize = 12;
/// No more hosts than this are named in an environment; the rest is counted.
const MOST_HOSTS: usize = 6;

/// The whole text, ending with a newline.
pub fn render(decided: &Decided, key: &ObjectKey) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "required check {key}");
    let is_meant = |check: &&api::RequiredCheck| {
        check.metadata.name.as_deref() == Some(&*key.name)
            && check.metadata.namespace.as_deref() == Some(&*key.namespace)
    };
    if let Some(check) = decided.recording.desired.checks.iter().find(is_meant) {
        wishes(&mut out, check);
    }
    if let Some(roll) = decided.roll.checks.get(key)
        && let Some(due) = roll.review_due
    {
        line(&mut out, "review", &format!("due {due}{}", if roll.overdue { ", overdue" } else { "" }));
    }
    out.push('\n');
    let requirement = Requirement::Check(key.clone());
    for (environment, roll) in &decided.roll.environments {
        let Some((_, tally)) = roll.ledger.iter().find(|(asked, _)| *asked == requirement) else { continue };
        let missing = roll.missing(tally).map_or_else(|| "-".to_owned(), |missing| missing.to_string());
        let mut text = format!(
            "{}/{} covered, {missing} missing, {} unknown",
            tally.covered, tally.required, tally.unknown
        );
        let lacking = lacking(decided, environment, &requirement);
        if !lacking.is_empty() {
            let more = lacking.len().saturating_sub(MOST_HOSTS);
            let named: Vec<&str> = lacking.iter().take(MOST_HOSTS).map(String::as_str).collect();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let _ = write!(text, ": {}{more}", named.join(", "));
        }
        line(&mut out, &environment.name, &text);
    }
    out
}

fn wishes(out: &mut String, check: &api::RequiredCheck) {
    let spec = &check.spec;
    line(out, "why", &spec.why);
    line(out, "severity", &format!("{:?}", spec.severity));
    line(out, "applies to", &whom(spec));
    if let Some(day) = &spec.enforce_from {
        line(out, "enforced", &format!("from {day} on; before, it is only counted"));
    }
    if let Some(Ok(assertion)) = spec.assertion.as_ref().map(serde_json::to_string) {
        line(out, "asserts", &assertion);
    }
    for way in spec.ways() {
        line(out, "watched by", &format!("{} in {}", look(way), way.system));
    }
}

fn whom(spec: &api::RequiredCheckSpec) -> String {
    let to = &spec.applies_to;
    if spec.subject == api::CheckSubject::Environment {
        return "each environment itself".to_owned();
    }
    let services = to.services.iter().flatten().map(|service| format!("{service:?}")).collect::<Vec<_>>();
    let hosts =
        if services.is_empty() { String::new() } else { format!("{} hosts, ", services.join(" and ")) };
    match &to.roles {
        Some(roles) => format!("{hosts}roles {}", roles.join(", ")),
        None => format!("{hosts}whatever role they play"),
    }
}

fn look(way: &api::WatchedBy) -> String {
    if let Some(check) = &way.check {
        return format!("check {}", check.name);
    }
    if let Some(metric) = &way.host_metric {
        return format!("a monitor on {}", metric.metric);
    }
    if let Some(external) = &way.external {
        return format!("an external monitor of {}", external.url);
    }
    if let Some(service) = &way.service {
        return format!("check {} of {}", service.description, service.host);
    }
    "a connectivity monitor".to_owned()
}

fn line(out: &mut String, name: &str, text: &str) {
    terminal::wrap(out, &format!("  {name:<NAME$}"), &" ".repeat(NAME + 2), text, terminal::width());
}

/// Hosts of the environment whose row is open, by the name people know.
fn lacking(decided: &Decided, environment: &ObjectKey, requirement: &Requirement) -> Vec<String> {
    let is_open = |coverage| {
        matches!(
            coverage,
            Coverage::Missing | Coverage::Silent | Coverage::Muted | Coverage::Weak | Coverage::Failed
        )
    };
    let hosts = decided.roll.hosts.iter().filter(|(_, host)| host.environment.as_ref() == Some(environment));
    let lacks = hosts.filter(|(_, host)| {
        decided.roll.rows(host).any(|(asked, coverage)| asked == requirement && is_open(coverage))
    });
    let mut names: Vec<String> =
        lacks.map(|(id, host)| host.name.as_deref().map_or_else(|| id.to_string(), str::to_owned)).collect();
    names.sort();
    names
}
