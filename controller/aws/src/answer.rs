//! Judges the body of an answer before the SDK reads it.
//!
//! The SDK's XML reader takes a document that ends too early, or breaks in the middle, for a shorter list, and
//! says nothing. To us that would be hosts that are not there. So an answer is believed only when it is whole:
//! this module runs the very tokenizer that the SDK uses over it and refuses what the SDK would pass over.
//! It must never quote a body, and needs nothing of the SDK, so that e2e/fuzz can compile it without one. What CloudWatch answers
//! in CBOR is judged likewise by `cbor.rs`.

use rollcall_engine::reading::FailureKind;
use xmlparser::{ElementEnd, Token, Tokenizer};

/// Why an answer is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadAnswer {
    #[error("the answer is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("expected XML with root <{expected}>, found <{found}> (a proxy's or sign-in page?)")]
    OtherRoot { expected: String, found: String },
    #[error("expected whole XML, found what {how}")]
    NotWhole { how: &'static str },
    #[error("expected a whole CBOR map, found what {how}")]
    NotWholeCbor { how: &'static str },
}

impl BadAnswer {
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            Self::TooLarge { .. } => FailureKind::TooLarge,
            Self::OtherRoot { .. } | Self::NotWhole { .. } | Self::NotWholeCbor { .. } => {
                FailureKind::Malformed
            }
        }
    }
}

/// The text of an answer, if it is one whole XML document with this root.
///
/// Characters that XML cannot carry become U+FFFD first: one host's hostile tag must not blind us to all others.
pub(crate) fn whole(body: Vec<u8>, root: &str) -> Result<String, BadAnswer> {
    let text = readable(body);
    let broken = |how| BadAnswer::NotWhole { how };
    let mut open: Vec<&str> = Vec::new();
    let mut found = None;
    for token in Tokenizer::from(text.as_str()) {
        match token.map_err(|_| broken("breaks in the middle"))? {
            Token::ElementStart { local, .. } => {
                if found.is_none() {
                    found = Some(local.as_str());
                    if local.as_str() != root {
                        return Err(other_root(root, local.as_str()));
                    }
                }
                open.push(local.as_str());
            }
            Token::ElementEnd { end: ElementEnd::Empty, .. } => drop(open.pop()),
            Token::ElementEnd { end: ElementEnd::Close(_, local), .. } => {
                let closed = open.pop();
                if closed != Some(local.as_str()) {
                    return Err(broken("closes an element that is not open"));
                }
            }
            _ => {}
        }
    }
    match (found, open.is_empty()) {
        (None, _) => Err(broken("holds no element")),
        (Some(_), false) => Err(broken("ends before the document does")),
        (Some(_), true) => Ok(text),
    }
}

fn readable(body: Vec<u8>) -> String {
    let text = String::from_utf8(body).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
    if text.chars().all(carried_by_xml) {
        return text;
    }
    text.chars().map(|c| if carried_by_xml(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// XML 1.0's `Char` production.
fn carried_by_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn other_root(expected: &str, found: &str) -> BadAnswer {
    let plain = |c: &char| c.is_ascii_alphanumeric();
    BadAnswer::OtherRoot {
        expected: expected.to_owned(),
        found: found.chars().filter(plain).take(40).collect(),
    }
}

/// AWS's error code in the body of a refusal, when there is one that looks like one.
pub(crate) fn error_code(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body.get(..body.len().min(4096))?);
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    plain_code(code)
}

/// The code, when it is made of what AWS's codes are made of; anything else is not repeated.
pub(crate) fn plain_code(code: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (!code.is_empty() && code.len() <= 64 && code.chars().all(plain)).then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGE: &str =
        "<?xml version=\"1.0\"?>\n<R xmlns=\"http://x/\"><set><item><id>i-1</id><a/></item></set></R>\n";

    fn judge(body: &str) -> Result<String, BadAnswer> {
        whole(body.as_bytes().to_vec(), "R")
    }

    #[test]
    fn a_whole_answer_passes_unchanged() {
        assert_eq!(judge(PAGE).unwrap(), PAGE);
    }

    #[test]
    fn what_is_no_answer_is_named_and_never_quoted() {
        for (body, says) in [
            ("", "holds no element"),
            ("signed out, secret", "breaks in the middle"),
            ("<html><body>secret</body></html>", "found <html>"),
            ("<!DOCTYPE html><html><body>secret<br></body></html>", "found <html>"),
            ("<R><set><item>secret</item>", "ends before the document does"),
            ("<R><set><item>secret</set></item></R>", "closes an element that is not open"),
            ("<R><set>sec]]>ret</set></R>", "breaks in the middle"),
            ("<R></R><R></R>", "breaks in the middle"),
        ] {
            let error = judge(body).unwrap_err().to_string();
            assert!(error.contains(says), "{body}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn one_hostile_character_does_not_blind_us_to_the_rest() {
        let body = b"<R><v>a\x01\xffb\xEF\xBF\xBFc</v></R>".to_vec();
        assert_eq!(whole(body, "R").unwrap(), "<R><v>a\u{FFFD}\u{FFFD}b\u{FFFD}c</v></R>");
    }

    proptest! {
        /// Wherever an answer is cut before its last tag is closed, it is refused.
        #[test]
        fn no_cut_passes(at in 0..PAGE.trim_end().len()) {
            prop_assert!(judge(&PAGE[..at]).is_err());
        }
    }

    #[test]
    fn codes_are_repeated_only_when_they_look_like_codes() {
        let body =
            |code: &str| format!("<Response><Errors><Error><Code>{code}</Code></Error></Errors></Response>");
        let code = |c: &str| error_code(body(c).as_bytes());
        assert_eq!(code("InvalidInstanceID.NotFound").as_deref(), Some("InvalidInstanceID.NotFound"));
        assert_eq!(code("AKIA <script>"), None);
        assert_eq!(code(&"x".repeat(65)), None);
        assert_eq!(error_code(b"<html>"), None);
    }
}
