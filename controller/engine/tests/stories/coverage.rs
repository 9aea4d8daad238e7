//! Is every host watched as required? What covers, and what only looks as if it did.

use rollcall_engine::registry::{Direction, RegistrationStatus, Scope, Watches};

use crate::world::*;

#[test]
fn a_fleet_in_order_says_nothing() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2", "jp1-batch-1"]);
    let roll = world.pass();
    expect(&roll, &[]);
    assert_eq!(rows(&roll, &world.id("jp1-app-1")), "registered ✔ connectivity ✔ disk ✔ ntp ✔");
    let jp1 = roll.environments.values().next().unwrap();
    assert_eq!((jp1.hosts, jp1.tally.required, jp1.tally.covered, jp1.compliant), (3, 12, 12, Some(true)));
}

#[test]
fn an_old_ami_copied_its_id_file() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2", "jp1-app-3"]);
    // Its agent found another host's id and refuses to start: it is not in Mackerel at all.
    world.agents.remove("jp1-app-2");
    let roll = world.pass();
    expect(&roll, &["RC0101 1 jp1-app-2 not in Mackerel"]);
    assert_eq!(
        rows(&roll, &world.id("jp1-app-2")),
        "registered Missing connectivity Missing disk Missing ntp Missing"
    );
    assert!(fix(&roll, "RC0101").contains("rm /var/lib/mackerel-agent/id; systemctl restart mackerel-agent"));
    assert_eq!(
        roll.environments.values().next().unwrap().compliant,
        Some(false),
        "disk is Critical and unwatched"
    );
}

#[test]
fn a_check_was_required_and_nobody_rolled_it_out() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2", "jp1-batch-1"]);
    for name in ["jp1-app-1", "jp1-app-2", "jp1-batch-1"] {
        world.agent(name).checks = Some(vec!["check-other".into()]);
    }
    world.agent("jp1-app-1").checks = Some(vec!["check-ntp".into()]);
    let roll = world.pass();
    expect(
        &roll,
        &[
            "RC0102 2 \"check-ntp\" on 1 of 3 linux hosts",
            "RC0204 1 1 check in Mackerel that no RequiredCheck asks for: check-other",
        ],
    );
    assert!(fix(&roll, "RC0102").contains("kubectl delete rccheck -n backlog ntp"));
}

#[test]
fn a_mute_was_forgotten() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.monitors[0].muted = true;
    let roll = world.pass();
    expect(&roll, &["RC0104 2 \"disk%\" muted for 2 of 2 linux hosts"]);
}

#[test]
fn a_monitor_that_alerts_above_a_hundred_percent_watches_nothing() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.monitors[0] = metric("m-disk", "disk%", None, Some(100.0));
    expect(
        &world.pass(),
        &[
            "RC0105 1 \"disk%\" does not cover 1 of 1 linux host: monitor \"disk%\" exists, but it alerts only above 100, at most 95 is asked for",
        ],
    );
    world.monitors[0] = metric("m-disk", "disk%", None, None);
    assert!(causes(&world.pass())[0].ends_with("but it has no threshold"));
    let Watches::HostMetric { direction, critical, .. } = &mut world.monitors[0].watches else {
        unreachable!()
    };
    (*direction, *critical) = (Direction::Below, Some(90.0));
    assert!(causes(&world.pass())[0].ends_with("but it alerts below a value, not above it"));
}

#[test]
fn a_role_was_excluded_and_a_second_monitor_covers_it_after_all() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-batch-1"]);
    let batch = Scope { service: "Backlog".into(), role: Some("batch".into()) };
    world.monitors[0].excludes = vec![batch.clone()];
    let roll = world.pass();
    expect(
        &roll,
        &[
            "RC0105 1 \"disk%\" does not cover 1 of 2 linux hosts: monitor \"disk%\" exists, but its scopes leave the host out",
        ],
    );
    assert_eq!(about(&roll, "RC0105"), ["jp1-batch-1"]);
    let mut second = metric("m-disk-2", "disk%", Some(90.0), None);
    second.scopes = vec![batch];
    world.monitors.push(second);
    expect(&world.pass(), &[]);
}

#[test]
fn one_of_several_ways_is_enough_and_the_nearest_lack_is_told() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.apply(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: disk, namespace: backlog}
spec:
  appliesTo: {roles: [linux]}
  why: "A full disk stopped Git pushes in 2016."
  watched:
    by:
    - {system: mackerel, check: {name: check-disk}}
    - {system: mackerel, hostMetric: {metric: "disk%", thresholdAtMost: 95}}
"#,
    );
    expect(&world.pass(), &[]);
    world.monitors[0].muted = true;
    expect(&world.pass(), &["RC0104 1 \"check-disk\" or \"disk%\" muted for 1 of 1 linux host"]);
    world.monitors.remove(0);
    expect(&world.pass(), &["RC0102 1 \"check-disk\" or \"disk%\" on 0 of 1 linux host"]);
    world.agent("jp1-app-1").checks = Some(vec!["check-ntp".into(), "check-disk".into()]);
    expect(&world.pass(), &[]);
}

#[test]
fn an_agent_crashed_and_nobody_noticed() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.agent("jp1-app-2").sends = Err(Some("2026-11-21T10:00:00Z".parse().unwrap()));
    let roll = world.pass();
    expect(&roll, &["RC0103 1 jp1-app-2 sends no data to Mackerel"]);
    // A connectivity monitor does its work on a silent host: it is the one that alerts.
    assert_eq!(
        rows(&roll, &world.id("jp1-app-2")),
        "registered Silent connectivity ✔ disk Silent ntp Silent"
    );
    assert_eq!(
        findings(&roll),
        [
            "RC0103 jp1-app-2: expected metrics at least every 30 minutes, found none since 2026-11-21T10:00:00Z"
        ]
    );
    assert!(fix(&roll, "RC0103").contains("systemctl"));
}

#[test]
fn a_registration_of_ten_minutes_is_given_time_to_send_its_first_metric() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    let now = world.now;
    let agent = world.agent("jp1-app-1");
    agent.sends = Err(None);
    agent.registration.created_at = Some(now - jiff::SignedDuration::from_mins(10));
    expect(&world.pass(), &[]);
    world.minutes(30);
    expect(&world.pass(), &["RC0103 1 jp1-app-1 sends no data to Mackerel"]);
}

#[test]
fn maintenance_was_never_ended() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.agent("jp1-app-1").registration.status = RegistrationStatus::Maintenance;
    let roll = world.pass();
    expect(&roll, &["RC0107 1 jp1-app-1: expected status working or standby in Mackerel, found maintenance"]);
    assert_eq!(
        rows(&roll, &world.id("jp1-app-1")),
        "registered Muted connectivity Muted disk Muted ntp Muted"
    );
    assert_eq!(fix(&roll, "RC0107"), "mkr update --st working M1");
}

#[test]
fn a_status_that_a_role_allows_still_switches_its_checks_off() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.apply(
        r"
apiVersion: rollcall.dev/v1alpha1
kind: HostRole
metadata: {name: app, namespace: backlog}
spec: {type: Duty, includes: [linux], mackerel: {statuses: [working, maintenance]}}
",
    );
    world.agent("jp1-app-1").registration.status = RegistrationStatus::Maintenance;
    assert_eq!(
        causes(&world.pass()),
        [
            "RC0104 1 jp1-app-1 switched off in Mackerel: status maintenance is allowed by its roles, and switches off all that checks require"
        ]
    );
    world.agent("jp1-app-1").registration.status = RegistrationStatus::Standby;
    expect(
        &world.pass(),
        &["RC0107 1 jp1-app-1: expected status working or maintenance in Mackerel, found standby"],
    );
}

#[test]
fn coarse_roles_in_mackerel() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-batch-1"]);
    world.agent("jp1-batch-1").registration.roles =
        vec![Scope { service: "Backlog".into(), role: Some("app".into()) }];
    let roll = world.pass();
    expect(&roll, &["RC0106 1 jp1-batch-1: expected the roles Backlog:batch in Mackerel, found Backlog:app"]);
    let fix = fix(&roll, "RC0106");
    assert!(
        fix.contains("mackerel-agent.conf") && !fix.contains("mkr update"),
        "mkr update -R overwrites the host: {fix}"
    );
}

#[test]
fn more_roles_than_asked_are_fine_unless_the_match_is_exact() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    let extra = |service: &str| Scope { service: service.into(), role: Some("legacy".into()) };
    world.agent("jp1-app-1").registration.roles.extend([extra("Backlog"), extra("Other")]);
    expect(&world.pass(), &[]);
    world.apply(
        r"
apiVersion: rollcall.dev/v1alpha1
kind: HostRole
metadata: {name: app, namespace: backlog}
spec: {type: Duty, includes: [linux], mackerel: {roles: [app], match: Exact}}
",
    );
    let found = causes(&world.pass());
    assert_eq!(
        found,
        [
            "RC0106 1 jp1-app-1: expected exactly the roles Backlog:app in Mackerel, found Backlog:app, Backlog:legacy, Other:legacy"
        ]
    );
}

#[test]
fn a_host_that_need_be_registered_only_for_its_checks_is_one_line_too() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.desired.environments[0].spec.monitoring[0].hosts =
        rollcall_crds::v1alpha1::RegistrationDemand::AsChecksRequire;
    world.agents.clear();
    let roll = world.pass();
    expect(&roll, &["RC0101 1 jp1-app-1 not in Mackerel"]);
    assert_eq!(rows(&roll, &world.id("jp1-app-1")), "connectivity Missing disk Missing ntp Missing");
}

#[test]
fn stopped_for_the_quarter_and_still_watched() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    let host = world.machine("jp1-app-2");
    host.state = rollcall_engine::inventory::PowerState::Stopped;
    host.state_reason = Some("User initiated (2026-10-01 03:00:00 GMT)".into());
    world.agent("jp1-app-2").sends = Err(None);
    let roll = world.pass();
    expect(
        &roll,
        &[
            "RC0108 1 jp1-app-2 stopped, and still watched in Mackerel",
            "RC0402 1 jp1-app-2 stopped for more than 30 days",
        ],
    );
    assert_eq!(fix(&roll, "RC0108"), "mkr update --st poweroff M2");
    assert_eq!(
        rows(&roll, &world.id("jp1-app-2")),
        "",
        "a host that does not run is not judged for coverage"
    );
    world.agent("jp1-app-2").registration.status = RegistrationStatus::Poweroff;
    expect(&world.pass(), &["RC0402 1 jp1-app-2 stopped for more than 30 days"]);
}

#[test]
fn a_stop_that_aws_does_not_date_is_counted_from_when_it_was_first_seen() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.machine("jp1-app-1").state = rollcall_engine::inventory::PowerState::Stopped;
    world.agent("jp1-app-1").registration.status = RegistrationStatus::Poweroff;
    expect(&world.pass(), &[]);
    world.hours(29 * 24);
    expect(&world.pass(), &[]);
    world.hours(2 * 24);
    expect(&world.pass(), &["RC0402 1 jp1-app-1 stopped for more than 30 days"]);
}

#[test]
fn a_tag_names_a_role_that_nobody_describes() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.machine("jp1-app-1").tags =
        [("Name", "jp1-app-1"), ("Env", "jp1"), ("Role", " app / / apq ")].into_iter().collect();
    let roll = world.pass();
    expect(&roll, &["RC0607 1 1 role name in tags that no HostRole describes: apq"]);
    assert_eq!(findings(&roll), ["RC0607 apq: tag Role of jp1-app-1 names it, and no HostRole describes it"]);
}

#[test]
fn somebody_tried_something_and_went_on_holiday() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-tanaka"]);
    world.machine("jp1-tanaka").tags = [("Name", "jp1-tanaka"), ("Env", "jp1")].into_iter().collect();
    let roll = world.pass();
    expect(&roll, &["RC0606 1 1 host without a duty: jp1-tanaka"]);
    assert!(
        fix(&roll, "RC0606").contains("aws ec2 create-tags --tags Key=Role,Value=ROLE --resources i-0002")
    );
}

#[test]
fn fewer_and_more_hosts_than_wanted() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2", "jp1-batch-1"]);
    world.desired.environments[0].spec.roles.as_mut().unwrap().counts = serde_json::from_value(serde_json::json!([
        {"role": "app", "min": 3}, {"role": "batch", "min": 0, "max": 0}, {"role": "linux", "min": 1, "max": 3}
    ]))
    .unwrap();
    expect(
        &world.pass(),
        &[
            "RC0404 1 app jp1: expected at least 3 running hosts, found 2",
            "RC0405 1 batch jp1: expected at most 0 running hosts, found 1",
        ],
    );
}
