"""Every test runs on both servers, each time in an AWS account of its own that it enters by AssumeRole.

A test of something that moto is known to do wrong carries `@moto_differs("what moto does instead")`. On moto it
must then fail: the day moto does it right the suite fails until the note is taken away.
"""
import datetime as dt
import itertools
import json
import os
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.parsers import ResponseParserError
from botocore.utils import parse_timestamp

from asking import the_cluster, the_database
from seed import HOME, ROOMS

# An image that moto ships with; the fake takes any.
IMAGE = "ami-12c6146b"
REGION = "us-east-1"
# How a wrong answer of moto shows. A server that is down or a broken test is none of these, and fails the suite.
WRONG_ANSWER = (AssertionError, KeyError, pytest.fail.Exception, ResponseParserError)
_rooms = {"fake": itertools.cycle(ROOMS), "moto": itertools.cycle(ROOMS)}


def moto_differs(what):
    return pytest.mark.moto_differs(what)


def pytest_configure(config):
    config.addinivalue_line("markers", "moto_differs(what): moto is wrong here, and how")


def pytest_generate_tests(metafunc):
    if "server" in metafunc.fixturenames:
        servers = ["fake", "moto"]
        mark = metafunc.definition.get_closest_marker("moto_differs")
        if mark:
            wrong = pytest.mark.xfail(reason=f"moto: {mark.args[0]}", strict=True, raises=WRONG_ANSWER)
            servers[1] = pytest.param("moto", marks=wrong)
        metafunc.parametrize("server", servers, indirect=True)


class Server:
    """One of the two servers, and the ways to reach it."""

    def __init__(self, name):
        self.name = name
        self.url = os.environ[f"{name.upper()}_URL"]

    def client(self, service, region=REGION, key="test", secret="test", token=None):
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60),
        )

    def now(self):
        """World time: the fake's own, which tests move, and in moto the machine's."""
        if self.name == "moto":
            return dt.datetime.now(dt.timezone.utc)
        with urllib.request.urlopen(f"{self.url}/_world/clock", timeout=5) as answer:
            return parse_timestamp(json.load(answer)["now"])

    def let_pass(self, seconds):
        """World time goes by. In moto states change at once."""
        if self.name == "fake":
            body = json.dumps({"advanceSeconds": seconds}).encode()
            headers = {"content-type": "application/json"}
            request = urllib.request.Request(f"{self.url}/_world/clock", body, headers)
            urllib.request.urlopen(request, timeout=5).read()


class Room:
    """An account that nobody else uses."""

    def __init__(self, server, account, role="conformance"):
        self.server, self.account = server, account
        sts = server.client("sts")
        answer = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{role}", RoleSessionName="conformance")
        self.assumed, self.credentials = answer["AssumedRoleUser"], answer["Credentials"]

    def client(self, service="ec2", region=REGION):
        given = self.credentials
        return self.server.client(
            service, region, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
        )


@pytest.fixture
def server(request):
    return Server(request.param)


@pytest.fixture
def room(server):
    return Room(server, next(_rooms[server.name]))


@pytest.fixture
def ec2(room):
    return room.client()


@pytest.fixture
def launch(ec2):
    """Launches hosts and answers them; `tags` as keywords."""

    def launch(count=1, tags=None, **more):
        wish = {"ImageId": IMAGE, "MinCount": count, "MaxCount": count, "InstanceType": "t3.small", **more}
        if tags:
            tags = [{"Key": k, "Value": v} for k, v in tags.items()]
            wish["TagSpecifications"] = [{"ResourceType": "instance", "Tags": tags}]
        return ec2.run_instances(**wish)["Instances"]

    return launch


@pytest.fixture
def rds(room):
    return room.client("rds")


@pytest.fixture
def cloudwatch(room):
    return room.client("cloudwatch")


@pytest.fixture
def database(server, rds):
    """Makes a database and waits until it is there; answers it as it is listed."""

    def database(name, engine="mysql", **more):
        wish = {"DBInstanceIdentifier": name, "Engine": engine, "DBInstanceClass": "db.t3.medium", **more}
        if "DBClusterIdentifier" not in wish:
            wish = {"AllocatedStorage": 20, "MasterUsername": "ops", "MasterUserPassword": "not-a-secret", **wish}
        rds.create_db_instance(**wish)
        server.let_pass(600)
        return the_database(rds, name)

    return database


@pytest.fixture
def cluster(server, rds, database):
    """Makes a cluster with members, the writer first; answers it as it is listed."""

    def cluster(name, *members, engine="aurora-mysql", **more):
        wish = {"DBClusterIdentifier": name, "Engine": engine, **more}
        if engine != "neptune":
            wish = {"MasterUsername": "ops", "MasterUserPassword": "not-a-secret", **wish}
        rds.create_db_cluster(**wish)
        for member in members:
            database(member, engine, DBClusterIdentifier=name)
        server.let_pass(600)
        return the_cluster(rds, name)

    return cluster


@pytest.fixture
def home():
    return HOME
