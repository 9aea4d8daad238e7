//! How parsers tell what is wrong: a [`Fault`] knows field and reason; [`Problems`] gathers them under the
//! object they were found in.

use std::collections::BTreeSet;

use super::desired::{Kind, Problem};
use crate::ids::ObjectKey;

/// Something wrong in a part of an object; the parser of that part need not know the object's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    reason: &'static str,
    message: String,
}

impl Fault {
    /// `reason` is CamelCase; `message` says field, expected, found, next step.
    pub(crate) fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// An empty selector would select nothing, and its author surely meant something.
    pub(crate) fn empty_selector(field: &str) -> Self {
        let message =
            format!("{field}: expected at least one entry, found none; an empty selector selects nothing");
        Self::new("EmptySelector", message)
    }

    /// A name that leads nowhere.
    pub(crate) fn not_found(field: &str, kind: Kind, name: &str, places: &str) -> Self {
        let kind = kind.as_str();
        let message = format!(
            "{field}: expected the name of a {kind} {places}, found {name:?}; create it or correct the name"
        );
        Self::new("ReferenceNotFound", message)
    }

    /// The same, found in an object that this one uses.
    pub(crate) fn inside(mut self, object: &str) -> Self {
        self.message = format!("{object}: {}", self.message);
        self
    }

    /// The sentence alone.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

/// Every problem once, in order.
#[derive(Debug, Default)]
pub(crate) struct Problems(BTreeSet<Problem>);

impl Problems {
    /// Adds a fault of a namespaced object.
    pub(crate) fn add(&mut self, kind: Kind, object: &ObjectKey, fault: Fault) {
        self.insert(kind, object.namespace.to_string(), object.name.to_string(), fault);
    }

    /// Adds a fault of a `CloudAccount`, the one kind without a namespace.
    pub(crate) fn add_account(&mut self, name: &str, fault: Fault) {
        self.insert(Kind::CloudAccount, String::new(), name.to_owned(), fault);
    }

    /// Takes problems that somebody else found.
    pub(crate) fn extend(&mut self, problems: &[Problem]) {
        self.0.extend(problems.iter().cloned());
    }

    fn insert(&mut self, kind: Kind, namespace: String, name: String, fault: Fault) {
        self.0.insert(Problem {
            kind,
            namespace,
            name,
            reason: fault.reason.to_owned(),
            message: fault.message,
        });
    }

    /// All of them, by kind, namespace and name.
    pub(crate) fn into_vec(self) -> Vec<Problem> {
        self.0.into_iter().collect()
    }
}
