//! What one way to watch comes to, and what several of them come to together: covered, lacking, or unknown.
//!
//! A lack is said only when every way was judged: what may yet be covered is unknown.

use std::sync::Arc;

use super::monitors::Watch;
use super::reach::{self, Reach};
use super::reasons::NOT_JUDGED;
use super::stand::Stand;
use super::standing::Pulse;
use super::{Coverage, Reason};

/// A row that is not in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lacking {
    /// Index into the rows.
    pub(super) row: usize,
    pub(super) lack: Lack,
    /// Number of the system in which it was nearest to being covered.
    pub(super) system: usize,
    pub(super) because: Because,
    /// Number of the way that was nearest; none for a registration.
    pub(super) way: Option<usize>,
}

/// What a row lacks; the nearest to being covered first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lack {
    /// It watches, and its alerts do not reach whom they must.
    Unheard,
    Muted,
    Silent,
    Weak,
    Missing,
}

impl Lack {
    pub(super) fn coverage(self) -> Coverage {
        match self {
            Self::Muted => Coverage::Muted,
            Self::Silent => Coverage::Silent,
            Self::Weak | Self::Unheard => Coverage::Weak,
            Self::Missing => Coverage::Missing,
        }
    }
}

/// What explains a lack. The first four explain rows of a host as a whole: they are findings, the rows are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Because {
    /// The host is not registered there.
    NotRegistered,
    /// Its status there switches watching off.
    Status,
    /// It sends no data there.
    Silent,
    /// How the check of the host itself stands, in systems that check hosts as they check services.
    Own(Stand),
    /// How this check stands.
    Check(Stand),
    /// This check alone; the text says what was found, if anything was.
    Itself(Option<Arc<str>>),
}

/// What one way says.
#[derive(Debug)]
pub(super) enum Verdict {
    Covered,
    Lacks(Lack, Because),
    Unknown(Reason),
}

/// Watched by enough different systems; unknown while those that nobody can tell of may make it enough. Else what is
/// nearest to being covered. `ways`: number of the system and of the way, where they are known, and what came of it.
pub(super) fn enough(
    row: usize,
    at_least: usize,
    ways: impl Iterator<Item = (Option<(usize, usize)>, Verdict)>,
) -> Result<Coverage, Lacking> {
    let mut covering: Vec<usize> = Vec::new();
    let mut unknown: Vec<(Option<usize>, Reason)> = Vec::new();
    let mut lacks: Vec<Lacking> = Vec::new();
    for (way, verdict) in ways {
        match (verdict, way) {
            (Verdict::Covered, Some((system, _))) if !covering.contains(&system) => covering.push(system),
            (Verdict::Lacks(lack, because), Some((system, way))) => {
                lacks.push(Lacking { row, lack, system, because, way: Some(way) });
            }
            (Verdict::Unknown(reason), way) => unknown.push((way.map(|(system, _)| system), reason)),
            (Verdict::Covered | Verdict::Lacks(..), _) => {}
        }
        if covering.len() >= at_least {
            return Ok(Coverage::Covered);
        }
    }
    unknown.retain(|(system, _)| system.is_none_or(|system| !covering.contains(&system)));
    let reason = unknown.first().map_or(NOT_JUDGED, |(_, reason)| *reason);
    unknown.sort_by_key(|(system, _)| *system);
    unknown.dedup_by(|a, b| a.0.is_some() && a.0 == b.0);
    if covering.len() + unknown.len() >= at_least {
        return Ok(Coverage::Unknown(reason));
    }
    lacks.retain(|lacking| !covering.contains(&lacking.system));
    // What may yet be covered in another way is pointed at last.
    let may_be = |system: usize| unknown.iter().any(|(of, _)| *of == Some(system));
    let nearest = lacks.into_iter().min_by_key(|lacking| (may_be(lacking.system), lacking.lack));
    nearest.map_or(Ok(Coverage::Unknown(NOT_JUDGED)), Err)
}

/// A check by name. An agent that is silent runs no check; while nobody knows whether it is silent, that it has
/// a check still counts, and that it has none is no news of its own: silence may explain it. `others`: why there may
/// be others than were told.
pub(super) fn verdict_on_check(pulse: Pulse, stand: Option<Stand>, others: Option<Reason>) -> Verdict {
    match (pulse, stand, others) {
        (Pulse::Silent, ..) => Verdict::Lacks(Lack::Silent, Because::Silent),
        (_, Some(stand), _) => verdict_on(stand, Because::Check),
        (_, None, Some(reason)) | (Pulse::Unknown(reason), None, None) => Verdict::Unknown(reason),
        (Pulse::Alive, None, None) => Verdict::Lacks(Lack::Missing, Because::Itself(None)),
    }
}

/// A check that watches, and whom its alerts must reach.
pub(super) fn verdict_on_reach(reach: Reach, wanted: &[Arc<str>]) -> Verdict {
    match reach {
        Reach::Yes => Verdict::Covered,
        Reach::Unknown(reason) => Verdict::Unknown(reason),
        Reach::No => {
            let why = format!("its alerts do not reach {}", reach::names(wanted));
            Verdict::Lacks(Lack::Unheard, Because::Itself(Some(why.into())))
        }
    }
}

pub(super) fn verdict_on(stand: Stand, because: impl Fn(Stand) -> Because) -> Verdict {
    let lack = match stand {
        Stand::Runs => return Verdict::Covered,
        Stand::Unknown(reason) => return Verdict::Unknown(reason),
        Stand::InDowntime | Stand::Mute | Stand::Off => Lack::Muted,
        Stand::Overdue => Lack::Silent,
        Stand::Idle => Lack::Weak,
    };
    Verdict::Lacks(lack, because(stand))
}

pub(super) fn verdict_of(watch: Option<Watch>) -> Verdict {
    match watch {
        Some(Watch::Covered) => Verdict::Covered,
        Some(Watch::Muted(monitor)) => Verdict::Lacks(Lack::Muted, Because::Itself(Some(monitor))),
        Some(Watch::Unheard(why)) => Verdict::Lacks(Lack::Unheard, Because::Itself(Some(why))),
        Some(Watch::Weak(why)) => Verdict::Lacks(Lack::Weak, Because::Itself(Some(why))),
        Some(Watch::Missing) => Verdict::Lacks(Lack::Missing, Because::Itself(None)),
        Some(Watch::Unknown(reason)) => Verdict::Unknown(reason),
        None => Verdict::Unknown(NOT_JUDGED),
    }
}
