//! What earlier lists told: the memory that tells a list that lost something from a world that did.
//!
//! A list that is shorter than the last one is not yet a proof: an answer that lost its content, or half of it, is just as
//! well-formed. So some of those that vanished are asked for by their own id. If one of them is there, the list is
//! partial, whatever it looks like.

use std::collections::BTreeSet;
use std::fmt::Display;

use rollcall_engine::reading::{Failure, FailureKind, Gap};

use super::listing::Listing;
use crate::Answer;

/// So many of those that vanished are asked for, per list and poll.
pub(super) const ASKED: usize = 5;

/// Everything that was listed and is not yet known to be gone.
#[derive(Debug)]
pub(super) struct Known<K>(BTreeSet<K>);

impl<K: Ord + Clone + Display> Known<K> {
    pub(super) fn new() -> Self {
        Self(BTreeSet::new())
    }

    pub(super) fn all(&self) -> &BTreeSet<K> {
        &self.0
    }

    pub(super) fn add(&mut self, keys: impl IntoIterator<Item = K>) {
        self.0.extend(keys);
    }

    /// Some of what was there before and is not in this list, to be asked for; none when the list did not come to its
    /// end, which proves nothing anyway.
    pub(super) fn suspects<T>(&self, listing: &Listing<T>, seen: &BTreeSet<K>) -> Vec<K> {
        if listing.cut.is_some() {
            return vec![];
        }
        let vanished: Vec<&K> = self.0.difference(seen).collect();
        vanished.iter().step_by(vanished.len().div_ceil(ASKED).max(1)).map(|key| K::clone(key)).collect()
    }

    /// Learns from a list that showed `seen`, and marks what it left out. `lives` are the answers about the suspects.
    pub(super) fn learn<T>(
        &mut self,
        listing: &mut Listing<T>,
        seen: BTreeSet<K>,
        lives: Vec<(K, Answer<bool>)>,
    ) {
        let doubt = lives.into_iter().find_map(|(key, answer)| match answer {
            Answer::Absent | Answer::Present(false) => None,
            Answer::Present(true) => {
                Some(Failure::new(FailureKind::Malformed, format!("the list lacks {key}, which exists")))
            }
            Answer::Unknown(why) => Some(why),
        });
        match doubt {
            Some(why) => {
                listing.gaps.push(Gap { what: "some of what was listed before".to_owned(), why });
                self.add(seen);
            }
            None if listing.cut.is_some() => self.add(seen),
            None => self.0 = seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(ToString::to_string).collect()
    }

    /// What a list that shows `seen` is taken for, after `before`, where suspects are answered by `answer`: whether it is
    /// doubted, and what is known afterwards.
    fn after(before: &[&str], seen: &[&str], cut: bool, answer: &Answer<bool>) -> (bool, BTreeSet<String>) {
        let mut known = Known::new();
        known.add(set(before));
        let mut listing = Listing::<()>::empty();
        listing.cut = cut.then(|| Failure::new(FailureKind::Unreachable, "cut"));
        let suspects = known.suspects(&listing, &set(seen));
        let lives = suspects.into_iter().map(|key| (key, answer.clone())).collect();
        known.learn(&mut listing, set(seen), lives);
        (!listing.gaps.is_empty(), known.0)
    }

    #[test]
    fn a_shorter_list_is_believed_when_what_vanished_is_gone() {
        let unknown = Answer::Unknown(Failure::new(FailureKind::Throttled, "later"));
        for (answer, doubted, known) in [
            (Answer::Absent, false, &["b", "c"][..]),
            (Answer::Present(false), false, &["b", "c"]),
            (Answer::Present(true), true, &["a", "b", "c"]),
            (unknown, true, &["a", "b", "c"]),
        ] {
            assert_eq!(after(&["a", "b"], &["b", "c"], false, &answer), (doubted, set(known)), "{answer:?}");
        }
    }

    #[test]
    fn a_list_that_was_cut_takes_nothing_away_and_nobody_is_asked() {
        assert_eq!(after(&["a", "b"], &["b", "c"], true, &Answer::Absent), (false, set(&["a", "b", "c"])));
    }

    #[test]
    fn few_are_asked_for_and_from_all_over_the_list() {
        let mut known = Known::new();
        known.add(0..1_000);
        let asked = known.suspects(&Listing::<()>::empty(), &BTreeSet::new());
        assert_eq!(asked, [0, 200, 400, 600, 800]);
        assert_eq!(known.suspects(&Listing::<()>::empty(), &(3..1_000).collect()), [0, 1, 2]);
        assert!(known.suspects(&Listing::<()>::empty(), &(0..1_000).collect()).is_empty());
    }
}
