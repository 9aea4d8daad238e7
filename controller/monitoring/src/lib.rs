//! What the monitoring systems say, as readings of the engine: one folder per system.
//!
//! And how people are told: [`notify`] sends notices to their channels.
//!
//! A system is reached through [`endpoint`] (which addresses may be called at all) and [`http`] (one polite client);
//! what it says is told as the engine's [`Registry`]. Nothing here knows Kubernetes or a cloud, nothing here decides, and
//! nothing here may write to a monitoring system. An error never becomes an empty list.

pub mod endpoint;
pub mod http;
pub mod mackerel;
pub mod nagios;
pub mod notify;

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_engine::ids::RegistrationId;
use rollcall_engine::reading::Failure;
use rollcall_engine::registry::Registry;

/// One monitoring system, polled.
#[async_trait]
pub trait RegistrySource: Send {
    /// These were registered when somebody last looked: a list that lacks them must be explained.
    fn remember(&mut self, registrations: BTreeSet<RegistrationId>);
    /// Asks all its listings once and tells what is known at `now`, world time. Each listing is a reading of its own;
    /// one that fails blinds only itself. Cannot fail: a failure is what the readings say.
    async fn read(&mut self, now: Timestamp, depth: Depth) -> Registry;
}

/// How much a poll may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Whole-fleet listings, and calls for single hosts within the source's own limits.
    Hosts,
    /// Whole-fleet listings only; what is known of single hosts stands.
    Listings,
}

/// What a system says about one thing. Only its own clear "no" is an absence; whatever else goes wrong is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// It is there.
    Present(T),
    /// The system says that it is not there.
    Absent,
    /// We do not know.
    Unknown(Failure),
}
