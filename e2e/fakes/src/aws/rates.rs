//! EC2's request and resource limits as AWS publishes them, enforced per account, region and action; those of `CloudWatch`,
//! and a guess at RDS's, of which AWS says nothing.
//!
//! Source: "Request throttling for the Amazon EC2 API", its tables of request token bucket sizes and of
//! resource token bucket sizes. Off until switched on, so that small tests need not wait.

use std::{collections::BTreeMap, time::Instant};

use parking_lot::Mutex;

use crate::{bucket::TokenBucket, calls::Call};

/// The buckets of all accounts.
#[derive(Debug)]
pub struct Rates(Mutex<Buckets>);

#[derive(Debug)]
struct Buckets {
    enforced: bool,
    started: Instant,
    requests: BTreeMap<(Call, Listing), TokenBucket>,
    resources: BTreeMap<Call, TokenBucket>,
}

/// How a listing asks, which decides the bucket it draws from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listing {
    /// With a filter, ids or a page size; also everything that is not a listing.
    Bounded,
    /// Everything at once: AWS gives it half of the tokens.
    Unbounded,
}

/// Burst and refill per second.
type Size = (f64, f64);

impl Default for Rates {
    fn default() -> Self {
        let (requests, resources) = (BTreeMap::new(), BTreeMap::new());
        Self(Mutex::new(Buckets { enforced: false, started: Instant::now(), requests, resources }))
    }
}

impl Rates {
    /// Switches the limits on, with full buckets, or off.
    pub fn enforce(&self, on: bool) {
        let mut buckets = self.0.lock();
        buckets.enforced = on;
        buckets.requests.clear();
        buckets.resources.clear();
    }

    /// Takes a token for each point of metrics that is given out. False is a throttle.
    pub fn allow_points(&self, call: &Call, points: usize) -> bool {
        let mut buckets = self.0.lock();
        if !buckets.enforced {
            return true;
        }
        let now = buckets.started.elapsed().as_secs_f64();
        let (burst, refill) = METRIC_POINTS;
        let wanted = f64::from(u32::try_from(points).unwrap_or(u32::MAX));
        // A page may hold more than a second's worth: the bucket then has to be full.
        let bucket = buckets.resources.entry(call.clone());
        bucket.or_insert_with(|| TokenBucket::full(burst, refill, now)).take(wanted.min(burst), now)
    }

    /// Takes one request token, and a resource token for each of `resources` instances named. False is a throttle.
    /// Buckets fill in machine time, as clients wait in machine time.
    pub fn allow(&self, call: &Call, listing: Listing, resources: usize) -> bool {
        let mut buckets = self.0.lock();
        if !buckets.enforced {
            return true;
        }
        let now = buckets.started.elapsed().as_secs_f64();
        let full = |(burst, refill): Size| TokenBucket::full(burst, refill, now);
        let request = buckets.requests.entry((call.clone(), listing));
        let request = request.or_insert_with(|| full(request_size(call, listing)));
        if !request.take(1.0, now) {
            return false;
        }
        let Some(size) = resource_size(&call.operation) else {
            return true;
        };
        let wanted = f64::from(u32::try_from(resources).unwrap_or(u32::MAX));
        buckets.resources.entry(call.clone()).or_insert_with(|| full(size)).take(wanted, now)
    }
}

/// Calls of `GetMetricData` a second ("`CloudWatch` service quotas").
const METRIC_CALLS: Size = (50.0, 50.0);
/// Points that it gives out a second, from beyond the last three hours (the same).
const METRIC_POINTS: Size = (90_000.0, 90_000.0);

/// RDS's: narrow enough that a reader who asks once per database is caught (m).
const RDS: Size = (20.0, 5.0);

fn request_size(call: &Call, listing: Listing) -> Size {
    match call.operation.as_str() {
        _ if call.service == "rds" => RDS,
        "GetMetricData" => METRIC_CALLS,
        "TerminateInstances" | "CreateSnapshot" => (100.0, 5.0),
        "CreateTags" | "DeleteTags" => (100.0, 10.0),
        "RunInstances" | "StartInstances" => (5.0, 2.0),
        "DescribeInstances" | "DescribeSecurityGroups" | "DescribeVolumes"
            if listing == Listing::Unbounded =>
        {
            (50.0, 10.0)
        }
        action if action.starts_with("Describe") || action.starts_with("Get") => (100.0, 20.0),
        _ => (50.0, 5.0),
    }
}

fn resource_size(action: &str) -> Option<Size> {
    match action {
        "TerminateInstances" | "StopInstances" => Some((1000.0, 20.0)),
        "RunInstances" | "StartInstances" => Some((1000.0, 2.0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: &str, account: &str) -> Call {
        Call {
            service: "ec2".into(),
            operation: operation.into(),
            account: account.into(),
            region: "eu-west-1".into(),
        }
    }

    fn granted(rates: &Rates, call: &Call, listing: Listing, resources: usize) -> usize {
        (0..150).take_while(|_| rates.allow(call, listing, resources)).count()
    }

    #[test]
    fn each_account_and_action_has_its_own_bucket_of_its_class() {
        let rates = Rates::default();
        assert_eq!(
            granted(&rates, &call("RunInstances", "1"), Listing::Bounded, 1),
            150,
            "off until switched on"
        );
        rates.enforce(true);
        for (operation, account, listing, burst) in [
            ("DescribeInstances", "1", Listing::Bounded, 100),
            ("DescribeInstances", "1", Listing::Unbounded, 50),
            ("DescribeInstances", "2", Listing::Bounded, 100),
            ("StopInstances", "1", Listing::Bounded, 50),
            ("StartInstances", "1", Listing::Bounded, 5),
            ("CreateTags", "1", Listing::Bounded, 100),
        ] {
            let granted = granted(&rates, &call(operation, account), listing, 1);
            assert!(
                (burst..burst + 3).contains(&granted),
                "{operation} of {account}: {granted}, not {burst}"
            );
        }
    }

    #[test]
    fn naming_many_instances_empties_the_resource_bucket_first() {
        let rates = Rates::default();
        rates.enforce(true);
        assert_eq!(granted(&rates, &call("StopInstances", "1"), Listing::Bounded, 400), 2);
    }
}
