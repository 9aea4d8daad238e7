//! The command page and the index of findings are generated: this test fails when they drift from the binary,
//! and `UPDATE=1 cargo test -p rollcall --test reference` writes them again. Command lines in the docs are
//! given to the binary itself, which must understand them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rollcall_engine::finding::Code;

/// `run` is only in a build with both; the light build keeps its section of the page as it is.
const IS_COMPLETE: bool = cfg!(all(feature = "aws", feature = "operator"));

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the binary without any environment: defaults that come from it would be this machine's.
fn rollcall(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rollcall")).args(args).env_clear().output().unwrap()
}

fn help(args: &[&str]) -> String {
    let output = rollcall(&[args, &["--help"]].concat());
    assert!(output.status.success(), "rollcall {args:?} --help: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Names of the commands of this build, in the order of `rollcall --help`.
fn commands() -> Vec<String> {
    let help = help(&[]);
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .filter(|name| name != "help")
        .collect()
}

/// Compares a file with what it should hold, or writes it when `UPDATE=1`.
fn settle(path: &Path, text: &str) {
    if std::env::var_os("UPDATE").is_some_and(|v| v == "1") {
        fs::write(path, text).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == text,
        "{} has drifted; run UPDATE=1 cargo test -p rollcall --test reference",
        path.display()
    );
}

const PAGE: &str = "docs/reference/cli.md";
const PAGE_HEAD: &str = "\
<!-- Generated from the binary's own help by `make generate`; edit the doc comments in controller/cli/src. -->
# Commands

";
const SECTION: &str = "\n## `rollcall ";

#[test]
fn the_command_page_is_what_help_says() {
    let mut sections = if IS_COMPLETE { Vec::new() } else { sections_of(&read(PAGE)) };
    for name in commands() {
        let section = (name.clone(), without_test_options(&help(&[&name])));
        match sections.iter().position(|(known, _)| *known == name) {
            Some(place) => sections[place] = section,
            None => sections.push(section),
        }
    }
    settle(&root().join(PAGE), &page(&sections));
}

fn page(sections: &[(String, String)]) -> String {
    let mut page = PAGE_HEAD.to_owned();
    for (name, help) in sections {
        let about = help.lines().next().unwrap();
        let _ = writeln!(page, "- [`rollcall {name}`](#rollcall-{name}): {about}");
    }
    let exit_codes = help(&[]).lines().last().unwrap().to_owned();
    assert!(exit_codes.starts_with("Exit codes:"), "{exit_codes}");
    let _ = writeln!(page, "\n{exit_codes}");
    for (name, help) in sections {
        let _ = write!(page, "{SECTION}{name}`\n\n```text\n{}\n```\n", help.trim_end());
    }
    page
}

/// The sections of a page as it was written.
fn sections_of(page: &str) -> Vec<(String, String)> {
    let section = |section: &str| {
        let (name, rest) = section.split_once('`').unwrap();
        let help = rest.split_once("```text\n").unwrap().1.trim_end().strip_suffix("```").unwrap();
        (name.to_owned(), help.to_owned())
    };
    page.split(SECTION).skip(1).map(section).collect()
}

/// Without what only test builds have, the fake world's clock, and without spaces at the ends of lines.
fn without_test_options(help: &str) -> String {
    let is_real = |option: &&str| !option.trim_start().starts_with("--world-clock");
    let help = help.split("\n\n").filter(is_real).collect::<Vec<_>>().join("\n\n");
    help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_index_of_findings_lists_every_code() {
    let mut families: BTreeMap<&str, Vec<Code>> = BTreeMap::new();
    for code in Code::ALL {
        families.entry(&code.as_str()[..4]).or_default().push(*code);
    }
    let mut page = "\
<!-- Generated from rollcall_engine::finding::Code by `make generate`. -->
# Findings

Codes are stable: a code never changes its meaning and is never used again. `rollcall explain RC0102` prints the
same page offline. A code that is not listed does not exist.
"
    .to_owned();
    for (family, codes) in families {
        let _ = write!(page, "\n## {family}xx: {}\n\n| Code | Finding |\n|---|---|\n", title_of(family));
        for code in codes {
            let _ = writeln!(page, "| [{code}]({code}.md) | {} |", code.title());
        }
    }
    settle(&root().join("docs/findings/README.md"), &page);
}

fn title_of(family: &str) -> &'static str {
    match family {
        "RC01" => "coverage: a host is not watched as required",
        "RC02" => "excess: something is registered or watched that need not be",
        "RC03" => "configuration: something is otherwise than asserted",
        "RC04" => "lean: hosts nobody claims or needs, too few or too many",
        "RC05" => "sources: something cannot be read",
        "RC06" => "upkeep: what people wrote needs their attention",
        other => panic!("{other}: give this family of codes a title"),
    }
}

#[test]
fn every_command_line_in_the_docs_is_understood() {
    let known = commands();
    let documented: Vec<String> = sections_of(&read(PAGE)).into_iter().map(|(name, _)| name).collect();
    let mut wrong = Vec::new();
    let mut judged = 0;
    for (file, line) in command_lines() {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let name = words.first().copied().unwrap_or_default();
        if !name.starts_with('-') && !known.iter().any(|k| k == name) {
            // In the light build `run` is a name only.
            if IS_COMPLETE || !documented.iter().any(|d| d == name) {
                wrong.push(format!("{file}: {line}: there is no command {name:?}"));
            }
            continue;
        }
        // With --help at the end the binary reads all that stands before it, refuses what it does not know, and
        // does nothing.
        let output = rollcall(&[&words[..], &["--help"]].concat());
        judged += 1;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned();
            wrong.push(format!("{file}: {line}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(judged > 3, "the search found only {judged} command lines");
}

/// Every `rollcall …` in a fenced block that a shell would run, and in `code` within a sentence, with its file.
fn command_lines() -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for path in markdown_files() {
        let file = path.strip_prefix(root()).unwrap().display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        let mut fence: Option<&str> = None;
        for line in text.lines() {
            if let Some(info) = line.trim_start().strip_prefix("```") {
                fence = if fence.is_some() { None } else { Some(info) };
                continue;
            }
            let code: Vec<&str> = match fence.map(|info| info.split_whitespace().next().unwrap_or_default()) {
                Some("sh") => vec![line],
                Some("console") => line.strip_prefix("$ ").into_iter().collect(),
                Some(_) => vec![],
                None => line.split('`').skip(1).step_by(2).collect(),
            };
            // A table writes `\|` for a pipe.
            let single = code.iter().flat_map(|code| code.split(['\\', '|', ';', '&', '>', '#', '(', ')']));
            for command in single.map(str::trim) {
                let (program, rest) = command.split_once(' ').unwrap_or_default();
                if matches!(program, "rollcall" | "target/debug/rollcall" | "target/release/rollcall") {
                    lines.push((file.clone(), format!("rollcall {rest}")));
                }
            }
        }
    }
    lines
}

/// README, CHANGELOG and all of docs/, without what is generated from the help itself.
fn markdown_files() -> Vec<PathBuf> {
    let mut files = vec![root().join("README.md"), root().join("CHANGELOG.md")];
    files.retain(|file| file.exists());
    let mut open = vec![root().join("docs")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                _ if path.is_dir() => open.push(path),
                Some(extension) if extension == "md" && !path.ends_with(PAGE) => files.push(path),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_default()
}
