//! Who may be proposed, who may begin, and what is left to sweep, over all hosts at once. It does nothing itself, and it
//! is not what keeps hosts safe: whatever it says is judged again, alone and live.

use std::collections::{BTreeMap, BTreeSet};

use super::gate::{Guards, Refusal};
use super::guard::{Case, Guard, Moment};
use super::host::HostView;
use super::ledger::{Entry, Ledger, Limits};
use super::live::Live;
use super::order::Act;
use super::status::{Path, Retirement, State};
use crate::ids::{HostId, Mark, ObjectKey};

/// A host that a rule found, with the retirement as it would be written.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// As it would be written; it has no mark yet.
    pub retirement: &'a Retirement,
    /// What is known of it; a pass's readings will do.
    pub live: &'a Live,
}

/// A retirement that stands, with what is known of its host.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The object.
    pub retirement: &'a Retirement,
    /// What is known; a pass's readings will do.
    pub live: &'a Live,
}

/// Something of ours that was seen in the world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// On which host.
    pub host: HostId,
    /// Whose.
    pub mark: Mark,
    /// What it is.
    pub what: Trace,
    /// Does the host run?
    pub runs: bool,
}

/// What we leave in the world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trace {
    /// The tag `rollcall.dev/mark`.
    Mark,
    /// The tag `rollcall.dev/stopped`.
    Stopped,
    /// A silence in this system.
    Silence(ObjectKey),
}

/// One thing to do, apart from stepping what is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Take off what belongs to no retirement.
    Sweep(Leftover),
    /// Make the account's ledger. It is full for one window.
    MakeLedger,
    /// This one may begin its next act.
    Begin(Mark),
    /// Write a retirement for this host.
    Propose(HostId),
}

/// Why something is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Which host.
    pub host: HostId,
    /// What speaks against it; nothing: the budget is used up, and it is its turn later.
    pub refusals: Vec<Refusal>,
}

/// What a pass would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In order.
    pub actions: Vec<Action>,
    /// Everybody else, by host.
    pub blocked: Vec<Blocked>,
}

/// Plans one account's pass. The order of what it is given does not matter.
#[must_use]
pub fn plan(
    candidates: &[Candidate<'_>],
    standing: &[Standing<'_>],
    leftovers: &BTreeSet<Leftover>,
    ledger: Option<&Ledger>,
    limits: &Limits,
) -> Plan {
    planning(Guards::all(), candidates, standing, leftovers, ledger, limits)
}

/// What would be planned with other guards: for the proof that each is needed.
#[cfg(any(test, feature = "proof"))]
#[doc(hidden)]
#[must_use]
pub fn plan_with(
    guards: Guards,
    candidates: &[Candidate<'_>],
    standing: &[Standing<'_>],
    leftovers: &BTreeSet<Leftover>,
    ledger: Option<&Ledger>,
    limits: &Limits,
) -> Plan {
    planning(guards, candidates, standing, leftovers, ledger, limits)
}

fn planning(
    guards: Guards,
    candidates: &[Candidate<'_>],
    standing: &[Standing<'_>],
    leftovers: &BTreeSet<Leftover>,
    ledger: Option<&Ledger>,
    limits: &Limits,
) -> Plan {
    let mut plan = Plan::default();
    sweep(standing, leftovers, &mut plan);
    begin(guards, standing, ledger, limits, &mut plan);
    propose(guards, candidates, standing, &mut plan);
    plan.blocked.sort_by(|a, b| a.host.cmp(&b.host));
    plan
}

/// What belongs to no retirement under way is inert, and swept: a mark at once; what says that we stopped a host, and its
/// silence, when the host runs again, and a silence also when nothing is known of its mark.
fn sweep(standing: &[Standing<'_>], leftovers: &BTreeSet<Leftover>, plan: &mut Plan) {
    let state_of: BTreeMap<&Mark, State> =
        standing.iter().map(|one| (&one.retirement.mark, one.retirement.status.state)).collect();
    for leftover in leftovers {
        let state = state_of.get(&leftover.mark);
        let owned = state.is_some_and(|state| !state.is_over());
        let stays = match leftover.what {
            Trace::Mark => false,
            Trace::Stopped => !leftover.runs,
            Trace::Silence(_) => !leftover.runs && matches!(state, Some(State::Retired(_))),
        };
        if !owned && !stays {
            plan.actions.push(Action::Sweep(leftover.clone()));
        }
    }
}

/// Those that wait longest come first, a few at a time. The budget is spent on paper, as each would spend it; who is under
/// way has spent it, be it reserved or not.
fn begin(
    guards: Guards,
    standing: &[Standing<'_>],
    ledger: Option<&Ledger>,
    limits: &Limits,
    plan: &mut Plan,
) {
    if ledger.is_none() && !standing.is_empty() {
        plan.actions.push(Action::MakeLedger);
    }
    let mut paper = ledger.cloned();
    for Standing { retirement, live } in standing {
        if let Some(paper) = paper.as_mut().filter(|_| retirement.status.state.is_in_flight()) {
            paper.spend(retirement.entry(retirement.next_act().unwrap_or(Act::Stop), live.now));
        }
    }
    let begins = |one: &&Standing<'_>| {
        matches!(one.retirement.status.state, State::Waiting)
            || (one.retirement.status.state == State::CoolingOff && one.retirement.next_act().is_some())
    };
    let mut waiting: Vec<&Standing<'_>> = standing.iter().filter(begins).collect();
    waiting.sort_by_key(|one| {
        let of = one.retirement;
        (of.status.due, &of.spec.incarnation.host, &of.mark)
    });
    for Standing { retirement, live } in waiting {
        let act = retirement.next_act();
        let refusals = guards.refusals(retirement, live, Case { moment: Moment::Beginning, act });
        // What only begins to cool off does nothing to its host.
        let cools = retirement.spec.path == Path::LongStopped && retirement.status.state == State::Waiting;
        let spent = match act.filter(|_| refusals.is_empty() && !cools) {
            Some(act) => paper.as_ref().and_then(|paper| {
                let entry = retirement.entry(act, live.now);
                let Entry { mark, environment, duty, .. } = &entry;
                let second = guards.asks(Guard::OneADay)
                    && paper.has_other_of_duty(mark, environment, duty, limits, live.now);
                if second { None } else { paper.reserve(entry, limits, live.now).ok() }
            }),
            None => paper.clone(),
        };
        if !refusals.is_empty() || (spent.is_none() && !cools) {
            let host = retirement.spec.incarnation.host.clone();
            plan.blocked.push(Blocked { host, refusals });
            continue;
        }
        paper = spent;
        plan.actions.push(Action::Begin(retirement.mark.clone()));
    }
}

/// One retirement per host at a time. What we stopped ourselves was not long stopped by somebody, and what ended stopped has
/// ended.
fn propose(guards: Guards, candidates: &[Candidate<'_>], standing: &[Standing<'_>], plan: &mut Plan) {
    let under_way: BTreeSet<&HostId> = standing
        .iter()
        .filter(|one| !one.retirement.status.state.is_over())
        .map(|one| &one.retirement.spec.incarnation.host)
        .collect();
    let ended = |host: &HostView| {
        standing.iter().any(|one| {
            let Retirement { spec, status, .. } = one.retirement;
            matches!(status.state, State::Retired(_))
                && spec.incarnation == host.incarnation
                && status.stop.as_ref().is_some_and(|stop| stop.run == host.run)
        })
    };
    let mut found: Vec<&Candidate<'_>> = candidates.iter().collect();
    found.sort_by_key(|one| &one.retirement.spec.incarnation.host);
    found.dedup_by_key(|one| &one.retirement.spec.incarnation.host);
    for Candidate { retirement, live } in found {
        let host = retirement.spec.incarnation.host.clone();
        let over =
            live.host.is(|host| host.as_ref().is_some_and(|host| host.stopped.is_some() || ended(host)));
        if under_way.contains(&host) || (over && retirement.spec.path == Path::LongStopped) {
            continue;
        }
        let moment = if live.reaches_the_end() { Moment::Proposing } else { Moment::Telling };
        let case = Case { moment, act: retirement.next_act() };
        let refusals = guards.refusals(retirement, live, case);
        if refusals.is_empty() {
            plan.actions.push(Action::Propose(host));
        } else {
            plan.blocked.push(Blocked { host, refusals });
        }
    }
}
