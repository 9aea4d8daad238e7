//! Security groups with their rules, subnets and VPCs.

use jiff::SignedDuration;
use rollcall_fakes::{
    aws::{
        Launch,
        ground::{Peer, Rule as Opening},
    },
    faults::{Fault, Rule},
};

use crate::client::{ACCOUNT, Play};

#[tokio::test]
async fn a_host_is_in_what_is_listed() {
    let play = Play::start().await;
    let web = play.tokyo.create_security_group("web").unwrap();
    let launch = Launch { groups: vec![web.clone()], ..Launch::of("t3.small").zone("c") };
    play.tokyo.launch(&launch).unwrap();
    let host = play.client.ec2("DescribeInstances", &[]).await;
    let (subnet, vpc) = (host.one("subnetId").unwrap(), host.one("vpcId").unwrap());
    assert!(host.body.contains(&format!("<groupId>{web}</groupId><groupName>web</groupName>")));

    let told = play.client.ec2("DescribeSubnets", &[("SubnetId.1", &subnet)]).await;
    for (field, expected) in [
        ("subnetId", subnet.as_str()),
        ("vpcId", &vpc),
        ("availabilityZone", "ap-northeast-1c"),
        ("state", "available"),
        ("ownerId", ACCOUNT),
        ("cidrBlock", "10.128.0.0/10"),
    ] {
        assert_eq!(told.one(field).as_deref(), Some(expected), "{field}");
    }
    let told = play.client.ec2("DescribeVpcs", &[]).await;
    assert_eq!((told.all("vpcId"), told.one("isDefault").as_deref()), (vec![vpc], Some("true")));
}

#[tokio::test]
async fn rules_tell_ports_and_every_kind_of_peer() {
    let play = Play::start().await;
    let web = play.tokyo.create_security_group("web").unwrap();
    let peers = [
        Peer::Ipv4("10.0.0.0/8".into()),
        Peer::Ipv6("::/0".into()),
        Peer::PrefixList("pl-1".into()),
        Peer::Group(play.tokyo.security_groups()[0].id.clone()),
    ];
    for peer in peers {
        play.tokyo.change_security_group(&web, |g| g.let_in(Opening::tcp(443, peer.clone()))).unwrap();
    }
    let told = play.client.ec2("DescribeSecurityGroups", &[("GroupId.1", &web)]).await;
    assert_eq!(told.one("fromPort").as_deref(), Some("443"));
    let inbound = told.one("ipPermissions").unwrap();
    assert_eq!(inbound.matches("<ipProtocol>").count(), 1, "one rule for the same ports: {inbound}");
    for (field, expected) in
        [("cidrIp", "10.0.0.0/8"), ("cidrIpv6", "::/0"), ("prefixListId", "pl-1"), ("userId", ACCOUNT)]
    {
        assert!(inbound.contains(&format!("<{field}>{expected}</{field}>")), "{field}: {inbound}");
    }
    assert!(told.one("ipPermissionsEgress").unwrap().contains("<ipProtocol>-1</ipProtocol>"));
}

#[tokio::test]
async fn filters_and_tags_find_groups_and_subnets() {
    let play = Play::start().await;
    let web = play.tokyo.create_security_group("web").unwrap();
    play.tokyo.tag(&web, "Name", "front").unwrap();
    let subnet = play.tokyo.subnets()["ap-northeast-1b"].clone();
    play.tokyo.tag(&subnet, "Name", "data").unwrap();
    for (action, name, value, item, expected) in [
        ("DescribeSecurityGroups", "group-name", "w?b", "groupId", &web),
        ("DescribeSecurityGroups", "tag:Name", "front", "groupId", &web),
        ("DescribeSubnets", "tag:Name", "data", "subnetId", &subnet),
        ("DescribeSubnets", "availability-zone", "*1b", "subnetId", &subnet),
    ] {
        let filter = [("Filter.1.Name", name), ("Filter.1.Value.1", value)];
        assert_eq!(
            play.client.ec2(action, &filter).await.all(item),
            std::slice::from_ref(expected),
            "{action} {name}"
        );
    }
    let colour = [("Filter.1.Name", "colour"), ("Filter.1.Value.1", "red")];
    for action in ["DescribeSecurityGroups", "DescribeSubnets", "DescribeVpcs"] {
        assert_eq!(play.client.ec2(action, &colour).await.code(), "InvalidParameterValue", "{action}");
    }
}

#[tokio::test]
async fn groups_are_paged_and_struck_as_hosts_are() {
    let play = Play::start().await;
    for n in 0..9 {
        play.tokyo.create_security_group(&format!("web-{n}")).unwrap();
    }
    let first = play.client.ec2("DescribeSecurityGroups", &[("MaxResults", "5")]).await;
    let token = first.one("nextToken").unwrap();
    let next = [("MaxResults", "5"), ("NextToken", token.as_str())];
    let last = play.client.ec2("DescribeSecurityGroups", &next).await;
    let names = |answer: &crate::client::Answer| answer.all("groupName").len();
    assert_eq!((names(&first), names(&last), last.one("nextToken")), (5, 5, None));
    assert_eq!(play.client.ec2("DescribeSubnets", &next).await.code(), "InvalidPaginationToken");

    play.pass(SignedDuration::from_mins(1));
    play.tokyo.create_security_group("new").unwrap();
    let stale = Rule::new("ec2", "DescribeSecurityGroups", Fault::StaleRead { seconds: 30 });
    play.aws.stage().faults.add(stale).unwrap();
    let told = play.client.ec2("DescribeSecurityGroups", &[]).await;
    assert_eq!(names(&told), 10, "the newest is not yet seen, the default group always was");
}

#[tokio::test]
async fn rules_are_opened_and_closed_both_ways() {
    let play = Play::start().await;
    let tag = [
        ("TagSpecification.1.ResourceType", "security-group"),
        ("TagSpecification.1.Tag.1.Key", "Name"),
        ("TagSpecification.1.Tag.1.Value", "front"),
    ];
    let made = [("GroupName", "web"), ("GroupDescription", "of web")].into_iter().chain(tag);
    let made = play.client.ec2("CreateSecurityGroup", &made.collect::<Vec<_>>()).await;
    let web = made.one("groupId").unwrap();
    let rule = [
        ("GroupId", web.as_str()),
        ("IpPermissions.1.IpProtocol", "tcp"),
        ("IpPermissions.1.FromPort", "443"),
        ("IpPermissions.1.ToPort", "443"),
        ("IpPermissions.1.IpRanges.1.CidrIp", "10.0.0.0/8"),
        ("IpPermissions.1.Ipv6Ranges.1.CidrIpv6", "::/0"),
    ];
    for (way, rules) in [("Ingress", "ipPermissions"), ("Egress", "ipPermissionsEgress")] {
        let told = || async {
            let told = play.client.ec2("DescribeSecurityGroups", &[("GroupId.1", &web)]).await;
            assert_eq!(told.one("key").as_deref(), Some("Name"));
            told.one(rules).unwrap_or_default()
        };
        let before = told().await;
        assert_eq!(play.client.ec2(&format!("AuthorizeSecurityGroup{way}"), &rule).await.status, 200);
        let open = told().await;
        assert!(open.contains("10.0.0.0/8") && open.contains("::/0"), "{way}: {open}");
        assert_eq!(play.client.ec2(&format!("RevokeSecurityGroup{way}"), &rule[..5]).await.status, 200);
        let half = told().await;
        assert!(!half.contains("10.0.0.0/8") && half.contains("::/0"), "{way}: {half}");
        assert_eq!(play.client.ec2(&format!("RevokeSecurityGroup{way}"), &rule).await.status, 200);
        assert_eq!(told().await, before, "{way}: a rule without peers is none");
    }
}

#[tokio::test]
async fn a_host_is_launched_into_its_subnet_with_its_profile_and_put_into_other_groups() {
    let play = Play::start().await;
    let subnet = play.tokyo.subnets()["ap-northeast-1c"].clone();
    let launch = [
        ("ImageId", "ami-1"),
        ("MinCount", "1"),
        ("MaxCount", "1"),
        ("SubnetId", subnet.as_str()),
        ("IamInstanceProfile.Name", "web"),
    ];
    let host = play.client.ec2("RunInstances", &launch).await;
    let told = ["subnetId", "availabilityZone", "arn"].map(|field| host.one(field).unwrap());
    let arn = format!("arn:aws:iam::{ACCOUNT}:instance-profile/web");
    assert_eq!(told, [subnet.as_str(), "ap-northeast-1c", &arn]);
    let lost = [launch[0], launch[1], launch[2], ("SubnetId", "subnet-0")];
    assert_eq!(play.client.ec2("RunInstances", &lost).await.code(), "InvalidSubnetID.NotFound");

    let (id, web) = (host.one("instanceId").unwrap(), play.tokyo.create_security_group("web").unwrap());
    let into =
        |group: &str| vec![("InstanceId".to_owned(), id.clone()), ("GroupId.1".to_owned(), group.to_owned())];
    for (group, status) in [(web.as_str(), 200), ("sg-0", 400)] {
        let params = into(group);
        let params: Vec<(&str, &str)> = params.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(play.client.ec2("ModifyInstanceAttribute", &params).await.status, status, "{group}");
    }
    let groups = play.tokyo.instance(&id).unwrap().groups;
    assert_eq!(groups.iter().map(|g| (&g.id, g.name.as_str())).collect::<Vec<_>>(), [(&web, "web")]);
}
