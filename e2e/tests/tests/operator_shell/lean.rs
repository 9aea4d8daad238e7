//! Who looks unused, told by the operator: asked once a day by the leader alone, remembered over a change of leader, and never
//! shown as none while it cannot be read.

use std::time::Duration;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use rollcall_crds::v1alpha1 as api;
use rollcall_engine::reading::FailureKind;
use rollcall_harness::wait::{Look, until};
use serde_json::{Value, json};

use super::script::Mood;
use super::stage::{REGION, SOON, Stage, TEAM, condition, environment, host_id, object};

const ENVIRONMENT: &str = "jp1";

/// Three hosts that have run for half a year; the second one does nothing.
async fn team() -> Result<Stage> {
    let stage = Stage::team(3).await?;
    stage.script.place(REGION, |place| {
        let half_a_year_ago = Timestamp::now() - SignedDuration::from_hours(24 * 180);
        place.instances.iter_mut().for_each(|instance| instance.launch_time = half_a_year_ago);
        place.quiet.insert(host_id(TEAM, 1).into());
    });
    Ok(stage)
}

/// The environment asks who is unused, by a policy of its own.
fn lean() -> [Value; 2] {
    let mut environment = environment(TEAM, ENVIRONMENT);
    environment["spec"]["lean"] = json!({"enforcement": "Flag", "policy": "standard"});
    [object("RetirementPolicy", TEAM, "standard", &json!({})), environment]
}

fn asked(stage: &Stage) -> Vec<usize> {
    stage.script.place(REGION, |place| place.activity_asked.clone())
}

async fn unused(stage: &Stage, wanted: &str) -> Result<Value> {
    stage.status::<api::Environment>(ENVIRONMENT, |status| status["summary"]["unused"] == wanted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unused_host_is_told_and_a_new_leader_buys_nothing_again() -> Result<()> {
    let stage = team().await?;
    let first = stage.replica("a", |_| {}).await?;
    unused(&stage, "-").await?;
    assert!(asked(&stage).is_empty(), "nobody asks who is unused");

    stage.apply(&lean()).await?;
    let status = unused(&stage, "1").await?;
    assert_eq!(status["causes"][0]["code"], "RC0401");
    assert_eq!(condition(&status, "Ready").split(' ').next(), Some("True"));
    let host = stage.status::<api::Host>(&host_id(TEAM, 1), |status| status["state"] == "Unused").await?;
    assert_eq!(host["findings"][0]["code"], "RC0401");
    let policy = |status: &Value| status["summary"]["hosts"] == "3" && status["summary"]["unused"] == "1";
    stage.status::<api::RetirementPolicy>("standard", policy).await?;
    assert_eq!(asked(&stage), [3]);
    stage.quiet("a").await?;
    assert_eq!(asked(&stage), [3], "once a day");

    let second = stage.replica("b", |_| {}).await?;
    second.says("standing by").await?;
    first.stop().await?;
    second.says("leading").await?;
    let written = stage.quiet("b").await?;
    assert_eq!(written, 0, "nothing is new to the new leader: {:#?}", stage.writes("b")?);
    unused(&stage, "1").await?;
    assert_eq!(asked(&stage), [3], "what was found today is remembered");
    second.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_not_shown_as_nobody_and_is_asked_again() -> Result<()> {
    let stage = team().await?;
    stage.script.place(REGION, |place| place.cloudwatch = Mood::Fails(FailureKind::Denied));
    stage.apply(&lean()).await?;
    let replica =
        stage.replica("a", |settings| settings.slow_inventory_interval = Duration::from_secs(4)).await?;
    until("activity was asked for", SOON, async || Ok(Look::that(!asked(&stage).is_empty(), String::new)))
        .await?;
    let policy = |status: &Value| status["summary"]["unknown"] == "3" && status["summary"]["unused"] == "-";
    stage.status::<api::RetirementPolicy>("standard", policy).await?;
    unused(&stage, "-").await?;

    stage.script.place(REGION, |place| place.cloudwatch = Mood::Answers);
    unused(&stage, "1").await?;
    replica.stop().await
}
