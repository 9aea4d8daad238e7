//! DB clusters: Aurora's, RDS's with several zones, and those of Neptune and `DocumentDB`.

use serde::{Deserialize, Serialize};

use super::{ApplyStatus, DatabaseStatus, Engine, Tags};
use crate::ids::ClusterId;

/// One DB cluster, cut to what decisions use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseCluster {
    /// `DbClusterResourceId`: never changes.
    pub id: ClusterId,
    /// `DBClusterIdentifier`: `shop`. A rename changes it.
    pub name: String,
    /// What it runs.
    pub engine: Engine,
    /// `8.0.mysql_aurora.3.08.0`.
    pub engine_version: String,
    /// What it is doing: only the cluster says that a writer moves.
    pub status: DatabaseStatus,
    /// Its members. One that is being made may be missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<ClusterMember>,
    /// The DNS name that follows the writer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The DNS name that spreads over the readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader_endpoint: Option<String>,
    /// The TCP port of both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Its own tags; its members have theirs.
    #[serde(default)]
    pub tags: Tags,
    /// The name of its parameter group; each member says whether it is in force there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter_group: Option<String>,
    /// Ids of its security groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<String>,
    /// May nobody delete it? True also when RDS does not say.
    pub deletion_protection: bool,
}

/// A member of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterMember {
    /// Its `DBInstanceIdentifier`: this listing does not tell the id.
    pub name: String,
    /// `IsClusterWriter`; `None` when RDS does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer: Option<bool>,
    /// Whether the cluster's parameters are in force on it.
    pub parameters: ApplyStatus,
}

/// The part of a database in its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberRole {
    /// It is in no cluster.
    Alone,
    /// It takes writes.
    Writer,
    /// It only reads, and may become the writer at any time.
    Reader,
    /// It is in a cluster that could not be read, or that does not tell of it (yet). It may be the writer.
    Unknown,
}

impl DatabaseCluster {
    /// Is it meant by this identifier? RDS keeps it in lower case.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The part that the member of this name (`DBInstanceIdentifier`) has.
    #[must_use]
    pub fn role_of(&self, name: &str) -> MemberRole {
        match self.members.iter().find(|member| member.name == name).and_then(|member| member.writer) {
            Some(true) => MemberRole::Writer,
            Some(false) => MemberRole::Reader,
            None => MemberRole::Unknown,
        }
    }
}
