//! EC2 instances, with the volumes and addresses that hang on them.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Marks, Tags};
use crate::ids::HostId;

/// One EC2 instance, cut to what decisions use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// `i-0abc`.
    pub id: HostId,
    /// Power state.
    pub state: PowerState,
    /// Tags, the Name tag among them.
    pub tags: Tags,
    /// When it was last started.
    pub launch_time: Timestamp,
    /// `t3.small`.
    pub instance_type: String,
    /// `ap-northeast-1a`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// `vpc-0abc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<String>,
    /// Private and public addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
    /// Who owns it, when that is an AWS service or a fleet: `operator:eks.amazonaws.com`, `spot`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    /// AWS's own words about the last stop or termination, with its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
}

impl Instance {
    /// The Name tag, if it is not empty.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.tags.get("Name").filter(|name| name.contains(|c: char| !c.is_whitespace()))
    }

    /// What selectors look at.
    #[must_use]
    pub fn marks(&self) -> Marks<'_> {
        Marks { tags: &self.tags, name: self.name(), vpc: self.vpc.as_deref() }
    }
}

/// EC2's instance states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PowerState {
    /// Starting.
    Pending,
    /// Running.
    Running,
    /// On its way to stopped.
    Stopping,
    /// Stopped.
    Stopped,
    /// On its way out.
    ShuttingDown,
    /// Gone; still listed for about an hour.
    Terminated,
    /// A state this version does not know: never judged, never gone.
    Unknown,
}

impl PowerState {
    /// Does the instance still exist? Only AWS's own word says no.
    #[must_use]
    pub fn exists(self) -> bool {
        !matches!(self, Self::ShuttingDown | Self::Terminated)
    }
}

/// One EBS volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// `vol-0abc`.
    pub id: String,
    /// Instances it is attached to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attached_to: Vec<HostId>,
    /// Size in GiB.
    pub size_gib: i32,
    /// Tags.
    #[serde(default)]
    pub tags: Tags,
}

/// One Elastic IP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// `eipalloc-0abc`.
    pub id: String,
    /// The address.
    pub ip: IpAddr,
    /// Instance it is associated with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached_to: Option<HostId>,
}
