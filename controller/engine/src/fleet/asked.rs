//! What assertions ask of one place: computed from desired state, so that readers read that and no more.

use super::Fleet;
use crate::inventory::{Asked, Inventory};

impl Fleet {
    /// What assertions ask of the place of this inventory: which hosts and groups they mean is looked up in it. No kind of
    /// object asserts anything yet, so it is nothing.
    #[must_use]
    pub fn asked(&self, _known: &Inventory) -> Asked {
        Asked::default()
    }
}
