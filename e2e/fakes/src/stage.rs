//! What every fake plays on: a clock, injected faults, and the log of calls.
//!
//! Fakes that share a stage share its time, which is what the demo and the end-to-end tests want.

use axum::Router;
use jiff::Timestamp;

use crate::{
    calls::{Call, Calls, Logged},
    clock::WorldClock,
    faults::{Faults, Strike},
};

/// The stage. Clones share everything.
#[derive(Clone, Debug)]
pub struct Stage {
    /// World time.
    pub clock: WorldClock,
    /// Injected faults; none at first.
    pub faults: Faults,
    /// The log of calls.
    pub calls: Calls,
}

impl Stage {
    /// A stage without faults, on this clock.
    #[must_use]
    pub fn new(clock: WorldClock) -> Self {
        Self { clock, faults: Faults::default(), calls: Calls::default() }
    }

    /// World time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The faults that strike this call; counts it against their limits.
    pub fn strike(&self, call: &Call) -> Strike {
        self.faults.strike(call, self.now())
    }

    /// Logs how a call went; `error` is the service's code, empty when it answered.
    pub fn record(&self, call: Call, status: u16, error: &str, strike: &Strike) {
        let faults = strike.names().map(str::to_owned).collect();
        self.calls.record(Logged { at: self.now(), call, status, error: error.to_owned(), faults });
    }

    /// The `/_world/clock`, `/_world/faults` and `/_world/calls` endpoints, to be merged into a fake's router.
    pub fn router(&self) -> Router {
        self.clock.router().merge(self.faults.router()).merge(self.calls.router())
    }
}
