//! Whose host is it? Environments claim by account, region, selector and grant; two claims are a contest, and
//! none is a finding only where everybody who could claim was understood.

use std::collections::BTreeMap;

use super::Pass;
use super::places::PlaceView;
use super::population::HostView;
use crate::fleet::{Claim, Environment};
use crate::ids::{ObjectKey, Place};

/// Who claims a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claimed {
    /// Exactly one environment, by number.
    By(usize),
    /// Several, by number: neither may do anything about it.
    Contested(Vec<usize>),
    /// Nobody.
    Nobody,
    /// Nobody whom we understand; somebody else may. Perhaps it was this environment's when last we knew.
    Doubted(Option<ObjectKey>),
}

/// The claims on every host, in the order of `hosts`.
pub(super) fn settle(pass: &Pass<'_>, places: &[PlaceView<'_>], hosts: &[HostView<'_>]) -> Vec<Claimed> {
    let claimants = claimants(pass, places);
    let nobody = Vec::new();
    hosts.iter().map(|host| claim(pass, places, claimants.get(host.place).unwrap_or(&nobody), host)).collect()
}

/// For each place, the environments that may claim hosts there.
fn claimants<'a>(pass: &Pass<'a>, places: &[PlaceView<'_>]) -> Vec<Vec<(usize, &'a Environment, &'a Claim)>> {
    let mut by_place: BTreeMap<Place, Vec<(usize, &Environment, &Claim)>> = BTreeMap::new();
    for (number, environment) in pass.fleet.environments.iter().enumerate() {
        for claim in &environment.claims {
            for region in &claim.regions {
                let place = Place { account: claim.account_id.clone(), region: region.clone() };
                by_place.entry(place).or_default().push((number, environment, claim));
            }
        }
    }
    places.iter().map(|view| by_place.remove(&view.place).unwrap_or_default()).collect()
}

fn claim(
    pass: &Pass<'_>,
    places: &[PlaceView<'_>],
    claimants: &[(usize, &Environment, &Claim)],
    host: &HostView<'_>,
) -> Claimed {
    let Some(listed) = host.listed else { return remembered(pass, host) };
    let mut claims: Vec<usize> = claimants
        .iter()
        .filter(|(_, environment, claim)| environment.claims(claim, listed.marks()))
        .map(|(number, ..)| *number)
        .collect();
    claims.dedup();
    match claims.as_slice() {
        [one] => Claimed::By(*one),
        [] if is_doubted(pass, places, host) => Claimed::Doubted(left_out(pass, host)),
        [] => Claimed::Nobody,
        _ => Claimed::Contested(claims),
    }
}

/// A host that is not listed belongs to whom it belonged.
fn remembered(pass: &Pass<'_>, host: &HostView<'_>) -> Claimed {
    let Some(key) = host.memory.and_then(|memory| memory.environment.as_ref()) else {
        return Claimed::Doubted(None);
    };
    match pass.fleet.environments.binary_search_by(|environment| environment.key.cmp(key)) {
        Ok(number) => Claimed::By(number),
        Err(_) => Claimed::Doubted(Some(key.clone())),
    }
}

fn is_doubted(pass: &Pass<'_>, places: &[PlaceView<'_>], host: &HostView<'_>) -> bool {
    places.get(host.place).is_some_and(|place| pass.fleet.claims_doubted.contains(&place.place.account))
}

/// The environment that last claimed a host, if it is one that cannot be judged now.
fn left_out(pass: &Pass<'_>, host: &HostView<'_>) -> Option<ObjectKey> {
    let key = host.memory?.environment.as_ref()?;
    pass.fleet.environment(key).is_none().then(|| key.clone())
}
