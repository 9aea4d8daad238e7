//! What is required of an environment itself, from when something is enforced, and whom a word about accounts makes a
//! ghost.

use rollcall_engine::inventory::PowerState;
use rollcall_engine::reading::FailureKind;
use rollcall_engine::registry::{
    Channel, Monitor, NotificationGroup, Notifications, OfService, Routed, Url, Watches,
};
use rollcall_engine::rollcall::{RollCall, Tally};

use crate::nagios::{SYSTEM, host, runs, service};
use crate::world::*;

/// The login page is watched in two systems that do not fail together.
const LOGIN: &str = r#"
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: login-page, namespace: backlog}
spec:
  subject: Environment
  appliesTo: {environments: {matchLabels: {tier: production}}}
  why: "Customers notice first otherwise."
  severity: Critical
  watched:
    atLeast: 2
    by:
    - {system: mackerel, external: {url: "https://${env.site}.example.com/"}}
    - {system: nagios, service: {host: "${env.site}.example.com", description: app-http}}
"#;

fn external(url: &str) -> Monitor {
    Monitor {
        id: "M-login".to_owned(),
        name: "login page".to_owned(),
        watches: Watches::External { url: Url::parse(url).unwrap(), service: OfService::None },
        scopes: Vec::new(),
        excludes: Vec::new(),
        muted: false,
    }
}

/// One host in order, and a login page that both systems watch.
fn world() -> World {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.apply(SYSTEM);
    world.apply(LOGIN);
    world.monitors.push(external("https://JP1.example.com"));
    let mut nagios = Nagios::default();
    nagios.hosts.insert("jp1.example.com".to_owned(), host("jp1.example.com", &[]));
    nagios.services.insert("jp1.example.com".to_owned(), vec![service("app-http", runs())]);
    world.nagios = Some(nagios);
    world
}

fn nagios(world: &mut World) -> &mut Nagios {
    world.nagios.as_mut().unwrap()
}

fn login(roll: &RollCall) -> Tally {
    let jp1 = roll.environments.values().next().unwrap();
    let rows = jp1.ledger.iter().filter(|(requirement, _)| requirement.to_string().ends_with("login-page"));
    let rows: Vec<Tally> = rows.map(|(_, tally)| *tally).collect();
    assert_eq!(rows.len(), 1, "one row per environment");
    rows[0]
}

#[test]
fn an_environment_has_one_row_and_a_site_in_nagios_is_no_stranger() {
    let mut world = world();
    let roll = world.pass();
    expect(&roll, &[]);
    assert_eq!(login(&roll), Tally { required: 1, covered: 1, ..Tally::default() });
    assert!(roll.systems.values().all(|system| system.strangers.is_empty()), "{:?}", roll.systems);

    // An environment that the check is not about has no row.
    world.apply(&TEAM.replace("labels: {tier: production}", "labels: {tier: test}"));
    assert!(
        !world
            .pass()
            .environments
            .values()
            .next()
            .unwrap()
            .ledger
            .iter()
            .any(|(requirement, _)| { requirement.to_string().ends_with("login-page") })
    );
}

#[test]
fn what_one_of_two_systems_lacks_is_said_of_that_one() {
    let mut world = world();
    world.monitors.pop();
    let roll = world.pass();
    expect(
        &roll,
        &["RC0102 1 \"https://${env.site}.example.com/\" or \"app-http\" in 2 systems on 0 of 1 environment"],
    );
    assert_eq!(
        findings(&roll),
        ["RC0102 jp1: expected an external monitor of https://jp1.example.com/ in Mackerel, found none"]
    );
    assert_eq!(roll.environments.values().next().unwrap().compliant, Some(false));

    world.monitors.push(Monitor { muted: true, ..external("https://jp1.example.com/") });
    assert_eq!(findings(&world.pass()), ["RC0104 jp1: monitor \"login page\" watches it and is muted"]);
}

#[test]
fn a_service_of_a_site_stands_as_any_other() {
    let mut late = world();
    nagios(&mut late).services.get_mut("jp1.example.com").unwrap()[0].run.is_late = Some(true);
    let lines = findings(&late.pass());
    assert_eq!(
        lines,
        ["RC0103 jp1: check \"app-http\" of jp1.example.com in Nagios has had no result in time"]
    );

    let mut missing = world();
    nagios(&mut missing).services.clear();
    let lines = findings(&missing.pass());
    assert_eq!(lines, ["RC0102 jp1: expected check \"app-http\" of jp1.example.com in Nagios, found none"]);

    let mut no_host = world();
    nagios(&mut no_host).hosts.clear();
    let lines = findings(&no_host.pass());
    assert_eq!(lines, ["RC0102 jp1: expected check \"app-http\" of jp1.example.com in Nagios, found none"]);
}

#[test]
fn a_source_that_cannot_be_read_makes_the_row_unknown_and_ec2_does_not_matter() {
    for (listing, of) in [("hosts", "nagios"), ("services", "nagios"), ("monitors", "mackerel")] {
        let mut world = world();
        world.monitors.pop();
        nagios(&mut world).services.clear();
        let says = if of == "nagios" { &mut nagios(&mut world).says } else { &mut world.mackerel };
        says.insert(listing, Answer::Fails(FailureKind::TimedOut));
        let roll = world.pass();
        let tally = login(&roll);
        // The other of the two systems was judged, and both would have to watch.
        let lacking = (tally.unknown, tally.missing);
        assert_eq!(lacking, (0, 1), "{listing} of {of}");
    }
    let mut world = world();
    world.monitors.pop();
    world.mackerel.insert("monitors", Answer::Fails(FailureKind::TimedOut));
    assert_eq!(login(&world.pass()), Tally { required: 1, unknown: 1, ..Tally::default() });

    let mut world = self::world();
    world.ec2.insert(PLACE.to_owned(), Answer::Fails(FailureKind::Denied));
    assert_eq!(login(&world.pass()).covered, 1);
}

#[test]
fn somebody_may_accept_that_a_page_is_not_watched() {
    let mut world = world();
    world.monitors.pop();
    world.apply(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: Exemption
metadata: {name: login, namespace: backlog}
spec:
  type: Accepted
  match: {code: RC0102, check: login-page}
  reason: "The new site is not open yet."
  approver: sre
  expires: "2026-12-31"
"#,
    );
    let roll = world.pass();
    expect(
        &roll,
        &[
            "RC0102 0 [1] \"https://${env.site}.example.com/\" or \"app-http\" in 2 systems on 0 of 1 environment",
        ],
    );
    assert_eq!(login(&roll), Tally { required: 1, exempt: 1, ..Tally::default() });
    assert_eq!(roll.exemptions.values().map(|exemption| exemption.remaining).collect::<Vec<_>>(), [1]);
    assert_eq!(roll.environments.values().next().unwrap().compliant, Some(true));
}

#[test]
fn an_external_monitor_that_nobody_asks_for_is_told_once_somebody_asks_for_others() {
    let mut world = world();
    world.monitors.push(Monitor {
        id: "M-old".into(),
        name: "old page".into(),
        ..external("https://old.example.com/")
    });
    expect(&world.pass(), &["RC0204 1 1 monitor in Mackerel that no RequiredCheck asks for: old page"]);

    // Who asks for none has not come to them yet.
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.monitors.push(external("https://old.example.com/"));
    expect(&world.pass(), &[]);
}

#[test]
fn before_its_day_a_check_is_only_counted() {
    // The day begins in Tokyo nine hours before it does in London.
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.apply(&TEAM.replace("owner: {name: sre}", "owner: {name: sre}\n  timeZone: Asia/Tokyo").replace(
        "why: \"Clocks that drift break log order.\"",
        "why: \"Clocks that drift break log order.\"\n  severity: Critical\n  enforceFrom: \"2026-11-24\"",
    ));
    for name in ["jp1-app-1", "jp1-app-2"] {
        world.agent(name).checks.as_mut().unwrap().retain(|check| check != "check-ntp");
    }
    let roll = world.pass();
    expect(&roll, &[]);
    let jp1 = roll.environments.values().next().unwrap();
    assert_eq!((jp1.tally.missing, jp1.compliant), (2, Some(true)), "counted, and nothing else");
    let ntp = roll.checks.iter().find(|(key, _)| &*key.name == "ntp").unwrap().1;
    assert_eq!(ntp.tally.missing, 2);

    assert_eq!(world.now.to_string(), "2026-11-23T09:00:00Z");
    expect(&world.hours(5).pass(), &[]);
    expect(&world.hours(1).pass(), &["RC0102 2 \"check-ntp\" on 0 of 2 linux hosts"]);
}

#[test]
fn what_is_not_enforced_yet_neither_hides_nor_worsens_what_is() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    let demand = TEAM.replace("hosts: All", "hosts: AsChecksRequire");
    let mut later = demand.clone();
    for why in [
        "A full disk stopped Git pushes in 2016.",
        "Clocks that drift break log order.",
        "We must notice before customers do.",
    ] {
        let why = format!("why: \"{why}\"");
        assert!(later.contains(&why));
        later = later.replace(&why, &format!("{why}\n  enforceFrom: \"2026-12-01\""));
    }
    world.agents.remove("jp1-app-1");
    // Nobody requires anything of it yet, so that it need not be registered either.
    world.apply(&later);
    expect(&world.pass(), &[]);
    world.apply(&demand);
    expect(&world.pass(), &["RC0101 1 jp1-app-1 not in Mackerel"]);
}

#[test]
fn a_check_may_be_about_every_database_whatever_it_plays() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.add_database("jp1-db-1");
    world.apply(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {name: backups, namespace: backlog}
spec:
  appliesTo: {services: [RDS]}
  why: "A table was dropped in 2019."
  watched: {by: [{system: mackerel, check: {name: check-backup}}]}
"#,
    );
    let roll = world.pass();
    let backups: Vec<String> =
        findings(&roll).into_iter().filter(|line| line.contains("check-backup")).collect();
    assert_eq!(backups, ["RC0102 jp1-db-1: expected check \"check-backup\" in Mackerel, found none"]);
    assert!(
        causes(&roll).contains(&"RC0102 1 \"check-backup\" on 0 of 1 host".to_owned()),
        "{:?}",
        causes(&roll)
    );
}

/// Somebody's word: every instance that is registered is one of prod's.
fn vouched(account: &str) -> World {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.apply(&TEAM.replace("silentMinutes: 30", &format!("silentMinutes: 30, onlyAccounts: [{account}]")));
    world.stranger("jp1-old-1", Some("ec2"));
    let registration = &mut world.agents.get_mut("jp1-old-1").unwrap().registration;
    registration.custom_identifier = Some("i-0dead.ec2.amazonaws.com".to_owned());
    world.agents.get_mut("jp1-old-1").unwrap().sends = Err(None);
    world
}

#[test]
fn an_instance_that_none_of_the_accounts_has_for_a_day_is_a_ghost() {
    let mut world = vouched("prod");
    expect(&world.pass(), &[]);
    expect(&world.hours(23).pass(), &[]);
    // A day on which nobody could look proves nothing.
    world.ec2.insert(PLACE.to_owned(), Answer::Fails(FailureKind::Throttled));
    expect_no_ghost(&world.hours(2).pass());
    world.ec2.clear();
    let roll = world.minutes(5).pass();
    expect(&roll, &["RC0201 1 1 ghost in Mackerel: jp1-old-1"]);
    assert!(
        findings(&roll)[0].contains("in none of the accounts of spec.onlyAccounts (prod) since 2026-11-23")
    );
    let before = world.memory.clone();
    world.pass();
    assert_eq!(world.memory, before, "nothing changes while the world stands still");

    // It comes back as a host: no ghost, and its day begins anew.
    world.add("jp1-old-1-again");
    world.machine("jp1-old-1-again").id = "i-0dead".into();
    world.machine("jp1-old-1-again").state = PowerState::Running;
    expect_no_ghost(&world.minutes(5).pass());
}

fn expect_no_ghost(roll: &RollCall) {
    let ghosts: Vec<String> = findings(roll).into_iter().filter(|line| line.starts_with("RC0201")).collect();
    assert_eq!(ghosts, Vec::<String>::new());
}

#[test]
fn without_the_word_or_with_signs_of_life_it_is_a_stranger() {
    let mut unvouched = vouched("prod");
    unvouched.apply(TEAM);
    unvouched.pass();
    expect(&unvouched.hours(30).pass(), &["RC0202 1 1 registration of no host we know: 1 ec2"]);

    let mut alive = vouched("prod");
    alive.agents.get_mut("jp1-old-1").unwrap().sends = Ok(());
    alive.pass();
    expect(&alive.hours(30).pass(), &["RC0202 1 1 registration of no host we know: 1 ec2"]);

    let mut unknown = vouched("staging");
    let problems: Vec<String> = unknown.fleet().1.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("spec.onlyAccounts") && problems[0].contains("staging"), "{problems:?}");
    unknown.pass_despite_problems();
    expect_no_ghost(&unknown.hours(30).pass_despite_problems());
}

#[test]
fn alerts_of_a_login_page_reach_whom_its_service_tells() {
    let mut world = world();
    let asked = LOGIN.replace("example.com/\"}}", "example.com/\"}, notifies: [PagerDuty]}");
    assert_ne!(asked, LOGIN);
    world.apply(&asked);
    let channel =
        |id: &str, name: &str| Channel { id: id.to_owned(), name: name.to_owned(), carries_alerts: true };
    let group = |id: &str, channel: &str| NotificationGroup {
        id: id.to_owned(),
        channels: vec![channel.to_owned()],
        ..NotificationGroup::default()
    };
    let mut night = group("night", "pager");
    night.services = vec![Routed { of: "Backlog".to_owned(), skips_default: false }];
    world.notifications = Some(Notifications {
        groups: vec![NotificationGroup { is_default: true, ..group("default", "chat") }, night],
        channels: vec![channel("chat", "sre-chat"), channel("pager", "PagerDuty")],
    });
    let said = causes(&world.pass());
    assert!(said[0].starts_with("RC0109 1 "), "of no service, it goes to the chat: {said:?}");
    assert!(said[0].ends_with("alerts of monitor \"login page\" do not reach PagerDuty"), "{said:?}");
    let of = |name: &str| OfService::Of(name.to_owned());
    for (service, reaches) in [(of("Backlog"), true), (of("Cacoo"), false), (OfService::Untold, true)] {
        let login = world.monitors.last_mut().unwrap();
        let Watches::External { service: of, .. } = &mut login.watches else { panic!("it asks an address") };
        *of = service.clone();
        // What an old recording does not tell is unknown, and no finding.
        assert_eq!(about(&world.pass(), "RC0109").is_empty(), reaches, "{service:?}");
    }
}
