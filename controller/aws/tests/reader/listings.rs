//! What is read when all is well.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use rollcall_aws::Limits;
use rollcall_engine::ids::HostId;
use rollcall_engine::inventory::{
    Address, Asked, AttachmentState, Instance, PowerState, Volume, VolumeState,
};
use rollcall_engine::reading::{FailureKind, MAX_REQUEST_IDS};
use rollcall_fakes::aws::ground::{Instance as Truth, Lifecycle};
use rollcall_fakes::aws::{Habits, Launch, VolumeSpec};

use crate::world::{REGION, World, complete, ids, now, quick, reader, region, why};

#[tokio::test]
async fn the_reading_is_the_truth_over_many_pages_in_all_states() {
    let world = World::new().await;
    world.aws.set_habits(Habits { unstable_order: true, short_pages: true });
    let truth = world.truth();
    let fleet = world.fleet(23);
    let launch =
        Launch::of("c7g.large").tag("Name", "odd 環境 <&>\"'").zone("c").managed_by("eks.amazonaws.com");
    let profile = Some("arn:aws:iam::123456789012:instance-profile/team/web".to_owned());
    let groups = vec![truth.create_security_group("web").unwrap()];
    truth.launch(&Launch { public: true, profile, groups, ..launch }).unwrap();
    truth.launch(&Launch { lifecycle: Lifecycle::Spot, ..Launch::default() }).unwrap();
    truth.stop(&fleet[0]).unwrap();
    truth.terminate(&fleet[1]).unwrap();
    world.aws.stage().clock.advance(SignedDuration::from_mins(10));
    truth.stop(&fleet[2]).unwrap();
    truth.terminate(&fleet[3]).unwrap();
    truth.launch(&Launch::default()).unwrap();

    let reading = world.reader().await.read_instances(&region(), now()).await;
    complete(&reading);
    assert_eq!(reading.source, "ec2 instances 123456789012/ap-northeast-1");
    assert_eq!(reading.request_ids.len(), MAX_REQUEST_IDS);
    let seen: BTreeMap<&str, &Instance> = reading.seen.iter().map(|i| (i.id.as_str(), i)).collect();
    let truth = truth.instances();
    assert_eq!((truth.len(), seen.len(), reading.seen.len()), (26, 26, 26));
    for host in &truth {
        agrees(seen[host.id.as_str()], host);
    }
    let states: std::collections::BTreeSet<PowerState> = reading.seen.iter().map(|i| i.state).collect();
    assert_eq!(states.len(), 6, "all of EC2's states were among them: {states:?}");
    assert!(world.asked("DescribeInstances") >= 6, "26 hosts in pages of 5");
}

fn agrees(seen: &Instance, truth: &Truth) {
    let state = serde_name(seen.state);
    assert_eq!(state, truth.state.name(), "{}", truth.id);
    let tags: Vec<(&str, &str)> = truth.tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(seen.tags.iter().collect::<Vec<_>>(), tags);
    assert_eq!(seen.launch_time, truth.launched);
    assert_eq!(seen.instance_type, truth.instance_type);
    assert_eq!(seen.zone.as_deref(), Some(truth.zone.as_str()));
    assert_eq!(seen.vpc, truth.vpc);
    assert_eq!(seen.subnet.as_deref(), truth.subnet.as_deref());
    let told: Vec<(&str, &str)> = seen.security_groups.iter().map(|g| (&*g.id, &*g.name)).collect();
    assert_eq!(told, truth.groups.iter().map(|g| (g.id.as_str(), g.name.as_str())).collect::<Vec<_>>());
    let profile = truth.profile.as_ref().and_then(|arn| arn.rsplit('/').next());
    assert_eq!(seen.profile.as_deref(), profile);
    let addresses = [truth.private_ip, truth.public_ip].into_iter().flatten();
    assert_eq!(seen.addresses, addresses.map(Into::into).collect::<Vec<std::net::IpAddr>>());
    let operator = truth.managed_by.as_ref().map(|by| format!("operator:{by}"));
    let lifecycle = truth.lifecycle.name().map(str::to_owned);
    assert_eq!(seen.managed_by, operator.or(lifecycle));
    assert_eq!(seen.state_reason.as_deref().unwrap_or_default(), truth.transition_reason);
}

fn serde_name(state: PowerState) -> &'static str {
    match state {
        PowerState::Pending => "pending",
        PowerState::Running => "running",
        PowerState::Stopping => "stopping",
        PowerState::Stopped => "stopped",
        PowerState::ShuttingDown => "shutting-down",
        PowerState::Terminated => "terminated",
        PowerState::Unknown => "unknown",
    }
}

#[tokio::test]
async fn managed_hosts_are_seen_although_the_account_hides_them() {
    let world = World::new().await;
    world.aws.account(crate::world::ACCOUNT).hide_managed(true);
    let hidden = world.truth().launch(&Launch::of("t3.small").managed_by("eks.amazonaws.com")).unwrap();
    let account = world.reader().await;
    assert_eq!(ids(&account.read_instances(&region(), now()).await), hidden);
    assert_eq!(account.read_volumes(&region(), now()).await.seen.len(), 1, "and their volumes");
}

#[tokio::test]
async fn volumes_and_addresses_are_the_truth_too() {
    let world = World::new().await;
    let truth = world.truth();
    let fleet = world.fleet(7);
    let spec = VolumeSpec {
        size: 100,
        tags: [("Name".to_owned(), "spare".to_owned())].into(),
        ..VolumeSpec::default()
    };
    let spare = truth.create_volume("a", &spec).unwrap();
    let used = truth.allocate_address().unwrap();
    truth.associate_address(&used, &fleet[0]).unwrap();
    truth.tag(&used, "Name", "gate").unwrap();
    truth.allocate_address().unwrap();

    let account = world.reader().await;
    let volumes = account.read_volumes(&region(), now()).await;
    complete(&volumes);
    assert_eq!(volumes.seen.len(), 8);
    let spare = volumes.seen.iter().find(|v| v.id == spare).unwrap();
    assert_eq!((spare.size_gib, spare.attachments.len(), spare.name()), (100, 0, Some("spare")));
    assert_eq!(spare.state, VolumeState::Available);
    let attached: Vec<&HostId> = volumes.seen.iter().flat_map(Volume::attached_to).collect();
    assert_eq!(attached.len(), 7);

    let addresses = account.read_addresses(&region(), now()).await;
    complete(&addresses);
    assert_eq!(addresses.seen.len(), truth.addresses().len());
    for address in truth.addresses() {
        let seen = addresses.seen.iter().find(|a| a.id == address.id).unwrap();
        assert_eq!(seen.ip, std::net::IpAddr::from(address.ip));
        assert_eq!(
            seen.attached_to.as_ref().map(HostId::as_str),
            address.association.as_ref().map(|a| a.instance.as_str())
        );
        assert_eq!(
            seen.network_interface.as_ref(),
            address.association.as_ref().and_then(|a| a.interface.as_ref())
        );
    }
    assert_eq!(addresses.seen.iter().filter_map(Address::name).collect::<Vec<_>>(), ["gate"]);
}

#[tokio::test]
async fn a_volume_on_its_way_is_not_attached() {
    let world = World::new().await;
    let truth = world.truth();
    let host = world.fleet(1).remove(0);
    let zone = truth.instance(&host).unwrap().zone;
    let volume = truth.create_volume(&zone, &VolumeSpec::default()).unwrap();
    truth.attach_volume(&volume, &host, "/dev/sdf").unwrap();
    let account = world.reader().await;
    for (state, attached) in
        [(AttachmentState::Attaching, 0), (AttachmentState::Attached, 1), (AttachmentState::Detaching, 0)]
    {
        let reading = account.read_volumes(&region(), now()).await;
        let seen = reading.seen.iter().find(|v| v.id == volume).unwrap();
        assert_eq!((seen.attachments[0].state, seen.attached_to().count()), (state, attached));
        assert_eq!((seen.attachments[0].host.as_str(), seen.state), (host.as_str(), VolumeState::InUse));
        world.aws.stage().clock.advance(SignedDuration::from_secs(10));
        if state == AttachmentState::Attached {
            truth.detach_volume(&volume).unwrap();
        }
    }
    let reading = account.read_volumes(&region(), now()).await;
    let seen = reading.seen.iter().find(|v| v.id == volume).unwrap();
    assert_eq!((seen.attachments.len(), seen.state), (0, VolumeState::Available));
}

#[tokio::test]
async fn an_empty_region_is_complete() {
    let world = World::new().await;
    let inventory = world.reader().await.read_place(&region(), None, &Asked::default(), now()).await;
    complete(&inventory.instances);
    complete(&inventory.volumes);
    complete(&inventory.addresses);
    complete(&inventory.databases);
    complete(&inventory.clusters);
    assert!(inventory.instances.seen.is_empty() && inventory.databases.seen.is_empty());
}

#[tokio::test]
async fn hostile_tags_come_through_and_hide_nobody() {
    let world = World::new().await;
    let fleet = world.fleet(3);
    let long = "x".repeat(10_000);
    for (key, value) in [
        ("long", long.as_str()),
        ("markup", "</value></item></tagSet></item>]]><!-- &amp; -->"),
        ("unicode", "環境\u{202e}☃\u{1b}[31m"),
        ("Name", "  "),
    ] {
        world.truth().tag(&fleet[1], key, value).unwrap();
    }
    let reading = world.reader().await.read_instances(&region(), now()).await;
    complete(&reading);
    assert_eq!(ids(&reading), fleet);
    let host = reading.seen.iter().find(|i| i.id.as_str() == fleet[1]).unwrap();
    assert_eq!(host.tags.get("long"), Some(long.as_str()));
    assert_eq!(host.tags.get("markup"), Some("</value></item></tagSet></item>]]><!-- &amp; -->"));
    // XML cannot carry the escape character; all else is as it was set.
    assert_eq!(host.tags.get("unicode"), Some("環境\u{202e}☃\u{fffd}[31m"));
    assert_eq!(host.name(), None, "a blank name is no name");
}

#[tokio::test]
async fn volumes_and_addresses_are_read_less_often() {
    let world = World::new().await;
    world.fleet(3);
    let limits = Limits { slow_listing_age: Duration::from_mins(30), ..quick() };
    let account = reader(rollcall_aws::AccountSettings { limits, ..world.settings() }).await;
    let first = account.read_place(&region(), None, &Asked::default(), now()).await;
    let soon = now() + SignedDuration::from_mins(29);
    let second = account.read_place(&region(), Some(&first), &Asked::default(), soon).await;
    assert_eq!((world.asked("DescribeInstances"), world.asked("DescribeVolumes")), (2, 1));
    assert_eq!(second.volumes.at(), Some(now()), "kept, with the time when it was read");
    let late = now() + SignedDuration::from_mins(31);
    let third = account.read_place(&region(), Some(&second), &Asked::default(), late).await;
    assert_eq!((world.asked("DescribeVolumes"), world.asked("DescribeAddresses")), (2, 2));
    assert_eq!(third.volumes.at(), Some(late));
}

#[tokio::test]
async fn a_region_that_is_not_configured_is_not_asked() {
    let world = World::new().await;
    let reading = world.reader().await.read_instances(&"us-east-1".into(), now()).await;
    let why = why(&reading);
    assert_eq!(why.kind, FailureKind::Misconfigured);
    assert!(why.message.contains("spec.regions") && why.message.contains(REGION), "{}", why.message);
    assert_eq!(world.asked("DescribeInstances") + world.asked("GetCallerIdentity"), 0);
}
