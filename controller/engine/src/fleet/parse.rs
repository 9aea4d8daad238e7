//! From custom resources to a [`Fleet`]: kinds without references first, then what each namespace sees, then
//! environments, which tie everything together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use rollcall_crds::v1alpha1 as api;

use super::check::Check;
use super::environment::{self, Environment};
use super::ledger::{CheckDemand, Entry, Sources};
use super::problem::Problems;
use super::role::{self, RoleBook};
use super::visible::{Visible, visible};
use super::{
    Channel, Desired, Doubted, Fleet, Kind, Policy, Problem, account, channel, check, exemption, policy,
    system,
};
use crate::ids::{AccountId, ObjectKey};

/// See [`Fleet::parse`].
pub(super) fn parse(desired: &Desired) -> (Fleet, Vec<Problem>) {
    let mut problems = Problems::default();
    problems.extend(&desired.unreadable);
    let accounts = account::parse(&desired.accounts, &mut problems);
    let mut fleet = Fleet {
        systems: system::parse(&desired.systems, &accounts, &mut problems).into_values().collect(),
        accounts,
        roles: role::parse(&desired.roles, unreadable(desired, Kind::HostRole), &mut problems),
        checks: check::parse(&desired.checks, &mut problems),
        exemptions: exemption::parse(&desired.exemptions, &mut problems),
        channels: channel::parse(&desired.channels, unreadable(desired, Kind::NotificationChannel)),
        policies: policy::parse(
            &desired.policies,
            unreadable(desired, Kind::RetirementPolicy),
            &mut problems,
        ),
        ..Fleet::default()
    };
    let systems = declared_systems(desired, &fleet);
    let resolver = Resolver::new(desired, &fleet, &systems, &mut problems);
    let (environments, claims_doubted) = resolver.environments(&mut problems);
    fleet.restrictions_doubted = restrictions_doubted(desired);
    fleet.has_left_out = environments.len() < desired.environments.len()
        || unreadable(desired, Kind::Environment).next().is_some();
    fleet.environments = environments;
    fleet.claims_doubted = claims_doubted;
    (fleet, problems.into_vec())
}

/// Objects of a kind that could not even be read.
fn unreadable(desired: &Desired, kind: Kind) -> impl Iterator<Item = ObjectKey> {
    desired.unreadable.iter().filter(move |p| p.kind == kind).map(|p| ObjectKey::new(&p.namespace, &p.name))
}

/// Where an object that could restrict cannot be read: nothing in its namespace leaves until it can, and where it is the
/// library's, nothing at all.
fn restrictions_doubted(desired: &Desired) -> Doubted {
    let restricts = [Kind::Exemption, Kind::HostRole, Kind::RetirementPolicy, Kind::Retirement];
    let keys = restricts.into_iter().flat_map(|kind| unreadable(desired, kind));
    let namespaces: BTreeSet<Arc<str>> = keys.map(|key| key.namespace).collect();
    let everywhere = desired.library.as_deref().is_some_and(|library| namespaces.contains(library));
    Doubted { everywhere, namespaces }
}

/// Everything that environments refer to.
struct Resolver<'a> {
    desired: &'a Desired,
    fleet: &'a Fleet,
    views: BTreeMap<&'a str, NamespaceView<'a>>,
}

/// What one namespace sees.
struct NamespaceView<'a> {
    labels: BTreeMap<String, String>,
    book: Arc<RoleBook>,
    checks: Visible<'a, Check>,
    /// Numbers of systems; `None`: it exists, but cannot be understood.
    systems: Visible<'a, Option<usize>>,
    policies: Visible<'a, Policy>,
    channels: Visible<'a, Option<Arc<Channel>>>,
    shadowing: Vec<(Kind, ObjectKey)>,
    requirements_doubted: bool,
}

impl<'a> NamespaceView<'a> {
    fn open(
        namespace: &str,
        desired: &'a Desired,
        fleet: &'a Fleet,
        systems: &'a BTreeMap<ObjectKey, Option<usize>>,
        problems: &mut Problems,
    ) -> Self {
        let library = desired.library.as_deref();
        let book = RoleBook::open(&fleet.roles, namespace, library, problems);
        let checks = visible(&fleet.checks, namespace, library);
        let systems = visible(systems, namespace, library);
        let policies = visible(&fleet.policies, namespace, library);
        let channels = visible(&fleet.channels, namespace, library);
        let in_sight = |key: &ObjectKey| *key.namespace == *namespace || Some(&*key.namespace) == library;
        let requirements_doubted = book.doubted
            || checks.by_name.values().any(|check| check.fault.is_some())
            || unreadable(desired, Kind::RequiredCheck).any(|key| in_sight(&key));
        let shadowing = (book.shadowing.iter().map(|key| (Kind::HostRole, key.clone())))
            .chain(checks.shadowing.iter().map(|key| (Kind::RequiredCheck, (*key).clone())))
            .chain(systems.shadowing.iter().map(|key| (Kind::MonitoringSystem, (*key).clone())))
            .chain(policies.shadowing.iter().map(|key| (Kind::RetirementPolicy, (*key).clone())))
            .chain(channels.shadowing.iter().map(|key| (Kind::NotificationChannel, (*key).clone())))
            .collect();
        let labels = labels_of(desired, namespace);
        Self {
            labels,
            book: Arc::new(book),
            checks,
            systems,
            policies,
            channels,
            shadowing,
            requirements_doubted,
        }
    }

    /// The number of a valid system.
    fn number(&self, name: &str) -> Option<usize> {
        self.systems.by_name.get(name).and_then(|number| **number)
    }
}

impl<'a> Resolver<'a> {
    /// Opens the view of every namespace that holds an environment or a role.
    fn new(
        desired: &'a Desired,
        fleet: &'a Fleet,
        systems: &'a BTreeMap<ObjectKey, Option<usize>>,
        problems: &mut Problems,
    ) -> Self {
        let mut namespaces: BTreeSet<&str> = desired.library.as_deref().into_iter().collect();
        namespaces
            .extend(desired.environments.iter().map(|e| e.metadata.namespace.as_deref().unwrap_or_default()));
        namespaces.extend(fleet.roles.keys().map(|key| &*key.namespace));
        let open = |namespace| (namespace, NamespaceView::open(namespace, desired, fleet, systems, problems));
        Self { desired, fleet, views: namespaces.into_iter().map(open).collect() }
    }

    /// All environments that can be judged, by key, and the accounts in which one that cannot may claim hosts.
    fn environments(&self, problems: &mut Problems) -> (Vec<Environment>, BTreeSet<AccountId>) {
        let mut environments = BTreeMap::new();
        let mut doubted = self.doubted_accounts();
        for spec in &self.desired.environments {
            let key = super::key_of(spec.metadata.namespace.as_ref(), spec.metadata.name.as_ref());
            match self.environment(&key, spec, problems) {
                Ok(environment) => {
                    environments.insert(key, environment);
                }
                Err(accounts) => doubted.extend(accounts),
            }
        }
        (environments.into_values().collect(), doubted)
    }

    /// Accounts with a grant that cannot be understood, or in which an unreadable environment may claim hosts.
    fn doubted_accounts(&self) -> BTreeSet<AccountId> {
        let accounts = self.fleet.accounts.values();
        let mut doubted: BTreeSet<AccountId> = accounts
            .clone()
            .filter(|account| account.grants_doubted)
            .map(|account| account.id.clone())
            .collect();
        for environment in unreadable(self.desired, Kind::Environment) {
            let labels = labels_of(self.desired, &environment.namespace);
            let granting = accounts.clone().filter(|account| account.claimable(&labels).is_some());
            doubted.extend(granting.map(|account| account.id.clone()));
        }
        doubted
    }

    /// One environment, or the accounts in which it may claim hosts that we cannot tell.
    fn environment(
        &self,
        key: &ObjectKey,
        spec: &api::Environment,
        problems: &mut Problems,
    ) -> Result<Environment, Vec<AccountId>> {
        let Some(view) = self.views.get(&*key.namespace) else { return Err(Vec::new()) };
        let known_zone = environment::time_zone(key, &spec.spec, problems);
        let zone = known_zone.clone().unwrap_or(TimeZone::UTC);
        let counts = environment::parse_counts(key, &spec.spec, &view.book, problems);
        let ledger = self.ledger(key, spec, zone.clone(), view, problems);
        let policies = &view.policies.by_name;
        let lean = policy::parse_lean(key, &spec.spec, known_zone.as_ref(), &view.book, policies, problems);
        let is_known = |name: &str| {
            let declared = self.desired.accounts.iter().any(|a| a.metadata.name.as_deref() == Some(name));
            declared || unreadable(self.desired, Kind::CloudAccount).any(|key| *key.name == *name)
        };
        let parsed = environment::parse_selection(
            key,
            &spec.spec,
            &view.labels,
            &self.fleet.accounts,
            is_known,
            problems,
        );
        let Some(selector) = parsed.selector else {
            return Err(parsed.claims.into_iter().map(|claim| claim.account_id).collect());
        };
        if parsed.claims.is_empty() {
            return Err(Vec::new());
        }
        let services = services(&spec.spec, view);
        Ok(Environment {
            key: key.clone(),
            claims: parsed.claims,
            selector,
            has_owner: spec.spec.owner.is_some(),
            settle: jiff::SignedDuration::from_mins(i64::from(spec.spec.settle_minutes.max(0))),
            role_tag: environment::parse_role_tag(&spec.spec),
            counts,
            book: Arc::clone(&view.book),
            systems: used_systems(&spec.spec, view, &ledger),
            requirements_doubted: view.requirements_doubted || ledger.iter().any(is_doubted),
            ledger,
            services,
            lean_doubted: spec.spec.lean.is_some() && lean.is_none(),
            lean,
            channels: channel::named(key, &spec.spec, &view.channels.by_name, problems),
            zone,
            shadowing: view.shadowing.clone(),
            is_partial: parsed.is_partial,
        })
    }

    fn ledger(
        &self,
        key: &ObjectKey,
        spec: &api::Environment,
        zone: TimeZone,
        view: &NamespaceView<'_>,
        problems: &mut Problems,
    ) -> Vec<Entry> {
        let labels = spec.metadata.labels.clone().unwrap_or_default();
        let parameters = spec.spec.parameters.iter().map(|(k, v)| (k.as_str().into(), v.0.as_str().into()));
        let sources = Sources {
            environment: key,
            labels: &labels,
            parameters: parameters.collect(),
            zone,
            monitoring: &spec.spec.monitoring,
            book: &view.book,
            checks: &view.checks.by_name,
            systems: &view.systems.by_name,
            all_systems: &self.fleet.systems,
        };
        sources.build(problems)
    }
}

/// Every declared system, with its number if it is valid.
fn declared_systems(desired: &Desired, fleet: &Fleet) -> BTreeMap<ObjectKey, Option<usize>> {
    let declared = desired
        .systems
        .iter()
        .map(|s| super::key_of(s.metadata.namespace.as_ref(), s.metadata.name.as_ref()));
    let mut all: BTreeMap<ObjectKey, Option<usize>> =
        declared.chain(unreadable(desired, Kind::MonitoringSystem)).map(|key| (key, None)).collect();
    all.extend((0..).zip(&fleet.systems).map(|(number, system)| (system.key.clone(), Some(number))));
    all
}

/// Labels of a namespace, with the one that Kubernetes sets on each.
fn labels_of(desired: &Desired, namespace: &str) -> BTreeMap<String, String> {
    let mut labels = desired.namespaces.get(namespace).cloned().unwrap_or_default();
    labels.insert("kubernetes.io/metadata.name".to_owned(), namespace.to_owned());
    labels
}

/// The Mackerel service of each system, where the environment names one.
fn services(spec: &api::EnvironmentSpec, view: &NamespaceView<'_>) -> BTreeMap<usize, Arc<str>> {
    let named = spec.monitoring.iter().filter_map(|watch| Some((watch, watch.service.as_deref()?)));
    named.filter_map(|(watch, service)| Some((view.number(&watch.system)?, service.into()))).collect()
}

/// Numbers of all systems an environment needs: those it names and those its checks look into.
fn used_systems(spec: &api::EnvironmentSpec, view: &NamespaceView<'_>, ledger: &[Entry]) -> Vec<usize> {
    let named = spec.monitoring.iter().filter_map(|watch| view.number(&watch.system));
    let mut used: BTreeSet<usize> = named.collect();
    for entry in ledger {
        if let Some(demand) = entry.demand.check() {
            used.extend(demand.ways.iter().filter_map(|way| way.system.as_ref().ok()));
        }
    }
    used.into_iter().collect()
}

/// Is there something in this requirement that we cannot tell?
fn is_doubted(entry: &Entry) -> bool {
    entry.demand.check().is_some_and(|CheckDemand { fault, ways, .. }| {
        fault.is_some() || ways.iter().any(|way| way.look.is_err() || way.system.is_err())
    })
}
