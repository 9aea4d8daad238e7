//! Waits for what must become true, and says at the deadline what was seen last.
//!
//! It must never sleep for a fixed time and hope: everything awaited has a condition, a deadline and a name.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

/// How often something awaited is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What one look saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look<T> {
    /// What was awaited.
    There(T),
    /// Something else; these words are what the error quotes when nothing better comes.
    NotYet(String),
}

impl Look<()> {
    /// There when `condition` holds; else not yet, with what was `found` instead.
    pub fn that(condition: bool, found: impl FnOnce() -> String) -> Self {
        if condition { Self::There(()) } else { Self::NotYet(found()) }
    }
}

/// Looks again and again until `what` is there, for at most `within`.
///
/// # Errors
/// At the deadline, naming `what` and the last thing seen; and at once when a look itself fails.
pub async fn until<T>(
    what: impl AsRef<str>,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<Look<T>>,
) -> Result<T> {
    let deadline = Instant::now() + within;
    loop {
        match look().await? {
            Look::There(found) => return Ok(found),
            Look::NotYet(seen) if Instant::now() > deadline => {
                bail!("{}: not within {} s; last seen: {seen}", what.as_ref(), within.as_secs())
            }
            Look::NotYet(_) => sleep(LOOK_EVERY).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_is_returned_and_what_does_not_come_is_named() {
        let mut looks = 0;
        let found = until("three looks", Duration::from_secs(5), async || {
            looks += 1;
            Ok(if looks == 3 { Look::There(looks) } else { Look::NotYet(format!("{looks} looks")) })
        });
        assert_eq!(found.await.unwrap(), 3);

        let never = until("rain", Duration::ZERO, async || Ok(Look::<()>::NotYet("sun".to_owned())));
        let told = never.await.unwrap_err().to_string();
        assert_eq!(told, "rain: not within 0 s; last seen: sun");
    }
}
