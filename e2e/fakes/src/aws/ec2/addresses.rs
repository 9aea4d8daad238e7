//! Elastic addresses. `DescribeAddresses` is never paged: AWS has no token for it.

use std::collections::BTreeMap;

use super::{
    change,
    filters::{Filterable, Matcher, Read},
    look, render, tags,
};
use crate::aws::{
    error::AwsError,
    front::Asked,
    ground::{Address, Association},
    xml::Xml,
};

pub fn describe(asked: &Asked<'_>) -> Result<String, AwsError> {
    let ids = asked.params.list("AllocationId");
    let as_of = asked.strike.as_of(asked.now);
    look(asked, |region| {
        let matcher = Matcher::<Address>::of(asked.params)?;
        ids.iter().try_for_each(|id| region.address(id, as_of).map(|_| ()))?;
        let asked_for = |a: &&Address| (ids.is_empty() || ids.contains(&a.id)) && matcher.passes(a);
        let mut listed: Vec<&Address> =
            region.addresses.values().filter_map(|h| h.at(as_of)).filter(asked_for).collect();
        asked.strike.distort(&mut listed);
        let mut xml = Xml::default();
        xml.list("addressesSet", listed, |xml, address| {
            write(xml, address, &region.name, &region.account);
        });
        Ok(xml.finish())
    })
}

fn write(xml: &mut Xml, a: &Address, region: &str, account: &str) {
    xml.text("publicIp", a.ip.to_string()).text("allocationId", &a.id).text("domain", "vpc");
    if let Some(association) = &a.association {
        xml.text("instanceId", &association.instance).text("associationId", &association.id);
        xml.maybe("networkInterfaceId", association.interface.as_ref());
        xml.text("networkInterfaceOwnerId", account);
        xml.maybe("privateIpAddress", association.private_ip.map(|ip| ip.to_string()));
    }
    render::tag_set(xml, &a.tags);
    xml.text("publicIpv4Pool", "amazon").text("networkBorderGroup", region);
}

pub fn allocate(asked: &Asked<'_>) -> Result<String, AwsError> {
    let tags = tags::specified(asked.params)?;
    change(asked, |region, mint| {
        let id = region.allocate_address(mint, asked.now);
        region.change_tags(&id, asked.now, |own| own.extend(tags.clone()))?;
        let ip = region.address(&id, asked.now)?.ip.to_string();
        let mut xml = Xml::default();
        xml.text("publicIp", ip).text("domain", "vpc").text("allocationId", id);
        xml.text("publicIpv4Pool", "amazon").text("networkBorderGroup", &region.name);
        Ok(xml.finish())
    })
}

pub fn associate(asked: &Asked<'_>) -> Result<String, AwsError> {
    let (allocation, instance) = (asked.params.need("AllocationId")?, asked.params.need("InstanceId")?);
    let association =
        change(asked, |region, mint| region.associate_address(mint, allocation, instance, asked.now))?;
    Ok(done(Some(&association)))
}

pub fn disassociate(asked: &Asked<'_>) -> Result<String, AwsError> {
    let association = asked.params.need("AssociationId")?;
    change(asked, |region, _| {
        let pointing = |a: &&Address| a.association.as_ref().is_some_and(|x| x.id == association);
        let found = region.addresses.values().filter_map(|h| h.at(asked.now)).find(pointing);
        let unknown = || {
            let message = format!("The association ID '{association}' does not exist");
            AwsError::bad_request("InvalidAssociationID.NotFound", message)
        };
        let allocation = found.ok_or_else(unknown)?.id.clone();
        region.disassociate_address(&allocation, asked.now)
    })?;
    Ok(done(None))
}

pub fn release(asked: &Asked<'_>) -> Result<String, AwsError> {
    let allocation = asked.params.need("AllocationId")?;
    change(asked, |region, _| {
        if region.address(allocation, asked.now)?.association.is_some() {
            let message = format!("The address with allocation id [{allocation}] is in use");
            return Err(AwsError::bad_request("InvalidIPAddress.InUse", message));
        }
        region.release_address(allocation, asked.now)
    })?;
    Ok(done(None))
}

fn done(association: Option<&str>) -> String {
    let mut xml = Xml::default();
    xml.flag("return", true).maybe("associationId", association);
    xml.finish()
}

impl Filterable for Address {
    fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    fn field(name: &str) -> Option<Read<Self>> {
        let read: Read<Self> = match name {
            "allocation-id" => |a| vec![a.id.clone()],
            "association-id" => |a| associated(a, |x| Some(x.id.clone())),
            "domain" => |_| vec!["vpc".to_owned()],
            "instance-id" => |a| associated(a, |x| Some(x.instance.clone())),
            "network-interface-id" => |a| associated(a, |x| x.interface.clone()),
            "private-ip-address" => |a| associated(a, |x| x.private_ip.map(|ip| ip.to_string())),
            "public-ip" => |a| vec![a.ip.to_string()],
            _ => return None,
        };
        Some(read)
    }
}

fn associated(address: &Address, read: fn(&Association) -> Option<String>) -> Vec<String> {
    address.association.iter().filter_map(read).collect()
}
