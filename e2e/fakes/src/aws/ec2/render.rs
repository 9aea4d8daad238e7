//! Instances and volumes as EC2 writes them.

use jiff::Timestamp;

use crate::aws::{
    ground::{Attachment, Device, Instance, RootDevice, State, Volume},
    xml::Xml,
};

/// `2026-03-02T12:00:00.000Z`.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// A reservation with those of its instances that are on this page.
pub fn reservation(xml: &mut Xml, of: &Instance, instances: &[&Instance]) {
    xml.text("reservationId", &of.reservation).text("ownerId", &of.owner).nest("groupSet", |_| ());
    xml.nest("instancesSet", |xml| {
        for instance in instances {
            xml.raw(item(instance));
        }
    });
    xml.maybe("requesterId", of.managed_by.as_ref());
}

/// An instance's `<item>`; written once for each version of it, so that large pages are copies.
pub fn item(instance: &Instance) -> &str {
    instance.written.or_write(|| {
        let mut xml = Xml::with_capacity(3_000);
        xml.nest("item", |xml| write(xml, instance));
        xml.finish()
    })
}

fn write(xml: &mut Xml, i: &Instance) {
    xml.text("instanceId", &i.id).text("imageId", &i.image);
    state(xml, "instanceState", i.state);
    xml.text("privateDnsName", i.private_dns().unwrap_or_default());
    xml.text("dnsName", i.public_dns().unwrap_or_default());
    xml.text("reason", &i.transition_reason).maybe("keyName", i.key_name.as_ref());
    xml.number("amiLaunchIndex", i.launch_index).nest("productCodes", |_| ());
    xml.text("instanceType", &i.instance_type).text("launchTime", time(i.launched));
    xml.nest("placement", |xml| {
        xml.text("availabilityZone", &i.zone).text("groupName", "").text("tenancy", &i.tenancy);
    });
    xml.nest("monitoring", |xml| {
        xml.text("state", "disabled");
    });
    network(xml, i);
    if let Some((code, message)) = i.state_reason {
        xml.nest("stateReason", |xml| {
            xml.text("code", code).text("message", message);
        });
    }
    devices(xml, i);
    xml.maybe("instanceLifecycle", i.lifecycle.name());
    xml.text("virtualizationType", "hvm").text("clientToken", &i.client_token);
    tag_set(xml, &i.tags);
    xml.text("hypervisor", "xen");
    interfaces(xml, i);
    options(xml, i);
}

fn network(xml: &mut Xml, i: &Instance) {
    xml.maybe("subnetId", i.subnet.as_ref()).maybe("vpcId", i.vpc.as_ref());
    xml.maybe("privateIpAddress", i.private_ip.map(|ip| ip.to_string()));
    xml.maybe("ipAddress", i.public_ip.map(|ip| ip.to_string()));
    xml.flag("sourceDestCheck", true);
    groups(xml, i);
}

fn groups(xml: &mut Xml, i: &Instance) {
    xml.list("groupSet", &i.groups, |xml, group| {
        xml.text("groupId", &group.id).text("groupName", &group.name);
    });
}

fn devices(xml: &mut Xml, i: &Instance) {
    xml.text("architecture", &i.architecture);
    xml.text("rootDeviceType", root_device_type(i.root));
    xml.text("rootDeviceName", "/dev/xvda");
    xml.list("blockDeviceMapping", &i.devices, device);
}

fn device(xml: &mut Xml, device: &Device) {
    xml.text("deviceName", &device.name).nest("ebs", |xml| {
        xml.text("volumeId", &device.volume).text("status", "attached");
        xml.text("attachTime", time(device.attached));
        xml.flag("deleteOnTermination", device.delete_on_termination);
    });
}

/// `ebs` or `instance-store`.
pub fn root_device_type(root: RootDevice) -> &'static str {
    match root {
        RootDevice::Ebs => "ebs",
        RootDevice::InstanceStore => "instance-store",
    }
}

fn interfaces(xml: &mut Xml, i: &Instance) {
    xml.list("networkInterfaceSet", &i.interface, |xml, interface| {
        xml.text("networkInterfaceId", interface);
        xml.maybe("subnetId", i.subnet.as_ref()).maybe("vpcId", i.vpc.as_ref()).text("ownerId", &i.owner);
        xml.text("status", "in-use").maybe("privateIpAddress", i.private_ip.map(|ip| ip.to_string()));
        xml.maybe("privateDnsName", i.private_dns()).flag("sourceDestCheck", true);
        groups(xml, i);
        if let (Some(ip), Some(name)) = (i.public_ip, i.public_dns()) {
            xml.nest("association", |xml| {
                xml.text("publicIp", ip.to_string()).text("publicDnsName", name).text("ipOwnerId", "amazon");
            });
        }
        xml.text("interfaceType", "interface");
    });
}

fn options(xml: &mut Xml, i: &Instance) {
    if let Some(arn) = &i.profile {
        xml.nest("iamInstanceProfile", |xml| {
            xml.text("arn", arn).text("id", "AIPA00000000000000001");
        });
    }
    xml.flag("ebsOptimized", false).flag("enaSupport", true);
    xml.nest("metadataOptions", |xml| {
        xml.text("state", "applied").text("httpTokens", "required").text("httpEndpoint", "enabled");
    });
    xml.text("platformDetails", "Linux/UNIX").text("usageOperation", "RunInstances");
    operator(xml, i.managed_by.as_deref());
}

fn operator(xml: &mut Xml, managed_by: Option<&str>) {
    xml.nest("operator", |xml| {
        xml.flag("managed", managed_by.is_some()).maybe("principal", managed_by);
    });
}

/// `<name><code/><name/></name>`.
pub fn state(xml: &mut Xml, name: &str, state: State) {
    xml.nest(name, |xml| {
        xml.number("code", state.code()).text("name", state.name());
    });
}

/// `<tagSet>`.
pub fn tag_set(xml: &mut Xml, tags: &std::collections::BTreeMap<String, String>) {
    xml.list("tagSet", tags, |xml, (key, value)| {
        xml.text("key", key).text("value", value);
    });
}

/// A volume's `<item>`, written once for each version of it.
pub fn volume_item(volume: &Volume) -> &str {
    volume.written.or_write(|| {
        let mut xml = Xml::with_capacity(1_000);
        xml.nest("item", |xml| self::volume(xml, volume));
        xml.finish()
    })
}

/// The inside of a volume's `<item>`, which is also `CreateVolume`'s answer.
pub fn volume(xml: &mut Xml, v: &Volume) {
    xml.text("volumeId", &v.id).number("size", v.size).text("snapshotId", "");
    xml.text("availabilityZone", &v.zone).text("status", v.state().name());
    xml.text("createTime", time(v.created));
    xml.list("attachmentSet", &v.attachment, |xml, attachment| self::attachment(xml, v, attachment));
    tag_set(xml, &v.tags);
    xml.text("volumeType", &v.kind).flag("encrypted", v.encrypted).flag("multiAttachEnabled", false);
    operator(xml, v.managed_by.as_deref());
}

/// An attachment, which is also `AttachVolume`'s answer.
pub fn attachment(xml: &mut Xml, v: &Volume, attachment: &Attachment) {
    xml.text("volumeId", &v.id).text("instanceId", &attachment.instance);
    xml.text("device", &attachment.device).text("status", attachment.state.name());
    xml.text("attachTime", time(attachment.attached));
    xml.flag("deleteOnTermination", attachment.delete_on_termination);
}
