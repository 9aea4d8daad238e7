//! How long the rule of each environment has run, and what came of the hosts at whom it pointed: what a team holds against a rule
//! before it lets it act. It must never count what was not read, and never forget a host that it was wrong about.
//!
//! A day counts on which the rule judged somebody, and on which metrics of everybody who was seen could be read: not one on which the
//! operator was down, the inventory or CloudWatch was blind, even in one of two regions, or the policy could not be understood.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::HostRoll;
use super::scene::Scene;
use crate::activity::Day;
use crate::fleet::Environment;
use crate::ids::HostId;
use crate::lean::{Doubt, RuleHash, Use};
use crate::memory::{EnvironmentMemory, MAX_POINTED, Pointed, RuleRun};

/// How a rule has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Probation {
    /// The rule.
    pub rule: RuleHash,
    /// Since when it runs; of several environments, in the one that took it up last.
    pub since: Timestamp,
    /// Hosts that it has called unused since, on evidence that is good enough to act on.
    pub proposed: u32,
    /// Those of them that were used, or started, afterwards.
    pub later_used: u32,
}

impl Probation {
    /// Of one environment.
    pub(super) fn of(run: &RuleRun) -> Self {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            rule: run.rule,
            since: run.since,
            proposed: count(run.pointed.len()),
            later_used: count(run.pointed.values().filter(|one| one.used_on.is_some()).count()),
        }
    }

    /// Of two environments with one rule.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            rule: self.rule,
            since: self.since.max(other.since),
            proposed: self.proposed + other.proposed,
            later_used: self.later_used + other.later_used,
        }
    }
}

/// The run of each environment's rule after this pass, by number of the environment.
pub(super) fn look(scene: &Scene<'_, '_>, hosts: &[(HostId, HostRoll)]) -> Vec<Option<RuleRun>> {
    let (environments, now) = (&scene.pass.fleet.environments, scene.pass.now);
    let remembered = |environment: &Environment| scene.pass.memory.environments.get(&environment.key);
    let mut watched: Vec<Watched> =
        environments.iter().map(|environment| Watched::begin(environment, remembered(environment))).collect();
    for (id, host) in hosts {
        let Some(key) = &host.environment else { continue };
        let number = environments.binary_search_by(|environment| environment.key.cmp(key)).ok();
        if let Some(watched) = number.and_then(|number| watched.get_mut(number)) {
            watched.see(id, host, now);
        }
    }
    watched.into_iter().map(|watched| watched.end(now)).collect()
}

/// The rule of one environment.
struct Watched {
    /// By which hosts are judged now; none: nobody is, or nobody can tell by which.
    rule: Option<RuleHash>,
    run: Option<RuleRun>,
    /// It could tell of somebody whether they are used.
    judges: bool,
    /// Of somebody who is there metrics could not be read.
    unread: bool,
}

impl Watched {
    /// What is not understood now ends nothing; another rule, or none, does.
    fn begin(environment: &Environment, remembered: Option<&EnvironmentMemory>) -> Self {
        let run = remembered.and_then(|of| of.rule_run.clone());
        if environment.lean_doubted || environment.book.doubted {
            return Self { rule: None, run, judges: false, unread: false };
        }
        let rule = environment.lean.as_ref().map(|lean| lean.rule.hash());
        Self { rule, run: run.filter(|run| Some(run.rule) == rule), judges: false, unread: false }
    }

    /// A rule runs once it can tell of somebody whether they are used.
    fn see(&mut self, id: &HostId, host: &HostRoll, now: Timestamp) {
        let (Some(rule), Some(used)) = (self.rule, &host.used) else { return };
        let judges = host.seen && !matches!(used, Use::Unknown(_));
        self.judges |= judges;
        self.unread |= host.seen && matches!(used, Use::Unknown(Doubt::NotRead(..)));
        if self.run.is_none() && judges {
            self.run = Some(RuleRun {
                rule,
                since: whole_seconds(now),
                judged_on: Day::of(now),
                pointed: BTreeMap::new(),
                overfull: false,
            });
        }
        let Some(run) = &mut self.run else { return };
        if let Some(pointed) = run.pointed.get_mut(id) {
            pointed.used_on = pointed.used_on.or_else(|| used_after(pointed.at, id, host));
        } else if matches!(used, Use::Idle(idle) if idle.weak.is_empty()) {
            if run.pointed.len() < MAX_POINTED {
                run.pointed.insert(id.clone(), Pointed { at: now, used_on: None });
            } else {
                run.overfull = true;
            }
        }
    }

    /// What is remembered. Days that did not count make the run that much younger.
    fn end(self, now: Timestamp) -> Option<RuleRun> {
        let mut run = self.run?;
        let today = Day::of(now);
        let days = today.days_since(run.judged_on);
        if self.judges && !self.unread && days > 0 {
            let lost = SignedDuration::from_hours(24 * i64::from(days - 1));
            run.since = whole_seconds(run.since.saturating_add(lost).unwrap_or(Timestamp::MAX));
            run.judged_on = today;
        }
        Some(run)
    }
}

/// As a status tells it: what is written must equal what is read back.
fn whole_seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

/// Listings are minutes old: a start shortly before the rule pointed at a host was not seen yet, for a host that it calls idle has not
/// been started in weeks.
const LISTED_LATE: SignedDuration = SignedDuration::from_hours(24);

/// The day on which a host was used after a rule had pointed at it: something was loud, or somebody started it. A database tells only
/// when it was made.
fn used_after(at: Timestamp, id: &HostId, host: &HostRoll) -> Option<Day> {
    if let Some(Use::Active(sign)) = &host.used {
        return Some(sign.day);
    }
    let from = at.saturating_sub(LISTED_LATE).unwrap_or(Timestamp::MIN);
    let started = host.launch_time.filter(|started| !id.is_database() && *started > from);
    started.map(Day::of)
}
