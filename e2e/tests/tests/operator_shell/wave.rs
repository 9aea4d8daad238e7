//! Many hosts at once: a wave of first writes keeps to its budget, tells its progress, and keeps nobody waiting.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use rollcall_crds::v1alpha1::Environment;
use rollcall_harness::controlplane::AuditEvent;
use rollcall_harness::wait::{Look, until};

use super::stage::{Stage, TEAM, condition, environment};

const HOSTS: usize = 2_000;
/// Per second. Two calls make one host.
const BUDGET: u32 = 100;

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_hosts_are_written_within_the_budget_and_with_progress() -> Result<()> {
    let stage = Stage::team(HOSTS).await?;
    let replica = stage.replica("a", |settings| settings.writes_per_second = BUDGET).await?;
    let begun =
        stage.status::<Environment>("jp1", |s| condition(s, "Reconciling") == "True WritingHosts").await?;
    assert_eq!(begun["summary"]["hosts"], "2000", "the environment is told before its hosts are written");
    let first = stage.told_hosts(TEAM).await?;
    assert!(first < HOSTS / 2, "{first} hosts were written before their environment was told");

    // Meanwhile somebody edits: nobody waits for the wave.
    let edit = std::time::Instant::now();
    stage.apply(&[environment(TEAM, "other")]).await?;
    stage.status::<Environment>("other", |s| s["summary"]["hosts"] == "0").await?;
    println!("an edit during the wave was told within {:?}", edit.elapsed());
    assert!(stage.told_hosts(TEAM).await? < HOSTS, "the wave was still under way");
    let told = |s: &serde_json::Value| {
        s.to_string().contains(" of 2,000 hosts written")
            && !s.to_string().contains("0 of 2,000 hosts written\"")
    };
    stage.status::<Environment>("jp1", told).await?;

    until("all hosts are written", Duration::from_mins(3), async || {
        let told = stage.told_hosts(TEAM).await?;
        Ok(Look::that(told == HOSTS, || format!("{told} hosts")))
    })
    .await?;
    let done = stage.status::<Environment>("jp1", |s| condition(s, "Reconciling") == "none").await?;
    assert_eq!(done["summary"]["covered"], "2000/2000");
    stage.quiet("a").await?;

    let mut by_second: BTreeMap<i64, u32> = BTreeMap::new();
    let mut by_kind: BTreeMap<String, usize> = BTreeMap::new();
    // On a slow machine the API server, or we, give up on a write now and then. It took effect all the same, or is made again:
    // neither is a second host, for a name is there once.
    let is_made = |write: &AuditEvent| write.code == 201 || (write.code < 400 && write.subresource.is_some());
    for write in stage.writes("a")?.into_iter().filter(|write| is_made(write) || write.resource != "hosts") {
        *by_second.entry(write.received.as_second()).or_default() += 1;
        *by_kind.entry(format!("{} {:?}", write.resource, write.subresource)).or_default() += 1;
    }
    let fastest = by_second.values().max().copied().unwrap_or(0);
    // A quarter of a second's worth may come at once, and calls may bunch on their way to the server.
    assert!(fastest <= BUDGET * 3 / 2, "{fastest} writes in a second");
    let (made, lost) = (by_kind["hosts None"], HOSTS / 100);
    assert!(
        (HOSTS - lost..=HOSTS).contains(&made),
        "each host is made once, but for answers that were lost: {made}"
    );
    let told = by_kind["hosts Some(\"status\")"];
    assert!(
        (HOSTS - lost..=HOSTS + lost).contains(&told),
        "and told once, but for answers that were lost: {told}"
    );
    let others: usize = by_kind.values().sum::<usize>() - made - told;
    assert!(others < 60, "progress is told now and then, not with every pass: {by_kind:?}");
    replica.stop().await?;
    Ok(())
}
