//! How many hosts of each duty have what: checks, monitors on metrics, connectivity. Pure.
//!
//! Of a host whose checks could not be read nothing is counted, neither that it has them nor that it has not.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_crds::v1alpha1::HostMetric;
use rollcall_engine::registry::{Direction, Monitor, Watches};
use rollcall_engine::text::clean;

use super::environments::Environments;
use super::names::slug;
use super::observe::{Host, Observed};
use super::roles::Duties;
use crate::write::can_stand;

/// The parameter that stands for an environment in the names of checks.
pub const PARAMETER: &str = "site";
/// Longest name of a check or metric that a manifest takes.
const MOST_NAME: usize = 256;
/// Thresholds that a manifest takes lie between this and its opposite.
const MOST_THRESHOLD: f64 = 1e15;

/// What a host can have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// It is noticed when it no longer answers.
    Connectivity,
    /// A metric with a threshold.
    Metric(String),
    /// A check of this name; `${env.site}` stands for the environment.
    Check(String),
}

impl Item {
    /// As people read it.
    pub fn label(&self) -> String {
        match self {
            Self::Connectivity => "connectivity".to_owned(),
            Self::Metric(name) | Self::Check(name) => clean(name).to_string(),
        }
    }

    /// What a check is about, by the first word of its name: `jvm` of `check-jvm-gc`.
    pub fn topic(&self) -> Option<String> {
        let Self::Check(name) = self else { return None };
        let name = name.strip_prefix("check-").unwrap_or(name);
        slug(name.split(['-', '_', '.', ' ']).next()?)
    }
}

/// How many hosts of a duty have something, and of how many it is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Share {
    /// Hosts that have it.
    pub having: usize,
    /// Hosts of which it is known.
    pub known: usize,
}

/// Shares by item and duty.
pub type Shares = BTreeMap<Item, BTreeMap<String, Share>>;

/// Counts over the running hosts of every duty.
pub fn count(
    observed: &Observed<'_>,
    environments: &Environments,
    duties: &Duties,
    monitors: &[Monitor],
) -> Shares {
    let sites = Sites::new(observed, environments);
    let mut shares = Shares::new();
    for duty in &duties.list {
        let is_running = |host: &usize| observed.hosts.get(*host).is_some_and(|host| host.is_running);
        let hosts: Vec<usize> = duty.hosts.iter().copied().filter(is_running).collect();
        count_checks(observed, &sites, &duty.name, &hosts, &mut shares);
        count_monitors(observed, monitors, &duty.name, &hosts, &mut shares);
    }
    shares
}

/// Names of checks that differ only by the environment they run in.
struct Sites<'e> {
    of_host: Vec<Option<&'e str>>,
    /// Templates that more than one environment fills.
    common: BTreeSet<String>,
}

impl<'e> Sites<'e> {
    fn new(observed: &Observed<'_>, environments: &'e Environments) -> Self {
        let name = |number: &Option<usize>| environments.list.get((*number)?).map(|one| one.name.as_str());
        let of_host: Vec<Option<&str>> = environments.of_host.iter().map(name).collect();
        let mut sites: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (host, site) in observed.hosts.iter().zip(&of_host) {
            for check in host.checks.iter().flatten() {
                if let Some((template, site)) =
                    site.and_then(|site| Some((template(check.as_str(), site)?, site)))
                {
                    sites.entry(template).or_default().insert(site);
                }
            }
        }
        let common = sites.into_iter().filter(|(_, sites)| sites.len() > 1).map(|(template, _)| template);
        Self { of_host, common: common.collect() }
    }

    /// A check's name as it is required, or none where it cannot be written.
    fn name(&self, host: usize, check: &str) -> Option<String> {
        if !fits(check) {
            return None;
        }
        let site = self.of_host.get(host).copied().flatten();
        let template = site.and_then(|site| template(check, site));
        let is_common =
            |template: &String| self.common.contains(template) && template.chars().count() <= MOST_NAME;
        Some(template.filter(is_common).unwrap_or_else(|| check.to_owned()))
    }
}

/// Can a name stand in a manifest, and mean itself there?
fn fits(name: &str) -> bool {
    (1..=MOST_NAME).contains(&name.chars().count()) && !name.contains("${") && can_stand(name)
}

/// `check-cert-${env.site}` of `check-cert-jp1` in jp1. Only the last part of a name is taken for its environment.
fn template(check: &str, site: &str) -> Option<String> {
    let stem = check.strip_suffix(site)?;
    let is_part = stem.ends_with(['-', '_', '.']) && !check.contains("${");
    is_part.then(|| format!("{stem}${{env.{PARAMETER}}}"))
}

fn count_checks(observed: &Observed<'_>, site: &Sites<'_>, duty: &str, hosts: &[usize], shares: &mut Shares) {
    let known: Vec<(usize, &Host<'_>)> = hosts
        .iter()
        .filter_map(|host| Some((*host, observed.hosts.get(*host)?)))
        .filter(|(_, host)| host.checks.is_some())
        .collect();
    for (number, host) in &known {
        let names: BTreeSet<String> =
            host.checks.iter().flatten().filter_map(|check| site.name(*number, check.as_str())).collect();
        for name in names {
            let of_duty = shares.entry(Item::Check(name)).or_default();
            let share = of_duty.entry(duty.to_owned()).or_default();
            share.having += 1;
            share.known = known.len();
        }
    }
}

fn count_monitors(
    observed: &Observed<'_>,
    monitors: &[Monitor],
    duty: &str,
    hosts: &[usize],
    shares: &mut Shares,
) {
    let registered: Vec<_> =
        hosts.iter().filter_map(|host| observed.hosts.get(*host)?.registration).collect();
    for registration in &registered {
        let covering = monitors.iter().filter(|monitor| monitor.covers(&registration.roles));
        let items: BTreeSet<Item> = covering.filter_map(item).collect();
        for item in items {
            let share = shares.entry(item).or_default().entry(duty.to_owned()).or_default();
            share.having += 1;
            share.known = registered.len();
        }
    }
}

/// What a monitor gives a host that it covers.
pub fn item(monitor: &Monitor) -> Option<Item> {
    match &monitor.watches {
        Watches::Connectivity => Some(Item::Connectivity),
        Watches::HostMetric { metric, .. } if fits(metric) => Some(Item::Metric(metric.clone())),
        Watches::HostMetric { .. } | Watches::External { .. } | Watches::Other(_) => None,
    }
}

/// The laxest threshold that stands somewhere today.
pub fn laxest(monitors: &[Monitor], metric: &str) -> HostMetric {
    let mut found =
        HostMetric { metric: metric.to_owned(), threshold_at_most: None, threshold_at_least: None };
    for monitor in monitors {
        let Watches::HostMetric { metric: of, direction, warning, critical } = &monitor.watches else {
            continue;
        };
        let thresholds = [*warning, *critical].into_iter().flatten();
        for value in thresholds.filter(|value| of == metric && value.abs() <= MOST_THRESHOLD) {
            match direction {
                Direction::Above => {
                    found.threshold_at_most = found.threshold_at_most.max(Some(whole(value.ceil())));
                }
                Direction::Below => {
                    let value = whole(value.floor());
                    found.threshold_at_least =
                        Some(found.threshold_at_least.map_or(value, |known| known.min(value)));
                }
            }
        }
    }
    if found.threshold_at_most.is_some() {
        found.threshold_at_least = None;
    }
    found
}

/// A threshold as a whole number; its size was looked at.
#[allow(clippy::cast_possible_truncation, reason = "at most 1e15, and a whole number")]
fn whole(value: f64) -> i64 {
    value as i64
}
