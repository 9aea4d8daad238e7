//! Who accepted what. An exemption speaks only in its own namespace, and only until its last day. A baseline only
//! shrinks: a host whose finding is proved gone once is *healed*, and never covered again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{ExemptionRoll, Pass};
use crate::finding::{Code, Excuse, Finding};
use crate::fleet::Exemption;
use crate::ids::{HostId, ObjectKey};

/// The exemptions of one pass, and what they covered in it.
#[derive(Debug)]
pub(super) struct Exemptions<'a> {
    by_code: HashMap<(&'a str, Code), Vec<&'a Exemption>>,
    pub(super) rolls: BTreeMap<ObjectKey, ExemptionRoll>,
    /// By baseline: hosts that still have the finding it is about.
    afflicted: HashMap<&'a ObjectKey, BTreeSet<HostId>>,
}

/// What a finding is about, beyond what it says of itself.
#[derive(Clone, Copy)]
pub(super) struct About<'f> {
    /// The namespace in which it is accepted, if anybody can accept it.
    pub(super) namespace: &'f str,
    pub(super) host: Option<&'f HostId>,
    /// Does the host play this role?
    pub(super) plays: &'f dyn Fn(&str) -> bool,
}

impl<'a> Exemptions<'a> {
    pub(super) fn new(pass: &Pass<'a>) -> Self {
        let mut by_code: HashMap<(&str, Code), Vec<&Exemption>> = HashMap::new();
        let mut rolls = BTreeMap::new();
        for exemption in pass.fleet.exemptions.values() {
            let healed = pass.memory.healed.get(&exemption.key).cloned().unwrap_or_default();
            let expired = pass.now >= exemption.ends;
            rolls.insert(exemption.key.clone(), ExemptionRoll { remaining: 0, healed, expired });
            by_code.entry((&exemption.key.namespace, exemption.code)).or_default().push(exemption);
        }
        // A decision comes before frozen debt.
        for list in by_code.values_mut() {
            list.sort_by_key(|exemption| exemption.is_baseline);
        }
        Self { by_code, rolls, afflicted: HashMap::new() }
    }

    /// Excuses a finding if somebody accepted it.
    pub(super) fn excuse(&mut self, finding: &mut Finding, about: About<'_>) {
        let Some(list) = self.by_code.get(&(about.namespace, finding.code)) else { return };
        for exemption in list {
            if !fits(exemption, finding, about) {
                continue;
            }
            if let (true, Some(host)) = (exemption.is_baseline, about.host) {
                self.afflicted.entry(&exemption.key).or_default().insert(host.clone());
            }
            let Some(roll) = self.rolls.get_mut(&exemption.key) else { continue };
            let is_healed = about.host.is_some_and(|host| roll.healed.contains(host));
            if roll.expired || is_healed || !finding.excuse.is_none() {
                continue;
            }
            roll.remaining += 1;
            let key = exemption.key.clone();
            finding.excuse = if exemption.is_baseline { Excuse::Baseline(key) } else { Excuse::Exempt(key) };
        }
    }

    /// Heals the hosts of baselines whose finding is proved gone. `proved` says whether a host of this
    /// namespace was judged so completely that a finding which was not found is not there.
    pub(super) fn heal(&mut self, pass: &Pass<'a>, mut proved: impl FnMut(&Exemption, &HostId) -> bool) {
        for exemption in pass.fleet.exemptions.values().filter(|exemption| exemption.is_baseline) {
            let Some(roll) = self.rolls.get_mut(&exemption.key) else { continue };
            let afflicted = self.afflicted.get(&exemption.key);
            for host in exemption.hosts.iter().flatten() {
                let has_it = afflicted.is_some_and(|hosts| hosts.contains(host));
                if !has_it && !roll.healed.contains(host) && proved(exemption, host) {
                    roll.healed.insert(host.clone());
                }
            }
        }
    }
}

/// Does the exemption speak of this finding? Every part it names must fit.
fn fits(exemption: &Exemption, finding: &Finding, about: About<'_>) -> bool {
    let named = |wanted: &Option<std::sync::Arc<str>>, found: Option<&str>| {
        wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
    };
    let role_fits = exemption.role.as_deref().is_none_or(|role| {
        (about.plays)(role)
            || finding.role.as_ref().is_some_and(|found| about.host.is_none() && found.as_str() == role)
    });
    let host_fits = exemption.hosts.is_none() || about.host.is_some_and(|host| exemption.is_for(host));
    named(&exemption.check, finding.check.as_ref().map(|key| &*key.name))
        && named(&exemption.system, finding.system.as_ref().map(|key| &*key.name))
        && role_fits
        && host_fits
}
