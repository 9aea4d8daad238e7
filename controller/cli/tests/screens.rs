//! What people read, to the letter, on the recording of the first team's Monday morning: `UPDATE=1 cargo test -p rollcall
//! --test screens` writes the golden files again. And how commands end, with what they say when they cannot do their work.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

mod common;

use std::fs;
use std::sync::Arc;

use common::{monday, on, rollcall, settle};
use rollcall_engine::memory::{Change, Happening};
use rollcall_engine::reading::{Failure, FailureKind, Reading};
use rollcall_engine::recording::Recording;
use serde_json::json;
use unicode_width::UnicodeWidthStr;

#[test]
fn screens_are_as_they_were_drawn_and_fit_a_hundred_columns() {
    for (name, arguments, code) in [
        ("plan.txt", &["plan"][..], 1),
        ("plan-all-stg.txt", &["plan", "--all", "-e", "stg"], 1),
        ("ledger.txt", &["ledger"], 1),
        ("ledger-jp1.csv", &["ledger", "-e", "jp1", "-o", "csv"], 1),
        ("changes.txt", &["changes", "--since", "7d"], 0),
        ("explain-host.txt", &["explain", "cacoo-batch-1"], 0),
        ("explain-host-unregistered.txt", &["explain", "host/jp1-app-7"], 0),
        ("explain-check.txt", &["explain", "disk"], 0),
    ] {
        let (ended, text, error) = on(&monday(), arguments);
        assert_eq!((ended, error.as_str()), (code, ""), "{arguments:?}");
        settle(name, &text);
        let widest = text.lines().map(UnicodeWidthStr::width).max().unwrap();
        assert!(widest <= 100 || arguments.contains(&"csv"), "{name}: {widest} columns");
        assert!(!text.contains('\u{1b}'), "{name}: colours in a pipe");
    }
}

#[test]
fn json_holds_the_same_as_the_table() {
    let (_, text, _) = on(&monday(), &["ledger", "-o", "json"]);
    let entries: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let ntp: Vec<_> = entries.iter().filter(|entry| entry["requirement"] == "ntp").collect();
    assert_eq!(ntp.len(), 7);
    assert_eq!(ntp.iter().map(|entry| entry["missing"].as_u64().unwrap()).sum::<u64>(), 183);
    let (_, text, _) = on(&monday(), &["changes", "--since", "7d", "-o", "json"]);
    let changes: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(changes.len(), 6);
}

/// Mackerel cannot be read on that morning: nothing is called missing, and nothing looks fine.
#[test]
fn what_nobody_can_know_is_a_dash() {
    let mut recording = Recording::from_slice(&fs::read(monday()).unwrap()).unwrap();
    let registry = Arc::make_mut(recording.snapshot.registries.values_mut().next().unwrap());
    registry.hosts = Reading::failed(
        "mackerel hosts",
        recording.now,
        Failure::new(FailureKind::Denied, "GET /hosts: found 403"),
    );
    let folder = tempfile::tempdir().unwrap();
    let blind = folder.path().join("blind.json");
    fs::write(&blind, recording.to_vec()).unwrap();
    let (code, table, _) = on(&blind, &["ledger"]);
    assert_eq!(code, 1, "unknown is not clean");
    // Of databases Nagios alone tells, AWS of what is asserted, and monitors of a page that is no host.
    let elsewhere = ["db-", "rds-parameters", "bastion-address", "repositories", "login-page"];
    let is_elsewhere = |line: &&str| elsewhere.iter().any(|name| line.starts_with(name));
    for line in table.lines().skip(1).filter(|line| !is_elsewhere(line)) {
        let cells: Vec<&str> = line.split_whitespace().rev().take(4).collect();
        assert_eq!((cells[0], cells[2]), ("-", "-"), "proof and missing: {line}");
    }
    let (_, host, _) = on(&blind, &["explain", "cacoo-batch-1"]);
    assert!(host.contains("20 unknown") && host.contains("? ntp") && host.contains("found 403"), "{host}");
    assert!(!host.contains('✗'), "{host}");
}

#[test]
fn everything_that_can_happen_has_its_line() {
    let mut recording = Recording::from_slice(&fs::read(monday()).unwrap()).unwrap();
    let now = recording.now;
    let changes = [
        Happening::Joined,
        Happening::Left,
        Happening::ReplacedBy("i-0new".into()),
        Happening::Resized { from: "m5.large".into(), to: "m5.xlarge".into() },
        Happening::RolesChanged { from: [].into(), to: ["app".into(), "linux".into()].into() },
        Happening::BecameWriter { cluster: "shop".into(), from: "db-0old".into() },
    ];
    let memory = recording.memory.environments.values_mut().next().unwrap();
    memory.changes = changes.map(|what| Change { at: now, host: "i-0abc".into(), name: None, what }).into();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("busy.json");
    fs::write(&file, recording.to_vec()).unwrap();
    let (code, text, _) = on(&file, &["changes", "-e", "cacoo", "--since", "1 hour"]);
    assert_eq!(code, 0);
    for words in [
        "+ i-0abc joined",
        "- i-0abc left",
        "~ i-0abc left, replaced by i-0new",
        "* i-0abc resized from m5.large to m5.xlarge",
        "* i-0abc roles none before, app, linux now",
        "* i-0abc took over the writes of cluster shop from db-0old",
        "6 changes: +1 −2",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    let (_, text, _) = on(&monday(), &["changes", "--since", "1h"]);
    assert!(text.starts_with("nothing happened since 2026-11-2"), "{text}");
}

#[test]
fn databases_are_counted_apart_and_one_shows_its_part_in_its_cluster() {
    let recording = fs::read(monday()).unwrap();
    let mut recording = serde_json::to_value(Recording::from_slice(&recording).unwrap()).unwrap();
    let complete = json!({"complete": {"at": recording["now"]}});
    let database = json!({"id": "db-0abc", "name": "jp1-db-9", "engine": "aurora-mysql", "engineVersion": "8.0",
        "class": "db.r6g.large", "status": "available", "tags": {"Env": "jp1"}, "cluster": "shop", "deletionProtection": true});
    let cluster = json!({"id": "cluster-0ABC", "name": "shop", "engine": "aurora-mysql", "engineVersion": "8.0",
        "status": "available", "members": [{"name": "jp1-db-9", "writer": true, "parameters": "in-sync"}], "deletionProtection": true});
    let inventory =
        recording["snapshot"]["inventories"].as_object_mut().unwrap().values_mut().next().unwrap();
    inventory["databases"]["seen"].as_array_mut().unwrap().push(database);
    inventory["clusters"] = json!({"source": "rds clusters", "extent": complete, "seen": [cluster]});
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("databases.json");
    fs::write(&file, recording.to_string()).unwrap();
    let (_, plan, _) = on(&file, &["plan"]);
    let head = plan.lines().next().unwrap();
    assert!(head.contains(" EC2, 8 RDS), ") && head.contains("EC2 ✔   RDS ✔"), "{head}");
    let (_, host, _) = on(&file, &["explain", "jp1-db-9"]);
    assert!(host.starts_with("jp1-db-9 (db-0abc)") && host.contains("shop, writer"), "{host}");

    let denied = json!({"failed": {"since": recording["now"], "why": {"kind": "Denied", "message": "no"}}});
    let inventory =
        recording["snapshot"]["inventories"].as_object_mut().unwrap().values_mut().next().unwrap();
    inventory["databases"] = json!({"source": "rds databases", "extent": denied, "seen": []});
    fs::write(&file, recording.to_string()).unwrap();
    let (_, plan, _) = on(&file, &["plan"]);
    assert!(plan.contains("RDS ✗ 123456789012/ap-northeast-1 Denied"), "{plan}");
}

#[test]
fn commands_that_cannot_do_their_work_end_with_2_and_say_what_would_help() {
    for (arguments, words) in [
        (&["explain", "jp1-app-7"][..], "name a recording: --on RECORDING or --on cluster"),
        (&["explain", "RC0199"], "there is no finding RC0199"),
        (&["changes", "--on", "x", "--since", "yesterday"], "expected a span such as 90m, 24h or 7d"),
        (&["ledger"], "--on <RECORDING|cluster|live>"),
        (&["ledger", "--on", "no-such-file"], "recording no-such-file"),
        (&["ledger", "--on", "README.md"], "recording README.md"),
    ] {
        let (code, _, error) = rollcall(arguments);
        assert!(code == 2 && error.contains(words), "{arguments:?} ended with {code}: {error}");
    }
    for (arguments, words) in [
        (&["explain", "jp1-ap"][..], "there is jp1-app-1, "),
        (&["explain", "check/jp1-app-7"], "there is no host and no required check \"jp1-app-7\""),
        (&["ledger", "-e", "jp9"], "there is no environment jp9; there are cacoo, com1"),
        (&["changes", "-e", "jp9"], "there is no environment jp9"),
    ] {
        let (code, _, error) = on(&monday(), arguments);
        assert!(code == 2 && error.contains(words), "{arguments:?} ended with {code}: {error}");
    }
    assert_eq!(rollcall(&["explain", "rc0102"]).0, 0, "a code needs no recording");
}
