//! What a platform admin installs: the chart, rendered and applied, without the pods, for the operator runs beside it.
//!
//! It must never grant the operator a right that the chart does not grant.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;

use super::RELEASE;
use crate::cluster::Cluster;

/// The folder of generated definitions.
pub(super) fn definitions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds/yaml")
}

/// Installs definitions, namespace, service account and rights.
pub(super) async fn install(cluster: &mut Cluster, namespace: &str) -> Result<()> {
    cluster.apply_files(&definitions(), |_| ()).await?;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": format!("{namespace}-{RELEASE}")},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "namespace": namespace, "name": RELEASE}],
    });
    cluster
        .apply(vec![
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"namespace": namespace, "name": RELEASE}}),
            binding,
        ])
        .await
}
