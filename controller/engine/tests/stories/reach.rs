//! Whom alerts reach: notification groups and channels of Mackerel, contacts of Nagios, and a program that is told to notify
//! nobody.

use rollcall_engine::reading::FailureKind;
use rollcall_engine::registry::{
    Channel, NotificationGroup, Notifications, Program, Recipients, RegistrationStatus, Routed, Run,
};
use rollcall_engine::rollcall::{RollCall, Tally};

use crate::nagios::{SYSTEM, host, runs, service};
use crate::world::*;

/// Disks by a monitor and ntp by a check, whose alerts must reach the pager.
fn world() -> World {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    let mut asked = TEAM.to_owned();
    for way in ["hostMetric: {metric: \"disk%\", thresholdAtMost: 95}", "check: {name: check-ntp}"] {
        assert!(asked.contains(way));
        asked = asked.replace(way, &format!("{way}, notifies: [PagerDuty, pager-eu]"));
    }
    world.apply(&asked);
    world.notifications = Some(Notifications {
        groups: vec![group("default", &["chat"]), group("night", &["pager"])],
        channels: vec![channel("chat", "sre-chat"), channel("pager", "PagerDuty")],
    });
    all(&mut world).groups[0].is_default = true;
    world
}

fn group(id: &str, channels: &[&str]) -> NotificationGroup {
    NotificationGroup {
        id: id.to_owned(),
        channels: channels.iter().map(|channel| (*channel).to_owned()).collect(),
        ..NotificationGroup::default()
    }
}

fn channel(id: &str, name: &str) -> Channel {
    Channel { id: id.to_owned(), name: name.to_owned(), carries_alerts: true }
}

fn all(world: &mut World) -> &mut Notifications {
    world.notifications.as_mut().unwrap()
}

fn of(name: &str, skips_default: bool) -> Routed {
    Routed { of: name.to_owned(), skips_default }
}

fn tally(roll: &RollCall, check: &str) -> Tally {
    roll.checks.iter().find(|(key, _)| &*key.name == check).unwrap().1.tally
}

const NOT_NTP: &str =
    "RC0109 jp1-app-1: check \"check-ntp\" in Mackerel: its alerts do not reach PagerDuty or pager-eu";
const NOT_DISK: &str = "RC0109 jp1-app-1: a monitor on \"disk%\" in Mackerel: alerts of monitor \"disk%\" do not reach PagerDuty or pager-eu";

#[test]
fn alerts_that_reach_another_channel_alone_are_said() {
    assert_eq!(findings(&world().pass()), [NOT_DISK, NOT_NTP]);
    assert_eq!(causes(&world().pass()).len(), 2);
}

#[test]
fn a_group_is_told_by_service_by_monitor_by_default_or_by_another_group() {
    let mut by_service = world();
    all(&mut by_service).groups[1].services = vec![of("Backlog", false)];
    expect(&by_service.pass(), &[]);

    let mut by_monitor = world();
    all(&mut by_monitor).groups[1].monitors = vec![of("m-disk", false)];
    assert_eq!(findings(&by_monitor.pass()), [NOT_NTP], "a monitor's group is not told of checks");

    let mut by_default = world();
    all(&mut by_default).groups[0].channels.push("pager".to_owned());
    expect(&by_default.pass(), &[]);
    // Another group keeps the default one from being told.
    all(&mut by_default)
        .groups
        .push(NotificationGroup { services: vec![of("Backlog", true)], ..group("quiet", &["chat"]) });
    assert_eq!(findings(&by_default.pass()), [NOT_DISK, NOT_NTP]);

    let mut by_group = world();
    all(&mut by_group).groups[0].groups = vec!["night".to_owned()];
    all(&mut by_group).groups[1].groups = vec!["default".to_owned()];
    expect(&by_group.pass(), &[]);
}

#[test]
fn a_channel_that_is_suspended_and_a_group_for_critical_alerts_alone_reach_less() {
    let mut suspended = world();
    all(&mut suspended).groups[1].services = vec![of("Backlog", false)];
    all(&mut suspended).channels[1].carries_alerts = false;
    assert_eq!(findings(&suspended.pass()), [NOT_DISK, NOT_NTP]);

    let mut critical = world();
    all(&mut critical).groups[1].services = vec![of("Backlog", false)];
    all(&mut critical).groups[1].only_critical = true;
    expect(&critical.pass(), &[]);
    critical.monitors[0] = metric("m-disk", "disk%", Some(85.0), None);
    assert_eq!(findings(&critical.pass()), [NOT_DISK], "it only ever warns");
}

#[test]
fn a_host_on_standby_notifies_nobody() {
    let mut world = world();
    all(&mut world).groups[1].services = vec![of("Backlog", false)];
    world.agent("jp1-app-1").registration.status = RegistrationStatus::Standby;
    let lines = findings(&world.pass());
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines.iter().all(|line| line.ends_with("in Mackerel: status standby notifies nobody")),
        "{lines:?}"
    );
}

#[test]
fn an_id_that_is_no_monitors_may_be_any_check() {
    let mut world = world();
    all(&mut world).groups[1].monitors = vec![of("c-who-knows", false)];
    let roll = world.pass();
    assert_eq!((tally(&roll, "ntp").unknown, tally(&roll, "disk").missing), (1, 1));
    assert_eq!(findings(&roll), [NOT_DISK]);
}

#[test]
fn while_groups_cannot_be_read_nobody_says_that_somebody_hears_nothing() {
    for answer in [Answer::Fails(FailureKind::Denied), Answer::Cut(Vec::new()), Answer::NotYet] {
        let mut world = world();
        world.mackerel.insert("notifications", answer.clone());
        let roll = world.pass();
        assert_eq!((tally(&roll, "ntp").unknown, tally(&roll, "disk").unknown), (1, 1), "{answer:?}");
        assert!(causes(&roll).iter().all(|cause| cause.starts_with("RC0502")), "{:?}", causes(&roll));
    }
}

const CHECK: &str = r#"
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: site, namespace: backlog}
spec:
  appliesTo: {roles: [app]}
  why: "Customers notice first otherwise."
  severity: Critical
  watched: {by: [{system: nagios, check: {name: app-http}, notifies: [sre]}]}
"#;

fn heard(by: Option<&[&str]>) -> Run {
    let names = |names: &[&str]| -> Recipients { names.iter().map(|name| (*name).into()).collect() };
    Run { heard_by: by.map(names), ..runs() }
}

fn with_nagios(heard_by: Option<&[&str]>, program: Program) -> World {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.apply(SYSTEM);
    world.apply(CHECK);
    let mut nagios = Nagios { program: Some(program), ..Nagios::default() };
    for name in ["jp1-app-1", "jp1-app-2"] {
        let id = world.id(name);
        nagios.hosts.insert(name.to_owned(), host(name, &[("INSTANCE_ID", id.as_str())]));
        nagios.services.insert(name.to_owned(), vec![service("app-http", heard(heard_by))]);
    }
    world.nagios = Some(nagios);
    world
}

fn on() -> Program {
    Program { notifies: Some(true), checks_hosts: Some(true), checks_services: Some(true) }
}

#[test]
fn contacts_and_their_groups_hear_in_nagios() {
    expect(&with_nagios(Some(&["ops", "sre"]), on()).pass(), &[]);
    expect(
        &with_nagios(Some(&["ops"]), on()).pass(),
        &[
            "RC0109 2 \"app-http\" of 2 of 2 app hosts: check \"app-http\" in Nagios: its alerts do not reach sre",
        ],
    );
    let roll = with_nagios(None, on()).pass();
    assert_eq!(tally(&roll, "site").unknown, 2);
    expect(&roll, &[]);
}

#[test]
fn a_program_that_notifies_nobody_is_one_line_however_many_rows_it_mutes() {
    let mut world = with_nagios(Some(&["sre"]), Program { notifies: Some(false), ..on() });
    let roll = world.pass();
    expect(&roll, &["RC0504 1 Nagios is told to notify nobody of anything"]);
    assert_eq!(tally(&roll, "site").missing, 2);
    let jp1 = roll.environments.values().next().unwrap();
    assert_eq!(jp1.compliant, Some(false), "a Critical check is among them");
    assert_eq!(roll.findings.len(), 1);

    expect(
        &with_nagios(Some(&["sre"]), Program { checks_services: Some(false), ..on() }).pass(),
        &["RC0504 1 Nagios is told neither to check nor to take results from outside"],
    );
    // What was frozen before is not healed by it.
    let mut frozen = with_nagios(Some(&["sre"]), on());
    frozen.apply(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: Exemption
metadata: {name: frozen, namespace: backlog}
spec:
  {type: Baseline, match: {code: RC0104, check: site}, hosts: [i-0001], reason: r, approver: a, expires: "2027-03-31"}
"#,
    );
    frozen.nagios.as_mut().unwrap().services.get_mut("jp1-app-1").unwrap()[0].run.notifies = Some(false);
    frozen.pass();
    frozen.nagios.as_mut().unwrap().program = Some(Program { notifies: Some(false), ..on() });
    let roll = frozen.minutes(5).pass();
    assert!(roll.exemptions.values().all(|exemption| exemption.healed.is_empty()), "{:?}", roll.exemptions);

    let dark = with_nagios(Some(&["sre"]), Program { notifies: None, ..on() }).pass();
    assert_eq!(tally(&dark, "site").unknown, 2);
    expect(&dark, &[]);
}

#[test]
fn a_listing_of_groups_that_nobody_may_read_is_told_where_somebody_asks() {
    let mut world = world();
    world.mackerel.insert("notifications", Answer::Fails(FailureKind::Denied));
    let roll = world.pass();
    assert_eq!(about(&roll, "RC0502"), ["mackerel"]);
    assert!(causes(&roll).iter().any(|cause| cause.contains("notification groups and channels")), "{roll:?}");

    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.notifications = Some(Notifications::default());
    world.mackerel.insert("notifications", Answer::Fails(FailureKind::Denied));
    expect(&world.pass(), &[]);
}
