//! Attacks every field of an object: missing, null, of another type, out of range, too long, unknown beside it.
//! Shared, as a file, by the offline test here and the test on a real API server, which must agree.

use serde_json::{Value, json};

/// One object that must be refused, and the field that the refusal must name.
pub struct Attack {
    /// What was done, for messages.
    pub what: String,
    /// The object after the attack.
    pub object: Value,
    /// The field to be named.
    pub field: String,
    /// The API server drops null from optional fields without a word; plain files refuse it.
    #[allow(dead_code, reason = "for the test on a real API server")]
    pub only_offline: bool,
}

/// All attacks on the fields of `spec` that `object` has, whose schema is `schema`.
pub fn attacks(schema: &Value, object: &Value) -> Vec<Attack> {
    let mut maker = Maker { object, attacks: Vec::new() };
    maker.field(&schema["properties"]["spec"], "/spec", "spec", true);
    maker.attacks
}

struct Maker<'a> {
    object: &'a Value,
    attacks: Vec<Attack>,
}

impl Maker<'_> {
    /// Attacks the value at `pointer` (called `path` in messages) and everything below it.
    fn field(&mut self, schema: &Value, pointer: &str, path: &str, required: bool) {
        assert!(self.object.pointer(pointer).is_some(), "{path} is not in the full object");
        if required {
            self.remove(pointer, path);
        }
        self.replace(pointer, path, "null", Value::Null, !required);
        self.value(schema, pointer, path);
    }

    fn value(&mut self, schema: &Value, pointer: &str, path: &str) {
        let type_ = schema["type"].as_str().unwrap();
        for other in [json!("text"), json!(7), json!(1.5), json!(true), json!(["text"]), json!({"a": "b"})] {
            if type_of(&other) != type_ {
                self.replace(pointer, path, "another type", other, false);
            }
        }
        match type_ {
            "object" => self.object(schema, pointer, path),
            "array" => self.list(schema, pointer, path),
            "string" => self.text(schema, pointer, path),
            "integer" => self.integer(schema, pointer, path),
            other => panic!("{path}: type {other}"),
        }
    }

    fn object(&mut self, schema: &Value, pointer: &str, path: &str) {
        let value = self.object.pointer(pointer).unwrap().clone();
        if schema["additionalProperties"].is_object() {
            return self.map(schema, &value, pointer, path);
        }
        let mut extended = value;
        extended["bogus"] = json!("x");
        self.replace(pointer, &format!("{path}.bogus"), "unknown field", extended, false);
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.contains(&json!(name));
            // Alternatives stand in items of their own; see `list`.
            if is_required || self.object.pointer(&format!("{pointer}/{name}")).is_some() {
                self.field(property, &format!("{pointer}/{name}"), &format!("{path}.{name}"), is_required);
            }
        }
    }

    fn map(&mut self, schema: &Value, value: &Value, pointer: &str, path: &str) {
        let (key, first) = value.as_object().unwrap().iter().next().unwrap();
        let many = schema["maxProperties"].as_u64().unwrap() + 1;
        let large: serde_json::Map<_, _> = (0..many).map(|n| (format!("k{n}"), first.clone())).collect();
        self.replace(pointer, path, "too many entries", Value::Object(large), false);
        if schema["minProperties"].as_u64().is_some_and(|min| min > 0) {
            self.replace(pointer, path, "no entries", json!({}), false);
        }
        self.value(&schema["additionalProperties"], &format!("{pointer}/{key}"), &format!("{path}.{key}"));
    }

    fn list(&mut self, schema: &Value, pointer: &str, path: &str) {
        let items = self.object.pointer(pointer).unwrap().as_array().unwrap().clone();
        let many = usize::try_from(schema["maxItems"].as_u64().unwrap()).unwrap() + 1;
        self.replace(pointer, path, "too many items", json!(vec![items[0].clone(); many]), false);
        if schema["minItems"].as_u64().is_some_and(|min| min > 0) {
            self.replace(pointer, path, "no items", json!([]), false);
        }
        if matches!(schema["x-kubernetes-list-type"].as_str(), Some("set" | "map")) {
            let twice = json!([items[0].clone(), items[0].clone()]);
            self.replace(pointer, &format!("{path}[1]"), "the same item twice", twice, false);
        }
        for index in 0..items.len() {
            self.value(&schema["items"], &format!("{pointer}/{index}"), &format!("{path}[{index}]"));
        }
    }

    fn text(&mut self, schema: &Value, pointer: &str, path: &str) {
        if let Some(max) = schema["maxLength"].as_u64() {
            let max = usize::try_from(max).unwrap();
            self.replace(pointer, path, "one character too long", json!("a".repeat(max + 1)), false);
            self.replace(pointer, path, "one wide character too long", json!("役".repeat(max + 1)), false);
            self.replace(
                pointer,
                path,
                "10 kB of control characters",
                json!("\u{1b}[2J".repeat(2_500)),
                false,
            );
        }
        if schema["minLength"].as_u64().is_some_and(|min| min > 0) {
            self.replace(pointer, path, "empty", json!(""), false);
        }
        if schema["pattern"].is_string() || schema["enum"].is_array() || schema["format"].is_string() {
            for odd in ["\u{202e}txt\u{0}", "a\nb", " "] {
                self.replace(pointer, path, "odd characters", json!(odd), false);
            }
        }
    }

    fn integer(&mut self, schema: &Value, pointer: &str, path: &str) {
        #[allow(clippy::cast_possible_truncation)]
        let bound = |name: &str| schema[name].as_f64().unwrap() as i64;
        self.replace(pointer, path, "too small", json!(bound("minimum") - 1), false);
        self.replace(pointer, path, "too large", json!(bound("maximum") + 1), false);
        self.replace(pointer, path, "larger than any integer", json!(u64::MAX), false);
    }

    fn replace(&mut self, pointer: &str, field: &str, what: &str, value: Value, only_offline: bool) {
        let mut object = self.object.clone();
        *object.pointer_mut(pointer).unwrap() = value;
        self.attacks.push(Attack {
            what: format!("{field}: {what}"),
            object,
            field: field.to_owned(),
            only_offline,
        });
    }

    fn remove(&mut self, pointer: &str, field: &str) {
        let mut object = self.object.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        let what = format!("{field}: missing");
        self.attacks.push(Attack { what, object, field: field.to_owned(), only_offline: false });
    }
}

/// Fields that exclude each other stand in different objects or items of a list; together these have them all. Panics
/// when one stands nowhere, because it would go untested.
#[allow(dead_code, reason = "asked once, by the offline test")]
pub fn every_field_stands_somewhere(schema: &Value, values: &[Value], path: &str) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let found: Vec<Value> = values.iter().filter_map(|value| value.get(name)).cloned().collect();
        assert!(!found.is_empty(), "{path} is not in a full object");
        every_field_stands_somewhere(property, &found, &path);
        let items: Vec<Value> = found.iter().filter_map(Value::as_array).flatten().cloned().collect();
        every_field_stands_somewhere(&property["items"], &items, &path);
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::Bool(_) => "boolean",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Null => "null",
    }
}
