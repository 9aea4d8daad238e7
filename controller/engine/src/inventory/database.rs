//! DB instances as RDS lists them: databases of their own, and members of clusters.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ApplyStatus, DatabaseStatus, Marks, Tags};
use crate::ids::HostId;

/// One DB instance, cut to what decisions use. A member of an Aurora cluster is one too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Its `DbiResourceId` in lower case: the one name that neither a rename nor a failover changes.
    pub id: HostId,
    /// `DBInstanceIdentifier`: `shop-db-1`. A rename changes it, and a successor may take it.
    pub name: String,
    /// What it runs.
    pub engine: Engine,
    /// `8.0.mysql_aurora.3.08.0`.
    pub engine_version: String,
    /// `db.r6g.large`.
    pub class: String,
    /// What it is doing.
    pub status: DatabaseStatus,
    /// When it was made. RDS does not say while it is being made; without it nothing can be said of its age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// Its own tags; a cluster's are the cluster's.
    #[serde(default)]
    pub tags: Tags,
    /// Where it listens; none while it is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<DatabaseEndpoint>,
    /// `ap-northeast-1a`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Does a standby wait in another zone? `None` when RDS does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_az: Option<bool>,
    /// `vpc-0abc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<String>,
    /// The name of its subnet group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet_group: Option<String>,
    /// Ids of its security groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<String>,
    /// Its parameter groups, and whether they are in force.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameter_groups: Vec<GroupMembership>,
    /// Its option groups, and whether they are in force.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub option_groups: Vec<GroupMembership>,
    /// `DBClusterIdentifier` of the cluster it is a member of; see [`super::Inventory::role_of`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The instance or cluster that it replicates: a name, or an ARN when that lives in another region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_of: Option<String>,
    /// The instances and clusters that replicate it, named likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<String>,
    /// May nobody delete it? True also when RDS does not say. Of a member of a cluster the cluster's word counts.
    pub deletion_protection: bool,
    /// When RDS will start it again by itself; only while it is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts: Option<Timestamp>,
}

impl Database {
    /// Its identifier, if it is not empty. A tag `Name` is not asked: the identifier is always there, and it is what
    /// endpoint, console and monitoring systems call it by.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        Some(self.name.as_str()).filter(|name| !name.trim().is_empty())
    }

    /// Does it replicate another? It waits for its hour, and AWS calls no replica idle (Compute Optimizer user guide, "Idle
    /// resource recommendations").
    #[must_use]
    pub fn is_replica(&self) -> bool {
        self.replica_of.is_some()
    }

    /// What selectors look at.
    #[must_use]
    pub fn marks(&self) -> Marks<'_> {
        Marks { tags: &self.tags, name: self.name(), vpc: self.vpc.as_deref() }
    }
}

/// Where a database listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseEndpoint {
    /// A DNS name.
    pub address: String,
    /// A TCP port.
    pub port: u16,
}

/// A group of parameters or options that a database belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupMembership {
    /// `default.mysql8.0`.
    pub name: String,
    /// Whether what it says is in force.
    pub status: ApplyStatus,
}

/// What a database runs: AWS's word, and what it means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Engine {
    kind: EngineKind,
    word: Box<str>,
}

/// The engines behind RDS's API, editions left out. Words: `Engine` of `CreateDBInstance` and `CreateDBCluster`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EngineKind {
    /// Aurora for `MySQL`.
    AuroraMysql,
    /// Aurora for `PostgreSQL`.
    AuroraPostgresql,
    /// `MySQL`.
    Mysql,
    /// `MariaDB`.
    Mariadb,
    /// `PostgreSQL`.
    Postgres,
    /// Oracle in any edition.
    Oracle,
    /// SQL Server in any edition.
    SqlServer,
    /// Db2 in any edition.
    Db2,
    /// Neptune: another service, which answers through RDS's API too.
    Neptune,
    /// `DocumentDB`: another service, which answers through RDS's API too.
    DocumentDb,
    /// One that this version does not know. It is taken for one of RDS's: a host too many is seen, one too few is not.
    Unknown,
}

/// What RDS Custom puts before the engine's own word.
const CUSTOM: &str = "custom-";

impl Engine {
    /// What it is, whatever its edition.
    #[must_use]
    pub fn kind(&self) -> EngineKind {
        self.kind
    }

    /// AWS's word: `oracle-se2`, `custom-sqlserver-ee`, `aurora-mysql`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.word
    }

    /// Is this a database of RDS or Aurora, and so a host? Neptune and `DocumentDB` are not.
    #[must_use]
    pub fn is_rds(&self) -> bool {
        !matches!(self.kind, EngineKind::Neptune | EngineKind::DocumentDb)
    }

    /// Is it RDS Custom: an EC2 instance that its users may reach into?
    #[must_use]
    pub fn is_rds_custom(&self) -> bool {
        self.word.starts_with(CUSTOM)
    }
}

impl From<&str> for Engine {
    fn from(word: &str) -> Self {
        Self { kind: EngineKind::of(word.strip_prefix(CUSTOM).unwrap_or(word)), word: word.into() }
    }
}

impl From<String> for Engine {
    fn from(word: String) -> Self {
        Self::from(word.as_str())
    }
}

impl From<Engine> for String {
    fn from(engine: Engine) -> Self {
        engine.word.into()
    }
}

impl EngineKind {
    fn of(word: &str) -> Self {
        match word {
            // The first Aurora, before it had a choice of engines.
            "aurora" | "aurora-mysql" => Self::AuroraMysql,
            "aurora-postgresql" => Self::AuroraPostgresql,
            "mysql" => Self::Mysql,
            "mariadb" => Self::Mariadb,
            "postgres" => Self::Postgres,
            "neptune" => Self::Neptune,
            "docdb" => Self::DocumentDb,
            _ => match word.split_once('-') {
                Some(("oracle", _)) => Self::Oracle,
                Some(("sqlserver", _)) => Self::SqlServer,
                Some(("db2", _)) => Self::Db2,
                _ => Self::Unknown,
            },
        }
    }
}
