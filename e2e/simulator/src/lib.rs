//! The deterministic simulation of how hosts leave: the engine's own steps, plans and gate, in a world whose API server,
//! AWS, monitoring systems, clocks and people fail in ways drawn from one seed. One thread, a virtual clock, no other
//! chance: the same seed plays the same world, bit for bit.
//!
//! It must never touch anything real, and never be linked into what we ship. What is proved and what is not modelled is
//! told in docs/simulator.md.

pub mod cloud;
pub mod coverage;
pub mod judge;
pub mod living;
pub mod look;
pub mod minimize;
pub mod people;
pub mod replica;
pub mod run;
pub mod schedule;
pub mod world;
