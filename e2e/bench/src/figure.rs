//! One figure on one line: what, how much, what is wanted, and whether that is so.
//!
//! It must never round a miss into a hit, and never say anything of what was not measured.

use std::fmt::Display;
use std::time::Duration;

/// Prints a figure for which there is no target: what it was measured on, or what helps to understand another one.
pub fn note(what: &str, found: impl Display) {
    println!("{what:<64} {found:>16}");
}

/// Prints a figure that should be at most `target`; both in `unit`.
pub fn at_most(what: &str, found: f64, target: f64, unit: &str) {
    let verdict = if found <= target { "met" } else { "MISSED" };
    println!("{what:<64} {:>16} target ≤ {target} {unit}: {verdict}", said(found, unit));
}

/// Prints a count that should be exactly `target`.
pub fn exactly(what: &str, found: usize, target: usize) {
    let verdict = if found == target { "met" } else { "MISSED" };
    println!("{what:<64} {found:>16} target {target}: {verdict}");
}

/// A number with its unit, with as many decimals as a reader can use.
#[must_use]
pub fn said(number: f64, unit: &str) -> String {
    let decimals = if number.abs() >= 100.0 { 0 } else { 2 };
    format!("{number:.decimals$} {unit}")
}

/// A duration in milliseconds.
#[must_use]
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The smallest value that is not less than `share` (0 to 1) of all values: the nearest-rank percentile. The values are
/// sorted here; `None` without values.
pub fn percentile<T: Copy + Ord>(values: &mut [T], share: f64) -> Option<T> {
    values.sort_unstable();
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rank = (values.len() as f64 * share).ceil().max(1.0) as usize;
    values.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let mut values: Vec<u32> = (1..=50).rev().collect();
        assert_eq!(percentile(&mut values, 0.5), Some(25));
        assert_eq!(percentile(&mut values, 0.99), Some(50), "of fifty values the worst");
        assert_eq!(percentile(&mut [7], 0.0), Some(7));
        assert_eq!(percentile::<u32>(&mut [], 0.5), None);
    }

    #[test]
    fn numbers_keep_the_decimals_that_matter() {
        assert_eq!((said(8.456, "ms"), said(1234.5, "ms")), ("8.46 ms".to_owned(), "1234 ms".to_owned()));
    }
}
