//! What people accept, freeze, forget to look at, and must put right in the desired state itself.

use crate::world::*;

/// Nobody installed ntp.
fn without_ntp() -> World {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2", "jp1-batch-1"]);
    for agent in world.agents.values_mut() {
        agent.checks = Some(Vec::new());
    }
    world
}

fn exemption(type_: &str, rest: &str) -> String {
    format!(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: Exemption
metadata: {{name: ours, namespace: backlog}}
spec: {{type: {type_}, reason: "later", approver: sre, {rest}}}
"#
    )
}

#[test]
fn somebody_accepted_it_until_the_end_of_march() {
    let mut world = without_ntp();
    world.apply(&exemption(
        "Accepted",
        r#"match: {code: RC0102, check: ntp, role: batch}, expires: "2026-11-30""#,
    ));
    let roll = world.pass();
    expect(&roll, &["RC0102 2 [1] \"check-ntp\" on 0 of 3 linux hosts"]);
    assert_eq!(rows(&roll, &world.id("jp1-batch-1")), "registered ✔ connectivity ✔ disk ✔ ntp Exempt");
    assert_eq!(roll.exemptions.values().next().unwrap().remaining, 1);
    assert_eq!(
        findings(&roll)[2],
        "RC0102 jp1-batch-1: expected check \"check-ntp\" in Mackerel, found none [exempt ours]"
    );
    // The last day counts whole; the day after, what it covered is open and the exemption is a finding.
    world.now = "2026-11-30T23:59:00Z".parse().unwrap();
    assert_eq!(world.pass().causes[0].open, 2);
    world.now = "2026-12-01T00:01:00Z".parse().unwrap();
    let roll = world.pass();
    expect(&roll, &["RC0102 3 \"check-ntp\" on 0 of 3 linux hosts", "RC0602 1 1 exemption expired: ours"]);
    assert_eq!(roll.exemptions.values().next().unwrap().remaining, 0);
}

#[test]
fn an_exemption_covers_only_what_it_names() {
    for (rest, open) in [
        ("match: {code: RC0102}", 0),
        ("match: {code: RC0102, check: ntp, system: mackerel}", 0),
        ("match: {code: RC0102, check: disk}", 3),
        ("match: {code: RC0102, system: nagios}", 3),
        ("match: {code: RC0101}", 3),
        ("match: {code: RC0102}, hosts: [i-0001]", 2),
        ("match: {code: RC0102, role: batch}, hosts: [i-0001]", 3),
    ] {
        let mut world = without_ntp();
        world.apply(&exemption("Accepted", &format!(r#"{rest}, expires: "2027-03-31""#)));
        let roll = world.pass();
        let found: usize = roll.causes.iter().filter(|c| c.code.as_str() == "RC0102").map(|c| c.open).sum();
        assert_eq!(found, open, "{rest}");
    }
}

#[test]
fn an_exemption_speaks_only_in_its_own_namespace() {
    let mut world = without_ntp();
    world.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: other}");
    let elsewhere = exemption("Accepted", r#"match: {code: RC0102}, expires: "2027-03-31""#);
    world.apply(&elsewhere.replace("namespace: backlog", "namespace: other"));
    expect(&world.pass(), &["RC0102 3 \"check-ntp\" on 0 of 3 linux hosts"]);
}

#[test]
fn a_baseline_freezes_the_first_morning_and_only_shrinks() {
    let mut world = without_ntp();
    world.apply(&exemption(
        "Baseline",
        r#"match: {code: RC0102, check: ntp}, hosts: [i-0001, i-0002, i-0003], expires: "2027-03-31""#,
    ));
    let roll = world.pass();
    expect(&roll, &["RC0102 0 [3] \"check-ntp\" on 0 of 3 linux hosts"]);
    assert!(rows(&roll, &world.id("jp1-app-1")).ends_with("ntp Baseline"));
    // One is put right, and breaks again: it is never covered again, although Git still lists it.
    world.agent("jp1-app-1").checks = Some(vec!["check-ntp".into()]);
    let roll = world.minutes(5).pass();
    assert_eq!(
        roll.exemptions.values().next().unwrap().healed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["i-0001"]
    );
    world.agent("jp1-app-1").checks = Some(Vec::new());
    expect(&world.minutes(5).pass(), &["RC0102 1 [2] \"check-ntp\" on 0 of 3 linux hosts"]);
}

#[test]
fn what_nobody_can_see_heals_nobody() {
    let mut world = without_ntp();
    world.apply(&exemption(
        "Baseline",
        r#"match: {code: RC0102, check: ntp}, hosts: [i-0001, i-0002, i-0003], expires: "2027-03-31""#,
    ));
    world.pass();
    let healed = |world: &World| world.memory.healed.len();
    for blind in [
        |w: &mut World| drop(w.ec2.insert(PLACE.into(), Answer::Cut(vec!["jp1-app-1".into()]))),
        |w: &mut World| drop(w.mackerel.insert("hosts", Answer::Cut(vec![]))),
        |w: &mut World| drop(w.mackerel.insert("checks", Answer::Old(jiff::SignedDuration::from_hours(30)))),
        |w: &mut World| w.machine("jp1-app-1").state = rollcall_engine::inventory::PowerState::Stopped,
        |w: &mut World| w.desired.checks.retain(|c| c.metadata.name.as_deref() != Some("ntp")),
    ] {
        let mut world = world.clone();
        blind(&mut world);
        world.minutes(5).pass();
        assert_eq!(healed(&world), 0);
    }
}

#[test]
fn frozen_critical_debt_is_never_compliant_and_an_accepted_one_is() {
    for (type_, compliant) in [("Accepted", true), ("Baseline", false)] {
        let mut world = World::with_hosts(&["jp1-app-1"]);
        world.monitors[0].muted = true;
        world.apply(&exemption(
            type_,
            r#"match: {code: RC0104, check: disk}, hosts: [i-0001], expires: "2027-03-31""#,
        ));
        assert_eq!(world.pass().environments.values().next().unwrap().compliant, Some(compliant), "{type_}");
    }
}

#[test]
fn two_checks_are_overdue_for_review() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    for (index, last) in [(0, "2026-05-27"), (1, "2026-05-26"), (2, "2026-03-01")] {
        world.desired.checks[index].spec.review =
            Some(serde_json::from_value(serde_json::json!({"everyDays": 180, "last": last})).unwrap());
    }
    let roll = world.pass();
    expect(&roll, &["RC0601 2 2 required checks overdue for review: connectivity, ntp"]);
    assert_eq!(findings(&roll)[0], "RC0601 connectivity: expected a review by 2026-08-28, found none");
    assert_eq!(
        roll.findings[1].since,
        "2026-11-23T00:00:00Z".parse().unwrap(),
        "due 2026-11-22, overdue since the day after"
    );
    let ntp = roll.checks.iter().find(|(key, _)| &*key.name == "ntp").unwrap().1;
    assert_eq!((ntp.review_due.unwrap().to_string().as_str(), ntp.overdue), ("2026-11-22", true));
}

#[test]
fn nobody_answers_for_an_environment() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.desired.environments[0].spec.owner = None;
    expect(&world.pass(), &["RC0603 1 1 environment without an owner: jp1"]);
}

#[test]
fn a_missing_parameter_is_one_finding_and_no_missing_check() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.apply(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: certificate, namespace: backlog}
spec:
  appliesTo: {roles: [app]}
  why: "An expired certificate locked customers out."
  watched: {by: [{system: mackerel, check: {name: "check-cert-${env.fqdn}"}}]}
"#,
    );
    let roll = world.pass();
    expect(
        &roll,
        &[
            "RC0604 1 certificate: expected the parameter fqdn, which certificate uses on 2 hosts here, found none",
        ],
    );
    assert!(rows(&roll, &world.id("jp1-app-1")).contains("certificate ?Misconfigured"));
    world.desired.environments[0]
        .spec
        .parameters
        .insert("fqdn".into(), rollcall_crds::v1alpha1::ParameterValue("jp1.example.com".into()));
    expect(&world.pass(), &["RC0102 2 \"check-cert-${env.fqdn}\" on 0 of 2 app hosts"]);
    assert_eq!(
        findings(&world.pass())[0],
        "RC0102 jp1-app-1: expected check \"check-cert-jp1.example.com\" in Mackerel, found none"
    );
}

/// Two hundred teams must not copy forty objects each.
const LIBRARY: &str = r#"
apiVersion: rollcall.dev/v1alpha1
kind: HostRole
metadata: {name: linux, namespace: library}
spec: {type: Trait}
---
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: cron, namespace: library}
spec:
  appliesTo: {roles: [linux]}
  why: "Log rotation hangs on cron."
  watched: {by: [{system: mackerel, check: {name: check-cron}}]}
"#;

#[test]
fn a_library_is_seen_by_all_and_a_local_name_wins() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.desired.library = Some("library".into());
    world.apply(LIBRARY);
    let roll = world.pass();
    expect(
        &roll,
        &["RC0102 1 \"check-cron\" on 0 of 1 linux host", "RC0605 1 1 name hidden by a local one: linux"],
    );
    assert_eq!(roll.causes[0].check.as_deref(), Some("cron"));
    assert_eq!(
        roll.roles.iter().map(|(key, role)| (key.to_string(), role.hosts)).collect::<Vec<_>>()[3],
        ("library/linux".into(), 0)
    );
    // The library's check is excused where the team lives.
    world.apply(&exemption("Accepted", r#"match: {code: RC0102, check: cron}, expires: "2027-03-31""#));
    assert_eq!(world.pass().causes.iter().map(|c| c.open).sum::<usize>(), 1);
    // What the library asks of a system that this team does not have is unknown here, not missing.
    world.desired.checks.last_mut().unwrap().spec.watched.as_mut().unwrap().by[0].system = "nagios".into();
    let (_, problems) = world.fleet();
    assert_eq!(
        problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "Environment backlog/jp1: ReferenceNotFound: RequiredCheck library/cron: spec.watched.by[0].system: expected the name of a MonitoringSystem in the environment's namespace or the library, found \"nagios\"; create it or correct the name"
        ]
    );
    let roll = world.pass_despite_problems();
    assert!(rows(&roll, &world.id("jp1-app-1")).contains("cron ?Misconfigured"));
}
