//! Short texts of statuses: counts that are `-` where nobody can know, names freed of what would garble a terminal.

use rollcall_crds::conditions::cut;

/// A count as people read it; `-` while it is not known. Never a zero that nobody has counted.
#[must_use]
pub fn count(known: bool, count: impl std::fmt::Display) -> String {
    if known { count.to_string() } else { "-".to_owned() }
}

/// At most so many bytes, without control characters.
#[must_use]
pub fn clean(text: &str, bytes: usize) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut(plain.trim(), bytes)
}

/// A count as the API holds it.
#[must_use]
pub fn int(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}

/// `1,240`: for people who read progress.
#[must_use]
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_240, "1,240"), (20_000, "20,000"), (1_000_000, "1,000,000")]
        {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn hostile_names_are_harmless() {
        assert_eq!(clean("\u{1b}[2Jevil\n", 64), "[2Jevil");
        assert!(clean(&"名".repeat(10_000), 64).len() <= 64);
        assert_eq!((count(false, 0), count(true, 0)), ("-".to_owned(), "0".to_owned()));
    }
}
