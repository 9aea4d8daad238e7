//! `crds/yaml` is generated from the Rust types: this test fails when they drift apart, and
//! `UPDATE=1 cargo test -p rollcall-crds --test generated` writes the folder again.
#![allow(clippy::unwrap_used, reason = "a failing test speaks by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// `kubectl apply` without `--server-side` stores the object in an annotation of at most this size.
const APPLY_ANNOTATION_BYTES: usize = 262_144;

const HEADER: &str = "# Generated from the Rust types in crds/src by `make generate`; edit those.\n";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("yaml")
}

/// What the folder should hold, by file name.
fn generated() -> BTreeMap<String, String> {
    let file =
        |crd| (format!("{}.yaml", plural(crd)), format!("{HEADER}{}", serde_saphyr::to_string(crd).unwrap()));
    rollcall_crds::all_crds().iter().map(file).collect()
}

fn plural(
    crd: &k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
) -> &str {
    &crd.spec.names.plural
}

/// What the folder holds, by file name.
fn committed() -> BTreeMap<String, String> {
    let files = fs::read_dir(folder()).unwrap().map(Result::unwrap);
    files.map(|f| (f.file_name().into_string().unwrap(), fs::read_to_string(f.path()).unwrap())).collect()
}

fn write(generated: &BTreeMap<String, String>) {
    for stale in committed().keys().filter(|name| !generated.contains_key(*name)) {
        fs::remove_file(folder().join(stale)).unwrap();
    }
    for (name, text) in generated {
        fs::write(folder().join(name), text).unwrap();
    }
}

#[test]
fn the_yaml_is_what_the_types_say() {
    let generated = generated();
    if std::env::var_os("UPDATE").is_some_and(|v| v == "1") {
        write(&generated);
    }
    let committed = committed();
    let names = |of: &BTreeMap<String, String>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&committed), names(&generated), "crds/yaml holds other files; run `make generate`");
    for (name, text) in &generated {
        assert!(&committed[name] == text, "crds/yaml/{name} differs from the types; run `make generate`");
    }
}

#[test]
fn the_yaml_reads_back_as_the_same_object() {
    for crd in rollcall_crds::all_crds() {
        let read: serde_json::Value =
            serde_saphyr::from_str(&serde_saphyr::to_string(&crd).unwrap()).unwrap();
        assert_eq!(read, serde_json::to_value(&crd).unwrap(), "{}", plural(&crd));
    }
}

#[test]
fn every_crd_can_be_applied_without_server_side() {
    for crd in rollcall_crds::all_crds() {
        let bytes = serde_json::to_string(&crd).unwrap().len();
        println!("{:<20} {bytes:>7} bytes", plural(&crd));
        assert!(
            bytes < APPLY_ANNOTATION_BYTES,
            "{}: {bytes} bytes, at most {APPLY_ANNOTATION_BYTES}",
            plural(&crd)
        );
    }
}
