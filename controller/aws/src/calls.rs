//! What was asked of AWS and how it went, as plain numbers for `/metrics`.
//!
//! Every attempt counts, retries too: that is what AWS counts. It must never hold more than a bounded set of labels.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rollcall_engine::ids::Place;
use rollcall_engine::reading::FailureKind;

/// How often one operation went one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallCount {
    /// Account and region.
    pub place: Place,
    /// `DescribeInstances`.
    pub operation: &'static str,
    /// `None` when it was answered, else the category. Throttles are [`FailureKind::Throttled`].
    pub failure: Option<FailureKind>,
    /// Attempts so far.
    pub count: u64,
}

/// What is left of our own rate limit for one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Account and region.
    pub place: Place,
    /// `DescribeInstances`.
    pub operation: &'static str,
    /// Calls that could be made now without waiting.
    pub tokens: u32,
    /// Calls gained a second.
    pub per_second: u32,
}

type Key = (Place, &'static str, Option<FailureKind>);

/// The counts of one account. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallLog(Arc<Mutex<BTreeMap<Key, u64>>>);

impl CallLog {
    fn count(&self, place: &Place, operation: &'static str, failure: Option<FailureKind>) {
        *self.0.lock().entry((place.clone(), operation, failure)).or_default() += 1;
    }

    /// A call that has left. Unless it is told how it ended, it was given up for lack of time.
    pub(crate) fn begin(&self, place: &Place, operation: &'static str) -> Underway {
        Underway { log: self.clone(), place: place.clone(), operation, failure: Some(FailureKind::TimedOut) }
    }

    pub(crate) fn counts(&self) -> Vec<CallCount> {
        let line = |((place, operation, failure), count): (&Key, &u64)| CallCount {
            place: place.clone(),
            operation,
            failure: *failure,
            count: *count,
        };
        self.0.lock().iter().map(line).collect()
    }
}

/// A call on its way. Timeouts drop the future that holds it, so it is counted when it is dropped.
#[derive(Debug)]
pub(crate) struct Underway {
    log: CallLog,
    place: Place,
    operation: &'static str,
    failure: Option<FailureKind>,
}

impl Underway {
    pub(crate) fn ended(mut self, failure: Option<FailureKind>) {
        self.failure = failure;
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.log.count(&self.place, self.operation, self.failure);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_given_up_counts_as_timed_out() {
        let place = Place { account: "123456789012".into(), region: "eu-west-1".into() };
        let log = CallLog::default();
        log.begin(&place, "DescribeInstances").ended(None);
        log.begin(&place, "DescribeInstances").ended(None);
        drop(log.begin(&place, "DescribeInstances"));
        let counts: Vec<_> = log.counts().into_iter().map(|c| (c.failure, c.count)).collect();
        assert_eq!(counts, [(None, 2), (Some(FailureKind::TimedOut), 1)]);
    }
}
