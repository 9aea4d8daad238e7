//! What is decided. Desired state ([`fleet`]) and readings ([`snapshot`]) go in, a [`rollcall::RollCall`] comes out.
//!
//! This crate is pure: no async, no clock, no client, no Kubernetes runtime. It takes values, returns values
//! and cannot fail. The same code runs in the controller, in `rollcall plan` and, later, in the simulator.
//!
//! The three rules that everything here serves: **unknown is never idle, an error is never absence, and only
//! a [`reading::Complete`] can prove that something is not there** (by type: there is no other way to ask).

pub mod activity;
pub mod calendar;
pub mod finding;
pub mod fleet;
pub mod ids;
pub mod inventory;
pub mod lean;
pub mod leaving;
pub mod limits;
pub mod memory;
pub mod notice;
pub mod reading;
pub mod recording;
pub mod registry;
pub mod retirement;
pub mod rollcall;
pub mod snapshot;
#[cfg(feature = "synthetic")]
pub mod synthetic;
pub mod text;
pub mod week;
