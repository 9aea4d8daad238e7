//! `CloudAccount`, parsed: where hosts may be seen, by which identity, and who may claim them. No grant, no claim.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_crds::v1alpha1 as api;

use super::problem::{Fault, Problems};
use super::selector::{HostMatcher, LabelMatcher};
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
    grants: Vec<Grant>,
    /// A grant could not be understood: who may claim what here is not fully known.
    pub(crate) grants_doubted: bool,
}

/// One permission to claim.
#[derive(Clone, Debug)]
struct Grant {
    namespaces: LabelMatcher,
    hosts: Option<HostMatcher>,
}

/// The hosts of an account that a namespace may claim.
#[derive(Clone, Debug)]
pub(crate) enum Claimable {
    /// Any host.
    Any,
    /// Hosts that at least one of these selects.
    Selected(Vec<HostMatcher>),
}

impl Claimable {
    /// May this host be claimed?
    pub(crate) fn allows(&self, host: crate::inventory::Marks<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Selected(matchers) => matchers.iter().any(|matcher| matcher.selects(host)),
        }
    }
}

impl Account {
    /// Its places, one per region.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.regions.iter().map(|region| Place { account: self.id.clone(), region: region.clone() })
    }

    /// What a namespace with these labels may claim here; `None`: nothing, no grant admits it.
    pub(crate) fn claimable(&self, namespace_labels: &BTreeMap<String, String>) -> Option<Claimable> {
        let mut matchers = Vec::new();
        for grant in self.grants.iter().filter(|grant| grant.namespaces.selects(namespace_labels)) {
            match &grant.hosts {
                None => return Some(Claimable::Any),
                Some(matcher) => matchers.push(matcher.clone()),
            }
        }
        if matchers.is_empty() { None } else { Some(Claimable::Selected(matchers)) }
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
            (Ok(namespaces), Ok(hosts)) => Ok(Self { namespaces, hosts }),
            (Err(fault), Ok(_)) => Err(vec![fault]),
            (Ok(_), Err(faults)) => Err(faults),
            (Err(fault), Err(mut faults)) => {
                faults.insert(0, fault);
                Err(faults)
            }
        }
    }
}
