//! An imported tree as people read it: as files, each of which says what it was derived from, and as what to do next.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use rollcall_crds::manifest::Object;
use rollcall_crds::v1alpha1 as api;
use rollcall_engine::text::{argument, count};
use serde::Serialize;

use super::ImportArgs;
use super::decide::{Draft, Drafted};
use super::observe::Observed;
use crate::terminal::wrap;
use crate::ways::spoken;
use crate::write::{File, comment};

/// A namespace as a file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Namespace<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Name<'a>,
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
}

/// The files of a tree, below a folder.
///
/// # Errors
/// None that can be provoked: the serializer takes all strings.
pub fn files(draft: &Draft, out: Option<&Path>) -> anyhow::Result<Vec<File>> {
    let mut contents: BTreeMap<&str, String> = BTreeMap::new();
    for drafted in &draft.objects {
        let content = contents.entry(&drafted.file).or_default();
        if !content.is_empty() {
            content.push_str("---\n");
        }
        content.push_str(&document(drafted)?);
    }
    let folder = out.unwrap_or_else(|| Path::new(""));
    Ok(contents.into_iter().map(|(file, content)| File { path: folder.join(file), content }).collect())
}

fn document(drafted: &Drafted) -> anyhow::Result<String> {
    let mut text = String::new();
    for reason in &drafted.reasons {
        comment(&mut text, reason);
    }
    text.push_str(&match &drafted.object {
        Object::Namespace { name, .. } => serde_saphyr::to_string(&Namespace {
            api_version: "v1",
            kind: "Namespace",
            metadata: Name { name },
        }),
        Object::CloudAccount(object) => serde_saphyr::to_string(object),
        Object::Environment(object) => serde_saphyr::to_string(object),
        Object::HostRole(object) => serde_saphyr::to_string(object),
        Object::RequiredCheck(object) => serde_saphyr::to_string(object),
        Object::MonitoringSystem(object) => serde_saphyr::to_string(object),
        Object::Exemption(object) => serde_saphyr::to_string(object),
        Object::RetirementPolicy(object) => serde_saphyr::to_string(object),
        Object::Retirement(object) => serde_saphyr::to_string(object),
        Object::NotificationChannel(object) => serde_saphyr::to_string(object),
        Object::Host(object) => serde_saphyr::to_string(object),
    }?);
    Ok(text)
}

/// What is told of an import.
#[derive(Debug)]
pub struct Told<'a> {
    /// What was asked for.
    pub args: &'a ImportArgs,
    /// What was seen.
    pub observed: &'a Observed<'a>,
    /// What was made of it.
    pub draft: &'a Draft,
    /// The namespace of the tree.
    pub namespace: &'a str,
}

/// The whole text, ending with a newline.
pub fn render(told: &Told<'_>, width: usize) -> String {
    let mut out = String::new();
    for what in &told.observed.blind {
        wrap(&mut out, " ✗ ", "   ", &format!("{what}: what it would show is not imported"), width);
    }
    seen(&mut out, told, width);
    made(&mut out, told, width);
    if !told.draft.left.is_empty() {
        out.push_str("\nLeft to you:\n");
        for what in &told.draft.left {
            wrap(&mut out, " - ", "   ", what, width);
        }
    }
    secrets(&mut out, told);
    next(&mut out, told);
    out
}

fn seen(out: &mut String, told: &Told<'_>, width: usize) {
    let mut text = format!("Seen: {}", count(told.observed.hosts.len(), "host"));
    if told.observed.databases > 0 {
        let _ = write!(text, ", {} of them databases,", told.observed.databases);
    }
    let _ = write!(text, " in {}", count(told.observed.places.len(), "region"));
    if let Some(system) = &told.observed.system {
        let all = count(system.registry.hosts.seen.len(), "registration");
        let product = system.registry.product.as_str();
        let _ = write!(text, "; {all} in {product}, {} of which belong to one of them", system.joined);
    }
    wrap(out, "", "      ", &text, width);
}

fn made(out: &mut String, told: &Told<'_>, width: usize) {
    let many =
        |is_it: fn(&Object) -> bool| told.draft.objects.iter().filter(|one| is_it(&one.object)).count();
    let roles = many(|object| matches!(object, Object::HostRole(_)));
    let lines = [
        (many(|object| matches!(object, Object::CloudAccount(_))), "CloudAccounts", String::new()),
        (many(|object| matches!(object, Object::MonitoringSystem(_))), "MonitoringSystems", String::new()),
        (
            many(|object| matches!(object, Object::Environment(_))),
            "Environments",
            told.draft.environments.clone(),
        ),
        (roles, "HostRoles", told.draft.duties.clone()),
        (
            many(|object| matches!(object, Object::RequiredCheck(_))),
            "RequiredChecks",
            format!("what at least {} % of a role's hosts have", told.args.share),
        ),
    ];
    for (many, kind, origin) in lines.iter().filter(|(many, ..)| *many > 0) {
        let kind = if *many == 1 { kind.trim_end_matches('s') } else { kind };
        let head = format!(" {many:>4}  {kind:<18} ");
        wrap(out, &head, &" ".repeat(head.len()), origin, width);
    }
}

/// Secrets are the person's to create; no name of a file or key is guessed where it would end in a shell's history.
fn secrets(out: &mut String, told: &Told<'_>) {
    out.push_str("\nNo credential was written. Create these Secrets:\n");
    for drafted in &told.draft.objects {
        match &drafted.object {
            Object::MonitoringSystem(system) => of_system(out, &system.spec, told.namespace),
            Object::CloudAccount(account) => {
                let Some(secret) =
                    account.spec.observe.as_ref().and_then(|observe| observe.secret_ref.as_ref())
                else {
                    continue;
                };
                let _ =
                    writeln!(out, " kubectl create secret generic {} -n OPERATOR_NAMESPACE \\", secret.name);
                out.push_str(
                    "   --from-file=aws_access_key_id=FILE --from-file=aws_secret_access_key=FILE\n",
                );
            }
            _ => {}
        }
    }
}

fn of_system(out: &mut String, spec: &api::MonitoringSystemSpec, namespace: &str) {
    if let Some(mackerel) = &spec.mackerel {
        let api::SecretKey { name, key } = &mackerel.api_key_secret;
        let _ = writeln!(out, " kubectl create secret generic {name} -n {namespace} --from-file={key}=FILE");
    }
    if let Some(login) = spec.nagios.as_ref().and_then(|nagios| nagios.basic_auth_secret.as_ref()) {
        let name = &login.name;
        let _ = writeln!(out, " kubectl create secret generic {name} -n {namespace} \\");
        out.push_str(
            "   --type=kubernetes.io/basic-auth --from-file=username=FILE --from-file=password=FILE\n",
        );
    }
}

fn next(out: &mut String, told: &Told<'_>) {
    let on = spoken(&told.args.on, &told.args.ways);
    out.push_str("\nNext, when you have read the files:\n");
    let Some(folder) = &told.args.out else {
        out.push_str(" the same with --out DIR, which writes them\n");
        return;
    };
    let folder = argument(&folder.display().to_string());
    // Commands are to be copied: they are not broken into lines.
    let _ = writeln!(out, " rollcall plan -f {folder} {on}");
    let baseline = folder.trim_end_matches('/');
    let _ = writeln!(out, " rollcall baseline -f {folder} {on} --approver NAME --out {baseline}/baseline");
}
