//! Why rows are unknown, each reason once: rows point at them by number.

use std::collections::BTreeMap;

use super::Reason;
use crate::limits::MAX_REASONS;
use crate::reading::{Failure, FailureKind};

/// For what no reason was found: no list holds it.
pub(super) const NOT_JUDGED: Reason = Reason(u16::MAX);

/// The reasons of one roll call.
#[derive(Debug, Default)]
pub(super) struct Reasons {
    numbers: BTreeMap<(FailureKind, String), u16>,
    list: Vec<Failure>,
}

impl Reasons {
    /// The number of a failure. Beyond [`MAX_REASONS`] different ones only their category is told apart.
    pub(super) fn number(&mut self, failure: &Failure) -> Reason {
        let key = (failure.kind, failure.message.clone());
        if let Some(number) = self.numbers.get(&key) {
            return Reason(*number);
        }
        if self.list.len() >= MAX_REASONS && !failure.message.is_empty() {
            return self.number(&Failure { kind: failure.kind, message: String::new() });
        }
        let number = u16::try_from(self.list.len()).unwrap_or(u16::MAX);
        self.list.push(failure.clone());
        self.numbers.insert(key, number);
        Reason(number)
    }

    pub(super) fn into_list(self) -> Vec<Failure> {
        self.list
    }
}
