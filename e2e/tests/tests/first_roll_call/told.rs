//! What anybody reads from the API: statuses as values that can be compared between two moments.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use kube::Api;
use kube::api::ListParams;
use rollcall_crds::v1alpha1::{Environment, EnvironmentSummary, Host, MonitoringSystem};
use rollcall_harness::controlplane::AuditEvent;
use rollcall_harness::wait::{Look, until};
use rollcall_harness::world::{TEAM, World};

/// Everything awaited follows within a few polls; clients with patience retry for up to a minute before they give up.
pub const PATIENCE: Duration = Duration::from_mins(3);

/// A line about the audit log is written a moment after its request was answered.
pub const AUDIT_LAG: Duration = Duration::from_secs(1);

/// An environment as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The columns.
    pub summary: EnvironmentSummary,
    /// Status, reason and message by type of condition.
    pub conditions: BTreeMap<String, (String, String, String)>,
    /// What of its ledger is missing, by check.
    pub missing: BTreeMap<String, Option<i32>>,
}

/// All environments of the team.
pub async fn environments(world: &World) -> Result<BTreeMap<String, Shown>> {
    let api = Api::<Environment>::namespaced(world.cluster.client().await?, TEAM);
    let listed = api.list(&ListParams::default()).await?;
    Ok(listed
        .into_iter()
        .map(|environment| (environment.metadata.name.clone().unwrap_or_default(), shown(environment)))
        .collect())
}

fn shown(environment: Environment) -> Shown {
    let status = environment.status.unwrap_or_default();
    let conditions = status.conditions.into_iter().map(|c| (c.type_, (c.status, c.reason, c.message)));
    Shown {
        summary: status.summary.unwrap_or_default(),
        conditions: conditions.collect(),
        missing: status.checks.into_iter().map(|row| (row.check, row.missing)).collect(),
    }
}

/// Waits until the columns of every environment are as `wanted`.
pub async fn all_become(
    world: &World,
    what: &str,
    wanted: impl Fn(&str, &EnvironmentSummary) -> bool,
) -> Result<BTreeMap<String, Shown>> {
    until(what, PATIENCE, async || {
        let all = environments(world).await?;
        let others: Vec<_> = all
            .iter()
            .filter(|(name, shown)| !wanted(name, &shown.summary))
            .map(|(n, s)| (n, &s.summary))
            .collect();
        Ok(if others.is_empty() { Look::There(all) } else { Look::NotYet(format!("{others:?}")) })
    })
    .await
}

/// The columns of every environment.
pub fn columns(all: &BTreeMap<String, Shown>) -> BTreeMap<&str, &EnvironmentSummary> {
    all.iter().map(|(name, shown)| (name.as_str(), &shown.summary)).collect()
}

/// The condition of the team's Mackerel that says whether its registrations are fresh.
pub async fn registrations_fresh(world: &World) -> Result<(String, String, String)> {
    let api = Api::<MonitoringSystem>::namespaced(world.cluster.client().await?, TEAM);
    let conditions = api.get("mackerel").await?.status.unwrap_or_default().conditions;
    let fresh = conditions.into_iter().find(|condition| condition.type_ == "RegistrationsFresh");
    Ok(fresh.map(|c| (c.status, c.reason, c.message)).unwrap_or_default())
}

/// State and codes of findings by the name of the Host object.
pub type Hosts = BTreeMap<String, (String, BTreeSet<String>)>;

/// What differs between two moments, a line each.
pub fn changed(before: &Hosts, now: &Hosts) -> Vec<String> {
    let ids: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let differs = ids.into_iter().filter(|id| before.get(*id) != now.get(*id));
    differs.map(|id| format!("{id}: {:?}, now {:?}", before.get(id), now.get(id))).collect()
}

/// All Host objects of the team.
pub async fn hosts(world: &World) -> Result<Hosts> {
    let api = Api::<Host>::namespaced(world.cluster.client().await?, TEAM);
    let listed = api.list(&ListParams::default()).await?;
    let face = |host: Host| {
        let status = host.status.unwrap_or_default();
        let codes = status.findings.into_iter().map(|finding| finding.code).collect();
        let state = status.state.map(|state| format!("{state:?}")).unwrap_or_default();
        (host.metadata.name.unwrap_or_default(), (state, codes))
    };
    Ok(listed.into_iter().map(face).collect())
}

/// How many requests the API server has logged.
pub async fn mark(world: &World) -> usize {
    tokio::time::sleep(AUDIT_LAG).await;
    world.cluster.plane().unwrap().audit_events().unwrap().len()
}

/// The operator's writes since a mark, its lease left out.
pub async fn writes_since(world: &World, mark: usize) -> Vec<String> {
    tokio::time::sleep(AUDIT_LAG).await;
    let events = world.cluster.plane().unwrap().audit_events().unwrap();
    let user = world.operator_user();
    let ours = events.into_iter().skip(mark).filter(|event| event.user == user && event.is_write());
    ours.filter(|event| event.resource != "leases").map(|event| words(&event)).collect()
}

fn words(event: &AuditEvent) -> String {
    let name = event.name.clone().unwrap_or_default();
    format!("{} {} {:?} {name}: {}", event.verb, event.resource, event.subresource, event.code)
}
