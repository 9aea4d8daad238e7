//! What hosts did, from `CloudWatch`: many metrics a call, as few calls as can be.
//!
//! It is meant for once a day, for every metric that is asked for costs money. Whatever was not answered wholly is not read; it must never look like a day without data.

mod answers;
mod batch;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use rollcall_engine::activity::{Activity, ActivityMetric, HostActivity, Series, Subject, Wanted, Window};
use rollcall_engine::ids::{HostId, Region};
use rollcall_engine::reading::{Extent, Failure, FailureKind, Gap, MAX_REQUEST_IDS, Reading};
use tokio::time::Instant;

use crate::account::Account;
use crate::cloudwatch::MetricsOf;

pub(crate) use answers::{Part, Status, Told};
pub(crate) use batch::{Batch, Query, batches};

impl Account {
    /// What the hosts that are `wanted` in a region did on the days of `window`, each metric that they can have. Batches are asked one after
    /// the other; when AWS refuses, throttles or is out of reach, or [`crate::Limits::activity_time`] is over, the rest is not
    /// asked for.
    pub async fn read_activity(
        &self,
        region: &Region,
        wanted: &[Wanted],
        window: Window,
        now: Timestamp,
    ) -> Activity {
        let place = self.place(region);
        let source = Activity::source(&place);
        let mut sum = Sum::of(wanted);
        let deadline = Instant::now() + self.limits.activity_time;
        let mut stop: Option<Failure> = None;
        for batch in batches(wanted, window, &self.limits) {
            if stop.is_none() && Instant::now() >= deadline {
                stop = Some(self.out_of_time(&source));
            }
            if let Some(why) = &stop {
                sum.missing(&batch, why);
                continue;
            }
            let question = MetricsOf { batch: &batch, window };
            let answers = self.ask(&question, source.clone(), region, now).await;
            stop = ends_all(&answers.extent).cloned();
            sum.add(&batch, window, &answers);
        }
        let hosts = self.since_when(region, MetricsOf::OPERATION, sum.into_reading(source, now));
        Activity { place, window, hosts }
    }

    fn out_of_time(&self, source: &str) -> Failure {
        let limit = self.limits.activity_time;
        let message = format!(
            "{source} took longer than {limit:?} in all. Next step: see whether AWS is slow or throttles this account"
        );
        Failure::new(FailureKind::TimedOut, message)
    }
}

/// The failure of a batch that the next one would meet too, so that it is not asked.
fn ends_all(extent: &Extent) -> Option<&Failure> {
    let why = match extent {
        Extent::Complete { .. } => return None,
        Extent::Failed { why, .. } => why,
        Extent::Partial { missing, .. } => &missing.first()?.why,
    };
    let is_its_own =
        matches!(why.kind, FailureKind::SourceError | FailureKind::Malformed | FailureKind::TooLarge);
    (!is_its_own).then_some(why)
}

/// All that was read so far.
struct Sum {
    hosts: BTreeMap<HostId, BTreeMap<ActivityMetric, Series>>,
    read: usize,
    /// How many series are missing for each kind of reason, with the first one's words.
    missing: BTreeMap<FailureKind, (usize, Failure)>,
    request_ids: VecDeque<String>,
}

impl Sum {
    /// Begins with what needs no question: metrics that a host cannot have.
    fn of(wanted: &[Wanted]) -> Self {
        let none_of = |subject: &Subject, metrics: &BTreeSet<ActivityMetric>| {
            let cannot = metrics.iter().filter(|metric| !subject.can_have(**metric));
            (subject.host().clone(), cannot.map(|metric| (*metric, Series::NotApplicable)).collect())
        };
        let each = wanted.iter().map(|Wanted { subjects, metrics }| (subjects, metrics));
        let hosts =
            each.flat_map(|(subjects, metrics)| subjects.iter().map(move |one| none_of(one, metrics)));
        let hosts = hosts.collect();
        Self { hosts, read: 0, missing: BTreeMap::new(), request_ids: VecDeque::new() }
    }

    fn add(&mut self, batch: &Batch<'_>, window: Window, answers: &Reading<Vec<Told>>) {
        self.request_ids.extend(answers.request_ids.iter().cloned());
        let excess = self.request_ids.len().saturating_sub(MAX_REQUEST_IDS);
        self.request_ids.drain(..excess);
        for (query, outcome) in batch.queries().iter().zip(answers::judge(batch, window, answers)) {
            match outcome {
                Ok(days) => {
                    self.read += 1;
                    self.put(*query, Series::Days(days));
                }
                Err(why) => self.miss(*query, &why.failure(answers)),
            }
        }
    }

    fn missing(&mut self, batch: &Batch<'_>, why: &Failure) {
        for query in batch.queries() {
            self.miss(*query, why);
        }
    }

    fn miss(&mut self, query: Query<'_>, why: &Failure) {
        self.missing.entry(why.kind).or_insert_with(|| (0, why.clone())).0 += 1;
        self.put(query, Series::NotRead(why.kind));
    }

    fn put(&mut self, query: Query<'_>, series: Series) {
        self.hosts.entry(query.subject.host().clone()).or_default().insert(query.metric, series);
    }

    fn into_reading(self, source: String, at: Timestamp) -> Reading<BTreeMap<HostId, HostActivity>> {
        let asked = self.read + self.missing.values().map(|(count, _)| count).sum::<usize>();
        let gap = |(count, why): (usize, Failure)| Gap { what: format!("{count} of {asked} metrics"), why };
        let mut gaps: Vec<(usize, Failure)> = self.missing.into_values().collect();
        gaps.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let (extent, seen) = match gaps.first() {
            None => (Extent::Complete { at }, self.hosts),
            Some((_, why)) if self.read == 0 => {
                (Extent::Failed { since: at, why: why.clone() }, BTreeMap::new())
            }
            Some(_) => (Extent::Partial { at, missing: gaps.into_iter().map(gap).collect() }, self.hosts),
        };
        let seen = seen.into_iter().map(|(host, series)| (host, series.into())).collect();
        Reading { source, extent, seen, request_ids: self.request_ids.into() }
    }
}
