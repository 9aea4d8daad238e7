//! Throttle, cut, empty, repeat or garble any of Mackerel's answers: nothing that is there is told to be absent, the other
//! listings are read as ever, and the next good answer heals it.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeSet;

use common::World;
use jiff::SignedDuration;
use rollcall_engine::reading::{Extent, FailureKind, Reading};
use rollcall_engine::registry::Registry;
use rollcall_fakes::faults::{Fault, Rule};
use rollcall_fakes::mackerel::{HostParam, Truth};
use rollcall_monitoring::RegistrySource as _;
use serde_json::json;

const HOSTS: &str = "GET /api/v0/hosts";
const SERVICES: &str = "GET /api/v0/services";
const MONITORS: &str = "GET /api/v0/monitors";
const CHECKS: &str = "GET /api/v0/monitoring/checks";
const STATUSES: &str = "GET /api/v0/hosts/{id}/monitored-statuses";
const LATEST: &str = "GET /api/v0/tsdb/latest";

fn is_complete<T>(reading: &Reading<T>) -> bool {
    matches!(reading.extent, Extent::Complete { .. })
}

/// Everything that exists and that a complete reading denies.
fn denied(registry: &Registry, truth: &Truth) -> Vec<String> {
    let mut denied = vec![];
    let hosts: BTreeSet<_> = registry.hosts.seen.iter().map(|h| h.id.as_str()).collect();
    let monitors: BTreeSet<_> = registry.monitors.seen.iter().map(|m| m.id.as_str()).collect();
    for host in truth.hosts().filter(|h| !h.is_retired()) {
        let id = host.id.as_str();
        if is_complete(&registry.hosts) && !hosts.contains(id) {
            denied.push(format!("host {id}"));
        }
        let heard = registry.last_metric.seen.keys().any(|k| k.as_str() == id);
        if is_complete(&registry.last_metric) && !heard && !host.metric_names(truth.now()).is_empty() {
            denied.push(format!("metrics of {id}"));
        }
        if let Some((_, reading)) =
            registry.checks.by_host().iter().find(|(k, r)| k.as_str() == id && is_complete(r))
        {
            let missing = host.checks.iter().filter(|c| !reading.seen.iter().any(|n| n.as_str() == &*c.name));
            denied.extend(missing.map(|c| format!("{} of {id}", c.name)));
        }
    }
    for monitor in truth.monitors() {
        let id = monitor["id"].as_str().unwrap();
        if is_complete(&registry.monitors) && !monitors.contains(id) {
            denied.push(format!("monitor {id}"));
        }
    }
    if is_complete(&registry.services) && !registry.services.seen.contains_key("Backlog") {
        denied.push("service Backlog".to_owned());
    }
    denied
}

fn completeness(registry: &Registry) -> [(&'static str, bool); 5] {
    [
        (HOSTS, is_complete(&registry.hosts)),
        (SERVICES, is_complete(&registry.services)),
        (MONITORS, is_complete(&registry.monitors)),
        (LATEST, is_complete(&registry.last_metric)),
        (
            STATUSES,
            !registry.checks.by_host().is_empty() && registry.checks.by_host().values().all(is_complete),
        ),
    ]
}

fn all_faults() -> Vec<Fault> {
    let mut faults = vec![
        Fault::Throttle { burst: 0.0, refill_per_second: 0.0, pace: rollcall_fakes::faults::Pace::Machine },
        Fault::EmptyAnswer,
        Fault::RepeatPage,
        Fault::SkipPage,
        Fault::DropItems { items: 1 },
        Fault::DropItems { items: 2 },
        Fault::ReorderItems { seed: 7 },
        Fault::Denied,
        Fault::Garbage { body: None },
        Fault::Garbage { body: Some("{}".into()) },
        Fault::Garbage { body: Some("[]".into()) },
        Fault::Garbage { body: Some("null".into()) },
        Fault::Garbage { body: Some(String::new()) },
    ];
    faults.extend([0, 1, 10, 12, 60, 300].map(|after_bytes| Fault::CutConnection { after_bytes }));
    faults.extend(
        [204, 301, 400, 401, 402, 404, 408, 418, 429, 500, 502, 503]
            .map(|status| Fault::Status { status, body: None }),
    );
    faults.extend([404, 403].map(|status| Fault::Status { status, body: Some("<html>no</html>".into()) }));
    faults
}

async fn world(hosts: usize, checks: &[&str]) -> World {
    let world = World::with_fleet(hosts, checks).await;
    let disk = json!({"type": "host", "name": "disk", "metric": "disk%", "operator": ">", "warning": 80, "critical": 90,
        "duration": 3, "scopes": ["Backlog: app"]});
    let login = json!({"type": "external", "name": "login", "url": "https://example.com/"});
    world.org.edit(|truth| {
        truth.add_monitor(disk).unwrap();
        truth.add_monitor(login).unwrap();
    });
    world
}

const CHECKS_RUN: [&str; 2] = ["check-disk", "check-ntp"];

async fn one_listing_fails(operation: &'static str, faults: Vec<Fault>) {
    for fault in faults {
        let mut world = world(4, &CHECKS_RUN).await;
        strikes(&mut world, operation, fault).await;
    }
}

async fn strikes(world: &mut World, operation: &str, fault: Fault) {
    // Names of checks are read again after their rest; all else at every poll.
    let healthy = world.read().await;
    assert!(completeness(&healthy).iter().all(|(_, whole)| *whole), "{:#?}", completeness(&healthy));

    world.fake.stage.faults.add(Rule::new("mackerel", operation, fault.clone())).unwrap();
    for hours in [1, 2, 12] {
        world.pass(SignedDuration::from_hours(hours));
        let registry = world.read().await;
        let denied = denied(&registry, &world.org.truth());
        assert!(denied.is_empty(), "{operation} {fault:?} after {hours} h denies {denied:?}");
        for (listing, whole) in completeness(&registry) {
            assert!(
                whole || listing == operation || operation == CHECKS,
                "{operation} {fault:?} blinds {listing}"
            );
        }
    }
    world.fake.stage.faults.clear();
    world.pass(SignedDuration::from_hours(25));
    let healed = world.read().await;
    assert!(
        completeness(&healed).iter().all(|(_, whole)| *whole),
        "{operation} {fault:?} does not heal: {healed:#?}"
    );
    assert_eq!(denied(&healed, &world.org.truth()), [""; 0]);
}

#[tokio::test]
async fn hosts_fail() {
    one_listing_fails(HOSTS, all_faults()).await;
}

#[tokio::test]
async fn services_fail() {
    one_listing_fails(SERVICES, all_faults()).await;
}

#[tokio::test]
async fn monitors_fail() {
    one_listing_fails(MONITORS, all_faults()).await;
}

#[tokio::test]
async fn names_of_checks_fail() {
    one_listing_fails(CHECKS, all_faults()).await;
}

/// Not among them: a single host's answer that lost *some* of its checks. It is as well-formed as the answer for a host whose
/// agent was told to run fewer, and the API has no second place to ask. One that lost all of them is caught.
#[tokio::test]
async fn statuses_fail() {
    let mut faults = all_faults();
    faults.retain(|fault| !matches!(fault, Fault::DropItems { .. }));
    one_listing_fails(STATUSES, faults).await;
}

/// A directory of three pages, any of which may be lost, cut, repeated or left out.
#[tokio::test]
async fn names_of_checks_fail_on_several_pages() {
    let names: Vec<_> = (0..250).map(|n| format!("check-{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let lossy = [
        Fault::EmptyAnswer,
        Fault::RepeatPage,
        Fault::SkipPage,
        Fault::DropItems { items: 3 },
        Fault::Denied,
    ];
    for fault in lossy.into_iter().chain([Fault::CutConnection { after_bytes: 500 }]) {
        let mut world = world(2, &names).await;
        world.fake.stage.faults.add(Rule::new("mackerel", CHECKS, fault.clone()).after(1).times(1)).unwrap();
        let registry = world.read().await;
        assert_eq!(
            denied(&registry, &world.org.truth()),
            [""; 0],
            "{fault:?} in the middle of the first reading"
        );
        world.fake.stage.faults.clear();
        world.pass(SignedDuration::from_hours(25));
        strikes(&mut world, CHECKS, fault).await;
    }
}

/// The budget of a minute is not walked round in a circle.
#[tokio::test]
async fn pages_that_lead_back_are_left_at_once() {
    let mut world = world(2, &CHECKS_RUN).await;
    world.fake.stage.faults.add(Rule::new("mackerel", CHECKS, Fault::RepeatPage)).unwrap();
    let registry = world.read().await;
    assert!(
        registry
            .checks
            .by_host()
            .values()
            .all(|r| matches!(&r.extent, Extent::Failed { why, .. } if why.message.contains("twice")))
    );
    assert_eq!(world.calls(CHECKS), 2);
}

/// One empty answer does not forget what every host's checks are called.
#[tokio::test]
async fn names_survive_a_directory_that_lost_its_content() {
    let mut world = world(2, &CHECKS_RUN).await;
    world.read().await;
    world.fake.stage.faults.add(Rule::new("mackerel", CHECKS, Fault::EmptyAnswer)).unwrap();
    for _ in 0..3 {
        world.pass(SignedDuration::from_hours(7));
        assert!(world.read().await.checks.by_host().values().all(is_complete));
    }
    world.pass(SignedDuration::from_hours(7));
    assert!(
        world.read().await.checks.by_host().values().all(is_complete),
        "read again after a day, and empty"
    );
    assert_eq!(world.calls(CHECKS), 2);
}

#[tokio::test]
async fn metrics_fail() {
    one_listing_fails(LATEST, all_faults()).await;
}

/// Later than our time for one attempt.
#[tokio::test]
async fn every_answer_is_late() {
    let mut world = world(2, &CHECKS_RUN).await;
    world.fake.stage.faults.add(Rule::new("mackerel", "*", Fault::Latency { ms: 1_500 })).unwrap();
    let registry = world.read().await;
    let late =
        |extent: &Extent| matches!(extent, Extent::Failed { why, .. } if why.kind == FailureKind::TimedOut);
    assert!(late(&registry.hosts.extent) && late(&registry.monitors.extent), "{registry:#?}");
    assert!(
        late(&registry.last_metric.extent),
        "without hosts there is nothing to ask for, for the same reason"
    );
}

/// Whether an answer that was struck shows it by itself.
fn is_loud(fault: &Fault) -> bool {
    let silent = [Fault::EmptyAnswer, Fault::RepeatPage, Fault::SkipPage, Fault::ReorderItems { seed: 7 }];
    !silent.contains(fault) && !matches!(fault, Fault::DropItems { .. })
}

/// Nothing was read before, as after a start: an error is not an empty organisation.
#[tokio::test]
async fn everything_fails_from_the_beginning() {
    for fault in all_faults().into_iter().filter(is_loud) {
        let mut world = world(4, &CHECKS_RUN).await;
        world.fake.stage.faults.add(Rule::new("mackerel", "*", fault.clone())).unwrap();
        let registry = world.read().await;
        for (listing, whole) in completeness(&registry) {
            assert!(!whole, "{listing} is complete under {fault:?}");
        }
        assert!(registry.checks.by_host().values().all(|r| !is_complete(r)), "{fault:?}");
    }
}

/// An answer without its content, right after a restart: the registrations that the engine remembers say that it lies.
#[tokio::test]
async fn an_empty_list_after_a_restart_is_doubted_when_registrations_are_remembered() {
    let mut world = world(4, &CHECKS_RUN).await;
    let known = world.read().await.hosts.seen.into_iter().map(|h| h.id).collect();
    world.source = common::source(&world.server.url());
    world.source.remember(known);
    world.fake.stage.faults.add(Rule::new("mackerel", HOSTS, Fault::EmptyAnswer)).unwrap();
    let registry = world.read().await;
    assert!(matches!(registry.hosts.extent, Extent::Partial { .. }), "{:?}", registry.hosts.extent);
}

/// A list that lost its content, while nobody can be asked whether that is so: not Mackerel's "no" but any other answer.
#[tokio::test]
async fn what_vanished_is_gone_only_when_mackerel_says_so() {
    let html = Some("<html>nothing here</html>".to_owned());
    let deaf = [
        Fault::Status { status: 404, body: html },
        Fault::Status { status: 500, body: None },
        Fault::Denied,
        Fault::Garbage { body: None },
        Fault::Garbage { body: Some("{}".into()) },
    ];
    for fault in deaf {
        let mut world = world(4, &CHECKS_RUN).await;
        world.read().await;
        for (list, one) in [
            (HOSTS, "GET /api/v0/hosts/{id}"),
            (MONITORS, "GET /api/v0/monitors/{id}"),
            (SERVICES, "GET /api/v0/services/{service}/roles"),
        ] {
            world.fake.stage.faults.add(Rule::new("mackerel", list, Fault::EmptyAnswer)).unwrap();
            world.fake.stage.faults.add(Rule::new("mackerel", one, fault.clone())).unwrap();
        }
        let registry = world.read().await;
        assert_eq!(denied(&registry, &world.org.truth()), [""; 0], "{fault:?}");
    }
}

/// A host that is not listed although it has a status that we did not ask for: the filter knows four.
#[tokio::test]
async fn a_host_of_a_status_that_the_filter_does_not_know_is_not_gone() {
    let mut world = world(2, &CHECKS_RUN).await;
    world.read().await;
    world.fake.stage.faults.add(Rule::new("mackerel", HOSTS, Fault::DropItems { items: 1 })).unwrap();
    let registry = world.read().await;
    let Extent::Partial { missing, .. } = &registry.hosts.extent else { panic!() };
    assert!(missing[0].why.message.contains("which exists"), "{missing:?}");
}

#[tokio::test]
async fn hosts_that_are_really_retired_leave_at_the_next_poll() {
    let mut world = world(4, &CHECKS_RUN).await;
    let before = world.read().await;
    world.org.edit(|truth| before.hosts.seen.iter().for_each(|h| truth.retire(h.id.as_str()).unwrap()));
    let after = world.read().await;
    assert!(is_complete(&after.hosts) && after.hosts.seen.is_empty(), "{:?}", after.hosts.extent);
    assert!(
        after.checks.by_host().is_empty() && after.last_metric.seen.is_empty(),
        "and are forgotten everywhere"
    );
    assert!(world.calls("GET /api/v0/hosts/{id}") <= 5);
}

/// A poll that is told the world as it was misses what is new, and its time says when it was asked, not when that was true.
/// Nothing in an answer tells; what was seen before is not denied.
#[tokio::test]
async fn a_stale_answer_denies_nothing_that_was_seen() {
    let mut world = world(4, &CHECKS_RUN).await;
    world.pass(SignedDuration::from_mins(5));
    let new = world.org.edit(|truth| truth.add_host(&HostParam::named("new")).unwrap());
    world.pass(SignedDuration::from_mins(5));
    assert!(world.read().await.hosts.seen.iter().any(|h| h.id.as_str() == new));
    world.fake.stage.faults.add(Rule::new("mackerel", HOSTS, Fault::StaleRead { seconds: 600 })).unwrap();
    let registry = world.read().await;
    assert!(matches!(registry.hosts.extent, Extent::Partial { .. }), "{:?}", registry.hosts.extent);
}
