//! `CreateTags`, `DeleteTags`, and the rules that every tag obeys.

use std::collections::BTreeMap;

use super::change;
use crate::aws::{
    error::AwsError,
    front::Asked,
    request::Params,
    xml::{Xml, carried_by_xml},
};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// How many tags of their own users may put on one resource; `aws:*` ones do not count.
const MAX_TAGS: usize = 50;
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;
const RESERVED: &str = "aws:";

pub fn create(asked: &Asked<'_>) -> Result<String, AwsError> {
    let (ids, tags) = (resources(asked)?, read(asked.params)?);
    if tags.is_empty() {
        return Err(AwsError::missing("Tag"));
    }
    change(asked, |region, _| {
        for id in &ids {
            let mut after = region.tags(id, asked.now)?.clone();
            after.extend(tags.clone());
            if after.keys().filter(|key| !key.starts_with(RESERVED)).count() > MAX_TAGS {
                let message = "The maximum number of Tags for a resource has been reached.";
                return Err(AwsError::bad_request("TagLimitExceeded", message));
            }
        }
        let add = |own: &mut Tags| own.extend(tags.clone());
        ids.iter().try_for_each(|id| region.change_tags(id, asked.now, add))
    })?;
    Ok(done())
}

pub fn delete(asked: &Asked<'_>) -> Result<String, AwsError> {
    let ids = resources(asked)?;
    let named: Vec<(String, Option<String>)> = asked
        .params
        .structures("Tag")
        .iter()
        .map(|tag| Ok((tag.need("Key")?.to_owned(), tag.get("Value").map(str::to_owned))))
        .collect::<Result<_, AwsError>>()?;
    named.iter().try_for_each(|(key, _)| not_reserved(key))?;
    let doomed = |key: &str, value: &str| {
        let same = |(k, v): &(String, Option<String>)| k == key && v.as_deref().is_none_or(|v| v == value);
        !key.starts_with(RESERVED) && (named.is_empty() || named.iter().any(same))
    };
    change(asked, |region, _| {
        ids.iter().try_for_each(|id| region.tags(id, asked.now).map(|_| ()))?;
        let remove = |own: &mut Tags| own.retain(|key, value| !doomed(key, value));
        ids.iter().try_for_each(|id| region.change_tags(id, asked.now, remove))
    })?;
    Ok(done())
}

/// Reads `Tag.N.Key` and `.Value` and holds them to the rules.
///
/// # Errors
/// `InvalidParameterValue` for what is reserved, too long, twice given, or cannot be written in XML (the last is (m)).
pub fn read(params: &Params) -> Result<Tags, AwsError> {
    let mut tags = Tags::new();
    for tag in params.structures("Tag") {
        let (key, value) = (tag.need("Key")?, tag.get("Value").unwrap_or_default());
        not_reserved(key)?;
        if key.chars().count() > MAX_KEY {
            return Err(AwsError::value(format!(
                "Tag key exceeds the maximum length of {MAX_KEY} characters"
            )));
        }
        if value.chars().count() > MAX_VALUE {
            return Err(AwsError::value(format!(
                "Tag value exceeds the maximum length of {MAX_VALUE} characters"
            )));
        }
        if !key.chars().chain(value.chars()).all(|c| carried_by_xml(c) && !c.is_control()) {
            return Err(AwsError::value("Tag keys and values must not contain control characters"));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(AwsError::value(format!("Duplicate tag key '{key}' specified.")));
        }
    }
    Ok(tags)
}

/// Reads the tags of all `TagSpecification.N` of a call that makes one thing.
///
/// # Errors
/// As [`read`].
pub fn specified(params: &Params) -> Result<Tags, AwsError> {
    let mut tags = Tags::new();
    for specification in params.structures("TagSpecification") {
        tags.extend(read(&specification)?);
    }
    Ok(tags)
}

fn not_reserved(key: &str) -> Result<(), AwsError> {
    let start = key.get(..RESERVED.len()).unwrap_or_default();
    if start.eq_ignore_ascii_case(RESERVED) {
        let message = format!(
            "Value ( {key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use"
        );
        return Err(AwsError::value(message));
    }
    Ok(())
}

fn resources(asked: &Asked<'_>) -> Result<Vec<String>, AwsError> {
    let ids = asked.params.list("ResourceId");
    if ids.is_empty() { Err(AwsError::missing("ResourceId")) } else { Ok(ids) }
}

fn done() -> String {
    let mut xml = Xml::default();
    xml.flag("return", true);
    xml.finish()
}
