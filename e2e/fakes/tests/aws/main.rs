//! Stories of the fake AWS over HTTP, judged on its ground truth.

// clippy.toml's leave for tests does not reach the helpers of an integration test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod client;
mod database_laws;
mod database_life;
mod database_pages;
mod databases;
mod faults;
mod identity;
mod life;
mod listing;
mod metric_pages;
mod metrics;
mod network;
mod paging;
mod rates;
mod tags;
