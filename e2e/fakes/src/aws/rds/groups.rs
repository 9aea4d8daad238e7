//! Option groups and subnet groups.

use super::{filters::Filters, look, page, render};
use crate::aws::{
    error::AwsError,
    front::Asked,
    ground::db::{OptionGroup, SubnetGroup},
};

pub fn describe_options(asked: &Asked<'_>) -> Result<String, AwsError> {
    let params = asked.params;
    let (name, engine) = (params.get("OptionGroupName"), params.get("EngineName"));
    let version = params.get("MajorEngineVersion");
    let as_of = asked.strike.as_of(asked.now);
    look(asked, |region| {
        Filters::of(params, &[])?;
        let only = name.map(|name| region.dbs.option_group(name, as_of)).transpose()?;
        let asked_for = |g: &&OptionGroup| {
            only.is_none_or(|only| only.name == g.name)
                && engine.is_none_or(|engine| engine == g.engine)
                && version.is_none_or(|version| version == g.major_version)
        };
        let groups = region.dbs.option_groups.values().filter_map(|h| h.at(as_of)).filter(asked_for);
        let names = ("OptionGroupsList", "OptionGroup");
        page::of(
            asked,
            &format!("{engine:?} {version:?}"),
            groups,
            |g| &g.name,
            names,
            |xml, g| {
                render::option_group(xml, region, g);
            },
        )
    })
}

pub fn describe_subnets(asked: &Asked<'_>) -> Result<String, AwsError> {
    let name = asked.params.get("DBSubnetGroupName");
    let as_of = asked.strike.as_of(asked.now);
    look(asked, |region| {
        Filters::of(asked.params, &[])?;
        let only = name.map(|name| region.dbs.subnet_group(name, as_of)).transpose()?;
        let groups = region.dbs.subnet_groups.values().filter_map(|h| h.at(as_of));
        let listed = groups.filter(|g: &&SubnetGroup| only.is_none_or(|only| only.name == g.name));
        let names = ("DBSubnetGroups", "DBSubnetGroup");
        page::of(asked, "", listed, |g| &g.name, names, |xml, g| render::subnet_group(xml, region, g))
    })
}
