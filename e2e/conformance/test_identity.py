"""Who am I, which account answers, and who is let in."""
import datetime as dt

from asking import code, hosts, refusal
from conftest import IMAGE, moto_differs


def test_a_key_belongs_to_its_account(server, home):
    identity = server.client("sts").get_caller_identity()
    assert identity["Account"] == home
    assert identity["Arn"].startswith("arn:aws:") and home in identity["Arn"]
    assert identity["UserId"]


def test_an_assumed_role_is_of_the_other_account(room):
    identity = room.client("sts").get_caller_identity()
    assert identity["Account"] == room.account
    assert identity["Arn"] == f"arn:aws:sts::{room.account}:assumed-role/conformance/conformance"
    assert room.assumed["Arn"] == identity["Arn"]


def test_temporary_keys_end_within_the_hour(room):
    given = room.credentials
    assert given["AccessKeyId"].startswith("ASIA") and given["SessionToken"]
    left = given["Expiration"] - dt.datetime.now(dt.timezone.utc)
    assert dt.timedelta(minutes=50) < left <= dt.timedelta(hours=1, minutes=1)


def test_accounts_see_their_own_hosts_only(server, room, launch):
    launch()
    assert len(hosts(room.client())) == 1
    assert hosts(server.client("ec2")) == []


def test_regions_are_listed(ec2):
    regions = {region["RegionName"]: region for region in ec2.describe_regions()["Regions"]}
    assert {"us-east-1", "ap-northeast-1", "eu-west-1"} <= set(regions)
    assert regions["us-east-1"]["OptInStatus"] == "opt-in-not-required"
    assert regions["us-east-1"]["Endpoint"] == "ec2.us-east-1.amazonaws.com"


def test_one_region_can_be_asked_for(ec2):
    [region] = ec2.describe_regions(RegionNames=["eu-west-1"])["Regions"]
    assert region["RegionName"] == "eu-west-1"


@moto_differs("external ids are not checked")
def test_a_role_with_an_external_id_wants_it(server):
    sts = server.client("sts")
    role = {"RoleArn": "arn:aws:iam::200000000001:role/guarded", "RoleSessionName": "x-1"}
    assert sts.assume_role(ExternalId="roll-call", **role)["Credentials"]
    refused, status, request = refusal(sts.assume_role, ExternalId="guess", **role)
    assert (refused, status) == ("AccessDenied", 403)
    assert request


@moto_differs("every role exists")
def test_a_role_that_is_not_there_is_denied(server):
    role = {"RoleArn": "arn:aws:iam::200000000001:role/absent", "RoleSessionName": "x-1"}
    assert code(server.client("sts").assume_role, **role) == "AccessDenied"


@moto_differs("every access key is taken")
def test_an_unknown_key_is_refused(server):
    stranger = {"key": "AKIANOBODY", "secret": "x"}
    refused, status, _ = refusal(server.client("ec2", **stranger).describe_instances)
    assert (refused, status) == ("AuthFailure", 401)
    refused, status, _ = refusal(server.client("sts", **stranger).get_caller_identity)
    assert (refused, status) == ("InvalidClientTokenId", 403)


@moto_differs("a session is not needed once its key is known")
def test_temporary_keys_without_their_token_are_refused(server, room):
    given = room.credentials
    half = server.client("ec2", key=given["AccessKeyId"], secret=given["SecretAccessKey"])
    assert code(half.run_instances, ImageId=IMAGE, MinCount=1, MaxCount=1) == "AuthFailure"


@moto_differs("session names are not checked")
def test_a_session_name_with_spaces_is_refused(server):
    role = {"RoleArn": "arn:aws:iam::200000000001:role/conformance", "RoleSessionName": "two words"}
    assert code(server.client("sts").assume_role, **role) == "ValidationError"
