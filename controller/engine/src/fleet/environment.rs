//! `Environment`, parsed: which hosts it claims, how they get their roles, what is required of them.
//!
//! What is certain is kept: an account that cannot be resolved leaves a *partial* environment, whose counts prove
//! nothing. Only when the selection itself cannot be understood is the whole environment left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use rollcall_crds::v1alpha1 as api;

use super::account::{Account, Claimable};
use super::channel::Channel;
use super::desired::Kind;
use super::ledger::Entry;
use super::policy::Lean;
use super::problem::{Fault, Problems};
use super::role::RoleBook;
use super::selector::HostMatcher;
use crate::ids::{AccountId, AccountName, ObjectKey, Place, Region};
use crate::inventory::Marks;
use crate::retirement::Reach;

/// One environment that can be judged.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is another thing that is not known of it")]
pub(crate) struct Environment {
    pub(crate) key: ObjectKey,
    pub(crate) claims: Vec<Claim>,
    pub(crate) selector: HostMatcher,
    pub(crate) has_owner: bool,
    pub(crate) settle: SignedDuration,
    pub(crate) role_tag: Option<RoleTag>,
    pub(crate) counts: Vec<RoleCount>,
    /// The roles its namespace sees.
    pub(crate) book: Arc<RoleBook>,
    /// What is required, in the order in which people see it.
    pub(crate) ledger: Vec<Entry>,
    /// The Mackerel service of its roles, by number of the system.
    pub(crate) services: BTreeMap<usize, Arc<str>>,
    /// Numbers of all systems it needs, sorted.
    pub(crate) systems: Vec<usize>,
    /// Whether unused hosts are looked for, and how.
    pub(crate) lean: Option<Lean>,
    /// It asks for that, and cannot be understood there.
    pub(crate) lean_doubted: bool,
    /// Where its people are told.
    pub(crate) channels: Vec<Arc<Channel>>,
    /// By whose clocks on the wall its people live.
    pub(crate) zone: TimeZone,
    /// Names it sees that hide one of the library.
    pub(crate) shadowing: Vec<(Kind, ObjectKey)>,
    /// Some account or region it names could not be resolved: there may be more hosts than we see.
    pub(crate) is_partial: bool,
    /// A check it may see could not be understood: what nobody seems to require may be required.
    pub(crate) requirements_doubted: bool,
}

/// What it may claim in one account.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) account_id: AccountId,
    pub(crate) regions: Vec<Region>,
    pub(crate) hosts: Claimable,
}

/// The tag that lists role names.
#[derive(Debug)]
pub(crate) struct RoleTag {
    pub(crate) key: Box<str>,
    separator: Option<Box<str>>,
}

/// Wanted numbers of one role.
#[derive(Debug)]
pub(crate) struct RoleCount {
    pub(crate) role: u16,
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
}

impl Environment {
    /// Does it claim this host of this claim's account and regions?
    pub(crate) fn claims(&self, claim: &Claim, host: Marks<'_>) -> bool {
        self.selector.selects(host) && claim.hosts.allows(host)
    }

    /// How far the grants and identities of this account let the host go, as far as it is claimed there.
    pub(crate) fn reach_in(&self, account: &AccountId, host: Marks<'_>) -> Option<Reach> {
        let claims =
            self.claims.iter().filter(|claim| claim.account_id == *account && self.claims(claim, host));
        claims.filter_map(|claim| claim.hosts.reach(host)).max()
    }

    /// Does it claim this host of this account, by any of its claims there?
    pub(crate) fn claims_in(&self, account: &AccountId, host: Marks<'_>) -> bool {
        self.claims.iter().any(|claim| claim.account_id == *account && self.claims(claim, host))
    }

    /// The roles of a host by its tag and by selectors, and the names in its tag that no role has.
    pub(crate) fn roles_of<'h>(&self, host: Marks<'h>) -> (Vec<u16>, Vec<&'h str>) {
        let (mut played, mut unknown) = (Vec::new(), Vec::new());
        if let Some(tag) = &self.role_tag {
            for name in tag.names(host.tags.get(&tag.key).unwrap_or_default()) {
                match self.book.number(name) {
                    Some(role) => self.book.play(role, &mut played),
                    None => unknown.push(name),
                }
            }
        }
        self.book.play_selected(host, &mut played);
        (played, unknown)
    }

    /// The places in which it may claim hosts.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        self.claims.iter().flat_map(|claim| {
            claim.regions.iter().map(|r| Place { account: claim.account_id.clone(), region: r.clone() })
        })
    }
}

impl RoleTag {
    /// The role names in a tag's value; white space and empty parts are ignored.
    fn names<'a>(&self, value: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        let parts = match &self.separator {
            Some(separator) => value.split(&**separator).collect::<Vec<_>>(),
            None => vec![value],
        };
        parts.into_iter().map(str::trim).filter(|name| !name.is_empty())
    }
}

/// Everything about a spec that does not need the other kinds, plus its accounts.
pub(crate) struct Parsed {
    pub(crate) claims: Vec<Claim>,
    /// `None`: the selection cannot be understood, the environment must be left out.
    pub(crate) selector: Option<HostMatcher>,
    pub(crate) is_partial: bool,
}

/// Resolves accounts and selector. Every fault is told.
pub(crate) fn parse_selection(
    key: &ObjectKey,
    spec: &api::EnvironmentSpec,
    labels: &BTreeMap<String, String>,
    accounts: &BTreeMap<AccountName, Account>,
    is_known: impl Fn(&str) -> bool,
    problems: &mut Problems,
) -> Parsed {
    let mut claims = Vec::new();
    let mut is_partial = false;
    for (index, wanted) in spec.accounts.iter().enumerate() {
        let field = format!("spec.accounts[{index}]");
        let (claim, faults) = resolve(wanted, &field, &key.namespace, labels, accounts, &is_known);
        is_partial |= claim.is_none() || !faults.is_empty();
        claims.extend(claim);
        for fault in faults {
            problems.add(Kind::Environment, key, fault);
        }
    }
    if spec.accounts.is_empty() {
        problems.add(Kind::Environment, key, Fault::empty_selector("spec.accounts"));
    }
    let selector = HostMatcher::parse(&spec.selector, "spec.selector").map_err(|faults| {
        for fault in faults {
            problems.add(Kind::Environment, key, fault);
        }
    });
    Parsed { claims, selector: selector.ok(), is_partial }
}

/// One account of an environment: what may be claimed there, and what is wrong with the wish.
fn resolve(
    wanted: &api::EnvironmentAccount,
    field: &str,
    namespace: &str,
    labels: &BTreeMap<String, String>,
    accounts: &BTreeMap<AccountName, Account>,
    is_known: impl Fn(&str) -> bool,
) -> (Option<Claim>, Vec<Fault>) {
    let Some(account) = accounts.get(&AccountName::new(&wanted.name)) else {
        let fault = if is_known(&wanted.name) {
            Fault::new(
                "ReferenceNotReady",
                format!(
                    "{field}.name: CloudAccount {:?} has a problem of its own; see its condition Ready: kubectl get rcacct",
                    wanted.name
                ),
            )
        } else {
            Fault::new(
                "ReferenceNotFound",
                format!(
                    "{field}.name: expected the name of a CloudAccount, found {:?}; ask the platform admin for its name",
                    wanted.name
                ),
            )
        };
        return (None, vec![fault]);
    };
    let Some(hosts) = account.claimable(labels) else {
        return (
            None,
            vec![Fault::new(
                "NotGranted",
                format!(
                    "{field}.name: CloudAccount {} does not let namespace {namespace:?} claim hosts: {}; label the namespace so, or ask the platform admin for a grant",
                    account.name,
                    account.grants_in_words()
                ),
            )],
        );
    };
    let mut faults = Vec::new();
    let mut regions = account.regions.clone();
    if let Some(only) = &wanted.regions {
        for region in only.iter().filter(|region| !regions.iter().any(|r| r.as_str() == **region)) {
            let listed: Vec<&str> = regions.iter().map(Region::as_str).collect();
            faults.push(Fault::new("RegionNotListed", format!(
                "{field}.regions: expected regions of CloudAccount {} ({}), found {region:?}; a region it does not list is never read",
                account.name, listed.join(", ")
            )));
        }
        regions.retain(|region| only.iter().any(|r| r == region.as_str()));
    }
    let claim = Claim { account_id: account.id.clone(), regions, hosts };
    (Some(claim), faults)
}

/// Where its hosts' role names come from.
pub(crate) fn parse_role_tag(spec: &api::EnvironmentSpec) -> Option<RoleTag> {
    let tag = spec.roles.as_ref()?.from_tag.as_ref()?;
    let separator = tag.separator.as_deref().filter(|separator| !separator.is_empty());
    Some(RoleTag { key: tag.key.as_str().into(), separator: separator.map(Into::into) })
}

/// Wanted numbers by role; a role that nobody describes is a fault.
pub(crate) fn parse_counts(
    key: &ObjectKey,
    spec: &api::EnvironmentSpec,
    book: &RoleBook,
    problems: &mut Problems,
) -> Vec<RoleCount> {
    let mut counts = Vec::new();
    for (index, count) in spec.roles.iter().flat_map(|roles| &roles.counts).enumerate() {
        let Some(role) = book.number(&count.role) else {
            let field = format!("spec.roles.counts[{index}].role");
            let fault =
                Fault::not_found(&field, Kind::HostRole, &count.role, "in this namespace or the library");
            problems.add(Kind::Environment, key, fault);
            continue;
        };
        let natural = |number: i32| u32::try_from(number.max(0)).unwrap_or_default();
        counts.push(RoleCount { role, min: natural(count.min), max: count.max.map(natural) });
    }
    counts
}

/// The time zone, from the bundled database: the same answer on every machine. UTC when none is named, or none of that name
/// exists.
pub(crate) fn time_zone(
    key: &ObjectKey,
    spec: &api::EnvironmentSpec,
    problems: &mut Problems,
) -> Option<TimeZone> {
    let Some(zone) = &spec.time_zone else { return Some(TimeZone::UTC) };
    let known = TimeZoneDatabase::bundled().get(zone).ok();
    if known.is_none() {
        problems.add(
            Kind::Environment,
            key,
            Fault::new(
                "BadTimeZone",
                format!("spec.timeZone: expected an IANA time zone such as Asia/Tokyo, found {zone:?}"),
            ),
        );
    }
    known
}
