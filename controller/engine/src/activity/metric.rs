//! What shows that a host is used.

use serde::{Deserialize, Serialize};

/// Something by which use shows, as one number a day. They are what AWS's own rules for idle hosts look at: the peak of the
/// processor and the bytes on the network for instances, and connections, reads and writes for databases (Compute Optimizer
/// user guide, "Idle resource recommendations").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ActivityMetric {
    /// The highest sample of the day, in percent of all its processors. A mean would hide a job that runs for an hour.
    Cpu,
    /// Bytes that it received on the day.
    NetworkIn,
    /// Bytes that it sent on the day.
    NetworkOut,
    /// Reads of its volumes on the day.
    ReadOps,
    /// Writes to its volumes on the day.
    WriteOps,
    /// The most connections at once on the day. Databases alone have it.
    Connections,
}

impl ActivityMetric {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Cpu, Self::NetworkIn, Self::NetworkOut, Self::ReadOps, Self::WriteOps, Self::Connections];
}
