//! What is worth an Event: transitions only, told by comparing a status with the one it replaces. A restart, which
//! replaces nothing, tells nothing. Never one per host: one per object and reason.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use rollcall_crds::conditions::{COMPLIANT, INVENTORY_FRESH, READY, REGISTRATIONS_FRESH, cut};
use rollcall_crds::v1alpha1::EnvironmentStatus;
use rollcall_engine::finding::Code;
use rollcall_engine::fleet::Kind;
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::memory::{Change, Happening};

use super::ObjectWrite;
use super::diff::Telling;
use crate::watch::{Stores, Told};

/// Longest note that an Event may carry, in bytes.
const NOTE: usize = 1024;

/// Names told in one note.
const NAMES: usize = 10;

/// Something to tell people.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The object it is about.
    pub about: ObjectReference,
    /// Good news or bad.
    pub kind: NoticeKind,
    /// CamelCase, stable.
    pub reason: String,
    /// One line for people.
    pub note: String,
}

/// Good news or bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Just so that people know.
    Normal,
    /// Somebody should look.
    Warning,
}

/// The flips of conditions between a status and its successor.
pub(super) fn of_conditions<T: Told>(
    kind: Kind,
    key: &ObjectKey,
    uid: &str,
    before: &T,
    after: &T,
) -> Vec<Notice> {
    let about = reference(kind, key, uid);
    [READY, INVENTORY_FRESH, REGISTRATIONS_FRESH, COMPLIANT]
        .into_iter()
        .filter_map(|type_| {
            flip(&about, kind, find(before.conditions(), type_), find(after.conditions(), type_)?)
        })
        .collect()
}

fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

fn flip(
    about: &ObjectReference,
    kind: Kind,
    before: Option<&Condition>,
    after: &Condition,
) -> Option<Notice> {
    let was = before.map(|condition| condition.status.as_str());
    let (reason, is_good) = match (after.type_.as_str(), was, after.status.as_str()) {
        (READY, Some("False"), "True") => ("Ready", true),
        // A mistake in a new object is news although nothing flipped.
        (READY, Some("True" | "Unknown") | None, "False") => ("NotReady", false),
        // Told once, on the object that owns the source; environments have a column for it.
        (INVENTORY_FRESH, Some("True"), "False") if kind == Kind::CloudAccount => ("InventoryBlind", false),
        (INVENTORY_FRESH, Some("False"), "True") if kind == Kind::CloudAccount => ("InventoryBack", true),
        (REGISTRATIONS_FRESH, Some("True"), "False") if kind == Kind::MonitoringSystem => {
            ("RegistrationsBlind", false)
        }
        (REGISTRATIONS_FRESH, Some("False"), "True") if kind == Kind::MonitoringSystem => {
            ("RegistrationsBack", true)
        }
        (COMPLIANT, Some("True" | "Unknown"), "False") => ("NotCompliant", false),
        (COMPLIANT, Some("False"), "True") => ("Compliant", true),
        _ => return None,
    };
    let kind = if is_good { NoticeKind::Normal } else { NoticeKind::Warning };
    let detail = if after.message.is_empty() { &after.reason } else { &after.message };
    Some(Notice { about: about.clone(), kind, reason: reason.to_owned(), note: cut(detail, NOTE) })
}

/// What happened to the hosts of each environment in this pass. Told with the environment's status: that they joined
/// or left changed it.
pub(super) fn of_changes(telling: &Telling<'_>, writes: &mut [ObjectWrite], stores: &Stores) {
    for write in writes.iter_mut().filter(|write| write.kind == Kind::Environment) {
        let about = reference(Kind::Environment, &write.key, &write.uid);
        if let Some(roll) = telling.roll.environments.get(&write.key) {
            write.notices.extend(of_hosts(&about, &roll.new_changes));
        }
        let before =
            stores.environments.get(&write.key).and_then(|e| e.object.ok()).and_then(|e| e.status.clone());
        write.notices.extend(not_ready_in_time(&about, before.as_ref(), &write.status));
    }
}

/// Writers of clusters that moved in this pass: one notice an environment. No status of it tells that, so nothing is waited
/// for.
pub(super) fn of_writers(telling: &Telling<'_>, stores: &Stores) -> Vec<Notice> {
    let environments = telling.roll.environments.iter();
    let moved = environments.filter_map(|(key, roll)| {
        let takeovers: Vec<String> = roll.new_changes.iter().filter_map(takeover).collect();
        let takeovers: Vec<&str> = takeovers.iter().map(String::as_str).collect();
        let uid = stores.environments.get(key)?.uid.clone();
        (!takeovers.is_empty()).then(|| Notice {
            about: reference(Kind::Environment, key, &uid),
            kind: NoticeKind::Normal,
            reason: "WriterMoved".to_owned(),
            note: cut(&some(&takeovers), NOTE),
        })
    });
    moved.collect()
}

/// `shop: shop-2 writes now, db-0abc did before`
fn takeover(change: &Change) -> Option<String> {
    let Happening::BecameWriter { cluster, from } = &change.what else { return None };
    let name = change.name.as_deref().unwrap_or_else(|| change.host.as_str());
    Some(format!("{cluster}: {name} writes now, {from} did before"))
}

fn of_hosts(about: &ObjectReference, changes: &[Change]) -> Vec<Notice> {
    let named = |wanted: fn(&Happening) -> bool| -> Vec<&str> {
        let changes = changes.iter().filter(|change| wanted(&change.what));
        changes.map(|change| change.name.as_deref().unwrap_or_else(|| change.host.as_str())).collect()
    };
    let notice = |reason: &str, verb: &str, names: &[&str]| {
        (!names.is_empty()).then(|| Notice {
            about: about.clone(),
            kind: NoticeKind::Normal,
            reason: reason.to_owned(),
            note: cut(&format!("{} {verb}: {}", hosts(names.len()), some(names)), NOTE),
        })
    };
    let joined = named(|what| matches!(what, Happening::Joined));
    let left = named(|what| matches!(what, Happening::Left | Happening::ReplacedBy(_)));
    [notice("HostsJoined", "joined", &joined), notice("HostsLeft", "left", &left)]
        .into_iter()
        .flatten()
        .collect()
}

/// Hosts whose settling time ended without their being in order: one notice when there are more than before.
fn not_ready_in_time(
    about: &ObjectReference,
    before: Option<&EnvironmentStatus>,
    after: &serde_json::Value,
) -> Option<Notice> {
    let before = before.map_or(0, not_ready);
    let after: EnvironmentStatus = serde_json::from_value(after.clone()).ok()?;
    let count = not_ready(&after);
    let cause = after.causes.iter().find(|cause| cause.code == Code::NotReadyInTime.as_str())?;
    (count > before).then(|| Notice {
        about: about.clone(),
        kind: NoticeKind::Warning,
        reason: "HostsNotReadyInTime".to_owned(),
        note: cut(&cause.message, NOTE),
    })
}

fn not_ready(status: &EnvironmentStatus) -> i32 {
    let causes = status.causes.iter().filter(|cause| cause.code == Code::NotReadyInTime.as_str());
    causes.map(|cause| cause.findings).sum()
}

fn hosts(count: usize) -> String {
    if count == 1 { "1 host".to_owned() } else { format!("{count} hosts") }
}

fn some(names: &[&str]) -> String {
    let shown = names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

pub(super) fn reference(kind: Kind, key: &ObjectKey, uid: &str) -> ObjectReference {
    ObjectReference {
        api_version: Some(format!("{}/v1alpha1", rollcall_crds::GROUP)),
        kind: Some(kind.as_str().to_owned()),
        name: Some(key.name.to_string()),
        namespace: Some(key.namespace.to_string()).filter(|namespace| !namespace.is_empty()),
        uid: Some(uid.to_owned()).filter(|uid| !uid.is_empty()),
        ..ObjectReference::default()
    }
}
