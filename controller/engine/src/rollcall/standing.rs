//! How a host stands in one monitoring system: registered or not, watched, alive, and with which checks.

use super::join::Joins;
use super::reasons::Reasons;
use super::registries::{Names, SystemView};
use super::{Pass, Reason};
use crate::reading::{Failure, FailureKind};
use crate::registry::Registration;

/// How a host stands in a system.
#[derive(Debug)]
pub(super) enum Standing<'a> {
    /// Nobody can tell.
    Unknown(Reason),
    /// Proved not to be registered.
    Absent,
    /// Registered once, or it is known which of several registrations is the live one.
    Once(Post<'a>),
    /// Registered several times, and nobody can tell which is the live one.
    Several(Vec<Post<'a>>),
}

/// One registration of a host, and what is known about it.
#[derive(Debug)]
pub(super) struct Post<'a> {
    pub(super) registration: &'a Registration,
    /// Whether its status there lets it be watched, or why nobody can tell.
    pub(super) is_watched: Result<bool, Reason>,
    pub(super) pulse: Pulse,
    pub(super) names: Names<'a>,
}

/// Does it send metrics?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Pulse {
    /// It does, or it is too new to tell and given time.
    Alive,
    /// It is proved not to.
    Silent,
    /// Nobody can tell.
    Unknown(Reason),
}

/// The standing of one host in one system.
pub(super) fn standing<'a>(
    pass: &Pass<'a>,
    number: usize,
    system: &SystemView<'a>,
    host: usize,
    joins: &Joins,
    reasons: &mut Reasons,
) -> Standing<'a> {
    if system.hosts.proof.is_none() {
        return Standing::Unknown(system.hosts.reason());
    }
    let mine = joins.of_host.get(host).into_iter().flatten().filter(|(of, _)| *of == number);
    let mut registrations: Vec<&Registration> =
        mine.filter_map(|(_, registration)| system.registrations().get(*registration)).collect();
    match registrations.as_slice() {
        [] if joins.ambiguous.get(&host).is_some_and(|systems| systems.contains(&number)) => {
            let message = format!("{}: a registration speaks of this host or of another", system.system.key);
            Standing::Unknown(reasons.number(&Failure::new(FailureKind::Malformed, message)))
        }
        [] => Standing::Absent,
        [one] => Standing::Once(Post::new(pass, system, one, reasons)),
        _ => {
            newest_first(system, &mut registrations);
            let mut posts = registrations.iter().map(|one| Post::new(pass, system, one, reasons));
            match posts.next() {
                Some(live) if system.last_metric.proof.is_some() => Standing::Once(live),
                first => Standing::Several(first.into_iter().chain(posts).collect()),
            }
        }
    }
}

/// Registrations of one host, the live one first: newest metric, then newest registration.
pub(super) fn newest_first(system: &SystemView<'_>, registrations: &mut [&Registration]) {
    registrations.sort_by_cached_key(|registration| {
        let last = system.last_metric(&registration.id);
        std::cmp::Reverse((last, registration.created_at, registration.id.clone()))
    });
}

impl<'a> Post<'a> {
    fn new(
        pass: &Pass<'_>,
        system: &SystemView<'a>,
        registration: &'a Registration,
        reasons: &mut Reasons,
    ) -> Self {
        Self {
            registration,
            is_watched: registration.status.is_watched().ok_or_else(|| {
                let message = format!(
                    "{}: a registration has a status that this version does not know",
                    system.system.key
                );
                reasons.number(&Failure::new(FailureKind::Malformed, message))
            }),
            pulse: pulse(pass, system, registration, reasons),
            names: system.check_names(&registration.id, pass.now, reasons),
        }
    }
}

/// A metric that was seen proves life at any extent. Silence is measured at the time of a complete reading, and a
/// registration younger than the silence allowed is given its time.
pub(super) fn pulse(
    pass: &Pass<'_>,
    system: &SystemView<'_>,
    registration: &Registration,
    reasons: &mut Reasons,
) -> Pulse {
    let silence = system.system.silence;
    let last = system.last_metric(&registration.id);
    if system.last_metric.is_unsupported()
        || last.is_some_and(|last| pass.now.duration_since(last) <= silence)
    {
        return Pulse::Alive;
    }
    let Some(at) = system.last_metric.proof else { return Pulse::Unknown(system.last_metric.reason()) };
    if last.is_some_and(|last| at.duration_since(last) <= silence) {
        return Pulse::Alive;
    }
    match registration.created_at {
        Some(created) if at.duration_since(created) <= silence => Pulse::Alive,
        None if last.is_none() => {
            let message = format!("{}: a registration does not say when it was made", system.system.key);
            Pulse::Unknown(reasons.number(&Failure::new(FailureKind::Malformed, message)))
        }
        _ => Pulse::Silent,
    }
}
