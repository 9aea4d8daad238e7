//! Metrics: when none is 404, absent or null, and what agents post as time passes.

use rollcall_fakes::mackerel::{AgentConf, HostParam, Point};
use serde_json::json;

use super::world::World;

#[tokio::test]
async fn no_host_and_no_metric_are_the_same_404() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("web1")));
    let span = format!("from={}&to={}", world.now() - 600, world.now());
    let at = |host: &str, name: &str| format!("/hosts/{host}/metrics?name={name}&{span}");
    assert_eq!(world.get_status(&at("2nowhere000", "loadavg5")).await, 404);
    assert_eq!(world.get_status(&at(&id, "loadavg5")).await, 404);

    let now = world.now();
    let points = json!([
        {"hostId": id, "name": "loadavg5", "time": now - 60, "value": 2.5},
        {"hostId": id, "name": "loadavg5", "time": now - 120, "value": 1},
        {"hostId": id, "name": "loadavg5", "time": now - 25 * 3600, "value": 9},
    ]);
    assert_eq!(world.post("/tsdb", points).await, (200, json!({"success": true})));
    let expected = json!([{"time": now - 120, "value": 1.0}, {"time": now - 60, "value": 2.5}]);
    assert_eq!(
        world.get(&at(&id, "loadavg5")).await["metrics"],
        expected,
        "in order of time, without the day-old one"
    );
    assert_eq!(
        world.get_status(&format!("/hosts/{id}/metrics?name=loadavg5")).await,
        400,
        "from and to are needed"
    );
}

#[tokio::test]
async fn the_latest_of_a_silent_host_is_absent_and_of_a_metric_never_sent_null() {
    let world = World::new().await;
    let (talks, silent) = world
        .set(|t| Ok((t.add_host(&HostParam::named("talks"))?, t.add_host(&HostParam::named("silent"))?)));
    let point = Point { time: world.now(), value: 0.5 };
    world.set(|t| t.post_metric(&talks, "loadavg5", point));
    let query = format!(
        "/tsdb/latest?hostId={talks}&hostId={silent}&hostId=2nowhere000&name=loadavg5&name=custom.ec2.cpu.used"
    );
    let latest = &world.get(&query).await["tsdbLatest"];
    assert_eq!(latest[&talks]["loadavg5"], json!({"time": world.now(), "value": 0.5}));
    assert!(latest[&talks]["custom.ec2.cpu.used"].is_null());
    assert!(latest.get(&silent).is_none() && latest.get("2nowhere000").is_none());
}

#[tokio::test]
async fn an_agent_posts_each_minute_of_the_world_until_it_stops() {
    let world = World::new().await;
    let id = world.set(|t| t.add_host(&HostParam::named("web1")));
    let start = world.now();
    world.set(|t| t.agent_starts(&id, AgentConf::new(&[], &[])));
    let path = format!("/tsdb/latest?hostId={id}&name=loadavg5");
    let time = async || world.get(&path).await["tsdbLatest"][&id]["loadavg5"]["time"].clone();

    assert_eq!(time().await, start);
    world.pass(90);
    assert_eq!(time().await, start + 90 * 60);
    world.set(|t| t.agent_stops(&id, false));
    world.pass(60 * 24);
    assert_eq!(time().await, start + 90 * 60, "a day later it still tells when the agent was last heard");
    let span = format!("/hosts/{id}/metrics?name=loadavg5&from={start}&to={}", start + 600);
    assert_eq!(world.get(&span).await["metrics"].as_array().unwrap().len(), 11);
}

#[tokio::test]
async fn service_metrics_and_graph_definitions_are_kept() {
    let world = World::new().await;
    world.set(|t| t.add_service("Shop", ""));
    let now = world.now();
    let point = json!([{"name": "orders.count", "time": now, "value": 3}]);
    assert_eq!(world.post("/services/Shop/tsdb", point.clone()).await.0, 200);
    assert_eq!(world.post("/services/Nowhere/tsdb", point).await.0, 404);
    assert_eq!(world.get("/services/Shop/metric-names").await["names"], json!(["orders.count"]));
    let read = format!("/services/Shop/metrics?name=orders.count&from={}&to={now}", now - 60);
    assert_eq!(world.get(&read).await["metrics"], json!([{"time": now, "value": 3.0}]));

    let graph =
        json!([{"name": "custom.cpu.foo", "metrics": [{"name": "custom.cpu.foo.user", "isStacked": true}]}]);
    assert_eq!(world.post("/graph-defs/create", graph).await.0, 200);
    assert_eq!(world.post("/graph-defs/create", json!([{"name": "cpu"}])).await.0, 400);
    let delete = async || {
        world.call(reqwest::Method::DELETE, "/graph-defs", json!({"name": "custom.cpu.foo"})).await.0
    };
    assert_eq!((delete().await, delete().await), (200, 400));
}
