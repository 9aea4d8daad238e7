//! The operator on a real API server, with exactly the rights it says it needs, and sources that say what a test has
//! written down for them. What the engine decides is told elsewhere; here it is about the shell: what is written when,
//! by whom, and what never is.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test speaks by panicking"
)]

#[path = "operator_shell/bad_input.rs"]
mod bad_input;
#[path = "operator_shell/command_line.rs"]
mod command_line;
#[path = "operator_shell/leaders.rs"]
mod leaders;
#[path = "operator_shell/lean.rs"]
mod lean;
#[path = "operator_shell/leaving.rs"]
mod leaving;
#[path = "operator_shell/memory.rs"]
mod memory;
#[path = "operator_shell/mistakes.rs"]
mod mistakes;
#[path = "operator_shell/recording.rs"]
mod recording;
#[path = "operator_shell/script.rs"]
mod script;
#[path = "operator_shell/stage.rs"]
mod stage;
#[path = "operator_shell/told.rs"]
mod told;
#[path = "operator_shell/wave.rs"]
mod wave;
