//! Japanese, as colleagues on call write to each other. Commands, ids and the words of AWS stay as they are.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::super::message::Text;
use super::super::told::{
    About, Cancelled, Evidence, FinalAct, HowItStands, News, NotRestored, Notice, Proposed, Reminder,
    Retired, Way, WhatWasDone, WhyCancelled,
};
use super::{amount, commands, day_time_zone, few, name_and_id};
use crate::activity::ActivityMetric;
use crate::text;

const KEEP: &str = "残す場合: ";
const KEEP_BY_TAG: &str = "残す場合(AWSのみで): ";
const START: [&str; 2] = ["元に戻すには: ", "Rollcallが止まっているときは: "];

pub(super) fn notice(notice: &Notice) -> Text {
    let (about, zone) = (&notice.about, &notice.zone);
    let mut text = match &notice.news {
        News::Proposed(told) => proposed(told, about, zone),
        News::Reminder(told) => reminder(told, about, zone),
        News::Cancelled(told) => cancelled(told, about),
        News::Retired(told) => retired(told, about, zone),
    };
    text.lines.insert(0, whereabouts(about));
    text
}

fn proposed(told: &Proposed, about: &About, zone: &TimeZone) -> Text {
    let host = host(about);
    let from = dated(zone.to_datetime(told.due).date());
    let title = match (&told.way, &told.evidence) {
        (None, Evidence::Idle { .. }) => {
            format!("{host} は使われていないようです。{from} までに、残すか廃止するかを決めてください")
        }
        (None, Evidence::Stopped { .. }) => {
            format!("{host} は長期間停止したままです。{from} までに、残すか廃止するかを決めてください")
        }
        (Some(Way { stops: true, .. }), _) => {
            format!("{host} は使われていないようです。{from} 以降に停止します")
        }
        (Some(Way { then: FinalAct::Terminate, .. }), _) => {
            format!("{host} は長期間停止したままです。削除を予定しています")
        }
        (Some(Way { then: FinalAct::Stop | FinalAct::HandOver { .. }, .. }), _) => {
            format!("{host} は長期間停止したままです。廃止を予定しています")
        }
    };
    let due = when(zone, told.due);
    let plan = told.way.as_ref().map_or_else(
        || {
            format!(
                "予定: Rollcallは何もしません。{due} までに、残すか、ご自身で削除するかを決めてください。"
            )
        },
        |way| plan(way, &due),
    );
    let mut lines = vec![why(&told.evidence, zone), plan];
    if told.approvals_needed > 0 {
        let how = told.approve.as_ref().map_or_else(String::new, |approve| format!(": {approve}"));
        lines.push(format!("実行には{}人の承認が必要です{how}", told.approvals_needed));
    }
    lines.push(format!("{KEEP}{}", told.keep));
    lines.push(format!("{KEEP_BY_TAG}{}", told.keep_by_tag));
    let first = if told.way.as_ref().is_some_and(|way| way.stops) {
        "停止後に元に戻すには: "
    } else {
        START[0]
    };
    commands(&mut lines, [first, START[1]], &told.undo);
    lines.extend(told.not_restored.iter().map(lost));
    Text { title, lines }
}

fn reminder(told: &Reminder, about: &About, zone: &TimeZone) -> Text {
    let act = if told.stops { "停止" } else { "削除" };
    let (_, time, name) = day_time_zone(zone, told.at);
    let title = format!("まもなく{act}します: {} {time} {name}", host(about));
    let lines = vec![
        format!("{} までは取りやめられます。", when(zone, told.at)),
        format!("{KEEP}{}", told.keep),
        format!("{KEEP_BY_TAG}{}", told.keep_by_tag),
    ];
    Text { title, lines }
}

fn cancelled(told: &Cancelled, about: &About) -> Text {
    let title = match told.why {
        WhyCancelled::Gone => format!("{} は既に存在しないため、廃止の手続きを終了しました", host(about)),
        _ => format!("{} の廃止を取りやめました: {}", host(about), why_not(&told.why)),
    };
    let mut lines = vec![format!("取りやめの理由: {}", why_not(&told.why))];
    match &told.stands {
        HowItStands::Untouched => lines.push("このホストにはまだ何もしていません。".to_owned()),
        HowItStands::RunsAgain => lines.push("元どおり起動しています。".to_owned()),
        HowItStands::StillStopped { undo } => {
            lines.push("停止したままです。".to_owned());
            commands(&mut lines, START, undo);
        }
        HowItStands::Gone => lines.push("このホストはもう存在しません。".to_owned()),
    }
    Text { title, lines }
}

fn retired(told: &Retired, about: &About, zone: &TimeZone) -> Text {
    let (host, at) = (host(about), when(zone, told.at));
    let mut lines = Vec::new();
    let title = match &told.done {
        WhatWasDone::Stopped { undo } => {
            lines.push(format!("{at} に廃止しました。これ以上の操作はしません。"));
            commands(&mut lines, START, undo);
            format!("{host} を廃止しました(停止したまま残しています)")
        }
        WhatWasDone::HandedOver { resource, undo } => {
            let resource = text::clean(resource);
            lines.push(format!(
                "{at} に引き渡しました。Terraformから {resource} を削除してください。Rollcallは削除しません。"
            ));
            commands(&mut lines, START, undo);
            format!("{host} は停止済みです。Terraformから {resource} を削除してください")
        }
        WhatWasDone::Terminated { backups, kept_until } => {
            lines.push(format!("{at} に削除(terminate)しました。もう起動できません。"));
            lines.push(match (backups.is_empty(), kept_until) {
                (true, _) => "バックアップはありません。".to_owned(),
                (false, Some(day)) => format!("バックアップ({day} まで保管): {}", listed(backups)),
                (false, None) => format!("バックアップ(期限なし): {}", listed(backups)),
            });
            format!("{host} を削除しました")
        }
    };
    if told.registrations > 0 {
        lines.push(format!("監視システムの登録{}件も退役済みにしました。", told.registrations));
    }
    if !told.leftovers.is_empty() {
        lines.push(format!("残っているもの(課金が続く可能性があります): {}", listed(&told.leftovers)));
    }
    Text { title, lines }
}

pub(in super::super) fn host(about: &About) -> String {
    match name_and_id(about) {
        (Some(name), id) => format!("{name}({id})"),
        (None, id) => id,
    }
}

fn whereabouts(about: &About) -> String {
    let duties: Vec<&str> = about.duties.iter().map(crate::ids::RoleName::as_str).collect();
    let duty = if duties.is_empty() { "なし".to_owned() } else { listed(&duties) };
    let (environment, size) = (text::clean(&about.environment), text::clean(&about.size));
    format!("環境: {environment} / 役割: {duty} / {size}({})", about.place)
}

fn why(evidence: &Evidence, zone: &TimeZone) -> String {
    match evidence {
        Evidence::Idle { window, peaks } => {
            let peaks: Vec<String> =
                peaks.iter().map(|peak| format!("{} {}", metric(peak.metric), amount(*peak))).collect();
            let (first, last) = (window.first(), window.last());
            format!(
                "根拠: {first}〜{last}(UTC)の{}日間、利用の形跡がありません。1日の最大値: {}",
                window.days(),
                peaks.join("、")
            )
        }
        Evidence::Stopped { since } => {
            format!("根拠: 少なくとも {} から停止されたままです。", when(zone, *since))
        }
    }
}

fn metric(metric: ActivityMetric) -> &'static str {
    match metric {
        ActivityMetric::Cpu => "CPU",
        ActivityMetric::NetworkIn => "受信",
        ActivityMetric::NetworkOut => "送信",
        ActivityMetric::ReadOps => "ディスク読み込み回数",
        ActivityMetric::WriteOps => "ディスク書き込み回数",
        ActivityMetric::Connections => "接続数",
    }
}

fn plan(way: &Way, due: &str) -> String {
    let days = way.cool_off_days;
    let begin = if way.stops {
        format!("予定: {due} 以降に停止します。")
    } else {
        format!("予定: 既に停止しているため、{due} から停止が続くかどうかを確認します。")
    };
    let end = match &way.then {
        FinalAct::Stop if way.stops => "その後は停止したまま残します。".to_owned(),
        FinalAct::Stop => format!("{days}日間誰も起動しなければ廃止済みとして扱います。操作は何もしません。"),
        FinalAct::HandOver { resource } => format!(
            "{days}日間誰も起動しなければ、Terraformから {} の削除をお願いします。",
            text::clean(resource)
        ),
        FinalAct::Terminate => {
            format!("{days}日間誰も起動しなければ、バックアップを取得してから削除(terminate)します。")
        }
    };
    format!("{begin}{end}")
}

fn lost(lost: &NotRestored) -> String {
    match lost {
        NotRestored::PublicAddress(address) => {
            format!("元に戻らないもの: パブリックIPアドレス {address}(起動し直すと別のアドレスになります)")
        }
        NotRestored::Memory => "元に戻らないもの: メモリ上のデータ".to_owned(),
    }
}

fn why_not(why: &WhyCancelled) -> String {
    match why {
        WhyCancelled::Used(None) => "利用されています".to_owned(),
        WhyCancelled::Used(Some(peak)) => {
            format!("使われています(1日の最大値: {} {})", metric(peak.metric), amount(*peak))
        }
        WhyCancelled::Started => "誰かが起動しました".to_owned(),
        WhyCancelled::Reached => "ロードバランサーまたはElastic IPから参照されています".to_owned(),
        WhyCancelled::Kept { until: Some(until) } => format!("{until} まで残すよう指定されています"),
        WhyCancelled::Kept { until: None } => "残すよう指定されています".to_owned(),
        WhyCancelled::ByPerson { user: Some(user) } => format!("{} さんが取り消しました", text::clean(user)),
        WhyCancelled::ByPerson { user: None } => "取り消しの指定がありました".to_owned(),
        WhyCancelled::Protected => "停止保護または終了保護が有効です".to_owned(),
        WhyCancelled::NotAllowed => "廃止の対象ではなくなりました".to_owned(),
        WhyCancelled::Gone => "Rollcall以外の操作で削除されていました".to_owned(),
    }
}

fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let (shown, more) = few(names);
    if more == 0 { shown.join("、") } else { format!("{} ほか{more}件", shown.join("、")) }
}

/// `2026-12-01(火)`.
pub(in super::super) fn dated(date: Date) -> String {
    format!("{date}({})", weekday(date.weekday()))
}

/// `2026-12-01(火) 10:00 Asia/Tokyo`.
fn when(zone: &TimeZone, moment: Timestamp) -> String {
    let (date, time, zone) = day_time_zone(zone, moment);
    format!("{} {time} {zone}", dated(date))
}

pub(in super::super) fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "月",
        Weekday::Tuesday => "火",
        Weekday::Wednesday => "水",
        Weekday::Thursday => "木",
        Weekday::Friday => "金",
        Weekday::Saturday => "土",
        Weekday::Sunday => "日",
    }
}
