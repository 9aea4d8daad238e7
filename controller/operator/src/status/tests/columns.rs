//! Columns while sources are blind: `-` where a count would claim what nobody can know.

use rollcall_engine::fleet::{Hold, Kind, StopsNone};
use rollcall_engine::lean::Rule;
use rollcall_engine::reading::FailureKind;
use rollcall_engine::rollcall::{LeanRoll, Probation, Requirement};
use serde_json::{Value, json};

use super::*;

fn counted() -> World {
    let mut world = World::new();
    let jp1 = world.jp1();
    jp1.hosts = 34;
    jp1.tally = Tally { baseline: 9, required: 419, ..tally(361, 9, 40) };
    jp1.ghosts = 2;
    jp1.lean = Some(LeanRoll { hosts: 30, idle: 5, unused: 4, unknown: 2, ..LeanRoll::default() });
    jp1.ledger = vec![
        (Requirement::Registered(key("mackerel")), tally(30, 4, 0)),
        (Requirement::Check(key("disk")), tally(20, 3, 11)),
        (Requirement::Check(ObjectKey::new("library", "disk")), tally(1, 0, 0)),
    ];
    world
}

fn summary(world: &World) -> Value {
    status_of(&world.diff(), Kind::Environment, "jp1")["summary"].clone()
}

#[test]
fn when_all_is_seen_all_is_told() {
    let world = counted();
    let expected = json!({"hosts": "34", "covered": "361/419", "missing": "9", "unknown": "40", "baseline": "9",
        "ghosts": "2", "unused": "4", "sources": "Fresh"});
    assert_eq!(summary(&world), expected);
}

#[test]
fn a_blind_registry_hides_what_would_claim_absence() {
    let mut world = counted();
    world.jp1().registry_blind = vec![(key("mackerel"), failure(FailureKind::Denied))];
    world.jp1().compliant = None;
    let expected = json!({"hosts": "34", "covered": "361/419", "missing": "-", "unknown": "40", "baseline": "9",
        "ghosts": "-", "unused": "4", "sources": "mackerel:Denied"});
    assert_eq!(summary(&world), expected);
    let writes = world.diff();
    let status = status_of(&writes, Kind::Environment, "jp1");
    assert_eq!(condition(status, "InventoryFresh"), "True Fresh");
    assert_eq!(condition(status, "RegistrationsFresh"), "False Denied");
    assert_eq!(condition(status, "Compliant"), "Unknown SourceBlind");
    assert_eq!(condition(status, "Ready"), "True Reconciled", "it has been readable once");
}

#[test]
fn a_blind_inventory_hides_how_many_hosts_there_are() {
    let mut world = counted();
    world.jp1().inventory_blind = vec![(place(), failure(FailureKind::Throttled))];
    let expected = json!({"hosts": "-", "covered": "-", "missing": "-", "unknown": "40", "baseline": "9",
        "ghosts": "-", "unused": "-", "sources": "123456789012/ap-northeast-1:Throttled"});
    assert_eq!(summary(&world), expected);
}

#[test]
fn while_one_hosts_activity_is_not_read_nobody_knows_how_many_are_unused() {
    let mut world = counted();
    world.jp1().lean =
        Some(LeanRoll { hosts: 30, idle: 5, unused: 4, unknown: 3, unread: 1, ..LeanRoll::default() });
    assert_eq!(summary(&world)["unused"], "-");
    world.jp1().lean = None;
    assert_eq!(summary(&world)["unused"], "-", "nobody asks");
}

#[test]
fn what_holds_an_environment_that_asks_to_retire_is_one_sentence_after_the_other() {
    let mut world = counted();
    world.jp1().stops_none = Some(StopsNone::ThisVersion);
    world.jp1().holds = vec![Hold::Probation { until: "2026-12-23".parse().unwrap() }, Hold::NoWindow];
    let writes = world.diff();
    let status = status_of(&writes, Kind::Environment, "jp1");
    assert_eq!(condition(status, "RetirementAllowed"), "False StopsNothing");
    let text = status["conditions"].to_string();
    let held = "hosts wait for approval; its rule must have run without acting until 2026-12-23 (Probation); \
                spec.windows of its RetirementPolicy is empty, so none is ever open (Window)";
    assert!(text.contains(held), "{text}");
}

#[test]
fn a_policy_tells_how_its_rule_has_done_and_goes_on_telling_while_nobody_sees_all() {
    let mut world = counted();
    world.stores.policies.apply(told("RetirementPolicy", "team", "standard", json!({"spec": {}}), json!({})));
    let rule = Rule::default().hash();
    let probation = Some(Probation { rule, since: at(NOW), proposed: 7, later_used: 1 });
    world.roll.policies.insert(key("standard"), LeanRoll { hosts: 30, probation, ..LeanRoll::default() });
    let writes = world.diff();
    let expected = json!({"ruleHash": rule.to_string(), "runSince": NOW, "proposed": 7, "laterUsed": 1});
    assert_eq!(status_of(&writes, Kind::RetirementPolicy, "standard")["probation"], expected);

    world.perform(&writes);
    assert!(world.diff().objects.is_empty(), "nothing has changed");
    world.jp1().inventory_blind = vec![(place(), failure(FailureKind::Throttled))];
    let again = world.diff();
    assert!(again.objects.iter().all(|write| write.kind != Kind::RetirementPolicy), "{again:?}");
}

#[test]
fn a_row_with_unknown_hosts_claims_no_missing_ones() {
    let world = counted();
    let writes = world.diff();
    let rows = &status_of(&writes, Kind::Environment, "jp1")["checks"];
    assert_eq!(rows[0]["check"], "registered in mackerel");
    assert_eq!((&rows[0]["missing"], &rows[0]["unknown"]), (&json!(4), &json!(0)));
    assert_eq!((&rows[1]["missing"], &rows[1]["unknown"]), (&Value::Null, &json!(11)));
    assert_eq!(rows[2]["check"], "library/disk", "two rows of one name are told apart");
}

#[test]
fn accounts_and_systems_do_the_same() {
    let mut world = counted();
    let account = world.roll.accounts.get_mut(&"prod".into()).unwrap();
    (account.hosts, account.unclaimed) = (200, 4);
    account.blind = vec![(place(), failure(FailureKind::TimedOut))];
    let system = world.roll.systems.get_mut(&key("mackerel")).unwrap();
    (system.registered, system.joined, system.ghosts) = (210, 190, 6);
    system.inventory_blind = true;
    let writes = world.diff();
    let account = status_of(&writes, Kind::CloudAccount, "prod");
    assert_eq!(account["summary"], json!({"hosts": "-", "unclaimed": "-"}));
    assert_eq!(condition(account, "InventoryFresh"), "False TimedOut");
    let system = status_of(&writes, Kind::MonitoringSystem, "mackerel");
    let expected =
        json!({"registered": "210", "joined": "-", "ghosts": "-", "strangers": "-", "duplicates": "0"});
    assert_eq!(system["summary"], expected);
}
