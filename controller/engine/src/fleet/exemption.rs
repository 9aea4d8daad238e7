//! `Exemption`, parsed. One that cannot be understood exempts nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use rollcall_crds::v1alpha1 as api;

use super::check::{parse_date, start_of_day};
use super::desired::Kind;
use super::problem::{Fault, Problems};
use crate::finding::Code;
use crate::ids::{HostId, ObjectKey};

/// One exemption.
#[derive(Debug)]
pub(crate) struct Exemption {
    pub(crate) key: ObjectKey,
    pub(crate) is_baseline: bool,
    pub(crate) code: Code,
    pub(crate) check: Option<Arc<str>>,
    pub(crate) role: Option<Arc<str>>,
    pub(crate) system: Option<Arc<str>>,
    /// Hosts it is for; none: all that fit.
    pub(crate) hosts: Option<BTreeSet<HostId>>,
    /// The first moment at which it no longer holds.
    pub(crate) ends: Timestamp,
}

impl Exemption {
    /// Is it for this host, as far as it lists any?
    pub(crate) fn is_for(&self, host: &HostId) -> bool {
        self.hosts.as_ref().is_none_or(|hosts| hosts.contains(host))
    }
}

/// Parses all exemptions.
pub(crate) fn parse(specs: &[api::Exemption], problems: &mut Problems) -> BTreeMap<ObjectKey, Exemption> {
    let mut exemptions = BTreeMap::new();
    for spec in specs {
        let key = super::key_of(spec.metadata.namespace.as_ref(), spec.metadata.name.as_ref());
        match parse_one(key.clone(), &spec.spec) {
            Ok(exemption) => {
                exemptions.insert(key, exemption);
            }
            Err(faults) => {
                for fault in faults {
                    problems.add(Kind::Exemption, &key, fault);
                }
            }
        }
    }
    exemptions
}

fn parse_one(key: ObjectKey, spec: &api::ExemptionSpec) -> Result<Exemption, Vec<Fault>> {
    let mut faults = Vec::new();
    let code = Code::parse(&spec.match_.code);
    if code.is_none() {
        faults.push(Fault::new(
            "UnknownCode",
            format!(
                "spec.match.code: expected the code of a finding, found {:?}; `rollcall explain` lists them",
                spec.match_.code
            ),
        ));
    }
    let is_baseline = spec.type_ == api::ExemptionType::Baseline;
    if is_baseline && spec.hosts.as_ref().is_none_or(Vec::is_empty) {
        faults.push(Fault::new("BaselineWithoutHosts", "spec.hosts: expected the hosts whose findings are frozen, found none; a Baseline must be able to shrink"));
    }
    let ends = parse_date(&spec.expires, "spec.expires")
        .map_err(|fault| faults.push(fault))
        .ok()
        .map(|last| last.tomorrow().ok().and_then(start_of_day).unwrap_or(Timestamp::MAX));
    match (code, ends) {
        (Some(code), Some(ends)) if faults.is_empty() => Ok(Exemption {
            key,
            is_baseline,
            code,
            check: spec.match_.check.as_deref().map(Arc::from),
            role: spec.match_.role.as_deref().map(Arc::from),
            system: spec.match_.system.as_deref().map(Arc::from),
            hosts: spec.hosts.as_ref().map(|hosts| hosts.iter().map(HostId::new).collect()),
            ends,
        }),
        _ => Err(faults),
    }
}
