//! Findings with one common reason become one sentence. This is what people read first: a legacy fleet's
//! first morning is fifteen lines, not 1,800.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rollcall_crds::v1alpha1::{CheckSubject, Severity};

use super::hosts::Judged;
use super::scene::Scene;
use super::tallies;
use crate::finding::{Cause, Code, Finding};
use crate::fleet::{Demand, Fleet};
use crate::ids::{AccountName, ObjectKey, RoleName};
use crate::limits::MAX_EXAMPLES;
use crate::text::{clean, count, few};

/// Arguments of commands that a cause's fix joins; more than these are left to the findings themselves.
const MAX_ARGUMENTS: usize = 10;

/// What findings of one cause have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Common<'f> {
    code: Code,
    check: Option<&'f ObjectKey>,
    system: Option<&'f ObjectKey>,
    role: Option<&'f RoleName>,
    account: Option<&'f AccountName>,
    /// Within RC0204: a monitor, not a check.
    is_monitor: bool,
}

/// Covered and judged rows by check, role and environment: what "0 of 171 linux hosts" is counted from. Only of checks
/// that a finding is about. Without a role: of hosts whatever they play, or of environments.
#[derive(Debug, Default)]
pub(super) struct Applied {
    rows: BTreeMap<(ObjectKey, Option<RoleName>), BTreeMap<ObjectKey, tallies::Judged>>,
}

impl Applied {
    /// Adds up the classes.
    pub(super) fn new(scene: &Scene<'_, '_>, judged: &Judged) -> Self {
        let mut applied = Self::default();
        let wanted: BTreeSet<&ObjectKey> =
            judged.findings.iter().filter_map(|finding| finding.check.as_ref()).collect();
        if wanted.is_empty() {
            return applied;
        }
        let ledgers = scene.pass.fleet.environments.iter().map(|environment| {
            let of = |entry: &crate::fleet::Entry| match &entry.requirement {
                super::Requirement::Check(check) => wanted.get(check).copied(),
                super::Requirement::Registered(_) => None,
            };
            environment.ledger.iter().map(of).collect()
        });
        let ledgers: Vec<Vec<Option<&ObjectKey>>> = ledgers.collect();
        for (class, entries) in scene.roles.classes.iter().zip(&judged.tallies.judged) {
            let Some(ledger) = ledgers.get(class.number) else { continue };
            for (entry, rows) in class.entries.iter().zip(entries) {
                let Some(check) = ledger.get(usize::from(entry.ledger)).copied().flatten() else { continue };
                let role = entry.through.and_then(|role| class.role_name(role));
                applied.add(check, role, &class.environment.key, *rows);
            }
        }
        let environments = scene.pass.fleet.environments.iter().zip(&judged.tallies.environments);
        for ((environment, tally), ledger) in environments.zip(&ledgers) {
            for ((entry, tally), check) in environment.ledger.iter().zip(&tally.ledger).zip(ledger) {
                if let (Demand::Environment(_), Some(check)) = (&entry.demand, check) {
                    let all = tally.required - tally.unknown;
                    let rows = tallies::Judged { covered: tally.covered, all };
                    applied.add(check, None, &environment.key, rows);
                }
            }
        }
        applied
    }

    fn add(&mut self, check: &ObjectKey, role: Option<RoleName>, of: &ObjectKey, rows: tallies::Judged) {
        let sum = self.rows.entry((check.clone(), role)).or_default().entry(of.clone()).or_default();
        sum.covered += rows.covered;
        sum.all += rows.all;
    }

    /// Covered of all, in one environment or over the fleet.
    fn of(
        &self,
        check: &ObjectKey,
        role: Option<&RoleName>,
        environment: Option<&ObjectKey>,
    ) -> tallies::Judged {
        let mut sum = tallies::Judged::default();
        for (key, rows) in self.rows.get(&(check.clone(), role.cloned())).into_iter().flatten() {
            if environment.is_none_or(|wanted| wanted == key) {
                sum.covered += rows.covered;
                sum.all += rows.all;
            }
        }
        sum
    }
}

/// Groups findings. `environment`: they are of this one, and counts are too.
pub(super) fn group<'f>(
    fleet: &Fleet,
    findings: impl Iterator<Item = &'f Finding>,
    applied: &Applied,
    environment: Option<&ObjectKey>,
) -> Vec<Cause> {
    let mut groups: BTreeMap<Common<'f>, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        groups.entry(common(finding)).or_default().push(finding);
    }
    let writer = Writer { fleet, applied, environment };
    let mut causes: Vec<Cause> =
        groups.into_iter().map(|(common, findings)| writer.cause(&common, &findings)).collect();
    causes.sort_by(|a, b| {
        (b.open.cmp(&a.open))
            .then(a.severity.cmp(&b.severity))
            .then(a.code.cmp(&b.code))
            .then(a.message.cmp(&b.message))
    });
    causes
}

/// Upkeep is one cause per code, whatever it is about: "7 checks are overdue for review" is one thing to do.
fn common(finding: &Finding) -> Common<'_> {
    let is_upkeep = matches!(
        finding.code,
        Code::ReviewOverdue | Code::ExemptionExpired | Code::NoOwner | Code::Shadowed | Code::UnknownRole
    );
    Common {
        code: finding.code,
        check: finding.check.as_ref().filter(|_| !is_upkeep),
        system: finding.system.as_ref().filter(|_| !is_upkeep),
        role: finding.role.as_ref().filter(|_| !is_upkeep),
        account: finding.account.as_ref(),
        is_monitor: matches!(finding.subject, crate::finding::Subject::Monitor(_)),
    }
}

struct Writer<'w> {
    fleet: &'w Fleet,
    applied: &'w Applied,
    environment: Option<&'w ObjectKey>,
}

impl Writer<'_> {
    fn cause(&self, common: &Common<'_>, findings: &[&Finding]) -> Cause {
        let open: Vec<&Finding> =
            findings.iter().copied().filter(|finding| finding.excuse.is_none()).collect();
        let shown = if open.is_empty() { findings } else { &open };
        let names = names(shown);
        Cause {
            code: common.code,
            severity: shown.iter().map(|finding| finding.severity).min().unwrap_or(Severity::Info),
            check: common.check.map(|key| key.name.to_string()),
            system: common.system.map(|key| key.name.to_string()),
            role: common.role.cloned(),
            open: open.len(),
            excused: findings.len() - open.len(),
            message: self.sentence(common, shown, &names),
            fix: fix(shown),
            since: shown.iter().map(|finding| finding.since).min().unwrap_or(jiff::Timestamp::MIN),
            examples: names.iter().take(MAX_EXAMPLES).map(ToString::to_string).collect(),
        }
    }

    /// The cause in one sentence, without its code.
    fn sentence(&self, common: &Common<'_>, findings: &[&Finding], names: &[Arc<str>]) -> String {
        let who = few(names, names.len(), 1);
        let three = few(names, names.len(), 3);
        let many = names.len();
        let first = findings.first().map_or("", |finding| &*finding.message);
        let product = common
            .system
            .and_then(|key| self.fleet.system(key))
            .map_or("", |s| s.endpoint.product().as_str());
        if let Some(check) = common.check {
            return self.check_sentence(common, check, findings, first);
        }
        match common.code {
            Code::NotRegistered => format!("{who} not in {product}"),
            Code::Silent if many == 1 => format!("{who} sends no data to {product}"),
            Code::Silent => format!("{who} send no data to {product}"),
            Code::Muted => format!("{who} switched off in {product}: {first}"),
            Code::RoleMismatch | Code::WrongStatus => format!("{who}: {first}"),
            Code::StoppedButWatched => format!("{who} stopped, and still watched in {product}"),
            Code::NotReadyInTime => format!("{who} not ready in time: {first}"),
            Code::Ghost => format!("{} in {product}: {three}", count(many, "ghost")),
            Code::Stranger
            | Code::InventoryBlind
            | Code::RegistryBlind
            | Code::ActivityBlind
            | Code::NotVerifiable
            | Code::SystemOff
            | Code::CheckMissing
            | Code::Weak
            | Code::Unheard
            | Code::AssertionFailed
            | Code::ParameterMissing => first.to_owned(),
            Code::Duplicate => format!("{who} registered more than once in {product}"),
            Code::Unrequired if common.is_monitor => {
                format!("{} in {product} that no RequiredCheck asks for: {three}", count(many, "monitor"))
            }
            Code::Unrequired => {
                format!("{} in {product} that no RequiredCheck asks for: {three}", count(many, "check"))
            }
            Code::Ambiguous => {
                format!("{} in {product} that may be several hosts: {three}", count(many, "registration"))
            }
            Code::Unused if many == 1 => format!("{who} looks unused: {first}"),
            Code::Unused => format!("{} look unused: {three}", count(many, "host")),
            Code::LongStopped => format!("{who} stopped for more than 30 days"),
            Code::Unclaimed => format!(
                "{} in account {} that no environment claims: {three}",
                count(many, "host"),
                account(common)
            ),
            Code::UnderCount | Code::OverCount => {
                format!("{} {three}: {first}", common.role.map_or("", RoleName::as_str))
            }
            Code::Contested => format!("{} claimed by several environments: {three}", count(many, "host")),
            Code::ReviewOverdue => format!("{} overdue for review: {three}", count(many, "required check")),
            Code::ExemptionExpired => format!("{} expired: {three}", count(many, "exemption")),
            Code::NoOwner => format!("{} without an owner: {three}", count(many, "environment")),
            Code::Shadowed => format!("{} hidden by a local one: {three}", count(many, "name")),
            Code::NoDuty => format!("{} without a duty: {three}", count(many, "host")),
            Code::UnknownRole => {
                format!("{} in tags that no HostRole describes: {three}", count(many, "role name"))
            }
        }
    }

    /// `"check-ntp" on 0 of 171 linux hosts`.
    fn check_sentence(
        &self,
        common: &Common<'_>,
        key: &ObjectKey,
        findings: &[&Finding],
        first: &str,
    ) -> String {
        let Some(check) = self.fleet.checks.get(key) else { return format!("{}: {first}", key.name) };
        let looks_for = &check.looks_for;
        let applied = self.applied.of(key, common.role, self.environment);
        let whom = match common.role {
            Some(role) => format!("{} host", clean(role.as_str())),
            None if check.subject == CheckSubject::Environment => "environment".to_owned(),
            None => "host".to_owned(),
        };
        let all = count(usize::try_from(applied.all).unwrap_or_default(), &whom);
        match common.code {
            Code::CheckMissing => format!("{looks_for} on {} of {all}", applied.covered),
            Code::Muted => format!("{looks_for} muted for {} of {all}", findings.len()),
            Code::Weak => format!("{looks_for} does not cover {} of {all}: {first}", findings.len()),
            Code::Unheard => format!("{looks_for} of {} of {all}: {first}", findings.len()),
            Code::AssertionFailed => format!("{} fails on {} of {all}: {first}", key.name, findings.len()),
            _ => format!("{}: {first}", key.name),
        }
    }
}

fn account(common: &Common<'_>) -> String {
    common.account.map(ToString::to_string).unwrap_or_default()
}

/// The names of the subjects, each once, in order; for counts of a role, the environments.
fn names(findings: &[&Finding]) -> Vec<Arc<str>> {
    let by_environment = |code| matches!(code, Code::UnderCount | Code::OverCount | Code::ParameterMissing);
    let mut seen = std::collections::BTreeSet::new();
    let mut names = Vec::new();
    for finding in findings {
        let name = match &finding.environment {
            Some(key) if by_environment(finding.code) => key.name.clone(),
            _ => finding.subject_name.clone(),
        };
        // Two hosts may bear one name: they are two.
        if seen.insert((name.clone(), &finding.subject)) {
            names.push(name);
        }
    }
    names.sort_by(|a, b| natural(a).cmp(&natural(b)));
    names
}

/// `app-2` before `app-10`.
fn natural(name: &str) -> (String, u64, &str) {
    let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (stem, number) = name.split_at(name.len() - digits);
    (stem.to_owned(), number.parse().unwrap_or_default(), name)
}

/// One fix for all: commands that differ in their last word alone are joined.
fn fix(findings: &[&Finding]) -> String {
    let Some(first) = findings.first() else { return String::new() };
    if findings.iter().all(|finding| finding.fix == first.fix) {
        return first.fix.to_string();
    }
    let split = |finding: &Finding| {
        finding.fix.rsplit_once(' ').map(|(command, word)| (command.to_owned(), word.to_owned()))
    };
    let Some((command, _)) = split(first) else { return first.fix.to_string() };
    let words: Option<Vec<String>> = findings
        .iter()
        .map(|finding| split(finding).filter(|(c, _)| *c == command).map(|(_, word)| word))
        .collect();
    match words {
        Some(mut words) => {
            words.dedup();
            let more = if words.len() > MAX_ARGUMENTS { " …" } else { "" };
            words.truncate(MAX_ARGUMENTS);
            format!("{command} {}{more}", words.join(" "))
        }
        None => format!("{} (likewise for the others)", first.fix),
    }
}
