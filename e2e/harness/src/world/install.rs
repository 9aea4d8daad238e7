//! What a platform admin installs: the chart, rendered and applied, without its pods, for the operator runs beside it.
//!
//! It must never grant the operator a right that the chart does not grant.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

use super::{RELEASE, TEAM};
use crate::cluster::Cluster;

/// A file or folder of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The folder of generated definitions.
pub(super) fn definitions() -> PathBuf {
    repository("crds/yaml")
}

/// Installs everything of the chart but the pods: definitions, service account and rights.
pub(super) async fn install(cluster: &mut Cluster, namespace: &str) -> Result<()> {
    let mut objects = vec![json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})];
    // The chart binds rights in the team's namespace, so that this must exist; the tree adds its labels.
    objects.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TEAM}}));
    objects.extend(chart(namespace).await?.into_iter().filter(|object| object["kind"] != "Deployment"));
    cluster.apply(objects).await
}

/// The objects of the chart.
async fn chart(namespace: &str) -> Result<Vec<Value>> {
    let helm = tools().await?.join("helm");
    let rendered = Command::new(&helm)
        .args(["template", RELEASE])
        .arg(repository("charts/rollcall"))
        .args(["--namespace", namespace, "--set", &format!("tenantNamespaces={{{TEAM}}}")])
        .output()
        .await
        .with_context(|| format!("cannot run {}", helm.display()))?;
    ensure!(rendered.status.success(), "helm template: {}", String::from_utf8_lossy(&rendered.stderr));
    let documents: Vec<Value> = serde_saphyr::from_multiple(&String::from_utf8(rendered.stdout)?)?;
    Ok(documents.into_iter().filter(|document| !document.is_null()).collect())
}

/// The folder of the programs of `e2e/tools`, built when this machine has none yet: a few minutes, once.
async fn tools() -> Result<PathBuf> {
    let script = repository("e2e/tools/build.sh");
    let built = Command::new(&script).stdin(Stdio::null()).stderr(Stdio::inherit()).output().await;
    let built = built.with_context(|| format!("cannot run {}", script.display()))?;
    ensure!(built.status.success(), "{} failed ({}); see its words above", script.display(), built.status);
    let printed = String::from_utf8(built.stdout)?;
    printed
        .lines()
        .last()
        .map(PathBuf::from)
        .context("build.sh: expected the folder of the programs as last line")
}
