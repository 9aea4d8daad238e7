//! Which environments there are: from a tag that splits the fleet, else from how its hosts are named. Pure.
//!
//! No host may end up in two: a name pattern is used only where no tag of a host it matches speaks against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use rollcall_crds::v1alpha1::{HostTerm, TagValues};
use rollcall_engine::text::{clean, count};

use super::names::{Taken, prefix, prefix_pattern, slug, stem};
use super::observe::{Host, Observed};
use crate::write::can_stand;

/// Keys that mean an environment, without case, dashes and underscores.
const KEYS: &[&str] = &["environment", "env", "environmentname", "envname", "stage", "appenv", "deployenv"];
/// Keys that split a fleet well and never mean an environment.
const OTHER_KEYS: &[&str] =
    &["role", "owner", "team", "contact", "cost", "created", "backup", "patch", "schedule", "name"];
/// Such a key must be on this share of the hosts, in percent: below it, names say more.
const LEAST_TAGGED: usize = 30;
/// Another key must be on nearly all hosts.
const LEAST_OTHER: usize = 80;
/// More values than this split a fleet into hosts, not into environments.
const MOST_VALUES: usize = 50;
/// Fewer hosts than this share a prefix by chance.
const LEAST_NAMED: usize = 3;
/// No value of a tag may be longer at AWS.
const MOST_VALUE: usize = 256;
/// Terms that a selector takes; one of them is for the tag.
const MOST_PATTERNS: usize = 31;

/// One environment.
#[derive(Debug, Default)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// What selects its hosts.
    pub terms: Vec<HostTerm>,
    /// Its hosts, by number.
    pub hosts: Vec<usize>,
    /// What it was derived from, for a reviewer.
    pub reasons: Vec<String>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Environments {
    /// By name.
    pub list: Vec<Environment>,
    /// By number of host: the number of its environment.
    pub of_host: Vec<Option<usize>>,
    /// Prefixes of host names that mean an environment.
    pub prefixes: BTreeSet<String>,
    /// What they come from, for people.
    pub origin: String,
}

/// Hosts of one environment while it is found.
#[derive(Debug, Default)]
struct Group<'r> {
    values: BTreeSet<&'r str>,
    tagged: Vec<usize>,
    prefixes: BTreeMap<&'r str, Vec<usize>>,
}

/// Finds the environments. `asked`: the key of the tag that names them.
pub fn find(observed: &Observed<'_>, asked: Option<&str>) -> Environments {
    let key = asked
        .map(str::to_owned)
        .or_else(|| best_key(observed, LEAST_TAGGED, |key| KEYS.contains(&folded(key).as_str())));
    if let Some(key) = key {
        return by_tag(observed, &key);
    }
    let named = by_name(observed);
    if named.of_host.iter().flatten().count() * 2 >= observed.hosts.len() && !named.list.is_empty() {
        return named;
    }
    let is_other = |key: &str| {
        let key = folded(key);
        !key.starts_with("aws:") && !OTHER_KEYS.iter().any(|other| key.contains(other))
    };
    match best_key(observed, LEAST_OTHER, is_other) {
        Some(key) => by_tag(observed, &key),
        None => everything(observed),
    }
}

fn folded(key: &str) -> String {
    key.to_lowercase().replace(['-', '_', ' '], "")
}

/// A value as it stands in a tag, if it can stand in a selector.
fn value<'r>(host: &Host<'r>, key: &str) -> Option<&'r str> {
    let value = host.marks.tags.get(key)?;
    let fits = !value.trim().is_empty() && value.chars().count() <= MOST_VALUE;
    (fits && can_stand(key) && can_stand(value)).then_some(value)
}

/// The key that is on most hosts, of those that split them into a sensible number of groups.
fn best_key(observed: &Observed<'_>, least: usize, is_asked: impl Fn(&str) -> bool) -> Option<String> {
    let mut keys: BTreeMap<&str, (usize, BTreeSet<String>)> = BTreeMap::new();
    for host in &observed.hosts {
        for (key, _) in host.marks.tags.iter().filter(|(key, _)| is_asked(key)) {
            let Some(value) = value(host, key) else { continue };
            let (hosts, values) = keys.entry(key).or_default();
            *hosts += 1;
            values.insert(value.trim().to_lowercase());
        }
    }
    let splits = |(hosts, values): &(usize, BTreeSet<String>)| {
        let is_known = least == LEAST_TAGGED || (values.len() >= 2 && *hosts >= LEAST_NAMED * values.len());
        hosts * 100 >= least * observed.hosts.len() && values.len() <= MOST_VALUES && is_known
    };
    let best = keys.iter().filter(|(_, of)| splits(of)).max_by_key(|(key, (hosts, values))| {
        (*hosts, std::cmp::Reverse(values.len()), std::cmp::Reverse(**key))
    });
    best.map(|(key, _)| (*key).to_owned())
}

fn by_tag(observed: &Observed<'_>, key: &str) -> Environments {
    let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
    let mut of_host: Vec<Option<String>> = Vec::new();
    for (number, host) in observed.hosts.iter().enumerate() {
        let value = value(host, key);
        let name = value.map(|value| value.trim().to_lowercase());
        if let (Some(value), Some(name)) = (value, &name) {
            let group = groups.entry(name.clone()).or_default();
            group.values.insert(value);
            group.tagged.push(number);
        }
        of_host.push(name);
    }
    let tagged: usize = groups.values().map(|group| group.tagged.len()).sum();
    for (prefix, hosts) in prefixes(observed) {
        let said: BTreeSet<&String> = hosts.iter().filter_map(|host| of_host.get(*host)?.as_ref()).collect();
        let own = slug(prefix);
        let name = match said.first() {
            Some(one) if said.len() == 1 => Some((*one).clone()),
            Some(_) => None,
            None => groups.keys().find(|name| own.is_some() && slug(name) == own).cloned(),
        };
        if let Some(group) = name.and_then(|name| groups.get_mut(&name)) {
            group.prefixes.insert(prefix, hosts);
        }
    }
    let mut found = settle(observed, groups, Some(key));
    let by_name = found.of_host.iter().flatten().count() - tagged;
    found.origin = format!("from the tag {} of {}", clean(key), count(tagged, "host"));
    if by_name > 0 {
        let _ = write!(found.origin, ", and the names of {by_name} more");
    }
    found
}

fn by_name(observed: &Observed<'_>) -> Environments {
    let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
    for (prefix, hosts) in prefixes(observed) {
        let is_it = |other: &str| other == prefix;
        let stems: BTreeSet<&str> =
            hosts.iter().filter_map(|host| stem(observed.hosts.get(*host)?.name()?, is_it)).collect();
        // Hosts of one kind share what they are for, not where they belong.
        if let (Some(name), true) = (slug(prefix), hosts.len() >= LEAST_NAMED && stems.len() >= 2) {
            groups.entry(name).or_default().prefixes.insert(prefix, hosts);
        }
    }
    let origin = "from the names of hosts; no tag names them".to_owned();
    Environments { origin, ..settle(observed, groups, None) }
}

/// Hosts by the first part of their names.
fn prefixes<'r>(observed: &Observed<'r>) -> BTreeMap<&'r str, Vec<usize>> {
    let mut prefixes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, host) in observed.hosts.iter().enumerate() {
        if let Some(prefix) = host.name().and_then(prefix) {
            prefixes.entry(prefix).or_default().push(number);
        }
    }
    prefixes
}

/// Nothing tells hosts apart: one environment for all that have a name.
fn everything(observed: &Observed<'_>) -> Environments {
    let named = |(number, host): (usize, &Host<'_>)| host.name().map(|_| number);
    let hosts: Vec<usize> = observed.hosts.iter().enumerate().filter_map(named).collect();
    let all = HostTerm { name_pattern: Some(".".to_owned()), ..HostTerm::default() };
    let reason = format!(
        "{} of {} with a name: neither tags nor names tell environments apart",
        hosts.len(),
        count(observed.hosts.len(), "host")
    );
    let of_host = observed.hosts.iter().map(|host| host.name().map(|_| 0)).collect();
    let all = Environment { name: "all".to_owned(), terms: vec![all], hosts, reasons: vec![reason] };
    let list = if all.hosts.is_empty() { Vec::new() } else { vec![all] };
    Environments { list, of_host, origin: "nothing tells them apart".to_owned(), ..Environments::default() }
}

fn settle(observed: &Observed<'_>, groups: BTreeMap<String, Group<'_>>, key: Option<&str>) -> Environments {
    let mut taken = Taken::default();
    let mut found = Environments { of_host: vec![None; observed.hosts.len()], ..Environments::default() };
    for (value, group) in groups {
        let name = taken.take(&[&slug(&value).unwrap_or_else(|| "unnamed".to_owned())]);
        let mut terms: Vec<HostTerm> = Vec::new();
        let mut reasons = Vec::new();
        if let Some(key) = key {
            let values = group.values.iter().take(MOST_VALUES).map(|value| (*value).to_owned()).collect();
            let tags = BTreeMap::from([(key.to_owned(), TagValues(values))]);
            terms.push(HostTerm { match_tags: Some(tags), ..HostTerm::default() });
            let values: Vec<_> = group.values.iter().map(|value| clean(value)).collect();
            let hosts = count(group.tagged.len(), "host");
            reasons.push(format!("{hosts} with the tag {} = {}", clean(key), values.join(" or ")));
        }
        let mut hosts: BTreeSet<usize> = group.tagged.iter().copied().collect();
        for (prefix, named) in group.prefixes.iter().take(MOST_PATTERNS) {
            let before = hosts.len();
            hosts.extend(named);
            found.prefixes.insert((*prefix).to_owned());
            terms.push(HostTerm { name_pattern: Some(prefix_pattern(prefix)), ..HostTerm::default() });
            let all = count(named.len(), "host");
            reasons.push(match hosts.len() - before {
                0 => format!("{all} named {prefix}*, all of them with that tag"),
                more if key.is_some() => format!("{all} named {prefix}*, {more} of them without that tag"),
                _ => format!("{all} named {prefix}*"),
            });
        }
        for host in &hosts {
            if let Some(of_host) = found.of_host.get_mut(*host) {
                *of_host = Some(found.list.len());
            }
        }
        found.list.push(Environment { name, terms, hosts: hosts.into_iter().collect(), reasons });
    }
    found
}
