//! The validated desired state. Custom resources are parsed once into types that cannot be wrong; the rest
//! of the code never sees a raw spec. A malformed object becomes a [`Problem`] and disturbs nobody else: what
//! it would have said is *doubted*, and nothing is concluded from its silence.

mod account;
mod asked;
mod assertion;
mod channel;
mod check;
mod desired;
mod environment;
mod exemption;
mod ledger;
mod parse;
mod policy;
mod problem;
mod retiring;
mod role;
mod selector;
mod system;
mod template;
mod terms;
mod visible;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use account::Account;
pub use channel::Channel;
pub use desired::*;
pub use retiring::{Hold, Outlook, StopsNone};
pub use system::{Endpoint, Nagios, NagiosWay, NeededSecret, System};

pub(crate) use assertion::{
    Attached, ClusterWish, DatabaseWish, GroupWish, InstanceWish, Names as AssertedNames, Opened, Pattern,
    Rules as AssertedRules, SubnetGroupWish, Tags as AssertedTags, Wish,
};
pub(crate) use check::{Check, Threshold};
pub(crate) use environment::{Claim, Environment};
pub(crate) use exemption::Exemption;
pub(crate) use ledger::{CheckDemand, Demand, Entry, EnvironmentWay, Look};
pub(crate) use policy::{Lean, Policy};
pub(crate) use role::{MackerelRole, Role};
pub(crate) use system::JoinRule;

use crate::ids::{AccountId, AccountName, ObjectKey, Place};
use crate::lean::Rule;

/// The desired state of the whole fleet, valid by construction.
#[derive(Debug, Default)]
pub struct Fleet {
    accounts: BTreeMap<AccountName, Account>,
    /// By key; elsewhere a system is its number in here.
    pub(crate) systems: Vec<System>,
    /// By key; elsewhere an environment is its number in here.
    pub(crate) environments: Vec<Environment>,
    pub(crate) roles: BTreeMap<ObjectKey, Arc<Role>>,
    pub(crate) checks: BTreeMap<ObjectKey, Check>,
    pub(crate) exemptions: BTreeMap<ObjectKey, Exemption>,
    pub(crate) policies: BTreeMap<ObjectKey, Policy>,
    pub(crate) channels: BTreeMap<ObjectKey, Option<Arc<Channel>>>,
    /// Accounts in which somebody may claim hosts whom we could not understand: nothing there is unclaimed.
    pub(crate) claims_doubted: BTreeSet<AccountId>,
    /// Where something that could restrict cannot be read.
    pub(crate) restrictions_doubted: Doubted,
    /// Some environment is left out: what nobody seems to require may be required there.
    pub(crate) has_left_out: bool,
}

/// Namespaces in which something is in doubt.
#[derive(Debug, Default)]
pub(crate) struct Doubted {
    pub(crate) everywhere: bool,
    pub(crate) namespaces: BTreeSet<Arc<str>>,
}

impl Doubted {
    pub(crate) fn holds_in(&self, namespace: &str) -> bool {
        self.everywhere || self.namespaces.contains(namespace)
    }
}

impl Fleet {
    /// Parses all custom resources. What cannot be understood is left out and told as problems, all of them,
    /// ordered by kind, namespace and name.
    #[must_use]
    pub fn parse(desired: &Desired) -> (Self, Vec<Problem>) {
        parse::parse(desired)
    }

    /// All valid cloud accounts, by name.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values()
    }

    /// One cloud account.
    #[must_use]
    pub fn account(&self, name: &AccountName) -> Option<&Account> {
        self.accounts.get(name)
    }

    /// Every place to read, with the account whose identity reads it. No place stands here twice.
    pub fn places(&self) -> impl Iterator<Item = (Place, &Account)> {
        self.accounts().flat_map(|account| account.places().map(move |place| (place, account)))
    }

    /// All valid monitoring systems, by key.
    pub fn systems(&self) -> impl Iterator<Item = &System> {
        self.systems.iter()
    }

    /// One monitoring system.
    #[must_use]
    pub fn system(&self, key: &ObjectKey) -> Option<&System> {
        self.systems.get(self.systems.binary_search_by(|system| system.key.cmp(key)).ok()?)
    }

    /// The systems that at least one environment needs: the ones worth polling.
    #[must_use]
    pub fn used_systems(&self) -> BTreeSet<&ObjectKey> {
        let used = self.environments.iter().flat_map(|environment| &environment.systems);
        used.filter_map(|number| self.systems.get(*number)).map(|system| &system.key).collect()
    }

    /// Keys of all environments that can be judged.
    pub fn environments(&self) -> impl Iterator<Item = &ObjectKey> {
        self.environments.iter().map(|environment| &environment.key)
    }

    /// The places in which an environment may claim hosts; empty when it cannot be judged.
    #[must_use]
    pub fn environment_places(&self, environment: &ObjectKey) -> Vec<Place> {
        self.environment(environment).map(|e| e.places().collect()).unwrap_or_default()
    }

    /// The monitoring systems an environment needs, for registrations and through its checks; empty when it
    /// cannot be judged.
    #[must_use]
    pub fn environment_systems(&self, environment: &ObjectKey) -> Vec<ObjectKey> {
        let numbers = self.environment(environment).into_iter().flat_map(|e| &e.systems);
        numbers.filter_map(|number| self.systems.get(*number)).map(|system| system.key.clone()).collect()
    }

    /// The rule by which an environment judges who is unused, and the policy that says it; none where nobody is judged. Without
    /// a policy it is the default rule.
    #[must_use]
    pub fn rule(&self, environment: &ObjectKey) -> Option<(Option<&ObjectKey>, &Rule)> {
        let lean = self.environment(environment)?.lean.as_ref()?;
        Some((lean.policy.as_ref(), &lean.rule))
    }

    /// Where the people of an environment are told; empty when it names nobody, or cannot be judged.
    #[must_use]
    pub fn channels_of(&self, environment: &ObjectKey) -> &[Arc<Channel>] {
        self.environment(environment).map_or(&[], |environment| &environment.channels)
    }

    /// Does any environment want its owners told of unused hosts?
    #[must_use]
    pub fn tells_owners(&self) -> bool {
        self.environments.iter().any(|of| of.lean_doubted || of.lean.as_ref().is_some_and(Lean::tells))
    }

    /// One channel, if it can be understood.
    #[must_use]
    pub fn channel(&self, key: &ObjectKey) -> Option<&Arc<Channel>> {
        self.channels.get(key)?.as_ref()
    }

    pub(crate) fn environment(&self, key: &ObjectKey) -> Option<&Environment> {
        self.environments.get(self.environments.binary_search_by(|e| e.key.cmp(key)).ok()?)
    }
}

/// The key of an object's metadata; a manifest without a namespace gets the empty one.
fn key_of(namespace: Option<&String>, name: Option<&String>) -> ObjectKey {
    let text = |part: Option<&String>| part.map_or("", String::as_str).to_owned();
    ObjectKey::new(text(namespace), text(name))
}
