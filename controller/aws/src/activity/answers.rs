//! What the answers to one batch are worth: for each question the days, or why there are none. No I/O.
//!
//! A metric counts as read only when AWS said `Complete` of it, once, with values that can be. Answers are matched by their
//! ids, never by their order.

use rollcall_engine::activity::{BadPoint, Day, Days, Window};
use rollcall_engine::reading::{Extent, Failure, FailureKind, Reading};

use super::{Batch, Query};
use crate::listing::Listed;
use crate::map;

/// One thing that an answer holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    /// Its place among the pages: one metric may be told in many pages, so its own name is no id of a part.
    pub(crate) key: String,
    /// What it is; none for a remark of AWS's about the whole answer, after which nothing in it counts.
    pub(crate) part: Option<Part>,
}

impl Listed for Told {
    fn id(&self) -> &str {
        &self.key
    }
}

/// Some of one metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    /// Its question's index; none when it answers no question of ours.
    pub(crate) query: Option<usize>,
    /// What AWS says of it.
    pub(crate) status: Status,
    /// Its points; none when they are not one value for one midnight each.
    pub(crate) points: Option<Vec<(Day, f64)>>,
}

/// AWS's word on a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// With it the metric is whole.
    Complete,
    /// More is to come.
    Partial,
    /// AWS failed.
    Internal,
    /// AWS refused.
    Forbidden,
    /// AWS remarked something about it.
    Remark,
    /// A word that we do not know, or none.
    Unknown,
}

/// Why a metric was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The pages ended too early.
    Unanswered,
    /// All pages came and it was in none.
    LeftOut,
    /// All pages came and it was not whole.
    Unfinished,
    /// AWS failed on it.
    Internal,
    /// AWS refused it.
    Forbidden,
    /// AWS remarked something.
    Remark,
    /// Something in the answer answers no question of ours.
    Strange,
    /// It was told again after it was whole.
    Again,
    /// Its status is a word that we do not know.
    Status,
    /// A point is not of a midnight, or lacks its value.
    Unaligned,
    /// A point cannot be.
    Point(BadPoint),
}

/// For each question of the batch, in order: its days, or why they were not read.
pub(crate) fn judge(
    batch: &Batch<'_>,
    window: Window,
    answers: &Reading<Vec<Told>>,
) -> Vec<Result<Days, Missing>> {
    let mut states: Vec<State> = batch.queries().iter().map(|_| State::Open(Vec::new(), false)).collect();
    let mut spoilt = None;
    for told in &answers.seen {
        match &told.part {
            None => spoilt = Some(Missing::Remark),
            Some(part) => match part.query.and_then(|index| states.get_mut(index)) {
                Some(state) => state.take(part),
                None => spoilt = Some(Missing::Strange),
            },
        }
    }
    let is_whole = matches!(answers.extent, Extent::Complete { .. });
    let outcome = |(state, query): (State, &Query<'_>)| {
        let points = spoilt.map_or_else(|| state.end(is_whole), Err)?;
        let scale = map::metric(query.subject, query.metric).scale;
        let scaled = points.into_iter().map(|(day, value)| (day, value * scale));
        let days = Days::of(window, scaled).map_err(Missing::Point)?;
        let own = days.iter().filter(|(day, _)| query.subject.owns(*day));
        Days::of(window, own.map(|(day, value)| (day, value.into()))).map_err(Missing::Point)
    };
    states.into_iter().zip(batch.queries()).map(outcome).collect()
}

/// One metric while pages come.
enum State {
    /// Not whole yet: its points so far, and whether it was told of at all.
    Open(Vec<(Day, f64)>, bool),
    Whole(Vec<(Day, f64)>),
    Lost(Missing),
}

impl State {
    fn take(&mut self, part: &Part) {
        let State::Open(points, told) = self else {
            if matches!(self, State::Whole(_)) {
                *self = State::Lost(Missing::Again);
            }
            return;
        };
        *told = true;
        match &part.points {
            Some(more) => points.extend(more),
            None => return *self = State::Lost(Missing::Unaligned),
        }
        *self = match part.status {
            Status::Partial => return,
            Status::Complete => State::Whole(std::mem::take(points)),
            Status::Internal => State::Lost(Missing::Internal),
            Status::Forbidden => State::Lost(Missing::Forbidden),
            Status::Remark => State::Lost(Missing::Remark),
            Status::Unknown => State::Lost(Missing::Status),
        };
    }

    /// Its points, if it is whole; `is_whole` tells whether all pages came.
    fn end(self, is_whole: bool) -> Result<Vec<(Day, f64)>, Missing> {
        match self {
            State::Whole(points) => Ok(points),
            State::Lost(why) => Err(why),
            State::Open(..) if !is_whole => Err(Missing::Unanswered),
            State::Open(_, told) => Err(if told { Missing::Unfinished } else { Missing::LeftOut }),
        }
    }
}

impl Missing {
    /// The reason in words. The same trouble has the same words each time, so no host and no metric is named.
    pub(crate) fn failure(self, answers: &Reading<Vec<Told>>) -> Failure {
        let (kind, says) = match self {
            Self::Unanswered => return unanswered(answers),
            Self::LeftOut => (FailureKind::Malformed, "an answer lacks a metric that was asked for"),
            Self::Unfinished => {
                (FailureKind::SourceError, "AWS told part of a metric (PartialData) and no way on")
            }
            Self::Internal => (FailureKind::SourceError, "AWS failed on a metric (InternalError)"),
            Self::Forbidden => (FailureKind::Denied, "AWS refused a metric (Forbidden)"),
            Self::Remark => {
                (FailureKind::SourceError, "AWS answered with a remark, so that something may be missing")
            }
            Self::Strange => (FailureKind::Malformed, "an answer holds a metric that nobody asked for"),
            Self::Again => (FailureKind::Malformed, "a metric was told twice"),
            Self::Status => (FailureKind::Malformed, "a metric has a status that is none of AWS's"),
            Self::Unaligned => {
                (FailureKind::Malformed, "a value is of no day (its time is no midnight of UTC)")
            }
            Self::Point(BadPoint::Outside) => {
                (FailureKind::Malformed, "a value is of a day that was not asked for")
            }
            Self::Point(BadPoint::Twice) => (FailureKind::Malformed, "a day has two values"),
            Self::Point(BadPoint::NoAmount) => (FailureKind::Malformed, "a value is no amount"),
        };
        let step = match kind {
            FailureKind::Denied => {
                "allow the CloudAccount's identity cloudwatch:GetMetricData on Resource \"*\""
            }
            FailureKind::Malformed => "check egress and proxies from the operator to cloudwatch",
            _ => "none, the next reading asks again; see the AWS Health Dashboard",
        };
        Failure::new(kind, format!("{}: {says}. Next step: {step}", answers.source))
    }
}

fn unanswered(answers: &Reading<Vec<Told>>) -> Failure {
    let why = match &answers.extent {
        Extent::Failed { why, .. } => Some(why),
        Extent::Partial { missing, .. } => missing.first().map(|gap| &gap.why),
        Extent::Complete { .. } => None,
    };
    why.cloned().unwrap_or_else(|| Missing::LeftOut.failure(answers))
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
