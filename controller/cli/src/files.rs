//! Reads custom resources from files and folders, as the API server would take them. One bad file never hides
//! another, but a plan on half the objects would lie: any error ends the command, with all errors told at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rollcall_crds::manifest::{Found, Manifests, Object};
use rollcall_engine::fleet::Desired;
use rollcall_engine::ids::ObjectKey;

use crate::input::ObjectArgs;
use crate::write::File;

/// More files than this in one tree is a wrong path, not a GitOps tree.
const MAX_FILES: usize = 10_000;
/// No more errors are printed than this; the rest is counted.
const MAX_ERRORS: usize = 50;

/// What a tree of files says, and which file says it.
#[derive(Debug, Default)]
pub struct Tree {
    /// The objects.
    pub desired: Desired,
    /// Files that hold one Exemption and nothing else: only such a file can be written anew without losing anything.
    pub exemption_files: BTreeMap<ObjectKey, PathBuf>,
}

/// The objects in the files of `args`.
///
/// # Errors
/// When a path cannot be read, holds no object, or holds one that the API server would refuse.
pub fn read(args: &ObjectArgs, library: Option<String>) -> anyhow::Result<Tree> {
    let mut manifests = Manifests::new(&args.namespace);
    for path in &args.files {
        for file in files_under(path)? {
            let bytes = fs::read(&file).with_context(|| file.display().to_string())?;
            manifests.read(&file.display().to_string(), &bytes);
        }
    }
    if !manifests.errors.is_empty() {
        let mut lines: Vec<String> =
            manifests.errors.iter().take(MAX_ERRORS).map(|error| format!("  {error}")).collect();
        if manifests.errors.len() > MAX_ERRORS {
            lines.push(format!("  and {} more", manifests.errors.len() - MAX_ERRORS));
        }
        bail!("the API server would refuse this:\n{}", lines.join("\n"));
    }
    if manifests.objects.is_empty() {
        bail!(
            "found no Rollcall object in {}",
            args.files.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
        );
    }
    if !manifests.skipped.is_empty() {
        anstream::eprintln!("rollcall: left out {} of other kinds", manifests.skipped.len());
    }
    Ok(Tree {
        exemption_files: exemption_files(&manifests),
        desired: collect(manifests.objects, args.library.clone().or(library)),
    })
}

fn exemption_files(manifests: &Manifests) -> BTreeMap<ObjectKey, PathBuf> {
    let others = manifests.skipped.iter().map(|skipped| &skipped.place.file);
    let (mut seen, mut shared) = (BTreeSet::new(), others.collect::<BTreeSet<_>>());
    for found in &manifests.objects {
        if !seen.insert(&found.place.file) {
            shared.insert(&found.place.file);
        }
    }
    let is_alone =
        |found: &&Found| matches!(found.object, Object::Exemption(_)) && !shared.contains(&found.place.file);
    let alone = manifests.objects.iter().filter(is_alone);
    alone
        .filter_map(|found| {
            let namespace = found.name.namespace.as_deref()?;
            Some((ObjectKey::new(namespace, &found.name.name), PathBuf::from(&found.place.file)))
        })
        .collect()
}

/// Reads what is about to be written as the API server would: what it would refuse must never be written.
///
/// # Errors
/// When it would refuse any of it.
pub fn judge(written: &[File], namespace: &str) -> anyhow::Result<Vec<Found>> {
    let mut manifests = Manifests::new(namespace);
    for file in written {
        manifests.read(&file.path.display().to_string(), file.content.as_bytes());
    }
    let refused: Vec<String> =
        manifests.errors.iter().take(MAX_ERRORS).map(|error| format!("  {error}")).collect();
    if !refused.is_empty() {
        bail!("nothing was written, for the API server would refuse it:\n{}", refused.join("\n"));
    }
    Ok(manifests.objects)
}

/// Objects as the engine takes them.
pub fn collect(objects: Vec<Found>, library: Option<String>) -> Desired {
    Desired { library, ..Desired::of(objects) }
}

/// A file itself, or all YAML and JSON files below a folder, in the order of their names. Hidden ones are left out.
fn files_under(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![path.to_owned()];
    let named_by_user = path;
    while let Some(path) = open.pop() {
        let about = fs::metadata(&path).with_context(|| path.display().to_string())?;
        if about.is_dir() {
            for entry in fs::read_dir(&path).with_context(|| path.display().to_string())? {
                let entry = entry.with_context(|| path.display().to_string())?;
                if !entry.file_name().to_string_lossy().starts_with('.') {
                    open.push(entry.path());
                }
            }
        } else if path == named_by_user || is_manifest(&path) {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            bail!(
                "more than {MAX_FILES} files under {}: is this the folder you meant?",
                named_by_user.display()
            );
        }
    }
    files.sort();
    Ok(files)
}

fn is_manifest(path: &Path) -> bool {
    path.extension().and_then(|e| e.to_str()).is_some_and(|e| matches!(e, "yaml" | "yml" | "json"))
}
