//! What the demo prints: plain text, at most 100 columns, world time before what happens.
//!
//! It must never print a colour or move the cursor: people pipe it, and `NO_COLOR` has nothing to switch off.

use std::io::Write as _;

use jiff::tz::TimeZone;
use rollcall_fakes::clock::WorldClock;

/// What the screens were drawn for.
const WIDTH: usize = 100;
/// `Mon 10:25  `
const MARGIN: usize = 11;

/// The screen.
#[derive(Clone, Debug)]
pub struct Screen {
    clock: WorldClock,
}

impl Screen {
    /// A screen that tells the time of this clock.
    pub fn new(clock: WorldClock) -> Self {
        Self { clock }
    }

    /// Something happens now.
    pub fn now(&self, text: &str) {
        let time = self.clock.now().to_zoned(TimeZone::UTC).strftime("%a %H:%M  ").to_string();
        print_lines(&wrapped(&time, MARGIN, text));
    }

    /// More about what happened last.
    #[expect(clippy::unused_self, reason = "a screen is what prints, whatever of it a line needs")]
    pub fn more(&self, text: &str) {
        print_lines(&wrapped(&" ".repeat(MARGIN), MARGIN, text));
    }

    /// A paragraph.
    #[expect(clippy::unused_self, reason = "as above")]
    pub fn say(&self, text: &str) {
        print_lines(&wrapped("", 0, text));
    }

    /// A table, its lines cut where they are too wide, between empty lines.
    pub fn table(&self, command: &str, table: &str) {
        let lines: Vec<String> = table.lines().map(|line| cut(line.trim_end(), WIDTH)).collect();
        self.show(&format!("$ {command}\n{}", lines.join("\n")));
    }

    /// Lines as they are, between empty lines.
    #[expect(clippy::unused_self, reason = "as above")]
    pub fn show(&self, text: &str) {
        print_lines(&format!("\n{}\n\n", text.trim_end()));
    }
}

/// As much of a line as fits into so many columns, with a mark where something is left out.
pub fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    text.chars().take(columns - 1).chain(['…']).collect()
}

fn print_lines(text: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever closed our standard output does not want to hear of it.
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// `text` after `first`, going on `indent` columns in; breaks at spaces only.
fn wrapped(first: &str, indent: usize, text: &str) -> String {
    let mut out = String::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(line.trim_end());
            out.push('\n');
            line = " ".repeat(indent);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out.push_str(line.trim_end());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_at_most_a_hundred_columns_and_go_on_under_their_beginning() {
        let text = wrapped("Mon 10:25  ", 11, &"words of a story ".repeat(20));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(
            text.lines().skip(1).all(|line| line.starts_with("           w")
                || line.starts_with("           o")
                || line.starts_with("           a")
                || line.starts_with("           s")),
            "{text}"
        );
        assert_eq!(wrapped("", 0, ""), "\n");
    }
}
