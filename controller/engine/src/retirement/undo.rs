//! Taking back whatever was done. It asks no guard: starting, registering and unsilencing are always allowed, frozen or
//! kept.

use std::collections::BTreeSet;

use super::fact::Fact;
use super::host::{HostView, Power};
use super::order::Request;
use super::status::{Reason, State};
use super::step::{CALL_VALID, Look, SETTLED, SKEW, Step};

/// The next thing to take back; at the end, when no call from before can come late any more, it is cancelled.
pub(super) fn undo(look: &Look<'_>, reason: Reason) -> Step {
    let (status, live) = (&look.of.status, look.live);
    if let Some(step) = take_back(look) {
        return step;
    }
    let calm = CALL_VALID.saturating_add(SKEW).saturating_add(SETTLED);
    if live.now.duration_since(status.since) < calm {
        return Step::Wait(Vec::new());
    }
    let ours = |mark: Option<&_>| mark == Some(&look.of.mark);
    if there(look).is_some_and(|host| ours(host.mark.as_ref()) || ours(host.stopped.as_ref())) {
        return Step::Call(Request::Untag);
    }
    Step::Write(Box::new(status.clone().into_state(State::Cancelled(reason), live.now)))
}

/// The host, unless it is on its way out.
fn there<'a>(look: &'a Look<'_>) -> Option<&'a HostView> {
    look.host().filter(|host| !matches!(host.power, Power::Gone | Power::Leaving))
}

/// What is not as it was before, one thing at a time; `None` when everything is. It depends on no clock.
pub(super) fn take_back(look: &Look<'_>) -> Option<Step> {
    let (status, live) = (&look.of.status, look.live);
    let wait = || Some(Step::Wait(Vec::new()));
    let Some(host) = there(look) else {
        return if look.is_gone() { None } else { wait() };
    };
    match host.power {
        Power::Stopped if status.tried => return Some(Step::Call(Request::Start)),
        Power::Stopping | Power::Starting | Power::Unsteady if status.tried => return wait(),
        _ => {}
    }
    // What was never taken out of anything, nor silenced, need not be put back.
    if status.conditions.drained.is_empty() && status.conditions.silenced.is_empty() {
        return None;
    }
    let (Fact::Known(targets), Fact::Known(watched)) = (&live.targets, &live.watched) else {
        return wait();
    };
    let missing: BTreeSet<_> = status.conditions.drained.difference(targets).cloned().collect();
    if !missing.is_empty() {
        return Some(Step::Call(Request::Register(missing)));
    }
    let silenced = &status.conditions.silenced;
    let silent = watched.iter().find(|(system, silent)| **silent && silenced.contains(*system));
    silent.map(|(system, _)| Step::Call(Request::Unsilence(system.clone())))
}
