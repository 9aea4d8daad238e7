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
        self.ready_at(Instant::now(), stores)
    }

    fn ready_at(&self, now: Instant, stores: &Stores) -> Result<&'static str, String> {
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
            (Some(_), Some(last)) if now.duration_since(last) < PASS_WITHIN => Ok("leading\n"),
            (Some(_), Some(last)) => {
                Err(format!("the last pass was {} s ago", now.duration_since(last).as_secs()))
            }
            (Some(_), None) => Err("no pass made yet".to_owned()),
        }
    }

    /// `Err` says that this process does nothing any more.
    ///
    /// # Errors
    /// Since when it has not tried.
    pub fn alive(&self) -> Result<(), String> {
        self.alive_at(Instant::now())
    }

    fn alive_at(&self, now: Instant) -> Result<(), String> {
        let inner = self.inner.lock();
        let Some(since) = inner.leading_since else { return Ok(()) };
        let idle = now.duration_since(inner.last_try.unwrap_or(since));
        if idle < TRY_WITHIN {
            Ok(())
        } else {
            Err(format!("leading, and no pass tried for {} s", idle.as_secs()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_is_ready_by_its_last_good_pass_and_dead_only_when_it_tries_nothing() {
        let (health, stores) = (Health::default(), Stores::listed(|_| {}));
        let after = |span: Duration| Instant::now() + span;
        assert_eq!(health.ready(&stores), Ok("standing by\n"));
        health.leads(true);
        assert_eq!(health.ready(&stores), Err("no pass made yet".to_owned()));
        health.passed();
        assert_eq!(health.ready(&stores), Ok("leading\n"));
        assert_eq!(
            health.ready_at(after(PASS_WITHIN), &stores),
            Err("the last pass was 300 s ago".to_owned())
        );
        assert_eq!(health.alive_at(after(PASS_WITHIN)), Ok(()), "slow is not dead");
        let dead = health.alive_at(after(TRY_WITHIN));
        assert_eq!(dead, Err("leading, and no pass tried for 900 s".to_owned()));

        health.trouble("memory cannot be read".to_owned());
        assert_eq!(health.ready(&stores), Err("memory cannot be read".to_owned()));
        assert_eq!(health.alive(), Ok(()), "trying is living");
        health.passed();
        assert_eq!(health.ready(&stores), Ok("leading\n"), "a good pass ends it");
        health.leads(false);
        let later = after(TRY_WITHIN * 2);
        assert_eq!((health.ready_at(later, &stores), health.alive_at(later)), (Ok("standing by\n"), Ok(())));
    }

    #[test]
    fn what_is_not_listed_is_awaited_by_name() {
        let awaited = Health::default().ready(&Stores::default()).unwrap_err();
        assert!(awaited.starts_with("not listed yet: cloudaccounts, environments, "), "{awaited}");
    }
}
