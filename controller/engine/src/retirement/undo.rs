//! Taking back whatever was done. It asks no guard: starting, registering and unsilencing are always allowed, frozen or
//! kept.

use super::fact::Fact;
use super::host::Power;
use super::order::Request;
use super::status::{Reason, State};
use super::step::{CALL_VALID, Look, SETTLED, SKEW, Step};

/// The next thing to take back; at the end, when no call from before can come late any more, it is cancelled.
pub(super) fn undo(look: &Look<'_>, reason: Reason) -> Step {
    let wait = || Step::Wait(Vec::new());
    let (status, live) = (&look.of.status, look.live);
    let host = look.host().filter(|host| !matches!(host.power, Power::Gone | Power::Leaving));
    if host.is_none() && !look.is_gone() {
        return wait();
    }
    if let Some(host) = host {
        match host.power {
            Power::Stopped if status.tried => return Step::Call(Request::Start),
            Power::Stopping | Power::Starting | Power::Unsteady if status.tried => return wait(),
            _ => {}
        }
        let Fact::Known(targets) = &live.targets else {
            return wait();
        };
        let missing: std::collections::BTreeSet<_> =
            status.conditions.drained.difference(targets).cloned().collect();
        if !missing.is_empty() {
            return Step::Call(Request::Register(missing));
        }
        let Fact::Known(watched) = &live.watched else {
            return wait();
        };
        let silent =
            watched.iter().find(|(system, silent)| **silent && status.conditions.silenced.contains(*system));
        if let Some((system, _)) = silent {
            return Step::Call(Request::Unsilence(system.clone()));
        }
    }
    let calm = CALL_VALID.saturating_add(SKEW).saturating_add(SETTLED);
    if live.now.duration_since(status.since) < calm {
        return wait();
    }
    let ours = |mark: Option<&_>| mark == Some(&look.of.mark);
    if host.is_some_and(|host| ours(host.mark.as_ref()) || ours(host.stopped.as_ref())) {
        return Step::Call(Request::Untag);
    }
    Step::Write(Box::new(status.clone().into_state(State::Cancelled(reason), live.now)))
}
