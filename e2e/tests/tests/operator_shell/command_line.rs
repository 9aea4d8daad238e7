//! The command line as people run it against a cluster: it finds the operator's pods, forwards a port through the API server, and
//! gets the recording that its user may see. Only the kubelet is a stand-in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rollcall_crds::v1alpha1::Environment;
use rollcall_engine::recording::Recording;
use rollcall_harness::kubelet::Kubelet;
use rollcall_harness::operator::binary;
use serde_json::{Value, json};
use tokio::process::Command;

use super::recording::{people, token};
use super::stage::{CANARY, HOME, Replica, Stage, TEAM, team};

/// Somebody at a shell.
struct Person {
    kubeconfig: PathBuf,
    folder: PathBuf,
}

impl Person {
    /// Exit code, standard output and standard error.
    async fn runs(&self, arguments: &[&str]) -> Result<(i32, String, String)> {
        let binary = tokio::task::spawn_blocking(binary).await??;
        let mut command = Command::new(binary);
        command.args(arguments).current_dir(&self.folder).env_clear();
        command.env("KUBECONFIG", &self.kubeconfig).env("PATH", std::env::var("PATH")?).env("NO_COLOR", "1");
        let ran = command.kill_on_drop(true).output().await?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((ran.status.code().unwrap_or(-1), text(ran.stdout), text(ran.stderr)))
    }

    /// A command that ends with 2, and these words in one error.
    async fn is_refused(&self, arguments: &[&str], words: &[&str]) -> Result<()> {
        let (code, text, error) = self.runs(arguments).await?;
        assert_eq!((code, text.as_str()), (2, ""), "{arguments:?}: {error}");
        for word in words {
            assert!(error.contains(word), "{arguments:?}: {word:?} is not in\n{error}");
        }
        Ok(())
    }
}

async fn person(stage: &Stage, name: &str) -> Result<Person> {
    let kubeconfig = stage.plane.kubeconfig_for_service_account(TEAM, name).await?;
    Ok(Person { kubeconfig, folder: stage.plane.folder().to_owned() })
}

/// What it takes to reach the operator through its pods, one right after the other.
async fn may(stage: &Stage, name: &str, verbs: &[&str], resource: &str, people: &[&str]) -> Result<()> {
    let group = "rbac.authorization.k8s.io";
    let subjects: Vec<Value> =
        people.iter().map(|who| json!({"kind": "ServiceAccount", "name": who, "namespace": TEAM})).collect();
    let metadata = json!({"name": name, "namespace": HOME});
    stage
        .apply(&[
            json!({"apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": metadata,
                "rules": [{"apiGroups": [""], "resources": [resource], "verbs": verbs}]}),
            json!({"apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": metadata,
                "roleRef": {"apiGroup": group, "kind": "Role", "name": name}, "subjects": subjects}),
        ])
        .await
}

/// A standby that would be asked first, the leader, and their pods.
async fn operators(stage: &Stage) -> Result<(Replica, Replica, Kubelet)> {
    let leader = stage.replica("b", |_| {}).await?;
    leader.says("leading").await?;
    let standby = stage.replica("a", |_| {}).await?;
    standby.says("standing by").await?;
    stage.status::<Environment>("jp1", |s| s["summary"]["covered"] == "3/3").await?;
    let labels = BTreeMap::from([("app.kubernetes.io/name", "rollcall")]);
    let behind = [("a", standby.recording), ("b", leader.recording)];
    let kubelet = Kubelet::start(&stage.client, HOME, "a", &labels, 8081, &behind).await?;
    Ok((leader, standby, kubelet))
}

fn causes(plan: &str) -> Result<Value> {
    let plan: Value = serde_json::from_str(plan)?;
    Ok(json!([plan["causes"], plan["environments"]]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_taken_through_the_cluster_says_what_the_cluster_says() -> Result<()> {
    let stage = Stage::team(3).await?;
    stage.apply(&team("rival")).await?;
    stage.hosts("rival", 2);
    people(&stage, TEAM).await?;
    let reader = person(&stage, "reader").await?;

    reader.is_refused(&["plan", "--on", "cluster"], &["right to list pods in namespace rollcall"]).await?;
    may(&stage, "see", &["get", "list"], "pods", &["reader", "stranger"]).await?;
    let none = [
        "expected a running pod with the label app.kubernetes.io/name=rollcall in namespace rollcall, found none",
    ];
    reader.is_refused(&["ledger", "--on", "cluster"], &none).await?;
    let (leader, standby, _kubelet) = operators(&stage).await?;
    reader
        .is_refused(&["changes", "--on", "cluster"], &["right to forward ports", "pods/portforward"])
        .await?;
    may(&stage, "reach", &["get", "create"], "pods/portforward", &["reader", "stranger"]).await?;

    let (code, told, error) = reader.runs(&["record", "-o", "fleet.json.gz"]).await?;
    assert_eq!((code, error.as_str()), (0, ""), "{told}");
    for words in [
        "1 Environment",
        "left out  every Secret",
        "other namespaces than team",
        "✔ instances",
        "team/mackerel",
    ] {
        assert!(told.contains(words), "{words:?} is not in\n{told}");
    }
    let file = reader.folder.join("fleet.json.gz");
    let recording = Recording::from_slice(&std::fs::read(&file)?)?;
    let text = String::from_utf8(recording.to_vec())?;
    assert!(!text.contains(CANARY) && !text.contains("rival"), "{text}");
    reader.is_refused(&["record", "-o", "fleet.json.gz"], &["this exists: fleet.json.gz", "--force"]).await?;

    let (from_file, on_file, _) = reader.runs(&["plan", "-o", "json", "--on", "fleet.json.gz"]).await?;
    let (from_cluster, on_cluster, error) = reader.runs(&["plan", "-o", "json", "--on", "cluster"]).await?;
    assert_eq!((from_file, from_cluster, error.as_str()), (0, 0, ""));
    assert_eq!(causes(&on_file)?, causes(&on_cluster)?);
    let (code, text, error) = reader.runs(&["explain", "jp1", "--on", "cluster"]).await?;
    assert!(code == 2 && error.contains("there is no host and no required check \"jp1\""), "{text}{error}");

    let stranger = person(&stage, "stranger").await?;
    let words =
        ["the operator refused: system:serviceaccount:team:stranger may not get environments.rollcall.dev"];
    stranger.is_refused(&["plan", "--on", "cluster"], &words).await?;
    leader.kill().await;
    standby.kill().await;
    reader.is_refused(&["plan", "--on", "cluster"], &["port 8081 of pod rollcall/b cannot be reached"]).await
}

/// A kubeconfig of one user, who comes in with this.
fn comes_with(stage: &Stage, name: &str, user: &Value) -> Result<Person> {
    let admin = std::fs::read_to_string(stage.plane.kubeconfig())?;
    let mut kubeconfig: Value = serde_json::from_str(&admin)?;
    kubeconfig["users"][0]["user"] = user.clone();
    let path = stage.plane.folder().join(format!("{name}.kubeconfig"));
    std::fs::write(&path, kubeconfig.to_string())?;
    Ok(Person { kubeconfig: path, folder: stage.plane.folder().to_owned() })
}

/// A plugin that answers with this token, and counts how often it was run.
fn plugin(folder: &Path, token: &str) -> Value {
    let answer = json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": token, "expirationTimestamp": "2099-01-01T00:00:00Z"}});
    let script = format!("echo run >> {}/plugin.log; echo '{answer}'", folder.display());
    json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
        "interactiveMode": "Never"}})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_is_shown_the_callers_own_token_or_one_that_was_named() -> Result<()> {
    let stage = Stage::team(3).await?;
    people(&stage, TEAM).await?;
    let (leader, standby, _kubelet) = operators(&stage).await?;

    // An admin may reach everything, and lends the rights of somebody else.
    let admin = Person { kubeconfig: stage.plane.kubeconfig(), folder: stage.plane.folder().to_owned() };
    let (code, told, error) = admin.runs(&["record", "-o", "all.json"]).await?;
    assert!(
        code == 0 && told.contains("identities of accounts (role ARN, external id) are in it"),
        "{told}{error}"
    );
    let lent = ["record", "--service-account", "team/reader", "-o", "-"];
    let (code, json, told) = admin.runs(&lent).await?;
    assert!(code == 0 && told.contains("other namespaces than team"), "{told}");
    assert!(Recording::from_slice(json.as_bytes())?.cut_to.is_some());
    let nobody = ["plan", "--on", "cluster", "--service-account", "team/nobody"];
    admin.is_refused(&nobody, &["expected the service account team/nobody, found none"]).await?;

    let secret = token(&stage, TEAM, "reader").await?;
    let by_plugin = comes_with(&stage, "plugin", &plugin(stage.plane.folder(), &secret))?;
    by_plugin.is_refused(&["plan", "--on", "cluster"], &["right to list pods in namespace rollcall"]).await?;
    assert_eq!(std::fs::read_to_string(stage.plane.folder().join("plugin.log"))?, "run\n");
    let unknown = comes_with(&stage, "nothing", &json!({}))?;
    let next = ["expected a token", "found a client certificate or none", "--service-account NAMESPACE/NAME"];
    unknown.is_refused(&["plan", "--on", "cluster"], &next).await?;
    let other = json!({"token": secret, "as": "jane"});
    let masked = comes_with(&stage, "masked", &other)?;
    masked.is_refused(&["plan", "--on", "cluster"], &["a token of jane, whom it impersonates"]).await?;

    // An operator that runs outside the cluster, or behind a port that was forwarded already: no API server is needed.
    std::fs::write(stage.plane.folder().join("token"), format!("{secret}\n"))?;
    let lost = Person { kubeconfig: PathBuf::from("nowhere"), folder: stage.plane.folder().to_owned() };
    let address = leader.recording.to_string();
    let at = ["plan", "--on", "cluster", "--token-file", "token", "--operator-address", &address];
    assert_eq!(lost.runs(&at).await?.0, 0);
    let address = standby.recording.to_string();
    let at = ["plan", "--on", "cluster", "--token-file", "token", "--operator-address", &address];
    lost.is_refused(&at, &["this replica stands by; ask pod b"]).await?;
    let address = leader.observability.to_string();
    let at = ["plan", "--on", "cluster", "--token-file", "token", "--operator-address", &address];
    lost.is_refused(&at, &["expected Rollcall's /v1/recording, found an answer 404 Not Found"]).await?;
    std::fs::write(stage.plane.folder().join("token"), "made-up\n")?;
    let address = leader.recording.to_string();
    let at = ["plan", "--on", "cluster", "--token-file", "token", "--operator-address", &address];
    lost.is_refused(&at, &["the API server does not know this token"]).await
}
