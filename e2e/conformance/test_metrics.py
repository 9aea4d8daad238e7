"""Metrics: what was put is told, in pages, by its id, and nothing else is."""
import datetime as dt

import pytest
from asking import refusal
from conftest import moto_differs

HOUR = dt.timedelta(hours=1)
SHOP = [{"Name": "shop", "Value": "a"}]


def query(name="q0", metric="Orders", namespace="Shop", dimensions=SHOP, stat="Maximum", period=3600, **more):
    of = {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": of, "Period": period, "Stat": stat}, **more}


@pytest.fixture
def noon(server):
    """An hour that has just begun; what is put lies before it."""
    return server.now().replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def put(cloudwatch, noon):
    """Puts values, each so many minutes before noon."""

    def put(values, metric="Orders", namespace="Shop", dimensions=SHOP):
        data = [
            {"MetricName": metric, "Dimensions": dimensions, "Timestamp": noon - dt.timedelta(minutes=ago), "Value": value}
            for ago, value in values.items()
        ]
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)

    return put


@pytest.fixture
def told(cloudwatch, noon):
    """The results by id, each as the hours before noon with their values, in the order in which they came."""

    def told(*queries, hours=6, **more):
        span = {"StartTime": noon - hours * HOUR, "EndTime": noon, "ScanBy": "TimestampAscending", **more}
        pages = cloudwatch.get_paginator("get_metric_data").paginate(MetricDataQueries=list(queries), **span)
        results = [result for page in pages for result in page["MetricDataResults"]]
        assert all(len(result["Timestamps"]) == len(result["Values"]) for result in results)
        all_told = {}
        for result in results:
            hours_ago = [(noon - time) // HOUR for time in result["Timestamps"]]
            all_told.setdefault(result["Id"], []).extend(zip(hours_ago, result["Values"]))
        assert {r["Id"] for r in results if r["StatusCode"] == "Complete"} == set(all_told)
        return all_told

    return told


def test_what_was_put_is_told_hour_by_hour_and_a_gap_stays_a_gap(put, told):
    put({10: 3, 20: 5, 70: 0, 200: 9})
    assert told(query()) == {"q0": [(4, 9), (2, 0), (1, 5)]}
    assert told(query(stat="Sum")) == {"q0": [(4, 9), (2, 0), (1, 8)]}
    assert told(query(stat="SampleCount")) == {"q0": [(4, 1), (2, 1), (1, 2)]}


def test_a_longer_period_takes_them_together(put, told):
    put({10: 3, 70: 4, 130: 5, 190: 6})
    assert told(query(period=3 * 3600, stat="Sum")) == {"q0": [(6, 6), (3, 12)]}


def test_the_newest_come_first_unless_asked_otherwise(put, told):
    put({10: 1, 70: 2, 130: 3})
    assert told(query()) == {"q0": [(3, 3), (2, 2), (1, 1)]}
    assert told(query(), ScanBy="TimestampDescending") == {"q0": [(1, 1), (2, 2), (3, 3)]}


def test_results_have_the_ids_of_their_queries(put, told):
    put({10: 1})
    put({10: 2}, metric="Visits")
    assert told(query("visits", "Visits"), query("orders")) == {"visits": [(1, 2)], "orders": [(1, 1)]}


def test_nothing_there_is_a_whole_answer_without_values(put, told):
    put({10: 1})
    other = [{"Name": "shop", "Value": "b"}]
    misspelt = [{"Name": "Shop", "Value": "a"}]
    both = [*SHOP, {"Name": "floor", "Value": "1"}]
    questions = [
        query("name", "Order"),
        query("value", dimensions=other),
        query("dimension", dimensions=misspelt),
        query("more", dimensions=both),
    ]
    assert told(*questions) == {"name": [], "value": [], "dimension": [], "more": []}


def test_what_is_not_to_be_told_is_not(put, told):
    put({10: 1})
    assert told(query("quiet", ReturnData=False), query()) == {"q0": [(1, 1)]}


def test_the_end_is_not_part_of_it_and_the_start_is(put, told):
    put({0: 1, 60: 2, 360: 3})
    assert told(query()) == {"q0": [(6, 3), (1, 2)]}


def test_time_goes_forwards(cloudwatch, noon):
    for start, end in [(noon, noon), (noon, noon - HOUR)]:
        question = {"MetricDataQueries": [query()], "StartTime": start, "EndTime": end}
        code, status, _ = refusal(cloudwatch.get_metric_data, **question)
        assert (code, status) == ("ValidationError", 400)


def test_a_query_asks_for_something(cloudwatch, noon):
    question = {"MetricDataQueries": [{"Id": "q0"}], "StartTime": noon - HOUR, "EndTime": noon}
    code, status, _ = refusal(cloudwatch.get_metric_data, **question)
    assert (code, status) == ("ValidationError", 400)


@moto_differs("a namespace does not count where there are dimensions")
def test_namespaces_are_apart(put, told):
    put({10: 1})
    assert told(query(namespace="Other")) == {"q0": []}


@moto_differs("there is no limit on queries")
def test_more_than_five_hundred_queries_are_refused(cloudwatch, noon):
    queries = [query(f"q{n}") for n in range(501)]
    question = {"MetricDataQueries": queries, "StartTime": noon - HOUR, "EndTime": noon}
    assert refusal(cloudwatch.get_metric_data, **question)[:2] == ("ValidationError", 400)


@moto_differs("an id may come twice")
def test_ids_are_unique(cloudwatch, noon):
    question = {"MetricDataQueries": [query(), query()], "StartTime": noon - HOUR, "EndTime": noon}
    assert refusal(cloudwatch.get_metric_data, **question)[:2] == ("ValidationError", 400)


@moto_differs("MaxDatapoints is ignored")
def test_an_answer_comes_in_pages_of_points(cloudwatch, put, told, noon):
    put({60 * n + 10: n for n in range(6)})
    question = {"MetricDataQueries": [query()], "StartTime": noon - 6 * HOUR, "EndTime": noon, "MaxDatapoints": 4}
    first = cloudwatch.get_metric_data(**question)
    [part] = first["MetricDataResults"]
    assert (len(part["Values"]), part["StatusCode"]) == (4, "PartialData")
    last = cloudwatch.get_metric_data(**question, NextToken=first["NextToken"])
    [rest] = last["MetricDataResults"]
    assert (len(rest["Values"]), rest["StatusCode"]) == (2, "Complete")
    assert "NextToken" not in last
    assert sorted(part["Values"] + rest["Values"]) == [0, 1, 2, 3, 4, 5]
    assert told(query(), MaxDatapoints=4)["q0"] == [(n + 1, n) for n in reversed(range(6))]


@moto_differs("a made-up token is taken")
def test_a_made_up_token_is_refused(cloudwatch, noon):
    question = {"MetricDataQueries": [query()], "StartTime": noon - HOUR, "EndTime": noon, "NextToken": "made-up"}
    assert refusal(cloudwatch.get_metric_data, **question)[:2] == ("InvalidNextToken", 400)


@moto_differs("anybody may put metrics into AWS's own namespaces")
def test_aws_s_own_metrics_are_aws_s(put):
    with pytest.raises(Exception, match="InvalidParameterValue"):
        put({10: 1}, namespace="AWS/EC2")


@moto_differs("hosts and databases send no metrics")
def test_hosts_and_databases_send_metrics_while_they_run(server, cloudwatch, ec2, launch, database):
    [host] = launch(InstanceType="m5.large")
    database("shop")
    server.let_pass(3 * 3600)
    ec2.stop_instances(InstanceIds=[host["InstanceId"]])
    server.let_pass(6 * 3600)
    end = server.now().replace(minute=0, second=0, microsecond=0)
    of_host = [{"Name": "InstanceId", "Value": host["InstanceId"]}]
    of_database = [{"Name": "DBInstanceIdentifier", "Value": "shop"}]
    queries = [
        query("cpu", "CPUUtilization", "AWS/EC2", of_host),
        query("out", "NetworkOut", "AWS/EC2", of_host, "Sum"),
        query("connections", "DatabaseConnections", "AWS/RDS", of_database),
    ]
    question = {"MetricDataQueries": queries, "StartTime": end - 8 * HOUR, "EndTime": end}
    results = cloudwatch.get_metric_data(**question)["MetricDataResults"]
    hours = {result["Id"]: [(end - time) // HOUR for time in result["Timestamps"]] for result in results}
    assert 2 <= len(hours["cpu"]) <= 4 and hours["cpu"] == hours["out"]
    assert min(hours["cpu"]) >= 5, "nothing since it stopped"
    assert len(hours["connections"]) == 8
