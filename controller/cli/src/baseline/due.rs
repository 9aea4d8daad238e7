//! When frozen debt falls due: spread over weeks, so that no Monday brings all of it back. Pure.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

/// Within a week expiries fall on its first days, Monday to Thursday: what comes back should not come on a weekend.
const DAYS: u32 = 4;

/// The last valid days of `count` Exemptions, evenly over the `weeks` after `from`; the first is due first, the last one
/// within the last week. All lie after `from`, and at most `weeks` weeks after it. (Days past the year 9999 are cut.)
pub fn spread(count: usize, from: Date, weeks: u8) -> Vec<Date> {
    let end = day(from, u32::from(weeks) * 7);
    let (mut this_week, mut in_week) = (0, 0);
    let mut days = Vec::with_capacity(count);
    for number in 1..=count {
        let week = u32::try_from((number * usize::from(weeks)).div_ceil(count)).unwrap_or(u32::MAX);
        in_week = if week == this_week { in_week + 1 } else { 0 };
        this_week = week;
        days.push(day(monday(day(from, week * 7)), in_week % DAYS).clamp(day(from, 1), end));
    }
    days
}

fn day(from: Date, later: u32) -> Date {
    from.saturating_add(i64::from(later).days())
}

/// The Monday on or before a day.
fn monday(date: Date) -> Date {
    date.saturating_sub(i64::from(date.weekday().since(Weekday::Monday)).days())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;

    use super::*;

    #[test]
    fn ten_causes_over_twelve_weeks() {
        let days = spread(10, date(2026, 11, 23), 12);
        let told: Vec<String> = days.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "2026-12-07",
                "2026-12-14",
                "2026-12-21",
                "2026-12-28",
                "2027-01-04",
                "2027-01-18",
                "2027-01-25",
                "2027-02-01",
                "2027-02-08",
                "2027-02-15"
            ]
        );
    }

    #[test]
    fn one_cause_has_all_the_time_and_none_needs_none() {
        assert_eq!(spread(1, date(2026, 11, 23), 12), [date(2027, 2, 15)]);
        assert_eq!(spread(0, date(2026, 11, 23), 12), []);
    }

    /// The law: whatever the day, the number and the weeks, expiries keep their order and their bounds, never fall on a
    /// Friday or weekend but at the bounds, and no week bears more than its share.
    #[test]
    fn no_week_bears_more_than_its_share() {
        for start in 0..14 {
            let from = day(date(2026, 11, 20), start);
            for weeks in [1, 2, 5, 12, 52] {
                for count in [1, 2, 11, 12, 13, 100, 1_000] {
                    let days = spread(count, from, weeks);
                    let end = day(from, u32::from(weeks) * 7);
                    let mut by_week: BTreeMap<Date, usize> = BTreeMap::new();
                    for due in &days {
                        assert!(*due > from && *due <= end, "{due} is not between {from} and {end}");
                        let late = due.weekday().since(Weekday::Monday) >= 4;
                        assert!(
                            !late || *due == end || *due == day(from, 1),
                            "{due}: {}",
                            due.weekday() as u8
                        );
                        *by_week.entry(monday(*due)).or_default() += 1;
                    }
                    let share = count.div_ceil(usize::from(weeks));
                    assert!(
                        by_week.values().all(|many| *many <= share),
                        "{from} {weeks} {count}: {by_week:?}"
                    );
                    assert_eq!(days.len(), count);
                }
            }
        }
    }
}
