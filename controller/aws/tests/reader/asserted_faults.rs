//! What is read for assertions when AWS, or something on the way, misbehaves: nothing blinds anything else, and what is not known
//! never reads as known.

use std::num::NonZeroU32;

use jiff::SignedDuration;
use rollcall_aws::{AccountSettings, Limits};
use rollcall_engine::ids::HostId;
use rollcall_engine::inventory::{Asked, ParameterAnswer, ParameterGroupName, ParameterScope};
use rollcall_engine::reading::{Extent, FailureKind, Reading};
use rollcall_fakes::faults::{Fault, Pace, Rule};

use crate::assertions::{everything, group, make_group, names, parameters};
use crate::world::{ACCOUNT, KEY, World, complete, now, quick, reader, region, why};

const ACTIONS: [(&str, &str); 5] = [
    ("ec2", "DescribeSecurityGroups"),
    ("ec2", "DescribeInstanceAttribute"),
    ("rds", "DescribeDBSubnetGroups"),
    ("rds", "DescribeDBParameters"),
    ("rds", "DescribeDBClusterParameters"),
];

fn throttle() -> Fault {
    Fault::Throttle { burst: 0.0, refill_per_second: 0.0, pace: Pace::Machine }
}

fn rds_refusal(code: &str) -> Fault {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>m</Message></Error></ErrorResponse>"
    );
    Fault::Status { status: 400, body: Some(body) }
}

/// Extents of the five, in the order of [`ACTIONS`].
async fn extents(world: &World) -> [Extent; 5] {
    let inventory = world.reader().await.read_place(&region(), None, &everything(), now()).await;
    complete(&inventory.instances);
    complete(&inventory.databases);
    let cluster = ParameterGroupName::of_cluster("shop");
    [
        inventory.security_groups.extent.clone(),
        inventory.protections.values().next().unwrap().extent.clone(),
        inventory.subnet_groups.extent.clone(),
        inventory.parameters[&group("shop")].extent.clone(),
        inventory.parameters[&cluster].extent.clone(),
    ]
}

#[tokio::test]
async fn one_refused_question_blinds_no_other_and_names_the_action_to_allow() {
    for (refused, (service, action)) in ACTIONS.into_iter().enumerate() {
        let world = World::new().await;
        world.fleet(2);
        let right = format!("{service}:{action}");
        assert!(world.aws.account(ACCOUNT).deny(KEY, &[&right]));
        for (number, extent) in extents(&world).await.into_iter().enumerate() {
            if number != refused {
                assert_eq!(extent, Extent::Complete { at: now() }, "{right}: {}", ACTIONS[number].1);
                continue;
            }
            let Extent::Failed { why, .. } = extent else { panic!("{right}: {extent:?}") };
            assert_eq!(why.kind, FailureKind::Denied, "{right}: {}", why.message);
            let step = format!("allow arn:aws:iam::{ACCOUNT}:user/reader {right} on Resource \"*\"");
            assert!(why.message.contains(&step), "{}", why.message);
        }
    }
}

#[tokio::test]
async fn each_mishap_of_each_question_has_its_category() {
    for (number, (service, action)) in ACTIONS.into_iter().enumerate() {
        for (fault, kind) in [
            (throttle(), FailureKind::Throttled),
            (Fault::Status { status: 500, body: None }, FailureKind::SourceError),
            (Fault::Garbage { body: None }, FailureKind::Malformed),
            (Fault::CutConnection { after_bytes: 30 }, FailureKind::Unreachable),
        ] {
            let world = World::new().await;
            world.strike(Rule::new(service, action, fault));
            let extent = extents(&world).await[number].clone();
            let Extent::Failed { why, .. } = extent else { panic!("{action}: {extent:?}") };
            assert_eq!(why.kind, kind, "{action}: {}", why.message);
        }
    }
}

#[tokio::test]
async fn a_passing_throttle_leaves_no_trace() {
    let world = World::new().await;
    make_group(&world, "shop", 30);
    let fault = Fault::Throttle { burst: 1.0, refill_per_second: 0.0, pace: Pace::Machine };
    for (service, action) in ACTIONS {
        world.strike(Rule::new(service, action, fault.clone()).times(2));
    }
    assert!(extents(&world).await.iter().all(|extent| *extent == Extent::Complete { at: now() }));
}

#[tokio::test]
async fn a_listing_that_is_cut_is_not_whole() {
    let world = World::new().await;
    for n in 0..9 {
        world.truth().create_security_group(&format!("web-{n}")).unwrap();
    }
    world.strike(Rule::new("ec2", "DescribeSecurityGroups", throttle()).after(1));
    let reading = world.reader().await.read_security_groups(&region(), now()).await;
    let Extent::Partial { missing, .. } = &reading.extent else { panic!("{:?}", reading.extent) };
    assert_eq!((missing[0].what.as_str(), missing[0].why.kind), ("page 2 and later", FailureKind::Throttled));
    assert_eq!(reading.seen.len(), 5, "what was seen is kept");
}

#[tokio::test]
async fn when_the_whole_group_does_not_come_what_was_asked_for_by_name_stays() {
    let world = World::new().await;
    make_group(&world, "shop", 60);
    let account = world.reader().await;
    let asked = names(&["parameter_001", "misspelt"]);
    for after in [1, 2] {
        world.strike(Rule::new("rds", "DescribeDBParameters", throttle()).after(after));
        let reading = account.read_parameters(&region(), &group("shop"), &asked, now()).await;
        assert_eq!(why(&reading).kind, FailureKind::Throttled);
        let Extent::Partial { missing, .. } = &reading.extent else { panic!("{:?}", reading.extent) };
        let gaps = ["parameters that it was not asked for by name", "page 2 and later"];
        assert_eq!(missing[0].what, gaps[usize::try_from(after - 1).unwrap()]);
        assert!(matches!(reading.seen.answer("parameter_001"), ParameterAnswer::Value(_)));
        assert_eq!(reading.seen.answer("misspelt"), ParameterAnswer::NotRead, "that proves nothing");
        world.aws.stage().faults.clear();
    }
}

#[tokio::test]
async fn where_rds_takes_no_names_the_whole_group_is_listed() {
    let world = World::new().await;
    make_group(&world, "shop", 60);
    world.strike(Rule::new("rds", "DescribeDBParameters", rds_refusal("InvalidParameterValue")).times(1));
    let asked = names(&["parameter_001"]);
    let reading = world.reader().await.read_parameters(&region(), &group("shop"), &asked, now()).await;
    complete(&reading);
    assert_eq!((reading.seen.scope, reading.seen.values.len()), (ParameterScope::Whole, 72));
    world.aws.stage().faults.clear();

    world.strike(Rule::new("rds", "DescribeDBParameters", rds_refusal("InvalidParameterValue")));
    let reading = world.reader().await.read_parameters(&region(), &group("a b"), &asked, now()).await;
    let why = why(&reading);
    assert_eq!(why.kind, FailureKind::SourceError);
    assert!(why.message.contains("see whether the parameter group's name can be one"), "{}", why.message);
}

#[tokio::test]
async fn a_throttled_rds_is_left_alone_and_what_was_read_before_stands() {
    let world = World::new().await;
    let mut asked = Asked::default();
    for n in 0..4 {
        make_group(&world, &format!("shop-{n}"), 1);
        asked.parameters.extend(parameters(&group(&format!("shop-{n}")), &["parameter_000"]).parameters);
    }
    let limits = Limits { attempts: 1, ..quick() };
    let account = reader(AccountSettings { limits, ..world.settings() }).await;
    let first = account.read_place(&region(), None, &asked, now()).await;
    assert!(first.parameters.values().all(|reading| reading.extent == Extent::Complete { at: now() }));

    world.strike(Rule::new("rds", "DescribeDBParameters", throttle()));
    let later = now() + SignedDuration::from_hours(1);
    let second = account.read_place(&region(), Some(&first), &asked, later).await;
    assert_eq!(world.asked("DescribeDBParameters"), 4 + 1, "one was refused, and nobody else asked");
    let stands = |reading: &&Reading<_>| reading.extent == Extent::Complete { at: now() };
    assert_eq!(second.parameters.values().filter(stands).count(), 3, "with their own time");

    let third =
        account.read_place(&region(), Some(&second), &asked, later + SignedDuration::from_mins(1)).await;
    let failed: Vec<_> =
        third.parameters.values().filter(|reading| matches!(reading.extent, Extent::Failed { .. })).collect();
    assert_eq!(failed.len(), 2, "another one was tried");
    world.aws.stage().faults.clear();
    let last = later + SignedDuration::from_mins(2);
    let fourth = account.read_place(&region(), Some(&third), &asked, last).await;
    assert!(fourth.parameters.values().all(|reading| reading.extent == Extent::Complete { at: last }));
}

#[tokio::test]
async fn instances_that_fail_for_good_do_not_keep_others_waiting() {
    let world = World::new().await;
    let fleet = world.fleet(4);
    let limits = Limits { protections_at_once: 1, ..quick() };
    let account = reader(AccountSettings { limits, ..world.settings() }).await;
    // EC2 refuses what cannot be an id.
    let mut protections: Vec<HostId> = ["i-!", "i-?"].map(HostId::from).into();
    protections.extend(fleet.iter().map(|id| HostId::from(id.as_str())));
    let asked = Asked { protections: protections.into_iter().collect(), ..Asked::default() };
    let mut last = account.read_place(&region(), None, &asked, now()).await;
    for minute in 1..6 {
        let at = now() + SignedDuration::from_mins(minute);
        last = account.read_place(&region(), Some(&last), &asked, at).await;
    }
    assert_eq!(last.protections.values().filter(|r| r.seen == Some(false)).count(), 4);
    let failed: Vec<_> = last.protections.values().filter(|r| r.seen.is_none()).collect();
    assert!(failed.iter().all(|r| why(r).kind == FailureKind::SourceError), "{failed:?}");
    let since = |reading: &Reading<Option<bool>>| match &reading.extent {
        Extent::Failed { since, .. } => *since,
        other => panic!("{other:?}"),
    };
    let began: Vec<_> = failed.iter().map(|r| since(r)).collect();
    let next = account.read_place(&region(), Some(&last), &asked, now() + SignedDuration::from_mins(9)).await;
    let after: Vec<_> = next.protections.values().filter(|r| r.seen.is_none()).map(since).collect();
    assert_eq!(began, after, "failing since the first time");
}

#[tokio::test]
async fn questions_keep_to_our_own_rate() {
    let world = World::new().await;
    let fleet = world.fleet(7);
    let limits = Limits { calls_per_second: NonZeroU32::new(5).unwrap(), ..quick() };
    let account = reader(AccountSettings { limits, ..world.settings() }).await;
    let protections = fleet.iter().map(|id| HostId::from(id.as_str())).collect();
    let asked = Asked { protections, ..Asked::default() };
    let began = std::time::Instant::now();
    account.read_place(&region(), None, &asked, now()).await;
    assert_eq!(world.asked("DescribeInstanceAttribute"), 7);
    assert!(began.elapsed() >= std::time::Duration::from_millis(350), "five at once, then one each 200 ms");
}

#[tokio::test]
async fn a_question_without_end_is_given_up_and_said_to_be() {
    let world = World::new().await;
    make_group(&world, "shop", 1);
    world.strike(Rule::new("rds", "DescribeDBParameters", Fault::Latency { ms: 60_000 }));
    let limits = Limits { asked_time: std::time::Duration::from_millis(200), ..quick() };
    let account = reader(AccountSettings { limits, ..world.settings() }).await;
    let asked = parameters(&group("shop"), &["parameter_000"]);
    let inventory = account.read_place(&region(), None, &asked, now()).await;
    complete(&inventory.instances);
    let why = why(&inventory.parameters[&group("shop")]);
    assert_eq!(why.kind, FailureKind::TimedOut);
    assert!(why.message.contains("instance/shop"), "{}", why.message);
}
