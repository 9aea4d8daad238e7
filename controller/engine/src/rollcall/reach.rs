//! Whom do alerts reach? Notification groups are told of monitors and services, tell other groups in turn, and use channels.
//!
//! Which check of an agent a group is told of is known by ids alone, and ids of checks are not: a group that is told of
//! an id which is no monitor's may be told of any check. What may be so is neither said to reach nor not to.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Reason;
use super::reasons::Reasons;
use super::registries::SystemView;
use crate::reading::{Failure, FailureKind};
use crate::registry::{
    Monitor, NotificationGroup, Notifications, OfService, Recipients, Routed, Scope, Watches,
};

/// Does an alert reach one of those it must?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// It does.
    Yes,
    /// It is proved not to.
    No,
    /// Nobody can tell.
    Unknown(Reason),
}

/// What an alert is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Alert<'m> {
    /// A monitor that is listed.
    Of(&'m Monitor),
    /// A check of an agent, whose id is not known.
    OfCheck,
}

/// Does an alert of a check reach one of `wanted`? Where a check tells itself who hears of it, that counts; else what the
/// listing of groups and channels says of hosts with these roles.
pub(super) fn of_check(
    system: &SystemView<'_>,
    heard_by: Option<&Recipients>,
    roles: &[Scope],
    wanted: &[Arc<str>],
    reasons: &mut Reasons,
) -> Reach {
    match heard_by {
        Some(names) if names.iter().any(|name| wanted.contains(name)) => Reach::Yes,
        Some(_) => Reach::No,
        None => routed(system, Alert::OfCheck, roles, wanted, reasons),
    }
}

/// Does an alert about a host with these roles reach one of `wanted`, by the listing of groups and channels?
pub(super) fn routed(
    system: &SystemView<'_>,
    alert: Alert<'_>,
    roles: &[Scope],
    wanted: &[Arc<str>],
    reasons: &mut Reasons,
) -> Reach {
    let unknown = |reasons: &mut Reasons, what: &str| {
        let message = format!("{}: {what}", system.system.key);
        Reach::Unknown(reasons.number(&Failure::new(FailureKind::NotSupported, message)))
    };
    let Some(sight) = &system.notifications else {
        return unknown(reasons, "it is not told whom alerts reach");
    };
    let Some(all) = sight.seen().filter(|_| sight.proof.is_some()) else {
        return Reach::Unknown(sight.reason());
    };
    let routes = Routes::new(all);
    let told = |by: fn(&NotificationGroup) -> &Vec<Routed>, is_it: &dyn Fn(&str) -> bool| {
        let groups = all.groups.iter().enumerate();
        groups
            .flat_map(|(number, group)| by(group).iter().map(move |routed| (number, routed)))
            .filter(|(_, routed)| is_it(&routed.of))
            .map(|(number, routed)| (number, routed.skips_default))
            .collect::<Vec<_>>()
    };
    let mut surely = told(|group| &group.services, &|name| roles.iter().any(|role| role.service == name));
    let maybe = match alert {
        Alert::Of(monitor) => {
            surely.extend(told(|group| &group.monitors, &|id| monitor.id == id));
            match &monitor.watches {
                Watches::External { service: OfService::Of(service), .. } => {
                    surely.extend(told(|group| &group.services, &|name| name == service));
                    Vec::new()
                }
                Watches::External { service: OfService::Untold, .. } => {
                    told(|group| &group.services, &|_| true)
                }
                _ => Vec::new(),
            }
        }
        Alert::OfCheck => {
            // Only a whole list of monitors tells which ids are no monitor's.
            let monitors = system.monitors.seen().filter(|_| system.monitors.proof.is_some());
            let listed = |id: &str| monitors.is_some_and(|all| all.iter().any(|monitor| monitor.id == id));
            told(|group| &group.monitors, &|id| !listed(id))
        }
    };
    let is_critical = match alert {
        Alert::Of(monitor) => may_be_critical(monitor),
        Alert::OfCheck => true,
    };
    let reaches =
        |groups: &[(usize, bool)]| groups.iter().any(|(group, _)| routes.reach(*group, is_critical, wanted));
    if reaches(&surely) {
        return Reach::Yes;
    }
    let by_default = !surely.iter().any(|(_, skips)| *skips) && reaches(&routes.default_group());
    let may_skip = maybe.iter().any(|(_, skips)| *skips);
    match (by_default, may_skip, reaches(&maybe)) {
        (true, false, _) => Reach::Yes,
        (true, true, _) | (false, _, true) => unknown(
            reasons,
            "a notification group is told of a check or a service, and it is not known of which",
        ),
        (false, _, false) => Reach::No,
    }
}

/// Alerts of a monitor with a warning threshold alone are never critical.
fn may_be_critical(monitor: &Monitor) -> bool {
    match &monitor.watches {
        Watches::HostMetric { warning, critical, .. } => critical.is_some() || warning.is_none(),
        Watches::Connectivity | Watches::External { .. } | Watches::Other(_) => true,
    }
}

/// Groups and channels by id.
struct Routes<'n> {
    all: &'n Notifications,
    groups: HashMap<&'n str, usize>,
    channels: HashMap<&'n str, &'n str>,
}

impl<'n> Routes<'n> {
    fn new(all: &'n Notifications) -> Self {
        let groups = all.groups.iter().enumerate().map(|(number, group)| (group.id.as_str(), number));
        let carrying = all.channels.iter().filter(|channel| channel.carries_alerts);
        Self {
            groups: groups.collect(),
            channels: carrying.map(|channel| (channel.id.as_str(), channel.name.as_str())).collect(),
            all,
        }
    }

    fn default_group(&self) -> Vec<(usize, bool)> {
        let groups = self.all.groups.iter().enumerate();
        groups.filter(|(_, group)| group.is_default).map(|(number, _)| (number, false)).collect()
    }

    /// Does a group, or one that it tells, use a channel of one of these names? Groups may tell each other in circles.
    fn reach(&self, group: usize, is_critical: bool, wanted: &[Arc<str>]) -> bool {
        let mut open = vec![group];
        let mut seen = BTreeSet::new();
        while let Some(number) = open.pop() {
            let Some(group) = self.all.groups.get(number).filter(|_| seen.insert(number)) else { continue };
            if group.only_critical && !is_critical {
                continue;
            }
            let mut names = group.channels.iter().filter_map(|id| self.channels.get(id.as_str()));
            if names.any(|name| wanted.iter().any(|wanted| **wanted == **name)) {
                return true;
            }
            open.extend(group.groups.iter().filter_map(|id| self.groups.get(id.as_str())));
        }
        false
    }
}

/// The names, as people read them: `sre-chat or PagerDuty`.
pub(super) fn names(wanted: &[Arc<str>]) -> String {
    let names: Vec<String> = wanted.iter().map(|name| crate::text::clean(name).to_string()).collect();
    names.join(" or ")
}
