//! What the inventory of each place lets us say: who is listed, and whether being not listed proves anything. Instances
//! and databases are listed apart, and one of the two listings that cannot be read blinds nothing of the other.
//!
//! A complete reading from which far too many remembered hosts have vanished without a word is not believed: an
//! empty answer without an error deleted whole fleets elsewhere (Argo CD #18480, Google's Diskerase). It
//! proves absence only after complete readings have agreed with it for [`FALL_BELIEVED_AFTER`]; a real mass
//! termination is seen as such, because EC2 lists terminated instances for about an hour, and RDS lists a database for
//! the minutes that its deletion takes. Where there are few, the last ones that vanish at once are too many also.
//! Recovery is automatic: the first reading with the hosts back ends the doubt.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Pass;
use super::in_step::InStep;
use super::listed::{Listed, Membership};
use crate::fleet::Account;
use crate::ids::{HostId, Place};
use crate::inventory::{Database, DatabaseCluster, Instance};
use crate::limits::{FALL_BELIEVED_AFTER, FALL_FLOOR, FALL_PERCENT, INVENTORY_MAX_AGE};
use crate::memory::{DatabasesMemory, HostMemory, PlaceMemory};
use crate::reading::{Failure, FailureKind, Reading};

/// One place as this pass sees it.
#[derive(Debug)]
pub(super) struct PlaceView<'a> {
    pub(super) place: Place,
    pub(super) account: &'a Account,
    pub(super) memory: &'a PlaceMemory,
    /// What EC2's listing lets us say.
    pub(super) instances: Listing,
    /// What RDS's listing of databases lets us say.
    pub(super) databases: Listing,
    /// What RDS's listing of clusters lets us say.
    pub(super) clusters: Listing,
    /// The recording is from before databases were read: it is judged without them.
    is_without_databases: bool,
    /// Instances that were listed, by id, each once; whatever the extent of the reading.
    listed_instances: Vec<&'a Instance>,
    /// Databases of RDS, likewise. Neptune's and `DocumentDB`'s, which share the listing, are no hosts.
    listed_databases: Vec<(&'a Database, Membership<'a>)>,
    /// Clusters that are there now, as far as was seen.
    pub(super) seen_clusters: &'a [DatabaseCluster],
}

/// What one listing of a place lets us say.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// When it was begun, if it brought anything.
    pub(super) at: Option<Timestamp>,
    /// Who is listed is there now: it is not older than [`INVENTORY_MAX_AGE`].
    pub(super) is_fresh: bool,
    /// When it was begun, if it proves that what it lacks is not there.
    pub(super) proof: Option<Timestamp>,
    /// Why it proves nothing.
    pub(super) blind: Option<Failure>,
    /// Since when too many hosts are missing from complete readings; to be remembered.
    pub(super) fallen_since: Option<Timestamp>,
}

/// Memory of a place that has none yet.
static NEW: PlaceMemory = PlaceMemory {
    since: None,
    hosts: BTreeMap::new(),
    tombstones: BTreeMap::new(),
    fallen_since: None,
    databases: DatabasesMemory { since: None, fallen_since: None, writers: BTreeMap::new() },
    findings: BTreeMap::new(),
    unused_since: None,
};

/// Looks at every place of the fleet.
pub(super) fn look<'a>(pass: &Pass<'a>) -> Vec<PlaceView<'a>> {
    pass.fleet.places().map(|(place, account)| look_at(pass, place, account)).collect()
}

fn look_at<'a>(pass: &Pass<'a>, place: Place, account: &'a Account) -> PlaceView<'a> {
    let memory = pass.memory.places.get(&place).unwrap_or(&NEW);
    let inventory = pass.snapshot.inventories.get(&place).map(|inventory| &**inventory);
    let now = pass.now;
    let mut view = PlaceView {
        account,
        memory,
        instances: Listing::at(inventory.map(|i| &i.instances), "ec2 instances", &place, now),
        databases: Listing::at(inventory.map(|i| &i.databases), "rds databases", &place, now),
        clusters: Listing::at(inventory.map(|i| &i.clusters), "rds clusters", &place, now),
        is_without_databases: inventory.is_some_and(|inventory| !inventory.knows_databases()),
        listed_instances: inventory.map(|i| instances_by_id(&i.instances.seen)).unwrap_or_default(),
        listed_databases: Vec::new(),
        seen_clusters: &[],
        place,
    };
    if let Some(inventory) = inventory {
        view.seen_clusters = if view.clusters.is_fresh { &inventory.clusters.seen } else { &[] };
        view.listed_databases = databases_by_id(&inventory.databases.seen, view.seen_clusters);
    }
    if view.is_without_databases {
        view.databases.blind = None;
        view.clusters.blind = None;
    }
    view.instances.fallen_since = memory.fallen_since;
    view.databases.fallen_since = memory.databases.fallen_since;
    let instances = view.fall(&memory.hosts, view.instances.fallen_since, |id| !id.is_database());
    view.instances.doubt_a_fall(instances, "ec2 instances", &view.place);
    let databases = view.fall(&memory.hosts, view.databases.fallen_since, HostId::is_database);
    view.databases.doubt_a_fall(databases, "rds databases", &view.place);
    view
}

/// Each instance once. A page that came twice is not complete, but whoever reads it may still look.
fn instances_by_id(seen: &[Instance]) -> Vec<&Instance> {
    let mut listed: Vec<&Instance> = seen.iter().collect();
    listed
        .sort_by(|a, b| a.id.cmp(&b.id).then(b.launch_time.cmp(&a.launch_time)).then(a.state.cmp(&b.state)));
    listed.dedup_by(|later, first| later.id == first.id);
    listed
}

/// Each database of RDS once, with what is known of its cluster.
fn databases_by_id<'a>(
    seen: &'a [Database],
    clusters: &'a [DatabaseCluster],
) -> Vec<(&'a Database, Membership<'a>)> {
    let mut listed: Vec<&Database> = seen.iter().filter(|database| database.engine.is_rds()).collect();
    listed.sort_by(|a, b| {
        a.id.cmp(&b.id).then_with(|| a.name.cmp(&b.name)).then_with(|| a.status.cmp(&b.status))
    });
    listed.dedup_by(|later, first| later.id == first.id);
    let mut clusters: Vec<&DatabaseCluster> = clusters.iter().collect();
    clusters.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
    clusters.dedup_by(|later, first| later.name == first.name);
    let membership = |database: &Database| match &database.cluster {
        None => Membership::Alone,
        Some(name) => {
            let at = clusters.binary_search_by(|cluster| cluster.name.cmp(name)).ok();
            let cluster = at.and_then(|at| clusters.get(at).copied());
            cluster.map_or(Membership::Hidden, Membership::In)
        }
    };
    listed.into_iter().map(|database| (database, membership(database))).collect()
}

impl<'a> PlaceView<'a> {
    /// Everybody who was listed, by id: `db-…` stands before `i-…`.
    pub(super) fn listed(&self) -> impl Iterator<Item = Listed<'a>> {
        let databases = self.listed_databases.iter().map(|(database, of)| Listed::Database(database, *of));
        databases.chain(self.listed_instances.iter().map(|instance| Listed::Instance(instance)))
    }

    /// The same, for whoever asks in the order of ids.
    pub(super) fn in_step(&self) -> InStep<impl Iterator<Item = (&'a HostId, Listed<'a>)>> {
        debug_assert!(self.listed().is_sorted_by_key(Listed::id), "a walk needs the order of ids");
        InStep::new(self.listed().map(|listed| (listed.id(), listed)))
    }

    /// The host of this id, if it was listed.
    pub(super) fn host(&self, id: &HostId) -> Option<Listed<'a>> {
        if id.is_database() {
            let at = self.listed_databases.binary_search_by(|(database, _)| database.id.cmp(id)).ok()?;
            self.listed_databases.get(at).map(|(database, of)| Listed::Database(database, *of))
        } else {
            let at = self.listed_instances.binary_search_by(|instance| instance.id.cmp(id)).ok()?;
            self.listed_instances.get(at).map(|instance| Listed::Instance(instance))
        }
    }

    /// The listing that would list the host of this id.
    pub(super) fn listing(&self, id: &HostId) -> &Listing {
        if id.is_database() { &self.databases } else { &self.instances }
    }

    /// When the first complete reading of the listing was begun that would list the host of this id.
    pub(super) fn since(&self, id: &HostId) -> Option<Timestamp> {
        if id.is_database() { self.memory.databases.since } else { self.memory.since }
    }

    /// Do the databases that are listed prove that there are no others?
    pub(super) fn proves_databases(&self) -> bool {
        self.databases.proof.is_some() || self.is_without_databases
    }

    /// Do all hosts that are listed prove that there are no others?
    pub(super) fn proves_all(&self) -> bool {
        self.instances.proof.is_some() && self.proves_databases()
    }

    /// Was every listing of hosts readable once? A refusal of databases counts as an answer: an account may have none,
    /// and a right that is missing is told elsewhere.
    pub(super) fn is_once_read(&self) -> bool {
        let is_awaited = |failure: &Failure| failure.kind == FailureKind::NotYetRead;
        self.memory.since.or(self.instances.proof).is_some()
            && (self.memory.databases.since.is_some()
                || !self.databases.blind.as_ref().is_some_and(is_awaited))
    }

    /// Which of the hosts known, of one kind, are not listed. `since`: when the fall began that is doubted already; who
    /// came later does not make up for who was lost then.
    pub(super) fn fall(
        &self,
        known: &BTreeMap<HostId, HostMemory>,
        since: Option<Timestamp>,
        is_one: impl Fn(&HostId) -> bool,
    ) -> Fall {
        let mut listed = self.in_step();
        let mut fall = Fall::default();
        let was_there = |memory: &HostMemory| since.is_none_or(|since| memory.first_seen < since);
        for (id, memory) in known.iter().filter(|(id, memory)| is_one(id) && was_there(memory)) {
            let is_lost = listed.get(id).is_none();
            fall.known += 1;
            fall.lost += usize::from(is_lost);
            if memory.absent_since.is_none() {
                fall.held += 1;
                fall.lost_at_once += usize::from(is_lost);
            }
        }
        fall
    }
}

impl Listing {
    fn at<T>(reading: Option<&Reading<T>>, what: &str, place: &Place, now: Timestamp) -> Self {
        let Some(reading) = reading else {
            let failure = Failure::new(FailureKind::NotYetRead, format!("{what} {place}: not read yet"));
            return Self { blind: Some(failure), ..Self::default() };
        };
        let at = reading.at();
        Self {
            at,
            is_fresh: at.is_some_and(|at| now.duration_since(at) <= INVENTORY_MAX_AGE),
            proof: reading.complete(now, INVENTORY_MAX_AGE).map(|complete| complete.at()),
            blind: reading.blindness(now, INVENTORY_MAX_AGE),
            fallen_since: None,
        }
    }

    /// Takes the proof away from a complete reading that lost too many hosts; see the module.
    fn doubt_a_fall(&mut self, fall: Fall, what: &str, place: &Place) {
        let Some(at) = self.proof else { return };
        if !fall.is_doubtful() {
            self.fallen_since = None;
            return;
        }
        let since = self.fallen_since.unwrap_or(at);
        self.fallen_since = Some(since);
        if at.duration_since(since) < FALL_BELIEVED_AFTER {
            let Fall { lost, known, .. } = fall;
            self.proof = None;
            self.blind = Some(Failure::new(
                FailureKind::Malformed,
                format!(
                    "{what} {place}: {lost} of {known} hosts vanished at once and none was seen shutting down; not believed \
                     unless complete readings still say so an hour after {since}; check region, endpoint and rights"
                ),
            ));
        }
    }
}

/// How many of the hosts that are known a listing lacks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fall {
    lost: usize,
    known: usize,
    /// Of those lost: whom no listing was believed to lack yet. Who is missed already does not vanish once more when the
    /// others are fewer.
    lost_at_once: usize,
    /// Of those known: likewise.
    held: usize,
}

impl Fall {
    /// Are so many lost that a complete reading must be doubted? The floor alone would let an empty answer take all of a
    /// place that has few.
    pub(super) fn is_doubtful(self) -> bool {
        let are_many = self.lost > FALL_FLOOR.max(self.known * FALL_PERCENT / 100);
        are_many || (self.lost_at_once > 0 && self.lost_at_once == self.held)
    }
}
