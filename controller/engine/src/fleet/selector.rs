//! Selectors, compiled once. An empty one selects nothing and is refused: a forgotten line never means everything.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use rollcall_crds::v1alpha1 as api;

use super::problem::Fault;
use crate::inventory::Marks;
use crate::limits::MAX_PATTERN_BYTES;

/// A `HostSelector`: any of its terms.
#[derive(Clone, Debug)]
pub(crate) struct HostMatcher {
    terms: Vec<Term>,
}

/// All of its parts.
#[derive(Clone, Debug)]
struct Term {
    tags: Vec<(Box<str>, Vec<Box<str>>)>,
    name: Option<NamePattern>,
    vpcs: Option<Vec<Box<str>>>,
}

impl HostMatcher {
    /// Compiles a selector; `field` is its path in the object.
    pub(crate) fn parse(selector: &api::HostSelector, field: &str) -> Result<Self, Vec<Fault>> {
        if selector.any_of.is_empty() {
            return Err(vec![Fault::empty_selector(&format!("{field}.anyOf"))]);
        }
        let mut terms = Vec::new();
        let mut faults = Vec::new();
        for (index, term) in selector.any_of.iter().enumerate() {
            match Term::parse(term, &format!("{field}.anyOf[{index}]")) {
                Ok(term) => terms.push(term),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(Self { terms }) } else { Err(faults) }
    }

    /// Does it select this host?
    pub(crate) fn selects(&self, host: Marks<'_>) -> bool {
        self.terms.iter().any(|term| term.selects(host))
    }
}

impl Term {
    fn parse(term: &api::HostTerm, field: &str) -> Result<Self, Fault> {
        let mut tags = Vec::new();
        for (key, values) in term.match_tags.iter().flatten() {
            if values.0.is_empty() {
                return Err(Fault::empty_selector(&format!("{field}.matchTags[{key}]")));
            }
            tags.push((key.as_str().into(), values.0.iter().map(|v| v.as_str().into()).collect()));
        }
        let name = term
            .name_pattern
            .as_deref()
            .map(|p| NamePattern::parse(p, &format!("{field}.namePattern")))
            .transpose()?;
        let vpcs: Option<Vec<Box<str>>> =
            term.vpc_ids.as_ref().map(|ids| ids.iter().map(|id| id.as_str().into()).collect());
        let empty = tags.is_empty() && name.is_none() && vpcs.as_ref().is_none_or(Vec::is_empty);
        if empty { Err(Fault::empty_selector(field)) } else { Ok(Self { tags, name, vpcs }) }
    }

    fn selects(&self, host: Marks<'_>) -> bool {
        let tagged = |(key, values): &(Box<str>, Vec<Box<str>>)| {
            host.tags.get(key).is_some_and(|found| values.iter().any(|value| **value == *found))
        };
        let in_vpc =
            |vpcs: &Vec<Box<str>>| host.vpc.is_some_and(|found| vpcs.iter().any(|vpc| **vpc == *found));
        self.tags.iter().all(tagged)
            && self.vpcs.as_ref().is_none_or(in_vpc)
            && self.name.as_ref().is_none_or(|pattern| host.name.is_some_and(|name| pattern.fits(name)))
    }
}

/// A pattern for names.
#[derive(Clone, Debug)]
enum NamePattern {
    /// `^jp1-`: it only says how names begin. Most do, and comparing text costs a tenth of a regular expression.
    Prefix(Box<str>),
    /// Anything else.
    Expression(Regex),
}

impl NamePattern {
    fn parse(text: &str, field: &str) -> Result<Self, Fault> {
        let expression = pattern(text, field)?;
        let stands_for_itself = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let prefix = text.strip_prefix('^').filter(|rest| rest.bytes().all(stands_for_itself));
        Ok(prefix.map_or(Self::Expression(expression), |prefix| Self::Prefix(prefix.into())))
    }

    fn fits(&self, name: &str) -> bool {
        match self {
            Self::Prefix(prefix) => name.starts_with(&**prefix),
            Self::Expression(expression) => expression.is_match(name),
        }
    }
}

/// Compiles a pattern of a custom resource within [`MAX_PATTERN_BYTES`].
pub(crate) fn pattern(text: &str, field: &str) -> Result<Regex, Fault> {
    RegexBuilder::new(text).size_limit(MAX_PATTERN_BYTES).build().map_err(|error| {
        // The library draws several lines with a caret; its last line is the reason.
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Fault::new(
            "BadPattern",
            format!("{field}: expected a regular expression (RE2 syntax), found {text:?}: {reason}"),
        )
    })
}

/// A `LabelSelector`: every label equal.
#[derive(Clone, Debug)]
pub(crate) struct LabelMatcher(Vec<(Box<str>, Box<str>)>);

impl LabelMatcher {
    /// Parses a selector; `field` is its path in the object.
    pub(crate) fn parse(selector: &api::LabelSelector, field: &str) -> Result<Self, Fault> {
        if selector.match_labels.is_empty() {
            return Err(Fault::empty_selector(&format!("{field}.matchLabels")));
        }
        let labels = selector.match_labels.iter().map(|(k, v)| (k.as_str().into(), v.0.as_str().into()));
        Ok(Self(labels.collect()))
    }

    /// Does it select an object with these labels?
    pub(crate) fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|(key, value)| labels.get(&**key).is_some_and(|found| **found == **value))
    }
}

impl std::fmt::Display for LabelMatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let labels: Vec<String> = self.0.iter().map(|(k, v)| format!("{k}={v}")).collect();
        f.write_str(&labels.join(","))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is compared as text fits the names that the expression fits.
        #[test]
        fn a_pattern_fits_what_its_expression_fits(text in "\\^?[a-c_.-]{0,3}[$+]?", name in "[a-c_.\\n-]{0,5}") {
            if let Ok(parsed) = NamePattern::parse(&text, "field") {
                prop_assert_eq!(parsed.fits(&name), Regex::new(&text).unwrap().is_match(&name));
            }
        }
    }
}
