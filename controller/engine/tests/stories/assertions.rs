//! How things at AWS are built, against what checks assert: what is otherwise, what is on its way, and what nobody can see.

use std::collections::BTreeMap;

use rollcall_engine::inventory::{
    Address, ApplyStatus, Attachment, AttachmentState, GroupMembership, GroupName, ParameterGroup,
    ParameterGroupName, ParameterScope, ParameterSource, ParameterValue, Peer, Ports, Rule, SecurityGroup,
    SubnetGroup, Tags, Volume, VolumeState,
};
use rollcall_engine::reading::FailureKind;
use rollcall_engine::rollcall::{RollCall, Tally};

use crate::world::*;

/// A check `asserted` of hosts that `to` means.
fn of_hosts(to: &str, assertion: &str) -> String {
    check(&format!("appliesTo: {to}"), assertion)
}

/// A check `asserted` of the environment itself.
fn of_environment(assertion: &str) -> String {
    check("subject: Environment", assertion)
}

fn check(whom: &str, assertion: &str) -> String {
    format!(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: RequiredCheck
metadata: {{name: asserted, namespace: backlog}}
spec:
  {whom}
  why: "It drifted once."
  severity: Critical
  assertion: {assertion}
"#
    )
}

fn world(check: &str) -> World {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2"]);
    world.apply(check);
    world
}

fn tally(roll: &RollCall) -> Tally {
    roll.checks.iter().find(|(key, _)| &*key.name == "asserted").unwrap().1.tally
}

/// What is said to be otherwise.
fn failed(world: &mut World) -> Vec<String> {
    about_assertions(&world.pass())
}

fn about_assertions(roll: &RollCall) -> Vec<String> {
    let lines = findings(roll).into_iter();
    lines.filter_map(|line| line.strip_prefix("RC0301 ").map(str::to_owned)).collect()
}

fn tags(name: &str) -> Tags {
    [("Name", name)].into_iter().collect()
}

#[test]
fn an_instance_is_as_it_is_asserted_or_the_difference_is_said() {
    let mut world = world(&of_hosts(
        "{roles: [app]}",
        "{ec2: {types: [\"m7g.*\"], profile: app, vpc: vpc-1, subnets: [subnet-1, subnet-2], \
         securityGroups: {matching: Exactly, names: [web, sg-2]}, tags: {Env: \"${env.site}\", Owner: \"*\"}}}",
    ));
    for name in ["jp1-app-1", "jp1-app-2"] {
        let group = |id: &str, name: &str| GroupName { id: id.into(), name: name.into() };
        let instance = world.machine(name);
        instance.instance_type = "m7g.large".into();
        instance.profile = Some("app".into());
        instance.vpc = Some("vpc-1".into());
        instance.subnet = Some("subnet-2".into());
        instance.security_groups = vec![group("sg-1", "web"), group("sg-2", "db")].into();
        instance.tags =
            [("Env", "jp1"), ("Role", "app"), ("Name", name), ("Owner", "sre")].into_iter().collect();
    }
    let roll = world.pass();
    expect(&roll, &[]);
    assert_eq!(tally(&roll), Tally { required: 2, covered: 2, ..Tally::default() });

    let instance = world.machine("jp1-app-2");
    instance.instance_type = "m5.large".into();
    instance.profile = None;
    instance.subnet = Some("subnet-9".into());
    instance.security_groups = vec![GroupName { id: "sg-3".into(), name: "world".into() }].into();
    instance.tags = [("Env", "jp1"), ("Role", "app"), ("Name", "jp1-app-2")].into_iter().collect();
    let roll = world.pass();
    assert_eq!(
        about_assertions(&roll),
        [
            "jp1-app-2: type: expected m7g.*, found m5.large, security groups: expected web, sg-2, found world, security groups: \
          expected no others, found world, instance profile: expected app, found none, subnet: expected subnet-1 or subnet-2, \
          found subnet-9 and 1 more"
        ]
    );
    assert_eq!(tally(&roll).missing, 1);
    assert_eq!(roll.environments.values().next().unwrap().compliant, Some(false));
    assert!(
        causes(&roll)[0].starts_with("RC0301 1 asserted fails on 1 of 2 app hosts: type"),
        "{:?}",
        causes(&roll)
    );
}

#[test]
fn what_an_old_recording_does_not_tell_is_unknown() {
    let assertion = "{ec2: {subnets: [subnet-1], securityGroups: {names: [web]}}}";
    let roll = world(&of_hosts("{roles: [app]}", assertion)).pass();
    expect(&roll, &[]);
    assert_eq!(tally(&roll), Tally { required: 2, unknown: 2, ..Tally::default() });
}

#[test]
fn protection_is_unknown_until_it_was_asked_and_for_no_longer_than_it_holds() {
    let mut world = world(&of_hosts("{services: [EC2]}", "{ec2: {terminationProtection: Enabled}}"));
    assert_eq!(tally(&world.pass()).unknown, 2);
    let (one, two) = (world.id("jp1-app-1"), world.id("jp1-app-2"));
    world.things.protections = BTreeMap::from([(one, Some(true)), (two, Some(false))]);
    assert_eq!(failed(&mut world), ["jp1-app-2: termination protection: expected enabled, found disabled"]);
    let hours = jiff::SignedDuration::from_hours;
    world.things.says.insert("protections", Answer::Old(hours(35)));
    assert_eq!(failed(&mut world).len(), 1);
    world.things.says.insert("protections", Answer::Old(hours(49)));
    assert_eq!(tally(&world.pass()).unknown, 2);
}

fn parameters(values: &[(&str, Option<&str>)], scope: ParameterScope) -> ParameterGroup {
    let value = |value: Option<&str>| ParameterValue {
        value: value.map(Into::into),
        source: ParameterSource::User,
        apply_method: None,
        apply_type: None,
    };
    let values = values.iter().map(|(name, of)| ((*name).to_owned(), value(*of)));
    ParameterGroup { scope, values: values.collect() }
}

/// A database in the group that is asked for, with the slow query log on.
fn database() -> World {
    let mut world = world(&of_hosts(
        "{services: [RDS]}",
        "{rds: {parameterGroup: \"${env.site}-MySQL8\", parameters: {slow_query_log: \"1\"}}}",
    ));
    world.add_database("jp1-db-1");
    world.database("jp1-db-1").parameter_groups =
        vec![GroupMembership { name: "jp1-mysql8".into(), status: ApplyStatus::InSync }];
    let group = parameters(&[("slow_query_log", Some("1"))], ParameterScope::Named);
    world.things.parameters.insert(ParameterGroupName::of_instance("jp1-mysql8"), group);
    world
}

fn set(world: &mut World, values: &[(&str, Option<&str>)], scope: ParameterScope) {
    world.things.parameters.insert(ParameterGroupName::of_instance("jp1-mysql8"), parameters(values, scope));
}

#[test]
fn parameters_of_a_database_are_as_asserted_and_in_effect() {
    let mut world = database();
    assert_eq!(tally(&world.pass()), Tally { required: 1, covered: 1, ..Tally::default() });

    set(&mut world, &[("slow_query_log", Some("0"))], ParameterScope::Named);
    assert_eq!(failed(&mut world), ["jp1-db-1: slow_query_log: expected 1, found 0"]);
    set(&mut world, &[("slow_query_log", None)], ParameterScope::Named);
    assert_eq!(failed(&mut world), ["jp1-db-1: slow_query_log: expected 1, found the engine's default"]);
    set(&mut world, &[], ParameterScope::Whole);
    assert_eq!(failed(&mut world), ["jp1-db-1: slow_query_log: expected 1, found no such parameter"]);

    set(&mut world, &[("slow_query_log", Some("1"))], ParameterScope::Named);
    world.database("jp1-db-1").parameter_groups[0].status = ApplyStatus::PendingReboot;
    assert_eq!(
        failed(&mut world),
        ["jp1-db-1: parameter group: expected it to be in effect, found pending-reboot"]
    );
    world.database("jp1-db-1").parameter_groups[0].name = "default.mysql8.0".into();
    assert!(failed(&mut world)[0].contains("parameter group: expected jp1-mysql8, found default.mysql8.0"));
}

#[test]
fn what_was_not_read_of_parameters_or_is_on_its_way_is_unknown() {
    let mut unread = database();
    set(&mut unread, &[], ParameterScope::Named);
    assert_eq!(tally(&unread.pass()).unknown, 1);
    let mut denied = database();
    denied.things.says.insert("parameters", Answer::Fails(FailureKind::Denied));
    assert_eq!(tally(&denied.pass()).unknown, 1);
    let mut applying = database();
    applying.database("jp1-db-1").parameter_groups[0].status = ApplyStatus::Applying;
    assert_eq!(tally(&applying.pass()).unknown, 1);
    for status in ["modifying", "rebooting", "upgrading", "a-word-of-tomorrow"] {
        let mut moving = database();
        set(&mut moving, &[("slow_query_log", Some("0"))], ParameterScope::Named);
        moving.database("jp1-db-1").status = status.into();
        let roll = moving.pass();
        assert_eq!((tally(&roll).unknown, about_assertions(&roll).len()), (1, 0), "{status}");
    }
}

fn address(name: &str, host: Option<&str>) -> Address {
    Address {
        id: format!("eipalloc-{name}"),
        ip: "203.0.113.7".parse().unwrap(),
        attached_to: host.map(Into::into),
        network_interface: host.map(|_| "eni-1".to_owned()),
        tags: tags(name),
    }
}

#[test]
fn an_address_hangs_on_the_right_instance() {
    let mut world = world(&of_environment("{address: {name: \"${env.site}-eip\", attachedTo: {role: app}}}"));
    assert_eq!(failed(&mut world), ["jp1: expected the Elastic IP jp1-eip, found none"]);
    let app = world.id("jp1-app-1");
    world.things.addresses = vec![address("jp1-eip", Some(app.as_str()))];
    assert_eq!(tally(&world.pass()), Tally { required: 1, covered: 1, ..Tally::default() });

    // An address moved a moment ago, or its instance left: the two listings are of different times.
    world.things.addresses = vec![address("jp1-eip", Some("i-0ff"))];
    assert_eq!(tally(&world.pass()), Tally { required: 1, unknown: 1, ..Tally::default() });
    world.add("jp1-batch-1");
    let batch = world.id("jp1-batch-1");
    world.things.addresses = vec![address("jp1-eip", Some(batch.as_str()))];
    assert_eq!(
        failed(&mut world),
        [format!("jp1: attached to: expected an instance that plays app, found jp1-batch-1 ({batch})")]
    );
    world.things.addresses = vec![address("jp1-eip", None)];
    assert_eq!(failed(&mut world), ["jp1: attached to: expected an instance that plays app, found nothing"]);
    world.things.addresses.push(address("jp1-eip", None));
    assert_eq!(failed(&mut world), ["jp1: expected one Elastic IP called jp1-eip, found 2"]);
    world.things.addresses.clear();
    for says in [Answer::Fails(FailureKind::Denied), Answer::Old(jiff::SignedDuration::from_hours(25))] {
        world.things.says.insert("addresses", says);
        assert_eq!(tally(&world.pass()).unknown, 1);
    }
}

#[test]
fn every_attachment_of_a_volume_counts_and_one_on_its_way_is_not_judged() {
    let mut world = world(&of_environment("{volume: {name: jp1-data, attachedTo: {host: jp1-app-1}}}"));
    let (one, two) = (world.id("jp1-app-1"), world.id("jp1-app-2"));
    let on = |host: &rollcall_engine::ids::HostId, state| Attachment { host: host.clone(), state };
    let volume = |attachments| Volume {
        id: "vol-1".to_owned(),
        state: VolumeState::InUse,
        attachments,
        size_gib: 100,
        tags: tags("jp1-data"),
    };
    world.things.volumes = vec![volume(vec![on(&one, AttachmentState::Attached)])];
    assert_eq!(tally(&world.pass()).covered, 1);
    world.things.volumes =
        vec![volume(vec![on(&one, AttachmentState::Attached), on(&two, AttachmentState::Attached)])];
    assert_eq!(
        failed(&mut world),
        [format!("jp1: attached to: expected jp1-app-1, found jp1-app-2 ({two})")]
    );
    world.things.volumes = vec![volume(vec![on(&two, AttachmentState::Detaching)])];
    assert_eq!(tally(&world.pass()).unknown, 1);
    world.things.volumes = vec![volume(Vec::new())];
    assert_eq!(failed(&mut world), ["jp1: attached to: expected jp1-app-1, found nothing"]);
}

fn rule(protocol: &str, ports: Ports, peers: &[&str]) -> Rule {
    let peer = |text: &&str| match text.split_once('-') {
        Some(("sg", _)) => Peer::Group((*text).to_owned()),
        Some(("pl", _)) => Peer::PrefixList((*text).to_owned()),
        _ => Peer::Cidr(text.parse().unwrap()),
    };
    Rule { protocol: protocol.into(), ports, peers: peers.iter().map(peer).collect() }
}

fn group(inbound: Vec<Rule>) -> SecurityGroup {
    SecurityGroup {
        id: "sg-1".to_owned(),
        name: "web".to_owned(),
        vpc: Some("vpc-1".to_owned()),
        tags: Tags::default(),
        inbound,
        outbound: vec![rule("-1", Ports::All, &["0.0.0.0/0", "::/0"])],
        unread_rules: 0,
    }
}

fn port(port: u16) -> Ports {
    Ports::Range { from: port, to: port }
}

#[test]
fn what_a_security_group_opens_is_what_is_asserted_and_nothing_else() {
    let web = "{securityGroup: {name: web, vpc: vpc-1, \
               inbound: {matching: Exactly, opened: [{port: 443, peers: [\"10.1.0.0/16\", \"2001:db8::/32\", sg-9]}]}, \
               outbound: {opened: [{protocol: all}, {port: 53, protocol: udp, peers: [\"192.0.2.1/32\"]}]}}}";
    let mut world = world(&of_environment(web));
    let exact = rule("tcp", port(443), &["10.1.0.0/16", "2001:db8::/32", "sg-9"]);
    world.things.security_groups = vec![group(vec![exact.clone()])];
    assert_eq!(tally(&world.pass()), Tally { required: 1, covered: 1, ..Tally::default() });

    // A block that is open holds those within it, but opens more than was asserted.
    let wide = rule("tcp", port(443), &["10.0.0.0/8", "2001:db8::/32", "sg-9"]);
    world.things.security_groups = vec![group(vec![wide])];
    assert_eq!(
        failed(&mut world),
        ["jp1: inbound: expected nothing else to be open, found tcp 443 for 10.0.0.0/8"]
    );
    let ssh = rule("tcp", port(22), &["0.0.0.0/0"]);
    world.things.security_groups = vec![group(vec![exact.clone(), ssh])];
    assert_eq!(
        failed(&mut world),
        ["jp1: inbound: expected nothing else to be open, found tcp 22 for 0.0.0.0/0"]
    );
    let part = rule("tcp", port(443), &["10.1.0.0/16"]);
    world.things.security_groups = vec![group(vec![part])];
    assert_eq!(
        failed(&mut world),
        ["jp1: inbound: expected tcp 443 for 2001:db8::/32 to be open, found it closed"],
        "whether members of sg-9 are in 10.1.0.0/16 is not told"
    );
    // What nobody understands may open what is missing, or what is too much.
    let unread = SecurityGroup { unread_rules: 1, ..group(vec![exact]) };
    world.things.security_groups = vec![unread];
    assert_eq!(tally(&world.pass()).unknown, 1);
    // Whom a prefix list holds is not read: perhaps nobody else.
    let listed = rule("tcp", port(443), &["10.1.0.0/16", "2001:db8::/32", "sg-9", "pl-1"]);
    world.things.security_groups = vec![group(vec![listed])];
    assert_eq!(tally(&world.pass()).unknown, 1);
}

#[test]
fn an_all_rule_opens_every_port_and_a_range_is_open_only_as_a_whole() {
    let cases = [
        ("{port: 80, peers: [\"10.0.0.0/8\"]}", rule("-1", Ports::All, &["0.0.0.0/0"]), true),
        ("{port: 80, endPort: 90}", rule("tcp", Ports::Range { from: 80, to: 85 }, &["0.0.0.0/0"]), false),
        ("{port: 80, endPort: 90}", rule("tcp", Ports::Range { from: 1, to: 100 }, &["0.0.0.0/0"]), true),
        ("{port: 53, protocol: udp}", rule("tcp", port(53), &["0.0.0.0/0"]), false),
        ("{port: 80, peers: [\"0.0.0.0/0\"]}", rule("tcp", port(80), &["10.0.0.0/8"]), false),
        ("{port: 80, peers: [\"10.0.0.0/8\"]}", rule("tcp", port(80), &["::/0"]), false),
        ("{}", rule("tcp", Ports::Range { from: 0, to: 65_535 }, &["10.0.0.0/8"]), true),
        ("{}", rule("tcp", port(80), &["10.0.0.0/8"]), false),
    ];
    for (wanted, found, is_open) in cases {
        let assertion = format!("{{securityGroup: {{name: sg-1, inbound: {{opened: [{wanted}]}}}}}}");
        let mut world = world(&of_environment(&assertion));
        world.things.security_groups = vec![group(vec![found])];
        assert_eq!(failed(&mut world).is_empty(), is_open, "{wanted}");
    }
}

#[test]
fn what_several_rules_open_together_is_not_called_closed() {
    let assertion = "{securityGroup: {name: sg-1, inbound: {opened: [{port: 80, endPort: 90, peers: [\"10.0.0.0/8\"]}]}}}";
    let mut world = world(&of_environment(assertion));
    let ports = |from, to| rule("tcp", Ports::Range { from, to }, &["0.0.0.0/0"]);
    world.things.security_groups = vec![group(vec![ports(80, 85), ports(86, 90)])];
    assert_eq!(tally(&world.pass()).unknown, 1);
}

#[test]
fn a_role_that_does_not_exist_is_a_mistake_and_no_finding_about_aws() {
    let mut world = world(&of_environment("{volume: {name: jp1-data, attachedTo: {role: ngnix}}}"));
    let problems: Vec<String> = world.fleet().1.iter().map(ToString::to_string).collect();
    assert!(
        problems.iter().any(|problem| problem.contains("attachedTo.role") && problem.contains("ngnix")),
        "{problems:?}"
    );
    assert_eq!(tally(&world.pass_despite_problems()).unknown, 1);
}

#[test]
fn a_cluster_has_its_members_and_its_writer_unless_it_is_failing_over() {
    let assertion = "{cluster: {name: jp1, members: {matching: Exactly, names: [jp1-db-1, jp1-db-2]}, writer: jp1-db-1, parameterGroup: jp1-aurora}}";
    let mut world = world(&of_environment(assertion));
    world.add_database("jp1-db-1");
    world.add_database("jp1-db-2");
    world.cluster("jp1", &["jp1-db-1", "jp1-db-2"]);
    world.clusters.get_mut("jp1").unwrap().parameter_group = Some("jp1-aurora".to_owned());
    assert_eq!(tally(&world.pass()).covered, 1);
    for member in &mut world.clusters.get_mut("jp1").unwrap().members {
        member.writer = Some(member.name == "jp1-db-2");
    }
    assert_eq!(failed(&mut world), ["jp1: writer: expected jp1-db-1, found jp1-db-2"]);
    world.clusters.get_mut("jp1").unwrap().status = "failing-over".into();
    assert_eq!(tally(&world.pass()).unknown, 1);
    world.clusters.get_mut("jp1").unwrap().status = "available".into();
    world.clusters.get_mut("jp1").unwrap().members.pop();
    assert!(failed(&mut world)[0].starts_with("jp1: members: expected jp1-db-2, found jp1-db-1"));
}

#[test]
fn a_subnet_group_is_where_it_must_be() {
    let assertion =
        "{subnetGroup: {name: JP1, vpc: vpc-1, subnets: {matching: Exactly, names: [subnet-1, subnet-2]}}}";
    let mut world = world(&of_environment(assertion));
    let group = |vpc: &str, subnets: &[&str]| SubnetGroup {
        name: "jp1".to_owned(),
        vpc: Some(vpc.to_owned()),
        status: "Complete".to_owned(),
        subnets: subnets.iter().map(|subnet| (*subnet).to_owned()).collect(),
    };
    world.things.subnet_groups = vec![group("vpc-1", &["subnet-1", "subnet-2"])];
    assert_eq!(tally(&world.pass()).covered, 1);
    world.things.subnet_groups = vec![group("vpc-2", &["subnet-1"])];
    assert_eq!(
        failed(&mut world),
        ["jp1: VPC: expected vpc-1, found vpc-2, subnets: expected subnet-2, found subnet-1"]
    );
    world.things.says.insert("subnet groups", Answer::NotYet);
    assert_eq!(tally(&world.pass()).unknown, 1);
}

#[test]
fn what_is_asked_of_aws_is_what_is_asserted() {
    let asked = |world: &World| {
        let snapshot = world.snapshot();
        let inventory = snapshot.inventories.values().next().unwrap();
        world.fleet().0.asked(inventory)
    };
    assert_eq!(asked(&World::with_hosts(&["jp1-app-1"])), rollcall_engine::inventory::Asked::default());
    let databases = asked(&database());
    let group = ParameterGroupName::of_instance("jp1-mysql8");
    assert_eq!(databases.parameters.keys().collect::<Vec<_>>(), [&group]);
    assert!(databases.parameters[&group].contains("slow_query_log"));
    let protected = world(&of_hosts("{services: [EC2]}", "{ec2: {terminationProtection: Enabled}}"));
    assert_eq!(asked(&protected).protections.len(), 2);
    let web = world(&of_environment("{securityGroup: {name: web, vpc: vpc-1}}"));
    assert!(asked(&web).security_groups && !asked(&web).subnet_groups);
}

#[test]
fn what_cannot_be_understood_is_told_and_its_rows_are_unknown() {
    let cases = [
        (
            "{securityGroup: {name: web, inbound: {opened: [{port: 80, peers: [somewhere]}]}}}",
            "expected a block of addresses",
        ),
        ("{address: {name: \"${host.name}\", attachedTo: {role: app}}}", "spec.assertion.address.name"),
    ];
    for (assertion, message) in cases {
        let mut world = world(&of_environment(assertion));
        let problems: Vec<String> = world.fleet().1.iter().map(ToString::to_string).collect();
        assert!(problems.iter().any(|problem| problem.contains(message)), "{problems:?}");
        let roll = world.pass_despite_problems();
        assert_eq!(tally(&roll), Tally { required: 1, unknown: 1, ..Tally::default() }, "{assertion}");
    }
    // A parameter that the environment does not set is its own finding.
    let mut world = world(&of_environment("{address: {name: \"${env.nobody}\", attachedTo: {role: app}}}"));
    let lines = findings(&world.pass());
    assert!(lines[0].starts_with("RC0604") && lines.len() == 1, "{lines:?}");
}

#[test]
fn a_right_that_only_assertions_need_is_told_where_one_needs_it() {
    let listings = [
        ("addresses", "address: {name: jp1-eip, attachedTo: {role: app}}", "ec2:DescribeAddresses"),
        ("volumes", "volume: {name: jp1-data, attachedTo: {role: app}}", "ec2:DescribeVolumes"),
        ("security groups", "securityGroup: {name: web, tags: {Env: jp1}}", "ec2:DescribeSecurityGroups"),
        ("subnet groups", "subnetGroup: {name: jp1, vpc: vpc-1}", "rds:DescribeDBSubnetGroups"),
    ];
    for (listing, assertion, call) in listings {
        let mut world = world(&of_environment(&format!("{{{assertion}}}")));
        for (refused, ..) in listings {
            world.things.says.insert(refused, Answer::Fails(FailureKind::Denied));
        }
        let roll = world.pass();
        assert_eq!(about(&roll, "RC0501"), [PLACE], "{listing}: what nobody asserts is not missed");
        assert!(fix(&roll, "RC0501").starts_with(&format!("allow the observing role {call}: ")), "{listing}");
        assert_eq!(tally(&roll), Tally { required: 1, unknown: 1, ..Tally::default() });
        // Refused for the same reason as hosts are, it is said once.
        world.ec2.insert(PLACE.into(), Answer::Fails(FailureKind::Denied));
        assert!(fix(&world.minutes(5).pass(), "RC0501").contains("ec2:DescribeInstances"), "{listing}");
        // Who may not read databases may lack this right too.
        world.ec2.clear();
        world.rds.insert("databases", Answer::Fails(FailureKind::Denied));
        let roll = world.minutes(5).pass();
        let named = |call: &str| roll.findings.iter().any(|finding| finding.fix.contains(call));
        assert!(named(call) && named("rds:DescribeDBInstances"), "{listing}: {:?}", findings(&roll));
    }
}

#[test]
fn parameters_and_protection_that_nobody_may_read_are_told_once() {
    let mut world = world(&of_hosts("{services: [EC2]}", "{ec2: {terminationProtection: Enabled}}"));
    for name in ["jp1-app-1", "jp1-app-2"] {
        let id = world.id(name);
        world.things.protections.insert(id, Some(true));
    }
    world.things.says.insert("protections", Answer::Fails(FailureKind::Throttled));
    assert_eq!(about(&world.pass(), "RC0501"), Vec::<String>::new(), "they take turns: this passes");
    world.things.says.insert("protections", Answer::Fails(FailureKind::Denied));
    let roll = world.pass();
    assert_eq!(about(&roll, "RC0501"), [PLACE]);
    assert!(fix(&roll, "RC0501").contains("ec2:DescribeInstanceAttribute"));

    let mut world = database();
    assert_eq!(tally(&world.pass()).covered, 1);
    world.things.says.insert("parameters", Answer::Fails(FailureKind::Denied));
    let roll = world.pass();
    assert_eq!(about(&roll, "RC0501"), [PLACE]);
    assert!(fix(&roll, "RC0501").contains("allow the observing role rds:DescribeDBParameters"));
}
