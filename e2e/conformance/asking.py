"""Small questions that many tests ask."""
import pytest
from botocore.exceptions import ClientError


def hosts(ec2, **question):
    """All hosts of an answer, page by page."""
    pages = ec2.get_paginator("describe_instances").paginate(**question)
    return [host for page in pages for group in page["Reservations"] for host in group["Instances"]]


def ids(hosts):
    return {host["InstanceId"] for host in hosts}


def only(ec2, host_id):
    [host] = hosts(ec2, InstanceIds=[host_id])
    return host


def state(ec2, host_id):
    return only(ec2, host_id)["State"]["Name"]


def tags(thing):
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags", [])}


def databases(rds, **question):
    """All databases of an answer, page by page."""
    pages = rds.get_paginator("describe_db_instances").paginate(**question)
    return [database for page in pages for database in page["DBInstances"]]


def clusters(rds, **question):
    """All clusters of an answer, page by page."""
    pages = rds.get_paginator("describe_db_clusters").paginate(**question)
    return [cluster for page in pages for cluster in page["DBClusters"]]


def names(databases):
    return {database["DBInstanceIdentifier"] for database in databases}


def the_database(rds, name):
    [database] = databases(rds, DBInstanceIdentifier=name)
    return database


def the_cluster(rds, name):
    [cluster] = clusters(rds, DBClusterIdentifier=name)
    return cluster


def writers(cluster):
    members = cluster["DBClusterMembers"]
    return [member["DBInstanceIdentifier"] for member in members if member["IsClusterWriter"]]


def refusal(call, *args, **kwargs):
    """The code, the HTTP status and the request id of a refused call."""
    with pytest.raises(ClientError) as caught:
        call(*args, **kwargs)
    answer = caught.value.response
    meta = answer["ResponseMetadata"]
    return answer["Error"]["Code"], meta["HTTPStatusCode"], meta.get("RequestId")


def code(call, *args, **kwargs):
    return refusal(call, *args, **kwargs)[0]


def where(name, *values):
    return {"Name": name, "Values": list(values)}
