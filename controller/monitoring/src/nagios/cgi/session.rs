//! The calls of one read, one after another, and what must hold between them: one program, one life of it, pages without
//! repetition, and as many entries as are counted.

use jiff::Timestamp;
use reqwest::header::AUTHORIZATION;
use rollcall_engine::reading::{Failure, FailureKind, Gap};
use serde_json::Value;

use super::answer::Answer;
use super::entries::Entry;
use super::head::Head;
use super::{Cgi, Login, TIME, decoded, refusal, status};
use crate::http::Get;
use crate::mackerel::listing::Listing;
use crate::nagios::record::{MAX_OTHERS, Terms};
use crate::nagios::told::Program;

/// One answer may be this large, in bytes: 1.6 kB for each of a page, and some for long output.
const MAX_BODY: usize = 256 * 1_048_576;

/// A list that a CGI gives.
#[derive(Clone, Copy)]
pub(super) struct List {
    cgi: &'static str,
    query: &'static str,
    /// The key of the list, or of the one thing.
    pub(super) key: &'static str,
    pub(super) depth: usize,
}

pub(super) const PROGRAM: List =
    List { cgi: "statusjson.cgi", query: "programstatus", key: "programstatus", depth: 0 };
pub(super) const HOST_COUNT: List =
    List { cgi: "objectjson.cgi", query: "hostcount", key: "count", depth: 0 };
pub(super) const SERVICE_COUNT: List = List { query: "servicecount", ..HOST_COUNT };
pub(super) const HOSTS: List = List { cgi: "objectjson.cgi", query: "hostlist", key: "hostlist", depth: 1 };
pub(super) const SERVICES: List =
    List { cgi: "objectjson.cgi", query: "servicelist", key: "servicelist", depth: 2 };
pub(super) const HOST_STATUS: List = List { cgi: "statusjson.cgi", ..HOSTS };
pub(super) const SERVICE_STATUS: List = List { cgi: "statusjson.cgi", ..SERVICES };
pub(super) const DOWNTIMES: List =
    List { cgi: "statusjson.cgi", query: "downtimelist", key: "downtimelist", depth: 1 };
pub(super) const CONTACTS: List =
    List { cgi: "objectjson.cgi", query: "contactlist", key: "contactlist", depth: 1 };

/// How many there should be.
pub(super) struct Expected {
    what: &'static str,
    count: Result<usize, Failure>,
    limit: usize,
}

impl Expected {
    pub(super) fn of(count: Result<usize, Failure>, what: &'static str, limit: usize) -> Self {
        Self { what, count, limit }
    }

    /// Why the list is not even asked for, or not any further.
    fn too_many(&self, found: usize) -> Option<Failure> {
        let found = self.count.as_ref().map_or(found, |count| found.max(*count));
        let message = format!("expected at most {} {}, found {found}", self.limit, self.what);
        (found > self.limit).then(|| Failure::new(FailureKind::TooLarge, message))
    }

    /// What is missing from a list of `found`.
    fn gap(&self, found: usize) -> Option<Gap> {
        let what = format!("whether these are all {}", self.what);
        match &self.count {
            Ok(count) if *count == found => None,
            Ok(count) => {
                let message = format!("expected {count} {} as Nagios counts them, found {found}", self.what);
                Some(Gap { what, why: Failure::new(FailureKind::Malformed, message) })
            }
            Err(why) => Some(Gap { what, why: why.clone() }),
        }
    }
}

/// How the pages of a list ended.
pub(super) struct End {
    cut: Option<Failure>,
    gap: Option<Gap>,
}

impl End {
    pub(super) fn mark<T>(self, listing: &mut Listing<T>) {
        listing.cut = self.cut;
        listing.gaps.extend(self.gap);
    }
}

/// One read.
pub(super) struct Session<'a> {
    cgi: &'a Cgi,
    login: Login,
    terms: Terms,
    now: Timestamp,
    /// Since when the program has been running, once it is known: all answers must be of the same life of it.
    started: Option<Timestamp>,
}

/// What the first call told.
pub(super) struct Begun {
    pub(super) program: Program,
    /// When it was asked, by Nagios' clock.
    pub(super) asked: Timestamp,
    /// Whom it took us for; empty: nobody.
    pub(super) user: String,
}

impl<'a> Session<'a> {
    /// Asks for the program, which must be alive.
    pub(super) async fn begin(
        cgi: &'a Cgi,
        login: Login,
        terms: Terms,
        now: Timestamp,
    ) -> Result<(Self, Begun), Failure> {
        let mut session = Self { cgi, login, terms, now, started: None };
        let begun = session.program().await?;
        session.started = begun.program.started;
        Ok((session, begun))
    }

    async fn program(&self) -> Result<Begun, Failure> {
        let mut told = Value::Null;
        let head = self.ask(PROGRAM, &[], |entry| keep(entry, &mut told)).await?;
        let named = self.named(PROGRAM);
        let missing =
            |what| Failure::new(FailureKind::Malformed, format!("{named}: expected {what}, found none"));
        let updated = head.updated().ok_or_else(|| missing("last_data_update"))?;
        let asked = head.asked().ok_or_else(|| missing("query_time"))?;
        self.terms.fresh(asked, self.now, "the answer's query_time")?;
        // Both by Nagios' clock.
        self.terms.fresh(updated, asked, "last_data_update")?;
        if told.as_object().is_none_or(serde_json::Map::is_empty) {
            return Err(missing("a program status"));
        }
        Ok(Begun { program: status::program(&told, updated), asked, user: head.user })
    }

    pub(super) async fn count(&self, list: List) -> Result<usize, Failure> {
        let mut told = Value::Null;
        self.ask(list, &[], |entry| keep(entry, &mut told)).await?;
        told.as_u64().and_then(|count| usize::try_from(count).ok()).ok_or_else(|| {
            let message = format!("{}: expected a number, found something else", self.named(list));
            Failure::new(FailureKind::Malformed, message)
        })
    }

    /// All pages of a list; `take` says whether an entry was new.
    pub(super) async fn pages(
        &self,
        list: List,
        expected: &Expected,
        mut take: impl FnMut(&Entry<'_>) -> bool,
    ) -> End {
        let mut found = 0;
        let cut = loop {
            if let Some(why) = expected.too_many(found) {
                break Some(why);
            }
            let (mut page, mut repeats) = (0, false);
            let (start, count) = (found.to_string(), self.cgi.page.to_string());
            let query = [("details", "true"), ("start", &start), ("count", &count)];
            let each = |entry: &Entry<'_>| {
                page += 1;
                repeats |= !take(entry);
            };
            if let Err(why) = self.ask(list, &query, each).await {
                break Some(why);
            }
            found += page;
            if repeats {
                let message =
                    format!("{}: expected the page from {start} on, found one again", self.named(list));
                break Some(Failure::new(FailureKind::Malformed, message));
            }
            if page < self.cgi.page {
                break None;
            }
        };
        let gap = if cut.is_none() { expected.gap(found) } else { None };
        End { cut, gap }
    }

    /// A list that has no pages.
    pub(super) async fn list(&self, list: List, mut take: impl FnMut(&Entry<'_>)) -> Result<(), Failure> {
        let mut found = 0;
        self.ask(list, &[("details", "true")], |entry| {
            found += 1;
            if found <= MAX_OTHERS {
                take(entry);
            }
        })
        .await?;
        let message = format!("{}: expected at most {MAX_OTHERS}, found {found}", self.named(list));
        if found > MAX_OTHERS { Err(Failure::new(FailureKind::TooLarge, message)) } else { Ok(()) }
    }

    /// One call. Entries are told as they come, the head when all of it was well.
    async fn ask(
        &self,
        list: List,
        query: &[(&str, &str)],
        mut each: impl FnMut(&Entry<'_>),
    ) -> Result<Head, Failure> {
        let mut url = self.cgi.base.at(&[list.cgi]);
        url.query_pairs_mut().append_pair("query", list.query).extend_pairs(query);
        let secret = (AUTHORIZATION, self.login.header());
        let get = Get { url, secret, limit: MAX_BODY, time: TIME };
        let named = self.named(list);
        let refused = |error| refusal::failure(&named, &error, &self.login);
        let mut body = self.cgi.http.open(&get).await.map_err(refused)?;
        let mut answer = Answer::with(list.key, list.depth);
        while let Some(chunk) = body.next().await.map_err(refused)? {
            if !answer.take(&chunk, &mut each) {
                break;
            }
        }
        let told = answer.over().and_then(|head| self.of_this_life(head));
        told.map_err(|why| {
            Failure::new(why.kind, self.login.removed_from(&format!("{named}: {}", why.message)))
        })
    }

    /// The head, when its answer is of now and of the program that we began with.
    fn of_this_life(&self, head: Head) -> Result<Head, Failure> {
        if let Some(asked) = head.asked().filter(|asked| *asked < self.now) {
            self.terms.fresh(asked, self.now, "the answer's query_time")?;
        }
        match (self.started, head.started()) {
            (Some(began), Some(begins)) if began != begins => Err(Failure::new(
                FailureKind::Malformed,
                format!(
                    "expected answers of the program started at {began}, found one of {begins}: it was restarted meanwhile; \
                     the next poll heals this"
                ),
            )),
            _ => Ok(head),
        }
    }

    /// The call as people would name it.
    fn named(&self, list: List) -> String {
        format!("{} {} of {}", list.cgi, list.query, self.cgi.host())
    }
}

/// Keeps the one thing that an answer tells.
pub(super) fn keep(entry: &Entry<'_>, told: &mut Value) {
    if let Entry::Whole(_, bytes) = entry {
        *told = decoded(bytes).unwrap_or_default();
    }
}
