//! What the tests of webhooks share: a receiver that keeps all it was sent, and messages to send.

#![allow(dead_code)] // Each test binary uses its part.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use rollcall_engine::activity::{ActivityMetric, Window};
use rollcall_engine::notice::{
    About, Cancelled, Command, Evidence, FinalAct, HowItStands, Language, Message, News, Notice, Origin,
    Peak, Proposed, Way, WhyCancelled,
};
use rollcall_fakes::server::{Running, serve};
use rollcall_monitoring::endpoint::{EndpointPolicy, SystemLookup, Target};
use rollcall_monitoring::http::{Http, Patience};
use rollcall_monitoring::notify::{SigningSecrets, Webhook};

/// The secret that is in use. The words in base64 are a canary: 24 bytes that say so.
pub const NEW: &str = "whsec_Y2FuYXJ5LW5ldy0zZmQxYzBiNmU1LXh5";
/// The one before it.
pub const OLD: &str = "whsec_Y2FuYXJ5LW9sZC05YTJlNGE1NThkMmJ6";

/// One request: its path with the query, its headers, its body.
pub type Sent = (String, HeaderMap, Bytes);

/// A receiver that answers the n-th call (from 0) as told.
pub struct Receiver {
    running: Running,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Receiver {
    pub async fn new(answer: impl Fn(usize) -> Response + Clone + Send + Sync + 'static) -> Self {
        Self::answering(answer, Duration::ZERO).await
    }

    /// One that takes the whole message, and then says nothing for a minute.
    pub async fn slow() -> Self {
        Self::answering(|_| Response::default(), Duration::from_mins(1)).await
    }

    async fn answering(
        answer: impl Fn(usize) -> Response + Clone + Send + Sync + 'static,
        after: Duration,
    ) -> Self {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let kept = sent.clone();
        let router = Router::new().fallback(move |request: Request| {
            let (kept, answer) = (kept.clone(), answer.clone());
            async move {
                let (parts, body) = request.into_parts();
                assert_eq!(parts.method, "POST");
                let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
                let n = {
                    let mut kept = kept.lock().unwrap();
                    kept.push((parts.uri.to_string(), parts.headers, body));
                    kept.len() - 1
                };
                tokio::time::sleep(after).await;
                answer(n)
            }
        });
        Self { running: serve(router).await.unwrap(), sent }
    }

    pub fn url(&self) -> String {
        self.running.url()
    }

    pub fn all(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    pub fn calls(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    pub fn last(&self) -> Sent {
        self.all().pop().unwrap()
    }

    /// All that it was sent, which is one request.
    pub fn only(&self) -> Sent {
        assert_eq!(self.calls(), 1);
        self.last()
    }
}

pub fn policy() -> EndpointPolicy {
    super::common::loopback()
}

/// A client that waits for no more than half a second.
pub fn hasty_http(policy: &EndpointPolicy) -> Arc<Http> {
    let ms = Duration::from_millis;
    let patience =
        Patience { attempts: 1, attempt: ms(500), connect: ms(400), total: ms(600), first_pause: ms(1) };
    let tls = super::common::tls();
    Arc::new(Http::new(policy, Arc::new(SystemLookup), &tls, super::common::fast(), patience).unwrap())
}

pub fn webhook_of(http: Arc<Http>, target: Target, secrets: &str) -> Webhook {
    Webhook::new(http, target, Arc::new(SigningSecrets::new(secrets).unwrap()))
}

pub fn webhook(url: &str, secrets: &str) -> Webhook {
    webhook_of(hasty_http(&policy()), policy().target(url).unwrap(), secrets)
}

fn notice(mark: &str, news: News) -> Notice {
    let about = About {
        host: "i-0fedcba9876543210".into(),
        name: "jp1-batch-1".into(),
        environment: "jp1".into(),
        duties: vec!["batch".into()],
        size: "m5.large".into(),
        place: "123456789012/ap-northeast-1".to_owned().try_into().unwrap(),
    };
    let zone = jiff::tz::TimeZoneDatabase::bundled().get("Asia/Tokyo").unwrap();
    Notice { mark: Origin::new(mark).unwrap(), occurrence: 0, about, zone, news }
}

fn morning() -> Timestamp {
    "2026-11-24T10:00:00+09:00".parse().unwrap()
}

/// A small message about the n-th mark.
pub fn cancelled(n: usize) -> Message {
    let news = Cancelled { why: WhyCancelled::Started, stands: HowItStands::Untouched };
    notice(&format!("mark-{n}"), News::Cancelled(news)).message(Language::En, morning())
}

/// The largest of them.
pub fn proposed(language: Language) -> Message {
    let command = |text: &str| Command::new(text).unwrap();
    let proposed = Proposed {
        evidence: Evidence::Idle {
            window: Window::whole_days(morning(), 41),
            peaks: vec![Peak { metric: ActivityMetric::Cpu, most: 1.16 }],
        },
        way: Some(Way { stops: true, cool_off_days: 14, then: FinalAct::Stop }),
        due: "2026-12-01T10:00:00+09:00".parse().unwrap(),
        approvals_needed: 0,
        approve: None,
        keep: command("rollcall keep jp1-batch-1 --until 2027-03-31"),
        keep_by_tag: command(
            "aws ec2 create-tags --resources i-0fedcba9876543210 --tags Key=rollcall.dev/keep,Value=2027-03-31",
        ),
        undo: vec![command("rollcall undo jp1-batch-1")],
        not_restored: Vec::new(),
    };
    notice("6f1c0d52-9a2e-4a55-8d2b-0b6a3f7f9c11", News::Proposed(proposed)).message(language, morning())
}
