//! Groups of parameters, options and subnets.

use super::arn;
use crate::aws::{
    ground::{
        Region,
        db::{OptionGroup, ParameterGroup, Scope, SubnetGroup},
    },
    xml::Xml,
};

/// What the list of parameter groups and one of them are called.
pub fn group_names(scope: Scope) -> (&'static str, &'static str) {
    match scope {
        Scope::Instance => ("DBParameterGroups", "DBParameterGroup"),
        Scope::Cluster => ("DBClusterParameterGroups", "DBClusterParameterGroup"),
    }
}

/// The inside of a parameter group.
pub fn parameter_group(xml: &mut Xml, region: &Region, scope: Scope, g: &ParameterGroup) {
    let (_, member) = group_names(scope);
    let kind = if scope == Scope::Instance { "pg" } else { "cluster-pg" };
    xml.text(&format!("{member}Name"), &g.name).text("DBParameterGroupFamily", &g.family);
    xml.text("Description", &g.description).text(&format!("{member}Arn"), arn(region, kind, &g.name));
}

/// The inside of an option group.
pub fn option_group(xml: &mut Xml, region: &Region, g: &OptionGroup) {
    xml.text("OptionGroupName", &g.name).text("OptionGroupDescription", &g.description);
    xml.text("EngineName", &g.engine).text("MajorEngineVersion", &g.major_version);
    xml.members("Options", "Option", &g.options, |xml, option| {
        xml.text("OptionName", option);
    });
    xml.flag("AllowsVpcAndNonVpcInstanceMemberships", g.options.is_empty());
    xml.text("OptionGroupArn", arn(region, "og", &g.name));
}

/// The inside of a subnet group.
pub fn subnet_group(xml: &mut Xml, region: &Region, g: &SubnetGroup) {
    xml.text("DBSubnetGroupName", &g.name).text("DBSubnetGroupDescription", &g.description);
    xml.text("VpcId", &g.vpc).text("SubnetGroupStatus", "Complete");
    xml.members("Subnets", "Subnet", &g.subnets, |xml, (zone, id)| {
        xml.text("SubnetIdentifier", id).text("SubnetStatus", "Active");
        xml.nest("SubnetAvailabilityZone", |xml| {
            xml.text("Name", zone);
        });
    });
    xml.text("DBSubnetGroupArn", arn(region, "subgrp", &g.name));
}
