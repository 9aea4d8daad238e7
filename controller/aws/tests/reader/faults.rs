//! What is read when AWS, or something on the way, misbehaves: never less than was said without saying so.

use std::time::Duration;

use rollcall_aws::{AccountSettings, Limits};
use rollcall_engine::inventory::Asked;
use rollcall_engine::reading::{Extent, FailureKind, Reading};
use rollcall_fakes::faults::{Fault, Pace, Rule};

use crate::world::{World, complete, ids, now, quick, reader, region, why};

/// 12 hosts in pages of 5 are three pages.
const FLEET: u32 = 12;

fn describe(fault: Fault) -> Rule {
    Rule::new("ec2", "DescribeInstances", fault)
}

fn garbage(body: &str) -> Fault {
    Fault::Garbage { body: Some(body.to_owned()) }
}

fn status(status: u16, body: Option<&str>) -> Fault {
    Fault::Status { status, body: body.map(str::to_owned) }
}

/// As an answer that something on the way cut, and whose length it corrected.
const CUT_XML: &str = "<?xml version=\"1.0\"?><DescribeInstancesResponse><requestId>r</requestId><reservationSet>\
     <item><instancesSet><item><instanceId>i-1</instanceId></item></instancesSet></item>";

fn refusal(code: &str) -> String {
    format!("<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors></Response>")
}

#[tokio::test]
async fn each_mishap_has_its_category_and_is_over_when_it_is_over() {
    let (denied, opt_in) = (refusal("UnauthorizedOperation"), refusal("OptInRequired"));
    let stories = [
        ("refused", Fault::Denied, FailureKind::Denied, "ec2:DescribeInstances"),
        (
            "no rights",
            status(403, Some(&denied)),
            FailureKind::Denied,
            "arn:aws:iam::123456789012:user/reader",
        ),
        ("not opted in", status(401, Some(&opt_in)), FailureKind::Denied, "spec.regions"),
        ("a 500 without words", status(500, None), FailureKind::SourceError, "HTTP 500"),
        (
            "a balancer's page",
            status(503, Some("<html>Bad day</html>")),
            FailureKind::SourceError,
            "HTTP 503",
        ),
        ("a redirect", status(302, Some("")), FailureKind::Malformed, "HTTP 302"),
        ("a sign-in page", Fault::Garbage { body: None }, FailureKind::Malformed, "found <html>"),
        ("an empty body", garbage(""), FailureKind::Malformed, "holds no element"),
        ("a cut document", garbage(CUT_XML), FailureKind::Malformed, "ends before the document does"),
        (
            "an answer without its list",
            garbage("<DescribeInstancesResponse><requestId>r</requestId></DescribeInstancesResponse>"),
            FailureKind::Malformed,
            "holds no list",
        ),
        (
            "an answer that the SDK cannot read",
            garbage(
                "<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-1</instanceId>\
                 <launchTime>yesterday</launchTime></item></instancesSet></item></reservationSet>\
                 </DescribeInstancesResponse>",
            ),
            FailureKind::Malformed,
            "a value that the SDK cannot read",
        ),
        ("a cut connection", Fault::CutConnection { after_bytes: 300 }, FailureKind::Unreachable, "egress"),
        (
            "an empty bucket",
            Fault::Throttle { burst: 0.0, refill_per_second: 0.0, pace: Pace::Machine },
            FailureKind::Throttled,
            "RequestLimitExceeded",
        ),
    ];
    for (story, fault, kind, says) in stories {
        let world = World::new().await;
        let fleet = world.fleet(FLEET);
        let account = world.reader().await;

        world.strike(describe(fault.clone()));
        let whole = account.read_instances(&region(), now()).await;
        let Extent::Failed { why: first, .. } = &whole.extent else { panic!("{story}: {:?}", whole.extent) };
        assert_eq!(first.kind, kind, "{story}: {}", first.message);
        assert!(first.message.contains(says), "{story}: {}", first.message);
        assert!(first.message.contains("123456789012/ap-northeast-1"), "{story}: {}", first.message);
        assert!(whole.seen.is_empty());

        world.aws.stage().faults.clear();
        world.strike(describe(fault).after(1));
        let later = account.read_instances(&region(), now()).await;
        let Extent::Partial { missing, .. } = &later.extent else { panic!("{story}: {:?}", later.extent) };
        assert_eq!(missing[0].what, "page 2 and later", "{story}");
        assert_eq!(missing[0].why.kind, kind, "{story}: {}", missing[0].why.message);
        assert_eq!(later.seen.len(), 5, "{story}: what was seen is kept");

        world.aws.stage().faults.clear();
        let after = account.read_instances(&region(), now()).await;
        complete(&after);
        assert_eq!(ids(&after), fleet, "{story}");
    }
}

#[tokio::test]
async fn a_passing_mishap_is_retried_and_leaves_no_trace() {
    for fault in [
        Fault::Throttle { burst: 1.0, refill_per_second: 0.0, pace: Pace::Machine },
        status(500, None),
        status(503, Some("<html>")),
        Fault::CutConnection { after_bytes: 300 },
        garbage(CUT_XML),
        Fault::Garbage { body: None },
    ] {
        let world = World::new().await;
        let fleet = world.fleet(FLEET);
        world.strike(describe(fault.clone()).after(1).times(2));
        let account = world.reader().await;
        let reading = account.read_instances(&region(), now()).await;
        assert!(matches!(reading.extent, Extent::Complete { .. }), "{fault:?}: {:?}", reading.extent);
        assert_eq!(ids(&reading), fleet);
        let calls = account.calls();
        let failed: u64 = calls.iter().filter(|c| c.failure.is_some()).map(|c| c.count).sum();
        assert!(failed >= 1, "the attempts are counted: {calls:?}");
    }
}

/// A message ends up in a status, and a status that changes is a write.
#[tokio::test]
async fn the_same_mishap_has_the_same_words_each_time() {
    for fault in [
        Fault::Denied,
        status(500, None),
        Fault::Garbage { body: None },
        Fault::CutConnection { after_bytes: 300 },
    ] {
        let world = World::new().await;
        world.fleet(FLEET);
        let account = world.reader().await;
        world.strike(describe(fault.clone()).after(2));
        let mut told = Vec::new();
        for _ in 0..2 {
            told.push(why(&account.read_instances(&region(), now()).await));
        }
        assert_eq!(told[0], told[1], "{fault:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_not_retried() {
    let world = World::new().await;
    world.strike(describe(Fault::Denied));
    world.reader().await.read_instances(&region(), now()).await;
    assert_eq!(world.asked("DescribeInstances"), 1);
}

#[tokio::test]
async fn a_page_told_twice_shows() {
    let world = World::new().await;
    world.fleet(FLEET);
    world.strike(describe(Fault::RepeatPage).after(1).times(1));
    let once = world.reader().await.read_instances(&region(), now()).await;
    assert_eq!((once.seen.len(), why(&once).kind), (10, FailureKind::Malformed));
    assert!(why(&once).message.contains("leads back"), "{}", why(&once).message);

    world.aws.stage().faults.clear();
    world.strike(describe(Fault::RepeatPage));
    let before = world.asked("DescribeInstances");
    let always = world.reader().await.read_instances(&region(), now()).await;
    assert_eq!((always.seen.len(), why(&always).kind), (5, FailureKind::Malformed));
    assert!(world.asked("DescribeInstances") - before <= 3, "it does not go in circles");
}

#[tokio::test]
async fn order_does_not_matter() {
    let world = World::new().await;
    let fleet = world.fleet(FLEET);
    world.strike(describe(Fault::ReorderItems { seed: 7 }));
    let reading = world.reader().await.read_instances(&region(), now()).await;
    complete(&reading);
    assert_eq!(ids(&reading), fleet);
}

/// No reader can see what AWS does not tell. That a fleet vanishes from one listing to the next is for the engine
/// to doubt: it wants two such readings, and none when the population fell by more than a set share.
#[tokio::test]
async fn an_empty_answer_in_due_form_is_told_as_it_is() {
    let world = World::new().await;
    world.fleet(FLEET);
    world.strike(describe(Fault::EmptyAnswer));
    let reading = world.reader().await.read_instances(&region(), now()).await;
    complete(&reading);
    assert!(reading.seen.is_empty());
}

#[tokio::test]
async fn one_refused_listing_blinds_only_itself() {
    let world = World::new().await;
    world.fleet(3);
    assert!(world.aws.account(crate::world::ACCOUNT).deny(crate::world::KEY, &["ec2:DescribeVolumes"]));
    let inventory = world.reader().await.read_place(&region(), None, &Asked::default(), now()).await;
    complete(&inventory.instances);
    complete(&inventory.addresses);
    let why = why(&inventory.volumes);
    assert_eq!(why.kind, FailureKind::Denied);
    assert!(
        why.message.contains("allow arn:aws:iam::123456789012:user/reader ec2:DescribeVolumes"),
        "{}",
        why.message
    );
    assert!(!inventory.volumes.request_ids.is_empty(), "AWS's support asks for it");
}

fn limited(world: &World, limits: Limits) -> AccountSettings {
    AccountSettings { limits, ..world.settings() }
}

#[tokio::test]
async fn a_slow_answer_times_out_and_a_slow_listing_too() {
    let world = World::new().await;
    world.fleet(FLEET);
    world.strike(describe(Fault::Latency { ms: 400 }));
    let attempt = Limits { attempt_time: Duration::from_millis(150), attempts: 2, ..quick() };
    let account = reader(limited(&world, attempt)).await;
    let reading = account.read_instances(&region(), now()).await;
    assert_eq!(why(&reading).kind, FailureKind::TimedOut, "{}", why(&reading).message);
    let timed_out = account.calls().into_iter().find(|c| c.failure == Some(FailureKind::TimedOut));
    assert_eq!(timed_out.map(|c| (c.operation, c.count)), Some(("DescribeInstances", 2)));

    let listing = Limits { listing_time: Duration::from_secs(1), ..quick() };
    let reading: Reading<_> = reader(limited(&world, listing)).await.read_instances(&region(), now()).await;
    let Extent::Partial { missing, .. } = &reading.extent else { panic!("{:?}", reading.extent) };
    assert_eq!(missing[0].why.kind, FailureKind::TimedOut, "{}", missing[0].why.message);
    assert!([5, 10].contains(&reading.seen.len()), "{} of 12 in a second", reading.seen.len());
}

#[tokio::test]
async fn more_than_the_limits_allow_is_said() {
    let world = World::new().await;
    world.fleet(FLEET);
    for (limits, seen) in [
        (Limits { max_pages: 2, ..quick() }, 10),
        (Limits { max_items: 7, ..quick() }, 7),
        (Limits { max_answer_bytes: 2_000, ..quick() }, 0),
    ] {
        let before = world.asked("DescribeInstances");
        let reading = reader(limited(&world, limits)).await.read_instances(&region(), now()).await;
        assert_eq!((why(&reading).kind, reading.seen.len()), (FailureKind::TooLarge, seen));
        assert!(world.asked("DescribeInstances") - before <= 2, "what is too large is not asked for again");
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_a_failure_knows_since_when() {
    let world = World::new().await;
    let nowhere = AccountSettings { endpoint_url: Some("http://127.0.0.1:9".to_owned()), ..world.settings() };
    let account = reader(nowhere).await;
    let later = now() + jiff::SignedDuration::from_mins(5);
    for at in [now(), later] {
        let reading = account.read_instances(&region(), at).await;
        let Extent::Failed { since, why } = &reading.extent else { panic!("{:?}", reading.extent) };
        assert_eq!((*since, why.kind), (now(), FailureKind::Unreachable), "{}", why.message);
    }
}
