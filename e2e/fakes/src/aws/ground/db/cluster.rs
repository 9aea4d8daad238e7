//! One database cluster at one moment: Aurora, Neptune or `DocumentDB`, which all tell of themselves through RDS.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{ApplyStatus, DbStatus};

/// A member of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its `DbiResourceId`.
    pub instance: String,
    /// `IsClusterWriter`.
    pub writer: bool,
    /// Whether the cluster's parameters are in force on it.
    pub parameters: ApplyStatus,
}

/// A cluster at one moment.
#[derive(Clone, Debug)]
pub struct DbCluster {
    /// `DbClusterResourceId`, `cluster-…`: the one name that never changes.
    pub resource_id: String,
    /// `DBClusterIdentifier`, in lower case.
    pub name: String,
    /// `aurora-mysql`, `neptune`…
    pub engine: String,
    /// Its version.
    pub engine_version: String,
    /// Where it is in its life.
    pub status: DbStatus,
    /// When it was made.
    pub created: Timestamp,
    /// Where it listens.
    pub port: u16,
    /// The cluster parameter group's name.
    pub parameter_group: String,
    /// The subnet group's name.
    pub subnet_group: String,
    /// The zones its storage is in.
    pub zones: Vec<String>,
    /// Security group ids.
    pub groups: Vec<String>,
    /// Its members, in the order they joined; none is the writer until the first has joined.
    pub members: Vec<Member>,
    /// `StorageEncrypted`.
    pub encrypted: bool,
    /// `DeletionProtection`.
    pub protected: bool,
    /// `IAMDatabaseAuthenticationEnabled`.
    pub iam: bool,
    /// `BackupRetentionPeriod`, days.
    pub backup_days: u16,
    /// When AWS will start it again; only while it is stopped.
    pub restarts: Option<Timestamp>,
    /// Tags, `aws:*` among them.
    pub tags: BTreeMap<String, String>,
}

impl DbCluster {
    /// The `DbiResourceId` of the member that takes writes, if there is one.
    #[must_use]
    pub fn writer(&self) -> Option<&str> {
        self.members.iter().find(|m| m.writer).map(|m| m.instance.as_str())
    }

    /// Makes this member the only writer.
    pub(super) fn promote(&mut self, instance: &str) {
        for member in &mut self.members {
            member.writer = member.instance == instance;
        }
    }
}
