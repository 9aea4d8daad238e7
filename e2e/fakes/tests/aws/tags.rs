//! Tags: what the API takes and refuses, and what the truth may hold beside it.

use rollcall_fakes::aws::Launch;

use crate::client::Play;

async fn create(play: &Play, id: &str, key: &str, value: &str) -> String {
    play.client
        .ec2("CreateTags", &[("ResourceId.1", id), ("Tag.1.Key", key), ("Tag.1.Value", value)])
        .await
        .code()
}

#[tokio::test]
async fn tags_are_created_overwritten_and_deleted() {
    let play = Play::start().await;
    let id = &play.tokyo.launch(&Launch::of("t3.small").tag("role", "web")).unwrap()[0];
    assert_eq!(create(&play, id, "role", "db").await, "");
    assert_eq!(create(&play, id, "所有者", "チーム ☃").await, "");
    let tags = |play: &Play| play.tokyo.instance(id).unwrap().tags;
    assert_eq!((tags(&play)["role"].as_str(), tags(&play)["所有者"].as_str()), ("db", "チーム ☃"));

    let other_value = [("ResourceId.1", id.as_str()), ("Tag.1.Key", "role"), ("Tag.1.Value", "web")];
    play.client.ec2("DeleteTags", &other_value).await;
    assert!(tags(&play).contains_key("role"), "only with the value named");
    play.client.ec2("DeleteTags", &other_value[..2]).await;
    assert!(!tags(&play).contains_key("role"));
}

#[tokio::test]
async fn the_api_refuses_what_aws_refuses() {
    let play = Play::start().await;
    let id = &play.tokyo.launch(&Launch::of("t3.small")).unwrap()[0];
    for (key, value, code) in [
        ("aws:autoscaling:groupName", "x", "InvalidParameterValue"),
        ("AWS:x", "x", "InvalidParameterValue"),
        (&"k".repeat(129), "x", "InvalidParameterValue"),
        ("k", &"v".repeat(257), "InvalidParameterValue"),
        ("k", "bell\u{7}", "InvalidParameterValue"),
        ("", "x", "MissingParameter"),
        (&"環".repeat(128), &"境".repeat(256), ""),
    ] {
        assert_eq!(create(&play, id, key, value).await, code, "{key:.20}");
    }
    assert_eq!(create(&play, "i-0123456789abcdef0", "k", "v").await, "InvalidInstanceID.NotFound");
    assert_eq!(create(&play, "vol-0123456789abcdef0", "k", "v").await, "InvalidVolume.NotFound");
    assert_eq!(create(&play, "x-1", "k", "v").await, "InvalidID");
}

#[tokio::test]
async fn fifty_tags_are_enough_and_those_of_aws_do_not_count() {
    let play = Play::start().await;
    let id = &play.tokyo.launch(&Launch::of("t3.small").tag("aws:ec2:fleet-id", "f")).unwrap()[0];
    for n in 0..50 {
        assert_eq!(create(&play, id, &format!("k{n}"), "v").await, "");
    }
    assert_eq!(create(&play, id, "one-more", "v").await, "TagLimitExceeded");
    assert_eq!(create(&play, id, "k7", "w").await, "", "changing one is no more");
    play.client.ec2("DeleteTags", &[("ResourceId.1", id)]).await;
    assert_eq!(play.tokyo.instance(id).unwrap().tags.len(), 1, "all but AWS's own");
}

#[tokio::test]
async fn the_truth_may_hold_what_the_api_would_refuse() {
    let play = Play::start().await;
    let id = &play.tokyo.launch(&Launch::of("t3.small")).unwrap()[0];
    play.tokyo.tag(id, "Name", "\u{1b}[31mred\u{0}").unwrap();
    let answer = play.client.ec2("DescribeInstances", &[]).await;
    assert!(answer.body.contains("<value>\u{FFFD}[31mred\u{FFFD}</value>"), "and the XML stays well-formed");
}
