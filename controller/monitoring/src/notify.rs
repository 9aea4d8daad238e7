//! How people are told: a channel takes one message and says what came of it.
//!
//! One attempt each; when to try again is the outbox's to say ([`rollcall_engine::notice::outbox`]). A channel never decides
//! what is told, never changes its words, and shows no secret, in no error and no log, though the receiver echoes it.

mod secret;
mod webhook;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_engine::notice::Message;
use rollcall_engine::notice::outbox::Outcome;

use crate::http::Patience;

pub use secret::{BadSecret, MAX_SECRETS, SecretSource, SigningSecrets};
pub use webhook::Webhook;

/// A way to reach people.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Tries once to deliver it, at `now` by the clock of this machine. Cannot fail: a failure is what the outcome says.
    async fn deliver(&self, message: &Message, now: Timestamp) -> Outcome;
}

/// How long a delivery is worth our while. A receiver has only to take a few kilobytes; an answer that comes later than this is
/// the answer of one that works before it answers, and will see the same id again.
#[must_use]
pub fn patience() -> Patience {
    let seconds = Duration::from_secs;
    Patience {
        attempts: 1,
        attempt: seconds(15),
        connect: seconds(5),
        total: seconds(20),
        ..Patience::default()
    }
}
