//! Names of check ids, from `/monitoring/checks`: read page by page over as many polls as the budget takes.
//!
//! A name that is known stays true: ids are not reused. So a directory that is being read again, or whose reading broke,
//! still names what it named before; an id that it does not name makes a host's reading partial, never shorter.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use rollcall_engine::ids::CheckName;
use rollcall_engine::reading::{Failure, FailureKind};

use super::super::client::Session;
use super::Page;
use super::budget::Budget;
use crate::Answer;

/// The whole directory is read again after this long, to forget ids that are gone.
const REFRESH: SignedDuration = SignedDuration::from_hours(24);
/// Sooner when a host has a check without a name, but not sooner than this after the last beginning.
const SOONEST: SignedDuration = SignedDuration::from_mins(10);
/// A server without the call is asked again after this long.
const UNSUPPORTED: SignedDuration = SignedDuration::from_hours(1);
/// Pages of one pass; half a million checks.
const MAX_PAGES: usize = 5_000;

/// The directory.
#[derive(Debug, Default)]
pub(super) struct Directory {
    names: HashMap<Box<str>, Entry>,
    /// One object per name, however many ids and hosts have it.
    interned: HashSet<CheckName>,
    passes: u32,
    pass: Option<Pass>,
    begun: Option<Timestamp>,
    completed: Option<Timestamp>,
    trouble: Option<(Timestamp, Failure)>,
}

#[derive(Debug)]
struct Entry {
    name: CheckName,
    /// The last pass that saw it.
    pass: u32,
}

/// A pass that is under way.
#[derive(Debug, Default)]
struct Pass {
    next: Option<String>,
    followed: HashSet<String>,
    pages: usize,
}

impl Directory {
    /// The name of a check.
    pub(super) fn name(&self, id: &str) -> Option<&CheckName> {
        self.names.get(id).map(|entry| &entry.name)
    }

    /// Whether it was ever read to its end: before, hosts need not be asked.
    pub(super) fn is_usable(&self) -> bool {
        self.completed.is_some()
    }

    /// What is wrong with it, and since when.
    pub(super) fn trouble(&self) -> Option<&(Timestamp, Failure)> {
        self.trouble.as_ref()
    }

    /// Reads on, or begins anew when it is time. `unnamed`: a host has a check that it does not name.
    pub(super) async fn advance(
        &mut self,
        session: &Session<'_>,
        budget: &mut Budget,
        now: Timestamp,
        unnamed: bool,
    ) {
        if self.pass.is_none() && self.is_due(now, unnamed) {
            self.passes = self.passes.wrapping_add(1);
            self.begun = Some(now);
            self.pass = Some(Pass::default());
        }
        // The first pass has the whole budget, as nothing can be named before; later ones leave half to the hosts.
        let reserve = if self.is_usable() { budget.calls() / 2 } else { 0 };
        while let Some(pass) = &self.pass {
            if budget.calls() <= reserve || !budget.spend() {
                return;
            }
            let answer = session.checks_page(pass.next.as_deref()).await;
            if let Err(why) = self.take(answer, now) {
                let since = self.trouble.take().map_or(now, |(since, _)| since);
                self.trouble = Some((since, why));
                return;
            }
        }
    }

    fn is_due(&self, now: Timestamp, unnamed: bool) -> bool {
        let older = |then: Option<Timestamp>, age| then.is_none_or(|then| now.duration_since(then) >= age);
        let unsupported = self.trouble.as_ref().is_some_and(|(_, why)| why.kind == FailureKind::NotSupported);
        match self.completed {
            _ if unsupported => older(self.begun, UNSUPPORTED),
            None => true,
            completed => older(completed, REFRESH) || (unnamed && older(self.begun, SOONEST)),
        }
    }

    fn take(&mut self, answer: Answer<Page>, now: Timestamp) -> Result<(), Failure> {
        let page = match answer {
            Answer::Present(page) => page,
            Answer::Absent => {
                self.pass = None;
                return Err(not_supported());
            }
            Answer::Unknown(why) => {
                // What may pass is asked again from here; a place that is refused is not.
                if matches!(why.kind, FailureKind::Malformed | FailureKind::Misconfigured) {
                    self.pass = None;
                }
                return Err(why);
            }
        };
        let twice = self.remember(page.checks);
        let Some(pass) = &mut self.pass else { return Ok(()) };
        pass.pages += 1;
        let looped = page.next.as_ref().is_some_and(|next| !pass.followed.insert(next.clone()));
        if twice || looped || pass.pages > MAX_PAGES {
            let pages = pass.pages;
            self.pass = None;
            return Err(not_a_list(pages, twice, looped));
        }
        pass.next = page.next;
        if pass.next.is_none() {
            self.complete(now);
        }
        Ok(())
    }

    /// Whether one of them was already told in this pass.
    fn remember(&mut self, checks: Vec<(String, String)>) -> bool {
        let mut twice = false;
        for (id, name) in checks {
            let name = self.intern(&name);
            let before = self.names.insert(id.into(), Entry { name, pass: self.passes });
            twice |= before.is_some_and(|entry| entry.pass == self.passes);
        }
        twice
    }

    fn intern(&mut self, name: &str) -> CheckName {
        let name = CheckName::new(name);
        if let Some(known) = self.interned.get(&name) {
            return known.clone();
        }
        self.interned.insert(name.clone());
        name
    }

    /// Forgets what two whole passes did not tell: one that lost its content must not cost us every name.
    fn complete(&mut self, now: Timestamp) {
        let passes = self.passes;
        self.names.retain(|_, entry| passes.wrapping_sub(entry.pass) <= 1);
        self.interned = self.names.values().map(|entry| entry.name.clone()).collect();
        self.pass = None;
        self.completed = Some(now);
        self.trouble = None;
    }
}

fn not_supported() -> Failure {
    let message = "GET /api/v0/monitoring/checks: expected the names of checks, found 404; this server is older than July 2026, so which checks a host runs cannot be verified";
    Failure::new(FailureKind::NotSupported, message)
}

fn not_a_list(pages: usize, twice: bool, looped: bool) -> Failure {
    let found = match (twice, looped) {
        (true, _) => "a check twice",
        (_, true) => "a `nextId` that leads back",
        _ => "no end",
    };
    let message = format!(
        "GET /api/v0/monitoring/checks: expected a list of pages, found {found} on page {pages}; it is read again at the next poll"
    );
    Failure::new(FailureKind::Malformed, message)
}
