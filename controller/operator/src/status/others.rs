//! The statuses of accounts, roles, checks, monitoring systems and exemptions.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use rollcall_crds::conditions::{
    DELIVERING, INVENTORY_FRESH, REGISTRATIONS_FRESH, RETIREMENT_ALLOWED, Truth,
};
use rollcall_crds::v1alpha1 as api;
use rollcall_engine::fleet::Problem;
use rollcall_engine::reading::Failure;
use rollcall_engine::rollcall::{
    AccountRoll, CheckRoll, ExemptionRoll, LeanRoll, Probation, RoleRoll, SystemRoll,
};

use super::conditions::{Conditions, Verdict};
use super::progress::Progress;
use super::text::{clean, count, int};
use crate::notify::Last;

/// Longest list of strangers on a `MonitoringSystem`; `rollcall plan` shows all.
const STRANGERS: usize = 20;

/// The status of a `CloudAccount`.
#[must_use]
pub fn account(
    roll: Option<&AccountRoll>,
    problems: &[&Problem],
    progress: Progress,
    before: &api::CloudAccountStatus,
    generation: Option<i64>,
    now: Timestamp,
) -> api::CloudAccountStatus {
    let mut conditions = Conditions::begin(&before.conditions, generation, now);
    let Some(roll) = roll else {
        conditions.ready(problems, not_judged);
        return api::CloudAccountStatus {
            observed_generation: generation,
            conditions: conditions.finish(),
            ..before.clone()
        };
    };
    let blind = || roll.blind_inventories();
    conditions.ready(problems, || Verdict::once_read(roll.once_read, blind()));
    conditions.set(INVENTORY_FRESH, &Verdict::fresh(blind()));
    conditions
        .set_while(RETIREMENT_ALLOWED, roll.stops_none.map(|why| Verdict::stops_none(why, &[])).as_ref());
    progress.tell(&mut conditions, &before.conditions);
    let known = roll.sees_hosts();
    api::CloudAccountStatus {
        observed_generation: generation,
        conditions: conditions.finish(),
        summary: Some(api::CloudAccountSummary {
            hosts: count(known, roll.hosts),
            unclaimed: count(known, roll.unclaimed),
        }),
    }
}

/// The status of a `HostRole`.
#[must_use]
pub fn role(
    roll: Option<&RoleRoll>,
    problems: &[&Problem],
    before: &api::HostRoleStatus,
    generation: Option<i64>,
    now: Timestamp,
) -> api::HostRoleStatus {
    let mut conditions = Conditions::begin(&before.conditions, generation, now);
    conditions.ready(problems, Verdict::reconciled);
    api::HostRoleStatus {
        observed_generation: generation,
        conditions: conditions.finish(),
        summary: match roll {
            Some(roll) => Some(api::HostRoleSummary { hosts: count(!roll.blind, roll.hosts) }),
            None => before.summary.clone(),
        },
    }
}

/// The status of a `RequiredCheck`.
#[must_use]
pub fn check(
    roll: Option<&CheckRoll>,
    problems: &[&Problem],
    before: &api::RequiredCheckStatus,
    generation: Option<i64>,
    now: Timestamp,
) -> api::RequiredCheckStatus {
    let mut conditions = Conditions::begin(&before.conditions, generation, now);
    conditions.ready(problems, Verdict::reconciled);
    api::RequiredCheckStatus {
        observed_generation: generation,
        conditions: conditions.finish(),
        summary: match roll {
            Some(roll) => Some(api::RequiredCheckSummary {
                applies: roll.tally.required.to_string(),
                covered: roll.tally.covered.to_string(),
                missing: count(!roll.blind, roll.tally.missing),
                unknown: roll.tally.unknown.to_string(),
                review_due: review_due(roll),
            }),
            None => before.summary.clone(),
        },
    }
}

fn review_due(roll: &CheckRoll) -> String {
    match roll.review_due {
        Some(day) if roll.overdue => format!("{day} overdue"),
        Some(day) => day.to_string(),
        None => String::new(),
    }
}

/// The status of a `RetirementPolicy`. While the activity of some host is not read, it may be one more that is unused.
#[must_use]
pub fn policy(
    roll: Option<&LeanRoll>,
    problems: &[&Problem],
    before: &api::RetirementPolicyStatus,
    generation: Option<i64>,
    now: Timestamp,
) -> api::RetirementPolicyStatus {
    let mut conditions = Conditions::begin(&before.conditions, generation, now);
    conditions.ready(problems, Verdict::reconciled);
    api::RetirementPolicyStatus {
        observed_generation: generation,
        conditions: conditions.finish(),
        summary: match roll {
            Some(roll) => Some(api::RetirementPolicySummary {
                hosts: roll.hosts.to_string(),
                unused: count(roll.unread == 0, roll.idle),
                unknown: roll.unknown.to_string(),
            }),
            None => before.summary.clone(),
        },
        probation: match roll {
            Some(roll) => roll.probation.map(probation),
            None => before.probation.clone(),
        },
    }
}

fn probation(of: Probation) -> api::RetirementPolicyProbation {
    api::RetirementPolicyProbation {
        rule_hash: of.rule.to_string(),
        run_since: Time(of.since),
        proposed: int(of.proposed),
        later_used: int(of.later_used),
    }
}

/// The status of a `NotificationChannel`. What became of the last delivery before a restart stands until there is another one.
#[must_use]
pub fn channel(
    last: Option<&Last>,
    problems: &[&Problem],
    before: &api::NotificationChannelStatus,
    generation: Option<i64>,
    now: Timestamp,
) -> api::NotificationChannelStatus {
    let mut conditions = Conditions::begin(&before.conditions, generation, now);
    conditions.ready(problems, Verdict::reconciled);
    let known = before.conditions.iter().any(|condition| condition.type_ == DELIVERING);
    match last {
        Some(Last::Accepted) => conditions.set(DELIVERING, &Verdict::new(Truth::True, "Accepted", "")),
        Some(Last::Failed(why)) => {
            conditions.set(DELIVERING, &Verdict::new(Truth::False, "TryingAgain", why));
        }
        Some(Last::Refused(why)) => conditions.set(DELIVERING, &Verdict::new(Truth::False, "Refused", why)),
        None if known => {}
        None => {
            conditions.set(DELIVERING, &Verdict::new(Truth::Unknown, "NothingSent", "nothing was sent yet"));
        }
    }
    api::NotificationChannelStatus { observed_generation: generation, conditions: conditions.finish() }
}

/// The status of a `MonitoringSystem`. `used` is whether any environment needs it: what nobody needs is not read.
#[must_use]
pub fn system(
    roll: Option<&SystemRoll>,
    used: bool,
    problems: &[&Problem],
    before: &api::MonitoringSystemStatus,
    generation: Option<i64>,
    now: Timestamp,
) -> api::MonitoringSystemStatus {
    let mut conditions = Conditions::begin(&before.conditions, generation, now);
    if !used {
        conditions.ready(problems, not_used);
        conditions.set(REGISTRATIONS_FRESH, &Verdict::new(Truth::Unknown, "NotUsed", NOT_USED));
        return api::MonitoringSystemStatus {
            observed_generation: generation,
            conditions: conditions.finish(),
            ..api::MonitoringSystemStatus::default()
        };
    }
    let Some(roll) = roll else {
        conditions.ready(problems, not_judged);
        return api::MonitoringSystemStatus {
            observed_generation: generation,
            conditions: conditions.finish(),
            ..before.clone()
        };
    };
    let blind = || roll.blind.iter().map(|(listing, why): &(String, Failure)| (listing.clone(), why));
    conditions.ready(problems, || Verdict::once_read(roll.once_read, blind()));
    conditions.set(REGISTRATIONS_FRESH, &Verdict::fresh(blind()));
    let known = roll.blind.is_empty();
    let joined = known && !roll.inventory_blind;
    api::MonitoringSystemStatus {
        observed_generation: generation,
        conditions: conditions.finish(),
        summary: Some(api::MonitoringSystemSummary {
            registered: count(known, roll.registered),
            joined: count(joined, roll.joined),
            ghosts: count(joined, roll.ghosts),
            strangers: count(joined, roll.strangers.len()),
            duplicates: count(known, roll.duplicates),
        }),
        strangers: strangers(roll),
    }
}

const NOT_USED: &str = "no Environment uses it, so it is not read";

fn not_used() -> Verdict {
    Verdict::new(Truth::True, "NotUsed", NOT_USED)
}

fn not_judged() -> Verdict {
    Verdict::new(Truth::Unknown, "NotJudged", "not judged yet")
}

fn strangers(roll: &SystemRoll) -> Vec<api::StrangerStatus> {
    let strangers = roll.strangers.iter().take(STRANGERS);
    strangers
        .map(|stranger| api::StrangerStatus {
            id: clean(stranger.id.as_str(), 128),
            name: clean(&stranger.name, 256),
            kind: clean(&stranger.kind, 32),
        })
        .collect()
}

/// The status of an `Exemption`. While a source is blind, findings are missing for that reason alone: what remained is
/// told on, and nothing counts as healed by it (the engine sees to that).
#[must_use]
pub fn exemption(
    roll: Option<&ExemptionRoll>,
    blind: bool,
    problems: &[&Problem],
    before: &api::ExemptionStatus,
    generation: Option<i64>,
    now: Timestamp,
) -> api::ExemptionStatus {
    let mut conditions = Conditions::begin(&before.conditions, generation, now);
    conditions.ready(problems, || match roll {
        Some(roll) if roll.expired => {
            Verdict::new(Truth::True, "Expired", "its last day has passed; it excuses nothing")
        }
        _ => Verdict::reconciled(),
    });
    let conditions = conditions.finish();
    let Some(roll) = roll else {
        return api::ExemptionStatus { observed_generation: generation, conditions, ..before.clone() };
    };
    api::ExemptionStatus {
        observed_generation: generation,
        conditions,
        remaining: if blind { before.remaining } else { Some(int(roll.remaining)) },
        healed: roll.healed.iter().take(2_000).map(ToString::to_string).collect(),
    }
}
