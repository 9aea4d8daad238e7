//! Nine hosts of an environment look unused, and what becomes of each, by the ground truth: two are kept, one is used again, one is
//! protected, one is among the last of its duty, and four wait for people to approve. Nothing is done to any of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use jiff::SignedDuration;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use rollcall_crds::v1alpha1::{Environment, Exemption, HostRole, Retirement, RetirementState};
use rollcall_fakes::aws::Load;
use rollcall_fakes::receiver::Receiver;
use rollcall_harness::wait::{Look, until};
use rollcall_harness::world::{TEAM, World};
use serde_json::json;

use super::lean::{ASKS, LONG_AGO, does};
use super::told::PATIENCE;

/// 24 bytes that say what they are.
const SIGNING: &str = "whsec_Y2FuYXJ5LW5ldy0zZmQxYzBiNmU1LXh5";

/// They do nothing, and nobody says a word.
const WAIT: [&str; 4] = ["jp1-app-1", "jp1-app-2", "jp1-git-1", "jp1-git-2"];
const KEPT_BY_EXEMPTION: &str = "jp1-app-3";
const KEPT_BY_TAG: &str = "jp1-git-3";
/// Its owner needs it after all, and says so by using it.
const USED_AGAIN: &str = "jp1-app-4";
const PROTECTED: &str = "jp1-git-4";
/// One of two.
const AMONG_THE_LAST: &str = "jp1-ci-1";
/// Of nobody can be said what they do: of one CloudWatch has nothing at all, of the other one nothing of one day.
const HEARD_NOTHING_OF: &str = "jp1-app-5";
const SILENT_FOR_A_DAY: &str = "jp1-app-6";

fn plant(world: &World) {
    let idle = [KEPT_BY_EXEMPTION, KEPT_BY_TAG, USED_AGAIN, PROTECTED, AMONG_THE_LAST, SILENT_FOR_A_DAY];
    for name in WAIT.into_iter().chain(idle) {
        does(world, name, LONG_AGO, Some(Load::IDLE));
    }
    does(world, HEARD_NOTHING_OF, LONG_AGO, None);
    does(world, SILENT_FOR_A_DAY, "2026-11-05T00:00:00Z", None);
    does(world, SILENT_FOR_A_DAY, "2026-11-06T00:00:00Z", Some(Load::IDLE));
    let of = |name: &str| {
        (world.fleet.region_of(name).unwrap(), world.fleet.truth(name).unwrap().instance.clone())
    };
    let (region, instance) = of(KEPT_BY_TAG);
    region.tag(&instance, "rollcall.dev/keep", "2027-03-31").unwrap();
    let (region, instance) = of(PROTECTED);
    region.change_instance(&instance, |instance| instance.termination_protected = true).unwrap();
}

/// The team asks for retirement, names a channel, and keeps one host.
async fn ask(world: &mut World, receiver: &Receiver) -> Result<()> {
    let client = world.cluster.client().await?;
    let (merge, nothing) = (PatchParams::default(), PostParams::default());
    let object = |kind: &str, name: &str, spec: serde_json::Value| json!({"apiVersion": "rollcall.dev/v1alpha1", "kind": kind, "metadata": {"name": name, "namespace": TEAM}, "spec": spec});
    let webhook = json!({"urlSecret": {"name": "chat", "key": "url"}, "signingSecret": {"name": "chat", "key": "signing"}});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "chat", "namespace": TEAM},
        "stringData": {"url": receiver.url(), "signing": SIGNING}});
    let policy = object("RetirementPolicy", "standard", json!({"graceBusinessDays": 3, "keepLastHosts": 2}));
    world
        .cluster
        .apply(vec![secret, policy, object("NotificationChannel", "chat", json!({"webhook": webhook}))])
        .await?;
    for duty in ["app", "git", "ci"] {
        let allowed = Patch::Merge(json!({"spec": {"retirement": "Allowed"}}));
        Api::<HostRole>::namespaced(client.clone(), TEAM).patch(duty, &merge, &allowed).await?;
    }
    let exemption: Exemption = serde_json::from_value(object(
        "Exemption",
        "keep-app-3",
        json!({"type": "Accepted", "match": {"code": "RC0401"}, "hosts": [world.fleet.truth(KEPT_BY_EXEMPTION)?.instance],
            "reason": "The yearly closing runs here.", "approver": "k.tanaka", "expires": "2027-03-31"}),
    ))?;
    Api::<Exemption>::namespaced(client.clone(), TEAM).create(&nothing, &exemption).await?;
    let lean =
        json!({"spec": {"lean": {"enforcement": "Retire", "policy": "standard"}, "notifications": ["chat"]}});
    Api::<Environment>::namespaced(client, TEAM).patch(ASKS, &merge, &Patch::Merge(lean)).await?;
    Ok(())
}

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
    plant(&world);
    let receiver = Receiver::start(SIGNING).await.unwrap();
    let operator = world.operator("rollcall").await.unwrap();
    world.weekend().await.unwrap();
    ask(&mut world, &receiver).await.unwrap();

    let told = WAIT.into_iter().chain([USED_AGAIN]);
    let mut wanted: BTreeMap<String, RetirementState> =
        told.map(|name| (name.to_owned(), RetirementState::Waiting)).collect();
    become_so(&world, "five owners are told", &wanted).await;
    let names: Vec<String> = wanted.keys().cloned().collect();
    is_told(&receiver, "retirement.proposed", &names).await;

    // On Tuesday one of them works again; each day is read after its end.
    world.settled().await.unwrap();
    let now = world.stage().clock.now().to_string();
    does(&world, USED_AGAIN, &now, Some(Load::BUSY));
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
    for operation in ["StopInstances", "TerminateInstances", "CreateTags", "DeleteTags"] {
        assert_eq!(world.stage().calls.of("ec2", operation), 0, "{operation}");
    }
    operator.stop().await.unwrap();
}
