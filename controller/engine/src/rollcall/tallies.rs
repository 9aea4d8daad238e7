//! What is counted while hosts are judged.

use std::collections::BTreeMap;

use rollcall_crds::v1alpha1::{HostState, Severity};

use super::roles::Class;
use super::{Coverage, LeanRoll, Pass, Row, Tally};
use crate::lean::Use;

/// Counts by environment and by class.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    pub(super) environments: Vec<EnvironmentTally>,
    /// By class and entry: rows covered, and rows judged.
    pub(super) judged: Vec<Vec<Judged>>,
    /// By environment and system: the worst severity of rows that nobody hears of, for the system is switched off as a whole.
    pub(super) off: BTreeMap<(usize, usize), Severity>,
    /// By environment and entry: only a Critical requirement that is enforced decides whether all is well.
    critical: Vec<Vec<bool>>,
}

/// Counts of one environment.
#[derive(Clone, Debug, Default)]
pub(super) struct EnvironmentTally {
    pub(super) hosts: u32,
    pub(super) states: BTreeMap<HostState, u32>,
    /// In ledger order.
    pub(super) ledger: Vec<Tally>,
    /// Running hosts by number of the role in the environment's book.
    pub(super) running: BTreeMap<u16, u32>,
    /// Hosts that are there and of which nobody can tell whether they run, by number of the role.
    pub(super) unclear: BTreeMap<u16, u32>,
    /// Existing hosts by number of the role.
    pub(super) existing: BTreeMap<u16, u32>,
    pub(super) contested: u32,
    /// Running hosts by whether they are used.
    pub(super) lean: LeanRoll,
    /// A row of a Critical check is not judged: nobody may say that all is well.
    pub(super) critical_unknown: bool,
}

/// Rows of one requirement that were judged.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Judged {
    pub(super) covered: u32,
    pub(super) all: u32,
}

impl Tallies {
    pub(super) fn new(pass: &Pass<'_>, classes: &[Class<'_>]) -> Self {
        let environment = |environment: &crate::fleet::Environment| EnvironmentTally {
            ledger: vec![Tally::default(); environment.ledger.len()],
            ..EnvironmentTally::default()
        };
        let critical = |environment: &crate::fleet::Environment| {
            let decides = |entry: &crate::fleet::Entry| {
                entry.severity == Severity::Critical && entry.is_enforced(pass.now)
            };
            environment.ledger.iter().map(decides).collect()
        };
        Self {
            off: BTreeMap::new(),
            critical: pass.fleet.environments.iter().map(critical).collect(),
            environments: pass.fleet.environments.iter().map(environment).collect(),
            judged: classes.iter().map(|class| vec![Judged::default(); class.entries.len()]).collect(),
        }
    }

    /// Counts a host that several environments claim.
    pub(super) fn contested(&mut self, by: &[usize]) {
        for environment in by {
            if let Some(tally) = self.environments.get_mut(*environment) {
                tally.contested += 1;
            }
        }
    }

    /// Notes that a row lacks nothing but a system that is switched on.
    pub(super) fn off(&mut self, environment: usize, system: usize, severity: Severity) {
        let worst = self.off.entry((environment, system)).or_insert(severity);
        *worst = severity.min(*worst);
    }

    /// Counts a row of an environment itself.
    pub(super) fn environment(&mut self, number: usize, ledger: usize, coverage: Coverage) {
        let critical = self.critical.get(number).map_or(&[][..], |critical| critical);
        if let Some(tally) = self.environments.get_mut(number) {
            tally.row(critical, ledger, coverage);
        }
    }

    /// Counts whether a host is used.
    pub(super) fn usage(&mut self, environment: usize, used: &Use, is_kept: bool) {
        if let Some(tally) = self.environments.get_mut(environment) {
            tally.lean.add(used, is_kept);
        }
    }

    /// Counts a host of an environment and its rows. `runs`: does it, if that can be told?
    pub(super) fn host(
        &mut self,
        number: usize,
        class: &Class<'_>,
        state: HostState,
        runs: Option<bool>,
        rows: &[Row],
    ) {
        let Some(tally) = self.environments.get_mut(class.number) else { return };
        tally.hosts += 1;
        *tally.states.entry(state).or_default() += 1;
        for role in &class.roles {
            *tally.existing.entry(*role).or_default() += 1;
            match runs {
                Some(true) => *tally.running.entry(*role).or_default() += 1,
                None => *tally.unclear.entry(*role).or_default() += 1,
                Some(false) => {}
            }
        }
        let critical = self.critical.get(class.number).map_or(&[][..], |critical| critical);
        for row in rows {
            tally.row(critical, usize::from(row.requirement), row.coverage);
        }
        for (judged, row) in self.judged.get_mut(number).into_iter().flatten().zip(rows) {
            match row.coverage {
                Coverage::Covered => {
                    judged.covered += 1;
                    judged.all += 1;
                }
                Coverage::Settling | Coverage::Unknown(_) => {}
                _ => judged.all += 1,
            }
        }
    }
}

impl EnvironmentTally {
    fn row(&mut self, critical: &[bool], ledger: usize, coverage: Coverage) {
        if let Some(entry) = self.ledger.get_mut(ledger) {
            entry.add(coverage);
        }
        if matches!(coverage, Coverage::Unknown(_)) {
            self.critical_unknown |= critical.get(ledger).copied().unwrap_or_default();
        }
    }
}
