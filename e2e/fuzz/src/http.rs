//! HTTP: how long a server wants to be left alone, and what its refusals say.

use jiff::Timestamp;
use rollcall_monitoring::http::{self, MAX_QUIET};
use rollcall_monitoring::mackerel::answers;

/// With all that a header can carry and a message escapes.
const KEY: &str = r#"s3cret-"\-key"#;

pub(crate) fn retry_after(data: &[u8]) {
    let Ok(value) = std::str::from_utf8(data) else { return };
    for now in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
        let quiet = http::retry_after(value, now);
        assert!(quiet.is_none_or(|quiet| quiet <= MAX_QUIET), "{quiet:?}");
    }
}

/// What is told of a refusal fits on a line and never shows the key, as it is or as a message escapes it. The first byte stands
/// for the status; `KEY` in the body is the key itself, as a server might echo it.
pub(crate) fn refusal(data: &[u8]) {
    let Some((status, body)) = data.split_first() else { return };
    let body = String::from_utf8_lossy(body).replace("KEY", &KEY.escape_default().to_string());
    let told = answers::refusal(200 + 2 * u16::from(*status), body.as_bytes(), KEY);
    let Ok(failure) = told else { return };
    let message = failure.message;
    assert!(message.chars().count() <= 512 && !message.chars().any(char::is_control), "{message}");
    for shown in [&KEY.get(..6).unwrap_or_default().to_owned(), &format!("{KEY:?}")] {
        assert!(!message.contains(shown.trim_matches('"')), "{message}");
    }
}
