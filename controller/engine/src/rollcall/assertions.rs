//! Is it as a check asserts? A host, or something that belongs to an environment, against what AWS lists of it.
//!
//! What is proved to be otherwise fails, whatever else nobody can tell. What is in transition, or read too long ago, or was
//! not read, is unknown. That something does not exist is said only of complete listings of all places of the environment.

mod databases;
mod hanging;
mod networks;

use std::collections::BTreeSet;

use super::places::PlaceView;
use super::reasons::{NOT_JUDGED, Reasons};
use super::scene::Scene;
use super::{Coverage, Pass};
use crate::fleet::{AssertedNames, AssertedTags, Environment, InstanceWish, Wish};
use crate::ids::{HostId, Place};
use crate::inventory::{Instance, Inventory, Tags};
use crate::limits::{ASSERTED_MAX_AGE, PROTECTION_MAX_AGE};
use crate::reading::{Failure, FailureKind, Reading};
use crate::rollcall::listed::Listed;
use crate::text::{clean, few};

/// What came of one assertion.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// What is proved to be otherwise: `parameter group: expected a, found b`.
    failed: Vec<String>,
    /// Why something cannot be told.
    unknown: Option<Failure>,
}

impl Verdict {
    /// Notes what is otherwise.
    fn fail(&mut self, what: impl Into<String>) {
        self.failed.push(what.into());
    }

    /// Notes what cannot be told.
    fn doubt(&mut self, kind: FailureKind, why: impl AsRef<str>) {
        self.unknown.get_or_insert_with(|| Failure::new(kind, why));
    }

    fn doubt_as(&mut self, why: Failure) {
        self.unknown.get_or_insert(why);
    }

    /// Notes a value that must be another.
    fn is(&mut self, what: &str, wanted: &str, found: Option<&str>) {
        if found != Some(wanted) {
            let found = found.map_or_else(|| "none".into(), clean);
            self.fail(format!("{what}: expected {}, found {found}", clean(wanted)));
        }
    }

    /// Notes names that must be there, or must be all.
    fn has(
        &mut self,
        what: &str,
        wanted: &AssertedNames,
        found: &BTreeSet<&str>,
        is_one: impl Fn(&str, &str) -> bool,
    ) {
        let missing = wanted.names.iter().filter(|name| !found.iter().any(|found| is_one(name, found)));
        let missing: Vec<String> = missing.map(|name| clean(name).to_string()).collect();
        if !missing.is_empty() {
            let found = in_words(found.iter().copied());
            self.fail(format!("{what}: expected {}, found {found}", few(&missing, missing.len(), 5)));
        }
        let extra = found.iter().filter(|found| !wanted.names.iter().any(|name| is_one(name, found)));
        let extra: Vec<String> = extra.map(|name| clean(name).to_string()).collect();
        if wanted.is_exact && !extra.is_empty() {
            self.fail(format!("{what}: expected no others, found {}", few(&extra, extra.len(), 5)));
        }
    }

    /// Notes tags that must be there.
    fn tagged(&mut self, wanted: &AssertedTags, found: &Tags) {
        for (key, value) in wanted {
            match (value, found.get(key)) {
                (Some(value), found) if found != Some(value) => {
                    self.is(&format!("tag {}", clean(key)), value, found);
                }
                (None, None) => self.fail(format!("tag {}: expected any value, found none", clean(key))),
                _ => {}
            }
        }
    }

    /// The row, and what failed in one line.
    pub(super) fn decide(self, reasons: &mut Reasons) -> Result<Coverage, String> {
        match (self.failed.as_slice(), self.unknown) {
            ([], None) => Ok(Coverage::Covered),
            ([], Some(why)) => Ok(Coverage::Unknown(reasons.number(&why))),
            (failed, _) => Err(few(failed, failed.len(), 5)),
        }
    }
}

/// Judges an assertion about a host that runs. `place`: where it is listed.
pub(super) fn of_host(
    pass: &Pass<'_>,
    wish: &Wish,
    listed: Listed<'_>,
    place: &Place,
    reasons: &mut Reasons,
) -> Result<Coverage, String> {
    let Some(inventory) = inventory(pass, place) else { return Ok(Coverage::Unknown(NOT_JUDGED)) };
    let mut verdict = Verdict::default();
    match (wish, listed) {
        (Wish::Instance(wish), Listed::Instance(instance)) => {
            of_instance(pass, wish, instance, inventory, &mut verdict);
        }
        (Wish::Database(wish), Listed::Database(database, _)) => {
            databases::of_database(pass, wish, database, inventory, &mut verdict);
        }
        // A check about instances applies to no database.
        _ => return Ok(Coverage::Unknown(NOT_JUDGED)),
    }
    verdict.decide(reasons)
}

/// Judges an assertion about something of an environment.
pub(super) fn of_environment(
    scene: &Scene<'_, '_>,
    number: usize,
    environment: &Environment,
    wish: &Wish,
    reasons: &mut Reasons,
) -> Result<Coverage, String> {
    let mut verdict = Verdict::default();
    let all = Everywhere::of(scene, environment);
    match wish {
        Wish::Address(name, attached) => {
            hanging::of_address(scene, number, name, attached, &all, &mut verdict);
        }
        Wish::Volume(name, attached) => hanging::of_volume(scene, number, name, attached, &all, &mut verdict),
        Wish::SecurityGroup(wish) => networks::of_security_group(wish, &all, &mut verdict),
        Wish::SubnetGroup(wish) => networks::of_subnet_group(wish, &all, &mut verdict),
        Wish::Cluster(wish) => databases::of_cluster(scene.pass, wish, &all, &mut verdict),
        Wish::Instance(_) | Wish::Database(_) => return Ok(Coverage::Unknown(NOT_JUDGED)),
    }
    verdict.decide(reasons)
}

/// Types, network, profile, tags and protection of an instance.
fn of_instance(
    pass: &Pass<'_>,
    wish: &InstanceWish,
    instance: &Instance,
    inventory: &Inventory,
    verdict: &mut Verdict,
) {
    let InstanceWish { types, groups, profile, subnets, vpc, tags, is_protected } = wish;
    if !types.is_empty() && !types.iter().any(|wanted| wanted.is(&instance.instance_type)) {
        let wanted: Vec<&str> = types.iter().map(crate::fleet::Pattern::as_str).collect();
        verdict.is("type", &wanted.join(" or "), Some(&instance.instance_type));
    }
    if let Some(groups) = groups {
        // An instance is always in one: a listing without any is from before they were read.
        if instance.security_groups.is_empty() {
            verdict.doubt(FailureKind::NotYetRead, "the security groups of the instance were not read");
        } else {
            let found = instance.security_groups.iter().map(|group| &*group.name).collect();
            let is_one = |wanted: &str, found: &str| {
                let mut named = instance.security_groups.iter().filter(|group| *group.name == *found);
                wanted == found || named.any(|group| *group.id == *wanted)
            };
            verdict.has("security groups", groups, &found, is_one);
        }
    }
    if let Some(profile) = profile {
        verdict.is("instance profile", profile, instance.profile.as_deref());
    }
    if !subnets.is_empty() {
        match instance.subnet.as_deref() {
            None => verdict.doubt(FailureKind::NotYetRead, "the subnet of the instance was not read"),
            Some(found) if !subnets.iter().any(|wanted| wanted == found) => {
                verdict.is("subnet", &subnets.join(" or "), Some(found));
            }
            Some(_) => {}
        }
    }
    if let Some(vpc) = vpc {
        verdict.is("VPC", vpc, instance.vpc.as_deref());
    }
    verdict.tagged(tags, &instance.tags);
    if let Some(wanted) = is_protected {
        protection(pass, *wanted, &instance.id, inventory, verdict);
    }
}

fn protection(pass: &Pass<'_>, wanted: bool, id: &HostId, inventory: &Inventory, verdict: &mut Verdict) {
    let Some(reading) = inventory.protections.get(id) else {
        return verdict.doubt(FailureKind::NotYetRead, "its termination protection was not read yet");
    };
    match reading.complete(pass.now, PROTECTION_MAX_AGE).map(|complete| *complete.all()) {
        Some(Some(found)) if found != wanted => {
            let word = |on| if on { "enabled" } else { "disabled" };
            verdict.is("termination protection", word(wanted), Some(word(found)));
        }
        Some(Some(_)) => {}
        Some(None) => verdict.doubt(FailureKind::NotYetRead, "its termination protection was not told"),
        None => doubt_reading(pass, reading, PROTECTION_MAX_AGE, verdict),
    }
}

fn doubt_reading<T>(
    pass: &Pass<'_>,
    reading: &Reading<T>,
    max_age: jiff::SignedDuration,
    verdict: &mut Verdict,
) {
    if let Some(why) = reading.blindness(pass.now, max_age) {
        verdict.doubt_as(why);
    }
}

fn inventory<'a>(pass: &Pass<'a>, place: &Place) -> Option<&'a Inventory> {
    pass.snapshot.inventories.get(place).map(|inventory| &**inventory)
}

/// Everything that AWS lists in the places of an environment.
struct Everywhere<'s, 'a> {
    views: Vec<&'s PlaceView<'a>>,
    /// What was read of each of them, as far as anything was.
    inventories: Vec<(&'s PlaceView<'a>, &'a Inventory)>,
    /// Some place was never read, or cannot be resolved: there may be more.
    has_gaps: bool,
    now: jiff::Timestamp,
}

/// What a look for one thing by its name came to.
enum Sought<T> {
    /// It is the one.
    One(T),
    /// Nothing of this name is there.
    Nothing,
    /// So many have the name.
    Several(usize),
    /// Nobody can tell whether it is there.
    Unknown(Failure),
}

impl<'s, 'a> Everywhere<'s, 'a> {
    fn of(scene: &Scene<'s, 'a>, environment: &Environment) -> Self {
        let places: BTreeSet<Place> = environment.places().collect();
        let views: Vec<_> = scene.places.iter().filter(|view| places.contains(&view.place)).collect();
        let read = |view: &&'s PlaceView<'a>| Some((*view, inventory(scene.pass, &view.place)?));
        let inventories: Vec<_> = views.iter().filter_map(read).collect();
        let has_gaps = environment.is_partial || inventories.len() < places.len();
        Self { views, inventories, has_gaps, now: scene.pass.now }
    }

    /// Looks for the one thing of a listing that is meant. What is seen recently is there; that nothing is takes whole
    /// listings of all places, and none of them empty where it may not be: what was lost can look like that.
    fn seek<T>(
        &self,
        what: &str,
        listing: impl Fn(&'a Inventory) -> &'a Reading<Vec<T>>,
        may_be_empty: bool,
        is_it: impl Fn(&T) -> bool,
    ) -> Sought<(&'a Inventory, &'a T)> {
        let mut found = Vec::new();
        let mut blind = None;
        let mut lost = None;
        for (_, inventory) in &self.inventories {
            let reading = listing(inventory);
            if let Some(why) = reading.blindness(self.now, ASSERTED_MAX_AGE) {
                blind = blind.or(Some(why));
            } else if reading.seen.is_empty() && !may_be_empty {
                // An answer that was lost can look like an empty list.
                let message =
                    format!("no {what} is listed at all in {}, where there must be one", inventory.place);
                lost = lost.or(Some(Failure::new(FailureKind::Malformed, message)));
            }
            let is_recent = reading.at().is_some_and(|at| self.now.duration_since(at) <= ASSERTED_MAX_AGE);
            let seen = reading.seen.iter().filter(|_| is_recent).filter(|one| is_it(one));
            found.extend(seen.map(|one| (*inventory, one)));
        }
        match (found.len(), blind) {
            (2.., _) => Sought::Several(found.len()),
            // Another one of this name may be hidden.
            (_, Some(why)) => Sought::Unknown(why),
            (_, None) if self.has_gaps => Sought::Unknown(Failure::new(
                FailureKind::NotYetRead,
                format!("not every place where the {what} may be was read"),
            )),
            (_, None) => match (found.pop(), lost) {
                (Some(one), _) => Sought::One(one),
                (None, Some(why)) => Sought::Unknown(why),
                (None, None) => Sought::Nothing,
            },
        }
    }
}

/// Notes that a thing is not the one that is meant, or gives it.
fn the_one<T>(what: &str, name: &str, sought: Sought<T>, verdict: &mut Verdict) -> Option<T> {
    match sought {
        Sought::One(one) => return Some(one),
        Sought::Nothing => verdict.fail(format!("expected the {what} {}, found none", clean(name))),
        Sought::Several(many) => {
            verdict.fail(format!("expected one {what} called {}, found {many}", clean(name)));
        }
        Sought::Unknown(why) => verdict.doubt_as(why),
    }
    None
}

/// Some names, or that there are none.
fn in_words<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|name| clean(name).to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { few(&names, names.len(), 5) }
}
