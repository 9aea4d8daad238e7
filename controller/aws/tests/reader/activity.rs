//! What hosts did, as it is read: held against what they do in the fake's world.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rollcall_aws::{Account, AccountSettings, Limits};
use rollcall_engine::activity::{Activity, ActivityMetric, Day, Subject, Told, Wanted, Window};
use rollcall_engine::ids::HostId;
use rollcall_engine::limits::ACTIVITY_DAYS;
use rollcall_engine::reading::{FailureKind, MAX_REQUEST_IDS};
use rollcall_fakes::aws::ground::db::DbLaunch;
use rollcall_fakes::aws::{Habits, Launch, Load};

use crate::world::{World, complete, now, quick, reader, region};

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn day(text: &str) -> Day {
    Day::of(at(&format!("{text}T00:00:00Z")))
}

pub fn window() -> Window {
    Window::whole_days(now(), ACTIVITY_DAYS)
}

fn all() -> BTreeSet<ActivityMetric> {
    ActivityMetric::ALL.into()
}

/// Those by which AWS itself calls an instance idle.
pub fn three() -> BTreeSet<ActivityMetric> {
    [ActivityMetric::Cpu, ActivityMetric::NetworkIn, ActivityMetric::NetworkOut].into()
}

/// These metrics of all of them.
pub fn wanted(subjects: &[Subject], metrics: &BTreeSet<ActivityMetric>) -> [Wanted; 1] {
    [Wanted { subjects: subjects.to_vec(), metrics: metrics.clone() }]
}

/// All hosts that the reader sees.
pub async fn subjects(account: &Account) -> Vec<Subject> {
    let instances = account.read_instances(&region(), now()).await;
    let databases = account.read_databases(&region(), now()).await;
    let instances = instances.seen.iter().map(Subject::of_instance);
    instances.chain(databases.seen.iter().filter_map(Subject::of_database)).collect()
}

pub async fn read(account: &Account, metrics: &BTreeSet<ActivityMetric>) -> Activity {
    account.read_activity(&region(), &wanted(&subjects(account).await, metrics), window(), now()).await
}

/// What is told of one day.
pub fn told(activity: &Activity, host: &str, metric: ActivityMetric, on: &str) -> Told {
    activity.told(&host.into(), metric, day(on))
}

#[track_caller]
fn value(activity: &Activity, host: &str, metric: ActivityMetric, on: &str, expected: f64) {
    let told = told(activity, host, metric, on);
    let Told::Value(value) = told else { panic!("{metric:?} of {host} on {on}: {told:?}, not {expected}") };
    let off = (f64::from(value) - expected).abs();
    assert!(off <= expected * 1e-6, "{metric:?} of {host} on {on}: {value}, not {expected}");
}

fn launch(world: &World, instance_type: &str) -> String {
    let launched = at("2026-01-15T00:00:00Z");
    world.truth().launch(&Launch::of(instance_type).launched_at(launched)).unwrap().remove(0)
}

#[tokio::test]
async fn busy_idle_and_silent_hosts_are_told_apart() {
    use ActivityMetric::{Connections, Cpu, NetworkIn, NetworkOut, ReadOps, WriteOps};
    let world = World::new().await;
    let [busy, idle, silent, gap] = [(); 4].map(|()| launch(&world, "m7g.large"));
    let (truth, born) = (world.truth(), at("2026-01-15T00:00:00Z"));
    truth.set_load(&idle, born, Some(Load::IDLE)).unwrap();
    truth.set_load(&silent, born, None).unwrap();
    truth.set_load(&gap, at("2026-02-20T00:00:00Z"), None).unwrap();
    truth.set_load(&gap, at("2026-02-22T00:00:00Z"), Some(Load { cpu: 0.0, ..Load::IDLE })).unwrap();
    let activity = read(&world.reader().await, &all()).await;
    complete(&activity.hosts);
    assert_eq!(activity.hosts.source, "cloudwatch activity 123456789012/ap-northeast-1");

    value(&activity, &busy, Cpu, "2026-03-01", 60.0);
    value(&activity, &busy, NetworkOut, "2026-03-01", 500_000.0 * 86_400.0);
    let amounts = [
        (Cpu, 1.25),
        (NetworkIn, 1_728_000.0),
        (NetworkOut, 864_000.0),
        (ReadOps, 0.0),
        (WriteOps, 21_600.0),
    ];
    for (metric, expected) in amounts {
        value(&activity, &idle, metric, "2026-02-10", expected);
    }
    assert_eq!(told(&activity, &idle, Connections, "2026-02-10"), Told::NotApplicable);
    for on in window().iter() {
        let told = activity.told(&silent.as_str().into(), Cpu, on);
        assert_eq!(told, Told::NoData, "silence on {on} is no rest");
    }
    let gap = |on| told(&activity, &gap, Cpu, on);
    assert_eq!(["2026-02-20", "2026-02-21"].map(gap), [Told::NoData; 2]);
    assert_eq!(gap("2026-02-22"), Told::Value(0.0));
    assert_eq!(told(&activity, &busy, Cpu, "2026-01-14"), Told::NoData, "before it was launched");
    let today = told(&activity, &busy, Cpu, "2026-03-02");
    assert_eq!(today, Told::NotRead(FailureKind::NotYetRead), "today is not over");
}

#[tokio::test]
async fn a_host_has_no_data_while_it_is_stopped() {
    let world = World::new().await;
    let host = launch(&world, "m7g.large");
    let account = world.reader().await;
    world.truth().stop(&host).unwrap();
    world.aws.stage().clock.advance(SignedDuration::from_hours(72));
    let later = now() + SignedDuration::from_hours(72);
    let window = Window::whole_days(later, 3);
    let activity =
        account.read_activity(&region(), &wanted(&subjects(&account).await, &all()), window, later).await;
    value(&activity, &host, ActivityMetric::Cpu, "2026-03-02", 60.0);
    let after = ["2026-03-03", "2026-03-04"].map(|on| told(&activity, &host, ActivityMetric::Cpu, on));
    assert_eq!(after, [Told::NoData; 2]);
}

#[tokio::test]
async fn one_busy_quarter_of_an_hour_a_month_is_seen() {
    let world = World::new().await;
    let host = launch(&world, "m7g.large");
    for (from, load) in [
        ("2026-01-15T00:00:00Z", Load::IDLE),
        ("2026-01-31T23:30:00Z", Load { cpu: 97.0, ..Load::BUSY }),
        ("2026-01-31T23:45:00Z", Load::IDLE),
    ] {
        world.truth().set_load(&host, at(from), Some(load)).unwrap();
    }
    let activity = read(&world.reader().await, &three()).await;
    value(&activity, &host, ActivityMetric::Cpu, "2026-01-31", 97.0);
    value(&activity, &host, ActivityMetric::Cpu, "2026-02-01", 1.25);
}

#[tokio::test]
async fn databases_are_told_in_the_same_amounts_as_instances() {
    use ActivityMetric::{Connections, Cpu, NetworkIn, ReadOps, WriteOps};
    let world = World::new().await;
    let (truth, born) = (world.truth(), at("2026-01-15T09:00:00Z"));
    let of = |name: &str, engine: &str| {
        truth.launch_db(&DbLaunch::of(name, engine).created_at(born)).unwrap().to_lowercase()
    };
    let (shop, spare, graph) = (of("shop", "mysql"), of("spare", "postgres"), of("graph", "neptune"));
    truth.set_db_load("spare", born, Some(Load::IDLE)).unwrap();
    let activity = read(&world.reader().await, &all()).await;
    complete(&activity.hosts);
    for (metric, expected) in [
        (Cpu, 60.0),
        (Connections, 40.0),
        (NetworkIn, 200_000.0 * 86_400.0),
        (ReadOps, 40.0 * 86_400.0),
        (WriteOps, 80.0 * 86_400.0),
    ] {
        value(&activity, &shop, metric, "2026-03-01", expected);
    }
    value(&activity, &spare, Connections, "2026-03-01", 0.0);
    value(&activity, &spare, WriteOps, "2026-03-01", 21_600.0);
    let birthday = told(&activity, &shop, Cpu, "2026-01-15");
    assert_eq!(birthday, Told::NoData, "the day on which it was made may be another's too");
    value(&activity, &shop, Cpu, "2026-01-16", 60.0);
    assert!(!activity.hosts.seen.contains_key(&HostId::new(graph)), "it is no host");
}

#[tokio::test]
async fn what_a_type_cannot_have_is_not_asked_for() {
    let world = World::new().await;
    let (nitro, xen) = (launch(&world, "m7g.large"), launch(&world, "t2.micro"));
    let account = world.reader().await;
    let activity = read(&account, &[ActivityMetric::ReadOps, ActivityMetric::Connections].into()).await;
    complete(&activity.hosts);
    value(&activity, &nitro, ActivityMetric::ReadOps, "2026-03-01", 40.0 * 86_400.0);
    for (host, metric) in [
        (&xen, ActivityMetric::ReadOps),
        (&xen, ActivityMetric::Connections),
        (&nitro, ActivityMetric::Connections),
    ] {
        assert_eq!(told(&activity, host, metric, "2026-03-01"), Told::NotApplicable);
    }
    let asked = world.asked("GetMetricData");
    let activity = read(&account, &[ActivityMetric::Connections].into()).await;
    complete(&activity.hosts);
    assert_eq!(
        (activity.hosts.seen.len(), world.asked("GetMetricData")),
        (2, asked),
        "there is nothing to ask"
    );
}

#[tokio::test]
async fn twenty_thousand_hosts_with_three_metrics_are_120_calls() {
    let world = World::new().await;
    let fleet = world.fleet(20_000);
    let limits = Limits { page_size: 1_000, ..quick() };
    let account = reader(AccountSettings { limits, ..world.settings() }).await;
    let activity = read(&account, &three()).await;
    complete(&activity.hosts);
    assert_eq!(world.asked("GetMetricData"), 120);
    assert_eq!((activity.hosts.seen.len(), activity.hosts.request_ids.len()), (20_000, MAX_REQUEST_IDS));
    for host in fleet.iter().step_by(997) {
        for metric in three() {
            let told = told(&activity, host, metric, "2026-03-01");
            assert!(matches!(told, Told::Value(value) if value > 0.0), "{host} {metric:?}: {told:?}");
        }
    }
    let calls: Vec<_> = account.calls().into_iter().filter(|c| c.operation == "GetMetricData").collect();
    assert_eq!(calls.iter().map(|c| (c.failure, c.count)).collect::<Vec<_>>(), [(None, 120)]);
}

/// A full call asks for 45,000 points, half of what AWS gives out in a second.
#[tokio::test]
async fn at_our_own_rate_cloudwatch_throttles_nobody() {
    let world = World::new().await;
    world.fleet(668);
    world.aws.enforce_rates(true);
    let account = reader(AccountSettings { limits: Limits::default(), ..world.settings() }).await;
    let began = Instant::now();
    let activity = read(&account, &three()).await;
    complete(&activity.hosts);
    assert!(
        began.elapsed() >= Duration::from_millis(3_500),
        "5 calls at one a second: {:?}",
        began.elapsed()
    );
    let calls: Vec<_> = account.calls().into_iter().filter(|c| c.operation == "GetMetricData").collect();
    assert_eq!(calls.iter().map(|c| (c.failure, c.count)).collect::<Vec<_>>(), [(None, 5)]);
    let left = account.allowances().into_iter().find(|left| left.operation == "GetMetricData");
    assert_eq!(left.map(|left| left.per_second), Some(1));
}

#[tokio::test]
async fn an_answer_in_pages_tells_the_same() {
    let world = World::new().await;
    for host in world.fleet(40).iter().skip(20) {
        world.truth().set_load(host, at("2026-02-03T00:00:00Z"), None).unwrap();
    }
    let subjects = subjects(&world.reader().await).await;
    let whole =
        world.reader().await.read_activity(&region(), &wanted(&subjects, &three()), window(), now()).await;
    complete(&whole.hosts);
    world.aws.set_habits(Habits { unstable_order: true, short_pages: true });
    for _ in 0..3 {
        let activity = world
            .reader()
            .await
            .read_activity(&region(), &wanted(&subjects, &three()), window(), now())
            .await;
        complete(&activity.hosts);
        assert_eq!(activity.hosts.seen, whole.hosts.seen);
    }
    assert!(world.asked("GetMetricData") > 6, "AWS may cut an answer wherever it likes");
}
