//! `DescribeDBClusters`: Aurora's, Neptune's and `DocumentDB`'s.

use super::{
    filters::{Filters, name_of},
    look, page, render,
};
use crate::aws::{error::AwsError, front::Asked, ground::db::DbCluster};

const FILTERS: [&str; 3] = ["db-cluster-id", "db-cluster-resource-id", "engine"];

pub fn describe(asked: &Asked<'_>) -> Result<String, AwsError> {
    let name = asked.params.get("DBClusterIdentifier").map(name_of);
    let as_of = asked.strike.as_of(asked.now);
    look(asked, |region| {
        let filters = Filters::of(asked.params, &FILTERS)?;
        let only = name.map(|name| region.dbs.cluster(name, as_of)).transpose()?.map(|c| &c.resource_id);
        let asked_for = |c: &&DbCluster| {
            only.is_none_or(|only| *only == c.resource_id) && filters.pass(|field| Some(read(c, field)))
        };
        let listed = region.dbs.clusters_at(as_of).filter(asked_for);
        let names = ("DBClusters", "DBCluster");
        page::of(
            asked,
            &filters.text(),
            listed,
            |c| &c.resource_id,
            names,
            |xml, c| {
                render::cluster(xml, region, c, as_of);
            },
        )
    })
}

fn read<'a>(cluster: &'a DbCluster, field: &str) -> &'a str {
    match field {
        "db-cluster-id" => &cluster.name,
        "db-cluster-resource-id" => &cluster.resource_id,
        _ => &cluster.engine,
    }
}
