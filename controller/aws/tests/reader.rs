//! Stories of the reader against the fake AWS, with the real SDK over real sockets.
//!
//! What the reader says is judged on the fake's ground truth. What it asked is judged on the fake's log of calls.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failing test speaks by panicking"
)]

#[path = "reader/activity.rs"]
mod activity;
#[path = "reader/activity_faults.rs"]
mod activity_faults;
#[path = "reader/asserted_faults.rs"]
mod asserted_faults;
#[path = "reader/assertions.rs"]
mod assertions;
#[path = "reader/database_faults.rs"]
mod database_faults;
#[path = "reader/databases.rs"]
mod databases;
#[path = "reader/fairness.rs"]
mod fairness;
#[path = "reader/faults.rs"]
mod faults;
#[path = "reader/identity.rs"]
mod identity;
#[path = "reader/listings.rs"]
mod listings;
#[path = "reader/rights.rs"]
mod rights;
#[path = "reader/secrets.rs"]
mod secrets;
#[path = "reader/world.rs"]
mod world;
