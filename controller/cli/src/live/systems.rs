//! Monitoring systems, each read once, and then again until the checks of every host are known or patience ends: those are asked
//! host by host.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use rollcall_engine::fleet::{Fleet, System};
use rollcall_engine::ids::ObjectKey;
use rollcall_engine::reading::{Extent, Failure, FailureKind};
use rollcall_engine::registry::{Checks, Registry};
use rollcall_operator::observe::unread;
use rollcall_operator::sources::{Fingerprint, Proofs, RegistryReader, Secrets, Sources as _};
use tokio::time::{Instant, sleep, timeout};

use super::keys::Keys;
use super::{LISTING_WITHIN, tell};
use crate::sources::Outside;

/// Hosts that were not reached by then stay unknown. Below the 15 minutes for which a listing can prove an absence.
const PATIENCE: Duration = Duration::from_mins(10);
/// Between two rounds: the allowance grows meanwhile.
const PAUSE: Duration = Duration::from_secs(5);
/// After so many rounds that brought nothing new there is nothing to wait for.
const IDLE_ROUNDS: u32 = 2;

/// Objects that reach one system with one key, which is read once.
struct Shared<'f> {
    system: &'f System,
    secrets: Secrets,
    users: Vec<ObjectKey>,
}

/// The registry of every system that an environment needs.
pub(super) async fn registries(
    fleet: &Fleet,
    sources: &Outside,
    keys: &Keys<'_>,
) -> BTreeMap<ObjectKey, Arc<Registry>> {
    let mut registries = BTreeMap::new();
    let mut shared: BTreeMap<Fingerprint, Shared<'_>> = BTreeMap::new();
    for system in fleet.used_systems().into_iter().filter_map(|key| fleet.system(key)) {
        match keys.of_system(system) {
            Ok(secrets) => {
                let fingerprint = sources.fingerprint(system, &secrets);
                let one = shared.entry(fingerprint);
                let one = one.or_insert_with(|| Shared { system, secrets, users: Vec::new() });
                one.users.push(system.key.clone());
            }
            Err(why) => {
                tell_blind(system, &why);
                registries.insert(system.key.clone(), Arc::new(blind(system, &why)));
            }
        }
    }
    let all = shared.into_values().map(|one| async move {
        let registry = Arc::new(registry(&one, sources).await);
        one.users.into_iter().map(move |user| (user, Arc::clone(&registry)))
    });
    registries.extend(join_all(all).await.into_iter().flatten());
    registries
}

async fn registry(shared: &Shared<'_>, sources: &Outside) -> Registry {
    let system = shared.system;
    let mut reader = match sources.registry(system, &shared.secrets).await {
        Ok(reader) => reader,
        Err(why) => {
            tell_blind(system, &why);
            return blind(system, &why);
        }
    };
    let until = Instant::now() + PATIENCE;
    let (mut asked, mut idle) = (0, 0);
    loop {
        let registry = read(reader.as_mut(), system).await;
        let hosts = registry.hosts.seen.len();
        if let Extent::Failed { why, .. } = &registry.hosts.extent {
            tell_blind(system, why);
            return registry;
        }
        let known = match &registry.checks {
            Checks::ByHost(all) => all.len(),
            // One listing tells of all: there is nothing to wait for.
            Checks::Listed(_) => hosts,
        };
        tell(&format!("read {}: {hosts} registrations, checks of {known} of them", system.key));
        idle = if known > asked { 0 } else { idle + 1 };
        asked = known;
        if asked >= hosts || idle >= IDLE_ROUNDS || Instant::now() + PAUSE > until {
            return registry;
        }
        sleep(PAUSE).await;
    }
}

async fn read(reader: &mut dyn RegistryReader, system: &System) -> Registry {
    let read = timeout(LISTING_WITHIN, reader.read(Timestamp::now(), Proofs::Renew)).await;
    read.unwrap_or_else(|_| {
        let why = format!("no end within {} s", LISTING_WITHIN.as_secs());
        blind(system, &Failure::new(FailureKind::TimedOut, why))
    })
}

fn tell_blind(system: &System, why: &Failure) {
    tell(&format!("cannot read {}: {}", system.key, why.message));
}

fn blind(system: &System, why: &Failure) -> Registry {
    unread(None, system.endpoint.product(), &system.key.to_string(), Timestamp::now(), why)
}
