//! The first team's fleet, imported as if nobody had ever described it: what is told and written, what a plan says about it,
//! and that nothing is written over or leaks.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use common::{monday, on, rollcall, settle};
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::reading::{Failure, FailureKind, Reading};
use rollcall_engine::recording::Recording;
use serde_json::Value;

/// All files below a folder, by their path in it.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let (mut files, mut open) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    files
}

fn open_causes(json: &str) -> Vec<String> {
    let plan: Value = serde_json::from_str(json).unwrap();
    assert_eq!(plan["problems"], Value::Array(Vec::new()));
    let open = plan["causes"].as_array().unwrap().iter().filter(|cause| cause["open"] != 0);
    open.map(|cause| cause["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_import_reads_as_it_was_drawn() {
    let (code, printed, told) = on(&monday(), &["import", "mackerel"]);
    assert_eq!(code, 0);
    settle("import.txt", &told);
    for (file, golden) in [
        ("environments/jp1.yaml", "import-environment.yaml"),
        ("roles/webdav.yaml", "import-role.yaml"),
        ("checks/proxy.yaml", "import-checks.yaml"),
    ] {
        let (_, text) = printed.split_once(&format!("---\n# {file}\n")).unwrap();
        settle(golden, text.split("---\n# ").next().unwrap());
    }
    assert!(told.lines().all(|line| line.chars().count() <= 100), "{told}");
}

#[test]
fn an_imported_fleet_reads_as_a_dozen_causes_and_a_baseline_leaves_what_is_not_about_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("fleet").display().to_string();
    let (code, told, error) = on(&monday(), &["import", "mackerel", "--out", &tree]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(told.contains(&format!("rollcall plan -f {tree} --on ")), "{told}");
    let (code, json, error) = on(&monday(), &["plan", "-f", &tree, "-o", "json"]);
    assert_eq!((code, error.as_str()), (1, ""), "Namespace objects are read, nothing is left out");
    let causes = open_causes(&json);
    assert!(causes.len() <= 15, "{causes:?}");
    // What was planted in that fleet is found, although nobody has told what it should be.
    for planted in
        ["RC0101", "RC0103", "RC0104", "RC0106", "RC0108", "RC0201", "RC0202", "RC0203", "RC0403", "RC0606"]
    {
        assert!(causes.iter().any(|code| code == planted), "{planted} is not among {causes:?}");
    }
    let baseline = format!("{tree}/baseline");
    let (code, _, error) = on(&monday(), &["baseline", "-f", &tree, "--approver", "sre", "--out", &baseline]);
    assert_eq!((code, error.as_str()), (0, ""));
    let (_, json, _) = on(&monday(), &["plan", "-f", &tree, "-o", "json"]);
    assert_eq!(open_causes(&json), ["RC0603", "RC0204", "RC0403", "RC0202"]);
}

#[test]
fn an_import_from_nagios_says_what_joins_and_takes_its_services() {
    let (code, printed, told) = on(&monday(), &["import", "nagios"]);
    assert_eq!(code, 0);
    settle("import-nagios.txt", &told);
    for (file, golden) in [
        ("monitoring.yaml", "import-nagios-monitoring.yaml"),
        ("checks/db.yaml", "import-nagios-checks.yaml"),
        ("environments/jp2.yaml", "import-nagios-environment.yaml"),
    ] {
        let (_, text) = printed.split_once(&format!("---\n# {file}\n")).unwrap();
        settle(golden, text.split("---\n# ").next().unwrap());
    }
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().display().to_string();
    let (code, _, error) = on(&monday(), &["import", "nagios", "--out", &tree]);
    assert_eq!((code, error.as_str()), (0, ""));
    let (_, json, _) = on(&monday(), &["plan", "-f", &tree, "-o", "json"]);
    let causes = open_causes(&json);
    assert!(causes.len() <= 15, "{causes:?}");
    // What was planted there is found, although nobody has told what it should be.
    assert!(causes.iter().any(|code| code == "RC0204"), "{causes:?}");
}

#[test]
fn without_a_monitoring_system_there_are_environments_and_roles() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().display().to_string();
    let (code, told, _) = on(&monday(), &["import", "aws", "--out", &tree, "-n", "sre"]);
    assert_eq!(code, 0);
    assert!(!told.contains("Mackerel"), "{told}");
    let written = files(folder.path());
    assert!(
        written.keys().all(|file| !file.starts_with("checks/") && file != "monitoring.yaml"),
        "{written:?}"
    );
    assert_eq!(written.keys().filter(|file| file.starts_with("environments/")).count(), 7);
    assert!(written["environments/jp1.yaml"].contains("namespace: sre"));
    let (_, json, _) = on(&monday(), &["plan", "-f", &tree, "-o", "json"]);
    let causes = open_causes(&json);
    assert_eq!(causes, ["RC0603", "RC0403", "RC0606"]);
}

/// The wishes in a recording are somebody else's: with or without them the tree is the same. And again it is the same.
#[test]
fn only_what_exists_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let mut recording = Recording::from_slice(&fs::read(monday()).unwrap()).unwrap();
    recording.desired = rollcall_engine::fleet::Desired::default();
    let bare = folder.path().join("bare.json");
    fs::write(&bare, recording.to_vec()).unwrap();
    let (_, with, _) = on(&monday(), &["import", "mackerel"]);
    let (_, without, _) = on(&bare, &["import", "mackerel"]);
    assert_eq!(with, without);
}

#[test]
fn no_file_is_written_over_and_none_holds_a_credential() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().display().to_string();
    let import = ["import", "mackerel", "--out", &tree];
    assert_eq!(on(&monday(), &import).0, 0);
    fs::write(folder.path().join("roles/app.yaml"), "mine").unwrap();
    let (code, told, error) = on(&monday(), &import);
    assert_eq!((code, told.as_str()), (2, ""));
    assert!(error.contains("nothing was written") && error.contains("choose a new folder"), "{error}");
    assert_eq!(files(folder.path())["roles/app.yaml"], "mine");
    assert_eq!(on(&monday(), &[&import[..], &["--force"]].concat()).0, 0);
    for (file, content) in files(folder.path()) {
        assert!(content.starts_with("# "), "{file} does not say what it was derived from");
        assert!(!content.contains("aws_secret_access_key") && !content.contains("kind: Secret"), "{file}");
    }
}

#[test]
fn an_import_that_would_say_nothing_says_why() {
    for (arguments, words) in [
        (&["import"][..], "<SOURCE>"),
        (&["import", "zabbix"], "possible values: mackerel, nagios, aws"),
        (&["import", "aws", "--environment-tag", "Umgebung"], "which no host has; there are Env, Name, Role"),
        (&["import", "mackerel", "-n", "cacoo"], "found none; rollcall import aws needs none"),
        (&["import", "aws", "-n", "No Namespace"], "nothing was written, for the API server would refuse it"),
        (&["import", "mackerel", "--share", "0"], "0 is not in 1..=100"),
        (&["import", "mackerel", "--force"], "--out <DIR>"),
    ] {
        let (code, _, error) = on(&monday(), arguments);
        assert!(code == 2 && error.contains(words), "{arguments:?} ended with {code}: {error}");
    }
    assert_eq!(rollcall(&["import", "--help"]).0, 0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.json");
    let mut recording = Recording::from_slice(&fs::read(monday()).unwrap()).unwrap();
    let registry = recording.snapshot.registries.values().next().unwrap().clone();
    recording.snapshot.registries.insert(ObjectKey::new("cacoo", "mackerel"), registry);
    fs::write(&file, recording.to_vec()).unwrap();
    let (code, _, error) = on(&file, &["import", "mackerel"]);
    assert!(
        code == 2 && error.contains("found backlog/mackerel, cacoo/mackerel: choose with --namespace"),
        "{error}"
    );
    for inventory in recording.snapshot.inventories.values_mut() {
        let why = Failure::new(FailureKind::Denied, "403");
        let inventory = Arc::make_mut(inventory);
        inventory.databases = Reading::failed("databases", recording.now, why.clone());
        inventory.instances = Reading::failed("instances", recording.now, why);
    }
    fs::write(&file, recording.to_vec()).unwrap();
    let (code, _, error) = on(&file, &["import", "aws"]);
    assert!(
        code == 2
            && error.contains("found none: EC2 123456789012/ap-northeast-1: could not be read (Denied)"),
        "{error}"
    );
}
