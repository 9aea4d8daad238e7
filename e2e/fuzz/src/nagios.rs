//! Nagios: its two files, and what its JSON CGIs answer.

use std::io::{BufRead, BufReader};

use jiff::Timestamp;
use rollcall_monitoring::nagios::{Terms, Told, answers, from_bytes, registry};

use crate::laws;

/// A whole `objects.cache` and the `status.dat` that belongs to it: each is read beside the other one fuzzed.
const OBJECTS: &[u8] = include_bytes!("../seeds/nagios_objects_cache/nagios-4.4.6-one-host");
const STATUS: &[u8] = include_bytes!("../seeds/nagios_status_dat/nagios-4.4.6-one-host");
/// When both were taken, in seconds.
const THEN: i64 = 1_795_403_915;

pub(crate) fn objects_cache(data: &[u8]) {
    files(data, |objects, piece| {
        let told = read(BufReader::with_capacity(piece, objects), STATUS);
        assert!(!(ends_within_a_block(objects) && laws::is_complete(&told.contacts)), "a part is whole");
        told
    });
}

pub(crate) fn status_dat(data: &[u8]) {
    files(data, |status, piece| {
        let told = read(OBJECTS, BufReader::with_capacity(piece, status));
        assert!(!(ends_within_a_block(status) && laws::is_complete(&told.downtimes)), "a part is whole");
        told
    });
}

fn then() -> Timestamp {
    Timestamp::from_second(THEN).unwrap_or_default()
}

fn read(objects: impl BufRead, status: impl BufRead) -> Told {
    from_bytes(objects, status, "fuzzed", &Terms::default(), then())
}

/// Whether its last line that says anything closes no block.
fn ends_within_a_block(file: &[u8]) -> bool {
    let lines = file.rsplit(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_start);
    let mut lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.find(|line| !line.is_empty() && !line.starts_with(b"#")).is_some_and(|line| line != b"}")
}

/// The laws of a file that has no end mark, one half of two. A host or a service that a cut took away is in the other half.
/// Downtimes and contacts are in one file alone: where a cut ends with a block, nothing tells that some of them are gone.
fn files(data: &[u8], read: impl Fn(&[u8], usize) -> Told) {
    let told = read(data, data.len().max(1));
    assert_eq!(told, read(data, laws::piece(data)), "it reads otherwise in pieces");
    // The other half has one of each.
    let lines = 1 + data.split(|byte| *byte == b'\n').count();
    for seen in [told.hosts.seen.len(), told.services.seen.len(), told.downtimes.seen.len()] {
        assert!(seen <= lines, "{seen} entries in {lines} lines");
    }
    let part = read(laws::cut(data), data.len().max(1));
    let hosts = |told: &Told| told.hosts.seen.iter().map(|host| host.name.clone()).collect::<Vec<_>>();
    if laws::is_complete(&told.hosts) && laws::is_complete(&part.hosts) {
        assert_eq!(hosts(&told), hosts(&part), "a cut hides a host");
    }
    let services =
        |told: &Told| told.services.seen.iter().map(|s| (s.host.clone(), s.name.clone())).collect::<Vec<_>>();
    if laws::is_complete(&told.services) && laws::is_complete(&part.services) {
        assert_eq!(services(&told), services(&part), "a cut hides a service");
    }
    let told_to_engine = registry(told, then());
    assert!(told_to_engine.hosts.seen.len() <= lines);
}

pub(crate) fn hosts(data: &[u8]) {
    laws::list(data, answers::hosts, Vec::len);
}

pub(crate) fn services(data: &[u8]) {
    laws::list(data, answers::services, Vec::len);
}

pub(crate) fn contacts(data: &[u8]) {
    laws::list(data, answers::contacts, Vec::len);
}

pub(crate) fn host_statuses(data: &[u8]) {
    laws::list(data, answers::host_statuses, Vec::len);
}

pub(crate) fn service_statuses(data: &[u8]) {
    laws::list(data, answers::service_statuses, Vec::len);
}

pub(crate) fn downtimes(data: &[u8]) {
    laws::list(data, answers::downtimes, Vec::len);
}

/// The two answers that are one thing and no list.
pub(crate) fn program(data: &[u8]) {
    let (program, count) = (answers::program(data, usize::MAX), answers::count(data, usize::MAX));
    assert_eq!(program, answers::program(data, laws::piece(data)), "it reads otherwise in pieces");
    assert_eq!(count, answers::count(data, laws::piece(data)), "it reads otherwise in pieces");
    if program.is_ok() {
        assert!(answers::program(laws::cut(data), usize::MAX).is_err(), "a part is whole");
    }
    if count.is_ok() {
        assert!(answers::count(laws::cut(data), usize::MAX).is_err(), "a part is whole");
    }
}
