//! Every call to the API server has an end: the client itself would wait for ever on a dead connection
//! (kube 5 sets no read timeout) and, if let, retry a call for minutes. Both are switched off here.

use std::future::Future;
use std::time::Duration;

use kube::{Client, Config};

/// No single call may take longer.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// A watch is ended by the server after this many seconds, and taken for dead 5 s later. Load balancers cut silent
/// connections after 240 s (Azure) or 350 s (AWS) without telling anybody.
pub const WATCH_SECONDS: u32 = 180;

/// What became of a call.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No answer in time; whether it took effect is unknown.
    #[error("no answer within {} s", CALL_TIMEOUT.as_secs())]
    TimedOut,
    /// The API server, or the way to it, refused.
    #[error(transparent)]
    Kube(#[from] kube::Error),
}

impl CallError {
    /// The category, as a metric label.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.code() {
            _ if matches!(self, Self::TimedOut) => "TimedOut",
            Some(403) => "Forbidden",
            Some(404) => "NotFound",
            Some(409) => "Conflict",
            Some(422) => "Invalid",
            Some(429) => "Throttled",
            Some(_) => "ServerError",
            None => "Unreachable",
        }
    }

    /// The API server's own status code, if it answered.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Kube(kube::Error::Api(status)) => Some(status.code),
            _ => None,
        }
    }

    /// The object is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Somebody else wrote first.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.code() == Some(409)
    }
}

/// Awaits a call for at most [`CALL_TIMEOUT`].
///
/// # Errors
/// What the call says, or that it took too long.
pub async fn bounded<T>(call: impl Future<Output = kube::Result<T>>) -> Result<T, CallError> {
    tokio::time::timeout(CALL_TIMEOUT, call).await.map_err(|_| CallError::TimedOut)?.map_err(CallError::from)
}

/// The clients of the operator.
#[derive(Clone)]
pub struct Clients {
    /// For single calls, each within [`bounded`].
    pub calls: Client,
    /// For watches and their lists, whose dead connections only the connection itself can notice.
    pub watches: Client,
}

impl Clients {
    /// Two clients for one cluster. Neither retries by itself: the default policy would hold a lease renewal for
    /// minutes, and may create twice what a 504 hid.
    ///
    /// # Errors
    /// When the configuration cannot make a client.
    pub fn new(mut config: Config) -> kube::Result<Self> {
        config.default_retry = false;
        config.connect_timeout = Some(CALL_TIMEOUT);
        let calls = Client::try_from(config.clone())?;
        // A little more than the server's own end of a watch: whoever is silent for longer is dead.
        config.read_timeout = Some(Duration::from_secs(u64::from(WATCH_SECONDS) + 4));
        config.reset_reader_on_write = true;
        let watches = Client::try_from(config)?;
        Ok(Self { calls, watches })
    }
}
