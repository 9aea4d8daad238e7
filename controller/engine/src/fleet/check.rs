//! `RequiredCheck`, parsed: what must be watched, where, on whom, from when, and when somebody must ask again whether it
//! is needed. A check with a fault keeps its rows, all unknown: a typo must not make a fleet look covered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use rollcall_crds::v1alpha1 as api;

use super::assertion::Assertion;
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
    pub(crate) subject: api::CheckSubject,
    pub(crate) services: Services,
    /// None: whatever role a host plays.
    pub(crate) roles: Option<Vec<Arc<str>>>,
    pub(crate) except_roles: Vec<Arc<str>>,
    /// Before this day it is only counted.
    pub(crate) enforce_from: Option<Date>,
    /// Alternatives: covered when so many different systems among them watch the host.
    pub(crate) ways: Vec<Way>,
    pub(crate) at_least: usize,
    /// What must be true of AWS instead; then there are no ways.
    pub(crate) assertion: Option<Assertion>,
    /// How its author says it is put right.
    pub(crate) fix: Option<Arc<str>>,
    /// Day of the next review.
    pub(crate) review_due: Option<Date>,
    /// What is looked for, as people know it: `"check-ntp"`, `"disk%" or "check-disk"`, `"http" or "app-http" in 2 systems`.
    pub(crate) looks_for: Arc<str>,
    /// Why nobody can judge it, when something in it cannot be understood.
    pub(crate) fault: Option<String>,
}

/// Which services of AWS run the hosts that a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Services {
    pub(crate) ec2: bool,
    pub(crate) rds: bool,
}

/// One way to watch a host or an environment.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) system: Arc<str>,
    pub(crate) looks: Looks,
    /// Whom its alerts must reach: any one of these; none: nobody asks.
    pub(crate) notifies: Option<Arc<[Arc<str>]>>,
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
    /// A monitor that asks for this URL.
    External(Template),
    /// A check of this name on a host of this name, there.
    Hosted { host: Template, name: Template },
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
    faults.extend(whom(spec.spec.subject, applies));
    let (ways, at_least) = watched(&spec.spec, &mut faults);
    let assertion = spec.spec.assertion.as_ref().and_then(|assertion| {
        asserted(assertion, spec.spec.subject).map_err(|fault| faults.push(fault)).ok()
    });
    let services = Services::parse(applies.services.as_deref()).and(assertion.as_ref());
    if faults.is_empty() && assertion.is_some() && services == (Services { ec2: false, rds: false }) {
        faults.push(Fault::new(
            "BadAppliesTo",
            "spec.appliesTo.services: expected EC2 for assertion.ec2, and RDS for assertion.rds; found the other, so that it applies \
             to nobody"
                .to_owned(),
        ));
    }
    let fault = faults.first().map(|fault| fault.message().to_owned());
    // A review date that cannot be read does not touch what the check requires.
    let review_due = spec
        .spec
        .review
        .as_ref()
        .and_then(|review| due(review, "spec.review").map_err(|fault| faults.push(fault)).ok());
    // One that nobody can read is enforced: a typo must not switch a check off.
    let enforce_from = spec
        .spec
        .enforce_from
        .as_ref()
        .and_then(|day| parse_date(day, "spec.enforceFrom").map_err(|fault| faults.push(fault)).ok());
    for fault in faults {
        problems.add(Kind::RequiredCheck, &key, fault);
    }
    let names = |roles: &Vec<String>| roles.iter().map(|role| role.as_str().into()).collect();
    Check {
        severity: spec.spec.severity,
        environments,
        subject: spec.spec.subject,
        services,
        roles: applies.roles.as_ref().map(names),
        enforce_from,
        except_roles: applies.except_roles.iter().flatten().map(|role| role.as_str().into()).collect(),
        looks_for: assertion.as_ref().map_or_else(
            || looks_for(&ways, at_least),
            |assertion| format!("{} of {}", key.name, assertion.what()).into(),
        ),
        assertion,
        ways,
        at_least,
        fix: spec.spec.fix.as_deref().map(Arc::from),
        review_due,
        fault,
        key,
    }
}

/// The ways to watch, and how many systems must. A check watches or asserts, never both.
fn watched(spec: &api::RequiredCheckSpec, faults: &mut Vec<Fault>) -> (Vec<Way>, usize) {
    let Some(watched) = &spec.watched else {
        if spec.assertion.is_none() {
            faults.push(Fault::empty_selector("spec.watched.by"));
        }
        return (Vec::new(), 1);
    };
    if spec.assertion.is_some() {
        faults.push(Fault::new(
            "BadCheck",
            "spec: expected one of watched and assertion, found both; write two checks".to_owned(),
        ));
    }
    let mut ways = Vec::new();
    for (index, way) in watched.by.iter().enumerate() {
        match Way::parse(way, spec.subject, &format!("spec.watched.by[{index}]")) {
            Ok(way) => ways.push(way),
            Err(fault) => faults.push(fault),
        }
    }
    if watched.by.is_empty() {
        faults.push(Fault::empty_selector("spec.watched.by"));
    }
    let at_least = usize::try_from(watched.at_least).unwrap_or(1).max(1);
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
    (ways, at_least)
}

fn asserted(spec: &api::Assertion, subject: api::CheckSubject) -> Result<Assertion, Fault> {
    let assertion = Assertion::parse(spec)?;
    if assertion.is_about_hosts() != (subject == api::CheckSubject::Host) {
        return Err(Fault::new(
            "BadAssertion",
            format!(
                "spec.assertion: expected ec2 or rds for subject Host, and another for subject Environment, found one of a {}",
                assertion.what()
            ),
        ));
    }
    Ok(assertion)
}

/// What is wrong with whom it applies to.
fn whom(subject: api::CheckSubject, applies: &api::AppliesTo) -> Option<Fault> {
    let is_empty = |roles: &Option<Vec<String>>| roles.as_ref().is_some_and(Vec::is_empty);
    let names_hosts = applies.roles.is_some() || applies.services.is_some();
    match subject {
        api::CheckSubject::Host if !names_hosts || is_empty(&applies.roles) => {
            Some(Fault::empty_selector("spec.appliesTo.roles"))
        }
        api::CheckSubject::Host if applies.services.as_ref().is_some_and(Vec::is_empty) => {
            Some(Fault::empty_selector("spec.appliesTo.services"))
        }
        api::CheckSubject::Environment if names_hosts || applies.except_roles.is_some() => Some(Fault::new(
            "BadAppliesTo",
            "spec.appliesTo: expected environments alone for subject Environment, found roles or services, which belong to \
             hosts"
                .to_owned(),
        )),
        api::CheckSubject::Host | api::CheckSubject::Environment => None,
    }
}

impl Services {
    fn parse(services: Option<&[api::HostService]>) -> Self {
        let has = |service| services.is_none_or(|services| services.contains(&service));
        Self { ec2: has(api::HostService::EC2), rds: has(api::HostService::RDS) }
    }

    /// Of these, the ones that an assertion can be about.
    fn and(self, assertion: Option<&Assertion>) -> Self {
        match assertion {
            Some(assertion) if assertion.is_about_instances() => Self { rds: false, ..self },
            Some(assertion) if assertion.is_about_hosts() => Self { ec2: false, ..self },
            _ => self,
        }
    }

    /// Is a host meant that is a database, or one that is not?
    pub(crate) fn mean(self, is_database: bool) -> bool {
        if is_database { self.rds } else { self.ec2 }
    }
}

impl Way {
    fn parse(spec: &api::WatchedBy, subject: api::CheckSubject, field: &str) -> Result<Self, Fault> {
        let template = |text: &str, of: &str| Template::parse(text, &format!("{field}.{of}"));
        let mut looks = Vec::new();
        if let Some(check) = &spec.check {
            looks.push(Looks::Check(template(&check.name, "check.name")?));
        }
        if let Some(metric) = &spec.host_metric {
            let threshold = Threshold::parse(metric, &format!("{field}.hostMetric"))?;
            looks.push(Looks::Metric(template(&metric.metric, "hostMetric.metric")?, threshold));
        }
        if spec.connectivity.is_some() {
            looks.push(Looks::Connectivity);
        }
        if let Some(external) = &spec.external {
            looks.push(Looks::External(template(&external.url, "external.url")?));
        }
        if let Some(service) = &spec.service {
            let host = template(&service.host, "service.host")?;
            looks.push(Looks::Hosted { host, name: template(&service.description, "service.description")? });
        }
        let (Some(one), true) = (looks.pop(), looks.is_empty()) else {
            return Err(Fault::new(
                "BadWay",
                format!(
                    "{field}: expected exactly one of check, hostMetric, connectivity, external, service; one entry is one way \
                     to watch"
                ),
            ));
        };
        if one.watches() != subject {
            return Err(Fault::new(
                "BadWay",
                format!(
                    "{field}: expected external or service for subject Environment, and check, hostMetric or connectivity for \
                     subject Host; found one of the other"
                ),
            ));
        }
        if spec.notifies.as_ref().is_some_and(Vec::is_empty) {
            return Err(Fault::empty_selector(&format!("{field}.notifies")));
        }
        let names = |names: &Vec<String>| names.iter().map(|name| name.as_str().into()).collect();
        Ok(Self {
            system: spec.system.as_str().into(),
            looks: one,
            notifies: spec.notifies.as_ref().map(names),
        })
    }
}

impl Looks {
    /// What it can watch.
    fn watches(&self) -> api::CheckSubject {
        match self {
            Self::Check(_) | Self::Metric(..) | Self::Connectivity => api::CheckSubject::Host,
            Self::External(_) | Self::Hosted { .. } => api::CheckSubject::Environment,
        }
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
    // The API server takes no more than 3650; a file may say anything.
    let after = Span::new().try_days(review.every_days.max(1));
    after.and_then(|after| last.checked_add(after)).map_err(|_| {
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
    start_of_day_in(day, &TimeZone::UTC)
}

/// The first moment of a day where clocks show this time.
pub(crate) fn start_of_day_in(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    day.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

fn looks_for(ways: &[Way], at_least: usize) -> Arc<str> {
    let mut names: Vec<String> = Vec::new();
    for way in ways {
        let name = match &way.looks {
            Looks::Check(name)
            | Looks::Metric(name, _)
            | Looks::External(name)
            | Looks::Hosted { name, .. } => {
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
