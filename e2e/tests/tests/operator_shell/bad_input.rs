//! One bad object of every kind at once: each is told on itself, in one condition with the next step, and a team beside them
//! notices nothing.

use anyhow::Result;
use rollcall_crds::v1alpha1::{Environment, Host, HostRole, MonitoringSystem, RequiredCheck};
use rollcall_engine::reading::FailureKind;
use serde_json::{Value, json};

use super::script::{Mood, instance};
use super::stage::{MACKEREL, REGION, Stage, TEAM, condition, environment, object, system};

const OTHERS: &str = "others";

/// Kind, name, the reason that `Ready` must give, and what its message must name.
const MISTAKES: [(&str, &str, &str, &[&str]); 10] = [
    ("HostRole", "snake", "IncludeCycle", &["spec.includes", "tail"]),
    ("HostRole", "dangling", "ReferenceNotFound", &["spec.includes", "nobody"]),
    ("RequiredCheck", "no-system", "ReferenceNotFound", &["spec.watched.by[0].system", "nagios-of-1999"]),
    ("RequiredCheck", "no-role", "ReferenceNotFound", &["spec.appliesTo.roles", "nobody"]),
    ("RequiredCheck", "bad-variable", "BadVariable", &["${host.name}", "${env."]),
    ("RequiredCheck", "bad-date", "BadDate", &["spec.review.last", "2026-02-30"]),
    ("Environment", "no-account", "ReferenceNotFound", &["spec.accounts[0]", "nobody"]),
    ("Environment", "no-system", "ReferenceNotFound", &["spec.monitoring[0]", "nobody"]),
    ("Environment", "bad-zone", "BadTimeZone", &["spec.timeZone", "Asia/Edo"]),
    ("Environment", "bad-pattern", "BadPattern", &["spec.selector.anyOf[0].namePattern", "(?<!x)"]),
];

fn spec_of(kind: &str, name: &str) -> Value {
    let check = |more: &Value| {
        let mut spec = json!({"appliesTo": {"roles": ["app"]}, "why": "it was there",
            "watched": {"by": [{"system": "mackerel", "check": {"name": "check-x"}}]}});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        spec
    };
    let of_environment = |more: &Value| {
        let mut spec = environment(TEAM, name)["spec"].clone();
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        spec
    };
    match (kind, name) {
        ("HostRole", "snake") => json!({"type": "Trait", "includes": ["tail"]}),
        ("HostRole", _) => json!({"type": "Trait", "includes": ["nobody"]}),
        ("RequiredCheck", "no-system") => {
            check(&json!({"watched": {"by": [{"system": "nagios-of-1999", "check": {"name": "x"}}]}}))
        }
        ("RequiredCheck", "no-role") => check(&json!({"appliesTo": {"roles": ["nobody"]}})),
        ("RequiredCheck", "bad-variable") => {
            check(&json!({"watched": {"by": [{"system": "mackerel", "check": {"name": "x-${host.name}"}}]}}))
        }
        ("RequiredCheck", _) => check(&json!({"review": {"everyDays": 90, "last": "2026-02-30"}})),
        ("Environment", "no-account") => of_environment(&json!({"accounts": [{"name": "nobody"}]})),
        ("Environment", "no-system") => {
            of_environment(&json!({"monitoring": [{"system": "nobody", "hosts": "All"}]}))
        }
        ("Environment", "bad-zone") => of_environment(&json!({"timeZone": "Asia/Edo"})),
        // No look-behind in RE2.
        ("Environment", _) => of_environment(&json!({"selector": {"anyOf": [{"namePattern": "(?<!x)y"}]}})),
        _ => panic!("{kind} {name}"),
    }
}

async fn ready(stage: &Stage, kind: &str, namespace: &str, name: &str, reason: &str) -> Result<String> {
    let wanted = format!("False {reason}");
    let is_told = |status: &Value| condition(status, "Ready") == wanted;
    let status = match kind {
        "HostRole" => stage.status_in::<HostRole>(namespace, name, is_told).await?,
        "RequiredCheck" => stage.status_in::<RequiredCheck>(namespace, name, is_told).await?,
        _ => stage.status_in::<Environment>(namespace, name, is_told).await?,
    };
    let ready = status["conditions"].as_array().unwrap().iter().find(|c| c["type"] == "Ready").cloned();
    Ok(ready.unwrap()["message"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_is_one_clear_condition_and_disturbs_nobody() -> Result<()> {
    let stage = Stage::team(3).await?;
    let _replica = stage.replica("a", |_| {}).await?;
    let before = stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;

    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OTHERS}});
    stage.apply(&[namespace]).await?;
    // In a namespace of their own, which may claim hosts and sees no other team's objects.
    let mut objects = vec![
        system("rival", "mackerel", MACKEREL),
        object("HostRole", "rival", "app", &json!({"type": "Duty"})),
        object("HostRole", "rival", "tail", &json!({"type": "Trait", "includes": ["snake"]})),
    ];
    objects.extend(MISTAKES.iter().map(|(kind, name, ..)| object(kind, "rival", name, &spec_of(kind, name))));
    // Nobody granted this namespace anything.
    objects.push(environment(OTHERS, "uninvited"));
    let refused = refused_at_admission(&stage, &mut objects).await?;
    assert_eq!(refused, ["bad-date", "bad-pattern"].map(str::to_owned).into(), "admission takes these two");

    for (kind, name, reason, words) in MISTAKES {
        if refused.contains(name) {
            continue;
        }
        let message = ready(&stage, kind, "rival", name, reason).await?;
        for word in words {
            assert!(message.contains(word), "{kind} {name}: {message:?} does not name {word:?}");
        }
    }
    let message = ready(&stage, "Environment", OTHERS, "uninvited", "NotGranted").await?;
    assert!(message.contains("spec.accounts[0]") && message.contains(OTHERS), "{message}");
    undisturbed(&stage, &before).await
}

/// Applies one by one; the names of those that the API server refuses, with a message that names their field.
async fn refused_at_admission(
    stage: &Stage,
    objects: &mut Vec<Value>,
) -> Result<std::collections::BTreeSet<String>> {
    let mut refused = std::collections::BTreeSet::new();
    for object in objects.drain(..) {
        if let Err(error) = stage.apply(std::slice::from_ref(&object)).await {
            let error = format!("{error:#}");
            assert!(error.contains("spec."), "a refusal names its field: {error}");
            refused.insert(object["metadata"]["name"].as_str().unwrap().to_owned());
        }
    }
    Ok(refused)
}

/// The team beside all this is told what it was told before, and the API server refused no write of ours.
async fn undisturbed(stage: &Stage, before: &Value) -> Result<()> {
    stage.quiet("a").await?;
    let now = stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;
    assert_eq!(&now, before);
    let refused: Vec<_> =
        stage.writes("a")?.into_iter().filter(|w| (400..500).contains(&w.code) && w.code != 409).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_cannot_be_read_is_told_where_it_is_named() -> Result<()> {
    const DOWN: &str = "https://down.test";
    let stage = Stage::team(3).await?;
    let _replica = stage.replica("a", |_| {}).await?;
    let before = stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;
    for (mood, reason) in [(FailureKind::Unreachable, "Unreachable"), (FailureKind::Denied, "Denied")] {
        stage.script.system(DOWN, |system| system.mood = Mood::Fails(mood));
        let mut blind = environment(TEAM, "blind");
        blind["spec"]["monitoring"] = json!([{"system": "down", "hosts": "All"}]);
        stage.apply(&[system(TEAM, "down", DOWN), blind]).await?;
        let told = format!("False {reason}");
        let is_told = |s: &Value| condition(s, "RegistrationsFresh") == told;
        let status = stage.status::<MonitoringSystem>("down", is_told).await?;
        assert_eq!(condition(&status, "Ready"), told, "it could never be read so far");
        let status = stage.status::<Environment>("blind", is_told).await?;
        assert_eq!((&status["summary"]["missing"], &status["summary"]["ghosts"]), (&json!("-"), &json!("-")));
    }
    undisturbed(&stage, &before).await
}

/// What a host says of itself is anybody's text: it is shown harmlessly, and never stops a write.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_and_tags_are_shown_harmlessly() -> Result<()> {
    let stage = Stage::team(3).await?;
    let hostile = [
        ("a\u{1b}[2J\u{202e}\u{0}\nb".to_owned(), "app"),
        ("x".repeat(10_240), "///"),
        ("日本語🦀 ${env.fqdn} $(reboot) <script>".to_owned(), "app/app/app"),
        (String::new(), "\u{7}"),
    ];
    for (number, (name, role)) in hostile.iter().enumerate() {
        let mut host = instance(&format!("i-0bad{number:013x}"), "jp1");
        host.tags = [("Name", name.clone()), ("Env", "jp1".to_owned()), ("Role", (*role).to_owned())]
            .into_iter()
            .collect();
        stage.script.place(REGION, |place| place.instances.push(host.clone()));
    }
    let _replica = stage.replica("a", |_| {}).await?;
    // On a slow machine some of it is told before the last source has answered.
    let told = |s: &Value| s["summary"]["hosts"] == "7" && condition(s, "Ready") == "True Reconciled";
    stage.status::<Environment>("jp1", told).await?;
    for number in 0..hostile.len() {
        let id = format!("i-0bad{number:013x}");
        let status = stage.status::<Host>(&id, |s| s["state"].is_string()).await?;
        let name = status["name"].as_str().unwrap_or_default();
        assert!(name.chars().count() <= 256 && !name.chars().any(char::is_control), "{name:?}");
        let shown = status.to_string();
        assert!(!shown.contains('\u{202e}') && !shown.contains("\\u001b"), "{shown}");
    }
    let refused: Vec<_> =
        stage.writes("a")?.into_iter().filter(|w| (400..500).contains(&w.code) && w.code != 409).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    Ok(())
}
