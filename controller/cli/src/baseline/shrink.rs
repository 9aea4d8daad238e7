//! What the Baselines that exist need no longer list: hosts that healed, and hosts that are gone. Pure.
//!
//! Nothing is taken out because somebody could not look.

use std::path::PathBuf;

use rollcall_crds::v1alpha1::{Exemption, ExemptionType};
use rollcall_engine::finding::Code;
use rollcall_engine::ids::{HostId, ObjectKey};
use rollcall_engine::rollcall::AccountRoll;

use crate::exemption::key_of;
use crate::input::Decided;

/// A Baseline that can list less.
#[derive(Debug)]
pub struct Shrunk {
    /// Which.
    pub key: ObjectKey,
    /// The object, without the hosts that are not needed.
    pub exemption: Exemption,
    /// Hosts that stay.
    pub left: Vec<HostId>,
    /// Hosts taken out.
    pub out: Vec<HostId>,
    /// The file that holds it and nothing else; none: somebody must edit it by hand.
    pub file: Option<PathBuf>,
}

/// Every Baseline that can shrink, in order.
pub fn shrink(decided: &Decided) -> Vec<Shrunk> {
    let mut shrunk: Vec<Shrunk> = decided
        .recording
        .desired
        .exemptions
        .iter()
        .filter(|exemption| exemption.spec.type_ == ExemptionType::Baseline)
        .filter_map(|exemption| one(decided, exemption))
        .collect();
    shrunk.sort_by(|a, b| a.key.cmp(&b.key));
    shrunk
}

fn one(decided: &Decided, exemption: &Exemption) -> Option<Shrunk> {
    let key = key_of(exemption)?;
    let healed = &decided.roll.exemptions.get(&key)?.healed;
    let hosts = exemption.spec.hosts.iter().flatten().map(HostId::new);
    let (out, left): (Vec<HostId>, Vec<HostId>) =
        hosts.partition(|host| healed.contains(host) || is_gone(decided, &exemption.spec.match_.code, host));
    if out.is_empty() {
        return None;
    }
    let mut exemption = exemption.clone();
    exemption.spec.hosts = Some(left.iter().map(ToString::to_string).collect());
    exemption.status = None;
    let file = decided.exemption_files.get(&key).cloned();
    Some(Shrunk { key, exemption, left, out, file })
}

/// Is nothing left that the finding could be about: neither the host nor, for a ghost, a registration of it?
fn is_gone(decided: &Decided, code: &str, host: &HostId) -> bool {
    // Whom a recording was cut away from is not gone, and one look alone proves nobody gone.
    if decided.recording.cut_to.is_some() || decided.recording.memory.places.is_empty() {
        return false;
    }
    let roll = &decided.roll;
    let is_blind = |account: &AccountRoll| {
        let blind = if host.is_database() { &account.databases_blind } else { &account.blind };
        !blind.is_empty()
    };
    let sees_hosts = !roll.accounts.is_empty() && !roll.accounts.values().any(is_blind);
    let sees_registrations = roll.systems.values().all(|system| system.blind.is_empty());
    let is_registered =
        decided.remembered.systems.values().any(|system| system.registrations.contains_key(host));
    let is_ghost = Code::parse(code) == Some(Code::Ghost);
    sees_hosts && !roll.hosts.contains_key(host) && (!is_ghost || sees_registrations && !is_registered)
}
