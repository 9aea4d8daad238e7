//! `DescribeVolumes`, paged as instances are; and making, attaching and detaching volumes.

use std::collections::BTreeMap;

use super::{
    change,
    filters::{Filterable, Matcher, Read},
    hides_managed, look, paging, render, tags,
};
use crate::aws::{
    error::AwsError,
    front::Asked,
    ground::{Attachment, State, Volume, VolumeSpec},
    xml::Xml,
};

pub fn describe(asked: &Asked<'_>) -> Result<String, AwsError> {
    let ids = asked.params.list("VolumeId");
    let hides = hides_managed(asked);
    let as_of = asked.strike.as_of(asked.now);
    look(asked, |region| {
        let matcher = Matcher::<Volume>::of(asked.params)?;
        let paging = paging::of(
            asked,
            (!ids.is_empty()).then_some("volumeSet"),
            &format!("{}{hides}", matcher.text()),
        )?;
        ids.iter().try_for_each(|id| region.tags(id, as_of).map(|_| ()))?;
        let asked_for = |v: &&Volume| {
            (ids.is_empty() || ids.contains(&v.id)) && !(hides && v.managed_by.is_some()) && matcher.passes(v)
        };
        let listed = region.volumes_at(as_of).filter(asked_for);
        let page = paging.cut(listed, |v| (&v.id, &v.id), asked.strike);
        let mut xml = Xml::with_capacity(page.items.len() * 1_000);
        xml.nest("volumeSet", |xml| {
            for volume in &page.items {
                xml.raw(render::volume_item(volume));
            }
        });
        xml.maybe("nextToken", page.next);
        Ok(xml.finish())
    })
}

pub fn create(asked: &Asked<'_>) -> Result<String, AwsError> {
    let params = asked.params;
    let zone = params.need("AvailabilityZone")?;
    let default = VolumeSpec::default();
    let size = params.number("Size")?.and_then(|n| u32::try_from(n).ok());
    let spec = VolumeSpec {
        size: size.unwrap_or(default.size),
        kind: params.get("VolumeType").unwrap_or("gp2").to_owned(),
        encrypted: params.flag("Encrypted"),
        tags: tags::specified(params)?,
        ..default
    };
    change(asked, |region, mint| {
        if !region.subnets.contains_key(zone) {
            let message = format!("The zone '{zone}' does not exist.");
            return Err(AwsError::bad_request("InvalidZone.NotFound", message));
        }
        let id = region.create_volume(mint, zone, &spec, asked.now);
        let mut xml = Xml::default();
        if let Some(volume) = region.volumes.get(&id).and_then(|h| h.at(asked.now)) {
            render::volume(&mut xml, volume);
        }
        Ok(xml.finish())
    })
}

pub fn attach(asked: &Asked<'_>) -> Result<String, AwsError> {
    let params = asked.params;
    let (volume, instance) = (params.need("VolumeId")?, params.need("InstanceId")?);
    let device = params.need("Device")?;
    change(asked, |region, _| {
        let host = region.instance(instance, asked.now)?;
        if !matches!(host.state, State::Running | State::Stopped) {
            let message = format!("Instance '{instance}' is not 'running'.");
            return Err(AwsError::bad_request("IncorrectState", message));
        }
        region.attach_volume(volume, instance, device, asked.now)?;
        Ok(attachment(region.volume(volume, asked.now)?))
    })
}

pub fn detach(asked: &Asked<'_>) -> Result<String, AwsError> {
    let volume = asked.params.need("VolumeId")?;
    change(asked, |region, _| {
        region.detach_volume(volume, asked.now)?;
        Ok(attachment(region.volume(volume, asked.now)?))
    })
}

fn attachment(volume: &Volume) -> String {
    let mut xml = Xml::default();
    if let Some(attachment) = &volume.attachment {
        render::attachment(&mut xml, volume, attachment);
    }
    xml.finish()
}

impl Filterable for Volume {
    fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    fn field(name: &str) -> Option<Read<Self>> {
        let read: Read<Self> = match name {
            "attachment.delete-on-termination" => |v| attached(v, |a| a.delete_on_termination.to_string()),
            "attachment.device" => |v| attached(v, |a| a.device.clone()),
            "attachment.instance-id" => |v| attached(v, |a| a.instance.clone()),
            "attachment.status" => |v| attached(v, |a| a.state.name().to_owned()),
            "availability-zone" => |v| vec![v.zone.clone()],
            "create-time" => |v| vec![render::time(v.created)],
            "encrypted" => |v| vec![v.encrypted.to_string()],
            "operator.managed" => |v| vec![v.managed_by.is_some().to_string()],
            "size" => |v| vec![v.size.to_string()],
            "status" => |v| vec![v.state().name().to_owned()],
            "volume-id" => |v| vec![v.id.clone()],
            "volume-type" => |v| vec![v.kind.clone()],
            _ => return None,
        };
        Some(read)
    }
}

fn attached(volume: &Volume, read: fn(&Attachment) -> String) -> Vec<String> {
    volume.attachment.iter().map(read).collect()
}
