//! What we take from an account's quota, and that accounts do not take from each other.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use rollcall_aws::{AccountSettings, Identity, Limits, StaticKeys};
use rollcall_engine::reading::{Extent, FailureKind};
use rollcall_fakes::calls::Which;
use rollcall_fakes::faults::{Fault, Pace, Rule};

use crate::world::{ACCOUNT, World, complete, now, quick, reader, region, why};

#[tokio::test]
async fn twenty_thousand_hosts_are_twenty_calls_and_ec2_never_throttles_them() {
    let world = World::new().await;
    world.fleet(20_000);
    world.aws.enforce_rates(true);
    let settings = AccountSettings { limits: Limits::default(), ..world.settings() };
    let account = reader(settings).await;
    let reading = account.read_instances(&region(), now()).await;
    complete(&reading);
    assert_eq!(reading.seen.len(), 20_000);
    assert_eq!(world.asked("DescribeInstances"), 20);
    let calls: Vec<_> = account.calls().into_iter().map(|c| (c.operation, c.failure, c.count)).collect();
    assert_eq!(calls, [("DescribeInstances", None, 20), ("GetCallerIdentity", None, 1)]);
}

#[tokio::test]
async fn our_own_rate_holds_for_each_action_and_shows_what_is_left() {
    let world = World::new().await;
    world.fleet(60);
    let limits = Limits { calls_per_second: NonZeroU32::new(8).unwrap(), ..quick() };
    let account = reader(AccountSettings { limits, ..world.settings() }).await;
    let left = |operation| {
        let all = account.allowances();
        all.into_iter().find(|a| a.operation == operation).map(|a| (a.tokens, a.per_second))
    };
    assert_eq!(left("DescribeInstances"), Some((8, 8)));
    let began = Instant::now();
    complete(&account.read_instances(&region(), now()).await);
    assert!(began.elapsed() >= Duration::from_millis(450), "12 pages at 8 a second: {:?}", began.elapsed());
    assert!(left("DescribeInstances").unwrap().0 < 8);
    assert_eq!(left("DescribeVolumes"), Some((8, 8)), "each action has its own");
}

#[tokio::test]
async fn a_throttled_account_does_not_use_up_the_retries_of_another() {
    const OTHER: &str = "210987654321";
    let world = World::new().await;
    world.fleet(3);
    let other = world.aws.account(OTHER);
    other.add_key("reader", "AKIAOTHER00000000000");
    let other = AccountSettings {
        account: OTHER.into(),
        identity: Identity::Static(StaticKeys::new("AKIAOTHER00000000000", "s", None)),
        ..world.settings()
    };
    let (loud, quiet) = (reader(other).await, world.reader().await);

    let never = Fault::Throttle { burst: 0.0, refill_per_second: 0.0, pace: Pace::Machine };
    world.strike(Rule::new("ec2", "DescribeInstances", never).account(OTHER));
    let of_other = || {
        let which = Which {
            operation: Some("DescribeInstances".to_owned()),
            account: Some(OTHER.to_owned()),
            ..Which::default()
        };
        world.aws.stage().calls.matching(&which)
    };
    let mut last = 0;
    for _ in 0..40 {
        let before = of_other();
        assert_eq!(why(&loud.read_instances(&region(), now()).await).kind, FailureKind::Throttled);
        last = of_other() - before;
    }
    assert_eq!(last, 1, "its retries are used up: 500 tokens, five a retry");

    let bad_moment = Fault::Status { status: 500, body: None };
    world.strike(Rule::new("ec2", "DescribeInstances", bad_moment).account(ACCOUNT).times(3));
    let reading = quiet.read_instances(&region(), now()).await;
    assert!(matches!(reading.extent, Extent::Complete { .. }), "{:?}", reading.extent);
}
