//! What a thing was, is, and is already bound to become: its versions over world time.
//!
//! A change of state that takes time (a stop, a terminate) writes its later versions at once, so that the
//! truth at any moment is a look-up and never needs a timer. Stale reads look up an earlier moment.

use std::collections::VecDeque;

use jiff::Timestamp;

/// How many versions of one thing are kept; older ones are forgotten first.
const MAX_VERSIONS: usize = 64;

/// The versions of one thing, oldest first. `None` is a time when it did not exist.
#[derive(Clone, Debug)]
pub struct History<T>(VecDeque<(Timestamp, Option<T>)>);

impl<T: Clone> History<T> {
    /// A thing that exists from `at` on.
    #[must_use]
    pub fn born(at: Timestamp, thing: T) -> Self {
        Self(VecDeque::from([(at, Some(thing))]))
    }

    /// What it was at `at`.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Option<&T> {
        self.0.iter().rev().find(|(from, _)| *from <= at).and_then(|(_, thing)| thing.as_ref())
    }

    /// When it turned, or is planned to turn, into something else, in order.
    pub fn turns(&self) -> impl Iterator<Item = Timestamp> {
        self.0.iter().map(|(from, _)| *from)
    }

    /// A new course from `at` on: whatever was planned for later is dropped.
    pub fn turn(&mut self, at: Timestamp, thing: Option<T>) {
        self.0.retain(|(from, _)| *from < at);
        self.plan(at, thing);
    }

    /// One more step of the present course. Steps must be planned in order of time.
    pub fn plan(&mut self, at: Timestamp, thing: Option<T>) {
        self.0.push_back((at, thing));
        if self.0.len() > MAX_VERSIONS {
            self.0.pop_front();
        }
    }

    /// A change that holds from `at` on, also for what is planned. False when there is nothing at `at` to change.
    pub fn change(&mut self, at: Timestamp, change: impl Fn(&mut T)) -> bool {
        let Some(mut now) = self.at(at).cloned() else {
            return false;
        };
        change(&mut now);
        let later = self.0.partition_point(|(from, _)| *from <= at);
        for (_, planned) in self.0.range_mut(later..) {
            // A clone, because clones drop what was written of a thing before it changed.
            *planned = planned.clone().map(|mut thing| {
                change(&mut thing);
                thing
            });
        }
        self.0.insert(later, (at, Some(now)));
        if self.0.len() > MAX_VERSIONS {
            self.0.pop_front();
        }
        true
    }

    /// When it ceases to exist, if that is planned or past.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        self.0.back().filter(|(_, thing)| thing.is_none()).map(|(from, _)| *from)
    }

    /// Whether it ceased to exist before `then` and nothing more is planned.
    #[must_use]
    pub fn gone_before(&self, then: Timestamp) -> bool {
        self.end().is_some_and(|end| end < then)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn minute(n: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(n)
    }

    #[test]
    fn the_past_the_present_and_the_planned() {
        let mut thing = History::born(minute(1), "pending");
        thing.plan(minute(2), Some("running"));
        thing.plan(minute(9), None);
        let seen: Vec<_> = [0, 1, 2, 8, 9].map(|m| thing.at(minute(m)).copied()).into();
        assert_eq!(seen, [None, Some("pending"), Some("running"), Some("running"), None]);
        assert!(thing.gone_before(minute(10)));

        thing.turn(minute(5), Some("stopped"));
        assert_eq!(thing.at(minute(20)), Some(&"stopped"));
        assert_eq!(thing.at(minute(4)), Some(&"running"), "the past stays");
    }

    #[test]
    fn a_change_holds_for_what_is_planned_and_not_for_the_past() {
        let mut thing = History::born(minute(1), vec![1]);
        thing.plan(minute(5), Some(vec![5]));
        assert!(thing.change(minute(3), |v| v.push(0)));
        let seen: Vec<_> = [2, 3, 5].map(|m| thing.at(minute(m)).cloned().unwrap()).into();
        assert_eq!(seen, [vec![1], vec![1, 0], vec![5, 0]]);
        assert!(!thing.change(minute(0), |v| v.push(9)), "there was nothing to change");
    }

    #[test]
    fn versions_are_bounded() {
        let mut thing = History::born(minute(0), 0);
        for n in 1..200 {
            thing.turn(minute(n), Some(n));
        }
        assert_eq!(thing.0.len(), MAX_VERSIONS);
        assert_eq!(thing.at(minute(199)), Some(&199));
    }
}
