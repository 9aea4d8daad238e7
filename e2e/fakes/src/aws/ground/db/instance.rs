//! One database instance at one moment, of whatever engine: `MySQL`, Aurora, Neptune, `DocumentDB`…

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{ApplyStatus, DbStatus, OptionStatus};

/// What can be chosen for an instance at its birth and be changed later.
// Its flags are RDS's own, each a field of DescribeDBInstances.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbSettings {
    /// `DBInstanceClass`, for example `db.r6g.large`.
    pub class: String,
    /// `AllocatedStorage`, GiB; 1 for members of a cluster that keeps the storage itself.
    pub storage: u32,
    /// `gp3`, `io2`, `aurora`…
    pub storage_type: String,
    /// `StorageEncrypted`.
    pub encrypted: bool,
    /// Whether a standby waits in another zone.
    pub multi_az: bool,
    /// `MasterUsername`.
    pub username: String,
    /// `DeletionProtection`.
    pub protected: bool,
    /// `PubliclyAccessible`.
    pub public: bool,
    /// `IAMDatabaseAuthenticationEnabled`.
    pub iam: bool,
    /// `AutoMinorVersionUpgrade`.
    pub auto_minor_upgrade: bool,
    /// `BackupRetentionPeriod`, days; 0 is no automated backup.
    pub backup_days: u16,
    /// `MonitoringInterval`, seconds; 0 is no enhanced monitoring.
    pub monitoring_interval: u16,
    /// `CACertificateIdentifier`.
    pub ca: String,
    /// `PreferredMaintenanceWindow`, UTC.
    pub maintenance_window: String,
    /// `PreferredBackupWindow`, UTC.
    pub backup_window: String,
    /// Security group ids; the region's default group when none is given.
    pub groups: Vec<String>,
    /// `PromotionTier`: the reader of the lowest becomes the writer.
    pub promotion_tier: u8,
    /// Tags, `aws:*` among them.
    pub tags: BTreeMap<String, String>,
}

impl Default for DbSettings {
    fn default() -> Self {
        Self {
            class: "db.t4g.medium".to_owned(),
            storage: 20,
            storage_type: "gp3".to_owned(),
            encrypted: true,
            multi_az: false,
            username: "admin".to_owned(),
            protected: false,
            public: false,
            iam: false,
            auto_minor_upgrade: true,
            backup_days: 7,
            monitoring_interval: 0,
            ca: "rds-ca-rsa2048-g1".to_owned(),
            maintenance_window: "sun:18:00-sun:18:30".to_owned(),
            backup_window: "16:00-16:30".to_owned(),
            groups: vec![],
            promotion_tier: 1,
            tags: BTreeMap::new(),
        }
    }
}

/// A change that RDS shows in `PendingModifiedValues` until it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DbChange {
    /// The new `DBInstanceIdentifier`.
    pub name: Option<String>,
    /// The new class.
    pub class: Option<String>,
    /// The new storage, GiB.
    pub storage: Option<u32>,
    /// The new engine version.
    pub engine_version: Option<String>,
    /// Whether a standby is to wait in another zone.
    pub multi_az: Option<bool>,
}

/// A database instance at one moment.
#[derive(Clone, Debug)]
pub struct DbInstance {
    /// `DbiResourceId`, `db-…`: the one name that never changes.
    pub resource_id: String,
    /// `DBInstanceIdentifier`, in lower case; a rename changes it, and the endpoint and ARN with it.
    pub name: String,
    /// `mysql`, `aurora-postgresql`, `neptune`, `docdb`…
    pub engine: String,
    /// Its version.
    pub engine_version: String,
    /// Where it is in its life.
    pub status: DbStatus,
    /// When it was made.
    pub created: Timestamp,
    /// The zone's name.
    pub zone: String,
    /// The standby's zone; none without a standby.
    pub secondary_zone: Option<String>,
    /// Where it listens.
    pub port: u16,
    /// The parameter group's name.
    pub parameter_group: String,
    /// Whether the parameters of the group are in force.
    pub parameters: ApplyStatus,
    /// The option group's name; none for members of a cluster, which have no options to speak of.
    pub option_group: Option<String>,
    /// Whether the options of the group are in force.
    pub options: OptionStatus,
    /// The subnet group's name.
    pub subnet_group: String,
    /// The `DbClusterResourceId` of its cluster, if it is a member of one.
    pub cluster: Option<String>,
    /// The `DbiResourceId` of what it replicates, if it is a read replica.
    pub replica_of: Option<String>,
    /// Changes that wait, or that are being made.
    pub pending: DbChange,
    /// When AWS will start it again; only while it is stopped.
    pub restarts: Option<Timestamp>,
    /// All that can be chosen.
    pub settings: DbSettings,
}

impl DbInstance {
    /// The same, with the changes that waited; `standby` is the zone for a new standby.
    pub(super) fn changed(mut self, standby: &str) -> Self {
        let change = std::mem::take(&mut self.pending);
        self.name = change.name.unwrap_or(self.name);
        self.engine_version = change.engine_version.unwrap_or(self.engine_version);
        self.settings.class = change.class.unwrap_or(self.settings.class);
        self.settings.storage = change.storage.unwrap_or(self.settings.storage);
        self.settings.multi_az = change.multi_az.unwrap_or(self.settings.multi_az);
        self.secondary_zone =
            self.settings.multi_az.then(|| self.secondary_zone.take().unwrap_or_else(|| standby.to_owned()));
        self
    }
}

impl DbChange {
    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// This change, and what of an earlier one it does not replace.
    pub(super) fn over(self, earlier: Self) -> Self {
        Self {
            name: self.name.or(earlier.name),
            class: self.class.or(earlier.class),
            storage: self.storage.or(earlier.storage),
            engine_version: self.engine_version.or(earlier.engine_version),
            multi_az: self.multi_az.or(earlier.multi_az),
        }
    }

    /// What RDS says an instance is doing while the change is made.
    pub(super) fn status(&self) -> DbStatus {
        if self.name.is_some() {
            DbStatus::Renaming
        } else if self.engine_version.is_some() {
            DbStatus::Upgrading
        } else {
            DbStatus::Modifying
        }
    }
}
