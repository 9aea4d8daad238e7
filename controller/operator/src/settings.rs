//! Everything that can be set from outside, with its default and why it is so. Values only; parsed by the CLI.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How the operator runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The operator's own namespace: its lease, its memory, and the Secrets of `CloudAccount`s.
    pub namespace: String,
    /// Name of the Lease in that namespace; its holder alone decides and writes.
    pub lease_name: String,
    /// Who we are in the lease and in events: the pod's name. Two replicas must not share it.
    pub identity: String,
    /// Our service account, for the role bindings that messages print.
    pub service_account: String,
    /// The `ClusterRole` that allows `get` on Secrets, for the role bindings that messages print.
    pub secret_role: String,
    /// The namespace whose roles, checks and systems every namespace sees.
    pub library_namespace: Option<String>,
    /// World time between two listings of the instances and databases of a place. 60 s: a new host shows within a
    /// minute; 20,000 hosts cost 20 calls of EC2's bucket (refilled at 20 a second), 100 databases two calls of RDS.
    pub inventory_interval: Duration,
    /// World time between two listings of volumes and addresses, which change rarely and cost three times as much.
    pub slow_inventory_interval: Duration,
    /// World time between two readings of a monitoring system.
    pub registry_interval: Duration,
    /// World time between two polls of anything by a replica that does not hold the lease: enough to take over
    /// with a picture of the fleet, too little to cost quota.
    pub standby_interval: Duration,
    /// Machine time after which one listing is given up. Above the 60 s that 20,000 hosts may take under EC2's bucket.
    pub source_timeout: Duration,
    /// Machine time for which what was told before stands while a source's first answer is awaited, so that a restart
    /// does not show everything as unknown in between. 20,000 hosts may take a minute to list.
    pub first_answer_grace: Duration,
    /// World time between two passes when nothing happens: settling, silence and freshness are matters of time.
    pub tick: Duration,
    /// Writes to the API server per second, all kinds together; 20,000 first writes are minutes, not a storm.
    pub writes_per_second: u32,
    /// Writes under way at once.
    pub write_concurrency: usize,
    /// Machine time between two writes of one shard of memory.
    pub memory_interval: Duration,
    /// How the lease is held.
    pub lease: LeaseTiming,
    /// Where `/metrics`, `/healthz` and `/readyz` are served, plain HTTP.
    pub observability_address: SocketAddr,
    /// Where `/v1/recording` is served, plain HTTP. Callers send a token, so the default is loopback: a
    /// port-forward reaches it, the pod network does not.
    pub recording_address: SocketAddr,
    /// Base URL of a fake world whose clock decisions follow.
    #[cfg(feature = "test-clock")]
    pub world_clock: Option<String>,
}

/// How the lease is held, machine time. `retry < renew_within < duration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTiming {
    /// Others wait this long after the last renewal they saw.
    pub duration: Duration,
    /// We stop everything when we could not renew for this long.
    pub renew_within: Duration,
    /// Between two tries, of renewing or of taking over.
    pub retry: Duration,
}

impl Default for LeaseTiming {
    /// client-go's own figures: a lost holder is replaced within 17 seconds.
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(15),
            renew_within: Duration::from_secs(10),
            retry: Duration::from_secs(2),
        }
    }
}

impl Settings {
    /// The defaults, for a replica of this identity in this namespace.
    #[must_use]
    pub fn new(namespace: impl Into<String>, identity: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            lease_name: "rollcall".to_owned(),
            identity: identity.into(),
            service_account: "rollcall".to_owned(),
            secret_role: "rollcall-tenant-secrets".to_owned(),
            library_namespace: None,
            inventory_interval: Duration::from_mins(1),
            slow_inventory_interval: Duration::from_mins(15),
            registry_interval: Duration::from_mins(1),
            standby_interval: Duration::from_mins(10),
            source_timeout: Duration::from_mins(2),
            first_answer_grace: Duration::from_secs(90),
            tick: Duration::from_mins(1),
            writes_per_second: 20,
            write_concurrency: 8,
            memory_interval: Duration::from_mins(1),
            lease: LeaseTiming::default(),
            observability_address: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080)),
            recording_address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)),
            #[cfg(feature = "test-clock")]
            world_clock: None,
        }
    }
}
