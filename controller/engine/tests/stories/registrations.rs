//! Which host does a registration speak of, and which registrations are too many?

use rollcall_engine::registry::Registration;

use crate::world::*;

fn join_by(world: &mut World, rules: &str) {
    world.apply(&format!(
        r"
apiVersion: rollcall.dev/v1alpha1
kind: MonitoringSystem
metadata: {{name: mackerel, namespace: backlog}}
spec: {{mackerel: {{apiKeySecret: {{name: mackerel, key: api-key}}}}, silentMinutes: 30, join: {rules}}}
"
    ));
}

fn anonymous(registration: &mut Registration, name: &str) {
    registration.custom_identifier = None;
    registration.name = name.into();
}

const BY_NAME: &str = r#"[{by: CustomIdentifier}, {by: Name, pattern: "^(?<name>[a-z0-9-]+)\\.internal$"}]"#;

#[test]
fn load_balancers_and_office_machines_are_in_mackerel_too() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    for name in ["alb-1", "alb-2"] {
        world.stranger(name, Some("alb"));
    }
    world.stranger("office", None);
    let roll = world.pass();
    expect(&roll, &["RC0202 1 3 registrations of no host we know: 2 alb, 1 unknown"]);
    let mackerel = roll.systems.values().next().unwrap();
    assert_eq!((mackerel.registered, mackerel.joined, mackerel.strangers.len()), (4, 1, 3));
    world.ec2.insert(PLACE.into(), Answer::Cut(vec![]));
    let roll = world.pass();
    assert!(roll.systems.values().all(|system| system.strangers.is_empty() && system.inventory_blind));
    assert_eq!(
        about(&roll, "RC0202"),
        Vec::<String>::new(),
        "what matches nothing may be on the missing page"
    );
}

#[test]
fn an_instance_of_an_account_nobody_told_us_about_is_a_stranger_and_never_a_ghost() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.stranger("other", Some("ec2"));
    world.agent("other").registration.custom_identifier = Some("i-0dead.ec2.amazonaws.com".into());
    world.agent("other").sends = Err(None);
    for _ in 0..3 {
        expect(&world.hours(24).pass(), &["RC0202 1 1 registration of no host we know: 1 ec2"]);
    }
}

#[test]
fn identifiers_are_compared_without_regard_to_case() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.agent("jp1-app-1").registration.custom_identifier = Some("I-0001.EC2.amazonaws.com".into());
    expect(&world.pass(), &[]);
}

#[test]
fn a_registration_without_identifier_is_known_by_its_metadata_or_its_name() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    anonymous(&mut world.agent("jp1-app-1").registration, "whatever");
    world.agent("jp1-app-1").registration.instance_id = Some("i-0001".into());
    expect(&world.pass(), &[]);
    join_by(&mut world, BY_NAME);
    anonymous(&mut world.agent("jp1-app-1").registration, "jp1-app-1.internal");
    expect(&world.pass(), &[]);
    anonymous(&mut world.agent("jp1-app-1").registration, "jp1-app-1.example.com");
    assert_eq!(about(&world.pass(), "RC0101"), ["jp1-app-1"]);
}

#[test]
fn one_name_for_two_hosts_is_unknown_not_missing() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2", "jp1-app-3"]);
    join_by(&mut world, BY_NAME);
    for name in ["jp1-app-1", "jp1-app-2"] {
        world.machine(name).tags = [("Name", "twin"), ("Env", "jp1"), ("Role", "app")].into_iter().collect();
    }
    anonymous(&mut world.agent("jp1-app-1").registration, "twin.internal");
    world.agents.remove("jp1-app-2");
    let roll = world.pass();
    expect(&roll, &["RC0205 1 1 registration in Mackerel that may be several hosts: twin.internal"]);
    assert_eq!(
        findings(&roll),
        ["RC0205 twin.internal: expected to match one host, found twin (i-0001), twin (i-0002)"]
    );
    for id in ["i-0001", "i-0002"] {
        assert!(rows(&roll, &id.into()).starts_with("registered ?Malformed"), "{}", rows(&roll, &id.into()));
    }
    // A registration that proves itself is not held up by the ambiguous one.
    world.register("jp1-app-2", "M9");
    let roll = world.pass();
    assert!(rows(&roll, &"i-0002".into()).starts_with("registered ✔"));
}

#[test]
fn the_ghost_of_a_host_does_not_pass_for_the_one_that_took_its_name() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    join_by(&mut world, BY_NAME);
    world.agent("jp1-app-2").registration.name = "jp1-app-2.internal".into();
    world.pass();
    world.machine("jp1-app-2").state = rollcall_engine::inventory::PowerState::Terminated;
    world.agent("jp1-app-2").sends = Err(None);
    world.minutes(5).pass();
    let mut successor = world.machines["jp1-app-2"].clone();
    successor.instance.id = "i-0bee".into();
    successor.instance.state = rollcall_engine::inventory::PowerState::Running;
    world.machines.insert("successor".into(), successor);
    let roll = world.hours(48).pass();
    assert_eq!(registrations(&roll, "RC0201"), ["M2"]);
    assert_eq!(about(&roll, "RC0101"), ["jp1-app-2"], "the new host has no registration of its own");
}

#[test]
fn addresses_join_only_where_they_are_unique() {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    join_by(&mut world, "[{by: Address}]");
    expect(&world.pass(), &[]);
    let same = world.machine("jp1-app-1").addresses.clone();
    world.machine("jp1-app-2").addresses = same;
    assert_eq!(about(&world.pass(), "RC0205"), ["jp1-app-1"]);
}

#[test]
fn rebuilt_in_place_and_registered_again() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.register("jp1-app-1", "A-OLD");
    let now = world.now;
    world.agent("jp1-app-1#A-OLD").sends = Err(Some(now - jiff::SignedDuration::from_hours(90)));
    world.agent("jp1-app-1#A-OLD").checks = Some(Vec::new());
    let roll = world.pass();
    expect(&roll, &["RC0203 1 jp1-app-1 registered more than once in Mackerel"]);
    assert_eq!(fix(&roll, "RC0203"), "mkr retire A-OLD");
    assert_eq!(rows(&roll, &world.id("jp1-app-1")), "registered ✔ connectivity ✔ disk ✔ ntp ✔");
    assert_eq!(
        host(&roll, &world.id("jp1-app-1"))
            .registrations
            .iter()
            .map(|(_, id)| id.to_string())
            .collect::<Vec<_>>(),
        ["M1", "A-OLD"]
    );
    // Without metrics nobody knows which of the two is alive, and where they differ nobody knows the row.
    world.mackerel.insert("metrics", Answer::Cut(vec!["M1".into()]));
    let roll = world.pass();
    assert_eq!(
        rows(&roll, &world.id("jp1-app-1")),
        "registered ?NotYetRead connectivity ✔ disk ?NotYetRead ntp ?NotYetRead"
    );
    assert!(!fix(&roll, "RC0203").contains("mkr retire"), "which one to retire is not known");
}

#[test]
fn registrations_that_lack_different_things_do_not_tell_what_the_host_lacks() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.register("jp1-app-1", "A-OLD");
    world.agent("jp1-app-1").checks = Some(Vec::new());
    world.agent("jp1-app-1#A-OLD").registration.status =
        rollcall_engine::registry::RegistrationStatus::Poweroff;
    world.agent("jp1-app-1#A-OLD").sends = Err(None);
    let missing = ["RC0102", "RC0203"];
    assert_eq!(world.pass().findings.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), missing);
    // Without metrics: it misses the check, or it is switched off.
    world.mackerel.insert("metrics", Answer::Cut(Vec::new()));
    let roll = world.pass();
    assert!(rows(&roll, &world.id("jp1-app-1")).ends_with("ntp ?NotYetRead"));
    assert_eq!(roll.findings.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["RC0203", "RC0502"]);
}

#[test]
fn two_voices_in_one_name_are_not_retired_blindly() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.register("jp1-app-1", "A-OLD");
    let roll = world.pass();
    assert!(findings(&roll)[0].ends_with("several send metrics: another host may speak in its name"));
    assert!(fix(&roll, "RC0203").starts_with("on the host that speaks in its name"));
}

#[test]
fn monitors_that_nobody_asked_for() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.monitors.push(metric("m-load", "loadavg5", Some(8.0), None));
    let mut office = metric("m-office", "temperature", Some(40.0), None);
    office.scopes = vec![rollcall_engine::registry::Scope { service: "Office".into(), role: None }];
    world.monitors.push(office);
    let roll = world.pass();
    expect(&roll, &["RC0204 1 1 monitor in Mackerel that no RequiredCheck asks for: loadavg5"]);
    // While a requirement cannot be understood, it may be the one that asks.
    world.desired.unreadable.push(rollcall_engine::fleet::Problem {
        kind: rollcall_engine::fleet::Kind::RequiredCheck,
        namespace: "backlog".into(),
        name: "load".into(),
        reason: "Unreadable".into(),
        message: "spec: expected an object".into(),
    });
    expect(&world.pass_despite_problems(), &[]);
}

#[test]
fn one_odd_registration_disturbs_nobody() {
    let mut world = World::with_hosts(&["jp1-app-1"]);
    world.stranger("odd", Some("\u{1b}[31m\n"));
    let odd = &mut world.agent("odd").registration;
    odd.name = "x\u{202e}".repeat(10_000);
    odd.custom_identifier = Some(".ec2.amazonaws.com".into());
    odd.instance_id = Some("i-".into());
    odd.status = rollcall_engine::registry::RegistrationStatus::Unknown;
    let roll = world.pass();
    assert_eq!(rows(&roll, &world.id("jp1-app-1")), "registered ✔ connectivity ✔ disk ✔ ntp ✔");
    let stranger = &roll.systems.values().next().unwrap().strangers[0];
    assert_eq!(stranger.name.chars().count(), 64);
    assert!(!format!("{}{}", stranger.name, causes(&roll).join("")).chars().any(char::is_control));
}
