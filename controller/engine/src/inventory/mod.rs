//! What AWS says exists: instances, volumes, addresses, databases and their clusters of one place.

mod cluster;
mod database;
mod instance;
mod status;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::Place;
use crate::reading::{Extent, FailureKind, Reading};

pub use cluster::{ClusterMember, DatabaseCluster, MemberRole};
pub use database::{Database, DatabaseEndpoint, Engine, EngineKind, GroupMembership};
pub use instance::{Address, Instance, PowerState, Volume};
pub use status::{ApplyStatus, DatabaseStatus, Transition, Trouble};

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

#[cfg(test)]
mod tests;
