//! What one answer of Mackerel says, from its bytes: for fuzzing, which makes no calls.
//!
//! Only what [`super::client`] does with an answer by itself. The list of hosts comes in pieces of `piece` bytes, as it does
//! from a network.

use std::collections::BTreeMap;
use std::fmt::Debug;

use bytes::Bytes;
use jiff::Timestamp;
use rollcall_engine::reading::{Failure, FailureKind, Reading};
use rollcall_engine::registry::{Monitor, Notifications, Registration};

use super::checks::{Page, Status};
use super::client::cut_up;
use super::elements::{Element, Elements};
use super::hosts::Hosts;
use super::key::ApiKey;
use super::listing::Listing;
use super::metrics::Latest;
use super::{
    metrics, monitors as monitors_of, notifications as notifications_of, refusal, services as services_of,
};
use crate::http::CallError;

const AT: Timestamp = Timestamp::UNIX_EPOCH;

/// `GET /hosts`.
#[must_use]
pub fn hosts(body: &[u8], piece: usize) -> Reading<Vec<Registration>> {
    let (mut hosts, mut elements) = (Hosts::new(), Elements::of("hosts"));
    let fed = body.chunks(piece.max(1)).try_for_each(|bytes| elements.feed(bytes, |e| hosts.take(&e)));
    let cut = fed.and_then(|()| elements.finish()).err().map(|e| malformed(&e.to_string()));
    Listing { cut, ..hosts.listing() }.reading("hosts".to_owned(), AT)
}

/// `GET /services`.
#[must_use]
pub fn services(body: &[u8]) -> Reading<BTreeMap<String, Vec<String>>> {
    listing(body, "services", services_of::take).reading("services".to_owned(), AT)
}

/// `GET /monitors`.
#[must_use]
pub fn monitors(body: &[u8]) -> Reading<Vec<Monitor>> {
    listing(body, "monitors", monitors_of::take)
        .map(|monitors| monitors.read)
        .reading("monitors".to_owned(), AT)
}

/// `GET /notification-groups` and `GET /channels`.
#[must_use]
pub fn notifications(groups: &[u8], channels: &[u8]) -> Reading<Notifications> {
    let groups = listing(groups, "notificationGroups", notifications_of::take_group);
    let channels = listing(channels, "channels", notifications_of::take_channel);
    notifications_of::reading(groups, channels, "notifications".to_owned(), AT)
}

/// `GET /monitoring/checks`.
///
/// # Errors
/// What was expected.
pub fn page_of_checks(body: &[u8]) -> Result<impl Debug + PartialEq + use<>, &'static str> {
    Page::parse(body)
}

/// `GET /hosts/ID/monitored-statuses`.
///
/// # Errors
/// Why the list is not whole.
pub fn statuses(body: &[u8]) -> Result<Vec<impl Debug + PartialEq + use<>>, String> {
    let mut statuses = vec![];
    cut_up(body, "monitoredStatuses", |element| statuses.push(Status::parse(element)))?;
    Ok(statuses)
}

/// `GET /tsdb/latest`.
///
/// # Errors
/// Why nothing of it is believed.
pub fn latest(body: &[u8]) -> Result<Latest, Failure> {
    metrics::parse(body)
}

/// What is told of an answer that is not 200, to whoever called with the key `key`.
///
/// # Errors
/// When `key` is none.
pub fn refusal(status: u16, body: &[u8], key: &str) -> Result<Failure, Failure> {
    let error = CallError::Status { status, body: Bytes::copy_from_slice(body), retry_after: None };
    Ok(refusal::failure("GET /x", &error, &ApiKey::new(key)?))
}

/// All elements under `list`, as written, that were not too long.
///
/// # Errors
/// Why the document is not whole.
pub fn cut(list: &'static str, body: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut told = vec![];
    cut_up(body, list, |element| {
        if let Element::Whole(bytes) = element {
            told.push(bytes.to_vec());
        }
    })?;
    Ok(told)
}

fn listing<T: Default>(
    body: &[u8],
    list: &'static str,
    take: impl Fn(&mut Listing<T>, &Element<'_>),
) -> Listing<T> {
    let mut listing = Listing::empty();
    let cut = cut_up(body, list, |element| take(&mut listing, &element));
    Listing { cut: cut.err().map(|what| malformed(&what)), ..listing }
}

fn malformed(what: &str) -> Failure {
    Failure::new(FailureKind::Malformed, what)
}
