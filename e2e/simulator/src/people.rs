//! What people do, at the worst moment.

use std::sync::Arc;

use rollcall_engine::retirement::{Admission, Decision, Incarnation, Power};

use crate::cloud;
use crate::look::spoils;
use crate::schedule::{Deed, Fault, HEAL, Kind, Late};
use crate::world::{By, World, at};

/// An item about people begins.
pub fn begin(world: &mut World, deed: Deed, until: i64) {
    let now = world.now;
    world.trace.tell(now, "person", 0, || format!("{deed:?}"));
    if let Some(what) = spoils(deed) {
        world.coverage.reach("spoilt", what.1.name());
        world.spoilt.entry(what).or_insert(now);
        return;
    }
    match deed {
        Deed::KeepTag(n) => tag_keep(world, n, true),
        Deed::FreezeRole => world.role_frozen = world.role_frozen.or(Some(now)),
        Deed::Use(n) => {
            if let Some(host) = world.hosts.get_mut(n) {
                host.used.push((now, until));
            }
        }
        Deed::Start(n) | Deed::Touch(n) => {
            if world
                .hosts
                .get(n)
                .is_some_and(|host| host.view.power == Power::Stopped && host.ended.is_none())
            {
                world.coverage.reach("person", "Start");
                cloud::start(world, n, By::Others);
            }
        }
        Deed::AtAct(late) => world.late = Some(late),
        Deed::Stop(n) | Deed::Bounce(n) => {
            if world
                .hosts
                .get(n)
                .is_some_and(|host| host.view.power == Power::Running && host.ended.is_none())
            {
                cloud::stop(world, n, By::Others);
            }
        }
        Deed::End(n) => {
            if world.hosts.get(n).is_some_and(|host| host.ended.is_none()) {
                cloud::end(world, n);
            }
        }
        Deed::Remake(n) => remake(world, n),
        Deed::Unmark(n) => {
            if let Some(host) = world.hosts.get_mut(n).filter(|host| host.view.mark.is_some()) {
                host.unmarked = host.view.mark.clone().map(|mark| (mark, now));
                host.change(now, |view| view.mark = None);
                world.coverage.reach("person", "Unmark");
            }
        }
        Deed::Approve(user) => approve(world, user),
        Deed::Withdraw(user, n) => withdraw(world, user, n),
        Deed::Forge(n) => forge(world, n),
        Deed::Cancel(n) => cancel(world, n),
        Deed::Delete(n) => {
            if let Some(one) = world.under_way(n).and_then(|one| world.objects.get_mut(one)) {
                one.deleted = Some(now);
                world.coverage.reach("person", "Delete");
            }
        }
        Deed::LoseLedger => world.ledger = None,
        // Who acknowledges has looked; what they vouch for wrongly is theirs.
        Deed::Acknowledge if world.fault(|fault| (*fault == Fault::Lie).then_some(())).is_some() => {}
        Deed::Acknowledge => {
            if let Some(trip) = &world.breaker.trip {
                world.acknowledged.insert(trip.name());
                world.judge.acknowledged(now);
            }
        }
        Deed::Spoil(..) | Deed::SpoilEnvironment(..) | Deed::SpoilAccount(_) => {}
    }
}

/// An item about people ends.
pub fn end(world: &mut World, deed: Deed) {
    if let Some(what) = spoils(deed) {
        world.spoilt.remove(&what);
        return;
    }
    match deed {
        Deed::KeepTag(n) => tag_keep(world, n, false),
        Deed::FreezeRole => world.role_frozen = None,
        Deed::AtAct(late) => {
            world.late = None;
            if late == Late::Freeze {
                world.role_frozen = None;
            }
            if late == Late::Keep {
                (0..world.hosts.len()).for_each(|n| tag_keep(world, n, false));
            }
        }
        Deed::Bounce(n) => {
            let stopped = |host: &crate::world::Host| {
                host.view.power == Power::Stopped && host.ended.is_none() && host.switched.1 == By::Others
            };
            if world.hosts.get(n).is_some_and(stopped) {
                world.coverage.reach("person", "Bounce");
                cloud::start(world, n, By::Others);
            }
        }
        // A few minutes of use between two looks: the host looks as it did before.
        Deed::Touch(n) => {
            let runs = |host: &crate::world::Host| host.view.power == Power::Running && host.ended.is_none();
            if world.hosts.get(n).is_some_and(runs) {
                cloud::stop(world, n, By::Others);
            }
        }
        _ => {}
    }
}

fn tag_keep(world: &mut World, n: usize, keep: bool) {
    let now = world.now;
    if let Some(host) = world.hosts.get_mut(n).filter(|host| host.view.keep != keep) {
        host.change(now, |view| view.keep = keep);
    }
}

/// The call of an act is under way, and somebody is just too late for the last gate.
pub fn late(world: &mut World, n: usize) {
    let now = world.now;
    let Some(late) = world.late else { return };
    world.coverage.reach("person", "Late");
    world.trace.tell(now, "person", n, || format!("late: {late:?} of host {n}"));
    match late {
        Late::Keep => tag_keep(world, n, true),
        Late::Freeze => world.role_frozen = world.role_frozen.or(Some(now)),
        Late::Unmark => {
            if let Some(host) = world.hosts.get_mut(n) {
                host.unmarked = host.view.mark.clone().map(|mark| (mark, now));
                host.change(now, |view| view.mark = None);
            }
        }
    }
}

/// A new database takes the old one's name, and somebody copies its tags.
fn remake(world: &mut World, n: usize) {
    let now = world.now;
    let Some(old) = world.hosts.get(n).filter(|host| host.kind == Kind::Database && host.ended.is_none())
    else {
        return;
    };
    let mut new = old.clone();
    cloud::end(world, n);
    world.coverage.reach("person", "Remake");
    let number = world.hosts.len();
    new.view.incarnation = Incarnation { host: format!("db-{number:02}").into(), created: Some(at(now)) };
    new.view.power = Power::Starting;
    new.view.run = None;
    new.past.clear();
    // It takes minutes to make a database.
    new.next = Some((now + 300, Power::Running));
    // In use while everything fails, and idle one day; or never used at all.
    new.used = if world.rng.bool() { vec![(now, HEAL)] } else { Vec::new() };
    new.switched = (now, By::Others);
    new.backups.clear();
    new.launch_records.clear();
    world.hosts.push(new);
}

fn approve(world: &mut World, user: usize) {
    let Some(user) = world.names.people.get(user).cloned() else { return };
    let now = world.now;
    for one in &mut world.objects {
        if one.deleted.is_none()
            && !one.retirement.status.state.is_over()
            && one.retirement.spec.approvals.insert(user.clone())
        {
            one.approvals.push((user.clone(), now, None));
            world.version += 1;
            one.version = world.version;
        } else if one.retirement.spec.approvals.contains(&user)
            && one.retirement.status.approvals.iter().any(|seen| {
                let expired = at(now).duration_since(seen.seen_at) >= world.policy.approval_expiry;
                seen.user == user && (seen.under != world.admission || expired)
            })
        {
            // What does not count is taken back, and given again next time.
            one.retirement.spec.approvals.remove(&user);
            one.approvals
                .iter_mut()
                .filter(|(who, _, to)| *who == user && to.is_none())
                .for_each(|it| it.2 = Some(now));
            world.version += 1;
            one.version = world.version;
        }
    }
}

fn withdraw(world: &mut World, user: usize, n: usize) {
    let now = world.now;
    let Some(user) = world.names.people.get(user).cloned() else { return };
    let version = world.next_version();
    let Some(one) = world.under_way(n).and_then(|one| world.objects.get_mut(one)) else { return };
    if one.retirement.spec.approvals.remove(&user) {
        one.version = version;
        one.approvals
            .iter_mut()
            .filter(|(who, _, to)| *who == user && to.is_none())
            .for_each(|it| it.2 = Some(now));
        world.coverage.reach("person", "Withdraw");
    }
}

/// The policy is taken away for a moment, the names of all people are written, and it is put back.
fn forge(world: &mut World, n: usize) {
    let people = world.names.people.clone();
    let version = world.next_version();
    if let Some(one) = world.under_way(n).and_then(|one| world.objects.get_mut(one)) {
        one.retirement.spec.approvals.extend(people);
        one.version = version;
        world.coverage.reach("person", "Forge");
    }
    let uid = Arc::from(format!("vap-{version}"));
    world.admission = Some(Admission { uid, generation: 1 });
}

fn cancel(world: &mut World, n: usize) {
    let now = world.now;
    let version = world.next_version();
    let Some(one) = world.under_way(n).and_then(|one| world.objects.get_mut(one)) else { return };
    one.retirement.spec.decision = Decision::Cancel;
    one.version = version;
    one.cancelled = Some(now);
    world.coverage.reach("person", "Cancel");
}
