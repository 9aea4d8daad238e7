//! Is a host still settling? A new one may be incomplete until its time is up; then it is one finding for a day,
//! not many; then it is judged like everybody. Once in order, its settling is over for this launch.

use jiff::{SignedDuration, Timestamp};

use crate::limits::NOT_READY_FOR;

/// How a running host is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Like everybody.
    Ordinary,
    /// What it lacks is no finding until then.
    Settling(Timestamp),
    /// Its settling ended then, and what it lacks is one finding.
    NotReady(Timestamp),
}

/// What settling depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newcomer {
    pub(super) launch: Timestamp,
    /// How long its environment lets it take.
    pub(super) settle: SignedDuration,
    /// The launch for which it was in order once.
    pub(super) ready_for: Option<Timestamp>,
    /// It came while Rollcall was watching. A host of a legacy fleet did not.
    pub(super) joined: bool,
    /// AWS is still starting it.
    pub(super) is_pending: bool,
}

/// The stage of a host at `now`.
pub(super) fn stage(host: Newcomer, now: Timestamp) -> Stage {
    if host.ready_for == Some(host.launch) {
        return Stage::Ordinary;
    }
    let ends = host.launch.saturating_add(host.settle).unwrap_or(Timestamp::MAX);
    if host.is_pending || now < ends {
        return Stage::Settling(ends);
    }
    let is_one_finding = host.joined && now.duration_since(ends) < NOT_READY_FOR;
    if is_one_finding { Stage::NotReady(ends) } else { Stage::Ordinary }
}
