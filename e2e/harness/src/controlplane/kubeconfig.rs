//! Kubeconfig files for clients of one control plane: one user, one cluster, one context.
//!
//! They must never hold more than one identity: a test that runs the operator with its chart's rights
//! must not be able to fall back on the administrator's.

use std::path::Path;

use anyhow::{Context, Result};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;

/// Writes the kubeconfig of `user` to `path`. JSON, which is YAML too.
pub(super) fn write(path: &Path, server: &str, authority: &Path, user: &str, token: &str) -> Result<()> {
    let text = serde_json::to_string_pretty(&json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": user,
        "contexts": [{"name": user, "context": {"cluster": "controlplane", "user": user}}],
        "clusters": [{"name": "controlplane", "cluster": {"server": server, "certificate-authority": authority}}],
        "users": [{"name": user, "user": {"token": token}}],
    }))?;
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// A new client for the kubeconfig at `path`.
///
/// New on each call, because a client works only as long as the async runtime it was made in, and each
/// test has a runtime of its own.
pub(super) async fn client(path: &Path) -> Result<Client> {
    let about = || format!("kubeconfig {}", path.display());
    let kubeconfig = Kubeconfig::read_from(path).with_context(about)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .with_context(about)?;
    Client::try_from(config).with_context(about)
}
