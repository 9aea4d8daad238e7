//! A recording: desired state, readings and memory of one moment, as a file. `plan`, bug reports and the demo run on it.
//!
//! Bytes in, bytes out: this module reads and writes no file. A recording never holds a secret.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fleet::Desired;
use crate::memory::Memory;
use crate::snapshot::Snapshot;

/// The version of the format that this code writes. A reader refuses a newer one and names both.
pub const FORMAT: u32 = 1;

/// One moment of a fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// Format version, [`FORMAT`].
    pub rollcall_recording: u32,
    /// World time of the moment: decisions on this recording are made at this `now`.
    pub now: Timestamp,
    /// Custom resources; may be empty when they come from files instead.
    #[serde(default)]
    pub desired: Desired,
    /// All readings.
    pub snapshot: Snapshot,
    /// Memory before the pass.
    #[serde(default)]
    pub memory: Memory,
}
