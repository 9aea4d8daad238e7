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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// A byte for people.
pub(crate) fn shown(byte: u8) -> String {
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
pub(crate) struct Scan {
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// A number, `true`, `false` or `null`: ends where something else begins.
    bare: bool,
}

/// What a byte does to a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Within.
    Inside,
    /// This byte is its last.
    Last,
    /// It ended before this byte.
    Over,
}

impl Scan {
    pub(crate) fn begun_by(byte: u8) -> Self {
        let nested = matches!(byte, b'{' | b'[');
        let in_string = byte == b'"';
        Self { depth: u32::from(nested), in_string, escaped: false, bare: !nested && !in_string }
    }

    /// How many of these bytes only lengthen the value: nearly all of them do, so they are taken at once.
    pub(crate) fn plain(self, bytes: &[u8]) -> usize {
        let special: fn(&u8) -> bool = match self {
            Self { bare: true, .. } | Self { escaped: true, .. } => return 0,
            Self { in_string: true, .. } => |byte| matches!(byte, b'"' | b'\\'),
            Self { .. } => |byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']'),
        };
        bytes.iter().position(special).unwrap_or(bytes.len())
    }

    pub(crate) fn step(&mut self, byte: u8) -> Step {
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
    pub(crate) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut each: impl FnMut(Element<'_>),
    ) -> Result<(), NotAList> {
        while let Some((byte, rest)) = bytes.split_first() {
            let (plain, after) = bytes.split_at(self.plain(bytes));
            if plain.is_empty() {
                self.at = self.next(*byte, &mut each)?;
                self.bytes += 1;
                bytes = rest;
            } else {
                if matches!(self.at, At::InElement(_)) {
                    self.keep(plain);
                }
                self.bytes += plain.len() as u64;
                bytes = after;
            }
        }
        Ok(())
    }

    fn plain(&self, bytes: &[u8]) -> usize {
        let (At::Skipping(scan) | At::InElement(scan)) = self.at else { return 0 };
        scan.plain(bytes)
    }

    /// The document is over: was it whole, and was the list in it?
    pub(crate) fn finish(&self) -> Result<(), NotAList> {
        match self.at {
            At::Done if self.found => Ok(()),
            At::Done => Err(NotAList::Missing(self.list)),
            _ => Err(NotAList::CutShort(self.bytes)),
        }
    }

    /// Where one more byte leads.
    fn next(&mut self, byte: u8, each: &mut impl FnMut(Element<'_>)) -> Result<At, NotAList> {
        Ok(match (self.at, byte) {
            (At::InKey { escaped: false }, b'"') => At::Colon,
            (At::InKey { escaped }, _) => {
                self.key.extend((self.key.len() < MAX_KEY).then_some(byte));
                At::InKey { escaped: !escaped && byte == b'\\' }
            }
            (At::Skipping(mut scan), _) => match scan.step(byte) {
                Step::Inside => At::Skipping(scan),
                Step::Last => At::AfterValue,
                Step::Over => self.after_value(byte)?,
            },
            (At::InElement(mut scan), _) => match scan.step(byte) {
                Step::Inside => {
                    self.keep(&[byte]);
                    At::InElement(scan)
                }
                Step::Last => {
                    self.keep(&[byte]);
                    self.tell(each)
                }
                Step::Over => {
                    self.at = self.tell(each);
                    self.after_element(byte)?
                }
            },
            (at, b' ' | b'\t' | b'\n' | b'\r') => at,
            (At::Start, b'{') => At::FirstKey,
            (At::Start, _) => return self.unexpected("`{`", byte),
            (At::FirstKey, b'}') => At::Done,
            (At::FirstKey | At::Key, b'"') => {
                self.key.clear();
                At::InKey { escaped: false }
            }
            (At::FirstKey | At::Key, _) => return self.unexpected("a key", byte),
            (At::Colon, b':') => At::Value,
            (At::Colon, _) => return self.unexpected("`:`", byte),
            (At::Value, _) => self.value(byte)?,
            (At::AfterValue, _) => self.after_value(byte)?,
            (At::FirstElement, b']') => At::AfterValue,
            (At::FirstElement | At::NextElement, _) => self.element(byte)?,
            (At::AfterElement, _) => self.after_element(byte)?,
            (At::Done, _) => return self.unexpected("nothing more", byte),
        })
    }

    fn unexpected(&self, expected: &'static str, found: u8) -> Result<At, NotAList> {
        Err(NotAList::Unexpected { expected, at: self.bytes, found })
    }

    fn value(&mut self, byte: u8) -> Result<At, NotAList> {
        let ours = self.key == self.list.as_bytes();
        match byte {
            b'[' if ours => {
                self.found = true;
                Ok(At::FirstElement)
            }
            _ if ours => self.unexpected("`[`", byte),
            b',' | b'}' | b']' | b':' => self.unexpected("a value", byte),
            _ => Ok(At::Skipping(Scan::begun_by(byte))),
        }
    }

    fn after_value(&self, byte: u8) -> Result<At, NotAList> {
        match byte {
            b',' => Ok(At::Key),
            b'}' => Ok(At::Done),
            _ if byte.is_ascii_whitespace() => Ok(At::AfterValue),
            _ => self.unexpected("`,` or `}`", byte),
        }
    }

    fn element(&mut self, byte: u8) -> Result<At, NotAList> {
        if matches!(byte, b',' | b'}' | b']' | b':') {
            return self.unexpected("an element", byte);
        }
        self.element.clear();
        self.too_long = false;
        self.keep(&[byte]);
        Ok(At::InElement(Scan::begun_by(byte)))
    }

    fn after_element(&self, byte: u8) -> Result<At, NotAList> {
        match byte {
            b',' => Ok(At::NextElement),
            b']' => Ok(At::AfterValue),
            _ if byte.is_ascii_whitespace() => Ok(At::AfterElement),
            _ => self.unexpected("`,` or `]`", byte),
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.element.len() + bytes.len() <= MAX_ELEMENT {
            self.element.extend_from_slice(bytes);
        } else {
            self.too_long = true;
        }
    }

    fn tell(&self, each: &mut impl FnMut(Element<'_>)) -> At {
        each(if self.too_long { Element::TooLong } else { Element::Whole(&self.element) });
        At::AfterElement
    }
}

#[cfg(test)]
mod tests;
