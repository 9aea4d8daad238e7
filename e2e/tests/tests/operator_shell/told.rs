//! What is told, and that it is told once.

use anyhow::Result;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use rollcall_crds::v1alpha1::{Environment, Host, HostRole, MonitoringSystem};
use rollcall_engine::reading::FailureKind;
use rollcall_harness::wait::{Look, until};
use serde_json::{Value, json};

use super::script::Mood;
use super::stage::{CANARY, MACKEREL, REGION, SOON, Stage, TEAM, condition, environment, host_id};

#[tokio::test(flavor = "multi_thread")]
async fn statuses_appear_and_nothing_is_written_twice_not_even_by_a_restart() -> Result<()> {
    let stage = Stage::team(3).await?;
    let replica = stage.replica("a", |_| {}).await?;
    let jp1 = stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;
    assert_eq!(
        jp1["summary"],
        json!({"hosts": "3", "covered": "3/3", "missing": "0", "unknown": "0",
        "baseline": "0", "ghosts": "0", "unused": "-", "sources": "Fresh"})
    );
    for (type_, verdict) in [
        ("Ready", "True Reconciled"),
        ("InventoryFresh", "True Fresh"),
        ("RegistrationsFresh", "True Fresh"),
        ("Compliant", "True NoCriticalFinding"),
        ("Reconciling", "none"),
        ("Stalled", "none"),
    ] {
        assert_eq!(condition(&jp1, type_), verdict, "{type_}");
    }
    let host = stage.status::<Host>(&host_id(TEAM, 0), |s| s["summary"]["checks"] == "1/1").await?;
    assert_eq!(
        (&host["state"], &host["environment"], &host["duties"]),
        (&json!("Active"), &json!("jp1"), &json!(["app"]))
    );
    stage.status::<MonitoringSystem>("mackerel", |s| s["summary"]["joined"] == "3").await?;
    stage.status::<HostRole>("app", |s| s["summary"]["hosts"] == "3").await?;

    let settled = stage.quiet("a").await?;
    let (_, metrics) = replica.get("/metrics").await?;
    for line in [
        "rollcall_leading 1",
        "rollcall_environment_rows{namespace=\"team\",environment=\"jp1\",state=\"covered\"} 3",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains("i-07ea"), "no label names a host");
    assert!(!metrics.contains(CANARY));
    replica.stop().await?;
    let last = stage.writes("a")?;
    assert!(
        last[settled..].iter().all(|write| write.resource == "configmaps"),
        "the end writes memory, no more"
    );
    let settled = last.len();

    let again = stage.replica("a", |_| {}).await?;
    again.says("leading").await?;
    assert_eq!(
        stage.quiet("a").await?,
        settled,
        "a restart writes nothing: {:#?}",
        &stage.writes("a")?[settled..]
    );
    again.kill().await;
    let killed = stage.replica("a", |_| {}).await?;
    killed.says("leading").await?;
    assert_eq!(
        stage.quiet("a").await?,
        settled,
        "nor does one after a kill: {:#?}",
        &stage.writes("a")?[settled..]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn blindness_is_told_as_such_and_ends_by_itself() -> Result<()> {
    let stage = Stage::team(3).await?;
    let _replica = stage.replica("a", |_| {}).await?;
    stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;

    stage.script.place(REGION, |place| place.mood = Mood::Fails(FailureKind::Throttled));
    let blind = stage.status::<Environment>("jp1", |s| s["summary"]["hosts"] == "-").await?;
    assert_eq!(condition(&blind, "InventoryFresh"), "False Throttled");
    assert_eq!(condition(&blind, "Ready"), "True Reconciled", "trouble is not the object's fault");
    assert_eq!(stage.told_hosts(TEAM).await?, 3, "no host is gone");

    stage.script.place(REGION, |place| place.mood = Mood::Answers);
    stage.script.system(MACKEREL, |system| system.mood = Mood::Fails(FailureKind::Denied));
    let blind = stage.status::<Environment>("jp1", |s| s["summary"]["sources"] == "mackerel:Denied").await?;
    assert_eq!((&blind["summary"]["hosts"], &blind["summary"]["missing"]), (&json!("3"), &json!("-")));

    stage.script.system(MACKEREL, |system| system.mood = Mood::Answers);
    stage
        .status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3" && s["summary"]["missing"] == "0")
        .await?;
    let events =
        stage.plane.kubectl(&["get", "events", "-A", "-o", "jsonpath={.items[*].reason}"]).await?.ok()?;
    for reason in ["InventoryBlind", "InventoryBack", "RegistrationsBlind", "RegistrationsBack"] {
        assert_eq!(events.matches(reason).count(), 1, "{reason} in {events}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_hangs_holds_up_no_other() -> Result<()> {
    let stage = Stage::team(3).await?;
    let hung = "us-east-1";
    stage.apply(&[super::stage::account(&[REGION, hung], &json!({}))]).await?;
    stage.script.place(hung, |place| place.mood = Mood::Hangs);
    let mut narrow = environment(TEAM, "jp1");
    narrow["spec"]["accounts"] = json!([{"name": "prod", "regions": [REGION]}]);
    let mut far = environment(TEAM, "us1");
    far["spec"]["accounts"] = json!([{"name": "prod", "regions": [hung]}]);
    stage.apply(&[narrow, far]).await?;
    let _replica = stage.replica("a", |settings| settings.source_timeout = SOON * 10).await?;
    stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;
    let waiting = stage.status::<Environment>("us1", |s| s["summary"]["hosts"] == "-").await?;
    assert_eq!(condition(&waiting, "Ready"), "Unknown NotYetRead");

    // A new host and an edit are told meanwhile.
    stage.hosts(TEAM, 4);
    stage.status::<Environment>("jp1", |s| s["summary"]["hosts"] == "4").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_that_hang_or_are_refused_hold_up_no_instance() -> Result<()> {
    let stage = Stage::team(3).await?;
    stage.script.place(REGION, |place| place.rds = Mood::Hangs);
    let replica = stage.replica("a", |settings| settings.source_timeout = SOON * 10).await?;
    let covered = |s: &Value| s["summary"]["checks"] == "1/1";
    stage.status::<Host>(&host_id(TEAM, 2), covered).await?;
    replica.kill().await;

    stage.script.place(REGION, |place| place.rds = Mood::Fails(FailureKind::Denied));
    let _replica = stage.replica("b", |_| {}).await?;
    stage.hosts(TEAM, 4);
    stage.status::<Host>(&host_id(TEAM, 3), covered).await?;
    // How many hosts there are is not known while some may be databases, and the reason is told.
    let refused = |s: &Value| {
        s["summary"]["sources"].as_str().is_some_and(|s| s.starts_with("RDS ") && s.ends_with(":Denied"))
    };
    let seen = stage.status::<Environment>("jp1", refused).await?;
    assert_eq!((&seen["summary"]["hosts"], &seen["summary"]["missing"]), (&json!("-"), &json!("-")));
    assert_eq!(condition(&seen, "InventoryFresh"), "False Denied");
    assert_eq!(condition(&seen, "Ready"), "True Reconciled", "an account may have no databases");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_change_by_hand_is_put_right_once() -> Result<()> {
    let stage = Stage::team(3).await?;
    let _replica = stage.replica("a", |_| {}).await?;
    stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;
    stage.quiet("a").await?;
    let hosts: Api<Host> = Api::namespaced(stage.client.clone(), TEAM);
    let environments: Api<Environment> = Api::namespaced(stage.client.clone(), TEAM);
    let merge = PatchParams::default();

    hosts.delete(&host_id(TEAM, 0), &DeleteParams::default()).await?;
    let lie = json!({"status": {"state": "Gone", "name": "not-me"}});
    hosts.patch_status(&host_id(TEAM, 1), &merge, &Patch::Merge(&lie)).await?;
    let lie = json!({"status": {"summary": {"hosts": "1000"}}});
    environments.patch_status("jp1", &merge, &Patch::Merge(&lie)).await?;
    stage.status::<Host>(&host_id(TEAM, 0), |s| s["state"] == "Active").await?;
    stage
        .status::<Host>(&host_id(TEAM, 1), |s| {
            s["state"] == "Active" && s["name"] == format!("jp1-{}", host_id(TEAM, 1))
        })
        .await?;
    stage.status::<Environment>("jp1", |s| s["summary"]["hosts"] == "3").await?;

    // What we do not own cannot be taken away: it is written against once, not for ever.
    let theirs = json!({"status": {"roles": [{"role": "app", "hosts": 3}, {"role": "theirs", "hosts": 1}]}});
    environments.patch_status("jp1", &merge, &Patch::Merge(&theirs)).await?;
    let foreign = json!({"spec": {"providerID": "aws:///ap-northeast-1/i-forged", "service": "EC2", "accountID": "123456789012",
        "region": "ap-northeast-1"}, "apiVersion": "rollcall.dev/v1alpha1", "kind": "Host",
        "metadata": {"namespace": TEAM, "name": "i-forged"}});
    stage.apply(&[foreign]).await?;
    until("the forged host is gone", SOON, async || {
        let names: Vec<String> = hosts
            .list(&ListParams::default())
            .await?
            .items
            .into_iter()
            .filter_map(|h| h.metadata.name)
            .collect();
        Ok(Look::that(names.len() == 3 && !names.contains(&"i-forged".to_owned()), || names.join(", ")))
    })
    .await?;
    stage.quiet("a").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_told_at_once_from_cached_readings() -> Result<()> {
    let stage = Stage::team(3).await?;
    // Sources are read once and never again: what follows must come from what is known.
    let slow = std::time::Duration::from_hours(1);
    let _replica = stage
        .replica("a", |s| (s.inventory_interval, s.registry_interval, s.tick) = (slow, slow, slow))
        .await?;
    stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;
    let asked = stage.script.place(REGION, |place| place.asked);
    let begun = std::time::Instant::now();
    let mut edited = environment(TEAM, "jp1");
    edited["spec"]["roles"]["counts"] = json!([{"role": "app", "min": 5}]);
    stage.apply(&[edited]).await?;
    stage.status::<Environment>("jp1", |s| s["causes"].to_string().contains("RC0404")).await?;
    assert_eq!(stage.script.place(REGION, |place| place.asked), asked);
    println!("from `kubectl apply` to the status: {:?}", begun.elapsed());
    Ok(())
}
