//! Which monitors watch a host, and what they see.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{
    alerts::NewAlert,
    checks::{CheckStatus, status_json},
    error::Outcome,
    hosts::Host,
    monitors::{Monitor, text},
    truth::Truth,
};

/// A host that posted no system metric for so long is gone. The documentation names no figure; this one is assumed.
pub const GONE_AFTER_SECONDS: i64 = 5 * 60;

/// Whether a monitor's scopes take this host in: no scopes mean all hosts, and exclusions win.
#[must_use]
pub fn covers(monitor: &Monitor, host: &Host) -> bool {
    let scopes = |field: &str| monitor.get(field).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let holds = |scope: &Value| scope.as_str().is_some_and(|scope| is_in(host, scope));
    let included = scopes("scopes").is_empty() || scopes("scopes").iter().any(holds);
    included && !scopes("excludeScopes").iter().any(holds)
}

fn is_in(host: &Host, scope: &str) -> bool {
    match scope.split_once(':') {
        None => host.roles.contains_key(scope),
        Some((service, role)) => host.has_role(service, role.trim_start()),
    }
}

impl Truth {
    /// `GET /hosts/<id>/monitored-statuses` at `now`. Checks are shown by id, without a name. Maintenance, power-off and
    /// retirement take a host out of all monitors but its checks' last words.
    ///
    /// # Errors
    /// 404 for an unknown host.
    pub fn monitored_statuses(&self, id: &str, now: i64) -> Outcome<Vec<Value>> {
        let host = self.host(id)?;
        let watched = host.status.is_monitored() && !host.is_retired();
        let monitors = self.monitors().into_iter().filter(|m| watched && covers(m, host));
        let seen =
            monitors.filter_map(|m| Some(json!({"monitorId": text(m, "id"), "status": view(m, host, now)?})));
        Ok(seen.chain(host.checks.iter().filter_map(status_json)).collect())
    }

    /// Opens and closes the alerts of connectivity monitors, as of now.
    pub(super) fn judge_connectivity(&mut self) {
        let now = self.now();
        let monitors: Vec<_> =
            self.monitors.iter().filter(|m| text(m, "type") == "connectivity").cloned().collect();
        let watched = |h: &&Host| h.status.is_monitored() && !h.is_retired();
        let mut silent = vec![];
        let mut heard = HashSet::new();
        for host in self.hosts().filter(watched) {
            let Some(last) = host.last_system_metric(now) else { continue };
            let gone = last + GONE_AFTER_SECONDS < now;
            if gone {
                silent.push((host.id.clone(), last));
            } else {
                heard.insert(host.id.clone());
            }
        }
        for monitor in monitors {
            self.judge(&monitor, &silent);
        }
        let heard = |id: &Option<String>| id.as_ref().is_some_and(|id| heard.contains(id));
        self.close_alerts(|a| a.kind == "connectivity" && heard(&a.host_id), "monitoring");
    }

    fn judge(&mut self, monitor: &Monitor, silent: &[(String, i64)]) {
        for (id, last) in silent {
            let Ok(host) = self.host(id) else { continue };
            if covers(monitor, host) {
                self.open_alert(NewAlert {
                    status: on_gone(monitor),
                    kind: "connectivity",
                    monitor_id: text(monitor, "id").to_owned(),
                    host_id: Some(id.clone()),
                    value: None,
                    message: None,
                    opened_at: last + GONE_AFTER_SECONDS,
                });
            }
        }
    }
}

fn on_gone(monitor: &Monitor) -> CheckStatus {
    if text(monitor, "alertStatusOnGone") == "WARNING" { CheckStatus::Warning } else { CheckStatus::Critical }
}

/// What a monitor sees of a host; nothing when it has no data, or does not look at single hosts.
fn view(monitor: &Monitor, host: &Host, now: i64) -> Option<CheckStatus> {
    match text(monitor, "type") {
        "connectivity" => {
            let gone = host.last_system_metric(now)? + GONE_AFTER_SECONDS < now;
            Some(if gone { on_gone(monitor) } else { CheckStatus::Ok })
        }
        "host" => metric_view(monitor, host, now),
        "anomalyDetection" => Some(CheckStatus::Ok),
        _ => None,
    }
}

/// The average of the last `duration` minutes against the thresholds.
fn metric_view(monitor: &Monitor, host: &Host, now: i64) -> Option<CheckStatus> {
    let minutes = monitor.get("duration").and_then(Value::as_i64).unwrap_or(1);
    let points = host.points(text(monitor, "metric"), now - minutes * 60, now, now);
    #[allow(clippy::cast_precision_loss)] // Ten points at most.
    let average = points.iter().map(|p| p.value).sum::<f64>() / points.len().max(1) as f64;
    let over = |field: &str| {
        let limit = monitor.get(field).and_then(Value::as_f64)?;
        Some(if text(monitor, "operator") == "<" { average < limit } else { average > limit })
    };
    if points.is_empty() {
        return None;
    }
    Some(match (over("critical"), over("warning")) {
        (Some(true), _) => CheckStatus::Critical,
        (_, Some(true)) => CheckStatus::Warning,
        _ => CheckStatus::Ok,
    })
}
