//! Metrics: what was told, by namespace, name and dimensions, and its statistics over periods.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Load, Region, load::Stretch};

/// EC2 tells of an instance every five minutes ("basic monitoring").
const INSTANCE_BEAT: i64 = 300;
/// RDS tells of a database every minute.
const DATABASE_BEAT: i64 = 60;
/// A sample can be read this long after the time that it is of has passed; "a few minutes" in AWS's words (m).
const LATE: i64 = 180;

/// Families that tell nothing of their volumes; some of AWS's list of those built on Xen.
const NO_VOLUMES: [&str; 12] = ["c3", "c4", "d2", "h1", "i3", "m3", "m4", "r3", "r4", "t1", "t2", "x1"];

/// Which metric: namespace, name, and its dimensions in order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metric {
    /// `AWS/EC2`.
    pub namespace: String,
    /// `CPUUtilization`.
    pub name: String,
    /// Names and values.
    pub dimensions: BTreeMap<String, String>,
}

/// Values that somebody put, by the time that they are of.
pub type Put = BTreeMap<Metric, Vec<(Timestamp, f64)>>;

/// The periods that are asked for: so many, each so many seconds long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// When the first one begins.
    pub from: Timestamp,
    /// The moment after the last sample that counts.
    pub until: Timestamp,
    /// Seconds of one.
    pub seconds: i64,
}

/// What the samples of one period come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sum {
    /// When the period begins.
    pub at: Timestamp,
    /// How many there are.
    pub count: f64,
    /// All together.
    pub sum: f64,
    /// The largest.
    pub max: f64,
    /// The smallest.
    pub min: f64,
}

impl Sum {
    /// The statistic of this name; none for one that the fake does not know.
    #[must_use]
    pub fn statistic(&self, name: &str) -> Option<f64> {
        match name {
            "Average" => Some(self.sum / self.count),
            "Maximum" => Some(self.max),
            "Minimum" => Some(self.min),
            "SampleCount" => Some(self.count),
            "Sum" => Some(self.sum),
            _ => None,
        }
    }
}

/// Samples on their way into periods.
struct Sums {
    periods: Periods,
    all: BTreeMap<i64, Sum>,
}

impl Sums {
    fn add(&mut self, period: i64, value: f64, times: i64) {
        let at = self.periods.from + SignedDuration::from_secs(period * self.periods.seconds);
        let empty = Sum { at, count: 0.0, sum: 0.0, max: value, min: value };
        let sum = self.all.entry(period).or_insert(empty);
        let times = f64::from(u32::try_from(times).unwrap_or(u32::MAX));
        sum.count += times;
        sum.sum += value * times;
        sum.max = sum.max.max(value);
        sum.min = sum.min.min(value);
    }

    fn period_of(&self, moment: Timestamp) -> Option<i64> {
        let Periods { from, until, seconds } = self.periods;
        (from <= moment && moment < until)
            .then(|| (moment.as_second() - from.as_second()).div_euclid(seconds))
    }

    /// The samples of a stretch: one of `value` at every mark of the beat.
    fn add_stretch(&mut self, stretch: &Stretch, beat: i64, value: f64, now: Timestamp) {
        let Periods { from, until, seconds } = self.periods;
        let told_until = now.as_second() - beat - LATE;
        let begin = stretch.from.as_second().max(from.as_second());
        let end = stretch.until.as_second().min(until.as_second()).min(told_until + 1);
        let marks_before = |second: i64| (second + beat - 1).div_euclid(beat);
        let mut at = begin;
        while at < end {
            let period = (at - from.as_second()).div_euclid(seconds);
            let next = (from.as_second() + (period + 1) * seconds).min(end);
            let marks = marks_before(next) - marks_before(at);
            if marks > 0 {
                self.add(period, value, marks);
            }
            at = next;
        }
    }
}

impl Region {
    /// What is told of a metric at `now`, period by period; periods without a sample are left out.
    #[must_use]
    pub fn sums(&self, metric: &Metric, periods: Periods, now: Timestamp) -> Vec<Sum> {
        let mut sums = Sums { periods, all: BTreeMap::new() };
        for (at, value) in self.put.get(metric).into_iter().flatten() {
            if let Some(period) = sums.period_of(*at) {
                sums.add(period, *value, 1);
            }
        }
        let dimension = metric.dimensions.iter().next().filter(|_| metric.dimensions.len() == 1);
        let dimension = dimension.map(|(name, value)| (name.as_str(), value.as_str()));
        match (metric.namespace.as_str(), dimension) {
            ("AWS/EC2", Some(("InstanceId", id))) => {
                if let Some(sample) = self.sample_of_instance(id, &metric.name) {
                    for stretch in self.told_of_instance(id) {
                        sums.add_stretch(&stretch, INSTANCE_BEAT, sample(&stretch.load), now);
                    }
                }
            }
            ("AWS/RDS", Some(("DBInstanceIdentifier", name))) => {
                if let Some(sample) = sample_of_database(&metric.name) {
                    for stretch in self.told_of_database(name) {
                        sums.add_stretch(&stretch, DATABASE_BEAT, sample(&stretch.load), now);
                    }
                }
            }
            _ => {}
        }
        sums.all.into_values().collect()
    }

    /// EC2 tells what went through since the sample before.
    fn sample_of_instance(&self, id: &str, name: &str) -> Option<fn(&Load) -> f64> {
        let history = self.instances.get(id)?;
        let instance = history.turns().find_map(|turn| history.at(turn))?;
        let (family, size) = instance.instance_type.split_once('.')?;
        let has_volumes = !NO_VOLUMES.contains(&family) && !size.starts_with("metal");
        match name {
            "CPUUtilization" => Some(|load| load.cpu),
            "NetworkIn" => Some(|load| load.network_in * 300.0),
            "NetworkOut" => Some(|load| load.network_out * 300.0),
            "EBSReadOps" if has_volumes => Some(|load| load.reads * 300.0),
            "EBSWriteOps" if has_volumes => Some(|load| load.writes * 300.0),
            _ => None,
        }
    }
}

/// RDS tells rates.
fn sample_of_database(name: &str) -> Option<fn(&Load) -> f64> {
    match name {
        "CPUUtilization" => Some(|load| load.cpu),
        "DatabaseConnections" => Some(|load| load.connections),
        "NetworkReceiveThroughput" => Some(|load| load.network_in),
        "NetworkTransmitThroughput" => Some(|load| load.network_out),
        "ReadIOPS" => Some(|load| load.reads),
        "WriteIOPS" => Some(|load| load.writes),
        _ => None,
    }
}
