//! `rollcall import`: a first GitOps tree from what exists in a recording. What the recording's own objects wish is not looked at.
//!
//! It writes no credential (a recording holds none), nothing that the API server would refuse, and over nothing unless told to.

mod checks;
mod decide;
mod environments;
mod join;
mod names;
mod observe;
mod roles;
mod shares;
mod system;
#[cfg(test)]
mod tests;
mod text;

pub use names::slug;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{bail, ensure};
use clap::{Parser, ValueEnum};
use rollcall_engine::fleet::Fleet;
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::recording::Recording;
use rollcall_engine::registry::Product;
use rollcall_engine::text::{clean, few};

use crate::input;
use crate::ways::{On, Ways};
use crate::write::{self, Delivery, File};
use crate::{CLEAN, files, terminal};
use decide::Wishes;
use observe::Observed;

/// Arguments of `rollcall import`.
#[derive(Debug, Parser)]
pub struct ImportArgs {
    /// What to import from.
    #[arg(value_enum)]
    source: Source,
    /// What to work on: a recording (readings and memory of one moment) in a file, or cluster for that of the running
    /// operator. Custom resources in it are not used.
    #[arg(long, value_name = "RECORDING|cluster")]
    on: On,
    #[command(flatten)]
    ways: Ways,
    /// Write the tree below this folder. Without it, it is printed.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Namespace of the tree. Without it, the one whose monitoring system the recording has read.
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// The tag that names environments: Env. Without it, the one that splits the fleet best, or names do.
    #[arg(long, value_name = "KEY")]
    environment_tag: Option<String>,
    /// The tag that names roles: Role. Without it, the telling one that is on most hosts.
    #[arg(long, value_name = "KEY")]
    role_tag: Option<String>,
    /// Require what at least this share of a role's hosts has, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 80, value_parser = clap::value_parser!(u8).range(1..=100))]
    share: u8,
    /// Write over files that exist.
    #[arg(long, requires = "out")]
    force: bool,
}

/// What can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Source {
    /// Accounts, environments and roles from AWS; roles, checks and monitors from Mackerel.
    Mackerel,
    /// Accounts, environments and roles from AWS; checks, and what joins its hosts to them, from Nagios.
    Nagios,
    /// Accounts, environments and roles from AWS alone.
    Aws,
}

/// Environments from a tag that was asked for: more of them than this is a wrong tag.
const MOST_ENVIRONMENTS: usize = 200;
/// What helps when a file stands in the way.
const HINT: &str = "choose a new folder, or write over them with --force";

/// Reads, decides, prints or writes.
///
/// # Errors
/// When the recording cannot be read or holds nothing to import, or a file stands in the way.
pub fn run(args: &ImportArgs) -> anyhow::Result<u8> {
    let recording = input::recording(&args.on, &args.ways)?;
    let key = match args.source {
        Source::Mackerel => Some(system(&recording, Product::Mackerel, args.namespace.as_deref())?),
        Source::Nagios => Some(system(&recording, Product::Nagios, args.namespace.as_deref())?),
        Source::Aws => None,
    };
    let known = || recording.snapshot.registries.keys().map(|key| &*key.namespace).next();
    let namespace = args.namespace.as_deref().or_else(known).unwrap_or("fleet");
    let observed = observe::observe(&recording, key);
    refuse(args, &observed)?;
    let wishes = Wishes {
        namespace,
        environment_tag: args.environment_tag.as_deref(),
        role_tag: args.role_tag.as_deref(),
        share: args.share,
    };
    let draft = decide::decide(&observed, &wishes);
    let written = text::files(&draft, args.out.as_deref())?;
    judge(&written, namespace)?;
    let told = text::Told { args, observed: &observed, draft: &draft, namespace };
    let how =
        if args.out.is_some() { Delivery::Write { over: args.force, hint: HINT } } else { Delivery::Print };
    write::deliver(&written, &how, &text::render(&told, terminal::width()))?;
    Ok(CLEAN)
}

/// The one system of this product in a namespace, or in the whole recording.
fn system<'r>(
    recording: &'r Recording,
    product: Product,
    namespace: Option<&str>,
) -> anyhow::Result<&'r ObjectKey> {
    let keys: Vec<&ObjectKey> = recording
        .snapshot
        .registries
        .iter()
        .filter(|(key, registry)| {
            registry.product == product && namespace.is_none_or(|namespace| *key.namespace == *namespace)
        })
        .map(|(key, _)| key)
        .collect();
    match keys.as_slice() {
        [one] => Ok(one),
        [] => bail!(
            "expected the readings of a {product} in the recording, found none; rollcall import aws needs none",
            product = product.as_str()
        ),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            bail!(
                "expected the readings of one {}, found {}: choose with --namespace",
                product.as_str(),
                few(&names, names.len(), 5)
            )
        }
    }
}

/// Refuses what would give a tree that says nothing.
fn refuse(args: &ImportArgs, observed: &Observed<'_>) -> anyhow::Result<()> {
    ensure!(
        !observed.hosts.is_empty(),
        "expected hosts in the recording, found none{}",
        observed.blind.first().map(|why| format!(": {why}")).unwrap_or_default()
    );
    for (option, key) in [("--environment-tag", &args.environment_tag), ("--role-tag", &args.role_tag)] {
        let Some(key) = key else { continue };
        let values: BTreeSet<&str> =
            observed.hosts.iter().filter_map(|host| host.marks.tags.get(key)).collect();
        if values.is_empty() {
            let keys: BTreeSet<&str> =
                observed.hosts.iter().flat_map(|host| host.marks.tags.iter()).map(|(key, _)| key).collect();
            let keys: Vec<_> = keys.into_iter().map(clean).collect();
            bail!(
                "{option}: expected the key of a tag, found {key:?}, which no host has; there are {}",
                few(&keys, keys.len(), 10)
            );
        }
        ensure!(
            values.len() <= MOST_ENVIRONMENTS,
            "{option}: expected at most {MOST_ENVIRONMENTS} values of {key:?}, found {}",
            values.len()
        );
    }
    Ok(())
}

/// Reads what would be written as the API server and the engine would: a tree that they refuse is never written.
fn judge(written: &[File], namespace: &str) -> anyhow::Result<()> {
    let desired = files::collect(files::judge(written, namespace)?, None);
    let problems: Vec<String> = Fleet::parse(&desired).1.iter().map(ToString::to_string).collect();
    ensure!(
        problems.is_empty(),
        "nothing was written, for it does not fit together:\n  {}",
        problems.join("\n  ")
    );
    Ok(())
}
