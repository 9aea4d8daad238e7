//! The blocks of `objects.cache` (`define host {`, key, tab, value) and of `status.dat` (`hoststatus {`, key, `=`, value).
//!
//! A block counts only when it was closed; a file that ends within one, or where something else stands between them, was
//! cut or is another file. Bytes that are no text are replaced, never refused: plugins print what they like.

use std::io::{BufRead, ErrorKind};

use rollcall_engine::reading::{Failure, FailureKind};

use super::lines::{Line, Lines, MAX_FILE, MAX_LINE};

/// How a file of blocks is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    /// What stands before a block's kind.
    pub(super) before: &'static str,
    /// What stands between a key and its value.
    pub(super) between: u8,
    /// The kinds that are read, and their keys; `_` stands for all keys that begin with it.
    pub(super) kinds: &'static [(&'static str, &'static [&'static str])],
}

/// What was read of one block.
#[derive(Debug, Default)]
pub(super) struct Fields {
    fields: Vec<(String, String)>,
    /// A key stood twice with different values, or a line was none.
    odd: bool,
}

impl Fields {
    /// The value of a key, if it is there.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// A switch.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match self.text(key)? {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        }
    }

    /// A number; what follows its point is dropped, for Icinga 2 writes times as `1795403916.409040`.
    pub(super) fn number(&self, key: &str) -> Option<i64> {
        self.text(key)?.split('.').next()?.parse().ok()
    }

    /// All fields whose key begins with `_`, without it.
    pub(super) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().filter_map(|(key, value)| Some((key.strip_prefix('_')?, value.as_str())))
    }

    /// Whether the block was well formed.
    pub(super) fn is_odd(&self) -> bool {
        self.odd
    }

    fn take(&mut self, line: &[u8], between: u8, keys: &[&str]) {
        let mut parts = line.splitn(2, |byte| *byte == between);
        let (key, value) = (parts.next().unwrap_or_default(), parts.next());
        let wanted = |k: &&str| k.as_bytes() == key || (*k == "_" && key.starts_with(b"_"));
        match value {
            // Only a key that is read makes its block odd by having no value at all.
            None => self.odd |= keys.iter().any(wanted),
            Some(value) if keys.iter().any(wanted) => {
                self.put(String::from_utf8_lossy(key).into_owned(), &String::from_utf8_lossy(value));
            }
            Some(_) => {}
        }
    }

    fn put(&mut self, key: String, value: &str) {
        match self.text(&key) {
            Some(held) => self.odd |= held != value,
            None => self.fields.push((key, value.to_owned())),
        }
    }
}

/// Where in the file we are.
enum At {
    Between,
    /// Within a block of a kind that is read: its place in [`Dialect::kinds`].
    In(usize, Fields),
    /// Within another one.
    Passing,
}

/// Tells each block of a kind that is read when it is closed.
///
/// # Errors
/// Why the file did not come to its proper end; what was told before stands.
pub(super) fn blocks(
    from: impl BufRead,
    dialect: &Dialect,
    mut each: impl FnMut(&'static str, &Fields),
) -> Result<(), Failure> {
    let mut lines = Lines::of(from);
    let mut at = At::Between;
    loop {
        let place = lines.count + 1;
        let line = match lines.next().map_err(|e| unreadable(&e))? {
            Some(Line::Whole(line)) => trimmed(line),
            Some(Line::TooLong) if matches!(at, At::Passing) => continue,
            Some(Line::TooLong) => return Err(too_long(place)),
            None => break,
        };
        at = match at {
            At::Between if line.is_empty() || line.starts_with(b"#") => At::Between,
            At::Between => begun(line, dialect).ok_or_else(|| unexpected(place, dialect))?,
            At::Passing if line == b"}" => At::Between,
            At::In(kind, fields) if line == b"}" => {
                dialect.kinds.get(kind).into_iter().for_each(|(kind, _)| each(kind, &fields));
                At::Between
            }
            // A block within a block: the first one was never finished.
            At::In(..) | At::Passing if begun(line, dialect).is_some() => {
                return Err(unexpected(place, dialect));
            }
            At::Passing => At::Passing,
            At::In(kind, mut fields) => {
                let keys = dialect.kinds.get(kind).map_or(&[][..], |(_, keys)| keys);
                if !line.is_empty() {
                    fields.take(line, dialect.between, keys);
                }
                At::In(kind, fields)
            }
        };
    }
    match at {
        At::Between => Ok(()),
        At::In(..) | At::Passing => Err(Failure::new(
            FailureKind::Malformed,
            format!(
                "expected `}}`, found the file's end after {} bytes; it is being written, or was cut",
                lines.bytes
            ),
        )),
    }
}

/// The line without the white space before it and the carriage return after it; a tab at its end is an empty value's.
fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_start();
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The beginning of a block, if this line is one.
fn begun(line: &[u8], dialect: &Dialect) -> Option<At> {
    let kind = line.strip_prefix(dialect.before.as_bytes())?.strip_suffix(b"{")?.trim_ascii();
    if kind.is_empty() || !kind.iter().all(u8::is_ascii_lowercase) {
        return None;
    }
    let read = dialect.kinds.iter().position(|(read, _)| read.as_bytes() == kind);
    Some(read.map_or(At::Passing, |read| At::In(read, Fields::default())))
}

fn unexpected(place: u64, dialect: &Dialect) -> Failure {
    let message = format!(
        "line {place}: expected `{}KIND {{` or `}}`, found something else; it is being written, or is another file",
        dialect.before
    );
    Failure::new(FailureKind::Malformed, message)
}

fn too_long(place: u64) -> Failure {
    let message =
        format!("line {place}: expected at most {MAX_LINE} bytes, found more; is this the right file?");
    Failure::new(FailureKind::TooLarge, message)
}

fn unreadable(error: &std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::FileTooLarge => {
            let message = format!("expected at most {MAX_FILE} bytes, found more; is this the right file?");
            Failure::new(FailureKind::TooLarge, message)
        }
        _ => Failure::new(
            FailureKind::Unreachable,
            format!("expected a file that can be read, found: {error}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: Dialect =
        Dialect { before: "", between: b'=', kinds: &[("info", &["created"]), ("hoststatus", &["a", "b"])] };
    const OBJECTS: Dialect = Dialect { before: "define ", between: b'\t', kinds: &[("host", &["a", "_"])] };

    fn told(text: &[u8], dialect: &Dialect) -> (Vec<String>, Result<(), FailureKind>) {
        let mut told = vec![];
        let end = blocks(text, dialect, |kind, fields| {
            let odd = if fields.odd { "!" } else { "" };
            told.push(format!("{kind}{odd} {:?}", fields.fields));
        });
        (told, end.map_err(|failure| failure.kind))
    }

    #[test]
    fn files() {
        const CUT: Result<(), FailureKind> = Err(FailureKind::Malformed);
        for (dialect, text, blocks, end) in [
            (&STATUS, "", &[][..], Ok(())),
            (&STATUS, "# x\n\ninfo {\n\tcreated=1\n\t}\n", &[r#"info [("created", "1")]"#], Ok(())),
            (&STATUS, "info {\r\n\tcreated=1\r\n\tx\r\n}", &[r#"info [("created", "1")]"#], Ok(())),
            (&STATUS, "hoststatus {\n\ta=x=y}\n\tc=1\n}\n", &[r#"hoststatus [("a", "x=y}")]"#], Ok(())),
            (&STATUS, "hoststatus {\n\ta=1\n\ta=1\n}\n", &[r#"hoststatus [("a", "1")]"#], Ok(())),
            (&STATUS, "hoststatus {\n\ta=1\n\ta=2\n}\n", &[r#"hoststatus! [("a", "1")]"#], Ok(())),
            (&STATUS, "hoststatus {\n\ta\n}\n", &["hoststatus! []"], Ok(())),
            (&STATUS, "other {\n\ta=1\n\tb\n}\ninfo {\n}", &["info []"], Ok(())),
            (
                &OBJECTS,
                "define host {\n\ta\tb\tc\n\t_x\t\n\t}\n",
                &[r#"host [("a", "b\tc"), ("_x", "")]"#],
                Ok(()),
            ),
            (&OBJECTS, "define hostgroup {\n\t}\ndefine command {\n\n\t}\n", &[], Ok(())),
            // From here on: not whole.
            (&STATUS, "info {\n\tcreated=1", &[], CUT),
            (&STATUS, "info {\n\tcreated=1\n", &[], CUT),
            (&STATUS, "other {\n", &[], CUT),
            (&STATUS, "info {\n}\nhostst", &["info []"], CUT),
            (&STATUS, "info {\nhoststatus {\n}\n", &[], CUT),
            (&STATUS, "other {\nhoststatus {\n}\n", &[], CUT),
            (&STATUS, "}\n", &[], CUT),
            (&STATUS, "<html>\n", &[], CUT),
            (&STATUS, "\0\0\0", &[], CUT),
            (&OBJECTS, "host {\n}\n", &[], CUT),
        ] {
            let blocks: Vec<String> = blocks.iter().map(ToString::to_string).collect();
            assert_eq!(told(text.as_bytes(), dialect), (blocks, end), "{text:?}");
        }
    }

    #[test]
    fn a_line_too_long_is_refused_where_it_is_read_and_passed_over_elsewhere() {
        let long = "x".repeat(MAX_LINE + 1);
        let (_, end) = told(format!("info {{\n\tcreated={long}\n}}\n").as_bytes(), &STATUS);
        assert_eq!(end, Err(FailureKind::TooLarge));
        let (blocks, end) = told(format!("other {{\n\ta={long}\n}}\ninfo {{\n}}\n").as_bytes(), &STATUS);
        assert_eq!((blocks.len(), end), (1, Ok(())));
    }

    #[test]
    fn what_is_no_text_is_replaced() {
        let (blocks, end) = told(b"hoststatus {\n\ta=\xff\x00\n}\n", &STATUS);
        assert_eq!((blocks, end), (vec!["hoststatus [(\"a\", \"\u{fffd}\\0\")]".to_owned()], Ok(())));
    }
}
