//! English.

use super::super::words::en::{dated, weekday};
use super::{
    Blindness, Digest, Row, StaysFor, Text, UnusedCause, UnusedHosts, Waits, growth, lines, movement, number,
    section,
};
use crate::text;

pub(super) fn digest(digest: &Digest) -> Text {
    let hosts = counted(digest.hosts.now, "host");
    let unused = unused(&digest.unused);
    let title =
        format!("Week {}, {}: {hosts}, {unused} unused", digest.week.week, text::clean(&digest.scope));
    let growth = growth(digest.hosts.now, digest.hosts.year_ago);
    let mut first = vec![format!("{hosts} ({}, year {growth})", movement(digest.hosts))];
    first.push(format!("unused {unused}{}", money(digest)));
    first.extend(blind(&digest.blind));
    let mut all = vec![first.join("   ")];
    all.extend(lines(&rows(digest)));
    Text { title, lines: all }
}

/// `3`, `≥ 3` where there may be more, `-` where none is known and there may be some.
fn unused(UnusedHosts { known, is_all }: &UnusedHosts) -> String {
    match (known.len(), is_all) {
        (0, false) => "-".to_owned(),
        (known, false) => format!("≥ {known}"),
        (known, true) => known.to_string(),
    }
}

fn money(digest: &Digest) -> String {
    let Some(cost) = digest.cost() else { return String::new() };
    let prices = format!("prices: yours, {}", cost.of);
    match (cost.priced, cost.without) {
        (0, 0) => String::new(),
        (_, 0) if cost.is_all => format!(" = {}/mo ({prices})", cost.amount),
        (_, 0) => format!(" ≥ {}/mo ({prices})", cost.amount),
        (0, _) => format!(" = - /mo (none of them has a price; {prices})"),
        (_, without) => format!(" ≥ {}/mo ({without} without a price; {prices})", cost.amount),
    }
}

fn blind(blind: &Blindness) -> Option<String> {
    let told: Vec<String> = match blind {
        Blindness::Week(all) => all
            .iter()
            .map(|one| {
                format!("{} {} min {}", text::clean(&one.source), one.minutes, weekday(one.on.weekday()))
            })
            .collect(),
        Blindness::Now(all) => all
            .iter()
            .map(|one| match one.since {
                Some(since) => format!("{} since {}", text::clean(&one.source), dated(since)),
                None => format!("{} (not read yet)", text::clean(&one.source)),
            })
            .collect(),
    };
    let few = text::few(&told, told.len(), crate::limits::MAX_EXAMPLES);
    match (blind, told.is_empty()) {
        (Blindness::Week(_), true) => None,
        (Blindness::Week(_), false) => Some(format!("blind: {few}")),
        (Blindness::Now(_), true) => Some("blind now: none".to_owned()),
        (Blindness::Now(_), false) => Some(format!("blind now: {few}")),
    }
}

fn rows(digest: &Digest) -> Vec<Row> {
    let mut rows = Vec::new();
    let more = |count| format!("and {count} more");
    if !digest.unused.is_all && digest.unused.known.is_empty() {
        rows.push(Row { label: "DECIDE", text: "-".to_owned(), commands: Vec::new() });
    }
    let unused = digest.unused_in_order().into_iter().map(|host| {
        let cause = match host.cause {
            UnusedCause::Idle(days) => format!("idle {days} d"),
            UnusedCause::Stopped(days) => format!("stopped {days} d"),
        };
        let by = host.decide_by.map_or_else(String::new, |day| format!(", by {}", dated(day)));
        let waits = match host.waits {
            Some(Waits::ToBeTold) => ", owner not told yet",
            Some(Waits::ForApproval) => ", awaits approval",
            None => "",
        };
        Row {
            label: "DECIDE",
            text: format!("{} {cause}{by}{waits}", text::clean(&host.name)),
            commands: host.commands.clone(),
        }
    });
    section(&mut rows, unused.collect(), more, digest.all.as_ref());
    staying(&mut rows, digest);
    match &digest.retired {
        None => rows.push(Row { label: "RETIRED", text: "-".to_owned(), commands: Vec::new() }),
        Some(retired) => {
            let retired = retired.iter().map(|host| {
                let until = host.undo_until.map_or_else(|| "-".to_owned(), |day| day.to_string());
                let undo = if host.undo.is_some() { format!(", undo until {until}") } else { String::new() };
                Row {
                    label: "RETIRED",
                    text: format!("{}{undo}", text::clean(&host.name)),
                    commands: host.undo.iter().cloned().collect(),
                }
            });
            section(&mut rows, retired.collect(), more, digest.all.as_ref());
        }
    }
    let excess = &digest.excess;
    if [excess.ghosts, excess.muted, excess.unrequired].iter().any(|count| *count != Some(0)) {
        let text = format!(
            "{}, {} muted > 7 d, {} unrequired",
            counted(excess.ghosts, "ghost"),
            number(excess.muted),
            number(excess.unrequired)
        );
        rows.push(Row { label: "CLEAN", text, commands: excess.list.iter().cloned().collect() });
    }
    if digest.reviews.due != Some(0) {
        let text = format!("{} of {} due", number(digest.reviews.due), number(digest.reviews.of));
        rows.push(Row { label: "REVIEW", text, commands: digest.reviews.list.iter().cloned().collect() });
    }
    if digest.expiring != Some(0) {
        let text = counted(digest.expiring, "exemption");
        rows.push(Row { label: "EXPIRES", text, commands: Vec::new() });
    }
    rows
}

fn staying(rows: &mut Vec<Row>, digest: &Digest) {
    // Where nobody can tell, nothing is said: it asks for nothing.
    let staying = digest.staying.iter().flatten().map(|host| {
        let why = match host.why {
            StaysFor::Person => "somebody said so",
            StaysFor::Keep => "somebody keeps it",
            StaysFor::Use => "it is used",
            StaysFor::Start => "somebody started it",
            StaysFor::Protection => "it is protected",
            StaysFor::Gone => "somebody removed it",
            StaysFor::NotAllowed => "nothing allows it any more",
        };
        let text = format!("{} {}: {why}", text::clean(&host.name), dated(host.on));
        Row { label: "CANCELLED", text, commands: Vec::new() }
    });
    section(rows, staying.collect(), |count| format!("and {count} more"), digest.all.as_ref());
}

/// `1 host`, `2 hosts`, `- hosts`.
fn counted(known: Option<u32>, singular: &str) -> String {
    let plural = if known == Some(1) { "" } else { "s" };
    format!("{} {singular}{plural}", number(known))
}
