//! The simulated AWS integration: what it registers, brings back and retires.

use rollcall_fakes::mackerel::{AwsResource, HostParam};
use serde_json::{Value, json};

use super::world::{World, texts};

const EC2: &str = "i-0a.ec2.amazonaws.com";

fn setting(retire: bool) -> Value {
    json!({
        "name": "prod", "memo": "", "region": "eu-west-1", "includedTags": "", "excludedTags": "mackerel:no",
        "roleArn": "arn:aws:iam::1:role/m", "externalId": "x", "secretKey": "hidden",
        "services": {
            "EC2": {"enable": true, "role": "AWS: ec2", "excludedMetrics": [], "retireAutomatically": retire},
            "RDS": {"enable": true, "role": null, "excludedMetrics": []},
        },
    })
}

/// A world with a setting whose first round is over.
async fn integrated(retire: bool) -> (World, String) {
    let world = World::new().await;
    let (status, made) = world.post("/aws-integrations", setting(retire)).await;
    assert_eq!(status, 200, "{made}");
    world.pass(5);
    let path = format!("/aws-integrations/{}", made["id"].as_str().unwrap());
    (world, path)
}

#[tokio::test]
async fn a_setting_is_listed_in_snake_case_and_keeps_its_credentials() {
    let (world, path) = integrated(false).await;
    let listed = world.get("/aws-integrations").await["aws_integrations"].clone();
    assert_eq!(texts(&listed, "name"), ["prod"]);
    assert!(listed[0].get("secretKey").is_none() && listed[0]["key"].is_null());
    assert_eq!(listed[0]["services"]["RDS"]["retireAutomatically"], false);
    assert_eq!(listed[0]["services"]["Route 53"]["enable"], false, "what is left out is off");
    let (_, put) = world.put(&path, json!({"name": "prod", "region": "eu-west-1", "services": {}})).await;
    assert_eq!(put["roleArn"], "arn:aws:iam::1:role/m", "kept when left out");
    assert_eq!(put["services"]["EC2"]["enable"], false, "the rest is overwritten");
    assert_eq!(world.post("/aws-integrations", setting(false)).await.0, 400, "one name, one setting");
    assert_eq!((world.delete(&path).await.0, world.get_status(&path).await), (200, 404));
}

#[tokio::test]
async fn what_matches_is_registered_with_roles_sizes_and_metrics() {
    let (world, _) = integrated(false).await;
    world.org.edit(|t| {
        t.aws_resource_appears(AwsResource::ec2("eu-west-1", "i-0a"));
        t.aws_resource_appears(
            AwsResource::ec2("eu-west-1", "i-0b").tag("mackerel-integration", "Shop:web / Blog:web"),
        );
        t.aws_resource_appears(AwsResource::ec2("eu-west-1", "i-0c").tag("mackerel", "no"));
        t.aws_resource_appears(AwsResource::ec2("us-east-1", "i-0d"));
        t.aws_resource_appears(AwsResource::rds("eu-west-1", "Orders.abc.rds.amazonaws.com"));
    });
    assert!(world.names("/hosts").await.is_empty(), "not before the next round");
    world.pass(5);
    let hosts = world.get("/hosts").await["hosts"].clone();
    assert_eq!(texts(&hosts, "name"), ["Orders", "i-0a", "i-0b"]);
    assert_eq!(texts(&hosts, "size"), ["micro", "standard", "standard"]);
    assert_eq!(hosts[1]["roles"], json!({"AWS": ["ec2"]}));
    assert_eq!(hosts[2]["roles"], json!({"Blog": ["web"], "Shop": ["web"]}), "the tag wins over the default");
    assert_eq!(hosts[1]["meta"]["cloud"], json!({"provider": "ec2", "metadata": {"instance-id": "i-0a"}}));
    world.pass(7);
    let id = hosts[1]["id"].as_str().unwrap();
    let latest = world.get(&format!("/tsdb/latest?hostId={id}&name=custom.ec2.cpu.used&name=loadavg5")).await;
    let latest = &latest["tsdbLatest"][id];
    assert_eq!(
        (&latest["custom.ec2.cpu.used"]["time"], &latest["loadavg5"]),
        (&json!(world.now() - 120), &Value::Null)
    );
}

#[tokio::test]
async fn an_agents_host_and_its_instance_are_one_host_whatever_the_case() {
    let (world, _) = integrated(false).await;
    world.set(|t| t.add_host(&HostParam::ec2("web1", "i-0a")));
    world.set(|t| t.add_host(&HostParam::named("orders").custom_identifier("orders.abc.rds.amazonaws.com")));
    world.org.edit(|t| {
        t.aws_resource_appears(AwsResource::ec2("eu-west-1", "i-0a"));
        t.aws_resource_appears(AwsResource::rds("eu-west-1", "Orders.abc.rds.amazonaws.com"));
    });
    world.pass(5);
    assert_eq!(world.names("/hosts").await, ["web1", "orders"]);
}

#[tokio::test]
async fn a_host_that_was_retired_by_hand_comes_back_as_another() {
    let (world, path) = integrated(false).await;
    world.org.edit(|t| t.aws_resource_appears(AwsResource::ec2("eu-west-1", "i-0a")));
    world.pass(5);
    let first = world.get("/hosts").await["hosts"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.post(&format!("/hosts/{first}/retire"), json!({})).await.0, 200);
    assert!(world.names("/hosts").await.is_empty());
    world.pass(5);
    let again = world.get("/hosts").await["hosts"][0].clone();
    assert_ne!(again["id"], first.as_str());
    assert_eq!(again["customIdentifier"], EC2);
    assert_eq!(world.get(&format!("/hosts/{first}")).await["host"]["isRetired"], true);

    let mut excluding = setting(false);
    excluding["excludedTags"] = json!("env:old");
    assert_eq!(world.put(&path, excluding).await.0, 200);
    world.org.edit(|t| t.aws_resource_appears(AwsResource::ec2("eu-west-1", "i-0a").tag("env", "old")));
    world.set(|t| t.retire(again["id"].as_str().unwrap()));
    world.pass(60);
    assert!(world.names("/hosts").await.is_empty(), "excluded by tag, it stays away");
}

#[tokio::test]
async fn automatic_retirement_looks_once() {
    for (retire_then, retire_later, left) in [(true, true, 0), (false, false, 1), (false, true, 1)] {
        let (world, path) = integrated(retire_then).await;
        world.org.edit(|t| t.aws_resource_appears(AwsResource::ec2("eu-west-1", "i-0a")));
        world.pass(5);
        assert_eq!(world.names("/hosts").await.len(), 1);
        world.org.edit(|t| t.aws_resource_goes(EC2));
        world.pass(5);
        world.get("/hosts").await;
        assert_eq!(world.put(&path, setting(retire_later)).await.0, 200);
        world.pass(60);
        let hosts = world.names("/hosts").await;
        assert_eq!(hosts.len(), left, "retiring when it went: {retire_then}, later: {retire_later}");
    }
}
