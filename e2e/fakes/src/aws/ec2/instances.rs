//! `DescribeInstances`: the listing that everything stands on.
//!
//! A page counts instances, not reservations, and a reservation may begin on one page and go on in the next.

use std::collections::BTreeMap;

use super::{
    filters::{Filterable, Matcher, Read},
    hides_managed, look, paging, render,
};
use crate::aws::{error::AwsError, front::Asked, ground::Instance, xml::Xml};

/// One instance in XML, roughly, in bytes.
const ITEM: usize = 3_000;
/// The most ids in one call.
pub const MAX_IDS: usize = 1_000;

pub fn describe(asked: &Asked<'_>) -> Result<String, AwsError> {
    let ids = asked.params.list("InstanceId");
    check_ids(&ids)?;
    let hides = hides_managed(asked);
    let as_of = asked.strike.as_of(asked.now);
    look(asked, |region| {
        let matcher = Matcher::<Instance>::of(asked.params)?;
        let paging = paging::of(
            asked,
            (!ids.is_empty()).then_some("instancesSet"),
            &format!("{}{hides}", matcher.text()),
        )?;
        let unknown: Vec<&str> =
            ids.iter().map(String::as_str).filter(|id| region.instance(id, as_of).is_err()).collect();
        if !unknown.is_empty() {
            return Err(Instance::unknown(&unknown));
        }
        let asked_for = |i: &&Instance| {
            (ids.is_empty() || ids.contains(&i.id)) && !(hides && i.is_managed()) && matcher.passes(i)
        };
        let listed = region.instances_at(as_of).filter(asked_for);
        let page = paging.cut(listed, |i| (&i.reservation, &i.id), asked.strike);
        let mut xml = Xml::with_capacity(page.items.len() * ITEM);
        reservations(&mut xml, &page.items);
        xml.maybe("nextToken", page.next);
        Ok(xml.finish())
    })
}

/// Neighbours of one reservation share its frame.
fn reservations(xml: &mut Xml, items: &[&Instance]) {
    let groups = items.chunk_by(|a, b| a.reservation == b.reservation);
    xml.list("reservationSet", groups, |xml, group| {
        if let Some(first) = group.first() {
            render::reservation(xml, first, group);
        }
    });
}

/// Ids must look like ids before they may be unknown.
pub fn check_ids(ids: &[String]) -> Result<(), AwsError> {
    if ids.len() > MAX_IDS {
        let message = format!("Only {MAX_IDS} instance IDs may be given at once, not {}", ids.len());
        return Err(AwsError::bad_request("InvalidParameterValue", message));
    }
    let digits = |id: &str| {
        id.strip_prefix("i-")
            .is_some_and(|d| [8, 17].contains(&d.len()) && d.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    match ids.iter().find(|id| !digits(id)) {
        Some(id) => {
            let message = format!("Invalid id: \"{id}\" (expecting \"i-...\")");
            Err(AwsError::bad_request("InvalidInstanceID.Malformed", message))
        }
        None => Ok(()),
    }
}

impl Filterable for Instance {
    fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    fn field(name: &str) -> Option<Read<Self>> {
        let read: Read<Self> = match name {
            "architecture" => |i| vec![i.architecture.clone()],
            "availability-zone" => |i| vec![i.zone.clone()],
            "block-device-mapping.device-name" => |i| i.devices.iter().map(|d| d.name.clone()).collect(),
            "block-device-mapping.volume-id" => |i| i.devices.iter().map(|d| d.volume.clone()).collect(),
            "client-token" => |i| vec![i.client_token.clone()],
            "dns-name" => |i| some(i.public_dns()),
            "iam-instance-profile.arn" => |i| some(i.profile.clone()),
            "image-id" => |i| vec![i.image.clone()],
            "instance-id" => |i| vec![i.id.clone()],
            "instance-lifecycle" => |i| some(i.lifecycle.name().map(str::to_owned)),
            "instance-state-code" => |i| vec![i.state.code().to_string()],
            "instance-state-name" => |i| vec![i.state.name().to_owned()],
            "instance-type" => |i| vec![i.instance_type.clone()],
            "instance.group-id" => |i| i.groups.iter().map(|g| g.id.clone()).collect(),
            "instance.group-name" => |i| i.groups.iter().map(|g| g.name.clone()).collect(),
            "ip-address" => |i| some(i.public_ip.map(|ip| ip.to_string())),
            "key-name" => |i| some(i.key_name.clone()),
            "launch-time" => |i| vec![render::time(i.launched)],
            "operator.managed" => |i| vec![i.is_managed().to_string()],
            "operator.principal" => |i| some(i.managed_by.clone()),
            "owner-id" => |i| vec![i.owner.clone()],
            "private-dns-name" => |i| some(i.private_dns()),
            "private-ip-address" => |i| some(i.private_ip.map(|ip| ip.to_string())),
            "reservation-id" => |i| vec![i.reservation.clone()],
            "root-device-type" => |i| vec![render::root_device_type(i.root).to_owned()],
            "state-reason-code" => |i| some(i.state_reason.map(|(code, _)| code.to_owned())),
            "subnet-id" => |i| some(i.subnet.clone()),
            "tenancy" => |i| vec![i.tenancy.clone()],
            "vpc-id" => |i| some(i.vpc.clone()),
            _ => return None,
        };
        Some(read)
    }
}

fn some(value: Option<String>) -> Vec<String> {
    value.into_iter().collect()
}
