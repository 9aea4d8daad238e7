//! One RDS DB instance.

use aws_sdk_rds::types::{
    DbInstance, DbParameterGroupStatus, Endpoint, OptionGroupMembership, VpcSecurityGroupMembership,
};
use rollcall_engine::ids::HostId;
use rollcall_engine::inventory::{ApplyStatus, Database, DatabaseEndpoint, GroupMembership};

use super::{database_tags, moment, text, word};

/// The database, or `None` when it has no id that it could be told by.
pub(crate) fn database(seen: DbInstance) -> Option<Database> {
    let id = HostId::of_database(seen.dbi_resource_id()?)?;
    let groups = seen.db_subnet_group();
    Some(Database {
        id,
        cluster: text(seen.db_cluster_identifier()),
        replica_of: replica_of(&seen),
        replicas: replicas(&seen),
        endpoint: seen.endpoint().and_then(endpoint),
        zone: text(seen.availability_zone()),
        vpc: text(groups.and_then(|group| group.vpc_id())),
        subnet_group: text(groups.and_then(|group| group.db_subnet_group_name())),
        multi_az: seen.multi_az(),
        created: seen.instance_create_time().and_then(moment),
        restarts: seen.automatic_restart_time().and_then(moment),
        // What RDS does not say must not make a database easier to delete.
        deletion_protection: seen.deletion_protection().unwrap_or(true),
        security_groups: security_groups(seen.vpc_security_groups()),
        parameter_groups: seen.db_parameter_groups().iter().filter_map(parameter_group).collect(),
        option_groups: seen.option_group_memberships().iter().filter_map(option_group).collect(),
        status: word(seen.db_instance_status()).into(),
        engine: word(seen.engine()).into(),
        engine_version: word(seen.engine_version()),
        class: word(seen.db_instance_class()),
        tags: database_tags(seen.tag_list),
        name: seen.db_instance_identifier.unwrap_or_default(),
    })
}

fn endpoint(of: &Endpoint) -> Option<DatabaseEndpoint> {
    Some(DatabaseEndpoint { address: text(of.address())?, port: port(of.port())? })
}

/// A TCP port; what is none is not one.
pub(super) fn port(port: Option<i32>) -> Option<u16> {
    u16::try_from(port?).ok().filter(|port| *port > 0)
}

fn replica_of(seen: &DbInstance) -> Option<String> {
    text(seen.read_replica_source_db_instance_identifier())
        .or_else(|| text(seen.read_replica_source_db_cluster_identifier()))
}

fn replicas(seen: &DbInstance) -> Vec<String> {
    let instances = seen.read_replica_db_instance_identifiers().iter();
    instances.chain(seen.read_replica_db_cluster_identifiers()).cloned().collect()
}

pub(super) fn security_groups(groups: &[VpcSecurityGroupMembership]) -> Vec<String> {
    groups.iter().filter_map(|group| text(group.vpc_security_group_id())).collect()
}

fn parameter_group(of: &DbParameterGroupStatus) -> Option<GroupMembership> {
    membership(of.db_parameter_group_name(), of.parameter_apply_status())
}

fn option_group(of: &OptionGroupMembership) -> Option<GroupMembership> {
    membership(of.option_group_name(), of.status())
}

fn membership(name: Option<&str>, status: Option<&str>) -> Option<GroupMembership> {
    Some(GroupMembership { name: text(name)?, status: applied(status) })
}

/// Whether a group is in force; no word is not "in sync".
pub(super) fn applied(status: Option<&str>) -> ApplyStatus {
    word(status).into()
}

#[cfg(test)]
#[path = "database_tests.rs"]
mod tests;
