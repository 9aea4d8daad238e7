//! One rule: which calls it is for, and the fault that strikes them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{calls::Call, wildcard};

/// Which calls go wrong, when, and how. Over HTTP it is a JSON object, with the fault under `fault`:
/// `{"service": "ec2", "operation": "Describe*", "times": 3, "fault": {"kind": "status", "status": 503}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Services, as a glob with `*`.
    #[serde(default = "any")]
    pub service: String,
    /// Operations, as a glob with `*`.
    #[serde(default = "any")]
    pub operation: String,
    /// Accounts (Mackerel: organisations), as a glob with `*`.
    #[serde(default = "any")]
    pub account: String,
    /// Regions, as a glob with `*`.
    #[serde(default = "any")]
    pub region: String,
    /// Let so many matching calls pass first; 2 strikes the third page.
    #[serde(default)]
    pub after: u64,
    /// Strike so many calls, then never again; absent is for ever.
    #[serde(default)]
    pub times: Option<u64>,
    /// Not before this world time.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// Not at or after this world time.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// What goes wrong.
    pub fault: Fault,
}

fn any() -> String {
    "*".to_owned()
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Fault {
    /// The service's own throttling error once a token bucket is empty; one bucket per account, region and operation.
    Throttle {
        /// Calls at once.
        burst: f64,
        /// Calls gained per second.
        refill_per_second: f64,
        /// Whose seconds.
        #[serde(default)]
        pace: Pace,
    },
    /// An HTTP status with a body, instead of an answer.
    Status {
        /// The HTTP status.
        status: u16,
        /// The body; when absent the service's own error shape.
        #[serde(default)]
        body: Option<String>,
    },
    /// The true answer, but the connection is closed after so many bytes of its body.
    CutConnection {
        /// Bytes of the body that still arrive.
        after_bytes: usize,
    },
    /// 200 with an empty list and no further page.
    EmptyAnswer,
    /// This page is told once more: the way on leads to the same page.
    RepeatPage,
    /// The next page is lost: the way on leads to the one after it.
    SkipPage,
    /// The items of the page in another order.
    ReorderItems {
        /// The same seed gives the same order.
        #[serde(default)]
        seed: u64,
    },
    /// The first items of the page are missing.
    DropItems {
        /// How many.
        items: usize,
    },
    /// The first items of the page are told with this status of the service's own, and not whole: of `CloudWatch`'s metrics
    /// `PartialData`, `InternalError`, `Forbidden`.
    ItemStatus {
        /// How many.
        items: usize,
        /// The status.
        status: String,
    },
    /// The answer has a remark of the service's on it: something may be missing.
    Remark {
        /// The remark.
        message: String,
    },
    /// The answer tells the world as it was.
    StaleRead {
        /// World seconds ago.
        seconds: u32,
    },
    /// The answer comes late.
    Latency {
        /// Machine milliseconds.
        ms: u64,
    },
    /// 403 in the service's own words.
    Denied,
    /// 200 with something that is not an answer, as a proxy or a sign-in page would give.
    Garbage {
        /// The body; an HTML page when absent.
        #[serde(default)]
        body: Option<String>,
    },
}

/// Whose seconds refill a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pace {
    /// The machine's: clients wait in machine time, whatever the world's pace.
    #[default]
    Machine,
    /// The world's: for tests that move time by hand.
    World,
}

impl Rule {
    /// This fault for all calls of a service's operations (a glob), for ever.
    #[must_use]
    pub fn new(service: &str, operation: &str, fault: Fault) -> Self {
        Self {
            service: service.to_owned(),
            operation: operation.to_owned(),
            account: any(),
            region: any(),
            after: 0,
            times: None,
            from: None,
            until: None,
            fault,
        }
    }

    /// The same, so many times only.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }

    /// The same, once so many matching calls have passed.
    #[must_use]
    pub fn after(self, after: u64) -> Self {
        Self { after, ..self }
    }

    /// The same, for one account (a glob).
    #[must_use]
    pub fn account(self, account: &str) -> Self {
        Self { account: account.to_owned(), ..self }
    }

    /// The same, for one region (a glob).
    #[must_use]
    pub fn region(self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self }
    }

    /// The same, between two world times.
    #[must_use]
    pub fn between(self, from: Timestamp, until: Timestamp) -> Self {
        Self { from: Some(from), until: Some(until), ..self }
    }

    /// Whether the rule is for this call at this world time.
    #[must_use]
    pub fn covers(&self, call: &Call, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now)
            && self.until.is_none_or(|until| now < until)
            && wildcard::matches(&self.service, &call.service)
            && wildcard::matches(&self.operation, &call.operation)
            && wildcard::matches(&self.account, &call.account)
            && wildcard::matches(&self.region, &call.region)
    }
}

impl Fault {
    /// Its kind, as in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Fault::Throttle { .. } => "throttle",
            Fault::Status { .. } => "status",
            Fault::CutConnection { .. } => "cutConnection",
            Fault::EmptyAnswer => "emptyAnswer",
            Fault::RepeatPage => "repeatPage",
            Fault::SkipPage => "skipPage",
            Fault::ReorderItems { .. } => "reorderItems",
            Fault::DropItems { .. } => "dropItems",
            Fault::ItemStatus { .. } => "itemStatus",
            Fault::Remark { .. } => "remark",
            Fault::StaleRead { .. } => "staleRead",
            Fault::Latency { .. } => "latency",
            Fault::Denied => "denied",
            Fault::Garbage { .. } => "garbage",
        }
    }
}
