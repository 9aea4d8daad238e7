//! Host by host: its state, its rows, its findings, and what to remember of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use rollcall_crds::v1alpha1::{HostState, Severity};

use super::assertions;
use super::claims::Claimed;
use super::coverage::{HostRows, Rater};
use super::exemptions::{About, Exemptions};
use super::host_findings::{Clerk, HostFinding, Note};
use super::listed::{Life, Listed};
use super::phrases::Phrases;
use super::population::HostView;
use super::reasons::{NOT_JUDGED, Reasons};
use super::registries::SystemView;
use super::remedy::{look_command, tag_command};
use super::roles::Class;
use super::scene::Scene;
use super::settle::{Newcomer, Stage, stage};
use super::since::{self, KeySubject, Sinces};
use super::standing::{Pulse, Standing};
use super::tallies::Tallies;
use super::usage::{self, Usage};
use super::{Coverage, HostRoll, Reason, Requirement, Row};
use crate::finding::{Code, Excuse, Finding};
use crate::fleet::{CheckDemand, Demand, Exemption};
use crate::ids::{HostId, ObjectKey};
use crate::lean::Use;
use crate::limits::LONG_STOPPED;
use crate::memory::HostMemory;
use crate::reading::{Failure, FailureKind};

/// What was decided about every host, in the order of the population.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) rolls: Vec<(HostId, HostRoll)>,
    pub(super) memories: Vec<HostMemory>,
    pub(super) findings: Vec<Finding>,
    pub(super) tallies: Tallies,
}

/// What one host comes to.
pub(super) struct Outcome {
    pub(super) state: HostState,
    pub(super) settles_at: Option<Timestamp>,
    pub(super) rows: Arc<[Row]>,
    /// Its findings as far as they are shown, each with its time already.
    findings: Vec<Finding>,
    pub(super) ready_for_launch: Option<Timestamp>,
    pub(super) usage: Usage,
    /// Systems that are switched off as a whole and would watch it, and how bad that is.
    off: Vec<(usize, Severity)>,
    /// Since when each of them stands, to be remembered.
    pub(super) sinces: BTreeMap<Arc<str>, Timestamp>,
}

/// Judges all hosts.
pub(super) fn judge<'a>(
    scene: &Scene<'_, 'a>,
    rater: &mut Rater<'_, 'a>,
    exemptions: &mut Exemptions<'a>,
    reasons: &mut Reasons,
    phrases: &mut Phrases,
) -> Judged {
    let hosts = scene.population.hosts.len();
    let mut judged = Judged {
        rolls: Vec::with_capacity(hosts),
        memories: Vec::with_capacity(hosts),
        findings: Vec::new(),
        tallies: Tallies::new(scene.pass, &scene.roles.classes),
    };
    let no_rows: Arc<[Row]> = Arc::from([]);
    for (number, host) in scene.population.hosts.iter().enumerate() {
        let class = scene.class(number);
        let clerk = Clerk { pass: scene.pass, systems: scene.systems, phrases };
        let mut bench = Bench { scene, rater, exemptions, reasons, clerk, no_rows: &no_rows };
        let outcome = bench.outcome(number, host, class.map(|(_, class)| class));
        if let Some((class_number, class)) = class {
            for (system, severity) in &outcome.off {
                judged.tallies.off(class.number, *system, *severity);
            }
            let runs = if host.may_run() { None } else { Some(host.is_running()) };
            judged.tallies.host(class_number, class, outcome.state, runs, &outcome.rows);
            if let Some(used) = &outcome.usage.is {
                judged.tallies.usage(class.number, used, outcome.state != HostState::Unused);
            }
        }
        if let Some(Claimed::Contested(by)) = scene.claims.get(number) {
            judged.tallies.contested(by);
        }
        let memory = scene.remember(number, host, &outcome, phrases);
        judged.rolls.push((host.id.clone(), scene.roll(number, host, &memory, &outcome)));
        judged.memories.push(memory);
        judged.findings.extend(outcome.findings);
    }
    judged
}

/// Where one host is judged.
struct Bench<'b, 'p, 'r, 'a> {
    scene: &'b Scene<'p, 'a>,
    rater: &'b mut Rater<'r, 'a>,
    exemptions: &'b mut Exemptions<'a>,
    reasons: &'b mut Reasons,
    clerk: Clerk<'b, 'a>,
    no_rows: &'b Arc<[Row]>,
}

impl<'a> Bench<'_, '_, '_, 'a> {
    fn outcome(&mut self, number: usize, host: &HostView<'a>, class: Option<&Class<'a>>) -> Outcome {
        let claimed = self.scene.claims.get(number);
        let life = host.life().filter(|_| host.seen);
        match (class, life) {
            (Some(class), Some(Life::Running | Life::Starting)) => self.running(number, host, class),
            (Some(class), Some(Life::Stopped)) => self.stopped(number, host, class),
            (Some(class), _) => self.unseen(host, class),
            (None, Some(_)) if !host.may_run() => self.unowned(host, claimed),
            (None, _) => self.silent_about(host, state_of(host, claimed)),
        }
    }

    /// A host that is there and runs: every row is judged.
    fn running(&mut self, number: usize, host: &HostView<'a>, class: &Class<'a>) -> Outcome {
        let mut rated = self.rater.rate(number, class, self.reasons);
        let failed = self.asserted(host, class, &mut rated.rows);
        let mut found = self.clerk.of_running(host, class, &rated);
        found.extend(self.clerk.of_assertions(host, class, failed));
        found.extend(self.duplicates(number, host, class, &rated));
        for found in &mut found {
            excuse(self.exemptions, &mut found.finding, host, class);
        }
        let newcomer = self.newcomer(host, class);
        let off = self.clerk.off(class, &rated.lacking);
        // What is not enforced yet keeps nobody from being in order, and what nobody hears of puts nobody in order.
        let now = self.scene.pass.now;
        let is_enforced = |row: &Row| {
            let entry = class.environment.ledger.get(usize::from(row.requirement));
            entry.is_none_or(|entry| entry.is_enforced(now))
        };
        let mut enforced = rated.rows.iter().filter(|row| is_enforced(row));
        let is_unknown = !off.is_empty()
            || enforced.any(|row| matches!(row.coverage, Coverage::Unknown(_)))
            || !rated.standings.iter().all(|(_, standing)| standing.is_whole());
        let is_in_order = !is_unknown && found.iter().all(|found| !found.finding.excuse.is_none());
        let ready_for_launch = if is_in_order { Some(newcomer.launch) } else { newcomer.ready_for };
        let phase = stage(Newcomer { ready_for: ready_for_launch, ..newcomer }, self.scene.pass.now);
        mark(&mut rated.rows, &found, matches!(phase, Stage::Settling(_)));
        let mut sinces = Sinces::new(host.memory.map_or(&since::NOTHING, |memory| &memory.findings));
        let mut findings = match phase {
            Stage::Settling(_) => Vec::new(),
            Stage::Ordinary => {
                self.stamp(found.into_iter().map(|found| found.finding).collect(), &mut sinces)
            }
            Stage::NotReady(since) => self.one_finding(host, class, found, since, &mut sinces),
        };
        sinces.keep(|key| is_unjudged(key, class, &rated, self.rater.systems));
        let usage = usage::of(self.scene, host, class);
        let (state, settles_at) = match phase {
            Stage::Settling(ends) => (HostState::Settling, Some(ends)),
            Stage::NotReady(_) | Stage::Ordinary => (self.unused(host, class, &usage, &mut findings), None),
        };
        let off = match phase {
            Stage::Settling(_) => Vec::new(),
            Stage::Ordinary | Stage::NotReady(_) => off,
        };
        let rows = rated.rows;
        let sinces = sinces.into_memory();
        Outcome { state, settles_at, rows, findings, ready_for_launch, usage, off, sinces }
    }

    /// Tells of a host that runs and looks unused. Whoever keeps it says so by an exemption; frozen debt keeps nobody.
    fn unused(
        &mut self,
        host: &HostView<'a>,
        class: &Class<'a>,
        usage: &Usage,
        findings: &mut Vec<Finding>,
    ) -> HostState {
        let Some(Use::Idle(idle)) = &usage.is else { return HostState::Active };
        let Some(mut finding) = self.clerk.unused(host, class, idle) else { return HostState::Active };
        excuse(self.exemptions, &mut finding, host, class);
        let is_kept = matches!(finding.excuse, Excuse::Exempt(_));
        findings.push(finding);
        if is_kept { HostState::Active } else { HostState::Unused }
    }

    /// What checks assert of the host itself: each host has rows of its own then, whoever stands alike. Gives the rows that
    /// failed, and what is otherwise.
    fn asserted(
        &mut self,
        host: &HostView<'a>,
        class: &Class<'a>,
        rows: &mut Arc<[Row]>,
    ) -> Vec<(usize, String)> {
        let mut failed = Vec::new();
        let place = self.scene.places.get(host.place);
        let (Some(listed), Some(place)) = (host.listed, place) else { return failed };
        for (number, entry) in class.entries.iter().enumerate() {
            let entry = class.environment.ledger.get(usize::from(entry.ledger));
            let Some(Demand::Check(CheckDemand { wish: Some(wish), fault: None, .. })) =
                entry.map(|entry| &entry.demand)
            else {
                continue;
            };
            let judged = assertions::of_host(self.scene.pass, wish, listed, &place.place, self.reasons);
            let coverage = judged.unwrap_or_else(|what| {
                failed.push((number, what));
                Coverage::Failed
            });
            if let Some(row) = Arc::make_mut(rows).get_mut(number) {
                row.coverage = coverage;
            }
        }
        failed
    }

    /// A host that is stopped is not judged for coverage: only whether it is still watched, and for how long it has stood.
    fn stopped(&mut self, number: usize, host: &HostView<'a>, class: &Class<'a>) -> Outcome {
        let standings = self.rater.standings(number, class, self.reasons);
        let watched = self.clerk.of_stopped(host, class, &standings);
        let mut sinces = Sinces::new(host.memory.map_or(&since::NOTHING, |memory| &memory.findings));
        let mut findings = self.stamp(watched, &mut sinces);
        findings.extend(self.long_stopped(host, class));
        for finding in &mut findings {
            excuse(self.exemptions, finding, host, class);
        }
        sinces.keep(|key| {
            key.starts_with(Code::StoppedButWatched.as_str())
                && is_blind_in(key, &standings, self.rater.systems)
        });
        Outcome { findings, sinces: sinces.into_memory(), ..self.silent_about(host, HostState::Stopped) }
    }

    /// A host we cannot see, or of which nothing may be said while it is changed: every row is unknown, and nothing that
    /// was said is taken back.
    fn unseen(&mut self, host: &HostView<'a>, class: &Class<'a>) -> Outcome {
        let reason = self.why_unseen(host);
        let row = |ledger| Row { requirement: ledger, coverage: Coverage::Unknown(reason) };
        if host.is_stopped() {
            return self.silent_about(host, HostState::Stopped);
        }
        let rows = class.entries.iter().map(|entry| row(entry.ledger)).collect();
        match host.listed.map(|_| stage(self.newcomer(host, class), self.scene.pass.now)) {
            _ if host.listed.is_some_and(Listed::is_being_made) => {
                Outcome { rows, ..self.silent_about(host, HostState::Settling) }
            }
            Some(Stage::Settling(ends)) => {
                Outcome { rows, settles_at: Some(ends), ..self.silent_about(host, HostState::Settling) }
            }
            _ => Outcome { rows, ..self.silent_about(host, HostState::Active) },
        }
    }
}

impl<'a> Bench<'_, '_, '_, 'a> {
    /// A host that no environment has for itself.
    fn unowned(&mut self, host: &HostView<'a>, claimed: Option<&Claimed>) -> Outcome {
        let findings = match claimed {
            Some(Claimed::Contested(by)) => self.contested(host, by),
            Some(Claimed::Nobody) => self.unclaimed(host).into_iter().collect(),
            _ => return self.silent_about(host, state_of(host, claimed)),
        };
        let mut sinces = Sinces::new(host.memory.map_or(&since::NOTHING, |memory| &memory.findings));
        let findings = self.stamp(findings, &mut sinces);
        Outcome { findings, sinces: sinces.into_memory(), ..self.silent_about(host, state_of(host, claimed)) }
    }

    /// One finding for each environment that claims it; an environment of another namespace stays unnamed.
    fn contested(&mut self, host: &HostView<'a>, by: &[usize]) -> Vec<Finding> {
        let environments = &self.scene.pass.fleet.environments;
        let claimants: Vec<&ObjectKey> =
            by.iter().filter_map(|n| environments.get(*n)).map(|e| &e.key).collect();
        let mut findings = Vec::new();
        for key in &claimants {
            let others = claimants.iter().filter(|other| other != &key).map(|other| {
                if other.namespace == key.namespace {
                    other.name.to_string()
                } else {
                    "one of another namespace".to_owned()
                }
            });
            let others: Vec<String> = others.collect();
            let message = format!(
                "expected one environment to claim it, found {} and {}",
                key.name,
                others.join(" and ")
            );
            let fix = "narrow the selector of one of the two: kubectl edit rcenv";
            let note = Note::new(Code::Contested, Severity::Warning, message, fix);
            let mut finding = self.clerk.about(host, Some(key), note);
            let about = About { namespace: &key.namespace, host: Some(host.id), plays: &|_| false };
            self.exemptions.excuse(&mut finding, about);
            findings.push(finding);
        }
        findings
    }

    /// What AWS or a fleet manages belongs to its manager, and needs no environment.
    fn unclaimed(&mut self, host: &HostView<'a>) -> Option<Finding> {
        if host.listed?.is_managed() {
            return None;
        }
        let tag = tag_command(host, "KEY", "VALUE");
        let fix = format!("widen the selector of an Environment, or tag it so that one matches: {tag}");
        let message = "expected an environment to claim it, found none";
        let mut finding =
            self.clerk.about(host, None, Note::new(Code::Unclaimed, Severity::Warning, message, fix));
        finding.account = self.scene.places.get(host.place).map(|place| place.account.name.clone());
        Some(finding)
    }

    /// What is said of a host about which nothing can or need be said: the times of its findings stay.
    fn silent_about(&self, host: &HostView<'a>, state: HostState) -> Outcome {
        Outcome {
            state,
            settles_at: None,
            rows: Arc::clone(self.no_rows),
            findings: Vec::new(),
            off: Vec::new(),
            ready_for_launch: host.memory.and_then(|memory| memory.ready_for_launch),
            usage: Usage {
                is: None,
                memory: host.memory.and_then(|memory| memory.used.clone()),
                spared_on: host.memory.and_then(|memory| memory.spared_on),
            },
            sinces: host.memory.map(|memory| memory.findings.clone()).unwrap_or_default(),
        }
    }

    /// Why the rows of a host are unknown as a whole.
    fn why_unseen(&mut self, host: &HostView<'a>) -> Reason {
        let place = self.scene.places.get(host.place);
        if let Some(listed) = host.listed.filter(|_| host.seen) {
            let clusters = place.and_then(|place| place.clusters.blind.as_ref());
            return self.reasons.number(&listed.why_unclear(clusters));
        }
        if let Some(failure) = place.and_then(|place| place.listing(host.id).blind.as_ref()) {
            return self.reasons.number(failure);
        }
        match host.absent_since {
            Some(_) => {
                let message = "not in the last complete listing; a second one, some minutes later, must agree before it is gone";
                self.reasons.number(&Failure::new(FailureKind::NotYetRead, message))
            }
            None => NOT_JUDGED,
        }
    }

    fn newcomer(&self, host: &HostView<'a>, class: &Class<'a>) -> Newcomer {
        let launch = host.listed.and_then(Listed::launched).unwrap_or(Timestamp::MIN);
        Newcomer {
            launch,
            settle: class.environment.settle,
            ready_for: host.memory.and_then(|memory| memory.ready_for_launch),
            joined: self.scene.joined(host),
            is_pending: host.life() == Some(Life::Starting),
        }
    }

    /// Registered more than once in one system.
    fn duplicates(
        &mut self,
        number: usize,
        host: &HostView<'a>,
        class: &Class<'a>,
        rated: &HostRows<'a>,
    ) -> Vec<HostFinding> {
        let mut found = Vec::new();
        for (system_number, standing) in &rated.standings {
            let system = self.rater.systems.get(*system_number);
            let (Some(system), Standing::Once(_) | Standing::Several(_)) = (system, standing) else {
                continue;
            };
            let registrations = self.scene.registrations(number, *system_number);
            if registrations.len() > 1 {
                let note = super::excess::duplicate(self.scene.pass, system, &registrations, self.reasons);
                let finding = self.clerk.about(host, Some(&class.environment.key), note);
                found.push(HostFinding { finding, rows: Vec::new() });
            }
        }
        found
    }

    fn long_stopped(&mut self, host: &HostView<'a>, class: &Class<'a>) -> Option<Finding> {
        let since = self.scene.stopped_since(host)?;
        let overdue = since.saturating_add(LONG_STOPPED).ok()?;
        if self.scene.pass.now < overdue {
            return None;
        }
        let message = format!("stopped since {}", since.strftime("%Y-%m-%d"));
        let name = crate::text::argument(&super::host_findings::host_name(host));
        let fix = format!(
            "start it, give it up when nobody misses it, or keep it: rollcall keep {name} --until DATE; {}",
            look_command(host)
        );
        let note = Note::new(Code::LongStopped, Severity::Warning, message, fix);
        let mut finding = self.clerk.about(host, Some(&class.environment.key), note);
        finding.since = since;
        Some(finding)
    }

    /// Gives findings their times.
    fn stamp(&mut self, mut findings: Vec<Finding>, sinces: &mut Sinces<'_>) -> Vec<Finding> {
        for finding in &mut findings {
            let key = self.clerk.phrases.share(since::key_of(finding));
            finding.since = sinces.stamp(key, self.scene.pass.now);
        }
        findings
    }

    /// A new host that is not ready in time: one finding that lists what it lacks. What is excused stays apart.
    fn one_finding(
        &mut self,
        host: &HostView<'a>,
        class: &Class<'a>,
        found: Vec<HostFinding>,
        since: Timestamp,
        sinces: &mut Sinces<'_>,
    ) -> Vec<Finding> {
        let (open, excused): (Vec<Finding>, Vec<Finding>) =
            found.into_iter().map(|found| found.finding).partition(|finding| finding.excuse.is_none());
        let mut findings = self.stamp(excused, sinces);
        let Some(first) = open.iter().min_by_key(|finding| (finding.severity, finding.code)) else {
            return findings;
        };
        let lacks: Vec<String> =
            open.iter().map(|finding| format!("{} {}", finding.code, finding.message)).collect();
        let lacks = crate::text::few(&lacks, lacks.len(), crate::limits::MAX_EXAMPLES);
        let minutes = class.environment.settle.as_mins();
        let message = format!("expected to be in order {minutes} minutes after its launch, found: {lacks}");
        let note = Note::new(Code::NotReadyInTime, first.severity, message, first.fix.to_string());
        let mut finding = self.clerk.about(host, Some(&class.environment.key), note);
        excuse(self.exemptions, &mut finding, host, class);
        finding.since = since;
        findings.push(finding);
        findings
    }
}

fn excuse(exemptions: &mut Exemptions<'_>, finding: &mut Finding, host: &HostView<'_>, class: &Class<'_>) {
    let plays = |role: &str| class.plays(role);
    let namespace = &class.environment.key.namespace;
    exemptions.excuse(finding, About { namespace, host: Some(host.id), plays: &plays });
}

/// Rows whose finding is excused, or that may still settle, say so.
fn mark(rows: &mut Arc<[Row]>, found: &[HostFinding], is_settling: bool) {
    for found in found {
        let coverage = match (&found.finding.excuse, is_settling) {
            (Excuse::Exempt(_), _) => Coverage::Exempt,
            (Excuse::Baseline(_), _) => Coverage::Baseline,
            (Excuse::None, true) => Coverage::Settling,
            (Excuse::None, false) => continue,
        };
        // Rows are shared with hosts that stand alike: only here do they part.
        let own = Arc::make_mut(rows);
        for row in &found.rows {
            if let Some(row) = own.get_mut(*row) {
                row.coverage = coverage;
            }
        }
    }
}

/// Where a host stands that no environment has for itself.
fn state_of(host: &HostView<'_>, claimed: Option<&Claimed>) -> HostState {
    match claimed {
        Some(Claimed::Contested(_)) => HostState::Contested,
        Some(Claimed::Nobody) => HostState::Unclaimed,
        _ if host.is_stopped() => HostState::Stopped,
        _ => HostState::Active,
    }
}

/// Could the subject of this key not be judged?
fn is_unjudged(key: &str, class: &Class<'_>, rated: &HostRows<'_>, systems: &[SystemView<'_>]) -> bool {
    match since::subject_of(key) {
        KeySubject::Check(check) => rated.rows.iter().any(|row| {
            let entry = class.environment.ledger.get(usize::from(row.requirement));
            let is_it = entry.is_some_and(
                |entry| matches!(&entry.requirement, Requirement::Check(key) if key.to_string() == check),
            );
            is_it && matches!(row.coverage, Coverage::Unknown(_))
        }),
        KeySubject::System(_) => is_blind_in(key, &rated.standings, systems),
        KeySubject::Host => class.environment.book.doubted,
    }
}

/// Could nobody tell how the host stands in the system of this key?
fn is_blind_in(key: &str, standings: &[(usize, Standing<'_>)], systems: &[SystemView<'_>]) -> bool {
    let KeySubject::System(wanted) = since::subject_of(key) else { return false };
    let of = standings
        .iter()
        .find(|(number, _)| systems.get(*number).is_some_and(|s| s.system.key.to_string() == wanted));
    match of.map(|(_, standing)| standing) {
        Some(Standing::Once(post)) => matches!(post.pulse, Pulse::Unknown(_)) || post.is_watched.is_err(),
        Some(Standing::Absent) | None => false,
        Some(Standing::Unknown(_) | Standing::Several(_) | Standing::Glimpsed(..)) => true,
    }
}

/// Was this host judged so completely that a finding which was not found is not there? It runs and is past its settling, every listing of
/// hosts in which it may stand is whole, and every row that could hold the finding was judged.
pub(super) fn proves(scene: &Scene<'_, '_>, judged: &Judged, exemption: &Exemption, host: &HostId) -> bool {
    let Ok(number) = scene.population.hosts.binary_search_by(|view| view.id.cmp(host)) else { return false };
    let (Some(view), Some((_, class))) = (scene.population.hosts.get(number), scene.class(number)) else {
        return false;
    };
    let Some((_, roll)) = judged.rolls.get(number) else { return false };
    if !view.is_running()
        || !matches!(roll.state, HostState::Active | HostState::Unused)
        || class.environment.key.namespace != exemption.key.namespace
        || class.environment.book.doubted
    {
        return false;
    }
    let is_listed = |system: &usize| scene.systems.get(*system).is_some_and(|s| s.hosts.proof.is_some());
    if !class.environment.systems.iter().all(is_listed) {
        return false;
    }
    // While a system is switched off as a whole its rows make no findings of their own, and so do rows that are only counted.
    if judged.tallies.off.keys().any(|(environment, _)| *environment == class.number) {
        return false;
    }
    if exemption.code == Code::Unused {
        return matches!(roll.used, Some(Use::Active(_)));
    }
    let is_known = |row: &Row| {
        let entry = class.environment.ledger.get(usize::from(row.requirement));
        let is_enforced = entry.is_none_or(|entry| entry.is_enforced(scene.pass.now));
        is_enforced && !matches!(row.coverage, Coverage::Unknown(_))
    };
    let Some(check) = &exemption.check else { return roll.rows.iter().all(is_known) };
    let requires = |row: &&Row| {
        let entry = class.environment.ledger.get(usize::from(row.requirement));
        entry.is_some_and(|entry| matches!(&entry.requirement, Requirement::Check(key) if key.name == *check))
    };
    roll.rows.iter().find(requires).is_some_and(is_known)
}
