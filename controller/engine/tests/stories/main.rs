//! Stories: what happens to a fleet, and what Rollcall must and must not say about it. One file per theme, told
//! as data at the widest boundary: custom resources and readings in, causes and findings out.

// A failing test is its way to speak, in the world that stories share as in the stories themselves.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod arrivals;
mod assertions;
mod blindness;
mod claims;
mod coverage;
mod databases;
mod databases_blind;
mod departures;
mod environments;
mod first_morning;
mod fleets;
mod glimpses;
mod laws;
mod lean;
mod leaving;
mod lives;
mod nagios;
mod probation;
mod reach;
mod recordings;
mod registrations;
mod things;
mod upkeep;
mod week;
mod world;
mod wrong_resources;
