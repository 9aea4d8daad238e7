"""Database instances: every field that Rollcall reads, how they are found, and their pages."""
import datetime as dt

from asking import code, databases, names, refusal, the_database, where
from conftest import moto_differs


def test_a_database_has_the_fields_we_read(server, room, database):
    before = server.now()
    told = database(
        "Orders",
        Tags=[{"Key": "Name", "Value": "環境 <orders>"}, {"Key": "environment", "Value": "prod"}],
        DBInstanceClass="db.r6g.large",
        AllocatedStorage=100,
        StorageType="gp3",
        StorageEncrypted=True,
        DeletionProtection=True,
        BackupRetentionPeriod=14,
        MonitoringInterval=60,
        MonitoringRoleArn=f"arn:aws:iam::{room.account}:role/rds-monitoring",
        PreferredMaintenanceWindow="sun:18:00-sun:18:30",
        EnableIAMDatabaseAuthentication=True,
        PubliclyAccessible=False,
    )
    assert told["DBInstanceIdentifier"] == "orders", "names are kept in lower case"
    assert (told["Engine"], told["DBInstanceClass"]) == ("mysql", "db.r6g.large")
    assert told["EngineVersion"].startswith(("5.", "8."))
    assert told["DBInstanceStatus"] == "available"
    assert told["DbiResourceId"].startswith("db-")
    assert told["DBInstanceArn"] == f"arn:aws:rds:us-east-1:{room.account}:db:orders"
    assert told["Endpoint"]["Port"] == 3306 and told["Endpoint"]["Address"].startswith("orders.")
    assert told["Endpoint"]["Address"].endswith(".us-east-1.rds.amazonaws.com")
    assert {tag["Key"]: tag["Value"] for tag in told["TagList"]} == {
        "Name": "環境 <orders>",
        "environment": "prod",
    }
    assert (told["AllocatedStorage"], told["StorageType"], told["StorageEncrypted"]) == (100, "gp3", True)
    assert told["DeletionProtection"] is True and told["PubliclyAccessible"] is False
    assert told["MultiAZ"] is False
    assert (told["BackupRetentionPeriod"], told["MonitoringInterval"]) == (14, 60)
    assert told["PreferredMaintenanceWindow"] == "sun:18:00-sun:18:30"
    assert told["IAMDatabaseAuthenticationEnabled"] is True
    assert told["CACertificateIdentifier"].startswith("rds-ca-")
    assert told["AvailabilityZone"].startswith("us-east-1")
    assert abs(told["InstanceCreateTime"] - before) < dt.timedelta(hours=2)
    assert told["ReadReplicaDBInstanceIdentifiers"] == []
    assert "DBClusterIdentifier" not in told and "ReadReplicaSourceDBInstanceIdentifier" not in told
    assert "AutomaticRestartTime" not in told


def test_a_database_names_its_groups(database):
    told = database("orders")
    [parameters] = told["DBParameterGroups"]
    assert parameters["DBParameterGroupName"].startswith("default.mysql")
    assert parameters["ParameterApplyStatus"] == "in-sync"
    [options] = told["OptionGroupMemberships"]
    assert options["OptionGroupName"].startswith("default:mysql-") and options["Status"] == "in-sync"


def test_a_database_is_in_the_default_security_group(ec2, database):
    [group] = database("orders")["VpcSecurityGroups"]
    assert group["Status"] == "active"
    [known] = ec2.describe_security_groups(GroupIds=[group["VpcSecurityGroupId"]])["SecurityGroups"]
    assert known["GroupName"] == "default"


def test_a_database_is_in_its_subnet_group(ec2, rds, database):
    subnets = sorted(ec2.describe_subnets()["Subnets"], key=lambda s: s["AvailabilityZone"])[:2]
    wanted = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in subnets}
    group = {"DBSubnetGroupName": "Data", "DBSubnetGroupDescription": "of data"}
    rds.create_db_subnet_group(SubnetIds=list(wanted), **group)
    told = database("orders", DBSubnetGroupName="data")["DBSubnetGroup"]
    assert (told["DBSubnetGroupName"], told["VpcId"]) == ("data", subnets[0]["VpcId"])
    assert told["SubnetGroupStatus"] == "Complete"
    zones = {s["SubnetIdentifier"]: s["SubnetAvailabilityZone"]["Name"] for s in told["Subnets"]}
    assert zones == wanted
    [listed] = rds.describe_db_subnet_groups(DBSubnetGroupName="data")["DBSubnetGroups"]
    assert {s["SubnetIdentifier"] for s in listed["Subnets"]} == set(wanted)


def test_a_database_is_found_by_name_whatever_its_case(rds, database):
    database("orders")
    assert the_database(rds, "ORDERS")["DBInstanceIdentifier"] == "orders"


def test_a_database_is_found_by_arn(rds, database):
    arn = database("orders")["DBInstanceArn"]
    assert the_database(rds, arn)["DBInstanceIdentifier"] == "orders"


def test_an_unknown_database_is_not_found(rds):
    refused, status, request = refusal(rds.describe_db_instances, DBInstanceIdentifier="nobody")
    assert (refused, status) == ("DBInstanceNotFound", 404)
    assert request


def test_filters_find_their_own_and_no_other(rds, database, cluster):
    database("orders")
    database("ledger", "postgres")
    cluster("shop", "shop-a", "shop-b")
    for filters, expected in [
        ([where("engine", "postgres")], {"ledger"}),
        ([where("engine", "mysql", "postgres")], {"orders", "ledger"}),
        ([where("db-instance-id", "orders", "shop-b")], {"orders", "shop-b"}),
        ([where("db-cluster-id", "shop")], {"shop-a", "shop-b"}),
        ([where("db-cluster-id", "shop"), where("engine", "mysql")], set()),
    ]:
        assert names(databases(rds, Filters=filters)) == expected, filters


def test_a_filter_takes_no_wildcards(rds, database):
    database("orders")
    assert databases(rds, Filters=[where("engine", "my*")]) == []


def test_an_unknown_filter_is_refused(rds, database):
    database("orders")
    question = {"Filters": [where("colour", "red")]}
    refused, status, _ = refusal(rds.describe_db_instances, **question)
    assert (refused, status) == ("InvalidParameterValue", 400)


def test_neptune_and_documentdb_answer_too(rds, database, cluster):
    cluster("graph", "graph-a", engine="neptune")
    database("orders")
    told = {d["DBInstanceIdentifier"]: d["Engine"] for d in databases(rds)}
    assert told == {"graph-a": "neptune", "orders": "mysql"}


@moto_differs("endpoints of Neptune are of RDS")
def test_a_neptune_endpoint_is_of_neptune(cluster, rds):
    cluster("graph", "graph-a", engine="neptune")
    assert the_database(rds, "graph-a")["Endpoint"]["Address"].endswith(".us-east-1.neptune.amazonaws.com")


def test_all_pages_are_all_databases_and_none_comes_twice(rds, database):
    wanted = {f"db-{n:02}" for n in range(23)}
    for name in wanted:
        database(name)
    first = rds.describe_db_instances(MaxRecords=20)
    assert len(first["DBInstances"]) == 20
    last = rds.describe_db_instances(MaxRecords=20, Marker=first["Marker"])
    assert len(last["DBInstances"]) == 3 and "Marker" not in last
    assert names(first["DBInstances"]) | names(last["DBInstances"]) == wanted


@moto_differs("any page size is taken")
def test_a_page_is_of_20_to_100(rds):
    for size in (19, 101):
        refused, status, _ = refusal(rds.describe_db_instances, MaxRecords=size)
        assert (refused, status) == ("InvalidParameterValue", 400)


@moto_differs("a made-up marker is refused in JSON")
def test_a_made_up_marker_is_refused(rds, database):
    database("orders")
    refused, status, _ = refusal(rds.describe_db_instances, Marker="made-up")
    assert (refused, status) == ("InvalidParameterValue", 400)


def test_accounts_and_regions_are_apart(room, server, database):
    database("orders")
    assert databases(room.client("rds", region="eu-west-1")) == []
    assert databases(server.client("rds")) == []


@moto_differs("every access key is taken")
def test_an_unknown_key_is_refused(server):
    stranger = server.client("rds", key="AKIANOBODY", secret="x")
    refused, status, _ = refusal(stranger.describe_db_instances)
    assert (refused, status) == ("InvalidClientTokenId", 403)


def test_a_snapshot_names_its_database(server, rds, database):
    of = database("orders")
    rds.create_db_snapshot(DBSnapshotIdentifier="before-2", DBInstanceIdentifier="orders")
    server.let_pass(600)
    [told] = rds.describe_db_snapshots(DBInstanceIdentifier="orders", SnapshotType="manual")["DBSnapshots"]
    assert (told["DBSnapshotIdentifier"], told["Status"]) == ("before-2", "available")
    assert (told["DBInstanceIdentifier"], told["DbiResourceId"]) == ("orders", of["DbiResourceId"])
    assert (told["SnapshotType"], told["Engine"]) == ("manual", "mysql")


def test_an_unknown_snapshot_is_not_found(rds):
    assert code(rds.describe_db_snapshots, DBSnapshotIdentifier="none") == "DBSnapshotNotFound"
