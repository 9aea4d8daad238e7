//! What a verdict saw, signal by signal: for people, and for whoever must answer later why.

use serde::{Deserialize, Serialize};

use super::rule::{Rule, Test};
use super::verdict::amount;
use crate::activity::{Activity, Day, HostTold, Told};
use crate::ids::HostId;
use crate::reading::FailureKind;

/// Everything that [`super::judge`] looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The first day it looked at.
    pub first: Day,
    /// The last one.
    pub last: Day,
    /// Each signal of the rule.
    pub signals: Vec<SignalSeen>,
}

/// One signal over the days of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalSeen {
    /// What was looked at, and how much is quiet.
    pub test: Test,
    /// The most of it, and the latest day on which it was so much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<(Day, f32)>,
    /// Days on which all of it was told.
    pub told: u16,
    /// Days of which the source had nothing, or only a part.
    pub no_data: u16,
    /// Why some of it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_read: Option<FailureKind>,
    /// Such a host cannot have it.
    pub not_applicable: bool,
}

/// Gathers what a rule looks at, up to the end of the day `until`.
#[must_use]
pub fn evidence(rule: &Rule, host: &HostId, activity: &Activity, until: Day) -> Evidence {
    let told = activity.of(host);
    let first = until.plus(1 - i32::from(rule.days()));
    let days = |n: u16| (0..i32::from(n)).map(|later| first.plus(later));
    let tests = rule.tests(host.is_database()).iter().copied();
    let signals = tests.map(|test| seen(test, &told, days(rule.days()))).collect();
    Evidence { first, last: until, signals }
}

fn seen(test: Test, told: &HostTold<'_>, days: impl Iterator<Item = Day>) -> SignalSeen {
    let mut seen = SignalSeen { test, most: None, told: 0, no_data: 0, not_read: None, not_applicable: true };
    for day in days {
        let (mut whole, mut lacks) = (true, false);
        for metric in test.signal.metrics() {
            match told.told(*metric, day) {
                Told::Value(_) => seen.not_applicable = false,
                Told::NotApplicable => {}
                Told::NoData => (whole, lacks, seen.not_applicable) = (false, true, false),
                Told::NotRead(why) => {
                    (whole, seen.not_applicable) = (false, false);
                    seen.not_read = seen.not_read.or(Some(why));
                }
            }
        }
        seen.told += u16::from(whole && !seen.not_applicable);
        seen.no_data += u16::from(lacks);
        let amount = amount(test, told, day);
        if let Some(amount) = amount.filter(|amount| seen.most.is_none_or(|(_, most)| *amount >= most)) {
            seen.most = Some((day, amount));
        }
    }
    seen
}
