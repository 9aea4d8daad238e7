//! `GET /notification-groups` and `GET /channels`: whom alerts reach.
//!
//! Two lists that refer to each other are one reading: a group that names what the other list lacks, or no default group
//! (which cannot be deleted), says that something was lost, and then nothing is said of whom alerts do not reach.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rollcall_engine::reading::{Extent, Failure, FailureKind, Gap, Reading};
use rollcall_engine::registry::{Channel, NotificationGroup, Notifications, Routed};
use serde::Deserialize;

use super::elements::Element;
use super::listing::Listing;

/// A group, as documented. What is absent is empty.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    id: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    notification_level: Option<String>,
    child_notification_group_ids: Option<Vec<String>>,
    child_channel_ids: Option<Vec<String>>,
    monitors: Option<Vec<OfMonitor>>,
    services: Option<Vec<OfService>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfMonitor {
    id: String,
    skip_default: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfService {
    name: String,
    skip_default: Option<bool>,
}

/// A channel of any type. Addresses and tokens in it are not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyChannel {
    id: String,
    name: String,
    events: Option<Vec<String>>,
    suspended_at: Option<i64>,
}

/// Takes one group.
pub(super) fn take_group(listing: &mut Listing<Vec<NotificationGroup>>, element: &Element<'_>) {
    listing.elements += 1;
    let Some(group) = read::<Group>(element) else {
        return listing.odd.count("notification groups", "");
    };
    let monitors = group.monitors.unwrap_or_default().into_iter();
    let services = group.services.unwrap_or_default().into_iter();
    listing.seen.push(NotificationGroup {
        is_default: group.kind.as_deref() == Some("group-default"),
        only_critical: group.notification_level.as_deref() == Some("critical"),
        monitors: monitors.map(|of| routed(of.id, of.skip_default)).collect(),
        services: services.map(|of| routed(of.name, of.skip_default)).collect(),
        groups: group.child_notification_group_ids.unwrap_or_default(),
        channels: group.child_channel_ids.unwrap_or_default(),
        id: group.id,
    });
}

/// Takes one channel.
pub(super) fn take_channel(listing: &mut Listing<Vec<Channel>>, element: &Element<'_>) {
    listing.elements += 1;
    let Some(channel) = read::<AnyChannel>(element) else {
        return listing.odd.count("channels", "");
    };
    let wants_alerts = channel.events.is_none_or(|events| events.iter().any(|event| event == "alert"));
    listing.seen.push(Channel {
        carries_alerts: wants_alerts && channel.suspended_at.is_none(),
        id: channel.id,
        name: channel.name,
    });
}

fn read<'a, T: Deserialize<'a>>(element: &Element<'a>) -> Option<T> {
    match element {
        Element::Whole(bytes) => serde_json::from_slice(bytes).ok(),
        Element::TooLong => None,
    }
}

fn routed(of: String, skips_default: Option<bool>) -> Routed {
    Routed { of, skips_default: skips_default.unwrap_or_default() }
}

/// Both lists as the one reading that they are.
pub(super) fn reading(
    groups: Listing<Vec<NotificationGroup>>,
    channels: Listing<Vec<Channel>>,
    source: String,
    now: Timestamp,
) -> Reading<Notifications> {
    let (groups, channels) = (groups.reading(source.clone(), now), channels.reading(source, now));
    let lost = lost(&groups.seen, &channels.seen);
    let Reading { source, mut extent, request_ids, seen: groups } = groups;
    extent = match (extent, channels.extent) {
        (Extent::Failed { since, why }, _) | (_, Extent::Failed { since, why }) => {
            Extent::Failed { since, why }
        }
        (Extent::Partial { at, mut missing }, Extent::Partial { missing: more, .. }) => {
            missing.extend(more);
            Extent::Partial { at, missing }
        }
        (partial @ Extent::Partial { .. }, _) | (_, partial @ Extent::Partial { .. }) => partial,
        (Extent::Complete { at }, Extent::Complete { .. }) => match lost {
            None => Extent::Complete { at },
            Some(what) => {
                let why = Failure::new(
                    FailureKind::Malformed,
                    format!(
                        "expected notification groups and channels that fit together, found {what}; they are read again at the next poll"
                    ),
                );
                Extent::Partial {
                    at,
                    missing: vec![Gap { what: "notification groups or channels".to_owned(), why }],
                }
            }
        },
    };
    Reading { source, extent, request_ids, seen: Notifications { groups, channels: channels.seen } }
}

/// What one list names and the other lacks.
fn lost(groups: &[NotificationGroup], channels: &[Channel]) -> Option<String> {
    let known: BTreeSet<&str> = groups.iter().map(|group| group.id.as_str()).collect();
    let carried: BTreeSet<&str> = channels.iter().map(|channel| channel.id.as_str()).collect();
    if !groups.iter().any(|group| group.is_default) {
        return Some("no default group".to_owned());
    }
    for group in groups {
        let id = group.id.chars().take(64).collect::<String>();
        if group.groups.iter().any(|child| !known.contains(child.as_str())) {
            return Some(format!("a group that {id:?} tells and that is not listed"));
        }
        if group.channels.iter().any(|channel| !carried.contains(channel.as_str())) {
            return Some(format!("a channel that {id:?} uses and that is not listed"));
        }
    }
    None
}

#[cfg(test)]
mod tests;
