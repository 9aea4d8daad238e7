//! One page per kind, from its CRD and its example; and the index. Pure: values in, Markdown out.
//!
//! It must say nothing that the schema does not say.

use std::fmt::Write as _;

use serde_json::Value;

use super::limits;

const HEADER: &str = "<!-- Generated from crds/src by `make generate`; edit the doc comments there. -->\n";

/// The page of one kind.
pub fn of_kind(crd: &Value, example: &str) -> String {
    let spec = &crd["spec"];
    let version = &spec["versions"][0];
    let root = &version["schema"]["openAPIV3Schema"];
    let mut page = format!("{HEADER}# {}\n\n{}\n\n", text(&spec["names"]["kind"]), sentence(root));
    let _ = writeln!(
        page,
        "Short name `{}` · {} · `apiVersion: {}/{}`\n",
        short_name(spec),
        scope(spec),
        text(&spec["group"]),
        text(&version["name"])
    );
    let _ = writeln!(page, "## Example\n\n```yaml\n{}\n```\n", example.trim_end());
    for part in ["spec", "status"] {
        fields_section(&mut page, part, &root["properties"][part]);
    }
    rules_section(&mut page, root);
    columns_section(&mut page, version);
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

/// The list of all kinds.
pub fn index(crds: &[Value]) -> String {
    let mut page =
        format!("{HEADER}# Kinds\n\n| Kind | Short name | Scope | What it says |\n|---|---|---|---|\n");
    for crd in crds {
        let spec = &crd["spec"];
        let _ = writeln!(
            page,
            "| [{}]({}.md) | `{}` | {} | {} |",
            text(&spec["names"]["kind"]),
            text(&spec["names"]["singular"]),
            short_name(spec),
            scope(spec),
            cell(&sentence(&spec["versions"][0]["schema"]["openAPIV3Schema"]))
        );
    }
    page.push_str(
        "\n`hosts` and `environments` exist in other API groups too; the short names are only Rollcall's.\n",
    );
    page.push_str("The same texts are on the cluster: `kubectl explain rcenv.spec.selector`.\n");
    page
}

fn fields_section(page: &mut String, part: &str, node: &Value) {
    let _ = writeln!(page, "## `{part}`\n\n{}\n", sentence(node));
    page.push_str("| Field | Value | Meaning |\n|---|---|---|\n");
    fields(page, part, node);
    page.push('\n');
}

/// A row for each property of `node`, each followed by what is in it.
fn fields(page: &mut String, path: &str, node: &Value) {
    // Nobody writes a status by hand, so nobody asks what is required in it.
    let required =
        node["required"].as_array().filter(|_| path.starts_with("spec")).cloned().unwrap_or_default();
    for (name, property) in node["properties"].as_object().into_iter().flatten() {
        let is_required = required.iter().any(|r| r == name.as_str());
        let inside = if property["items"]["type"] == "object" { &property["items"] } else { property };
        let path = format!("{path}.{name}{}", if inside == property { "" } else { "[]" });
        let is_conditions = path == "status.conditions[]";
        let mut meaning = sentence(property);
        if is_conditions {
            meaning.push_str(" See [conditions](../conditions.md).");
        }
        let value = limits::of(property, is_required);
        let _ = writeln!(page, "| `{path}` | {} | {} |", cell(&value), cell(&meaning));
        if !is_conditions {
            fields(page, &path, inside);
        }
    }
}

fn rules_section(page: &mut String, root: &Value) {
    let mut rules = String::new();
    rules_below(&mut rules, "", root);
    if !rules.is_empty() {
        page.push_str("## Rules\n\nAn object that breaks one is refused with this message.\n\n");
        let _ = writeln!(page, "| Field | Message | Rule (CEL) |\n|---|---|---|\n{rules}");
    }
}

fn rules_below(rules: &mut String, path: &str, node: &Value) {
    for rule in node["x-kubernetes-validations"].as_array().into_iter().flatten() {
        let field = format!("{path}{}", rule["fieldPath"].as_str().unwrap_or_default());
        let field = field.trim_start_matches('.');
        let (message, rule) = (text(&rule["message"]), text(&rule["rule"]));
        let _ = writeln!(rules, "| `{field}` | {} | {} |", cell(&prose(message)), cell(&format!("`{rule}`")));
    }
    for (name, property) in node["properties"].as_object().into_iter().flatten() {
        rules_below(rules, &format!("{path}.{name}"), property);
    }
    if node["items"].is_object() {
        rules_below(rules, &format!("{path}[]"), &node["items"]);
    }
}

fn columns_section(page: &mut String, version: &Value) {
    page.push_str("## Columns of `kubectl get`\n\n| Column | Field | |\n|---|---|---|\n");
    for column in version["additionalPrinterColumns"].as_array().into_iter().flatten() {
        let wide = if column["priority"].as_i64().unwrap_or(0) > 0 { "with `-o wide` " } else { "" };
        let _ = writeln!(page, "| {} | `{}` | {wide}|", text(&column["name"]), text(&column["jsonPath"]));
    }
    let selectable = version["selectableFields"].as_array().into_iter().flatten();
    let selectable: Vec<String> =
        selectable.map(|f| format!("`{}`", text(&f["jsonPath"]).trim_start_matches('.'))).collect();
    if !selectable.is_empty() {
        let _ = writeln!(page, "\nFields for `--field-selector`: {}", selectable.join(", "));
    }
}

fn short_name(spec: &Value) -> &str {
    text(&spec["names"]["shortNames"][0])
}

fn scope(spec: &Value) -> &'static str {
    if spec["scope"] == "Cluster" { "cluster-wide" } else { "namespaced" }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The description, on one line: line breaks in doc comments mean nothing.
fn sentence(node: &Value) -> String {
    prose(&text(&node["description"]).split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Outside of `code` Markdown would take `<name>` for HTML.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(n, part)| if n % 2 == 0 { part.replace('<', "&lt;") } else { part.to_owned() });
    parts.collect::<Vec<_>>().join("`")
}

/// A table ends a cell at `|`, even in code.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
