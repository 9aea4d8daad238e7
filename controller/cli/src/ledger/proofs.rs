//! By which readings a row of the ledger is proved, and how old they are. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rollcall_crds::v1alpha1 as api;
use rollcall_engine::fleet::Fleet;
use rollcall_engine::ids::{HostId, ObjectKey};
use rollcall_engine::inventory::{Inventory, ParameterGroupName};
use rollcall_engine::reading::Reading;
use rollcall_engine::registry::{Checks, Product, Registry};
use rollcall_engine::rollcall::Requirement;

use crate::input::Decided;

/// By which readings a row is proved, and when they were begun.
pub(super) struct Proofs<'a> {
    decided: &'a Decided,
    fleet: Fleet,
    checks: BTreeMap<ObjectKey, &'a api::RequiredCheck>,
}

impl<'a> Proofs<'a> {
    pub(super) fn new(decided: &'a Decided) -> Self {
        let key = |check: &api::RequiredCheck| {
            ObjectKey::new(
                check.metadata.namespace.as_deref().unwrap_or_default(),
                check.metadata.name.as_deref().unwrap_or_default(),
            )
        };
        let checks = decided.recording.desired.checks.iter().map(|check| (key(check), check)).collect();
        let (fleet, _) = Fleet::parse(&decided.recording.desired);
        Self { decided, fleet, checks }
    }

    /// When the oldest of them was begun; `None` when one of them was never read.
    pub(super) fn oldest(&self, environment: &ObjectKey, requirement: &Requirement) -> Option<Timestamp> {
        match requirement {
            Requirement::Registered(system) => self.registry(system)?.hosts.at(),
            Requirement::Check(check) => {
                let spec = &self.checks.get(check)?.spec;
                if let Some(assertion) = &spec.assertion {
                    return self.of_assertion(environment, assertion);
                }
                let ways = spec.ways();
                ways.iter().map(|way| self.of_way(environment, check, way)).min()?
            }
        }
    }

    fn of_way(&self, environment: &ObjectKey, check: &ObjectKey, way: &api::WatchedBy) -> Option<Timestamp> {
        let own = ObjectKey::new(&environment.namespace, &way.system);
        let library = ObjectKey::new(&check.namespace, &way.system);
        let system = if self.registry(&own).is_some() { own } else { library };
        let registry = self.registry(&system)?;
        if way.external.is_some() {
            return registry.monitors.at();
        }
        let mut readings = vec![registry.hosts.at()];
        if way.service.is_some() {
            let listed = match &registry.checks {
                Checks::Listed(reading) => reading.at(),
                Checks::ByHost(all) => all.values().map(Reading::at).min().flatten(),
            };
            readings.push(listed);
            return readings.into_iter().min()?;
        }
        if registry.product == Product::Mackerel {
            readings.push(registry.last_metric.at());
        }
        if way.check.is_none() {
            readings.push(registry.monitors.at());
            return readings.into_iter().min()?;
        }
        // Names of checks are asked host by host: the host asked longest ago speaks for all.
        let requirement = Requirement::Check(check.clone());
        let hosts =
            self.decided.roll.hosts.values().filter(|host| host.environment.as_ref() == Some(environment));
        let hosts = hosts.filter(|host| self.decided.roll.rows(host).any(|(asked, _)| *asked == requirement));
        let registrations = hosts.flat_map(|host| host.registrations.iter().filter(|(of, _)| *of == system));
        readings.extend(registrations.map(|(_, id)| registry.checks.at(id)));
        readings.into_iter().min()?
    }

    /// What is asserted is looked up in every place of the environment, in the listings that hold it.
    fn of_assertion(&self, environment: &ObjectKey, assertion: &api::Assertion) -> Option<Timestamp> {
        let (places, hosts) = (self.fleet.environment_places(environment), self.hosts(environment));
        let readings = places.iter().map(|place| {
            let inventory = self.decided.recording.snapshot.inventories.get(place)?;
            listings(inventory, assertion, &hosts).into_iter().min()?
        });
        readings.min()?
    }

    /// The hosts of an environment.
    fn hosts(&self, environment: &ObjectKey) -> BTreeSet<&'a HostId> {
        let hosts = self.decided.roll.hosts.iter();
        hosts.filter(|(_, host)| host.environment.as_ref() == Some(environment)).map(|(id, _)| id).collect()
    }

    fn registry(&self, system: &ObjectKey) -> Option<&'a Registry> {
        self.decided.recording.snapshot.registries.get(system).map(|registry| &**registry)
    }
}

/// When the listings were begun that an assertion about these hosts, or about what they belong to, is judged by. What is asked
/// one by one was asked longest ago for one of them.
fn listings(
    inventory: &Inventory,
    assertion: &api::Assertion,
    hosts: &BTreeSet<&HostId>,
) -> Vec<Option<Timestamp>> {
    let api::Assertion { ec2, rds, address, volume, security_group, cluster, subnet_group } = assertion;
    let databases = inventory.databases.seen.iter().filter(|database| hosts.contains(&database.id));
    let parameters = |group: ParameterGroupName| inventory.parameters.get(&group)?.at();
    let mut readings = Vec::new();
    if let Some(ec2) = ec2 {
        readings.push(inventory.instances.at());
        let asked = inventory.protections.iter().filter(|(id, _)| hosts.contains(id));
        let asked = asked.filter(|_| ec2.termination_protection.is_some());
        readings.extend(asked.map(|(_, reading)| reading.at()));
    }
    if let Some(rds) = rds {
        readings.push(inventory.databases.at());
        let groups = databases.clone().filter(|_| rds.parameters.is_some());
        let groups = groups.flat_map(|database| &database.parameter_groups);
        readings.extend(groups.map(|group| parameters(ParameterGroupName::of_instance(&group.name))));
    }
    if let Some(cluster) = cluster {
        readings.push(inventory.clusters.at());
        let names: BTreeSet<&String> = databases.filter_map(|database| database.cluster.as_ref()).collect();
        let theirs = inventory.clusters.seen.iter().filter(|one| names.contains(&one.name));
        let groups =
            theirs.filter(|_| cluster.parameters.is_some()).filter_map(|one| one.parameter_group.as_ref());
        readings.extend(groups.map(|group| parameters(ParameterGroupName::of_cluster(group))));
    }
    readings.extend(address.iter().map(|_| inventory.addresses.at()));
    readings.extend(volume.iter().map(|_| inventory.volumes.at()));
    readings.extend(security_group.iter().map(|_| inventory.security_groups.at()));
    readings.extend(subnet_group.iter().map(|_| inventory.subnet_groups.at()));
    readings
}
