//! `RetirementPolicy`, parsed, and how lean an environment is kept. What cannot be understood judges nobody.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use rollcall_crds::v1alpha1 as api;

use super::desired::Kind;
use super::problem::{Fault, Problems};
use super::role::RoleBook;
use super::terms::{self, Terms};
use crate::calendar::Windows;
use crate::ids::ObjectKey;
use crate::lean::Rule;
use crate::retirement::Reach;

/// One policy; says nothing when it cannot be understood.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) key: ObjectKey,
    pub(crate) says: Option<Says>,
}

/// What a policy says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Says {
    pub(crate) rule: Arc<Rule>,
    pub(crate) terms: Arc<Terms>,
}

/// How lean an environment is kept.
#[derive(Debug)]
pub(crate) struct Lean {
    /// The policy it names; without one the default rule holds.
    pub(crate) policy: Option<ObjectKey>,
    pub(crate) rule: Arc<Rule>,
    pub(crate) terms: Arc<Terms>,
    /// When hosts may be stopped, by the clocks of its people; none where the time zone is not understood.
    pub(crate) windows: Option<Windows>,
    /// How far its hosts may go; none: they are pointed at, and no more.
    pub(crate) reach: Option<Reach>,
    /// Roles of its book whose hosts are judged; none: all hosts.
    roles: Option<Vec<u16>>,
}

impl Lean {
    /// Are owners told?
    pub(crate) fn tells(&self) -> bool {
        self.reach.is_some()
    }

    /// Are hosts that play these roles judged? Not where one of them may be idle by design, and of a role that cannot be
    /// understood that is not known.
    pub(crate) fn judges(&self, book: &RoleBook, played: &[u16]) -> bool {
        let is_meant = self.roles.as_ref().is_none_or(|roles| roles.iter().any(|role| played.contains(role)));
        let mut roles = played.iter().filter_map(|role| book.role(*role));
        is_meant && !book.doubted && roles.all(|role| !role.may_be_idle)
    }
}

/// Parses all policies. One that cannot be understood stays, so that whoever names it is told that, and not that it is missing.
pub(crate) fn parse(
    specs: &[api::RetirementPolicy],
    unreadable: impl Iterator<Item = ObjectKey>,
    problems: &mut Problems,
) -> BTreeMap<ObjectKey, Policy> {
    let mut policies: BTreeMap<ObjectKey, Policy> =
        unreadable.map(|key| (key.clone(), Policy { key, says: None })).collect();
    for spec in specs {
        let key = super::key_of(spec.metadata.namespace.as_ref(), spec.metadata.name.as_ref());
        let rule = Rule::try_from(&spec.spec.idle).map_err(|bad| {
            problems.add(Kind::RetirementPolicy, &key, Fault::new("BadRule", format!("spec.idle: {bad}")));
        });
        let terms =
            terms::parse(&spec.spec).map_err(|fault| problems.add(Kind::RetirementPolicy, &key, fault));
        let says = rule.ok().zip(terms.ok());
        let says = says.map(|(rule, terms)| Says { rule: Arc::new(rule), terms: Arc::new(terms) });
        policies.insert(key.clone(), Policy { key, says });
    }
    policies
}

/// How lean an environment is kept, if it says so and all it says can be understood.
pub(crate) fn parse_lean(
    key: &ObjectKey,
    spec: &api::EnvironmentSpec,
    zone: Option<&TimeZone>,
    book: &RoleBook,
    policies: &BTreeMap<&str, &Policy>,
    problems: &mut Problems,
) -> Option<Lean> {
    let lean = spec.lean.as_ref()?;
    let roles = lean.roles.as_ref().map(|names| roles(key, names, book, problems));
    let (policy, Says { rule, terms }) = match lean.policy.as_deref().map(|name| (name, policies.get(name))) {
        None => (None, Says::default()),
        Some((_, Some(Policy { key, says: Some(says) }))) => (Some(key.clone()), says.clone()),
        Some((name, Some(_))) => {
            let message = format!(
                "spec.lean.policy: RetirementPolicy {name:?} has a problem of its own; see its condition Ready: kubectl get rcpolicy -A"
            );
            problems.add(Kind::Environment, key, Fault::new("ReferenceNotReady", message));
            return None;
        }
        Some((name, None)) => {
            let places = "in this namespace or the library";
            let fault = Fault::not_found("spec.lean.policy", Kind::RetirementPolicy, name, places);
            problems.add(Kind::Environment, key, fault);
            return None;
        }
    };
    let (windows, holidays) = (&terms.windows, &terms.holidays);
    let windows = zone.and_then(|zone| Windows::new(zone.clone(), windows.clone(), holidays.clone()).ok());
    Some(Lean { policy, rule, terms, windows, reach: reach(lean.enforcement), roles })
}

/// How far a word lets hosts go.
pub(crate) fn reach(enforcement: api::LeanEnforcement) -> Option<Reach> {
    match enforcement {
        api::LeanEnforcement::Flag => None,
        api::LeanEnforcement::Notify => Some(Reach::Notify),
        api::LeanEnforcement::Retire => Some(Reach::Retire),
    }
}

/// The roles that exist; one that nobody describes is a fault, and the others are judged.
fn roles(key: &ObjectKey, names: &[String], book: &RoleBook, problems: &mut Problems) -> Vec<u16> {
    let mut found = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let Some(role) = book.number(name) else {
            let field = format!("spec.lean.roles[{index}]");
            let places = "in this namespace or the library";
            problems.add(Kind::Environment, key, Fault::not_found(&field, Kind::HostRole, name, places));
            continue;
        };
        found.push(role);
    }
    found
}
