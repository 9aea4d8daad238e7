//! Volumes and Elastic addresses.

use aws_sdk_ec2::types::{Address as Ec2Address, Volume as Ec2Volume};
use rollcall_engine::ids::HostId;
use rollcall_engine::inventory::{Address, Volume};

use super::tags;

/// The volume, or `None` when it has no id.
pub(crate) fn volume(seen: Ec2Volume) -> Option<Volume> {
    let id = seen.volume_id.filter(|id| !id.is_empty())?;
    let attachments = seen.attachments.unwrap_or_default();
    let attached_to = attachments.into_iter().filter_map(|a| a.instance_id).map(HostId::from).collect();
    Some(Volume { id, attached_to, size_gib: seen.size.unwrap_or(0), tags: tags(seen.tags) })
}

/// The address, or `None` when it has no address. One from EC2-Classic days has no allocation id; its address is one.
pub(crate) fn address(seen: Ec2Address) -> Option<Address> {
    let ip = seen.public_ip.or(seen.carrier_ip).or(seen.customer_owned_ip)?.parse().ok()?;
    let id = seen.allocation_id.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("{ip}"));
    let attached_to = seen.instance_id.filter(|id| !id.is_empty()).map(HostId::from);
    Some(Address { id, ip, attached_to })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::VolumeAttachment;

    #[test]
    fn a_volume_knows_where_it_is_attached() {
        let attached = |id: &str| VolumeAttachment::builder().instance_id(id).build();
        let by_service = VolumeAttachment::builder().build();
        let seen = Ec2Volume::builder()
            .volume_id("vol-1")
            .size(8)
            .attachments(attached("i-1"))
            .attachments(attached("i-2"))
            .attachments(by_service)
            .build();
        let volume = volume(seen).unwrap();
        assert_eq!((volume.size_gib, volume.attached_to), (8, vec!["i-1".into(), "i-2".into()]));
        assert!(super::volume(Ec2Volume::builder().build()).is_none());
    }

    #[test]
    fn an_address_may_be_free_or_old_but_not_unreadable() {
        let seen = |id: Option<&str>, ip: &str, host: &str| {
            let seen = Ec2Address::builder()
                .set_allocation_id(id.map(str::to_owned))
                .public_ip(ip)
                .instance_id(host);
            address(seen.build())
        };
        let free = seen(Some("eipalloc-1"), "203.0.113.7", "").unwrap();
        assert_eq!((free.id.as_str(), free.attached_to), ("eipalloc-1", None));
        assert_eq!(seen(None, "203.0.113.8", "i-1").unwrap().id, "203.0.113.8");
        assert!(seen(Some("eipalloc-2"), "nonsense", "i-1").is_none());
    }
}
