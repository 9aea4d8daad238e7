//! Ids as Mackerel makes them: eleven letters and digits that tell nothing and sort in no useful order.
//!
//! They are a function of a seed and a counter, never of chance: a world that is built twice has the same ids.

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const LETTERS: usize = 9;
/// 58^9: how many ids one seed can give.
const SPACE: u64 = 7_427_658_739_644_928;
/// Coprime to [`SPACE`] (odd, and no multiple of 29), so that no two counts meet.
const STRIDE: u64 = 4_611_686_018_427_387_847 % SPACE;

/// Where the ids of one organisation come from.
#[derive(Clone, Debug)]
pub(super) struct Ids {
    prefix: String,
    next: u64,
}

impl Ids {
    /// Ids that begin with two letters made of `seed`.
    pub(super) fn seeded(seed: &str) -> Self {
        let hash = seed.bytes().fold(7_u64, |h, b| h.wrapping_mul(31).wrapping_add(u64::from(b)));
        Self { prefix: spell(hash, 2), next: 1 }
    }

    /// The next id, never given before.
    pub(super) fn take(&mut self) -> String {
        let scattered = u128::from(self.next) * u128::from(STRIDE) % u128::from(SPACE);
        self.next += 1;
        let scattered = u64::try_from(scattered).unwrap_or(0);
        format!("{}{}", self.prefix, spell(scattered, LETTERS))
    }
}

fn spell(mut number: u64, letters: usize) -> String {
    let base = ALPHABET.len() as u64;
    let letter = |_| {
        let digit = usize::try_from(number % base).unwrap_or(0);
        number /= base;
        ALPHABET.get(digit).copied().map_or('1', char::from)
    };
    (0..letters).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_repeatable_distinct_and_look_like_mackerels() {
        let (mut one, mut again) = (Ids::seeded("acme"), Ids::seeded("acme"));
        let ids: Vec<_> = (0..50_000).map(|_| one.take()).collect();
        assert!(ids.iter().all(|id| *id == again.take() && id.len() == 11));
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        assert!(!ids.is_sorted(), "nobody may learn to rely on their order");
    }
}
