//! Which host each registration speaks of, and the rules that say so. Pure.
//!
//! Rules of a Nagios are found: those that join most of what is registered, instance ids first, for they bind. A rule that
//! contradicts an id, or finds one host for many registrations, is not used: a wrong join would call a host watched.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use rollcall_crds::v1alpha1::{JoinBy, JoinRule};
use rollcall_engine::registry::{Product, Registration};
use rollcall_engine::text::count;

use super::observe::Host;

/// A rule that joins fewer than one of so many registrations joins by chance.
const LEAST: usize = 50;
/// Of those whose instance id is known, one in so many may be contradicted by a rule: people rename hosts.
const CONTRADICTED: usize = 10;
/// Custom variables that a system's rules name.
const MOST_VARIABLES: usize = 4;
/// Longest name of a variable that a manifest takes, its underscore left out.
const MOST_VARIABLE: usize = 63;

/// What joins the registrations of one system.
#[derive(Debug, Default)]
pub struct Join<'r> {
    /// The rules to write down; none: those of the product.
    pub rules: Option<Vec<JoinRule>>,
    /// Registrations by number of host, in the order in which they are listed.
    pub of_host: BTreeMap<usize, Vec<&'r Registration>>,
    /// What it was derived from, for a reviewer.
    pub reasons: Vec<String>,
}

impl Join<'_> {
    /// Registrations that belong to a host.
    pub fn joined(&self) -> usize {
        self.of_host.values().map(Vec::len).sum()
    }
}

/// What a rule says of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    /// This host.
    Of(usize),
    /// Several hosts, nobody knows which.
    Several,
    /// It names an instance that is none of ours: no other rule is asked.
    Elsewhere,
    Nothing,
}

/// Ways to tell a host.
#[derive(Clone, Debug)]
enum Rule {
    /// Mackerel's two, an id or endpoint that was sent or reported.
    Sent,
    /// A custom variable, by upper-case name without the underscore.
    Variable(String),
    /// The registered name as it is.
    Name,
    /// The registered name up to its first dot.
    ShortName,
    Address,
}

/// Hosts by everything that a registration may call them.
struct Index<'r> {
    ids: HashMap<&'r str, usize>,
    endpoints: HashMap<String, usize>,
    names: HashMap<&'r str, Vec<usize>>,
    addresses: HashMap<IpAddr, Vec<usize>>,
}

/// Finds what joins these registrations to these hosts.
pub fn find<'r>(product: Product, registrations: &'r [Registration], hosts: &[Host<'r>]) -> Join<'r> {
    let index = Index::new(hosts);
    let mut search = Search::new(&index, registrations);
    if product == Product::Mackerel {
        search.take(&Rule::Sent);
        let found = search.found();
        let all = count(registrations.len(), "registration");
        let reason = format!("{found} of {all} belong to a host, by the default join rules");
        return Join { rules: None, of_host: search.of_host(), reasons: vec![reason] };
    }
    search.variables();
    search.names_and_addresses();
    search.join()
}

impl<'r> Index<'r> {
    fn new(hosts: &[Host<'r>]) -> Self {
        let (ids, endpoints) = (HashMap::new(), HashMap::new());
        let mut index = Self { ids, endpoints, names: HashMap::new(), addresses: HashMap::new() };
        for (number, host) in hosts.iter().enumerate() {
            index.ids.insert(host.id.as_str(), number);
            if let Some(endpoint) = host.endpoint {
                index.endpoints.insert(endpoint.to_lowercase(), number);
            }
            if let Some(name) = host.name() {
                index.names.entry(name).or_default().push(number);
            }
            for address in host.addresses {
                index.addresses.entry(*address).or_default().push(number);
            }
        }
        index
    }

    fn ask(&self, rule: &Rule, registration: &Registration) -> Spoken {
        match rule {
            Rule::Sent => {
                let reported = || registration.reported_instance();
                match registration.identified_instance().or_else(reported) {
                    Some(id) => bound(self.ids.get(id.as_str())),
                    None => registration
                        .identified_endpoint()
                        .map_or(Spoken::Nothing, |endpoint| bound(self.endpoints.get(&endpoint))),
                }
            }
            Rule::Variable(name) => {
                let id = registration.variable_instance(name);
                id.map_or(Spoken::Nothing, |id| bound(self.ids.get(id.as_str())))
            }
            Rule::Name => self.named(&registration.name),
            Rule::ShortName => {
                registration.name.split_once('.').map_or(Spoken::Nothing, |(name, _)| self.named(name))
            }
            Rule::Address => {
                let addresses = registration.addresses.iter().filter(|address| !address.is_loopback());
                let hosts = addresses.filter_map(|address| self.addresses.get(address)).flatten().copied();
                one(&hosts.collect())
            }
        }
    }

    fn named(&self, name: &str) -> Spoken {
        one(&self.names.get(name).into_iter().flatten().copied().collect())
    }
}

fn bound(host: Option<&usize>) -> Spoken {
    host.map_or(Spoken::Elsewhere, |host| Spoken::Of(*host))
}

fn one(hosts: &BTreeSet<usize>) -> Spoken {
    match (hosts.first(), hosts.len()) {
        (None, _) => Spoken::Nothing,
        (Some(host), 1) => Spoken::Of(*host),
        (Some(_), _) => Spoken::Several,
    }
}

/// The search for rules: what those taken so far say of each registration.
struct Search<'s, 'r> {
    index: &'s Index<'r>,
    registrations: &'r [Registration],
    spoken: Vec<Spoken>,
    /// What instance ids alone say.
    by_id: Vec<Spoken>,
    rules: Vec<JoinRule>,
    reasons: Vec<String>,
}

impl<'s, 'r> Search<'s, 'r> {
    fn new(index: &'s Index<'r>, registrations: &'r [Registration]) -> Self {
        let spoken = vec![Spoken::Nothing; registrations.len()];
        Self { index, registrations, by_id: spoken.clone(), spoken, rules: Vec::new(), reasons: Vec::new() }
    }

    /// What a rule adds where those before it say nothing.
    fn answers(&self, rule: &Rule) -> Vec<Spoken> {
        let all = self.registrations.iter().zip(&self.spoken);
        all.map(|(registration, said)| match said {
            Spoken::Nothing => self.index.ask(rule, registration),
            _ => Spoken::Nothing,
        })
        .collect()
    }

    /// How many hosts a rule adds, if it is fit for use.
    fn worth(&self, rule: &Rule) -> Option<usize> {
        let answers = self.answers(rule);
        let found: Vec<usize> = answers.iter().filter_map(of).collect();
        let hosts: BTreeSet<usize> = found.iter().copied().collect();
        let several = answers.iter().filter(|said| **said == Spoken::Several).count();
        let is_by_chance = hosts.len() * LEAST < self.registrations.len();
        // `_BASTION=i-0abc` on thirty hosts names an instance too, and not theirs.
        let is_of_others = found.len() >= 2 * hosts.len() && found.len() > 2;
        let is_fit = !hosts.is_empty() && !is_by_chance && !is_of_others && several <= hosts.len();
        is_fit.then_some(hosts.len())
    }

    /// Of how many registrations with a known instance a rule says another one, and of how many it says anything.
    fn contradicted(&self, rule: &Rule) -> (usize, usize) {
        let asked = self.registrations.iter().zip(&self.by_id);
        let both = asked.filter_map(|(one, by_id)| Some((of(by_id)?, of(&self.index.ask(rule, one))?)));
        let both: Vec<(usize, usize)> = both.collect();
        (both.iter().filter(|(id, other)| id != other).count(), both.len())
    }

    fn take(&mut self, rule: &Rule) -> usize {
        let answers = self.answers(rule);
        let found = answers.iter().filter_map(of).count();
        for (said, answer) in self.spoken.iter_mut().zip(answers) {
            if *said == Spoken::Nothing {
                *said = answer;
            }
        }
        if let Some(rule) = written(rule) {
            self.rules.push(rule);
        }
        found
    }

    /// Custom variables that name instances, the most telling first.
    fn variables(&mut self) {
        // Leading underscores are cut off where a rule is read.
        let fits = |name: &&String| {
            (1..=MOST_VARIABLE).contains(&name.len())
                && !name.starts_with('_')
                && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        };
        let names = self.registrations.iter().flat_map(|one| one.variables.keys());
        let names: BTreeSet<&String> = names.filter(fits).collect();
        while self.rules.len() < MOST_VARIABLES {
            let told = names.iter().filter_map(|name| {
                let rule = Rule::Variable((*name).clone());
                Some((self.worth(&rule)?, std::cmp::Reverse(*name)))
            });
            let Some((_, std::cmp::Reverse(name))) = told.max() else { break };
            let found = self.take(&Rule::Variable(name.clone()));
            let all = count(self.registrations.len(), "registration");
            self.reasons.push(format!("the custom variable _{name} names the instance of {found} of {all}"));
        }
        self.by_id.clone_from(&self.spoken);
    }

    /// Names and addresses for those that no variable names, whatever joins most of them first.
    fn names_and_addresses(&mut self) {
        let mut rules = vec![Rule::Name, Rule::ShortName, Rule::Address];
        rules.retain(|rule| {
            let (wrong, asked) = self.contradicted(rule);
            let is_wrong = wrong * CONTRADICTED > asked;
            if is_wrong {
                let what = words(rule);
                self.reasons.push(format!("{what} is not used: of {asked} it contradicts the id of {wrong}"));
            }
            !is_wrong
        });
        while let Some((_, std::cmp::Reverse(at))) =
            (0..).zip(&rules).filter_map(|(at, rule)| Some((self.worth(rule)?, std::cmp::Reverse(at)))).max()
        {
            let rule = rules.remove(at);
            let what = words(&rule);
            let found = self.take(&rule);
            self.reasons.push(format!("{what} tells the host of {found}"));
        }
    }

    fn found(&self) -> usize {
        self.spoken.iter().filter_map(of).count()
    }

    fn of_host(&self) -> BTreeMap<usize, Vec<&'r Registration>> {
        let mut of_host: BTreeMap<usize, Vec<&Registration>> = BTreeMap::new();
        for (registration, said) in self.registrations.iter().zip(&self.spoken) {
            if let Some(host) = of(said) {
                of_host.entry(host).or_default().push(registration);
            }
        }
        of_host
    }

    fn join(mut self) -> Join<'r> {
        let rest = self.registrations.len() - self.found();
        if self.rules.is_empty() {
            let reason = "No custom variable, name or address of a registration is a host's: give each host there the \
                          custom variable _INSTANCE_ID.";
            self.reasons.push(reason.to_owned());
        } else if rest > 0 {
            self.reasons.push(format!("{} of none of these hosts", count(rest, "registration")));
        }
        let of_host = self.of_host();
        let rules = (!self.rules.is_empty()).then_some(self.rules);
        Join { rules, of_host, reasons: self.reasons }
    }
}

fn of(said: &Spoken) -> Option<usize> {
    if let Spoken::Of(host) = said { Some(*host) } else { None }
}

/// A rule as people read it.
fn words(rule: &Rule) -> &'static str {
    match rule {
        Rule::Sent | Rule::Variable(_) => "an instance id",
        Rule::Name => "the registered name",
        Rule::ShortName => "the registered name up to its first dot",
        Rule::Address => "the address",
    }
}

/// A rule as it is written down.
fn written(rule: &Rule) -> Option<JoinRule> {
    let (by, variable, pattern) = match rule {
        Rule::Sent => return None,
        Rule::Variable(name) => (JoinBy::CustomVariable, Some(format!("_{name}")), None),
        Rule::Name => (JoinBy::Name, None, Some("^(?<name>.+)$".to_owned())),
        Rule::ShortName => (JoinBy::Name, None, Some("^(?<name>[^.]+)[.]".to_owned())),
        Rule::Address => (JoinBy::Address, None, None),
    };
    Some(JoinRule { by, variable, pattern })
}
