//! `DescribeDBInstances`: instances of all engines, Neptune's and `DocumentDB`'s among them.

use super::{
    filters::{Filters, name_of},
    look, page, render,
};
use crate::aws::{error::AwsError, front::Asked, ground::db::DbInstance};

const FILTERS: [&str; 4] = ["db-cluster-id", "db-instance-id", "dbi-resource-id", "engine"];

pub fn describe(asked: &Asked<'_>) -> Result<String, AwsError> {
    let name = asked.params.get("DBInstanceIdentifier").map(name_of);
    let as_of = asked.strike.as_of(asked.now);
    look(asked, |region| {
        let filters = Filters::of(asked.params, &FILTERS)?;
        let dbs = &region.dbs;
        let only = name.map(|name| dbs.instance(name, as_of)).transpose()?.map(|i| &i.resource_id);
        let asked_for = |i: &&DbInstance| {
            only.is_none_or(|only| *only == i.resource_id)
                && filters.pass(|field| match field {
                    "db-cluster-id" => i.cluster.as_ref().and_then(|c| dbs.cluster_name(c, as_of)),
                    "db-instance-id" => Some(&i.name),
                    "dbi-resource-id" => Some(&i.resource_id),
                    _ => Some(&i.engine),
                })
        };
        let listed = dbs.instances_at(as_of).filter(asked_for);
        let names = ("DBInstances", "DBInstance");
        page::of(
            asked,
            &filters.text(),
            listed,
            |i| &i.resource_id,
            names,
            |xml, i| {
                render::instance(xml, region, i, as_of);
            },
        )
    })
}
