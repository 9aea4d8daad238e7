//! Reading by HTTP: `statusjson.cgi` and `objectjson.cgi`, one call after another, for each of them makes the server read
//! all its files. `cmd.cgi` is never called.

mod answer;
#[cfg(feature = "answers")]
pub mod answers;
mod entries;
mod head;
mod login;
mod objects;
mod refusal;
mod session;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_engine::reading::{Failure, FailureKind, Gap};
use serde::de::DeserializeOwned;

use super::join;
use super::record::{Gathered, MAX_HOSTS, MAX_SERVICES, Terms, name};
use super::told::{Contact, Told};
use crate::endpoint::Endpoint;
use crate::http::{Http, Patience};
use crate::mackerel::listing::Listing;
pub use login::Login;
use session::{
    CONTACTS, DOWNTIMES, Expected, HOST_COUNT, HOST_STATUS, HOSTS, SERVICE_COUNT, SERVICE_STATUS, SERVICES,
    Session,
};

/// Hosts or services of one call. Nearly always all of them: each call makes the CGI read all its files, and for services
/// compare every host with every service, which takes a minute of its processor for 20,000 hosts with 3 services each,
/// however few it then tells.
pub const PAGE: usize = 100_000;
/// One answer may take this long.
const TIME: Duration = Duration::from_mins(5);

/// How long one call of the CGIs is worth our while: large installations think for minutes before the first byte.
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
        let (session, begun) = Session::begin(self, login, *terms, now).await?;
        let session::Begun { mut program, asked, user } = begun;

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
fn part_only(user: &str, contacts: &Listing<BTreeMap<Arc<str>, Contact>>) -> Option<Gap> {
    let doubted = |why| Some(Gap { what: format!("what the user {user:?} may not see"), why });
    if user.is_empty() {
        // Nobody asked for a name, so everybody sees all; or somebody did, and then there are no hosts.
        return None;
    }
    if contacts.seen.contains_key(user) {
        let message = format!(
            "expected a user that is no contact, found {user:?}, which is one and may be shown its own hosts alone; make a \
             user for Rollcall and name it in authorized_for_all_hosts and authorized_for_all_services of cgi.cfg"
        );
        return doubted(Failure::new(FailureKind::Denied, message));
    }
    if contacts.cut.is_none() && !contacts.odd.is_empty() {
        let message =
            format!("expected all contacts, to see that {user:?} is none, found some that cannot be read");
        return doubted(Failure::new(FailureKind::Malformed, message));
    }
    doubted(contacts.cut.clone()?)
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
