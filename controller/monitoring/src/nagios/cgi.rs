//! Reading by HTTP: `statusjson.cgi` and `objectjson.cgi`, one call after another, for each of them makes the server read
//! all its files. `cmd.cgi` is never called.

mod entries;
mod head;
mod login;
mod objects;
mod refusal;
mod status;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::header::AUTHORIZATION;
use rollcall_engine::reading::{Failure, FailureKind, Gap};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::join;
use super::record::{Gathered, MAX_HOSTS, MAX_OTHERS, MAX_SERVICES, Terms, name};
use super::told::{Program, Told};
use crate::endpoint::Endpoint;
use crate::http::{Get, Http, Patience};
use crate::mackerel::listing::Listing;
use entries::{Entries, Entry};
use head::Head;
pub use login::Login;

/// Hosts or services of one call. Few calls are kinder than small ones: for each list of services the CGI compares every
/// host with every service.
pub const PAGE: usize = 10_000;
/// One answer may be this large, in bytes: some 2 kB for each of a page, and some for odd ones.
const MAX_BODY: usize = 64 * 1_048_576;
/// One answer may take this long.
const TIME: Duration = Duration::from_mins(2);

/// How long one call of the CGIs is worth our while: large installations think for a minute before the first byte.
#[must_use]
pub fn patience() -> Patience {
    Patience { attempt: TIME, attempts: 3, ..Patience::default() }
}

/// Where the login comes from. Asked once at the beginning of each poll, so that a rotated password needs no restart.
#[async_trait]
pub trait LoginSource: Send + Sync {
    /// The login as it is now.
    ///
    /// # Errors
    /// Why there is none: the Secret is missing, or must not be read.
    async fn login(&self) -> Result<Login, Failure>;
}

#[async_trait]
impl LoginSource for Login {
    async fn login(&self) -> Result<Login, Failure> {
        Ok(self.clone())
    }
}

/// The CGIs of one installation.
pub struct Cgi {
    http: Http,
    base: Endpoint,
    logins: Arc<dyn LoginSource>,
    page: usize,
}

/// A list that a CGI gives.
#[derive(Clone, Copy)]
struct List {
    cgi: &'static str,
    query: &'static str,
    /// The key of the list, or of the one thing.
    key: &'static str,
    depth: usize,
}

const PROGRAM: List = List { cgi: "statusjson.cgi", query: "programstatus", key: "programstatus", depth: 0 };
const HOST_COUNT: List = List { cgi: "objectjson.cgi", query: "hostcount", key: "count", depth: 0 };
const SERVICE_COUNT: List = List { query: "servicecount", ..HOST_COUNT };
const HOSTS: List = List { cgi: "objectjson.cgi", query: "hostlist", key: "hostlist", depth: 1 };
const SERVICES: List = List { cgi: "objectjson.cgi", query: "servicelist", key: "servicelist", depth: 2 };
const HOST_STATUS: List = List { cgi: "statusjson.cgi", ..HOSTS };
const SERVICE_STATUS: List = List { cgi: "statusjson.cgi", ..SERVICES };
const DOWNTIMES: List = List { cgi: "statusjson.cgi", query: "downtimelist", key: "downtimelist", depth: 1 };
const CONTACTS: List = List { cgi: "objectjson.cgi", query: "contactlist", key: "contactlist", depth: 1 };

impl Cgi {
    /// The CGIs in the folder `base`, which the rules behind `http` have approved; see [`patience`].
    #[must_use]
    pub fn new(http: Http, base: Endpoint, logins: Arc<dyn LoginSource>) -> Self {
        Self { http, base, logins, page: PAGE }
    }

    /// The same with another size of pages, at least 1.
    #[must_use]
    pub fn paged(self, page: usize) -> Self {
        Self { page: page.max(1), ..self }
    }

    /// Its host, for messages.
    pub(super) fn host(&self) -> &str {
        self.base.host()
    }

    pub(super) async fn told(&self, source: &str, terms: &Terms, now: Timestamp) -> Told {
        match self.gathered(terms, now).await {
            Ok(gathered) => join::told(source, now, terms, gathered),
            Err(why) => join::failed(source, now, &why),
        }
    }

    async fn gathered(&self, terms: &Terms, now: Timestamp) -> Result<Gathered, Failure> {
        let login = self.logins.login().await?;
        let mut session = Session { cgi: self, login, terms: *terms, now, started: None };
        let (mut program, asked, user) = session.program().await?;
        session.started = program.started;

        let mut objects = objects::Reader::new();
        let mut statuses = status::Reader::new(now.saturating_add(terms.max_status_age).unwrap_or(now));
        let hosts = Expected::of(session.count(HOST_COUNT).await, "hosts", MAX_HOSTS);
        let services = Expected::of(session.count(SERVICE_COUNT).await, "services", MAX_SERVICES);
        let end = session.pages(HOSTS, &hosts, |e| objects.host(e)).await;
        end.mark(&mut objects.objects.hosts);
        let end = session.pages(HOST_STATUS, &hosts, |e| statuses.host(e)).await;
        end.mark(&mut statuses.statuses.hosts);
        let end = session.pages(SERVICES, &services, |e| objects.service(e)).await;
        end.mark(&mut objects.objects.services);
        let end = session.pages(SERVICE_STATUS, &services, |e| statuses.service(e)).await;
        end.mark(&mut statuses.statuses.services);
        let cut = session.list(DOWNTIMES, |e| statuses.downtime(e)).await.err();
        statuses.statuses.downtimes.cut = cut;
        let cut = session.list(CONTACTS, |e| objects.contact(e)).await.err();
        objects.objects.contacts.cut = cut;

        if let Some(written) = statuses.written() {
            terms.fresh(written, asked, "last_update of hosts and services")?;
            program.updated = written;
        }
        let mut objects = objects.objects;
        if let Some(doubt) = part_only(&user, &objects.contacts) {
            objects.hosts.gaps.push(doubt.clone());
            objects.services.gaps.push(doubt);
        }
        Ok(Gathered { program, objects, statuses: statuses.statuses, nobody: Some(nobody(&user)) })
    }
}

/// Why a list of no hosts is not believed.
fn nobody(user: &str) -> Failure {
    let message = format!(
        "expected hosts, for Nagios does not run without any, found none: the CGIs show none to the user {user:?}; name it \
         in authorized_for_all_hosts and authorized_for_all_services of cgi.cfg"
    );
    Failure::new(FailureKind::Denied, message)
}

/// To a contact the CGIs may show its own hosts only, as if they were all, and their counts agree. Whoever is no contact and
/// sees any sees all.
fn part_only<T>(user: &str, contacts: &Listing<std::collections::BTreeMap<Arc<str>, T>>) -> Option<Gap> {
    let what = format!("what the user {user:?} may not see");
    if user.is_empty() {
        return None;
    }
    if contacts.seen.contains_key(user) {
        let message = format!(
            "expected a user that is no contact, found {user:?}, which is one and may be shown its own hosts alone; make a \
             user for Rollcall and name it in authorized_for_all_hosts and authorized_for_all_services of cgi.cfg"
        );
        return Some(Gap { what, why: Failure::new(FailureKind::Denied, message) });
    }
    let why = contacts.cut.clone()?;
    Some(Gap { what, why })
}

/// How many there should be.
struct Expected {
    what: &'static str,
    count: Result<usize, Failure>,
    limit: usize,
}

impl Expected {
    fn of(count: Result<usize, Failure>, what: &'static str, limit: usize) -> Self {
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
struct End {
    cut: Option<Failure>,
    gap: Option<Gap>,
}

impl End {
    fn mark<T>(self, listing: &mut Listing<T>) {
        listing.cut = self.cut;
        listing.gaps.extend(self.gap);
    }
}

/// One read.
struct Session<'a> {
    cgi: &'a Cgi,
    login: Login,
    terms: Terms,
    now: Timestamp,
    /// Since when the program runs, once it is known: all answers must be of the same life of it.
    started: Option<Timestamp>,
}

impl Session<'_> {
    /// The program, when it was asked by Nagios' clock, and whom it took us for.
    async fn program(&self) -> Result<(Program, Timestamp, String), Failure> {
        let mut told = Value::Null;
        let head = self.ask(PROGRAM, &[], |entry| keep(entry, &mut told)).await?;
        let missing = |what| {
            Failure::new(
                FailureKind::Malformed,
                format!("{}: expected {what}, found none", self.named(PROGRAM)),
            )
        };
        let updated = head.updated().ok_or_else(|| missing("last_data_update"))?;
        let asked = head.asked().ok_or_else(|| missing("query_time"))?;
        self.terms.fresh(asked, self.now, "the answer's query_time")?;
        // Both by Nagios' clock.
        self.terms.fresh(updated, asked, "last_data_update")?;
        if told.as_object().is_none_or(serde_json::Map::is_empty) {
            return Err(missing("a program status"));
        }
        Ok((status::program(&told, updated), asked, head.user))
    }

    async fn count(&self, list: List) -> Result<usize, Failure> {
        let mut told = Value::Null;
        self.ask(list, &[], |entry| keep(entry, &mut told)).await?;
        told.as_u64().and_then(|count| usize::try_from(count).ok()).ok_or_else(|| {
            let message = format!("{}: expected a number, found something else", self.named(list));
            Failure::new(FailureKind::Malformed, message)
        })
    }

    /// All pages of a list; `take` says whether an entry was new.
    async fn pages(&self, list: List, expected: &Expected, mut take: impl FnMut(&Entry<'_>) -> bool) -> End {
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
    async fn list(&self, list: List, mut take: impl FnMut(&Entry<'_>)) -> Result<(), Failure> {
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
        let mut entries = Entries::of(list.key, list.depth);
        let mut head: Option<Result<Head, Failure>> = None;
        let mut sort = |entry: Entry<'_>| match entry {
            Entry::Head(bytes) => head = Some(Head::parse(bytes)),
            entry => each(&entry),
        };
        let mut end = Ok(());
        while let Some(chunk) = body.next().await.map_err(refused)? {
            end = entries.feed(&chunk, &mut sort);
            if end.is_err() {
                break;
            }
        }
        let end = end.and_then(|()| entries.finish()).map_err(|e| refusal::no_answer(&e));
        // What the head says of an error says more than that the list is missing.
        let told = match (head, end) {
            (Some(Err(why)), _) | (_, Err(why)) => Err(why),
            (Some(Ok(head)), Ok(())) => self.of_this_life(head),
            (None, Ok(())) => Err(Failure::new(FailureKind::Malformed, "expected a result, found none")),
        };
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
fn keep(entry: &Entry<'_>, told: &mut Value) {
    if let Entry::Whole(_, bytes) = entry {
        *told = decoded(bytes).unwrap_or_default();
    }
}

/// JSON as the CGIs write it: output of plugins may hold control characters, which they do not escape.
fn decoded<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    if let Ok(told) = serde_json::from_slice(bytes) {
        return Some(told);
    }
    let text = String::from_utf8_lossy(bytes);
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    serde_json::from_str(&plain).ok()
}

/// A key that may serve as a name.
fn key(escaped: &[u8]) -> Option<String> {
    let text: String = serde_json::from_slice(&[b"\"", escaped, b"\""].concat()).ok()?;
    name(&text)?;
    Some(text)
}
