//! Brings the derived schemas to the house rules where a derive cannot: `null`, `Condition`, needless titles.
//!
//! It only ever narrows what the API server accepts or shortens what it explains; what a field means
//! stands with its Rust type.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps,
};
use serde_json::{Value, json};

/// Settles every schema of `crd`. Returns it unchanged should a schema not survive the round trip through
/// JSON, which only a fault in this file could cause; the house-rules test would name what is then wrong.
pub(crate) fn settle(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    for version in &mut crd.spec.versions {
        let Some(schema) = version.schema.as_mut().and_then(|s| s.open_api_v3_schema.as_mut()) else {
            continue;
        };
        if let Some(settled) = settled(schema) {
            *schema = settled;
        }
    }
    crd
}

fn settled(schema: &JSONSchemaProps) -> Option<JSONSchemaProps> {
    let mut value = serde_json::to_value(schema).ok()?;
    drop_titles(&mut value);
    each_schema(&mut value, &mut |node| {
        forbid_null(node);
        bound_condition(node);
    });
    serde_json::from_value(value).ok()
}

/// The kind's name stands in `spec.names` already.
fn drop_titles(root: &mut Value) {
    if let Some(root) = root.as_object_mut() {
        root.remove("title");
    }
}

/// Calls `f` on every schema below and including `node`, parents first.
fn each_schema(node: &mut Value, f: &mut impl FnMut(&mut Value)) {
    f(node);
    let Some(node) = node.as_object_mut() else { return };
    if let Some(properties) = node.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(|child| each_schema(child, f));
    }
    for key in ["items", "additionalProperties"] {
        if let Some(child) = node.get_mut(key) {
            each_schema(child, f);
        }
    }
}

/// `Option<T>` derives `nullable: true`, and objects would be stored with nulls that mean what absence means.
/// Without the flag the API server drops them, as the API conventions ask, and readers meet one form only.
fn forbid_null(node: &mut Value) {
    if let Some(node) = node.as_object_mut() {
        node.remove("nullable");
    }
}

/// Gives apimachinery's `Condition` the bounds that its Go markers carry and its `OpenAPI` text lost, and
/// shorter descriptions: seven kinds repeat them.
fn bound_condition(node: &mut Value) {
    let is_condition = ["lastTransitionTime", "message", "reason", "status", "type"]
        .iter()
        .all(|field| node.pointer(&format!("/properties/{field}")).is_some());
    if is_condition {
        *node = condition();
    }
}

fn condition() -> Value {
    json!({
        "type": "object",
        "description": "One aspect of the state, in the form all Kubernetes tools read.",
        "required": ["lastTransitionTime", "message", "reason", "status", "type"],
        "properties": {
            "type": {
                "type": "string", "maxLength": 316,
                "pattern": r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
                "description": "Which aspect.",
            },
            "status": { "type": "string", "enum": ["True", "False", "Unknown"], "description": "Whether it holds." },
            "reason": {
                "type": "string", "minLength": 1, "maxLength": 1024,
                "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
                "description": "Why, in one word for machines.",
            },
            "message": { "type": "string", "maxLength": 32768, "description": "Why, in a sentence for people." },
            "observedGeneration": {
                "type": "integer", "format": "int64", "minimum": 0,
                "description": "The generation of this object that it speaks of.",
            },
            "lastTransitionTime": {
                "type": "string", "format": "date-time", "description": "When `status` last changed.",
            },
        },
    })
}
