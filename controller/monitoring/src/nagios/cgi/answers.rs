//! What one answer of a CGI says, from its bytes: for fuzzing, which makes no calls.
//!
//! Only what [`super::session`] does with an answer by itself; what must hold between answers is judged there. Bytes come in
//! pieces of `piece` bytes, as they do from a network.

use std::collections::BTreeMap;
use std::fmt::Debug;

use jiff::Timestamp;
use rollcall_engine::reading::{Failure, Reading};
use serde_json::Value;

use super::answer::Answer;
use super::entries::{Entries, Entry};
use super::head::Head;
use super::session::{
    CONTACTS, DOWNTIMES, HOST_COUNT, HOST_STATUS, HOSTS, List, PROGRAM, SERVICE_STATUS, SERVICES, keep,
};
use super::{objects, status};
use crate::mackerel::listing::Listing;
use crate::nagios::told::Program;

/// Hosts of `objectjson.cgi`.
#[must_use]
pub fn hosts(body: &[u8], piece: usize) -> Reading<Vec<impl Debug + PartialEq + use<>>> {
    let mut reader = objects::Reader::new();
    let end = read(HOSTS, body, piece, |entry| {
        reader.host(entry);
    });
    entries(reader.objects.hosts, end)
}

/// Services of `objectjson.cgi`.
#[must_use]
pub fn services(body: &[u8], piece: usize) -> Reading<Vec<impl Debug + PartialEq + use<>>> {
    let mut reader = objects::Reader::new();
    let end = read(SERVICES, body, piece, |entry| {
        reader.service(entry);
    });
    entries(reader.objects.services, end)
}

/// Contacts of `objectjson.cgi`.
#[must_use]
pub fn contacts(body: &[u8], piece: usize) -> Reading<Vec<impl Debug + PartialEq + use<>>> {
    let mut reader = objects::Reader::new();
    let end = read(CONTACTS, body, piece, |entry| reader.contact(entry));
    entries(reader.objects.contacts, end)
}

/// Hosts of `statusjson.cgi`.
#[must_use]
pub fn host_statuses(body: &[u8], piece: usize) -> Reading<Vec<impl Debug + PartialEq + use<>>> {
    let mut reader = status::Reader::new(Timestamp::MAX);
    let end = read(HOST_STATUS, body, piece, |entry| {
        reader.host(entry);
    });
    entries(reader.statuses.hosts, end)
}

/// Services of `statusjson.cgi`.
#[must_use]
pub fn service_statuses(body: &[u8], piece: usize) -> Reading<Vec<impl Debug + PartialEq + use<>>> {
    let mut reader = status::Reader::new(Timestamp::MAX);
    let end = read(SERVICE_STATUS, body, piece, |entry| {
        reader.service(entry);
    });
    entries(reader.statuses.services, end)
}

/// Downtimes of `statusjson.cgi`.
#[must_use]
pub fn downtimes(body: &[u8], piece: usize) -> Reading<Vec<impl Debug + PartialEq + use<>>> {
    let mut reader = status::Reader::new(Timestamp::MAX);
    let end = read(DOWNTIMES, body, piece, |entry| reader.downtime(entry));
    listed(reader.statuses.downtimes.map(|downtimes| downtimes.into_iter().collect()), end)
}

/// The program of `statusjson.cgi`, when its head says of when it is.
///
/// # Errors
/// Why the answer is none.
pub fn program(body: &[u8], piece: usize) -> Result<Option<Program>, Failure> {
    let mut told = Value::Null;
    let head = read(PROGRAM, body, piece, |entry| keep(entry, &mut told))?;
    Ok(head.asked().and(head.updated()).map(|updated| status::program(&told, updated)))
}

/// How many hosts, or services, `objectjson.cgi` counts.
///
/// # Errors
/// Why the answer is none.
pub fn count(body: &[u8], piece: usize) -> Result<Option<u64>, Failure> {
    let mut told = Value::Null;
    read(HOST_COUNT, body, piece, |entry| keep(entry, &mut told))?;
    Ok(told.as_u64())
}

/// The keys and the value of an entry, as written.
pub type Cut = (Vec<Vec<u8>>, Vec<u8>);

/// All entries under `data.LIST` that were not too long, `depth` keys below it.
///
/// # Errors
/// Why the document is not whole.
pub fn cut(list: &'static str, depth: usize, body: &[u8]) -> Result<Vec<Cut>, String> {
    let mut entries = Entries::of(list, depth);
    let mut told = vec![];
    let fed = entries.feed(body, |entry| {
        if let Entry::Whole(keys, value) = entry {
            told.push((keys.to_vec(), value.to_vec()));
        }
    });
    fed.and_then(|()| entries.finish()).map_err(|e| e.to_string())?;
    Ok(told)
}

fn read(list: List, body: &[u8], piece: usize, mut each: impl FnMut(&Entry<'_>)) -> Result<Head, Failure> {
    let mut answer = Answer::with(list.key, list.depth);
    for bytes in body.chunks(piece.max(1)) {
        if !answer.take(bytes, &mut each) {
            break;
        }
    }
    answer.over()
}

fn entries<K, V>(listing: Listing<BTreeMap<K, V>>, end: Result<Head, Failure>) -> Reading<Vec<(K, V)>> {
    listed(listing.map(|entries| entries.into_iter().collect()), end)
}

fn listed<T: Default>(mut listing: Listing<T>, end: Result<Head, Failure>) -> Reading<T> {
    listing.cut = end.err();
    listing.reading("an answer".to_owned(), Timestamp::UNIX_EPOCH)
}
