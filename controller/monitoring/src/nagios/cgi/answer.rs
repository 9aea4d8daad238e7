//! One answer of a CGI while its bytes come in: entries are told as they come, the head when all of it was well.

use rollcall_engine::reading::{Failure, FailureKind};

use super::entries::{Entries, Entry, NotAnAnswer};
use super::head::Head;
use super::refusal;

/// What has come in so far.
pub(super) struct Answer {
    entries: Entries,
    head: Option<Result<Head, Failure>>,
    end: Result<(), NotAnAnswer>,
}

impl Answer {
    /// Of an answer that tells `data.LIST`, whose entries lie `depth` keys below it.
    pub(super) fn with(list: &'static str, depth: usize) -> Self {
        Self { entries: Entries::of(list, depth), head: None, end: Ok(()) }
    }

    /// Takes the next bytes; says whether more of them are of any use.
    pub(super) fn take(&mut self, bytes: &[u8], mut each: impl FnMut(&Entry<'_>)) -> bool {
        let head = &mut self.head;
        self.end = self.entries.feed(bytes, |entry| match entry {
            Entry::Head(bytes) => *head = Some(Head::parse(bytes)),
            entry => each(&entry),
        });
        self.end.is_ok()
    }

    /// The head, when there are no more bytes and all of it was well.
    ///
    /// # Errors
    /// Why what was told is not the whole list.
    pub(super) fn over(self) -> Result<Head, Failure> {
        let end = self.end.and_then(|()| self.entries.finish());
        // What the head says of an error says more than that the list is missing.
        match (self.head, end) {
            (Some(Err(why)), _) => Err(why),
            (_, Err(why)) => Err(refusal::no_answer(&why)),
            (Some(Ok(head)), Ok(())) => Ok(head),
            (None, Ok(())) => Err(Failure::new(FailureKind::Malformed, "expected a result, found none")),
        }
    }
}
