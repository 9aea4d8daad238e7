//! Who we are, and that it is proved before anything is believed.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use rollcall_aws::{AccountSettings, AssumeRole, Identity, Limits, StaticKeys};
use rollcall_engine::inventory::Asked;
use rollcall_engine::reading::FailureKind;
use rollcall_fakes::aws::Role;
use rollcall_fakes::calls::Which;
use rollcall_fakes::faults::{Fault, Rule};

use crate::world::{ACCOUNT, KEY, REGION, World, complete, now, quick, reader, region, why};

const OPERATOR: &str = "999999999999";
const OPERATOR_KEY: &str = "AKIAOPERATOR00000000";

/// A role in the account for the operator, who lives in another one.
fn role(world: &World, external_id: Option<&str>) -> AccountSettings {
    world.aws.account(OPERATOR).add_key("operator", OPERATOR_KEY);
    let trusted = Role {
        name: "rollcall-observe".to_owned(),
        trusts: vec![OPERATOR.to_owned()],
        external_id: Some("backlog-7".to_owned()),
        denies: vec![],
    };
    let role_arn = world.aws.account(ACCOUNT).set_role(trusted);
    AccountSettings {
        identity: Identity::Static(StaticKeys::new(OPERATOR_KEY, "s", None)),
        assume: Some(AssumeRole { role_arn, external_id: external_id.map(str::to_owned) }),
        ..world.settings()
    }
}

#[tokio::test]
async fn credentials_of_another_account_read_nothing() {
    let world = World::new().await;
    world.fleet(3);
    let settings = AccountSettings { account: "111111111111".into(), ..world.settings() };
    let account = reader(settings).await;
    let inventory = account.read_place(&region(), None, &Asked::default(), now()).await;
    for why in [why(&inventory.instances), why(&inventory.volumes), why(&inventory.addresses)] {
        assert_eq!(why.kind, FailureKind::WrongAccount);
        for part in ["expected 111111111111", "found 123456789012", "user/reader", "Next step"] {
            assert!(why.message.contains(part), "{}", why.message);
        }
    }
    assert_eq!(world.asked("DescribeInstances") + world.asked("DescribeVolumes"), 0, "EC2 was never asked");
    assert_eq!(account.principal(), None);
}

#[tokio::test]
async fn the_proof_comes_first_and_again_when_it_has_aged() {
    let world = World::new().await;
    let limits = Limits { proof_age: Duration::from_secs(2), ..quick() };
    let account = reader(AccountSettings { limits, ..world.settings() }).await;
    assert_eq!(world.asked("GetCallerIdentity"), 0, "building a reader asks nothing");
    account.read_place(&region(), None, &Asked::default(), now()).await;
    account.read_place(&region(), None, &Asked::default(), now()).await;
    assert_eq!(world.asked("GetCallerIdentity"), 1);
    assert_eq!(account.principal().as_deref(), Some("arn:aws:iam::123456789012:user/reader"));
    tokio::time::sleep(Duration::from_millis(2_050)).await;
    complete(&account.read_instances(&region(), now()).await);
    assert_eq!(world.asked("GetCallerIdentity"), 2);
}

#[tokio::test]
async fn without_a_proof_nothing_is_read_and_sts_is_left_in_peace() {
    let world = World::new().await;
    world.strike(Rule::new("sts", "GetCallerIdentity", Fault::Status { status: 500, body: None }));
    let limits = Limits { proof_pause: Duration::from_mins(1), attempts: 2, ..quick() };
    let account = reader(AccountSettings { limits, ..world.settings() }).await;
    for _ in 0..3 {
        let inventory = account.read_place(&region(), None, &Asked::default(), now()).await;
        assert_eq!(why(&inventory.instances).kind, FailureKind::SourceError);
        assert!(why(&inventory.volumes).message.contains("sts GetCallerIdentity"));
    }
    assert_eq!((world.asked("GetCallerIdentity"), world.asked("DescribeInstances")), (2, 0));
}

#[tokio::test]
async fn keys_that_nobody_knows_are_denied_with_the_next_step() {
    let world = World::new().await;
    let identity = Identity::Static(StaticKeys::new("AKIANOBODY0000000000", "s", None));
    let account = reader(AccountSettings { identity, ..world.settings() }).await;
    let why = why(&account.read_instances(&region(), now()).await);
    assert_eq!(why.kind, FailureKind::Denied);
    assert!(
        why.message.contains("InvalidClientTokenId") && why.message.contains("renew the Secret"),
        "{}",
        why.message
    );
}

#[tokio::test]
async fn a_region_that_is_off_is_named() {
    let world = World::new().await;
    let regions = vec![REGION.into(), "me-south-1".into()];
    let account = reader(AccountSettings { regions, ..world.settings() }).await;
    let why = why(&account.read_instances(&"me-south-1".into(), now()).await);
    assert_eq!(why.kind, FailureKind::Denied, "{}", why.message);
    assert!(why.message.contains("enable me-south-1"), "{}", why.message);
    complete(&account.read_instances(&region(), now()).await);
}

#[tokio::test]
async fn a_role_is_taken_on_once_for_all_listings_and_regions() {
    let world = World::new().await;
    let fleet = world.fleet(8);
    let settings = role(&world, Some("backlog-7"));
    let regions = vec![REGION.into(), "us-east-1".into()];
    let account = reader(AccountSettings { regions, ..settings }).await;
    let inventory = account.read_place(&region(), None, &Asked::default(), now()).await;
    complete(&inventory.instances);
    assert_eq!(inventory.instances.seen.len(), fleet.len());
    complete(&account.read_instances(&"us-east-1".into(), now()).await);
    assert_eq!((world.asked("AssumeRole"), world.asked("GetCallerIdentity")), (1, 1));
    let session = &world.aws.account(ACCOUNT).sessions()[0];
    assert_eq!((session.name.as_str(), session.account.as_str()), ("rollcall-observe", ACCOUNT));
    assert_eq!(
        account.principal().as_deref(),
        Some("arn:aws:sts::123456789012:assumed-role/rollcall-observe")
    );
}

#[tokio::test]
async fn the_wrong_external_id_is_denied_with_the_next_step() {
    for external_id in [None, Some("somebody-else")] {
        let world = World::new().await;
        let account = reader(role(&world, external_id)).await;
        let why = why(&account.read_instances(&region(), now()).await);
        assert_eq!(why.kind, FailureKind::Denied, "{}", why.message);
        for part in ["sts AssumeRole", "AccessDenied", "spec.observe.externalID"] {
            assert!(why.message.contains(part), "{}", why.message);
        }
        assert!(!why.message.contains("somebody-else"));
        assert_eq!(world.asked("DescribeInstances"), 0);
    }
}

/// Tells the SDK that sessions end within four seconds, and hands out `key` instead of the second one's, if given.
fn short_lived(router: Router, key: Option<&'static str>) -> Router {
    let sessions = Arc::new(AtomicU64::new(0));
    let meddle = move |request: Request, next: Next| {
        let sessions = Arc::clone(&sessions);
        async move { meddled(next.run(request).await, &sessions, key).await }
    };
    router.layer(middleware::from_fn(meddle))
}

async fn meddled(answer: Response, sessions: &AtomicU64, key: Option<&str>) -> Response {
    let (mut parts, body) = answer.into_parts();
    let mut text = String::from_utf8(to_bytes(body, 1 << 24).await.unwrap().to_vec()).unwrap();
    if text.contains("<AssumeRoleResponse") {
        let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(4);
        text = replaced(&text, "Expiration", &soon.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        if let (Some(key), 1..) = (key, sessions.fetch_add(1, Ordering::Relaxed)) {
            text = replaced(&text, "AccessKeyId", key);
        }
    }
    parts.headers.remove("content-length");
    Response::from_parts(parts, Body::from(text))
}

fn replaced(text: &str, element: &str, by: &str) -> String {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let (before, rest) = text.split_once(&open).unwrap();
    let (_, after) = rest.split_once(&close).unwrap();
    format!("{before}{open}{by}{close}{after}")
}

#[tokio::test]
async fn new_credentials_are_proved_before_they_are_used() {
    let world = World::behind(|router| short_lived(router, None)).await;
    world.fleet(3);
    let limits = Limits { renew_ahead: Duration::ZERO, ..quick() };
    let account = reader(AccountSettings { limits, ..role(&world, Some("backlog-7")) }).await;
    complete(&account.read_instances(&region(), now()).await);
    tokio::time::sleep(Duration::from_millis(4_100)).await;
    complete(&account.read_instances(&region(), now()).await);
    assert_eq!(
        (world.asked("AssumeRole"), world.asked("GetCallerIdentity")),
        (2, 2),
        "no restart was needed"
    );
}

#[tokio::test]
async fn credentials_that_turn_into_another_account_s_are_held_back() {
    let world = World::behind(|router| short_lived(router, Some(OPERATOR_KEY))).await;
    world.fleet(3);
    let limits = Limits { renew_ahead: Duration::ZERO, ..quick() };
    let account = reader(AccountSettings { limits, ..role(&world, Some("backlog-7")) }).await;
    complete(&account.read_instances(&region(), now()).await);
    tokio::time::sleep(Duration::from_millis(4_100)).await;
    let reading = account.read_instances(&region(), now()).await;
    assert_eq!(why(&reading).kind, FailureKind::WrongAccount, "{}", why(&reading).message);
    let elsewhere = Which { service: Some("ec2".into()), account: Some(OPERATOR.into()), ..Which::default() };
    assert_eq!(
        world.aws.stage().calls.matching(&elsewhere),
        0,
        "not one request left with those credentials"
    );
}

/// What the child processes of the next tests run: the reader with nothing but what its environment gives it.
#[tokio::test]
#[ignore = "run by the tests below, in an environment of their making"]
async fn ambient_child() {
    let settings = AccountSettings {
        account: ACCOUNT.into(),
        regions: vec![region()],
        identity: Identity::Ambient,
        assume: None,
        endpoint_url: None,
        limits: quick(),
    };
    let reading = reader(settings).await.read_instances(&region(), now()).await;
    println!("SEEN {} {:?}", reading.seen.len(), reading.extent);
}

fn ambient(environment: &[(&str, &str)]) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "identity::ambient_child", "--ignored", "--nocapture"])
        .env_clear()
        .env("HOME", home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_s_credentials_and_endpoint_are_taken() {
    let world = World::new().await;
    world.fleet(3);
    let (url, key) = (("AWS_ENDPOINT_URL", world.url.as_str()), ("AWS_ACCESS_KEY_ID", KEY));
    let said = ambient(&[url, key, ("AWS_SECRET_ACCESS_KEY", "s")]);
    assert!(said.contains("SEEN 3 Complete"), "{said}");
    let said = ambient(&[url]);
    assert!(said.contains("Misconfigured") && said.contains("found no credentials"), "{said}");
}
