//! Holds a value against its shape, as strictly as the API server with `--validate=strict`, and more
//! helpfully: every fault is told, with its line, what was expected and what was probably meant.
//!
//! In one point it is stricter: `field: null` is refused. The API server drops it silently, and a value that
//! somebody forgot to write must not be read as one that somebody decided to leave out.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

use super::guess::nearest;
use super::node::{Data, Key, Node};
use super::problem::{Problem, clean, join, quote};
use super::shape::{Format, Range, Shape, Unique};

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
            (Shape::Text { length, pattern, format }, Data::Text(text)) => {
                let long_enough = length.holds(i64::try_from(text.chars().count()).unwrap_or(i64::MAX));
                let fits = long_enough
                    && pattern.as_ref().is_none_or(|p| p.is_match(text))
                    && format.is_none_or(|format| is_written_as(text, format));
                if !fits {
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
            let (identity, what) = match unique {
                Unique::No => return,
                Unique::Items => (item.value().to_string(), quote(&item.value())),
                Unique::By(keys) => {
                    let values: Vec<_> =
                        keys.iter().filter_map(|key| item.get(key)).map(Node::value).collect();
                    // An item without its keys was told already.
                    if values.len() < keys.len() {
                        continue;
                    }
                    let what = keys.iter().zip(&values).map(|(key, value)| format!("{key} {}", quote(value)));
                    (serde_json::Value::from(values.clone()).to_string(), what.collect::<Vec<_>>().join(", "))
                }
            };
            if let Some(first) = seen.get(&identity) {
                let problem = Problem::Unexpected {
                    expected: "each item once".to_owned(),
                    found: format!("{what} again, first at [{first}]"),
                };
                self.faults.push(Fault {
                    field: format!("{path}[{index}]"),
                    line: item.line,
                    problem,
                    next: None,
                });
            } else {
                seen.insert(identity, index);
            }
        }
    }

    fn unexpected(&mut self, node: &Node, path: &str, shape: &Shape, next: Option<String>) {
        let found = match (shape, &node.data) {
            // Long text says nothing about how long it is.
            (Shape::Text { length, .. }, Data::Text(text))
                if !length.holds(i64::try_from(text.chars().count()).unwrap_or(i64::MAX)) =>
            {
                format!("{} characters: \"{}\"", text.chars().count(), clean(text))
            }
            _ => quote(&node.value()),
        };
        let problem = Problem::Unexpected { expected: shape.to_string(), found };
        self.faults.push(Fault { field: path.to_owned(), line: node.line, problem, next });
    }
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

/// As the API server reads them: Go's `2006-01-02`, and RFC 3339 with its zone.
fn is_written_as(text: &str, format: Format) -> bool {
    match format {
        Format::Date => {
            text.len() == 10
                && text.bytes().filter(|b| *b == b'-').count() == 2
                && text.parse::<Date>().is_ok()
        }
        Format::DateTime => text.contains('T') && text.parse::<Timestamp>().is_ok(),
    }
}
