//! The actions of RDS that Rollcall and its tests use. Neptune and `DocumentDB` answer through the same API.
//!
//! Reading is complete for what it reads; of writing there is only what the conformance suite needs to have
//! something to read, with AWS's guards before the laws of nature in `ground::db`.

mod clusters;
mod create;
mod filters;
mod groups;
mod instances;
mod modify;
mod page;
mod parameters;
mod power;
mod render;
mod snapshots;

use super::{
    error::AwsError,
    front::Asked,
    ground::{Mint, Region, db::Scope},
    service::Service,
};

const VERSION: &str = "2014-10-31";

/// Answers one RDS action: the inside of its `…Result`.
///
/// # Errors
/// AWS's refusals.
pub fn answer(asked: &Asked<'_>) -> Result<String, AwsError> {
    asked.admit(Service::Rds)?;
    match asked.call.operation.as_str() {
        "DescribeDBInstances" => instances::describe(asked),
        "DescribeDBClusters" => clusters::describe(asked),
        "DescribeDBParameterGroups" => parameters::describe_groups(asked, Scope::Instance),
        "DescribeDBClusterParameterGroups" => parameters::describe_groups(asked, Scope::Cluster),
        "DescribeDBParameters" => parameters::describe(asked, Scope::Instance),
        "DescribeDBClusterParameters" => parameters::describe(asked, Scope::Cluster),
        "DescribeOptionGroups" => groups::describe_options(asked),
        "DescribeDBSubnetGroups" => groups::describe_subnets(asked),
        "DescribeDBSnapshots" => snapshots::describe(asked),
        "CreateDBInstance" => create::instance(asked),
        "CreateDBInstanceReadReplica" => create::replica(asked),
        "CreateDBCluster" => create::cluster(asked),
        "CreateDBParameterGroup" => create::parameter_group(asked, Scope::Instance),
        "CreateDBClusterParameterGroup" => create::parameter_group(asked, Scope::Cluster),
        "CreateOptionGroup" => create::option_group(asked),
        "CreateDBSubnetGroup" => create::subnet_group(asked),
        "CreateDBSnapshot" => create::snapshot(asked),
        "ModifyDBInstance" => modify::instance(asked),
        "ModifyDBParameterGroup" => modify::parameters(asked, Scope::Instance),
        "ModifyDBClusterParameterGroup" => modify::parameters(asked, Scope::Cluster),
        "RebootDBInstance" => power::reboot(asked),
        "StopDBInstance" => power::stop(asked),
        "StartDBInstance" => power::start(asked),
        "DeleteDBInstance" => power::delete(asked),
        "FailoverDBCluster" => power::fail_over(asked),
        other => Err(AwsError::action(other, VERSION)),
    }
}

/// Reads the region that the request is for.
fn look<T>(asked: &Asked<'_>, read: impl FnOnce(&Region) -> Result<T, AwsError>) -> Result<T, AwsError> {
    let ground = asked.aws.ground().read();
    read(ground.look(&asked.call.account, &asked.call.region).ok_or_else(AwsError::invalid_token)?)
}

/// Changes the region that the request is for.
fn change<T>(
    asked: &Asked<'_>,
    write: impl FnOnce(&mut Region, &mut Mint) -> Result<T, AwsError>,
) -> Result<T, AwsError> {
    let mut ground = asked.aws.ground().write();
    let (region, mint) = ground.region(&asked.call.account, &asked.call.region);
    write(region, mint)
}
