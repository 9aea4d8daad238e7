//! Japanese.

use super::super::words::ja::{dated, weekday};
use super::{
    Blindness, Digest, Row, StaysFor, Text, UnusedCause, UnusedHosts, Waits, growth, lines, movement, section,
};
use crate::text;

pub(super) fn digest(digest: &Digest) -> Text {
    let hosts = number(digest.hosts.now);
    let unused = unused(&digest.unused);
    let title = format!(
        "週報 第{}週 {}: ホスト{hosts}台、未使用{unused}",
        digest.week.week,
        text::clean(&digest.scope)
    );
    let growth = growth(digest.hosts.now, digest.hosts.year_ago);
    let mut first = vec![format!("ホスト{hosts}台(今週 {}、前年比 {growth})", movement(digest.hosts))];
    first.push(format!("未使用{unused}{}", money(digest)));
    first.extend(blind(&digest.blind));
    let mut all = vec![first.join("   ")];
    all.extend(lines(&rows(digest)));
    Text { title, lines: all }
}

/// `3台`, `3台以上` where there may be more, ` - 台` where none is known and there may be some.
fn unused(UnusedHosts { known, is_all }: &UnusedHosts) -> String {
    match (known.len(), is_all) {
        (0, false) => " - 台".to_owned(),
        (known, false) => format!("{known}台以上"),
        (known, true) => format!("{known}台"),
    }
}

fn money(digest: &Digest) -> String {
    let Some(cost) = digest.cost() else { return String::new() };
    let prices = format!("単価は自社設定、{}時点", cost.of);
    match (cost.priced, cost.without) {
        (0, 0) => String::new(),
        (_, 0) if cost.is_all => format!(" = 月額{}({prices})", cost.amount),
        (_, 0) => format!(" = 月額{}以上({prices})", cost.amount),
        (0, _) => format!(" = 月額 - (いずれも単価未設定。{prices})"),
        (_, without) => format!(" = 月額{}以上({without}台は単価未設定。{prices})", cost.amount),
    }
}

fn blind(blind: &Blindness) -> Option<String> {
    let told: Vec<String> = match blind {
        Blindness::Week(all) => all
            .iter()
            .map(|one| {
                format!("{} {}分({})", text::clean(&one.source), one.minutes, weekday(one.on.weekday()))
            })
            .collect(),
        Blindness::Now(all) => all
            .iter()
            .map(|one| match one.since {
                Some(since) => format!("{}({} から)", text::clean(&one.source), dated(since)),
                None => format!("{}(未取得)", text::clean(&one.source)),
            })
            .collect(),
    };
    match (blind, told.is_empty()) {
        (Blindness::Week(_), true) => None,
        (Blindness::Week(_), false) => Some(format!("取得できなかった時間: {}", few(&told))),
        (Blindness::Now(_), true) => Some("現在取得できないもの: なし".to_owned()),
        (Blindness::Now(_), false) => Some(format!("現在取得できないもの: {}", few(&told))),
    }
}

/// The first ones, and how many more there are.
fn few(told: &[String]) -> String {
    let named: Vec<&str> = told.iter().take(crate::limits::MAX_EXAMPLES).map(String::as_str).collect();
    match told.len().saturating_sub(named.len()) {
        0 => named.join("、"),
        more => format!("{} ほか{more}件", named.join("、")),
    }
}

fn rows(digest: &Digest) -> Vec<Row> {
    let mut rows = Vec::new();
    let more = |count| format!("ほか{count}台");
    if !digest.unused.is_all && digest.unused.known.is_empty() {
        rows.push(Row { label: "要判断", text: "-".to_owned(), commands: Vec::new() });
    }
    let unused = digest.unused_in_order().into_iter().map(|host| {
        let cause = match host.cause {
            UnusedCause::Idle(days) => format!("{days}日間利用なし"),
            UnusedCause::Stopped(days) => format!("{days}日間停止中"),
        };
        let by = host.decide_by.map_or_else(String::new, |day| format!("、期限 {}", dated(day)));
        let waits = match host.waits {
            Some(Waits::ToBeTold) => "、担当者へ未通知",
            Some(Waits::ForApproval) => "、承認待ち",
            None => "",
        };
        Row {
            label: "要判断",
            text: format!("{} {cause}{by}{waits}", text::clean(&host.name)),
            commands: host.commands.clone(),
        }
    });
    section(&mut rows, unused.collect(), more, digest.all.as_ref());
    staying(&mut rows, digest);
    match &digest.retired {
        None => rows.push(Row { label: "廃止", text: "-".to_owned(), commands: Vec::new() }),
        Some(retired) => {
            let retired = retired.iter().map(|host| {
                let until = host.undo_until.map_or_else(|| "-".to_owned(), |day| day.to_string());
                let undo = if host.undo.is_some() {
                    format!("、{until} まで復元可能")
                } else {
                    String::new()
                };
                Row {
                    label: "廃止",
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
            "ゴースト{}件、7日超のミュート{}件、不要なチェック{}件",
            number(excess.ghosts),
            number(excess.muted),
            number(excess.unrequired)
        );
        rows.push(Row { label: "整理", text, commands: excess.list.iter().cloned().collect() });
    }
    if digest.reviews.due != Some(0) {
        let text = format!("{}件中{}件が見直し時期", number(digest.reviews.of), number(digest.reviews.due));
        rows.push(Row {
            label: "見直し",
            text: text.trim_start().to_owned(),
            commands: digest.reviews.list.iter().cloned().collect(),
        });
    }
    if digest.expiring != Some(0) {
        let text = format!("例外{}件がまもなく失効", number(digest.expiring));
        rows.push(Row { label: "失効", text, commands: Vec::new() });
    }
    rows
}

fn staying(rows: &mut Vec<Row>, digest: &Digest) {
    // Where nobody can tell, nothing is said: it asks for nothing.
    let staying = digest.staying.iter().flatten().map(|host| {
        let why = match host.why {
            StaysFor::Person => "担当者の判断",
            StaysFor::Keep => "保持の指定あり",
            StaysFor::Use => "利用あり",
            StaysFor::Start => "起動された",
            StaysFor::Protection => "保護されている",
            StaysFor::Gone => "すでに削除済み",
            StaysFor::NotAllowed => "廃止の条件を満たさなくなった",
        };
        let text = format!("{} {} {why}", text::clean(&host.name), dated(host.on));
        Row { label: "取消", text, commands: Vec::new() }
    });
    section(rows, staying.collect(), |count| format!("ほか{count}台"), digest.all.as_ref());
}

/// A number; between words that stand together an unknown one needs room.
fn number(known: Option<u32>) -> String {
    known.map_or_else(|| " - ".to_owned(), |_| super::number(known))
}
