//! The ledgers, made quick: every name and every monitor that some check looks for gets a number once per pass,
//! so that a million rows compare numbers and no text.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::reasons::{NOT_JUDGED, Reasons};
use super::{Pass, Reason};
use crate::fleet::{CheckDemand, Demand, EnvironmentWay, Look, Threshold};
use crate::registry::Url;

/// What is looked for in all systems, and every ledger in those terms.
#[derive(Debug, Default)]
pub(super) struct Plans<'a> {
    /// By number of the system.
    pub(super) wanted: Vec<Wanted<'a>>,
    /// By number of the environment, in ledger order.
    pub(super) ledgers: Vec<Vec<EntryPlan>>,
}

/// What anybody looks for in one system.
#[derive(Debug, Default)]
pub(super) struct Wanted<'a> {
    /// Numbers of check names.
    pub(super) names: HashMap<&'a str, u32>,
    /// Monitors looked for, by number.
    pub(super) monitors: Vec<MonitorLook<'a>>,
    /// Whom alerts of some check must reach, by number.
    pub(super) recipients: Vec<&'a [Arc<str>]>,
    /// By environment: the numbers of the names that its checks look for.
    pub(super) asked: HashMap<usize, HashSet<u32>>,
    /// Names of hosts there that need be none of ours, for a check of an environment looks at them.
    pub(super) hosted: BTreeSet<&'a str>,
}

/// A monitor that a check looks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MonitorLook<'a> {
    pub(super) at: LookAt<'a>,
    /// Whom its alerts must reach; none: nobody asks.
    pub(super) notifies: Option<&'a [Arc<str>]>,
}

/// What a monitor looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum LookAt<'a> {
    Metric(&'a str, Threshold),
    Connectivity,
    External(&'a Url),
}

/// One requirement in numbers.
#[derive(Debug)]
pub(super) enum EntryPlan {
    /// Registered in the system of this number, or why nobody can tell.
    Registered(Result<usize, Reason>),
    /// Watched in these ways by so many different systems.
    Check(Vec<Result<WayPlan, Reason>>, usize),
    /// Nobody can judge it.
    Unjudged(Reason),
    /// It asserts something of each host itself, and is judged host by host.
    Asserted,
    /// It is not about hosts.
    OfEnvironment,
}

/// One way in numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct WayPlan {
    /// Number of the system.
    pub(super) system: usize,
    pub(super) looks: LookPlan,
    /// Whom alerts of a check by name must reach: number in the system's [`Wanted::recipients`].
    pub(super) notifies: Option<usize>,
    /// Number of the way in its check, for messages.
    pub(super) way: usize,
}

/// What is looked for, in numbers.
#[derive(Clone, Copy, Debug)]
pub(super) enum LookPlan {
    /// A check name of the system's [`Wanted::names`].
    Name(u32),
    /// A monitor of the system's [`Wanted::monitors`].
    Monitor(usize),
    /// The monitor on whether the host answers, of the same list: it does its work on a silent host too.
    Connectivity(usize),
}

impl<'a> Plans<'a> {
    /// Numbers everything in the ledgers of the fleet.
    pub(super) fn new(pass: &Pass<'a>, reasons: &mut Reasons) -> Self {
        let mut plans = Self::default();
        plans.wanted.resize_with(pass.fleet.systems.len(), Wanted::default);
        for (number, environment) in pass.fleet.environments.iter().enumerate() {
            let ledger = environment.ledger.iter().map(|entry| match &entry.demand {
                Demand::Registered(system) => {
                    EntryPlan::Registered(system.as_ref().copied().map_err(|failure| reasons.number(failure)))
                }
                Demand::Check(demand) => plans.check(number, demand, reasons),
                Demand::Environment(demand) => plans.of_environment(number, demand),
            });
            let ledger = ledger.collect();
            plans.ledgers.push(ledger);
        }
        plans
    }

    fn check(&mut self, environment: usize, demand: &'a CheckDemand, reasons: &mut Reasons) -> EntryPlan {
        let ways = demand.ways.iter().enumerate();
        let ways = ways.map(|(number, way)| self.way(environment, number, way, reasons)).collect();
        match &demand.fault {
            Some(fault) => EntryPlan::Unjudged(reasons.number(fault)),
            None if demand.wish.is_some() => EntryPlan::Asserted,
            None => EntryPlan::Check(ways, demand.at_least),
        }
    }

    /// Notes what is looked for; environments are few, and are judged without numbers.
    fn of_environment(&mut self, environment: usize, demand: &'a CheckDemand) -> EntryPlan {
        for way in &demand.ways {
            let (Ok(system), Ok(look)) = (&way.system, &way.look) else { continue };
            let Some(wanted) = self.wanted.get_mut(*system) else { continue };
            match look {
                Look::External(url) => {
                    let notifies = way.notifies.as_deref();
                    wanted.monitor(MonitorLook { at: LookAt::External(url), notifies });
                }
                Look::Hosted { host, name } => {
                    wanted.hosted.insert(host);
                    // Its host may be one of ours, whose check somebody asks for then.
                    wanted.name(environment, name.as_str());
                }
                Look::Check(_) | Look::Metric(..) | Look::Connectivity => {}
            }
        }
        EntryPlan::OfEnvironment
    }

    fn way(
        &mut self,
        environment: usize,
        way: usize,
        wish: &'a EnvironmentWay,
        reasons: &mut Reasons,
    ) -> Result<WayPlan, Reason> {
        let system = *wish.system.as_ref().map_err(|failure| reasons.number(failure))?;
        let look = wish.look.as_ref().map_err(|failure| reasons.number(failure))?;
        let Some(wanted) = self.wanted.get_mut(system) else { return Err(NOT_JUDGED) };
        let notifies = wish.notifies.as_deref();
        let mut monitor = |at| wanted.monitor(MonitorLook { at, notifies });
        let looks = match look {
            Look::Metric(metric, threshold) => LookPlan::Monitor(monitor(LookAt::Metric(metric, *threshold))),
            Look::Connectivity => LookPlan::Connectivity(monitor(LookAt::Connectivity)),
            Look::Check(name) => LookPlan::Name(wanted.name(environment, name.as_str())),
            Look::External(_) | Look::Hosted { .. } => return Err(NOT_JUDGED),
        };
        let notifies = notifies.map(|names| wanted.recipients(names));
        Ok(WayPlan { system, looks, notifies, way })
    }
}

impl<'a> Wanted<'a> {
    fn name(&mut self, environment: usize, name: &'a str) -> u32 {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let number = *self.names.entry(name).or_insert(next);
        self.asked.entry(environment).or_default().insert(number);
        number
    }

    fn recipients(&mut self, names: &'a [Arc<str>]) -> usize {
        self.recipients.iter().position(|known| *known == names).unwrap_or_else(|| {
            self.recipients.push(names);
            self.recipients.len() - 1
        })
    }

    fn monitor(&mut self, look: MonitorLook<'a>) -> usize {
        self.monitors.iter().position(|known| *known == look).unwrap_or_else(|| {
            self.monitors.push(look);
            self.monitors.len() - 1
        })
    }
}
