//! Signed webhooks on the wire: what a receiver with the reference library believes, and what receivers of every kind make of us.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
mod webhook_receiver;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::notice::Language;
use rollcall_engine::notice::outbox::{Jitter, Outbox, Outcome, Standing};
use rollcall_monitoring::endpoint::EndpointPolicy;
use rollcall_monitoring::http::MAX_QUIET;
use rollcall_monitoring::notify::{BadSecret, Channel, SecretSource, SigningSecrets};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use webhook_receiver::{NEW, OLD, Receiver, cancelled, hasty_http, policy, proposed, webhook};

fn verified(secret: &str, body: &Bytes, headers: &axum::http::HeaderMap) -> bool {
    standardwebhooks::Webhook::new(secret).unwrap().verify(body, headers).is_ok()
}

fn answers(status: u16) -> impl Fn(usize) -> Response + Clone + Send + Sync + 'static {
    move |_| StatusCode::from_u16(status).unwrap().into_response()
}

async fn told(receiver: &Receiver) -> Outcome {
    webhook(&receiver.url(), NEW).deliver(&cancelled(1), Timestamp::now()).await
}

#[tokio::test]
async fn a_receiver_with_the_reference_library_believes_us_and_what_somebody_changed_it_does_not() {
    let receiver = Receiver::new(answers(204)).await;
    let message = proposed(Language::Ja);
    let outcome = webhook(&receiver.url(), NEW).deliver(&message, Timestamp::now()).await;
    assert_eq!(outcome, Outcome::Accepted { status: 204 });
    let (_, headers, body) = receiver.only();
    assert!(verified(NEW, &body, &headers));
    assert_eq!(headers["webhook-id"], message.id().to_string().as_str());
    assert_eq!(headers["content-type"], "application/json");
    // The reference can say no: to another secret, another body, another id, and a message that is replayed later.
    assert!(!verified(OLD, &body, &headers));
    assert!(!verified(NEW, &Bytes::from(String::from_utf8_lossy(&body).replace("jp1", "jp2")), &headers));
    let mut forged = headers.clone();
    forged.insert("webhook-id", "msg_other_proposed_0".parse().unwrap());
    assert!(!verified(NEW, &body, &forged));
    let hour = Timestamp::now() - SignedDuration::from_hours(1);
    let receiver = Receiver::new(answers(200)).await;
    webhook(&receiver.url(), NEW).deliver(&message, hour).await;
    let (_, headers, body) = receiver.only();
    assert!(!verified(NEW, &body, &headers));
}

#[tokio::test]
async fn while_a_secret_is_replaced_whoever_knows_either_one_believes_us() {
    let receiver = Receiver::new(answers(200)).await;
    webhook(&receiver.url(), &format!("{NEW}\n{OLD}\n")).deliver(&cancelled(1), Timestamp::now()).await;
    let (_, headers, body) = receiver.only();
    assert!(verified(NEW, &body, &headers));
    assert!(verified(OLD, &body, &headers));
}

#[tokio::test]
async fn the_body_holds_the_words_and_the_facts() {
    let receiver = Receiver::new(answers(200)).await;
    let message = proposed(Language::En);
    webhook(&receiver.url(), NEW).deliver(&message, Timestamp::now()).await;
    let (.., body) = receiver.only();
    let sent: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        sent,
        json!({
            "type": "retirement.proposed",
            "timestamp": "2026-11-24T01:00:00Z",
            "data": {
                "origin": "6f1c0d52-9a2e-4a55-8d2b-0b6a3f7f9c11",
                "language": "en",
                "title": message.title(),
                "lines": message.lines(),
                "environment": "jp1",
                "host": "i-0fedcba9876543210",
                "name": "jp1-batch-1",
                "due": "2026-12-01T01:00:00Z",
                "keep": "rollcall keep jp1-batch-1 --until 2027-03-31",
                "undo": "rollcall undo jp1-batch-1",
            },
        })
    );
}

/// A webhook's URL is called as it is written: no slash more, and with its query.
#[tokio::test]
async fn the_url_is_called_as_it_is_written() {
    let receiver = Receiver::new(answers(200)).await;
    for (path, asked) in [
        ("/hooks/T0/B0", "/hooks/T0/B0"),
        ("/hooks/?token=a%2Fb&x=1#part", "/hooks/?token=a%2Fb&x=1"),
        ("", "/"),
    ] {
        let url = format!("{}{path}", receiver.url());
        let outcome = webhook(&url, NEW).deliver(&cancelled(1), Timestamp::now()).await;
        assert_eq!(outcome, Outcome::Accepted { status: 200 });
        assert_eq!(receiver.last().0, asked);
    }
}

#[tokio::test]
async fn what_an_answer_means() {
    for status in [200, 201, 202, 204, 299] {
        let receiver = Receiver::new(answers(status)).await;
        assert_eq!(told(&receiver).await, Outcome::Accepted { status });
    }
    for status in [408, 425, 429, 500, 502, 503, 504, 599] {
        let receiver = Receiver::new(answers(status)).await;
        let outcome = told(&receiver).await;
        assert!(
            matches!(&outcome, Outcome::TryAgain { wait: None, why } if why.contains(&status.to_string())),
            "{outcome:?}"
        );
        assert_eq!(receiver.calls(), 1, "the outbox tries again, not the client");
    }
    for status in [301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 409, 413, 422] {
        let receiver = Receiver::new(answers(status)).await;
        let outcome = told(&receiver).await;
        assert!(
            matches!(&outcome, Outcome::Refused { why } if why.contains(&status.to_string())),
            "{outcome:?}"
        );
    }
    let receiver = Receiver::new(answers(410)).await;
    assert!(matches!(told(&receiver).await, Outcome::Gone { .. }));
}

#[tokio::test]
async fn a_receiver_that_asks_for_patience_gets_it_within_reason() {
    for (asked, waits) in [
        ("7", Some(7)),
        ("100000", Some(MAX_QUIET.as_secs())),
        ("18446744073709551615", Some(MAX_QUIET.as_secs())),
        ("Wed, 01 Dec 2100 00:00:00 GMT", Some(MAX_QUIET.as_secs())),
        ("Wed, 01 Dec 1999 00:00:00 GMT", Some(0)),
        ("later", None),
    ] {
        let header = [("retry-after", asked.to_owned())];
        let receiver =
            Receiver::new(move |_| (StatusCode::TOO_MANY_REQUESTS, header.clone()).into_response()).await;
        let Outcome::TryAgain { wait, .. } = told(&receiver).await else { panic!() };
        assert_eq!(wait.map(|wait| wait.unsigned_abs().as_secs()), waits, "{asked}");
    }
}

/// A redirect would carry a signed message to another place, or the call to a forbidden one.
#[tokio::test]
async fn redirects_are_refused_and_not_followed() {
    let elsewhere = Receiver::new(answers(200)).await;
    let url = elsewhere.url();
    let receiver =
        Receiver::new(move |_| (StatusCode::TEMPORARY_REDIRECT, [("location", url.clone())]).into_response())
            .await;
    let Outcome::Refused { why } = told(&receiver).await else { panic!() };
    assert!(why.ends_with("redirects are not followed: name the final address"), "{why}");
    assert_eq!(elsewhere.calls(), 0);
}

#[tokio::test]
async fn a_huge_answer_is_not_read() {
    let endless = || {
        let chunks = futures::stream::repeat(Bytes::from(vec![b'x'; 65_536]));
        Body::from_stream(futures::StreamExt::map(chunks, Ok::<_, std::io::Error>))
    };
    let receiver = Receiver::new(move |_| Response::new(endless())).await;
    let begun = Instant::now();
    assert_eq!(told(&receiver).await, Outcome::Accepted { status: 200 });
    let receiver = Receiver::new(move |_| (StatusCode::BAD_REQUEST, endless()).into_response()).await;
    let Outcome::Refused { why } = told(&receiver).await else { panic!() };
    assert!(why.chars().count() < 250, "{why}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_receiver_that_is_slow_half_open_or_gone_is_given_up_in_time() {
    // Takes the connection and says nothing.
    let silent = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    // Takes the whole message and then says nothing.
    let slow = Receiver::slow().await;
    let silent_url = format!("http://{}", silent.local_addr().unwrap());
    for url in [&silent_url, &slow.url()] {
        let begun = Instant::now();
        let outcome = webhook(url, NEW).deliver(&cancelled(1), Timestamp::now()).await;
        assert!(
            matches!(&outcome, Outcome::TryAgain { wait: None, why } if why.ends_with("no answer in time")),
            "{outcome:?}"
        );
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
    assert_eq!(slow.calls(), 1);
    // Drips its headers, a byte at a time.
    let dripping = dripping().await;
    let outcome = webhook(&dripping, NEW).deliver(&cancelled(1), Timestamp::now()).await;
    assert!(matches!(&outcome, Outcome::TryAgain { .. }), "{outcome:?}");
    drop(silent);
    let outcome = webhook(&silent_url, NEW).deliver(&cancelled(1), Timestamp::now()).await;
    assert!(
        matches!(&outcome, Outcome::TryAgain { why, .. } if why.contains("no connection")),
        "{outcome:?}"
    );
}

async fn dripping() -> String {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4_096]).await;
        for byte in b"HTTP/1.1 200 OK\r\n".iter().chain([b'x'; 9_000].iter()) {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    url
}

/// The receiver took it, and its answer was lost: the second attempt brings the same words under the same id, so that it can know.
#[tokio::test]
async fn what_is_sent_again_is_the_same_message() {
    let receiver =
        Receiver::new(|n| if n == 0 { StatusCode::BAD_GATEWAY } else { StatusCode::OK }.into_response())
            .await;
    let (webhook, message) = (webhook(&receiver.url(), NEW), proposed(Language::En));
    let now = Timestamp::now();
    assert!(matches!(webhook.deliver(&message, now).await, Outcome::TryAgain { .. }));
    let later = now + SignedDuration::from_secs(40);
    assert_eq!(webhook.deliver(&message, later).await, Outcome::Accepted { status: 200 });
    let [(_, first, one), (_, second, two)] = &receiver.all()[..] else { panic!() };
    assert_eq!(one, two);
    assert_eq!(first["webhook-id"], second["webhook-id"]);
    assert_ne!(first["webhook-timestamp"], second["webhook-timestamp"]);
    assert_ne!(first["webhook-signature"], second["webhook-signature"]);
    assert!(verified(NEW, one, first) && verified(NEW, two, second));
}

#[tokio::test]
async fn an_address_that_must_not_be_called_is_not() {
    let receiver = Receiver::new(answers(200)).await;
    let closed = EndpointPolicy { allow_http: true, allowed_cidrs: Vec::new() };
    assert!(closed.target(&receiver.url()).is_err(), "an address written out is refused at once");
    for (bad, why) in [
        ("http://169.254.169.254/latest", "cloud metadata"),
        ("https://user:pw@hooks.example.com/", "no user name"),
        ("ftp://hooks.example.com/", "https"),
        ("https://[::ffff:10.0.0.1]/hook", "private"),
        ("hooks", "absolute"),
    ] {
        let error = closed.target(bad).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    assert!(EndpointPolicy::default().target("http://hooks.example.com/").is_err());
    // A name is judged when it is resolved. It is no refusal of the receiver, and the administrator may yet allow it.
    let port = receiver.url().rsplit(':').next().unwrap().to_owned();
    let target = closed.target(&format!("http://localhost:{port}/hook")).unwrap();
    let webhook = webhook_receiver::webhook_of(hasty_http(&closed), target, NEW);
    let outcome = webhook.deliver(&cancelled(1), Timestamp::now()).await;
    assert!(
        matches!(&outcome, Outcome::TryAgain { why, .. } if why.contains("localhost leads to loopback addresses only")),
        "{outcome:?}"
    );
    assert_eq!(receiver.calls(), 0);
}

#[tokio::test]
async fn without_secrets_nothing_is_sent_and_nothing_is_refused() {
    struct Nothing;
    #[async_trait::async_trait]
    impl SecretSource for Nothing {
        async fn secrets(&self) -> Result<SigningSecrets, BadSecret> {
            Err(BadSecret::Missing("Secret backlog/hook: not found".to_owned()))
        }
    }
    let receiver = Receiver::new(answers(200)).await;
    let target = policy().target(&receiver.url()).unwrap();
    let webhook = rollcall_monitoring::notify::Webhook::new(hasty_http(&policy()), target, Arc::new(Nothing));
    let why = "signing secrets: Secret backlog/hook: not found".to_owned();
    assert_eq!(webhook.deliver(&cancelled(1), Timestamp::now()).await, Outcome::TryAgain { why, wait: None });
    assert_eq!(receiver.calls(), 0);
}

/// The outbox and two real receivers: the one that never answers holds up nothing but what goes to itself.
#[tokio::test]
async fn a_dead_receiver_holds_up_no_living_one() {
    let (alive, dead) = (Receiver::new(answers(202)).await, Receiver::slow().await);
    let key = |name: &str| ObjectKey::new("backlog", name);
    let webhooks = [(key("a-dead"), webhook(&dead.url(), NEW)), (key("b-alive"), webhook(&alive.url(), NEW))];
    let (mut outbox, mut now) = (Outbox::default(), Timestamp::now());
    for n in 0..5 {
        for (channel, _) in &webhooks {
            outbox.put(channel, cancelled(n), now);
        }
    }
    let mut under_way = tokio::task::JoinSet::new();
    let webhooks = Arc::new(webhooks);
    let begun = Instant::now();
    let mut living = None;
    while begun.elapsed() < Duration::from_secs(3) {
        while let Some(delivery) = outbox.next(now) {
            let webhooks = webhooks.clone();
            under_way.spawn(async move {
                let (_, webhook) = webhooks.iter().find(|(key, _)| key == delivery.channel()).unwrap();
                (webhook.deliver(delivery.message(), now).await, delivery)
            });
        }
        let Some(Ok((outcome, delivery))) = under_way.join_next().await else { break };
        now = Timestamp::now();
        outbox.told(&delivery, outcome, now, Jitter(u32::MAX));
        if alive.calls() == 5 {
            living.get_or_insert(begun.elapsed());
        }
    }
    assert!(living.unwrap() < Duration::from_millis(350), "{living:?}");
    for n in 0..5 {
        let standing = outbox.standing(&key("b-alive"), cancelled(n).id());
        assert!(matches!(standing, Some(Standing::Accepted(proof)) if proof.status() == 202), "{standing:?}");
        let standing = outbox.standing(&key("a-dead"), cancelled(n).id());
        assert!(matches!(standing, Some(Standing::Waiting { .. })), "{standing:?}");
    }
}
