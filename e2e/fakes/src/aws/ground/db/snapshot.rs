//! Snapshots of instances: made, listed, never restored here.

use jiff::{SignedDuration, Timestamp};

use super::{Databases, DbInstance, DbStatus};
use crate::{
    aws::{error::AwsError, history::History},
    clock::later,
};

/// From asking for a snapshot to having it; usual for a small instance.
pub const SNAPSHOTTING: SignedDuration = SignedDuration::from_mins(2);

/// A snapshot at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// `DBSnapshotIdentifier`.
    pub name: String,
    /// Whether AWS made it by itself.
    pub automated: bool,
    /// When it was asked for.
    pub created: Timestamp,
    /// Creating or available.
    pub status: DbStatus,
    /// The instance as it was then.
    pub of: DbInstance,
}

impl Databases {
    /// Takes a snapshot; the instance is backing up meanwhile.
    ///
    /// # Errors
    /// `DBInstanceNotFound`; `DBSnapshotAlreadyExists`.
    pub fn snapshot(
        &mut self,
        instance: &str,
        name: &str,
        automated: bool,
        at: Timestamp,
    ) -> Result<(), AwsError> {
        if self.snapshots.get(name).is_some_and(|h| h.at(at).is_some()) {
            let message =
                format!("Cannot create the snapshot because one with the identifier {name} exists.");
            return Err(AwsError::bad_request("DBSnapshotAlreadyExists", message));
        }
        let of = self.instance(instance, at)?.clone();
        let creating =
            Snapshot { name: name.to_owned(), automated, created: at, status: DbStatus::Creating, of };
        let available = Snapshot { status: DbStatus::Available, ..creating.clone() };
        let busy = creating.of.clone();
        let mut history = History::born(at, creating);
        history.plan(later(at, SNAPSHOTTING), Some(available));
        self.snapshots.insert(name.to_owned(), history);
        if busy.status == DbStatus::Available {
            self.pass_through(busy, DbStatus::BackingUp, SNAPSHOTTING, at, |i| i);
        }
        Ok(())
    }
}
