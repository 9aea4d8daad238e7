//! One Mackerel organisation as the engine's registry, poll by poll.
//!
//! Every list is asked anew each poll, and each is a reading of its own: what one of them cannot say, the others still do.
//! Only names of checks are gathered over many polls. What is kept between polls is what makes a loss visible.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use futures::StreamExt;
use jiff::Timestamp;
use rollcall_engine::ids::RegistrationId;
use rollcall_engine::reading::{Extent, Failure, Reading};
use rollcall_engine::registry::{Checks, Monitor, Notifications, Product, Registration, Registry};

use super::checks::CheckReader;
use super::client::{Client, Session};
use super::key::KeySource;
use super::known::Known;
use super::metrics::{self, HOSTS_PER_CALL, Latest, Part};
use crate::{Depth, RegistrySource};

/// Calls for metrics that are under way at once; the token bucket paces them.
const AT_ONCE: usize = 4;

/// One organisation, polled.
pub struct MackerelSource {
    client: Client,
    keys: Arc<dyn KeySource>,
    hosts: Known<RegistrationId>,
    services: Known<String>,
    monitors: Known<String>,
    checks: CheckReader,
    latest: Latest,
    failing: BTreeMap<&'static str, Timestamp>,
}

impl MackerelSource {
    /// A source that has read nothing yet.
    #[must_use]
    pub fn new(client: Client, keys: Arc<dyn KeySource>, checks: CheckReader) -> Self {
        Self {
            client,
            keys,
            hosts: Known::new(),
            services: Known::new(),
            monitors: Known::new(),
            checks,
            latest: Latest::new(),
            failing: BTreeMap::new(),
        }
    }

    fn source(&self, listing: &str) -> String {
        format!("mackerel {listing} of {}", self.client.endpoint().host())
    }

    /// A poll without a key: everything fails, and what is known of checks stands.
    fn without_key(&mut self, why: &Failure, now: Timestamp) -> Registry {
        let mut registry = Registry {
            product: Product::Mackerel,
            organization: Some(Reading::failed(self.source("organisation"), now, why.clone())),
            program: None,
            notifications: Some(Reading::failed(self.source("notifications"), now, why.clone())),
            hosts: Reading::failed(self.source("hosts"), now, why.clone()),
            services: Reading::failed(self.source("services"), now, why.clone()),
            monitors: Reading::failed(self.source("monitors"), now, why.clone()),
            checks: Checks::ByHost(self.checks.readings(now)),
            last_metric: Reading::failed(self.source("metrics"), now, why.clone()),
        };
        self.keep_since(&mut registry);
        registry
    }

    /// A listing that fails again has been failing since it first did.
    fn keep_since(&mut self, registry: &mut Registry) {
        let failing = &mut self.failing;
        let mut keep = |listing, extent: &mut Extent| match extent {
            Extent::Failed { since, .. } => *since = *failing.entry(listing).or_insert(*since),
            _ => drop(failing.remove(listing)),
        };
        if let Some(organization) = &mut registry.organization {
            keep("organisation", &mut organization.extent);
        }
        if let Some(notifications) = &mut registry.notifications {
            keep("notifications", &mut notifications.extent);
        }
        keep("hosts", &mut registry.hosts.extent);
        keep("services", &mut registry.services.extent);
        keep("monitors", &mut registry.monitors.extent);
        keep("metrics", &mut registry.last_metric.extent);
    }
}

#[async_trait]
impl RegistrySource for MackerelSource {
    fn remember(&mut self, registrations: BTreeSet<RegistrationId>) {
        self.hosts.add(registrations);
    }

    async fn read(&mut self, now: Timestamp, depth: Depth) -> Registry {
        let key = match self.keys.key().await {
            Ok(key) => key,
            Err(why) => return self.without_key(&why, now),
        };
        let names = ["organisation", "hosts", "services", "monitors", "metrics", "notifications"];
        let [org_of, hosts_of, services_of, monitors_of, metrics_of, notifications_of] =
            names.map(|listing| self.source(listing));
        let session = self.client.with(key);
        let (organization, hosts, services, monitors, notifications) = tokio::join!(
            organization(&session, org_of, now),
            hosts(&session, &mut self.hosts, hosts_of, now),
            services(&session, &mut self.services, services_of, now),
            monitors(&session, &mut self.monitors, monitors_of, now),
            notifications(&session, notifications_of, now),
        );
        self.checks.know(self.hosts.all());
        let proofs = async {
            if depth == Depth::Hosts {
                self.checks.read(&session, now).await;
            }
        };
        let (last_metric, ()) = tokio::join!(
            last_metric(&session, &hosts, self.hosts.all(), &self.latest, (metrics_of, now)),
            proofs,
        );
        if !matches!(last_metric.extent, Extent::Failed { .. }) {
            self.latest.clone_from(&last_metric.seen);
        }
        let checks = Checks::ByHost(self.checks.readings(now));
        let organization = Some(organization);
        let mut registry = Registry {
            product: Product::Mackerel,
            organization,
            program: None,
            notifications: Some(notifications),
            hosts,
            services,
            monitors,
            checks,
            last_metric,
        };
        self.keep_since(&mut registry);
        registry
    }
}

/// Whose registrations these are: asked with the same key in every poll, for a key may be exchanged at any time.
async fn organization(session: &Session<'_>, source: String, now: Timestamp) -> Reading<String> {
    match session.org().await {
        Ok(org) => Reading::complete_at(source, now, org.name),
        Err(why) => Reading::failed(source, now, why),
    }
}

async fn hosts(
    session: &Session<'_>,
    known: &mut Known<RegistrationId>,
    source: String,
    now: Timestamp,
) -> Reading<Vec<Registration>> {
    let mut listing = session.hosts().await;
    let seen = listing.seen.iter().map(|host| host.id.clone()).collect();
    let mut lives = vec![];
    for id in known.suspects(&listing, &seen) {
        let answer = session.host_lives(id.as_str()).await;
        lives.push((id, answer));
    }
    known.learn(&mut listing, seen, lives);
    listing.reading(source, now)
}

async fn services(
    session: &Session<'_>,
    known: &mut Known<String>,
    source: String,
    now: Timestamp,
) -> Reading<BTreeMap<String, Vec<String>>> {
    let mut listing = session.services().await;
    let seen = listing.seen.keys().cloned().collect();
    let mut lives = vec![];
    for name in known.suspects(&listing, &seen) {
        let answer = session.service_lives(&name).await;
        lives.push((name, answer));
    }
    known.learn(&mut listing, seen, lives);
    listing.reading(source, now)
}

async fn monitors(
    session: &Session<'_>,
    known: &mut Known<String>,
    source: String,
    now: Timestamp,
) -> Reading<Vec<Monitor>> {
    let mut listing = session.monitor_list().await;
    let seen = listing.seen.read.iter().map(|monitor| monitor.id.clone()).collect();
    let mut lives = vec![];
    for id in known.suspects(&listing, &seen) {
        let answer = session.monitor_lives(&id).await;
        lives.push((id, answer));
    }
    known.learn(&mut listing, seen, lives);
    listing.map(|monitors| monitors.read).reading(source, now)
}

async fn notifications(session: &Session<'_>, source: String, now: Timestamp) -> Reading<Notifications> {
    let (groups, channels) = tokio::join!(session.notification_groups(), session.channels());
    super::notifications::reading(groups, channels, source, now)
}

/// The newest metrics of all hosts that are known; when one call fails the rest is not asked.
async fn last_metric(
    session: &Session<'_>,
    hosts: &Reading<Vec<Registration>>,
    known: &BTreeSet<RegistrationId>,
    held: &Latest,
    (source, now): (String, Timestamp),
) -> Reading<Latest> {
    if let (Extent::Failed { why, .. }, true) = (&hosts.extent, known.is_empty()) {
        return Reading::failed(source, now, why.clone());
    }
    let known: Vec<_> = known.iter().cloned().collect();
    let trouble = OnceLock::new();
    let calls =
        known.chunks(HOSTS_PER_CALL).map(|asked| part(session, asked.to_vec(), &trouble)).collect::<Vec<_>>();
    let parts = futures::stream::iter(calls).buffered(AT_ONCE).collect().await;
    metrics::join(parts, held, source, now)
}

/// One call, unless an earlier one failed.
async fn part(session: &Session<'_>, asked: Vec<RegistrationId>, trouble: &OnceLock<Failure>) -> Part {
    let told = match trouble.get() {
        Some(why) => Err(why.clone()),
        None => session.latest(&asked).await,
    };
    if let Err(why) = &told {
        trouble.get_or_init(|| why.clone());
    }
    Part { asked, told }
}
