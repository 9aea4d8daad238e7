//! What is read for assertions when all is well: what is asked for and no more, each thing once, and kept as long as it may be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::SignedDuration;
use rollcall_aws::Limits;
use rollcall_engine::ids::HostId;
use rollcall_engine::inventory::{
    Asked, Inventory, ParameterAnswer, ParameterGroupName, ParameterScope, ParameterSource, Peer, Ports,
    Protocol,
};
use rollcall_engine::reading::{FailureKind, Reading};
use rollcall_fakes::aws::ground::db::{ApplyMethod, ClusterLaunch, DbLaunch, Scope, SubnetGroup};
use rollcall_fakes::aws::ground::{Peer as TruePeer, Rule as TrueRule};
use rollcall_fakes::aws::{Habits, Launch};

use crate::world::{World, complete, now, quick, reader, region, why};

pub fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub fn group(name: &str) -> ParameterGroupName {
    ParameterGroupName::of_instance(name)
}

pub fn parameters(group: &ParameterGroupName, parameters: &[&str]) -> Asked {
    Asked { parameters: [(group.clone(), names(parameters))].into(), ..Asked::default() }
}

/// One of everything that can be asked for; nothing of it need be there.
pub fn everything() -> Asked {
    let of = |group| (group, names(&["max_connections"]));
    Asked {
        security_groups: true,
        subnet_groups: true,
        parameters: [of(group("shop")), of(ParameterGroupName::of_cluster("shop"))].into(),
        protections: [HostId::from("i-0123456789abcdef0")].into(),
        ..Asked::default()
    }
}

/// A parameter group with this many parameters of its owner beside the engine's.
pub fn make_group(world: &World, name: &str, count: usize) {
    let truth = world.truth();
    truth.create_parameter_group(Scope::Instance, name, "mysql8.0").unwrap();
    for n in 0..count {
        let parameter = format!("parameter_{n:03}");
        truth.set_parameter(Scope::Instance, name, (&parameter, "1"), ApplyMethod::Immediate).unwrap();
    }
}

#[tokio::test]
async fn nothing_is_asked_for_that_nobody_asserts() {
    let world = World::new().await;
    world.fleet(3);
    let inventory = world.reader().await.read_place(&region(), None, &Asked::default(), now()).await;
    assert_eq!(why(&inventory.security_groups).kind, FailureKind::NotYetRead);
    assert_eq!(why(&inventory.subnet_groups).kind, FailureKind::NotYetRead);
    assert!(inventory.parameters.is_empty() && inventory.protections.is_empty());
    for operation in [
        "DescribeSecurityGroups",
        "DescribeInstanceAttribute",
        "DescribeDBSubnetGroups",
        "DescribeDBParameters",
        "DescribeDBClusterParameters",
    ] {
        assert_eq!(world.asked(operation), 0, "{operation}");
    }
}

#[tokio::test]
async fn security_groups_are_the_truth_over_many_pages() {
    let world = World::new().await;
    world.aws.set_habits(Habits { unstable_order: true, short_pages: true });
    let truth = world.truth();
    let ids: Vec<String> =
        (0..12).map(|n| truth.create_security_group(&format!("web-{n:02}")).unwrap()).collect();
    truth.tag(&ids[0], "Name", "front").unwrap();
    let peers = [
        TruePeer::Ipv4("10.0.0.0/8".into()),
        TruePeer::Ipv6("::/0".into()),
        TruePeer::PrefixList("pl-1".into()),
        TruePeer::Group(ids[1].clone()),
    ];
    for peer in peers {
        truth.change_security_group(&ids[0], |g| g.let_in(TrueRule::tcp(443, peer.clone()))).unwrap();
    }
    let reading = world.reader().await.read_security_groups(&region(), now()).await;
    complete(&reading);
    assert_eq!(reading.source, "ec2 security groups 123456789012/ap-northeast-1");
    assert_eq!(reading.seen.len(), 13, "and the default one");
    assert!(world.asked("DescribeSecurityGroups") >= 3);
    let web = reading.seen.iter().find(|group| group.id == ids[0]).unwrap();
    assert_eq!((web.name.as_str(), web.tags.name(), web.unread_rules), ("web-00", Some("front"), 0));
    assert_eq!(web.vpc.as_ref(), Some(&truth.vpc()));
    let [rule] = web.inbound.as_slice() else { panic!("{:?}", web.inbound) };
    assert_eq!((&rule.protocol, rule.ports), (&Protocol::Tcp, Ports::Range { from: 443, to: 443 }));
    let cidr = |block: &str| Peer::Cidr(block.parse().unwrap());
    let expected =
        [cidr("10.0.0.0/8"), cidr("::/0"), Peer::PrefixList("pl-1".into()), Peer::Group(ids[1].clone())];
    assert_eq!(rule.peers, expected);
    let [out] = web.outbound.as_slice() else { panic!("{:?}", web.outbound) };
    assert_eq!(
        (&out.protocol, out.ports, &out.peers),
        (&Protocol::All, Ports::All, &vec![cidr("0.0.0.0/0")])
    );
}

#[tokio::test]
async fn subnet_groups_are_the_truth_over_many_pages() {
    let world = World::new().await;
    let truth = world.truth();
    let subnets: BTreeMap<String, String> = truth.subnets().into_iter().take(2).collect();
    for n in 0..23 {
        let name = format!("shop-{n:02}");
        let group = SubnetGroup {
            name,
            description: "of the shop".to_owned(),
            vpc: truth.vpc(),
            subnets: subnets.clone().into_iter().collect(),
        };
        truth.create_subnet_group(group).unwrap();
    }
    let reading = world.reader().await.read_subnet_groups(&region(), now()).await;
    complete(&reading);
    assert_eq!((reading.seen.len(), world.asked("DescribeDBSubnetGroups")), (23, 2), "in pages of 20");
    let shop = reading.seen.iter().find(|group| group.name == "shop-07").unwrap();
    let mut expected: Vec<String> = subnets.into_values().collect();
    expected.sort();
    assert_eq!((shop.vpc.as_ref(), shop.status.as_str()), (Some(&truth.vpc()), "Complete"));
    assert_eq!(shop.subnets, expected);
}

#[tokio::test]
async fn parameters_are_asked_for_by_name_whoever_set_them() {
    let world = World::new().await;
    make_group(&world, "shop", 150);
    let account = world.reader().await;
    let asked = names(&["parameter_007", "max_connections", "wait_timeout", "time_zone"]);
    let reading = account.read_parameters(&region(), &group("shop"), &asked, now()).await;
    complete(&reading);
    assert_eq!(world.asked("DescribeDBParameters"), 1, "one call, of 162 parameters");
    assert_eq!(reading.source, "rds parameters of instance/shop 123456789012/ap-northeast-1");
    let told = |name: &str| match reading.seen.answer(name) {
        ParameterAnswer::Value(value) => (value.value.as_deref(), value.source),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(told("parameter_007"), (Some("1"), ParameterSource::User));
    let formula = "{DBInstanceClassMemory/12582880}";
    assert_eq!(told("max_connections"), (Some(formula), ParameterSource::System));
    assert_eq!(told("wait_timeout"), (Some("28800"), ParameterSource::EngineDefault));
    assert_eq!(told("time_zone"), (None, ParameterSource::EngineDefault), "the engine decides");
    assert_eq!(reading.seen.scope, ParameterScope::Named);
    assert_eq!(reading.seen.answer("slow_query_log"), ParameterAnswer::NotRead, "nobody asked");
}

#[tokio::test]
async fn a_parameter_that_is_not_there_is_proved_by_the_whole_group() {
    let world = World::new().await;
    make_group(&world, "shop", 150);
    let account = world.reader().await;
    let asked = names(&["max_connections", "max_conections"]);
    let reading = account.read_parameters(&region(), &group("shop"), &asked, now()).await;
    complete(&reading);
    assert_eq!(reading.seen.scope, ParameterScope::Whole);
    assert_eq!(reading.seen.answer("max_conections"), ParameterAnswer::NoSuchParameter);
    assert!(matches!(reading.seen.answer("max_connections"), ParameterAnswer::Value(_)));
    assert_eq!(reading.seen.values.len(), 162);
    assert_eq!(world.asked("DescribeDBParameters"), 1 + 9, "by name, then in pages of 20");
}

#[tokio::test]
async fn a_group_asked_for_a_great_many_parameters_is_listed_whole_at_once() {
    let world = World::new().await;
    make_group(&world, "shop", 110);
    let many: BTreeSet<String> = (0..101).map(|n| format!("parameter_{n:03}")).collect();
    let reading = world.reader().await.read_parameters(&region(), &group("shop"), &many, now()).await;
    complete(&reading);
    assert!(reading.seen.answers(&many) && reading.seen.scope == ParameterScope::Whole);
    assert_eq!(world.asked("DescribeDBParameters"), 7, "122 parameters in pages of 20");
}

#[tokio::test]
async fn a_group_that_does_not_exist_is_an_answer_and_so_is_one_without_parameters_of_its_own() {
    let world = World::new().await;
    make_group(&world, "shop", 0);
    let account = world.reader().await;
    for (of, asked, expected) in [
        (group("nobody"), names(&["max_connections"]), ParameterScope::NoSuchGroup),
        (ParameterGroupName::of_cluster("shop"), names(&["max_connections"]), ParameterScope::NoSuchGroup),
        (group("nobody"), names(&[]), ParameterScope::NoSuchGroup),
        (group("shop"), names(&[]), ParameterScope::Named),
    ] {
        let before = world.asked("DescribeDBParameters") + world.asked("DescribeDBClusterParameters");
        let reading = account.read_parameters(&region(), &of, &asked, now()).await;
        complete(&reading);
        assert_eq!((reading.seen.scope, reading.seen.values.len()), (expected, 0), "{of}");
        let after = world.asked("DescribeDBParameters") + world.asked("DescribeDBClusterParameters");
        assert_eq!(after - before, 1, "{of}");
    }
}

#[tokio::test]
async fn a_cluster_s_parameters_are_asked_for_as_such() {
    let world = World::new().await;
    let truth = world.truth();
    truth.create_parameter_group(Scope::Cluster, "shop", "aurora-mysql8.0").unwrap();
    truth.set_parameter(Scope::Cluster, "shop", ("time_zone", "Asia/Tokyo"), ApplyMethod::Immediate).unwrap();
    let of = ParameterGroupName::of_cluster("shop");
    let reading = world.reader().await.read_parameters(&region(), &of, &names(&["time_zone"]), now()).await;
    complete(&reading);
    let ParameterAnswer::Value(told) = reading.seen.answer("time_zone") else { panic!("{reading:?}") };
    assert_eq!((told.value.as_deref(), told.source), (Some("Asia/Tokyo"), ParameterSource::User));
    assert_eq!((world.asked("DescribeDBClusterParameters"), world.asked("DescribeDBParameters")), (1, 0));
}

#[tokio::test]
async fn what_was_read_is_kept_until_it_is_old_or_more_is_asked_for() {
    let world = World::new().await;
    make_group(&world, "shop", 1);
    let host = HostId::from(world.fleet(1).remove(0));
    let limits = Limits { slow_listing_age: Duration::from_mins(30), ..quick() };
    let account = reader(rollcall_aws::AccountSettings { limits, ..world.settings() }).await;
    let ask = |parameters: &[&str]| Asked {
        security_groups: true,
        subnet_groups: true,
        parameters: [(group("shop"), names(parameters))].into(),
        protections: [host.clone()].into(),
        ..Asked::default()
    };
    let calls = || {
        [
            "DescribeSecurityGroups",
            "DescribeDBSubnetGroups",
            "DescribeDBParameters",
            "DescribeInstanceAttribute",
        ]
        .map(|operation| world.asked(operation))
    };
    let at = |minutes| now() + SignedDuration::from_mins(minutes);
    let first = account.read_place(&region(), None, &ask(&["parameter_000"]), at(0)).await;
    assert_eq!(calls(), [1, 1, 1, 1]);
    let second = account.read_place(&region(), Some(&first), &ask(&["parameter_000"]), at(29)).await;
    assert_eq!(calls(), [1, 1, 1, 1], "kept, all of it");
    assert_eq!(second.parameters, first.parameters, "with its own time");
    let third =
        account.read_place(&region(), Some(&second), &ask(&["parameter_000", "time_zone"]), at(29)).await;
    assert_eq!(calls(), [1, 1, 2, 1], "what is kept does not tell of another parameter");
    assert!(third.parameters[&group("shop")].seen.answers(&names(&["parameter_000", "time_zone"])));
    let fourth = account.read_place(&region(), Some(&third), &ask(&["time_zone"]), at(31)).await;
    assert_eq!(calls(), [2, 2, 2, 1], "what is older is read again, and nothing else");
    let fifth = account.read_place(&region(), Some(&fourth), &ask(&["time_zone"]), at(24 * 60 + 1)).await;
    assert_eq!(calls(), [3, 3, 3, 2], "protection once a day");
    let none = account.read_place(&region(), Some(&fifth), &Asked::default(), at(24 * 60 + 1)).await;
    assert_eq!(calls(), [3, 3, 3, 2]);
    assert!(
        none.parameters.is_empty() && none.protections.is_empty(),
        "what nobody asks for any more is let go"
    );
    assert_eq!(why(&none.security_groups).kind, FailureKind::NotYetRead);
}

fn protected(inventory: &Inventory) -> Vec<&'static str> {
    let told = |reading: &Reading<Option<bool>>| match (reading.at(), reading.seen) {
        (None, _) => "unread",
        (Some(_), None) => "gone",
        (Some(_), Some(true)) => "yes",
        (Some(_), Some(false)) => "no",
    };
    inventory.protections.values().map(told).collect()
}

#[tokio::test]
async fn protection_is_read_a_few_at_once_and_the_gone_are_no_failure() {
    let world = World::new().await;
    let fleet = world.fleet(5);
    world.truth().change_instance(&fleet[1], |i| i.termination_protected = true).unwrap();
    world.truth().vanish(&fleet[2]).unwrap();
    let limits = Limits { protections_at_once: 2, ..quick() };
    let account = reader(rollcall_aws::AccountSettings { limits, ..world.settings() }).await;
    let mut protections: BTreeSet<HostId> = fleet.iter().map(|id| HostId::from(id.as_str())).collect();
    protections.insert(HostId::from("db-0123"));
    let asked = Asked { protections, ..Asked::default() };
    let first = account.read_place(&region(), None, &asked, now()).await;
    assert_eq!(
        protected(&first),
        ["no", "yes", "unread", "unread", "unread"],
        "a database has no such thing"
    );
    let waiting = &first.protections.values().nth(2).unwrap();
    assert_eq!(why(waiting).kind, FailureKind::NotYetRead, "what was not asked yet is not unprotected");
    let second = account.read_place(&region(), Some(&first), &asked, now()).await;
    assert_eq!(protected(&second), ["no", "yes", "gone", "no", "unread"]);
    complete(second.protections.values().nth(2).unwrap());
    let third = account.read_place(&region(), Some(&second), &asked, now()).await;
    assert_eq!(protected(&third), ["no", "yes", "gone", "no", "no"]);
    account.read_place(&region(), Some(&third), &asked, now()).await;
    assert_eq!(world.asked("DescribeInstanceAttribute"), 5, "each once");
}

#[tokio::test]
async fn two_hundred_hosts_with_everything_asserted_cost_at_most_twenty_five_calls() {
    let world = World::new().await;
    let truth = world.truth();
    let launched = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut asked = Asked { security_groups: true, subnet_groups: true, ..Asked::default() };
    for n in 0..7 {
        let environment = format!("env-{n}");
        let web = truth.create_security_group(&environment).unwrap();
        let launch = Launch { groups: vec![web], ..Launch::of("t3.small").launched_at(launched).count(28) };
        truth.launch(&launch.tag("Env", &environment)).unwrap();
        truth.allocate_address().unwrap();
        make_group(&world, &environment, 30);
        let database = DbLaunch {
            parameter_group: Some(environment.clone()),
            ..DbLaunch::of(&environment, "mysql").created_at(launched)
        };
        truth.launch_db(&database).unwrap();
        let parameters =
            names(&["parameter_000", "parameter_029", "max_connections", "time_zone", "wait_timeout"]);
        asked.parameters.insert(group(&environment), parameters);
    }
    let cluster = ClusterLaunch {
        name: "shop".to_owned(),
        engine: "aurora-mysql".to_owned(),
        members: (0..4).map(|n| format!("shop-{n}")).collect(),
        ..ClusterLaunch::default()
    };
    truth.launch_cluster(&cluster).unwrap();
    truth.launch(&Launch::of("t3.small").launched_at(launched).count(4)).unwrap();

    let defaults = Limits::default();
    let limits =
        Limits { page_size: defaults.page_size, database_page_size: defaults.database_page_size, ..quick() };
    let account = reader(rollcall_aws::AccountSettings { limits, ..world.settings() }).await;
    let inventory = account.read_place(&region(), None, &asked, now()).await;
    assert_eq!((inventory.instances.seen.len(), inventory.databases.seen.len()), (200, 11));
    for reading in inventory.parameters.values() {
        complete(reading);
    }
    assert!(asked.parameters.iter().all(|(group, names)| inventory.parameters[group].seen.answers(names)));
    let calls: u64 = account.calls().iter().map(|call| call.count).sum();
    assert_eq!(calls, 15, "7 listings, 7 parameter groups, and STS once: {:?}", account.calls());
    assert!(calls <= 25, "the promise");
}
