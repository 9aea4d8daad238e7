//! The log of calls: who asked what of which fake, and how it went. Tests count calls with it.
//!
//! Counts are kept for good; of single calls only the newest [`MAX_LOG`] are kept.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::get,
};
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// How many single calls the log remembers.
pub const MAX_LOG: usize = 10_000;

/// What a request asks for. Faults are matched on it and calls are counted by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Call {
    /// `ec2`, `sts`, `mackerel`…
    pub service: String,
    /// `DescribeInstances`; for a REST service the method and route, `GET /api/v0/hosts/{id}`.
    pub operation: String,
    /// The AWS account id, or the Mackerel organisation; empty when the caller is unknown.
    pub account: String,
    /// The AWS region; empty where there is none.
    pub region: String,
}

/// How a call went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Logged {
    /// World time of the answer.
    pub at: Timestamp,
    /// What was asked.
    #[serde(flatten)]
    pub call: Call,
    /// The HTTP status that was sent.
    pub status: u16,
    /// The service's error code, or empty when it answered.
    pub error: String,
    /// Kinds of the injected faults that struck this call.
    pub faults: Vec<String>,
}

/// One line of [`Calls::counts`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// What was asked.
    #[serde(flatten)]
    pub call: Call,
    /// The service's error code, or empty for answered calls.
    pub error: String,
    /// How often.
    pub count: u64,
}

/// Which calls to count; an absent field matches all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Which {
    /// The service, exactly.
    pub service: Option<String>,
    /// The operation, exactly.
    pub operation: Option<String>,
    /// The account, exactly.
    pub account: Option<String>,
    /// The region, exactly.
    pub region: Option<String>,
    /// The error code, exactly; empty for answered calls only.
    pub error: Option<String>,
}

impl Which {
    fn holds(&self, call: &Call, error: &str) -> bool {
        let same = |want: &Option<String>, got: &str| want.as_deref().is_none_or(|w| w == got);
        same(&self.service, &call.service)
            && same(&self.operation, &call.operation)
            && same(&self.account, &call.account)
            && same(&self.region, &call.region)
            && same(&self.error, error)
    }
}

/// The log. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Log>>);

#[derive(Debug, Default)]
struct Log {
    counts: BTreeMap<(Call, String), u64>,
    newest: VecDeque<Logged>,
}

impl Calls {
    /// Remembers one call.
    pub fn record(&self, logged: Logged) {
        let mut log = self.0.lock();
        *log.counts.entry((logged.call.clone(), logged.error.clone())).or_default() += 1;
        if log.newest.len() == MAX_LOG {
            log.newest.pop_front();
        }
        log.newest.push_back(logged);
    }

    /// How many calls of one service and operation there were, however they went.
    #[must_use]
    pub fn of(&self, service: &str, operation: &str) -> u64 {
        self.matching(&Which {
            service: Some(service.to_owned()),
            operation: Some(operation.to_owned()),
            ..Which::default()
        })
    }

    /// How many calls `which` holds for.
    #[must_use]
    pub fn matching(&self, which: &Which) -> u64 {
        self.0.lock().counts.iter().filter(|((c, e), _)| which.holds(c, e)).map(|(_, n)| n).sum()
    }

    /// All counts, in order of service, operation, account, region, error.
    #[must_use]
    pub fn counts(&self) -> Vec<Count> {
        let log = self.0.lock();
        let line = |((call, error), n): (&(Call, String), &u64)| Count {
            call: call.clone(),
            error: error.clone(),
            count: *n,
        };
        log.counts.iter().map(line).collect()
    }

    /// The newest calls, oldest first, at most [`MAX_LOG`].
    #[must_use]
    pub fn newest(&self) -> Vec<Logged> {
        self.0.lock().newest.iter().cloned().collect()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *self.0.lock() = Log::default();
    }

    /// `GET /_world/calls?service=&operation=&account=&region=&error=` answers `{"count", "counts"}`;
    /// `GET /_world/calls/log` the newest calls; `DELETE /_world/calls` forgets.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/_world/calls", get(count).delete(forget))
            .route("/_world/calls/log", get(log))
            .with_state(self.clone())
    }
}

#[derive(Serialize)]
struct Answer {
    count: u64,
    counts: Vec<Count>,
}

async fn count(State(calls): State<Calls>, Query(which): Query<Which>) -> Json<Answer> {
    let counts = calls.counts().into_iter().filter(|c| which.holds(&c.call, &c.error)).collect();
    Json(Answer { count: calls.matching(&which), counts })
}

async fn log(State(calls): State<Calls>) -> Json<Vec<Logged>> {
    Json(calls.newest())
}

async fn forget(State(calls): State<Calls>) {
    calls.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: &str, account: &str, error: &str) -> Logged {
        Logged {
            at: Timestamp::UNIX_EPOCH,
            call: Call {
                service: "ec2".into(),
                operation: operation.into(),
                account: account.into(),
                region: "eu-west-1".into(),
            },
            status: if error.is_empty() { 200 } else { 503 },
            error: error.into(),
            faults: vec![],
        }
    }

    #[test]
    fn calls_are_counted_by_what_they_asked_and_how_they_went() {
        let calls = Calls::default();
        for logged in [
            call("DescribeInstances", "1", ""),
            call("DescribeInstances", "2", "RequestLimitExceeded"),
            call("DescribeVolumes", "1", ""),
        ] {
            calls.record(logged);
        }
        assert_eq!(calls.of("ec2", "DescribeInstances"), 2);
        let answered = Which { error: Some(String::new()), ..Which::default() };
        assert_eq!(calls.matching(&answered), 2);
        assert_eq!(calls.newest().len(), 3);
        calls.clear();
        assert_eq!(calls.matching(&Which::default()), 0);
    }

    #[test]
    fn the_log_is_bounded_and_the_counts_are_not_lost() {
        let calls = Calls::default();
        for _ in 0..MAX_LOG + 5 {
            calls.record(call("DescribeInstances", "1", ""));
        }
        assert_eq!(calls.newest().len(), MAX_LOG);
        assert_eq!(calls.of("ec2", "DescribeInstances"), MAX_LOG as u64 + 5);
    }
}
