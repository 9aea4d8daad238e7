//! A crash before and after, an error after the effect, and a loss, at every request of every scenario; and a crash or an
//! error at every pair of them. Whatever happens to two requests, no law breaks, and every retirement ends as it would have.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use rollcall_engine::retirement::{FinalAct, Guard, State};
use rollcall_simulator::run::run;
use rollcall_simulator::schedule::{Config, Deed, HOUR, Item, Kind, Point, Resident, Schedule, Sec, What};
use rollcall_simulator::world::Ablation;

fn resident(kind: Kind, busy: bool, stopped: bool) -> Resident {
    Resident { kind, environment: 0, duty: usize::from(busy), zone: 0, busy, stopped }
}

fn scenario(kind: Kind, stopped: bool, final_act: FinalAct, items: Vec<Item>) -> Schedule {
    Schedule {
        seed: 1,
        config: Config {
            grace: HOUR,
            cool_off: HOUR,
            window: HOUR,
            account: 1,
            environments: [1, 1],
            approvals: 1,
            keep_last: 0,
            wanted: 0,
            final_act,
            proven_at: 0,
            pass: 900,
            hosts: vec![resident(kind, false, stopped), resident(Kind::Instance, true, false)],
        },
        heal: 5 * HOUR,
        // Longer than a cancelled host is left alone.
        rest: 3 * HOUR + HOUR / 4,
        items,
        crashes: Vec::new(),
    }
}

fn deed(from: Sec, until: Sec, deed: Deed) -> Item {
    Item { from, until, what: What::Deed(deed) }
}

/// What people do in a scenario, whatever kind of host it is about.
fn lives() -> Vec<(&'static str, Vec<Item>)> {
    let approve =
        || vec![deed(HOUR / 2, HOUR / 2, Deed::Approve(0)), deed(4 * HOUR, 4 * HOUR, Deed::Approve(0))];
    let with = |more: Item| approve().into_iter().chain([more]).collect::<Vec<_>>();
    vec![
        ("nobody minds", approve()),
        ("cancelled while it waits", with(deed(HOUR, HOUR, Deed::Cancel(0)))),
        ("cancelled while it cools off", with(deed(3 * HOUR, 3 * HOUR, Deed::Cancel(0)))),
        ("used while it waits", with(deed(HOUR, 2 * HOUR, Deed::Use(0)))),
        ("started while it cools off", with(deed(3 * HOUR, 4 * HOUR, Deed::Start(0)))),
        ("kept for an hour", with(deed(2 * HOUR, 3 * HOUR, Deed::Spoil(0, Guard::Keep)))),
        ("deleted while it cools off", with(deed(3 * HOUR, 3 * HOUR, Deed::Delete(0)))),
        ("frozen for a while", with(deed(HOUR, 4 * HOUR, Deed::SpoilAccount(Guard::Freeze)))),
    ]
}

fn scenarios() -> Vec<(String, Schedule)> {
    let hosts = [
        ("instance", Kind::Instance, false, FinalAct::Terminate),
        ("instance that stays stopped", Kind::Instance, false, FinalAct::Stop),
        ("database", Kind::Database, false, FinalAct::Terminate),
        ("long stopped", Kind::Instance, true, FinalAct::HandOver),
    ];
    let mut all = Vec::new();
    for (host, kind, stopped, final_act) in hosts {
        for (life, items) in lives() {
            all.push((format!("{host}, {life}"), scenario(kind, stopped, final_act, items)));
        }
    }
    all.push(("reader".into(), scenario(Kind::Reader, false, FinalAct::Terminate, lives().swap_remove(0).1)));
    all
}

fn ends(of: &[State]) -> BTreeSet<&'static str> {
    of.iter().map(|state| state.name()).collect()
}

/// Plays it with these crashes; what is wrong, if anything is.
fn disturbed(
    schedule: &Schedule,
    crashes: Vec<(u64, Point)>,
    calm: &BTreeSet<&'static str>,
) -> Option<String> {
    let schedule = Schedule { crashes, ..schedule.clone() };
    let outcome = run(&schedule, Ablation::default(), false);
    let crashes = &schedule.crashes;
    if let Some(violation) = outcome.violations.first() {
        return Some(format!("{crashes:?}: {violation:?}"));
    }
    // Who is late for somebody's word may end another way; who is retired in peace is retired after crashes too.
    let retired = calm.len() == 1 && calm.contains("Retired");
    (retired && !ends(&outcome.ends).contains("Retired"))
        .then(|| format!("{crashes:?}: ends {:?}", outcome.ends))
}

/// Every disturbance of one scenario: how many, and what is wrong.
fn play(name: &str, schedule: &Schedule) -> (u64, Vec<String>) {
    let calm = run(schedule, Ablation::default(), false);
    assert_eq!(calm.violations, [], "{name}");
    assert!(calm.requests >= 3, "{name}: {} requests", calm.requests);
    let before = ends(&calm.ends);
    let (mut runs, mut wrong) = (0, Vec::new());
    let mut play = |crashes: Vec<(u64, Point)>| {
        runs += 1;
        wrong.extend(disturbed(schedule, crashes, &before).map(|what| format!("{name}: {what}")));
    };
    // A crash after one is a crash before the next; the loss of one is its error without the effect.
    let pairs = [Point::Before, Point::Error];
    for first in 0..calm.requests {
        for point in Point::ALL {
            play(vec![(first, point)]);
        }
        // A second one may hit a request that only the first one made necessary.
        for second in first + 1..calm.requests + 2 {
            for (point, other) in pairs.into_iter().flat_map(|point| pairs.map(|other| (point, other))) {
                play(vec![(first, point), (second, other)]);
            }
        }
    }
    (runs, wrong)
}

#[test]
fn every_request_of_every_scenario_may_fail_and_so_may_every_other_one() {
    let all = scenarios();
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut runs, mut wrong) = (0, Vec::new());
        while let Some((name, schedule)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (more, found) = play(name, schedule);
            runs += more;
            wrong.extend(found);
        }
        (runs, wrong)
    };
    let (runs, mut wrong) = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let (runs, mut wrong) = work();
        let (more, found) = other.join().unwrap();
        wrong.extend(found);
        (runs + more, wrong)
    });
    wrong.truncate(20);
    assert!(wrong.is_empty(), "of {runs} runs: {wrong:#?}");
    println!("{runs} runs");
}
