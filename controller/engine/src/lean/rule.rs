//! What "idle" means: how many days, and how quiet each signal must be on each of them.

use std::collections::BTreeSet;
use std::fmt;

use rollcall_crds::v1alpha1 as api;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::activity::ActivityMetric;
use crate::limits::ACTIVITY_DAYS;

/// Days of the default rule, and the fewest on which anybody may act: a month-end job shows in them (docs/how-to/find-unused-hosts.md).
pub const DEFAULT_DAYS: u16 = 35;
/// A rule looks at this many days at least: a week has a weekend in it.
pub const MIN_DAYS: u16 = 7;
/// Peak of the processor below which AWS calls an instance idle, in percent (Compute Optimizer user guide, "Idle resource
/// recommendations": "peak CPU utilization below 5%").
pub const DEFAULT_CPU: f32 = 5.0;
/// What a megabyte of a rule is, in bytes: AWS counts in decimal.
pub const MEGABYTE: f32 = 1_000_000.0;
/// Bytes a day, in and out together, below which AWS calls an instance idle (the same: "network I/O less than 5MB/day").
pub const DEFAULT_NETWORK: f32 = 5_000_000.0;

/// A rule, for instances and for databases.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    hash: RuleHash,
    days: u16,
    instances: Box<[Test]>,
    databases: Box<[Test]>,
}

/// A rule in sixteen hexadecimal digits: two rules that say the same have the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RuleHash(u64);

/// How quiet an instance must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InstanceRule {
    /// The peak of its processor stays below this, in percent.
    pub cpu_below: f32,
    /// It receives and sends together fewer bytes a day.
    pub network_below: f32,
    /// Its volumes are read and written less often a day; not asked where this is none.
    pub disk_below: Option<f32>,
}

/// How quiet a database must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DatabaseRule {
    /// No more connections at once than this.
    pub connections_at_most: f32,
    /// The peak of its processor stays below this, in percent; not asked where this is none: backups and maintenance show there.
    pub cpu_below: Option<f32>,
    /// It reads and writes less often a day; likewise.
    pub disk_below: Option<f32>,
}

/// Why numbers are no rule.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum BadRule {
    /// Too few days, or more than are read.
    #[error("expected {MIN_DAYS} to {ACTIVITY_DAYS} days, found {0}")]
    Days(u16),
    /// Not a finite amount.
    #[error("expected an amount of 0 or more, found {0}")]
    Amount(f32),
}

/// Something by which use shows, as people speak of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Signal {
    /// The peak of the processor, in percent.
    Cpu,
    /// Bytes received and sent on a day.
    Network,
    /// Reads and writes of its volumes on a day.
    Disk,
    /// Connections at once.
    Connections,
}

/// One signal and how much of it is still quiet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Test {
    /// What is looked at.
    pub signal: Signal,
    /// Its bound: connections may reach it, all others must stay below.
    pub bound: f32,
}

/// What a rule is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grade {
    /// What it calls idle may be retired, as far as the rule goes.
    Act,
    /// It may point at hosts, and no more; why, strongest reason first.
    Flag(Vec<Weakness>),
}

/// Why a rule or its evidence is too weak to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Weakness {
    /// It looks at fewer than 35 days, and a month-end may not be among them.
    ShortWindow,
    /// It calls more than AWS does quiet.
    LaxBound(Signal),
    /// It does not look at this signal.
    NotLookedAt(Signal),
    /// The database may have borne another name, and another database this one, on some of the days.
    NameNotProved,
    /// What it did is not here to be looked at: this is what is remembered, of yesterday or the day before.
    Remembered,
}

impl RuleHash {
    /// Of everything that a rule says.
    fn of(days: u16, instances: &[Test], databases: &[Test]) -> Self {
        let mut hash = Sha256::new();
        hash.update(days.to_be_bytes());
        for (service, tests) in [("instances", instances), ("databases", databases)] {
            hash.update(service);
            for test in tests {
                hash.update(test.signal.as_str());
                hash.update(test.bound.to_be_bytes());
            }
        }
        let digest = hash.finalize();
        let first = digest.first_chunk::<8>().copied().unwrap_or_default();
        Self(u64::from_be_bytes(first))
    }
}

impl fmt::Display for RuleHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for RuleHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<RuleHash> for String {
    fn from(hash: RuleHash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for RuleHash {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let is_hash = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let hash = is_hash.then(|| u64::from_str_radix(&text, 16).ok()).flatten();
        hash.map(Self)
            .ok_or_else(|| format!("{text:?}: expected the hash of a rule, sixteen hexadecimal digits"))
    }
}

impl Signal {
    /// The metrics that make it up.
    #[must_use]
    pub fn metrics(self) -> &'static [ActivityMetric] {
        match self {
            Self::Cpu => &[ActivityMetric::Cpu],
            Self::Network => &[ActivityMetric::NetworkIn, ActivityMetric::NetworkOut],
            Self::Disk => &[ActivityMetric::ReadOps, ActivityMetric::WriteOps],
            Self::Connections => &[ActivityMetric::Connections],
        }
    }

    /// An amount of it, as people write it: `1.2 %`, `0.5 MB`.
    #[must_use]
    pub fn told(self, amount: f32) -> String {
        let short = |number: f32| {
            let text = format!("{number:.1}");
            text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
        };
        match self {
            Self::Cpu => format!("{} %", short(amount)),
            Self::Network => format!("{} MB", short(amount / MEGABYTE)),
            Self::Disk | Self::Connections => short(amount),
        }
    }

    /// In a sentence: `CPU`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Network => "network",
            Self::Disk => "disk operations",
            Self::Connections => "connections",
        }
    }
}

impl Test {
    /// Is so much of it quiet?
    #[must_use]
    pub fn is_quiet(&self, amount: f32) -> bool {
        match self.signal {
            Signal::Connections => amount <= self.bound,
            Signal::Cpu | Signal::Network | Signal::Disk => amount < self.bound,
        }
    }
}

impl fmt::Display for Test {
    /// `CPU below 5 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount = self.signal.told(self.bound);
        match self.signal {
            Signal::Cpu => write!(f, "CPU below {amount}"),
            Signal::Network => write!(f, "network below {amount} a day"),
            Signal::Disk => write!(f, "fewer than {amount} disk operations a day"),
            Signal::Connections if self.bound == 0.0 => f.write_str("no connection"),
            Signal::Connections => write!(f, "at most {amount} connections at once"),
        }
    }
}

impl fmt::Display for Weakness {
    /// After "this only points, for".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortWindow => write!(f, "the rule looks at fewer than {DEFAULT_DAYS} days"),
            Self::LaxBound(signal) => {
                write!(f, "the rule calls more {} quiet than AWS does", signal.as_str())
            }
            Self::NotLookedAt(signal) => write!(f, "the rule does not look at its {}", signal.as_str()),
            Self::NameNotProved => {
                f.write_str("another database may have borne its name on some of the days")
            }
            Self::Remembered => {
                f.write_str("what it did is not here, only what was found in it is remembered")
            }
        }
    }
}

impl TryFrom<&api::IdleRule> for Rule {
    type Error = BadRule;

    /// What a policy says.
    fn try_from(spec: &api::IdleRule) -> Result<Self, BadRule> {
        let days = u16::try_from(spec.window_days).unwrap_or(if spec.window_days < 0 { 0 } else { u16::MAX });
        let instances = InstanceRule {
            cpu_below: amount(spec.instances.cpu_below_percent),
            network_below: amount(spec.instances.daily_network_below_megabytes) * MEGABYTE,
            disk_below: spec.instances.daily_disk_below_operations.map(amount),
        };
        let databases = DatabaseRule {
            connections_at_most: amount(spec.databases.at_most_connections),
            cpu_below: spec.databases.cpu_below_percent.map(amount),
            disk_below: spec.databases.daily_disk_below_operations.map(amount),
        };
        Self::new(days, instances, databases)
    }
}

/// A whole number as an amount.
#[expect(clippy::cast_precision_loss, reason = "a threshold needs no more than seven digits")]
fn amount(number: i32) -> f32 {
    number as f32
}

impl Default for InstanceRule {
    fn default() -> Self {
        Self { cpu_below: DEFAULT_CPU, network_below: DEFAULT_NETWORK, disk_below: None }
    }
}

impl Default for DatabaseRule {
    fn default() -> Self {
        Self { connections_at_most: 0.0, cpu_below: None, disk_below: None }
    }
}

impl Default for Rule {
    /// What AWS's Compute Optimizer calls idle, over 35 days instead of its 14.
    fn default() -> Self {
        Self::of(DEFAULT_DAYS, InstanceRule::default(), DatabaseRule::default())
    }
}

impl Rule {
    /// A rule of these numbers.
    ///
    /// # Errors
    /// [`BadRule`] for the first number that cannot be.
    pub fn new(days: u16, instances: InstanceRule, databases: DatabaseRule) -> Result<Self, BadRule> {
        if !(MIN_DAYS..=ACTIVITY_DAYS).contains(&days) {
            return Err(BadRule::Days(days));
        }
        let rule = Self::of(days, instances, databases);
        let mut bounds = rule.instances.iter().chain(&rule.databases).map(|test| test.bound);
        match bounds.find(|bound| !(bound.is_finite() && *bound >= 0.0)) {
            Some(bound) => Err(BadRule::Amount(bound)),
            None => Ok(rule),
        }
    }

    fn of(days: u16, instances: InstanceRule, databases: DatabaseRule) -> Self {
        let test = |signal| move |bound| Test { signal, bound };
        let of_instances = [
            Some(instances.cpu_below).map(test(Signal::Cpu)),
            Some(instances.network_below).map(test(Signal::Network)),
            instances.disk_below.map(test(Signal::Disk)),
        ];
        let of_databases = [
            Some(databases.connections_at_most).map(test(Signal::Connections)),
            databases.cpu_below.map(test(Signal::Cpu)),
            databases.disk_below.map(test(Signal::Disk)),
        ];
        let instances: Box<[Test]> = of_instances.into_iter().flatten().collect();
        let databases: Box<[Test]> = of_databases.into_iter().flatten().collect();
        Self { hash: RuleHash::of(days, &instances, &databases), days, instances, databases }
    }

    /// By this it is told from every other rule; what was found by one rule says nothing under another.
    #[must_use]
    pub fn hash(&self) -> RuleHash {
        self.hash
    }

    /// How many whole days it looks at.
    #[must_use]
    pub fn days(&self) -> u16 {
        self.days
    }

    /// What must be quiet of an instance, or of a database.
    #[must_use]
    pub fn tests(&self, is_database: bool) -> &[Test] {
        if is_database { &self.databases } else { &self.instances }
    }

    /// The metrics that must be read for it.
    #[must_use]
    pub fn metrics(&self, is_database: bool) -> BTreeSet<ActivityMetric> {
        self.tests(is_database).iter().flat_map(|test| test.signal.metrics()).copied().collect()
    }

    /// What every day of an idle host is like: `CPU below 5 %, network below 5 MB a day, on each of 35 days`.
    #[must_use]
    pub fn in_words(&self, is_database: bool) -> String {
        let tests: Vec<String> = self.tests(is_database).iter().map(ToString::to_string).collect();
        format!("{}, on each of {} days", tests.join(", "), self.days)
    }

    /// Whether anybody may act on what it calls idle: it is no laxer than the default one, and looks at the processor and at
    /// what is asked of the host (the network of an instance, the connections of a database).
    #[must_use]
    pub fn grade(&self, is_database: bool) -> Grade {
        let mut weak = Vec::new();
        if self.days < DEFAULT_DAYS {
            weak.push(Weakness::ShortWindow);
        }
        let needed: [(Signal, f32); 2] = if is_database {
            [(Signal::Connections, 0.0), (Signal::Cpu, DEFAULT_CPU)]
        } else {
            [(Signal::Network, DEFAULT_NETWORK), (Signal::Cpu, DEFAULT_CPU)]
        };
        for (signal, strictest) in needed {
            match self.tests(is_database).iter().find(|test| test.signal == signal) {
                None => weak.push(Weakness::NotLookedAt(signal)),
                Some(test) if test.bound > strictest => weak.push(Weakness::LaxBound(signal)),
                Some(_) => {}
            }
        }
        if weak.is_empty() { Grade::Act } else { Grade::Flag(weak) }
    }
}
