//! The actions of EC2 that Rollcall and its tests use, with AWS's guards before the laws of nature in `ground`.

mod addresses;
mod attributes;
mod filters;
mod instances;
mod network;
mod paging;
mod power;
mod regions;
mod render;
mod run;
mod security_groups;
mod tags;
mod volumes;

use super::{
    error::AwsError,
    front::Asked,
    ground::{Mint, Region, Way},
    rates::Listing,
};

const VERSION: &str = "2016-11-15";

/// Answers one EC2 action: what stands in its answer after the request id.
///
/// # Errors
/// AWS's refusals.
pub fn answer(asked: &Asked<'_>) -> Result<String, AwsError> {
    admit(asked)?;
    match asked.call.operation.as_str() {
        "DescribeInstances" => instances::describe(asked),
        "DescribeInstanceAttribute" => attributes::describe(asked),
        "ModifyInstanceAttribute" => attributes::modify(asked),
        "RunInstances" => run::run(asked),
        "StartInstances" => power::start(asked),
        "StopInstances" => power::stop(asked),
        "TerminateInstances" => power::terminate(asked),
        "CreateTags" => tags::create(asked),
        "DeleteTags" => tags::delete(asked),
        "DescribeVolumes" => volumes::describe(asked),
        "CreateVolume" => volumes::create(asked),
        "AttachVolume" => volumes::attach(asked),
        "DetachVolume" => volumes::detach(asked),
        "DescribeAddresses" => addresses::describe(asked),
        "AllocateAddress" => addresses::allocate(asked),
        "AssociateAddress" => addresses::associate(asked),
        "DisassociateAddress" => addresses::disassociate(asked),
        "ReleaseAddress" => addresses::release(asked),
        "DescribeSecurityGroups" => security_groups::describe(asked),
        "CreateSecurityGroup" => security_groups::create(asked),
        "AuthorizeSecurityGroupIngress" => security_groups::authorize(asked, Way::In),
        "AuthorizeSecurityGroupEgress" => security_groups::authorize(asked, Way::Out),
        "RevokeSecurityGroupIngress" => security_groups::revoke(asked, Way::In),
        "RevokeSecurityGroupEgress" => security_groups::revoke(asked, Way::Out),
        "DescribeSubnets" => network::describe_subnets(asked),
        "DescribeVpcs" => network::describe_vpcs(asked),
        "DescribeRegions" => regions::describe(asked),
        "GetManagedResourceVisibility" => regions::managed_resource_visibility(asked),
        other => Err(AwsError::action(other, VERSION)),
    }
}

/// What AWS asks before anything else: is the region on, are there tokens left, is it allowed, was it only a try.
fn admit(asked: &Asked<'_>) -> Result<(), AwsError> {
    let call = asked.call;
    if asked.aws.ground().read().look(&call.account, &call.region).is_none() {
        return Err(AwsError::auth_failure());
    }
    let params = asked.params;
    let bounded = [
        "MaxResults",
        "NextToken",
        "InstanceId.1",
        "VolumeId.1",
        "GroupId.1",
        "GroupName.1",
        "Filter.1.Name",
    ];
    let bounded = bounded.iter().any(|name| params.get(name).is_some());
    let listing = if bounded { Listing::Bounded } else { Listing::Unbounded };
    if !asked.aws.rates().allow(call, listing, instances_touched(asked)?) {
        return Err(AwsError::throttled());
    }
    let action = format!("ec2:{}", call.operation);
    if asked.caller.is_denied(&action) {
        return Err(AwsError::unauthorized(&asked.caller.arn, &action));
    }
    if params.flag("DryRun") {
        return Err(AwsError::dry_run());
    }
    Ok(())
}

fn instances_touched(asked: &Asked<'_>) -> Result<usize, AwsError> {
    if asked.call.operation == "RunInstances" {
        return Ok(usize::try_from(asked.params.number("MaxCount")?.unwrap_or(1)).unwrap_or(0));
    }
    Ok(asked.params.list("InstanceId").len())
}

/// Reads the region that the request is for.
fn look<T>(asked: &Asked<'_>, read: impl FnOnce(&Region) -> Result<T, AwsError>) -> Result<T, AwsError> {
    let ground = asked.aws.ground().read();
    read(ground.look(&asked.call.account, &asked.call.region).ok_or_else(AwsError::auth_failure)?)
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

/// Whether listings leave out what AWS services manage: the account's setting, unless the request asks for all.
fn hides_managed(asked: &Asked<'_>) -> bool {
    let ground = asked.aws.ground().read();
    let hidden = ground.accounts.get(&asked.call.account).is_some_and(|a| a.managed_hidden);
    hidden && !asked.params.flag("IncludeManagedResources")
}
