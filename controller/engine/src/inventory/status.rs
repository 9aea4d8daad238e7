//! What RDS says a database or a cluster is doing, and whether its groups are in force: AWS's words, typed by what
//! they mean.
//!
//! A word that is not known here stays what it is and means nothing: it must never read as "available".

use serde::{Deserialize, Serialize};

/// A set of AWS's words as a type, each with its meaning.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$of])* $variant),+
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// AWS's word for it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            fn of(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

/// The status of a DB instance or a DB cluster.
///
/// Words: "Viewing Amazon RDS DB instance status" and "Viewing DB cluster status in an Amazon Aurora cluster" (AWS's
/// user guides), and those of the other members of the family (Multi-AZ clusters, Neptune) that its clients wait on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum DatabaseStatus {
    /// It is up, and nothing is being done to it.
    Available,
    /// It is down, and its storage stays. RDS starts it again by itself after seven days.
    Stopped,
    /// It is not there yet.
    Creating,
    /// It is on its way out.
    Deleting,
    /// Something is being done to it, and what is told of it may change with that.
    InTransition(Transition),
    /// It needs a person.
    Failed(Trouble),
    /// A word this version does not know: never judged, never gone, never available.
    Unknown(Box<str>),
}

words! {
    /// What is being done to a database.
    Transition {
        /// It is being backed up; a database with one zone may stall meanwhile.
        BackingUp = "backing-up",
        /// An Aurora `MySQL` cluster is being taken back in time.
        Backtracking = "backtracking",
        /// Enhanced Monitoring is being switched.
        ConfiguringEnhancedMonitoring = "configuring-enhanced-monitoring",
        /// Logins by IAM are being switched.
        ConfiguringIamDatabaseAuth = "configuring-iam-database-auth",
        /// Its logs are being sent to `CloudWatch`, or no longer.
        ConfiguringLogExports = "configuring-log-exports",
        /// It is being taken into a VPC.
        ConvertingToVpc = "converting-to-vpc",
        /// Whether it can be deleted is being looked into.
        DeletePrecheck = "delete-precheck",
        /// Another member of the cluster becomes the writer.
        FailingOver = "failing-over",
        /// A maintenance update is being applied.
        Maintenance = "maintenance",
        /// A snapshot is being restored into a cluster.
        Migrating = "migrating",
        /// Somebody's change is being applied.
        Modifying = "modifying",
        /// It is being moved to another VPC.
        MovingToVpc = "moving-to-vpc",
        /// Data are being made ready for a migration.
        PreparingDataMigration = "preparing-data-migration",
        /// A replica is becoming a database of its own.
        Promoting = "promoting",
        /// It restarts.
        Rebooting = "rebooting",
        /// It is getting another name; its id stays.
        Renaming = "renaming",
        /// Its master user gets another password.
        ResettingMasterCredentials = "resetting-master-credentials",
        /// A serverless cluster is getting more or less capacity.
        ScalingCapacity = "scaling-capacity",
        /// A Multi-AZ cluster is getting another class.
        ScalingCompute = "scaling-compute",
        /// A Multi-AZ cluster is getting other storage.
        ScalingStorage = "scaling-storage",
        /// On its way up.
        Starting = "starting",
        /// On its way down.
        Stopping = "stopping",
        /// The layout of its storage is being renewed.
        StorageConfigUpgrade = "storage-config-upgrade",
        /// Its blocks are being loaded from a snapshot.
        StorageInitialization = "storage-initialization",
        /// Its storage is being rearranged, for hours or days; it works meanwhile.
        StorageOptimization = "storage-optimization",
        /// Logins by IAM are being switched for a whole cluster.
        UpdateIamDbAuth = "update-iam-db-auth",
        /// The engine is getting another version.
        Upgrading = "upgrading",
    }
}

words! {
    /// Why a database needs a person. Some of these still answer: AWS does not promise it.
    Trouble {
        /// Copying a cluster failed.
        CloningFailed = "cloning-failed",
        /// RDS cannot bring it back.
        Failed = "failed",
        /// The key of its storage cannot be used.
        InaccessibleEncryptionCredentials = "inaccessible-encryption-credentials",
        /// The same, for so short that a start may mend it.
        InaccessibleEncryptionCredentialsRecoverable = "inaccessible-encryption-credentials-recoverable",
        /// Its subnets or addresses do not suffice.
        IncompatibleNetwork = "incompatible-network",
        /// The options of its group cannot be applied.
        IncompatibleOptionGroup = "incompatible-option-group",
        /// It cannot start with the parameters of its group.
        IncompatibleParameters = "incompatible-parameters",
        /// It could not be restored to a point in time.
        IncompatibleRestore = "incompatible-restore",
        /// AWS has no machine for it.
        InsufficientCapacity = "insufficient-capacity",
        /// A migration failed.
        MigrationFailed = "migration-failed",
        /// It could not be restored from a snapshot or to a point in time.
        RestoreError = "restore-error",
        /// It is out of storage.
        StorageFull = "storage-full",
        /// An RDS Custom machine was changed beyond what RDS supports.
        UnsupportedConfiguration = "unsupported-configuration",
    }
}

impl Transition {
    /// Does the database run on meanwhile, for sure? AWS's user guide ("Viewing Amazon RDS DB instance status", "Backup
    /// window", "Turning Enhanced Monitoring on and off", "Publishing database logs") promises it of these: a backup
    /// holds up writes for seconds at most and comes to each database daily, a storage that is rearranged is "fully
    /// operational" for hours or days, one that is filled "remains available", and neither monitoring nor logs
    /// restart anything. Of all others it promises nothing, or says that the database is down for a while.
    #[must_use]
    pub fn runs_on(self) -> bool {
        matches!(
            self,
            Self::BackingUp
                | Self::StorageOptimization
                | Self::StorageInitialization
                | Self::ConfiguringEnhancedMonitoring
                | Self::ConfiguringLogExports
        )
    }
}

impl DatabaseStatus {
    /// AWS's word for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Available => "available",
            Self::Stopped => "stopped",
            Self::Creating => "creating",
            Self::Deleting => "deleting",
            Self::InTransition(transition) => transition.as_str(),
            Self::Failed(trouble) => trouble.as_str(),
            Self::Unknown(word) => word,
        }
    }

    /// Does it prove that the database runs? Available does, and what is done beside the work.
    #[must_use]
    pub fn runs(&self) -> bool {
        match self {
            Self::Available => true,
            Self::InTransition(transition) => transition.runs_on(),
            _ => false,
        }
    }

    /// Does the database still exist? Only AWS's own word says no, and a check before a deletion is none yet.
    #[must_use]
    pub fn exists(&self) -> bool {
        !matches!(self, Self::Deleting)
    }
}

impl From<&str> for DatabaseStatus {
    fn from(word: &str) -> Self {
        match word {
            "available" => Self::Available,
            "stopped" => Self::Stopped,
            "creating" => Self::Creating,
            "deleting" => Self::Deleting,
            _ => Transition::of(word)
                .map(Self::InTransition)
                .or_else(|| Trouble::of(word).map(Self::Failed))
                .unwrap_or_else(|| Self::Unknown(word.into())),
        }
    }
}

impl From<String> for DatabaseStatus {
    fn from(word: String) -> Self {
        Self::from(word.as_str())
    }
}

impl From<DatabaseStatus> for String {
    fn from(status: DatabaseStatus) -> Self {
        status.as_str().to_owned()
    }
}

/// Whether what a parameter group or an option group says is in force on a database.
///
/// Words: `ParameterApplyStatus`, `DBClusterParameterGroupStatus` and `OptionGroupMembership.Status` of the RDS API.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ApplyStatus {
    /// It is.
    InSync,
    /// It is being made so.
    Applying,
    /// Options are being taken away.
    Removing,
    /// Parameters wait for a restart.
    PendingReboot,
    /// Parameters wait for another version of the engine.
    PendingDatabaseUpgrade,
    /// Options wait to be added.
    PendingApply,
    /// Options wait to be taken away.
    PendingRemoval,
    /// Options wait for the maintenance window to be added.
    PendingMaintenanceApply,
    /// Options wait for the maintenance window to be taken away.
    PendingMaintenanceRemoval,
    /// Parameters could not be applied.
    FailedToApply,
    /// Options could not be applied.
    Failed,
    /// A word this version does not know, or none: never taken for "in force".
    Unknown(Box<str>),
}

impl ApplyStatus {
    /// AWS's word for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::InSync => "in-sync",
            Self::Applying => "applying",
            Self::Removing => "removing",
            Self::PendingReboot => "pending-reboot",
            Self::PendingDatabaseUpgrade => "pending-database-upgrade",
            Self::PendingApply => "pending-apply",
            Self::PendingRemoval => "pending-removal",
            Self::PendingMaintenanceApply => "pending-maintenance-apply",
            Self::PendingMaintenanceRemoval => "pending-maintenance-removal",
            Self::FailedToApply => "failed-to-apply",
            Self::Failed => "failed",
            Self::Unknown(word) => word,
        }
    }
}

impl From<&str> for ApplyStatus {
    fn from(word: &str) -> Self {
        match word {
            "in-sync" => Self::InSync,
            "applying" => Self::Applying,
            "removing" => Self::Removing,
            "pending-reboot" => Self::PendingReboot,
            "pending-database-upgrade" => Self::PendingDatabaseUpgrade,
            "pending-apply" => Self::PendingApply,
            "pending-removal" => Self::PendingRemoval,
            "pending-maintenance-apply" => Self::PendingMaintenanceApply,
            "pending-maintenance-removal" => Self::PendingMaintenanceRemoval,
            "failed-to-apply" => Self::FailedToApply,
            "failed" => Self::Failed,
            _ => Self::Unknown(word.into()),
        }
    }
}

impl From<String> for ApplyStatus {
    fn from(word: String) -> Self {
        Self::from(word.as_str())
    }
}

impl From<ApplyStatus> for String {
    fn from(status: ApplyStatus) -> Self {
        status.as_str().to_owned()
    }
}
