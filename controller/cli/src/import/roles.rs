//! Why hosts exist: duties, from what they are called in the monitoring system, in a role tag, and by their names. Pure.
//!
//! A role must be told by a tag or a name, for nothing else selects hosts: what only the monitoring system knows is counted and
//! left to people.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_crds::v1alpha1::{HostTerm, RoleTag, TagValues};
use rollcall_engine::registry::Registration;
use rollcall_engine::text::{clean, count};

use super::environments::Environments;
use super::names::{Taken, slug, stem, stem_pattern};
use super::observe::{Host, Observed};
use crate::write::can_stand;

/// Keys that mean a role, without case, dashes and underscores.
const KEYS: &[&str] = &["role", "roles", "serverrole", "hostrole", "servertype", "function", "component"];
/// What separates several roles in one tag.
const SEPARATORS: &[&str] = &["/", ",", "+"];
/// Such a key must be on this share of the hosts, in percent.
const LEAST_TAGGED: usize = 10;
/// Hosts of a stem that nobody gives a role: fewer share it by chance.
const LEAST_NAMED: usize = 3;
/// A stem means a role when this share of its hosts that have any has that one, in percent.
const AGREE: usize = 80;
/// Roles that others may name in one list.
const MOST_ROLES: usize = 50;
/// No key of a tag may be longer at AWS.
const MOST_KEY: usize = 128;
/// No value of a tag may be longer at AWS.
const MOST_VALUE: usize = 256;
/// Terms that a selector takes.
const MOST_TERMS: usize = 32;

/// One duty.
#[derive(Debug, Default)]
pub struct Duty {
    /// Its name.
    pub name: String,
    /// What selects its hosts; none where the tag of the environment says it all.
    pub terms: Vec<HostTerm>,
    /// Its hosts, by number.
    pub hosts: BTreeSet<usize>,
    /// Its name in the monitoring system.
    pub there: Option<String>,
    /// What it was derived from, for a reviewer.
    pub reasons: Vec<String>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Duties {
    /// By name.
    pub list: Vec<Duty>,
    /// The tag from which environments read roles.
    pub tag: Option<RoleTag>,
    /// What was left to people.
    pub left: Vec<String>,
    /// What they come from, for people.
    pub origin: String,
}

/// Where role names stand in tags.
#[derive(Debug)]
struct Tagged<'r> {
    key: String,
    separator: Option<&'static str>,
    /// Every name that stands in it is the name of an object: environments can read the tag themselves.
    is_plain: bool,
    values: BTreeMap<usize, &'r str>,
}

impl<'r> Tagged<'r> {
    fn names(&self, host: usize) -> Vec<&'r str> {
        let Some(value) = self.values.get(&host) else { return Vec::new() };
        let parts: Vec<&str> = match self.separator {
            Some(separator) => value.split(separator).collect(),
            None => vec![value],
        };
        parts.into_iter().map(str::trim).filter(|name| !name.is_empty()).collect()
    }
}

/// One role while it is found.
#[derive(Debug, Default)]
struct Found<'r> {
    tagged: BTreeSet<usize>,
    values: BTreeSet<&'r str>,
    stems: BTreeMap<&'r str, Vec<usize>>,
}

/// Finds the duties. `asked`: the key of the tag that names roles.
pub fn find(observed: &Observed<'_>, environments: &Environments, asked: Option<&str>) -> Duties {
    let tag = tagged(observed, asked);
    let votes = votes(observed, tag.as_ref());
    let mut roles: BTreeMap<String, Found<'_>> = BTreeMap::new();
    for (number, _) in observed.hosts.iter().enumerate() {
        for name in tag.iter().flat_map(|tag| tag.names(number)) {
            if let Some(slug) = slug(name) {
                let role = roles.entry(slug).or_default();
                role.tagged.insert(number);
                role.values.extend(tag.as_ref().and_then(|tag| tag.values.get(&number)));
            }
        }
    }
    for (stem, hosts) in stems(observed, environments) {
        for role in meaning(stem, &hosts, &votes) {
            roles.entry(role).or_default().stems.insert(stem, hosts.clone());
        }
    }
    settle(observed, environments, roles, tag.as_ref())
}

/// The tag that names roles: the one asked for, or the one of a telling key that is on most hosts.
fn tagged<'r>(observed: &Observed<'r>, asked: Option<&str>) -> Option<Tagged<'r>> {
    let mut keys: BTreeMap<&str, BTreeMap<usize, &str>> = BTreeMap::new();
    for (number, host) in observed.hosts.iter().enumerate() {
        for (key, value) in host.marks.tags.iter() {
            let folded = key.to_lowercase().replace(['-', '_', ' '], "");
            let is_asked = asked.map_or(KEYS.contains(&folded.as_str()), |asked| asked == key);
            let fits = !value.trim().is_empty() && value.chars().count() <= MOST_VALUE;
            if is_asked && fits && key.chars().count() <= MOST_KEY && can_stand(key) && can_stand(value) {
                keys.entry(key).or_default().insert(number, value);
            }
        }
    }
    let (key, values) =
        keys.into_iter().max_by_key(|(key, values)| (values.len(), std::cmp::Reverse(*key)))?;
    if asked.is_none() && values.len() * 100 < LEAST_TAGGED * observed.hosts.len() {
        return None;
    }
    let holds = |separator: &&&str| values.values().any(|value| value.contains(**separator));
    let separator = SEPARATORS.iter().find(holds).copied();
    let mut tag = Tagged { key: key.to_owned(), separator, is_plain: true, values };
    let numbers: Vec<usize> = tag.values.keys().copied().collect();
    // A value that cannot be used here would be an unknown role to an environment that reads the tag itself.
    let is_usable = |(number, host): (usize, &Host<'_>)| {
        tag.values.contains_key(&number)
            || host.marks.tags.get(&tag.key).is_none_or(|value| value.trim().is_empty())
    };
    let all_usable = observed.hosts.iter().enumerate().all(is_usable);
    tag.is_plain = all_usable
        && numbers.iter().flat_map(|host| tag.names(*host)).all(|name| slug(name).as_deref() == Some(name));
    Some(tag)
}

/// What others say that each host is: its tag, and its roles in the monitoring system.
fn votes(observed: &Observed<'_>, tag: Option<&Tagged<'_>>) -> Vec<BTreeSet<String>> {
    let votes = observed.hosts.iter().enumerate().map(|(number, host)| {
        let tagged = tag.map(|tag| tag.names(number)).unwrap_or_default();
        let there = host.registration.into_iter().flat_map(roles_there);
        tagged.into_iter().chain(there).filter_map(slug).collect()
    });
    votes.collect()
}

fn roles_there(registration: &Registration) -> impl Iterator<Item = &str> {
    registration.roles.iter().filter_map(|scope| scope.role.as_deref())
}

/// Hosts by what their names say they are for.
fn stems<'r>(observed: &Observed<'r>, environments: &Environments) -> BTreeMap<&'r str, Vec<usize>> {
    let mut stems: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, host) in observed.hosts.iter().enumerate() {
        let stem = host.name().and_then(|name| stem(name, |prefix| environments.prefixes.contains(prefix)));
        if let Some(stem) = stem {
            stems.entry(stem).or_default().push(number);
        }
    }
    stems
}

/// The roles that a stem means: those that its hosts agree on, or, where nobody says anything, itself.
fn meaning(stem: &str, hosts: &[usize], votes: &[BTreeSet<String>]) -> Vec<String> {
    let said: Vec<&BTreeSet<String>> =
        hosts.iter().filter_map(|host| votes.get(*host)).filter(|votes| !votes.is_empty()).collect();
    if said.is_empty() {
        return slug(stem).filter(|_| hosts.len() >= LEAST_NAMED).into_iter().collect();
    }
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for role in said.iter().copied().flatten() {
        *counts.entry(role).or_default() += 1;
    }
    let agreed = counts.into_iter().filter(|(_, hosts)| hosts * 100 >= AGREE * said.len());
    agreed.map(|(role, _)| role.clone()).collect()
}

fn settle(
    observed: &Observed<'_>,
    environments: &Environments,
    roles: BTreeMap<String, Found<'_>>,
    tag: Option<&Tagged<'_>>,
) -> Duties {
    let mut duties = Duties { origin: origin(observed, tag), ..Duties::default() };
    duties.tag = tag
        .filter(|tag| tag.is_plain)
        .map(|tag| RoleTag { key: tag.key.clone(), separator: tag.separator.map(str::to_owned) });
    let mut taken = Taken::default();
    for (role, found) in roles {
        let hosts: BTreeSet<usize> =
            found.tagged.iter().copied().chain(found.stems.values().flatten().copied()).collect();
        // A role that nobody of an environment plays would be an object without a meaning.
        if !hosts.iter().any(|host| environments.of_host.get(*host).is_some_and(Option::is_some)) {
            continue;
        }
        let name = taken.take(&[&role]);
        duties.list.push(duty(observed, name, &found, hosts, tag));
    }
    if duties.list.len() > MOST_ROLES {
        duties.list.sort_by_key(|duty| (std::cmp::Reverse(duty.hosts.len()), duty.name.clone()));
        let rest = duties.list.split_off(MOST_ROLES);
        duties.list.sort_by(|a, b| a.name.cmp(&b.name));
        duties
            .left
            .push(format!("{} with fewer hosts than the {MOST_ROLES} biggest", count(rest.len(), "role")));
    }
    duties.left.extend(unplayed(observed, &duties.list));
    duties
}

fn origin(observed: &Observed<'_>, tag: Option<&Tagged<'_>>) -> String {
    let mut origins = Vec::new();
    if let Some(tag) = tag {
        origins.push(format!("the tag {} of {}", clean(&tag.key), count(tag.values.len(), "host")));
    }
    let has_roles =
        observed.hosts.iter().filter_map(|host| host.registration).any(|one| !one.roles.is_empty());
    if let Some(system) = observed.system.as_ref().filter(|_| has_roles) {
        origins.push(format!("the roles in {}", system.registry.product.as_str()));
    }
    origins.push("the names of hosts".to_owned());
    format!("from {}", origins.join(", "))
}

fn duty(
    observed: &Observed<'_>,
    name: String,
    found: &Found<'_>,
    hosts: BTreeSet<usize>,
    tag: Option<&Tagged<'_>>,
) -> Duty {
    let mut reasons = Vec::new();
    let mut terms = Vec::new();
    if let (Some(tag), false) = (tag, found.tagged.is_empty()) {
        let values: Vec<_> = found.values.iter().map(|value| clean(value)).take(5).collect();
        reasons.push(format!(
            "{} with the tag {} = {}",
            count(found.tagged.len(), "host"),
            clean(&tag.key),
            values.join(" or ")
        ));
        if !tag.is_plain {
            let values = found.values.iter().take(50).map(|value| (*value).to_owned()).collect();
            let tags = BTreeMap::from([(tag.key.clone(), TagValues(values))]);
            terms.push(HostTerm { match_tags: Some(tags), ..HostTerm::default() });
        }
    }
    for (stem, named) in found.stems.iter().take(MOST_TERMS - 1) {
        let untold = named.iter().filter(|host| !found.tagged.contains(host)).count();
        let all = count(named.len(), "host");
        reasons.push(format!("{all} named like {stem}-1, {untold} of them without such a tag"));
        terms.push(HostTerm { name_pattern: Some(stem_pattern(stem)), ..HostTerm::default() });
    }
    let (there, reason) = there(observed, &name, &hosts);
    reasons.extend(reason);
    Duty { name, terms, hosts, there, reasons }
}

/// What the role is called in the monitoring system, when most of its hosts there have it.
fn there(observed: &Observed<'_>, name: &str, hosts: &BTreeSet<usize>) -> (Option<String>, Option<String>) {
    let registered: Vec<&Registration> =
        hosts.iter().filter_map(|host| observed.hosts.get(*host)?.registration).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for role in registered.iter().flat_map(|registration| roles_there(registration)) {
        if slug(role).as_deref() == Some(name) && is_role_name(role) {
            *counts.entry(role).or_default() += 1;
        }
    }
    let Some((role, many)) = counts.into_iter().max_by_key(|(role, many)| (*many, std::cmp::Reverse(*role)))
    else {
        return (None, None);
    };
    let reason =
        format!("{many} of {} of them that are registered have the role {role} there", registered.len());
    let is_most = many * 100 >= AGREE * registered.len();
    (is_most.then(|| role.to_owned()), Some(reason))
}

/// What Mackerel takes as the name of a service or role.
pub fn is_role_name(name: &str) -> bool {
    (2..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// Roles of the monitoring system that no tag and no name tells.
fn unplayed(observed: &Observed<'_>, duties: &[Duty]) -> Vec<String> {
    let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
    for role in observed.hosts.iter().filter_map(|host: &Host<'_>| host.registration).flat_map(roles_there) {
        *hosts.entry(role).or_default() += 1;
    }
    let is_told = |role: &str| slug(role).is_some_and(|slug| duties.iter().any(|duty| duty.name == slug));
    let untold = hosts.iter().filter(|(role, _)| !is_told(role));
    untold
        .map(|(role, many)| {
            format!(
                "role {} in the monitoring system: no tag or name tells its {} apart",
                clean(role),
                count(*many, "host")
            )
        })
        .collect()
}
