//! What assertions ask of one place beyond what every pass reads: nothing else of it may be asked of AWS.

use std::collections::{BTreeMap, BTreeSet};

use super::ParameterGroupName;
use crate::ids::HostId;

/// What is to be read of one account and region, so that assertions there can be judged. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Security groups with their rules: one listing, whatever the number of assertions.
    pub security_groups: bool,
    /// DB subnet groups: one listing likewise.
    pub subnet_groups: bool,
    /// Parameters by group: a group costs one call, or one for each hundred of its parameters when one of these is not among
    /// those that somebody has set.
    pub parameters: BTreeMap<ParameterGroupName, BTreeSet<String>>,
    /// Instances whose termination protection is to be known: one call each, at most once a day.
    pub protections: BTreeSet<HostId>,
}
