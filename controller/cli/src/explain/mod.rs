//! `rollcall explain`: a finding's page, a host, or a required check. A code needs nothing; the others need a recording.

mod check;
mod code;
mod host;
mod usage;

use anyhow::{Context as _, bail};
use clap::Parser;
use rollcall_engine::ids::ObjectKey;

use crate::CLEAN;
use crate::input::{Decided, MOST_CANDIDATES, ObjectArgs, close, several};
use crate::ways::{On, Ways};

/// Arguments of `rollcall explain`.
#[derive(Debug, Parser)]
pub struct ExplainArgs {
    /// A finding code (RC0102), a host (its Name or id), or a required check (its name). Where a host and a
    /// check share a name: host/NAME or check/NAME. Without it, the list of all codes.
    #[arg(value_name = "WHAT")]
    pub what: Option<String>,
    /// What to explain a host or a check on: a recording (readings and memory of one moment) in a file; cluster for that of
    /// the running operator; live to read AWS and the monitoring systems now, without memory.
    #[arg(long, value_name = "RECORDING|cluster|live")]
    pub on: Option<On>,
    #[command(flatten)]
    pub ways: Ways,
    #[command(flatten)]
    pub objects: ObjectArgs,
}

/// Prints what was asked for; answers the exit code.
///
/// # Errors
/// When the input cannot be read, or nothing or several things have this name.
pub fn run(args: &ExplainArgs) -> anyhow::Result<u8> {
    let Some(what) = &args.what else {
        code::print_all();
        return Ok(CLEAN);
    };
    if code::is_one(what) {
        return Ok(code::run(what));
    }
    let on = args.on.as_ref().with_context(|| {
        format!("{what} is no finding code; to explain a host or a required check name a recording: --on RECORDING or --on cluster")
    })?;
    let decided = Decided::read(on, &args.ways, &args.objects)?;
    let (kind, name) = match what.split_once('/') {
        Some((kind @ ("host" | "check"), name)) => (Some(kind), name),
        _ => (None, what.as_str()),
    };
    let hosts = if kind == Some("check") { Vec::new() } else { decided.hosts_called(name) };
    let checks = if kind == Some("host") { Vec::new() } else { checks(&decided, name) };
    match (hosts.as_slice(), checks.as_slice()) {
        ([(id, roll)], []) => anstream::print!("{}", host::render(&decided, id, roll)),
        ([], [key]) => anstream::print!("{}", check::render(&decided, key)),
        ([], []) => bail!("there is no host and no required check {name:?}{}", close_to(&decided, name)),
        (hosts, []) => bail!(several(name, hosts)),
        ([], checks) => {
            let keys: Vec<String> = checks.iter().take(MOST_CANDIDATES).map(ToString::to_string).collect();
            bail!("{} required checks are called {name}: {}", checks.len(), keys.join(", "))
        }
        _ => bail!("a host and a required check are called {name}: ask for host/{name} or check/{name}"),
    }
    Ok(CLEAN)
}

/// Checks of this name; `namespace/name` names one of several.
fn checks<'d>(decided: &'d Decided, name: &str) -> Vec<&'d ObjectKey> {
    decided.roll.checks.keys().filter(|key| *key.name == *name || key.to_string() == name).collect()
}

/// Names that begin or go on like the one asked for.
fn close_to(decided: &Decided, name: &str) -> String {
    close(name, decided.host_names().chain(decided.roll.checks.keys().map(|key| &*key.name)))
}
