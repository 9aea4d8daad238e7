//! The validated desired state. Custom resources are parsed once into types that cannot be wrong; the rest
//! of the code never sees a raw spec. A malformed object becomes a [`Problem`] and disturbs nobody else.

mod account;
mod desired;
mod system;

use std::collections::{BTreeMap, BTreeSet};

pub use account::*;
pub use desired::*;
pub use system::*;

use crate::ids::{AccountName, ObjectKey, Place};

/// The desired state of the whole fleet, valid by construction.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    accounts: BTreeMap<AccountName, Account>,
    systems: BTreeMap<ObjectKey, System>,
}

impl Fleet {
    /// Parses all custom resources. What cannot be understood is left out and told as problems, all of them,
    /// ordered by kind, namespace and name.
    #[must_use]
    pub fn parse(_desired: &Desired) -> (Self, Vec<Problem>) {
        (Self::default(), Vec::new())
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
        self.systems.values()
    }

    /// One monitoring system.
    #[must_use]
    pub fn system(&self, key: &ObjectKey) -> Option<&System> {
        self.systems.get(key)
    }

    /// The systems that at least one environment needs: the ones worth polling.
    #[must_use]
    pub fn used_systems(&self) -> BTreeSet<&ObjectKey> {
        BTreeSet::new()
    }

    /// Keys of all environments that can be judged.
    pub fn environments(&self) -> impl Iterator<Item = &ObjectKey> {
        std::iter::empty()
    }

    /// The places in which an environment may claim hosts.
    #[must_use]
    pub fn environment_places(&self, _environment: &ObjectKey) -> Vec<Place> {
        Vec::new()
    }

    /// The monitoring systems an environment needs: for registrations and through its checks.
    #[must_use]
    pub fn environment_systems(&self, _environment: &ObjectKey) -> Vec<ObjectKey> {
        Vec::new()
    }
}
