//! Monitors: kept whole, overwritten whole, and what they see of hosts.

use rollcall_fakes::mackerel::{AgentConf, GONE_AFTER_SECONDS, HostParam, HostStatus, text};
use serde_json::{Value, json};

use super::world::{World, texts};

fn host_rule(name: &str) -> Value {
    json!({"type": "host", "name": name, "metric": "loadavg5", "operator": ">", "duration": 1, "warning": null, "critical": 2})
}

#[tokio::test]
async fn a_list_has_every_type_in_the_consoles_order_also_nameless_and_unheard_of_ones() {
    let world = World::new().await;
    let future = json!({"type": "otelFuture", "name": "a", "knobs": {"depth": 3}});
    world.org.edit(|t| t.plant_monitor(future.as_object().cloned().unwrap()));
    for rule in [
        json!({"type": "query", "name": "q", "query": "up", "operator": ">"}),
        json!({"type": "external", "name": "e", "url": "https://example.com", "dualstack": "auto"}),
        host_rule("b"),
        host_rule("a"),
    ] {
        assert_eq!(world.post("/monitors", rule.clone()).await.0, 200, "{rule}");
    }
    let monitors = world.get("/monitors").await["monitors"].clone();
    assert_eq!(texts(&monitors, "type"), ["connectivity", "host", "host", "external", "query", "otelFuture"]);
    assert_eq!(texts(&monitors, "name"), ["-", "a", "b", "e", "q", "a"], "the first one never had a name");
    assert_eq!((&monitors[1]["warning"], &monitors[1]["critical"]), (&Value::Null, &json!(2)));
    assert_eq!(monitors[5]["knobs"]["depth"], 3);
}

#[tokio::test]
async fn put_overwrites_all_but_two_fields() {
    let world = World::new().await;
    world.set(|t| t.add_service("Shop", ""));
    world.set(|t| t.add_role("Shop", "db", ""));
    let gone = json!({"type": "connectivity", "name": "c", "alertStatusOnGone": "WARNING", "isMute": true, "scopes": ["Shop: db"]});
    let (_, made) = world.post("/monitors", gone).await;
    assert_eq!(made["scopes"], json!(["Shop: db"]), "as it was written");
    let path = format!("/monitors/{}", made["id"].as_str().unwrap());
    let (status, put) = world.put(&path, json!({"type": "connectivity", "name": "c"})).await;
    assert_eq!((status, &put["alertStatusOnGone"]), (200, &json!("WARNING")), "kept");
    assert_eq!(
        (&put["scopes"], &put["isMute"]),
        (&json!([]), &json!(false)),
        "reset: it watches all hosts now, aloud"
    );
    assert_eq!(world.get(&path).await["monitor"], put);
    assert_eq!(world.put(&path, host_rule("c")).await.0, 400, "a type cannot change");

    let headers = json!([{"name": "Cache-Control", "value": "no-cache"}]);
    let web = json!({"type": "external", "name": "e", "url": "https://example.com", "headers": headers, "dualstack": "ipv6"});
    let (_, made) = world.post("/monitors", web).await;
    let path = format!("/monitors/{}", made["id"].as_str().unwrap());
    let (_, put) =
        world.put(&path, json!({"type": "external", "name": "e", "url": "https://example.com"})).await;
    assert_eq!(
        (&put["headers"], put.get("dualstack")),
        (&headers, None),
        "a client that lacks a field resets it"
    );
    let (_, put) = world
        .put(&path, json!({"type": "external", "name": "e", "url": "https://example.com", "headers": []}))
        .await;
    assert_eq!(put["headers"], json!([]));
}

#[tokio::test]
async fn a_rule_that_the_documentation_refuses_is_refused() {
    let world = World::new().await;
    let mut scoped = host_rule("a");
    scoped["scopes"] = json!(["Nowhere"]);
    let (status, refusal) = world.post("/monitors", scoped).await;
    assert_eq!(status, 400);
    assert!(refusal["error"]["message"].as_str().unwrap().contains("Nowhere"));
    assert_eq!(world.post("/monitors", json!([])).await.0, 400);
    assert_eq!(world.get_status("/monitors/2nowhere000").await, 404);
    assert_eq!(world.delete("/monitors/2nowhere000").await.0, 404);
}

#[tokio::test]
async fn a_host_is_seen_by_the_monitors_that_cover_it() {
    let world = World::new().await;
    let (db, web, off) = world.set(|t| {
        let db = t.add_host(&HostParam::named("db").roles(&["Shop:db"]))?;
        let web = t.add_host(&HostParam::named("web").roles(&["Shop:web"]))?;
        let off = t.add_host(&HostParam::named("off").roles(&["Shop:web"]))?;
        for id in [&db, &web, &off] {
            let metrics = vec![("loadavg5".to_owned(), 3.0)];
            t.agent_starts(id, AgentConf { metrics, ..AgentConf::default() })?;
        }
        t.set_status(&off, HostStatus::Poweroff)?;
        Ok((db, web, off))
    });
    let mut rule = host_rule("load");
    rule["scopes"] = json!(["Shop"]);
    rule["excludeScopes"] = json!(["Shop: web"]);
    let (_, load) = world.post("/monitors", rule).await;
    let seen = async |host: &str| {
        let answer = world.get(&format!("/hosts/{host}/monitored-statuses")).await;
        let all = answer["monitoredStatuses"].as_array().unwrap().clone();
        let load = all.iter().find(|s| s["monitorId"] == load["id"]).map(|s| s["status"].clone());
        (all.len(), load)
    };
    assert_eq!(seen(&db).await, (2, Some(json!("CRITICAL"))));
    assert_eq!(seen(&web).await, (1, None), "excluded: connectivity alone");
    assert_eq!(seen(&off).await, (0, None), "nobody watches a host that is powered off");

    world.set(|t| t.mute_monitor(load["id"].as_str().unwrap(), true));
    assert_eq!(seen(&db).await, (2, Some(json!("CRITICAL"))), "a muted monitor sees, and only keeps quiet");
}

#[tokio::test]
async fn a_host_that_falls_silent_raises_the_alert_of_its_connectivity_monitors() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("web")));
    world.set(|t| t.add_host(&HostParam::named("never heard")));
    world.set(|t| t.agent_starts(&id, AgentConf::new(&[], &[])));
    world.pass(10);
    let stopped = world.now();
    world.set(|t| t.agent_stops(&id, false));
    world.pass(4);
    assert_eq!(world.get("/alerts").await["alerts"], json!([]));
    world.pass(60);
    let alerts = world.get("/alerts").await["alerts"].clone();
    assert_eq!(texts(&alerts, "hostId"), [id.as_str()]);
    assert_eq!((&alerts[0]["status"], &alerts[0]["type"]), (&json!("CRITICAL"), &json!("connectivity")));
    assert_eq!(alerts[0]["openedAt"], stopped + GONE_AFTER_SECONDS);
    world.set(|t| t.agent_starts(&id, AgentConf::new(&[], &[])));
    assert_eq!(world.get("/alerts").await["alerts"], json!([]), "and is closed when it speaks again");
}

#[tokio::test]
async fn a_service_takes_its_roles_monitors_and_annotations_with_it() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("web").roles(&["Shop:web", "Blog:web"])));
    for rule in [
        json!({"type": "service", "name": "s", "service": "Shop", "metric": "m", "operator": ">", "duration": 1}),
        json!({"type": "connectivity", "name": "only-shop", "scopes": ["Shop:web"]}),
        json!({"type": "connectivity", "name": "both", "scopes": ["Shop", "Blog"]}),
    ] {
        assert_eq!(world.post("/monitors", rule.clone()).await.0, 200, "{rule}");
    }
    let (status, last) = world.delete("/services/Shop").await;
    assert_eq!((status, last), (200, json!({"name": "Shop", "memo": "", "roles": ["web"]})));
    let truth = world.org.truth();
    assert_eq!(truth.host(&id).unwrap().roles.keys().collect::<Vec<_>>(), ["Blog"]);
    let left: Vec<_> = truth.monitors().iter().map(|m| text(m, "name").to_owned()).collect();
    assert_eq!(left, ["", "both"]);
    assert_eq!(truth.monitors()[1]["scopes"], json!(["Blog"]));
}
