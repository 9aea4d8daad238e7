//! The truth: hosts, their tags and their use, objects in the API server, and what people and faults have made of them.
//! No replica may look in here but through `look`, and only the judge knows all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rollcall_engine::ids::{AccountId, HostId, Mark, ObjectKey, RoleName, User};
use rollcall_engine::retirement::{
    Act, Admission, Bar, Breaker, Epoch, Fact, Guard, Guards, HostView, Incarnation, Ledger, Limits,
    Occurrence, Policy, Power, Retirement, Trip,
};

use crate::coverage::Coverage;
use crate::judge::Judge;
use crate::look::Eyes;
use crate::schedule::{Config, Fault, Kind, Late, Point, Schedule, Sec, Source};

/// 2026-11-30T00:00:00Z, a Monday.
const BEGINNING: i64 = 1_795_996_800;

/// A moment of the world as the engine takes it.
#[must_use]
pub fn at(second: Sec) -> Timestamp {
    Timestamp::from_second(BEGINNING + second).unwrap_or_default()
}

/// A moment of the engine as the world counts it.
#[must_use]
pub fn second(moment: Timestamp) -> Sec {
    moment.as_second() - BEGINNING
}

/// The condition that AWS itself holds an act to (safety.md, "Fence at AWS"). One can be taken down, for the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fence {
    /// `aws:ResourceTag/rollcall.dev/mark` equals this mark.
    Mark,
    /// `rollcall.dev/keep` is not there.
    Keep,
    /// `rollcall.dev/frozen` is not on the role.
    Frozen,
    /// `aws:CurrentTime` is before the intent's deadline.
    Deadline,
}

impl Fence {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Mark, Self::Keep, Self::Frozen, Self::Deadline];
}

/// What is taken out of a world, to see that it is missed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ablation {
    /// A guard of the last gate.
    pub guard: Option<Guard>,
    /// A condition at AWS.
    pub fence: Option<Fence>,
    /// One of the fixes that the first simulation led to.
    pub hole: Option<Hole>,
}

/// The holes of the first simulation and some of this one, opened again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hole {
    /// A reservation outlives the window in which it is counted.
    Reservation,
    /// The breaker is asked when planning alone.
    Breaker,
    /// Done is kept per name.
    DonePerName,
    /// A mark that vanished under an intent is put back.
    Retag,
    /// A host found stopped under an intent was stopped by it. This code's own, until seed 89167.
    AnybodysStop,
    /// What is not known lets pass. Not one of the first simulation's, but of most tools.
    Credulous,
}

impl Hole {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::Reservation,
        Self::Breaker,
        Self::DonePerName,
        Self::Retag,
        Self::AnybodysStop,
        Self::Credulous,
    ];
}

impl Ablation {
    /// The guards that are asked.
    #[must_use]
    pub fn guards(self) -> Guards {
        if self.hole == Some(Hole::Credulous) {
            return Guards::credulous();
        }
        self.guard.map_or_else(Guards::all, Guards::all_but)
    }

    /// Does this condition stand?
    #[must_use]
    pub fn stands(self, fence: Fence) -> bool {
        self.fence != Some(fence)
    }
}

/// Who started or stopped a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// An operator's act under this mark.
    Us,
    /// A person, or AWS.
    Others,
}

/// One host as it is.
#[derive(Clone, Debug)]
pub struct Host {
    /// What it is.
    pub kind: Kind,
    /// Its environment, duty and zone.
    pub place: (usize, usize, usize),
    /// What AWS shows when it is asked without delay.
    pub view: HostView,
    /// What it showed before, by time.
    pub past: Vec<(Sec, HostView)>,
    /// What it turns into, and when.
    pub next: Option<(Sec, Power)>,
    /// When it is used.
    pub used: Vec<(Sec, Sec)>,
    /// When it was last started or stopped, and by whom.
    pub switched: (Sec, By),
    /// Starts by people, which no stop may follow.
    pub started: Vec<Sec>,
    /// When it was ended.
    pub ended: Option<Sec>,
    /// Whose mark somebody took off, and when: a veto.
    pub unmarked: Option<(Mark, Sec)>,
    /// The target groups that it is in, and those that it belongs to.
    pub targets: BTreeSet<Arc<str>>,
    /// Those that it belongs to.
    pub home: BTreeSet<Arc<str>>,
    /// Where it is registered, and by whose mark it is silent there.
    pub registered: BTreeMap<ObjectKey, Option<Mark>>,
    /// Backups: whose, by the stop of which try, and when they are complete.
    pub backups: Vec<(Mark, Option<Occurrence>, Sec)>,
    /// Whose launch records are saved.
    pub launch_records: BTreeSet<Mark>,
}

impl Host {
    /// Is it used in this span?
    #[must_use]
    pub fn is_used(&self, from: Sec, until: Sec) -> bool {
        self.used.iter().any(|(begin, end)| *begin <= until && from <= *end)
    }

    /// Changes what AWS shows.
    pub fn change(&mut self, now: Sec, change: impl FnOnce(&mut HostView)) {
        self.past.push((now, self.view.clone()));
        change(&mut self.view);
    }

    /// What AWS shows to whoever is shown what was so many seconds ago. `None`: it was not there yet.
    #[must_use]
    pub fn seen(&self, now: Sec, lag: Sec) -> &HostView {
        let then = now - lag;
        self.past.iter().find(|(changed, _)| *changed > then).map_or(&self.view, |(_, view)| view)
    }
}

/// A `Retirement` in the API server.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u64,
    /// The object.
    pub retirement: Retirement,
    /// Which host it is about.
    pub host: usize,
    /// Since when it is deleted.
    pub deleted: Option<Sec>,
    /// Since when it is cancelled.
    pub cancelled: Option<Sec>,
    /// When each true approval came and, if so, went.
    pub approvals: Vec<(User, Sec, Option<Sec>)>,
}

/// The lease.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// Which replica.
    pub holder: usize,
    /// Until when.
    pub until: Sec,
    /// How often it changed hands.
    pub epoch: Epoch,
    /// Since when it is this one's.
    pub since: Sec,
}

/// When, by whose eyes, and what the breaker said.
pub type SeenBreaker = ((Sec, Eyes), Fact<Option<Trip>>);

/// All there is.
pub struct World {
    /// True time.
    pub now: Sec,
    /// From which it was made.
    pub config: Config,
    /// What is taken out.
    pub ablation: Ablation,
    /// Chance while it runs: delays and losses.
    pub rng: fastrand::Rng,
    /// Hosts, in order of their making.
    pub hosts: Vec<Host>,
    /// Retirements, in order of their making.
    pub objects: Vec<Stored>,
    /// The last version that was given.
    pub version: u64,
    /// The lease.
    pub lease: Lease,
    /// The account's ledger.
    pub ledger: Option<Arc<Ledger>>,
    /// The breaker's memory.
    pub breaker: Breaker,
    /// What it said last, and to whom.
    pub breaker_seen: Option<SeenBreaker>,
    /// Trips that somebody acknowledged.
    pub acknowledged: BTreeSet<String>,
    /// Admission as it is in force.
    pub admission: Option<Admission>,
    /// Since when something is spoilt: host, environment or account by index.
    pub spoilt: BTreeMap<(Scope, Guard), Sec>,
    /// What people do when it is nearly too late, just now.
    pub late: Option<Late>,
    /// Since when `rollcall.dev/frozen` stands on the role.
    pub role_frozen: Option<Sec>,
    /// Audit records.
    pub records: BTreeMap<Mark, BTreeSet<(Act, Occurrence)>>,
    /// Faults that are going on: since when, until when, what.
    pub faults: Vec<(Sec, Sec, Fault)>,
    /// The policy of each environment.
    pub policy: Policy,
    /// What may be reserved.
    pub limits: Arc<Limits>,
    /// How long nothing may be written for it to have come to rest.
    pub rest: Sec,
    /// When something was last written, and how often.
    pub written: (Sec, u64),
    /// Requests that replicas made for retirements, and what happens to some of them.
    pub requests: u64,
    /// See [`Schedule::crashes`].
    pub crashes: Vec<(u64, Point)>,
    /// The judge.
    pub judge: Judge,
    /// What was reached.
    pub coverage: Coverage,
    /// The names.
    pub names: Names,
    /// What happened, when somebody wants to know; and a hash of it in any case.
    pub trace: Trace,
}

/// What something spoilt is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// A host.
    Host(usize),
    /// An environment.
    Environment(usize),
    /// The account.
    Account,
}

/// Names, made once.
pub struct Names {
    /// The account.
    pub account: AccountId,
    /// Another one.
    pub other_account: AccountId,
    /// Environments.
    pub environments: [ObjectKey; 2],
    /// Duties.
    pub duties: [RoleName; 2],
    /// Monitoring systems.
    pub systems: [ObjectKey; 2],
    /// People.
    pub people: [User; 3],
}

/// What happened.
#[derive(Default)]
pub struct Trace {
    /// Lines, if they are kept.
    pub lines: Option<Vec<String>>,
    /// A hash of all that was told.
    pub hash: u64,
}

impl Trace {
    /// Tells something: a word and three numbers that make the hash, and a line if lines are kept.
    pub fn tell(&mut self, now: Sec, word: &'static str, who: usize, line: impl FnOnce() -> String) {
        let mut mix = |value: u64| {
            self.hash = (self.hash ^ value).wrapping_mul(0x0100_0000_01b3).rotate_left(17);
        };
        mix(now.unsigned_abs());
        mix(who as u64);
        word.bytes().for_each(|byte| mix(u64::from(byte)));
        if let Some(lines) = &mut self.lines {
            let (hours, minutes, seconds) = (now / 3_600, now / 60 % 60, now % 60);
            lines.push(format!("{hours:02}:{minutes:02}:{seconds:02} {word:<12} {}", line()));
        }
    }
}

impl World {
    /// The world at its beginning.
    #[must_use]
    pub fn new(schedule: &Schedule, ablation: Ablation, traced: bool) -> Self {
        let config = schedule.config.clone();
        let names = Names {
            account: "123456789012".into(),
            other_account: "210987654321".into(),
            environments: [ObjectKey::new("backlog", "jp1"), ObjectKey::new("backlog", "jp2")],
            duties: ["app".into(), "batch".into()],
            systems: [ObjectKey::new("backlog", "mackerel"), ObjectKey::new("backlog", "nagios")],
            people: ["mika".into(), "ren".into(), "sora".into()],
        };
        let span = SignedDuration::from_secs;
        let policy = Policy {
            hash: Arc::from("rule-1"),
            grace: span(config.grace),
            cool_off: span(config.cool_off),
            probation: span(24 * 3_600),
            approvals: config.approvals,
            approval_expiry: span(24 * 3_600),
            keep_last: config.keep_last,
            final_act: config.final_act,
            ..Policy::default()
        };
        let limits = Limits {
            window: span(config.window),
            account: config.account,
            environments: names.environments.iter().cloned().zip(config.environments).collect(),
        };
        let mut world = Self {
            now: 0,
            ablation,
            rng: fastrand::Rng::with_seed(schedule.seed ^ 0x5eed_5eed),
            hosts: Vec::new(),
            objects: Vec::new(),
            version: 0,
            lease: Lease { holder: 0, until: 0, epoch: Epoch(0), since: 0 },
            ledger: None,
            breaker: Breaker::default(),
            breaker_seen: None,
            acknowledged: BTreeSet::new(),
            admission: Some(Admission { uid: Arc::from("vap-0"), generation: 1 }),
            spoilt: BTreeMap::new(),
            late: None,
            role_frozen: None,
            records: BTreeMap::new(),
            faults: Vec::new(),
            policy,
            limits: Arc::new(limits),
            rest: schedule.rest,
            written: (0, 0),
            requests: 0,
            crashes: schedule.crashes.clone(),
            judge: Judge::default(),
            coverage: Coverage::default(),
            names,
            trace: Trace { lines: traced.then(Vec::new), hash: schedule.seed },
            config,
        };
        for n in 0..world.config.hosts.len() {
            world.move_in(n);
        }
        world
    }

    fn move_in(&mut self, n: usize) {
        let Some(resident) = self.config.hosts.get(n).cloned() else { return };
        let is_instance = resident.kind == Kind::Instance;
        let id = if is_instance { format!("i-{n:02}") } else { format!("db-{n:02}") };
        let past = -400 * 3_600;
        let view = HostView {
            incarnation: Incarnation { host: HostId::from(id), created: (!is_instance).then(|| at(past)) },
            name: (!is_instance).then(|| Arc::from(format!("shop-{n}"))),
            power: if resident.stopped { Power::Stopped } else { Power::Running },
            run: is_instance.then(|| at(past)),
            told: None,
            halted: None,
            restarted: None,
            mark: None,
            stopped: None,
            keep: false,
            bars: BTreeSet::new(),
            unread: BTreeMap::new(),
            is_reader: resident.kind == Kind::Reader,
        };
        let home: BTreeSet<Arc<str>> = if is_instance && n.is_multiple_of(2) {
            BTreeSet::from([Arc::from("web")])
        } else {
            BTreeSet::new()
        };
        let systems = if n.is_multiple_of(3) { 2 } else { 1 };
        self.hosts.push(Host {
            kind: resident.kind,
            place: (resident.environment, resident.duty, resident.zone),
            view,
            past: Vec::new(),
            next: None,
            used: if resident.busy { vec![(past, Sec::MAX)] } else { Vec::new() },
            switched: (past, By::Others),
            started: Vec::new(),
            ended: None,
            unmarked: None,
            targets: if resident.stopped { BTreeSet::new() } else { home.clone() },
            home,
            registered: self
                .names
                .systems
                .iter()
                .take(systems)
                .map(|system| (system.clone(), None))
                .collect(),
            backups: Vec::new(),
            launch_records: BTreeSet::new(),
        });
    }

    /// What happens to the next request, if anything does.
    pub fn next_request(&mut self) -> Option<Point> {
        let number = self.requests;
        self.requests += 1;
        self.crashes.iter().find(|(of, _)| *of == number).map(|(_, point)| *point)
    }

    /// Is something going on?
    #[must_use]
    pub fn fault<T>(&self, find: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        self.faults.iter().find_map(|(_, _, fault)| find(fault))
    }

    /// Does this reading fail, this time?
    pub fn is_blind(&mut self, source: Source) -> bool {
        let of = |(_, _, fault): &(Sec, Sec, Fault)| match fault {
            Fault::Blind(of, tenths) if *of == source => Some(*tenths),
            _ => None,
        };
        let tenths = self.faults.iter().filter_map(of).max();
        tenths.is_some_and(|tenths| {
            self.coverage.reach("fault", "Blind");
            self.rng.u8(..10) < tenths
        })
    }

    /// How far a replica's clock is from the truth.
    #[must_use]
    pub fn skew(&self, replica: usize) -> Sec {
        let of = |fault: &Fault| match fault {
            Fault::Skew(of, seconds) if *of == replica => Some(*seconds),
            _ => None,
        };
        self.fault(of).unwrap_or(0)
    }

    /// Since when this is spoilt.
    #[must_use]
    pub fn spoilt_since(&self, scope: Scope, guard: Guard) -> Option<Sec> {
        self.spoilt.get(&(scope, guard)).copied()
    }

    /// Notes a write to something that lasts.
    pub fn wrote(&mut self) {
        self.written = (self.now, self.written.1 + 1);
    }

    /// The next version of an object.
    pub fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// The host that an incarnation is.
    #[must_use]
    pub fn host_of(&self, incarnation: &Incarnation) -> Option<usize> {
        self.hosts.iter().position(|host| host.view.incarnation == *incarnation)
    }

    /// The host that bears a name now.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<usize> {
        self.hosts.iter().rposition(|host| host.view.name.as_deref() == Some(name) && host.ended.is_none())
    }

    /// The object that stands for a host, if one is under way.
    #[must_use]
    pub fn under_way(&self, host: usize) -> Option<usize> {
        self.objects.iter().rposition(|one| {
            one.host == host && one.deleted.is_none() && !one.retirement.status.state.is_over()
        })
    }

    /// The object of a mark, deleted or not.
    #[must_use]
    pub fn of_mark(&self, mark: &Mark) -> Option<usize> {
        self.objects.iter().position(|one| one.retirement.mark == *mark)
    }

    /// The bars that stand about a host.
    #[must_use]
    pub fn bars(&self, host: usize) -> BTreeSet<Bar> {
        let of_host = self.spoilt.range((Scope::Host(host), Guard::Decision)..);
        let of_host = of_host.take_while(|((scope, _), _)| *scope == Scope::Host(host));
        of_host.filter_map(|((_, guard), _)| crate::schedule::bar_of(*guard)).collect()
    }
}
