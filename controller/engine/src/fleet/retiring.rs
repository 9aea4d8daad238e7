//! Why no host is ever stopped: said of an account, and of an environment that asks for it; and what a stop there would wait for.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::policy::Lean;
use super::{Environment, Fleet};
use crate::activity::Day;
use crate::ids::{AccountName, ObjectKey};
use crate::lean::RuleHash;
use crate::memory::{RuleRun, Running};
use crate::retirement::{FinalAct, Guard, Reach};
use crate::text::clean;

/// Why hosts are not stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StopsNone {
    /// No grant lets any of these hosts go so far.
    NotGranted,
    /// No account of them has an identity that may stop hosts.
    NoRetireIdentity,
    /// No code of this version makes such a call.
    ThisVersion,
}

impl StopsNone {
    /// The reason of a condition.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotGranted => "GrantedLess",
            Self::NoRetireIdentity => "NoRetireIdentity",
            Self::ThisVersion => "StopsNothing",
        }
    }
}

impl fmt::Display for StopsNone {
    /// What it means, and what would change it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotGranted => {
                "no grant says maxEnforcement: Retire; hosts go no further than it says (CloudAccount.spec.grants)"
            }
            Self::NoRetireIdentity => {
                "spec.retire of the CloudAccount is absent: nothing in it can ever be stopped"
            }
            Self::ThisVersion => {
                "this version of Rollcall stops nothing: owners are told, and hosts wait for approval"
            }
        })
    }
}

impl StopsNone {
    /// It, and what else would hold hosts, in sentences for people.
    #[must_use]
    pub fn with(self, holds: &[Hold]) -> String {
        let sentences = std::iter::once(self.to_string()).chain(holds.iter().map(ToString::to_string));
        sentences.collect::<Vec<_>>().join("; ")
    }
}

/// What else holds every host of an environment. Each is what a guard of the last gate would say, told of all hosts at once, and in words
/// that do not change from day to day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Hold {
    /// Its rule has judged no host yet.
    NotRun,
    /// Its rule has not run long enough.
    #[serde(rename_all = "camelCase")]
    Probation {
        /// The day on which it has, by the clocks of the environment.
        until: Date,
    },
    /// Its rule does not run.
    #[serde(rename_all = "camelCase")]
    Paused {
        /// The last day on which it did.
        since: Day,
    },
    /// Its rule points at more hosts than are remembered.
    Overfull,
    /// Nobody has acknowledged what its rule points at, or somebody has whose word does not count.
    #[serde(rename_all = "camelCase")]
    FirstList {
        /// The rule.
        rule: RuleHash,
        /// Who says so.
        by: Option<Arc<str>>,
    },
    /// Its policy has no window.
    NoWindow,
    /// The clocks of its windows are not known.
    NoZone,
    /// Its policy has a budget of nothing.
    NoBudget,
}

impl fmt::Display for Hold {
    /// What it means, and by which guard.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guard = match self {
            Self::NotRun => {
                f.write_str("its rule has judged no host yet, so its probation has not begun")?;
                Guard::Probation
            }
            Self::Probation { until } => {
                write!(f, "its rule must have run without acting until {until}")?;
                Guard::Probation
            }
            Self::Paused { since } => {
                write!(
                    f,
                    "its rule has not judged its hosts since {since}, and days without it do not count"
                )?;
                Guard::Probation
            }
            Self::Overfull => {
                f.write_str("its rule has pointed at too many hosts to tell what came of them; another rule (spec.idle of its RetirementPolicy) begins anew")?;
                Guard::Probation
            }
            Self::FirstList { rule, by: None } => {
                write!(f, "nobody has acknowledged what rule {rule} points at")?;
                Guard::FirstList
            }
            Self::FirstList { rule, by: Some(by) } => {
                write!(
                    f,
                    "that {} acknowledges rule {rule} does not count while Rollcall's admission policy is not in force",
                    clean(by)
                )?;
                Guard::FirstList
            }
            Self::NoWindow => {
                f.write_str("spec.windows of its RetirementPolicy is empty, so none is ever open")?;
                Guard::Window
            }
            Self::NoZone => {
                f.write_str("its windows have no clocks while spec.timeZone is not understood")?;
                Guard::Window
            }
            Self::NoBudget => {
                f.write_str("spec.budget of its RetirementPolicy lets none go")?;
                Guard::Budget
            }
        };
        write!(f, " ({})", guard.name())
    }
}

impl Environment {
    /// What holds its hosts besides, where it asks to stop any.
    pub(crate) fn holds(&self, run: Option<&RuleRun>, now: Timestamp) -> Vec<Hold> {
        let Some(lean) = self.lean.as_ref().filter(|lean| lean.reach == Some(Reach::Retire)) else {
            return Vec::new();
        };
        let (rule, terms) = (lean.rule.hash(), &lean.terms);
        let probation = match Running::of(rule, run, now) {
            Running::NotYet => Some(Hold::NotRun),
            Running::Overfull => Some(Hold::Overfull),
            Running::Paused(since) => Some(Hold::Paused { since }),
            Running::Since(since) => {
                let over = since.saturating_add(terms.probation).unwrap_or(Timestamp::MAX);
                (now < over).then(|| Hold::Probation { until: self.zone.to_datetime(over).date() })
            }
        };
        let hash = rule.to_string();
        let by = terms.acknowledged.iter().find(|one| *one.of == *hash).map(|one| Arc::clone(&one.user));
        let window = match &lean.windows {
            None => Some(Hold::NoZone),
            Some(_) => terms.windows.is_empty().then_some(Hold::NoWindow),
        };
        let budget = (terms.budget.of(usize::MAX) == 0).then_some(Hold::NoBudget);
        [probation, Some(Hold::FirstList { rule, by }), window, budget].into_iter().flatten().collect()
    }
}

/// On which terms hosts of an environment would be stopped, and when next: for whoever asks now.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> {
    lean: &'a Lean,
    zone: &'a TimeZone,
    now: Timestamp,
}

impl Outlook<'_> {
    /// When a stop could be begun next, by the clocks of the environment: `2026-11-30 10:00 Asia/Tokyo (now: no window on a Friday)`.
    #[must_use]
    pub fn window(&self) -> String {
        let Some(windows) = &self.lean.windows else {
            return "nobody knows: spec.timeZone of the Environment is not understood".to_owned();
        };
        let shown = |moment: Timestamp| {
            let zone = self.zone.iana_name().unwrap_or("UTC");
            format!("{} {zone}", self.zone.to_datetime(moment).strftime("%Y-%m-%d %H:%M"))
        };
        match (windows.closes_at(self.now), windows.next_opening(self.now), windows.why_closed(self.now)) {
            (Some(end), _, _) => format!("open now, until {}", shown(end)),
            (None, Some(next), Some(why)) => format!("{} (now: {why})", shown(next)),
            (None, Some(next), None) => shown(next),
            (None, None, why) => {
                let why = why.map_or_else(String::new, |why| format!(": {why}"));
                format!("never{why}")
            }
        }
    }

    /// How it would end: `Stop: after 14 days in one stop it stays stopped`. A stop is no end for a database, which RDS starts again.
    #[must_use]
    pub fn end(&self, is_database: bool) -> String {
        let days = self.lean.terms.cool_off.as_hours() / 24;
        let after = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
        let final_act = self.lean.terms.final_act;
        match final_act {
            FinalAct::Stop | FinalAct::HandOver if is_database => format!(
                "none: RDS starts a stopped database again after a week, so that finalAct: {final_act:?} is no end for one"
            ),
            FinalAct::Stop => format!("Stop: after {after} in one stop it stays stopped"),
            FinalAct::HandOver => {
                format!("HandOver: after {after} in one stop its owner is told which resource to remove")
            }
            FinalAct::Terminate => {
                format!("Terminate: after {after} in one stop, and a backup, it is deleted")
            }
        }
    }

    /// How many go on one day.
    #[must_use]
    pub fn budget(&self) -> String {
        self.lean.terms.budget.to_string()
    }
}

impl Fleet {
    /// On which terms hosts of an environment would be stopped; none for one that does not ask for it.
    #[must_use]
    pub fn outlook(&self, environment: &ObjectKey, now: Timestamp) -> Option<Outlook<'_>> {
        let environment = self.environment(environment)?;
        let lean = environment.lean.as_ref().filter(|lean| lean.reach == Some(Reach::Retire))?;
        Some(Outlook { lean, zone: &environment.zone, now })
    }

    /// Why nothing is stopped in an account; none for one that cannot be understood.
    #[must_use]
    pub fn stops_none_in(&self, account: &AccountName) -> Option<StopsNone> {
        let account = self.accounts.get(account)?;
        Some(why([(account.grants_a_stop(), account.may_stop)].into_iter()))
    }

    /// Why nothing of an environment is stopped; none for one that does not ask for it.
    #[must_use]
    pub fn stops_none_of(&self, environment: &ObjectKey) -> Option<StopsNone> {
        let environment = self.environment(environment)?;
        environment.lean.as_ref().filter(|lean| lean.reach == Some(Reach::Retire))?;
        let claims = environment.claims.iter().map(|claim| &claim.hosts);
        Some(why(claims.map(|hosts| (hosts.grants_a_stop(), hosts.may_stop))))
    }
}

/// What is in the way where the least is. Each: whether a grant goes so far, and whether its account has the identity.
fn why(accounts: impl Iterator<Item = (bool, bool)>) -> StopsNone {
    let why = accounts.map(|account| match account {
        (false, _) => StopsNone::NotGranted,
        (true, false) => StopsNone::NoRetireIdentity,
        (true, true) => StopsNone::ThisVersion,
    });
    why.max().unwrap_or(StopsNone::NotGranted)
}
