//! One account, read: the only door to AWS.
//!
//! It keeps no inventory and decides nothing. Every answer is a [`Reading`] that says how much it knows.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use rollcall_engine::ids::{AccountId, Place, Region};
use rollcall_engine::inventory::{
    Address, Asked, Asserted, Database, DatabaseCluster, Instance, Inventory, Volume,
};
use rollcall_engine::reading::{Extent, Failure, FailureKind, Reading};
use tokio::time::{Instant, timeout_at};

use crate::calls::{Allowance, CallCount, CallLog};
use crate::connections::Connections;
use crate::described::{All, Clients, Described, Paged};
use crate::failure::{Failed, Question, Refusal};
use crate::identity::{sdk_config, sts_client};
use crate::listing::{Ask, Listing, Page};
use crate::proof::{Proof, ProvedKeys, Signatures};
use crate::settings::{AccountSettings, Limits};
use crate::wire::{Wire, Wiring};

/// A reader of one account. Calls may overlap; share it by `Arc`.
pub struct Account {
    id: AccountId,
    pub(crate) limits: Limits,
    proof: Proof,
    proof_wire: Wire,
    places: BTreeMap<Region, Clients>,
    log: CallLog,
    failing_since: Mutex<BTreeMap<(Region, &'static str), Timestamp>>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let regions: Vec<&Region> = self.places.keys().collect();
        f.debug_struct("Account").field("id", &self.id).field("regions", &regions).finish_non_exhaustive()
    }
}

impl Account {
    /// Builds the reader. Nothing is asked of AWS yet, but configuration files and variables are read.
    ///
    /// # Errors
    /// `Misconfigured` when no region is given.
    pub async fn new(settings: AccountSettings, connections: &Connections) -> Result<Self, Failure> {
        let account = settings.account.clone();
        let Some(home) = settings.regions.first().cloned() else {
            let message =
                format!("CloudAccount {account}: spec.regions is empty, expected at least one region");
            return Err(Failure::new(FailureKind::Misconfigured, message));
        };
        let home = Place { account: account.clone(), region: home };
        let limits = settings.limits.clone();
        let log = connections.log.clone();
        let wiring = Wiring { connections: connections.clone(), limits: limits.clone() };
        let config = sdk_config(&settings, &home, &wiring).await;
        let keys = ProvedKeys::new(limits.proof_age);
        let clients = |region: &Region| {
            let place = Place { account: account.clone(), region: region.clone() };
            (region.clone(), Clients::new(&config, place, &keys, &wiring))
        };
        let places = settings.regions.iter().map(clients).collect();
        let signed_with = std::sync::Arc::default();
        let proof_wire = wiring.wire(
            &home,
            "GetCallerIdentity",
            limits.calls_per_second,
            Signatures::Remember(std::sync::Arc::clone(&signed_with)),
        );
        let sts = sts_client(&config, &proof_wire, &home);
        let proof = Proof::new(home, sts, signed_with, keys, limits.proof_pause);
        Ok(Self { id: account, limits, proof, proof_wire, places, log, failing_since: Mutex::default() })
    }

    /// All instances of a region, in all states, managed ones included. `now` is the world's time.
    pub async fn read_instances(&self, region: &Region, now: Timestamp) -> Reading<Vec<Instance>> {
        self.read(region, now).await
    }

    /// All volumes of a region.
    pub async fn read_volumes(&self, region: &Region, now: Timestamp) -> Reading<Vec<Volume>> {
        self.read(region, now).await
    }

    /// All Elastic addresses of a region.
    pub async fn read_addresses(&self, region: &Region, now: Timestamp) -> Reading<Vec<Address>> {
        self.read(region, now).await
    }

    /// All DB instances of a region, of every engine that answers through RDS: Neptune's and `DocumentDB`'s too.
    pub async fn read_databases(&self, region: &Region, now: Timestamp) -> Reading<Vec<Database>> {
        self.read(region, now).await
    }

    /// All DB clusters of a region, of every engine likewise.
    pub async fn read_clusters(&self, region: &Region, now: Timestamp) -> Reading<Vec<DatabaseCluster>> {
        self.read(region, now).await
    }

    /// All listings of one place, and what is asked for beside them. Volumes, addresses and what is asked for are kept from
    /// `last` while they are complete and younger than [`Limits::slow_listing_age`]. Each listing stands for itself: one that
    /// fails blinds no other.
    pub async fn read_place(
        &self,
        region: &Region,
        last: Option<&Inventory>,
        asked: &Asked,
        now: Timestamp,
    ) -> Inventory {
        let place = self.place(region);
        let keep = self.limits.slow_listing_age;
        let known = last.filter(|l| l.place == place);
        // Boxed: so many SDK calls at once would make this future, and every task that awaits it, 30 KB large.
        let (instances, volumes, addresses, databases, clusters, asserted) = tokio::join!(
            Box::pin(self.read(region, now)),
            Box::pin(self.keep_or_read(region, known.map(|l| &l.volumes), keep, now)),
            Box::pin(self.keep_or_read(region, known.map(|l| &l.addresses), keep, now)),
            Box::pin(self.read(region, now)),
            Box::pin(self.read(region, now)),
            Box::pin(self.read_asked(region, last, asked, keep, now)),
        );
        let Asserted { security_groups, subnet_groups, parameters, protections } = asserted;
        Inventory {
            place,
            instances,
            volumes,
            addresses,
            databases,
            clusters,
            security_groups,
            subnet_groups,
            parameters,
            protections,
        }
    }

    /// The principal that STS proved last, without its session: who the permissions must be given to.
    #[must_use]
    pub fn principal(&self) -> Option<String> {
        self.proof.principal()
    }

    /// Attempts so far, by place, operation and outcome.
    #[must_use]
    pub fn calls(&self) -> Vec<CallCount> {
        let mut calls = self.log.counts();
        calls.retain(|call| call.place.account == self.id);
        calls
    }

    /// What is left of our own rate limits.
    #[must_use]
    pub fn allowances(&self) -> Vec<Allowance> {
        let listings = self.places.values().flat_map(Clients::wires);
        listings.chain([&self.proof_wire]).map(Wire::allowance).collect()
    }

    pub(crate) fn place(&self, region: &Region) -> Place {
        Place { account: self.id.clone(), region: region.clone() }
    }

    pub(crate) async fn keep_or_read<T: Described + Clone>(
        &self,
        region: &Region,
        last: Option<&Reading<Vec<T>>>,
        keep: Duration,
        now: Timestamp,
    ) -> Reading<Vec<T>> {
        let max_age = SignedDuration::try_from(keep).unwrap_or(SignedDuration::ZERO);
        match last.filter(|reading| reading.complete(now, max_age).is_some()) {
            Some(reading) => reading.clone(),
            None => self.read(region, now).await,
        }
    }

    pub(crate) async fn read<T: Described>(&self, region: &Region, now: Timestamp) -> Reading<Vec<T>> {
        let source = format!("{} {}", T::SOURCE, self.place(region));
        let reading = self.ask(&All::<T>::default(), source, region, now).await;
        self.since_when(region, T::OPERATION, reading)
    }

    /// All pages that answer one question. `source` is its name for people.
    pub(crate) async fn ask<Q: Paged>(
        &self,
        question: &Q,
        source: String,
        region: &Region,
        now: Timestamp,
    ) -> Reading<Vec<Q::Item>> {
        let mut listing = Listing::new(source, now, &self.limits);
        match self.places.get(region) {
            Some(clients) => self.list(question, clients, now, &mut listing).await,
            None => listing.failed(self.no_such_region(region).into()),
        }
        listing.into_reading()
    }

    /// Asks page after page until the listing is at its end, or time is up.
    async fn list<Q: Paged>(
        &self,
        question: &Q,
        clients: &Clients,
        at: Timestamp,
        listing: &mut Listing<Q::Item>,
    ) {
        let deadline = Instant::now() + self.limits.listing_time;
        let pages = async {
            if let Err(failed) = self.proof.hold().await {
                return listing.failed(failed);
            }
            while let Some(ask) = listing.next() {
                match self.page(question, clients, ask, at).await {
                    Ok(page) => listing.page(page),
                    Err(failed) => listing.failed(failed),
                }
            }
        };
        if timeout_at(deadline, pages).await.is_err() {
            let (service, operation, place) = (question.service(), question.operation(), &clients.place);
            let limit = self.limits.listing_time;
            let message = format!(
                "{service} {operation} {place} took longer than {limit:?} in all. Next step: see whether AWS is slow or \
                 throttles this account"
            );
            listing.failed(Failure::new(FailureKind::TimedOut, message).into());
        }
    }

    /// One page. A request that was held back for want of a proof is asked again once it is there.
    async fn page<Q: Paged>(
        &self,
        question: &Q,
        clients: &Clients,
        ask: Ask,
        at: Timestamp,
    ) -> Result<Page<Q::Item>, Failed> {
        for _ in 0..2 {
            let told = Question {
                service: question.service(),
                operation: question.operation(),
                place: &clients.place,
                principal: self.proof.principal(),
            };
            match question.page(clients, ask.clone(), &self.limits, at, &told).await {
                Ok(page) => return Ok(page),
                Err(Refusal::Failed(failed)) => return Err(failed),
                Err(Refusal::Unproved) => self.proof.renew().await?,
            }
        }
        let message = format!("{}: the credentials changed faster than STS could prove them", clients.place);
        Err(Failure::new(FailureKind::Denied, message).into())
    }

    fn no_such_region(&self, region: &Region) -> Failure {
        let known: Vec<&str> = self.places.keys().map(Region::as_str).collect();
        let (account, known) = (&self.id, known.join(", "));
        let message = format!("CloudAccount {account} spec.regions: expected one of {known}, found {region}");
        Failure::new(FailureKind::Misconfigured, message)
    }

    /// A failure keeps the time when it began, over as many readings as it lasts.
    pub(crate) fn since_when<T>(
        &self,
        region: &Region,
        operation: &'static str,
        mut reading: Reading<T>,
    ) -> Reading<T> {
        let mut failing = self.failing_since.lock();
        let key = (region.clone(), operation);
        if let Extent::Failed { since, .. } = &mut reading.extent {
            *since = *failing.entry(key).or_insert(*since);
        } else {
            failing.remove(&key);
        }
        reading
    }
}
