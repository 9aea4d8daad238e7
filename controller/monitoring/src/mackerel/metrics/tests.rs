//! When hosts were last heard, and answers that forgot.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn ids<const N: usize>(names: [&str; N]) -> Vec<RegistrationId> {
    names.map(RegistrationId::new).to_vec()
}

fn before(minutes: i64) -> Timestamp {
    noon() - SignedDuration::from_mins(minutes)
}

fn times<const N: usize>(hosts: [(&str, i64); N]) -> Latest {
    hosts.into_iter().map(|(id, minutes)| (RegistrationId::new(id), before(minutes))).collect()
}

fn joined(parts: Vec<Part>, known: &Latest) -> Reading<Latest> {
    join(parts, known, "metrics".to_owned(), noon())
}

fn down() -> Failure {
    Failure::new(FailureKind::SourceError, "down")
}

#[test]
fn the_newest_of_a_hosts_metrics_counts_and_null_or_absent_is_none() {
    let at = |minutes| before(minutes).as_second();
    let answer = json!({"tsdbLatest": {
        "a": {"loadavg5": {"time": at(5), "value": 0.1}, "custom.ec2.cpu.used": {"time": at(2), "value": 3}},
        "b": {"loadavg5": null},
        "c": {},
        "d": null
    }});
    assert_eq!(parse(answer.to_string().as_bytes()), Ok(times([("a", 2)])));
}

#[test]
fn an_answer_of_another_shape_is_no_answer() {
    for answer in [
        "",
        "<html>",
        "{}",
        "[]",
        r#"{"tsdbLatest":null}"#,
        r#"{"tsdbLatest":[]}"#,
        r#"{"tsdbLatest":{"a":7}}"#,
        r#"{"tsdbLatest":{"a":{"loadavg5":{"value":1}}}}"#,
        r#"{"tsdbLatest":{"a":{"loadavg5":{"time":"now"}}}}"#,
        r#"{"tsdbLatest":{"a":{"loadavg5":{"time":1e40}}}}"#,
        r#"{"error":"x"}"#,
    ] {
        assert!(parse(answer.as_bytes()).is_err(), "{answer}");
    }
}

#[test]
fn a_call_that_failed_is_a_hole_and_what_was_known_stays() {
    let parts = vec![
        Part { asked: ids(["a", "b"]), told: Ok(times([("a", 1)])) },
        Part { asked: ids(["c"]), told: Err(down()) },
    ];
    let reading = joined(parts, &times([("a", 9), ("b", 30), ("c", 3), ("gone", 1)]));
    assert_eq!(reading.seen, times([("a", 1), ("b", 30), ("c", 3)]));
    let Extent::Partial { missing, .. } = reading.extent else { panic!() };
    assert_eq!((missing.len(), missing[0].what.as_str()), (1, "1 of 3 hosts"));
}

#[test]
fn when_every_call_failed_nothing_is_known() {
    let reading = joined(vec![Part { asked: ids(["a"]), told: Err(down()) }], &Latest::new());
    assert!(matches!(reading.extent, Extent::Failed { .. }));
}

#[test]
fn an_answer_without_any_metric_is_not_believed_of_hosts_that_had_some_today() {
    let silent = || vec![Part { asked: ids(["a", "b"]), told: Ok(Latest::new()) }];
    assert!(
        matches!(joined(silent(), &times([("a", 30)])).extent, Extent::Failed { .. }),
        "an answer that lost its content"
    );
    assert!(
        matches!(joined(silent(), &Latest::new()).extent, Extent::Complete { .. }),
        "hosts that never had any"
    );
    let reading = joined(silent(), &times([("a", 25 * 60)]));
    assert!(matches!(reading.extent, Extent::Complete { .. }), "hosts that fell silent long ago");
    assert_eq!(reading.seen, times([("a", 25 * 60)]), "and when they did stays known");
}

proptest! {
    #[test]
    fn a_newest_metric_never_becomes_older(known in prop::option::of(0_i64..3_000), told in prop::option::of(0_i64..3_000), fails: bool) {
        let held: Latest = known.map(|m| ("a".into(), before(m))).into_iter().collect();
        let told: Latest = told.map(|m| ("a".into(), before(m))).into_iter().collect();
        let part = Part { asked: ids(["a", "b"]), told: if fails { Err(down()) } else { Ok(told) } };
        let other = Part { asked: ids(["c"]), told: Ok(Latest::new()) };
        let seen = joined(vec![part, other], &held).seen;
        prop_assert!(seen.get(&RegistrationId::new("a")) >= held.get(&RegistrationId::new("a")));
    }

    #[test]
    fn any_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }
}
