//! Services and roles, metadata, downtimes, channels, groups, annotations, alerts by hand.

use rollcall_fakes::mackerel::{CheckStatus, HostParam};
use serde_json::{Value, json};

use super::world::{World, texts};

#[tokio::test]
async fn services_and_roles_come_and_go() {
    let world = World::new().await;
    let shop = json!({"name": "Shop", "memo": "sells", "roles": []});
    assert_eq!(world.post("/services", json!({"name": "Shop", "memo": "sells"})).await, (200, shop));
    for wrong in ["Shop", "S", "-Shop", "Sh op"] {
        assert_eq!(world.post("/services", json!({"name": wrong})).await.0, 400, "{wrong}");
    }
    assert_eq!(world.post("/services/Shop/roles", json!({"name": "web", "memo": ""})).await.0, 200);
    assert_eq!(world.post("/services/Nowhere/roles", json!({"name": "web"})).await.0, 404);
    let id = world.set(|t| t.add_host(&HostParam::named("web1").roles(&["Shop:web"])));
    world.set(|t| t.rename_role("Shop", "web", "front"));
    assert_eq!(world.get(&format!("/hosts/{id}")).await["host"]["roles"], json!({"Shop": ["front"]}));
    assert_eq!(texts(&world.get("/services/Shop/roles").await["roles"], "name"), ["front"]);
    assert_eq!(world.delete("/services/Shop/roles/front").await.0, 200);
    assert_eq!(world.get(&format!("/hosts/{id}")).await["host"]["roles"], json!({}));
}

#[tokio::test]
async fn metadata_is_any_json_under_a_namespace() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("web1").roles(&["Shop:web"])));
    for owner in [format!("/hosts/{id}"), "/services/Shop".to_owned(), "/services/Shop/roles/web".to_owned()]
    {
        let path = format!("{owner}/metadata/rollcall");
        assert_eq!(world.get_status(&path).await, 404, "{owner}");
        assert_eq!(world.put(&path, json!({"why": ["gone"]})).await, (200, json!({"success": true})));
        let read = world.ask(reqwest::Method::GET, &path, super::world::KEY).send().await.unwrap();
        assert_eq!(read.headers()["last-modified"], "Mon, 02 Mar 2026 12:00:00 GMT");
        assert_eq!(read.json::<Value>().await.unwrap(), json!({"why": ["gone"]}));
        let listed = world.get(&format!("{owner}/metadata")).await;
        assert_eq!(listed["metadata"], json!([{"namespace": "rollcall"}]));
        for reserved in ["mackerel-own", "no.dots"] {
            let path = format!("{owner}/metadata/{reserved}");
            assert_eq!(world.put(&path, json!(1)).await.0, 400, "{path}");
        }
        assert_eq!(world.put(&path, json!("x".repeat(102_400))).await.0, 413, "over 100 KB with its quotes");
        assert_eq!(world.delete(&path).await.0, 200);
        assert_eq!(world.delete(&path).await.0, 404);
    }
    for n in 0..=10 {
        let (status, _) = world.put(&format!("/services/Shop/roles/web/metadata/n{n}"), json!(n)).await;
        assert_eq!(status, if n < 10 { 200 } else { 400 }, "a role has ten namespaces");
    }
}

#[tokio::test]
async fn a_retired_hosts_metadata_is_read_only_for_a_week() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("web1")));
    let path = format!("/hosts/{id}/metadata/rollcall");
    assert_eq!(world.put(&path, json!({"reason": "terminated"})).await.0, 200);
    world.set(|t| t.retire(&id));
    assert_eq!((world.put(&path, json!(1)).await.0, world.delete(&path).await.0), (400, 400));
    world.pass(7 * 24 * 60);
    assert_eq!(world.get_status(&path).await, 200);
    world.pass(1);
    assert_eq!(world.get_status(&path).await, 400);
}

#[tokio::test]
async fn documents_are_created_overwritten_and_deleted() {
    let world = World::new().await;
    world.set(|t| t.add_service("Shop", ""));
    let downtime = json!({"name": "night", "start": world.now(), "duration": 60, "serviceScopes": ["Shop"],
        "recurrence": {"type": "weekly", "interval": 1, "weekdays": ["Sunday"]}});
    let channel = json!({"type": "webhook", "name": "hook", "url": "http://example.com", "events": ["hostRetire"],
        "addToDefaultNotificationGroup": true});
    let group = json!({"name": "ops", "notificationLevel": "all", "childNotificationGroupIds": [], "childChannelIds": []});
    let grouping = json!({"name": "by shop", "serviceScopes": ["Shop"]});
    for (path, key, body, wrong) in [
        (
            "/downtimes",
            "downtimes",
            downtime,
            json!({"name": "n", "start": 1, "duration": 1, "roleScopes": ["Nowhere:x"]}),
        ),
        (
            "/channels",
            "channels",
            channel,
            json!({"type": "webhook", "name": "h", "url": "http://x", "events": ["party"]}),
        ),
        (
            "/notification-groups",
            "notificationGroups",
            group,
            json!({"name": "g", "notificationLevel": "some"}),
        ),
        ("/alert-group-settings", "alertGroupSettings", grouping, json!({"memo": "nameless"})),
    ] {
        let (status, made) = world.post(path, body.clone()).await;
        assert_eq!(status, 200, "{path}: {made}");
        assert!(made.get("addToDefaultNotificationGroup").is_none());
        assert_eq!(world.post(path, wrong).await.0, 400, "{path}");
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        let mut renamed = body;
        renamed["name"] = json!("renamed");
        assert_eq!(world.put(&one, renamed).await.1["id"], made["id"]);
        assert!(texts(&world.get(path).await[key], "name").contains(&"renamed".to_owned()), "{path}");
        assert_eq!(world.delete(&one).await.1["name"], "renamed");
        assert_eq!(world.delete(&one).await.0, 404);
    }
    let groups = world.get("/notification-groups").await["notificationGroups"].clone();
    assert_eq!(groups[0]["type"], "group-default");
    let default = format!("/notification-groups/{}", groups[0]["id"].as_str().unwrap());
    assert_eq!(world.delete(&default).await.0, 400);
    assert_eq!(world.put(&default, json!({"name": "other", "notificationLevel": "all"})).await.0, 400);
}

#[tokio::test]
async fn annotations_are_found_by_service_and_span() {
    let world = World::new().await;
    world.set(|t| t.add_host(&HostParam::named("web1").roles(&["Shop:web"])));
    let note = |from: i64, to: i64| json!({"title": "retired web1", "from": from, "to": to, "service": "Shop", "roles": ["web"]});
    let (status, made) = world.post("/graph-annotations", note(100, 200)).await;
    assert_eq!((status, &made["title"]), (200, &json!("retired web1")));
    assert_eq!(world.post("/graph-annotations", note(200, 100)).await.0, 400);
    let mut unknown = note(1, 2);
    unknown["roles"] = json!(["nobody"]);
    assert_eq!(world.post("/graph-annotations", unknown).await.0, 404);
    for (query, count) in [("from=150&to=999", 1), ("from=0&to=100", 1), ("from=201&to=999", 0)] {
        let found = world.get(&format!("/graph-annotations?service=Shop&{query}")).await;
        assert_eq!(found["graphAnnotations"].as_array().unwrap().len(), count, "{query}");
    }
    assert_eq!(world.get_status("/graph-annotations?service=Shop").await, 400);
    assert_eq!(world.get_status("/graph-annotations?service=Nowhere&from=0&to=1").await, 404);
}

#[tokio::test]
async fn alerts_come_newest_first_in_pages_that_end_with_their_next_id() {
    let world = World::new().await;
    for n in 0..7 {
        world.set(|t| {
            let id = t.add_host(&HostParam::named(&format!("web{n}")))?;
            t.check_turns(&id, "disk", CheckStatus::Critical, &format!("full {n}"))
        });
        world.pass(1);
    }
    let mut messages = vec![];
    let mut query = "/alerts?limit=3".to_owned();
    loop {
        let page = world.get(&query).await;
        messages.extend(texts(&page["alerts"], "message"));
        let Some(next) = page.get("nextId").and_then(Value::as_str) else { break };
        assert_eq!(page["alerts"].as_array().unwrap().last().unwrap()["id"], next);
        query = format!("/alerts?limit=3&nextId={next}");
    }
    assert_eq!(messages, (0..7).rev().map(|n| format!("full {n}")).collect::<Vec<_>>());
    assert_eq!(world.get_status("/alerts?limit=101").await, 400);

    let id = world.get("/alerts").await["alerts"][0]["id"].as_str().unwrap().to_owned();
    let (_, memo) = world.put(&format!("/alerts/{id}"), json!({"memo": "known"})).await;
    assert_eq!(memo, json!({"id": id, "memo": "known"}));
    let (_, closed) = world.post(&format!("/alerts/{id}/close"), json!({"reason": "by hand"})).await;
    assert_eq!((&closed["status"], &closed["reason"]), (&json!("OK"), &json!("by hand")));
    assert_eq!(world.get("/alerts").await["alerts"].as_array().unwrap().len(), 6);
    assert_eq!(world.get_status("/alerts/2nowhere000").await, 404);
}
