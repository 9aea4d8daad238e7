//! What the inventory of each place lets us say: who is listed, and whether being not listed proves anything.
//!
//! A complete reading from which far too many remembered hosts have vanished without a word is not believed: an
//! empty answer without an error deleted whole fleets elsewhere (Argo CD #18480, Google's Diskerase). It
//! proves absence only after complete readings have agreed with it for [`FALL_BELIEVED_AFTER`]; a real mass
//! termination is seen as such, because EC2 lists terminated instances for about an hour. Recovery is
//! automatic: the first reading with the hosts back ends the doubt.

use jiff::Timestamp;

use super::Pass;
use super::in_step::InStep;
use crate::fleet::Account;
use crate::ids::{HostId, Place};
use crate::inventory::Instance;
use crate::limits::{FALL_BELIEVED_AFTER, FALL_FLOOR, FALL_PERCENT, INVENTORY_MAX_AGE};
use crate::memory::PlaceMemory;
use crate::reading::{Failure, FailureKind};

/// One place as this pass sees it.
#[derive(Debug)]
pub(super) struct PlaceView<'a> {
    pub(super) place: Place,
    pub(super) account: &'a Account,
    pub(super) memory: &'a PlaceMemory,
    /// Instances that were listed, by id, each once; whatever the extent of the reading.
    pub(super) listed: Vec<&'a Instance>,
    /// When the listing was begun, if it brought anything.
    pub(super) at: Option<Timestamp>,
    /// Who is listed is there now: the listing is not older than [`INVENTORY_MAX_AGE`].
    pub(super) is_fresh: bool,
    /// When the listing was begun, if it proves that what it lacks is not there.
    pub(super) proof: Option<Timestamp>,
    /// Why it proves nothing.
    pub(super) blind: Option<Failure>,
    /// Since when too many hosts are missing from complete readings; to be remembered.
    pub(super) fallen_since: Option<Timestamp>,
}

/// Memory of a place that has none yet.
static NEW: PlaceMemory = PlaceMemory {
    since: None,
    hosts: std::collections::BTreeMap::new(),
    tombstones: std::collections::BTreeMap::new(),
    fallen_since: None,
    findings: std::collections::BTreeMap::new(),
    unused_since: None,
};

/// Looks at every place of the fleet.
pub(super) fn look<'a>(pass: &Pass<'a>) -> Vec<PlaceView<'a>> {
    pass.fleet.places().map(|(place, account)| look_at(pass, place, account)).collect()
}

fn look_at<'a>(pass: &Pass<'a>, place: Place, account: &'a Account) -> PlaceView<'a> {
    let memory = pass.memory.places.get(&place).unwrap_or(&NEW);
    let mut view = PlaceView {
        account,
        memory,
        listed: Vec::new(),
        at: None,
        is_fresh: false,
        proof: None,
        blind: None,
        fallen_since: memory.fallen_since,
        place,
    };
    let Some(inventory) = pass.snapshot.inventories.get(&view.place) else {
        view.blind = Some(Failure::new(
            FailureKind::NotYetRead,
            format!("ec2 instances {}: not read yet", view.place),
        ));
        return view;
    };
    let reading = &inventory.instances;
    view.listed = by_id(&reading.seen);
    view.at = reading.at();
    view.is_fresh = view.at.is_some_and(|at| pass.now.duration_since(at) <= INVENTORY_MAX_AGE);
    view.blind = reading.blindness(pass.now, INVENTORY_MAX_AGE);
    if let Some(complete) = reading.complete(pass.now, INVENTORY_MAX_AGE) {
        view.proof = Some(complete.at());
        view.doubt_a_fall(complete.at());
    }
    view
}

/// Each instance once. A page that came twice is not complete, but whoever reads it may still look.
fn by_id(seen: &[Instance]) -> Vec<&Instance> {
    let mut listed: Vec<&Instance> = seen.iter().collect();
    listed
        .sort_by(|a, b| a.id.cmp(&b.id).then(b.launch_time.cmp(&a.launch_time)).then(a.state.cmp(&b.state)));
    listed.dedup_by(|later, first| later.id == first.id);
    listed
}

impl<'a> PlaceView<'a> {
    /// The instance of this id, if it was listed.
    pub(super) fn instance(&self, id: &HostId) -> Option<&'a Instance> {
        let at = self.listed.binary_search_by(|instance| instance.id.cmp(id)).ok()?;
        self.listed.get(at).copied()
    }

    /// The listed instances, for whoever asks in the order of ids.
    pub(super) fn in_step(&self) -> InStep<impl Iterator<Item = (&HostId, &'a Instance)>> {
        debug_assert!(self.listed.is_sorted_by_key(|instance| &instance.id), "a walk needs the order of ids");
        InStep::new(self.listed.iter().map(|instance| (&instance.id, *instance)))
    }

    /// How many of these ids, which ascend, are not listed?
    pub(super) fn unlisted<'i>(&self, ids: impl Iterator<Item = &'i HostId>) -> usize {
        let mut listed = self.in_step();
        ids.filter(|id| listed.get(id).is_none()).count()
    }

    /// Takes the proof away from a complete reading that lost too many hosts; see the module.
    fn doubt_a_fall(&mut self, at: Timestamp) {
        let known = self.memory.hosts.len();
        let lost = self.unlisted(self.memory.hosts.keys());
        if !is_fall(lost, known) {
            self.fallen_since = None;
            return;
        }
        let since = self.fallen_since.unwrap_or(at);
        self.fallen_since = Some(since);
        if at.duration_since(since) < FALL_BELIEVED_AFTER {
            self.proof = None;
            self.blind = Some(Failure::new(
                FailureKind::Malformed,
                format!(
                    "ec2 instances {}: {lost} of {known} hosts vanished at once and none was seen shutting down; not believed \
                 unless complete readings still say so an hour after {since}; check region, endpoint and rights",
                    self.place
                ),
            ));
        }
    }
}

/// Are so many lost that a complete reading must be doubted?
pub(super) fn is_fall(lost: usize, known: usize) -> bool {
    lost > FALL_FLOOR.max(known * FALL_PERCENT / 100)
}
