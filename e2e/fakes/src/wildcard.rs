//! Wildcards as AWS has them: `*` for any run of characters, `?` for any one, `\` before one that is meant as itself.

/// Whether the whole text matches the pattern, in its case.
///
/// Time is at most pattern times text: only the last `*` is ever tried again.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern = parts(pattern);
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), retry) {
            (Some(Part::Run), _) => {
                retry = Some((p, t));
                p += 1;
            }
            (Some(Part::One), _) => (p, t) = (p + 1, t + 1),
            (Some(Part::Char(c)), _) if Some(c) == text.get(t) => (p, t) = (p + 1, t + 1),
            // The last run takes one character more.
            (_, Some((run, from))) => {
                retry = Some((run, from + 1));
                (p, t) = (run + 1, from + 1);
            }
            (_, None) => return false,
        }
    }
    pattern.iter().skip(p).all(|part| *part == Part::Run)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Run,
    One,
    Char(char),
}

fn parts(pattern: &str) -> Vec<Part> {
    let mut chars = pattern.chars();
    let mut parts = vec![];
    while let Some(c) = chars.next() {
        parts.push(match c {
            '*' => Part::Run,
            '?' => Part::One,
            '\\' => Part::Char(chars.next().unwrap_or('\\')),
            c => Part::Char(c),
        });
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, holds) in [
            ("prod", "prod", true),
            ("prod", "production", false),
            ("prod*", "production", true),
            ("*web?", "prod-web1", true),
            ("*web?", "prod-web", false),
            ("a.b", "axb", false),
            (r"100\*", "100*", true),
            (r"100\*", "1000", false),
            ("環?", "環境", true),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("a*a", "a", false),
            ("*ab*b", "aabab", true),
            ("Prod", "prod", false),
        ] {
            assert_eq!(matches(pattern, text), holds, "{pattern} on {text}");
        }
    }

    proptest! {
        /// Turning parts of a text into wildcards never loses the text.
        #[test]
        fn a_text_matches_its_own_wildcards(head in "[a-c]{0,4}", gap in "[a-c]{0,4}", c in "[a-c]", tail in "[a-c]{0,4}") {
            let text = format!("{head}{gap}{c}{tail}");
            let pattern = format!("{head}*?{tail}");
            prop_assert!(matches(&pattern, &text), "{} on {}", pattern, text);
        }
    }
}
