//! `rollcall explain`: a finding's page, a host, or a required check. A code needs nothing; the others need a recording.

mod check;
mod code;
mod host;
mod usage;

use anyhow::{Context as _, bail};
use clap::Parser;
use rollcall_engine::ids::{HostId, ObjectKey};
use rollcall_engine::rollcall::HostRoll;

use crate::CLEAN;
use crate::input::{Decided, ObjectArgs};
use crate::ways::{On, Ways};

/// No more candidates than this are named when a name is not known or not clear.
const MOST_NAMED: usize = 8;

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
    let hosts = if kind == Some("check") { Vec::new() } else { hosts(&decided, name) };
    let checks = if kind == Some("host") { Vec::new() } else { checks(&decided, name) };
    match (hosts.as_slice(), checks.as_slice()) {
        ([(id, roll)], []) => anstream::print!("{}", host::render(&decided, id, roll)),
        ([], [key]) => anstream::print!("{}", check::render(&decided, key)),
        ([], []) => bail!("there is no host and no required check {name:?}{}", close_to(&decided, name)),
        (hosts, []) => bail!("{} hosts are called {name}; name one by its id: {}", hosts.len(), ids(hosts)),
        ([], checks) => {
            let keys: Vec<String> = checks.iter().take(MOST_NAMED).map(ToString::to_string).collect();
            bail!("{} required checks are called {name}: {}", checks.len(), keys.join(", "))
        }
        _ => bail!("a host and a required check are called {name}: ask for host/{name} or check/{name}"),
    }
    Ok(CLEAN)
}

fn hosts<'d>(decided: &'d Decided, name: &str) -> Vec<(&'d HostId, &'d HostRoll)> {
    let is_meant =
        |(id, host): &(&HostId, &HostRoll)| id.as_str() == name || host.name.as_deref() == Some(name);
    decided.roll.hosts.iter().filter(is_meant).collect()
}

/// Checks of this name; `namespace/name` names one of several.
fn checks<'d>(decided: &'d Decided, name: &str) -> Vec<&'d ObjectKey> {
    decided.roll.checks.keys().filter(|key| *key.name == *name || key.to_string() == name).collect()
}

fn ids(hosts: &[(&HostId, &HostRoll)]) -> String {
    hosts.iter().take(MOST_NAMED).map(|(id, _)| id.to_string()).collect::<Vec<_>>().join(", ")
}

/// Names that begin or go on like the one asked for.
fn close_to(decided: &Decided, name: &str) -> String {
    let names = decided.roll.hosts.values().filter_map(|host| host.name.as_deref());
    let names = names.chain(decided.roll.checks.keys().map(|key| &*key.name));
    let mut close: Vec<&str> = names.filter(|known| !name.is_empty() && known.contains(name)).collect();
    close.sort_unstable();
    close.truncate(MOST_NAMED);
    if close.is_empty() { String::new() } else { format!("; there is {}", close.join(", ")) }
}
