"""Makes a small fleet in moto with boto3, and prints what boto3 then sees, for the reader to be compared with."""
import datetime
import json
import sys

import boto3

URL, REGION, ACCOUNT = sys.argv[1:4]
# An image that moto ships with.
IMAGE = "ami-12c6146b"


def client(service, **given):
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=URL,
        **(given or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}),
    )


def in_account(service):
    role = f"arn:aws:iam::{ACCOUNT}:role/seed"
    given = client("sts").assume_role(RoleArn=role, RoleSessionName="seed")["Credentials"]
    return client(
        service,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def launch(ec2, n):
    tags = [{"Key": "Name", "Value": f"web-{n} 環境 <&>"}, {"Key": "environment", "Value": "prod"}]
    if n == 3:
        tags.append({"Key": "aws:autoscaling:groupName", "Value": "web"})
    spec = [{"ResourceType": "instance", "Tags": tags}]
    answer = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, InstanceType="t3.small", TagSpecifications=spec)
    return answer["Instances"][0]["InstanceId"]


def databases(rds):
    """24 of their own, a replica, a cluster with a reader, and Neptune; moto has no DocumentDB clusters."""
    tags = [{"Key": "Name", "Value": "注文 <&>"}, {"Key": "environment", "Value": "prod"}]
    spec = {"DBInstanceClass": "db.t4g.medium", "Engine": "mysql", "AllocatedStorage": 20}
    keys = {"MasterUsername": "admin", "MasterUserPassword": "not-a-secret"}
    for n in range(24):
        name = f"orders-{n:02}"
        rds.create_db_instance(
            DBInstanceIdentifier=name, Tags=tags, DeletionProtection=n == 1, MultiAZ=n == 2, **spec, **keys
        )
    rds.create_db_instance_read_replica(DBInstanceIdentifier="replica", SourceDBInstanceIdentifier="orders-00")
    rds.stop_db_instance(DBInstanceIdentifier="orders-03")
    for name, engine in [("shop", "aurora-mysql"), ("graph", "neptune")]:
        rds.create_db_cluster(DBClusterIdentifier=name, Engine=engine, Tags=tags, **keys)
        for n in range(2):
            rds.create_db_instance(
                DBInstanceIdentifier=f"{name}-{n}",
                DBClusterIdentifier=name,
                Engine=engine,
                DBInstanceClass="db.r6g.large",
            )


def described_databases(rds):
    pages = rds.get_paginator("describe_db_instances").paginate()
    return [
        {
            "id": d["DbiResourceId"].lower(),
            "name": d["DBInstanceIdentifier"],
            "engine": d["Engine"],
            "version": d["EngineVersion"],
            "class": d["DBInstanceClass"],
            "status": d["DBInstanceStatus"],
            "created": int(d["InstanceCreateTime"].timestamp()),
            "address": d["Endpoint"]["Address"],
            "port": d["Endpoint"]["Port"],
            "zone": d["AvailabilityZone"],
            "multiAz": d["MultiAZ"],
            "protected": d["DeletionProtection"],
            "groups": [[g["DBParameterGroupName"], g["ParameterApplyStatus"]] for g in d["DBParameterGroups"]],
            "options": [[g["OptionGroupName"], g["Status"]] for g in d["OptionGroupMemberships"]],
            "security": [g["VpcSecurityGroupId"] for g in d["VpcSecurityGroups"]],
            "cluster": d.get("DBClusterIdentifier"),
            "replicates": d.get("ReadReplicaSourceDBInstanceIdentifier"),
            "replicas": d["ReadReplicaDBInstanceIdentifiers"],
            "tags": {t["Key"]: t["Value"] for t in d["TagList"]},
        }
        for page in pages
        for d in page["DBInstances"]
    ]


def described_clusters(rds):
    pages = rds.get_paginator("describe_db_clusters").paginate()
    return [
        {
            "id": c["DbClusterResourceId"],
            "name": c["DBClusterIdentifier"],
            "engine": c["Engine"],
            "status": c["Status"],
            "writers": {m["DBInstanceIdentifier"]: m["IsClusterWriter"] for m in c["DBClusterMembers"]},
            "endpoint": c["Endpoint"],
            "reader": c["ReaderEndpoint"],
            "port": c["Port"],
            "group": c["DBClusterParameterGroup"],
            "protected": c["DeletionProtection"],
            "tags": {t["Key"]: t["Value"] for t in c["TagList"]},
        }
        for page in pages
        for c in page["DBClusters"]
    ]


def groups(ec2, rds):
    """Security groups with every kind of peer, a DB subnet group, and a parameter group with one parameter set."""
    [vpc] = [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]]
    made = [
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("web", "balancer")
    ]
    tcp = {"IpProtocol": "tcp"}
    ec2.authorize_security_group_ingress(
        GroupId=made[0],
        IpPermissions=[
            {**tcp, "FromPort": 80, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
            {**tcp, "FromPort": 22, "ToPort": 22, "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]},
            {**tcp, "FromPort": 8080, "ToPort": 8080, "UserIdGroupPairs": [{"GroupId": made[1]}]},
        ],
    )
    ec2.create_tags(Resources=made[:1], Tags=[{"Key": "Name", "Value": "web 環境"}])
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
    rds.create_db_subnet_group(DBSubnetGroupName="data", DBSubnetGroupDescription="d", SubnetIds=subnets)
    rds.create_db_parameter_group(DBParameterGroupName="orders", DBParameterGroupFamily="mysql8.0", Description="o")
    setting = {"ParameterName": "slow_query_log", "ParameterValue": "1", "ApplyMethod": "immediate"}
    rds.modify_db_parameter_group(DBParameterGroupName="orders", Parameters=[setting])


def described_rule(rule):
    peers = [r["CidrIp"] for r in rule["IpRanges"]] + [r["CidrIpv6"] for r in rule["Ipv6Ranges"]]
    peers += [r["PrefixListId"] for r in rule["PrefixListIds"]] + [r["GroupId"] for r in rule["UserIdGroupPairs"]]
    return [rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"), peers]


def described_groups(ec2):
    return [
        {
            "id": g["GroupId"],
            "name": g["GroupName"],
            "vpc": g["VpcId"],
            "tags": {t["Key"]: t["Value"] for t in g.get("Tags", [])},
            "in": [described_rule(rule) for rule in g["IpPermissions"]],
            "out": [described_rule(rule) for rule in g["IpPermissionsEgress"]],
        }
        for g in ec2.describe_security_groups()["SecurityGroups"]
    ]


def described_subnet_groups(rds):
    return [
        {
            "id": g["DBSubnetGroupName"],
            "vpc": g["VpcId"],
            "status": g["SubnetGroupStatus"],
            "subnets": sorted(s["SubnetIdentifier"] for s in g["Subnets"]),
        }
        for g in rds.describe_db_subnet_groups()["DBSubnetGroups"]
    ]


# 90 days that are whole on 2 March 2026 at noon.
UNTIL = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
FROM = UNTIL - datetime.timedelta(days=90)


def do_something(cloudwatch, hosts, name):
    """Samples of three hosts: all days, a gap, and the last day alone; of a database on one day. moto lets anybody put them."""
    ages = {hosts[2]: range(1, 91), hosts[3]: [*range(1, 11), *range(20, 31)], hosts[4]: [1]}
    for host, days in ages.items():
        dimensions = [{"Name": "InstanceId", "Value": host}]
        data = [
            {"MetricName": metric, "Dimensions": dimensions, "Timestamp": UNTIL - ago(day, hour), "Value": value(day, hour)}
            for day in days
            for hour in (1, 13)
            for metric, value in METRICS.items()
        ]
        cloudwatch.put_metric_data(Namespace="AWS/EC2", MetricData=data)
    dimensions = [{"Name": "DBInstanceIdentifier", "Value": name}]
    busy = {"MetricName": "DatabaseConnections", "Dimensions": dimensions, "Timestamp": UNTIL - ago(1, 2), "Value": 7}
    cloudwatch.put_metric_data(Namespace="AWS/RDS", MetricData=[busy])


METRICS = {"CPUUtilization": lambda day, hour: day + hour / 100, "NetworkIn": lambda day, hour: 1000.0 * day + hour}
STATISTICS = {"CPUUtilization": "Maximum", "NetworkIn": "Sum"}


def ago(days, hours):
    return datetime.timedelta(days=days) - datetime.timedelta(hours=hours)


def described_activity(cloudwatch, hosts):
    """By metric and host the days that boto3 is told of, with their values."""

    def days(host, metric):
        of = {"Namespace": "AWS/EC2", "MetricName": metric, "Dimensions": [{"Name": "InstanceId", "Value": host}]}
        query = {"Id": "m", "MetricStat": {"Metric": of, "Period": 86400, "Stat": STATISTICS[metric]}}
        [result] = cloudwatch.get_metric_data(MetricDataQueries=[query], StartTime=FROM, EndTime=UNTIL)["MetricDataResults"]
        utc = [time.astimezone(datetime.timezone.utc).date().isoformat() for time in result["Timestamps"]]
        return dict(zip(utc, result["Values"]))

    return {metric: {host: days(host, metric) for host in hosts} for metric in STATISTICS}


def main():
    rds = in_account("rds")
    databases(rds)
    ec2 = in_account("ec2")
    groups(ec2, rds)
    hosts = [launch(ec2, n) for n in range(12)]
    ec2.modify_instance_attribute(InstanceId=hosts[4], DisableApiTermination={"Value": True})
    ec2.stop_instances(InstanceIds=hosts[:1])
    ec2.terminate_instances(InstanceIds=hosts[1:2])
    ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=100)
    used = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=used, InstanceId=hosts[2])
    ec2.allocate_address(Domain="vpc")
    cloudwatch = in_account("cloudwatch")
    do_something(cloudwatch, hosts, "orders-00")

    pages = ec2.get_paginator("describe_instances").paginate()
    seen = [i for page in pages for r in page["Reservations"] for i in r["Instances"]]
    volumes = ec2.describe_volumes()["Volumes"]
    addresses = ec2.describe_addresses()["Addresses"]
    print(
        json.dumps(
            {
                "instances": [
                    {
                        "id": i["InstanceId"],
                        "state": i["State"]["Name"],
                        "launched": int(i["LaunchTime"].timestamp()),
                        "zone": i["Placement"]["AvailabilityZone"],
                        "address": i.get("PrivateIpAddress", ""),
                        "subnet": i.get("SubnetId"),
                        "groups": [[g["GroupId"], g["GroupName"]] for g in i["SecurityGroups"]],
                        "tags": {t["Key"]: t["Value"] for t in i.get("Tags", [])},
                    }
                    for i in seen
                ],
                "volumes": [
                    {"id": v["VolumeId"], "size": v["Size"], "on": [a["InstanceId"] for a in v["Attachments"]]}
                    for v in volumes
                ],
                "addresses": [
                    {"id": a["AllocationId"], "ip": a["PublicIp"], "on": a.get("InstanceId") or None}
                    for a in addresses
                ],
                "databases": described_databases(rds),
                "clusters": described_clusters(rds),
                "securityGroups": described_groups(ec2),
                "subnetGroups": described_subnet_groups(rds),
                "protected": hosts[4],
                "activity": described_activity(cloudwatch, hosts),
            }
        )
    )


main()
