//! Who looks unused: one host with all that was looked at, and a rule tried on the past. On Monday's fleet, whose hosts did
//! what is written here.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use common::{monday, on, rollcall, settle};
use rollcall_crds::v1alpha1::{Exemption, Lean, LeanEnforcement, RetirementState};
use rollcall_engine::activity::{Activity, ActivityMetric, Day, Days, HostActivity, Series, Window};
use rollcall_engine::fleet::Fleet;
use rollcall_engine::ids::{HostId, ObjectKey};
use rollcall_engine::leaving::Departure;
use rollcall_engine::reading::{FailureKind, Reading};
use rollcall_engine::recording::Recording;
use tempfile::TempDir;

fn day(text: &str) -> Day {
    text.parse::<jiff::civil::Date>().unwrap().into()
}

/// jp1-batch-1 has been idle since 13 October; jp1-batch-2 was so until 20 November; jp1-batch-3 is idle as far as it could be
/// read. All others are busy.
fn amount(name: &str, metric: ActivityMetric, on: Day) -> f64 {
    let busy = if metric == ActivityMetric::Cpu { 43.0 } else { 80_000_000.0 };
    let quiet = if metric == ActivityMetric::Cpu { 1.2 } else { 200_000.0 };
    let is_quiet = match name {
        "jp1-batch-1" => on >= day("2026-10-13"),
        "jp1-batch-2" => on < day("2026-11-20"),
        "jp1-batch-3" => true,
        _ => false,
    };
    if is_quiet { quiet } else { busy }
}

fn did(name: &str, window: Window) -> HostActivity {
    let series = |metric| {
        if name == "jp1-batch-3" && metric == ActivityMetric::NetworkOut {
            return Series::NotRead(FailureKind::Throttled);
        }
        let days = window.iter().map(|on| (on, amount(name, metric, on)));
        Series::Days(Days::of(window, days).unwrap())
    };
    let metrics = [ActivityMetric::Cpu, ActivityMetric::NetworkIn, ActivityMetric::NetworkOut];
    HostActivity::from(metrics.map(|metric| (metric, series(metric))).into_iter().collect::<BTreeMap<_, _>>())
}

/// Monday, with an environment that asks who is unused.
fn lean_monday() -> (TempDir, PathBuf) {
    lean_monday_with(LeanEnforcement::Flag)
}

/// The same, with something else that is done about unused hosts.
fn lean_monday_with(enforcement: LeanEnforcement) -> (TempDir, PathBuf) {
    let mut recording = Recording::from_slice(&fs::read(monday()).unwrap()).unwrap();
    let jp1 = |e: &&mut rollcall_crds::v1alpha1::Environment| e.metadata.name.as_deref() == Some("jp1");
    let environment = recording.desired.environments.iter_mut().find(jp1).unwrap();
    environment.spec.lean = Some(Lean { enforcement, roles: None, policy: None });
    let (fleet, problems) = Fleet::parse(&recording.desired);
    assert_eq!(problems, []);
    let window = Window::whole_days(recording.now, 90);
    for (place, inventory) in &recording.snapshot.inventories {
        let names: BTreeMap<&HostId, &str> =
            inventory.instances.seen.iter().filter_map(|i| Some((&i.id, i.name()?))).collect();
        let mut hosts = BTreeMap::new();
        for wanted in fleet.activity_due(inventory, None, None, recording.now) {
            for subject in wanted.subjects {
                let name = names.get(subject.host()).copied().unwrap_or_default();
                hosts.insert(subject.host().clone(), did(name, window));
            }
        }
        if !hosts.is_empty() {
            let hosts = Reading::complete_at(Activity::source(place), recording.now, hosts);
            let activity = Activity { place: place.clone(), window, hosts };
            recording.snapshot.activities.insert(place.clone(), Arc::new(activity));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lean.json.gz");
    fs::write(&file, recording.to_gzip()).unwrap();
    (folder, file)
}

#[test]
fn a_host_is_explained_with_each_signal_and_what_would_change_the_verdict() {
    let (_folder, file) = lean_monday();
    for (host, golden) in [
        ("jp1-batch-1", "explain-host-unused.txt"),
        ("jp1-batch-2", "explain-host-used.txt"),
        ("jp1-batch-3", "explain-host-unread.txt"),
    ] {
        let (code, text, error) = on(&file, &["explain", host]);
        assert_eq!((code, error.as_str()), (0, ""));
        settle(golden, &text);
    }
    let (_, plan, _) = on(&file, &["plan"]);
    assert!(plan.contains("jp1-batch-1 looks unused: idle since 2026-10-13"), "{plan}");
    assert!(!plan.contains("jp1-batch-3 looks unused"), "{plan}");
}

#[test]
fn what_keeps_an_owner_from_being_told_is_named_by_its_guard() {
    let (_folder, file) = lean_monday_with(LeanEnforcement::Notify);
    let (code, text, error) = on(&file, &["explain", "jp1-batch-1"]);
    assert_eq!((code, error.as_str()), (0, ""));
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("its owner is not told: "), "{text}");
    assert!(words.contains("a duty says Never, or none says Allowed (Allowed)"), "{text}");
    assert!(words.contains("(Protected: NotYetRead)"), "{text}");
    let (_, busy, _) = on(&file, &["explain", "jp1-batch-2"]);
    assert!(!busy.contains("its owner"), "{busy}");
}

#[test]
fn what_a_stop_would_wait_for_is_told_where_one_is_asked_for() {
    let (_folder, file) = lean_monday_with(LeanEnforcement::Retire);
    let (code, text, error) = on(&file, &["explain", "jp1-batch-1"]);
    assert_eq!((code, error.as_str()), (0, ""));
    let told = text.lines().skip_while(|line| !line.starts_with("  is not stopped"));
    let told: Vec<&str> = told.take_while(|line| !line.is_empty()).collect();
    settle("explain-host-not-stopped.txt", &(told.join("\n") + "\n"));
    let (_, busy, _) = on(&file, &["explain", "jp1-batch-2"]);
    assert!(!busy.contains("is not stopped"), "{busy}");
}

#[test]
fn a_rule_is_tried_on_the_past() {
    let (folder, file) = lean_monday();
    let (code, text, error) = on(&file, &["backtest"]);
    assert_eq!((code, error.as_str()), (1, ""), "it would have been wrong about jp1-batch-2");
    settle("backtest.txt", &text);

    let rule = folder.path().join("short.yaml");
    let policy = "apiVersion: rollcall.dev/v1alpha1\nkind: RetirementPolicy\nmetadata: {name: short, namespace: backlog}\n";
    fs::write(&rule, format!("{policy}spec: {{idle: {{windowDays: 14}}}}\n")).unwrap();
    let rule_file = rule.display().to_string();
    let (code, json, _) = on(&file, &["backtest", "--rule", &rule_file, "-o", "json"]);
    assert_eq!(code, 1);
    let tried: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(tried["flagged"].as_array().unwrap().len(), 2, "{json}");
    assert_eq!(tried["flagged"][1]["name"], "jp1-batch-1");
    assert_eq!(tried["flagged"][1]["on"], "2026-10-26", "fourteen days from 13 October");

    fs::write(&rule, format!("{policy}spec: {{idle: {{windowDays: 3}}}}\n")).unwrap();
    let (code, _, error) = on(&file, &["backtest", "--rule", &rule_file]);
    assert!(code == 2 && error.contains("spec.idle.windowDays"), "{error}");
    let (code, _, error) = on(&monday(), &["backtest"]);
    assert!(code == 2 && error.contains("spec.lean"), "{error}");
    let (code, _, error) = rollcall(&["backtest"]);
    assert!(code == 2 && error.contains("--on"), "{error}");
}

/// What an earlier recording would have pointed at is held against what a later one saw.
#[test]
fn a_host_that_was_pointed_at_and_is_busy_in_the_next_recording_shows_the_rule_wrong() {
    let (folder, file) = lean_monday();
    let mut recording = Recording::from_slice(&fs::read(&file).unwrap()).unwrap();
    // Three weeks later. A rule of fourteen days would have pointed at jp1-batch-1, which now works every day that is read.
    recording.now += jiff::SignedDuration::from_hours(24 * 21);
    let window = Window::whole_days(recording.now, 20);
    for activity in recording.snapshot.activities.values_mut() {
        let place = activity.place.clone();
        let hosts = activity.hosts.seen.keys().map(|id| (id.clone(), did("busy", window))).collect();
        let hosts = Reading::complete_at(Activity::source(&place), recording.now, hosts);
        *activity = Arc::new(Activity { place, window, hosts });
    }
    let later = folder.path().join("later.json.gz");
    fs::write(&later, recording.to_gzip()).unwrap();
    let [file, later] = [file, later].map(|path| path.display().to_string());
    for order in [[&file, &later], [&later, &file]] {
        let (code, json, error) = rollcall(&["backtest", "-o", "json", "--on", order[0], "--on", order[1]]);
        assert_eq!((code, error.as_str()), (1, ""));
        let tried: serde_json::Value = serde_json::from_str(&json).unwrap();
        let batch_1 = tried["flagged"].as_array().unwrap().iter().find(|line| line["name"] == "jp1-batch-1");
        assert_eq!(batch_1.unwrap()["busyLater"]["day"], window.first().to_string(), "{json}");
    }
}

#[test]
fn a_recording_tells_how_retirements_stood_and_one_without_says_nothing_of_them() {
    let (_folder, file) = lean_monday();
    let without = on(&file, &["plan"]).1;
    assert!(!without.contains("retirement"), "{without}");
    assert!(!on(&file, &["explain", "jp1-batch-1"]).1.contains("retirement  "));
    let mut recording = Recording::from_slice(&fs::read(&file).unwrap()).unwrap();
    let id = |name: &str| {
        let hosts = recording.snapshot.inventories.values().flat_map(|one| &one.instances.seen);
        hosts.filter(|host| host.name() == Some(name)).map(|host| host.id.clone()).next().unwrap()
    };
    let standing = |name: &str, due: &str, message: &str| Departure {
        key: ObjectKey::new("backlog", format!("{}-1", id(name))),
        host: id(name),
        name: Some(name.to_owned()),
        environment: ObjectKey::new("backlog", "jp1"),
        state: RetirementState::Waiting,
        since: Some("2026-11-20T01:00:00Z".parse().unwrap()),
        due: Some(due.parse().unwrap()),
        needs_approval: true,
        reason: None,
        message: Some(message.to_owned()),
    };
    let departures = vec![
        standing("jp1-batch-1", "2026-12-04T09:12:00Z", "its owner decides until 2026-12-04 18:12"),
        standing("jp1-batch-2", "2026-11-21T09:12:00Z", "1 approval is needed"),
    ];
    recording.departures = Some(departures);
    fs::write(&file, recording.to_gzip()).unwrap();
    let (_, plan, _) = on(&file, &["plan"]);
    let told =
        " 1 retirement awaiting approval. 1 retirement under way. Rollcall itself will change nothing.";
    assert!(plan.trim_end().ends_with(told), "{plan}");
    assert!(!on(&file, &["plan", "-e", "stg"]).1.contains("retirement"), "of another environment");
    let (_, host, _) = on(&file, &["explain", "jp1-batch-1"]);
    let words = host.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = "-1 Waiting since 2026-11-20 01:00 UTC, due 2026-12-04 09:12 UTC: its owner decides until 2026-12-04 18:12";
    assert!(words.contains(told), "{host}");
    let (_, week, _) = on(&file, &["digest"]);
    assert!(week.contains("jp1-batch-1 idle 41 d, by Fri 2026-12-04"), "{week}");
}

#[test]
fn the_week_is_told_in_a_few_lines_and_what_nobody_can_know_is_a_dash() {
    let (_folder, file) = lean_monday();
    // Where a command reads from is the caller's matter.
    let plain = |text: &str| text.replace(&file.display().to_string(), "fleet.json.gz");
    for (language, golden) in [("en", "digest.en.txt"), ("ja", "digest.ja.txt")] {
        let (code, text, error) = on(&file, &["digest", "--language", language]);
        assert_eq!((code, error.as_str()), (0, ""));
        settle(golden, &plain(&text));
    }
    let (_, json, _) = on(&file, &["digest", "-e", "jp1", "-o", "json"]);
    let digest: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(digest["scope"], "jp1");
    assert_eq!(digest["unused"]["isAll"], false, "jp1-batch-3 could not be read: {json}");
    assert_eq!(digest["unused"]["known"].as_array().unwrap().len(), 1, "{json}");
    let (_, json, _) = on(&file, &["digest", "-e", "stg", "-o", "json"]);
    let digest: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(digest["unused"], serde_json::json!({"known": [], "isAll": false}), "nobody asks there");
    let (code, _, error) = on(&file, &["digest", "-e", "jp9"]);
    assert!(code == 2 && error.contains("there is no environment jp9; there are"), "{error}");
}

/// The owner says no: what is printed keeps the host once it is applied, and saying it again changes the same object.
#[test]
fn an_owner_keeps_a_host_until_a_day() {
    let (folder, file) = lean_monday();
    let why = ["--reason", "The yearly closing runs here.", "--approver", "k.tanaka"];
    let keep = |file: &PathBuf, arguments: &[&str]| on(file, &[&["keep"], arguments, &why].concat());
    let (code, yaml, told) = keep(&file, &["jp1-batch-1", "--until", "2027-03-31"]);
    assert_eq!(code, 0, "{told}");
    settle("keep.yaml", &yaml);
    assert!(told.contains("keeps jp1-batch-1 (i-") && told.contains("until 2027-03-31"), "{told}");

    let kept = |yaml: &str, from: &PathBuf, name: &str| {
        let mut recording = Recording::from_slice(&fs::read(from).unwrap()).unwrap();
        let exemption: Exemption = serde_saphyr::from_str(yaml.trim_start_matches("---")).unwrap();
        recording.desired.exemptions.retain(|one| one.metadata.name != exemption.metadata.name);
        recording.desired.exemptions.push(exemption);
        let file = folder.path().join(name);
        fs::write(&file, recording.to_gzip()).unwrap();
        (recording.desired.exemptions.len(), file)
    };
    let (before, once) = kept(&yaml, &file, "once.json.gz");
    let (_, plan, _) = on(&once, &["plan"]);
    assert!(!plan.contains("jp1-batch-1 looks unused"), "{plan}");
    let (_, digest, _) = on(&once, &["digest"]);
    assert!(!digest.contains("jp1-batch-1"), "{digest}");

    let (_, yaml, told) = keep(&once, &["jp1-batch-1", "--until", "2027-10-31"]);
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("until 2027-10-31, before until 2027-03-31"), "{told}");
    assert_eq!(kept(&yaml, &once, "twice.json.gz").0, before, "renewed, not added");

    // A busy host is kept beforehand, and that is said.
    let (code, yaml, told) = keep(&file, &["jp1-batch-2", "--until", "2026-12-31"]);
    assert!(
        code == 0 && yaml.contains("RC0401") && told.contains("Nothing says now that it is unused"),
        "{told}"
    );
}

#[test]
fn a_keep_that_cannot_be_meant_is_refused() {
    let (folder, file) = lean_monday();
    for (arguments, says) in [
        (
            &["jp1-batch", "--until", "2027-03-31", "--reason", "r", "--approver", "a"][..],
            "there is jp1-batch-1, jp1-",
        ),
        (
            &["jp1-batch-1", "--until", "2026-11-22", "--reason", "r", "--approver", "a"],
            "expected a day from 2026-11-23",
        ),
        (&["jp1-batch-1", "--until", "2072-03-31", "--reason", "r", "--approver", "a"], "found 2072-03-31"),
        (
            &["jp1-batch-1", "--until", "2027-03-31", "--reason", "WHY", "--approver", "a"],
            "the placeholder WHY",
        ),
        (
            &["jp1-batch-1", "--until", "2027-03-31", "--reason", "r", "--approver", "WHO"],
            "the placeholder WHO",
        ),
        (
            &["jp1-batch-1", "--until", "2027-03-31", "--reason", "", "--approver", "a"],
            "a reason of 1 to 1024",
        ),
        (&["jp1-batch-1", "--until", "DATE", "--reason", "r", "--approver", "a"], "DATE"),
        (&["jp1-batch-1", "--reason", "r", "--approver", "a"], "--until"),
    ] {
        let (code, out, error) = on(&file, &[&["keep"], arguments].concat());
        assert!(code == 2 && out.is_empty() && error.contains(says), "{arguments:?}: {out}{error}");
    }

    // Into a tree, and over nothing.
    let tree = folder.path().join("tree");
    let arguments =
        ["keep", "jp1-batch-1", "--until", "2027-03-31", "--reason", "r", "--approver", "a", "--out"];
    let arguments = [&arguments[..], &[tree.to_str().unwrap()]].concat();
    let (code, told, error) = on(&file, &arguments);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(told.contains("commit it"), "{told}");
    assert!(tree.join("backlog/keep-jp1-batch-1.yaml").is_file());
    let (code, _, error) = on(&file, &arguments);
    assert!(code == 2 && error.contains("keep-jp1-batch-1.yaml") && error.contains("--force"), "{error}");
    assert_eq!(on(&file, &[&arguments[..], &["--force"]].concat()).0, 0);
}
