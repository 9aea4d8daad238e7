//! How many calls it takes, and in which order hosts are asked.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::World;
use jiff::{SignedDuration, Timestamp};
use rollcall_engine::ids::RegistrationId;
use rollcall_engine::reading::{Extent, FailureKind};
use rollcall_fakes::faults::{Fault, Rule};
use rollcall_fakes::mackerel::HostParam;
use rollcall_monitoring::http::{Pace, Patience};
use rollcall_monitoring::mackerel::{ApiKey, CHECK_CALLS_PER_MINUTE, CheckReader, MackerelSource};
use rollcall_monitoring::{Depth, RegistrySource};

const STATUSES: &str = "GET /api/v0/hosts/{id}/monitored-statuses";

fn at_pace(world: &World, calls_per_minute: u32) -> MackerelSource {
    let key = Arc::new(ApiKey::new(common::KEY).unwrap());
    common::source_with(&world.server.url(), key, calls_per_minute)
}

/// The whole fleet of a platform: what one poll costs. Mackerel has no smaller way to ask.
#[tokio::test]
async fn twenty_thousand_hosts_are_two_hundred_and_sixty_six_calls_a_poll() {
    let mut world = World::new().await;
    world.org.edit(|truth| {
        for n in 0..20_000 {
            truth.add_host(&HostParam::ec2(&format!("app-{n}"), &format!("i-{n:017x}"))).unwrap();
        }
    });
    // The fake takes its time to write them down in a debug build.
    let client = common::client(&world.server.url(), common::fast(), Patience::default());
    let key = Arc::new(ApiKey::new(common::KEY).unwrap());
    world.source = MackerelSource::new(client, key, CheckReader::new(CHECK_CALLS_PER_MINUTE));
    let registry = world.read().await;
    assert_eq!(registry.hosts.seen.len(), 20_000, "{:?}", registry.hosts.extent);
    let calls = |operation: &str| world.calls(operation);
    assert_eq!(
        [
            calls("GET /api/v0/org"),
            calls("GET /api/v0/hosts"),
            calls("GET /api/v0/services"),
            calls("GET /api/v0/monitors"),
            calls("GET /api/v0/notification-groups"),
            calls("GET /api/v0/channels"),
            calls("GET /api/v0/tsdb/latest")
        ],
        [1, 1, 1, 1, 1, 1, 200]
    );
    assert_eq!(
        calls("GET /api/v0/monitoring/checks") + calls(STATUSES),
        60,
        "a call a second, by the minute"
    );
    let total: u64 = world.fake.stage.calls.counts().iter().map(|c| c.count).sum();
    assert_eq!(total, 266);
}

/// A replica that only stands by spends no call on single hosts, and tells what it knows of them.
#[tokio::test]
async fn a_standby_asks_for_no_host() {
    let mut world = World::with_fleet(5, &["check-disk"]).await;
    let now = world.now();
    let registry = world.source.read(now, Depth::Listings).await;
    assert_eq!((registry.hosts.seen.len(), registry.checks.by_host().len()), (5, 0));
    assert_eq!(world.calls(STATUSES) + world.calls("GET /api/v0/monitoring/checks"), 0);
    assert_eq!(world.read().await.checks.by_host().len(), 5);
    let asked = world.calls(STATUSES);
    let registry = world.source.read(now, Depth::Listings).await;
    assert_eq!((registry.checks.by_host().len(), world.calls(STATUSES)), (5, asked));
}

#[tokio::test]
async fn hosts_are_asked_a_few_a_minute_until_each_was() {
    let mut world = World::with_fleet(50, &["check-disk"]).await;
    world.source = at_pace(&world, 20);
    let mut known = vec![];
    for _ in 0..4 {
        known.push(world.read().await.checks.by_host().len());
        world.pass(SignedDuration::from_mins(1));
    }
    assert_eq!(known, [19, 39, 50, 50], "one of the first twenty calls is for the directory");
    assert_eq!(world.calls(STATUSES), 50, "and then they rest for ten minutes");
    world.pass(SignedDuration::from_mins(10));
    world.read().await;
    assert!(world.calls(STATUSES) > 50);
}

/// Whoever holds an earlier proof of a host must not hold it for ever because our calls do not suffice.
#[tokio::test]
async fn a_host_that_is_not_reached_within_a_day_says_so() {
    let mut world = World::with_fleet(50, &["check-disk"]).await;
    world.source = at_pace(&world, 1);
    let unreached = |registry: &rollcall_engine::registry::Registry| {
        let extents = registry.checks.by_host().values().map(|reading| &reading.extent);
        extents
            .filter(|e| matches!(e, Extent::Failed { why, .. } if why.kind == FailureKind::Throttled))
            .count()
    };
    assert_eq!(unreached(&world.read().await), 0);
    world.pass(SignedDuration::from_hours(25));
    let registry = world.read().await;
    assert_eq!(registry.checks.by_host().len(), 50);
    assert!(unreached(&registry) >= 35, "{}", unreached(&registry));
}

#[tokio::test]
async fn a_new_host_is_asked_before_all_that_wait() {
    let mut world = World::with_fleet(50, &["check-disk"]).await;
    world.source = at_pace(&world, 10);
    world.read().await;
    let new = RegistrationId::new(world.add_host(99, &["check-disk"]));
    world.pass(SignedDuration::from_secs(6));
    let registry = world.read().await;
    assert_eq!(registry.checks.by_host().len(), 10, "one call was affordable");
    assert!(registry.checks.by_host().contains_key(&new));
}

/// Of hosts that were asked, the one asked longest ago is next.
#[tokio::test]
async fn the_oldest_answer_is_renewed_first() {
    let mut world = World::with_fleet(6, &["check-disk"]).await;
    world.source = at_pace(&world, 3);
    let mut order: Vec<Vec<(RegistrationId, Timestamp)>> = vec![];
    for _ in 0..12 {
        let registry = world.read().await;
        order.push(registry.checks.by_host().iter().map(|(id, r)| (id.clone(), r.at().unwrap())).collect());
        world.pass(SignedDuration::from_mins(5));
    }
    let oldest = order.last().unwrap().iter().map(|(_, at)| *at).min().unwrap();
    assert!(world.now().duration_since(oldest) <= SignedDuration::from_mins(25), "nobody is forgotten");
}

/// A proof stands for a day while it cannot be renewed, and no longer.
#[tokio::test]
async fn a_proof_is_held_for_a_day() {
    let mut world = World::with_fleet(2, &["check-disk"]).await;
    world.read().await;
    let begun = world.now();
    world.fake.stage.faults.add(Rule::new("mackerel", STATUSES, Fault::Denied)).unwrap();
    for (hours, held) in [(1, true), (23, true), (24, true), (25, false)] {
        world.fake.stage.clock.set(begun + SignedDuration::from_hours(hours));
        for (id, reading) in world.read().await.checks.by_host() {
            match &reading.extent {
                Extent::Complete { at } => assert!(held && *at == begun, "{id} after {hours} h"),
                Extent::Failed { why, since } => {
                    assert!(!held && why.kind == FailureKind::Denied, "{id} after {hours} h");
                    assert_eq!(*since, begun + SignedDuration::from_hours(1), "since it first failed");
                }
                Extent::Partial { .. } => panic!("{reading:?}"),
            }
        }
    }
}

/// An answer without any status is not believed against what was told before, until that is a day old: a host may have lost
/// all its checks.
#[tokio::test]
async fn an_emptied_answer_is_believed_when_what_it_contradicts_is_too_old() {
    let mut world = World::with_fleet(1, &["check-disk"]).await;
    world.read().await;
    let begun = world.now();
    world.fake.stage.faults.add(Rule::new("mackerel", STATUSES, Fault::EmptyAnswer)).unwrap();
    for (hours, names) in [(1, 1), (24, 1), (25, 0)] {
        world.fake.stage.clock.set(begun + SignedDuration::from_hours(hours));
        let registry = world.read().await;
        let reading = registry.checks.by_host().values().next().unwrap();
        assert!(matches!(reading.extent, Extent::Complete { .. }), "after {hours} h: {:?}", reading.extent);
        assert_eq!(reading.seen.len(), names, "after {hours} h");
    }
}

/// When it fails for one host after the other, the round ends: the next poll will see.
#[tokio::test]
async fn a_round_is_given_up_when_every_host_fails() {
    let mut world = World::with_fleet(50, &["check-disk"]).await;
    world
        .fake
        .stage
        .faults
        .add(Rule::new("mackerel", STATUSES, Fault::Status { status: 404, body: None }).times(1))
        .unwrap();
    world.fake.stage.faults.add(Rule::new("mackerel", STATUSES, Fault::Denied)).unwrap();
    world.read().await;
    assert!(world.calls(STATUSES) <= 4, "{}", world.calls(STATUSES));
}

/// The same for metrics: one call after the other would each wait for its patience to end.
#[tokio::test]
async fn metrics_are_given_up_at_the_first_failure() {
    let mut world = World::with_fleet(2_000, &[]).await;
    world.fake.stage.faults.add(Rule::new("mackerel", "GET /api/v0/tsdb/latest", Fault::Denied)).unwrap();
    world.read().await;
    assert!(world.calls("GET /api/v0/tsdb/latest") <= 4, "only those that were under way");
}

/// The bucket is ours, and holds against our own haste.
#[tokio::test]
async fn calls_are_paced() {
    let world = World::with_fleet(20, &["check-disk"]).await;
    let of = |n| NonZeroU32::new(n).unwrap();
    let client =
        common::client(&world.server.url(), Pace { per_second: of(20), burst: of(5) }, common::hasty());
    let mut source =
        MackerelSource::new(client, Arc::new(ApiKey::new(common::KEY).unwrap()), CheckReader::new(1_000));
    let begun = Instant::now();
    source.read(world.now(), Depth::Hosts).await;
    let calls: u64 = world.fake.stage.calls.counts().iter().map(|c| c.count).sum();
    assert_eq!(calls, 28);
    assert!(
        begun.elapsed() >= Duration::from_millis(900),
        "5 at once and 23 in a second: {:?}",
        begun.elapsed()
    );
}
