//! Which host does a registration speak of? Rules in order; the first that gives exactly one host wins.
//!
//! An instance id is binding: a registration that names an instance is never joined to another one by a weaker
//! rule, for a re-used name would make the ghost of the old host pass for the new one. The endpoint of a database binds
//! likewise, though not for ever: whoever takes a database's name takes its endpoint, and a database that is there
//! comes before one that is gone.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use regex::Regex;

use super::Pass;
use super::listed::Listed;
use super::places::PlaceView;
use super::population::{HostView, Population};
use super::registries::SystemView;
use super::standing::is_read;
use crate::fleet::{Environment, JoinRule};
use crate::ids::{Place, RegistrationId};
use crate::registry::Registration;

/// What a registration speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// One host, by number.
    Host(usize),
    /// A host that is proved gone, by number of its tomb.
    Gone(usize),
    /// Several hosts, by number: unknown which.
    Ambiguous(Vec<usize>),
    /// Nothing we know.
    Nothing,
}

/// All joins, both ways.
#[derive(Debug, Default)]
pub(super) struct Joins {
    /// By system: what each of its registrations speaks of.
    pub(super) of_system: Vec<Vec<Joined>>,
    /// By host: number of the system, number of the registration.
    pub(super) of_host: Vec<Vec<(usize, usize)>>,
    /// By host: systems in which a registration may speak of it or of another.
    pub(super) ambiguous: HashMap<usize, Vec<usize>>,
    /// By host: systems whose listing is not whole and lacks a registration that was last proved to be this host's.
    pub(super) hidden: HashMap<usize, Vec<usize>>,
}

/// Joins the registrations of every system that somebody uses.
pub(super) fn join(
    pass: &Pass<'_>,
    places: &[PlaceView<'_>],
    population: &Population<'_>,
    systems: &[SystemView<'_>],
) -> Joins {
    let mut joins = Joins { of_host: vec![Vec::new(); population.hosts.len()], ..Joins::default() };
    let index = Index::new(population);
    for (number, system) in systems.iter().enumerate() {
        let rules = system.system.join.as_deref().unwrap_or_default();
        let near = Near::new(pass, number, places, population, rules);
        let registered = if system.is_used { &system.registered[..] } else { &[] };
        let joined: Vec<Joined> =
            registered.iter().map(|one| index.resolve(one.registration, rules, &near)).collect();
        for (registration, joined) in joined.iter().enumerate() {
            match joined {
                Joined::Host(host) => {
                    if let Some(list) = joins.of_host.get_mut(*host) {
                        list.push((number, registration));
                    }
                }
                Joined::Ambiguous(hosts) => {
                    for host in hosts {
                        joins.ambiguous.entry(*host).or_default().push(number);
                    }
                }
                Joined::Gone(_) | Joined::Nothing => {}
            }
        }
        joins.of_system.push(joined);
        if system.hosts.is_fresh && system.hosts.proof.is_none() {
            joins.hide(number, system, population);
        }
    }
    joins
}

impl Joins {
    /// Notes whose known registrations a listing that is not whole does not show, or not wholly: of one that cannot be
    /// read nobody can tell that it speaks of another host now.
    fn hide(&mut self, number: usize, system: &SystemView<'_>, population: &Population<'_>) {
        let read = system.registered.iter().map(|one| one.registration).filter(|one| is_read(one));
        let seen: HashSet<&RegistrationId> = read.map(|one| &one.id).collect();
        for (id, proved) in &system.memory.registrations {
            let host = population.hosts.binary_search_by(|host| host.id.cmp(id));
            if let (Ok(host), false) = (host, proved.iter().all(|one| seen.contains(one))) {
                self.hidden.entry(host).or_default().push(number);
            }
        }
    }
}

/// Hosts and tombs by instance id and by endpoint, over the whole fleet: both are unique at AWS.
struct Index<'a> {
    by_id: HashMap<&'a str, Joined>,
    by_endpoint: HashMap<String, Joined>,
}

impl<'a> Index<'a> {
    fn new(population: &Population<'a>) -> Self {
        let tombs = population
            .tombs
            .iter()
            .enumerate()
            .map(|(number, tomb)| (tomb.id.as_str(), Joined::Gone(number)));
        let hosts = population
            .hosts
            .iter()
            .enumerate()
            .map(|(number, host)| (host.id.as_str(), Joined::Host(number)));
        Self { by_id: tombs.chain(hosts).collect(), by_endpoint: by_endpoint(population) }
    }

    fn resolve(&self, registration: &Registration, rules: &[JoinRule], near: &Near<'_>) -> Joined {
        let bound = match bond(registration, rules) {
            Some(Bond::Instance(id)) => Some(self.by_id.get(id.as_str())),
            Some(Bond::Endpoint(endpoint)) => Some(self.by_endpoint.get(&endpoint)),
            None => None,
        };
        if let Some(joined) = bound {
            return joined.cloned().unwrap_or(Joined::Nothing);
        }
        for rule in rules {
            let found = match rule {
                JoinRule::CustomIdentifier | JoinRule::InstanceId | JoinRule::CustomVariable(_) => continue,
                JoinRule::Name(pattern) => near.named(registration, pattern),
                JoinRule::Address => near.addressed(registration),
            };
            if found != Joined::Nothing {
                return found;
            }
        }
        Joined::Nothing
    }
}

/// Databases by endpoint in lower case: those that are listed with it before those that were last seen with it, and
/// those before the gone.
fn by_endpoint(population: &Population<'_>) -> HashMap<String, Joined> {
    let tombs = population.tombs.iter().enumerate();
    let tombs = tombs.filter_map(|(n, tomb)| Some((tomb.endpoint.as_deref()?, Joined::Gone(n))));
    let databases = || population.hosts.iter().enumerate().filter(|(_, host)| host.id.is_database());
    let unlisted = databases()
        .filter(|(_, host)| host.listed.and_then(Listed::endpoint).is_none())
        .filter_map(|(n, host)| Some((host.endpoint()?, Joined::Host(n))));
    let listed =
        databases().filter_map(|(n, host)| Some((host.listed.and_then(Listed::endpoint)?, Joined::Host(n))));
    tombs.chain(unlisted).chain(listed).map(|(endpoint, joined)| (endpoint.to_lowercase(), joined)).collect()
}

/// What a registration names so that it can speak of nothing else.
pub(super) enum Bond {
    /// An instance, by id.
    Instance(String),
    /// A database, by endpoint.
    Endpoint(String),
}

/// What binds a registration by these rules, if anything does.
pub(super) fn bond(registration: &Registration, rules: &[JoinRule]) -> Option<Bond> {
    let is_identified = rules.iter().any(|rule| matches!(rule, JoinRule::CustomIdentifier));
    let endpoint = || registration.identified_endpoint().filter(|_| is_identified);
    let instance = rules.iter().find_map(|rule| instance_id(registration, rule));
    instance.map(Bond::Instance).or_else(|| endpoint().map(Bond::Endpoint))
}

/// The instance id by which a rule says that a registration names its host.
fn instance_id(registration: &Registration, rule: &JoinRule) -> Option<String> {
    match rule {
        JoinRule::CustomIdentifier => registration.identified_instance(),
        JoinRule::InstanceId => registration.reported_instance(),
        JoinRule::CustomVariable(name) => registration.variable_instance(name),
        JoinRule::Name(_) | JoinRule::Address => None,
    }
}

/// Hosts by name and address, among the places in which a system's environments live: names and private
/// addresses repeat elsewhere. Built only when a rule asks for them.
#[derive(Default)]
struct Near<'a> {
    names: BTreeMap<&'a str, Vec<usize>>,
    gone_names: BTreeMap<&'a str, Vec<usize>>,
    addresses: BTreeMap<IpAddr, Vec<usize>>,
}

impl<'a> Near<'a> {
    fn new(
        pass: &Pass<'_>,
        system: usize,
        places: &[PlaceView<'_>],
        population: &'a Population<'a>,
        rules: &[JoinRule],
    ) -> Self {
        let mut near = Self::default();
        let by_name = rules.iter().any(|rule| matches!(rule, JoinRule::Name(_)));
        let by_address = rules.iter().any(|rule| matches!(rule, JoinRule::Address));
        if !by_name && !by_address {
            return near;
        }
        let is_near = near_places(pass, system, places);
        let is_near = |place: usize| is_near.get(place).copied().unwrap_or_default();
        for (number, host) in population.hosts.iter().enumerate().filter(|(_, host)| is_near(host.place)) {
            near.add(number, host);
        }
        for (number, tomb) in population.tombs.iter().enumerate().filter(|(_, tomb)| is_near(tomb.place)) {
            if let Some(name) = tomb.name.as_deref() {
                near.gone_names.entry(name).or_default().push(number);
            }
        }
        near
    }

    fn add(&mut self, number: usize, host: &HostView<'a>) {
        if let Some(name) = host.name() {
            self.names.entry(name).or_default().push(number);
        }
        for address in host.listed.into_iter().flat_map(Listed::addresses) {
            let hosts = self.addresses.entry(*address).or_default();
            if hosts.last() != Some(&number) {
                hosts.push(number);
            }
        }
    }

    /// The hosts that bear the name, or the one host that is gone and bore it.
    fn named(&self, registration: &Registration, pattern: &Regex) -> Joined {
        let groups = pattern.captures(&registration.name);
        let Some(name) = groups.as_ref().and_then(|groups| groups.name("name")) else {
            return Joined::Nothing;
        };
        match (self.names.get(name.as_str()), self.gone_names.get(name.as_str()).map(Vec::as_slice)) {
            (Some(hosts), _) => one_or_several(hosts),
            (None, Some([gone])) => Joined::Gone(*gone),
            (None, _) => Joined::Nothing,
        }
    }

    fn addressed(&self, registration: &Registration) -> Joined {
        let addresses = registration.addresses.iter().filter(|address| !address.is_loopback());
        let mut hosts: Vec<usize> =
            addresses.filter_map(|address| self.addresses.get(address)).flatten().copied().collect();
        hosts.sort_unstable();
        hosts.dedup();
        one_or_several(&hosts)
    }
}

/// By place: does an environment that uses this system claim hosts there?
fn near_places(pass: &Pass<'_>, system: usize, places: &[PlaceView<'_>]) -> Vec<bool> {
    let users = pass.fleet.environments.iter().filter(|environment| environment.systems.contains(&system));
    let wanted: BTreeSet<Place> = users.flat_map(Environment::places).collect();
    places.iter().map(|view| wanted.contains(&view.place)).collect()
}

fn one_or_several(hosts: &[usize]) -> Joined {
    match hosts {
        [] => Joined::Nothing,
        [one] => Joined::Host(*one),
        several => Joined::Ambiguous(several.to_vec()),
    }
}
