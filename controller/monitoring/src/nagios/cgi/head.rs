//! `result`, the head of every answer: whether it is one at all, whose, and of when.

use jiff::Timestamp;
use rollcall_engine::reading::{Failure, FailureKind};
use serde::Deserialize;

/// As much of Nagios' own words is repeated, in characters.
const MAX_WORDS: usize = 160;

/// The head of an answer, as told. Times are milliseconds since the epoch; 0 where there is none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Head {
    type_code: Option<i64>,
    type_text: String,
    message: String,
    /// The user that the CGI took us for; empty: none.
    pub(super) user: String,
    query_time: i64,
    last_data_update: i64,
    program_start: i64,
}

impl Head {
    /// The head in these bytes.
    ///
    /// # Errors
    /// `Malformed` when it is none, `SourceError` when it says that the answer is none: errors come with status 200.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let head: Self = super::decoded(bytes).unwrap_or_default();
        match head.type_code {
            Some(0) => Ok(head),
            Some(code) => {
                let words = |text: &str| text.chars().take(MAX_WORDS).collect::<String>();
                let message = format!(
                    "expected type_code 0, found {code} ({}): {:?}",
                    words(&head.type_text),
                    words(&head.message)
                );
                Err(Failure::new(FailureKind::SourceError, message))
            }
            None => {
                Err(Failure::new(FailureKind::Malformed, "expected a result with a type_code, found none"))
            }
        }
    }

    /// When it was asked, by Nagios' clock.
    pub(super) fn asked(&self) -> Option<Timestamp> {
        moment(self.query_time)
    }

    /// When the status that it tells was written down, by Nagios' clock.
    pub(super) fn updated(&self) -> Option<Timestamp> {
        moment(self.last_data_update)
    }

    /// Since when the program that it tells of has been running.
    pub(super) fn started(&self) -> Option<Timestamp> {
        moment(self.program_start)
    }
}

/// The second of these milliseconds; none for 0, which means never. Nagios counts in seconds and writes three zeros.
pub(super) fn moment(milliseconds: i64) -> Option<Timestamp> {
    crate::nagios::record::moment(milliseconds.div_euclid(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let good = br#"{"type_code":0,"user":"u","query_time":1795403916000,"last_data_update":1795403915999,
            "program_start":0}"#;
        let head = Head::parse(good).unwrap();
        assert_eq!(head.user, "u");
        assert_eq!(head.asked().unwrap().as_second(), 1_795_403_916);
        assert_eq!(head.updated().unwrap().as_second(), 1_795_403_915);
        assert_eq!(head.started(), None);
        for (bytes, kind, told) in [
            (&b"{}"[..], FailureKind::Malformed, "found none"),
            (b"[]", FailureKind::Malformed, "found none"),
            (b"{\"type_code\":\"0\"}", FailureKind::Malformed, "found none"),
            (
                b"{\"type_code\":6,\"type_text\":\"Option Value Invalid\",\"message\":\"The host 'x' could not be found.\"}",
                FailureKind::SourceError,
                "found 6 (Option Value Invalid): \"The host 'x' could",
            ),
        ] {
            let failure = Head::parse(bytes).unwrap_err();
            assert_eq!(failure.kind, kind);
            assert!(failure.message.contains(told), "{}", failure.message);
        }
    }
}
