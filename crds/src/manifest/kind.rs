//! The kinds of `rollcall.dev`, each with the schema it is installed with, and how it becomes a typed object.

use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps,
};
use serde_json::Value;

use super::Object;
use super::shape::Shape;

/// One kind.
pub(super) struct Kind {
    pub name: String,
    pub namespaced: bool,
    /// `spec` and `status`.
    pub shape: Shape,
    #[cfg(feature = "cel")]
    pub rules: super::rules::Rules,
}

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| crate::all_crds().iter().filter_map(Kind::of).collect());

/// All kinds, compiled on first use.
pub(super) fn kinds() -> &'static [Kind] {
    &KINDS
}

impl Kind {
    fn of(crd: &CustomResourceDefinition) -> Option<Kind> {
        let schema = root(crd)?;
        Some(Kind {
            name: crd.spec.names.kind.clone(),
            namespaced: crd.spec.scope == "Namespaced",
            shape: Shape::of(schema),
            #[cfg(feature = "cel")]
            rules: super::rules::Rules::of(schema),
        })
    }

    /// The typed object.
    ///
    /// # Errors
    /// When a value passed the schema that the type refuses, which is a fault of ours.
    pub fn decode(&self, value: Value) -> Result<Object, serde_json::Error> {
        use serde_json::from_value;
        match self.name.as_str() {
            "CloudAccount" => from_value(value).map(Object::CloudAccount),
            "Environment" => from_value(value).map(Object::Environment),
            "HostRole" => from_value(value).map(Object::HostRole),
            "RequiredCheck" => from_value(value).map(Object::RequiredCheck),
            "MonitoringSystem" => from_value(value).map(Object::MonitoringSystem),
            "Exemption" => from_value(value).map(Object::Exemption),
            "RetirementPolicy" => from_value(value).map(Object::RetirementPolicy),
            "Retirement" => from_value(value).map(Object::Retirement),
            "NotificationChannel" => from_value(value).map(Object::NotificationChannel),
            "Host" => from_value(value).map(Object::Host),
            other => Err(serde::de::Error::custom(format!("no type for kind {other}"))),
        }
    }
}

fn root(crd: &CustomResourceDefinition) -> Option<&JSONSchemaProps> {
    crd.spec.versions.first()?.schema.as_ref()?.open_api_v3_schema.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opaque(shape: &Shape) -> bool {
        match shape {
            Shape::Object { fields, .. } => fields.values().any(opaque),
            Shape::Map { values, .. } => opaque(values),
            Shape::List { items, .. } => opaque(items),
            Shape::Opaque => true,
            Shape::Choice(_) | Shape::Text { .. } | Shape::Time | Shape::Integer(_) => false,
        }
    }

    #[test]
    fn every_construct_of_our_schemas_is_understood() {
        assert_eq!(kinds().len(), crate::all_crds().len());
        for kind in kinds() {
            assert!(!opaque(&kind.shape), "{}: {:?}", kind.name, kind.shape);
        }
    }
}
