//! How a host or a service is checked, and what has come of it by a given second. Pure.
//!
//! Nothing is run: results follow from the time alone, so that a clock that jumps by two days needs no catching up.

use super::UNIT_SECONDS;

/// What is believed of a host, as the files count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostState {
    /// It answers.
    #[default]
    Up,
    /// It does not.
    Down,
    /// What it is reached through does not.
    Unreachable,
}

/// What is believed of a service, as the files count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServiceState {
    /// In order.
    #[default]
    Ok,
    /// Not quite.
    Warning,
    /// Not in order.
    Critical,
    /// The check could not tell.
    Unknown,
}

/// A state on the wire.
pub trait State: Copy + Default {
    /// What Nagios makes of a service that is not reported in time.
    const SILENT: Self;
    /// Its number, as in the files.
    fn number(self) -> u8;
    /// Its bit, as in the CGIs; 1 is pending.
    fn bit(self) -> u8;
}

impl State for HostState {
    const SILENT: Self = Self::Down;

    fn number(self) -> u8 {
        self as u8
    }

    fn bit(self) -> u8 {
        2 << self.number()
    }
}

impl State for ServiceState {
    const SILENT: Self = Self::Unknown;

    fn number(self) -> u8 {
        self as u8
    }

    fn bit(self) -> u8 {
        match self {
            Self::Ok => 2,
            Self::Warning => 4,
            Self::Unknown => 8,
            Self::Critical => 16,
        }
    }
}

/// How something is checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Check<S> {
    /// The command with its arguments, which may hold passwords.
    pub command: String,
    /// Between two checks, in seconds.
    pub interval: i64,
    /// Nagios runs it by itself.
    pub active: bool,
    /// Results from outside are taken.
    pub passive: bool,
    /// Without a result for so many seconds Nagios runs it although it is only reported; none: nobody looks after it.
    pub freshness: Option<i64>,
    /// Problems notify.
    pub notifications: bool,
    /// What every result says.
    pub state: S,
    /// What its plugin prints.
    pub output: String,
    /// Contacts and groups of contacts.
    pub contacts: Vec<String>,
    /// Groups of contacts.
    pub contact_groups: Vec<String>,
    pub(super) results: Results,
}

/// When results come: every so many seconds (0: once) from the first to the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Results {
    first: Option<i64>,
    every: i64,
    until: Option<i64>,
}

impl Results {
    /// The newest one at this second.
    fn newest(self, at: i64) -> Option<i64> {
        let first = self.first?;
        let at = at.min(self.until.unwrap_or(at));
        let passed = at.checked_sub(first).filter(|passed| *passed >= 0)?;
        Some(if self.every > 0 { at - passed % self.every } else { first })
    }
}

/// What has come of a check by a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shown<S> {
    /// None: pending.
    pub(super) state: Option<S>,
    /// The result is Nagios' own.
    pub(super) by_active: bool,
    pub(super) last_check: i64,
    pub(super) next_check: i64,
}

impl<S: State> Check<S> {
    /// A check that Nagios runs every 5 minutes, always well, that notifies the group `admins`.
    #[must_use]
    pub fn active(command: &str) -> Self {
        Self {
            command: command.to_owned(),
            interval: 5 * UNIT_SECONDS,
            active: true,
            passive: true,
            freshness: None,
            notifications: true,
            state: S::default(),
            output: "OK".to_owned(),
            contacts: Vec::new(),
            contact_groups: vec!["admins".to_owned()],
            results: Results::default(),
        }
    }

    /// One that is only reported from outside; after `freshness` seconds without a report Nagios answers for it.
    #[must_use]
    pub fn reported(freshness: Option<i64>) -> Self {
        let command = "check_dummy!3!no result";
        Self { active: false, freshness, ..Self::active(command) }
    }

    /// From now on results come: of an active check at its own pace.
    pub(super) fn begin(&mut self, now: i64) {
        if self.active && self.results.first.is_none() {
            self.results = Results { first: Some(now), every: self.interval, until: None };
        }
    }

    /// Results from outside come every so many seconds (0: one, now).
    pub(super) fn reports(&mut self, now: i64, every: i64) {
        self.results = Results { first: Some(now), every, until: None };
    }

    /// No result comes any more.
    pub(super) fn ends(&mut self, now: i64) {
        if self.results.until.is_none() {
            self.results.until = Some(now);
        }
    }

    /// It is switched off or on at run time.
    pub(super) fn switch(&mut self, active: bool, now: i64) {
        if self.active && !active {
            self.ends(now);
        }
        if active && !self.active {
            self.results = Results { first: Some(now), every: self.interval, until: None };
        }
        self.active = active;
    }

    /// What has come of it at this second; the program has been running since `started`.
    pub(super) fn shown(&self, at: i64, started: i64) -> Shown<S> {
        let newest = self.results.newest(at);
        if let Some(own) = self.answered_for(newest, at, started) {
            return Shown { state: Some(S::SILENT), by_active: true, last_check: own, next_check: 0 };
        }
        let next = newest.filter(|_| self.active).map_or(0, |newest| newest + self.interval);
        Shown {
            state: newest.map(|_| self.state),
            // Pending is told as an active check.
            by_active: self.active || newest.is_none(),
            last_check: newest.unwrap_or_default(),
            next_check: next,
        }
    }

    /// When Nagios last answered for a service that nobody reports in time. That renews its last check, so it answers again
    /// a threshold later.
    fn answered_for(&self, newest: Option<i64>, at: i64, started: i64) -> Option<i64> {
        let threshold = self.freshness.filter(|threshold| !self.active && self.passive && *threshold > 0)?;
        let silent_for = at - newest.unwrap_or(started).max(started);
        (silent_for > threshold).then(|| at - silent_for % threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_active_check_runs_when_it_is_due_and_stays_late_once_it_is_not_run() {
        let mut check = Check::<ServiceState>::active("check_http");
        assert_eq!(check.shown(999, 0).state, None, "pending");
        check.begin(1_000);
        let at = |check: &Check<ServiceState>, at| {
            let shown = check.shown(at, 0);
            (shown.last_check, shown.next_check)
        };
        assert_eq!(at(&check, 1_000), (1_000, 1_300));
        assert_eq!(at(&check, 1_299), (1_000, 1_300));
        assert_eq!(at(&check, 1_000 + 48 * 3_600 + 7), (173_800, 174_100));
        check.ends(2_000);
        assert_eq!(at(&check, 9_000), (1_900, 2_200), "and the next one never came");
    }

    #[test]
    fn who_is_not_reported_in_time_is_answered_for_again_and_again() {
        let mut check = Check::<ServiceState>::reported(Some(600));
        let at = |check: &Check<ServiceState>, at| {
            let shown = check.shown(at, 1_000);
            (shown.state, shown.by_active, shown.last_check)
        };
        assert_eq!(at(&check, 1_600), (None, true, 0));
        assert_eq!(at(&check, 1_601), (Some(ServiceState::Unknown), true, 1_600));
        check.reports(1_700, 300);
        assert_eq!(at(&check, 2_000), (Some(ServiceState::Ok), false, 2_000));
        check.ends(2_100);
        assert_eq!(at(&check, 2_600), (Some(ServiceState::Ok), false, 2_000));
        assert_eq!(at(&check, 3_900), (Some(ServiceState::Unknown), true, 3_800));
        check.freshness = None;
        assert_eq!(at(&check, 99_999), (Some(ServiceState::Ok), false, 2_000), "nobody looks after it");
    }

    #[test]
    fn states_are_bits() {
        let services =
            [ServiceState::Ok, ServiceState::Warning, ServiceState::Critical, ServiceState::Unknown];
        assert_eq!(services.map(State::number), [0, 1, 2, 3]);
        assert_eq!(services.map(State::bit), [2, 4, 16, 8]);
        assert_eq!([HostState::Up, HostState::Down, HostState::Unreachable].map(State::bit), [2, 4, 8]);
    }
}
