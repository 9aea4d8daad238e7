//! Monitors: rules as JSON, kept whole, so that fields and types this fake never heard of survive.

use serde_json::{Map, Value, json};

use super::{
    error::{Outcome, Refusal},
    monitor_rules::{self, Known},
    truth::Truth,
};

/// A monitor as the API shows it, id included.
pub type Monitor = Map<String, Value>;

/// Types in the order in which the web console lists them; unknown ones come last.
const ORDER: [&str; 7] =
    ["connectivity", "host", "service", "external", "expression", "anomalyDetection", "query"];

/// A text field of a monitor, or empty.
#[must_use]
pub fn text<'a>(monitor: &'a Monitor, field: &str) -> &'a str {
    monitor.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn order(monitor: &Monitor) -> (usize, String) {
    let kind = text(monitor, "type");
    (ORDER.iter().position(|k| *k == kind).unwrap_or(ORDER.len()), text(monitor, "name").to_owned())
}

impl Truth {
    /// All monitors, by type and then name, as the API lists them. A name may be absent.
    #[must_use]
    pub fn monitors(&self) -> Vec<&Monitor> {
        let mut all: Vec<_> = self.monitors.iter().collect();
        all.sort_by_key(|m| order(m));
        all
    }

    /// The monitor of this id.
    ///
    /// # Errors
    /// 404 when there is none, 400 when it is a check's (which `/monitors` does not show).
    pub fn monitor(&self, id: &str) -> Outcome<&Monitor> {
        if self.check_monitors.name_of(id).is_some() {
            return Err(Refusal::bad("Cannot get a check monitor"));
        }
        let found = self.monitors.iter().find(|m| text(m, "id") == id);
        found.ok_or_else(|| Refusal::not_found("Monitor Not Found."))
    }

    fn monitor_mut(&mut self, id: &str) -> Outcome<&mut Monitor> {
        self.monitor(id)?;
        let found = self.monitors.iter_mut().find(|m| text(m, "id") == id);
        found.ok_or_else(|| Refusal::not_found("Monitor Not Found."))
    }

    /// `POST /monitors`: checks the rule, fills its defaults in, gives it an id.
    ///
    /// # Errors
    /// 400 with what is wrong.
    pub fn add_monitor(&mut self, rule: Value) -> Outcome<Monitor> {
        let rule = monitor_rules::complete(object(rule)?, &self.known())?;
        Ok(self.plant_monitor(rule))
    }

    /// Plants a monitor as it stands, whatever its type and fields: what a newer Mackerel may hold.
    pub fn plant_monitor(&mut self, mut monitor: Monitor) -> Monitor {
        monitor.insert("id".to_owned(), self.take_id().into());
        self.monitors.push(monitor.clone());
        monitor
    }

    /// `PUT /monitors/<id>`: a full overwrite. Only `alertStatusOnGone` and `headers` keep their value when absent.
    ///
    /// # Errors
    /// 404 for an unknown monitor, 400 with what is wrong or when the type would change.
    pub fn put_monitor(&mut self, id: &str, rule: Value) -> Outcome<Monitor> {
        let mut rule = object(rule)?;
        let old = self.monitor(id)?;
        if text(old, "type") != text(&rule, "type") {
            return Err(Refusal::bad("type of a monitor cannot be changed"));
        }
        for kept in ["alertStatusOnGone", "headers"] {
            let value = old.get(kept).filter(|_| rule.get(kept).is_none_or(Value::is_null)).cloned();
            if let Some(value) = value {
                rule.insert(kept.to_owned(), value);
            }
        }
        let mut rule = monitor_rules::complete(rule, &self.known())?;
        rule.insert("id".to_owned(), id.into());
        let monitor = self.monitor_mut(id)?;
        *monitor = rule;
        Ok(monitor.clone())
    }

    /// Mutes a monitor, or lets it speak again.
    ///
    /// # Errors
    /// 404 for an unknown monitor.
    pub fn mute_monitor(&mut self, id: &str, mute: bool) -> Outcome<()> {
        self.monitor_mut(id)?.insert("isMute".to_owned(), mute.into());
        Ok(())
    }

    /// Deletes a monitor, closes its alerts and answers its last state.
    ///
    /// # Errors
    /// 404 for an unknown monitor.
    pub fn delete_monitor(&mut self, id: &str) -> Outcome<Monitor> {
        let last = self.monitor(id)?.clone();
        self.monitors.retain(|m| text(m, "id") != id);
        self.close_alerts(|a| a.monitor_id == id, "monitorDelete");
        Ok(last)
    }

    /// What happens to monitors when a service goes: those of its metrics go too, external ones lose the link,
    /// and scopes lose the service; a monitor that had no other scope goes, rather than to watch everything.
    pub(super) fn forget_service_monitors(&mut self, service: &str) {
        let gone: Vec<_> = self
            .monitors
            .iter()
            .filter(|m| {
                (text(m, "type") == "service" && text(m, "service") == service) || only_in(m, service)
            })
            .map(|m| text(m, "id").to_owned())
            .collect();
        for id in gone {
            self.monitors.retain(|m| text(m, "id") != id);
            self.close_alerts(|a| a.monitor_id == id, "serviceDelete");
        }
        for monitor in &mut self.monitors {
            if text(monitor, "service") == service {
                monitor.remove("service");
            }
            for field in ["scopes", "excludeScopes"] {
                if let Some(scopes) = monitor.get_mut(field).and_then(Value::as_array_mut) {
                    scopes.retain(|s| service_of(s) != service);
                }
            }
        }
    }

    fn known(&self) -> Known<'_> {
        Known { scope: Box::new(|s| self.knows_scope(s)), now: self.now() }
    }
}

fn only_in(monitor: &Monitor, service: &str) -> bool {
    let scopes = monitor.get("scopes").and_then(Value::as_array);
    scopes.is_some_and(|s| !s.is_empty() && s.iter().all(|s| service_of(s) == service))
}

fn service_of(scope: &Value) -> &str {
    scope.as_str().and_then(|s| s.split(':').next()).unwrap_or_default()
}

fn object(value: Value) -> Outcome<Monitor> {
    match value {
        Value::Object(fields) => Ok(fields),
        other => Err(Refusal::bad(format!("expected a JSON object, found {other}"))),
    }
}

/// The connectivity monitor that every organisation begins with, as old ones have it: without a name.
pub(super) fn first_monitor() -> Monitor {
    let rule = json!({
        "type": "connectivity",
        "alertStatusOnGone": "CRITICAL",
        "isMute": false,
        "scopes": [],
        "excludeScopes": [],
    });
    rule.as_object().cloned().unwrap_or_default()
}
