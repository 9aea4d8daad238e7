//! The one thing to do next for one retirement.
//!
//! It is level-triggered: everything is derived from the object and a fresh look, and what a call did is read back. What
//! the last gate still misses is what is done next, so preparing and judging cannot drift apart.

use jiff::{SignedDuration, Timestamp};

use super::approval;
use super::fact::Fact;
use super::gate::{Guards, Refusal};
use super::guard::{Case, Guard, Moment, NOTICE_HOLDS, Why};
use super::host::{EVENT_COMES, HostView, Power};
use super::live::Live;
use super::order::{Act, Intent, Notice, Occurrence, Order, Request};
use super::policy::FinalAct;
use super::status::{Conditions, Done, Ending, Path, Reason, Retirement, State, Status, Stop, StoppedBy};
use super::undo;
use crate::limits::ABSENCE_APART;

/// Clocks that differ by more make every act wait.
pub const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// How long an intent lasts: AWS refuses everything under it afterwards.
pub(super) const INTENT_LASTS: SignedDuration = SignedDuration::from_secs(60);

/// How long after its look a call may still be made; every call of the retire identity says so to AWS.
pub const CALL_VALID: SignedDuration = SignedDuration::from_secs(60);

/// After this, what is read is not older than a call that was made before: AWS asks for up to five minutes of patience.
pub const SETTLED: SignedDuration = SignedDuration::from_mins(5);

/// A host that hangs between two guards for longer is given back: drained and silenced is no way to live.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// What the shell has learned.
#[derive(Debug)]
pub enum Event<'a> {
    /// It looked at everything. `chosen`: the plan lets this retirement begin its next act.
    Looked {
        /// What it saw.
        live: &'a Live,
        /// Whether [`super::plan`] said [`super::Action::Begin`].
        chosen: bool,
    },
    /// It has just written the intent itself, has done nothing since, and has looked again.
    Armed(&'a Live),
    /// The owner's channel accepted a notice.
    Accepted {
        /// Which.
        notice: Notice,
        /// When.
        at: Timestamp,
        /// When the grace ends that begins now, in business days.
        due: Timestamp,
    },
}

/// The one thing to do.
///
/// The shell reads the object and everything else live ([`Live`]), asks [`step`], and does what it says:
/// - `Write`: replace the status, with the `resourceVersion` it was read at. A conflict: look again.
/// - `Arm`: the same; and if it succeeded, look again at once and ask with [`Event::Armed`], once. Whoever fails, restarts
///   or is not sure asks with [`Event::Looked`].
/// - `Call`: make it, once and without retries, if the look is not older than [`CALL_VALID`], which also stands as
///   `DateLessThan aws:CurrentTime` in the session policy of whatever is asked of AWS (of an act it is the intent's
///   deadline). A notice that was accepted comes back as [`Event::Accepted`]; nothing else comes back but the next look.
/// - `Wait`: nothing, and why.
#[derive(Debug)]
pub enum Step {
    /// Replace the status.
    Write(Box<Status>),
    /// Replace the status, which holds a new intent.
    Arm(Box<Status>),
    /// Make this request.
    Call(Request),
    /// Nothing; this is what holds it up.
    Wait(Vec<Refusal>),
}

/// What to do next.
#[must_use]
pub fn step(of: &Retirement, event: &Event<'_>) -> Step {
    stepping(of, event, Guards::all())
}

/// What would be done next with other guards: for the proof that each is needed.
#[cfg(any(test, feature = "proof"))]
#[doc(hidden)]
#[must_use]
pub fn step_with(guards: Guards, of: &Retirement, event: &Event<'_>) -> Step {
    stepping(of, event, guards)
}

fn stepping(of: &Retirement, event: &Event<'_>, guards: Guards) -> Step {
    match event {
        Event::Looked { live, chosen } => Look { of, live, guards }.next(*chosen),
        Event::Armed(live) => Look { of, live, guards }.last_gate(),
        Event::Accepted { notice, at, due } => accepted(of, *notice, *at, *due),
    }
}

fn accepted(of: &Retirement, notice: Notice, at: Timestamp, due: Timestamp) -> Step {
    let mut status = of.status.clone();
    match (notice, of.status.state) {
        (Notice::Proposed, State::Proposed) => {
            status.conditions.notified = Some(at);
            status.due = Some(due);
            write(status.into_state(State::Waiting, at))
        }
        (Notice::Soon(_) | Notice::HandOver, state) if !state.is_over() => {
            status.conditions.told = Some((notice, at));
            write(status)
        }
        _ => Step::Wait(Vec::new()),
    }
}

fn write(status: Status) -> Step {
    Step::Write(Box::new(status))
}

/// One look at one retirement.
pub(super) struct Look<'a> {
    pub(super) of: &'a Retirement,
    pub(super) live: &'a Live,
    guards: Guards,
}

impl Look<'_> {
    fn next(&self, chosen: bool) -> Step {
        let status = &self.of.status;
        if status.state.is_over() {
            return Step::Wait(Vec::new());
        }
        if self.only_tells() {
            return self.tell();
        }
        // Whatever is written bears a time, and decisions count from it: a clock that is wrong writes nothing.
        if let Some(wrong) = self.guards.refusal(Guard::Clock, self.of, self.live) {
            return match status.state {
                State::Undoing(_) if status.intent.is_none() => undo::take_back(self),
                _ => None,
            }
            .unwrap_or(Step::Wait(vec![wrong]));
        }
        if let Some(noted) = self.noted() {
            return write(noted);
        }
        if let Some(intent) = &status.intent {
            return self.settle(intent);
        }
        match status.state {
            State::Undoing(reason) => undo::undo(self, reason),
            State::Proposed => self.propose(),
            State::Waiting => self.wait(chosen),
            State::Stopping => self.watched(Act::Stop).unwrap_or_else(|| self.prepare(Act::Stop)),
            State::CoolingOff => self.cool_off(chosen),
            State::Terminating => self.terminate(),
            State::Retired(_) | State::Cancelled(_) => Step::Wait(Vec::new()),
        }
    }

    /// Is nothing ever asked of AWS? Not while its environment does not go further than telling owners, or nobody knows how far
    /// it goes, and nothing has been asked before.
    fn only_tells(&self) -> bool {
        let Status { state, tried, intent, conditions, .. } = &self.of.status;
        let untouched = conditions.marked.is_none() && !tried && intent.is_none();
        let begun = !matches!(state, State::Proposed | State::Waiting | State::Undoing(_));
        untouched && !begun && !self.live.reaches_the_end()
    }

    /// The whole way of one whose owner is told, and no more: what speaks against it ends it. A tag that an earlier wish may have
    /// left is taken back like any other.
    fn tell(&self) -> Step {
        if let Some(noted) = self.noted() {
            return write(noted);
        }
        let case = Case { moment: Moment::Telling, act: self.of.next_act() };
        match self.of.status.state {
            State::Undoing(reason) => undo::undo(self, reason),
            State::Proposed => self.refused(case).unwrap_or(Step::Call(Request::Notify(Notice::Proposed))),
            _ => self.refused(case).unwrap_or(Step::Wait(Vec::new())),
        }
    }

    /// What any look notes, in every state: whose approvals are there, and whether the host is.
    fn noted(&self) -> Option<Status> {
        let mut status = self.of.status.clone();
        if let Fact::Known(admission) = &self.live.admission {
            status.approvals = approval::stamp(
                &self.of.spec.approvals,
                &status.approvals,
                status.admission.as_ref(),
                admission.as_ref(),
                self.live.now,
            );
            status.admission.clone_from(admission);
        }
        match &self.live.host {
            Fact::Known(None) => status.absent = status.absent.or(Some(self.live.now)),
            Fact::Known(Some(_)) => status.absent = None,
            Fact::Unknown(_) => {}
        }
        (status != self.of.status).then_some(status)
    }

    /// The marked host, if it was seen.
    pub(super) fn host(&self) -> Option<&HostView> {
        let host = self.live.host.known()?.as_ref()?;
        (host.incarnation == self.of.spec.incarnation).then_some(host)
    }

    /// Is the marked host gone, by AWS's word or by two complete looks far enough apart?
    pub(super) fn is_gone(&self) -> bool {
        match &self.live.host {
            Fact::Known(Some(host)) => {
                host.power == Power::Gone || host.incarnation != self.of.spec.incarnation
            }
            Fact::Known(None) => self
                .of
                .status
                .absent
                .is_some_and(|since| self.live.now.duration_since(since) >= ABSENCE_APART),
            Fact::Unknown(_) => false,
        }
    }

    /// An intent stands. Was it used, and did it take effect? Only reading back tells, and only once nothing can come late.
    fn settle(&self, intent: &Intent) -> Step {
        let stopped = self.host().filter(|host| host.power == Power::Stopped && !intent.act.ends());
        let is_ours = stopped.map(|host| self.is_ours(host, intent));
        if let Some(done) = self.effect(intent, stopped.filter(|_| is_ours == Some(Some(true)))) {
            return write(done);
        }
        // Whether a database was stopped again, and then started by somebody, only its events tell.
        let events = if intent.act == Act::Restop { EVENT_COMES } else { SignedDuration::ZERO };
        let over = SETTLED.saturating_add(SKEW).saturating_add(events);
        // It was not used only if the host was seen to go on as before. That backups cannot be read shows nothing.
        let is_clear = match &self.live.host {
            Fact::Known(Some(host)) if is_ours == Some(None) && host.name.is_some() => false,
            Fact::Known(Some(host)) => !matches!(host.power, Power::Stopping | Power::Leaving),
            Fact::Known(None) => self.is_gone(),
            Fact::Unknown(_) => false,
        };
        if !is_clear || self.live.now.duration_since(intent.deadline) < over {
            return Step::Wait(Vec::new());
        }
        let mut status = self.of.status.clone();
        status.intent = None;
        status.occurrence = Occurrence(intent.occurrence.0 + 1);
        // What somebody else stopped is not ours to start; what may be ours is.
        status.tried &= is_ours != Some(Some(false)) || status.has_done(Act::Stop);
        write(status)
    }

    /// The status in which the act is done, if it is. `stopped`: the host, in a stop that is this intent's.
    fn effect(&self, intent: &Intent, stopped: Option<&HostView>) -> Option<Status> {
        let now = self.live.now;
        let mut status = self.of.status.clone();
        status.intent = None;
        status.occurrence = Occurrence(intent.occurrence.0 + 1);
        status.done.push(Done { act: intent.act, occurrence: intent.occurrence, at: now });
        let undoing = matches!(status.state, State::Undoing(_));
        match intent.act {
            Act::Stop => {
                status.stop = Some(Stop { at: now, run: stopped?.run, by: StoppedBy::Rollcall });
                (!undoing)
                    .then_some(())
                    .map_or(Some(status.clone()), |()| Some(status.into_state(State::CoolingOff, now)))
            }
            Act::Restop => {
                let run = stopped?.run;
                let stop = status.stop.as_mut().filter(|stop| stop.run != run)?;
                stop.run = run;
                Some(status)
            }
            Act::Terminate | Act::DeleteReader => {
                self.is_gone().then(|| status.into_state(State::Terminating, now))
            }
        }
    }

    /// Is the stop that a host is in the one that was asked for under this intent? Somebody else may have stopped it while ours was
    /// refused. Of a database its backup tells; of an instance the moment at which the stop was asked for, by AWS's clock. `None`: that
    /// cannot be read, or AWS does not say.
    fn is_ours(&self, host: &HostView, intent: &Intent) -> Option<bool> {
        if host.name.is_some() {
            return self.live.backup.known().map(|backup| backup.stops.contains(&intent.occurrence));
        }
        let (from, until) = (intent.written.saturating_sub(SKEW), intent.deadline.saturating_add(SKEW));
        let (from, until) = (from.unwrap_or(Timestamp::MIN), until.unwrap_or(Timestamp::MAX));
        host.told.map(|told| (from..=until).contains(&told))
    }

    fn propose(&self) -> Step {
        let case = Case { moment: Moment::Proposing, ..State::watching(self.of) };
        if let Some(held) = self.refused(case) {
            return held;
        }
        let Some(host) = self.host() else {
            return Step::Wait(Vec::new());
        };
        if self.of.status.conditions.marked.is_some() {
            return Step::Call(Request::Notify(Notice::Proposed));
        }
        if host.mark.as_ref() != Some(&self.of.mark) {
            return Step::Call(Request::TagMark);
        }
        let mut status = self.of.status.clone();
        status.conditions.marked = Some(self.live.now);
        status.run = host.run;
        if self.of.spec.path == Path::LongStopped {
            status.stop = Some(Stop { at: self.live.now, run: host.run, by: StoppedBy::Somebody });
        }
        write(status)
    }

    /// `Some` when something speaks against it: an undoing if that cancels, a wait if not.
    fn refused(&self, case: Case) -> Option<Step> {
        let refusals = self.guards.refusals(self.of, self.live, case);
        if let Some(undoing) = self.cancelled(&refusals) {
            return Some(write(undoing));
        }
        (!refusals.is_empty()).then_some(Step::Wait(refusals))
    }

    fn cancelled(&self, refusals: &[Refusal]) -> Option<Status> {
        let refusal = refusals.iter().find(|refusal| refusal.why == Why::Cancels)?;
        let mut status = self.of.status.clone();
        status.intent = None;
        Some(status.into_state(State::Undoing(Reason::Refused(refusal.guard)), self.live.now))
    }

    /// `Some` when it must be taken back.
    fn watched(&self, act: impl Into<Option<Act>>) -> Option<Step> {
        let case = Case { moment: Moment::Watching, act: act.into() };
        self.cancelled(&self.guards.refusals(self.of, self.live, case)).map(write)
    }

    fn wait(&self, chosen: bool) -> Step {
        let act = self.of.next_act();
        // Its owner was told that nothing would be done: now it is marked, and told anew with all the time there is.
        if self.of.status.conditions.marked.is_none() {
            let mut status = self.of.status.clone();
            (status.conditions.notified, status.due) = (None, None);
            return write(status.into_state(State::Proposed, self.live.now));
        }
        if let Some(step) = self.watched(act) {
            return step;
        }
        if let Some(held) = self.refused(Case { moment: Moment::Beginning, act }) {
            return held;
        }
        if !chosen {
            return Step::Wait(Vec::new());
        }
        let mut status = self.of.status.clone();
        let state = match self.of.spec.path {
            Path::Stop => State::Stopping,
            Path::Reader => State::Terminating,
            Path::LongStopped => {
                if let Some(stop) = &mut status.stop {
                    stop.at = self.live.now;
                }
                State::CoolingOff
            }
        };
        write(status.into_state(state, self.live.now))
    }

    fn cool_off(&self, chosen: bool) -> Step {
        let act = self.of.next_act();
        if let Some(step) = self.watched(act) {
            return step;
        }
        if let Some(step) = self.restop() {
            return step;
        }
        if let Some(held) = self.refused(Case { moment: Moment::Beginning, act }) {
            return held;
        }
        let status = self.of.status.clone();
        match self.of.spec.final_act {
            FinalAct::Stop => write(status.into_state(State::Retired(Ending::Stopped), self.live.now)),
            FinalAct::HandOver if !matches!(status.conditions.told, Some((Notice::HandOver, _))) => {
                Step::Call(Request::Notify(Notice::HandOver))
            }
            FinalAct::HandOver => write(status.into_state(State::Retired(Ending::HandedOver), self.live.now)),
            FinalAct::Terminate if chosen => write(status.into_state(State::Terminating, self.live.now)),
            FinalAct::Terminate => Step::Wait(Vec::new()),
        }
    }

    fn terminate(&self) -> Step {
        let act = if self.of.spec.path == Path::Reader { Act::DeleteReader } else { Act::Terminate };
        if self.of.status.has_done(act) {
            return self.deregister();
        }
        if let Some(step) = self.watched(act) {
            return step;
        }
        self.restop().filter(|_| act == Act::Terminate).unwrap_or_else(|| self.prepare(act))
    }

    /// RDS started it again by itself, and nobody minds: it is stopped again.
    fn restop(&self) -> Option<Step> {
        let host = self.host()?;
        let restart = self.of.status.stop.as_ref().and_then(|stop| stop.run);
        if host.power != Power::Running || host.restarted_itself(restart, self.live.now) != Some(true) {
            return None;
        }
        Some(self.watched(Act::Restop).unwrap_or_else(|| self.prepare(Act::Restop)))
    }

    fn deregister(&self) -> Step {
        let Fact::Known(systems) = &self.live.watched else {
            return Step::Wait(Vec::new());
        };
        if let Some(system) = systems.keys().next() {
            return Step::Call(Request::RetireRegistration(system.clone()));
        }
        let mut status = self.of.status.clone();
        status.conditions.deregistered = Some(self.live.now);
        write(status.into_state(State::Retired(Ending::Terminated), self.live.now))
    }

    /// Whatever the gate still misses is done, one thing a step; when it misses nothing, the intent is written.
    fn prepare(&self, act: Act) -> Step {
        let refusals =
            self.guards.refusals(self.of, self.live, Case { moment: Moment::Arming, act: Some(act) });
        let held = |refusal: &Refusal| !has_remedy(refusal.guard) || matches!(refusal.why, Why::Unknown(_));
        if let Some(first) = refusals.first() {
            let step = if refusals.iter().any(held) { None } else { self.remedy(first.guard, act) };
            if let Some(step) = step {
                return step;
            }
            return self.impatient().unwrap_or(Step::Wait(refusals));
        }
        // That there is one is what the guard `Leader` has just said.
        let epoch = self.live.epoch.known().copied().flatten().unwrap_or_default();
        let now = self.live.now;
        let mut status = self.of.status.clone();
        status.tried |= !act.ends();
        status.intent = Some(Intent {
            mark: self.of.mark.clone(),
            incarnation: self.of.spec.incarnation.clone(),
            act,
            occurrence: status.occurrence,
            epoch,
            written: now,
            deadline: now.saturating_add(INTENT_LASTS).unwrap_or(Timestamp::MAX),
        });
        Step::Arm(Box::new(status))
    }

    /// The next piece of what a guard asks for; `None` when it only takes time.
    fn remedy(&self, guard: Guard, act: Act) -> Option<Step> {
        let Conditions { told, drained, silenced, .. } = &self.of.status.conditions;
        let call = |request| Some(Step::Call(request));
        match guard {
            Guard::Noticed => {
                let policy = self.live.policy.known()?.as_ref()?;
                let lasts = policy.notice.saturating_add(NOTICE_HOLDS);
                let stands = told.is_some_and(|(notice, at)| {
                    notice == Notice::Soon(act) && self.live.now.duration_since(at) <= lasts
                });
                if stands { None } else { call(Request::Notify(Notice::Soon(act))) }
            }
            Guard::Drained => {
                let targets = self.live.targets.known()?;
                if targets.is_subset(drained) {
                    return call(Request::Drain(targets.clone()));
                }
                let mut status = self.of.status.clone();
                status.conditions.drained.extend(targets.iter().cloned());
                Some(write(status))
            }
            Guard::Silenced => {
                let (system, _) = self.live.watched.known()?.iter().find(|(_, silent)| !**silent)?;
                if silenced.contains(system) {
                    return call(Request::Silence(system.clone()));
                }
                let mut status = self.of.status.clone();
                status.conditions.silenced.insert(system.clone());
                Some(write(status))
            }
            Guard::Labelled => call(Request::TagStopped),
            Guard::LaunchRecord => call(Request::SaveLaunchRecord),
            Guard::BackedUp => {
                let missing = self.live.backup.known()?.missing.first()?.clone();
                // A database's backup is taken by its stop: there is none to take of a stopped one.
                self.host()?.name.is_none().then_some(Step::Call(Request::Snapshot(missing)))
            }
            Guard::Recorded => call(Request::Record(act, self.of.status.occurrence)),
            Guard::Budget => self.reserve(act),
            _ => None,
        }
    }

    fn reserve(&self, act: Act) -> Option<Step> {
        let now = self.live.now;
        let ledger = self.live.ledger.known()?.as_ref()?;
        let wanted = self.of.entry(act, now);
        let reserved = ledger.reserve(wanted, self.live.limits.known()?, now).ok()?;
        Some(Step::Call(Request::WriteLedger { replaces: ledger.clone(), ledger: reserved }))
    }

    /// Held up for too long: what waits for a stop is given back, what waits for its end cools off again.
    fn impatient(&self) -> Option<Step> {
        if self.live.now.duration_since(self.of.status.since) < PATIENCE {
            return None;
        }
        let state = match (self.of.status.state, self.of.spec.path) {
            (State::Stopping, _) | (State::Terminating, Path::Reader) => State::Undoing(Reason::Stalled),
            (State::Terminating, _) => State::CoolingOff,
            _ => return None,
        };
        Some(write(self.of.status.clone().into_state(state, self.live.now)))
    }

    /// The intent was written a moment ago, by us, and nothing was done under it.
    fn last_gate(&self) -> Step {
        let Some(intent) = &self.of.status.intent else {
            return Step::Wait(Vec::new());
        };
        match self.guards.permit(self.of, self.live, intent) {
            Ok(permit) => {
                // Whatever bears the name: that it is the marked one is the gate's to say.
                let name = self.live.host.known().and_then(|host| host.as_ref()?.name.clone());
                Step::Call(Request::Act(Order { permit, name }))
            }
            Err(refusals) => {
                let mut kept = self.of.status.clone();
                kept.intent = None;
                write(self.cancelled(&refusals).unwrap_or(kept))
            }
        }
    }
}

/// Can we do something about it?
fn has_remedy(guard: Guard) -> bool {
    matches!(
        guard,
        Guard::Noticed
            | Guard::Drained
            | Guard::Silenced
            | Guard::Labelled
            | Guard::LaunchRecord
            | Guard::BackedUp
            | Guard::Recorded
            | Guard::Budget
    )
}
