//! What is wrong with one host, in as few findings as are true.
//!
//! A host that is not registered, switched off or silent in a system lacks everything there at once: that is one finding
//! (RC0101, RC0107 or RC0104, RC0103), as bad as the worst row it explains, and those rows make none of their own. So a host without an agent
//! reads as one line and not as fourteen, also where the environment asks for registration only because checks do. Only what is wrong with a single check is a
//! finding of that check (RC0102, RC0104, RC0105).

use std::sync::Arc;

use rollcall_crds::v1alpha1::Severity;

use super::Pass;
use super::coverage::HostRows;
use super::phrases::Phrases;
use super::population::HostView;
use super::registries::SystemView;
use super::remedy;
use super::roles::Class;
use super::stand::Stand;
use super::standing::{Post, Standing};
use super::verdict::{Because, Lack, Lacking};
use crate::finding::{Code, Excuse, Finding, Subject};
use crate::fleet::{Demand, Look};
use crate::ids::{ObjectKey, RoleName};
use crate::registry::{Product, RegistrationStatus, Scope};
use crate::text::{argument, clean};

/// A finding about a host, and the rows that it explains.
#[derive(Debug)]
pub(super) struct HostFinding {
    pub(super) finding: Finding,
    /// Indices into the host's rows.
    pub(super) rows: Vec<usize>,
}

/// Writes findings about hosts.
pub(super) struct Clerk<'p, 'a> {
    pub(super) pass: &'p Pass<'a>,
    pub(super) systems: &'p [SystemView<'a>],
    pub(super) phrases: &'p mut Phrases,
}

/// What a new finding says of itself.
pub(super) struct Note {
    pub(super) code: Code,
    pub(super) severity: Severity,
    pub(super) check: Option<ObjectKey>,
    pub(super) system: Option<ObjectKey>,
    pub(super) role: Option<RoleName>,
    pub(super) message: String,
    pub(super) fix: String,
}

impl Note {
    pub(super) fn new(
        code: Code,
        severity: Severity,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity,
            check: None,
            system: None,
            role: None,
            message: message.into(),
            fix: fix.into(),
        }
    }

    pub(super) fn of_system(mut self, system: &ObjectKey) -> Self {
        self.system = Some(system.clone());
        self
    }
}

/// A host's name as people know it: its Name tag or identifier, or else its id.
pub(super) fn host_name(host: &HostView<'_>) -> Arc<str> {
    host.name().map_or_else(|| clean(host.id.as_str()), clean)
}

impl<'a> Clerk<'_, 'a> {
    /// A finding about a host.
    pub(super) fn about(
        &mut self,
        host: &HostView<'_>,
        environment: Option<&ObjectKey>,
        note: Note,
    ) -> Finding {
        Finding {
            code: note.code,
            severity: note.severity,
            subject: Subject::Host(host.id.clone()),
            subject_name: host_name(host),
            environment: environment.cloned(),
            account: None,
            check: note.check,
            system: note.system,
            role: note.role,
            message: self.phrases.share(note.message),
            fix: self.phrases.share(note.fix),
            since: self.pass.now,
            excuse: Excuse::None,
        }
    }

    /// Everything that is wrong with a host that runs.
    pub(super) fn of_running(
        &mut self,
        host: &HostView<'_>,
        class: &Class<'a>,
        rated: &HostRows<'a>,
    ) -> Vec<HostFinding> {
        let mut found = Vec::new();
        // What is not enforced yet is counted, and no more.
        let is_enforced = |lacking: &&Lacking| {
            let entry = class.entries.get(lacking.row);
            let entry = entry.and_then(|entry| class.environment.ledger.get(usize::from(entry.ledger)));
            entry.is_none_or(|entry| entry.is_enforced(self.pass.now))
        };
        let lacking: Vec<&Lacking> = rated.lacking.iter().filter(is_enforced).collect();
        for (number, standing) in &rated.standings {
            let Some(system) = self.systems.get(*number) else { continue };
            let explained: Vec<&Lacking> = lacking.iter().copied().filter(|l| l.system == *number).collect();
            self.in_system(host, class, *number, system, standing, &explained, &mut found);
        }
        for lacking in lacking {
            let is_told_elsewhere = lacking.because == Because::Check(Stand::Off);
            if matches!(lacking.because, Because::Itself(_) | Because::Check(_)) && !is_told_elsewhere {
                let note = self.check(host, class, lacking);
                self.push(host, class, note, vec![lacking.row], &mut found);
            }
        }
        if class.duties.is_empty() && !class.environment.book.doubted {
            self.push(host, class, Some(no_duty(host, class)), Vec::new(), &mut found);
        }
        found
    }

    /// What is otherwise than checks assert of the host.
    pub(super) fn of_assertions(
        &mut self,
        host: &HostView<'_>,
        class: &Class<'a>,
        failed: Vec<(usize, String)>,
    ) -> Vec<HostFinding> {
        let mut found = Vec::new();
        for (row, what) in failed {
            let note = self.assertion(host, class, row, what);
            self.push(host, class, note, vec![row], &mut found);
        }
        found
    }

    fn assertion(&self, host: &HostView<'_>, class: &Class<'a>, row: usize, what: String) -> Option<Note> {
        let entry = class.entries.get(row)?;
        let required = class.environment.ledger.get(usize::from(entry.ledger))?;
        let super::Requirement::Check(key) = &required.requirement else { return None };
        let check = self.pass.fleet.checks.get(key).filter(|_| required.is_enforced(self.pass.now))?;
        let look = remedy::look_command(host);
        let fix = check.fix.as_deref().map_or_else(|| remedy::set_right(&look, key), str::to_owned);
        let mut note = Note::new(Code::AssertionFailed, required.severity, what, fix);
        note.check = Some(key.clone());
        note.role = entry.through.and_then(|role| class.role_name(role));
        Some(note)
    }

    /// The systems that are switched off as a whole and would watch it, with the severity of what is enforced.
    pub(super) fn off(&self, class: &Class<'a>, lacking: &[Lacking]) -> Vec<(usize, Severity)> {
        let off = lacking.iter().filter(|lacking| {
            matches!(lacking.because, Because::Own(Stand::Off) | Because::Check(Stand::Off))
        });
        off.filter_map(|lacking| {
            let entry = class.entries.get(lacking.row)?;
            let entry = class.environment.ledger.get(usize::from(entry.ledger))?;
            entry.is_enforced(self.pass.now).then_some((lacking.system, entry.severity))
        })
        .collect()
    }

    /// What is wrong with a host as a whole in one system.
    #[allow(clippy::too_many_arguments)]
    fn in_system(
        &mut self,
        host: &HostView<'_>,
        class: &Class<'a>,
        number: usize,
        system: &SystemView<'a>,
        standing: &Standing<'a>,
        lacking: &[&Lacking],
        found: &mut Vec<HostFinding>,
    ) {
        let explained = |because: &Because| -> Vec<usize> {
            lacking.iter().filter(|l| l.because == *because).map(|l| l.row).collect()
        };
        let key = &system.system.key;
        let product = system.system.endpoint.product();
        let absent = explained(&Because::NotRegistered);
        if !absent.is_empty() {
            let severity = worst(class, &absent);
            let message = format!("expected a registration in {}, found none", product.as_str());
            let fix = remedy::register(product, host);
            let note = Note::new(Code::NotRegistered, severity, message, fix).of_system(key);
            self.push(host, class, Some(note), absent, found);
        }
        let silent = explained(&Because::Silent);
        if !silent.is_empty() {
            let note = silence(host, system, standing, worst(class, &silent));
            self.push(host, class, Some(note), silent, found);
        }
        for lacking in lacking {
            if let Because::Own(stand) = lacking.because
                && stand != Stand::Off
            {
                let note = own(system, lacking.lack, stand, worst(class, &[lacking.row]));
                self.push(host, class, Some(note), vec![lacking.row], found);
            }
        }
        let switched_off = explained(&Because::Status);
        // Of several registrations the first stands for all, but only where all agree that they are switched off.
        let (post, is_alone) = match standing {
            Standing::Once(post) => (post, true),
            Standing::Several(posts) => match posts.first() {
                Some(first) if !switched_off.is_empty() => (first, false),
                _ => return,
            },
            // Of what was only glimpsed nothing is wrong: the live registration may be another one.
            Standing::Unknown(_) | Standing::Absent | Standing::Glimpsed(..) => return,
        };
        let note = status(system, class, post, &switched_off);
        self.push(host, class, note, switched_off, found);
        let note = roles(host, number, system, class, post).filter(|_| is_alone);
        self.push(host, class, note, Vec::new(), found);
    }

    /// What is wrong with one check on a host.
    fn check(&self, host: &HostView<'_>, class: &Class<'a>, lacking: &Lacking) -> Option<Note> {
        let entry = class.entries.get(lacking.row)?;
        let required = class.environment.ledger.get(usize::from(entry.ledger))?;
        let Demand::Check(demand) = &required.demand else { return None };
        let super::Requirement::Check(key) = &required.requirement else { return None };
        let check = self.pass.fleet.checks.get(key)?;
        let way = demand.ways.get(lacking.way?)?;
        let system = self.systems.get(lacking.system)?;
        let product = system.system.endpoint.product();
        let (code, message, mend) = lack(product, host, lacking, way.look.as_ref().ok()?);
        let fix = check.fix.as_deref().map_or_else(|| remedy::or_delete(&mend, key), str::to_owned);
        let mut note = Note::new(code, required.severity, message, fix).of_system(&system.system.key);
        note.check = Some(key.clone());
        note.role = entry.through.and_then(|role| class.role_name(role));
        Some(note)
    }

    /// What is wrong with a host that is stopped: it may still be watched as if it ran.
    pub(super) fn of_stopped(
        &mut self,
        host: &HostView<'_>,
        class: &Class<'a>,
        standings: &[(usize, Standing<'a>)],
    ) -> Vec<Finding> {
        let mut found = Vec::new();
        for (number, standing) in standings {
            let (Some(system), Standing::Once(post)) = (self.systems.get(*number), standing) else {
                continue;
            };
            if post.is_watched != Ok(true) {
                continue;
            }
            if let Some(note) = still_watched(system.system.endpoint.product(), post) {
                let note = note.of_system(&system.system.key);
                found.push(self.about(host, Some(&class.environment.key), note));
            }
        }
        found
    }

    fn push(
        &mut self,
        host: &HostView<'_>,
        class: &Class<'a>,
        note: Option<Note>,
        rows: Vec<usize>,
        found: &mut Vec<HostFinding>,
    ) {
        if let Some(note) = note {
            let finding = self.about(host, Some(&class.environment.key), note);
            found.push(HostFinding { finding, rows });
        }
    }
}

/// What a check lacks, and what puts it right.
fn lack(product: Product, host: &HostView<'_>, lacking: &Lacking, look: &Look) -> (Code, String, String) {
    let name = product.as_str();
    let looked_for = match look {
        Look::Check(name) => format!("check \"{}\"", clean(name.as_str())),
        Look::Metric(metric, _) => format!("a monitor on \"{}\"", clean(metric)),
        // The others are never asked of a host.
        Look::Connectivity | Look::External(_) | Look::Hosted { .. } => "a connectivity monitor".to_owned(),
    };
    match (lacking.lack, &lacking.because) {
        (lack, Because::Check(stand)) => {
            (code(lack), format!("{looked_for} in {name} {}", stand.what()), remedy::mend(*stand).to_owned())
        }
        (Lack::Unheard, Because::Itself(Some(why))) => {
            (Code::Unheard, format!("{looked_for} in {name}: {why}"), remedy::route(product).to_owned())
        }
        (Lack::Muted, Because::Itself(Some(monitor))) => {
            (Code::Muted, format!("monitor {monitor} covers it and is muted"), format!("unmute it in {name}"))
        }
        (Lack::Weak, Because::Itself(Some(why))) => (
            Code::Weak,
            why.to_string(),
            "mkr monitors pull; correct its scopes or threshold; mkr monitors diff; mkr monitors push"
                .to_owned(),
        ),
        _ => (
            Code::CheckMissing,
            format!("expected {looked_for} in {name}, found none"),
            remedy::add(product, host, look),
        ),
    }
}

/// The code of what one check lacks.
pub(super) fn code(lack: Lack) -> Code {
    match lack {
        Lack::Unheard => Code::Unheard,
        Lack::Muted => Code::Muted,
        Lack::Silent => Code::Silent,
        Lack::Weak => Code::Weak,
        Lack::Missing => Code::CheckMissing,
    }
}

/// What is wrong with the check of the host itself.
fn own(system: &SystemView<'_>, lack: Lack, stand: Stand, severity: Severity) -> Note {
    let product = system.system.endpoint.product().as_str();
    let message = format!("the host's own check in {product} {}", stand.what());
    Note::new(code(lack), severity, message, remedy::mend(stand)).of_system(&system.system.key)
}

/// The worst severity among requirements; a host as a whole is at least a warning.
fn worst(class: &Class<'_>, rows: &[usize]) -> Severity {
    let severities = rows.iter().filter_map(|row| {
        let entry = class.entries.get(*row)?;
        Some(class.environment.ledger.get(usize::from(entry.ledger))?.severity)
    });
    severities.min().map_or(Severity::Warning, |severity| severity.min(Severity::Warning))
}

/// A stopped host that is watched as if it ran.
fn still_watched(product: Product, post: &Post<'_>) -> Option<Note> {
    let status = post.registration.status.as_str();
    let in_downtime = post.registration.run.as_ref().is_some_and(|run| run.in_downtime == Some(true));
    let (message, fix) = match (product, post.own) {
        (Product::Mackerel, _) => (
            format!("expected status poweroff in Mackerel while the host is stopped, found {status}"),
            format!("mkr update --st poweroff {}", argument(post.registration.id.as_str())),
        ),
        (Product::Nagios, Stand::Runs) if !in_downtime => (
            "expected a downtime in Nagios, or no notifications, while the host is stopped; found neither"
                .to_owned(),
            "schedule a downtime for the host and its services on its page in Nagios".to_owned(),
        ),
        (Product::Nagios, _) => return None,
    };
    Some(Note::new(Code::StoppedButWatched, Severity::Warning, message, fix))
}

/// A host that is registered and sends nothing.
fn silence(
    host: &HostView<'_>,
    system: &SystemView<'_>,
    standing: &Standing<'_>,
    severity: Severity,
) -> Note {
    let posts = match standing {
        Standing::Once(post) => std::slice::from_ref(post),
        Standing::Several(posts) => posts,
        Standing::Unknown(_) | Standing::Absent | Standing::Glimpsed(..) => &[],
    };
    let last = posts.iter().filter_map(|post| post.last_metric).max();
    let found = last.map_or_else(|| "none ever".to_owned(), |last| format!("none since {last:.0}"));
    let message =
        format!("expected metrics at least every {} minutes, found {found}", system.system.silence.as_mins());
    let fix = remedy::wake(system.system.endpoint.product(), host);
    Note::new(Code::Silent, severity, message, fix).of_system(&system.system.key)
}

/// A status that the host's roles do not allow, or one they allow although it switches off what checks require.
fn status(
    system: &SystemView<'_>,
    class: &Class<'_>,
    post: &Post<'_>,
    switched_off: &[usize],
) -> Option<Note> {
    let found = post.registration.status;
    let product = system.system.endpoint.product();
    if found == RegistrationStatus::Unknown || product != Product::Mackerel {
        return None;
    }
    let product = product.as_str();
    let id = argument(post.registration.id.as_str());
    let key = &system.system.key;
    if !class.statuses.contains(&found) {
        let allowed: Vec<&str> = class.statuses.iter().map(|status| status.as_str()).collect();
        let message =
            format!("expected status {} in {product}, found {}", allowed.join(" or "), found.as_str());
        let fix = format!("mkr update --st {} {id}", allowed.first().unwrap_or(&"working"));
        return Some(Note::new(Code::WrongStatus, worst(class, switched_off), message, fix).of_system(key));
    }
    if switched_off.is_empty() {
        return None;
    }
    let message = format!(
        "status {} is allowed by its roles, and switches off all that checks require",
        found.as_str()
    );
    let fix = format!(
        "mkr update --st working {id}; or leave its role out of these checks (appliesTo.exceptRoles)"
    );
    Some(Note::new(Code::Muted, worst(class, switched_off), message, fix).of_system(key))
}

/// Roles in Mackerel that differ from the roles the host plays. The way to put them right is the agent's own
/// configuration: `mkr update -R` overwrites the whole host, and an agent adds its configured roles every hour.
fn roles(
    host: &HostView<'_>,
    number: usize,
    system: &SystemView<'_>,
    class: &Class<'_>,
    post: &Post<'_>,
) -> Option<Note> {
    if system.system.endpoint.product() != Product::Mackerel {
        return None;
    }
    let expected = class.expected.get(&number)?;
    let has = &post.registration.roles;
    let missing: Vec<&(Scope, u16)> =
        expected.scopes.iter().filter(|(scope, _)| !has.contains(scope)).collect();
    let is_extra = |scope: &&Scope| {
        *scope.service == *expected.service && !expected.scopes.iter().any(|(wanted, _)| wanted == *scope)
    };
    // While a role cannot be understood, one that seems to be too many may be its.
    let is_exact = expected.exact && !class.environment.book.doubted;
    let extra: Vec<&Scope> = has.iter().filter(|scope| is_exact && is_extra(scope)).collect();
    if missing.is_empty() && extra.is_empty() {
        return None;
    }
    let wanted: Vec<String> = expected.scopes.iter().map(|(scope, _)| full_name(scope)).collect();
    let mut found: Vec<String> = has.iter().map(full_name).collect();
    found.sort();
    let product = system.system.endpoint.product().as_str();
    let strictly = if extra.is_empty() { "" } else { "exactly " };
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    let message = format!("expected {strictly}the roles {} in {product}, found {found}", wanted.join(", "));
    let fix = remedy::set_roles(host, &wanted, !extra.is_empty());
    let mut note =
        Note::new(Code::RoleMismatch, Severity::Warning, message, fix).of_system(&system.system.key);
    let through =
        missing.first().map(|(_, role)| *role).or_else(|| expected.scopes.first().map(|(_, role)| *role));
    note.role = through.and_then(|role| class.role_name(role));
    Some(note)
}

/// `Backlog:app`, as Mackerel writes it.
fn full_name(scope: &Scope) -> String {
    match &scope.role {
        Some(role) => format!("{}:{}", clean(&scope.service), clean(role)),
        None => clean(&scope.service).to_string(),
    }
}

fn no_duty(host: &HostView<'_>, class: &Class<'_>) -> Note {
    let found = if class.traits.is_empty() { "no role at all".to_owned() } else { "only traits".to_owned() };
    let key = class.environment.role_tag.as_ref().map_or("Role", |tag| &tag.key);
    let tag = remedy::tag_command(host, &argument(key), "ROLE");
    let fix = format!("let the selector of a HostRole match it, or tag it: {tag}");
    Note::new(Code::NoDuty, Severity::Warning, format!("expected a role of type Duty, found {found}"), fix)
}
