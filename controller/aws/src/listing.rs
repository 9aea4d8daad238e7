//! The rules of a listing: what makes it complete, and what to say when it is not. No I/O.
//!
//! Whatever was seen is kept. A listing is complete only if the first page came, every page led to the next one
//! until one led nowhere, nothing came twice, and no limit was met.

use std::collections::{HashSet, VecDeque};

use jiff::Timestamp;
use rollcall_engine::inventory::{Address, Instance, Volume};
use rollcall_engine::reading::{Extent, Failure, FailureKind, Gap, MAX_REQUEST_IDS, Reading};

use crate::settings::Limits;

/// Gaps that one reading keeps.
const MAX_GAPS: usize = 5;

/// Something that AWS lists under an id.
pub(crate) trait Listed {
    fn id(&self) -> &str;
}

impl Listed for Instance {
    fn id(&self) -> &str {
        self.id.as_str()
    }
}
impl Listed for Volume {
    fn id(&self) -> &str {
        &self.id
    }
}
impl Listed for Address {
    fn id(&self) -> &str {
        &self.id
    }
}

/// One answered page.
#[derive(Clone, Debug)]
pub(crate) struct Page<T> {
    /// The items; `None` when the answer lacks the list itself, which AWS always sends, even empty.
    pub(crate) items: Option<Vec<T>>,
    /// Entries that cannot be told apart from others, for want of an id.
    pub(crate) nameless: usize,
    /// The way on.
    pub(crate) next: Option<String>,
    /// AWS's request id.
    pub(crate) request_id: Option<String>,
}

/// The next page to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) token: Option<String>,
    /// Counted from 1.
    pub(crate) page: u32,
}

/// A listing under way.
#[derive(Debug)]
pub(crate) struct Listing<T> {
    source: String,
    at: Timestamp,
    max_pages: u32,
    max_items: usize,
    max_empty_pages: u32,
    seen: Vec<T>,
    ids: HashSet<Box<str>>,
    tokens: HashSet<String>,
    gaps: Vec<Gap>,
    failed: Option<Failure>,
    pages: u32,
    empty_pages: u32,
    next: Option<Ask>,
    request_ids: VecDeque<String>,
}

impl<T: Listed> Listing<T> {
    /// A listing of `source` that begins at `at`.
    pub(crate) fn new(source: String, at: Timestamp, limits: &Limits) -> Self {
        Self {
            source,
            at,
            max_pages: limits.max_pages,
            max_items: limits.max_items,
            max_empty_pages: limits.max_empty_pages,
            seen: Vec::new(),
            ids: HashSet::new(),
            tokens: HashSet::new(),
            gaps: Vec::new(),
            failed: None,
            pages: 0,
            empty_pages: 0,
            next: Some(Ask { token: None, page: 1 }),
            request_ids: VecDeque::new(),
        }
    }

    /// What to ask for now; `None` when the listing is at its end, good or bad.
    pub(crate) fn next(&self) -> Option<Ask> {
        self.next.clone()
    }

    /// A page came.
    pub(crate) fn page(&mut self, page: Page<T>) {
        self.pages += 1;
        self.request(page.request_id);
        let Some(items) = page.items else {
            let why = Failure::new(
                FailureKind::Malformed,
                format!(
                    "{} page {}: the answer holds no list, not even an empty one",
                    self.source, self.pages
                ),
            );
            return self.stop(self.pages, why);
        };
        self.empty_pages = if items.is_empty() { self.empty_pages + 1 } else { 0 };
        self.nameless(page.nameless);
        self.take(items);
        self.go_on(page.next);
    }

    /// The page that was asked for did not come, or time ran out.
    pub(crate) fn failed(&mut self, why: Failure, request_id: Option<String>) {
        self.request(request_id);
        self.stop(self.pages + 1, why);
    }

    /// What the listing brought.
    pub(crate) fn into_reading(self) -> Reading<Vec<T>> {
        let at = self.at;
        let extent = match self.failed {
            Some(why) => Extent::Failed { since: at, why },
            None if self.gaps.is_empty() => Extent::Complete { at },
            None => Extent::Partial { at, missing: self.gaps },
        };
        Reading { source: self.source, extent, seen: self.seen, request_ids: self.request_ids.into() }
    }

    fn take(&mut self, items: Vec<T>) {
        let (mut repeated, mut surplus) = (0_usize, 0_usize);
        let count = items.len();
        for item in items {
            if !self.ids.insert(item.id().into()) {
                repeated += 1;
            } else if self.seen.len() >= self.max_items {
                surplus += 1;
            } else {
                self.seen.push(item);
            }
        }
        if repeated > 0 {
            let message = format!(
                "{} page {} repeated {repeated} of {count} ids that were already seen, so others may be missing",
                self.source, self.pages
            );
            self.gap("an unknown share".to_owned(), Failure::new(FailureKind::Malformed, message));
        }
        if surplus > 0 {
            self.too_large("items", self.max_items);
        }
    }

    fn nameless(&mut self, count: usize) {
        if count > 0 {
            let message = format!("{} page {}: {count} without an id", self.source, self.pages);
            self.gap(format!("{count} without an id"), Failure::new(FailureKind::Malformed, message));
        }
    }

    fn go_on(&mut self, token: Option<String>) {
        let Some(token) = token.filter(|t| !t.is_empty()) else {
            self.next = None;
            return;
        };
        if self.next.is_none() {
            return; // A limit was met on this page.
        }
        if self.seen.len() >= self.max_items {
            return self.too_large("items", self.max_items);
        }
        if self.pages >= self.max_pages {
            return self.too_large("pages", self.max_pages as usize);
        }
        let (source, pages) = (&self.source, self.pages);
        if self.empty_pages >= self.max_empty_pages {
            let message = format!("{source}: {} empty pages in a row, each leading on", self.empty_pages);
            return self.stop(pages + 1, Failure::new(FailureKind::Malformed, message));
        }
        if !self.tokens.insert(token.clone()) {
            let message = format!("{source} page {pages} repeated: it leads back to a page already read");
            return self.stop(pages + 1, Failure::new(FailureKind::Malformed, message));
        }
        self.next = Some(Ask { token: Some(token), page: self.pages + 1 });
    }

    fn too_large(&mut self, what: &str, limit: usize) {
        let message = format!(
            "{}: more than {limit} {what}, the reader's limit. Next step: split the account",
            self.source
        );
        self.stop(self.pages + 1, Failure::new(FailureKind::TooLarge, message));
    }

    fn stop(&mut self, page: u32, why: Failure) {
        self.next = None;
        // Nothing at all came: this is no partial reading but none.
        if page == 1 {
            self.failed = Some(why);
        } else {
            self.gap(format!("page {page} and later"), why);
        }
    }

    fn gap(&mut self, what: String, why: Failure) {
        // A source that errs on every page must not fill memory with gaps; how it ended is always kept.
        self.gaps.truncate(MAX_GAPS - 1);
        self.gaps.push(Gap { what, why });
    }

    fn request(&mut self, id: Option<String>) {
        self.request_ids.extend(id);
        if self.request_ids.len() > MAX_REQUEST_IDS {
            self.request_ids.pop_front();
        }
    }
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
