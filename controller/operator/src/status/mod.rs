//! From a roll call to statuses: pure mapping, and the comparison with what the API server says already.
//!
//! Nothing is called here and no clock is read. Compute, compare without times, write only a change: an unchanged
//! world must give an empty list.

mod conditions;
mod diff;
mod environment;
mod host;
mod hosts;
mod notices;
mod others;
mod progress;
mod retirements;
#[cfg(test)]
mod tests;
mod text;

pub use diff::{Known, Telling, Writes, diff};
pub use hosts::HostWrite;
pub use notices::{Notice, NoticeKind};
pub use progress::Progress;
pub use retirements::{RetirementWrite, writes as retirement_writes};
pub use text::grouped;

use rollcall_engine::fleet::Kind;
use rollcall_engine::ids::ObjectKey;

/// A status to be written on an object that people wrote.
#[derive(Clone, Debug)]
pub struct ObjectWrite {
    /// Kind of the object.
    pub kind: Kind,
    /// The object.
    pub key: ObjectKey,
    /// Its incarnation: another object under the same name is not meant.
    pub uid: String,
    /// The whole status.
    pub status: serde_json::Value,
    /// Hash of that status.
    pub hash: u64,
    /// What to tell people once it is written.
    pub notices: Vec<Notice>,
}
