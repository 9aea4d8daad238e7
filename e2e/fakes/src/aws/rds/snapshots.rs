//! `DescribeDBSnapshots`: listed, with their instances or without.

use super::{
    filters::{Filters, name_of},
    look, page, render,
};
use crate::aws::{error::AwsError, front::Asked, ground::db::Snapshot};

const FILTERS: [&str; 5] = ["db-instance-id", "db-snapshot-id", "dbi-resource-id", "engine", "snapshot-type"];

pub fn describe(asked: &Asked<'_>) -> Result<String, AwsError> {
    let params = asked.params;
    let of = params.get("DBInstanceIdentifier").map(name_of);
    let name = params.get("DBSnapshotIdentifier").map(name_of);
    let kind = params.get("SnapshotType");
    let as_of = asked.strike.as_of(asked.now);
    look(asked, |region| {
        let filters = Filters::of(params, &FILTERS)?;
        let asked_for = |s: &&Snapshot| {
            of.is_none_or(|of| of.eq_ignore_ascii_case(&s.of.name))
                && name.is_none_or(|name| name.eq_ignore_ascii_case(&s.name))
                && kind.is_none_or(|kind| kind == render::snapshot_type(s))
                && filters.pass(|field| Some(read(s, field)))
        };
        let listed: Vec<&Snapshot> =
            region.dbs.snapshots.values().filter_map(|h| h.at(as_of)).filter(asked_for).collect();
        if let (Some(name), true) = (name, listed.is_empty()) {
            return Err(AwsError::not_found("DBSnapshotNotFound", format!("DBSnapshot {name} not found.")));
        }
        let what = format!("{of:?} {kind:?} {}", filters.text());
        let names = ("DBSnapshots", "DBSnapshot");
        page::of(
            asked,
            &what,
            listed.into_iter(),
            |s| &s.name,
            names,
            |xml, s| {
                render::snapshot(xml, region, s);
            },
        )
    })
}

fn read<'a>(snapshot: &'a Snapshot, field: &str) -> &'a str {
    match field {
        "db-instance-id" => &snapshot.of.name,
        "db-snapshot-id" => &snapshot.name,
        "dbi-resource-id" => &snapshot.of.resource_id,
        "snapshot-type" => render::snapshot_type(snapshot),
        _ => &snapshot.of.engine,
    }
}
