//! Hosts in Nagios: which host is it, do its services run, does anybody hear of their problems, and what is said while
//! Nagios cannot be asked.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use rollcall_engine::reading::FailureKind;
use rollcall_engine::registry::{Check, Registration, RegistrationStatus, Run};
use rollcall_engine::rollcall::{Coverage, HostRoll, RollCall};

use crate::world::*;

/// Besides Mackerel the team has a Nagios.
pub const SYSTEM: &str = r#"
apiVersion: rollcall.dev/v1alpha1
kind: MonitoringSystem
metadata: {name: nagios, namespace: backlog}
spec:
  nagios: {statusURL: "https://nagios.example.com/nagios4/cgi-bin/", basicAuthSecret: {name: nagios}}
"#;

/// It watches what this check asks for.
const CHECK: &str = r#"
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: site, namespace: backlog}
spec:
  appliesTo: {roles: [app]}
  why: "Customers notice first otherwise."
  watched: {by: [{system: nagios, check: {name: app-http}}]}
"#;

/// The team's environment asks Nagios for this of its hosts.
fn watch(world: &mut World, hosts: &str) {
    let mackerel = "{system: mackerel, service: Backlog, hosts: All}";
    assert!(TEAM.contains(mackerel));
    world.apply(&TEAM.replace(mackerel, &format!("{mackerel}, {{system: nagios, hosts: {hosts}}}")));
}

pub fn runs() -> Run {
    Run {
        is_run: Some(true),
        is_late: Some(false),
        notifies: Some(true),
        in_downtime: Some(false),
        downtime_until: None,
        heard_by: None,
    }
}

pub fn service(name: &str, run: Run) -> Check {
    Check { name: name.into(), run }
}

/// A fleet in order, each host in Mackerel and in Nagios with the service that is asked for.
fn world(names: &[&str]) -> World {
    let mut world = World::with_hosts(names);
    world.apply(SYSTEM);
    world.apply(CHECK);
    watch(&mut world, "AsChecksRequire");
    let mut nagios = Nagios::default();
    for name in names {
        let id = world.id(name);
        nagios.hosts.insert((*name).to_owned(), host(name, &[("INSTANCE_ID", id.as_str())]));
        nagios.services.insert((*name).to_owned(), vec![service("app-http", runs())]);
    }
    world.nagios = Some(nagios);
    world
}

pub fn host(name: &str, variables: &[(&str, &str)]) -> Registration {
    Registration {
        id: name.into(),
        name: name.to_owned(),
        custom_identifier: None,
        instance_id: None,
        provider: None,
        status: RegistrationStatus::Working,
        run: Some(Box::new(runs())),
        variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        roles: Vec::new(),
        addresses: Vec::new(),
        created_at: None,
    }
}

fn nagios(world: &mut World) -> &mut Nagios {
    world.nagios.as_mut().unwrap()
}

fn with(run: Run) -> RollCall {
    let mut world = world(&["jp1-app-1"]);
    nagios(&mut world).services.insert("jp1-app-1".into(), vec![service("app-http", run)]);
    world.pass()
}

fn unknown(host: &HostRoll) -> usize {
    host.rows.iter().filter(|row| matches!(row.coverage, Coverage::Unknown(_))).count()
}

#[test]
fn a_service_that_runs_and_notifies_covers() {
    expect(&world(&["jp1-app-1", "jp1-app-2"]).pass(), &[]);
}

#[test]
fn a_service_or_a_host_that_is_not_there_is_missing() {
    let mut world = world(&["jp1-app-1", "jp1-app-2", "jp1-app-3"]);
    nagios(&mut world).services.remove("jp1-app-1");
    nagios(&mut world).hosts.remove("jp1-app-2");
    let roll = world.pass();
    expect(&roll, &["RC0101 1 jp1-app-2 not in Nagios", "RC0102 1 \"app-http\" on 1 of 3 app hosts"]);
    let missing = roll.findings.iter().find(|finding| finding.code.as_str() == "RC0102").unwrap();
    assert!(missing.fix.starts_with("define the service \"app-http\" for the host"), "{}", missing.fix);
    assert!(!roll.findings.iter().any(|finding| finding.fix.contains("mackerel-agent")));
}

#[test]
fn what_stands_badly_is_told_as_it_stands() {
    let cases = [
        (
            Run { is_run: Some(false), ..runs() },
            "RC0105 jp1-app-1: check \"app-http\" in Nagios is neither run nor takes results from outside",
        ),
        (
            Run { is_late: Some(true), ..runs() },
            "RC0103 jp1-app-1: check \"app-http\" in Nagios has had no result in time",
        ),
        (
            Run { notifies: Some(false), ..runs() },
            "RC0104 jp1-app-1: check \"app-http\" in Nagios notifies nobody of its problems",
        ),
    ];
    for (run, line) in cases {
        assert_eq!(findings(&with(run)), [line]);
    }
}

#[test]
fn a_downtime_is_news_only_when_it_lasts() {
    let now = world(&[]).now;
    let until = |hours| Run {
        in_downtime: Some(true),
        downtime_until: Some(now + SignedDuration::from_hours(hours)),
        ..runs()
    };
    expect(&with(until(5)), &[]);
    assert_eq!(
        findings(&with(until(48))),
        ["RC0104 jp1-app-1: check \"app-http\" in Nagios is in a downtime that lasts for more than a day"]
    );
}

#[test]
fn what_is_not_told_is_unknown_and_never_a_lack() {
    let untold = [
        Run { is_run: None, ..runs() },
        Run { is_late: None, ..runs() },
        Run { notifies: None, ..runs() },
        Run { in_downtime: None, ..runs() },
        Run { in_downtime: Some(true), ..runs() },
        Run::default(),
    ];
    for run in untold {
        let roll = with(run.clone());
        expect(&roll, &[]);
        let host = roll.hosts.values().next().unwrap();
        assert_eq!(unknown(host), 1, "{run:?}");
    }
}

#[test]
fn while_nagios_cannot_be_asked_its_rows_are_unknown_and_nothing_is_missing() {
    for answer in [
        Answer::Fails(FailureKind::Unreachable),
        Answer::Fails(FailureKind::Malformed),
        Answer::Cut(vec!["jp1-app-1".into()]),
        Answer::Old(SignedDuration::from_hours(24)),
        Answer::NotYet,
    ] {
        for listing in ["hosts", "services"] {
            let mut world = world(&["jp1-app-1"]);
            world.pass();
            // Were it to be believed, it would be missing.
            nagios(&mut world).services.clear();
            nagios(&mut world).says.insert(listing, answer.clone());
            let roll = world.minutes(1).pass();
            let absent = ["RC0101", "RC0102", "RC0103", "RC0104", "RC0105"];
            let claims = roll.findings.iter().any(|finding| absent.contains(&finding.code.as_str()));
            let blind = listing == "services" || !matches!(answer, Answer::Cut(_));
            assert!(!claims || !blind, "{listing} {answer:?}: {:?}", findings(&roll));
            assert!(!claims, "{listing} {answer:?}: {:?}", findings(&roll));
        }
    }
}

#[test]
fn what_a_part_of_the_services_shows_is_so_and_what_it_does_not_show_is_unknown() {
    let mut world = world(&["jp1-app-1", "jp1-app-2"]);
    nagios(&mut world).says.insert("services", Answer::Cut(vec!["jp1-app-2".into()]));
    let roll = world.pass();
    assert!(about(&roll, "RC0102").is_empty());
    assert_eq!(roll.hosts.values().map(unknown).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_host_is_found_by_its_variable_first_and_by_its_name_then() {
    let mut world = world(&["jp1-app-1", "jp1-app-2", "jp1-app-3"]);
    world.apply(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: MonitoringSystem
metadata: {name: nagios, namespace: backlog}
spec:
  nagios: {statusURL: "https://nagios.example.com/nagios4/cgi-bin/", basicAuthSecret: {name: nagios}}
  join: [{by: CustomVariable, variable: _aws_id}, {by: Name, pattern: "^(?<name>[a-z0-9-]+)[.]internal$"}]
"#,
    );
    let (first, second) = (world.id("jp1-app-1"), world.id("jp1-app-2"));
    let nagios = nagios(&mut world);
    nagios.hosts.clear();
    let by_id = format!("aws:///ap-northeast-1a/{}", first.as_str().to_uppercase());
    nagios
        .hosts
        .insert("a".into(), Registration { id: "jp1-app-1".into(), ..host("odd", &[("AWS_ID", &by_id)]) });
    nagios.hosts.insert(
        "b".into(),
        Registration { id: "jp1-app-2".into(), ..host("jp1-app-3.internal", &[("AWS_ID", second.as_str())]) },
    );
    nagios
        .hosts
        .insert("c".into(), Registration { id: "jp1-app-3".into(), ..host("jp1-app-3.internal", &[]) });
    expect(&world.pass(), &[]);
}

#[test]
fn where_every_host_must_be_registered_its_own_check_must_stand_too() {
    let mut world = world(&["jp1-app-1", "jp1-app-2", "jp1-app-3"]);
    watch(&mut world, "All");
    let own = |world: &mut World, name: &str, run: Run| {
        nagios(world).hosts.get_mut(name).unwrap().run = Some(Box::new(run));
    };
    own(&mut world, "jp1-app-1", Run { notifies: Some(false), ..runs() });
    expect(
        &world.pass(),
        &[
            "RC0104 1 jp1-app-1 switched off in Nagios: the host's own check in Nagios notifies nobody of its problems",
        ],
    );
}

#[test]
fn a_stopped_host_is_quiet_there_or_said_to_be_watched() {
    let mut world = world(&["jp1-app-1"]);
    world.pass();
    world.machine("jp1-app-1").state = rollcall_engine::inventory::PowerState::Stopped;
    world.agent("jp1-app-1").registration.status = RegistrationStatus::Poweroff;
    expect(&world.minutes(5).pass(), &["RC0108 1 jp1-app-1 stopped, and still watched in Nagios"]);
    let tonight = Some(world.now + SignedDuration::from_hours(8));
    for quiet in [
        Run { notifies: Some(false), ..runs() },
        Run { in_downtime: Some(true), downtime_until: tonight, ..runs() },
    ] {
        nagios(&mut world).hosts.get_mut("jp1-app-1").unwrap().run = Some(Box::new(quiet));
        expect(&world.minutes(5).pass(), &[]);
    }
}

#[test]
fn a_nagios_that_answers_is_not_blind_although_it_has_no_metrics() {
    let mut world = world(&["jp1-app-1"]);
    let roll = world.pass();
    assert!(roll.systems.values().all(|system| system.blind.is_empty()), "{:?}", roll.systems);
    nagios(&mut world).says.insert("services", Answer::Fails(FailureKind::TimedOut));
    let roll = world.minutes(1).pass();
    expect(&roll, &["RC0502 1 Nagios: services: the source says no"]);
}

#[test]
fn services_from_before_a_host_was_listed_do_not_tell_that_it_has_none() {
    let mut world = world(&["jp1-app-1"]);
    nagios(&mut world).services.clear();
    nagios(&mut world).says.insert("services", Answer::Old(SignedDuration::from_mins(5)));
    assert!(about(&world.pass(), "RC0102").is_empty());
    nagios(&mut world).says.clear();
    assert_eq!(about(&world.minutes(1).pass(), "RC0102").len(), 1);
}

#[test]
fn what_was_read_of_another_product_is_not_read_yet() {
    let mut world = world(&["jp1-app-1"]);
    world.pass();
    // The object is edited in place; the readings are still those of a Mackerel.
    world.system = rollcall_engine::ids::ObjectKey::new("backlog", "nagios");
    world.nagios = None;
    let roll = world.minutes(1).pass();
    assert!(about(&roll, "RC0101").is_empty() && about(&roll, "RC0102").is_empty(), "{:?}", findings(&roll));
}

#[test]
fn one_of_two_systems_is_enough() {
    let mut world = world(&["jp1-app-1"]);
    world.apply(
        r"
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: site, namespace: backlog}
spec:
  appliesTo: {roles: [app]}
  why: Either will do.
  watched: {by: [{system: nagios, check: {name: app-http}}, {system: mackerel, check: {name: check-http}}]}
",
    );
    expect(&world.pass(), &[]);
    nagios(&mut world).says = BTreeMap::from([("hosts", Answer::Fails(FailureKind::Unreachable))]);
    let roll = world.minutes(1).pass();
    assert!(about(&roll, "RC0102").is_empty(), "Nagios may have it");
    nagios(&mut world).says.clear();
    nagios(&mut world).services.clear();
    assert_eq!(about(&world.minutes(1).pass(), "RC0102").len(), 1);
}

#[test]
fn a_service_that_nobody_asks_for_is_said_in_the_words_of_nagios() {
    let mut world = world(&["jp1-app-1"]);
    nagios(&mut world).services.get_mut("jp1-app-1").unwrap().push(service("ftp", runs()));
    let roll = world.pass();
    expect(&roll, &["RC0204 1 1 check in Nagios that no RequiredCheck asks for: ftp"]);
    let fix = &roll.findings[0].fix;
    assert_eq!(
        &**fix,
        "write a RequiredCheck that asks for it, or remove the service \"ftp\" from its configuration"
    );
}

#[test]
fn a_metric_or_a_monitor_cannot_be_asked_of_nagios() {
    let mut world = world(&["jp1-app-1"]);
    world.apply(
        r"
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: site, namespace: backlog}
spec:
  appliesTo: {roles: [app]}
  why: Nagios has no metrics.
  watched: {by: [{system: nagios, hostMetric: {metric: disk%, thresholdAtMost: 95}}]}
",
    );
    nagios(&mut world).services.clear();
    expect(
        &world.pass(),
        &["RC0503 1 Nagios here has no listing of monitors: 1 requirement cannot be verified"],
    );
}

const TWICE: &str = r"
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: site, namespace: backlog}
spec:
  appliesTo: {roles: [app]}
  why: What watches may fail too.
  watched:
    atLeast: 2
    by:
      - {system: nagios, check: {name: app-http}}
      - {system: mackerel, check: {name: check-http}}
      - {system: mackerel, check: {name: check-ntp}}
";

#[test]
fn two_systems_on_purpose() {
    let mut world = world(&["jp1-app-1"]);
    world.apply(TWICE);
    expect(&world.pass(), &[]);
    // One of them alone is not enough, however many ways it has.
    nagios(&mut world).services.clear();
    expect(
        &world.minutes(1).pass(),
        &["RC0102 1 \"app-http\" or \"check-http\" or \"check-ntp\" in 2 systems on 0 of 1 app host"],
    );
    // While one cannot be asked, it may be the second.
    nagios(&mut world).says.insert("hosts", Answer::Fails(FailureKind::Unreachable));
    assert!(about(&world.minutes(1).pass(), "RC0102").is_empty());
    // Even if it were, the other one lacks it: one is not two.
    world.agent("jp1-app-1").checks = Some(Vec::new());
    assert_eq!(about(&world.minutes(1).pass(), "RC0102").len(), 2, "site and ntp");
}

#[test]
fn two_ways_in_one_system_are_not_two_systems() {
    let mut world = world(&["jp1-app-1"]);
    world.apply(&TWICE.replace("system: nagios", "system: mackerel"));
    let (_, problems) = world.fleet();
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].message,
        "spec.watched.atLeast: expected at most 1, for by names that many different systems, found 2"
    );
    let roll = world.pass_despite_problems();
    assert!(about(&roll, "RC0102").is_empty(), "nobody can judge it");
}
