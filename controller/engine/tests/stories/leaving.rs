//! From looking unused to being told of it: who is proposed, what their people hear, and what ends it. Nothing is ever done to a
//! host here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rollcall_engine::ids::{HostId, Mark};
use rollcall_engine::inventory::PowerState;
use rollcall_engine::leaving::{self, Evidence, Leaving, Object, Pass, Standing};
use rollcall_engine::notice::{Kind, Language};
use rollcall_engine::reading::FailureKind;
use rollcall_engine::retirement::{Decision, Guard, Path, Retirement, State, Status};

use crate::lives::{Life, day};
use crate::world::*;

const TELLING: &str = r#"
apiVersion: rollcall.dev/v1alpha1
kind: RetirementPolicy
metadata: {name: standard, namespace: backlog}
spec: {graceBusinessDays: 3, holidays: ["2026-11-25"], keepLastHosts: 1}
---
apiVersion: rollcall.dev/v1alpha1
kind: NotificationChannel
metadata: {name: sre-chat, namespace: backlog}
spec:
  webhook: {urlSecret: {name: chat, key: url}, signingSecret: {name: chat, key: signing}}
  language: Japanese
"#;

/// The team's world, whose environment tells owners; hosts named here are quiet.
struct Office {
    world: World,
    objects: Vec<Object>,
    /// When the channel accepted which news of which mark.
    accepted: BTreeMap<(Mark, Kind), Timestamp>,
    channel_is_dead: bool,
    /// Everything that was told, by host, kind and title.
    heard: Vec<String>,
}

impl Office {
    fn new(hosts: &[&str], quiet: &[&str]) -> Self {
        let mut world = World::with_hosts(hosts);
        let kind = |kind: &'static str| move |document: &&str| document.contains(kind);
        let environment = TEAM.split("---").find(kind("kind: Environment")).unwrap().trim_end().to_owned();
        world.apply(TELLING);
        let lean = "  lean: {enforcement: Notify, policy: standard}\n  notifications: [sre-chat]\n  timeZone: Asia/Tokyo\n";
        world.apply(&format!("{environment}\n{lean}"));
        for role in &mut world.desired.roles {
            let is_duty = role.spec.type_ == rollcall_crds::v1alpha1::RoleType::Duty;
            role.spec.retirement = is_duty.then_some(rollcall_crds::v1alpha1::RetirementConsent::Allowed);
        }
        for name in quiet {
            world.lives.of.insert((*name).to_owned(), Life { is_quiet: true, ..Life::default() });
            protect(&mut world, name, false);
        }
        Self {
            world,
            objects: Vec::new(),
            accepted: BTreeMap::new(),
            channel_is_dead: false,
            heard: Vec::new(),
        }
    }

    /// One pass, and what the API server and the channel make of it.
    fn pass(&mut self) -> Leaving {
        let roll = self.world.pass_despite_problems();
        let ((fleet, _), snapshot) = (self.world.fleet(), self.world.snapshot());
        let (memory, now) = (&self.world.memory, self.world.now);
        let pass = Pass { fleet: &fleet, snapshot: &snapshot, memory, roll: &roll, now };
        let accepted =
            |object: &Object, kind| self.accepted.get(&(object.retirement.mark.clone(), kind)).copied();
        let standing: Vec<Standing<'_>> = (self.objects.iter())
            .map(|object| Standing {
                object,
                accepted: accepted(object, Kind::Proposed),
                taken_back: accepted(object, Kind::Cancelled).is_some(),
                heard: false,
            })
            .collect();
        let leaving = leaving::look(pass, &standing, &BTreeSet::new());
        let mirrored: Vec<Standing<'_>> = standing.iter().rev().copied().collect();
        let order = |mut leaving: Leaving| {
            leaving.stands.sort_by(|a, b| a.key.cmp(&b.key));
            leaving.tellings.sort_by_key(|telling| telling.notice.id().to_string());
            leaving
        };
        assert_eq!(order(leaving::look(pass, &mirrored, &BTreeSet::new())), order(leaving.clone()));
        self.take(&leaving, &fleet);
        leaving
    }

    fn take(&mut self, leaving: &Leaving, fleet: &rollcall_engine::fleet::Fleet) {
        for stand in &leaving.stands {
            let object = self.objects.iter_mut().find(|object| object.key == stand.key).unwrap();
            object.retirement.status = stand.status.clone();
            (object.is_written, object.is_taken_back) = (true, stand.taken_back);
        }
        for telling in &leaving.tellings {
            let channels = fleet.channels_of(&telling.environment);
            assert!(channels.iter().all(|channel| channel.language == Language::Ja));
            if channels.is_empty() || self.channel_is_dead {
                continue;
            }
            let id = telling.notice.id();
            let mark = Mark::new(id.origin.as_str());
            if self.accepted.insert((mark, id.kind), self.world.now).is_none() {
                let message = telling.notice.message(Language::En, self.world.now);
                self.heard.push(message.title().to_owned());
            }
        }
        for proposal in &leaving.proposals {
            let mark = Mark::new(format!("uid-{}", self.objects.len()));
            let status = Status::proposed(self.world.now);
            self.objects.push(Object {
                key: proposal.key.clone(),
                place: proposal.place.clone(),
                name: None,
                retirement: Retirement { mark, spec: proposal.spec.clone(), status },
                is_written: false,
                is_taken_back: false,
            });
        }
        self.objects.retain(|object| !leaving.over.contains(&object.key));
    }

    /// Passes until nothing changes any more.
    fn rest(&mut self) {
        for _ in 0..8 {
            self.pass();
            self.world.minutes(2);
        }
    }

    /// `jp1-batch-1 Waiting`, by name and attempt.
    fn states(&self) -> Vec<String> {
        let name =
            |id: &HostId| self.world.machines.iter().find(|(_, m)| m.instance.id == *id).unwrap().0.clone();
        let mut states: Vec<String> = (self.objects.iter())
            .map(|object| {
                let state = object.retirement.status.state.name();
                format!("{} {state}", name(&object.retirement.spec.incarnation.host))
            })
            .collect();
        states.sort();
        states
    }
}

/// Whether somebody protected a host from termination.
fn protect(world: &mut World, name: &str, is_protected: bool) {
    let id = world.id(name);
    world.things.protections.insert(id, Some(is_protected));
}

fn refused(leaving: &Leaving) -> Vec<(HostId, Vec<Guard>)> {
    let guards = |blocked: &rollcall_engine::retirement::Blocked| {
        blocked.refusals.iter().map(|refusal| refusal.guard).collect()
    };
    leaving.blocked.iter().map(|blocked| (blocked.host.clone(), guards(blocked))).collect()
}

#[test]
fn an_unused_host_is_proposed_its_people_are_told_and_have_until_a_date_in_business_days() {
    let mut office = Office::new(&["jp1-batch-1", "jp1-batch-2", "jp1-batch-3"], &["jp1-batch-1"]);
    office.rest();
    assert_eq!(office.states(), ["jp1-batch-1 Waiting"]);
    let object = &office.objects[0];
    assert_eq!(object.key.to_string(), format!("backlog/{}-1", office.world.id("jp1-batch-1")));
    // Told on Monday at 18:00 in Tokyo; Wednesday is a holiday, and three business days later it is Friday.
    let due = object.retirement.status.due.unwrap();
    let told = object.retirement.status.conditions.notified.unwrap();
    assert_eq!(due.duration_since(told).as_hours(), 4 * 24);
    assert_eq!(office.heard, ["jp1-batch-1 (i-0001) looks unused: keep it or give it up by Fri 2026-11-27"]);
    // Days pass, and nothing more happens by itself.
    office.world.hours(24 * 9);
    office.rest();
    assert_eq!(office.states(), ["jp1-batch-1 Waiting"]);
    assert_eq!(office.heard.len(), 1, "and nobody is told twice");
}

#[test]
fn what_was_seen_is_written_down_when_it_is_proposed() {
    let mut office = Office::new(&["jp1-batch-1", "jp1-batch-2"], &["jp1-batch-1"]);
    office.pass();
    let leaving = office.pass();
    let Some(Evidence::Idle { first, last, signals, .. }) = &leaving.stands[0].evidence else {
        panic!("{leaving:?}")
    };
    assert_eq!((first.to_string(), last.to_string()), ("2026-10-19".into(), "2026-11-22".into()));
    let signals: Vec<_> = signals.iter().map(|seen| format!("{}: {}", seen.signal, seen.most)).collect();
    assert_eq!(signals, ["CPU below 5 %: 1.2 %", "network below 5 MB a day: 0.4 MB"]);
    assert_eq!(leaving.tellings.len(), 1);
    let message = leaving.tellings[0].notice.message(Language::En, office.world.now);
    let text = message.lines().join("\n");
    let no =
        "kubectl patch rcretire -n backlog i-0001-1 --type=merge -p '{\"spec\":{\"decision\":\"Cancel\"}}'";
    for part in ["nothing by itself", no, "Key=rollcall.dev/keep,Value=2027-02-21"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("aws ec2 start-instances") && !text.contains("approve"), "{text}");
}

#[test]
fn without_a_channel_that_accepts_no_time_begins_to_run() {
    let mut office = Office::new(&["jp1-batch-1", "jp1-batch-2"], &["jp1-batch-1"]);
    office.channel_is_dead = true;
    office.rest();
    office.world.hours(24 * 30);
    office.rest();
    assert_eq!(office.states(), ["jp1-batch-1 Proposed"]);
    assert_eq!(office.objects[0].retirement.status.due, None);
    office.channel_is_dead = false;
    office.rest();
    assert_eq!(office.states(), ["jp1-batch-1 Waiting"]);
}

#[test]
fn each_word_and_each_sign_of_use_ends_it_and_whoever_was_told_is_told() {
    type Deed = fn(&mut Office);
    let deeds: [(&str, Guard, Deed); 9] = [
        ("it works again", Guard::Idle, |office| {
            let life = Life { is_quiet: true, but: vec![day("2026-11-23")], ..Life::default() };
            office.world.lives.of.insert("jp1-batch-1".into(), life);
            office.world.hours(24);
        }),
        ("somebody starts it anew", Guard::SameRun, |office| {
            let now = office.world.now;
            office.world.machine("jp1-batch-1").launch_time = now;
        }),
        ("its owner keeps it by a tag", Guard::Keep, |office| {
            let host = office.world.machine("jp1-batch-1");
            let tags = host.tags.iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
            host.tags = tags.chain([("rollcall.dev/keep".to_owned(), "2027-03-31".to_owned())]).collect();
        }),
        ("its owner keeps it by an exemption", Guard::Keep, |office| {
            let host = office.world.id("jp1-batch-1");
            office.world.apply(&format!(
                "
apiVersion: rollcall.dev/v1alpha1
kind: Exemption
metadata: {{name: keep, namespace: backlog}}
spec: {{type: Accepted, match: {{code: RC0401}}, hosts: [{host}], reason: month end, approver: kana, expires: \"2027-03-31\"}}
"
            ));
        }),
        ("somebody says no", Guard::Decision, |office| {
            office.objects[0].retirement.spec.decision = Decision::Cancel;
        }),
        ("a role says never", Guard::Allowed, |office| {
            for role in &mut office.world.desired.roles {
                role.spec.retirement = Some(rollcall_crds::v1alpha1::RetirementConsent::Never);
            }
        }),
        ("the environment only flags", Guard::Enforced, |office| {
            for environment in &mut office.world.desired.environments {
                let lean = environment.spec.lean.as_mut().unwrap();
                lean.enforcement = rollcall_crds::v1alpha1::LeanEnforcement::Flag;
            }
        }),
        ("its account's grant lets hosts only be pointed at", Guard::Granted, |office| {
            for grant in &mut office.world.desired.accounts[0].spec.grants {
                grant.max_enforcement = rollcall_crds::v1alpha1::LeanEnforcement::Flag;
            }
        }),
        ("the rule is another one", Guard::Rule, |office| {
            office.world.desired.policies[0].spec.idle.window_days = 36;
        }),
    ];
    for (what, guard, deed) in deeds {
        let mut office = Office::new(&["jp1-batch-1", "jp1-batch-2"], &["jp1-batch-1"]);
        office.rest();
        assert_eq!(office.states(), ["jp1-batch-1 Waiting"], "{what}");
        deed(&mut office);
        office.rest();
        let state = office.objects[0].retirement.status.state;
        let ended = matches!(state, State::Cancelled(rollcall_engine::retirement::Reason::Refused(by)) if by == guard);
        assert!(ended, "{what}: {state:?}");
        assert_eq!(office.objects.len(), 1, "{what}: and it is not proposed again at once");
        let stays = office.heard.iter().filter(|title| title.contains("jp1-batch-1 (i-0001) stays")).count();
        assert_eq!(stays, 1, "{what}: {:?}", office.heard);
        assert!(office.objects[0].is_taken_back, "{what}");
    }
}

/// Nothing is stopped yet, whatever an environment asks for and an account grants; what speaks against it is told.
#[test]
fn who_asks_for_more_waits_for_approval_and_is_told_why_nothing_goes_further() {
    use rollcall_crds::v1alpha1::{LeanEnforcement, RetireIdentity};
    use rollcall_engine::fleet::StopsNone;
    let mut office = Office::new(&["jp1-batch-1", "jp1-batch-2"], &["jp1-batch-1"]);
    let lean = |office: &mut Office, enforcement| {
        let lean = office.world.desired.environments[0].spec.lean.as_mut().unwrap();
        lean.enforcement = enforcement;
    };
    let why = |office: &mut Office| {
        let roll = office.world.pass();
        let of = roll.environments.values().next().unwrap().stops_none;
        (of, roll.accounts.values().next().unwrap().stops_none)
    };
    assert_eq!(why(&mut office), (None, Some(StopsNone::NotGranted)), "an environment that does not ask");
    lean(&mut office, LeanEnforcement::Retire);
    assert_eq!(why(&mut office).0, Some(StopsNone::NotGranted));
    office.world.desired.accounts[0].spec.grants[0].max_enforcement = LeanEnforcement::Retire;
    assert_eq!(why(&mut office), (Some(StopsNone::NoRetireIdentity), Some(StopsNone::NoRetireIdentity)));
    let role_arn = "arn:aws:iam::123456789012:role/rollcall-retire".to_owned();
    office.world.desired.accounts[0].spec.retire = Some(RetireIdentity { role_arn });
    assert_eq!(why(&mut office), (Some(StopsNone::ThisVersion), Some(StopsNone::ThisVersion)));

    office.rest();
    assert_eq!(office.objects[0].retirement.spec.approvals_needed, 2);
    let message = |office: &mut Office| office.pass().stands[0].message.clone();
    assert!(
        message(&mut office).starts_with("its owner decides until 2026-11-2"),
        "{}",
        message(&mut office)
    );
    // A month later it still waits, and says for what.
    for _ in 0..30 {
        office.world.hours(24);
        office.rest();
    }
    assert_eq!(office.states(), ["jp1-batch-1 Waiting"]);
    assert_eq!(
        message(&mut office),
        "its owner's time is over; 2 approvals are needed, and none counts while Rollcall's admission policy is not in force; \
         nothing is done to it"
    );
    assert_eq!(office.heard.len(), 1, "and it is told once: {:?}", office.heard);

    // One that was proposed while its environment only told owners needs none.
    let mut told = Office::new(&["jp1-batch-1", "jp1-batch-2"], &["jp1-batch-1"]);
    told.rest();
    assert_eq!(told.objects[0].retirement.spec.approvals_needed, 0);
    assert_eq!(told.pass().stands[0].approvals, 0);
    // From then on it needs them, whatever was asked when it was written; and none again when its environment goes back.
    lean(&mut told, LeanEnforcement::Retire);
    for _ in 0..30 {
        told.world.hours(24);
        told.rest();
    }
    assert_eq!(told.states(), ["jp1-batch-1 Waiting"]);
    let waits = "its owner's time is over; 2 approvals are needed";
    assert!(message(&mut told).starts_with(waits), "{}", message(&mut told));
    assert_eq!(told.pass().stands[0].approvals, 2);
    lean(&mut told, LeanEnforcement::Notify);
    assert!(message(&mut told).starts_with("its owner decides until"), "{}", message(&mut told));
    assert_eq!(told.pass().stands[0].approvals, 0);
}

/// Business days by clocks that nobody knows are nobody's: its owner's time begins to run when they are known.
#[test]
fn nothing_is_due_by_a_time_zone_that_does_not_exist() {
    let mut office = Office::new(&["jp1-batch-1", "jp1-batch-2"], &["jp1-batch-1"]);
    let zone = |office: &mut Office, name: &str| {
        office.world.desired.environments[0].spec.time_zone = Some(name.to_owned());
    };
    zone(&mut office, "Asia/Tokio");
    office.rest();
    assert_eq!(office.states(), ["jp1-batch-1 Proposed"]);
    assert_eq!(office.heard.len(), 0, "nobody can tell until when its owner decides: {:?}", office.heard);
    zone(&mut office, "Asia/Tokyo");
    office.rest();
    assert_eq!(office.states(), ["jp1-batch-1 Waiting"]);
    assert_eq!(office.heard.len(), 1, "{:?}", office.heard);
}

#[test]
fn a_blind_source_neither_proposes_nor_cancels() {
    let mut office = Office::new(&["jp1-batch-1", "jp1-batch-2", "jp1-batch-3"], &["jp1-batch-1"]);
    office.rest();
    office.world.lives.of.insert("jp1-batch-2".into(), Life { is_quiet: true, ..Life::default() });
    for why in [Answer::Fails(FailureKind::Throttled), Answer::Empty] {
        office.world.ec2.insert(PLACE.into(), why);
        office.rest();
        assert_eq!(office.states(), ["jp1-batch-1 Waiting"]);
    }
    office.world.ec2.clear();
    office.world.lives.fails = Some(FailureKind::Denied);
    office.world.hours(24);
    office.rest();
    assert_eq!(office.states(), ["jp1-batch-1 Waiting"]);
}

#[test]
fn some_of_each_duty_stay_and_whoever_may_not_be_proposed_is_told_with_the_reason() {
    let all = ["jp1-batch-1", "jp1-batch-2", "jp1-batch-3", "jp1-app-1"];
    let mut office = Office::new(&all, &["jp1-batch-1", "jp1-batch-2", "jp1-batch-3", "jp1-app-1"]);
    protect(&mut office.world, "jp1-batch-1", true);
    let leaving = office.pass();
    let id = |name: &str| office.world.id(name);
    // Of three batch hosts one is protected, and of the others one goes: the protected one stays, and it alone must.
    let proposed: Vec<_> = leaving.proposals.iter().map(|p| p.spec.incarnation.host.clone()).collect();
    assert_eq!(proposed, [id("jp1-batch-2"), id("jp1-batch-3")]);
    assert_eq!(
        refused(&leaving),
        [(id("jp1-batch-1"), vec![Guard::Protected]), (id("jp1-app-1"), vec![Guard::LastOfDuty])]
    );
    let told = leaving.blocked.last().unwrap().refusals[0].to_string();
    assert_eq!(told, "it is among the last of its duty in its zone (LastOfDuty)");
}

#[test]
fn a_host_that_somebody_stopped_long_ago_is_proposed_as_such_and_ends_when_it_is_started() {
    let mut office = Office::new(&["jp1-batch-1", "jp1-batch-2"], &[]);
    protect(&mut office.world, "jp1-batch-1", false);
    office.world.machine("jp1-batch-1").state = PowerState::Stopped;
    office.pass();
    office.world.hours(24 * 31);
    office.rest();
    assert_eq!(office.states(), ["jp1-batch-1 Waiting"]);
    assert_eq!(office.objects[0].retirement.spec.path, Path::LongStopped);
    assert!(
        office.heard[0].starts_with("jp1-batch-1 (i-0001) has long been stopped: keep it or give it up by")
    );
    let now = office.world.now;
    let host = office.world.machine("jp1-batch-1");
    (host.state, host.launch_time) = (PowerState::Running, now);
    office.rest();
    assert_eq!(office.states(), ["jp1-batch-1 Cancelled"]);
}

/// Whoever keeps a host keeps it, whatever it is found to be next.
#[test]
fn a_kept_host_that_is_stopped_is_not_proposed_as_long_stopped() {
    let mut office = Office::new(&["jp1-batch-1", "jp1-batch-2"], &["jp1-batch-1"]);
    let host = office.world.id("jp1-batch-1");
    let keep = |expires: &str| {
        format!(
            "
apiVersion: rollcall.dev/v1alpha1
kind: Exemption
metadata: {{name: keep, namespace: backlog}}
spec: {{type: Accepted, match: {{code: RC0401}}, hosts: [{host}], reason: closing, approver: kana, expires: \"{expires}\"}}
"
        )
    };
    office.world.apply(&keep("2027-03-31"));
    office.rest();
    assert!(office.objects.is_empty(), "{:?}", office.states());
    office.world.machine("jp1-batch-1").state = PowerState::Stopped;
    office.world.machine("jp1-batch-1").state_reason =
        Some("User initiated (2026-11-24 00:00:00 GMT)".into());
    for _ in 0..40 {
        office.world.hours(24);
        office.rest();
    }
    assert!(office.objects.is_empty(), "{:?}", office.states());
    let roll = office.world.pass();
    assert!(roll.findings.iter().any(|f| f.code.as_str() == "RC0402"), "it is told, and nobody is asked");
    for exemption in &mut office.world.desired.exemptions {
        exemption.spec.expires = "2026-12-31".to_owned();
    }
    office.rest();
    assert_eq!(office.objects.len(), 1, "its last day is over");
}

#[test]
fn an_environment_that_is_deleted_ends_it_and_one_that_is_not_understood_only_holds_it() {
    let mut office = Office::new(&["jp1-batch-1", "jp1-batch-2"], &["jp1-batch-1"]);
    office.rest();
    let lean = |office: &mut Office, policy: &str| {
        let lean = office.world.desired.environments[0].spec.lean.as_mut().unwrap();
        lean.policy = Some(policy.to_owned());
    };
    lean(&mut office, "missing");
    office.rest();
    assert_eq!(office.states(), ["jp1-batch-1 Waiting"], "which rule holds is not known");
    lean(&mut office, "standard");
    office.world.desired.environments.clear();
    office.rest();
    assert_eq!(office.states(), ["jp1-batch-1 Cancelled"]);
}

#[test]
fn people_are_not_flooded_on_one_day() {
    let names: Vec<String> = (1..=40).map(|number| format!("jp1-batch-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut office = Office::new(&names, &names[..30]);
    office.rest();
    assert_eq!(office.states().len(), leaving::MAX_A_DAY);
    office.world.hours(24);
    office.rest();
    assert_eq!(office.states().len(), 30);
}

#[test]
fn what_ended_long_ago_goes_and_a_no_lasts_for_a_month() {
    let mut office = Office::new(&["jp1-batch-1", "jp1-batch-2"], &["jp1-batch-1"]);
    office.rest();
    office.objects[0].retirement.spec.decision = Decision::Cancel;
    office.rest();
    office.world.hours(24 * 29);
    office.rest();
    assert_eq!(office.states(), ["jp1-batch-1 Cancelled"]);
    office.world.hours(24 * 2);
    office.rest();
    assert_eq!(office.states(), ["jp1-batch-1 Cancelled", "jp1-batch-1 Waiting"]);
    assert!(office.objects[1].key.name.ends_with("-2"));
    office.world.hours(24 * 60);
    office.rest();
    assert_eq!(office.states(), ["jp1-batch-1 Waiting"], "after 90 days the first one is gone");
}
