//! What struck one call: the question a fake asks while it answers.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::Fault;

/// A proxy's or sign-in page, when [`Fault::Garbage`] names no body.
const PAGE: &str = "<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>";

/// Time for the bytes before a cut to reach the socket.
const FLUSH: Duration = Duration::from_millis(10);

/// The faults that struck one call; usually none.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Strike(Vec<Fault>);

/// What replaces an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instead {
    /// The service's throttling error.
    Throttled,
    /// The service's refusal of the caller's rights.
    Denied,
    /// This status, with this body or the service's own error shape.
    Status(u16, Option<String>),
    /// 200 with this body.
    Garbage(String),
}

impl Strike {
    /// These faults, oldest rule first.
    pub fn of(faults: Vec<Fault>) -> Self {
        Self(faults)
    }

    /// The kinds of the faults that struck.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(Fault::name)
    }

    /// How long to wait before anything else; latencies add up.
    #[must_use]
    pub fn latency(&self) -> Duration {
        self.first_each(
            |f| if let Fault::Latency { ms } = f { Some(Duration::from_millis(*ms)) } else { None },
        )
        .sum()
    }

    /// What to send instead of an answer, if anything.
    #[must_use]
    pub fn instead(&self) -> Option<Instead> {
        let replaced = |fault: &Fault| match fault {
            Fault::Throttle { .. } => Some(Instead::Throttled),
            Fault::Denied => Some(Instead::Denied),
            Fault::Status { status, body } => Some(Instead::Status(*status, body.clone())),
            Fault::Garbage { body } => {
                Some(Instead::Garbage(body.clone().unwrap_or_else(|| PAGE.to_owned())))
            }
            _ => None,
        };
        self.first_each(replaced).next()
    }

    /// Whether to answer an empty list.
    #[must_use]
    pub fn empty(&self) -> bool {
        self.0.contains(&Fault::EmptyAnswer)
    }

    /// Whether the way on leads to the same page.
    #[must_use]
    pub fn repeat_page(&self) -> bool {
        self.0.contains(&Fault::RepeatPage)
    }

    /// Whether the way on leads past the next page.
    #[must_use]
    pub fn skip_page(&self) -> bool {
        self.0.contains(&Fault::SkipPage)
    }

    /// How many items of the page are told with another status, and with which.
    #[must_use]
    pub fn item_status(&self) -> Option<(usize, &str)> {
        let struck = |fault| match fault {
            &Fault::ItemStatus { items, ref status } => Some((items, status.as_str())),
            _ => None,
        };
        self.first_each(struck).next()
    }

    /// The remarks on the answer.
    pub fn remarks(&self) -> impl Iterator<Item = &str> {
        self.first_each(|f| if let Fault::Remark { message } = f { Some(message.as_str()) } else { None })
    }

    /// The world time that the answer tells.
    #[must_use]
    pub fn as_of(&self, now: Timestamp) -> Timestamp {
        let stale = |f: &Fault| if let Fault::StaleRead { seconds } = f { Some(*seconds) } else { None };
        let behind = self.first_each(stale).max().unwrap_or(0);
        now.checked_sub(SignedDuration::from_secs(i64::from(behind))).unwrap_or(Timestamp::MIN)
    }

    /// Drops and reorders the items of one page, as struck.
    pub fn distort<T>(&self, items: &mut Vec<T>) {
        for fault in &self.0 {
            match fault {
                Fault::DropItems { items: n } => drop(items.drain(..items.len().min(*n))),
                Fault::ReorderItems { seed } => shuffle(items, *seed),
                Fault::EmptyAnswer => items.clear(),
                _ => {}
            }
        }
    }

    /// Applies what happens on the wire: the last step of answering.
    #[must_use]
    pub async fn deliver(&self, answer: Response) -> Response {
        let cut =
            |f: &Fault| if let Fault::CutConnection { after_bytes } = f { Some(*after_bytes) } else { None };
        match self.first_each(cut).min() {
            Some(after) => cut_short(answer, after).await,
            None => answer,
        }
    }

    fn first_each<'a, T>(
        &'a self,
        pick: impl Fn(&'a Fault) -> Option<T> + 'a,
    ) -> impl Iterator<Item = T> + 'a {
        self.0.iter().filter_map(pick)
    }
}

impl Instead {
    /// The answer for a replacement that is not in the service's own words; `None` when the fake must word it.
    #[must_use]
    pub fn verbatim(&self) -> Option<Response> {
        match self {
            Instead::Garbage(body) => {
                Some(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body.clone()).into_response())
            }
            Instead::Status(status, Some(body)) => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Some((status, body.clone()).into_response())
            }
            Instead::Throttled | Instead::Denied | Instead::Status(_, None) => None,
        }
    }
}

/// Sends `after` bytes under the full length, then fails the body: the server closes the connection.
async fn cut_short(answer: Response, after: usize) -> Response {
    let (mut parts, body) = answer.into_parts();
    // Answers are made in memory by ourselves, so that there is no length to fear.
    let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, whole.len().max(after + 1).into());
    let told = whole.slice(..whole.len().min(after));
    let failure = async {
        // hyper drops what it has not flushed when a body fails: let the first bytes leave.
        tokio::time::sleep(FLUSH).await;
        Err(std::io::ErrorKind::ConnectionReset.into())
    };
    let steps = stream::iter([Ok::<Bytes, std::io::Error>(told)]).chain(stream::once(failure));
    Response::from_parts(parts, Body::from_stream(steps))
}

/// Fisher–Yates over a splitmix generator: the same seed and length, the same order.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..items.len()).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let pick = usize::try_from((z ^ (z >> 31)) % (last as u64 + 1)).unwrap_or(0);
        items.swap(last, pick);
    }
}
