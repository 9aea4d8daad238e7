//! `rollcall explain RC0102`: the finding's page, offline. The pages are `docs/findings/*.md`, built in.

use rollcall_engine::finding::Code;

use crate::{CLEAN, FAILED};

/// Every code with its page; the match is exhaustive, so a code without a page does not compile.
fn page(code: Code) -> &'static str {
    macro_rules! pages {
        ($($name:ident = $file:literal,)*) => {
            match code { $(Code::$name => include_str!(concat!("../../../../docs/findings/", $file, ".md")),)* }
        };
    }
    pages! {
        NotRegistered = "RC0101",
        CheckMissing = "RC0102",
        Silent = "RC0103",
        Muted = "RC0104",
        Weak = "RC0105",
        RoleMismatch = "RC0106",
        WrongStatus = "RC0107",
        StoppedButWatched = "RC0108",
        Unheard = "RC0109",
        NotReadyInTime = "RC0110",
        Ghost = "RC0201",
        Stranger = "RC0202",
        Duplicate = "RC0203",
        Unrequired = "RC0204",
        Ambiguous = "RC0205",
        AssertionFailed = "RC0301",
        Unused = "RC0401",
        LongStopped = "RC0402",
        Unclaimed = "RC0403",
        UnderCount = "RC0404",
        OverCount = "RC0405",
        Contested = "RC0406",
        InventoryBlind = "RC0501",
        RegistryBlind = "RC0502",
        NotVerifiable = "RC0503",
        SystemOff = "RC0504",
        ActivityBlind = "RC0505",
        ReviewOverdue = "RC0601",
        ExemptionExpired = "RC0602",
        NoOwner = "RC0603",
        ParameterMissing = "RC0604",
        Shadowed = "RC0605",
        NoDuty = "RC0606",
        UnknownRole = "RC0607",
    }
}

/// The list of codes.
pub fn print_all() {
    for code in Code::ALL {
        anstream::println!("{code}  {}", code.title());
    }
}

/// Is this meant to be a code?
pub fn is_one(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    text.strip_prefix("RC")
        .is_some_and(|digits| digits.len() <= 4 && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Prints one page; answers the exit code.
pub fn run(wanted: &str) -> u8 {
    let wanted = wanted.to_ascii_uppercase();
    if let Some(code) = Code::ALL.iter().find(|code| code.as_str() == wanted) {
        anstream::println!("{}", page(*code).trim_end());
        return CLEAN;
    }
    let close: Vec<String> = Code::ALL
        .iter()
        .filter(|code| wanted.len() >= 4 && code.as_str().starts_with(wanted.get(..4).unwrap_or_default()))
        .map(|code| format!("  {code}  {}", code.title()))
        .collect();
    anstream::eprintln!("rollcall: there is no finding {wanted}; `rollcall explain` lists all codes");
    if !close.is_empty() {
        anstream::eprintln!("of the same family:\n{}", close.join("\n"));
    }
    FAILED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_about_its_own_code() {
        for code in Code::ALL {
            let first = page(*code).lines().next().unwrap_or_default();
            assert_eq!(first, format!("# {code}: {}", code.title()), "first line of docs/findings/{code}.md");
        }
    }
}
