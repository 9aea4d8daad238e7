//! What a reader of one account is built from: which account it must be, who we are, and every limit.
//!
//! Values only, checked by who made them. Keys must never be printable.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use rollcall_engine::ids::{AccountId, Region};

/// One account and the way to it.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// The account that the credentials must belong to; STS proves it before anything is listed.
    pub account: AccountId,
    /// The regions that may be read. The first one's STS endpoint is asked for the proof.
    pub regions: Vec<Region>,
    /// Who we are to begin with.
    pub identity: Identity,
    /// The role to take on in the account, if any.
    pub assume: Option<AssumeRole>,
    /// One endpoint for all services, for tests and VPC endpoints. When absent `AWS_ENDPOINT_URL` and its
    /// per-service variants count, then AWS's own endpoints.
    pub endpoint_url: Option<String>,
    /// Limits on everything.
    pub limits: Limits,
}

/// Who we are before any role is taken on.
#[derive(Clone, Debug)]
pub enum Identity {
    /// What the machine gives us: environment, web identity (IRSA), Pod Identity, instance profile.
    Ambient,
    /// Keys from a Secret. When the Secret changes, build a new reader: the proof is then made anew.
    Static(StaticKeys),
}

/// An access key. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct StaticKeys {
    key_id: String,
    secret: String,
    token: Option<String>,
}

impl StaticKeys {
    /// Keys as AWS issued them; `token` only for temporary ones.
    #[must_use]
    pub fn new(key_id: impl Into<String>, secret: impl Into<String>, token: Option<String>) -> Self {
        Self { key_id: key_id.into(), secret: secret.into(), token }
    }

    pub(crate) fn credentials(&self) -> aws_credential_types::Credentials {
        let Self { key_id, secret, token } = self;
        aws_credential_types::Credentials::new(key_id, secret, token.clone(), None, "rollcall-secret")
    }
}

impl fmt::Debug for StaticKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StaticKeys(redacted)")
    }
}

/// A role to take on, always under the session name [`SESSION_NAME`].
#[derive(Clone)]
pub struct AssumeRole {
    /// `arn:aws:iam::123456789012:role/rollcall-observe`.
    pub role_arn: String,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
}

/// The session name under which CloudTrail shows everything that this crate asks.
pub const SESSION_NAME: &str = "rollcall-observe";

impl fmt::Debug for AssumeRole {
    // Whoever knows the external id is one step nearer to the role, so it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let external_id = self.external_id.as_ref().map(|_| "redacted");
        f.debug_struct("AssumeRole")
            .field("role_arn", &self.role_arn)
            .field("external_id", &external_id)
            .finish()
    }
}

/// Every limit of a reader. The defaults are for production; tests make them small.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Items asked for in a page of EC2's: 5 to 1,000 (EC2's bounds for `MaxResults`).
    pub page_size: i32,
    /// The same for databases and their clusters: 20 to 100 (RDS's bounds for `MaxRecords`).
    pub database_page_size: i32,
    /// Pages of one listing.
    pub max_pages: u32,
    /// Items of one listing; 200,000 is ten times the largest fleet we aim at.
    pub max_items: usize,
    /// Pages without an item but with a way on, in a row. EC2 may send some; it must not keep us for ever.
    pub max_empty_pages: u32,
    /// Bytes of one answer. A page of 1,000 hosts has 3.4 MB; 50 tags of full length each make some 50 MB.
    pub max_answer_bytes: usize,
    /// One whole listing, from the proof to the last page.
    pub listing_time: Duration,
    /// One call with all its retries.
    pub call_time: Duration,
    /// One attempt of a call, from waiting for our own rate limit to the last byte.
    pub attempt_time: Duration,
    /// Making a connection.
    pub connect_time: Duration,
    /// Attempts of one call.
    pub attempts: u32,
    /// The most that is waited before the first retry; it doubles.
    pub first_backoff: Duration,
    /// The most that is waited before any retry.
    pub max_backoff: Duration,
    /// Our own calls per account, region and action. EC2 refills 20 tokens a second for paged listings ("Request
    /// throttling for the Amazon EC2 API"): half of them stay for the account's other tools.
    pub calls_per_second: NonZeroU32,
    /// The same for RDS, which publishes no rates: two calls a poll are enough for a hundred databases.
    pub database_calls_per_second: NonZeroU32,
    /// Metrics that one call asks for: at most 500 (`GetMetricData`).
    pub metric_queries: usize,
    /// Points that one call asks for, and AWS may tell in one answer: at most 100,800 (`GetMetricData`).
    pub metric_points: usize,
    /// The same for `CloudWatch`. It takes 50 calls a second, but gives out no more than 90,000 points a second beyond the last
    /// three hours, and a full call of 90 days asks for 45,000: half of them stay for the account's dashboards and alarms.
    pub metric_calls_per_second: NonZeroU32,
    /// One whole reading of activity: the 120 calls of 20,000 hosts with three metrics take two minutes at our rate.
    pub activity_time: Duration,
    /// How long before their end sessions are renewed (at least half of it: the SDK draws lots), so that none ends
    /// in the middle of a listing.
    pub renew_ahead: Duration,
    /// How long STS's word on the account holds.
    pub proof_age: Duration,
    /// How long a refused proof is not asked for again, so that a broken account costs STS little.
    pub proof_pause: Duration,
    /// How old volumes, addresses and what assertions ask may become before [`crate::Account::read_place`] reads them again.
    pub slow_listing_age: Duration,
    /// How old the word on an instance's termination protection may become: it costs a call for each instance.
    pub protection_age: Duration,
    /// Instances whose termination protection is asked for in one go; the others wait for the next.
    pub protections_at_once: usize,
    /// Parameter groups, and protections, are begun for so long in one go, and each is given up after it. What is not begun
    /// waits for the next go.
    pub asked_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_size: 1_000,
            database_page_size: 100,
            max_pages: 1_000,
            max_items: 200_000,
            max_empty_pages: 10,
            max_answer_bytes: 64 * 1024 * 1024,
            listing_time: Duration::from_mins(2),
            call_time: Duration::from_mins(1),
            attempt_time: Duration::from_secs(25),
            connect_time: Duration::from_secs(3),
            attempts: 5,
            first_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(10),
            calls_per_second: const { NonZeroU32::new(10).unwrap() },
            database_calls_per_second: const { NonZeroU32::new(5).unwrap() },
            metric_queries: 500,
            metric_points: 100_800,
            metric_calls_per_second: NonZeroU32::MIN,
            activity_time: Duration::from_mins(15),
            renew_ahead: Duration::from_mins(5),
            proof_age: Duration::from_hours(1),
            proof_pause: Duration::from_secs(10),
            slow_listing_age: Duration::from_mins(30),
            protection_age: Duration::from_hours(24),
            // 20,000 of them in 17 hours at a poll a minute, at a two-hundredth of EC2's rate.
            protections_at_once: 20,
            asked_time: Duration::from_secs(45),
        }
    }
}
