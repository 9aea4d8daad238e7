//! What an answer that is not 200 means, and how we tell it: object, expected, found, next step; never a body, never a key.

use rollcall_engine::reading::{Failure, FailureKind};
use serde_json::Value;

use super::key::ApiKey;
use crate::http::CallError;

/// As much of Mackerel's own words is repeated, in characters.
const MAX_WORDS: usize = 160;

/// The failure that `error` means for the call `what` (`GET /api/v0/hosts of api.mackerelio.com`).
pub(super) fn failure(what: &str, error: &CallError, key: &ApiKey) -> Failure {
    let (kind, next) = meaning(error);
    let words = match error {
        CallError::Status { body, .. } => words(body).map(|w| shown(&w, key)).unwrap_or_default(),
        _ => String::new(),
    };
    let next = if next.is_empty() { String::new() } else { format!("; {next}") };
    Failure::new(kind, key.removed_from(&format!("{what}: {error}{words}{next}")))
}

/// Whether this is Mackerel's own 404, and not a proxy's or another server's.
pub(super) fn says_absent(error: &CallError) -> bool {
    matches!(error, CallError::Status { status: 404, body, .. } if words(body).is_some())
}

fn meaning(error: &CallError) -> (FailureKind, &'static str) {
    match error {
        CallError::Refused(_) => (FailureKind::Misconfigured, ""),
        CallError::Unreachable(_) | CallError::Broken(_) => (FailureKind::Unreachable, ""),
        CallError::TimedOut => (FailureKind::TimedOut, ""),
        CallError::TooLarge { .. } => (FailureKind::TooLarge, ""),
        CallError::Quiet(_) => (FailureKind::Throttled, ""),
        CallError::Status { status, .. } => match status {
            401..=403 => (
                FailureKind::Denied,
                "check that the key is valid and may read, and that the organisation's IP allow list holds this address",
            ),
            404 => (FailureKind::Misconfigured, "check the base URL"),
            408 => (FailureKind::TimedOut, ""),
            429 => (FailureKind::Throttled, "it is asked again at the next poll"),
            300..=399 => (FailureKind::Misconfigured, "redirects are not followed: name the final address"),
            500.. => (FailureKind::SourceError, "it is asked again at the next poll"),
            _ => (FailureKind::Malformed, ""),
        },
    }
}

/// The message of `{"error":{"message":"…"}}` or `{"error":"…"}`; both shapes are in use.
fn words(body: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let error = document.get("error")?;
    let text = error.get("message").unwrap_or(error).as_str()?;
    Some(text.to_owned())
}

/// Mackerel's words in quotes. A key that is echoed goes first: nobody finds it once it is cut or its quotes are escaped.
fn shown(words: &str, key: &ApiKey) -> String {
    let words: String = key.removed_from(words).chars().take(MAX_WORDS).collect();
    format!(" {words:?}")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn status(status: u16, body: &'static str) -> CallError {
        CallError::Status { status, body: Bytes::from_static(body.as_bytes()), retry_after: None }
    }

    #[test]
    fn refusals_in_both_shapes_and_in_none() {
        let key = ApiKey::new("s3cret").unwrap();
        for (error, kind, told) in [
            (
                status(403, r#"{"error":{"message":"no right"}}"#),
                FailureKind::Denied,
                "found 403 \"no right\"; check",
            ),
            (
                status(401, r#"{"error":"bad key s3cret"}"#),
                FailureKind::Denied,
                "found 401 \"bad key [key]\"; check",
            ),
            (status(402, ""), FailureKind::Denied, "found 402; check"),
            (
                status(404, "<html>not here</html>"),
                FailureKind::Misconfigured,
                "found 404; check the base URL",
            ),
            (status(429, r#"{"error":{}}"#), FailureKind::Throttled, "found 429; it is"),
            (status(502, "<html>"), FailureKind::SourceError, "found 502; it is"),
            (status(301, ""), FailureKind::Misconfigured, "found 301; redirects are not followed"),
            (status(204, ""), FailureKind::Malformed, "found 204"),
            (status(400, r#"{"error":{"message":7}}"#), FailureKind::Malformed, "found 400"),
            (CallError::TimedOut, FailureKind::TimedOut, "no answer in time"),
        ] {
            let failure = failure("GET /x", &error, &key);
            assert_eq!(failure.kind, kind, "{error:?}");
            assert!(
                failure.message.contains(told) && !failure.message.contains("s3cret"),
                "{}",
                failure.message
            );
        }
    }

    #[test]
    fn a_key_that_is_echoed_is_not_shown_though_it_is_cut_or_has_to_be_escaped() {
        let key = ApiKey::new(r#"s3cret-"\-key"#).unwrap();
        for before in [0, MAX_WORDS - 40, MAX_WORDS - 10, MAX_WORDS - 1] {
            let body = serde_json::json!({"error": format!("{}{}", "x".repeat(before), r#"s3cret-"\-key"#)});
            let error =
                CallError::Status { status: 403, body: Bytes::from(body.to_string()), retry_after: None };
            let failure = failure("GET /x", &error, &key);
            assert!(!failure.message.contains("s3"), "{}", failure.message);
        }
    }

    #[test]
    fn only_mackerels_own_404_is_an_absence() {
        assert!(says_absent(&status(404, r#"{"error":{"message":"Host Not Found."}}"#)));
        assert!(says_absent(&status(404, r#"{"error":"Host Not Found."}"#)));
        for other in
            [status(404, "<html>"), status(404, ""), status(404, "{}"), status(403, r#"{"error":"x"}"#)]
        {
            assert!(!says_absent(&other), "{other:?}");
        }
    }
}
