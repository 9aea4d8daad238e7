//! From the edit of a custom resource to its status, with cached sources: what a person feels who works with kubectl.
//!
//! It must never count a status that only repeats itself: the new one must speak of the new generation and say
//! something else about the fleet.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::{Stream, StreamExt as _};
use kube::api::{DynamicObject, Patch, PatchParams, WatchEvent, WatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::pinned_kind;
use kube::{Api, Client};
use rollcall_bench::figure::{at_most, milliseconds, note, percentile, said};
use rollcall_harness::world::{TEAM, World};
use serde_json::{Value, json};

use crate::unhurried;

/// The slowest edit of a hundred.
const P99_MS: f64 = 1000.0;
/// It applies to one host in each of the seven environments: few writes, so that the write budget is not what we measure.
const CHECK: &str = "bastion-logins";
/// What those hosts run, and what nobody runs.
const NAMES: [&str; 2] = ["check-nobody-runs", "check-bastion-logins"];
const ENVIRONMENTS: usize = 7;
/// The write budget is full again after this; people do not edit faster.
const PAUSE: Duration = Duration::from_millis(1500);
/// After this it is a failure, not a figure.
const GIVEN_UP: Duration = Duration::from_secs(30);

/// Prints the figures of so many edits, one after the other.
///
/// # Errors
/// When the API server refuses, or no status follows.
pub async fn measure(world: &World, edits: usize) -> Result<()> {
    let operator = unhurried(world, "rollcall-0").await?;
    world.quiet().await?;
    let client = world.cluster.client().await?;
    let checks = api(&client, "RequiredCheck").await?;
    let environments = api(&client, "Environment").await?;
    let (mut own, mut all) = (Vec::new(), Vec::new());
    for name in NAMES.iter().cycle().take(edits) {
        let took = edit(&checks, &environments, name).await.with_context(|| format!("edit to {name}"))?;
        own.push(took.check);
        all.push(took.environments);
        tokio::time::sleep(PAUSE).await;
    }
    let of = |times: &mut Vec<Duration>, share| milliseconds(percentile(times, share).unwrap_or_default());
    note(
        &format!("edit of a RequiredCheck to its own status, p50 of {edits}"),
        said(of(&mut own, 0.5), "ms"),
    );
    at_most(
        &format!("edit of a RequiredCheck to its own status, p99 of {edits}"),
        of(&mut own, 0.99),
        P99_MS,
        "ms",
    );
    note("edit to the statuses of all 7 environments, p50", said(of(&mut all, 0.5), "ms"));
    at_most("edit to the statuses of all 7 environments, p99", of(&mut all, 0.99), P99_MS, "ms");
    operator.stop().await
}

/// How long one edit took to be seen.
struct Took {
    check: Duration,
    environments: Duration,
}

async fn edit(checks: &Api<DynamicObject>, environments: &Api<DynamicObject>, name: &str) -> Result<Took> {
    let now = checks.get(CHECK).await?;
    let before = missing(&now);
    let mut of_check = changes(checks, Some(CHECK)).await?;
    let mut of_environments = changes(environments, None).await?;
    let change = json!({"spec": {"watched": {"by": [{"system": "mackerel", "check": {"name": name}}]}}});
    let begun = Instant::now();
    let edited = checks.patch(CHECK, &PatchParams::default(), &Patch::Merge(change)).await?;
    let generation = edited.metadata.generation.context("an object without generation")?;
    let own = async {
        loop {
            let object = of_check.next().await.context("the watch of RequiredChecks ended")??;
            let observed = object.data.pointer("/status/observedGeneration").and_then(Value::as_i64);
            if observed.is_some_and(|observed| observed >= generation) && missing(&object) != before {
                return anyhow::Ok(begun.elapsed());
            }
        }
    };
    let all = async {
        let mut changed = BTreeSet::new();
        while changed.len() < ENVIRONMENTS {
            let object = of_environments.next().await.context("the watch of Environments ended")??;
            changed.insert(object.metadata.name);
        }
        anyhow::Ok(begun.elapsed())
    };
    let both = async { tokio::try_join!(own, all) };
    let (check, environments) =
        tokio::time::timeout(GIVEN_UP, both).await.context("no status within 30 s")??;
    Ok(Took { check, environments })
}

/// The row of the ledger that every edit here changes.
fn missing(check: &DynamicObject) -> Option<String> {
    Some(check.data.pointer("/status/summary/missing")?.as_str()?.to_owned())
}

/// Every object that changes from now on.
async fn changes(
    api: &Api<DynamicObject>,
    name: Option<&str>,
) -> Result<impl Stream<Item = Result<DynamicObject>> + Unpin> {
    let list = api.list_metadata(&kube::api::ListParams::default().limit(1)).await?;
    let from = list.metadata.resource_version.context("a list without resourceVersion")?;
    let mut wanted = WatchParams::default().timeout(120);
    if let Some(name) = name {
        wanted = wanted.fields(&format!("metadata.name={name}"));
    }
    let events = api.watch(&wanted, &from).await?.boxed();
    Ok(events
        .filter_map(async |event| match event {
            Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => Some(Ok(object)),
            Ok(_) => None,
            Err(error) => Some(Err(error.into())),
        })
        .boxed())
}

async fn api(client: &Client, kind: &str) -> Result<Api<DynamicObject>> {
    let kind = GroupVersionKind::gvk("rollcall.dev", "v1alpha1", kind);
    let (resource, _) = pinned_kind(client, &kind).await?;
    Ok(Api::namespaced_with(client.clone(), TEAM, &resource))
}
