//! How a host stands in one monitoring system: registered or not, watched, alive, and with which checks.
//!
//! A listing that is fresh but not whole speaks only for hosts, never against them: what it shows is so, and what it
//! does not show is unknown. A registration that it hides may be another one of a host that it shows, and the live one. So
//! only a voice that is heard now counts, and none where a registration that was last proved to be the host's is
//! not to be seen (docs/decisions.md, 7).

use jiff::Timestamp;

use super::join::Joins;
use super::reasons::Reasons;
use super::registries::{Names, Registered, SystemView};
use super::stand::{Stage, Stand};
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
    /// Seen registered, and heard, in a listing that is not whole, and why it is not. More than one when nobody can tell
    /// which is the live one. It may have others: only what speaks for the host may be said.
    Glimpsed(Vec<Post<'a>>, Reason),
}

impl Standing<'_> {
    /// Was everything told from which it follows? Else what was not found wrong may be wrong all the same.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Absent | Self::Once(_) | Self::Several(_) => true,
            Self::Unknown(_) | Self::Glimpsed(..) => false,
        }
    }
}

/// One registration of a host, and what is known about it.
#[derive(Debug)]
pub(super) struct Post<'a> {
    pub(super) registration: &'a Registration,
    /// When it last sent a metric, as far as was seen.
    pub(super) last_metric: Option<Timestamp>,
    /// Whether its status there lets it be watched, or why nobody can tell.
    pub(super) is_watched: Result<bool, Reason>,
    pub(super) pulse: Pulse,
    pub(super) names: Names<'a>,
    /// How the host's own check stands; it runs where the system has no such thing.
    pub(super) own: Stand,
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
    let is_whole = system.hosts.proof.is_some();
    if !is_whole && !system.hosts.is_fresh {
        return Standing::Unknown(system.hosts.reason());
    }
    let mine = joins.of_host.get(host).into_iter().flatten().filter(|(of, _)| *of == number);
    let mut registrations: Vec<&Registered<'a>> =
        mine.filter_map(|(_, registration)| system.registered.get(*registration)).collect();
    if !is_whole {
        let is_hidden = joins.hidden.get(&host).is_some_and(|systems| systems.contains(&number));
        return if is_hidden {
            Standing::Unknown(system.hosts.reason())
        } else {
            glimpse(pass, system, registrations, reasons)
        };
    }
    match registrations.as_slice() {
        [] if joins.ambiguous.get(&host).is_some_and(|systems| systems.contains(&number)) => {
            let message = format!("{}: a registration speaks of this host or of another", system.system.key);
            Standing::Unknown(reasons.number(&Failure::new(FailureKind::Malformed, message)))
        }
        [] => Standing::Absent,
        [one] => Standing::Once(Post::new(pass, system, one, reasons)),
        _ => {
            newest_first(&mut registrations);
            let mut posts = registrations.iter().map(|one| Post::new(pass, system, one, reasons));
            match posts.next() {
                Some(live) if system.last_metric.proof.is_some() => Standing::Once(live),
                first => Standing::Several(first.into_iter().chain(posts).collect()),
            }
        }
    }
}

/// The standing of a host of which a fresh listing that is not whole shows these registrations.
fn glimpse<'a>(
    pass: &Pass<'_>,
    system: &SystemView<'a>,
    mut registrations: Vec<&Registered<'a>>,
    reasons: &mut Reasons,
) -> Standing<'a> {
    let gap = system.hosts.reason();
    if !registrations.iter().all(|one| is_read(one.registration)) {
        return Standing::Unknown(gap);
    }
    newest_first(&mut registrations);
    if system.last_metric.proof.is_some() {
        registrations.truncate(1);
    }
    if registrations.is_empty() || !registrations.iter().all(|one| is_heard(pass, system, one)) {
        return Standing::Unknown(gap);
    }
    Standing::Glimpsed(registrations.iter().map(|one| Post::new(pass, system, one, reasons)).collect(), gap)
}

/// Was all read on which it depends whose registration it is, and which monitors cover it? What cannot be read in a
/// registration is left empty, and makes the listing one that is not whole.
pub(super) fn is_read(registration: &Registration) -> bool {
    registration.custom_identifier.is_some() && !registration.roles.is_empty()
}

/// Did it send a metric within the silence allowed? Being too new to tell is not enough.
pub(super) fn is_heard(pass: &Pass<'_>, system: &SystemView<'_>, one: &Registered<'_>) -> bool {
    one.last_metric.is_some_and(|last| pass.now.duration_since(last) <= system.system.silence)
}

/// Registrations of one host, the live one first: newest metric, then newest registration.
pub(super) fn newest_first(registrations: &mut [&Registered<'_>]) {
    registrations.sort_by_cached_key(|one| {
        std::cmp::Reverse((one.last_metric, one.registration.created_at, one.registration.id.clone()))
    });
}

impl<'a> Post<'a> {
    pub(super) fn new(
        pass: &Pass<'_>,
        system: &SystemView<'a>,
        one: &Registered<'a>,
        reasons: &mut Reasons,
    ) -> Self {
        Self {
            registration: one.registration,
            last_metric: one.last_metric,
            is_watched: one.registration.status.is_watched().ok_or_else(|| {
                let message = format!(
                    "{}: a registration has a status that this version does not know",
                    system.system.key
                );
                reasons.number(&Failure::new(FailureKind::Malformed, message))
            }),
            pulse: pulse(pass, system, one, reasons),
            names: system.check_names(one, pass.now, reasons),
            own: one.registration.run.as_deref().map_or(Stand::Runs, |run| {
                let at = system.hosts.at.unwrap_or(pass.now);
                Stand::of(run, Stage::of_hosts(&system.system.key, at, system.program()), reasons)
            }),
        }
    }
}

/// A metric that was seen proves life at any extent. Silence is measured at the time of a complete reading, and a
/// registration younger than the silence allowed is given its time.
pub(super) fn pulse(
    pass: &Pass<'_>,
    system: &SystemView<'_>,
    one: &Registered<'_>,
    reasons: &mut Reasons,
) -> Pulse {
    let silence = system.system.silence;
    let last = one.last_metric;
    if system.last_metric.is_unsupported() || is_heard(pass, system, one) {
        return Pulse::Alive;
    }
    let Some(at) = system.last_metric.proof else { return Pulse::Unknown(system.last_metric.reason()) };
    if last.is_some_and(|last| at.duration_since(last) <= silence) {
        return Pulse::Alive;
    }
    match one.registration.created_at {
        Some(created) if at.duration_since(created) <= silence => Pulse::Alive,
        None if last.is_none() => {
            let message = format!("{}: a registration does not say when it was made", system.system.key);
            Pulse::Unknown(reasons.number(&Failure::new(FailureKind::Malformed, message)))
        }
        _ => Pulse::Silent,
    }
}
