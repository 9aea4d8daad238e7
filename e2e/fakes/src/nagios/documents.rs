//! What the CGIs print of each thing, field by field, as Nagios 4.4.6 does. Times are milliseconds that end with three zeros.
//!
//! Fields that nobody reads here have the values of a fresh installation; the real ones stand beside them in the tests.

use serde_json::{Value, json};

use super::{
    UNIT_SECONDS,
    check::{Check, Shown, State},
    objects::{Contact, Downtime, Host, Service},
    truth::Truth,
};

/// Bits of all options of notifications, as the configuration has them by default.
const ALL_OPTIONS: i64 = -1;

/// A second on the wire; 0 is never.
pub(super) fn millis(second: i64) -> i64 {
    second.saturating_mul(1_000)
}

#[allow(clippy::cast_precision_loss, reason = "an interval of a few days at most")]
fn units(seconds: i64) -> f64 {
    seconds as f64 / UNIT_SECONDS as f64
}

/// Puts the fields of one object beside those of another.
fn with(mut all: Value, more: Value) -> Value {
    if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
        all.extend(more);
    }
    all
}

/// What `objectjson.cgi` tells of hosts and services alike.
fn configured<S>(check: &Check<S>, truth: &Truth) -> Value {
    json!({
        "check_command": check.command, "event_handler": "", "initial_state": 0,
        "check_interval": units(check.interval), "retry_interval": 1.0, "max_attempts": 3,
        "contact_groups": check.contact_groups, "contacts": truth.recipients(&check.contacts, &check.contact_groups),
        "notification_interval": 60.0, "first_notification_delay": 0.0, "notifications_options": ALL_OPTIONS,
        "notification_period": "24x7", "check_period": "24x7",
        "flap_detection_enabled": true, "low_flap_threshold": 0.0, "high_flap_threshold": 0.0,
        "flap_detection_options": ALL_OPTIONS, "stalking_options": 0,
        "check_freshness": check.freshness.is_some(), "freshness_threshold": check.freshness.unwrap_or_default(),
        "process_performance_data": true, "checks_enabled": check.active, "accept_passive_checks": check.passive,
        "event_handler_enabled": true, "retain_status_information": true, "retain_nonstatus_information": true,
        "obsess": true, "hourly_value": 0, "notes": "", "notes_url": "", "action_url": "", "icon_image": "",
        "icon_image_alt": "",
    })
}

/// A host of `objectjson.cgi`.
pub(super) fn host(host: &Host, truth: &Truth) -> Value {
    let services: Vec<&String> = host.services.keys().collect();
    let own = json!({
        "name": host.name, "display_name": host.name, "alias": host.alias, "address": host.address,
        "parent_hosts": [], "child_hosts": [], "services": services,
        "vrml_image": "", "statusmap_image": "", "have_2d_coords": false, "x_2d": -1, "y_2d": -1, "have_3d_coords": false,
        "x_3d": 0.0, "y_3d": 0.0, "z_3d": 0.0, "should_be_drawn": true, "custom_variables": host.variables,
    });
    with(configured(&host.check, truth), own)
}

/// A service of `objectjson.cgi`.
pub(super) fn service(host: &Host, service: &Service, truth: &Truth) -> Value {
    let own = json!({
        "host_name": host.name, "description": service.description, "display_name": service.description,
        "parallelize": true, "is_volatile": false, "notifications_enabled": true, "parents": [], "children": [],
        "custom_variables": {},
    });
    with(configured(&service.check, truth), own)
}

/// What `statusjson.cgi` tells of hosts and services alike. `written`: when the status was.
fn standing<S: State>(check: &Check<S>, shown: &Shown<S>, depth: usize, written: i64) -> Value {
    let output = if shown.state.is_some() { check.output.as_str() } else { "" };
    // What is switched off is planned no more.
    let is_scheduled = check.active && shown.next_check > 0;
    json!({
        "plugin_output": output, "long_plugin_output": "", "perf_data": "",
        "status": shown.state.map_or(1, State::bit), "last_update": millis(written),
        "has_been_checked": shown.state.is_some(), "should_be_scheduled": is_scheduled,
        "current_attempt": 1, "max_attempts": 3,
        "last_check": millis(shown.last_check), "next_check": millis(shown.next_check), "check_options": 0,
        "check_type": i32::from(!shown.by_active), "checks_enabled": check.active,
        "last_state_change": 0, "last_hard_state_change": 0,
        "last_hard_state": shown.state.map_or(0, State::number), "state_type": 1,
        "last_notification": 0, "next_notification": 0, "no_more_notifications": false,
        "notifications_enabled": check.notifications,
        "problem_has_been_acknowledged": false, "acknowledgement_type": 0, "current_notification_number": 0,
        "accept_passive_checks": check.passive, "event_handler_enabled": true, "flap_detection_enabled": true,
        "is_flapping": false, "percent_state_change": 0.0, "latency": 0.0, "execution_time": 0.0,
        "scheduled_downtime_depth": depth, "process_performance_data": true, "obsess": true,
    })
}

/// How many downtimes are in effect.
fn depth(truth: &Truth, host: &str, service: Option<&str>, at: i64) -> usize {
    let of_it = |one: &&Downtime| one.host == host && one.service.as_deref() == service && one.covers(at);
    truth.downtimes.iter().filter(of_it).count()
}

/// A host of `statusjson.cgi`.
pub(super) fn host_status(host: &Host, truth: &Truth, at: i64) -> Value {
    let shown = host.check.shown(at, truth.started);
    let up = |is_it: bool| if is_it { millis(shown.last_check) } else { 0 };
    let number = shown.state.map(State::number);
    let own = json!({
        "name": host.name, "last_time_up": up(number == Some(0)), "last_time_down": up(number == Some(1)),
        "last_time_unreachable": up(number == Some(2)),
    });
    with(standing(&host.check, &shown, depth(truth, &host.name, None, at), at), own)
}

/// A service of `statusjson.cgi`.
pub(super) fn service_status(host: &Host, service: &Service, truth: &Truth, at: i64) -> Value {
    let shown = service.check.shown(at, truth.started);
    let when = |is_it: u8| {
        if shown.state.map(State::number) == Some(is_it) { millis(shown.last_check) } else { 0 }
    };
    let own = json!({
        "host_name": host.name, "description": service.description, "last_time_ok": when(0), "last_time_warning": when(1),
        "last_time_critical": when(2), "last_time_unknown": when(3),
    });
    let depth = depth(truth, &host.name, Some(&service.description), at);
    with(standing(&service.check, &shown, depth, at), own)
}

/// A downtime; its number is its place among all that were ever entered.
pub(super) fn downtime(number: usize, downtime: &Downtime, at: i64) -> Value {
    let mut told = json!({
        "downtime_id": number, "type": if downtime.service.is_some() { 1 } else { 2 }, "host_name": downtime.host,
        "entry_time": millis(downtime.entered), "start_time": millis(downtime.from), "flex_downtime_start": 0,
        "end_time": millis(downtime.until), "fixed": true, "triggered_by": 0, "duration": downtime.until - downtime.from,
        "is_in_effect": downtime.covers(at), "start_notification_sent": true, "author": "operator", "comment": "maintenance",
    });
    if let (Some(service), Value::Object(told)) = (&downtime.service, &mut told) {
        told.insert("service_description".to_owned(), service.as_str().into());
    }
    told
}

/// A contact.
pub(super) fn contact(name: &str, contact: &Contact) -> Value {
    json!({
        "name": name, "alias": name, "email": "", "pager": "", "addresses": [],
        "host_notification_commands": ["notify-null"], "service_notification_commands": ["notify-null"],
        "service_notification_options": 15, "host_notification_options": 7, "host_notification_period": "24x7",
        "service_notification_period": "24x7", "host_notifications_enabled": contact.of_hosts,
        "service_notifications_enabled": contact.of_services, "can_submit_commands": true,
        "retain_status_information": true, "retain_nonstatus_information": true, "minimum_value": 0,
        "custom_variables": {},
    })
}

/// The program.
pub(super) fn program(truth: &Truth) -> Value {
    json!({
        "version": "4.4.6", "nagios_pid": 4_711, "daemon_mode": false, "program_start": millis(truth.started),
        "last_log_rotation": 0, "enable_notifications": truth.program.notifications,
        "execute_service_checks": truth.program.active_service_checks,
        "accept_passive_service_checks": truth.program.passive_service_checks,
        "execute_host_checks": truth.program.active_host_checks,
        "accept_passive_host_checks": truth.program.passive_host_checks,
        "enable_event_handlers": true, "obsess_over_services": false, "obsess_over_hosts": false,
        "check_service_freshness": true, "check_host_freshness": false, "enable_flap_detection": false,
        "process_performance_data": false,
    })
}
