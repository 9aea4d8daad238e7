//! The ground truth of one organisation, and the org that keeps it with a little of its past.
//!
//! Every change goes through [`Org::edit`], so that a stale read can tell the world as it was. A reader
//! holds a version of the truth, never a lock.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::Value;

use super::{
    agents::Agents,
    alerts::Alert,
    checks::{CheckIds, CheckMonitors},
    documents::{Documents, Kind},
    error::{ErrorShape, Outcome, Refusal},
    hosts::{Host, HostStatus},
    ids::Ids,
    integrations::Integrations,
    metrics::seconds,
    monitors::{Monitor, first_monitor},
    roles::Service,
};
use crate::clock::WorldClock;

/// Versions of the past that are kept for stale reads.
const MAX_PAST: usize = 32;
/// Changes closer together than this are one version: a fleet that is built in a second has one past.
const VERSION_SECONDS: i64 = 1;

/// What an organisation does where it may choose, or where servers differ.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The status of new hosts.
    pub default_status: HostStatus,
    /// Whether `GET /monitoring/checks` exists; servers before July 2026 answer 404.
    pub checks_api: bool,
    /// Which checks share an id.
    pub check_ids: CheckIds,
    /// How refusals are worded.
    pub error_shape: ErrorShape,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            default_status: HostStatus::Working,
            checks_api: true,
            check_ids: CheckIds::default(),
            error_shape: ErrorShape::default(),
        }
    }
}

/// Everything that is true of an organisation at one time.
#[derive(Clone, Debug)]
pub struct Truth {
    now: i64,
    ids: Ids,
    /// Its name.
    pub name: String,
    /// The name people gave it.
    pub display_name: Option<String>,
    /// Its choices; to be set before hosts are added.
    pub policy: Policy,
    pub(super) services: BTreeMap<String, Arc<Service>>,
    pub(super) hosts: Hosts,
    pub(super) check_monitors: Arc<CheckMonitors>,
    pub(super) monitors: Vec<Monitor>,
    pub(super) alerts: Vec<Arc<Alert>>,
    pub(super) documents: Documents,
    pub(super) graph_defs: BTreeMap<String, Value>,
    pub(super) integrations: Arc<Integrations>,
    pub(super) agents: Arc<Agents>,
}

impl Truth {
    fn of(name: &str, now: Timestamp) -> Self {
        let mut truth = Self {
            now: seconds(now),
            ids: Ids::seeded(name),
            name: name.to_owned(),
            display_name: None,
            policy: Policy::default(),
            services: BTreeMap::new(),
            hosts: Hosts::default(),
            check_monitors: Arc::default(),
            monitors: vec![],
            alerts: vec![],
            documents: Documents::default(),
            graph_defs: BTreeMap::new(),
            integrations: Arc::default(),
            agents: Arc::default(),
        };
        truth.plant_monitor(first_monitor());
        truth.plant_default_group();
        truth
    }

    /// The time of the change in progress, in epoch seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now
    }

    pub(super) fn take_id(&mut self) -> String {
        self.ids.take()
    }

    /// All hosts, retired ones too, in order of registration.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.iter().map(AsRef::as_ref)
    }

    /// The host of this id, retired or not.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn host(&self, id: &str) -> Outcome<&Host> {
        self.hosts.get(id).map(AsRef::as_ref).ok_or_else(|| Refusal::not_found("Host Not Found."))
    }

    pub(super) fn host_mut(&mut self, id: &str) -> Outcome<&mut Host> {
        self.hosts.edit(id).ok_or_else(|| Refusal::not_found("Host Not Found."))
    }

    pub(super) fn live_host_mut(&mut self, id: &str) -> Outcome<&mut Host> {
        let host = self.host_mut(id)?;
        if host.is_retired() { Err(Refusal::bad("Host is retired.")) } else { Ok(host) }
    }

    /// Whether an agent or an integration has had something to do since the last change.
    fn is_behind(&self, now: i64) -> bool {
        self.agents.are_due(now) || self.integrations.are_due(now)
    }

    /// Does what agents and integrations have done by now.
    fn catch_up(&mut self) {
        if self.agents.are_due(self.now) {
            self.update_agents();
        }
        if self.integrations.are_due(self.now) {
            self.integrate();
        }
    }

    pub(super) fn annotations_mut(&mut self) -> &mut Vec<Monitor> {
        self.documents.all_mut(Kind::Annotations)
    }
}

/// Hosts in order of registration, found by id. A version of the past shares all hosts that did not change.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts {
    list: Vec<Arc<Host>>,
    places: Arc<HashMap<Arc<str>, usize>>,
}

impl Hosts {
    pub(super) fn push(&mut self, host: Host) {
        Arc::make_mut(&mut self.places).insert(host.id.as_str().into(), self.list.len());
        self.list.push(Arc::new(host));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Host>> {
        self.list.iter()
    }

    fn get(&self, id: &str) -> Option<&Arc<Host>> {
        self.list.get(*self.places.get(id)?)
    }

    /// The only way to change a host: what was rendered of it is forgotten.
    fn edit(&mut self, id: &str) -> Option<&mut Host> {
        let host = Arc::make_mut(self.list.get_mut(*self.places.get(id)?)?);
        host.rendered.take();
        Some(host)
    }
}

/// An organisation. Clones share it.
#[derive(Clone, Debug)]
pub struct Org {
    clock: WorldClock,
    state: Arc<Mutex<Versions>>,
}

#[derive(Debug)]
struct Versions {
    since: Timestamp,
    truth: Arc<Truth>,
    past: VecDeque<(Timestamp, Arc<Truth>)>,
}

impl Org {
    pub(super) fn new(name: &str, clock: WorldClock) -> Self {
        let now = clock.now();
        let truth = Arc::new(Truth::of(name, now));
        Self { clock, state: Arc::new(Mutex::new(Versions { since: now, truth, past: VecDeque::new() })) }
    }

    /// Changes the truth at the world's present time. A change that fails half-way stays half done, as the caller made it.
    pub fn edit<R>(&self, change: impl FnOnce(&mut Truth) -> R) -> R {
        let now = self.clock.now();
        let mut versions = self.state.lock();
        versions.keep_the_past(now);
        let truth = Arc::make_mut(&mut versions.truth);
        truth.now = seconds(now);
        truth.catch_up();
        change(truth)
    }

    /// The truth now, with everything done that agents and integrations have done by now.
    #[must_use]
    pub fn truth(&self) -> Arc<Truth> {
        if self.state.lock().truth.is_behind(seconds(self.clock.now())) {
            self.edit(|_| ());
        }
        self.state.lock().truth.clone()
    }

    /// The truth as it was at `at`; before the kept past, the oldest that is known.
    #[must_use]
    pub fn truth_at(&self, at: Timestamp) -> Arc<Truth> {
        let now = self.truth();
        let mut versions = self.state.lock();
        versions.rewind(self.clock.now());
        if at >= versions.since {
            return now;
        }
        let then = versions.past.iter().rev().find(|(since, _)| *since <= at);
        then.or(versions.past.front()).map_or(now, |(_, truth)| truth.clone())
    }
}

impl Versions {
    /// When the world's clock was set back, what was to come is forgotten and the present truth holds from here.
    fn rewind(&mut self, now: Timestamp) {
        if now < self.since {
            self.since = now;
            self.past.retain(|(since, _)| *since < now);
        }
    }

    fn keep_the_past(&mut self, now: Timestamp) {
        self.rewind(now);
        if now.duration_since(self.since) < SignedDuration::from_secs(VERSION_SECONDS) {
            return;
        }
        self.past.push_back((self.since, self.truth.clone()));
        if self.past.len() > MAX_PAST {
            self.past.pop_front();
        }
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::{super::host_params::HostParam, *};

    #[test]
    fn the_past_is_told_as_it_was_and_is_bounded() {
        let start: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        let clock = WorldClock::frozen_at(start);
        let org = Org::new("acme", clock.clone());
        for n in 0..100 {
            org.edit(|t| t.add_host(&HostParam::named(&format!("web{n}")))).unwrap();
            clock.advance(SignedDuration::from_mins(1));
        }
        let known_at = |minutes| org.truth_at(start + SignedDuration::from_mins(minutes)).hosts().count();
        assert_eq!((known_at(99), known_at(98), known_at(80)), (100, 99, 81));
        assert_eq!(known_at(0), 100 - MAX_PAST, "the oldest that is known");
    }

    #[test]
    fn a_clock_set_back_does_not_bring_the_past_back() {
        let start: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        let clock = WorldClock::frozen_at(start);
        let org = Org::new("acme", clock.clone());
        clock.advance(SignedDuration::from_mins(10));
        org.edit(|t| t.add_host(&HostParam::named("web"))).unwrap();
        clock.set(start + SignedDuration::from_mins(5));
        assert_eq!(org.truth_at(clock.now()).hosts().count(), 1);
    }

    #[test]
    fn a_change_after_a_snapshot_does_not_reach_into_it() {
        let org = Org::new("acme", WorldClock::frozen_at("2026-03-02T12:00:00Z".parse().unwrap()));
        let id = org.edit(|t| t.add_host(&HostParam::named("web"))).unwrap();
        let before = org.truth();
        assert!(before.host(&id).unwrap().rendered().windows(9).any(|w| w == b"\"working\""));
        org.edit(|t| t.set_status(&id, HostStatus::Poweroff)).unwrap();
        assert_eq!(before.host(&id).unwrap().status, HostStatus::Working);
        let now = org.truth().host(&id).unwrap().rendered();
        assert!(now.windows(10).any(|w| w == b"\"poweroff\""), "what is served follows the change");
    }
}
