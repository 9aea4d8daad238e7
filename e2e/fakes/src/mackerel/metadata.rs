//! Metadata: any JSON under a namespace of a host, a service or a role.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    error::{Outcome, Refusal},
    truth::Truth,
};

/// Bytes of one value (API documentation, metadata).
const MAX_BYTES: usize = 100 * 1_024;
/// Namespaces of a host or a service.
const MAX_NAMESPACES: usize = 50;
/// Namespaces of a role.
const MAX_ROLE_NAMESPACES: usize = 10;
/// For so long a retired host's metadata can be read.
const READABLE_AFTER_RETIREMENT_SECONDS: i64 = 7 * 24 * 3600;

/// What has metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A host, by id.
    Host(String),
    /// A service, by name.
    Service(String),
    /// A role of a service.
    Role(String, String),
}

/// A value and when it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The JSON.
    pub value: Value,
    /// Epoch seconds.
    pub modified_at: i64,
}

/// Values by namespace.
#[derive(Clone, Debug, Default)]
pub struct Metadata(BTreeMap<String, Entry>);

fn missing(what: &str) -> Refusal {
    Refusal::not_found(format!("{what} Not Found."))
}

impl Truth {
    fn metadata(&self, owner: &Owner) -> Outcome<&Metadata> {
        match owner {
            Owner::Host(id) => self.host(id).map(|h| &h.metadata),
            Owner::Service(name) => self.service(name).map(|s| &s.metadata),
            Owner::Role(service, role) => {
                let role = self.service(service)?.roles.get(role).ok_or_else(|| missing("Role"))?;
                Ok(&role.metadata)
            }
        }
    }

    fn metadata_mut(&mut self, owner: &Owner) -> Outcome<&mut Metadata> {
        match owner {
            Owner::Host(id) => self.live_host_mut(id).map(|h| &mut h.metadata),
            Owner::Service(name) => self.service_mut(name).map(|s| &mut s.metadata),
            Owner::Role(service, role) => {
                let role = self.service_mut(service)?.roles.get_mut(role).ok_or_else(|| missing("Role"))?;
                Ok(&mut role.metadata)
            }
        }
    }

    fn readable(&self, owner: &Owner, now: i64) -> Outcome<&Metadata> {
        if let Owner::Host(id) = owner {
            let retired = self.host(id)?.retired_at;
            if retired.is_some_and(|at| now - at > READABLE_AFTER_RETIREMENT_SECONDS) {
                return Err(Refusal::bad("Host was retired more than a week ago."));
            }
        }
        self.metadata(owner)
    }

    /// The value under a namespace, at `now`.
    ///
    /// # Errors
    /// 404 without the owner or the namespace, 400 a week after a host's retirement.
    pub fn read_metadata(&self, owner: &Owner, namespace: &str, now: i64) -> Outcome<&Entry> {
        self.readable(owner, now)?.0.get(namespace).ok_or_else(|| missing("Metadata"))
    }

    pub(super) fn metadata_listed(&self, owner: &Owner, now: i64) -> Outcome<Vec<Value>> {
        let names = self.readable(owner, now)?.0.keys();
        Ok(names.map(|namespace| json!({"namespace": namespace})).collect())
    }

    /// Writes a value under a namespace.
    ///
    /// # Errors
    /// 404 without the owner; 400 for an invalid or reserved namespace, one too many, or a retired host; 413 over 100 KB.
    pub fn write_metadata(&mut self, owner: &Owner, namespace: &str, value: Value) -> Outcome<()> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if namespace.is_empty() || !namespace.bytes().all(word) || namespace.starts_with("mackerel") {
            return Err(Refusal::bad(format!("invalid or reserved namespace: {namespace}")));
        }
        if value.to_string().len() > MAX_BYTES {
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "metadata exceeds 100 KB"));
        }
        let limit = if matches!(owner, Owner::Role(..)) { MAX_ROLE_NAMESPACES } else { MAX_NAMESPACES };
        let entry = Entry { value, modified_at: self.now() };
        let Metadata(entries) = self.metadata_mut(owner)?;
        if entries.len() >= limit && !entries.contains_key(namespace) {
            return Err(Refusal::bad(format!("at most {limit} namespaces")));
        }
        entries.insert(namespace.to_owned(), entry);
        Ok(())
    }

    /// Deletes the value under a namespace.
    ///
    /// # Errors
    /// 404 without the owner or the namespace, 400 for a retired host.
    pub fn delete_metadata(&mut self, owner: &Owner, namespace: &str) -> Outcome<()> {
        let gone = self.metadata_mut(owner)?.0.remove(namespace);
        gone.map(drop).ok_or_else(|| missing("Metadata"))
    }
}
