//! Text from outside on its way to people: names are freed of everything that could lie on a screen, cut, and
//! quoted where a command is suggested. Decisions never use what comes out of here.

use std::sync::Arc;

use crate::limits::MAX_NAME_CHARS;

/// A name as people may see it: no control or direction-changing character, at most [`MAX_NAME_CHARS`].
#[must_use]
pub fn clean(name: &str) -> Arc<str> {
    if is_plain(name) {
        return Arc::from(name.trim());
    }
    let shown = |c: char| if is_deceptive(c) { char::REPLACEMENT_CHARACTER } else { c };
    let mut text: String = name.trim().chars().map(shown).take(MAX_NAME_CHARS).collect();
    if name.trim().chars().nth(MAX_NAME_CHARS).is_some() {
        text.pop();
        text.push('…');
    }
    Arc::from(text)
}

/// The same, without a copy where the name is clean already: a fleet's names are, nearly all of them.
#[must_use]
pub fn clean_shared(name: &Arc<str>) -> Arc<str> {
    if is_plain(name) && name.trim().len() == name.len() {
        return Arc::clone(name);
    }
    let cleaned = clean(name);
    if cleaned == *name { Arc::clone(name) } else { cleaned }
}

/// Short, and nothing but printable ASCII.
fn is_plain(name: &str) -> bool {
    name.len() <= MAX_NAME_CHARS && name.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// Characters that change what a reader sees around them: controls, line separators, and the direction
/// overrides that make `exe.gpj` read as `jpg.exe`.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A word of a suggested command, quoted so that a shell takes it as one word whatever it holds.
#[must_use]
pub fn argument(word: &str) -> String {
    let plain =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/' | b'@' | b'%');
    if !word.is_empty() && !word.starts_with('-') && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", clean(word).replace('\'', r"'\''"))
}

/// `a, b and 3 more`: the first names of `all` in one phrase.
#[must_use]
pub fn few<T: AsRef<str>>(names: &[T], all: usize, at_most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(at_most).map(AsRef::as_ref).collect();
    match all.saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// `1 host`, `2 hosts`.
#[must_use]
pub fn count(number: usize, singular: &str) -> String {
    if number == 1 { format!("1 {singular}") } else { format!("{number} {singular}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_can_neither_move_the_cursor_nor_turn_the_line_round() {
        assert_eq!(&*clean("a\u{1b}[2Jb\n\u{202e}c"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c");
        assert_eq!(clean(&"x".repeat(10_000)).chars().count(), MAX_NAME_CHARS);
        assert_eq!(&*clean(&"役".repeat(64)), "役".repeat(64).as_str());
    }

    #[test]
    fn a_hostile_id_stays_one_word_of_a_command() {
        assert_eq!(argument("4Abc9"), "4Abc9");
        assert_eq!(argument("x; rm -rf /"), "'x; rm -rf /'");
        assert_eq!(argument("a'b"), r"'a'\''b'");
        assert_eq!(argument("--force"), "'--force'");
        assert_eq!(argument(""), "''");
    }

    #[test]
    fn a_list_says_how_many_it_leaves_out() {
        assert_eq!(few(&["a", "b", "c"], 3, 5), "a, b, c");
        assert_eq!(few(&["a", "b", "c"], 9, 1), "a and 8 more");
    }
}
