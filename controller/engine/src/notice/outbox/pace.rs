//! How long to wait before the next attempt: longer each time, and never the same as everybody else.

use jiff::SignedDuration;

/// The first pause is at most this; it doubles with each failure.
const FIRST: SignedDuration = SignedDuration::from_secs(5);
/// No pause that we choose ourselves is longer, and none that a receiver asks for makes a message wait longer than
/// [`LONGEST_PAUSE`].
const LONGEST_OF_OURS: SignedDuration = SignedDuration::from_mins(15);
/// However long a receiver wants to be left alone, after this it is asked again: a header must not silence us for a year.
pub const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// Not even chance makes it shorter.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);

/// Chance, drawn by the shell: any number, each as likely as the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jitter(pub u32);

/// The pause after so many failures in a row, from 1: full jitter, anything up to the bound that doubles.
pub(super) fn pause(failures: u32, asked: Option<SignedDuration>, Jitter(chance): Jitter) -> SignedDuration {
    let doubled = 1_i32.checked_shl(failures.saturating_sub(1).min(16)).unwrap_or(i32::MAX);
    let bound = FIRST.saturating_mul(doubled).min(LONGEST_OF_OURS);
    let millis = i64::try_from(bound.as_millis()).unwrap_or(i64::MAX);
    let drawn = i128::from(millis) * i128::from(chance) / i128::from(u32::MAX);
    let drawn = SignedDuration::from_millis(i64::try_from(drawn).unwrap_or(millis)).max(SHORTEST);
    drawn.max(asked.unwrap_or(SignedDuration::ZERO).min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_with_chance_and_are_bounded() {
        for (failures, longest) in
            [(0, 5), (1, 5), (2, 10), (3, 20), (8, 640), (9, 900), (40, 900), (u32::MAX, 900)]
        {
            assert_eq!(
                pause(failures, None, Jitter(u32::MAX)),
                SignedDuration::from_secs(longest),
                "{failures}"
            );
            assert_eq!(pause(failures, None, Jitter(0)), SHORTEST);
            let half = pause(failures, None, Jitter(u32::MAX / 2)).as_millis();
            assert!((half - i128::from(longest) * 500).abs() <= 1, "{failures}: {half}");
        }
    }

    #[test]
    fn what_a_receiver_asks_for_counts_for_an_hour_at_most() {
        for (asked, waited) in [(0, 1), (-7, 1), (120, 120), (3_600, 3_600), (i64::MAX, 3_600)] {
            let pause = pause(1, Some(SignedDuration::from_secs(asked)), Jitter(0));
            assert_eq!(pause, SignedDuration::from_secs(waited), "{asked}");
        }
    }
}
