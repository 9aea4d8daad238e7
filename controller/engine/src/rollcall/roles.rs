//! Who plays what: roles by tag, by selector and by inclusion. Hosts of one environment and service with the same roles are
//! one *class*: what is required of them is worked out once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Pass;
use super::claims::Claimed;
use super::listed::Listed;
use super::population::HostView;
use crate::fleet::{Demand, Environment};
use crate::ids::RoleName;
use crate::registry::{RegistrationStatus, Scope};

/// Hosts of one environment and service with the same roles.
#[derive(Debug)]
pub(super) struct Class<'a> {
    /// Its number in [`Roles::classes`].
    pub(super) index: usize,
    /// Number of the environment.
    pub(super) number: usize,
    pub(super) environment: &'a Environment,
    /// Numbers in the environment's book, sorted.
    pub(super) roles: Vec<u16>,
    pub(super) names: Arc<[RoleName]>,
    pub(super) duties: Arc<[RoleName]>,
    pub(super) traits: Arc<[RoleName]>,
    /// What is required of them, in ledger order.
    pub(super) entries: Vec<ClassEntry>,
    /// Roles they must have in Mackerel, by number of the system.
    pub(super) expected: BTreeMap<usize, ExpectedRoles>,
    /// Statuses they may have in Mackerel while they run.
    pub(super) statuses: Vec<RegistrationStatus>,
}

/// One requirement of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClassEntry {
    /// Index into the environment's ledger.
    pub(super) ledger: u16,
    /// The role through which it applies; none where no role is asked for.
    pub(super) through: Option<u16>,
}

/// Roles in Mackerel, with the role each comes from.
#[derive(Debug)]
pub(super) struct ExpectedRoles {
    pub(super) scopes: Vec<(Scope, u16)>,
    pub(super) service: Arc<str>,
    pub(super) exact: bool,
}

/// All classes, and what tags say that no `HostRole` explains.
#[derive(Debug, Default)]
pub(super) struct Roles<'a> {
    pub(super) classes: Vec<Class<'a>>,
    /// By host: number of its class, if exactly one environment claims it.
    pub(super) of_host: Vec<Option<usize>>,
    /// By environment and unknown role name: the hosts whose tag names it.
    pub(super) unknown: BTreeMap<(usize, Box<str>), Vec<usize>>,
}

/// Gives every claimed host its roles.
pub(super) fn resolve<'a>(pass: &Pass<'a>, hosts: &[HostView<'a>], claims: &[Claimed]) -> Roles<'a> {
    let mut roles = Roles::default();
    let mut numbers: HashMap<(usize, bool, Vec<u16>), usize> = HashMap::new();
    for (number, (host, claimed)) in hosts.iter().zip(claims).enumerate() {
        let class = match claimed {
            Claimed::By(by) => pass.fleet.environments.get(*by).map(|environment| {
                let played = roles.of(number, host, *by, environment);
                let is_database = host.id.is_database();
                *numbers.entry((*by, is_database, played)).or_insert_with_key(|(_, _, played)| {
                    let index = roles.classes.len();
                    roles.classes.push(Class::new(index, *by, environment, is_database, played.clone()));
                    index
                })
            }),
            _ => None,
        };
        roles.of_host.push(class);
    }
    roles
}

impl Roles<'_> {
    /// The roles of one host. One that is not listed plays what it played.
    fn of(&mut self, number: usize, host: &HostView<'_>, by: usize, environment: &Environment) -> Vec<u16> {
        let Some(marks) = host.listed.map(Listed::marks) else {
            let (book, mut played) = (&environment.book, Vec::new());
            let names = host.memory.into_iter().flat_map(|memory| memory.roles.iter());
            names.filter_map(|name| book.number(name.as_str())).for_each(|role| book.play(role, &mut played));
            return played;
        };
        let (played, unknown) = environment.roles_of(marks);
        for name in unknown {
            self.unknown.entry((by, name.into())).or_default().push(number);
        }
        played
    }
}

impl<'a> Class<'a> {
    fn new(
        index: usize,
        number: usize,
        environment: &'a Environment,
        is_database: bool,
        roles: Vec<u16>,
    ) -> Self {
        let book = &environment.book;
        let named = |wanted: Option<bool>| -> Arc<[RoleName]> {
            let played = roles.iter().filter_map(|role| book.role(*role));
            played
                .filter(|role| wanted.is_none_or(|duty| role.is_duty == duty))
                .map(|role| role.name.clone())
                .collect()
        };
        Self {
            names: named(None),
            duties: named(Some(true)),
            traits: named(Some(false)),
            entries: entries(environment, is_database, &roles),
            expected: expected(environment, &roles),
            statuses: statuses(environment, &roles),
            index,
            number,
            environment,
            roles,
        }
    }

    /// Does one of its hosts play this role?
    pub(super) fn plays(&self, role: &str) -> bool {
        self.names.iter().any(|name| name.as_str() == role)
    }

    /// The name of a role of its book.
    pub(super) fn role_name(&self, role: u16) -> Option<RoleName> {
        self.environment.book.role(role).map(|role| role.name.clone())
    }
}

/// The requirements that apply to hosts with these roles.
fn entries(environment: &Environment, is_database: bool, roles: &[u16]) -> Vec<ClassEntry> {
    let mut entries = Vec::new();
    for (ledger, entry) in (0_u16..).zip(&environment.ledger) {
        match &entry.demand {
            Demand::Registered(_) => entries.push(ClassEntry { ledger, through: None }),
            Demand::Check(demand) => {
                let through = demand.roles.as_ref().map(|of| of.iter().find(|role| roles.contains(role)));
                let is_left_out = demand.except.iter().any(|role| roles.contains(role));
                if demand.services.mean(is_database) && !is_left_out && through != Some(None) {
                    entries.push(ClassEntry { ledger, through: through.flatten().copied() });
                }
            }
            Demand::Environment(_) => {}
        }
    }
    entries
}

/// The roles to have in Mackerel: those of every role, under the environment's service.
fn expected(environment: &Environment, roles: &[u16]) -> BTreeMap<usize, ExpectedRoles> {
    let mut expected = BTreeMap::new();
    for (system, service) in &environment.services {
        let mut scopes: Vec<(Scope, u16)> = Vec::new();
        let mut exact = false;
        for (number, mackerel) in mackerel_roles(environment, roles).filter(|(_, m)| !m.roles.is_empty()) {
            exact |= mackerel.exact;
            scopes.extend(
                mackerel
                    .roles
                    .iter()
                    .map(|role| (Scope { service: service.to_string(), role: Some(role.clone()) }, number)),
            );
        }
        scopes.sort();
        scopes.dedup_by(|later, first| later.0 == first.0);
        if !scopes.is_empty() {
            expected.insert(*system, ExpectedRoles { scopes, service: Arc::clone(service), exact });
        }
    }
    expected
}

/// Every status that one of the roles allows; `working` and `standby` where none says.
fn statuses(environment: &Environment, roles: &[u16]) -> Vec<RegistrationStatus> {
    let named = mackerel_roles(environment, roles).filter_map(|(_, mackerel)| mackerel.statuses.as_ref());
    let mut statuses: Vec<RegistrationStatus> = named.flatten().copied().collect();
    statuses.sort();
    statuses.dedup();
    if statuses.is_empty() {
        vec![RegistrationStatus::Working, RegistrationStatus::Standby]
    } else {
        statuses
    }
}

fn mackerel_roles<'a>(
    environment: &'a Environment,
    roles: &'a [u16],
) -> impl Iterator<Item = (u16, &'a crate::fleet::MackerelRole)> {
    roles.iter().filter_map(|number| Some((*number, environment.book.role(*number)?.mackerel.as_ref()?)))
}
