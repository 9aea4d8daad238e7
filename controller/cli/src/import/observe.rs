//! What a recording shows of a fleet that nobody has described yet: hosts, and what a monitoring system knows of each.
//! What people wished for is not looked at.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;
use rollcall_crds::v1alpha1::JoinRule;
use rollcall_engine::ids::{CheckName, HostId, ObjectKey, Place, RegistrationId};
use rollcall_engine::inventory::{Database, Instance, Inventory, Marks, PowerState};
use rollcall_engine::reading::{Extent, Reading};
use rollcall_engine::recording::Recording;
use rollcall_engine::registry::{Checks, Registration, Registry};

use super::join::{self, Join};

/// Everything that is seen.
#[derive(Debug)]
pub struct Observed<'r> {
    /// World time of the recording.
    pub now: Timestamp,
    /// Hosts that exist and that no service of AWS or fleet manages, in the order of their ids.
    pub hosts: Vec<Host<'r>>,
    /// Those of them that are databases.
    pub databases: usize,
    /// Hosts that something manages: they need no environment.
    pub managed: usize,
    /// Where hosts were looked for.
    pub places: BTreeSet<&'r Place>,
    /// The monitoring system to import from.
    pub system: Option<System<'r>>,
    /// What could not be read completely, for people.
    pub blind: Vec<String>,
}

/// One host: an instance or a database.
#[derive(Debug)]
pub struct Host<'r> {
    /// Where it is.
    pub place: &'r Place,
    /// Its id.
    pub id: &'r HostId,
    /// Its tags and name.
    pub marks: Marks<'r>,
    /// Its addresses.
    pub addresses: &'r [IpAddr],
    /// Where it listens, if it is a database.
    pub endpoint: Option<&'r str>,
    /// Is it watched for, now?
    pub is_running: bool,
    /// Its registration; of several, the one that last sent a metric.
    pub registration: Option<&'r Registration>,
    /// The checks that run for it, when they are known.
    pub checks: Option<Vec<&'r CheckName>>,
}

impl<'r> Host<'r> {
    /// Its name.
    pub fn name(&self) -> Option<&'r str> {
        self.marks.name
    }

    fn of_instance(place: &'r Place, instance: &'r Instance) -> Self {
        Self {
            place,
            id: &instance.id,
            marks: instance.marks(),
            addresses: &instance.addresses,
            endpoint: None,
            is_running: instance.state == PowerState::Running,
            registration: None,
            checks: None,
        }
    }

    fn of_database(place: &'r Place, database: &'r Database) -> Self {
        Self {
            place,
            id: &database.id,
            marks: database.marks(),
            addresses: &[],
            endpoint: database.endpoint.as_ref().map(|endpoint| endpoint.address.as_str()),
            is_running: database.status.runs(),
            registration: None,
            checks: None,
        }
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
    /// The rules that join them; none: those of the product.
    pub rules: Option<Vec<JoinRule>>,
    /// Where the rules come from, for a reviewer.
    pub reasons: Vec<String>,
}

/// Looks at a recording. `key`: the monitoring system to import from, if any.
pub fn observe<'r>(recording: &'r Recording, key: Option<&'r ObjectKey>) -> Observed<'r> {
    let mut observed = Observed {
        now: recording.now,
        hosts: Vec::new(),
        databases: 0,
        managed: 0,
        places: BTreeSet::new(),
        system: None,
        blind: Vec::new(),
    };
    for (place, inventory) in &recording.snapshot.inventories {
        observed.place(place, inventory);
    }
    observed.hosts.sort_by_key(|host| host.id);
    if let Some((key, registry)) = key.and_then(|key| Some((key, recording.snapshot.registries.get(key)?))) {
        observed.register(key, registry);
    }
    observed
}

impl<'r> Observed<'r> {
    fn place(&mut self, place: &'r Place, inventory: &'r Inventory) {
        self.places.insert(place);
        self.blind.extend(blind(&format!("EC2 {place}"), &inventory.instances));
        for instance in inventory.instances.seen.iter().filter(|instance| instance.state.exists()) {
            if instance.managed_by.is_some() {
                self.managed += 1;
            } else {
                self.hosts.push(Host::of_instance(place, instance));
            }
        }
        if inventory.knows_databases() {
            self.blind.extend(blind(&format!("RDS {place}"), &inventory.databases));
        }
        let exists = |database: &&Database| database.engine.is_rds() && database.status.exists();
        for database in inventory.databases.seen.iter().filter(exists) {
            self.databases += 1;
            self.hosts.push(Host::of_database(place, database));
        }
    }

    fn register(&mut self, key: &'r ObjectKey, registry: &'r Registry) {
        self.blind.extend(blind(&format!("{} hosts", key.name), &registry.hosts));
        if let Checks::Listed(services) = &registry.checks {
            self.blind.extend(blind(&format!("{} services", key.name), services));
        } else {
            self.blind.extend(blind(&format!("{} monitors", key.name), &registry.monitors));
        }
        let join = join::find(registry.product, &registry.hosts.seen, &self.hosts);
        let joined = join.joined();
        let newest = |of: &&&Registration| registry.last_metric.seen.get(&of.id).copied();
        let Join { rules, of_host, reasons } = join;
        for (number, registrations) in of_host {
            // Of equals the first one that is listed.
            let registration = registrations.iter().rev().max_by_key(newest).copied();
            if let (Some(host), Some(registration)) = (self.hosts.get_mut(number), registration) {
                host.registration = Some(registration);
                host.checks = checks(registry, &registration.id);
            }
        }
        self.system = Some(System { key, registry, joined, rules, reasons });
    }
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

/// The checks of one registration, when they are known. A part of one listing of all tells of those whose checks it shows.
fn checks<'r>(registry: &'r Registry, id: &RegistrationId) -> Option<Vec<&'r CheckName>> {
    match &registry.checks {
        Checks::ByHost(all) => {
            let reading = all.get(id)?;
            matches!(reading.extent, Extent::Complete { .. }).then(|| reading.seen.iter().collect())
        }
        Checks::Listed(all) => {
            let shown = all.seen.get(id).map(|checks| checks.iter().map(|check| &check.name).collect());
            let is_whole = matches!(all.extent, Extent::Complete { .. });
            shown.or_else(|| is_whole.then(Vec::new))
        }
    }
}
