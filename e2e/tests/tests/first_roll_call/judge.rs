//! Is a finding true? One rule for each code, on facts alone. What has no rule here is not true: nobody planted it.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use rollcall_engine::finding::{Code, Finding, Subject};
use rollcall_fakes::aws::ground::State;
use rollcall_fakes::mackerel::{Host, HostStatus};

use super::facts::{Facts, is_muted};

/// Why a finding is not true.
type Wrong = String;

/// Judges one finding.
pub fn judge(facts: &Facts, finding: &Finding) -> Result<(), Wrong> {
    match &finding.subject {
        Subject::Host(id) => about_host(facts, finding, id.as_str()),
        Subject::Registration(id) => about_registration(facts, finding, id.as_str()),
        Subject::Check(name) => about_check_name(facts, finding, name.as_str()),
        Subject::Itself | Subject::Role(_) | Subject::Monitor(_) => about_object(facts, finding),
    }
}

fn holds(true_: bool, otherwise: impl FnOnce() -> Wrong) -> Result<(), Wrong> {
    if true_ { Ok(()) } else { Err(otherwise()) }
}

fn about_host(facts: &Facts, finding: &Finding, id: &str) -> Result<(), Wrong> {
    let state = facts.state(id).ok_or("AWS does not know it")?;
    let registrations = facts.registrations(id);
    let home = facts.home(id);
    if let Some(environment) = &finding.environment {
        holds(home == Some(&environment.name), || format!("it was made for {home:?}"))?;
    }
    match finding.code {
        Code::StoppedButWatched => {
            let watched = registrations.iter().any(|host| is_watched(host));
            holds(state == State::Stopped && watched, || format!("{state:?}, watched: {watched}"))
        }
        Code::LongStopped => holds(state == State::Stopped, || format!("{state:?}")),
        Code::Unclaimed => holds(home.is_none(), || format!("it was made for {home:?}")),
        Code::AssertionFailed => about_parameters(facts, finding, id),
        Code::NoDuty => holds(facts.duty(id).is_none(), || format!("it is {:?}", facts.duty(id))),
        Code::Duplicate => {
            holds(registrations.len() > 1, || format!("{} live registrations", registrations.len()))
        }
        Code::NotRegistered => {
            running(state).and(holds(registrations.is_empty(), || "it is registered".to_owned()))
        }
        _ => {
            running(state)?;
            let host = registrations.iter().find(|host| !facts.is_silent(host)).or(registrations.first());
            about_registered(facts, finding, id, host.ok_or("it is not registered: that is what is wrong")?)
        }
    }
}

/// What is asserted of databases is their parameter group.
fn about_parameters(facts: &Facts, finding: &Finding, id: &str) -> Result<(), Wrong> {
    let name = &finding.check.as_ref().ok_or("it names no check")?.name;
    let check = facts.check(name).ok_or("there is no such check")?;
    let rds = check.spec.assertion.as_ref().and_then(|all| all.rds.as_ref()).ok_or("nothing of RDS")?;
    let wanted = rds.parameter_group.as_ref().ok_or("it asks for no group")?;
    let group = facts.parameter_group(id).ok_or("it is no database")?;
    let wanted = wanted.replace("${env.dbParameterGroup}", "backlog-mysql8");
    holds(group != wanted, || format!("it is in {group}"))
}

fn running(state: State) -> Result<(), Wrong> {
    holds(state == State::Running, || format!("{state:?}"))
}

fn is_watched(host: &Host) -> bool {
    matches!(host.status, HostStatus::Working | HostStatus::Standby)
}

/// A running host that is registered.
fn about_registered(facts: &Facts, finding: &Finding, id: &str, host: &Host) -> Result<(), Wrong> {
    match finding.code {
        Code::Silent => holds(facts.is_silent(host), || "it posts metrics".to_owned()),
        Code::WrongStatus => holds(!is_watched(host), || format!("{:?}", host.status)),
        Code::RoleMismatch => {
            let duty = facts.duty(id).ok_or("it plays no duty")?;
            holds(!host.has_role("Backlog", duty), || format!("it has Backlog:{duty}"))
        }
        Code::NotReadyInTime => {
            let old = facts.is_older(id, SignedDuration::from_hours(26));
            holds(!old, || "it is older than its settling and a day".to_owned())
        }
        Code::CheckMissing | Code::Muted | Code::Weak => about_row(facts, finding, id, host),
        code => Err(format!("{code} is not true of any host of this fleet")),
    }
}

/// One required check on one registered, running host: too few systems watch it, and the other ways fail as the finding says.
fn about_row(facts: &Facts, finding: &Finding, id: &str, host: &Host) -> Result<(), Wrong> {
    let name = &finding.check.as_ref().ok_or("it names no check")?.name;
    let check = facts.check(name).ok_or("there is no such check")?;
    holds(facts.applies(check, id), || format!("{name} does not apply to it"))?;
    let mut watching = BTreeSet::new();
    let mut muted = 0;
    let mut weak = 0;
    for by in check.spec.ways() {
        if by.system == "nagios" {
            match facts.service(by, id) {
                Some(service) if service.check.notifications => {
                    watching.insert("nagios");
                }
                Some(_) => muted += 1,
                None => {}
            }
            continue;
        }
        if facts.asked_name(by, id).is_some_and(|asked| facts.runs(host, &asked)) {
            watching.insert("mackerel");
        }
        for monitor in facts.monitors(by) {
            if facts.really_watches(monitor, by, host) {
                watching.insert("mackerel");
            } else if is_muted(monitor) {
                muted += 1;
            } else {
                weak += 1;
            }
        }
    }
    let enough = usize::try_from(check.spec.watched.as_ref().map_or(1, |watched| watched.at_least))
        .map_err(|e| e.to_string())?;
    holds(watching.len() < enough, || format!("{watching:?} watch it"))?;
    let right = match (muted, weak) {
        (0, 0) => Code::CheckMissing,
        (0, _) => Code::Weak,
        _ => Code::Muted,
    };
    holds(finding.code == right, || format!("{muted} muted and {weak} weak monitors: that is {right}"))
}

fn about_registration(facts: &Facts, finding: &Finding, id: &str) -> Result<(), Wrong> {
    let instance = facts.instance_of(id);
    match finding.code {
        Code::Ghost => {
            let instance = instance.ok_or("it was never a host of ours: a stranger")?;
            holds(!facts.lives(instance), || format!("{instance} lives"))
        }
        Code::Stranger => holds(instance.is_none(), || format!("it is {instance:?}")),
        Code::Duplicate => {
            let many = instance.map_or(0, |instance| facts.registrations(instance).len());
            holds(many > 1, || format!("{many} live registrations of {instance:?}"))
        }
        code => Err(format!("{code} is not true of any registration of this fleet")),
    }
}

fn about_check_name(facts: &Facts, finding: &Finding, name: &str) -> Result<(), Wrong> {
    holds(finding.code == Code::Unrequired, || format!("{} is not about a check's name", finding.code))?;
    let system = finding.system.as_ref().map(|key| key.name.to_string()).ok_or("it names no system")?;
    holds(!facts.asked_names(&system).iter().any(|asked| asked == name), || {
        "a required check asks for it".to_owned()
    })?;
    let runs = match system.as_str() {
        "nagios" => facts.in_nagios().any(|host| host.services.contains_key(name)),
        _ => facts.registered().any(|host| facts.runs(host, name)),
    };
    holds(runs, || "nobody runs it".to_owned())
}

fn about_object(facts: &Facts, finding: &Finding) -> Result<(), Wrong> {
    match finding.code {
        Code::Stranger => {
            let strangers = facts.registered().filter(|host| facts.instance_of(&host.id).is_none()).count();
            holds(strangers > 0, || "every registration is ours".to_owned())
        }
        Code::NoOwner => {
            let name = &finding.environment.as_ref().ok_or("it names no environment")?.name;
            let environment = facts.environment(name).ok_or("there is no such environment")?;
            holds(environment.spec.owner.is_none(), || "it has an owner".to_owned())
        }
        Code::ReviewOverdue => {
            let name = &finding.check.as_ref().ok_or("it names no check")?.name;
            let check = facts.check(name).ok_or("there is no such check")?;
            let review = check.spec.review.as_ref().ok_or("it has no review")?;
            let last: jiff::civil::Date = review.last.parse().map_err(|e| format!("{e}"))?;
            let due = last + jiff::Span::new().days(review.every_days);
            let today = facts.now.to_zoned(jiff::tz::TimeZone::UTC).date();
            holds(due < today, || format!("it is due on {due}"))
        }
        Code::UnderCount | Code::OverCount => about_count(facts, finding),
        code => Err(format!("{code}: nobody planted it")),
    }
}

fn about_count(facts: &Facts, finding: &Finding) -> Result<(), Wrong> {
    let Subject::Role(role) = &finding.subject else { return Err("it names no role".to_owned()) };
    let name = &finding.environment.as_ref().ok_or("it names no environment")?.name;
    let environment = facts.environment(name).ok_or("there is no such environment")?;
    let counts = environment.spec.roles.iter().flat_map(|roles| &roles.counts);
    let wanted = counts.into_iter().find(|count| count.role == role.as_str()).ok_or("nobody counts it")?;
    let found = i32::try_from(facts.running(name, role.as_str())).map_err(|e| e.to_string())?;
    let true_ = match finding.code {
        Code::UnderCount => found < wanted.min,
        _ => wanted.max.is_some_and(|max| found > max),
    };
    holds(true_, || format!("{found} run"))
}
