//! Polls one place: instances and databases often, volumes and addresses rarely; what assertions ask, `asserted` does.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rollcall_engine::fleet::{Account, Fleet, Kind, Problem};
use rollcall_engine::ids::{AccountName, ObjectKey, Place};
use rollcall_engine::inventory::{Address, Database, DatabaseCluster, Instance, Inventory, Volume};
use rollcall_engine::reading::{Extent, Failure, FailureKind, Reading};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tracing::Instrument as _;

use super::asserted::AssertedHearing;
use super::board::Hearing;
use super::secrets::{NoSecret, Wanted};
use super::{Observer, asserted, patience, secrets, tell};
use crate::sources::{AccountReader, Secret};

/// Keys that a Secret with AWS credentials must have.
const AWS_KEYS: [&str; 2] = ["aws_access_key_id", "aws_secret_access_key"];

/// The services, as sources are named by them.
const EC2: &str = "ec2";
/// As [`EC2`].
const RDS: &str = "rds";

/// Making a reader may ask STS, or a metadata service that does not answer.
const MAKE_WITHIN: Duration = Duration::from_secs(30);

type Made = Option<([u8; 32], Arc<dyn AccountReader>)>;

/// One reader per account, shared by its regions: one proof of identity, one session.
#[derive(Clone, Default)]
pub(super) struct Readers {
    by_account: Arc<Mutex<BTreeMap<AccountName, Arc<tokio::sync::Mutex<Made>>>>>,
}

impl Readers {
    pub(super) fn keep_only(&self, fleet: &Fleet) {
        self.by_account.lock().retain(|name, _| fleet.account(name).is_some());
    }

    fn slot(&self, name: &AccountName) -> Arc<tokio::sync::Mutex<Made>> {
        Arc::clone(self.by_account.lock().entry(name.clone()).or_default())
    }
}

/// Does a change from one to the other ask for another reading?
pub(super) fn reads_the_same(a: &Account, b: &Account) -> bool {
    (&a.name, &a.id, &a.regions, &a.observe) == (&b.name, &b.id, &b.regions, &b.observe)
}

/// What a poller remembers between two polls.
struct Past {
    /// When volumes and addresses are next read.
    slow_due: Timestamp,
    heard: Heard,
}

/// What is made of the answers of each listing.
#[derive(Default)]
struct Heard {
    instances: Hearing,
    volumes: Hearing,
    addresses: Hearing,
    databases: Hearing,
    clusters: Hearing,
    asserted: AssertedHearing,
}

/// Polls until ended.
pub(super) async fn poll(
    observer: Arc<Observer>,
    place: Place,
    mut accounts: watch::Receiver<Arc<Account>>,
    readers: Readers,
) {
    let mut past = Past { slow_due: Timestamp::MIN, heard: Heard::default() };
    let mut before = Arc::clone(&accounts.borrow());
    loop {
        let account = Arc::clone(&accounts.borrow_and_update());
        if !reads_the_same(&before, &account) {
            past.slow_due = Timestamp::MIN;
        }
        let span = tracing::info_span!("poll", source = %place);
        poll_once(&observer, &place, &account, &readers, &mut past).instrument(span).await;
        observer.until_due(observer.settings.inventory_interval, &mut accounts).await;
        before = account;
    }
}

async fn poll_once(
    observer: &Observer,
    place: &Place,
    account: &Account,
    readers: &Readers,
    past: &mut Past,
) {
    let key = ObjectKey::new("", account.name.as_str());
    let reader = match reader(observer, account, readers).await {
        Ok(reader) => {
            observer.board.set_obstacle(Kind::CloudAccount, &key, None);
            reader
        }
        Err(none) => {
            observer.board.set_obstacle(Kind::CloudAccount, &key, none.problem.as_ref());
            return unreadable(observer, place, &none.failure, &mut past.heard);
        }
    };
    let now = observer.clock.now();
    let instances = async {
        let instances =
            ask(observer, EC2, "instances", place, now, reader.instances(&place.region, now)).await;
        put_instances(observer, place, instances, &mut past.heard);
    };
    // Databases are put after instances and never the other way round. What a slow RDS holds up later is the next poll, not
    // this sight of instances.
    let ((), databases, clusters) = tokio::join!(
        instances,
        ask(observer, RDS, "databases", place, now, reader.databases(&place.region, now)),
        ask(observer, RDS, "clusters", place, now, reader.clusters(&place.region, now)),
    );
    put_databases(observer, place, databases, clusters, &mut past.heard);
    // With hosts the first answer is whole, for which statuses wait; where assertions look at more, with that: else each
    // restart would tell them anew that nobody knows.
    let awaits_more = asserted::is_asked(observer, place);
    if !awaits_more {
        observer.board.answered(place);
    }
    if now >= past.slow_due {
        read_storage(observer, place, reader.as_ref(), past).await;
    }
    // Last, so that it can hold up nothing but the next poll.
    asserted::read(observer, place, reader.as_ref(), &mut past.heard.asserted).await;
    observer.board.answered(place);
}

async fn read_storage(observer: &Observer, place: &Place, reader: &dyn AccountReader, past: &mut Past) {
    let now = observer.clock.now();
    let volumes = ask(observer, EC2, "volumes", place, now, reader.volumes(&place.region, now)).await;
    let addresses = ask(observer, EC2, "addresses", place, now, reader.addresses(&place.region, now)).await;
    // What failed is asked again with the next poll: a quarter of an hour is for what was read.
    if [&volumes.extent, &addresses.extent]
        .into_iter()
        .all(|extent| matches!(extent, Extent::Complete { .. }))
    {
        let pause = observer.settings.slow_inventory_interval;
        let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
        past.slow_due = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
    }
    put_storage(observer, place, volumes, addresses, &mut past.heard);
}

/// One listing, or that it took too long.
async fn ask<T: Default>(
    observer: &Observer,
    service: &'static str,
    listing: &'static str,
    place: &Place,
    now: Timestamp,
    call: impl Future<Output = Reading<T>>,
) -> Reading<T> {
    let limit = observer.settings.source_timeout;
    let reading = tokio::time::timeout(limit, call).await.unwrap_or_else(|_| {
        let source = format!("{service} {listing} {place}");
        let why = format!("{source}: no end within {} s", limit.as_secs());
        Reading::failed(source, now, Failure::new(FailureKind::TimedOut, why))
    });
    observer.metrics.polled(listing, &reading.extent);
    tell(&reading.source, &reading.extent);
    reading
}

/// Puts a new state on the board. Only the listings that were not read are copied: at 20,000 hosts each is some MB.
pub(super) fn put(
    observer: &Observer,
    place: &Place,
    change: impl FnOnce(&Inventory, Timestamp) -> Inventory,
) {
    let now = observer.clock.now();
    observer.board.update_place(place, |known| change(known, now));
}

fn put_instances(observer: &Observer, place: &Place, new: Reading<Vec<Instance>>, heard: &mut Heard) {
    let patience = patience(observer.settings.inventory_interval);
    put(observer, place, |known, now| Inventory {
        place: known.place.clone(),
        instances: heard.instances.hear(&known.instances, new, patience, now),
        volumes: known.volumes.clone(),
        addresses: known.addresses.clone(),
        databases: known.databases.clone(),
        clusters: known.clusters.clone(),
        ..asserted::of(known)
    });
}

/// Databases and their clusters are put at once, so that members and their parts are of one moment.
fn put_databases(
    observer: &Observer,
    place: &Place,
    databases: Reading<Vec<Database>>,
    clusters: Reading<Vec<DatabaseCluster>>,
    heard: &mut Heard,
) {
    let patience = patience(observer.settings.inventory_interval);
    put(observer, place, |known, now| Inventory {
        place: known.place.clone(),
        instances: known.instances.clone(),
        volumes: known.volumes.clone(),
        addresses: known.addresses.clone(),
        databases: heard.databases.hear(&known.databases, databases, patience, now),
        clusters: heard.clusters.hear(&known.clusters, clusters, patience, now),
        ..asserted::of(known)
    });
}

fn put_storage(
    observer: &Observer,
    place: &Place,
    volumes: Reading<Vec<Volume>>,
    addresses: Reading<Vec<Address>>,
    heard: &mut Heard,
) {
    let patience = patience(observer.settings.slow_inventory_interval);
    put(observer, place, |known, now| Inventory {
        place: known.place.clone(),
        instances: known.instances.clone(),
        volumes: heard.volumes.hear(&known.volumes, volumes, patience, now),
        addresses: heard.addresses.hear(&known.addresses, addresses, patience, now),
        databases: known.databases.clone(),
        clusters: known.clusters.clone(),
        ..asserted::of(known)
    });
}

/// Nobody could be asked at all: all listings say why.
fn unreadable(observer: &Observer, place: &Place, why: &Failure, heard: &mut Heard) {
    let now = observer.clock.now();
    tracing::warn!(source = %place, kind = why.kind.as_str(), why = %why.message, "cannot be read");
    put_instances(observer, place, failed(EC2, "instances", place, now, why), heard);
    let databases = failed(RDS, "databases", place, now, why);
    put_databases(observer, place, databases, failed(RDS, "clusters", place, now, why), heard);
    let volumes = failed(EC2, "volumes", place, now, why);
    put_storage(observer, place, volumes, failed(EC2, "addresses", place, now, why), heard);
    asserted::unreadable(observer, place, why, &mut heard.asserted);
    observer.board.answered(place);
}

fn failed<T: Default>(
    service: &str,
    listing: &str,
    place: &Place,
    now: Timestamp,
    why: &Failure,
) -> Reading<T> {
    Reading::failed(format!("{service} {listing} {place}"), now, why.clone())
}

/// The account's reader, made anew when the account or its Secret changed.
pub(super) async fn reader(
    observer: &Observer,
    account: &Account,
    readers: &Readers,
) -> Result<Arc<dyn AccountReader>, NoSecret> {
    let secret = secret(observer, account).await?;
    let digest = digest(account, secret.as_ref());
    let slot = readers.slot(&account.name);
    let mut slot = slot.lock().await;
    if let Some((known, reader)) = &*slot
        && *known == digest
    {
        return Ok(Arc::clone(reader));
    }
    let made = tokio::time::timeout(MAKE_WITHIN, observer.sources.account(account, secret.as_ref())).await;
    let made = made.unwrap_or_else(|_| {
        Err(Failure::new(FailureKind::TimedOut, format!("no credentials within {} s", MAKE_WITHIN.as_secs())))
    });
    let reader = made.map_err(|failure| NoSecret {
        problem: (failure.kind == FailureKind::Misconfigured).then(|| Problem {
            kind: Kind::CloudAccount,
            namespace: String::new(),
            name: account.name.to_string(),
            reason: failure.kind.as_str().to_owned(),
            message: failure.message.clone(),
        }),
        failure,
    })?;
    *slot = Some((digest, Arc::clone(&reader)));
    Ok(reader)
}

async fn secret(observer: &Observer, account: &Account) -> Result<Option<Secret>, NoSecret> {
    let Some(named) = account.observe.as_ref().and_then(|observe| observe.secret_ref.as_ref()) else {
        return Ok(None);
    };
    let wanted = Wanted {
        kind: Kind::CloudAccount,
        object: &ObjectKey::new("", account.name.as_str()),
        field: "spec.observe.secretRef",
        namespace: &observer.settings.namespace,
        name: &named.name,
        keys: &AWS_KEYS,
    };
    secrets::read(&observer.client, &observer.settings, &wanted).await.map(Some)
}

/// What a reader was made of. Only a digest of the Secret is kept.
fn digest(account: &Account, secret: Option<&Secret>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(format!("{:?} {:?} {:?}", account.id, account.regions, account.observe));
    for (key, value) in secret.into_iter().flat_map(Secret::iter) {
        hash.update(key);
        hash.update(value.len().to_be_bytes());
        hash.update(value);
    }
    hash.finalize().into()
}
