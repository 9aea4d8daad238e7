//! How far the first writes of Host objects are. Only a wave of them is told: two hosts that join are no progress bar.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use rollcall_crds::conditions::{RECONCILING, Truth};

use super::conditions::{Conditions, Verdict};
use super::text::grouped;

/// From so many unwritten hosts on (some seconds of the write budget) progress is told.
const WAVE: usize = 100;

/// Hosts written at least once, of all that should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Written at least once.
    pub written: usize,
    /// Wanted.
    pub wanted: usize,
    /// A wave that is told already is not told anew in this pass.
    stands: bool,
}

impl Progress {
    /// The same, to be told only if it is time to.
    #[must_use]
    pub fn told(self, now: bool) -> Self {
        Self { stands: !now, ..self }
    }

    /// Counts one host.
    pub fn add(&mut self, written: bool) {
        self.written += usize::from(written);
        self.wanted += 1;
    }

    /// Hosts never written.
    #[must_use]
    pub fn unwritten(self) -> usize {
        self.wanted - self.written
    }

    /// Is it worth telling? A wave that was told is told to its end, so that the condition does not flicker.
    #[must_use]
    pub fn is_under_way(self, before: &[Condition]) -> bool {
        let told = before.iter().any(|c| c.type_ == RECONCILING);
        self.unwritten() >= if told { 1 } else { WAVE }
    }

    /// Sets `Reconciling` while a wave is under way, and takes it away at its end.
    pub fn tell(self, conditions: &mut Conditions, before: &[Condition]) {
        let is_told = before.iter().any(|c| c.type_ == RECONCILING);
        match self.is_under_way(before) {
            true if is_told && self.stands => {}
            true => conditions.set(RECONCILING, &self.verdict()),
            false => conditions.set_while(RECONCILING, None),
        }
    }

    fn verdict(self) -> Verdict {
        let message = format!("{} of {} hosts written", grouped(self.written), grouped(self.wanted));
        Verdict::new(Truth::True, "WritingHosts", &message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_is_told_to_its_end_and_a_ripple_never() {
        let told = [Condition {
            type_: RECONCILING.to_owned(),
            status: "True".to_owned(),
            reason: "WritingHosts".to_owned(),
            message: String::new(),
            observed_generation: None,
            last_transition_time: k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(
                jiff::Timestamp::UNIX_EPOCH,
            ),
        }];
        let at = |written| Progress { written, wanted: 1_000, ..Progress::default() };
        assert!(!at(950).is_under_way(&[]), "a ripple");
        assert!(at(900).is_under_way(&[]));
        assert!(at(999).is_under_way(&told));
        assert!(!at(1_000).is_under_way(&told));
    }
}
