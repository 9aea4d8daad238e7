//! What is wrong with a file, in words a person can act on: where, which object, which field, what was
//! expected, what was found, and what to do.
//!
//! Everything quoted from a file is cut and freed of control characters: it may be hostile.

use std::fmt;

use serde_json::Value;

use crate::conditions::cut;

/// Longest quotation from a file, in bytes.
const QUOTE_BYTES: usize = 80;

/// Where an object or an error stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as the caller named it.
    pub file: String,
    /// The document within the file, from 1; documents without content do not count. 0: the whole file.
    pub document: usize,
    /// The line within the file, from 1, when the parser knows it.
    pub line: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if self.document > 1 || (self.line.is_none() && self.document > 0) {
            write!(f, " (document {})", self.document)?;
        }
        Ok(())
    }
}

/// Which object, as `Environment backlog/jp1`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// Its kind.
    pub kind: String,
    /// Its namespace; none for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// Its name; empty when the file gives none.
    pub name: String,
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "(no name)".to_owned() } else { clean(&self.name) };
        match &self.namespace {
            Some(namespace) => write!(f, "{} {}/{name}", clean(&self.kind), clean(namespace)),
            None => write!(f, "{} {name}", clean(&self.kind)),
        }
    }
}

/// One thing that is wrong with one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// Where.
    pub place: Place,
    /// In which object, as far as it could be read.
    pub object: Option<ObjectName>,
    /// In which field: `spec.selector.anyOf[0].namePattern`. Empty: the object or document as a whole.
    pub field: String,
    /// What.
    pub problem: Problem,
    /// What to do about it, where more can be said than the problem says.
    pub next: Option<String>,
}

/// The ways in which a file can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is no YAML, or it breaks a limit: the parser's words.
    Unreadable(String),
    /// The schema has no such field.
    UnknownField {
        /// The fields it has there, joined.
        known: String,
    },
    /// A required field is missing.
    Missing {
        /// What should stand there.
        expected: String,
    },
    /// Something else stands there.
    Unexpected {
        /// What should stand there.
        expected: String,
        /// What stands there, quoted.
        found: String,
    },
    /// A CEL rule of the kind is broken: the rule's message.
    Rule(String),
    /// The same object stands twice.
    Twice {
        /// Where it stands first.
        first: Place,
    },
    /// More is wrong with this object than is shown.
    More,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Unreadable(why) => write!(f, "cannot be read: {why}"),
            Problem::UnknownField { known } => write!(f, "unknown field; expected one of {known}"),
            Problem::Missing { expected } => write!(f, "missing; expected {expected}"),
            Problem::Unexpected { expected, found } => write!(f, "expected {expected}, found {found}"),
            Problem::Rule(message) => write!(f, "{message}"),
            Problem::Twice { first } => write!(f, "stands twice; first in {first}"),
            Problem::More => write!(f, "more is wrong with this object; put right what is shown first"),
        }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(object) = &self.object {
            write!(f, "{object}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{}", self.problem)?;
        self.next.as_ref().map_or(Ok(()), |next| write!(f, "; {next}"))
    }
}

impl std::error::Error for ManifestError {}

/// A value from a file, quoted as JSON.
pub(super) fn quote(value: &Value) -> String {
    match value {
        Value::Null => "nothing (null)".to_owned(),
        Value::Array(items) => format!("a list of {}", counted(items.len(), "item")),
        Value::Object(entries) => format!("an object with {}", counted(entries.len(), "field")),
        Value::String(text) => format!("\"{}\"", clean(text)),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn counted(n: usize, one: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {one}{plural}")
}

/// Text from a file, cut and without anything a terminal could obey.
pub(super) fn clean(text: &str) -> String {
    cut(
        &cut(text, QUOTE_BYTES).escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\""),
        2 * QUOTE_BYTES,
    )
}

/// Appends a field to a path: `spec` and `owner` become `spec.owner`.
pub(super) fn join(path: &str, field: &str) -> String {
    let plain =
        !field.is_empty() && field.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    match (path, plain) {
        ("", true) => field.to_owned(),
        (_, true) => format!("{path}.{}", clean(field)),
        _ => format!("{path}[\"{}\"]", clean(field)),
    }
}
