//! One installation, poll by poll.
//!
//! Everything is read anew each poll; what is kept between polls is since when a listing has been failing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rollcall_engine::reading::{Extent, Failure, FailureKind};

use super::cgi::Cgi;
use super::files::Files;
use super::join;
use super::record::Terms;
use super::told::Told;

/// How it is read.
pub enum Way {
    /// By its JSON CGIs.
    Cgi(Box<Cgi>),
    /// By its files.
    Files(Files),
}

/// One installation, polled.
pub struct NagiosSource {
    way: Way,
    terms: Terms,
    failing: BTreeMap<&'static str, Timestamp>,
}

impl NagiosSource {
    /// A source that has read nothing yet.
    #[must_use]
    pub fn new(way: Way, terms: Terms) -> Self {
        Self { way, terms, failing: BTreeMap::new() }
    }

    /// Reads everything once and tells what is known at `now`, world time. Cannot fail: a failure is what the readings say.
    pub async fn told(&mut self, now: Timestamp) -> Told {
        let mut told = match &self.way {
            Way::Cgi(cgi) => cgi.told(&format!("nagios {}", cgi.host()), &self.terms, now).await,
            Way::Files(files) => by_files(files.clone(), self.terms, now).await,
        };
        self.keep_since(&mut told);
        told
    }

    /// A listing that fails again has been failing since it first did.
    fn keep_since(&mut self, told: &mut Told) {
        let failing = &mut self.failing;
        let mut keep = |listing, extent: &mut Extent| match extent {
            Extent::Failed { since, .. } => *since = *failing.entry(listing).or_insert(*since),
            _ => drop(failing.remove(listing)),
        };
        keep("program", &mut told.program.extent);
        keep("hosts", &mut told.hosts.extent);
        keep("services", &mut told.services.extent);
        keep("downtimes", &mut told.downtimes.extent);
        keep("contacts", &mut told.contacts.extent);
    }
}

/// Files are read on a thread that may block.
async fn by_files(files: Files, terms: Terms, now: Timestamp) -> Told {
    let source: String = format!("nagios {}", files.status.display()).chars().take(160).collect();
    let named = source.clone();
    let reading = tokio::task::spawn_blocking(move || files.told(&named, &terms, now)).await;
    reading.unwrap_or_else(|error| {
        let why = Failure::new(FailureKind::Unreachable, format!("the reader broke down: {error}"));
        join::failed(&source, now, &why)
    })
}
