//! What AWS says exists: instances, volumes, addresses, databases and their clusters of one place; and, where
//! assertions ask for them, groups of security, subnets and parameters, and who is protected from termination.

mod asked;
mod cluster;
mod database;
mod instance;
mod parameters;
mod security;
mod status;
mod storage;
mod subnets;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{HostId, Place};
use crate::reading::{Extent, FailureKind, Reading};

pub use asked::{Asked, Asserted};
pub use cluster::{ClusterMember, DatabaseCluster, MemberRole};
pub use database::{Database, DatabaseEndpoint, Engine, EngineKind, GroupMembership};
pub use instance::{GroupName, Instance, PowerState};
pub use parameters::{
    ApplyMethod, ApplyType, ParameterAnswer, ParameterGroup, ParameterGroupKind, ParameterGroupName,
    ParameterScope, ParameterSource, ParameterValue,
};
pub use security::{Cidr, Peer, Ports, Protocol, Rule, SecurityGroup};
pub use status::{ApplyStatus, DatabaseStatus, Transition, Trouble};
pub use storage::{Address, Attachment, AttachmentState, Volume, VolumeState};
pub use subnets::SubnetGroup;

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
    /// DB instances of every engine. Neptune's and `DocumentDB`'s share the listing, so they are in it, and are no hosts:
    /// ask [`Engine::is_rds`].
    #[serde(default = "databases_not_recorded")]
    pub databases: Reading<Vec<Database>>,
    /// DB clusters of every engine; they know who of their members takes writes.
    #[serde(default = "clusters_not_recorded")]
    pub clusters: Reading<Vec<DatabaseCluster>>,
    /// Security groups; read less often, and only when [`Asked`].
    #[serde(default = "security_groups_not_recorded")]
    pub security_groups: Reading<Vec<SecurityGroup>>,
    /// DB subnet groups; likewise.
    #[serde(default = "subnet_groups_not_recorded")]
    pub subnet_groups: Reading<Vec<SubnetGroup>>,
    /// Parameter groups of databases and of clusters, each one that was [`Asked`] for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<ParameterGroupName, Reading<ParameterGroup>>,
    /// Is the instance protected from termination (`DisableApiTermination`)? Only of those [`Asked`] for, each with its
    /// own time. A complete `None`: EC2 knows no such instance.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub protections: BTreeMap<HostId, Reading<Option<bool>>>,
}

impl Inventory {
    /// A place of which nobody has read anything yet.
    #[must_use]
    pub fn not_yet(place: Place, now: Timestamp) -> Self {
        Self {
            instances: Reading::not_yet(format!("ec2 instances {place}"), now),
            volumes: Reading::not_yet(format!("ec2 volumes {place}"), now),
            addresses: Reading::not_yet(format!("ec2 addresses {place}"), now),
            databases: Reading::not_yet(format!("rds databases {place}"), now),
            clusters: Reading::not_yet(format!("rds clusters {place}"), now),
            security_groups: Reading::not_yet(format!("ec2 security groups {place}"), now),
            subnet_groups: Reading::not_yet(format!("rds subnet groups {place}"), now),
            parameters: BTreeMap::new(),
            protections: BTreeMap::new(),
            place,
        }
    }

    /// Does it tell of databases, be it that they could not be read? A recording from before they were read does not, and
    /// is judged as it was then.
    #[must_use]
    pub fn knows_databases(&self) -> bool {
        let is_not_recorded =
            |since: Timestamp, kind| since == NOT_RECORDED && kind == FailureKind::NotYetRead;
        !matches!(&self.databases.extent, Extent::Failed { since, why } if is_not_recorded(*since, why.kind))
    }

    /// The part that a database has in its cluster, as the listing of clusters tells it: it may be unknown while
    /// the database itself is well known.
    #[must_use]
    pub fn role_of(&self, database: &Database) -> MemberRole {
        let Some(cluster) = &database.cluster else {
            return MemberRole::Alone;
        };
        let cluster = self.clusters.seen.iter().find(|c| c.name == *cluster);
        cluster.map_or(MemberRole::Unknown, |cluster| cluster.role_of(&database.name))
    }
}

/// A recording from before databases were read knows nothing of them: that is not the same as that there are none.
fn databases_not_recorded() -> Reading<Vec<Database>> {
    Reading::not_yet("rds databases", NOT_RECORDED)
}

/// As [`databases_not_recorded`].
fn clusters_not_recorded() -> Reading<Vec<DatabaseCluster>> {
    Reading::not_yet("rds clusters", NOT_RECORDED)
}

/// As [`databases_not_recorded`].
fn security_groups_not_recorded() -> Reading<Vec<SecurityGroup>> {
    Reading::not_yet("ec2 security groups", NOT_RECORDED)
}

/// As [`databases_not_recorded`].
fn subnet_groups_not_recorded() -> Reading<Vec<SubnetGroup>> {
    Reading::not_yet("rds subnet groups", NOT_RECORDED)
}

/// Since when a listing has not been read that its recording does not have: no source was ever asked at this time.
const NOT_RECORDED: Timestamp = Timestamp::UNIX_EPOCH;

/// What selectors and roles look at in a host, whichever service lists it.
#[derive(Clone, Copy, Debug)]
pub struct Marks<'a> {
    /// Its tags.
    pub tags: &'a Tags,
    /// Its name: the Name tag of an instance, the identifier of a database.
    pub name: Option<&'a str>,
    /// `vpc-0abc`.
    pub vpc: Option<&'a str>,
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
        // There are at most 50, and most keys already differ in length: quicker than a search.
        self.0.iter().find(|(k, _)| **k == *key).map(|(_, v)| &**v)
    }
    /// The Name tag, if it is not blank.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.get("Name").filter(|name| name.contains(|c: char| !c.is_whitespace()))
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

impl From<BTreeMap<String, String>> for Tags {
    fn from(map: BTreeMap<String, String>) -> Self {
        map.into_iter().collect()
    }
}

impl From<Tags> for BTreeMap<String, String> {
    fn from(tags: Tags) -> Self {
        tags.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod asserted_tests;
