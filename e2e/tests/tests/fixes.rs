//! A fix names only commands that exist: every command of every text that Rollcall can say is asked of the real program.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rollcall_harness::controlplane::locate;

/// Crates whose texts people read.
const SPEAKERS: [&str; 4] =
    ["controller/engine/src", "controller/operator/src", "controller/aws/src", "controller/cli/src"];
/// A few hundred megabytes of Python say no more than this.
const AWS: [&str; 16] = [
    "ec2 create-tags",
    "ec2 describe-addresses",
    "ec2 describe-instance-attribute",
    "ec2 describe-instances",
    "ec2 describe-security-groups",
    "ec2 describe-tags",
    "ec2 describe-volumes",
    "ec2 start-instances",
    "rds add-tags-to-resource",
    "rds describe-db-cluster-parameters",
    "rds describe-db-clusters",
    "rds describe-db-instances",
    "rds describe-db-parameters",
    "rds describe-db-subnet-groups",
    "resourcegroupstaggingapi get-resources",
    "sts get-caller-identity",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.extension() {
            _ if path.is_dir() => sources(&path, all),
            Some(extension) if extension == "rs" => all.push(path),
            _ => {}
        }
    }
}

/// The two words after each mention of a program in a text: `mkr monitors pull`, `kubectl get rcmon`.
fn commands(program: &str) -> BTreeSet<(String, String)> {
    let mut files = Vec::new();
    for folder in SPEAKERS {
        sources(&root().join(folder), &mut files);
    }
    let mut found = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        // Tests quote what is said; comments say it to nobody.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for (at, _) in line.match_indices(&format!("{program} ")) {
                if line[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || "-_./`".contains(c))
                {
                    continue;
                }
                let mut words = line[at..].split_whitespace().skip(1).map(|word| {
                    word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-').to_owned()
                });
                let first = words.next().unwrap_or_default();
                found.insert((first, words.next().unwrap_or_default()));
            }
        }
    }
    found
}

fn helps(program: &Path, arguments: &[&str]) -> bool {
    let asked =
        Command::new(program).args(arguments).arg("--help").env_clear().env("HOME", "/nonexistent").output();
    let asked = asked.unwrap();
    let said = String::from_utf8_lossy(&asked.stdout).into_owned() + &String::from_utf8_lossy(&asked.stderr);
    asked.status.success() && !said.contains("No help topic") && !said.contains("unknown command")
}

#[test]
fn every_mkr_command_exists() {
    let tools = Command::new(root().join("e2e/tools/build.sh")).output().unwrap();
    let mkr = PathBuf::from(String::from_utf8(tools.stdout).unwrap().lines().last().unwrap()).join("mkr");
    assert!(!helps(&mkr, &["no-such-command"]), "mkr refuses what it does not know");
    let found = commands("mkr");
    assert!(found.len() >= 4, "{found:?}");
    for (command, part) in found {
        assert!(helps(&mkr, &[&command]), "mkr {command}");
        if command == "monitors" {
            assert!(["pull", "diff", "push"].contains(&part.as_str()), "mkr monitors {part}");
        }
    }
}

#[test]
fn every_kubectl_command_exists_and_every_short_name() {
    let kubectl = locate().unwrap().parent().unwrap().join("kubectl");
    assert!(!helps(&kubectl, &["no-such-command"]), "kubectl refuses what it does not know");
    let short: BTreeSet<String> = rollcall_crds::all_crds()
        .into_iter()
        .flat_map(|crd| crd.spec.names.short_names.unwrap_or_default())
        .collect();
    let found = commands("kubectl");
    assert!(found.len() >= 4, "{found:?}");
    for (verb, what) in found {
        assert!(helps(&kubectl, &[&verb]), "kubectl {verb}");
        if what.starts_with("rc") {
            assert!(short.contains(&what), "kubectl {verb} {what}");
        }
    }
}

#[test]
fn every_aws_command_is_known() {
    let found = commands("aws");
    let said = found.iter().map(|(service, operation)| format!("{service} {operation}"));
    let unknown: Vec<String> = said
        .filter(|said| said.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter(|said| !AWS.contains(&said.as_str()))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
