//! Holds a value against its shape, as strictly as the API server with `--validate=strict`, and more
//! helpfully: every fault is told, with its line, what was expected and what was probably meant.
//!
//! In one point it is stricter: `field: null` is refused. The API server drops it silently, and a value that
//! somebody forgot to write must not be read as one that somebody decided to leave out.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::guess::nearest;
use super::node::{Data, Key, Node};
use super::problem::{Problem, clean, join, quote};
use super::shape::{Range, Shape, Unique};

/// More faults of one object help nobody.
const MAX_FAULTS: usize = 50;

/// One fault: field, line, problem and what to do.
pub(super) struct Fault {
    pub field: String,
    pub line: u64,
    pub problem: Problem,
    pub next: Option<String>,
}

/// Checks `node`, which stands at `path`, against `shape`. `home`: the shape of the whole object, where
/// misplaced fields are looked for.
pub(super) fn faults(node: &Node, path: &str, shape: &Shape, home: &Shape) -> Vec<Fault> {
    let mut check = Check { home, faults: Vec::new() };
    check.value(node, path, shape);
    let cut = check.faults.len() > MAX_FAULTS;
    check.faults.truncate(MAX_FAULTS);
    if cut {
        check.faults.push(Fault {
            field: path.to_owned(),
            line: node.line,
            problem: Problem::More,
            next: None,
        });
    }
    check.faults
}

struct Check<'a> {
    home: &'a Shape,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn value(&mut self, node: &Node, path: &str, shape: &Shape) {
        if self.faults.len() > MAX_FAULTS {
            return;
        }
        match (shape, &node.data) {
            (Shape::Opaque, _) => {}
            (Shape::Object { fields, required }, Data::Map(entries)) => {
                self.object(node, path, entries, fields, required);
            }
            (Shape::Map { values, size }, Data::Map(entries)) => {
                self.size(node, path, shape, *size, entries.len());
                for (key, value) in entries {
                    self.value(value, &join(path, &key.name), values);
                }
            }
            (Shape::List { items, size, unique }, Data::List(list)) => {
                self.size(node, path, shape, *size, list.len());
                for (index, item) in list.iter().enumerate() {
                    self.value(item, &format!("{path}[{index}]"), items);
                }
                self.unique(path, list, unique);
            }
            (Shape::Choice(choices), Data::Text(text)) => self.choice(node, path, shape, choices, text),
            (Shape::Text { length, pattern }, Data::Text(text)) => {
                let long_enough = length.holds(characters(text));
                if !long_enough || pattern.as_ref().is_some_and(|p| !p.is_match(text)) {
                    self.unexpected(node, path, shape, None);
                }
            }
            (Shape::Time, Data::Text(text)) => {
                if !text.contains('T') || text.parse::<Timestamp>().is_err() {
                    self.unexpected(node, path, shape, None);
                }
            }
            (Shape::Integer(range), Data::Number(number)) => {
                if !number.as_i64().is_some_and(|n| range.holds(n)) {
                    self.unexpected(node, path, shape, None);
                }
            }
            _ => self.unexpected(node, path, shape, wrong_type(shape, node)),
        }
    }

    fn object(
        &mut self,
        node: &Node,
        path: &str,
        entries: &[(Key, Node)],
        fields: &BTreeMap<String, Shape>,
        required: &[String],
    ) {
        for (key, value) in entries {
            match fields.get(&key.name) {
                Some(shape) => self.value(value, &join(path, &key.name), shape),
                None => self.unknown(key, path, fields),
            }
        }
        for name in required.iter().filter(|name| node.get(name).is_none()) {
            let Some(shape) = fields.get(name) else { continue };
            let problem = Problem::Missing { expected: shape.to_string() };
            self.faults.push(Fault { field: join(path, name), line: node.line, problem, next: None });
        }
    }

    fn unknown(&mut self, key: &Key, path: &str, fields: &BTreeMap<String, Shape>) {
        let known: Vec<&str> = fields.keys().map(String::as_str).collect();
        let next = nearest(&key.name, known.iter().copied())
            .map(|meant| format!("did you mean {meant}?"))
            .or_else(|| self.home.home_of(&key.name).map(|home| format!("it belongs into spec{home}")));
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let (field, line) = (join(path, &key.name), key.line);
        self.faults.push(Fault { field, line, problem: Problem::UnknownField { known }, next });
    }

    fn choice(&mut self, node: &Node, path: &str, shape: &Shape, choices: &[String], text: &str) {
        if choices.iter().any(|choice| choice == text) {
            return;
        }
        let next =
            nearest(text, choices.iter().map(String::as_str)).map(|meant| format!("did you mean {meant}?"));
        self.unexpected(node, path, shape, next);
    }

    fn size(&mut self, node: &Node, path: &str, shape: &Shape, size: Range, found: usize) {
        if !size.holds(i64::try_from(found).unwrap_or(i64::MAX)) {
            self.unexpected(node, path, shape, None);
        }
    }

    fn unique(&mut self, path: &str, list: &[Node], unique: &Unique) {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (index, item) in list.iter().enumerate() {
            let Some(Identity { key, what }) = identity(item, unique) else { continue };
            let Some(first) = seen.get(&key) else {
                seen.insert(key, index);
                continue;
            };
            let found = format!("{what} again, first at [{first}]");
            let problem = Problem::Unexpected { expected: "each item once".to_owned(), found };
            self.faults.push(Fault {
                field: format!("{path}[{index}]"),
                line: item.line,
                problem,
                next: None,
            });
        }
    }

    fn unexpected(&mut self, node: &Node, path: &str, shape: &Shape, next: Option<String>) {
        let found = match (shape, &node.data) {
            // A quotation that is cut does not show how long the text is.
            (Shape::Text { length, .. }, Data::Text(text)) if !length.holds(characters(text)) => {
                format!("{} characters: \"{}\"", characters(text), clean(text))
            }
            _ => quote(&node.value()),
        };
        let problem = Problem::Unexpected { expected: shape.to_string(), found };
        self.faults.push(Fault { field: path.to_owned(), line: node.line, problem, next });
    }
}

/// What makes an item the same as another, for the machine and in words.
struct Identity {
    key: String,
    what: String,
}

/// None where items may repeat, and for an item without its keys, whose absence is told already.
fn identity(item: &Node, unique: &Unique) -> Option<Identity> {
    match unique {
        Unique::No => None,
        Unique::Items => Some(Identity { key: item.value().to_string(), what: quote(&item.value()) }),
        Unique::By(keys) => {
            let values: Option<Vec<_>> = keys.iter().map(|key| Some((key, item.get(key)?.value()))).collect();
            let values = values?;
            let words: Vec<_> = values.iter().map(|(key, value)| format!("{key} {}", quote(value))).collect();
            Some(Identity { key: format!("{values:?}"), what: words.join(", ") })
        }
    }
}

/// The length as the API server counts it.
fn characters(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// What to do when the value is of another type.
fn wrong_type(shape: &Shape, node: &Node) -> Option<String> {
    match (shape, &node.data) {
        (_, Data::Null) => Some("give a value or delete the line".to_owned()),
        (Shape::Text { .. } | Shape::Choice(_), Data::Number(_) | Data::Bool(_)) => {
            Some("put it in quotes".to_owned())
        }
        (Shape::Integer(_), Data::Text(text)) if text.parse::<i64>().is_ok() => {
            Some("remove the quotes".to_owned())
        }
        (Shape::List { .. }, _) => Some("put it in a list: [ … ]".to_owned()),
        _ => None,
    }
}
