//! One metric of one host over the days of a window.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Day, MAX_DAYS, Window};
use crate::reading::FailureKind;

/// One metric of one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Series {
    /// It was read: what no value is of had no data.
    Days(Days),
    /// Such a host cannot have this metric.
    NotApplicable,
    /// There was no answer, or only part of one. What came of it is not kept: half an answer looks like no data.
    NotRead(FailureKind),
}

/// The values of some days, each finite and not negative. Written as a text of the first day that has one and all from
/// there to the last, `-` where there is none: `2026-03-01 3.5 0 - 7`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Days {
    first: Day,
    /// From the first day that has a value to the last one; [`NONE`] where there is none between.
    values: Box<[f32]>,
}

/// No value: less than nothing, which no value is.
const NONE: f32 = -1.0;

/// Why points are not the values of some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPoint {
    /// A day that was not asked for.
    #[error("a value of a day that was not asked for")]
    Outside,
    /// One day has two values.
    #[error("two values of one day")]
    Twice,
    /// Not a number, endless, or less than nothing.
    #[error("a value that is no amount")]
    NoAmount,
}

impl Days {
    /// The values of these days of `window`, in any order.
    ///
    /// # Errors
    /// [`BadPoint`] for the first point that cannot be.
    pub fn of(window: Window, points: impl IntoIterator<Item = (Day, f64)>) -> Result<Self, BadPoint> {
        let mut all: Vec<(Day, f32)> = Vec::new();
        for (day, value) in points {
            if !window.holds(day) {
                return Err(BadPoint::Outside);
            }
            all.push((day, amount(value).ok_or(BadPoint::NoAmount)?));
        }
        all.sort_unstable_by_key(|(day, _)| *day);
        if all.windows(2).any(|pair| matches!(pair, [(one, _), (next, _)] if one == next)) {
            return Err(BadPoint::Twice);
        }
        let Some((first, _)) = all.first().copied() else {
            return Ok(Self::none());
        };
        let mut values = Vec::new();
        for (day, value) in all {
            let index = usize::try_from(day.days_since(first)).unwrap_or_default();
            values.resize(index, NONE);
            values.push(value);
        }
        Ok(Self { first, values: values.into() })
    }

    fn none() -> Self {
        Self { first: Day::of(jiff::Timestamp::UNIX_EPOCH), values: Box::default() }
    }

    /// The value of a day, if there is one.
    #[must_use]
    pub fn value(&self, day: Day) -> Option<f32> {
        let index = usize::try_from(day.days_since(self.first)).ok()?;
        self.values.get(index).copied().filter(|value| is_value(*value))
    }

    /// All values with their days, the first one first.
    pub fn iter(&self) -> impl Iterator<Item = (Day, f32)> {
        let numbered = (0..).zip(self.values.iter().copied());
        numbered.filter(|(_, value)| is_value(*value)).map(|(n, value)| (self.first.plus(n), value))
    }

    /// Has no day a value?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

fn is_value(value: f32) -> bool {
    value >= 0.0
}

/// The value in half its bits, which is plenty for a threshold. What is more than nothing stays so.
fn amount(value: f64) -> Option<f32> {
    #[expect(clippy::cast_possible_truncation, reason = "fewer digits are wanted")]
    let short = value as f32;
    if value > 0.0 && short == 0.0 {
        return Some(f32::MIN_POSITIVE);
    }
    // Zero itself, should it carry a sign, loses it.
    (value >= 0.0 && short.is_finite()).then_some(short.abs())
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return Ok(());
        }
        write!(f, "{}", self.first)?;
        for value in &self.values {
            if is_value(*value) { write!(f, " {value}")? } else { f.write_str(" -")? }
        }
        Ok(())
    }
}

impl fmt::Debug for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Days({self})")
    }
}

impl From<Days> for String {
    fn from(days: Days) -> Self {
        days.to_string()
    }
}

impl TryFrom<String> for Days {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Days {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let Some(first) = words.next() else {
            return Ok(Self::none());
        };
        let first: jiff::civil::Date =
            first.parse().map_err(|_| format!("{first:?}: expected a day, 2026-03-01"))?;
        let values = words.map(written).collect::<Result<Box<[f32]>, String>>()?;
        let ends = [values.first(), values.last()];
        if values.len() > usize::from(MAX_DAYS) || !ends.iter().all(|end| end.is_some_and(|v| is_value(*v))) {
            return Err(format!("expected 1 to {MAX_DAYS} days, the first and the last with a value"));
        }
        Ok(Self { first: first.into(), values })
    }
}

fn written(word: &str) -> Result<f32, String> {
    if word == "-" {
        return Ok(NONE);
    }
    let value = word.parse().ok().and_then(|value: f32| amount(value.into()));
    value.ok_or_else(|| format!("{word:?}: expected an amount, or - where there is none"))
}
