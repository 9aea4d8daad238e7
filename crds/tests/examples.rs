//! The examples that the tutorial quotes are valid, complete, and fit together.
#![allow(clippy::unwrap_used, reason = "a failing test speaks by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rollcall_crds::manifest::{Manifests, Object};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

fn read_all() -> Manifests {
    let mut manifests = Manifests::new("default");
    for crd in rollcall_crds::all_crds() {
        let file = format!("{}.yaml", crd.spec.names.singular.unwrap());
        manifests.read(&file, &std::fs::read(folder().join(&file)).unwrap());
    }
    manifests
}

#[test]
fn there_is_one_example_of_each_kind_and_none_has_a_fault() {
    let manifests = read_all();
    assert!(manifests.errors.is_empty(), "{:#?}", manifests.errors);
    let kinds: Vec<_> = manifests.objects.iter().map(|found| found.name.kind.clone()).collect();
    let all: Vec<_> = rollcall_crds::all_crds().into_iter().map(|crd| crd.spec.names.kind).collect();
    assert_eq!(kinds, all);
}

#[test]
fn other_examples_have_no_fault() {
    let mut manifests = Manifests::new("default");
    let files =
        ["monitoringsystem-nagios.yaml", "requiredcheck-environment.yaml", "requiredcheck-assertion.yaml"];
    for file in files {
        manifests.read(file, &std::fs::read(folder().join(file)).unwrap());
    }
    assert!(manifests.errors.is_empty() && manifests.objects.len() == files.len(), "{:#?}", manifests.errors);
}

#[test]
fn the_examples_are_one_story() {
    let objects = read_all().objects;
    let names: BTreeSet<(&str, &str)> =
        objects.iter().map(|f| (f.name.kind.as_str(), f.name.name.as_str())).collect();
    for found in &objects {
        match &found.object {
            Object::Environment(e) => {
                assert!(e.spec.accounts.iter().all(|a| names.contains(&("CloudAccount", &a.name))));
                assert!(e.spec.monitoring.iter().all(|m| names.contains(&("MonitoringSystem", &m.system))));
                let policy = e.spec.lean.as_ref().and_then(|lean| lean.policy.as_deref()).unwrap();
                assert!(names.contains(&("RetirementPolicy", policy)));
            }
            Object::RequiredCheck(c) => {
                assert!(c.spec.ways().iter().all(|by| names.contains(&("MonitoringSystem", &by.system))));
            }
            Object::Exemption(e) => {
                assert!(names.contains(&("RequiredCheck", e.spec.match_.check.as_ref().unwrap())));
            }
            Object::Host(h) => {
                assert!(
                    names
                        .contains(&("Environment", h.status.as_ref().unwrap().environment.as_ref().unwrap()))
                );
            }
            _ => {}
        }
    }
}
