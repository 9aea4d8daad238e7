//! What requests do when they arrive, if AWS lets them: the fence, and the slow turning of hosts.

use std::collections::BTreeSet;
use std::sync::Arc;

use rollcall_engine::ids::{Mark, ObjectKey};
use rollcall_engine::retirement::{Act, Incarnation, Intent, Power};

use crate::judge;
use crate::schedule::{Kind, Sec};
use crate::world::{By, Fence, World, at, second};

/// A request on its way to AWS or to a monitoring system.
#[derive(Clone, Debug)]
pub enum Errand {
    /// The act of an intent. RDS acts by name. From which replica, for the judge.
    Act(Intent, Option<Arc<str>>, usize),
    /// Puts a mark's tag.
    TagMark(Mark),
    /// Puts the tag of who stopped it.
    TagStopped(Mark),
    /// Takes a mark's tags off, if they are this mark's.
    Untag(Mark),
    /// Takes a mark off, if it is this one. Who stopped it stays told.
    Unmark(Mark),
    /// Takes off who stopped it, if it is this one.
    Unstop(Mark),
    /// Takes it out of target groups.
    Drain(BTreeSet<Arc<str>>),
    /// Puts it into them.
    Register(BTreeSet<Arc<str>>),
    /// Silences it.
    Silence(ObjectKey, Mark),
    /// Lets it be heard.
    Unsilence(ObjectKey, Mark),
    /// Retires its registration.
    RetireRegistration(ObjectKey),
    /// Saves its launch record.
    SaveLaunchRecord(Mark),
    /// Takes a snapshot.
    Snapshot(Mark),
    /// Starts it.
    Start,
}

/// How an errand is bound.
#[derive(Clone, Debug)]
pub struct Call {
    /// About what.
    pub incarnation: Incarnation,
    /// What.
    pub errand: Errand,
    /// AWS refuses it from this moment on.
    pub not_after: Sec,
}

/// Tags of an instance or a database may be written while it exists.
fn exists(world: &World, host: usize) -> bool {
    world.hosts.get(host).is_some_and(|host| host.ended.is_none())
}

/// A call arrives.
pub fn arrive(world: &mut World, call: Call) {
    let now = world.now;
    if let Errand::Act(intent, name, replica) = &call.errand {
        return act(world, intent, name.as_deref(), *replica);
    }
    let Some(n) = world.host_of(&call.incarnation) else { return };
    let soft =
        matches!(call.errand, Errand::Silence(..) | Errand::Unsilence(..) | Errand::RetireRegistration(_));
    // An ARN of RDS is made of a name: what is asked of a database reaches whoever bears its name now.
    let name = world.hosts.get(n).filter(|_| !soft).and_then(|host| host.view.name.clone());
    let n = name.and_then(|name| world.named(&name)).unwrap_or(n);
    if !soft && call.not_after <= now {
        world.coverage.reach("fence", "Soft");
        return;
    }
    let alive = exists(world, n);
    let Some(host) = world.hosts.get_mut(n) else { return };
    match call.errand {
        Errand::Act(..) => {}
        Errand::TagMark(mark) if alive => host.change(now, |view| view.mark = Some(mark)),
        Errand::TagStopped(mark) if alive => host.change(now, |view| view.stopped = Some(mark)),
        Errand::Untag(mark) if alive => host.change(now, |view| {
            view.mark = view.mark.take().filter(|is| *is != mark);
            view.stopped = view.stopped.take().filter(|is| *is != mark);
        }),
        Errand::Unmark(mark) if alive => host.change(now, |view| {
            view.mark = view.mark.take().filter(|is| *is != mark);
        }),
        Errand::Unstop(mark) if alive => host.change(now, |view| {
            view.stopped = view.stopped.take().filter(|is| *is != mark);
        }),
        Errand::Drain(targets) => host.targets = host.targets.difference(&targets).cloned().collect(),
        Errand::Register(targets) if alive => host.targets.extend(targets),
        Errand::Silence(system, mark) => {
            if let Some(by) = host.registered.get_mut(&system) {
                *by = by.take().or(Some(mark));
            }
        }
        Errand::Unsilence(system, mark) => {
            if let Some(by) = host.registered.get_mut(&system) {
                *by = by.take().filter(|is| *is != mark);
            }
        }
        Errand::RetireRegistration(system) => {
            host.registered.remove(&system);
        }
        Errand::SaveLaunchRecord(mark) => {
            host.launch_records.insert(mark);
        }
        Errand::Snapshot(mark) if alive => host.backups.push((mark, None, now + 600)),
        Errand::Start if alive && host.view.power == Power::Stopped => start(world, n, By::Us),
        _ => return,
    }
    world.wrote();
}

/// Somebody starts a host that is stopped.
pub fn start(world: &mut World, n: usize, by: By) {
    let now = world.now;
    let Some(host) = world.hosts.get_mut(n) else { return };
    host.switched = (now, by);
    host.change(now, |view| {
        view.power = Power::Starting;
        view.run = if view.name.is_none() { Some(at(now)) } else { view.halted };
    });
    host.next = Some((now + 40, Power::Running));
    if by == By::Others {
        host.started.push(now);
    }
}

/// Somebody stops a host that runs.
pub fn stop(world: &mut World, n: usize, by: By) {
    let now = world.now;
    let Some(host) = world.hosts.get_mut(n) else { return };
    host.switched = (now, by);
    host.change(now, |view| {
        view.power = Power::Stopping;
        view.told = view.name.is_none().then(|| at(now));
    });
    host.next = Some((now + 50, Power::Stopped));
}

/// Somebody ends a host.
pub fn end(world: &mut World, n: usize) {
    let now = world.now;
    let Some(host) = world.hosts.get_mut(n) else { return };
    host.ended = Some(now);
    host.change(now, |view| view.power = Power::Leaving);
    host.next = Some((now + 60, Power::Gone));
    host.targets.clear();
}

/// RDS starts a stopped database again by itself; here after a while that fits into a cool-off.
pub const RESTARTS_AFTER: Sec = 40 * 60;

/// Turns what has come to turn.
pub fn turn(world: &mut World, n: usize) {
    let now = world.now;
    let Some(host) = world.hosts.get_mut(n) else { return };
    let database = host.kind == Kind::Database;
    if let Some((when, power)) = host.next.filter(|(when, _)| *when <= now) {
        host.next = None;
        host.change(when, |view| {
            view.power = power;
            if database {
                let stopped = power == Power::Stopped;
                view.halted = if stopped { Some(at(when)) } else { view.halted };
                view.run = if stopped { Some(at(when + RESTARTS_AFTER)) } else { view.halted };
            }
        });
    }
    let restart = host.view.run.map(second).filter(|_| database && host.view.power == Power::Stopped);
    if restart.is_some_and(|restart| restart <= now) && host.ended.is_none() {
        host.change(now, |view| {
            view.power = Power::Starting;
            view.run = view.halted;
            view.restarted = Some(at(now));
        });
        host.next = Some((now + 60, Power::Running));
        host.switched = (now, By::Others);
        world.coverage.reach("cloud", "RestartedItself");
    }
}

/// When a host turns next.
#[must_use]
pub fn turns(world: &World, n: usize) -> Option<Sec> {
    let host = world.hosts.get(n)?;
    let restarts = host.kind == Kind::Database && host.view.power == Power::Stopped && host.ended.is_none();
    let restart = host.view.run.map(second).filter(|_| restarts);
    host.next.map(|(when, _)| when).into_iter().chain(restart).min()
}

/// The act arrives: AWS asks its conditions, and does it.
fn act(world: &mut World, intent: &Intent, name: Option<&str>, replica: usize) {
    let now = world.now;
    let found = match name {
        Some(name) => world.named(name),
        None => world.host_of(&intent.incarnation).filter(|n| exists(world, *n)),
    };
    judge::call(world, intent, replica);
    let Some(n) = found else { return };
    let Some(host) = world.hosts.get(n) else { return };
    let fence = world.ablation;
    let refused = [
        (Fence::Deadline, intent.deadline <= at(now)),
        (Fence::Mark, host.view.mark.as_ref() != Some(&intent.mark)),
        (Fence::Keep, host.view.keep),
        (Fence::Frozen, world.role_frozen.is_some()),
    ];
    for (by, refuses) in refused {
        if refuses {
            let condition = match by {
                Fence::Deadline => "Deadline",
                Fence::Mark => "Mark",
                Fence::Keep => "Keep",
                Fence::Frozen => "Frozen",
            };
            world.coverage.reach("fence", condition);
            if fence.stands(by) {
                world.trace.tell(now, "refused", n, || format!("host {n}: {:?} by {by:?}", intent.act));
                return;
            }
        }
    }
    let power = host.view.power;
    let protected =
        world.spoilt_since(crate::world::Scope::Host(n), rollcall_engine::retirement::Guard::Protected);
    let possible = match intent.act {
        Act::Stop | Act::Restop => power == Power::Running,
        Act::Terminate | Act::DeleteReader => {
            matches!(power, Power::Running | Power::Stopped) && protected.is_none()
        }
    };
    if !possible {
        return;
    }
    judge::act(world, intent, n, replica);
    world.trace.tell(now, "act", n, || format!("host {n}: {:?} of {}", intent.act, intent.mark));
    world.wrote();
    match intent.act {
        Act::Stop | Act::Restop => {
            stop(world, n, By::Us);
            if let Some(host) = world.hosts.get_mut(n).filter(|host| host.kind == Kind::Database) {
                host.backups.push((intent.mark.clone(), Some(intent.occurrence), now + 600));
            }
        }
        Act::Terminate | Act::DeleteReader => end(world, n),
    }
}
