//! What proves that a host is not used, as it is written down when it is proposed.

use jiff::Timestamp;

use super::Pass;
use super::live::Scene;
use crate::activity::{Activity, ActivityMetric, Day, Told, Window};
use crate::ids::ObjectKey;
use crate::lean::{self, Rule, Use};
use crate::limits::ACTIVITY_SETTLES;
use crate::notice::Peak;
use crate::retirement::{Path, Retirement};

/// What was seen of a host.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// It ran, and did nothing.
    Idle {
        /// The first day of its idleness, as far as it is known.
        since: Day,
        /// The first day that was looked at.
        first: Day,
        /// The last one.
        last: Day,
        /// Each signal of the rule.
        signals: Vec<SignalPeak>,
    },
    /// It was stopped by somebody.
    Stopped {
        /// Since when.
        since: Timestamp,
    },
}

/// One signal over all the days, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalPeak {
    /// `CPU below 5 %`
    pub signal: String,
    /// `1.2 %`, or why there is none.
    pub most: String,
    /// The latest day on which it was so much.
    pub day: Option<Day>,
}

/// What is known now of a host that is on its way; none while its activity is not here.
pub(super) fn of(pass: Pass<'_>, scene: &Scene<'_>, retirement: &Retirement) -> Option<Evidence> {
    let id = &retirement.spec.incarnation.host;
    if retirement.spec.path == Path::LongStopped {
        return scene.stopped_since(id).map(|since| Evidence::Stopped { since });
    }
    let Some(Use::Idle(idle)) = &pass.roll.hosts.get(id)?.used else { return None };
    let (rule, activity) = read(pass, scene, retirement)?;
    let seen = lean::evidence(rule, id, activity, activity.window.last());
    let signals = seen.signals.iter().map(|seen| SignalPeak {
        signal: seen.test.to_string(),
        most: seen.most.map_or_else(
            || (if seen.not_applicable { "such a host has none" } else { "-" }).to_owned(),
            |(_, most)| seen.test.signal.told(most),
        ),
        day: seen.most.map(|(day, _)| day),
    });
    Some(Evidence::Idle { since: idle.since, first: seen.first, last: seen.last, signals: signals.collect() })
}

/// The days of the rule, and the most of each metric on any of them.
pub(super) fn peaks(
    pass: Pass<'_>,
    scene: &Scene<'_>,
    retirement: &Retirement,
) -> Option<(Window, Vec<Peak>)> {
    let id = &retirement.spec.incarnation.host;
    let (rule, activity) = read(pass, scene, retirement)?;
    let settled = activity.window.last().plus(1).begin().checked_add(ACTIVITY_SETTLES).ok()?;
    let window = Window::whole_days(settled, rule.days());
    let most = |metric: ActivityMetric| {
        let values = window.iter().filter_map(|day| match activity.told(id, metric, day) {
            Told::Value(value) => Some(f64::from(value)),
            Told::NoData | Told::NotApplicable | Told::NotRead(_) => None,
        });
        Some(Peak { metric, most: values.reduce(f64::max)? })
    };
    Some((window, rule.metrics(id.is_database()).into_iter().filter_map(most).collect()))
}

fn read<'a>(pass: Pass<'a>, scene: &Scene<'a>, retirement: &Retirement) -> Option<(&'a Rule, &'a Activity)> {
    let environment: &ObjectKey = &retirement.spec.environment;
    let rule = &scene.environment(environment)?.lean.as_ref()?.rule;
    let host = pass.roll.hosts.get(&retirement.spec.incarnation.host)?;
    Some((rule, pass.snapshot.activities.get(&host.place)?))
}
