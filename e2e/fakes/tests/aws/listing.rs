//! `DescribeInstances` and its sisters: what is shown, what filters leave, what is refused.

use jiff::SignedDuration;
use rollcall_fakes::aws::Launch;

use crate::client::Play;

#[tokio::test]
async fn a_host_shows_the_fields_that_readers_use() {
    let play = Play::start().await;
    let profile = "arn:aws:iam::111122223333:instance-profile/web";
    let launch = Launch {
        public: true,
        profile: Some(profile.into()),
        key_name: Some("ops".into()),
        ..Launch::of("m5.large")
            .zone("c")
            .tag("Name", "web<1>&環境")
            .tag("aws:cloudformation:stack-name", "old")
    };
    let id = &play.tokyo.launch(&launch).unwrap()[0];
    let truth = play.tokyo.instance(id).unwrap();
    play.pass(SignedDuration::from_mins(1));
    let answer = play.client.ec2("DescribeInstances", &[]).await;
    let private = truth.private_ip.unwrap().to_string();
    let public = truth.public_ip.unwrap().to_string();
    for (field, expected) in [
        ("ownerId", "111122223333"),
        ("instanceId", id),
        ("instanceType", "m5.large"),
        ("availabilityZone", "ap-northeast-1c"),
        ("tenancy", "default"),
        ("launchTime", "2026-03-02T12:00:00.000Z"),
        ("privateIpAddress", &private),
        ("ipAddress", &public),
        ("keyName", "ops"),
        ("arn", profile),
        ("volumeId", &truth.devices[0].volume),
        ("vpcId", truth.vpc.as_deref().unwrap()),
        ("subnetId", truth.subnet.as_deref().unwrap()),
        ("groupName", ""),
        ("managed", "false"),
    ] {
        assert_eq!(answer.one(field).as_deref(), Some(expected), "{field}");
    }
    let dashed = private.replace('.', "-");
    assert_eq!(answer.one("privateDnsName").unwrap(), format!("ip-{dashed}.ap-northeast-1.compute.internal"));
    assert!(answer.body.contains("<key>Name</key><value>web&lt;1&gt;&amp;環境</value>"));
    assert!(answer.body.contains("<key>aws:cloudformation:stack-name</key>"));
    assert!(answer.body.contains("<instanceState><code>16</code><name>running</name></instanceState>"));
    assert!(answer.one("requestId").is_some());
}

/// Filters, and the hosts that they leave.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a String]);

#[tokio::test]
async fn filters_leave_what_matches_all_of_them() {
    let play = Play::start().await;
    let launch = |name: &str, env: &str, kind: &str| {
        let launch = Launch::of(kind).tag("Name", name).tag("environment", env);
        play.tokyo.launch(&launch).unwrap().remove(0)
    };
    let web1 = launch("web-1", "prod", "t3.small");
    let web2 = launch("web-2", "staging", "t3.small");
    let db = launch("db*", "prod", "r5.large");
    let vpc = play.tokyo.instance(&db).unwrap().vpc.unwrap();
    play.pass(SignedDuration::from_mins(1));
    play.tokyo.stop(&db).unwrap();
    let all = [&web1, &web2, &db];
    let cases: [Case<'_>; 9] = [
        (&[("tag:environment", "prod")], &[&web1, &db]),
        (&[("tag:Name", "web-?")], &[&web1, &web2]),
        (&[("tag:Name", r"db\*")], &[&db]),
        (&[("tag-key", "environ*")], &all),
        (&[("instance-state-name", "running")], &[&web1, &web2]),
        (&[("instance-type", "t3.*"), ("tag:environment", "staging")], &[&web2]),
        (&[("vpc-id", &vpc)], &all),
        (&[("launch-time", "2026-03-02T*")], &all),
        (&[("instance-lifecycle", "spot")], &[]),
    ];
    for (filters, expected) in cases {
        let names: Vec<(String, String)> = (1..=filters.len())
            .map(|n| (format!("Filter.{n}.Name"), format!("Filter.{n}.Value.1")))
            .collect();
        let params: Vec<(&str, &str)> = filters
            .iter()
            .zip(&names)
            .flat_map(|((name, value), (n, v))| [(n.as_str(), *name), (v.as_str(), *value)])
            .collect();
        let mut got = play.client.pages(Some(5), &params).await.concat();
        got.sort();
        let mut expected: Vec<String> = expected.iter().map(|id| (*id).clone()).collect();
        expected.sort();
        assert_eq!(got, expected, "{filters:?}");
    }
}

#[tokio::test]
async fn two_values_of_one_filter_are_alternatives() {
    let play = Play::start().await;
    for kind in ["t3.small", "r5.large", "c5.large"] {
        play.tokyo.launch(&Launch::of(kind)).unwrap();
    }
    let params =
        [("Filter.1.Name", "instance-type"), ("Filter.1.Value.1", "t3.small"), ("Filter.1.Value.2", "c5.*")];
    assert_eq!(play.client.pages(None, &params).await.concat().len(), 2);
}

#[tokio::test]
async fn bad_questions_are_refused_in_aws_s_words() {
    let play = Play::start().await;
    let id = &play.tokyo.launch(&Launch::of("t3.small")).unwrap()[0];
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[("MaxResults", "4")], "InvalidParameterValue"),
        (&[("MaxResults", "1001")], "InvalidParameterValue"),
        (&[("MaxResults", "many")], "InvalidParameterValue"),
        (&[("MaxResults", "5"), ("InstanceId.1", id)], "InvalidParameterCombination"),
        (&[("NextToken", "made-up")], "InvalidPaginationToken"),
        (&[("Filter.1.Name", "colour"), ("Filter.1.Value.1", "red")], "InvalidParameterValue"),
        (&[("InstanceId.1", "i-0123456789abcdef0")], "InvalidInstanceID.NotFound"),
        (&[("InstanceId.1", "web-1")], "InvalidInstanceID.Malformed"),
        (&[("DryRun", "true")], "DryRunOperation"),
    ];
    for (params, code) in cases {
        let answer = play.client.ec2("DescribeInstances", params).await;
        assert_eq!(answer.code(), code, "{params:?}: {}", answer.body);
        assert!(answer.one("RequestID").is_some());
    }
    assert_eq!(play.client.ec2("LaunchRockets", &[]).await.code(), "InvalidAction");
}

#[tokio::test]
async fn managed_hosts_are_hidden_unless_asked_for() {
    let play = Play::start().await;
    let own = play.tokyo.launch(&Launch::of("t3.small")).unwrap();
    play.tokyo.launch(&Launch::of("m5.large").managed_by("eks.amazonaws.com")).unwrap();
    assert_eq!(play.client.pages(Some(5), &[]).await.concat(), own);
    let all = play.client.ec2("DescribeInstances", &[("IncludeManagedResources", "true")]).await;
    assert_eq!(all.all("instanceId").len(), 2);
    assert!(all.body.contains("<operator><managed>true</managed><principal>eks.amazonaws.com</principal>"));
    let volumes = |include| play.client.ec2("DescribeVolumes", include);
    assert_eq!(volumes(&[]).await.all("size").len(), 1, "its volume is hidden with it");
    assert_eq!(volumes(&[("IncludeManagedResources", "true")]).await.all("size").len(), 2);

    play.aws.account(crate::client::ACCOUNT).hide_managed(false);
    assert_eq!(play.client.pages(Some(5), &[]).await.concat().len(), 2, "where the account shows them");
}

#[tokio::test]
async fn regions_and_accounts_are_worlds_apart() {
    let play = Play::start().await;
    play.tokyo.launch(&Launch::of("t3.small")).unwrap();
    let seoul = play.client.in_region("ap-northeast-2");
    assert!(seoul.pages(None, &[]).await.concat().is_empty());
    assert_eq!(
        play.client.in_region("mars-north-1").ec2("DescribeInstances", &[]).await.code(),
        "AuthFailure"
    );
    let regions = play.client.ec2("DescribeRegions", &[]).await.all("regionName");
    assert!(regions.contains(&"ap-northeast-2".to_owned()) && regions.len() == 17);
}

#[tokio::test]
async fn a_launch_by_request_keeps_its_client_token() {
    let play = Play::start().await;
    let params = [
        ("ImageId", "ami-1"),
        ("MinCount", "1"),
        ("MaxCount", "3"),
        ("InstanceType", "t3.small"),
        ("ClientToken", "once"),
        ("TagSpecification.1.ResourceType", "instance"),
        ("TagSpecification.1.Tag.1.Key", "role"),
        ("TagSpecification.1.Tag.1.Value", "web"),
    ];
    let first = play.client.ec2("RunInstances", &params).await;
    assert_eq!(first.all("instanceId").len(), 3, "as many as MaxCount");
    assert_eq!(first.all("reservationId").len(), 1);
    let again = play.client.ec2("RunInstances", &params).await;
    let (mut a, mut b) = (first.all("instanceId"), again.all("instanceId"));
    a.sort();
    b.sort();
    assert_eq!(a, b, "the same token, the same hosts");
    assert_eq!(play.tokyo.living().len(), 3);
}
