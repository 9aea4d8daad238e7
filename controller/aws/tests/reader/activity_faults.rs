//! What is read of activity when AWS, or something on the way, misbehaves: never zero, and no data only where AWS said that
//! this is all.

use std::time::Duration;

use rollcall_aws::{AccountSettings, Limits};
use rollcall_engine::activity::{Activity, ActivityMetric, HostActivity, Series, Told};
use rollcall_engine::reading::{Extent, FailureKind};
use rollcall_fakes::aws::Habits;
use rollcall_fakes::faults::{Fault, Pace, Rule};

use crate::activity::{read, subjects, three, told, wanted, window};
use crate::world::{ACCOUNT, KEY, World, complete, now, quick, reader, region, why};

/// Six hosts with three metrics each are three calls of six.
const FLEET: u32 = 6;

fn metric_data(fault: Fault) -> Rule {
    Rule::new("cloudwatch", "GetMetricData", fault)
}

fn sixes() -> Limits {
    Limits { metric_queries: 6, ..quick() }
}

fn with(world: &World, limits: Limits) -> AccountSettings {
    AccountSettings { limits, ..world.settings() }
}

fn not_read(activity: &Activity, kind: FailureKind) -> usize {
    let series = activity.hosts.seen.values().flat_map(HostActivity::iter);
    series.filter(|(_, series)| **series == Series::NotRead(kind)).count()
}

/// All that is told of the fleet is as it is, or that it was not read: its hosts are busy every day.
#[track_caller]
fn nothing_is_made_up(activity: &Activity, fleet: &[String]) {
    for host in fleet {
        for metric in three() {
            let told = told(activity, host, metric, "2026-03-01");
            let is_true = matches!(told, Told::Value(value) if value >= 60.0);
            assert!(is_true || matches!(told, Told::NotRead(_)), "{host} {metric:?}: {told:?}");
        }
    }
}

fn throttle() -> Fault {
    Fault::Throttle { burst: 0.0, refill_per_second: 0.0, pace: Pace::Machine }
}

fn garbage(body: &str) -> Fault {
    Fault::Garbage { body: Some(body.to_owned()) }
}

fn status(status: u16, body: Option<&str>) -> Fault {
    Fault::Status { status, body: body.map(str::to_owned) }
}

#[tokio::test]
async fn each_mishap_has_its_category_and_is_over_when_it_is_over() {
    let stories = [
        ("refused", Fault::Denied, FailureKind::Denied, "user/reader cloudwatch:GetMetricData on Resource"),
        ("an empty bucket", throttle(), FailureKind::Throttled, "(Throttling, HTTP 400)"),
        ("a 500", status(500, None), FailureKind::SourceError, "(InternalFailure, HTTP 500)"),
        ("a balancer's page", status(503, Some("<html>")), FailureKind::SourceError, "HTTP 503"),
        ("a sign-in page", Fault::Garbage { body: None }, FailureKind::Malformed, "is markup"),
        ("an empty body", garbage(""), FailureKind::Malformed, "is no map"),
        ("a text", garbage("signed out"), FailureKind::Malformed, "is no map"),
        ("a cut connection", Fault::CutConnection { after_bytes: 300 }, FailureKind::Unreachable, "egress"),
    ];
    for (story, fault, kind, says) in stories {
        let world = World::new().await;
        let fleet = world.fleet(FLEET);
        let account = reader(with(&world, sixes())).await;
        world.strike(metric_data(fault.clone()));
        let activity = read(&account, &three()).await;
        let extent = &activity.hosts.extent;
        let Extent::Failed { why: first, .. } = extent else { panic!("{story}: {extent:?}") };
        assert_eq!(first.kind, kind, "{story}: {}", first.message);
        assert!(first.message.contains(says), "{story}: {}", first.message);
        assert!(first.message.contains("123456789012/ap-northeast-1"), "{story}: {}", first.message);
        let cpu = told(&activity, &fleet[0], ActivityMetric::Cpu, "2026-03-01");
        assert_eq!(cpu, Told::NotRead(kind), "{story}");

        world.aws.stage().faults.clear();
        world.strike(metric_data(fault).after(1));
        let activity = read(&account, &three()).await;
        assert_eq!(why(&activity.hosts).kind, kind, "{story}");
        assert_eq!(not_read(&activity, kind), 12, "{story}: one call of three came");
        nothing_is_made_up(&activity, &fleet);

        world.aws.stage().faults.clear();
        let activity = read(&account, &three()).await;
        complete(&activity.hosts);
        assert_eq!(not_read(&activity, kind), 0);
        nothing_is_made_up(&activity, &fleet);
    }
}

#[tokio::test]
async fn when_aws_says_no_the_rest_is_not_asked_for() {
    for (fault, asked) in [(Fault::Denied, 1 + 1), (throttle(), 1 + 5)] {
        let world = World::new().await;
        let fleet = world.fleet(FLEET);
        let account = reader(with(&world, sixes())).await;
        world.strike(metric_data(fault.clone()).after(1));
        let activity = read(&account, &three()).await;
        nothing_is_made_up(&activity, &fleet);
        assert_eq!(world.asked("GetMetricData"), asked, "{fault:?}: the third call is not tried");
        let Extent::Partial { missing, .. } = &activity.hosts.extent else { panic!("{fault:?}") };
        assert_eq!(missing.iter().map(|gap| gap.what.as_str()).collect::<Vec<_>>(), ["12 of 18 metrics"]);
    }
}

#[tokio::test]
async fn one_bad_call_costs_no_other() {
    let world = World::new().await;
    let fleet = world.fleet(FLEET);
    world.strike(metric_data(status(500, None)).after(1).times(5));
    let activity = read(&reader(with(&world, sixes())).await, &three()).await;
    assert_eq!(not_read(&activity, FailureKind::SourceError), 6);
    assert_eq!(world.asked("GetMetricData"), 1 + 5 + 1);
    nothing_is_made_up(&activity, &fleet);
}

#[tokio::test]
async fn a_passing_mishap_is_retried_and_leaves_no_trace() {
    for fault in [
        throttle(),
        status(500, None),
        Fault::CutConnection { after_bytes: 300 },
        Fault::Garbage { body: None },
    ] {
        let world = World::new().await;
        let fleet = world.fleet(FLEET);
        world.strike(metric_data(fault.clone()).after(1).times(2));
        let account = reader(with(&world, sixes())).await;
        let activity = read(&account, &three()).await;
        let extent = &activity.hosts.extent;
        assert!(matches!(extent, Extent::Complete { .. }), "{fault:?}: {extent:?}");
        nothing_is_made_up(&activity, &fleet);
        let failed: u64 = account.calls().iter().filter(|c| c.failure.is_some()).map(|c| c.count).sum();
        assert_eq!(failed, 2, "{fault:?}: the attempts are counted");
    }
}

#[tokio::test]
async fn metrics_that_aws_failed_on_are_not_read_and_the_others_are() {
    for (word, kind) in [
        ("PartialData", FailureKind::SourceError),
        ("InternalError", FailureKind::SourceError),
        ("Forbidden", FailureKind::Denied),
        ("Fine", FailureKind::Malformed),
    ] {
        let world = World::new().await;
        let fleet = world.fleet(FLEET);
        world.strike(metric_data(Fault::ItemStatus { items: 4, status: word.to_owned() }));
        let activity = read(&world.reader().await, &three()).await;
        let Extent::Partial { missing, .. } = &activity.hosts.extent else { panic!("{word}") };
        assert_eq!((missing[0].what.as_str(), missing[0].why.kind), ("4 of 18 metrics", kind), "{word}");
        assert_eq!(not_read(&activity, kind), 4, "{word}");
        nothing_is_made_up(&activity, &fleet);
    }
}

#[tokio::test]
async fn an_answer_with_a_remark_is_not_believed() {
    let world = World::new().await;
    world.fleet(FLEET);
    let message = "Maximum number of allowed metrics exceeded".to_owned();
    world.strike(metric_data(Fault::Remark { message }));
    let activity = read(&world.reader().await, &three()).await;
    let why = why(&activity.hosts);
    assert_eq!(why.kind, FailureKind::SourceError);
    assert!(why.message.contains("a remark") && !why.message.contains("exceeded"), "{}", why.message);
}

#[tokio::test]
async fn metrics_that_are_left_out_are_no_days_without_data() {
    let world = World::new().await;
    let fleet = world.fleet(FLEET);
    let account = world.reader().await;
    world.strike(metric_data(Fault::EmptyAnswer));
    let activity = read(&account, &three()).await;
    let all = why(&activity.hosts);
    assert_eq!(all.kind, FailureKind::Malformed);
    assert!(all.message.contains("lacks a metric"), "{}", all.message);

    world.aws.stage().faults.clear();
    world.strike(metric_data(Fault::DropItems { items: 5 }));
    let activity = read(&account, &three()).await;
    assert_eq!(not_read(&activity, FailureKind::Malformed), 5);
    nothing_is_made_up(&activity, &fleet);
}

/// A page that is lost without a word cannot be missed by anybody where a metric ends on the next one: AWS numbers nothing.
/// The days on it have no data then, and no data is not rest.
#[tokio::test]
async fn a_page_that_is_lost_without_a_word_makes_nobody_idle() {
    let world = World::new().await;
    let fleet = world.fleet(FLEET);
    world.aws.cut_metrics(200);
    world.strike(metric_data(Fault::SkipPage).after(1).times(1));
    let activity = read(&world.reader().await, &three()).await;
    assert!(not_read(&activity, FailureKind::Malformed) >= 1, "who was only on that page is missed");
    for (host, on) in fleet.iter().flat_map(|host| window().iter().map(move |on| (host, on))) {
        for metric in three() {
            let told = activity.told(&host.as_str().into(), metric, on);
            let is_rest = matches!(told, Told::Value(value) if value < 60.0);
            assert!(!is_rest, "{host} {metric:?} on {on}: {told:?}");
        }
    }
}

#[tokio::test]
async fn pages_that_break_off_or_come_again_are_seen() {
    for (fault, after, times) in [
        (Fault::RepeatPage, 0, 1),
        (Fault::RepeatPage, 1, 1),
        (Fault::RepeatPage, 1, u64::MAX),
        (Fault::Denied, 1, 1),
        (Fault::CutConnection { after_bytes: 100 }, 1, u64::MAX),
        (Fault::EmptyAnswer, 1, 1),
    ] {
        let world = World::new().await;
        let fleet = world.fleet(FLEET);
        // AWS cuts the answer of each call into pages of at most 200 points, where 18 metrics have 1,000 and more.
        world.aws.set_habits(Habits { unstable_order: true, short_pages: false });
        world.aws.cut_metrics(200);
        world.strike(metric_data(fault.clone()).after(after).times(times));
        let activity = read(&world.reader().await, &three()).await;
        let extent = &activity.hosts.extent;
        assert!(!matches!(extent, Extent::Complete { .. }), "{fault:?} after {after}");
        nothing_is_made_up(&activity, &fleet);
        let series = activity.hosts.seen.values().flat_map(HostActivity::iter);
        let read = series.filter(|(_, series)| matches!(series, Series::Days(_))).count();
        assert!((1..18).contains(&read), "{fault:?} after {after}: what was whole by then is kept: {read}");
    }
}

/// The last points of a day come late, which is why a day is whole only when it has been over for an hour. What is later
/// still has no data; it is never told as a day of rest.
#[tokio::test]
async fn what_is_late_has_no_data_yet() {
    let world = World::new().await;
    let fleet = world.fleet(1);
    let account = world.reader().await;
    world.strike(metric_data(Fault::StaleRead { seconds: 11 * 3_600 }));
    let activity = read(&account, &three()).await;
    complete(&activity.hosts);
    for metric in three() {
        let whole = told(&activity, &fleet[0], metric, "2026-02-28");
        assert_eq!(told(&activity, &fleet[0], metric, "2026-03-01"), whole, "it had been over for an hour");
    }

    world.aws.stage().faults.clear();
    world.strike(metric_data(Fault::StaleRead { seconds: 40 * 3_600 }));
    let activity = read(&account, &three()).await;
    complete(&activity.hosts);
    for metric in three() {
        assert_eq!(told(&activity, &fleet[0], metric, "2026-03-01"), Told::NoData);
    }
}

#[tokio::test]
async fn a_host_that_cloudwatch_does_not_know_has_no_data() {
    let world = World::new().await;
    let fleet = world.fleet(1);
    let account = world.reader().await;
    let elsewhere = AccountSettings { regions: vec!["us-east-1".into()], ..world.settings() };
    let subjects = subjects(&account).await;
    // Another region knows no such dimension, and says so with an empty list.
    let activity = reader(elsewhere)
        .await
        .read_activity(&"us-east-1".into(), &wanted(&subjects, &three()), window(), now())
        .await;
    complete(&activity.hosts);
    for on in window().iter() {
        let told = activity.told(&fleet[0].as_str().into(), ActivityMetric::Cpu, on);
        assert_eq!(told, Told::NoData, "{on}");
    }
}

#[tokio::test]
async fn without_the_right_nothing_is_read_and_the_failure_knows_since_when() {
    let world = World::new().await;
    world.fleet(FLEET);
    assert!(world.aws.account(ACCOUNT).deny(KEY, &["cloudwatch:*"]));
    let account = world.reader().await;
    let subjects = subjects(&account).await;
    let later = now() + jiff::SignedDuration::from_hours(24);
    for at in [now(), later] {
        let activity = account.read_activity(&region(), &wanted(&subjects, &three()), window(), at).await;
        let Extent::Failed { since, why } = &activity.hosts.extent else { panic!("{at}") };
        assert_eq!((*since, why.kind), (now(), FailureKind::Denied), "{}", why.message);
        assert!(!activity.hosts.request_ids.is_empty(), "AWS's support asks for it");
    }
    complete(&account.read_instances(&region(), now()).await);
}

#[tokio::test]
async fn credentials_of_another_account_read_nothing() {
    let world = World::new().await;
    world.fleet(FLEET);
    let subjects = subjects(&world.reader().await).await;
    let settings = AccountSettings { account: "111111111111".into(), ..world.settings() };
    let account = reader(settings).await;
    let activity = account.read_activity(&region(), &wanted(&subjects, &three()), window(), now()).await;
    assert_eq!(why(&activity.hosts).kind, FailureKind::WrongAccount);
    assert_eq!(world.asked("GetMetricData"), 0, "CloudWatch was never asked");
}

#[tokio::test]
async fn a_reading_that_takes_too_long_keeps_what_it_has() {
    let world = World::new().await;
    let fleet = world.fleet(FLEET);
    world.strike(metric_data(Fault::Latency { ms: 300 }));
    let limits = Limits { activity_time: Duration::from_millis(200), ..sixes() };
    let activity = read(&reader(with(&world, limits)).await, &three()).await;
    let why = why(&activity.hosts);
    assert_eq!(why.kind, FailureKind::TimedOut);
    assert!(why.message.contains("took longer than 200ms in all"), "{}", why.message);
    assert_eq!((not_read(&activity, FailureKind::TimedOut), world.asked("GetMetricData")), (12, 1));
    nothing_is_made_up(&activity, &fleet);
}
