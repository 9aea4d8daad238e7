//! Since when does a finding stand? Remembered per owner; while its subject cannot be judged the time is kept, so
//! that an outage of a source does not make old news new.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::finding::Finding;

/// The times of one owner's findings: of the last pass, and of this one.
#[derive(Debug)]
pub(super) struct Sinces<'m> {
    old: &'m BTreeMap<Arc<str>, Timestamp>,
    new: BTreeMap<Arc<str>, Timestamp>,
}

/// For an owner of whom nothing is remembered.
pub(super) static NOTHING: BTreeMap<Arc<str>, Timestamp> = BTreeMap::new();

impl<'m> Sinces<'m> {
    pub(super) fn new(old: &'m BTreeMap<Arc<str>, Timestamp>) -> Self {
        Self { old, new: BTreeMap::new() }
    }

    /// The finding of this key stands: since when it is remembered to, or since now.
    pub(super) fn stamp(&mut self, key: Arc<str>, now: Timestamp) -> Timestamp {
        let since = self.old.get(&key).copied().unwrap_or(now);
        self.new.insert(key, since);
        since
    }

    /// Keeps the times of findings that were not found, where nobody could look.
    pub(super) fn keep(&mut self, is_unknown: impl Fn(&str) -> bool) {
        for (key, since) in self.old {
            if !self.new.contains_key(key) && is_unknown(key) {
                self.new.insert(Arc::clone(key), *since);
            }
        }
    }

    pub(super) fn into_memory(self) -> BTreeMap<Arc<str>, Timestamp> {
        self.new
    }
}

/// The key of a host's finding: its code and what it is about, a check or else a system.
pub(super) fn key_of(finding: &Finding) -> String {
    match (&finding.check, &finding.system) {
        (Some(check), _) => format!("{} {check}", finding.code),
        (None, Some(system)) => format!("{} @{system}", finding.code),
        (None, None) => finding.code.as_str().to_owned(),
    }
}

/// What a host's finding was about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeySubject<'k> {
    Check(&'k str),
    System(&'k str),
    Host,
}

/// The second half of [`key_of`].
pub(super) fn subject_of(key: &str) -> KeySubject<'_> {
    match key.split_once(' ').map(|(_, rest)| (rest, rest.strip_prefix('@'))) {
        Some((_, Some(system))) => KeySubject::System(system),
        Some((check, None)) => KeySubject::Check(check),
        None => KeySubject::Host,
    }
}
