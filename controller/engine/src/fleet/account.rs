//! `CloudAccount`, parsed: where hosts may be seen, by which identity, and who may claim them. No grant, no claim.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_crds::v1alpha1 as api;

use super::policy::reach;
use super::problem::{Fault, Problems};
use super::selector::{HostMatcher, LabelMatcher};
use crate::ids::{AccountId, AccountName, Place, Region};
use crate::retirement::Reach;

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
    /// Is there an identity that may stop hosts?
    pub may_stop: bool,
    grants: Vec<Grant>,
    /// A grant could not be understood: who may claim what here is not fully known.
    pub(crate) grants_doubted: bool,
}

/// One permission to claim.
#[derive(Clone, Debug)]
struct Grant {
    namespaces: LabelMatcher,
    /// The hosts; none: any.
    hosts: Option<HostMatcher>,
    /// How far they may go.
    reach: Option<Reach>,
}

impl Grant {
    fn admits(&self, host: crate::inventory::Marks<'_>) -> bool {
        self.hosts.as_ref().is_none_or(|hosts| hosts.selects(host))
    }
}

/// The hosts of an account that a namespace may claim: those that at least one of its grants admits.
#[derive(Clone, Debug)]
pub(crate) struct Claimable {
    grants: Vec<Grant>,
    /// Has the account an identity that may stop hosts?
    pub(crate) may_stop: bool,
}

impl Claimable {
    /// May this host be claimed?
    pub(crate) fn allows(&self, host: crate::inventory::Marks<'_>) -> bool {
        self.grants.iter().any(|grant| grant.admits(host))
    }

    /// How far this host may go, by grants and identities.
    pub(crate) fn reach(&self, host: crate::inventory::Marks<'_>) -> Option<Reach> {
        let granted =
            self.grants.iter().filter(|grant| grant.admits(host)).filter_map(|grant| grant.reach).max();
        granted.min(Some(if self.may_stop { Reach::Retire } else { Reach::Notify }))
    }

    /// Does any of the grants let hosts go so far as to be stopped?
    pub(crate) fn grants_a_stop(&self) -> bool {
        grant_a_stop(&self.grants)
    }
}

impl Account {
    /// Its places, one per region.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.regions.iter().map(|region| Place { account: self.id.clone(), region: region.clone() })
    }

    /// What a namespace with these labels may claim here; `None`: nothing, no grant admits it.
    pub(crate) fn claimable(&self, namespace_labels: &BTreeMap<String, String>) -> Option<Claimable> {
        let grants = self.grants.iter().filter(|grant| grant.namespaces.selects(namespace_labels));
        let grants: Vec<Grant> = grants.cloned().collect();
        (!grants.is_empty()).then_some(Claimable { grants, may_stop: self.may_stop })
    }

    /// Does any of its grants let hosts go so far as to be stopped?
    pub(crate) fn grants_a_stop(&self) -> bool {
        grant_a_stop(&self.grants)
    }

    /// The labels its grants ask for, for a person who was refused.
    pub(crate) fn grants_in_words(&self) -> String {
        if self.grants.is_empty() {
            return "it has no grants".to_owned();
        }
        let grants: Vec<String> = self.grants.iter().map(|grant| grant.namespaces.to_string()).collect();
        format!("its grants ask for {}", grants.join(" or "))
    }
}

fn grant_a_stop(grants: &[Grant]) -> bool {
    grants.iter().any(|grant| grant.reach == Some(Reach::Retire))
}

/// Parses all accounts. Two objects with one account id would read and count every host twice: the later by
/// name is refused.
pub(crate) fn parse(specs: &[api::CloudAccount], problems: &mut Problems) -> BTreeMap<AccountName, Account> {
    let mut sorted: Vec<&api::CloudAccount> = specs.iter().collect();
    sorted.sort_by_key(|spec| spec.metadata.name.clone());
    let mut owners: BTreeMap<AccountId, AccountName> = BTreeMap::new();
    let mut accounts = BTreeMap::new();
    for spec in sorted {
        let name = spec.metadata.name.as_deref().unwrap_or_default();
        let Some(account) = parse_one(name, &spec.spec, problems) else { continue };
        if let Some(first) = owners.get(&account.id) {
            problems.add_account(name, Fault::new("DuplicateAccount", format!(
                "spec.accountID: CloudAccount {first:?} already speaks for account {}; delete one of the two", account.id
            )));
            continue;
        }
        owners.insert(account.id.clone(), account.name.clone());
        accounts.insert(account.name.clone(), account);
    }
    accounts
}

fn parse_one(name: &str, spec: &api::CloudAccountSpec, problems: &mut Problems) -> Option<Account> {
    if spec.account_id.len() != 12 || !spec.account_id.bytes().all(|b| b.is_ascii_digit()) {
        problems.add_account(name, Fault::new("BadAccountID", format!(
            "spec.accountID: expected twelve digits, found {:?}; `aws sts get-caller-identity` prints yours", spec.account_id
        )));
        return None;
    }
    let regions: BTreeSet<&str> = spec.regions.iter().map(|r| r.trim()).filter(|r| !r.is_empty()).collect();
    if regions.is_empty() {
        problems.add_account(name, Fault::new("NoRegions", "spec.regions: expected at least one region, found none; a region that is not listed is never read"));
        return None;
    }
    let mut account = Account {
        name: name.into(),
        id: spec.account_id.as_str().into(),
        regions: regions.into_iter().map(Region::from).collect(),
        observe: spec.observe.clone(),
        unclaimed_namespace: spec.unclaimed_namespace.clone(),
        may_stop: spec.retire.is_some(),
        grants: Vec::new(),
        grants_doubted: false,
    };
    for (index, grant) in spec.grants.iter().enumerate() {
        match Grant::parse(grant, &format!("spec.grants[{index}]")) {
            Ok(grant) => account.grants.push(grant),
            Err(faults) => {
                account.grants_doubted = true;
                for fault in faults {
                    problems.add_account(name, fault);
                }
            }
        }
    }
    Some(account)
}

impl Grant {
    fn parse(grant: &api::Grant, field: &str) -> Result<Self, Vec<Fault>> {
        let namespaces =
            LabelMatcher::parse(&grant.namespace_selector, &format!("{field}.namespaceSelector"));
        let hosts =
            grant.host_selector.as_ref().map(|s| HostMatcher::parse(s, &format!("{field}.hostSelector")));
        match (namespaces, hosts.transpose()) {
            (Ok(namespaces), Ok(hosts)) => {
                Ok(Self { namespaces, hosts, reach: reach(grant.max_enforcement) })
            }
            (Err(fault), Ok(_)) => Err(vec![fault]),
            (Ok(_), Err(faults)) => Err(faults),
            (Err(fault), Err(mut faults)) => {
                faults.insert(0, fault);
                Err(faults)
            }
        }
    }
}
