//! Stories of days: what is known of each, and that nothing becomes zero.

use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::inventory::{Database, Instance};
use crate::limits::ACTIVITY_DAYS;
use crate::reading::{Failure, Gap};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn day(text: &str) -> Day {
    text.parse::<jiff::civil::Date>().unwrap().into()
}

fn place() -> Place {
    "123456789012/eu-west-1".to_owned().try_into().unwrap()
}

fn noon() -> Timestamp {
    at("2026-03-02T12:00:00Z")
}

/// Three whole days: 27 and 28 February, and 1 March.
fn window() -> Window {
    Window::whole_days(noon(), 3)
}

fn days(points: &[(&str, f64)]) -> Days {
    Days::of(window(), points.iter().map(|(on, value)| (day(on), *value))).unwrap()
}

fn instance(instance_type: &str) -> Instance {
    serde_json::from_value(json!({
        "id": "i-1", "state": "running", "tags": {}, "launchTime": "2026-01-01T00:00:00Z", "instanceType": instance_type,
    }))
    .unwrap()
}

fn database(engine: &str, created: Option<&str>) -> Database {
    serde_json::from_value(json!({
        "id": "db-1", "name": "shop", "engine": engine, "engineVersion": "8.0", "class": "db.r6g.large",
        "status": "available", "deletionProtection": false, "created": created,
    }))
    .unwrap()
}

fn read(series: &[(ActivityMetric, Series)]) -> Activity {
    let host: BTreeMap<ActivityMetric, Series> = series.iter().cloned().collect();
    let hosts = BTreeMap::from([(HostId::new("i-1"), HostActivity::from(host))]);
    let hosts = Reading::complete_at(Activity::source(&place()), noon(), hosts);
    Activity { place: place(), window: window(), hosts }
}

#[test]
fn today_is_not_a_whole_day_and_yesterday_is_one_an_hour_later() {
    for (now, last) in [
        ("2026-03-02T23:59:59Z", "2026-03-01"),
        ("2026-03-03T00:00:00Z", "2026-03-01"),
        ("2026-03-03T00:59:59Z", "2026-03-01"),
        ("2026-03-03T01:00:00Z", "2026-03-02"),
        ("2026-03-03T09:00:00Z", "2026-03-02"),
    ] {
        let window = Window::whole_days(at(now), ACTIVITY_DAYS);
        assert_eq!((window.last(), window.days()), (day(last), 90), "{now}");
        let (from, until) = window.span();
        assert_eq!(until, at(&format!("{last}T00:00:00Z")) + SignedDuration::from_hours(24), "{now}");
        assert_eq!(until.duration_since(from), Day::LENGTH * 90);
    }
    assert_eq!(
        (Window::whole_days(noon(), 0).days(), Window::whole_days(noon(), u16::MAX).days()),
        (1, MAX_DAYS)
    );
    assert_eq!(window().iter().collect::<Vec<_>>(), ["2026-02-27", "2026-02-28", "2026-03-01"].map(day));
}

#[test]
fn four_things_of_a_day_are_told_apart() {
    let host = HostId::new("i-1");
    let activity = read(&[
        (ActivityMetric::Cpu, Series::Days(days(&[("2026-02-27", 0.0), ("2026-03-01", 61.5)]))),
        (ActivityMetric::NetworkIn, Series::NotRead(FailureKind::Throttled)),
        (ActivityMetric::Connections, Series::NotApplicable),
    ]);
    let told = |metric, on| activity.told(&host, metric, day(on));
    assert_eq!(told(ActivityMetric::Cpu, "2026-02-27"), Told::Value(0.0));
    assert_eq!(told(ActivityMetric::Cpu, "2026-02-28"), Told::NoData);
    assert_eq!(told(ActivityMetric::Cpu, "2026-03-01"), Told::Value(61.5));
    assert_eq!(told(ActivityMetric::NetworkIn, "2026-03-01"), Told::NotRead(FailureKind::Throttled));
    assert_eq!(told(ActivityMetric::Connections, "2026-03-01"), Told::NotApplicable);

    let nobody_asked = Told::NotRead(FailureKind::NotYetRead);
    for outside in ["2026-02-26", "2026-03-02", "1900-01-01"] {
        assert_eq!(told(ActivityMetric::Cpu, outside), nobody_asked, "{outside}");
    }
    assert_eq!(told(ActivityMetric::NetworkOut, "2026-03-01"), nobody_asked);
    assert_eq!(activity.told(&"i-2".into(), ActivityMetric::Cpu, day("2026-03-01")), nobody_asked);
}

#[test]
fn a_series_takes_no_more_than_is_said() {
    let bytes = 90 * size_of::<f32>() + size_of::<(ActivityMetric, Series)>();
    assert_eq!(20_000 * 3 * bytes, 24_000_000);
}

#[test]
fn what_failed_as_a_whole_tells_why_of_every_day() {
    let why = Failure::new(FailureKind::Denied, "no rights");
    let hosts = Reading::failed("cloudwatch", noon(), why.clone());
    let activity = Activity { place: place(), window: window(), hosts };
    let told = activity.told(&"i-1".into(), ActivityMetric::Cpu, day("2026-03-01"));
    assert_eq!(told, Told::NotRead(FailureKind::Denied));

    let activity = Activity::not_yet(place(), window(), noon());
    let told = activity.told(&"i-1".into(), ActivityMetric::Cpu, day("2026-03-01"));
    assert_eq!(told, Told::NotRead(FailureKind::NotYetRead));

    let gap = Gap { what: "all but one".to_owned(), why };
    let hosts = Reading { extent: Extent::Partial { at: noon(), missing: vec![gap] }, ..activity.hosts };
    let told = Activity { hosts, ..read(&[]) }.told(&"i-9".into(), ActivityMetric::Cpu, day("2026-03-01"));
    assert_eq!(told, Told::NotRead(FailureKind::NotYetRead), "whoever is not in it was not asked about");
}

#[test]
fn no_data_at_all_is_a_series_without_a_value() {
    let silent = days(&[]);
    assert!(silent.is_empty());
    let activity = read(&[(ActivityMetric::Cpu, Series::Days(silent))]);
    for on in window().iter() {
        assert_eq!(activity.told(&"i-1".into(), ActivityMetric::Cpu, on), Told::NoData);
    }
}

#[test]
fn points_that_cannot_be_are_refused() {
    let of =
        |points: &[(&str, f64)]| Days::of(window(), points.iter().map(|(on, v)| (day(on), *v))).unwrap_err();
    assert_eq!(of(&[("2026-02-26", 1.0)]), BadPoint::Outside);
    assert_eq!(of(&[("2026-03-02", 1.0)]), BadPoint::Outside, "the day that is not over yet");
    assert_eq!(of(&[("2026-03-01", 1.0), ("2026-02-27", 2.0), ("2026-03-01", 1.0)]), BadPoint::Twice);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, -1e-300, 1e300] {
        assert_eq!(of(&[("2026-03-01", value)]), BadPoint::NoAmount, "{value}");
    }
}

#[test]
fn the_least_use_is_not_none() {
    assert_eq!(days(&[("2026-03-01", 1e-300)]).value(day("2026-03-01")), Some(f32::MIN_POSITIVE));
    assert_eq!(days(&[("2026-03-01", -0.0)]).to_string(), "2026-03-01 0");
}

#[test]
fn a_recording_is_short_and_can_be_read() {
    let activity = read(&[
        (ActivityMetric::Cpu, Series::Days(days(&[("2026-02-27", 3.5), ("2026-03-01", 0.0)]))),
        (ActivityMetric::NetworkIn, Series::Days(days(&[]))),
        (ActivityMetric::NetworkOut, Series::NotRead(FailureKind::SourceError)),
        (ActivityMetric::Connections, Series::NotApplicable),
    ]);
    let json = serde_json::to_value(&activity).unwrap();
    assert_eq!(
        json,
        json!({
            "place": "123456789012/eu-west-1",
            "window": {"first": "2026-02-27", "days": 3},
            "hosts": {
                "source": "cloudwatch activity 123456789012/eu-west-1",
                "extent": {"complete": {"at": "2026-03-02T12:00:00Z"}},
                "seen": {"i-1": {
                    "cpu": {"days": "2026-02-27 3.5 - 0"},
                    "networkIn": {"days": ""},
                    "networkOut": {"notRead": "SourceError"},
                    "connections": "notApplicable",
                }},
            },
        })
    );
    assert_eq!(serde_json::from_value::<Activity>(json).unwrap(), activity);
}

#[test]
fn a_recording_that_cannot_be_is_refused() {
    for text in [
        "yesterday 1",
        "2026-03-01",
        "2026-03-01 -",
        "2026-03-01 - 1",
        "2026-03-01 1 -",
        "2026-03-01 NaN",
        "2026-03-01 -1",
        "2026-03-01 inf",
        "2026-03-01 1 x",
        "2026-02-30 1",
    ] {
        assert!(text.parse::<Days>().is_err(), "{text}");
    }
    let long = format!("2026-03-01{}", " 1".repeat(usize::from(MAX_DAYS) + 1));
    assert!(long.parse::<Days>().is_err());
    for days in [0, MAX_DAYS + 1] {
        let window: Value = json!({"first": "2026-02-27", "days": days});
        assert!(serde_json::from_value::<Window>(window).is_err(), "{days}");
    }
}

#[test]
fn a_host_is_asked_for_what_it_can_have() {
    let has = |subject: &Subject| ActivityMetric::ALL.map(|metric| subject.can_have(metric));
    for nitro in ["m7g.large", "t3.small", "c5d.xlarge", "r5dn.2xlarge", "a-type-of-2031", ""] {
        assert_eq!(
            has(&Subject::of_instance(&instance(nitro))),
            [true, true, true, true, true, false],
            "{nitro}"
        );
    }
    for other in ["t2.micro", "m4.10xlarge", "i3.large", "m5.metal", "i7ie.metal-24xl"] {
        assert_eq!(
            has(&Subject::of_instance(&instance(other))),
            [true, true, true, false, false, false],
            "{other}"
        );
    }
    let shop = Subject::of_database(&database("mysql", None)).unwrap();
    assert_eq!(has(&shop), [true; 6]);
    assert_eq!((shop.host().as_str(), shop.database()), ("db-1", Some("shop")));
    for no_host in [
        database("docdb", None),
        database("neptune", None),
        Database { name: " ".to_owned(), ..database("mysql", None) },
    ] {
        assert_eq!(Subject::of_database(&no_host), None, "{}", no_host.engine.as_str());
    }
}

#[test]
fn what_was_before_a_database_is_another_s_doing() {
    let shop = Subject::of_database(&database("mysql", Some("2026-02-27T09:00:00Z"))).unwrap();
    let owned = window().iter().map(|day| shop.owns(day)).collect::<Vec<_>>();
    assert_eq!(owned, [false, true, true], "the day on which it was made may be another's too");
    let young = Subject::of_database(&database("mysql", None)).unwrap();
    assert!(window().iter().all(|day| !young.owns(day)), "RDS does not say yet since when it is there");
    assert!(Subject::of_instance(&instance("t3.small")).owns(day("2000-01-01")), "an id is never used again");
}

proptest! {
    /// Whatever was read is told as it was, before and after a recording; and all other days have no data.
    #[test]
    fn what_is_told_is_what_was_read(points in prop::collection::btree_map(0..90i32, 0.0..1e15f64, 0..90)) {
        let window = Window::whole_days(noon(), 90);
        let points: BTreeMap<Day, f64> = points.into_iter().map(|(n, v)| (window.first().plus(n), v)).collect();
        let days = Days::of(window, points.iter().rev().map(|(day, value)| (*day, *value))).unwrap();
        let read: Days = days.to_string().parse().unwrap();
        prop_assert_eq!(&read, &days);
        prop_assert_eq!(days.iter().count(), points.len());
        for day in window.iter() {
            let value = points.get(&day);
            prop_assert_eq!(days.value(day).is_some(), value.is_some());
            let off = days.value(day).map_or(0.0, |told| (f64::from(told) - value.unwrap()).abs());
            prop_assert!(off <= value.unwrap_or(&0.0) * 1e-6, "{} is off by {}", day, off);
        }
    }
}

#[test]
fn what_is_read_later_adds_to_what_is_known_of_the_same_days() {
    let cpu = |id: &str, series: Series| {
        let host: BTreeMap<_, _> = [(ActivityMetric::Cpu, series)].into();
        (HostId::new(id), HostActivity::from(host))
    };
    let throttled = || Failure::new(FailureKind::Throttled, "Rate exceeded");
    let reading = |extent, hosts: Vec<(HostId, HostActivity)>| Activity {
        place: place(),
        window: window(),
        hosts: Reading {
            source: Activity::source(&place()),
            extent,
            seen: hosts.into_iter().collect(),
            request_ids: vec![],
        },
    };
    let all = BTreeSet::from([ActivityMetric::Cpu]);
    let some = || Series::Days(days(&[("2026-03-01", 1.0)]));
    let gap = Gap { what: "1 of 2 metrics".into(), why: throttled() };
    let partial = Extent::Partial { at: noon(), missing: vec![gap] };
    let first =
        reading(partial, vec![cpu("i-1", some()), cpu("i-2", Series::NotRead(FailureKind::Throttled))]);
    assert!(first.has_read(&HostId::new("i-1"), &all) && !first.has_read(&HostId::new("i-2"), &all));
    let later = at("2026-03-02T12:15:00Z");
    let rest = reading(Extent::Complete { at: later }, vec![cpu("i-2", some())]);
    let whole = first.clone().with(rest);
    assert_eq!(whole.hosts.extent, Extent::Complete { at: later });
    assert!(whole.has_read(&HostId::new("i-1"), &all) && whole.has_read(&HostId::new("i-2"), &all));
    let failed = reading(Extent::Failed { since: later, why: throttled() }, vec![]);
    let held = whole.clone().with(failed);
    assert!(held.has_read(&HostId::new("i-1"), &all) && matches!(held.hosts.extent, Extent::Partial { .. }));
    let tomorrow = Activity { window: Window::whole_days(at("2026-03-03T12:00:00Z"), 3), ..first };
    assert_eq!(whole.with(tomorrow.clone()), tomorrow);
}
