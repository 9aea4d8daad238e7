//! What the fake Mackerel answers over HTTP, told as stories: each surprise of the real API is one.

// Clippy lets tests unwrap, but not the functions they share.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "mackerel/checks.rs"]
mod checks;
#[path = "mackerel/faults.rs"]
mod faults;
#[path = "mackerel/hosts.rs"]
mod hosts;
#[path = "mackerel/integration.rs"]
mod integration;
#[path = "mackerel/keys.rs"]
mod keys;
#[path = "mackerel/metrics.rs"]
mod metrics;
#[path = "mackerel/monitors.rs"]
mod monitors;
#[path = "mackerel/settings.rs"]
mod settings;
#[path = "mackerel/world.rs"]
mod world;
