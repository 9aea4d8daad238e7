//! Nagios by its JSON CGIs: a fake that pages as the real ones do, and everything that such an answer can be instead.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
mod nagios_fake;

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use nagios_fake::{STARTED, UPDATED, as_it_is, fake, instead, lists, now, page, terms, told};
use rollcall_engine::reading::{Extent, FailureKind, Reading};
use rollcall_monitoring::nagios::{ServiceState, from_bytes};
use serde_json::{Value, json};

/// What the fake says instead.
type Instead = Box<dyn Fn(Value) -> Response + Send + Sync>;

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
        let told = fake.source(size).told(now()).await;
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
    let cases: Vec<(Instead, FailureKind, &str)> = vec![
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
    let told = again.source(1).told(now()).await;
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
