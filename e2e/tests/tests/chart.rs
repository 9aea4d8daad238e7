//! The chart by itself: it is in order, it refuses values that cannot be meant, and what it starts understands its arguments.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rollcall_harness::operator::binary;
use serde_json::Value;

fn helm(arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tools = Command::new(root.join("e2e/tools/build.sh")).output().unwrap();
    let folder = PathBuf::from(String::from_utf8(tools.stdout).unwrap().lines().last().unwrap());
    let mut helm = Command::new(folder.join("helm"));
    helm.args(arguments).current_dir(root).env("NO_COLOR", "1").output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn helm_finds_nothing_to_complain_about() {
    let linted = helm(&["lint", "--strict", "charts/rollcall"]);
    assert!(linted.status.success(), "{}", said(&linted));
}

#[test]
fn values_that_cannot_be_meant_are_refused_by_name() {
    for (set, field) in [
        ("replicas=-1", "replicas"),
        ("intervals.inventorySeconds=1", "inventorySeconds"),
        ("tenantNamespaces={Not_A_Name}", "tenantNamespaces"),
        ("allowedCIDRs={10.0.0.0}", "allowedCIDRs"),
        ("log.format=xml", "format"),
        ("allowHttp=true", "allowHttp"),
        ("nagiosFiles.claimName=../up", "claimName"),
    ] {
        let rendered = helm(&["template", "rollcall", "charts/rollcall", "--set", set]);
        let said = said(&rendered);
        assert!(!rendered.status.success(), "{set} is taken");
        assert!(said.contains(field), "{set}: {said}");
    }
}

#[test]
fn what_the_chart_starts_understands_its_arguments() {
    let rendered = helm(&[
        "template",
        "rollcall",
        "charts/rollcall",
        "--set",
        "libraryNamespace=library,allowedCIDRs={10.0.0.0/8,fd00::/8},allowHTTP=true,log.format=human,nagiosFiles.claimName=nagios",
    ]);
    assert!(rendered.status.success(), "{}", said(&rendered));
    let objects: Vec<Value> =
        serde_saphyr::from_multiple(&String::from_utf8(rendered.stdout).unwrap()).unwrap();
    let deployment = objects.iter().find(|object| object["kind"] == "Deployment").unwrap();
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let arguments: Vec<&str> =
        container["args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap()).collect();
    assert!(arguments.len() >= 11, "{arguments:?}");
    assert_eq!(container["volumeMounts"][0]["readOnly"], true, "files of Nagios are only read");
    // With --help at the end the binary reads all that stands before it, and does nothing.
    let asked = Command::new(binary().unwrap()).args(&arguments).arg("--help").output().unwrap();
    assert!(asked.status.success(), "{arguments:?}: {}", said(&asked));
    let unknown =
        Command::new(binary().unwrap()).args(["run", "--no-such-thing", "--help"]).output().unwrap();
    assert!(!unknown.status.success(), "the binary refuses what it does not know");
}
