//! `rollcall keep`: the owner's no. Writes the Exemption by which a host that looks unused stays, with a reason, somebody who
//! answers for it, and a last day.
//!
//! It calls nobody: the Exemption is printed, or written into a tree of files, and holds once it is applied.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Parser;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rollcall_crds::v1alpha1::{Exemption, ExemptionSpec, ExemptionType, FindingMatch, HostState};
use rollcall_engine::finding::{Code, Finding, Subject};
use rollcall_engine::ids::{HostId, ObjectKey};
use rollcall_engine::rollcall::HostRoll;

use crate::CLEAN;
use crate::exemption::{approver, document, key_of, reason};
use crate::input::{Decided, InputArgs};
use crate::terminal;
use crate::write::{self, Delivery, File, take_name};

/// The findings that say that nobody uses a host, and that a keep accepts.
const UNUSED: [Code; 2] = [Code::Unused, Code::LongStopped];

/// A keep may end so far ahead: a year, for what is needed once a year, and not longer than anybody remembers it.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Where kubectl notes the whole object that it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What helps when a file stands in the way.
const HINT: &str = "name the folder of your objects with -f, so that a keep that is in it already is renewed, or write over the file with --force";

/// Arguments of `rollcall keep`.
#[derive(Debug, Parser)]
pub struct KeepArgs {
    /// The host: its Name, or its id.
    #[arg(value_name = "HOST")]
    host: String,
    /// The last day on which it is kept: 2027-03-31 (UTC). At most a year ahead; keep it again then if it is still needed.
    #[arg(long, value_name = "DATE")]
    until: Date,
    /// Why it is needed although it looks unused.
    #[arg(long, value_name = "TEXT", value_parser = own_reason)]
    reason: String,
    /// Who says so: a person or a team that can be asked.
    #[arg(long, value_name = "NAME", value_parser = own_name)]
    approver: String,
    #[command(flatten)]
    input: InputArgs,
    /// Write the Exemption below this folder, under its namespace, or where it stands already. Without it, it is printed.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write over a file that exists.
    #[arg(long, requires = "out")]
    force: bool,
}

/// A reason that somebody thought of: the command is told with a placeholder for it.
fn own_reason(text: &str) -> Result<String, String> {
    if text == "WHY" {
        return Err("expected a reason in your own words, found the placeholder WHY".to_owned());
    }
    reason(text)
}

fn own_name(text: &str) -> Result<String, String> {
    if text == "WHO" {
        return Err("expected your name or your team's, found the placeholder WHO".to_owned());
    }
    approver(text)
}

/// Reads, decides, prints or writes.
///
/// # Errors
/// When the input cannot be read, there is no such host, it belongs to nobody, the day cannot be meant, or a file stands in the way.
pub fn run(args: &KeepArgs) -> anyhow::Result<u8> {
    let decided = Decided::read(&args.input.on, &args.input.ways, &args.input.objects)?;
    is_meant(args.until, decided.recording.now)?;
    let (id, host) = decided.host(&args.host)?;
    let environment = host.environment.as_ref().with_context(|| {
        format!("{id} belongs to no environment, so nobody calls it unused: there is nothing to keep it from")
    })?;
    let keep = Keep::of(&decided, id, host, environment, args);
    let (path, over) = match (&args.out, keep.renewed.as_ref().and_then(|one| one.file.clone())) {
        (None, _) => (PathBuf::new(), false),
        // It holds this Exemption and nothing else.
        (Some(_), Some(file)) => (file, true),
        (Some(out), None) => {
            (out.join(&*keep.key.namespace).join(format!("{}.yaml", keep.key.name)), args.force)
        }
    };
    let names: BTreeMap<_, _> = host.name.iter().map(|name| (id.clone(), name.clone())).collect();
    let files = [File { path, content: document(&keep.exemption, &names)? }];
    crate::files::judge(&files, &args.input.objects.namespace)?;
    let how = if args.out.is_some() { Delivery::Write { over, hint: HINT } } else { Delivery::Print };
    write::deliver(&files, &how, &keep.told(id, host, args))?;
    Ok(CLEAN)
}

/// Is it a day that somebody can mean?
fn is_meant(until: Date, now: Timestamp) -> anyhow::Result<()> {
    let day = |moment: Timestamp| moment.to_zoned(TimeZone::UTC).date();
    let (today, last) = (day(now), day(now.saturating_add(LONGEST).unwrap_or(Timestamp::MAX)));
    ensure!(
        (today..=last).contains(&until),
        "--until: expected a day from {today}, the day of the recording, to {last}, found {until}"
    );
    Ok(())
}

/// The Exemption, and how it came about.
struct Keep {
    key: ObjectKey,
    exemption: Exemption,
    code: Code,
    renewed: Option<Renewed>,
    /// A finding says now that it is unused.
    is_found: bool,
}

/// The Exemption that kept it until now.
struct Renewed {
    until: String,
    /// The file that holds it alone.
    file: Option<PathBuf>,
}

impl Keep {
    fn of(decided: &Decided, id: &HostId, host: &HostRoll, environment: &ObjectKey, args: &KeepArgs) -> Self {
        let found =
            decided.roll.findings.iter().find(|finding| is_about(finding, id)).map(|found| found.code);
        let stands = match host.state {
            HostState::Stopped => Code::LongStopped,
            _ => Code::Unused,
        };
        let code = found.unwrap_or(stands);
        let namespace = &environment.namespace;
        let before = decided.recording.desired.exemptions.iter().find(|one| keeps(one, namespace, id, code));
        let before = before.and_then(|one| Some((key_of(one)?, one)));
        let key =
            before.as_ref().map_or_else(|| free_name(decided, namespace, id, host), |(key, _)| key.clone());
        let spec = ExemptionSpec {
            type_: ExemptionType::Accepted,
            match_: FindingMatch { code: code.to_string(), check: None, role: None, system: None },
            hosts: Some(vec![id.to_string()]),
            reason: args.reason.clone(),
            approver: args.approver.clone(),
            expires: args.until.to_string(),
        };
        let mut exemption = Exemption::new(&key.name, spec);
        exemption.metadata.namespace = Some(namespace.to_string());
        let renewed = before.map(|(key, one)| {
            // Labels and annotations of a tree stay; what kubectl noted of the old object goes.
            exemption.metadata.labels.clone_from(&one.metadata.labels);
            let noted = |(key, _): &(&String, &String)| *key != LAST_APPLIED;
            let kept = one.metadata.annotations.iter().flatten().filter(noted);
            let kept: BTreeMap<String, String> =
                kept.map(|(key, value)| (key.clone(), value.clone())).collect();
            exemption.metadata.annotations = (!kept.is_empty()).then_some(kept);
            Renewed { until: one.spec.expires.clone(), file: decided.exemption_files.get(&key).cloned() }
        });
        Self { key, exemption, code, renewed, is_found: found.is_some() }
    }

    /// What was done, and what is left to do.
    fn told(&self, id: &HostId, host: &HostRoll, args: &KeepArgs) -> String {
        let name = host.name.as_deref().unwrap_or("-");
        let mut out = String::new();
        let before =
            self.renewed.as_ref().map(|one| format!(", before until {}", one.until)).unwrap_or_default();
        let what = format!(
            "Exemption {} keeps {name} ({id}) until {}{before}: {} is accepted, and its owner is not asked. From the next day on it \
             is told again.",
            self.key, args.until, self.code
        );
        terminal::wrap(&mut out, "", "", &what, terminal::width());
        if !self.is_found {
            let _ = writeln!(out, "Nothing says now that it is unused ({}).", self.code);
        }
        let next = if args.out.is_some() {
            "It holds once it is applied: commit it, or kubectl apply -f the file."
        } else {
            "It holds once it is applied: pipe it to kubectl apply -f -, or have it written into your tree with --out DIR."
        };
        terminal::wrap(&mut out, "", "", next, terminal::width());
        out
    }
}

/// Does a finding say that this host is unused?
fn is_about(finding: &Finding, id: &HostId) -> bool {
    UNUSED.contains(&finding.code) && matches!(&finding.subject, Subject::Host(host) if host == id)
}

/// Is it an Exemption by which this host, and no other one, is kept?
fn keeps(exemption: &Exemption, namespace: &str, id: &HostId, code: Code) -> bool {
    let ExemptionSpec { type_, match_, hosts, .. } = &exemption.spec;
    let FindingMatch { code: of, check: None, role: None, system: None } = match_ else { return false };
    *type_ == ExemptionType::Accepted
        && exemption.metadata.namespace.as_deref() == Some(namespace)
        && **of == *code.to_string()
        && matches!(hosts.as_deref(), Some([host]) if **host == *id.as_str())
}

/// The first name of this keep that no other Exemption has.
fn free_name(decided: &Decided, namespace: &str, id: &HostId, host: &HostRoll) -> ObjectKey {
    let name = host.name.as_deref().and_then(crate::import::slug).unwrap_or_else(|| id.to_string());
    let key = |name: &str| ObjectKey::new(namespace, name);
    let is_free = |name: &str| {
        let key = key(name);
        !decided.recording.desired.exemptions.iter().any(|one| key_of(one).as_ref() == Some(&key))
            && !decided.recording.memory.healed.contains_key(&key)
    };
    key(&take_name(&format!("keep-{name}"), is_free))
}
