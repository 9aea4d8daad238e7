//! `rollcall record` on a recording that exists, and what commands say that cannot reach what they are asked for. What comes from a
//! cluster is told by the end-to-end tests.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use common::{monday, on, rollcall, settle};
use rollcall_engine::reading::{Extent, Failure, FailureKind, Gap};
use rollcall_engine::recording::{Cut, Recording};
use unicode_width::UnicodeWidthStr;

fn read(file: &std::path::Path) -> Recording {
    Recording::from_slice(&fs::read(file).unwrap()).unwrap()
}

#[test]
fn what_is_written_is_what_was_read_packed_as_its_name_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, is_gzip) in [("a.json", false), ("b.json.gz", true)] {
        let file = path(name).display().to_string();
        let (code, told, error) = on(&monday(), &["record", "-o", &file]);
        assert_eq!((code, error.as_str()), (0, ""));
        assert!(told.starts_with(&file), "{told}");
        assert_eq!(fs::read(path(name)).unwrap().starts_with(&[0x1f, 0x8b]), is_gzip);
        assert_eq!(read(&path(name)), read(&monday()));
    }
    let file = path("a.json").display().to_string();
    let (code, told, error) = on(&monday(), &["record", "-o", &file]);
    assert!(
        code == 2 && told.is_empty() && error.contains("this exists: ") && error.contains("--force"),
        "{error}"
    );
    assert_eq!(on(&monday(), &["record", "--force", "-o", &file]).0, 0);
    // With the custom resources of files, as they would be judged.
    let (code, json, _) = on(&monday(), &["record", "-f", "crds/examples/backlog/accounts.yaml", "-o", "-"]);
    let recording = Recording::from_slice(json.as_bytes()).unwrap();
    assert_eq!((code, recording.desired.accounts.len(), recording.desired.environments.len()), (0, 2, 0));
}

/// On standard output stands the recording alone; what is told about it stands beside.
#[test]
fn what_is_in_it_what_is_not_and_how_old_it_is() {
    let (code, json, told) = on(&monday(), &["record", "-o", "-"]);
    assert_eq!(code, 0);
    let mut recording = Recording::from_slice(json.as_bytes()).unwrap();
    settle("record.txt", &told);

    // Cut to one team, with a source that came in part and one that refused.
    recording.cut_to = Some(Cut { namespaces: BTreeSet::from(["backlog".to_owned()]), accounts: false });
    let inventory = Arc::make_mut(recording.snapshot.inventories.values_mut().next().unwrap());
    let why = Failure::new(
        FailureKind::Denied,
        "ec2:DescribeVolumes: found 403, 役割 may not; allow it to the role",
    );
    inventory.volumes.extent = Extent::Failed { since: recording.now, why: why.clone() };
    let gap = Gap { what: "page 3 and later".to_owned(), why };
    inventory.instances.extent = Extent::Partial { at: recording.now, missing: vec![gap] };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cut.json");
    fs::write(&file, recording.to_vec()).unwrap();
    let (_, _, told) = on(&file, &["record", "-o", "-"]);
    settle("record-cut.txt", &told);
    let widest = told.lines().map(UnicodeWidthStr::width).max().unwrap();
    assert!(widest <= 100, "{widest} columns");
    assert!(!told.contains('\u{1b}'), "colours in a pipe");
}

#[test]
fn what_would_be_ignored_is_refused() {
    for (arguments, words) in [
        (&["plan", "--on", "x.json", "--context", "prod"][..], "--context: expected --on cluster beside it"),
        (
            &["plan", "--on", "x.json", "--operator-namespace", "a"],
            "--operator-namespace: expected --on cluster or --on live",
        ),
        (&["plan", "--on", "cluster", "--secrets", "s"], "--secrets: expected --on live beside it"),
        (
            &["plan", "--on", "live", "-f", "crds", "--token-file", "t"],
            "--token-file: expected --on cluster beside it",
        ),
        (
            &["plan", "--on", "cluster", "--operator-address", "10.0.0.1:8081"],
            "expected an address of this machine",
        ),
        (
            &["plan", "--on", "cluster", "--service-account", "recorder"],
            "expected NAMESPACE/NAME, such as backlog/recorder",
        ),
        (
            &["plan", "--on", "cluster", "--service-account", "a/b", "--token-file", "t"],
            "cannot be used with",
        ),
        (
            &["plan", "--on", "live"],
            "--on live: expected custom resources, which say what there is to read, found none",
        ),
        (
            &["changes", "--on", "live", "-f", "crds"],
            "which remembers nothing; the operator does: --on cluster",
        ),
        (&["import", "aws", "--on", "live"], "rollcall record --on live -f PATH -o FILE"),
        (&["record"], "--output <FILE>"),
    ] {
        let (code, text, error) = rollcall(arguments);
        assert!(
            code == 2 && text.is_empty() && error.contains(words),
            "{arguments:?} ended with {code}: {error}"
        );
    }
}

#[test]
fn a_build_without_clusters_says_so_and_what_helps() {
    let tree = "crds/examples/backlog";
    let (cluster, live) = if cfg!(feature = "operator") {
        ("--on cluster: expected a kubeconfig (KUBECONFIG, ~/.kube/config), or to be in a pod", None)
    } else {
        let next = "cargo build --release -p rollcall";
        (
            "--on cluster: expected a rollcall that can reach clusters, found one that was built without",
            Some(next),
        )
    };
    let (code, _, error) = rollcall(&["plan", "--on", "cluster"]);
    assert!(code == 2 && error.contains(cluster), "{error}");
    let Some(next) = live else { return };
    let (code, _, error) = rollcall(&["plan", "--on", "live", "-f", tree]);
    assert!(
        code == 2 && error.contains("can reach AWS and monitoring systems") && error.contains(next),
        "{error}"
    );
}
