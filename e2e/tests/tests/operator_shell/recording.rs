//! The recording: whole for whoever may read everything, cut for a team, nothing for a stranger.

use anyhow::Result;
use rollcall_crds::v1alpha1::Environment;
use rollcall_engine::inventory::{Attachment, AttachmentState, Database, Volume, VolumeState};
use rollcall_engine::recording::Recording;
use serde_json::json;

use super::stage::{CANARY, Replica, Stage, TEAM, account, host_id, object, team};

async fn ask(replica: &Replica, token: Option<&str>) -> Result<(u16, String)> {
    let mut request = reqwest::Client::new().get(format!("http://{}/v1/recording", replica.recording));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

pub async fn token(stage: &Stage, namespace: &str, name: &str) -> Result<String> {
    let text = stage.plane.kubectl(&["create", "token", name, "-n", namespace]).await?.ok()?;
    Ok(text.trim().to_owned())
}

/// A service account of the namespace that may read environments there, and one that may read nothing.
pub async fn people(stage: &Stage, namespace: &str) -> Result<()> {
    for name in ["reader", "stranger"] {
        stage.plane.kubectl(&["create", "serviceaccount", name, "-n", namespace]).await?.ok()?;
    }
    let role =
        ["create", "role", "reader", "--verb=get", "--resource=environments.rollcall.dev", "-n", namespace];
    stage.plane.kubectl(&role).await?.ok()?;
    let subject = format!("--serviceaccount={namespace}:reader");
    stage
        .plane
        .kubectl(&["create", "rolebinding", "reader", "--role=reader", &subject, "-n", namespace])
        .await?
        .ok()?;
    Ok(())
}

/// A database of this name, which no environment claims.
fn database(name: &str) -> Database {
    serde_json::from_value(json!({
        "id": "db-0abc", "name": name, "engine": "mysql", "engineVersion": "8.0.40", "class": "db.t4g.medium",
        "status": "available", "deletionProtection": false,
    }))
    .unwrap()
}

/// A volume of this name on a host.
fn volume(name: &str, host: &str) -> Volume {
    Volume {
        id: format!("vol-{name}"),
        state: VolumeState::InUse,
        attachments: vec![Attachment { host: host.into(), state: AttachmentState::Attached }],
        size_gib: 8,
        tags: [("Name", name)].into_iter().collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_holds_what_its_reader_may_see_and_never_a_secret() -> Result<()> {
    let stage = Stage::team(3).await?;
    let identity = json!({"observe": {"roleARN": "arn:aws:iam::123456789012:role/rollcall-observe", "externalID": "shared-external-id"}});
    stage.apply(&[account(&[super::stage::REGION], &identity)]).await?;
    stage.apply(&team("rival")).await?;
    stage
        .plane
        .kubectl(&[
            "create",
            "rolebinding",
            "s",
            "-n",
            "rival",
            "--clusterrole=rollcall-tenant-secrets",
            "--serviceaccount=rollcall:a",
        ])
        .await?
        .ok()?;
    stage.hosts("rival", 2);
    people(&stage, TEAM).await?;
    let theirs = host_id("rival", 0);
    stage.script.place(super::stage::REGION, |place| {
        place.databases = vec![database("somebodys-orders")];
        place.volumes = vec![volume("shared-data", &theirs), volume("somebodys-scratch", &theirs)];
    });
    // The team asserts that it has a volume which hangs on somebody else's host.
    let asserted = json!({"subject": "Environment", "why": "It was ours.",
                          "assertion": {"volume": {"name": "shared-data", "attachedTo": {"role": "app"}}}});
    stage.apply(&[object("RequiredCheck", TEAM, "data", &asserted)]).await?;
    let replica = stage.replica("a", |_| {}).await?;
    stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/4").await?;
    stage.status_in::<Environment>("rival", "rival1", |s| s["summary"]["covered"] == "2/2").await?;

    assert_eq!(ask(&replica, None).await?.0, 401);
    assert_eq!(ask(&replica, Some("made-up")).await?.0, 401);
    let (status, why) = ask(&replica, Some(&token(&stage, TEAM, "stranger").await?)).await?;
    assert_eq!(status, 403, "{why}");

    let (status, text) = ask(&replica, Some(&token(&stage, TEAM, "reader").await?)).await?;
    assert_eq!(status, 200, "{text}");
    for word in
        [CANARY, "rival", "somebodys-orders", "somebodys-scratch", "shared-external-id", "rollcall-observe"]
    {
        assert!(!text.contains(word), "{word} is in the team's recording");
    }
    let recording = Recording::from_slice(text.as_bytes())?;
    assert_eq!(recording.snapshot.inventories.values().map(|i| i.instances.seen.len()).sum::<usize>(), 3);
    assert_eq!(recording.snapshot.registries.values().map(|r| r.hosts.seen.len()).sum::<usize>(), 3);
    // What is left is whole: a plan on it says what the operator says.
    let (fleet, problems) = rollcall_engine::fleet::Fleet::parse(&recording.desired);
    assert_eq!(problems, []);
    let (roll, _) =
        rollcall_engine::rollcall::roll_call(&fleet, &recording.snapshot, &recording.memory, recording.now);
    let jp1 = roll.environments.values().next().unwrap();
    assert_eq!((jp1.hosts, jp1.tally.covered, jp1.tally.required), (3, 3, 4));
    // Of what hangs on somebody else's host it says less than the operator, and not that anything is wrong with a source.
    assert_eq!((jp1.tally.missing, jp1.tally.unknown), (0, 1));
    let codes: Vec<&str> = roll.causes.iter().map(|cause| cause.code.as_str()).collect();
    let told = stage.status::<Environment>("jp1", |s| !s["causes"].as_array().unwrap().is_empty()).await?;
    let shown: Vec<&str> =
        told["causes"].as_array().unwrap().iter().map(|cause| cause["code"].as_str().unwrap()).collect();
    assert_eq!((codes.as_slice(), shown.as_slice()), ([].as_slice(), ["RC0301"].as_slice()));

    let admin = [
        "create",
        "clusterrolebinding",
        "admin",
        "--clusterrole=cluster-admin",
        "--serviceaccount=team:stranger",
    ];
    stage.plane.kubectl(&admin).await?.ok()?;
    let (status, text) = ask(&replica, Some(&token(&stage, TEAM, "stranger").await?)).await?;
    assert_eq!(status, 200, "{text}");
    for word in ["rival", "shared-external-id", "somebodys-orders"] {
        assert!(text.contains(word), "{word} is in the admin's recording");
    }
    assert!(!text.contains(CANARY));
    Ok(())
}
