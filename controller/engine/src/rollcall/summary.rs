//! The roll of each environment, account, system, check and role: what statuses and columns show.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_crds::v1alpha1::Severity;

use super::causes::{Applied, group};
use super::changes::Changes;
use super::claims::Claimed;
use super::excess::Excess;
use super::places::{Listing, PlaceView};
use super::scene::Scene;
use super::sources::blind_listings;
use super::tallies::{EnvironmentTally, Tallies};
use super::{
    AccountRoll, CheckRoll, EnvironmentRoll, LeanRoll, Probation, Requirement, RoleRoll, SystemRoll, Tally,
};
use crate::finding::{Excuse, Finding};
use crate::fleet::{Account, Demand, Environment};
use crate::ids::{AccountName, ObjectKey, Place};
use crate::memory::{Memory, RuleRun};
use crate::reading::Failure;

/// What the rolls are made from.
pub(super) struct Material<'m, 'p, 'a> {
    pub(super) scene: &'m Scene<'p, 'a>,
    pub(super) tallies: &'m Tallies,
    pub(super) excess: &'m [Excess],
    pub(super) findings: &'m [Finding],
    pub(super) applied: &'m Applied,
    pub(super) changes: &'m Changes,
    /// What the next pass will know.
    pub(super) remembered: &'m Memory,
}

impl Material<'_, '_, '_> {
    pub(super) fn environments(&self) -> BTreeMap<ObjectKey, EnvironmentRoll> {
        let mut by_environment: BTreeMap<&ObjectKey, Vec<&Finding>> = BTreeMap::new();
        for finding in self.findings {
            if let Some(key) = &finding.environment {
                by_environment.entry(key).or_default().push(finding);
            }
        }
        let environments =
            self.scene.pass.fleet.environments.iter().zip(&self.tallies.environments).enumerate();
        environments
            .map(|(number, (environment, tally))| {
                let findings = by_environment.get(&environment.key).map_or(&[][..], |findings| findings);
                (environment.key.clone(), self.environment(number, environment, tally, findings))
            })
            .collect()
    }

    fn environment(
        &self,
        number: usize,
        environment: &Environment,
        tally: &EnvironmentTally,
        findings: &[&Finding],
    ) -> EnvironmentRoll {
        let inventory_blind = self.blind(environment, |view| &view.instances);
        let databases_blind = self.blind(environment, |view| &view.databases);
        let registry_blind = self.registry_blind(environment);
        let is_blind = !inventory_blind.is_empty()
            || !databases_blind.is_empty()
            || !registry_blind.is_empty()
            || tally.critical_unknown;
        let is_doubted =
            environment.is_partial || environment.book.doubted || environment.requirements_doubted;
        let ledger = environment.ledger.iter().zip(&tally.ledger);
        let role = |(role, hosts): (&u16, &u32)| Some((environment.book.role(*role)?.name.clone(), *hosts));
        EnvironmentRoll {
            hosts: tally.hosts,
            states: tally.states.clone(),
            tally: tally.ledger.iter().copied().fold(Tally::default(), Tally::plus),
            ledger: ledger.map(|(entry, tally)| (entry.requirement.clone(), *tally)).collect(),
            roles: tally.running.iter().filter_map(role).collect(),
            ghosts: self.excess.iter().filter_map(|excess| excess.ghosts_of.get(&number)).sum(),
            contested: tally.contested,
            causes: group(
                self.scene.pass.fleet,
                findings.iter().copied(),
                self.applied,
                Some(&environment.key),
            ),
            sources_once_read: self.once_read(environment),
            lean: environment.lean.as_ref().map(|_| self.lean(environment, tally)),
            stops_none: self.scene.pass.fleet.stops_none_of(&environment.key),
            holds: environment.holds(self.run(environment), self.scene.pass.now),
            compliant: compliant(findings, is_blind || is_doubted),
            new_changes: self.changes.get(&environment.key).cloned().unwrap_or_default(),
            inventory_blind,
            databases_blind,
            registry_blind,
        }
    }

    /// How long its rule has run.
    fn run(&self, environment: &Environment) -> Option<&RuleRun> {
        self.remembered.environments.get(&environment.key)?.rule_run.as_ref()
    }

    fn lean(&self, environment: &Environment, tally: &EnvironmentTally) -> LeanRoll {
        // While roles are not understood the run of another rule may still be remembered.
        let rule = environment.lean.as_ref().map(|lean| lean.rule.hash());
        let run = self.run(environment).filter(|run| Some(run.rule) == rule);
        LeanRoll { probation: run.map(Probation::of), ..tally.lean }
    }

    /// Where one listing of the environment's places is blind, and why.
    fn blind(
        &self,
        environment: &Environment,
        listing: impl for<'v, 'p> Fn(&'v PlaceView<'p>) -> &'v Listing,
    ) -> Vec<(Place, Failure)> {
        let places: BTreeSet<Place> = environment.places().collect();
        let views = self.scene.places.iter().filter(|view| places.contains(&view.place));
        views.filter_map(|view| Some((view.place.clone(), listing(view).blind.clone()?))).collect()
    }

    /// May the environment have hosts that nobody sees now?
    fn is_inventory_blind(&self, environment: &Environment) -> bool {
        let places: BTreeSet<Place> = environment.places().collect();
        self.scene.places.iter().any(|view| places.contains(&view.place) && !view.proves_all())
    }

    fn registry_blind(&self, environment: &Environment) -> Vec<(ObjectKey, Failure)> {
        let systems = environment.systems.iter().filter_map(|number| self.scene.systems.get(*number));
        systems
            .filter_map(|system| Some((system.system.key.clone(), blind_listings(system).next()?.1.clone())))
            .collect()
    }

    fn once_read(&self, environment: &Environment) -> bool {
        let places: BTreeSet<Place> = environment.places().collect();
        let mut views = self.scene.places.iter().filter(|view| places.contains(&view.place));
        let mut systems = environment.systems.iter().filter_map(|number| self.scene.systems.get(*number));
        views.all(PlaceView::is_once_read)
            && systems.all(|system| system.memory.since.or(system.hosts.proof).is_some())
    }

    pub(super) fn accounts(&self) -> BTreeMap<AccountName, AccountRoll> {
        let fleet = self.scene.pass.fleet;
        let roll = |account: &Account| {
            let stops_none = fleet.stops_none_in(&account.name);
            (account.name.clone(), AccountRoll { once_read: true, stops_none, ..AccountRoll::default() })
        };
        let mut rolls: BTreeMap<AccountName, AccountRoll> = fleet.accounts().map(roll).collect();
        let mut counts = vec![(0, 0); self.scene.places.len()];
        for (host, claimed) in self.scene.population.hosts.iter().zip(self.scene.claims) {
            if let Some((hosts, unclaimed)) = counts.get_mut(host.place) {
                *hosts += 1;
                *unclaimed += u32::from(*claimed == Claimed::Nobody);
            }
        }
        for (view, (hosts, unclaimed)) in self.scene.places.iter().zip(counts) {
            if let Some(roll) = rolls.get_mut(&view.account.name) {
                roll.hosts += hosts;
                roll.unclaimed += unclaimed;
                roll.blind.extend(view.instances.blind.clone().map(|failure| (view.place.clone(), failure)));
                let databases = view.databases.blind.clone();
                roll.databases_blind.extend(databases.map(|failure| (view.place.clone(), failure)));
                roll.once_read &= view.is_once_read();
            }
        }
        rolls
    }

    pub(super) fn systems(&self) -> BTreeMap<ObjectKey, SystemRoll> {
        let sees_all = self.scene.places.iter().all(PlaceView::proves_all);
        let systems = self.scene.systems.iter().zip(self.excess).filter(|(system, _)| system.is_used);
        let roll = |(system, excess): (&super::registries::SystemView<'_>, &Excess)| {
            let roll = SystemRoll {
                registered: u32::try_from(system.registered.len()).unwrap_or(u32::MAX),
                joined: excess.joined,
                ghosts: excess.ghosts,
                strangers: excess.strangers.clone(),
                duplicates: excess.duplicates,
                blind: blind_listings(system)
                    .map(|(name, failure)| (name.to_owned(), failure.clone()))
                    .collect(),
                inventory_blind: !sees_all,
                once_read: system.memory.since.or(system.hosts.proof).is_some(),
            };
            (system.system.key.clone(), roll)
        };
        systems.map(roll).collect()
    }

    pub(super) fn checks(&self) -> BTreeMap<ObjectKey, CheckRoll> {
        let mut rolls: BTreeMap<ObjectKey, CheckRoll> = BTreeMap::new();
        for check in self.scene.pass.fleet.checks.values() {
            let roll = CheckRoll {
                review_due: check.review_due,
                overdue: check.overdue_from().is_some_and(|from| self.scene.pass.now >= from),
                ..CheckRoll::default()
            };
            rolls.insert(check.key.clone(), roll);
        }
        for (environment, tally) in self.scene.pass.fleet.environments.iter().zip(&self.tallies.environments)
        {
            let is_blind = self.is_inventory_blind(environment);
            for (entry, tally) in environment.ledger.iter().zip(&tally.ledger) {
                let (Requirement::Check(key), Some(demand)) = (&entry.requirement, entry.demand.check())
                else {
                    continue;
                };
                let Some(roll) = rolls.get_mut(key) else { continue };
                roll.tally = roll.tally.plus(*tally);
                let mut systems =
                    demand.ways.iter().filter_map(|way| self.scene.systems.get(*way.system.as_ref().ok()?));
                // An environment itself is judged without any host.
                let is_about_hosts = matches!(entry.demand, Demand::Check(_));
                roll.blind |= (is_blind && is_about_hosts)
                    || systems.any(|system| blind_listings(system).next().is_some());
            }
        }
        rolls
    }

    /// By policy: the hosts that are judged by it, wherever they are.
    pub(super) fn policies(&self) -> BTreeMap<ObjectKey, LeanRoll> {
        let fleet = self.scene.pass.fleet;
        let mut rolls: BTreeMap<ObjectKey, LeanRoll> =
            fleet.policies.keys().map(|key| (key.clone(), LeanRoll::default())).collect();
        for (environment, tally) in fleet.environments.iter().zip(&self.tallies.environments) {
            let policy = environment.lean.as_ref().and_then(|lean| lean.policy.as_ref());
            if let Some(roll) = policy.and_then(|key| rolls.get_mut(key)) {
                *roll = roll.plus(self.lean(environment, tally));
            }
        }
        rolls
    }

    pub(super) fn roles(&self) -> BTreeMap<ObjectKey, RoleRoll> {
        let fleet = self.scene.pass.fleet;
        let mut rolls: BTreeMap<ObjectKey, RoleRoll> =
            fleet.roles.keys().map(|key| (key.clone(), RoleRoll::default())).collect();
        for (environment, tally) in fleet.environments.iter().zip(&self.tallies.environments) {
            let is_blind = self.is_inventory_blind(environment);
            for role in environment.book.all() {
                if let Some(roll) = rolls.get_mut(&role.key) {
                    roll.blind |= is_blind;
                }
            }
            for (role, hosts) in &tally.existing {
                let role = environment.book.role(*role).and_then(|role| rolls.get_mut(&role.key));
                if let Some(roll) = role {
                    roll.hosts += hosts;
                }
            }
        }
        rolls
    }
}

/// Only Critical findings count. Accepted ones are a decision; frozen ones never make an environment compliant.
fn compliant(findings: &[&Finding], is_unknown: bool) -> Option<bool> {
    let is_bad = |finding: &&&Finding| {
        finding.severity == Severity::Critical && !matches!(finding.excuse, Excuse::Exempt(_))
    };
    match (findings.iter().find(is_bad), is_unknown) {
        (Some(_), _) => Some(false),
        (None, true) => None,
        (None, false) => Some(true),
    }
}
