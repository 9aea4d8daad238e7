//! `DescribeRegions` and the account's setting for managed resources.

use super::look;
use crate::aws::{error::AwsError, front::Asked, ground::DEFAULT_REGIONS, xml::Xml};

pub fn describe(asked: &Asked<'_>) -> Result<String, AwsError> {
    let wanted = asked.params.list("RegionName");
    let ground = asked.aws.ground().read();
    let account = ground.accounts.get(&asked.call.account).ok_or_else(AwsError::auth_failure)?;
    if let Some(unknown) = wanted.iter().find(|name| !account.regions.contains_key(*name)) {
        return Err(AwsError::value(format!("Invalid region: {unknown}")));
    }
    let names = account.regions.keys().filter(|name| wanted.is_empty() || wanted.contains(name));
    let mut xml = Xml::default();
    xml.list("regionInfo", names, |xml, name| {
        let by_default = DEFAULT_REGIONS.contains(&name.as_str());
        xml.text("regionName", name).text("regionEndpoint", format!("ec2.{name}.amazonaws.com"));
        xml.text("optInStatus", if by_default { "opt-in-not-required" } else { "opted-in" });
    });
    Ok(xml.finish())
}

pub fn managed_resource_visibility(asked: &Asked<'_>) -> Result<String, AwsError> {
    look(asked, |_| Ok(()))?;
    let ground = asked.aws.ground().read();
    let hidden = ground.accounts.get(&asked.call.account).is_some_and(|a| a.managed_hidden);
    let mut xml = Xml::default();
    xml.nest("visibility", |xml| {
        xml.text("defaultVisibility", if hidden { "hidden" } else { "visible" });
    });
    Ok(xml.finish())
}
