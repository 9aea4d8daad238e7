//! `statusjson.cgi`: what the program believes, entry by entry.
//!
//! States are bits here, 1 for pending, and not the 0 to 3 of the files.

use jiff::Timestamp;
use rollcall_engine::ids::{CheckName, RegistrationId};
use serde::Deserialize;
use serde_json::Value;

use super::entries::Entry;
use super::head::moment;
use super::{decoded, key};
use crate::mackerel::listing::Listing;
use crate::nagios::record::{MAX_OTHERS, Status, Statuses, name, text, until};
use crate::nagios::told::{Downtime, HostState, Program, ServiceState};

/// Anything may be of any type, and what is not here is skipped unread.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    name: Value,
    host_name: Value,
    description: Value,
    status: Value,
    has_been_checked: Value,
    check_type: Value,
    last_check: Value,
    next_check: Value,
    should_be_scheduled: Value,
    checks_enabled: Value,
    accept_passive_checks: Value,
    notifications_enabled: Value,
    problem_has_been_acknowledged: Value,
    scheduled_downtime_depth: Value,
    last_update: Value,
}

/// What has been read so far.
pub(super) struct Reader {
    pub(super) statuses: Statuses,
    /// No status is believed to be newer than this.
    latest: Timestamp,
    /// When the status of hosts was written down; all of a file say the same.
    hosts_written: Option<Timestamp>,
    services_written: Option<Timestamp>,
}

impl Reader {
    pub(super) fn new(latest: Timestamp) -> Self {
        let statuses =
            Statuses { hosts: Listing::empty(), services: Listing::empty(), downtimes: Listing::empty() };
        Self { statuses, latest, hosts_written: None, services_written: None }
    }

    /// When the older of both lists was written down. The head tells only when the file was, and a file that was copied or
    /// touched is a new one with an old content.
    pub(super) fn written(&self) -> Option<Timestamp> {
        self.hosts_written.into_iter().chain(self.services_written).min()
    }

    /// Takes one of `hostlist`; says whether it was new.
    pub(super) fn host(&mut self, entry: &Entry<'_>) -> bool {
        let hosts = &mut self.statuses.hosts;
        hosts.elements += 1;
        let told = whole(entry).and_then(|(keys, told)| {
            let [id] = <[String; 1]>::try_from(keys).ok()?;
            (told.name.as_str() == Some(&id)).then_some((id, told))
        });
        let Some((id, told)) = told else {
            hosts.odd.count("statuses of hosts with an ASCII name", "");
            return true;
        };
        self.hosts_written = told.written(self.latest).max(self.hosts_written);
        let states = [HostState::Pending, HostState::Up, HostState::Down, HostState::Unreachable];
        let new = hosts.seen.insert(RegistrationId::new(&id), told.status(&states)).is_none();
        if !new {
            hosts.odd.count("statuses of hosts that are listed once", &id);
        }
        new
    }

    /// Takes one of `servicelist`; says whether it was new.
    pub(super) fn service(&mut self, entry: &Entry<'_>) -> bool {
        let services = &mut self.statuses.services;
        services.elements += 1;
        let told = whole(entry).and_then(|(keys, told)| {
            let [host, service] = <[String; 2]>::try_from(keys).ok()?;
            let same = told.host_name.as_str() == Some(&host) && told.description.as_str() == Some(&service);
            same.then_some((host, service, told))
        });
        let Some((host, service, told)) = told else {
            services.odd.count("statuses of services with ASCII names", "");
            return true;
        };
        self.services_written = told.written(self.latest).max(self.services_written);
        let states = [
            ServiceState::Pending,
            ServiceState::Ok,
            ServiceState::Warning,
            ServiceState::Unknown,
            ServiceState::Critical,
        ];
        let key = (RegistrationId::new(&host), CheckName::new(&service));
        let new = services.seen.insert(key, told.status(&states)).is_none();
        if !new {
            services.odd.count("statuses of services that are listed once", &service);
        }
        new
    }

    /// Takes one of `downtimelist`.
    pub(super) fn downtime(&mut self, entry: &Entry<'_>) {
        let downtimes = &mut self.statuses.downtimes;
        downtimes.elements += 1;
        let Entry::Whole(_, bytes) = entry else {
            return downtimes.odd.count("downtimes", "");
        };
        match decoded(bytes).as_ref().and_then(downtime).filter(|_| downtimes.elements <= MAX_OTHERS) {
            Some(downtime) => drop(downtimes.seen.insert(downtime)),
            None => downtimes.odd.count("downtimes", ""),
        }
    }
}

impl Told {
    fn written(&self, latest: Timestamp) -> Option<Timestamp> {
        seconds(&self.last_update).filter(|written| *written <= latest)
    }

    /// `status` is the bit 1, 2, 4, 8 or 16 that stands for one of `states`, the first of which is pending.
    fn status<S: Copy>(&self, states: &[S]) -> Status<S> {
        let checked = self.has_been_checked.as_bool();
        let told = self.status.as_u64().filter(|bit| bit.is_power_of_two());
        let told = told.and_then(|bit| states.get(bit.trailing_zeros() as usize).copied());
        Status {
            state: checked.and_then(|checked| if checked { told } else { states.first().copied() }),
            checked,
            by_active: self
                .check_type
                .as_u64()
                .and_then(|kind| [true, false].get(usize::try_from(kind).ok()?).copied()),
            last_check: seconds(&self.last_check),
            next_check: seconds(&self.next_check),
            scheduled: self.should_be_scheduled.as_bool(),
            active: self.checks_enabled.as_bool(),
            passive: self.accept_passive_checks.as_bool(),
            notifications: self.notifications_enabled.as_bool(),
            acknowledged: self.problem_has_been_acknowledged.as_bool(),
            in_downtime: self.scheduled_downtime_depth.as_i64().map(|depth| depth > 0),
        }
    }
}

fn whole(entry: &Entry<'_>) -> Option<(Vec<String>, Told)> {
    let Entry::Whole(keys, bytes) = entry else { return None };
    Some((keys.iter().map(|k| key(k)).collect::<Option<_>>()?, decoded(bytes)?))
}

fn seconds(value: &Value) -> Option<Timestamp> {
    value.as_i64().and_then(moment)
}

fn downtime(told: &Value) -> Option<Downtime> {
    let service = match told.get("type")?.as_u64()? {
        1 => Some(CheckName::new(told.get("service_description")?.as_str().and_then(name)?)),
        2 => None,
        _ => return None,
    };
    let flexible = told.get("fixed").and_then(Value::as_bool) == Some(false);
    let begun = told.get("flex_downtime_start").and_then(Value::as_i64).map(|ms| ms.div_euclid(1_000));
    let end = seconds(told.get("end_time")?)?;
    Some(Downtime {
        host: RegistrationId::new(told.get("host_name")?.as_str().and_then(name)?),
        service,
        from: seconds(told.get("start_time")?)?,
        until: until(end, flexible, begun, told.get("duration").and_then(Value::as_i64)),
        in_effect: told.get("is_in_effect").and_then(Value::as_bool),
    })
}

/// `programstatus`, without the time it was written down, which the head tells.
pub(super) fn program(told: &Value, updated: Timestamp) -> Program {
    let switch = |key| told.get(key).and_then(Value::as_bool);
    Program {
        version: told.get("version").and_then(Value::as_str).and_then(text),
        started: told.get("program_start").and_then(seconds),
        updated,
        notifications: switch("enable_notifications"),
        active_host_checks: switch("execute_host_checks"),
        active_service_checks: switch("execute_service_checks"),
        passive_host_checks: switch("accept_passive_host_checks"),
        passive_service_checks: switch("accept_passive_service_checks"),
    }
}
