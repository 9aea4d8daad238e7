//! EC2 instances, with what is shared by many of them said once.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
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
    /// `subnet-0abc` of its primary network interface. Shared, as what follows is: at 20,000 hosts the same few are told
    /// over and over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Arc<str>>,
    /// The security groups of its primary network interface; other interfaces may have others.
    #[serde(default, skip_serializing_if = "<[GroupName]>::is_empty")]
    pub security_groups: Arc<[GroupName]>,
    /// The name of its instance profile: the last part of the profile's ARN, without its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Arc<str>>,
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

/// How an instance names a security group that it is in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupName {
    /// `sg-0abc`.
    pub id: Arc<str>,
    /// Its group name; unique only in its VPC.
    pub name: Arc<str>,
}

impl Instance {
    /// The Name tag, if it is not empty.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.tags.name()
    }

    /// When somebody asked for its last stop or termination, as AWS's words tell it: `User initiated (2026-08-01 03:00:00 GMT)`.
    #[must_use]
    pub fn told_at(&self) -> Option<Timestamp> {
        let inside = self.state_reason.as_deref()?.rsplit_once('(')?.1.split_once(')')?.0;
        let time: DateTime = inside.strip_suffix(" GMT")?.parse().ok()?;
        time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn aws_tells_when_a_stop_was_asked_for() {
        let told = |reason: &str| {
            let instance: Instance = serde_json::from_value(json!({
                "id": "i-0abc", "state": "stopped", "instanceType": "t3.small", "tags": {},
                "launchTime": "2026-03-01T00:00:00Z", "stateReason": reason,
            }))
            .unwrap();
            instance.told_at().map(|time| time.to_string())
        };
        let time = told("User initiated (2026-08-01 03:00:00 GMT)");
        assert_eq!(time.as_deref(), Some("2026-08-01T03:00:00Z"));
        for other in
            ["", "Server.SpotInstanceShutdown", "User initiated (yesterday)", "(2026-08-01 03:00:00)", ")("]
        {
            assert_eq!(told(other), None, "{other}");
        }
    }
}
