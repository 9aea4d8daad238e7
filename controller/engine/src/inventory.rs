//! What AWS says exists: instances, volumes and addresses of one place.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{HostId, Place};
use crate::reading::Reading;

/// All listings of one account and region. Each rule names the listing it needs, so that one refused
/// listing blinds only its own rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// The account (proved by STS before the first listing) and region.
    pub place: Place,
    /// Instances in all states, managed ones included.
    pub instances: Reading<Vec<Instance>>,
    /// Volumes; read less often.
    pub volumes: Reading<Vec<Volume>>,
    /// Elastic addresses; read less often.
    pub addresses: Reading<Vec<Address>>,
}

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
        self.tags.get("Name").filter(|name| !name.trim().is_empty())
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

/// Tags as a sorted list: at 20,000 hosts a map per host would cost more than the tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    from = "std::collections::BTreeMap<String, String>",
    into = "std::collections::BTreeMap<String, String>"
)]
pub struct Tags(Box<[(Box<str>, Box<str>)]>);

impl Tags {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(k, _)| (**k).cmp(key)).ok()?;
        self.0.get(at).map(|(_, v)| &**v)
    }
    /// All tags, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (&**k, &**v))
    }
}

impl<K: Into<Box<str>>, V: Into<Box<str>>> FromIterator<(K, V)> for Tags {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut list: Vec<(Box<str>, Box<str>)> =
            pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        list.sort_by(|a, b| a.0.cmp(&b.0));
        list.dedup_by(|later, first| later.0 == first.0);
        Self(list.into())
    }
}

impl From<std::collections::BTreeMap<String, String>> for Tags {
    fn from(map: std::collections::BTreeMap<String, String>) -> Self {
        map.into_iter().collect()
    }
}

impl From<Tags> for std::collections::BTreeMap<String, String> {
    fn from(tags: Tags) -> Self {
        tags.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
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
