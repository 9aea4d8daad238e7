//! The API key: read when it is used, shown never.

use std::fmt;

use async_trait::async_trait;
use reqwest::header::HeaderValue;
use rollcall_engine::reading::{Failure, FailureKind};
use sha2::{Digest, Sha256};

use crate::endpoint::Endpoint;

/// An API key of one Mackerel organisation. It cannot be printed or serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// The key in this text; white space around it, as files and Secrets often have, is not part of it.
    ///
    /// # Errors
    /// `Misconfigured` when nothing is left, or a character that no header can carry.
    pub fn new(text: &str) -> Result<Self, Failure> {
        let key = text.trim();
        let wrong = |found: &str| {
            let message = format!("API key: expected printable ASCII, found {found}; look at the Secret");
            Failure::new(FailureKind::Misconfigured, message)
        };
        match key {
            "" => Err(wrong("nothing")),
            _ if !key.bytes().all(|b| b.is_ascii_graphic()) => Err(wrong("other characters")),
            _ => Ok(Self(key.to_owned())),
        }
    }

    /// Names the pair of an endpoint and a key: two objects with the same one reach the same organisation with the same
    /// rights, and are polled once. Tells nothing about the key.
    #[must_use]
    pub fn fingerprint(&self, endpoint: &Endpoint) -> Fingerprint {
        let mut hash = Sha256::new_with_prefix(b"rollcall mackerel source\0");
        hash.update(endpoint.as_str());
        hash.update(b"\0");
        hash.update(&self.0);
        Fingerprint(hash.finalize().into())
    }

    /// The header's value, marked so that no log of the HTTP library shows it.
    pub(super) fn header(&self) -> HeaderValue {
        // `new` let only what a header can carry through.
        let mut value = HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }

    /// The text without the key, should somebody have echoed it.
    pub(super) fn removed_from(&self, text: &str) -> String {
        text.replace(&self.0, "[key]")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}

/// What [`ApiKey::fingerprint`] tells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

/// Where the key comes from. Asked once at the beginning of each poll, so that a rotated key needs no restart.
#[async_trait]
pub trait KeySource: Send + Sync {
    /// The key as it is now.
    ///
    /// # Errors
    /// Why there is none: the Secret is missing, or must not be read.
    async fn key(&self) -> Result<ApiKey, Failure>;
}

#[async_trait]
impl KeySource for ApiKey {
    async fn key(&self) -> Result<ApiKey, Failure> {
        Ok(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::EndpointPolicy;

    #[test]
    fn a_key_is_trimmed_checked_and_never_shown() {
        let key = ApiKey::new(" s3cret\n").unwrap();
        assert_eq!(format!("{key:?} {key:#?}"), "ApiKey([redacted]) ApiKey([redacted])");
        assert_eq!(key.header(), "s3cret");
        assert!(format!("{:?}", key.header()).contains("Sensitive"));
        for wrong in ["", " \n", "s3 cret", "s3cret\u{e9}", "s3\u{0}cret"] {
            let message = ApiKey::new(wrong).unwrap_err().message;
            assert!(!message.contains("s3"), "{message}");
        }
    }

    #[test]
    fn the_same_endpoint_and_key_are_one_source_and_others_are_not() {
        let endpoint = |url: &str| EndpointPolicy::default().endpoint(url).unwrap();
        let of = |url: &str, key: &str| ApiKey::new(key).unwrap().fingerprint(&endpoint(url));
        let one = of("https://api.mackerelio.com/", "a");
        assert_eq!(one, of("https://api.mackerelio.com", "a\n"));
        assert_eq!(one, of("HTTPS://API.mackerelio.com:443/", "a"));
        assert_ne!(one, of("https://api.mackerelio.com/", "b"));
        assert_ne!(one, of("https://kcps-mackerel.io/", "a"));
        assert_ne!(of("https://a.example/", "b"), of("https://a.example/b", "b"));
        assert!(!format!("{one:?}").contains("mackerelio"));
    }
}
