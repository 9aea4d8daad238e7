//! What is required of environments themselves: one row each, judged without any host of ours.
//!
//! What a monitor asks from outside, and a check of a host in the monitoring system that need be none of ours, such as a
//! web site. Nothing here looks at an inventory: a blind one takes nothing away.

use std::sync::Arc;

use super::assertions;
use super::excess::bare;
use super::exemptions::{About, Exemptions};
use super::found::{Found, Owner};
use super::host_findings::{Note, code};
use super::monitors::judge;
use super::names::Told;
use super::phrases::Phrases;
use super::plan::{LookAt, MonitorLook};
use super::reach;
use super::reasons::{NOT_JUDGED, Reasons};
use super::registries::{Names, Registered, SystemView};
use super::scene::Scene;
use super::stand::{Stage, Stand};
use super::standing::Post;
use super::tallies::Tallies;
use super::verdict::{
    Because, Lack, Lacking, Verdict, enough, verdict_of, verdict_on_check, verdict_on_reach,
};
use super::{Coverage, Requirement, remedy};
use crate::finding::{Code, Excuse, Finding, Subject};
use crate::fleet::{CheckDemand, Demand, Entry, Environment, EnvironmentWay, Look, Wish};
use crate::ids::CheckName;
use crate::reading::{Failure, FailureKind};
use crate::text::clean;

/// What rows of environments are written to.
pub(super) struct Books<'b, 'a> {
    pub(super) tallies: &'b mut Tallies,
    pub(super) exemptions: &'b mut Exemptions<'a>,
    pub(super) reasons: &'b mut Reasons,
    pub(super) phrases: &'b mut Phrases,
    pub(super) found: &'b mut Vec<Found>,
}

/// Judges the rows of every environment itself.
pub(super) fn look(scene: &Scene<'_, '_>, books: &mut Books<'_, '_>) {
    for (number, environment) in scene.pass.fleet.environments.iter().enumerate() {
        for (row, entry) in environment.ledger.iter().enumerate() {
            let Demand::Environment(demand) = &entry.demand else { continue };
            if let (Some(wish), None) = (&demand.wish, &demand.fault) {
                let coverage = asserted(scene, number, entry, wish, books);
                books.tallies.environment(number, row, coverage);
                continue;
            }
            let coverage = match judge_one(scene, row, demand, books.reasons) {
                Ok(coverage) => coverage,
                Err(lacking) if lacking.because == Because::Check(Stand::Off) => {
                    if entry.is_enforced(scene.pass.now) {
                        books.tallies.off(number, lacking.system, entry.severity);
                    }
                    lacking.lack.coverage()
                }
                Err(lacking) => {
                    let finding = finding(scene, environment, entry, demand, &lacking, books.phrases);
                    tell(scene, number, entry, lacking.lack.coverage(), finding, books)
                }
            };
            books.tallies.environment(number, row, coverage);
        }
    }
}

/// What a check asserts of something that belongs to the environment.
fn asserted(
    scene: &Scene<'_, '_>,
    number: usize,
    entry: &Entry,
    wish: &Wish,
    books: &mut Books<'_, '_>,
) -> Coverage {
    let Some(environment) = scene.pass.fleet.environments.get(number) else {
        return Coverage::Unknown(NOT_JUDGED);
    };
    let what = match assertions::of_environment(scene, number, environment, wish, books.reasons) {
        Ok(coverage) => return coverage,
        Err(what) => what,
    };
    let Requirement::Check(key) = &entry.requirement else { return Coverage::Failed };
    let check = scene.pass.fleet.checks.get(key);
    let fix = check.and_then(|check| check.fix.as_deref());
    let fix = fix.map_or_else(|| remedy::set_right(&remedy::look_at(wish), key), str::to_owned);
    let mut note = Note::new(Code::AssertionFailed, entry.severity, what, fix);
    note.check = Some(key.clone());
    let of = &environment.key;
    let finding = bare(scene.pass, books.phrases, Subject::Itself, &of.name, Some(of.clone()), note);
    tell(scene, number, entry, Coverage::Failed, Some(finding), books)
}

fn judge_one(
    scene: &Scene<'_, '_>,
    row: usize,
    demand: &CheckDemand,
    reasons: &mut Reasons,
) -> Result<Coverage, Lacking> {
    if let Some(fault) = &demand.fault {
        return Ok(Coverage::Unknown(reasons.number(fault)));
    }
    let ways = demand.ways.iter().enumerate();
    let ways = ways.map(|(number, way)| match way {
        EnvironmentWay { system: Ok(system), look: Ok(look), .. } => {
            (Some((*system, number)), verdict(scene, *system, look, way.notifies.as_deref(), reasons))
        }
        EnvironmentWay { system: Err(failure), .. } | EnvironmentWay { look: Err(failure), .. } => {
            (None, Verdict::Unknown(reasons.number(failure)))
        }
    });
    enough(row, demand.at_least, ways)
}

fn verdict(
    scene: &Scene<'_, '_>,
    system: usize,
    look: &Look,
    notifies: Option<&[Arc<str>]>,
    reasons: &mut Reasons,
) -> Verdict {
    let Some(system) = scene.systems.get(system) else { return Verdict::Unknown(NOT_JUDGED) };
    match look {
        Look::External(url) => {
            let look = MonitorLook { at: LookAt::External(url), notifies };
            verdict_of(Some(judge(system, &[], look, reasons)))
        }
        Look::Hosted { host, name } => hosted(scene, system, (host, name), notifies, reasons),
        // A check of an environment never asks for these.
        Look::Check(_) | Look::Metric(..) | Look::Connectivity => Verdict::Unknown(NOT_JUDGED),
    }
}

/// A check of a host that bears this name there. What is seen in a fresh listing is so; what is not seen is not there only
/// when the listing is whole.
fn hosted(
    scene: &Scene<'_, '_>,
    system: &SystemView<'_>,
    (host, name): (&str, &CheckName),
    notifies: Option<&[Arc<str>]>,
    reasons: &mut Reasons,
) -> Verdict {
    let is_whole = system.hosts.proof.is_some();
    if !is_whole && !system.hosts.is_fresh {
        return Verdict::Unknown(system.hosts.reason());
    }
    let mut bearers = system.registered.iter().filter(|one| one.registration.name == host);
    match (bearers.next(), bearers.next()) {
        (None, _) if is_whole => Verdict::Lacks(Lack::Missing, Because::NotRegistered),
        (None, _) => Verdict::Unknown(system.hosts.reason()),
        (Some(one), None) => match on_host(scene, system, one, name, notifies, reasons) {
            // Another one of this name may be hidden, and in order.
            Verdict::Lacks(..) if !is_whole => Verdict::Unknown(system.hosts.reason()),
            verdict => verdict,
        },
        (Some(_), Some(_)) => {
            let message = format!("{}: several hosts bear the name {:?}", system.system.key, clean(host));
            Verdict::Unknown(reasons.number(&Failure::new(FailureKind::Malformed, message)))
        }
    }
}

fn on_host(
    scene: &Scene<'_, '_>,
    system: &SystemView<'_>,
    one: &Registered<'_>,
    name: &CheckName,
    notifies: Option<&[Arc<str>]>,
    reasons: &mut Reasons,
) -> Verdict {
    let post = Post::new(scene.pass, system, one, reasons);
    match post.is_watched {
        Ok(true) => {}
        Ok(false) => return Verdict::Lacks(Lack::Muted, Because::Status),
        Err(reason) => return Verdict::Unknown(reason),
    }
    let (told, others) = match post.names {
        Names::All(told) => (told, None),
        Names::AtLeast(told, reason) => (told, Some(reason)),
    };
    let mut heard_by = None;
    let stand = match told {
        Told::Names(names) => names.contains(name).then_some(Stand::Runs),
        Told::Checks(checks, at) => {
            let stage = Stage::of_services(&system.system.key, at, system.program());
            let check = checks.iter().find(|check| check.name == *name);
            heard_by = check.and_then(|check| check.run.heard_by.as_ref());
            check.map(|check| Stand::of(&check.run, stage, reasons))
        }
    };
    let verdict = verdict_on_check(post.pulse, stand, others);
    let (Verdict::Covered, Some(wanted)) = (&verdict, notifies) else { return verdict };
    let roles = &one.registration.roles;
    verdict_on_reach(reach::of_check(system, heard_by, roles, wanted, reasons), wanted)
}

/// Tells it, unless somebody accepted it or it is only counted yet, and says what the row is then.
fn tell(
    scene: &Scene<'_, '_>,
    number: usize,
    entry: &Entry,
    lacks: Coverage,
    finding: Option<Finding>,
    books: &mut Books<'_, '_>,
) -> Coverage {
    let Some(mut finding) = finding.filter(|_| entry.is_enforced(scene.pass.now)) else {
        return lacks;
    };
    let namespace = finding.environment.as_ref().map(|key| key.namespace.clone()).unwrap_or_default();
    books.exemptions.excuse(&mut finding, About { namespace: &namespace, host: None, plays: &|_| false });
    let coverage = match finding.excuse {
        Excuse::Exempt(_) => Coverage::Exempt,
        Excuse::Baseline(_) => Coverage::Baseline,
        Excuse::None => lacks,
    };
    let key = finding.check.as_ref().map(ToString::to_string).unwrap_or_default();
    books.found.push(Found { owner: Owner::Environment(number), key, namespace, host: None, finding });
    coverage
}

fn finding(
    scene: &Scene<'_, '_>,
    environment: &Environment,
    entry: &Entry,
    demand: &CheckDemand,
    lacking: &Lacking,
    phrases: &mut Phrases,
) -> Option<Finding> {
    let Requirement::Check(key) = &entry.requirement else { return None };
    let check = scene.pass.fleet.checks.get(key)?;
    let system = scene.systems.get(lacking.system)?;
    let look = demand.ways.get(lacking.way?)?.look.as_ref().ok()?;
    let (message, mend) = words(system, lacking, look);
    let fix = check.fix.as_deref().map_or_else(|| remedy::or_delete(&mend, key), str::to_owned);
    let mut note = Note::new(code(lacking.lack), entry.severity, message, fix).of_system(&system.system.key);
    note.check = Some(key.clone());
    let of = &environment.key;
    Some(bare(scene.pass, phrases, Subject::Itself, &of.name, Some(of.clone()), note))
}

/// What is lacking, and what puts it right.
fn words(system: &SystemView<'_>, lacking: &Lacking, look: &Look) -> (String, String) {
    let product = system.system.endpoint.product();
    let name = product.as_str();
    let looked_for = match look {
        Look::External(url) => format!("an external monitor of {}", clean(url.as_str())),
        Look::Hosted { host, name } => format!("check \"{}\" of {}", clean(name.as_str()), clean(host)),
        Look::Check(_) | Look::Metric(..) | Look::Connectivity => String::new(),
    };
    match &lacking.because {
        Because::Check(stand) => {
            (format!("{looked_for} in {name} {}", stand.what()), remedy::mend(*stand).to_owned())
        }
        Because::Itself(Some(why)) if lacking.lack == Lack::Unheard => {
            (format!("{looked_for} in {name}: {why}"), remedy::route(product).to_owned())
        }
        Because::Itself(Some(monitor)) => {
            (format!("monitor {monitor} watches it and is muted"), format!("unmute it in {name}"))
        }
        Because::Status => {
            (format!("the status of its host in {name} switches it off"), format!("set its status in {name}"))
        }
        Because::Silent => (
            format!("the host of {looked_for} sends no data to {name}"),
            "see why nothing comes of it there".to_owned(),
        ),
        Because::NotRegistered | Because::Own(_) | Because::Itself(None) => {
            (format!("expected {looked_for} in {name}, found none"), remedy::add_outside(product, look))
        }
    }
}
