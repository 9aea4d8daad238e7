//! One look of one replica at everything, through whatever fails just now.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rollcall_engine::reading::FailureKind;
use rollcall_engine::retirement::{
    Act, Backup, Belonging, Breaker, Fact, FirstList, Guard, HostView, Live, Path, Peers, Power, Reach,
    Retirement, Role, Rule, Sighting, Trip, Use,
};

use crate::schedule::{Deed, Fault, Kind, Sec, Source};
use crate::world::{Scope, World, at, second};

/// Newest metrics are so old when nothing fails.
const METRIC_LAG: Sec = 180;

/// What a replica can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eyes {
    /// Which one; its clock is its own.
    pub replica: usize,
    /// Does whatever fails fail for it? Not for the judge.
    pub fail: bool,
}

fn unknown<T>() -> Fact<T> {
    Fact::Unknown(FailureKind::Unreachable)
}

/// Who takes it back says Notify, or Flag.
fn less(host: Option<usize>) -> Option<Reach> {
    host.is_some_and(|host| host % 2 == 0).then_some(Reach::Notify)
}

/// Looks for one retirement, and what becomes of the breaker.
pub fn look(world: &mut World, eyes: Eyes, of: &Retirement) -> Live {
    let host = world.host_of(&of.spec.incarnation);
    let skew = if eyes.fail { world.skew(eyes.replica) } else { 0 };
    let now = at(world.now + skew);
    let mut blind = |source| eyes.fail && world.is_blind(source);
    let hosts_blind = blind(Source::Hosts);
    let monitoring_blind = blind(Source::Monitoring);
    let objects_blind = blind(Source::Objects);
    let identity_blind = blind(Source::Identity);
    let lag = if eyes.fail { lag(world) } else { 0 };
    let environment =
        world.names.environments.iter().position(|key| *key == of.spec.environment).unwrap_or_default();
    let spoilt_here = |guard| {
        world.spoilt_since(Scope::Environment(environment), guard).is_some()
            || world.spoilt_since(Scope::Account, guard).is_some()
    };
    let of_host = |guard| host.is_some_and(|host| world.spoilt_since(Scope::Host(host), guard).is_some());
    let known = |blind: bool| if blind { Err(()) } else { Ok(()) };

    let policy = known(objects_blind).map(|()| {
        let mut policy = world.policy.clone();
        if spoilt_here(Guard::Rule) {
            policy.hash = "rule-2".into();
        }
        Some(policy)
    });
    let belonging = known(objects_blind).map(|()| Belonging {
        claims: if of_host(Guard::Claimed) { 2 } else { 1 },
        environment: Some(of.spec.environment.clone()),
        granted: (!of_host(Guard::Granted)).then_some(Reach::Retire),
        allowed: !of_host(Guard::Allowed),
        asked: if of_host(Guard::Enforced) { less(host) } else { Some(Reach::Retire) },
        exempt: of_host(Guard::Keep),
    });
    let life = known(objects_blind).map(|()| Rule {
        since: at(world.config.proven_at - 24 * 3_600),
        first_list: if spoilt_here(Guard::FirstList) { FirstList::Waits } else { FirstList::Acknowledged },
    });
    let role = known(identity_blind)
        .map(|()| Role { is_ours: !spoilt_here(Guard::Installation), frozen: world.role_frozen.is_some() });
    let account = known(identity_blind).map(|()| {
        let names = &world.names;
        if spoilt_here(Guard::Account) { names.other_account.clone() } else { names.account.clone() }
    });
    let alert = known(monitoring_blind).map(|()| spoilt_here(Guard::Alert));
    let frozen = known(objects_blind).map(|()| spoilt_here(Guard::Freeze));
    let window = known(objects_blind).map(|()| !spoilt_here(Guard::Window));
    let sources = known(spoilt_here(Guard::Sources) || partial(world, eyes));
    let here = host.and_then(|host| world.hosts.get(host));
    let watched = known(monitoring_blind).map(|()| {
        let of = here.map(|host| &host.registered);
        of.into_iter()
            .flatten()
            .map(|(system, by)| (system.clone(), by.is_some()))
            .collect::<BTreeMap<_, _>>()
    });
    let targets = known(hosts_blind).map(|()| here.map(|host| host.targets.clone()).unwrap_or_default());
    let backup = known(hosts_blind).map(|()| backup(world, host, of));
    let peers = known(hosts_blind || objects_blind).map(|()| peers(world, host, lag));
    let view = known(hosts_blind).map(|()| describe(world, host, lag));
    let admission = known(objects_blind).map(|()| world.admission.clone());
    let ledger = known(objects_blind).map(|()| world.ledger.clone());
    let lease = world.lease;
    let epoch = known(objects_blind)
        .map(|()| (lease.holder == eyes.replica && world.now < lease.until).then_some(lease.epoch));
    let records = known(objects_blind).map(|()| world.records.get(&of.mark).cloned().unwrap_or_default());
    let limits = world.limits.clone();
    let usage = usage(world, eyes, host, of);
    let breaker = if objects_blind { unknown() } else { breaker(world, eyes, lag, now) };

    Live {
        now,
        epoch: fact(epoch),
        aws_clock: Fact::Known(SignedDuration::from_secs(skew)),
        account: fact(account),
        role: fact(role),
        frozen: fact(frozen),
        sources: fact(sources),
        host: fact(view),
        usage,
        belonging: fact(belonging),
        policy: fact(policy),
        rule: fact(life),
        peers: fact(peers),
        alert: fact(alert),
        window: fact(window),
        targets: fact(targets),
        watched: fact(watched),
        admission: fact(admission),
        ledger: fact(ledger),
        limits: Fact::Known(limits),
        breaker,
        records: fact(records),
        backup: fact(backup),
    }
}

fn fact<T>(of: Result<T, ()>) -> Fact<T> {
    of.map_or_else(|()| unknown(), Fact::Known)
}

fn lag(world: &mut World) -> Sec {
    let longest = world.fault(|fault| match fault {
        Fault::Lag(seconds) => Some(*seconds),
        _ => None,
    });
    longest.map_or(0, |longest| {
        world.coverage.reach("fault", "Lag");
        world.rng.i64(0..=longest)
    })
}

fn partial(world: &World, eyes: Eyes) -> bool {
    eyes.fail && world.fault(|fault| (*fault == Fault::Partial).then_some(())).is_some()
}

/// An instance is described by its id; a database by its name, for that is how RDS acts.
fn describe(world: &World, host: Option<usize>, lag: Sec) -> Option<HostView> {
    let by_id = host?;
    let name = world.hosts.get(by_id)?.view.name.clone();
    let found = name.and_then(|name| world.named(&name)).unwrap_or(by_id);
    let host = world.hosts.get(found)?;
    let mut view = host.seen(world.now, lag).clone();
    view.bars = world.bars(found);
    if view.name.is_some() && host.ended.is_some() {
        return None;
    }
    // EC2 shows what is gone for an hour.
    let forgotten = host.ended.is_some_and(|ended| world.now - ended > 3_600);
    (!forgotten).then_some(view)
}

fn peers(world: &World, host: Option<usize>, lag: Sec) -> Peers {
    let place = host.and_then(|host| world.hosts.get(host)).map(|host| host.place);
    let runs = |n: usize| {
        world
            .hosts
            .get(n)
            .filter(|_| Some(n) != host)
            .is_some_and(|other| other.seen(world.now, lag).power == Power::Running)
    };
    let others = || (0..world.hosts.len()).filter(|n| runs(*n)).filter_map(|n| world.hosts.get(n));
    let same = |other: &&crate::world::Host| {
        place.is_some_and(|(environment, duty, _)| (other.place.0, other.place.1) == (environment, duty))
    };
    Peers {
        in_zone: others().filter(|other| Some(other.place) == place).count(),
        in_all: others().filter(same).count(),
        wanted: world.config.wanted,
    }
}

fn backup(world: &World, host: Option<usize>, of: &Retirement) -> Backup {
    let Some(host) = host.and_then(|host| world.hosts.get(host)) else {
        return Backup::default();
    };
    let mine = || host.backups.iter().filter(|(mark, ..)| *mark == of.mark);
    let volume = format!("vol-{}", of.spec.incarnation.host);
    Backup {
        launch_record: host.launch_records.contains(&of.mark),
        missing: if mine().count() == 0 { BTreeSet::from([volume.into()]) } else { BTreeSet::new() },
        pending: mine().filter(|(.., complete)| world.now < *complete).count(),
        stops: mine().filter_map(|(_, stop, _)| *stop).collect(),
    }
}

/// What metrics say of a host in a span that ends about now.
#[must_use]
pub fn metrics(world: &World, eyes: Eyes, host: usize, from: Sec, until: Sec) -> Use {
    let lies = eyes.fail && world.fault(|fault| (*fault == Fault::Lie).then_some(())).is_some();
    let lied_since = world.faults.iter().find(|(_, _, fault)| *fault == Fault::Lie).map(|(since, ..)| *since);
    let Some(it) = world.hosts.get(host) else {
        return Use::Unknown(FailureKind::Unreachable);
    };
    // What was told before the lie began stays told.
    let honest_until = if lies { lied_since.unwrap_or(until).min(until) } else { until };
    if from <= honest_until && it.is_used(from, honest_until) {
        return Use::Active;
    }
    Use::Idle { since: at(from), until: at(until) }
}

fn usage(world: &mut World, eyes: Eyes, host: Option<usize>, of: &Retirement) -> Use {
    // A database's metrics bear its name, whoever has it now.
    let name = host.and_then(|host| world.hosts.get(host)).and_then(|host| host.view.name.clone());
    let host = name.and_then(|name| world.named(&name)).or(host);
    let runs =
        host.and_then(|host| world.hosts.get(host)).is_some_and(|host| host.view.power == Power::Running);
    if eyes.fail && world.is_blind(Source::Metrics) {
        return Use::Unknown(FailureKind::Throttled);
    }
    let Some(host) = host.filter(|_| runs) else {
        return Use::Unknown(FailureKind::NotSupported);
    };
    let restarted = of.status.has_done(Act::Stop) && of.spec.path == Path::Stop;
    let from = of.idle_from(if restarted { Act::Restop } else { Act::Stop });
    let from = from.map_or(world.now - 3_600, second);
    metrics(world, eyes, host, from, world.now - METRIC_LAG)
}

/// What the breaker sees.
pub fn sighting(world: &mut World, eyes: Eyes, lag: Sec) -> Sighting {
    let metrics_blind = eyes.fail && world.is_blind(Source::Metrics);
    let hosts_blind = eyes.fail && (partial(world, eyes) || world.is_blind(Source::Hosts));
    let vanished = eyes.fail && world.fault(|fault| (*fault == Fault::Vanish).then_some(())).is_some();
    let (mut listed, mut leaving, mut recent) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    for n in 0..world.hosts.len() {
        let Some(host) = world.hosts.get(n) else { continue };
        if host.ended.is_some_and(|ended| world.now - ended > 3_600) || (vanished && n % 5 != 0) {
            continue;
        }
        let view = host.seen(world.now, lag);
        let id = view.incarnation.host.clone();
        if matches!(view.power, Power::Leaving | Power::Gone) {
            leaving.insert(id.clone());
        }
        if !metrics_blind && view.power == Power::Running {
            let newest = world.now - METRIC_LAG;
            recent.insert(id.clone(), metrics(world, eyes, n, newest - 120, newest));
        }
        listed.insert(id);
    }
    Sighting {
        listed: if hosts_blind { unknown() } else { Fact::Known(listed) },
        leaving,
        recent: if metrics_blind { unknown() } else { Fact::Known(recent) },
    }
}

/// What the breaker says to a look. Looks of one moment see the same.
fn breaker(world: &mut World, eyes: Eyes, lag: Sec, now: Timestamp) -> Fact<Option<Trip>> {
    if let Some((_, known)) = world.breaker_seen.as_ref().filter(|(when, _)| *when == (world.now, eyes)) {
        return known.clone();
    }
    let seen = sighting(world, eyes, lag);
    let told = world.breaker.live(&seen, &world.acknowledged, now);
    world.breaker_seen = Some(((world.now, eyes), told.clone()));
    told
}

/// The breaker's memory after a pass.
pub fn watch(world: &mut World, eyes: Eyes) -> Breaker {
    let lag = lag(world);
    let seen = sighting(world, eyes, lag);
    let now = at(world.now + world.skew(eyes.replica));
    world.breaker.watch(&seen, &world.acknowledged, now)
}

/// Is this a host that a rule would find, and on which way?
#[must_use]
pub fn found(world: &World, eyes: Eyes, host: usize) -> Option<Path> {
    let it = world.hosts.get(host)?;
    if it.ended.is_some() {
        return None;
    }
    let reader = it.kind == Kind::Reader;
    match it.view.power {
        Power::Running
            if metrics(world, eyes, host, world.now - 3_600, world.now - METRIC_LAG) == Use::Active =>
        {
            None
        }
        Power::Running => Some(if reader { Path::Reader } else { Path::Stop }),
        Power::Stopped if it.kind == Kind::Instance && world.now - it.switched.0 > 3_600 => {
            Some(Path::LongStopped)
        }
        _ => None,
    }
}

/// Is it a deed that a guard looks at?
#[must_use]
pub fn spoils(deed: Deed) -> Option<(Scope, Guard)> {
    match deed {
        Deed::Spoil(host, guard) => Some((Scope::Host(host), guard)),
        Deed::SpoilEnvironment(environment, guard) => Some((Scope::Environment(environment), guard)),
        Deed::SpoilAccount(guard) => Some((Scope::Account, guard)),
        _ => None,
    }
}
