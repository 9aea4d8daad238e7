//! `RunInstances`: as many as `MaxCount` says (the fake never lacks capacity), in one reservation.

use super::{change, render, tags};
use crate::aws::{
    error::AwsError,
    front::Asked,
    ground::{Instance, Launch, Lifecycle, Region, VolumeSpec},
    request::Params,
    xml::Xml,
};

/// The most instances of one launch.
const MAX_COUNT: i64 = 1_000;

pub fn run(asked: &Asked<'_>) -> Result<String, AwsError> {
    let launch = read(asked)?;
    change(asked, |region, mint| {
        region.forget_old(asked.now);
        let launch = in_its_subnet(region, launch, asked.params)?;
        let before = earlier_launch(region, &launch, asked)?;
        let ids = if before.is_empty() { region.launch(mint, &launch, asked.now)? } else { before };
        let instances = ids.iter().map(|id| region.instance(id, asked.now));
        let instances: Vec<&Instance> = instances.collect::<Result<_, _>>()?;
        let mut xml = Xml::default();
        if let Some(first) = instances.first() {
            render::reservation(&mut xml, first, &instances);
        }
        Ok(xml.finish())
    })
}

/// A subnet is in one zone.
fn in_its_subnet(region: &Region, launch: Launch, params: &Params) -> Result<Launch, AwsError> {
    let Some(subnet) = params.get("SubnetId") else { return Ok(launch) };
    let zone = region.subnets.iter().find(|(_, id)| id.as_str() == subnet).map(|(zone, _)| zone.clone());
    let unknown = || {
        let message = format!("The subnet ID '{subnet}' does not exist");
        AwsError::bad_request("InvalidSubnetID.NotFound", message)
    };
    Ok(Launch { zone: Some(zone.ok_or_else(unknown)?), ..launch })
}

/// The profile's ARN, given as such or by its name. Whether there is such a profile is IAM's to say, which is not here.
fn profile(asked: &Asked<'_>) -> Option<String> {
    let arn = asked.params.get("IamInstanceProfile.Arn").map(str::to_owned);
    let named = |name: &str| format!("arn:aws:iam::{}:instance-profile/{name}", asked.call.account);
    arn.or_else(|| asked.params.get("IamInstanceProfile.Name").map(named))
}

fn read(asked: &Asked<'_>) -> Result<Launch, AwsError> {
    let params = asked.params;
    let image = params.need("ImageId")?;
    if !image.starts_with("ami-") {
        let message = format!("Invalid id: \"{image}\" (expecting \"ami-...\")");
        return Err(AwsError::bad_request("InvalidAMIID.Malformed", message));
    }
    let text = |name: &str, default: &str| params.get(name).unwrap_or(default).to_owned();
    let spot = params.get("InstanceMarketOptions.MarketType") == Some("spot");
    let mut launch = Launch {
        count: count(params)?,
        image: image.to_owned(),
        instance_type: text("InstanceType", "m1.small"),
        zone: params.get("Placement.AvailabilityZone").map(str::to_owned),
        tenancy: text("Placement.Tenancy", "default"),
        lifecycle: if spot { Lifecycle::Spot } else { Lifecycle::Normal },
        profile: profile(asked),
        key_name: params.get("KeyName").map(str::to_owned),
        groups: params.list("SecurityGroupId"),
        public: params.flag("NetworkInterface.1.AssociatePublicIpAddress"),
        termination_protected: params.flag("DisableApiTermination"),
        stop_protected: params.flag("DisableApiStop"),
        shutdown_terminates: params.get("InstanceInitiatedShutdownBehavior") == Some("terminate"),
        user_data: params.get("UserData").map(str::to_owned),
        client_token: text("ClientToken", ""),
        volumes: params.structures("BlockDeviceMapping").iter().map(volume).collect::<Result<_, _>>()?,
        ..Launch::default()
    };
    for spec in params.structures("TagSpecification") {
        let tags = tags::read(&spec)?;
        match spec.need("ResourceType")? {
            "instance" => launch.tags.extend(tags),
            "volume" => launch.volumes = tagged(launch.volumes, &tags),
            _ => {}
        }
    }
    Ok(launch)
}

fn count(params: &Params) -> Result<u32, AwsError> {
    let bound = |name| params.number(name)?.ok_or_else(|| AwsError::missing(name));
    let (min, max) = (bound("MinCount")?, bound("MaxCount")?);
    if min < 1 || max < min || max > MAX_COUNT {
        let message = format!(
            "Value ({max}) for parameter maxCount is invalid. It must be from minCount ({min}) to {MAX_COUNT}"
        );
        return Err(AwsError::value(message));
    }
    u32::try_from(max).map_err(|_| AwsError::value("maxCount"))
}

fn volume(mapping: &Params) -> Result<VolumeSpec, AwsError> {
    let default = VolumeSpec::default();
    let size = mapping.number("Ebs.VolumeSize")?.and_then(|n| u32::try_from(n).ok());
    Ok(VolumeSpec {
        device: mapping.need("DeviceName")?.to_owned(),
        size: size.unwrap_or(default.size),
        kind: mapping.get("Ebs.VolumeType").unwrap_or(&default.kind).to_owned(),
        delete_on_termination: mapping.get("Ebs.DeleteOnTermination") != Some("false"),
        encrypted: mapping.flag("Ebs.Encrypted"),
        tags: default.tags,
    })
}

/// Volume tags go to all volumes; the root volume, made by default, is named so that it takes them too.
fn tagged(volumes: Vec<VolumeSpec>, tags: &tags::Tags) -> Vec<VolumeSpec> {
    let volumes = if volumes.is_empty() { vec![VolumeSpec::default()] } else { volumes };
    volumes.into_iter().map(|v| VolumeSpec { tags: tags.clone(), ..v }).collect()
}

/// The same client token gives the same instances; with other parameters it is refused.
fn earlier_launch(region: &Region, launch: &Launch, asked: &Asked<'_>) -> Result<Vec<String>, AwsError> {
    if launch.client_token.is_empty() {
        return Ok(vec![]);
    }
    let same_token = |i: &&Instance| i.client_token == launch.client_token;
    let before: Vec<&Instance> = region.instances_at(asked.now).filter(same_token).collect();
    let same = |i: &&Instance| i.instance_type == launch.instance_type && i.image == launch.image;
    if !before.iter().all(same) {
        let message = "The client token you have provided is associated with a resource that was created with different parameters";
        return Err(AwsError::bad_request("IdempotentParameterMismatch", message));
    }
    Ok(before.into_iter().map(|i| i.id.clone()).collect())
}
