//! The verdict on one host.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rule::{Grade, Rule, Signal, Test, Weakness};
use crate::activity::{Activity, Day, HostTold, Told};
use crate::ids::HostId;
use crate::reading::FailureKind;
use crate::text::count;

/// What must be known of a host beside what it did.
#[derive(Clone, Copy, Debug)]
pub struct Host<'a> {
    /// The host.
    pub id: &'a HostId,
    /// When it was last started; of a database, when it was made. What it did before is not this run's, and of a database not
    /// its own; without it nothing is said.
    pub started: Option<Timestamp>,
    /// Since when it is proved to bear the name by which its metrics are known. Instances bear theirs for ever: none is needed.
    pub named_since: Option<Timestamp>,
    /// The last day on which it was idle by design, as far as anybody saw: what it did until then says nothing of its use.
    pub spared_on: Option<Day>,
}

/// Is the host used?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Use {
    /// Yes: the latest sign of it.
    Active(Sign),
    /// Not on any day of the window.
    Idle(Idle),
    /// Nobody can say, and so nobody may take it for unused.
    Unknown(Doubt),
}

/// A loud signal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sign {
    /// The day.
    pub day: Day,
    /// Which signal.
    pub signal: Signal,
    /// How much of it: at least so much, where a part of it was not read.
    pub amount: f32,
}

/// Every day of the window was quiet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Idle {
    /// The first of the quiet days before which nothing else is known: it may have been so for longer.
    pub since: Day,
    /// Why nobody may act on it; empty when the rule and what it saw are good enough for that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weak: Vec<Weakness>,
}

/// Why nobody can say whether a host is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Doubt {
    /// It has not run for as many days as the rule looks at; this day is the first on which it can be judged.
    TooYoung(Day),
    /// It was idle by design until lately; this day is the first on which it can be judged.
    WasSpared(Day),
    /// AWS does not say since when it exists.
    NoBeginning,
    /// A signal was not read, or not wholly.
    NotRead(Signal, FailureKind),
    /// The source had nothing of a signal on so many of the days.
    NoData(Signal, u16),
    /// Such a host has none of the signals that the rule looks at.
    NothingToLookAt,
    /// It does not run now, or nobody sees it.
    NotRunning,
    /// Its tag names a role that nobody describes (RC0607), which may be one that is idle by design.
    RoleNotDescribed,
}

impl fmt::Display for Doubt {
    /// After "nobody can say:".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooYoung(day) => {
                write!(f, "it has not run for as many days as the rule looks at; it is judged from {day}")
            }
            Self::WasSpared(day) => {
                write!(f, "it was idle by design until lately; it is judged from {day}")
            }
            Self::NoBeginning => f.write_str("AWS does not say since when it exists"),
            Self::NotRead(signal, why) => {
                write!(f, "its {} could not be read ({})", signal.as_str(), why.as_str())
            }
            Self::NoData(signal, days) => {
                write!(
                    f,
                    "there is no data of its {} on {}",
                    signal.as_str(),
                    count(usize::from(*days), "day")
                )
            }
            Self::NothingToLookAt => {
                f.write_str("such a host has none of the signals that the rule looks at")
            }
            Self::NotRunning => f.write_str("it does not run, or nobody sees it now"),
            Self::RoleNotDescribed => f.write_str("its tag names a role that nobody describes (RC0607)"),
        }
    }
}

/// Judges a host by what it did until the end of the day `until`.
///
/// Active comes first: one loud day is certain, whatever else was not read. The days that count are the last ones of the rule,
/// up to `until`; quiet days before them only tell since when it has been idle.
#[must_use]
pub fn judge(rule: &Rule, host: Host<'_>, activity: &Activity, until: Day) -> Use {
    let tests = rule.tests(host.id.is_database());
    let told = activity.of(host.id);
    let first = until.plus(1 - i32::from(rule.days()));
    let days = || (0..i32::from(rule.days())).map(|back| until.plus(-back));
    if let Some(sign) = days().find_map(|day| loud(tests, &told, day)) {
        return Use::Active(sign);
    }
    let Some(started) = host.started else { return Use::Unknown(Doubt::NoBeginning) };
    if started > first.begin() {
        let first_whole = i32::from(Day::of(started).begin() != started);
        let judged = Day::of(started).plus(first_whole + i32::from(rule.days()));
        return Use::Unknown(Doubt::TooYoung(judged));
    }
    if let Some(spared) = host.spared_on.filter(|spared| *spared >= first) {
        return Use::Unknown(Doubt::WasSpared(spared.plus(1 + i32::from(rule.days()))));
    }
    if let Some(doubt) = doubt(tests, &told, days) {
        return Use::Unknown(doubt);
    }
    let mut weak = match rule.grade(host.id.is_database()) {
        Grade::Act => Vec::new(),
        Grade::Flag(weak) => weak,
    };
    if host.id.is_database() && host.named_since.is_none_or(|since| since > first.begin()) {
        weak.push(Weakness::NameNotProved);
    }
    let began = host.spared_on.map_or(started, |spared| started.max(spared.plus(1).begin()));
    Use::Idle(Idle { since: quiet_since(tests, &told, first, began), weak })
}

/// The first signal that is loud on this day, if one is.
pub(super) fn loud(tests: &[Test], told: &HostTold<'_>, day: Day) -> Option<Sign> {
    tests.iter().find_map(|test| {
        let amount = amount(*test, told, day);
        let is_loud = amount.is_some_and(|amount| !test.is_quiet(amount));
        is_loud.then(|| Sign { day, signal: test.signal, amount: amount.unwrap_or_default() })
    })
}

/// As much of a signal as was told of a day.
pub(super) fn amount(test: Test, told: &HostTold<'_>, day: Day) -> Option<f32> {
    let values = test.signal.metrics().iter().filter_map(|metric| match told.told(*metric, day) {
        Told::Value(value) => Some(value),
        Told::NoData | Told::NotApplicable | Told::NotRead(_) => None,
    });
    values.reduce(|sum, value| sum + value)
}

/// Why not every signal of every day has a value. What was not read comes first: it may be read yet.
fn doubt<D: Iterator<Item = Day>>(
    tests: &[Test],
    told: &HostTold<'_>,
    days: impl Fn() -> D,
) -> Option<Doubt> {
    let mut applicable = false;
    let mut empty: Option<Doubt> = None;
    for test in tests {
        let mut without = 0_u16;
        for day in days() {
            let mut lacks = false;
            for metric in test.signal.metrics() {
                match told.told(*metric, day) {
                    Told::Value(_) => applicable = true,
                    Told::NoData => lacks = true,
                    Told::NotApplicable => {}
                    Told::NotRead(why) => return Some(Doubt::NotRead(test.signal, why)),
                }
            }
            without = without.saturating_add(u16::from(lacks));
        }
        if without > 0 {
            applicable = true;
            empty = empty.or(Some(Doubt::NoData(test.signal, without)));
        }
    }
    if applicable { empty } else { Some(Doubt::NothingToLookAt) }
}

/// Is every signal of this day told, and quiet?
fn is_quiet(tests: &[Test], told: &HostTold<'_>, day: Day) -> bool {
    tests.iter().all(|test| {
        let all_told = test
            .signal
            .metrics()
            .iter()
            .all(|metric| matches!(told.told(*metric, day), Told::Value(_) | Told::NotApplicable));
        all_told && amount(*test, told, day).is_none_or(|amount| test.is_quiet(amount))
    })
}

/// The first of the quiet days that lead up to `first`, itself included; none of them before the time that counts began.
fn quiet_since(tests: &[Test], told: &HostTold<'_>, first: Day, began: Timestamp) -> Day {
    let mut since = first;
    loop {
        let before = since.plus(-1);
        if before.begin() < began || !told.holds(before) || !is_quiet(tests, told, before) {
            return since;
        }
        since = before;
    }
}
