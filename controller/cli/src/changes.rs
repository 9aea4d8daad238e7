//! `rollcall changes`: what happened to the fleet lately, oldest first: who joined, who left, who took whose place, whose
//! roles or size changed, which database took over the writes of its cluster.

use std::fmt::Write as _;

use clap::{Parser, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use rollcall_engine::memory::{Change, Happening};
use rollcall_engine::text::count;
use serde::Serialize;

use crate::input::{Decided, InputArgs};
use crate::ways::On;
use crate::{CLEAN, terminal};

/// Arguments of `rollcall changes`.
#[derive(Debug, Parser)]
pub struct ChangesArgs {
    #[command(flatten)]
    input: InputArgs,
    /// How far back to look: 90m, 24h, 7d. Seven days are remembered.
    #[arg(long, value_name = "SPAN", default_value = "24h", value_parser = span)]
    since: SignedDuration,
    /// Show only this environment.
    #[arg(short, long, value_name = "NAME")]
    environment: Option<String>,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs: one object a change.
    Json,
}

/// A change, and where it happened.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    environment: &'a str,
    #[serde(flatten)]
    change: &'a Change,
}

/// A span of at most a year, in any spelling that people use: `24h`, `1d 6h`, `90 minutes`.
fn span(text: &str) -> Result<SignedDuration, String> {
    let expected = || format!("expected a span such as 90m, 24h or 7d, found {text:?}");
    let span: jiff::Span = text.trim().parse().map_err(|_| expected())?;
    let year = SignedDuration::from_hours(366 * 24);
    let span = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| expected())?;
    if span.is_positive() && span <= year { Ok(span) } else { Err(expected()) }
}

/// Reads, decides, prints.
///
/// # Errors
/// When the input cannot be read, or names an environment that does not exist.
pub fn run(args: &ChangesArgs) -> anyhow::Result<u8> {
    // "Nothing happened" would be a lie.
    anyhow::ensure!(
        args.input.on != On::Live,
        "expected a recording with memory, found --on live, which remembers nothing; the operator does: --on cluster"
    );
    let decided = Decided::read(&args.input.on, &args.input.ways, &args.input.objects)?;
    if let Some(name) = &args.environment {
        decided.knows_environment(name)?;
    }
    let from = decided.recording.now.saturating_sub(args.since).unwrap_or(Timestamp::MIN);
    let lines = lines(&decided, args.environment.as_deref(), from);
    match args.output {
        Output::Text => anstream::print!("{}", text(&lines, from)),
        Output::Json => anstream::println!("{}", serde_json::to_string_pretty(&lines)?),
    }
    Ok(CLEAN)
}

fn lines<'a>(decided: &'a Decided, environment: Option<&str>, from: Timestamp) -> Vec<Line<'a>> {
    let remembered =
        decided.recording.memory.environments.iter().map(|(key, memory)| (key, memory.changes.as_slice()));
    let new = decided.roll.environments.iter().map(|(key, roll)| (key, roll.new_changes.as_slice()));
    let mut lines: Vec<Line<'_>> = remembered
        .chain(new)
        .filter(|(key, _)| environment.is_none_or(|name| *name == *key.name))
        .flat_map(|(key, changes)| changes.iter().map(|change| Line { environment: &key.name, change }))
        .filter(|line| line.change.at >= from)
        .collect();
    lines.sort_by(|a, b| {
        (a.change.at, a.environment, &a.change.host).cmp(&(b.change.at, b.environment, &b.change.host))
    });
    lines
}

fn text(lines: &[Line<'_>], from: Timestamp) -> String {
    if lines.is_empty() {
        return format!("nothing happened since {from:.0}\n");
    }
    let (mut text, mut joined, mut left) = (String::new(), 0, 0);
    for line in lines {
        let Change { at, host, name, what } = line.change;
        let who = name.as_deref().unwrap_or_default();
        let (sign, what) = match what {
            Happening::Joined => ('+', "joined".to_owned()),
            Happening::Left => ('-', "left".to_owned()),
            Happening::ReplacedBy(heir) => ('~', format!("left, replaced by {heir}")),
            Happening::RolesChanged { from, to } => {
                let list =
                    |roles: &[_]| roles.iter().map(ToString::to_string).collect::<Vec<String>>().join(", ");
                ('*', format!("roles {} before, {} now", or_none(&list(from)), or_none(&list(to))))
            }
            Happening::Resized { from, to } => ('*', format!("resized from {from} to {to}")),
            Happening::BecameWriter { cluster, from } => {
                ('*', format!("took over the writes of cluster {cluster} from {from}"))
            }
        };
        joined += usize::from(sign == '+');
        left += usize::from(matches!(sign, '-' | '~'));
        let when = at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%m-%d %H:%MZ");
        let place = format!("{when}  {:<8} {sign} ", line.environment);
        let indent = " ".repeat(place.chars().count());
        let who = if who.is_empty() { host.to_string() } else { format!("{who} ({host})") };
        terminal::wrap(&mut text, &place, &indent, &format!("{who} {what}"), terminal::width());
    }
    let _ = writeln!(text, "\n{}: +{joined} −{left}", count(lines.len(), "change"));
    text
}

fn or_none(list: &str) -> &str {
    if list.is_empty() { "none" } else { list }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_as_people_write_them() {
        for (text, hours) in [("24h", 24), ("7d", 168), ("1d 6h", 30), (" 2 hours ", 2)] {
            assert_eq!(span(text), Ok(SignedDuration::from_hours(hours)), "{text}");
        }
        for text in ["", "yesterday", "-1h", "0h", "3 years", "24"] {
            let refused = span(text).unwrap_err();
            assert!(refused.starts_with("expected a span such as"), "{text}: {refused}");
        }
    }
}
