//! Compares what we know with what the API server says, object by object, and lists what must be written.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher as _};

use jiff::Timestamp;
use rollcall_engine::fleet::{Kind, Problem};
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::rollcall::{CheckRoll, RollCall};

use super::conditions::ours;
use super::hosts::{self, HostWrites};
use super::progress::Progress;
use super::{HostWrite, Notice, ObjectWrite, RetirementWrite, environment, notices, others};
use crate::notify::Last;
use crate::observe::Awaited;
use crate::watch::{Judged, Store, Stores, Told, Watched};

/// Everything that one pass wants to tell.
pub struct Telling<'a> {
    /// What was decided.
    pub roll: &'a RollCall,
    /// Desired state and its problems.
    pub judged: &'a Judged,
    /// What keeps sources from being asked.
    pub obstacles: &'a [Problem],
    /// Sources whose first answer is awaited: what depends on them is told a moment later.
    pub awaited: &'a Awaited,
    /// What became of the last delivery to each channel that had one.
    pub delivered: &'a BTreeMap<ObjectKey, Last>,
    /// World time.
    pub now: Timestamp,
    /// Is it time to tell progress? Its counts move with every pass, and each telling is a write.
    pub tells_progress: bool,
}

/// What the API server says, and what we have said ourselves.
pub struct Known<'a> {
    /// What the watches brought.
    pub stores: &'a Stores,
    /// The status we last wrote on an object, by hash, and the resource version this made. While the object stays at
    /// that version it says what we mean, even if others have added to it what we do not own.
    pub written: &'a BTreeMap<(Kind, ObjectKey), (u64, u64)>,
    /// Is a Host object to be left alone for a while, because a write of it has just failed?
    pub is_resting: &'a (dyn Fn(&ObjectKey) -> bool + Sync),
}

/// What must be written for the API server to say what we know.
#[derive(Debug, Default)]
pub struct Writes {
    /// Statuses of what people wrote; first in line.
    pub objects: Vec<ObjectWrite>,
    /// Host objects, a limited number of them.
    pub hosts: Vec<HostWrite>,
    /// Retirements; before everything else.
    pub retirements: Vec<RetirementWrite>,
    /// What happened and changes no status.
    pub news: Vec<Notice>,
    /// Host writes beyond that number: the next pass lists them.
    pub later: usize,
    /// First writes of hosts, all environments together.
    pub progress: Progress,
    /// Whether it is time to tell it.
    pub tells_progress: bool,
}

/// The whole comparison.
#[must_use]
pub fn diff(telling: &Telling<'_>, known: &Known<'_>) -> Writes {
    let problems = Problems::new(telling);
    let HostWrites { writes, later, by_environment, by_account, all } = hosts::diff(telling, known);
    let mut out = Writes {
        objects: Vec::new(),
        hosts: writes,
        retirements: Vec::new(),
        news: notices::of_writers(telling, known.stores),
        later,
        progress: all,
        tells_progress: telling.tells_progress,
    };
    let Telling { roll, judged, now, awaited, tells_progress, .. } = *telling;
    let stores = known.stores;
    let mut list = Listing { known, out: &mut out.objects };

    // What waits for an answer keeps what was told of it; what was never told anything is told that it waits.
    list.kind(&stores.accounts, |key, before, generation| {
        let name = (*key.name).into();
        let waits =
            judged.fleet.account(&name).is_some_and(|a| a.places().any(|p| awaited.places.contains(&p)));
        let held = waits && before.summary.is_some();
        let roll = roll.accounts.get(&name).filter(|_| !held);
        let progress = by_account.get(&name).copied().unwrap_or_default().told(tells_progress);
        let problems = problems.of(Kind::CloudAccount, key);
        (!held || !problems.is_empty())
            .then(|| others::account(roll, problems, progress, before, generation, now))
    });
    list.kind(&stores.environments, |key, before, generation| {
        let held = waits(telling, key) && before.summary.is_some();
        let roll = roll.environments.get(key).filter(|_| !held);
        let progress = by_environment.get(key).copied().unwrap_or_default().told(tells_progress);
        let problems = problems.of(Kind::Environment, key);
        (!held || !problems.is_empty())
            .then(|| environment::status(roll, problems, progress, before, generation, now))
    });
    list.kind(&stores.systems, |key, before, generation| {
        let held = awaited.systems.contains(key) && before.summary.is_some();
        let roll = roll.systems.get(key).filter(|_| !held);
        let used = judged.fleet.used_systems().contains(key);
        let problems = problems.of(Kind::MonitoringSystem, key);
        (!held || !problems.is_empty()).then(|| others::system(roll, used, problems, before, generation, now))
    });
    list.kind(&stores.roles, |key, before, generation| {
        let roll = roll.roles.get(key).filter(|roll| !(roll.blind && awaited.any()));
        let problems = problems.of(Kind::HostRole, key);
        Some(others::role(roll, problems, before, generation, now))
    });
    list.kind(&stores.checks, |key, before, generation| {
        // What an assertion looks at may be awaited although hosts and systems have answered.
        let is_known = |roll: &&CheckRoll| !roll.blind && roll.tally.unknown == 0;
        let roll = roll.checks.get(key).filter(|roll| is_known(roll) || !awaited.any());
        let problems = problems.of(Kind::RequiredCheck, key);
        Some(others::check(roll, problems, before, generation, now))
    });
    list.kind(&stores.policies, |key, before, generation| {
        // Whom nobody sees nobody judges: none of them would be shown as unused.
        let sees_all = roll.environments.values().all(|roll| roll.lean.is_none() || roll.sees_hosts());
        let roll = roll.policies.get(key).filter(|_| sees_all && !awaited.any());
        let problems = problems.of(Kind::RetirementPolicy, key);
        Some(others::policy(roll, problems, before, generation, now))
    });
    list.kind(&stores.channels, |key, before, generation| {
        let problems = problems.of(Kind::NotificationChannel, key);
        Some(others::channel(telling.delivered.get(key), problems, before, generation, now))
    });
    list.kind(&stores.exemptions, |key, before, generation| {
        let roll = roll.exemptions.get(key);
        let problems = problems.of(Kind::Exemption, key);
        let blind = is_blind(telling, &key.namespace);
        Some(others::exemption(roll, blind, problems, before, generation, now))
    });
    notices::of_changes(telling, &mut out.objects, stores);
    out
}

/// Is a source of this environment still to give its first answer?
pub(super) fn waits(telling: &Telling<'_>, environment: &ObjectKey) -> bool {
    let Telling { judged, awaited, .. } = telling;
    awaited.any()
        && (judged.fleet.environment_places(environment).iter().any(|p| awaited.places.contains(p))
            || judged.fleet.environment_systems(environment).iter().any(|s| awaited.systems.contains(s)))
}

/// Is any environment of this namespace blind, or is any in doubt?
fn is_blind(telling: &Telling<'_>, namespace: &str) -> bool {
    telling.awaited.any()
        || telling.roll.environments.iter().any(|(key, roll)| {
            *key.namespace == *namespace && !(roll.sees_hosts() && roll.registry_blind.is_empty())
        })
}

/// Problems by object.
struct Problems<'a> {
    by_object: BTreeMap<(Kind, ObjectKey), Vec<&'a Problem>>,
}

impl<'a> Problems<'a> {
    fn new(telling: &Telling<'a>) -> Self {
        let mut by_object: BTreeMap<_, Vec<&Problem>> = BTreeMap::new();
        let judged = telling.judged;
        for problem in judged.problems.iter().chain(&judged.obstacles).chain(telling.obstacles) {
            let object = ObjectKey::new(&problem.namespace, &problem.name);
            by_object.entry((problem.kind, object)).or_default().push(problem);
        }
        Self { by_object }
    }

    fn of(&self, kind: Kind, key: &ObjectKey) -> &[&'a Problem] {
        self.by_object.get(&(kind, key.clone())).map_or(&[], Vec::as_slice)
    }
}

/// Goes through the objects of each kind.
struct Listing<'a> {
    known: &'a Known<'a>,
    out: &'a mut Vec<ObjectWrite>,
}

impl Listing<'_> {
    fn kind<K: Watched>(
        &mut self,
        store: &Store<K>,
        desired: impl Fn(&ObjectKey, &K::Told, Option<i64>) -> Option<K::Told>,
    ) {
        for (key, entry) in store.entries() {
            let before = match &entry.object {
                Ok(object) => object.status().cloned().unwrap_or_default(),
                Err(malformed) => {
                    let mut before = K::Told::default();
                    before.conditions_mut().clone_from(&malformed.conditions);
                    before
                }
            };
            let Some(after) = desired(&key, &before, entry.generation) else { continue };
            let Ok(status) = serde_json::to_value(&after) else { continue };
            let hash = hash(&status);
            let said =
                self.known.written.get(&(K::KIND, key.clone())) == Some(&(entry.resource_version, hash));
            // Of an object that cannot be read only the conditions are known, and only they are told.
            let same = match &entry.object {
                Ok(_) => is_said(before.clone(), &after),
                Err(_) => ours(before.conditions()) == after.conditions(),
            };
            if said || same {
                continue;
            }
            let notices = notices::of_conditions(K::KIND, &key, &entry.uid, &before, &after);
            self.out.push(ObjectWrite { kind: K::KIND, key, uid: entry.uid, status, hash, notices });
        }
    }
}

/// Does the object say it already? Conditions of others are theirs.
fn is_said<T: Told>(mut before: T, after: &T) -> bool {
    let conditions = ours(before.conditions());
    *before.conditions_mut() = conditions;
    before == *after
}

/// Hash of a status, for the comparison with what we wrote ourselves.
fn hash(status: &serde_json::Value) -> u64 {
    let mut hash = DefaultHasher::new();
    hash.write(status.to_string().as_bytes());
    hash.finish()
}
