//! Signed webhooks, as <https://www.standardwebhooks.com> has them: a POST of JSON whose headers prove who sent it, when, and
//! under which id. A receiver that has seen an id has seen the event.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rollcall_engine::notice::outbox::Outcome;
use rollcall_engine::notice::{Facts, Kind, Message};
use rollcall_engine::text;
use serde::Serialize;

use super::Channel;
use super::secret::{SecretSource, SigningSecrets};
use crate::endpoint::Target;
use crate::http::{CallError, Http, Post};

/// As much of a receiver's own words is repeated, in characters.
const MAX_WORDS: usize = 120;

/// One receiver.
pub struct Webhook {
    http: Arc<Http>,
    target: Target,
    secrets: Arc<dyn SecretSource>,
}

/// The body. Fields are added and never change their meaning.
#[derive(Serialize)]
struct Body<'a> {
    /// `retirement.proposed`, … or `digest`.
    r#type: String,
    /// When the message was written; of the attempt the header tells.
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    /// What it is about: the uid of the mark, or of what wants a digest.
    origin: &'a str,
    language: &'static str,
    title: &'a str,
    lines: &'a [String],
    #[serde(flatten)]
    facts: &'a Facts,
}

impl Webhook {
    /// The receiver at `target`, which the rules behind `http` have approved. One `http` may serve many; see
    /// [`super::patience`].
    #[must_use]
    pub fn new(http: Arc<Http>, target: Target, secrets: Arc<dyn SecretSource>) -> Self {
        Self { http, target, secrets }
    }

    async fn send(
        &self,
        message: &Message,
        secrets: &SigningSecrets,
        now: Timestamp,
    ) -> Result<u16, CallError> {
        let body = body(message);
        let headers = headers(message, secrets, now, &body)
            .ok_or_else(|| CallError::Refused("its headers cannot be sent".to_owned()))?;
        self.http.post(&Post { target: &self.target, body, headers }).await
    }

    /// What happened, for people: where, what was expected, what was found. Secrets go first: nobody finds one once it is cut.
    fn told(&self, error: &CallError, secrets: &SigningSecrets) -> String {
        let hidden = |text: &str| self.target.removed_from(&secrets.removed_from(text));
        let what = match error {
            CallError::Status { status, body, .. } => {
                let found = String::from_utf8_lossy(body);
                let words: Vec<String> =
                    hidden(&found).split_whitespace().map(|word| text::clean(word).to_string()).collect();
                let words: String = words.join(" ").chars().take(MAX_WORDS).collect();
                let quoted = if words.is_empty() { words } else { format!(" {words:?}") };
                format!("expected 200 to 299, found {status}{quoted}{}", next_step(*status))
            }
            other => hidden(&other.to_string()),
        };
        format!("POST to {}: {what}", self.target.host())
    }
}

#[async_trait]
impl Channel for Webhook {
    async fn deliver(&self, message: &Message, now: Timestamp) -> Outcome {
        let secrets = match self.secrets.secrets().await {
            Ok(secrets) => secrets,
            // Somebody will put it right, and nothing was refused by the receiver.
            Err(why) => return Outcome::TryAgain { why: why.to_string(), wait: None },
        };
        match self.send(message, &secrets, now).await {
            Ok(status) => Outcome::Accepted { status },
            Err(error) => outcome(&error, self.told(&error, &secrets)),
        }
    }
}

/// What an error means for whoever wants to try again. What no change at the receiver's end can heal by itself is refused; an
/// address that the administrator may still allow is not, nor is anything that may have been an accident on the way.
fn outcome(error: &CallError, why: String) -> Outcome {
    match error {
        CallError::Status { status: 410, .. } => Outcome::Gone { why },
        CallError::Status { status: 408 | 425 | 429 | 500.., retry_after, .. } => {
            let wait = retry_after.and_then(|wait| SignedDuration::try_from(wait).ok());
            Outcome::TryAgain { why, wait }
        }
        CallError::Status { .. } => Outcome::Refused { why },
        CallError::Refused(_)
        | CallError::Unreachable(_)
        | CallError::Broken(_)
        | CallError::TimedOut
        | CallError::TooLarge { .. }
        | CallError::Quiet(_) => Outcome::TryAgain { why, wait: None },
    }
}

fn next_step(status: u16) -> &'static str {
    match status {
        300..=399 => "; redirects are not followed: name the final address",
        401 | 403 => "; check that the receiver has the same signing secret, and its clock is right",
        404 => "; check the URL",
        410 => "; nothing more is sent there until the channel is changed",
        _ => "",
    }
}

fn body(message: &Message) -> Bytes {
    let kind = message.id().kind;
    let r#type = match kind {
        Kind::Digest => kind.as_str().to_owned(),
        Kind::Proposed | Kind::Reminder | Kind::Cancelled | Kind::Retired => {
            format!("retirement.{}", kind.as_str())
        }
    };
    let data = Data {
        origin: message.id().origin.as_str(),
        language: message.language().tag(),
        title: message.title(),
        lines: message.lines(),
        facts: message.facts(),
    };
    // Text, numbers and times alone: nothing in it can fail to become JSON.
    serde_json::to_vec(&Body { r#type, timestamp: message.made(), data }).unwrap_or_default().into()
}

fn headers(message: &Message, secrets: &SigningSecrets, now: Timestamp, body: &[u8]) -> Option<HeaderMap> {
    let (id, timestamp) = (message.id().to_string(), now.as_second());
    let mut signature = HeaderValue::from_str(&secrets.sign(&id, timestamp, body)).ok()?;
    signature.set_sensitive(true);
    Some(HeaderMap::from_iter([
        (HeaderName::from_static("webhook-id"), HeaderValue::from_str(&id).ok()?),
        (HeaderName::from_static("webhook-timestamp"), HeaderValue::from(timestamp)),
        (HeaderName::from_static("webhook-signature"), signature),
    ]))
}
