"""Stopping, starting, renaming and deleting databases, their replicas, and what is refused."""
import datetime as dt

from asking import code, databases, refusal, the_database
from conftest import moto_differs


def status(rds, name):
    return the_database(rds, name)["DBInstanceStatus"]


@moto_differs("a new database has an endpoint and a birthday at once")
def test_a_new_database_is_creating_and_has_no_endpoint(server, rds):
    wish = {"DBInstanceIdentifier": "orders", "Engine": "mysql", "DBInstanceClass": "db.t3.medium"}
    wish |= {"AllocatedStorage": 20, "MasterUsername": "ops", "MasterUserPassword": "not-a-secret"}
    rds.create_db_instance(**wish)
    told = the_database(rds, "orders")
    assert told["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in told and "InstanceCreateTime" not in told
    server.let_pass(600)
    assert status(rds, "orders") == "available"


def test_a_database_stops_and_starts(server, rds, database):
    database("orders")
    rds.stop_db_instance(DBInstanceIdentifier="orders")
    server.let_pass(600)
    assert status(rds, "orders") == "stopped"
    rds.start_db_instance(DBInstanceIdentifier="orders")
    server.let_pass(600)
    assert status(rds, "orders") == "available"


@moto_differs("states change at once")
def test_a_stop_takes_its_time(rds, database):
    database("orders")
    rds.stop_db_instance(DBInstanceIdentifier="orders")
    assert status(rds, "orders") == "stopping"


@moto_differs("a stopped database says nothing of its restart, and stays stopped")
def test_a_stopped_database_starts_again_after_seven_days(server, rds, database):
    database("orders")
    rds.stop_db_instance(DBInstanceIdentifier="orders")
    server.let_pass(600)
    told = the_database(rds, "orders")
    assert told["DBInstanceStatus"] == "stopped"
    assert told["AutomaticRestartTime"] - told["InstanceCreateTime"] > dt.timedelta(days=7)
    server.let_pass(dt.timedelta(days=7).total_seconds())
    told = the_database(rds, "orders")
    assert told["DBInstanceStatus"] == "available" and "AutomaticRestartTime" not in told


def test_a_stopped_database_cannot_be_stopped(server, rds, database):
    database("orders")
    rds.stop_db_instance(DBInstanceIdentifier="orders")
    server.let_pass(600)
    refused, http, _ = refusal(rds.stop_db_instance, DBInstanceIdentifier="orders")
    assert (refused, http) == ("InvalidDBInstanceState", 400)


def test_a_database_and_its_replica_name_each_other(server, rds, database):
    database("orders", BackupRetentionPeriod=7)
    wish = {"DBInstanceIdentifier": "orders-replica", "SourceDBInstanceIdentifier": "orders"}
    rds.create_db_instance_read_replica(**wish)
    server.let_pass(600)
    assert the_database(rds, "orders")["ReadReplicaDBInstanceIdentifiers"] == ["orders-replica"]
    assert the_database(rds, "orders-replica")["ReadReplicaSourceDBInstanceIdentifier"] == "orders"


@moto_differs("a replica and its source can be stopped")
def test_neither_a_replica_nor_its_source_can_be_stopped(server, rds, database):
    database("orders", BackupRetentionPeriod=7)
    wish = {"DBInstanceIdentifier": "orders-replica", "SourceDBInstanceIdentifier": "orders"}
    rds.create_db_instance_read_replica(**wish)
    server.let_pass(600)
    for name in ("orders", "orders-replica"):
        assert code(rds.stop_db_instance, DBInstanceIdentifier=name) == "InvalidDBInstanceState"


def test_a_rename_keeps_the_resource_id(server, rds, database):
    before = database("orders")
    rename = {"NewDBInstanceIdentifier": "Orders-Old", "ApplyImmediately": True}
    rds.modify_db_instance(DBInstanceIdentifier="orders", **rename)
    server.let_pass(600)
    after = the_database(rds, "orders-old")
    assert after["DbiResourceId"] == before["DbiResourceId"]
    assert after["DBInstanceArn"].endswith(":db:orders-old")
    assert code(rds.describe_db_instances, DBInstanceIdentifier="orders") == "DBInstanceNotFound"


@moto_differs("a change that should wait is made at once")
def test_a_change_that_waits_shows_as_pending(server, rds, database):
    database("orders")
    rds.modify_db_instance(DBInstanceIdentifier="orders", DBInstanceClass="db.r6g.large")
    server.let_pass(600)
    told = the_database(rds, "orders")
    assert (told["DBInstanceStatus"], told["DBInstanceClass"]) == ("available", "db.t3.medium")
    assert told["PendingModifiedValues"] == {"DBInstanceClass": "db.r6g.large"}


def test_a_change_at_once_is_made(server, rds, database):
    database("orders")
    wish = {"DBInstanceClass": "db.r6g.large", "ApplyImmediately": True}
    rds.modify_db_instance(DBInstanceIdentifier="orders", **wish)
    server.let_pass(600)
    told = the_database(rds, "orders")
    assert (told["DBInstanceStatus"], told["DBInstanceClass"]) == ("available", "db.r6g.large")
    assert told.get("PendingModifiedValues", {}) == {}


def test_a_protected_database_is_not_deleted(rds, database):
    database("orders", DeletionProtection=True)
    question = {"DBInstanceIdentifier": "orders", "SkipFinalSnapshot": True}
    refused, http, _ = refusal(rds.delete_db_instance, **question)
    assert (refused, http) == ("InvalidParameterCombination", 400)
    assert status(rds, "orders") == "available"


@moto_differs("a database is deleted without a last snapshot and without the word that none is wanted")
def test_a_delete_needs_a_snapshot_or_the_word_that_none_is_wanted(rds, database):
    database("orders")
    assert code(rds.delete_db_instance, DBInstanceIdentifier="orders") == "InvalidParameterCombination"


def test_a_deleted_database_leaves_its_last_snapshot(server, rds, database):
    database("orders")
    rds.delete_db_instance(DBInstanceIdentifier="orders", FinalDBSnapshotIdentifier="orders-last")
    server.let_pass(600)
    assert databases(rds) == []
    [last] = rds.describe_db_snapshots(DBSnapshotIdentifier="orders-last")["DBSnapshots"]
    assert last["DBInstanceIdentifier"] == "orders"


def test_a_name_is_given_once(rds, database):
    database("orders")
    wish = {"DBInstanceIdentifier": "orders", "Engine": "mysql", "DBInstanceClass": "db.t3.medium"}
    wish |= {"AllocatedStorage": 20, "MasterUsername": "ops", "MasterUserPassword": "not-a-secret"}
    assert code(rds.create_db_instance, **wish) == "DBInstanceAlreadyExists"
