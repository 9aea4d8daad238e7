//! Reads plain files, as people keep them in Git, into typed objects: for plans and tests without a cluster.
//!
//! It must judge as the API server would with strict validation (unknown fields, types, bounds; with
//! feature `cel` the rules too), never stop at the first fault, never let one bad document hide another, and
//! never skip anything without saying so. It reads no file system and decides nothing about hosts.

mod check;
mod document;
mod guess;
mod kind;
mod metadata;
mod node;
mod object;
mod problem;
#[cfg(feature = "cel")]
mod rules;
mod shape;

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use crate::GROUP;
use check::{Fault, faults};
use document::{Document, Unreadable};
pub use document::{MAX_DOCUMENT_BYTES, MAX_DOCUMENTS};
use guess::{is_slip, nearest};
use kind::{Kind, kinds};
use metadata::Scope;
use node::{Data, Node};
pub use object::{Found, Object, Skipped};
pub use problem::{ManifestError, ObjectName, Place, Problem};
use problem::{clean, quote};

/// The one version served.
const VERSION: &str = "v1alpha1";

/// Everything that was read so far: good objects, what was skipped, and every fault.
#[derive(Clone, Debug)]
pub struct Manifests {
    /// Objects without a fault, in the order of reading. Each stands once.
    pub objects: Vec<Found>,
    /// Documents of other kinds and groups.
    pub skipped: Vec<Skipped>,
    /// What is wrong, in the order of reading.
    pub errors: Vec<ManifestError>,
    /// For namespaced objects that name none.
    namespace: String,
    /// Where each object stands first.
    seen: HashMap<ObjectName, Place>,
}

impl Manifests {
    /// Nothing read yet. `namespace` is for namespaced objects that name none, as with `kubectl -n`.
    #[must_use]
    pub fn new(namespace: &str) -> Self {
        Self {
            objects: Vec::new(),
            skipped: Vec::new(),
            errors: Vec::new(),
            namespace: namespace.to_owned(),
            seen: HashMap::new(),
        }
    }

    /// Reads one file: YAML documents or JSON, single objects or Lists. `file` is how errors call it.
    pub fn read(&mut self, file: &str, content: &[u8]) {
        let whole = Place { file: file.to_owned(), document: 0, line: None };
        let text = match std::str::from_utf8(content) {
            Ok(text) => text,
            Err(e) => {
                let why = format!("expected UTF-8, found another byte at offset {}", e.valid_up_to());
                return self.fail(whole, None, "", Problem::Unreadable(why), None);
            }
        };
        // Kustomize does not ask its own file to say what it is.
        if matches!(
            Path::new(file).file_name().and_then(|n| n.to_str()),
            Some("kustomization.yaml" | "kustomization.yml" | "Kustomization")
        ) {
            return self.skipped.push(Skipped { place: whole, what: "Kustomization".to_owned() });
        }
        let documents = document::documents(text);
        for document in documents.read {
            self.document(file, document);
        }
        if documents.too_many {
            let why = format!("expected at most {MAX_DOCUMENTS} documents, found more; the rest is not read");
            self.fail(whole, None, "", Problem::Unreadable(why), None);
        }
    }

    fn document(&mut self, file: &str, document: Document) {
        let at = At { file, document: document.number, lines_before: document.lines_before };
        match document.root {
            Ok(root) => self.object(&at, &root),
            Err(Unreadable { line, why }) => {
                let place = Place { file: file.to_owned(), document: document.number, line };
                self.fail(place, None, "", Problem::Unreadable(clean_lines(&why)), None);
            }
        }
    }

    fn object(&mut self, at: &At<'_>, node: &Node) {
        if node.is_null() {
            return;
        }
        let said = |field| node.get(field).and_then(Node::text);
        let (Some(api_version), Some(kind)) = (said("apiVersion"), said("kind")) else {
            return self.not_an_object(at, node);
        };
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        match (api_version, kind) {
            ("v1", "List") => self.list(at, node),
            ("v1", "Namespace") => self.namespace(at, node),
            _ if group == GROUP && kind.ends_with("List") => self.list(at, node),
            _ if group == GROUP => self.of_our_group(at, node, version, kind),
            // Skipped as a stranger's it would be missing from every plan, in silence.
            _ if is_slip(group, GROUP) => {
                let problem = unexpected(&format!("{GROUP}/{VERSION}"), api_version);
                let next = Some("an object of another group would not be Rollcall's".to_owned());
                self.fail(at.place(node.line), Some(named(kind, node)), "apiVersion", problem, next);
            }
            _ => {
                let name = named(kind, node).name;
                let what = format!("{} {} {}", clean(api_version), clean(kind), clean(&name));
                self.skipped.push(Skipped { place: at.place(node.line), what: what.trim_end().to_owned() });
            }
        }
    }

    fn not_an_object(&mut self, at: &At<'_>, node: &Node) {
        let (field, next) = match node.get("kind") {
            _ if !matches!(node.data, Data::Map(_)) => ("", None),
            Some(kind) if kind.text().is_some() => {
                ("apiVersion", Some(format!("Rollcall's kinds have apiVersion: {GROUP}/{VERSION}")))
            }
            _ => ("kind", None),
        };
        let problem = match node.get(field) {
            Some(found) => Problem::Unexpected { expected: "text".to_owned(), found: quote(&found.value()) },
            None if field.is_empty() => Problem::Unexpected {
                expected: "a Kubernetes object with apiVersion and kind".to_owned(),
                found: quote(&node.value()),
            },
            None => Problem::Missing { expected: "a Kubernetes object with apiVersion and kind".to_owned() },
        };
        self.fail(at.place(node.line), None, field, problem, next);
    }

    fn list(&mut self, at: &At<'_>, node: &Node) {
        let expected = "a list of objects".to_owned();
        let (line, problem) = match node.get("items") {
            Some(Node { data: Data::List(items), .. }) => {
                return items.iter().for_each(|item| self.object(at, item));
            }
            Some(items) => (items.line, Problem::Unexpected { expected, found: quote(&items.value()) }),
            None => (node.line, Problem::Missing { expected }),
        };
        self.fail(at.place(line), Some(named("List", node)), "items", problem, None);
    }

    fn namespace(&mut self, at: &At<'_>, node: &Node) {
        let (metadata, faults) = metadata::read(node, Scope::Cluster);
        let name = ObjectName { kind: "Namespace".to_owned(), namespace: None, name: metadata.name.clone() };
        if !faults.is_empty() {
            return self.faults(at, &name, faults);
        }
        let mut labels = metadata.labels;
        labels.insert("kubernetes.io/metadata.name".to_owned(), metadata.name.clone());
        self.keep(at.place(node.line), name, Object::Namespace { name: metadata.name, labels });
    }

    fn of_our_group(&mut self, at: &At<'_>, node: &Node, version: &str, kind: &str) {
        if version != VERSION {
            let problem = unexpected(&format!("{GROUP}/{VERSION}"), &format!("{GROUP}/{version}"));
            return self.fail(at.place(node.line), Some(named(kind, node)), "apiVersion", problem, None);
        }
        let Some(kind) = kinds().iter().find(|k| k.name == kind) else {
            let names: Vec<&str> = kinds().iter().map(|k| k.name.as_str()).collect();
            let next = nearest(kind, names.iter().copied()).map(|meant| format!("did you mean {meant}?"));
            let problem = unexpected(&format!("one of {}", names.join(", ")), kind);
            return self.fail(at.place(node.line), Some(named(kind, node)), "kind", problem, next);
        };
        self.of_kind(at, node, kind);
    }

    fn of_kind(&mut self, at: &At<'_>, node: &Node, kind: &Kind) {
        let scope = if kind.namespaced { Scope::Namespaced(&self.namespace) } else { Scope::Cluster };
        let (metadata, mut all) = metadata::read(node, scope);
        let name = ObjectName { kind: kind.name.clone(), namespace: metadata.namespace, name: metadata.name };
        let home = kind.shape.field("spec").unwrap_or(&kind.shape);
        all.extend(faults(&body(node), "", &kind.shape, home));
        if !all.is_empty() {
            return self.faults(at, &name, all);
        }
        let mut value = node.value();
        if let Some(namespace) = &name.namespace {
            set_namespace(&mut value, namespace);
        }
        let broken = broken_rules(kind, node, &value);
        if !broken.is_empty() {
            return self.faults(at, &name, broken);
        }
        match kind.decode(value) {
            Ok(object) => self.keep(at.place(node.line), name, object),
            Err(e) => {
                let problem = Problem::Unreadable(clean_lines(&e.to_string()));
                self.fail(at.place(node.line), Some(name), "", problem, None);
            }
        }
    }

    fn keep(&mut self, place: Place, name: ObjectName, object: Object) {
        if let Some(first) = self.seen.get(&name) {
            let problem = Problem::Twice { first: first.clone() };
            return self.fail(place, Some(name), "", problem, Some("delete one".to_owned()));
        }
        self.seen.insert(name.clone(), place.clone());
        self.objects.push(Found { place, name, object });
    }

    fn faults(&mut self, at: &At<'_>, name: &ObjectName, faults: Vec<Fault>) {
        for Fault { field, line, problem, next } in faults {
            self.fail(at.place(line), Some(name.clone()), &field, problem, next);
        }
    }

    fn fail(
        &mut self,
        place: Place,
        object: Option<ObjectName>,
        field: &str,
        problem: Problem,
        next: Option<String>,
    ) {
        self.errors.push(ManifestError { place, object, field: field.to_owned(), problem, next });
    }
}

/// The document that is being read.
struct At<'a> {
    file: &'a str,
    document: usize,
    lines_before: u64,
}

impl At<'_> {
    fn place(&self, line: u64) -> Place {
        Place { file: self.file.to_owned(), document: self.document, line: Some(line + self.lines_before) }
    }
}

/// The object without what every kind has.
fn body(node: &Node) -> Node {
    let own = |name: &str| !matches!(name, "apiVersion" | "kind" | "metadata");
    let entries = node.entries().iter().filter(|(key, _)| own(&key.name)).cloned().collect();
    Node { line: node.line, data: Data::Map(entries) }
}

/// A namespaced object says its namespace, as it would once it is in a cluster.
fn set_namespace(object: &mut Value, namespace: &str) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
}

#[cfg(feature = "cel")]
fn broken_rules(kind: &Kind, node: &Node, value: &Value) -> Vec<Fault> {
    let broken = kind.rules.broken(value).into_iter();
    broken
        .map(|(field, message)| Fault {
            line: node.line_of(&field),
            field,
            problem: Problem::Rule(message),
            next: None,
        })
        .collect()
}

#[cfg(not(feature = "cel"))]
fn broken_rules(_: &Kind, _: &Node, _: &Value) -> Vec<Fault> {
    Vec::new()
}

/// The object as far as it says who it is.
fn named(kind: &str, node: &Node) -> ObjectName {
    let said =
        |field| node.get("metadata").and_then(|m| m.get(field)).and_then(Node::text).map(str::to_owned);
    ObjectName { kind: kind.to_owned(), namespace: said("namespace"), name: said("name").unwrap_or_default() }
}

fn unexpected(expected: &str, found: &str) -> Problem {
    Problem::Unexpected { expected: expected.to_owned(), found: clean(found) }
}

/// A parser's message on one line.
fn clean_lines(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    crate::conditions::cut(&line.chars().filter(|c| !c.is_control()).collect::<String>(), 256)
}
