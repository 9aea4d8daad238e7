//! An AWS, a Mackerel and a Nagios that behave, and misbehave, like the real ones.
//!
//! Each fake holds a *ground truth* that tests and the demo change and read through a typed API, and
//! serves it over HTTP with the semantics of the real service: paging, refusals, limits, delays. What
//! Rollcall believes is then judged against the truth, never against what Rollcall was told.
//!
//! Every fake plays on a [`stage::Stage`]: a [`clock`] of virtual time, injected [`faults`], and a log
//! of [`calls`]. All three are driven by the Rust API or, from another process, by HTTP below `/_world`.
//!
//! The fakes must never be linked into what we ship, and never listen on anything but loopback.

pub mod aws;
pub mod bucket;
pub mod calls;
pub mod clock;
pub mod faults;
pub mod mackerel;
pub mod nagios;
pub mod receiver;
pub mod server;
pub mod stage;
pub mod wildcard;
