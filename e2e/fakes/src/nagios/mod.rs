//! A fake Nagios 4: its two reading CGIs over a ground truth of hosts, services, downtimes and contacts, in virtual time.
//!
//! Its semantics are those of Nagios 4.4.6, including what surprises readers: errors come with status 200, a stopped program
//! answers 200 and nothing, a killed one leaves its last status behind, a stranger is shown a list of nothing that says it is
//! whole, states are bits, and when nobody reports a service in time Nagios answers for it itself. A real Nagios is asked the
//! same beside it and judges it (`controller/monitoring/tests/nagios_conformance.rs`).
//!
//! Checks cost nothing here and never come late by themselves: a check runs on the second it is due. Changes of the
//! configuration are in force at once, without a reload. Only the calls that a reader needs are there; others are refused as
//! unknown queries are. There is no `cmd.cgi`: nothing that is asked can change the truth.

mod check;
mod documents;
mod http;
mod installation;
mod objects;
mod truth;

use std::io;

use axum::Router;

pub use self::{
    check::{Check, HostState, ServiceState},
    installation::Installation,
    objects::{Contact, Downtime, Host, Program, Refusal, Service},
    truth::Truth,
};
use crate::{server::Running, stage::Stage};

/// The `service` of its calls and faults; their operations are CGI and query: `statusjson.cgi hostlist`. Users are `account`s.
pub const SERVICE: &str = "nagios";
/// Where the CGIs are, as Debian has them.
pub const CGIS: &str = "/nagios4/cgi-bin/";
/// One unit of time of its configuration, in seconds: Nagios' default.
pub const UNIT_SECONDS: i64 = 60;
/// Between two status files, in seconds: Debian's configuration.
pub const STATUS_SECONDS: i64 = 10;

/// The fake. Clones share everything.
#[derive(Clone, Debug)]
pub struct FakeNagios {
    /// Clock, faults and calls.
    pub stage: Stage,
    /// The ground truth, and who may ask.
    pub installation: Installation,
}

impl FakeNagios {
    /// A Nagios that started this second, without hosts. It runs, and nobody may ask it yet.
    #[must_use]
    pub fn new(stage: Stage) -> Self {
        let installation = Installation::new(stage.clock.clone());
        Self { stage, installation }
    }

    /// The same with a user that is no contact and may see everything.
    #[must_use]
    pub fn with_user(stage: Stage, user: &str, password: &str) -> Self {
        let fake = Self::new(stage);
        fake.installation.add_user(user, password, true);
        fake
    }

    /// The CGIs, with `/_world` beside them.
    pub fn router(&self) -> Router {
        http::router(self)
    }

    /// Serves it on a free port of loopback.
    ///
    /// # Errors
    /// When the machine gives no port.
    pub async fn serve(&self) -> io::Result<Running> {
        crate::server::serve(self.router()).await
    }
}
