//! The key is in no error, no log and no `Debug`, whatever the server does with it.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use common::KEY;
use rollcall_fakes::server::serve;
use rollcall_monitoring::mackerel::ApiKey;
use rollcall_monitoring::{Depth, RegistrySource};
use tracing_subscriber::fmt::MakeWriter;

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

/// A server that throws the key back in every way it can.
fn echo(request: &Request) -> Response {
    let key = request.headers()["x-api-key"].to_str().unwrap().to_owned();
    let path = request.uri().path();
    match path.rsplit('/').next().unwrap() {
        "hosts" => format!(r#"{{"hosts":[{{"id":"{key}/","name":"{key}"}}], {key}"#).into_response(),
        "services" => {
            (StatusCode::FORBIDDEN, format!(r#"{{"error":{{"message":"{key} may not"}}}}"#)).into_response()
        }
        "monitors" => (StatusCode::BAD_REQUEST, format!(r#"{{"error":"{key}"}}"#)).into_response(),
        "checks" => (StatusCode::FOUND, [("location", format!("http://{key}.example/"))]).into_response(),
        "org" => (StatusCode::UNAUTHORIZED, key).into_response(),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, format!("<html>{key}</html>")).into_response(),
    }
}

#[tokio::test]
async fn a_server_that_echoes_the_key_learns_nothing_to_our_readers() {
    let logs = Logs::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(logs.clone()).finish();
    let _logging = tracing::subscriber::set_default(subscriber);

    let server = serve(Router::new().fallback(async |request: Request| echo(&request))).await.unwrap();
    let mut source = common::source(&server.url());
    let registry = source.read(common::noon(), Depth::Hosts).await;
    let client = common::client(&server.url(), common::fast(), common::hasty());
    let key = ApiKey::new(KEY).unwrap();
    let org = client.with(key.clone()).org().await.unwrap_err();

    let shown = format!(
        "{:?} {:?} {:?} {:?} {org:?} {key:?}",
        registry.hosts.extent, registry.services, registry.monitors, registry.checks
    );
    assert!(!shown.contains(KEY), "{shown}");
    assert!(shown.contains("[key] may not"), "the words are told, without the key: {shown}");
    let logs = String::from_utf8_lossy(&logs.0.lock().unwrap()).into_owned();
    assert!(logs.contains("connect"), "something was logged: {logs}");
    assert!(!logs.contains(KEY), "{logs}");
}
