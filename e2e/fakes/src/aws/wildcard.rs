//! AWS's wildcards: `*` for any run of characters, `?` for any one, `\` before one that is meant as itself.

use regex::Regex;

/// A value that may hold wildcards, ready to match.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// No wildcards: most values, and the fast case.
    Exact(String),
    /// With wildcards.
    Wild(Regex),
}

// A regular expression is its text.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) => a == b,
            (Self::Wild(a), Self::Wild(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

impl Eq for Pattern {}

impl Pattern {
    /// Reads a value.
    #[must_use]
    pub fn of(value: &str) -> Self {
        if !value.contains(['*', '?', '\\']) {
            return Self::Exact(value.to_owned());
        }
        let mut expression = String::from("(?s)^");
        let mut chars = value.chars();
        let itself = |c: char| regex::escape(c.encode_utf8(&mut [0; 4]));
        while let Some(c) = chars.next() {
            match c {
                '*' => expression.push_str(".*"),
                '?' => expression.push('.'),
                '\\' => expression.push_str(&itself(chars.next().unwrap_or('\\'))),
                c => expression.push_str(&itself(c)),
            }
        }
        expression.push('$');
        // Every part is escaped, so that only a value beyond regex's size limit fails; it then matches itself.
        Regex::new(&expression).map_or_else(|_| Self::Exact(value.to_owned()), Self::Wild)
    }

    /// Whether the text matches, in its case.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(value) => value == text,
            Self::Wild(expression) => expression.is_match(text),
        }
    }
}

#[cfg(test)]
mod tests {
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
            ("Prod", "prod", false),
        ] {
            assert_eq!(Pattern::of(pattern).matches(text), holds, "{pattern} on {text}");
        }
    }
}
