//! The arrows of docs/architecture.md, held on `cargo metadata`: who may use whom, who may name an AWS SDK, and
//! that one TLS provider is in the whole graph.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// What each crate of the product may use of the workspace. The proof (`e2e/*`) is listed too, so that the
/// product can never come to depend on it.
const ARROWS: &[(&str, &[&str])] = &[
    ("rollcall-crds", &[]),
    ("rollcall-engine", &["rollcall-crds"]),
    ("rollcall-aws", &["rollcall-engine"]),
    ("rollcall-monitoring", &["rollcall-engine"]),
    ("rollcall-operator", &["rollcall-engine", "rollcall-crds"]),
    (
        "rollcall",
        &["rollcall-crds", "rollcall-engine", "rollcall-aws", "rollcall-monitoring", "rollcall-operator"],
    ),
    ("rollcall-fakes", &[]),
    ("rollcall-backlog", &["rollcall-crds", "rollcall-fakes"]),
    ("rollcall-harness", &["rollcall-crds", "rollcall-fakes", "rollcall-backlog"]),
    ("rollcall-e2e", &[]),
    ("rollcall-demo", &["rollcall-crds", "rollcall-fakes", "rollcall-backlog", "rollcall-harness"]),
    ("rollcall-fuzz", &["rollcall-crds", "rollcall-engine", "rollcall-monitoring"]),
    ("rollcall-simulator", &["rollcall-engine"]),
    ("rollcall-bench", &["rollcall-crds", "rollcall-engine", "rollcall-fakes", "rollcall-harness"]),
];

fn metadata() -> cargo_metadata::Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .exec()
        .unwrap()
}

fn normal_dependencies(package: &Package) -> BTreeSet<&str> {
    let normal = package
        .dependencies
        .iter()
        .filter(|d| matches!(d.kind, DependencyKind::Normal | DependencyKind::Build));
    normal.map(|d| d.name.as_str()).collect()
}

#[test]
fn arrows_go_one_way() {
    let metadata = metadata();
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let Some(may) = allowed.get(name) else {
            wrong.push(format!("{name} is not in the map of docs/architecture.md"));
            continue;
        };
        for used in normal_dependencies(package).into_iter().filter(|d| d.starts_with("rollcall")) {
            if !may.contains(&used) {
                wrong.push(format!("{name} must not use {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_one_crate_names_an_aws_sdk() {
    let metadata = metadata();
    let naming: Vec<&str> = metadata
        .workspace_packages()
        .iter()
        .filter(|p| p.dependencies.iter().any(|d| d.name.starts_with("aws-sdk-")))
        .map(|p| p.name.as_str())
        .collect();
    assert_eq!(naming, ["rollcall-aws"]);
}

#[test]
fn the_engine_is_pure_and_the_kinds_hold_no_client() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let forbidden: &[&str] = match package.name.as_str() {
            "rollcall-engine" => &["tokio", "async-trait", "futures", "reqwest", "kube", "tracing"],
            "rollcall-crds" => &["tokio", "reqwest", "tracing"],
            "rollcall-monitoring" | "rollcall-aws" => &["kube", "k8s-openapi"],
            "rollcall-operator" => &["reqwest-middleware", "aws-config"],
            _ => continue,
        };
        let used = normal_dependencies(package);
        let wrong: Vec<&&str> = forbidden.iter().filter(|name| used.contains(**name)).collect();
        assert!(wrong.is_empty(), "{} must not use {wrong:?}", package.name);
    }
}

/// A last gate that lacks a guard can be built for the proof alone.
#[test]
fn only_the_simulator_can_leave_a_guard_out() {
    let metadata = metadata();
    let asks = |package: &&&Package| {
        let of_engine = package.dependencies.iter().filter(|d| d.name == "rollcall-engine");
        of_engine.flat_map(|d| &d.features).any(|feature| feature == "proof")
    };
    let packages = metadata.workspace_packages();
    let asking: Vec<&str> = packages.iter().filter(asks).map(|p| p.name.as_str()).collect();
    assert_eq!(asking, ["rollcall-simulator"]);
}

#[test]
fn one_tls_provider_is_in_the_whole_graph() {
    let metadata = metadata();
    let present = |name: &str| metadata.packages.iter().any(|p| p.name.as_str() == name);
    assert!(present("ring"), "ring is the one provider");
    // `cargo metadata` lists what the lock file holds; an optional dependency that nobody turns on is not in it.
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
    for other in ["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls"] {
        assert!(!lock.contains(&format!("name = \"{other}\"")), "{other} is in the graph");
    }
    let stacks: Vec<_> = lock.match_indices("name = \"rustls\"\n").collect();
    assert_eq!(stacks.len(), 1, "one version of rustls");
}
