//! What is counted while hosts are judged.

use std::collections::BTreeMap;

use rollcall_crds::v1alpha1::{HostState, Severity};

use super::roles::Class;
use super::{Coverage, Pass, Row, Tally};

/// Counts by environment and by class.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    pub(super) environments: Vec<EnvironmentTally>,
    /// By class and entry: rows covered, and rows judged.
    pub(super) judged: Vec<Vec<Judged>>,
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
        Self {
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
        for row in rows {
            let ledger = usize::from(row.requirement);
            if let Some(entry) = tally.ledger.get_mut(ledger) {
                entry.add(row.coverage);
            }
            if matches!(row.coverage, Coverage::Unknown(_)) {
                let severity = class.environment.ledger.get(ledger).map(|entry| entry.severity);
                tally.critical_unknown |= severity == Some(Severity::Critical);
            }
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
