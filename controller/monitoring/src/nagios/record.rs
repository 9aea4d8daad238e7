//! What both ways of reading yield before it is joined: the configuration and the status, each by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rollcall_engine::ids::{CheckName, RegistrationId};
use rollcall_engine::reading::{Failure, FailureKind};

use super::told::{Contact, Downtime, HostState, Program, Recipients, ServiceState};
use crate::mackerel::listing::Listing;

/// No installation that is read has more hosts.
pub const MAX_HOSTS: usize = 50_000;
/// No installation that is read has more services.
pub const MAX_SERVICES: usize = 300_000;
/// No more downtimes or contacts are read.
pub(super) const MAX_OTHERS: usize = 300_000;
/// Custom variables kept of one host.
pub(super) const MAX_VARIABLES: usize = 64;
/// No name is longer, in bytes.
const MAX_NAME: usize = 1_024;
/// A text that is not a name is kept up to this, in characters.
const MAX_TEXT: usize = 1_024;

/// A service's host and name.
pub(super) type ServiceKey = (RegistrationId, CheckName);

/// How something is to be checked, by the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) command: Option<Arc<str>>,
    /// Hundredths of the unit of time: the CGIs print no more digits, and both ways must agree.
    pub(super) interval: Option<i64>,
    pub(super) freshness: Option<bool>,
    /// Seconds; 0: to be worked out from the interval.
    pub(super) threshold: Option<i64>,
    pub(super) recipients: Arc<Recipients>,
}

/// A host's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostDefinition {
    pub(super) alias: Option<String>,
    pub(super) address: Option<String>,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) definition: Definition,
}

/// What came of the checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status<S> {
    pub(super) state: Option<S>,
    pub(super) checked: Option<bool>,
    /// Whether the last result came from an active check.
    pub(super) by_active: Option<bool>,
    pub(super) last_check: Option<Timestamp>,
    pub(super) next_check: Option<Timestamp>,
    pub(super) scheduled: Option<bool>,
    pub(super) active: Option<bool>,
    pub(super) passive: Option<bool>,
    pub(super) notifications: Option<bool>,
    pub(super) acknowledged: Option<bool>,
    pub(super) in_downtime: Option<bool>,
}

// By hand: a derive would ask for `S: Default`.
impl<S> Default for Status<S> {
    fn default() -> Self {
        Self {
            state: None,
            checked: None,
            by_active: None,
            last_check: None,
            next_check: None,
            scheduled: None,
            active: None,
            passive: None,
            notifications: None,
            acknowledged: None,
            in_downtime: None,
        }
    }
}

/// The configuration's half.
#[derive(Debug)]
pub(super) struct Objects {
    pub(super) hosts: Listing<BTreeMap<RegistrationId, HostDefinition>>,
    pub(super) services: Listing<BTreeMap<ServiceKey, Definition>>,
    pub(super) contacts: Listing<BTreeMap<Arc<str>, Contact>>,
}

/// The status' half.
#[derive(Debug)]
pub(super) struct Statuses {
    pub(super) hosts: Listing<BTreeMap<RegistrationId, Status<HostState>>>,
    pub(super) services: Listing<BTreeMap<ServiceKey, Status<ServiceState>>>,
    pub(super) downtimes: Listing<BTreeSet<Downtime>>,
}

/// Everything of one read.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) program: Program,
    pub(super) objects: Objects,
    pub(super) statuses: Statuses,
    /// Why a list of no hosts is not believed; none: it is, when configuration and status agree on it.
    pub(super) nobody: Option<Failure>,
}

/// What the reader has to be told about an installation, because neither its files nor its CGIs tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// One unit of time of its configuration: `interval_length` in `nagios.cfg`.
    pub interval_length: SignedDuration,
    /// A status older than this is a dead program's, whatever it says.
    pub max_status_age: SignedDuration,
}

impl Default for Terms {
    /// A minute is Nagios' default, and Icinga 2's always. Five of them without a new status is five updates missed at
    /// Nagios' default of one a minute.
    fn default() -> Self {
        Self { interval_length: SignedDuration::from_mins(1), max_status_age: SignedDuration::from_mins(5) }
    }
}

impl Terms {
    /// Why a status of `updated` cannot be believed at `now`.
    ///
    /// # Errors
    /// `Stale` when it is too old, `Malformed` when it comes from the future.
    pub(super) fn fresh(&self, updated: Timestamp, now: Timestamp, what: &str) -> Result<(), Failure> {
        let age = now.duration_since(updated);
        if age > self.max_status_age {
            let limit = self.max_status_age.as_secs();
            let message = format!(
                "{what}: expected a status of the last {limit} s, found one of {updated}; see whether Nagios is running \
                 and can write its status_file"
            );
            return Err(Failure::new(FailureKind::Stale, message));
        }
        if age < -self.max_status_age {
            let message =
                format!("{what}: expected a status of now, found one of {updated}; compare the clocks");
            return Err(Failure::new(FailureKind::Malformed, message));
        }
        Ok(())
    }
}

/// A name that may serve as an id: filled, of bounded length, without control characters.
pub(super) fn name(text: &str) -> Option<&str> {
    let fits = !text.is_empty() && text.len() <= MAX_NAME && !text.chars().any(char::is_control);
    fits.then_some(text)
}

/// A text for people, if there is one.
pub(super) fn text(text: &str) -> Option<String> {
    let cut: String = text.chars().take(MAX_TEXT).collect();
    (!cut.is_empty()).then_some(cut)
}

/// The command's name: what follows the first `!` are arguments, which may hold passwords.
pub(super) fn command(line: &str) -> Option<Arc<str>> {
    let name = line.split('!').next().and_then(name)?;
    Some(Arc::from(name))
}

/// A custom variable as it is kept; Icinga 2 writes names in lower case, Nagios in upper case.
pub(super) fn variable(name: &str, value: &str) -> Option<(String, String)> {
    Some((self::name(name)?.to_uppercase(), text(value)?))
}

/// The moment so many seconds after the epoch; none for 0, which means never.
pub(super) fn moment(seconds: i64) -> Option<Timestamp> {
    (seconds > 0).then(|| Timestamp::from_second(seconds).ok()).flatten()
}

/// When a downtime ends: a flexible one that has begun lasts for its duration, and not until the end of the time in which it
/// may begin. Seconds.
pub(super) fn until(end: Timestamp, flexible: bool, begun: Option<i64>, duration: Option<i64>) -> Timestamp {
    let lasts = || {
        let begun = begun.filter(|_| flexible).and_then(moment)?;
        begun.checked_add(SignedDuration::from_secs(duration?)).ok()
    };
    lasts().unwrap_or(end)
}

/// One value for all that are equal: a fleet has a handful of different recipients.
#[derive(Debug, Default)]
pub(super) struct Shared(BTreeSet<Arc<Recipients>>);

impl Shared {
    pub(super) fn of(&mut self, recipients: Recipients) -> Arc<Recipients> {
        if let Some(same) = self.0.get(&recipients) {
            return same.clone();
        }
        let new = Arc::new(recipients);
        self.0.insert(new.clone());
        new
    }
}
