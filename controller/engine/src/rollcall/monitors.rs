//! Does a monitor really watch a host? In scope, not excluded, not muted, alerting on the right side of a
//! threshold that is not too lax. `disk% > 100` watches nothing.

use std::collections::HashMap;
use std::sync::Arc;

use super::Reason;
use super::plan::{LookAt, MonitorLook};
use super::reach::{self, Alert, Reach, routed};
use super::reasons::Reasons;
use super::registries::SystemView;
use crate::fleet::Threshold;
use crate::registry::{Direction, Monitor, Scope, Watches};
use crate::text::clean;

/// How well a monitor that a check looks for watches the hosts of some roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// Really.
    Covered,
    /// It does, and its alerts do not reach whom they must.
    Unheard(Arc<str>),
    /// It would, were it not muted.
    Muted(Arc<str>),
    /// It exists, and does not.
    Weak(Arc<str>),
    /// There is none.
    Missing,
    /// Nobody can tell.
    Unknown(Reason),
}

/// The verdicts of one system, each worked out once per set of roles.
#[derive(Debug, Default)]
pub(super) struct Verdicts<'a> {
    /// Numbers of role sets as registrations have them.
    classes: HashMap<&'a [Scope], usize>,
    /// By number: the roles, and whether a running host is known to have just these.
    roles: Vec<(&'a [Scope], bool)>,
    watches: HashMap<(usize, usize), Watch>,
}

impl<'a> Verdicts<'a> {
    /// The number of a set of roles. `is_certain`: it is known to be a running host's.
    pub(super) fn class(&mut self, roles: &'a [Scope], is_certain: bool) -> usize {
        let number = *self.classes.entry(roles).or_insert(self.roles.len());
        match self.roles.get_mut(number) {
            Some((_, certain)) => *certain |= is_certain,
            None => self.roles.push((roles, is_certain)),
        }
        number
    }

    /// Every set of roles that a running host is known to have.
    pub(super) fn roles(&self) -> impl Iterator<Item = &'a [Scope]> {
        self.roles.iter().filter(|(_, is_certain)| *is_certain).map(|(roles, _)| *roles)
    }

    /// How well hosts with the roles of this number are watched.
    pub(super) fn watch(
        &mut self,
        system: &SystemView<'a>,
        class: usize,
        number: usize,
        look: MonitorLook<'_>,
        reasons: &mut Reasons,
    ) -> Watch {
        let roles = self.roles.get(class).map_or(&[][..], |(roles, _)| *roles);
        self.watches.entry((class, number)).or_insert_with(|| judge(system, roles, look, reasons)).clone()
    }

    /// The roles of a number.
    pub(super) fn roles_of(&self, class: usize) -> &'a [Scope] {
        self.roles.get(class).map_or(&[][..], |(roles, _)| *roles)
    }
}

/// Presence is believed of a fresh listing at any extent, absence and weakness only of a complete one: the
/// page that is missing may hold the better monitor.
pub(super) fn judge(
    system: &SystemView<'_>,
    roles: &[Scope],
    MonitorLook { at: look, notifies }: MonitorLook<'_>,
    reasons: &mut Reasons,
) -> Watch {
    let sight = &system.monitors;
    let mut monitors: Vec<&Monitor> =
        sight.seen().into_iter().flatten().filter(|m| concerns(m, look)).collect();
    monitors.sort_by(|a, b| a.id.cmp(&b.id));
    let good = |monitor: &&Monitor| monitor.covers(roles) && is_strict(monitor, look).is_ok();
    let mut unheard = None;
    let mut doubt = None;
    if sight.is_fresh {
        for monitor in monitors.iter().filter(|monitor| good(monitor) && !monitor.muted) {
            let Some(wanted) = notifies else { return Watch::Covered };
            match routed(system, Alert::Of(monitor), roles, wanted, reasons) {
                Reach::Yes => return Watch::Covered,
                Reach::No => unheard = unheard.or(Some((*monitor, wanted))),
                Reach::Unknown(reason) => doubt = doubt.or(Some(reason)),
            }
        }
    }
    if let Some(reason) = doubt {
        return Watch::Unknown(reason);
    }
    if sight.proof.is_none() {
        return Watch::Unknown(sight.reason());
    }
    if let Some((monitor, wanted)) = unheard {
        let whom = reach::names(wanted);
        return Watch::Unheard(format!("alerts of monitor {} do not reach {whom}", name(monitor)).into());
    }
    if let Some(muted) = monitors.iter().find(|monitor| good(monitor)) {
        return Watch::Muted(name(muted));
    }
    let Some(nearest) = monitors.iter().min_by_key(|monitor| is_strict(monitor, look).is_err()) else {
        return Watch::Missing;
    };
    let why = match is_strict(nearest, look) {
        Ok(()) => "its scopes leave the host out".to_owned(),
        Err(why) => why,
    };
    Watch::Weak(format!("monitor {} exists, but {why}", name(nearest)).into())
}

pub(super) fn concerns(monitor: &Monitor, look: LookAt<'_>) -> bool {
    match (&monitor.watches, look) {
        (Watches::HostMetric { metric, .. }, LookAt::Metric(wanted, _)) => metric == wanted,
        (Watches::Connectivity, LookAt::Connectivity) => true,
        (Watches::External { url, .. }, LookAt::External(wanted)) => url == wanted,
        _ => false,
    }
}

/// Is it strict enough, or why not.
fn is_strict(monitor: &Monitor, look: LookAt<'_>) -> Result<(), String> {
    let (Watches::HostMetric { direction, warning, critical, .. }, LookAt::Metric(_, wanted)) =
        (&monitor.watches, look)
    else {
        return Ok(());
    };
    let thresholds = [*warning, *critical].into_iter().flatten();
    if thresholds.clone().next().is_none() {
        return Err("it has no threshold".to_owned());
    }
    let Threshold { direction: Some(side), laxest: Some(laxest) } = wanted else { return Ok(()) };
    if *direction != side {
        return Err(format!("it alerts {} a value, not {} it", word(*direction), word(side)));
    }
    let mut thresholds = thresholds;
    let is_strict = match side {
        Direction::Above => thresholds.any(|value| value <= laxest),
        Direction::Below => thresholds.any(|value| value >= laxest),
    };
    if is_strict {
        return Ok(());
    }
    let found: Vec<String> =
        [*warning, *critical].into_iter().flatten().map(|value| value.to_string()).collect();
    let bound = if side == Direction::Above { "at most" } else { "at least" };
    Err(format!("it alerts only {} {}, {bound} {laxest} is asked for", word(side), found.join(" and ")))
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Above => "above",
        Direction::Below => "below",
    }
}

/// The monitor as people know it.
fn name(monitor: &Monitor) -> Arc<str> {
    if monitor.name.trim().is_empty() {
        Arc::from("connectivity")
    } else {
        format!("\"{}\"", clean(&monitor.name)).into()
    }
}
