//! The secrets that sign webhooks: read when they are used, shown never.

use std::fmt;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// While a secret is replaced there are two, seldom three.
pub const MAX_SECRETS: usize = 4;
/// Bytes of a secret, as Standard Webhooks has it ("between 24 bytes and 64 bytes").
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// What stands before one, so that a leaked one is recognised.
const PREFIX: &str = "whsec_";

/// The secrets of one receiver, the newest first. Each one signs, so that a receiver that knows any of them believes us.
#[derive(Clone)]
pub struct SigningSecrets(Vec<Secret>);

#[derive(Clone)]
struct Secret {
    written: String,
    key: hmac::Key,
}

/// Why a text holds no secrets. Never repeats any of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// None, or too many.
    #[error("signing secrets: expected 1 to {MAX_SECRETS}, found {0}; look at the Secret")]
    Count(usize),
    /// One that is none.
    #[error(
        "signing secret {place}: expected {PREFIX} and 24 to 64 bytes in base64, found something else; look at the Secret"
    )]
    NotOne {
        /// Which one, from 1.
        place: usize,
    },
    /// There is none to be had.
    #[error("signing secrets: {0}")]
    Missing(String),
}

impl SigningSecrets {
    /// The secrets in this text, with white space between them.
    ///
    /// # Errors
    /// When there is none, too many, or one that a receiver could not use.
    pub fn new(text: &str) -> Result<Self, BadSecret> {
        let words: Vec<&str> = text.split_whitespace().collect();
        if !(1..=MAX_SECRETS).contains(&words.len()) {
            return Err(BadSecret::Count(words.len()));
        }
        let secrets =
            (1..).zip(words).map(|(place, word)| Secret::new(word).ok_or(BadSecret::NotOne { place }));
        Ok(Self(secrets.collect::<Result<_, _>>()?))
    }

    /// `v1,<base64>` of each, with a space between them: the value of `webhook-signature`.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let signed = [id.as_bytes(), b".", timestamp.to_string().as_bytes(), b".", body].concat();
        let signature = |secret: &Secret| format!("v1,{}", STANDARD.encode(hmac::sign(&secret.key, &signed)));
        self.0.iter().map(signature).collect::<Vec<_>>().join(" ")
    }

    /// The text without any of them, should somebody have echoed it.
    pub(super) fn removed_from(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            let bare = secret.written.trim_start_matches(PREFIX);
            text.replace(&secret.written, "[secret]").replace(bare, "[secret]")
        })
    }
}

impl Secret {
    fn new(word: &str) -> Option<Self> {
        let bytes = STANDARD.decode(word.strip_prefix(PREFIX)?).ok()?;
        let key = || hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        BYTES.contains(&bytes.len()).then(|| Self { written: word.to_owned(), key: key() })
    }
}

impl fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningSecrets([redacted; {}])", self.0.len())
    }
}

/// Where the secrets come from. Asked once for each delivery, so that a new one needs no restart.
#[async_trait]
pub trait SecretSource: Send + Sync {
    /// The secrets as they are now.
    ///
    /// # Errors
    /// Why there are none: the Secret is missing, or must not be read.
    async fn secrets(&self) -> Result<SigningSecrets, BadSecret>;
}

#[async_trait]
impl SecretSource for SigningSecrets {
    async fn secrets(&self) -> Result<SigningSecrets, BadSecret> {
        Ok(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    const KNOWN: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn a_signature_is_the_one_of_the_specification() {
        let secrets = SigningSecrets::new(KNOWN).unwrap();
        let signature =
            secrets.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let both = SigningSecrets::new(&format!("{KNOWN}\nwhsec_{}\n", STANDARD.encode([7; 24]))).unwrap();
        let two = both.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert!(two.starts_with(&format!("{signature} v1,")), "{two}");
    }

    #[test]
    fn what_is_no_secret_is_refused_and_none_is_shown() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![b'x'; bytes]));
        for (text, expected) in [
            (String::new(), BadSecret::Count(0)),
            (vec![of(24); 5].join(" "), BadSecret::Count(5)),
            (of(23), BadSecret::NotOne { place: 1 }),
            (of(65), BadSecret::NotOne { place: 1 }),
            (format!("{KNOWN} s3cret"), BadSecret::NotOne { place: 2 }),
            (KNOWN.replace("whsec_", ""), BadSecret::NotOne { place: 1 }),
            (KNOWN.replace("whsec_", "whpk_"), BadSecret::NotOne { place: 1 }),
        ] {
            let error = SigningSecrets::new(&text).unwrap_err();
            assert_eq!(error, expected);
            let shown = format!("{error} {error:?}");
            assert!(text.split_whitespace().all(|secret| !shown.contains(secret)), "{shown}");
        }
        let secrets = SigningSecrets::new(&format!(" {KNOWN}\n{}\n", of(64))).unwrap();
        assert_eq!(format!("{secrets:?}"), "SigningSecrets([redacted; 2])");
        let echoed = secrets.removed_from(&format!("bad key {KNOWN}, {} and {}", &KNOWN[6..], of(64)));
        assert_eq!(echoed, "bad key [secret], [secret] and [secret]");
    }
}
