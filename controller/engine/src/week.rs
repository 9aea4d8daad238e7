//! From a roll call to the digest of a week: what grew, who looks unused, what wants tidying, as far as one pass knows it.
//!
//! Pure. What the pass cannot know is told as not known: it must never turn what nobody could read into a number, and never make
//! up what happened before memory begins. Money is not told, for no prices are known here; and nobody was retired, for nothing
//! here retires anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rollcall_crds::v1alpha1::RetirementState;

use crate::finding::{Code, Excuse, Finding, Subject};
use crate::fleet::Environment;
use crate::ids::{HostId, ObjectKey, Place};
use crate::lean::{Doubt, Use};
use crate::leaving::{Departure, Pass};
use crate::limits::{CHECK_PROOF_MAX_AGE, GHOST_AFTER, KEEP_FOR, MAX_EXAMPLES};
use crate::memory::{EnvironmentMemory, Happening, MAX_CHANGES};
use crate::notice::{
    BlindNow, Blindness, Command, Digest, Excess, Hosts, Origin, Reviews, Staying, StaysFor, Unused,
    UnusedCause, UnusedHosts, Waits, Week,
};
use crate::reading::FailureKind;
use crate::registry::Checks;
use crate::rollcall::{EnvironmentRoll, HostRoll, Requirement, SystemRoll};
use crate::text::{argument, few};

/// Memory of changes reaches so far back, what has been muted for so long is told, and what ends within it.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who asks: the digest is named after it.
    pub origin: &'a Origin,
    /// Only these environments; none: all that can be judged, and what belongs to none of them.
    pub environments: Option<&'a BTreeSet<ObjectKey>>,
    /// The arguments that give a command the same input again: `--on fleet.json.gz`.
    pub on: &'a str,
    /// How retirements stand; none where that is not known.
    pub departures: Option<&'a [Departure]>,
}

/// The digest of the week in which the pass was made.
#[must_use]
pub fn digest(pass: Pass<'_>, asked: Asked<'_>) -> Digest {
    let scope = Scope::new(pass, asked);
    Digest {
        origin: asked.origin.clone(),
        scope: scope.name(),
        week: Week::of(day(pass.now)),
        hosts: scope.hosts(),
        unused: scope.unused(),
        prices: None,
        retired: Some(Vec::new()),
        staying: scope.staying(),
        excess: scope.excess(),
        reviews: scope.reviews(),
        expiring: scope.expiring(),
        blind: Blindness::Now(scope.blind()),
        all: scope.plan("plan --all"),
    }
}

/// The environments that are asked about, each as it was judged.
struct Scope<'a> {
    pass: Pass<'a>,
    on: &'a str,
    departures: Option<&'a [Departure]>,
    /// Everything: what belongs to no environment is in it.
    is_whole: bool,
    rolls: BTreeMap<&'a ObjectKey, &'a EnvironmentRoll>,
    environments: Vec<&'a Environment>,
    places: BTreeSet<Place>,
    /// The systems that they need, if they were looked at.
    systems: BTreeMap<ObjectKey, Option<&'a SystemRoll>>,
}

impl<'a> Scope<'a> {
    fn new(pass: Pass<'a>, asked: Asked<'a>) -> Self {
        let is_asked = |key: &ObjectKey| asked.environments.is_none_or(|these| these.contains(key));
        let rolls: BTreeMap<_, _> = pass.roll.environments.iter().filter(|(key, _)| is_asked(key)).collect();
        let environments = rolls.keys().filter_map(|key| pass.fleet.environment(key)).collect();
        let places = rolls.keys().flat_map(|key| pass.fleet.environment_places(key)).collect();
        let systems = rolls.keys().flat_map(|key| pass.fleet.environment_systems(key));
        let systems = systems.map(|key| (key.clone(), pass.roll.systems.get(&key))).collect();
        let is_whole = asked.environments.is_none();
        let (on, departures) = (asked.on, asked.departures);
        Self { pass, on, departures, is_whole, rolls, environments, places, systems }
    }

    /// The environments' names, or those of their namespaces where all of them are meant.
    fn name(&self) -> Arc<str> {
        let name = |key: &&'a ObjectKey| if self.is_whole { &*key.namespace } else { &*key.name };
        let names: BTreeSet<&str> = self.rolls.keys().map(name).collect();
        let names: Vec<&str> = names.into_iter().collect();
        Arc::from(if names.is_empty() { "-".to_owned() } else { few(&names, names.len(), MAX_EXAMPLES) })
    }

    fn hosts(&self) -> Hosts {
        let today = day(self.pass.now);
        let seen = self.sees_hosts();
        let now = seen.then(|| self.rolls.values().map(|roll| roll.hosts).sum());
        let monday = monday(today);
        let moved = seen && self.places_remembered_from().is_some_and(|from| from <= monday);
        let moved = moved.then(|| self.moved_since(monday)).flatten();
        Hosts {
            now,
            joined: moved.map(|(joined, _)| joined),
            left: moved.map(|(_, left)| left),
            week_ago: self.in_week(today, 7),
            // The same day of the week, 52 weeks ago.
            year_ago: self.in_week(today, 364),
        }
    }

    /// Is every host of these environments known?
    fn sees_hosts(&self) -> bool {
        !(self.is_whole && self.pass.fleet.has_left_out)
            && self.rolls.values().all(|roll| roll.sees_hosts())
            && self.environments.iter().all(|environment| !environment.is_partial)
            && !self.places.iter().any(|place| self.pass.fleet.claims_doubted.contains(&place.account))
    }

    /// Since when hosts of all these places are remembered. A place that has no databases remembers none.
    fn places_remembered_from(&self) -> Option<Timestamp> {
        let since = |place| {
            let memory = self.pass.memory.places.get(place)?;
            memory.since.map(|since| memory.databases.since.map_or(since, |databases| since.max(databases)))
        };
        self.places.iter().map(since).try_fold(Timestamp::MIN, |latest, since| Some(latest.max(since?)))
    }

    /// Hosts that joined and left since then; `None` where more happened than is remembered. A host that left and was then
    /// found to be replaced left once.
    fn moved_since(&self, from: Timestamp) -> Option<(u32, u32)> {
        let (mut joined, mut left) = (BTreeSet::new(), BTreeSet::new());
        for memory in self.memories() {
            let changes = &memory?.changes;
            let is_cut =
                changes.len() >= MAX_CHANGES && changes.first().is_none_or(|oldest| oldest.at >= from);
            if is_cut {
                return None;
            }
            for change in changes.iter().filter(|change| change.at >= from) {
                match change.what {
                    Happening::Joined => drop(joined.insert(&change.host)),
                    Happening::Left | Happening::ReplacedBy(_) => drop(left.insert(&change.host)),
                    Happening::Resized { .. }
                    | Happening::RolesChanged { .. }
                    | Happening::BecameWriter { .. } => {}
                }
            }
        }
        Some((number(joined.len()), number(left.len())))
    }

    /// How many hosts there were in the week that many days ago, as they were last counted in it; `None` unless all of these environments remember it.
    fn in_week(&self, today: Date, days_ago: i64) -> Option<u32> {
        let then = today.checked_sub(SignedDuration::from_hours(days_ago * 24)).ok()?;
        let week = Week::of(then).to_string();
        let hosts =
            |memory: Option<&EnvironmentMemory>| u32::try_from(*memory?.weekly_hosts.get(&week)?).ok();
        self.memories().try_fold(0_u32, |sum, memory| Some(sum.saturating_add(hosts(memory)?)))
    }

    fn memories(&self) -> impl Iterator<Item = Option<&'a EnvironmentMemory>> {
        let memory = self.pass.memory;
        self.rolls.keys().map(|key| memory.environments.get(*key))
    }

    fn unused(&self) -> UnusedHosts {
        // Frozen debt keeps nobody.
        let is_one = |finding: &&Finding| {
            matches!(finding.code, Code::Unused | Code::LongStopped)
                && !matches!(finding.excuse, Excuse::Exempt(_))
        };
        let open = self.ours().filter(is_one);
        UnusedHosts {
            known: open.filter_map(|finding| self.unused_host(finding)).collect(),
            is_all: self.sees_unused(),
        }
    }

    fn unused_host(&self, finding: &Finding) -> Option<Unused> {
        let Subject::Host(id) = &finding.subject else { return None };
        let age = self.pass.now.duration_since(finding.since).as_hours() / 24;
        let days = u32::try_from(age).unwrap_or_default();
        let is_namesake = |other: &&Arc<str>| **other == finding.subject_name;
        let names = self.pass.roll.hosts.values().filter_map(|host| host.name.as_ref());
        let is_clear = names.filter(is_namesake).count() == 1;
        let name = if is_clear { &*finding.subject_name } else { id.as_str() };
        let departure = self.departure(id);
        let keep = self.keep(name).or_else(|| self.keep(id.as_str()));
        Some(Unused {
            name: if is_clear { Arc::clone(&finding.subject_name) } else { Arc::from(id.as_str()) },
            cause: match finding.code {
                Code::LongStopped => UnusedCause::Stopped(days),
                _ => UnusedCause::Idle(days),
            },
            decide_by: departure.and_then(|one| self.decide_by(one)),
            waits: departure.and_then(|one| self.waits(one)),
            monthly: None,
            commands: keep.into_iter().collect(),
        })
    }

    /// The retirement of a host that is on its way.
    fn departure(&self, host: &HostId) -> Option<&'a Departure> {
        self.departures?.iter().find(|one| one.host == *host && !one.is_over())
    }

    /// The day, where its people are, until which the owner decides; none once that is over.
    fn decide_by(&self, departure: &Departure) -> Option<Date> {
        let due = departure.due.filter(|due| *due > self.pass.now)?;
        (departure.state == RetirementState::Waiting).then(|| self.day_in(departure, due))
    }

    fn day_in(&self, departure: &Departure, moment: Timestamp) -> Date {
        let environment = self.pass.fleet.environment(&departure.environment);
        environment.map_or(TimeZone::UTC, |of| of.zone.clone()).to_datetime(moment).date()
    }

    fn waits(&self, departure: &Departure) -> Option<Waits> {
        match departure.state {
            RetirementState::Proposed => Some(Waits::ToBeTold),
            _ => departure.awaits_approval(self.pass.now).then_some(Waits::ForApproval),
        }
    }

    /// Whose retirement was cancelled within a week; none where that is not known.
    fn staying(&self) -> Option<Vec<Staying>> {
        let long_ago = self.pass.now.checked_sub(WEEK).ok()?;
        let is_ours = |one: &&Departure| self.rolls.contains_key(&one.environment);
        let ended = self.departures?.iter().filter(is_ours).filter(|one| one.is_over());
        let ended = ended.filter_map(|one| Some((one, one.since.filter(|since| *since > long_ago)?)));
        let told = |(one, since): (&Departure, Timestamp)| Staying {
            name: one.name.as_deref().unwrap_or_else(|| one.host.as_str()).into(),
            on: self.day_in(one, since),
            why: StaysFor::of(one.reason.as_deref().unwrap_or_default()),
        };
        Some(ended.map(told).collect())
    }

    /// May nobody else be unused? Whom nobody asks about, or of whom nobody can say, may be; not who has not run for long enough.
    fn sees_unused(&self) -> bool {
        let is_no_doubt =
            |doubt: Doubt| matches!(doubt, Doubt::TooYoung(_) | Doubt::WasSpared(_) | Doubt::NotRunning);
        let is_open = |host: &HostRoll| matches!(host.used, Some(Use::Unknown(doubt)) if !is_no_doubt(doubt));
        let is_asked = |environment: &&Environment| {
            environment.lean.is_some() && !environment.lean_doubted && !environment.book.doubted
        };
        let is_read = |roll: &EnvironmentRoll| roll.lean.is_some_and(|lean| lean.unread == 0);
        self.sees_hosts()
            && self.environments.iter().all(is_asked)
            && self.rolls.values().all(|roll| is_read(roll))
            && !self.hosts_of().any(is_open)
    }

    /// The hosts of these environments.
    fn hosts_of(&self) -> impl Iterator<Item = &'a HostRoll> {
        let hosts = self.pass.roll.hosts.values();
        hosts.filter(|host| host.environment.as_ref().is_some_and(|key| self.rolls.contains_key(key)))
    }

    fn excess(&self) -> Excess {
        let count = |code: Code| number(self.open().filter(|finding| finding.code == code).count());
        Excess {
            ghosts: self.sees_ghosts().then(|| count(Code::Ghost)),
            muted: self.muted(),
            unrequired: self.sees_unrequired().then(|| count(Code::Unrequired)),
            list: self.plan("plan"),
        }
    }

    /// A registration is a ghost only where all inventories say that nobody is there, its last metric is known, and who was there
    /// before is remembered for as long as a ghost must have been gone.
    fn sees_ghosts(&self) -> bool {
        let long_ago = self.pass.now.saturating_sub(GHOST_AFTER).unwrap_or(Timestamp::MIN);
        if self.places_remembered_from().is_none_or(|from| from > long_ago) {
            return false;
        }
        let hides = |(listing, why): &(String, crate::reading::Failure)| match listing.as_str() {
            "hosts" => true,
            "last metrics" => why.kind != FailureKind::NotSupported,
            _ => false,
        };
        let sees = |system: &SystemRoll| !system.inventory_blind && !system.blind.iter().any(hides);
        self.systems.values().all(|system| system.is_some_and(sees))
    }

    /// Registrations that have been muted for a week. One that is muted now and was seen so for the first time when memory began
    /// may have been muted for longer.
    fn muted(&self) -> Option<u32> {
        let is_known = |roll: &EnvironmentRoll| roll.tally.unknown == 0;
        if !self.sees_hosts() || !self.sees_systems() || !self.rolls.values().all(|roll| is_known(roll)) {
            return None;
        }
        let long_ago = self.pass.now.checked_sub(WEEK).ok()?;
        let of_one = |finding: &'a Finding| (finding.system.as_ref(), &finding.subject);
        let muted = || self.open().filter(|finding| finding.code == Code::Muted);
        let long: BTreeSet<_> = muted().filter(|finding| finding.since <= long_ago).map(of_one).collect();
        let all: BTreeSet<_> = muted().map(of_one).collect();
        let remembers = self.places_remembered_from().zip(self.systems_remembered_from());
        let remembers = remembers.is_some_and(|(places, systems)| places.max(systems) <= long_ago);
        (remembers || long.len() == all.len()).then(|| number(long.len()))
    }

    /// Since when all these systems are remembered.
    fn systems_remembered_from(&self) -> Option<Timestamp> {
        let since = |system| self.pass.memory.systems.get(system)?.since;
        self.systems.keys().map(since).try_fold(Timestamp::MIN, |latest, since| Some(latest.max(since?)))
    }

    fn sees_systems(&self) -> bool {
        let is_readable = |roll: &EnvironmentRoll| roll.registry_blind.is_empty();
        self.rolls.values().all(|roll| is_readable(roll))
            && self.systems.values().all(|system| system.is_some_and(|system| system.blind.is_empty()))
    }

    /// Every check of every host is known, and everything that may require one.
    fn sees_unrequired(&self) -> bool {
        let is_understood = self.sees_requirements();
        is_understood && self.sees_hosts() && self.sees_systems() && self.sees_checks()
    }

    fn sees_requirements(&self) -> bool {
        !(self.is_whole && self.pass.fleet.has_left_out)
            && self.environments.iter().all(|environment| !environment.requirements_doubted)
    }

    /// Were the checks of all hosts read, where they are asked host by host? A database runs no agent that could have any.
    fn sees_checks(&self) -> bool {
        let now = self.pass.now;
        let ours = |key: &ObjectKey| self.rolls.contains_key(key);
        let hosts = self.pass.roll.hosts.iter();
        let mut hosts =
            hosts.filter(|(id, host)| !id.is_database() && host.environment.as_ref().is_some_and(ours));
        let mut read = |(system, id): &(ObjectKey, crate::ids::RegistrationId)| {
            self.pass.snapshot.registries.get(system).is_some_and(|registry| match &registry.checks {
                Checks::Listed(all) => all.complete(now, CHECK_PROOF_MAX_AGE).is_some(),
                Checks::ByHost(all) => {
                    all.get(id).is_some_and(|one| one.complete(now, CHECK_PROOF_MAX_AGE).is_some())
                }
            })
        };
        hosts.all(|(_, host)| host.registrations.iter().all(&mut read))
    }

    fn reviews(&self) -> Reviews {
        let requirements = self.environments.iter().flat_map(|environment| &environment.ledger);
        let checks: BTreeSet<&ObjectKey> = requirements
            .filter_map(|entry| match &entry.requirement {
                Requirement::Check(check) => Some(check),
                Requirement::Registered(_) => None,
            })
            .collect();
        let is_due =
            |check: &&&ObjectKey| self.pass.roll.checks.get(**check).is_some_and(|roll| roll.overdue);
        let known = self.sees_requirements();
        Reviews {
            due: known.then(|| number(checks.iter().filter(is_due).count())),
            of: known.then(|| number(checks.len())),
            list: self.plan("plan"),
        }
    }

    /// Exemptions of these namespaces whose last day is within a week. One that cannot be read may be another.
    fn expiring(&self) -> Option<u32> {
        let fleet = self.pass.fleet;
        let namespaces: BTreeSet<&str> = self.rolls.keys().map(|key| &*key.namespace).collect();
        if namespaces.iter().any(|namespace| fleet.restrictions_doubted.holds_in(namespace)) {
            return None;
        }
        let soon = self.pass.now.checked_add(WEEK).ok()?;
        let exemptions = fleet.exemptions.values();
        let ending = exemptions.filter(|one| namespaces.contains(&*one.key.namespace));
        Some(number(ending.filter(|one| one.ends > self.pass.now && one.ends <= soon).count()))
    }

    /// What cannot be read now, and what was not read yet.
    fn blind(&self) -> Vec<BlindNow> {
        let mut blind: BTreeMap<String, Option<Date>> = BTreeMap::new();
        for finding in &self.pass.roll.findings {
            let what = match finding.code {
                Code::InventoryBlind | Code::RegistryBlind => "",
                Code::ActivityBlind => "CloudWatch ",
                _ => continue,
            };
            let is_ours = match &finding.system {
                Some(system) => self.systems.contains_key(system),
                None => self.places.iter().any(|place| place.to_string() == *finding.subject_name),
            };
            if self.is_whole || is_ours {
                let since = day(finding.since);
                let known = blind.entry(format!("{what}{}", finding.subject_name)).or_insert(Some(since));
                *known = (*known).min(Some(since));
            }
        }
        for roll in self.rolls.values() {
            let inventories = roll.blind_inventories();
            let registries = roll.registry_blind.iter().map(|(key, why)| (key.name.to_string(), why));
            let unread = inventories.chain(registries).filter(|(_, why)| why.kind == FailureKind::NotYetRead);
            for (source, _) in unread {
                blind.entry(source).or_insert(None);
            }
        }
        let is_unread = |host: &&HostRoll| matches!(host.used, Some(Use::Unknown(Doubt::NotRead(..))));
        for host in self.hosts_of().filter(is_unread) {
            blind.entry(format!("CloudWatch {}", host.place)).or_insert(None);
        }
        blind.into_iter().map(|(source, since)| BlindNow { source: Arc::from(source), since }).collect()
    }

    /// Open findings of these environments and, where everything is meant, of systems as a whole.
    fn open(&self) -> impl Iterator<Item = &'a Finding> {
        self.ours().filter(|finding| finding.excuse.is_none())
    }

    /// The same with those that are excused.
    fn ours(&self) -> impl Iterator<Item = &'a Finding> {
        self.pass.roll.findings.iter().filter(|finding| match &finding.environment {
            Some(environment) => self.rolls.contains_key(environment),
            None => self.is_whole,
        })
    }

    /// The command that keeps a host, if it can be pasted.
    fn keep(&self, host: &str) -> Option<Command> {
        let until = day(self.pass.now.checked_add(KEEP_FOR).ok()?);
        let (host, on) = (argument(host), self.on);
        Command::new(&format!("rollcall keep {host} --until {until} --reason WHY --approver WHO {on}")).ok()
    }

    /// A command that shows more; without its input where that cannot be pasted.
    fn plan(&self, command: &str) -> Option<Command> {
        let whole = Command::new(format!("rollcall {command} {}", self.on).trim());
        whole.or_else(|_| Command::new(&format!("rollcall {command}"))).ok()
    }
}

/// The day of a moment, in UTC as weeks are.
fn day(moment: Timestamp) -> Date {
    moment.to_zoned(TimeZone::UTC).date()
}

/// The begin of the week that a day is in.
fn monday(day: Date) -> Timestamp {
    let days = i64::from(day.weekday().to_monday_zero_offset());
    let monday = day.checked_sub(SignedDuration::from_hours(days * 24)).unwrap_or(Date::MIN);
    monday.to_zoned(TimeZone::UTC).map_or(Timestamp::MIN, |begin| begin.timestamp())
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
