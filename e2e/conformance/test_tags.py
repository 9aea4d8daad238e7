"""Tags: made, changed, taken away, and what is refused."""
from asking import code, only, tags
from conftest import moto_differs


def tag(ec2, host, **wanted):
    ec2.create_tags(Resources=[host], Tags=[{"Key": k, "Value": v} for k, v in wanted.items()])


def test_tags_are_made_changed_and_taken_away(ec2, launch):
    host = launch(tags={"role": "web"})[0]["InstanceId"]
    tag(ec2, host, role="db", owner="team-a")
    assert tags(only(ec2, host)) == {"role": "db", "owner": "team-a"}
    ec2.delete_tags(Resources=[host], Tags=[{"Key": "owner"}])
    assert tags(only(ec2, host)) == {"role": "db"}


def test_a_tag_is_deleted_by_value_only_when_the_value_is_right(ec2, launch):
    host = launch(tags={"role": "web"})[0]["InstanceId"]
    ec2.delete_tags(Resources=[host], Tags=[{"Key": "role", "Value": "db"}])
    assert tags(only(ec2, host)) == {"role": "web"}
    ec2.delete_tags(Resources=[host], Tags=[{"Key": "role", "Value": "web"}])
    assert tags(only(ec2, host)) == {}


def test_tags_may_be_in_any_script(ec2, launch):
    host = launch()[0]["InstanceId"]
    wanted = {"所有者": "チーム ☃", "markup": '<b>&"\'', "empty": ""}
    tag(ec2, host, **wanted)
    assert tags(only(ec2, host)) == wanted


def test_fifty_tags_are_the_limit(ec2, launch):
    host = launch(tags={f"k{n}": "v" for n in range(50)})[0]["InstanceId"]
    more = {"Resources": [host], "Tags": [{"Key": "k50", "Value": "v"}]}
    assert code(ec2.create_tags, **more) == "TagLimitExceeded"
    tag(ec2, host, k7="w")
    assert tags(only(ec2, host))["k7"] == "w"


@moto_differs("keys of any length are taken")
def test_a_key_of_129_characters_is_refused(ec2, launch):
    host = launch()[0]["InstanceId"]
    long = {"Resources": [host], "Tags": [{"Key": "k" * 129, "Value": "v"}]}
    assert code(ec2.create_tags, **long) == "InvalidParameterValue"


@moto_differs("aws: tags can be set by hand")
def test_a_key_of_aws_is_refused(ec2, launch):
    host = launch()[0]["InstanceId"]
    reserved = {"Resources": [host], "Tags": [{"Key": "aws:autoscaling:groupName", "Value": "web"}]}
    assert code(ec2.create_tags, **reserved) == "InvalidParameterValue"


@moto_differs("tags are kept for hosts that do not exist")
def test_an_unknown_host_takes_no_tag(ec2):
    question = {"Resources": ["i-0123456789abcdef0"], "Tags": [{"Key": "k", "Value": "v"}]}
    assert code(ec2.create_tags, **question) == "InvalidInstanceID.NotFound"


def test_tags_can_be_tried_dry(ec2, launch):
    host = launch()[0]["InstanceId"]
    question = {"Resources": [host], "Tags": [{"Key": "k", "Value": "v"}], "DryRun": True}
    assert code(ec2.create_tags, **question) == "DryRunOperation"
    assert tags(only(ec2, host)) == {}
