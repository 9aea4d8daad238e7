//! Stories of rules over time, and what a client sees on the wire.

use axum::{http::StatusCode, response::IntoResponse, routing::get};
use jiff::SignedDuration;

use super::*;
use crate::{clock::WorldClock, server, stage::Stage};

fn call(operation: &str, account: &str) -> Call {
    Call {
        service: "ec2".into(),
        operation: operation.into(),
        account: account.into(),
        region: "eu-west-1".into(),
    }
}

/// reqwest is built without a TLS provider and asks for one even where plain HTTP is spoken.
fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

fn struck(faults: &Faults, call: &Call, now: Timestamp) -> Vec<&'static str> {
    faults.strike(call, now).names().collect()
}

#[test]
fn a_rule_waits_strikes_and_is_spent() {
    let faults = Faults::default();
    let denied = Rule::new("ec2", "Describe*", Fault::Denied).after(1).times(2);
    let id = faults.add(denied).unwrap();
    let page = call("DescribeInstances", "1");
    let seen: Vec<_> = (0..4).map(|_| struck(&faults, &page, noon()).len()).collect();
    assert_eq!(seen, [0, 1, 1, 0]);
    assert_eq!(faults.list().first().unwrap().struck, 2);
    assert!(faults.remove(id));
    assert!(!faults.remove(id));
}

#[test]
fn a_rule_holds_for_its_account_and_its_hours() {
    let faults = Faults::default();
    let hour = SignedDuration::from_hours(1);
    let rule = Rule::new("*", "*", Fault::EmptyAnswer).account("1").between(noon(), noon() + hour);
    faults.add(rule).unwrap();
    for (account, at, hits) in
        [("1", noon(), 1), ("2", noon(), 0), ("1", noon() - hour, 0), ("1", noon() + hour, 0)]
    {
        assert_eq!(struck(&faults, &call("X", account), at).len(), hits, "account {account} at {at}");
    }
}

#[test]
fn a_throttle_has_a_bucket_for_each_account_and_operation_and_refills() {
    let faults = Faults::default();
    let throttle = Fault::Throttle { burst: 2.0, refill_per_second: 1.0, pace: Pace::World };
    faults.add(Rule::new("ec2", "*", throttle)).unwrap();
    let mut outcomes = vec![];
    for (operation, account, seconds) in [
        ("A", "1", 0),
        ("A", "1", 0),
        ("A", "1", 0),
        ("B", "1", 0),
        ("A", "2", 0),
        ("A", "1", 1),
        ("A", "1", 1),
    ] {
        let at = noon() + SignedDuration::from_secs(seconds);
        outcomes.push(faults.strike(&call(operation, account), at).instead().is_some());
    }
    assert_eq!(outcomes, [false, false, true, false, false, false, true]);
}

#[test]
fn rules_strike_together_and_the_oldest_replacement_wins() {
    let faults = Faults::default();
    for fault in [
        Fault::Latency { ms: 20 },
        Fault::Status { status: 500, body: None },
        Fault::Denied,
        Fault::Latency { ms: 5 },
        Fault::StaleRead { seconds: 60 },
    ] {
        faults.add(Rule::new("*", "*", fault)).unwrap();
    }
    let strike = faults.strike(&call("X", "1"), noon());
    assert_eq!(strike.latency().as_millis(), 25);
    assert_eq!(strike.instead(), Some(Instead::Status(500, None)));
    assert_eq!(strike.as_of(noon()), noon() - SignedDuration::from_mins(1));
}

#[test]
fn a_page_is_dropped_from_and_reordered_but_nothing_is_invented() {
    let strike = Strike::of(vec![Fault::DropItems { items: 3 }, Fault::ReorderItems { seed: 7 }]);
    let mut items: Vec<u32> = (0..50).collect();
    strike.distort(&mut items);
    assert_ne!(items, (3..50).collect::<Vec<_>>());
    items.sort_unstable();
    assert_eq!(items, (3..50).collect::<Vec<_>>());
    Strike::of(vec![Fault::DropItems { items: 100 }]).distort(&mut items);
    assert!(items.is_empty());
}

#[tokio::test]
async fn a_cut_connection_fails_the_read_after_its_first_bytes() {
    let answer = get(async || {
        let strike = Strike::of(vec![Fault::CutConnection { after_bytes: 5 }]);
        strike.deliver("a whole answer".into_response()).await
    });
    let server = server::serve(Router::new().route("/", answer)).await.unwrap();
    let mut response = http().get(server.url()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.chunk().await.unwrap().unwrap(), "a who");
    assert!(response.chunk().await.is_err());
}

#[tokio::test]
async fn the_stage_is_driven_over_http() {
    let stage = Stage::new(WorldClock::frozen_at(noon()));
    let server = server::serve(stage.router()).await.unwrap();
    let (http, url) = (http(), server.url());

    let turn = http.post(format!("{url}/_world/clock")).body(r#"{"advanceSeconds": 90, "rate": 0}"#);
    let turned = turn.header("content-type", "application/json").send().await.unwrap();
    assert_eq!(turned.text().await.unwrap(), r#"{"now":"2026-03-02T12:01:30Z","rate":0.0}"#);

    let rule = r#"{"service": "ec2", "times": 1, "fault": {"kind": "cutConnection", "afterBytes": 9}}"#;
    let add = http.post(format!("{url}/_world/faults")).body(rule).header("content-type", "application/json");
    assert_eq!(add.send().await.unwrap().text().await.unwrap(), r#"{"id":1}"#);
    assert_eq!(struck(&stage.faults, &call("X", "1"), noon()), ["cutConnection"]);

    let typo = http.post(format!("{url}/_world/faults")).body(r#"{"fault": {"kind": "sabotage"}}"#);
    let refused = typo.header("content-type", "application/json").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().await.unwrap().contains("sabotage"));

    let gone = http.delete(format!("{url}/_world/faults/9")).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    http.delete(format!("{url}/_world/faults")).send().await.unwrap();
    assert!(stage.faults.list().is_empty());
}

/// Every kind keeps its meaning through JSON, so that a fault by HTTP is the fault by Rust.
#[test]
fn faults_survive_json() {
    for fault in [
        Fault::Throttle { burst: 1.0, refill_per_second: 0.5, pace: Pace::World },
        Fault::Status { status: 502, body: Some("bad gateway".into()) },
        Fault::CutConnection { after_bytes: 1 },
        Fault::EmptyAnswer,
        Fault::RepeatPage,
        Fault::SkipPage,
        Fault::ReorderItems { seed: 3 },
        Fault::DropItems { items: 2 },
        Fault::StaleRead { seconds: 9 },
        Fault::Latency { ms: 7 },
        Fault::Denied,
        Fault::Garbage { body: None },
    ] {
        let rule = Rule::new("ec2", "*", fault.clone());
        let json = serde_json::to_value(&rule).unwrap();
        assert_eq!(json["fault"]["kind"], fault.name());
        assert_eq!(serde_json::from_value::<Rule>(json).unwrap(), rule);
    }
}
