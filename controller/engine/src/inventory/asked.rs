//! What assertions look at in one place, and what was read of it because of that alone. Nothing else may be asked of AWS.

use std::collections::{BTreeMap, BTreeSet};

use super::{ParameterGroup, ParameterGroupName, SecurityGroup, SubnetGroup};
use crate::ids::HostId;
use crate::reading::Reading;

/// What is to be read of one account and region, so that assertions there can be judged. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a listing of its own")]
pub struct Asked {
    /// An assertion looks at volumes. They are listed without that too, and what fails is told only with it.
    pub volumes: bool,
    /// An assertion looks at Elastic IPs; likewise.
    pub addresses: bool,
    /// Security groups with their rules: one listing, whatever the number of assertions.
    pub security_groups: bool,
    /// DB subnet groups: one listing likewise.
    pub subnet_groups: bool,
    /// Names of parameters by group. A group costs one call; one more for each hundred of its parameters when it lacks one
    /// of these.
    pub parameters: BTreeMap<ParameterGroupName, BTreeSet<String>>,
    /// Instances whose termination protection is to be known: one call each, at most once a day.
    pub protections: BTreeSet<HostId>,
}

/// What was read because it was [`Asked`] for: the fields of [`super::Inventory`] of the same names.
#[derive(Clone, Debug, PartialEq)]
pub struct Asserted {
    /// Security groups.
    pub security_groups: Reading<Vec<SecurityGroup>>,
    /// DB subnet groups.
    pub subnet_groups: Reading<Vec<SubnetGroup>>,
    /// Parameter groups.
    pub parameters: BTreeMap<ParameterGroupName, Reading<ParameterGroup>>,
    /// Termination protection.
    pub protections: BTreeMap<HostId, Reading<Option<bool>>>,
}
