//! `Filters.Filter.N`: all must hold, and of each one value, without wildcards.
//!
//! As in EC2, a filter that the fake does not know is refused: a test must never pass because one was ignored.

use crate::aws::{
    error::AwsError,
    request::{Filter, Params},
};

/// The filters of a request.
#[derive(Debug)]
pub struct Filters(Vec<Filter>);

impl Filters {
    /// Reads the filters, each of which must be one of those `known` to the listing.
    ///
    /// # Errors
    /// `InvalidParameterValue` for an unknown filter; `MissingParameter` for one without name.
    pub fn of(params: &Params, known: &[&str]) -> Result<Self, AwsError> {
        let read = |p: &Params| {
            let name = p.need("Name")?.to_owned();
            if !known.contains(&name.as_str()) {
                return Err(AwsError::value(format!("Unrecognized filter name: {name}")));
            }
            Ok(Filter { name, values: p.list("Values.Value") })
        };
        params.structures("Filters.Filter").iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether what `read` tells of each filter's field is among its values. Names do not care for case, and may be
    /// given as ARNs.
    pub fn pass<'a>(&self, read: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|filter| {
            let told = read(&filter.name);
            told.is_some_and(|told| filter.values.iter().any(|v| name_of(v).eq_ignore_ascii_case(told)))
        })
    }

    /// What a marker must remember of the filters.
    pub fn text(&self) -> String {
        format!("{:?}", self.0)
    }
}

/// A name, given as itself or as the end of an ARN.
pub fn name_of(given: &str) -> &str {
    match given.strip_prefix("arn:") {
        // arn:partition:rds:region:account:kind:name, where the name of an automated snapshot has a colon of its own.
        Some(arn) => arn.splitn(6, ':').nth(5).unwrap_or(given),
        None => given,
    }
}
