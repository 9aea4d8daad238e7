//! Who exists: every host that is listed, and every remembered one that is not proved gone.
//!
//! Gone is proved by AWS's own word (shutting down, terminated), or by two complete readings that lack the host
//! and were begun [`ABSENCE_APART`]. Anything less keeps the host, unseen, and nothing is said about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::in_step::InStep;
use super::places::PlaceView;
use crate::ids::{HostId, ObjectKey};
use crate::inventory::{Instance, PowerState};
use crate::limits::ABSENCE_APART;
use crate::memory::{HostMemory, Tombstone};

/// One host that exists, as far as we know.
#[derive(Debug)]
pub(super) struct HostView<'a> {
    pub(super) id: &'a HostId,
    /// Number of its place.
    pub(super) place: usize,
    /// As it was listed; perhaps too long ago.
    pub(super) instance: Option<&'a Instance>,
    pub(super) memory: Option<&'a HostMemory>,
    /// Listed by a reading that is fresh: it is there now.
    pub(super) seen: bool,
    /// Begin of the first complete reading that lacked it.
    pub(super) absent_since: Option<Timestamp>,
}

impl<'a> HostView<'a> {
    /// Its Name tag as it was last seen.
    pub(super) fn name(&self) -> Option<&'a str> {
        match self.instance {
            Some(instance) => instance.name(),
            None => self.memory.and_then(|memory| memory.name.as_deref()),
        }
    }

    /// It is there now and runs.
    pub(super) fn is_running(&self) -> bool {
        self.seen && self.power() == Some(PowerState::Running)
    }

    /// Its power state when last listed.
    pub(super) fn power(&self) -> Option<PowerState> {
        self.instance.map(|instance| instance.state)
    }

    /// It is stopped or on its way there.
    pub(super) fn is_stopped(&self) -> bool {
        match self.power() {
            Some(power) => matches!(power, PowerState::Stopping | PowerState::Stopped),
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
        for instance in &place.listed {
            let memory = memories.get(&instance.id);
            if instance.state.exists() {
                self.hosts.push(HostView {
                    id: &instance.id,
                    place: number,
                    instance: Some(*instance),
                    memory,
                    seen: place.is_fresh,
                    absent_since: None,
                });
            } else if let (Some(memory), Some(at)) = (memory, place.at) {
                self.tombs.push(bury(&instance.id, number, memory, memory.absent_since.unwrap_or(at)));
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
            let absent_since = memory.absent_since.or(place.proof);
            match (memory.absent_since, place.proof) {
                (Some(first), Some(second)) if second.duration_since(first) >= ABSENCE_APART => {
                    self.tombs.push(bury(id, number, memory, first));
                }
                _ => self.hosts.push(HostView {
                    id,
                    place: number,
                    instance: None,
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
            let is_back = place.instance(id).is_some_and(|instance| instance.state.exists());
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
            environment: self.environment.clone(),
            gone_since: self.gone_since,
            replaced_by: self.replaced_by.clone(),
        }
    }
}
