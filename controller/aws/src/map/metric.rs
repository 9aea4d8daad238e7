//! Metrics: the engine's as `CloudWatch` names them, and its results as ours.

use aws_sdk_cloudwatch::types::{MetricDataResult, StatusCode};
use aws_smithy_types::DateTime;
use rollcall_engine::activity::{ActivityMetric, Day, Subject};

use super::moment;
use crate::activity::{Batch, Part, Status};

/// RDS sends a sample of each rate every minute ("Monitoring Amazon RDS metrics with Amazon `CloudWatch`"), so sixty times their
/// sum is what went through.
const PER_SECOND_EACH_MINUTE: f64 = 60.0;

/// One metric of one host, as `CloudWatch` names it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MetricName<'a> {
    pub(crate) namespace: &'static str,
    pub(crate) name: &'static str,
    /// The name of its one dimension, and its value.
    pub(crate) dimension: (&'static str, &'a str),
    pub(crate) statistic: &'static str,
    /// What makes the statistic of a day the engine's amount.
    pub(crate) scale: f64,
}

/// The name of a metric that the host can have. Names: EC2 user guide, "`CloudWatch` metrics that are available for your
/// instances"; RDS user guide, "Amazon `CloudWatch` metrics for Amazon RDS".
pub(crate) fn metric(subject: &Subject, metric: ActivityMetric) -> MetricName<'_> {
    use ActivityMetric::{Connections, Cpu, NetworkIn, NetworkOut, ReadOps, WriteOps};
    let Some(database) = subject.database() else {
        let (name, statistic) = match metric {
            Cpu => ("CPUUtilization", "Maximum"),
            NetworkIn => ("NetworkIn", "Sum"),
            NetworkOut => ("NetworkOut", "Sum"),
            ReadOps => ("EBSReadOps", "Sum"),
            WriteOps => ("EBSWriteOps", "Sum"),
            // No instance has it, so nobody asks.
            Connections => ("", "Maximum"),
        };
        let dimension = ("InstanceId", subject.host().as_str());
        return MetricName { namespace: "AWS/EC2", name, dimension, statistic, scale: 1.0 };
    };
    let (name, statistic, scale) = match metric {
        Cpu => ("CPUUtilization", "Maximum", 1.0),
        Connections => ("DatabaseConnections", "Maximum", 1.0),
        NetworkIn => ("NetworkReceiveThroughput", "Sum", PER_SECOND_EACH_MINUTE),
        NetworkOut => ("NetworkTransmitThroughput", "Sum", PER_SECOND_EACH_MINUTE),
        ReadOps => ("ReadIOPS", "Sum", PER_SECOND_EACH_MINUTE),
        WriteOps => ("WriteIOPS", "Sum", PER_SECOND_EACH_MINUTE),
    };
    MetricName { namespace: "AWS/RDS", name, dimension: ("DBInstanceIdentifier", database), statistic, scale }
}

/// A result as a part of what a question asks for.
pub(crate) fn part(batch: &Batch<'_>, result: &MetricDataResult) -> Part {
    let status = match result.status_code() {
        _ if !result.messages().is_empty() => Status::Remark,
        Some(StatusCode::Complete) => Status::Complete,
        Some(StatusCode::PartialData) => Status::Partial,
        Some(StatusCode::InternalError) => Status::Internal,
        Some(StatusCode::Forbidden) => Status::Forbidden,
        _ => Status::Unknown,
    };
    let (times, values) = (result.timestamps(), result.values());
    let points = times.iter().zip(values).map(|(time, value)| Some((midnight(time)?, *value)));
    let points = if times.len() == values.len() { points.collect() } else { None };
    Part { query: result.id().and_then(|id| batch.index(id)), status, points }
}

/// The day that begins at this very time.
fn midnight(time: &DateTime) -> Option<Day> {
    let time = moment(time)?;
    let day = Day::of(time);
    (day.begin() == time).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use aws_sdk_cloudwatch::types::MessageData;
    use rollcall_engine::activity::{Wanted, Window};
    use rollcall_engine::inventory::{Database, Instance};
    use serde_json::json;

    fn host() -> Subject {
        let host = json!({
            "id": "i-1", "state": "running", "tags": {}, "launchTime": "2026-01-01T00:00:00Z", "instanceType": "m7g.large",
        });
        Subject::of_instance(&serde_json::from_value::<Instance>(host).unwrap())
    }

    fn database() -> Subject {
        let database = json!({
            "id": "db-1", "name": "shop", "engine": "mysql", "engineVersion": "8.0", "class": "db.r6g.large",
            "status": "available", "deletionProtection": false,
        });
        Subject::of_database(&serde_json::from_value::<Database>(database).unwrap()).unwrap()
    }

    #[test]
    fn every_metric_that_a_host_can_have_has_a_name_of_its_own() {
        for (subject, dimension, count) in
            [(host(), ("InstanceId", "i-1"), 5), (database(), ("DBInstanceIdentifier", "shop"), 6)]
        {
            let can_have = ActivityMetric::ALL.into_iter().filter(|m| subject.can_have(*m));
            let names: Vec<MetricName<'_>> = can_have.map(|m| metric(&subject, m)).collect();
            assert!(names.iter().all(|name| name.dimension == dimension && !name.name.is_empty()));
            assert_eq!(names.iter().map(|name| name.name).collect::<BTreeSet<_>>().len(), count);
        }
    }

    fn told(result: &MetricDataResult) -> Part {
        let subjects = [host()];
        let window = Window::whole_days("2026-03-02T12:00:00Z".parse().unwrap(), 3);
        let metrics = BTreeSet::from([ActivityMetric::Cpu]);
        let wanted = [Wanted { subjects: subjects.to_vec(), metrics }];
        let batches = crate::activity::batches(&wanted, window, &crate::settings::Limits::default());
        part(&batches[0], result)
    }

    #[test]
    fn a_result_is_a_part_of_its_question() {
        // 1772323200 is the midnight with which 1 March 2026 begins.
        let result = || {
            let result = MetricDataResult::builder().id("q0").status_code(StatusCode::Complete);
            result.timestamps(DateTime::from_secs(1_772_323_200)).values(3.5)
        };
        let day = Day::of("2026-03-01T00:00:00Z".parse().unwrap());
        let expected = Part { query: Some(0), status: Status::Complete, points: Some(vec![(day, 3.5)]) };
        assert_eq!(told(&result().build()), expected);
        assert_eq!(told(&result().id("q1").build()), Part { query: None, ..expected.clone() });
        assert_eq!(told(&result().set_id(None).build()), Part { query: None, ..expected.clone() });
        for (code, status) in [
            (Some("PartialData"), Status::Partial),
            (Some("InternalError"), Status::Internal),
            (Some("Forbidden"), Status::Forbidden),
            (Some("Fine"), Status::Unknown),
            (None, Status::Unknown),
        ] {
            let result = result().set_status_code(code.map(StatusCode::from)).build();
            assert_eq!(told(&result), Part { status, ..expected.clone() }, "{code:?}");
        }
        let remark = result().messages(MessageData::builder().code("c").value("v").build()).build();
        assert_eq!(told(&remark), Part { status: Status::Remark, ..expected.clone() });
        let unaligned = Part { points: None, ..expected };
        assert_eq!(told(&result().values(1.0).build()), unaligned, "two values, one time");
        for time in [
            DateTime::from_secs(1_772_323_199),
            DateTime::from_secs_and_nanos(1_772_323_200, 1),
            DateTime::from_secs(i64::MAX),
        ] {
            assert_eq!(told(&result().timestamps(time).values(1.0).build()), unaligned, "{time:?}");
        }
    }
}
