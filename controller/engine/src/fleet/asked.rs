//! What assertions ask of one place: computed from desired state, so that readers read that and no more.

use std::collections::{BTreeMap, BTreeSet};

use super::{CheckDemand, ClusterWish, DatabaseWish, Demand, Environment, Fleet, InstanceWish, Lean, Wish};
use jiff::Timestamp;

use crate::activity::{Activity, ActivityMetric, Subject, Wanted, Window};
use crate::ids::{HostId, Place};
use crate::inventory::{Asked, Database, Instance, Inventory, Marks, ParameterGroupName, PowerState};
use crate::lean::Use;
use crate::limits::ACTIVITY_DAYS;
use crate::memory::PlaceMemory;

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

    /// Does anybody look for unused hosts in this place?
    #[must_use]
    pub fn asks_activity(&self, place: &Place) -> bool {
        let mut lean = self.environments.iter().filter(|environment| environment.lean.is_some());
        lean.any(|environment| environment.places().any(|of| of == *place))
    }

    /// Whose activity must be read now in the place of this inventory: running instances, then databases, each that exactly one
    /// environment claims and judges, and of which the last whole day is not known yet. What has been `read` is known, and
    /// so is what is remembered of the host under the same rule: a restart buys nothing again.
    #[must_use]
    pub fn activity_due(
        &self,
        known: &Inventory,
        read: Option<&Activity>,
        memory: Option<&PlaceMemory>,
        now: Timestamp,
    ) -> Vec<Wanted> {
        if !self.asks_activity(&known.place) {
            return Vec::new();
        }
        let here = self.environments.iter().filter(|e| e.places().any(|place| place == known.place));
        let here: Vec<&Environment> = here.collect();
        let last = Window::whole_days(now, ACTIVITY_DAYS).last();
        let read = read.filter(|read| read.window.last() == last);
        let is_due = |subject: &Subject, lean: &Lean, metrics: &BTreeSet<ActivityMetric>| {
            let used = memory.and_then(|memory| memory.hosts.get(subject.host())?.used.as_ref());
            let is_remembered = used.is_some_and(|used| used.until >= last && used.rule == lean.rule.hash());
            !is_remembered && !read.is_some_and(|read| read.has_read(subject.host(), metrics))
        };
        let (mut instances, mut databases) = (Wanted::default(), Wanted::default());
        let runs = |instance: &&Instance| instance.state == PowerState::Running;
        for instance in known.instances.seen.iter().filter(runs) {
            let Some(lean) = judge_of(&here, known, instance.marks()) else { continue };
            let (subject, metrics) = (Subject::of_instance(instance), lean.rule.metrics(false));
            if is_due(&subject, lean, &metrics) {
                instances.metrics.extend(metrics);
                instances.subjects.push(subject);
            }
        }
        let runs = |database: &&Database| {
            database.status.runs() && !database.is_replica() && database.replicas.is_empty()
        };
        for database in known.databases.seen.iter().filter(runs) {
            let lean = judge_of(&here, known, database.marks());
            let Some((lean, subject)) = lean.zip(Subject::of_database(database)) else { continue };
            let metrics = lean.rule.metrics(true);
            if is_due(&subject, lean, &metrics) {
                databases.metrics.extend(metrics);
                databases.subjects.push(subject);
            }
        }
        [instances, databases].into_iter().filter(|wanted| !wanted.subjects.is_empty()).collect()
    }
}

impl Fleet {
    /// Instances that were last found unused where owners are told of it: whether somebody protected them must be known first.
    #[must_use]
    pub fn found_unused(&self, known: &Inventory, memory: &PlaceMemory) -> BTreeSet<HostId> {
        if !self.tells_owners() {
            return BTreeSet::new();
        }
        let here = self.environments.iter().filter(|e| e.places().any(|place| place == known.place));
        let here: Vec<&Environment> = here.collect();
        let is_idle = |id: &HostId| {
            let used = memory.hosts.get(id).and_then(|host| host.used.as_ref());
            used.is_some_and(|used| matches!(used.last, Use::Idle(_)))
        };
        let idle = known.instances.seen.iter().filter(|instance| is_idle(&instance.id));
        idle.filter(|instance| judge_of(&here, known, instance.marks()).is_some_and(Lean::tells))
            .map(|instance| instance.id.clone())
            .collect()
    }
}

/// How lean the one environment that claims this host is kept, if it judges the host.
fn judge_of<'e>(here: &[&'e Environment], known: &Inventory, host: Marks<'_>) -> Option<&'e Lean> {
    let mut claimants = here.iter().filter(|environment| environment.claims_in(&known.place.account, host));
    let (environment, None) = (claimants.next()?, claimants.next()) else { return None };
    let lean = environment.lean.as_ref()?;
    let is_judged = lean.judges(&environment.book, &environment.roles_of(host).0);
    is_judged.then_some(lean)
}

fn ask(environment: &Environment, demand: &CheckDemand, known: &Inventory, asked: &mut Asked) {
    let is_claimed = |marks| environment.claims_in(&known.place.account, marks);
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
