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

/// What is told of a refusal fits on a line, and says of a server that echoes the key just what it would say of one that writes
/// `[key]`, wherever it stands. The first byte stands for the status, `KEY` in the body for the key.
pub(crate) fn refusal(data: &[u8]) {
    let Some((status, body)) = data.split_first() else { return };
    let body = String::from_utf8_lossy(body);
    let told = |echoed: &str| {
        let body = body.replace("KEY", echoed);
        let failure = answers::refusal(200 + 2 * u16::from(*status), body.as_bytes(), KEY);
        failure.map(|failure| failure.message).unwrap_or_default()
    };
    let message = told(&KEY.escape_default().to_string());
    assert!(message.chars().count() <= 512 && !message.chars().any(char::is_control), "{message}");
    assert_eq!(message, told("[key]"));
}
