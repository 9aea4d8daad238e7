//! English.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::super::message::Text;
use super::super::told::{
    About, Cancelled, Evidence, FinalAct, HowItStands, News, NotRestored, Notice, Peak, Proposed, Reminder,
    Retired, Way, WhatWasDone, WhyCancelled,
};
use super::{amount, commands, day_time_zone, few, name_and_id};
use crate::activity::ActivityMetric;
use crate::text;

const KEEP: &str = "Keep it: ";
const KEEP_BY_TAG: &str = "Keep it, with AWS alone: ";
const START: [&str; 2] = ["Bring it back: ", "Or, with Rollcall down: "];

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
    let from = day(zone, told.due);
    let title = match (&told.way, &told.evidence) {
        (None, Evidence::Idle { .. }) => format!("{host} looks unused: keep it or give it up by {from}"),
        (None, Evidence::Stopped { .. }) => {
            format!("{host} has long been stopped: keep it or give it up by {from}")
        }
        (Some(Way { stops: true, .. }), _) => {
            format!("{host} looks unused and will be stopped, not before {from}")
        }
        (Some(Way { then: FinalAct::Terminate, .. }), _) => {
            format!("{host} has long been stopped and will be terminated")
        }
        (Some(Way { then: FinalAct::Stop | FinalAct::HandOver { .. }, .. }), _) => {
            format!("{host} has long been stopped and will be retired")
        }
    };
    let due = when(zone, told.due);
    let plan = told.way.as_ref().map_or_else(
        || {
            format!(
                "What happens: nothing by itself. Please decide by {due}: keep it, or remove it yourself."
            )
        },
        |way| plan(way, &due),
    );
    let mut lines = vec![why(&told.evidence, zone), plan];
    if told.approvals_needed > 0 {
        let needed = text::count(told.approvals_needed as usize, "approval");
        let how = told.approve.as_ref().map_or_else(String::new, |approve| format!(": {approve}"));
        lines.push(format!("Needs {needed} first{how}"));
    }
    lines.push(format!("{KEEP}{}", told.keep));
    lines.push(format!("{KEEP_BY_TAG}{}", told.keep_by_tag));
    let first = if told.way.as_ref().is_some_and(|way| way.stops) {
        "Bring it back once it is stopped: "
    } else {
        START[0]
    };
    commands(&mut lines, [first, START[1]], &told.undo);
    lines.extend(told.not_restored.iter().map(lost));
    Text { title, lines }
}

fn reminder(told: &Reminder, about: &About, zone: &TimeZone) -> Text {
    let act = if told.stops { "stopped" } else { "terminated" };
    let (_, time, name) = day_time_zone(zone, told.at);
    let title = format!("{} will be {act} at {time} {name}", host(about));
    let lines = vec![
        format!("It can still be kept until {}.", when(zone, told.at)),
        format!("{KEEP}{}", told.keep),
        format!("{KEEP_BY_TAG}{}", told.keep_by_tag),
    ];
    Text { title, lines }
}

fn cancelled(told: &Cancelled, about: &About) -> Text {
    let title = match told.why {
        WhyCancelled::Gone => format!("{} is gone: it is not retired by Rollcall", host(about)),
        _ => format!("{} stays: {}", host(about), why_not(&told.why)),
    };
    let mut lines = vec![format!("The retirement is cancelled: {}.", why_not(&told.why))];
    match &told.stands {
        HowItStands::Untouched => lines.push("Nothing had been done to it.".to_owned()),
        HowItStands::RunsAgain => lines.push("It runs again, as before.".to_owned()),
        HowItStands::StillStopped { undo } => {
            lines.push("It is still stopped.".to_owned());
            commands(&mut lines, START, undo);
        }
        HowItStands::Gone => lines.push("It does not exist any more.".to_owned()),
    }
    Text { title, lines }
}

fn retired(told: &Retired, about: &About, zone: &TimeZone) -> Text {
    let (host, at) = (host(about), when(zone, told.at));
    let mut lines = Vec::new();
    let title = match &told.done {
        WhatWasDone::Stopped { undo } => {
            lines.push(format!("Retired on {at}. Nothing more will be done to it."));
            commands(&mut lines, START, undo);
            format!("{host} is retired and stays stopped")
        }
        WhatWasDone::HandedOver { resource, undo } => {
            let resource = text::clean(resource);
            lines.push(format!(
                "Handed over on {at}. Remove {resource} from Terraform; Rollcall will not terminate it."
            ));
            commands(&mut lines, START, undo);
            format!("{host} is stopped: please remove {resource} from Terraform")
        }
        WhatWasDone::Terminated { backups, kept_until } => {
            lines.push(format!("Terminated on {at}. It cannot be started again."));
            lines.push(match (backups.is_empty(), kept_until) {
                (true, _) => "No backup was made of it.".to_owned(),
                (false, Some(day)) => format!("Backups, kept until {day}: {}", listed(backups)),
                (false, None) => format!("Backups, kept until somebody deletes them: {}", listed(backups)),
            });
            format!("{host} has been terminated")
        }
    };
    if told.registrations > 0 {
        let retired = text::count(told.registrations as usize, "registration");
        lines.push(format!("{retired} in monitoring systems retired with it."));
    }
    if !told.leftovers.is_empty() {
        lines.push(format!("Still there, and may cost money: {}", listed(&told.leftovers)));
    }
    Text { title, lines }
}

pub(in super::super) fn host(about: &About) -> String {
    match name_and_id(about) {
        (Some(name), id) => format!("{name} ({id})"),
        (None, id) => id,
    }
}

fn whereabouts(about: &About) -> String {
    let duties: Vec<&str> = about.duties.iter().map(crate::ids::RoleName::as_str).collect();
    let duty = if duties.is_empty() { "no duty".to_owned() } else { listed(&duties) };
    let (environment, size) = (text::clean(&about.environment), text::clean(&about.size));
    format!("Environment {environment}, {duty}, {size} in {}", about.place)
}

fn why(evidence: &Evidence, zone: &TimeZone) -> String {
    match evidence {
        Evidence::Idle { window, peaks } => {
            let peaks: Vec<String> =
                peaks.iter().map(|peak| format!("{} {}", metric(peak.metric), amount(*peak))).collect();
            let (first, last) = (window.first(), window.last());
            format!(
                "Why: no sign of use in {} days, {first} to {last} (UTC). Most in a day: {}.",
                window.days(),
                peaks.join(", ")
            )
        }
        Evidence::Stopped { since } => {
            format!("Why: somebody stopped it, and it has been so since {} at least.", when(zone, *since))
        }
    }
}

fn metric(metric: ActivityMetric) -> &'static str {
    match metric {
        ActivityMetric::Cpu => "CPU",
        ActivityMetric::NetworkIn => "received",
        ActivityMetric::NetworkOut => "sent",
        ActivityMetric::ReadOps => "disk reads",
        ActivityMetric::WriteOps => "disk writes",
        ActivityMetric::Connections => "connections",
    }
}

fn plan(way: &Way, due: &str) -> String {
    let days = text::count(way.cool_off_days as usize, "day");
    let begin = if way.stops {
        format!("What happens: it is stopped, not before {due}.")
    } else {
        format!("What happens: it is stopped already, and from {due} on it is watched whether it stays so.")
    };
    let end = match &way.then {
        FinalAct::Stop if way.stops => "It then stays stopped.".to_owned(),
        FinalAct::Stop => {
            format!("If nobody starts it for {days} it counts as retired; nothing is done to it.")
        }
        FinalAct::HandOver { resource } => format!(
            "If nobody starts it for {days} you are asked to remove {} from Terraform.",
            text::clean(resource)
        ),
        FinalAct::Terminate => {
            format!("If nobody starts it for {days} it is backed up and terminated.")
        }
    };
    format!("{begin} {end}")
}

fn lost(lost: &NotRestored) -> String {
    match lost {
        NotRestored::PublicAddress(address) => {
            format!(
                "Does not come back: the public address {address}; AWS gives it another one when it starts."
            )
        }
        NotRestored::Memory => "Does not come back: what is only in its memory.".to_owned(),
    }
}

fn why_not(why: &WhyCancelled) -> String {
    match why {
        WhyCancelled::Used(Some(peak)) => used(*peak),
        WhyCancelled::Used(None) => "it is in use".to_owned(),
        WhyCancelled::Started => "somebody started it".to_owned(),
        WhyCancelled::Reached => "a load balancer or an Elastic IP leads to it".to_owned(),
        WhyCancelled::Kept { until: Some(until) } => format!("somebody keeps it until {until}"),
        WhyCancelled::Kept { until: None } => "somebody keeps it".to_owned(),
        WhyCancelled::ByPerson { user: Some(user) } => format!("{} cancelled it", text::clean(user)),
        WhyCancelled::ByPerson { user: None } => "a person cancelled it".to_owned(),
        WhyCancelled::Protected => "it is protected from being stopped or terminated".to_owned(),
        WhyCancelled::NotAllowed => "nothing allows it any more".to_owned(),
        WhyCancelled::Gone => "somebody else removed it".to_owned(),
    }
}

fn used(peak: Peak) -> String {
    format!("it is in use ({} {} in a day)", metric(peak.metric), amount(peak))
}

fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let (shown, more) = few(names);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// `Tue 2026-12-01`.
fn day(zone: &TimeZone, moment: Timestamp) -> String {
    dated(zone.to_datetime(moment).date())
}

pub(in super::super) fn dated(date: Date) -> String {
    format!("{} {date}", weekday(date.weekday()))
}

/// `Tue 2026-12-01 10:00 Asia/Tokyo`.
fn when(zone: &TimeZone, moment: Timestamp) -> String {
    let (date, time, zone) = day_time_zone(zone, moment);
    format!("{} {time} {zone}", dated(date))
}

pub(in super::super) fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    }
}
