//! People's mistakes: each is told where it was made, with what helps, and disturbs nobody else.

use anyhow::{Context, Result};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::PostParams;
use rollcall_crds::v1alpha1::{Environment, MonitoringSystem};
use rollcall_harness::wait::{Look, until};
use rollcall_operator::rbac::{self, Scope};
use serde_json::json;

use super::stage::{
    CANARY, MACKEREL, SOON, Stage, TEAM, condition, environment, object, secret, system, team,
};

/// An older or newer Rollcall, or nobody's CRD, may have let in what we cannot read.
#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_object_is_told_so_and_stops_no_other() -> Result<()> {
    let stage = Stage::team(3).await?;
    accept_anything(&stage, "environments.rollcall.dev").await?;
    let malformed = object("Environment", TEAM, "aaa-broken", &json!({"accounts": "prod", "selector": 7}));
    until("the API server takes a malformed object", SOON, async || {
        Ok(match stage.apply(std::slice::from_ref(&malformed)).await {
            Ok(()) => Look::There(()),
            Err(error) => Look::NotYet(format!("{error:#}")),
        })
    })
    .await?;
    let _replica = stage.replica("a", |_| {}).await?;
    stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;
    let broken =
        stage.status::<Environment>("aaa-broken", |s| condition(s, "Ready") == "False Malformed").await?;
    assert!(broken.to_string().contains("spec.accounts: invalid type"), "{broken:#}");

    // The watch goes on: an object made afterwards is seen, and so is the repair.
    let mut second = environment(TEAM, "jp2");
    second["spec"]["selector"] = json!({"anyOf": [{"matchTags": {"Env": ["jp2"]}}]});
    stage.apply(&[second]).await?;
    stage.status::<Environment>("jp2", |s| s["summary"]["hosts"] == "0").await?;
    stage.quiet("a").await?;
    let mut repaired = environment(TEAM, "aaa-broken");
    repaired["spec"]["selector"] = json!({"anyOf": [{"matchTags": {"Env": ["other"]}}]});
    stage.apply(&[repaired]).await?;
    stage.status::<Environment>("aaa-broken", |s| condition(s, "Ready") == "True Reconciled").await?;
    Ok(())
}

async fn accept_anything(stage: &Stage, name: &str) -> Result<()> {
    let api: Api<CustomResourceDefinition> = Api::all(stage.client.clone());
    let mut crd = api.get(name).await?;
    let schema = crd.spec.versions[0]
        .schema
        .as_mut()
        .context("schema")?
        .open_api_v3_schema
        .as_mut()
        .context("schema")?;
    let properties = schema.properties.as_mut().context("properties")?;
    let anything = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    properties.insert("spec".to_owned(), serde_json::from_value(anything)?);
    schema.x_kubernetes_validations = None;
    api.replace(name, &PostParams::default(), &crd).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_may_not_be_read_prints_the_command_that_helps() -> Result<()> {
    let stage = Stage::team(3).await?;
    stage.apply(&team("rival")).await?;
    let _replica = stage.replica("a", |settings| settings.service_account = "a".to_owned()).await?;
    let refused = |s: &serde_json::Value| condition(s, "Ready") == "False SecretForbidden";
    let status = stage.status_in::<MonitoringSystem>("rival", "mackerel", refused).await?;
    assert_eq!(condition(&status, "Stalled"), "True SecretForbidden");
    // The other team is not disturbed.
    stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;

    // The printed command, run as it is printed, helps.
    let ready = status["conditions"].as_array().unwrap().iter().find(|c| c["type"] == "Ready").unwrap();
    let message = ready["message"].as_str().unwrap();
    let command = message.split("kubectl ").nth(1).context("no command in the message")?;
    let arguments: Vec<&str> = command.split_whitespace().collect();
    stage.plane.kubectl(&arguments).await?.ok()?;
    stage
        .status_in::<MonitoringSystem>("rival", "mackerel", |s| condition(s, "Ready") == "True Reconciled")
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_read_anew_when_its_secret_changes_and_is_never_shown() -> Result<()> {
    let stage = Stage::empty().await?;
    let mut objects = team(TEAM);
    objects.remove(0);
    stage.apply(&objects).await?;
    let _replica = stage.replica("a", |_| {}).await?;
    let missing = |s: &serde_json::Value| condition(s, "Ready") == "False SecretNotFound";
    let status = stage.status::<MonitoringSystem>("mackerel", missing).await?;
    assert!(status.to_string().contains("kubectl create secret generic mackerel -n team"), "{status:#}");

    let mut other = secret(TEAM);
    other["stringData"] = json!({"apikey": CANARY});
    stage.apply(&[other]).await?;
    stage
        .status::<MonitoringSystem>("mackerel", |s| condition(s, "Ready") == "False SecretKeyMissing")
        .await?;
    stage.apply(&[secret(TEAM)]).await?;
    stage.status::<MonitoringSystem>("mackerel", |s| condition(s, "Ready") == "True Reconciled").await?;
    let mut rotated = secret(TEAM);
    rotated["stringData"] = json!({"api-key": "rotated-91c"});
    stage.apply(&[rotated]).await?;
    until("the new key is used", SOON, async || {
        let keys = stage.script.keys();
        Ok(Look::that(keys == [CANARY, "rotated-91c"], || format!("{keys:?}")))
    })
    .await?;
    for kinds in ["monitoringsystems,environments,hosts,events", "configmaps,leases"] {
        let all = stage.plane.kubectl(&["get", kinds, "-A", "-o", "yaml"]).await?.ok()?;
        assert!(!all.contains(CANARY) && !all.contains("rotated-91c"), "a key is shown in {kinds}");
    }
    Ok(())
}

/// The last list to come is the Hosts': whoever polls has waited for it as well.
#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_may_be_listed_late_keep_nobody_from_being_asked() -> Result<()> {
    let stage = Stage::team(3).await?;
    let rights = |rules| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "rollcall"}, "rules": rules})
    };
    let all = rbac::rules(Scope::Cluster);
    let hosts = Some(vec!["hosts".to_owned()]);
    let few: Vec<_> = all.iter().filter(|rule| rule.resources != hosts).collect();
    assert_eq!(few.len() + 1, all.len(), "one rule is of hosts alone");
    stage.apply(&[rights(json!(few))]).await?;
    let replica = stage.replica("a", |_| {}).await?;
    replica.says("not listed yet: hosts").await?;
    assert_eq!(stage.script.keys(), Vec::<String>::new(), "nobody is asked before all is listed");
    stage.apply(&[rights(json!(all))]).await?;
    stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;
    Ok(())
}

/// Fifty teams in one organisation are one source.
#[tokio::test(flavor = "multi_thread")]
async fn one_system_behind_many_objects_is_polled_once() -> Result<()> {
    let stage = Stage::team(3).await?;
    for number in 0..5 {
        let name = format!("again{number}");
        let mut more = environment(TEAM, &name);
        more["spec"]["monitoring"] = json!([{"system": name, "hosts": "All"}]);
        stage.apply(&[system(TEAM, &name, MACKEREL), more]).await?;
    }
    let _replica = stage.replica("a", |_| {}).await?;
    for number in 0..5 {
        stage
            .status::<MonitoringSystem>(&format!("again{number}"), |s| s["summary"]["registered"] == "3")
            .await?;
    }
    assert_eq!(stage.script.keys(), [CANARY], "one reader for six objects");
    let before = stage.script.system(MACKEREL, |system| system.asked);
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    let asked = stage.script.system(MACKEREL, |system| system.asked) - before;
    assert!((3..=12).contains(&asked), "about once a second for all of them, not six times: {asked} in 5 s");
    Ok(())
}
