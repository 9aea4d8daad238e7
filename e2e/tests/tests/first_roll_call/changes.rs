//! What changes is told: a new host within one poll, an edited required check at once and from what is known already.

use std::time::Duration;

use jiff::SignedDuration;
use kube::Api;
use kube::api::{Patch, PatchParams};
use rollcall_backlog::LIBRARY;
use rollcall_crds::v1alpha1::RequiredCheck;
use rollcall_harness::operator::Operator;
use rollcall_harness::wait::{Look, until};
use rollcall_harness::world::World;
use serde_json::json;

use super::told::{PATIENCE, hosts};

/// World seconds between two polls: so rare that none happens by itself while a story is told, and shorter than a host
/// may settle.
const RARELY: u32 = 30 * 60;

/// A world on Monday morning whose sources were asked once and are asked again in half an hour of the world.
async fn rarely_asked() -> (World, Operator) {
    let mut world = World::start().await.unwrap();
    let operator = world.operator("rollcall").await.unwrap();
    world.weekend().await.unwrap();
    operator.stop().await.unwrap();
    let mut setup = world.setup("rollcall");
    setup.every_seconds = RARELY;
    let before = world.looks();
    let operator = Operator::start(&setup).await.unwrap();
    until("every source is asked once", PATIENCE, async || {
        let now = world.looks();
        Ok(Look::that(now.iter().all(|(source, n)| *n > before[source]), || {
            format!("{before:?}, then {now:?}")
        }))
    })
    .await
    .unwrap();
    world.quiet().await.unwrap();
    (world, operator)
}

#[tokio::test]
async fn a_new_host_is_settling_after_one_poll_and_active_when_it_is_in_order() {
    let (mut world, operator) = rarely_asked().await;
    let name = world.fleet.a_host_joins("jp1", "app").unwrap();
    let id = world.fleet.truth(&name).unwrap().instance.clone();
    let state = async || hosts(&world).await.unwrap().remove(&id);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(state().await, None, "nobody has looked yet");

    let before = world.looks();
    world.stage().clock.advance(SignedDuration::from_secs(i64::from(RARELY) * 12 / 10));
    let seen = until(format!("{name} is seen"), PATIENCE, async || {
        // The object is made first, its status follows.
        let seen = state().await.filter(|(state, _)| !state.is_empty());
        Ok(seen.map_or_else(|| Look::NotYet("nothing".to_owned()), Look::There))
    })
    .await
    .unwrap();
    let polls: Vec<_> = world.looks().iter().map(|(source, n)| n - before[source]).collect();
    assert!(polls.iter().all(|n| *n <= 1), "within one poll: {polls:?}");
    assert_eq!(seen, ("Settling".to_owned(), [].into()), "new, and no finding");
    operator.stop().await.unwrap();
}

#[tokio::test]
async fn an_edited_required_check_changes_statuses_from_what_is_known_already() {
    let (world, operator) = rarely_asked().await;
    let checks = Api::<RequiredCheck>::namespaced(world.cluster.client().await.unwrap(), LIBRARY);
    let applies = async || checks.get("ntp").await.unwrap().status.unwrap().summary.unwrap().applies;
    let (before, looks) = (applies().await, world.looks());

    let narrowed = json!({"spec": {"appliesTo": {"roles": ["ci"]}}});
    checks.patch("ntp", &PatchParams::default(), &Patch::Merge(&narrowed)).await.unwrap();
    let edited = std::time::Instant::now();
    let now = until("the status follows the edit", PATIENCE, async || {
        let now = applies().await;
        Ok(if now == before { Look::NotYet(now) } else { Look::There(now) })
    })
    .await
    .unwrap();
    println!("{before} hosts before, {now} after {} ms", edited.elapsed().as_millis());
    assert_eq!(now, "7", "two ci hosts in jp1 and stg each, three in dev");
    assert_eq!(world.looks(), looks, "no source was asked for it");
    operator.stop().await.unwrap();
}
