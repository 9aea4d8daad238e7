//! What an answer that is not 200 means, and how we tell it: object, expected, found, next step; never a body.

use rollcall_engine::reading::{Failure, FailureKind};

use super::entries::NotAnAnswer;
use super::login::Login;
use crate::http::CallError;

/// The failure that `error` means for the call `what` (`GET /nagios4/cgi-bin/statusjson.cgi of nagios.example`).
pub(super) fn failure(what: &str, error: &CallError, login: &Login) -> Failure {
    let (kind, next) = meaning(error);
    let next = if next.is_empty() { String::new() } else { format!("; {next}") };
    Failure::new(kind, login.removed_from(&format!("{what}: {error}{next}")))
}

fn meaning(error: &CallError) -> (FailureKind, &'static str) {
    match error {
        CallError::Refused(_) => (FailureKind::Misconfigured, ""),
        CallError::Unreachable(_) | CallError::Broken(_) => (FailureKind::Unreachable, ""),
        CallError::TimedOut => (FailureKind::TimedOut, ""),
        CallError::TooLarge { .. } => (FailureKind::TooLarge, ""),
        CallError::Quiet(_) => (FailureKind::Throttled, ""),
        CallError::Status { status, .. } => match status {
            401 | 403 | 407 => (
                FailureKind::Denied,
                "check user name and password, and that the web server lets this user to the CGIs",
            ),
            404 | 410 => (
                FailureKind::Misconfigured,
                "check the URL: the folder that holds statusjson.cgi and objectjson.cgi",
            ),
            408 => (FailureKind::TimedOut, ""),
            429 => (FailureKind::Throttled, "it is asked again at the next poll"),
            300..=399 => (FailureKind::Misconfigured, "redirects are not followed: name the final address"),
            500.. => (FailureKind::SourceError, "see the web server's error log"),
            _ => (FailureKind::Malformed, ""),
        },
    }
}

/// The failure that a document which is no answer means.
pub(super) fn no_answer(error: &NotAnAnswer) -> Failure {
    let kind = match error {
        NotAnAnswer::Empty => FailureKind::Unreachable,
        _ => FailureKind::Malformed,
    };
    Failure::new(kind, error.to_string())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn each_status_has_its_meaning_and_no_password_is_shown() {
        let login = Login::new("u", "s3cret").unwrap();
        let status = |status| CallError::Status { status, body: Bytes::from("s3cret"), retry_after: None };
        for (error, kind, told) in [
            (status(401), FailureKind::Denied, "found 401; check user name"),
            (status(403), FailureKind::Denied, "found 403; check user name"),
            (status(404), FailureKind::Misconfigured, "found 404; check the URL"),
            (status(302), FailureKind::Misconfigured, "found 302; redirects are not followed"),
            (status(429), FailureKind::Throttled, "found 429; it is"),
            (status(500), FailureKind::SourceError, "found 500; see"),
            (status(204), FailureKind::Malformed, "found 204"),
            (CallError::TimedOut, FailureKind::TimedOut, "no answer in time"),
            (CallError::Unreachable("s3cret".into()), FailureKind::Unreachable, "[password]"),
        ] {
            let failure = failure("GET /x", &error, &login);
            assert_eq!(failure.kind, kind, "{error:?}");
            assert!(failure.message.contains(told) && !failure.message.contains("s3cret"), "{failure:?}");
        }
    }
}
