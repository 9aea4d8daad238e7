//! The docs are held on the code: links lead somewhere, codes and short names exist, manifests are accepted, and the
//! reasons that are listed are those the engine gives. Command lines are tested with the binary
//! (`cargo test -p rollcall --test reference`).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

#[path = "docs/markdown.rs"]
mod markdown;

use std::collections::BTreeSet;

use rollcall_crds::manifest::Manifests;
use rollcall_engine::finding::Code;
use rollcall_engine::fleet::{Desired, Fleet};
use rollcall_engine::reading::FailureKind;
use serde_json::Value;

use markdown::{Page, pages, root};

/// All pages fail together, so that one run tells everything.
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_link_leads_to_a_page_and_a_heading() {
    let pages = pages();
    let mut wrong = Vec::new();
    let mut links = 0;
    for page in &pages {
        for link in page.links().iter().filter(|link| !link.contains("://")) {
            links += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path =
                if file.is_empty() { page.path.clone() } else { page.path.parent().unwrap().join(file) };
            if !path.exists() {
                wrong.push(format!("{}: {link}: no such file", page.name()));
            } else if !anchor.is_empty() && !Page::read(&path).anchors().contains(anchor) {
                wrong.push(format!("{}: {link}: no such heading", page.name()));
            }
        }
    }
    assert_none(&wrong);
    assert!(links > 30, "the search found only {links} links");
}

#[test]
fn every_page_that_the_code_names_exists() {
    let mut wrong = Vec::new();
    for file in markdown::files(&["controller", "crds", "e2e"], "rs") {
        let text = std::fs::read_to_string(&file).unwrap();
        for (at, _) in text.match_indices("docs/") {
            let end = text[at..].find(|c: char| !(c.is_alphanumeric() || "/-_.".contains(c))).unwrap_or(0);
            let path = text[at..at + end].trim_end_matches('.');
            if path.strip_suffix(".md").is_some() && !root().join(path).exists() {
                wrong.push(format!("{}: {path}", file.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn the_summary_lists_every_page_once() {
    let docs = root().join("docs");
    let listed = Page::read(&docs.join("SUMMARY.md")).links();
    let mut wrong = Vec::new();
    for page in
        pages().iter().filter(|page| page.path.starts_with(&docs) && !page.path.ends_with("SUMMARY.md"))
    {
        let name = page.path.strip_prefix(&docs).unwrap().display().to_string();
        let times = listed.iter().filter(|link| **link == name).count();
        if times != 1 {
            wrong.push(format!("docs/SUMMARY.md lists {name} {times} times"));
        }
    }
    assert_none(&wrong);
}

#[test]
fn every_finding_code_exists() {
    let mut wrong = Vec::new();
    for page in pages() {
        for (at, _) in page.text.match_indices("RC0") {
            let code: String = page.text[at + 2..].chars().take_while(char::is_ascii_digit).collect();
            // `RC01xx` is a family.
            if code.len() == 4 && Code::parse(&format!("RC{code}")).is_none() {
                wrong.push(format!("{}: RC{code}", page.name()));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn every_short_name_exists() {
    let crds = rollcall_crds::all_crds();
    let known: BTreeSet<&str> =
        crds.iter().flat_map(|crd| crd.spec.names.short_names.iter().flatten()).map(String::as_str).collect();
    let mut wrong = Vec::new();
    for page in pages() {
        let words = page.text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_owned);
        let ours =
            words.filter(|word| word.starts_with("rc") && word.chars().all(|c| c.is_ascii_lowercase()));
        wrong.extend(
            ours.filter(|w| !known.contains(w.as_str())).map(|word| format!("{}: {word}", page.name())),
        );
    }
    assert_none(&wrong);
}

#[test]
fn every_object_in_a_yaml_block_would_be_accepted() {
    let mut wrong = Vec::new();
    let mut objects = 0;
    for page in pages() {
        for (line, block) in page.blocks("yaml").filter(|(_, block)| block.contains("rollcall.dev/v1alpha1"))
        {
            let mut manifests = Manifests::new("default");
            manifests.read(&format!("{}, block at line {line}", page.name()), block.as_bytes());
            wrong.extend(manifests.errors.iter().map(ToString::to_string));
            objects += manifests.objects.len();
        }
    }
    assert_none(&wrong);
    assert!(objects >= 7, "the search found only {objects} objects");
}

#[test]
fn every_path_of_the_repository_exists() {
    let ours = ["charts/", "controller/", "crds/", "docs/", "e2e/"];
    let mut wrong = Vec::new();
    let mut paths = 0;
    for page in pages() {
        let words = page.text.split(|c: char| c.is_whitespace() || "`'\"()[],;:|<>".contains(c));
        for path in words.filter(|word| ours.iter().any(|folder| word.starts_with(folder))) {
            paths += 1;
            let exists = root().join(path.trim_end_matches('.')).exists();
            wrong.extend((!exists).then(|| format!("{}: {path}", page.name())));
        }
    }
    assert_none(&wrong);
    assert!(paths > 20, "the search found only {paths} paths");
}

/// A path that only one machine has, or a tool that only its author had.
#[test]
fn no_page_speaks_of_a_machine() {
    let mut wrong = Vec::new();
    for page in pages() {
        for word in ["/work/", "/root/", "/home/", "/tmp/", "localhost:"] {
            wrong.extend(page.text.contains(word).then(|| format!("{}: {word}", page.name())));
        }
    }
    assert_none(&wrong);
}

const CONDITIONS: &str = "docs/reference/conditions.md";

#[test]
fn every_reason_of_a_source_is_listed() {
    let page = Page::read(&root().join(CONDITIONS));
    let listed: Vec<String> = page.first_column("## Reasons of sources");
    let kinds: Vec<FailureKind> =
        listed.iter().map(|name| serde_json::from_value(Value::from(name.as_str())).unwrap()).collect();
    for kind in &kinds {
        // Exhaustive on purpose: a new kind does not compile until somebody has put it here and on the page.
        match kind {
            FailureKind::NotYetRead
            | FailureKind::Denied
            | FailureKind::Throttled
            | FailureKind::Unreachable
            | FailureKind::TimedOut
            | FailureKind::Malformed
            | FailureKind::SourceError
            | FailureKind::WrongAccount
            | FailureKind::TooLarge
            | FailureKind::NotSupported
            | FailureKind::Misconfigured
            | FailureKind::Stale
            | FailureKind::Unsteady => {}
        }
    }
    assert_eq!(kinds.iter().collect::<BTreeSet<_>>().len(), 13, "{listed:?}");
}

/// Reasons that the shell gives, not the engine: Secrets, clients, objects of another version.
const OF_THE_SHELL: [&str; 5] =
    ["Malformed", "Misconfigured", "SecretForbidden", "SecretKeyMissing", "SecretNotFound"];

#[test]
fn every_listed_reason_of_a_mistake_is_given_for_one() {
    let mistakes: Vec<Value> = serde_saphyr::from_multiple(include_str!("docs/mistakes.yaml")).unwrap();
    let mut shown = BTreeSet::new();
    for mistake in &mistakes {
        let (reason, on) = (mistake["reason"].as_str().unwrap(), mistake["on"].as_str().unwrap());
        let desired: Desired = serde_json::from_value(mistake["desired"].clone()).unwrap();
        let (_, problems) = Fleet::parse(&desired);
        let told = problems.iter().any(|problem| problem.reason == reason && problem.kind.as_str() == on);
        assert!(told, "expected {reason} on {on}, found {problems:#?}");
        shown.insert(reason);
    }
    let listed = Page::read(&root().join(CONDITIONS)).first_column("## Reasons that only a person can mend");
    let listed: BTreeSet<&str> =
        listed.iter().map(String::as_str).filter(|reason| !OF_THE_SHELL.contains(reason)).collect();
    assert_eq!(listed, shown, "what {CONDITIONS} lists, and what docs/mistakes.yaml shows");
}
