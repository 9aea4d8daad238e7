//! The Kubernetes shell: **observe → decide → act**, one place each.
//!
//! - [`watch`] brings what people wrote, [`observe`] what the world says;
//! - [`decide`] calls the engine, which is the whole decision and can do no I/O;
//! - [`status`] turns its answer into what should be told, compared with what is told already;
//! - [`act`] writes the difference, within a budget, while the [`lease`] is held; [`memory`] outlives us.
//!
//! Nothing outside Kubernetes is ever changed from here, and no cloud's or monitoring system's type is known here:
//! readers come through [`sources`].

#[cfg(all(feature = "test-clock", not(debug_assertions)))]
compile_error!(
    "feature `test-clock` lets others drive the clock of every decision: it must never be in a release build"
);

pub mod act;
pub mod calls;
pub mod clock;
pub mod decide;
pub mod health;
pub mod http;
pub mod lease;
pub mod leave;
pub mod memory;
pub mod metrics;
pub mod notify;
pub mod observe;
pub mod rbac;
mod run;
pub mod settings;
pub mod sources;
pub mod status;
pub mod trigger;
pub mod watch;

pub use run::{Listeners, run, run_on};
pub use settings::Settings;
