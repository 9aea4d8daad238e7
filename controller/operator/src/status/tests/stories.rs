//! What is written when, and what is not.

use rollcall_engine::memory::{Change, Happening};
use rollcall_engine::reading::FailureKind;

use super::*;

/// The law of the whole shell: what was told is not told again.
#[test]
fn after_the_writes_there_is_nothing_to_write() {
    let mut world = World::new();
    world.host("i-0a");
    world.host("i-0b").environment = None;
    world.jp1().registry_blind = vec![(key("mackerel"), failure(FailureKind::Stale))];
    let writes = world.diff();
    assert_eq!((writes.objects.len(), writes.hosts.len()), (3, 2));
    world.perform(&writes);
    let again = world.diff();
    assert!(again.objects.is_empty() && again.hosts.is_empty(), "{again:?}");
}

#[test]
fn a_mistake_is_told_on_its_object_and_stalls_only_it() {
    let mut world = World::new();
    world.obstacles = vec![Problem {
        reason: "SecretForbidden".to_owned(),
        message:
            "spec.mackerel.apiKeySecret: Secret team/mackerel may not be read. Allow it: kubectl create …"
                .to_owned(),
        ..problem(Kind::MonitoringSystem, "team", "mackerel")
    }];
    let writes = world.diff();
    let system = status_of(&writes, Kind::MonitoringSystem, "mackerel");
    assert_eq!(condition(system, "Ready"), "False SecretForbidden");
    assert_eq!(condition(system, "Stalled"), "True SecretForbidden");
    let environment = status_of(&writes, Kind::Environment, "jp1");
    assert_eq!(
        (condition(environment, "Ready"), condition(environment, "Stalled")),
        ("True Reconciled".to_owned(), "none".to_owned())
    );

    world.perform(&writes);
    world.obstacles.clear();
    let healed = world.diff();
    let system = status_of(&healed, Kind::MonitoringSystem, "mackerel");
    assert_eq!(
        (condition(system, "Ready"), condition(system, "Stalled")),
        ("True Reconciled".to_owned(), "none".to_owned())
    );
    assert_eq!(healed.objects.len(), 1);
}

#[test]
fn unclaimed_hosts_without_a_namespace_are_only_counted_and_the_account_says_so() {
    let mut world = World::new();
    let unclaimed = world.host("i-0b");
    (unclaimed.environment, unclaimed.state) = (None, HostState::Unclaimed);
    world.stores.namespaces.take(Event::Delete(namespace("nobodys")));
    let writes = world.diff();
    assert!(writes.hosts.is_empty());
    let account = status_of(&writes, Kind::CloudAccount, "prod");
    assert_eq!(condition(account, "Ready"), "False NamespaceNotFound");
    assert!(account.to_string().contains("kubectl create namespace nobodys"));
}

#[test]
fn an_object_that_cannot_be_read_is_told_so_once() {
    let world = World::new();
    let broken = || told("HostRole", "team", "bad", json!({"spec": {"type": 7}}), json!({}));
    world.stores.roles.apply(broken());
    let writes = world.diff();
    let status = status_of(&writes, Kind::HostRole, "bad").clone();
    assert_eq!(condition(&status, "Ready"), "False Malformed");
    let message = status["conditions"][0]["message"].as_str().unwrap();
    assert!(message.contains("spec.type") && message.contains("kubectl explain hostroles"), "{message}");

    let mut after = broken();
    after.metadata.resource_version = Some(next_version().to_string());
    after.data["status"] = status;
    world.stores.roles.apply(after);
    assert!(world.diff().objects.iter().all(|write| write.kind != Kind::HostRole));
}

/// A restart begins with readings that nobody has taken yet: they must not be told as blindness for a second.
#[test]
fn what_waits_for_a_first_answer_is_not_told_yet() {
    let mut world = World::new();
    world.host("i-0a");
    let writes = world.diff();
    world.perform(&writes);

    let not_yet = failure(FailureKind::NotYetRead);
    world.jp1().inventory_blind = vec![(place(), not_yet.clone())];
    world.host("i-0a").seen = false;
    let account = world.roll.accounts.get_mut(&"prod".into()).unwrap();
    account.blind = vec![(place(), not_yet)];
    world.awaited.places.insert(place());
    let held = world.diff();
    assert!(held.objects.is_empty() && held.hosts.is_empty(), "{held:?}");

    // What was never told anything is told at once that it waits.
    let new = told("Environment", "team", "jp9", super::environment(), json!({}));
    world.stores.environments.apply(new);
    let roll = world.jp1().clone();
    world.roll.environments.insert(key("jp9"), roll);
    let first = world.diff();
    assert_eq!(condition(status_of(&first, Kind::Environment, "jp9"), "Ready"), "True Reconciled");
    assert_eq!(status_of(&first, Kind::Environment, "jp9")["summary"]["hosts"], "-");
    assert_eq!(first.objects.len(), 1);
    world.roll.environments.remove(&key("jp9"));
    world.stores.environments.delete(&told("Environment", "team", "jp9", super::environment(), json!({})));

    // The source hangs: once its grace is over, the truth is told.
    world.awaited.places.clear();
    let truth = world.diff();
    assert_eq!(
        condition(status_of(&truth, Kind::Environment, "jp1"), "InventoryFresh"),
        "Unknown NotYetRead"
    );
    assert_eq!(truth.hosts.len(), 1);
}

#[test]
fn events_tell_transitions_and_a_restart_has_none() {
    let mut world = World::new();
    let first = world.diff();
    assert!(first.objects.iter().all(|write| write.notices.is_empty()), "the first status flips nothing");
    world.perform(&first);

    let account = world.roll.accounts.get_mut(&"prod".into()).unwrap();
    account.blind = vec![(place(), failure(FailureKind::Denied))];
    world.jp1().inventory_blind = vec![(place(), failure(FailureKind::Denied))];
    let blind = world.diff();
    let notices: Vec<_> = blind.objects.iter().flat_map(|write| &write.notices).collect();
    assert_eq!(notices.len(), 1, "once, on the object that owns the source: {notices:?}");
    assert_eq!(
        (notices[0].reason.as_str(), notices[0].about.kind.as_deref()),
        ("InventoryBlind", Some("CloudAccount"))
    );
    world.perform(&blind);
    assert!(world.diff().objects.is_empty());
}

#[test]
fn a_writer_that_moved_is_told_although_it_changes_no_status() {
    let mut world = World::new();
    let first = world.diff();
    world.perform(&first);
    let what = Happening::BecameWriter { cluster: "shop".into(), from: "db-0a".into() };
    world.jp1().new_changes =
        vec![Change { at: at(NOW), host: "db-0b".into(), name: Some("shop-2".into()), what }];
    let writes = world.diff();
    assert!(writes.objects.is_empty() && writes.hosts.is_empty());
    let told: Vec<_> = writes.news.iter().map(|n| (n.reason.as_str(), n.note.as_str())).collect();
    assert_eq!(told, [("WriterMoved", "shop: shop-2 writes now, db-0a did before")]);
    world.jp1().new_changes.clear();
    assert!(world.diff().news.is_empty());
}

#[test]
fn a_wave_of_first_writes_is_told_as_progress() {
    let mut world = World::new();
    for number in 0..150 {
        world.host(&format!("i-{number:04}"));
    }
    let writes = world.diff();
    let status = status_of(&writes, Kind::Environment, "jp1");
    assert_eq!(condition(status, "Reconciling"), "True WritingHosts");
    assert!(status.to_string().contains("0 of 150 hosts written"));
    assert_eq!(condition(status_of(&writes, Kind::CloudAccount, "prod"), "Reconciling"), "True WritingHosts");

    // Half-way: counts move with every pass, and are told only when it is time to.
    let mut half = writes;
    let rest = half.hosts.split_off(60);
    world.perform(&half);
    world.tells_progress = false;
    assert!(world.diff().objects.is_empty());
    world.tells_progress = true;
    let told = world.diff();
    assert!(status_of(&told, Kind::Environment, "jp1").to_string().contains("60 of 150 hosts written"));
    world.perform(&told);
    world.perform(&Writes { hosts: rest, ..Writes::default() });
    let done = world.diff();
    assert_eq!(condition(status_of(&done, Kind::Environment, "jp1"), "Reconciling"), "none");
    assert_eq!(done.objects.len(), 2, "environment and account, nothing else");
}

#[test]
fn twenty_thousand_hosts_are_listed_in_parts() {
    let mut world = World::new();
    for number in 0..5_000 {
        world.host(&format!("i-{number:05}"));
    }
    let writes = world.diff();
    assert_eq!((writes.hosts.len(), writes.later, writes.progress.wanted), (2_000, 3_000, 5_000));
}
