//! Which metrics are asked for together. No I/O.

use std::collections::BTreeSet;

use rollcall_engine::activity::{ActivityMetric, Subject, Wanted, Window};

use crate::settings::Limits;

/// One metric of one host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Query<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) metric: ActivityMetric,
}

/// What one call asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Batch<'a>(Vec<Query<'a>>);

impl<'a> Batch<'a> {
    /// Its questions, each with its [`id`](Self::id).
    pub(crate) fn queries(&self) -> &[Query<'a>] {
        &self.0
    }

    /// The name of a question in the call: AWS takes small letters, digits and `_`, and a letter to begin with.
    pub(crate) fn id(index: usize) -> String {
        format!("q{index}")
    }

    /// The question of this name; none when there is no such one, or it is spelled in another way.
    pub(crate) fn index(&self, id: &str) -> Option<usize> {
        let index = id.strip_prefix('q')?.parse().ok()?;
        (index < self.0.len() && Self::id(index) == id).then_some(index)
    }
}

/// All questions, in calls that hold no more queries and no more points than one may: [`Limits::metric_queries`] and
/// [`Limits::metric_points`]. A host that is named twice is asked for once.
pub(crate) fn batches<'a>(wanted: &'a [Wanted], window: Window, limits: &Limits) -> Vec<Batch<'a>> {
    let fit = limits.metric_points / usize::from(window.days());
    let size = limits.metric_queries.min(fit).max(1);
    let mut named = BTreeSet::new();
    let each = wanted
        .iter()
        .flat_map(|wanted| wanted.subjects.iter().map(move |subject| (subject, &wanted.metrics)));
    let once = each.filter(|(subject, _)| named.insert(subject.host()));
    let queries: Vec<Query<'_>> = once
        .flat_map(|(subject, metrics)| {
            let can_have = metrics.iter().filter(|metric| subject.can_have(**metric));
            can_have.map(move |metric| Query { subject, metric: *metric })
        })
        .collect();
    queries.chunks(size).map(|queries| Batch(queries.to_vec())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rollcall_engine::activity::{MAX_DAYS, Subject};
    use rollcall_engine::inventory::Instance;
    use rollcall_engine::limits::ACTIVITY_DAYS;

    fn fleet(count: usize, instance_type: &str) -> Vec<Subject> {
        let instance = |n: usize| {
            let id = format!("i-{n:05}");
            let of = serde_json::json!({
                "id": id, "state": "running", "tags": {}, "launchTime": "2026-01-01T00:00:00Z",
                "instanceType": instance_type,
            });
            Subject::of_instance(&serde_json::from_value::<Instance>(of).unwrap())
        };
        (0..count).map(instance).collect()
    }

    fn window(days: u16) -> Window {
        Window::whole_days("2026-03-02T12:00:00Z".parse().unwrap(), days)
    }

    fn three() -> BTreeSet<ActivityMetric> {
        [ActivityMetric::Cpu, ActivityMetric::NetworkIn, ActivityMetric::NetworkOut].into()
    }

    fn sizes(subjects: &[Subject], metrics: &BTreeSet<ActivityMetric>, days: u16) -> Vec<usize> {
        let wanted = [Wanted { subjects: subjects.to_vec(), metrics: metrics.clone() }];
        let batches = batches(&wanted, window(days), &Limits::default());
        batches.iter().map(|batch| batch.queries().len()).collect()
    }

    #[test]
    fn twenty_thousand_hosts_with_three_metrics_are_120_calls() {
        let fleet = fleet(20_000, "m7g.large");
        assert_eq!(sizes(&fleet, &three(), ACTIVITY_DAYS), [500; 120]);
        assert_eq!(sizes(&fleet[..167], &three(), ACTIVITY_DAYS), [500, 1]);
        assert!(sizes(&[], &three(), ACTIVITY_DAYS).is_empty());
        assert!(sizes(&fleet, &BTreeSet::new(), ACTIVITY_DAYS).is_empty());
    }

    #[test]
    fn what_a_host_cannot_have_is_not_paid_for() {
        let all = ActivityMetric::ALL.into();
        assert_eq!(sizes(&fleet(10, "m7g.large"), &all, 1), [50]);
        assert_eq!(sizes(&fleet(10, "t2.micro"), &all, 1), [30]);
    }

    #[test]
    fn a_host_that_is_named_twice_is_asked_for_once() {
        assert_eq!(sizes(&[fleet(2, "t3.small"), fleet(2, "t3.small")].concat(), &three(), 1), [6]);
    }

    #[test]
    fn only_the_very_name_of_a_question_is_one() {
        let fleet = fleet(1, "t3.small");
        let wanted = [Wanted { subjects: fleet, metrics: three() }];
        let batches = batches(&wanted, window(1), &Limits::default());
        let index = |id: &str| batches[0].index(id);
        assert_eq!(["q0", "q2"].map(index), [Some(0), Some(2)]);
        for other in ["q3", "q01", "q+1", "q-1", "q", "", "Q0", "q0 ", "p0", "q18446744073709551616"] {
            assert_eq!(index(other), None, "{other}");
        }
    }

    proptest! {
        /// No call holds more than it may, and each metric of each host is in one call.
        #[test]
        fn every_metric_is_asked_for_once_and_no_call_is_too_large(hosts in 0..400usize, days in 1..=MAX_DAYS) {
            let (fleet, limits) = (fleet(hosts, "m7g.large"), Limits::default());
            let wanted = [Wanted { subjects: fleet, metrics: ActivityMetric::ALL.into() }];
            let batches = batches(&wanted, window(days), &limits);
            let mut asked = BTreeSet::new();
            for batch in &batches {
                let queries = batch.queries();
                prop_assert!(!queries.is_empty() && queries.len() <= 500);
                prop_assert!(queries.len() * usize::from(days) <= 100_800);
                for query in queries {
                    prop_assert!(asked.insert((query.subject.host().clone(), query.metric)));
                }
            }
            prop_assert_eq!(asked.len(), hosts * 5);
        }
    }
}
