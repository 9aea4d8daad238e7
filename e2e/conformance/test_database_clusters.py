"""Clusters: their members, who writes, and a failover."""
from asking import clusters, code, databases, names, refusal, the_cluster, the_database, where, writers
from conftest import moto_differs


def test_a_cluster_has_the_fields_we_read(room, cluster):
    more = {"Tags": [{"Key": "environment", "Value": "prod"}], "DeletionProtection": True}
    told = cluster("Shop", "shop-a", "shop-b", **more)
    assert (told["DBClusterIdentifier"], told["Engine"]) == ("shop", "aurora-mysql")
    assert told["Status"] == "available" and told["EngineVersion"]
    assert told["DbClusterResourceId"].startswith("cluster-")
    assert told["DBClusterArn"] == f"arn:aws:rds:us-east-1:{room.account}:cluster:shop"
    assert told["Endpoint"].startswith("shop.cluster-") and told["ReaderEndpoint"].startswith("shop.cluster-ro-")
    assert told["Port"] == 3306
    assert told["TagList"] == [{"Key": "environment", "Value": "prod"}]
    assert told["DeletionProtection"] is True and told["StorageEncrypted"] is False
    assert told["DBSubnetGroup"]
    assert {m["DBInstanceIdentifier"] for m in told["DBClusterMembers"]} == {"shop-a", "shop-b"}
    assert {m["DBClusterParameterGroupStatus"] for m in told["DBClusterMembers"]} == {"in-sync"}
    assert "AutomaticRestartTime" not in told


def test_the_first_member_writes_and_the_others_read(rds, cluster):
    assert writers(cluster("shop", "shop-a", "shop-b", "shop-c")) == ["shop-a"]
    assert the_database(rds, "shop-b")["DBClusterIdentifier"] == "shop"


def test_after_a_failover_another_member_writes(server, rds, cluster):
    cluster("shop", "shop-a", "shop-b")
    rds.failover_db_cluster(DBClusterIdentifier="shop", TargetDBInstanceIdentifier="shop-b")
    server.let_pass(600)
    told = the_cluster(rds, "shop")
    assert (told["Status"], writers(told)) == ("available", ["shop-b"])


@moto_differs("the writer moves at once")
def test_a_failover_takes_its_time(rds, cluster):
    cluster("shop", "shop-a", "shop-b")
    rds.failover_db_cluster(DBClusterIdentifier="shop", TargetDBInstanceIdentifier="shop-b")
    told = the_cluster(rds, "shop")
    assert (told["Status"], writers(told)) == ("failing-over", ["shop-a"])


@moto_differs("a member of a cluster can be stopped")
def test_a_member_is_not_stopped_by_itself(rds, cluster):
    cluster("shop", "shop-a")
    refused, status, _ = refusal(rds.stop_db_instance, DBInstanceIdentifier="shop-a")
    assert (refused, status) == ("InvalidDBClusterStateFault", 400)


def test_a_deleted_member_leaves_its_cluster(server, rds, cluster):
    cluster("shop", "shop-a", "shop-b")
    rds.delete_db_instance(DBInstanceIdentifier="shop-b", SkipFinalSnapshot=True)
    server.let_pass(600)
    told = the_cluster(rds, "shop")
    assert [m["DBInstanceIdentifier"] for m in told["DBClusterMembers"]] == ["shop-a"]
    assert names(databases(rds)) == {"shop-a"}


def test_a_deleted_writer_is_followed_by_a_reader(server, rds, cluster):
    cluster("shop", "shop-a", "shop-b")
    rds.delete_db_instance(DBInstanceIdentifier="shop-a", SkipFinalSnapshot=True)
    server.let_pass(600)
    assert writers(the_cluster(rds, "shop")) == ["shop-b"]


def test_an_unknown_cluster_is_not_found(rds):
    refused, status, _ = refusal(rds.describe_db_clusters, DBClusterIdentifier="nobody")
    assert (refused, status) == ("DBClusterNotFoundFault", 404)


def test_filters_find_their_own_and_no_other(rds, cluster):
    cluster("shop")
    cluster("graph", engine="neptune")
    for filters, expected in [
        ([where("engine", "neptune")], {"graph"}),
        ([where("db-cluster-id", "shop", "nobody")], {"shop"}),
    ]:
        assert {c["DBClusterIdentifier"] for c in clusters(rds, Filters=filters)} == expected
    assert len(clusters(rds)) == 2


@moto_differs("clusters are not paged")
def test_clusters_are_paged(rds, cluster):
    wanted = {f"shop-{n:02}" for n in range(21)}
    for name in wanted:
        cluster(name)
    first = rds.describe_db_clusters(MaxRecords=20)
    last = rds.describe_db_clusters(MaxRecords=20, Marker=first["Marker"])
    assert (len(first["DBClusters"]), len(last["DBClusters"])) == (20, 1)
    assert {c["DBClusterIdentifier"] for c in first["DBClusters"] + last["DBClusters"]} == wanted


def test_a_cluster_s_parameters_are_set(rds):
    group = {"DBClusterParameterGroupName": "shop"}
    wish = {"DBParameterGroupFamily": "aurora-mysql8.0", "Description": "of shop"}
    rds.create_db_cluster_parameter_group(**group, **wish)
    setting = {"ParameterName": "time_zone", "ParameterValue": "Asia/Tokyo", "ApplyMethod": "immediate"}
    rds.modify_db_cluster_parameter_group(Parameters=[setting], **group)
    [told] = rds.describe_db_cluster_parameter_groups(**group)["DBClusterParameterGroups"]
    assert told["DBParameterGroupFamily"] == "aurora-mysql8.0"
    told = rds.describe_db_cluster_parameters(**group)["Parameters"]
    [zone] = [p for p in told if p["ParameterName"] == "time_zone"]
    assert zone["ParameterValue"] == "Asia/Tokyo"


def test_an_unknown_cluster_parameter_group_is_not_found(rds):
    question = {"DBClusterParameterGroupName": "nobody"}
    assert code(rds.describe_db_cluster_parameter_groups, **question) == "DBParameterGroupNotFound"
