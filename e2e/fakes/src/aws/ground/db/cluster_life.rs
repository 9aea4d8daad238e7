//! What happens to clusters once they are there, and to their members with them.

use jiff::{SignedDuration, Timestamp};

use super::{
    AUTOMATIC_RESTART, ApplyStatus, DELETING, Databases, DbCluster, DbInstance, DbStatus, STARTING, STOPPING,
};
use crate::{aws::error::AwsError, clock::later};

/// From the beginning of a failover to the new writer: AWS says "typically … within 60 seconds, often within 30".
pub const FAILING_OVER: SignedDuration = SignedDuration::from_secs(30);

impl Databases {
    /// The writer moves: to this member, or to the reader of the lowest promotion tier. The old writer stays the
    /// writer until the transition is over. Nothing happens to a cluster that is not available, has no reader, or
    /// when who shall take over is being deleted.
    ///
    /// # Errors
    /// `DBClusterNotFoundFault`; `DBInstanceNotFound` for a target that is no member.
    pub fn failover(&mut self, name: &str, target: Option<&str>, at: Timestamp) -> Result<(), AwsError> {
        let cluster = self.cluster(name, at)?.clone();
        let new = match target {
            Some(target) => Some(self.member_named(&cluster, target, at)?.to_owned()),
            None => self.heir(&cluster, at),
        };
        let possible = |id: &String| cluster.status == DbStatus::Available && self.stays(id, at);
        let Some(new) = new.filter(possible) else { return Ok(()) };
        let moving = DbCluster { status: DbStatus::FailingOver, ..cluster };
        let mut moved = DbCluster { status: DbStatus::Available, ..moving.clone() };
        moved.promote(&new);
        self.course_of_cluster(moving, at, [(FAILING_OVER, Some(moved))]);
        Ok(())
    }

    /// Stops a cluster and its members. AWS starts it again after seven days. Nothing happens to one that is not
    /// available.
    ///
    /// # Errors
    /// `DBClusterNotFoundFault`.
    pub fn stop_cluster(&mut self, name: &str, at: Timestamp) -> Result<(), AwsError> {
        let cluster = self.cluster(name, at)?.clone();
        if cluster.status != DbStatus::Available {
            return Ok(());
        }
        self.each_member(&cluster, at, Self::stop)?;
        let again = later(at, AUTOMATIC_RESTART);
        let stopping = DbCluster { status: DbStatus::Stopping, ..cluster };
        let stopped = DbCluster { status: DbStatus::Stopped, restarts: Some(again), ..stopping.clone() };
        let (starting, available) = started(&stopped);
        self.course_of_cluster(
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

    /// Starts a cluster and its members. Nothing happens to one that is not stopped.
    ///
    /// # Errors
    /// `DBClusterNotFoundFault`.
    pub fn start_cluster(&mut self, name: &str, at: Timestamp) -> Result<(), AwsError> {
        let cluster = self.cluster(name, at)?.clone();
        if cluster.status == DbStatus::Stopped {
            self.each_member(&cluster, at, Self::start)?;
            let (starting, available) = started(&cluster);
            self.course_of_cluster(starting, at, [(STARTING, Some(available))]);
        }
        Ok(())
    }

    /// Deletes a cluster and all its members, protected or not.
    ///
    /// # Errors
    /// `DBClusterNotFoundFault`.
    pub fn delete_cluster(&mut self, name: &str, at: Timestamp) -> Result<(), AwsError> {
        let cluster = self.cluster(name, at)?.clone();
        self.each_member(&cluster, at, Self::delete)?;
        let deleting = DbCluster { status: DbStatus::Deleting, restarts: None, ..cluster };
        self.course_of_cluster(deleting, at, [(DELETING, None)]);
        Ok(())
    }

    /// A deleted member leaves; if it was the writer, the reader of the lowest promotion tier takes over.
    pub(super) fn leave_cluster(&mut self, instance: &DbInstance, at: Timestamp) {
        let cluster = instance.cluster.as_ref().and_then(|id| self.clusters.get(id)).and_then(|h| h.at(at));
        let Some(cluster) = cluster.cloned() else { return };
        let heir = self.heir(&cluster, at).filter(|_| cluster.writer() == Some(&instance.resource_id));
        if let Some(history) = self.clusters.get_mut(&cluster.resource_id) {
            history.change(at, |c| {
                c.members.retain(|m| m.instance != instance.resource_id);
                if let Some(heir) = &heir {
                    c.promote(heir);
                }
            });
        }
    }

    /// From this time on the cluster's parameters are in force on this member.
    pub(super) fn member_in_sync(&mut self, instance: &DbInstance, at: Timestamp) {
        if let Some(history) = instance.cluster.as_ref().and_then(|id| self.clusters.get_mut(id)) {
            history.change(at, |cluster| {
                for member in cluster.members.iter_mut().filter(|m| m.instance == instance.resource_id) {
                    member.parameters = ApplyStatus::InSync;
                }
            });
        }
    }

    fn member_named<'a>(
        &self,
        cluster: &'a DbCluster,
        name: &str,
        at: Timestamp,
    ) -> Result<&'a str, AwsError> {
        let id = &self.instance(name, at)?.resource_id;
        let member = cluster.members.iter().find(|m| m.instance == *id);
        let stranger = || {
            let message = format!("DBInstance {name} is not a member of {}.", cluster.name);
            AwsError::not_found("DBInstanceNotFound", message)
        };
        member.map(|m| m.instance.as_str()).ok_or_else(stranger)
    }

    /// Whether this instance is there and not on its way out.
    fn stays(&self, instance: &str, at: Timestamp) -> bool {
        let instance = self.instances.get(instance).and_then(|history| history.at(at));
        instance.is_some_and(|i| i.status != DbStatus::Deleting)
    }

    /// The reader that would become the writer; one on its way out only if there is no other.
    fn heir(&self, cluster: &DbCluster, at: Timestamp) -> Option<String> {
        let readers = cluster.members.iter().filter(|m| !m.writer);
        let readers = readers.filter_map(|m| self.instances.get(&m.instance)?.at(at));
        readers
            .min_by_key(|i| (i.status == DbStatus::Deleting, i.settings.promotion_tier))
            .map(|i| i.resource_id.clone())
    }

    fn each_member(
        &mut self,
        cluster: &DbCluster,
        at: Timestamp,
        act: impl Fn(&mut Self, &str, Timestamp) -> Result<(), AwsError>,
    ) -> Result<(), AwsError> {
        for member in &cluster.members {
            if let Some(name) = self.instance_name(&member.instance, at).map(str::to_owned) {
                act(self, &name, at)?;
            }
        }
        Ok(())
    }

    /// A new course drops what was planned, but not that members on their way out leave.
    fn course_of_cluster<const N: usize>(
        &mut self,
        now: DbCluster,
        at: Timestamp,
        then: [(SignedDuration, Option<DbCluster>); N],
    ) {
        let leaving = now.members.iter().filter_map(|m| self.instances.get(&m.instance));
        let leaving: Vec<(DbInstance, Timestamp)> =
            leaving.filter_map(|h| Some((h.at(at)?.clone(), h.end()?))).collect();
        if let Some(history) = self.clusters.get_mut(&now.resource_id) {
            history.turn(at, Some(now));
            for (after, version) in then {
                history.plan(later(at, after), version);
            }
        }
        for (member, end) in leaving {
            self.leave_cluster(&member, end);
        }
    }
}

fn started(stopped: &DbCluster) -> (DbCluster, DbCluster) {
    let mut starting = DbCluster { status: DbStatus::Starting, restarts: None, ..stopped.clone() };
    for member in &mut starting.members {
        member.parameters = ApplyStatus::InSync;
    }
    let available = DbCluster { status: DbStatus::Available, ..starting.clone() };
    (starting, available)
}
