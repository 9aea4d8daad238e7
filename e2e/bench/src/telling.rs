//! What the operator tells of itself by `/metrics`, as far as we measure by it.
//!
//! It must never take a family that is absent for zero: while a source is blind, counts are absent on purpose.

use std::collections::BTreeMap;

use anyhow::Result;
use rollcall_harness::operator::Operator;

/// Values by series: a metric's name with its labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telling(BTreeMap<String, f64>);

impl Telling {
    /// What this replica tells now.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn of(operator: &Operator) -> Result<Self> {
        Ok(Self::parse(&operator.metrics().await?))
    }

    fn parse(text: &str) -> Self {
        let series = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            Some((series.to_owned(), value.parse().ok()?))
        });
        Self(series.collect())
    }

    /// Sum of all series of a family whose labels hold these words; `None` when there is none.
    #[must_use]
    pub fn sum(&self, family: &str, labels: &str) -> Option<f64> {
        self.of_family(family, labels).map(|(_, value)| value).reduce(|sum, value| sum + value)
    }

    /// How many series of a family have labels that hold these words.
    #[must_use]
    pub fn count(&self, family: &str, labels: &str) -> usize {
        self.of_family(family, labels).count()
    }

    /// What is said of the fleet: hosts, rows and findings, and nothing of the operator's own doings.
    #[must_use]
    pub fn roll(&self) -> BTreeMap<String, f64> {
        let said = ["rollcall_environment_hosts", "rollcall_environment_rows", "rollcall_findings"];
        said.iter().flat_map(|family| self.of_family(family, "")).map(|(s, v)| (s.to_owned(), v)).collect()
    }

    fn of_family(&self, family: &str, labels: &str) -> impl Iterator<Item = (&str, f64)> {
        let named = move |series: &str| {
            let rest = series.strip_prefix(family);
            rest.is_some_and(|rest| (rest.is_empty() || rest.starts_with('{')) && rest.contains(labels))
        };
        self.0
            .iter()
            .filter(move |(series, _)| named(series))
            .map(|(series, value)| (series.as_str(), *value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_not_zero_and_a_family_is_not_another_with_a_longer_name() {
        let told = Telling::parse(
            "# TYPE rollcall_passes counter\nrollcall_passes_total 3\n\
             rollcall_environment_rows{environment=\"a\",state=\"missing\"} 2\n\
             rollcall_environment_rows{environment=\"b\",state=\"missing\"} 5\n\
             rollcall_environment_rows_more{state=\"missing\"} 100\n",
        );
        assert_eq!(told.sum("rollcall_environment_rows", "state=\"missing\""), Some(7.0));
        assert_eq!(told.sum("rollcall_environment_hosts", ""), None);
        assert_eq!(told.count("rollcall_environment_rows", ""), 2);
        assert_eq!(told.roll().len(), 2);
    }
}
