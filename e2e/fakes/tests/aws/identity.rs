//! Who calls, and what they may.

use rollcall_fakes::aws::{Launch, Role};

use crate::client::{ACCOUNT, Client, Play};

const OTHER: &str = "444455556666";

fn observer(trusts: &str) -> Role {
    Role {
        name: "observer".into(),
        trusts: vec![trusts.into()],
        external_id: Some("roll-call".into()),
        denies: vec!["ec2:DescribeVolumes".into()],
    }
}

async fn assume(client: &Client, arn: &str, external_id: &str) -> Client {
    let params = [("RoleArn", arn), ("RoleSessionName", "rollcall-prod"), ("ExternalId", external_id)];
    let answer = client.sts("AssumeRole", &params).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let token = answer.one("SessionToken").unwrap();
    client.with_key(&answer.one("AccessKeyId").unwrap(), Some(&token))
}

#[tokio::test]
async fn a_key_says_whose_it_is() {
    let play = Play::start().await;
    let answer = play.client.sts("GetCallerIdentity", &[]).await;
    assert_eq!(answer.one("Account").as_deref(), Some(ACCOUNT));
    assert_eq!(answer.one("Arn").unwrap(), format!("arn:aws:iam::{ACCOUNT}:user/reader"));
    assert!(answer.one("RequestId").is_some());
}

#[tokio::test]
async fn an_unknown_key_is_refused_in_each_service_s_words() {
    let play = Play::start().await;
    let stranger = play.client.with_key("AKIANOBODY", None);
    let ec2 = stranger.ec2("DescribeInstances", &[]).await;
    assert_eq!((ec2.status, ec2.code().as_str()), (401, "AuthFailure"));
    let sts = stranger.sts("GetCallerIdentity", &[]).await;
    assert_eq!((sts.status, sts.code().as_str()), (403, "InvalidClientTokenId"));
    play.aws.account(ACCOUNT).remove_key(&play.client.key);
    assert_eq!(play.client.ec2("DescribeInstances", &[]).await.code(), "AuthFailure", "a key taken away");
}

#[tokio::test]
async fn an_assumed_role_sees_its_own_account_and_is_denied_what_it_is_denied() {
    let play = Play::start().await;
    let other = play.aws.account(OTHER);
    let there = other.region("ap-northeast-1").launch(&Launch::of("t3.small").count(2)).unwrap();
    play.tokyo.launch(&Launch::of("t3.small")).unwrap();
    let arn = other.set_role(observer(ACCOUNT));

    let role = assume(&play.client, &arn, "roll-call").await;
    let identity = role.sts("GetCallerIdentity", &[]).await;
    assert_eq!(identity.one("Account").as_deref(), Some(OTHER));
    assert_eq!(
        identity.one("Arn").unwrap(),
        format!("arn:aws:sts::{OTHER}:assumed-role/observer/rollcall-prod")
    );
    let mut seen = role.pages(Some(5), &[]).await.concat();
    seen.sort();
    let mut there = there;
    there.sort();
    assert_eq!(seen, there);

    let denied = role.ec2("DescribeVolumes", &[]).await;
    assert_eq!((denied.status, denied.code().as_str()), (403, "UnauthorizedOperation"));
    assert!(
        denied.one("Message").unwrap().contains("assumed-role/observer") && denied.one("RequestID").is_some()
    );
    assert!(other.deny(&arn, &[]));
    assert_eq!(role.ec2("DescribeVolumes", &[]).await.status, 200, "a right given back holds at once");

    let half = role.with_key(&role.key, None);
    assert_eq!(half.ec2("DescribeInstances", &[]).await.code(), "AuthFailure", "without its session token");
}

#[tokio::test]
async fn a_role_is_refused_without_saying_why() {
    let play = Play::start().await;
    let other = play.aws.account(OTHER);
    let arn = other.set_role(observer(ACCOUNT));
    let closed = other.set_role(Role {
        name: "closed".into(),
        trusts: vec!["777788889999".into()],
        ..Role::default()
    });
    let absent = format!("arn:aws:iam::{OTHER}:role/absent");
    for (arn, external_id) in [(&arn, "guess"), (&closed, ""), (&absent, "")] {
        let params =
            [("RoleArn", arn.as_str()), ("RoleSessionName", "rollcall"), ("ExternalId", external_id)];
        let answer = play.client.sts("AssumeRole", &params).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "AccessDenied"), "{arn} {external_id}");
    }
    let spaces = [("RoleArn", arn.as_str()), ("RoleSessionName", "two words"), ("ExternalId", "roll-call")];
    assert_eq!(play.client.sts("AssumeRole", &spaces).await.code(), "ValidationError");
}

#[tokio::test]
async fn a_role_may_assume_a_role_for_an_hour_at_most() {
    let play = Play::start().await;
    let own = play.aws.account(ACCOUNT);
    let hub = own.set_role(Role { name: "hub".into(), trusts: vec![ACCOUNT.into()], ..Role::default() });
    let arn = play.aws.account(OTHER).set_role(observer(&hub));
    let base = play
        .client
        .sts("AssumeRole", &[("RoleArn", &arn), ("RoleSessionName", "x1"), ("ExternalId", "roll-call")])
        .await;
    assert_eq!(base.code(), "AccessDenied", "only the hub is trusted");

    let through = assume(&play.client, &hub, "").await;
    assume(&through, &arn, "roll-call").await;
    let long = [
        ("RoleArn", arn.as_str()),
        ("RoleSessionName", "x2"),
        ("ExternalId", "roll-call"),
        ("DurationSeconds", "7200"),
    ];
    assert_eq!(through.sts("AssumeRole", &long).await.code(), "ValidationError");
}

#[tokio::test]
async fn a_session_remembers_its_policy_and_tags() {
    let play = Play::start().await;
    let arn = play.aws.account(OTHER).set_role(observer("*"));
    let params = [
        ("RoleArn", arn.as_str()),
        ("RoleSessionName", "rollcall-act"),
        ("ExternalId", "roll-call"),
        ("Policy", "{\"Version\":\"2012-10-17\"}"),
        ("Tags.member.1.Key", "environment"),
        ("Tags.member.1.Value", "prod"),
    ];
    assert_eq!(play.client.sts("AssumeRole", &params).await.status, 200);
    let session = play.aws.account(OTHER).sessions().remove(0);
    assert_eq!(session.policy.as_deref(), Some("{\"Version\":\"2012-10-17\"}"));
    assert_eq!(session.tags["environment"], "prod");
}
