//! The one table of guards. Explain, audit, tests and the last gate all read it; nothing else stops or allows an act.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::approval;
use super::bars::Bar;
use super::evidence::Use;
use super::fact::Fact;
use super::host::{HostView, Power};
use super::live::{FirstList, Live, Reach};
use super::order::{Act, Notice};
use super::policy::FinalAct;
use super::status::{Decision, Retirement, State};
use super::step::{INTENT_LASTS, SKEW};
use crate::limits::ABSENCE_APART;
use crate::reading::FailureKind;

/// Metrics whose newest datum is older than this say nothing of now: EC2's come every five minutes, some minutes late.
const METRICS_FRESH: SignedDuration = SignedDuration::from_mins(10);

/// To tell an owner it is enough that whole days were quiet up to the day before yesterday: they are read once a day.
const DAYS_FRESH: SignedDuration = SignedDuration::from_hours(3 * 24);

/// A notice that an act comes soon is believed for this long after its quarter of an hour: a morning, not a weekend.
pub(super) const NOTICE_HOLDS: SignedDuration = SignedDuration::from_hours(4);

/// When a guard is asked; each later moment asks all that the earlier ones do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// May its owner be told, where that is all that is done?
    Telling,
    /// May it be proposed?
    Proposing,
    /// May it stay where it is?
    Watching,
    /// May its next act be begun?
    Beginning,
    /// Is everything there that the intent needs?
    Arming,
    /// The last gate: may the call be made, now?
    Acting,
}

/// What is asked of a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// When.
    pub moment: Moment,
    /// What is to be done next; `None` for a retirement that only waits for its end.
    pub act: Option<Act>,
}

/// Why a guard does not let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Not now.
    Holds,
    /// Never on this way: what was done is taken back.
    Cancels,
    /// What it needs is not known.
    Unknown(FailureKind),
}

macro_rules! guards {
    ($($(#[$doc:meta])* $name:ident: $reason:literal),+ $(,)?) => {
        /// One thing that must hold.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Guard {
            $($(#[$doc])* $name),+
        }

        impl Guard {
            /// Every one of them, in the order in which they are told.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name)),+
                }
            }

            /// What it means for people when it does not let pass.
            #[must_use]
            pub fn reason(self) -> &'static str {
                match self {
                    $(Self::$name => $reason),+
                }
            }
        }
    };
}

guards! {
    /// People want it to go on.
    Decision: "somebody decided that it stays",
    /// It exists.
    Present: "AWS does not show the host",
    /// It is the one that was marked.
    Incarnation: "another host has its name now",
    /// It bears our mark, once it was marked.
    Mark: "its mark is gone, or another's: a veto",
    /// No keep tag, no exemption.
    Keep: "its owner keeps it",
    /// No service or fleet owns it.
    Managed: "a service or a fleet manages it",
    /// No scheduler starts and stops it.
    Scheduled: "a scheduler starts and stops it",
    /// Nobody protected it.
    Protected: "it is protected from being stopped or terminated",
    /// A stop wipes nothing.
    InstanceStore: "it has volumes that a stop wipes",
    /// It neither takes its cluster's writes nor is its last member.
    Writer: "it takes its cluster's writes, or is the last member",
    /// It neither replicates nor is replicated.
    Replication: "it replicates a database, or is replicated",
    /// A delete can keep its backup.
    RdsCustom: "RDS cannot keep a backup of it",
    /// What is to be its end lasts.
    Lasting: "RDS starts a stopped database again after a week: a stop is no end for one",
    /// Exactly one environment claims it, the one that did when it was proposed.
    Claimed: "not exactly its environment claims it",
    /// The account's grant goes as far.
    Granted: "no grant of its account lets it go so far",
    /// Its duties allow it.
    Allowed: "a duty says Never, or none says Allowed",
    /// Its environment asks for it.
    Enforced: "its environment does not ask for retirement of its role",
    /// The rule is the one by which it was proposed.
    Rule: "the rule has changed since it was proposed",
    /// The rule has run long enough without acting.
    Probation: "the rule has not run long enough yet",
    /// Somebody has acknowledged what the rule's first pass found.
    FirstList: "nobody has acknowledged the rule's first list",
    /// It has been idle, without a hole, up to now.
    Idle: "it is, or may be, in use",
    /// It is the run that was marked.
    SameRun: "it was started or stopped since",
    /// It is the stop in which we left it.
    SameStop: "it was started since it was stopped",
    /// The credentials are the account's.
    Account: "the credentials belong to another account",
    /// The role belongs to this installation.
    Installation: "the role belongs to another installation of Rollcall",
    /// Nothing is frozen.
    Freeze: "acts are frozen",
    /// Our clock and AWS's agree.
    Clock: "clocks differ by more than five seconds",
    /// All that could restrict was read.
    Sources: "something that could speak against it cannot be read",
    /// The breaker is closed.
    Breaker: "too many hosts turned idle or vanished at once",
    /// Enough of its duty stay in its zone.
    LastOfDuty: "it is among the last of its duty in its zone",
    /// As many of its duty stay as are wanted.
    Wanted: "no more of its duty are there than are wanted",
    /// Nobody else of its duty went today.
    OneADay: "another one of its duty went today",
    /// No alarm is on.
    Alert: "a critical alert of its environment is open",
    /// It is a time for it.
    Window: "no window allows it now",
    /// Its grace is over.
    Due: "its owner still has time",
    /// It has stayed stopped for long enough.
    CooledOff: "it has not been stopped for long enough",
    /// Enough people approve.
    Approved: "not enough approvals count",
    /// Its owner's channel heard of it a quarter of an hour ago.
    Noticed: "its owner has not been told a quarter of an hour ago",
    /// No target group has it.
    Drained: "a target group still has it",
    /// Every system that watches it is silent about it.
    Silenced: "a system that watches it is not silent",
    /// The host itself says who stops it.
    Labelled: "the host does not yet say who stopped it",
    /// What it takes to launch it again is saved.
    LaunchRecord: "what it takes to launch it again is not saved",
    /// Its data are.
    BackedUp: "its backup is not complete",
    /// The audit has it.
    Recorded: "the audit record is not written",
    /// The ledger has it, for as long as the call may take.
    Budget: "nothing is reserved in the account's ledger",
    /// We lead, in the term in which the intent was written.
    Leader: "the lease is another's",
}

type Verdict = Result<(), Why>;

/// Lets pass what is known and holds.
fn need<T>(fact: &Fact<T>, holds: impl FnOnce(&T) -> bool, otherwise: Why) -> Verdict {
    match fact {
        Fact::Known(value) if holds(value) => Ok(()),
        Fact::Known(_) => Err(otherwise),
        Fact::Unknown(why) => Err(Why::Unknown(*why)),
    }
}

impl Guard {
    /// Is it asked in this case?
    #[must_use]
    pub fn applies(self, case: Case) -> bool {
        let from = match self {
            Self::Due | Self::CooledOff | Self::Approved | Self::OneADay | Self::Alert | Self::Window => {
                Moment::Beginning
            }
            Self::Noticed
            | Self::Drained
            | Self::Silenced
            | Self::Labelled
            | Self::LaunchRecord
            | Self::BackedUp
            | Self::Recorded
            | Self::Budget
            | Self::Leader => Moment::Arming,
            // What only an act could do harm by.
            Self::Mark
            | Self::InstanceStore
            | Self::Lasting
            | Self::Probation
            | Self::FirstList
            | Self::Account
            | Self::Installation
            | Self::Freeze
            | Self::Clock
            | Self::Breaker => Moment::Proposing,
            _ => Moment::Telling,
        };
        let about = match (self, case.act) {
            (Self::Idle | Self::SameRun, act) => {
                matches!(act, Some(Act::Stop | Act::DeleteReader))
                    || (self == Self::Idle && act == Some(Act::Restop))
            }
            (Self::SameStop | Self::CooledOff, act) => matches!(act, Some(Act::Terminate) | None),
            (Self::Window | Self::Budget | Self::OneADay | Self::Noticed, act) => {
                act.is_some_and(Act::is_new)
            }
            (Self::Drained | Self::Silenced, act) => act.is_some_and(|act| act != Act::Terminate),
            (Self::Labelled, act) => act == Some(Act::Stop),
            (Self::LaunchRecord, act) => act.is_some_and(Act::ends),
            (Self::BackedUp, act) => act == Some(Act::Terminate),
            _ => true,
        };
        about && from <= case.moment
    }

    /// Does it let pass?
    ///
    /// # Errors
    /// Why it does not.
    pub fn judge(self, of: &Retirement, live: &Live, case: Case) -> Verdict {
        use Why::{Cancels, Holds};
        match self {
            Self::Decision => (of.spec.decision == Decision::Proceed).then_some(()).ok_or(Cancels),
            Self::Present => present(of, live),
            Self::Incarnation => host(live, |host| host.incarnation == of.spec.incarnation, Cancels),
            Self::Mark if of.status.conditions.marked.is_some() => {
                host(live, |host| host.mark.as_ref() == Some(&of.mark), Cancels)
            }
            Self::Mark => host(live, |host| host.mark.as_ref().is_none_or(|mark| *mark == of.mark), Holds),
            Self::Keep => {
                host(live, |host| !host.keep, Cancels)?;
                need(&live.belonging, |belonging| !belonging.exempt, Cancels)
            }
            Self::Managed => without(live, Bar::Managed),
            Self::Scheduled => without(live, Bar::Scheduled),
            Self::Protected => without(live, Bar::Protected),
            Self::InstanceStore => without(live, Bar::InstanceStore),
            Self::Writer => without(live, Bar::Writer),
            Self::Replication => without(live, Bar::Replication),
            Self::RdsCustom => without(live, Bar::RdsCustom),
            Self::Lasting => {
                let ends = of.spec.final_act == FinalAct::Terminate;
                host(live, |host| ends || host.name.is_none(), Cancels)
            }
            Self::Claimed => need(
                &live.belonging,
                |of_whom| of_whom.claims == 1 && of_whom.environment.as_ref() == Some(&of.spec.environment),
                Cancels,
            ),
            Self::Granted => need(&live.belonging, |of_whom| of_whom.granted >= Some(reach(case)), Cancels),
            Self::Allowed => need(&live.belonging, |belonging| belonging.allowed, Cancels),
            Self::Enforced => need(&live.belonging, |of_whom| of_whom.asked >= Some(reach(case)), Cancels),
            Self::Rule => need(
                &live.policy,
                |policy| policy.as_ref().is_some_and(|policy| policy.hash == of.spec.policy_hash),
                Cancels,
            ),
            Self::Probation => policy(live, |policy| {
                need(&live.rule, |rule| live.now.duration_since(rule.since) >= policy.probation, Holds)
            }),
            Self::FirstList => need(&live.rule, |rule| rule.first_list == FirstList::Acknowledged, Holds),
            Self::Idle => idle(of, live, case),
            Self::SameRun => same_run(of, live),
            Self::SameStop => same_stop(of, live),
            Self::Account => need(&live.account, |account| *account == of.spec.account, Holds),
            Self::Installation => need(&live.role, |role| role.is_ours, Holds),
            Self::Freeze => {
                need(&live.role, |role| !role.frozen, Holds)?;
                need(&live.frozen, |frozen| !frozen, Holds)
            }
            Self::Clock => need(&live.aws_clock, |ahead| ahead.abs() <= SKEW, Holds),
            Self::Sources => need(&live.sources, |()| true, Holds),
            Self::Breaker => need(&live.breaker, Option::is_none, Holds),
            Self::LastOfDuty => {
                policy(live, |policy| need(&live.peers, |peers| peers.in_zone >= policy.keep_last, Holds))
            }
            Self::Wanted => need(&live.peers, |peers| peers.in_all >= peers.wanted, Holds),
            Self::OneADay => one_a_day(of, live),
            Self::Alert => need(&live.alert, |open| !open, Holds),
            Self::Window => need(&live.window, |open| *open, Holds),
            Self::Due => due(of, live, case),
            Self::CooledOff if matches!(of.status.state, State::Proposed | State::Waiting) => Ok(()),
            Self::CooledOff => policy(live, |policy| {
                let since = of.status.stop.as_ref().map(|stop| stop.at);
                elapsed(since, policy.cool_off, live.now)
            }),
            Self::Approved => policy(live, |policy| {
                let needed = policy.approvals.max(of.spec.approvals_needed);
                let count = |under: &_| {
                    approval::counting(&of.spec.approvals, &of.status.approvals, policy, under, live.now)
                };
                need(
                    &live.admission,
                    |admission| admission.as_ref().is_some_and(|under| count(under) >= needed),
                    Holds,
                )
            }),
            Self::Noticed => noticed(of, live, case),
            Self::Drained => need(&live.targets, std::collections::BTreeSet::is_empty, Holds),
            Self::Silenced => need(&live.watched, |systems| systems.values().all(|silent| *silent), Holds),
            Self::Labelled => host(live, |host| host.stopped.as_ref() == Some(&of.mark), Holds),
            Self::LaunchRecord => need(&live.backup, |backup| backup.launch_record, Holds),
            Self::BackedUp => {
                need(&live.backup, |backup| backup.missing.is_empty() && backup.pending == 0, Holds)
            }
            Self::Recorded => need(
                &live.records,
                |records| case.act.is_some_and(|act| records.contains(&(act, of.status.occurrence))),
                Holds,
            ),
            Self::Budget => budget(of, live, case),
            Self::Leader => need(
                &live.epoch,
                |epoch| epoch.is_some_and(|epoch| of.status.intent.as_ref().is_none_or(|i| i.epoch == epoch)),
                Holds,
            ),
        }
    }
}

/// How far its environment must let it go for this.
fn reach(case: Case) -> Reach {
    if case.moment == Moment::Telling { Reach::Notify } else { Reach::Retire }
}

/// Something about the host. One that is not there is another guard's.
fn host(live: &Live, holds: impl FnOnce(&HostView) -> bool, otherwise: Why) -> Verdict {
    need(&live.host, |host| host.as_ref().is_none_or(holds), otherwise)
}

/// Absence is not death: EC2 can show a live host as gone, so two complete looks must agree, far enough apart.
fn present(of: &Retirement, live: &Live) -> Verdict {
    let absent = of.status.absent;
    match &live.host {
        Fact::Known(Some(_)) => Ok(()),
        Fact::Known(None) if elapsed(absent, ABSENCE_APART, live.now).is_ok() => Err(Why::Cancels),
        Fact::Known(None) => Err(Why::Holds),
        Fact::Unknown(why) => Err(Why::Unknown(*why)),
    }
}

fn without(live: &Live, bar: Bar) -> Verdict {
    host(live, |host| !host.bars.contains(&bar), Why::Cancels)?;
    let unread = live.host.known().and_then(|host| host.as_ref()?.unread.get(&bar));
    unread.map_or(Ok(()), |why| Err(Why::Unknown(*why)))
}

/// Something that its policy sets. That there is none is told by [`Guard::Rule`].
fn policy(live: &Live, judge: impl FnOnce(&super::policy::Policy) -> Verdict) -> Verdict {
    match &live.policy {
        Fact::Known(Some(policy)) => judge(policy),
        Fact::Known(None) => Err(Why::Holds),
        Fact::Unknown(why) => Err(Why::Unknown(*why)),
    }
}

fn elapsed(since: Option<Timestamp>, needed: SignedDuration, now: Timestamp) -> Verdict {
    since.is_some_and(|since| now.duration_since(since) >= needed).then_some(()).ok_or(Why::Holds)
}

fn idle(of: &Retirement, live: &Live, case: Case) -> Verdict {
    match live.usage {
        Use::Idle { since, until } => {
            let from = case.act.and_then(|act| of.idle_from(act));
            let covers = from.is_none_or(|from| since <= from);
            let holds = if case.moment == Moment::Telling { DAYS_FRESH } else { METRICS_FRESH };
            let fresh = live.now.duration_since(until) <= holds;
            // What RDS has just started must have had time to be used.
            let long = case.act != Some(Act::Restop)
                || from.is_some_and(|from| until.duration_since(from) >= METRICS_FRESH);
            (covers && fresh && long).then_some(()).ok_or(Why::Unknown(FailureKind::Stale))
        }
        Use::Active => Err(Why::Cancels),
        Use::Unknown(why) => Err(Why::Unknown(why)),
    }
}

fn same_run(of: &Retirement, live: &Live) -> Verdict {
    let Fact::Known(Some(host)) = &live.host else {
        return need(&live.host, |_| true, Why::Holds);
    };
    let noted = of.status.conditions.marked.is_some() || of.status.run.is_some();
    match host.power {
        Power::Running if !noted || host.run == of.status.run => Ok(()),
        Power::Running | Power::Stopped | Power::Leaving | Power::Gone => Err(Why::Cancels),
        Power::Stopping | Power::Starting | Power::Unsteady => Err(Why::Holds),
    }
}

fn same_stop(of: &Retirement, live: &Live) -> Verdict {
    let Fact::Known(Some(host)) = &live.host else {
        return need(&live.host, |_| true, Why::Holds);
    };
    let stop = of.status.stop.as_ref();
    let itself = host.restarted_itself(stop.and_then(|stop| stop.run), live.now);
    match host.power {
        Power::Stopped if stop.is_none_or(|stop| stop.run == host.run) => Ok(()),
        Power::Stopping | Power::Unsteady => Err(Why::Holds),
        Power::Running | Power::Starting if itself != Some(false) => Err(Why::Holds),
        _ => Err(Why::Cancels),
    }
}

fn one_a_day(of: &Retirement, live: &Live) -> Verdict {
    let limits = match &live.limits {
        Fact::Known(limits) => limits,
        Fact::Unknown(why) => return Err(Why::Unknown(*why)),
    };
    need(
        &live.ledger,
        |ledger| {
            ledger.as_ref().is_some_and(|ledger| {
                !ledger.has_other_of_duty(&of.mark, &of.spec.environment, &of.spec.duty, limits, live.now)
            })
        },
        Why::Holds,
    )
}

fn due(of: &Retirement, live: &Live, case: Case) -> Verdict {
    policy(live, |policy| {
        let more = if case.act == Some(Act::DeleteReader) { policy.cool_off } else { SignedDuration::ZERO };
        elapsed(of.status.due, more, live.now)?;
        elapsed(of.status.conditions.notified, policy.grace.saturating_add(more), live.now)
    })
}

fn noticed(of: &Retirement, live: &Live, case: Case) -> Verdict {
    policy(live, |policy| {
        let told = of.status.conditions.told;
        let holds = told.is_some_and(|(notice, at)| {
            let ago = live.now.duration_since(at);
            case.act.map(Notice::Soon) == Some(notice)
                && policy.notice <= ago
                && ago <= policy.notice.saturating_add(NOTICE_HOLDS)
        });
        holds.then_some(()).ok_or(Why::Holds)
    })
}

fn budget(of: &Retirement, live: &Live, case: Case) -> Verdict {
    let intent = of.status.intent.as_ref();
    let deadline = intent
        .map_or_else(|| live.now.saturating_add(INTENT_LASTS).unwrap_or(Timestamp::MAX), |i| i.deadline);
    need(
        &live.ledger,
        |ledger| {
            ledger.as_ref().zip(case.act).is_some_and(|(ledger, act)| {
                ledger.holds(&of.mark, act, of.status.occurrence, live.now, deadline)
            })
        },
        Why::Holds,
    )
}

impl State {
    /// What is asked while nothing is being done: what next act it waits for.
    pub(super) fn watching(of: &Retirement) -> Case {
        Case { moment: Moment::Watching, act: of.next_act() }
    }
}
