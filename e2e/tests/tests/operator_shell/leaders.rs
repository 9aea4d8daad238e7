//! Two replicas, one writer; a lease that is lost; memory that outlives whoever wrote it.

use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use rollcall_crds::v1alpha1::Environment;
use rollcall_harness::wait::{Look, until};
use serde_json::json;

use super::stage::{HOME, MACKEREL, REGION, SOON, Stage, TEAM, environment};

async fn holder(stage: &Stage) -> Result<Option<String>> {
    let leases: Api<Lease> = Api::namespaced(stage.client.clone(), HOME);
    let lease = leases.get_opt("rollcall").await?;
    Ok(lease.and_then(|lease| lease.spec).and_then(|spec| spec.holder_identity))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_one_writes_and_the_other_takes_over() -> Result<()> {
    let stage = Stage::team(3).await?;
    let first = stage.replica("a", |_| {}).await?;
    first.says("leading").await?;
    let second = stage.replica("b", |_| {}).await?;
    second.says("standing by").await?;
    stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;
    stage.quiet("a").await?;
    assert_eq!(stage.writes("b")?.len(), 0);
    let (asked, renewed) = stage.script.system(MACKEREL, |system| (system.asked, system.renewed));
    assert!(renewed < asked, "a standby spends no call on single hosts ({renewed} of {asked} did)");

    // In order: the lease is given back, so nobody waits for its end. Nothing changed, so nothing is written.
    let begun = std::time::Instant::now();
    first.stop().await?;
    second.says("leading").await?;
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "no waiting for the lease's end: {:?}",
        begun.elapsed()
    );
    stage.quiet("b").await?;
    let remembered = stage.script.system(MACKEREL, |system| system.remembered.len());
    assert_eq!(remembered, 3, "its first list is held against what was registered before");
    let took = stage.writes("b")?;
    assert!(took.is_empty(), "taking over writes nothing: {took:#?}");
    stage.hosts(TEAM, 4);
    stage.status::<Environment>("jp1", |s| s["summary"]["hosts"] == "4").await?;

    // By force: within the lease's time.
    let third = stage.replica("a", |_| {}).await?;
    third.says("standing by").await?;
    second.kill().await;
    third.says("leading").await?;
    stage.hosts(TEAM, 5);
    stage.status::<Environment>("jp1", |s| s["summary"]["hosts"] == "5").await?;
    third.stop().await?;
    assert_eq!(holder(&stage).await?, None, "given back");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_loses_the_lease_stops_writing_at_once() -> Result<()> {
    let stage = Stage::team(3).await?;
    let replica = stage.replica("a", |_| {}).await?;
    stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;
    stage.quiet("a").await?;

    let leases: Api<Lease> = Api::namespaced(stage.client.clone(), HOME);
    let steal = || async {
        let now = Timestamp::now().to_string();
        let theft =
            json!({"spec": {"holderIdentity": "thief", "renewTime": format!("{}.000000Z", &now[..19])}});
        leases.patch("rollcall", &PatchParams::default(), &Patch::Merge(&theft)).await
    };
    steal().await?;
    replica.says("standing by").await?;
    let before = stage.writes("a")?.len();
    stage.hosts(TEAM, 9);
    // The thief renews for longer than the lease lasts.
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        steal().await?;
    }
    assert_eq!(stage.writes("a")?.len(), before, "nothing is written without the lease");
    assert_eq!(holder(&stage).await?.as_deref(), Some("thief"));

    // The thief is gone: after the lease's time it is taken, and what happened meanwhile is told.
    stage.status::<Environment>("jp1", |s| s["summary"]["hosts"] == "9").await?;
    assert_eq!(holder(&stage).await?.as_deref(), Some("a"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_on_the_lease_is_no_loss() -> Result<()> {
    let stage = Stage::team(1).await?;
    let replica = stage.replica("a", |_| {}).await?;
    replica.says("leading").await?;
    let leases: Api<Lease> = Api::namespaced(stage.client.clone(), HOME);
    let transitions = |lease: Lease| lease.spec.and_then(|spec| spec.lease_transitions);
    let before = transitions(leases.get("rollcall").await?);
    for number in 0..10 {
        let label = json!({"metadata": {"labels": {"by": format!("hand{number}")}}});
        leases.patch("rollcall", &PatchParams::default(), &Patch::Merge(&label)).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    replica.says("leading").await?;
    assert_eq!(transitions(leases.get("rollcall").await?), before, "the same term all along");
    Ok(())
}

async fn memory(stage: &Stage) -> Result<Vec<ConfigMap>> {
    let maps: Api<ConfigMap> = Api::namespaced(stage.client.clone(), HOME);
    Ok(maps.list(&ListParams::default().labels("rollcall.dev/memory=head")).await?.items)
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_survives_and_what_cannot_be_read_is_not_taken_for_none() -> Result<()> {
    let stage = Stage::team(3).await?;
    let replica =
        stage.replica("a", |settings| settings.memory_interval = Duration::from_millis(100)).await?;
    stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;
    stage.quiet("a").await?;
    let kept = memory(&stage).await?;
    assert!(!kept.is_empty());
    replica.kill().await;

    let again = stage.replica("a", |_| {}).await?;
    again.says("leading").await?;
    stage.quiet("a").await?;
    let versions =
        |maps: &[ConfigMap]| maps.iter().map(|m| m.metadata.resource_version.clone()).collect::<Vec<_>>();
    assert_eq!(versions(&memory(&stage).await?), versions(&kept), "what was known is not written again");
    again.stop().await?;

    // A bit turns.
    let maps: Api<ConfigMap> = Api::namespaced(stage.client.clone(), HOME);
    let name = kept[0].metadata.name.clone().unwrap();
    let broken = json!({"binaryData": {"shard.json.gz": "bm90IGd6aXA="}});
    maps.patch(&name, &PatchParams::default(), &Patch::Merge(&broken)).await?;
    let before = stage.writes("a")?.len();
    stage.hosts(TEAM, 0);
    let refusing = stage.replica("a", |_| {}).await?;
    refusing.says(&format!("ConfigMap {name}: expected gzip")).await?;
    assert_eq!(refusing.get("/readyz").await?.0, 503);
    assert_eq!(stage.quiet("a").await?, before, "nothing is decided without memory");
    assert_eq!(stage.told_hosts(TEAM).await?, 3);

    // A person repairs it: here by giving up what it remembered. No restart is needed.
    maps.delete(&name, &DeleteParams::default()).await?;
    refusing.says("leading").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_that_somebody_else_wrote_is_read_anew() -> Result<()> {
    let stage = Stage::team(3).await?;
    let replica =
        stage.replica("a", |settings| settings.memory_interval = Duration::from_millis(100)).await?;
    stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;
    stage.quiet("a").await?;
    let maps: Api<ConfigMap> = Api::namespaced(stage.client.clone(), HOME);
    let merge = PatchParams::default();

    // A label is no other memory: the next change is written over it.
    for map in memory(&stage).await? {
        let label = json!({"metadata": {"labels": {"by": "hand"}}});
        maps.patch(&map.metadata.name.unwrap(), &merge, &Patch::Merge(&label)).await?;
    }
    stage.hosts(TEAM, 4);
    stage.status::<Environment>("jp1", |s| s["summary"]["hosts"] == "4").await?;
    replica.says("leading").await?;
    stage.quiet("a").await?;

    // Deleted memory is written again from what the holder remembers.
    let count = memory(&stage).await?.len();
    for map in memory(&stage).await? {
        maps.delete(&map.metadata.name.unwrap(), &DeleteParams::default()).await?;
    }
    stage.hosts(TEAM, 5);
    stage.apply(&[environment(TEAM, "jp1")]).await?;
    stage.status::<Environment>("jp1", |s| s["summary"]["hosts"] == "5").await?;
    until("the changed shard is back", SOON, async || {
        let found = memory(&stage).await?.len();
        Ok(Look::that(found > 0 && found <= count, || format!("{found} shards")))
    })
    .await?;
    assert!(stage.script.place(REGION, |place| place.asked) > 0);
    Ok(())
}
