//! Nagios by its JSON CGIs: a fake that pages as the real ones do, and everything that such an answer can be instead.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use rollcall_engine::reading::{Extent, FailureKind, Reading};
use rollcall_fakes::server::{Running, serve};
use rollcall_monitoring::endpoint::SystemLookup;
use rollcall_monitoring::http::Http;
use rollcall_monitoring::nagios::{Cgi, Login, NagiosSource, ServiceState, Terms, Told, Way, from_bytes};
use serde_json::{Map, Value, json};

const STARTED: i64 = 1_795_403_906;
const UPDATED: i64 = 1_795_403_915;

fn now() -> Timestamp {
    Timestamp::from_second(UPDATED + 1).unwrap()
}

fn terms() -> Terms {
    Terms { interval_length: SignedDuration::from_secs(1), ..Terms::default() }
}

/// What the fake would answer, by `cgi query`: the list under `data`.
type Lists = BTreeMap<&'static str, Value>;
/// Changes an answer: the call as `cgi query start`, and what it would be.
type Tamper = Arc<dyn Fn(&str, Value) -> Response + Send + Sync>;

fn fixture(text: &str, list: &str) -> Value {
    serde_json::from_str::<Value>(text).unwrap()["data"][list].clone()
}

/// The installation of the fixtures: two hosts, three services.
fn lists() -> Lists {
    let hosts = include_str!("fixtures/nagios/statusjson-hostlist-enumerate.json");
    // Taken with names of states for people; without that option they are bits.
    let hosts = hosts.replace(r#""status": "up""#, r#""status": 2"#).replace(r#""active""#, "0");
    let program = json!({"version": "4.4.6", "program_start": STARTED * 1_000, "enable_notifications": false,
        "execute_service_checks": true, "accept_passive_service_checks": true, "execute_host_checks": true,
        "accept_passive_host_checks": true});
    let contact = json!({"name": "oncall", "host_notifications_enabled": true, "service_notifications_enabled": true,
        "host_notification_options": 7, "service_notification_options": 15});
    let services = include_str!("fixtures/nagios/objectjson-servicelist-details.json");
    let states = include_str!("fixtures/nagios/statusjson-servicelist-details.json");
    let downtimes = include_str!("fixtures/nagios/statusjson-downtimelist.json");
    BTreeMap::from([
        ("statusjson programstatus", program),
        ("objectjson hostcount", json!(2)),
        ("objectjson servicecount", json!(3)),
        (
            "objectjson hostlist",
            fixture(include_str!("fixtures/nagios/objectjson-hostlist-details.json"), "hostlist"),
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
fn page(list: &Value, query: &BTreeMap<String, String>, services: bool) -> Value {
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

fn head(user: &str) -> Value {
    json!({"query_time": now().as_millisecond(), "user": user, "type_code": 0, "type_text": "Success", "message": "",
        "program_start": STARTED * 1_000, "last_data_update": UPDATED * 1_000})
}

struct Fake {
    running: Running,
    calls: Arc<Mutex<Vec<String>>>,
}

async fn fake(lists: Lists, tamper: Tamper) -> Fake {
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

fn as_it_is() -> Tamper {
    Arc::new(|_, answer| answer.to_string().into_response())
}

/// Changes the answers of one call, and leaves the others.
fn instead(call: &'static str, with: impl Fn(Value) -> Response + Send + Sync + 'static) -> Tamper {
    Arc::new(
        move |of, answer| {
            if of.starts_with(call) { with(answer) } else { answer.to_string().into_response() }
        },
    )
}

impl Fake {
    fn source(&self, page: usize) -> NagiosSource {
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

    async fn read(&self) -> Told {
        self.source(10_000).read(now()).await
    }
}

async fn told(lists: Lists, tamper: Tamper) -> Told {
    fake(lists, tamper).await.read().await
}

/// Complete, or the kind of failure and the message of the first gap.
fn standing<T>(reading: &Reading<T>) -> (&'static str, Option<FailureKind>, String) {
    match &reading.extent {
        Extent::Complete { .. } => ("complete", None, String::new()),
        Extent::Partial { missing, .. } => {
            ("partial", Some(missing[0].why.kind), missing[0].why.message.clone())
        }
        Extent::Failed { why, .. } => ("failed", Some(why.kind), why.message.clone()),
    }
}

fn is_complete<T>(reading: &Reading<T>) -> bool {
    standing(reading).0 == "complete"
}

#[tokio::test]
async fn the_fixtures_of_both_ways_tell_the_same() {
    let by_cgi = told(lists(), as_it_is()).await;
    let objects = include_bytes!("fixtures/nagios/nagios-4.4.6-objects.cache");
    let status = include_bytes!("fixtures/nagios/nagios-4.4.6-status.dat");
    let mut by_files = from_bytes(&objects[..], &status[..], "x", &terms(), now());
    for contact in &mut by_files.contacts.seen {
        (contact.of_hosts.now, contact.of_services.now) = (None, None);
    }
    for (host, by_cgi) in by_files.hosts.seen.iter().zip(&by_cgi.hosts.seen) {
        assert_eq!(host, by_cgi);
    }
    assert_eq!(by_files.program.seen, by_cgi.program.seen);
    assert_eq!((by_files.hosts.seen, by_files.hosts.extent), (by_cgi.hosts.seen, by_cgi.hosts.extent));
    assert_eq!(
        (by_files.services.seen, by_files.services.extent),
        (by_cgi.services.seen, by_cgi.services.extent)
    );
    assert_eq!(
        (by_files.downtimes.seen, by_files.downtimes.extent),
        (by_cgi.downtimes.seen, by_cgi.downtimes.extent)
    );
    assert_eq!(
        (by_files.contacts.seen, by_files.contacts.extent),
        (by_cgi.contacts.seen, by_cgi.contacts.extent)
    );
}

#[tokio::test]
async fn pages_of_any_size_tell_the_same() {
    let fake = fake(lists(), as_it_is()).await;
    let whole = fake.read().await;
    assert!(is_complete(&whole.services));
    for size in 1..5 {
        let told = fake.source(size).read(now()).await;
        assert_eq!(told, whole, "pages of {size}");
    }
    let calls = fake.calls.lock().unwrap();
    let of = |call: &str| calls.iter().filter(|c| *c == call).count();
    assert_eq!(of("statusjson servicelist"), 1 + 4 + 2 + 2 + 1, "until a page is not full");
}

#[tokio::test]
async fn what_is_no_answer_to_the_first_question_blinds_all_and_says_why() {
    use FailureKind::{Denied, Malformed, Misconfigured, SourceError, Stale, Unreachable};
    let status = |status: u16| StatusCode::from_u16(status).unwrap().into_response();
    let with_head = |key: &'static str, value: Value| {
        move |mut answer: Value| {
            answer["result"][key] = value.clone();
            answer.to_string().into_response()
        }
    };
    let help = include_str!("fixtures/nagios/statusjson-error-unknown-host.json");
    let old = json!((UPDATED - 301) * 1_000);
    let cases: Vec<(Box<dyn Fn(Value) -> Response + Send + Sync>, FailureKind, &str)> = vec![
        (Box::new(|_| "".into_response()), Unreachable, "found an empty one: Nagios is not running"),
        (Box::new(|_| "\n<html>Login</html>".into_response()), Malformed, "a page of HTML"),
        (Box::new(|_| "{".into_response()), Malformed, "ended too early, after 1 bytes"),
        (Box::new(|_| "{}".into_response()), Malformed, "found none"),
        (Box::new(|_| help.into_response()), SourceError, "found 6 (Option Value Invalid)"),
        (Box::new(with_head("type_code", json!(2))), SourceError, "found 2"),
        (Box::new(with_head("last_data_update", old.clone())), Stale, "see whether Nagios is running"),
        (Box::new(with_head("last_data_update", json!(0))), Malformed, "expected last_data_update"),
        (Box::new(with_head("query_time", old)), Stale, "query_time"),
        (
            Box::new(with_head("query_time", json!(now().as_millisecond() + 400_000))),
            Malformed,
            "compare the clocks",
        ),
        (Box::new(move |_| status(401)), Denied, "check user name and password"),
        (Box::new(move |_| status(403)), Denied, "check user name and password"),
        (Box::new(move |_| status(404)), Misconfigured, "check the URL"),
        (Box::new(move |_| status(302)), Misconfigured, "redirects are not followed"),
        (Box::new(move |_| status(500)), SourceError, "error log"),
    ];
    for (with, kind, words) in cases {
        let told = told(lists(), instead("statusjson programstatus", with)).await;
        for (extent, failed, message) in [
            standing(&told.program),
            standing(&told.hosts),
            standing(&told.services),
            standing(&told.contacts),
        ] {
            assert_eq!((extent, failed), ("failed", Some(kind)), "{message}");
            assert!(message.contains(words), "{words}: {message}");
        }
    }
}

#[tokio::test]
async fn a_new_file_with_an_old_content_is_old() {
    let old = |mut answer: Value| {
        for host in answer["data"]["hostlist"].as_object_mut().unwrap().values_mut() {
            host["last_update"] = json!((UPDATED - 86_400) * 1_000);
        }
        answer.to_string().into_response()
    };
    let told = told(lists(), instead("statusjson hostlist", old)).await;
    assert_eq!(standing(&told.program).1, Some(FailureKind::Stale));
    assert_eq!(standing(&told.hosts).1, Some(FailureKind::Stale));
}

#[tokio::test]
async fn nagios_dies_between_two_calls_and_nothing_is_called_absent() {
    let told = told(lists(), instead("statusjson hostlist", |_| "".into_response())).await;
    assert_eq!(standing(&told.hosts).0, "partial", "the configuration was read before");
    assert_eq!(told.hosts.seen.len(), 2);
    assert!(told.hosts.seen.iter().all(|host| host.check.state.is_none()));

    let dead = instead("objectjson hostlist", |_| "".into_response());
    let told = self::told(lists(), dead).await;
    assert_eq!(standing(&told.hosts).0, "failed");
    assert_eq!(standing(&told.hosts).1, Some(FailureKind::Unreachable));
    assert!(is_complete(&told.services), "each listing fails by itself");
}

#[tokio::test]
async fn a_restart_between_two_calls_is_no_proof() {
    let restarted = instead("objectjson servicelist", |mut answer| {
        answer["result"]["program_start"] = json!((STARTED + 5) * 1_000);
        answer.to_string().into_response()
    });
    let told = told(lists(), restarted).await;
    let (extent, _, message) = standing(&told.services);
    assert_eq!(extent, "partial");
    assert!(message.contains("it was restarted meanwhile"), "{message}");
}

#[tokio::test]
async fn a_list_that_counts_differently_or_comes_again_is_partial() {
    let mut fewer = lists();
    fewer.insert("objectjson hostcount", json!(3));
    let (extent, kind, message) = standing(&told(fewer, as_it_is()).await.hosts);
    assert_eq!((extent, kind), ("partial", Some(FailureKind::Malformed)));
    assert!(message.contains("expected 3 hosts as Nagios counts them, found 2"), "{message}");

    let again = lists();
    let first = page(
        &again["objectjson hostlist"],
        &BTreeMap::from([("start".into(), "0".into()), ("count".into(), "1".into())]),
        false,
    );
    let again = fake(
        again,
        instead("objectjson hostlist", move |mut answer| {
            answer["data"]["hostlist"] = first.clone();
            answer.to_string().into_response()
        }),
    )
    .await;
    let told = again.source(1).read(now()).await;
    assert_eq!(standing(&told.hosts).0, "partial", "a server that does not know pages");
    assert!(standing(&told.hosts).2.contains("found one again"), "{}", standing(&told.hosts).2);
    assert_eq!(
        again.calls.lock().unwrap().iter().filter(|c| *c == "objectjson hostlist").count(),
        2,
        "not for ever"
    );

    let no_count = instead("objectjson servicecount", |_| "".into_response());
    assert_eq!(standing(&self::told(lists(), no_count).await.services).0, "partial");
}

#[tokio::test]
async fn more_than_the_limit_is_refused_before_it_is_read() {
    let mut many = lists();
    many.insert("objectjson hostcount", json!(50_001));
    let fake = fake(many, as_it_is()).await;
    let told = fake.read().await;
    assert_eq!(standing(&told.hosts).1, Some(FailureKind::TooLarge));
    assert!(!fake.calls.lock().unwrap().iter().any(|call| call.ends_with("hostlist")));
}

#[tokio::test]
async fn no_hosts_at_all_is_a_user_without_rights() {
    let mut none = lists();
    for (list, empty) in [
        ("hostcount", json!(0)),
        ("servicecount", json!(0)),
        ("hostlist", json!({})),
        ("servicelist", json!({})),
    ] {
        none.iter_mut().filter(|(key, _)| key.ends_with(list)).for_each(|(_, value)| *value = empty.clone());
    }
    let told = told(none, as_it_is()).await;
    for (extent, kind, message) in [standing(&told.hosts), standing(&told.services)] {
        assert_eq!((extent, kind), ("failed", Some(FailureKind::Denied)), "{message}");
        assert!(message.contains("authorized_for_all_hosts"), "{message}");
    }
    assert!(is_complete(&told.program));
}

#[tokio::test]
async fn a_user_that_is_a_contact_may_see_its_own_part_alone() {
    let mut lists = lists();
    let contacts = lists.get_mut("objectjson contactlist").unwrap().as_object_mut().unwrap();
    contacts.insert("rollcall".into(), json!({"name": "rollcall"}));
    let told = told(lists, as_it_is()).await;
    for (extent, kind, message) in [standing(&told.hosts), standing(&told.services)] {
        assert_eq!((extent, kind), ("partial", Some(FailureKind::Denied)), "{message}");
        assert!(message.contains("expected a user that is no contact, found \"rollcall\""), "{message}");
    }
    let no_list = instead("objectjson contactlist", |_| "".into_response());
    assert_eq!(
        standing(&self::told(self::lists(), no_list).await.hosts).0,
        "partial",
        "nobody knows who we are"
    );
}

#[tokio::test]
async fn one_odd_host_never_fails_the_list() {
    let odd = |key: &'static str, value: Value| {
        let mut lists = lists();
        lists.get_mut("statusjson servicelist").unwrap()["i-0abc"]["http"][key] = value;
        lists
    };
    for (key, value) in [
        ("status", json!(3)),
        ("status", json!("critical")),
        ("status", Value::Null),
        ("has_been_checked", json!(7)),
    ] {
        let told = told(odd(key, value), as_it_is()).await;
        assert!(is_complete(&told.services), "{:?}", told.services.extent);
        let http =
            told.services.seen.iter().find(|s| s.host.as_str() == "i-0abc" && s.name.as_str() == "http");
        assert_eq!(http.unwrap().check.state, None, "{key}");
    }
    let told = told(odd("has_been_checked", json!(false)), as_it_is()).await;
    assert!(told.services.seen.iter().any(|s| s.check.state == Some(ServiceState::Pending)));

    // As the CGIs tell names that are not ASCII: two of them are even the same.
    let mut japanese = lists();
    let services = japanese.get_mut("objectjson servicelist").unwrap()["i-0def"].as_object_mut().unwrap();
    let mut nameless = services["http"].clone();
    nameless["description"] = json!("");
    services.insert("(null)".into(), nameless);
    japanese.insert("objectjson servicecount", json!(4));
    let told = self::told(japanese, as_it_is()).await;
    let (extent, _, message) = standing(&told.services);
    assert_eq!((extent, told.services.seen.len()), ("partial", 3), "{message}");

    // Output of a plugin in colour: control characters are not escaped.
    let colour = instead("statusjson hostlist", |answer| {
        answer.to_string().replace("OK: ok", "\u{1b}[32mOK\u{1b}[0m\u{1}").into_response()
    });
    let told = self::told(lists(), colour).await;
    assert!(is_complete(&told.hosts), "{:?}", told.hosts.extent);
}

#[tokio::test]
async fn an_answer_cut_anywhere_never_hides_a_host() {
    let whole = told(lists(), as_it_is()).await;
    for call in ["objectjson hostlist", "statusjson servicelist"] {
        for part in 0..40 {
            let cut = instead(call, move |answer| {
                let text = answer.to_string();
                text[..text.len() * part / 40].to_owned().into_response()
            });
            let told = told(lists(), cut).await;
            let (hosts, services) = (is_complete(&told.hosts), is_complete(&told.services));
            assert!(!(hosts && services), "{call} cut at {part} of 40");
            assert!(!hosts || told.hosts.seen == whole.hosts.seen);
            assert!(!services || told.services.seen == whole.services.seen);
        }
    }
}

#[tokio::test]
async fn twenty_thousand_hosts_with_three_services_each() {
    const HOSTS: usize = 20_000;
    let template = lists();
    let mut many = template.clone();
    let spread = |list: &Value, services: bool| -> Value {
        let entry = list["i-0abc"].clone();
        let named = |n: usize| {
            let mut entry = entry.clone();
            if services {
                let http = entry["http"].clone();
                let of = |name: &str| {
                    let mut service = http.clone();
                    (service["host_name"], service["description"]) = (json!(format!("h{n}")), json!(name));
                    (name.to_owned(), service)
                };
                Value::Object(["http", "disk", "load"].map(of).into_iter().collect())
            } else {
                entry["name"] = json!(format!("h{n}"));
                entry
            }
        };
        Value::Object((0..HOSTS).map(|n| (format!("h{n}"), named(n))).collect::<Map<_, _>>())
    };
    // Only what is read: the fake holds it all in memory.
    for cgi in ["objectjson", "statusjson"] {
        for (list, services) in [("hostlist", false), ("servicelist", true)] {
            let key = template.keys().find(|key| **key == format!("{cgi} {list}")).unwrap();
            many.insert(key, spread(&template[key], services));
        }
    }
    many.insert("objectjson hostcount", json!(HOSTS));
    many.insert("objectjson servicecount", json!(3 * HOSTS));
    let fake = fake(many, as_it_is()).await;
    let http = Http::new(
        &common::loopback(),
        Arc::new(SystemLookup),
        &common::tls(),
        common::fast(),
        rollcall_monitoring::nagios::patience(),
    );
    let base = common::loopback().endpoint(&format!("{}/cgi-bin", fake.running.url())).unwrap();
    let login = Arc::new(Login::new("rollcall", "s3cret").unwrap());
    let mut source = NagiosSource::new(Way::Cgi(Box::new(Cgi::new(http.unwrap(), base, login))), terms());
    let told = source.read(now()).await;
    assert!(is_complete(&told.hosts), "{:?}", told.hosts.extent);
    assert!(is_complete(&told.services), "{:?}", told.services.extent);
    assert_eq!((told.hosts.seen.len(), told.services.seen.len()), (HOSTS, 3 * HOSTS));
    assert_eq!(fake.calls.lock().unwrap().iter().filter(|c| *c == "statusjson servicelist").count(), 7);
}
