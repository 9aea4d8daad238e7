//! Words for people. Each language has a file of whole sentences, for no language is another one's with words exchanged;
//! numbers, names and dates are written here.

pub(super) mod en;
pub(super) mod ja;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::message::{Command, Language, Text};
use super::told::{About, Notice, Peak};
use crate::activity::ActivityMetric;
use crate::text;

/// What a notice says.
pub(super) fn notice(notice: &Notice, language: Language) -> Text {
    match language {
        Language::En => en::notice(notice),
        Language::Ja => ja::notice(notice),
    }
}

/// Names that stand in one line before the others are counted.
const FEW: usize = 5;

/// `jp1-batch-1` and its id, where it has a name; the id alone where it has none.
fn name_and_id(about: &About) -> (Option<String>, String) {
    let (name, id) = (text::clean(&about.name), text::clean(about.host.as_str()));
    ((!name.is_empty() && name != id).then(|| name.to_string()), id.to_string())
}

/// The first names and how many more there are.
fn few<T: AsRef<str>>(names: &[T]) -> (Vec<String>, usize) {
    let shown: Vec<String> =
        names.iter().take(FEW).map(|name| text::clean(name.as_ref()).to_string()).collect();
    let more = names.len().saturating_sub(shown.len());
    (shown, more)
}

/// Each command in a line of its own, after one of these words; the last word serves for all that follow.
fn commands(lines: &mut Vec<String>, words: [&str; 2], commands: &[Command]) {
    let [first, others] = words;
    for (n, command) in commands.iter().enumerate() {
        let word = if n == 0 { first } else { others };
        lines.push(format!("{word}{command}"));
    }
}

/// `2026-12-01`, `10:00`, and the zone. Where clocks show this time twice it is told which of them is meant.
fn day_time_zone(zone: &TimeZone, moment: Timestamp) -> (Date, String, String) {
    let shown = zone.to_datetime(moment);
    let offset = zone.to_offset(moment);
    let name = zone.iana_name().map_or_else(|| format!("UTC{offset}"), ToOwned::to_owned);
    let time = shown.strftime("%H:%M").to_string();
    let time = if zone.to_ambiguous_timestamp(shown).is_ambiguous() {
        format!("{time} (UTC{offset})")
    } else {
        time
    };
    (shown.date(), time, name)
}

/// A peak in its unit. Rounded up: what is not nothing is never shown as 0, and nothing looks smaller than it is.
fn amount(peak: Peak) -> String {
    match peak.metric {
        ActivityMetric::Cpu => format!("{} %", tenths(peak.most)),
        ActivityMetric::NetworkIn | ActivityMetric::NetworkOut => bytes(peak.most),
        ActivityMetric::ReadOps | ActivityMetric::WriteOps | ActivityMetric::Connections => whole(peak.most),
    }
}

/// `1.2`, rounded up; `-` for what is no number.
fn tenths(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    // What a sum of tenths misses in the last place is not rounded up to the next one.
    format!("{:.1}", (value * 10.0 - 1e-6).ceil().max(0.0) / 10.0)
}

/// `1,234`, rounded up; `-` for what is no number.
fn whole(value: f64) -> String {
    if value.is_finite() { grouped(&format!("{:.0}", value.ceil().max(0.0))) } else { "-".to_owned() }
}

fn bytes(value: f64) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match units.into_iter().find(|(size, _)| value >= *size) {
        Some((size, unit)) => format!("{} {unit}", tenths(value / size)),
        None => format!("{} B", whole(value)),
    }
}

/// Digits in groups of three.
pub(super) fn grouped(digits: &str) -> String {
    let count = digits.chars().count();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (count - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
