"""Launching hosts and reading every field that Rollcall reads."""
import datetime as dt

from asking import code, hosts, ids, only, refusal, tags, where
from conftest import IMAGE, moto_differs


def test_a_host_has_the_fields_we_read(server, room, ec2, launch):
    before = server.now()
    [host] = launch(tags={"Name": "web-1", "environment": "prod"}, KeyName="ops", InstanceType="m5.large")
    server.let_pass(60)
    answer = ec2.describe_instances(InstanceIds=[host["InstanceId"]])
    [group] = answer["Reservations"]
    [host] = group["Instances"]

    assert group["OwnerId"] == room.account
    assert group["ReservationId"].startswith("r-")
    assert host["InstanceId"].startswith("i-") and len(host["InstanceId"]) == 19
    assert (host["ImageId"], host["InstanceType"], host["KeyName"]) == (IMAGE, "m5.large", "ops")
    assert host["State"] == {"Code": 16, "Name": "running"}
    assert host["Placement"]["AvailabilityZone"].startswith("us-east-1")
    assert host["Placement"]["Tenancy"] == "default"
    assert tags(host) == {"Name": "web-1", "environment": "prod"}
    assert host["VpcId"].startswith("vpc-") and host["SubnetId"].startswith("subnet-")
    dashed = host["PrivateIpAddress"].replace(".", "-")
    assert host["PrivateDnsName"] == f"ip-{dashed}.ec2.internal"
    assert abs(host["LaunchTime"] - before) < dt.timedelta(hours=2)
    assert host["LaunchTime"].tzinfo is not None
    assert host["RootDeviceType"] == "ebs"
    [device] = host["BlockDeviceMappings"]
    assert device["Ebs"]["VolumeId"].startswith("vol-")
    assert device["Ebs"]["DeleteOnTermination"] is True
    assert "InstanceLifecycle" not in host
    assert answer["ResponseMetadata"]["RequestId"]


def test_private_names_carry_their_region(room):
    tokyo = room.client(region="ap-northeast-1")
    [host] = tokyo.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)["Instances"]
    dashed = host["PrivateIpAddress"].replace(".", "-")
    assert host["PrivateDnsName"] == f"ip-{dashed}.ap-northeast-1.compute.internal"


def test_one_launch_is_one_reservation(ec2, launch):
    launched = launch(3)
    answer = ec2.describe_instances()
    [group] = answer["Reservations"]
    assert ids(group["Instances"]) == ids(launched)
    assert sorted(host["AmiLaunchIndex"] for host in group["Instances"]) == [0, 1, 2]


@moto_differs("launches MinCount hosts, not as many as possible up to MaxCount")
def test_a_launch_gives_as_many_as_there_is_room_for(ec2):
    answer = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=4)
    assert len(answer["Instances"]) == 4


@moto_differs("a client token is not idempotent")
def test_the_same_client_token_gives_the_same_hosts(ec2, launch):
    assert ids(launch(ClientToken="once")) == ids(launch(ClientToken="once"))


def test_a_spot_host_says_so(ec2, launch):
    [host] = launch(InstanceMarketOptions={"MarketType": "spot"})
    assert only(ec2, host["InstanceId"])["InstanceLifecycle"] == "spot"


def test_hosts_are_found_by_id(ec2, launch):
    first, second, _ = launch(3)
    wanted = [first["InstanceId"], second["InstanceId"]]
    assert ids(hosts(ec2, InstanceIds=wanted)) == set(wanted)


def test_an_unknown_id_is_not_found(ec2, launch):
    [host] = launch()
    wrong = [host["InstanceId"], "i-0123456789abcdef0"]
    refused, status, request = refusal(ec2.describe_instances, InstanceIds=wrong)
    assert (refused, status) == ("InvalidInstanceID.NotFound", 400)
    assert request


@moto_differs("an id of the wrong form is not found rather than malformed")
def test_an_id_of_the_wrong_form_is_malformed(ec2):
    assert code(ec2.describe_instances, InstanceIds=["web-1"]) == "InvalidInstanceID.Malformed"


def test_reading_can_be_tried_dry(ec2):
    refused, status, _ = refusal(ec2.run_instances, ImageId=IMAGE, MinCount=1, MaxCount=1, DryRun=True)
    assert (refused, status) == ("DryRunOperation", 412)


def test_an_attribute_is_read_one_by_one(ec2, launch):
    [host] = launch()
    question = {"InstanceId": host["InstanceId"], "Attribute": "disableApiTermination"}
    assert ec2.describe_instance_attribute(**question)["DisableApiTermination"] == {"Value": False}
    ec2.modify_instance_attribute(InstanceId=host["InstanceId"], DisableApiTermination={"Value": True})
    assert ec2.describe_instance_attribute(**question)["DisableApiTermination"] == {"Value": True}


@moto_differs("RunInstances ignores DisableApiTermination")
def test_a_host_can_be_born_protected(ec2, launch):
    [host] = launch(DisableApiTermination=True)
    question = {"InstanceId": host["InstanceId"], "Attribute": "disableApiTermination"}
    assert ec2.describe_instance_attribute(**question)["DisableApiTermination"] == {"Value": True}


def test_an_attribute_of_an_unknown_host_is_not_found(ec2):
    question = {"InstanceId": "i-0123456789abcdef0", "Attribute": "disableApiTermination"}
    refused, status, _ = refusal(ec2.describe_instance_attribute, **question)
    assert (refused, status) == ("InvalidInstanceID.NotFound", 400)


def test_a_host_tells_its_instance_profile(room, ec2, launch):
    arn = f"arn:aws:iam::{room.account}:instance-profile/web"
    if room.server.name == "moto":
        # The fake has no IAM: there any profile is one.
        room.client("iam").create_instance_profile(InstanceProfileName="web")
    for given in ({"Arn": arn}, {"Name": "web"}):
        [host] = launch(IamInstanceProfile=given)
        assert only(ec2, host["InstanceId"])["IamInstanceProfile"]["Arn"] == arn


def test_regions_are_apart(room, launch):
    launch()
    assert hosts(room.client(region="eu-west-1")) == []


def test_a_filter_finds_its_own_and_no_other(server, ec2, launch):
    [web] = launch(tags={"Name": "web-1", "environment": "prod"})
    [db] = launch(tags={"Name": "db-1", "environment": "staging"}, InstanceType="r5.large")
    launch(tags={"Name": "web-2"})
    server.let_pass(60)
    ec2.stop_instances(InstanceIds=[db["InstanceId"]])
    server.let_pass(60)
    web, db = web["InstanceId"], db["InstanceId"]
    vpc = only(ec2, web)["VpcId"]
    for filters, expected in [
        ([where("tag:environment", "prod")], {web}),
        ([where("tag:environment", "prod", "staging")], {web, db}),
        ([where("tag:environment", "*")], {web, db}),
        ([where("tag:Name", "web-*"), where("tag:environment", "prod")], {web}),
        ([where("tag-key", "environment")], {web, db}),
        ([where("instance-state-name", "stopped")], {db}),
        ([where("instance-type", "r5.large")], {db}),
        ([where("instance-id", web)], {web}),
        ([where("vpc-id", vpc), where("instance-type", "r5.large")], {db}),
        ([where("tag:environment", "none")], set()),
    ]:
        assert ids(hosts(ec2, Filters=filters)) == expected, filters


@moto_differs("the launch-time filter is HTTP 500")
def test_hosts_are_found_by_their_launch_day(ec2, launch):
    [host] = launch()
    day = host["LaunchTime"].strftime("%Y-%m-%dT*")
    assert ids(hosts(ec2, Filters=[where("launch-time", day)])) == {host["InstanceId"]}


@moto_differs("an unknown filter is HTTP 500")
def test_an_unknown_filter_is_refused(ec2, launch):
    launch()
    refused, status, _ = refusal(ec2.describe_instances, Filters=[where("colour", "red")])
    assert (refused, status) == ("InvalidParameterValue", 400)
