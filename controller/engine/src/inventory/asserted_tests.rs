//! Stories of what assertions look at: what is not known never reads as known, and recordings keep everything.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::reading::Extent;

fn now() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

fn unread() -> Inventory {
    Inventory::not_yet("123456789012/eu-west-1".to_owned().try_into().unwrap(), now())
}

fn parameter(value: Option<&str>, source: ParameterSource) -> ParameterValue {
    ParameterValue { value: value.map(Into::into), source, apply_method: None, apply_type: None }
}

#[test]
fn a_recording_from_before_assertions_proves_nothing_of_what_they_look_at() {
    let mut old: Value = serde_json::to_value(unread()).unwrap();
    for listing in ["securityGroups", "subnetGroups"] {
        assert!(old.as_object_mut().unwrap().remove(listing).is_some());
    }
    old["instances"]["seen"] = json!([{
        "id": "i-1", "state": "running", "tags": {}, "launchTime": "2026-01-01T00:00:00Z", "instanceType": "t3.small",
    }]);
    old["volumes"]["seen"] = json!([{"id": "vol-1", "attachedTo": ["i-1"], "sizeGib": 8, "tags": {}}]);
    old["addresses"]["seen"] = json!([{"id": "eipalloc-1", "ip": "203.0.113.7", "attachedTo": "i-1"}]);
    let read: Inventory = serde_json::from_value(old).unwrap();
    let long = jiff::SignedDuration::MAX;
    assert!(read.security_groups.complete(now(), long).is_none());
    assert!(read.subnet_groups.complete(now(), long).is_none());
    assert!(read.parameters.is_empty() && read.protections.is_empty());
    let (instance, volume) = (&read.instances.seen[0], &read.volumes.seen[0]);
    assert_eq!((&instance.subnet, instance.security_groups.len(), &instance.profile), (&None, 0, &None));
    assert_eq!(volume.attachments, [Attachment { host: "i-1".into(), state: AttachmentState::Unknown }]);
    assert_eq!(
        (volume.attached_to().count(), volume.state),
        (0, VolumeState::Unknown),
        "its state was not told"
    );
    assert_eq!(read.addresses.seen[0].attached_to, Some("i-1".into()));
}

#[test]
fn what_assertions_look_at_survives_a_recording() {
    let mut inventory = unread();
    let group = SecurityGroup {
        id: "sg-1".to_owned(),
        name: "web".to_owned(),
        vpc: Some("vpc-1".to_owned()),
        tags: [("Name", "web")].into_iter().collect(),
        inbound: vec![Rule {
            protocol: Protocol::Tcp,
            ports: Ports::Range { from: 443, to: 443 },
            peers: vec![
                Peer::Cidr("0.0.0.0/0".parse().unwrap()),
                Peer::Cidr("::/0".parse().unwrap()),
                Peer::PrefixList("pl-1".to_owned()),
                Peer::Group("sg-2".to_owned()),
            ],
        }],
        outbound: vec![
            Rule { protocol: Protocol::All, ports: Ports::All, peers: Vec::new() },
            Rule {
                protocol: Protocol::Icmp,
                ports: Ports::Icmp { kind: Some(8), code: None },
                peers: Vec::new(),
            },
            Rule { protocol: "47".into(), ports: Ports::All, peers: Vec::new() },
        ],
        unread_rules: 1,
    };
    inventory.security_groups = Reading::complete_at("sg", now(), vec![group]);
    let subnets = SubnetGroup {
        name: "shop".to_owned(),
        vpc: Some("vpc-1".to_owned()),
        status: "Complete".to_owned(),
        subnets: vec!["subnet-1".to_owned()],
    };
    inventory.subnet_groups = Reading::complete_at("subnets", now(), vec![subnets]);
    let values = [("max_connections".to_owned(), parameter(Some("500"), ParameterSource::User))].into();
    let known = ParameterGroup { scope: ParameterScope::Named, values };
    let named = |name| ParameterGroupName::of_cluster(name);
    inventory.parameters.insert(named("shop/8"), Reading::complete_at("p", now(), known));
    inventory.protections.insert("i-1".into(), Reading::complete_at("i-1", now(), Some(true)));
    inventory.protections.insert("i-2".into(), Reading::not_yet("i-2", now()));
    let json = serde_json::to_string(&inventory).unwrap();
    assert_eq!(serde_json::from_str::<Inventory>(&json).unwrap(), inventory);
    assert!(
        json.contains(r#""cluster/shop/8""#) && json.contains(r#""ports":{"range":{"from":443,"to":443}}"#)
    );
    let Extent::Failed { .. } = inventory.protections[&HostId::from("i-2")].extent else { panic!() };
    assert_eq!(inventory.protections[&HostId::from("i-2")].seen, None, "not read is not unprotected");
}

#[test]
fn what_was_not_listed_of_a_group_is_not_unset() {
    let values = || [("a".to_owned(), parameter(Some("1"), ParameterSource::User))].into();
    let of = |scope, values| ParameterGroup { scope, values };
    let named = of(ParameterScope::Named, values());
    assert!(
        matches!(named.answer("a"), ParameterAnswer::Value(value) if value.value.as_deref() == Some("1"))
    );
    assert_eq!(named.answer("b"), ParameterAnswer::NotRead);
    assert_eq!(of(ParameterScope::Whole, values()).answer("b"), ParameterAnswer::NoSuchParameter);
    assert_eq!(of(ParameterScope::NoSuchGroup, BTreeMap::new()).answer("a"), ParameterAnswer::NoSuchGroup);
    let both: BTreeSet<String> = ["a", "b"].map(str::to_owned).into();
    assert!(!named.answers(&both) && named.answers(&["a".to_owned()].into()));
    assert!(of(ParameterScope::Whole, values()).answers(&both));
    assert_eq!(
        ParameterGroup::default().answer("a"),
        ParameterAnswer::NotRead,
        "a failed reading says nothing"
    );
}

#[test]
fn only_an_attachment_that_stands_counts() {
    let states = ["attaching", "attached", "detaching", "detached", "busy", "melted-in-2031"];
    let attachments: Vec<Value> =
        states.iter().map(|state| json!({"host": format!("i-{state}"), "state": state})).collect();
    let volume: Volume = serde_json::from_value(
        json!({"id": "vol-1", "sizeGib": 8, "state": "in-use", "attachments": attachments}),
    )
    .unwrap();
    assert_eq!(volume.attached_to().collect::<Vec<_>>(), [&HostId::from("i-attached")]);
    assert_eq!(volume.attachments.last().unwrap().state, AttachmentState::Unknown);
    assert_eq!(volume.state, VolumeState::InUse);
}

#[test]
fn blocks_of_addresses_hold_one_another_within_one_family() {
    let cidr = |text: &str| text.parse::<Cidr>().unwrap();
    assert!(cidr("10.0.0.0/8").contains(&cidr("10.1.0.0/16")));
    assert!(!cidr("10.1.0.0/16").contains(&cidr("10.0.0.0/8")));
    assert!(cidr("::/0").contains(&cidr("2001:db8::/32")));
    assert!(!cidr("::/0").contains(&cidr("10.0.0.0/8")) && !cidr("0.0.0.0/0").contains(&cidr("::1/128")));
    assert_eq!(cidr("10.0.0.7/8"), cidr("10.0.0.0/8"), "bits beyond the prefix say nothing");
    assert!(cidr("10.0.0.0/8").is_v4() && !cidr("::/0").is_v4());
    for wrong in ["10.0.0.0", "10.0.0.0/33", "sg-1", ""] {
        assert!(wrong.parse::<Cidr>().is_err(), "{wrong}");
    }
}

#[test]
fn ports_are_covered_by_all_or_by_a_range_around_them() {
    let range = |from, to| Ports::Range { from, to };
    assert!(Ports::All.cover(0, 65_535) && range(80, 443).cover(80, 443) && range(0, 65_535).cover(22, 22));
    assert!(!range(80, 443).cover(79, 80) && !range(80, 443).cover(443, 444));
    assert!(!Ports::Icmp { kind: None, code: None }.cover(0, 0), "a type is no port");
}

#[test]
fn names_of_parameter_groups_keep_their_kind() {
    for (name, text) in [
        (ParameterGroupName::of_instance("default.mysql8.0"), "instance/default.mysql8.0"),
        (ParameterGroupName::of_cluster("shop"), "cluster/shop"),
    ] {
        assert_eq!(String::from(name.clone()), text);
        assert_eq!(ParameterGroupName::try_from(text.to_owned()).unwrap(), name);
    }
    for wrong in ["shop", "cluster/", "option/shop", ""] {
        assert!(ParameterGroupName::try_from(wrong.to_owned()).unwrap_err().contains("instance/NAME"));
    }
}
