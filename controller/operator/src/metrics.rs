//! What the operator tells about itself. No label names a host; a label's values are bounded by the number of
//! accounts, systems and environments.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use rollcall_engine::finding::Code;
use rollcall_engine::reading::Extent;
use rollcall_engine::rollcall::RollCall;
use rollcall_engine::snapshot::Snapshot;

use crate::sources::Calls;

/// All metrics. One value per process.
pub struct Metrics {
    registry: Registry,
    polls: Family<Poll, Counter>,
    source_calls: Family<Call, Counter>,
    reading_age: Family<Source, Gauge<f64, AtomicU64>>,
    passes: Counter,
    pass_seconds: Histogram,
    writes: Family<Write, Counter>,
    writes_pending: Gauge,
    leading: Gauge,
    memory_bytes: Gauge,
    memory_shards: Gauge,
    hosts: Family<Environment, Gauge>,
    rows: Family<Rows, Gauge>,
    findings: Family<Finding, Gauge>,
    /// Families that are replaced as a whole must not be read half replaced.
    replacing: Mutex<()>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Poll {
    listing: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    source: String,
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Source {
    source: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Write {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Environment {
    namespace: String,
    environment: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Rows {
    namespace: String,
    environment: String,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Finding {
    code: &'static str,
    excused: &'static str,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("rollcall");
        let metrics = Self {
            polls: Family::default(),
            source_calls: Family::default(),
            reading_age: Family::default(),
            passes: Counter::default(),
            // A pass over 20,000 hosts takes a fifth of a second; ten seconds would be an outage.
            pass_seconds: Histogram::new([0.001, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]),
            writes: Family::default(),
            writes_pending: Gauge::default(),
            leading: Gauge::default(),
            memory_bytes: Gauge::default(),
            memory_shards: Gauge::default(),
            hosts: Family::default(),
            rows: Family::default(),
            findings: Family::default(),
            replacing: Mutex::new(()),
            registry: Registry::default(),
        };
        metrics.describe(&mut registry);
        Self { registry, ..metrics }
    }
}

impl Metrics {
    fn describe(&self, to: &mut Registry) {
        to.register(
            "polls",
            "Listings asked of sources, by outcome (Complete, Partial or the failure)",
            self.polls.clone(),
        );
        to.register(
            "source_calls",
            "Calls to sources, retries included, by operation and outcome (Answered or the failure)",
            self.source_calls.clone(),
        );
        to.register_with_unit(
            "reading_age",
            "World time since a listing was last begun that could be read completely",
            Unit::Seconds,
            self.reading_age.clone(),
        );
        to.register("passes", "Roll calls made", self.passes.clone());
        to.register_with_unit(
            "pass",
            "Machine time of a roll call",
            Unit::Seconds,
            self.pass_seconds.clone(),
        );
        to.register("writes", "Writes to the API server, by kind and outcome", self.writes.clone());
        to.register(
            "writes_pending",
            "Writes that the last pass wants and that are not done",
            self.writes_pending.clone(),
        );
        to.register("leading", "1 while this replica holds the lease", self.leading.clone());
        to.register_with_unit(
            "memory",
            "Memory as stored, compressed",
            Unit::Bytes,
            self.memory_bytes.clone(),
        );
        to.register("memory_shards", "Shards of memory", self.memory_shards.clone());
        to.register(
            "environment_hosts",
            "Hosts of an environment; absent while its inventory is blind",
            self.hosts.clone(),
        );
        to.register(
            "environment_rows",
            "Rows of an environment by state; what would claim absence is absent while a source is blind",
            self.rows.clone(),
        );
        to.register("findings", "Findings by code", self.findings.clone());
    }

    /// A listing was asked.
    pub fn polled(&self, listing: &'static str, extent: &Extent) {
        let outcome = match extent {
            Extent::Complete { .. } => "Complete",
            Extent::Partial { .. } => "Partial",
            Extent::Failed { why, .. } => why.kind.as_str(),
        };
        self.polls.get_or_create(&Poll { listing, outcome }).inc();
    }

    /// A write was answered.
    pub fn wrote(&self, kind: &'static str, outcome: &'static str) {
        self.writes.get_or_create(&Write { kind, outcome }).inc();
    }

    /// So many writes are wanted and not done.
    pub fn pending(&self, writes: usize) {
        self.writes_pending.set(i64::try_from(writes).unwrap_or(i64::MAX));
    }

    /// Whether we hold the lease.
    pub fn leads(&self, leading: bool) {
        self.leading.set(i64::from(leading));
    }

    /// How big memory is.
    pub fn remembers(&self, shards: usize, bytes: usize) {
        self.memory_shards.set(i64::try_from(shards).unwrap_or(i64::MAX));
        self.memory_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// A pass was made.
    pub fn passed(&self, roll: &RollCall, took: Duration) {
        self.passes.inc();
        self.pass_seconds.observe(took.as_secs_f64());
        let _whole = self.replacing.lock();
        self.hosts.clear();
        self.rows.clear();
        self.findings.clear();
        for (key, environment) in &roll.environments {
            let (namespace, name) = (key.namespace.to_string(), key.name.to_string());
            let inventory = environment.sees_hosts();
            if inventory {
                let labels = Environment { namespace: namespace.clone(), environment: name.clone() };
                self.hosts.get_or_create(&labels).set(i64::from(environment.hosts));
            }
            let tally = environment.tally;
            let mut rows = vec![
                ("covered", tally.covered),
                ("settling", tally.settling),
                ("exempt", tally.exempt),
                ("baseline", tally.baseline),
                ("unknown", tally.unknown),
            ];
            if inventory && environment.registry_blind.is_empty() {
                rows.push(("missing", tally.missing));
            }
            for (state, count) in rows {
                let labels = Rows { namespace: namespace.clone(), environment: name.clone(), state };
                self.rows.get_or_create(&labels).set(i64::from(count));
            }
        }
        for code in Code::ALL {
            for (excused, is_open) in [("false", true), ("true", false)] {
                let count =
                    roll.findings.iter().filter(|f| f.code == *code && f.excuse.is_none() == is_open).count();
                let labels = Finding { code: code.as_str(), excused };
                self.findings.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
    }

    /// All metrics as text, with the ages of these readings at world time `now`, and these calls.
    ///
    /// # Errors
    /// Only when a value cannot be written as text.
    pub fn encode(
        &self,
        snapshot: &Snapshot,
        calls: Vec<Calls>,
        now: Timestamp,
    ) -> Result<String, fmt::Error> {
        let _whole = self.replacing.lock();
        for Calls { source, operation, outcome, count } in calls {
            let counter = self.source_calls.get_or_create_owned(&Call { source, operation, outcome });
            counter.inc_by(count.saturating_sub(counter.get()));
        }
        self.reading_age.clear();
        for inventory in snapshot.inventories.values() {
            self.age(&inventory.instances.source, &inventory.instances.extent, now);
            self.age(&inventory.volumes.source, &inventory.volumes.extent, now);
            self.age(&inventory.addresses.source, &inventory.addresses.extent, now);
            self.age(&inventory.databases.source, &inventory.databases.extent, now);
            self.age(&inventory.clusters.source, &inventory.clusters.extent, now);
            self.age(&inventory.security_groups.source, &inventory.security_groups.extent, now);
            self.age(&inventory.subnet_groups.source, &inventory.subnet_groups.extent, now);
        }
        for (key, registry) in &snapshot.registries {
            self.age(&format!("{} hosts {key}", registry.product.as_str()), &registry.hosts.extent, now);
            self.age(
                &format!("{} monitors {key}", registry.product.as_str()),
                &registry.monitors.extent,
                now,
            );
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn age(&self, source: &str, extent: &Extent, now: Timestamp) {
        // Without a complete reading there is no age: an alert on absence or on age finds both.
        if let Extent::Complete { at } = extent {
            let labels = Source { source: source.to_owned() };
            self.reading_age.get_or_create(&labels).set(now.duration_since(*at).as_secs_f64());
        }
    }
}
