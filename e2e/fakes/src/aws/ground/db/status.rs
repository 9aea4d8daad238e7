//! What RDS says a database or cluster is doing, and whether parameters are in force.

/// The life cycle of a database instance or cluster. AWS's user guide lists some more; these are the ones that
/// assertions ask for ("Viewing Amazon RDS DB instance status").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DbStatus {
    /// Up.
    Available,
    /// Up, being backed up.
    BackingUp,
    /// Not yet there.
    Creating,
    /// On its way out.
    Deleting,
    /// Lost.
    Failed,
    /// A cluster whose writer is moving.
    FailingOver,
    /// Its key cannot be used.
    InaccessibleEncryptionCredentials,
    /// Its subnets or addresses do not suffice.
    IncompatibleNetwork,
    /// Its options cannot be applied.
    IncompatibleOptionGroup,
    /// Its parameters do not let it start.
    IncompatibleParameters,
    /// It could not be restored.
    IncompatibleRestore,
    /// Under maintenance.
    Maintenance,
    /// Being changed.
    Modifying,
    /// Restarting.
    Rebooting,
    /// Being renamed.
    Renaming,
    /// Getting a new password.
    ResettingMasterCredentials,
    /// It could not be restored to a moment.
    RestoreError,
    /// On its way up.
    Starting,
    /// Down; its storage stays and costs.
    Stopped,
    /// On its way down.
    Stopping,
    /// Out of storage.
    StorageFull,
    /// Up, its storage being rearranged.
    StorageOptimization,
    /// Getting a new engine version.
    Upgrading,
}

impl DbStatus {
    /// AWS's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DbStatus::Available => "available",
            DbStatus::BackingUp => "backing-up",
            DbStatus::Creating => "creating",
            DbStatus::Deleting => "deleting",
            DbStatus::Failed => "failed",
            DbStatus::FailingOver => "failing-over",
            DbStatus::InaccessibleEncryptionCredentials => "inaccessible-encryption-credentials",
            DbStatus::IncompatibleNetwork => "incompatible-network",
            DbStatus::IncompatibleOptionGroup => "incompatible-option-group",
            DbStatus::IncompatibleParameters => "incompatible-parameters",
            DbStatus::IncompatibleRestore => "incompatible-restore",
            DbStatus::Maintenance => "maintenance",
            DbStatus::Modifying => "modifying",
            DbStatus::Rebooting => "rebooting",
            DbStatus::Renaming => "renaming",
            DbStatus::ResettingMasterCredentials => "resetting-master-credentials",
            DbStatus::RestoreError => "restore-error",
            DbStatus::Starting => "starting",
            DbStatus::Stopped => "stopped",
            DbStatus::Stopping => "stopping",
            DbStatus::StorageFull => "storage-full",
            DbStatus::StorageOptimization => "storage-optimization",
            DbStatus::Upgrading => "upgrading",
        }
    }
}

/// Whether what a parameter group says is in force: `ParameterApplyStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyStatus {
    /// It is.
    InSync,
    /// It is being applied.
    Applying,
    /// Not before the next restart.
    PendingReboot,
    /// It could not be applied.
    FailedToApply,
}

impl ApplyStatus {
    /// AWS's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ApplyStatus::InSync => "in-sync",
            ApplyStatus::Applying => "applying",
            ApplyStatus::PendingReboot => "pending-reboot",
            ApplyStatus::FailedToApply => "failed-to-apply",
        }
    }
}

/// Whether what an option group says is in force: `OptionGroupMemberships[].Status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionStatus {
    /// It is.
    InSync,
    /// It is being applied.
    Applying,
    /// It waits to be applied.
    PendingApply,
    /// Not before the maintenance window.
    PendingMaintenanceApply,
    /// It could not be applied.
    Failed,
}

impl OptionStatus {
    /// AWS's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            OptionStatus::InSync => "in-sync",
            OptionStatus::Applying => "applying",
            OptionStatus::PendingApply => "pending-apply",
            OptionStatus::PendingMaintenanceApply => "pending-maintenance-apply",
            OptionStatus::Failed => "failed",
        }
    }
}
