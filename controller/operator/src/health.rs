//! Health that speaks of the work, not of the process: ready means that the last pass was good and recent.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::watch::Stores;

/// A leader whose last good pass is older than this is not ready: several ticks were missed.
const PASS_WITHIN: Duration = Duration::from_mins(5);

/// A leader that has not even tried for this long is dead: restarting it is the only help left.
const TRY_WITHIN: Duration = Duration::from_mins(15);

/// What the loops tell about themselves.
#[derive(Debug, Default)]
pub struct Health {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    leading_since: Option<Instant>,
    last_try: Option<Instant>,
    last_pass: Option<Instant>,
    trouble: Option<String>,
}

impl Health {
    /// A term began or ended.
    pub fn leads(&self, leading: bool) {
        *self.inner.lock() = Inner { leading_since: leading.then(Instant::now), ..Inner::default() };
    }

    /// Something keeps us from deciding, in words for the person who has to help.
    pub fn trouble(&self, what: String) {
        let mut inner = self.inner.lock();
        inner.last_try = Some(Instant::now());
        inner.trouble = Some(what);
    }

    /// A pass was made.
    pub fn passed(&self) {
        let mut inner = self.inner.lock();
        inner.last_try = Some(Instant::now());
        inner.last_pass = inner.last_try;
        inner.trouble = None;
    }

    /// `Err` says why this replica is not ready to do its part.
    ///
    /// # Errors
    /// What is awaited, or what is wrong.
    pub fn ready(&self, stores: &Stores) -> Result<&'static str, String> {
        let awaited = stores.what_is_awaited();
        if !awaited.is_empty() {
            return Err(format!("not listed yet: {}", awaited.join(", ")));
        }
        let inner = self.inner.lock();
        if let Some(trouble) = &inner.trouble {
            return Err(trouble.clone());
        }
        match (inner.leading_since, inner.last_pass) {
            (None, _) => Ok("standing by\n"),
            (Some(_), Some(last)) if last.elapsed() < PASS_WITHIN => Ok("leading\n"),
            (Some(_), Some(last)) => Err(format!("the last pass was {} s ago", last.elapsed().as_secs())),
            (Some(_), None) => Err("no pass made yet".to_owned()),
        }
    }

    /// `Err` says that this process does nothing any more.
    ///
    /// # Errors
    /// Since when it has not tried.
    pub fn alive(&self) -> Result<(), String> {
        let inner = self.inner.lock();
        let Some(since) = inner.leading_since else { return Ok(()) };
        let idle = inner.last_try.unwrap_or(since).elapsed();
        if idle < TRY_WITHIN {
            Ok(())
        } else {
            Err(format!("leading, and no pass tried for {} s", idle.as_secs()))
        }
    }
}
