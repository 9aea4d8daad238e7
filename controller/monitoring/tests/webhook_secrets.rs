//! The secrets of a webhook, and the token in its URL, are in no error, no log and no `Debug`, whatever the receiver does with them.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;
mod webhook_receiver;

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::Timestamp;
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::notice::outbox::{Jitter, Outbox};
use rollcall_fakes::server::serve;
use rollcall_monitoring::notify::{Channel, SigningSecrets};
use tracing_subscriber::fmt::MakeWriter;
use webhook_receiver::{NEW, OLD, cancelled, hasty_http, policy, webhook_of};

/// Everything that was logged, at every level.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const PATH: &str = "/services/canary-path-1c0d529a";
const QUERY: &str = "token=canary-query%2D8d2b0b6a";

/// What must be seen nowhere: the secrets as they are written, without their prefix, as bytes, and the URL's tokens.
const CANARIES: [&str; 9] = [
    NEW,
    OLD,
    "Y2FuYXJ5LW5ldy0zZmQxYzBiNmU1LXh5",
    "Y2FuYXJ5LW9sZC05YTJlNGE1NThkMmJ6",
    "canary-new-3fd1c0b6e5-xy",
    "canary-old-9a2e4a558d2bz",
    "canary-path-1c0d529a",
    "canary-query%2D8d2b0b6a",
    "canary-query-8d2b0b6a",
];

/// Throws all that it could know back, in every way it can.
fn echo(request: &Request, n: usize) -> axum::response::Response {
    let uri = request.uri().to_string();
    let known = format!("Cannot POST {uri} with {NEW} {OLD} {} canary-query-8d2b0b6a", &NEW[6..]);
    match n {
        0 => (StatusCode::BAD_REQUEST, known).into_response(),
        1 => (StatusCode::NOT_FOUND, format!("<html>{known}</html>\n\u{1b}[2J")).into_response(),
        2 => (StatusCode::FOUND, [("location", format!("http://{}.example{uri}", &NEW[6..20]))], known)
            .into_response(),
        3 => (StatusCode::GONE, format!("{}{known}", "x".repeat(100))).into_response(),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, format!("{{\"error\":\"{known}\"}}")).into_response(),
    }
}

#[tokio::test]
async fn a_receiver_that_echoes_what_it_knows_tells_our_readers_nothing() {
    let logs = Logs::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(logs.clone()).finish();
    let _logging = tracing::subscriber::set_default(subscriber);

    let calls = Arc::new(Mutex::new(0));
    let router = Router::new().fallback(move |request: Request| {
        let n = {
            let mut calls = calls.lock().unwrap();
            *calls += 1;
            *calls - 1
        };
        let answer = echo(&request, n);
        async move { answer }
    });
    let server = serve(router).await.unwrap();
    let target = policy().target(&format!("{}{PATH}?{QUERY}", server.url())).unwrap();
    let secrets = format!("{NEW}\n{OLD}");
    let webhook = webhook_of(hasty_http(&policy()), target.clone(), &secrets);
    let mut shown = vec![format!("{target:?} {:?}", SigningSecrets::new(&secrets).unwrap())];
    for n in 0..5 {
        let key = ObjectKey::new("backlog", format!("hook-{n}"));
        let mut outbox = Outbox::default();
        outbox.put(&key, cancelled(n), Timestamp::now());
        let delivery = outbox.next(Timestamp::now()).unwrap();
        let outcome = webhook.deliver(delivery.message(), Timestamp::now()).await;
        shown.push(format!("{outcome:?}"));
        outbox.told(&delivery, outcome, Timestamp::now(), Jitter(0));
        // What is remembered of it goes into the cluster.
        shown.push(serde_json::to_string(&outbox).unwrap());
    }
    let unreachable = policy().target(&format!("http://127.0.0.1:1{PATH}?{QUERY}")).unwrap();
    let outcome = webhook_of(hasty_http(&policy()), unreachable, &secrets)
        .deliver(&cancelled(9), Timestamp::now())
        .await;
    shown.push(format!("{outcome:?}"));
    let bad = policy().target(&format!("ftp://{}{PATH}?{QUERY}", "hooks.example")).unwrap_err();
    shown.push(format!("{bad} {bad:?}"));
    let shown = shown.join("\n");

    assert!(shown.contains("Cannot POST"), "the words are told, without what must not be seen: {shown}");
    let logs = String::from_utf8_lossy(&logs.0.lock().unwrap()).into_owned();
    assert!(logs.contains("connect"), "something was logged: {logs}");
    for canary in CANARIES {
        assert!(!shown.contains(canary), "{canary} in {shown}");
        let line = logs.lines().find(|line| line.contains(canary));
        assert!(line.is_none(), "{canary} was logged: {line:?}");
    }
}
