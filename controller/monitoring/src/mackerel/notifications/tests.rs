#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test speaks by panicking")]

use serde_json::{Value, json};

use super::*;

fn listing<T: Default>(elements: &Value, take: impl Fn(&mut Listing<T>, &Element<'_>)) -> Listing<T> {
    let mut listing = Listing::empty();
    for element in elements.as_array().unwrap() {
        take(&mut listing, &Element::Whole(element.to_string().as_bytes()));
    }
    listing
}

fn read_both(groups: &Value, channels: &Value) -> Reading<Notifications> {
    let groups = listing(groups, take_group);
    reading(groups, listing(channels, take_channel), "mackerel".to_owned(), Timestamp::UNIX_EPOCH)
}

fn default_group() -> Value {
    json!({"id": "d", "type": "group-default", "name": "Default", "notificationLevel": "all",
           "childNotificationGroupIds": [], "childChannelIds": ["c"], "monitors": [], "services": []})
}

#[test]
fn groups_and_channels_as_documented() {
    let night = json!({"id": "n", "type": "group", "name": "night", "notificationLevel": "critical",
        "childNotificationGroupIds": ["d"], "childChannelIds": ["p"],
        "monitors": [{"id": "m", "skipDefault": true}], "services": [{"name": "Backlog"}]});
    let channels = json!([
        {"id": "c", "name": "sre-chat", "type": "slack", "url": "https://hooks.example.com/T/SECRET", "events": ["alert"]},
        {"id": "p", "name": "PagerDuty", "type": "pagerduty"},
        {"id": "q", "name": "quiet", "type": "email", "events": ["hostRetire"]},
        {"id": "s", "name": "asleep", "type": "slack", "events": ["alert"], "suspendedAt": 1_700_000_000},
    ]);
    let reading = read_both(&json!([default_group(), night]), &channels);
    assert!(matches!(reading.extent, Extent::Complete { .. }), "{:?}", reading.extent);
    let night = &reading.seen.groups[1];
    assert!(night.only_critical && !night.is_default);
    assert_eq!(night.monitors, [Routed { of: "m".to_owned(), skips_default: true }]);
    assert_eq!(night.services, [Routed { of: "Backlog".to_owned(), skips_default: false }]);
    let carrying: Vec<(&str, bool)> =
        reading.seen.channels.iter().map(|channel| (channel.name.as_str(), channel.carries_alerts)).collect();
    assert_eq!(carrying, [("sre-chat", true), ("PagerDuty", true), ("quiet", false), ("asleep", false)]);
    let kept = serde_json::to_string(&reading.seen).unwrap();
    assert!(!kept.contains("SECRET"), "{kept}");
}

#[test]
fn lists_that_do_not_fit_together_prove_nothing() {
    let channel = json!([{"id": "c", "name": "sre-chat"}]);
    let child = json!({"id": "x", "type": "group", "childNotificationGroupIds": ["lost"]});
    for (groups, channels) in [
        (json!([]), channel.clone()),
        (json!([default_group()]), json!([])),
        (json!([default_group(), child]), channel.clone()),
        (json!([default_group(), {"id": 7}]), channel.clone()),
        (json!([default_group()]), json!([{"id": "c", "name": "sre-chat"}, {"name": "no id"}])),
    ] {
        let reading = read_both(&groups, &channels);
        assert!(
            matches!(reading.extent, Extent::Partial { .. }),
            "{groups} {channels}: {:?}",
            reading.extent
        );
    }
    let failed = Listing::failed(Failure::new(FailureKind::Denied, "no"));
    let groups = listing(&json!([default_group()]), take_group);
    let reading = reading(groups, failed, "mackerel".to_owned(), Timestamp::UNIX_EPOCH);
    assert!(matches!(reading.extent, Extent::Failed { .. }));
}
