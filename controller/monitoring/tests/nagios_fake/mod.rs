//! A fake of the JSON CGIs: it pages as the real ones do, and any answer of it can be another one.

#![allow(dead_code)] // Each test binary uses its part.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, Request};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use rollcall_fakes::server::{Running, serve};
use rollcall_monitoring::endpoint::SystemLookup;
use rollcall_monitoring::http::Http;
use rollcall_monitoring::nagios::{Cgi, Login, NagiosSource, Terms, Told, Way};
use serde_json::{Value, json};

use crate::common;

pub const STARTED: i64 = 1_795_403_906;
pub const UPDATED: i64 = 1_795_403_915;

pub fn now() -> Timestamp {
    Timestamp::from_second(UPDATED + 1).unwrap()
}

pub fn terms() -> Terms {
    Terms { interval_length: SignedDuration::from_secs(1), ..Terms::default() }
}

/// What the fake would answer, by `cgi query`: the list under `data`.
pub type Lists = BTreeMap<&'static str, Value>;
/// Changes an answer: the call as `cgi query start`, and what it would be.
pub type Tamper = Arc<dyn Fn(&str, Value) -> Response + Send + Sync>;

pub fn fixture(text: &str, list: &str) -> Value {
    serde_json::from_str::<Value>(text).unwrap()["data"][list].clone()
}

/// The installation of the fixtures: two hosts, three services.
pub fn lists() -> Lists {
    let hosts = include_str!("../fixtures/nagios/statusjson-hostlist-enumerate.json");
    // Taken with names of states for people; without that option they are bits.
    let hosts = hosts.replace(r#""status": "up""#, r#""status": 2"#).replace(r#""active""#, "0");
    let program = json!({"version": "4.4.6", "program_start": STARTED * 1_000, "enable_notifications": false,
        "execute_service_checks": true, "accept_passive_service_checks": true, "execute_host_checks": true,
        "accept_passive_host_checks": true});
    let contact = json!({"name": "oncall", "host_notifications_enabled": true, "service_notifications_enabled": true,
        "host_notification_options": 7, "service_notification_options": 15});
    let services = include_str!("../fixtures/nagios/objectjson-servicelist-details.json");
    let states = include_str!("../fixtures/nagios/statusjson-servicelist-details.json");
    let downtimes = include_str!("../fixtures/nagios/statusjson-downtimelist.json");
    BTreeMap::from([
        ("statusjson programstatus", program),
        ("objectjson hostcount", json!(2)),
        ("objectjson servicecount", json!(3)),
        (
            "objectjson hostlist",
            fixture(include_str!("../fixtures/nagios/objectjson-hostlist-details.json"), "hostlist"),
        ),
        ("objectjson servicelist", fixture(services, "servicelist")),
        ("objectjson contactlist", json!({"oncall": contact})),
        ("statusjson hostlist", fixture(&hosts, "hostlist")),
        ("statusjson servicelist", fixture(states, "servicelist")),
        ("statusjson downtimelist", fixture(downtimes, "downtimelist")),
    ])
}

/// A page of a list of hosts, or of hosts with services; hosts whose services are on other pages are there and empty, as in
/// the real one.
pub fn page(list: &Value, query: &BTreeMap<String, String>, services: bool) -> Value {
    let number = |key: &str| query[key].parse::<usize>().unwrap();
    let (start, count) = (number("start"), number("count"));
    let mut at = 0;
    let mut pass = || {
        at += 1;
        (start..start + count).contains(&(at - 1))
    };
    let page = list.as_object().unwrap().iter().filter_map(|(host, entry)| {
        if !services {
            return pass().then(|| (host.clone(), entry.clone()));
        }
        let entries = entry.as_object().unwrap().iter().filter(|_| pass());
        Some((
            host.clone(),
            Value::Object(entries.map(|(name, entry)| (name.clone(), entry.clone())).collect()),
        ))
    });
    Value::Object(page.collect())
}

pub fn head(user: &str) -> Value {
    json!({"query_time": now().as_millisecond(), "user": user, "type_code": 0, "type_text": "Success", "message": "",
        "program_start": STARTED * 1_000, "last_data_update": UPDATED * 1_000})
}

/// A server with the lists of an installation.
pub struct Fake {
    running: Running,
    pub calls: Arc<Mutex<Vec<String>>>,
}

pub async fn fake(lists: Lists, tamper: Tamper) -> Fake {
    let lists = Arc::new(lists);
    let calls = Arc::new(Mutex::new(vec![]));
    let kept = calls.clone();
    let router = Router::new().fallback(move |Query(query): Query<BTreeMap<String, String>>, request: Request| {
        let cgi = request.uri().path().trim_start_matches("/cgi-bin/").trim_end_matches(".cgi").to_owned();
        assert_eq!(request.headers()["authorization"], "Basic cm9sbGNhbGw6czNjcmV0");
        let list = format!("{cgi} {}", query["query"]);
        kept.lock().unwrap().push(list.clone());
        let key = if query["query"].ends_with("count") { "count" } else { query["query"].as_str() };
        let told = match key {
            "hostlist" => page(&lists[&*list], &query, false),
            "servicelist" => page(&lists[&*list], &query, true),
            _ => lists[&*list].clone(),
        };
        let start = query.get("start").map(String::as_str).unwrap_or_default();
        let answer = tamper(&format!("{list} {start}"), json!({"format_version": 0, "result": head("rollcall"), "data": {"selectors": {}, key: told}}));
        async move { answer }
    });
    Fake { running: serve(router).await.unwrap(), calls }
}

pub fn as_it_is() -> Tamper {
    Arc::new(|_, answer| answer.to_string().into_response())
}

/// Changes the answers of one call, and leaves the others.
pub fn instead(call: &'static str, with: impl Fn(Value) -> Response + Send + Sync + 'static) -> Tamper {
    Arc::new(
        move |of, answer| {
            if of.starts_with(call) { with(answer) } else { answer.to_string().into_response() }
        },
    )
}

impl Fake {
    pub fn source(&self, page: usize) -> NagiosSource {
        let http = Http::new(
            &common::loopback(),
            Arc::new(SystemLookup),
            &common::tls(),
            common::fast(),
            common::hasty(),
        );
        let base = common::loopback().endpoint(&format!("{}/cgi-bin", self.running.url())).unwrap();
        let login = Arc::new(Login::new("rollcall", "s3cret").unwrap());
        NagiosSource::new(Way::Cgi(Box::new(Cgi::new(http.unwrap(), base, login).paged(page))), terms())
    }

    pub async fn read(&self) -> Told {
        self.source(10_000).told(now()).await
    }
}

pub async fn told(lists: Lists, tamper: Tamper) -> Told {
    fake(lists, tamper).await.read().await
}
