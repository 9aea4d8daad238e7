//! A `<DBCluster>`.

use jiff::Timestamp;

use super::{address, arn, security_groups, tags, time};
use crate::aws::{
    ground::{
        Region,
        db::{DbCluster, Member},
    },
    xml::Xml,
};

/// The inside of a cluster as it was at `at`.
pub fn write(xml: &mut Xml, region: &Region, c: &DbCluster, at: Timestamp) {
    xml.text("DBClusterIdentifier", &c.name).text("Engine", &c.engine);
    xml.text("EngineVersion", &c.engine_version).text("EngineMode", "provisioned");
    xml.text("Status", c.status.name()).text("ClusterCreateTime", time(c.created));
    xml.text("Endpoint", address(region, &c.name, "cluster-", &c.engine));
    xml.text("ReaderEndpoint", address(region, &c.name, "cluster-ro-", &c.engine)).number("Port", c.port);
    xml.members("DBClusterMembers", "DBClusterMember", &c.members, |xml, m| member(xml, region, m, at));
    xml.text("DBClusterParameterGroup", &c.parameter_group).text("DBSubnetGroup", &c.subnet_group);
    xml.nest("AvailabilityZones", |xml| {
        for zone in &c.zones {
            xml.text("AvailabilityZone", zone);
        }
    });
    xml.flag("MultiAZ", c.members.len() > 1);
    security_groups(xml, &c.groups);
    xml.flag("StorageEncrypted", c.encrypted).flag("DeletionProtection", c.protected);
    xml.flag("IAMDatabaseAuthenticationEnabled", c.iam).number("BackupRetentionPeriod", c.backup_days);
    xml.text("DbClusterResourceId", &c.resource_id).text("DBClusterArn", arn(region, "cluster", &c.name));
    xml.maybe("AutomaticRestartTime", c.restarts.map(time));
    tags(xml, &c.tags);
}

fn member(xml: &mut Xml, region: &Region, m: &Member, at: Timestamp) {
    let instance = region.dbs.instances.get(&m.instance).and_then(|h| h.at(at));
    let Some(instance) = instance else { return };
    xml.text("DBInstanceIdentifier", &instance.name).flag("IsClusterWriter", m.writer);
    xml.text("DBClusterParameterGroupStatus", m.parameters.name());
    xml.number("PromotionTier", instance.settings.promotion_tier);
}
