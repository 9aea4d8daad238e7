//! Cuts a recording to what a caller may see: the hosts of their environments, what is registered for these, and what
//! is remembered of them. Pure.
//!
//! What is left is whole for what it speaks of, so that a plan on it says what the operator says; and no host, name or
//! identity of another team may be left in it. A host that is contested from outside looks claimed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use rollcall_crds::v1alpha1 as api;
use rollcall_engine::activity::Activity;
use rollcall_engine::fleet::{Desired, Kind};
use rollcall_engine::ids::{HostId, ObjectKey, Place, RegistrationId};
use rollcall_engine::inventory::{ClusterMember, Inventory, ParameterGroupName};
use rollcall_engine::leaving::Departure;
use rollcall_engine::memory::{Memory, PlaceMemory, SystemMemory};
use rollcall_engine::reading::{Extent, Failure, FailureKind, Gap, Reading};
use rollcall_engine::recording::{Cut, FORMAT, Recording};
use rollcall_engine::registry::{Checks, Registry};
use rollcall_engine::rollcall::{HostRoll, RollCall, roll_call};
use rollcall_engine::snapshot::Snapshot;

use super::access::Access;
use crate::watch::Judged;

/// What a pass would be made of.
pub(super) struct Moment {
    /// World time.
    pub now: Timestamp,
    /// Desired state.
    pub judged: Arc<Judged>,
    /// All readings.
    pub snapshot: Snapshot,
    /// Memory before the pass.
    pub memory: Arc<Memory>,
    /// How retirements stand.
    pub departures: Vec<Departure>,
}

/// The recording of this moment as this caller may see it.
pub(super) fn recording(moment: &Moment, access: &Access) -> Recording {
    let Access::Some { namespaces, accounts } = access else {
        return Recording {
            rollcall_recording: FORMAT,
            now: moment.now,
            desired: moment.judged.desired.clone(),
            snapshot: moment.snapshot.clone(),
            memory: Memory::clone(&moment.memory),
            departures: Some(moment.departures.clone()),
            cut_to: None,
        };
    };
    // Made again rather than kept: it is needed rarely and would be most of our memory.
    let (roll, _) = roll_call(&moment.judged.fleet, &moment.snapshot, &moment.memory, moment.now);
    let sight = Sight::new(namespaces, moment.judged.desired.library.as_deref(), &roll);
    Recording {
        rollcall_recording: FORMAT,
        now: moment.now,
        desired: sight.desired(&moment.judged.desired, *accounts),
        snapshot: sight.snapshot(&moment.snapshot),
        memory: sight.memory(&moment.memory),
        departures: Some(sight.departures(&moment.departures)),
        cut_to: Some(Cut { namespaces: namespaces.clone(), accounts: *accounts }),
    }
}

/// What a caller sees.
struct Sight<'a> {
    namespaces: &'a BTreeSet<String>,
    library: Option<&'a str>,
    hosts: BTreeSet<&'a HostId>,
    /// Registrations that are known to belong to hosts of others, by system.
    foreign: BTreeMap<&'a ObjectKey, BTreeSet<&'a RegistrationId>>,
}

impl<'a> Sight<'a> {
    fn new(namespaces: &'a BTreeSet<String>, library: Option<&'a str>, roll: &'a RollCall) -> Self {
        let mut sight = Self { namespaces, library, hosts: BTreeSet::new(), foreign: BTreeMap::new() };
        for (id, host) in &roll.hosts {
            if sight.claims(host) {
                sight.hosts.insert(id);
                continue;
            }
            for (system, registration) in &host.registrations {
                sight.foreign.entry(system).or_default().insert(registration);
            }
        }
        sight
    }

    fn claims(&self, host: &HostRoll) -> bool {
        host.environment.iter().chain(&host.claimed_by).any(|environment| self.owns(environment))
    }

    fn owns(&self, key: &ObjectKey) -> bool {
        self.namespaces.contains(&*key.namespace)
    }

    /// Its own, and the library, which every namespace sees.
    fn sees(&self, namespace: Option<&str>) -> bool {
        namespace
            .is_some_and(|namespace| self.namespaces.contains(namespace) || self.library == Some(namespace))
    }

    fn desired(&self, desired: &Desired, accounts: bool) -> Desired {
        let own = |meta: &kube::api::ObjectMeta| {
            meta.namespace.as_ref().is_some_and(|ns| self.namespaces.contains(ns))
        };
        let seen = |meta: &kube::api::ObjectMeta| self.sees(meta.namespace.as_deref());
        let all = desired.accounts.iter();
        Desired {
            accounts: all.map(|a| if accounts { a.clone() } else { self.account(a, desired) }).collect(),
            environments: desired.environments.iter().filter(|o| own(&o.metadata)).cloned().collect(),
            roles: desired.roles.iter().filter(|o| seen(&o.metadata)).cloned().collect(),
            checks: desired.checks.iter().filter(|o| seen(&o.metadata)).cloned().collect(),
            systems: desired.systems.iter().filter(|o| seen(&o.metadata)).cloned().collect(),
            exemptions: desired.exemptions.iter().filter(|o| own(&o.metadata)).cloned().collect(),
            policies: desired.policies.iter().filter(|o| seen(&o.metadata)).cloned().collect(),
            channels: desired.channels.iter().filter(|o| seen(&o.metadata)).cloned().collect(),
            retirements: desired.retirements.iter().filter(|o| own(&o.metadata)).cloned().collect(),
            unreadable: desired
                .unreadable
                .iter()
                .filter(|problem| match problem.kind {
                    Kind::CloudAccount => accounts,
                    Kind::Environment | Kind::Exemption | Kind::Retirement => {
                        self.namespaces.contains(&problem.namespace)
                    }
                    Kind::HostRole
                    | Kind::RequiredCheck
                    | Kind::MonitoringSystem
                    | Kind::RetirementPolicy
                    | Kind::NotificationChannel => self.sees(Some(&problem.namespace)),
                })
                .cloned()
                .collect(),
            namespaces: desired
                .namespaces
                .iter()
                .filter(|(n, _)| self.sees(Some(n)))
                .map(clone_pair)
                .collect(),
            library: desired.library.clone(),
        }
    }

    /// Those of their own namespaces.
    fn departures(&self, all: &[Departure]) -> Vec<Departure> {
        all.iter().filter(|departure| self.owns(&departure.key)).cloned().collect()
    }

    /// The account as far as it concerns the caller: no identity, and only the grants that speak of them.
    fn account(&self, account: &api::CloudAccount, desired: &Desired) -> api::CloudAccount {
        let mut account = account.clone();
        account.spec.observe = None;
        account.spec.retire = None;
        account.spec.unclaimed_namespace = None;
        account
            .spec
            .grants
            .retain(|grant| self.namespaces.iter().any(|ns| selects(&grant.namespace_selector, ns, desired)));
        account
    }

    fn snapshot(&self, snapshot: &Snapshot) -> Snapshot {
        let registries = snapshot.registries.iter().filter(|(key, _)| self.sees(Some(&key.namespace)));
        Snapshot {
            inventories: snapshot
                .inventories
                .iter()
                .map(|(k, i)| (k.clone(), Arc::new(self.inventory(i))))
                .collect(),
            registries: registries.map(|(k, r)| (k.clone(), Arc::new(self.registry(k, r)))).collect(),
            activities: snapshot
                .activities
                .iter()
                .map(|(k, a)| (k.clone(), Arc::new(self.activity(a))))
                .collect(),
        }
    }

    /// What their hosts did: nobody concludes anything from a host that is not in it.
    fn activity(&self, activity: &Activity) -> Activity {
        let mut cut = activity.clone();
        cut.hosts.seen.retain(|host, _| self.hosts.contains(host));
        cut.hosts.request_ids.clear();
        cut
    }

    fn inventory(&self, inventory: &Inventory) -> Inventory {
        let mut cut = inventory.clone();
        cut.instances.seen.retain(|instance| self.hosts.contains(&instance.id));
        let theirs = |host: &HostId| self.hosts.contains(host);
        keep_of(&mut cut.volumes, |volume| volume.attachments.iter().any(|one| theirs(&one.host)));
        keep_of(&mut cut.addresses, |address| address.attached_to.as_ref().is_some_and(theirs));
        cut.databases.seen.retain(|database| self.hosts.contains(&database.id));
        let of_theirs = |member: &ClusterMember| cut.databases.seen.iter().any(|d| d.name == member.name);
        cut.clusters.seen.retain(|cluster| cluster.members.iter().any(of_theirs));
        self.asserted(&mut cut);
        for ids in [
            &mut cut.instances.request_ids,
            &mut cut.volumes.request_ids,
            &mut cut.addresses.request_ids,
            &mut cut.databases.request_ids,
            &mut cut.clusters.request_ids,
            &mut cut.security_groups.request_ids,
            &mut cut.subnet_groups.request_ids,
        ] {
            ids.clear();
        }
        cut
    }

    /// Groups that their hosts are in, and what is known of their hosts. Others' groups may well be what an assertion of
    /// theirs means, so that what is left tells no longer what is not there.
    fn asserted(&self, cut: &mut Inventory) {
        let of_instances = cut.instances.seen.iter().flat_map(|instance| instance.security_groups.iter());
        let of_databases = cut.databases.seen.iter().flat_map(|database| &database.security_groups);
        let of_clusters = cut.clusters.seen.iter().flat_map(|cluster| &cluster.security_groups);
        let groups: BTreeSet<&str> = of_instances
            .map(|group| &*group.id)
            .chain(of_databases.chain(of_clusters).map(String::as_str))
            .collect();
        keep_of(&mut cut.security_groups, |group| groups.contains(group.id.as_str()));
        let subnets: BTreeSet<&str> =
            cut.databases.seen.iter().filter_map(|database| database.subnet_group.as_deref()).collect();
        keep_of(&mut cut.subnet_groups, |group| subnets.contains(group.name.as_str()));
        let of_databases = cut.databases.seen.iter().flat_map(|database| &database.parameter_groups);
        let of_clusters = cut.clusters.seen.iter().filter_map(|cluster| cluster.parameter_group.as_ref());
        let parameters: BTreeSet<ParameterGroupName> = of_databases
            .map(|group| ParameterGroupName::of_instance(&group.name))
            .chain(of_clusters.map(ParameterGroupName::of_cluster))
            .collect();
        cut.parameters.retain(|group, _| parameters.contains(group));
        cut.protections.retain(|host, _| self.hosts.contains(host));
        cut.parameters.values_mut().for_each(|reading| reading.request_ids.clear());
        cut.protections.values_mut().for_each(|reading| reading.request_ids.clear());
    }

    fn registry(&self, key: &ObjectKey, registry: &Registry) -> Registry {
        let mut cut = registry.clone();
        if let Some(foreign) = self.foreign.get(key) {
            cut.hosts.seen.retain(|registration| !foreign.contains(&registration.id));
            match &mut cut.checks {
                Checks::Listed(all) => all.seen.retain(|id, _| !foreign.contains(id)),
                Checks::ByHost(all) => all.retain(|id, _| !foreign.contains(id)),
            }
            cut.last_metric.seen.retain(|id, _| !foreign.contains(id));
        }
        cut
    }

    fn memory(&self, memory: &Memory) -> Memory {
        let systems = memory.systems.iter().filter(|(key, _)| self.sees(Some(&key.namespace)));
        Memory {
            places: memory.places.iter().map(|(place, known)| self.place(place, known)).collect(),
            systems: systems.map(|(key, known)| (key.clone(), self.system(key, known))).collect(),
            environments: memory
                .environments
                .iter()
                .filter(|(key, _)| self.owns(key))
                .map(clone_pair)
                .collect(),
            healed: memory.healed.iter().filter(|(key, _)| self.owns(key)).map(clone_pair).collect(),
        }
    }

    fn place(&self, place: &Place, known: &PlaceMemory) -> (Place, PlaceMemory) {
        let mut cut = known.clone();
        cut.hosts.retain(|id, host| {
            self.hosts.contains(id) || host.environment.as_ref().is_some_and(|e| self.owns(e))
        });
        cut.tombstones.retain(|_, tombstone| tombstone.environment.as_ref().is_some_and(|e| self.owns(e)));
        let theirs = |id: &HostId| cut.hosts.contains_key(id) || cut.tombstones.contains_key(id);
        cut.databases.writers.retain(|_, writer| theirs(writer));
        (place.clone(), cut)
    }

    fn system(&self, key: &ObjectKey, known: &SystemMemory) -> SystemMemory {
        let mut cut = known.clone();
        cut.registrations.retain(|host, _| self.hosts.contains(host));
        if let Some(foreign) = self.foreign.get(key) {
            cut.checks.retain(|id, _| !foreign.contains(id));
            cut.unseen.retain(|id, _| !foreign.contains(id));
        }
        cut
    }
}

/// Keeps some of a listing, which then is no longer whole.
fn keep_of<T>(listing: &mut Reading<Vec<T>>, is_theirs: impl FnMut(&T) -> bool) {
    let before = listing.seen.len();
    listing.seen.retain(is_theirs);
    let Some(at) = listing.at().filter(|_| listing.seen.len() < before) else { return };
    // No failure of a source: nothing is wrong that anybody should mend.
    let why = Failure::new(FailureKind::NotYetRead, "this recording was cut to what its reader may see");
    let cut = Gap { what: "those that no host of the caller's is in".to_owned(), why };
    let missing = match std::mem::replace(&mut listing.extent, Extent::Complete { at }) {
        Extent::Partial { missing, .. } => missing,
        Extent::Complete { .. } | Extent::Failed { .. } => Vec::new(),
    };
    listing.extent = Extent::Partial { at, missing: missing.into_iter().chain([cut]).collect() };
}

fn clone_pair<K: Clone, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (key.clone(), value.clone())
}

fn selects(selector: &api::LabelSelector, namespace: &str, desired: &Desired) -> bool {
    let labels = desired.namespaces.get(namespace);
    selector.match_labels.iter().all(|(key, value)| match labels.and_then(|labels| labels.get(key)) {
        Some(label) => *label == value.0,
        None => key == "kubernetes.io/metadata.name" && value.0 == namespace,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_that_was_cut_proves_no_absence() {
        let at: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        let listing = || Reading::complete_at("ec2 security groups", at, vec!["sg-1", "sg-2"]);
        let mut whole = listing();
        keep_of(&mut whole, |_| true);
        assert_eq!(whole, listing(), "nothing was cut");
        let mut cut = listing();
        keep_of(&mut cut, |group| *group == "sg-1");
        assert_eq!((cut.seen.as_slice(), cut.at()), (["sg-1"].as_slice(), Some(at)));
        assert!(cut.complete(at, jiff::SignedDuration::MAX).is_none());
        let Extent::Partial { missing, .. } = &cut.extent else { panic!("{:?}", cut.extent) };
        assert_eq!(missing[0].why.kind, FailureKind::NotYetRead);
        let why = Failure::new(FailureKind::Throttled, "m");
        let mut failed: Reading<Vec<&str>> = Reading::failed("ec2 security groups", at, why);
        keep_of(&mut failed, |_| false);
        assert!(matches!(failed.extent, Extent::Failed { .. }), "what failed is not in part");
    }
}
