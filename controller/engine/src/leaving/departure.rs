//! A `Retirement` as people see it, as part of a recording: where it stands, until when its owner decides, and why.
//!
//! Only told of. It must never decide anything: what goes on from an object is read from the object itself ([`super::Object`]).

use jiff::Timestamp;
use rollcall_crds::v1alpha1::{self as api, RetirementState};
use serde::{Deserialize, Serialize};

use crate::ids::{HostId, ObjectKey};

/// One host on its way, as Rollcall has last written it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Departure {
    /// The `Retirement`.
    pub key: ObjectKey,
    /// Its host.
    pub host: HostId,
    /// The host as people call it, where that was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The environment that claimed it.
    pub environment: ObjectKey,
    /// Where it stands. One without a status was made just now.
    pub state: RetirementState,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Until when its owner may decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// People who must approve it; none counts in this version.
    #[serde(default)]
    pub approvals_needed: u32,
    /// Why it ended: the name of a guard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What it waits for, or why it ended, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Departure {
    /// The object as it stands.
    #[must_use]
    pub fn of(object: &api::Retirement) -> Self {
        let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
        let status = object.status.clone().unwrap_or_default();
        Self {
            key: ObjectKey::new(namespace, object.metadata.name.as_deref().unwrap_or_default()),
            host: HostId::new(&object.spec.host_name),
            name: status.name,
            environment: ObjectKey::new(namespace, &object.spec.environment),
            state: status.state.unwrap_or(RetirementState::Proposed),
            since: status.since.map(|since| since.0),
            due: status.due.map(|due| due.0),
            approvals_needed: u32::try_from(object.spec.approvals_needed).unwrap_or_default(),
            reason: status.reason,
            message: status.message,
        }
    }

    /// Has its owner's time run at `now`, and do people have to approve it?
    #[must_use]
    pub fn awaits_approval(&self, now: Timestamp) -> bool {
        self.state == RetirementState::Waiting
            && self.approvals_needed > 0
            && self.due.is_some_and(|due| due <= now)
    }

    /// Is it over?
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state == RetirementState::Cancelled
    }
}
