//! The first roll call: the messy fleet of the first team, read by the real binary from the fakes through real clients,
//! told on a real API server, and judged on the fakes' ground truth.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

mod called;
mod changes;
mod facts;
mod faults;
mod judge;
mod lean;
mod leaving;
mod morning;
mod nagios;
mod steady;
mod told;
