//! A list while it is being read: what was seen, what could not be read, how it ended.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rollcall_engine::reading::{Extent, Failure, FailureKind, Gap, Reading};

/// What was read of one list.
#[derive(Debug)]
pub(crate) struct Listing<T> {
    /// What was seen.
    pub(crate) seen: T,
    /// Elements that came at all, read or not.
    pub(crate) elements: usize,
    /// What could not be read.
    pub(crate) odd: Oddities,
    /// What is missing for other reasons.
    pub(crate) gaps: Vec<Gap>,
    /// Why it did not come to its proper end.
    pub(crate) cut: Option<Failure>,
}

impl<T> Listing<T> {
    /// The same list, seen in another way.
    pub(crate) fn map<U>(self, see: impl FnOnce(T) -> U) -> Listing<U> {
        let Self { seen, elements, odd, gaps, cut } = self;
        Listing { seen: see(seen), elements, odd, gaps, cut }
    }
}

impl<T: Default> Listing<T> {
    pub(crate) fn empty() -> Self {
        Self { seen: T::default(), elements: 0, odd: Oddities::default(), gaps: vec![], cut: None }
    }

    /// A list that failed before it began.
    pub(crate) fn failed(why: Failure) -> Self {
        Self { cut: Some(why), ..Self::empty() }
    }

    /// The reading that this list is.
    pub(crate) fn reading(self, source: String, at: Timestamp) -> Reading<T> {
        let Self { seen, elements, odd, mut gaps, cut } = self;
        if let Some(why) = cut {
            if elements == 0 {
                return Reading::failed(source, at, why);
            }
            gaps.push(Gap { what: format!("what follows the first {elements}"), why });
        }
        gaps.extend(odd.gaps());
        let extent =
            if gaps.is_empty() { Extent::Complete { at } } else { Extent::Partial { at, missing: gaps } };
        Reading { source, extent, seen, request_ids: vec![] }
    }
}

/// What could not be read, counted by what it was: one line of explanation, however many there are.
#[derive(Debug, Default)]
pub(crate) struct Oddities(BTreeMap<&'static str, (usize, String)>);

impl Oddities {
    /// Counts one; `id` names it, or is empty. No other words of the answer are repeated.
    pub(crate) fn count(&mut self, what: &'static str, id: &str) {
        let (times, _) = self.0.entry(what).or_insert_with(|| (0, id.chars().take(64).collect()));
        *times += 1;
    }

    /// Whether all could be read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn gaps(self) -> impl Iterator<Item = Gap> {
        self.0.into_iter().map(|(what, (times, id))| {
            let first = if id.is_empty() { String::new() } else { format!("; the first is {id:?}") };
            let message = format!("expected {what} as documented, found something else{first}");
            Gap {
                what: format!("{what} ({times} times)"),
                why: Failure::new(FailureKind::Malformed, message),
            }
        })
    }
}
