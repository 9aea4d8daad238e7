//! A fake Mackerel: API v0 over a ground truth of hosts, roles, monitors and checks, in virtual time.
//!
//! Its semantics are those of the API documentation, including what surprises clients: the host list hides
//! maintenance and power-off by default, PUT adds roles and overwrites the list of checks, check monitors
//! have ids in one place and names in another, an AWS integration re-registers what was retired by hand.
//! Unmodified `mkr` and `mackerel-agent` are driven against it, as judges that do not know Rollcall.
//!
//! Where the documentation is silent, this is assumed, and a client must not rely on it: writes to a retired host are
//! refused with 400 but its metrics are dropped in silence and retiring it again succeeds; bulk calls change all or
//! nothing; a check that never reported shows no status; connectivity is judged by system metrics alone, after
//! [`GONE_AFTER_SECONDS`].
//!
//! It must never refuse what the real API takes, nor be kinder to a client than the real API is.

mod agents;
mod alerts;
mod checks;
mod coverage;
mod documents;
mod error;
mod host_params;
mod hosts;
mod http;
mod ids;
mod integrations;
mod metadata;
mod metrics;
mod monitor_rules;
mod monitors;
mod roles;
mod truth;

use std::{collections::BTreeMap, io, sync::Arc};

use axum::Router;
use parking_lot::Mutex;

pub use self::{
    agents::AgentConf,
    alerts::Alert,
    checks::{CheckIds, CheckReport, CheckStatus, HostCheck},
    coverage::{GONE_AFTER_SECONDS, covers},
    documents::Kind,
    error::{ErrorShape, Outcome, Refusal},
    host_params::{CheckParam, HostParam},
    hosts::{Host, HostSize, HostStatus},
    integrations::{AwsResource, ROUND_SECONDS},
    metadata::{Entry, Owner},
    metrics::Point,
    monitors::{Monitor, text},
    roles::{RoleFullname, is_name},
    truth::{Org, Policy, Truth},
};
use crate::{server::Running, stage::Stage};

/// The `service` of its calls and faults; their operations are method and route: `GET /api/v0/hosts/{id}`.
pub const SERVICE: &str = "mackerel";

/// What an API key may do. Most writes need both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Read only.
    Read,
    /// Write only.
    Write,
    /// Both.
    ReadWrite,
}

/// The fake: organisations, and the keys that open them. Clones share everything.
#[derive(Clone, Debug)]
pub struct FakeMackerel {
    /// Clock, faults and calls; organisations are the `account`s of calls.
    pub stage: Stage,
    doors: Arc<Mutex<Doors>>,
}

#[derive(Debug, Default)]
struct Doors {
    orgs: BTreeMap<String, Org>,
    keys: BTreeMap<String, (String, Rights)>,
}

impl FakeMackerel {
    /// A Mackerel without organisations.
    #[must_use]
    pub fn new(stage: Stage) -> Self {
        Self { stage, doors: Arc::default() }
    }

    /// A Mackerel with one organisation and one key to read and write it.
    #[must_use]
    pub fn with_org(stage: Stage, org: &str, key: &str) -> (Self, Org) {
        let fake = Self::new(stage);
        let opened = fake.org(org);
        fake.add_key(org, key, Rights::ReadWrite);
        (fake, opened)
    }

    /// The organisation of this name, founded now if there is none.
    #[must_use]
    pub fn org(&self, name: &str) -> Org {
        let clock = self.stage.clock.clone();
        let mut doors = self.doors.lock();
        doors.orgs.entry(name.to_owned()).or_insert_with(|| Org::new(name, clock)).clone()
    }

    /// Gives an API key to an organisation, or changes its rights.
    pub fn add_key(&self, org: &str, key: &str, rights: Rights) {
        self.doors.lock().keys.insert(key.to_owned(), (org.to_owned(), rights));
    }

    /// Takes an API key back.
    pub fn revoke_key(&self, key: &str) {
        self.doors.lock().keys.remove(key);
    }

    /// What a key opens.
    fn open(&self, key: &str) -> Option<(String, Rights)> {
        self.doors.lock().keys.get(key).cloned()
    }

    /// The API, with `/_world` beside it.
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
