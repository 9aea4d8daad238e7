//! `metadata` of an object: name, namespace and labels as the API server would insist on them.
//!
//! The fields that only the API server writes (`uid`, `managedFields`, …) are let through unread, so that
//! the output of `kubectl get -o yaml` can be read.

use std::collections::BTreeMap;

use super::check::Fault;
use super::guess::nearest;
use super::node::{Data, Node};
use super::problem::{Problem, join, quote};

/// Every field of Kubernetes' `ObjectMeta`.
const FIELDS: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// The metadata that Rollcall reads.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    /// Empty when there is none. Valid only without faults.
    pub name: String,
    pub namespace: Option<String>,
    pub labels: BTreeMap<String, String>,
}

/// Whether an object lives in a namespace, and which one where its file names none.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    Cluster,
    /// The namespace for objects that name none, as with `kubectl -n`.
    Namespaced(&'a str),
}

/// Reads the metadata of `object`, with everything wrong about it.
pub(super) fn read(object: &Node, scope: Scope<'_>) -> (Metadata, Vec<Fault>) {
    let mut metadata = Metadata::default();
    let mut faults = Vec::new();
    let nothing = Node { line: object.line, data: Data::Map(Vec::new()) };
    let node = object.get("metadata").unwrap_or(&nothing);
    if !matches!(node.data, Data::Map(_)) {
        faults.push(unexpected(node, "metadata", "an object with name", None));
        return (metadata, faults);
    }
    for (key, _) in node.entries().iter().filter(|(key, _)| !FIELDS.contains(&key.name.as_str())) {
        let next = nearest(&key.name, FIELDS.into_iter()).map(|meant| format!("did you mean {meant}?"));
        let problem = Problem::UnknownField { known: "annotations, labels, name, namespace".to_owned() };
        faults.push(Fault { field: join("metadata", &key.name), line: key.line, problem, next });
    }
    metadata.name = name(node, &mut faults);
    metadata.namespace = namespace(node, scope, &mut faults);
    metadata.labels = labels(node, &mut faults);
    strings(node, "annotations", &mut faults);
    (metadata, faults)
}

fn name(metadata: &Node, faults: &mut Vec<Fault>) -> String {
    const EXPECTED: &str = "a name of at most 253 lower-case letters, digits, - and .";
    match metadata.get("name").map(|node| (node, node.text())) {
        Some((_, Some(name))) if is_subdomain(name) => return name.to_owned(),
        Some((node, text)) => {
            faults.push(unexpected(node, "metadata.name", EXPECTED, None));
            // Errors still name the object as its author does.
            return text.unwrap_or_default().to_owned();
        }
        None => {
            // Every run would see another object, and plans could not be compared.
            let generated = metadata
                .get("generateName")
                .map(|_| "generateName gives none here: write the name".to_owned());
            let problem = Problem::Missing { expected: EXPECTED.to_owned() };
            faults.push(Fault {
                field: "metadata.name".to_owned(),
                line: metadata.line,
                problem,
                next: generated,
            });
        }
    }
    String::new()
}

fn namespace(metadata: &Node, scope: Scope<'_>, faults: &mut Vec<Fault>) -> Option<String> {
    let found = metadata.get("namespace");
    match (scope, found) {
        (Scope::Cluster, None) => None,
        (Scope::Cluster, Some(node)) => {
            faults.push(unexpected(
                node,
                "metadata.namespace",
                "no namespace: this kind is cluster-scoped",
                Some("delete the line"),
            ));
            None
        }
        (Scope::Namespaced(default), None) => Some(default.to_owned()),
        (Scope::Namespaced(_), Some(node)) => match node.text() {
            Some(text) if is_label(text) => Some(text.to_owned()),
            _ => {
                let expected = "a namespace of at most 63 lower-case letters, digits and -";
                faults.push(unexpected(node, "metadata.namespace", expected, None));
                None
            }
        },
    }
}

fn labels(metadata: &Node, faults: &mut Vec<Fault>) -> BTreeMap<String, String> {
    let labels = strings(metadata, "labels", faults);
    let mut good = BTreeMap::new();
    for (key, value, node) in labels {
        if is_qualified(key) && (value.is_empty() || is_part(value)) {
            good.insert(key.to_owned(), value.to_owned());
        } else {
            let expected = "a label: a key of at most 63 letters, digits, -, _ and . (with a DNS prefix or without) and such a value";
            faults.push(unexpected(node, &join("metadata.labels", key), expected, None));
        }
    }
    good
}

/// The entries of `metadata.<field>`, which must be a map of texts.
fn strings<'a>(
    metadata: &'a Node,
    field: &str,
    faults: &mut Vec<Fault>,
) -> Vec<(&'a str, &'a str, &'a Node)> {
    let Some(node) = metadata.get(field).filter(|node| !node.is_null()) else { return Vec::new() };
    let path = join("metadata", field);
    if !matches!(node.data, Data::Map(_)) {
        faults.push(unexpected(node, &path, "a map of texts", None));
    }
    let mut texts = Vec::new();
    for (key, value) in node.entries() {
        match value.text() {
            Some(text) => texts.push((key.name.as_str(), text, value)),
            None => faults.push(unexpected(value, &join(&path, &key.name), "text", Some("put it in quotes"))),
        }
    }
    texts
}

fn unexpected(node: &Node, field: &str, expected: &str, next: Option<&str>) -> Fault {
    let problem = Problem::Unexpected { expected: expected.to_owned(), found: quote(&node.value()) };
    Fault { field: field.to_owned(), line: node.line, problem, next: next.map(str::to_owned) }
}

/// A DNS label: 1 to 63 lower-case letters, digits and `-`, with no `-` at its ends.
fn is_label(text: &str) -> bool {
    text.len() <= 63 && is_dns(text)
}

/// A DNS subdomain: labels joined by `.`, at most 253 in all.
fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns)
}

fn is_dns(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A label's key: an optional DNS prefix and `/`, then a name.
fn is_qualified(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && is_part(name),
        None => is_part(key),
    }
}

/// 1 to 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
fn is_part(text: &str) -> bool {
    let outer = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && outer(text.chars().next())
        && outer(text.chars().next_back())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}
