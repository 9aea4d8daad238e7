//! What has just failed is left alone for a while, longer each time, so that it cannot eat the budget of all others.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// After the first failure.
const SHORTEST: Duration = Duration::from_secs(2);

/// After many.
const LONGEST: Duration = Duration::from_mins(5);

/// Things that rest, and until when.
#[derive(Debug)]
pub struct Rest<K>(BTreeMap<K, (u32, Instant)>);

impl<K> Default for Rest<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone> Rest<K> {
    /// It failed once more, just now.
    pub fn failed(&mut self, key: &K) {
        self.failed_at(key, Instant::now());
    }

    fn failed_at(&mut self, key: &K, now: Instant) {
        let failures = self.0.get(key).map_or(0, |(failures, _)| *failures);
        let span = SHORTEST.saturating_mul(1 << failures.min(16)).min(LONGEST);
        self.0.insert(key.clone(), (failures + 1, now + span));
    }

    /// It worked.
    pub fn worked(&mut self, key: &K) {
        self.0.remove(key);
    }

    /// Is it to be left alone?
    #[must_use]
    pub fn is_resting(&self, key: &K) -> bool {
        self.0.get(key).is_some_and(|(_, until)| *until > Instant::now())
    }

    /// When the next of them may be tried again.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        let now = Instant::now();
        self.0.values().map(|(_, until)| *until).filter(|until| *until > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rests_longer_each_time_and_never_for_ever() {
        let (mut rest, now) = (Rest::default(), Instant::now());
        let spans: Vec<Duration> = (0..12)
            .map(|_| {
                rest.failed_at(&"x", now);
                rest.0[&"x"].1 - now
            })
            .collect();
        assert!(spans.is_sorted());
        assert_eq!((spans[0], spans[1], spans[11]), (SHORTEST, SHORTEST * 2, LONGEST));
        rest.worked(&"x");
        assert!(!rest.is_resting(&"x"));
        rest.failed_at(&"x", now);
        assert_eq!(rest.next(), Some(now + SHORTEST));
    }
}
