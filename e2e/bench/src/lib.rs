//! What both benches share: how a figure is said, and what a process has used.
//!
//! It must never judge a figure without the command, the build and the machine it came from being on the screen too.

pub mod figure;
pub mod process;
