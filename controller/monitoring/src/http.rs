//! One polite client for all systems that speak HTTP: guarded addresses, ring TLS, a token bucket, patience, limits.
//!
//! It sends GET, as often as that may help, and POST of a notice, once each: whoever sends notices remembers what became of
//! them. It follows no redirect, uses no proxy, and gives no caller more bytes or more time than asked for. Errors say what happened on the wire; what that means is for the system's own folder to say.

mod patience;
mod tls;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use backon::ExponentialBackoff;
use bytes::{Bytes, BytesMut};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use crate::endpoint::{EndpointPolicy, Guarded, Lookup, NameRefused, Target};

pub use patience::{MAX_QUIET, Pace, Patience};
pub use tls::{Tls, TlsError};

/// How we name ourselves.
pub const USER_AGENT: &str = concat!("rollcall/", env!("CARGO_PKG_VERSION"));
/// As much of a refusal's body is read, in bytes: enough for its message.
const MAX_REFUSAL: usize = 4_096;

/// The client. One per system: it holds the connections, the bucket, and until when the system wants to be left alone.
pub struct Http {
    client: reqwest::Client,
    policy: EndpointPolicy,
    bucket: DefaultDirectRateLimiter,
    patience: Patience,
    quiet_until: Mutex<Option<Instant>>,
}

/// One thing to ask.
#[derive(Clone, Debug)]
pub struct Get {
    /// What is asked, below a checked [`crate::endpoint::Endpoint`].
    pub url: Url,
    /// The header that proves who asks; its value is marked sensitive.
    pub secret: (HeaderName, HeaderValue),
    /// The largest body that is read, in bytes, after decompression.
    pub limit: usize,
    /// How long one attempt may take; longer than usual for large lists, which must still never pause for longer than
    /// [`Patience::attempt`].
    pub time: Duration,
}

/// One thing to send.
#[derive(Clone, Debug)]
pub struct Post<'a> {
    /// Where, as it is.
    pub target: &'a Target,
    /// What, JSON.
    pub body: Bytes,
    /// The headers that prove who sends it; what must not be logged is marked sensitive.
    pub headers: HeaderMap,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The rules for addresses forbid it.
    #[error("{0}")]
    Refused(String),
    /// No connection.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The connection broke within an answer.
    #[error("the connection broke within the answer: {0}")]
    Broken(String),
    /// No answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// An answer that is not 200; to something that was sent, one that is not 200 to 299.
    #[error("expected 200, found {status}")]
    Status {
        /// What it was.
        status: u16,
        /// The beginning of its body.
        body: Bytes,
        /// How long it asks to be left alone, at most [`MAX_QUIET`].
        retry_after: Option<Duration>,
    },
    /// More than was asked for.
    #[error("expected at most {limit} bytes, found more")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// Not asked at all, because it wants to be left alone.
    #[error("it asked to be left alone for {} s more", .0.as_secs())]
    Quiet(Duration),
}

impl CallError {
    /// Whether another attempt may go better.
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Broken(_) | Self::TimedOut => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..),
            Self::Refused(_) | Self::TooLarge { .. } | Self::Quiet(_) => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        if let Self::Status { retry_after, .. } = self { *retry_after } else { None }
    }
}

impl Http {
    /// A client under these rules.
    ///
    /// # Errors
    /// When the TLS settings do not fit the HTTP library: a fault of the build, not of the configuration.
    pub fn new(
        policy: &EndpointPolicy,
        lookup: Arc<dyn Lookup>,
        tls: &Tls,
        pace: Pace,
        patience: Patience,
    ) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.config())
            .dns_resolver(Arc::new(Guarded::new(policy.clone(), lookup)))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .https_only(!policy.allow_http)
            .retry(reqwest::retry::never())
            .referer(false)
            .user_agent(USER_AGENT)
            .default_headers(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]))
            .connect_timeout(patience.connect)
            .read_timeout(patience.attempt)
            .pool_max_idle_per_host(4)
            .build()?;
        let bucket = RateLimiter::direct(Quota::per_second(pace.per_second).allow_burst(pace.burst));
        Ok(Self { client, policy: policy.clone(), bucket, patience, quiet_until: Mutex::new(None) })
    }

    /// What one attempt may take, unless a call says otherwise.
    pub(crate) fn attempt_time(&self) -> Duration {
        self.patience.attempt
    }

    /// The whole body of an answer; asks again while that may help.
    ///
    /// # Errors
    /// That of the last attempt.
    pub async fn get(&self, get: &Get) -> Result<Bytes, CallError> {
        let mut attempts = Attempts::of(self);
        loop {
            attempts.begin().await?;
            match self.whole(get).await {
                Ok(body) => return Ok(body),
                Err(error) => attempts.failed(error).await?,
            }
        }
    }

    /// The body of an answer, bit by bit; asks again only until the answer begins.
    ///
    /// # Errors
    /// That of the last attempt.
    pub async fn open(&self, get: &Get) -> Result<Body, CallError> {
        let mut attempts = Attempts::of(self);
        loop {
            attempts.begin().await?;
            match self.attempt(get).await {
                Ok(body) => return Ok(body),
                Err(error) => attempts.failed(error).await?,
            }
        }
    }

    /// Sends it once, in the time that one attempt may take, and answers the status: 200 to 299. What the answer says beyond
    /// that is not read. What another call was told about being left alone does not hold it up.
    ///
    /// # Errors
    /// What went wrong. It may have arrived all the same.
    pub async fn post(&self, post: &Post<'_>) -> Result<u16, CallError> {
        self.bucket.until_ready().await;
        self.policy.judge_literal(post.target.url()).map_err(|e| CallError::Refused(e.to_string()))?;
        let request = self.client.post(post.target.url().clone()).headers(post.headers.clone());
        let request = request
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(post.body.clone())
            .timeout(self.patience.attempt);
        let answer = request.send().await.map_err(|e| broken(&e))?;
        match answer.status().as_u16() {
            accepted @ 200..=299 => Ok(accepted),
            status => Err(refusal(status, answer).await),
        }
    }

    async fn whole(&self, get: &Get) -> Result<Bytes, CallError> {
        let mut body = self.attempt(get).await?;
        let mut whole = BytesMut::new();
        while let Some(chunk) = body.next().await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    /// How long it still wants to be left alone.
    async fn quiet(&self) -> Duration {
        let until = *self.quiet_until.lock().await;
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }

    async fn attempt(&self, get: &Get) -> Result<Body, CallError> {
        // Names are judged when they are resolved; an address in a URL is never resolved.
        self.policy.judge_literal(&get.url).map_err(|e| CallError::Refused(e.to_string()))?;
        let (name, secret) = get.secret.clone();
        let request = self.client.get(get.url.clone()).header(name, secret).timeout(get.time);
        let answer = request.send().await.map_err(|e| broken(&e))?;
        let status = answer.status().as_u16();
        if status == 200 {
            return Ok(Body { answer, limit: get.limit, left: get.limit });
        }
        Err(refusal(status, answer).await)
    }
}

/// An answer that refuses, with the beginning of its words.
async fn refusal(status: u16, answer: reqwest::Response) -> CallError {
    let retry_after = answer.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok());
    let retry_after = retry_after.and_then(|v| patience::retry_after(v, Timestamp::now()));
    let mut refusal = Body { answer, limit: usize::MAX, left: usize::MAX };
    let mut body = BytesMut::new();
    // Best effort: a refusal counts whether or not its words arrive.
    while let Ok(Some(chunk)) = refusal.next().await {
        body.extend_from_slice(&chunk);
        if body.len() >= MAX_REFUSAL {
            body.truncate(MAX_REFUSAL);
            break;
        }
    }
    CallError::Status { status, body: body.freeze(), retry_after }
}

/// The attempts at one call.
struct Attempts<'a> {
    http: &'a Http,
    begun: Instant,
    pauses: ExponentialBackoff,
}

impl<'a> Attempts<'a> {
    fn of(http: &'a Http) -> Self {
        Self { http, begun: Instant::now(), pauses: http.patience.pauses() }
    }

    /// Whether there is still time for an attempt that begins after this pause.
    fn may_wait(&self, pause: Duration) -> bool {
        self.begun.elapsed() + pause <= self.http.patience.total
    }

    /// Waits until a call may be made: the server does not want to be left alone, and the bucket has a token.
    async fn begin(&self) -> Result<(), CallError> {
        let quiet = self.http.quiet().await;
        if !self.may_wait(quiet) {
            return Err(CallError::Quiet(quiet));
        }
        tokio::time::sleep(quiet).await;
        self.http.bucket.until_ready().await;
        Ok(())
    }

    /// Pauses before the next attempt, or gives the error back when there is to be none.
    async fn failed(&mut self, error: CallError) -> Result<(), CallError> {
        let asked = error.retry_after().unwrap_or_default();
        if !asked.is_zero() {
            // For all calls: it is the server that is tired, not this one question.
            *self.http.quiet_until.lock().await = Some(Instant::now() + asked);
        }
        let pause = self.pauses.next().filter(|_| error.may_pass()).map(|pause| pause.max(asked));
        match pause.filter(|pause| self.may_wait(*pause)) {
            Some(pause) => {
                tokio::time::sleep(pause).await;
                Ok(())
            }
            None => Err(error),
        }
    }
}

/// The body of an answer that is still coming in.
pub struct Body {
    answer: reqwest::Response,
    limit: usize,
    left: usize,
}

impl Body {
    /// The next bytes, or `None` at the proper end.
    ///
    /// # Errors
    /// When the connection breaks, time is up, or the body is larger than allowed.
    pub async fn next(&mut self) -> Result<Option<Bytes>, CallError> {
        let chunk = self.answer.chunk().await.map_err(|e| match broken(&e) {
            CallError::Unreachable(why) => CallError::Broken(why),
            other => other,
        })?;
        if let Some(chunk) = &chunk {
            let too_large = CallError::TooLarge { limit: self.limit };
            self.left = self.left.checked_sub(chunk.len()).ok_or(too_large)?;
        }
        Ok(chunk)
    }
}

/// How long a `Retry-After` of this value, heard at `now`, keeps us from asking again: for fuzzing, which makes no calls.
#[cfg(feature = "answers")]
#[must_use]
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    patience::retry_after(value, now)
}

/// What broke, from the innermost cause outwards; never the URL.
fn broken(error: &reqwest::Error) -> CallError {
    let causes: Vec<&dyn std::error::Error> =
        std::iter::successors(error.source(), |e| (*e).source()).collect();
    if let Some(refused) = causes.iter().find_map(|e| e.downcast_ref::<NameRefused>()) {
        return CallError::Refused(refused.to_string());
    }
    if error.is_timeout() {
        return CallError::TimedOut;
    }
    let root = causes.last().map_or_else(|| "the request failed".to_owned(), ToString::to_string);
    CallError::Unreachable(root)
}
