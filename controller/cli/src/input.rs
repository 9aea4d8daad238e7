//! What offline commands work on: a recording, with the custom resources in it or those of files instead. No cluster, no
//! cloud, no clock: the recording's own `now` decides, so the same input prints the same bytes for ever.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use rollcall_engine::fleet::{Fleet, Problem};
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::memory::Memory;
use rollcall_engine::recording::Recording;
use rollcall_engine::rollcall::{RollCall, roll_call};

use crate::files;

/// Where the input comes from.
#[derive(Debug, Args)]
pub struct InputArgs {
    /// The recording to work on: readings and memory of one moment.
    #[arg(long, value_name = "RECORDING")]
    pub on: PathBuf,
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

/// A recording, and what the engine decides on it.
#[derive(Debug)]
pub struct Decided {
    /// The moment, with the custom resources that were asked for.
    pub recording: Recording,
    /// What is wrong in the objects themselves.
    pub problems: Vec<Problem>,
    /// What the engine decided: the very functions that the controller calls.
    pub roll: RollCall,
    /// What the engine would remember of it.
    pub remembered: Memory,
    /// Files that hold one Exemption of the objects and nothing else.
    pub exemption_files: BTreeMap<ObjectKey, PathBuf>,
}

/// Reads a recording.
///
/// # Errors
/// When the file cannot be read, or is no recording of this version.
pub fn recording(on: &Path) -> anyhow::Result<Recording> {
    let about = || format!("recording {}", on.display());
    let bytes = fs::read(on).with_context(about)?;
    Recording::from_slice(&bytes).with_context(about)
}

impl Decided {
    /// Reads and decides.
    ///
    /// # Errors
    /// When the recording or a file cannot be read, or holds what it must not.
    pub fn read(on: &Path, objects: &ObjectArgs) -> anyhow::Result<Self> {
        let mut recording = recording(on)?;
        let mut exemption_files = BTreeMap::new();
        if !objects.files.is_empty() {
            let tree = files::read(objects, recording.desired.library.take())?;
            (recording.desired, exemption_files) = (tree.desired, tree.exemption_files);
        }
        let (fleet, problems) = Fleet::parse(&recording.desired);
        let (roll, remembered) = roll_call(&fleet, &recording.snapshot, &recording.memory, recording.now);
        Ok(Self { recording, problems, roll, remembered, exemption_files })
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
}
