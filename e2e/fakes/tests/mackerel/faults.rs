//! Injected faults: what a client is told while the truth stays what it is.

use rollcall_fakes::{
    faults::{Fault, Pace, Rule},
    mackerel::{CheckStatus, HostParam, HostStatus, SERVICE},
};
use serde_json::{Value, json};

use super::world::{KEY, World, texts};

async fn fleet() -> World {
    let world = World::new().await;
    for n in 0..5 {
        world.set(|t| t.add_host(&HostParam::named(&format!("web{n}"))));
    }
    world
}

fn strike(world: &World, operation: &str, fault: Fault) {
    world.fake.stage.faults.clear();
    world.fake.stage.faults.add(Rule::new(SERVICE, operation, fault)).unwrap();
}

#[tokio::test]
async fn refusals_are_in_mackerels_words_and_garbage_is_not() {
    let world = fleet().await;
    let throttle = Fault::Throttle { burst: 0.0, refill_per_second: 0.0, pace: Pace::World };
    for (fault, status, body) in [
        (
            Fault::Denied,
            403,
            Some(json!({"error": {"message": "The API key doesn't have the required permission."}})),
        ),
        (throttle, 429, Some(json!({"error": {"message": "Too many requests."}}))),
        (
            Fault::Status { status: 500, body: None },
            500,
            Some(json!({"error": {"message": "Internal Server Error"}})),
        ),
        (Fault::Status { status: 502, body: Some("<html>".into()) }, 502, None),
        (Fault::Garbage { body: None }, 200, None),
    ] {
        strike(&world, "GET /api/v0/hosts", fault.clone());
        let response = world.ask(reqwest::Method::GET, "/hosts", KEY).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{fault:?}");
        let text = response.text().await.unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).ok(), body, "{fault:?}: {text}");
        assert_eq!(world.get_status("/services").await, 200, "other calls are not struck");
    }
    world.fake.stage.faults.clear();
    assert_eq!(world.names("/hosts").await.len(), 5, "the truth did not change");
    assert_eq!(world.fake.stage.calls.of(SERVICE, "GET /api/v0/hosts"), 6);
}

#[tokio::test]
async fn lists_are_emptied_shortened_and_shuffled() {
    let world = fleet().await;
    strike(&world, "GET /api/v0/hosts", Fault::EmptyAnswer);
    assert!(world.names("/hosts").await.is_empty(), "200, and not a host");
    strike(&world, "GET /api/v0/hosts", Fault::DropItems { items: 2 });
    assert_eq!(world.names("/hosts").await, ["web2", "web3", "web4"]);
    strike(&world, "GET /api/v0/hosts", Fault::ReorderItems { seed: 1 });
    let mut names = world.names("/hosts").await;
    assert_ne!(names, ["web0", "web1", "web2", "web3", "web4"]);
    names.sort_unstable();
    assert_eq!(names, ["web0", "web1", "web2", "web3", "web4"]);
    strike(&world, "GET /api/v0/monitors", Fault::EmptyAnswer);
    assert_eq!(world.get("/monitors").await["monitors"], json!([]));
}

#[tokio::test]
async fn a_cut_list_fails_before_its_end() {
    let world = fleet().await;
    strike(&world, "GET /api/v0/hosts", Fault::CutConnection { after_bytes: 300 });
    let response = world.ask(reqwest::Method::GET, "/hosts", KEY).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert!(response.bytes().await.is_err(), "the body breaks off");
}

#[tokio::test]
async fn a_stale_read_tells_the_world_as_it_was() {
    let world = fleet().await;
    world.pass(10);
    let id = world.set(|t| t.add_host(&HostParam::named("new")));
    world.set(|t| t.check_turns(&id, "ntp", CheckStatus::Ok, "OK"));
    let old = world.org.truth().hosts().next().unwrap().id.clone();
    world.set(|t| t.set_status(&old, HostStatus::Poweroff));
    assert_eq!(world.names("/hosts").await, ["web1", "web2", "web3", "web4", "new"]);
    strike(&world, "GET *", Fault::StaleRead { seconds: 300 });
    assert_eq!(world.names("/hosts").await, ["web0", "web1", "web2", "web3", "web4"]);
    assert_eq!(world.get("/monitoring/checks").await["checks"], json!([]));
    assert_eq!(world.get_status(&format!("/hosts/{id}")).await, 404);
}

#[tokio::test]
async fn pages_are_told_twice_or_skipped() {
    let world = World::new().await;
    let names: Vec<String> = (0..30).map(|n| format!("check-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.set(|t| t.add_host(&HostParam::named("web1").checks(&names)));
    let page = async |next: &str| {
        let page = world.get(&format!("/monitoring/checks?limit=10&nextId={next}")).await;
        (texts(&page["checks"], "id"), page["nextId"].as_str().unwrap_or_default().to_owned())
    };
    let (first, second) = page("").await;
    let (_, third) = page(&second).await;
    strike(&world, "GET /api/v0/monitoring/checks", Fault::RepeatPage);
    assert_eq!(page("").await, (first.clone(), first[0].clone()), "the way on leads to the same page");
    strike(&world, "GET /api/v0/monitoring/checks", Fault::SkipPage);
    assert_eq!(page("").await, (first, third), "the way on leads past the second page");
    strike(&world, "GET /api/v0/monitoring/checks", Fault::EmptyAnswer);
    assert_eq!(page("").await, (vec![], String::new()));
}

#[tokio::test]
async fn a_slow_answer_comes_late() {
    let world = fleet().await;
    strike(&world, "GET /api/v0/org", Fault::Latency { ms: 80 });
    let asked = std::time::Instant::now();
    world.get("/org").await;
    assert!(asked.elapsed().as_millis() >= 80);
}
