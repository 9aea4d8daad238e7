//! The status of an Environment: its columns, its ledger, its biggest causes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rollcall_crds::conditions::{
    COMPLIANT, INVENTORY_FRESH, REGISTRATIONS_FRESH, RETIREMENT_ALLOWED, Truth, cut,
};
use rollcall_crds::v1alpha1::{
    CauseStatus, EnvironmentCheck, EnvironmentRole, EnvironmentStatus, EnvironmentSummary, Severity,
};
use rollcall_engine::finding::Cause;
use rollcall_engine::fleet::Problem;
use rollcall_engine::reading::Failure;
use rollcall_engine::rollcall::{EnvironmentRoll, Requirement, Tally};

use super::conditions::{Conditions, Verdict};
use super::progress::Progress;
use super::text::{count, int};

/// The status to be told. Without a roll only conditions change: what was counted before stays, with its generation.
#[must_use]
pub fn status(
    roll: Option<&EnvironmentRoll>,
    problems: &[&Problem],
    progress: Progress,
    before: &EnvironmentStatus,
    generation: Option<i64>,
    now: Timestamp,
) -> EnvironmentStatus {
    let mut conditions = Conditions::begin(&before.conditions, generation, now);
    let Some(roll) = roll else {
        conditions.ready(problems, || Verdict::new(Truth::Unknown, "NotJudged", "not judged yet"));
        return EnvironmentStatus {
            observed_generation: generation,
            conditions: conditions.finish(),
            ..before.clone()
        };
    };
    conditions.ready(problems, || Verdict::once_read(roll.sources_once_read, all_blind(roll)));
    conditions.set(INVENTORY_FRESH, &Verdict::fresh(inventory_blind(roll)));
    conditions.set(REGISTRATIONS_FRESH, &Verdict::fresh(registry_blind(roll)));
    conditions.set(COMPLIANT, &compliant(roll));
    let stops_none = roll.stops_none.map(|why| Verdict::stops_none(why, &roll.holds));
    conditions.set_while(RETIREMENT_ALLOWED, stops_none.as_ref());
    progress.tell(&mut conditions, &before.conditions);
    EnvironmentStatus {
        observed_generation: generation,
        conditions: conditions.finish(),
        summary: Some(summary(roll)),
        checks: checks(roll),
        roles: roles(roll),
        causes: roll.causes.iter().filter(|cause| cause.open > 0).take(20).map(cause).collect(),
    }
}

fn inventory_blind(roll: &EnvironmentRoll) -> impl Iterator<Item = (String, &Failure)> {
    roll.blind_inventories()
}

fn registry_blind(roll: &EnvironmentRoll) -> impl Iterator<Item = (String, &Failure)> {
    roll.registry_blind.iter().map(|(system, why)| (system.name.to_string(), why))
}

fn all_blind(roll: &EnvironmentRoll) -> impl Iterator<Item = (String, &Failure)> {
    inventory_blind(roll).chain(registry_blind(roll))
}

fn compliant(roll: &EnvironmentRoll) -> Verdict {
    match roll.compliant {
        Some(true) => Verdict::new(Truth::True, "NoCriticalFinding", ""),
        Some(false) => {
            let worst =
                roll.causes.iter().find(|cause| cause.severity == Severity::Critical && cause.open > 0);
            let message = worst.map(|cause| format!("{}: {}", cause.code, cause.message)).unwrap_or_default();
            Verdict::new(Truth::False, "CriticalFinding", &message)
        }
        None => {
            let source =
                all_blind(roll).next().map(|(source, why)| format!("{source}: {}", why.kind.as_str()));
            Verdict::new(Truth::Unknown, "SourceBlind", &source.unwrap_or_default())
        }
    }
}

fn summary(roll: &EnvironmentRoll) -> EnvironmentSummary {
    let inventory = roll.sees_hosts();
    let all = inventory && roll.registry_blind.is_empty();
    let tally = roll.tally;
    let sources = all_blind(roll).next().map_or_else(
        || "Fresh".to_owned(),
        |(source, why)| cut(&format!("{source}:{}", why.kind.as_str()), 128),
    );
    EnvironmentSummary {
        hosts: count(inventory, roll.hosts),
        covered: count(inventory, format!("{}/{}", tally.covered, tally.required)),
        missing: count(all, tally.missing),
        unknown: tally.unknown.to_string(),
        baseline: tally.baseline.to_string(),
        ghosts: count(all, roll.ghosts),
        unused: unused(roll),
        sources,
    }
}

/// Hosts that nobody uses and nobody keeps. Of a host whose activity is not read nobody knows whether it is one more.
fn unused(roll: &EnvironmentRoll) -> String {
    let known = roll.lean.filter(|lean| lean.unread == 0 && roll.sees_hosts());
    count(known.is_some(), known.unwrap_or_default().unused)
}

/// The first 200 rows of the ledger; two that would have one name are told apart by their namespaces.
fn checks(roll: &EnvironmentRoll) -> Vec<EnvironmentCheck> {
    let mut names = BTreeSet::new();
    let rows = roll.ledger.iter().take(200);
    rows.map(|(requirement, tally)| {
        let mut name = requirement.to_string();
        if !names.insert(name.clone()) {
            name = match requirement {
                Requirement::Registered(system) => format!("registered in {system}"),
                Requirement::Check(check) => check.to_string(),
            };
            names.insert(name.clone());
        }
        check(cut(&name, 320), tally, roll.missing(tally))
    })
    .collect()
}

fn check(name: String, tally: &Tally, missing: Option<u32>) -> EnvironmentCheck {
    EnvironmentCheck {
        check: name,
        applies: int(tally.required),
        covered: int(tally.covered),
        missing: missing.map(int),
        unknown: int(tally.unknown),
        excused: int(tally.settling + tally.exempt + tally.baseline),
    }
}

fn roles(roll: &EnvironmentRoll) -> Vec<EnvironmentRole> {
    let roles = roll.roles.iter().take(200);
    roles.map(|(role, hosts)| EnvironmentRole { role: role.to_string(), hosts: int(*hosts) }).collect()
}

fn cause(cause: &Cause) -> CauseStatus {
    CauseStatus {
        code: cause.code.to_string(),
        severity: Some(cause.severity),
        findings: int(cause.open),
        message: cut(&cause.message, 512),
        fix: cut(&cause.fix, 512),
    }
}
