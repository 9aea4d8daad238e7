"""Volumes and elastic addresses, as they hang on hosts or on nothing."""
from asking import code, only, tags, where
from conftest import moto_differs


def test_a_host_s_volume_names_the_host(server, ec2, launch):
    [host] = launch()
    server.let_pass(60)
    [volume] = ec2.describe_volumes(Filters=[where("attachment.instance-id", host["InstanceId"])])["Volumes"]
    assert volume["State"] == "in-use" and volume["Size"] > 0
    assert volume["AvailabilityZone"] == host["Placement"]["AvailabilityZone"]
    [attachment] = volume["Attachments"]
    assert attachment["InstanceId"] == host["InstanceId"]
    [device] = only(ec2, host["InstanceId"])["BlockDeviceMappings"]
    assert (device["Ebs"]["VolumeId"], device["DeviceName"]) == (volume["VolumeId"], attachment["Device"])


@moto_differs("a volume does not say whether it dies with its host")
def test_a_volume_says_whether_it_dies_with_its_host(ec2, launch):
    launch()
    [volume] = ec2.describe_volumes()["Volumes"]
    assert volume["Attachments"][0]["DeleteOnTermination"] is True


def test_a_volume_of_nobody_is_available(ec2):
    made = ec2.create_volume(AvailabilityZone="us-east-1a", Size=100, VolumeType="gp3")
    [volume] = ec2.describe_volumes(VolumeIds=[made["VolumeId"]])["Volumes"]
    assert (volume["State"], volume["Size"], volume["VolumeType"]) == ("available", 100, "gp3")
    assert volume["Attachments"] == []


def test_an_unknown_volume_is_not_found(ec2):
    assert code(ec2.describe_volumes, VolumeIds=["vol-0123456789abcdef0"]) == "InvalidVolume.NotFound"


def test_the_volume_of_an_ended_host_goes_with_it(server, ec2, launch):
    [host] = launch()
    server.let_pass(60)
    ec2.terminate_instances(InstanceIds=[host["InstanceId"]])
    server.let_pass(60)
    assert ec2.describe_volumes()["Volumes"] == []


def test_an_address_points_to_its_host(server, ec2, launch):
    [host] = launch()
    server.let_pass(60)
    made = ec2.allocate_address(Domain="vpc")
    [free] = ec2.describe_addresses()["Addresses"]
    assert free["PublicIp"] == made["PublicIp"] and not free.get("InstanceId")

    ec2.associate_address(AllocationId=made["AllocationId"], InstanceId=host["InstanceId"])
    [used] = ec2.describe_addresses()["Addresses"]
    assert (used["InstanceId"], used["Domain"]) == (host["InstanceId"], "vpc")
    assert used["AllocationId"].startswith("eipalloc-") and used["AssociationId"].startswith("eipassoc-")
    assert only(ec2, host["InstanceId"])["PublicIpAddress"] == made["PublicIp"]

    ec2.disassociate_address(AssociationId=used["AssociationId"])
    ec2.release_address(AllocationId=made["AllocationId"])
    assert ec2.describe_addresses()["Addresses"] == []


def test_an_unknown_address_is_not_found(ec2):
    question = {"AllocationIds": ["eipalloc-0123456789abcdef0"]}
    assert code(ec2.describe_addresses, **question) == "InvalidAllocationID.NotFound"


def attached(ec2, volume):
    [told] = ec2.describe_volumes(VolumeIds=[volume])["Volumes"]
    return told["State"], [(a["InstanceId"], a["State"]) for a in told["Attachments"]]


def test_a_volume_is_attached_to_one_host_and_then_to_another(server, ec2, launch):
    first, second = launch(2)
    first, second = first["InstanceId"], second["InstanceId"]
    server.let_pass(60)
    zone = only(ec2, first)["Placement"]["AvailabilityZone"]
    volume = ec2.create_volume(AvailabilityZone=zone, Size=10)["VolumeId"]
    for host in (first, second):
        ec2.attach_volume(VolumeId=volume, InstanceId=host, Device="/dev/sdf")
        server.let_pass(60)
        assert attached(ec2, volume) == ("in-use", [(host, "attached")])
        assert volume in {d["Ebs"]["VolumeId"] for d in only(ec2, host)["BlockDeviceMappings"]}
        ec2.detach_volume(VolumeId=volume, InstanceId=host, Device="/dev/sdf")
        server.let_pass(60)
        assert attached(ec2, volume) == ("available", [])


@moto_differs("a volume is attached at once")
def test_a_volume_is_on_its_way_for_a_moment(server, ec2, launch):
    [host] = launch()
    host = host["InstanceId"]
    server.let_pass(60)
    zone = only(ec2, host)["Placement"]["AvailabilityZone"]
    volume = ec2.create_volume(AvailabilityZone=zone, Size=10)["VolumeId"]
    answer = ec2.attach_volume(VolumeId=volume, InstanceId=host, Device="/dev/sdf")
    assert answer["State"] == "attaching"
    assert attached(ec2, volume) == ("in-use", [(host, "attaching")])
    server.let_pass(60)
    assert ec2.detach_volume(VolumeId=volume)["State"] == "detaching"
    assert attached(ec2, volume) == ("in-use", [(host, "detaching")])


@moto_differs("a volume in use is attached to another host")
def test_a_volume_in_use_is_not_attached_again(server, ec2, launch):
    first, second = launch(2)
    server.let_pass(60)
    [volume] = ec2.describe_volumes(Filters=[where("attachment.instance-id", first["InstanceId"])])["Volumes"]
    question = {"VolumeId": volume["VolumeId"], "InstanceId": second["InstanceId"], "Device": "/dev/sdf"}
    assert code(ec2.attach_volume, **question) == "VolumeInUse"


def test_an_address_can_be_made_with_tags(ec2):
    spec = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "Name", "Value": "gate"}]}]
    made = ec2.allocate_address(Domain="vpc", TagSpecifications=spec)
    [told] = ec2.describe_addresses(AllocationIds=[made["AllocationId"]])["Addresses"]
    assert tags(told) == {"Name": "gate"}


def test_an_address_names_the_interface_it_points_to(server, ec2, launch):
    [host] = launch()
    server.let_pass(60)
    made = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=made["AllocationId"], InstanceId=host["InstanceId"])
    [told] = ec2.describe_addresses()["Addresses"]
    [interface] = only(ec2, host["InstanceId"])["NetworkInterfaces"]
    assert told["NetworkInterfaceId"] == interface["NetworkInterfaceId"]
