//! `GET /monitors`: kept as told, and read for what the engine asks.
//!
//! A monitor is an open document: new types and fields appear, and `PUT` overwrites all of it. So [`RawMonitor`] keeps
//! every field as it came, and what is read off it is read by name. An unknown type is one monitor we cannot judge,
//! never the end of the list.

use std::collections::BTreeSet;

use rollcall_engine::registry::{Direction, Monitor, OfService, Scope, Url, Watches};
use serde_json::{Map, Value};

use super::elements::Element;
use super::hosts::filled;
use super::listing::Listing;

/// A monitor exactly as the API told it, in the API's order of fields.
#[derive(Clone, Debug, PartialEq)]
pub struct RawMonitor(Map<String, Value>);

impl RawMonitor {
    /// All of it, to be written back one day.
    #[must_use]
    pub fn as_json(&self) -> &Map<String, Value> {
        &self.0
    }

    fn get(&self, field: &str) -> &Value {
        self.0.get(field).unwrap_or(&Value::Null)
    }

    /// What the engine knows of a monitor, and which of the fields that decide about coverage cannot be read.
    fn read(&self, id: &str) -> (Monitor, Vec<&'static str>) {
        let mut odd = vec![];
        let kind = self.get("type").as_str().unwrap_or_default();
        if kind.is_empty() {
            odd.push("types of monitors");
        }
        let watches = match kind {
            "host" => self.host_metric().unwrap_or_else(|what| {
                odd.push(what);
                Watches::Other(kind.to_owned())
            }),
            "connectivity" => Watches::Connectivity,
            // An address that nobody can read is none that a check can ask for.
            "external" => {
                let service = self.service().unwrap_or_else(|()| {
                    odd.push("services of external monitors");
                    OfService::Untold
                });
                let url = self.get("url").as_str().and_then(Url::parse);
                url.map_or_else(|| Watches::Other(kind.to_owned()), |url| Watches::External { url, service })
            }
            other => Watches::Other(other.to_owned()),
        };
        let mut scopes = |field: &str, what: &'static str| {
            scopes(self.get(field)).unwrap_or_else(|| {
                odd.push(what);
                vec![]
            })
        };
        let (within, without) =
            (scopes("scopes", "scopes of monitors"), scopes("excludeScopes", "excluded scopes of monitors"));
        let muted = match self.get("isMute") {
            Value::Null => false,
            Value::Bool(muted) => *muted,
            _ => {
                odd.push("mutes of monitors");
                false
            }
        };
        let monitor = Monitor {
            id: id.to_owned(),
            name: self.get("name").as_str().unwrap_or_default().to_owned(),
            watches,
            scopes: within,
            excludes: without,
            muted,
        };
        (monitor, odd)
    }

    /// The service it belongs to, if any.
    fn service(&self) -> Result<OfService, ()> {
        match self.get("service") {
            Value::Null => Ok(OfService::None),
            Value::String(name) if name.is_empty() => Ok(OfService::None),
            Value::String(name) => Ok(OfService::Of(name.clone())),
            _ => Err(()),
        }
    }

    fn host_metric(&self) -> Result<Watches, &'static str> {
        let direction = match self.get("operator").as_str() {
            Some(">") => Direction::Above,
            Some("<") => Direction::Below,
            _ => return Err("operators of host monitors"),
        };
        Ok(Watches::HostMetric {
            metric: filled(self.get("metric")).ok_or("metrics of host monitors")?.to_owned(),
            direction,
            warning: threshold(self.get("warning"))?,
            critical: threshold(self.get("critical"))?,
        })
    }
}

/// A number; null and absent are no threshold.
fn threshold(value: &Value) -> Result<Option<f64>, &'static str> {
    match value {
        Value::Null => Ok(None),
        Value::Number(number) => Ok(number.as_f64()),
        _ => Err("thresholds of host monitors"),
    }
}

/// A list of `Service` and `Service: role`, or nothing.
fn scopes(value: &Value) -> Option<Vec<Scope>> {
    match value {
        Value::Null => Some(vec![]),
        Value::Array(list) => list.iter().map(|text| scope(text.as_str()?)).collect(),
        _ => None,
    }
}

/// `Service` or `Service:role`; the documentation also writes a space after the colon.
fn scope(text: &str) -> Option<Scope> {
    let (service, role) = match text.split_once(':') {
        Some((service, role)) => (service.trim(), Some(role.trim())),
        None => (text.trim(), None),
    };
    let named = !service.is_empty() && role.is_none_or(|r| !r.is_empty());
    named.then(|| Scope { service: service.to_owned(), role: role.map(str::to_owned) })
}

/// The monitors of one list: as told, and as read.
#[derive(Debug, Default)]
pub(super) struct Monitors {
    pub(super) raw: Vec<RawMonitor>,
    pub(super) read: Vec<Monitor>,
    ids: BTreeSet<String>,
}

/// Takes one element of the list.
pub(super) fn take(listing: &mut Listing<Monitors>, element: &Element<'_>) {
    listing.elements += 1;
    let fields = match element {
        Element::Whole(bytes) => serde_json::from_slice(bytes).ok(),
        Element::TooLong => None,
    };
    let Some(raw) = fields.map(RawMonitor) else {
        return listing.odd.count("monitors", "");
    };
    let Some(id) = filled(raw.get("id")) else {
        return listing.odd.count("ids of monitors", "");
    };
    if !listing.seen.ids.insert(id.to_owned()) {
        return listing.odd.count("monitors that are listed once", id);
    }
    let (monitor, odd) = raw.read(id);
    for what in odd {
        listing.odd.count(what, id);
    }
    listing.seen.read.push(monitor);
    listing.seen.raw.push(raw);
}

#[cfg(test)]
mod tests;
