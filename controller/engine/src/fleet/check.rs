//! `RequiredCheck`, parsed: what must be watched, where, on whom, and when somebody must ask again whether it
//! is needed. A check with a fault keeps its rows, all unknown: a typo must not make a fleet look covered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use rollcall_crds::v1alpha1 as api;

use super::desired::Kind;
use super::problem::{Fault, Problems};
use super::selector::LabelMatcher;
use super::template::Template;
use crate::ids::ObjectKey;
use crate::registry::Direction;

/// One required check.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) key: ObjectKey,
    pub(crate) severity: api::Severity,
    /// Environments by label; none: all that see it. `Err`: cannot be understood.
    pub(crate) environments: Option<LabelMatcher>,
    pub(crate) roles: Vec<Arc<str>>,
    pub(crate) except_roles: Vec<Arc<str>>,
    /// Alternatives: covered when so many different systems among them watch the host.
    pub(crate) ways: Vec<Way>,
    pub(crate) at_least: usize,
    /// How its author says it is put right.
    pub(crate) fix: Option<Arc<str>>,
    /// Day of the next review.
    pub(crate) review_due: Option<Date>,
    /// What is looked for, as people know it: `"check-ntp"`, `"disk%" or "check-disk"`, `"http" or "app-http" in 2 systems`.
    pub(crate) looks_for: Arc<str>,
    /// Why nobody can judge it, when something in it cannot be understood.
    pub(crate) fault: Option<String>,
}

/// One way to watch a host.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) system: Arc<str>,
    pub(crate) looks: Looks,
}

/// What a way looks for in its system.
#[derive(Debug)]
pub(crate) enum Looks {
    /// A check known by its name.
    Check(Template),
    /// A monitor on a metric of the host.
    Metric(Template, Threshold),
    /// A monitor on whether the host answers.
    Connectivity,
}

/// How strict a metric monitor must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Threshold {
    /// On which side it must alert; none: either.
    pub(crate) direction: Option<Direction>,
    /// The laxest value it may have; none: any, but there must be one.
    pub(crate) laxest: Option<f64>,
}

impl Check {
    /// The first moment at which its review is overdue: the day after it was due, in UTC.
    pub(crate) fn overdue_from(&self) -> Option<Timestamp> {
        start_of_day(self.review_due?.tomorrow().ok()?)
    }
}

/// Parses all checks. Whether the roles and systems they name exist is asked per environment, in the ledger.
pub(crate) fn parse(specs: &[api::RequiredCheck], problems: &mut Problems) -> BTreeMap<ObjectKey, Check> {
    specs.iter().map(|spec| parse_one(spec, problems)).map(|check| (check.key.clone(), check)).collect()
}

fn parse_one(spec: &api::RequiredCheck, problems: &mut Problems) -> Check {
    let key = super::key_of(spec.metadata.namespace.as_ref(), spec.metadata.name.as_ref());
    let applies = &spec.spec.applies_to;
    let mut faults = Vec::new();
    let environments = applies.environments.as_ref().and_then(|labels| {
        LabelMatcher::parse(labels, "spec.appliesTo.environments").map_err(|fault| faults.push(fault)).ok()
    });
    if applies.roles.is_empty() {
        faults.push(Fault::empty_selector("spec.appliesTo.roles"));
    }
    let mut ways = Vec::new();
    for (index, way) in spec.spec.watched.by.iter().enumerate() {
        match Way::parse(way, &format!("spec.watched.by[{index}]")) {
            Ok(way) => ways.push(way),
            Err(fault) => faults.push(fault),
        }
    }
    if spec.spec.watched.by.is_empty() {
        faults.push(Fault::empty_selector("spec.watched.by"));
    }
    let at_least = usize::try_from(spec.spec.watched.at_least).unwrap_or(1).max(1);
    let systems: BTreeSet<&str> = ways.iter().map(|way| &*way.system).collect();
    if faults.is_empty() && systems.len() < at_least {
        faults.push(Fault::new(
            "BadAtLeast",
            format!(
                "spec.watched.atLeast: expected at most {}, for by names that many different systems, found {at_least}",
                systems.len()
            ),
        ));
    }
    let fault = faults.first().map(|fault| fault.message().to_owned());
    // A review date that cannot be read does not touch what the check requires.
    let review_due = spec
        .spec
        .review
        .as_ref()
        .and_then(|review| due(review, "spec.review").map_err(|fault| faults.push(fault)).ok());
    for fault in faults {
        problems.add(Kind::RequiredCheck, &key, fault);
    }
    Check {
        severity: spec.spec.severity,
        environments,
        roles: applies.roles.iter().map(|role| role.as_str().into()).collect(),
        except_roles: applies.except_roles.iter().flatten().map(|role| role.as_str().into()).collect(),
        looks_for: looks_for(&ways, at_least),
        ways,
        at_least,
        fix: spec.spec.fix.as_deref().map(Arc::from),
        review_due,
        fault,
        key,
    }
}

impl Way {
    fn parse(spec: &api::WatchedBy, field: &str) -> Result<Self, Fault> {
        let looks = match (&spec.check, &spec.host_metric, &spec.connectivity) {
            (Some(check), None, None) => {
                Looks::Check(Template::parse(&check.name, &format!("{field}.check.name"))?)
            }
            (None, Some(metric), None) => Looks::Metric(
                Template::parse(&metric.metric, &format!("{field}.hostMetric.metric"))?,
                Threshold::parse(metric, &format!("{field}.hostMetric"))?,
            ),
            (None, None, Some(_)) => Looks::Connectivity,
            _ => {
                return Err(Fault::new(
                    "BadWay",
                    format!(
                        "{field}: expected exactly one of check, hostMetric, connectivity; one entry is one way to watch"
                    ),
                ));
            }
        };
        Ok(Self { system: spec.system.as_str().into(), looks })
    }
}

impl Threshold {
    fn parse(spec: &api::HostMetric, field: &str) -> Result<Self, Fault> {
        // Thresholds are percentages, bytes or counts: far below 2^53, where f64 stops being exact.
        #[allow(clippy::cast_precision_loss)]
        let exact = |value: i64| Some(value as f64);
        match (spec.threshold_at_most, spec.threshold_at_least) {
            (Some(_), Some(_)) => Err(Fault::new(
                "BadThreshold",
                format!(
                    "{field}: expected thresholdAtMost or thresholdAtLeast, found both; a monitor alerts on one side"
                ),
            )),
            (Some(value), None) => Ok(Self { direction: Some(Direction::Above), laxest: exact(value) }),
            (None, Some(value)) => Ok(Self { direction: Some(Direction::Below), laxest: exact(value) }),
            (None, None) => Ok(Self { direction: None, laxest: None }),
        }
    }
}

fn due(review: &api::Review, field: &str) -> Result<Date, Fault> {
    let last = parse_date(&review.last, &format!("{field}.last"))?;
    last.checked_add(Span::new().days(review.every_days.max(1))).map_err(|_| {
        Fault::new(
            "BadDate",
            format!("{field}.everyDays: expected at most 3650 days, found {}", review.every_days),
        )
    })
}

/// A day, `YYYY-MM-DD`.
pub(crate) fn parse_date(text: &str, field: &str) -> Result<Date, Fault> {
    text.parse().map_err(|_| {
        Fault::new("BadDate", format!("{field}: expected a day that exists, as YYYY-MM-DD, found {text:?}"))
    })
}

/// The first moment of a day in UTC.
pub(crate) fn start_of_day(day: Date) -> Option<Timestamp> {
    day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn looks_for(ways: &[Way], at_least: usize) -> Arc<str> {
    let mut names: Vec<String> = Vec::new();
    for way in ways {
        let name = match &way.looks {
            Looks::Check(name) | Looks::Metric(name, _) => {
                format!("\"{}\"", crate::text::clean(name.as_written()))
            }
            Looks::Connectivity => "connectivity".to_owned(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let names = names.join(" or ");
    if at_least > 1 { format!("{names} in {at_least} systems").into() } else { names.into() }
}
