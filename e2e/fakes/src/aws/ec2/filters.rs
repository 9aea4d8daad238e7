//! Filters of listings: all must hold, and of each one value.
//!
//! A filter that AWS would know and the fake does not is refused like an unknown one: a test must never pass
//! because a filter was ignored.

use std::collections::BTreeMap;

use crate::{
    aws::{error::AwsError, request::Params},
    wildcard,
};

/// Reads the values of one field; none when the thing has none.
pub type Read<T> = fn(&T) -> Vec<String>;

/// What a listed thing must offer to be filtered.
pub trait Filterable: Sized {
    /// Its tags.
    fn tags(&self) -> &BTreeMap<String, String>;

    /// How the named field is read; `None` when there is no such filter.
    fn field(name: &str) -> Option<Read<Self>>;
}

/// Filters, ready to match.
#[derive(Debug)]
pub struct Matcher<T> {
    tests: Vec<(What<T>, Vec<String>)>,
    text: String,
}

#[derive(Debug)]
enum What<T> {
    TagKey,
    Tag(String),
    Field(Read<T>),
}

impl<T: Filterable> Matcher<T> {
    /// Reads the filters of a request.
    ///
    /// # Errors
    /// `InvalidParameterValue` for an unknown filter; `FilterLimitExceeded`.
    pub fn of(params: &Params) -> Result<Self, AwsError> {
        let filters = params.filters()?;
        let text = format!("{filters:?}");
        let mut tests = vec![];
        for filter in filters {
            let what = match (filter.name.strip_prefix("tag:"), filter.name.as_str()) {
                (Some(key), _) => What::Tag(key.to_owned()),
                (None, "tag-key") => What::TagKey,
                (None, name) => {
                    let unknown = || AwsError::value(format!("The filter '{name}' is invalid"));
                    What::Field(T::field(name).ok_or_else(unknown)?)
                }
            };
            tests.push((what, filter.values));
        }
        Ok(Self { tests, text })
    }

    /// Whether a thing passes all filters.
    pub fn passes(&self, thing: &T) -> bool {
        self.tests.iter().all(|(what, values)| {
            let one = |told: &str| values.iter().any(|value| wildcard::matches(value, told));
            match what {
                What::Tag(key) => thing.tags().get(key).is_some_and(|v| one(v)),
                What::TagKey => thing.tags().keys().any(|k| one(k)),
                What::Field(read) => read(thing).iter().any(|v| one(v)),
            }
        })
    }

    /// What a token must remember of the filters.
    pub fn text(&self) -> &str {
        &self.text
    }
}
