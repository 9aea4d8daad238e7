//! Owners are told of unused hosts by the operator: the object, the notice, what ends it, and nothing twice over a change of
//! leader. Nothing is ever done to a host.

use std::time::Duration;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use rollcall_crds::v1alpha1 as api;
use rollcall_engine::notice::outbox::Outcome;
use rollcall_harness::wait::{Look, until};
use serde_json::{Value, json};

use super::stage::{REGION, SOON, Stage, TEAM, condition, environment, host_id, object};

const ENVIRONMENT: &str = "jp1";

/// Four hosts that have run for half a year; the second one does nothing.
async fn team() -> Result<Stage> {
    let stage = Stage::team(4).await?;
    stage.script.place(REGION, |place| {
        let half_a_year_ago = Timestamp::now() - SignedDuration::from_hours(24 * 180);
        let whole = half_a_year_ago.round(jiff::Unit::Second).unwrap();
        place.instances.iter_mut().for_each(|instance| instance.launch_time = whole);
        place.quiet.insert(host_id(TEAM, 1).into());
    });
    Ok(stage)
}

/// Owners are told, by one channel; what the Secret holds is the receiver's.
fn telling() -> [Value; 5] {
    let mut environment = environment(TEAM, ENVIRONMENT);
    environment["spec"]["lean"] = json!({"enforcement": "Notify", "policy": "standard"});
    environment["spec"]["notifications"] = json!(["chat"]);
    let role = json!({"type": "Duty", "retirement": "Allowed", "selector": {"anyOf": [{"matchTags": {"Role": ["app"]}}]}});
    let webhook = json!({"urlSecret": {"name": "chat", "key": "url"}, "signingSecret": {"name": "chat", "key": "signing"}});
    [
        object("RetirementPolicy", TEAM, "standard", &json!({"graceBusinessDays": 3})),
        object("HostRole", TEAM, "app", &role),
        object("NotificationChannel", TEAM, "chat", &json!({"webhook": webhook})),
        secret("whsec_canary-key"),
        environment,
    ]
}

/// Where the receiver is, and what signs.
fn secret(signing: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "chat", "namespace": TEAM},
        "stringData": {"url": "https://hooks.example.com/canary-url", "signing": signing}})
}

fn quick(settings: &mut rollcall_operator::settings::Settings) {
    settings.slow_inventory_interval = Duration::from_secs(2);
}

async fn retirement(stage: &Stage, wanted: &str) -> Result<Value> {
    let name = format!("{}-1", host_id(TEAM, 1));
    stage.status::<api::Retirement>(&name, |status| status["state"] == wanted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_is_told_once_and_a_sign_of_use_ends_it() -> Result<()> {
    let stage = team().await?;
    stage
        .script
        .receives(Some(Outcome::TryAgain { why: "POST to hooks.example.com: 503".into(), wait: None }));
    stage.apply(&telling()).await?;
    let first = stage.replica("a", quick).await?;

    // Nobody accepts it: no time begins to run, and the channel says why.
    let status = retirement(&stage, "Proposed").await?;
    assert_eq!(status["due"], Value::Null);
    assert_eq!(status["evidence"]["signals"][0]["signal"], "CPU below 5 %");
    let failing = |status: &Value| condition(status, "Delivering").starts_with("False");
    let channel = stage.status::<api::NotificationChannel>("chat", failing).await?;
    assert!(channel.to_string().contains("POST to hooks.example.com: 503"), "{channel}");

    stage.script.receives(None);
    let status = retirement(&stage, "Waiting").await?;
    assert!(status["due"].is_string(), "{status}");
    assert!(condition(&status, "Notified").starts_with("True"), "{status}");
    let accepted = |status: &Value| condition(status, "Delivering").starts_with("True");
    stage.status::<api::NotificationChannel>("chat", accepted).await?;
    let runs = |status: &Value| {
        let probation = &status["probation"];
        probation["proposed"].as_i64() >= Some(1) && probation["laterUsed"] == 0
    };
    stage.status::<api::RetirementPolicy>("standard", runs).await?;
    let sent = stage.script.delivered();
    let last = sent.last().unwrap();
    assert_eq!(last.secrets, "https://hooks.example.com/canary-url whsec_canary-key");
    assert_eq!(last.channel.to_string(), format!("{TEAM}/chat"));
    assert!(last.message.title().contains("looks unused"), "{}", last.message.title());
    stage.quiet("a").await?;
    let before = stage.script.delivered().len();

    // Another replica takes over: nothing is written or sent anew.
    let second = stage.replica("b", quick).await?;
    second.says("standing by").await?;
    first.stop().await?;
    second.says("leading").await?;
    let written = stage.quiet("b").await?;
    assert_eq!(written, 0, "{:#?}", stage.writes("b")?);
    assert_eq!(stage.script.delivered().len(), before, "nobody is told twice");

    // Somebody starts it anew.
    stage.script.place(REGION, |place| {
        let now = Timestamp::now().round(jiff::Unit::Second).unwrap();
        let id = host_id(TEAM, 1).into();
        place
            .instances
            .iter_mut()
            .filter(|instance| instance.id == id)
            .for_each(|host| host.launch_time = now);
    });
    let status = retirement(&stage, "Undoing").await?;
    assert_eq!(status["reason"], "SameRun");
    let was_wrong = |status: &Value| status["probation"]["laterUsed"] == 1;
    stage.status::<api::RetirementPolicy>("standard", was_wrong).await?;
    let no_secret = |text: &str| assert!(!text.contains("canary"), "{text}");
    stage.script.delivered().iter().for_each(|sent| no_secret(&sent.message.lines().join(" ")));
    no_secret(&channel.to_string());
    second.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn people_change_nothing_but_their_decision_and_it_ends_there() -> Result<()> {
    let stage = team().await?;
    stage.script.receives(Some(Outcome::Refused { why: "POST to hooks.example.com: 401".into() }));
    let mut objects = telling();
    let [.., asks] = &mut objects;
    asks["spec"]["lean"]["enforcement"] = json!("Retire");
    stage.apply(&objects).await?;
    let replica = stage.replica("a", quick).await?;
    let refused = |status: &Value| status.to_string().contains("\"reason\":\"Refused\"");
    stage.status::<api::NotificationChannel>("chat", refused).await?;

    // It is mended in the Secret alone, and nobody has to touch the channel.
    stage.script.receives(None);
    stage.apply(&[secret("whsec_canary-new")]).await?;
    let status = retirement(&stage, "Waiting").await?;
    assert_eq!(condition(&status, "Approved"), "False NoAdmissionPolicy", "{status}");
    let told = |s: &Value| condition(s, "RetirementAllowed") == "False GrantedLess";
    stage.status::<api::Environment>(ENVIRONMENT, told).await?;
    assert!(stage.script.delivered().last().unwrap().secrets.ends_with("whsec_canary-new"));
    let name = format!("{}-1", host_id(TEAM, 1));
    let refused =
        stage.patch::<api::Retirement>(&name, &json!({"spec": {"hostName": host_id(TEAM, 2)}})).await;
    let why = format!("{:#}", refused.unwrap_err());
    assert!(why.contains("only decision may be changed"), "{why}");

    stage.patch::<api::Retirement>(&name, &json!({"spec": {"decision": "Cancel"}})).await?;
    let status = retirement(&stage, "Undoing").await?;
    assert_eq!(status["reason"], "Decision");

    // Deleting the object touches nothing, and while a no is fresh there is nobody to remember it: it is written anew.
    stage.delete::<api::Retirement>(&name).await?;
    until("it is proposed anew", SOON, async || {
        let sent = stage.script.delivered();
        let ids: std::collections::BTreeSet<String> =
            sent.iter().map(|one| one.message.id().to_string()).collect();
        Ok(Look::that(ids.len() == 2, || format!("{ids:?}")))
    })
    .await?;
    replica.stop().await
}
