//! Who of the team's fleet is unused, by the ground truth of what its hosts do: pointed at are those that did nothing for as long
//! as the rule looks, and nobody else. Not while CloudWatch refuses, forgets or is late, and not for want of data.

use std::collections::BTreeSet;

use anyhow::Result;
use jiff::SignedDuration;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use rollcall_crds::v1alpha1::{Environment, Exemption, Host, HostRole, HostState};
use rollcall_fakes::aws::Load;
use rollcall_fakes::faults::{Fault, Rule};
use rollcall_harness::wait::{Look, until};
use rollcall_harness::world::unused::{ASKS, LONG_AGO};
use rollcall_harness::world::{TEAM, World};
use serde_json::json;

use super::told::{PATIENCE, environments};

/// They do nothing.
const UNUSED: [&str; 4] = ["jp1-batch-1", "jp1-batch-3", "jp1-search-2", "jp1-ci-1"];
/// It does nothing, and somebody keeps it.
const KEPT: &str = "jp1-batch-2";
/// It did nothing until Friday.
const BUSY_AGAIN: &str = "jp1-batch-4";
/// It does nothing, and nobody is told of it on one of the days.
const SILENT_FOR_A_DAY: &str = "jp1-search-3";
/// It waits for its hour.
const WAITS: &str = "jp1-bastion-1";

/// What hosts of the environment really do; all others are busy.
fn plant(world: &World) {
    for name in UNUSED.into_iter().chain([KEPT, BUSY_AGAIN, SILENT_FOR_A_DAY, WAITS]) {
        world.does(name, LONG_AGO, Some(Load::IDLE)).unwrap();
    }
    world.does(BUSY_AGAIN, "2026-11-20T09:00:00Z", Some(Load::BUSY)).unwrap();
    world.does(SILENT_FOR_A_DAY, "2026-11-05T00:00:00Z", None).unwrap();
    world.does(SILENT_FOR_A_DAY, "2026-11-06T00:00:00Z", Some(Load::IDLE)).unwrap();
}

/// The environment asks; bastions may be idle; somebody keeps one host.
async fn ask(world: &World) -> Result<()> {
    let client = world.cluster.client().await?;
    let (merge, nothing) = (PatchParams::default(), PostParams::default());
    let lean = Patch::Merge(json!({"spec": {"lean": {"enforcement": "Flag"}}}));
    Api::<Environment>::namespaced(client.clone(), TEAM).patch(ASKS, &merge, &lean).await?;
    let expected = Patch::Merge(json!({"spec": {"idle": "Expected"}}));
    Api::<HostRole>::namespaced(client.clone(), TEAM).patch("bastion", &merge, &expected).await?;
    let exemption: Exemption = serde_json::from_value(json!({
        "apiVersion": "rollcall.dev/v1alpha1", "kind": "Exemption",
        "metadata": {"name": "keep-batch-2", "namespace": TEAM},
        "spec": {"type": "Accepted", "match": {"code": "RC0401"}, "hosts": [world.fleet.truth(KEPT)?.instance],
                 "reason": "The yearly closing runs here.", "approver": "k.tanaka", "expires": "2027-03-31"},
    }))?;
    Api::<Exemption>::namespaced(client, TEAM).create(&nothing, &exemption).await?;
    Ok(())
}

/// Names of the hosts that are told to be unused.
async fn unused(world: &World) -> Result<BTreeSet<String>> {
    let hosts = Api::<Host>::namespaced(world.cluster.client().await?, TEAM).list(&<_>::default()).await?;
    let told = hosts.items.into_iter().filter_map(|host| host.status);
    let told = told.filter(|status| status.state == Some(HostState::Unused));
    Ok(told.filter_map(|status| status.name).collect())
}

async fn becomes(world: &World, what: &str, column: &str, wanted: &[&str]) {
    let wanted: BTreeSet<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
    until(format!("unused hosts {what}: {column}"), PATIENCE, async || {
        let told = environments(world).await?.remove(ASKS).unwrap_or_default().summary.unused;
        let hosts = unused(world).await?;
        Ok(Look::that(told == column && hosts == wanted, || format!("{told:?} {hosts:?}")))
    })
    .await
    .unwrap();
}

/// `GetMetricData` calls so far.
fn asked(world: &World) -> u64 {
    world.stage().calls.of("cloudwatch", "GetMetricData")
}

#[tokio::test]
async fn only_who_really_does_nothing_is_pointed_at() {
    let mut world = World::start().await.unwrap();
    plant(&world);
    let operator = world.operator("rollcall").await.unwrap();
    world.weekend().await.unwrap();
    assert_eq!(asked(&world), 0, "nobody asks who is unused");

    // An empty answer that says Complete, and one that is refused: nobody does nothing by it.
    for fault in [Fault::EmptyAnswer, Fault::Denied] {
        world.stage().faults.add(Rule::new("cloudwatch", "GetMetricData", fault)).unwrap();
    }
    ask(&world).await.unwrap();
    until("CloudWatch is asked", PATIENCE, async || Ok(Look::that(asked(&world) > 0, String::new)))
        .await
        .unwrap();
    world.looked(2).await.unwrap();
    becomes(&world, "while CloudWatch lies", "-", &[]).await;

    world.stage().faults.clear();
    world.stage().clock.advance(SignedDuration::from_hours(5));
    becomes(&world, "by the ground truth", "4", &UNUSED).await;
    world.settled().await.unwrap();
    let before = asked(&world);
    world.stage().clock.advance(SignedDuration::from_hours(3));
    world.looked(2).await.unwrap();
    assert_eq!(asked(&world), before, "once a day");

    // One of them is used again: the next day's reading ends it, and nothing else changes.
    let now = world.stage().clock.now().to_string();
    world.does(UNUSED[0], &now, Some(Load::BUSY)).unwrap();
    world.stage().clock.advance(SignedDuration::from_hours(27));
    becomes(&world, "after one is used again", "3", &UNUSED[1..]).await;
    operator.stop().await.unwrap();
}
