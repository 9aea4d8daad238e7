//! The rules of a listing: what makes it complete, and what to say when it is not. No I/O.
//!
//! Whatever was seen is kept. A listing is complete only if the first page came, every page led to the next one
//! until one led nowhere, nothing came twice, and no limit was met.

use std::collections::{HashSet, VecDeque};

use jiff::Timestamp;
use rollcall_engine::inventory::{
    Address, Database, DatabaseCluster, Instance, SecurityGroup, SubnetGroup, Volume,
};
use rollcall_engine::reading::{Extent, Failure, FailureKind, Gap, MAX_REQUEST_IDS, Reading};

use crate::failure::Failed;
use crate::settings::Limits;

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
impl Listed for Database {
    fn id(&self) -> &str {
        self.id.as_str()
    }
}
impl Listed for DatabaseCluster {
    fn id(&self) -> &str {
        self.id.as_str()
    }
}

impl Listed for SecurityGroup {
    fn id(&self) -> &str {
        &self.id
    }
}
impl Listed for SubnetGroup {
    fn id(&self) -> &str {
        &self.name
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
    repeated: bool,
    nameless: usize,
    ended: Option<(u32, Failure)>,
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
            repeated: false,
            nameless: 0,
            ended: None,
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
            return self.stop(
                self.pages,
                FailureKind::Malformed,
                "an answer holds no list, not even an empty one",
            );
        };
        self.empty_pages = if items.is_empty() { self.empty_pages + 1 } else { 0 };
        self.nameless += page.nameless;
        self.take(items);
        self.go_on(page.next);
    }

    /// The page that was asked for did not come, or time ran out.
    pub(crate) fn failed(&mut self, failed: Failed) {
        self.request(failed.request_id);
        self.end(self.pages + 1, failed.why);
    }

    /// What the listing brought.
    pub(crate) fn into_reading(self) -> Reading<Vec<T>> {
        let at = self.at;
        let missing = self.gaps();
        let extent = match self.ended {
            // Nothing at all came: this is no partial reading but none.
            Some((1, why)) => Extent::Failed { since: at, why },
            _ if missing.is_empty() => Extent::Complete { at },
            _ => Extent::Partial { at, missing },
        };
        Reading { source: self.source, extent, seen: self.seen, request_ids: self.request_ids.into() }
    }

    fn gaps(&self) -> Vec<Gap> {
        let gap = |what: String, why: Failure| Gap { what, why };
        let ended = self.ended.clone().map(|(page, why)| gap(format!("page {page} and later"), why));
        let repeated = self.repeated.then(|| {
            let why = "a page repeated ids that were already seen, so others may be missing";
            gap("an unknown share".to_owned(), self.failure(FailureKind::Malformed, why))
        });
        let nameless = (self.nameless > 0).then(|| {
            let why = "entries without an id cannot be told apart";
            gap(format!("{} without an id", self.nameless), self.failure(FailureKind::Malformed, why))
        });
        [ended, repeated, nameless].into_iter().flatten().collect()
    }

    fn take(&mut self, items: Vec<T>) {
        for item in items {
            if !self.ids.insert(item.id().into()) {
                self.repeated = true;
            } else if self.seen.len() >= self.max_items {
                return self.too_large("items", self.max_items);
            } else {
                self.seen.push(item);
            }
        }
    }

    fn go_on(&mut self, token: Option<String>) {
        let leads_on = token.filter(|t| !t.is_empty() && self.next.is_some());
        let Some(token) = leads_on else {
            self.next = None;
            return;
        };
        let (page, malformed) = (self.pages + 1, FailureKind::Malformed);
        if self.seen.len() >= self.max_items {
            self.too_large("items", self.max_items);
        } else if self.pages >= self.max_pages {
            self.too_large("pages", self.max_pages as usize);
        } else if self.empty_pages >= self.max_empty_pages {
            self.stop(page, malformed, "page after page came empty, each leading on");
        } else if !self.tokens.insert(token.clone()) {
            self.stop(page, malformed, "a page was repeated: the way on leads back to where it came from");
        } else {
            self.next = Some(Ask { token: Some(token), page });
        }
    }

    fn too_large(&mut self, what: &str, limit: usize) {
        let why = format!("more than {limit} {what}, the reader's limit");
        self.stop(self.pages + 1, FailureKind::TooLarge, &why);
    }

    fn stop(&mut self, page: u32, kind: FailureKind, why: &str) {
        self.end(page, self.failure(kind, why));
    }

    fn end(&mut self, page: u32, why: Failure) {
        self.next = None;
        self.ended = Some((page, why));
    }

    fn failure(&self, kind: FailureKind, why: &str) -> Failure {
        let step = match kind {
            FailureKind::TooLarge => "split the account, or raise the limit",
            _ => "none, the next poll reads afresh; if it stays, check proxies between the operator and AWS",
        };
        Failure::new(kind, format!("{}: {why}. Next step: {step}", self.source))
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
