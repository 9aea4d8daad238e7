//! What to make: a database instance or a cluster, as `CreateDBInstance` wishes it or a test plants it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::DbSettings;

/// An instance to make. Everything has a default but its name and engine.
#[derive(Clone, Debug, Default)]
pub struct DbLaunch {
    /// `DBInstanceIdentifier`.
    pub name: String,
    /// `mysql`, `neptune`…
    pub engine: String,
    /// The engine's usual version when absent.
    pub engine_version: Option<String>,
    /// A zone's letter or whole name; the first zone when absent.
    pub zone: Option<String>,
    /// The engine's usual port when absent.
    pub port: Option<u16>,
    /// The family's default group when absent; it must be there when given.
    pub parameter_group: Option<String>,
    /// The engine's default group when absent; it must be there when given.
    pub option_group: Option<String>,
    /// All subnets of the region when absent; it must be there when given.
    pub subnet_group: Option<String>,
    /// The cluster it joins, by name; the first to join is the writer.
    pub cluster: Option<String>,
    /// What it replicates, by name.
    pub replica_of: Option<String>,
    /// All else that can be chosen.
    pub settings: DbSettings,
    /// When it was made; now when absent.
    pub created_at: Option<Timestamp>,
}

/// A cluster to make, with its members.
#[derive(Clone, Debug, Default)]
pub struct ClusterLaunch {
    /// `DBClusterIdentifier`.
    pub name: String,
    /// `aurora-mysql`, `neptune`, `docdb`…
    pub engine: String,
    /// The engine's usual version when absent.
    pub engine_version: Option<String>,
    /// The family's default group when absent.
    pub parameter_group: Option<String>,
    /// All subnets of the region when absent.
    pub subnet_group: Option<String>,
    /// Security group ids; the region's default group when empty.
    pub groups: Vec<String>,
    /// Names of its members; the first is the writer. They take turns over the zones.
    pub members: Vec<String>,
    /// `StorageEncrypted`.
    pub encrypted: bool,
    /// `DeletionProtection`.
    pub protected: bool,
    /// `IAMDatabaseAuthenticationEnabled`.
    pub iam: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// When it was made; now when absent.
    pub created_at: Option<Timestamp>,
}

impl DbLaunch {
    /// An instance of this name and engine, made now.
    #[must_use]
    pub fn of(name: &str, engine: &str) -> Self {
        Self { name: name.to_owned(), engine: engine.to_owned(), ..Self::default() }
    }

    /// With a tag more.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.settings.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Of this class.
    #[must_use]
    pub fn class(mut self, class: &str) -> Self {
        class.clone_into(&mut self.settings.class);
        self
    }

    /// With a standby in another zone.
    #[must_use]
    pub fn multi_az(mut self) -> Self {
        self.settings.multi_az = true;
        self
    }

    /// A read replica of this instance.
    #[must_use]
    pub fn replica_of(self, source: &str) -> Self {
        Self { replica_of: Some(source.to_owned()), ..self }
    }

    /// With the parameters of this group.
    #[must_use]
    pub fn parameter_group(self, group: &str) -> Self {
        Self { parameter_group: Some(group.to_owned()), ..self }
    }

    /// With a past: made then.
    #[must_use]
    pub fn created_at(self, at: Timestamp) -> Self {
        Self { created_at: Some(at), ..self }
    }
}

impl ClusterLaunch {
    /// A cluster of this name and engine without members, made now.
    #[must_use]
    pub fn of(name: &str, engine: &str) -> Self {
        Self { name: name.to_owned(), engine: engine.to_owned(), ..Self::default() }
    }

    /// With these members, the writer first.
    #[must_use]
    pub fn members(self, names: &[&str]) -> Self {
        Self { members: names.iter().map(|name| (*name).to_owned()).collect(), ..self }
    }

    /// With a tag more.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// With a past: made then.
    #[must_use]
    pub fn created_at(self, at: Timestamp) -> Self {
        Self { created_at: Some(at), ..self }
    }
}
