//! Restarting, stopping, starting and deleting instances, and moving the writer of a cluster: with AWS's guards.

use super::{change, render};
use crate::aws::{
    error::AwsError,
    front::Asked,
    ground::{
        Region,
        db::{DbInstance, DbStatus},
    },
    xml::Xml,
};

pub fn reboot(asked: &Asked<'_>) -> Result<String, AwsError> {
    let failover = asked.params.flag("ForceFailover");
    act(asked, |region, i| {
        must_be(i, DbStatus::Available)?;
        if failover && !i.settings.multi_az {
            let message = "Cannot reboot a non-Multi-AZ instance with failover";
            return Err(AwsError::combination(message));
        }
        region.dbs.reboot(&i.name, failover, asked.now)
    })
}

/// Refused where "Stopping an Amazon RDS DB instance temporarily" says so: a member of a cluster, a read replica or
/// its source.
pub fn stop(asked: &Asked<'_>) -> Result<String, AwsError> {
    act(asked, |region, i| {
        if i.cluster.is_some() {
            let message = format!("DB Instance {} is a cluster member; stop its cluster instead", i.name);
            return Err(AwsError::bad_request("InvalidDBClusterStateFault", message));
        }
        must_be(i, DbStatus::Available)?;
        let replicates = i.replica_of.is_some();
        if replicates || region.dbs.replicas_of(&i.resource_id, asked.now).next().is_some() {
            let message = format!("Cannot stop {} because it is, or has, a read replica", i.name);
            return Err(AwsError::bad_request("InvalidDBInstanceState", message));
        }
        region.dbs.stop(&i.name, asked.now)
    })
}

pub fn start(asked: &Asked<'_>) -> Result<String, AwsError> {
    act(asked, |region, i| {
        must_be(i, DbStatus::Stopped)?;
        region.dbs.start(&i.name, asked.now)
    })
}

/// Needs the name of a last snapshot, or the word that none is wanted; a protected instance is not deleted.
pub fn delete(asked: &Asked<'_>) -> Result<String, AwsError> {
    let last = asked.params.get("FinalDBSnapshotIdentifier");
    let skip = asked.params.flag("SkipFinalSnapshot");
    act(asked, |region, i| {
        if i.settings.protected {
            let message =
                "Cannot delete protected DB Instance, please disable deletion protection and try again.";
            return Err(AwsError::combination(message));
        }
        if i.status == DbStatus::Deleting {
            let message = format!("Instance {} is already being deleted.", i.name);
            return Err(AwsError::bad_request("InvalidDBInstanceState", message));
        }
        match (last, skip || i.cluster.is_some()) {
            (None, false) => {
                let message = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.";
                return Err(AwsError::combination(message));
            }
            (Some(_), true) => {
                let message = "FinalDBSnapshotIdentifier can not be specified when deleting without one.";
                return Err(AwsError::combination(message));
            }
            (Some(last), false) => region.dbs.snapshot(&i.name, last, false, asked.now)?,
            (None, true) => {}
        }
        region.dbs.delete(&i.name, asked.now)
    })
}

pub fn fail_over(asked: &Asked<'_>) -> Result<String, AwsError> {
    let (params, now) = (asked.params, asked.now);
    let name = params.need("DBClusterIdentifier")?;
    let target = params.get("TargetDBInstanceIdentifier");
    change(asked, |region, _| {
        let cluster = region.dbs.cluster(name, now)?;
        if cluster.status != DbStatus::Available || cluster.members.len() < 2 {
            let message = format!("DB cluster {name} is not available, or has nobody to fail over to.");
            return Err(AwsError::bad_request("InvalidDBClusterStateFault", message));
        }
        region.dbs.failover(name, target, now)?;
        let mut xml = Xml::default();
        let cluster = region.dbs.cluster(name, now)?;
        xml.nest("DBCluster", |xml| render::cluster(xml, region, cluster, now));
        Ok(xml.finish())
    })
}

/// Does something to the instance that the request names, and answers what it is then.
fn act(
    asked: &Asked<'_>,
    act: impl FnOnce(&mut Region, &DbInstance) -> Result<(), AwsError>,
) -> Result<String, AwsError> {
    let name = asked.params.need("DBInstanceIdentifier")?;
    change(asked, |region, _| {
        let before = region.dbs.instance(name, asked.now)?.clone();
        act(region, &before)?;
        let after = region.dbs.instance(name, asked.now)?;
        let mut xml = Xml::default();
        xml.nest("DBInstance", |xml| render::instance(xml, region, after, asked.now));
        Ok(xml.finish())
    })
}

fn must_be(instance: &DbInstance, status: DbStatus) -> Result<(), AwsError> {
    if instance.status == status {
        return Ok(());
    }
    let message = format!("Instance {} is not in {} state.", instance.name, status.name());
    Err(AwsError::bad_request("InvalidDBInstanceState", message))
}
