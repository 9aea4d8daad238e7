//! The calls of Mackerel's API v0 that we make. All of them read.
//!
//! `PUT /hosts/<id>` must never be added here: on an agent's host it can delete checks and cut the link to AWS.

use bytes::Bytes;
use reqwest::header::HeaderName;
use rollcall_engine::ids::RegistrationId;
use rollcall_engine::reading::{Failure, FailureKind};
use rollcall_engine::registry::{Channel, NotificationGroup, Registration};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

use super::checks::{Page, Status};
use super::elements::{Element, Elements};
use super::hosts::Hosts;
use super::key::ApiKey;
use super::listing::Listing;
use super::metrics::{self, Latest, METRICS};
use super::monitors::{self, Monitors, RawMonitor};
use super::notifications;
use super::refusal::{failure, says_absent};
use super::services;
use crate::Answer;
use crate::endpoint::Endpoint;
use crate::http::{CallError, Get, Http};

/// The list of hosts has no pages; it may be this large, in bytes.
pub const MAX_HOSTS_BODY: usize = 256 * 1_048_576;
/// Any other answer may be this large, in bytes.
const MAX_BODY: usize = 16 * 1_048_576;
/// The list of hosts may take this long: tens of megabytes on a slow line.
const HOSTS_TIME: Duration = Duration::from_mins(2);
/// Checks of one page: the documented maximum.
const PAGE: &str = "100";
const KEY_HEADER: HeaderName = HeaderName::from_static("x-api-key");

/// The client of one endpoint.
pub struct Client {
    http: Http,
    endpoint: Endpoint,
}

/// The organisation that a key opens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Org {
    /// Its name, unique in Mackerel.
    pub name: String,
    /// The name people gave it.
    #[serde(default)]
    pub display_name: Option<String>,
}

impl Client {
    /// A client of `endpoint`, which the rules behind `http` have approved.
    #[must_use]
    pub fn new(http: Http, endpoint: Endpoint) -> Self {
        Self { http, endpoint }
    }

    /// Where it calls.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Calls with this key.
    #[must_use]
    pub fn with(&self, key: ApiKey) -> Session<'_> {
        Session { client: self, key }
    }
}

/// A client with a key in its hand.
pub struct Session<'a> {
    client: &'a Client,
    key: ApiKey,
}

impl Session<'_> {
    /// `GET /org`: the cheapest proof that the key works.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn org(&self) -> Result<Org, Failure> {
        let get = self.ask(&["org"], &[]);
        let body = self.get(&get).await?;
        serde_json::from_slice(&body)
            .map_err(|_| self.malformed(&get, "expected an organisation with a name"))
    }

    /// `GET /hosts` in all four statuses: without them maintenance and poweroff are hidden, which are the very hosts
    /// that need attention.
    pub(super) async fn hosts(&self) -> Listing<Vec<Registration>> {
        let statuses = ["working", "standby", "maintenance", "poweroff"].map(|s| ("status", s));
        let mut get = self.ask(&["hosts"], &statuses);
        get.limit = MAX_HOSTS_BODY;
        get.time = HOSTS_TIME.max(get.time);
        let mut hosts = Hosts::new();
        let cut = self.stream_hosts(&get, &mut hosts).await.err();
        Listing { cut, ..hosts.listing() }
    }

    async fn stream_hosts(&self, get: &Get, hosts: &mut Hosts) -> Result<(), Failure> {
        let mut elements = Elements::of("hosts");
        let mut body = self.client.http.open(get).await.map_err(|e| self.failure(get, &e))?;
        while let Some(chunk) = body.next().await.map_err(|e| self.failure(get, &e))? {
            let fed = elements.feed(&chunk, |element| hosts.take(&element));
            fed.map_err(|e| self.malformed(get, &e.to_string()))?;
            if hosts.is_full() {
                return Err(self.failure(get, &CallError::TooLarge { limit: super::MAX_HOSTS }));
            }
        }
        elements.finish().map_err(|e| self.malformed(get, &e.to_string()))
    }

    /// `GET /hosts/<id>`: does it exist and is it not retired?
    pub(super) async fn host_lives(&self, id: &str) -> Answer<bool> {
        let get = self.ask(&["hosts", id], &[]);
        self.one(&get, |document| Some(!document.get("host")?.get("isRetired")?.as_bool()?)).await
    }

    /// `GET /services`: one call tells every role.
    pub(super) async fn services(&self) -> Listing<BTreeMap<String, Vec<String>>> {
        self.list(&["services"], "services", services::take).await
    }

    /// `GET /services/<s>/roles`: does the service exist?
    pub(super) async fn service_lives(&self, name: &str) -> Answer<bool> {
        let get = self.ask(&["services", name, "roles"], &[]);
        self.one(&get, |document| document.get("roles")?.is_array().then_some(true)).await
    }

    pub(super) async fn monitor_list(&self) -> Listing<Monitors> {
        self.list(&["monitors"], "monitors", monitors::take).await
    }

    /// `GET /monitors` as told, every field kept.
    ///
    /// # Errors
    /// When the list cannot be read to its end, or one of it is no object with an id: a list to be written back must
    /// be whole.
    pub async fn monitors(&self) -> Result<Vec<RawMonitor>, Failure> {
        let mut listing = self.monitor_list().await;
        if let Some(why) = listing.cut.take() {
            return Err(why);
        }
        if listing.elements != listing.seen.raw.len() {
            return Err(self.malformed(&self.ask(&["monitors"], &[]), "expected monitors with an id each"));
        }
        Ok(listing.seen.raw)
    }

    /// `GET /notification-groups`.
    pub(super) async fn notification_groups(&self) -> Listing<Vec<NotificationGroup>> {
        self.list(&["notification-groups"], "notificationGroups", notifications::take_group).await
    }

    /// `GET /channels`.
    pub(super) async fn channels(&self) -> Listing<Vec<Channel>> {
        self.list(&["channels"], "channels", notifications::take_channel).await
    }

    /// `GET /monitors/<id>`: does it exist?
    pub(super) async fn monitor_lives(&self, id: &str) -> Answer<bool> {
        let get = self.ask(&["monitors", id], &[]);
        self.one(&get, |document| document.get("monitor")?.is_object().then_some(true)).await
    }

    /// `GET /monitoring/checks`, one page. Absent where the server does not have it (before July 2026): whoever answers
    /// 404 here, the names of checks cannot be learnt.
    pub(super) async fn checks_page(&self, next: Option<&str>) -> Answer<Page> {
        let limit = ("limit", PAGE);
        let get = match next {
            Some(next) => self.ask(&["monitoring", "checks"], &[limit, ("nextId", next)]),
            None => self.ask(&["monitoring", "checks"], &[limit]),
        };
        match self.client.http.get(&get).await {
            Ok(body) => match Page::parse(&body) {
                Ok(page) => Answer::Present(page),
                Err(what) => Answer::Unknown(self.malformed(&get, what)),
            },
            Err(CallError::Status { status: 404, .. }) => Answer::Absent,
            Err(error) => Answer::Unknown(self.failure(&get, &error)),
        }
    }

    /// `GET /hosts/<id>/monitored-statuses`.
    pub(super) async fn statuses(&self, id: &RegistrationId) -> Answer<Vec<Status>> {
        let get = self.ask(&["hosts", id.as_str(), "monitored-statuses"], &[]);
        match self.client.http.get(&get).await {
            Ok(body) => {
                let mut statuses = vec![];
                match cut_up(&body, "monitoredStatuses", |element| statuses.push(Status::parse(element))) {
                    Ok(()) => Answer::Present(statuses),
                    Err(what) => Answer::Unknown(self.malformed(&get, &what)),
                }
            }
            Err(error) if says_absent(&error) => Answer::Absent,
            Err(error) => Answer::Unknown(self.failure(&get, &error)),
        }
    }

    /// `GET /tsdb/latest` of at most [`metrics::HOSTS_PER_CALL`] hosts.
    pub(super) async fn latest(&self, hosts: &[RegistrationId]) -> Result<Latest, Failure> {
        let hosts = hosts.iter().map(|id| ("hostId", id.as_str()));
        let query: Vec<_> = hosts.chain(METRICS.map(|name| ("name", name))).collect();
        metrics::parse(&self.get(&self.ask(&["tsdb", "latest"], &query)).await?)
    }

    /// A small list: read whole, then element by element.
    async fn list<T: Default>(
        &self,
        path: &[&str],
        name: &'static str,
        take: impl Fn(&mut Listing<T>, &Element<'_>),
    ) -> Listing<T> {
        let get = self.ask(path, &[]);
        let body = match self.get(&get).await {
            Ok(body) => body,
            Err(why) => return Listing::failed(why),
        };
        let mut listing = Listing::empty();
        let cut = cut_up(&body, name, |element| take(&mut listing, &element));
        listing.cut = cut.err().map(|what| self.malformed(&get, &what));
        listing
    }

    /// One thing by its id: what `read` finds in it, Mackerel's own 404, or unknown.
    async fn one(&self, get: &Get, read: impl FnOnce(&Value) -> Option<bool>) -> Answer<bool> {
        let found = match self.client.http.get(get).await {
            Ok(body) => serde_json::from_slice(&body).ok().and_then(|document| read(&document)),
            Err(error) if says_absent(&error) => return Answer::Absent,
            Err(error) => return Answer::Unknown(self.failure(get, &error)),
        };
        found.map_or_else(|| Answer::Unknown(self.malformed(get, "found another document")), Answer::Present)
    }

    async fn get(&self, get: &Get) -> Result<Bytes, Failure> {
        self.client.http.get(get).await.map_err(|error| self.failure(get, &error))
    }

    fn ask(&self, path: &[&str], query: &[(&str, &str)]) -> Get {
        let mut url = self.client.endpoint.at(&[&["api", "v0"], path].concat());
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let secret = (KEY_HEADER, self.key.header());
        Get { url, secret, limit: MAX_BODY, time: self.client.http.attempt_time() }
    }

    fn failure(&self, get: &Get, error: &CallError) -> Failure {
        failure(&named(get), error, &self.key)
    }

    fn malformed(&self, get: &Get, what: &str) -> Failure {
        Failure::new(FailureKind::Malformed, self.key.removed_from(&format!("{}: {what}", named(get))))
    }
}

/// The call as people would name it: without its query, which lists a hundred hosts.
fn named(get: &Get) -> String {
    format!("GET {} of {}", get.url.path(), get.url.host_str().unwrap_or_default())
}

/// Tells each element of the list that a whole document holds.
pub(super) fn cut_up(
    body: &[u8],
    list: &'static str,
    mut each: impl FnMut(Element<'_>),
) -> Result<(), String> {
    let mut elements = Elements::of(list);
    elements.feed(body, &mut each).and_then(|()| elements.finish()).map_err(|e| e.to_string())
}
