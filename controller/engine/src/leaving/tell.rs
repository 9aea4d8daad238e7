//! What people are told of a retirement: the notice to its owner, and the sentence that stands in the object.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::live::Scene;
use super::{Object, Pass, Standing, TOLD_WITHIN, Telling, due, evidence};
use crate::inventory::Database;
use crate::lean::Use;
use crate::limits::KEEP_FOR;
use crate::notice::{
    About, Cancelled, Command, Evidence, HowItStands, News, Notice, Origin, Peak, Proposed, WhyCancelled,
};
use crate::retirement::{Guard, Path, Reason, Refusal, Retirement, State, Status};
use crate::text::argument;

/// The host looks unused. None while what proves it is not here: then nobody is told, and nothing begins.
pub(super) fn proposed(pass: Pass<'_>, scene: &Scene<'_>, object: &Object) -> Option<Telling> {
    let retirement = &object.retirement;
    let evidence = match retirement.spec.path {
        Path::LongStopped => {
            Evidence::Stopped { since: scene.stopped_since(&retirement.spec.incarnation.host)? }
        }
        Path::Stop | Path::Reader => {
            let (window, peaks) = evidence::peaks(pass, scene, retirement)?;
            Evidence::Idle { window, peaks }
        }
    };
    let until = day(pass.now.checked_add(KEEP_FOR).ok()?);
    let news = News::Proposed(Proposed {
        evidence,
        way: None,
        due: due(scene, &retirement.spec.environment, pass.now)?,
        approvals_needed: 0,
        approve: None,
        keep: keep(object)?,
        keep_by_tag: keep_by_tag(scene, object, &until)?,
        undo: Vec::new(),
        not_restored: Vec::new(),
    });
    telling(pass, scene, object, news)
}

/// It stays after all. Only whoever was told of it before hears of that, and only for a while.
pub(super) fn cancelled(pass: Pass<'_>, scene: &Scene<'_>, one: &Standing<'_>) -> Option<Telling> {
    let object = one.object;
    let status = &object.retirement.status;
    let State::Cancelled(reason) = status.state else { return None };
    let was_told = status.conditions.notified.is_some() || one.heard;
    if !was_told || object.is_taken_back || pass.now.duration_since(status.since) >= TOLD_WITHIN {
        return None;
    }
    let stands =
        if reason == Reason::Refused(Guard::Present) { HowItStands::Gone } else { HowItStands::Untouched };
    telling(pass, scene, object, News::Cancelled(Cancelled { why: why(pass, object, reason), stands }))
}

fn why(pass: Pass<'_>, object: &Object, reason: Reason) -> WhyCancelled {
    let Reason::Refused(guard) = reason else { return WhyCancelled::NotAllowed };
    match guard {
        Guard::Decision => WhyCancelled::ByPerson { user: None },
        Guard::Present | Guard::Incarnation => WhyCancelled::Gone,
        Guard::Keep => WhyCancelled::Kept { until: None },
        Guard::Protected => WhyCancelled::Protected,
        Guard::Idle => WhyCancelled::Used(used(pass, object)),
        Guard::SameRun | Guard::SameStop => WhyCancelled::Started,
        _ => WhyCancelled::NotAllowed,
    }
}

/// The sign of use, if it still shows.
fn used(pass: Pass<'_>, object: &Object) -> Option<Peak> {
    let host = pass.roll.hosts.get(&object.retirement.spec.incarnation.host)?;
    let Some(Use::Active(sign)) = &host.used else { return None };
    Some(Peak { metric: *sign.signal.metrics().first()?, most: f64::from(sign.amount) })
}

fn telling(pass: Pass<'_>, scene: &Scene<'_>, object: &Object, news: News) -> Option<Telling> {
    let Retirement { mark, spec, .. } = &object.retirement;
    let id = &spec.incarnation.host;
    let host = pass.roll.hosts.get(id);
    let size = host.and_then(|host| host.instance_type.clone()).unwrap_or_else(|| Arc::from("-"));
    let name = host.and_then(|host| host.name.clone());
    let name =
        name.or_else(|| object.name.as_deref().map(Arc::from)).unwrap_or_else(|| Arc::from(id.as_str()));
    let about = About {
        host: id.clone(),
        name,
        environment: Arc::clone(&spec.environment.name),
        duties: vec![spec.duty.clone()],
        size,
        place: object.place.clone(),
    };
    let zone = scene.environment(&spec.environment).map_or(TimeZone::UTC, |of| of.zone.clone());
    let notice = Notice { mark: Origin::new(mark.as_str()).ok()?, occurrence: 0, about, zone, news };
    Some(Telling { environment: spec.environment.clone(), notice })
}

/// The command by which whoever may write to the cluster ends it: a no holds for a month.
fn keep(object: &Object) -> Option<Command> {
    let (namespace, name) = (argument(&object.key.namespace), argument(&object.key.name));
    Command::new(&format!(
        "kubectl patch rcretire -n {namespace} {name} --type=merge -p '{{\"spec\":{{\"decision\":\"Cancel\"}}}}'"
    ))
    .ok()
}

/// The command by which whoever has AWS alone does.
fn keep_by_tag(scene: &Scene<'_>, object: &Object, until: &str) -> Option<Command> {
    let id = &object.retirement.spec.incarnation.host;
    let region = &object.place.region;
    let tag = format!("Key=rollcall.dev/keep,Value={until}");
    let command = match scene.database(id) {
        None => format!("aws ec2 create-tags --region {region} --resources {id} --tags {tag}"),
        Some(Database { name, .. }) => format!(
            "aws rds add-tags-to-resource --region {region} --tags {tag} --resource-name \"$(aws rds describe-db-instances \
             --region {region} --db-instance-identifier {} --query 'DBInstances[0].DBInstanceArn' --output text)\"",
            argument(name)
        ),
    };
    Command::new(&command).ok()
}

fn day(moment: Timestamp) -> String {
    moment.to_zoned(TimeZone::UTC).date().to_string()
}

/// What the object says of itself, in one sentence that does not change while nothing does.
pub(super) fn message(
    scene: &Scene<'_>,
    retirement: &Retirement,
    status: &Status,
    refusals: &[Refusal],
    approvals: usize,
) -> String {
    let environment = scene.environment(&retirement.spec.environment);
    match status.state {
        State::Proposed if !refusals.is_empty() => {
            let held: Vec<String> = refusals.iter().map(ToString::to_string).collect();
            format!("nobody is told yet: {}", held.join("; "))
        }
        State::Proposed if environment.is_some_and(|of| of.channels.is_empty()) => format!(
            "nobody can be told: expected a NotificationChannel in spec.notifications of Environment {}, found none",
            retirement.spec.environment.name
        ),
        State::Proposed => "waits until a channel has accepted the notice".to_owned(),
        // Its owner's time has run, where its environment asks for more than telling.
        State::Waiting if approvals > 0 && status.due.is_some_and(|due| due <= scene.now()) => format!(
            "its owner's time is over; {} needed, and none counts while Rollcall's admission policy is not in force; nothing is done to it",
            match approvals {
                1 => "1 approval is".to_owned(),
                needed => format!("{needed} approvals are"),
            }
        ),
        State::Waiting => {
            let zone = environment.map_or(TimeZone::UTC, |of| of.zone.clone());
            let due = status.due.map(|due| zone.to_datetime(due).strftime("%Y-%m-%d %H:%M").to_string());
            let name = zone.iana_name().unwrap_or("UTC");
            format!(
                "its owner decides until {} {name}; nothing is done to it",
                due.unwrap_or_else(|| "-".into())
            )
        }
        State::Undoing(reason) | State::Cancelled(reason) => match reason {
            Reason::Refused(guard) => format!("it stays: {}", guard.reason()),
            Reason::Stalled => "it stays: it was held up for too long".to_owned(),
        },
        State::Stopping | State::CoolingOff | State::Terminating | State::Retired(_) => {
            status.state.name().to_owned()
        }
    }
}
