//! Nine hosts of an environment look unused, and what becomes of each, by the ground truth: two are kept, one is used again, one is
//! protected, one is among the last of its duty, and four wait for people to approve. Nothing is done to any of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use jiff::SignedDuration;
use kube::Api;
use rollcall_crds::v1alpha1::{Retirement, RetirementState};
use rollcall_fakes::aws::Load;
use rollcall_fakes::receiver::Receiver;
use rollcall_harness::wait::{Look, until};
use rollcall_harness::world::unused::{ACTS, SIGNING, USED_AGAIN, WAIT};
use rollcall_harness::world::{TEAM, World};

use super::told::PATIENCE;

/// State and message of each retirement, by the name of its host.
async fn retirements(world: &World) -> Result<BTreeMap<String, (RetirementState, String)>> {
    let all =
        Api::<Retirement>::namespaced(world.cluster.client().await?, TEAM).list(&<_>::default()).await?;
    let told = all.items.into_iter().filter_map(|one| one.status);
    let told =
        told.filter_map(|status| Some((status.name?, (status.state?, status.message.unwrap_or_default()))));
    Ok(told.collect())
}

async fn become_so(world: &World, what: &str, wanted: &BTreeMap<String, RetirementState>) {
    until(what, PATIENCE, async || {
        let now = retirements(world).await?;
        let states: BTreeMap<_, _> = now.iter().map(|(name, (state, _))| (name.clone(), *state)).collect();
        Ok(Look::that(states == *wanted, || format!("{now:#?}")))
    })
    .await
    .unwrap();
}

/// Waits until the receiver has heard of these under this kind, each in one event, and of nobody else.
async fn is_told(receiver: &Receiver, kind: &str, names: &[String]) {
    until(kind, PATIENCE, async || {
        let heard = heard(receiver, kind);
        Ok(Look::that(heard == names, || format!("{heard:?}")))
    })
    .await
    .unwrap();
}

/// Whom the receiver heard of under this kind, each event once.
fn heard(receiver: &Receiver, kind: &str) -> Vec<String> {
    let heard: BTreeSet<(String, String)> = receiver
        .heard()
        .into_iter()
        .filter(|one| one.body["type"] == kind)
        .map(|one| (one.body["data"]["name"].as_str().unwrap().to_owned(), one.id))
        .collect();
    heard.into_iter().map(|(name, _)| name).collect()
}

#[tokio::test]
async fn of_nine_that_look_unused_four_wait_and_nothing_is_done_to_any() {
    let mut world = World::start().await.unwrap();
    world.nine_do_nothing().unwrap();
    let receiver = Receiver::start(SIGNING).await.unwrap();
    let operator = world.operator("rollcall").await.unwrap();
    world.weekend().await.unwrap();
    world.team_asks_for_retirement(&receiver.url()).await.unwrap();

    let told = WAIT.into_iter().chain([USED_AGAIN]);
    let mut wanted: BTreeMap<String, RetirementState> =
        told.map(|name| (name.to_owned(), RetirementState::Waiting)).collect();
    become_so(&world, "five owners are told", &wanted).await;
    let names: Vec<String> = wanted.keys().cloned().collect();
    is_told(&receiver, "retirement.proposed", &names).await;

    // On Tuesday one of them works again; each day is read after its end.
    world.settled().await.unwrap();
    let now = world.stage().clock.now().to_string();
    world.does(USED_AGAIN, &now, Some(Load::BUSY)).unwrap();
    world.stage().clock.advance(SignedDuration::from_hours(27));
    wanted.insert(USED_AGAIN.to_owned(), RetirementState::Undoing);
    become_so(&world, "one is used again", &wanted).await;
    world.stage().clock.advance(SignedDuration::from_mins(20));
    wanted.insert(USED_AGAIN.to_owned(), RetirementState::Cancelled);
    become_so(&world, "it stays", &wanted).await;
    is_told(&receiver, "retirement.cancelled", &[USED_AGAIN.to_owned()]).await;

    // Their owners' time runs out. Four wait for approvals, and that is all that happens to them.
    for _ in 0..3 {
        world.stage().clock.advance(SignedDuration::from_hours(27));
        world.settled().await.unwrap();
    }
    become_so(&world, "four wait", &wanted).await;
    for (name, (_, message)) in retirements(&world).await.unwrap() {
        let waits = message.starts_with("its owner's time is over; 2 approvals are needed");
        assert_eq!(waits, WAIT.contains(&&*name), "{name}: {message}");
    }
    is_told(&receiver, "retirement.proposed", &names).await;
    for operation in ACTS {
        assert_eq!(world.stage().calls.of("ec2", operation), 0, "{operation}");
    }
    operator.stop().await.unwrap();
}
