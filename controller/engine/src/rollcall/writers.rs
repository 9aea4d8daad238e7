//! Who takes the writes of each cluster, and who took them over. A writer that moves is news and nothing wrong: the
//! databases stay who they are.
//!
//! Only a cluster that does not fail over just now tells who writes. While nobody tells, the last writer is remembered,
//! also one that is gone: its deletion is one of the ways in which writes move.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::listed::Listed;
use super::scene::Scene;
use crate::ids::{ClusterId, HostId};
use crate::inventory::MemberRole;
use crate::text::clean;

/// Writes that moved.
#[derive(Debug)]
pub(super) struct Takeover {
    /// Number of the host that takes them now.
    pub(super) host: usize,
    pub(super) cluster: Arc<str>,
    pub(super) from: HostId,
}

/// The writers of all clusters, by number of the place.
pub(super) type Writers = Vec<BTreeMap<ClusterId, HostId>>;

/// Who writes now, and who took over since the last pass.
pub(super) fn look(scene: &Scene<'_, '_>) -> (Writers, Vec<Takeover>) {
    let mut told: Vec<BTreeMap<&ClusterId, Vec<usize>>> = vec![BTreeMap::new(); scene.places.len()];
    for (number, host) in scene.population.hosts.iter().enumerate().filter(|(_, host)| host.seen) {
        if let Some((cluster, MemberRole::Writer)) = host.listed.and_then(Listed::part)
            && let Some(told) = told.get_mut(host.place)
        {
            told.entry(&cluster.id).or_default().push(number);
        }
    }
    let (mut writers, mut takeovers) = (Writers::new(), Vec::new());
    for (place, told) in scene.places.iter().zip(&told) {
        let mut known = place.memory.databases.writers.clone();
        if place.clusters.proof.is_some() {
            known.retain(|id, _| place.seen_clusters.iter().any(|cluster| cluster.id == *id));
        }
        for (id, hosts) in told {
            // Where several write, nobody took over from anybody.
            let [number] = hosts.as_slice() else { continue };
            let Some(host) = scene.population.hosts.get(*number) else { continue };
            let before = known.insert((*id).clone(), host.id.clone());
            if let Some(from) = before.filter(|before| before != host.id) {
                let cluster = clean(host.listed.and_then(Listed::cluster_name).unwrap_or_default());
                takeovers.push(Takeover { host: *number, cluster, from });
            }
        }
        writers.push(known);
    }
    (writers, takeovers)
}
