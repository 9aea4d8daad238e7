//! What the tests tell people: one host and one week, in every way in which they are worded.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZoneDatabase;

use super::*;
use crate::activity::{ActivityMetric, Window};
use crate::ids::{HostId, RoleName};

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn command(text: &str) -> Command {
    Command::new(text).unwrap()
}

pub(super) fn mark() -> Origin {
    Origin::new("6f1c0d52-9a2e-4a55-8d2b-0b6a3f7f9c11").unwrap()
}

pub(super) fn about(name: &str) -> About {
    About {
        host: HostId::new("i-0fedcba9876543210"),
        name: Arc::from(name),
        environment: Arc::from("jp1"),
        duties: vec![RoleName::new("batch")],
        size: Arc::from("m5.large"),
        place: "123456789012/ap-northeast-1".to_owned().try_into().unwrap(),
    }
}

pub(super) fn of(news: News) -> Notice {
    let zone = TimeZoneDatabase::bundled().get("Asia/Tokyo").unwrap();
    Notice { mark: mark(), occurrence: 0, about: about("jp1-batch-1"), zone, news }
}

pub(super) fn keep() -> Command {
    command("rollcall keep jp1-batch-1 --until 2027-03-31")
}

pub(super) fn keep_by_tag() -> Command {
    command(
        "aws ec2 create-tags --region ap-northeast-1 --resources i-0fedcba9876543210 --tags Key=rollcall.dev/keep,Value=2027-03-31",
    )
}

pub(super) fn undo() -> Vec<Command> {
    vec![
        command("rollcall undo jp1-batch-1"),
        command("aws ec2 start-instances --region ap-northeast-1 --instance-ids i-0fedcba9876543210"),
    ]
}

pub(super) fn peaks() -> Vec<Peak> {
    let peak = |metric, most| Peak { metric, most };
    vec![
        peak(ActivityMetric::Cpu, 1.16),
        peak(ActivityMetric::NetworkIn, 312_400.0),
        peak(ActivityMetric::NetworkOut, 1_204.0),
        peak(ActivityMetric::Connections, 0.0),
    ]
}

pub(super) fn idle() -> Evidence {
    Evidence::Idle { window: Window::whole_days(at("2026-11-23T12:00Z"), 41), peaks: peaks() }
}

pub(super) fn way(stops: bool, then: FinalAct) -> Way {
    Way { stops, cool_off_days: 14, then }
}

pub(super) fn hand_over() -> FinalAct {
    FinalAct::HandOver { resource: Arc::from("aws_instance.batch[0]") }
}

pub(super) fn proposed(evidence: Evidence, way: impl Into<Option<Way>>) -> Proposed {
    Proposed {
        evidence,
        way: way.into(),
        due: at("2026-12-01T10:00+09:00"),
        approvals_needed: 2,
        approve: Some(command("rollcall approve jp1-batch-1")),
        keep: keep(),
        keep_by_tag: keep_by_tag(),
        undo: undo(),
        not_restored: vec![NotRestored::PublicAddress("203.0.113.7".parse().unwrap()), NotRestored::Memory],
    }
}

pub(super) fn long_stopped() -> Evidence {
    Evidence::Stopped { since: at("2026-10-13T14:05+09:00") }
}

/// Where Rollcall only tells.
fn untouched(evidence: Evidence) -> Proposed {
    let told = proposed(evidence, None);
    Proposed { approvals_needed: 0, approve: None, undo: Vec::new(), not_restored: Vec::new(), ..told }
}

/// Every kind of news, and every way in which it is worded.
pub(super) fn stories() -> Vec<(&'static str, Notice)> {
    let cancelled = |why, stands| of(News::Cancelled(Cancelled { why, stands }));
    let retired = |done, registrations, leftovers: &[&str]| {
        let leftovers = leftovers.iter().map(|name| Arc::from(*name)).collect();
        of(News::Retired(Retired { done, at: at("2026-12-15T10:20+09:00"), registrations, leftovers }))
    };
    let reminder = |stops| Reminder {
        stops,
        at: at("2026-12-01T10:15+09:00"),
        keep: keep(),
        keep_by_tag: keep_by_tag(),
    };
    let alone = Proposed {
        approvals_needed: 0,
        approve: None,
        not_restored: Vec::new(),
        ..proposed(idle(), way(true, FinalAct::Stop))
    };
    let still = HowItStands::StillStopped { undo: undo() };
    let used = WhyCancelled::Used(Some(Peak { metric: ActivityMetric::Cpu, most: 43.0 }));
    let kana = Arc::from("kana@example.com");
    vec![
        ("proposed, to be stopped", of(News::Proposed(alone))),
        ("proposed, and nothing is done", of(News::Proposed(untouched(idle())))),
        ("proposed, long stopped, and nothing is done", of(News::Proposed(untouched(long_stopped())))),
        ("proposed, to be terminated", of(News::Proposed(proposed(idle(), way(true, FinalAct::Terminate))))),
        ("proposed, Terraform knows it", of(News::Proposed(proposed(idle(), way(true, hand_over()))))),
        (
            "proposed, long stopped, to be terminated",
            of(News::Proposed(proposed(long_stopped(), way(false, FinalAct::Terminate)))),
        ),
        (
            "proposed, long stopped, to stay so",
            of(News::Proposed(proposed(long_stopped(), way(false, FinalAct::Stop)))),
        ),
        ("reminder of a stop", of(News::Reminder(reminder(true)))),
        ("reminder of a termination", of(News::Reminder(reminder(false)))),
        ("cancelled, used", cancelled(used, HowItStands::Untouched)),
        ("cancelled, started", cancelled(WhyCancelled::Started, HowItStands::RunsAgain)),
        ("cancelled, reached", cancelled(WhyCancelled::Reached, HowItStands::Untouched)),
        (
            "cancelled, kept",
            cancelled(WhyCancelled::Kept { until: Some(date(2027, 3, 31)) }, HowItStands::Untouched),
        ),
        ("cancelled, by a person", cancelled(WhyCancelled::ByPerson { user: Some(kana) }, still)),
        ("cancelled, protected", cancelled(WhyCancelled::Protected, HowItStands::Untouched)),
        ("cancelled, not allowed", cancelled(WhyCancelled::NotAllowed, HowItStands::Untouched)),
        ("cancelled, gone", cancelled(WhyCancelled::Gone, HowItStands::Gone)),
        ("retired, stopped", retired(WhatWasDone::Stopped { undo: undo() }, 2, &[])),
        (
            "retired, handed over",
            retired(
                WhatWasDone::HandedOver { resource: Arc::from("aws_instance.batch[0]"), undo: undo() },
                1,
                &[],
            ),
        ),
        (
            "retired, terminated",
            retired(
                WhatWasDone::Terminated {
                    backups: vec![Arc::from("snap-0a1"), Arc::from("snap-0b2")],
                    kept_until: Some(date(2027, 3, 15)),
                },
                2,
                &["eipalloc-0c3 (203.0.113.9)", "vol-0d4"],
            ),
        ),
        (
            "retired, terminated without backups",
            retired(WhatWasDone::Terminated { backups: Vec::new(), kept_until: None }, 0, &[]),
        ),
    ]
}

pub(super) fn digest() -> Digest {
    let unused = |name: &str, cause, decide_by, monthly| Unused {
        name: Arc::from(name),
        cause,
        decide_by,
        waits: decide_by.is_none().then_some(Waits::ToBeTold),
        monthly,
        commands: vec![
            command(&format!("rollcall approve {name}")),
            command(&format!("rollcall keep {name} --until 2027-03-31")),
        ],
    };
    Digest {
        origin: mark(),
        scope: Arc::from("backlog"),
        week: Week::of(date(2026, 11, 22)),
        hosts: Hosts {
            now: Some(196),
            joined: Some(5),
            left: Some(2),
            week_ago: Some(193),
            year_ago: Some(158),
        },
        unused: all_of(vec![
            unused("stg-web-1", UnusedCause::Stopped(64), None, Some(4_000)),
            unused("jp1-batch-1", UnusedCause::Idle(41), Some(date(2026, 11, 24)), Some(22_500)),
            unused("com1-app-12", UnusedCause::Idle(37), Some(date(2026, 11, 26)), Some(34_500)),
        ]),
        prices: Some(Prices { currency: Arc::from("¥"), of: date(2026, 11, 1) }),
        retired: Some(vec![RetiredHost {
            name: Arc::from("stg-app-2"),
            undo_until: Some(date(2026, 12, 2)),
            undo: Some(command("rollcall undo stg-app-2")),
        }]),
        staying: Some(vec![Staying {
            name: Arc::from("com2-batch-1"),
            on: date(2026, 11, 18),
            why: StaysFor::Person,
        }]),
        excess: Excess {
            ghosts: Some(6),
            muted: Some(3),
            unrequired: Some(11),
            list: Some(command("rollcall ledger --excess")),
        },
        reviews: Reviews { due: Some(7), of: Some(40), list: None },
        expiring: Some(4),
        blind: Blindness::Week(vec![Blind {
            source: Arc::from("Nagios"),
            minutes: 40,
            on: date(2026, 11, 19),
        }]),
        all: Some(command("rollcall digest --week 47")),
    }
}

fn all_of(known: Vec<Unused>) -> UnusedHosts {
    UnusedHosts { known, is_all: true }
}

pub(super) fn digests() -> Vec<(&'static str, Digest)> {
    let usual = digest();
    let many = |n: usize| all_of(usual.unused.known.iter().cloned().cycle().take(n).collect());
    let mut some_priced = usual.unused.clone();
    some_priced.known[0].monthly = None;
    let now = |source: &str, since| BlindNow { source: Arc::from(source), since };
    let at_a_moment = Digest {
        unused: UnusedHosts { is_all: false, ..usual.unused.clone() },
        blind: Blindness::Now(vec![now("nagios", Some(date(2026, 11, 19))), now("mackerel", None)]),
        ..usual.clone()
    };
    let blind = Digest {
        hosts: Hosts::default(),
        unused: UnusedHosts::default(),
        retired: None,
        staying: None,
        excess: Excess::default(),
        reviews: Reviews::default(),
        expiring: None,
        ..usual.clone()
    };
    let quiet = Digest {
        hosts: Hosts { joined: None, left: None, year_ago: Some(0), ..usual.hosts },
        unused: all_of(Vec::new()),
        retired: Some(Vec::new()),
        staying: Some(Vec::new()),
        excess: Excess { ghosts: Some(0), muted: Some(0), unrequired: Some(0), list: None },
        reviews: Reviews { due: Some(0), of: Some(40), list: None },
        expiring: Some(0),
        blind: Blindness::Week(Vec::new()),
        ..usual.clone()
    };
    vec![
        ("a week", usual.clone()),
        ("without prices", Digest { prices: None, ..usual.clone() }),
        ("some without a price", Digest { unused: some_priced, ..usual.clone() }),
        ("more than fit", Digest { unused: many(11), ..usual.clone() }),
        ("nothing is known", blind),
        ("nothing to tell", quiet.clone()),
        ("what one moment knows", at_a_moment),
        ("one moment, all well", Digest { blind: Blindness::Now(Vec::new()), ..quiet }),
    ]
}
