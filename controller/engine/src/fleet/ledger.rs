//! The ledger of an environment: every requirement that can apply to one of its hosts, with all references
//! resolved. What cannot be resolved keeps its row, and the row says why nobody can judge it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rollcall_crds::v1alpha1 as api;

use super::assertion::Wish;
use super::check::{Check, Looks, Services, Threshold, Way, start_of_day_in};
use super::desired::Kind;
use super::problem::{Fault, Problems};
use super::role::RoleBook;
use super::system::System;
use super::template::{MissingParameter, Template};
use crate::ids::{CheckName, ObjectKey};
use crate::reading::{Failure, FailureKind};
use crate::registry::Url;
use crate::rollcall::Requirement;

/// No environment has more requirements than this: rows name them by a 16-bit number.
pub(crate) const MAX_ENTRIES: usize = 10_000;

/// One requirement of an environment.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) requirement: Requirement,
    pub(crate) severity: api::Severity,
    /// Before this time it is only counted.
    pub(crate) enforced_from: Option<Timestamp>,
    pub(crate) demand: Demand,
}

impl Entry {
    /// Is more done than counting?
    pub(crate) fn is_enforced(&self, now: Timestamp) -> bool {
        self.enforced_from.is_none_or(|from| now >= from)
    }
}

/// What a requirement asks for.
#[derive(Debug)]
pub(crate) enum Demand {
    /// Every running host is registered in the system of this number.
    Registered(Result<usize, Failure>),
    /// Hosts of some roles are watched in one of some ways.
    Check(CheckDemand),
    /// The environment itself is watched in one of some ways.
    Environment(CheckDemand),
}

impl Demand {
    /// The required check, whatever it is about.
    pub(crate) fn check(&self) -> Option<&CheckDemand> {
        match self {
            Self::Registered(_) => None,
            Self::Check(demand) | Self::Environment(demand) => Some(demand),
        }
    }
}

/// A required check with the eyes of one environment.
#[derive(Debug)]
pub(crate) struct CheckDemand {
    /// Services that run the hosts it is about.
    pub(crate) services: Services,
    /// Roles of which a host must play one, in the order of the spec; none: whatever it plays.
    pub(crate) roles: Option<Vec<u16>>,
    /// Roles of which it must play none.
    pub(crate) except: Vec<u16>,
    pub(crate) ways: Vec<EnvironmentWay>,
    /// How many different systems must watch.
    pub(crate) at_least: usize,
    /// What must be true of AWS instead.
    pub(crate) wish: Option<Wish>,
    /// Nobody can judge it here, and why.
    pub(crate) fault: Option<Failure>,
    /// A parameter that it uses and the environment does not set.
    pub(crate) missing_parameter: Option<Arc<str>>,
}

/// One way to watch, with system and name resolved for one environment.
#[derive(Debug)]
pub(crate) struct EnvironmentWay {
    pub(crate) system: Result<usize, Failure>,
    pub(crate) look: Result<Look, Failure>,
    /// Whom its alerts must reach: any one of these; none: nobody asks.
    pub(crate) notifies: Option<Arc<[Arc<str>]>>,
}

/// What to look for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Look {
    /// A check of this name.
    Check(CheckName),
    /// A monitor on this metric.
    Metric(Arc<str>, Threshold),
    /// A monitor on whether the host answers.
    Connectivity,
    /// A monitor that asks for this URL.
    External(Url),
    /// A check of this name on a host of this name, there.
    Hosted { host: Arc<str>, name: CheckName },
}

/// What the ledger of an environment is made from.
pub(crate) struct Sources<'a> {
    pub(crate) environment: &'a ObjectKey,
    pub(crate) labels: &'a BTreeMap<String, String>,
    pub(crate) parameters: BTreeMap<Arc<str>, Arc<str>>,
    /// Whose days `enforceFrom` counts.
    pub(crate) zone: TimeZone,
    pub(crate) monitoring: &'a [api::EnvironmentMonitoring],
    pub(crate) book: &'a RoleBook,
    /// Checks its namespace sees, by name.
    pub(crate) checks: &'a BTreeMap<&'a str, &'a Check>,
    /// Numbers of the systems its namespace sees, by name; `None`: it exists, but cannot be understood.
    pub(crate) systems: &'a BTreeMap<&'a str, &'a Option<usize>>,
    /// All valid systems, by number.
    pub(crate) all_systems: &'a [System],
}

impl Sources<'_> {
    /// Builds the ledger: registrations first, then checks by name.
    pub(crate) fn build(&self, problems: &mut Problems) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (index, watch) in self.monitoring.iter().enumerate() {
            let field = format!("spec.monitoring[{index}].system");
            let system = self.system(&watch.system).map_err(|fault| {
                // One that exists and cannot be understood is a problem of its own, told once, there.
                if matches!(fault, NoSystem::NotFound) {
                    let places = "in this namespace or the library";
                    let fault = Fault::not_found(&field, Kind::MonitoringSystem, &watch.system, places);
                    problems.add(Kind::Environment, self.environment, fault);
                }
                fault.failure(&watch.system)
            });
            if watch.hosts == api::RegistrationDemand::All {
                entries.push(self.registered(&watch.system, system));
            }
        }
        for check in self.checks.values().filter(|check| self.concerns(check)) {
            let demand = self.demand(check, problems);
            entries.push(Entry {
                requirement: Requirement::Check(check.key.clone()),
                severity: check.severity,
                enforced_from: check.enforce_from.and_then(|day| start_of_day_in(day, &self.zone)),
                demand: match check.subject {
                    api::CheckSubject::Host => Demand::Check(demand),
                    api::CheckSubject::Environment => Demand::Environment(demand),
                },
            });
        }
        if entries.len() > MAX_ENTRIES {
            problems.add(Kind::Environment, self.environment, Fault::new("TooMany", format!(
                "expected at most {MAX_ENTRIES} requirements, found {}; the later ones by name are left out", entries.len()
            )));
            entries.truncate(MAX_ENTRIES);
        }
        entries
    }

    fn concerns(&self, check: &Check) -> bool {
        check.environments.as_ref().is_none_or(|labels| labels.selects(self.labels))
    }

    fn registered(&self, name: &str, system: Result<usize, Failure>) -> Entry {
        let found = system.as_ref().ok().and_then(|number| self.all_systems.get(*number));
        let key = found
            .map_or_else(|| ObjectKey::new(&self.environment.namespace, name), |found| found.key.clone());
        Entry {
            requirement: Requirement::Registered(key),
            severity: api::Severity::Warning,
            enforced_from: None,
            demand: Demand::Registered(system),
        }
    }

    fn demand(&self, check: &Check, problems: &mut Problems) -> CheckDemand {
        let mut fault = check
            .fault
            .as_deref()
            .map(|fault| misconfigured(format!("required check {}: {fault}", check.key)));
        // An unknown role cannot be played: as one of `roles` it adds nobody, as an exception it would let the
        // check reach hosts that its author left out.
        let roles =
            check.roles.as_ref().map(|roles| self.roles(roles, "spec.appliesTo.roles", check, problems));
        let except = self.roles(&check.except_roles, "spec.appliesTo.exceptRoles", check, problems);
        if except.len() < check.except_roles.len() && fault.is_none() {
            fault = Some(misconfigured(format!(
                "required check {}: exceptRoles names a role that does not exist",
                check.key
            )));
        }
        let mut missing_parameter = None;
        let ways = (0..).zip(&check.ways);
        let ways =
            ways.map(|(index, way)| self.way(check, index, way, &mut missing_parameter, problems)).collect();
        let wish = self.wish(check, &mut missing_parameter, &mut fault, problems);
        CheckDemand {
            wish,
            services: check.services,
            roles,
            except,
            ways,
            at_least: check.at_least,
            fault,
            missing_parameter,
        }
    }

    /// What it asserts, with this environment's parameters. What cannot be understood makes its rows unknown.
    fn wish(
        &self,
        check: &Check,
        missing_parameter: &mut Option<Arc<str>>,
        fault: &mut Option<Failure>,
        problems: &mut Problems,
    ) -> Option<Wish> {
        let filled = check.assertion.as_ref()?.fill(&self.parameters);
        let failure = match filled {
            Ok(Ok(wish)) => match wish.role().filter(|role| self.book.number(role).is_none()) {
                None => return Some(wish),
                Some(role) => {
                    let field = "spec.assertion: attachedTo.role";
                    let places = self.seen_from(check);
                    self.tell(check, Fault::not_found(field, Kind::HostRole, role, places), problems);
                    misconfigured(format!("required check {}: there is no HostRole {role:?}", check.key))
                }
            },
            Ok(Err(what)) => {
                self.tell(check, Fault::new("BadAssertion", format!("spec.assertion: {what}")), problems);
                misconfigured(format!("required check {}: {what}", check.key))
            }
            Err(MissingParameter(name)) => {
                let failure =
                    misconfigured(format!("environment {} lacks the parameter {name}", self.environment));
                missing_parameter.get_or_insert(name);
                failure
            }
        };
        fault.get_or_insert(failure);
        None
    }

    fn roles(&self, names: &[Arc<str>], field: &str, check: &Check, problems: &mut Problems) -> Vec<u16> {
        let mut numbers = Vec::new();
        for name in names {
            match self.book.number(name) {
                Some(number) => numbers.push(number),
                None => self.tell(
                    check,
                    Fault::not_found(field, Kind::HostRole, name, self.seen_from(check)),
                    problems,
                ),
            }
        }
        numbers
    }

    fn way(
        &self,
        check: &Check,
        index: usize,
        way: &Way,
        missing_parameter: &mut Option<Arc<str>>,
        problems: &mut Problems,
    ) -> EnvironmentWay {
        let system = self.system(&way.system).map_err(|fault| {
            if matches!(fault, NoSystem::NotFound) {
                let field = format!("spec.watched.by[{index}].system");
                let places = self.seen_from(check);
                self.tell(
                    check,
                    Fault::not_found(&field, Kind::MonitoringSystem, &way.system, places),
                    problems,
                );
            }
            fault.failure(&way.system)
        });
        let look = self.look(&way.looks).map_err(|MissingParameter(name)| {
            let failure =
                misconfigured(format!("environment {} lacks the parameter {name}", self.environment));
            missing_parameter.get_or_insert(name);
            failure
        });
        EnvironmentWay { system, look: look.flatten(), notifies: way.notifies.clone() }
    }

    /// What is looked for, with this environment's parameters.
    fn look(&self, looks: &Looks) -> Result<Result<Look, Failure>, MissingParameter> {
        let fill = |template: &Template| template.fill(&self.parameters);
        Ok(Ok(match looks {
            Looks::Check(name) => Look::Check(fill(name)?.into()),
            Looks::Metric(name, threshold) => Look::Metric(fill(name)?.into(), *threshold),
            Looks::Connectivity => Look::Connectivity,
            Looks::Hosted { host, name } => {
                Look::Hosted { host: fill(host)?.into(), name: fill(name)?.into() }
            }
            Looks::External(url) => {
                let url = fill(url)?;
                let Some(url) = Url::parse(&url) else {
                    let url = crate::text::clean(&url);
                    return Ok(Err(misconfigured(format!(
                        "expected an address such as https://example.com/, found {url:?}"
                    ))));
                };
                Look::External(url)
            }
        }))
    }

    /// Tells a fault of a check as this environment sees it: to the check when both live in one namespace, to
    /// the environment when the check is the library's, which may be right for everybody else.
    fn tell(&self, check: &Check, fault: Fault, problems: &mut Problems) {
        if check.key.namespace == self.environment.namespace {
            problems.add(Kind::RequiredCheck, &check.key, fault);
        } else {
            problems.add(
                Kind::Environment,
                self.environment,
                fault.inside(&format!("RequiredCheck {}", check.key)),
            );
        }
    }

    fn seen_from(&self, check: &Check) -> &'static str {
        if check.key.namespace == self.environment.namespace {
            "in this namespace or the library"
        } else {
            "in the environment's namespace or the library"
        }
    }

    fn system(&self, name: &str) -> Result<usize, NoSystem> {
        match self.systems.get(name) {
            Some(Some(number)) => Ok(*number),
            Some(None) => Err(NoSystem::NotReady),
            None => Err(NoSystem::NotFound),
        }
    }
}

/// Why a name leads to no system.
enum NoSystem {
    /// No object has the name.
    NotFound,
    /// The object cannot be understood.
    NotReady,
}

impl NoSystem {
    /// For the rows that cannot be judged.
    fn failure(&self, name: &str) -> Failure {
        match self {
            Self::NotFound => misconfigured(format!("there is no MonitoringSystem {name:?}")),
            Self::NotReady => misconfigured(format!("MonitoringSystem {name:?} has a problem of its own")),
        }
    }
}

fn misconfigured(message: String) -> Failure {
    Failure::new(FailureKind::Misconfigured, message)
}
