//! `GET /services`: services and the roles defined under each.

use std::collections::BTreeMap;

use serde_json::Value;

use super::elements::Element;
use super::hosts::filled;
use super::listing::Listing;

/// Takes one service: a name and names of roles, all of which must be readable.
pub(super) fn take(listing: &mut Listing<BTreeMap<String, Vec<String>>>, element: &Element<'_>) {
    listing.elements += 1;
    let Element::Whole(bytes) = element else {
        return listing.odd.count("services", "");
    };
    let service = serde_json::from_slice(bytes).unwrap_or(Value::Null);
    let Some(name) = service.get("name").and_then(filled) else {
        return listing.odd.count("names of services", "");
    };
    let list = service.get("roles").and_then(Value::as_array);
    let roles: Option<Vec<String>> =
        list.and_then(|list| list.iter().map(|role| Some(filled(role)?.to_owned())).collect());
    if roles.is_none() {
        listing.odd.count("roles of services", name);
    }
    if listing.seen.insert(name.to_owned(), roles.unwrap_or_default()).is_some() {
        listing.odd.count("services that are listed once", name);
    }
}
