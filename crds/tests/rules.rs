//! Every rule by example, without a cluster: what must be accepted is, what must be refused is refused with its
//! message and field, and no CEL rule is without an example.
#![cfg(feature = "cel")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

use std::collections::BTreeSet;

use kube::core::cel::Validator;
use rollcall_crds::manifest::{Manifests, Problem};
use serde_json::Value;

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rules");

#[path = "common/rule_files.rs"]
mod rule_files;
use rule_files::{Case, Expect, cases};

/// What is wrong with an object, or with the change to it.
#[derive(Debug)]
struct Refusal {
    field: String,
    message: String,
    /// By a CEL rule, whose words are the same everywhere.
    by_rule: bool,
}

fn refusals(case: &Case) -> Vec<Refusal> {
    let mut manifests = Manifests::new("default");
    manifests.read("case.json", case.object.to_string().as_bytes());
    let told = manifests.errors.into_iter().map(|e| Refusal {
        field: e.field,
        by_rule: matches!(e.problem, Problem::Rule(_)),
        message: format!("{}; {}", e.problem, e.next.unwrap_or_default()),
    });
    let told: Vec<_> = told.collect();
    if told.is_empty() { refusals_of_change(case) } else { told }
}

fn refusals_of_change(case: &Case) -> Vec<Refusal> {
    let Some(old) = &case.old else { return Vec::new() };
    let schema = schema_of(case.object["kind"].as_str().unwrap());
    let broken = Validator::new().validate(&schema, &case.object, Some(old)).err();
    let broken = broken.into_iter().flatten();
    broken.map(|e| Refusal { field: e.field_path, message: e.message, by_rule: true }).collect()
}

fn schema_of(kind: &str) -> Value {
    let crds = rollcall_crds::all_crds();
    let crd = crds.iter().find(|crd| crd.spec.names.kind == kind).unwrap();
    serde_json::to_value(crd.spec.versions[0].schema.as_ref().unwrap().open_api_v3_schema.as_ref().unwrap())
        .unwrap()
}

#[test]
fn every_example_meets_the_fate_it_expects() {
    for case in cases(RULES) {
        let told = refusals(&case);
        let Expect::Refused { field, message, server } = &case.expect else {
            assert!(told.is_empty(), "{}: {told:?}", case.title);
            continue;
        };
        // One fault per object: else a second one could hide that the first is no longer found.
        let [refusal] = &told[..] else { panic!("{}: expected one refusal, found {told:?}", case.title) };
        assert!(&refusal.field == field && refusal.message.contains(message), "{}: {refusal:?}", case.title);
        assert_eq!(refusal.by_rule, server.is_none(), "{}: `server` is for what is no rule", case.title);
    }
}

/// Kind, field and message of every CEL rule below `node`.
fn rules_below(kind: &str, path: &str, node: &Value, rules: &mut BTreeSet<(String, String, String)>) {
    for rule in node["x-kubernetes-validations"].as_array().into_iter().flatten() {
        let field = format!("{path}{}", rule["fieldPath"].as_str().unwrap_or_default());
        let message = rule["message"].as_str().unwrap().to_owned();
        rules.insert((kind.to_owned(), field.trim_start_matches('.').to_owned(), message));
    }
    for (name, property) in node["properties"].as_object().into_iter().flatten() {
        rules_below(kind, &format!("{path}.{name}"), property, rules);
    }
    if node["items"].is_object() {
        rules_below(kind, &format!("{path}[]"), &node["items"], rules);
    }
    assert!(
        node["additionalProperties"]["x-kubernetes-validations"].is_null(),
        "{kind}{path}: rules of map values"
    );
}

/// `spec.roles.counts[0].min` becomes `spec.roles.counts[].min`.
fn without_indexes(field: &str) -> String {
    // A digit may also be part of a name, such as `ec2`.
    let mut parts = field.split('[');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push('[');
        plain.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    plain
}

#[test]
fn every_cel_rule_has_a_refused_example() {
    let mut rules = BTreeSet::new();
    for crd in rollcall_crds::all_crds() {
        let kind = &crd.spec.names.kind;
        rules_below(kind, "", &schema_of(kind), &mut rules);
    }
    assert!(rules.len() > 15, "the walk found only {}", rules.len());
    for case in cases(RULES) {
        if let Expect::Refused { field, message, .. } = case.expect {
            let kind = case.object["kind"].as_str().unwrap().to_owned();
            rules.remove(&(kind, without_indexes(&field), message));
        }
    }
    assert!(rules.is_empty(), "no example in crds/tests/rules is refused by {rules:#?}");
}
