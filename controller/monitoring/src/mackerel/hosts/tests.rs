//! What a list of hosts may look like, and what is believed of it.

use proptest::prelude::*;
use rollcall_engine::reading::{Extent, Failure, FailureKind, Reading};
use serde_json::json;

use super::super::elements::Elements;
use super::*;

fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// The reading that this document is.
fn read(document: &[u8]) -> Reading<Vec<Registration>> {
    let (mut hosts, mut elements) = (Hosts::new(), Elements::of("hosts"));
    let end = elements.feed(document, |e| hosts.take(&e)).and_then(|()| elements.finish());
    let mut listing = hosts.listing();
    listing.cut = end.err().map(|e| Failure::new(FailureKind::Malformed, e.to_string()));
    listing.reading("hosts".to_owned(), noon())
}

fn read_hosts(hosts: &Value) -> Reading<Vec<Registration>> {
    read(json!({"hosts": hosts}).to_string().as_bytes())
}

fn is_complete<T>(reading: &Reading<T>) -> bool {
    matches!(reading.extent, Extent::Complete { .. })
}

/// A host as the API shows one of an agent on EC2.
fn documented() -> Value {
    json!({
        "createdAt": 1_416_151_310, "id": "2eQGEaLxiYU", "memo": "", "name": "jp1-app-1", "displayName": "App 1",
        "status": "working", "size": "standard", "isRetired": false, "customIdentifier": "i-0ABC.EC2.amazonaws.com",
        "roles": {"Backlog": ["app", "git"], "Ops": ["linux"]},
        "interfaces": [
            {"name": "eth0", "macAddress": "02:00:00:00:00:01", "ipAddress": "10.0.0.9",
             "ipv4Addresses": ["10.0.0.1", "10.0.0.2"], "ipv6Addresses": ["2406:da14::1"], "ipv6Address": "2406:da14::9"},
            {"name": "eth1", "ipAddress": "10.0.1.1", "ipv4Addresses": []},
            {"name": "docker0"}
        ],
        "meta": {
            "agent-name": "mackerel-agent/0.87.0", "cpu": [{"model_name": "x"}], "filesystem": {"/dev/xvda": {"kb_size": 1}},
            "cloud": {"provider": "ec2", "metadata": {"instance-id": "i-0abc", "instance-type": "m5.large"}}
        },
        "somethingNew": {"of": ["any", "shape"]}
    })
}

#[test]
fn a_host_as_documented() {
    let reading = read_hosts(&json!([documented()]));
    assert!(is_complete(&reading), "{:?}", reading.extent);
    let scope = |service: &str, role: &str| Scope { service: service.into(), role: Some(role.into()) };
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let expected = Registration {
        id: "2eQGEaLxiYU".into(),
        name: "jp1-app-1".into(),
        custom_identifier: Some("i-0abc.ec2.amazonaws.com".into()),
        instance_id: Some("i-0abc".into()),
        provider: Some("ec2".into()),
        status: RegistrationStatus::Working,
        roles: vec![scope("Backlog", "app"), scope("Backlog", "git"), scope("Ops", "linux")],
        run: None,
        variables: BTreeMap::new(),
        addresses: vec![
            address("10.0.0.1"),
            address("10.0.0.2"),
            address("2406:da14::1"),
            address("10.0.1.1"),
        ],
        created_at: Some("2014-11-16T15:21:50Z".parse().unwrap()),
    };
    assert_eq!(reading.seen, [expected]);
}

#[test]
fn what_may_be_missing_or_odd_without_harm() {
    for (field, value) in [
        ("customIdentifier", Value::Null),
        ("customIdentifier", json!("")),
        ("meta", json!([])),
        ("meta", json!("none")),
        ("meta", json!(7)),
        ("meta", Value::Null),
        ("meta", json!({"cloud": null})),
        ("meta", json!({"cloud": {"metadata": {"instance-id": ""}}})),
        ("meta", json!({"cloud": {"provider": 3, "metadata": ["x"]}})),
        ("interfaces", json!({"eth0": {}})),
        ("interfaces", json!([{"ipAddress": "not an address"}, 3, {"ipv4Addresses": "10.0.0.1"}])),
        ("createdAt", json!("yesterday")),
        ("createdAt", json!(1e300)),
        ("size", json!({"new": 1})),
        ("displayName", json!(false)),
        ("isRetired", json!("no")),
    ] {
        let mut host = documented();
        host[field] = value.clone();
        let reading = read_hosts(&json!([host, {"id": "b", "name": "b", "roles": {}}]));
        assert!(is_complete(&reading) && reading.seen.len() == 2, "{field} {value}: {:?}", reading.extent);
    }
}

#[test]
fn what_we_join_on_must_be_readable_or_nothing_is_proved_absent() {
    for (field, value) in [
        ("id", Value::Null),
        ("id", json!(17)),
        ("id", json!("../../services")),
        ("id", json!("x".repeat(65))),
        ("name", Value::Null),
        ("name", json!(["a"])),
        ("customIdentifier", json!(42)),
        ("customIdentifier", json!({"value": "i-0abc.ec2.amazonaws.com"})),
        ("roles", Value::Null),
        ("roles", json!(["Backlog:app"])),
        ("roles", json!({"Backlog": "app"})),
        ("roles", json!({"Backlog": [1]})),
    ] {
        let mut host = documented();
        host[field] = value.clone();
        let reading = read_hosts(&json!([host, {"id": "b", "name": "b", "roles": {}}]));
        assert!(
            matches!(&reading.extent, Extent::Partial { missing, .. } if missing.len() == 1),
            "{field} {value}"
        );
        assert!(reading.seen.iter().any(|h| h.id.as_str() == "b"), "{field} {value}: the next host is seen");
    }
}

#[test]
fn one_odd_element_costs_the_proof_and_nothing_else() {
    let too_deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let half_a_character = r#"{"id":"a","name":"\ud800"}"#;
    for odd in ["null", "7", r#""text""#, "[]", half_a_character, &too_deep] {
        let document = format!(r#"{{"hosts":[{odd},{{"id":"b","name":"b","roles":{{}}}}]}}"#);
        let reading = read(document.as_bytes());
        assert!(matches!(reading.extent, Extent::Partial { .. }), "{odd}");
        assert_eq!(reading.seen.len(), 1, "{odd}");
    }
}

#[test]
fn many_odd_hosts_are_one_line_of_explanation() {
    let hosts: Vec<_> = (0..500).map(|n| json!({"id": format!("h{n}"), "roles": {}})).collect();
    let Extent::Partial { missing, .. } = read_hosts(&hosts.into()).extent else { panic!() };
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].what, "names of hosts (500 times)");
    assert!(missing[0].why.message.contains("h0"), "{:?}", missing[0]);
}

#[test]
fn a_host_listed_twice_is_seen_once_and_the_list_proves_nothing() {
    let reading = read_hosts(&json!([documented(), documented()]));
    assert_eq!(reading.seen.len(), 1);
    assert!(matches!(reading.extent, Extent::Partial { .. }));
}

#[test]
fn retired_hosts_are_left_out_even_if_a_server_lists_them() {
    let mut retired = documented();
    retired["isRetired"] = json!(true);
    let reading = read_hosts(&json!([retired]));
    assert!(is_complete(&reading) && reading.seen.is_empty());
}

#[test]
fn statuses_and_one_we_do_not_know() {
    for (told, expected) in [
        (json!("working"), RegistrationStatus::Working),
        (json!("standby"), RegistrationStatus::Standby),
        (json!("maintenance"), RegistrationStatus::Maintenance),
        (json!("poweroff"), RegistrationStatus::Poweroff),
        (json!("hibernating"), RegistrationStatus::Unknown),
        (Value::Null, RegistrationStatus::Unknown),
    ] {
        let mut host = documented();
        host["status"] = told;
        assert_eq!(read_hosts(&json!([host])).seen[0].status, expected);
    }
}

#[test]
fn hostile_names_are_taken_as_they_are() {
    let name = format!("\u{1b}[31m\u{0}{}\u{202e}", "x".repeat(10_000));
    let mut host = documented();
    host["name"] = json!(name);
    let reading = read_hosts(&json!([host]));
    assert!(is_complete(&reading));
    assert_eq!(reading.seen[0].name, name);
}

#[test]
fn an_answer_that_is_not_a_list_is_no_list() {
    for document in
        ["", "<html></html>", "{}", "[]", "null", r#"{"hosts":null}"#, r#"{"error":{"message":"x"}}"#]
    {
        let reading = read(document.as_bytes());
        assert!(matches!(reading.extent, Extent::Failed { .. }), "{document}");
    }
}

#[test]
fn cut_at_any_byte_it_is_never_complete() {
    let mut second = documented();
    second["id"] = json!("b");
    let document = json!({"hosts": [documented(), second]}).to_string();
    for at in 0..document.len() {
        let reading = read(&document.as_bytes()[..at]);
        assert!(!is_complete(&reading), "at byte {at}");
    }
    assert!(is_complete(&read(document.as_bytes())));
}

/// JSON with our field names and any values.
fn odd_host() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z.]{0,8}".prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "id",
        "name",
        "customIdentifier",
        "status",
        "isRetired",
        "createdAt",
        "roles",
        "interfaces",
        "meta",
        "cloud",
        "metadata",
        "instance-id",
        "ipAddress",
        "ipv4Addresses",
        "time",
        "x",
    ]);
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn no_host_however_odd_hides_its_neighbours(odd in prop::collection::vec(odd_host(), 0..5)) {
        let mut all = vec![json!({"id": "FIRST", "name": "first", "roles": {}})];
        all.extend(odd);
        all.push(json!({"id": "LAST", "name": "last", "roles": {}}));
        let seen = read_hosts(&Value::from(all)).seen;
        for id in ["FIRST", "LAST"] {
            prop_assert!(seen.iter().any(|h| h.id.as_str() == id));
        }
    }

    #[test]
    fn any_bytes_give_a_reading(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
        let _ = read(&[br#"{"hosts":["#.as_slice(), &bytes, b"]}"].concat());
    }
}

/// Every byte of a list, changed into every byte that means something in JSON and some that do not: whatever is still called
/// complete has lost no host.
#[test]
fn no_damaged_byte_loses_a_host_in_silence() {
    let mut second = documented();
    second["id"] = json!("b");
    let whole = json!({"hosts": [documented(), second]}).to_string().into_bytes();
    for at in 0..whole.len() {
        for byte in *b"\"{}[]:,\\ 0ntf\0\xff" {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            let reading = read(&damaged);
            let lost = is_complete(&reading) && reading.seen.len() != 2;
            assert!(!lost, "byte {at} as {byte:#x}: {}", String::from_utf8_lossy(&damaged));
        }
    }
}
