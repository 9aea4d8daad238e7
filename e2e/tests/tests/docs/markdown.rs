//! As much of Markdown as our pages use: links, headings, fenced blocks, tables. Reads files, judges nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// README, CHANGELOG and everything below docs/.
pub fn pages() -> Vec<Page> {
    let mut files = files(&["docs"], "md");
    files.extend(
        ["README.md", "CHANGELOG.md"].map(|file| root().join(file)).into_iter().filter(|f| f.exists()),
    );
    files.iter().map(|file| Page::read(file)).collect()
}

/// All files of one kind below some folders of the repository.
pub fn files(folders: &[&str], kind: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == kind) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// One page.
pub struct Page {
    /// Where it is.
    pub path: PathBuf,
    /// All of it.
    pub text: String,
}

impl Page {
    /// Reads a page.
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self { path: path.to_owned(), text }
    }

    /// Its path in the repository.
    pub fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap_or(&self.path).display().to_string()
    }

    /// Lines outside fenced blocks.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut fenced = false;
        self.text.lines().filter(move |line| {
            let is_fence = line.trim_start().starts_with("```");
            fenced ^= is_fence;
            !fenced && !is_fence
        })
    }

    /// Targets of all links. What stands in `code` is none.
    pub fn links(&self) -> Vec<String> {
        let mut links = Vec::new();
        for line in self.prose() {
            let plain: String = line.split('`').step_by(2).collect();
            let targets = plain.match_indices("](").filter_map(|(at, _)| plain[at + 2..].split_once(')'));
            links.extend(targets.map(|(target, _)| target.to_owned()));
        }
        links
    }

    /// Names by which headings are linked to, as mdBook and code hosts make them.
    pub fn anchors(&self) -> BTreeSet<String> {
        let headings = self.prose().filter(|line| line.starts_with('#'));
        headings
            .map(|line| {
                let kept = line.trim_start_matches('#').trim().to_lowercase();
                let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
                kept.map(|c| if c == ' ' { '-' } else { c }).collect()
            })
            .collect()
    }

    /// Fenced blocks of one language, each with the line on which it begins.
    pub fn blocks<'p>(&'p self, language: &'p str) -> impl Iterator<Item = (usize, String)> + 'p {
        let lines: Vec<&str> = self.text.lines().collect();
        let opens = format!("```{language}");
        let mut blocks = Vec::new();
        let mut at = 0;
        while at < lines.len() {
            if lines[at].trim_start().starts_with("```") {
                let length = lines[at + 1..].iter().take_while(|line| line.trim() != "```").count();
                if lines[at].trim() == opens {
                    blocks.push((at + 1, lines[at + 1..at + 1 + length].join("\n")));
                }
                at += length + 1;
            }
            at += 1;
        }
        blocks.into_iter()
    }

    /// The words in `code` in the first column of the table below a heading.
    pub fn first_column(&self, heading: &str) -> Vec<String> {
        let below = self.text.lines().skip_while(|line| *line != heading).skip(1);
        let rows =
            below.take_while(|line| !line.starts_with('#')).filter_map(|line| line.strip_prefix("| `"));
        rows.map(|row| row.split('`').next().unwrap().to_owned()).collect()
    }
}
