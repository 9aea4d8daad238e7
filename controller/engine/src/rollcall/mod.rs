//! The roll call: who is there, who is watched as required, what is superfluous.
//!
//! [`roll_call`] is the whole decision. Its output is values only; the shell turns them into statuses, the CLI
//! into text, and both say the same.

mod output;

pub use output::*;

use jiff::Timestamp;

use crate::fleet::Fleet;
use crate::memory::Memory;
use crate::snapshot::Snapshot;

/// Calls the roll once: what the readings say about the desired state, in the light of what is remembered.
///
/// Returns the roll call and the memory for the next pass. Pure: the same input gives the same output, to the
/// byte. The memory it returns equals the one it took while the world stands still.
#[must_use]
pub fn roll_call(
    _fleet: &Fleet,
    _snapshot: &Snapshot,
    memory: &Memory,
    _now: Timestamp,
) -> (RollCall, Memory) {
    (RollCall::default(), memory.clone())
}
