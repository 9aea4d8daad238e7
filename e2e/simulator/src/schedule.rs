//! What happens in one world: who lives there, what people do and what fails, all drawn from one seed before it begins.
//!
//! It is data, so that a failing one can be shrunk item by item and still be the same world.

use rollcall_engine::retirement::{Bar, FinalAct, Guard};

/// Seconds since the world began.
pub type Sec = i64;

/// One hour.
pub const HOUR: Sec = 3_600;

/// Faults end here; from now on the world is kind, and must come to rest.
pub const HEAL: Sec = 16 * HOUR;

/// A world that wrote nothing for so long has come to rest: longer than any grace, cool-off or window.
pub const REST: Sec = 4 * HOUR + HOUR / 2;

/// A world that has not come to rest here never will.
pub const END: Sec = 96 * HOUR;

/// How a world is made.
#[derive(Clone, Debug)]
pub struct Config {
    /// Least time between notice and act.
    pub grace: Sec,
    /// Time in the same stop.
    pub cool_off: Sec,
    /// The budget's window.
    pub window: Sec,
    /// Acts per window in the account.
    pub account: usize,
    /// Acts per window in each of the two environments.
    pub environments: [usize; 2],
    /// Approvals that are needed.
    pub approvals: usize,
    /// Hosts of a duty and zone that stay.
    pub keep_last: usize,
    /// Hosts of a duty that are wanted.
    pub wanted: usize,
    /// How retirements end.
    pub final_act: FinalAct,
    /// When the rule has run long enough.
    pub proven_at: Sec,
    /// Seconds between a leader's passes.
    pub pass: Sec,
    /// Who lives there.
    pub hosts: Vec<Resident>,
}

/// What kind of host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An EC2 instance.
    Instance,
    /// An RDS database.
    Database,
    /// A reader of an Aurora cluster.
    Reader,
}

/// A host that is there from the beginning.
#[derive(Clone, Debug)]
pub struct Resident {
    /// What it is.
    pub kind: Kind,
    /// Index of its environment.
    pub environment: usize,
    /// Index of its duty.
    pub duty: usize,
    /// Its zone.
    pub zone: usize,
    /// Is it in use all the time?
    pub busy: bool,
    /// Did somebody stop it long ago?
    pub stopped: bool,
}

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// When it begins.
    pub from: Sec,
    /// When it ends, if it lasts.
    pub until: Sec,
    /// What.
    pub what: What,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// People do something.
    Deed(Deed),
    /// Something fails.
    Fault(Fault),
}

/// What people do. Hosts are meant by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Something that a guard looks at goes wrong about a host, for as long as the item lasts.
    Spoil(usize, Guard),
    /// The same of an environment.
    SpoilEnvironment(usize, Guard),
    /// The same of the account.
    SpoilAccount(Guard),
    /// The keep tag, where `Spoil(_, Keep)` is an exemption.
    KeepTag(usize),
    /// The tag `rollcall.dev/frozen` on the role, where `SpoilAccount(Freeze)` is the object's word.
    FreezeRole,
    /// The host is used while the item lasts.
    Use(usize),
    /// Somebody starts it.
    Start(usize),
    /// Somebody starts it and stops it again a few minutes later.
    Touch(usize),
    /// Somebody stops it.
    Stop(usize),
    /// Somebody stops it, and starts it again at the end.
    Bounce(usize),
    /// While the item lasts, this is done to the host of any act after the last gate and before AWS.
    AtAct(Late),
    /// Somebody ends it.
    End(usize),
    /// A database is made anew under the same name, with the same tags.
    Remake(usize),
    /// Somebody takes the mark off.
    Unmark(usize),
    /// A person approves whatever they see.
    Approve(usize),
    /// A person takes back their approval of this host's retirement.
    Withdraw(usize, usize),
    /// While admission is off, somebody writes the names of others.
    Forge(usize),
    /// Somebody cancels, and keeps the host for good.
    Cancel(usize),
    /// Somebody deletes the object.
    Delete(usize),
    /// Somebody deletes the ledger.
    LoseLedger,
    /// Somebody acknowledges whatever the breaker tells.
    Acknowledge,
}

/// What people do when it is nearly too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// They put a keep tag.
    Keep,
    /// They freeze the role.
    Freeze,
    /// They take the mark off.
    Unmark,
}

/// What can be blind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Descriptions of hosts.
    Hosts,
    /// Metrics.
    Metrics,
    /// Monitoring systems.
    Monitoring,
    /// Kubernetes objects beside the retirement itself.
    Objects,
    /// STS and the role.
    Identity,
    /// The owner's channel.
    Channel,
}

impl Source {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Hosts, Self::Metrics, Self::Monitoring, Self::Objects, Self::Identity, Self::Channel];
}

/// What fails while an item lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A source does not answer, in so many of ten readings.
    Blind(Source, u8),
    /// Descriptions of hosts are so many seconds old.
    Lag(Sec),
    /// Listings lack pages, and say so.
    Partial,
    /// All metrics say idle, silently.
    Lie,
    /// A listing that says it is whole lacks half of the hosts.
    Vanish,
    /// Requests take up to so many seconds.
    Slow(Sec),
    /// So many of ten requests never arrive.
    Lose(u8),
    /// So many of ten writes take effect and report an error.
    Mumble(u8),
    /// A replica is not scheduled.
    Pause(usize),
    /// A replica dies, and is back at the end.
    Crash(usize),
    /// A replica does not notice that its lease is another's.
    SplitBrain(usize),
    /// A replica's watch is dead.
    StaleWatch(usize),
    /// A replica's clock is wrong by so many seconds.
    Skew(usize, Sec),
}

/// One world's life.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// From which it was drawn.
    pub seed: u64,
    /// How it is made.
    pub config: Config,
    /// When it becomes kind: [`HEAL`], and sooner in small ones.
    pub heal: Sec,
    /// How long nothing may be written for it to have come to rest: [`REST`], and shorter where all is quicker.
    pub rest: Sec,
    /// What happens.
    pub items: Vec<Item>,
    /// What happens to the requests of these numbers, whichever replica makes them.
    pub crashes: Vec<(u64, Point)>,
}

/// What can happen to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The replica dies before it.
    Before,
    /// The replica dies after it.
    After,
    /// It takes effect, and reports an error.
    Error,
    /// It never arrives, and nobody is told.
    Lost,
}

impl Point {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Before, Self::After, Self::Error, Self::Lost];
}

/// Guards about a host that people can turn against it.
pub const OF_HOST: [Guard; 12] = [
    Guard::Keep,
    Guard::Managed,
    Guard::Scheduled,
    Guard::Protected,
    Guard::InstanceStore,
    Guard::Writer,
    Guard::Replication,
    Guard::RdsCustom,
    Guard::Claimed,
    Guard::Granted,
    Guard::Allowed,
    Guard::Enforced,
];

/// Of an environment.
pub const OF_ENVIRONMENT: [Guard; 4] = [Guard::Alert, Guard::Window, Guard::Rule, Guard::FirstList];

/// Of the account.
pub const OF_ACCOUNT: [Guard; 4] = [Guard::Account, Guard::Installation, Guard::Freeze, Guard::Sources];

/// The bar that goes with a guard.
#[must_use]
pub fn bar_of(guard: Guard) -> Option<Bar> {
    Some(match guard {
        Guard::Managed => Bar::Managed,
        Guard::Scheduled => Bar::Scheduled,
        Guard::Protected => Bar::Protected,
        Guard::InstanceStore => Bar::InstanceStore,
        Guard::Writer => Bar::Writer,
        Guard::Replication => Bar::Replication,
        Guard::RdsCustom => Bar::RdsCustom,
        _ => return None,
    })
}

/// Draws a world from a seed. Each seed has its own mix (swarm testing): what it leaves out lets the rest go deeper.
#[must_use]
pub fn draw(seed: u64) -> Schedule {
    let mut rng = fastrand::Rng::with_seed(seed);
    let config = config(&mut rng);
    let mut items = Vec::new();
    let hosts = config.hosts.len();
    people(&mut rng, hosts, &mut items);
    faults(&mut rng, &mut items);
    items.sort_by_key(|item| (item.from, item.until));
    Schedule { seed, config, heal: HEAL, rest: REST, items, crashes: Vec::new() }
}

fn config(rng: &mut fastrand::Rng) -> Config {
    let pick = |rng: &mut fastrand::Rng, of: &[Sec]| of.get(rng.usize(..of.len())).copied().unwrap_or(HOUR);
    let limit = |rng: &mut fastrand::Rng| match rng.u8(..10) {
        0 => 0,
        1..=5 => 1,
        _ => 2,
    };
    let mut hosts = Vec::new();
    // Those that are in use: enough for the breaker to know what a day looks like.
    for n in 0..5 + rng.usize(..3) {
        let (environment, duty) = (n % 2, n / 2 % 2);
        let kind = if n == 0 { Kind::Database } else { Kind::Instance };
        hosts.push(Resident { kind, environment, duty, zone: 0, busy: true, stopped: false });
    }
    for _ in 0..2 + rng.usize(..3) {
        let kind = match rng.u8(..8) {
            0 | 1 => Kind::Database,
            2 => Kind::Reader,
            _ => Kind::Instance,
        };
        let stopped = kind == Kind::Instance && rng.u8(..6) == 0;
        let (environment, duty, zone) = (rng.usize(..2), rng.usize(..2), usize::from(rng.u8(..5) == 0));
        hosts.push(Resident { kind, environment, duty, zone, busy: false, stopped });
    }
    Config {
        grace: pick(rng, &[HOUR, 2 * HOUR]),
        cool_off: pick(rng, &[HOUR, 2 * HOUR]),
        window: pick(rng, &[HOUR, 3 * HOUR]),
        account: 1 + rng.usize(..3),
        environments: [limit(rng), limit(rng)],
        approvals: rng.usize(..3),
        keep_last: rng.usize(..2),
        wanted: rng.usize(..3),
        final_act: match rng.u8(..10) {
            0 => FinalAct::Stop,
            1 => FinalAct::HandOver,
            _ => FinalAct::Terminate,
        },
        proven_at: if rng.u8(..8) == 0 { pick(rng, &[4 * HOUR, 8 * HOUR]) } else { 0 },
        pass: pick(rng, &[300, 600, 900]),
        hosts,
    }
}

fn some<T: Copy>(rng: &mut fastrand::Rng, of: &[T]) -> Option<T> {
    of.get(rng.usize(..of.len())).copied()
}

fn span(rng: &mut fastrand::Rng, longest: Sec) -> (Sec, Sec) {
    let from = rng.i64(0..HEAL - HOUR);
    (from, (from + rng.i64(30..longest)).min(HEAL))
}

fn people(rng: &mut fastrand::Rng, hosts: usize, items: &mut Vec<Item>) {
    let calm = rng.u8(..4) == 0;
    // People read their mail every so often.
    for user in 0..3 {
        for _ in 0..rng.usize(1..6) {
            let from = rng.i64(0..HEAL);
            items.push(Item { from, until: from, what: What::Deed(Deed::Approve(user)) });
        }
    }
    for _ in 0..if calm { rng.usize(..2) } else { rng.usize(1..9) } {
        let host = rng.usize(..hosts);
        let (from, until) = span(rng, 6 * HOUR);
        let deed = match rng.u8(..38) {
            0..=5 => some(rng, &OF_HOST).map(|guard| Deed::Spoil(host, guard)),
            6..=8 => some(rng, &OF_ENVIRONMENT).map(|guard| Deed::SpoilEnvironment(rng.usize(..2), guard)),
            9..=11 => some(rng, &OF_ACCOUNT).map(Deed::SpoilAccount),
            12 => Some(Deed::KeepTag(host)),
            13 => Some(Deed::FreezeRole),
            14..=17 => Some(Deed::Use(host)),
            18 | 19 => Some(Deed::Start(host)),
            20 => Some(Deed::Touch(host)),
            21 => Some(Deed::Stop(host)),
            22 => Some(Deed::End(host)),
            23 => Some(Deed::Remake(host)),
            24 => Some(Deed::Unmark(host)),
            25 => Some(Deed::Withdraw(rng.usize(..3), host)),
            26 => Some(Deed::Forge(host)),
            27 => Some(Deed::Cancel(host)),
            28 | 29 => Some(Deed::Delete(host)),
            30 => Some(Deed::LoseLedger),
            31..=33 => Some(Deed::Bounce(host)),
            34..=36 => some(rng, &[Late::Keep, Late::Freeze, Late::Unmark]).map(Deed::AtAct),
            _ => Some(Deed::Acknowledge),
        };
        items.extend(deed.map(|deed| Item { from, until, what: What::Deed(deed) }));
    }
}

fn faults(rng: &mut fastrand::Rng, items: &mut Vec<Item>) {
    // Which kinds this world knows at all.
    let kinds: Vec<u8> = (0..13).filter(|_| rng.u8(..3) == 0).collect();
    if kinds.is_empty() {
        return;
    }
    for _ in 0..rng.usize(..10) {
        let Some(kind) = some(rng, &kinds) else { return };
        let replica = rng.usize(..2);
        let (from, until) = span(rng, if kind > 7 { HOUR } else { 4 * HOUR });
        let fault = match kind {
            0 => some(rng, &Source::ALL).map(|source| Fault::Blind(source, rng.u8(3..=10))),
            1 => Some(Fault::Lag(rng.i64(10..240))),
            2 => Some(Fault::Partial),
            3 => Some(Fault::Lie),
            4 => Some(Fault::Vanish),
            5 => Some(Fault::Slow(rng.i64(5..120))),
            6 => Some(Fault::Lose(rng.u8(1..8))),
            7 => Some(Fault::Mumble(rng.u8(1..8))),
            8 => Some(Fault::Pause(replica)),
            9 => Some(Fault::Crash(replica)),
            10 => Some(Fault::SplitBrain(replica)),
            11 => Some(Fault::StaleWatch(replica)),
            _ => Some(Fault::Skew(replica, rng.i64(-2 * HOUR..2 * HOUR))),
        };
        // Until it begins, the world has been seen as it is.
        let twice = |what: fn(&Fault) -> bool| {
            fault.as_ref().is_some_and(what)
                && items.iter().any(|item| matches!(&item.what, What::Fault(fault) if what(fault)))
        };
        // What was acknowledged once is normal from then on: a second one would be no second fault.
        if twice(|fault| *fault == Fault::Lie) || twice(|fault| *fault == Fault::Vanish) {
            continue;
        }
        let from = if matches!(fault, Some(Fault::Lie | Fault::Vanish)) { from.max(2 * HOUR) } else { from };
        items.extend(fault.map(|fault| Item { from, until: until.max(from + 60), what: What::Fault(fault) }));
    }
}
