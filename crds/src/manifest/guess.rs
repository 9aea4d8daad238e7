//! "Did you mean …?": the nearest of the words that would have been right.
//!
//! A guess is shown, never acted on.

/// The candidate that the author most likely meant: the same letters in another case or with other
/// joints (`accountId`, `vpc_ids`), else one within a third of the word's length in single slips of the finger.
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A hostile word of 10 kB would cost 10 kB × candidate comparisons and resembles nothing anyway.
    if word.len() > 64 {
        return None;
    }
    let bare = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let slips = |candidate: &&str| strsim::osa_distance(&bare(word), &bare(candidate));
    let best = candidates.min_by_key(slips)?;
    (slips(&best) <= (bare(best).chars().count() / 3).max(1)).then_some(best)
}

/// Whether `word` is `meant` with a slip or two.
pub(super) fn is_slip(word: &str, meant: &str) -> bool {
    word.len() <= 64 && word != meant && strsim::osa_distance(word, meant) <= 2
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_word_that_was_meant_is_found_and_no_other() {
        let fields = ["accountID", "vpcIDs", "namePattern", "selector", "min", "max"];
        for (typed, meant) in [
            ("accountId", Some("accountID")),
            ("vpc_ids", Some("vpcIDs")),
            ("selecter", Some("selector")),
            ("namePatern", Some("namePattern")),
            ("mix", Some("min")),
            ("wildlyDifferent", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, fields.into_iter()), meant, "{typed}");
        }
        assert_eq!(nearest(&"x".repeat(10_000), fields.into_iter()), None);
    }
}
