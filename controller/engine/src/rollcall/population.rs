//! Who exists: every host that is listed, and every remembered one that is not proved gone.
//!
//! Gone is proved by AWS's own word (shutting down, terminated, deleting), or by two complete readings that lack the host
//! and were begun [`ABSENCE_APART`]. Anything less keeps the host, unseen, and nothing is said about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::in_step::InStep;
use super::listed::{Life, Listed};
use super::places::PlaceView;
use crate::ids::{HostId, ObjectKey};
use crate::limits::ABSENCE_APART;
use crate::memory::{HostMemory, Tombstone};

/// One host that exists, as far as we know.
#[derive(Debug)]
pub(super) struct HostView<'a> {
    pub(super) id: &'a HostId,
    /// Number of its place.
    pub(super) place: usize,
    /// As it was listed; perhaps too long ago.
    pub(super) listed: Option<Listed<'a>>,
    pub(super) memory: Option<&'a HostMemory>,
    /// Listed by a reading that is fresh: it is there now.
    pub(super) seen: bool,
    /// Begin of the first complete reading that lacked it.
    pub(super) absent_since: Option<Timestamp>,
}

impl<'a> HostView<'a> {
    /// Its name as it was last seen.
    pub(super) fn name(&self) -> Option<&'a str> {
        match self.listed {
            Some(listed) => listed.name(),
            None => self.memory.and_then(|memory| memory.name.as_deref()),
        }
    }

    /// It is there now and runs.
    pub(super) fn is_running(&self) -> bool {
        self.seen && self.life() == Some(Life::Running)
    }

    /// What it did when last listed.
    pub(super) fn life(&self) -> Option<Life> {
        self.listed.map(Listed::life)
    }

    /// Where a database listens, as it was last seen.
    pub(super) fn endpoint(&self) -> Option<&'a str> {
        let remembered = || self.memory.and_then(|memory| memory.endpoint.as_deref());
        self.listed.and_then(Listed::endpoint).or_else(remembered)
    }

    /// It is there now, and whether it runs cannot be told: a database that is being changed or in trouble.
    pub(super) fn may_run(&self) -> bool {
        self.seen && self.id.is_database() && self.life() == Some(Life::Unclear)
    }

    /// It is stopped, or an instance on its way there.
    pub(super) fn is_stopped(&self) -> bool {
        match self.life() {
            Some(life) => life == Life::Stopped,
            None => self.memory.is_some_and(|memory| memory.stopped_since.is_some()),
        }
    }
}

/// A host that is proved gone.
#[derive(Debug)]
pub(super) struct Tomb<'a> {
    pub(super) id: &'a HostId,
    pub(super) place: usize,
    pub(super) name: Option<Arc<str>>,
    pub(super) endpoint: Option<Arc<str>>,
    pub(super) environment: Option<ObjectKey>,
    pub(super) gone_since: Timestamp,
    pub(super) replaced_by: Option<HostId>,
    /// Proved in this very pass.
    pub(super) is_new: bool,
}

/// Everybody, alive by id and gone by id.
#[derive(Debug, Default)]
pub(super) struct Population<'a> {
    pub(super) hosts: Vec<HostView<'a>>,
    pub(super) tombs: Vec<Tomb<'a>>,
}

/// Counts who is there.
pub(super) fn count<'a>(places: &[PlaceView<'a>]) -> Population<'a> {
    let mut population = Population::default();
    for (number, place) in places.iter().enumerate() {
        population.listed(number, place);
        population.remembered(number, place);
        population.buried(number, place);
    }
    population.hosts.sort_by(|a, b| a.id.cmp(b.id));
    population.hosts.dedup_by(|later, first| later.id == first.id);
    population.tombs.sort_by(|a, b| a.id.cmp(b.id));
    population
}

impl<'a> Population<'a> {
    /// Notes who took whose name.
    pub(super) fn inherit(&mut self, heirs: &BTreeMap<HostId, HostId>) {
        for tomb in &mut self.tombs {
            if let Some(heir) = heirs.get(tomb.id) {
                tomb.replaced_by = Some(heir.clone());
            }
        }
    }

    /// Hosts that are listed and exist; those that AWS says are going become tombs, if we ever saw them alive.
    fn listed(&mut self, number: usize, place: &PlaceView<'a>) {
        let mut memories = InStep::new(&place.memory.hosts);
        for listed in place.listed() {
            let id = listed.id();
            let (memory, listing) = (memories.get(id), place.listing(id));
            if listed.life() != Life::Leaving {
                self.hosts.push(HostView {
                    id,
                    place: number,
                    listed: Some(listed),
                    memory,
                    seen: listing.is_fresh,
                    absent_since: None,
                });
            } else if let (Some(memory), Some(at)) = (memory, listing.at) {
                self.tombs.push(bury(id, number, memory, memory.absent_since.unwrap_or(at)));
            }
        }
    }

    /// Remembered hosts that are not listed.
    fn remembered(&mut self, number: usize, place: &PlaceView<'a>) {
        let mut listed = place.in_step();
        for (id, memory) in &place.memory.hosts {
            if listed.get(id).is_some() {
                continue;
            }
            let proof = place.listing(id).proof;
            let absent_since = memory.absent_since.or(proof);
            match (memory.absent_since, proof) {
                (Some(first), Some(second)) if second.duration_since(first) >= ABSENCE_APART => {
                    self.tombs.push(bury(id, number, memory, first));
                }
                _ => self.hosts.push(HostView {
                    id,
                    place: number,
                    listed: None,
                    memory: Some(memory),
                    seen: false,
                    absent_since,
                }),
            }
        }
    }

    /// Tombstones of earlier passes; a host that is listed alive again has none.
    fn buried(&mut self, number: usize, place: &PlaceView<'a>) {
        for (id, stone) in &place.memory.tombstones {
            let is_back = place.host(id).is_some_and(|listed| listed.life() != Life::Leaving);
            if !is_back && !place.memory.hosts.contains_key(id) {
                self.tombs.push(Tomb::from_stone(id, number, stone));
            }
        }
    }
}

fn bury<'a>(id: &'a HostId, place: usize, memory: &HostMemory, gone_since: Timestamp) -> Tomb<'a> {
    Tomb {
        id,
        place,
        name: memory.name.clone(),
        endpoint: memory.endpoint.clone(),
        environment: memory.environment.clone(),
        gone_since,
        replaced_by: None,
        is_new: true,
    }
}

impl<'a> Tomb<'a> {
    fn from_stone(id: &'a HostId, place: usize, stone: &Tombstone) -> Self {
        Self {
            id,
            place,
            name: stone.name.clone(),
            endpoint: stone.endpoint.clone(),
            environment: stone.environment.clone(),
            gone_since: stone.gone_since,
            replaced_by: stone.replaced_by.clone(),
            is_new: false,
        }
    }

    /// What is remembered of it.
    pub(super) fn stone(&self) -> Tombstone {
        Tombstone {
            name: self.name.clone(),
            endpoint: self.endpoint.clone(),
            environment: self.environment.clone(),
            gone_since: self.gone_since,
            replaced_by: self.replaced_by.clone(),
        }
    }
}
