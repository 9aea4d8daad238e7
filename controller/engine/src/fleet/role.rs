//! `HostRole`, parsed, and the book of roles that one namespace sees: who plays what, includes closed.
//!
//! A role with a fault stays in the book, so that nobody who names it loses it; but the book is then *doubted*,
//! and nothing may be concluded from a role that a host does not play.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use rollcall_crds::v1alpha1 as api;

use super::desired::Kind;
use super::problem::{Fault, Problems};
use super::selector::HostMatcher;
use super::visible::visible;
use crate::ids::{ObjectKey, RoleName};
use crate::inventory::Marks;
use crate::registry::RegistrationStatus;

/// A namespace sees at most this many roles; those later by name are refused. 40 are many.
const MAX_ROLES: usize = 500;

/// One role.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) key: ObjectKey,
    pub(crate) name: RoleName,
    pub(crate) is_duty: bool,
    selector: Option<HostMatcher>,
    includes: Vec<Arc<str>>,
    pub(crate) mackerel: Option<MackerelRole>,
    /// Its hosts are idle by design.
    pub(crate) may_be_idle: bool,
    /// May its hosts be retired? None: it does not say.
    pub(crate) retirement: Option<api::RetirementConsent>,
    /// Something in it could not be understood.
    doubted: bool,
}

/// What a role is called in Mackerel; the service comes from the environment.
#[derive(Clone, Debug)]
pub(crate) struct MackerelRole {
    pub(crate) roles: Vec<String>,
    pub(crate) exact: bool,
    pub(crate) statuses: Option<Vec<RegistrationStatus>>,
}

/// Parses all roles; cycles and missing includes show only in a [`RoleBook`].
pub(crate) fn parse(
    specs: &[api::HostRole],
    unreadable: impl Iterator<Item = ObjectKey>,
    problems: &mut Problems,
) -> BTreeMap<ObjectKey, Arc<Role>> {
    let mut roles: BTreeMap<ObjectKey, Arc<Role>> =
        unreadable.map(|key| (key.clone(), Arc::new(Role::unreadable(key)))).collect();
    for spec in specs {
        let key = super::key_of(spec.metadata.namespace.as_ref(), spec.metadata.name.as_ref());
        let mut doubted = false;
        let selector = spec.spec.selector.as_ref().and_then(|selector| {
            let faults = match HostMatcher::parse(selector, "spec.selector") {
                Ok(matcher) => return Some(matcher),
                Err(faults) => faults,
            };
            doubted = true;
            for fault in faults {
                problems.add(Kind::HostRole, &key, fault);
            }
            None
        });
        let role = Role {
            name: RoleName::new(&key.name),
            is_duty: spec.spec.type_ == api::RoleType::Duty,
            selector,
            includes: spec.spec.includes.iter().map(|name| Arc::from(name.as_str())).collect(),
            mackerel: spec.spec.mackerel.as_ref().map(MackerelRole::parse),
            may_be_idle: spec.spec.idle == api::IdleExpectation::Expected,
            retirement: spec.spec.retirement,
            doubted,
            key: key.clone(),
        };
        roles.insert(key, Arc::new(role));
    }
    roles
}

impl Role {
    /// A role of which only the name is known: hosts may play it, and nobody knows what that means.
    fn unreadable(key: ObjectKey) -> Self {
        let name = RoleName::new(&key.name);
        Self {
            key,
            name,
            is_duty: false,
            selector: None,
            includes: Vec::new(),
            mackerel: None,
            may_be_idle: true,
            retirement: Some(api::RetirementConsent::Never),
            doubted: true,
        }
    }
}

impl MackerelRole {
    fn parse(spec: &api::MackerelRole) -> Self {
        let status = |status: &api::MackerelStatus| match status {
            api::MackerelStatus::Working => RegistrationStatus::Working,
            api::MackerelStatus::Standby => RegistrationStatus::Standby,
            api::MackerelStatus::Maintenance => RegistrationStatus::Maintenance,
            api::MackerelStatus::Poweroff => RegistrationStatus::Poweroff,
        };
        Self {
            roles: spec.roles.clone().unwrap_or_default(),
            exact: spec.match_ == api::RoleMatch::Exact,
            statuses: spec.statuses.as_ref().map(|list| list.iter().map(status).collect()),
        }
    }
}

/// The roles that one namespace sees. A role is a number here: its place in the book, by name.
#[derive(Debug, Default)]
pub(crate) struct RoleBook {
    roles: Vec<Arc<Role>>,
    numbers: HashMap<Arc<str>, u16>,
    /// What each role brings with it, itself included, sorted.
    closures: Vec<Vec<u16>>,
    /// Roles that a selector can give.
    selectable: Vec<u16>,
    /// Some role could not be understood: that a host does not play a role proves nothing.
    pub(crate) doubted: bool,
    /// Local roles that hide one of the library.
    pub(crate) shadowing: Vec<ObjectKey>,
}

impl RoleBook {
    /// Opens the book of a namespace. Faults are told to the roles of that namespace alone: a library role is
    /// judged in the library's own book.
    pub(crate) fn open(
        all: &BTreeMap<ObjectKey, Arc<Role>>,
        namespace: &str,
        library: Option<&str>,
        problems: &mut Problems,
    ) -> Self {
        let seen = visible(all, namespace, library);
        let mut faults: Vec<(usize, Fault)> = Vec::new();
        let too_many = seen.by_name.values().skip(MAX_ROLES);
        for role in too_many.filter(|role| *role.key.namespace == *namespace) {
            problems.add(Kind::HostRole, &role.key, Fault::new("TooMany", format!(
                "expected at most {MAX_ROLES} roles in a namespace and the library, found more; the later ones by name are left out"
            )));
        }
        let roles: Vec<Arc<Role>> =
            seen.by_name.values().take(MAX_ROLES).map(|role| Arc::clone(role)).collect();
        let numbers: HashMap<Arc<str>, u16> =
            (0_u16..).zip(&roles).map(|(number, role)| (role.key.name.clone(), number)).collect();
        let included = includes(&roles, &numbers, &mut faults);
        let closures = close(&roles, &included, &mut faults);
        let doubted =
            !faults.is_empty() || seen.by_name.len() > MAX_ROLES || roles.iter().any(|role| role.doubted);
        for (index, fault) in faults {
            if let Some(role) = roles.get(index).filter(|role| *role.key.namespace == *namespace) {
                problems.add(Kind::HostRole, &role.key, fault);
            }
        }
        let selectable =
            (0_u16..).zip(&roles).filter(|(_, role)| role.selector.is_some()).map(|(n, _)| n).collect();
        let shadowing = seen.shadowing.into_iter().cloned().collect();
        Self { roles, numbers, closures, selectable, doubted, shadowing }
    }

    /// The role of a number.
    pub(crate) fn role(&self, number: u16) -> Option<&Role> {
        self.roles.get(usize::from(number)).map(|role| &**role)
    }

    /// All roles, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Role> {
        self.roles.iter().map(|role| &**role)
    }

    /// The number of a role.
    pub(crate) fn number(&self, name: &str) -> Option<u16> {
        self.numbers.get(name).copied()
    }

    /// Adds a role and all it includes to a sorted set.
    pub(crate) fn play(&self, number: u16, set: &mut Vec<u16>) {
        for role in self.closures.get(usize::from(number)).into_iter().flatten() {
            if let Err(at) = set.binary_search(role) {
                set.insert(at, *role);
            }
        }
    }

    /// Adds all roles whose selector matches the host.
    pub(crate) fn play_selected(&self, host: Marks<'_>, set: &mut Vec<u16>) {
        for number in &self.selectable {
            let selector = self.role(*number).and_then(|role| role.selector.as_ref());
            if selector.is_some_and(|selector| selector.selects(host)) {
                self.play(*number, set);
            }
        }
    }
}

/// The numbers of the roles that each role includes directly.
fn includes(
    roles: &[Arc<Role>],
    numbers: &HashMap<Arc<str>, u16>,
    faults: &mut Vec<(usize, Fault)>,
) -> Vec<Vec<u16>> {
    let mut all = Vec::with_capacity(roles.len());
    for (index, role) in roles.iter().enumerate() {
        let mut direct = Vec::new();
        for name in &role.includes {
            match numbers.get(name) {
                Some(number) => direct.push(*number),
                None => faults.push((
                    index,
                    Fault::not_found(
                        "spec.includes",
                        Kind::HostRole,
                        name,
                        "in this namespace or the library",
                    ),
                )),
            }
        }
        all.push(direct);
    }
    all
}

/// Closes the includes. Members of a cycle are refused, all of them, and bring only themselves.
fn close(roles: &[Arc<Role>], included: &[Vec<u16>], faults: &mut Vec<(usize, Fault)>) -> Vec<Vec<u16>> {
    let mut open = included.to_vec();
    for index in 0..roles.len() {
        let Some(cycle) = cycle_through(index, included) else { continue };
        let names: Vec<&str> =
            cycle.iter().filter_map(|n| roles.get(*n)).map(|role| role.name.as_str()).collect();
        faults.push((
            index,
            Fault::new(
                "IncludeCycle",
                format!(
                    "spec.includes: expected no cycle, found {}; take one of these includes out",
                    names.join(" -> ")
                ),
            ),
        ));
        if let Some(direct) = open.get_mut(index) {
            direct.clear();
        }
    }
    (0..roles.len()).map(|index| reach(index, &open)).collect()
}

/// The shortest way from a role back to itself, both ends included.
fn cycle_through(start: usize, included: &[Vec<u16>]) -> Option<Vec<usize>> {
    let mut came_from: HashMap<usize, usize> = HashMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(at) = open.pop_front() {
        for next in included.get(at).into_iter().flatten().map(|n| usize::from(*n)) {
            if next == start {
                let mut path = vec![start, at];
                while let Some(before) = path.last().and_then(|last| came_from.get(last)) {
                    path.push(*before);
                }
                path.reverse();
                return Some(path);
            }
            if let Entry::Vacant(entry) = came_from.entry(next) {
                entry.insert(at);
                open.push_back(next);
            }
        }
    }
    None
}

/// A role and everything it includes, sorted.
fn reach(start: usize, included: &[Vec<u16>]) -> Vec<u16> {
    let mut all: Vec<u16> = Vec::new();
    let mut open = vec![u16::try_from(start).unwrap_or(u16::MAX)];
    while let Some(at) = open.pop() {
        if let Err(place) = all.binary_search(&at) {
            all.insert(place, at);
            open.extend(included.get(usize::from(at)).into_iter().flatten());
        }
    }
    all
}
