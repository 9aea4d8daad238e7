//! Volumes and Elastic addresses.

use aws_sdk_ec2::types::{
    Address as Ec2Address, Volume as Ec2Volume, VolumeAttachment, VolumeAttachmentState as Ec2Attachment,
    VolumeState as Ec2State,
};
use rollcall_engine::ids::HostId;
use rollcall_engine::inventory::{Address, Attachment, AttachmentState, Volume, VolumeState};

use super::{tags, text};

/// The volume, or `None` when it has no id.
pub(crate) fn volume(seen: Ec2Volume) -> Option<Volume> {
    let id = text(seen.volume_id())?;
    Some(Volume {
        id,
        state: seen.state().map_or(VolumeState::Unknown, state),
        attachments: seen.attachments().iter().filter_map(attachment).collect(),
        size_gib: seen.size().unwrap_or(0),
        tags: tags(seen.tags),
    })
}

/// The attachment, or `None` when it is to no instance: some services attach volumes to what is theirs.
fn attachment(told: &VolumeAttachment) -> Option<Attachment> {
    let host = text(told.instance_id())?.into();
    let state = match told.state() {
        Some(Ec2Attachment::Attaching) => AttachmentState::Attaching,
        Some(Ec2Attachment::Attached) => AttachmentState::Attached,
        Some(Ec2Attachment::Detaching) => AttachmentState::Detaching,
        Some(Ec2Attachment::Detached) => AttachmentState::Detached,
        Some(Ec2Attachment::Busy) => AttachmentState::Busy,
        _ => AttachmentState::Unknown,
    };
    Some(Attachment { host, state })
}

fn state(told: &Ec2State) -> VolumeState {
    match told {
        Ec2State::Creating => VolumeState::Creating,
        Ec2State::Available => VolumeState::Available,
        Ec2State::InUse => VolumeState::InUse,
        Ec2State::Deleting => VolumeState::Deleting,
        Ec2State::Deleted => VolumeState::Deleted,
        Ec2State::Error => VolumeState::Error,
        _ => VolumeState::Unknown,
    }
}

/// The address, or `None` when it has no address. One from EC2-Classic days has no allocation id; its address is one.
pub(crate) fn address(seen: Ec2Address) -> Option<Address> {
    let ip = seen.public_ip.or(seen.carrier_ip).or(seen.customer_owned_ip)?.parse().ok()?;
    let id = seen.allocation_id.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("{ip}"));
    let attached_to = seen.instance_id.filter(|id| !id.is_empty()).map(HostId::from);
    let network_interface = seen.network_interface_id.filter(|id| !id.is_empty());
    Some(Address { id, ip, attached_to, network_interface, tags: tags(seen.tags) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::Tag;

    #[test]
    fn a_volume_knows_where_it_is_attached_and_whether_that_stands() {
        let attached =
            |id: &str, state: &str| VolumeAttachment::builder().instance_id(id).state(state.into()).build();
        let by_service = VolumeAttachment::builder().state("attached".into()).build();
        let seen = Ec2Volume::builder()
            .volume_id("vol-1")
            .size(8)
            .state("in-use".into())
            .attachments(attached("i-1", "attached"))
            .attachments(attached("i-2", "detaching"))
            .attachments(attached("i-3", "attached"))
            .attachments(attached("i-4", "melted"))
            .attachments(VolumeAttachment::builder().instance_id("i-5").build())
            .attachments(by_service)
            .tags(Tag::builder().key("Name").value("data").build())
            .build();
        let volume = volume(seen).unwrap();
        assert_eq!((volume.size_gib, volume.state, volume.name()), (8, VolumeState::InUse, Some("data")));
        let attached: Vec<&str> = volume.attached_to().map(HostId::as_str).collect();
        assert_eq!(attached, ["i-1", "i-3"]);
        let states: Vec<AttachmentState> = volume.attachments.iter().map(|one| one.state).collect();
        let (attached, unknown) = (AttachmentState::Attached, AttachmentState::Unknown);
        assert_eq!(states, [attached, AttachmentState::Detaching, attached, unknown, unknown]);
        let bare = super::volume(Ec2Volume::builder().volume_id("vol-2").state("melted".into()).build());
        assert_eq!(bare.unwrap().state, VolumeState::Unknown);
        assert!(super::volume(Ec2Volume::builder().build()).is_none());
    }

    #[test]
    fn an_address_may_be_free_or_old_but_not_unreadable() {
        let seen = |id: Option<&str>, ip: &str, host: &str| {
            let seen = Ec2Address::builder()
                .set_allocation_id(id.map(str::to_owned))
                .public_ip(ip)
                .network_interface_id(if host.is_empty() { "" } else { "eni-1" })
                .tags(Tag::builder().key("Name").value("gate").build())
                .instance_id(host);
            address(seen.build())
        };
        let free = seen(Some("eipalloc-1"), "203.0.113.7", "").unwrap();
        assert_eq!((free.id.as_str(), free.attached_to), ("eipalloc-1", None));
        assert_eq!(free.network_interface, None);
        let old = seen(None, "203.0.113.8", "i-1").unwrap();
        assert_eq!((old.id.as_str(), old.name()), ("203.0.113.8", Some("gate")));
        assert_eq!((old.attached_to, old.network_interface.as_deref()), (Some("i-1".into()), Some("eni-1")));
        assert!(seen(Some("eipalloc-2"), "nonsense", "i-1").is_none());
    }
}
