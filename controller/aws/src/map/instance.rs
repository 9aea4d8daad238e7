//! One EC2 instance.

use std::net::IpAddr;

use aws_sdk_ec2::types::{Instance as Ec2Instance, InstanceNetworkInterface, InstanceStateName};
use jiff::Timestamp;
use rollcall_engine::ids::HostId;
use rollcall_engine::inventory::{Instance, PowerState};

use super::{moment, owner::owner, shared::Shared, tags, text};

/// `StateTransitionReason` is a sentence of AWS's; this is plenty.
const MAX_REASON: usize = 256;

/// The instance, or `None` when it has no id and so cannot be told from any other.
///
/// `listed_at` stands in for a launch time that is missing or outside the calendar: such a host looks as if it had
/// just been launched, so that it settles for ever and nothing is claimed of it.
pub(crate) fn instance(mut seen: Ec2Instance, listed_at: Timestamp, shared: &mut Shared) -> Option<Instance> {
    let id = seen.instance_id().filter(|id| !id.is_empty())?;
    let id = HostId::new(id);
    let launch_time = seen.launch_time().and_then(moment).unwrap_or_else(|| {
        tracing::warn!(host = %id, "EC2 gave no usable launch time; the host will not be judged");
        listed_at
    });
    let addresses = addresses(&seen);
    let placement = seen.placement().and_then(|p| p.availability_zone());
    let (zone, vpc) = (text(placement), text(seen.vpc_id()));
    let state_reason = text(seen.state_transition_reason()).map(|r| r.chars().take(MAX_REASON).collect());
    let state = seen.state().and_then(|s| s.name()).map_or(PowerState::Unknown, power);
    let instance_type = seen.instance_type().map(|t| t.as_str().to_owned()).unwrap_or_default();
    let subnet = shared.word(seen.subnet_id());
    let security_groups = shared.groups(seen.security_groups());
    let profile = shared.word(profile(&seen));
    let tags = tags(seen.tags.take());
    let managed_by = owner(&seen, &tags);
    Some(Instance {
        id,
        state,
        tags,
        launch_time,
        instance_type,
        zone,
        vpc,
        subnet,
        security_groups,
        profile,
        addresses,
        managed_by,
        state_reason,
    })
}

fn power(name: &InstanceStateName) -> PowerState {
    match name {
        InstanceStateName::Pending => PowerState::Pending,
        InstanceStateName::Running => PowerState::Running,
        InstanceStateName::Stopping => PowerState::Stopping,
        InstanceStateName::Stopped => PowerState::Stopped,
        InstanceStateName::ShuttingDown => PowerState::ShuttingDown,
        InstanceStateName::Terminated => PowerState::Terminated,
        _ => PowerState::Unknown,
    }
}

/// `arn:aws:iam::123456789012:instance-profile/path/web` is `web`.
fn profile(seen: &Ec2Instance) -> Option<&str> {
    let (_, name) = seen.iam_instance_profile()?.arn()?.rsplit_once('/')?;
    Some(name)
}

/// All addresses, the primary private one first; each once. What is no address is left out.
fn addresses(seen: &Ec2Instance) -> Vec<IpAddr> {
    let main = [seen.private_ip_address(), seen.public_ip_address()].into_iter().flatten();
    let others = seen.network_interfaces().iter().flat_map(interface);
    let mut all: Vec<IpAddr> = Vec::new();
    for address in main.chain(others).filter_map(|a| a.parse().ok()) {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    all
}

fn interface(of: &InstanceNetworkInterface) -> impl Iterator<Item = &str> {
    let v4 = of.private_ip_addresses().iter().flat_map(|a| {
        let public = a.association().and_then(|x| x.public_ip());
        [a.private_ip_address(), public]
    });
    v4.chain(of.ipv6_addresses().iter().map(|a| a.ipv6_address())).flatten()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use aws_sdk_ec2::types::{
        GroupIdentifier, IamInstanceProfile, InstanceIpv6Address, InstanceNetworkInterfaceAssociation,
        InstancePrivateIpAddress, InstanceState, Placement, Tag,
    };
    use aws_smithy_types::DateTime;

    fn now() -> Timestamp {
        "2026-03-02T12:00:00Z".parse().unwrap()
    }

    fn named(state: &str) -> InstanceState {
        InstanceState::builder().name(InstanceStateName::from(state)).build()
    }

    #[test]
    fn everything_that_decisions_use_is_kept() {
        let ip = InstancePrivateIpAddress::builder()
            .private_ip_address("10.0.0.5")
            .association(InstanceNetworkInterfaceAssociation::builder().public_ip("203.0.113.7").build());
        let second = InstancePrivateIpAddress::builder().private_ip_address("10.0.0.6");
        let v6 = InstanceIpv6Address::builder().ipv6_address("2001:db8::5");
        let interface = InstanceNetworkInterface::builder()
            .private_ip_addresses(ip.build())
            .private_ip_addresses(second.build())
            .ipv6_addresses(v6.build());
        let seen = Ec2Instance::builder()
            .instance_id("i-1")
            .state(named("stopped"))
            .state_transition_reason("User initiated (2026-03-01 10:00:00 GMT)")
            .launch_time(DateTime::from_secs(1_772_000_000))
            .instance_type("t3.small".into())
            .placement(Placement::builder().availability_zone("eu-west-1a").build())
            .vpc_id("vpc-1")
            .private_ip_address("10.0.0.5")
            .public_ip_address("203.0.113.7")
            .network_interfaces(interface.build())
            .tags(Tag::builder().key("Name").value("web-1").build())
            .build();
        let host = instance(seen, now(), &mut Shared::default()).unwrap();
        assert_eq!(host.state, PowerState::Stopped);
        assert_eq!(host.state_reason.as_deref(), Some("User initiated (2026-03-01 10:00:00 GMT)"));
        assert_eq!(host.launch_time, Timestamp::from_second(1_772_000_000).unwrap());
        assert_eq!((host.zone.as_deref(), host.vpc.as_deref()), (Some("eu-west-1a"), Some("vpc-1")));
        assert_eq!((host.name(), host.instance_type.as_str()), (Some("web-1"), "t3.small"));
        let expected: [IpAddr; 4] =
            ["10.0.0.5", "203.0.113.7", "10.0.0.6", "2001:db8::5"].map(|a| a.parse().unwrap());
        assert_eq!(host.addresses, expected);
        assert_eq!(host.managed_by, None);
    }

    #[test]
    fn an_odd_instance_is_kept_and_never_judged() {
        let odd = Ec2Instance::builder()
            .instance_id("i-odd")
            .state(named("hibernating-in-2031"))
            .launch_time(DateTime::from_secs(i64::MAX / 2))
            .private_ip_address("not an address")
            .state_transition_reason("")
            .tags(Tag::builder().value("no key").build())
            .tags(Tag::builder().key("no value").build())
            .build();
        let host = instance(odd, now(), &mut Shared::default()).unwrap();
        assert_eq!(host.state, PowerState::Unknown);
        assert!(host.state.exists(), "a state we do not know is not an end");
        assert_eq!(host.launch_time, now(), "it looks just launched, so it settles for ever");
        assert_eq!((host.addresses.len(), host.state_reason), (0, None));
        assert_eq!(host.tags.iter().collect::<Vec<_>>(), [("no value", "")]);

        let bare =
            instance(Ec2Instance::builder().instance_id("i-bare").build(), now(), &mut Shared::default())
                .unwrap();
        assert_eq!((bare.state, bare.launch_time), (PowerState::Unknown, now()));
        assert_eq!(
            instance(Ec2Instance::builder().instance_id("").build(), now(), &mut Shared::default()),
            None
        );
        assert_eq!(instance(Ec2Instance::builder().build(), now(), &mut Shared::default()), None);
    }

    #[test]
    fn hostile_tags_are_data() {
        let hostile = format!("\u{1b}[31m環境\u{202e}\0{}", "x".repeat(10_000));
        let tag = Tag::builder().key("Name").value(&hostile).build();
        let host = instance(
            Ec2Instance::builder().instance_id("i-1").tags(tag).build(),
            now(),
            &mut Shared::default(),
        )
        .unwrap();
        assert_eq!(host.name(), Some(hostile.as_str()));
    }

    #[test]
    fn what_many_hosts_say_alike_is_held_once() {
        let mut shared = Shared::default();
        let mut host = |id: &str, groups: &[(&str, &str)], profile: &str| {
            let groups: Vec<GroupIdentifier> = groups
                .iter()
                .map(|(id, name)| GroupIdentifier::builder().group_id(*id).group_name(*name).build())
                .collect();
            let seen = Ec2Instance::builder()
                .instance_id(id)
                .subnet_id("subnet-1")
                .set_security_groups(Some(groups))
                .iam_instance_profile(IamInstanceProfile::builder().arn(profile).build());
            instance(seen.build(), now(), &mut shared).unwrap()
        };
        let groups = [("sg-1", "web"), ("sg-2", "all"), ("", "nameless")];
        let one = host("i-1", &groups, "arn:aws:iam::123456789012:instance-profile/team/web");
        let two = host("i-2", &groups, "arn:aws:iam::123456789012:instance-profile/web");
        let three = host("i-3", &groups[..1], "no arn");
        assert_eq!((one.subnet.as_deref(), one.profile.as_deref()), (Some("subnet-1"), Some("web")));
        let ids: Vec<&str> = one.security_groups.iter().map(|group| &*group.id).collect();
        assert_eq!(ids, ["sg-1", "sg-2"], "a group without an id is none");
        assert!(Arc::ptr_eq(one.subnet.as_ref().unwrap(), three.subnet.as_ref().unwrap()));
        assert!(Arc::ptr_eq(&one.security_groups, &two.security_groups));
        assert!(Arc::ptr_eq(one.profile.as_ref().unwrap(), two.profile.as_ref().unwrap()));
        assert_eq!((three.security_groups.len(), &three.profile), (1, &None));
    }
}
