//! Monitors of all types, with fields we know and fields we do not.

use proptest::prelude::*;
use rollcall_engine::reading::{Extent, Reading};
use serde_json::json;

use super::super::elements::Elements;
use super::*;

fn list(document: &Value) -> Listing<Monitors> {
    let (mut listing, mut elements) = (Listing::<Monitors>::empty(), Elements::of("monitors"));
    elements.feed(document.to_string().as_bytes(), |e| take(&mut listing, &e)).unwrap();
    elements.finish().unwrap();
    listing
}

fn read(monitors: &Value) -> Reading<Vec<Monitor>> {
    let at = "2026-11-23T12:00:00Z".parse().unwrap();
    list(&json!({"monitors": monitors})).map(|m| m.read).reading("monitors".to_owned(), at)
}

fn one(monitor: &Value) -> Monitor {
    let reading = read(&json!([monitor]));
    assert!(matches!(reading.extent, Extent::Complete { .. }), "{:?}", reading.extent);
    reading.seen.into_iter().next().unwrap()
}

fn within(service: &str, role: Option<&str>) -> Scope {
    Scope { service: service.into(), role: role.map(Into::into) }
}

/// One of each documented type, and one of tomorrow.
fn all_types() -> Value {
    json!([
        {"id": "1", "type": "connectivity"},
        {"id": "2", "type": "connectivity", "name": "conn", "alertStatusOnGone": "WARNING", "scopes": ["Backlog"], "excludeScopes": ["Backlog: db"]},
        {"id": "3", "type": "host", "name": "disk", "metric": "disk%", "operator": ">", "warning": 80, "critical": 90.5, "duration": 3,
         "maxCheckAttempts": 1, "scopes": ["Backlog: app", "Ops"], "excludeScopes": [], "isMute": true, "memo": "why", "notificationInterval": 60},
        {"id": "4", "type": "host", "name": "memory", "metric": "memory%", "operator": "<", "warning": null, "duration": 3},
        {"id": "5", "type": "service", "name": "s", "service": "Backlog", "metric": "access", "operator": ">", "duration": 1, "missingDurationWarning": 10},
        {"id": "6", "type": "external", "name": "e", "url": "https://example.com", "headers": [{"name": "a", "value": "b"}], "dualstack": "ipv6"},
        {"id": "7", "type": "expression", "name": "x", "expression": "avg(1)", "operator": ">", "critical": 0.1},
        {"id": "8", "type": "anomalyDetection", "name": "a", "scopes": ["Backlog: app"], "warningSensitivity": "normal"},
        {"id": "9", "type": "query", "name": "q", "query": "up", "operator": ">", "evaluateBackwardMinutes": 0},
        {"id": "10", "type": "dreamt", "name": "d", "scopes": ["Backlog"], "depth": {"of": [1, 2.50, 9_007_199_254_740_993_u64]}}
    ])
}

#[test]
fn all_types_are_read_and_an_unknown_one_is_one_of_them() {
    let reading = read(&all_types());
    assert!(matches!(reading.extent, Extent::Complete { .. }), "{:?}", reading.extent);
    let kinds: Vec<_> = reading
        .seen
        .iter()
        .map(|m| match &m.watches {
            Watches::HostMetric { metric, .. } => metric.as_str(),
            Watches::Connectivity => "connectivity",
            Watches::External { url, .. } => url.as_str(),
            Watches::Other(kind) => kind.as_str(),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "connectivity",
            "connectivity",
            "disk%",
            "memory%",
            "service",
            "https://example.com/",
            "expression",
            "anomalyDetection",
            "query",
            "dreamt"
        ]
    );
    assert_eq!(reading.seen[0].name, "", "a connectivity monitor may have no name");
    assert_eq!(reading.seen[9].scopes, [within("Backlog", None)]);
}

#[test]
fn a_host_monitor_with_all_that_decides_about_coverage() {
    let seen = read(&all_types()).seen;
    let disk = Watches::HostMetric {
        metric: "disk%".into(),
        direction: Direction::Above,
        warning: Some(80.0),
        critical: Some(90.5),
    };
    assert_eq!((&seen[2].watches, seen[2].muted), (&disk, true));
    assert_eq!(seen[2].scopes, [within("Backlog", Some("app")), within("Ops", None)]);
    let memory = Watches::HostMetric {
        metric: "memory%".into(),
        direction: Direction::Below,
        warning: None,
        critical: None,
    };
    assert_eq!(
        (&seen[3].watches, seen[3].muted),
        (&memory, false),
        "null and absent are no threshold, and no mute"
    );
    assert_eq!(seen[1].excludes, [within("Backlog", Some("db"))]);
}

#[test]
fn a_space_after_the_colon_makes_no_difference() {
    for text in ["Backlog:app", "Backlog: app", " Backlog :  app "] {
        let monitor = one(&json!({"id": "a", "type": "connectivity", "scopes": [text]}));
        assert_eq!(monitor.scopes, [within("Backlog", Some("app"))], "{text:?}");
    }
}

#[test]
fn what_decides_about_coverage_must_be_readable() {
    let host =
        json!({"id": "a", "type": "host", "metric": "disk%", "operator": ">", "warning": 1, "critical": 2});
    for (field, value) in [
        ("type", Value::Null),
        ("operator", json!(">=")),
        ("operator", Value::Null),
        ("metric", json!("")),
        ("metric", json!(["disk%"])),
        ("warning", json!("80")),
        ("critical", json!([90])),
        ("scopes", json!("Backlog")),
        ("scopes", json!([1])),
        ("scopes", json!(["Backlog:"])),
        ("scopes", json!([""])),
        ("excludeScopes", json!({})),
        ("isMute", json!("yes")),
        ("id", json!(5)),
        ("id", Value::Null),
    ] {
        let mut odd = host.clone();
        odd[field] = value.clone();
        let reading = read(&json!([odd, {"id": "b", "type": "connectivity"}]));
        assert!(matches!(reading.extent, Extent::Partial { .. }), "{field} {value}");
        assert_eq!(reading.seen.last().unwrap().id, "b", "{field} {value}: the rest of the list is read");
    }
    assert!(matches!(read(&json!([host.clone(), host])).extent, Extent::Partial { .. }), "one monitor twice");
    assert!(matches!(read(&json!([null, []])).extent, Extent::Partial { .. }));
}

#[test]
fn a_monitor_goes_back_as_it_came() {
    let told = all_types();
    let kept: Vec<Value> = list(&json!({"monitors": told}))
        .seen
        .raw
        .iter()
        .map(|m| Value::Object(m.as_json().clone()))
        .collect();
    assert_eq!(
        serde_json::to_string(&kept).unwrap(),
        serde_json::to_string(&told).unwrap(),
        "to the byte, and in order"
    );
}

proptest! {
    #[test]
    fn unknown_fields_of_any_shape_survive(fields in prop::collection::btree_map("[a-z]{1,6}", prop_oneof![
        any::<i64>().prop_map(Value::from), any::<String>().prop_map(Value::from), any::<bool>().prop_map(Value::from), Just(json!({"a": [null]})),
    ], 0..6)) {
        let mut monitor = json!({"type": "tomorrow"});
        monitor.as_object_mut().unwrap().extend(fields);
        monitor["id"] = json!("m");
        let kept = list(&json!({"monitors": [monitor]})).seen.raw;
        prop_assert_eq!(Value::Object(kept[0].as_json().clone()), monitor);
    }
}
