//! Databases and what belongs to them, as RDS writes them. What is named by an id that never changes is looked up
//! at the moment that the answer tells of, so that a rename shows everywhere at once.

mod cluster;
mod groups;
mod instance;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use self::{
    cluster::write as cluster,
    groups::{group_names, option_group, parameter_group, subnet_group},
    instance::{snapshot, snapshot_type, write as instance},
};
use crate::aws::{
    ground::{Region, db::service},
    xml::Xml,
};

/// `2026-03-02T12:00:00.000Z`.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// `arn:aws:rds:ap-northeast-1:123456789012:db:orders`; Neptune and `DocumentDB` say `rds` too.
fn arn(region: &Region, kind: &str, name: &str) -> String {
    format!("arn:aws:rds:{}:{}:{kind}:{name}", region.name, region.account)
}

/// `orders.c0123456789a.ap-northeast-1.rds.amazonaws.com`; `part` is empty for an instance, `cluster-` or
/// `cluster-ro-` for the two ends of a cluster.
fn address(region: &Region, name: &str, part: &str, engine: &str) -> String {
    let (domain, service) = (&region.dbs.domain, service(engine));
    format!("{name}.{part}{domain}.{}.{service}.amazonaws.com", region.name)
}

fn tags(xml: &mut Xml, tags: &BTreeMap<String, String>) {
    xml.members("TagList", "Tag", tags, |xml, (key, value)| {
        xml.text("Key", key).text("Value", value);
    });
}

fn security_groups(xml: &mut Xml, groups: &[String]) {
    xml.members("VpcSecurityGroups", "VpcSecurityGroupMembership", groups, |xml, group| {
        xml.text("VpcSecurityGroupId", group).text("Status", "active");
    });
}
