//! Checks: ids in one place, names in another, and a list that agents overwrite.

use rollcall_fakes::mackerel::{AgentConf, CheckIds, CheckStatus, HostParam};
use serde_json::{Value, json};

use super::world::{World, texts};

fn report(host: &str, name: &str, status: &str, at: i64) -> Value {
    json!({"source": {"type": "host", "hostId": host}, "name": name, "status": status, "message": "said so", "occurredAt": at})
}

async fn statuses(world: &World, host: &str) -> Vec<Value> {
    let answer = world.get(&format!("/hosts/{host}/monitored-statuses")).await;
    let all = answer["monitoredStatuses"].as_array().unwrap().clone();
    all.into_iter().filter(|s| s["detail"]["type"] == "check").collect()
}

#[tokio::test]
async fn a_status_has_an_id_and_the_name_is_found_elsewhere() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("web1").checks(&["ntp", "disk"])));
    assert!(statuses(&world, &id).await.is_empty(), "a check that never reported has no status");
    let sent = json!({"reports": [report(&id, "disk", "WARNING", world.now())]});
    assert_eq!(world.post("/monitoring/checks/report", sent).await, (200, json!({"success": true})));

    let seen = statuses(&world, &id).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0]["status"], "WARNING");
    assert_eq!(seen[0]["detail"], json!({"type": "check", "message": "said so"}));
    assert!(!seen[0].to_string().contains("disk"), "no name in it: {}", seen[0]);

    let monitor = seen[0]["monitorId"].as_str().unwrap();
    let named = json!({"check": {"id": monitor, "name": "disk"}});
    assert_eq!(world.get(&format!("/monitoring/checks/{monitor}")).await, named);
    assert_eq!(texts(&world.get("/monitoring/checks").await["checks"], "name").len(), 2);
    let (status, refusal) =
        world.call(reqwest::Method::GET, &format!("/monitors/{monitor}"), Value::Null).await;
    assert_eq!((status, &refusal["error"]["message"]), (400, &json!("Cannot get a check monitor")));
    assert_eq!(world.get_status("/monitoring/checks/2nowhere000").await, 404);
}

#[tokio::test]
async fn names_come_in_pages_of_at_most_a_hundred() {
    let world = World::new().await;
    let names: Vec<String> = (0..250).map(|n| format!("check-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.set(|t| t.add_host(&HostParam::named("web1").checks(&names)));

    let (mut ids, mut pages, mut next) = (vec![], 0, String::new());
    loop {
        let page = world.get(&format!("/monitoring/checks?limit=100&nextId={next}")).await;
        ids.extend(texts(&page["checks"], "id"));
        pages += 1;
        match page.get("nextId") {
            Some(id) => id.as_str().unwrap().clone_into(&mut next),
            None => break,
        }
    }
    assert_eq!((pages, ids.len()), (3, 250));
    assert!(ids.is_sorted(), "in order of id");
    assert_eq!(world.get_status("/monitoring/checks?limit=101").await, 400);
}

#[tokio::test]
async fn an_old_server_has_no_names() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("web1").checks(&["ntp"])));
    world.set(|t| t.check_turns(&id, "ntp", CheckStatus::Ok, "OK"));
    world.org.edit(|t| t.policy.checks_api = false);
    let monitor = statuses(&world, &id).await[0]["monitorId"].as_str().unwrap().to_owned();
    assert_eq!(world.get_status("/monitoring/checks").await, 404);
    assert_eq!(world.get_status(&format!("/monitoring/checks/{monitor}")).await, 404);
    let sent = json!({"reports": [report(&id, "ntp", "OK", world.now() + 1)]});
    assert_eq!(world.post("/monitoring/checks/report", sent).await.0, 200, "reporting is older than reading");
}

#[tokio::test]
async fn two_hosts_may_share_a_checks_id_or_not() {
    for (policy, ids) in [(CheckIds::PerName, 1), (CheckIds::PerHost, 2)] {
        let world = World::new().await;
        world.org.edit(|t| t.policy.check_ids = policy);
        for name in ["web1", "web2"] {
            world.set(|t| t.add_host(&HostParam::named(name).checks(&["ntp"])));
        }
        let listed = world.get("/monitoring/checks").await;
        assert_eq!(texts(&listed["checks"], "name"), vec!["ntp"; ids], "{policy:?}");
    }
}

#[tokio::test]
async fn reports_that_are_old_repeated_or_too_many_count_for_nothing() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("web1")));
    let now = world.now();
    for (sent, expected) in [
        (report(&id, "ntp", "CRITICAL", now - 6 * 3600 - 1), None),
        (report(&id, "ntp", "WARNING", now), Some("WARNING")),
        (report(&id, "ntp", "OK", now), Some("WARNING")),
        (report(&id, "ntp", "OK", now + 1), Some("OK")),
    ] {
        assert_eq!(world.post("/monitoring/checks/report", json!({"reports": [sent]})).await.0, 200);
        let seen = statuses(&world, &id).await;
        assert_eq!(seen.first().map(|s| s["status"].as_str().unwrap()), expected, "{sent}");
    }
    let many: Vec<_> = (0..101).map(|n| report(&id, "ntp", "OK", now + n)).collect();
    assert_eq!(world.post("/monitoring/checks/report", json!({"reports": many})).await.0, 400);
    let nowhere = json!({"reports": [report("2nowhere000", "ntp", "OK", now)]});
    assert_eq!(world.post("/monitoring/checks/report", nowhere).await.0, 404);
}

#[tokio::test]
async fn a_check_left_out_of_the_list_goes_unless_it_has_an_open_alert() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("web1").checks(&["calm", "alarmed"])));
    world.set(|t| t.check_turns(&id, "calm", CheckStatus::Ok, "fine"));
    world.set(|t| t.check_turns(&id, "alarmed", CheckStatus::Critical, "fire"));
    let update = json!({"name": "web1", "meta": {}, "checks": []});
    assert_eq!(world.put(&format!("/hosts/{id}"), update.clone()).await.0, 200);
    assert_eq!(texts(&world.get("/monitoring/checks").await["checks"], "name"), ["alarmed"]);

    world.pass(1);
    world.set(|t| t.check_turns(&id, "alarmed", CheckStatus::Ok, "out"));
    assert_eq!(world.put(&format!("/hosts/{id}"), update).await.0, 200);
    assert_eq!(
        world.get("/monitoring/checks").await["checks"],
        json!([]),
        "the last host takes the monitor along"
    );
}

#[tokio::test]
async fn a_failing_check_alarms_after_its_attempts_and_retirement_closes_it() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("web1")));
    let mut at = world.now();
    for (status, open) in [("CRITICAL", 0), ("CRITICAL", 1), ("OK", 0), ("UNKNOWN", 0), ("WARNING", 1)] {
        at += 1;
        let mut sent = report(&id, "disk", status, at);
        sent["maxCheckAttempts"] = json!(2);
        assert_eq!(world.post("/monitoring/checks/report", json!({"reports": [sent]})).await.0, 200);
        let alerts = &world.get("/alerts").await["alerts"];
        assert_eq!(alerts.as_array().unwrap().len(), open, "after {status}: {alerts}");
    }
    world.set(|t| t.retire(&id));
    assert_eq!(world.get("/alerts").await["alerts"], json!([]));
    let alerts = world.get("/alerts?withClosed=true").await["alerts"].clone();
    assert_eq!((&alerts[0]["status"], &alerts[0]["type"]), (&json!("OK"), &json!("check")));
    let logs = world.get(&format!("/alerts/{}/logs", alerts[0]["id"].as_str().unwrap())).await;
    assert_eq!(texts(&logs["logs"], "trigger"), ["hostRetire", "monitoring"]);
}

#[tokio::test]
async fn an_agent_brings_back_the_roles_and_checks_of_its_configuration_each_hour() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::ec2("web1", "i-0a")));
    world.set(|t| t.agent_starts(&id, AgentConf::new(&["Shop:web"], &["ntp"])));
    world.set(|t| t.set_roles(&id, &["Shop:db".to_owned()]));
    let put = json!({"name": "web1", "meta": {}});
    assert_eq!(world.put(&format!("/hosts/{id}"), put).await.0, 200);
    let seen = async || {
        let host = world.get(&format!("/hosts/{id}")).await["host"].clone();
        let names = texts(&world.get("/monitoring/checks").await["checks"], "name");
        (host["roles"]["Shop"].clone(), names.len(), statuses(&world, &id).await.len())
    };
    world.pass(59);
    assert_eq!(seen().await, (json!(["db"]), 0, 0));
    world.pass(1);
    let expected = (json!(["db", "web"]), 1, 0);
    assert_eq!(seen().await, expected, "an unchanged OK is not reported again, so the check has no status");
}
