//! Hostile and careless objects: every field of every kind is attacked, and each attack must be refused, by
//! name, on its line, without a panic and without a character that a terminal would obey.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

#[path = "common/attacks.rs"]
mod attacks;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use attacks::{attacks, every_field_stands_somewhere};
use proptest::prelude::*;
use rollcall_crds::manifest::{ManifestError, Manifests};
use serde_json::Value;

/// An error is a line to read: file, object, field and a quotation each have their limits.
const LONGEST_ERROR_BYTES: usize = 1_500;

fn read(text: &[u8]) -> Manifests {
    let mut manifests = Manifests::new("default");
    manifests.read("attack.yaml", text);
    manifests
}

fn is_readable(error: &ManifestError) -> bool {
    let line = error.to_string();
    line.len() <= LONGEST_ERROR_BYTES && !line.chars().any(char::is_control)
}

/// Schema and full object of every kind; several where some fields exclude each other.
static KINDS: LazyLock<Vec<(Value, Value)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/full");
    let kind = |crd: &_| {
        let crd = serde_json::to_value(crd).unwrap();
        let file = format!("{}.yaml", crd["spec"]["names"]["singular"].as_str().unwrap());
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let full: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        let schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone();
        full.into_iter().map(move |full| (schema.clone(), full))
    };
    rollcall_crds::all_crds().iter().flat_map(kind).collect()
});

#[test]
fn the_full_objects_have_no_fault() {
    for (_, full) in &*KINDS {
        let manifests = read(full.to_string().as_bytes());
        assert!(manifests.errors.is_empty(), "{:#?}", manifests.errors);
    }
}

#[test]
fn every_field_stands_in_a_full_object() {
    let mut kinds: Vec<&Value> = KINDS.iter().map(|(schema, _)| schema).collect();
    kinds.dedup();
    for schema in kinds {
        let full = KINDS.iter().filter(|(of, _)| of == schema).map(|(_, full)| full["spec"].clone());
        let full: Vec<Value> = full.collect();
        every_field_stands_somewhere(&schema["properties"]["spec"], &full, "spec");
    }
}

#[test]
fn every_attack_on_every_field_is_refused_by_name() {
    let mut count = 0;
    for (schema, full) in &*KINDS {
        for attack in attacks(schema, full) {
            let manifests = read(serde_json::to_string_pretty(&attack.object).unwrap().as_bytes());
            let named = manifests.errors.iter().any(|e| e.field == attack.field && e.place.line.is_some());
            assert!(
                named && manifests.objects.is_empty(),
                "{} {}: {:#?}",
                full["kind"],
                attack.what,
                manifests.errors
            );
            assert!(manifests.errors.iter().all(is_readable), "{}: {:#?}", attack.what, manifests.errors);
            count += 1;
        }
    }
    println!("{count} attacks refused");
    assert!(count > 1_000, "only {count} attacks: the generator lost its fields");
}

/// Text at its very limit is accepted, counted in characters as the API server counts.
#[test]
fn wide_characters_count_as_one() {
    let (_, mut exemption) = KINDS.iter().find(|(_, full)| full["kind"] == "Exemption").unwrap().clone();
    exemption["spec"]["reason"] = "役".repeat(1_024).into();
    assert!(read(exemption.to_string().as_bytes()).errors.is_empty());
}

#[test]
fn one_object_with_ten_thousand_faults_tells_a_page_of_them() {
    let items = vec!["{role: X, min: -1, bogus: 1}"; 3_000].join(", ");
    let text = format!(
        "{{apiVersion: rollcall.dev/v1alpha1, kind: Environment, metadata: {{name: x}}, spec: {{roles: {{counts: [{items}]}}}}}}"
    );
    let errors = read(text.as_bytes()).errors;
    assert!((10..=60).contains(&errors.len()), "{}", errors.len());
    assert!(errors.last().unwrap().to_string().contains("more is wrong"), "{}", errors.last().unwrap());
}

/// Any JSON that YAML could give, four levels deep.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(field_name(), inner, 0..4)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

/// Names that lead deep into our schemas, and any others.
fn field_name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "metadata",
            "name",
            "labels",
            "spec",
            "selector",
            "anyOf",
            "matchTags",
            "accounts",
            "items"
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_value_anywhere_in_an_object_makes_a_panic(kind in 0..KINDS.len(), field in field_name(), value in any_value()) {
        let (_, mut full) = KINDS[kind].clone();
        full[field.as_str()] = value;
        let manifests = read(full.to_string().as_bytes());
        prop_assert!(manifests.errors.iter().all(is_readable), "{:?}", manifests.errors);
    }

    #[test]
    fn no_bytes_make_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let manifests = read(&bytes);
        prop_assert!(manifests.errors.iter().all(is_readable), "{:?}", manifests.errors);
    }

    /// A file that was torn or overwritten in the middle: what is left is judged, never believed by accident.
    #[test]
    fn a_damaged_file_makes_no_panic(at in 0..700_usize, cut in 0..40_usize, put in "[ \\-:{}\\[\\],&*!|>'\"%@`#?\\t\\n\\PC]{0,6}") {
        let text = include_str!("../examples/environment.yaml");
        let keep = |range: std::ops::Range<usize>| text.chars().skip(range.start).take(range.len()).collect::<String>();
        let damaged = format!("{}{put}{}", keep(0..at), keep(at + cut..text.len()));
        let manifests = read(damaged.as_bytes());
        prop_assert!(manifests.errors.iter().all(is_readable), "{:?}", manifests.errors);
    }
}
