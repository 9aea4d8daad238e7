//! The client on the wire: patience, limits, redirects, TLS.

// A failing test is its way to speak, its helpers' too.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rollcall_fakes::server::{Running, serve};
use rollcall_monitoring::endpoint::{EndpointPolicy, SystemLookup};
use rollcall_monitoring::http::{CallError, Get, Http, MAX_QUIET, Pace, Patience, Tls, TlsError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A server that answers the n-th call (from 0) as told, and remembers what it was sent.
struct Server {
    running: Running,
    calls: Arc<AtomicUsize>,
    headers: Arc<Mutex<HeaderMap>>,
}

async fn server(answer: impl Fn(usize) -> Response + Clone + Send + Sync + 'static) -> Server {
    let (calls, headers) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(HeaderMap::new())));
    let (counted, kept) = (calls.clone(), headers.clone());
    let router = Router::new().fallback(move |request: Request| {
        let n = counted.fetch_add(1, Ordering::SeqCst);
        *kept.lock().unwrap() = request.headers().clone();
        let answer = answer(n);
        async move { answer }
    });
    Server { running: serve(router).await.unwrap(), calls, headers }
}

fn patience() -> Patience {
    let ms = Duration::from_millis;
    Patience { attempts: 4, first_pause: ms(10), total: ms(3_000), attempt: ms(400), connect: ms(500) }
}

fn http(patience: Patience) -> Http {
    Http::new(&common::loopback(), Arc::new(SystemLookup), &Tls::system().unwrap(), common::fast(), patience)
        .unwrap()
}

fn get(url: &str, limit: usize) -> Get {
    let secret = (HeaderName::from_static("x-api-key"), HeaderValue::from_static("k"));
    let url = common::loopback().endpoint(url).unwrap().at(&["x"]);
    Get { url, secret, limit, time: Duration::from_millis(400) }
}

impl Server {
    async fn asked(&self, http: &Http) -> Result<Bytes, CallError> {
        http.get(&get(&self.running.url(), 1_000)).await
    }
    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn told_to_wait(status: u16, retry_after: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("retry-after", retry_after.to_owned())]).into_response()
}

#[tokio::test]
async fn it_says_who_it_is_and_takes_json() {
    let server = server(|_| "{}".into_response()).await;
    assert_eq!(server.asked(&http(patience())).await.unwrap(), "{}");
    let headers = server.headers.lock().unwrap().clone();
    assert_eq!(headers["user-agent"], concat!("rollcall/", env!("CARGO_PKG_VERSION")));
    assert_eq!(headers["accept"], "application/json");
    assert_eq!(headers["x-api-key"], "k");
    assert!(
        headers["accept-encoding"].to_str().unwrap().contains("gzip"),
        "tens of megabytes of JSON shrink well"
    );
}

#[tokio::test]
async fn what_may_pass_is_asked_again_and_what_is_final_is_not() {
    for (status, attempts) in [
        (429, 4),
        (500, 4),
        (502, 4),
        (503, 4),
        (408, 4),
        (400, 1),
        (401, 1),
        (403, 1),
        (404, 1),
        (301, 1),
        (204, 1),
    ] {
        let server = server(move |_| StatusCode::from_u16(status).unwrap().into_response()).await;
        let error = server.asked(&http(patience())).await.unwrap_err();
        assert!(matches!(error, CallError::Status { status: s, .. } if s == status), "{status}: {error:?}");
        assert_eq!(server.calls(), attempts, "{status}");
    }
    let server =
        server(|n| if n < 2 { StatusCode::BAD_GATEWAY.into_response() } else { "{}".into_response() }).await;
    assert!(server.asked(&http(patience())).await.is_ok());
    assert_eq!(server.calls(), 3);
}

#[tokio::test]
async fn a_server_that_names_a_time_is_not_asked_before_it() {
    let server = server(|n| if n == 0 { told_to_wait(429, "1") } else { "{}".into_response() }).await;
    let begun = Instant::now();
    assert!(server.asked(&http(patience())).await.is_ok());
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(server.calls(), 2);
}

#[tokio::test]
async fn a_server_that_asks_for_all_of_time_breaks_nothing() {
    let forever = u64::MAX.to_string();
    let server =
        server(move |n| if n == 0 { told_to_wait(429, "1") } else { told_to_wait(503, &forever) }).await;
    let http = http(patience());
    assert!(matches!(server.asked(&http).await, Err(CallError::Status { status: 503, .. })));
    let Err(CallError::Quiet(rest)) = server.asked(&http).await else { panic!() };
    assert!(rest <= MAX_QUIET, "{rest:?}");
}

#[tokio::test]
async fn longer_than_our_patience_is_left_for_another_poll_and_respected_until_then() {
    let server = server(|_| told_to_wait(503, "31536000")).await;
    let http = http(patience());
    let begun = Instant::now();
    assert!(matches!(server.asked(&http).await, Err(CallError::Status { status: 503, .. })));
    let Err(CallError::Quiet(rest)) = server.asked(&http).await else { panic!() };
    assert!(begun.elapsed() < Duration::from_secs(2), "nobody waits for a year");
    assert!(rest <= MAX_QUIET, "and nobody is blind for one: {rest:?}");
    assert_eq!(server.calls(), 1);
}

#[tokio::test]
async fn patience_has_an_end() {
    let server = server(|_| StatusCode::BAD_GATEWAY.into_response()).await;
    let short = Patience {
        attempts: 1_000,
        first_pause: Duration::from_millis(50),
        total: Duration::from_millis(400),
        ..patience()
    };
    let begun = Instant::now();
    assert!(server.asked(&http(short)).await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(server.calls() > 1);
}

/// A redirect would carry the key to another place, or the call to a forbidden one.
#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = server(|_| "{}".into_response()).await;
    let target = elsewhere.running.url();
    let server = server(move |_| (StatusCode::FOUND, [("location", target.clone())]).into_response()).await;
    assert!(matches!(server.asked(&http(patience())).await, Err(CallError::Status { status: 302, .. })));
    assert_eq!(elsewhere.calls(), 0);
}

#[tokio::test]
async fn more_than_the_limit_is_refused_and_not_asked_for_again() {
    let server = server(|_| "x".repeat(1_001).into_response()).await;
    assert_eq!(server.asked(&http(patience())).await, Err(CallError::TooLarge { limit: 1_000 }));
    assert_eq!(server.calls(), 1);
}

/// A few kilobytes that unfold to gigabytes: what counts is what arrives here.
#[tokio::test]
async fn the_limit_is_on_what_was_unpacked() {
    // 100 kB of zeros, as gzip writes them (`gzip -9`): 138 bytes.
    let bomb = zeros_in_gzip();
    assert!(bomb.len() < 1_000);
    let server = server(move |_| ([("content-encoding", "gzip")], bomb.clone()).into_response()).await;
    assert_eq!(server.asked(&http(patience())).await, Err(CallError::TooLarge { limit: 1_000 }));
}

/// 65,535 zeros per stored… deflate has no shorter word for it, so one is written by hand: a fixed-Huffman block of one zero
/// and 388 copies of length 258.
fn zeros_in_gzip() -> Vec<u8> {
    let (mut bytes, mut bits, mut filled) = (vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], 0_u32, 0);
    let mut put = |value: u32, count: u32, bytes: &mut Vec<u8>| {
        bits |= value << filled;
        filled += count;
        while filled >= 8 {
            bytes.push((bits & 0xff) as u8);
            bits >>= 8;
            filled -= 8;
        }
    };
    let reversed = |code: u32, count: u32| code.reverse_bits() >> (32 - count);
    put(0b011, 3, &mut bytes); // last block, fixed codes
    put(reversed(0x30, 8), 8, &mut bytes); // the literal 0
    for _ in 0..388 {
        put(reversed(0b1100_0101, 8), 8, &mut bytes); // length 258
        put(0, 5, &mut bytes); // distance 1
    }
    put(0, 7, &mut bytes); // end of block
    put(0, 7, &mut bytes); // to the byte
    bytes
}

#[tokio::test]
async fn a_server_that_answers_too_late_or_stalls_is_given_up() {
    let stalled = server(|_| {
        let never = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        Response::new(Body::from_stream(never))
    })
    .await;
    let once = Patience { attempts: 1, ..patience() };
    assert_eq!(stalled.asked(&http(once)).await, Err(CallError::TimedOut));
    // A socket that takes the call and says nothing.
    let silent = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    assert_eq!(http(once).get(&get(&url, 1_000)).await, Err(CallError::TimedOut));
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let gone = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let error = http(patience()).get(&get(&format!("http://{gone}"), 1_000)).await.unwrap_err();
    assert!(matches!(&error, CallError::Unreachable(why) if why.contains("refused")), "{error:?}");
}

#[tokio::test]
async fn a_refusal_is_read_only_as_far_as_its_words_may_reach() {
    let server = server(|_| (StatusCode::FORBIDDEN, "x".repeat(5_000_000)).into_response()).await;
    let Err(CallError::Status { status: 403, body, .. }) = server.asked(&http(patience())).await else {
        panic!()
    };
    assert_eq!(body.len(), 4_096);
}

#[tokio::test]
async fn calls_at_once_share_one_bucket() {
    let server = server(|_| "{}".into_response()).await;
    let of = |n| NonZeroU32::new(n).unwrap();
    let pace = Pace { per_second: of(20), burst: of(1) };
    let http =
        Http::new(&common::loopback(), Arc::new(SystemLookup), &Tls::system().unwrap(), pace, patience())
            .unwrap();
    let begun = Instant::now();
    let results = futures::future::join_all((0..11).map(|_| server.asked(&http))).await;
    assert!(results.iter().all(Result::is_ok));
    assert!(
        begun.elapsed() >= Duration::from_millis(480),
        "eleven at twenty a second: {:?}",
        begun.elapsed()
    );
}

/// A TLS server for `localhost` under an authority of its own; answers `{}` to each connection.
async fn tls_server() -> (u16, String) {
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(issued.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.read(&mut [0; 4_096]).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
                    .await;
                let _ = stream.shutdown().await;
            }
        }
    });
    (port, issued.cert.pem())
}

#[tokio::test]
async fn https_with_a_private_authority_and_not_without_it() {
    let (port, pem) = tls_server().await;
    let policy = EndpointPolicy { allow_http: false, allowed_cidrs: common::loopback().allowed_cidrs };
    let call = async |tls: Tls, host: &str| {
        let once = Patience {
            attempts: 1,
            attempt: Duration::from_secs(5),
            connect: Duration::from_secs(5),
            ..patience()
        };
        let http = Http::new(&policy, Arc::new(SystemLookup), &tls, common::fast(), once).unwrap();
        let url = policy.endpoint(&format!("https://{host}:{port}/")).unwrap().at(&["x"]);
        let secret = (HeaderName::from_static("x-api-key"), HeaderValue::from_static("k"));
        http.get(&Get { url, secret, limit: 100, time: Duration::from_secs(5) }).await
    };
    let ours = Tls::with_authority(pem.as_bytes()).unwrap();
    assert_eq!(call(ours.clone(), "localhost").await.unwrap(), "{}");
    let stranger = call(Tls::system().unwrap(), "localhost").await.unwrap_err();
    assert!(
        matches!(&stranger, CallError::Unreachable(why) if why.contains("UnknownIssuer")),
        "{stranger:?}"
    );
    let other_name = call(ours, "127.0.0.1").await.unwrap_err();
    assert!(
        matches!(&other_name, CallError::Unreachable(why) if why.contains("not valid for name")),
        "{other_name:?}"
    );
}

#[test]
fn what_is_no_authority_is_said_at_once() {
    assert!(matches!(Tls::with_authority(b""), Err(TlsError::Empty)));
    assert!(matches!(Tls::with_authority(b"hello"), Err(TlsError::Empty)));
    let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(Tls::with_authority(broken), Err(TlsError::Unusable { place: 1, .. })));
    assert!(matches!(Tls::with_authority(b"-----BEGIN CERTIFICATE-----\n!\n"), Err(TlsError::NotPem(_))));
}
