//! What a namespace sees: its own objects and the library's; a local name hides the library's.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ids::ObjectKey;

/// The objects of one kind that one namespace sees, by name.
#[derive(Debug)]
pub(crate) struct Visible<'a, T> {
    /// By name.
    pub(crate) by_name: BTreeMap<&'a str, &'a T>,
    /// Local names that hide one of the library.
    pub(crate) shadowing: Vec<&'a ObjectKey>,
}

/// Looks at all objects of a kind with the eyes of `namespace`.
pub(crate) fn visible<'a, T>(
    all: &'a BTreeMap<ObjectKey, T>,
    namespace: &str,
    library: Option<&str>,
) -> Visible<'a, T> {
    let mut seen = Visible { by_name: BTreeMap::new(), shadowing: Vec::new() };
    for (key, object) in library.into_iter().flat_map(|library| of_namespace(all, library)) {
        seen.by_name.insert(&key.name, object);
    }
    if library == Some(namespace) {
        return seen;
    }
    for (key, object) in of_namespace(all, namespace) {
        if seen.by_name.insert(&key.name, object).is_some() {
            seen.shadowing.push(key);
        }
    }
    seen
}

/// The objects of one namespace; keys are ordered by namespace first.
fn of_namespace<'a, T>(
    all: &'a BTreeMap<ObjectKey, T>,
    namespace: &str,
) -> impl Iterator<Item = (&'a ObjectKey, &'a T)> {
    let namespace: Arc<str> = namespace.into();
    let first = ObjectKey { namespace: namespace.clone(), name: Arc::from("") };
    all.range(first..).take_while(move |(key, _)| key.namespace == namespace)
}
