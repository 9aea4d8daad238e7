//! Cuts `{"hosts":[…, …]}` into its elements while the bytes come in.
//!
//! A list of 20,000 hosts is tens of megabytes; at any time only one element is held. Each element is decoded on its
//! own, so that one odd host (too deep, too long, bad escapes) never fails the list. And nothing but the properly closed
//! document counts as whole: [`Elements::finish`] says no to a list that was cut anywhere.

/// No element is longer than this, in bytes; a longer one is told as [`Element::TooLong`].
pub(crate) const MAX_ELEMENT: usize = 1_048_576;
/// Keys beside the list are read up to this length; longer ones are not ours.
const MAX_KEY: usize = 64;

/// One element of the list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    /// Its bytes; not yet known to be JSON.
    Whole(&'a [u8]),
    /// It was longer than [`MAX_ELEMENT`] and was passed over.
    TooLong,
}

/// The document is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAList {
    /// Something else stands where this was expected.
    #[error("expected {expected} at byte {at}, found {}", shown(*.found))]
    Unexpected {
        /// What was expected.
        expected: &'static str,
        /// Where, from 0.
        at: u64,
        /// The byte found.
        found: u8,
    },
    /// It ended too early.
    #[error("the document ended too early, after {0} bytes")]
    CutShort(u64),
    /// The document is whole, but the list is not in it.
    #[error("expected a list under {0:?}, found none")]
    Missing(&'static str),
}

fn shown(byte: u8) -> String {
    if byte.is_ascii_graphic() { format!("`{}`", char::from(byte)) } else { format!("byte 0x{byte:02x}") }
}

/// Where in the document we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before `{`.
    Start,
    /// Before the first key, or `}`.
    FirstKey,
    /// Before a key, after a comma.
    Key,
    /// Within a key.
    InKey { escaped: bool },
    /// Before `:`.
    Colon,
    /// Before a value.
    Value,
    /// Within a value that is not the list.
    Skipping(Scan),
    /// Before `,` or `}`.
    AfterValue,
    /// Before the first element, or `]`.
    FirstElement,
    /// Before an element, after a comma.
    NextElement,
    /// Within an element.
    InElement(Scan),
    /// Before `,` or `]`.
    AfterElement,
    /// After the closing `}`.
    Done,
}

/// How far a value has been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scan {
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// A number, `true`, `false` or `null`: ends where something else begins.
    bare: bool,
}

/// What a byte does to a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Within.
    Inside,
    /// This byte is its last.
    Last,
    /// It ended before this byte.
    Over,
}

impl Scan {
    fn begun_by(byte: u8) -> Self {
        let nested = matches!(byte, b'{' | b'[');
        let in_string = byte == b'"';
        Self { depth: u32::from(nested), in_string, escaped: false, bare: !nested && !in_string }
    }

    fn step(&mut self, byte: u8) -> Step {
        if self.bare {
            let ends = byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}');
            return if ends { Step::Over } else { Step::Inside };
        }
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        if self.depth == 0 && !self.in_string { Step::Last } else { Step::Inside }
    }
}

/// The cutter. Feed it all bytes in order, then ask whether it was whole.
#[derive(Debug)]
pub(crate) struct Elements {
    list: &'static str,
    at: At,
    key: Vec<u8>,
    element: Vec<u8>,
    too_long: bool,
    found: bool,
    bytes: u64,
}

impl Elements {
    /// A cutter for the list under this key.
    pub(crate) fn of(list: &'static str) -> Self {
        Self { list, at: At::Start, key: vec![], element: vec![], too_long: false, found: false, bytes: 0 }
    }

    /// Takes the next bytes and tells each element that ends in them.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(Element<'_>)) -> Result<(), NotAList> {
        for byte in bytes {
            self.take(*byte, &mut each)?;
            self.bytes += 1;
        }
        Ok(())
    }

    /// The document is over: was it whole, and was the list in it?
    pub(crate) fn finish(&self) -> Result<(), NotAList> {
        match self.at {
            At::Done if self.found => Ok(()),
            At::Done => Err(NotAList::Missing(self.list)),
            _ => Err(NotAList::CutShort(self.bytes)),
        }
    }

    fn take(&mut self, byte: u8, each: &mut impl FnMut(Element<'_>)) -> Result<(), NotAList> {
        match &mut self.at {
            At::Skipping(scan) => {
                return match scan.step(byte) {
                    Step::Inside => Ok(()),
                    Step::Last => self.go(At::AfterValue),
                    Step::Over => self.after_value(byte),
                };
            }
            At::InElement(scan) => {
                return match scan.step(byte) {
                    Step::Inside => self.keep(byte),
                    Step::Last => self.keep(byte).and_then(|()| self.tell(each)),
                    Step::Over => self.tell(each).and_then(|()| self.after_element(byte)),
                };
            }
            At::InKey { escaped } => {
                let (was_escaped, now_escaped) = (*escaped, !*escaped && byte == b'\\');
                *escaped = now_escaped;
                return self.in_key(byte, was_escaped);
            }
            _ => {}
        }
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            return Ok(());
        }
        match (self.at, byte) {
            (At::Start, b'{') => self.go(At::FirstKey),
            (At::Start, _) => self.unexpected("`{`", byte),
            (At::FirstKey, b'}') => self.go(At::Done),
            (At::FirstKey | At::Key, b'"') => {
                self.key.clear();
                self.go(At::InKey { escaped: false })
            }
            (At::FirstKey | At::Key, _) => self.unexpected("a key", byte),
            (At::Colon, b':') => self.go(At::Value),
            (At::Colon, _) => self.unexpected("`:`", byte),
            (At::Value, _) => self.value(byte),
            (At::AfterElement, _) => self.after_element(byte),
            (At::FirstElement, b']') => self.go(At::AfterValue),
            (At::FirstElement | At::NextElement, _) => self.element(byte),
            (At::Done, _) => self.unexpected("nothing more", byte),
            (At::AfterValue | At::Skipping(_) | At::InElement(_) | At::InKey { .. }, _) => {
                self.after_value(byte)
            }
        }
    }

    #[allow(clippy::unnecessary_wraps)] // Reads as one table of steps.
    fn go(&mut self, at: At) -> Result<(), NotAList> {
        self.at = at;
        Ok(())
    }

    fn unexpected(&self, expected: &'static str, found: u8) -> Result<(), NotAList> {
        Err(NotAList::Unexpected { expected, at: self.bytes, found })
    }

    fn in_key(&mut self, byte: u8, escaped: bool) -> Result<(), NotAList> {
        if byte == b'"' && !escaped {
            return self.go(At::Colon);
        }
        if self.key.len() < MAX_KEY {
            self.key.push(byte);
        }
        Ok(())
    }

    fn value(&mut self, byte: u8) -> Result<(), NotAList> {
        let ours = self.key == self.list.as_bytes();
        match byte {
            b'[' if ours => {
                self.found = true;
                self.go(At::FirstElement)
            }
            _ if ours => self.unexpected("`[`", byte),
            b',' | b'}' | b']' | b':' => self.unexpected("a value", byte),
            _ => self.go(At::Skipping(Scan::begun_by(byte))),
        }
    }

    fn after_value(&mut self, byte: u8) -> Result<(), NotAList> {
        match byte {
            b',' => self.go(At::Key),
            b'}' => self.go(At::Done),
            b' ' | b'\t' | b'\n' | b'\r' => self.go(At::AfterValue),
            _ => self.unexpected("`,` or `}`", byte),
        }
    }

    fn after_element(&mut self, byte: u8) -> Result<(), NotAList> {
        match byte {
            b',' => self.go(At::NextElement),
            b']' => self.go(At::AfterValue),
            b' ' | b'\t' | b'\n' | b'\r' => self.go(At::AfterElement),
            _ => self.unexpected("`,` or `]`", byte),
        }
    }

    fn element(&mut self, byte: u8) -> Result<(), NotAList> {
        if matches!(byte, b',' | b'}' | b']' | b':') {
            return self.unexpected("an element", byte);
        }
        self.element.clear();
        self.too_long = false;
        self.at = At::InElement(Scan::begun_by(byte));
        self.keep(byte)
    }

    #[allow(clippy::unnecessary_wraps)] // As above.
    fn keep(&mut self, byte: u8) -> Result<(), NotAList> {
        if self.element.len() < MAX_ELEMENT {
            self.element.push(byte);
        } else {
            self.too_long = true;
        }
        Ok(())
    }

    fn tell(&mut self, each: &mut impl FnMut(Element<'_>)) -> Result<(), NotAList> {
        each(if self.too_long { Element::TooLong } else { Element::Whole(&self.element) });
        self.go(At::AfterElement)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// All elements as text, fed in chunks of `step` bytes, and how it ended.
    fn cut(document: &[u8], step: usize) -> (Vec<String>, Result<(), NotAList>) {
        let mut elements = Elements::of("hosts");
        let mut told = vec![];
        for chunk in document.chunks(step.max(1)) {
            let each = |element: Element<'_>| {
                told.push(match element {
                    Element::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    Element::TooLong => "TOO LONG".to_owned(),
                });
            };
            if let Err(error) = elements.feed(chunk, each) {
                return (told, Err(error));
            }
        }
        (told, elements.finish())
    }

    #[test]
    fn documents() {
        for (document, elements, whole) in [
            (r#"{"hosts":[]}"#, vec![], true),
            (" {\r\n\t\"hosts\" : [ ] } \n", vec![], true),
            (
                r#"{"hosts":[{"a":"]},{"},[1,[2]],"x\"]",-1.5e3,null]}"#,
                vec![r#"{"a":"]},{"}"#, "[1,[2]]", r#""x\"]""#, "-1.5e3", "null"],
                true,
            ),
            (r#"{"a":1,"b":"}","c":{"hosts":[9]},"hosts":[ 1 , 2 ],"z":null}"#, vec!["1", "2"], true),
            (r#"{"hosts":[1],"hosts":[2]}"#, vec!["1", "2"], true),
            (r#"{"hosts":[{"a":\}]}"#, vec![r#"{"a":\}"#], true),
            (r#"{"\"hosts":[1],"hosts\\":[2],"hosts":[3]}"#, vec!["3"], true),
            // From here on: not whole.
            (r#"{"hosts":[1,2"#, vec!["1"], false),
            (r#"{"hosts":[1,2]"#, vec!["1", "2"], false),
            (r#"{"hosts":[1,2]}}"#, vec!["1", "2"], false),
            (r#"{"hosts":[1 2]}"#, vec!["1"], false),
            (r#"{"hosts":[1,]}"#, vec!["1"], false),
            (r#"{"hosts":[,1]}"#, vec![], false),
            (r#"{"hosts":[{}{}]}"#, vec!["{}"], false),
            (r#"{"hosts":null}"#, vec![], false),
            (r#"{"hosts":{}}"#, vec![], false),
            (r#"{"error":{"message":"no"}}"#, vec![], false),
            ("{}", vec![], false),
            ("[]", vec![], false),
            ("", vec![], false),
            ("<html>", vec![], false),
            ("\u{feff}{\"hosts\":[]}", vec![], false),
            (r#"{,"hosts":[]}"#, vec![], false),
            (r#"{"hosts":[],}"#, vec![], false),
            (r#"{"hosts" []}"#, vec![], false),
        ] {
            for step in [1, 3, usize::MAX >> 1] {
                let (told, end) = cut(document.as_bytes(), step);
                assert_eq!(
                    (told, end.is_ok()),
                    (elements.iter().map(ToString::to_string).collect(), whole),
                    "{document}: {end:?}"
                );
            }
        }
    }

    #[test]
    fn a_monstrous_element_is_passed_over_and_the_next_one_is_read() {
        let long = format!("{{\"hosts\":[\"{}\",7]}}", "x".repeat(MAX_ELEMENT + 10));
        assert_eq!(cut(long.as_bytes(), 4_096), (vec!["TOO LONG".into(), "7".into()], Ok(())));
    }

    #[test]
    fn what_was_expected_and_found_is_said_without_the_document() {
        let say = |document: &str| cut(document.as_bytes(), 1).1.unwrap_err().to_string();
        assert_eq!(say("<html>secret</html>"), "expected `{` at byte 0, found `<`");
        assert_eq!(say("\u{0}"), "expected `{` at byte 0, found byte 0x00");
        assert_eq!(say("{\"hosts\":["), "the document ended too early, after 10 bytes");
        assert_eq!(say("{\"x\":1}"), "expected a list under \"hosts\", found none");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn agrees_with_a_whole_parse(items in prop::collection::vec(any_json(), 0..6), beside in any_json(), step in 1_usize..40, pretty: bool) {
            let document = json!({"before": beside.clone(), "hosts": items.clone(), "after": beside});
            let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) }.unwrap();
            let (told, end) = cut(text.as_bytes(), step);
            prop_assert_eq!(end, Ok(()));
            let told: Vec<Value> = told.iter().map(|t| serde_json::from_str(t).unwrap()).collect();
            prop_assert_eq!(told, items);
        }

        #[test]
        fn cut_anywhere_is_never_whole(items in prop::collection::vec(any_json(), 0..4), at in any::<prop::sample::Index>()) {
            let text = json!({"hosts": items}).to_string();
            let (_, end) = cut(&text.as_bytes()[..at.index(text.len())], 7);
            prop_assert!(end.is_err());
        }

        #[test]
        fn any_bytes_at_all_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200), step in 1_usize..20) {
            let _ = cut(&bytes, step);
        }

        #[test]
        fn nearly_json_gives_an_answer_that_does_not_depend_on_chunks(text in r#"[\{\}\[\],:"\\a1 ]{0,60}"#) {
            let document = format!("{{\"hosts\":{text}");
            prop_assert_eq!(cut(document.as_bytes(), 1), cut(document.as_bytes(), 1_000));
        }
    }
}
