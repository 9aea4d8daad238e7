//! From a roll call to retirements: who is proposed, what becomes of those that stand, and what their people are told.
//!
//! It decides with the guards and the step of [`crate::retirement`], on what a pass knows. Whoever runs it has no identity that may
//! act: nothing comes out of here but objects of our own and notices. It must never make a call.

mod departure;
mod evidence;
mod live;
mod object;
mod tell;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rollcall_crds::v1alpha1::HostState;

use crate::calendar::BusinessDays;
use crate::fleet::Fleet;
use crate::ids::{HostId, Mark, ObjectKey, Place};
use crate::memory::Memory;
use crate::notice;
use crate::retirement::{
    Blocked, Case, Event, FinalAct, Guard, Guards, Incarnation, Moment, Path, Reach, Reason, Refusal,
    Request, Retirement, Spec, State, Status, Step, Stop, StoppedBy, step,
};
use crate::rollcall::{HostRoll, RollCall};
use crate::snapshot::Snapshot;

pub use departure::Departure;
pub use evidence::{Evidence, SignalPeak};
pub use object::{NOTIFIED, NotUnderstood, Object, STALLED, TAKEN_BACK};

use live::Scene;

/// No environment has more of them begun on one day: a rule that finds a thousand is read by people before they all hear of it.
pub const MAX_A_DAY: usize = 20;

/// How long a day is here.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How long what has ended stays to be looked at.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// No host keeps more of them; the oldest go first.
const KEPT_PER_HOST: usize = 5;

/// A host whose retirement was cancelled is left alone for so long, so that nobody is told of it every hour.
const PAUSE: SignedDuration = DAY;

/// And for so long when a person said so.
const SAID_NO: SignedDuration = SignedDuration::from_hours(30 * 24);

/// For so long after its end people are told that a retirement is cancelled; the outbox knows who was.
const TOLD_WITHIN: SignedDuration = DAY;

/// What one pass knows.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// Desired state.
    pub fleet: &'a Fleet,
    /// All readings.
    pub snapshot: &'a Snapshot,
    /// Memory as the roll call left it.
    pub memory: &'a Memory,
    /// What it decided.
    pub roll: &'a RollCall,
    /// World time.
    pub now: Timestamp,
}

/// One retirement, and what its channels have accepted.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The object.
    pub object: &'a Object,
    /// When the first of them accepted [`notice::Kind::Proposed`].
    pub accepted: Option<Timestamp>,
    /// One of them accepted [`notice::Kind::Cancelled`].
    pub taken_back: bool,
    /// The proposal was taken back before anybody accepted it, and may have been read all the same.
    pub heard: bool,
}

/// A retirement to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Its name.
    pub key: ObjectKey,
    /// Where its host is.
    pub place: Place,
    /// What it will say.
    pub spec: Spec,
}

/// How a retirement stands after this pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Stand {
    /// Which.
    pub key: ObjectKey,
    /// Its status.
    pub status: Status,
    /// Its host as people call it.
    pub name: Option<String>,
    /// In one sentence, for people: what it waits for, or why it ended.
    pub message: String,
    /// What was seen, where that is known now. What was written at first stays.
    pub evidence: Option<Evidence>,
    /// Whoever was told of it was told that it stays.
    pub taken_back: bool,
    /// How many people must approve a stop, as its environment asks now; 0 where no stop is asked for.
    pub approvals: usize,
}

/// What people of an environment are to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Telling {
    /// Whose channels.
    pub environment: ObjectKey,
    /// What.
    pub notice: notice::Notice,
}

/// What a pass makes of all retirements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Leaving {
    /// New ones, by host.
    pub proposals: Vec<Proposal>,
    /// Those that stand, by name.
    pub stands: Vec<Stand>,
    /// News, each to be told once.
    pub tellings: Vec<Telling>,
    /// Hosts that look unused and are not proposed, each with what speaks against it.
    pub blocked: Vec<Blocked>,
    /// Those that ended long ago: their objects go.
    pub over: Vec<ObjectKey>,
}

/// Looks at every host that is on its way, and at every one that could be. `strange` are hosts with an object that nobody here can
/// understand: they are left alone.
#[must_use]
pub fn look(pass: Pass<'_>, standing: &[Standing<'_>], strange: &BTreeSet<HostId>) -> Leaving {
    if standing.is_empty() && !pass.fleet.tells_owners() {
        return Leaving::default();
    }
    let scene = Scene::new(pass);
    let mut begun = begun_today(standing, pass.now);
    let mut leaving = Leaving { over: over(standing, pass.now), ..Leaving::default() };
    let mut on_their_way: BTreeSet<HostId> =
        standing.iter().filter(|one| !one.is_over()).map(|one| one.host().clone()).collect();
    on_their_way.extend(strange.iter().cloned());
    for one in standing {
        stand(pass, &scene, one, &on_their_way, &mut leaving);
    }
    let rests = resting(standing, pass.now);
    for (id, host) in &pass.roll.hosts {
        if on_their_way.contains(id) || rests.contains(id) {
            continue;
        }
        let Some(retirement) = candidate(pass, &scene, id, host) else { continue };
        let Spec { environment, duty, .. } = &retirement.spec;
        let live = scene.live(id, environment, duty, &on_their_way);
        let case = Case { moment: Moment::Telling, act: retirement.next_act() };
        let refusals = Guards::all().refusals(&retirement, &live, case);
        if !refusals.is_empty() {
            leaving.blocked.push(Blocked { host: id.clone(), refusals });
            continue;
        }
        let today = begun.entry(environment.clone()).or_default();
        if *today >= MAX_A_DAY {
            continue;
        }
        *today += 1;
        on_their_way.insert(id.clone());
        let key = next_name(environment, id, standing);
        leaving.proposals.push(Proposal { key, place: host.place.clone(), spec: retirement.spec });
    }
    leaving
}

/// What would speak against beginning with a host now, as far as can be told without its Retirement and those of others: every guard that
/// is asked then, in the table's order, those among them that need what nobody has read; none for a host that is no candidate. For people
/// to read.
#[must_use]
pub fn against_a_stop(pass: Pass<'_>, id: &HostId) -> Option<Vec<Refusal>> {
    let (host, scene) = (pass.roll.hosts.get(id)?, Scene::new(pass));
    let mut retirement = candidate(pass, &scene, id, host)?;
    let lean = scene.environment(&retirement.spec.environment)?.lean.as_ref()?;
    retirement.spec.final_act = lean.terms.final_act;
    let Spec { environment, duty, .. } = &retirement.spec;
    let live = scene.live(id, environment, duty, &BTreeSet::new());
    let case = Case { moment: Moment::Beginning, act: retirement.next_act() };
    Some(Guards::all().refusals(&retirement, &live, case))
}

impl Standing<'_> {
    fn host(&self) -> &HostId {
        &self.object.retirement.spec.incarnation.host
    }

    fn is_over(&self) -> bool {
        self.object.retirement.status.state.is_over()
    }
}

/// How many of each environment were begun, or began to wait, within a day.
fn begun_today(standing: &[Standing<'_>], now: Timestamp) -> BTreeMap<ObjectKey, usize> {
    let mut begun = BTreeMap::new();
    for one in standing.iter().filter(|one| !one.is_over()) {
        let Retirement { spec, status, .. } = &one.object.retirement;
        let is_fresh = status.state == State::Proposed || now.duration_since(status.since) < DAY;
        *begun.entry(spec.environment.clone()).or_default() += usize::from(is_fresh);
    }
    begun
}

/// One step of one retirement.
fn stand(
    pass: Pass<'_>,
    scene: &Scene<'_>,
    one: &Standing<'_>,
    others: &BTreeSet<HostId>,
    out: &mut Leaving,
) {
    let object = one.object;
    if one.is_over() {
        return ended(pass, scene, one, out);
    }
    let mut retirement = object.retirement.clone();
    let spec = &object.retirement.spec;
    let host = pass.roll.hosts.get(&spec.incarnation.host);
    if let Some(host) = host.filter(|_| !object.is_written) {
        retirement.status = at_first(spec, host, retirement.status, pass.now);
    }
    let retirement = &retirement;
    let live = scene.live(&spec.incarnation.host, &spec.environment, &spec.duty, others);
    let step = match accepted(scene, one) {
        Some((at, due)) => {
            step(retirement, &Event::Accepted { notice: crate::retirement::Notice::Proposed, at, due })
        }
        None => step(retirement, &Event::Looked { live: &live, chosen: false }),
    };
    let mut refusals = Vec::new();
    let mut status = retirement.status.clone();
    match step {
        Step::Write(next) => status = *next,
        Step::Wait(held) => refusals = held,
        Step::Call(Request::Notify(_)) => out.tellings.extend(tell::proposed(pass, scene, object)),
        // No environment reaches further than telling people, so nothing else is ever asked.
        Step::Arm(_) | Step::Call(_) => {}
    }
    let approvals = approvals(scene, spec);
    let message = tell::message(scene, retirement, &status, &refusals, approvals);
    let name = host.and_then(|host| host.name.as_deref().map(str::to_owned)).or_else(|| object.name.clone());
    let evidence = evidence::of(pass, scene, retirement);
    let key = object.key.clone();
    out.stands.push(Stand { key, status, name, message, evidence, taken_back: false, approvals });
}

/// How many people must approve: never fewer than when it was written, where its environment asks for a stop. What it asks is what
/// was written while it is not understood.
fn approvals(scene: &Scene<'_>, spec: &Spec) -> usize {
    let environment = scene.environment(&spec.environment).filter(|environment| !environment.lean_doubted);
    let Some(environment) = environment else { return spec.approvals_needed };
    match environment.lean.as_ref().filter(|lean| lean.reach == Some(Reach::Retire)) {
        Some(lean) => lean.terms.approvals.max(spec.approvals_needed),
        None => 0,
    }
}

/// What has ended changes no more; but whoever was told of it is told that the host stays.
fn ended(pass: Pass<'_>, scene: &Scene<'_>, one: &Standing<'_>, out: &mut Leaving) {
    let object = one.object;
    let Retirement { status, .. } = &object.retirement;
    let Some(telling) = tell::cancelled(pass, scene, one) else { return };
    if !one.taken_back {
        return out.tellings.push(telling);
    }
    out.stands.push(Stand {
        key: object.key.clone(),
        status: status.clone(),
        name: object.name.clone(),
        message: tell::message(scene, &object.retirement, status, &[], 0),
        evidence: None,
        taken_back: true,
        approvals: 0,
    });
}

/// When the notice was accepted, and until when its owner may decide, in business days of its environment.
fn accepted(scene: &Scene<'_>, one: &Standing<'_>) -> Option<(Timestamp, Timestamp)> {
    let Retirement { spec, status, .. } = &one.object.retirement;
    let at = one.accepted.filter(|_| status.state == State::Proposed)?;
    Some((at, due(scene, &spec.environment, at)?))
}

/// When a notice has run that is accepted at `from`.
fn due(scene: &Scene<'_>, environment: &ObjectKey, from: Timestamp) -> Option<Timestamp> {
    let environment = scene.environment(environment)?;
    let lean = environment.lean.as_ref()?;
    // There are windows wherever the time zone is understood; nothing is due by clocks that nobody knows.
    lean.windows.as_ref()?;
    let terms = &lean.terms;
    BusinessDays::new(environment.zone.clone(), terms.holidays.clone()).after(from, terms.grace)
}

/// The retirement of a host that looks unused or was long stopped, as it would be written.
fn candidate(pass: Pass<'_>, scene: &Scene<'_>, id: &HostId, host: &HostRoll) -> Option<Retirement> {
    let key = host.environment.as_ref()?;
    let lean = scene.environment(key)?.lean.as_ref().filter(|lean| lean.tells())?;
    let path = match host.state {
        HostState::Unused if host.cluster.is_some() => Path::Reader,
        HostState::Unused => Path::Stop,
        HostState::Stopped if scene.is_long_stopped(id) => Path::LongStopped,
        _ => return None,
    };
    let spec = Spec {
        incarnation: Incarnation { host: id.clone(), created: host.launch_time.filter(|_| id.is_database()) },
        account: host.place.account.clone(),
        environment: key.clone(),
        duty: host.duties.first().cloned()?,
        policy_hash: lean.rule.hash().to_string().into(),
        path,
        final_act: FinalAct::Stop,
        approvals_needed: if lean.reach == Some(Reach::Retire) { lean.terms.approvals } else { 0 },
        approvals: BTreeSet::new(),
        decision: crate::retirement::Decision::Proceed,
    };
    let status = at_first(&spec, host, Status::proposed(pass.now), pass.now);
    Some(Retirement { mark: Mark::new(""), spec, status })
}

/// A first status, with what tells this run of the host, or this stop, from another one.
fn at_first(spec: &Spec, host: &HostRoll, mut status: Status, now: Timestamp) -> Status {
    status.run = host.launch_time.filter(|_| !spec.incarnation.host.is_database());
    if spec.path == Path::LongStopped {
        status.stop = Some(Stop { at: now, run: status.run, by: StoppedBy::Somebody });
    }
    status
}

/// Hosts that are left alone for a while, because their last retirement was cancelled.
fn resting(standing: &[Standing<'_>], now: Timestamp) -> BTreeSet<HostId> {
    let rests = |one: &&Standing<'_>| {
        let status = &one.object.retirement.status;
        let pause = match status.state {
            State::Cancelled(Reason::Refused(Guard::Decision)) => SAID_NO,
            State::Cancelled(_) => PAUSE,
            _ => return false,
        };
        now.duration_since(status.since) < pause
    };
    standing.iter().filter(rests).map(|one| one.host().clone()).collect()
}

/// Those that ended long ago, or of whose host there are too many.
fn over(standing: &[Standing<'_>], now: Timestamp) -> Vec<ObjectKey> {
    let mut by_host: BTreeMap<&HostId, Vec<&Standing<'_>>> = BTreeMap::new();
    for one in standing.iter().filter(|one| one.is_over()) {
        by_host.entry(one.host()).or_default().push(one);
    }
    let mut over = Vec::new();
    for ended in by_host.values_mut() {
        ended.sort_by_key(|one| std::cmp::Reverse((one.object.retirement.status.since, &one.object.key)));
        let old = |one: &Standing<'_>| now.duration_since(one.object.retirement.status.since) >= KEPT;
        let goes = ended.iter().enumerate().filter(|(n, one)| *n >= KEPT_PER_HOST || old(one));
        over.extend(goes.map(|(_, one)| one.object.key.clone()));
    }
    over.sort();
    over
}

/// `<host>-<attempt>`: one more than any that stands.
fn next_name(environment: &ObjectKey, host: &HostId, standing: &[Standing<'_>]) -> ObjectKey {
    let attempts = standing.iter().filter(|one| one.host() == host).filter_map(|one| {
        let (_, attempt) = one.object.key.name.rsplit_once('-')?;
        attempt.parse::<u32>().ok()
    });
    let attempt = attempts.max().unwrap_or(0).saturating_add(1);
    ObjectKey::new(&*environment.namespace, format!("{host}-{attempt}"))
}
