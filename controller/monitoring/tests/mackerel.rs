//! Mackerel's traps, one by one, against a Mackerel that has them all.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use common::{KEY, World};
use jiff::SignedDuration;
use rollcall_engine::ids::{CheckName, RegistrationId};
use rollcall_engine::reading::{Extent, Failure, FailureKind, Reading};
use rollcall_engine::registry::RegistrationStatus::{Maintenance, Poweroff, Standby, Working};
use rollcall_engine::registry::{OfService, Scope, Url, Watches};
use rollcall_fakes::faults::{Fault, Rule};
use rollcall_fakes::mackerel::{CheckIds, CheckStatus, ErrorShape, HostParam, HostStatus, Point, Rights};
use rollcall_monitoring::mackerel::{ApiKey, KeySource, RawMonitor};
use rollcall_monitoring::{Depth, RegistrySource};
use serde_json::json;

fn is_complete<T>(reading: &Reading<T>) -> bool {
    matches!(reading.extent, Extent::Complete { .. })
}

fn names(reading: &Reading<Vec<CheckName>>) -> Vec<&str> {
    reading.seen.iter().map(CheckName::as_str).collect()
}

fn why<T>(reading: &Reading<T>) -> FailureKind {
    match &reading.extent {
        Extent::Complete { .. } => panic!("{} is complete", reading.source),
        Extent::Partial { missing, .. } => missing[0].why.kind,
        Extent::Failed { why, .. } => why.kind,
    }
}

/// Trap 1: a PUT of a host can delete its checks and cut its link to AWS. This issue writes nothing, anywhere.
#[tokio::test]
async fn nothing_but_get_is_ever_sent() {
    let mut world = World::with_fleet(3, &["check-disk"]).await;
    for _ in 0..3 {
        world.read().await;
        world.pass(SignedDuration::from_hours(1));
    }
    let calls = world.fake.stage.calls.counts();
    assert!(calls.len() >= 6, "all kinds of calls were made: {calls:?}");
    assert!(calls.iter().all(|c| c.call.operation.starts_with("GET /api/v0/")), "{calls:?}");
}

/// Trap 2: by default the list hides maintenance and power-off, the very hosts to clean up.
#[tokio::test]
async fn hosts_of_all_four_statuses_are_listed() {
    let mut world = World::with_fleet(5, &[]).await;
    let ids: Vec<_> = world.org.truth().hosts().map(|h| h.id.clone()).collect();
    world.org.edit(|truth| {
        for (id, status) in ids.iter().zip([
            HostStatus::Working,
            HostStatus::Standby,
            HostStatus::Maintenance,
            HostStatus::Poweroff,
        ]) {
            truth.set_status(id, status).unwrap();
        }
    });
    let registry = world.read().await;
    assert!(is_complete(&registry.hosts));
    let seen: BTreeMap<_, _> = registry.hosts.seen.iter().map(|h| (h.id.as_str(), h.status)).collect();
    assert_eq!(
        ids.iter().map(|id| seen[id.as_str()]).collect::<Vec<_>>(),
        [Working, Standby, Maintenance, Poweroff, Working]
    );
}

/// Trap 3: mackerenai took 403, 404, 429 and 500 for "no metrics" and retired the hosts.
#[tokio::test]
async fn an_error_of_the_metrics_is_not_silence() {
    for status in [400, 403, 404, 429, 500] {
        let mut world = World::with_fleet(2, &[]).await;
        world
            .fake
            .stage
            .faults
            .add(Rule::new("mackerel", "GET /api/v0/tsdb/latest", Fault::Status { status, body: None }))
            .unwrap();
        let registry = world.read().await;
        assert!(matches!(registry.last_metric.extent, Extent::Failed { .. }), "{status}");
        assert!(is_complete(&registry.hosts), "{status}");
    }
}

/// Trap 3: the other published failure: part of the world was looked at, and the rest was called missing.
#[tokio::test]
async fn part_of_the_metrics_is_not_all() {
    let mut world = World::with_fleet(250, &[]).await;
    let down = Fault::Status { status: 500, body: None };
    world.fake.stage.faults.add(Rule::new("mackerel", "GET /api/v0/tsdb/latest", down).after(2)).unwrap();
    let registry = world.read().await;
    assert!(matches!(registry.last_metric.extent, Extent::Partial { .. }));
    assert_eq!(registry.last_metric.seen.len(), 200, "what was told is known");
}

/// Trap 4: a retired host never comes back, and must not be listed even where a server does.
#[tokio::test]
async fn a_retired_host_is_no_registration() {
    let mut world = World::with_fleet(2, &[]).await;
    let id = world.org.truth().hosts().next().unwrap().id.clone();
    world.org.edit(|truth| truth.distort_host(&id, "isRetired", Some(json!(true)))).unwrap();
    let registry = world.read().await;
    assert!(registry.hosts.seen.iter().all(|h| h.id.as_str() != id));
    assert_eq!(registry.hosts.seen.len(), 1);
}

/// Trap 5: the agent adds the roles of its configuration every hour: what was taken away by hand is back.
#[tokio::test]
async fn a_role_that_the_agent_adds_again_is_seen_again() {
    let mut world = World::with_fleet(1, &[]).await;
    let id = world.org.truth().hosts().next().unwrap().id.clone();
    let app = Scope { service: "Backlog".into(), role: Some("app".into()) };
    world.org.edit(|truth| truth.set_roles(&id, &[])).unwrap();
    assert_eq!(world.read().await.hosts.seen[0].roles, []);
    world.pass(SignedDuration::from_mins(61));
    assert_eq!(world.read().await.hosts.seen[0].roles, [app]);
}

/// Trap 6: other clients stop at the first monitor of a type they do not know, or drop its fields.
#[tokio::test]
async fn a_monitor_of_tomorrow_is_one_of_the_list_and_keeps_its_fields() {
    let mut world = World::new().await;
    let odd = json!({"type": "tomorrow", "name": "a", "depth": {"of": [1, null]}, "dualstack": "ipv6"});
    world.org.edit(|truth| {
        truth.plant_monitor(odd.as_object().unwrap().clone());
        truth
            .add_monitor(
                json!({"type": "external", "name": "z", "url": "https://example.com", "dualstack": "ipv6"}),
            )
            .unwrap();
    });
    let registry = world.read().await;
    assert!(is_complete(&registry.monitors));
    let kinds: Vec<_> = registry.monitors.seen.iter().map(|m| m.watches.clone()).collect();
    let external =
        Watches::External { url: Url::parse("https://example.com").unwrap(), service: OfService::None };
    assert_eq!(kinds, [Watches::Connectivity, external, Watches::Other("tomorrow".into())]);

    let client = common::client(&world.server.url(), common::fast(), common::hasty());
    let kept = client.with(ApiKey::new(KEY).unwrap()).monitors().await.unwrap();
    let truth = world.org.truth();
    assert_eq!(kept.iter().map(RawMonitor::as_json).collect::<Vec<_>>(), truth.monitors());
}

/// Trap 7: an unchanged OK check is not sent again. A check is there as long as the host has it, whatever it last said.
#[tokio::test]
async fn a_check_that_was_last_heard_days_ago_or_is_red_is_still_there() {
    let mut world = World::with_fleet(1, &["check-disk", "check-ntp"]).await;
    let id = world.org.truth().hosts().next().unwrap().id.clone();
    world.org.edit(|truth| truth.check_turns(&id, "check-ntp", CheckStatus::Critical, "down")).unwrap();
    world.pass(SignedDuration::from_hours(24 * 5));
    let registry = world.read().await;
    let reading = &registry.checks.by_host()[&RegistrationId::new(&id)];
    assert!(is_complete(reading));
    assert_eq!(names(reading), ["check-disk", "check-ntp"]);
}

/// The documentation does not say whether hosts share the id of a check: joined by id, both ways give the names.
#[tokio::test]
async fn checks_are_joined_by_id_whether_ids_are_shared_or_not() {
    for ids in [CheckIds::PerName, CheckIds::PerHost] {
        let mut world = World::new().await;
        world.org.edit(|truth| truth.policy.check_ids = ids);
        (0..60).for_each(|n| drop(world.add_host(n, &["check-disk", "check-ntp"])));
        let registry = world.read().await;
        assert_eq!(registry.checks.by_host().len(), 60);
        for reading in registry.checks.by_host().values() {
            assert!(is_complete(reading), "{ids:?}: {:?}", reading.extent);
            assert_eq!(names(reading), ["check-disk", "check-ntp"], "{ids:?}");
        }
        let pages = if ids == CheckIds::PerHost { 2 } else { 1 };
        assert_eq!(world.calls("GET /api/v0/monitoring/checks"), pages, "{ids:?}: 100 a page");
    }
}

/// Servers before July 2026 cannot name checks: unverifiable, for every host, and never missing.
#[tokio::test]
async fn an_old_server_makes_checks_unverifiable() {
    let mut world = World::with_fleet(3, &["check-disk"]).await;
    world.org.edit(|truth| truth.policy.checks_api = false);
    for _ in 0..5 {
        let registry = world.read().await;
        assert_eq!(registry.checks.by_host().len(), 3);
        assert!(registry.checks.by_host().values().all(|r| why(r) == FailureKind::NotSupported));
        assert!(is_complete(&registry.hosts) && is_complete(&registry.monitors));
        world.pass(SignedDuration::from_mins(10));
    }
    assert_eq!(world.calls("GET /api/v0/hosts/{id}/monitored-statuses"), 0, "nothing is asked in vain");
    assert_eq!(world.calls("GET /api/v0/monitoring/checks"), 1, "and the server once an hour");
    world.org.edit(|truth| truth.policy.checks_api = true);
    world.pass(SignedDuration::from_mins(60));
    assert!(world.read().await.checks.by_host().values().all(is_complete), "until it is updated");
}

/// A check that the directory does not name yet may be the one that is required.
#[tokio::test]
async fn a_check_without_a_name_makes_its_hosts_reading_partial_until_it_has_one() {
    let mut world = World::with_fleet(1, &["check-disk"]).await;
    world.read().await;
    let id = RegistrationId::new(&world.org.truth().hosts().next().unwrap().id);
    // New in the organisation, after the directory was read.
    world.org.edit(|truth| truth.check_turns(id.as_str(), "check-new", CheckStatus::Ok, "")).unwrap();
    world.pass(SignedDuration::from_mins(5));
    assert_eq!(
        names(&world.read().await.checks.by_host()[&id]),
        ["check-disk"],
        "asked ten minutes ago at the earliest"
    );
    world.pass(SignedDuration::from_mins(5));
    let registry = world.read().await;
    assert_eq!(why(&registry.checks.by_host()[&id]), FailureKind::Malformed);
    assert_eq!(names(&registry.checks.by_host()[&id]), ["check-disk"]);
    world.pass(SignedDuration::from_mins(10));
    let registry = world.read().await;
    assert!(is_complete(&registry.checks.by_host()[&id]));
    assert_eq!(names(&registry.checks.by_host()[&id]), ["check-disk", "check-new"]);
}

#[tokio::test]
async fn a_check_that_is_taken_from_an_agent_leaves() {
    let mut world = World::with_fleet(1, &["check-disk", "check-ntp"]).await;
    world.read().await;
    let host = world.org.truth().hosts().next().unwrap().id.clone();
    world
        .org
        .edit(|truth| truth.put_host(&host, &HostParam::ec2("app-0", "i-0").checks(&["check-disk"])))
        .unwrap();
    world.pass(SignedDuration::from_mins(10));
    let registry = world.read().await;
    assert_eq!(names(&registry.checks.by_host()[&RegistrationId::new(&host)]), ["check-disk"]);
}

/// The join key's case differs between agents, integrations and people.
#[tokio::test]
async fn custom_identifiers_are_told_in_lower_case() {
    let mut world = World::new().await;
    let param = HostParam::named("db").custom_identifier("Main-DB.abc.ap-northeast-1.RDS.amazonaws.com");
    world.org.edit(|truth| truth.add_host(&param)).unwrap();
    let seen = world.read().await.hosts.seen;
    assert_eq!(seen[0].custom_identifier.as_deref(), Some("main-db.abc.ap-northeast-1.rds.amazonaws.com"));
}

/// Other clients lose the whole list to one odd host.
#[tokio::test]
async fn one_odd_host_never_fails_the_list() {
    for (field, value, harmless) in [
        ("size", None, true),
        ("size", Some(json!("gigantic")), true),
        ("interfaces", Some(json!([{"ipv4Addresses": ["999.1.1.1"]}])), true),
        ("meta", Some(json!([])), true),
        ("status", Some(json!("hibernating")), true),
        ("name", Some(json!(null)), false),
        ("roles", None, false),
        ("customIdentifier", Some(json!(7)), false),
    ] {
        let mut world = World::with_fleet(3, &[]).await;
        let id = world.org.truth().hosts().nth(1).unwrap().id.clone();
        world.org.edit(|truth| truth.distort_host(&id, field, value.clone())).unwrap();
        let hosts = world.read().await.hosts;
        assert_eq!(hosts.seen.len(), 3, "{field} {value:?}");
        assert_eq!(is_complete(&hosts), harmless, "{field} {value:?}: {:?}", hosts.extent);
    }
}

#[tokio::test]
async fn last_metrics_come_from_agents_and_integrations_and_are_absent_where_there_are_none() {
    let mut world = World::with_fleet(1, &[]).await;
    let now = world.now().as_second();
    let metric = |name: &str, metric: &str, ago: i64| {
        world.org.edit(|truth| {
            let id = truth.add_host(&HostParam::named(name)).unwrap();
            truth.post_metric(&id, metric, Point { time: now - ago, value: 1.0 }).unwrap();
            RegistrationId::new(id)
        })
    };
    let integration = metric("by-integration", "custom.ec2.cpu.used", 300);
    let database = metric("database", "custom.rds.cpu.used", 240);
    let windows = metric("windows", "cpu.user.percentage", 60);
    let plugin = metric("only-a-plugin", "custom.foo.bar", 0);
    let registry = world.read().await;
    assert!(is_complete(&registry.last_metric));
    let ago = |id: &RegistrationId| registry.last_metric.seen.get(id).map(|t| now - t.as_second());
    assert_eq!(
        [ago(&integration), ago(&database), ago(&windows), ago(&plugin)],
        [Some(300), Some(240), Some(60), None]
    );
    assert_eq!(registry.last_metric.seen.len(), 4);
}

/// Whoever fails since noon is said to fail since noon, until something succeeds in between.
#[tokio::test]
async fn a_failure_keeps_its_beginning() {
    let mut world = World::with_fleet(1, &[]).await;
    let begun = world.now();
    let rule =
        world.fake.stage.faults.add(Rule::new("mackerel", "GET /api/v0/monitors", Fault::Denied)).unwrap();
    for minutes in [0, 7, 60] {
        world.pass(SignedDuration::from_mins(minutes));
        let Extent::Failed { since, why } = world.read().await.monitors.extent else { panic!() };
        assert_eq!((since, why.kind), (begun, FailureKind::Denied));
    }
    world.fake.stage.faults.clear();
    let _ = rule;
    assert!(is_complete(&world.read().await.monitors));
    world.fake.stage.faults.add(Rule::new("mackerel", "GET /api/v0/monitors", Fault::Denied)).unwrap();
    world.pass(SignedDuration::from_mins(1));
    let Extent::Failed { since, .. } = world.read().await.monitors.extent else { panic!() };
    assert_eq!(since, world.now());
}

/// A key from a place where it can change, or be missing.
struct Safe(Mutex<Result<ApiKey, Failure>>);

#[async_trait]
impl KeySource for Safe {
    async fn key(&self) -> Result<ApiKey, Failure> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_rotated_key_needs_no_restart_and_costs_no_knowledge() {
    let world = World::with_fleet(2, &["check-disk"]).await;
    let safe = Arc::new(Safe(Mutex::new(ApiKey::new(KEY))));
    let mut source = common::source_with(&world.server.url(), safe.clone(), 1_000);
    assert!(source.read(world.now(), Depth::Hosts).await.checks.by_host().values().all(is_complete));

    world.fake.revoke_key(KEY);
    world.pass(SignedDuration::from_mins(1));
    let registry = source.read(world.now(), Depth::Hosts).await;
    let Extent::Failed { why, .. } = &registry.hosts.extent else { panic!() };
    assert_eq!(why.kind, FailureKind::Denied);
    assert!(why.message.contains("IP allow list"), "{}", why.message);

    let missing = Failure::new(FailureKind::Misconfigured, "Secret mackerel has no key apiKey");
    *safe.0.lock().unwrap() = Err(missing.clone());
    world.pass(SignedDuration::from_mins(1));
    let registry = source.read(world.now(), Depth::Hosts).await;
    assert!(
        matches!(&registry.hosts.extent, Extent::Failed { why, since } if *why == missing && *since < world.now())
    );
    assert!(registry.checks.by_host().values().all(is_complete), "names of checks stand for a day");

    world.fake.add_key("acme", "another", Rights::Read);
    *safe.0.lock().unwrap() = ApiKey::new("another");
    let registry = source.read(world.now(), Depth::Hosts).await;
    assert!(
        is_complete(&registry.hosts) && is_complete(&registry.last_metric),
        "a key that may only read is enough"
    );
}

#[tokio::test]
async fn a_key_that_may_only_write_is_denied_everything() {
    let world = World::with_fleet(1, &[]).await;
    world.fake.add_key("acme", "writer", Rights::Write);
    for shape in [ErrorShape::Object, ErrorShape::Text] {
        world.org.edit(|truth| truth.policy.error_shape = shape);
        let mut source =
            common::source_with(&world.server.url(), Arc::new(ApiKey::new("writer").unwrap()), 60);
        let registry = source.read(world.now(), Depth::Hosts).await;
        let Extent::Failed { why, .. } = &registry.hosts.extent else { panic!() };
        assert_eq!(why.kind, FailureKind::Denied);
        assert!(why.message.contains("doesn't have the required permission"), "{shape:?}: {}", why.message);
        assert_eq!(self::why(&registry.last_metric), FailureKind::Denied, "not an empty list of nobody");
    }
}

/// Whose hosts these are is asked in every poll, with the key of that poll: another organisation's list is as
/// well-formed as ours, and none of our hosts is on it.
#[tokio::test]
async fn every_poll_says_whose_hosts_these_are() {
    let mut world = World::with_fleet(2, &[]).await;
    let told = |registry: &rollcall_engine::registry::Registry| registry.organization.clone().unwrap();
    let reading = told(&world.read().await);
    assert!(is_complete(&reading));
    assert_eq!(reading.seen, world.org.truth().name);
    drop(world.fake.org("another"));
    world.fake.add_key("another", common::KEY, Rights::Read);
    world.pass(SignedDuration::from_mins(5));
    assert_eq!(told(&world.read().await).seen, "another");
    world.fake.stage.faults.add(Rule::new("mackerel", "GET /api/v0/org", Fault::Denied)).unwrap();
    world.pass(SignedDuration::from_mins(5));
    assert_eq!(why(&told(&world.read().await)), FailureKind::Denied);
}

#[tokio::test]
async fn the_organisation_behind_a_key() {
    let world = World::new().await;
    let client = common::client(&world.server.url(), common::fast(), common::hasty());
    let org = client.with(ApiKey::new(KEY).unwrap()).org().await.unwrap();
    assert_eq!((org.name.as_str(), org.display_name), ("acme", None));
    let denied = client.with(ApiKey::new("wrong").unwrap()).org().await.unwrap_err();
    assert_eq!(denied.kind, FailureKind::Denied);
}
