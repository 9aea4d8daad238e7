//! `GetMetricData`: results cut into pages by points, so that one metric may go on on the next page.

use jiff::Timestamp;

use super::{invalid, look, query::Wanted};
use crate::aws::{
    error::AwsError,
    front::Asked,
    paging::{BadToken, Paging, hash},
    service::Service,
};

/// One page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Metrics, in any order.
    pub results: Vec<Told>,
    /// The way on.
    pub next: Option<String>,
    /// Remarks about the whole.
    pub messages: Vec<String>,
}

/// What is told of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The id of its query.
    pub id: String,
    /// Its label.
    pub label: String,
    /// Times and values.
    pub points: Vec<(Timestamp, f64)>,
    /// `Complete`, `PartialData`…
    pub status: String,
}

impl Told {
    /// How much of a page it takes: a metric without points is told once, too.
    fn length(&self) -> usize {
        self.points.len().max(1)
    }
}

pub(super) fn get(asked: &Asked<'_>) -> Result<Answer, AwsError> {
    let now = asked.strike.as_of(asked.now);
    let wanted = Wanted::of(asked, now)?;
    let mut what = asked.body.clone();
    if let Some(fields) = what.as_object_mut() {
        fields.shift_remove("NextToken");
    }
    let paging = Paging::of(asked, Some(wanted.max_points), wanted.token.as_deref(), &what.to_string())
        .map_err(|BadToken| {
            AwsError::bad_request("InvalidNextToken", "The next token specified is invalid.")
        })?;
    // Pages of one request tell of one moment, so that no point is shifted from one to the next.
    let (told, now) = paging.after().unwrap_or((0, now.as_second().unsigned_abs()));
    let now = i64::try_from(now).ok().and_then(|now| Timestamp::from_second(now).ok());
    let now = now.ok_or_else(|| invalid("This is no time."))?;

    let mut all = results(asked, &wanted, now)?;
    all.sort_by_key(|result| hash(&(paging.seed(), &result.id)));
    let length = all.iter().map(Told::length).sum();
    let size = paging.size(length).min(asked.aws.metric_page());
    let reach = if asked.strike.skip_page() { size.saturating_mul(2) } else { size };
    let (mut page, end) = cut(all, usize::try_from(told).unwrap_or(usize::MAX), reach);
    if asked.strike.skip_page() {
        (page, _) = cut(page, 0, size);
    }
    let points = page.iter().map(|result| result.points.len()).sum();
    if !asked.aws.rates().allow_points(asked.call, points) {
        return Err(Service::CloudWatch.throttled());
    }
    let on = |told: usize| paging.lead_on((told as u64, now.as_second().unsigned_abs()));
    let next = match (asked.strike.repeat_page(), asked.strike.empty()) {
        (_, true) => None,
        (true, false) => Some(on(usize::try_from(told).unwrap_or(usize::MAX))),
        (false, false) => end.map(on),
    };
    asked.strike.distort(&mut page);
    fail_some(asked, &mut page);
    Ok(Answer { results: page, next, messages: asked.strike.remarks().map(str::to_owned).collect() })
}

fn results(asked: &Asked<'_>, wanted: &Wanted, now: Timestamp) -> Result<Vec<Told>, AwsError> {
    look(asked, |region| {
        let told = wanted.metrics.iter().filter(|metric| metric.is_told).map(|metric| {
            let sums = region.sums(&metric.metric, metric.periods, now);
            let points = sums.iter().filter_map(|sum| Some((sum.at, sum.statistic(&metric.statistic)?)));
            let mut points: Vec<(Timestamp, f64)> = points.collect();
            if wanted.newest_first {
                points.reverse();
            }
            let (id, label) = (metric.id.clone(), metric.label.clone());
            Told { id, label, points, status: "Complete".to_owned() }
        });
        told.collect()
    })
}

/// The page that begins after `skip` points and holds `size`, and where it ends, if not at the end.
fn cut(all: Vec<Told>, skip: usize, size: usize) -> (Vec<Told>, Option<usize>) {
    let (from, until) = (skip, skip.saturating_add(size));
    let (mut at, mut page) = (0, Vec::new());
    for mut result in all {
        let length = result.length();
        let (begin, end) = (from.max(at), until.min(at + length));
        if begin < end {
            if end < at + length {
                "PartialData".clone_into(&mut result.status);
            }
            result.points = result.points.into_iter().skip(begin - at).take(end - begin).collect();
            page.push(result);
        }
        at += length;
    }
    (page, (until < at).then_some(until))
}

/// As struck: the first results are told with another status, and with half of their points, or none.
fn fail_some(asked: &Asked<'_>, page: &mut [Told]) {
    let Some((count, status)) = asked.strike.item_status() else { return };
    for result in page.iter_mut().take(count) {
        let half = if status == "PartialData" { result.points.len() / 2 } else { 0 };
        result.points.truncate(half);
        status.clone_into(&mut result.status);
    }
}
