"""Stopping, starting and ending hosts."""
from asking import code, hosts, only, refusal, state, tags
from conftest import moto_differs


def test_a_host_stops_starts_and_ends(server, ec2, launch):
    [host] = launch(tags={"Name": "web-1"})
    one = [host["InstanceId"]]
    server.let_pass(60)
    assert state(ec2, one[0]) == "running"

    [change] = ec2.stop_instances(InstanceIds=one)["StoppingInstances"]
    assert change["PreviousState"] == {"Code": 16, "Name": "running"}
    assert change["CurrentState"] == {"Code": 64, "Name": "stopping"}
    server.let_pass(60)
    stopped = only(ec2, one[0])
    assert stopped["State"] == {"Code": 80, "Name": "stopped"}
    assert "PublicIpAddress" not in stopped
    assert stopped["StateTransitionReason"].startswith("User initiated (")
    assert stopped["StateReason"]["Code"] == "Client.UserInitiatedShutdown"

    [change] = ec2.start_instances(InstanceIds=one)["StartingInstances"]
    assert change["CurrentState"] == {"Code": 0, "Name": "pending"}
    server.let_pass(60)
    assert state(ec2, one[0]) == "running"

    [change] = ec2.terminate_instances(InstanceIds=one)["TerminatingInstances"]
    assert change["CurrentState"] == {"Code": 32, "Name": "shutting-down"}
    server.let_pass(60)
    ended = only(ec2, one[0])
    assert ended["State"] == {"Code": 48, "Name": "terminated"}
    assert tags(ended) == {"Name": "web-1"}, "its tags are still shown"


@moto_differs("states change at once")
def test_a_stop_takes_its_time(server, ec2, launch):
    [host] = launch()
    server.let_pass(60)
    ec2.stop_instances(InstanceIds=[host["InstanceId"]])
    assert state(ec2, host["InstanceId"]) == "stopping"


@moto_differs("a terminated host keeps its addresses")
def test_a_terminated_host_has_no_address(server, ec2, launch):
    [host] = launch()
    ec2.terminate_instances(InstanceIds=[host["InstanceId"]])
    server.let_pass(60)
    ended = only(ec2, host["InstanceId"])
    assert not ended.get("PrivateIpAddress") and not ended.get("VpcId")


def test_terminate_is_idempotent(ec2, launch):
    [host] = launch()
    for _ in range(2):
        answer = ec2.terminate_instances(InstanceIds=[host["InstanceId"]])
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_one_bad_id_and_nothing_is_done(server, ec2, launch):
    [host] = launch()
    server.let_pass(60)
    both = [host["InstanceId"], "i-0123456789abcdef0"]
    assert code(ec2.stop_instances, InstanceIds=both) == "InvalidInstanceID.NotFound"
    assert state(ec2, host["InstanceId"]) == "running"


def test_a_protected_host_is_not_terminated(server, ec2, launch):
    [host] = launch()
    server.let_pass(60)
    ec2.modify_instance_attribute(InstanceId=host["InstanceId"], DisableApiTermination={"Value": True})
    refused, status, _ = refusal(ec2.terminate_instances, InstanceIds=[host["InstanceId"]])
    assert (refused, status) == ("OperationNotPermitted", 400)
    assert state(ec2, host["InstanceId"]) == "running"


def test_a_stop_protected_host_is_not_stopped(server, ec2, launch):
    [host] = launch(DisableApiStop=True)
    server.let_pass(60)
    assert code(ec2.stop_instances, InstanceIds=[host["InstanceId"]]) == "OperationNotPermitted"
    assert state(ec2, host["InstanceId"]) == "running"


@moto_differs("a batch ends the hosts before the protected one in the order of the list")
def test_a_terminate_spares_the_zone_of_a_protected_host(server, ec2, launch):
    zones = [{"AvailabilityZone": f"us-east-1{letter}"} for letter in "aab"]
    first, second, far = [launch(Placement=zone)[0]["InstanceId"] for zone in zones]
    server.let_pass(60)
    ec2.modify_instance_attribute(InstanceId=second, DisableApiTermination={"Value": True})
    assert code(ec2.terminate_instances, InstanceIds=[first, second, far]) == "OperationNotPermitted"
    server.let_pass(60)
    assert [state(ec2, host) for host in (first, second, far)] == ["running", "running", "terminated"]


@moto_differs("a terminated host can be stopped")
def test_a_terminated_host_cannot_be_stopped(server, ec2, launch):
    [host] = launch()
    ec2.terminate_instances(InstanceIds=[host["InstanceId"]])
    server.let_pass(60)
    assert code(ec2.stop_instances, InstanceIds=[host["InstanceId"]]) == "IncorrectInstanceState"


def test_a_dry_run_does_nothing(server, ec2, launch):
    [host] = launch()
    server.let_pass(60)
    assert code(ec2.terminate_instances, InstanceIds=[host["InstanceId"]], DryRun=True) == "DryRunOperation"
    assert [h["State"]["Name"] for h in hosts(ec2)] == ["running"]
