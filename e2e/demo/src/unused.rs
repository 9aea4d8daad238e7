//! Nine hosts look unused. What becomes of each is the fleet's own truth; Rollcall must find it, and must do nothing to any of them.
//!
//! Days pass here, so it is played once, after the first round.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use jiff::SignedDuration;
use rollcall_crds::v1alpha1::RetirementState;
use rollcall_fakes::aws::Load;
use rollcall_fakes::receiver::Receiver;
use rollcall_harness::world::unused::{
    ACTS, AMONG_THE_LAST, ASKS, HEARD_NOTHING_OF, KEPT_BY_EXEMPTION, KEPT_BY_TAG, PROTECTED, SIGNING,
    SILENT_FOR_A_DAY, USED_AGAIN, WAIT,
};
use rollcall_harness::world::{TEAM, World};

use crate::look::Eyes;
use crate::screen::Screen;

/// A day, and until its metrics are read.
const A_DAY: SignedDuration = SignedDuration::from_hours(27);

/// Plays it.
///
/// # Errors
/// When Rollcall does not come to say what it must, or something is done to a host.
pub async fn play(world: &mut World, eyes: &Eyes, screen: &Screen) -> Result<()> {
    world.nine_do_nothing()?;
    let chat = Receiver::start(SIGNING).await?;
    let mut states = owners_are_told(world, eyes, screen, &chat).await?;
    one_is_used_again(world, eyes, screen, &mut states).await?;
    four_wait(world, eyes, screen, &states).await?;
    let is_called = |act: &&str| world.stage().calls.of("ec2", act) > 0;
    ensure!(!ACTS.iter().any(is_called), "something was done to a host");
    screen.more("Nothing was stopped, ended or tagged: no such call was made.");
    Ok(())
}

type States = BTreeMap<String, RetirementState>;

async fn owners_are_told(world: &mut World, eyes: &Eyes, screen: &Screen, chat: &Receiver) -> Result<States> {
    screen.now(&format!(
        "Who is unused? {ASKS} asks, and lets hosts of the duties app, git and ci go; their owners hear of it in a chat."
    ));
    screen.more(&format!(
        "kubectl patch rcenv {ASKS} -n {TEAM} --type=merge -p '{{\"spec\":{{\"lean\":{{\"enforcement\":\"Retire\",\"policy\":\"standard\"}},\"notifications\":[\"chat\"]}}}}'"
    ));
    world.team_asks_for_retirement(&chat.url()).await?;
    let told = WAIT.into_iter().chain([USED_AGAIN]);
    let states: States = told.map(|name| (name.to_owned(), RetirementState::Waiting)).collect();
    eyes.retirements("five owners are told", &states).await?;
    let asked = world.stage().calls.of("cloudwatch", "GetMetricData");
    let calls = if asked == 1 { "call" } else { "calls" };
    screen.now(&format!(
        "CloudWatch is asked for 90 days of {ASKS}, in {asked} {calls}. The owners of five hosts are told, in signed messages, and may say no."
    ));
    let table = world.cluster.kubectl(&["get", "rcretire", "-n", TEAM]).await?.ok()?;
    screen.table(&format!("kubectl get rcretire -n {TEAM}"), &table);
    screen.more(&format!(
        "Four more do nothing, and are left alone: {KEPT_BY_EXEMPTION} is kept by an Exemption, {KEPT_BY_TAG} by its owner's tag, {PROTECTED} is protected, {AMONG_THE_LAST} is one of the last two of its duty."
    ));
    screen.more(&format!(
        "CloudWatch knows nothing of {HEARD_NOTHING_OF}, and nothing of one day of {SILENT_FOR_A_DAY}. Unknown is never idle: neither is proposed."
    ));
    Ok(states)
}

async fn one_is_used_again(world: &World, eyes: &Eyes, screen: &Screen, states: &mut States) -> Result<()> {
    let now = world.stage().clock.now().to_string();
    world.does(USED_AGAIN, &now, Some(Load::BUSY))?;
    screen.now(&format!("Somebody needs {USED_AGAIN} after all, and works on it. A day passes."));
    world.stage().clock.advance(A_DAY);
    states.insert(USED_AGAIN.to_owned(), RetirementState::Cancelled);
    let told = eyes.retirements("one is used again", states).await?;
    let why = told.get(USED_AGAIN).cloned().unwrap_or_default();
    screen.now(&format!("{USED_AGAIN} is Cancelled by itself: {why}"));
    Ok(())
}

async fn four_wait(world: &World, eyes: &Eyes, screen: &Screen, states: &States) -> Result<()> {
    screen.now("The owners of the other four say nothing. Three days pass.");
    for _ in 0..3 {
        world.stage().clock.advance(A_DAY);
        world.settled().await?;
    }
    let told = eyes.retirements("four wait", states).await?;
    for name in WAIT {
        let message = told.get(name).cloned().unwrap_or_default();
        ensure!(message.contains("approvals are needed"), "{name}: {message}");
    }
    let message = WAIT.first().and_then(|name| told.get(*name)).cloned().unwrap_or_default();
    screen.now(&format!("{} wait: {message}", WAIT.join(", ")));
    Ok(())
}
