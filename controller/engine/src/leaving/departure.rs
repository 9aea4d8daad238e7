//! A `Retirement` as people see it, as part of a recording: where it stands, until when its owner decides, and why.
//!
//! Only told of. It must never decide anything: what goes on from an object is read from the object itself ([`super::Object`]).

use jiff::Timestamp;
use rollcall_crds::conditions::APPROVED;
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
    /// Do people have to approve it, as its environment asks now? Its condition `Approved` stands, and is not true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_approval: bool,
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
            needs_approval: status.conditions.iter().any(|one| one.type_ == APPROVED && one.status != "True"),
            reason: status.reason,
            message: status.message,
        }
    }

    /// Has its owner's time run at `now`, and do people have to approve it?
    #[must_use]
    pub fn awaits_approval(&self, now: Timestamp) -> bool {
        self.state == RetirementState::Waiting
            && self.needs_approval
            && self.due.is_some_and(|due| due <= now)
    }

    /// Is it over?
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state == RetirementState::Cancelled
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What was asked when it was written says nothing of today.
    #[test]
    fn people_have_to_approve_what_its_condition_says_and_once_its_owners_time_is_over() {
        let departure = |needed: i32, approved: Option<&str>| {
            let condition = |status: &str| {
                json!({"type": "Approved", "status": status, "reason": "R", "message": "",
                "lastTransitionTime": "2026-11-20T00:00:00Z"})
            };
            let conditions: Vec<_> = approved.map(condition).into_iter().collect();
            Departure::of(&serde_json::from_value(json!({
                "apiVersion": "rollcall.dev/v1alpha1", "kind": "Retirement", "metadata": {"name": "i-1-1", "namespace": "team"},
                "spec": {"hostName": "i-1", "providerID": "aws:///eu-west-1/i-1", "accountID": "123456789012",
                    "environment": "jp1", "duty": "app", "policyHash": "ebbd55b7d8bce874", "path": "Stop",
                    "approvalsNeeded": needed, "decision": "Proceed"},
                "status": {"state": "Waiting", "due": "2026-11-23T00:00:00Z", "conditions": conditions},
            })).unwrap())
        };
        let (before, after) =
            ("2026-11-22T00:00:00Z".parse().unwrap(), "2026-11-23T00:00:00Z".parse().unwrap());
        assert!(departure(0, Some("False")).awaits_approval(after));
        assert!(!departure(0, Some("False")).awaits_approval(before), "its owner still decides");
        assert!(!departure(2, None).awaits_approval(after), "its environment went back to telling");
        assert!(!departure(2, Some("True")).awaits_approval(after));
    }
}
