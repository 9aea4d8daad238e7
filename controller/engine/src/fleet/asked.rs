//! What assertions ask of one place: computed from desired state, so that readers read that and no more.

use std::collections::{BTreeMap, BTreeSet};

use super::{CheckDemand, ClusterWish, DatabaseWish, Demand, Environment, Fleet, InstanceWish, Wish};
use crate::activity::{ActivityMetric, Subject, Wanted};
use crate::inventory::{Asked, Database, Instance, Inventory, Marks, ParameterGroupName, PowerState};

impl Fleet {
    /// What assertions ask of the place of this inventory: which hosts and groups they mean is looked up in it. Of hosts that an
    /// environment may claim those are meant that a check could be about, whatever they play: a few calls more are asked
    /// rather than one too few.
    #[must_use]
    pub fn asked(&self, known: &Inventory) -> Asked {
        let mut asked = Asked::default();
        let here = self
            .environments
            .iter()
            .filter(|environment| environment.places().any(|place| place == known.place));
        for environment in here {
            for entry in &environment.ledger {
                if let Demand::Check(demand) | Demand::Environment(demand) = &entry.demand {
                    ask(environment, demand, known, &mut asked);
                }
            }
        }
        asked
    }

    /// Whose activity rules look at in the place of this inventory: running instances, then databases, each that exactly one
    /// environment claims and judges. Empty where no environment keeps lean.
    #[must_use]
    pub fn activity_wanted(&self, known: &Inventory) -> Vec<Wanted> {
        let here = self.environments.iter().filter(|e| e.places().any(|place| place == known.place));
        let here: Vec<&Environment> = here.collect();
        if here.iter().all(|environment| environment.lean.is_none()) {
            return Vec::new();
        }
        let (mut instances, mut databases) = (Wanted::default(), Wanted::default());
        let runs = |instance: &&Instance| instance.state == PowerState::Running;
        for instance in known.instances.seen.iter().filter(runs) {
            if let Some(metrics) = metrics(&here, known, instance.marks(), false) {
                instances.metrics.extend(metrics);
                instances.subjects.push(Subject::of_instance(instance));
            }
        }
        let runs = |database: &&Database| database.status.runs();
        for database in known.databases.seen.iter().filter(runs) {
            let metrics = metrics(&here, known, database.marks(), true);
            if let Some((metrics, subject)) = metrics.zip(Subject::of_database(database)) {
                databases.metrics.extend(metrics);
                databases.subjects.push(subject);
            }
        }
        [instances, databases].into_iter().filter(|wanted| !wanted.subjects.is_empty()).collect()
    }
}

/// What the one environment that claims this host looks at, if it judges the host.
fn metrics(
    here: &[&Environment],
    known: &Inventory,
    host: Marks<'_>,
    is_database: bool,
) -> Option<BTreeSet<ActivityMetric>> {
    let claims = |environment: &&&Environment| {
        let mut mine = environment.claims.iter().filter(|claim| claim.account_id == known.place.account);
        mine.any(|claim| environment.claims(claim, host))
    };
    let mut claimants = here.iter().filter(claims);
    let (environment, None) = (claimants.next()?, claimants.next()) else { return None };
    let lean = environment.lean.as_ref()?;
    let is_judged = lean.judges(&environment.book, &environment.roles_of(host).0);
    is_judged.then(|| lean.rule.metrics(is_database))
}

fn ask(environment: &Environment, demand: &CheckDemand, known: &Inventory, asked: &mut Asked) {
    let claims = environment.claims.iter().filter(|claim| claim.account_id == known.place.account);
    let is_claimed = |marks| claims.clone().any(|claim| environment.claims(claim, marks));
    let mut values = |group, parameters: &BTreeMap<String, String>| {
        asked.parameters.entry(group).or_default().extend(parameters.keys().cloned());
    };
    match &demand.wish {
        Some(Wish::Volume(..)) => asked.volumes = true,
        Some(Wish::Address(..)) => asked.addresses = true,
        Some(Wish::SecurityGroup(_)) => asked.security_groups = true,
        Some(Wish::SubnetGroup(_)) => asked.subnet_groups = true,
        Some(Wish::Instance(InstanceWish { is_protected: Some(_), .. })) => {
            let instances = known.instances.seen.iter().filter(|instance| instance.state.exists());
            let meant = instances.filter(|instance| is_claimed(instance.marks()));
            asked.protections.extend(meant.map(|instance| instance.id.clone()));
        }
        Some(Wish::Database(DatabaseWish { parameters, .. })) if !parameters.is_empty() => {
            let databases = known.databases.seen.iter().filter(|database| is_claimed(database.marks()));
            let groups: BTreeSet<&str> = databases
                .flat_map(|database| &database.parameter_groups)
                .map(|group| group.name.as_str())
                .collect();
            for group in groups {
                values(ParameterGroupName::of_instance(group), parameters);
            }
        }
        Some(Wish::Cluster(wish)) if !wish.parameters.is_empty() => {
            let ClusterWish { name, parameters, .. } = &**wish;
            let clusters = known.clusters.seen.iter().filter(|cluster| cluster.is_called(name));
            for group in clusters.filter_map(|cluster| cluster.parameter_group.as_deref()) {
                values(ParameterGroupName::of_cluster(group), parameters);
            }
        }
        _ => {}
    }
}
