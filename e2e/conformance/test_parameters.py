"""Groups of parameters and options, and what a change does to the databases in them."""
from asking import code, refusal, the_database
from conftest import moto_differs

GROUP = {"DBParameterGroupName": "orders"}


def made(rds):
    rds.create_db_parameter_group(DBParameterGroupFamily="mysql8.0", Description="of orders", **GROUP)


def set_to(rds, name, value, method):
    setting = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
    rds.modify_db_parameter_group(Parameters=[setting], **GROUP)


def apply_status(rds):
    [group] = the_database(rds, "orders")["DBParameterGroups"]
    return group["ParameterApplyStatus"]


def test_a_group_is_listed(room, rds):
    made(rds)
    [told] = rds.describe_db_parameter_groups(**GROUP)["DBParameterGroups"]
    assert told == {
        "DBParameterGroupName": "orders",
        "DBParameterGroupFamily": "mysql8.0",
        "Description": "of orders",
        "DBParameterGroupArn": f"arn:aws:rds:us-east-1:{room.account}:pg:orders",
    }


def test_what_the_owner_set_is_told(rds):
    made(rds)
    set_to(rds, "slow_query_log", "1", "immediate")
    pages = rds.get_paginator("describe_db_parameters").paginate(Source="user", **GROUP)
    [told] = [parameter for page in pages for parameter in page["Parameters"]]
    assert (told["ParameterName"], told["ParameterValue"]) == ("slow_query_log", "1")
    assert told["ApplyMethod"] == "immediate"


@moto_differs("a parameter says nothing of who set it, its type, or whether it needs a restart")
def test_a_parameter_says_who_set_it_and_what_it_needs(rds):
    made(rds)
    set_to(rds, "performance_schema", "1", "pending-reboot")
    [told] = rds.describe_db_parameters(Source="user", **GROUP)["Parameters"]
    assert (told["Source"], told["ApplyType"], told["DataType"]) == ("user", "static", "boolean")
    assert told["IsModifiable"] is True


@moto_differs("the engine's own defaults are not listed")
def test_what_nobody_set_is_the_engine_s_default(rds):
    made(rds)
    told = rds.describe_db_parameters(**GROUP)["Parameters"]
    told = {p["ParameterName"]: (p["Source"], p["ParameterValue"]) for p in told if "ParameterValue" in p}
    assert told["wait_timeout"] == ("engine-default", "28800")
    assert rds.describe_db_parameters(Source="user", **GROUP)["Parameters"] == []


@moto_differs("parameters are not paged")
def test_parameters_are_paged(rds):
    made(rds)
    for n in range(30):
        set_to(rds, f"parameter_{n:02}", "1", "pending-reboot")
    first = rds.describe_db_parameters(MaxRecords=20, Source="user", **GROUP)
    last = rds.describe_db_parameters(MaxRecords=20, Source="user", Marker=first["Marker"], **GROUP)
    assert (len(first["Parameters"]), len(last["Parameters"])) == (20, 10)


@moto_differs("a changed parameter never waits for a restart")
def test_a_parameter_that_waits_shows_on_the_database_until_it_restarts(server, rds, database):
    made(rds)
    database("orders", **GROUP)
    set_to(rds, "performance_schema", "1", "pending-reboot")
    assert apply_status(rds) == "pending-reboot"
    rds.reboot_db_instance(DBInstanceIdentifier="orders")
    server.let_pass(600)
    assert apply_status(rds) == "in-sync"


@moto_differs("a parameter is never being applied")
def test_a_parameter_at_once_is_applied_for_a_moment(server, rds, database):
    made(rds)
    database("orders", **GROUP)
    set_to(rds, "slow_query_log", "1", "immediate")
    assert apply_status(rds) == "applying"
    server.let_pass(60)
    assert apply_status(rds) == "in-sync"


@moto_differs("a parameter that needs a restart can be set at once")
def test_a_parameter_that_needs_a_restart_is_not_set_at_once(rds):
    made(rds)
    setting = {"ParameterName": "performance_schema", "ParameterValue": "1", "ApplyMethod": "immediate"}
    refused = code(rds.modify_db_parameter_group, Parameters=[setting], **GROUP)
    assert refused == "InvalidParameterCombination"


@moto_differs("an unknown parameter group is an empty list")
def test_an_unknown_group_is_not_found(rds):
    refused, status, _ = refusal(rds.describe_db_parameter_groups, **GROUP)
    assert (refused, status) == ("DBParameterGroupNotFound", 404)


def test_an_unknown_group_has_no_parameters(rds):
    refused, status, _ = refusal(rds.describe_db_parameters, **GROUP)
    assert (refused, status) == ("DBParameterGroupNotFound", 404)


def test_an_option_group_is_listed(rds):
    wish = {"EngineName": "mysql", "MajorEngineVersion": "8.0", "OptionGroupDescription": "of orders"}
    rds.create_option_group(OptionGroupName="orders", **wish)
    [told] = rds.describe_option_groups(OptionGroupName="orders")["OptionGroupsList"]
    assert (told["EngineName"], told["MajorEngineVersion"]) == ("mysql", "8.0")
    assert told["OptionGroupDescription"] == "of orders"


def test_groups_that_are_not_there_are_not_found(rds):
    for ask, question, expected in [
        (rds.describe_option_groups, {"OptionGroupName": "nobody"}, "OptionGroupNotFoundFault"),
        (rds.describe_db_subnet_groups, {"DBSubnetGroupName": "nobody"}, "DBSubnetGroupNotFoundFault"),
    ]:
        refused, status, _ = refusal(ask, **question)
        assert (refused, status) == (expected, 404)


def named(*names):
    return [{"Name": "parameter-name", "Values": list(names)}]


@moto_differs("the filter by name is ignored")
def test_parameters_are_found_by_name_whoever_set_them(rds):
    made(rds)
    set_to(rds, "slow_query_log", "1", "immediate")
    set_to(rds, "long_query_time", "0.5", "immediate")
    told = rds.describe_db_parameters(Filters=named("slow_query_log", "wait_timeout", "nothing"), **GROUP)
    told = {p["ParameterName"]: (p["ParameterValue"], p["Source"]) for p in told["Parameters"]}
    assert told == {"slow_query_log": ("1", "user"), "wait_timeout": ("28800", "engine-default")}


@moto_differs("a filter is not looked at")
def test_parameters_are_found_by_nothing_but_name(rds):
    made(rds)
    filters = [{"Name": "colour", "Values": ["red"]}]
    refused, status, _ = refusal(rds.describe_db_parameters, Filters=filters, **GROUP)
    assert (refused, status) == ("InvalidParameterValue", 400)


@moto_differs("the filter by name is ignored")
def test_parameters_of_a_cluster_are_found_by_name_too(rds):
    group = {"DBClusterParameterGroupName": "shop"}
    rds.create_db_cluster_parameter_group(DBParameterGroupFamily="aurora-mysql8.0", Description="d", **group)
    settings = [
        {"ParameterName": name, "ParameterValue": "1", "ApplyMethod": "immediate"}
        for name in ("slow_query_log", "general_log")
    ]
    rds.modify_db_cluster_parameter_group(Parameters=settings, **group)
    told = rds.describe_db_cluster_parameters(Filters=named("general_log"), **group)["Parameters"]
    assert [(p["ParameterName"], p["ParameterValue"]) for p in told] == [("general_log", "1")]


def test_an_unknown_cluster_group_has_no_parameters(rds):
    question = {"DBClusterParameterGroupName": "nobody"}
    refused, status, _ = refusal(rds.describe_db_cluster_parameters, **question)
    assert (refused, status) == ("DBParameterGroupNotFound", 404)


def test_subnet_groups_tell_their_vpc_and_subnets(ec2, rds):
    subnets = {s["SubnetId"]: s["VpcId"] for s in ec2.describe_subnets()["Subnets"][:2]}
    rds.create_db_subnet_group(DBSubnetGroupName="data", DBSubnetGroupDescription="d", SubnetIds=list(subnets))
    pages = rds.get_paginator("describe_db_subnet_groups").paginate()
    [told] = [group for page in pages for group in page["DBSubnetGroups"] if group["DBSubnetGroupName"] == "data"]
    assert (told["SubnetGroupStatus"], {told["VpcId"]}) == ("Complete", set(subnets.values()))
    assert {s["SubnetIdentifier"] for s in told["Subnets"]} == set(subnets)
    assert {s["SubnetStatus"] for s in told["Subnets"]} == {"Active"}
