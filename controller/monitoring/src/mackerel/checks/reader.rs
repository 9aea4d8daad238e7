//! Which checks each host runs, asked host by host: the never asked first, then the longest ago.
//!
//! What was read of a host stands until it is read again, at most
//! [`CHECK_PROOF_MAX_AGE`]. A failed attempt leaves it standing: it says
//! nothing new about the host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rollcall_engine::ids::{CheckName, RegistrationId};
use rollcall_engine::limits::CHECK_PROOF_MAX_AGE;
use rollcall_engine::reading::{Extent, Failure, FailureKind, Gap, Reading};
use tokio::time::Instant;

use super::super::client::Session;
use super::Status;
use super::budget::Budget;
use super::directory::Directory;
use crate::Answer;

/// A host is not asked again sooner than this.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// Machine time that one round may take: the other listings of the poll wait for it.
const ROUND: Duration = Duration::from_secs(30);
/// After so many failures in a row the round ends: it is not about one host.
const GIVE_UP_AFTER: usize = 3;

/// Reads names of checks within a budget of calls per minute.
#[derive(Debug)]
pub struct CheckReader {
    hosts: BTreeMap<RegistrationId, HostChecks>,
    directory: Directory,
    budget: Budget,
    listings: u64,
}

/// What is known of one host.
#[derive(Debug, Default)]
struct HostChecks {
    /// The listing that first showed it: the newest hosts are asked first.
    listing: u64,
    /// When it could first have been asked.
    waiting_since: Option<Timestamp>,
    attempted: Option<Timestamp>,
    held: Option<Held>,
    failing: Option<(Timestamp, Arc<Failure>)>,
}

/// What was read of one host.
#[derive(Debug)]
struct Held {
    at: Timestamp,
    names: Vec<CheckName>,
    /// Statuses of all kinds.
    statuses: usize,
    /// Checks without a name, and statuses that may be checks.
    unnamed: usize,
}

impl CheckReader {
    /// A reader that spends at most so many calls a minute, in world time.
    #[must_use]
    pub fn new(calls_per_minute: u32) -> Self {
        Self {
            hosts: BTreeMap::new(),
            directory: Directory::default(),
            budget: Budget::per_minute(calls_per_minute),
            listings: 0,
        }
    }

    /// The hosts there are now. New ones are asked first; those that left are forgotten.
    pub(in super::super) fn know(&mut self, listed: &BTreeSet<RegistrationId>) {
        self.listings += 1;
        self.hosts.retain(|id, _| listed.contains(id));
        for id in listed {
            let listing = self.listings;
            self.hosts.entry(id.clone()).or_insert_with(|| HostChecks { listing, ..HostChecks::default() });
        }
    }

    /// Spends what the budget has.
    pub(in super::super) async fn read(&mut self, session: &Session<'_>, now: Timestamp) {
        let until = Instant::now() + ROUND;
        for host in self.hosts.values_mut() {
            host.waiting_since.get_or_insert(now);
        }
        self.budget.refill(now);
        let unnamed = self.hosts.values().any(|h| h.held.as_ref().is_some_and(|held| held.unnamed > 0));
        self.directory.advance(session, &mut self.budget, now, unnamed).await;
        if !self.directory.is_usable() {
            return;
        }
        let mut failures = 0;
        for id in self.due(now) {
            if failures == GIVE_UP_AFTER || Instant::now() >= until || !self.budget.spend() {
                return;
            }
            let answer = session.statuses(&id).await;
            failures = if self.take(&id, answer, now) { failures + 1 } else { 0 };
        }
    }

    /// What is known of each host that was asked, at `now`.
    #[must_use]
    pub fn readings(&self, now: Timestamp) -> BTreeMap<RegistrationId, Reading<Vec<CheckName>>> {
        let reading = |(id, host): (&RegistrationId, &HostChecks)| {
            let source = format!("mackerel checks of host {id}");
            let reading = match (&host.held, self.why_not(host)) {
                (Some(held), _) if is_fresh(held, now) => self.held(source, held),
                (_, Some((since, why))) => Reading::failed(source, since, why),
                // Whoever holds an earlier proof must not hold it for ever because our calls do not suffice.
                _ => match host.waiting_since {
                    Some(since) if now.duration_since(since) > CHECK_PROOF_MAX_AGE => {
                        Reading::failed(source, since, not_reached())
                    }
                    _ => return None,
                },
            };
            Some((id.clone(), reading))
        };
        self.hosts.iter().filter_map(reading).collect()
    }

    /// Hosts to ask now, in order, no more than can be afforded.
    fn due(&self, now: Timestamp) -> Vec<RegistrationId> {
        let rests = |at: Timestamp| {
            let age = now.duration_since(at);
            !age.is_negative() && age < AGAIN_AFTER
        };
        let mut due: Vec<_> = self.hosts.iter().filter(|(_, h)| !h.attempted.is_some_and(rests)).collect();
        due.sort_by_key(|(id, h)| (h.attempted, std::cmp::Reverse(h.listing), *id));
        let affordable = usize::try_from(self.budget.calls()).unwrap_or_default();
        due.into_iter().take(affordable).map(|(id, _)| id.clone()).collect()
    }

    /// Takes what was said of a host; true when it failed as it may fail for every host.
    fn take(&mut self, id: &RegistrationId, answer: Answer<Vec<Status>>, now: Timestamp) -> bool {
        let Some(host) = self.hosts.get_mut(id) else { return false };
        host.attempted = Some(now);
        let had = host.held.as_ref().filter(|held| is_fresh(held, now)).map_or(0, |held| held.statuses);
        let (why, of_all) = match answer {
            // An answer that lost its content looks just so. What it contradicts is believed until it is too old.
            Answer::Present(statuses) if statuses.is_empty() && had > 0 => (emptied(id, had), false),
            Answer::Present(statuses) => {
                host.held = Some(Held::of(&statuses, &self.directory, now));
                host.failing = None;
                return false;
            }
            Answer::Absent => (not_there(id), false),
            Answer::Unknown(why) => (why, true),
        };
        let since = host.failing.take().map_or(now, |(since, _)| since);
        host.failing = Some((since, Arc::new(why)));
        of_all
    }

    fn why_not(&self, host: &HostChecks) -> Option<(Timestamp, Failure)> {
        let own = host.failing.as_ref().map(|(since, why)| (*since, Failure::clone(why)));
        let of_all = || self.directory.trouble().filter(|_| !self.directory.is_usable()).cloned();
        own.or_else(of_all)
    }

    fn held(&self, source: String, held: &Held) -> Reading<Vec<CheckName>> {
        let mut reading = Reading::complete_at(source, held.at, held.names.clone());
        if held.unnamed > 0 {
            let why = self.directory.trouble().map_or_else(without_name, |(_, why)| why.clone());
            let gap = Gap { what: format!("names of {} checks", held.unnamed), why };
            reading.extent = Extent::Partial { at: held.at, missing: vec![gap] };
        }
        reading
    }
}

impl Held {
    fn of(statuses: &[Status], directory: &Directory, at: Timestamp) -> Self {
        let (mut names, mut unnamed) = (vec![], 0);
        for status in statuses {
            match status {
                Status::Other => {}
                Status::Odd => unnamed += 1,
                Status::Plain(id) => names.extend(directory.name(id).cloned()),
                Status::Check(id) => match directory.name(id) {
                    Some(name) => names.push(name.clone()),
                    None => unnamed += 1,
                },
            }
        }
        names.sort_unstable();
        names.dedup();
        names.shrink_to_fit();
        Self { at, names, statuses: statuses.len(), unnamed }
    }
}

fn is_fresh(held: &Held, now: Timestamp) -> bool {
    now.duration_since(held.at) <= CHECK_PROOF_MAX_AGE
}

fn emptied(id: &RegistrationId, had: usize) -> Failure {
    let message = format!(
        "monitored statuses of host {id}: found none, where there were {had} before; believed when those are {} hours old",
        CHECK_PROOF_MAX_AGE.as_hours()
    );
    Failure::new(FailureKind::Malformed, message)
}

fn not_reached() -> Failure {
    let message = format!(
        "not asked within {} hours: so many hosts need more calls a minute than are allowed",
        CHECK_PROOF_MAX_AGE.as_hours()
    );
    Failure::new(FailureKind::Throttled, message)
}

fn not_there(id: &RegistrationId) -> Failure {
    let message =
        format!("monitored statuses of host {id}: found 404 for a host that is listed; it may be retiring");
    Failure::new(FailureKind::Malformed, message)
}

fn without_name() -> Failure {
    Failure::new(FailureKind::Malformed, "GET /api/v0/monitoring/checks does not name them, perhaps not yet")
}
