//! Laws of the deciding half: what hides never helps, order does not matter, limits hold at their edges, and one step is one
//! request. How it lives through faults is the simulator's to show (`e2e/simulator`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::ids::{HostId, Mark, ObjectKey, User};
use crate::inventory::Tags;
use crate::reading::FailureKind;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_795_996_800 + minutes * 60).unwrap()
}

const NOW: i64 = 60 * 24 * 30;

fn environment() -> ObjectKey {
    ObjectKey::new("backlog", "jp1")
}

fn policy() -> Policy {
    Policy { hash: Arc::from("rule"), approvals: 1, final_act: FinalAct::Terminate, ..Policy::default() }
}

fn admission() -> Admission {
    Admission { uid: Arc::from("vap"), generation: 1 }
}

/// One that waits, was told ten days ago, and is approved.
fn retirement(host: &str) -> Retirement {
    let mark = Mark::new(format!("uid-{host}"));
    let mut status = Status::proposed(at(0));
    status.state = State::Waiting;
    status.due = Some(at(NOW - 60 * 24 * 3));
    status.run = Some(at(-1_000));
    status.conditions.marked = Some(at(NOW - 60 * 24 * 10));
    status.conditions.notified = Some(at(NOW - 60 * 24 * 10));
    status.admission = Some(admission());
    status.approvals =
        vec![SeenApproval { user: User::new("mika"), seen_at: at(NOW - 60), under: Some(admission()) }];
    Retirement {
        spec: Spec {
            incarnation: Incarnation { host: HostId::from(host), created: None },
            account: "123456789012".into(),
            environment: environment(),
            duty: "app".into(),
            policy_hash: Arc::from("rule"),
            path: Path::Stop,
            final_act: FinalAct::Terminate,
            approvals_needed: 1,
            approvals: BTreeSet::from([User::new("mika")]),
            decision: Decision::Proceed,
        },
        mark,
        status,
    }
}

fn limits(own: usize, account: usize) -> Limits {
    Limits {
        window: SignedDuration::from_hours(24),
        account,
        environments: BTreeMap::from([(environment(), own)]),
    }
}

/// Everything in order for this one to begin.
fn live(of: &Retirement) -> Live {
    Live {
        now: at(NOW),
        epoch: Fact::Known(Some(Epoch(1))),
        aws_clock: Fact::Known(SignedDuration::ZERO),
        account: Fact::Known("123456789012".into()),
        role: Fact::Known(Role { is_ours: true, frozen: false }),
        frozen: Fact::Known(false),
        sources: Fact::Known(()),
        host: Fact::Known(Some(HostView {
            incarnation: of.spec.incarnation.clone(),
            name: None,
            power: Power::Running,
            run: of.status.run,
            told: None,
            halted: None,
            restarted: None,
            mark: Some(of.mark.clone()),
            stopped: Some(of.mark.clone()),
            keep: false,
            bars: BTreeSet::new(),
            unread: BTreeMap::new(),
            is_reader: false,
        })),
        usage: Use::Idle { since: at(0), until: at(NOW - 3) },
        belonging: Fact::Known(Belonging {
            claims: 1,
            environment: Some(environment()),
            granted: Some(Reach::Retire),
            allowed: true,
            asked: Some(Reach::Retire),
            exempt: false,
        }),
        policy: Fact::Known(Some(policy())),
        rule: Fact::Known(Rule { since: at(0), first_list: FirstList::Acknowledged }),
        peers: Fact::Known(Peers { in_zone: 2, in_all: 4, wanted: 2 }),
        alert: Fact::Known(false),
        window: Fact::Known(true),
        targets: Fact::Known(BTreeSet::new()),
        watched: Fact::Known(BTreeMap::new()),
        admission: Fact::Known(Some(admission())),
        ledger: Fact::Known(Some(Arc::new(Ledger::new(at(0))))),
        limits: Fact::Known(Arc::new(limits(1, 1))),
        breaker: Fact::Known(None),
        records: Fact::Known(BTreeSet::from([(Act::Stop, Occurrence(0))])),
        backup: Fact::Known(Backup::default()),
    }
}

/// Hides one fact.
fn hide(live: &mut Live, which: usize) {
    fn dark<T>(fact: &mut Fact<T>) {
        *fact = Fact::Unknown(FailureKind::Throttled);
    }
    match which {
        0 => dark(&mut live.epoch),
        1 => dark(&mut live.aws_clock),
        2 => dark(&mut live.account),
        3 => dark(&mut live.role),
        4 => dark(&mut live.frozen),
        5 => dark(&mut live.sources),
        6 => dark(&mut live.host),
        7 => live.usage = Use::Unknown(FailureKind::Throttled),
        8 => dark(&mut live.belonging),
        9 => dark(&mut live.policy),
        10 => dark(&mut live.rule),
        11 => dark(&mut live.peers),
        12 => dark(&mut live.alert),
        13 => dark(&mut live.window),
        14 => dark(&mut live.targets),
        15 => dark(&mut live.watched),
        16 => dark(&mut live.admission),
        17 => dark(&mut live.ledger),
        18 => dark(&mut live.limits),
        19 => dark(&mut live.breaker),
        20 => dark(&mut live.records),
        _ => dark(&mut live.backup),
    }
}

const FACTS: usize = 22;

/// Spoils the truth in one way, or in none.
fn spoil(of: &mut Retirement, live: &mut Live, how: usize) {
    let host = |live: &mut Live, change: fn(&mut HostView)| {
        if let Fact::Known(Some(host)) = &mut live.host {
            change(host);
        }
    };
    match how {
        0 => of.spec.decision = Decision::Cancel,
        1 => live.host = Fact::Known(None),
        2 => host(live, |host| host.incarnation.created = Some(at(1))),
        3 => host(live, |host| host.mark = None),
        4 => host(live, |host| host.keep = true),
        5 => host(live, |host| host.bars.extend(Bar::ALL)),
        6 => host(live, |host| host.run = Some(at(NOW - 10))),
        7 => live.usage = Use::Active,
        8 => live.usage = Use::Idle { since: at(NOW - 1), until: at(NOW) },
        9 => live.frozen = Fact::Known(true),
        10 => live.window = Fact::Known(false),
        11 => live.alert = Fact::Known(true),
        12 => live.peers = Fact::Known(Peers { in_zone: 1, in_all: 1, wanted: 2 }),
        13 => of.spec.approvals.clear(),
        14 => of.status.due = Some(at(NOW + 1)),
        15 => live.aws_clock = Fact::Known(SignedDuration::from_secs(-6)),
        16 => live.admission = Fact::Known(None),
        17 => live.policy = Fact::Known(None),
        _ => {}
    }
}

fn refusals(of: &Retirement, live: &Live) -> Vec<Refusal> {
    Guards::all().refusals(of, live, Case { moment: Moment::Beginning, act: Some(Act::Stop) })
}

#[test]
fn one_in_order_begins_and_each_guard_tells_its_reason() {
    let of = retirement("i-1");
    assert_eq!(refusals(&of, &live(&of)), []);
    let event = live(&of);
    let Step::Write(status) = step(&of, &Event::Looked { live: &event, chosen: true }) else {
        panic!("it begins");
    };
    assert_eq!(status.state, State::Stopping);
    assert!(matches!(step(&of, &Event::Looked { live: &event, chosen: false }), Step::Wait(_)), "not chosen");
    let mut reasons = BTreeSet::new();
    for guard in Guard::ALL {
        assert!(reasons.insert(guard.reason()), "{guard:?} says what another one says");
    }
}

#[test]
fn an_act_is_ordered_only_in_the_breath_in_which_its_intent_was_written() {
    let mut of = retirement("i-1");
    of.status.state = State::Stopping;
    of.status.conditions.told = Some((Notice::Soon(Act::Stop), at(NOW - 20)));
    let mut seen = live(&of);
    let Step::Call(Request::WriteLedger { ledger, .. }) =
        step(&of, &Event::Looked { live: &seen, chosen: false })
    else {
        panic!("it reserves first");
    };
    seen.ledger = Fact::Known(Some(Arc::new(ledger)));
    let Step::Arm(status) = step(&of, &Event::Looked { live: &seen, chosen: false }) else {
        panic!("then it writes its intent");
    };
    of.status = *status;
    let ordered = |event: &Event<'_>| matches!(step(&of, event), Step::Call(Request::Act(_)));
    assert!(ordered(&Event::Armed(&seen)));
    assert!(!ordered(&Event::Looked { live: &seen, chosen: true }), "who comes back waits, and reads back");
    let mut deposed = live(&of);
    deposed.ledger = seen.ledger.clone();
    deposed.epoch = Fact::Known(Some(Epoch(2)));
    assert!(!ordered(&Event::Armed(&deposed)), "another term's");
}

/// Ours was refused at AWS, and a person stopped the host minutes later: nobody asked that person.
#[test]
fn the_stop_of_somebody_else_is_not_taken_for_ours() {
    let mut of = retirement("i-1");
    of.status.state = State::Stopping;
    of.status.intent = Some(Intent {
        mark: of.mark.clone(),
        incarnation: of.spec.incarnation.clone(),
        act: Act::Stop,
        occurrence: Occurrence(1),
        epoch: Epoch(1),
        written: at(NOW),
        deadline: at(NOW + 1),
    });
    of.status.occurrence = Occurrence(1);
    of.status.tried = true;
    let after = |minutes: i64, change: &dyn Fn(&mut HostView, &mut Backup)| {
        let (mut seen, mut backup) = (live(&of), Backup::default());
        seen.now = at(NOW + minutes);
        let Fact::Known(Some(host)) = &mut seen.host else { panic!("it is there") };
        host.power = Power::Stopped;
        change(host, &mut backup);
        seen.backup = Fact::Known(backup);
        let Step::Write(status) = step(&of, &Event::Looked { live: &seen, chosen: false }) else {
            return None;
        };
        // The next look: whom it stays stopped, and who is started again by us.
        let closed = Retirement { status: (*status).clone(), ..of.clone() };
        let starts = match step(&closed, &Event::Looked { live: &seen, chosen: false }) {
            Step::Write(undoing) if undoing.state != State::CoolingOff => {
                assert_eq!(undoing.state, State::Undoing(Reason::Refused(Guard::SameRun)));
                let undoing = Retirement { status: *undoing, ..of.clone() };
                let next = step(&undoing, &Event::Looked { live: &seen, chosen: false });
                matches!(next, Step::Call(Request::Start))
            }
            _ => false,
        };
        Some((status.state, status.stop, starts))
    };
    let told = |when| move |host: &mut HostView, _: &mut Backup| host.told = Some(at(when));
    let stopped = after(3, &told(NOW)).unwrap();
    assert_eq!(stopped.0, State::CoolingOff);
    assert_eq!(stopped.1.unwrap().by, StoppedBy::Rollcall);
    for when in [NOW - 1, NOW + 2] {
        assert_eq!(after(3, &told(when)), None, "asked for at {when}: something may still come late");
        let left = Some((State::Stopping, None, false));
        assert_eq!(after(7, &told(when)), left, "ours was not used, and who stopped it has their stop");
    }
    assert_eq!(after(7, &|_, _| {}), Some((State::Stopping, None, true)), "it may be ours: AWS does not say");

    let database = |tries: &'static [u32]| {
        move |host: &mut HostView, backup: &mut Backup| {
            host.name = Some(Arc::from("shop"));
            backup.stops = tries.iter().map(|n| Occurrence(*n)).collect();
        }
    };
    assert_eq!(after(3, &database(&[1])).unwrap().0, State::CoolingOff);
    assert_eq!(after(3, &database(&[0])), None, "the backup of another try");
    assert_eq!(after(7, &database(&[])), Some((State::Stopping, None, false)));
    let mut blind = live(&of);
    blind.now = at(NOW + 60);
    if let Fact::Known(Some(host)) = &mut blind.host {
        (host.power, host.name) = (Power::Stopped, Some(Arc::from("shop")));
    }
    blind.backup = Fact::Unknown(FailureKind::Throttled);
    let waits = step(&of, &Event::Looked { live: &blind, chosen: false });
    assert!(
        matches!(waits, Step::Wait(_)),
        "a backup that cannot be read is not one that is not there: {waits:?}"
    );
}

#[test]
fn limits_hold_at_their_edges() {
    assert_eq!([0, 1, 49, 50, 100, 149, 150].map(Limits::of_hosts), [0, 1, 1, 1, 2, 2, 3]);
    let wanted = |host: &str, now| retirement(host).entry(Act::Stop, now);
    let day = at(60 * 24 + 1);
    let ledger = Ledger::new(at(0));
    assert_eq!(
        ledger.room(&wanted("i-1", at(1)), &limits(1, 1), at(1)),
        Err(NoRoom::Young),
        "made a minute ago"
    );
    assert_eq!(ledger.room(&wanted("i-1", day), &limits(0, 9), day), Err(NoRoom::Environment), "0 means 0");
    assert_eq!(ledger.room(&wanted("i-1", day), &limits(9, 0), day), Err(NoRoom::Account), "0 means 0");
    let unknown = Limits { environments: BTreeMap::new(), ..limits(9, 9) };
    assert_eq!(ledger.room(&wanted("i-1", day), &unknown, day), Err(NoRoom::Environment), "none is not all");
    let one = ledger.reserve(wanted("i-1", day), &limits(1, 9), day).unwrap();
    assert_eq!(one.room(&wanted("i-2", day), &limits(1, 9), day), Err(NoRoom::Environment));
    assert!(one.room(&wanted("i-1", day), &limits(1, 9), day).is_ok(), "the same try renews its own");
}

#[test]
fn the_breaker_trips_above_its_edge_and_stays_until_it_is_acknowledged_by_name() {
    let names = |n: usize| (0..n).map(|n| HostId::new(format!("i-{n}"))).collect::<BTreeSet<_>>();
    let sight = |listed: usize, idle: usize| {
        let verdict =
            |n: usize| if n < idle { Use::Idle { since: at(0), until: at(1) } } else { Use::Active };
        Sighting {
            listed: Fact::Known(names(listed)),
            leaving: BTreeSet::new(),
            recent: Fact::Known(
                names(listed).into_iter().enumerate().map(|(n, host)| (host, verdict(n))).collect(),
            ),
        }
    };
    let nobody = BTreeSet::new();
    // Hosts, and how many of them may turn idle at once: 20 %, at least 3 and at most 10.
    for (hosts, may) in [(0, 0), (3, 3), (10, 3), (20, 4), (50, 10), (500, 10)] {
        let calm = Breaker::default().watch(&sight(hosts, 0), &nobody, at(0));
        assert_eq!(calm.watch(&sight(hosts, may), &nobody, at(1)).trip, None, "{may} of {hosts}");
        if hosts > may {
            let tripped = calm.watch(&sight(hosts, may + 1), &nobody, at(1));
            let trip = tripped.trip.clone().unwrap();
            assert_eq!((trip.cause, trip.hosts), (TripCause::TurnedIdle, may + 1), "{hosts}");
            assert_eq!(
                tripped.watch(&sight(hosts, 0), &nobody, at(2)),
                tripped,
                "it does not heal by itself"
            );
            let other = BTreeSet::from(["idle-0".to_owned()]);
            assert_eq!(tripped.watch(&sight(hosts, 0), &other, at(2)), tripped, "another one's name");
            let by_name = BTreeSet::from([trip.name()]);
            assert_eq!(tripped.watch(&sight(hosts, 0), &by_name, at(2)).trip, None);
        }
    }
    let calm = Breaker::default().watch(&sight(20, 0), &nobody, at(0));
    assert_eq!(calm.watch(&sight(16, 0), &nobody, at(1)).trip, None, "four of twenty vanish");
    assert_eq!(calm.watch(&sight(15, 0), &nobody, at(1)).trip.unwrap().cause, TripCause::Vanished);
    let blind = Sighting { recent: Fact::Unknown(FailureKind::Throttled), ..sight(20, 0) };
    assert!(matches!(calm.live(&blind, &nobody, at(1)), Fact::Unknown(_)), "who cannot see holds");
}

#[test]
fn tags_bar_what_somebody_else_manages() {
    let bars = |key: &str| of_tags(&Tags::from_iter([(key, "x")])).collect::<Vec<_>>();
    for key in [
        "aws:autoscaling:groupName",
        "aws:cloudformation:stack-name",
        "aws:eks:cluster-name",
        "aws:ec2spot:fleet-request-id",
        "AWS:Anything:New",
        "aws:",
    ] {
        assert_eq!(bars(key), [Bar::Managed], "{key}");
    }
    assert_eq!(bars("Schedule"), [Bar::Scheduled]);
    for key in ["Name", "aws", "awsome:thing", "aws:ec2launchtemplate:id", "é:aws:", ""] {
        assert_eq!(bars(key), [], "{key}");
    }
}

#[test]
fn an_approval_counts_only_if_it_came_under_the_policy_in_force() {
    let mut of = retirement("i-1");
    of.status.approvals.clear();
    of.status.admission = None;
    let seen = live(&of);
    // First look: nobody knows what was in force when the entry came.
    let Step::Write(status) = step(&of, &Event::Looked { live: &seen, chosen: true }) else {
        panic!("noted")
    };
    assert_eq!(status.approvals[0].under, None);
    of.status = *status;
    assert!(refusals(&of, &seen).iter().any(|refusal| refusal.guard == Guard::Approved));
    // Taken back, and given again under the eyes of two looks.
    of.spec.approvals.clear();
    let Step::Write(status) = step(&of, &Event::Looked { live: &seen, chosen: true }) else { panic!("gone") };
    of.status = *status;
    of.spec.approvals.insert(User::new("mika"));
    let Step::Write(status) = step(&of, &Event::Looked { live: &seen, chosen: true }) else { panic!("seen") };
    of.status = *status;
    assert_eq!(refusals(&of, &seen), []);
    let mut other = live(&of);
    other.admission = Fact::Known(Some(Admission { uid: Arc::from("vap"), generation: 2 }));
    assert!(refusals(&of, &other).iter().any(|refusal| refusal.guard == Guard::Approved), "another policy");
    let mut late = live(&of);
    late.now = at(NOW + 60 * 24 * 31);
    assert!(refusals(&of, &late).iter().any(|refusal| refusal.guard == Guard::Approved), "expired");
}

proptest! {
    /// What a fault lets us see makes nobody eligible whom the truth does not.
    #[test]
    fn hiding_facts_never_lets_anybody_pass(
        hidden in proptest::collection::btree_set(0..FACTS, 0..4), how in 0usize..24, moment in 0usize..3,
    ) {
        let mut of = retirement("i-1");
        let mut truth = live(&of);
        spoil(&mut of, &mut truth, how);
        let mut seen = truth.clone();
        for which in &hidden {
            hide(&mut seen, *which);
        }
        let moment = [Moment::Proposing, Moment::Beginning, Moment::Acting][moment];
        let passes = |live: &Live| {
            let case = Case { moment, act: Some(Act::Stop) };
            Guards::all().refusals(&of, live, case).is_empty()
        };
        prop_assert!(!passes(&seen) || passes(&truth), "{hidden:?} {how}");
        // And nobody is taken back because of what is hidden: that is a change to the world, too.
        let undone = |live: &Live| {
            let case = Case { moment, act: Some(Act::Stop) };
            Guards::all().refusals(&of, live, case).iter().any(|refusal| refusal.why == Why::Cancels)
        };
        prop_assert!(!undone(&seen) || undone(&truth), "{hidden:?} {how}");
    }

    /// The same plan, whatever the order, and the same again.
    #[test]
    fn a_plan_does_not_depend_on_order(own in 0usize..4, account in 0usize..4, turn in 0usize..5, spoilt in 0usize..24) {
        let mut all: Vec<Retirement> = (0..5).map(|n| retirement(&format!("i-{n}"))).collect();
        for (n, of) in all.iter_mut().enumerate() {
            of.spec.duty = format!("duty-{n}").into();
            of.status.due = Some(at(NOW - 60 * 24 * 3 - i64::try_from(n * 7 % 5).unwrap()));
        }
        let mut lives: Vec<Live> = all.iter().map(live).collect();
        spoil(&mut all[2], &mut lives[2], spoilt);
        let ledger = Ledger::new(at(0));
        let limits = limits(own, account);
        let planned = |shift: usize| {
            let mut standing: Vec<Standing<'_>> =
                all.iter().zip(&lives).map(|(retirement, live)| Standing { retirement, live }).collect();
            standing.rotate_left(shift);
            plan(&[], &standing, &BTreeSet::new(), Some(&ledger), &limits)
        };
        let plain = planned(0);
        prop_assert_eq!(&plain, &planned(turn));
        let begun = plain.actions.iter().filter(|action| matches!(action, Action::Begin(_))).count();
        prop_assert!(begun <= own.min(account));
        prop_assert_eq!(begun + plain.blocked.len(), 5);
    }

    /// However acts are reserved and used, no window holds more of them than its budget.
    #[test]
    fn no_window_holds_more_acts_than_its_budget(
        asks in proptest::collection::vec((0usize..8, 0i64..600, 0i64..5), 1..60), own in 0usize..4,
    ) {
        let limits = Limits { window: SignedDuration::from_mins(120), ..limits(own, 9) };
        let (mut ledger, mut now, mut acts) = (Ledger::new(at(0)), 0, Vec::new());
        let mut used = BTreeSet::new();
        for (who, wait, late) in asks {
            now += wait / 10;
            let wanted = retirement(&format!("i-{who}")).entry(Act::Stop, at(now));
            let (mark, occurrence) = (wanted.mark.clone(), wanted.occurrence);
            if let Ok(reserved) = ledger.reserve(wanted, &limits, at(now)) {
                ledger = reserved;
            }
            // Each mark acts once, at any time that its reservation holds.
            let when = at(now + late);
            if ledger.holds(&mark, Act::Stop, occurrence, when, when) && used.insert(who) {
                acts.push(now + late);
            }
        }
        for end in &acts {
            let within = acts.iter().filter(|act| (end - 119..=*end).contains(*act)).count();
            prop_assert!(within <= own, "{acts:?}");
        }
    }

    /// What is written is read back as it was.
    #[test]
    fn a_retirement_reads_back_as_it_was_written(host in "i-[0-9a-f]{8}") {
        let of = retirement(&host);
        let text = serde_json::to_string(&of).unwrap();
        prop_assert_eq!(serde_json::from_str::<Retirement>(&text).unwrap(), of);
    }
}
