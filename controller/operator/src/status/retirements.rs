//! Retirements as objects: what a pass makes of them, and the comparison with what the API server says.
//!
//! They are decisions, not projections: each is replaced with the version that was read, and whoever comes late looks again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use rollcall_crds::conditions::{self, APPROVED, Truth, cut};
use rollcall_crds::v1alpha1 as api;
use rollcall_engine::activity::Day;
use rollcall_engine::fleet::Kind;
use rollcall_engine::ids::{HostId, ObjectKey, Place};
use rollcall_engine::leaving::{Evidence, Leaving, NOTIFIED, Proposal, STALLED, Stand, TAKEN_BACK};
use rollcall_engine::retirement::{Path, Reason, Spec, State};

use super::notices::{Notice, NoticeKind, reference};
use crate::watch::{Entry, Store};

/// Bytes of a message, as the schema allows.
const MESSAGE: usize = 512;

/// Anybody who may edit a Retirement could write another one's name: what is not vouched for by the API server is no approval.
const NONE_COUNTS: &str =
    "none counts while Rollcall's admission policy is not in force, which this version does not bring";

/// A write of one Retirement.
#[derive(Clone, Debug)]
pub enum RetirementWrite {
    /// It is not there.
    Create {
        /// Its name.
        key: ObjectKey,
        /// What it says.
        spec: Box<api::RetirementSpec>,
    },
    /// It says something else.
    Replace {
        /// Its name.
        key: ObjectKey,
        /// Which incarnation of the name.
        uid: String,
        /// The version that was read.
        resource_version: u64,
        /// What it asks for, as it stands.
        spec: Box<api::RetirementSpec>,
        /// The whole status.
        status: Box<api::RetirementStatus>,
        /// What to tell people once it is written.
        notices: Vec<Notice>,
    },
    /// It ended long ago.
    Delete {
        /// Its name.
        key: ObjectKey,
        /// Which incarnation of the name.
        uid: String,
        /// The version that was read.
        resource_version: u64,
    },
}

impl RetirementWrite {
    /// Its name.
    #[must_use]
    pub fn key(&self) -> &ObjectKey {
        match self {
            Self::Create { key, .. } | Self::Replace { key, .. } | Self::Delete { key, .. } => key,
        }
    }
}

impl RetirementWrite {
    /// Does the API server say something else by now than when this was decided?
    pub(crate) fn is_late(&self, store: &Store<api::Retirement>) -> bool {
        let now = store.get(self.key());
        match self {
            Self::Create { .. } => now.is_some(),
            Self::Replace { resource_version, .. } | Self::Delete { resource_version, .. } => {
                now.is_none_or(|entry| entry.resource_version != *resource_version)
            }
        }
    }
}

/// What must be written for the API server to say what was decided.
#[must_use]
pub fn writes(leaving: &Leaving, store: &Store<api::Retirement>, now: Timestamp) -> Vec<RetirementWrite> {
    let entries: BTreeMap<ObjectKey, Entry<api::Retirement>> = store.entries().into_iter().collect();
    let stands = leaving.stands.iter().filter_map(|stand| replace(stand, entries.get(&stand.key)?, now));
    let over = leaving.over.iter().filter_map(|key| {
        let entry = entries.get(key)?;
        let (uid, resource_version) = (entry.uid.clone(), entry.resource_version);
        Some(RetirementWrite::Delete { key: key.clone(), uid, resource_version })
    });
    let proposals = leaving.proposals.iter().filter(|proposal| !entries.contains_key(&proposal.key));
    let proposals = proposals.map(|proposal| RetirementWrite::Create {
        key: proposal.key.clone(),
        spec: Box::new(spec(proposal)),
    });
    stands.chain(over).chain(proposals).collect()
}

fn spec(Proposal { spec, place, .. }: &Proposal) -> api::RetirementSpec {
    let Spec { incarnation, account, environment, duty, policy_hash, path, approvals_needed, .. } = spec;
    api::RetirementSpec {
        host_name: incarnation.host.to_string(),
        provider_id: provider_id(&incarnation.host, place),
        account_id: account.to_string(),
        created: incarnation.created.map(|created| created.to_string()),
        environment: environment.name.to_string(),
        duty: duty.to_string(),
        policy_hash: policy_hash.to_string(),
        path: match path {
            Path::Stop => api::RetirementPath::Stop,
            Path::LongStopped => api::RetirementPath::LongStopped,
            Path::Reader => api::RetirementPath::Reader,
        },
        approvals_needed: i32::try_from(*approvals_needed).unwrap_or(i32::MAX),
        decision: api::RetirementDecision::Proceed,
    }
}

fn provider_id(host: &HostId, place: &Place) -> String {
    format!("aws:///{}/{host}", place.region)
}

fn replace(stand: &Stand, entry: &Entry<api::Retirement>, now: Timestamp) -> Option<RetirementWrite> {
    let object = entry.object.as_ref().ok()?;
    let before = object.status.clone().unwrap_or_default();
    let status = status(stand, &before, entry.generation, now);
    if before == status {
        return None;
    }
    Some(RetirementWrite::Replace {
        key: stand.key.clone(),
        uid: entry.uid.clone(),
        resource_version: entry.resource_version,
        spec: Box::new(object.spec.clone()),
        notices: news(stand, entry, &before, &status),
        status: Box::new(status),
    })
}

fn status(
    stand: &Stand,
    before: &api::RetirementStatus,
    generation: Option<i64>,
    now: Timestamp,
) -> api::RetirementStatus {
    let of = &stand.status;
    let (state, reason) = match of.state {
        State::Waiting => (api::RetirementState::Waiting, None),
        State::Undoing(reason) => (api::RetirementState::Undoing, Some(reason)),
        State::Cancelled(reason) => (api::RetirementState::Cancelled, Some(reason)),
        // Nobody is led into another state while nothing may be done to hosts.
        _ => (api::RetirementState::Proposed, None),
    };
    let mut told = api::RetirementStatus {
        observed_generation: generation,
        conditions: before.conditions.clone(),
        name: stand.name.clone(),
        state: Some(state),
        since: Some(Time(of.since)),
        due: of.due.map(Time),
        message: Some(cut(&stand.message, MESSAGE)),
        reason: reason.map(|reason| match reason {
            Reason::Refused(guard) => guard.name().to_owned(),
            Reason::Stalled => STALLED.to_owned(),
        }),
        evidence: before.evidence.clone().or_else(|| stand.evidence.as_ref().map(evidence)),
        seen: Some(api::RetirementSeen {
            run: of.run.map(Time),
            stopped: of.stop.as_ref().map(|stop| Time(stop.at)),
            absent: of.absent.map(Time),
        }),
    };
    let (truth, reason, message, at) = match of.conditions.notified {
        Some(at) if stand.taken_back => {
            (Truth::True, TAKEN_BACK, "a channel has accepted that the host stays", at)
        }
        Some(at) => (Truth::True, "Accepted", "a channel has accepted the notice", at),
        None => (Truth::False, "NotYetAccepted", "no channel has accepted the notice", now),
    };
    conditions::set(&mut told.conditions, NOTIFIED, truth, reason, message, generation, at);
    if stand.approvals == 0 {
        told.conditions.retain(|condition| condition.type_ != APPROVED);
    } else {
        let message = format!("approvals needed: {}; {NONE_COUNTS}", stand.approvals);
        let (truth, reason) = (Truth::False, "NoAdmissionPolicy");
        conditions::set(&mut told.conditions, APPROVED, truth, reason, &message, generation, now);
    }
    told
}

fn evidence(evidence: &Evidence) -> api::RetirementEvidence {
    match evidence {
        Evidence::Stopped { since } => api::RetirementEvidence {
            stopped_since: Some(Time(*since)),
            ..api::RetirementEvidence::default()
        },
        Evidence::Idle { since, first, last, signals } => api::RetirementEvidence {
            first_day: Some(first.to_string()),
            last_day: Some(last.to_string()),
            idle_since: Some(since.to_string()),
            stopped_since: None,
            signals: signals
                .iter()
                .map(|seen| api::RetirementSignal {
                    signal: seen.signal.clone(),
                    most: seen.most.clone(),
                    day: seen.day.map(|day: Day| day.to_string()),
                })
                .collect(),
        },
    }
}

/// A transition is an Event on the object.
fn news(
    stand: &Stand,
    entry: &Entry<api::Retirement>,
    before: &api::RetirementStatus,
    after: &api::RetirementStatus,
) -> Vec<Notice> {
    let Some(state) = after.state.filter(|_| after.state != before.state) else { return Vec::new() };
    vec![Notice {
        about: reference(Kind::Retirement, &stand.key, &entry.uid),
        kind: NoticeKind::Normal,
        reason: format!("{state:?}"),
        note: stand.message.clone(),
    }]
}
