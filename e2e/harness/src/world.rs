//! The whole first team as one handle: a cluster, the fakes with the messy fleet, what is installed, the tree of
//! custom resources, and replicas of the operator. Demo and end-to-end tests run on it.
//!
//! It must never tell the operator anything that a real cluster and real sources would not.

mod install;
mod story;
pub mod unused;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rollcall_backlog::{Backlog, LIBRARY, MACKEREL_KEY, NAGIOS_PASSWORD, NAGIOS_USER, access_key, folder};
use rollcall_fakes::nagios::CGIS;
use rollcall_fakes::server::Running;
use rollcall_fakes::stage::Stage;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::controlplane;
use crate::operator::{Operator, Setup};

pub use story::PLACES;

/// The release: name of the chart's objects and of the operator's service account.
pub const RELEASE: &str = "rollcall";

/// The team's namespace, named by its tree.
pub const TEAM: &str = "backlog";

/// The service account that reads recordings.
const READER: &str = "rollcall-reader";

/// World seconds between two readings, where nobody says otherwise.
const READ_EVERY_SECONDS: u32 = 1;

/// The handle. Dropping it ends all that it started; objects in a cluster that existed before are removed by
/// [`Self::clean_up`].
pub struct World {
    /// The ground truth, and the fakes to play with.
    pub fleet: Backlog,
    /// The cluster.
    pub cluster: Cluster,
    namespace: String,
    aws: Running,
    mackerel: Running,
    nagios: Running,
    /// With the rights that the chart grants; written by [`Self::install`].
    kubeconfig: PathBuf,
    logs: PathBuf,
}

impl World {
    /// A control plane of its own with everything in it but the operator: the fleet as it stood two days before the
    /// roll call, served by the fakes; the chart; the Secrets; the tree.
    ///
    /// # Errors
    /// When something does not start or is refused.
    pub async fn start() -> Result<Self> {
        let mut world = Self::alone().await?;
        world.install().await?;
        Ok(world)
    }

    /// The fleet and the fakes, and a control plane of its own with nothing but the definitions in it.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn alone() -> Result<Self> {
        let options = controlplane::Options {
            manifests: vec![install::definitions()],
            ..controlplane::Options::default()
        };
        Self::in_cluster(Cluster::own(options).await?, RELEASE).await
    }

    /// The fleet and the fakes, and this cluster as it is; the operator's own objects will be in `namespace`.
    ///
    /// # Errors
    /// When a fake does not start.
    pub async fn in_cluster(cluster: Cluster, namespace: &str) -> Result<Self> {
        let fleet = Backlog::two_days_ago()?;
        // The operator's pollers go by world time: where it stands still they would wait for it.
        fleet.stage.clock.set_rate(1.0);
        let aws = fleet.aws.serve().await?;
        let mackerel = fleet.mackerel.serve().await?;
        let nagios = fleet.nagios.serve().await?;
        let logs = cluster.folder().join("logs");
        std::fs::create_dir_all(&logs)?;
        Ok(Self {
            fleet,
            cluster,
            namespace: namespace.to_owned(),
            aws,
            mackerel,
            nagios,
            kubeconfig: PathBuf::new(),
            logs,
        })
    }

    /// Makes everything in the cluster but the operator: the chart, the Secrets, the tree. When it fails,
    /// [`Self::clean_up`] still removes what was made.
    ///
    /// # Errors
    /// When something is refused.
    pub async fn install(&mut self) -> Result<()> {
        install::install(&mut self.cluster, &self.namespace).await?;
        self.cluster.apply(secrets(&self.namespace)).await?;
        self.cluster.apply(reader(&self.namespace)).await?;
        self.kubeconfig = self.cluster.kubeconfig_for_service_account(&self.namespace, RELEASE).await?;
        self.apply_tree(&folder()).await
    }

    /// Applies a tree of custom resources; its Mackerel and its Nagios are told to live where the fakes do.
    ///
    /// # Errors
    /// When a file cannot be read or an object is refused.
    pub async fn apply_tree(&mut self, tree: &Path) -> Result<()> {
        let (url, cgis) = (self.mackerel.url(), format!("{}{CGIS}", self.nagios.url()));
        let settle = |object: &mut Value| {
            if let Some(mackerel) = object.pointer_mut("/spec/mackerel").and_then(Value::as_object_mut)
                && mackerel.contains_key("apiKeySecret")
            {
                mackerel.insert("apiURL".to_owned(), json!(url));
            }
            if let Some(nagios) = object.pointer_mut("/spec/nagios").and_then(Value::as_object_mut)
                && nagios.contains_key("basicAuthSecret")
            {
                nagios.insert("statusURL".to_owned(), json!(cgis));
            }
        };
        self.cluster.apply_files(tree, settle).await.with_context(|| tree.display().to_string())
    }

    /// Clock, faults and calls of all fakes.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.fleet.stage
    }

    /// The operator's own namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Where the fake Mackerel lives.
    #[must_use]
    pub fn mackerel_url(&self) -> String {
        self.mackerel.url()
    }

    /// The user that the API server knows the operator by.
    #[must_use]
    pub fn operator_user(&self) -> String {
        format!("system:serviceaccount:{}:{RELEASE}", self.namespace)
    }

    /// A bearer token with which recordings can be read whole.
    ///
    /// # Errors
    /// When the API server grants none.
    pub async fn reader_token(&self) -> Result<String> {
        self.cluster.token_of(&self.namespace, READER).await
    }

    /// What a replica of this name is told; change it before [`Operator::start`].
    #[must_use]
    pub fn setup(&self, name: &str) -> Setup {
        Setup {
            name: name.to_owned(),
            kubeconfig: self.kubeconfig.clone(),
            namespace: self.namespace.clone(),
            aws_url: self.aws.url(),
            every_seconds: READ_EVERY_SECONDS,
            logs_json: false,
            arguments: vec![format!("--library-namespace={LIBRARY}")],
            folder: self.logs.clone(),
        }
    }

    /// Starts a replica and waits until it is ready.
    ///
    /// # Errors
    /// As [`Operator::start`].
    pub async fn operator(&self, name: &str) -> Result<Operator> {
        Operator::start(&self.setup(name)).await
    }

    /// Removes from the cluster what was made in it, and ends the fakes. A replica must have ended before.
    ///
    /// # Errors
    /// When the API server refuses.
    pub async fn clean_up(mut self) -> Result<()> {
        self.cluster.clean_up().await?;
        self.aws.stop().await;
        self.mackerel.stop().await;
        self.nagios.stop().await;
        Ok(())
    }
}

/// Somebody who may read environments everywhere, and accounts: an administrator's kubeconfig may hold no token at all.
fn reader(namespace: &str) -> Vec<Value> {
    let role = format!("{namespace}-{READER}");
    let may = json!({"apiGroups": ["rollcall.dev"], "resources": ["environments", "cloudaccounts"], "verbs": ["get"]});
    vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"namespace": namespace, "name": READER}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": role},
               "rules": [may]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": role},
               "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
               "subjects": [{"kind": "ServiceAccount", "namespace": namespace, "name": READER}]}),
    ]
}

/// The Secrets that the tree's objects name.
fn secrets(namespace: &str) -> Vec<Value> {
    let secret = |namespace: &str, name: &str, data: Value| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": namespace, "name": name},
               "stringData": data})
    };
    let account = |name: &str, id: &str| {
        // The fake checks no signature.
        let data = json!({"aws_access_key_id": access_key(id), "aws_secret_access_key": "unchecked"});
        secret(namespace, name, data)
    };
    vec![
        account("aws-backlog-prod", "123456789012"),
        account("aws-backlog-dev", "210987654321"),
        secret(TEAM, "mackerel", json!({"api-key": MACKEREL_KEY})),
        secret(TEAM, "nagios", json!({"username": NAGIOS_USER, "password": NAGIOS_PASSWORD})),
    ]
}
