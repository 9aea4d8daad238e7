//! Text for people: at most as wide as their terminal, plain where nobody looks, wide characters counted.

use jiff::SignedDuration;
use unicode_width::UnicodeWidthStr as _;

/// Columns to write for: 100 when nobody says otherwise, which is what the screens were drawn for.
pub fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0).clamp(60, 160))
}

/// How long ago, in its biggest unit: `40s`, `12m`, `3h`, `5d`.
pub fn age(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Writes `text` after `first`, going on under `next`, within `width` columns; breaks at spaces only.
pub fn wrap(out: &mut String, first: &str, next: &str, text: &str, width: usize) {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.width() + 1 + word.width() > width {
            out.push_str(line.trim_end());
            out.push('\n');
            next.clone_into(&mut line);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_within_the_width_and_wide_characters_are_counted() {
        let mut out = String::new();
        wrap(&mut out, " RC0101     3  ", "               ", &"監視 されて いない ".repeat(20), 60);
        assert!(out.lines().all(|line| line.width() <= 60), "{out}");
        assert!(out.lines().skip(1).all(|line| line.starts_with("               監")
            || line.starts_with("               さ")
            || line.starts_with("               い")));
    }

    #[test]
    fn ages_are_told_in_their_biggest_unit() {
        for (seconds, told) in [(-5, "0s"), (59, "59s"), (60, "1m"), (7_199, "1h"), (172_800, "2d")] {
            assert_eq!(age(SignedDuration::from_secs(seconds)), told);
        }
    }
}
