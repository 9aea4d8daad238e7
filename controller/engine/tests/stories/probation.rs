//! How long a rule has run, what came of those at whom it pointed, and what a stop would still wait for. Nothing is stopped here.

use jiff::Timestamp;
use rollcall_crds::v1alpha1::DayOfWeek;
use rollcall_engine::activity::ActivityMetric;
use rollcall_engine::fleet::Hold;
use rollcall_engine::leaving::{self, Pass};
use rollcall_engine::reading::FailureKind;
use rollcall_engine::retirement::{Guard, Refusal, Why};
use rollcall_engine::rollcall::{Probation, RollCall};

use crate::lives::{Life, day};
use crate::world::*;

const POLICY: &str = r#"
apiVersion: rollcall.dev/v1alpha1
kind: RetirementPolicy
metadata: {name: standard, namespace: backlog}
spec: {holidays: ["2026-11-26"]}
"#;

fn quiet() -> Life {
    Life { is_quiet: true, ..Life::default() }
}

/// A batch host is quiet, and its environment asks to retire such hosts. It is Monday, 18:00 in Tokyo.
fn office() -> World {
    let mut world = World::with_hosts(&["jp1-batch-1", "jp1-batch-2", "jp1-app-1"]);
    let environment = TEAM.split("---").find(|document| document.contains("kind: Environment")).unwrap();
    let lean = "  lean: {enforcement: Retire, policy: standard}\n  timeZone: Asia/Tokyo\n";
    world.apply(POLICY);
    world.apply(&format!("{}\n{lean}", environment.trim_end()));
    world.lives.of.insert("jp1-batch-1".into(), quiet());
    world
}

fn days(world: &mut World, days: i64) -> RollCall {
    for _ in 0..days {
        world.hours(24);
        world.pass_despite_problems();
    }
    world.pass_despite_problems()
}

/// How the rule of the one policy has done: since when, proposed, later used.
fn told(roll: &RollCall) -> Option<(String, u32, u32)> {
    let of_policy = roll.policies.values().next().unwrap().probation;
    let of_environment = roll.environments.values().next().unwrap().lean.and_then(|lean| lean.probation);
    assert_eq!(of_policy, of_environment, "one environment names it");
    of_policy.map(|Probation { since, proposed, later_used, .. }| (since.to_string(), proposed, later_used))
}

fn holds(roll: &RollCall) -> Vec<String> {
    roll.environments.values().next().unwrap().holds.iter().map(ToString::to_string).collect()
}

/// What a guard says against a stop of jp1-batch-1 now.
fn says(world: &mut World, guard: Guard) -> Option<Why> {
    let roll = world.pass_despite_problems();
    let ((fleet, _), snapshot) = (world.fleet(), world.snapshot());
    let pass =
        Pass { fleet: &fleet, snapshot: &snapshot, memory: &world.memory, roll: &roll, now: world.now };
    let refusals = leaving::against_a_stop(pass, &world.id("jp1-batch-1")).unwrap();
    refusals.into_iter().find(|refusal| refusal.guard == guard).map(|Refusal { why, .. }| why)
}

fn policy(world: &mut World) -> &mut rollcall_crds::v1alpha1::RetirementPolicySpec {
    &mut world.desired.policies[0].spec
}

#[test]
fn a_rule_runs_since_it_first_judged_somebody_and_its_month_ends_by_the_clocks_of_its_people() {
    let mut world = office();
    let roll = world.pass();
    assert_eq!(told(&roll), Some((MONDAY.to_owned(), 1, 0)));
    let hash = roll.policies.values().next().unwrap().probation.unwrap().rule;
    let first_list = format!("nobody has acknowledged what rule {hash} points at (FirstList)");
    // 30 days later it is 18:00 on 23 December in Tokyo.
    let until = "its rule must have run without acting until 2026-12-23 (Probation)".to_owned();
    assert_eq!(holds(&roll), [until.clone(), first_list.clone()]);
    assert_eq!(says(&mut world, Guard::Probation), Some(Why::Holds));
    let roll = days(&mut world, 29);
    assert_eq!(
        (told(&roll), holds(&roll)),
        (Some((MONDAY.to_owned(), 1, 0)), vec![until, first_list.clone()])
    );
    let roll = days(&mut world, 1);
    assert_eq!(holds(&roll), [first_list]);
    assert_eq!(says(&mut world, Guard::Probation), None);
    assert_eq!(says(&mut world, Guard::FirstList), Some(Why::Holds), "and it still waits for people");
}

#[test]
fn a_host_that_is_used_or_started_after_the_rule_pointed_at_it_is_counted_once_and_not_forgotten() {
    let mut used = office();
    used.pass();
    // The operator is down on the day on which it is used; the verdict of a week later still shows it.
    used.lives.of.insert("jp1-batch-1".into(), Life { but: vec![day("2026-11-25")], ..quiet() });
    used.hours(24 * 7);
    let six_days_later = Some(("2026-11-29T09:00:00Z".to_owned(), 1, 1));
    assert_eq!(told(&used.pass()), six_days_later, "six days on which nobody was judged");
    let roll = days(&mut used, 45);
    assert_eq!(told(&roll), six_days_later, "it looks unused again");

    let mut started = office();
    started.pass();
    started.hours(1);
    started.machine("jp1-batch-1").launch_time = started.now;
    assert_eq!(told(&started.pass()), Some((MONDAY.to_owned(), 1, 1)));

    // One that is deleted was right to be pointed at.
    let mut gone = office();
    gone.pass();
    gone.machines.remove("jp1-batch-1");
    gone.agents.remove("jp1-batch-1");
    let roll = days(&mut gone, 2);
    assert_eq!(told(&roll), Some((MONDAY.to_owned(), 1, 0)));
}

#[test]
fn another_rule_begins_anew_and_one_that_is_not_understood_ends_nothing() {
    let mut world = office();
    world.pass();
    days(&mut world, 10);
    policy(&mut world).holidays = vec!["2026-02-30".to_owned()];
    let roll = days(&mut world, 1);
    assert_eq!(told_of_environment(&roll), None, "nobody is judged");
    policy(&mut world).holidays.clear();
    assert_eq!(told(&world.pass()), Some((MONDAY.to_owned(), 1, 0)), "other terms are the same rule");
    policy(&mut world).holidays = vec!["2026-02-30".to_owned()];
    world.pass_despite_problems();
    days(&mut world, 5);
    policy(&mut world).holidays.clear();
    let four_days_later = Some(("2026-11-27T09:00:00Z".to_owned(), 1, 0));
    assert_eq!(told(&world.pass()), four_days_later, "in these it judged nobody");
    policy(&mut world).idle.window_days = 36;
    let now = world.now.to_string();
    assert_eq!(told(&world.pass()), Some((now, 1, 0)));
    policy(&mut world).idle.window_days = 35;
    world.hours(1);
    let now = world.now.to_string();
    assert_eq!(told(&world.pass()), Some((now, 1, 0)), "back and forth is twice anew");
}

fn told_of_environment(roll: &RollCall) -> Option<Probation> {
    roll.environments.values().next().unwrap().lean.and_then(|lean| lean.probation)
}

#[test]
fn a_rule_that_judges_nobody_does_not_run_and_neither_does_one_whose_environment_is_gone() {
    let mut world = office();
    world.lives.fails = Some(FailureKind::Denied);
    let roll = days(&mut world, 31);
    assert_eq!(told(&roll), None);
    assert_eq!(
        holds(&roll)[0],
        "its rule has judged no host yet, so its probation has not begun (Probation)"
    );
    world.lives.fails = None;
    let begun = world.now;
    world.pass();
    // What nobody can read for an hour is held; of ten days all but the first ones are lost.
    world.lives.fails = Some(FailureKind::Throttled);
    world.hours(1);
    assert_eq!(told(&world.pass()), Some((begun.to_string(), 1, 0)));
    let mut blind = world.clone();
    days(&mut blind, 10);
    blind.lives.fails = None;
    let (resumed, ..) = told(&blind.pass()).unwrap();
    let resumed = resumed.parse::<Timestamp>().unwrap().duration_since(begun).as_hours();
    assert!((7 * 24..10 * 24).contains(&resumed), "{resumed} hours later");
    world.lives.fails = None;
    world.pass();
    let environment = world.desired.environments.pop().unwrap();
    world.pass();
    let away = days(&mut world, 3);
    assert!(away.environments.is_empty());
    world.desired.environments.push(environment);
    let since = begun.checked_add(jiff::SignedDuration::from_hours(2 * 24)).unwrap();
    let (told, ..) = told(&world.pass()).unwrap();
    assert_eq!(told.parse::<Timestamp>().unwrap(), since, "two whole days that do not count");
}

/// What nobody could see is no month in which the rule was right: no days of a blind inventory, and none on which metrics of one host
/// could not be read.
#[test]
fn days_on_which_somebody_could_not_be_judged_do_not_count() {
    let later = |roll: &RollCall| {
        let (since, ..) = told(roll).unwrap();
        let begun: Timestamp = MONDAY.parse().unwrap();
        since.parse::<Timestamp>().unwrap().duration_since(begun).as_hours() / 24
    };
    let mut blind = office();
    blind.pass();
    blind.ec2.insert(PLACE.into(), Answer::Fails(FailureKind::Denied));
    let roll = days(&mut blind, 40);
    let paused =
        "its rule has not judged its hosts since 2026-11-23, and days without it do not count (Probation)";
    assert_eq!(holds(&roll)[0], paused);
    blind.ec2.clear();
    assert_eq!(later(&blind.pass()), 39);
    assert_eq!(says(&mut blind, Guard::Probation), Some(Why::Holds));

    let mut half = office();
    half.pass();
    let hidden = [(ActivityMetric::Cpu, FailureKind::Denied)].into();
    half.lives.of.insert("jp1-app-1".into(), Life { hidden, ..quiet() });
    days(&mut half, 20);
    half.lives.of.remove("jp1-app-1");
    let lost = later(&half.pass());
    assert!((16..=19).contains(&lost), "{lost} days, but those for which a verdict is held");
}

#[test]
fn a_window_is_open_by_the_clocks_of_the_environment_and_not_before_a_holiday() {
    let mut world = office();
    let at = |world: &mut World, moment: &str| {
        world.now = moment.parse().unwrap();
        says(world, Guard::Window)
    };
    assert_eq!(at(&mut world, "2026-11-23T09:00:00Z"), Some(Why::Holds), "Monday, 18:00");
    assert_eq!(at(&mut world, "2026-11-24T01:00:00Z"), None, "Tuesday, 10:00");
    assert_eq!(at(&mut world, "2026-11-25T01:00:00Z"), Some(Why::Holds), "the day before a holiday");
    assert_eq!(at(&mut world, "2026-11-27T01:00:00Z"), Some(Why::Holds), "Friday");
    policy(&mut world).windows[0].days = vec![DayOfWeek::Friday];
    assert_eq!(at(&mut world, "2026-11-27T02:00:00Z"), None);
    policy(&mut world).windows.clear();
    assert_eq!(at(&mut world, "2026-11-30T02:00:00Z"), Some(Why::Holds));
    assert_eq!(
        holds(&world.pass())[2],
        "spec.windows of its RetirementPolicy is empty, so none is ever open (Window)"
    );
    // Whose clocks nobody knows are nobody's clocks.
    world.desired.environments[0].spec.time_zone = Some("Asia/Atlantis".into());
    assert_eq!(says(&mut world, Guard::Window), Some(Why::Unknown(FailureKind::Malformed)));
}

#[test]
fn what_somebody_acknowledged_is_told_and_does_not_count_yet() {
    let mut world = office();
    let hash = world.pass().policies.values().next().unwrap().probation.unwrap().rule;
    let one = |of: String| rollcall_crds::v1alpha1::Acknowledgement { user: "kana".into(), of };
    policy(&mut world).acknowledgements = vec![one("idle-1795000000".into()), one(hash.to_string())];
    policy(&mut world).budget =
        Some(rollcall_crds::v1alpha1::RetirementBudget { per_day_hosts: Some(0), per_day_percent: None });
    let roll = world.pass();
    let held = &roll.environments.values().next().unwrap().holds;
    assert!(held.contains(&Hold::FirstList { rule: hash, by: Some("kana".into()) }), "{held:?}");
    assert_eq!(held.last(), Some(&Hold::NoBudget));
    assert_eq!(says(&mut world, Guard::FirstList), Some(Why::Holds));
}

/// Whoever only points, or tells, is not told what a stop would wait for; the rule runs all the same.
#[test]
fn a_rule_runs_where_it_only_points() {
    use rollcall_crds::v1alpha1::LeanEnforcement;
    for enforcement in [LeanEnforcement::Flag, LeanEnforcement::Notify] {
        let mut world = office();
        world.desired.environments[0].spec.lean.as_mut().unwrap().enforcement = enforcement;
        let roll = world.pass();
        assert_eq!((told(&roll), holds(&roll)), (Some((MONDAY.to_owned(), 1, 0)), Vec::new()));
    }
}

/// Nobody reads a list of thousands, and of whom nothing is remembered nobody can say that the rule was right.
#[test]
fn a_rule_that_points_at_too_many_never_ends_its_probation() {
    use rollcall_engine::memory::{MAX_POINTED, Pointed};
    let mut world = office();
    world.lives.of.clear();
    assert_eq!(told(&world.pass()), Some((MONDAY.to_owned(), 0, 0)));
    let now = world.now;
    let run = world.memory.environments.values_mut().next().unwrap().rule_run.as_mut().unwrap();
    run.pointed = (0..MAX_POINTED)
        .map(|number| (format!("i-9{number:05}").as_str().into(), Pointed { at: now, used_on: None }))
        .collect();
    world.lives.of.insert("jp1-batch-1".into(), quiet());
    let roll = days(&mut world, 31);
    assert_eq!(
        holds(&roll)[0],
        "its rule has pointed at too many hosts to tell what came of them; another rule (spec.idle of its RetirementPolicy) \
         begins anew (Probation)"
    );
    assert_eq!(says(&mut world, Guard::Probation), Some(Why::Unknown(FailureKind::TooLarge)));
}
