//! What hosts do, and the samples of it: what `CloudWatch` is told.
//!
//! A host that runs is told of at every mark of a fixed beat, whatever its load; one that does not run is not told of. What
//! tests do not plant is an ordinary load: a host that nobody speaks of is not an idle one.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Instance, Region, State, db::DbInstance, db::DbStatus};
use crate::aws::history::History;

/// What a host does, always at the same rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Percent of its processors.
    pub cpu: f64,
    /// Bytes a second that it receives.
    pub network_in: f64,
    /// Bytes a second that it sends.
    pub network_out: f64,
    /// Reads of its volumes a second.
    pub reads: f64,
    /// Writes to its volumes a second.
    pub writes: f64,
    /// Connections, of a database.
    pub connections: f64,
}

impl Load {
    /// A host in use.
    pub const BUSY: Self = Self {
        cpu: 60.0,
        network_in: 200_000.0,
        network_out: 500_000.0,
        reads: 40.0,
        writes: 80.0,
        connections: 40.0,
    };
    /// A host that only its operating system uses: some 2.6 MB a day on the network.
    pub const IDLE: Self =
        Self { cpu: 1.25, network_in: 20.0, network_out: 10.0, reads: 0.0, writes: 0.25, connections: 0.0 };
}

/// What a host does from when on; `None` is silence: it runs, and nothing is told of it.
#[derive(Clone, Debug, Default)]
pub struct Course(BTreeMap<Timestamp, Option<Load>>);

impl Course {
    /// From `at` on, whatever was planted before; what is planted for later stays.
    pub fn set(&mut self, at: Timestamp, load: Option<Load>) {
        self.0.insert(at, load);
    }

    fn at(&self, at: Timestamp) -> Option<Load> {
        self.0.range(..=at).next_back().map_or(Some(Load::BUSY), |(_, load)| *load)
    }
}

/// A stretch of time over which a host was told of with one load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Its first moment.
    pub from: Timestamp,
    /// The moment after its last.
    pub until: Timestamp,
    /// What the host did.
    pub load: Load,
}

impl Region {
    /// Whatever was told of the instance, in order of time.
    #[must_use]
    pub fn told_of_instance(&self, id: &str) -> Vec<Stretch> {
        let runs = |instance: &Instance| matches!(instance.state, State::Running);
        self.instances.get(id).map(|history| self.told(id, history, runs)).unwrap_or_default()
    }

    /// Whatever was told under a name of databases: a name may have had several owners.
    #[must_use]
    pub fn told_of_database(&self, name: &str) -> Vec<Stretch> {
        let runs = |db: &DbInstance| db.name == name && db.status.tells();
        self.dbs.instances.iter().flat_map(|(id, history)| self.told(id, history, runs)).collect()
    }

    fn told<T: Clone>(&self, id: &str, history: &History<T>, runs: impl Fn(&T) -> bool) -> Vec<Stretch> {
        let nothing = Course::default();
        let course = self.loads.get(id).unwrap_or(&nothing);
        let mut turns: Vec<Timestamp> = history.turns().chain(course.0.keys().copied()).collect();
        turns.sort();
        turns.dedup();
        let ends = turns.iter().copied().skip(1).chain([Timestamp::MAX]);
        let stretch = |(from, until): (Timestamp, Timestamp)| {
            let load = history.at(from).filter(|thing| runs(thing)).and_then(|_| course.at(from))?;
            Some(Stretch { from, until, load })
        };
        turns.iter().copied().zip(ends).filter_map(stretch).collect()
    }
}

impl DbStatus {
    /// Is anything told of a database of this status? Not of one that is down (m).
    fn tells(self) -> bool {
        !matches!(
            self,
            Self::Creating
                | Self::Stopped
                | Self::Starting
                | Self::Deleting
                | Self::Failed
                | Self::RestoreError
        )
    }
}
