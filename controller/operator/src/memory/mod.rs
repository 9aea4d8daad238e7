//! Keeps memory across restarts: `ConfigMap`s in the operator's namespace, one shard per place, system and environment.
//!
//! Memory that cannot be read must never be taken for none: then nothing is decided until a person has looked.

mod keeper;
mod load;
mod maps;
mod shard;

pub use keeper::Keeper;
pub use load::{Loaded, load};
pub use shard::{Encoded, ShardId};

use crate::calls::CallError;

/// What can be wrong with stored memory.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The API server could not be asked.
    #[error("memory: ConfigMap {object}: {source}")]
    Call {
        /// Name of the `ConfigMap`, or what was listed.
        object: String,
        /// What it said.
        source: CallError,
    },
    /// What is stored is not what we write.
    #[error(
        "memory: ConfigMap {object}: {why}; nothing is decided until it is readable. Restore it from a backup, or delete it and with it what it remembers (since when hosts are known, ghosts, baselines)"
    )]
    Unreadable {
        /// Name of the `ConfigMap`.
        object: String,
        /// Expected and found.
        why: String,
    },
    /// Somebody else wrote it while we held the lease.
    #[error(
        "memory: ConfigMap {object} was changed by somebody else while this replica held the lease; reading it anew"
    )]
    Conflict {
        /// Name of the `ConfigMap`.
        object: String,
    },
}
