//! What the worlds reached: a simulator that never terminates anything proves nothing.

use std::collections::BTreeMap;

/// In how many worlds something was reached, by kind and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Reached.
    pub reached: BTreeMap<(&'static str, &'static str), u64>,
}

impl Coverage {
    /// It was reached in this world.
    pub fn reach(&mut self, kind: &'static str, name: &'static str) {
        self.reached.insert((kind, name), 1);
    }

    /// Adds another world's.
    pub fn add(&mut self, other: &Self) {
        for (what, times) in &other.reached {
            *self.reached.entry(*what).or_default() += times;
        }
    }

    /// In how many worlds it was reached.
    #[must_use]
    pub fn of(&self, kind: &str, name: &str) -> u64 {
        self.reached.iter().filter(|((k, n), _)| *k == kind && *n == name).map(|(_, times)| *times).sum()
    }
}
