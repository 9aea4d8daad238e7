//! `status.dat`: what the program believes, rewritten every few seconds.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::Arc;

use jiff::Timestamp;
use rollcall_engine::ids::{CheckName, RegistrationId};
use rollcall_engine::reading::{Failure, FailureKind};

use super::blocks::{Dialect, Fields, blocks};
use super::objects::refuse_more;
use crate::mackerel::listing::Listing;
use crate::nagios::record::{
    MAX_HOSTS, MAX_OTHERS, MAX_SERVICES, Status, Statuses, moment, name, text, until,
};
use crate::nagios::told::{Downtime, HostState, Program, ServiceState};

const RESULT: [&str; 12] = [
    "current_state",
    "has_been_checked",
    "check_type",
    "last_check",
    "next_check",
    "should_be_scheduled",
    "active_checks_enabled",
    "passive_checks_enabled",
    "notifications_enabled",
    "problem_has_been_acknowledged",
    "scheduled_downtime_depth",
    "host_name",
];

const DOWNTIME: [&str; 8] = [
    "host_name",
    "service_description",
    "start_time",
    "end_time",
    "flex_downtime_start",
    "fixed",
    "duration",
    "is_in_effect",
];

const DIALECT: Dialect = Dialect {
    before: "",
    between: b'=',
    kinds: &[
        ("info", &["created", "version"]),
        (
            "programstatus",
            &[
                "program_start",
                "enable_notifications",
                "active_host_checks_enabled",
                "active_service_checks_enabled",
                "passive_host_checks_enabled",
                "passive_service_checks_enabled",
            ],
        ),
        ("hoststatus", &RESULT),
        ("servicestatus", &SERVICE),
        ("hostdowntime", &DOWNTIME),
        ("servicedowntime", &DOWNTIME),
        ("contactstatus", &["contact_name", "host_notifications_enabled", "service_notifications_enabled"]),
    ],
};

const SERVICE: [&str; 13] = {
    let mut keys = ["service_description"; 13];
    let (all, _) = keys.split_at_mut(RESULT.len());
    all.copy_from_slice(&RESULT);
    keys
};

/// Whether a contact is notified now: of hosts, of services.
pub(super) type NotifiedNow = (Option<bool>, Option<bool>);

/// What the file says.
pub(super) struct StatusFile {
    /// The program, when its blocks are there.
    pub(super) program: Result<Program, Failure>,
    pub(super) statuses: Statuses,
    pub(super) contacts: BTreeMap<Arc<str>, NotifiedNow>,
}

/// Reads the file; a cut is told in each listing.
pub(super) fn read(from: impl BufRead) -> StatusFile {
    let mut reader = Reader::new();
    let cut = blocks(from, &DIALECT, |kind, fields| reader.take(kind, fields)).err();
    reader.file(cut)
}

struct Reader {
    created: Option<Timestamp>,
    version: Option<String>,
    program: Option<Program>,
    statuses: Statuses,
    contacts: BTreeMap<Arc<str>, NotifiedNow>,
}

impl Reader {
    fn new() -> Self {
        let statuses =
            Statuses { hosts: Listing::empty(), services: Listing::empty(), downtimes: Listing::empty() };
        Self { created: None, version: None, program: None, statuses, contacts: BTreeMap::new() }
    }

    fn take(&mut self, kind: &'static str, fields: &Fields) {
        match kind {
            "info" => {
                self.created = fields.number("created").and_then(moment);
                self.version = fields.text("version").and_then(text);
            }
            "programstatus" => self.program = Some(program(fields)),
            "hoststatus" => self.host(fields),
            "servicestatus" => self.service(fields),
            "contactstatus" => self.contact(fields),
            _ => self.downtime(fields, kind == "servicedowntime"),
        }
    }

    fn host(&mut self, fields: &Fields) {
        let hosts = &mut self.statuses.hosts;
        hosts.elements += 1;
        if hosts.elements > MAX_HOSTS {
            return;
        }
        let id = fields.text("host_name").and_then(name);
        let Some(id) = id.filter(|_| !fields.is_odd()) else {
            return hosts.odd.count("statuses of hosts", id.unwrap_or_default());
        };
        let counted = [HostState::Up, HostState::Down, HostState::Unreachable];
        let status = status(fields, HostState::Pending, &counted);
        if hosts.seen.insert(RegistrationId::new(id), status).is_some() {
            hosts.odd.count("statuses of hosts that are listed once", id);
        }
    }

    fn service(&mut self, fields: &Fields) {
        let services = &mut self.statuses.services;
        services.elements += 1;
        if services.elements > MAX_SERVICES {
            return;
        }
        let id = fields.text("host_name").and_then(name);
        let service = fields.text("service_description").and_then(name);
        let (Some(host), Some(service), false) = (id, service, fields.is_odd()) else {
            return services.odd.count("statuses of services", id.unwrap_or_default());
        };
        let counted =
            [ServiceState::Ok, ServiceState::Warning, ServiceState::Critical, ServiceState::Unknown];
        let status = status(fields, ServiceState::Pending, &counted);
        let key = (RegistrationId::new(host), CheckName::new(service));
        if services.seen.insert(key, status).is_some() {
            services.odd.count("statuses of services that are listed once", service);
        }
    }

    fn contact(&mut self, fields: &Fields) {
        let id = fields.text("contact_name").and_then(name);
        if let Some(id) = id.filter(|_| !fields.is_odd() && self.contacts.len() < MAX_OTHERS) {
            let now =
                (fields.flag("host_notifications_enabled"), fields.flag("service_notifications_enabled"));
            self.contacts.insert(Arc::from(id), now);
        }
    }

    fn downtime(&mut self, fields: &Fields, of_service: bool) {
        let downtimes = &mut self.statuses.downtimes;
        downtimes.elements += 1;
        if downtimes.elements > MAX_OTHERS {
            return;
        }
        match downtime(fields, of_service) {
            Some(downtime) => drop(downtimes.seen.insert(downtime)),
            None => downtimes.odd.count("downtimes", fields.text("host_name").unwrap_or_default()),
        }
    }

    fn file(mut self, cut: Option<Failure>) -> StatusFile {
        let missing = |what: &str| {
            let message = format!("expected {what}, found none; is this a status_file, and is it whole?");
            cut.clone().unwrap_or_else(|| Failure::new(FailureKind::Malformed, message))
        };
        let program = match (self.program.take(), self.created) {
            (Some(program), Some(updated)) => Ok(Program { updated, version: self.version, ..program }),
            (None, _) => Err(missing("a block `programstatus`")),
            (_, None) => Err(missing("a block `info` with the time it was created")),
        };
        let Statuses { hosts, services, downtimes } = &mut self.statuses;
        refuse_more("statuses of hosts", MAX_HOSTS, hosts);
        refuse_more("statuses of services", MAX_SERVICES, services);
        refuse_more("downtimes", MAX_OTHERS, downtimes);
        hosts.cut = cut.clone().or(hosts.cut.take());
        services.cut = cut.clone().or(services.cut.take());
        downtimes.cut = cut.or(downtimes.cut.take());
        StatusFile { program, statuses: self.statuses, contacts: self.contacts }
    }
}

fn program(fields: &Fields) -> Program {
    Program {
        version: None,
        started: fields.number("program_start").and_then(moment),
        updated: Timestamp::UNIX_EPOCH,
        notifications: fields.flag("enable_notifications"),
        active_host_checks: fields.flag("active_host_checks_enabled"),
        active_service_checks: fields.flag("active_service_checks_enabled"),
        passive_host_checks: fields.flag("passive_host_checks_enabled"),
        passive_service_checks: fields.flag("passive_service_checks_enabled"),
    }
}

/// `current_state` counts through `states`; where nothing was checked yet it is 0 and means nothing.
fn status<S: Copy>(fields: &Fields, pending: S, states: &[S]) -> Status<S> {
    let checked = fields.flag("has_been_checked");
    let told = fields.number("current_state").and_then(|n| states.get(usize::try_from(n).ok()?).copied());
    Status {
        state: checked.and_then(|checked| if checked { told } else { Some(pending) }),
        checked,
        by_active: fields.flag("check_type").map(|passive| !passive),
        last_check: fields.number("last_check").and_then(moment),
        next_check: fields.number("next_check").and_then(moment),
        scheduled: fields.flag("should_be_scheduled"),
        active: fields.flag("active_checks_enabled"),
        passive: fields.flag("passive_checks_enabled"),
        notifications: fields.flag("notifications_enabled"),
        acknowledged: fields.flag("problem_has_been_acknowledged"),
        in_downtime: fields.number("scheduled_downtime_depth").map(|depth| depth > 0),
    }
}

fn downtime(fields: &Fields, of_service: bool) -> Option<Downtime> {
    if fields.is_odd() {
        return None;
    }
    let seconds = |key| fields.number(key);
    let flexible = fields.flag("fixed") == Some(false);
    Some(Downtime {
        host: RegistrationId::new(fields.text("host_name").and_then(name)?),
        service: if of_service {
            Some(CheckName::new(fields.text("service_description").and_then(name)?))
        } else {
            None
        },
        from: moment(seconds("start_time")?)?,
        until: until(
            moment(seconds("end_time")?)?,
            flexible,
            seconds("flex_downtime_start"),
            seconds("duration"),
        ),
        in_effect: fields.flag("is_in_effect"),
    })
}
