//! The CEL rules of a kind, evaluated without a cluster by the same schema-driven walk as in one.
//!
//! Only with feature `cel`: the interpreter is heavy and a running operator never needs it, since the API
//! server has checked what it reads.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use kube::core::cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use serde_json::Value;

/// The compiled rules of one kind.
pub(super) struct Rules {
    schema: Value,
    compiled: CompiledSchema,
}

impl Rules {
    /// Compiles all rules below `schema`.
    pub fn of(schema: &JSONSchemaProps) -> Self {
        let schema = serde_json::to_value(schema).unwrap_or_default();
        let compiled = compile_schema(&schema);
        Rules { schema, compiled }
    }

    /// The rules that `object` breaks, as field and message. Rules about a change speak of updates only and
    /// are not asked. A rule that cannot be evaluated (`namePattern: "("`) counts as broken, as in a cluster.
    pub fn broken(&self, object: &Value) -> Vec<(String, String)> {
        let Err(errors) = Validator::new().validate_compiled(&self.compiled, object, None) else {
            return Vec::new();
        };
        errors
            .into_iter()
            .map(|error| {
                let told = matches!(error.kind, ErrorKind::ValidationFailure);
                let message = if told { None } else { message_of(&self.schema, &error.rule) };
                // A rule of the root that points below it gives `.spec.includes`.
                (error.field_path.trim_start_matches('.').to_owned(), message.unwrap_or(error.message))
            })
            .collect()
    }
}

/// The message that stands with `rule`, wherever in the schema that is.
fn message_of(schema: &Value, rule: &str) -> Option<String> {
    match schema {
        Value::Object(fields) if fields.get("rule").and_then(Value::as_str) == Some(rule) => {
            fields.get("message")?.as_str().map(str::to_owned)
        }
        Value::Object(fields) => fields.values().find_map(|value| message_of(value, rule)),
        Value::Array(items) => items.iter().find_map(|item| message_of(item, rule)),
        _ => None,
    }
}
