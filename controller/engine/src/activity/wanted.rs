//! Whose activity is to be read, and which metrics of it: nobody else's may be, for every metric costs money.

use std::collections::BTreeSet;

use super::{ActivityMetric, Subject};

/// Hosts of one service, and the metrics that rules look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The hosts, in the order in which they are listed.
    pub subjects: Vec<Subject>,
    /// What is asked of each that can have it.
    pub metrics: BTreeSet<ActivityMetric>,
}
