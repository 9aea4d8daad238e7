//! Every body over its seeds and over what once broke it, whole and cut, in every ordinary test run.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test speaks by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rollcall_fuzz::TARGETS;

/// Cuts and changes of each input: few enough for a debug build, spread over all of it.
const DAMAGES: usize = 40;

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(kind)
}

fn inputs(kind: &str, target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(folder) = fs::read_dir(folder(kind).join(target)) else { return vec![] };
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn names(kind: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(folder(kind)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_target_has_seeds_and_no_folder_is_without_a_target() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(targets, names("seeds"));
    assert!(names("crashers").is_subset(&targets));
    assert!(TARGETS.iter().all(|target| !inputs("seeds", target.name).is_empty()));
}

#[test]
fn no_seed_breaks_a_law_whole_cut_or_damaged() {
    for target in TARGETS {
        for (path, seed) in inputs("seeds", target.name) {
            println!("{}", path.display());
            (target.body)(&seed);
            for at in (0..seed.len()).step_by(seed.len().div_ceil(DAMAGES).max(1)) {
                (target.body)(&seed[..at]);
                let mut damaged = seed.clone();
                damaged[at] = damaged[at].wrapping_add(1);
                (target.body)(&damaged);
            }
        }
    }
}

#[test]
fn what_once_broke_a_parser_breaks_it_no_more() {
    for target in TARGETS {
        for (path, crasher) in inputs("crashers", target.name) {
            println!("{}", path.display());
            (target.body)(&crasher);
        }
    }
}
