//! A fake AWS: EC2, RDS and STS (Query protocol, XML answers) and `CloudWatch` (CBOR and JSON), over a ground truth of
//! accounts and regions.
//!
//! ```text
//! front     one door for all services: who calls, what strikes, which service; counts the call
//! ├─ ec2    the actions of EC2: paging, filters, guards, rendering
//! ├─ rds    the actions of RDS, likewise
//! ├─ cloudwatch  metrics, made from what hosts do
//! └─ sts    GetCallerIdentity, AssumeRole
//! truth     the typed API by which tests and the demo change and read the ground truth
//! ground    the ground truth itself, with the past and the planned of each thing
//! ```
//! It follows AWS where moto does not: pages count instances, tokens belong to their request, order changes
//! from call to call, states take time, terminated hosts stay for an hour. `e2e/conformance` runs the same
//! independent client against both and lists every difference with its reason.
//!
//! What it is not: signatures are not checked (see [`request`]), IAM is a list of denials (see [`identity`]),
//! and of its services it has only what Rollcall's readers and its tests use.

pub mod cloudwatch;
pub mod dialect;
pub mod ec2;
pub mod error;
pub mod front;
pub mod ground;
pub mod history;
pub mod identity;
pub mod paging;
pub mod rates;
pub mod rds;
pub mod request;
pub mod seed;
pub mod service;
pub mod sts;
pub mod truth;
pub mod xml;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use axum::Router;
use parking_lot::RwLock;

use self::{ground::Ground, rates::Rates};
pub use self::{
    ground::{Launch, Load, VolumeSpec},
    identity::Role,
    truth::{AccountTruth, RegionTruth},
};
use crate::{
    server::{self, Running},
    stage::Stage,
};

/// The fake. Clones are the same AWS.
#[derive(Clone, Debug)]
pub struct Aws(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stage: Stage,
    ground: RwLock<Ground>,
    rates: Rates,
    habits: RwLock<Habits>,
    metric_page: AtomicUsize,
    numbers: AtomicU64,
}

/// What AWS may do at any time without anything being wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// Each listing comes in another order.
    pub unstable_order: bool,
    /// A page may hold fewer items than asked for, even none, and still lead on.
    pub short_pages: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self { unstable_order: true, short_pages: false }
    }
}

impl Aws {
    /// An AWS without accounts, in any order it likes, without rate limits.
    #[must_use]
    pub fn new(stage: Stage) -> Self {
        Self(Arc::new(Inner {
            stage,
            ground: RwLock::default(),
            rates: Rates::default(),
            habits: RwLock::default(),
            metric_page: AtomicUsize::new(usize::MAX),
            numbers: AtomicU64::new(1),
        }))
    }

    /// Its clock, faults and calls.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.0.stage
    }

    /// Switches EC2's request and resource limits on or off (see [`rates`]).
    pub fn enforce_rates(&self, on: bool) {
        self.0.rates.enforce(on);
    }

    /// Sets its habits.
    pub fn set_habits(&self, habits: Habits) {
        *self.0.habits.write() = habits;
    }

    /// From now on a page of metrics holds no more points than this, whatever is asked for: AWS may cut an answer as it likes.
    pub fn cut_metrics(&self, points: usize) {
        self.0.metric_page.store(points.max(1), Ordering::Relaxed);
    }

    /// The ground truth of an account, which is made when it is new, with all regions that are on by default.
    #[must_use]
    pub fn account(&self, id: &str) -> AccountTruth {
        self.0.ground.write().account(id);
        AccountTruth::new(self.clone(), id)
    }

    /// Everything it serves: AWS at `/`, its stage below `/_world`.
    #[must_use = "a router serves nothing by itself"]
    pub fn router(&self) -> Router {
        front::router(self.clone()).merge(self.stage().router())
    }

    /// Serves it on a free port of loopback until the handle is dropped.
    ///
    /// # Errors
    /// When the machine gives no port.
    pub async fn serve(&self) -> io::Result<Running> {
        server::serve(self.router()).await
    }

    pub(crate) fn ground(&self) -> &RwLock<Ground> {
        &self.0.ground
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.0.rates
    }

    pub(crate) fn metric_page(&self) -> usize {
        self.0.metric_page.load(Ordering::Relaxed)
    }

    pub(crate) fn habits(&self) -> Habits {
        *self.0.habits.read()
    }

    /// A number that was never given before: of a request, a page, an order.
    pub(crate) fn next_number(&self) -> u64 {
        self.0.numbers.fetch_add(1, Ordering::Relaxed)
    }
}
