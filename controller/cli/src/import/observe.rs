//! What a recording shows of a fleet that nobody has described yet: hosts, and what a monitoring system knows of each.
//! What people wished for is not looked at.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rollcall_engine::ids::{CheckName, HostId, ObjectKey, Place, RegistrationId};
use rollcall_engine::inventory::{Instance, PowerState};
use rollcall_engine::reading::{Extent, Reading};
use rollcall_engine::recording::Recording;
use rollcall_engine::registry::{Registration, Registry};

/// Everything that is seen.
#[derive(Debug)]
pub struct Observed<'r> {
    /// World time of the recording.
    pub now: Timestamp,
    /// Hosts that exist and that no service of AWS or fleet manages, in the order of their ids.
    pub hosts: Vec<Host<'r>>,
    /// Hosts that something manages: they need no environment.
    pub managed: usize,
    /// Where hosts were looked for.
    pub places: BTreeSet<&'r Place>,
    /// The monitoring system to import from.
    pub system: Option<System<'r>>,
    /// What could not be read completely, for people.
    pub blind: Vec<String>,
}

/// One host.
#[derive(Debug)]
pub struct Host<'r> {
    /// Where it is.
    pub place: &'r Place,
    /// What AWS says of it.
    pub instance: &'r Instance,
    /// Its registration; of several, the one that last sent a metric.
    pub registration: Option<&'r Registration>,
    /// The checks that run for it, when they are known completely.
    pub checks: Option<&'r [CheckName]>,
}

impl<'r> Host<'r> {
    /// Its Name tag.
    pub fn name(&self) -> Option<&'r str> {
        self.instance.name()
    }

    /// Is it watched for, now?
    pub fn is_running(&self) -> bool {
        self.instance.state == PowerState::Running
    }
}

/// The monitoring system.
#[derive(Debug)]
pub struct System<'r> {
    /// Under which object the recording keeps its readings; the same name makes a plan find them.
    pub key: &'r ObjectKey,
    /// Its readings.
    pub registry: &'r Registry,
    /// Registrations that belong to a host.
    pub joined: usize,
}

/// Looks at a recording. `key`: the monitoring system to import from, if any.
pub fn observe<'r>(recording: &'r Recording, key: Option<&'r ObjectKey>) -> Observed<'r> {
    let registry = key.and_then(|key| Some((key, &**recording.snapshot.registries.get(key)?)));
    let registered = registry.map(|(_, registry)| registered(registry)).unwrap_or_default();
    let mut observed = Observed {
        now: recording.now,
        hosts: Vec::new(),
        managed: 0,
        places: BTreeSet::new(),
        system: None,
        blind: Vec::new(),
    };
    for (place, inventory) in &recording.snapshot.inventories {
        observed.places.insert(place);
        observed.blind.extend(blind(&format!("EC2 {place}"), &inventory.instances));
        for instance in inventory.instances.seen.iter().filter(|instance| instance.state.exists()) {
            if instance.managed_by.is_some() {
                observed.managed += 1;
                continue;
            }
            let registration = registered.get(instance.id.as_str()).copied();
            let checks = registry.zip(registration).and_then(|((_, registry), of)| checks(registry, &of.id));
            observed.hosts.push(Host { place, instance, registration, checks });
        }
    }
    observed.hosts.sort_by_key(|host| &host.instance.id);
    if let Some((key, registry)) = registry {
        observed.blind.extend(blind(&format!("{} hosts", key.name), &registry.hosts));
        observed.blind.extend(blind(&format!("{} monitors", key.name), &registry.monitors));
        let ids: BTreeSet<&HostId> = observed.hosts.iter().map(|host| &host.instance.id).collect();
        let is_ours = |of: &&Registration| instance_id(of).is_some_and(|id| ids.contains(&HostId::new(id)));
        let joined = registry.hosts.seen.iter().filter(is_ours).count();
        observed.system = Some(System { key, registry, joined });
    }
    observed
}

/// What people should know of a reading that does not hold everything.
fn blind<T>(what: &str, reading: &Reading<T>) -> Option<String> {
    match &reading.extent {
        Extent::Complete { .. } => None,
        Extent::Partial { missing, .. } => {
            let why = missing.first().map_or("", |gap| gap.why.kind.as_str());
            Some(format!("{what}: only a part could be read ({why})"))
        }
        Extent::Failed { why, .. } => Some(format!("{what}: could not be read ({})", why.kind.as_str())),
    }
}

/// Registrations by the instance they speak of, as the default join rules find it.
fn registered(registry: &Registry) -> BTreeMap<String, &Registration> {
    let newest = |of: &Registration| registry.last_metric.seen.get(&of.id).copied();
    let mut registered: BTreeMap<String, &Registration> = BTreeMap::new();
    for registration in &registry.hosts.seen {
        let Some(id) = instance_id(registration) else { continue };
        registered
            .entry(id)
            .and_modify(|known| {
                if newest(registration) > newest(known) {
                    *known = registration;
                }
            })
            .or_insert(registration);
    }
    registered
}

fn instance_id(registration: &Registration) -> Option<String> {
    registration.identified_instance().or_else(|| registration.reported_instance())
}

fn checks<'r>(registry: &'r Registry, id: &RegistrationId) -> Option<&'r [CheckName]> {
    let reading = registry.checks.by_host().get(id)?;
    matches!(reading.extent, Extent::Complete { .. }).then_some(&*reading.seen)
}
