//! Hosts: what lists hide, what PUT adds and what it overwrites, how bulk calls fail.

use reqwest::Method;
use rollcall_fakes::mackerel::{HostParam, HostStatus};
use serde_json::{Value, json};

use super::world::World;

const ALL: &str = "/hosts?status=working&status=standby&status=maintenance&status=poweroff";

#[tokio::test]
async fn a_bare_list_hides_maintenance_and_poweroff_and_no_list_shows_the_retired() {
    let world = World::new().await;
    for status in [HostStatus::Working, HostStatus::Standby, HostStatus::Maintenance, HostStatus::Poweroff] {
        world.set(|t| {
            let id = t.add_host(&HostParam::named(status.as_str()))?;
            t.set_status(&id, status)
        });
    }
    let gone = world.set(|t| t.add_host(&HostParam::named("gone")));
    world.set(|t| t.retire(&gone));

    assert_eq!(world.names("/hosts").await, ["working", "standby"]);
    assert_eq!(world.names("/hosts.json").await, ["working", "standby"]);
    assert_eq!(world.names("/hosts?status=poweroff").await, ["poweroff"]);
    assert_eq!(world.names(ALL).await, ["working", "standby", "maintenance", "poweroff"]);
    assert_eq!(world.get_status("/hosts?status=retired").await, 400);

    let retired = world.get(&format!("/hosts/{gone}")).await;
    assert_eq!(retired["host"]["isRetired"], true);
    assert_eq!(retired["host"]["retiredAt"], world.now());
}

#[tokio::test]
async fn filters_combine_and_a_role_without_its_service_is_ignored() {
    let world = World::new().await;
    for (name, roles) in [
        ("db1", &["Shop:db"][..]),
        ("web1", &["Shop:web"]),
        ("web2", &["Shop: web", "Blog:web"]),
        ("lone", &[]),
    ] {
        world.set(|t| {
            t.add_host(&HostParam::named(name).roles(roles).custom_identifier(&format!("{name}.example")))
        });
    }
    for (query, expected) in [
        ("service=Shop", &["db1", "web1", "web2"][..]),
        ("service=Shop&role=web", &["web1", "web2"]),
        ("service=Shop&role=web&role=db", &["db1", "web1", "web2"]),
        ("service=Blog&role=db", &[]),
        ("role=db", &["db1", "web1", "web2", "lone"]),
        ("service=Shop&name=web2", &["web2"]),
        ("customIdentifier=db1.example", &["db1"]),
        ("customIdentifier=DB1.example", &[]),
    ] {
        assert_eq!(world.names(&format!("/hosts?{query}")).await, expected, "{query}");
    }
}

#[tokio::test]
async fn an_identifier_is_looked_up_in_its_spelling_or_in_any_case_oldest_first() {
    let world = World::new().await;
    let endpoint = "Orders.abc.eu-west-1.rds.amazonaws.com";
    let old = world.set(|t| t.add_host(&HostParam::named("old").custom_identifier(endpoint)));
    world.pass(1);
    world.set(|t| t.add_host(&HostParam::named("new").custom_identifier(&endpoint.to_lowercase())));
    world.set(|t| t.add_host(&HostParam::named("arn").custom_identifier("arn:aws:es:x:1:domain/logs?")));

    let found = async |path: &str| {
        world.get(&format!("/hosts-by-custom-identifier/{path}")).await["host"]["name"].clone()
    };
    assert_eq!(found(endpoint).await, "old");
    assert_eq!(found(&endpoint.to_lowercase()).await, "new");
    assert_eq!(found(&format!("{}?caseInsensitive=true", endpoint.to_uppercase())).await, "old");
    assert_eq!(found("arn:aws:es:x:1:domain%2Flogs%3F").await, "arn");
    let upper = format!("/hosts-by-custom-identifier/{}", endpoint.to_uppercase());
    assert_eq!(world.get_status(&upper).await, 404);

    world.set(|t| t.retire(&old));
    assert_eq!(found(&format!("{endpoint}?caseInsensitive=true")).await, "new", "the retired are not found");
}

#[tokio::test]
async fn a_host_shows_what_was_registered_and_little_else() {
    let world = World::new().await;
    let body = json!({
        "name": "web1", "meta": {}, "customIdentifier": "", "roleFullnames": ["Shop: web"], "checks": null,
        "interfaces": [{"name": "eth0", "ipAddress": "192.0.2.9", "ipv4Addresses": ["10.0.0.1", "10.0.0.2"]}],
    });
    let (status, made) = world.post("/hosts", body).await;
    assert_eq!(status, 200);
    let host = &world.get(&format!("/hosts/{}", made["id"].as_str().unwrap())).await["host"];
    assert_eq!(host["roles"], json!({"Shop": ["web"]}), "the space after the colon is not part of the name");
    assert_eq!(host["interfaces"][0]["ipAddress"], "10.0.0.1", "plural addresses win");
    assert_eq!((&host["createdAt"], &host["size"]), (&json!(world.now()), &json!("standard")));
    assert!(host["meta"].get("cloud").is_none() && host["customIdentifier"].is_null());
    assert!(host.get("displayName").is_none() && host.get("retiredAt").is_none());
    assert_eq!(
        world.get("/services").await["services"][0]["roles"],
        json!(["web"]),
        "roles are created on the way"
    );

    for broken in [
        json!({"name": "x"}),
        json!({"meta": {}}),
        json!({"name": "x", "meta": {}, "roleFullnames": ["Shop"]}),
    ] {
        assert_eq!(world.post("/hosts", broken.clone()).await.0, 400, "{broken}");
    }
}

#[tokio::test]
async fn put_adds_roles_but_overwrites_identifier_and_checks_even_when_it_does_not_name_them() {
    let world = World::new().await;
    let host = HostParam::ec2("web1", "i-0a").roles(&["Shop:web"]).checks(&["ntp", "disk"]);
    let id = world.set(|t| t.add_host(&host));
    let (status, _) = world
        .put(
            &format!("/hosts/{id}"),
            json!({"name": "web1", "meta": {}, "roleFullnames": ["Shop:db"], "checks": null}),
        )
        .await;
    assert_eq!(status, 200);

    let truth = world.org.truth();
    let host = truth.host(&id).unwrap();
    assert_eq!(host.roles["Shop"], ["db", "web"]);
    assert_eq!(host.custom_identifier, None, "the link to AWS is cut");
    assert!(host.checks.is_empty(), "and the host has no checks until its agent's next update");

    let roles = format!("/hosts/{id}/role-fullnames");
    assert_eq!(world.put(&roles, json!({"roleFullnames": ["Shop: web"]})).await.1, json!({"success": true}));
    assert_eq!(world.org.truth().host(&id).unwrap().roles["Shop"], ["web"]);
    assert_eq!(world.put(&roles, json!({"roleFullnames": ["no colon"]})).await.0, 400);
}

#[tokio::test]
async fn an_identifier_belongs_to_one_live_host() {
    let world = World::new().await;
    let body = json!({"name": "web", "meta": {}, "customIdentifier": "i-0a.ec2.amazonaws.com"});
    let (_, first) = world.post("/hosts", body.clone()).await;
    assert_eq!(world.post("/hosts", body.clone()).await.0, 400);
    world.set(|t| t.retire(first["id"].as_str().unwrap()));
    assert_eq!(world.post("/hosts", body).await.0, 200);
}

#[tokio::test]
async fn bulk_calls_take_thirty_hosts_and_fail_whole_on_one_unknown() {
    let world = World::new().await;
    let ids: Vec<_> =
        (0..31).map(|n| world.set(|t| t.add_host(&HostParam::named(&format!("web{n}"))))).collect();
    let mut one_unknown = ids[..5].to_vec();
    one_unknown.push("2nowhere000".to_owned());
    for call in ["/hosts/bulk-retire", "/hosts/bulk-update-statuses"] {
        let body = |ids: &[String]| json!({"ids": ids, "status": "poweroff"});
        assert_eq!(world.post(call, body(&ids)).await.0, 400, "{call}");
        let (status, refusal) = world.post(call, body(&one_unknown)).await;
        assert_eq!((status, &refusal["error"]["message"]), (404, &json!("Hosts Not Found.")), "{call}");
        assert_eq!(world.names("/hosts").await.len(), 31, "{call} changed nothing");
    }
    let half = json!({"ids": ids[..30], "status": "poweroff"});
    assert_eq!(world.post("/hosts/bulk-update-statuses", half.clone()).await.0, 200);
    assert_eq!(world.names("/hosts").await, ["web30"]);
    assert_eq!(world.post("/hosts/bulk-retire", half).await.0, 200);
    assert_eq!(world.names(ALL).await, ["web30"]);
}

#[tokio::test]
async fn retirement_is_for_good() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("web1")));
    let path = format!("/hosts/{id}");
    assert_eq!(world.post(&format!("{path}/retire"), json!({})).await, (200, json!({"success": true})));
    assert_eq!(world.post(&format!("{path}/retire"), Value::Null).await.0, 200, "once more changes nothing");
    for (method, call, body) in [
        (Method::PUT, "", json!({"name": "web1", "meta": {}})),
        (Method::POST, "/status", json!({"status": "working"})),
        (Method::PUT, "/role-fullnames", json!({"roleFullnames": []})),
    ] {
        assert_eq!(world.call(method, &format!("{path}{call}"), body).await.0, 400, "{call}");
    }
    let point = json!([{"hostId": id, "name": "loadavg5", "time": world.now(), "value": 1}]);
    assert_eq!(world.post("/tsdb", point).await.0, 200, "the agent with its dead id is not told");
    assert_eq!(world.get(&format!("{path}/metric-names")).await["names"], json!([]));
    assert_eq!(world.post("/hosts/2nowhere000/retire", json!({})).await.0, 404);
}

#[tokio::test]
async fn an_odd_host_is_served_as_it_is() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("odd")));
    world.set(|t| t.distort_host(&id, "size", Some(json!("mega"))));
    world.set(|t| t.distort_host(&id, "meta", None));
    let listed = world.get("/hosts").await;
    assert_eq!(listed["hosts"][0]["size"], "mega");
    assert!(listed["hosts"][0].get("meta").is_none());
}

#[tokio::test]
async fn twenty_thousand_hosts_are_listed_whole() {
    let world = World::new().await;
    let filler = json!({"model_name": "x".repeat(1_000)});
    world.org.edit(|t| {
        for n in 0..20_000 {
            let host =
                HostParam::ec2(&format!("host{n}"), &format!("i-{n:017x}")).meta("cpu", filler.clone());
            t.add_host(&host.roles(&["Shop:web"])).unwrap();
        }
    });
    let body =
        world.ask(Method::GET, "/hosts", super::world::KEY).send().await.unwrap().bytes().await.unwrap();
    assert!(body.len() > 20_000_000, "{} bytes", body.len());
    let listed: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(listed["hosts"].as_array().unwrap().len(), 20_000);
    assert_eq!(listed["hosts"][19_999]["name"], "host19999");
}
