//! The house rules of the API, held against every generated schema, and the walker that holds them held
//! against one small bad schema per rule, so that it cannot rot.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

#[path = "house_rules/walker.rs"]
mod walker;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use walker::violations;

fn crds() -> Vec<Value> {
    rollcall_crds::all_crds().iter().map(|crd| serde_json::to_value(crd).unwrap()).collect()
}

#[test]
fn every_schema_keeps_every_house_rule() {
    for crd in crds() {
        let broken = violations(&crd);
        assert!(broken.is_empty(), "{}: {broken:#?}", crd["spec"]["names"]["kind"]);
    }
}

/// Kind, plural, short name, scope: names last for ever.
#[test]
fn names_are_what_was_settled() {
    let settled = [
        "CloudAccount cloudaccounts rcacct Cluster",
        "Environment environments rcenv Namespaced",
        "HostRole hostroles rcrole Namespaced",
        "RequiredCheck requiredchecks rccheck Namespaced",
        "MonitoringSystem monitoringsystems rcmon Namespaced",
        "Exemption exemptions rcexempt Namespaced",
        "RetirementPolicy retirementpolicies rcpolicy Namespaced",
        "Retirement retirements rcretire Namespaced",
        "NotificationChannel notificationchannels rcnotify Namespaced",
        "Host hosts rchost Namespaced",
    ];
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let found = crds().into_iter().map(|crd| {
        let (spec, names) = (&crd["spec"], &crd["spec"]["names"]);
        [&names["kind"], &names["plural"], &names["shortNames"][0], &spec["scope"]].map(word).join(" ")
    });
    assert_eq!(found.collect::<Vec<_>>(), settled);
}

/// What people and controllers may filter by; removing one breaks them.
#[test]
fn selectable_fields_are_what_was_settled() {
    let found: BTreeMap<String, Vec<String>> = crds()
        .iter()
        .filter_map(|crd| {
            let fields = crd["spec"]["versions"][0]["selectableFields"].as_array()?;
            let paths = fields.iter().map(|field| field["jsonPath"].as_str().unwrap().to_owned()).collect();
            Some((crd["spec"]["names"]["kind"].as_str().unwrap().to_owned(), paths))
        })
        .collect();
    let host = [".spec.service", ".status.environment", ".status.state"].map(str::to_owned).to_vec();
    let retirement = [".spec.environment", ".status.state"].map(str::to_owned).to_vec();
    let settled = [("Host".to_owned(), host), ("Retirement".to_owned(), retirement)];
    assert_eq!(found, BTreeMap::from(settled));
}

fn good() -> Value {
    serde_saphyr::from_str(include_str!("house_rules/good.yaml")).unwrap()
}

/// What is changed in the good CRD: a place (see [`pointer`]), its new value (null removes it), and what the
/// walker must say.
fn bad() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("word/maxLength", Value::Null, "spec.word: a string without maxLength"),
        ("word/description", json!(" "), "spec.word: has no description"),
        ("word/format", json!("date"), "spec.word: a format; use a pattern"),
        ("word/nullable", json!(true), "spec.word: nullable is not allowed"),
        ("word/anyOf", json!([]), "spec.word: anyOf is not allowed"),
        (
            "word/x-kubernetes-validations",
            json!([{"rule": "true"}]),
            "spec.word: a CEL rule without a message",
        ),
        (
            "/root/properties/status/properties/since/format",
            Value::Null,
            "status.since: a string without maxLength",
        ),
        ("mode", json!({"type": "boolean", "description": "On."}), "spec.mode: a boolean"),
        ("mode", json!({"type": "number", "description": "On."}), "spec.mode: a float"),
        ("mode", json!({"description": "On."}), "spec.mode: type None"),
        (
            "mode_id",
            json!({"type": "string", "description": "A.", "maxLength": 1}),
            "spec.mode_id: expected camelCase",
        ),
        (
            "modeId",
            json!({"type": "string", "description": "A.", "maxLength": 1}),
            "spec.modeId: expected camelCase",
        ),
        ("everyDays/format", json!("uint32"), "spec.everyDays: an integer that is not int32 or int64"),
        ("everyDays/maximum", Value::Null, "spec.everyDays: an integer without a sane minimum and maximum"),
        ("everyDays/minimum", json!(-1e300), "spec.everyDays: an integer without a sane minimum and maximum"),
        (
            "grace",
            json!({"type": "integer", "description": "A.", "format": "int32", "minimum": 0, "maximum": 9}),
            "spec.grace: an integer whose name does not say its unit",
        ),
        ("words/maxItems", Value::Null, "spec.words: a list without maxItems"),
        ("words/x-kubernetes-list-type", Value::Null, "spec.words: a list without x-kubernetes-list-type"),
        ("words/items", json!({"type": "object"}), "spec.words: a set of non-scalars"),
        ("words/items/maxLength", Value::Null, "spec.words[]: a string without maxLength"),
        ("texts/maxProperties", Value::Null, "spec.texts: a map without maxProperties"),
        ("texts/additionalProperties", json!(true), "spec.texts: a map of anything"),
        ("texts/additionalProperties/maxLength", Value::Null, "spec.texts.*: a string without maxLength"),
        ("/spec/group", json!("example.com"), "group: expected rollcall.dev"),
        ("/spec/names/categories", json!(["all"]), "categories: expected rollcall alone"),
        ("/spec/names/shortNames", json!([]), "shortNames: expected exactly one"),
        ("/spec/versions/0/subresources", Value::Null, "subresources: expected status"),
        (
            "/spec/versions/0/selectableFields/0/jsonPath",
            json!(".spec.gone"),
            "selectable .spec.gone: is no field",
        ),
        (
            "/spec/versions/0/additionalPrinterColumns/0/jsonPath",
            json!(".spec.gone"),
            "column Days: .spec.gone is no field",
        ),
        (
            "/spec/versions/0/additionalPrinterColumns/1/name",
            json!("State"),
            "columns: a kind with conditions shows Ready",
        ),
        ("/root/required", Value::Null, "required: expected spec alone"),
        ("/root/description", Value::Null, "kind: has no description"),
        ("/root/x-kubernetes-validations/0/message", json!(""), ": a CEL rule without a message"),
        ("/root/properties/status/required", json!(["hosts"]), "status: every status field is optional"),
        (
            "/root/properties/status/properties/hosts/format",
            Value::Null,
            "status.hosts: an integer that is not",
        ),
        (
            "/root/properties/status/properties/conditions/x-kubernetes-list-map-keys",
            Value::Null,
            "status.conditions: a list-map without keys",
        ),
        (
            "/root/properties/status/properties/conditions/items/required",
            Value::Null,
            "status.conditions: a list-map whose keys are not required",
        ),
    ]
}

/// `word/maxLength` is a place below the schema's `spec`, `/root/…` below the schema, `/spec/…` in the CRD.
fn pointer(place: &str) -> String {
    const ROOT: &str = "/spec/versions/0/schema/openAPIV3Schema";
    if let Some(below) = place.strip_prefix("/root") {
        format!("{ROOT}{below}")
    } else if place.starts_with('/') {
        place.to_owned()
    } else {
        format!("{ROOT}/properties/spec/properties/{place}")
    }
}

/// Sets the value at a JSON pointer; null removes it.
fn set(crd: &mut Value, pointer: &str, value: Value) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let parent = crd.pointer_mut(parent).unwrap_or_else(|| panic!("{parent}"));
    match parent {
        Value::Object(fields) if value.is_null() => assert!(fields.remove(last).is_some(), "{pointer}"),
        Value::Object(fields) => drop(fields.insert(last.to_owned(), value)),
        other => panic!("{pointer}: {other}"),
    }
}

#[test]
fn the_walker_finds_each_violation() {
    assert_eq!(violations(&good()), Vec::<String>::new());
    for (place, value, expected) in bad() {
        let mut crd = good();
        set(&mut crd, &pointer(place), value);
        let found = violations(&crd);
        assert!(
            found.iter().any(|told| told.starts_with(expected)),
            "{place}: expected {expected}, found {found:?}"
        );
    }
}
