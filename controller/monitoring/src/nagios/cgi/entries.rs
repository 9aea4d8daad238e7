//! Cuts `{"result":{…},"data":{"hostlist":{"a":{…},"b":{…}}}}` into its entries while the bytes come in.
//!
//! The like of `mackerel::elements` for objects of objects: at any time only one entry is held, each is decoded on its own,
//! and nothing but the properly closed document with the list in it counts as whole.

use crate::mackerel::elements::{MAX_ELEMENT, Scan, Step, shown};

/// No key is longer, in bytes; an entry with a longer one is told without it.
const MAX_KEY: usize = 2_048;

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// The head of the answer, `result`.
    Head(&'a [u8]),
    /// One of the list: its keys (host, or host and service; still escaped), and its bytes, which may be no JSON.
    Whole(&'a [Vec<u8>], &'a [u8]),
    /// One of the list whose key or value was longer than we hold.
    TooLong,
}

/// The document is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAnAnswer {
    /// No byte at all: what the CGIs print when there is no status file.
    #[error(
        "expected an answer, found an empty one: Nagios is not running, or its CGIs cannot read its files"
    )]
    Empty,
    /// A page for people.
    #[error(
        "expected JSON, found a page of HTML; check that the URL is the one of the folder with statusjson.cgi and \
         objectjson.cgi, and that no login page stands before it"
    )]
    Html,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Start,
    FirstKey,
    Key,
    InKey {
        escaped: bool,
    },
    Colon,
    Value,
    /// Within a value that is not ours.
    Skipping(Scan),
    /// Within the head or an entry.
    Holding(Scan),
    AfterValue,
    Done,
}

/// The cutter. Feed it all bytes in order, then ask whether it was whole.
#[derive(Debug)]
pub(super) struct Entries {
    list: &'static str,
    /// Keys from the list down to an entry: 1 for hosts, 2 for services, 0 when the list is one thing.
    depth: usize,
    at: At,
    /// The keys of the objects that are open, the current one last.
    path: Vec<Vec<u8>>,
    value: Vec<u8>,
    too_long: bool,
    found: bool,
    bytes: u64,
}

/// What a value is, by the keys above it.
enum Place {
    Head,
    /// On the way to the list.
    Above,
    Entry,
    Other,
}

impl Entries {
    /// A cutter for `data.LIST`, whose entries lie `depth` keys below it.
    pub(super) fn of(list: &'static str, depth: usize) -> Self {
        let (path, value) = (vec![], vec![]);
        Self { list, depth, at: At::Start, path, value, too_long: false, found: false, bytes: 0 }
    }

    /// Takes the next bytes and tells each entry that ends in them.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut each: impl FnMut(Entry<'_>),
    ) -> Result<(), NotAnAnswer> {
        while let Some((byte, rest)) = bytes.split_first() {
            let plain = match self.at {
                At::Skipping(scan) | At::Holding(scan) => scan.plain(bytes),
                _ => 0,
            };
            let (plain, after) = bytes.split_at(plain);
            if plain.is_empty() {
                self.at = self.next(*byte, &mut each)?;
                self.bytes += 1;
                bytes = rest;
            } else {
                if matches!(self.at, At::Holding(_)) {
                    self.keep(plain);
                }
                self.bytes += plain.len() as u64;
                bytes = after;
            }
        }
        Ok(())
    }

    /// The document is over: was it whole, and was the list in it?
    pub(super) fn finish(&self) -> Result<(), NotAnAnswer> {
        match self.at {
            At::Done if self.found => Ok(()),
            At::Done => Err(NotAnAnswer::Missing(self.list)),
            At::Start => Err(NotAnAnswer::Empty),
            _ => Err(NotAnAnswer::CutShort(self.bytes)),
        }
    }

    fn next(&mut self, byte: u8, each: &mut impl FnMut(Entry<'_>)) -> Result<At, NotAnAnswer> {
        Ok(match (self.at, byte) {
            (At::InKey { escaped: false }, b'"') => At::Colon,
            (At::InKey { escaped }, _) => {
                self.lengthen_key(byte);
                At::InKey { escaped: !escaped && byte == b'\\' }
            }
            (At::Skipping(mut scan), _) => match scan.step(byte) {
                Step::Inside => At::Skipping(scan),
                Step::Last => At::AfterValue,
                Step::Over => self.after_value(byte)?,
            },
            (At::Holding(mut scan), _) => match scan.step(byte) {
                Step::Inside => {
                    self.keep(&[byte]);
                    At::Holding(scan)
                }
                Step::Last => {
                    self.keep(&[byte]);
                    self.tell(each)
                }
                Step::Over => {
                    self.tell(each);
                    self.after_value(byte)?
                }
            },
            (at, b' ' | b'\t' | b'\n' | b'\r') => at,
            (At::Start, b'{') => self.open(),
            (At::Start, b'<') => return Err(NotAnAnswer::Html),
            (At::Start, _) => return self.unexpected("`{`", byte),
            (At::FirstKey, b'}') => self.close(),
            (At::FirstKey | At::Key, b'"') => {
                if let Some(key) = self.path.last_mut() {
                    key.clear();
                }
                At::InKey { escaped: false }
            }
            (At::FirstKey | At::Key, _) => return self.unexpected("a key", byte),
            (At::Colon, b':') => At::Value,
            (At::Colon, _) => return self.unexpected("`:`", byte),
            (At::Value, _) => self.value(byte)?,
            (At::AfterValue, _) => self.after_value(byte)?,
            (At::Done, _) => return self.unexpected("nothing more", byte),
        })
    }

    fn unexpected(&self, expected: &'static str, found: u8) -> Result<At, NotAnAnswer> {
        Err(NotAnAnswer::Unexpected { expected, at: self.bytes, found })
    }

    fn open(&mut self) -> At {
        self.path.push(vec![]);
        At::FirstKey
    }

    fn close(&mut self) -> At {
        self.path.pop();
        if self.path.is_empty() { At::Done } else { At::AfterValue }
    }

    fn lengthen_key(&mut self, byte: u8) {
        if let Some(key) = self.path.last_mut().filter(|key| key.len() <= MAX_KEY) {
            key.push(byte);
        }
    }

    fn place(&self) -> Place {
        let keys: Vec<&[u8]> = self.path.iter().map(Vec::as_slice).collect();
        match *keys.as_slice() {
            [b"result"] => Place::Head,
            [b"data"] => Place::Above,
            [b"data", list, ..] if list == self.list.as_bytes() => {
                if self.path.len() == self.depth + 2 {
                    Place::Entry
                } else {
                    Place::Above
                }
            }
            _ => Place::Other,
        }
    }

    fn value(&mut self, byte: u8) -> Result<At, NotAnAnswer> {
        if matches!(byte, b',' | b'}' | b']' | b':') {
            return self.unexpected("a value", byte);
        }
        Ok(match (self.place(), byte) {
            (Place::Above, b'{') => {
                self.found |= self.path.len() == 2;
                self.open()
            }
            (Place::Above, _) => return self.unexpected("`{`", byte),
            (Place::Head | Place::Entry, _) => {
                self.found |= self.path.len() == 2;
                self.value.clear();
                self.too_long = false;
                self.keep(&[byte]);
                At::Holding(Scan::begun_by(byte))
            }
            (Place::Other, _) => At::Skipping(Scan::begun_by(byte)),
        })
    }

    fn after_value(&mut self, byte: u8) -> Result<At, NotAnAnswer> {
        match byte {
            b',' => Ok(At::Key),
            b'}' => Ok(self.close()),
            _ if byte.is_ascii_whitespace() => Ok(At::AfterValue),
            _ => self.unexpected("`,` or `}`", byte),
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.value.len() + bytes.len() <= MAX_ELEMENT {
            self.value.extend_from_slice(bytes);
        } else {
            self.too_long = true;
        }
    }

    fn tell(&self, each: &mut impl FnMut(Entry<'_>)) -> At {
        let keys = self.path.get(2..).unwrap_or_default();
        let too_long = self.too_long || keys.iter().any(|key| key.len() > MAX_KEY);
        match self.path.len() {
            1 => each(Entry::Head(&self.value)),
            _ if too_long => each(Entry::TooLong),
            _ => each(Entry::Whole(keys, &self.value)),
        }
        At::AfterValue
    }
}

#[cfg(test)]
mod tests;
