//! One RDS DB cluster.

use aws_sdk_rds::types::{DbCluster, DbClusterMember};
use rollcall_engine::ids::ClusterId;
use rollcall_engine::inventory::{ClusterMember, DatabaseCluster};

use super::database::{applied, port, security_groups};
use super::{database_tags, text, word};

/// The cluster, or `None` when it has no id.
pub(crate) fn cluster(seen: DbCluster) -> Option<DatabaseCluster> {
    let id = ClusterId::from(text(seen.db_cluster_resource_id())?);
    Some(DatabaseCluster {
        id,
        engine: word(seen.engine()).into(),
        engine_version: word(seen.engine_version()),
        status: word(seen.status()).into(),
        members: seen.db_cluster_members().iter().filter_map(member).collect(),
        endpoint: text(seen.endpoint()),
        reader_endpoint: text(seen.reader_endpoint()),
        port: port(seen.port()),
        parameter_group: text(seen.db_cluster_parameter_group()),
        security_groups: security_groups(seen.vpc_security_groups()),
        // As of an instance: silence protects.
        deletion_protection: seen.deletion_protection().unwrap_or(true),
        tags: database_tags(seen.tag_list),
        name: seen.db_cluster_identifier.unwrap_or_default(),
    })
}

/// A member; one without a name can be nobody's part.
fn member(seen: &DbClusterMember) -> Option<ClusterMember> {
    Some(ClusterMember {
        name: text(seen.db_instance_identifier())?,
        writer: seen.is_cluster_writer(),
        parameters: applied(seen.db_cluster_parameter_group_status()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_engine::inventory::{ApplyStatus, DatabaseStatus, MemberRole, Transition};

    #[test]
    fn a_cluster_knows_its_writer_and_what_is_in_force_on_whom() {
        let member = |name: &str, writer: Option<bool>, status: &str| {
            let member = DbClusterMember::builder().db_instance_identifier(name);
            member.set_is_cluster_writer(writer).db_cluster_parameter_group_status(status).build()
        };
        let seen = DbCluster::builder()
            .db_cluster_resource_id("cluster-ABC")
            .db_cluster_identifier("shop")
            .engine("aurora-mysql")
            .status("failing-over")
            .db_cluster_members(member("shop-1", Some(true), "in-sync"))
            .db_cluster_members(member("shop-2", Some(false), "pending-reboot"))
            .db_cluster_members(member("shop-3", None, ""))
            .db_cluster_members(DbClusterMember::builder().is_cluster_writer(true).build())
            .port(3306)
            .endpoint("shop.cluster-x.rds.amazonaws.com")
            .reader_endpoint("")
            .deletion_protection(false)
            .build();
        let cluster = cluster(seen).unwrap();
        assert_eq!(cluster.status, DatabaseStatus::InTransition(Transition::FailingOver));
        assert_eq!((cluster.port, cluster.reader_endpoint.as_deref()), (Some(3306), None));
        assert!(!cluster.deletion_protection);
        let told: Vec<_> = cluster.members.iter().map(|m| (m.name.as_str(), m.parameters.as_str())).collect();
        assert_eq!(told, [("shop-1", "in-sync"), ("shop-2", "pending-reboot"), ("shop-3", "")]);
        assert_eq!(cluster.members[2].parameters, ApplyStatus::Unknown("".into()));
        let roles = ["shop-1", "shop-2", "shop-3"].map(|name| cluster.role_of(name));
        assert_eq!(roles, [MemberRole::Writer, MemberRole::Reader, MemberRole::Unknown]);
    }

    #[test]
    fn a_cluster_that_says_nothing_is_protected_and_one_without_an_id_is_none() {
        let bare = cluster(DbCluster::builder().db_cluster_resource_id("cluster-1").build()).unwrap();
        assert!(bare.deletion_protection);
        assert_eq!(bare.status, DatabaseStatus::Unknown("".into()));
        assert_eq!(cluster(DbCluster::builder().db_cluster_identifier("shop").build()), None);
        assert_eq!(cluster(DbCluster::builder().db_cluster_resource_id("").build()), None);
    }
}
