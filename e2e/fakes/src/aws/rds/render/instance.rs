//! A `<DBInstance>`, and a `<DBSnapshot>` of one.

use jiff::Timestamp;

use super::{address, arn, groups, security_groups, tags, time};
use crate::aws::{
    ground::{
        Region,
        db::{DbChange, DbInstance, DbStatus, Snapshot},
    },
    xml::Xml,
};

/// The zone that holds the names of all endpoints of a service; one made-up id does for all.
const HOSTED_ZONE: &str = "Z00000000ROLLCALL";

/// The inside of an instance as it was at `at`.
pub fn write(xml: &mut Xml, region: &Region, i: &DbInstance, at: Timestamp) {
    xml.text("DBInstanceIdentifier", &i.name).text("DBInstanceClass", &i.settings.class);
    xml.text("Engine", &i.engine).text("EngineVersion", &i.engine_version);
    xml.text("DBInstanceStatus", i.status.name()).text("MasterUsername", &i.settings.username);
    born(xml, region, i);
    storage(xml, i);
    security_groups(xml, &i.settings.groups);
    memberships(xml, i);
    network(xml, region, i, at);
    pending(xml, &i.pending);
    relatives(xml, region, i, at);
    upkeep(xml, i);
    xml.text("DbiResourceId", &i.resource_id).text("DBInstanceArn", arn(region, "db", &i.name));
    xml.flag("DeletionProtection", i.settings.protected);
    xml.maybe("AutomaticRestartTime", i.restarts.map(time));
    tags(xml, &i.settings.tags);
}

/// What an instance has only once it was made: an endpoint and a birthday (m).
fn born(xml: &mut Xml, region: &Region, i: &DbInstance) {
    if i.status == DbStatus::Creating {
        return;
    }
    xml.nest("Endpoint", |xml| {
        xml.text("Address", address(region, &i.name, "", &i.engine)).number("Port", i.port);
        xml.text("HostedZoneId", HOSTED_ZONE);
    });
    xml.text("InstanceCreateTime", time(i.created));
}

fn storage(xml: &mut Xml, i: &DbInstance) {
    xml.number("AllocatedStorage", i.settings.storage).text("StorageType", &i.settings.storage_type);
    xml.flag("StorageEncrypted", i.settings.encrypted);
}

fn memberships(xml: &mut Xml, i: &DbInstance) {
    xml.nest("DBSecurityGroups", |_| ());
    xml.members("DBParameterGroups", "DBParameterGroup", [&i.parameter_group], |xml, name| {
        xml.text("DBParameterGroupName", name).text("ParameterApplyStatus", i.parameters.name());
    });
    xml.members("OptionGroupMemberships", "OptionGroupMembership", &i.option_group, |xml, name| {
        xml.text("OptionGroupName", name).text("Status", i.options.name());
    });
}

fn network(xml: &mut Xml, region: &Region, i: &DbInstance, at: Timestamp) {
    xml.text("AvailabilityZone", &i.zone).flag("MultiAZ", i.settings.multi_az);
    xml.maybe("SecondaryAvailabilityZone", i.secondary_zone.as_ref());
    if let Ok(group) = region.dbs.subnet_group(&i.subnet_group, at) {
        xml.nest("DBSubnetGroup", |xml| groups::subnet_group(xml, region, group));
    }
    xml.flag("PubliclyAccessible", i.settings.public).number("DbInstancePort", 0);
}

fn pending(xml: &mut Xml, change: &DbChange) {
    xml.nest("PendingModifiedValues", |xml| {
        xml.maybe("DBInstanceIdentifier", change.name.as_ref());
        xml.maybe("DBInstanceClass", change.class.as_ref());
        xml.maybe("AllocatedStorage", change.storage.map(|gib| gib.to_string()));
        xml.maybe("EngineVersion", change.engine_version.as_ref());
        xml.maybe("MultiAZ", change.multi_az.map(|on| on.to_string()));
    });
}

fn relatives(xml: &mut Xml, region: &Region, i: &DbInstance, at: Timestamp) {
    let dbs = &region.dbs;
    let cluster = i.cluster.as_ref().and_then(|id| dbs.cluster_name(id, at));
    xml.maybe("DBClusterIdentifier", cluster);
    if cluster.is_some() {
        xml.number("PromotionTier", i.settings.promotion_tier);
    }
    let source = i.replica_of.as_ref().and_then(|id| dbs.instance_name(id, at));
    xml.maybe("ReadReplicaSourceDBInstanceIdentifier", source);
    let (list, replicas) = ("ReadReplicaDBInstanceIdentifiers", dbs.replicas_of(&i.resource_id, at));
    xml.nest(list, |xml| {
        for name in replicas {
            xml.text("ReadReplicaDBInstanceIdentifier", name);
        }
    });
}

fn upkeep(xml: &mut Xml, i: &DbInstance) {
    let s = &i.settings;
    xml.number("BackupRetentionPeriod", s.backup_days).text("PreferredBackupWindow", &s.backup_window);
    xml.text("PreferredMaintenanceWindow", &s.maintenance_window);
    xml.flag("AutoMinorVersionUpgrade", s.auto_minor_upgrade);
    xml.number("MonitoringInterval", s.monitoring_interval).text("CACertificateIdentifier", &s.ca);
    xml.flag("IAMDatabaseAuthenticationEnabled", s.iam).flag("PerformanceInsightsEnabled", false);
}

/// `automated` or `manual`.
pub fn snapshot_type(snapshot: &Snapshot) -> &'static str {
    if snapshot.automated { "automated" } else { "manual" }
}

/// The inside of a snapshot.
pub fn snapshot(xml: &mut Xml, region: &Region, s: &Snapshot) {
    let of = &s.of;
    xml.text("DBSnapshotIdentifier", &s.name).text("DBInstanceIdentifier", &of.name);
    xml.text("SnapshotType", snapshot_type(s)).text("Status", s.status.name());
    if s.status == DbStatus::Available {
        xml.text("SnapshotCreateTime", time(s.created));
    }
    xml.number("PercentProgress", if s.status == DbStatus::Available { 100 } else { 0 });
    xml.text("Engine", &of.engine).text("EngineVersion", &of.engine_version).number("Port", of.port);
    xml.text("AvailabilityZone", &of.zone).text("VpcId", &region.vpc);
    xml.text("InstanceCreateTime", time(of.created)).text("MasterUsername", &of.settings.username);
    xml.number("AllocatedStorage", of.settings.storage).text("StorageType", &of.settings.storage_type);
    xml.flag("Encrypted", of.settings.encrypted).maybe("OptionGroupName", of.option_group.as_ref());
    xml.text("DbiResourceId", &of.resource_id).text("DBSnapshotArn", arn(region, "snapshot", &s.name));
    xml.nest("TagList", |_| ());
}
