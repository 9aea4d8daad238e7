//! Words that many instances say alike, held once for each page of a listing.

use std::collections::HashSet;
use std::sync::Arc;

use aws_sdk_ec2::types::GroupIdentifier;
use rollcall_engine::inventory::GroupName;

/// What was said so far.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    words: HashSet<Arc<str>>,
    groups: HashSet<Arc<[GroupName]>>,
}

impl Shared {
    /// The word; none for the empty one.
    pub(super) fn word(&mut self, word: Option<&str>) -> Option<Arc<str>> {
        let word = word.filter(|w| !w.is_empty())?;
        if let Some(known) = self.words.get(word) {
            return Some(Arc::clone(known));
        }
        let new: Arc<str> = word.into();
        self.words.insert(Arc::clone(&new));
        Some(new)
    }

    /// The groups, those without an id left out.
    pub(super) fn groups(&mut self, told: &[GroupIdentifier]) -> Arc<[GroupName]> {
        let groups: Vec<GroupName> = told.iter().filter_map(|group| self.group(group)).collect();
        if let Some(known) = self.groups.get(groups.as_slice()) {
            return Arc::clone(known);
        }
        let new: Arc<[GroupName]> = groups.into();
        self.groups.insert(Arc::clone(&new));
        new
    }

    fn group(&mut self, told: &GroupIdentifier) -> Option<GroupName> {
        let id = self.word(told.group_id())?;
        Some(GroupName { id, name: self.word(told.group_name()).unwrap_or_default() })
    }
}
