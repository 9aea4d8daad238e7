//! A host as the source of metrics knows it: by which name, and which metrics it can have.

use super::{ActivityMetric, Day};
use crate::ids::HostId;
use crate::inventory::{Database, Instance};

/// Families built on Xen, which send no metrics of their volumes (EC2 user guide, "Instances built on the AWS Nitro System";
/// "CloudWatch metrics that are available for your instances"). The list is closed: all newer ones are built on Nitro.
const XEN: [&str; 22] = [
    "c1", "c3", "c4", "d2", "f1", "g3", "g3s", "h1", "i2", "i3", "m1", "m2", "m3", "m4", "p2", "p3", "r3",
    "r4", "t1", "t2", "x1", "x1e",
];

/// A host whose activity is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    host: HostId,
    database: Option<String>,
    sends_volumes: bool,
    first_own: Option<Day>,
}

impl Subject {
    /// An instance. Its metrics bear its id, which AWS never uses again.
    #[must_use]
    pub fn of_instance(instance: &Instance) -> Self {
        let (family, size) = instance.instance_type.split_once('.').unwrap_or((&instance.instance_type, ""));
        // Of a type that we do not know they are asked for: that none come is no data, which is never "not used".
        let sends_volumes = !XEN.contains(&family) && !size.starts_with("metal");
        Self { host: instance.id.clone(), database: None, sends_volumes, first_own: Some(Day::BEGINNING) }
    }

    /// A database, unless it is no host, or has no name yet.
    ///
    /// Its metrics bear its name, and a name may have had another owner before: what is older than the database, and the
    /// day on which it was made, is not its own. A name that it took over later brings days of another all the same: who
    /// decides must know since when it has borne its name.
    #[must_use]
    pub fn of_database(database: &Database) -> Option<Self> {
        let name = database.name().filter(|_| database.engine.is_rds())?;
        Some(Self {
            host: database.id.clone(),
            database: Some(name.to_owned()),
            sends_volumes: true,
            first_own: database.created.map(|created| Day::of(created).plus(1)),
        })
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &HostId {
        &self.host
    }

    /// `DBInstanceIdentifier`, of a database.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// Can such a host have this metric?
    #[must_use]
    pub fn can_have(&self, metric: ActivityMetric) -> bool {
        match metric {
            ActivityMetric::Cpu | ActivityMetric::NetworkIn | ActivityMetric::NetworkOut => true,
            ActivityMetric::ReadOps | ActivityMetric::WriteOps => self.sends_volumes,
            ActivityMetric::Connections => self.database.is_some(),
        }
    }

    /// Is what its name did on this day known to be its own doing?
    #[must_use]
    pub fn owns(&self, day: Day) -> bool {
        self.first_own.is_some_and(|first| first <= day)
    }
}
