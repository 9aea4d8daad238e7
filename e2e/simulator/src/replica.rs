//! One replica of the operator: the shell around the engine, as bad as a shell may be. It holds a lease that it may have
//! lost, a watch that may be dead and a look that may be old, and does what the engine's steps say.

use std::collections::{BTreeSet, VecDeque};

use jiff::SignedDuration;
use rollcall_engine::ids::Mark;
use rollcall_engine::retirement::{
    Action, Candidate, Decision, Epoch, Event, Fact, FinalAct, Ledger, Leftover, Live, Notice, Path, Plan,
    Power, Reason, Request, Retirement, Spec, Standing, State, Status, Step, Trace, plan_with, step_with,
};

use crate::cloud::{Call, Errand};
use crate::judge::Law;
use crate::look::{Eyes, found, look, watch};
use crate::people;
use crate::schedule::{Fault, Point, Sec, Source};
use crate::world::{Hole, Stored, World, at, second};

/// How long a lease lasts.
const LEASE: Sec = 300;

/// No retirement takes more steps in one pass.
const STEPS: u8 = 24;

/// A look is not used after so many seconds (`CALL_VALID`).
const VALID: Sec = 60;

/// Something to do in this pass.
#[derive(Clone, Debug)]
enum Work {
    Look { mark: Mark, steps: u8, armed: bool },
    Sweep(Leftover),
    Propose(usize, Path),
}

/// A look in hand, not used yet.
struct Hand {
    of: Box<Retirement>,
    version: u64,
    live: Box<Live>,
    at: Sec,
    steps: u8,
    armed: bool,
}

/// What a replica asks the world to do later.
pub enum Later {
    /// Wake it.
    Tick(Sec),
    /// A call arrives.
    Arrive(Sec, Call),
    /// It is back after a crash.
    Revive(Sec),
}

/// One replica.
pub struct Replica {
    /// Which one.
    pub number: usize,
    /// Raised by every crash: what was scheduled before it never happens.
    pub generation: u64,
    /// Is it dead?
    pub down: bool,
    belief: Option<Epoch>,
    cache: Vec<Stored>,
    queue: VecDeque<Work>,
    hand: Option<Hand>,
    chosen: BTreeSet<Mark>,
    next_pass: Sec,
}

impl Replica {
    /// One that has just started.
    #[must_use]
    pub fn new(number: usize) -> Self {
        Self {
            number,
            generation: 0,
            down: false,
            belief: None,
            cache: Vec::new(),
            queue: VecDeque::new(),
            hand: None,
            chosen: BTreeSet::new(),
            next_pass: 0,
        }
    }

    /// It dies, and forgets all that it did not write.
    pub fn crash(&mut self) {
        let (number, generation) = (self.number, self.generation + 1);
        *self = Self { generation, down: true, ..Self::new(number) };
    }

    fn eyes(&self) -> Eyes {
        Eyes { replica: self.number, fail: true }
    }

    /// Does it think that it leads? Renews the lease, or takes one that ran out.
    fn leads(&mut self, world: &mut World) -> bool {
        let split = world.fault(|fault| (*fault == Fault::SplitBrain(self.number)).then_some(()));
        if split.is_some() && self.belief.is_some() {
            world.coverage.reach("fault", "SplitBrain");
            return true;
        }
        let now = world.now;
        if world.lease.holder != self.number || now >= world.lease.until {
            if now < world.lease.until {
                self.belief = None;
                return false;
            }
            world.lease.holder = self.number;
            world.lease.epoch = Epoch(world.lease.epoch.0 + 1);
            world.lease.since = now;
            self.queue.clear();
            self.hand = None;
        }
        world.lease.until = now + LEASE;
        self.belief = Some(world.lease.epoch);
        true
    }

    /// It is its turn.
    pub fn tick(&mut self, world: &mut World, later: &mut Vec<Later>) {
        if self.down {
            return;
        }
        let now = world.now;
        let pause = world.faults.iter().find(|(_, _, fault)| *fault == Fault::Pause(self.number));
        if let Some((_, until, _)) = pause {
            world.coverage.reach("fault", "Pause");
            later.push(Later::Tick(*until));
            return;
        }
        let again = if let Some(hand) = self.hand.take() {
            self.act_on(world, hand, later);
            1
        } else if !self.leads(world) {
            self.queue.clear();
            120
        } else if let Some(work) = self.queue.pop_front() {
            self.work(world, work, later);
            world.rng.i64(1..3)
        } else if self.next_pass <= now {
            self.next_pass = now + world.config.pass;
            self.pass(world);
            1
        } else {
            (self.next_pass - now).clamp(1, 120)
        };
        later.push(Later::Tick(now + again));
    }

    /// Refreshes what the watch should have brought, and plans.
    fn pass(&mut self, world: &mut World) {
        let stale = world.fault(|fault| (*fault == Fault::StaleWatch(self.number)).then_some(()));
        if stale.is_some() {
            world.coverage.reach("fault", "StaleWatch");
        } else {
            self.cache = world.objects.iter().filter(|one| one.deleted.is_none()).cloned().collect();
        }
        let breaker = watch(world, self.eyes());
        if breaker != world.breaker {
            if breaker.trip.is_some() && world.breaker.trip.is_none() {
                world.coverage.reach("breaker", "Tripped");
            }
            world.breaker = breaker;
            world.breaker_seen = None;
            world.wrote();
        }
        let plan = plan_now(world, self.eyes(), &self.cache);
        for blocked in &plan.blocked {
            blocked.refusals.iter().for_each(|r| world.coverage.reach("guard", r.guard.name()));
        }
        self.chosen.clear();
        for action in plan.actions {
            match action {
                Action::Sweep(leftover) => self.queue.push_back(Work::Sweep(leftover)),
                Action::MakeLedger if world.ledger.is_none() => {
                    let now = at(world.now + world.skew(self.number));
                    world.ledger = Some(std::sync::Arc::new(Ledger::new(now)));
                    world.wrote();
                }
                Action::MakeLedger => {}
                Action::Begin(mark) => {
                    self.chosen.insert(mark);
                }
                Action::Propose(host) => {
                    let n = world.hosts.iter().position(|it| it.view.incarnation.host == host);
                    let way = n.and_then(|n| Some((n, found(world, self.eyes(), n)?)));
                    self.queue.extend(way.map(|(n, path)| Work::Propose(n, path)));
                }
            }
        }
        let under_way = self.cache.iter().filter(|one| !one.retirement.status.state.is_over());
        let marks: Vec<Mark> = under_way.map(|one| one.retirement.mark.clone()).collect();
        self.queue.extend(marks.into_iter().map(|mark| Work::Look { mark, steps: 0, armed: false }));
    }

    fn work(&mut self, world: &mut World, work: Work, later: &mut Vec<Later>) {
        match work {
            Work::Look { mark, steps, armed } => self.look_at(world, &mark, steps, armed),
            Work::Sweep(leftover) => sweep(world, &leftover, later),
            Work::Propose(n, path) => propose(world, n, path),
        }
    }

    fn look_at(&mut self, world: &mut World, mark: &Mark, steps: u8, armed: bool) {
        if world.is_blind(Source::Objects) {
            return;
        }
        let Some(one) = world.of_mark(mark).and_then(|one| world.objects.get(one)) else { return };
        if one.deleted.is_some() {
            return;
        }
        let (of, version) = (Box::new(one.retirement.clone()), one.version);
        let mut live = look(world, self.eyes(), &of);
        if world.ablation.hole == Some(Hole::Breaker) {
            live.breaker = Fact::Known(None);
        }
        if world.ablation.hole == Some(Hole::Retag) {
            retag(world, &of, &mut live);
        }
        if world.ablation.hole == Some(Hole::AnybodysStop) {
            take_for_ours(&of, &mut live);
        }
        if armed {
            self.hold_to_monotone(world, &of, &live);
        }
        self.hand = Some(Hand { of, version, live: Box::new(live), at: world.now, steps, armed });
    }

    /// Whoever sees less may not do more.
    fn hold_to_monotone(&self, world: &mut World, of: &Retirement, live: &Live) {
        let lies = world.fault(|fault| {
            let hides = matches!(fault, Fault::Lag(_) | Fault::Lie | Fault::Vanish | Fault::Skew(..));
            hides.then_some(())
        });
        let tampers = world.ablation.hole.is_some_and(|hole| hole != Hole::Credulous);
        if lies.is_some() || tampers {
            return;
        }
        let truth = look(world, Eyes { replica: self.number, fail: false }, of);
        let guards = world.ablation.guards();
        let acts =
            |live: &Live| matches!(step_with(guards, of, &Event::Armed(live)), Step::Call(Request::Act(_)));
        if acts(live) && !acts(&truth) {
            let now = world.now;
            world.judge.breach(Law::Monotone, now, || format!("{} acts only half blind", of.mark));
        }
    }

    fn act_on(&mut self, world: &mut World, hand: Hand, later: &mut Vec<Later>) {
        let Hand { of, version, live, at: looked, steps, armed } = hand;
        let mark = of.mark.clone();
        if world.now - looked > VALID {
            world.coverage.reach("shell", "OldLook");
            return;
        }
        let event = if armed {
            Event::Armed(&live)
        } else {
            Event::Looked { live: &live, chosen: self.chosen.contains(&mark) }
        };
        let next = step_with(world.ablation.guards(), &of, &event);
        let again = |armed| Work::Look { mark: mark.clone(), steps: steps + 1, armed };
        let point = if matches!(next, Step::Wait(_)) { None } else { world.next_request() };
        if point == Some(Point::Before) {
            return self.die(world.now, later);
        }
        let heard = point != Some(Point::Error);
        match next {
            Step::Write(_) | Step::Arm(_) | Step::Call(_) if point == Some(Point::Lost) => {}
            Step::Write(status) => {
                if write(world, &mark, version, *status) && heard && steps < STEPS {
                    self.queue.push_front(again(false));
                }
            }
            Step::Arm(status) => {
                if write(world, &mark, version, *status) && heard {
                    self.queue.push_front(again(true));
                }
            }
            Step::Call(request) => {
                world.trace.tell(world.now, "call", self.number, || format!("{} {mark}", request.name()));
                world.coverage.reach("request", request.name());
                self.call(world, &of, &live, request, later);
                if heard && steps < STEPS {
                    self.queue.push_front(again(false));
                }
            }
            Step::Wait(refusals) => {
                for refusal in &refusals {
                    world.coverage.reach("guard", refusal.guard.name());
                }
                let now = world.now;
                world.trace.tell(now, "waits", refusals.len(), || {
                    let why: Vec<&str> = refusals.iter().map(|r| r.guard.name()).collect();
                    format!("{mark} {} {why:?}", of.status.state.name())
                });
            }
        }
        if point == Some(Point::After) {
            self.die(world.now, later);
        }
    }

    /// It dies, and is back after a minute.
    fn die(&mut self, now: Sec, later: &mut Vec<Later>) {
        self.crash();
        later.push(Later::Revive(now + 60));
    }

    fn call(
        &self,
        world: &mut World,
        of: &Retirement,
        live: &Live,
        request: Request,
        later: &mut Vec<Later>,
    ) {
        let mark = of.mark.clone();
        let errand = match request {
            Request::Act(order) => {
                let intent = order.permit.intent().clone();
                if let Some(n) = world.host_of(&intent.incarnation) {
                    people::late(world, n);
                }
                Errand::Act(intent, order.name, self.number)
            }
            Request::Notify(notice) => return notify(world, of, live, notice),
            Request::Record(act, occurrence) => {
                world.records.entry(mark).or_default().insert((act, occurrence));
                return world.wrote();
            }
            Request::WriteLedger { replaces, mut ledger } => {
                if world.ledger.as_deref() == Some(&*replaces) {
                    if world.ablation.hole == Some(Hole::Reservation) {
                        let (now, window) = (live.now, world.limits.window);
                        let long = SignedDuration::from_hours(6);
                        if let Some(new) = ledger.entries.iter_mut().find(|entry| entry.from == now) {
                            new.until = now.saturating_add(long).unwrap_or(now);
                        }
                        ledger.entries.retain(|entry| now.duration_since(entry.from) <= window);
                    }
                    world.ledger = Some(std::sync::Arc::new(ledger));
                    world.wrote();
                }
                return;
            }
            Request::TagMark => Errand::TagMark(mark),
            Request::TagStopped => Errand::TagStopped(mark),
            Request::Untag => Errand::Untag(mark),
            Request::Drain(targets) => Errand::Drain(targets),
            Request::Register(targets) => Errand::Register(targets),
            Request::Silence(system) => Errand::Silence(system, mark),
            Request::Unsilence(system) => Errand::Unsilence(system, mark),
            Request::RetireRegistration(system) => Errand::RetireRegistration(system),
            Request::SaveLaunchRecord => Errand::SaveLaunchRecord(mark),
            Request::Snapshot(_) => Errand::Snapshot(mark),
            Request::Start => Errand::Start,
        };
        let call =
            Call { incarnation: of.spec.incarnation.clone(), errand, not_after: second(live.now) + VALID };
        send(world, call, later);
    }
}

/// The fourth hole: a mark that somebody took off is put back.
fn retag(world: &mut World, of: &Retirement, live: &mut Live) {
    let Some(host) = world.host_of(&of.spec.incarnation).and_then(|n| world.hosts.get_mut(n)) else { return };
    if of.status.conditions.marked.is_none()
        || matches!(of.status.state, State::Undoing(_))
        || host.ended.is_some()
        || host.view.mark.is_some()
    {
        return;
    }
    let now = world.now;
    host.change(now, |view| view.mark = Some(of.mark.clone()));
    if let Fact::Known(Some(view)) = &mut live.host {
        view.mark = Some(of.mark.clone());
    }
}

/// Whoever stopped it, it was us.
fn take_for_ours(of: &Retirement, live: &mut Live) {
    let Some(intent) = &of.status.intent else { return };
    if let Fact::Known(Some(view)) = &mut live.host {
        view.told = Some(intent.written);
    }
    if let Fact::Known(backup) = &mut live.backup {
        backup.stops.insert(intent.occurrence);
    }
}

/// Sends it off: it may take its time, or never arrive.
fn send(world: &mut World, call: Call, later: &mut Vec<Later>) {
    let lost = world.fault(|fault| match fault {
        Fault::Lose(tenths) => Some(*tenths),
        _ => None,
    });
    if lost.is_some_and(|tenths| world.rng.u8(..10) < tenths) {
        world.coverage.reach("fault", "Lose");
        return;
    }
    let slow = world.fault(|fault| match fault {
        Fault::Slow(seconds) => Some(*seconds),
        _ => None,
    });
    let takes = slow.map_or(0, |seconds| world.rng.i64(0..seconds));
    if takes > 0 {
        world.coverage.reach("fault", "Slow");
    }
    later.push(Later::Arrive(world.now + 1 + takes, call));
}

/// Replaces a status, if it is still the one that was read. Says whether it is known to have succeeded.
fn write(world: &mut World, mark: &Mark, version: u64, status: Status) -> bool {
    let now = world.now;
    let next = world.version + 1;
    let Some(one) = world.of_mark(mark).and_then(|one| world.objects.get_mut(one)) else { return false };
    if one.version != version || one.deleted.is_some() {
        world.coverage.reach("shell", "Conflict");
        return false;
    }
    if status.conditions.marked.is_some() && one.retirement.status.conditions.marked.is_none() {
        world.judge.marked.insert(mark.clone(), now);
    }
    let (state, before) = (status.state, one.retirement.status.state);
    one.retirement.status = status;
    one.version = next;
    world.version = next;
    world.wrote();
    world.coverage.reach("state", state.name());
    if state != before {
        world.trace.tell(now, "state", 0, || format!("{mark} {state:?}"));
        if let State::Undoing(Reason::Refused(guard)) = state {
            world.coverage.reach("guard", guard.name());
            world.coverage.reach("cancels", guard.name());
        }
    }
    let mumbles = world.fault(|fault| match fault {
        Fault::Mumble(tenths) => Some(*tenths),
        _ => None,
    });
    let heard = mumbles.is_none_or(|tenths| world.rng.u8(..10) >= tenths);
    if !heard {
        world.coverage.reach("fault", "Mumble");
    }
    heard
}

/// The owner's channel is told, and says that it accepted, or does not. The time is the look's own.
fn notify(world: &mut World, of: &Retirement, live: &Live, notice: Notice) {
    if world.is_blind(Source::Channel) {
        return;
    }
    let now = world.now;
    let about = match notice {
        Notice::Proposed => None,
        Notice::Soon(act) => Some(act),
        Notice::HandOver => return accepted(world, of, live, notice),
    };
    world.judge.notices.entry(of.mark.clone()).or_default().push((about, now));
    accepted(world, of, live, notice);
}

fn accepted(world: &mut World, of: &Retirement, live: &Live, notice: Notice) {
    let longer = world.rng.i64(0..1_800);
    let due = at(second(live.now) + world.config.grace + longer);
    let Some(one) = world.of_mark(&of.mark).and_then(|one| world.objects.get(one)) else { return };
    let (object, version) = (one.retirement.clone(), one.version);
    let event = Event::Accepted { notice, at: live.now, due };
    if let Step::Write(status) = step_with(world.ablation.guards(), &object, &event) {
        write(world, &of.mark, version, *status);
    }
}

/// Takes off what belongs to nobody, if a live list says so too.
fn sweep(world: &mut World, leftover: &Leftover, later: &mut Vec<Later>) {
    if world.is_blind(Source::Objects) {
        return;
    }
    let stands = world
        .of_mark(&leftover.mark)
        .and_then(|one| world.objects.get(one))
        .is_some_and(|one| one.deleted.is_none() && !one.retirement.status.state.is_over());
    let Some(n) = world.hosts.iter().position(|host| host.view.incarnation.host == leftover.host) else {
        return;
    };
    let Some(host) = world.hosts.get(n).filter(|_| !stands) else { return };
    let mark = leftover.mark.clone();
    let errand = match &leftover.what {
        Trace::Silence(system) => Errand::Unsilence(system.clone(), mark),
        Trace::Mark => Errand::Unmark(mark),
        Trace::Stopped => Errand::Unstop(mark),
    };
    world.coverage.reach("request", "Sweep");
    let call = Call { incarnation: host.view.incarnation.clone(), errand, not_after: world.now + VALID };
    send(world, call, later);
}

/// Writes a retirement. Its name is that of the host and the attempt, so that two of one attempt cannot be.
fn propose(world: &mut World, n: usize, path: Path) {
    let Some(retirement) = proposed(world, n, path) else { return };
    if world.is_blind(Source::Objects) {
        return;
    }
    let attempt = world.objects.iter().filter(|one| one.host == n).count();
    let name = format!("{}-{attempt}", retirement.spec.incarnation.host);
    if world.under_way(n).is_some() {
        world.coverage.reach("shell", "AlreadyProposed");
        return;
    }
    let version = world.next_version();
    let mark = Mark::new(format!("uid-{name}"));
    world.trace.tell(world.now, "proposed", n, || format!("{name} {path:?}"));
    world.coverage.reach("state", "Proposed");
    world.objects.push(Stored {
        name,
        version,
        retirement: Retirement { mark, ..retirement },
        host: n,
        deleted: None,
        cancelled: None,
        approvals: Vec::new(),
    });
    world.wrote();
}

/// A retirement as it would be written.
fn proposed(world: &World, n: usize, path: Path) -> Option<Retirement> {
    let host = world.hosts.get(n)?;
    let ends = world.config.final_act == FinalAct::Terminate;
    if path == Path::Reader && !ends {
        return None;
    }
    Some(Retirement {
        mark: Mark::new(""),
        spec: Spec {
            incarnation: host.view.incarnation.clone(),
            account: world.names.account.clone(),
            environment: world.names.environments.get(host.place.0)?.clone(),
            duty: world.names.duties.get(host.place.1)?.clone(),
            policy_hash: "rule-1".into(),
            path,
            final_act: world.config.final_act,
            approvals_needed: world.config.approvals,
            approvals: BTreeSet::new(),
            decision: Decision::Proceed,
        },
        status: Status::proposed(at(world.now)),
    })
}

/// How long a host that was cancelled is left alone: its window must be idle afresh.
const AGAIN: Sec = 3 * 3_600;

/// Plans with what can be seen now.
pub fn plan_now(world: &mut World, eyes: Eyes, cache: &[Stored]) -> Plan {
    let mut candidates = Vec::new();
    let listing = eyes.fail && world.is_blind(Source::Hosts);
    for n in 0..world.hosts.len() {
        let recent = cache.iter().filter(|one| one.host == n).any(|one| {
            let state = one.retirement.status.state;
            !state.is_over() || world.now - second(one.retirement.status.since) < AGAIN
        });
        let done = world.ablation.hole == Some(Hole::DonePerName) && {
            let name = world.hosts.get(n).and_then(|host| host.view.name.clone());
            name.is_some_and(|name| {
                cache
                    .iter()
                    .filter_map(|one| world.hosts.get(one.host))
                    .any(|host| host.view.name.as_ref() == Some(&name) && host.ended.is_some())
            })
        };
        if listing || recent || done {
            continue;
        }
        if let Some(retirement) = found(world, eyes, n).and_then(|path| proposed(world, n, path)) {
            let live = look(world, eyes, &retirement);
            candidates.push((retirement, live));
        }
    }
    let mut standing = Vec::new();
    for one in cache {
        let over = one.retirement.status.state.is_over();
        // What is over is looked at no more; its state alone counts.
        let known = standing.first().filter(|_| over).map(|(_, live): &(_, Live)| live.clone());
        standing.push((&one.retirement, known.unwrap_or_else(|| look(world, eyes, &one.retirement))));
    }
    let mut leftovers = BTreeSet::new();
    for host in world.hosts.iter().filter(|host| host.ended.is_none() && !listing) {
        let id = &host.view.incarnation.host;
        let runs = host.view.power == Power::Running;
        let mark = host.view.mark.iter().map(|mark| (mark, Trace::Mark));
        let stopped = host.view.stopped.iter().map(|mark| (mark, Trace::Stopped));
        let silences = host.registered.iter();
        let silences =
            silences.filter_map(|(system, by)| Some((by.as_ref()?, Trace::Silence(system.clone()))));
        leftovers.extend(mark.chain(stopped).chain(silences).map(|(mark, what)| Leftover {
            host: id.clone(),
            mark: mark.clone(),
            what,
            runs,
        }));
    }
    let guards = world.ablation.guards();
    let candidates: Vec<Candidate<'_>> =
        candidates.iter().map(|(retirement, live)| Candidate { retirement, live }).collect();
    let standing: Vec<Standing<'_>> =
        standing.iter().map(|(retirement, live)| Standing { retirement, live }).collect();
    plan_with(guards, &candidates, &standing, &leftovers, world.ledger.as_deref(), &world.limits)
}
