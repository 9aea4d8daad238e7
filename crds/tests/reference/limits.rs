//! What a field accepts, in words: type, bounds, choices, default.

use serde_json::Value;

/// `**required**; text, 1 to 9 characters`
pub fn of(node: &Value, is_required: bool) -> String {
    let mut parts = Vec::new();
    if is_required {
        parts.push("**required**".to_owned());
    }
    parts.push(value(node));
    if !node["default"].is_null() {
        let default = &node["default"];
        let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        parts.push(format!("default `{default}`"));
    }
    parts.join("; ")
}

fn value(node: &Value) -> String {
    match node["type"].as_str().unwrap() {
        "string" => string(node),
        "integer" => with("integer", range(node, "minimum", "maximum")),
        "array" => array(node),
        "object" if node["additionalProperties"].is_object() => {
            let map = with("map", counted(node, "minProperties", "maxProperties", "entries"));
            format!("{map}; each {}", value(&node["additionalProperties"]).replacen("set,", "a set,", 1))
        }
        "object" => "object".to_owned(),
        other => other.to_owned(),
    }
}

fn string(node: &Value) -> String {
    if let Some(choices) = node["enum"].as_array() {
        return choice(&choices.iter().filter_map(Value::as_str).collect::<Vec<_>>());
    }
    match node["format"].as_str() {
        Some("date") => return "day, `YYYY-MM-DD`".to_owned(),
        Some("date-time") => return "time, RFC 3339".to_owned(),
        _ => {}
    }
    let text = with("text", counted(node, "minLength", "maxLength", "characters"));
    match node["pattern"].as_str() {
        Some(pattern) => format!("{text}, matching `{pattern}`"),
        None => text,
    }
}

fn array(node: &Value) -> String {
    let keys: Vec<String> = node["x-kubernetes-list-map-keys"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|k| format!("`{}`", k.as_str().unwrap()))
        .collect();
    let kind = match node["x-kubernetes-list-type"].as_str() {
        Some("set") => "set".to_owned(),
        Some("map") => format!("list by {}", keys.join(" and ")),
        _ => "list".to_owned(),
    };
    let list = with(&kind, counted(node, "minItems", "maxItems", "entries"));
    match node["items"]["type"].as_str() {
        Some("object") => list,
        _ => format!("{list}; each {}", value(&node["items"])),
    }
}

/// `A`, `B` or `C`
fn choice(choices: &[&str]) -> String {
    let quoted: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn with(what: &str, bounds: Option<String>) -> String {
    bounds.map_or_else(|| what.to_owned(), |bounds| format!("{what}, {bounds}"))
}

fn counted(node: &Value, least: &str, most: &str, of_what: &str) -> Option<String> {
    range(node, least, most).map(|range| format!("{range} {of_what}"))
}

/// The API server keeps bounds as floats; all of ours are whole.
fn range(node: &Value, least: &str, most: &str) -> Option<String> {
    match (node[least].as_f64(), node[most].as_f64()) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (None, Some(most)) => Some(format!("at most {most}")),
        (Some(least), None) => Some(format!("at least {least}")),
        (None, None) => None,
    }
}
