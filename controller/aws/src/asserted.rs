//! What assertions ask beyond the listings of hosts: two more listings, and single groups and instances.
//!
//! Single questions are where calls could run away, so each has its bound: a parameter group is one call when RDS knows all
//! parameters that are asked for, and is kept; an instance is asked once a day, few in one go. One that fails must never
//! keep others from being asked, and what was not asked yet must never look as if it had been.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rollcall_engine::ids::{HostId, Region};
use rollcall_engine::inventory::{
    Asked, Asserted, Inventory, ParameterGroup, ParameterGroupKind, ParameterGroupName, ParameterScope,
    SecurityGroup, SubnetGroup,
};
use rollcall_engine::reading::{Extent, Failure, FailureKind, Gap, Reading};
use tokio::time::{Instant, timeout};

use crate::account::Account;
use crate::described::Described;
use crate::ec2::ProtectionOf;
use crate::rds::{ParametersOf, Told, Which};

/// Names of parameters that are asked for one by one; a group that is asked for more is listed whole, in as many pages.
const MAX_NAMES: usize = 100;

impl Account {
    /// All security groups of a region, with their rules.
    pub async fn read_security_groups(&self, region: &Region, now: Timestamp) -> Reading<Vec<SecurityGroup>> {
        self.read(region, now).await
    }

    /// All DB subnet groups of a region.
    pub async fn read_subnet_groups(&self, region: &Region, now: Timestamp) -> Reading<Vec<SubnetGroup>> {
        self.read(region, now).await
    }

    /// These parameters of a group: by name in one call, and the whole group when it lacks one of them, or when RDS does not
    /// take names. No name at all asks only whether there is such a group. A group that does not exist is a complete answer.
    pub async fn read_parameters(
        &self,
        region: &Region,
        group: &ParameterGroupName,
        names: &BTreeSet<String>,
        now: Timestamp,
    ) -> Reading<ParameterGroup> {
        let which = match names.len() {
            0 => Which::Set,
            1..=MAX_NAMES => Which::Named(names),
            _ => return self.parameters(region, group, Which::All, now).await,
        };
        let few = self.parameters(region, group, which, now).await;
        let is_enough = match &few.extent {
            Extent::Complete { .. } => few.seen.answers(names),
            Extent::Partial { .. } => true,
            Extent::Failed { why, .. } => {
                !matches!(why.kind, FailureKind::SourceError | FailureKind::NotSupported)
            }
        };
        if is_enough {
            return few;
        }
        // That a name is not in the answer may be the filter's doing; only the whole group proves it.
        let whole = self.parameters(region, group, Which::All, now).await;
        match &whole.extent {
            Extent::Complete { .. } => whole,
            _ => together(few, whole),
        }
    }

    /// Whether an instance is protected from termination (`DisableApiTermination`). A complete `None`: EC2 knows no such
    /// instance.
    pub async fn read_protection(
        &self,
        region: &Region,
        host: &HostId,
        now: Timestamp,
    ) -> Reading<Option<bool>> {
        let source = source_of_protection(host, &self.place(region).to_string());
        let reading = self.ask(&ProtectionOf(host), source, region, now).await;
        reading.map(|told| told.into_iter().next().and_then(|protection| protection.0))
    }

    /// What is asked for, and no more. What `last` holds of it is kept while it is complete and younger than `keep`
    /// ([`crate::Limits::protection_age`] for protections). What could not be asked in this go keeps its last reading, with its own
    /// time.
    pub async fn read_asked(
        &self,
        region: &Region,
        last: Option<&Inventory>,
        asked: &Asked,
        keep: Duration,
        now: Timestamp,
    ) -> Asserted {
        let place = self.place(region);
        let unread = Inventory::not_yet(place.clone(), now);
        let last = last.filter(|last| last.place == place).unwrap_or(&unread);
        let (security_groups, subnet_groups, parameters, protections) = tokio::join!(
            Box::pin(self.if_asked(asked.security_groups, region, &last.security_groups, keep, now)),
            Box::pin(self.if_asked(asked.subnet_groups, region, &last.subnet_groups, keep, now)),
            Box::pin(self.all_parameters(region, last, asked, keep, now)),
            Box::pin(self.all_protections(region, last, asked, now)),
        );
        Asserted { security_groups, subnet_groups, parameters, protections }
    }

    async fn if_asked<T: Described + Clone>(
        &self,
        is_asked: bool,
        region: &Region,
        last: &Reading<Vec<T>>,
        keep: Duration,
        now: Timestamp,
    ) -> Reading<Vec<T>> {
        if is_asked {
            return self.keep_or_read(region, Some(last), keep, now).await;
        }
        Reading::not_yet(format!("{} {}", T::SOURCE, self.place(region)), now)
    }

    async fn all_parameters(
        &self,
        region: &Region,
        last: &Inventory,
        asked: &Asked,
        keep: Duration,
        now: Timestamp,
    ) -> BTreeMap<ParameterGroupName, Reading<ParameterGroup>> {
        let place = self.place(region).to_string();
        let unread = |group: &ParameterGroupName| source_of_parameters(group, &place);
        let is_kept = |group: &ParameterGroupName, reading: &Reading<ParameterGroup>| {
            let names = asked.parameters.get(group);
            is_fresh(reading, keep, now) && names.is_none_or(|names| reading.seen.answers(names))
        };
        let (mut readings, due) = turn(asked.parameters.keys(), &last.parameters, is_kept, unread, now);
        let deadline = Instant::now() + self.limits.asked_time;
        let mut throttled: BTreeSet<ParameterGroupKind> = BTreeSet::new();
        for group in due {
            let Some(names) = asked.parameters.get(group) else { continue };
            if Instant::now() >= deadline || throttled.contains(&group.kind) {
                continue;
            }
            let read = self.read_parameters(region, group, names, now);
            let reading = self.within(read, unread(group), now).await;
            if is_throttled(&reading) {
                throttled.insert(group.kind);
            }
            put(&mut readings, group, reading);
        }
        readings
    }

    async fn all_protections(
        &self,
        region: &Region,
        last: &Inventory,
        asked: &Asked,
        now: Timestamp,
    ) -> BTreeMap<HostId, Reading<Option<bool>>> {
        let place = self.place(region).to_string();
        let unread = |host: &HostId| source_of_protection(host, &place);
        let is_kept = |_: &HostId, reading: &Reading<_>| is_fresh(reading, self.limits.protection_age, now);
        // A database has no such attribute.
        let instances = asked.protections.iter().filter(|host| !host.is_database());
        let (mut readings, due) = turn(instances, &last.protections, is_kept, unread, now);
        let deadline = Instant::now() + self.limits.asked_time;
        for host in due.into_iter().take(self.limits.protections_at_once) {
            let read = self.read_protection(region, host, now);
            let reading = self.within(read, unread(host), now).await;
            let is_over = is_throttled(&reading) || Instant::now() >= deadline;
            put(&mut readings, host, reading);
            if is_over {
                break;
            }
        }
        readings
    }

    /// One of many, which must not take the time of all for ever.
    async fn within<T: Default>(
        &self,
        read: impl Future<Output = Reading<T>>,
        source: String,
        now: Timestamp,
    ) -> Reading<T> {
        let limit = self.limits.asked_time;
        timeout(limit, read).await.unwrap_or_else(|_| {
            let message = format!("{source} took longer than {limit:?}. Next step: see whether AWS is slow");
            Reading::failed(source, now, Failure::new(FailureKind::TimedOut, message))
        })
    }

    async fn parameters(
        &self,
        region: &Region,
        group: &ParameterGroupName,
        which: Which<'_>,
        now: Timestamp,
    ) -> Reading<ParameterGroup> {
        let source = source_of_parameters(group, &self.place(region).to_string());
        let is_whole = matches!(which, Which::All);
        let scope = if is_whole { ParameterScope::Whole } else { ParameterScope::Named };
        let reading = self.ask(&ParametersOf { group, which }, source, region, now).await;
        reading.map(|told| group_of(told, scope))
    }
}

fn source_of_parameters(group: &ParameterGroupName, place: &str) -> String {
    format!("rds parameters of {group} {place}")
}

fn source_of_protection(host: &HostId, place: &str) -> String {
    format!("ec2 termination protection of {host} {place}")
}

fn group_of(told: Vec<Told>, scope: ParameterScope) -> ParameterGroup {
    let mut group = ParameterGroup { scope, values: BTreeMap::new() };
    for one in told {
        match one {
            Told::Parameter(name, value) => drop(group.values.insert(name, value)),
            // It may have been deleted between two pages.
            Told::NoSuchGroup => {
                return ParameterGroup { scope: ParameterScope::NoSuchGroup, ..ParameterGroup::default() };
            }
        }
    }
    group
}

/// What was asked for by name, and what came of the whole group, which is not all of it.
fn together(named: Reading<ParameterGroup>, whole: Reading<ParameterGroup>) -> Reading<ParameterGroup> {
    let Extent::Complete { at } = named.extent else { return whole };
    let missing = match whole.extent {
        Extent::Failed { why, .. } => {
            vec![Gap { what: "parameters that it was not asked for by name".to_owned(), why }]
        }
        Extent::Partial { missing, .. } => missing,
        Extent::Complete { .. } => Vec::new(),
    };
    let mut values = whole.seen.values;
    values.extend(named.seen.values);
    let seen = ParameterGroup { scope: ParameterScope::Named, values };
    let request_ids = whole.request_ids;
    Reading { source: named.source, extent: Extent::Partial { at, missing }, seen, request_ids }
}

/// What stands of the last readings, one for each thing that is wanted; and which of them are to be read, those that nobody
/// has asked for yet first, then the oldest, then those that failed. Whom the failed begin with changes from one go to the
/// next, so that none waits for ever behind others that fail for good.
fn turn<'k, K: Ord + Clone, T: Clone + Default>(
    wanted: impl Iterator<Item = &'k K>,
    last: &BTreeMap<K, Reading<T>>,
    is_kept: impl Fn(&K, &Reading<T>) -> bool,
    source: impl Fn(&K) -> String,
    now: Timestamp,
) -> (BTreeMap<K, Reading<T>>, Vec<&'k K>) {
    let mut readings = BTreeMap::new();
    let (mut due, mut failed) = (Vec::new(), Vec::new());
    for key in wanted {
        let known = last.get(key);
        let reading = known.cloned().unwrap_or_else(|| Reading::not_yet(source(key), now));
        match known {
            Some(known) if is_kept(key, known) => {}
            Some(known) if is_failed(known) => failed.push(key),
            known => due.push((known.and_then(Reading::at), key)),
        }
        readings.insert(key.clone(), reading);
    }
    due.sort();
    let minute = usize::try_from(now.as_second() / 60).unwrap_or_default();
    let begin = minute % failed.len().max(1);
    failed.rotate_left(begin);
    let due = due.into_iter().map(|(_, key)| key).chain(failed).collect();
    (readings, due)
}

fn is_failed<T>(reading: &Reading<T>) -> bool {
    matches!(&reading.extent, Extent::Failed { why, .. } if why.kind != FailureKind::NotYetRead)
}

fn is_fresh<T>(reading: &Reading<T>, age: Duration, now: Timestamp) -> bool {
    reading.complete(now, SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX)).is_some()
}

/// When AWS asks us to slow down, what else is due waits for the next go.
fn is_throttled<T>(reading: &Reading<T>) -> bool {
    let kind = match &reading.extent {
        Extent::Failed { why, .. } => Some(why.kind),
        Extent::Partial { missing, .. } => missing.first().map(|gap| gap.why.kind),
        Extent::Complete { .. } => None,
    };
    kind == Some(FailureKind::Throttled)
}

/// Puts a new reading in its place. A failure that goes on has been one since it began.
fn put<K: Ord + Clone, T>(readings: &mut BTreeMap<K, Reading<T>>, key: &K, mut new: Reading<T>) {
    let before = readings.get(key).filter(|reading| is_failed(reading)).map(|reading| &reading.extent);
    if let (Some(Extent::Failed { since: before, .. }), Extent::Failed { since, .. }) =
        (before, &mut new.extent)
    {
        *since = (*since).min(*before);
    }
    readings.insert(key.clone(), new);
}
