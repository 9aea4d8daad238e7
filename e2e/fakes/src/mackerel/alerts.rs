//! Alerts, open and closed, with their logs.
//!
//! Alerts of checks open and close as reports come in. Those of connectivity monitors are judged when
//! somebody asks, from when the host last posted; what came and went unseen leaves no trace.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    checks::CheckStatus,
    error::{Outcome, Refusal},
    truth::Truth,
};

/// Alerts kept; the oldest closed ones are forgotten first.
const MAX_ALERTS: usize = 10_000;
/// The longest memo in bytes (API documentation, alerts).
const MAX_MEMO: usize = 80 * 1_024;

/// An alert.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Its id.
    pub id: String,
    /// How bad it is; `OK` once closed.
    pub status: CheckStatus,
    /// The monitor that raised it.
    pub monitor_id: String,
    /// The type of that monitor.
    #[serde(rename = "type")]
    pub kind: String,
    /// The host, for monitors of hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_id: Option<String>,
    /// The value, for monitors of metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What the check said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Epoch seconds.
    pub opened_at: i64,
    /// Epoch seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<i64>,
    #[serde(skip)]
    memo: String,
    #[serde(skip)]
    logs: Vec<Value>,
}

/// What an alert begins with.
pub(super) struct NewAlert {
    pub(super) status: CheckStatus,
    pub(super) kind: &'static str,
    pub(super) monitor_id: String,
    pub(super) host_id: Option<String>,
    pub(super) value: Option<f64>,
    pub(super) message: Option<String>,
    pub(super) opened_at: i64,
}

impl Alert {
    fn is_of(&self, host: Option<&str>, monitor: &str) -> bool {
        self.host_id.as_deref() == host && self.monitor_id == monitor
    }

    /// Whether it is still open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }
}

impl Truth {
    /// All alerts, oldest first.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter().map(AsRef::as_ref)
    }

    pub(super) fn has_open_alert(&self, host: &str, monitor: &str) -> bool {
        self.alerts().any(|a| a.is_open() && a.is_of(Some(host), monitor))
    }

    /// Opens an alert, or changes the one that is open for this monitor and host.
    pub(super) fn open_alert(&mut self, new: NewAlert) {
        let same = |a: &&mut Arc<Alert>| a.is_open() && a.is_of(new.host_id.as_deref(), &new.monitor_id);
        if let Some(open) = self.alerts.iter_mut().find(same) {
            if open.status == new.status {
                return;
            }
        } else {
            let id = self.take_id();
            self.alerts.push(Arc::new(Alert {
                id,
                status: new.status,
                monitor_id: new.monitor_id.clone(),
                kind: new.kind.to_owned(),
                host_id: new.host_id.clone(),
                value: None,
                message: None,
                reason: None,
                opened_at: new.opened_at,
                closed_at: None,
                memo: String::new(),
                logs: vec![],
            }));
            self.forget_old_alerts();
        }
        let log_id = self.take_id();
        let at = self.now();
        let same = |a: &&mut Arc<Alert>| a.is_open() && a.is_of(new.host_id.as_deref(), &new.monitor_id);
        if let Some(alert) = self.alerts.iter_mut().find(same) {
            let alert = Arc::make_mut(alert);
            alert.status = new.status;
            alert.value = new.value;
            alert.message = new.message;
            alert.logs.push(log(&log_id, alert, "monitoring", at));
        }
    }

    fn forget_old_alerts(&mut self) {
        while self.alerts.len() > MAX_ALERTS {
            let Some(at) = self.alerts.iter().position(|a| !a.is_open()) else { return };
            self.alerts.remove(at);
        }
    }

    /// Closes the open alerts that `which` holds for.
    pub(super) fn close_alerts(&mut self, which: impl Fn(&Alert) -> bool, trigger: &str) {
        let open: Vec<_> = self.alerts().filter(|a| a.is_open() && which(a)).map(|a| a.id.clone()).collect();
        for id in open {
            // It was found one line above.
            let _ = self.close(&id, trigger, trigger);
        }
    }

    fn close(&mut self, id: &str, reason: &str, trigger: &str) -> Outcome<&Alert> {
        let (now, log_id) = (self.now(), self.take_id());
        let alert = self.alert_mut(id)?;
        if alert.is_open() {
            alert.status = CheckStatus::Ok;
            alert.reason = Some(reason.to_owned());
            alert.closed_at = Some(now);
            alert.logs.push(log(&log_id, alert, trigger, now));
        }
        Ok(alert)
    }

    /// Closes an alert by hand; the documentation asks for a reason.
    ///
    /// # Errors
    /// 404 for an unknown alert.
    pub fn close_alert(&mut self, id: &str, reason: &str) -> Outcome<Value> {
        Ok(shown(self.close(id, reason, "manual")?))
    }

    pub(super) fn set_alert_memo(&mut self, id: &str, memo: &str) -> Outcome<Value> {
        if memo.len() > MAX_MEMO {
            return Err(Refusal::new(axum::http::StatusCode::PAYLOAD_TOO_LARGE, "memo is too large"));
        }
        memo.clone_into(&mut self.alert_mut(id)?.memo);
        Ok(json!({"id": id, "memo": memo}))
    }

    /// The alert of this id.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn alert(&self, id: &str) -> Outcome<&Alert> {
        self.alerts().find(|a| a.id == id).ok_or_else(|| Refusal::not_found("Alert Not Found."))
    }

    fn alert_mut(&mut self, id: &str) -> Outcome<&mut Alert> {
        let alert = self.alerts.iter_mut().find(|a| a.id == id);
        Ok(Arc::make_mut(alert.ok_or_else(|| Refusal::not_found("Alert Not Found."))?))
    }

    /// Alerts as listed, newest first, each with its id.
    pub(super) fn alerts_listed(&self, with_closed: bool) -> Vec<(String, Value)> {
        let mut alerts: Vec<_> = self.alerts().filter(|a| with_closed || a.is_open()).collect();
        alerts.reverse();
        alerts.sort_by_key(|a| std::cmp::Reverse(a.opened_at));
        alerts.into_iter().map(|a| (a.id.clone(), shown(a))).collect()
    }

    /// An alert's logs, newest first, each with its id.
    pub(super) fn alert_logs(&self, id: &str) -> Outcome<Vec<(String, Value)>> {
        let id_of = |log: &Value| log.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(self.alert(id)?.logs.iter().rev().map(|log| (id_of(log), log.clone())).collect())
    }
}

pub(super) fn shown(alert: &Alert) -> Value {
    serde_json::to_value(alert).unwrap_or_default()
}

fn log(id: &str, alert: &Alert, trigger: &str, at: i64) -> Value {
    let detail = (alert.kind == "check")
        .then(|| json!({"type": "check", "detail": {"message": alert.message, "memo": ""}}));
    json!({
        "id": id,
        "createdAt": at,
        "status": alert.status,
        "trigger": trigger,
        "monitorId": alert.monitor_id,
        "targetValue": alert.value,
        "statusDetail": detail,
    })
}
