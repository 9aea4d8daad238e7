//! The latest readings, where pollers put them and passes find them.
//!
//! One lost answer is not blindness: while the last complete reading is young, a passing trouble (throttling, a broken
//! connection) does not replace it. A refusal does, at once. Nothing else is changed about a reading, and never is an
//! old one made to look young.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::RwLock;
use rollcall_engine::activity::Activity;
use rollcall_engine::fleet::{Fleet, Kind, Problem};
use rollcall_engine::ids::{ObjectKey, Place};
use rollcall_engine::inventory::Inventory;
use rollcall_engine::reading::{Extent, Failure, FailureKind, Reading};
use rollcall_engine::registry::{Checks, Product, Registry};
use rollcall_engine::snapshot::Snapshot;
use tokio::time::Instant;

use crate::trigger::Trigger;

/// The latest readings of all sources.
pub struct Board {
    inner: RwLock<Inner>,
    /// Rings when a reading says something new.
    changed: Arc<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Inner {
    inventories: BTreeMap<Place, Slot<Inventory>>,
    registries: BTreeMap<ObjectKey, Slot<Registry>>,
    /// What hosts did: nobody waits for it, for what is remembered of it stands meanwhile.
    activities: BTreeMap<Place, Arc<Activity>>,
    /// Why a source could not even be asked: a person's mistake on this object.
    obstacles: BTreeMap<(Kind, ObjectKey), Problem>,
}

struct Slot<T> {
    reading: Arc<T>,
    /// Since when its first answer is awaited; `None` once it came.
    awaited_since: Option<Instant>,
}

/// Sources whose first answer since they were begun is still awaited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Awaited {
    /// Inventories.
    pub places: BTreeSet<Place>,
    /// Registries.
    pub systems: BTreeSet<ObjectKey>,
}

impl Awaited {
    /// Is any answer awaited?
    #[must_use]
    pub fn any(&self) -> bool {
        !self.places.is_empty() || !self.systems.is_empty()
    }
}

impl Board {
    /// An empty board that rings this bell.
    #[must_use]
    pub fn new(bell: Arc<crate::watch::Stores>) -> Self {
        Self { inner: RwLock::default(), changed: Arc::new(move || Trigger::ring(&bell.changed)) }
    }

    /// All readings, shared.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let inner = self.inner.read();
        Snapshot {
            inventories: inner.inventories.iter().map(|(k, s)| (k.clone(), Arc::clone(&s.reading))).collect(),
            registries: inner.registries.iter().map(|(k, s)| (k.clone(), Arc::clone(&s.reading))).collect(),
            activities: inner.activities.clone(),
        }
    }

    /// Sources of this fleet whose first answer is awaited, and has been for less than `grace`. One that is not even
    /// on the board yet is about to be begun.
    #[must_use]
    pub fn awaited(&self, fleet: &Fleet, grace: Duration) -> Awaited {
        let inner = self.inner.read();
        let young = |since: Option<Instant>| since.is_some_and(|since| since.elapsed() < grace);
        let places = fleet.places().map(|(place, _)| place);
        let systems = fleet.used_systems().into_iter();
        Awaited {
            places: places
                .filter(|place| inner.inventories.get(place).is_none_or(|slot| young(slot.awaited_since)))
                .collect(),
            systems: systems
                .filter(|key| inner.registries.get(*key).is_none_or(|slot| young(slot.awaited_since)))
                .cloned()
                .collect(),
        }
    }

    /// When the next awaited source has been awaited for `grace`.
    #[must_use]
    pub fn next_end_of_grace(&self, grace: Duration) -> Option<Instant> {
        let inner = self.inner.read();
        let places = inner.inventories.values().filter_map(|slot| slot.awaited_since);
        let systems = inner.registries.values().filter_map(|slot| slot.awaited_since);
        places.chain(systems).map(|since| since + grace).filter(|end| *end > Instant::now()).min()
    }

    /// What keeps sources from being asked.
    #[must_use]
    pub fn obstacles(&self) -> Vec<Problem> {
        self.inner.read().obstacles.values().cloned().collect()
    }

    /// A term begins: every source is asked anew, and statuses wait a moment for the answers. What was read of
    /// monitoring systems before goes: nothing was remembered then that could have told a list that lost something.
    pub fn begin_term(&self, now: Timestamp) {
        let mut inner = self.inner.write();
        let awaited_since = Some(Instant::now());
        inner.inventories.values_mut().for_each(|slot| slot.awaited_since = awaited_since);
        // Another may have read a later day since; what is remembered of it stands.
        inner.activities.clear();
        for (key, slot) in &mut inner.registries {
            let unread = super::registry::not_yet(slot.reading.product, key, now);
            *slot = Slot { reading: Arc::new(unread), awaited_since };
        }
    }

    /// The source is polled from now on. A reading that is there already stays.
    pub fn begin_place(&self, place: &Place, now: Timestamp) {
        self.inner.write().inventories.entry(place.clone()).or_insert_with(|| Slot {
            reading: Arc::new(Inventory::not_yet(place.clone(), now)),
            awaited_since: Some(Instant::now()),
        });
    }

    /// As [`Self::begin_place`].
    pub fn begin_system(&self, key: &ObjectKey, unread: Arc<Registry>) {
        self.inner
            .write()
            .registries
            .entry(key.clone())
            .or_insert_with(|| Slot { reading: unread, awaited_since: Some(Instant::now()) });
    }

    /// The source is no longer polled.
    pub fn end_place(&self, place: &Place) {
        self.inner.write().inventories.remove(place);
        (self.changed)();
    }

    /// As [`Self::end_place`].
    pub fn end_system(&self, key: &ObjectKey) {
        self.inner.write().registries.remove(key);
        (self.changed)();
    }

    /// Puts a new state of an inventory on the board; `change` is told what was known. Half of the hosts is no first answer, and
    /// what is told of it would be taken back a moment later: [`Self::answered`] says when it is one.
    pub fn update_place(&self, place: &Place, change: impl FnOnce(&Inventory) -> Inventory) {
        let Some(known) = self.place(place) else { return };
        let new = change(&known);
        let news = !inventory_says_the_same(&known, &new);
        drop(known);
        let mut inner = self.inner.write();
        // A poll may end after its place was given up.
        let Some(slot) = inner.inventories.get_mut(place) else { return };
        slot.reading = Arc::new(new);
        drop(inner);
        if news {
            (self.changed)();
        }
    }

    /// All that statuses wait for was asked, and has answered or failed.
    pub fn answered(&self, place: &Place) {
        let mut inner = self.inner.write();
        let first = inner.inventories.get_mut(place).is_some_and(|slot| slot.awaited_since.take().is_some());
        drop(inner);
        if first {
            (self.changed)();
        }
    }

    /// Puts a registry on the board.
    pub fn put_system(&self, key: &ObjectKey, new: Arc<Registry>) {
        let Some(known) = self.system(key) else { return };
        let news = !Arc::ptr_eq(&known, &new) && !registry_says_the_same(&known, &new);
        drop(known);
        let mut inner = self.inner.write();
        let Some(slot) = inner.registries.get_mut(key) else { return };
        slot.reading = new;
        let first = slot.awaited_since.take().is_some();
        drop(inner);
        if news || first {
            (self.changed)();
        }
    }

    /// Adds what was read of what hosts did to what is known of the same days.
    pub fn put_activity(&self, place: &Place, new: Activity) {
        let mut inner = self.inner.write();
        // A poll may end after its place was given up.
        if !inner.inventories.contains_key(place) {
            return;
        }
        let known = inner.activities.remove(place);
        let new = match known.clone() {
            Some(known) => Arc::unwrap_or_clone(known).with(new),
            None => new,
        };
        let news = known.is_none_or(|known| known.window != new.window || !same(&known.hosts, &new.hosts));
        inner.activities.insert(place.clone(), Arc::new(new));
        drop(inner);
        if news {
            (self.changed)();
        }
    }

    /// Nobody asks any more what hosts of this place did.
    pub fn end_activity(&self, place: &Place) {
        let is_known = self.activity(place).is_some();
        if is_known {
            self.inner.write().activities.remove(place);
            (self.changed)();
        }
    }

    /// What the board says of what hosts of a place did.
    #[must_use]
    pub fn activity(&self, place: &Place) -> Option<Arc<Activity>> {
        self.inner.read().activities.get(place).map(Arc::clone)
    }

    /// What the board says of a place.
    #[must_use]
    pub fn place(&self, place: &Place) -> Option<Arc<Inventory>> {
        self.inner.read().inventories.get(place).map(|slot| Arc::clone(&slot.reading))
    }

    /// What the board says of a system.
    #[must_use]
    pub fn system(&self, key: &ObjectKey) -> Option<Arc<Registry>> {
        self.inner.read().registries.get(key).map(|slot| Arc::clone(&slot.reading))
    }

    /// Says what keeps the source of this object from being asked, or that nothing does.
    pub fn set_obstacle(&self, kind: Kind, key: &ObjectKey, obstacle: Option<&Problem>) {
        let mut inner = self.inner.write();
        let slot = (kind, key.clone());
        let before = match obstacle {
            Some(problem) => inner.obstacles.insert(slot, problem.clone()),
            None => inner.obstacles.remove(&slot),
        };
        drop(inner);
        if before.as_ref() != obstacle {
            (self.changed)();
        }
    }
}

/// What is made of the answers of one listing, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hearing {
    /// The last answer was lost to trouble.
    lost: bool,
}

impl Hearing {
    /// The reading to believe after `new` came: `new` itself, with its failure dated from the first one; or `known`,
    /// when one answer was lost to passing trouble and `known` is complete and younger than `patience`.
    #[must_use]
    pub fn hear<T: Clone>(
        &mut self,
        known: &Reading<T>,
        new: Reading<T>,
        patience: SignedDuration,
        now: Timestamp,
    ) -> Reading<T> {
        let is_first = !std::mem::replace(&mut self.lost, trouble(&new).is_some());
        if is_first && trouble(&new).is_some_and(passes) && known.complete(now, patience).is_some() {
            return known.clone();
        }
        dated(known, new)
    }

    /// The same of a listing that not every product has.
    fn hear_of<T: Clone>(
        &mut self,
        known: Option<&Reading<T>>,
        new: Option<Reading<T>>,
        patience: SignedDuration,
        now: Timestamp,
    ) -> Option<Reading<T>> {
        match (known, new) {
            (Some(known), Some(new)) => Some(self.hear(known, new, patience, now)),
            (_, new) => new,
        }
    }
}

/// As [`Hearing::hear`] without a memory of answers that were lost before: `known` is held through passing trouble for as
/// long as it is younger than `patience`.
pub(super) fn hold<T: Clone>(
    known: &Reading<T>,
    new: Reading<T>,
    patience: SignedDuration,
    now: Timestamp,
) -> Reading<T> {
    let is_held = trouble(&new).is_some_and(passes) && known.complete(now, patience).is_some();
    if is_held { known.clone() } else { dated(known, new) }
}

/// A failure that goes on has been one since it began.
fn dated<T>(known: &Reading<T>, mut new: Reading<T>) -> Reading<T> {
    if let (Extent::Failed { since: before, why }, Extent::Failed { since, .. }) =
        (&known.extent, &mut new.extent)
        && why.kind != FailureKind::NotYetRead
    {
        *since = (*since).min(*before);
    }
    new
}

fn trouble<T>(reading: &Reading<T>) -> Option<FailureKind> {
    match &reading.extent {
        Extent::Complete { .. } => None,
        Extent::Partial { missing, .. } => missing.iter().map(|gap| gap.why.kind).max(),
        Extent::Failed { why, .. } => Some(why.kind),
    }
}

/// Trouble that may be over with the next call. A refusal, a wrong account or a mistake of ours is not.
fn passes(kind: FailureKind) -> bool {
    use FailureKind::{Malformed, SourceError, Throttled, TimedOut, Unreachable};
    matches!(kind, Throttled | Unreachable | TimedOut | SourceError | Malformed)
}

fn inventory_says_the_same(a: &Inventory, b: &Inventory) -> bool {
    same(&a.instances, &b.instances)
        && same(&a.volumes, &b.volumes)
        && same(&a.addresses, &b.addresses)
        && same(&a.databases, &b.databases)
        && same(&a.clusters, &b.clusters)
        && same(&a.security_groups, &b.security_groups)
        && same(&a.subnet_groups, &b.subnet_groups)
        && same_all(&a.parameters, &b.parameters)
        && same_all(&a.protections, &b.protections)
}

fn same_all<K: Ord, T: PartialEq>(a: &BTreeMap<K, Reading<T>>, b: &BTreeMap<K, Reading<T>>) -> bool {
    let same_one = |(key, reading)| b.get(key).is_some_and(|other| same(reading, other));
    a.len() == b.len() && a.iter().all(same_one)
}

/// The newest metrics move with every reading; that they stopped is a matter of minutes, and the tick's.
fn registry_says_the_same(a: &Registry, b: &Registry) -> bool {
    same_organization(a, b)
        && same(&a.hosts, &b.hosts)
        && same(&a.services, &b.services)
        && same(&a.monitors, &b.monitors)
        && same_checks(&a.checks, &b.checks)
        && same_extent(&a.last_metric.extent, &b.last_metric.extent)
        && a.last_metric.seen.len() == b.last_metric.seen.len()
}

fn same_checks(a: &Checks, b: &Checks) -> bool {
    match (a, b) {
        (Checks::Listed(a), Checks::Listed(b)) => same(a, b),
        (Checks::ByHost(a), Checks::ByHost(b)) => same_all(a, b),
        _ => false,
    }
}

fn same_organization(a: &Registry, b: &Registry) -> bool {
    match (&a.organization, &b.organization) {
        (Some(a), Some(b)) => same(a, b),
        (a, b) => a.is_none() == b.is_none(),
    }
}

fn same<T: PartialEq>(a: &Reading<T>, b: &Reading<T>) -> bool {
    same_extent(&a.extent, &b.extent) && a.seen == b.seen
}

fn same_extent(a: &Extent, b: &Extent) -> bool {
    match (a, b) {
        (Extent::Complete { .. }, Extent::Complete { .. }) => true,
        (Extent::Partial { missing: a, .. }, Extent::Partial { missing: b, .. }) => a == b,
        (Extent::Failed { why: a, .. }, Extent::Failed { why: b, .. }) => a == b,
        _ => false,
    }
}

/// A registry that could not be read at all: every listing says why. Checks proved before keep their own times.
#[must_use]
pub fn unread(
    known: Option<&Registry>,
    product: Product,
    name: &str,
    now: Timestamp,
    why: &Failure,
) -> Registry {
    let failed = |listing: &str| format!("{} {listing} {name}", product.as_str().to_lowercase());
    // What a product does not have is not lost with an answer.
    let lacks = |listing: &str| match product {
        Product::Mackerel => why.clone(),
        Product::Nagios => product.has_no(listing),
    };
    let checks = match product {
        Product::Mackerel => known.map(|registry| registry.checks.clone()).unwrap_or_default(),
        Product::Nagios => Checks::Listed(Reading::failed(failed("services"), now, why.clone())),
    };
    Registry {
        product,
        organization: (product == Product::Mackerel)
            .then(|| Reading::failed(failed("organisation"), now, why.clone())),
        program: (product == Product::Nagios).then(|| Reading::failed(failed("program"), now, why.clone())),
        notifications: (product == Product::Mackerel)
            .then(|| Reading::failed(failed("notifications"), now, why.clone())),
        hosts: Reading::failed(failed("hosts"), now, why.clone()),
        services: Reading::failed(failed("services"), now, lacks("services with roles")),
        monitors: Reading::failed(failed("monitors"), now, lacks("monitors on metrics")),
        checks,
        last_metric: Reading::failed(failed("metrics"), now, lacks("metrics")),
    }
}

/// What is made of the answers of one registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct RegistryHearing {
    organization: Hearing,
    program: Hearing,
    notifications: Hearing,
    hosts: Hearing,
    services: Hearing,
    monitors: Hearing,
    checks: Hearing,
    last_metric: Hearing,
}

impl RegistryHearing {
    /// [`Hearing::hear`], listing by listing. Checks of single hosts are the reader's own to keep.
    #[must_use]
    pub fn hear(
        &mut self,
        known: &Registry,
        new: Registry,
        patience: SignedDuration,
        now: Timestamp,
    ) -> Registry {
        Registry {
            product: new.product,
            organization: self.organization.hear_of(
                known.organization.as_ref(),
                new.organization,
                patience,
                now,
            ),
            program: self.program.hear_of(known.program.as_ref(), new.program, patience, now),
            notifications: self.notifications.hear_of(
                known.notifications.as_ref(),
                new.notifications,
                patience,
                now,
            ),
            hosts: self.hosts.hear(&known.hosts, new.hosts, patience, now),
            services: self.services.hear(&known.services, new.services, patience, now),
            monitors: self.monitors.hear(&known.monitors, new.monitors, patience, now),
            checks: match (&known.checks, new.checks) {
                (Checks::Listed(known), Checks::Listed(new)) => {
                    Checks::Listed(self.checks.hear(known, new, patience, now))
                }
                (_, new) => new,
            },
            last_metric: self.last_metric.hear(&known.last_metric, new.last_metric, patience, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use rollcall_engine::fleet::Desired;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn failed(second: i64, kind: FailureKind) -> Reading<Vec<u8>> {
        Reading::failed("s", at(second), Failure::new(kind, "m"))
    }

    const PATIENCE: SignedDuration = SignedDuration::from_secs(100);

    #[test]
    fn one_lost_answer_is_not_blindness_but_the_second_is() {
        let (complete, mut hearing) = (Reading::complete_at("s", at(0), vec![1]), Hearing::default());
        let mut believe = |known: &_, new, now| hearing.hear(known, new, PATIENCE, at(now));
        let first = believe(&complete, failed(60, FailureKind::Throttled), 60);
        assert_eq!(first, complete, "held, with its own time");
        let second = believe(&first, failed(61, FailureKind::Throttled), 61);
        assert_eq!(second, failed(61, FailureKind::Throttled), "however soon it comes");
        let third = believe(&second, failed(180, FailureKind::Unreachable), 180);
        assert_eq!(third, failed(61, FailureKind::Unreachable), "failing since the second");
        let back = believe(&third, Reading::complete_at("s", at(240), vec![2]), 240);
        assert_eq!(believe(&back, failed(300, FailureKind::TimedOut), 300), back, "one more may be lost");
    }

    #[test]
    fn half_of_the_hosts_is_no_first_answer() {
        let account = serde_json::json!({
            "apiVersion": "rollcall.dev/v1alpha1", "kind": "CloudAccount", "metadata": {"name": "prod"},
            "spec": {"accountID": "123456789012", "regions": ["ap-northeast-1"], "grants": []},
        });
        let accounts = vec![serde_json::from_value(account).unwrap()];
        let (fleet, _) = Fleet::parse(&Desired { accounts, ..Desired::default() });
        let (board, grace) = (Board::new(Arc::default()), Duration::from_mins(1));
        let place = Place::try_from("123456789012/ap-northeast-1".to_owned()).unwrap();
        board.begin_place(&place, at(0));
        board.update_place(&place, Inventory::clone);
        assert!(board.awaited(&fleet, grace).places.contains(&place), "databases have not answered yet");
        board.answered(&place);
        assert!(!board.awaited(&fleet, grace).any());
    }

    #[test]
    fn a_single_thing_is_held_through_passing_trouble_while_it_is_young() {
        let complete = Reading::complete_at("s", at(0), vec![1]);
        let believe = |known: &_, kind, now| hold(known, failed(now, kind), PATIENCE, at(now));
        let first = believe(&complete, FailureKind::Throttled, 60);
        assert_eq!(believe(&first, FailureKind::TimedOut, 100), complete, "with its own time, however often");
        let old = believe(&complete, FailureKind::Throttled, 101);
        assert_eq!(old, failed(101, FailureKind::Throttled));
        assert_eq!(
            believe(&old, FailureKind::Denied, 160),
            failed(101, FailureKind::Denied),
            "since the first"
        );
        assert_eq!(believe(&complete, FailureKind::Denied, 1), failed(1, FailureKind::Denied), "at once");
    }

    #[test]
    fn an_old_reading_is_not_held() {
        let complete = Reading::complete_at("s", at(0), vec![1]);
        let new = failed(101, FailureKind::Throttled);
        assert_eq!(Hearing::default().hear(&complete, new.clone(), PATIENCE, at(101)), new);
    }

    #[test]
    fn a_refusal_is_believed_at_once() {
        let complete = Reading::complete_at("s", at(0), vec![1]);
        for kind in [
            FailureKind::Denied,
            FailureKind::WrongAccount,
            FailureKind::Misconfigured,
            FailureKind::TooLarge,
        ] {
            let new = failed(60, kind);
            assert_eq!(Hearing::default().hear(&complete, new.clone(), PATIENCE, at(60)), new);
        }
    }
}
