//! Stories of answers as data: what is read of each metric, and that nothing else ever becomes a day without data.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rollcall_engine::activity::{ActivityMetric, Subject, Wanted};
use rollcall_engine::inventory::{Database, Instance};
use rollcall_engine::reading::Gap;
use serde_json::json;

use super::*;
use crate::activity::batches;
use crate::settings::Limits;

fn now() -> jiff::Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

/// 27 and 28 February, 1 March.
fn window() -> Window {
    Window::whole_days(now(), 3)
}

fn fleet() -> [Subject; 3] {
    ["i-0", "i-1", "i-2"].map(|id| {
        let of = json!({
            "id": id, "state": "running", "tags": {}, "launchTime": "2026-01-01T00:00:00Z", "instanceType": "t3.small",
        });
        Subject::of_instance(&serde_json::from_value::<Instance>(of).unwrap())
    })
}

fn part(query: usize, status: Status, points: &[(i32, f64)]) -> Part {
    let points = points.iter().map(|(n, value)| (window().first().plus(*n), *value)).collect();
    Part { query: Some(query), status, points: Some(points) }
}

fn whole(query: usize) -> Part {
    part(query, Status::Complete, &[(0, 1.0), (1, 2.0), (2, 3.0)])
}

fn answers(extent: Extent, parts: impl IntoIterator<Item = Option<Part>>) -> Reading<Vec<Told>> {
    let told = |(n, part)| Told { key: format!("1/{n}"), part };
    let seen = parts.into_iter().enumerate().map(told).collect();
    Reading { source: "cloudwatch activity 1/eu-west-1".to_owned(), extent, seen, request_ids: Vec::new() }
}

fn all() -> Extent {
    Extent::Complete { at: now() }
}

/// What is told of the processors of three hosts.
fn judged(answers: &Reading<Vec<Told>>) -> Vec<Result<String, Missing>> {
    let (subjects, metrics) = (fleet(), BTreeSet::from([ActivityMetric::Cpu]));
    let wanted = [Wanted { subjects: subjects.to_vec(), metrics: metrics.clone() }];
    let batches = batches(&wanted, window(), &Limits::default());
    judge(&batches[0], window(), answers).into_iter().map(|told| told.map(|days| days.to_string())).collect()
}

fn read() -> String {
    "2026-02-27 1 2 3".to_owned()
}

fn none(why: Missing) -> [Result<String, Missing>; 3] {
    [(); 3].map(|()| Err(why))
}

#[test]
fn results_are_matched_by_their_ids_and_a_day_without_a_value_has_no_data() {
    let parts = [whole(2), part(0, Status::Complete, &[(2, 0.0), (0, 7.0)]), part(1, Status::Complete, &[])];
    let told = judged(&answers(all(), parts.map(Some)));
    assert_eq!(told, [Ok("2026-02-27 7 - 0".to_owned()), Ok(String::new()), Ok(read())]);
}

#[test]
fn a_metric_may_come_in_many_pages() {
    let parts = [
        part(0, Status::Partial, &[(1, 2.0)]),
        whole(1),
        part(0, Status::Partial, &[]),
        part(2, Status::Partial, &[(0, 1.0), (1, 2.0)]),
        part(0, Status::Complete, &[(0, 1.0), (2, 3.0)]),
        part(2, Status::Complete, &[(2, 3.0)]),
    ];
    assert_eq!(judged(&answers(all(), parts.map(Some))), [Ok(read()), Ok(read()), Ok(read())]);
}

#[test]
fn what_cannot_be_believed_of_one_metric_costs_that_metric_alone() {
    let bad = |part: Part| Some(part);
    let twice = [part(0, Status::Partial, &[(0, 1.0)]), part(0, Status::Complete, &[(0, 1.0)])];
    let stories: Vec<(Vec<Option<Part>>, Missing)> = vec![
        (vec![], Missing::LeftOut),
        (vec![bad(part(0, Status::Partial, &[(0, 1.0)]))], Missing::Unfinished),
        (vec![bad(part(0, Status::Internal, &[]))], Missing::Internal),
        (vec![bad(part(0, Status::Internal, &[])), bad(whole(0))], Missing::Internal),
        (vec![bad(part(0, Status::Forbidden, &[]))], Missing::Forbidden),
        (vec![bad(part(0, Status::Remark, &[(0, 1.0)]))], Missing::Remark),
        (vec![bad(part(0, Status::Unknown, &[(0, 1.0)]))], Missing::Status),
        (vec![bad(whole(0)), bad(whole(0))], Missing::Again),
        (vec![bad(whole(0)), bad(part(0, Status::Complete, &[]))], Missing::Again),
        (vec![bad(Part { points: None, ..whole(0) })], Missing::Unaligned),
        (vec![bad(part(0, Status::Complete, &[(0, f64::NAN)]))], Missing::Point(BadPoint::NoAmount)),
        (vec![bad(part(0, Status::Complete, &[(0, -1.0)]))], Missing::Point(BadPoint::NoAmount)),
        (vec![bad(part(0, Status::Complete, &[(3, 1.0)]))], Missing::Point(BadPoint::Outside)),
        (vec![bad(part(0, Status::Complete, &[(-1, 1.0)]))], Missing::Point(BadPoint::Outside)),
        (twice.map(Some).into(), Missing::Point(BadPoint::Twice)),
    ];
    for (parts, expected) in stories {
        let told = judged(&answers(all(), parts.into_iter().chain([whole(1), whole(2)].map(Some))));
        assert_eq!(told, [Err(expected), Ok(read()), Ok(read())]);
    }
}

#[test]
fn an_answer_with_a_stranger_or_a_remark_is_worth_nothing() {
    let three = || [whole(0), whole(1), whole(2)].map(Some).into_iter();
    let stranger = Part { query: None, ..whole(0) };
    assert_eq!(judged(&answers(all(), three().chain([Some(stranger)]))), none(Missing::Strange));
    assert_eq!(judged(&answers(all(), three().chain([None]))), none(Missing::Remark));
}

#[test]
fn pages_that_did_not_come_leave_what_was_whole() {
    let why = Failure::new(FailureKind::Throttled, "slow down");
    let missing = vec![Gap { what: "page 2 and later".to_owned(), why: why.clone() }];
    let parts = [whole(0), part(1, Status::Partial, &[(0, 1.0)])].map(Some);
    let partial = answers(Extent::Partial { at: now(), missing }, parts);
    let told = judged(&partial);
    assert_eq!(told, [Ok(read()), Err(Missing::Unanswered), Err(Missing::Unanswered)]);
    assert_eq!(Missing::Unanswered.failure(&partial), why);

    let failed = answers(Extent::Failed { since: now(), why: why.clone() }, []);
    assert_eq!(judged(&failed), none(Missing::Unanswered));
    assert_eq!(Missing::Unanswered.failure(&failed), why);
}

#[test]
fn each_reason_has_words_a_kind_and_a_next_step() {
    let answers = answers(all(), []);
    for (missing, kind) in [
        (Missing::LeftOut, FailureKind::Malformed),
        (Missing::Unfinished, FailureKind::SourceError),
        (Missing::Internal, FailureKind::SourceError),
        (Missing::Forbidden, FailureKind::Denied),
        (Missing::Remark, FailureKind::SourceError),
        (Missing::Strange, FailureKind::Malformed),
        (Missing::Point(BadPoint::Twice), FailureKind::Malformed),
    ] {
        let why = missing.failure(&answers);
        assert_eq!(why.kind, kind, "{}", why.message);
        assert!(
            why.message.starts_with("cloudwatch activity 1/eu-west-1: ") && why.message.contains("Next step")
        );
    }
}

#[test]
fn a_database_s_rates_are_amounts_and_days_before_it_are_not_its_own() {
    let shop = json!({
        "id": "db-1", "name": "shop", "engine": "mysql", "engineVersion": "8.0", "class": "db.r6g.large",
        "status": "available", "deletionProtection": false, "created": "2026-02-27T09:00:00Z",
    });
    let subjects = [Subject::of_database(&serde_json::from_value::<Database>(shop).unwrap()).unwrap()];
    let metrics = BTreeSet::from([ActivityMetric::ReadOps, ActivityMetric::Connections]);
    let wanted = [Wanted { subjects: subjects.to_vec(), metrics: metrics.clone() }];
    let batches = batches(&wanted, window(), &Limits::default());
    let told = judge(&batches[0], window(), &answers(all(), [whole(0), whole(1)].map(Some)));
    let told: Vec<String> = told.into_iter().map(|days| days.unwrap().to_string()).collect();
    assert_eq!(told, ["2026-02-28 120 180", "2026-02-28 2 3"], "sixty reads for each per second of a minute");
}

proptest! {
    /// Whatever AWS tells: a day that is told as without data was in no part of a metric that is whole, and a value was.
    #[test]
    fn nothing_is_made_up(
        parts in prop::collection::vec((0..4usize, 0..4usize, prop::collection::vec((-1..4i32, -1.0..9.0f64), 0..4)), 0..8),
        whole_listing in any::<bool>(),
    ) {
        let statuses = [Status::Complete, Status::Partial, Status::Internal, Status::Forbidden];
        let parts: Vec<Part> = parts.iter().map(|(query, status, points)| part(*query, statuses[*status], points)).collect();
        let why = Failure::new(FailureKind::Unreachable, "lost");
        let gap = Gap { what: "page 2 and later".to_owned(), why };
        let extent = if whole_listing { all() } else { Extent::Partial { at: now(), missing: vec![gap] } };
        let (subjects, metrics) = (fleet(), BTreeSet::from([ActivityMetric::Cpu]));
        let wanted = [Wanted { subjects: subjects.to_vec(), metrics: metrics.clone() }];
        let batches = batches(&wanted, window(), &Limits::default());
        let told = judge(&batches[0], window(), &answers(extent, parts.iter().cloned().map(Some)));
        for (query, told) in told.into_iter().enumerate() {
            let Ok(days) = told else { continue };
            let own = parts.iter().filter(|part| part.query == Some(query));
            let last = own.clone().next_back();
            prop_assert_eq!(last.map(|part| part.status), Some(Status::Complete));
            let points: Vec<(Day, f64)> = own.flat_map(|part| part.points.clone().unwrap()).collect();
            prop_assert_eq!(days.iter().count(), points.len(), "every point counts, and none twice");
            for (day, value) in points {
                prop_assert!(days.value(day).is_some_and(|told| (f64::from(told) - value).abs() < 1e-6));
            }
        }
    }
}
