//! The last gate: the only maker of a [`Permit`].

use std::fmt;

use super::guard::{Case, Guard, Moment, Why};
use super::live::Live;
use super::order::Intent;
use super::status::Retirement;

/// What a guard said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which guard.
    pub guard: Guard,
    /// Why it does not let pass.
    pub why: Why,
}

impl fmt::Display for Refusal {
    /// What it means for people, and by which guard: `its owner keeps it (Keep)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, reason) = (self.guard.name(), self.guard.reason());
        match self.why {
            Why::Holds | Why::Cancels => write!(f, "{reason} ({name})"),
            Why::Unknown(why) => write!(f, "nobody knows whether {reason} ({name}: {})", why.as_str()),
        }
    }
}

/// The right to make one call, once. Only [`Guards::permit`] makes one, and it cannot be copied.
#[derive(Debug)]
pub struct Permit {
    intent: Intent,
}

impl Permit {
    /// What is permitted, to what, and until when.
    #[must_use]
    pub fn intent(&self) -> &Intent {
        &self.intent
    }
}

/// The guards that are asked: all of them. A proof may leave one out, in builds that have the feature `proof`; nothing
/// else can make a set that lacks one, and [`super::step`] and [`super::plan`] take none from outside.
#[derive(Clone, Copy, Debug)]
pub struct Guards {
    left_out: Option<Guard>,
    is_credulous: bool,
}

impl Guards {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self { left_out: None, is_credulous: false }
    }

    /// All but one.
    #[cfg(any(test, feature = "proof"))]
    #[doc(hidden)]
    #[must_use]
    pub fn all_but(guard: Guard) -> Self {
        Self { left_out: Some(guard), is_credulous: false }
    }

    /// What does not let pass in this case, in the table's order.
    #[must_use]
    pub fn refusals(self, of: &Retirement, live: &Live, case: Case) -> Vec<Refusal> {
        let asked = Guard::ALL.iter().filter(|guard| self.asks(**guard) && guard.applies(case));
        asked
            .filter_map(|guard| guard.judge(of, live, case).err().map(|why| Refusal { guard: *guard, why }))
            .filter(|refusal| !(self.is_credulous && matches!(refusal.why, Why::Unknown(_))))
            .collect()
    }

    /// All of them, and each lets pass what it does not know: the commonest mistake of such tools.
    #[cfg(any(test, feature = "proof"))]
    #[doc(hidden)]
    #[must_use]
    pub fn credulous() -> Self {
        Self { left_out: None, is_credulous: true }
    }

    /// Is this one asked?
    pub(super) fn asks(self, guard: Guard) -> bool {
        self.left_out != Some(guard)
    }

    /// What one guard says, if it is asked at all.
    pub(super) fn refusal(self, guard: Guard, of: &Retirement, live: &Live) -> Option<Refusal> {
        let case = Case { moment: Moment::Watching, act: None };
        let why = self.asks(guard).then(|| guard.judge(of, live, case).err()).flatten()?;
        Some(Refusal { guard, why })
    }

    /// The last gate.
    ///
    /// # Errors
    /// Everything that speaks against it.
    pub(super) fn permit(
        self,
        of: &Retirement,
        live: &Live,
        intent: &Intent,
    ) -> Result<Permit, Vec<Refusal>> {
        let refusals = self.refusals(of, live, Case { moment: Moment::Acting, act: Some(intent.act) });
        if refusals.is_empty() { Ok(Permit { intent: intent.clone() }) } else { Err(refusals) }
    }
}
