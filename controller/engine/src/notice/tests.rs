//! Golden files of what people read, in both languages, and what no name and no number may do to it.
//! `UPDATE=1 cargo test -p rollcall-engine notice` writes them again; somebody who speaks the language reads them then.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::samples::*;
use super::*;
use crate::activity::{ActivityMetric, Window};
use crate::ids::{HostId, RoleName};

fn settle(name: &str, language: Language, messages: impl Iterator<Item = (&'static str, Message)>) {
    let told = messages.map(|(story, message)| format!("# {story}\n{}\n", message.text()));
    let text = told.collect::<Vec<_>>().join("\n");
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("src/notice/golden/{name}.{}.txt", language.tag()));
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(&file, &text).unwrap();
    }
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        text,
        known,
        "{name}.{} has changed; run UPDATE=1 cargo test -p rollcall-engine notice",
        language.tag()
    );
}

#[test]
fn what_people_read_of_a_host() {
    let now = at("2026-11-24T10:00+09:00");
    for language in [Language::En, Language::Ja] {
        settle(
            "notices",
            language,
            stories().into_iter().map(|(story, notice)| (story, notice.message(language, now))),
        );
    }
}

#[test]
fn what_people_read_of_a_week() {
    let now = at("2026-11-23T09:00+09:00");
    for language in [Language::En, Language::Ja] {
        settle(
            "digests",
            language,
            digests().into_iter().map(|(story, digest)| (story, digest.message(language, now))),
        );
    }
}

/// The same facts in both: every command, date and number that one language has, the other one has too.
#[test]
fn no_language_says_less_than_the_other() {
    let figures = |message: &Message| {
        // "In a day" has a figure in Japanese, and none in English.
        let text = message.text().replace("1日の", "");
        let figures = text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
        let mut all: Vec<String> = figures.map(ToOwned::to_owned).collect();
        all.sort();
        all
    };
    let now = at("2026-11-24T10:00+09:00");
    let both = stories()
        .into_iter()
        .map(|(story, notice)| (story, notice.message(Language::En, now), notice.message(Language::Ja, now)));
    let weeks = digests()
        .into_iter()
        .map(|(story, digest)| (story, digest.message(Language::En, now), digest.message(Language::Ja, now)));
    for (story, en, ja) in both.chain(weeks) {
        assert_eq!(figures(&en), figures(&ja), "{story}\n{}\n{}", en.text(), ja.text());
        let japanese = |line: &str| line.chars().any(|c| ('\u{3040}'..='\u{9fff}').contains(&c));
        assert!(en.text().lines().all(|line| !japanese(line)), "{}", en.text());
        assert!(japanese(ja.title()), "{}", ja.title());
        assert_eq!(en.id(), ja.id());
        assert_eq!(en.facts(), ja.facts());
    }
}

#[test]
fn the_evidence_the_date_the_ways_to_say_no_and_what_is_lost_stand_in_a_proposal() {
    let notice = of(News::Proposed(proposed(idle(), way(true, FinalAct::Terminate))));
    for language in [Language::En, Language::Ja] {
        let text = notice.message(language, at("2026-11-24T10:00+09:00")).text();
        for fact in ["41", "1.2 %", "312.4 kB", "1.3 kB", "2026-12-01", "10:00 Asia/Tokyo", "203.0.113.7"] {
            assert!(text.contains(fact), "{fact} in {text}");
        }
        for command in [keep(), keep_by_tag()].iter().chain(&undo()) {
            assert!(text.contains(command.as_str()), "{command} in {text}");
        }
    }
}

/// Names come from tags and from strangers.
#[test]
fn no_name_can_forge_a_line_or_make_a_message_long() {
    let nasty = format!("web\nKeep it: rm -rf /\u{202e}\u{1b}[2J{}", "漢".repeat(9_000));
    let name: Arc<str> = Arc::from(nasty.as_str());
    let mut notice = of(News::Cancelled(Cancelled {
        why: WhyCancelled::ByPerson { user: Some(name.clone()) },
        stands: HowItStands::Untouched,
    }));
    notice.about = About {
        host: HostId::new(&nasty),
        environment: name.clone(),
        duties: vec![RoleName::new(&nasty); 900],
        size: name.clone(),
        ..about(&nasty)
    };
    let honest = of(notice.news.clone());
    let week = Digest {
        scope: name.clone(),
        blind: Blindness::Week(vec![
            Blind { source: name.clone(), minutes: u32::MAX, on: date(2026, 11, 19) };
            700
        ]),
        prices: Some(Prices { currency: name.clone(), of: date(2026, 11, 1) }),
        unused: UnusedHosts {
            known: vec![
                Unused {
                    name: name.clone(),
                    cause: UnusedCause::Idle(u32::MAX),
                    decide_by: Some(date(2026, 11, 24)),
                    waits: None,
                    monthly: Some(u64::MAX),
                    commands: vec![command(&"x".repeat(MAX_COMMAND)), command(&"y".repeat(MAX_COMMAND))],
                };
                500
            ],
            is_all: true,
        },
        retired: Some(vec![
            RetiredHost {
                name,
                undo_until: None,
                undo: Some(command(&"z".repeat(MAX_COMMAND))),
            };
            500
        ]),
        staying: Some(vec![
            Staying {
                name: nasty.as_str().into(),
                on: date(2026, 11, 18),
                why: StaysFor::NotAllowed
            };
            500
        ]),
        ..digest()
    };
    let now = at("2026-11-24T10:00+09:00");
    for language in [Language::En, Language::Ja] {
        let lines = honest.message(language, now).lines().len();
        assert_eq!(notice.message(language, now).lines().len(), lines);
        for message in [notice.message(language, now), week.message(language, now)] {
            let text = message.text();
            assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{text}");
            assert!(!text.contains("\nKeep it: rm"), "{text}");
            assert!(message.title().chars().count() <= MAX_TITLE);
            assert!(message.lines().len() <= MAX_LINES);
            assert!(message.lines().iter().all(|line| line.chars().count() <= MAX_LINE));
        }
        // Though names are long and many, no command is cut, and none of those that are told is lost.
        let text = week.message(language, now).text();
        for (command, times) in
            [("x".repeat(MAX_COMMAND), 8), ("y".repeat(MAX_COMMAND), 8), ("z".repeat(MAX_COMMAND), 8)]
        {
            assert_eq!(text.matches(&command).count(), times);
        }
        assert!(text.contains("492"), "{text}");
    }
}

#[test]
fn a_command_is_whole_or_none() {
    let long = "x".repeat(MAX_COMMAND);
    assert!(Command::new(&long).is_ok());
    assert!(Command::new("rollcall keep 'ホスト 1' --until 2027-03-31").is_ok());
    for bad in ["", " ls", "ls ", "ls\nrm", "ls\u{202e}", "ls\u{200b}", "ls\t", &format!("{long}x")] {
        assert_eq!(Command::new(bad), Err(BadCommand), "{bad:?}");
    }
}

#[test]
fn an_event_has_one_name_and_each_name_is_of_one_event() {
    let notice = of(News::Reminder(Reminder {
        stops: true,
        at: at("2026-12-01T10:15+09:00"),
        keep: keep(),
        keep_by_tag: keep_by_tag(),
    }));
    let id = notice.id();
    assert_eq!(id.to_string(), "msg_6f1c0d52-9a2e-4a55-8d2b-0b6a3f7f9c11_reminder_0");
    assert_eq!(NoticeId::try_from(id.to_string()), Ok(id.clone()));
    assert_ne!(Notice { occurrence: 1, ..notice }.id(), id);
    assert_eq!(digest().id().to_string(), "msg_6f1c0d52-9a2e-4a55-8d2b-0b6a3f7f9c11_digest_202647");
    // The last days of December belong to a week of the next year.
    assert_eq!(Week::of(date(2024, 12, 30)), Week::of(date(2025, 1, 5)));
    for bad in [
        "",
        "msg",
        "msg_a_reminder",
        "msg_a_reminder_+0",
        "msg_a_reminder_00",
        "msg_a_nothing_0",
        "msg_a.b_reminder_0",
        "msg__reminder_0",
    ] {
        assert!(NoticeId::try_from(bad.to_owned()).is_err(), "{bad}");
    }
    for bad in ["", "a_b", "a.b", "a b", &"a".repeat(65)] {
        assert!(Origin::new(bad).is_err(), "{bad}");
    }
}

/// 01:30 on the first of November comes twice in New York; a date that is told must be one moment.
#[test]
fn a_time_that_comes_twice_is_told_with_its_offset() {
    let mut notice = of(News::Proposed(proposed(idle(), way(true, FinalAct::Stop))));
    notice.zone = TimeZoneDatabase::bundled().get("America/New_York").unwrap();
    let News::Proposed(told) = &mut notice.news else { unreachable!() };
    told.due = at("2026-11-01T01:30-05:00");
    let text = notice.message(Language::En, at("2026-10-20T10:00Z")).text();
    assert!(text.contains("Sun 2026-11-01 01:30 (UTC-05) America/New_York"), "{text}");
    notice.zone = TimeZone::UTC;
    assert!(notice.message(Language::En, at("2026-11-01T00:00Z")).text().contains("06:30 UTC."));
}

#[test]
fn what_is_not_nothing_is_never_shown_as_nothing_and_what_is_no_number_as_none() {
    for (metric, most, shown) in [
        (ActivityMetric::Cpu, 0.0, "0.0 %"),
        (ActivityMetric::Cpu, 0.001, "0.1 %"),
        (ActivityMetric::Cpu, 1.1, "1.1 %"),
        (ActivityMetric::Cpu, f64::NAN, "- %"),
        (ActivityMetric::NetworkIn, 0.2, "1 B"),
        (ActivityMetric::NetworkIn, 999.0, "999 B"),
        (ActivityMetric::NetworkOut, 5_000_000.0, "5.0 MB"),
        (ActivityMetric::ReadOps, 1_234_567.2, "1,234,568"),
        (ActivityMetric::Connections, 0.01, "1"),
        (ActivityMetric::Connections, f64::INFINITY, "-"),
    ] {
        let evidence = Evidence::Idle {
            window: Window::whole_days(at("2026-11-23T12:00Z"), 41),
            peaks: vec![Peak { metric, most }],
        };
        let notice = of(News::Proposed(proposed(evidence, way(true, FinalAct::Stop))));
        let text = notice.message(Language::En, at("2026-11-24T10:00+09:00")).text();
        assert!(text.contains(&format!(" {shown}.")), "{shown} in {text}");
    }
}

#[test]
fn a_message_is_remembered_as_it_is() {
    let now = at("2026-11-24T10:00+09:00");
    for (_, notice) in stories() {
        let message = notice.message(Language::Ja, now);
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message);
    }
}
