//! One world from its beginning to its end: a queue of events, one thread, and no other clock.

use std::collections::BTreeMap;

use rollcall_engine::retirement::{Action, Guard, State};

use crate::cloud::{self, Call};
use crate::coverage::Coverage;
use crate::judge::{self, Effect, Law, Violation};
use crate::look::Eyes;
use crate::people;
use crate::replica::{Later, Replica, plan_now};
use crate::schedule::{Deed, END, Fault, Schedule, Sec, What};
use crate::world::{Ablation, World};

enum Happening {
    Begins(usize),
    Ends(usize),
    Tick(usize, u64),
    Arrives(Call),
    Revives(usize),
    /// People who heal the world: they approve and acknowledge.
    Kindness,
}

/// How a world ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// From which seed.
    pub seed: u64,
    /// What was broken.
    pub violations: Vec<Violation>,
    /// A hash of everything that happened.
    pub hash: u64,
    /// What happened, if it was asked for.
    pub lines: Vec<String>,
    /// What was reached.
    pub coverage: Coverage,
    /// Acts that took effect.
    pub acts: Vec<Effect>,
    /// Events that were played.
    pub events: u64,
    /// Requests that replicas made for retirements.
    pub requests: u64,
    /// The states in which retirements ended.
    pub ends: Vec<State>,
}

impl Outcome {
    /// Was this law broken?
    #[must_use]
    pub fn breaks(&self, law: Law) -> bool {
        self.violations.iter().any(|violation| violation.law == law)
    }
}

struct Queue {
    events: BTreeMap<(Sec, u64), Happening>,
    next: u64,
}

impl Queue {
    fn push(&mut self, when: Sec, what: Happening) {
        self.next += 1;
        self.events.insert((when, self.next), what);
    }
}

/// Plays a world.
#[must_use]
pub fn run(schedule: &Schedule, ablation: Ablation, traced: bool) -> Outcome {
    let mut world = World::new(schedule, ablation, traced);
    let mut replicas = [Replica::new(0), Replica::new(1)];
    let mut queue = Queue { events: BTreeMap::new(), next: 0 };
    for (n, item) in schedule.items.iter().enumerate() {
        queue.push(item.from, Happening::Begins(n));
        if item.until > item.from {
            queue.push(item.until.min(schedule.heal), Happening::Ends(n));
        }
    }
    queue.push(0, Happening::Tick(0, 0));
    queue.push(7, Happening::Tick(1, 0));
    for n in 0..(END - schedule.heal) / 1_800 - 8 {
        queue.push(schedule.heal + n * 1_800, Happening::Kindness);
    }
    let mut played = 0;
    while let Some(((when, _), happening)) = queue.events.pop_first() {
        if when > END || (when > schedule.heal + schedule.rest && is_at_rest(&world, when)) {
            world.now = when;
            break;
        }
        turn(&mut world, when);
        world.now = when;
        played += 1;
        match happening {
            Happening::Begins(n) => begin(&mut world, &mut replicas, schedule, n),
            Happening::Ends(n) => end(&mut world, &mut replicas, schedule, n, &mut queue),
            Happening::Tick(number, generation) => {
                let mut later = Vec::new();
                if let Some(replica) = replicas.get_mut(number).filter(|r| r.generation == generation) {
                    replica.tick(&mut world, &mut later);
                }
                for thing in later {
                    match thing {
                        Later::Tick(when) => queue.push(when, Happening::Tick(number, generation)),
                        Later::Revive(when) => queue.push(when, Happening::Revives(number)),
                        Later::Arrive(when, call) => queue.push(when, Happening::Arrives(call)),
                    }
                }
            }
            Happening::Revives(number) => revive(&mut replicas, number, when, &mut queue),
            Happening::Arrives(call) => cloud::arrive(&mut world, call),
            Happening::Kindness => {
                for user in 0..3 {
                    people::begin(&mut world, Deed::Approve(user), when);
                }
                people::begin(&mut world, Deed::Acknowledge, when);
            }
        }
    }
    finish(&mut world);
    Outcome {
        seed: schedule.seed,
        violations: world.judge.violations,
        hash: world.trace.hash,
        lines: world.trace.lines.unwrap_or_default(),
        coverage: world.coverage,
        acts: world.judge.acts,
        events: played,
        requests: world.requests,
        ends: world.objects.iter().map(|one| one.retirement.status.state).collect(),
    }
}

fn is_at_rest(world: &World, when: Sec) -> bool {
    let in_flight =
        world.objects.iter().any(|one| one.deleted.is_none() && one.retirement.status.state.is_in_flight());
    when - world.written.0 > world.rest && !in_flight
}

/// Hosts that turn before `until` do.
fn turn(world: &mut World, until: Sec) {
    loop {
        let next = (0..world.hosts.len()).filter_map(|n| Some((cloud::turns(world, n)?, n))).min();
        let Some((when, n)) = next.filter(|(when, _)| *when <= until) else { return };
        world.now = when.max(world.now);
        cloud::turn(world, n);
    }
}

fn begin(world: &mut World, replicas: &mut [Replica; 2], schedule: &Schedule, n: usize) {
    let Some(item) = schedule.items.get(n) else { return };
    match item.what {
        What::Deed(deed) => people::begin(world, deed, item.until),
        What::Fault(fault) => {
            let now = world.now;
            world.trace.tell(now, "fault", n, || format!("{fault:?}"));
            world.coverage.reach("fault", word(fault));
            if let Fault::Crash(number) = fault {
                replicas.iter_mut().filter(|r| r.number == number).for_each(Replica::crash);
            }
            world.faults.push((now, item.until, fault));
        }
    }
}

fn end(world: &mut World, replicas: &mut [Replica; 2], schedule: &Schedule, n: usize, queue: &mut Queue) {
    let Some(item) = schedule.items.get(n) else { return };
    match item.what {
        What::Deed(deed) => people::end(world, deed),
        What::Fault(fault) => {
            let now = world.now;
            world.trace.tell(now, "healed", n, || format!("{fault:?}"));
            world.faults.retain(|(from, until, is)| (*from, *until, *is) != (item.from, item.until, fault));
            if let Fault::Crash(number) = fault {
                revive(replicas, number, now, queue);
            }
        }
    }
}

fn revive(replicas: &mut [Replica; 2], number: usize, now: Sec, queue: &mut Queue) {
    for replica in replicas.iter_mut().filter(|replica| replica.number == number && replica.down) {
        replica.down = false;
        queue.push(now + 1, Happening::Tick(number, replica.generation));
    }
}

fn word(fault: Fault) -> &'static str {
    match fault {
        Fault::Blind(..) => "Blind",
        Fault::Lag(_) => "Lag",
        Fault::Partial => "Partial",
        Fault::Lie => "Lie",
        Fault::Vanish => "Vanish",
        Fault::Slow(_) => "Slow",
        Fault::Lose(_) => "Lose",
        Fault::Mumble(_) => "Mumble",
        Fault::Pause(_) => "Pause",
        Fault::Crash(_) => "Crash",
        Fault::SplitBrain(_) => "SplitBrain",
        Fault::StaleWatch(_) => "StaleWatch",
        Fault::Skew(..) => "Skew",
    }
}

/// L1 to L4: the world has been kind for long; nothing may be left to do.
fn finish(world: &mut World) {
    judge::end(world);
    let now = world.now;
    let objects: Vec<_> = world.objects.iter().filter(|one| one.deleted.is_none()).cloned().collect();
    let honest = Eyes { replica: world.lease.holder, fail: false };
    // The judge asks all guards, whatever was taken out.
    let ablation = std::mem::take(&mut world.ablation);
    let plan = plan_now(world, honest, &objects);
    world.ablation = ablation;
    let left: Vec<&Action> = plan.actions.iter().collect();
    if !left.is_empty() {
        world.judge.breach(Law::L2, now, || format!("left to do: {left:?}"));
    }
    let stuck = |guard: Guard| {
        matches!(guard, Guard::Due | Guard::CooledOff | Guard::Mark | Guard::Present | Guard::Incarnation)
    };
    for blocked in &plan.blocked {
        if blocked.refusals.iter().any(|refusal| stuck(refusal.guard)) {
            world
                .judge
                .breach(Law::L2, now, || format!("{} is blocked: {:?}", blocked.host, blocked.refusals));
        }
    }
}
