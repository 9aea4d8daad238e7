//! `PutMetricData`: metrics of one's own, for those who compare the fake with another.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{change, invalid, query::Dimension};
use crate::aws::{error::AwsError, front::Asked, ground::Metric};

/// Values may be so old, or so far ahead (`PutMetricData`).
const PAST: SignedDuration = SignedDuration::from_hours(14 * 24);
const AHEAD: SignedDuration = SignedDuration::from_hours(2);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    namespace: String,
    #[serde(default)]
    metric_data: Vec<Datum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Datum {
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    timestamp: Option<f64>,
    value: Option<f64>,
}

pub(super) fn put(asked: &Asked<'_>) -> Result<(), AwsError> {
    let request: Request =
        serde_json::from_value(asked.body.clone()).map_err(|error| invalid(error.to_string()))?;
    if request.namespace.starts_with("AWS/") {
        let message = "The value AWS/ for parameter Namespace is invalid.";
        return Err(AwsError::value(message));
    }
    let of = |datum: Datum| {
        let dimensions =
            datum.dimensions.into_iter().map(|dimension| (dimension.name, dimension.value)).collect();
        let (namespace, name) = (request.namespace.clone(), datum.metric_name);
        let given = datum.timestamp.and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok());
        let at = given.map_or(Some(asked.now), |since| Timestamp::from_duration(since).ok());
        let in_time = |at: &Timestamp| {
            let age = asked.now.duration_since(*at);
            -AHEAD <= age && age <= PAST
        };
        let at = at.filter(in_time).ok_or_else(|| {
            AwsError::value("The parameter Timestamp must specify a time no more than two weeks in the past.")
        })?;
        let value = datum.value.ok_or_else(|| AwsError::missing("MetricData.member.1.Value"))?;
        Ok((Metric { namespace, name, dimensions }, (at, value)))
    };
    let points = request.metric_data.into_iter().map(of).collect::<Result<Vec<_>, AwsError>>()?;
    change(asked, |region, _| {
        for (metric, point) in points {
            region.put.entry(metric).or_default().push(point);
        }
    });
    Ok(())
}
