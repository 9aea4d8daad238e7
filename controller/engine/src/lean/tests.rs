//! Stories of quiet and loud days, and the laws that no verdict may break.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::activity::{Activity, ActivityMetric, Day, Days, HostActivity, Series, Window};
use crate::ids::{HostId, Place};
use crate::reading::{FailureKind, Reading};

const MB: f64 = 1_000_000.0;
/// 90 days, of which the last one is 25 November.
const NOON: &str = "2026-11-26T12:00:00Z";

fn now() -> Timestamp {
    NOON.parse().unwrap()
}

fn day(text: &str) -> Day {
    text.parse::<jiff::civil::Date>().unwrap().into()
}

fn window() -> Window {
    Window::whole_days(now(), 90)
}

fn yesterday() -> Day {
    window().last()
}

/// The same every day, but on some.
fn series(every: f64, but: &[(&str, f64)]) -> Series {
    let mut all: BTreeMap<Day, f64> = window().iter().map(|day| (day, every)).collect();
    all.extend(but.iter().map(|(on, value)| (day(on), *value)));
    Series::Days(Days::of(window(), all).unwrap())
}

/// No value on these days.
fn without(series: &Series, from: &str, to: &str) -> Series {
    let Series::Days(days) = series else { panic!("nothing to leave out") };
    let kept = days.iter().filter(|(on, _)| *on < day(from) || *on > day(to));
    Series::Days(Days::of(window(), kept.map(|(on, value)| (on, value.into()))).unwrap())
}

fn read(id: &str, metrics: &[(ActivityMetric, Series)]) -> Activity {
    let place: Place = "123456789012/ap-northeast-1".to_owned().try_into().unwrap();
    let host: BTreeMap<ActivityMetric, Series> = metrics.iter().cloned().collect();
    let hosts = BTreeMap::from([(HostId::new(id), HostActivity::from(host))]);
    Activity { hosts: Reading::complete_at(Activity::source(&place), now(), hosts), window: window(), place }
}

/// An instance that does next to nothing: 1.2 % at most, 0.3 MB in and 0.2 MB out a day.
fn quiet() -> Vec<(ActivityMetric, Series)> {
    use ActivityMetric::{Cpu, NetworkIn, NetworkOut};
    vec![(Cpu, series(1.2, &[])), (NetworkIn, series(0.3 * MB, &[])), (NetworkOut, series(0.2 * MB, &[]))]
}

fn but(mut metrics: Vec<(ActivityMetric, Series)>, of: ActivityMetric, is: Series) -> Activity {
    metrics.retain(|(metric, _)| *metric != of);
    metrics.push((of, is));
    read("i-1", &metrics)
}

fn judged(rule: &Rule, activity: &Activity, started: Option<&str>) -> Use {
    let id = HostId::new("i-1");
    let started = started.map(|text| text.parse().unwrap());
    judge(rule, Host { id: &id, started, named_since: None, spared_on: None }, activity, yesterday())
}

fn old(activity: &Activity) -> Use {
    judged(&Rule::default(), activity, Some("2021-03-01T00:00:00Z"))
}

fn idle(since: &str) -> Use {
    Use::Idle(Idle { since: day(since), weak: Vec::new() })
}

#[test]
fn quiet_on_every_day_is_idle_since_the_first_day_that_is_known() {
    assert_eq!(old(&read("i-1", &quiet())), idle("2026-08-28"));
}

#[test]
fn a_loud_day_before_the_window_only_tells_since_when() {
    let busy = but(quiet(), ActivityMetric::Cpu, series(1.2, &[("2026-10-12", 71.0)]));
    assert_eq!(old(&busy), idle("2026-10-13"));
}

#[test]
fn a_month_end_job_keeps_its_host() {
    let busy = but(quiet(), ActivityMetric::Cpu, series(1.2, &[("2026-10-31", 93.0)]));
    let sign = Sign { day: day("2026-10-31"), signal: Signal::Cpu, amount: 93.0 };
    assert_eq!(old(&busy), Use::Active(sign));
}

#[test]
fn the_bound_itself_is_use() {
    let at = |cpu| old(&but(quiet(), ActivityMetric::Cpu, series(cpu, &[])));
    assert!(matches!(at(5.0), Use::Active(_)));
    assert!(matches!(at(4.999), Use::Idle(_)));
}

#[test]
fn in_and_out_are_added_up() {
    let out = series(4.8 * MB, &[]);
    let Use::Active(sign) = old(&but(quiet(), ActivityMetric::NetworkOut, out)) else {
        panic!("5.1 MB a day are use")
    };
    assert_eq!((sign.day, sign.signal), (yesterday(), Signal::Network));
}

#[test]
fn a_day_without_data_is_unknown_and_never_quiet() {
    let gap = without(&series(1.2, &[]), "2026-11-20", "2026-11-21");
    assert_eq!(
        old(&but(quiet(), ActivityMetric::Cpu, gap)),
        Use::Unknown(Doubt::NoData(Signal::Cpu, 2)),
        "stopped, late or asked under a wrong name: all three look like it"
    );
    let before = without(&series(1.2, &[]), "2026-10-01", "2026-10-20");
    assert_eq!(old(&but(quiet(), ActivityMetric::Cpu, before)), idle("2026-10-21"));
    let none = without(&series(1.2, &[]), "2026-01-01", "2026-12-31");
    assert_eq!(old(&but(quiet(), ActivityMetric::Cpu, none)), Use::Unknown(Doubt::NoData(Signal::Cpu, 35)));
}

#[test]
fn what_was_not_read_is_unknown_and_a_loud_rest_is_use_all_the_same() {
    let throttled = Series::NotRead(FailureKind::Throttled);
    let hidden = but(quiet(), ActivityMetric::NetworkIn, throttled.clone());
    let doubt = Doubt::NotRead(Signal::Network, FailureKind::Throttled);
    assert_eq!(old(&hidden), Use::Unknown(doubt));
    let mut loud = quiet();
    loud[0].1 = series(80.0, &[]);
    assert!(matches!(old(&but(loud, ActivityMetric::NetworkIn, throttled)), Use::Active(_)));
    assert_eq!(
        old(&read("i-2", &quiet())),
        Use::Unknown(Doubt::NotRead(Signal::Cpu, FailureKind::NotYetRead)),
        "nobody asked for i-1"
    );
}

#[test]
fn a_host_is_judged_once_it_has_run_for_all_the_days() {
    let all = read("i-1", &quiet());
    let young = |started| judged(&Rule::default(), &all, Some(started));
    assert_eq!(young("2026-10-22T00:00:00Z"), idle("2026-10-22"));
    let doubt = Use::Unknown(Doubt::TooYoung(day("2026-11-27")));
    assert_eq!(young("2026-10-22T00:00:01Z"), doubt, "the first whole day is 23 October");
    assert_eq!(judged(&Rule::default(), &all, None), Use::Unknown(Doubt::NoBeginning));
}

#[test]
fn a_signal_that_a_host_cannot_have_is_not_asked_of_it() {
    let disk = InstanceRule { disk_below: Some(1_000.0), ..InstanceRule::default() };
    let rule = Rule::new(35, disk, DatabaseRule::default()).unwrap();
    let xen = [
        quiet(),
        vec![
            (ActivityMetric::ReadOps, Series::NotApplicable),
            (ActivityMetric::WriteOps, Series::NotApplicable),
        ],
    ];
    let started = Some("2021-03-01T00:00:00Z");
    assert_eq!(judged(&rule, &read("i-1", &xen.concat()), started), idle("2026-08-28"));
    let nitro = [
        quiet(),
        vec![(ActivityMetric::ReadOps, series(0.0, &[])), (ActivityMetric::WriteOps, series(80_000.0, &[]))],
    ];
    let Use::Active(sign) = judged(&rule, &read("i-1", &nitro.concat()), started) else {
        panic!("it writes")
    };
    assert_eq!(sign.signal, Signal::Disk);
}

#[test]
fn a_database_without_connections_is_idle_and_the_default_rule_only_points_at_it() {
    let id = HostId::new("db-1");
    let host = |named: &str| Host {
        id: &id,
        started: Some("2021-03-01T00:00:00Z".parse().unwrap()),
        named_since: Some(named.parse().unwrap()),
        spared_on: None,
    };
    let activity = read(
        "db-1",
        &[(ActivityMetric::Connections, series(0.0, &[])), (ActivityMetric::Cpu, series(3.0, &[]))],
    );
    let weak = |rule: &Rule, named| match judge(rule, host(named), &activity, yesterday()) {
        Use::Idle(idle) => idle.weak,
        other => panic!("{other:?}"),
    };
    let old = "2026-01-01T00:00:00Z";
    assert_eq!(weak(&Rule::default(), old), [Weakness::NotLookedAt(Signal::Cpu)]);
    let strict = DatabaseRule { cpu_below: Some(5.0), ..DatabaseRule::default() };
    let strict = Rule::new(35, InstanceRule::default(), strict).unwrap();
    assert_eq!(weak(&strict, old), []);
    assert_eq!(weak(&strict, "2026-11-01T00:00:00Z"), [Weakness::NameNotProved]);
    let one = read(
        "db-1",
        &[
            (ActivityMetric::Connections, series(0.0, &[("2026-11-02", 1.0)])),
            (ActivityMetric::Cpu, series(3.0, &[])),
        ],
    );
    assert!(matches!(judge(&strict, host(old), &one, yesterday()), Use::Active(_)));
}

#[test]
fn laxer_and_shorter_rules_only_point() {
    let rule = |days, cpu_below| {
        let instances = InstanceRule { cpu_below, ..InstanceRule::default() };
        Rule::new(days, instances, DatabaseRule::default()).unwrap().grade(false)
    };
    assert_eq!(Rule::default().grade(false), Grade::Act);
    assert_eq!(rule(90, 1.0), Grade::Act);
    assert_eq!(rule(34, 5.0), Grade::Flag(vec![Weakness::ShortWindow]));
    assert_eq!(rule(35, 5.1), Grade::Flag(vec![Weakness::LaxBound(Signal::Cpu)]));
    for (days, bad) in [(0, BadRule::Days(0)), (6, BadRule::Days(6)), (91, BadRule::Days(91))] {
        assert_eq!(Rule::new(days, InstanceRule::default(), DatabaseRule::default()), Err(bad));
    }
    let nan = InstanceRule { cpu_below: f32::INFINITY, ..InstanceRule::default() };
    assert!(Rule::new(35, nan, DatabaseRule::default()).is_err());
}

#[test]
fn evidence_shows_every_signal_with_its_peak() {
    let busy = but(quiet(), ActivityMetric::Cpu, series(1.2, &[("2026-11-02", 3.5)]));
    let seen = evidence(&Rule::default(), &HostId::new("i-1"), &busy, yesterday());
    assert_eq!((seen.first, seen.last), (day("2026-10-22"), day("2026-11-25")));
    let peaks: Vec<_> =
        seen.signals.iter().map(|s| (s.test.signal, s.most.map(|(on, _)| on), s.told)).collect();
    assert_eq!(
        peaks,
        [(Signal::Cpu, Some(day("2026-11-02")), 35), (Signal::Network, Some(day("2026-11-25")), 35)]
    );
    let hidden = but(quiet(), ActivityMetric::Cpu, Series::NotRead(FailureKind::Denied));
    let seen = evidence(&Rule::default(), &HostId::new("i-1"), &hidden, yesterday());
    assert_eq!((seen.signals[0].most, seen.signals[0].not_read), (None, Some(FailureKind::Denied)));
}

#[test]
fn a_rule_is_tried_on_the_past_and_told_where_it_was_wrong() {
    let id = HostId::new("i-1");
    let host = Host {
        id: &id,
        started: Some("2021-03-01T00:00:00Z".parse().unwrap()),
        named_since: None,
        spared_on: None,
    };
    let busy = but(quiet(), ActivityMetric::Cpu, series(1.2, &[("2026-11-02", 60.0)]));
    let flagged = backtest(&Rule::default(), host, &busy).unwrap();
    assert_eq!(flagged.on, day("2026-10-01"), "35 days from 28 August");
    assert_eq!(flagged.busy_later.map(|sign| sign.day), Some(day("2026-11-02")));
    let often = series(1.2, &[("2026-09-15", 60.0), ("2026-10-15", 60.0), ("2026-11-15", 60.0)]);
    assert_eq!(backtest(&Rule::default(), host, &but(quiet(), ActivityMetric::Cpu, often)), None);
}

/// Any series, with gaps.
fn any_series() -> impl Strategy<Value = Series> {
    let value = prop_oneof![
        8 => (0.0..4.0_f64).prop_map(Some),
        1 => (0.0..1.0e8_f64).prop_map(Some),
        1 => Just(None),
    ];
    let days = proptest::collection::vec(value, 90).prop_map(|values| {
        let all = window().iter().zip(values).filter_map(|(day, value)| Some((day, value?)));
        Series::Days(Days::of(window(), all).unwrap())
    });
    prop_oneof![
        8 => days,
        4 => (0.0..4.0_f64).prop_map(|every| series(every, &[])),
        1 => Just(Series::NotApplicable),
        1 => Just(Series::NotRead(FailureKind::Throttled)),
    ]
}

/// What a fault may do to a series: hide all of it, or some of its days.
fn hidden(series: Series, how: u8, from: u8) -> Series {
    match (how % 4, &series) {
        (0, _) => Series::NotRead(FailureKind::TimedOut),
        (1, Series::Days(days)) => {
            let kept = days.iter().filter(|(on, _)| *on != window().first().plus(i32::from(from % 90)));
            Series::Days(Days::of(window(), kept.map(|(on, value)| (on, value.into()))).unwrap())
        }
        _ => series,
    }
}

proptest! {
    /// The monotone law: whatever is hidden, nobody becomes idle who was not.
    #[test]
    fn hiding_makes_nobody_idle(
        all in proptest::array::uniform3(any_series()),
        how in proptest::array::uniform3((any::<u8>(), any::<u8>())),
        days in 7..=90_u16,
    ) {
        use ActivityMetric::{Cpu, NetworkIn, NetworkOut};
        let metrics = [Cpu, NetworkIn, NetworkOut];
        let truth: Vec<_> = metrics.into_iter().zip(all).collect();
        let seen: Vec<_> = truth.iter().cloned().zip(how).map(|((m, s), (how, from))| (m, hidden(s, how, from))).collect();
        let rule = Rule::new(days, InstanceRule::default(), DatabaseRule::default()).unwrap();
        let started = Some("2021-03-01T00:00:00Z");
        let (truth, seen) = (judged(&rule, &read("i-1", &truth), started), judged(&rule, &read("i-1", &seen), started));
        match (&truth, &seen) {
            (Use::Idle(truth), Use::Idle(seen)) => prop_assert!(truth.since <= seen.since && truth.weak == seen.weak),
            (_, Use::Idle(_)) => prop_assert!(false, "{truth:?} became {seen:?}"),
            (Use::Idle(_), Use::Active(_)) => prop_assert!(false, "quiet became loud: {seen:?}"),
            _ => {}
        }
    }

    /// Idle means that every signal of every day was told and quiet; a stricter or longer rule calls fewer hosts idle.
    #[test]
    fn a_stricter_rule_calls_fewer_hosts_idle(
        all in proptest::array::uniform3(any_series()),
        days in 7..=45_u16, more in 0..=45_u16, cpu in 0.0..5.0_f32,
    ) {
        use ActivityMetric::{Cpu, NetworkIn, NetworkOut};
        let activity = read("i-1", &[Cpu, NetworkIn, NetworkOut].into_iter().zip(all).collect::<Vec<_>>());
        let lax = Rule::new(days, InstanceRule::default(), DatabaseRule::default()).unwrap();
        let instances = InstanceRule { cpu_below: cpu, ..InstanceRule::default() };
        let strict = Rule::new(days + more, instances, DatabaseRule::default()).unwrap();
        let started = Some("2021-03-01T00:00:00Z");
        if matches!(judged(&strict, &activity, started), Use::Idle(_)) {
            prop_assert!(matches!(judged(&lax, &activity, started), Use::Idle(_)));
        }
    }
}
