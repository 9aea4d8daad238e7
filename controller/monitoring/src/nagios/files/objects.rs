//! `objects.cache`: the configuration as the program understood it, templates resolved, services expanded per host.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;
use std::sync::Arc;

use rollcall_engine::ids::{CheckName, RegistrationId};
use rollcall_engine::reading::{Failure, FailureKind};

use super::blocks::{Dialect, Fields, blocks};
use crate::mackerel::listing::Listing;
use crate::nagios::record::{
    Definition, HostDefinition, MAX_HOSTS, MAX_OTHERS, MAX_SERVICES, MAX_VARIABLES, Objects, Shared, command,
    name, text, variable,
};
use crate::nagios::told::{Contact, Notified, Recipients};

const CHECK: [&str; 6] = [
    "check_command",
    "check_interval",
    "check_freshness",
    "freshness_threshold",
    "contacts",
    "contact_groups",
];

const DIALECT: Dialect = Dialect {
    before: "define ",
    between: b'\t',
    kinds: &[
        (
            "host",
            &[
                "host_name",
                "alias",
                "address",
                "_",
                CHECK[0],
                CHECK[1],
                CHECK[2],
                CHECK[3],
                CHECK[4],
                CHECK[5],
            ],
        ),
        (
            "service",
            &["host_name", "service_description", CHECK[0], CHECK[1], CHECK[2], CHECK[3], CHECK[4], CHECK[5]],
        ),
        (
            "contact",
            &[
                "contact_name",
                "host_notifications_enabled",
                "service_notifications_enabled",
                "host_notification_options",
                "service_notification_options",
            ],
        ),
        ("contactgroup", &["contactgroup_name", "members"]),
    ],
};

/// Reads the file; a cut is told in each listing.
pub(super) fn read(from: impl BufRead) -> Objects {
    let mut reader = Reader::new();
    let cut = blocks(from, &DIALECT, |kind, fields| reader.take(kind, fields)).err();
    reader.objects(cut)
}

struct Reader {
    objects: Objects,
    groups: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    shared: Shared,
}

impl Reader {
    fn new() -> Self {
        let objects =
            Objects { hosts: Listing::empty(), services: Listing::empty(), contacts: Listing::empty() };
        Self { objects, groups: BTreeMap::new(), shared: Shared::default() }
    }

    fn take(&mut self, kind: &'static str, fields: &Fields) {
        match kind {
            "host" => self.host(fields),
            "service" => self.service(fields),
            "contact" => self.contact(fields),
            _ => self.group(fields),
        }
    }

    fn host(&mut self, fields: &Fields) {
        let definition = self.definition(fields);
        let hosts = &mut self.objects.hosts;
        hosts.elements += 1;
        if hosts.elements > MAX_HOSTS {
            return;
        }
        let id = fields.text("host_name").and_then(name);
        let Some(id) = id.filter(|_| !fields.is_odd()) else {
            return hosts.odd.count("hosts", id.unwrap_or_default());
        };
        let mut variables = BTreeMap::new();
        for (key, value) in fields.variables().take(MAX_VARIABLES) {
            variables.extend(variable(key, value));
        }
        let host = HostDefinition {
            alias: fields.text("alias").and_then(text),
            address: fields.text("address").and_then(text),
            variables,
            definition,
        };
        if hosts.seen.insert(RegistrationId::new(id), host).is_some() {
            hosts.odd.count("hosts that are listed once", id);
        }
    }

    fn service(&mut self, fields: &Fields) {
        let definition = self.definition(fields);
        let services = &mut self.objects.services;
        services.elements += 1;
        if services.elements > MAX_SERVICES {
            return;
        }
        let id = fields.text("host_name").and_then(name);
        let service = fields.text("service_description").and_then(name);
        let (Some(host), Some(service), false) = (id, service, fields.is_odd()) else {
            return services.odd.count("services", id.unwrap_or_default());
        };
        let key = (RegistrationId::new(host), CheckName::new(service));
        if services.seen.insert(key, definition).is_some() {
            services.odd.count("services that are listed once", service);
        }
    }

    fn contact(&mut self, fields: &Fields) {
        let contacts = &mut self.objects.contacts;
        contacts.elements += 1;
        if contacts.elements > MAX_OTHERS {
            return;
        }
        let id = fields.text("contact_name").and_then(name);
        let Some(id) = id.filter(|_| !fields.is_odd()) else {
            return contacts.odd.count("contacts", id.unwrap_or_default());
        };
        let configured = |enabled, options| Notified {
            configured: fields.flag(enabled).map(|on| on && fields.text(options) != Some("n")),
            now: None,
        };
        let contact = Contact {
            name: Arc::from(id),
            of_hosts: configured("host_notifications_enabled", "host_notification_options"),
            of_services: configured("service_notifications_enabled", "service_notification_options"),
        };
        if contacts.seen.insert(contact.name.clone(), contact).is_some() {
            contacts.odd.count("contacts that are listed once", id);
        }
    }

    fn group(&mut self, fields: &Fields) {
        let id = fields.text("contactgroup_name").and_then(name);
        match id.filter(|_| !fields.is_odd() && self.groups.len() < MAX_OTHERS) {
            Some(id) => drop(self.groups.insert(Arc::from(id), names(fields.text("members")))),
            None => self.objects.contacts.odd.count("groups of contacts", id.unwrap_or_default()),
        }
    }

    fn definition(&mut self, fields: &Fields) -> Definition {
        let recipients = Recipients {
            contacts: names(fields.text("contacts")),
            groups: names(fields.text("contact_groups")),
        };
        Definition {
            command: fields.text("check_command").and_then(command),
            interval: fields.text("check_interval").and_then(hundredths),
            freshness: fields.flag("check_freshness"),
            threshold: fields.number("freshness_threshold").filter(|seconds| *seconds >= 0),
            recipients: self.shared.of(recipients),
        }
    }

    fn objects(mut self, cut: Option<Failure>) -> Objects {
        self.reach_members();
        let Objects { hosts, services, contacts } = &mut self.objects;
        refuse_more("hosts", MAX_HOSTS, hosts);
        refuse_more("services", MAX_SERVICES, services);
        refuse_more("contacts", MAX_OTHERS, contacts);
        hosts.cut = cut.clone().or(hosts.cut.take());
        services.cut = cut.clone().or(services.cut.take());
        contacts.cut = cut.or(contacts.cut.take());
        self.objects
    }

    /// Who is in a group is notified: the file names groups only, and tells their members elsewhere.
    fn reach_members(&mut self) {
        let mut reached: BTreeMap<Arc<Recipients>, Arc<Recipients>> = BTreeMap::new();
        let Objects { hosts, services, .. } = &mut self.objects;
        let definitions = hosts.seen.values_mut().map(|host| &mut host.definition);
        for definition in definitions.chain(services.seen.values_mut()) {
            let recipients = &mut definition.recipients;
            let all = reached.entry(recipients.clone()).or_insert_with(|| {
                let mut all = Recipients::clone(recipients);
                let members = all.groups.iter().filter_map(|group| self.groups.get(group));
                all.contacts.extend(members.flatten().cloned());
                Arc::new(all)
            });
            *recipients = all.clone();
        }
    }
}

/// Refuses what is beyond the limit.
pub(super) fn refuse_more<T>(what: &str, limit: usize, listing: &mut Listing<T>) {
    if listing.elements > limit {
        let message = format!("expected at most {limit} {what}, found {}", listing.elements);
        listing.cut = Some(Failure::new(FailureKind::TooLarge, message));
    }
}

/// Names between commas.
fn names(list: Option<&str>) -> BTreeSet<Arc<str>> {
    list.unwrap_or_default().split(',').filter_map(|one| name(one.trim())).map(Arc::from).collect()
}

/// `5.000000` in hundredths, rounded as the CGIs print it.
#[allow(clippy::cast_possible_truncation)] // Bounded just before.
fn hundredths(text: &str) -> Option<i64> {
    let units: f64 = text.parse().ok()?;
    (0.0..1e9).contains(&units).then(|| (units * 100.0).round() as i64)
}
