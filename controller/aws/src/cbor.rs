//! Answers in CBOR (Smithy RPC v2), judged before the SDK reads them.

use minicbor::Decoder;
use minicbor::data::Type;

use crate::answer::{BadAnswer, plain_code};

/// The body of an answer, if it is one whole map and nothing else.
pub(crate) fn whole(body: Vec<u8>) -> Result<Vec<u8>, BadAnswer> {
    let broken = |how| BadAnswer::NotWholeCbor { how };
    let mut decoder = Decoder::new(&body);
    match decoder.datatype() {
        Ok(Type::Map | Type::MapIndef) => {}
        // No map, but the beginning of a page or of XML.
        _ if body.first() == Some(&b'<') => return Err(broken("is markup (a proxy's or sign-in page?)")),
        _ => return Err(broken("is no map")),
    }
    decoder.skip().map_err(|_| broken("ends too early, or breaks in the middle"))?;
    if decoder.position() == body.len() { Ok(body) } else { Err(broken("goes on after its end")) }
}

/// AWS's error code in the body of a refusal: `__type`, without its namespace.
pub(crate) fn error_code(body: &[u8]) -> Option<String> {
    let mut decoder = Decoder::new(body);
    let fields = decoder.map().ok()?.unwrap_or(u64::MAX);
    for _ in 0..fields {
        if decoder.str().ok()? == "__type" {
            let code = decoder.str().ok()?;
            return plain_code(code.rsplit_once('#').map_or(code, |(_, code)| code));
        }
        decoder.skip().ok()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use minicbor::Encoder;
    use proptest::prelude::*;

    fn answer() -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        encoder.map(2).unwrap().str("MetricDataResults").unwrap().begin_array().unwrap();
        encoder.map(1).unwrap().str("Values").unwrap().array(2).unwrap().f64(0.5).unwrap().f64(1.0).unwrap();
        encoder.end().unwrap().str("NextToken").unwrap().str("t").unwrap();
        encoder.into_writer()
    }

    #[test]
    fn a_whole_answer_passes_unchanged_and_nothing_may_follow_it() {
        assert_eq!(whole(answer()).unwrap(), answer());
        let says = |body: Vec<u8>| whole(body).unwrap_err().to_string();
        assert!(says([answer(), vec![0]].concat()).contains("goes on after its end"));
        assert!(says(b"<html>secret</html>".to_vec()).contains("is markup"));
        assert!(says(b"secret".to_vec()).contains("is no map"));
        assert!(says(Vec::new()).contains("is no map"));
        assert!(!says(b"secret".to_vec()).contains("secret"));
    }

    #[test]
    fn the_code_of_a_refusal_is_repeated_only_when_it_looks_like_one() {
        let body = |code: &str| {
            let mut encoder = Encoder::new(Vec::new());
            encoder.begin_map().unwrap().str("message").unwrap().str("m").unwrap();
            encoder.str("__type").unwrap().str(code).unwrap().end().unwrap();
            encoder.into_writer()
        };
        assert_eq!(error_code(&body("com.amazonaws.cloudwatch#Throttling")).as_deref(), Some("Throttling"));
        assert_eq!(error_code(&body("AccessDenied")).as_deref(), Some("AccessDenied"));
        assert_eq!(error_code(&body("AKIA <script>")), None);
        assert_eq!((error_code(b"<html>"), error_code(&[0xa0])), (None, None));
        assert_eq!(error_code(&[0xbf]), None, "a map that never ends");
    }

    proptest! {
        /// Wherever an answer is cut, it is refused.
        #[test]
        fn no_cut_passes(at in 0..answer().len()) {
            prop_assert!(whole(answer()[..at].to_vec()).is_err());
        }

        /// Nothing that comes makes it fail otherwise.
        #[test]
        fn anything_is_judged(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = error_code(&body);
            if let Ok(whole) = whole(body.clone()) {
                prop_assert_eq!(whole, body);
            }
        }
    }
}
