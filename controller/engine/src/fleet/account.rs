//! `CloudAccount`, parsed: where hosts may be seen, by which identity, and who may claim them.

use rollcall_crds::v1alpha1 as api;

use crate::ids::{AccountId, AccountName, Place, Region};

/// One cloud account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Name of the object.
    pub name: AccountName,
    /// The AWS account; STS must prove it before anything is believed.
    pub id: AccountId,
    /// Regions to read, sorted.
    pub regions: Vec<Region>,
    /// The identity that reads; none: the ambient credentials.
    pub observe: Option<api::ObserveIdentity>,
    /// Namespace for the Host objects of hosts that nobody claims.
    pub unclaimed_namespace: Option<String>,
}

impl Account {
    /// Its places, one per region.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.regions.iter().map(|region| Place { account: self.id.clone(), region: region.clone() })
    }
}
