//! Which Host objects must be made, told anew, or removed.
//!
//! An object is removed only when its instance is proved gone (the engine says which), when its host is seen to belong
//! elsewhere, or when nobody answers for its place any more. Doubt, blindness and a person's mistake remove nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use rollcall_crds::v1alpha1::{HostSpec, HostStatus};
use rollcall_engine::fleet::Kind;
use rollcall_engine::ids::{AccountName, HostId, ObjectKey, Place};
use rollcall_engine::rollcall::{AccountRoll, HostRoll, RollCall};

use super::diff::{Known, Telling, waits};
use super::host::{self, UnclaimedNamespaces};
use super::progress::Progress;
use crate::watch::{HostIndex, KnownHost, identity, meaning};

/// So many host writes are listed at once; the rest waits for the next pass. At 20 writes a second this is over a
/// minute's work, and its statuses are some MB instead of some ten.
const AT_ONCE: usize = 2_000;

/// A write of one Host object.
#[derive(Clone, Debug)]
pub enum HostWrite {
    /// It is not there.
    Create {
        /// The object.
        key: ObjectKey,
        /// Who the host is.
        spec: HostSpec,
        /// What is told of it.
        status: Box<HostStatus>,
    },
    /// It is there and says something else.
    Tell {
        /// The object.
        key: ObjectKey,
        /// What is told of it.
        status: Box<HostStatus>,
    },
    /// It should not be there.
    Delete {
        /// The object.
        key: ObjectKey,
        /// Only in this state: what somebody changed meanwhile is looked at again.
        resource_version: u64,
    },
}

impl HostWrite {
    /// Does the API server hold it so already?
    #[must_use]
    pub fn is_done(&self, hosts: &HostIndex) -> bool {
        match (self, hosts.get(self.key())) {
            (Self::Create { spec, status, .. }, Some(object)) => {
                object.identity == identity(spec) && object.meaning == Some(meaning(status))
            }
            (Self::Tell { status, .. }, Some(object)) => object.meaning == Some(meaning(status)),
            (Self::Delete { .. }, object) => object.is_none(),
            (_, None) => false,
        }
    }

    /// The object.
    #[must_use]
    pub fn key(&self) -> &ObjectKey {
        match self {
            Self::Create { key, .. } | Self::Tell { key, .. } | Self::Delete { key, .. } => key,
        }
    }
}

/// What [`diff`] found.
pub(super) struct HostWrites {
    pub writes: Vec<HostWrite>,
    pub later: usize,
    pub by_environment: BTreeMap<ObjectKey, Progress>,
    pub by_account: BTreeMap<AccountName, Progress>,
    pub all: Progress,
}

/// One host whose object does not say what we know. Ordered as it is written: what exists first, because somebody may
/// be looking at it; then what is new, one environment after the other.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Due<'a> {
    is_new: bool,
    environment: Option<&'a ObjectKey>,
    id: &'a HostId,
    key: ObjectKey,
}

pub(super) fn diff(telling: &Telling<'_>, known: &Known<'_>) -> HostWrites {
    let Telling { roll, judged, .. } = *telling;
    let findings = roll.findings_by_host();
    let unclaimed = unclaimed_namespaces(telling);
    let accounts: Places<'_> = judged.fleet.places().map(|(place, account)| (place, &account.name)).collect();
    let waiting: BTreeSet<&ObjectKey> = roll.environments.keys().filter(|key| waits(telling, key)).collect();
    let (zones, utc) = (zones(telling), TimeZone::UTC);
    let describe = |id: &HostId, host: &HostRoll, key: &ObjectKey| {
        let findings = findings.get(id).map_or(&[][..], Vec::as_slice);
        let zone = host.environment.as_ref().and_then(|e| zones.get(e)).unwrap_or(&utc);
        host::status(roll, host, &key.namespace, findings, zone)
    };
    let mut out = HostWrites {
        writes: Vec::new(),
        later: 0,
        by_environment: BTreeMap::new(),
        by_account: BTreeMap::new(),
        all: Progress::default(),
    };
    let objects = known.stores.hosts.all();
    let mut due = Vec::new();
    for (id, host) in roll.hosts.iter().filter(|(_, host)| is_judged(telling, host, &waiting)) {
        for key in host::homes(id, host, &unclaimed) {
            let object = objects.get(&key);
            out.count(host, accounts.get(&host.place).copied(), object.is_some_and(|o| o.meaning.is_some()));
            let said = object.is_some_and(|o| says(o, id, host, &describe(id, host, &key)));
            if !said && !(known.is_resting)(&key) {
                due.push(Due { is_new: object.is_none(), environment: host.environment.as_ref(), id, key });
            }
        }
    }
    due.sort();
    let stray = strays(telling, known, &objects, &unclaimed);
    out.later = (due.len() + stray.len()).saturating_sub(AT_ONCE);
    let told = due.iter().filter_map(|due| write(due, roll, objects.get(&due.key), &describe));
    out.writes = told.chain(stray).take(AT_ONCE).collect();
    out
}

impl HostWrites {
    fn count(&mut self, host: &HostRoll, account: Option<&AccountName>, written: bool) {
        self.all.add(written);
        if let Some(environment) = &host.environment {
            self.by_environment.entry(environment.clone()).or_default().add(written);
        }
        if let Some(account) = account {
            self.by_account.entry(account.clone()).or_default().add(written);
        }
    }
}

/// May anything be said of this host now? Not while its environment cannot be understood (what was last said stands),
/// nor in the moment in which a source's first answer is awaited.
fn is_judged(telling: &Telling<'_>, host: &HostRoll, waiting: &BTreeSet<&ObjectKey>) -> bool {
    let understood = host.environment.as_ref().is_none_or(|e| telling.roll.environments.contains_key(e));
    let waits = host.environment.iter().chain(&host.claimed_by).any(|e| waiting.contains(e));
    understood && !waits && !telling.awaited.places.contains(&host.place)
}

fn says(object: &KnownHost, id: &HostId, host: &HostRoll, status: &HostStatus) -> bool {
    object.meaning == Some(meaning(status)) && object.identity == identity(&host::spec(id, &host.place))
}

fn write(
    due: &Due<'_>,
    roll: &RollCall,
    object: Option<&KnownHost>,
    describe: &impl Fn(&HostId, &HostRoll, &ObjectKey) -> HostStatus,
) -> Option<HostWrite> {
    let host = roll.hosts.get(due.id)?;
    let (key, spec) = (due.key.clone(), host::spec(due.id, &host.place));
    let status = || Box::new(describe(due.id, host, &due.key));
    Some(match object {
        None => HostWrite::Create { status: status(), key, spec },
        // Its identity cannot be changed: somebody else made it. It goes, and the next pass makes the right one.
        Some(object) if object.identity != identity(&spec) => {
            HostWrite::Delete { key, resource_version: object.resource_version }
        }
        Some(_) => HostWrite::Tell { status: status(), key },
    })
}

/// Objects that should not be there.
fn strays(
    telling: &Telling<'_>,
    known: &Known<'_>,
    objects: &BTreeMap<ObjectKey, KnownHost>,
    unclaimed: &UnclaimedNamespaces,
) -> Vec<HostWrite> {
    let places: Places<'_> =
        telling.judged.fleet.places().map(|(place, account)| (place, &account.name)).collect();
    let doubts = Doubts::new(telling);
    let stray = objects.iter().filter(|(key, object)| {
        !(known.is_resting)(key) && is_stray(telling, key, object, unclaimed, &places, &doubts)
    });
    stray
        .map(|(key, o)| HostWrite::Delete { key: key.clone(), resource_version: o.resource_version })
        .collect()
}

fn is_stray(
    telling: &Telling<'_>,
    key: &ObjectKey,
    object: &KnownHost,
    unclaimed: &UnclaimedNamespaces,
    places: &Places<'_>,
    doubts: &Doubts<'_>,
) -> bool {
    let id = HostId::new(&key.name);
    if telling.roll.gone.contains(&id) {
        return true;
    }
    match telling.roll.hosts.get(&id) {
        Some(host) => {
            let understood =
                host.environment.as_ref().is_none_or(|e| telling.roll.environments.contains_key(e));
            let elsewhere = !host::homes(&id, host, unclaimed).contains(key);
            elsewhere && host.seen && understood && !doubts.claims.contains(&*key.namespace)
        }
        None => match object.place.as_deref() {
            Some(place) if places.contains_key(place) => is_read_completely(telling, places, place, &id),
            _ => !doubts.accounts,
        },
    }
}

/// Did the last reading of the place show all there is of the kind of this host? Then one that neither it nor memory
/// knows is none.
fn is_read_completely(telling: &Telling<'_>, places: &Places<'_>, place: &Place, id: &HostId) -> bool {
    let account = places.get(place).and_then(|name| telling.roll.accounts.get(*name));
    let is_seen = |account: &AccountRoll| {
        let blind = if id.is_database() { &account.databases_blind } else { &account.blind };
        account.once_read && blind.iter().all(|(blind, _)| blind != place)
    };
    !telling.awaited.places.contains(place) && account.is_some_and(is_seen)
}

/// All places, with the account that reads each.
type Places<'a> = BTreeMap<Place, &'a AccountName>;

/// What people's mistakes leave open.
struct Doubts<'a> {
    /// Namespaces in which an environment cannot be understood: what it would claim is not known.
    claims: BTreeSet<&'a str>,
    /// An account cannot be understood: which places there are is not known.
    accounts: bool,
}

impl<'a> Doubts<'a> {
    fn new(telling: &Telling<'a>) -> Self {
        let problems = &telling.judged.problems;
        let of = |kind: Kind| problems.iter().filter(move |problem| problem.kind == kind);
        Self {
            claims: of(Kind::Environment).map(|problem| problem.namespace.as_str()).collect(),
            accounts: of(Kind::CloudAccount).next().is_some(),
        }
    }
}

fn unclaimed_namespaces(telling: &Telling<'_>) -> UnclaimedNamespaces {
    let (places, namespaces) = (telling.judged.fleet.places(), &telling.judged.desired.namespaces);
    places
        .filter_map(|(place, account)| Some((place, account.unclaimed_namespace.as_deref()?)))
        .filter(|(_, namespace)| namespaces.contains_key(*namespace))
        .map(|(place, namespace)| (place, Arc::from(namespace)))
        .collect()
}

/// The time zone of each environment that names one we know.
fn zones(telling: &Telling<'_>) -> BTreeMap<ObjectKey, TimeZone> {
    let environments = telling.judged.desired.environments.iter();
    environments
        .filter_map(|environment| {
            let zone = TimeZone::get(environment.spec.time_zone.as_deref()?).ok()?;
            let meta = &environment.metadata;
            let key = ObjectKey::new(meta.namespace.as_deref()?, meta.name.as_deref()?);
            Some((key, zone))
        })
        .collect()
}
