//! What a test may choose about its control plane. The defaults suit nearly all of them.

use std::path::PathBuf;
use std::time::Duration;

use super::audit::METADATA_POLICY;

/// The controllers that tests lean on: what makes namespaces and owned objects go away, service accounts
/// work, Deployments have Pods, and aggregated roles add up. No scheduler and no kubelet: Pods stay Pending.
pub const CONTROLLERS: [&str; 8] = [
    "namespace-controller",
    "garbage-collector-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "clusterrole-aggregation-controller",
    "deployment-controller",
    "replicaset-controller",
];

/// How to start a control plane.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files or folders that are applied before the controllers start. Put CRDs here whose objects own, or
    /// are owned by, other objects: the garbage collector looks for new kinds only every 30 s (a constant
    /// of kube-controller-manager), so that a CRD applied later has its orphans collected late.
    pub manifests: Vec<PathBuf>,
    /// `audit.k8s.io/v1` Policy; `None` writes no audit log. [`METADATA_POLICY`] by default.
    pub audit_policy: Option<String>,
    /// Names of controllers as kube-controller-manager knows them; [`CONTROLLERS`] by default. Empty: no
    /// kube-controller-manager at all, which saves 120 MB; then Pods cannot be created (their service
    /// account is missing) and deleted namespaces stay.
    pub controllers: Vec<String>,
    /// More flags for kube-apiserver, like `--goaway-chance=0.02`.
    pub apiserver_flags: Vec<String>,
    /// How long all of it may take to be ready, the build not included.
    pub ready_within: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            manifests: Vec::new(),
            audit_policy: Some(METADATA_POLICY.to_owned()),
            controllers: CONTROLLERS.map(str::to_owned).to_vec(),
            apiserver_flags: Vec::new(),
            // Ready in 3 to 4 s on two cores; tests share theirs with compilers.
            ready_within: Duration::from_mins(2),
        }
    }
}
