//! The user that asks: basic authentication, shown never.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use rollcall_engine::reading::{Failure, FailureKind};

/// User name and password of the web server before the CGIs. It cannot be printed or serialised.
///
/// The user must be none of Nagios' contacts and must be named in `authorized_for_all_hosts` and
/// `authorized_for_all_services` of `cgi.cfg`: to anybody else the CGIs show a part as if it were all.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    user: String,
    password: String,
}

impl Login {
    /// A login; a line feed at the password's end, as files and Secrets often have, is not part of it.
    ///
    /// # Errors
    /// `Misconfigured` when the user name is empty or holds a colon, or the password is empty.
    pub fn new(user: &str, password: &str) -> Result<Self, Failure> {
        let (user, password) = (user.trim(), password.trim_end_matches(['\r', '\n']));
        let wrong = |expected: &str| {
            let message = format!("login: expected {expected}; look at the Secret");
            Failure::new(FailureKind::Misconfigured, message)
        };
        if user.is_empty() || user.contains(':') {
            return Err(wrong("a user name without a colon"));
        }
        if password.is_empty() {
            return Err(wrong("a password, found none"));
        }
        Ok(Self { user: user.to_owned(), password: password.to_owned() })
    }

    /// The header's value, marked so that no log of the HTTP library shows it.
    pub(super) fn header(&self) -> HeaderValue {
        let encoded = STANDARD.encode(format!("{}:{}", self.user, self.password));
        // Base64 is what a header can carry.
        let mut value =
            HeaderValue::from_str(&format!("Basic {encoded}")).unwrap_or(HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }

    /// The text without the password, should somebody have echoed it.
    pub(super) fn removed_from(&self, text: &str) -> String {
        let encoded = STANDARD.encode(format!("{}:{}", self.user, self.password));
        text.replace(&encoded, "[login]").replace(&self.password, "[password]")
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_checked_and_never_shown() {
        let login = Login::new("rollcall", "s3cret:ü\n").unwrap();
        assert_eq!(format!("{login:?}"), "Login([redacted])");
        assert_eq!(login.header().to_str().unwrap(), "Basic cm9sbGNhbGw6czNjcmV0OsO8");
        assert!(format!("{:?}", login.header()).contains("Sensitive"));
        let echo = login.removed_from("no s3cret:ü, no cm9sbGNhbGw6czNjcmV0OsO8");
        assert_eq!(echo, "no [password], no [login]");
        for (user, password) in [("", "p"), ("a:b", "p"), ("a", ""), ("a", "\n")] {
            assert_eq!(Login::new(user, password).unwrap_err().kind, FailureKind::Misconfigured);
        }
    }
}
