//! The week in a few lines: what grew, what is unused and what it costs, what wants a decision.
//!
//! A pure function of what is given. A number that is not known is `None`, and is told as `-`: a section is left out only where it
//! is known to be empty. Money is told only where the user has given prices, with their date, and never guessed for a host that
//! has none.

mod en;
mod ja;
mod staying;

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

use super::message::{Command, Facts, Language, Message, Text};
use super::words::grouped;
use super::{Kind, NoticeId, Origin};
use crate::text;
pub use staying::{Staying, StaysFor};

/// Hosts of one section that are told one by one: even if every command needs a line of its own, a message has room for them.
const MAX_ROWS: usize = 8;
/// No column of text is wider, in columns of a terminal; a longer text pushes its command to the right.
const MAX_WIDTH: usize = 48;
/// A line with its commands has at most so many characters; commands that do not fit stand in lines of their own.
const MAX_ROW: usize = 240;

/// What the digest of a week tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Digest {
    /// The uid of the object that wants it.
    pub origin: Origin,
    /// Which hosts these are: an environment, or a namespace.
    pub scope: Arc<str>,
    /// The week.
    pub week: Week,
    /// How many there are.
    pub hosts: Hosts,
    /// Hosts that nobody seems to use.
    pub unused: UnusedHosts,
    /// The user's own prices. Without them no money is told.
    pub prices: Option<Prices>,
    /// Hosts that were retired and can be brought back; `None` where that cannot be told.
    pub retired: Option<Vec<RetiredHost>>,
    /// Hosts that stay after all, as was found in this week; `None` where that cannot be told.
    pub staying: Option<Vec<Staying>>,
    /// Registrations that are too many, or keep silent.
    pub excess: Excess,
    /// Required checks whose review is due.
    pub reviews: Reviews,
    /// Exemptions that end within the next week.
    pub expiring: Option<u32>,
    /// What could not be read.
    pub blind: Blindness,
    /// Shows all of it, where a section is cut.
    pub all: Option<Command>,
}

/// A week as ISO 8601 counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Week {
    year: i16,
    week: i8,
}

impl Week {
    /// The week that this day is in.
    #[must_use]
    pub fn of(day: Date) -> Self {
        let week = day.iso_week_date();
        Self { year: week.year(), week: week.week() }
    }

    /// The year that ISO 8601 counts it to.
    #[must_use]
    pub fn year(self) -> i16 {
        self.year
    }

    /// Its number in that year, from 1 to 53.
    #[must_use]
    pub fn number_in_year(self) -> i8 {
        self.week
    }

    /// 202647: it names the week for ever.
    fn number(self) -> u32 {
        u32::try_from(i32::from(self.year) * 100 + i32::from(self.week)).unwrap_or_default()
    }
}

impl fmt::Display for Week {
    /// `2026-W47`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-W{:02}", self.year, self.week)
    }
}

impl Serialize for Week {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How many hosts there are, and were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hosts {
    /// Now.
    pub now: Option<u32>,
    /// Came in this week.
    pub joined: Option<u32>,
    /// Left in this week.
    pub left: Option<u32>,
    /// A week ago.
    pub week_ago: Option<u32>,
    /// A year ago.
    pub year_ago: Option<u32>,
}

/// Hosts that nobody seems to use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnusedHosts {
    /// Those that are known.
    pub known: Vec<Unused>,
    /// There are no others. While something cannot be read, or nobody asks, there may be.
    pub is_all: bool,
}

/// A host that nobody seems to use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unused {
    /// Its name, or its id where it has none.
    pub name: Arc<str>,
    /// What shows it.
    pub cause: UnusedCause,
    /// When it will be stopped unless somebody says otherwise.
    pub decide_by: Option<Date>,
    /// What its retirement waits for, where that is not its owner.
    pub waits: Option<Waits>,
    /// What it costs in a month, in whole units of the currency; `None` where no price is given.
    pub monthly: Option<u64>,
    /// What can be done about it, each one a way of its own: approve, keep.
    pub commands: Vec<Command>,
}

/// What a retirement waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Waits {
    /// Its owner has not been told yet.
    ToBeTold,
    /// Its owner's time is over, and people have to approve it.
    ForApproval,
}

/// What shows that nobody uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum UnusedCause {
    /// It has done nothing for so many days.
    Idle(u32),
    /// It has been stopped for so many days.
    Stopped(u32),
}

/// The user's own prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Prices {
    /// What stands before an amount, `¥`.
    pub currency: Arc<str>,
    /// The day they are of.
    pub of: Date,
}

/// A host that was retired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RetiredHost {
    /// Its name.
    pub name: Arc<str>,
    /// The last day on which it can be brought back, if that is known.
    pub undo_until: Option<Date>,
    /// Brings it back.
    pub undo: Option<Command>,
}

/// Registrations that are too many, or keep silent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Excess {
    /// Of hosts that are gone.
    pub ghosts: Option<u32>,
    /// Muted for more than a week.
    pub muted: Option<u32>,
    /// Checks that nobody requires.
    pub unrequired: Option<u32>,
    /// Lists them.
    pub list: Option<Command>,
}

/// Required checks whose review is due.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reviews {
    /// So many.
    pub due: Option<u32>,
    /// Of so many.
    pub of: Option<u32>,
    /// Lists them.
    pub list: Option<Command>,
}

/// What could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Blindness {
    /// Everything, over the whole week.
    Week(Vec<Blind>),
    /// What cannot be read at this moment. What was blind before, and is not now, nobody remembers.
    Now(Vec<BlindNow>),
}

/// A source that cannot be read at this moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlindNow {
    /// Which, as people call it.
    pub source: Arc<str>,
    /// The day (UTC) on which that was first seen; `None` for one that was not read yet at all.
    pub since: Option<Date>,
}

/// A source that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Blind {
    /// Which, as people call it.
    pub source: Arc<str>,
    /// For how long in all.
    pub minutes: u32,
    /// On this day.
    pub on: Date,
}

impl Digest {
    /// The name of this week's digest.
    #[must_use]
    pub fn id(&self) -> NoticeId {
        NoticeId { origin: self.origin.clone(), kind: Kind::Digest, occurrence: self.week.number() }
    }

    /// What is said, as written at `now`. After a week it is of no use any more.
    #[must_use]
    pub fn message(&self, language: Language, now: Timestamp) -> Message {
        let until = now.checked_add(SignedDuration::from_hours(7 * 24)).ok();
        let text = match language {
            Language::En => en::digest(self),
            Language::Ja => ja::digest(self),
        };
        let facts = Facts { environment: Some(text::clean(&self.scope)), ..Facts::default() };
        Message::new(self.id(), now, until, language, &text, facts)
    }

    /// The unused hosts, cause by cause, the dearest first. Those without a price come last: nobody knows.
    fn unused_in_order(&self) -> Vec<&Unused> {
        let mut all: Vec<&Unused> = self.unused.known.iter().collect();
        let idle = |host: &Unused| matches!(host.cause, UnusedCause::Idle(_));
        all.sort_by_key(|host| (!idle(host), Reverse(host.monthly), Reverse(host.cause), host.name.clone()));
        all
    }

    /// What the unused cost in a month as far as that is known, and how many of them have no price. `None` without prices.
    fn cost(&self) -> Option<Cost> {
        let prices = self.prices.as_ref()?;
        let unused = &self.unused;
        if !unused.is_all && unused.known.is_empty() {
            return None;
        }
        let known = unused.known.iter().filter_map(|host| host.monthly);
        Some(Cost {
            amount: format!(
                "{}{}",
                text::clean(&prices.currency),
                grouped(&known.clone().fold(0, u64::saturating_add).to_string())
            ),
            priced: known.count(),
            without: unused.known.iter().filter(|host| host.monthly.is_none()).count(),
            is_all: unused.is_all,
            of: prices.of,
        })
    }
}

/// See [`Digest::cost`].
struct Cost {
    amount: String,
    priced: usize,
    without: usize,
    is_all: bool,
    of: Date,
}

/// A number, or `-` where it is not known.
fn number(known: Option<u32>) -> String {
    known.map_or_else(|| "-".to_owned(), |number| grouped(&number.to_string()))
}

/// `+5 −2`, or the difference alone where only that is known.
fn movement(hosts: Hosts) -> String {
    match (hosts.joined, hosts.left, hosts.now, hosts.week_ago) {
        (Some(joined), Some(left), ..) => format!("+{joined} −{left}"),
        (_, _, Some(now), Some(then)) => difference(now, then),
        _ => "-".to_owned(),
    }
}

/// `+24 %`; from nothing there is no percentage, so it is the number then.
fn growth(now: Option<u32>, then: Option<u32>) -> String {
    match (now, then) {
        (Some(now), Some(0)) => difference(now, 0),
        (Some(now), Some(then)) => {
            let change = (f64::from(now) - f64::from(then)) * 100.0 / f64::from(then);
            let sign = if change < 0.0 { '−' } else { '+' };
            format!("{sign}{:.0} %", change.abs())
        }
        _ => "-".to_owned(),
    }
}

fn difference(now: u32, then: u32) -> String {
    let sign = if now < then { '−' } else { '+' };
    format!("{sign}{}", grouped(&now.abs_diff(then).to_string()))
}

/// One line of the digest: what it is about, what is told, and the commands that do something about it.
struct Row {
    label: &'static str,
    text: String,
    commands: Vec<Command>,
}

/// The first rows of a section, and in a last one how many more there are.
fn section(rows: &mut Vec<Row>, all: Vec<Row>, more: impl Fn(usize) -> String, show: Option<&Command>) {
    let (label, count) = (all.first().map_or("", |row| row.label), all.len());
    rows.extend(all.into_iter().take(MAX_ROWS));
    if count > MAX_ROWS {
        rows.push(Row { label, text: more(count - MAX_ROWS), commands: show.into_iter().cloned().collect() });
    }
}

/// Rows as lines: labels, texts and commands each in a column.
fn lines(rows: &[Row]) -> Vec<String> {
    let widest = |widths: &mut dyn Iterator<Item = usize>| widths.max().unwrap_or_default();
    let labels = widest(&mut rows.iter().map(|row| width(row.label)));
    let with_commands = rows.iter().filter(|row| !row.commands.is_empty());
    let texts = widest(&mut with_commands.map(|row| width(&row.text)).filter(|width| *width <= MAX_WIDTH));
    let mut lines = Vec::new();
    for row in rows {
        let told = format!("{}  {}", padded(row.label, labels), row.text);
        let commands: Vec<&str> = row.commands.iter().map(Command::as_str).collect();
        let whole = format!("{}  {}", padded(&told, labels + 2 + texts), commands.join(" | "));
        if row.commands.is_empty() {
            lines.push(told);
        } else if whole.chars().count() <= MAX_ROW {
            lines.push(whole);
        } else {
            lines.push(told);
            lines.extend(commands.iter().map(|command| format!("{}  {command}", padded("", labels))));
        }
    }
    lines
}

fn padded(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// Columns of a terminal: the characters of East Asian scripts take two.
fn width(text: &str) -> usize {
    let wide = |c: char| {
        matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
            | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}')
    };
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}
