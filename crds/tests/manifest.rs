//! Plain files become objects, every fault is told where it stands, and nothing is lost in silence.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test speaks by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use rollcall_crds::manifest::{Manifests, Object, Problem};

fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifest").join(name)
}

fn read(files: &[(&str, &str)]) -> Manifests {
    let mut manifests = Manifests::new("default");
    for (file, text) in files {
        manifests.read(file, text.as_bytes());
    }
    manifests
}

#[test]
fn every_fault_of_a_bad_day_is_told_and_hides_nothing() {
    let manifests = read(&[("faulty.yaml", &fs::read_to_string(beside("faulty.yaml")).unwrap())]);
    let mut told = String::new();
    for error in &manifests.errors {
        writeln!(told, "{error}").unwrap();
    }
    for skipped in &manifests.skipped {
        writeln!(told, "{}: skipped {}", skipped.place, skipped.what).unwrap();
    }
    for found in &manifests.objects {
        writeln!(told, "{}: good {}", found.place, found.name).unwrap();
    }
    if std::env::var_os("UPDATE").is_some_and(|v| v == "1") {
        fs::write(beside("faulty.txt"), &told).unwrap();
    }
    assert_eq!(
        told,
        fs::read_to_string(beside("faulty.txt")).unwrap(),
        "UPDATE=1 writes faulty.txt; read its diff"
    );
}

#[test]
fn an_object_is_in_the_namespace_it_names_else_in_the_given_one() {
    let role = |metadata: &str| {
        format!(
            "{{apiVersion: rollcall.dev/v1alpha1, kind: HostRole, metadata: {metadata}, spec: {{type: Trait}}}}"
        )
    };
    let manifests = read(&[("a", &role("{name: linux, namespace: lib}")), ("b", &role("{name: linux}"))]);
    assert!(manifests.errors.is_empty(), "{:?}", manifests.errors);
    let namespaces = manifests.objects.iter().map(|found| match &found.object {
        Object::HostRole(role) => role.metadata.namespace.clone().unwrap(),
        other => panic!("{other:?}"),
    });
    assert_eq!(namespaces.collect::<Vec<_>>(), ["lib", "default"]);
}

#[test]
fn a_namespace_brings_the_labels_that_grants_select_by() {
    let manifests = read(&[(
        "ns.yaml",
        "{apiVersion: v1, kind: Namespace, metadata: {name: backlog, labels: {team: b}}}",
    )]);
    let Object::Namespace { name, labels } = &manifests.objects[0].object else { panic!() };
    assert_eq!(name, "backlog");
    assert_eq!(
        labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>(),
        [("kubernetes.io/metadata.name", "backlog"), ("team", "b")]
    );
}

#[test]
fn what_kubectl_prints_can_be_read_again() {
    let list = r#"{"apiVersion": "rollcall.dev/v1alpha1", "kind": "HostRoleList", "metadata": {"resourceVersion": "7"},
        "items": [{"apiVersion": "rollcall.dev/v1alpha1", "kind": "HostRole",
            "metadata": {"name": "linux", "namespace": "b", "uid": "u", "generation": 1, "resourceVersion": "5",
                "creationTimestamp": "2026-11-01T00:00:00Z", "managedFields": [{"fieldsV1": {"f:spec": {}}}]},
            "spec": {"type": "Trait"},
            "status": {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True", "reason": "Reconciled",
                "message": "", "lastTransitionTime": "2026-11-01T00:00:00Z"}]}}]}"#;
    let manifests = read(&[("list.json", list)]);
    assert!(manifests.errors.is_empty(), "{:?}", manifests.errors);
    let Object::HostRole(role) = &manifests.objects[0].object else { panic!() };
    assert_eq!(role.status.as_ref().unwrap().conditions.len(), 1);
}

#[test]
fn the_same_object_in_two_files_is_a_fault_of_the_second() {
    let role =
        "{apiVersion: rollcall.dev/v1alpha1, kind: HostRole, metadata: {name: linux}, spec: {type: Trait}}";
    let manifests = read(&[("a.yaml", role), ("b.yaml", role)]);
    assert_eq!(manifests.objects.len(), 1);
    assert!(matches!(&manifests.errors[0].problem, Problem::Twice { first } if first.file == "a.yaml"));
    assert_eq!(manifests.errors[0].place.file, "b.yaml");
}

#[test]
fn files_without_objects_are_quiet_and_kustomize_s_own_is_said_to_be_skipped() {
    let manifests = read(&[
        ("empty.yaml", ""),
        ("comments.yaml", "# later\n---\n"),
        ("x/kustomization.yaml", "resources: [a]"),
    ]);
    assert!(manifests.errors.is_empty() && manifests.objects.is_empty());
    assert_eq!(manifests.skipped.len(), 1);
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let mut manifests = Manifests::new("default");
    manifests.read("picture.yaml", &[0xff, 0xd8, 0xff, 0xe0]);
    assert_eq!(
        manifests.errors[0].to_string(),
        "picture.yaml: cannot be read: expected UTF-8, found another byte at offset 0"
    );
}
