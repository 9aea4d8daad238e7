//! Settings that Rollcall reads and writes but that drive nothing here: downtimes, channels, notification
//! groups, alert group settings, graph annotations. Each is JSON with an id, kept whole.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    error::{Outcome, Refusal},
    monitors::{Monitor, text},
    truth::Truth,
};

/// The kinds of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `/downtimes`
    Downtimes,
    /// `/channels`
    Channels,
    /// `/notification-groups`
    NotificationGroups,
    /// `/alert-group-settings`
    AlertGroupSettings,
    /// `/graph-annotations`
    Annotations,
}

impl Kind {
    /// The key under which a list of them is answered.
    #[must_use]
    pub fn list_key(self) -> &'static str {
        match self {
            Kind::Downtimes => "downtimes",
            Kind::Channels => "channels",
            Kind::NotificationGroups => "notificationGroups",
            Kind::AlertGroupSettings => "alertGroupSettings",
            Kind::Annotations => "graphAnnotations",
        }
    }
}

/// Documents by kind, in order of creation.
#[derive(Clone, Debug, Default)]
pub(super) struct Documents(BTreeMap<Kind, Vec<Monitor>>);

impl Documents {
    pub(super) fn all(&self, kind: Kind) -> &[Monitor] {
        self.0.get(&kind).map_or(&[], Vec::as_slice)
    }

    pub(super) fn all_mut(&mut self, kind: Kind) -> &mut Vec<Monitor> {
        self.0.entry(kind).or_default()
    }
}

const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const RECURRENCES: [&str; 5] = ["hourly", "daily", "weekly", "monthly", "yearly"];
const EVENTS: [&str; 6] = ["alert", "alertGroup", "hostStatus", "hostRegister", "hostRetire", "monitor"];

impl Truth {
    /// All documents of a kind.
    #[must_use]
    pub fn documents(&self, kind: Kind) -> &[Monitor] {
        self.documents.all(kind)
    }

    /// Creates a document; answers it with its id.
    ///
    /// # Errors
    /// 400 with what is wrong; 404 for an annotation of an unknown service or role.
    pub fn add_document(&mut self, kind: Kind, body: Value) -> Outcome<Monitor> {
        let mut document = self.judged(kind, body)?;
        let id = self.take_id();
        let mut shown = Monitor::from_iter([("id".to_owned(), Value::from(id))]);
        // It is only asked for at creation and never shown.
        document.remove("addToDefaultNotificationGroup");
        shown.extend(document);
        if kind == Kind::NotificationGroups {
            shown.insert("type".to_owned(), "group".into());
        }
        self.documents.all_mut(kind).push(shown.clone());
        Ok(shown)
    }

    /// Overwrites a document.
    ///
    /// # Errors
    /// As [`Truth::add_document`]; 404 for an unknown id; 400 when a channel's type or the default group's name would change.
    pub fn put_document(&mut self, kind: Kind, id: &str, body: Value) -> Outcome<Monitor> {
        let mut document = self.judged(kind, body)?;
        let old = self.document(kind, id)?.clone();
        let unchangeable = match kind {
            Kind::Channels => text(&old, "type") != text(&document, "type"),
            Kind::NotificationGroups => {
                text(&old, "type") == "group-default" && text(&old, "name") != text(&document, "name")
            }
            _ => false,
        };
        if unchangeable {
            return Err(Refusal::bad("the type or name of this cannot be changed"));
        }
        for kept in ["id", "type"] {
            if let Some(value) = old.get(kept) {
                document.insert(kept.to_owned(), value.clone());
            }
        }
        let all = self.documents.all_mut(kind);
        all.iter_mut().filter(|d| text(d, "id") == id).for_each(|d| d.clone_from(&document));
        Ok(document)
    }

    /// Deletes a document; answers its last state.
    ///
    /// # Errors
    /// 404 for an unknown id, 400 for the default notification group.
    pub fn delete_document(&mut self, kind: Kind, id: &str) -> Outcome<Monitor> {
        let last = self.document(kind, id)?.clone();
        if text(&last, "type") == "group-default" {
            return Err(Refusal::bad("the default notification group cannot be deleted"));
        }
        self.documents.all_mut(kind).retain(|d| text(d, "id") != id);
        Ok(last)
    }

    fn document(&self, kind: Kind, id: &str) -> Outcome<&Monitor> {
        let found = self.documents.all(kind).iter().find(|d| text(d, "id") == id);
        found.ok_or_else(|| Refusal::not_found("Not found."))
    }

    /// Annotations of a service that touch the span from `from` to `to`, in epoch seconds.
    pub(super) fn annotations(&self, service: &str, from: i64, to: i64) -> Outcome<Vec<Value>> {
        self.service(service)?;
        let at = |a: &Monitor, field: &str| a.get(field).and_then(Value::as_i64).unwrap_or_default();
        let touches =
            |a: &&Monitor| text(a, "service") == service && at(a, "from") <= to && at(a, "to") >= from;
        let all = self.documents.all(Kind::Annotations);
        Ok(all.iter().filter(touches).cloned().map(Value::Object).collect())
    }

    pub(super) fn plant_default_group(&mut self) {
        let group = json!({
            "name": "Default",
            "notificationLevel": "all",
            "childNotificationGroupIds": [],
            "childChannelIds": [],
        });
        if self.add_document(Kind::NotificationGroups, group).is_ok() {
            let groups = self.documents.all_mut(Kind::NotificationGroups);
            for group in groups {
                group.insert("type".to_owned(), "group-default".into());
            }
        }
    }

    fn judged(&self, kind: Kind, body: Value) -> Outcome<Monitor> {
        let Value::Object(document) = body else {
            return Err(Refusal::bad("expected a JSON object"));
        };
        match kind {
            Kind::Downtimes => self.judge_downtime(&document)?,
            Kind::Channels => judge_channel(&document)?,
            Kind::Annotations => self.judge_annotation(&document)?,
            Kind::NotificationGroups => {
                filled(&document, "name")?;
                words(&document, "notificationLevel", &["all", "critical"])?;
            }
            Kind::AlertGroupSettings => filled(&document, "name")?,
        }
        Ok(document)
    }

    fn judge_downtime(&self, downtime: &Monitor) -> Outcome<()> {
        filled(downtime, "name")?;
        whole(downtime, "start", 0)?;
        whole(downtime, "duration", 1)?;
        if let Some(recurrence) = downtime.get("recurrence").and_then(Value::as_object) {
            words(recurrence, "type", &RECURRENCES)?;
            whole(recurrence, "interval", 1)?;
            let weekdays = list(recurrence, "weekdays");
            if weekdays.iter().any(|d| !WEEKDAYS.contains(d)) {
                return Err(Refusal::bad("recurrence.weekdays: no such day"));
            }
        }
        let scopes = ["serviceScopes", "serviceExcludeScopes", "roleScopes", "roleExcludeScopes"];
        let unknown = scopes.iter().flat_map(|f| list(downtime, f)).find(|s| !self.knows_scope(s));
        let monitors = ["monitorScopes", "monitorExcludeScopes"].iter().flat_map(|f| list(downtime, f));
        let is_monitor = |id: &str| {
            self.monitors.iter().any(|m| text(m, "id") == id) || self.check_monitors.name_of(id).is_some()
        };
        match unknown.or_else(|| monitors.into_iter().find(|id| !is_monitor(id))) {
            Some(scope) => Err(Refusal::bad(format!("scope is not registered: {scope}"))),
            None => Ok(()),
        }
    }

    fn judge_annotation(&self, annotation: &Monitor) -> Outcome<()> {
        filled(annotation, "title")?;
        filled(annotation, "service")?;
        let from = whole(annotation, "from", 0)?;
        whole(annotation, "to", from)?;
        for (field, longest) in [("title", 250), ("description", 1_024)] {
            if text(annotation, field).chars().count() > longest {
                return Err(Refusal::bad(format!("{field} is over {longest} characters")));
            }
        }
        let service = self.service(text(annotation, "service"))?;
        match list(annotation, "roles").into_iter().find(|r| !service.roles.contains_key(*r)) {
            Some(role) => Err(Refusal::not_found(format!("Role not found: {role}"))),
            None => Ok(()),
        }
    }
}

fn judge_channel(channel: &Monitor) -> Outcome<()> {
    filled(channel, "name")?;
    words(channel, "type", &["email", "slack", "webhook"])?;
    let url = text(channel, "url");
    if text(channel, "type") != "email" && !(url.starts_with("http://") || url.starts_with("https://")) {
        return Err(Refusal::bad(format!("url is invalid: {url}")));
    }
    match list(channel, "events").into_iter().find(|e| !EVENTS.contains(e)) {
        Some(event) => Err(Refusal::bad(format!("unknown event: {event}"))),
        None => Ok(()),
    }
}

fn filled(document: &Monitor, field: &str) -> Outcome<()> {
    if text(document, field).is_empty() { Err(Refusal::bad(format!("{field} is empty"))) } else { Ok(()) }
}

fn words(document: &Monitor, field: &str, known: &[&str]) -> Outcome<()> {
    let word = text(document, field);
    if known.contains(&word) {
        return Ok(());
    }
    Err(Refusal::bad(format!("{field} must be one of {known:?}, found {word:?}")))
}

fn whole(document: &Monitor, field: &str, least: i64) -> Outcome<i64> {
    let value = document.get(field).and_then(Value::as_i64).filter(|v| *v >= least);
    value.ok_or_else(|| Refusal::bad(format!("{field} must be a whole number of at least {least}")))
}

fn list<'a>(document: &'a Monitor, field: &str) -> Vec<&'a str> {
    let items = document.get(field).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str).collect()
}
