//! What assertions ask of one place: computed from desired state, so that readers read that and no more.

use super::Fleet;
use crate::ids::Place;
use crate::inventory::Asked;

impl Fleet {
    /// What assertions ask of this place. No kind of object asserts anything yet: nothing.
    #[must_use]
    #[expect(clippy::unused_self, reason = "the fleet knows its assertions as soon as there are any")]
    pub fn asked(&self, _place: &Place) -> Asked {
        Asked::default()
    }
}
