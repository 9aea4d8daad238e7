//! The first team's weekend: Rollcall is switched on, six hosts leave, Monday comes. Every story begins with it.
//!
//! It must never wait for what Rollcall decides, only for its having looked: stories judge the rest.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DynamicObject, ListParams};
use kube::core::GroupVersionKind;
use kube::discovery::pinned_kind;
use kube::{Api, Client};
use rollcall_fakes::calls::Which;

use super::World;
use crate::wait::{Look, until};

/// Account and region of every place where the fleet lives.
pub const PLACES: [(&str, &str); 3] =
    [("123456789012", "ap-northeast-1"), ("123456789012", "us-west-2"), ("210987654321", "ap-northeast-1")];

/// All sources answer within milliseconds; a first round proves the checks of 200 hosts one by one.
const LOOKED_WITHIN: Duration = Duration::from_mins(3);

/// First statuses of 200 hosts are written at 20 a second.
const QUIET_WITHIN: Duration = Duration::from_mins(2);

/// So long without a write is quiet: passes and writes follow each other within a second, and memory is written
/// once a second at most.
const QUIET_FOR: Duration = Duration::from_secs(3);

/// Kinds that have a status.
const KINDS: [&str; 10] = [
    "CloudAccount",
    "Environment",
    "HostRole",
    "RequiredCheck",
    "MonitoringSystem",
    "Exemption",
    "RetirementPolicy",
    "Retirement",
    "NotificationChannel",
    "Host",
];

impl World {
    /// Lets the weekend pass while a replica runs: it sees the fleet whole, six hosts leave and are seen to be gone,
    /// and it is Monday morning, with everything read again and every status written.
    ///
    /// # Errors
    /// When a fake refuses, or the operator stops looking.
    pub async fn weekend(&mut self) -> Result<()> {
        self.looked(2).await.context("Saturday")?;
        // The checks of single hosts are proved at a few calls a minute of the world, ten minutes' worth at most at once.
        self.stage().clock.advance(SignedDuration::from_mins(12));
        self.settled().await.context("later on Saturday")?;
        self.fleet.old_hosts_leave()?;
        // Shutting down takes a while; then AWS itself says that they are terminated.
        self.stage().clock.advance(SignedDuration::from_mins(2));
        self.settled().await.context("six hosts leave")?;
        self.fleet.monday_morning();
        self.settled().await.context("Monday morning")
    }

    /// Waits until all sources were asked for everything once more from now on, and nothing is written any more.
    ///
    /// # Errors
    /// When one of them is not asked in time, or writing does not end.
    pub async fn settled(&self) -> Result<()> {
        // The first of two readings may have begun before now.
        self.looked(2).await?;
        self.quiet().await
    }

    /// Waits until every source was asked so many times more, whatever it answered.
    ///
    /// # Errors
    /// When one of them is not asked in time.
    pub async fn looked(&self, times: u64) -> Result<()> {
        let before = self.looks();
        until(format!("every source is asked {times} more times"), LOOKED_WITHIN, async || {
            let now = self.looks();
            let seen = |source: &String| before.get(source).copied().unwrap_or_default();
            let behind = now.iter().filter(|(source, asked)| **asked < seen(source) + times);
            let behind: Vec<String> =
                behind.map(|(source, n)| format!("{source}: {}", n - seen(source))).collect();
            Ok(Look::that(behind.is_empty(), || format!("{behind:?}")))
        })
        .await
    }

    /// How often each source was asked for its hosts.
    #[must_use]
    pub fn looks(&self) -> BTreeMap<String, u64> {
        // A caller whose key is refused has no account, so that Mackerel's are counted without.
        let asked = |service: &str, operation: &str, place: Option<(&str, &str)>| {
            self.stage().calls.matching(&Which {
                service: Some(service.to_owned()),
                operation: Some(operation.to_owned()),
                account: place.map(|(account, _)| account.to_owned()),
                region: place.map(|(_, region)| region.to_owned()),
                error: None,
            })
        };
        let places = PLACES.map(|place| {
            (format!("{}/{}", place.0, place.1), asked("ec2", "DescribeInstances", Some(place)))
        });
        let mackerel = ("mackerel".to_owned(), asked("mackerel", "GET /api/v0/hosts", None));
        // Its first question, which also a dead one is asked.
        let nagios = ("nagios".to_owned(), asked("nagios", "statusjson.cgi programstatus", None));
        places.into_iter().chain([mackerel, nagios]).collect()
    }

    /// Waits until no Rollcall object, and nothing that a replica remembers, has changed for a while.
    ///
    /// # Errors
    /// When they keep changing.
    pub async fn quiet(&self) -> Result<()> {
        let client = self.cluster.client().await?;
        let mut last = versions(&client, self.namespace()).await?;
        let mut since = tokio::time::Instant::now();
        let mut changed: Vec<String> = Vec::new();
        until("no status changes any more", QUIET_WITHIN, async || {
            let now = versions(&client, self.namespace()).await?;
            if now != last {
                let news = now.iter().filter(|(object, version)| last.get(*object) != Some(version));
                changed = news.map(|(object, _)| object.clone()).collect();
                last = now;
                since = tokio::time::Instant::now();
            }
            Ok(Look::that(since.elapsed() >= QUIET_FOR, || {
                let some = changed.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
                format!("{} changed a moment ago, {some} among them", changed.len())
            }))
        })
        .await
    }
}

/// Every Rollcall object, and every part of memory, with its version.
async fn versions(client: &Client, home: &str) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for kind in KINDS {
        let (resource, _) =
            pinned_kind(client, &GroupVersionKind::gvk("rollcall.dev", "v1alpha1", kind)).await?;
        let api = Api::<DynamicObject>::all_with(client.clone(), &resource);
        for object in api.list_metadata(&ListParams::default()).await? {
            let namespace = object.metadata.namespace.unwrap_or_default();
            let name = object.metadata.name.unwrap_or_default();
            all.insert(
                format!("{kind} {namespace}/{name}"),
                object.metadata.resource_version.unwrap_or_default(),
            );
        }
    }
    let memory = Api::<ConfigMap>::namespaced(client.clone(), home);
    for map in memory.list_metadata(&ListParams::default().labels("rollcall.dev/memory")).await? {
        let name = map.metadata.name.unwrap_or_default();
        all.insert(format!("ConfigMap {name}"), map.metadata.resource_version.unwrap_or_default());
    }
    Ok(all)
}
