//! Injected faults change what is told, in AWS's own words, and never the truth.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use rollcall_fakes::{
    aws::Launch,
    faults::{Fault, Rule},
};

use crate::client::Play;

fn on_listing(fault: Fault) -> Rule {
    Rule::new("ec2", "DescribeInstances", fault)
}

async fn with(hosts: u32, rule: Rule) -> (Play, BTreeSet<String>) {
    let play = Play::start().await;
    let ids = play.tokyo.launch(&Launch::of("t3.small").count(hosts)).unwrap();
    play.aws.stage().faults.add(rule).unwrap();
    (play, ids.into_iter().collect())
}

#[tokio::test]
async fn refusals_come_in_aws_s_words_and_pass() {
    for (fault, status, code) in [
        (
            Fault::Throttle { burst: 0.0, refill_per_second: 0.0, pace: rollcall_fakes::faults::Pace::World },
            503,
            "RequestLimitExceeded",
        ),
        (Fault::Denied, 403, "UnauthorizedOperation"),
        (Fault::Status { status: 500, body: None }, 500, "InternalError"),
        (Fault::Status { status: 503, body: None }, 503, "Unavailable"),
    ] {
        let (play, ids) = with(3, on_listing(fault).times(1)).await;
        let answer = play.client.ec2("DescribeInstances", &[]).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
        assert!(answer.one("RequestID").is_some());
        assert_eq!(play.client.pages(None, &[]).await.concat().len(), ids.len(), "then it is over");
    }
}

#[tokio::test]
async fn a_proxy_s_page_is_not_an_answer() {
    let (play, _) = with(3, on_listing(Fault::Garbage { body: None })).await;
    let answer = play.client.ec2("DescribeInstances", &[]).await;
    assert!(answer.status == 200 && answer.body.contains("<html>"));
}

#[tokio::test]
async fn an_empty_answer_looks_complete() {
    let (play, ids) = with(30, on_listing(Fault::EmptyAnswer)).await;
    let answer = play.client.ec2("DescribeInstances", &[("MaxResults", "5")]).await;
    assert_eq!((answer.all("instanceId").len(), answer.one("nextToken")), (0, None));
    assert_eq!(play.tokyo.living().len(), ids.len(), "the truth is untouched");
}

#[tokio::test]
async fn a_repeated_page_comes_twice_and_the_listing_goes_on() {
    let (play, ids) = with(20, on_listing(Fault::RepeatPage).after(1).times(1)).await;
    let pages = play.client.pages(Some(5), &[]).await;
    assert_eq!(pages.len(), 5);
    assert_eq!(pages[1], pages[2]);
    assert_eq!(pages.concat().into_iter().collect::<BTreeSet<_>>(), ids);
}

#[tokio::test]
async fn a_page_repeated_for_ever_has_no_end() {
    let (play, _) = with(6, on_listing(Fault::RepeatPage)).await;
    let first = play.client.ec2("DescribeInstances", &[("MaxResults", "5")]).await;
    let token = first.one("nextToken").unwrap();
    let again = play.client.ec2("DescribeInstances", &[("MaxResults", "5"), ("NextToken", &token)]).await;
    assert_eq!(again.all("instanceId"), first.all("instanceId"));
    assert_eq!(again.one("nextToken").unwrap(), token);
}

#[tokio::test]
async fn a_skipped_page_is_missing_without_a_word() {
    let (play, ids) = with(20, on_listing(Fault::SkipPage).after(1).times(1)).await;
    let pages = play.client.pages(Some(5), &[]).await;
    assert_eq!(pages.iter().map(Vec::len).sum::<usize>(), ids.len() - 5);
}

#[tokio::test]
async fn items_are_dropped_and_reordered() {
    let (play, ids) = with(20, on_listing(Fault::DropItems { items: 2 })).await;
    assert_eq!(play.client.pages(Some(10), &[]).await.concat().len(), ids.len() - 4);
    play.aws.stage().faults.clear();
    play.aws.stage().faults.add(on_listing(Fault::ReorderItems { seed: 1 })).unwrap();
    let told = play.client.pages(Some(10), &[]).await.concat();
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), ids);
}

#[tokio::test]
async fn a_stale_read_tells_the_world_as_it_was() {
    let (play, ids) = with(2, on_listing(Fault::StaleRead { seconds: 60 })).await;
    assert!(play.client.pages(None, &[]).await.concat().is_empty(), "launched a moment ago");
    play.pass(SignedDuration::from_secs(90));
    let id = ids.first().unwrap();
    play.client
        .ec2("CreateTags", &[("ResourceId.1", id), ("Tag.1.Key", "role"), ("Tag.1.Value", "web")])
        .await;
    play.tokyo.terminate(id).unwrap();
    let stale = play.client.ec2("DescribeInstances", &[("InstanceId.1", id)]).await;
    assert!(stale.body.contains("<name>running</name>") && !stale.body.contains("<key>role</key>"));
    play.pass(SignedDuration::from_secs(61));
    let later = play.client.ec2("DescribeInstances", &[("InstanceId.1", id)]).await;
    assert!(later.body.contains("<name>shutting-down</name>") && later.body.contains("<key>role</key>"));
}

#[tokio::test]
async fn a_cut_connection_is_an_error_and_not_a_short_fleet() {
    let (play, _) = with(50, on_listing(Fault::CutConnection { after_bytes: 20_000 }).times(1)).await;
    assert!(play.client.call("ec2", "DescribeInstances", &[]).await.is_err());
    assert_eq!(play.client.pages(None, &[]).await.concat().len(), 50);
}

#[tokio::test]
async fn a_fault_strikes_its_account_and_region_only_and_is_logged() {
    let play = Play::start().await;
    play.tokyo.launch(&Launch::of("t3.small")).unwrap();
    play.aws.stage().faults.add(on_listing(Fault::Denied).region("ap-northeast-1")).unwrap();
    assert_eq!(play.client.ec2("DescribeInstances", &[]).await.status, 403);
    assert_eq!(play.client.in_region("eu-west-1").ec2("DescribeInstances", &[]).await.status, 200);
    let log = play.aws.stage().calls.newest();
    assert_eq!((log[0].faults.as_slice(), log[0].status), (&["denied".to_owned()][..], 403));
    assert_eq!(play.aws.stage().calls.of("ec2", "DescribeInstances"), 2);
}

#[tokio::test]
async fn sts_is_struck_in_its_own_words() {
    let play = Play::start().await;
    play.aws.stage().faults.add(Rule::new("sts", "*", Fault::Denied)).unwrap();
    assert_eq!(play.client.sts("GetCallerIdentity", &[]).await.code(), "AccessDenied");
}
