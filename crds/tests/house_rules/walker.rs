//! Walks a CRD and names everything that breaks a house rule. It reads the installed schema, not its text.

use serde_json::Value;

/// The one format for strings, and only in a status, which nobody but Rollcall writes: under a format the API
/// server also takes a list of any texts (tried with 1.37).
const TIME: &str = "date-time";
/// Integers whose unit is the thing counted or measured by a field beside them; ports as in `NetworkPolicy`.
const UNITLESS: [&str; 8] =
    ["atLeast", "min", "max", "thresholdAtLeast", "thresholdAtMost", "port", "endPort", "approvalsNeeded"];
const UNITS: [&str; 10] = [
    "Seconds",
    "Minutes",
    "Hours",
    "Days",
    "Percent",
    "Bytes",
    "Megabytes",
    "Operations",
    "Connections",
    "Hosts",
];
/// Beyond it, JSON numbers lose digits in clients that read them as floats.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Everything wrong with `crd`, one sentence each, beginning with the field.
pub fn violations(crd: &Value) -> Vec<String> {
    let mut walk = Walk { broken: Vec::new() };
    walk.names(&crd["spec"]);
    walk.versions(&crd["spec"]);
    walk.broken
}

struct Walk {
    broken: Vec<String>,
}

impl Walk {
    fn demand(&mut self, holds: bool, field: &str, rule: &str) {
        if !holds {
            self.broken.push(format!("{field}: {rule}"));
        }
    }

    fn names(&mut self, spec: &Value) {
        self.demand(spec["group"] == "rollcall.dev", "group", "expected rollcall.dev");
        self.demand(
            spec["names"]["categories"] == serde_json::json!(["rollcall"]),
            "categories",
            "expected rollcall alone",
        );
        let short = spec["names"]["shortNames"].as_array().map_or(0, Vec::len);
        self.demand(short == 1, "shortNames", "expected exactly one");
    }

    fn versions(&mut self, spec: &Value) {
        let versions = spec["versions"].as_array().cloned().unwrap_or_default();
        self.demand(versions.len() == 1, "versions", "expected exactly one while it is alpha");
        for version in versions {
            let root = &version["schema"]["openAPIV3Schema"];
            self.demand(version["subresources"]["status"].is_object(), "subresources", "expected status");
            self.demand(
                root["required"] == serde_json::json!(["spec"]),
                "required",
                "expected spec alone at the top",
            );
            self.demand(
                root["properties"]["status"]["required"].is_null(),
                "status",
                "every status field is optional at its top",
            );
            self.demand(described(root), "kind", "has no description");
            self.rules("", root);
            for (name, property) in root["properties"].as_object().into_iter().flatten() {
                self.property(name, property, name == "spec");
            }
            self.columns(&version, root);
            self.selectable(&version, root);
        }
    }

    fn property(&mut self, path: &str, node: &Value, in_spec: bool) {
        self.demand(described(node), path, "has no description");
        let name = path.rsplit(['.', ']']).next().unwrap_or_default();
        self.demand(is_field_name(name), path, "expected camelCase with ID, URL and ARN in capitals");
        self.value(path, node, in_spec);
    }

    fn value(&mut self, path: &str, node: &Value, in_spec: bool) {
        self.rules(path, node);
        for open in [
            "nullable",
            "x-kubernetes-preserve-unknown-fields",
            "x-kubernetes-int-or-string",
            "anyOf",
            "oneOf",
            "allOf",
            "not",
        ] {
            self.demand(node[open].is_null(), path, &format!("{open} is not allowed"));
        }
        match node["type"].as_str() {
            Some("object") => self.object(path, node, in_spec),
            Some("array") => self.array(path, node, in_spec),
            Some("string") => self.string(path, node, in_spec),
            Some("integer") => self.integer(path, node, in_spec),
            Some("boolean") => self.demand(false, path, "a boolean; say it in words (an enum)"),
            Some("number") => self.demand(false, path, "a float; use an integer and a unit"),
            other => self.demand(false, path, &format!("type {other:?}")),
        }
    }

    fn object(&mut self, path: &str, node: &Value, in_spec: bool) {
        for (name, property) in node["properties"].as_object().into_iter().flatten() {
            self.property(&format!("{path}.{name}"), property, in_spec);
        }
        let values = &node["additionalProperties"];
        if !values.is_null() {
            self.demand(node["maxProperties"].is_u64(), path, "a map without maxProperties");
            self.demand(values.is_object(), path, "a map of anything");
            self.value(&format!("{path}.*"), values, in_spec);
        }
    }

    fn array(&mut self, path: &str, node: &Value, in_spec: bool) {
        let items = &node["items"];
        self.demand(node["maxItems"].is_u64(), path, "a list without maxItems");
        match node["x-kubernetes-list-type"].as_str() {
            Some("atomic") => {}
            Some("set") => self.demand(
                items["type"] == "string" || items["type"] == "integer",
                path,
                "a set of non-scalars",
            ),
            Some("map") => self.list_map(path, node, items),
            _ => self.demand(false, path, "a list without x-kubernetes-list-type"),
        }
        self.value(&format!("{path}[]"), items, in_spec);
    }

    fn list_map(&mut self, path: &str, node: &Value, items: &Value) {
        let keys = node["x-kubernetes-list-map-keys"].as_array().cloned().unwrap_or_default();
        self.demand(!keys.is_empty(), path, "a list-map without keys");
        let required = items["required"].as_array().cloned().unwrap_or_default();
        self.demand(
            keys.iter().all(|key| required.contains(key)),
            path,
            "a list-map whose keys are not required",
        );
    }

    fn string(&mut self, path: &str, node: &Value, in_spec: bool) {
        let time = node["format"] == TIME;
        let bounded = node["maxLength"].is_u64() || node["enum"].is_array() || time;
        self.demand(bounded, path, "a string without maxLength, enum or time format");
        self.demand(node["format"].is_null() || (time && !in_spec), path, "a format; use a pattern");
    }

    fn integer(&mut self, path: &str, node: &Value, in_spec: bool) {
        self.demand(
            node["format"] == "int32" || node["format"] == "int64",
            path,
            "an integer that is not int32 or int64",
        );
        if !in_spec {
            return;
        }
        let bound = |name: &str| node[name].as_f64().is_some_and(|bound| bound.abs() <= EXACT);
        self.demand(
            bound("minimum") && bound("maximum"),
            path,
            "an integer without a sane minimum and maximum",
        );
        let name = path.rsplit('.').next().unwrap_or_default();
        let with_unit = UNITS.iter().any(|unit| name.ends_with(unit));
        self.demand(
            with_unit || UNITLESS.contains(&name),
            path,
            "an integer whose name does not say its unit",
        );
    }

    fn rules(&mut self, path: &str, node: &Value) {
        for rule in node["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let message = rule["message"].as_str().unwrap_or_default();
            self.demand(!message.trim().is_empty(), path, "a CEL rule without a message");
        }
    }

    fn columns(&mut self, version: &Value, root: &Value) {
        let columns = version["additionalPrinterColumns"].as_array().cloned().unwrap_or_default();
        for column in &columns {
            let path = column["jsonPath"].as_str().unwrap_or_default();
            let name = column["name"].as_str().unwrap_or_default();
            self.demand(resolves(root, path), &format!("column {name}"), &format!("{path} is no field"));
        }
        let has_conditions = root["properties"]["status"]["properties"]["conditions"].is_object();
        // Nobody applies what only Rollcall writes: it shows where it stands, and is never unready.
        let shows = |name: &str| columns.iter().any(|column| column["name"] == name);
        let has_state = root["properties"]["status"]["properties"]["state"].is_object();
        let shows_ready = shows("Ready") || (has_state && shows("State"));
        self.demand(!has_conditions || shows_ready, "columns", "a kind with conditions shows Ready");
    }

    fn selectable(&mut self, version: &Value, root: &Value) {
        let fields = version["selectableFields"].as_array().cloned().unwrap_or_default();
        self.demand(fields.len() <= 8, "selectableFields", "at most 8");
        for field in &fields {
            let path = field["jsonPath"].as_str().unwrap_or_default();
            self.demand(resolves(root, path), &format!("selectable {path}"), "is no field");
        }
    }
}

fn described(node: &Value) -> bool {
    node["description"].as_str().is_some_and(|text| !text.trim().is_empty())
}

/// `accountID`, not `account_id`, `AccountID` or `accountId`.
fn is_field_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
        && !["Id", "Ids", "Url", "Urls", "Arn", "Arns"].iter().any(|slip| name.ends_with(slip))
}

/// Whether a JSON path of a column leads to a field; `[?(@.type=="Ready")]` counts as any item.
fn resolves(root: &Value, path: &str) -> bool {
    let plain = match (path.find('['), path.find(']')) {
        (Some(open), Some(close)) => format!("{}.[]{}", &path[..open], &path[close + 1..]),
        _ => path.to_owned(),
    };
    let mut node = root;
    for step in plain.split('.').filter(|step| !step.is_empty()) {
        node = if step == "[]" { &node["items"] } else { &node["properties"][step] };
    }
    node["type"].is_string()
}
