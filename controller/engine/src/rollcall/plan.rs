//! The ledgers, made quick: every name and every monitor that some check looks for gets a number once per pass,
//! so that a million rows compare numbers and no text.

use std::collections::{HashMap, HashSet};

use super::reasons::{NOT_JUDGED, Reasons};
use super::{Pass, Reason};
use crate::fleet::{CheckDemand, Demand, EnvironmentWay, Look, Threshold};

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
    /// By environment: the numbers of the names that its checks look for.
    pub(super) asked: HashMap<usize, HashSet<u32>>,
}

/// A monitor that a check looks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum MonitorLook<'a> {
    Metric(&'a str, Threshold),
    Connectivity,
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
}

/// One way in numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct WayPlan {
    /// Number of the system.
    pub(super) system: usize,
    pub(super) looks: LookPlan,
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
            None => EntryPlan::Check(ways, demand.at_least),
        }
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
        let looks = match look {
            Look::Check(name) => LookPlan::Name(wanted.name(environment, name.as_str())),
            Look::Metric(metric, threshold) => {
                LookPlan::Monitor(wanted.monitor(MonitorLook::Metric(metric, *threshold)))
            }
            Look::Connectivity => LookPlan::Connectivity(wanted.monitor(MonitorLook::Connectivity)),
        };
        Ok(WayPlan { system, looks, way })
    }
}

impl<'a> Wanted<'a> {
    fn name(&mut self, environment: usize, name: &'a str) -> u32 {
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let number = *self.names.entry(name).or_insert(next);
        self.asked.entry(environment).or_default().insert(number);
        number
    }

    fn monitor(&mut self, look: MonitorLook<'a>) -> usize {
        self.monitors.iter().position(|known| *known == look).unwrap_or_else(|| {
            self.monitors.push(look);
            self.monitors.len() - 1
        })
    }
}
