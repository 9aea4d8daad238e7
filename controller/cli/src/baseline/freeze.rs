//! What a baseline freezes: every open finding about one host that is legacy, grouped by cause. Pure.
//!
//! What must stay open stays: what is unknown (it makes no finding), what is about an object or a source and not about a
//! host that could heal, `RC04xx` (excusing one would mean "keep this host"), new hosts, and whatever healed once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use rollcall_crds::v1alpha1::{Exemption, ExemptionSpec, ExemptionType, FindingMatch, Severity};
use rollcall_engine::finding::{Cause, Code, Finding, Subject};
use rollcall_engine::ids::{HostId, ObjectKey, RegistrationId};

use super::due;
use crate::exemption::key_of;
use crate::input::Decided;
use crate::write::take_name;

/// Hosts that one Exemption may list.
const MOST_HOSTS: usize = 2_000;
/// Longest name before a number is added: Kubernetes allows 253, and longer file names than 255 bytes do not exist.
const MOST_NAME: usize = 200;

/// The conditions of a baseline.
#[derive(Debug)]
pub struct Terms<'a> {
    /// Who answers for it.
    pub approver: &'a str,
    /// The day of the recording.
    pub today: Date,
    /// The day from which expiries are counted.
    pub from: Date,
    /// Weeks over which they are spread.
    pub weeks: u8,
}

/// What is frozen, and what is not.
#[derive(Debug, Default)]
pub struct Frozen {
    /// New Exemptions, the first due first within a namespace.
    pub lots: Vec<Lot>,
    /// What stays open, by cause, and why.
    pub open: Vec<Open>,
}

/// One new Exemption.
#[derive(Debug)]
pub struct Lot {
    /// Its namespace and name.
    pub key: ObjectKey,
    /// The object.
    pub exemption: Exemption,
    /// The cause, as a plan says it.
    pub cause: String,
    /// How a plan says to mend it.
    pub fix: String,
    /// Open findings that it covers.
    pub findings: usize,
    /// Its hosts, by the names people know.
    pub names: BTreeMap<HostId, Arc<str>>,
    /// Hosts by environment.
    pub environments: BTreeMap<Arc<str>, usize>,
    severity: Severity,
}

/// Findings of one cause that stay open.
#[derive(Debug)]
pub struct Open {
    /// Their code.
    pub code: Code,
    /// How many.
    pub findings: usize,
    /// The cause, as a plan says it.
    pub cause: String,
    /// How a plan says to mend it.
    pub fix: String,
    /// Why a baseline leaves it alone.
    pub why: &'static str,
}

/// Why findings of a code stay open; `None`: they may be frozen. A new code must be given its place here.
fn stays_open(code: Code) -> Option<&'static str> {
    match code {
        Code::NotRegistered
        | Code::CheckMissing
        | Code::Silent
        | Code::Muted
        | Code::Weak
        | Code::Unheard
        | Code::AssertionFailed
        | Code::RoleMismatch
        | Code::WrongStatus
        | Code::StoppedButWatched
        | Code::Ghost
        | Code::Duplicate
        | Code::NoDuty => None,
        Code::NotReadyInTime => Some("a new host is no legacy"),
        Code::Stranger | Code::Unrequired | Code::Ambiguous | Code::SystemOff => {
            Some("it is about a monitoring system, not about a host that could heal")
        }
        Code::Unused
        | Code::LongStopped
        | Code::Unclaimed
        | Code::UnderCount
        | Code::OverCount
        | Code::Contested => Some("to excuse it would say that the hosts are kept; decide that by hand"),
        Code::InventoryBlind | Code::RegistryBlind | Code::ActivityBlind | Code::NotVerifiable => {
            Some("what cannot be read is not accepted")
        }
        Code::ReviewOverdue
        | Code::ExemptionExpired
        | Code::NoOwner
        | Code::ParameterMissing
        | Code::Shadowed
        | Code::UnknownRole => Some("it is about an object in Git: mend it there"),
    }
}

const HEALED: &str = "it healed once under an earlier baseline; what comes back is new";
const HOMELESS: &str = "no host or namespace of it is known";

/// What tells one Exemption from another: causes, by namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    namespace: Arc<str>,
    code: Code,
    check: Option<Arc<str>>,
    system: Option<Arc<str>>,
    role: Option<String>,
}

impl Group {
    fn of(finding: &Finding) -> Option<Self> {
        let home = finding.environment.as_ref().or(finding.system.as_ref())?;
        Some(Self {
            namespace: Arc::clone(&home.namespace),
            code: finding.code,
            check: finding.check.as_ref().map(|key| Arc::clone(&key.name)),
            system: finding.system.as_ref().map(|key| Arc::clone(&key.name)),
            role: finding.role.as_ref().map(ToString::to_string),
        })
    }

    fn matches(&self) -> FindingMatch {
        FindingMatch {
            code: self.code.to_string(),
            check: self.check.as_deref().map(str::to_owned),
            role: self.role.clone(),
            system: self.system.as_deref().map(str::to_owned),
        }
    }

    /// `baseline-rc0102-ntp-mackerel-linux`.
    fn name(&self) -> String {
        let code = self.code.as_str().to_lowercase();
        let parts = [self.check.as_deref(), self.system.as_deref(), self.role.as_deref()];
        let mut name = format!("baseline-{code}");
        for part in parts.into_iter().flatten() {
            name.push('-');
            name.push_str(part);
        }
        let cut: String = name.chars().take(MOST_NAME).collect();
        cut.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
    }
}

/// Decides what is frozen, in one environment or everywhere.
pub fn freeze(decided: &Decided, terms: &Terms<'_>, environment: Option<&str>) -> Frozen {
    let clerk = Clerk::new(decided);
    let mut groups: BTreeMap<Group, Vec<(HostId, &Finding)>> = BTreeMap::new();
    let mut open: BTreeMap<(usize, &'static str), usize> = BTreeMap::new();
    for finding in &decided.roll.findings {
        let is_asked =
            environment.is_none_or(|name| finding.environment.as_ref().is_some_and(|key| &*key.name == name));
        if !is_asked || !finding.excuse.is_none() {
            continue;
        }
        match clerk.place(finding) {
            Ok((group, host)) => groups.entry(group).or_default().push((host, finding)),
            Err(why) => *open.entry((clerk.cause(finding), why)).or_default() += 1,
        }
    }
    let mut lots = Vec::new();
    let mut taken = clerk.taken();
    for (group, findings) in &groups {
        lots.extend(clerk.lots(group, findings, terms, &mut taken));
    }
    set_due(&mut lots, terms);
    Frozen { lots, open: clerk.open(&open) }
}

/// Who knows what stands in the readings and in Git.
struct Clerk<'d> {
    decided: &'d Decided,
    /// Hosts of registrations, by system.
    registered: BTreeMap<(&'d ObjectKey, &'d RegistrationId), &'d HostId>,
}

impl<'d> Clerk<'d> {
    fn new(decided: &'d Decided) -> Self {
        let mut registered = BTreeMap::new();
        for (system, memory) in &decided.remembered.systems {
            for (host, registrations) in &memory.registrations {
                registered.extend(registrations.iter().map(|id| ((system, id), host)));
            }
        }
        Self { decided, registered }
    }

    /// The group and host that a finding is frozen under, or why it stays open.
    fn place(&self, finding: &Finding) -> Result<(Group, HostId), &'static str> {
        if let Some(why) = stays_open(finding.code) {
            return Err(why);
        }
        let group = Group::of(finding).ok_or(HOMELESS)?;
        let host = self.host(finding).ok_or(HOMELESS)?;
        if self.healed(&group, host) { Err(HEALED) } else { Ok((group, host.clone())) }
    }

    fn host(&self, finding: &'d Finding) -> Option<&'d HostId> {
        match &finding.subject {
            Subject::Host(host) => Some(host),
            Subject::Registration(id) => self.registered.get(&(finding.system.as_ref()?, id)).copied(),
            _ => None,
        }
    }

    /// Did this finding go away once under a baseline about the same?
    fn healed(&self, group: &Group, host: &HostId) -> bool {
        let matches = group.matches();
        self.decided.recording.desired.exemptions.iter().any(|exemption| {
            let namespace = exemption.metadata.namespace.as_deref();
            exemption.spec.type_ == ExemptionType::Baseline
                && namespace == Some(&*group.namespace)
                && exemption.spec.match_ == matches
                && key_of(exemption)
                    .and_then(|key| self.decided.roll.exemptions.get(&key))
                    .is_some_and(|roll| roll.healed.contains(host))
        })
    }

    /// Names that a new Exemption must not have: those that exist, and those whose healed hosts are remembered.
    fn taken(&self) -> BTreeSet<ObjectKey> {
        let exemptions = self.decided.recording.desired.exemptions.iter().filter_map(key_of);
        exemptions.chain(self.decided.recording.memory.healed.keys().cloned()).collect()
    }

    /// Where the cause of a finding stands among all causes.
    fn cause(&self, finding: &Finding) -> usize {
        let is_its = |cause: &Cause| {
            cause.code == finding.code
                && (cause.check.is_none()
                    || cause.check.as_deref() == finding.check.as_ref().map(|key| &*key.name))
                && (cause.system.is_none()
                    || cause.system.as_deref() == finding.system.as_ref().map(|key| &*key.name))
                && (cause.role.is_none() || cause.role == finding.role)
        };
        self.decided.roll.causes.iter().position(is_its).unwrap_or(usize::MAX)
    }

    /// The Exemptions of one group: more than one where it has too many hosts.
    fn lots(
        &self,
        group: &Group,
        findings: &[(HostId, &Finding)],
        terms: &Terms<'_>,
        taken: &mut BTreeSet<ObjectKey>,
    ) -> Vec<Lot> {
        let mut by_host: BTreeMap<&HostId, Vec<&Finding>> = BTreeMap::new();
        for (host, finding) in findings {
            by_host.entry(host).or_default().push(finding);
        }
        let by_host: Vec<_> = by_host.into_iter().collect();
        by_host.chunks(MOST_HOSTS).map(|hosts| self.lot(group, hosts, terms, taken)).collect()
    }

    fn lot(
        &self,
        group: &Group,
        hosts: &[(&HostId, Vec<&Finding>)],
        terms: &Terms<'_>,
        taken: &mut BTreeSet<ObjectKey>,
    ) -> Lot {
        let findings = || hosts.iter().flat_map(|(_, findings)| findings.iter().copied());
        let key = free_name(group, taken);
        let spec = ExemptionSpec {
            type_: ExemptionType::Baseline,
            match_: group.matches(),
            hosts: Some(in_order(hosts)),
            reason: format!("baseline of {}: accepted as found, not reviewed", terms.today),
            approver: terms.approver.to_owned(),
            expires: terms.from.to_string(),
        };
        let mut exemption = Exemption::new(&key.name, spec);
        exemption.metadata.namespace = Some(key.namespace.to_string());
        let mut environments: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for finding in hosts.iter().filter_map(|(_, findings)| findings.first()) {
            if let Some(environment) = &finding.environment {
                *environments.entry(Arc::clone(&environment.name)).or_default() += 1;
            }
        }
        let cause = findings().next().and_then(|first| self.decided.roll.causes.get(self.cause(first)));
        Lot {
            key,
            exemption,
            cause: cause.map(|cause| cause.message.clone()).unwrap_or_default(),
            fix: cause.map(|cause| cause.fix.clone()).unwrap_or_default(),
            findings: findings().count(),
            names: hosts
                .iter()
                .filter_map(|(host, of)| Some(((*host).clone(), of.first()?.subject_name.clone())))
                .collect(),
            environments,
            severity: findings().map(|finding| finding.severity).min().unwrap_or(Severity::Info),
        }
    }

    fn open(&self, open: &BTreeMap<(usize, &'static str), usize>) -> Vec<Open> {
        open.iter()
            .filter_map(|((cause, why), findings)| {
                let cause = self.decided.roll.causes.get(*cause)?;
                let (message, fix) = (cause.message.clone(), cause.fix.clone());
                Some(Open { code: cause.code, findings: *findings, cause: message, fix, why })
            })
            .collect()
    }
}

/// Hosts as a reviewer looks for them: by name, and by id where several bear one.
fn in_order(hosts: &[(&HostId, Vec<&Finding>)]) -> Vec<String> {
    let mut named: Vec<_> =
        hosts.iter().map(|(host, of)| (of.first().map(|finding| &finding.subject_name), *host)).collect();
    named.sort();
    named.into_iter().map(|(_, host)| host.to_string()).collect()
}

/// The first name of a group that nobody has.
fn free_name(group: &Group, taken: &mut BTreeSet<ObjectKey>) -> ObjectKey {
    let key = |name: &str| ObjectKey::new(&group.namespace, name);
    key(&take_name(&group.name(), |name| taken.insert(key(name))))
}

/// Gives every Exemption its last day: within a namespace the worst is due first, then the biggest.
fn set_due(lots: &mut [Lot], terms: &Terms<'_>) {
    lots.sort_by(|a, b| {
        (a.key.namespace.cmp(&b.key.namespace))
            .then(a.severity.cmp(&b.severity))
            .then(b.findings.cmp(&a.findings))
            .then(a.key.cmp(&b.key))
    });
    for of_namespace in lots.chunk_by_mut(|a, b| a.key.namespace == b.key.namespace) {
        let days = due::spread(of_namespace.len(), terms.from, terms.weeks);
        for (lot, day) in of_namespace.iter_mut().zip(days) {
            lot.exemption.spec.expires = day.to_string();
        }
    }
}
