//! What one listing of one source told us, and how much of the truth that is.
//!
//! Anybody may look at what was *seen*. Only [`Reading::complete`] lets one ask what was *not* seen, and it
//! answers only for a reading that was complete and is still fresh: an error is never absence.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// One listing (instances of a region, hosts of a Mackerel organisation, checks of one host…).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading<T> {
    /// What was asked, for people: `ec2 instances 123456789012/ap-northeast-1`.
    pub source: String,
    /// How much of the listing `seen` is.
    pub extent: Extent,
    /// What was seen. Empty when it failed. Presence may be read off it at any extent, absence never.
    pub seen: T,
    /// Request ids of the source, for its support; at most [`MAX_REQUEST_IDS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_ids: Vec<String>,
}

/// No reading keeps more request ids than this; the last ones are kept.
pub const MAX_REQUEST_IDS: usize = 5;

/// How much a reading knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Extent {
    /// Everything: every page came, none twice, nothing was hidden.
    #[serde(rename_all = "camelCase")]
    Complete {
        /// When the listing was begun: what is older than this may be missing from it rightly.
        at: Timestamp,
    },
    /// Some of it.
    #[serde(rename_all = "camelCase")]
    Partial {
        /// When the listing was begun.
        at: Timestamp,
        /// What is missing and why.
        missing: Vec<Gap>,
    },
    /// Nothing.
    #[serde(rename_all = "camelCase")]
    Failed {
        /// Since when it has been failing without interruption.
        since: Timestamp,
        /// Why, the last time.
        why: Failure,
    },
}

/// A hole in a partial reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// What is missing: `page 3 and later`.
    pub what: String,
    /// Why.
    pub why: Failure,
}

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The category: condition reason and metric label.
    pub kind: FailureKind,
    /// For people: object, field, expected, found, next step. At most 512 characters, no secret, no body of an answer.
    pub message: String,
}

/// Categories of failure; the name is used as condition reason and metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FailureKind {
    /// Nobody has asked yet.
    NotYetRead,
    /// The source refused our identity or its rights.
    Denied,
    /// The source asked us to slow down, and our patience ended.
    Throttled,
    /// No connection, or it broke.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// An answer that is not what it should be: HTML, cut JSON, a page twice.
    Malformed,
    /// The source's own error (5xx).
    SourceError,
    /// The credentials belong to another account than the object says.
    WrongAccount,
    /// More than our limits allow.
    TooLarge,
    /// The source does not have this listing (an older version of it).
    NotSupported,
    /// The source's configuration here is wrong (missing secret, refused address).
    Misconfigured,
    /// It answered, too long ago to be believed now.
    Stale,
    /// What was asked about is being changed or is in trouble, and is judged once it is steady again.
    Unsteady,
}

impl FailureKind {
    /// The category as a condition reason.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotYetRead => "NotYetRead",
            Self::Denied => "Denied",
            Self::Throttled => "Throttled",
            Self::Unreachable => "Unreachable",
            Self::TimedOut => "TimedOut",
            Self::Malformed => "Malformed",
            Self::SourceError => "SourceError",
            Self::WrongAccount => "WrongAccount",
            Self::TooLarge => "TooLarge",
            Self::NotSupported => "NotSupported",
            Self::Misconfigured => "Misconfigured",
            Self::Stale => "Stale",
            Self::Unsteady => "Unsteady",
        }
    }
}

impl Failure {
    /// A failure with its message cut to 512 characters and freed of control characters.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl AsRef<str>) -> Self {
        let message =
            message.as_ref().chars().map(|c| if c.is_control() { ' ' } else { c }).take(512).collect();
        Self { kind, message }
    }
}

/// A complete, fresh reading: the only value that can say what is not there.
#[derive(Debug)]
pub struct Complete<'a, T> {
    at: Timestamp,
    seen: &'a T,
}

// By hand: a derive would ask for `T: Copy`, and this is only a reference.
impl<T> Clone for Complete<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Complete<'_, T> {}

impl<'a, T> Complete<'a, T> {
    /// When the listing was begun.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }
    /// All there was at that time.
    #[must_use]
    pub fn all(&self) -> &'a T {
        self.seen
    }
}

impl<T> Reading<T> {
    /// A complete reading.
    pub fn complete_at(source: impl Into<String>, at: Timestamp, seen: T) -> Self {
        Self { source: source.into(), extent: Extent::Complete { at }, seen, request_ids: Vec::new() }
    }

    /// The proof of absence, if this reading can give it at `now`: complete, and begun at most `max_age` ago.
    #[must_use]
    pub fn complete(&self, now: Timestamp, max_age: SignedDuration) -> Option<Complete<'_, T>> {
        match &self.extent {
            Extent::Complete { at } if now.duration_since(*at) <= max_age => {
                Some(Complete { at: *at, seen: &self.seen })
            }
            _ => None,
        }
    }

    /// Why [`Self::complete`] says no, or `None` when it says yes.
    #[must_use]
    pub fn blindness(&self, now: Timestamp, max_age: SignedDuration) -> Option<Failure> {
        match &self.extent {
            Extent::Complete { at } if now.duration_since(*at) <= max_age => None,
            Extent::Complete { at } => Some(Failure::new(
                FailureKind::Stale,
                format!("{}: last read completely at {at}", self.source),
            )),
            Extent::Partial { missing, .. } => Some(missing.first().map_or_else(
                || Failure::new(FailureKind::Malformed, format!("{}: incomplete", self.source)),
                |gap| {
                    Failure::new(
                        gap.why.kind,
                        format!("{}: {} missing: {}", self.source, gap.what, gap.why.message),
                    )
                },
            )),
            Extent::Failed { why, .. } => Some(why.clone()),
        }
    }

    /// The same reading of something else: what was seen, seen another way.
    pub fn map<U>(self, view: impl FnOnce(T) -> U) -> Reading<U> {
        let Self { source, extent, seen, request_ids } = self;
        Reading { source, extent, seen: view(seen), request_ids }
    }

    /// When the listing was begun, if it brought anything at all.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        match &self.extent {
            Extent::Complete { at } | Extent::Partial { at, .. } => Some(*at),
            Extent::Failed { .. } => None,
        }
    }
}

impl<T: Default> Reading<T> {
    /// A reading that brought nothing.
    pub fn failed(source: impl Into<String>, since: Timestamp, why: Failure) -> Self {
        Self {
            source: source.into(),
            extent: Extent::Failed { since, why },
            seen: T::default(),
            request_ids: Vec::new(),
        }
    }

    /// A source that nobody has asked yet.
    pub fn not_yet(source: impl Into<String>, now: Timestamp) -> Self {
        Self::failed(source, now, Failure::new(FailureKind::NotYetRead, "not read yet"))
    }
}
