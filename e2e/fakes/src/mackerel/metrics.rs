//! Metrics: points that were posted, and feeds that post by themselves as virtual time passes.
//!
//! A feed stores nothing: what it has posted is a function of the time, so that a fleet of 20,000 hosts
//! with running agents costs no more than one that is silent.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    error::{Outcome, Refusal},
    hosts::Host,
    truth::Truth,
};

/// Points older than this when posted are dropped, with 200 (API documentation, host metrics).
const TOO_OLD_SECONDS: i64 = 24 * 3600;
/// Points kept of one metric: a day of minutes and some more.
const MAX_POINTS: usize = 1_500;
/// Metrics kept of one host or service; more are refused.
const MAX_NAMES: usize = 2_000;

/// One value at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Epoch seconds.
    pub time: i64,
    /// The value.
    pub value: f64,
}

impl Point {
    fn json(self) -> Value {
        json!({"time": self.time, "value": self.value})
    }
}

/// Posted points by metric name, in order of time.
#[derive(Clone, Debug, Default)]
pub struct Series(BTreeMap<Arc<str>, Vec<Point>>);

impl Series {
    /// Keeps a point; one of the same time is overwritten, the oldest are forgotten beyond a day.
    fn put(&mut self, name: &str, point: Point) -> Outcome<()> {
        let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if name.is_empty() || !name.bytes().all(word) {
            return Err(Refusal::bad(format!("invalid metric name: {name}")));
        }
        if self.0.len() >= MAX_NAMES && !self.0.contains_key(name) {
            return Err(Refusal::bad("too many metrics"));
        }
        let points = self.0.entry(name.into()).or_default();
        match points.binary_search_by_key(&point.time, |p| p.time) {
            Ok(at) => points.get_mut(at).into_iter().for_each(|p| *p = point),
            Err(at) => points.insert(at, point),
        }
        if points.len() > MAX_POINTS {
            points.remove(0);
        }
        Ok(())
    }

    fn points(&self, name: &str) -> &[Point] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Something that posts the same values again and again: an agent, or an integration.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// Seconds between posts; agents 60, AWS integrations 300.
    pub every: i64,
    /// Epoch seconds of the first post.
    pub from: i64,
    /// Epoch seconds after which nothing more is posted.
    pub until: Option<i64>,
    /// What is posted.
    pub values: Vec<(Arc<str>, f64)>,
}

impl Feed {
    fn latest(&self, now: i64) -> Option<i64> {
        let end = self.until.map_or(now, |until| until.min(now));
        (end >= self.from).then(|| end - (end - self.from) % self.every.max(1))
    }

    fn value(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|(n, _)| n.as_ref() == name).map(|(_, v)| *v)
    }

    fn points(&self, name: &str, from: i64, to: i64, now: i64) -> Vec<Point> {
        let (Some(last), Some(value)) = (self.latest(now), self.value(name)) else {
            return vec![];
        };
        let every = self.every.max(1);
        let last = last.min(to);
        let newest = last - (last - self.from).rem_euclid(every);
        let earliest = self.from.max(from);
        let times = (0_i64..).map(|n| newest - n * every).take_while(|t| *t >= earliest).take(MAX_POINTS);
        times.map(|time| Point { time, value }).collect()
    }
}

impl Host {
    /// The newest point of a metric at `now`, if any was ever posted.
    #[must_use]
    pub fn latest(&self, name: &str, now: i64) -> Option<Point> {
        let stored = self.series.points(name).iter().rev().find(|p| p.time <= now).copied();
        let fed =
            self.feeds.iter().filter_map(|f| Some(Point { time: f.latest(now)?, value: f.value(name)? }));
        fed.chain(stored).max_by_key(|p| p.time)
    }

    /// When the host last posted a system metric, which is what connectivity is judged by; custom metrics do not count.
    #[must_use]
    pub fn last_system_metric(&self, now: i64) -> Option<i64> {
        self.metric_names(now)
            .iter()
            .filter(|n| !n.starts_with("custom."))
            .filter_map(|n| Some(self.latest(n, now)?.time))
            .max()
    }

    /// The names of all metrics posted until `now`, in order.
    #[must_use]
    pub fn metric_names(&self, now: i64) -> Vec<Arc<str>> {
        let begun = self.feeds.iter().filter(|f| f.latest(now).is_some());
        let mut names: Vec<_> = begun.flat_map(|f| f.values.iter().map(|(n, _)| n.clone())).collect();
        let posted = |points: &Vec<Point>| points.first().is_some_and(|p| p.time <= now);
        names.extend(self.series.0.iter().filter(|(_, p)| posted(p)).map(|(n, _)| n.clone()));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Points of a metric between two times (both included) as of `now`, oldest first.
    #[must_use]
    pub fn points(&self, name: &str, from: i64, to: i64, now: i64) -> Vec<Point> {
        let inside = |p: &&Point| from <= p.time && p.time <= to.min(now);
        let mut points: Vec<_> = self.series.points(name).iter().filter(inside).copied().collect();
        points.extend(self.feeds.iter().flat_map(|f| f.points(name, from, to, now)));
        points.sort_by_key(|p| p.time);
        points.dedup_by_key(|p| p.time);
        points
    }
}

/// One element of `POST /tsdb`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Posted {
    #[serde(default)]
    pub(super) host_id: String,
    pub(super) name: String,
    /// Epoch seconds; clients do send fractions.
    pub(super) time: f64,
    pub(super) value: f64,
}

impl Posted {
    fn point(&self) -> Point {
        #[allow(clippy::cast_possible_truncation)] // Saturates, and such a point is too old or in no range.
        Point { time: self.time as i64, value: self.value }
    }
}

impl Truth {
    /// A point arrives for a host. One that is over 24 hours old is dropped in silence, as are a retired host's.
    ///
    /// # Errors
    /// 404 for an unknown host, 400 for an invalid name.
    pub fn post_metric(&mut self, host: &str, name: &str, point: Point) -> Outcome<()> {
        let too_old = self.now() - point.time > TOO_OLD_SECONDS;
        let host = self.host_mut(host)?;
        if too_old || host.is_retired() { Ok(()) } else { host.series.put(name, point) }
    }

    pub(super) fn post_metrics(&mut self, posted: &[Posted]) -> Outcome<()> {
        posted.iter().try_for_each(|p| self.post_metric(&p.host_id, &p.name, p.point()))
    }

    pub(super) fn post_service_metrics(&mut self, service: &str, posted: &[Posted]) -> Outcome<()> {
        let oldest = self.now() - TOO_OLD_SECONDS;
        let service = self.service_mut(service)?;
        let fresh = posted.iter().filter(|p| p.point().time >= oldest);
        fresh.into_iter().try_for_each(|p| service.series.put(&p.name, p.point()))
    }

    pub(super) fn host_points(&self, id: &str, name: &str, span: (i64, i64), now: i64) -> Outcome<Value> {
        let host = self.host(id)?;
        if host.latest(name, now).is_none() {
            return Err(Refusal::not_found("Metric Not Found."));
        }
        Ok(listed(&host.points(name, span.0, span.1, now)))
    }

    pub(super) fn service_points(&self, service: &str, name: &str, span: (i64, i64)) -> Outcome<Value> {
        let points = self.service(service)?.series.points(name);
        if points.is_empty() {
            return Err(Refusal::not_found("Metric Not Found."));
        }
        let inside = |p: &&Point| span.0 <= p.time && p.time <= span.1;
        Ok(listed(&points.iter().filter(inside).copied().collect::<Vec<_>>()))
    }

    pub(super) fn service_metric_names(&self, service: &str) -> Outcome<Value> {
        let names: Vec<_> = self.service(service)?.series.0.keys().map(AsRef::as_ref).collect();
        Ok(json!({"names": names}))
    }

    /// `/tsdb/latest`. A host that is unknown or never posted is absent; a metric that a posting host never sent is null.
    pub(super) fn latest_metrics(&self, hosts: &[String], names: &[String], now: i64) -> Value {
        let mut answer = Map::new();
        for host in hosts.iter().filter_map(|id| self.host(id).ok()) {
            if host.is_retired() || host.metric_names(now).is_empty() {
                continue;
            }
            let value = |name: &String| host.latest(name, now).map_or(Value::Null, Point::json);
            let found = names.iter().map(|name| (name.clone(), value(name))).collect();
            answer.insert(host.id.clone(), Value::Object(found));
        }
        json!({"tsdbLatest": answer})
    }
}

fn listed(points: &[Point]) -> Value {
    let points: Vec<_> = points.iter().map(|p| p.json()).collect();
    json!({"metrics": points})
}

/// World time in whole epoch seconds, which is all the API knows.
pub(super) fn seconds(at: Timestamp) -> i64 {
    at.as_second()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(from: i64, until: Option<i64>) -> Feed {
        Feed { every: 60, from, until, values: vec![("loadavg5".into(), 0.5)] }
    }

    #[test]
    fn a_feed_posts_every_minute_until_it_ends() {
        let agent = feed(1_000, Some(1_200));
        assert_eq!(agent.latest(999), None);
        assert_eq!(agent.latest(1_059), Some(1_000));
        assert_eq!(agent.latest(9_999), Some(1_180));
        let times: Vec<_> = agent.points("loadavg5", 1_050, 9_999, 9_999).iter().map(|p| p.time).collect();
        assert_eq!(times, [1_180, 1_120, 1_060]);
        assert!(agent.points("loadavg1", 0, 9_999, 9_999).is_empty());
    }

    #[test]
    fn a_point_of_the_same_time_is_overwritten_and_only_a_day_is_kept() {
        let mut series = Series::default();
        for time in 0..2_000 {
            series.put("custom.a", Point { time, value: 1.0 }).unwrap();
        }
        series.put("custom.a", Point { time: 1_999, value: 2.0 }).unwrap();
        let points = series.points("custom.a");
        assert_eq!((points.len(), points.last().unwrap().value), (MAX_POINTS, 2.0));
        assert!(series.put("no spaces", Point { time: 0, value: 0.0 }).is_err());
    }
}
