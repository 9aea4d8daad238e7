//! A recording is a promise: what was written once can be read for ever, says the same, and refuses what it cannot understand by
//! naming it.

use std::path::Path;

use rollcall_engine::fleet::Fleet;
use rollcall_engine::memory::Memory;
use rollcall_engine::recording::{FORMAT, Recording, RecordingError};
use rollcall_engine::rollcall::roll_call;

use crate::world::*;

/// A small fleet with one of most things: a lack, a stranger, a ghost to be, an exemption.
fn moment() -> Recording {
    let mut world = World::with_hosts(&["jp1-app-1", "jp1-app-2", "jp1-batch-1", "jp1-batch-2"]);
    world.apply(
        r#"
apiVersion: rollcall.dev/v1alpha1
kind: Exemption
metadata: {name: batch-ntp, namespace: backlog}
spec: {type: Accepted, match: {code: RC0102, check: ntp, role: batch}, reason: "no clock needed", approver: sre, expires: "2027-03-31"}
"#,
    );
    world.pass();
    world.minutes(10);
    world.machine("jp1-batch-2").state = rollcall_engine::inventory::PowerState::Terminated;
    world.agent("jp1-batch-1").checks = Some(Vec::new());
    world.agents.remove("jp1-app-2");
    world.stranger("office-1", None);
    world.pass();
    world.hours(30);
    Recording {
        rollcall_recording: FORMAT,
        now: world.now,
        desired: world.desired.clone(),
        snapshot: world.snapshot(),
        memory: world.memory.clone(),
        departures: None,
        cut_to: None,
    }
}

/// What its roll call says.
fn said(recording: &Recording) -> Vec<String> {
    let (fleet, problems) = Fleet::parse(&recording.desired);
    assert_eq!(problems, []);
    causes(&roll_call(&fleet, &recording.snapshot, &recording.memory, recording.now).0)
}

#[test]
fn a_recording_of_format_1_is_read_for_ever_and_says_what_it_said() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories/recordings/format-1.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, moment().to_vec()).unwrap();
    }
    let recording = Recording::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(
        said(&recording),
        [
            "RC0101 1 jp1-app-2 not in Mackerel",
            "RC0201 1 1 ghost in Mackerel: jp1-batch-2",
            "RC0202 1 1 registration of no host we know: 1 unknown",
            "RC0102 0 [1] \"check-ntp\" on 1 of 3 linux hosts",
        ]
    );
}

#[test]
fn what_is_written_is_read_back_plain_or_gzipped() {
    let recording = moment();
    assert_eq!(Recording::from_slice(&recording.to_vec()).unwrap(), recording);
    let gzip = recording.to_gzip();
    assert_eq!(Recording::from_slice(&gzip).unwrap(), recording);
    assert!(gzip.len() * 4 < recording.to_vec().len());
    assert_eq!(said(&Recording::from_slice(&gzip).unwrap()), said(&recording));
}

#[test]
fn a_newer_format_is_refused_before_anything_else_of_it_is_looked_at() {
    let newer = br#"{"rollcallRecording": 7, "now": {"era": "Reiwa"}, "hosts": []}"#;
    let error = Recording::from_slice(newer).unwrap_err();
    assert!(matches!(error, RecordingError::Newer { found: 7 }));
    assert_eq!(
        error.to_string(),
        "recording: field rollcallRecording: this Rollcall reads format 1 and older, the file has format 7; use the Rollcall that wrote it, or a newer one"
    );
}

#[test]
fn errors_say_where() {
    let text = |bytes: &[u8]| Recording::from_slice(bytes).unwrap_err().to_string();
    assert!(text(b"{}").contains("field rollcallRecording: expected the format version 1, found none"));
    assert!(text(b"not json").contains("line 1 column"));
    assert!(text(br#"{"rollcallRecording": 1, "now": "yesterday"}"#).contains("line 1 column"));
    let mut cut = moment().to_gzip();
    cut.truncate(cut.len() / 2);
    assert!(text(&cut).starts_with("recording: gzip:"));
}

#[test]
fn an_empty_memory_is_where_everybody_begins() {
    assert_eq!(serde_json::to_string(&Memory::default()).unwrap(), "{}");
    assert_eq!(serde_json::from_str::<Memory>("{}").unwrap(), Memory::default());
}
