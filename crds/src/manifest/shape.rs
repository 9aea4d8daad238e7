//! What a schema allows, compiled once per kind from the very schema that is installed in the cluster.
//!
//! It must understand every construct our schemas use: what it cannot read is [`Shape::Opaque`], and a test
//! fails as long as one of ours is.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use regex::Regex;

/// The bounds of one value.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// Fixed fields.
    Object {
        fields: BTreeMap<String, Shape>,
        required: Vec<String>,
    },
    /// Free keys, values of one shape.
    Map {
        values: Box<Shape>,
        size: Range,
    },
    List {
        items: Box<Shape>,
        size: Range,
        unique: Unique,
    },
    /// One of a few words.
    Choice(Vec<String>),
    Text {
        length: Range,
        pattern: Option<Regex>,
    },
    /// RFC 3339, with its zone.
    Time,
    Integer(Range),
    /// A construct this file does not understand; everything fits.
    Opaque,
}

/// Inclusive bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub min: Option<i64>,
    pub max: Option<i64>,
}

/// Which items of a list may not come twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unique {
    /// Any may.
    No,
    /// Equal items.
    Items,
    /// Items that agree in all these fields.
    By(Vec<String>),
}

impl Shape {
    /// Compiles a schema.
    pub fn of(schema: &JSONSchemaProps) -> Shape {
        match schema.type_.as_deref() {
            Some("object") => object(schema),
            Some("array") => list(schema),
            Some("string") => text(schema),
            Some("integer") => Shape::Integer(integer_range(schema)),
            _ => Shape::Opaque,
        }
    }

    /// The shape of one fixed field.
    pub fn field(&self, name: &str) -> Option<&Shape> {
        match self {
            Shape::Object { fields, .. } => fields.get(name),
            _ => None,
        }
    }

    /// Where else `name` is a field, as a path below this shape: for fields that slipped to another level.
    pub fn home_of(&self, name: &str) -> Option<String> {
        match self {
            Shape::Object { fields, .. } if fields.contains_key(name) => Some(String::new()),
            Shape::Object { fields, .. } => {
                fields.iter().find_map(|(field, shape)| Some(format!(".{field}{}", shape.home_of(name)?)))
            }
            Shape::List { items, .. } => Some(format!("[]{}", items.home_of(name)?)),
            Shape::Map { values, .. } => Some(format!(".*{}", values.home_of(name)?)),
            _ => None,
        }
    }
}

fn object(schema: &JSONSchemaProps) -> Shape {
    match &schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(values)) => Shape::Map {
            values: Box::new(Shape::of(values)),
            size: Range { min: schema.min_properties, max: schema.max_properties },
        },
        Some(JSONSchemaPropsOrBool::Bool(_)) => Shape::Opaque,
        None => {
            let properties = schema.properties.iter().flatten();
            Shape::Object {
                fields: properties.map(|(name, property)| (name.clone(), Shape::of(property))).collect(),
                required: schema.required.clone().unwrap_or_default(),
            }
        }
    }
}

fn list(schema: &JSONSchemaProps) -> Shape {
    let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items else { return Shape::Opaque };
    let unique = match schema.x_kubernetes_list_type.as_deref() {
        Some("set") => Unique::Items,
        Some("map") => Unique::By(schema.x_kubernetes_list_map_keys.clone().unwrap_or_default()),
        _ => Unique::No,
    };
    let size = Range { min: schema.min_items, max: schema.max_items };
    Shape::List { items: Box::new(Shape::of(items)), size, unique }
}

fn text(schema: &JSONSchemaProps) -> Shape {
    if let Some(choices) = &schema.enum_ {
        return Shape::Choice(choices.iter().filter_map(|c| c.0.as_str().map(str::to_owned)).collect());
    }
    match schema.format.as_deref() {
        None => {}
        Some("date-time") => return Shape::Time,
        Some(_) => return Shape::Opaque,
    }
    let pattern = match schema.pattern.as_deref().map(Regex::new) {
        None => None,
        Some(Ok(pattern)) => Some(pattern),
        Some(Err(_)) => return Shape::Opaque,
    };
    Shape::Text { length: Range { min: schema.min_length, max: schema.max_length }, pattern }
}

/// The declared bounds, or else those of the format.
fn integer_range(schema: &JSONSchemaProps) -> Range {
    let of_format = match schema.format.as_deref() {
        Some("int32") => Range { min: Some(i64::from(i32::MIN)), max: Some(i64::from(i32::MAX)) },
        _ => Range { min: None, max: None },
    };
    // OpenAPI keeps bounds as floats; the house rules keep ours far below where that loses a digit.
    #[allow(clippy::cast_possible_truncation)]
    let exact = |bound: Option<f64>| bound.map(|b| b as i64);
    Range { min: exact(schema.minimum).or(of_format.min), max: exact(schema.maximum).or(of_format.max) }
}

impl Range {
    /// Whether `n` is inside.
    pub fn holds(self, n: i64) -> bool {
        self.min.is_none_or(|min| min <= n) && self.max.is_none_or(|max| n <= max)
    }

    /// ` of 1 to 50 items`; nothing when there are no bounds.
    fn of(self, unit: &str) -> String {
        let bounds = self.to_string();
        if bounds.is_empty() { bounds } else { format!("{bounds} {unit}") }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (Some(min), Some(max)) if min == max => write!(f, " of {min}"),
            (Some(min), Some(max)) => write!(f, " of {min} to {max}"),
            (Some(min), None) => write!(f, " of at least {min}"),
            (None, Some(max)) => write!(f, " of at most {max}"),
            (None, None) => Ok(()),
        }
    }
}

/// What is expected, in words: `an integer of 0 to 1440`.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Object { fields, .. } if fields.is_empty() => write!(f, "an object without fields ({{}})"),
            Shape::Object { fields, .. } => write!(f, "an object with {}", words(fields.keys())),
            Shape::Map { size, .. } => write!(f, "a map{}", size.of("entries")),
            Shape::List { size, .. } => write!(f, "a list{}", size.of("items")),
            Shape::Choice(choices) => write!(f, "one of {}", words(choices.iter())),
            Shape::Time => write!(f, "a time such as 2027-03-31T09:00:00Z"),
            Shape::Text { length, pattern } => {
                write!(f, "text{}", length.of("characters"))?;
                pattern.as_ref().map_or(Ok(()), |pattern| write!(f, " that matches {pattern}"))
            }
            Shape::Integer(range) => write!(f, "an integer{range}"),
            Shape::Opaque => write!(f, "a value"),
        }
    }
}

/// `a, b, c`, cut after the twelfth.
fn words<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let mut names: Vec<&str> = names.map(String::as_str).collect();
    let all = names.len();
    names.truncate(12);
    let more = if all > names.len() { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}
