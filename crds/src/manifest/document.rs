//! Text becomes documents: split as kubectl splits, each read alone, so that a bad one hides no other.
//!
//! Every limit on what a file may ask of us stands here; a document that breaks one is refused before it
//! is built in memory.

use std::borrow::Cow;

use serde_saphyr::localizer::Localizer;
use serde_saphyr::options::{AliasLimits, DuplicateKeyPolicy};
use serde_saphyr::{Budget, Location, Options, UserMessageFormatter};

use super::node::Node;

/// The API server takes no larger request (etcd's 1.5 MiB, less what it adds itself).
pub const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;
/// No fleet's file has more; a generator that went wild does.
pub const MAX_DOCUMENTS: usize = 10_000;
/// The deepest field of ours is 9 deep.
const MAX_DEPTH: usize = 64;
/// Three times what that depth was measured to need.
const STACK_BYTES: usize = 8 * 1024 * 1024;
/// Values in one document, aliases expanded.
const MAX_NODES: usize = 100_000;
/// Uses of `*anchor` in one document.
const MAX_ALIASES: usize = 1_000;

/// One document of a file.
pub(super) struct Document {
    /// Counted from 1; documents that hold only comments do not count.
    pub number: usize,
    /// Lines of the file before the document's first line.
    pub lines_before: u64,
    pub root: Result<Node, Unreadable>,
}

/// Why a document cannot be read.
#[derive(Clone, Debug)]
pub(super) struct Unreadable {
    /// The line within the file, when the parser knows it.
    pub line: Option<u64>,
    /// The parser's words.
    pub why: String,
}

/// What a file holds.
pub(super) struct Documents {
    pub read: Vec<Document>,
    /// It holds more than [`MAX_DOCUMENTS`]; the rest was not read.
    pub too_many: bool,
}

/// Reads all documents of `text`.
pub(super) fn documents(text: &str) -> Documents {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parts: Vec<_> = split(text).into_iter().filter(|(_, part)| !is_blank(part)).collect();
    let too_many = parts.len() > MAX_DOCUMENTS;
    parts.truncate(MAX_DOCUMENTS);
    let document = |(number, (lines_before, part)): (usize, (u64, &str))| Document {
        number,
        lines_before,
        root: read(part).map_err(|e| Unreadable { line: e.line.map(|l| l + lines_before), ..e }),
    };
    let read = with_room(|| (1..).zip(parts.iter().copied()).map(document).collect());
    Documents { read, too_many }
}

/// Runs `f` with stack enough for [`MAX_DEPTH`]: an unoptimised build needs 3 MB there, and a thread of a
/// test or a runtime has 2. Where no thread can be had, the caller's must do.
fn with_room<T: Send>(f: impl Fn() -> T + Sync) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, &f);
        thread.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(&f)
    })
}

/// Splits at lines that start with `---`, the only place where YAML allows a document to start. Each part
/// begins with its marker and comes with the number of lines before it.
fn split(text: &str) -> Vec<(u64, &str)> {
    let mut parts = Vec::new();
    let (mut part_start, mut part_line, mut offset) = (0, 0, 0);
    for (line_number, line) in (0_u64..).zip(text.split_inclusive('\n')) {
        let starts_document =
            line.strip_prefix("---").is_some_and(|rest| rest.trim_start() != rest || rest.is_empty());
        if starts_document && offset > 0 {
            parts.push((part_line, text.get(part_start..offset).unwrap_or_default()));
            (part_start, part_line) = (offset, line_number);
        }
        offset += line.len();
    }
    parts.push((part_line, text.get(part_start..).unwrap_or_default()));
    parts
}

/// Comments, markers and `%YAML` directives alone make no document.
fn is_blank(part: &str) -> bool {
    part.lines().map(str::trim).all(|line| {
        line.is_empty()
            || line.starts_with(['#', '%'])
            || matches!(line.trim_start_matches("---").trim(), "" | "...")
    })
}

fn read(part: &str) -> Result<Node, Unreadable> {
    if part.len() > MAX_DOCUMENT_BYTES {
        let why = format!(
            "expected a document of at most {MAX_DOCUMENT_BYTES} bytes, found {}; write one object per document",
            part.len()
        );
        return Err(Unreadable { line: Some(1), why });
    }
    serde_saphyr::from_str_with_options(part, options()).map_err(|e| {
        let line = e.location().map(|at| at.line()).filter(|line| *line > 0);
        Unreadable { line, why: e.render_with_formatter(&UserMessageFormatter.with_localizer(&NoPlace)) }
    })
}

/// The parser's places count within one document; ours, within the file, stands in front of the message.
struct NoPlace;

impl Localizer for NoPlace {
    fn attach_location<'a>(&self, message: Cow<'a, str>, _: Location) -> Cow<'a, str> {
        message
    }
}

/// The dialect of kubectl: `yes` and `on` are booleans, so that what needs quotes there needs them here.
fn options() -> Options {
    let mut budget = Budget::default();
    budget.max_depth = MAX_DEPTH;
    budget.flow_nesting_limit = MAX_DEPTH;
    budget.max_nodes = MAX_NODES;
    budget.max_aliases = MAX_ALIASES;
    budget.max_anchors = MAX_ALIASES;
    budget.max_documents = 1;
    let mut aliases = AliasLimits::default();
    aliases.max_total_replayed_events = MAX_NODES;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.alias_limits = aliases;
    options.duplicate_keys = DuplicateKeyPolicy::Error;
    options.with_snippet = false;
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn values(text: &str) -> Vec<Result<Value, Unreadable>> {
        documents(text).read.into_iter().map(|document| document.root.map(|node| node.value())).collect()
    }

    #[test]
    fn documents_are_counted_without_the_empty_ones() {
        let found = documents("# a file\n---\n# nothing\n---\na: 1\n--- # second\nb: '---'\n...\n").read;
        let [first, second] = &found[..] else { panic!("{} documents", found.len()) };
        assert_eq!((first.number, first.lines_before, second.number, second.lines_before), (1, 3, 2, 5));
        assert_eq!(second.root.as_ref().unwrap().value(), json!({"b": "---"}));
    }

    #[test]
    fn a_broken_document_is_told_with_its_line_in_the_file_and_hides_no_other() {
        let found = values("a: 1\n---\nb: [1\n---\nc: 3\n");
        let [Ok(_), Err(broken), Ok(last)] = &found[..] else { panic!("{found:?}") };
        assert!(matches!(broken.line, Some(3..=4)), "{broken:?}");
        assert_eq!(last, &json!({"c": 3}));
    }

    #[test]
    fn bombs_are_refused() {
        let nested = "[".repeat(5_000);
        let deep = (0..500).fold(String::new(), |all, depth| all + &" ".repeat(depth) + "a:\n");
        let laughs: String = (1..30).fold("l0: &l0 [a,a,a,a,a,a,a,a,a]\n".into(), |all, n| {
            let uses = vec![format!("*l{}", n - 1); 9].join(",");
            format!("{all}l{n}: &l{n} [{uses}]\n")
        });
        let long = format!("a: {}", "x".repeat(MAX_DOCUMENT_BYTES));
        let wide = format!("a: [{}]", "1,".repeat(MAX_NODES));
        for bomb in [nested, deep, laughs, long, wide, "a: 1\na: 2\n".into()] {
            assert!(values(&bomb)[0].is_err(), "{}", bomb.get(..60).unwrap_or(&bomb));
        }
        let many = documents(&"---\na: 1\n".repeat(MAX_DOCUMENTS + 5));
        assert!(many.too_many && many.read.len() == MAX_DOCUMENTS);
    }

    #[test]
    fn json_is_read_too_and_kubectl_s_dialect_is_kept() {
        let json = values("{\n\t\"a\": [1, \"x\"],\n\t\"b\": null\n}\n");
        assert_eq!(json[0].as_ref().unwrap(), &json!({"a": [1, "x"], "b": null}));
        let yaml = values("{a: on, b: 'on', c: 2026-09-01, d: 0123456789, e: 1.5}\n");
        let value = yaml[0].as_ref().unwrap();
        assert_eq!(
            (&value["a"], &value["b"], &value["c"]),
            (&json!(true), &json!("on"), &json!("2026-09-01"))
        );
        assert!(value["d"].is_number() && value["e"].is_number(), "{value}");
    }
}
