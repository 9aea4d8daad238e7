"""Pages: all of them together are the fleet, once."""
from asking import code, hosts, ids, refusal, where
from conftest import moto_differs


def pages(ec2, size, **question):
    config = {"PageSize": size}
    for page in ec2.get_paginator("describe_instances").paginate(PaginationConfig=config, **question):
        yield [host for group in page["Reservations"] for host in group["Instances"]]


def test_all_pages_are_the_fleet_and_no_host_comes_twice(ec2, launch):
    launched = set()
    for _ in range(13):
        launched |= ids(launch())
    told = list(pages(ec2, 5))
    assert [len(page) for page in told] == [5, 5, 3]
    assert sum(len(page) for page in told) == 13
    assert set().union(*map(ids, told)) == launched


def test_a_filter_holds_on_every_page(ec2, launch):
    for n in range(12):
        launch(tags={"environment": "prod" if n % 2 else "qa"})
    told = [host for page in pages(ec2, 5, Filters=[where("tag:environment", "prod")]) for host in page]
    assert len(told) == len(ids(told)) == 6


def test_the_last_page_leads_nowhere(ec2, launch):
    for _ in range(6):
        launch()
    first = ec2.describe_instances(MaxResults=5)
    last = ec2.describe_instances(MaxResults=5, NextToken=first["NextToken"])
    assert "NextToken" not in last


def test_nothing_is_one_empty_page(ec2):
    answer = ec2.describe_instances(MaxResults=5)
    assert answer["Reservations"] == [] and "NextToken" not in answer


@moto_differs("MaxResults counts reservations")
def test_a_page_counts_hosts(ec2, launch):
    launched = ids(launch(12))
    told = list(pages(ec2, 5))
    assert max(len(page) for page in told) == 5
    assert set().union(*map(ids, told)) == launched


@moto_differs("MaxResults below 5 is taken")
def test_a_page_of_three_is_refused(ec2):
    refused, status, _ = refusal(ec2.describe_instances, MaxResults=3)
    assert (refused, status) == ("InvalidParameterValue", 400)


@moto_differs("MaxResults above 1000 is taken")
def test_a_page_of_two_thousand_is_refused(ec2):
    assert code(ec2.describe_instances, MaxResults=2000) == "InvalidParameterValue"


def test_ids_and_a_page_size_do_not_go_together(ec2, launch):
    [host] = launch()
    question = {"InstanceIds": [host["InstanceId"]], "MaxResults": 5}
    assert code(ec2.describe_instances, **question) == "InvalidParameterCombination"


@moto_differs("a made-up token is HTTP 500")
def test_a_made_up_token_is_refused(ec2, launch):
    launch()
    refused, status, _ = refusal(ec2.describe_instances, MaxResults=5, NextToken="made-up")
    assert (refused, status) == ("InvalidPaginationToken", 400)


@moto_differs("a token is taken by any request")
def test_a_token_belongs_to_its_request(ec2, launch):
    for _ in range(7):
        launch(tags={"environment": "prod"})
    token = ec2.describe_instances(MaxResults=5)["NextToken"]
    other = {"MaxResults": 5, "NextToken": token, "Filters": [where("tag-key", "environment")]}
    assert code(ec2.describe_instances, **other) == "InvalidPaginationToken"


@moto_differs("volumes are not paged")
def test_volumes_are_paged(ec2, launch):
    launch(7)
    first = ec2.describe_volumes(MaxResults=5)
    last = ec2.describe_volumes(MaxResults=5, NextToken=first["NextToken"])
    assert (len(first["Volumes"]), len(last["Volumes"])) == (5, 2)
    told = {volume["VolumeId"] for volume in first["Volumes"] + last["Volumes"]}
    assert len(told) == 7


def test_a_host_that_joins_between_pages_loses_nobody(ec2, launch):
    launched = set()
    for _ in range(9):
        launched |= ids(launch())
    told = set()
    for number, page in enumerate(pages(ec2, 5)):
        told |= ids(page)
        if number == 0:
            launch()
    assert launched <= told
    assert len(ids(hosts(ec2))) == 10
