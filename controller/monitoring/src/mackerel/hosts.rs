//! `GET /hosts`: the registrations. Decodes the fields used, one host at a time, and lets no odd host fail the list.
//!
//! What we join on (id, name, custom identifier, roles) must be readable, or the reading is no proof of absence: were
//! these fields to change their shape one day, every host would look unregistered. Everything else may be odd.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use rollcall_engine::ids::RegistrationId;
use rollcall_engine::registry::{Registration, RegistrationStatus, Scope};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::elements::Element;
use super::listing::Listing;

/// No list of hosts is longer.
pub const MAX_HOSTS: usize = 200_000;
/// Addresses kept of one host: hosts of containers have hundreds.
const MAX_ADDRESSES: usize = 32;
/// Ids are eleven characters today; they become parts of URLs, so that a longer one is not taken for an id.
const MAX_ID: usize = 64;

/// The hosts read so far.
pub(super) struct Hosts {
    listing: Listing<Vec<Registration>>,
    ids: BTreeSet<RegistrationId>,
}

impl Hosts {
    pub(super) fn new() -> Self {
        Self { listing: Listing::empty(), ids: BTreeSet::new() }
    }

    /// Whether the limit is reached.
    pub(super) fn is_full(&self) -> bool {
        self.listing.elements > MAX_HOSTS
    }

    /// Takes one element of the list.
    pub(super) fn take(&mut self, element: &Element<'_>) {
        self.listing.elements += 1;
        let host = match element {
            Element::Whole(bytes) => serde_json::from_slice::<Host>(bytes).ok(),
            Element::TooLong => None,
        };
        let Some(host) = host else {
            self.listing.odd.count("hosts", "");
            return;
        };
        if host.is_retired == Value::Bool(true) {
            return;
        }
        let Some(id) = id(&host.id) else {
            self.listing.odd.count("ids of hosts", "");
            return;
        };
        if !self.ids.insert(id.clone()) {
            self.listing.odd.count("hosts that are listed once", id.as_str());
            return;
        }
        for what in host.unreadable() {
            self.listing.odd.count(what, id.as_str());
        }
        self.listing.seen.push(host.registration(id));
    }

    pub(super) fn listing(mut self) -> Listing<Vec<Registration>> {
        self.listing.seen.shrink_to_fit();
        self.listing
    }
}

/// An id, if this is one.
pub(super) fn id(value: &Value) -> Option<RegistrationId> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let text = value.as_str().filter(|t| !t.is_empty() && t.len() <= MAX_ID && t.chars().all(plain))?;
    Some(RegistrationId::new(text))
}

/// A host as told; anything may be of any type, and what is not here is skipped unread.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Host {
    id: Value,
    name: Value,
    custom_identifier: Value,
    status: Value,
    is_retired: Value,
    created_at: Value,
    roles: Value,
    interfaces: Value,
    meta: Meta,
}

impl Host {
    /// What we join on and cannot read.
    fn unreadable(&self) -> impl Iterator<Item = &'static str> {
        let text_or_null = self.custom_identifier.is_string() || self.custom_identifier.is_null();
        [
            (!self.name.is_string(), "names of hosts"),
            (!text_or_null, "custom identifiers of hosts"),
            (roles(&self.roles).is_none(), "roles of hosts"),
        ]
        .into_iter()
        .filter_map(|(odd, what)| odd.then_some(what))
    }

    fn registration(&self, id: RegistrationId) -> Registration {
        Registration {
            id,
            name: self.name.as_str().unwrap_or_default().to_owned(),
            custom_identifier: filled(&self.custom_identifier).map(str::to_lowercase),
            instance_id: self.meta.instance_id.clone(),
            provider: self.meta.provider.clone(),
            status: status(&self.status),
            roles: roles(&self.roles).unwrap_or_default(),
            run: None,
            variables: BTreeMap::new(),
            addresses: addresses(&self.interfaces),
            created_at: self.created_at.as_i64().and_then(|s| Timestamp::from_second(s).ok()),
        }
    }
}

/// A text with something in it, without the white space around it.
pub(super) fn filled(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn status(value: &Value) -> RegistrationStatus {
    match value.as_str() {
        Some("working") => RegistrationStatus::Working,
        Some("standby") => RegistrationStatus::Standby,
        Some("maintenance") => RegistrationStatus::Maintenance,
        Some("poweroff") => RegistrationStatus::Poweroff,
        _ => RegistrationStatus::Unknown,
    }
}

/// `{"service": ["role"]}`; `None` when it is anything else.
fn roles(value: &Value) -> Option<Vec<Scope>> {
    let mut scopes = vec![];
    for (service, roles) in value.as_object()? {
        for role in roles.as_array()? {
            let role = role.as_str()?.trim();
            scopes.push(Scope { service: service.trim().to_owned(), role: Some(role.to_owned()) });
        }
    }
    scopes.sort();
    scopes.dedup();
    scopes.shrink_to_fit();
    Some(scopes)
}

/// Addresses of all interfaces. The plural fields win over the old singular ones; what is no address is left out.
fn addresses(interfaces: &Value) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = vec![];
    for interface in interfaces.as_array().into_iter().flatten() {
        for (plural, singular) in [("ipv4Addresses", "ipAddress"), ("ipv6Addresses", "ipv6Address")] {
            let many = interface.get(plural).and_then(Value::as_array).filter(|list| !list.is_empty());
            let texts = many.map_or_else(
                || interface.get(singular).into_iter().collect(),
                |m| m.iter().collect::<Vec<_>>(),
            );
            found.extend(texts.into_iter().filter_map(|t| t.as_str()?.parse::<IpAddr>().ok()));
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|address| seen.insert(*address));
    found.truncate(MAX_ADDRESSES);
    found.shrink_to_fit();
    found
}

/// `meta.cloud`, and nothing else of `meta`, which is most of a host's bytes.
#[derive(Default)]
struct Meta {
    instance_id: Option<String>,
    provider: Option<String>,
}

impl Meta {
    /// A failed metadata read on the host leaves the block out, a refused one leaves empty texts in it.
    fn of(cloud: &Value) -> Self {
        let text = |value: Option<&Value>| value.and_then(filled).map(str::to_owned);
        Self {
            instance_id: text(cloud.get("metadata").and_then(|m| m.get("instance-id"))),
            provider: text(cloud.get("provider")),
        }
    }
}

impl<'de> Deserialize<'de> for Meta {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OnlyCloud)
    }
}

/// Picks `cloud` out of an object; anything that is no object has none.
struct OnlyCloud;

impl<'de> Visitor<'de> for OnlyCloud {
    type Value = Meta;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("metadata of a host")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Meta, A::Error> {
        let mut meta = Meta::default();
        while let Some(key) = map.next_key::<String>()? {
            if key == "cloud" {
                meta = Meta::of(&map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(meta)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Meta, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Meta::default())
    }
    fn visit_bool<E>(self, _: bool) -> Result<Meta, E> {
        Ok(Meta::default())
    }
    fn visit_i64<E>(self, _: i64) -> Result<Meta, E> {
        Ok(Meta::default())
    }
    fn visit_u64<E>(self, _: u64) -> Result<Meta, E> {
        Ok(Meta::default())
    }
    fn visit_f64<E>(self, _: f64) -> Result<Meta, E> {
        Ok(Meta::default())
    }
    fn visit_str<E>(self, _: &str) -> Result<Meta, E> {
        Ok(Meta::default())
    }
    fn visit_unit<E>(self) -> Result<Meta, E> {
        Ok(Meta::default())
    }
}

#[cfg(test)]
mod tests;
