"""VPCs, subnets and security groups, as hosts and databases are in them."""
from asking import code, only, tags, where
from conftest import moto_differs


def group(ec2, name="web"):
    [vpc] = ec2.describe_vpcs()["Vpcs"]
    return ec2.create_security_group(GroupName=name, Description=f"of {name}", VpcId=vpc["VpcId"])["GroupId"]


def listed(ec2, group_id):
    [told] = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    return told


def test_a_host_is_in_a_subnet_of_a_vpc(room, ec2, launch):
    host = only(ec2, launch()[0]["InstanceId"])
    [subnet] = ec2.describe_subnets(SubnetIds=[host["SubnetId"]])["Subnets"]
    assert subnet["AvailabilityZone"] == host["Placement"]["AvailabilityZone"]
    assert (subnet["VpcId"], subnet["State"], subnet["OwnerId"]) == (host["VpcId"], "available", room.account)
    assert "/" in subnet["CidrBlock"]
    [vpc] = ec2.describe_vpcs(VpcIds=[host["VpcId"]])["Vpcs"]
    assert (vpc["State"], vpc["IsDefault"], vpc["OwnerId"]) == ("available", True, room.account)
    assert "/" in vpc["CidrBlock"]


def test_there_is_one_default_subnet_for_a_zone(ec2):
    subnets = ec2.describe_subnets()["Subnets"]
    zones = [subnet["AvailabilityZone"] for subnet in subnets]
    assert len(zones) == len(set(zones)) >= 3
    assert all(subnet["DefaultForAz"] for subnet in subnets)
    [only_a] = ec2.describe_subnets(Filters=[where("availability-zone", "us-east-1a")])["Subnets"]
    assert only_a["AvailabilityZone"] == "us-east-1a"


def test_a_host_is_in_the_security_group_it_was_launched_with(ec2, launch):
    web = group(ec2)
    [host] = launch(SecurityGroupIds=[web])
    told = only(ec2, host["InstanceId"])["SecurityGroups"]
    assert told == [{"GroupId": web, "GroupName": "web"}]


def test_a_new_group_lets_nothing_in_and_all_out(room, ec2):
    told = listed(ec2, group(ec2))
    assert (told["GroupName"], told["Description"], told["OwnerId"]) == ("web", "of web", room.account)
    assert told["VpcId"].startswith("vpc-")
    assert told["IpPermissions"] == []
    [out] = told["IpPermissionsEgress"]
    assert out["IpProtocol"] == "-1" and "FromPort" not in out
    assert [r["CidrIp"] for r in out["IpRanges"]] == ["0.0.0.0/0"]


@moto_differs("the default group lets its own members in by no rule")
def test_members_of_the_default_group_reach_each_other(ec2):
    [told] = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"]
    assert [rule["IpProtocol"] for rule in told["IpPermissions"]] == ["-1"]
    [rule] = told["IpPermissions"]
    assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [told["GroupId"]]


def test_rules_tell_ports_and_peers(room, ec2):
    balancer, web = group(ec2, "balancer"), group(ec2)
    ec2.authorize_security_group_ingress(
        GroupId=web,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
            {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "UserIdGroupPairs": [{"GroupId": balancer}]},
        ],
    )
    rules = {rule["FromPort"]: rule for rule in listed(ec2, web)["IpPermissions"]}
    assert set(rules) == {22, 80, 8080}
    assert (rules[80]["ToPort"], rules[80]["IpProtocol"]) == (443, "tcp")
    assert [r["CidrIp"] for r in rules[80]["IpRanges"]] == ["10.0.0.0/8"]
    assert [r["CidrIpv6"] for r in rules[22]["Ipv6Ranges"]] == ["::/0"]
    [pair] = rules[8080]["UserIdGroupPairs"]
    assert (pair["GroupId"], pair["UserId"]) == (balancer, room.account)


def test_a_rule_of_the_same_ports_grows(ec2):
    web = group(ec2)
    for block in ("10.0.0.0/8", "192.0.2.0/24"):
        rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": block}]}
        ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[rule])
    [told] = listed(ec2, web)["IpPermissions"]
    assert {r["CidrIp"] for r in told["IpRanges"]} == {"10.0.0.0/8", "192.0.2.0/24"}


def test_groups_and_subnets_carry_tags(ec2):
    web = group(ec2)
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    ec2.create_tags(Resources=[web, subnet], Tags=[{"Key": "Name", "Value": "web"}])
    assert tags(listed(ec2, web)) == {"Name": "web"}
    [told] = ec2.describe_subnets(Filters=[where("tag:Name", "web")])["Subnets"]
    assert told["SubnetId"] == subnet


def test_groups_are_found_by_filter(ec2):
    web = group(ec2)
    vpc = listed(ec2, web)["VpcId"]
    for filters in (
        [where("group-name", "we*")],
        [where("group-id", web)],
        [where("vpc-id", vpc), where("group-name", "web")],
    ):
        told = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        assert [g["GroupId"] for g in told] == [web], filters


def test_what_is_not_there_is_not_found(ec2):
    for ask, question, expected in [
        (ec2.describe_security_groups, {"GroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
        (ec2.describe_security_groups, {"GroupNames": ["nobody"]}, "InvalidGroup.NotFound"),
        (ec2.describe_subnets, {"SubnetIds": ["subnet-0123456789abcdef0"]}, "InvalidSubnetID.NotFound"),
        (ec2.describe_vpcs, {"VpcIds": ["vpc-0123456789abcdef0"]}, "InvalidVpcID.NotFound"),
    ]:
        assert code(ask, **question) == expected, question


@moto_differs("security groups are not paged")
def test_groups_are_paged(ec2):
    wanted = {group(ec2, f"web-{n}") for n in range(6)}
    pages = ec2.get_paginator("describe_security_groups").paginate(PaginationConfig={"PageSize": 5})
    told = [[g["GroupId"] for g in page["SecurityGroups"]] for page in pages]
    assert [len(page) for page in told] == [5, 2]
    assert wanted < set(sum(told, []))


def test_what_goes_out_is_told_apart_from_what_comes_in(ec2):
    web = group(ec2)
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    ec2.authorize_security_group_egress(GroupId=web, IpPermissions=[https])
    ec2.revoke_security_group_egress(GroupId=web, IpPermissions=[everything])
    told = listed(ec2, web)
    assert told["IpPermissions"] == []
    [out] = told["IpPermissionsEgress"]
    assert (out["IpProtocol"], out["FromPort"], out["ToPort"]) == ("tcp", 443, 443)
    assert [r["CidrIp"] for r in out["IpRanges"]] == ["10.0.0.0/8"]


def test_a_rule_of_a_prefix_list_names_it(ec2):
    web = group(ec2)
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": "pl-0123456789abcdef0"}]}
    ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[rule])
    [told] = listed(ec2, web)["IpPermissions"]
    assert [p["PrefixListId"] for p in told["PrefixListIds"]] == ["pl-0123456789abcdef0"]
    assert told["IpRanges"] == [] and told["UserIdGroupPairs"] == []


def test_icmp_has_types_and_codes_for_ports(ec2):
    web = group(ec2)
    rule = {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[rule])
    [told] = listed(ec2, web)["IpPermissions"]
    assert (told["IpProtocol"], told["FromPort"], told["ToPort"]) == ("icmp", 8, -1)


def test_a_group_can_be_made_with_tags(ec2):
    spec = [{"ResourceType": "security-group", "Tags": [{"Key": "Name", "Value": "front"}]}]
    [vpc] = ec2.describe_vpcs()["Vpcs"]
    made = ec2.create_security_group(GroupName="web", Description="w", VpcId=vpc["VpcId"], TagSpecifications=spec)
    assert tags(listed(ec2, made["GroupId"])) == {"Name": "front"}


def test_a_host_can_be_put_into_another_group(ec2, launch):
    web = group(ec2)
    [host] = launch()
    ec2.modify_instance_attribute(InstanceId=host["InstanceId"], Groups=[web])
    told = only(ec2, host["InstanceId"])["SecurityGroups"]
    assert told == [{"GroupId": web, "GroupName": "web"}]


def test_a_host_is_launched_into_its_subnet(ec2, launch):
    [subnet] = ec2.describe_subnets(Filters=[where("availability-zone", "us-east-1b")])["Subnets"]
    [host] = launch(SubnetId=subnet["SubnetId"])
    told = only(ec2, host["InstanceId"])
    assert (told["SubnetId"], told["Placement"]["AvailabilityZone"]) == (subnet["SubnetId"], "us-east-1b")
