//! The judge: the laws of docs/simulator.md on the truth, never on what a replica believed.
//!
//! Something that people or the world change may be up to [`SLACK`] old when an act takes effect: an intent lasts for 60
//! seconds. What is read at AWS or from metrics may be older by how late they tell it ([`LATE`]). Conditions that AWS
//! itself asks have no slack.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_engine::ids::Mark;
use rollcall_engine::retirement::{Act, Guard, Intent, Occurrence, Path, Power};

use crate::schedule::{Fault, Sec, Source};
use crate::world::{By, Scope, World, second};

/// An intent's minute, a clock's five seconds, and the look before it.
pub const SLACK: Sec = 75;

/// The longest that descriptions or metrics lag behind, with [`SLACK`].
pub const LATE: Sec = 240 + 180 + SLACK;

/// A law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is told by `text`")]
pub enum Law {
    S1,
    S2,
    S3,
    S4,
    S5,
    S6,
    S7,
    S8,
    S9,
    S10,
    S11,
    S12,
    S13,
    S14,
    Told,
    Quiet,
    Frozen,
    Monotone,
    L1,
    L2,
    L3,
    L4,
}

impl Law {
    /// All there are.
    pub const ALL: [Self; 22] = [
        Self::S1,
        Self::S2,
        Self::S3,
        Self::S4,
        Self::S5,
        Self::S6,
        Self::S7,
        Self::S8,
        Self::S9,
        Self::S10,
        Self::S11,
        Self::S12,
        Self::S13,
        Self::S14,
        Self::Told,
        Self::Quiet,
        Self::Frozen,
        Self::Monotone,
        Self::L1,
        Self::L2,
        Self::L3,
        Self::L4,
    ];

    /// What it says.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::S1 => "only what was idle since the mark, after its grace; only what stayed in its stop",
            Self::S2 => "never on unknown",
            Self::S3 => "enough live approvals of this mark",
            Self::S4 => "never kept, protected, managed, excluded, last, unwanted, alarmed or out of window",
            Self::S5 => "acts of any window within the budget, at every level",
            Self::S6 => "only the marked incarnation",
            Self::S7 => "nothing while the breaker should be open",
            Self::S8 => "a backup and a launch record before the end",
            Self::S9 => {
                "one act per mark, step and occurrence; none of a deposed leader or another installation"
            }
            Self::S10 => "nothing after the intent's deadline",
            Self::S11 => "nothing pending after undo, cancel or deletion, and every stop is recorded",
            Self::S12 => "deleting an object stops and ends nothing",
            Self::S13 => "no call with another account's credentials",
            Self::S14 => "the record precedes the effect",
            Self::Told => "a quarter of an hour's notice",
            Self::Quiet => "drained, and silent in every system that watches",
            Self::Frozen => "nothing while frozen",
            Self::Monotone => "what a fault hides never makes a host eligible",
            Self::L1 => "comes to rest",
            Self::L2 => "who is eligible, approved and in budget goes",
            Self::L3 => "nothing is stuck",
            Self::L4 => "registrations and targets are as they should be",
        }
    }
}

/// A law that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub law: Law,
    /// When.
    pub when: Sec,
    /// How.
    pub what: String,
}

/// What the judge has seen.
#[derive(Clone, Debug, Default)]
pub struct Judge {
    /// What was broken, the first first.
    pub violations: Vec<Violation>,
    /// Acts that took effect: when, where, of which duty, whose, what, which try.
    pub acts: Vec<Effect>,
    /// Sub-laws: notices that the channel accepted, by mark.
    pub notices: BTreeMap<Mark, Vec<(Option<Act>, Sec)>>,
    /// When somebody last acknowledged a trip.
    last_acknowledged: Option<Sec>,
    /// When each mark's tag first stood.
    pub marked: BTreeMap<Mark, Sec>,
    done: BTreeSet<(Mark, Act, Occurrence)>,
}

/// An act that took effect.
#[derive(Clone, Debug)]
pub struct Effect {
    /// When.
    pub when: Sec,
    /// On which host.
    pub host: usize,
    /// Where.
    pub place: (usize, usize, usize),
    /// Whose.
    pub mark: Mark,
    /// What.
    pub act: Act,
}

impl Judge {
    /// Notes a breach; one of each law is enough.
    pub fn breach(&mut self, law: Law, when: Sec, what: impl FnOnce() -> String) {
        if !self.violations.iter().any(|one| one.law == law) {
            self.violations.push(Violation { law, when, what: what() });
        }
    }

    /// Somebody acknowledged a trip.
    pub fn acknowledged(&mut self, when: Sec) {
        self.last_acknowledged = Some(when);
    }
}

/// A destructive call was made, whether or not it takes effect.
pub fn call(world: &mut World, intent: &Intent, replica: usize) {
    let now = world.now;
    let stale = |since: Option<Sec>| since.is_some_and(|since| now - since > SLACK);
    let account = stale(world.spoilt_since(Scope::Account, Guard::Account));
    let installation = stale(world.spoilt_since(Scope::Account, Guard::Installation));
    if account {
        world.judge.breach(Law::S13, now, || format!("{:?} under another account's credentials", intent.act));
    }
    if installation {
        world.judge.breach(Law::S9, now, || format!("{:?} by another installation's role", intent.act));
    }
    // A call of a term that ended long ago, be it refused or not.
    let deposed = world.lease.holder != replica && now - world.lease.since > SLACK + 120;
    if deposed {
        world.judge.breach(Law::S9, now, || format!("{:?} by replica {replica}, deposed", intent.act));
    }
}

/// An act takes effect on a host, now.
pub fn act(world: &mut World, intent: &Intent, n: usize, replica: usize) {
    let now = world.now;
    let mut judge = std::mem::take(&mut world.judge);
    let trial = Trial { world, intent, n, now };
    trial.host(&mut judge);
    trial.people(&mut judge);
    trial.sources(&mut judge, replica);
    trial.procedure(&mut judge);
    trial.budget(&mut judge);
    world.coverage.reach("act", word(intent.act));
    world.judge = judge;
}

/// An act's name.
#[must_use]
pub fn word(act: Act) -> &'static str {
    match act {
        Act::Stop => "Stop",
        Act::Restop => "Restop",
        Act::Terminate => "Terminate",
        Act::DeleteReader => "DeleteReader",
    }
}

struct Trial<'a> {
    world: &'a World,
    intent: &'a Intent,
    n: usize,
    now: Sec,
}

impl Trial<'_> {
    fn about(&self) -> String {
        format!("{:?} of host {} by {}", self.intent.act, self.n, self.intent.mark)
    }

    fn is_stale(&self, scope: Scope, guard: Guard, slack: Sec) -> bool {
        self.world.spoilt_since(scope, guard).is_some_and(|since| self.now - since > slack)
    }

    /// S1, S4, S6: what the host is and does.
    fn host(&self, judge: &mut Judge) {
        let (now, act) = (self.now, self.intent.act);
        let Some(host) = self.world.hosts.get(self.n) else { return };
        if host.view.incarnation != self.intent.incarnation {
            judge.breach(Law::S6, now, || self.about());
        }
        let Some(object) = self.world.of_mark(&self.intent.mark).and_then(|one| self.world.objects.get(one))
        else {
            judge.breach(Law::S3, now, || format!("{}: no such retirement", self.about()));
            return;
        };
        let config = &self.world.config;
        let marked = judge.marked.get(&self.intent.mark).copied();
        let proposed = judge.notices.get(&self.intent.mark);
        let notified =
            proposed.and_then(|all| all.iter().find(|(act, _)| act.is_none())).map(|(_, when)| *when);
        let since = marked.unwrap_or(now);
        let reader = act == Act::DeleteReader;
        let grace = config.grace + if reader { config.cool_off } else { 0 };
        if now - notified.unwrap_or(now) < grace - 20 {
            judge.breach(Law::S1, now, || format!("{}: told at {notified:?}, grace {grace}", self.about()));
        }
        match act {
            Act::Stop | Act::DeleteReader if host.is_used(since, now - LATE) => {
                judge.breach(Law::S1, now, || format!("{}: used since its mark", self.about()));
            }
            Act::Stop if host.started.iter().any(|start| (since..now - LATE).contains(start)) => {
                judge.breach(Law::S1, now, || format!("{}: started since its mark", self.about()));
            }
            Act::Restop if host.is_used(host.switched.0, now - LATE) && host.switched.0 < now - LATE => {
                judge.breach(Law::S1, now, || format!("{}: used since its stop", self.about()));
            }
            Act::Terminate => {
                let stopped_by = object.retirement.spec.path;
                let stop = judge.acts.iter().find(|one| one.mark == self.intent.mark && one.act == Act::Stop);
                let since = match (stopped_by, stop) {
                    (Path::LongStopped, _) => Some(since),
                    (_, Some(stop)) => Some(stop.when),
                    _ => None,
                };
                let started = |since: Sec| host.started.iter().any(|s| (since..now - LATE).contains(s));
                let kept = since.is_some_and(|since| now - since >= config.cool_off - 20 && !started(since));
                let runs = host.view.power != Power::Stopped && host.switched.0 < now - LATE;
                if !kept || runs {
                    judge.breach(Law::S1, now, || {
                        format!("{}: stopped at {since:?}, started {:?}", self.about(), host.started)
                    });
                }
            }
            _ => {}
        }
        // Before it was read back, a mark that is not there is put again.
        let vetoed = |(mark, when): &(Mark, Sec)| *mark == self.intent.mark && now > *when && since < *when;
        if host.unmarked.as_ref().is_some_and(vetoed) {
            judge.breach(Law::S11, now, || format!("{}: somebody took its mark off", self.about()));
        }
        if host.view.keep {
            judge.breach(Law::S4, now, || format!("{}: keep tag", self.about()));
        }
        for guard in crate::schedule::OF_HOST {
            // A service takes a host over at AWS; the rest is people's word in the API server.
            let slack = if crate::schedule::bar_of(guard).is_some() { LATE } else { SLACK };
            if self.is_stale(Scope::Host(self.n), guard, slack) {
                judge.breach(Law::S4, now, || format!("{}: {}", self.about(), guard.reason()));
            }
        }
        if act.is_new() {
            self.company(judge, host);
        }
    }

    /// S4: who else is there.
    fn company(&self, judge: &mut Judge, host: &crate::world::Host) {
        let world = self.world;
        let runs = |other: &crate::world::Host| {
            other.ended.is_none()
                && (other.view.power == Power::Running || self.now - other.switched.0 < LATE)
        };
        let others = || {
            let all = world.hosts.iter().enumerate().filter(|(m, other)| *m != self.n && runs(other));
            all.map(|(_, other)| other)
        };
        let zone = others().filter(|other| other.place == host.place).count();
        let all = others().filter(|o| (o.place.0, o.place.1) == (host.place.0, host.place.1)).count();
        if zone < world.config.keep_last || all < world.config.wanted {
            judge.breach(Law::S4, self.now, || format!("{}: {zone} stay here, {all} in all", self.about()));
        }
        let same = |one: &&Effect| {
            (one.place.0, one.place.1) == (host.place.0, host.place.1)
                && one.mark != self.intent.mark
                && one.act.is_new()
                && self.now - one.when < world.config.window
        };
        if judge.acts.iter().any(|one| same(&one)) {
            judge.breach(Law::S4, self.now, || format!("{}: the second of its duty", self.about()));
        }
    }

    /// S3, S11, S12: what people said.
    fn people(&self, judge: &mut Judge) {
        let now = self.now;
        let world = self.world;
        let Some(object) = world.of_mark(&self.intent.mark).and_then(|one| world.objects.get(one)) else {
            return;
        };
        let live = object
            .approvals
            .iter()
            .filter(|(_, from, until)| *from <= now && until.is_none_or(|until| now - until < SLACK));
        let who: BTreeSet<_> = live.map(|(user, ..)| user).collect();
        if who.len() < world.config.approvals {
            judge.breach(Law::S3, now, || format!("{}: approved by {who:?}", self.about()));
        }
        if object.deleted.is_some_and(|when| now - when > SLACK) {
            judge.breach(Law::S12, now, || format!("{}: its object is deleted", self.about()));
        }
        if object.cancelled.is_some_and(|when| now - when > SLACK) {
            judge.breach(Law::S11, now, || format!("{}: it was cancelled", self.about()));
        }
        if now < world.config.proven_at {
            judge.breach(Law::S4, now, || format!("{}: the rule is on probation", self.about()));
        }
        let environment = Scope::Environment(world.hosts.get(self.n).map_or(0, |host| host.place.0));
        for guard in [Guard::Alert, Guard::Window, Guard::Rule, Guard::FirstList] {
            let asked = guard != Guard::Window || self.intent.act.is_new();
            if asked && self.is_stale(environment, guard, SLACK) {
                judge.breach(Law::S4, now, || format!("{}: {}", self.about(), guard.reason()));
            }
        }
        if self.is_stale(Scope::Account, Guard::Freeze, SLACK) || world.role_frozen.is_some() {
            judge.breach(Law::Frozen, now, || self.about());
        }
    }

    /// S2, S7: what could be seen.
    fn sources(&self, judge: &mut Judge, _replica: usize) {
        let now = self.now;
        let long = |since: &Sec, slack: Sec| now - since > slack;
        if self.is_stale(Scope::Account, Guard::Sources, SLACK) {
            judge.breach(Law::S2, now, || format!("{}: something cannot be read", self.about()));
        }
        for (since, _, fault) in &self.world.faults {
            let blind = match fault {
                Fault::Blind(Source::Metrics, 10) => self.intent.act != Act::Terminate,
                Fault::Blind(Source::Hosts | Source::Objects | Source::Identity, 10) | Fault::Partial => true,
                _ => false,
            };
            if blind && long(since, SLACK) {
                judge.breach(Law::S2, now, || format!("{}: {fault:?} since {since}", self.about()));
            }
            let eyes = self.is_a_mass(*fault, *since);
            let acknowledged = judge.last_acknowledged.is_some_and(|when| when >= *since);
            if eyes && long(since, 360 + SLACK) && !acknowledged {
                judge.breach(Law::S7, now, || format!("{}: {fault:?} since {since}", self.about()));
            }
        }
    }

    /// Does so much lie, or vanish, that the breaker must open?
    fn is_a_mass(&self, fault: Fault, since: Sec) -> bool {
        let alive = || {
            let all = self.world.hosts.iter().enumerate();
            all.filter(move |(_, host)| host.ended.is_none_or(|ended| ended > since - 3_600))
        };
        let all = alive().count();
        match fault {
            Fault::Lie => {
                let active = |host: &crate::world::Host| {
                    host.view.power == Power::Running
                        && host.switched.0 < since
                        && host.is_used(since - 1_800, self.now)
                        && host.is_used(self.now - 60, self.now)
                };
                alive().filter(|(_, host)| active(host)).count() > (all / 5).clamp(3, 10)
            }
            Fault::Vanish => {
                let steady = |host: &crate::world::Host| host.ended.is_none();
                alive().filter(|(n, host)| n % 5 != 0 && steady(host)).count() > (all / 5).max(3)
            }
            _ => false,
        }
    }

    /// S8, S9, S10, S14, and the manners: what must come before.
    fn procedure(&self, judge: &mut Judge) {
        let (now, act, intent) = (self.now, self.intent.act, self.intent);
        let Some(host) = self.world.hosts.get(self.n) else { return };
        if now > second(intent.deadline) {
            judge.breach(Law::S10, now, || self.about());
        }
        if !judge.done.insert((intent.mark.clone(), act, intent.occurrence)) {
            judge.breach(Law::S9, now, || format!("{}: twice", self.about()));
        }
        let recorded = self.world.records.get(&intent.mark);
        if !recorded.is_some_and(|all| all.contains(&(act, intent.occurrence))) {
            judge.breach(Law::S14, now, || self.about());
        }
        if act.ends() {
            let backed = host.backups.iter().any(|(mark, _, done)| *mark == intent.mark && *done <= now);
            if !host.launch_records.contains(&intent.mark) || (act == Act::Terminate && !backed) {
                judge.breach(Law::S8, now, || format!("{}: {:?}", self.about(), host.backups));
            }
        }
        if act == Act::Stop && host.view.stopped.as_ref() != Some(&intent.mark) {
            judge.breach(Law::S11, now, || format!("{}: the host does not say so", self.about()));
        }
        let told = judge.notices.get(&intent.mark).is_some_and(|all| {
            all.iter().any(|(of, when)| *of == Some(act) && (890..6 * 3_600).contains(&(now - when)))
        });
        if act.is_new() && !told {
            judge.breach(Law::Told, now, || self.about());
        }
        let loud = host.registered.values().any(Option::is_none) && act != Act::Terminate;
        if act != Act::Terminate && (loud || !host.targets.is_empty()) {
            judge.breach(Law::Quiet, now, || {
                format!("{}: {:?} {:?}", self.about(), host.registered, host.targets)
            });
        }
    }

    /// S5.
    fn budget(&self, judge: &mut Judge) {
        let (now, world) = (self.now, self.world);
        let Some(host) = world.hosts.get(self.n) else { return };
        judge.acts.push(Effect {
            when: now,
            host: self.n,
            place: host.place,
            mark: self.intent.mark.clone(),
            act: self.intent.act,
        });
        let within = |one: &&Effect| one.act.is_new() && now - one.when < world.config.window;
        let all = judge.acts.iter().filter(within).count();
        let own = judge.acts.iter().filter(within).filter(|one| one.place.0 == host.place.0).count();
        let limit = world.config.environments.get(host.place.0).copied().unwrap_or(0);
        if self.intent.act.is_new() && (all > world.config.account || own > limit) {
            judge.breach(Law::S5, now, || format!("{}: {own} of {limit}, {all} in all", self.about()));
        }
    }
}

/// The end: everything must be at rest and in order.
pub fn end(world: &mut World) {
    let now = world.now;
    let mut judge = std::mem::take(&mut world.judge);
    if now - world.written.0 < world.rest {
        judge.breach(Law::L1, now, || format!("written at {}", world.written.0));
    }
    let live: BTreeMap<&Mark, &crate::world::Stored> = world
        .objects
        .iter()
        .filter(|one| one.deleted.is_none())
        .map(|one| (&one.retirement.mark, one))
        .collect();
    for one in live.values() {
        let status = &one.retirement.status;
        if status.intent.is_some() || status.state.is_in_flight() {
            judge.breach(Law::L3, now, || format!("{} hangs in {:?}", one.name, status.state));
        }
    }
    for (n, host) in world.hosts.iter().enumerate() {
        let under_way =
            |mark: &Mark| live.get(mark).is_some_and(|one| !one.retirement.status.state.is_over());
        if host.ended.is_none() && host.view.mark.as_ref().is_some_and(|mark| !under_way(mark)) {
            judge.breach(Law::L3, now, || format!("host {n} bears a mark of nobody's"));
        }
        let by_us = matches!(host.view.power, Power::Stopped) && host.switched.1 == By::Us;
        if by_us && host.ended.is_none() && host.view.stopped.is_none() {
            judge.breach(Law::S11, now, || format!("host {n} is stopped, and nothing says by whom"));
        }
        let running = host.view.power == Power::Running && host.ended.is_none();
        let silent = host.registered.values().flatten().next();
        if running && silent.is_some_and(|mark| !under_way(mark)) {
            judge.breach(Law::L4, now, || format!("host {n} runs and is silent"));
        }
        let ours = judge.acts.iter().any(|one| one.host == n && one.act.ends());
        if ours && host.ended.is_some() && !host.registered.is_empty() {
            let deleted = world.objects.iter().any(|one| one.host == n && one.deleted.is_some());
            if !deleted {
                judge.breach(Law::L4, now, || format!("host {n} is gone and still registered"));
            }
        }
        // Who deletes the object in the middle takes the memory of its target groups with it: docs/simulator.md.
        let forgotten = world.objects.iter().any(|one| one.host == n && one.deleted.is_some());
        let under = world.under_way(n).is_some();
        if running && host.targets != host.home && !forgotten && !under && host.switched.1 == By::Us {
            judge.breach(Law::L4, now, || format!("host {n} is out of its target groups"));
        }
    }
    world.judge = judge;
}
