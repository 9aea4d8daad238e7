//! A single look at the world, without a cluster: the places and monitoring systems that custom resources name are read once, by the
//! readers that the operator polls with.
//!
//! Nothing is remembered from before, so there are no ghosts and no changes in it. What cannot be read is a failed reading, never an
//! empty one, and no key is ever printed or recorded.

mod keys;
mod systems;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::future::join_all;
use jiff::Timestamp;
use rollcall_engine::activity::{Activity, Window};
use rollcall_engine::fleet::{Account, Desired, Fleet};
use rollcall_engine::ids::{AccountName, Place};
use rollcall_engine::inventory::{Asked, Asserted, Inventory};
use rollcall_engine::limits::ACTIVITY_DAYS;
use rollcall_engine::memory::Memory;
use rollcall_engine::reading::{Extent, Failure, FailureKind, Reading};
use rollcall_engine::recording::{FORMAT, Recording};
use rollcall_engine::snapshot::Snapshot;
use rollcall_engine::text::count;
use rollcall_monitoring::endpoint::EndpointPolicy;
use rollcall_operator::sources::{AccountReader, Sources as _};

use crate::sources::{Outside, pace};
use crate::ways::Ways;
use keys::Keys;

/// One listing is given up after this, as the operator does.
const LISTING_WITHIN: Duration = Duration::from_mins(2);
/// Making a reader may ask STS, or a metadata service that does not answer.
const READER_WITHIN: Duration = Duration::from_secs(30);

/// To one monitoring system, when nobody says otherwise: the operator's courtesy.
const CALLS_PER_SECOND: u32 = 5;

type Made = Result<Arc<dyn AccountReader>, Failure>;

/// Reads everything that these objects name, once.
///
/// # Errors
/// When nothing can be asked at all: no TLS, no runtime. All else is what the readings say.
pub fn look(desired: Desired, ways: &Ways) -> anyhow::Result<Recording> {
    if let Some(folder) = &ways.live.secrets {
        anyhow::ensure!(folder.is_dir(), "--secrets {}: expected a folder, found none", folder.display());
    }
    if let Some(folder) = &ways.live.nagios_files {
        anyhow::ensure!(
            folder.is_dir(),
            "--nagios-files {}: expected a folder, found none",
            folder.display()
        );
    }
    // It fails only when there is a provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // What is wrong in the objects is told by whoever decides on them.
    let (fleet, _) = Fleet::parse(&desired);
    let policy =
        EndpointPolicy { allow_http: ways.live.allow_http, allowed_cidrs: ways.live.allowed_cidr.clone() };
    let calls = ways.live.registry_calls_per_second.unwrap_or(CALLS_PER_SECOND);
    // A person waits: all of the pace may be spent on asking host by host.
    let sources = Outside::new(policy, pace(calls), calls.saturating_mul(60))?;
    let sources = sources.with_nagios_files(ways.live.nagios_files.clone());
    let keys = Keys::new(ways, &fleet);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("tokio")?;
    let snapshot = runtime.block_on(snapshot(&fleet, &sources, &keys));
    Ok(Recording {
        rollcall_recording: FORMAT,
        now: Timestamp::now(),
        desired,
        snapshot,
        memory: Memory::default(),
        departures: None,
        cut_to: None,
    })
}

async fn snapshot(fleet: &Fleet, sources: &Outside, keys: &Keys<'_>) -> Snapshot {
    let (places, systems) = (fleet.places().count(), fleet.used_systems().len());
    tell(&format!("reading {} and {}", count(places, "region"), count(systems, "monitoring system")));
    let inventories = async {
        let readers = readers(fleet, sources, keys).await;
        let all = fleet.places().map(|(place, account)| look_at(place, fleet, readers.get(&account.name)));
        join_all(all).await
    };
    let (places, registries) = tokio::join!(inventories, systems::registries(fleet, sources, keys));
    let mut snapshot = Snapshot { registries, ..Snapshot::default() };
    for (inventory, activity) in places {
        snapshot.activities.extend(activity.map(|activity| (activity.place.clone(), Arc::new(activity))));
        snapshot.inventories.insert(inventory.place.clone(), Arc::new(inventory));
    }
    snapshot
}

/// One reader per account, shared by its regions: one proof of identity.
async fn readers<'f>(
    fleet: &'f Fleet,
    sources: &Outside,
    keys: &Keys<'_>,
) -> BTreeMap<&'f AccountName, Made> {
    let all =
        fleet.accounts().map(|account| async move { (&account.name, reader(account, sources, keys).await) });
    join_all(all).await.into_iter().collect()
}

async fn reader(account: &Account, sources: &Outside, keys: &Keys<'_>) -> Made {
    let secret = keys.of_account(account)?;
    let made = tokio::time::timeout(READER_WITHIN, sources.account(account, secret.as_ref())).await;
    made.unwrap_or_else(|_| {
        let why = format!("no credentials within {} s", READER_WITHIN.as_secs());
        Err(Failure::new(FailureKind::TimedOut, why))
    })
}

/// Who is there, and what those did of whom somebody asks.
async fn look_at(place: Place, fleet: &Fleet, reader: Option<&Made>) -> (Inventory, Option<Activity>) {
    let inventory = inventory(place, fleet, reader).await;
    let now = Timestamp::now();
    let wanted = fleet.activity_due(&inventory, None, None, now);
    let (false, Some(Ok(reader))) = (wanted.is_empty(), reader) else { return (inventory, None) };
    let hosts = wanted.iter().map(|wanted| wanted.subjects.len()).sum();
    tell(&format!("reading what {} did in {ACTIVITY_DAYS} days: {}", count(hosts, "host"), inventory.place));
    let window = Window::whole_days(now, ACTIVITY_DAYS);
    let activity = reader.activity(&inventory.place.region, &wanted, window, now).await;
    (inventory, Some(activity))
}

async fn inventory(place: Place, fleet: &Fleet, reader: Option<&Made>) -> Inventory {
    let now = Timestamp::now();
    let mut inventory = Inventory::not_yet(place, now);
    match reader {
        Some(Ok(reader)) => {
            read(&mut inventory, reader.as_ref(), now).await;
            read_asserted(&mut inventory, fleet, reader.as_ref(), now).await;
        }
        Some(Err(why)) => blind(&mut inventory, now, why),
        // Every place has its account's reader.
        None => {}
    }
    let told = match &inventory.instances.extent {
        Extent::Failed { why, .. } => format!("cannot read {}: {}", inventory.place, why.message),
        _ => format!("read {}: {}", inventory.place, count(inventory.instances.seen.len(), "instance")),
    };
    tell(&told);
    inventory
}

async fn read(inventory: &mut Inventory, reader: &dyn AccountReader, now: Timestamp) {
    let region = inventory.place.region.clone();
    let (instances, volumes, addresses, databases, clusters) = tokio::join!(
        within(&inventory.instances.source, now, reader.instances(&region, now)),
        within(&inventory.volumes.source, now, reader.volumes(&region, now)),
        within(&inventory.addresses.source, now, reader.addresses(&region, now)),
        within(&inventory.databases.source, now, reader.databases(&region, now)),
        within(&inventory.clusters.source, now, reader.clusters(&region, now)),
    );
    let unread = Inventory::not_yet(inventory.place.clone(), now);
    *inventory = Inventory { instances, volumes, addresses, databases, clusters, ..unread };
}

/// What assertions ask: which hosts and groups they mean is known once those are listed. The reader asks for few single things
/// in one go, so there are as many goes as bring something new, while there is time.
async fn read_asserted(inventory: &mut Inventory, fleet: &Fleet, reader: &dyn AccountReader, now: Timestamp) {
    let asked = fleet.asked(inventory);
    if asked == Asked::default() {
        return;
    }
    let region = inventory.place.region.clone();
    let (end, mut waiting) = (Instant::now() + LISTING_WITHIN, usize::MAX);
    while waiting > 0 && Instant::now() < end {
        let Asserted { security_groups, subnet_groups, parameters, protections } =
            reader.asserted(&region, inventory, &asked, LISTING_WITHIN, now).await;
        let left = not_yet(&parameters) + not_yet(&protections);
        inventory.security_groups = security_groups;
        inventory.subnet_groups = subnet_groups;
        inventory.parameters = parameters;
        inventory.protections = protections;
        // A go that reached nobody new is the last one.
        waiting = if left < waiting { left } else { 0 };
    }
}

fn not_yet<K, T>(readings: &BTreeMap<K, Reading<T>>) -> usize {
    let is_not_yet = |reading: &&Reading<T>| matches!(&reading.extent, Extent::Failed { why, .. } if why.kind == FailureKind::NotYetRead);
    readings.values().filter(is_not_yet).count()
}

/// Nobody could be asked: all listings say why.
fn blind(inventory: &mut Inventory, now: Timestamp, why: &Failure) {
    for extent in [
        &mut inventory.instances.extent,
        &mut inventory.volumes.extent,
        &mut inventory.addresses.extent,
        &mut inventory.databases.extent,
        &mut inventory.clusters.extent,
    ] {
        *extent = Extent::Failed { since: now, why: why.clone() };
    }
}

/// One listing, or that it took too long.
async fn within<T: Default>(
    source: &str,
    now: Timestamp,
    call: impl Future<Output = Reading<T>>,
) -> Reading<T> {
    tokio::time::timeout(LISTING_WITHIN, call).await.unwrap_or_else(|_| {
        let why = format!("{source}: no end within {} s", LISTING_WITHIN.as_secs());
        Reading::failed(source, now, Failure::new(FailureKind::TimedOut, why))
    })
}

/// How far it is, for whoever waits.
fn tell(what: &str) {
    anstream::eprintln!("rollcall: {what}");
}
