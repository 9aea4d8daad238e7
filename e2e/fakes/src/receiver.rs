//! A receiver of signed webhooks, as a chat or a ticket system has one: it believes what the Standard Webhooks reference library
//! verifies, and nothing else.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use parking_lot::Mutex;
use serde_json::Value;
use standardwebhooks::Webhook;

use crate::server::{Running, serve};

/// A message that was believed.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// The id of the event: the same for each attempt to send it.
    pub id: String,
    /// What was sent.
    pub body: Value,
}

/// A running receiver.
pub struct Receiver {
    running: Running,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Receiver {
    /// Listens on loopback for what this secret (`whsec_…`) has signed.
    ///
    /// # Errors
    /// When the secret is none, or the machine gives no port.
    pub async fn start(secret: &str) -> io::Result<Self> {
        let webhook = Arc::new(Webhook::new(secret).map_err(io::Error::other)?);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        let take = move |headers: HeaderMap, body: Bytes| {
            let answer = believed(&webhook, &headers, &body).map(|one| kept.lock().push(one));
            async move { if answer.is_some() { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED } }
        };
        let running = serve(Router::new().route("/", post(take))).await?;
        Ok(Self { running, heard })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// All that it has believed, in the order in which it came.
    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().clone()
    }
}

fn believed(webhook: &Webhook, headers: &HeaderMap, body: &[u8]) -> Option<Heard> {
    webhook.verify(body, headers).ok()?;
    let id = headers.get("webhook-id")?.to_str().ok()?.to_owned();
    Some(Heard { id, body: serde_json::from_slice(body).ok()? })
}
