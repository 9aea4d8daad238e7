//! The name of a notice: the same for the same event, however often it is told, and on whichever day.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Characters of an [`Origin`]; Kubernetes' uids have 36.
const MAX_ORIGIN: usize = 64;

/// What a notice is about, by a name that is never used again: the uid of a `Retirement`, which is the id of its mark, or that of
/// the object that wants a digest. Letters, digits and hyphens.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(Arc<str>);

/// What cannot be part of the name of a notice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found:?}")]
pub struct BadId {
    expected: &'static str,
    found: String,
}

impl Origin {
    /// The origin of this uid.
    ///
    /// # Errors
    /// When it is empty, long, or has other characters than uids have.
    pub fn new(uid: &str) -> Result<Self, BadId> {
        let plain = uid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if plain && (1..=MAX_ORIGIN).contains(&uid.len()) {
            return Ok(Self(Arc::from(uid)));
        }
        let found = crate::text::clean(uid).to_string();
        Err(BadId { expected: "the uid of an object", found })
    }

    /// The uid.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Origin {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        Self::new(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0.to_string()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// What kind of news it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// A host looks unused, and what will be done. The wait begins when a channel has accepted it.
    Proposed,
    /// The act is near.
    Reminder,
    /// It will not be done after all.
    Cancelled,
    /// It was done.
    Retired,
    /// The week.
    Digest,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Proposed, Self::Reminder, Self::Cancelled, Self::Retired, Self::Digest];

    /// As it stands in a [`NoticeId`].
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Reminder => "reminder",
            Self::Cancelled => "cancelled",
            Self::Retired => "retired",
            Self::Digest => "digest",
        }
    }
}

/// `msg_<origin>_<kind>_<occurrence>`: which event of which mark. Whoever has seen an id has seen the event.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NoticeId {
    /// Of which mark.
    pub origin: Origin,
    /// What happened.
    pub kind: Kind,
    /// How often it had happened before: 0 for the first time. Of a digest its week, 202647.
    pub occurrence: u32,
}

impl fmt::Display for NoticeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "msg_{}_{}_{}", self.origin, self.kind.as_str(), self.occurrence)
    }
}

impl fmt::Debug for NoticeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl TryFrom<String> for NoticeId {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        let bad = || BadId {
            expected: "msg_<uid>_<kind>_<occurrence>",
            found: crate::text::clean(&text).to_string(),
        };
        let parts: Vec<&str> = text.split('_').collect();
        let ["msg", origin, kind, occurrence] = parts.as_slice() else { return Err(bad()) };
        let kind = Kind::ALL.into_iter().find(|known| known.as_str() == *kind).ok_or_else(bad)?;
        let number = occurrence.parse().map_err(|_| bad())?;
        let id = Self { origin: Origin::new(origin)?, kind, occurrence: number };
        // `+0` and `00` are numbers too, and would be other names of the same event.
        if id.to_string() == text { Ok(id) } else { Err(bad()) }
    }
}

impl From<NoticeId> for String {
    fn from(id: NoticeId) -> Self {
        id.to_string()
    }
}
