//! `objectjson.cgi`: the configuration, entry by entry.
//!
//! The CGIs know no letters but ASCII: a name that holds another one is told as `(null)`, any other such text as empty.
//! So an entry counts only when its key and its own name agree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rollcall_engine::ids::{CheckName, RegistrationId};
use serde::Deserialize;
use serde_json::Value;

use super::entries::Entry;
use super::{decoded, key};
use crate::mackerel::listing::Listing;
use crate::nagios::record::{
    Definition, HostDefinition, MAX_VARIABLES, Objects, Shared, command, name, text, variable,
};
use crate::nagios::told::{Contact, Notified, Recipients};

/// Anything may be of any type, and what is not here is skipped unread.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Object {
    name: Value,
    host_name: Value,
    description: Value,
    alias: Value,
    address: Value,
    custom_variables: Value,
    check_command: Value,
    check_interval: Value,
    check_freshness: Value,
    freshness_threshold: Value,
    contacts: Value,
    contact_groups: Value,
    host_notifications_enabled: Value,
    service_notifications_enabled: Value,
    host_notification_options: Value,
    service_notification_options: Value,
}

/// What has been read so far.
pub(super) struct Reader {
    pub(super) objects: Objects,
    shared: Shared,
}

impl Reader {
    pub(super) fn new() -> Self {
        let objects =
            Objects { hosts: Listing::empty(), services: Listing::empty(), contacts: Listing::empty() };
        Self { objects, shared: Shared::default() }
    }

    /// Takes one of `hostlist`; says whether it was new.
    pub(super) fn host(&mut self, entry: &Entry<'_>) -> bool {
        self.objects.hosts.elements += 1;
        let Some((id, object)) = read::<1>(entry).and_then(|([id], object)| {
            let same = object.name.as_str() == Some(&id);
            same.then_some((id, object))
        }) else {
            self.objects.hosts.odd.count("hosts with an ASCII name", "");
            return true;
        };
        let host = HostDefinition {
            alias: filled(&object.alias),
            address: filled(&object.address),
            variables: variables(&object.custom_variables),
            definition: self.definition(&object),
        };
        let hosts = &mut self.objects.hosts;
        let new = hosts.seen.insert(RegistrationId::new(&id), host).is_none();
        if !new {
            hosts.odd.count("hosts that are listed once", &id);
        }
        new
    }

    /// Takes one of `servicelist`; says whether it was new.
    pub(super) fn service(&mut self, entry: &Entry<'_>) -> bool {
        self.objects.services.elements += 1;
        let Some((host, service, object)) = read::<2>(entry).and_then(|([host, service], object)| {
            let same =
                object.host_name.as_str() == Some(&host) && object.description.as_str() == Some(&service);
            same.then_some((host, service, object))
        }) else {
            self.objects.services.odd.count("services with ASCII names", "");
            return true;
        };
        let definition = self.definition(&object);
        let services = &mut self.objects.services;
        let key = (RegistrationId::new(&host), CheckName::new(&service));
        let new = services.seen.insert(key, definition).is_none();
        if !new {
            services.odd.count("services that are listed once", &service);
        }
        new
    }

    /// Takes one of `contactlist`.
    pub(super) fn contact(&mut self, entry: &Entry<'_>) {
        let contacts = &mut self.objects.contacts;
        contacts.elements += 1;
        let Some(([id], object)) = read::<1>(entry).filter(|([id], object)| object.name.as_str() == Some(id))
        else {
            return contacts.odd.count("contacts with an ASCII name", "");
        };
        let configured = |enabled: &Value, options: &Value| Notified {
            configured: enabled.as_bool().map(|on| on && options.as_i64() != Some(0)),
            now: None,
        };
        let contact = Contact {
            name: Arc::from(id.as_str()),
            of_hosts: configured(&object.host_notifications_enabled, &object.host_notification_options),
            of_services: configured(
                &object.service_notifications_enabled,
                &object.service_notification_options,
            ),
        };
        if contacts.seen.insert(contact.name.clone(), contact).is_some() {
            contacts.odd.count("contacts that are listed once", &id);
        }
    }

    /// Contacts include the members of the groups here, unlike in the file.
    fn definition(&mut self, object: &Object) -> Definition {
        let recipients =
            Recipients { contacts: names(&object.contacts), groups: names(&object.contact_groups) };
        Definition {
            command: object.check_command.as_str().and_then(command),
            interval: hundredths(&object.check_interval),
            freshness: object.check_freshness.as_bool(),
            threshold: object.freshness_threshold.as_i64().filter(|seconds| *seconds >= 0),
            recipients: self.shared.of(recipients),
        }
    }
}

/// The keys of an entry and its object, when all of it can be read.
fn read<const KEYS: usize>(entry: &Entry<'_>) -> Option<([String; KEYS], Object)> {
    let Entry::Whole(keys, bytes) = entry else { return None };
    let keys: Vec<String> = keys.iter().map(|k| key(k)).collect::<Option<_>>()?;
    Some((keys.try_into().ok()?, decoded(bytes)?))
}

fn filled(value: &Value) -> Option<String> {
    value.as_str().and_then(text)
}

fn names(list: &Value) -> BTreeSet<Arc<str>> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(|one| one.as_str().and_then(name)).map(Arc::from).collect()
}

fn variables(object: &Value) -> BTreeMap<String, String> {
    let all = object.as_object().into_iter().flatten().take(MAX_VARIABLES);
    all.filter_map(|(key, value)| variable(key, value.as_str()?)).collect()
}

#[allow(clippy::cast_possible_truncation)] // Bounded just before.
fn hundredths(value: &Value) -> Option<i64> {
    let units = value.as_f64()?;
    (0.0..1e9).contains(&units).then(|| (units * 100.0).round() as i64)
}
