//! A `Retirement` object, read as a value. All that is remembered of a host on its way stands in the object, so nothing of it may
//! be lost here; an object that cannot be understood is said to be so, and never taken for another one.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use rollcall_crds::v1alpha1 as api;

use crate::ids::{AccountId, HostId, Mark, ObjectKey, Place, Region, RoleName};
use crate::retirement::{
    Conditions, Decision, FinalAct, Guard, Incarnation, Path, Reason, Retirement, Spec, State, Status, Stop,
    StoppedBy,
};

/// The condition that says whether a channel has accepted the notice.
pub const NOTIFIED: &str = "Notified";

/// The reason of that condition once a channel has accepted that the host stays.
pub const TAKEN_BACK: &str = "TakenBack";

/// One object as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its name.
    pub key: ObjectKey,
    /// Where its host is.
    pub place: Place,
    /// Its host as people call it, once that was written.
    pub name: Option<String>,
    /// What it says; without a status it was made just now.
    pub retirement: Retirement,
    /// Rollcall has written its status.
    pub is_written: bool,
    /// Whoever was told of it was told that it stays.
    pub is_taken_back: bool,
}

/// Why an object cannot be understood: field, expected, found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotUnderstood(String);

impl fmt::Display for NotUnderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Object {
    /// Reads an object. One without a status is new at `now`.
    ///
    /// # Errors
    /// When a field has a value that this version never writes.
    pub fn read(object: &api::Retirement, now: Timestamp) -> Result<Self, NotUnderstood> {
        let key = ObjectKey::new(
            object.metadata.namespace.as_deref().unwrap_or_default(),
            object.metadata.name.as_deref().unwrap_or_default(),
        );
        let uid = object.metadata.uid.as_deref().unwrap_or_default();
        let (spec, place) = spec(&object.spec, &key)?;
        let told = object.status.as_ref().filter(|status| status.state.is_some());
        let status = match told {
            Some(told) => status(told, spec.path)?,
            None => Status::proposed(now),
        };
        Ok(Self {
            name: told.and_then(|told| told.name.clone()),
            place,
            is_written: told.is_some(),
            is_taken_back: told.and_then(notified).is_some_and(|(_, reason)| reason == TAKEN_BACK),
            retirement: Retirement { mark: Mark::new(uid), spec, status },
            key,
        })
    }
}

fn spec(spec: &api::RetirementSpec, key: &ObjectKey) -> Result<(Spec, Place), NotUnderstood> {
    let account = AccountId::new(&spec.account_id);
    let place = place(&spec.provider_id, &account)?;
    let created = spec.created.as_deref().map(|text| {
        let bad = || bad("spec.created", "a time in RFC 3339", text);
        text.parse::<Timestamp>().map_err(|_| bad())
    });
    let spec = Spec {
        incarnation: Incarnation { host: HostId::new(&spec.host_name), created: created.transpose()? },
        account,
        environment: ObjectKey::new(&*key.namespace, &spec.environment),
        duty: RoleName::new(&spec.duty),
        policy_hash: spec.policy_hash.as_str().into(),
        path: match spec.path {
            api::RetirementPath::Stop => Path::Stop,
            api::RetirementPath::LongStopped => Path::LongStopped,
            api::RetirementPath::Reader => Path::Reader,
        },
        final_act: FinalAct::Stop,
        approvals_needed: usize::try_from(spec.approvals_needed).unwrap_or_default(),
        approvals: BTreeSet::new(),
        decision: match spec.decision {
            api::RetirementDecision::Proceed => Decision::Proceed,
            api::RetirementDecision::Cancel => Decision::Cancel,
        },
    };
    Ok((spec, place))
}

/// `aws:///ap-northeast-1/i-0abc`
fn place(provider_id: &str, account: &AccountId) -> Result<Place, NotUnderstood> {
    let region = provider_id.strip_prefix("aws:///").and_then(|rest| rest.split('/').next());
    let region = region.ok_or_else(|| bad("spec.providerID", "aws:///REGION/ID", provider_id))?;
    Ok(Place { account: account.clone(), region: Region::new(region) })
}

fn status(told: &api::RetirementStatus, path: Path) -> Result<Status, NotUnderstood> {
    let Some(since) = told.since.as_ref() else {
        return Err(bad("status.since", "a time, as there is a state", "none"));
    };
    let seen = told.seen.clone().unwrap_or_default();
    let run = seen.run.map(|run| run.0);
    let stopped = seen.stopped.filter(|_| path == Path::LongStopped);
    Ok(Status {
        state: state(told)?,
        since: since.0,
        due: told.due.as_ref().map(|due| due.0),
        run,
        conditions: Conditions { notified: notified(told).map(|(at, _)| at), ..Conditions::default() },
        stop: stopped.map(|stopped| Stop { at: stopped.0, run, by: StoppedBy::Somebody }),
        absent: seen.absent.map(|absent| absent.0),
        ..Status::proposed(since.0)
    })
}

/// Since when the condition is true, and for what reason.
fn notified(told: &api::RetirementStatus) -> Option<(Timestamp, &str)> {
    let condition = told.conditions.iter().find(|condition| condition.type_ == NOTIFIED)?;
    (condition.status == "True").then_some((condition.last_transition_time.0, condition.reason.as_str()))
}

fn state(told: &api::RetirementStatus) -> Result<State, NotUnderstood> {
    Ok(match told.state {
        None | Some(api::RetirementState::Proposed) => State::Proposed,
        Some(api::RetirementState::Waiting) => State::Waiting,
        Some(api::RetirementState::Undoing) => State::Undoing(reason(told)?),
        Some(api::RetirementState::Cancelled) => State::Cancelled(reason(told)?),
    })
}

/// How a reason is written when no guard gave it.
pub const STALLED: &str = "Stalled";

fn reason(told: &api::RetirementStatus) -> Result<Reason, NotUnderstood> {
    let name = told.reason.as_deref().unwrap_or_default();
    if name == STALLED {
        return Ok(Reason::Stalled);
    }
    let guard = Guard::ALL.iter().find(|guard| guard.name() == name);
    guard
        .map(|guard| Reason::Refused(*guard))
        .ok_or_else(|| bad("status.reason", "the name of a guard such as Keep", name))
}

fn bad(field: &str, expected: &str, found: &str) -> NotUnderstood {
    NotUnderstood(format!("{field}: expected {expected}, found {:?}", crate::text::clean(found)))
}
