//! What happens to database instances once they are there. Each takes world time and writes its course ahead.
//!
//! The times are usual ones of small instances; AWS promises none of them but the seven days.

use jiff::{SignedDuration, Timestamp};

use super::{ApplyStatus, Databases, DbChange, DbInstance, DbStatus};
use crate::{aws::error::AwsError, clock::later};

/// From creating to available.
pub const CREATING: SignedDuration = SignedDuration::from_mins(5);
/// How long a change of class, storage or standby takes.
pub const MODIFYING: SignedDuration = SignedDuration::from_mins(4);
/// How long a rename takes.
pub const RENAMING: SignedDuration = SignedDuration::from_mins(1);
/// How long a new engine version takes.
pub const UPGRADING: SignedDuration = SignedDuration::from_mins(15);
/// How long a restart takes, with or without failover.
pub const REBOOTING: SignedDuration = SignedDuration::from_mins(1);
/// From stopping to stopped.
pub const STOPPING: SignedDuration = SignedDuration::from_mins(3);
/// From starting to available.
pub const STARTING: SignedDuration = SignedDuration::from_mins(5);
/// From deleting to gone.
pub const DELETING: SignedDuration = SignedDuration::from_mins(3);
/// After how long AWS starts what was stopped: "seven days" (`StopDBInstance`, `StopDBCluster`).
pub const AUTOMATIC_RESTART: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Databases {
    /// Changes an instance: now, or when its maintenance window comes (see [`Databases::maintain`]). One that is
    /// not available waits for a window too.
    ///
    /// # Errors
    /// `DBInstanceNotFound`; `DBInstanceAlreadyExists` for a new name that is taken.
    pub fn modify(&mut self, name: &str, change: DbChange, now: bool, at: Timestamp) -> Result<(), AwsError> {
        let mut instance = self.instance(name, at)?.clone();
        if let Some(new) = &change.name {
            self.must_be_free(new, at)?;
        }
        instance.pending = change.over(instance.pending);
        instance.pending.name = instance.pending.name.map(|n| n.to_ascii_lowercase());
        if now && instance.status == DbStatus::Available {
            self.apply_pending(instance, at);
            return Ok(());
        }
        let waits = instance.pending;
        self.change_instance(name, at, |i| i.pending = waits.clone())
    }

    /// The maintenance window comes: what waited is done.
    ///
    /// # Errors
    /// `DBInstanceNotFound`.
    pub fn maintain(&mut self, name: &str, at: Timestamp) -> Result<(), AwsError> {
        let instance = self.instance(name, at)?.clone();
        if !instance.pending.is_empty() && instance.status == DbStatus::Available {
            self.apply_pending(instance, at);
        }
        Ok(())
    }

    /// Restarts an instance: its parameters are in force afterwards. With `failover` the standby takes over, and
    /// the two zones change places. Nothing happens to one that is not available.
    ///
    /// # Errors
    /// `DBInstanceNotFound`.
    pub fn reboot(&mut self, name: &str, failover: bool, at: Timestamp) -> Result<(), AwsError> {
        let instance = self.instance(name, at)?.clone();
        if instance.status != DbStatus::Available {
            return Ok(());
        }
        self.member_in_sync(&instance, later(at, REBOOTING));
        self.pass_through(instance, DbStatus::Rebooting, REBOOTING, at, |mut i| {
            i.parameters = ApplyStatus::InSync;
            if let Some(standby) = i.secondary_zone.take_if(|_| failover) {
                i.secondary_zone = Some(std::mem::replace(&mut i.zone, standby));
            }
            i.secondary_zone = i.secondary_zone.filter(|_| i.settings.multi_az);
            i
        });
        Ok(())
    }

    /// Stops an instance. AWS starts it again after seven days. Nothing happens to one that is not available.
    ///
    /// # Errors
    /// `DBInstanceNotFound`.
    pub fn stop(&mut self, name: &str, at: Timestamp) -> Result<(), AwsError> {
        let instance = self.instance(name, at)?.clone();
        if instance.status != DbStatus::Available {
            return Ok(());
        }
        let again = later(at, AUTOMATIC_RESTART);
        let stopping = DbInstance { status: DbStatus::Stopping, ..settled(instance) };
        let stopped = DbInstance { status: DbStatus::Stopped, restarts: Some(again), ..stopping.clone() };
        let (starting, available) = started(&stopped);
        self.course(
            stopping,
            at,
            [
                (STOPPING, Some(stopped)),
                (AUTOMATIC_RESTART, Some(starting)),
                (AUTOMATIC_RESTART + STARTING, Some(available)),
            ],
        );
        Ok(())
    }

    /// Starts an instance. Nothing happens to one that is not stopped.
    ///
    /// # Errors
    /// `DBInstanceNotFound`.
    pub fn start(&mut self, name: &str, at: Timestamp) -> Result<(), AwsError> {
        let instance = self.instance(name, at)?;
        if instance.status == DbStatus::Stopped {
            let (starting, available) = started(instance);
            self.course(starting, at, [(STARTING, Some(available))]);
        }
        Ok(())
    }

    /// Deletes an instance, protected or not; its cluster loses a member and, if that was the writer, gets another.
    /// Nothing happens to one that is being deleted already.
    ///
    /// # Errors
    /// `DBInstanceNotFound`.
    pub fn delete(&mut self, name: &str, at: Timestamp) -> Result<(), AwsError> {
        let instance = self.instance(name, at)?.clone();
        if instance.status == DbStatus::Deleting {
            return Ok(());
        }
        self.leave_cluster(&instance, later(at, DELETING));
        let id = instance.resource_id.clone();
        let deleting = DbInstance { status: DbStatus::Deleting, restarts: None, ..settled(instance) };
        self.course(deleting, at, [(DELETING, None)]);
        for history in self.instances.values_mut() {
            if history.at(at).is_some_and(|i| i.replica_of.as_ref() == Some(&id)) {
                history.change(later(at, DELETING), |i| i.replica_of = None);
            }
        }
        Ok(())
    }

    /// Something befalls an instance: it fails, runs out of storage… and stays so.
    ///
    /// # Errors
    /// `DBInstanceNotFound`.
    pub fn befall(&mut self, name: &str, status: DbStatus, at: Timestamp) -> Result<(), AwsError> {
        let instance = settled(self.instance(name, at)?.clone());
        self.course(DbInstance { status, ..instance }, at, []);
        Ok(())
    }

    /// An instance does something for a while and is available afterwards, as `then` makes it.
    pub(super) fn pass_through(
        &mut self,
        instance: DbInstance,
        status: DbStatus,
        time: SignedDuration,
        at: Timestamp,
        then: impl FnOnce(DbInstance) -> DbInstance,
    ) {
        let busy = DbInstance { status, restarts: None, ..settled(instance) };
        let done = then(DbInstance { status: DbStatus::Available, ..busy.clone() });
        self.course(busy, at, [(time, Some(done))]);
    }

    pub(super) fn must_be_free(&self, name: &str, at: Timestamp) -> Result<(), AwsError> {
        if self.instance(name, at).is_ok() {
            return Err(AwsError::bad_request("DBInstanceAlreadyExists", "DB instance already exists"));
        }
        Ok(())
    }

    fn apply_pending(&mut self, instance: DbInstance, at: Timestamp) {
        let status = instance.pending.status();
        let time = match status {
            DbStatus::Renaming => RENAMING,
            DbStatus::Upgrading => UPGRADING,
            _ => MODIFYING,
        };
        let standby = self.zone_beside(&instance, at);
        self.pass_through(instance, status, time, at, |i| i.changed(&standby));
    }

    /// Another zone of the instance's subnet group.
    fn zone_beside(&self, instance: &DbInstance, at: Timestamp) -> String {
        let group = self.subnet_group(&instance.subnet_group, at);
        let zones = group.map(|g| g.subnets.as_slice()).unwrap_or_default();
        let other = zones.iter().map(|(zone, _)| zone).find(|zone| **zone != instance.zone);
        other.cloned().unwrap_or_else(|| instance.zone.clone())
    }

    fn course<const N: usize>(
        &mut self,
        now: DbInstance,
        at: Timestamp,
        then: [(SignedDuration, Option<DbInstance>); N],
    ) {
        if let Some(history) = self.instances.get_mut(&now.resource_id) {
            history.turn(at, Some(now));
            for (after, version) in then {
                history.plan(later(at, after), version);
            }
        }
    }
}

/// What a stopped instance goes through when it is started, or starts by itself.
fn started(stopped: &DbInstance) -> (DbInstance, DbInstance) {
    let starting = DbInstance {
        status: DbStatus::Starting,
        restarts: None,
        parameters: ApplyStatus::InSync,
        ..stopped.clone()
    };
    let available = DbInstance { status: DbStatus::Available, ..starting.clone() };
    (starting, available)
}

/// What was being applied is applied, whatever happens next.
fn settled(instance: DbInstance) -> DbInstance {
    let parameters = match instance.parameters {
        ApplyStatus::Applying => ApplyStatus::InSync,
        other => other,
    };
    DbInstance { parameters, ..instance }
}
