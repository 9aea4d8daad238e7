//! Mackerel (mackerel.io), by its API v0: hosts, services, monitors, names of checks, last metrics.
//!
//! Our own thin client, because one odd host, one new type of monitor or one 403 must not change what is believed of the
//! rest, and because an API key must never be shown. It only reads.
//!
//! The readings say no more than Mackerel did: absence is told by whole lists alone, and a list that lost something it
//! had a moment ago is not whole.

#[cfg(feature = "answers")]
pub mod answers;
mod checks;
mod client;
pub(crate) mod elements;
mod hosts;
mod key;
mod known;
pub(crate) mod listing;
mod metrics;
mod monitors;
mod notifications;
mod refusal;
mod services;
mod source;

pub use checks::CheckReader;
pub use client::{Client, MAX_HOSTS_BODY, Org, Session};
pub use hosts::MAX_HOSTS;
pub use key::{ApiKey, Fingerprint, KeySource};
pub use metrics::{HOSTS_PER_CALL, METRICS};
pub use monitors::RawMonitor;
pub use source::MackerelSource;

/// Where Mackerel is, unless a system says otherwise.
pub const DEFAULT_ENDPOINT: &str = "https://api.mackerelio.com/";
/// Calls per minute for names of checks, unless a system says otherwise: 20,000 hosts in 6 hours.
pub const CHECK_CALLS_PER_MINUTE: u32 = 60;
