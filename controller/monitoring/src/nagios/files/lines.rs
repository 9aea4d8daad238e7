//! A file line by line, in bounded memory.

use std::io::{self, BufRead, ErrorKind};

/// No line is kept that is longer, in bytes: the members of a group of 20,000 hosts are half of it.
pub(super) const MAX_LINE: usize = 1_048_576;
/// No file is read that is longer, in bytes: one of 20,000 hosts with 3 services each has a tenth of it.
pub(super) const MAX_FILE: u64 = 1_073_741_824;

/// One line without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Its bytes.
    Whole(&'a [u8]),
    /// It was longer than [`MAX_LINE`] and was passed over.
    TooLong,
}

/// The lines of a file.
pub(super) struct Lines<R> {
    from: R,
    line: Vec<u8>,
    /// Bytes passed.
    pub(super) bytes: u64,
    /// Lines passed.
    pub(super) count: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn of(from: R) -> Self {
        Self { from, line: vec![], bytes: 0, count: 0 }
    }

    /// The next line, or `None` at the end. The last one may lack its line feed.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let (begun, mut too_long) = (self.bytes, false);
        loop {
            let bytes = match self.from.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            };
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let (part, _) = bytes.split_at(end.unwrap_or(bytes.len()));
            if self.line.len() + part.len() > MAX_LINE {
                too_long = true;
            } else {
                self.line.extend_from_slice(part);
            }
            let (over, used) = (bytes.is_empty() || end.is_some(), part.len() + usize::from(end.is_some()));
            self.from.consume(used);
            self.bytes += used as u64;
            if self.bytes > MAX_FILE {
                return Err(io::Error::from(ErrorKind::FileTooLarge));
            }
            if over {
                break;
            }
        }
        if self.bytes == begun {
            return Ok(None);
        }
        self.count += 1;
        Ok(Some(if too_long { Line::TooLong } else { Line::Whole(&self.line) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8], buffer: usize) -> Vec<String> {
        let mut lines = Lines::of(io::BufReader::with_capacity(buffer, text));
        let mut told = vec![];
        while let Some(line) = lines.next().unwrap() {
            told.push(match line {
                Line::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Line::TooLong => "TOO LONG".to_owned(),
            });
        }
        assert_eq!((lines.bytes, lines.count), (text.len() as u64, told.len() as u64));
        told
    }

    #[test]
    fn lines_end_with_a_line_feed_or_with_the_file() {
        for (text, expected) in [
            (&b""[..], &[][..]),
            (b"\n", &[""]),
            (b"a", &["a"]),
            (b"a\n\nb\n", &["a", "", "b"]),
            (b"a\nb\r", &["a", "b\r"]),
        ] {
            for buffer in [1, 2, 100] {
                assert_eq!(lines(text, buffer), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn a_monstrous_line_is_passed_over_and_never_held() {
        let text = format!("a\n{}\nb", "x".repeat(3 * MAX_LINE));
        assert_eq!(lines(text.as_bytes(), 4_096), ["a", "TOO LONG", "b"]);
        let mut held = Lines::of(io::BufReader::new(text.as_bytes()));
        while held.next().unwrap().is_some() {}
        assert!(held.line.capacity() <= 2 * MAX_LINE, "{}", held.line.capacity());
    }

    #[test]
    fn a_file_without_an_end_is_refused() {
        let endless = io::BufReader::with_capacity(1 << 20, io::repeat(b'x'));
        let error = Lines::of(endless).next().map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
    }
}
