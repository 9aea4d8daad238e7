//! Names: from what people call things to names that Kubernetes takes, and from host names to their parts. Pure.

use std::collections::BTreeSet;

use crate::write::take_name;

/// Longest name that is made: room for a number within the 63 characters of a DNS label.
const MOST: usize = 50;

/// A DNS label that reads like the text; none where nothing of it can stand in one.
pub fn slug(text: &str) -> Option<String> {
    let mut slug = String::new();
    for c in text.chars().take(256) {
        if slug.len() >= MOST {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    (!slug.is_empty()).then(|| slug.to_owned())
}

/// Names that are taken already, of one kind.
#[derive(Debug, Default)]
pub struct Taken(BTreeSet<String>);

impl Taken {
    /// The first of these that is free, or else the last one with a number.
    pub fn take(&mut self, wishes: &[&str]) -> String {
        for wish in wishes {
            if self.0.insert((*wish).to_owned()) {
                return (*wish).to_owned();
            }
        }
        take_name(wishes.last().copied().unwrap_or("unnamed"), |name| self.0.insert(name.to_owned()))
    }
}

/// What separates the parts of a host's name.
fn is_separator(c: char) -> bool {
    matches!(c, '-' | '_' | '.')
}

/// The first part of a name with the separator behind it, `jp1-` of `jp1-app-9`. None where nothing but a number follows:
/// the first part of `web-1` says what it is, not where it belongs.
pub fn prefix(name: &str) -> Option<&str> {
    let at = name.find(is_separator)?;
    let (head, rest) = name.split_at(at);
    let is_word = head.len() >= 2 && head.bytes().all(|b| b.is_ascii_alphanumeric());
    let says_more = rest.chars().skip(1).any(|c| c.is_ascii_alphabetic());
    (is_word && says_more).then(|| name.get(..=at)).flatten()
}

/// What a host is for, by its name: `app` of `jp1-app-9`, when `jp1-` is the prefix of an environment. None where that
/// could not stand in a pattern.
pub fn stem(name: &str, is_prefix: impl Fn(&str) -> bool) -> Option<&str> {
    let rest = match prefix(name) {
        Some(prefix) if is_prefix(prefix) => name.strip_prefix(prefix)?,
        _ => name,
    };
    let stem = rest.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(is_separator);
    let is_plain = stem.starts_with(|c: char| c.is_ascii_alphabetic())
        && stem.chars().all(|c| c.is_ascii_alphanumeric() || is_separator(c));
    (is_plain && stem.len() <= MOST).then_some(stem)
}

/// The pattern of host names with this stem: at most one part before it, only a number behind it.
pub fn stem_pattern(stem: &str) -> String {
    format!("^([^-_.]+[-_.])?{}[-_.]?[0-9]*$", stem.replace('.', "[.]"))
}

/// The pattern of host names with this prefix.
pub fn prefix_pattern(prefix: &str) -> String {
    format!("^{}", prefix.replace('.', "[.]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_tag_holds_a_name_is_a_dns_label() {
        for (text, name) in [
            ("jp1", Some("jp1")),
            ("Production (EU)", Some("production-eu")),
            ("-x-", Some("x")),
            ("本番", None),
            ("本番 1", Some("1")),
            ("", None),
            ("\u{1b}[2J\n$(rm -rf /)", Some("2j-rm-rf")),
        ] {
            assert_eq!(slug(text).as_deref(), name, "{text:?}");
        }
        assert_eq!(slug(&"x".repeat(10_000)).unwrap().len(), MOST);
        assert_eq!(slug(&"-x".repeat(10_000)).unwrap().len(), 49, "no label ends with a dash");
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut taken = Taken::default();
        let names = [["disk", "check-disk"]; 4].map(|wishes| taken.take(&wishes));
        assert_eq!(names, ["disk", "check-disk", "check-disk-2", "check-disk-3"]);
    }

    #[test]
    fn names_of_hosts_are_taken_apart() {
        let is_prefix = |prefix: &str| prefix == "jp1-";
        for (name, first, what) in [
            ("jp1-app-9", Some("jp1-"), Some("app")),
            ("jp1-search-db2", Some("jp1-"), Some("search-db")),
            ("dev-app-9", Some("dev-"), Some("dev-app")),
            ("web01", None, Some("web")),
            ("web-1", None, Some("web")),
            ("jp1.app.internal", None, Some("jp1.app.internal")),
            ("jp1-", None, Some("jp1")),
            ("10-0-0-1", None, None),
            ("app$(id)-1", None, None),
            ("アプリ-1", None, None),
        ] {
            let first = if name.starts_with("jp1.") { Some("jp1.") } else { first };
            assert_eq!((prefix(name), stem(name, is_prefix)), (first, what), "{name}");
        }
        assert_eq!(stem_pattern("app.x"), "^([^-_.]+[-_.])?app[.]x[-_.]?[0-9]*$");
    }
}
