//! States take world time, and what goes with them changes with them.

use jiff::SignedDuration;
use rollcall_fakes::aws::{Launch, VolumeSpec, ground::State};

use crate::client::{Play, noon};

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

/// What a reader is told of one host.
async fn told(play: &Play, id: &str) -> Option<String> {
    let answer = play.client.ec2("DescribeInstances", &[("InstanceId.1", id)]).await;
    answer.one("instanceState").map(|state| state.split("<name>").nth(1).unwrap().replace("</name>", ""))
}

#[tokio::test]
async fn a_host_lives_stops_starts_and_dies_in_world_time() {
    let play = Play::start().await;
    let launch = Launch { public: true, ..Launch::of("t3.medium") };
    let id = &play.tokyo.launch(&launch).unwrap()[0];
    assert_eq!(told(&play, id).await.unwrap(), "pending");
    play.pass(minutes(1));
    assert_eq!(told(&play, id).await.unwrap(), "running");
    let first_address = play.tokyo.instance(id).unwrap().public_ip.unwrap();

    let stopping = play.client.ec2("StopInstances", &[("InstanceId.1", id)]).await;
    assert_eq!(stopping.all("name"), ["stopping", "running"], "current, then previous");
    play.pass(minutes(1));
    let stopped = play.client.ec2("DescribeInstances", &[("InstanceId.1", id)]).await;
    assert_eq!(stopped.one("reason").unwrap(), "User initiated (2026-03-02 12:01:00 GMT)");
    assert_eq!(stopped.one("ipAddress"), None, "a stopped host loses its public address");
    assert!(stopped.one("privateIpAddress").is_some());

    play.client.ec2("StartInstances", &[("InstanceId.1", id)]).await;
    play.pass(minutes(1));
    let started = play.tokyo.instance(id).unwrap();
    assert_eq!((started.state, started.launched), (State::Running, noon() + minutes(2)));
    assert_ne!(started.public_ip.unwrap(), first_address, "and gets another");

    play.client.ec2("TerminateInstances", &[("InstanceId.1", id)]).await;
    assert_eq!(told(&play, id).await.unwrap(), "shutting-down");
    play.pass(minutes(59));
    let terminated = play.client.ec2("DescribeInstances", &[("InstanceId.1", id)]).await;
    assert_eq!(terminated.one("privateIpAddress"), None);
    assert_eq!(terminated.one("vpcId"), None);
    play.pass(minutes(2));
    let gone = play.client.ec2("DescribeInstances", &[("InstanceId.1", id)]).await;
    assert_eq!(gone.code(), "InvalidInstanceID.NotFound");
}

#[tokio::test]
async fn terminating_keeps_the_volumes_that_it_should_and_frees_the_address() {
    let play = Play::start().await;
    let data =
        VolumeSpec { device: "/dev/sdb".into(), delete_on_termination: false, ..VolumeSpec::default() };
    let id = &play.tokyo.launch(&Launch { volumes: vec![data], ..Launch::of("t3.medium") }).unwrap()[0];
    let allocation = play.tokyo.allocate_address().unwrap();
    play.tokyo.associate_address(&allocation, id).unwrap();
    let elastic = play.tokyo.addresses()[0].ip;
    assert_eq!(play.tokyo.instance(id).unwrap().public_ip, Some(elastic));

    let volumes = play.client.ec2("DescribeVolumes", &[]).await;
    let mut devices = volumes.all("device");
    devices.sort();
    assert_eq!(devices, ["/dev/sdb", "/dev/xvda"]);
    play.tokyo.terminate(id).unwrap();
    play.pass(minutes(1));

    let left = play.tokyo.volumes();
    assert_eq!(left.len(), 1);
    assert!(left[0].attachment.is_none());
    assert!(play.tokyo.addresses()[0].association.is_none(), "the address stays and costs");
}

#[tokio::test]
async fn a_stopped_host_keeps_its_elastic_address() {
    let play = Play::start().await;
    let id = &play.tokyo.launch(&Launch::of("t3.medium")).unwrap()[0];
    let allocation = play.tokyo.allocate_address().unwrap();
    play.tokyo.associate_address(&allocation, id).unwrap();
    play.pass(minutes(1));
    play.tokyo.stop(id).unwrap();
    play.pass(minutes(1));
    assert_eq!(play.tokyo.instance(id).unwrap().public_ip, Some(play.tokyo.addresses()[0].ip));
}

#[tokio::test]
async fn the_guest_s_own_shutdown_terminates_when_it_is_told_to() {
    let play = Play::start().await;
    let launch = Launch { shutdown_terminates: true, termination_protected: true, ..Launch::of("t3.medium") };
    let id = &play.tokyo.launch(&launch).unwrap()[0];
    play.pass(minutes(1));
    let refused = play.client.ec2("TerminateInstances", &[("InstanceId.1", id)]).await;
    assert_eq!(refused.code(), "OperationNotPermitted");
    play.tokyo.guest_shutdown(id).unwrap();
    assert_eq!(play.tokyo.state(id), Some(State::ShuttingDown), "protection does not hold the guest");
}

#[tokio::test]
async fn a_terminate_over_zones_spares_only_the_zone_with_the_protected_host() {
    let play = Play::start().await;
    let one = |zone: &str, termination_protected| {
        let launch = Launch { termination_protected, ..Launch::of("t3.medium").zone(zone) };
        play.tokyo.launch(&launch).unwrap().remove(0)
    };
    let (a, b, c, d) = (one("a", false), one("a", false), one("c", true), one("c", false));
    let ids: Vec<(String, &String)> = [&a, &b, &c, &d]
        .into_iter()
        .enumerate()
        .map(|(n, id)| (format!("InstanceId.{}", n + 1), id))
        .collect();
    let params: Vec<(&str, &str)> = ids.iter().map(|(name, id)| (name.as_str(), id.as_str())).collect();
    assert_eq!(play.client.ec2("TerminateInstances", &params).await.code(), "OperationNotPermitted");
    let states = [&a, &b, &c, &d].map(|id| play.tokyo.state(id).unwrap());
    assert_eq!(states, [State::ShuttingDown, State::ShuttingDown, State::Pending, State::Pending]);
}

#[tokio::test]
async fn what_may_not_be_done_is_refused_and_nothing_is_done() {
    let play = Play::start().await;
    let launch = |launch: Launch| play.tokyo.launch(&launch).unwrap().remove(0);
    let plain = launch(Launch::of("t3.medium"));
    let guarded = launch(Launch { stop_protected: true, ..Launch::of("t3.medium") });
    let store = launch(Launch {
        root: serde_json::from_str("\"instance-store\"").unwrap(),
        ..Launch::of("m3.medium")
    });
    let spot =
        launch(Launch { lifecycle: serde_json::from_str("\"spot\"").unwrap(), ..Launch::of("t3.medium") });
    let managed = launch(Launch::of("t3.medium").managed_by("eks.amazonaws.com"));
    let dead = launch(Launch::of("t3.medium"));
    play.tokyo.terminate(&dead).unwrap();
    for (action, id, code) in [
        ("StopInstances", guarded.as_str(), "OperationNotPermitted"),
        ("StopInstances", &store, "UnsupportedOperation"),
        ("StopInstances", &spot, "UnsupportedOperation"),
        ("StopInstances", &managed, "OperationNotPermitted"),
        ("TerminateInstances", &managed, "OperationNotPermitted"),
        ("StopInstances", &dead, "IncorrectInstanceState"),
        ("StartInstances", &dead, "IncorrectInstanceState"),
        ("TerminateInstances", "i-0000000000000dead", "InvalidInstanceID.NotFound"),
        ("StopInstances", "host-7", "InvalidInstanceID.Malformed"),
    ] {
        let answer = play.client.ec2(action, &[("InstanceId.1", &plain), ("InstanceId.2", id)]).await;
        assert_eq!(answer.code(), code, "{action} {id}");
        if action == "StopInstances" {
            assert_eq!(play.tokyo.state(&plain), Some(State::Pending), "{action} {id} stopped another host");
        }
        play.tokyo.start(&plain).unwrap();
    }
    let twice = play.client.ec2("TerminateInstances", &[("InstanceId.1", &dead)]).await;
    assert_eq!(twice.status, 200, "terminate is idempotent");
    let dry = play.client.ec2("StopInstances", &[("InstanceId.1", &guarded), ("DryRun", "true")]).await;
    assert_eq!(
        (dry.status, dry.code().as_str()),
        (412, "DryRunOperation"),
        "a dry run does not check protection"
    );
}

#[tokio::test]
async fn a_vanished_host_was_never_seen_shutting_down() {
    let play = Play::start().await;
    let id = &play.tokyo.launch(&Launch::of("t3.medium")).unwrap()[0];
    play.pass(minutes(5));
    play.tokyo.vanish(id).unwrap();
    assert!(play.client.pages(None, &[]).await.concat().is_empty());
}

#[tokio::test]
async fn a_fleet_can_be_planted_with_a_past() {
    let play = Play::start().await;
    let long_ago = noon() - SignedDuration::from_hours(24 * 400);
    let stopped_at = Some(noon() - SignedDuration::from_hours(24 * 90));
    let launch = Launch { stopped_at, ..Launch::of("t3.medium").count(3).launched_at(long_ago) };
    let ids = play.tokyo.launch(&launch).unwrap();
    let answer = play.client.ec2("DescribeInstances", &[]).await;
    assert_eq!(answer.all("reservationId").len(), 1);
    assert_eq!(answer.all("launchTime"), vec!["2025-01-26T12:00:00.000Z"; 3]);
    assert!(ids.iter().all(|id| play.tokyo.state(id) == Some(State::Stopped)));
}

#[tokio::test]
async fn a_volume_is_on_its_way_to_a_host_and_off_again() {
    let play = Play::start().await;
    let host = play.tokyo.launch(&Launch::of("t3.small").zone("a")).unwrap().remove(0);
    play.pass_minutes(1);
    let volume = play.tokyo.create_volume("ap-northeast-1a", &VolumeSpec::default()).unwrap();
    let elsewhere = play.tokyo.create_volume("ap-northeast-1c", &VolumeSpec::default()).unwrap();
    let attach = |volume| [("VolumeId", volume), ("InstanceId", host.as_str()), ("Device", "/dev/sdf")];
    let ask = |action: &'static str, volume| {
        let (play, params) = (&play, attach(volume));
        async move { play.client.ec2(action, &params).await }
    };
    let states = || async {
        let told = play.client.ec2("DescribeVolumes", &[("VolumeId.1", &volume)]).await;
        told.all("status")
    };
    assert_eq!(states().await, ["available"]);
    assert_eq!(ask("AttachVolume", &elsewhere).await.code(), "InvalidVolume.ZoneMismatch");
    assert_eq!(ask("DetachVolume", &elsewhere).await.code(), "IncorrectState");
    assert_eq!(ask("AttachVolume", "vol-0").await.code(), "InvalidVolume.NotFound");
    assert_eq!(ask("AttachVolume", &volume).await.one("status").as_deref(), Some("attaching"));
    assert_eq!(states().await, ["in-use", "attaching"]);
    assert_eq!(ask("AttachVolume", &volume).await.code(), "VolumeInUse");
    play.pass_minutes(1);
    assert_eq!(states().await, ["in-use", "attached"]);
    assert_eq!(play.tokyo.instance(&host).unwrap().devices.len(), 2);
    assert_eq!(ask("DetachVolume", &volume).await.one("status").as_deref(), Some("detaching"));
    assert_eq!(states().await, ["in-use", "detaching"]);
    play.pass_minutes(1);
    assert_eq!(states().await, ["available"]);
    assert_eq!(play.tokyo.instance(&host).unwrap().devices.len(), 1);
}
