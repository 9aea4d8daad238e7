//! The breaker: when far too many hosts turn idle or vanish at once, it is the world that is wrong, or our eyes.
//!
//! It looks with the metrics that an act would rely on, whenever an act is planned and again at the last gate (that it was
//! asked when planning alone was hole b of the first simulation). Once tripped it stays so until somebody acknowledges
//! this very trip by its name; until then what it remembers stands still, so that nobody gets used to blindness.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::evidence::Use;
use super::fact::Fact;
use crate::ids::HostId;

/// What is remembered of one account and region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Breaker {
    /// Hosts that were there.
    pub present: BTreeSet<HostId>,
    /// Those of them that were last seen active.
    pub active: BTreeSet<HostId>,
    /// Why everything stands.
    pub trip: Option<Trip>,
}

/// Why everything stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trip {
    /// When it was seen: its name for the one who acknowledges.
    pub at: Timestamp,
    /// What was seen.
    pub cause: TripCause,
    /// How many hosts.
    pub hosts: usize,
}

/// What trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TripCause {
    /// Active hosts turned idle together.
    TurnedIdle,
    /// Hosts vanished, and nobody saw them shut down.
    Vanished,
}

/// One look at a whole account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Every host that a complete listing shows, those that shut down or are gone among them.
    pub listed: Fact<BTreeSet<HostId>>,
    /// Of those, the ones that AWS says are on their way out, or gone.
    pub leaving: BTreeSet<HostId>,
    /// What the newest metrics say of each that runs.
    pub recent: Fact<BTreeMap<HostId, Use>>,
}

impl Trip {
    /// The name by which it is acknowledged.
    #[must_use]
    pub fn name(&self) -> String {
        let cause = match self.cause {
            TripCause::TurnedIdle => "idle",
            TripCause::Vanished => "vanished",
        };
        format!("{cause}-{}", self.at.as_second())
    }
}

/// `max(3, min(20 %, 10))`; more than so many trip it. Cluster Autoscaler stops at 45 % or 3, Karpenter at 10 %.
fn idle_limit(hosts: usize) -> usize {
    (hosts / 5).clamp(3, 10)
}

/// `max(3, 20 %)`.
fn vanish_limit(hosts: usize) -> usize {
    (hosts / 5).max(3)
}

impl Breaker {
    /// What the last gate is told: why everything stands, if it does. What cannot be seen whole is unknown, and holds.
    #[must_use]
    pub fn live(
        &self,
        seen: &Sighting,
        acknowledged: &BTreeSet<String>,
        now: Timestamp,
    ) -> Fact<Option<Trip>> {
        match (&seen.listed, &seen.recent) {
            (Fact::Unknown(why), _) | (_, Fact::Unknown(why)) => Fact::Unknown(*why),
            _ => Fact::Known(self.watch(seen, acknowledged, now).trip),
        }
    }

    /// What is remembered after one more look.
    #[must_use]
    pub fn watch(&self, seen: &Sighting, acknowledged: &BTreeSet<String>, now: Timestamp) -> Self {
        if let Some(trip) = &self.trip {
            // What was acknowledged is the new normal: it is learned afresh.
            let known = acknowledged.contains(&trip.name());
            return if known { Self::default().learn(seen) } else { self.clone() };
        }
        let trip = |cause, hosts| Self { trip: Some(Trip { at: now, cause, hosts }), ..self.clone() };
        if let Fact::Known(recent) = &seen.recent {
            let is_idle = |host: &&HostId| matches!(recent.get(*host), Some(Use::Idle { .. }));
            let turned = self.active.iter().filter(is_idle).count();
            if turned > idle_limit(self.present.len()) {
                return trip(TripCause::TurnedIdle, turned);
            }
        }
        if let Fact::Known(listed) = &seen.listed {
            let vanished = self.present.difference(listed).count();
            if vanished > vanish_limit(self.present.len()) {
                return trip(TripCause::Vanished, vanished);
            }
        }
        self.clone().learn(seen)
    }

    fn learn(mut self, seen: &Sighting) -> Self {
        if let Fact::Known(listed) = &seen.listed {
            self.present = listed.difference(&seen.leaving).cloned().collect();
        }
        for (host, verdict) in seen.recent.known().into_iter().flatten() {
            match verdict {
                Use::Active => self.active.insert(host.clone()),
                Use::Idle { .. } => self.active.remove(host),
                // Nobody becomes idle by not being seen.
                Use::Unknown(_) => continue,
            };
        }
        let Self { present, active, .. } = &mut self;
        active.retain(|host| present.contains(host));
        self
    }
}
