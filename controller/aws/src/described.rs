//! What AWS describes to us, whichever service it is: one listing, one action, one client, one rate.

use std::future::Future;
use std::marker::PhantomData;

use aws_config::SdkConfig;
use jiff::Timestamp;
use rollcall_engine::ids::Place;

use crate::failure::{Question, Refusal};
use crate::listing::{Ask, Listed, Page};
use crate::proof::ProvedKeys;
use crate::settings::Limits;
use crate::wire::{Wire, Wiring};
use crate::{cloudwatch, ec2, rds};

/// All clients of one place.
#[derive(Debug)]
pub(crate) struct Clients {
    pub(crate) place: Place,
    pub(crate) ec2: ec2::Clients,
    pub(crate) rds: rds::Clients,
    pub(crate) cloudwatch: cloudwatch::Clients,
}

impl Clients {
    pub(crate) fn new(config: &SdkConfig, place: Place, keys: &ProvedKeys, wiring: &Wiring) -> Self {
        let ec2 = ec2::Clients::new(config, &place, keys, wiring);
        let rds = rds::Clients::new(config, &place, keys, wiring);
        let cloudwatch = cloudwatch::Clients::new(config, &place, keys, wiring);
        Self { place, ec2, rds, cloudwatch }
    }

    pub(crate) fn wires(&self) -> impl Iterator<Item = &Wire> {
        self.ec2.wires.iter().chain(&self.rds.wires).chain([&self.cloudwatch.wire])
    }
}

/// A question whose answer comes in pages, be it one.
pub(crate) trait Paged: Sync {
    /// What the pages hold.
    type Item: Listed + Send;

    /// The service, as IAM and messages call it.
    fn service(&self) -> &'static str;
    /// The service's action.
    fn operation(&self) -> &'static str;

    /// Asks for one page. `at` is when the listing began.
    fn page(
        &self,
        clients: &Clients,
        ask: Ask,
        limits: &Limits,
        at: Timestamp,
        question: &Question<'_>,
    ) -> impl Future<Output = Result<Page<Self::Item>, Refusal>> + Send;
}

/// The listing of all things of a kind.
#[derive(Debug)]
pub(crate) struct All<T>(PhantomData<fn() -> T>);

impl<T> Default for All<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: Described> Paged for All<T> {
    type Item = T;

    fn service(&self) -> &'static str {
        T::SERVICE
    }
    fn operation(&self) -> &'static str {
        T::OPERATION
    }
    fn page(
        &self,
        clients: &Clients,
        ask: Ask,
        limits: &Limits,
        at: Timestamp,
        question: &Question<'_>,
    ) -> impl Future<Output = Result<Page<T>, Refusal>> + Send {
        T::ask(clients, ask, limits, at, question)
    }
}

/// A kind of thing that AWS lists.
pub(crate) trait Described: Listed + Sized + Send {
    /// The service, as IAM and messages call it.
    const SERVICE: &'static str;
    /// The service's action.
    const OPERATION: &'static str;
    /// The listing's name for people.
    const SOURCE: &'static str;

    /// Asks for one page. `at` is when the listing began.
    fn ask(
        clients: &Clients,
        ask: Ask,
        limits: &Limits,
        at: Timestamp,
        question: &Question<'_>,
    ) -> impl Future<Output = Result<Page<Self>, Refusal>> + Send;
}

/// The page, with the entries that have no id counted: they cannot be told apart.
pub(crate) fn page<T>(
    items: Option<impl Iterator<Item = Option<T>>>,
    next: Option<String>,
    request_id: Option<String>,
) -> Page<T> {
    let mut nameless = 0;
    let named = |item: Option<T>| {
        nameless += usize::from(item.is_none());
        item
    };
    let items = items.map(|items| items.filter_map(named).collect());
    Page { items, nameless, next, request_id }
}
