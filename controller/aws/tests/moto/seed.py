"""Makes a small fleet in moto with boto3, and prints what boto3 then sees, for the reader to be compared with."""
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


def in_account():
    role = f"arn:aws:iam::{ACCOUNT}:role/seed"
    given = client("sts").assume_role(RoleArn=role, RoleSessionName="seed")["Credentials"]
    return client(
        "ec2",
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


def main():
    ec2 = in_account()
    hosts = [launch(ec2, n) for n in range(12)]
    ec2.stop_instances(InstanceIds=hosts[:1])
    ec2.terminate_instances(InstanceIds=hosts[1:2])
    ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=100)
    used = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=used, InstanceId=hosts[2])
    ec2.allocate_address(Domain="vpc")

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
            }
        )
    )


main()
