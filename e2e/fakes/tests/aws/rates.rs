//! EC2's published limits, when they are switched on.

use rollcall_fakes::{aws::Launch, calls::Which};

use crate::client::Play;

#[tokio::test]
async fn twenty_pages_in_a_row_are_fine_and_a_storm_is_not() {
    let play = Play::start().await;
    play.tokyo.launch(&Launch::of("t3.small").count(200)).unwrap();
    play.aws.enforce_rates(true);
    assert_eq!(play.client.pages(Some(10), &[]).await.len(), 20);

    // As fast as it goes, until the bucket is empty: the machine only has to make more than 20 calls a second.
    let mut storm = 0;
    let refusal = loop {
        let answer = play.client.ec2("DescribeInstances", &[("MaxResults", "5")]).await;
        storm += 1;
        if answer.status != 200 {
            break answer;
        }
        assert!(storm < 10_000, "nothing is ever refused");
    };
    assert_eq!((refusal.status, refusal.code().as_str()), (503, "RequestLimitExceeded"));
    assert!(storm > 79, "the 20 pages left 80 tokens: {storm}");
    assert_eq!(
        play.client.ec2("DescribeVolumes", &[("MaxResults", "5")]).await.status,
        200,
        "its own bucket"
    );
    let elsewhere = play.client.in_region("eu-west-1");
    assert_eq!(
        elsewhere.ec2("DescribeInstances", &[("MaxResults", "5")]).await.status,
        200,
        "its own region"
    );

    let throttled = Which { error: Some("RequestLimitExceeded".into()), ..Which::default() };
    assert_eq!(play.aws.stage().calls.matching(&throttled), 1);
}
