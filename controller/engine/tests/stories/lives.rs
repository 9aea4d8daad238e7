//! What hosts of a story do all day, and how much of it is told: as `rollcall-aws` reads it, of whom rules look at and of
//! nobody else.

use std::collections::BTreeMap;
use std::sync::Arc;

use rollcall_engine::activity::{
    Activity, ActivityMetric, Day, Days, HostActivity, Series, Subject, Wanted, Window,
};
use rollcall_engine::ids::{HostId, Place};
use rollcall_engine::limits::ACTIVITY_DAYS;
use rollcall_engine::reading::{Extent, Failure, FailureKind, Gap, Reading};
use rollcall_engine::snapshot::Snapshot;

use crate::world::World;

/// What one host does.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// It does next to nothing; else it is busy every day.
    pub is_quiet: bool,
    /// Days on which it is the other way round.
    pub but: Vec<Day>,
    /// Nothing is known of the days before this one.
    pub told_from: Option<Day>,
    /// Days without data.
    pub gaps: Vec<Day>,
    /// What is not read of it.
    pub hidden: BTreeMap<ActivityMetric, FailureKind>,
}

/// All of them, by the name of the host; those without a word here are busy.
#[derive(Clone, Debug, Default)]
pub struct Lives {
    pub of: BTreeMap<String, Life>,
    /// Nothing can be read, for this reason.
    pub fails: Option<FailureKind>,
    /// Nobody has asked since the operator began: what it remembers is all there is.
    pub is_not_asked: bool,
}

pub fn day(text: &str) -> Day {
    text.parse::<jiff::civil::Date>().unwrap().into()
}

impl Lives {
    /// The readings of all places in which somebody looks for unused hosts.
    pub fn read(&self, world: &World, snapshot: &Snapshot) -> BTreeMap<Place, Arc<Activity>> {
        if world.desired.environments.iter().all(|environment| environment.spec.lean.is_none())
            || self.is_not_asked
        {
            return BTreeMap::new();
        }
        let (fleet, _) = world.fleet();
        let read = |(place, inventory): (&Place, &Arc<_>)| {
            let wanted = fleet.activity_due(inventory, None, None, world.now);
            (!wanted.is_empty()).then(|| (place.clone(), Arc::new(self.read_place(world, place, &wanted))))
        };
        snapshot.inventories.iter().filter_map(read).collect()
    }

    fn read_place(&self, world: &World, place: &Place, wanted: &[Wanted]) -> Activity {
        let window = Window::whole_days(world.now, ACTIVITY_DAYS);
        let source = Activity::source(place);
        if let Some(kind) = self.fails {
            let failure = Failure::new(kind, format!("{source}: AccessDenied"));
            return Activity {
                place: place.clone(),
                window,
                hosts: Reading::failed(source, world.now, failure),
            };
        }
        let mut missing = Vec::new();
        let mut seen: BTreeMap<HostId, HostActivity> = BTreeMap::new();
        for Wanted { subjects, metrics } in wanted {
            for subject in subjects {
                let life = self.life(world, subject);
                let mut all = BTreeMap::new();
                for metric in metrics {
                    let series = life.series(subject, *metric, window);
                    if let Series::NotRead(kind) = series {
                        let why = Failure::new(kind, "no answer");
                        missing.push(Gap { what: "1 metric".into(), why });
                    }
                    all.insert(*metric, series);
                }
                seen.insert(subject.host().clone(), all.into());
            }
        }
        let mut hosts = Reading::complete_at(source, world.now, seen);
        if !missing.is_empty() {
            hosts.extent = Extent::Partial { at: world.now, missing };
        }
        Activity { place: place.clone(), window, hosts }
    }

    fn life(&self, world: &World, subject: &Subject) -> Life {
        let instances = world.machines.iter().map(|(name, machine)| (name, &machine.instance.id));
        let databases = world.databases.iter().map(|(name, database)| (name, &database.id));
        let found = instances.chain(databases).find(|(_, id)| *id == subject.host());
        found.and_then(|(name, _)| self.of.get(name)).cloned().unwrap_or_default()
    }
}

impl Life {
    fn series(&self, subject: &Subject, metric: ActivityMetric, window: Window) -> Series {
        if !subject.can_have(metric) {
            return Series::NotApplicable;
        }
        if let Some(kind) = self.hidden.get(&metric) {
            return Series::NotRead(*kind);
        }
        let (quiet, busy) = match metric {
            ActivityMetric::Cpu => (1.2, 43.0),
            ActivityMetric::Connections => (0.0, 120.0),
            _ => (200_000.0, 80_000_000.0),
        };
        let told = window.iter().filter(|day| {
            subject.owns(*day) && !self.gaps.contains(day) && self.told_from.is_none_or(|from| from <= *day)
        });
        let value = |day: Day| if self.is_quiet == self.but.contains(&day) { busy } else { quiet };
        Series::Days(Days::of(window, told.map(|day| (day, value(day)))).unwrap())
    }
}
