//! What commands work on: a recording, from a file, from the running operator or made now, with the custom resources in it or those of
//! files instead. No clock: the recording's own `now` decides, so the same recording prints the same bytes for ever.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use rollcall_engine::fleet::{Desired, Fleet, Problem};
use rollcall_engine::ids::{HostId, ObjectKey};
use rollcall_engine::leaving::Pass;
use rollcall_engine::memory::Memory;
use rollcall_engine::recording::{Cut, Recording};
use rollcall_engine::rollcall::{HostRoll, RollCall, roll_call};
use rollcall_engine::text::{argument, few};

#[cfg(feature = "operator")]
use crate::cluster::fetch;
use crate::files;
#[cfg(all(feature = "operator", feature = "aws"))]
use crate::live::look;
use crate::ways::{On, Ways};

/// Where the input comes from.
#[derive(Debug, Args)]
pub struct InputArgs {
    /// What to work on: a recording (readings and memory of one moment) in a file; cluster for that of the running operator;
    /// live to read AWS and the monitoring systems now, without memory.
    #[arg(long, value_name = "RECORDING|cluster|live")]
    pub on: On,
    #[command(flatten)]
    pub ways: Ways,
    #[command(flatten)]
    pub objects: ObjectArgs,
}

/// Which custom resources to use.
#[derive(Debug, Args)]
pub struct ObjectArgs {
    /// Files or folders with Rollcall's custom resources (YAML or JSON; folders are searched).
    /// Without it, those inside the recording are used.
    #[arg(short = 'f', long = "files", value_name = "PATH")]
    pub files: Vec<PathBuf>,
    /// Namespace of objects in files that name none.
    #[arg(short, long, value_name = "NAMESPACE", default_value = "default")]
    pub namespace: String,
    /// The library namespace, whose roles, checks and systems every namespace sees.
    #[arg(long, value_name = "NAMESPACE")]
    pub library: Option<String>,
}

impl ObjectArgs {
    /// The arguments that name these objects again, each with a space before it, for commands that people are to copy.
    pub fn spoken(&self) -> String {
        let files = self.files.iter().map(|path| format!(" -f {}", argument(&path.display().to_string())));
        let namespace = (self.namespace != "default").then(|| format!(" -n {}", argument(&self.namespace)));
        let library = self.library.as_ref().map(|name| format!(" --library {}", argument(name)));
        files.chain(namespace).chain(library).collect()
    }
}

/// A recording, and what the engine decides on it.
#[derive(Debug)]
pub struct Decided {
    /// The moment, with the custom resources that were asked for.
    pub recording: Recording,
    /// The objects, parsed.
    pub fleet: Fleet,
    /// What is wrong in the objects themselves.
    pub problems: Vec<Problem>,
    /// What the engine decided: the very functions that the controller calls.
    pub roll: RollCall,
    /// What the engine would remember of it.
    pub remembered: Memory,
    /// Files that hold one Exemption of the objects and nothing else.
    pub exemption_files: BTreeMap<ObjectKey, PathBuf>,
}

/// Reads a recording, or has the operator make one.
///
/// # Errors
/// When the file cannot be read, or is no recording of this version; when the operator cannot be reached or refuses.
pub fn recording(on: &On, ways: &Ways) -> anyhow::Result<Recording> {
    ways.suits(on)?;
    match on {
        On::File(path) => {
            let about = || format!("recording {}", path.display());
            let bytes = fs::read(path).with_context(about)?;
            Recording::from_slice(&bytes).with_context(about)
        }
        On::Cluster => fetch(ways).context("--on cluster"),
        On::Live => anyhow::bail!(
            "expected a recording, found --on live, which takes custom resources: rollcall record --on live -f PATH -o FILE, \
             then --on FILE"
        ),
    }
}

/// A recording with the custom resources that were asked for, and the files that hold one Exemption of these and nothing else.
///
/// # Errors
/// As [`recording`]; when a file of objects cannot be read, or holds what it must not.
pub fn with_objects(
    on: &On,
    ways: &Ways,
    objects: &ObjectArgs,
) -> anyhow::Result<(Recording, BTreeMap<ObjectKey, PathBuf>)> {
    if *on == On::Live {
        ways.suits(on)?;
        anyhow::ensure!(
            !objects.files.is_empty(),
            "--on live: expected custom resources, which say what there is to read, found none; name them with -f PATH"
        );
        let tree = files::read(objects, None)?;
        return Ok((look(tree.desired, ways).context("--on live")?, tree.exemption_files));
    }
    let mut recording = recording(on, ways)?;
    if objects.files.is_empty() {
        return Ok((recording, BTreeMap::new()));
    }
    let tree = files::read(objects, recording.desired.library.take())?;
    if let Some(cut) = &recording.cut_to {
        within(cut, &tree.desired)?;
    }
    recording.desired = tree.desired;
    Ok((recording, tree.exemption_files))
}

/// Refuses objects of teams that a recording was cut away from: their hosts would look gone.
fn within(cut: &Cut, desired: &Desired) -> anyhow::Result<()> {
    let named = |kind: &str, (namespace, name): (&Option<String>, &Option<String>)| {
        let (namespace, name) =
            (namespace.as_deref().unwrap_or_default(), name.as_deref().unwrap_or_default());
        (!cut.namespaces.contains(namespace)).then(|| format!("{kind} {namespace}/{name}"))
    };
    let environments = desired.environments.iter().map(|one| (&one.metadata.namespace, &one.metadata.name));
    let environments = environments.filter_map(|key| named("Environment", key));
    let exemptions = desired.exemptions.iter().map(|one| (&one.metadata.namespace, &one.metadata.name));
    let exemptions = exemptions.filter_map(|key| named("Exemption", key));
    let outside: Vec<String> = environments.chain(exemptions).collect();
    let seen: Vec<&str> = cut.namespaces.iter().map(String::as_str).collect();
    anyhow::ensure!(
        outside.is_empty(),
        "expected objects of the namespaces that the recording was cut to ({}), found {}; leave them out, or take a recording \
         as somebody who may get environments there too",
        few(&seen, seen.len(), MOST_NAMED),
        few(&outside, outside.len(), MOST_NAMED)
    );
    Ok(())
}

/// No more objects than this are named in one message.
const MOST_NAMED: usize = 5;

/// What builds that do not reach beyond files say about it.
#[cfg(not(all(feature = "operator", feature = "aws")))]
const NEXT: &str = "found one that was built without (--no-default-features); build it with cargo build --release -p rollcall, \
                    or name a file that rollcall record has written elsewhere";

#[cfg(not(feature = "operator"))]
fn fetch(_: &Ways) -> anyhow::Result<Recording> {
    anyhow::bail!("expected a rollcall that can reach clusters, {NEXT}")
}

#[cfg(not(all(feature = "operator", feature = "aws")))]
fn look(_: rollcall_engine::fleet::Desired, _: &Ways) -> anyhow::Result<Recording> {
    anyhow::bail!("expected a rollcall that can reach AWS and monitoring systems, {NEXT}")
}

impl Decided {
    /// Reads and decides.
    ///
    /// # Errors
    /// When the recording or a file cannot be read, or holds what it must not.
    pub fn read(on: &On, ways: &Ways, objects: &ObjectArgs) -> anyhow::Result<Self> {
        let (recording, exemption_files) = with_objects(on, ways, objects)?;
        let (fleet, problems) = Fleet::parse(&recording.desired);
        let (roll, remembered) = roll_call(&fleet, &recording.snapshot, &recording.memory, recording.now);
        Ok(Self { recording, fleet, problems, roll, remembered, exemption_files })
    }

    /// Refuses an environment that does not exist, naming those that do.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn knows_environment(&self, name: &str) -> anyhow::Result<()> {
        let known: Vec<&str> = self.roll.environments.keys().map(|key| &*key.name).collect();
        anyhow::ensure!(
            known.contains(&name),
            "there is no environment {name}; there are {}",
            known.join(", ")
        );
        Ok(())
    }

    /// What was known and decided, for what is derived from it.
    pub fn pass(&self) -> Pass<'_> {
        Pass {
            fleet: &self.fleet,
            snapshot: &self.recording.snapshot,
            memory: &self.remembered,
            roll: &self.roll,
            now: self.recording.now,
        }
    }

    /// Hosts that have this Name, or this id.
    pub fn hosts_called(&self, name: &str) -> Vec<(&HostId, &HostRoll)> {
        let is_meant =
            |(id, host): &(&HostId, &HostRoll)| id.as_str() == name || host.name.as_deref() == Some(name);
        self.roll.hosts.iter().filter(is_meant).collect()
    }

    /// The one host that has this Name, or this id.
    ///
    /// # Errors
    /// When there is none, or several: then those that may be meant are named.
    pub fn host(&self, name: &str) -> anyhow::Result<(&HostId, &HostRoll)> {
        match self.hosts_called(name).as_slice() {
            [one] => Ok(*one),
            [] => anyhow::bail!("there is no host {name:?}{}", close(name, self.host_names())),
            hosts => anyhow::bail!(several(name, hosts)),
        }
    }

    /// The names of all hosts that have one.
    pub fn host_names(&self) -> impl Iterator<Item = &str> {
        self.roll.hosts.values().filter_map(|host| host.name.as_deref())
    }
}

/// No more candidates than this are named when a name is not known or not clear.
pub const MOST_CANDIDATES: usize = 8;

/// What is said of a name that several hosts have.
pub fn several(name: &str, hosts: &[(&HostId, &HostRoll)]) -> String {
    let ids: Vec<String> = hosts.iter().take(MOST_CANDIDATES).map(|(id, _)| id.to_string()).collect();
    format!("{} hosts are called {name}; name one by its id: {}", hosts.len(), ids.join(", "))
}

/// Names that begin or go on like the one asked for.
pub fn close<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> String {
    let mut close: Vec<&str> = names.filter(|known| !name.is_empty() && known.contains(name)).collect();
    close.sort_unstable();
    close.truncate(MOST_CANDIDATES);
    if close.is_empty() { String::new() } else { format!("; there is {}", close.join(", ")) }
}
