//! What a request asks for, held against the rules of the API ("`GetMetricData`", "`MetricDataQuery`", "`MetricStat`").

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::invalid;
use crate::aws::{
    error::AwsError,
    front::Asked,
    ground::{Metric, Periods},
};

/// The most queries of one call.
const MAX_QUERIES: usize = 500;
/// The most points of one answer; more of them come page by page.
pub(super) const MAX_POINTS: usize = 100_800;
/// The statistics that the fake knows; percentiles and the like it does not.
const STATISTICS: [&str; 5] = ["Average", "Maximum", "Minimum", "SampleCount", "Sum"];
/// How old points may be that were kept: their age and the period that they are kept in.
const KEPT: [(SignedDuration, i64); 3] = [
    (SignedDuration::from_hours(15 * 24), 60),
    (SignedDuration::from_hours(63 * 24), 300),
    (SignedDuration::from_hours(455 * 24), 3_600),
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    #[serde(default)]
    metric_data_queries: Vec<Query>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    pub(super) next_token: Option<String>,
    scan_by: Option<String>,
    max_datapoints: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    id: Option<String>,
    metric_stat: Option<MetricStat>,
    expression: Option<String>,
    label: Option<String>,
    return_data: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricStat {
    metric: GivenMetric,
    period: i64,
    stat: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GivenMetric {
    namespace: Option<String>,
    metric_name: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) value: String,
}

/// A request that keeps the rules.
pub(super) struct Wanted {
    pub(super) metrics: Vec<WantedMetric>,
    pub(super) newest_first: bool,
    pub(super) max_points: usize,
    pub(super) token: Option<String>,
}

/// One metric of it.
pub(super) struct WantedMetric {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) metric: Metric,
    pub(super) statistic: String,
    pub(super) periods: Periods,
    pub(super) is_told: bool,
}

impl Wanted {
    /// Reads a request at `now`.
    ///
    /// # Errors
    /// `ValidationError`, for what breaks a rule (m: the code; the sentences of ids and of times are AWS's).
    pub(super) fn of(asked: &Asked<'_>, now: Timestamp) -> Result<Self, AwsError> {
        let request: Request =
            serde_json::from_value(asked.body.clone()).map_err(|error| invalid(error.to_string()))?;
        let (from, until) = request.span(now)?;
        let queries = request.metric_data_queries;
        if queries.is_empty() {
            return Err(invalid("The parameter MetricDataQueries is required."));
        }
        if queries.len() > MAX_QUERIES {
            let message = "The collection MetricDataQueries must not have a size greater than 500.";
            return Err(invalid(message));
        }
        let ids: BTreeSet<&str> = queries.iter().filter_map(|query| query.id.as_deref()).collect();
        if ids.len() < queries.len() {
            return Err(invalid("The values for parameter id in MetricDataQueries are not unique."));
        }
        let max = request.max_datapoints.map_or(Some(MAX_POINTS), |max| usize::try_from(max).ok());
        let max_points = max.filter(|max| (1..=MAX_POINTS).contains(max));
        let metrics = queries.into_iter().map(|query| query.wanted(from, until, now));
        Ok(Self {
            metrics: metrics.collect::<Result<_, _>>()?,
            newest_first: request.scan_by.as_deref() != Some("TimestampAscending"),
            max_points: max_points.ok_or_else(|| invalid("MaxDatapoints must be between 1 and 100800."))?,
            token: request.next_token,
        })
    }
}

impl Request {
    fn span(&self, now: Timestamp) -> Result<(Timestamp, Timestamp), AwsError> {
        let moment = |given: Option<f64>, name: &str| {
            let missing = || invalid(format!("The parameter {name} is required."));
            let since = SignedDuration::try_from_secs_f64(given.ok_or_else(missing)?);
            let moment = since.ok().and_then(|since| Timestamp::from_duration(since).ok());
            moment.ok_or_else(|| invalid(format!("The parameter {name} is no time.")))
        };
        let (from, until) = (moment(self.start_time, "StartTime")?, moment(self.end_time, "EndTime")?);
        if from == until {
            return Err(invalid("The parameter StartTime must not equal parameter EndTime."));
        }
        if from > until {
            return Err(invalid("The parameter EndTime must be greater than StartTime."));
        }
        Ok((rounded(from, now), until))
    }
}

/// As the API rounds a start: to minutes, five minutes or hours, the older the coarser.
fn rounded(from: Timestamp, now: Timestamp) -> Timestamp {
    let step = kept_in(from, now).unwrap_or(3_600);
    Timestamp::from_second(from.as_second().div_euclid(step) * step).unwrap_or(from)
}

/// The shortest period that a point of this time is still kept in; none when it is not kept at all.
fn kept_in(at: Timestamp, now: Timestamp) -> Option<i64> {
    KEPT.iter().find(|(age, _)| now.duration_since(at) <= *age).map(|(_, period)| *period)
}

impl Query {
    fn wanted(self, from: Timestamp, until: Timestamp, now: Timestamp) -> Result<WantedMetric, AwsError> {
        let id = self.id.filter(|id| is_id(id)).ok_or_else(|| {
            invalid("The value for parameter Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.")
        })?;
        if self.expression.is_some() {
            return Err(invalid("Expressions are more than the fake knows."));
        }
        let missing = || invalid("The parameter MetricDataQueries.member.1.MetricStat is required.");
        let stat = self.metric_stat.ok_or_else(missing)?;
        if stat.period < 60 || stat.period % 60 != 0 {
            return Err(invalid(format!("The period {} is no multiple of 60.", stat.period)));
        }
        if !STATISTICS.contains(&stat.stat.as_str()) {
            return Err(invalid(format!("The value {} for parameter Stat is not supported.", stat.stat)));
        }
        let metric = stat.metric.named()?;
        // Points are kept for their time in periods that only grow: what is asked for in shorter ones is not there.
        let is_kept = kept_in(from, now).is_some_and(|kept| stat.period % kept == 0);
        let until = if is_kept { until } else { from };
        Ok(WantedMetric {
            id,
            label: self.label.unwrap_or_else(|| format!("{} {}", metric.name, stat.stat)),
            metric,
            statistic: stat.stat,
            periods: Periods { from, until, seconds: stat.period },
            is_told: self.return_data.unwrap_or(true),
        })
    }
}

fn is_id(id: &str) -> bool {
    let mut bytes = id.bytes();
    let begins = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
    begins && id.len() <= 255 && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl GivenMetric {
    pub(super) fn named(self) -> Result<Metric, AwsError> {
        let missing = |name: &str| invalid(format!("The parameter {name} is required."));
        let dimensions: BTreeMap<String, String> =
            self.dimensions.into_iter().map(|dimension| (dimension.name, dimension.value)).collect();
        Ok(Metric {
            namespace: self.namespace.ok_or_else(|| missing("Namespace"))?,
            name: self.metric_name.ok_or_else(|| missing("MetricName"))?,
            dimensions,
        })
    }
}
