//! What hosts did, day by day: the readings by which [`crate::lean`] decides who is unused.
//!
//! Of each day four things are told apart, and none may ever be taken for another: a value, no data, a metric that such a
//! host cannot have, and what was not read. **No data is never zero**: a stopped host, a late source and a metric that was
//! asked for under a wrong name all look like it.

mod metric;
mod series;
mod subject;
mod wanted;
mod window;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{HostId, Place};
use crate::limits::ACTIVITY_DAYS;
use crate::reading::{Extent, Failure, FailureKind, Gap, Reading};

pub use metric::ActivityMetric;
pub use series::{BadPoint, Days, Series};
pub use subject::Subject;
pub use wanted::Wanted;
pub use window::{Day, MAX_DAYS, Window};

/// What the hosts of one account and region did.
///
/// A value takes four bytes and a series 40 more: 20,000 hosts with three metrics of 90 days take 24 MB, beside the map. Days
/// before the first value and after the last one take nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// The account and region.
    pub place: Place,
    /// The days that were asked for: whole ones, so today is none of them.
    pub window: Window,
    /// All that was asked for, by host. It is complete when all of that was read; a part that was not says so itself, and
    /// the others are as good as in a complete reading.
    pub hosts: Reading<BTreeMap<HostId, HostActivity>>,
}

/// What one host did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<ActivityMetric, Series>", into = "BTreeMap<ActivityMetric, Series>")]
pub struct HostActivity(Box<[(ActivityMetric, Series)]>);

/// What is known of one metric of one host on one day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Told {
    /// This much.
    Value(f32),
    /// The source answered, and had nothing of that day.
    NoData,
    /// Such a host cannot have this metric.
    NotApplicable,
    /// It was not asked for, or there was no answer that can be believed.
    NotRead(FailureKind),
}

impl Activity {
    /// A place of which nobody has read anything yet.
    #[must_use]
    pub fn not_yet(place: Place, window: Window, now: Timestamp) -> Self {
        Self { hosts: Reading::not_yet(Self::source(&place), now), place, window }
    }

    /// A place whose activity could not even be asked for.
    #[must_use]
    pub fn failed(place: Place, window: Window, now: Timestamp, why: Failure) -> Self {
        Self { hosts: Reading::failed(Self::source(&place), now, why), place, window }
    }

    /// What stands where nothing new enough is known: what is `known` is too old, or there is nothing.
    pub(crate) fn unread(place: Option<&Place>, known: Option<&Self>, now: Timestamp) -> Self {
        let place = place.cloned().unwrap_or_else(|| Place { account: "".into(), region: "".into() });
        let window = Window::whole_days(now, ACTIVITY_DAYS);
        let kind = known.map_or(FailureKind::NotYetRead, |_| FailureKind::Stale);
        Self::failed(place, window, now, Failure::new(kind, "not read for the last day"))
    }

    /// The name of the reading for people.
    #[must_use]
    pub fn source(place: &Place) -> String {
        format!("cloudwatch activity {place}")
    }

    /// What is known of one day.
    #[must_use]
    pub fn told(&self, host: &HostId, metric: ActivityMetric, day: Day) -> Told {
        self.of(host).told(metric, day)
    }

    /// What is known of one host, looked up once.
    #[must_use]
    pub fn of(&self, host: &HostId) -> HostTold<'_> {
        HostTold { activity: self, host: self.hosts.seen.get(host) }
    }

    /// Have these metrics of a host been read, so that it need not be asked again for this window?
    #[must_use]
    pub fn has_read(&self, host: &HostId, metrics: &BTreeSet<ActivityMetric>) -> bool {
        let is_read = |metric: &ActivityMetric| {
            let series = self.hosts.seen.get(host).and_then(|host| host.series(*metric));
            series.is_some_and(|series| !matches!(series, Series::NotRead(_)))
        };
        metrics.iter().all(is_read)
    }

    /// What is known with what was read later: of another window nothing is left, and of the same one the newer word on a host
    /// counts. It is complete once nothing that was asked for is unread.
    #[must_use]
    pub fn with(self, newer: Self) -> Self {
        if self.window != newer.window || self.place != newer.place {
            return newer;
        }
        let mut hosts = newer.hosts;
        for (host, known) in self.hosts.seen {
            hosts.seen.entry(host).or_insert(known);
        }
        let is_whole = |host: &HostActivity| host.iter().all(|(_, s)| !matches!(s, Series::NotRead(_)));
        let whole = hosts.seen.values().all(is_whole);
        hosts.extent = match (hosts.extent, self.hosts.extent) {
            // What came before is known all the same.
            (Extent::Failed { since, why }, _) if !hosts.seen.is_empty() => {
                let what = "the hosts that were asked last".to_owned();
                Extent::Partial { at: since, missing: vec![Gap { what, why }] }
            }
            (Extent::Complete { at }, Extent::Partial { missing, .. }) if !whole => {
                Extent::Partial { at, missing }
            }
            (extent, _) => extent,
        };
        Self { hosts, ..self }
    }
}

/// What is known of one host.
#[derive(Clone, Copy, Debug)]
pub struct HostTold<'a> {
    activity: &'a Activity,
    host: Option<&'a HostActivity>,
}

impl HostTold<'_> {
    /// Is the day one of those that were asked for?
    #[must_use]
    pub fn holds(&self, day: Day) -> bool {
        self.activity.window.holds(day)
    }

    /// What is known of one day.
    #[must_use]
    pub fn told(&self, metric: ActivityMetric, day: Day) -> Told {
        match self.host.and_then(|host| host.series(metric)) {
            Some(Series::NotApplicable) => Told::NotApplicable,
            Some(Series::NotRead(why)) => Told::NotRead(*why),
            Some(Series::Days(days)) if self.holds(day) => days.value(day).map_or(Told::NoData, Told::Value),
            Some(Series::Days(_)) => Told::NotRead(FailureKind::NotYetRead),
            None => Told::NotRead(match &self.activity.hosts.extent {
                Extent::Failed { why, .. } => why.kind,
                Extent::Complete { .. } | Extent::Partial { .. } => FailureKind::NotYetRead,
            }),
        }
    }
}

impl HostActivity {
    /// One of its metrics, if that was asked for.
    #[must_use]
    pub fn series(&self, metric: ActivityMetric) -> Option<&Series> {
        self.0.iter().find(|(of, _)| *of == metric).map(|(_, series)| series)
    }

    /// All that were asked for, in order.
    pub fn iter(&self) -> impl Iterator<Item = (ActivityMetric, &Series)> {
        self.0.iter().map(|(metric, series)| (*metric, series))
    }
}

impl From<BTreeMap<ActivityMetric, Series>> for HostActivity {
    fn from(all: BTreeMap<ActivityMetric, Series>) -> Self {
        Self(all.into_iter().collect())
    }
}

impl From<HostActivity> for BTreeMap<ActivityMetric, Series> {
    fn from(host: HostActivity) -> Self {
        host.0.into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
