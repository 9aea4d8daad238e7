//! What the operator asks of the world outside Kubernetes: small traits with ids and values of the engine only.
//!
//! No AWS, HTTP or Kubernetes type may stand in a signature here. Whoever implements them must never turn an error
//! into an empty list, and must word the same trouble in the same words each time: a message that changes with
//! every request (a request id in it, a duration) would be a status write with every poll.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rollcall_engine::activity::{Activity, Wanted, Window};
use rollcall_engine::fleet::{Account, Channel, System};
use rollcall_engine::ids::{Region, RegistrationId};
use rollcall_engine::inventory::{
    Address, Asked, Asserted, Database, DatabaseCluster, Instance, Inventory, Volume,
};
use rollcall_engine::notice::Message;
use rollcall_engine::notice::outbox::Outcome;
use rollcall_engine::reading::{Failure, Reading};
use rollcall_engine::registry::Registry;

/// Makes readers. The composition root implements it over the crates that speak to clouds and monitoring systems.
#[async_trait]
pub trait Sources: Send + Sync + 'static {
    /// A reader of one account. `secret` is the Secret that `observe.secretRef` names, if it names one. Asked again
    /// whenever the account or its Secret changes; a reader lives until then.
    ///
    /// # Errors
    /// When no reader can be made of this; the failure becomes the reading.
    async fn account(
        &self,
        account: &Account,
        secret: Option<&Secret>,
    ) -> Result<Arc<dyn AccountReader>, Failure>;

    /// A reader of one monitoring system. `secrets` are those that it needs ([`System::secrets`]).
    ///
    /// # Errors
    /// When no reader can be made of this: an address that is not allowed, a key that cannot be one.
    async fn registry(&self, system: &System, secrets: &Secrets) -> Result<Box<dyn RegistryReader>, Failure>;

    /// What makes two objects the same source: address, key, authorities. Objects of one fingerprint share one reader.
    fn fingerprint(&self, system: &System, secrets: &Secrets) -> Fingerprint;

    /// Tries once to deliver a message to a channel. `secrets` are those that it needs ([`Channel::secrets`]). Cannot fail: a
    /// failure is what the outcome says, without any secret in it.
    async fn deliver(&self, channel: &Channel, secrets: &Secrets, message: &Message) -> Outcome;

    /// What was asked of all sources so far, for `/metrics`. The number of lines is bounded by accounts × regions ×
    /// operations × outcomes.
    fn calls(&self) -> Vec<Calls>;
}

/// How often one operation of one source went one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// `aws 123456789012/ap-northeast-1`
    pub source: String,
    /// `DescribeInstances`
    pub operation: &'static str,
    /// `Answered`, or the category of the failure.
    pub outcome: &'static str,
    /// Attempts so far, retries included.
    pub count: u64,
}

/// Reads one account. Cannot fail: a failure is what the reading says. A call may be given up at any await.
#[async_trait]
pub trait AccountReader: Send + Sync {
    /// Instances of a region in all states. `now` is world time, when the listing is begun.
    async fn instances(&self, region: &Region, now: Timestamp) -> Reading<Vec<Instance>>;
    /// Volumes of a region.
    async fn volumes(&self, region: &Region, now: Timestamp) -> Reading<Vec<Volume>>;
    /// Elastic addresses of a region.
    async fn addresses(&self, region: &Region, now: Timestamp) -> Reading<Vec<Address>>;
    /// DB instances of a region, of every engine.
    async fn databases(&self, region: &Region, now: Timestamp) -> Reading<Vec<Database>>;
    /// DB clusters of a region, of every engine.
    async fn clusters(&self, region: &Region, now: Timestamp) -> Reading<Vec<DatabaseCluster>>;
    /// What these hosts of a region did on the days of `window`, and nobody else: each metric costs money. Of a host of which
    /// something was not answered wholly, that part is not read.
    async fn activity(&self, region: &Region, wanted: &[Wanted], window: Window, now: Timestamp) -> Activity;
    /// What assertions ask of a region, and no more. What is `known` of it is kept while it is complete and younger than
    /// `keep`; the number of calls is the reader's to bound, and what it does not reach in one go keeps its last reading.
    async fn asserted(
        &self,
        region: &Region,
        known: &Inventory,
        asked: &Asked,
        keep: Duration,
        now: Timestamp,
    ) -> Asserted;
}

/// Reads one monitoring system. Cannot fail, and a call may be given up at any await: what was proved before is kept.
#[async_trait]
pub trait RegistryReader: Send {
    /// A term begins: these were registered when somebody last looked, and a list that lacks them must be explained.
    fn remember(&mut self, registrations: BTreeSet<RegistrationId>);
    /// All listings, and whatever is known of the checks of single hosts, each with its own time. `now` is world time.
    async fn read(&mut self, now: Timestamp, proofs: Proofs) -> Registry;
}

/// Whether calls for single hosts may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proofs {
    /// Renew what is due, within the reader's own limits.
    Renew,
    /// Ask for nothing host by host: this replica only stands by.
    Spare,
}

/// What makes two endpoints the same source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// The data of a Secret, read for one use. It is never printed, kept in a status, or recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(BTreeMap<String, Vec<u8>>);

impl Secret {
    /// The data as the API server gave it, decoded.
    #[must_use]
    pub fn new(data: BTreeMap<String, Vec<u8>>) -> Self {
        Self(data)
    }

    /// The value of a key as text, without white space around it (a trailing newline is everybody's first mistake).
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|bytes| std::str::from_utf8(bytes).ok()).map(str::trim)
    }

    /// The keys, for messages.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Key and value pairs, for a fingerprint.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_slice()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// The Secrets that one object names, by name; read for one use, as each of them is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, Secret>);

impl Secrets {
    /// The value of a key of a Secret as text.
    #[must_use]
    pub fn get(&self, name: &str, key: &str) -> Option<&str> {
        self.0.get(name)?.get(key)
    }
}

impl FromIterator<(String, Secret)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (String, Secret)>>(secrets: I) -> Self {
        Self(secrets.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new([("api-key".to_owned(), b"canary-7f3a\n".to_vec())].into());
        assert_eq!(secret.get("api-key"), Some("canary-7f3a"));
        assert_eq!(format!("{secret:?}"), "Secret(redacted)");
    }
}
