//! What a handler is given, and the common ways to answer: lists, pages, bodies.

use std::sync::Arc;

use axum::{
    Json,
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, request::Parts},
};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::{Org, Outcome, Refusal, Truth};
use crate::faults::Strike;

/// Bytes of a request's body that are read.
const MAX_BODY: usize = 10 * 1_024 * 1_024;
/// Items of a page, at most and by default (API documentation).
const MAX_PAGE: usize = 100;

/// The JSON of an answer, or the refusal.
pub(super) type Answer = Outcome<Json<Value>>;

/// A call that came through the gate.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) org: Org,
    at: Timestamp,
    strike: Strike,
}

impl Asked {
    pub(super) fn new(org: Org, at: Timestamp, strike: Strike) -> Self {
        Self { org, at, strike }
    }

    /// The truth that this call is told, which may be stale.
    pub(super) fn truth(&self) -> Arc<Truth> {
        self.org.truth_at(self.at)
    }

    /// The time at which it is told, in epoch seconds.
    pub(super) fn now(&self) -> i64 {
        self.at.as_second()
    }

    /// A list under its key, as faults leave it.
    pub(super) fn list<T: Into<Value>>(&self, key: &str, items: impl IntoIterator<Item = T>) -> Json<Value> {
        let mut items: Vec<Value> = items.into_iter().map(Into::into).collect();
        self.strike.distort(&mut items);
        Json(json!({key: items}))
    }

    /// Items that a fault may drop or reorder.
    pub(super) fn distort<T>(&self, items: &mut Vec<T>) {
        self.strike.distort(items);
    }

    /// One page of a list whose items have ids.
    pub(super) fn page(&self, key: &str, all: &[(String, Value)], query: &Query, style: NextId) -> Answer {
        let limit = query.limit()?;
        let start = style.start(all, query.one("nextId").filter(|id| !id.is_empty()));
        let mut items: Vec<_> = all.iter().skip(start).take(limit).map(|(_, item)| item.clone()).collect();
        let more = start + limit < all.len();
        self.strike.distort(&mut items);
        let mut answer = Map::from_iter([(key.to_owned(), Value::from(items))]);
        let next = if self.strike.repeat_page() {
            style.id(all, start)
        } else if self.strike.skip_page() {
            style.id(all, start + 2 * limit)
        } else {
            style.id(all, start + limit).filter(|_| more)
        };
        if let Some(next) = next.filter(|_| !self.strike.empty()) {
            answer.insert("nextId".to_owned(), next.into());
        }
        Ok(Json(Value::Object(answer)))
    }
}

/// What `nextId` stands for.
#[derive(Clone, Copy)]
pub(super) enum NextId {
    /// The first item of the next page (check monitors).
    First,
    /// The last item of this page (alerts and their logs).
    Last,
}

impl NextId {
    fn start(self, all: &[(String, Value)], next: Option<&str>) -> usize {
        let Some(next) = next else { return 0 };
        match self {
            // In order of id, so that a monitor deleted between two pages loses no other.
            NextId::First => all.partition_point(|(id, _)| id.as_str() < next),
            NextId::Last => all.iter().position(|(id, _)| id == next).map_or(all.len(), |at| at + 1),
        }
    }

    /// The `nextId` of a page that begins at `start`.
    fn id(self, all: &[(String, Value)], start: usize) -> Option<String> {
        let at = match self {
            NextId::First => Some(start),
            NextId::Last => start.checked_sub(1),
        };
        all.get(at?).filter(|_| start < all.len()).map(|(id, _)| id.clone())
    }
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        // The gate put it there; without the gate nothing may be answered.
        parts.extensions.get::<Self>().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// The query; parameters may be repeated.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(n, _)| n == name).map(|(_, v)| v.clone()).collect()
    }

    pub(super) fn needed(&self, name: &str) -> Outcome<&str> {
        self.one(name).ok_or_else(|| Refusal::bad(format!("query parameter {name} is missing")))
    }

    pub(super) fn seconds(&self, name: &str) -> Outcome<i64> {
        self.needed(name)?.parse().map_err(|_| Refusal::bad(format!("{name} is not a number of seconds")))
    }

    fn limit(&self) -> Outcome<usize> {
        let Some(limit) = self.one("limit") else { return Ok(MAX_PAGE) };
        let limit = limit.parse().ok().filter(|l| (1..=MAX_PAGE).contains(l));
        limit.ok_or_else(|| Refusal::bad(format!("limit must be from 1 to {MAX_PAGE}")))
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }
}

/// A JSON body, whatever its content type claims.
pub(super) struct Sent<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let too_large = |_| Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "Request body is too large.");
        let body = to_bytes(request.into_body(), MAX_BODY).await.map_err(too_large)?;
        let read = serde_json::from_slice(&body);
        read.map(Sent).map_err(|e| Refusal::bad(format!("Invalid JSON: {e}")))
    }
}

/// `{"success":true}`
pub(super) fn success(done: Outcome<()>) -> Answer {
    done.map(|()| Json(json!({"success": true})))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::WorldClock;

    fn walk(asked: &Asked, all: &[(String, Value)], limit: usize, style: NextId) -> (Vec<Value>, usize) {
        let (mut seen, mut pages, mut next) = (vec![], 0, String::new());
        loop {
            let query = Query(vec![("limit".into(), limit.to_string()), ("nextId".into(), next)]);
            let Json(page) = asked.page("items", all, &query, style).unwrap();
            seen.extend(page["items"].as_array().unwrap().clone());
            pages += 1;
            match page.get("nextId") {
                Some(id) => next = id.as_str().unwrap().to_owned(),
                None => return (seen, pages),
            }
        }
    }

    proptest! {
        /// Whatever the list and the limit, the way from page to page shows every item once, in order.
        #[test]
        fn pages_lose_and_repeat_nothing(count in 0_usize..350, limit in 1_usize..=100) {
            let org = Org::new("acme", WorldClock::frozen_at(Timestamp::UNIX_EPOCH));
            let asked = Asked::new(org, Timestamp::UNIX_EPOCH, Strike::default());
            let all: Vec<_> = (0..count).map(|n| (format!("{n:05}"), Value::from(n))).collect();
            let items: Vec<_> = all.iter().map(|(_, item)| item.clone()).collect();
            for style in [NextId::First, NextId::Last] {
                let (seen, pages) = walk(&asked, &all, limit, style);
                prop_assert_eq!(&seen, &items);
                prop_assert_eq!(pages, count.div_ceil(limit).max(1));
            }
        }
    }
}
